package credit_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/credit/aging"
	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
	"github.com/clientele-go/clientele/storage/kv/pebblekv"
)

// book is the package's store beside customers.
type book struct {
	t         testing.TB
	customers *customer.Store
	credit    *credit.Store
	storage   *storage.Store

	mu  sync.Mutex
	now time.Time
}

var start = time.Date(2024, 6, 1, 8, 0, 0, 0, time.UTC)

func newBook(t testing.TB, opts credit.Options) *book {
	t.Helper()
	return newBookIn(t, "", opts)
}

// newBookIn is newBook on the engine in a directory, in memory without one.
func newBookIn(t testing.TB, dir string, opts credit.Options) *book {
	t.Helper()
	return newBookWith(t, dir, 64<<20, opts)
}

// newBookWith is newBookIn with a cache of so many bytes.
func newBookWith(t testing.TB, dir string, cache int64, opts credit.Options) *book {
	t.Helper()
	engine, err := pebblekv.Open(dir, pebblekv.Options{InMemory: dir == "", CacheBytes: cache})
	if err != nil {
		t.Fatal(err)
	}
	return newBookOn(t, engine, opts)
}

// newBookOn is newBook on an engine, which it closes in the end.
func newBookOn(t testing.TB, engine kv.Engine, opts credit.Options) *book {
	t.Helper()
	b := &book{t: t, now: start}
	customers, err := customer.New(customer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	opts.Clock = b.clock
	b.customers, b.credit = customers, credit.New(opts)
	schema := &storage.Schema{}
	b.customers.AddTo(schema)
	b.credit.AddTo(schema)
	b.storage, err = storage.Open(context.Background(), engine, schema, nil, storage.Options{
		Clock: b.clock, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.close)
	return b
}

// close closes the book; a second call does nothing.
func (b *book) close() {
	if err := b.storage.Close(); err != nil {
		b.t.Error(err)
	}
}

func (b *book) clock() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now
}

// setDay moves the time to the morning of a day.
func (b *book) setDay(d date.Date) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now = d.Time(time.UTC).Add(8 * time.Hour)
}

var clerk = storage.Session{Actor: "chen", Reason: "test"}

// tx is what a transaction can do.
type tx struct {
	*credit.Tx
	customers *customer.Tx
}

func (b *book) try(f func(tx) error) error {
	_, err := b.storage.Update(context.Background(), clerk, func(st *storage.Tx) error {
		customers := b.customers.Tx(st)
		return f(tx{b.credit.Tx(st, customers), customers})
	})
	return err
}

func (b *book) update(f func(tx) error) {
	b.t.Helper()
	if err := b.try(f); err != nil {
		b.t.Fatal(err)
	}
}

func (b *book) view(f func(r *credit.Reader) error) {
	b.t.Helper()
	err := b.storage.View(context.Background(), func(r *storage.Reader) error {
		return f(b.credit.Reader(r, b.customers.Reader(r)))
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

// addCustomers creates so many customers and returns the first's id.
func (b *book) addCustomers(n int) (first customer.ID) {
	b.t.Helper()
	b.update(func(tx tx) error {
		for i := range n {
			c, err := tx.customers.Create(customer.Draft{Name: fmt.Sprintf("Customer %d", i), Party: customer.Organisation})
			if err != nil {
				return err
			}
			if i == 0 {
				first = c.ID
			}
		}
		return nil
	})
	return first
}

// day reads a date, which must be right.
func day(text string) date.Date {
	d, err := date.Parse(text)
	if err != nil {
		panic(err)
	}
	return d
}

func cny(minor int64) money.Amount { return money.Amount{Minor: minor, Currency: money.CNY} }

// post posts a document of one part and returns its item.
func (b *book) post(d credit.Document) *credit.Item {
	b.t.Helper()
	var items []*credit.Item
	b.update(func(tx tx) (err error) {
		items, err = tx.Post(d)
		return err
	})
	return items[0]
}

func (b *book) allocate(q credit.AllocationRequest) *credit.Allocation {
	b.t.Helper()
	var a *credit.Allocation
	b.update(func(tx tx) (err error) {
		a, err = tx.Allocate(q)
		return err
	})
	return a
}

// differences is what Verify finds in the ledger. Exposure is counted after a load, by
// RecountExposure, which not every test of the ledger has done.
func (b *book) differences() (found []storage.Difference) {
	b.t.Helper()
	report, err := b.storage.Verify(context.Background(), nil, b.credit.Verify(b.customers))
	if err != nil {
		b.t.Fatal(err)
	}
	return slices.DeleteFunc(report.Differences, func(d storage.Difference) bool { return d.Where == "credit exposure" })
}

// rows returns a report as text, a line for each row.
func (b *book) rows(q credit.AgingQuery) (text string) {
	b.t.Helper()
	b.view(func(r *credit.Reader) error {
		text = ""
		for row, err := range r.Aging(q) {
			if err != nil {
				return err
			}
			text += line(row)
		}
		return nil
	})
	return text
}

// line is the customer, currency, buckets, unapplied and balance of a row.
func line(row aging.Row) string {
	return fmt.Sprintln(row.Customer, row.Currency, row.Buckets, row.Unapplied, row.Balance)
}
