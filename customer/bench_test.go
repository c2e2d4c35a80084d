package customer_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/internal/sample"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv/pebblekv"
)

// rows is the size of the book that the benchmarks read from; set
// CLIENTELE_BENCH_ROWS for others.
func rows() int {
	if n, err := strconv.Atoi(os.Getenv("CLIENTELE_BENCH_ROWS")); err == nil {
		return n
	}
	return 100_000
}

func diskBook(b *testing.B) *book {
	b.Helper()
	customers, err := customer.New(customer.Options{})
	if err != nil {
		b.Fatal(err)
	}
	schema := &storage.Schema{}
	customers.AddTo(schema)
	engine, err := pebblekv.Open(b.TempDir(), pebblekv.Options{})
	if err != nil {
		b.Fatal(err)
	}
	st, err := storage.Open(context.Background(), engine, schema, nil, storage.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { st.Close() })
	book := &book{t: b, customers: customers, storage: st}
	book.update(func(tx *customer.Tx) error { return tx.SetSchema(sample.Schema()) })
	return book
}

func drafts(n int) func(func(customer.Draft, error) bool) {
	return func(yield func(customer.Draft, error) bool) {
		for c := range sample.Customers(1, n) {
			if !yield(c.Draft(), nil) {
				return
			}
		}
	}
}

func (b *book) load(n int) storage.Loaded {
	b.t.Helper()
	loaded, err := b.customers.Load(context.Background(), b.storage, clerk, customer.LoadOptions{Refused: func(int, error) {}}, drafts(n))
	if err != nil {
		b.t.Fatal(err)
	}
	return loaded
}

func BenchmarkLoad(b *testing.B) {
	n := rows()
	for b.Loop() {
		book := diskBook(b)
		loaded := book.load(n)
		if loaded.Rows < n*99/100 {
			b.Fatalf("loaded %+v", loaded)
		}
		h, err := book.storage.Health(context.Background())
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(h.Engine.DiskBytes)/float64(loaded.Rows), "B/row")
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

func BenchmarkCreateDurable(b *testing.B) {
	for _, writers := range []int{1, 16} {
		b.Run(fmt.Sprint("writers=", writers), func(b *testing.B) {
			book := diskBook(b)
			var next atomic.Int64
			list := make([]customer.Draft, 0, 20000)
			for c := range sample.Customers(2, cap(list)) {
				list = append(list, c.Draft())
			}
			b.SetParallelism(max(1, writers/2))
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					n := next.Add(1)
					d := list[int(n)%len(list)]
					d.Code, d.Identifiers, d.SourceKeys = fmt.Sprint("D", n), nil, []customer.SourceKey{{System: "bench", Key: fmt.Sprint(n)}}
					if err := book.try(func(tx *customer.Tx) error { _, err := tx.Create(d); return err }); err != nil {
						b.Error(err)
						return
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

func BenchmarkGet(b *testing.B) {
	book := diskBook(b)
	n := book.load(rows()).Rows
	codes := make([]string, 0, 1000)
	book.view(func(r *customer.Reader) error {
		for range cap(codes) {
			c, err := r.Get(customer.ID(rand.IntN(n) + 1))
			if err == nil {
				codes = append(codes, c.Code)
			}
		}
		return nil
	})
	b.Run("by=id", func(b *testing.B) {
		b.ReportAllocs()
		book.view(func(r *customer.Reader) error {
			for b.Loop() {
				if _, err := r.Get(customer.ID(rand.IntN(n*99/100) + 1)); err != nil {
					return err
				}
			}
			return nil
		})
	})
	b.Run("by=code", func(b *testing.B) {
		b.ReportAllocs()
		book.view(func(r *customer.Reader) error {
			for b.Loop() {
				if _, err := r.ByCode(codes[rand.IntN(len(codes))]); err != nil {
					return err
				}
			}
			return nil
		})
	})
}
