package stat

import (
	"fmt"
	"math"
)

// Point is one measurement: a cost at a size.
type Point struct {
	N float64 // more than 0
	Y float64 // more than 0
}

// Shape is how a cost grows.
type Shape uint8

const (
	Flat      Shape = iota // a
	Log                    // a + b·ln n
	Root                   // a + b·√n
	Linear                 // a + b·n
	LogLinear              // a + b·n·ln n
)

var shapeNames = [...]string{"flat", "log", "root", "linear", "n log n"}

func (s Shape) String() string { return shapeNames[s] }

// MarshalText returns the English name.
func (s Shape) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (s *Shape) UnmarshalText(text []byte) error {
	for i, name := range shapeNames {
		if name == string(text) {
			*s = Shape(i)
			return nil
		}
	}
	return fmt.Errorf("stat: %q is no shape; use one of %q", text, shapeNames)
}

// of is the part of the shape that grows.
func (s Shape) of(n float64) float64 {
	switch s {
	case Log:
		return math.Log(n)
	case Root:
		return math.Sqrt(n)
	case Linear:
		return n
	case LogLinear:
		return n * math.Log(n)
	}
	return 0
}

// Curve is a shape with its two constants.
type Curve struct {
	Shape    Shape   `json:"shape"`
	Constant float64 `json:"constant"`
	Slope    float64 `json:"slope"`
	// Residual is the root of the mean square of the relative errors: 0.1 for 10 %.
	Residual float64 `json:"residual"`
}

// At is the cost at a size.
func (c Curve) At(n float64) float64 { return c.Constant + c.Slope*c.Shape.of(n) }

// Reaches returns the size at which the cost reaches a bound, +Inf for never within
// 10^15, and 0 when it is above the bound from the first.
func (c Curve) Reaches(bound float64) float64 {
	low, high := 1.0, 1e15
	if c.At(low) > bound {
		return 0
	}
	if c.At(high) <= bound {
		return math.Inf(1)
	}
	for high/low > 1+1e-9 {
		middle := math.Sqrt(low * high)
		if c.At(middle) <= bound {
			low = middle
		} else {
			high = middle
		}
	}
	return low
}

// growthWorth is how much smaller the residual of a growing curve must be than that of a
// flat one to be believed.
const growthWorth = 0.7

// Grow returns the curve that fits some points best, by least squares of the relative
// errors. A curve that grows must fit clearly better than a flat one. With fewer than
// three sizes, which every growing curve fits, the exponent decides. Costs are taken not
// to fall: constants and slopes are never less than 0.
func Grow(points []Point) Curve {
	flat := fitFlat(points)
	if len(points) < 2 {
		return flat
	}
	if len(points) < 3 {
		return growOfTwo(points, flat)
	}
	best := flat
	for _, s := range []Shape{Log, Root, Linear, LogLinear} {
		if c := fitShape(s, points); c.Slope > 0 && c.Residual < growthWorth*flat.Residual && c.Residual < best.Residual {
			best = c
		}
	}
	return best
}

func growOfTwo(points []Point, flat Curve) Curve {
	switch e := Power(points).Exponent; {
	case e < 0.1:
		return flat
	case e < 0.5:
		return fitShape(Log, points)
	}
	return fitShape(Linear, points)
}

// fitFlat minimises the relative errors of a constant: Σ(1−a/y)² is least at
// a = Σ(1/y)/Σ(1/y²).
func fitFlat(points []Point) Curve {
	var one, two float64
	for _, p := range points {
		one, two = one+1/p.Y, two+1/(p.Y*p.Y)
	}
	return judge(Curve{Shape: Flat, Constant: one / two}, points)
}

// fitShape is the weighted linear regression on what grows, the weights 1/y².
func fitShape(s Shape, points []Point) Curve {
	var w, x, y, xx, xy float64
	for _, p := range points {
		weight, g := 1/(p.Y*p.Y), s.of(p.N)
		w, x, y = w+weight, x+weight*g, y+weight*p.Y
		xx, xy = xx+weight*g*g, xy+weight*g*p.Y
	}
	c := Curve{Shape: s}
	if d := w*xx - x*x; d != 0 {
		c.Slope = (w*xy - x*y) / d
		c.Constant = (y - c.Slope*x) / w
	}
	if c.Constant < 0 && xx > 0 { // through the origin instead
		c.Constant, c.Slope = 0, xy/xx
	}
	if c.Slope < 0 {
		return fitFlat(points)
	}
	return judge(c, points)
}

func judge(c Curve, points []Point) Curve {
	sum := 0.0
	for _, p := range points {
		e := (c.At(p.N) - p.Y) / p.Y
		sum += e * e
	}
	if len(points) > 0 {
		c.Residual = math.Sqrt(sum / float64(len(points)))
	}
	return c
}

// PowerLaw is y = Factor·n^Exponent, with the bounds between which the exponent lies with
// a confidence of 95 %, if the errors of ln y are normal. The bounds are infinite for
// fewer than three points.
type PowerLaw struct {
	Factor   float64
	Exponent float64
	Low      float64
	High     float64
}

// Power fits a power law by linear regression of ln y on ln n.
func Power(points []Point) PowerLaw {
	n := float64(len(points))
	var mx, my float64
	for _, p := range points {
		mx, my = mx+math.Log(p.N)/n, my+math.Log(p.Y)/n
	}
	var sxx, sxy float64
	for _, p := range points {
		dx := math.Log(p.N) - mx
		sxx, sxy = sxx+dx*dx, sxy+dx*(math.Log(p.Y)-my)
	}
	if sxx == 0 {
		return PowerLaw{math.Exp(my), 0, math.Inf(-1), math.Inf(1)}
	}
	e := sxy / sxx
	if len(points) < 3 {
		return PowerLaw{math.Exp(my - e*mx), e, math.Inf(-1), math.Inf(1)}
	}
	sum := 0.0
	for _, p := range points {
		r := math.Log(p.Y) - my - e*(math.Log(p.N)-mx)
		sum += r * r
	}
	half := student(len(points)-2) * math.Sqrt(sum/(n-2)/sxx)
	return PowerLaw{math.Exp(my - e*mx), e, e - half, e + half}
}

// student is the 97.5 % quantile of Student's t distribution, from the usual table.
func student(degrees int) float64 {
	table := [...]float64{12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228}
	if degrees <= len(table) {
		return table[degrees-1]
	}
	return 2.228 // of 10 degrees: no more than 14 % too wide
}
