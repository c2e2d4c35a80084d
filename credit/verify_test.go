package credit_test

import (
	"bytes"
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/credit/aging"
	"github.com/clientele-go/clientele/storage/kv"
	"github.com/clientele-go/clientele/storage/kv/pebblekv"
)

// shredder is an engine that takes each key for 64 KiB, so that Verify splits a small book
// into ranges of some keys.
type shredder struct{ kv.Engine }

func (e shredder) Snapshot(ctx context.Context) (kv.Snapshot, error) {
	s, err := e.Engine.Snapshot(ctx)
	return &shredded{Snapshot: s}, err
}

type shredded struct {
	kv.Snapshot
	once sync.Once
	keys [][]byte
}

func (s *shredded) Size(ctx context.Context, r kv.Range) (int64, error) {
	s.once.Do(func() {
		for e := range s.Scan(ctx, kv.Range{}, false) {
			s.keys = append(s.keys, bytes.Clone(e.Key))
		}
	})
	from, _ := slices.BinarySearchFunc(s.keys, r.Lower, bytes.Compare)
	to := len(s.keys)
	if r.Upper != nil {
		to, _ = slices.BinarySearchFunc(s.keys, r.Upper, bytes.Compare)
	}
	return int64(to-from) << 16, nil
}

func (s *shredded) JournalSize(context.Context, kv.Position, kv.Position) (int64, error) {
	return 0, nil
}

func TestVerifyFindsDamageAndRepairMendsIt(t *testing.T) {
	testDamage(t, newBook(t, credit.Options{}))
}

func TestVerifyFindsDamageInSmallRanges(t *testing.T) {
	engine, err := pebblekv.Open("", pebblekv.Options{InMemory: true})
	if err != nil {
		t.Fatal(err)
	}
	testDamage(t, newBookOn(t, shredder{engine}, credit.Options{}))
}

func testDamage(t *testing.T, b *book) {
	b.setDay(benchDay)
	b.loadCustomers(24) // whose pages share the damaged one, or its block of the log
	b.load(sampleAccounts(t, 24, 100, 70)...)
	q := credit.AgingQuery{AsOf: benchDay - 40, Buckets: aging.Standard()}
	want := b.rows(q)
	for n := 0; ; n++ {
		more := false
		b.update(func(tx tx) (err error) {
			more, err = tx.Damage(20, n)
			return err
		})
		if !more {
			if n < 7 {
				t.Fatalf("only %d damages", n)
			}
			return
		}
		found := b.differences()
		if len(found) == 0 {
			t.Errorf("damage %d was not found", n)
		}
		for _, d := range found {
			if !d.Derived {
				t.Errorf("damage %d: %s", n, d)
			}
		}
		mended, err := b.credit.Repair(context.Background(), b.job())
		if err != nil || mended == 0 {
			t.Fatalf("damage %d: %d mended, %v", n, mended, err)
		}
		if left := b.differences(); len(left) > 0 {
			t.Errorf("damage %d left %v", n, left)
		}
		if got := b.rows(q); got != want {
			t.Errorf("damage %d: %q, want %q", n, got, want)
		}
	}
}
