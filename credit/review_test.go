package credit_test

import (
	"errors"
	"fmt"
	"reflect"
	"testing"

	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage/bitset"
)

// orderPassedOnAndClosed orders 100 as "o", passes 60 of it on to the delivery "d" and
// closes the order.
func (d *desk) orderPassedOnAndClosed(id customer.ID) {
	d.t.Helper()
	if err := d.order("o", id, 100); err != nil {
		d.t.Fatal(err)
	}
	d.do(func(tx deskTx) error {
		_, err := tx.Pass("o", credit.Request{Key: "d", Amount: yuan(60), Stage: credit.Delivered})
		return err
	})
	d.do(func(tx deskTx) error { _, err := tx.Release("o"); return err })
}

// An order of 100 is passed on to a delivery of 60 and closed, and reopened while nothing is
// free: it is held. What it asks for again, once there is room, is the 40 that it still lacks.
func TestHeldAfterReopeningAsksForTheRestOnly(t *testing.T) {
	d := newDesk(t, credit.Options{})
	id := d.customer(0)
	d.policy(credit.Policy{Steps: []credit.Step{{Kind: credit.Utilisation, Above: 100, Outcome: credit.Hold}}})
	d.limit(credit.OfCustomer(id), 100)
	d.orderPassedOnAndClosed(id)
	d.limit(credit.OfCustomer(id), 80)
	d.do(func(tx deskTx) error {
		v, err := tx.Reopen("o", yuan(100), 0)
		if err == nil && v.State != credit.Held {
			t.Errorf("reopened beyond the limit: %v", v.State)
		}
		return err
	})
	d.limit(credit.OfCustomer(id), 100)
	v, err := d.reserve(credit.Request{Key: "o", Customer: id, Amount: yuan(100), Stage: credit.Ordered})
	if err != nil || v.State != credit.Open || v.Open != 40_00 {
		t.Errorf("asked again: %+v, %v", v, err)
	}
	d.wantUsed("60 delivered and 40 ordered", credit.OfCustomer(id), 100)
	d.verify()
}

// An order of 100 is passed on to a delivery of 60 and closed, and the delivery is cancelled.
// Then the order passed nothing on, and reopening it needs all of the 100.
func TestReopenAfterAReturnAsksForAll(t *testing.T) {
	d := newDesk(t, credit.Options{})
	id := d.customer(0)
	d.limit(credit.OfCustomer(id), 100)
	d.orderPassedOnAndClosed(id)
	d.do(func(tx deskTx) error { _, err := tx.Return("d"); return err })
	d.wantUsed("closed and returned", credit.OfCustomer(id), 0)
	d.do(func(tx deskTx) error { _, err := tx.Reopen("o", yuan(100), 0); return err })
	d.wantUsed("reopened", credit.OfCustomer(id), 100)
	d.verify()
}

// A program goes on after a refusal within its transaction; nothing is taken by then.
func TestARefusedPassChangesNothing(t *testing.T) {
	for _, outcome := range []credit.Outcome{credit.Stop, credit.Hold} {
		d := newDesk(t, credit.Options{})
		id := d.customer(3)
		d.policy(credit.Policy{Steps: []credit.Step{{Kind: credit.Utilisation, Above: 100, Outcome: outcome}}})
		d.limit(credit.OfCustomer(id), 100)
		if err := d.order("o", id, 60); err != nil {
			t.Fatal(err)
		}
		d.do(func(tx deskTx) error {
			_, err := tx.Pass("o", credit.Request{Key: "d", Amount: yuan(101), Stage: credit.Delivered})
			if !errors.Is(err, credit.ErrRefused) && !errors.Is(err, credit.ErrHeld) {
				t.Errorf("beyond the limit: %v", err)
			}
			return nil
		})
		d.wantUsed("only the order", credit.OfCustomer(id), 60)
		d.view(func(r *credit.Reader) error {
			v, err := r.Reservation("o")
			if err == nil && (v.Open != 60_00 || v.Passed != 0) {
				t.Errorf("%v: the order is %+v", outcome, v)
			}
			return err
		})
		d.verify()
	}
}

func TestTermsAsPeopleWriteThem(t *testing.T) {
	for written, want := range map[string]string{
		"1M EOM":              "EOM 1M",     // the months were lost
		"2/10, NET30":         "2/10 NET30", // was two halves, one of them due at once
		"2/10, 1/20, NET30":   "2/10 1/20 NET30",
		"月结６０天":               "EOM+60",
		"３０％ NET0，７０％ EOM＋60": "30% NET0, 70% EOM+60",
	} {
		got, err := credit.ParseTerms(written)
		if err != nil {
			t.Error(err)
			continue
		}
		if meant, _ := credit.ParseTerms(want); !reflect.DeepEqual(got, meant) {
			t.Errorf("%s is read as %v, want %v", written, got, meant)
		}
	}
}

// In March 1,000 are invoiced, 200 credited and 500 paid. Then a payment of 300 and a credit
// note of 100, booked by mistake, are reversed: of money 500 are left, of credit notes 200.
// Sales are 1,000 - 200.
func TestReversalsCountWithWhatTheyTakeBack(t *testing.T) {
	d := newDesk(t, credit.Options{})
	id := d.customer(0)
	d.invoice("i", id, yuan(1000), 30)
	d.do(func(tx deskTx) error {
		for _, x := range []struct {
			key  string
			kind credit.Kind
			n    int64
		}{{"c", credit.CreditNote, 200}, {"p", credit.Payment, 500}, {"wrong c", credit.CreditNote, 100}, {"wrong p", credit.Payment, 300}} {
			items, err := tx.Post(credit.Document{Key: x.key, Customer: id, Kind: x.kind, Amount: yuan(x.n), Date: d.today()})
			if err != nil {
				return err
			}
			if x.key[0] == 'w' {
				if _, err := tx.Reverse(items[0].ID, credit.Reverse{Key: "not " + x.key}); err != nil {
					return err
				}
			}
		}
		return nil
	})
	d.view(func(r *credit.Reader) error {
		list, err := r.Measures(credit.MeasureQuery{From: d.today().Month(), To: d.today().Month(), Currency: money.CNY})
		if err == nil && (list[0].Sales != 800_00 || list[0].Received != 500_00) {
			t.Errorf("sales %d, received %d, want 80000 and 50000", list[0].Sales, list[0].Received)
		}
		return err
	})
	d.verifyLedger()
	if n, err := d.credit.Repair(t.Context(), d.job()); n != 0 || err != nil {
		t.Errorf("repaired %d, %v", n, err)
	}
}

// verifyLedger wants what is derived to be what items and allocations make.
func (d *desk) verifyLedger() {
	d.t.Helper()
	report, err := d.storage.Verify(d.t.Context(), nil, d.credit.Verify(d.customers))
	if err != nil || !report.OK() {
		d.t.Error(report.Differences, err)
	}
}

// frosted is a glass through which some fields can't be searched by, either.
type frosted struct{ *glass }

func (f frosted) WithinUnmasked(field string) bitset.Source {
	if f.mask.Hides(field) {
		return &bitset.Set{}
	}
	return f.Within()
}

// Who may not see items or limits doesn't learn who is overdue, or near a limit, either.
func TestRemindersTellNothingThatIsHidden(t *testing.T) {
	d := newDesk(t, credit.Options{})
	id := d.customer(0)
	d.policy(credit.Policy{Dunning: credit.DunningPlan{Levels: []credit.DunningStep{{After: 1}}}})
	d.do(func(tx deskTx) error {
		return tx.SetLimit(credit.OfCustomer(id), credit.Limit{Amount: yuan(100), Review: d.today()})
	})
	d.invoice("i", id, yuan(95), -10)
	told := func() (kinds []credit.ReminderKind, dun int) {
		d.view(func(r *credit.Reader) error {
			kinds, dun = nil, 0
			for m, err := range r.Reminders(credit.ReminderPlan{}) {
				if err != nil {
					return err
				}
				kinds = append(kinds, m.Kind)
			}
			for _, err := range r.DunningDue(d.today(), 0) {
				if err != nil {
					return err
				}
				dun++
			}
			return nil
		})
		return kinds, dun
	}
	for hidden, want := range map[string]string{
		"phone":    "[overdue near_limit review_due] 1",
		"item":     "[near_limit review_due] 0",
		"exposure": "[overdue review_due] 1",
		"limit":    "[overdue] 1",
	} {
		mask, err := customer.NewMask(hidden)
		if err != nil {
			t.Fatal(err)
		}
		d.access = frosted{&glass{seen: map[customer.ID]bool{id: true}, mask: mask}}
		kinds, dun := told()
		if got := fmt.Sprint(kinds, dun); got != want {
			t.Errorf("without %s: %s, want %s", hidden, got, want)
		}
	}
}

// Clerks, and retries, go on naming the customer that an order was reserved for when it has
// been merged meanwhile.
func TestAMergedCustomersDocumentsAreStillItsOwn(t *testing.T) {
	d := newDesk(t, credit.Options{})
	survivor, loser := d.customer(1), d.customer(2)
	d.limit(credit.OfCustomer(survivor), 100)
	d.limit(credit.OfCustomer(loser), 100)
	if err := d.order("o", loser, 60); err != nil {
		t.Fatal(err)
	}
	d.do(func(tx deskTx) error { _, err := tx.MergeCustomers(survivor, loser); return err })
	v, err := d.reserve(credit.Request{Key: "o", Customer: loser, Amount: yuan(60), Stage: credit.Ordered})
	if err != nil || v.Customer != survivor || v.Open != 60_00 {
		t.Errorf("asked again: %+v, %v", v, err)
	}
	d.do(func(tx deskTx) error {
		v, err := tx.Pass("o", credit.Request{Key: "d", Customer: loser, Amount: yuan(60), Stage: credit.Delivered})
		if err == nil && v.Customer != survivor {
			t.Errorf("delivered to %v", v.Customer)
		}
		return err
	})
	d.wantUsed("delivered once", credit.OfCustomer(survivor), 60)
	d.wantUsed("nothing is left", credit.OfCustomer(loser), 0)
	d.verify()
}
