package score

import (
	"slices"

	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
)

// History is what a customer is scored by.
type History struct {
	// Figures that are known. What is missing counts for nothing, for or against.
	Figures map[Figure]int64
	Settled int64 // items settled so far, the weight of own history
	// Usual is the exposure that a limit is proposed from: what the customer buys in its
	// terms, such as mean monthly sales × (days of terms + days beyond terms) ÷ 30.
	Usual money.Amount
}

// Result is a score and how it came about.
type Result struct {
	Score         int // 0 to Best
	Grade         Grade
	Own           int            // by own history
	Contributions []Contribution // to Own; their Parts add up to it
	External      *External      // nil when there is none that counts
	// OwnWeight is the part of Score by own history, in hundredths of a percent; the rest
	// is the external score's.
	OwnWeight int64
	Limit     money.Amount // proposed; never negative
	Review    date.Date    // when to look again
}

// Contribution is what one factor gives.
type Contribution struct {
	Figure Figure
	Value  int64 // the customer's figure
	Points int   // what it earns by the factor's bands, 0 to Best
	Weight int64 // the factor's part among those known, in hundredths of a percent
	Part   int   // of the own score
}

// Score scores a customer on a day. External scores that are older than the model allows
// don't count, and of the others the latest does. Without own history and external score
// the result is 0 and the worst grade: nothing is known.
func (m Model) Score(h History, external []External, on date.Date) (Result, error) {
	if err := m.Validate(); err != nil {
		return Result{}, err
	}
	var r Result
	r.Own, r.Contributions = m.own(h)
	r.External = m.latest(external, on)
	r.Score, r.OwnWeight = m.blend(r, h.Settled)
	r.Grade = m.grade(r.Score)
	if h.Usual.Currency != 0 && h.Usual.Sign() > 0 {
		limit, err := m.limit(h.Usual, r.Grade)
		if err != nil {
			return Result{}, err
		}
		r.Limit = limit
	}
	review, err := on.AddMonths(r.Grade.Months)
	r.Review = review
	return r, err
}

// own returns the weighted mean of the factors' points. The parts are rounded so that they
// add up to it: cut down, and what is missing given to the largest remainders.
func (m Model) own(h History) (int, []Contribution) {
	var list []Contribution
	weights, total := []int{}, 0
	for _, f := range m.Factors {
		value, known := h.Figures[f.Figure]
		if !known {
			continue
		}
		list = append(list, Contribution{Figure: f.Figure, Value: value, Points: f.points(value)})
		weights = append(weights, f.Weight)
		total += f.Weight
	}
	if total == 0 {
		return 0, nil
	}
	sum := 0
	for i := range list {
		list[i].Weight = int64(weights[i]*10_000) / int64(total)
		sum += list[i].Points * weights[i]
	}
	own := halfEven(sum, total)
	rest := own
	for i := range list {
		list[i].Part = list[i].Points * weights[i] / total
		rest -= list[i].Part
	}
	remainder := func(i int) int { return list[i].Points * weights[i] % total }
	order := make([]int, len(list))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return remainder(b) - remainder(a) })
	for _, i := range order[:max(rest, 0)] {
		list[i].Part++
	}
	return own, list
}

func halfEven(over, under int) int {
	quotient, rest := over/under, over%under
	if 2*rest > under || 2*rest == under && quotient%2 == 1 {
		quotient++
	}
	return quotient
}

// latest returns the external score that counts.
func (m Model) latest(external []External, on date.Date) *External {
	var found *External
	for i, e := range external {
		until, err := e.Date.AddMonths(m.ExternalMonths)
		if err != nil || e.Date > on || until < on || found != nil && e.Date <= found.Date {
			continue
		}
		found = &external[i]
	}
	return found
}

// blend weighs own history against the external score.
func (m Model) blend(r Result, settled int64) (score int, ownWeight int64) {
	switch {
	case r.External == nil && r.Contributions == nil:
		return 0, 0
	case r.External == nil:
		return r.Own, 10_000
	case r.Contributions == nil:
		return r.External.Score, 0
	}
	n := min(max(settled, 0), 1_000_000)
	k := min(m.Credibility, 1_000_000)
	if n+k == 0 {
		return r.External.Score, 0
	}
	ownWeight = n * 10_000 / (n + k)
	return halfEven(r.Own*int(ownWeight)+r.External.Score*int(10_000-ownWeight), 10_000), ownWeight
}
