package credit_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync/atomic"
	"testing"

	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/internal/sample/receivable"
	"github.com/clientele-go/clientele/storage/kv"
	"github.com/clientele-go/clientele/storage/kv/pebblekv"
)

func TestMergedCustomersOweTogetherAndUnmergedApart(t *testing.T) {
	b := newBook(t, credit.Options{})
	id := b.addCustomers(3)
	survivor, loser, third := id, id+1, id+2
	b.owe("I1", survivor, "2024-05-01", cny(100))
	invoice := b.owe("I2", loser, "2024-05-02", cny(20))
	payment := b.receive("P2", loser, "2024-05-10", cny(5))
	b.allocate(credit.AllocationRequest{Debit: invoice.ID, Credit: payment.ID, Date: day("2024-05-10")})
	merge := func(survivor, loser customer.ID) (stored []byte) {
		b.update(func(tx tx) error {
			done, err := tx.MergeCustomers(survivor, loser)
			if err != nil {
				return err
			}
			stored, err = done.MarshalBinary()
			return err
		})
		return stored
	}
	unmerge := func(stored []byte) {
		b.update(func(tx tx) error {
			var done credit.Combination
			if err := done.UnmarshalBinary(stored); err != nil {
				return err
			}
			return tx.UnmergeCustomers(&done)
		})
	}
	check := func(when, asOf, want string) {
		t.Helper()
		if got := b.rows(credit.AgingQuery{AsOf: day(asOf)}); got != want {
			t.Errorf("%s, as of %s: %q, want %q", when, asOf, got, want)
		}
		if found := b.differences(); len(found) > 0 {
			t.Errorf("%s: %v", when, found)
		}
	}
	first := merge(survivor, loser)
	check("merged", "2024-05-09", "1 CNY [0 120] 0 120\n") // also of the past
	check("merged", "2024-05-10", "1 CNY [0 115] 0 115\n")
	second := merge(third, survivor)
	b.owe("I3", third, "2024-05-11", cny(3000))
	check("merged twice", "2024-05-11", "3 CNY [3000 115] 0 3115\n")
	unmerge(second)
	check("unmerged once", "2024-05-11", "1 CNY [0 115] 0 115\n3 CNY [3000 0] 0 3000\n")
	unmerge(first)
	check("unmerged", "2024-05-10", "1 CNY [0 100] 0 100\n2 CNY [0 15] 0 15\n")

	if err := b.try(func(tx tx) error { _, err := tx.MergeCustomers(id, id); return err }); !errors.Is(err, credit.ErrInvalid) {
		t.Errorf("with itself: %v", err)
	}
	if err := b.try(func(tx tx) error { _, err := tx.MergeCustomers(id, 999); return err }); !errors.Is(err, credit.ErrNotFound) {
		t.Errorf("with nobody: %v", err)
	}
	if err := new(credit.Combination).UnmarshalBinary(nil); err == nil {
		t.Error("no bytes are a Combination")
	}
}

// readCounter is an engine that counts the entries that are read.
type readCounter struct {
	kv.Engine
	reads atomic.Int64
}

func (c *readCounter) Snapshot(ctx context.Context) (kv.Snapshot, error) {
	s, err := c.Engine.Snapshot(ctx)
	return countedReads{s, c}, err
}

type countedReads struct {
	kv.Snapshot
	by *readCounter
}

func (c countedReads) Get(ctx context.Context, key, dst []byte) ([]byte, bool, error) {
	c.by.reads.Add(1)
	return c.Snapshot.Get(ctx, key, dst)
}

func (c countedReads) Scan(ctx context.Context, keys kv.Range, reverse bool) iter.Seq2[kv.Entry, error] {
	return func(yield func(kv.Entry, error) bool) {
		for e, err := range c.Snapshot.Scan(ctx, keys, reverse) {
			c.by.reads.Add(1)
			if !yield(e, err) {
				return
			}
		}
	}
}

// A merge reads what the loser has, not what the survivor has gathered: a cluster of many
// would cost their number squared.
func TestMergeReadsTheLosersItemsAlone(t *testing.T) {
	reads := func(survivors int) int64 {
		engine, err := pebblekv.Open("", pebblekv.Options{InMemory: true})
		if err != nil {
			t.Fatal(err)
		}
		counter := &readCounter{Engine: engine}
		b := newBookOn(t, counter, credit.Options{})
		b.setDay(benchDay)
		const survivor, loser = 1, 200 // of different pages
		b.loadCustomers(loser)
		for n, items := range map[customer.ID]int{survivor: survivors, loser: 10} {
			sample := &receivable.Book{Seed: uint64(n), Customers: 1, Open: items, Settled: items, Months: 6, AsOf: benchDay}
			if _, err := b.credit.Load(t.Context(), b.job(), credit.LoadOptions{}, keyed(fmt.Sprint(n), accounts(sample, n))); err != nil {
				t.Fatal(err)
			}
		}
		counter.reads.Store(0)
		b.update(func(tx tx) error {
			_, err := tx.MergeCustomers(survivor, loser)
			return err
		})
		counted := counter.reads.Load()
		if found := b.differences(); len(found) > 0 {
			t.Errorf("with %d open items: %v", survivors, found)
		}
		return counted
	}
	few, many := reads(20), reads(2000)
	t.Logf("%d reads into an account of 60 items, %d into one of 6,000", few, many)
	if many > few+few/2 { // some pages more
		t.Errorf("%d reads into an account of 60 items, and %d into one of 6,000", few, many)
	}
}

// keyed begins the keys of the documents with a text.
func keyed(with string, accounts iter.Seq2[credit.LoadAccount, error]) iter.Seq2[credit.LoadAccount, error] {
	return func(yield func(credit.LoadAccount, error) bool) {
		for a, err := range accounts {
			for n := range a.Items {
				a.Items[n].Document = with + "/" + a.Items[n].Document
			}
			if !yield(a, err) {
				return
			}
		}
	}
}
