package credit_test

import (
	"context"
	"errors"
	"testing"

	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/bitset"
)

// only is an actor who sees one customer, and may only read it.
type only customer.ID

func (o only) Sees(c *customer.Customer) (bool, error)              { return c.ID == customer.ID(o), nil }
func (o only) Mask(*customer.Customer) (m customer.Mask, err error) { return m, nil }
func (o only) Within() bitset.Source                                { return bitset.Of(uint64(o)) }
func (o only) WithinUnmasked(string) bitset.Source                  { return o.Within() }

func (o only) Allows(right customer.Right, data customer.Data, c *customer.Customer) error {
	switch {
	case c != nil && c.ID != customer.ID(o):
		return customer.ErrNotFound
	case right != customer.RightRead:
		return &customer.AccessError{Actor: "wang", Right: right, Data: data}
	}
	return nil
}

// as runs f with a reader of an actor.
func (b *book) as(a customer.Access, f func(*credit.Reader)) {
	b.t.Helper()
	err := b.storage.View(context.Background(), func(r *storage.Reader) error {
		f(b.credit.Reader(r, b.customers.ReaderWith(r, a)))
		return nil
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

func TestSessionsSeeTheirCustomersOnly(t *testing.T) {
	b := newBook(t, credit.Options{})
	id := b.addCustomers(2)
	mine, other := b.owe("I1", id, "2024-05-01", cny(100)), b.owe("I2", id+1, "2024-05-01", cny(23))
	q := credit.AgingQuery{AsOf: day("2024-05-02")}
	b.as(only(id), func(r *credit.Reader) {
		got := ""
		for row, err := range r.Aging(q) {
			if err != nil {
				t.Fatal(err)
			}
			got += line(row)
		}
		if want := "1 CNY [0 100] 0 100\n"; got != want {
			t.Errorf("rows %q, want %q", got, want)
		}
		total, err := r.AgingTotal(q)
		if err != nil || text(total) != "0 CNY [0 100] 0 100\n" {
			t.Errorf("total %q, %v", text(total), err)
		}
		for m, err := range r.Movements(credit.AgingQuery{AsOf: day("2024-04-30")}, q) {
			if err != nil || m.Customer != id {
				t.Errorf("%+v, %v", m, err)
			}
		}
		for i, err := range r.OpenItems(q) {
			if err != nil || i.Customer != id {
				t.Errorf("%+v, %v", i, err)
			}
		}
		if _, err := r.Item(mine.ID); err != nil {
			t.Error(err)
		}
		if _, err := r.Item(other.ID); !errors.Is(err, credit.ErrNotFound) {
			t.Errorf("another's item: %v", err)
		}
		if items, err := r.Document("I2"); items != nil || err != nil {
			t.Errorf("another's document: %v, %v", items, err)
		}
		for name, read := range map[string]func(customer.ID) error{
			"balances": func(id customer.ID) error { _, err := r.Balances(id); return err },
			"facts":    func(id customer.ID) error { _, err := r.Facts(id, credit.FactsQuery{}); return err },
			"due":      func(id customer.ID) error { _, _, err := r.OldestDue(id); return err },
			"figures":  func(id customer.ID) error { _, err := r.Figures(id, 24_000, 24_500); return err },
			"activity": func(id customer.ID) error { _, err := r.Activity(id); return err },
		} {
			if err := read(id); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if err := read(id + 1); !errors.Is(err, credit.ErrNotFound) {
				t.Errorf("another's %s: %v", name, err)
			}
		}
	})
}

func TestSessionsPostWhereTheyMay(t *testing.T) {
	b := newBook(t, credit.Options{})
	id := b.addCustomers(2)
	invoice, payment := b.owe("I1", id, "2024-05-01", cny(100)), b.receive("P1", id, "2024-05-01", cny(100))
	b.owe("I2", id+1, "2024-05-01", cny(100))
	d := credit.Document{Key: "I3", Customer: id, Kind: credit.Invoice, Date: day("2024-05-01"), Amount: cny(1)}
	for name, c := range map[string]struct {
		try  func(*credit.Tx) error
		want error
	}{
		"post": {func(tx *credit.Tx) error { _, err := tx.Post(d); return err }, customer.ErrDenied},
		"allocate": {func(tx *credit.Tx) error {
			_, err := tx.Allocate(credit.AllocationRequest{Debit: invoice.ID, Credit: payment.ID})
			return err
		}, customer.ErrDenied},
		"reverse": {func(tx *credit.Tx) error { _, err := tx.Reverse(invoice.ID, credit.Reverse{Key: "R"}); return err }, customer.ErrDenied},
		"dispute": {func(tx *credit.Tx) error {
			_, err := tx.SetDispute(invoice.ID, credit.Dispute{Reason: "x"})
			return err
		}, customer.ErrDenied},
		"close": {func(tx *credit.Tx) error { _, err := tx.ClosePeriod(day("2024-05-01")); return err }, customer.ErrDenied},
		"another": {func(tx *credit.Tx) error {
			other := d
			other.Customer++
			_, err := tx.Post(other)
			return err
		}, credit.ErrNotFound},
	} {
		_, err := b.storage.Update(context.Background(), clerk, func(st *storage.Tx) error {
			return c.try(b.credit.Tx(st, b.customers.TxWith(st, only(id))))
		})
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}
