package capacity

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/clientele-go/clientele/bench/stat"
)

// share is how many of a hundred requests of the mixed load are of a kind.
type share struct {
	name    string
	percent int
	prepare func(ctx context.Context, b *book) (probe, error)
}

// mixture is what many users at work ask of a book.
var mixture = []share{
	{"get", 40, newGet},
	{"code", 10, newByCode},
	{"pick", 15, newPick},
	{"search", 5, newSearch},
	{"filter", 5, newFilter},
	{"aging.one", 5, newAgingOne},
	{"candidates", 3, newCandidates},
	{"create", 3, newCreate},
	{"update", 7, newUpdate},
	{"tag", 4, newTagOne},
	{"reserve", 3, newReserve},
}

// Mixed is what a load of all kinds at once came to. Latencies count from the instant at
// which a request was to begin, whether or not it could: a stall is charged to every
// request that it holds up (no coordinated omission; Tene 2013).
type Mixed struct {
	Rate     float64   `json:"rate_per_second"` // intended
	Achieved float64   `json:"achieved_per_second"`
	Seconds  float64   `json:"seconds"`
	Kinds    []*Result `json:"kinds"` // by kind of request
	All      *Result   `json:"all"`
	Late     int64     `json:"late"` // requests that began more than 10 ms late
	// Unanswered are requests that had not begun when the load had lasted twice its time,
	// since the book can't keep up with the rate. They count with how long they waited.
	Unanswered int64 `json:"unanswered,omitempty"`
}

// load is requests on a schedule.
type load struct {
	rate  float64 // a second
	kinds []share
	ask   func(ctx context.Context, kind, number int) error // returns when answered
	seed  uint64
	// workers bounds the requests under way; more wait, and their waiting counts.
	workers int
	// observe, if not nil, is called for one answer at a time with when its request was
	// due, from the beginning, and its latency.
	observe func(due, latency time.Duration)
}

// inFlight is how many requests can be under way at once.
const inFlight = 128

// newLoad prepares the mixture on a book.
func newLoad(ctx context.Context, b *book, rate float64) (*load, error) {
	probes := make([]probe, len(mixture))
	for i, s := range mixture {
		p, err := s.prepare(ctx, b)
		if err != nil {
			return nil, fmt.Errorf("mixed load: %s: %w", s.name, err)
		}
		probes[i] = p
	}
	ask := func(ctx context.Context, kind, number int) error {
		_, err := probes[kind].ask(ctx, number)
		if err != nil {
			err = fmt.Errorf("mixed load: %s: %w", mixture[kind].name, err)
		}
		return err
	}
	return &load{rate: rate, kinds: mixture, ask: ask, seed: b.work.seed, workers: inFlight}, nil
}

// request is one request of a load.
type request struct {
	kind, number int
	due          time.Duration // from the beginning
}

// schedule draws the kinds of requests.
type schedule struct {
	random  *rand.Rand
	kinds   []share
	total   int
	numbers []int
}

func newSchedule(seed uint64, kinds []share) *schedule {
	s := &schedule{random: rand.New(rand.NewPCG(seed, 12)), kinds: kinds, numbers: make([]int, len(kinds))}
	for _, k := range kinds {
		s.total += k.percent
	}
	return s
}

// next returns the kind of the next request, and its number among those of the kind.
func (s *schedule) next() (kind, number int) {
	at := s.random.IntN(s.total)
	for at >= s.kinds[kind].percent {
		at -= s.kinds[kind].percent
		kind++
	}
	s.numbers[kind]++
	return kind, s.numbers[kind] - 1
}

// run sends requests at the load's rate for some time and waits for their answers.
func (l *load) run(ctx context.Context, most time.Duration) (*Mixed, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	n := max(1, int(l.rate*most.Seconds()))
	queue := make(chan request, n) // as long as it must be: the schedule never waits
	tally := newTally(l.kinds, l.observe)
	began := time.Now()
	var all sync.WaitGroup
	for range l.workers {
		all.Go(func() { l.work(ctx, cancel, began, 2*most, queue, tally) })
	}
	l.send(ctx, queue, began, n)
	close(queue)
	all.Wait()
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	return tally.mixed(l.rate, time.Since(began)), nil
}

// send hands out each request when it is due.
func (l *load) send(ctx context.Context, queue chan<- request, began time.Time, n int) {
	plan := newSchedule(l.seed, l.kinds)
	for i := range n {
		due := time.Duration(float64(i) / l.rate * float64(time.Second))
		if wait := due - time.Since(began); wait > 0 {
			select {
			case <-ctx.Done():
				return
			case <-time.After(wait):
			}
		}
		kind, number := plan.next()
		queue <- request{kind, number, due}
	}
}

// late is how long after its time a request counts as begun late.
const late = 10 * time.Millisecond

func (l *load) work(ctx context.Context, fail context.CancelCauseFunc, began time.Time, patience time.Duration, queue <-chan request, tally *tally) {
	for r := range queue {
		if ctx.Err() != nil {
			return
		}
		waited := time.Since(began) - r.due
		if r.due+waited > patience {
			tally.add(r, waited, true, false)
			continue
		}
		if err := l.ask(ctx, r.kind, r.number); err != nil {
			fail(err)
			return
		}
		tally.add(r, time.Since(began)-r.due, waited > late, true)
	}
}

// tally collects latencies by kind.
type tally struct {
	mu    sync.Mutex
	kinds []share
	by    []*hdrhistogram.Histogram
	all   *hdrhistogram.Histogram
	late  int64

	unanswered int64

	observe func(due, latency time.Duration)
}

func newTally(kinds []share, observe func(due, latency time.Duration)) *tally {
	t := &tally{kinds: kinds, all: newHistogram(), observe: observe}
	for range kinds {
		t.by = append(t.by, newHistogram())
	}
	return t
}

func (t *tally) add(r request, took time.Duration, late, answered bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	record(t.by[r.kind], took)
	record(t.all, took)
	if late {
		t.late++
	}
	if !answered {
		t.unanswered++
	}
	if t.observe != nil {
		t.observe(r.due, took)
	}
}

func (t *tally) mixed(rate float64, took time.Duration) *Mixed {
	m := &Mixed{Rate: rate, Seconds: took.Seconds(), Late: t.late, Unanswered: t.unanswered, All: latencies("mixed", t.all)}
	m.Achieved = float64(t.all.TotalCount()-t.unanswered) / took.Seconds()
	for i, k := range t.kinds {
		if t.by[i].TotalCount() > 0 {
			m.Kinds = append(m.Kinds, latencies(k.name, t.by[i]))
		}
	}
	return m
}

// latencies makes a result of a histogram.
func latencies(name string, h *hdrhistogram.Histogram) *Result {
	r := &Result{Question: name, Unit: seconds.String()}
	r.describe(h)
	r.Value = r.P50
	return r
}

// mixedParts are the stretches of the mixed load, whose medians are its repetitions.
const mixedParts = 5

// measureMixed puts the mixed load on a book for some time.
func measureMixed(ctx context.Context, b *book, rate float64, most time.Duration) (*Mixed, error) {
	l, err := newLoad(ctx, b, rate)
	if err != nil {
		return nil, err
	}
	var parts [mixedParts]*hdrhistogram.Histogram
	for i := range parts {
		parts[i] = newHistogram()
	}
	l.observe = func(due, took time.Duration) {
		record(parts[min(int(due*mixedParts/most), mixedParts-1)], took)
	}
	m, err := l.run(ctx, most)
	if err != nil {
		return nil, err
	}
	for _, h := range parts {
		if h.TotalCount() > 0 {
			m.All.Repetitions = append(m.All.Repetitions, float64(h.ValueAtPercentile(50))/1e6)
		}
	}
	return m, nil
}

// Parts of the measurement of throughput, how long each is, and how many users ask.
const (
	throughputParts = 5
	throughputFor   = 600 * time.Millisecond
)

// measureThroughput lets users ask one request after another, without a pause, and counts
// how many are answered in a second.
func measureThroughput(ctx context.Context, b *book, users int, shorter float64) (*Result, error) {
	l, err := newLoad(ctx, b, 1)
	if err != nil {
		return nil, err
	}
	plan := newSchedule(l.seed, l.kinds)
	p := &drawn{load: l, plan: plan}
	var next atomic.Int64
	var rates []float64
	cpu := processorTime()
	for range max(2, int(shorter*throughputParts)) {
		began, before := time.Now(), next.Load()
		if err := crew(ctx, users, began.Add(time.Duration(shorter*float64(throughputFor))), &next, p); err != nil {
			return nil, err
		}
		rates = append(rates, float64(next.Load()-before)/time.Since(began).Seconds())
	}
	r := &Result{
		Question: "throughput", Unit: requests.String(), Repetitions: rates, Value: stat.Median(rates), Answers: next.Load(),
		CPUSeconds: (processorTime() - cpu).Seconds() / float64(next.Load()),
	}
	r.Judged = r.Value
	return r, nil
}

// drawn is a probe that draws the kind of each request.
type drawn struct {
	*load
	mu   sync.Mutex
	plan *schedule
}

func (p *drawn) ask(ctx context.Context, _ int) (time.Duration, error) {
	p.mu.Lock()
	kind, number := p.plan.next()
	p.mu.Unlock()
	began := time.Now()
	err := p.load.ask(ctx, kind, number)
	return time.Since(began), err
}
