package tagging

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/internal/accesstest"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/bitset"
	"github.com/clientele-go/clientele/storage/kv/pebblekv"
)

// book is a store of tags on an engine in memory, with customers and a clock of its own.
type book struct {
	t         rapid.TB
	customers *customer.Store
	tags      *Store
	storage   *storage.Store
	now       time.Time
	within    *bitset.Set
}

var clerk = storage.Session{Actor: "chen", Reason: "test"}

// newBook returns a book with n customers, 1 to n.
func newBook(t rapid.TB, n int) *book {
	t.Helper()
	customers, err := customer.New(customer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	b := &book{t: t, customers: customers, now: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)}
	clock := func() time.Time { return b.now }
	b.tags = New(Options{Clock: clock})
	schema := &storage.Schema{}
	customers.AddTo(schema)
	b.tags.AddTo(schema)
	engine, err := pebblekv.Open("", pebblekv.Options{InMemory: true, CacheBytes: 8 << 20})
	if err != nil {
		t.Fatal(err)
	}
	b.storage, err = storage.Open(context.Background(), engine, schema, nil, storage.Options{Clock: clock, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	b.update(func(tx *Tx) error {
		for i := range n {
			if _, err := b.customers.Tx(tx.tx).Create(customer.Draft{Name: fmt.Sprintf("Customer %d", i+1)}); err != nil {
				return err
			}
		}
		return nil
	})
	return b
}

// openBook is newBook that a test closes at its end.
func openBook(t testing.TB, n int) *book {
	t.Helper()
	b := newBook(t, n)
	t.Cleanup(b.close)
	return b
}

func (b *book) close() {
	if err := b.storage.Close(); err != nil {
		b.t.Error(err)
	}
}

func (b *book) try(f func(tx *Tx) error) error {
	_, err := b.storage.Update(context.Background(), clerk, func(tx *storage.Tx) error {
		return f(b.tags.Tx(tx, b.customers.TxWith(tx, b.access())))
	})
	return err
}

func (b *book) update(f func(tx *Tx) error) {
	b.t.Helper()
	if err := b.try(f); err != nil {
		b.t.Fatal(err)
	}
}

func (b *book) view(f func(r *Reader) error) {
	b.t.Helper()
	err := b.storage.View(context.Background(), func(r *storage.Reader) error {
		return f(b.tags.Reader(r, b.customers.ReaderWith(r, b.access())))
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

// access is what shows the members of within, nil for everything.
func (b *book) access() customer.Access {
	if b.within == nil {
		return nil
	}
	return accesstest.Within(b.within)
}

func (b *book) job() Job {
	j := Job{Storage: b.storage, Customers: b.customers, Session: clerk}
	j.Access = func(*storage.Reader) (customer.Access, error) { return b.access(), nil }
	return j
}

func (b *book) dimension(d Dimension) (made *Dimension) {
	b.t.Helper()
	b.update(func(tx *Tx) (err error) {
		made, err = tx.CreateDimension(d)
		return err
	})
	return made
}

// tag creates tags of a dimension and returns the id of the last.
func (b *book) tag(d *Dimension, codes ...string) (id TagID) {
	b.t.Helper()
	b.update(func(tx *Tx) error {
		for _, code := range codes {
			made, err := tx.CreateTag(Tag{Dimension: d.ID, Code: code})
			if err != nil {
				return err
			}
			id = made.ID
		}
		return nil
	})
	return id
}

func (b *book) assign(id customer.ID, a ...Assignment) {
	b.t.Helper()
	b.update(func(tx *Tx) error { _, err := tx.Assign(id, a...); return err })
}

// of returns a customer's assignments.
func (b *book) of(id customer.ID) (t *Tagged) {
	b.t.Helper()
	b.view(func(r *Reader) (err error) {
		t, err = r.Of(id)
		return err
	})
	return t
}

// holds checks which tags a customer has, by its record and by the bitmaps.
func (b *book) holds(id customer.ID, want ...TagID) {
	b.t.Helper()
	got := map[TagID]bool{}
	for _, tag := range b.of(id).Tags() {
		got[tag] = true
	}
	if len(got) != len(want) {
		b.t.Errorf("customer %d holds %v, want %v", id, got, want)
	}
	for _, tag := range want {
		if !got[tag] {
			b.t.Errorf("customer %d does not hold %d, but %v", id, tag, got)
		}
	}
	b.marked(id)
}

// marked compares what queries find with a customer's record.
func (b *book) marked(id customer.ID) {
	b.t.Helper()
	held := b.of(id)
	b.view(func(r *Reader) error {
		c, err := r.catalogue()
		if err != nil {
			return err
		}
		for _, t := range c.tags {
			if t.MergedInto != 0 {
				continue
			}
			found, err := r.Contains(Query{Filter: c.name(t), Statuses: customer.AllStatuses()}, id)
			if err != nil {
				return err
			}
			if found != held.Has(t.ID) {
				b.t.Errorf("customer %d: a query finds %s: %v, its record: %v", id, c.name(t), found, held.Has(t.ID))
			}
		}
		return nil
	})
}

// verified compares everything that the book stores twice.
func (b *book) verified() {
	b.t.Helper()
	report, err := b.storage.Verify(context.Background(), nil)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, d := range report.Differences {
		b.t.Errorf("%+v", d)
	}
}

func (b *book) tick() int {
	b.t.Helper()
	n, err := b.tags.Tick(context.Background(), b.job())
	if err != nil {
		b.t.Fatal(err)
	}
	return n
}

func (b *book) settle() int {
	b.t.Helper()
	n, err := b.tags.Settle(context.Background(), b.job())
	if err != nil {
		b.t.Fatal(err)
	}
	return n
}

// wants checks that an error is of a kind.
func wants(t testing.TB, what string, err, kind error) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Errorf("%s: error %v, want %v", what, err, kind)
	}
}
