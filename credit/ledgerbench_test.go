package credit_test

import (
	"context"
	"fmt"
	"iter"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/credit/aging"
	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/internal/sample/receivable"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/bitset"
)

// benchItems is how many open items the benchmarks' book has; there are a tenth as many
// customers.
func benchItems() int {
	if n, err := strconv.Atoi(os.Getenv("CLIENTELE_BENCH_ITEMS")); err == nil && n > 0 {
		return n
	}
	return 200_000
}

var benchDay = day("2024-08-15")

// accounts turns a sample's book into what is loaded.
func accounts(b *receivable.Book, first customer.ID) iter.Seq2[credit.LoadAccount, error] {
	return func(yield func(credit.LoadAccount, error) bool) {
		var from receivable.Account
		var to credit.LoadAccount
		for n := range b.Customers {
			b.Fill(n, &from)
			to = credit.LoadAccount{Customer: first + customer.ID(n), Items: to.Items[:0], Allocations: to.Allocations[:0]}
			for _, i := range from.Items {
				kind := credit.Invoice
				if i.Payment {
					kind = credit.Payment
				}
				to.Items = append(to.Items, credit.Item{Kind: kind, Document: i.Key, Date: i.Date, Due: i.Due, Known: i.Date, Amount: money.Amount{Minor: i.Amount, Currency: i.Currency}})
			}
			for _, a := range from.Allocations {
				to.Allocations = append(to.Allocations, credit.LoadAllocation{Debit: a.Debit, Credit: a.Credit, Amount: a.Amount, Date: a.Date, Known: a.Date})
			}
			if !yield(to, nil) {
				return
			}
		}
	}
}

func (b *book) job() credit.Job {
	return credit.Job{Storage: b.storage, Customers: b.customers, Session: clerk}
}

// loadCustomers adds customers in bulk.
func (b *book) loadCustomers(n int) {
	b.t.Helper()
	drafts := func(yield func(customer.Draft, error) bool) {
		for i := range n {
			if !yield(customer.Draft{Name: fmt.Sprintf("Customer %d", i), Party: customer.Organisation}, nil) {
				return
			}
		}
	}
	if _, err := b.customers.Load(context.Background(), b.storage, clerk, customer.LoadOptions{}, drafts); err != nil {
		b.t.Fatal(err)
	}
}

// benchBook is shared by the benchmarks that only read.
var benchBook = sync.OnceValue(func() *book {
	b := newBook(discard{}, credit.Options{})
	open := benchItems()
	b.setDay(benchDay)
	b.loadCustomers(open / 10)
	// As much was settled in half a year as is open.
	sample := &receivable.Book{Seed: 1, Customers: open / 10, Open: open, Settled: open, Months: 6, AsOf: benchDay}
	if _, err := b.credit.Load(context.Background(), b.job(), credit.LoadOptions{}, accounts(sample, 1)); err != nil {
		panic(err)
	}
	return b
})

func BenchmarkAgingAll(b *testing.B)      { benchAging(b, credit.AgingQuery{AsOf: benchDay}) }
func BenchmarkAgingMonthAgo(b *testing.B) { benchAging(b, credit.AgingQuery{AsOf: benchDay - 30}) }
func BenchmarkAgingAsKnownMonthAgo(b *testing.B) {
	benchAging(b, credit.AgingQuery{AsOf: benchDay, KnownOn: benchDay - 30})
}

// BenchmarkAgingFilter is of 10,000 customers, or a tenth if there are fewer.
func BenchmarkAgingFilter(b *testing.B) {
	customers := benchItems() / 10
	few := &bitset.Set{}
	for n := range min(10_000, customers/10) {
		few.Add(uint64(n*(customers/min(10_000, customers/10)) + 1))
	}
	benchAging(b, credit.AgingQuery{AsOf: benchDay, Customers: few})
}

func benchAging(b *testing.B, q credit.AgingQuery) {
	book := benchBook()
	q.Buckets = aging.Standard()
	rows := 0
	used := startCPU()
	for b.Loop() {
		rows = 0
		book.view(func(r *credit.Reader) error {
			for _, err := range r.Aging(q) {
				if err != nil {
					return err
				}
				rows++
			}
			return nil
		})
	}
	used.report(b)
	b.ReportMetric(float64(rows), "rows")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(benchItems()), "ns/item")
}

func BenchmarkAgingTotal(b *testing.B)         { benchTotal(b, benchDay) }
func BenchmarkAgingTotalMonthAgo(b *testing.B) { benchTotal(b, benchDay-30) }

func benchTotal(b *testing.B, asOf date.Date) {
	book := benchBook()
	used := startCPU()
	for b.Loop() {
		book.view(func(r *credit.Reader) error {
			_, err := r.AgingTotal(credit.AgingQuery{AsOf: asOf, Buckets: aging.Standard()})
			return err
		})
	}
	used.report(b)
}

// BenchmarkLoad loads what is open and as much that was settled, durably on disk: three
// items and an allocation for each open item of CLIENTELE_BENCH_ITEMS.
func BenchmarkLoad(b *testing.B) {
	open := benchItems()
	sample := &receivable.Book{Seed: 1, Customers: open / 10, Open: open, Settled: open, Months: 6, AsOf: benchDay}
	took, busy := time.Duration(0), time.Duration(0)
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		book := newBookIn(discard{}, b.TempDir(), credit.Options{})
		book.setDay(benchDay)
		book.loadCustomers(open / 10)
		b.StartTimer()
		start, used := time.Now(), usedCPU()
		if _, err := book.credit.Load(context.Background(), book.job(), credit.LoadOptions{}, accounts(sample, 1)); err != nil {
			b.Fatal(err)
		}
		took, busy = took+time.Since(start), busy+usedCPU()-used
		b.StopTimer()
		book.close()
		b.StartTimer()
	}
	items := 3 * float64(open) * float64(b.N)
	b.ReportMetric(items/took.Seconds(), "items/s")
	b.ReportMetric(float64(busy.Nanoseconds())/1000/items, "cpu-µs/item")
}

// BenchmarkPost posts an invoice and a payment, and settles the one by the other.
func BenchmarkPost(b *testing.B) {
	book := newBook(b, credit.Options{})
	book.loadCustomers(1000)
	n := 0
	used := startCPU()
	defer func() { used.report(b) }()
	for b.Loop() {
		n++
		id := customer.ID(n%1000 + 1)
		_, err := book.storage.Update(context.Background(), clerk, func(st *storage.Tx) error {
			tx := book.credit.Tx(st, book.customers.Tx(st))
			invoice, err := tx.Post(credit.Document{Key: fmt.Sprint("I", n), Customer: id, Kind: credit.Invoice, Date: benchDay, Amount: cny(100)})
			if err != nil {
				return err
			}
			payment, err := tx.Post(credit.Document{Key: fmt.Sprint("P", n), Customer: id, Kind: credit.Payment, Date: benchDay, Amount: cny(50)})
			if err != nil {
				return err
			}
			_, err = tx.Allocate(credit.AllocationRequest{Debit: invoice[0].ID, Credit: payment[0].ID, Date: benchDay})
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkOneCustomer ages the 10,000 items of one customer.
func BenchmarkOneCustomer(b *testing.B) {
	book := newBook(b, credit.Options{})
	book.setDay(benchDay)
	book.loadCustomers(20)
	sample := &receivable.Book{Seed: 1, Customers: 1, Open: 10_000, AsOf: benchDay}
	if _, err := book.credit.Load(context.Background(), book.job(), credit.LoadOptions{}, accounts(sample, 5)); err != nil {
		b.Fatal(err)
	}
	q := credit.AgingQuery{AsOf: benchDay, Buckets: aging.Standard(), Customers: bitset.Of(5)}
	used := startCPU()
	defer func() { used.report(b) }()
	for b.Loop() {
		book.view(func(r *credit.Reader) error {
			for _, err := range r.Aging(q) {
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
}

// discard is a testing.TB for a book that outlives its benchmark.
type discard struct{ testing.TB }

func (discard) Helper()           {}
func (discard) Cleanup(func())    {}
func (discard) Fatal(args ...any) { panic(fmt.Sprint(args...)) }
func (discard) Error(args ...any) { panic(fmt.Sprint(args...)) }
