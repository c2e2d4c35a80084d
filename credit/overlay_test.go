package credit_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
)

// overlays are what units have agreed with everybody.
type overlays map[customer.UnitID]credit.Overlay

func (o overlays) of(_ *storage.Reader, _ *customer.Reader, _ customer.ID, unit customer.UnitID) (credit.Overlay, error) {
	agreed, known := o[unit]
	if !known {
		return agreed, fmt.Errorf("unit %d: %w", unit, customer.ErrNotFound)
	}
	return agreed, nil
}

func limited(unit customer.UnitID, n int64) credit.Overlay {
	amount := yuan(n)
	return credit.Overlay{Limit: &amount, LimitOf: unit}
}

// overlaid is a desk whose units have overlays.
func overlaid(t testing.TB, o overlays) *desk {
	return newDesk(t, credit.Options{Control: credit.ControlOptions{Overlay: o.of}})
}

// through asks for an order through a unit.
func (d *desk) through(unit customer.UnitID, key string, id customer.ID, n int64) error {
	_, err := d.reserve(credit.Request{Key: key, Customer: id, Amount: yuan(n), Stage: credit.Ordered, Unit: unit})
	return err
}

// The limit that a unit shows bounds the customer's whole exposure, for who asks through
// that unit alone, beside the customer's own limit.
func TestReserveObeysTheLimitOfTheUnitThatAsks(t *testing.T) {
	d := overlaid(t, overlays{1: limited(1, 100), 2: limited(7, 200), 3: {}, 4: limited(4, 5000)})
	id := d.customer(0)
	d.limit(credit.OfCustomer(id), 1000)
	refused := func(what string, err error, unit customer.UnitID) {
		t.Helper()
		var stop *credit.RefusedError
		if !errors.As(err, &stop) {
			t.Errorf("%s: the error is %v, want a refusal", what, err)
			return
		}
		for _, f := range stop.Decision.Findings {
			if f.Outcome == credit.Stop && (f.Unit != unit || f.Scope != credit.OfCustomer(id)) {
				t.Errorf("%s: it is stopped by %s, want the limit of unit %d", what, f, unit)
			}
		}
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(d.through(1, "A", id, 100))
	refused("above its limit", d.through(1, "B", id, 1), 1)
	must(d.through(2, "C", id, 100))
	refused("above that of the unit above, by what others have taken too", d.through(2, "D", id, 1), 7)
	must(d.through(3, "E", id, 700)) // 900 in all
	refused("a limit that is less than the exposure", d.through(1, "F", id, 1), 1)
	refused("above the customer's own, below the unit's", d.through(4, "G", id, 101), 0)
	must(d.through(0, "H", id, 100))
	wantErr(t, "a unit that isn't there", d.through(9, "I", id, 1), customer.ErrNotFound)
	d.wantUsed("all together", credit.OfCustomer(id), 1000)
	d.verify()
	err := d.through(1, "J", id, 1)
	if want := fmt.Sprintf("utilisation of customer %d by the overlay of unit 1 is 1001, above 100", uint64(id)); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("the error is %v, want %q in it", err, want)
	}
}

// A check tells the room that each limit leaves, and whose it is.
func TestCheckNamesTheOverlay(t *testing.T) {
	usd := money.Amount{Minor: 100_00, Currency: money.USD}
	d := overlaid(t, overlays{1: {Limit: &usd, LimitOf: 1}})
	id := d.customer(0)
	d.limit(credit.OfCustomer(id), 1000)
	d.do(func(tx deskTx) error { return tx.SetRate(money.USD, d.today(), rate(t, "7")) })
	d.invoice("I", id, yuan(140), 0)
	var got credit.Decision
	d.view(func(r *credit.Reader) (err error) {
		got, err = r.Check(credit.Request{Key: "x", Customer: id, Amount: yuan(560), Unit: 1})
		return err
	})
	// 140 and 560 yuan are 20 and 80 dollars: exactly the unit's limit, above 80 percent of it.
	want := []credit.Room{
		{Scope: credit.OfCustomer(id), Limit: yuan(1000), Exposure: yuan(140), Asked: yuan(560), Free: yuan(300)},
		{Scope: credit.OfCustomer(id), Unit: 1, Limit: usd, Exposure: dollars(20), Asked: dollars(80), Free: dollars(0)},
	}
	if fmt.Sprint(got.Rooms) != fmt.Sprint(want) || got.Outcome != credit.Warn || len(got.Findings) != 1 || got.Findings[0].Unit != 1 {
		t.Errorf("the check says %+v, want %+v and a warning of unit 1", got, want)
	}
}

func dollars(n int64) money.Amount { return money.Amount{Minor: n * 100, Currency: money.USD} }

// Whatever units have agreed, no more passes than without: neither a higher limit nor the
// lack of any other lets it.
func TestAnOverlayNeverLetsMorePass(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for range 60 {
		d := overlaid(t, overlays{1: limited(1, random.Int64N(300))})
		id := d.customer(0)
		d.policy(credit.Policy{WithoutLimit: credit.Outcome(random.IntN(4))})
		if random.IntN(3) > 0 {
			d.limit(credit.OfCustomer(id), random.Int64N(300))
		}
		if random.IntN(3) > 0 {
			d.limit(credit.OfUnit(0), random.Int64N(300))
		}
		if err := d.order("taken", id, 1+random.Int64N(100)); err != nil && !errors.Is(err, credit.ErrRefused) {
			t.Fatal(err)
		}
		d.view(func(r *credit.Reader) error {
			asked := credit.Request{Key: "x", Customer: id, Amount: yuan(1 + random.Int64N(200))}
			plain, err := r.Check(asked)
			if err != nil {
				return err
			}
			asked.Unit = 1
			through, err := r.Check(asked)
			if through.Outcome < plain.Outcome || len(through.Findings) < len(plain.Findings) {
				t.Errorf("through the unit %+v, otherwise %+v", through, plain)
			}
			return err
		})
	}
}

// A document keeps the unit through which it was asked for, and so do those that follow.
func TestDocumentsKeepTheUnitThatAsked(t *testing.T) {
	o := overlays{1: limited(1, 100), 2: limited(2, 500)}
	d := overlaid(t, o)
	id := d.customer(0)
	d.do(func(tx deskTx) error {
		_, err := tx.Reserve(credit.Request{Key: "A", Customer: id, Amount: yuan(80), Unit: 1})
		return err
	})
	change := func(key string, n int64) error {
		return d.try(func(tx deskTx) error { _, err := tx.Change(key, yuan(n), 0); return err })
	}
	pass := func(q credit.Request) error {
		q.Stage, q.Key = credit.Ordered, "order"
		return d.try(func(tx deskTx) error { _, err := tx.Pass("A", q); return err })
	}
	wantErr(t, "more than the unit's limit", change("A", 101), credit.ErrRefused)
	wantErr(t, "an order of more", pass(credit.Request{Amount: yuan(101)}), credit.ErrRefused)
	if err := errors.Join(d.through(0, "B", id, 1), pass(credit.Request{Amount: yuan(90)})); err != nil {
		t.Fatal(err)
	}
	var v *credit.Reservation
	d.view(func(r *credit.Reader) (err error) { v, err = r.Reservation("order"); return err })
	if v.Unit != 1 {
		t.Errorf("the order is of unit %d", v.Unit)
	}
	again := credit.Request{Key: "order", Customer: id, Amount: yuan(90)}
	wantErr(t, "the same through another unit", pass(credit.Request{Amount: yuan(90), Unit: 2}), credit.ErrKeyUsed)
	for _, unit := range []customer.UnitID{0, 1} {
		if again.Unit = unit; pass(again) != nil {
			t.Errorf("asking again through unit %d: %v", unit, pass(again))
		}
	}
	d.do(func(tx deskTx) error { _, err := tx.Release("order"); return err })
	o[1] = limited(1, 50)
	wantErr(t, "asked for again under a lower limit", d.try(func(tx deskTx) error { _, err := tx.Reopen("order", yuan(60), 0); return err }), credit.ErrRefused)
	d.verify()
}

// Terms are those of the level of dunning, or else of the unit that posts, or else the
// customer's own.
func TestDueDaysFollowTheTermsOfTheUnitThatPosts(t *testing.T) {
	d := overlaid(t, overlays{1: {Terms: "NET10", TermsOf: 1}, 2: {}, 3: {Terms: "some day", TermsOf: 3}})
	id := d.customer(0)
	d.do(func(tx deskTx) error { return tx.SetTermsOf(id, "NET30") })
	post := func(key string, unit customer.UnitID) (items []*credit.Item, err error) {
		err = d.try(func(tx deskTx) (err error) {
			items, err = tx.Post(credit.Document{Key: key, Customer: id, Kind: credit.Invoice, Date: d.today(), Amount: yuan(1), OwnTerms: true, Unit: unit})
			return err
		})
		return items, err
	}
	for unit, days := range map[customer.UnitID]int{0: 30, 1: 10, 2: 30} {
		items, err := post(fmt.Sprint("I", unit), unit)
		if err != nil {
			t.Fatal(err)
		}
		if due := int(items[0].Due - d.today()); due != days {
			t.Errorf("posted through unit %d it is due in %d days, want %d", unit, due, days)
		}
		d.view(func(r *credit.Reader) error {
			terms, err := r.TermsThrough(id, unit)
			if err == nil && terms.String() != fmt.Sprint("NET", days) {
				t.Errorf("the terms through unit %d are %s", unit, terms)
			}
			return err
		})
	}
	_, err := post("I3", 3)
	wantErr(t, "terms that nobody understands", err, credit.ErrInvalid)
	_, err = post("I9", 9)
	wantErr(t, "a unit that isn't there", err, customer.ErrNotFound)
}

// Terms that were stored before a discount was refused that ends after all is due are read on.
func TestTermsStoredBeforeAreRead(t *testing.T) {
	const before = "2/40 NET30"
	d := overlaid(t, overlays{1: {Terms: before}})
	id := d.customer(0)
	d.view(func(r *credit.Reader) error {
		if terms, err := r.TermsThrough(id, 1); err != nil || terms.String() != before {
			t.Errorf("%v, %v", terms, err)
		}
		return nil
	})
	if days, err := (&credit.Facts{Terms: before}).TermsDays(); days != 30 || err != nil {
		t.Errorf("%d days, %v", days, err)
	}
}
