package match

import (
	"context"
	"math"
)

// lesson is the candidates that training looks at, and what comparing said of them.
type lesson struct {
	pairs []pair
	e     *evidence
	scale float64 // of all candidates to these
}

// enoughPairs is how many candidates training looks at; more teach nothing new.
const enoughPairs = 300_000

// drawing draws the pairs that teach, of so many: all, or where there are many, all pairs of
// some rows, drawn blindly.
type drawing struct {
	all   bool
	limit uint64
}

func newDrawing(pairs, enough int) drawing {
	if pairs <= enough {
		return drawing{all: true}
	}
	drawn := 1 - math.Sqrt(1-float64(enough)/float64(pairs)) // of the rows, as a pair has two
	return drawing{limit: uint64(drawn * math.MaxUint64)}
}

func (d drawing) has(p pair) bool {
	return d.all || d.row(p.a) || d.row(p.b)
}

func (d drawing) row(row uint32) bool { return mixHash(uint64(row), 0x5eed) < d.limit }

// from are the pairs drawn from a list.
func (d drawing) from(ctx context.Context, list *pairList) ([]pair, error) {
	var pairs []pair
	err := list.each(ctx, func(_ int, part []pair) error {
		for _, p := range part {
			if d.has(p) {
				pairs = append(pairs, p)
			}
		}
		return nil
	})
	return pairs, err
}

// lesson is drawn from pairs that are all compared.
func (d drawing) lesson(pairs []pair, e *evidence) *lesson {
	if d.all {
		return &lesson{pairs, e, 1}
	}
	l := &lesson{e: &evidence{columns: e.columns}}
	for i, p := range pairs {
		if d.has(p) {
			state, bits := e.of(i)
			l.pairs = append(l.pairs, p)
			l.e.state, l.e.bits = append(l.e.state, state...), append(l.e.bits, bits...)
		}
	}
	l.scale = float64(len(pairs)) / max(float64(len(l.pairs)), 1)
	return l
}
