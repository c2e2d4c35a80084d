package dedupe_test

import (
	"cmp"
	"context"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/internal/sample"
)

// benchRows is the number of customers that benchmarks search among.
func benchRows() int {
	n, err := strconv.Atoi(os.Getenv("CLIENTELE_BENCH_ROWS"))
	if err != nil {
		return 20_000
	}
	return n
}

// BenchmarkCandidates asks for the customers that are like one, among many, and reports
// the latency of the middle and of the slowest hundredth.
func BenchmarkCandidates(bench *testing.B) {
	ctx := context.Background()
	book, err := clientele.Open(ctx, bench.TempDir(), clientele.Options{WithoutSearch: true, TickEvery: -1})
	if err != nil {
		bench.Fatal(err)
	}
	defer book.Close()
	me := book.As(clientele.Actor{ID: "bench"})
	rows := benchRows()
	err = me.Update(ctx, func(tx *clientele.Tx) error { return tx.Customers.SetSchema(sample.Schema()) })
	if err != nil {
		bench.Fatal(err)
	}
	_, err = me.Load(ctx, customer.LoadOptions{Refused: func(int, error) {}}, func(yield func(customer.Draft, error) bool) {
		for c := range sample.Customers(1, rows) {
			if !yield(c.Draft(), nil) {
				return
			}
		}
	})
	if err != nil {
		bench.Fatal(err)
	}
	var took []time.Duration
	found := 0
	i := 0
	for bench.Loop() {
		d := sample.Customer(1, i*7919%rows).Draft()
		i++
		d.Identifiers, d.Emails, d.Note = nil, nil, "asked for"
		began := time.Now()
		err := me.View(ctx, func(tx *clientele.ReadTx) error {
			list, err := tx.Dedupe.CandidatesFor(d)
			if len(list) > 0 {
				found++
			}
			return err
		})
		if err != nil {
			bench.Fatal(err)
		}
		took = append(took, time.Since(began))
	}
	slices.SortFunc(took, func(a, b time.Duration) int { return cmp.Compare(a, b) })
	bench.ReportMetric(float64(took[len(took)/2].Microseconds()), "µs-p50")
	bench.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "µs-p99")
	bench.ReportMetric(float64(found)/float64(len(took)), "found/op")
}
