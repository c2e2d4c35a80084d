package capacity

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/clientele-go/clientele/bench/stat"
)

// Soaked is what came of a long mixed load.
type Soaked struct {
	Customers int      `json:"customers"`
	Seconds   float64  `json:"seconds"`
	Mixed     *Mixed   `json:"mixed,omitempty"`
	Samples   []Sample `json:"samples"`
	// Findings are what crept; none is well.
	Findings []Finding `json:"findings"`
	// Verified tells how the book's own verification ended: "in order", or the first
	// difference, or empty when the load was stopped before.
	Verified string `json:"verified,omitempty"`
}

// Sample is how the process and the book were at a moment, and what was answered since
// the one before.
type Sample struct {
	Second         float64 `json:"second"` // since the load began
	ResidentBytes  int64   `json:"resident_bytes"`
	HeapBytes      int64   `json:"heap_bytes"`
	OpenFiles      int     `json:"open_files"`
	Goroutines     int     `json:"goroutines"`
	CompactionDebt int64   `json:"compaction_debt_bytes"`
	ViewLag        uint64  `json:"view_lag_entries"` // of the view that is farthest behind
	Answers        int64   `json:"answers"`
	P50            float64 `json:"p50"`
	P99            float64 `json:"p99"`
	Problems       int     `json:"problems"` // that the book's health reports
	// OtherCores is how many cores other programs kept busy since the sample before: when
	// that grows, so do latencies.
	OtherCores float64 `json:"other_cores"`
}

// Finding is a quantity that grew while the load stayed the same.
type Finding struct {
	What   string  `json:"what"`
	Before float64 `json:"before"` // median of the first third after the start
	After  float64 `json:"after"`  // median of the last third
	P      float64 `json:"p"`      // probability of such a difference by chance
}

// SoakOptions say what a soak does.
type SoakOptions struct {
	Options               // Customers is the size of the book, 0 for 100,000; levels and steps are not looked at
	For     time.Duration // 0 is ten minutes
}

const (
	defaultSoak          = 10 * time.Minute
	defaultSoakCustomers = 100_000
	soakSamples          = 120
)

// Soak puts a mixed load on a book for some time, watches the process and the book, and
// verifies the book at the end. When ctx ends it early, the report holds what there is.
func Soak(ctx context.Context, o SoakOptions) (*Report, error) {
	if o.For == 0 {
		o.For = defaultSoak
	}
	if o.Customers == 0 {
		o.Customers = defaultSoakCustomers
	}
	o.Steps = []int{o.Customers}
	full, err := o.Options.withDefaults()
	if err != nil {
		return nil, err
	}
	dir, clean, err := folder(o.Dir)
	if err != nil {
		return nil, err
	}
	r := &runner{Options: full, dir: dir, began: time.Now()}
	if err = r.start(ctx); err == nil {
		err = r.soak(ctx, o.For)
	}
	if r.report != nil {
		r.report.Seconds = r.before + time.Since(r.began).Seconds()
		r.report.Stopped = r.stopOf(err)
		if o.Dir != "" && len(r.report.Steps) > 0 {
			r.report.conclude()
		}
		if o.Dir != "" {
			err = errors.Join(err, r.report.save(filepath.Join(dir, stateFile)))
		}
	}
	return r.report, errors.Join(r.problem(err), clean())
}

func (r *runner) soak(ctx context.Context, most time.Duration) (err error) {
	defer func() { err = errors.Join(err, r.book.Close()) }()
	r.watch = startWatch(r.dir, r.report.Settings.DiskReserve, r.memoryBound())
	defer r.watch.stop()
	ctx, cancel := r.watch.during(ctx)
	defer cancel()
	n, err := r.book.loadedAtLeast(ctx, r.Customers)
	if err != nil {
		return err
	}
	if _, err := r.book.grow(ctx, n, r.Progress.part); err != nil {
		return r.cause(ctx, err)
	}
	r.Progress.say("%s customers; %.0f requests a second for %v", count(n), r.Rate, most)
	s := &soaking{runner: r, report: &Soaked{Customers: n, Findings: []Finding{}}, window: newHistogram()}
	r.report.Soak = s.report
	if err := s.run(ctx, most); err != nil {
		return r.cause(ctx, err)
	}
	return &stopError{Stop{Why: StoppedCustomers, Detail: fmt.Sprintf("%v of mixed load are done", most)}}
}

// loadedAtLeast is how many customers of the workload a book holds already, or the number
// that it is to hold.
func (b *book) loadedAtLeast(ctx context.Context, n int) (int, error) {
	g := &growth{book: b, to: 1 << 30}
	have, err := g.loaded(ctx)
	return max(n, have), err
}

// soaking is one long load.
type soaking struct {
	*runner
	report *Soaked
	began  time.Time
	mu     sync.Mutex
	window *hdrhistogram.Histogram
	busy   busy // since the last sample
}

func (s *soaking) run(ctx context.Context, most time.Duration) error {
	l, err := newLoad(ctx, s.book, s.Rate)
	if err != nil {
		return err
	}
	l.observe = func(_, took time.Duration) {
		s.mu.Lock()
		defer s.mu.Unlock()
		record(s.window, took)
	}
	s.began, s.busy = time.Now(), startBusy()
	quit, sampled := make(chan struct{}), make(chan error, 1)
	go func() { sampled <- s.sample(ctx, quit, most/soakSamples) }()
	mixed, err := l.run(ctx, most)
	close(quit)
	err = errors.Join(err, <-sampled)
	s.report.Seconds, s.report.Mixed = time.Since(s.began).Seconds(), mixed
	s.report.Findings = creeping(s.report.Samples)
	if err != nil {
		return err
	}
	return s.verify(ctx)
}

// sample takes a sample each time until it is told to quit.
func (s *soaking) sample(ctx context.Context, quit <-chan struct{}, every time.Duration) error {
	tick := time.NewTicker(max(every, 50*time.Millisecond))
	defer tick.Stop()
	said := time.Now()
	for {
		select {
		case <-quit:
			return nil
		case <-tick.C:
		}
		one, err := s.now(ctx)
		if err != nil {
			return err
		}
		s.report.Samples = append(s.report.Samples, one)
		if time.Since(said) > 10*time.Second {
			said = time.Now()
			s.Progress.say("%5.0f s  p50 %s  p99 %s  %s of memory, heap %s, %d goroutines, %d files, view %d behind", one.Second,
				valueText(one.P50, seconds), valueText(one.P99, seconds), bytesText(one.ResidentBytes), bytesText(one.HeapBytes), one.Goroutines, one.OpenFiles, one.ViewLag)
		}
	}
}

func (s *soaking) now(ctx context.Context) (Sample, error) {
	h, err := s.book.Health(ctx)
	if err != nil {
		return Sample{}, err
	}
	x := Sample{
		Second: time.Since(s.began).Seconds(), ResidentBytes: residentBytes(), HeapBytes: liveHeap(), OpenFiles: openFiles(),
		Goroutines: runtime.NumGoroutine(), CompactionDebt: h.Engine.CompactionDebt, Problems: len(h.Problems),
		OtherCores: s.busy.others(),
	}
	s.busy = startBusy()
	for _, v := range h.Views {
		x.ViewLag = max(x.ViewLag, v.Lag)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	x.Answers = s.window.TotalCount()
	x.P50, x.P99 = float64(s.window.ValueAtPercentile(50))/1e6, float64(s.window.ValueAtPercentile(99))/1e6
	s.window.Reset()
	return x, nil
}

func (s *soaking) verify(ctx context.Context) error {
	s.Progress.say("verifying the book")
	began := time.Now()
	report, err := s.book.Verify(ctx, func(done, total int) { s.Progress.part("verified, percent", 100*done/total, 100) })
	if err != nil {
		return err
	}
	s.Progress.say("verified in %s: %s records, %s index entries", valueText(time.Since(began).Seconds(), seconds), count(int(report.Records)), count(int(report.IndexKeys)))
	s.report.Verified = "in order"
	if !report.OK() {
		s.report.Verified = fmt.Sprint(report.Differences[0])
		return fmt.Errorf("after the load the book is not in order: %v", report.Differences)
	}
	return nil
}

// otherCores is how many cores other programs kept busy, the median of the samples.
func (s *Soaked) otherCores() float64 {
	var list []float64
	for _, x := range s.Samples {
		list = append(list, x.OtherCores)
	}
	return stat.Median(append(list, 0)) // a number for no samples too
}

// What counts as creeping: a last third that is larger than the first by so much, and
// hardly by chance.
const (
	creepFactor = 1.2
	creepChance = 0.01
)

// creeping compares the first and the last third of the samples, without the first tenth,
// in which caches fill.
func creeping(samples []Sample) []Finding {
	findings := []Finding{}
	samples = samples[len(samples)/10:]
	third := len(samples) / 3
	if third < 5 {
		return findings
	}
	for _, q := range []struct {
		what  string
		least float64 // below which growth doesn't matter
		of    func(Sample) float64
	}{
		{"resident_bytes", 64 << 20, func(x Sample) float64 { return float64(x.ResidentBytes) }},
		{"heap_bytes", 32 << 20, func(x Sample) float64 { return float64(x.HeapBytes) }},
		{"open_files", 16, func(x Sample) float64 { return float64(x.OpenFiles) }},
		{"goroutines", 16, func(x Sample) float64 { return float64(x.Goroutines) }},
		{"compaction_debt_bytes", 256 << 20, func(x Sample) float64 { return float64(x.CompactionDebt) }},
		{"view_lag_entries", 1000, func(x Sample) float64 { return float64(x.ViewLag) }},
		{"p50", 0.001, func(x Sample) float64 { return x.P50 }},
		{"p99", 0.010, func(x Sample) float64 { return x.P99 }},
	} {
		var first, last []float64
		for i := range third {
			first, last = append(first, q.of(samples[i])), append(last, q.of(samples[len(samples)-1-i]))
		}
		f := Finding{q.what, stat.Median(first), stat.Median(last), stat.Differ(first, last)}
		if f.After > math.Max(creepFactor*f.Before, f.Before+q.least) && f.P < creepChance {
			findings = append(findings, f)
		}
	}
	return findings
}
