package orgtree_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/orgtree"
	"github.com/clientele-go/clientele/storage"
)

func (b *book) place(f func(tx) (*orgtree.Placement, error)) {
	b.t.Helper()
	b.update(func(tx tx) error { _, err := f(tx); return err })
}

func (b *book) unitsOf(id customer.ID) (owner customer.UnitID, assigned []customer.UnitID) {
	b.t.Helper()
	b.view(func(r *orgtree.Reader, _ *customer.Reader) (err error) {
		owner, assigned, err = r.UnitsOf(id)
		return err
	})
	return owner, sorted(assigned)
}

// An assignment from April to June, seen on each side of its ends, with and without the
// clock's work.
func TestDatedAssignments(t *testing.T) {
	b := newBook(t)
	r := newRegion(b, orgtree.Sharing{})
	id := b.customer(r.east, "wang")
	april, june := time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	b.place(func(tx tx) (*orgtree.Placement, error) {
		return tx.Assign(id, orgtree.Assignment{Unit: r.chengdu, From: april, Until: june, Team: r.west})
	})
	b.place(func(tx tx) (*orgtree.Placement, error) { return tx.Assign(id, orgtree.Assignment{Unit: r.hangzhou}) })
	for _, tick := range []bool{false, true} {
		if tick { // from the beginning again, ticking after each step
			b.setClock(start)
			b.place(func(tx tx) (*orgtree.Placement, error) {
				return tx.Assign(id, orgtree.Assignment{Unit: r.chengdu, From: april, Until: june, Team: r.west})
			})
		}
		for _, c := range []struct {
			at      time.Time
			chengdu bool
			due     time.Time // afterwards
		}{
			{start, false, april}, {april.Add(-time.Microsecond), false, april}, {april, true, june},
			{june.Add(-time.Microsecond), true, june}, {june, false, time.Time{}},
		} {
			b.setClock(c.at)
			if tick {
				if _, err := b.org.Tick(context.Background(), b.job()); err != nil {
					t.Fatal(err)
				}
			}
			want := []customer.UnitID{r.hangzhou}
			if c.chengdu {
				want = append(want, r.chengdu)
			}
			if owner, got := b.unitsOf(id); owner != r.east || !slices.Equal(got, want) {
				t.Errorf("on %s: %d %v, want %v", day(c.at), owner, got, want)
			}
			b.checkCorrections(c.at, tick, id, r.chengdu, c.chengdu)
			if tick {
				b.view(func(r *orgtree.Reader, _ *customer.Reader) error {
					if due, err := r.AssignmentDue(); err != nil || !due.Equal(c.due) {
						t.Errorf("due after %s: %v %v", day(c.at), due, err)
					}
					return nil
				})
			}
		}
	}
	b.verify()
}

// checkCorrections sees that there are none after a Tick, and that without one they put
// the sets right as they were written in March: without the assignment.
func (b *book) checkCorrections(at time.Time, ticked bool, id customer.ID, unit customer.UnitID, assigned bool) {
	b.t.Helper()
	b.view(func(r *orgtree.Reader, _ *customer.Reader) error {
		list, err := r.Corrections()
		adds := slices.Contains(list, orgtree.Correction{Customer: id, Unit: unit, Add: true})
		if err != nil || ticked && len(list) > 0 || !ticked && adds != assigned {
			b.t.Errorf("on %s, ticked %v: corrections %v %v", day(at), ticked, list, err)
		}
		return nil
	})
}

func TestAssignIsChecked(t *testing.T) {
	b := newBook(t)
	r := newRegion(b, orgtree.Sharing{})
	id, gone := b.customer(r.east, ""), b.customer(r.east, "")
	b.update(func(tx tx) error { _, err := tx.customers.Erase(gone); return err })
	for _, c := range []struct {
		name string
		id   customer.ID
		a    orgtree.Assignment
		err  error
	}{
		{"ended", id, orgtree.Assignment{Unit: r.west, Until: start}, orgtree.ErrDate},
		{"ends before it begins", id, orgtree.Assignment{Unit: r.west, From: start.AddDate(0, 2, 0), Until: start.AddDate(0, 1, 0)}, orgtree.ErrDate},
		{"no unit", id, orgtree.Assignment{Unit: 99}, orgtree.ErrUnknownUnit},
		{"no team", id, orgtree.Assignment{Unit: r.west, Team: 99}, orgtree.ErrUnknownUnit},
		{"the book", id, orgtree.Assignment{}, orgtree.ErrInvalid},
		{"bad text", id, orgtree.Assignment{Unit: r.west, Rep: "\xff"}, orgtree.ErrInvalid},
		{"no customer", 999, orgtree.Assignment{Unit: r.west}, orgtree.ErrNotFound},
		{"erased", gone, orgtree.Assignment{Unit: r.west}, customer.ErrStatus},
	} {
		if err := b.try(func(tx tx) error { _, err := tx.Assign(c.id, c.a); return err }); !errors.Is(err, c.err) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestPlacementHistory(t *testing.T) {
	b := newBook(t)
	r := newRegion(b, orgtree.Sharing{})
	id := b.customer(r.east, "")
	assign := func(tx tx) (*orgtree.Placement, error) {
		return tx.Assign(id, orgtree.Assignment{Unit: r.chengdu})
	}
	b.place(assign)
	b.setClock(start.Add(time.Hour))
	b.place(assign) // the same again is no version
	b.place(func(tx tx) (*orgtree.Placement, error) { return tx.Withdraw(id, r.chengdu) })
	b.place(func(tx tx) (*orgtree.Placement, error) { return tx.SetTeam(id, r.hangzhou) })
	b.view(func(or *orgtree.Reader, _ *customer.Reader) error {
		var got []string
		for p, err := range or.Placements(id) {
			if err != nil {
				return err
			}
			got = append(got, strings.Repeat("a", len(p.Assignments))+strings.Repeat("t", int(min(p.Team, 1))))
		}
		if !slices.Equal(got, []string{"a", "", "t"}) {
			t.Errorf("versions: %q", got)
		}
		then, err := or.PlacementAt(id, start)
		if err != nil || !slices.Equal(then.AssignedAt(start), []customer.UnitID{r.chengdu}) {
			t.Errorf("at first: %+v %v", then, err)
		}
		return nil
	})
}

func TestErasedCustomersLeaveNoPlacement(t *testing.T) {
	b := newBook(t)
	r := newRegion(b, orgtree.Sharing{})
	id := b.customer(r.east, "")
	b.place(func(tx tx) (*orgtree.Placement, error) {
		return tx.SetOverlay(id, orgtree.Overlay{Unit: r.east, LocalCode: "X1", Note: "secret"})
	})
	b.update(func(tx tx) error { _, err := tx.customers.Erase(id); return err })
	b.view(func(or *orgtree.Reader, _ *customer.Reader) error {
		for p, err := range or.Placements(id) {
			if err != nil || len(p.Overlays) > 0 {
				t.Errorf("left: %+v %v", p, err)
			}
		}
		if _, err := or.ByLocalCode(r.east, "X1"); !errors.Is(err, orgtree.ErrNotFound) {
			t.Errorf("local code: %v", err)
		}
		return nil
	})
	b.verify()
}

// Each field comes from the nearest unit upward that says something, worked out by hand:
//
//	HQ: rep li, terms NET60, limit 100.00 CNY;  E: terms NET30;  SH: assigned with rep zhao, local code S1
func TestOverlaysAreReadThroughTheUnitThatAsks(t *testing.T) {
	b := newBook(t)
	r := newRegion(b, orgtree.Sharing{})
	id := b.customer(r.west, "wang")
	limit := &orgtree.Limit{Amount: 10000, Currency: "CNY"}
	for _, o := range []orgtree.Overlay{
		{Unit: r.hq, Rep: "li", Terms: "NET60", Limit: limit},
		{Unit: r.east, Terms: "NET30", Note: "in the east"},
		{Unit: r.shanghai, LocalCode: "S1"},
	} {
		b.place(func(tx tx) (*orgtree.Placement, error) { return tx.SetOverlay(id, o) })
	}
	b.place(func(tx tx) (*orgtree.Placement, error) {
		return tx.Assign(id, orgtree.Assignment{Unit: r.shanghai, Rep: "zhao"})
	})
	for _, c := range []struct {
		unit                  customer.UnitID
		rep, terms, code, lim string
	}{
		{r.hq, "li", "NET60", "", "100.00"},
		{r.east, "li", "NET30", "", "100.00"},
		{r.hangzhou, "li", "NET30", "", "100.00"},
		{r.shanghai, "zhao", "NET30", "S1", "100.00"},
		{r.chengdu, "li", "NET60", "", "100.00"},
	} {
		b.view(func(or *orgtree.Reader, _ *customer.Reader) error {
			o, err := or.Overlay(id, c.unit)
			if err != nil || o.Unit != c.unit || o.Rep != c.rep || o.Terms != c.terms || o.LocalCode != c.code || o.Limit == nil || *o.Limit != *limit {
				t.Errorf("from %d: %+v %v", c.unit, o, err)
			}
			return nil
		})
	}
	b.place(func(tx tx) (*orgtree.Placement, error) { return tx.SetOverlay(id, orgtree.Overlay{Unit: r.hq}) }) // removed
	b.view(func(or *orgtree.Reader, _ *customer.Reader) error {
		o, err := or.Overlay(id, r.chengdu)
		if err != nil || o.Rep != "wang" || o.Terms != "" || o.Limit != nil {
			t.Errorf("without any: %+v %v", o, err)
		}
		if _, err := or.Overlay(id, 99); !errors.Is(err, orgtree.ErrUnknownUnit) {
			t.Errorf("through no unit: %v", err)
		}
		return nil
	})
}

func TestLocalCodesAreUniqueInTheirUnit(t *testing.T) {
	b := newBook(t)
	r := newRegion(b, orgtree.Sharing{})
	first, second := b.customer(r.west, ""), b.customer(r.west, "")
	set := func(id customer.ID, unit customer.UnitID, code string) error {
		return b.try(func(tx tx) error {
			_, err := tx.SetOverlay(id, orgtree.Overlay{Unit: unit, LocalCode: code})
			return err
		})
	}
	if err := errors.Join(set(first, r.east, "k-7"), set(second, r.west, "K-7")); err != nil {
		t.Fatal(err)
	}
	err := set(second, r.east, "Ｋ-7")
	var e *orgtree.Error
	if !errors.Is(err, orgtree.ErrExists) || !errors.As(err, &e) || e.Field != "LocalCode" || e.Unit != r.east {
		t.Errorf("taken: %v", err)
	}
	b.view(func(or *orgtree.Reader, _ *customer.Reader) error {
		if id, err := or.ByLocalCode(r.east, "K-7"); err != nil || id != first {
			t.Errorf("by code: %d %v", id, err)
		}
		return nil
	})
	for _, o := range []orgtree.Overlay{
		{Unit: r.east, Limit: &orgtree.Limit{Amount: -1, Currency: "CNY"}}, {Unit: r.east, Limit: &orgtree.Limit{Amount: 1, Currency: "rmb"}},
		{Unit: r.east, Note: strings.Repeat("x", orgtree.MaxOverlayNote+1)},
	} {
		if err := b.try(func(tx tx) error { _, err := tx.SetOverlay(first, o); return err }); !errors.Is(err, orgtree.ErrInvalid) {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

func TestDuplicatesElsewhereAreNotDisclosed(t *testing.T) {
	b := newBook(t)
	r := newRegion(b, orgtree.Sharing{})
	b.update(func(tx tx) error {
		_, err := tx.customers.Create(customer.Draft{Name: "Canary Ltd", Code: "C1", Owner: r.shanghai})
		return err
	})
	duplicate := b.try(func(tx tx) error {
		_, err := tx.customers.Create(customer.Draft{Name: "n", Code: "c1", Owner: r.chengdu})
		return err
	})
	var d *customer.DuplicateError
	if !errors.As(duplicate, &d) {
		t.Fatal(duplicate)
	}
	err := b.storage.View(context.Background(), func(sr *storage.Reader) error {
		hidden := b.org.Elsewhere(sr, b.customers.Reader(sr), d)
		var e *orgtree.ExistsElsewhereError
		if !errors.As(hidden, &e) || e.Unit != r.shanghai || e.Code != "SH" || e.Field != "Code" {
			t.Errorf("%#v", hidden)
		}
		if !errors.Is(hidden, customer.ErrDuplicate) || strings.Contains(hidden.Error(), "Canary") || errors.As(hidden, new(*customer.DuplicateError)) {
			t.Errorf("it tells too much or too little: %v", hidden)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
