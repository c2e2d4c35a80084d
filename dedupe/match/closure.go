package match

import (
	"context"
	"slices"
)

// closureDegree bounds the partners of a row that are looked at, so that a row that is
// like everything adds little.
const closureDegree = 24

// closure finds the pairs that were no candidates though both of their rows match a third
// one. Blocking misses pairs of a large cluster that have little in common; what they
// have in common with others finds them.
func closure(rows int, pairs []pair, scores []float32) []pair {
	near := make([][]uint32, rows)
	for i, p := range pairs {
		if scores[i] > 0 {
			near[p.a], near[p.b] = append(near[p.a], p.b), append(near[p.b], p.a)
		}
	}
	var packed []uint64
	for _, list := range near {
		list = list[:min(len(list), closureDegree)]
		for i, a := range list {
			for _, b := range list[i+1:] {
				packed = append(packed, uint64(min(a, b))<<32|uint64(max(a, b)))
			}
		}
	}
	sortUint64(packed)
	packed = slices.Compact(packed)
	var found []pair
	known := 0 // pairs are sorted too
	for _, x := range packed {
		p := pair{uint32(x >> 32), uint32(x)}
		for known < len(pairs) && pairs[known].less(p) {
			known++
		}
		if known == len(pairs) || pairs[known] != p {
			found = append(found, p)
		}
	}
	return found
}

func (p pair) less(q pair) bool { return p.a < q.a || p.a == q.a && p.b < q.b }

// close compares and scores the closure of the candidates, and adds it to them.
func (r *runner) close(ctx context.Context, s *scorer) error {
	more := closure(r.t.rows(), r.pairs, r.scores)
	e, err := compareAll(ctx, r.o, r.t, more)
	if err != nil {
		return err
	}
	for i := range more {
		r.scores = append(r.scores, s.score(e.of(i)))
	}
	r.pairs = append(r.pairs, more...)
	return nil
}
