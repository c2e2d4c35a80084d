package capacity

import (
	"math"
	"math/rand/v2"

	"github.com/clientele-go/clientele/bench/stat"
)

// Growth is how the cost of a question grows with the number of customers. Costs are
// seconds for an answer, for rates seconds for one customer, item or request.
type Growth struct {
	Question string     `json:"question"`
	Curve    stat.Curve `json:"curve"` // of the medians
	// Exponent is that of the power law through the medians, between Low and High with a
	// confidence of 95 %; without bounds there are too few points to say.
	Exponent float64  `json:"exponent"`
	Low      *float64 `json:"exponent_low,omitempty"`
	High     *float64 `json:"exponent_high,omitempty"`
	Points   int      `json:"points"`

	// judged is how many times the median what a level is compared with is.
	judged float64
	steps  []sized
}

// sized is the repetitions at one size, as costs.
type sized struct {
	n     float64
	costs []float64
}

// cost turns a measured value into seconds.
func cost(value float64, u unit) float64 {
	if u.rate() {
		return 1 / value
	}
	return value
}

// growthOf computes the growth of one question, false when it was never measured.
func (r *Report) growthOf(q question) (Growth, bool) {
	g := Growth{Question: q.name}
	var points []stat.Point
	factors := 0.0
	for i := range r.Steps {
		s := &r.Steps[i]
		result, ok := s.Result(q.name)
		if !ok || result.Value <= 0 {
			continue
		}
		at := sized{n: float64(s.Customers)}
		for _, v := range result.Repetitions {
			if v > 0 {
				at.costs = append(at.costs, cost(v, q.unit))
			}
		}
		if len(at.costs) == 0 || q.unit.rate() { // the parts of a load vary; its whole counts
			at.costs = append(at.costs, cost(result.Value, q.unit))
		}
		g.steps = append(g.steps, at)
		points = append(points, stat.Point{N: at.n, Y: cost(result.Value, q.unit)})
		factors += math.Log(cost(result.Judged, q.unit) / cost(result.Value, q.unit))
	}
	if len(points) == 0 {
		return g, false
	}
	g.Points, g.judged = len(points), math.Exp(factors/float64(len(points)))
	g.Curve = stat.Grow(points)
	power := stat.Power(points)
	g.Exponent = power.Exponent
	if len(points) > 2 {
		g.Low, g.High = &power.Low, &power.High
	}
	return g, true
}

// reaches is where what a level is compared with reaches its bound, and the range in
// which that lies eight times of ten when each size's repetitions are drawn anew
// (percentile bootstrap, Efron 1979).
func (g *Growth) reaches(bound float64) (n, low, high float64) {
	bound /= g.judged
	n = g.Curve.Reaches(bound)
	const draws = 200
	random := rand.New(rand.NewPCG(1, uint64(len(g.steps))))
	list := make([]float64, draws)
	points := make([]stat.Point, len(g.steps))
	for i := range list {
		for j, s := range g.steps {
			drawn := make([]float64, len(s.costs))
			for k := range drawn {
				drawn[k] = s.costs[random.IntN(len(s.costs))]
			}
			points[j] = stat.Point{N: s.n, Y: stat.Median(drawn)}
		}
		list[i] = math.Min(stat.Grow(points).Reaches(bound), 1e15)
	}
	return n, math.Min(n, stat.Quantile(list, 0.1)), math.Max(n, stat.Quantile(list, 0.9))
}
