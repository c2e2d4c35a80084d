package pebblekv

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/cockroachdb/pebble/v2"

	"github.com/clientele-go/clientele/storage/kv"
)

// rows is a run of records of some 430 bytes, half of which compresses, under keys as
// those of records are: a table number and a dense id.
type rows struct{ first, n int }

func (r rows) Len() int           { return r.n }
func (r rows) Key(i int) []byte   { return rowKey(r.first + i) }
func (r rows) Value(i int) []byte { return rowValue(r.first + i) }

func rowKey(id int) []byte { return appendRowKey(nil, id) }

func appendRowKey(to []byte, id int) []byte {
	return binary.BigEndian.AppendUint64(append(to, 'r', 1), uint64(id))
}

var filler = strings.Repeat("台灣水泥股份有限公司 Taiwan Cement ", 5)

func rowValue(id int) []byte {
	random := rand.New(rand.NewPCG(uint64(id), 1))
	value := make([]byte, 0, 430)
	for range 27 {
		value = binary.LittleEndian.AppendUint64(value, random.Uint64())
	}
	return append(value, filler[:430-len(value)]...)
}

// loaded is an engine with n rows, for reading.
func loaded(b *testing.B, n int) *Engine {
	b.Helper()
	e := mustOpen(b, b.TempDir(), Options{})
	_, err := e.Ingest(b.Context(), &kv.Load{Runs: []kv.Run{rows{0, n}}})
	must(b, err)
	return e
}

const benchRows = 200_000

func BenchmarkGet(b *testing.B) {
	e := loaded(b, benchRows)
	s, err := e.Snapshot(b.Context())
	must(b, err)
	defer s.Close()
	raw := e.db.NewSnapshot()
	defer raw.Close()
	for _, test := range []struct {
		name string
		tail []byte
	}{{"hit", nil}, {"miss", []byte{1}}} {
		key := func(to []byte) []byte { return append(appendRowKey(to, rand.IntN(benchRows)), test.tail...) }
		b.Run(test.name, func(b *testing.B) {
			b.ReportAllocs()
			var dst, buf []byte
			for b.Loop() {
				buf = key(buf[:0])
				if dst, _, err = s.Get(context.Background(), buf, dst[:0]); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(test.name+"/raw Pebble", func(b *testing.B) {
			b.ReportAllocs()
			var buf []byte
			for b.Loop() {
				buf = key(buf[:0])
				_, closer, err := raw.Get(buf)
				if errors.Is(err, pebble.ErrNotFound) {
					continue
				}
				must(b, err)
				must(b, closer.Close())
			}
		})
	}
}

func BenchmarkScan(b *testing.B) {
	e := loaded(b, benchRows)
	s, err := e.Snapshot(b.Context())
	must(b, err)
	defer s.Close()
	for _, length := range []int{10, 100_000} {
		b.Run(fmt.Sprint(length), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				first := rand.IntN(benchRows - length)
				n := 0
				for _, err := range s.Scan(b.Context(), kv.Range{Lower: rowKey(first), Upper: rowKey(first + length)}, false) {
					must(b, err)
					n++
				}
				if n != length {
					b.Fatalf("%d keys", n)
				}
			}
			b.ReportMetric(float64(b.N*length)/b.Elapsed().Seconds(), "keys/s")
		})
	}
}

// BenchmarkApply commits one row a batch with a journal entry, each synced.
func BenchmarkApply(b *testing.B) {
	for _, writers := range []int{1, 16, 64} {
		b.Run(fmt.Sprintf("%d writers", writers), func(b *testing.B) {
			e := mustOpen(b, b.TempDir(), Options{})
			var next atomic.Int64
			b.ResetTimer()
			var working sync.WaitGroup
			for range writers {
				working.Go(func() {
					for id := next.Add(1); id <= int64(b.N); id = next.Add(1) {
						batch := kv.Batch{Journal: []byte("a journal entry of some size, as they are")}
						batch.Set(rowKey(int(id)), rowValue(int(id)))
						if _, err := e.Apply(context.Background(), &batch); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			working.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commits/s")
		})
	}
}

// indexKeys is how many index keys a row has beside its record.
const indexKeys = 6

func addRow(batch *kv.Batch, id int) {
	batch.Set(rowKey(id), rowValue(id))
	for i := range indexKeys {
		key := binary.BigEndian.AppendUint64([]byte{'i', byte(i)}, uint64(id)*0x9E3779B97F4A7C15>>i)
		batch.Set(binary.BigEndian.AppendUint64(key, uint64(id)), nil)
	}
}

// BenchmarkBatch commits 1,000 rows with six indexes at a time.
func BenchmarkBatch(b *testing.B) {
	const size = 1000
	e := mustOpen(b, b.TempDir(), Options{})
	id := 0
	for b.Loop() {
		batch := kv.Batch{Journal: []byte("a thousand rows"), Durability: kv.Relaxed}
		for range size {
			id++
			addRow(&batch, id)
		}
		_, err := e.Apply(b.Context(), &batch)
		must(b, err)
	}
	b.ReportMetric(float64(b.N*size)/b.Elapsed().Seconds(), "rows/s")
	must(b, e.Close())
}

// BenchmarkIngest loads sorted rows, without indexes.
func BenchmarkIngest(b *testing.B) {
	const size = 100_000
	e := mustOpen(b, b.TempDir(), Options{})
	first := 0
	for b.Loop() {
		s, err := e.Snapshot(b.Context())
		must(b, err)
		_, err = e.Ingest(b.Context(), &kv.Load{Since: s.Stamp(), Runs: []kv.Run{rows{first, size}}, Journal: [][]byte{[]byte("rows")}})
		must(b, err)
		must(b, s.Close())
		first += size
	}
	b.ReportMetric(float64(first)/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(float64(e.Stats().DiskBytes)/float64(first), "B/row")
}

// BenchmarkPendingDeltas reads a bitmap of 65,536 members into which 5,000 deltas of
// one member were merged, before and after a flush folds them; with and without the
// engine's own folding (foldAfter).
func BenchmarkPendingDeltas(b *testing.B) {
	for _, folding := range []bool{true, false} {
		e := mustOpen(b, "", Options{InMemory: true})
		full := roaring.New()
		for member := uint32(0); member < 1<<16; member += 2 {
			full.Add(member)
		}
		key := []byte("chunk")
		var batch kv.Batch
		batch.Set(key, kv.BitmapValue(full))
		_, err := e.Apply(b.Context(), &batch)
		must(b, err)
		for i := range 5000 {
			batch := kv.Batch{Durability: kv.Relaxed}
			batch.Merge(key, kv.BitmapDelta(roaring.BitmapOf(uint32(i*13)%65_536), nil))
			_, err := e.Apply(b.Context(), &batch)
			must(b, err)
			if !folding {
				e.pending = pendingDeltas{}
			}
		}
		for _, state := range []string{"before flush", "after flush"} {
			b.Run(fmt.Sprintf("folding %v/%s", folding, state), func(b *testing.B) {
				var dst []byte
				for b.Loop() {
					s, err := e.Snapshot(b.Context())
					must(b, err)
					dst, _, err = s.Get(b.Context(), key, dst[:0])
					must(b, err)
					must(b, s.Close())
				}
			})
			must(b, e.db.Flush())
		}
	}
}

// BenchmarkReadBesideDeltas reads 16 full chunks while 5,000 deltas a second are merged into
// them, as when a tag is given to many customers that are being listed.
func BenchmarkReadBesideDeltas(b *testing.B) {
	const chunks, rate = 16, 5000
	e := mustOpen(b, "", Options{InMemory: true})
	keys := make([][]byte, chunks)
	full := roaring.New()
	for member := uint32(0); member < 1<<16; member += 2 {
		full.Add(member)
	}
	var batch kv.Batch
	for i := range keys {
		keys[i] = fmt.Append(nil, "chunk", i)
		batch.Set(keys[i], kv.BitmapValue(full))
	}
	_, err := e.Apply(b.Context(), &batch)
	must(b, err)
	merge := func(i int) {
		batch := kv.Batch{Durability: kv.Relaxed}
		batch.Merge(keys[i%chunks], kv.BitmapDelta(roaring.BitmapOf(uint32(i*13)%65_536), nil))
		if _, err := e.Apply(context.Background(), &batch); err != nil {
			b.Error(err)
		}
	}
	for i := range 2 * rate { // as after two seconds
		merge(i)
	}
	ctx, stop := context.WithCancel(b.Context())
	var working sync.WaitGroup
	working.Go(func() {
		begun := time.Now()
		for i := 0; ctx.Err() == nil; i++ {
			time.Sleep(time.Until(begun.Add(time.Duration(i) * time.Second / rate)))
			merge(i)
		}
	})
	b.ResetTimer()
	var dst []byte
	for b.Loop() {
		s, err := e.Snapshot(b.Context())
		must(b, err)
		for _, key := range keys {
			dst, _, err = s.Get(b.Context(), key, dst[:0])
			must(b, err)
		}
		must(b, s.Close())
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*chunks), "µs/chunk")
	stop()
	working.Wait()
}

func BenchmarkMerge(b *testing.B) {
	e := mustOpen(b, "", Options{InMemory: true})
	i := uint32(0)
	for b.Loop() {
		i++
		batch := kv.Batch{Durability: kv.Relaxed}
		batch.Merge([]byte("chunk"), kv.BitmapDelta(roaring.BitmapOf(i*13%65_536), nil))
		_, err := e.Apply(b.Context(), &batch)
		must(b, err)
	}
}
