package orgtree_test

import (
	"context"
	"fmt"
	"iter"
	"testing"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/orgtree"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/bitset"
)

// large makes an organisation of 10,000 units on 20 levels: 500 chains of 20 below one
// another, the first of each at the top.
func large(b *book) (units []customer.UnitID) {
	const chains, levels = 500, 20
	b.update(func(tx tx) error {
		units = units[:0]
		for i := range chains * levels {
			draft := orgtree.Unit{Code: fmt.Sprintf("U%05d", i)}
			if i%levels > 0 {
				draft.Parent = units[i-1]
			}
			u, err := tx.CreateUnit(draft)
			if err != nil {
				return err
			}
			units = append(units, u.ID)
		}
		return nil
	})
	return units
}

// load creates customers in bulk, in turn in some units.
func (b *book) load(n int, owners ...customer.UnitID) {
	b.t.Helper()
	drafts := func(yield func(customer.Draft, error) bool) {
		for i := range n {
			if !yield(customer.Draft{Name: "n", Owner: owners[i%len(owners)]}, nil) {
				return
			}
		}
	}
	if _, err := b.customers.Load(context.Background(), b.storage, clerk, customer.LoadOptions{}, iter.Seq2[customer.Draft, error](drafts)); err != nil {
		b.t.Fatal(err)
	}
}

// BenchmarkTreeFromStore is the first read of 10,000 units in a process.
func BenchmarkTreeFromStore(bench *testing.B) {
	b := newBook(bench)
	large(b)
	bench.ReportAllocs()
	for bench.Loop() {
		b.org = orgtree.New(orgtree.Options{Clock: b.clock})
		if b.tree().Len() != 10000 {
			bench.Fatal("units are missing")
		}
	}
}

// BenchmarkTreeKept is every later read.
func BenchmarkTreeKept(bench *testing.B) {
	b := newBook(bench)
	large(b)
	err := b.storage.View(context.Background(), func(r *storage.Reader) error {
		reader := b.org.Reader(r, b.customers.Reader(r))
		for bench.Loop() {
			if _, err := reader.Tree(); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		bench.Fatal(err)
	}
}

// BenchmarkMoveSubtree moves a unit with 19 units and 100,000 customers below it, and
// reads the tree that follows.
func BenchmarkMoveSubtree(bench *testing.B) {
	b := newBook(bench)
	units := large(b)
	b.load(100000, units[21:40]...)
	i := 0
	for bench.Loop() {
		i++
		if err := b.move(units[20], units[40+20*(i%400)], b.clock()); err != nil {
			bench.Fatal(err)
		}
		b.setClock(b.clock().Add(time.Second))
		if !b.tree().Contains(units[40+20*(i%400)], units[39]) {
			bench.Fatal("not moved")
		}
	}
	if b.count(units[20]) != 100000 {
		bench.Fatal("customers are missing")
	}
}

func BenchmarkContains(bench *testing.B) {
	b := newBook(bench)
	units := large(b)
	tree := b.tree()
	n, i := 0, 0
	for bench.Loop() {
		i++
		if tree.Contains(units[i%10000], units[i*7%10000]) {
			n++
		}
	}
}

func BenchmarkShares(bench *testing.B) {
	b := newBook(bench)
	units := large(b)
	tree := b.tree()
	i := 0
	for bench.Loop() {
		i++
		tree.Shares(orgtree.Reach{Unit: units[i%10000], Below: true}, customer.Credit, units[i*7%10000], units[i*13%10000])
	}
}

// BenchmarkTransferAll reports customers a second.
func BenchmarkTransferAll(bench *testing.B) {
	const n = 10000
	b := newBook(bench)
	first, second := b.unit("A", 0), b.unit("B", 0)
	b.load(n, first)
	ids := &bitset.Set{}
	for id := range uint64(n) {
		ids.Add(id + 1)
	}
	for bench.Loop() {
		first, second = second, first
		p, err := b.org.TransferAll(context.Background(), b.job(), ids, orgtree.Destination{Unit: first}, orgtree.JobOptions{})
		if err != nil || p.Changed != n {
			bench.Fatal(p, err)
		}
	}
	bench.ReportMetric(float64(n)*float64(bench.N)/bench.Elapsed().Seconds(), "customers/s")
}

// BenchmarkCreate shows what the organisation adds to a new customer: nothing in the
// book but units, then a quota on the unit.
func BenchmarkCreate(bench *testing.B) {
	for _, quota := range []int64{0, 1 << 30} {
		bench.Run(fmt.Sprintf("quota=%v", quota > 0), func(bench *testing.B) {
			b := newBook(bench)
			unit := b.unit("A", 0)
			b.quotaOf(unit, quota, 0)
			for bench.Loop() {
				b.customer(unit, "wang")
			}
		})
	}
}
