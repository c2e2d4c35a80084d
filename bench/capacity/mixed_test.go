package capacity

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A service answers 1,000 requests a second at once, but stands still for 200 ms in the
// middle of a second. One worker waits then; 200 requests were to begin in that time, the
// first of which waits 200 ms and the last 1 ms. So of 1,000 requests 10 % waited more
// than 100 ms, and the 99th percentile is 190 ms. A load that sent its next request after
// the last answer would have seen one slow answer in 1,000, and a 99th percentile of 0.
func TestStallCountsForEveryRequestThatItHoldsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &load{rate: 1000, kinds: []share{{name: "get", percent: 1}}, workers: 1}
		l.ask = func(_ context.Context, _, number int) error {
			if number == 400 {
				time.Sleep(200 * time.Millisecond)
			}
			return nil
		}
		m, err := l.run(t.Context(), time.Second)
		if err != nil {
			t.Fatal(err)
		}
		if m.All.Answers != 1000 || m.Kinds[0].Answers != 1000 {
			t.Fatalf("%d answers; want 1,000", m.All.Answers)
		}
		for _, c := range []struct {
			what      string
			got, want float64
		}{
			{"p50", m.All.P50, 0}, {"p90", m.All.P90, 0.100}, {"p99", m.All.P99, 0.190}, {"slowest", m.All.Max, 0.200},
			{"late", float64(m.Late) / 1000, 0.190}, // those due at 401 to 589 ms waited more than 10 ms
		} {
			if c.got < c.want-0.002 || c.got > c.want+0.002 {
				t.Errorf("%s is %v; want %v", c.what, c.got, c.want)
			}
		}
	})
}

// Requests are sent at the load's rate, whatever the answers take.
func TestLoadKeepsItsRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var mu sync.Mutex
		var last time.Duration
		l := &load{rate: 50, kinds: mixture, workers: 1000, ask: func(context.Context, int, int) error {
			mu.Lock()
			last = max(last, time.Since(began))
			mu.Unlock()
			time.Sleep(time.Second)
			return nil
		}}
		if _, err := l.run(t.Context(), 2*time.Second); err != nil {
			t.Fatal(err)
		}
		if last != 1980*time.Millisecond { // the 100th of 100, each 20 ms after the one before
			t.Errorf("the last request began at %v; want 1.98s", last)
		}
	})
}

func TestLoadStopsAtAWrongAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad := errors.New("wrong")
		l := &load{rate: 100, kinds: mixture, workers: 4, ask: func(_ context.Context, _, number int) error {
			if number == 5 {
				return bad
			}
			return nil
		}}
		if _, err := l.run(t.Context(), time.Minute); !errors.Is(err, bad) {
			t.Errorf("%v; want the wrong answer", err)
		}
	})
}

// Of 100,000 requests each kind has its share, to within what chance makes of it.
func TestMixtureHasItsShares(t *testing.T) {
	s := newSchedule(1, mixture)
	const n = 100_000
	got := make([]int, len(mixture))
	for range n {
		kind, number := s.next()
		if number != got[kind] {
			t.Fatalf("request %d of %s is numbered %d", got[kind], mixture[kind].name, number)
		}
		got[kind]++
	}
	for i, k := range mixture {
		if want := n * k.percent / 100; got[i] < want*9/10 || got[i] > want*11/10 {
			t.Errorf("%d of %d requests are %s; want %d %%", got[i], n, k.name, k.percent)
		}
	}
}

// Ten answers of 1 ms and one of 100 ms: too few for a percentile, so the slowest counts;
// with 190 more, the 99th percentile, below which 199 of 201 lie.
func TestLevelsAreComparedWithTheSlowestOfFewAnswers(t *testing.T) {
	h := newHistogram()
	for range 10 {
		record(h, time.Millisecond)
	}
	record(h, 100*time.Millisecond)
	var r Result
	r.describe(h)
	if r.Judged < 0.099 || r.Judged > 0.101 {
		t.Errorf("of 11 answers %v is judged; want 0.1", r.Judged)
	}
	for range 190 {
		record(h, time.Millisecond)
	}
	r.describe(h)
	if r.Judged > 0.0011 {
		t.Errorf("of 201 answers %v is judged; want 0.001", r.Judged)
	}
}

// A book that answers one request at a time in 50 ms can't keep up with 200 a second. After
// twice the load's time it is over: 20 answers a second for 0.4 s are about 8, the other 32
// waited in vain, and count with that.
func TestLoadEndsThoughTheBookCannotKeepUp(t *testing.T) {
	l := &load{rate: 200, kinds: []share{{name: "slow", percent: 100}}, workers: 1, ask: func(context.Context, int, int) error {
		time.Sleep(50 * time.Millisecond)
		return nil
	}}
	began := time.Now()
	m, err := l.run(t.Context(), 200*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("it took %v", took)
	}
	if m.Unanswered < 20 || m.All.Answers != 40 || m.Achieved > 25 || m.All.P99 < 0.2 {
		t.Errorf("%d of %d unanswered, %.0f a second, p99 %v s; want about 32 of 40, 20 a second, more than 0.2 s", m.Unanswered, m.All.Answers, m.Achieved, m.All.P99)
	}
}
