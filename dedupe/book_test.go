package dedupe_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/customer"
)

// book is a book in memory in which a test's steps must succeed.
type book struct {
	*clientele.Book
	*clientele.Session
	t   rapid.TB
	ctx context.Context
}

func openBook(t rapid.TB, options ...func(*clientele.Options)) *book {
	t.Helper()
	var seconds atomic.Int64
	clock := func() time.Time { return epoch.Add(time.Duration(seconds.Add(1)) * time.Second) }
	opts := clientele.Options{InMemory: true, WithoutSearch: true, TickEvery: -1, Clock: clock}
	for _, o := range options {
		o(&opts)
	}
	opened, err := clientele.Open(context.Background(), "", opts)
	if err != nil {
		t.Fatal(err)
	}
	b := &book{Book: opened, Session: opened.As(clientele.Actor{ID: "wang.li", Reason: "test", Relaxed: true}), t: t, ctx: context.Background()}
	return b
}

// openFor opens a book that is closed with the test.
func openFor(t *testing.T, options ...func(*clientele.Options)) *book {
	t.Helper()
	b := openBook(t, options...)
	t.Cleanup(b.end)
	return b
}

func (b *book) end() {
	if err := b.Close(); err != nil {
		b.t.Error(err)
	}
}

func (b *book) update(f func(*clientele.Tx) error) {
	b.t.Helper()
	if err := b.Session.Update(b.ctx, f); err != nil {
		b.t.Fatal(err)
	}
}

func (b *book) view(f func(*clientele.ReadTx) error) {
	b.t.Helper()
	if err := b.Session.View(b.ctx, f); err != nil {
		b.t.Fatal(err)
	}
}

func (b *book) create(d customer.Draft) (c *customer.Customer) {
	b.t.Helper()
	b.update(func(tx *clientele.Tx) (err error) {
		c, err = tx.Customers.Create(d)
		return err
	})
	return c
}

func (b *book) get(id customer.ID) (c *customer.Customer) {
	b.t.Helper()
	b.view(func(tx *clientele.ReadTx) (err error) {
		c, err = tx.Customers.Get(id)
		return err
	})
	return c
}

var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
