package credit_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"runtime"
	"runtime/metrics"
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

// TestMain removes what the benchmarks leave.
func TestMain(m *testing.M) {
	code := m.Run()
	if benchDir != "" {
		benchBook().close()
		if err := os.RemoveAll(benchDir); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
	os.Exit(code)
}

var benchDir string // of benchBook, when it is on disk

// A book of more open items is on disk.
const mostInMemory = 1_000_000

// benchBook is shared by the benchmarks that only read. Its cache holds what reports read.
var benchBook = sync.OnceValue(func() *book {
	open := benchItems()
	if open > mostInMemory {
		var err error
		if benchDir, err = os.MkdirTemp("", "receivables"); err != nil {
			panic(err)
		}
	}
	b := newBookWith(discard{}, benchDir, max(64<<20, int64(open)*100), credit.Options{})
	b.setDay(benchDay)
	b.loadCustomers(open / 10)
	// As much was settled in half a year as is open.
	sample := &receivable.Book{Seed: 1, Customers: open / 10, Open: open, Settled: open, Months: 6, AsOf: benchDay}
	if _, err := b.credit.Load(context.Background(), b.job(), credit.LoadOptions{}, accounts(sample, 1)); err != nil {
		panic(err)
	}
	b.settle()
	return b
})

// settle waits until the engine has had nothing to compact for three seconds; it begins two
// seconds after a load, and takes a core for minutes after one of ten million items.
func (b *book) settle() {
	const pause, enough = 100 * time.Millisecond, 30
	var last [2]int64
	for quiet := 0; quiet < enough; quiet++ {
		h, err := b.storage.Health(context.Background())
		if err != nil {
			b.t.Fatal(err)
		}
		if now := [2]int64{h.Engine.CompactionDebt, h.Engine.DiskBytes}; now != last {
			last, quiet = now, 0
		}
		time.Sleep(pause)
	}
}

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
// items and an allocation for each open item of CLIENTELE_BENCH_ITEMS. Heap-MB is the most
// that the load had on the heap beyond what there was before; B/item is what it added on disk.
// Ten million open items take longer than go test waits unless told to: -timeout 0.
func BenchmarkLoad(b *testing.B) {
	open := benchItems()
	sample := &receivable.Book{Seed: 1, Customers: open / 10, Open: open, Settled: open, Months: 6, AsOf: benchDay}
	took, busy := time.Duration(0), time.Duration(0)
	heap, disk := uint64(0), int64(0)
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		dir := b.TempDir()
		book := newBookIn(discard{}, dir, credit.Options{})
		book.setDay(benchDay)
		book.loadCustomers(open / 10)
		disk -= bytesIn(b, dir)
		peak := watchHeap()
		b.StartTimer()
		start, used := time.Now(), usedCPU()
		if _, err := book.credit.Load(context.Background(), book.job(), credit.LoadOptions{}, accounts(sample, 1)); err != nil {
			b.Fatal(err)
		}
		took, busy = took+time.Since(start), busy+usedCPU()-used
		b.StopTimer()
		heap = max(heap, peak())
		book.close()
		disk += bytesIn(b, dir)
		if err := os.RemoveAll(dir); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
	items := 3 * float64(open) * float64(b.N)
	b.ReportMetric(items/took.Seconds(), "items/s")
	b.ReportMetric(float64(disk)/items, "B/item")
	b.ReportMetric(float64(busy.Nanoseconds())/1000/items, "cpu-µs/item")
	b.ReportMetric(float64(heap)/1e6, "heap-MB")
}

// bytesIn is the size of a directory's files, some of which may go meanwhile.
func bytesIn(b *testing.B, dir string) (n int64) {
	files, err := os.ReadDir(dir)
	if err != nil {
		b.Fatal(err)
	}
	for _, f := range files {
		info, err := f.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			b.Fatal(err)
		}
		n += info.Size()
	}
	return n
}

// watchHeap returns a function that tells by how much the heap grew at most in the meantime.
func watchHeap() (peak func() uint64) {
	runtime.GC()
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/unused:bytes"}}
	used := func() uint64 {
		metrics.Read(sample)
		return sample[0].Value.Uint64() + sample[1].Value.Uint64()
	}
	before, most := used(), uint64(0)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for tick := time.Tick(10 * time.Millisecond); ; {
			select {
			case <-tick:
				most = max(most, used())
			case <-stop:
				return
			}
		}
	}()
	return func() uint64 {
		close(stop)
		<-stopped
		return most - min(before, most)
	}
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
