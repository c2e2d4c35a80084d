package match

import (
	"cmp"
	"context"
	"math"
	"slices"
)

// calibration turns raw scores of a link into log-odds that hold.
//
// Where the partner's source has no duplicates, a record's second best candidate is wrong
// if its best is right. So the scores of the second best show how good a wrong candidate
// can look, with all that names of one trade and neighbours in one street have in common:
// what decoys are in the search of spectra (Elias and Gygi 2007). The density of the best
// scores over that of the decoys, less the share of records without a partner (Storey
// 2002), is the odds that the best is right.
type calibration struct {
	curves []*curve
	rivals *rivals
}

func newCalibration(ctx context.Context, t *table, c cardinality, across *scoredPairs, allied []ally, same twins) (*calibration, error) {
	top, err := topTwos(ctx, t, across, same)
	if err != nil {
		return nil, err
	}
	k := &calibration{rivals: newRivals(t, c)}
	for s := range t.names {
		if c.single[otherSource(t, s)] {
			if x := decoyCurve(t, uint8(s), top); x != nil {
				k.curves = append(k.curves, x)
			}
		}
	}
	k.rivals.reconcile(allied)
	return k, across.each(ctx, func(_ int, part []pair, scores []float32) error {
		for i, p := range part {
			k.rivals.add(p, scores[i])
		}
		return nil
	})
}

// apply puts log-odds in the place of raw scores; the pairs are numbered from one on.
func (k *calibration) apply(from int, pairs []pair, scores []float32) {
	for i, raw := range scores {
		x := raw
		if len(k.curves) > 0 {
			bounded := min(max(raw, -clipped), clipped)
			x = 0
			for _, c := range k.curves {
				x += c.trust*c.at(raw) + (1-c.trust)*bounded
			}
			x /= float32(len(k.curves))
		}
		scores[i] = withShare(x, k.rivals.share(from+i, pairs[i], raw)*rivalShare)
	}
}

// rivalShare is how much of the rivals' share of the odds counts in the decision: the
// curve knows rivals in general, and links are chosen best first.
const rivalShare = 0.5

// withShare lowers log-odds to those of the same probability times a share.
func withShare(x float32, logShare float32) float32 {
	p := math.Log(float64(logistic(x))) + float64(logShare)
	if p > -1e-6 {
		return x
	}
	return float32(p - math.Log(-math.Expm1(p)))
}

// otherSource is the other of two sources; of more, any that is not free of duplicates
// would be wrong, so the first is taken.
func otherSource(t *table, s int) int {
	if s == 0 && len(t.names) > 1 {
		return 1
	}
	return 0
}

// nothing stands for the score of a candidate that is not there.
const nothing = -100

// topTwo are a row's best score, and the best of a candidate that must be wrong if that
// is right.
type topTwo struct {
	best, second float32
	mutual       bool
}

// twins are the pairs within a source with their raw scores.
type twins struct{ within *finder }

// are reports whether two rows of a source are as alike as a score: duplicates, of which
// both may be right.
func (t twins) are(a, b uint32, score float32) bool {
	x, near := t.within.score(pair{min(a, b), max(a, b)})
	return near && x > nothing && x >= score-allySlack
}

func topTwos(ctx context.Context, t *table, across *scoredPairs, same twins) ([]topTwo, error) {
	top := make([]topTwo, t.rows())
	first := make([]uint32, t.rows())
	for i := range top {
		top[i] = topTwo{nothing, nothing, false}
	}
	err := across.each(ctx, func(_ int, part []pair, scores []float32) error {
		for i, p := range part {
			for _, row := range []uint32{p.a, p.b} {
				if scores[i] > top[row].best {
					top[row].best, first[row] = scores[i], partner(p, row)
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return top, across.each(ctx, func(_ int, part []pair, scores []float32) error {
		for i, p := range part {
			for _, row := range []uint32{p.a, p.b} {
				x, other := &top[row], partner(p, row)
				if other != first[row] && scores[i] > x.second && !same.are(first[row], other, x.best) {
					x.second = scores[i]
				}
			}
			if x := scores[i]; x == top[p.a].best && x == top[p.b].best {
				top[p.a].mutual, top[p.b].mutual = true, true
			}
		}
		return same.within.err
	})
}

// decoyCurve finds the curve of one source's records.
func decoyCurve(t *table, source uint8, all []topTwo) *curve {
	var top []topTwo
	var mutual []float32
	for row, x := range all {
		if t.source[row] == source {
			top = append(top, x)
			if x.mutual {
				mutual = append(mutual, x.best)
			}
		}
	}
	if len(mutual) < fewestDecoys {
		return nil
	}
	slices.Sort(mutual)
	middle := mutual[len(mutual)/2]
	weight := make([]float64, len(top))
	for i, x := range top {
		if x.mutual && x.best >= middle {
			weight[i] = 1
		}
	}
	var k *curve
	for range 15 {
		k = newCurve(top, weight)
		for i, x := range top {
			weight[i] = 0
			if x.mutual {
				weight[i] = float64(logistic(k.at(x.best)))
			}
		}
	}
	return k
}

// halfTrust is how many decoys make a curve as trusted as the raw scores.
const halfTrust = 80

// fewestDecoys is how many records make a curve.
const fewestDecoys = 40

// curve maps raw scores to log-odds, rising.
type curve struct {
	x, y      []float32
	unmatched float64 // share of records without a partner
	trust     float32 // in the curve, against the raw scores
}

// sample is a score on one side or the other.
type sample struct {
	x           float32
	best, decoy float64
}

func newCurve(top []topTwo, weight []float64) *curve {
	total := 0.0
	for _, w := range weight {
		total += w
	}
	scale := float64(len(top)) / max(total, 1)
	var list []sample
	for i, x := range top {
		list = append(list, sample{x.best, 1, 0})
		if weight[i] > 0 {
			list = append(list, sample{x.second, 0, weight[i] * scale})
		}
	}
	slices.SortFunc(list, func(a, b sample) int { return cmp.Compare(a.x, b.x) })
	k := &curve{unmatched: unmatched(list, float64(len(top))), trust: float32(total / (total + halfTrust))}
	for _, b := range poolSamples(list) {
		ratio := (b.best + 0.5) / (b.decoy + 0.5)
		y := float32(math.Log(max(ratio/k.unmatched-1, 0.001)))
		k.x, k.y = append(k.x, b.from, b.to), append(k.y, y, y)
	}
	for i := 1; i < len(k.y); i++ {
		k.y[i] = max(k.y[i], k.y[i-1])
	}
	return k
}

// unmatched estimates the share of records without a partner: that of the best scores
// among the lower part of the decoys' scores, where right ones are few.
func unmatched(list []sample, n float64) float64 {
	best, decoy := 0.0, 0.0
	share := 1.0
	for i, s := range list {
		best, decoy = best+s.best, decoy+s.decoy
		if i+1 < len(list) && list[i+1].x == s.x {
			continue
		}
		if decoy >= 0.4*n {
			share = (best + 0.5) / (decoy + 0.5)
			break
		}
	}
	return min(max(share, 0.005), 0.995)
}

// smallestPool is the least number of samples of a step of the curve.
const smallestPool = 25

// step is a run of samples with one ratio.
type step struct {
	from, to    float32
	n           int
	best, decoy float64
}

// poolSamples joins samples into steps of a rising ratio.
func poolSamples(list []sample) []step {
	var steps []step
	join := func() {
		a, b := steps[len(steps)-2], steps[len(steps)-1]
		steps = append(steps[:len(steps)-2], step{a.from, b.to, a.n + b.n, a.best + b.best, a.decoy + b.decoy})
	}
	for _, s := range list {
		steps = append(steps, step{s.x, s.x, 1, s.best, s.decoy})
		if last := len(steps) - 2; last >= 0 && (steps[last].n < smallestPool || steps[last].to == s.x) {
			join()
		}
		for len(steps) > 1 {
			a, b := steps[len(steps)-2], steps[len(steps)-1]
			if b.n < smallestPool || (a.best+0.5)*(b.decoy+0.5) <= (b.best+0.5)*(a.decoy+0.5) {
				break
			}
			join()
		}
	}
	return steps
}

// at is the log-odds of a raw score: between the steps by a straight line, outside them
// by the raw score itself.
func (k *curve) at(x float32) float32 {
	last := len(k.x) - 1
	switch i, _ := slices.BinarySearch(k.x, x); {
	case i == 0:
		return k.y[0] + min(x-k.x[0], 0)*0.1
	case i > last:
		return k.y[last] + max(x-k.x[last], 0)*0.1
	default:
		share := (x - k.x[i-1]) / (k.x[i] - k.x[i-1])
		return k.y[i-1] + share*(k.y[i]-k.y[i-1])
	}
}
