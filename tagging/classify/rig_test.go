package classify_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv/pebblekv"
	"github.com/clientele-go/clientele/tagging"
	"github.com/clientele-go/clientele/tagging/classify"
)

var ctx = context.Background()

// start is when the clock of test books begins: an ordinary day of a leap year.
var start = date(2024, 2, 10)

func date(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }

// book is a book with rules whose clock the test sets.
type book struct {
	t         testing.TB
	store     *storage.Store
	customers *customer.Store
	tags      *tagging.Store
	rules     *classify.Rules
	clock     atomic.Int64 // microseconds
	dir       string
}

var (
	admin   = storage.Session{Actor: "admin", Reason: "test"}
	asAdmin = tagging.Job{Session: admin}
)

func newBook(t testing.TB, opts classify.Options) *book { return openBook(t, "", opts) }

// openBook opens a book in a directory, or in memory.
func openBook(t testing.TB, dir string, opts classify.Options) *book {
	t.Helper()
	b := &book{t: t, dir: dir}
	b.set(start)
	now := func() time.Time { return time.UnixMicro(b.clock.Load()).UTC() }
	var err error
	if b.customers, err = customer.New(customer.Options{}); err != nil {
		t.Fatal(err)
	}
	b.tags = tagging.New(tagging.Options{Clock: now})
	if opts.TickEvery == 0 {
		opts.TickEvery = -1
	}
	if b.rules, err = classify.New(opts, b.customers, b.tags); err != nil {
		t.Fatal(err)
	}
	schema := &storage.Schema{}
	b.customers.AddTo(schema)
	b.tags.AddTo(schema)
	b.rules.AddTo(schema)
	engine, err := pebblekv.Open(dir, pebblekv.Options{InMemory: dir == ""})
	if err != nil {
		t.Fatal(err)
	}
	if b.store, err = storage.Open(ctx, engine, schema, []storage.DerivedView{b.rules.View()}, storage.Options{Clock: now}); err != nil {
		t.Fatal(err)
	}
	if err := b.rules.Start(b.store); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.store.Close() })
	return b
}

func (b *book) set(now time.Time) { b.clock.Store(now.UnixMicro()) }

// schema declares attributes.
func (b *book) schema(specs ...customer.AttributeSpec) {
	b.t.Helper()
	b.update(func(tx *storage.Tx) error {
		return b.customers.Tx(tx).SetSchema(&customer.Schema{Attributes: specs})
	})
}

func (b *book) update(f func(tx *storage.Tx) error) {
	b.t.Helper()
	if _, err := b.store.Update(ctx, admin, f); err != nil {
		b.t.Fatal(err)
	}
}

func (b *book) create(d customer.Draft) customer.ID {
	b.t.Helper()
	var id customer.ID
	b.update(func(tx *storage.Tx) error {
		c, err := b.customers.Tx(tx).Create(d)
		if err == nil {
			id = c.ID
		}
		return err
	})
	return id
}

// edit changes a customer.
func (b *book) edit(id customer.ID, f func(c *customer.Customer)) {
	b.t.Helper()
	b.update(func(tx *storage.Tx) error {
		customers := b.customers.Tx(tx)
		c, err := customers.Get(id)
		if err != nil {
			return err
		}
		f(c)
		_, err = customers.Update(c)
		return err
	})
}

func (b *book) order(id customer.ID, at time.Time, n int64) {
	b.t.Helper()
	b.update(func(tx *storage.Tx) error {
		return b.customers.Tx(tx).Record(id, customer.Event{Type: "order", Time: at, Count: n})
	})
}

// tagTx changes tags.
func (b *book) tagTx(f func(tags *tagging.Tx) error) {
	b.t.Helper()
	b.update(func(tx *storage.Tx) error { return f(b.tags.Tx(tx, b.customers.Tx(tx))) })
}

func (b *book) view(f func(r *storage.Reader, tags *tagging.Reader) error) {
	b.t.Helper()
	err := b.store.View(ctx, func(r *storage.Reader) error { return f(r, b.tags.Reader(r, b.customers.Reader(r))) })
	if err != nil {
		b.t.Fatal(err)
	}
}

// held returns the codes that a customer holds in a dimension, sorted by id of tag.
func (b *book) held(id customer.ID, dimension string) (codes []string) {
	b.t.Helper()
	b.view(func(_ *storage.Reader, tags *tagging.Reader) error {
		d, err := tags.Dimension(dimension)
		if err != nil {
			return err
		}
		tagged, err := tags.Of(id)
		if err != nil {
			return err
		}
		for _, tag := range tagged.In(d.ID) {
			t, err := tags.TagByID(tag)
			if err != nil {
				return err
			}
			codes = append(codes, t.Code)
		}
		return nil
	})
	return codes
}

// one returns the only tag that a customer holds in a dimension, "" for none.
func (b *book) one(id customer.ID, dimension string) string {
	b.t.Helper()
	switch codes := b.held(id, dimension); len(codes) {
	case 0:
		return ""
	case 1:
		return codes[0]
	default:
		b.t.Fatalf("customer %s holds %v in %s", id, codes, dimension)
		return ""
	}
}

func (b *book) want(id customer.ID, dimension, tag string) {
	b.t.Helper()
	if got := b.one(id, dimension); got != tag {
		b.t.Errorf("customer %s has %s:%q, want %q", id, dimension, got, tag)
	}
}

func (b *book) activate(rs classify.RuleSet) classify.Activation {
	b.t.Helper()
	done, err := b.rules.Activate(ctx, asAdmin, rs, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return done
}

func (b *book) sync() {
	b.t.Helper()
	if err := b.rules.Sync(ctx); err != nil {
		b.t.Fatal(err)
	}
}

// consistent fails when tags do not follow from facts, or bitmaps not from tags.
func (b *book) consistent() {
	b.t.Helper()
	report, err := b.store.Verify(ctx, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, d := range report.Differences {
		b.t.Error(d)
	}
}

// levels is a dimension with a tag for each code.
func levels(code string, exclusive bool, tags ...string) classify.DimensionSpec {
	d := classify.DimensionSpec{Code: code, Exclusive: exclusive}
	for _, t := range tags {
		d.Tags = append(d.Tags, classify.TagSpec{Code: t})
	}
	return d
}

// try changes customers and returns the error.
func (b *book) try(f func(tx *customer.Tx) error) error {
	_, err := b.store.Update(ctx, admin, func(tx *storage.Tx) error { return f(b.customers.Tx(tx)) })
	return err
}

func (b *book) tryTags(f func(tx *tagging.Tx) error) error {
	_, err := b.store.Update(ctx, admin, func(tx *storage.Tx) error { return f(b.tags.Tx(tx, b.customers.Tx(tx))) })
	return err
}
