package match

import (
	"context"
	"math"

	"github.com/clientele-go/clientele/dedupe/compare"
)

// trainer finds the parameters by expectation and maximisation (Dempster, Laird and Rubin
// 1977) over the candidates, with U held to what random pairs show.
type trainer struct {
	t      *table
	layout *layout
	sides  cardinality
	*lesson
	chance []chance
	all    float64 // pairs in the population
	drawn  float64 // share of them that chance was measured on
	p      *parameters
	post   []float32
	kin    []float32 // probability that the pair is related, not one
	site   []float32 // probability that the pair is two sites of one organisation
}

const rounds = 25

func newTrainer(t *table, from *lesson, by []chance) *trainer {
	tr := &trainer{t: t, layout: t.layout, lesson: from, chance: by, all: t.comparablePairs()}
	tr.post, tr.kin, tr.site = make([]float32, len(tr.pairs)), make([]float32, len(tr.pairs)), make([]float32, len(tr.pairs))
	tr.drawn = min(drawnPairs(by)/tr.all, 1)
	tr.begin(float64(t.rows()))
	return tr
}

// run goes through rounds of expectation and maximisation.
func (tr *trainer) run(ctx context.Context, o *Options, rounds int) error {
	for r := range rounds {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := tr.expect(ctx, o); err != nil {
			return err
		}
		tr.maximise(tr.t.rows())
		o.report(Training, r+1, rounds)
	}
	return nil
}

// begin starts from the shipped shares, and one duplicate for every five records.
func (tr *trainer) begin(rows float64) {
	tr.p = &parameters{Columns: make([]weights, tr.e.columns), Prior: math.Log(max(rows*0.2, 1) / tr.all), Related: math.Log(max(rows*0.05, 1) / tr.all), Site: noSites}
	if tr.layout.sites {
		tr.p.Site = math.Log(max(rows*0.05, 1) / tr.all)
	}
	for i := range tr.p.Columns {
		w := &tr.p.Columns[i]
		w.M = *shippedFor(tr.layout.columns[i].typ)
		tr.setU(i, tr.presumed(i), [absent]float64{}, [absent]float64{})
		w.R = relatedShares(tr.layout.columns[i].typ, &w.M, &w.U)
		w.B = siteShares(tr.layout.columns[i].typ, siteStart(tr.layout.columns[i].typ), &w.U)
		pool(w)
	}
}

// presumed takes random pairs that agree nearly whole in what tells customers apart for those of
// one customer, until training knows better: of a list of some hundreds nearly all are, and
// held for chance they would hide the others. Where names are all that tells, so is one in two that may
// be short for the other.
func (tr *trainer) presumed(i int) (same [absent]float64) {
	if !tells(tr.layout.columns[i].typ) {
		return same
	}
	for s := nearlyWhole; s <= compare.Exact; s++ {
		same[s] = tr.chance[i].count[s] / (tr.scale * tr.drawn)
	}
	if tr.layout.names {
		same[shortForm] = 0.5 * tr.chance[i].count[shortForm] / (tr.scale * tr.drawn)
	}
	return same
}

// presume keeps to what is presumed of a column where names are all that tells. No other column can
// show then whether names that agree nearly whole are of one customer, and training would end with
// taking them for chance, or not, as the draw of random pairs would have it. Where all pairs were
// drawn, the candidates among them show no other ones.
func (tr *trainer) presume(i int, same, other, otherBits *[absent]float64) {
	for s, n := range tr.presumed(i) {
		same[s] = max(same[s], n)
		if n > 0 && tr.drawn == 1 {
			other[s] *= leastApart
			otherBits[s] *= leastApart
		}
	}
}

const (
	// nearlyWhole is the least level of values that say the same in other words or letters.
	nearlyWhole = compare.Exact - 2
	// shortForm is the level of names one of which may be short for the other.
	shortForm = nearlyWhole - 1
)

// expect finds the probability of every pair to be one customer, and to be related.
func (tr *trainer) expect(ctx context.Context, o *Options) error {
	s := newScorer(tr.layout, tr.p)
	err := chunks(ctx, o.workers(), len(tr.pairs), func(_, from, to int) {
		for i := from; i < to; i++ {
			same, related, site := s.classes(tr.e.of(i))
			tr.post[i] = same - softplus2(related, site)
			tr.kin[i] = logistic(related - softplus2(same, site))
			if s.sites != nil {
				tr.site[i] = logistic(site - softplus2(same, related))
			}
		}
	})
	if err != nil {
		return err
	}
	if tr.sides.single != nil {
		compete(tr.t, tr.sides, tr.pairs, tr.post)
	}
	for i, x := range tr.post {
		tr.post[i] = logistic(x)
	}
	return nil
}

func logistic(x float32) float32 { return float32(1 / (1 + math.Exp(-float64(x)))) }

// maximise learns M from each record's best two candidates, so that one large cluster
// does not teach more than many small ones, and U from what the candidates that are no
// matches have in common.
func (tr *trainer) maximise(rows int) {
	teach := tr.teachers(rows)
	c := tr.e.columns
	m := make([][absent]float64, c)
	same := make([][absent]float64, c)
	other := make([][absent]float64, c)
	otherBits := make([][absent]float64, c)
	r := make([][absent]float64, c)
	b := make([][absent]float64, c)
	total, related, sites := 0.0, 0.0, 0.0
	for p := range tr.pairs {
		post, kin, site := float64(tr.post[p]), float64(tr.kin[p]), float64(tr.site[p])
		total += post
		related += kin
		sites += site
		state, bits := tr.e.of(p)
		for i, s := range state {
			if s == absent {
				continue
			}
			if teach[p] {
				m[i][s] += post
			}
			same[i][s] += post
			r[i][s] += kin
			b[i][s] += site
			other[i][s] += 1 - post
			otherBits[i][s] += (1 - post) * float64(bits[i]) / 4
		}
	}
	for i := range tr.p.Columns {
		w := &tr.p.Columns[i]
		w.M = blend(m[i], shippedFor(tr.layout.columns[i].typ))
		hold(&w.M, tr.layout.columns[i].typ)
		if tr.layout.names {
			tr.presume(i, &same[i], &other[i], &otherBits[i])
		}
		tr.setU(i, same[i], other[i], otherBits[i])
		w.holdSwapped()
		w.holdOtherNumbers(tr.layout.columns[i].typ)
		pool(w)
		seen := blend(r[i], shippedFor(tr.layout.columns[i].typ))
		w.R = relatedShares(tr.layout.columns[i].typ, &seen, &w.U)
		seen = blend(b[i], siteStart(tr.layout.columns[i].typ))
		w.B = siteShares(tr.layout.columns[i].typ, &seen, &w.U)
	}
	tr.p.Prior = math.Log(max(total*tr.scale, 1) / tr.all)
	tr.p.Related = math.Log(max(related*tr.scale, 0.002*float64(rows), 1) / tr.all)
	if tr.layout.sites {
		tr.p.Site = math.Log(max(sites*tr.scale, fewSites*float64(rows)) / tr.all)
	}
}

// teachers are the pairs more likely than not that are one of the best two of a record.
func (tr *trainer) teachers(rows int) []bool {
	best := make([][2]float32, rows)
	for p, rows := range tr.pairs {
		for _, row := range []uint32{rows.a, rows.b} {
			switch b, x := &best[row], tr.post[p]; {
			case x > b[0]:
				b[0], b[1] = x, b[0]
			case x > b[1]:
				b[1] = x
			}
		}
	}
	teach := make([]bool, len(tr.pairs))
	for p, rows := range tr.pairs {
		x := tr.post[p]
		teach[p] = x > 0.1 && (x >= best[rows.a][1] || x >= best[rows.b][1])
	}
	return teach
}

// blend leans a tenth on the shipped shares, and wholly where nothing was seen.
func blend(seen [absent]float64, shipped *[absent]float64) [absent]float64 {
	total := 0.0
	for _, n := range seen {
		total += n
	}
	weight := total*0.1 + 8
	var m [absent]float64
	for s := range m {
		m[s] = (seen[s] + weight*shipped[s]) / (total + weight)
	}
	return m
}

// enough is how many random pairs in a state make a share of it.
const enough = 30

// Of a column filled in few records there are few random pairs: below leastRandom, U leans
// on the shipped shares as if leanRandom pairs had shown them.
const (
	leastRandom = 2000
	leanRandom  = 50
)

// leastApart is the least share of random pairs in a state that are taken for unrelated.
const leastApart = 0.1

// drawnPairs is how many pairs chance was measured on.
func drawnPairs(by []chance) float64 {
	total := 0.0
	if len(by) > 0 {
		for _, n := range by[0].count {
			total += n
		}
	}
	return total
}

// setU sets a column's U: from random pairs where enough are in the state, and from the
// candidates that are no matches where not, as blocking finds nearly all pairs that agree
// in something rare.
func (tr *trainer) setU(i int, same, other, otherBits [absent]float64) {
	w, c := &tr.p.Columns[i], &tr.chance[i]
	total, strangers := 0.0, 0.0
	var apart [absent]float64 // random pairs less those of one customer among them
	for s := range absent {
		total += c.count[s]
		apart[s] = max(c.count[s]-same[s]*tr.scale*tr.drawn, leastApart*c.count[s])
		strangers += apart[s]
	}
	filled := (total + 1) / (total + c.count[absent] + 1)
	base := starterShares(tr.layout.columns[i].typ)
	for s := range absent {
		u, mean := 0.0, 0.0
		if total < leastRandom {
			u = (apart[s] + leanRandom*base[s]) / (strangers + leanRandom)
		} else if c.count[s] >= enough {
			u = apart[s] / strangers
			mean = meanApart(c.bits[s]/c.count[s], apart[s]/c.count[s], otherBits[s], other[s])
		} else {
			u = max(other[s]*tr.scale/(tr.all*filled), (c.count[s]*0.5+0.1)/(total+1)*0.3)
			if n := other[s] + c.count[s]; n > 1 {
				mean = (otherBits[s] + c.bits[s]) / n
			}
		}
		w.U[s], w.Mean[s] = min(u, 1), mean
	}
}

// meanApart is the mean information that unrelated pairs share, of which those of random pairs
// are only a share: the rest are of one customer and share more. For these stand the
// candidates that are no matches.
func meanApart(mean, share, otherBits, other float64) float64 {
	if other < 1 {
		return mean
	}
	return share*mean + (1-share)*min(mean, otherBits/other)
}

// pool makes the ratio of M to U grow with the level, by pooling adjacent violators
// (Ayer et al. 1955): more alike is never worse evidence.
func pool(w *weights) {
	type block struct {
		m, u float64
		n    int
	}
	var pools []block
	for s := 0; s <= compare.Exact; s++ {
		pools = append(pools, block{w.M[s], w.U[s], 1})
		for len(pools) > 1 {
			a, b := pools[len(pools)-2], pools[len(pools)-1]
			if a.m*b.u <= b.m*a.u {
				break
			}
			pools = append(pools[:len(pools)-2], block{a.m + b.m, a.u + b.u, a.n + b.n})
		}
	}
	s := 0
	for _, p := range pools {
		for range p.n {
			w.M[s] = w.U[s] * p.m / p.u
			s++
		}
	}
}
