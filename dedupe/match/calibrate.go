package match

import (
	"cmp"
	"context"
	"math"
	"math/rand/v2"
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
//
// Where few bests are right there are few such seconds. But a source free of duplicates has
// decoys of its own: whatever is likest a record in it is wrong, and as like as the best of
// another such list would be by chance. These stand for the records whose best is wrong.
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
			if x := decoyCurve(t, uint8(s), c.single[s], top); x != nil {
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
			x = 0
			for _, c := range k.curves {
				x += c.at(raw)
			}
			x = min(x/float32(len(k.curves)), raw+mostRaised)
		}
		scores[i] = withShare(x, k.rivals.share(from+i, pairs[i], raw)*rivalShare)
	}
}

// mostRaised is how much higher than the raw score log-odds are at most. Lists that have little in common
// can look as if the best were right of records that share no more than their trade.
const mostRaised = 8

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

// topTwo are a row's best score, the best of a candidate that must be wrong if that is right,
// and the best within its source.
type topTwo struct {
	best, second float32
	own          float32
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
		top[i] = topTwo{nothing, nothing, nothing, false}
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
	err = same.within.l.each(ctx, func(_ int, part []pair, scores []float32) error {
		for i, p := range part {
			a, b, x := &top[p.a], &top[p.b], scores[i]
			variants := a.best > nothing && b.best > nothing && first[p.a] == first[p.b] && x >= min(a.best, b.best)-allySlack
			if x < clipped && !variants { // else rather duplicates than decoys
				a.own, b.own = max(a.own, x), max(b.own, x)
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

// decoyCurve finds the curve of one source's records: the mean of those of as many draws of
// the records with replacement (Breiman 1996), since a step of a single one hangs on the few
// decoys at its edge. The source may be free of duplicates itself.
func decoyCurve(t *table, source uint8, single bool, all []topTwo) *curve {
	var top []topTwo
	mutual := 0
	for row, x := range all {
		if t.source[row] == source {
			top = append(top, x)
			if x.mutual {
				mutual++
			}
		}
	}
	if mutual < fewestDecoys {
		return nil
	}
	d := newDecoys(top, single && len(top) >= manyRecords)
	k := &curve{}
	if len(top) > manyDecoys {
		k.draws = append(k.draws, d.steps(nil))
		return k
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range draws {
		drawn := make([]int32, len(top))
		for range top {
			drawn[rng.IntN(len(top))]++
		}
		k.draws = append(k.draws, d.steps(drawn))
	}
	return k
}

// Curves are drawn so often, where there are no more records than make each step sure.
const (
	draws      = 20
	manyDecoys = 5_000
)

// halfTrust is how many decoys make a curve as trusted as the raw scores.
const halfTrust = 80

// fewestDecoys is how many records make a curve.
const fewestDecoys = 40

// curve maps raw scores to log-odds, rising.
type curve struct{ draws []*steps }

// steps are the curve of one draw.
type steps struct {
	x, y  []float32
	trust float32 // in the curve, against the raw scores, where it says more than they do
	doubt float32 // the same where it says less
}

// decoys are the records of a source by their scores.
type decoys struct {
	top   []topTwo
	order []scoreOf
	own   bool // whether the source's own pairs are among them
}

// scoreOf is a score of a row.
type scoreOf struct {
	x   float32
	row int32
	of  role
}

// role is which of a row's scores it is.
type role uint8

const (
	asBest role = iota
	asSecond
	asOwn
)

func newDecoys(top []topTwo, own bool) *decoys {
	d := &decoys{top: top, order: make([]scoreOf, 0, 3*len(top)), own: own}
	for i, x := range top {
		d.order = append(d.order, scoreOf{x.best, int32(i), asBest}, scoreOf{x.second, int32(i), asSecond})
		if own {
			d.order = append(d.order, scoreOf{x.own, int32(i), asOwn})
		}
	}
	slices.SortFunc(d.order, func(a, b scoreOf) int { return cmp.Compare(a.x, b.x) })
	return d
}

// steps finds the curve of the records drawn, all of them for nil, and how likely each best is
// right in turns. It starts from the better half of the pairs that choose each other. Decoys
// count as the cube of that probability: the second of a wrong best is worse than wrong bests
// are, so that wrong ones would confirm one another in lists that have little in common.
func (d *decoys) steps(drawn []int32) *steps {
	if drawn == nil {
		drawn = slices.Repeat([]int32{1}, len(d.top))
	}
	weight := make([]float64, len(d.top))
	middle := d.middle(drawn)
	for i, x := range d.top {
		if x.mutual && x.best >= middle {
			weight[i] = 1
		}
	}
	var k *steps
	for range 15 {
		k = d.curve(drawn, weight)
		for i, x := range d.top {
			weight[i] = 0
			if x.mutual {
				right := float64(logistic(k.at(x.best)))
				weight[i] = right * right * right
			}
		}
	}
	return k
}

// middle is the median score of the pairs drawn that choose each other.
func (d *decoys) middle(drawn []int32) float32 {
	var mutual []float32
	for _, s := range d.order {
		if s.of == asBest && d.top[s.row].mutual {
			mutual = append(mutual, slices.Repeat([]float32{s.x}, int(drawn[s.row]))...)
		}
	}
	if len(mutual) == 0 {
		return nothing
	}
	return mutual[len(mutual)/2]
}

// sample is a score on one side or the other.
type sample struct {
	x           float32
	n           int
	best, decoy float64
}

// curve finds the curve of the records drawn, if a record's best is right with the weight.
func (d *decoys) curve(drawn []int32, weight []float64) *steps {
	total := 0.0
	for i, w := range weight {
		total += w * float64(drawn[i])
	}
	scale, known := float64(len(d.top))/max(total, 1), total
	if d.own {
		scale, known = 1, float64(len(d.top))
	}
	list := make([]sample, 0, len(d.order))
	for _, s := range d.order {
		n := drawn[s.row]
		switch w := weight[s.row]; {
		case n == 0:
		case s.of == asBest:
			list = append(list, sample{s.x, int(n), float64(n), 0})
		case s.of == asOwn:
			list = append(list, sample{s.x, int(n), 0, float64(n) * (1 - w)})
		case w > 0:
			list = append(list, sample{s.x, int(n), 0, float64(n) * w * scale})
		}
	}
	share := unmatched(list, float64(len(d.top)))
	k := &steps{trust: float32(total / (total + halfTrust)), doubt: float32(known / (known + halfTrust))}
	pools := poolSamples(list)
	// Of few decoys each stands for many: what half a one would, all steps have together.
	unseen := max(0.5, 0.5*scale/float64(len(pools)))
	for _, b := range pools {
		ratio := (b.best + 0.5) / (b.decoy + unseen)
		y := float32(math.Log(max(ratio/share-1, 0.001)))
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
		steps = append(steps, step{s.x, s.x, s.n, s.best, s.decoy})
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

// at is the log-odds of a raw score: those of the steps as far as they are trusted.
func (k *curve) at(raw float32) float32 {
	bounded, sum := min(max(raw, -clipped), clipped), float32(0)
	for _, s := range k.draws {
		y, trust := s.at(raw), s.trust
		if y < bounded {
			trust = s.doubt
		}
		sum += trust*y + (1-trust)*bounded
	}
	return sum / float32(len(k.draws))
}

// at is the log-odds of a raw score: between the steps by a straight line, outside them
// by the raw score itself.
func (k *steps) at(x float32) float32 {
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
