package capacity

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/clientele-go/clientele/bench/stat"
)

// Result is what was measured of one question at one size. Times are seconds.
type Result struct {
	Question string `json:"question"`
	Unit     string `json:"unit"`
	// Repetitions are the raw points: of a latency the median of each repetition's
	// answers, of a rate what each repetition came to.
	Repetitions []float64 `json:"repetitions"`
	Value       float64   `json:"value"` // the median of the repetitions, of a rate as a whole
	// Judged is what a service level is compared with: the 99th percentile of at least 100
	// answers, the slowest of fewer, and of a rate the value.
	Judged     float64 `json:"judged"`
	Answers    int64   `json:"answers"`
	P50        float64 `json:"p50,omitempty"`
	P90        float64 `json:"p90,omitempty"`
	P99        float64 `json:"p99,omitempty"`
	P999       float64 `json:"p999,omitempty"`
	Max        float64 `json:"max,omitempty"`
	CPUSeconds float64 `json:"cpu_seconds,omitempty"` // of all cores for each answer, or each customer
	// Again says that the first measurement broke the service level and this is the
	// second.
	Again bool `json:"again,omitempty"`
}

// newHistogram holds microseconds up to an hour, to three digits.
func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(1, time.Hour.Microseconds(), 3)
}

// record adds a latency; what is out of range counts as the nearest.
func record(h *hdrhistogram.Histogram, d time.Duration) {
	_ = h.RecordValue(min(max(d.Microseconds(), 1), h.HighestTrackableValue()))
}

// judgeByPercentile is how many answers it takes for the 99th percentile to mean much.
const judgeByPercentile = 100

// describe fills in the percentiles.
func (r *Result) describe(h *hdrhistogram.Histogram) {
	at := func(percentile float64) float64 { return float64(h.ValueAtPercentile(percentile)) / 1e6 }
	r.Answers = h.TotalCount()
	r.P50, r.P90, r.P99, r.P999, r.Max = at(50), at(90), at(99), at(99.9), float64(h.Max())/1e6
	r.Judged = r.P99
	if r.Answers < judgeByPercentile {
		r.Judged = r.Max
	}
}

// measure asks a question at the book's present size.
func measure(ctx context.Context, b *book, q question, shorter float64) (*Result, error) {
	p, err := q.prepare(ctx, b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", q.name, err)
	}
	r := &Result{Question: q.name, Unit: q.unit.String()}
	h := newHistogram()
	number, began, used := 0, time.Now(), time.Duration(0)
	for range q.pace.warmUp() {
		if _, err := p.ask(ctx, number); err != nil {
			return nil, fmt.Errorf("%s: %w", q.name, err)
		}
		number++
	}
	for len(r.Repetitions) < q.pace.repetitions && (len(r.Repetitions) == 0 || time.Since(began).Seconds() < shorter*q.pace.most.Seconds()) {
		cpu := processorTime()
		took := make([]float64, 0, q.pace.asks)
		for range q.pace.asks {
			d, err := p.ask(ctx, number)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", q.name, err)
			}
			number++
			record(h, d)
			took = append(took, d.Seconds())
		}
		used += processorTime() - cpu
		r.Repetitions = append(r.Repetitions, stat.Median(took))
	}
	r.Value = stat.Median(r.Repetitions)
	r.describe(h)
	r.CPUSeconds = used.Seconds() / float64(r.Answers)
	return r, nil
}

// warmUp is how many answers don't count: what was just loaded or opened isn't what users
// meet.
func (p pace) warmUp() int { return min(p.asks/2, 20) }

// rateResult makes the result of a rate: slices are what parts came to.
func rateResult(q string, u unit, slices []float64, amount int, took, cpu time.Duration) *Result {
	r := &Result{Question: q, Unit: u.String(), Repetitions: slices, Answers: int64(amount)}
	r.Value = float64(amount) / math.Max(took.Seconds(), 1e-9)
	r.Judged = r.Value
	r.CPUSeconds = cpu.Seconds() / math.Max(float64(amount), 1)
	return r
}
