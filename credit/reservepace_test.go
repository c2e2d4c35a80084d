package credit_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/storage/kv/pebblekv"
)

// The load of BenchmarkReservePaced: so many reservations a second by all workers together.
const (
	pacedRate    = 2000
	pacedWorkers = 16
	pacedPart    = 500 // reservations, and then as many syncs of the bare disk
)

// BenchmarkReservePaced reserves durably on disk, from 16 goroutines on customers of their
// own, 2,000 times a second altogether: each reservation has its time, and what it takes is
// counted from then on, so that one that has to wait for those before it isn't forgotten. In
// between, the disk alone is written and synced at the same pace, as far as one goroutine
// comes: as many bytes as a reservation adds to the log, for each one, of which the mere
// write and sync are counted. The quotient is that of both 99th percentiles of one run.
func BenchmarkReservePaced(b *testing.B) {
	bytes := make([]byte, reserveLogBytes(b))
	dir := b.TempDir()
	engine, err := pebblekv.Open(dir, pebblekv.Options{})
	if err != nil {
		b.Fatal(err)
	}
	d := openDesk(b, credit.Options{}, engine)
	defer d.close()
	customers := d.manyCustomers(pacedWorkers*64, true)
	probe, err := os.Create(filepath.Join(dir, "probe"))
	if err != nil {
		b.Fatal(err)
	}
	defer probe.Close()
	var reserved, synced []time.Duration
	busy := time.Duration(0)
	b.ResetTimer()
	for n := 0; n < b.N; n += pacedPart {
		count := min(pacedPart, b.N-n)
		used := usedCPU()
		reserved = append(reserved, paced(count, pacedWorkers, func(i int) error {
			return d.order(fmt.Sprint("order ", n+i), customers[(n+i)%len(customers)], 1)
		}, b)...)
		busy += usedCPU() - used
		paced(count, 1, func(int) error {
			began := time.Now()
			_, err := probe.Write(bytes)
			err = errors.Join(err, probe.Sync())
			synced = append(synced, time.Since(began))
			return err
		}, b)
	}
	b.StopTimer()
	slices.Sort(reserved)
	slices.Sort(synced)
	for _, at := range []struct {
		name     string
		per1000  int
		quotient bool
	}{{"p50", 500, false}, {"p99", 990, true}, {"max", 1000, false}} {
		r, s := quantile(reserved, at.per1000), quantile(synced, at.per1000)
		b.ReportMetric(float64(r.Microseconds()), at.name+"-µs")
		b.ReportMetric(float64(s.Microseconds()), at.name+"-sync-µs")
		if at.quotient {
			b.ReportMetric(float64(r)/float64(s), at.name+"/sync")
		}
	}
	b.ReportMetric(float64(len(bytes)), "log-B/op")
	b.ReportMetric(float64(busy.Microseconds())/float64(b.N), "cpu-µs/op")
}

// reserveLogBytes is what a reservation adds to the log, measured with a book of its own: the log
// that is timed is the engine's alone.
func reserveLogBytes(b *testing.B) int64 {
	log := &logMeter{FS: vfs.Default}
	engine, err := pebblekv.Open(b.TempDir(), pebblekv.Options{FS: log})
	if err != nil {
		b.Fatal(err)
	}
	d := openDesk(b, credit.Options{}, engine)
	defer d.close()
	customers := d.manyCustomers(pacedWorkers, true)
	before := log.bytes.Load()
	for i := range pacedPart {
		if err := d.order(fmt.Sprint("order ", i), customers[i%len(customers)], 1); err != nil {
			b.Fatal(err)
		}
	}
	return (log.bytes.Load() - before) / pacedPart
}

func quantile(sorted []time.Duration, per1000 int) time.Duration {
	return sorted[(len(sorted)-1)*per1000/1000]
}

// paced does n things at pacedRate, each by the first of the workers that is free, and returns
// how long after its time each was done. The clock waits for nothing but the time.
func paced(n, workers int, do func(i int) error, b *testing.B) []time.Duration {
	took := make([]time.Duration, n)
	due := make(chan int, n)
	began := time.Now().Add(time.Millisecond)
	at := func(i int) time.Time { return began.Add(time.Duration(i) * time.Second / pacedRate) }
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for i := range due {
				if err := do(i); err != nil {
					b.Error(err)
				}
				took[i] = time.Since(at(i))
			}
		})
	}
	all.Go(func() {
		defer close(due)
		for i := range n {
			sleepUntil(at(i))
			due <- i
		}
	})
	all.Wait()
	return took
}

// logMeter counts the bytes that are written to Pebble's log.
type logMeter struct {
	vfs.FS
	bytes atomic.Int64
}

func (m *logMeter) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := m.FS.Create(name, category)
	return m.meter(name, f), err
}

func (m *logMeter) ReuseForWrite(former, name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := m.FS.ReuseForWrite(former, name, category)
	return m.meter(name, f), err
}

func (m *logMeter) meter(name string, f vfs.File) vfs.File {
	if f == nil || !strings.HasSuffix(name, ".log") {
		return f
	}
	return &meteredFile{f, m}
}

type meteredFile struct {
	vfs.File
	meter *logMeter
}

func (f *meteredFile) Write(p []byte) (int, error) {
	n, err := f.File.Write(p)
	f.meter.bytes.Add(int64(n))
	return n, err
}
