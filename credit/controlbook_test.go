package credit_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
	"github.com/clientele-go/clientele/storage/kv/pebblekv"
)

// desk is a book as a credit clerk uses it, on a clock that the test sets.
type desk struct {
	t         testing.TB
	customers *customer.Store
	credit    *credit.Store
	storage   *storage.Store
	access    customer.Access

	mu  sync.Mutex
	now time.Time
}

// deskStart is a Monday.
var deskStart = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)

func newDesk(t testing.TB, opts credit.Options) *desk {
	t.Helper()
	engine, err := pebblekv.Open("", pebblekv.Options{InMemory: true, CacheBytes: 8 << 20})
	if err != nil {
		t.Fatal(err)
	}
	d := openDesk(t, opts, engine)
	t.Cleanup(d.close)
	return d
}

// openDesk is newDesk on an engine of the caller, who closes the desk.
func openDesk(t testing.TB, opts credit.Options, engine kv.Engine) *desk {
	t.Helper()
	d := &desk{t: t, now: deskStart}
	opts.Clock = d.clock
	customers, err := customer.New(customer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	d.customers, d.credit = customers, credit.New(opts)
	schema := &storage.Schema{}
	d.customers.AddTo(schema)
	d.credit.AddTo(schema)
	d.storage, err = storage.Open(context.Background(), engine, schema, nil, storage.Options{
		Clock: d.clock, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func (d *desk) close() {
	if err := d.storage.Close(); err != nil {
		d.t.Error(err)
	}
}

func (d *desk) clock() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.now
}

// pass lets time go by.
func (d *desk) pass(by time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.now = d.now.Add(by)
}

// deskTx is what a transaction can do.
type deskTx struct {
	*credit.Tx
	customers *customer.Tx
}

var clerkLi = storage.Session{Actor: "li", Reason: "test"}

func (d *desk) job() credit.Job {
	return credit.Job{Storage: d.storage, Customers: d.customers, Session: clerkLi}
}

func (d *desk) tryAs(actor string, f func(deskTx) error) error {
	_, err := d.storage.Update(context.Background(), storage.Session{Actor: actor, Reason: "test"}, func(st *storage.Tx) error {
		customers := d.customers.TxWith(st, d.access)
		return f(deskTx{d.credit.Tx(st, customers), customers})
	})
	return err
}

func (d *desk) try(f func(deskTx) error) error { return d.tryAs("li", f) }

func (d *desk) do(f func(deskTx) error) {
	d.t.Helper()
	if err := d.try(f); err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) view(f func(*credit.Reader) error) {
	d.t.Helper()
	err := d.storage.View(context.Background(), func(r *storage.Reader) error {
		return f(d.credit.Reader(r, d.customers.ReaderWith(r, d.access)))
	})
	if err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) customer(owner customer.UnitID) (id customer.ID) {
	d.t.Helper()
	d.do(func(tx deskTx) error {
		c, err := tx.customers.Create(customer.Draft{Name: "n", Owner: owner})
		if err == nil {
			id = c.ID
		}
		return err
	})
	return id
}

// limit sets a limit in CNY.
func (d *desk) limit(s credit.Scope, n int64) {
	d.t.Helper()
	d.do(func(tx deskTx) error { return tx.SetLimit(s, credit.Limit{Amount: yuan(n)}) })
}

func (d *desk) policy(p credit.Policy) {
	d.t.Helper()
	d.do(func(tx deskTx) error { return tx.SetPolicy(p) })
}

func (d *desk) group(code string, members ...customer.ID) (id credit.GroupID) {
	d.t.Helper()
	d.do(func(tx deskTx) error {
		g, err := tx.CreateGroup(code, customer.Names{"en": code})
		for i := 0; i < len(members) && err == nil; i++ {
			err = tx.SetGroup(members[i], g.ID)
		}
		if err == nil {
			id = g.ID
		}
		return err
	})
	return id
}

func (d *desk) reserve(q credit.Request) (v *credit.Reservation, err error) {
	err = d.try(func(tx deskTx) (err error) { v, err = tx.Reserve(q); return err })
	return v, err
}

// order reserves yuan for a customer at the stage of an order.
func (d *desk) order(key string, id customer.ID, n int64) error {
	_, err := d.reserve(credit.Request{Key: key, Customer: id, Amount: yuan(n), Stage: credit.Ordered})
	return err
}

// invoice posts an invoice that is due some days after today.
func (d *desk) invoice(document string, id customer.ID, amount money.Amount, dueIn int) (item credit.ItemID) {
	d.t.Helper()
	d.do(func(tx deskTx) error {
		i, err := tx.post(document, id, amount, d.today(), d.today()+date.Date(dueIn))
		item = i
		return err
	})
	return item
}

func (d *desk) today() date.Date { return date.Of(d.clock()) }

func (tx deskTx) post(document string, id customer.ID, amount money.Amount, today, due date.Date) (credit.ItemID, error) {
	items, err := tx.Post(credit.Document{
		Key: document, Customer: id, Kind: credit.Invoice, Amount: amount, Date: min(due, today),
		Instalments: []credit.Instalment{{Due: due, Amount: amount.Minor}},
	})
	if err != nil {
		return 0, err
	}
	return items[0].ID, nil
}

func (d *desk) pay(document string, id customer.ID, amount money.Amount) {
	d.t.Helper()
	d.do(func(tx deskTx) error {
		_, err := tx.Post(credit.Document{Key: document, Customer: id, Kind: credit.Payment, Amount: amount, Date: d.today()})
		return err
	})
}

// used is the exposure of a scope in CNY, by the usual parts, in yuan.
func (d *desk) used(s credit.Scope) (yuan int64) {
	d.t.Helper()
	d.view(func(r *credit.Reader) error {
		list, err := r.Exposure(s)
		for i := range list {
			if list[i].Currency == money.CNY && err == nil {
				var total money.Amount
				total, err = list[i].Total(usual)
				yuan = total.Minor / 100
			}
		}
		return err
	})
	return yuan
}

var usual = credit.PartsOf(credit.Debits, credit.Credits, credit.Reservations, credit.Orders, credit.Deliveries)

func (d *desk) wantUsed(what string, s credit.Scope, yuan int64) {
	d.t.Helper()
	if got := d.used(s); got != yuan {
		d.t.Errorf("%s: the exposure of %s is %d, want %d", what, s, got, yuan)
	}
}

// verify wants the storage and the counted exposure to agree with the records.
func (d *desk) verify() {
	d.t.Helper()
	report, err := d.storage.Verify(context.Background(), nil)
	if err != nil {
		d.t.Fatal(err)
	}
	for _, x := range report.Differences {
		d.t.Error(x)
	}
	d.view(func(r *credit.Reader) error {
		list, err := r.ExposureDifferences()
		for _, x := range list {
			d.t.Error(x)
		}
		return err
	})
}

func yuan(n int64) money.Amount { return money.Amount{Minor: n * 100, Currency: money.CNY} }

func wantErr(t testing.TB, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: the error is %v, want %v", what, err, want)
	}
}
