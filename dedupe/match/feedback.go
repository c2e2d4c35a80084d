package match

import "math"

// Feedback is a pair that a person judged.
type Feedback struct {
	A, B *Prepared
	Same bool
}

// Strength of what a model knows already, against what people say.
const (
	knownPairs  = 100 // pairs of one customer that count as much as one judged one does
	shiftSpread = 1.5 // how far, in log-odds, people may well be from the model
)

// Learn returns a model that took the judgements to heart: the levels that pairs judged
// the same have become more telling, and all log-odds are shifted as the judged pairs
// suggest (Platt 1999, the offset alone). A few judgements change little.
func (m *Model) Learn(judged []Feedback) *Model {
	p := &parameters{Columns: append([]weights(nil), m.p.Columns...), Prior: m.p.Prior, Related: m.p.Related, Site: m.p.Site, Shift: m.p.Shift}
	seen := make([][absent]float64, len(p.Columns))
	j := m.pool.Get().(*judging)
	for _, f := range judged {
		if !f.Same {
			continue
		}
		j.c.records(f.A.values, f.B.values, j.state, j.bits)
		for i, s := range j.state {
			if s != absent {
				seen[i][s]++
			}
		}
	}
	m.pool.Put(j)
	for i := range p.Columns {
		total := 0.0
		for _, n := range seen[i] {
			total += n
		}
		for s := range seen[i] {
			p.Columns[i].M[s] = (p.Columns[i].M[s]*knownPairs + seen[i][s]) / (knownPairs + total)
		}
		pool(&p.Columns[i])
	}
	learned := newModel(m.layout, p)
	learned.common, learned.filled = m.common, m.filled
	learned.frequent = m.frequent
	p.Shift += learned.shift(judged)
	learned.score = newScorer(m.layout, p)
	return learned
}

// shift finds the offset of log-odds by Newton's method, with a normal prior about 0.
func (m *Model) shift(judged []Feedback) float64 {
	scores := make([]float64, len(judged))
	for i, f := range judged {
		scores[i] = m.Score(f.A, f.B).LogOdds
	}
	b := 0.0
	for range 20 {
		gradient, curvature := -b/(shiftSpread*shiftSpread), 1/(shiftSpread*shiftSpread)
		for i, f := range judged {
			p := 1 / (1 + math.Exp(-scores[i]-b))
			if f.Same {
				gradient += 1 - p
			} else {
				gradient -= p
			}
			curvature += p * (1 - p)
		}
		b += min(max(gradient/curvature, -1), 1)
	}
	return b
}
