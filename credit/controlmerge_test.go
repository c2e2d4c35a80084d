package credit_test

import (
	"testing"
	"time"

	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/customer"
)

// The survivor of unit 1 owes 100 and has no limit; the loser, of unit 2 and a group, owes
// 50, has ordered 30 and has a limit of 200.
func TestMergeMovesExposureAndKeepsLimits(t *testing.T) {
	d := newDesk(t, credit.Options{})
	survivor, loser := d.customer(1), d.customer(2)
	g := d.group("G", loser)
	d.limit(credit.OfCustomer(loser), 200)
	d.invoice("a", survivor, yuan(100), 30)
	d.invoice("b", loser, yuan(50), 30)
	if err := d.order("o", loser, 30); err != nil {
		t.Fatal(err)
	}
	want := func(what string, used map[credit.Scope]int64) {
		t.Helper()
		for s, n := range used {
			d.wantUsed(what, s, n)
		}
		d.verify()
	}
	before := map[credit.Scope]int64{
		credit.OfCustomer(survivor): 100, credit.OfCustomer(loser): 80, credit.OfUnit(1): 100, credit.OfUnit(2): 80, credit.OfGroup(g): 80,
	}
	want("before", before)
	var done *credit.Combination
	d.do(func(tx deskTx) (err error) { done, err = tx.MergeCustomers(survivor, loser); return err })
	want("merged", map[credit.Scope]int64{
		credit.OfCustomer(survivor): 180, credit.OfCustomer(loser): 0, credit.OfUnit(1): 180, credit.OfUnit(2): 0, credit.OfGroup(g): 180,
	})
	wantErr(t, "180 and 21 of the loser's 200", d.order("p", survivor, 21), credit.ErrRefused)
	kept, err := done.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	var read credit.Combination
	if err := read.UnmarshalBinary(kept); err != nil || read != *done {
		t.Errorf("read back: %+v, %v; want %+v", read, err, *done)
	}
	d.do(func(tx deskTx) error { return tx.UnmergeCustomers(&read) })
	want("unmerged", before)
	if rooms := d.rooms(survivor, yuan(1)); len(rooms) != 0 {
		t.Errorf("the survivor keeps what it was lent: %+v", rooms)
	}
	if rooms := d.rooms(loser, yuan(1)); len(rooms) != 1 || rooms[0].Exposure != yuan(80) {
		t.Errorf("the loser has %+v", rooms)
	}
}

// The loser's id stands for the survivor, to whoever still has it: an invoice and an order
// under it are the survivor's, and count against its limit of 100. The figures: 30 owed and
// 60 ordered leave 10.
func TestMergedCustomersIdStandsForItsSurvivor(t *testing.T) {
	d := newDesk(t, credit.Options{})
	survivor, loser := d.customer(1), d.customer(2)
	d.limit(credit.OfCustomer(survivor), 100)
	d.do(func(tx deskTx) error {
		if _, err := tx.MergeCustomers(survivor, loser); err != nil {
			return err
		}
		_, err := tx.customers.Merge(survivor, []customer.ID{loser}, func(survivor, _ *customer.Customer) (*customer.Customer, error) {
			return survivor, nil
		})
		return err
	})
	for range 2 { // asking again changes nothing
		d.invoice("a", loser, yuan(30), 30)
		if err := d.order("o", loser, 60); err != nil {
			t.Fatal(err)
		}
	}
	d.wantUsed("merged", credit.OfCustomer(survivor), 90)
	wantErr(t, "90 and 11 of 100", d.order("p", loser, 11), credit.ErrRefused)
	d.view(func(r *credit.Reader) error {
		items, err := r.Document("a")
		if err != nil || len(items) != 1 || items[0].Customer != survivor {
			t.Errorf("the invoice is %+v, %v", items, err)
		}
		for v, err := range r.Reservations(survivor) {
			if err != nil || v.Key != "o" || v.Customer != survivor {
				t.Errorf("the survivor has %+v, %v", v, err)
			}
		}
		return nil
	})
	// The order leads to a delivery, and an override is for the survivor: 90 and 11 pass.
	d.do(func(tx deskTx) error {
		if _, err := tx.Pass("o", credit.Request{Key: "d", Customer: loser, Amount: yuan(60), Stage: credit.Delivered}); err != nil {
			return err
		}
		_, err := tx.Override(credit.Override{Customer: loser, Why: "a good customer", Until: d.clock().Add(time.Hour)})
		return err
	})
	if err := d.order("p", loser, 11); err != nil {
		t.Error(err)
	}
	err := d.try(func(tx deskTx) error { return tx.SetLimit(credit.OfCustomer(loser), credit.Limit{Amount: yuan(5)}) })
	wantErr(t, "a limit of the loser", err, credit.ErrInvalid)
	d.verify()
}

// A limit that was proposed for somebody who was merged meanwhile is not set: the loser's
// limits are kept for the day when the merge is undone.
func TestAProposalForAMergedCustomerIsRefused(t *testing.T) {
	d := newDesk(t, credit.Options{})
	d.policy(credit.Policy{LimitRules: []credit.ApprovalRule{{Approvers: 1}}})
	survivor, loser := d.customer(1), d.customer(2)
	var a *credit.Approval
	d.do(func(tx deskTx) (err error) {
		a, err = tx.Propose(credit.Proposal{Scope: credit.OfCustomer(loser), Limit: &credit.Limit{Amount: yuan(500)}, Why: "grows"})
		return err
	})
	d.do(func(tx deskTx) error {
		if _, err := tx.MergeCustomers(survivor, loser); err != nil {
			return err
		}
		_, err := tx.customers.Merge(survivor, []customer.ID{loser}, func(survivor, _ *customer.Customer) (*customer.Customer, error) {
			return survivor, nil
		})
		return err
	})
	err := d.tryAs("qian", func(tx deskTx) error { _, err := tx.Approve(a.ID, "fine"); return err })
	wantErr(t, "approving a merged customer's limit", err, credit.ErrInvalid)
	d.verify()
}
