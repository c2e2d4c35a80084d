package credit_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/credit/aging"
	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
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
	loaded.view(func(r *credit.Reader) error {
		n, err := r.QuietPages()
		if n < 10 {
			t.Errorf("%d quiet pages; the books are too small to tell", n)
		}
		return err
	})
	compareReports(t, loaded, posted)
	// What is posted later stands behind what was loaded, also in months of the past.
	for _, b := range []*book{loaded, posted} {
		for id := customer.ID(1); id <= 150; id += 20 {
			for back := date.Date(20); back < 180; back += 70 {
				key := fmt.Sprintf("late %d-%d", id, back)
				invoice := b.post(credit.Document{Key: key, Customer: id, Kind: credit.Invoice, Date: benchDay - back, Amount: cny(1000)})
				payment := b.post(credit.Document{Key: key + " paid", Customer: id, Kind: credit.Payment, Date: benchDay - back/2, Amount: cny(700)})
				b.allocate(credit.AllocationRequest{Debit: invoice.ID, Credit: payment.ID, Date: benchDay - back/2})
			}
		}
	}
	compareReports(t, loaded, posted)
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

// compareReports compares the reports of many days, as known on others, in all modes.
func compareReports(t *testing.T, loaded, posted *book) {
	t.Helper()
	for asOf := benchDay - 200; asOf < benchDay+40; asOf += 29 {
		for _, known := range []int{0, 45} {
			q := credit.AgingQuery{AsOf: asOf, Buckets: aging.Standard()}
			if known > 0 {
				q.KnownOn = asOf - date.Date(known)
			}
			if got, want := loaded.rows(q), posted.rows(q); got != want {
				t.Fatalf("as of %s known on %q: %q, posted %q", q.AsOf, q.KnownOn, got, want)
			}
			q.FIFO = true
			if got, want := loaded.rows(q), posted.rows(q); got != want {
				t.Fatalf("as of %s known on %q by FIFO: %q, posted %q", q.AsOf, q.KnownOn, got, want)
			}
			q.FIFO = false
			if got, want := loaded.total(q), posted.total(q); got != want {
				t.Fatalf("total as of %s known on %q: %q, posted %q", q.AsOf, q.KnownOn, got, want)
			}
			if got, want := loaded.movements(q), posted.movements(q); got != want {
				t.Fatalf("movements from %s known on %q: %q, posted %q", q.AsOf, q.KnownOn, got, want)
			}
			if got, want := loaded.items(q), posted.items(q); got != want {
				t.Fatalf("items as of %s known on %q: %q, posted %q", q.AsOf, q.KnownOn, got, want)
			}
		}
	}
}

// total is the report of all together.
func (b *book) total(q credit.AgingQuery) (text string) {
	b.view(func(r *credit.Reader) error {
		sums, err := r.AgingTotal(q)
		if err != nil {
			return err
		}
		text = ""
		for row, err := range sums.Rows() {
			if err != nil {
				return err
			}
			text += line(row)
		}
		return nil
	})
	return text
}

// movements are those from a report to today's, without ids, which are drawn in the order
// of posting.
func (b *book) movements(q credit.AgingQuery) string {
	var list []string
	b.view(func(r *credit.Reader) error {
		list = nil
		for m, err := range r.Movements(q, credit.AgingQuery{AsOf: benchDay}) {
			if err != nil {
				return err
			}
			m.Item, m.Allocation = 0, min(m.Allocation, 1)
			list = append(list, fmt.Sprint(m))
		}
		return nil
	})
	slices.Sort(list)
	return strings.Join(list, "\n")
}

// items are the open items, without ids.
func (b *book) items(q credit.AgingQuery) string {
	var list []string
	b.view(func(r *credit.Reader) error {
		list = nil
		for i, err := range r.OpenItems(q) {
			if err != nil {
				return err
			}
			i.Item = 0
			list = append(list, fmt.Sprint(i))
		}
		return nil
	})
	slices.Sort(list)
	return strings.Join(list, "\n")
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
		"no instalment":    {func(a *credit.LoadAccount) { a.Items[0].Instalment = -1 }, credit.ErrInvalid},
		"too fine a rate":  {func(a *credit.LoadAccount) { a.Items[0].Rate = money.Rate{Coefficient: 1, Scale: 31} }, credit.ErrInvalid},
		"a discount of all": {func(a *credit.LoadAccount) {
			a.Items[0].Discounts = []credit.CashDiscount{{Until: day("2024-05-11"), Amount: 100}}
		}, credit.ErrInvalid},
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

// Sums that customers share end at 2⁶² = 4,611,686,018,427,387,904 minor units, whoever
// adds to them: 4·10¹⁸ fit once for a due day and side, and once for a unit, and a second
// customer's don't.
func TestSharedSumsOverflowBeforeAnythingIsWritten(t *testing.T) {
	const most = 4_000_000_000_000_000_000
	b := newBook(t, credit.Options{})
	b.loadCustomers(200)
	for _, id := range []customer.ID{130, 198} {
		b.update(func(tx tx) error { _, err := tx.customers.Assign(id, 7, ""); return err })
	}
	invoice := func(id customer.ID, key, due string) credit.Document {
		return credit.Document{Key: key, Customer: id, Kind: credit.Invoice, Date: day("2024-05-01"), Amount: cny(most), Instalments: []credit.Instalment{{Due: day(due), Amount: most}}}
	}
	b.post(invoice(1, "A", "2024-05-01"))
	err := b.try(func(tx tx) error { _, err := tx.Post(invoice(2, "B", "2024-05-01")); return err })
	if !errors.Is(err, credit.ErrOverflow) {
		t.Errorf("the second of a due day: %v", err)
	}
	err = b.try(func(tx tx) error { _, err := tx.Post(invoice(2, "B", "2024-05-02")); return err })
	if !errors.Is(err, credit.ErrOverflow) {
		t.Errorf("the second of a unit: %v", err)
	}
	loaded := func(id customer.ID, key, due string) credit.LoadAccount {
		return credit.LoadAccount{Customer: id, Items: []credit.Item{{Kind: credit.Invoice, Document: key, Date: day("2024-05-01"), Due: day(due), Amount: cny(most)}}}
	}
	var refused []customer.ID
	err = b.tryLoad(credit.LoadOptions{Refused: func(first, last customer.ID, err error) {
		if !errors.Is(err, credit.ErrOverflow) {
			t.Error(err)
		}
		refused = append(refused, first, last)
	}}, loaded(70, "C", "2024-05-01"), loaded(130, "D", "2024-05-09"), loaded(198, "E", "2024-05-09"))
	if want := []customer.ID{70, 70, 198, 198}; err != nil || !slices.Equal(refused, want) {
		t.Errorf("refused are %v, want %v; %v", refused, want, err)
	}
	want := "1 CNY [4000000000000000000 0] 0 4000000000000000000\n130 CNY [4000000000000000000 0] 0 4000000000000000000\n"
	if got := b.rows(credit.AgingQuery{AsOf: day("2024-05-01")}); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if found := b.differences(); len(found) > 0 {
		t.Error(found)
	}
}

// Rows use their memory again: accounts behind a large one, and many batches of rows, come
// out as they went in.
func TestLoadOfManyBlocks(t *testing.T) {
	const customers, large = 600, 400
	list := sampleAccounts(t, customers, 3*customers, customers)
	for n := range 16_500 {
		list[large].Items = append(list[large].Items, credit.Item{Kind: credit.Invoice, Document: fmt.Sprint("L", n), Date: benchDay - 10, Amount: cny(3)})
	}
	items := 0
	owed := map[customer.ID]int64{}
	for _, a := range list {
		items += len(a.Items)
		for _, i := range a.Items {
			if i.Kind == credit.Payment {
				i.Amount.Minor *= -1
			}
			owed[a.Customer] += i.Amount.Minor
		}
	}
	b := newBook(t, credit.Options{})
	b.setDay(benchDay)
	b.loadCustomers(customers)
	taken := 0
	if err := b.tryLoad(credit.LoadOptions{PartBytes: 1 << 20, Progress: func(n int) { taken = n }}, list...); err != nil {
		t.Fatal(err)
	}
	if taken != items {
		t.Errorf("%d items were taken, want %d", taken, items)
	}
	b.view(func(r *credit.Reader) error {
		for id, want := range owed {
			balances, err := r.Balances(id)
			got := int64(0)
			for _, b := range balances {
				got += b.Net()
			}
			if err != nil || got != want {
				t.Fatalf("customer %s owes %d, %v; want %d", id, got, err, want)
			}
		}
		return nil
	})
	if found := b.differences(); len(found) > 0 {
		t.Error(found)
	}
}

// Items of a customer that was merged have to be given as its survivor's, who comes at
// another place in the order.
func TestLoadRefusesMergedCustomers(t *testing.T) {
	b := newBook(t, credit.Options{})
	b.loadCustomers(3)
	b.update(func(tx tx) error {
		_, err := tx.customers.Merge(1, []customer.ID{2}, func(survivor, _ *customer.Customer) (*customer.Customer, error) { return survivor, nil })
		return err
	})
	err := b.tryLoad(credit.LoadOptions{}, credit.LoadAccount{Customer: 2, Items: []credit.Item{{Kind: credit.Invoice, Document: "I", Date: benchDay, Amount: cny(1)}}})
	if !errors.Is(err, credit.ErrInvalid) {
		t.Error(err)
	}
}
