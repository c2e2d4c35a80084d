package match

import (
	"cmp"
	"context"
	"math"
	"slices"
)

// cardinality says how many links a record may have.
type cardinality struct {
	single []bool // by source: no two records of the source are one customer
}

// fewTwice is the share of linked records with a duplicate in their own source up to
// which the source counts as free of duplicates.
const fewTwice = 0.35

// newCardinality decides by the pairs within the sources that are as alike as the better
// half of the links across them. Weaker ones are likely to be neighbours, not duplicates:
// the dishes of one street, the papers of one author.
func newCardinality(t *table, across, twice []scored) cardinality {
	best := make([]float32, t.rows())
	for _, e := range across {
		best[e.a], best[e.b] = max(best[e.a], e.score), max(best[e.b], e.score)
	}
	var mutual []float32
	for _, e := range across {
		if e.score == best[e.a] && e.score == best[e.b] {
			mutual = append(mutual, e.score)
		}
	}
	c := cardinality{single: make([]bool, len(t.names))}
	for s := range c.single {
		c.single[s] = true
	}
	if len(mutual) == 0 {
		return c
	}
	slices.Sort(mutual)
	high := mutual[len(mutual)/2]
	many, doubled := c.manyOf(t), make([]bool, t.rows())
	for _, e := range twice {
		for _, row := range []uint32{e.a, e.b} {
			// Where little is shared, chance alone makes as many pairs within as across.
			chance := many[t.source[row]] && e.score < clipped && best[row] < high
			doubled[row] = doubled[row] || e.score >= high && !chance
		}
	}
	all, both := make([]int, len(t.names)), make([]int, len(t.names))
	for row, x := range best {
		if x >= high {
			all[t.source[row]]++
		}
		if doubled[row] {
			both[t.source[row]]++
		}
	}
	for s := range c.single {
		c.single[s] = float64(both[s]) <= fewTwice*float64(all[s])+1
	}
	return c
}

// manyRecords is how many records of a source make its own pairs tell what chance does: of some
// hundreds they are a handful.
const manyRecords = 1_000

// manyOf reports which sources have many records.
func (c cardinality) manyOf(t *table) []bool {
	count, many := make([]int, len(c.single)), make([]bool, len(c.single))
	for _, s := range t.source {
		count[s]++
		many[s] = count[s] >= manyRecords
	}
	return many
}

// compete lets the candidates of a record share its odds: where a source has no
// duplicates, at most one of its records can be the right one.
func compete(t *table, c cardinality, pairs []pair, scores []float32) {
	v := newRivals(t, c)
	for i, p := range pairs {
		v.add(p, scores[i])
	}
	for i, p := range pairs {
		scores[i] += v.share(i, p, scores[i])
	}
}

// rivals are the odds of all pairs that exclude one another.
type rivals struct {
	t      *table
	sum    [][]float64     // by source of the partner, and row
	pardon map[int]float64 // by pair: the odds of its allies
}

func newRivals(t *table, c cardinality) *rivals {
	v := &rivals{t: t, sum: make([][]float64, len(t.names)), pardon: map[int]float64{}}
	for s := range v.sum {
		if c.single[s] {
			v.sum[s] = make([]float64, t.rows())
		}
	}
	return v
}

func (v *rivals) add(p pair, score float32) {
	if of := v.sum[v.t.source[p.b]]; of != nil {
		of[p.a] += oddsOf(score)
	}
	if of := v.sum[v.t.source[p.a]]; of != nil {
		of[p.b] += oddsOf(score)
	}
}

func (v *rivals) reconcile(allied []ally) {
	for _, a := range allied {
		v.pardon[a.one] += oddsOf(a.otherScore)
		v.pardon[a.other] += oddsOf(a.oneScore)
	}
}

// share is the logarithm of a pair's share of the odds of all pairs that exclude it.
func (v *rivals) share(i int, p pair, score float32) float32 {
	own, others := oddsOf(score), 0.0
	if of := v.sum[v.t.source[p.b]]; of != nil {
		others += of[p.a] - own
	}
	if of := v.sum[v.t.source[p.a]]; of != nil {
		others += of[p.b] - own
	}
	return -float32(math.Log1p(max(others-v.pardon[i], 0) / own))
}

func oddsOf(x float32) float64 { return math.Exp(min(max(float64(x), -300), 300)) }

// ally is two pairs, by their numbers, that do not exclude one another: two records of
// one source have the same best partner, are equally like it, and no less like one
// another. So the variants of one name may share a partner even in a list mostly free of
// duplicates.
type ally struct {
	one, other           int
	oneScore, otherScore float32
	rows                 pair // the two records of one source
}

// allySlack is how much the likenesses of allies may differ, in log-odds.
const allySlack = 1

// bestPair is the first of the likeliest pairs of a row, 0 for none.
type bestPair struct {
	number  int // from 1
	partner uint32
	score   float32
}

func allies(ctx context.Context, t *table, across, within *scoredPairs) ([]ally, error) {
	best := make([]bestPair, t.rows())
	err := across.each(ctx, func(from int, part []pair, scores []float32) error {
		for i, p := range part {
			for _, row := range []uint32{p.a, p.b} {
				if b := &best[row]; b.number == 0 || scores[i] > b.score {
					*b = bestPair{from + i + 1, partner(p, row), scores[i]}
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var list []ally
	err = within.each(ctx, func(_ int, part []pair, scores []float32) error {
		for i, p := range part {
			x, y := best[p.a], best[p.b]
			if x.number == 0 || y.number == 0 || x.partner != y.partner || scores[i] <= nothing {
				continue
			}
			if lo, hi := min(x.score, y.score), max(x.score, y.score); scores[i] >= lo-3*allySlack && hi <= lo+allySlack {
				list = append(list, ally{x.number - 1, y.number - 1, x.score, y.score, p})
			}
		}
		return nil
	})
	return list, err
}

func partner(p pair, row uint32) uint32 {
	if p.a == row {
		return p.b
	}
	return p.a
}

// links chooses the final links of two lists, best first. A source without duplicates in
// itself allows every record of the other side but one partner in it, save for allies.
func links(t *table, edges []scored, c cardinality, allied map[[2]uint32]bool) []scored {
	slices.SortStableFunc(edges, func(a, b scored) int {
		if d := cmp.Compare(b.score, a.score); d != 0 {
			return d
		}
		return cmp.Or(cmp.Compare(a.a, b.a), cmp.Compare(a.b, b.b))
	})
	type end struct {
		row    uint32
		source uint8
	}
	taken := map[end]uint32{}
	free := func(row, other uint32) bool {
		by, is := taken[end{row, t.source[other]}]
		return !is || !c.single[t.source[other]] || allied[[2]uint32{min(by, other), max(by, other)}]
	}
	var chosen []scored
	for _, e := range edges {
		if e.score <= 0 || !free(e.a, e.b) || !free(e.b, e.a) {
			continue
		}
		taken[end{e.a, t.source[e.b]}], taken[end{e.b, t.source[e.a]}] = e.b, e.a
		chosen = append(chosen, e)
	}
	return chosen
}
