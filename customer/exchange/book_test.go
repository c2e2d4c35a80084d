package exchange_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/customer/exchange"
	"github.com/clientele-go/clientele/customer/exchange/tabular"
	"github.com/clientele-go/clientele/orgtree"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv/pebblekv"
	"github.com/clientele-go/clientele/tagging"
)

// book is the package's store beside customers, tags and units.
type book struct {
	t         testing.TB
	customers *customer.Store
	tags      *tagging.Store
	org       *orgtree.Store
	imports   *exchange.Store
	storage   *storage.Store
	engine    *pebblekv.Engine
}

// newBook returns a book in memory, closed with the test.
func newBook(t testing.TB) *book {
	t.Helper()
	b, err := openBook(t, "", pebblekv.Options{InMemory: true, CacheBytes: 16 << 20})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.close)
	return b
}

func openBook(t testing.TB, dir string, o pebblekv.Options) (*book, error) {
	customers, err := customer.New(customer.Options{})
	if err != nil {
		return nil, err
	}
	b, schema := describedBook(t, customers)
	if b.engine, err = pebblekv.Open(dir, o); err != nil {
		return nil, err
	}
	return b, b.open(schema)
}

// describedBook is a book without an engine.
func describedBook(t testing.TB, customers *customer.Store) (*book, *storage.Schema) {
	b := &book{t: t, customers: customers, tags: tagging.New(tagging.Options{}), org: orgtree.New(orgtree.Options{}), imports: exchange.New()}
	schema := &storage.Schema{}
	b.customers.AddTo(schema)
	b.tags.AddTo(schema)
	b.org.AddTo(schema)
	b.imports.AddTo(schema)
	return b, schema
}

// sameBook opens a book a second time, as another process with the same engine does.
func (b *book) sameBook() *book {
	b.t.Helper()
	customers, err := customer.New(customer.Options{})
	if err != nil {
		b.t.Fatal(err)
	}
	other, schema := describedBook(b.t, customers)
	other.engine = b.engine
	if err := other.open(schema); err != nil {
		b.t.Fatal(err)
	}
	return other
}

func (b *book) open(schema *storage.Schema) (err error) {
	b.storage, err = storage.Open(context.Background(), b.engine, schema, nil, storage.Options{Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	return err
}

func (b *book) close() {
	if err := b.storage.Close(); err != nil {
		b.t.Error(err)
	}
}

// session is an importer's, who may do everything.
func (b *book) session() exchange.Session {
	return exchange.Session{
		Storage: b.storage, Customers: b.customers, Imports: b.imports, Actor: storage.Session{Actor: "importer", Reason: "test"},
		Read: func(r *storage.Reader) (*exchange.Reader, error) {
			customers := b.customers.Reader(r)
			return &exchange.Reader{Customers: customers, Tags: b.tags.Reader(r, customers), Org: b.org.Reader(r, customers), Storage: r}, nil
		},
		Begin: func(tx *storage.Tx) (*exchange.Tx, error) {
			customers := b.customers.Tx(tx)
			return &exchange.Tx{Customers: customers, Tags: b.tags.Tx(tx, customers), Org: b.org.Tx(tx, customers), Storage: tx}, nil
		},
	}
}

func file(name, content string) *tabular.File {
	return &tabular.File{Name: name, Content: strings.NewReader(content), Size: int64(len(content))}
}

func bytesFile(name string, content []byte) *tabular.File {
	return &tabular.File{Name: name, Content: bytes.NewReader(content), Size: int64(len(content))}
}

// imported runs an import and returns its end and what was wrong.
func (b *book) imported(im exchange.Import) (exchange.Progress, []exchange.Fault) {
	b.t.Helper()
	var faults []exchange.Fault
	im.Faults = func(f exchange.Fault) { faults = append(faults, f) }
	p, err := b.session().Import(b.t.Context(), im)
	if err != nil {
		b.t.Fatal(err)
	}
	s := p.Summary
	if s.Read != s.Created+s.Updated+s.Unchanged+s.Refused+s.Duplicates {
		b.t.Errorf("the summary doesn't add up: %+v", s)
	}
	return p, faults
}

func (b *book) view(f func(r *customer.Reader)) {
	b.t.Helper()
	err := b.storage.View(b.t.Context(), func(r *storage.Reader) error {
		f(b.customers.Reader(r))
		return nil
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

// all lists the book's customers, each as code, name, version and main values.
func (b *book) all() []string {
	b.t.Helper()
	var list []string
	b.view(func(r *customer.Reader) {
		for c, err := range r.List(customer.List{Statuses: customer.AllStatuses()}) {
			if err != nil {
				b.t.Fatal(err)
			}
			list = append(list, show(c))
		}
	})
	return list
}

func show(c *customer.Customer) string {
	var s strings.Builder
	fmt.Fprintf(&s, "%s %s v%d", c.Code, c.Name, c.Version)
	if c.Status != customer.Active {
		fmt.Fprintf(&s, " %s", c.Status)
	}
	for _, x := range c.Identifiers {
		fmt.Fprintf(&s, " %s=%s", x.Scheme, x.Value)
	}
	for _, p := range c.Phones {
		fmt.Fprintf(&s, " %s:%s", p.Label, p.Number)
	}
	for _, m := range c.Emails {
		fmt.Fprintf(&s, " %s", m.Address)
	}
	for _, k := range c.SourceKeys {
		fmt.Fprintf(&s, " %s/%s", k.System, k.Key)
	}
	if c.Note != "" {
		fmt.Fprintf(&s, " (%s)", c.Note)
	}
	return s.String()
}
