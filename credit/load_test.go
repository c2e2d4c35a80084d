package credit_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/credit/aging"
	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/internal/sample/receivable"
)

// load loads accounts and fails when that doesn't work.
func (b *book) load(list ...credit.LoadAccount) {
	b.t.Helper()
	if err := b.tryLoad(credit.LoadOptions{}, list...); err != nil {
		b.t.Fatal(err)
	}
}

func (b *book) tryLoad(opts credit.LoadOptions, list ...credit.LoadAccount) error {
	_, err := b.credit.Load(context.Background(), b.job(), opts, func(yield func(credit.LoadAccount, error) bool) {
		for _, a := range list {
			if !yield(a, nil) {
				return
			}
		}
	})
	return err
}

// sampleAccounts are those of a small book whose customers begin at 1.
func sampleAccounts(t *testing.T, customers, open, settled int) (list []credit.LoadAccount) {
	b := &receivable.Book{Seed: 7, Customers: customers, Open: open, Settled: settled, Months: 6, AsOf: benchDay}
	for a, err := range accounts(b, 1) {
		if err != nil {
			t.Fatal(err)
		}
		a.Items, a.Allocations = slices.Clone(a.Items), slices.Clone(a.Allocations)
		list = append(list, a)
	}
	return list
}

// The same accounts, loaded and posted, give the same reports of every day.
func TestLoadedIsAsPosted(t *testing.T) {
	list := sampleAccounts(t, 150, 900, 300)
	loaded, posted := newBook(t, credit.Options{}), newBook(t, credit.Options{})
	loaded.setDay(benchDay)
	posted.setDay(benchDay)
	loaded.loadCustomers(150)
	posted.loadCustomers(150)
	loaded.credit.SmallPages()
	loaded.load(list...)
	for n := range list {
		// One account after another: the first of each 64 customers is loaded, the others
		// are posted by transactions, since something is there already.
		posted.load(list[n])
	}
	for asOf := benchDay - 200; asOf < benchDay+40; asOf += 13 {
		for _, known := range []int{0, 20, 70} {
			q := credit.AgingQuery{AsOf: asOf, Buckets: aging.Standard()}
			if known > 0 {
				q.KnownOn = asOf - date.Date(known)
			}
			if got, want := loaded.rows(q), posted.rows(q); got != want {
				t.Fatalf("as of %s known on %q: %q, posted %q", q.AsOf, q.KnownOn, got, want)
			}
		}
	}
	for _, b := range []*book{loaded, posted} {
		if found := b.differences(); len(found) > 0 {
			t.Error(found)
		}
		report, err := b.storage.Verify(context.Background(), nil)
		if err != nil || !report.OK() {
			t.Error(report.Differences, err)
		}
	}
}

func TestLoadsThatAreRefused(t *testing.T) {
	good := func() credit.LoadAccount {
		return credit.LoadAccount{
			Customer: 1,
			Items: []credit.Item{
				{Kind: credit.Invoice, Document: "I", Date: day("2024-05-01"), Amount: cny(100)},
				{Kind: credit.Payment, Document: "P", Date: day("2024-05-01"), Amount: cny(60)},
			},
			Allocations: []credit.LoadAllocation{{Debit: 0, Credit: 1, Amount: 50, Date: day("2024-05-02")}},
		}
	}
	for name, c := range map[string]struct {
		change func(*credit.LoadAccount)
		want   error
	}{
		"too much":         {func(a *credit.LoadAccount) { a.Allocations[0].Amount = 61 }, credit.ErrOverAllocated},
		"exchanged sides":  {func(a *credit.LoadAccount) { a.Allocations[0].Debit, a.Allocations[0].Credit = 1, 0 }, credit.ErrSide},
		"no such item":     {func(a *credit.LoadAccount) { a.Allocations[0].Credit = 2 }, credit.ErrInvalid},
		"no key":           {func(a *credit.LoadAccount) { a.Items[0].Document = "" }, credit.ErrInvalid},
		"no date":          {func(a *credit.LoadAccount) { a.Items[0].Date = 0 }, credit.ErrInvalid},
		"known ahead":      {func(a *credit.LoadAccount) { a.Items[0].Known = day("2030-01-01") }, credit.ErrInvalid},
		"no such customer": {func(a *credit.LoadAccount) { a.Customer = 99 }, credit.ErrNotFound},
		"twice one key":    {func(a *credit.LoadAccount) { a.Items[1].Document = "I" }, credit.ErrDocument},
	} {
		b := newBook(t, credit.Options{})
		b.loadCustomers(3)
		a := good()
		c.change(&a)
		var refused error
		err := b.tryLoad(credit.LoadOptions{Refused: func(_, _ customer.ID, err error) { refused = err }}, a)
		if err = errors.Join(err, refused); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		if got := b.rows(credit.AgingQuery{AsOf: benchDay}); got != "" {
			t.Errorf("%s left %q", name, got)
		}
	}
	b := newBook(t, credit.Options{})
	b.loadCustomers(100)
	b.load(good())
	far := good()
	far.Customer = 90
	var refused error
	err := b.tryLoad(credit.LoadOptions{Refused: func(_, last customer.ID, err error) {
		if refused = err; last != 90 {
			t.Errorf("refused up to %s", last)
		}
	}}, far)
	if err != nil || !errors.Is(refused, credit.ErrDocument) {
		t.Errorf("a key that the book has: %v, %v", err, refused)
	}
	second := good()
	second.Customer = 2
	if err := b.tryLoad(credit.LoadOptions{}, second, good()); !errors.Is(err, credit.ErrInvalid) {
		t.Errorf("out of order: %v", err)
	}
}

// A page of the log may end within a customer, and 2,000 items of one customer fill
// several pages of open items.
func TestLargeAccounts(t *testing.T) {
	b, items := oneAccount(t, 2000, 1000, usualPages)
	if len(items) != 2000 {
		t.Fatalf("%d open items, want 2000", len(items))
	}
	if found := b.differences(); len(found) > 0 {
		t.Error(found)
	}
}

// Reversed one by one, an account's many pages are joined again until nothing is left.
func TestPagesAreJoinedUntilNothingIsLeft(t *testing.T) {
	b, items := oneAccount(t, 200, 100, (*credit.Store).SmallPages)
	for _, id := range items {
		b.update(func(tx tx) error {
			_, err := tx.Reverse(id, credit.Reverse{Key: fmt.Sprint("R", id), Date: benchDay})
			return err
		})
	}
	if got := b.rows(credit.AgingQuery{AsOf: benchDay}); got != "" {
		t.Errorf("left are %q", got)
	}
	if found := b.differences(); len(found) > 0 {
		t.Error(found)
	}
}

func usualPages(*credit.Store) {}

// oneAccount is a book in which one of 20 customers has items, and those that are open.
func oneAccount(t *testing.T, open, settled int, pages func(*credit.Store)) (b *book, items []credit.ItemID) {
	t.Helper()
	b = newBook(t, credit.Options{})
	b.setDay(benchDay)
	pages(b.credit)
	b.loadCustomers(20)
	sample := &receivable.Book{Seed: 3, Customers: 1, Open: open, Settled: settled, Months: 3, AsOf: benchDay}
	for a, err := range accounts(sample, 5) {
		if err != nil {
			t.Fatal(err)
		}
		b.load(a)
	}
	b.view(func(r *credit.Reader) error {
		items = nil
		for i, err := range r.OpenItems(credit.AgingQuery{AsOf: benchDay}) {
			if err != nil {
				return err
			}
			items = append(items, i.Item)
		}
		return nil
	})
	return b, items
}
