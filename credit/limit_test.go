package credit_test

import (
	"errors"
	"testing"
	"time"

	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
)

func wantDay(t testing.TB, text string) date.Date {
	t.Helper()
	d, err := date.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// free is what the nearest limit leaves of a customer's credit, in minor units of its
// currency.
func (d *desk) rooms(id customer.ID, amount money.Amount) (rooms []credit.Room) {
	d.t.Helper()
	d.view(func(r *credit.Reader) error {
		decision, err := r.Check(credit.Request{Key: "what if", Customer: id, Amount: amount})
		rooms = decision.Rooms
		return err
	})
	return rooms
}

func TestNearestLimitCounts(t *testing.T) {
	// Unit 1 (limit 10,000) has unit 2 below it; the group's limit is 5,000. a has its own
	// limit of 1,000, b is only in the group, c only in unit 2, e in no unit at all.
	d := newDesk(t, credit.Options{Control: credit.ControlOptions{Org: treeOf(map[customer.UnitID]customer.UnitID{2: 1})}})
	a, b, c, e := d.customer(2), d.customer(2), d.customer(2), d.customer(0)
	g := d.group("G", a, b)
	d.limit(credit.OfCustomer(a), 1000)
	d.limit(credit.OfGroup(g), 5000)
	d.limit(credit.OfUnit(1), 10000)
	for _, test := range []struct {
		what  string
		id    customer.ID
		scope credit.Scope
		limit int64
	}{
		{"own limit", a, credit.OfCustomer(a), 1000},
		{"the group's", b, credit.OfGroup(g), 5000},
		{"the unit's above", c, credit.OfUnit(1), 10000},
	} {
		rooms := d.rooms(test.id, yuan(1))
		if len(rooms) != 1 || rooms[0].Scope != test.scope || rooms[0].Limit != yuan(test.limit) {
			t.Errorf("%s: %+v, want %v of %d", test.what, rooms, test.scope, test.limit)
		}
	}
	if rooms := d.rooms(e, yuan(1)); len(rooms) != 0 {
		t.Errorf("without any limit: %+v", rooms)
	}
	// All three of unit 2 use the unit's limit: 900 + 4,000 + 5,100 = 10,000 leaves
	// nothing, though only c is checked against it.
	for _, err := range []error{d.order("a", a, 900), d.order("b", b, 4000), d.order("c", c, 5100)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	wantErr(t, "beyond the unit's limit", d.order("c2", c, 1), credit.ErrRefused)
	if err := d.order("a2", a, 100); err != nil {
		t.Errorf("a has 100 of its own left, whatever the unit has: %v", err)
	}
	// A ceiling binds those with a nearer limit too: b has 1,000 of the group's left.
	d.do(func(tx deskTx) error {
		return tx.SetLimit(credit.OfUnit(1), credit.Limit{Amount: yuan(10100), Ceiling: true})
	})
	wantErr(t, "beyond the ceiling", d.order("b2", b, 1), credit.ErrRefused)
	d.verify()
}

func TestTemporaryLimits(t *testing.T) {
	d := newDesk(t, credit.Options{})
	id := d.customer(0)
	day := func(text string) date.Date { return wantDay(t, text) }
	d.do(func(tx deskTx) error {
		s := credit.OfCustomer(id)
		return errors.Join(
			tx.SetLimit(s, credit.Limit{Amount: yuan(1000)}),
			tx.SetLimit(s, credit.Limit{Amount: yuan(3000), From: day("2026-03-10"), Until: day("2026-03-20")}),
			tx.SetLimit(s, credit.Limit{Amount: yuan(500), Extra: true, From: day("2026-03-20"), Until: day("2026-03-22")}),
		)
	})
	for _, test := range []struct {
		at   string
		want int64
	}{
		{"2026-03-09", 1000}, // the standing one
		{"2026-03-10", 3000}, // replaced from its first day
		{"2026-03-20", 3500}, // to its last, here with the addition
		{"2026-03-21", 1500}, // the standing one and the addition
		{"2026-03-23", 1000},
	} {
		d.setDay(test.at)
		if rooms := d.rooms(id, yuan(1)); len(rooms) != 1 || rooms[0].Limit != yuan(test.want) {
			t.Errorf("on %s: %+v, want %d", test.at, rooms, test.want)
		}
	}
	// A limit that has ended is a limit of zero.
	other := d.customer(0)
	d.do(func(tx deskTx) error {
		return tx.SetLimit(credit.OfCustomer(other), credit.Limit{Amount: yuan(1000), Until: day("2026-03-31")})
	})
	d.setDay("2026-04-01")
	wantErr(t, "after the limit's end", d.order("x", other, 1), credit.ErrRefused)
}

func (d *desk) setDay(text string) {
	d.t.Helper()
	at := wantDay(d.t, text).Time(time.UTC).Add(8 * time.Hour)
	d.pass(at.Sub(d.clock()))
}

func TestLimitsByCurrency(t *testing.T) {
	// Rates on 2026-03-02: 7.20 CNY for 1 USD, 4.80 for 100 JPY, that is 0.048 for 1.
	d := newDesk(t, credit.Options{Base: money.CNY})
	id := d.customer(0)
	usd := func(cents int64) money.Amount { return money.Amount{Minor: cents, Currency: money.USD} }
	d.do(func(tx deskTx) error {
		return errors.Join(
			tx.SetRate(money.USD, wantDay(t, "2026-01-01"), rate(t, "7.0")),
			tx.SetRate(money.USD, wantDay(t, "2026-03-02"), rate(t, "7.20")),
			tx.SetRate(money.JPY, wantDay(t, "2026-03-01"), rate(t, "0.048")),
			tx.SetLimit(credit.OfCustomer(id), credit.Limit{Amount: usd(1_000_00)}),
		)
	})
	// 3,600.00 CNY are 500.00 USD; 50,000 JPY × 0.048 = 2,400 CNY = 333.333… USD, rounded
	// to 333.33. So 1,000.00 - 500.00 - 333.33 leaves 166.67 for an order of 0.01 less.
	for _, q := range []credit.Request{
		{Key: "cny", Customer: id, Amount: yuan(3600), Stage: credit.Ordered},
		{Key: "jpy", Customer: id, Amount: money.Amount{Minor: 50_000, Currency: money.JPY}, Stage: credit.Delivered},
	} {
		if _, err := d.reserve(q); err != nil {
			t.Fatal(err)
		}
	}
	rooms := d.rooms(id, usd(1))
	want := credit.Room{Scope: credit.OfCustomer(id), Limit: usd(1_000_00), Exposure: usd(833_33), Asked: usd(1), Free: usd(166_66)}
	if len(rooms) != 1 || rooms[0] != want {
		t.Errorf("rooms are %+v, want %+v", rooms, want)
	}
	if _, err := d.reserve(credit.Request{Key: "rest", Customer: id, Amount: usd(166_67)}); err != nil {
		t.Errorf("the last cent: %v", err)
	}
	_, err := d.reserve(credit.Request{Key: "cent", Customer: id, Amount: usd(1)})
	wantErr(t, "one cent more", err, credit.ErrRefused)
	// The exposure in yen gets a limit of its own and leaves the general one: 333.33 are free.
	d.do(func(tx deskTx) error {
		return tx.SetLimit(credit.OfCustomer(id), credit.Limit{Amount: money.Amount{Minor: 60_000, Currency: money.JPY}, Only: true})
	})
	if rooms := d.rooms(id, usd(1)); rooms[0].Free != usd(333_32) {
		t.Errorf("without yen: %+v", rooms)
	}
	_, err = d.reserve(credit.Request{Key: "jpy2", Customer: id, Amount: money.Amount{Minor: 10_001, Currency: money.JPY}})
	wantErr(t, "beyond the limit of yen", err, credit.ErrRefused)
	_, err = d.reserve(credit.Request{Key: "eur", Customer: id, Amount: money.Amount{Minor: 1, Currency: money.EUR}})
	missing := (*credit.RateError)(nil)
	if !errors.As(err, &missing) || missing.Currency != money.EUR || missing.Day != wantDay(t, "2026-03-02") {
		t.Errorf("without a rate: %v", err)
	}
}

func rate(t testing.TB, text string) money.Rate {
	t.Helper()
	r, err := money.ParseRate(text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestBadLimitsAreRefused(t *testing.T) {
	d := newDesk(t, credit.Options{})
	id := d.customer(0)
	day := wantDay(t, "2026-03-10")
	for field, l := range map[string]credit.Limit{
		"Amount":  {Amount: money.Amount{Minor: -1, Currency: money.CNY}},
		"Until":   {Amount: yuan(1), From: day, Until: day - 1},
		"From":    {Amount: yuan(1), From: -3},
		"Review":  {Amount: yuan(1), Review: 999_999},
		"Extra":   {Amount: yuan(1), Extra: true, Until: day},
		"Ceiling": {Amount: yuan(1), Ceiling: true},
		"Note":    {Amount: yuan(1), Note: "\xff"},
	} {
		err := d.try(func(tx deskTx) error { return tx.SetLimit(credit.OfCustomer(id), l) })
		structured := (*credit.Error)(nil)
		if !errors.As(err, &structured) || structured.Field != field || structured.Remedy == "" || !errors.Is(err, credit.ErrInvalid) {
			t.Errorf("%s: %v", field, err)
		}
	}
	wantErr(t, "an unknown group", d.try(func(tx deskTx) error { return tx.SetLimit(credit.OfGroup(9), credit.Limit{Amount: yuan(1)}) }), credit.ErrNotFound)
	wantErr(t, "no scope", d.try(func(tx deskTx) error { return tx.SetLimit(credit.Scope{}, credit.Limit{Amount: yuan(1)}) }), credit.ErrInvalid)
	wantErr(t, "nothing to remove", d.try(func(tx deskTx) error { return tx.RemoveLimit(credit.OfCustomer(id), credit.Limit{}) }), credit.ErrNotFound)
	err := d.try(func(tx deskTx) error {
		for i := range date.Date(credit.MaxLimits + 1) {
			if err := tx.SetLimit(credit.OfCustomer(id), credit.Limit{Amount: yuan(1), From: day + i}); err != nil {
				return err
			}
		}
		return nil
	})
	wantErr(t, "too many", err, storage.ErrLimit)
}

// tree is an organisation given as each unit's parent.
type tree map[customer.UnitID]customer.UnitID

func treeOf(parents map[customer.UnitID]customer.UnitID) func(*storage.Reader, *customer.Reader) credit.Org {
	return func(*storage.Reader, *customer.Reader) credit.Org { return tree(parents) }
}

func (o tree) Above(unit customer.UnitID) (above []customer.UnitID, err error) {
	for unit = o[unit]; unit != 0; unit = o[unit] {
		above = append(above, unit)
	}
	return above, nil
}

func (o tree) Below(unit customer.UnitID) ([]customer.UnitID, error) {
	below := []customer.UnitID{unit}
	for child, parent := range o {
		if parent == unit {
			more, _ := o.Below(child)
			below = append(below, more...)
		}
	}
	return below, nil
}

// HasRole gives everybody the roles that begin with the actor's name.
func (o tree) HasRole(actor, role string) (bool, error) {
	return len(role) > len(actor) && role[:len(actor)] == actor, nil
}
