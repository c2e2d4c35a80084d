package tagging

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"testing"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
	"github.com/clientele-go/clientele/storage/kv/pebblekv"
)

// queryRows is the size of the book that queries are measured on; set
// CLIENTELE_BENCH_ROWS for others.
func queryRows() int {
	if n, err := strconv.Atoi(os.Getenv("CLIENTELE_BENCH_ROWS")); err == nil {
		return n
	}
	return 50_000
}

// library is a book on disk whose customers have 3.4 tags each: one of 34 regions, one of
// 20 industries, each of five flags with a probability of 0.25 and each of five others
// with 0.03.
type library struct {
	shelf
	first                       customer.ID
	rows                        int
	engine                      kv.Engine
	region, industry, flag, few []TagID
}

// newLibrary makes a library of some customers, whose ids begin at first. With few, most
// customers have one of so many tags of another exclusive dimension, too.
func newLibrary(b testing.TB, first customer.ID, rows, few int) *library {
	customers, err := customer.New(customer.Options{})
	if err != nil {
		b.Fatal(err)
	}
	l := &library{shelf: shelf{t: b, customers: customers, tags: New(Options{})}, first: first, rows: rows}
	schema := &storage.Schema{}
	customers.AddTo(schema)
	l.tags.AddTo(schema)
	engine, err := pebblekv.Open(b.TempDir(), pebblekv.Options{})
	if err != nil {
		b.Fatal(err)
	}
	l.engine = engine
	if l.storage, err = storage.Open(context.Background(), engine, schema, nil, storage.Options{}); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(l.close)
	if first > 1 {
		startIDs(b, engine, uint64(first))
	}
	l.region, l.industry, l.flag = l.tagList("region", true, 34), l.tagList("industry", true, 20), l.tagList("flag", false, 10)
	if few > 0 {
		l.few = l.tagList("few", true, few)
	}
	if _, err := customers.Load(context.Background(), l.storage, librarian, customer.LoadOptions{}, l.drafts()); err != nil {
		b.Fatal(err)
	}
	if _, err := l.tags.Load(context.Background(), l.job(), l.assignments()); err != nil {
		b.Fatal(err)
	}
	return l
}

func (l *library) job() Job {
	return Job{Storage: l.storage, Customers: l.customers, Session: librarian}
}

func (l *library) tagList(dimension string, exclusive bool, n int) (ids []TagID) {
	l.update(func(_ *customer.Tx, tx *Tx) error {
		d, err := tx.CreateDimension(Dimension{Code: dimension, Exclusive: exclusive})
		if err != nil {
			return err
		}
		ids = nil
		for i := range n {
			t, err := tx.CreateTag(Tag{Dimension: d.ID, Code: fmt.Sprint(dimension[:1], i)})
			if err != nil {
				return err
			}
			ids = append(ids, t.ID)
		}
		return nil
	})
	return ids
}

func (l *library) drafts() iter.Seq2[customer.Draft, error] {
	return func(yield func(customer.Draft, error) bool) {
		for i := range l.rows {
			if !yield(customer.Draft{Name: "customer " + strconv.Itoa(i)}, nil) {
				return
			}
		}
	}
}

func (l *library) assignments() iter.Seq2[LoadRow, error] {
	return func(yield func(LoadRow, error) bool) {
		random := rand.New(rand.NewPCG(1, 2))
		row := LoadRow{}
		for i := range l.rows {
			row.ID, row.Assignments = l.first+customer.ID(i), append(row.Assignments[:0],
				Assignment{Tag: l.region[random.IntN(34)]}, Assignment{Tag: l.industry[random.IntN(20)]})
			for i, flag := range l.flag {
				if random.Float64() < []float64{0.25, 0.03}[i/5] {
					row.Assignments = append(row.Assignments, Assignment{Tag: flag})
				}
			}
			if len(l.few) > 0 && i%11 > 0 {
				row.Assignments = append(row.Assignments, Assignment{Tag: l.few[i%len(l.few)]})
			}
			if !yield(row, nil) {
				return
			}
		}
	}
}

// any is one of the customers.
func (l *library) any(random *rand.Rand) customer.ID {
	return l.first + customer.ID(random.IntN(l.rows))
}

// change moves some customers to other regions, each a change of two tags.
func (l *library) change(random *rand.Rand, customers int) error {
	return l.try(func(_ *customer.Tx, tx *Tx) error {
		for range customers {
			id := l.any(random)
			if _, err := tx.Replace(id, Assignment{Tag: l.region[random.IntN(34)]}); err != nil {
				return err
			}
		}
		return nil
	})
}

// writeAlong makes 5,000 tag changes a second until stopped, and returns how many.
func (l *library) writeAlong(b *testing.B) (stop func() int) {
	quit, done, changes := make(chan bool), make(chan bool), 0
	go func() {
		defer close(done)
		random := rand.New(rand.NewPCG(3, 4))
		for tick := time.NewTicker(20 * time.Millisecond); ; {
			select {
			case <-quit:
				tick.Stop()
				return
			case <-tick.C:
			}
			if err := l.change(random, 50); err != nil {
				b.Error(err)
				return
			}
			changes += 100
		}
	}()
	return func() int { close(quit); <-done; return changes }
}

// questions are what is measured.
var questions = []struct {
	name string
	ask  func(r *Reader) error
}{
	{"CountOfFiveTags", func(r *Reader) error {
		_, err := r.Count(Query{Filter: "flag:f0 AND flag:f1 AND flag:f2 AND flag:f3 AND flag:f4"})
		return err
	}},
	{"CountOfFiveTerms", func(r *Reader) error {
		_, err := r.Count(Query{Filter: "flag:f0 AND NOT flag:f1 AND (industry:i0 OR industry:i1) AND region:r0"})
		return err
	}},
	{"FirstPage", func(r *Reader) error {
		_, _, err := r.Page(Query{Filter: "flag:f0 AND NOT flag:f1 AND industry:i0"}, 0, 50)
		return err
	}},
	{"CrossTab20x34", func(r *Reader) error {
		_, err := r.CrossTab(Query{}, Axis{Field: "industry"}, Axis{Field: "region"})
		return err
	}},
	{"FacetOf34", func(r *Reader) error {
		_, err := r.Facet(Query{Filter: "flag:f0"}, Axis{Field: "region"})
		return err
	}},
	{"Contains", func(r *Reader) error {
		_, err := r.Contains(Query{Filter: "flag:f0 AND NOT flag:f1 AND industry:i0"}, 1000)
		return err
	}},
}

// BenchmarkQueries asks each question on a book at rest, and then while 5,000 tags a
// second are being changed. B-peak is what a query has in memory besides the engine's cache,
// at most: all that it allocates when nothing is left of earlier ones.
//
// A customer takes 123 B of disk here, and twice that while the book is compacted; memory is
// the engine's cache, an eighth of the machine's, and some 0.5 GB to load with.
func BenchmarkQueries(b *testing.B) {
	l := newLibrary(b, 1, queryRows(), 0)
	stats := l.rest()
	b.Run("book", func(b *testing.B) {
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(float64(stats.DiskBytes)/float64(l.rows), "disk-B/customer")
		b.ReportMetric(float64(stats.CacheBytes), "cache-B")
	})
	b.Run("rest", func(b *testing.B) { l.askAll(b, l.peak) })
	b.Run("written", func(b *testing.B) {
		stop, began := l.writeAlong(b), time.Now()
		time.Sleep(time.Second)
		l.askAll(b, nil)
		changes := float64(stop()) / time.Since(began).Seconds()
		b.Run("changes", func(b *testing.B) {
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(changes, "changes/s")
		})
	})
}

// rest waits until what a load left to be compacted is done, a minute at most.
func (l *library) rest() kv.Stats {
	stats := l.engine.Stats()
	for range 60 {
		time.Sleep(time.Second)
		before := stats
		if stats = l.engine.Stats(); stats.DiskBytes == before.DiskBytes && stats.CompactionDebt == before.CompactionDebt {
			break
		}
	}
	return stats
}

func (l *library) askAll(b *testing.B, peak func(ask func()) uint64) {
	for _, q := range questions {
		b.Run(q.name, func(b *testing.B) {
			ask := func() {
				l.view(nil, func(r *Reader) {
					if err := q.ask(r); err != nil {
						b.Fatal(err)
					}
				})
			}
			ask() // what it reads is in the cache from here on
			most := uint64(0)
			if peak != nil {
				most = peak(ask)
			}
			b.ReportAllocs()
			for b.Loop() {
				ask()
			}
			if peak != nil {
				b.ReportMetric(float64(most), "B-peak")
			}
		})
	}
}

// peak is the memory that a question needs when all pools are empty and nothing is collected
// meanwhile.
func (l *library) peak(ask func()) uint64 {
	runtime.GC()
	runtime.GC() // pools give their memory back in two rounds
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	ask()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}
