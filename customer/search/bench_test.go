package search

import (
	"context"
	"fmt"
	"iter"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/internal/sample"
)

// benchRows is how many customers the benchmarks index.
func benchRows(b *testing.B) int {
	n, err := strconv.Atoi(os.Getenv("CLIENTELE_BENCH_ROWS"))
	if err != nil {
		return 100_000
	}
	return n
}

var benchOptions = Options{Attributes: []string{"industry", "level"}}

func samples(n int) iter.Seq2[*customer.Customer, error] {
	return func(yield func(*customer.Customer, error) bool) {
		for c := range sample.Customers(1, n) {
			if !yield(c, nil) {
				return
			}
		}
	}
}

// meter reports what happened since it was started for each of n customers.
type meter struct {
	wall time.Time
	cpu  time.Duration
}

func startMeter() meter { return meter{time.Now(), processTime()} }

func (m meter) report(b *testing.B, n int) {
	b.ReportMetric(float64(n)/time.Since(m.wall).Seconds(), "customers/s")
	b.ReportMetric(float64((processTime()-m.cpu).Nanoseconds())/1e3/float64(n), "cpu-µs/customer")
}

// BenchmarkBuild includes making the sample customers, 2 µs each.
func BenchmarkBuild(b *testing.B) {
	n := benchRows(b)
	for b.Loop() {
		x, err := Create(b.TempDir(), benchOptions)
		if err != nil {
			b.Fatal(err)
		}
		peak := watchHeap()
		m := startMeter()
		if err := x.Build(context.Background(), samples(n), "", 1, nil); err != nil {
			b.Fatal(err)
		}
		m.report(b, n)
		b.ReportMetric(float64(peak())/1e6, "peak-heap-MB")
		reportSize(b, x)
		if err := x.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

func reportSize(b *testing.B, x *Index) {
	s, err := x.Stats()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(s.Bytes)/float64(s.Documents), "B/customer")
	b.ReportMetric(float64(s.Segments), "segments")
}

// watchHeap returns a function that returns the largest heap in use until then.
func watchHeap() func() uint64 {
	runtime.GC()
	stop, done := make(chan struct{}), make(chan uint64)
	go func() {
		var peak uint64
		var m runtime.MemStats
		for {
			runtime.ReadMemStats(&m)
			peak = max(peak, m.HeapInuse)
			select {
			case <-stop:
				done <- peak
				return
			case <-time.After(50 * time.Millisecond):
			}
		}
	}()
	return func() uint64 { close(stop); return <-done }
}

// BenchmarkApply feeds a new index in batches and waits until all is on disk.
func BenchmarkApply(b *testing.B) {
	for _, size := range []int{100, 1_000, 10_000} {
		b.Run(fmt.Sprintf("batch=%d", size), func(b *testing.B) {
			n := min(benchRows(b), 1000*size)
			for b.Loop() {
				x, err := Create(b.TempDir(), benchOptions)
				if err != nil {
					b.Fatal(err)
				}
				m := startMeter()
				cursor := uint64(0)
				for piece := range slices.Chunk(slices.Collect(sample.Customers(1, n)), size) {
					apply(b, x, Batch{Put: piece, After: cursor, Cursor: cursor + 1})
					cursor++
				}
				if err := x.Flush(context.Background()); err != nil {
					b.Fatal(err)
				}
				m.report(b, n)
				reportSize(b, x)
				if err := x.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// built is an index of sample customers that the query benchmarks share. With
// CLIENTELE_BENCH_DIR it stays there for the next run.
var built struct {
	once      sync.Once
	index     *Index
	temporary string // folder to be removed
	err       error
}

func builtIndex(b *testing.B) *Index {
	built.once.Do(func() {
		dir := os.Getenv("CLIENTELE_BENCH_DIR")
		if dir == "" {
			if dir, built.err = os.MkdirTemp("", "search-bench"); built.err != nil {
				return
			}
			built.temporary = dir
		}
		if built.index, built.err = Open(dir, benchOptions); built.err == nil {
			return
		}
		if built.index, built.err = Create(dir, benchOptions); built.err == nil {
			built.err = built.index.Build(context.Background(), samples(benchRows(b)), "", 1, nil)
		}
	})
	if built.err != nil {
		b.Fatal(built.err)
	}
	return built.index
}

// typed are the texts of the query benchmarks: what a user has typed after each key.
func typed(words ...string) []string {
	var all []string
	for _, w := range words {
		runes := []rune(w)
		for i := range runes {
			all = append(all, string(runes[:i+1]))
		}
	}
	return all
}

// latencies runs a query for each text and reports the middle and the slowest ones.
func latencies(b *testing.B, texts []string, run func(text string) error) {
	for _, text := range texts { // warm up
		if err := run(text); err != nil {
			b.Fatal(err)
		}
	}
	var times []time.Duration
	i := 0
	for b.Loop() {
		start := time.Now()
		if err := run(texts[i%len(texts)]); err != nil {
			b.Fatal(err)
		}
		times = append(times, time.Since(start))
		i++
	}
	slices.Sort(times)
	at := func(share float64) float64 {
		return float64(times[int(share*float64(len(times)-1))].Microseconds()) / 1e3
	}
	b.ReportMetric(at(0.5), "p50-ms")
	b.ReportMetric(at(0.99), "p99-ms")
	b.ReportMetric(at(1), "max-ms")
}

func BenchmarkPick(b *testing.B) {
	x := builtIndex(b)
	pick := func(text string) error {
		_, err := x.Pick(context.Background(), Query{Text: text, Limit: 10})
		return err
	}
	for name, texts := range map[string][]string{
		"characters": typed("深圳市华鑫科技有限公司", "北京盛达贸易", "王伟", "欣兴电子", "鑫"),
		"pinyin":     typed("shenzhenhuaxin", "wangwei", "chongqing", "beijingshengda"),
		"initials":   typed("szhxkj", "bjsdmy", "zgw", "shjj"),
		"latin":      typed("acme trading", "johnson", "pacific foods ltd"),
		"typo":       {"jonson", "pasific", "tecnologies", "andersen"},
		"digits":     typed("13812345678", "075526712345", "C000123"),
		"mixed":      {"华鑫 深圳", "wang 138", "盛达 北京 贸易", "acme london", "info 上海"},
	} {
		b.Run(name, func(b *testing.B) { latencies(b, texts, pick) })
	}
}

func BenchmarkSearch(b *testing.B) {
	x := builtIndex(b)
	for name, q := range map[string]Query{
		"plain":  {},
		"facets": {Facets: []Field{FieldStatus, FieldProvince, FieldCity, FieldRep, Attribute("industry")}},
		"filter": {Filter: []Condition{{Field: FieldProvince, Values: []string{"广东省", "上海市"}}, {Field: FieldKind, Values: []string{"buyer"}}}},
		"within": {Within: evens{}},
	} {
		b.Run(name, func(b *testing.B) {
			latencies(b, []string{
				"华鑫", "深圳市", "有限公司", "科技", "szhx", "wang", "shanghai", "acme", "johnson",
				"138", "7099", "info", "gmail.com", "人民路", "王", "C0001", "华鑫 深圳", "贸易 人民路 13",
			}, func(text string) error {
				q.Text = text
				_, err := x.Search(context.Background(), q)
				return err
			})
		})
	}
	b.Run("list", func(b *testing.B) {
		latencies(b, []string{""}, func(text string) error {
			_, err := x.Search(context.Background(), Query{})
			return err
		})
	})
}

// evens is a scope that sees every second customer.
type evens struct{}

func (evens) Contains(id customer.ID) bool { return id%2 == 0 }
