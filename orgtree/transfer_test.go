package orgtree_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/orgtree"
	"github.com/clientele-go/clientele/storage/bitset"
)

func TestTransferAndItsHistory(t *testing.T) {
	b := newBook(t)
	r := newRegion(b, orgtree.Sharing{})
	id := b.customer(r.east, "wang")
	b.setClock(start.Add(time.Hour))
	b.update(func(tx tx) error {
		_, err := tx.Transfer(id, orgtree.Destination{Unit: r.west, KeepRep: true})
		return err
	})
	b.update(func(tx tx) error {
		c, err := tx.customers.Get(id)
		if err != nil {
			return err
		}
		c.Note = "not a transfer"
		_, err = tx.customers.Update(c)
		return err
	})
	b.update(func(tx tx) error {
		_, err := tx.Transfer(id, orgtree.Destination{KeepUnit: true, Rep: "li"})
		return err
	})
	b.update(func(tx tx) error { // nothing to do
		_, err := tx.Transfer(id, orgtree.Destination{Unit: r.west, Rep: "li"})
		return err
	})
	if c := b.get(id); c.Owner != r.west || c.Rep != "li" || c.Version != 4 || c.Note == "" {
		t.Errorf("after: %+v", c)
	}
	b.view(func(or *orgtree.Reader, _ *customer.Reader) error {
		var got []string
		for x, err := range or.Transfers(id) {
			if err != nil {
				return err
			}
			got = append(got, fmt.Sprintf("v%d %d/%s > %d/%s by %s", x.Version, x.FromUnit, x.FromRep, x.ToUnit, x.ToRep, x.Actor))
		}
		want := []string{
			fmt.Sprintf("v1 0/ > %d/wang by chen", r.east),
			fmt.Sprintf("v2 %d/wang > %d/wang by chen", r.east, r.west),
			fmt.Sprintf("v4 %d/wang > %d/li by chen", r.west, r.west),
		}
		if !slices.Equal(got, want) {
			t.Errorf("history %q, want %q", got, want)
		}
		return nil
	})
}

// many creates customers and returns their ids.
func (b *book) many(n int, owner customer.UnitID, rep string) *bitset.Set {
	b.t.Helper()
	ids := &bitset.Set{}
	b.update(func(tx tx) error {
		ids = &bitset.Set{}
		for range n {
			c, err := tx.customers.Create(customer.Draft{Name: "n", Owner: owner, Rep: rep})
			if err != nil {
				return err
			}
			ids.Add(uint64(c.ID))
		}
		return nil
	})
	return ids
}

func (b *book) count(unit customer.UnitID) (n int64) {
	b.t.Helper()
	b.view(func(r *orgtree.Reader, _ *customer.Reader) (err error) { n, err = r.Customers(unit); return err })
	return n
}

func TestTransferAllStopsAndGoesOn(t *testing.T) {
	b := newBook(t)
	r := newRegion(b, orgtree.Sharing{})
	ids := b.many(600, r.east, "")
	ids.Add(1 << 20) // no such customer
	to := orgtree.Destination{Unit: r.west}
	ctx, cancel := context.WithCancel(context.Background())
	first, err := b.org.TransferAll(ctx, b.job(), ids, to, orgtree.JobOptions{Progress: func(p orgtree.Progress) { cancel() }})
	if !errors.Is(err, context.Canceled) || first.Changed == 0 || first.Changed >= 600 || b.count(r.west) != first.Changed {
		t.Fatalf("stopped: %+v %v", first, err)
	}
	var refused []customer.ID
	opts := orgtree.JobOptions{After: first.Last, Refused: func(id customer.ID, err error) {
		if errors.Is(err, customer.ErrNotFound) {
			refused = append(refused, id)
		}
	}}
	second, err := b.org.TransferAll(context.Background(), b.job(), ids, to, opts)
	if err != nil || first.Changed+second.Changed != 600 || second.Unchanged != 0 || second.Refused != 1 || second.Total != 601 {
		t.Errorf("went on: %+v %v", second, err)
	}
	if !slices.Equal(refused, []customer.ID{1 << 20}) {
		t.Errorf("refused: %v", refused)
	}
	again, err := b.org.TransferAll(context.Background(), b.job(), ids, to, orgtree.JobOptions{})
	if err != nil || again.Changed != 0 || again.Unchanged != 600 {
		t.Errorf("again: %+v %v", again, err)
	}
	if b.count(r.east) != 0 || b.count(r.west) != 600 || b.count(r.hq) != 600 {
		t.Errorf("counts %d %d %d", b.count(r.east), b.count(r.west), b.count(r.hq))
	}
	b.verify()
}

func TestTransferOfALeavingRepresentative(t *testing.T) {
	b := newBook(t)
	r := newRegion(b, orgtree.Sharing{})
	mine, other, beside := b.customer(r.east, "wang"), b.customer(r.east, "li"), b.customer(r.west, "li")
	archived := b.customer(r.shanghai, "wang")
	b.update(func(tx tx) error { _, err := tx.customers.Archive(archived); return err })
	b.place(func(tx tx) (*orgtree.Placement, error) {
		return tx.Assign(beside, orgtree.Assignment{Unit: r.shanghai, Rep: "wang"})
	})
	b.place(func(tx tx) (*orgtree.Placement, error) {
		return tx.SetOverlay(beside, orgtree.Overlay{Unit: r.chengdu, Rep: "wang"})
	})
	p, err := b.org.TransferRep(context.Background(), b.job(), "wang", orgtree.Destination{KeepUnit: true, Rep: "zhao"}, orgtree.JobOptions{})
	if err != nil || p.Changed != 3 || p.Refused != 0 {
		t.Fatalf("%+v %v", p, err)
	}
	for id, want := range map[customer.ID]string{mine: "zhao", other: "li", beside: "li", archived: "zhao"} {
		if c := b.get(id); c.Rep != want {
			t.Errorf("customer %d has %q, want %q", id, c.Rep, want)
		}
	}
	b.view(func(or *orgtree.Reader, _ *customer.Reader) error {
		placed, err := or.Placement(beside)
		if err != nil || placed.Assignments[0].Rep != "zhao" || placed.Overlays[0].Rep != "zhao" {
			t.Errorf("beside: %+v %v", placed, err)
		}
		return nil
	})
	for _, to := range []orgtree.Destination{{KeepUnit: true, Rep: "wang"}, {KeepUnit: true, KeepRep: true}} {
		if _, err := b.org.TransferRep(context.Background(), b.job(), "wang", to, orgtree.JobOptions{}); !errors.Is(err, orgtree.ErrInvalid) {
			t.Errorf("%+v: %v", to, err)
		}
	}
}

// SH is merged into HZ: every read must say so before its records are brought over,
// while that is stopped half-way, and after.
func TestMergedUnits(t *testing.T) {
	b := newBook(t)
	r := newRegion(b, orgtree.Sharing{customer.Identity: orgtree.SharedDown})
	team := b.unitOf(orgtree.Unit{Code: "T", Kind: orgtree.Team, Parent: r.shanghai})
	ids := b.many(300, r.shanghai, "")
	assigned, coded := b.customer(r.west, ""), b.customer(r.west, "")
	for _, step := range []func(tx) (*orgtree.Placement, error){
		func(tx tx) (*orgtree.Placement, error) {
			return tx.Assign(assigned, orgtree.Assignment{Unit: r.shanghai})
		},
		func(tx tx) (*orgtree.Placement, error) {
			return tx.SetOverlay(assigned, orgtree.Overlay{Unit: r.shanghai, LocalCode: "K1", Terms: "NET30"})
		},
		func(tx tx) (*orgtree.Placement, error) { // the same code on the other side
			return tx.SetOverlay(coded, orgtree.Overlay{Unit: r.hangzhou, LocalCode: "K1"})
		},
	} {
		b.place(step)
	}
	merge := func(from, into customer.UnitID) error {
		return b.try(func(tx tx) error { _, err := tx.MergeUnits(from, into); return err })
	}
	if err := merge(r.shanghai, team); !errors.Is(err, orgtree.ErrCycle) {
		t.Errorf("into a unit below it: %v", err)
	}
	if err := merge(r.shanghai, r.shanghai); !errors.Is(err, orgtree.ErrCycle) {
		t.Errorf("into itself: %v", err)
	}
	b.setClock(start.Add(time.Hour))
	if err := merge(r.shanghai, r.hangzhou); err != nil {
		t.Fatal(err)
	}
	check := func(when string) {
		t.Helper()
		tree := b.tree()
		wantShape(t, when, tree, "(HQ(E(HZ(T)) W(CD)))")
		if got := b.count(r.hangzhou); got != 300 {
			t.Errorf("%s: %d customers", when, got)
		}
		if tree.Resolve(r.shanghai) != r.hangzhou || tree.Open(r.shanghai) || !tree.Contains(r.shanghai, team) || tree.Parent(team) != r.hangzhou {
			t.Errorf("%s: not resolved", when)
		}
		if !tree.Shares(orgtree.Reach{Unit: r.hangzhou}, customer.Identity, r.shanghai) || tree.Shares(orgtree.Reach{Unit: r.chengdu}, customer.Identity, r.shanghai) {
			t.Errorf("%s: sharing", when)
		}
		for id := range ids.All() {
			if owner, _ := b.unitsOf(customer.ID(id)); owner != r.hangzhou {
				t.Fatalf("%s: customer %d belongs to %d", when, id, owner)
			}
			if id%100 != 0 {
				continue
			}
		}
		if _, units := b.unitsOf(assigned); !slices.Equal(units, []customer.UnitID{r.hangzhou}) {
			t.Errorf("%s: assigned to %v", when, units)
		}
		b.view(func(or *orgtree.Reader, _ *customer.Reader) error {
			o, err := or.Overlay(assigned, r.hangzhou)
			if err != nil || o.Terms != "NET30" || o.LocalCode != "K1" {
				t.Errorf("%s: overlay %+v %v", when, o, err)
			}
			return nil
		})
	}
	check("before")
	wantShape(t, "on the day before", b.treeAt(start), "(HQ(E(HZ SH(T)) W(CD)))")
	ctx, cancel := context.WithCancel(context.Background())
	first, err := b.org.FinishMerge(ctx, b.job(), r.shanghai, orgtree.JobOptions{Progress: func(orgtree.Progress) { cancel() }})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("stopped: %+v %v", first, err)
	}
	check("half-way")
	second, err := b.org.FinishMerge(context.Background(), b.job(), r.shanghai, orgtree.JobOptions{After: first.Last})
	if err != nil || first.Changed+second.Changed != 301 || second.Refused != 0 {
		t.Errorf("finished: %+v %+v %v", first, second, err)
	}
	check("after")
	if c := b.get(customer.ID(slices.Collect(ids.All())[0])); c.Owner != r.hangzhou {
		t.Errorf("owner in the record: %d", c.Owner)
	}
	if _, err := b.org.FinishMerge(context.Background(), b.job(), r.west, orgtree.JobOptions{}); !errors.Is(err, orgtree.ErrInvalid) {
		t.Errorf("of a unit that was not merged: %v", err)
	}
	if err := b.try(func(tx tx) error {
		_, err := tx.Transfer(assigned, orgtree.Destination{Unit: r.shanghai})
		return err
	}); !errors.Is(err, orgtree.ErrClosed) {
		t.Errorf("transfer into the merged unit: %v", err)
	}
	b.verify()
}

// quotaOf sets a unit's quotas.
func (b *book) quotaOf(unit customer.UnitID, all, rep int64) {
	b.t.Helper()
	b.update(func(tx tx) error {
		u, err := tx.Unit(unit)
		if err != nil {
			return err
		}
		u.Quota, u.RepQuota = all, rep
		_, err = tx.UpdateUnit(u)
		return err
	})
}

func TestQuotas(t *testing.T) {
	b := newBook(t)
	r := newRegion(b, orgtree.Sharing{})
	b.quotaOf(r.east, 3, 0)
	first := b.customer(r.shanghai, "")
	b.customer(r.hangzhou, "")
	b.customer(r.east, "")
	create := func(owner customer.UnitID, rep string) error {
		return b.try(func(tx tx) error {
			_, err := tx.customers.Create(customer.Draft{Name: "n", Owner: owner, Rep: rep})
			return err
		})
	}
	quota := func(what string, err error, want orgtree.QuotaError) {
		t.Helper()
		var e *orgtree.QuotaError
		if !errors.As(err, &e) || !errors.Is(err, orgtree.ErrQuota) || *e != want {
			t.Errorf("%s: %v", what, err)
		}
	}
	east := orgtree.QuotaError{Unit: r.east, Limit: 3, Present: 3}
	quota("a fourth", create(r.hangzhou, ""), east)
	outside := b.customer(r.west, "")
	transfer := func(id customer.ID, to customer.UnitID) error {
		return b.try(func(tx tx) error { _, err := tx.Transfer(id, orgtree.Destination{Unit: to}); return err })
	}
	quota("by transfer", transfer(outside, r.shanghai), east)
	if err := transfer(first, r.hangzhou); err != nil { // within the same unit's subtree
		t.Errorf("within: %v", err)
	}
	quota("by a move", b.move(r.west, r.east, time.Time{}), east)
	if err := b.move(r.hangzhou, r.shanghai, time.Time{}); err != nil {
		t.Errorf("a move within: %v", err)
	}
	quota("by a merger", b.try(func(tx tx) error { _, err := tx.MergeUnits(r.west, r.shanghai); return err }), east)
	b.update(func(tx tx) error { _, err := tx.customers.Archive(first); return err })
	if err := transfer(outside, r.shanghai); err != nil {
		t.Errorf("once there is room: %v", err)
	}
	quota("by reactivation", b.try(func(tx tx) error { _, err := tx.customers.Reactivate(first); return err }), east)

	b.quotaOf(r.west, 0, 2)
	if err := errors.Join(create(r.chengdu, "wang"), create(r.west, "wang")); err != nil {
		t.Fatal(err)
	}
	quota("a representative's third", create(r.chengdu, "wang"), orgtree.QuotaError{Unit: r.west, Rep: "wang", Limit: 2, Present: 2})
	b.update(func(tx tx) error { return tx.SetRepQuota("wang", 3) })
	if err := create(r.chengdu, "wang"); err != nil {
		t.Errorf("his own quota is higher: %v", err)
	}
	quota("and ends", create(r.hq, "wang"), orgtree.QuotaError{Rep: "wang", Limit: 3, Present: 3})
	b.update(func(tx tx) error { return tx.SetRepQuota("wang", 0) })
	if err := create(r.hq, "wang"); err != nil {
		t.Errorf("none holds at HQ: %v", err)
	}
	b.quotaOf(0, 9, 0)
	var last error
	for range 9 {
		last = errors.Join(last, create(0, ""))
	}
	quota("the book's", create(0, ""), orgtree.QuotaError{Limit: 9, Present: b.count(0)})
	if b.count(0) != 9 || last == nil {
		t.Errorf("the book has %d", b.count(0))
	}
	b.verify()
}

// Sixteen clerks fill a branch and a representative at once: exactly as many customers
// as the quotas allow get in, by whatever way.
func TestQuotasHoldWithManyWriters(t *testing.T) {
	b := newBook(t)
	r := newRegion(b, orgtree.Sharing{})
	outside := slices.Collect(b.many(80, r.west, "").All())
	b.quotaOf(r.east, 40, 0)
	b.update(func(tx tx) error { return tx.SetRepQuota("wang", 25) })
	var all sync.WaitGroup
	for clerk := range 16 {
		all.Go(func() {
			for i := range 5 {
				err := b.try(func(tx tx) error {
					var err error
					switch clerk % 3 {
					case 0:
						_, err = tx.customers.Create(customer.Draft{Name: "n", Owner: r.shanghai, Rep: "wang"})
					case 1:
						_, err = tx.customers.Create(customer.Draft{Name: "n", Owner: r.hangzhou, Rep: "wang"})
					default:
						_, err = tx.Transfer(customer.ID(outside[clerk*5+i]), orgtree.Destination{Unit: r.east})
					}
					return err
				})
				if err != nil && !errors.Is(err, orgtree.ErrQuota) {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	var reps int64
	b.view(func(_ *orgtree.Reader, customers *customer.Reader) (err error) {
		reps, err = customers.RepCount("wang")
		return err
	})
	// 55 tries to create for wang, of whom 25 may have customers; 25 tries to transfer: so
	// both quotas would be passed without the checks, and are used up with them.
	if n := b.count(r.east); n > 40 || reps > 25 || n != 40 && reps != 25 {
		t.Errorf("%d in the branch, %d for wang", n, reps)
	}
	b.verify()
}
