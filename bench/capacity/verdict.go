package capacity

import (
	"fmt"
	"math"
	"slices"

	"github.com/clientele-go/clientele/bench/stat"
)

// Verdict answers how many customers the machine holds.
type Verdict struct {
	// Customers is the answer, and Low to High the range in which it lies eight times of
	// ten if costs go on growing as they did.
	Customers int `json:"customers"`
	Low       int `json:"low"`
	High      int `json:"high"`
	// AtLeast says that nothing breaks up to Customers, which is as far as the
	// measurements allow to look.
	AtLeast bool `json:"at_least,omitempty"`
	// First is the first bound to be reached.
	First *Bound `json:"first,omitempty"`
	// Measured is the largest number of customers at which everything was measured and
	// held. Extrapolated is how many times Measured the answer is.
	Measured     int        `json:"measured"`
	Extrapolated float64    `json:"extrapolated"`
	Confidence   Confidence `json:"confidence"`
	Bounds       []Bound    `json:"bounds"` // all of them, the first to be reached first
	Twice        []Twice    `json:"twice"`
}

// Bound is something that ends the growth of a book.
type Bound struct {
	Kind  string `json:"kind"`            // "level", "disk" or "memory"
	Level string `json:"level,omitempty"` // as ParseLevels reads it
	// Customers is where it is reached, 0 for never as far as can be seen.
	Customers float64 `json:"customers"`
	Low       float64 `json:"low"`
	High      float64 `json:"high"`
	Broken    bool    `json:"broken,omitempty"` // by a measurement
}

// Twice is what the machine would hold with twice of something.
type Twice struct {
	Of        string `json:"of"` // "memory", "disk" or "cores"
	Customers int    `json:"customers"`
	AtLeast   bool   `json:"at_least,omitempty"`
	First     string `json:"first,omitempty"` // what breaks then
}

// Confidence is how much an answer is to be trusted.
type Confidence string

const (
	Measured Confidence = "measured" // the bound was met within the sizes measured
	Good     Confidence = "good"     // at most three times the largest size, from four sizes or more
	Fair     Confidence = "fair"     // at most ten times
	Poor     Confidence = "poor"     // fewer than three sizes: growth is a guess
)

// farthest is how many times the largest measured size an answer may be.
const farthest = 10

// conclude computes growth, verdict and plan from the steps.
func (r *Report) conclude() {
	r.Growth, r.Verdict, r.Plan = nil, nil, nil
	if len(r.Steps) == 0 {
		return
	}
	for _, q := range questions {
		if g, ok := r.growthOf(q); ok {
			r.Growth = append(r.Growth, g)
		}
	}
	r.Verdict = r.verdict()
	r.Plan = r.plan()
}

// verdict finds the first bound.
func (r *Report) verdict() *Verdict {
	v := &Verdict{Measured: r.held(), Bounds: r.bounds(1, 1, 1)}
	v.Customers, v.AtLeast, v.First = r.first(v.Bounds)
	v.Low, v.High = r.between(v)
	if v.Measured > 0 {
		v.Extrapolated = float64(v.Customers) / float64(v.Measured)
	}
	v.Confidence = r.confidence(v)
	for _, t := range []struct {
		of                  string
		memory, disk, cores float64
	}{{"memory", 2, 1, 1}, {"disk", 1, 2, 1}, {"cores", 1, 1, 2}} {
		n, atLeast, first := r.first(r.bounds(t.memory, t.disk, t.cores))
		more := Twice{Of: t.of, Customers: n, AtLeast: atLeast}
		if first != nil {
			more.First = first.name()
		}
		v.Twice = append(v.Twice, more)
	}
	return v
}

// between is the range of a verdict. Whichever bound comes first ends it, so each of them
// can draw it down, and none beyond the least can draw it up.
func (r *Report) between(v *Verdict) (low, high int) {
	least, most := r.horizon(), r.horizon()
	for i := range v.Bounds {
		least, most = math.Min(least, v.Bounds[i].Low), math.Min(most, v.Bounds[i].High)
	}
	return min(v.Customers, significant(least)), max(v.Customers, significant(most))
}

// name is the level, or the resource.
func (b *Bound) name() string {
	if b.Level != "" {
		return b.Level
	}
	return b.Kind
}

// first returns where the first bound lies, to two digits, or the horizon when none does
// before it.
func (r *Report) first(bounds []Bound) (customers int, atLeast bool, first *Bound) {
	if len(bounds) > 0 && bounds[0].Customers < r.horizon()*(1-searched) {
		return significant(bounds[0].Customers), false, &bounds[0]
	}
	return significant(r.horizon()), true, nil
}

// horizon is as far as the measurements allow to look.
func (r *Report) horizon() float64 { return farthest * float64(r.Steps[len(r.Steps)-1].Customers) }

// held is the largest size at which no level was broken.
func (r *Report) held() int {
	for i := len(r.Steps) - 1; i >= 0; i-- {
		if !r.breaks(&r.Steps[i]) {
			return r.Steps[i].Customers
		}
	}
	return 0
}

func (r *Report) breaks(s *Step) bool {
	return slices.ContainsFunc(r.Settings.Levels, func(l Level) bool {
		result, ok := s.Result(l.Probe)
		return ok && l.brokenBy(result)
	})
}

// bounds are all bounds on a machine with so many times the memory, disk and cores, in the
// order in which they are reached. More cores make more requests possible, and loads that
// are shared out among all cores faster; they make no single answer faster, which is true
// of all but reports that use several cores.
func (r *Report) bounds(memory, disk, cores float64) (list []Bound) {
	for _, l := range r.Settings.Levels {
		q, _ := questionNamed(l.Probe)
		g, ok := r.growthOf(q)
		if !ok {
			continue
		}
		b := Bound{Kind: "level", Level: l.String()}
		most := l.Most
		if q.unit.rate() {
			most = 1 / l.Least
		}
		b.Customers, b.Low, b.High = g.reaches(most)
		r.correct(&b, l, most)
		if q.unit.rate() && cores > 1 {
			b.Broken = false
			n, low, high := g.reaches(cores * most)
			b.Customers, b.Low, b.High = math.Max(b.Customers, n), math.Max(b.Low, low), math.Max(b.High, high)
		}
		list = append(list, b)
	}
	list = append(list, r.resourceBound("disk", disk*float64(r.Machine.DiskFree), float64(r.Settings.DiskReserve), func(s *Step) int64 { return s.DiskBytes }))
	list = append(list, r.resourceBound("memory", memory*0.85*float64(r.Machine.MemoryLimit), 0, func(s *Step) int64 { return s.HeapBytes }))
	list = slices.DeleteFunc(list, func(b Bound) bool { return b.Customers < 0 })
	slices.SortStableFunc(list, func(a, b Bound) int {
		switch {
		case a.Customers < b.Customers:
			return -1
		case a.Customers > b.Customers:
			return 1
		}
		return 0
	})
	for i := range list {
		list[i].finite()
	}
	return list
}

// finite keeps numbers that JSON can hold.
func (b *Bound) finite() {
	for _, n := range []*float64{&b.Customers, &b.Low, &b.High} {
		*n = math.Min(*n, 1e15)
	}
}

// correct brings a computed bound in line with what was measured: a level that was broken
// at a size is reached below it, one that held is reached above. Where the curve says
// otherwise, the bound lies on the straight line between the two, in logarithms.
func (r *Report) correct(b *Bound, l Level, most float64) {
	q, _ := questionNamed(l.Probe)
	var held, broken stat.Point // what they cost at which sizes, 0 for none
	for i := range r.Steps {
		s := &r.Steps[i]
		result, ok := s.Result(l.Probe)
		if !ok || broken.N > 0 {
			continue
		}
		if at := (stat.Point{N: float64(s.Customers), Y: cost(result.Judged, q.unit)}); l.brokenBy(result) {
			broken = at
		} else {
			held = at
		}
	}
	b.Broken = broken.N > 0
	if b.Broken && held.N > 0 && (b.Customers < held.N || b.Customers >= broken.N) {
		b.Customers = held.N * math.Pow(broken.N/held.N, math.Log(most/held.Y)/math.Log(broken.Y/held.Y))
	}
	least, first := held.N, broken.N
	if !b.Broken {
		first = math.Inf(1)
	}
	for _, n := range []*float64{&b.Customers, &b.Low, &b.High} {
		*n = math.Min(math.Max(*n, least), first)
	}
	b.Low, b.High = math.Min(b.Low, b.Customers), math.Max(b.High, b.Customers)
}

// resourceBound is where a resource is used up, negative when it isn't known.
func (r *Report) resourceBound(kind string, have, reserve float64, used func(*Step) int64) Bound {
	b := Bound{Kind: kind, Customers: -1}
	if have <= 0 {
		return b
	}
	var points []stat.Point
	for i := range r.Steps {
		if n := used(&r.Steps[i]); n > 0 {
			points = append(points, stat.Point{N: float64(r.Steps[i].Customers), Y: float64(n)})
		}
	}
	if len(points) == 0 {
		return b
	}
	c := stat.Grow(points)
	b.Customers = c.Reaches(have - reserve)
	spread := 1 + 2*c.Residual
	b.Low, b.High = c.Reaches((have-reserve)/spread), c.Reaches((have-reserve)*spread)
	return b
}

func (r *Report) confidence(v *Verdict) Confidence {
	switch last := float64(r.Steps[len(r.Steps)-1].Customers); {
	case len(r.Steps) < 3:
		return Poor
	case float64(v.Customers) <= last && !v.AtLeast:
		return Measured
	case float64(v.Customers) <= 3*last && len(r.Steps) >= 4:
		return Good
	}
	return Fair
}

// searched is how exactly a curve's size is found.
const searched = 1e-6

// significant keeps two digits of a number.
func significant(number float64) int {
	n, unit := int(number*(1+searched)), 1
	for n/unit >= 100 {
		unit *= 10
	}
	return n / unit * unit
}

// String is the verdict in one English sentence.
func (v *Verdict) String() string {
	if v.Customers == 0 {
		return fmt.Sprintf("Already the smallest book breaks %s; see what else works on this machine, or choose other service levels.", v.First.name())
	}
	holds := "about " + count(v.Customers)
	if v.AtLeast {
		holds = "at least " + count(v.Customers)
	}
	text := fmt.Sprintf("This machine holds %s customers within these service levels", holds)
	if v.First != nil {
		text += "; the first thing to break is " + v.First.name()
	}
	if v.Measured == 0 {
		return text + ". No size that was measured held: the number is a guess."
	}
	return text + fmt.Sprintf(". Confidence: %s, %.3g times the largest size that was measured.", v.Confidence, v.Extrapolated)
}
