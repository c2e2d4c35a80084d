package orgtree_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/orgtree"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv/pebblekv"
)

// book is the package's store beside customers, on an engine in memory.
type book struct {
	t         testing.TB
	customers *customer.Store
	org       *orgtree.Store
	storage   *storage.Store

	mu  sync.Mutex
	now time.Time
}

var start = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)

func newBook(t testing.TB) *book {
	t.Helper()
	b := openBook(t)
	t.Cleanup(b.close)
	return b
}

// openBook is newBook for who closes it.
func openBook(t testing.TB) *book {
	t.Helper()
	return openBookWith(t, orgtree.Options{})
}

// openBookWith is openBook with more options.
func openBookWith(t testing.TB, opts orgtree.Options) *book {
	t.Helper()
	b := &book{t: t, now: start}
	customers, err := customer.New(customer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	opts.Clock, opts.Filters = b.clock, testFilters{}
	b.customers, b.org = customers, orgtree.New(opts)
	schema := &storage.Schema{}
	b.customers.AddTo(schema)
	b.org.AddTo(schema)
	engine, err := pebblekv.Open("", pebblekv.Options{InMemory: true, CacheBytes: 8 << 20})
	if err != nil {
		t.Fatal(err)
	}
	b.storage, err = storage.Open(context.Background(), engine, schema, nil, storage.Options{
		Clock: b.clock, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

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

// setClock moves the time on.
func (b *book) setClock(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now = now
}

var clerk = storage.Session{Actor: "chen", Reason: "test"}

func (b *book) job() orgtree.Job {
	return orgtree.Job{Storage: b.storage, Customers: b.customers, Session: clerk}
}

// tx is what a transaction can do.
type tx struct {
	*orgtree.Tx
	customers *customer.Tx
}

func (b *book) try(f func(tx) error) error {
	_, err := b.storage.Update(context.Background(), clerk, func(st *storage.Tx) error {
		customers := b.customers.Tx(st)
		return f(tx{b.org.Tx(st, customers), customers})
	})
	return err
}

func (b *book) update(f func(tx) error) {
	b.t.Helper()
	if err := b.try(f); err != nil {
		b.t.Fatal(err)
	}
}

func (b *book) view(f func(r *orgtree.Reader, customers *customer.Reader) error) {
	b.t.Helper()
	err := b.storage.View(context.Background(), func(r *storage.Reader) error {
		customers := b.customers.Reader(r)
		return f(b.org.Reader(r, customers), customers)
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *book) tree() (t *orgtree.Tree) {
	b.t.Helper()
	b.view(func(r *orgtree.Reader, _ *customer.Reader) (err error) { t, err = r.Tree(); return err })
	return t
}

func (b *book) treeAt(at time.Time) (t *orgtree.Tree) {
	b.t.Helper()
	b.view(func(r *orgtree.Reader, _ *customer.Reader) (err error) { t, err = r.TreeAt(at); return err })
	return t
}

// unit creates a unit and returns its id.
func (b *book) unit(code string, parent customer.UnitID) customer.UnitID {
	b.t.Helper()
	return b.unitOf(orgtree.Unit{Code: code, Parent: parent})
}

func (b *book) unitOf(draft orgtree.Unit) (id customer.UnitID) {
	b.t.Helper()
	b.update(func(tx tx) error {
		u, err := tx.CreateUnit(draft)
		if err == nil {
			id = u.ID
		}
		return err
	})
	return id
}

func (b *book) move(id, parent customer.UnitID, from time.Time) error {
	return b.try(func(tx tx) error { _, err := tx.MoveUnit(id, parent, from); return err })
}

// customer creates a customer and returns its id.
func (b *book) customer(owner customer.UnitID, rep string) (id customer.ID) {
	b.t.Helper()
	b.update(func(tx tx) error {
		c, err := tx.customers.Create(customer.Draft{Name: "n", Owner: owner, Rep: rep})
		if err == nil {
			id = c.ID
		}
		return err
	})
	return id
}

func (b *book) get(id customer.ID) (c *customer.Customer) {
	b.t.Helper()
	b.view(func(_ *orgtree.Reader, customers *customer.Reader) (err error) {
		c, err = customers.Get(id)
		return err
	})
	return c
}

func (b *book) verify() {
	b.t.Helper()
	report, err := b.storage.Verify(context.Background(), nil)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, d := range report.Differences {
		b.t.Error(d)
	}
}

// shape writes a tree as nested codes, closed units in brackets.
func shape(t *orgtree.Tree) string {
	var b strings.Builder
	var write func(id customer.UnitID)
	write = func(id customer.UnitID) {
		first := true
		for child := range t.Children(id) {
			b.WriteString(map[bool]string{true: "(", false: " "}[first])
			first = false
			u, _ := t.Unit(child)
			if t.Open(child) {
				b.WriteString(u.Code)
			} else {
				fmt.Fprintf(&b, "[%s]", u.Code)
			}
			write(child)
		}
		if !first {
			b.WriteString(")")
		}
	}
	write(0)
	return b.String()
}

func codes(t *orgtree.Tree, ids []customer.UnitID) string {
	var list []string
	for _, id := range ids {
		u, _ := t.Unit(id)
		list = append(list, u.Code)
	}
	return strings.Join(list, " ")
}

func wantShape(t *testing.T, what string, tree *orgtree.Tree, want string) {
	t.Helper()
	if got := shape(tree); got != want {
		t.Errorf("%s: the tree is %s, want %s", what, got, want)
	}
}

func sorted(ids []customer.UnitID) []customer.UnitID {
	slices.Sort(ids)
	return ids
}
