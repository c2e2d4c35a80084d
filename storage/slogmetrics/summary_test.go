package slogmetrics

import (
	"context"
	"log/slog"
	"math"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// recorder keeps the attributes of every line, groups flattened to dotted names.
type recorder struct{ lines []map[string]slog.Value }

func (r *recorder) Enabled(context.Context, slog.Level) bool { return true }
func (r *recorder) WithAttrs([]slog.Attr) slog.Handler       { return r }
func (r *recorder) WithGroup(string) slog.Handler            { return r }

func (r *recorder) Handle(_ context.Context, record slog.Record) error {
	line := map[string]slog.Value{}
	record.Attrs(func(a slog.Attr) bool {
		if a.Value.Kind() != slog.KindGroup {
			line[a.Key] = a.Value
			return true
		}
		for _, inner := range a.Value.Group() {
			line[a.Key+"."+inner.Key] = inner.Value
		}
		return true
	})
	r.lines = append(r.lines, line)
	return nil
}

func TestALineCoversTheTimeSinceTheLineBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log recorder
		s := New(Options{Logger: slog.New(&log), Every: 10 * time.Second})
		ctx, stop := context.WithCancel(t.Context())
		go s.Run(ctx)
		s.Count("load.rows", 3)
		s.Level("engine.disk", 5)
		time.Sleep(11 * time.Second)
		s.Count("load.rows", 4)
		time.Sleep(10 * time.Second)
		s.Count("load.rows", 5)
		stop()
		synctest.Wait()
		want := []struct {
			rows   int64
			period time.Duration
		}{{3, 10 * time.Second}, {4, 10 * time.Second}, {5, time.Second}}
		if len(log.lines) != len(want) {
			t.Fatalf("%d lines, want %d: one each period and one at the end", len(log.lines), len(want))
		}
		for i, w := range want {
			line := log.lines[i]
			if got := line["load.rows"].Int64(); got != w.rows {
				t.Errorf("line %d: load.rows is %d, want %d", i, got, w.rows)
			}
			if got := line["period"].Duration(); got != w.period {
				t.Errorf("line %d: period is %v, want %v", i, got, w.period)
			}
			if got := line["engine.disk"].Int64(); got != 5 {
				t.Errorf("line %d: engine.disk is %d; a level stays", i, got)
			}
		}
	})
}

func TestIdleTimesGetNoLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log recorder
		s := New(Options{Logger: slog.New(&log)})
		s.Level("engine.disk", 5)
		s.Log(t.Context())
		ctx, stop := context.WithTimeout(t.Context(), time.Hour)
		defer stop()
		s.Run(ctx)
		if len(log.lines) != 1 {
			t.Errorf("%d lines, want the one of before the idle hour", len(log.lines))
		}
	})
}

// TestDurationsAreSummedUp: of 1 ms to 100 ms the mean is 50.5 ms, half don't exceed
// 50 ms and 99 in 100 don't exceed 99 ms.
func TestDurationsAreSummedUp(t *testing.T) {
	var log recorder
	s := New(Options{Logger: slog.New(&log)})
	for i := range 100 {
		s.Observe("view", time.Duration(100-i)*time.Millisecond)
	}
	s.Log(t.Context())
	line := log.lines[0]
	if n := line["view.n"].Uint64(); n != 100 {
		t.Errorf("n is %d, want 100", n)
	}
	for name, exact := range map[string]time.Duration{"mean": 50500 * time.Microsecond, "max": 100 * time.Millisecond} {
		if got := line["view."+name].Duration(); got != exact {
			t.Errorf("%s is %v, want %v", name, got, exact)
		}
	}
	for name, least := range map[string]time.Duration{"p50": 50 * time.Millisecond, "p99": 99 * time.Millisecond} {
		got := line["view."+name].Duration()
		if got < least || got > least*5/4 {
			t.Errorf("%s is %v, want %v or up to a quarter more", name, got, least)
		}
	}
}

func TestBucketsCoverAllDurations(t *testing.T) {
	values := []uint64{0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 1 << 20, 1<<20 + 1, math.MaxInt64}
	for v := uint64(11); v < 1<<62; v += v/8 + 1 {
		values = append(values, v)
	}
	slices.Sort(values)
	last := 0
	for _, v := range values {
		b := bucket(v)
		if b < last {
			t.Errorf("%d ns is in bucket %d, a smaller one in %d", v, b, last)
		}
		last = b
		if h := uint64(highest(b)); h < v || h-v > v/4 {
			t.Errorf("%d ns is in a bucket up to %d ns, want at most a quarter more", v, h)
		}
	}
	var h durations
	h.add(-time.Second)
	if h.buckets[0] != 1 || h.max != 0 {
		t.Error("a negative duration, from a clock that was set back, must count as 0")
	}
}

func TestConcurrentMeasurementsAreAllCounted(t *testing.T) {
	var log recorder
	s := New(Options{Logger: slog.New(&log)})
	var writers sync.WaitGroup
	for range 8 {
		writers.Go(func() {
			for range 1000 {
				s.Count("a", 1)
				s.Observe("b", time.Microsecond)
				s.Level("c", 1)
			}
		})
	}
	for range 10 {
		s.Log(t.Context())
	}
	writers.Wait()
	s.Log(t.Context())
	var counts int64
	var observed uint64
	for _, line := range log.lines {
		if v, ok := line["a"]; ok {
			counts += v.Int64()
		}
		if v, ok := line["b.n"]; ok {
			observed += v.Uint64()
		}
	}
	if counts != 8000 || observed != 8000 {
		t.Errorf("lines add up to %d counts and %d durations, want 8000 of each", counts, observed)
	}
}

func BenchmarkObserve(b *testing.B) {
	s := New(Options{})
	s.Observe("update", time.Millisecond)
	for b.Loop() {
		s.Observe("update", time.Millisecond)
	}
}
