package credit_test

import (
	"errors"
	"testing"
	"time"

	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
)

func TestReserveIsIdempotent(t *testing.T) {
	d := newDesk(t, credit.Options{})
	id := d.customer(0)
	d.limit(credit.OfCustomer(id), 1000)
	q := credit.Request{Key: "SO-1", Customer: id, Amount: yuan(700)}
	first, err := d.reserve(q)
	if err != nil || first.State != credit.Open || first.Open != 700_00 {
		t.Fatalf("reserve: %+v, %v", first, err)
	}
	again, err := d.reserve(q)
	if err != nil || again.Version != first.Version {
		t.Errorf("the same again: %+v, %v", again, err)
	}
	d.wantUsed("reserved once", credit.OfCustomer(id), 700)
	q.Amount = yuan(701)
	_, err = d.reserve(q)
	wantErr(t, "the key with another amount", err, credit.ErrKeyUsed)
	_, err = d.reserve(credit.Request{Key: "SO-2", Customer: id, Amount: yuan(301)})
	refused := (*credit.RefusedError)(nil)
	if !errors.As(err, &refused) {
		t.Fatalf("beyond the limit: %v", err)
	}
	// 700 + 301 = 1,001 of 1,000 is 100.1 percent, told as 101.
	want := credit.Room{Scope: credit.OfCustomer(id), Limit: yuan(1000), Exposure: yuan(700), Asked: yuan(301), Free: yuan(-1)}
	if rooms := refused.Decision.Rooms; len(rooms) != 1 || rooms[0] != want {
		t.Errorf("rooms are %+v, want %+v", rooms, want)
	}
	if f := refused.Decision.Findings; len(f) != 1 || f[0].Value != 101 || f[0].Above != 100 || f[0].Outcome != credit.Stop {
		t.Errorf("findings are %+v", f)
	}
	last, err := d.reserve(credit.Request{Key: "SO-3", Customer: id, Amount: yuan(300)})
	if err != nil || len(last.Findings) != 1 || last.Findings[0].Outcome != credit.Warn {
		t.Errorf("up to the limit is granted, with a warning above 80 percent: %+v, %v", last, err)
	}
	d.verify()
}

func TestReservationExpiresWithoutAJob(t *testing.T) {
	d := newDesk(t, credit.Options{})
	a, b := d.customer(1), d.customer(1)
	g := d.group("G", a, b)
	d.limit(credit.OfGroup(g), 1000)
	_, err := d.reserve(credit.Request{Key: "r", Customer: a, Amount: yuan(1000), Expires: deskStart.Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	d.pass(time.Hour - time.Microsecond)
	wantErr(t, "before the expiry", d.order("b", b, 1), credit.ErrRefused)
	d.pass(time.Microsecond)
	for _, s := range []credit.Scope{credit.OfCustomer(a), credit.OfGroup(g), credit.OfUnit(1)} {
		d.wantUsed("at the expiry", s, 0)
	}
	if err := d.order("b", b, 600); err != nil {
		t.Errorf("at the expiry: %v", err)
	}
	wantErr(t, "an expired reservation can't be committed", d.try(func(tx deskTx) error { _, err := tx.Commit("r"); return err }), credit.ErrEnded)
	_, err = d.reserve(credit.Request{Key: "r", Customer: a, Amount: yuan(1000)})
	wantErr(t, "nor asked for as if it were new", err, credit.ErrEnded)
	reopen := func(n int64) error {
		return d.try(func(tx deskTx) error { _, err := tx.Reopen("r", yuan(n), 0); return err })
	}
	wantErr(t, "reopened beyond what is left", reopen(401), credit.ErrRefused)
	if err := reopen(400); err != nil {
		t.Errorf("reopened within: %v", err)
	}
	d.wantUsed("600 and 400", credit.OfGroup(g), 1000)
	d.verify()
	d.pass(24 * time.Hour)
	n, err := d.credit.ExpireReservations(t.Context(), d.job())
	if n != 1 || err != nil {
		t.Errorf("the job ends %d, %v", n, err)
	}
	d.wantUsed("after the job", credit.OfGroup(g), 600)
	d.verify()
}

// The credit of 1,000 goes from a reservation over an order and two deliveries to two
// invoices, and the exposure is 1,000 at every moment; only the second delivery's excess
// of 50 needs more.
func TestCreditFollowsTheDocuments(t *testing.T) {
	d := newDesk(t, credit.Options{})
	id := d.customer(3)
	d.limit(credit.OfCustomer(id), 1050)
	pass := func(from, key string, stage credit.Stage, n int64) error {
		return d.try(func(tx deskTx) error {
			_, err := tx.Pass(from, credit.Request{Key: key, Amount: yuan(n), Stage: stage})
			return err
		})
	}
	steps := []struct {
		what string
		do   func() error
		want int64
	}{
		{"offer", func() error {
			_, err := d.reserve(credit.Request{Key: "offer", Customer: id, Amount: yuan(1000)})
			return err
		}, 1000},
		{"order", func() error { return pass("offer", "order", credit.Ordered, 1000) }, 1000},
		{"first delivery", func() error { return pass("order", "d1", credit.Delivered, 400) }, 1000},
		{"the same again", func() error { return pass("order", "d1", credit.Delivered, 400) }, 1000},
		{"second delivery, 50 over", func() error { return pass("order", "d2", credit.Delivered, 650) }, 1050},
		{"first invoice", func() error {
			return d.try(func(tx deskTx) error {
				if _, err := tx.Pass("d1", credit.Request{Key: "i1", Amount: yuan(400), Stage: credit.Invoiced}); err != nil {
					return err
				}
				_, err := tx.post("i1", id, yuan(400), d.today(), d.today()+30)
				return err
			})
		}, 1050},
		{"a cancelled delivery returns to the order", func() error {
			return d.try(func(tx deskTx) error { _, err := tx.Return("d2"); return err })
		}, 1000},
		{"delivered again", func() error { return pass("order", "d3", credit.Delivered, 600) }, 1000},
		{"paid", func() error { d.pay("p1", id, yuan(400)); return nil }, 600},
	}
	for _, s := range steps {
		if err := s.do(); err != nil {
			t.Fatalf("%s: %v", s.what, err)
		}
		d.wantUsed(s.what, credit.OfCustomer(id), s.want)
		d.wantUsed(s.what, credit.OfUnit(3), s.want)
	}
	wantErr(t, "a used up offer leads nowhere", pass("offer", "again", credit.Ordered, 1), credit.ErrEnded)
	wantErr(t, "beyond the limit", pass("order", "d4", credit.Delivered, 451), credit.ErrRefused)
	wantErr(t, "backwards", pass("d3", "o", credit.Ordered, 1), credit.ErrInvalid)
	d.verify()
}

func TestReopenedOrderIsCheckedAgain(t *testing.T) {
	d := newDesk(t, credit.Options{})
	id := d.customer(0)
	d.limit(credit.OfCustomer(id), 1000)
	order := func(do func(tx deskTx) error) error { return d.try(do) }
	if err := d.order("o", id, 1000); err != nil {
		t.Fatal(err)
	}
	d.do(func(tx deskTx) error {
		_, err := tx.Pass("o", credit.Request{Key: "d", Amount: yuan(300), Stage: credit.Delivered})
		return err
	})
	d.do(func(tx deskTx) error { _, err := tx.Release("o"); return err })
	d.wantUsed("300 are delivered", credit.OfCustomer(id), 300)
	if err := d.order("p", id, 600); err != nil {
		t.Fatal(err)
	}
	// Of the order's 1,000, 300 went on; reopened it would need 700, and only 100 is left.
	wantErr(t, "a closed order delivers nothing", order(func(tx deskTx) error {
		_, err := tx.Pass("o", credit.Request{Key: "d2", Amount: yuan(10), Stage: credit.Delivered})
		return err
	}), credit.ErrEnded)
	wantErr(t, "reopened as it was", order(func(tx deskTx) error { _, err := tx.Reopen("o", yuan(1000), 0); return err }), credit.ErrRefused)
	if err := order(func(tx deskTx) error { _, err := tx.Reopen("o", yuan(400), 0); return err }); err != nil {
		t.Errorf("reopened with 100 more than was delivered: %v", err)
	}
	d.wantUsed("300 + 600 + 100", credit.OfCustomer(id), 1000)
	wantErr(t, "enlarged", order(func(tx deskTx) error { _, err := tx.Change("o", yuan(401), 0); return err }), credit.ErrRefused)
	if err := order(func(tx deskTx) error { _, err := tx.Change("o", yuan(401), 1_00); return err }); err != nil {
		t.Errorf("enlarged by what is prepaid: %v", err)
	}
	wantErr(t, "below what was delivered", order(func(tx deskTx) error { _, err := tx.Change("o", yuan(299), 0); return err }), credit.ErrInvalid)
	d.do(func(tx deskTx) error { _, err := tx.Change("o", yuan(350), 0); return err })
	d.wantUsed("300 + 600 + 50", credit.OfCustomer(id), 950)
	d.verify()
}

func TestPrepaidTakesNoCredit(t *testing.T) {
	d := newDesk(t, credit.Options{})
	id := d.customer(0)
	d.limit(credit.OfCustomer(id), 100)
	_, err := d.reserve(credit.Request{Key: "o", Customer: id, Amount: yuan(1000), Prepaid: 900_00, Stage: credit.Ordered})
	if err != nil {
		t.Fatal(err)
	}
	d.wantUsed("100 of 1,000 is on credit", credit.OfCustomer(id), 100)
	// A payment on account makes room: -50 + 100 leaves 50.
	d.pay("p", id, yuan(50))
	if err := d.order("o2", id, 50); err != nil {
		t.Error(err)
	}
	wantErr(t, "more", d.order("o3", id, 1), credit.ErrRefused)
}

func TestExposurePartsAsThePolicySays(t *testing.T) {
	d := newDesk(t, credit.Options{})
	id := d.customer(0)
	d.limit(credit.OfCustomer(id), 1000)
	d.invoice("i", id, yuan(300), 30)
	d.pay("p", id, yuan(100))
	d.do(func(tx deskTx) error {
		_, err := tx.Post(credit.Document{Key: "dep", Customer: id, Kind: credit.Deposit, Amount: yuan(40), Date: d.today()})
		return err
	})
	for i, stage := range []credit.Stage{credit.Reserved, credit.Ordered, credit.Delivered} {
		if _, err := d.reserve(credit.Request{Key: stage.String(), Customer: id, Amount: yuan([]int64{20, 60, 80}[i]), Stage: stage}); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		parts credit.Parts
		want  int64
	}{
		{0, 300 - 100 + 20 + 60 + 80},
		{credit.PartsOf(credit.Debits), 300},
		{credit.PartsOf(credit.Debits, credit.Credits, credit.Deposits), 300 - 100 - 40},
		{credit.PartsOf(credit.Debits, credit.Deliveries), 380},
		{credit.PartsOf(credit.Orders, credit.Reservations), 80},
	} {
		d.policy(credit.Policy{Parts: test.parts})
		if rooms := d.rooms(id, yuan(1)); rooms[0].Exposure != yuan(test.want) {
			t.Errorf("parts %b: the exposure is %v, want %d", test.parts, rooms[0].Exposure, test.want)
		}
	}
	d.verify()
}

func TestSuspendedCustomersGetNoCredit(t *testing.T) {
	d := newDesk(t, credit.Options{})
	id := d.customer(0)
	d.do(func(tx deskTx) error { _, err := tx.customers.Suspend(id); return err })
	wantErr(t, "suspended", d.order("o", id, 1), customer.ErrStatus)
}

func TestBadRequestsAreRefused(t *testing.T) {
	d := newDesk(t, credit.Options{})
	id := d.customer(0)
	for field, q := range map[string]credit.Request{
		"Key":     {Customer: id, Amount: yuan(1)},
		"Amount":  {Key: "k", Customer: id, Amount: money.Amount{Minor: 5}},
		"Prepaid": {Key: "k", Customer: id, Amount: yuan(1), Prepaid: 101},
		"Stage":   {Key: "k", Customer: id, Amount: yuan(1), Stage: credit.Invoiced},
		"Expires": {Key: "k", Customer: id, Amount: yuan(1), Expires: deskStart},
	} {
		_, err := d.reserve(q)
		structured := (*credit.Error)(nil)
		if !errors.As(err, &structured) || structured.Field != field || structured.Remedy == "" || !errors.Is(err, credit.ErrInvalid) {
			t.Errorf("%s: %v", field, err)
		}
	}
	_, err := d.reserve(credit.Request{Key: "k", Customer: 99, Amount: yuan(1)})
	wantErr(t, "no such customer", err, credit.ErrNotFound)
	d.limit(credit.OfCustomer(id), 1)
	huge := money.Amount{Minor: 1<<63 - 1, Currency: money.CNY}
	_, err = d.reserve(credit.Request{Key: "k", Customer: id, Amount: huge})
	wantErr(t, "more than any limit", err, credit.ErrRefused)
	d.invoice("i", id, yuan(1), 0)
	_, err = d.reserve(credit.Request{Key: "k", Customer: id, Amount: huge})
	wantErr(t, "overflow", err, credit.ErrOverflow)
}

func TestExposureMovesWithTheCustomer(t *testing.T) {
	d := newDesk(t, credit.Options{Control: credit.ControlOptions{Org: treeOf(map[customer.UnitID]customer.UnitID{2: 1, 3: 1})}})
	id := d.customer(2)
	g, h := d.group("G", id), d.group("H")
	d.invoice("i", id, yuan(100), 30)
	if err := d.order("o", id, 20); err != nil {
		t.Fatal(err)
	}
	want := func(what string, unit2, unit3, unit1, groupG, groupH int64) {
		t.Helper()
		for s, n := range map[credit.Scope]int64{
			credit.OfUnit(2): unit2, credit.OfUnit(3): unit3, credit.OfUnit(1): unit1, credit.OfGroup(g): groupG, credit.OfGroup(h): groupH,
		} {
			d.wantUsed(what, s, n)
		}
		d.verify()
	}
	want("before", 120, 0, 120, 120, 0)
	d.do(func(tx deskTx) error { _, err := tx.customers.Assign(id, 3, ""); return err })
	want("in the other unit", 0, 120, 120, 120, 0)
	d.do(func(tx deskTx) error { return tx.SetGroup(id, h) })
	want("in the other group", 0, 120, 120, 0, 120)
	d.do(func(tx deskTx) error { return tx.SetGroup(id, 0) })
	d.pay("p", id, yuan(70))
	want("in no group, and paid", 0, 50, 50, 0, 0)
}
