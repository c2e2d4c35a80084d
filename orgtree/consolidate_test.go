package orgtree_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/orgtree"
	"github.com/clientele-go/clientele/storage/bitset"
)

func TestConsolidatedViewsCountSharedCustomersOnce(t *testing.T) {
	g := newGroup(t)
	g.as("root", func(tx tx) error { // NJ's customer is also SH's and NORTH's
		for _, unit := range []customer.UnitID{g.sh, g.north} {
			if _, err := tx.Assign(g.ofNJ, orgtree.Assignment{Unit: unit}); err != nil {
				return err
			}
		}
		return nil
	})
	sums := func(of bitset.Source) (orgtree.Measured, error) { // of ids: 1 in NJ, 2 in SH, 3 in NORTH
		m := orgtree.Measured{}
		for id, err := range bitset.Members(of, 0) {
			if err != nil {
				return nil, err
			}
			m["CNY"] += int64(id)
		}
		return m, nil
	}
	view := func(actor string, unit customer.UnitID) (text string) {
		g.viewAs(actor, func(r *orgtree.Reader, _ *customer.Reader) error {
			c, err := r.Consolidate(unit, sums)
			if err != nil {
				return err
			}
			for _, row := range append([]orgtree.Consolidated{c.Total}, c.Parts...) {
				text += fmt.Sprintf("%s %d+%d (%d) ", row.Code, row.Own, row.SharedIn, row.Measures[0]["CNY"])
			}
			text += fmt.Sprintf("among %d", c.SharedAmong)
			return nil
		})
		return text
	}
	for _, c := range []struct {
		actor string
		unit  customer.UnitID
		want  string
	}{
		{"root", g.hq, "HQ 3+0 (6) HQ 0+0 (0) EAST 2+0 (3) NORTH 1+1 (3) among 1"},
		{"root", g.east, "EAST 2+0 (3) EAST 0+0 (0) NJ 1+0 (1) SH 1+1 (2) among 1"},
		{"root", g.north, "NORTH 1+1 (3) NORTH 1+1 (3) among 0"},
		{"clerk.sh", g.hq, "HQ 1+0 (2) HQ 0+0 (0) EAST 1+0 (2) NORTH 0+0 (0) among 0"},
	} {
		if got := view(c.actor, c.unit); got != c.want {
			t.Errorf("%s sees %s, want %s", c.actor, got, c.want)
		}
	}
	if got := view("root", 0); got != " 3+0 (6)  0+0 (0) HQ 3+0 (6) among 0" {
		t.Errorf("root sees the book as %s", got)
	}
}

func TestConsolidatedPartsAddUp(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		b := openBook(t)
		defer b.close()
		w := &accessWorld{book: b, rt: rt}
		w.build()
		b.setClock(b.clock().Add(time.Duration(rapid.IntRange(0, 3).Draw(rt, "hours")) * time.Hour))
		actor := pick(rt, "actor", "p0", "p1", "p2", "root")
		b.viewAs(actor, func(r *orgtree.Reader, customers *customer.Reader) error {
			tree, err := r.Tree()
			if err != nil {
				return err
			}
			for _, unit := range w.units {
				if err := w.checkConsolidated(r, customers, tree, unit); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// checkConsolidated compares a view with one that is counted customer by customer.
func (w *accessWorld) checkConsolidated(r *orgtree.Reader, customers *customer.Reader, tree *orgtree.Tree, unit customer.UnitID) error {
	c, err := r.Consolidate(unit)
	if err != nil {
		return err
	}
	var own, sharedIn int64
	for _, id := range w.customers {
		visible, err := customers.Visible(id)
		if err != nil {
			return err
		}
		if !visible {
			continue
		}
		record := w.get(id)
		p, err := r.Placement(id) // what concerns the session
		if err != nil {
			return err
		}
		assigned := p.AssignedAt(w.clock())
		switch in := func(u customer.UnitID) bool { return tree.Contains(unit, u) }; {
		case in(record.Owner):
			own++
		case slices.ContainsFunc(assigned, in):
			sharedIn++
		}
	}
	if c.Total.Own != own || c.Total.SharedIn != sharedIn {
		w.rt.Fatalf("unit %d: %+v, want %d own and %d shared in", unit, c.Total, own, sharedIn)
	}
	var sum int64
	for _, part := range c.Parts {
		sum += part.Own
	}
	if sum != own {
		w.rt.Fatalf("unit %d: the parts have %d customers, the total %d: %+v", unit, sum, own, c)
	}
	return nil
}
