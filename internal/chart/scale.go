package chart

import (
	"math"

	"golang.org/x/text/language"
)

// Tick is a value of an axis with its label.
type Tick struct {
	At    float64
	Label string
}

// scale maps the values of an axis to pixels.
type scale struct {
	low, high float64 // values
	from, to  float64 // pixels
	log       bool
}

// at returns where a value stands.
func (s scale) at(v float64) float64 {
	low, high := s.low, s.high
	if s.log {
		low, high, v = math.Log10(low), math.Log10(high), math.Log10(v)
	}
	return s.from + (v-low)/(high-low)*(s.to-s.from)
}

// has says whether a value can be shown.
func (s scale) has(v float64) bool { return shows(s.log, v) }

// least is the least value that a logarithmic axis shows, and the least span of a linear
// one: below, quotients lose their digits.
const least = 1e-290

func shows(log bool, v float64) bool { return finite(v) && (!log || v >= least) }

// niceStep is the step of an axis, 1, 2 or 5 times a power of ten, for about n steps.
func niceStep(span float64, n int) float64 {
	step := span / float64(n)
	power := math.Pow10(int(math.Floor(math.Log10(step))))
	for _, m := range []float64{1, 2, 5} {
		if step <= m*power*1.0001 {
			return m * power
		}
	}
	return 10 * power
}

// linear makes a scale of round values that holds low and high, with its ticks, about n.
func linear(low, high float64, n int) (s scale, values []float64) {
	if high-low < least {
		low, high = min(low, 0), max(high, 0)
	}
	if high-low < least {
		low, high = 0, 1
	}
	step := niceStep(high-low, max(n, 1))
	first, last := math.Floor(low/step+1e-9), math.Ceil(high/step-1e-9)
	for i := first; i <= last && len(values) <= 4*n+4; i++ {
		values = append(values, i*step)
	}
	return scale{low: first * step, high: last * step}, values
}

// logarithmic makes a scale of whole powers of ten that holds low and high, both more than
// zero, with its ticks: powers, or for a short scale 1, 2 and 5 times powers.
func logarithmic(low, high float64, n int) (s scale, values []float64) {
	first, last := int(math.Floor(math.Log10(low)+1e-9)), int(math.Ceil(math.Log10(high)-1e-9))
	if first == last {
		last++
	}
	s = scale{low: math.Pow10(first), high: math.Pow10(last), log: true}
	every := max(1, (last-first+n-1)/max(n, 1))
	for p := first; p <= last; p += every {
		values = append(values, math.Pow10(p))
		if p < last && last-first <= 2 && every == 1 {
			values = append(values, 2*math.Pow10(p), 5*math.Pow10(p))
		}
	}
	return s, values
}

// Axis is an axis of a chart of [Lines].
type Axis struct {
	Label string
	// Log makes the axis logarithmic; values that aren't positive are left out.
	Log bool
	// Format writes the ticks; nil is [Compact].
	Format func(value float64) string
	// Ticks replaces the axis' own ticks, as for months; those for which there is no room
	// are left out. It doesn't widen the axis.
	Ticks []Tick
	// Zero has a linear axis begin at 0.
	Zero bool
}

// scale returns the axis' scale for values from low to high, and its ticks.
func (a Axis) scale(tag language.Tag, low, high float64, n int) (scale, []Tick) {
	if a.Zero && !a.Log {
		low, high = min(low, 0), max(high, 0)
	}
	if len(a.Ticks) > 0 && !a.Log {
		if high-low < least {
			low, high = low-0.5-math.Abs(low), high+0.5+math.Abs(high)
		}
		return scale{low: low, high: high}, a.Ticks
	}
	make := linear
	if a.Log {
		make = logarithmic
	}
	s, values := make(low, high, n)
	ticks := a.Ticks
	if len(ticks) == 0 {
		ticks = label(values, a.format(tag, values))
	}
	return s, ticks
}

// format returns what writes the axis' ticks: with as many digits as tell them apart.
func (a Axis) format(tag language.Tag, values []float64) func(float64) string {
	if a.Format != nil {
		return a.Format
	}
	return apartFrom(tag, values)
}

func label(values []float64, write func(float64) string) []Tick {
	ticks := make([]Tick, len(values))
	for i, v := range values {
		ticks[i] = Tick{v, write(v)}
	}
	return ticks
}

// apartFrom returns [Compact] with as many digits as all values need to look different.
func apartFrom(tag language.Tag, values []float64) func(float64) string {
	for significant := 3; ; significant++ {
		write := func(v float64) string { return compact(tag, v, significant) }
		seen := map[string]bool{}
		for _, v := range values {
			seen[write(v)] = true
		}
		if len(seen) == len(values) || significant == 12 {
			return write
		}
	}
}
