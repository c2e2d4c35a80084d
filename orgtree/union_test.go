package orgtree_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/orgtree"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/bitset"
)

// TestScopesFollowEveryChange compares every answer with the naive evaluator's after each of
// some changes, so that nothing of what is kept in memory outlives what it was made of; and
// who began before a change goes on to see what was there.
func TestScopesFollowEveryChange(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		b := openBook(t)
		defer b.close()
		w := &accessWorld{book: b, rt: rt}
		w.build()
		w.compare()
		for range rapid.IntRange(1, 5).Draw(rt, "changes") {
			w.unmoved(pick(rt, "onlooker", "p0", "p1", "p2", "p3"), w.change)
			w.compare()
		}
	})
}

// unmoved reads an actor's scope before and after a change, in one state.
func (w *accessWorld) unmoved(actor string, change func()) {
	err := w.storage.View(w.t.Context(), func(r *storage.Reader) error {
		before, err := w.scope(r, actor)
		if err != nil {
			return err
		}
		change()
		after, err := w.scope(r, actor)
		if err == nil && !slices.Equal(before, after) {
			err = fmt.Errorf("%s saw %v, and in the same state after a change %v", actor, before, after)
		}
		return err
	})
	if err != nil {
		w.rt.Fatal(err)
	}
}

// scope lists whom an actor sees.
func (w *accessWorld) scope(r *storage.Reader, actor string) (ids []uint64, err error) {
	access, err := w.org.Access(r, w.book.customers.Reader(r), actor)
	if err != nil {
		return nil, err
	}
	within := access.Within()
	if within == nil {
		return nil, nil
	}
	for id, err := range bitset.Members(within, 0) {
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// change changes something of what scopes are made of.
func (w *accessWorld) change() {
	rt := w.rt
	id := pick(rt, "customer", w.customers...)
	unit := pick(rt, "unit", w.units[1:]...)
	switch rapid.IntRange(0, 6).Draw(rt, "change") { // with a unit that was merged it may fail
	case 0:
		err := w.try(func(tx tx) error {
			c, err := tx.customers.Create(customer.Draft{Name: "n", Owner: unit})
			if err == nil {
				id = c.ID
			}
			return err
		})
		if err == nil {
			w.customers = append(w.customers, id)
		}
	case 1, 2:
		_ = w.try(func(tx tx) error { _, err := tx.Transfer(id, orgtree.Destination{Unit: unit}); return err })
	case 3:
		_ = w.try(func(tx tx) error { _, err := tx.Assign(id, orgtree.Assignment{Unit: unit}); return err })
	case 4:
		_ = w.move(unit, pick(rt, "parent", w.units...), w.clock())
	case 5:
		g := w.drawGrant()
		w.update(func(tx tx) error {
			given, err := tx.Give(g)
			if err == nil {
				w.grants = append(w.grants, given)
			}
			return err
		})
	case 6:
		if len(w.grants) == 0 {
			return
		}
		i := rapid.IntRange(0, len(w.grants)-1).Draw(rt, "grant")
		w.update(func(tx tx) error { return tx.Revoke(w.grants[i].ID) })
		w.grants = slices.Delete(w.grants, i, i+1)
	}
}

// TestScopesOfSeveralUnitsFollowTheirCustomers moves customers among the three branches of a
// clerk and two others, each time before the clerk looks again.
func TestScopesOfSeveralUnitsFollowTheirCustomers(t *testing.T) {
	b := newBook(t)
	var units []customer.UnitID
	for i := range 5 {
		units = append(units, b.unit(fmt.Sprint("B", i), 0))
	}
	w := &accessWorld{book: b}
	b.update(func(tx tx) error {
		if _, err := tx.SetRole(orgtree.Role{Name: "clerk", Permissions: permissions(customer.RightRead)}); err != nil {
			return err
		}
		if _, err := tx.SetPrincipal(orgtree.Principal{ID: "clerk"}); err != nil {
			return err
		}
		for _, unit := range units[:3] {
			if _, err := tx.Give(orgtree.Grant{Principal: "clerk", Role: "clerk", Scope: orgtree.Scope{Unit: unit}}); err != nil {
				return err
			}
		}
		return w.makeAdministrator(tx)
	})
	owner := map[customer.ID]customer.UnitID{}
	for i := range 40 {
		unit := units[i*3%5]
		id := b.customer(unit, "")
		owner[id] = unit
		if i%2 == 1 {
			moved := customer.ID(1 + i*7%len(owner))
			owner[moved] = units[i*2%5]
			b.update(func(tx tx) error {
				_, err := tx.Transfer(moved, orgtree.Destination{Unit: owner[moved]})
				return err
			})
		}
		var want []uint64
		for id, unit := range owner {
			if slices.Contains(units[:3], unit) {
				want = append(want, uint64(id))
			}
		}
		slices.Sort(want)
		err := b.storage.View(t.Context(), func(r *storage.Reader) error {
			got, err := w.scope(r, "clerk")
			if !slices.Equal(got, want) {
				t.Fatalf("after %d customers the clerk sees %v, want %v", i+1, got, want)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
