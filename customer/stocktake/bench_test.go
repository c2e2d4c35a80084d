package stocktake_test

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"testing"
	"time"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/customer/stocktake"
	"github.com/clientele-go/clientele/internal/sample"
)

// rows is the size of the book that the benchmark counts; set CLIENTELE_BENCH_ROWS for
// others.
func rows() int {
	if n, err := strconv.Atoi(os.Getenv("CLIENTELE_BENCH_ROWS")); err == nil {
		return n
	}
	return 50_000
}

// yearBook has nine tenths of its customers from before 2025, the others from its months,
// in which also one of fifty was archived, one given to another representative and one
// got another address.
func yearBook(b *testing.B, n int) *clientele.Book {
	b.Helper()
	now := time.Date(2024, 3, 1, 0, 0, 0, 0, time.UTC)
	book, err := clientele.Open(context.Background(), b.TempDir(), clientele.Options{WithoutSearch: true, TickEvery: -1, Clock: func() time.Time { return now }})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { book.Close() })
	s := book.System("benchmark")
	must := func(err error) {
		b.Helper()
		if err != nil {
			b.Fatal(err)
		}
	}
	must(s.Update(b.Context(), func(tx *clientele.Tx) error { return tx.Customers.SetSchema(sample.Schema()) }))
	load := func(from, to int) {
		_, err := s.Load(b.Context(), customer.LoadOptions{}, func(yield func(customer.Draft, error) bool) {
			for i := from; i < to; i++ {
				d := sample.Customer(1, i).Draft()
				d.Rep = fmt.Sprintf("rep%02d", i%40)
				if !yield(d, nil) {
					return
				}
			}
		})
		must(err)
	}
	old := n - n/10
	load(0, old)
	for month := range 12 {
		now = time.Date(2025, time.Month(month+1), 10, 0, 0, 0, 0, time.UTC)
		load(old+month*(n-old)/12, old+(month+1)*(n-old)/12)
		const batch = 1000
		for from := month * old / 12; from < (month+1)*old/12; from += batch {
			must(book.As(clientele.Actor{ID: "b", Relaxed: true}).Update(b.Context(), func(tx *clientele.Tx) error {
				return changeSome(tx, from, min(from+batch, (month+1)*old/12))
			}))
		}
	}
	now = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	return book
}

func changeSome(tx *clientele.Tx, from, to int) error {
	for i := from; i < to; i++ {
		id := customer.ID(i + 1)
		var err error
		switch i % 50 {
		case 0:
			_, err = tx.Customers.Archive(id)
		case 1:
			_, err = tx.Customers.Assign(id, 0, "rep99")
		case 2:
			var c *customer.Customer
			if c, err = tx.Customers.Get(id); err == nil {
				c.Note, c.Addresses = "moved", address("广东省")
				_, err = tx.Customers.Update(c)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// BenchmarkCount counts a year by five dimensions, with a trend and cohorts. peak-MB is by
// how much the heap of one more count rises above that of the open book, with the collector
// kept close behind.
func BenchmarkCount(b *testing.B) {
	n := rows()
	book := yearBook(b, n)
	ask := stocktake.Ask{
		Definition: stocktake.Definition{Dimensions: []string{"kind", "party", "status", "rep", "province"}, CrossTabs: [][2]string{{"province", "kind"}}, Cohorts: true},
		Opening:    instant(2025, 1, 1), Closing: instant(2026, 1, 1),
	}
	var r *stocktake.Result
	count := func() {
		var err error
		if r, err = book.System("benchmark").Stocktake().Count(b.Context(), ask); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		count()
	}
	perSecond := float64(n) * float64(b.N) / b.Elapsed().Seconds()
	if r.Reconciliation.Balance() != 0 || r.Reconciliation.New != int64(n/10) {
		b.Errorf("%+v", r.Reconciliation)
	}
	b.ReportMetric(perSecond, "customers/s")
	peak := peakHeap(count)
	b.ReportMetric(float64(peak)/(1<<20), "peak-MB")
	b.ReportMetric(float64(peak)/float64(n), "peak-B/customer")
}

// peakHeap returns by how many bytes the heap rises while do runs, what was garbage already
// left out.
func peakHeap(do func()) uint64 {
	defer debug.SetGCPercent(debug.SetGCPercent(1))
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	heap := func() uint64 {
		metrics.Read(sample)
		return sample[0].Value.Uint64()
	}
	runtime.GC()
	base, peak := heap(), uint64(0)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for ticker := time.NewTicker(time.Millisecond); ; {
			select {
			case <-ticker.C:
				peak = max(peak, heap())
			case <-stop:
				return
			}
		}
	}()
	do()
	close(stop)
	<-stopped
	return peak - min(base, peak)
}
