package pebblekv

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/clientele-go/clientele/storage/kv"
)

// loadPart is what storage hands over of a bulk load at a time: records with ascending
// ids, and six index runs whose keys lie among those of the other parts.
type loadPart struct {
	first, rows int
	indexes     [indexKeys][][]byte
}

// loadRows make some 96 MiB of keys and values.
const loadRows = 130_000

var noise = func() []byte {
	random := rand.New(rand.NewPCG(1, 1))
	pool := make([]byte, 1<<20)
	for i := 0; i < len(pool); i += 2 { // half of it compresses
		pool[i] = byte(random.Uint32())
	}
	return pool
}()

func newLoadPart(first, rows int) *loadPart {
	p := &loadPart{first: first, rows: rows}
	for x := range p.indexes {
		for i := range rows {
			id := uint64(first + i)
			key := binary.BigEndian.AppendUint64([]byte{'i', byte(x)}, id*0x9E3779B97F4A7C15>>x)
			p.indexes[x] = append(p.indexes[x], binary.BigEndian.AppendUint64(append(key, noise[id%1000:][:10]...), id))
		}
		slices.SortFunc(p.indexes[x], bytes.Compare)
	}
	return p
}

func (p *loadPart) runs() []kv.Run {
	runs := []kv.Run{records{p.first, p.rows}}
	for _, keys := range p.indexes {
		runs = append(runs, indexRun(keys))
	}
	return runs
}

type records struct{ first, n int }

func (r records) Len() int           { return r.n }
func (r records) Key(i int) []byte   { return rowKey(r.first + i) }
func (r records) Value(i int) []byte { return noise[(r.first+i)*7919%(len(noise)-430):][:430] }

type indexRun [][]byte

func (r indexRun) Len() int         { return len(r) }
func (r indexRun) Key(i int) []byte { return r[i] }
func (r indexRun) Value(int) []byte { return nil }

// BenchmarkLoad loads parts of 96 MiB with six indexes and a journal, and lets compactions come
// to rest. It reports processor time, since that says most on a busy machine, and how often
// what was loaded was written.
func BenchmarkLoad(b *testing.B) {
	const parts = 8
	payload := bytes.Repeat([]byte("journal "), 4)
	for range b.N {
		e := mustOpen(b, b.TempDir(), Options{})
		var during, making time.Duration
		begun := processorTime(b)
		for n := range parts {
			before := processorTime(b)
			p := newLoadPart(n*loadRows, loadRows)
			making += processorTime(b) - before // a compaction may run meanwhile
			journal := make([][]byte, loadRows/256)
			for i := range journal {
				journal[i] = bytes.Repeat(payload, 256)
			}
			s, err := e.Snapshot(b.Context())
			must(b, err)
			_, err = e.Ingest(b.Context(), &kv.Load{Since: s.Stamp(), Runs: p.runs(), Journal: journal})
			must(b, err)
			must(b, s.Close())
		}
		during = processorTime(b) - begun - making
		atEnd := e.db.Metrics()
		for m := atEnd; m.Compact.NumInProgress > 0 || m.Compact.EstimatedDebt > 0 && m.Levels[0].Sublevels > 1; m = e.db.Metrics() {
			time.Sleep(50 * time.Millisecond)
		}
		total := processorTime(b) - begun - making
		m := e.db.Metrics()
		t := m.Total()
		b.ReportMetric(during.Seconds()/parts/loadRows*1e6, "cpu-µs/row-during")
		b.ReportMetric(total.Seconds()/parts/loadRows*1e6, "cpu-µs/row")
		b.ReportMetric(float64(t.TableBytesIngested+t.TableBytesCompacted)/float64(t.TableBytesIngested), "written/loaded")
		b.ReportMetric(float64(atEnd.Levels[0].Sublevels), "runs-at-end")
		b.ReportMetric(float64(m.ReadAmp()), "runs-at-rest")
		b.Log(m.String())
		must(b, e.Close())
	}
}

func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	must(b, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
