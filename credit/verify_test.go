package credit_test

import (
	"context"
	"testing"

	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/credit/aging"
	"github.com/clientele-go/clientele/storage/kv/kvtest"
	"github.com/clientele-go/clientele/storage/kv/pebblekv"
)

func TestVerifyFindsDamageAndRepairMendsIt(t *testing.T) {
	testDamage(t, newBook(t, credit.Options{}))
}

func TestVerifyFindsDamageInSmallRanges(t *testing.T) {
	engine, err := pebblekv.Open("", pebblekv.Options{InMemory: true})
	if err != nil {
		t.Fatal(err)
	}
	testDamage(t, newBookOn(t, &kvtest.Shredder{Engine: engine, KeyBytes: 64 << 10}, credit.Options{}))
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

func TestRepairOfSmallPages(t *testing.T) {
	b := newBook(t, credit.Options{})
	b.credit.SmallPages()
	testDamage(t, b)
}

// A head that misleads spoils reports of few customers, or the next posting, and nothing that
// adds everything up.
func TestRepairOfHeadsThatMislead(t *testing.T) {
	for n := 0; ; n++ {
		b := newBook(t, credit.Options{})
		b.credit.SmallPages()
		b.setDay(benchDay)
		b.loadCustomers(24)
		b.load(sampleAccounts(t, 24, 100, 70)...)
		if found := b.differences(); len(found) > 0 {
			t.Fatalf("unspoilt: %v", found)
		}
		more := false
		b.update(func(tx tx) (err error) {
			more, err = tx.Mislead(20, n)
			return err
		})
		if !more {
			break
		}
		if len(b.differences()) == 0 {
			t.Errorf("head %d was not found", n)
		}
		if mended, err := b.credit.Repair(context.Background(), b.job()); err != nil || mended == 0 {
			t.Fatalf("head %d: %d mended, %v", n, mended, err)
		}
		if left := b.differences(); len(left) > 0 {
			t.Errorf("head %d left %v", n, left)
		}
	}
}
