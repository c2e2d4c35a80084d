package chart

import (
	"cmp"
	"math"
	"slices"
)

// Lines are series over a common axis, linear or logarithmic either way.
type Lines struct {
	Frame
	X, Y    Axis
	Series  []Series
	Targets []Target
	// Height of the plot in pixels; 0 is 260.
	Height float64
}

// Series is one line of a chart of [Lines].
type Series struct {
	Name   string
	Points []Sample // in any order; drawn in that of X
	// Dashed is for what was computed, not measured; Scatter draws points without a line,
	// Plain a line without points.
	Dashed, Scatter, Plain bool
	// Like draws the series in the ink of the series with that number, from 1 on, as a fit
	// is drawn like what it fits; 0 is its own ink.
	Like int
}

// Sample is a value of a series, with the band that it may lie in: none if Low and High
// are zero.
type Sample struct{ X, Y, Low, High float64 }

// Target is a line right across: a bound, a goal.
type Target struct {
	Name     string
	At       float64
	Vertical bool // at a value of X, not of Y
}

// extent returns the least and the greatest value that an axis must show.
func (l Lines) extent(axis Axis, of func(Sample) []float64, vertical bool) (low, high float64, any bool) {
	low, high = math.Inf(1), math.Inf(-1)
	see := func(v float64) {
		if shows(axis.Log, v) {
			low, high, any = min(low, v), max(high, v), true
		}
	}
	for _, s := range l.Series {
		for _, p := range s.Points {
			for _, v := range of(p) {
				see(v)
			}
		}
	}
	if any {
		for _, t := range l.Targets {
			if t.Vertical == vertical {
				see(t.At)
			}
		}
	}
	return low, high, any
}

func (p Sample) banded() bool { return p.Low != 0 || p.High != 0 }

func (p Sample) heights() []float64 {
	if p.banded() {
		return []float64{p.Y, p.Low, p.High}
	}
	return []float64{p.Y}
}

// Draw implements [Chart].
func (l Lines) Draw(width float64) Drawing {
	lowX, highX, anyX := l.extent(l.X, func(p Sample) []float64 { return []float64{p.X} }, true)
	lowY, highY, anyY := l.extent(l.Y, Sample.heights, false)
	if !anyX || !anyY {
		return empty(l.Frame, width)
	}
	s := newSheet(l.Frame, width)
	height := cmp.Or(l.Height, 260)
	top := s.legend(l.keys(), 0)
	if l.Y.Label != "" {
		s.text(0, top+lineHeight-4, Start, Soft, smallSize, fit(l.Y.Label, smallSize, s.Width))
		top += lineHeight + 2
	}
	top += gap
	y, ticksY := l.Y.scale(l.Language, lowY, highY, 5)
	left := gap + widest(ticksY)
	x, ticksX := l.X.scale(l.Language, lowX, highX, max(2, int((s.Width-left)/90)))
	right := s.Width - 18 // half a label
	x.from, x.to, y.from, y.to = left+6, right, top+height, top
	s.grid(x, y, ticksX, ticksY, left)
	for i := range l.Series {
		l.band(s, x, y, i)
	}
	for _, t := range l.Targets {
		l.target(s, x, y, t)
	}
	for i := range l.Series {
		l.series(s, x, y, i)
	}
	s.Height = top + height + lineHeight + gap
	if l.X.Label != "" {
		s.text(right, s.Height+lineHeight-6, End, Soft, smallSize, fit(l.X.Label, smallSize, s.Width))
		s.Height += lineHeight
	}
	return s.Drawing
}

func (l Lines) keys() (keys []key) {
	for i, s := range l.Series {
		if s.Name != "" {
			keys = append(keys, key{name: s.Name, ink: l.ink(i), dashed: s.Dashed, line: true})
		}
	}
	return keys
}

func (l Lines) ink(i int) Ink {
	if like := l.Series[i].Like; like > 0 {
		return SeriesInk(like - 1)
	}
	return SeriesInk(i)
}

func widest(ticks []Tick) float64 {
	w := 0.0
	for _, t := range ticks {
		w = max(w, TextWidth(t.Label, smallSize))
	}
	return w
}

// grid draws the lines and labels of the ticks.
func (s *sheet) grid(x, y scale, ticksX, ticksY []Tick, left float64) {
	for _, t := range ticksY {
		at := y.at(t.At)
		if !y.has(t.At) || at < y.to-1 || at > y.from+1 {
			continue
		}
		s.line(Grid, 1, Point{x.from - 4, at}, Point{x.to, at})
		s.text(left-2, at+4, End, Soft, smallSize, t.Label)
	}
	s.line(Soft, 1, Point{x.from - 4, y.from}, Point{x.to, y.from})
	s.ticks(x, ticksX, y.from)
}

// ticks writes the labels under an axis, leaving out those that would touch the one
// before. The last one stands, since it is what people look for.
func (s *sheet) ticks(x scale, ticks []Tick, y float64) {
	ticks = slices.Clone(ticks)
	slices.SortFunc(ticks, func(a, b Tick) int { return cmp.Compare(a.At, b.At) })
	taken := math.Inf(1) // from the right
	for _, t := range slices.Backward(ticks) {
		at := x.at(t.At)
		if !x.has(t.At) || at < x.from-1 || at > x.to+1 {
			continue
		}
		half := TextWidth(t.Label, smallSize) / 2
		middle := max(min(at, s.Width-half), half)
		if middle+half+gap > taken {
			continue
		}
		taken = middle - half
		s.line(Soft, 1, Point{at, y}, Point{at, y + 4})
		s.text(middle, y+lineHeight, Middle, Soft, smallSize, t.Label)
	}
}

// shown returns the points of a series that the axes have, by X.
func (l Lines) shown(x, y scale, i int) (points []Sample) {
	for _, p := range l.Series[i].Points {
		if x.has(p.X) && y.has(p.Y) {
			points = append(points, p)
		}
	}
	slices.SortStableFunc(points, func(a, b Sample) int { return cmp.Compare(a.X, b.X) })
	return points
}

// band fills the room between the bounds of neighbouring points.
func (l Lines) band(s *sheet, x, y scale, i int) {
	var upper, lower []Point
	for _, p := range l.shown(x, y, i) {
		if !p.banded() || !finite(p.Low) || !y.has(p.High) {
			continue
		}
		low := p.Low
		if y.log {
			low = max(low, y.low) // a band that reaches zero goes to the bottom
		}
		upper, lower = append(upper, Point{x.at(p.X), y.at(p.High)}), append(lower, Point{x.at(p.X), y.at(low)})
	}
	if len(upper) < 2 {
		for j := range upper {
			s.line(l.ink(i), 1.5, upper[j], lower[j])
		}
		return
	}
	slices.Reverse(lower)
	s.add(Mark{Shape: Area, Ink: l.ink(i), Points: append(upper, lower...), Opacity: 0.18})
}

func (l Lines) series(s *sheet, x, y scale, i int) {
	series, ink := l.Series[i], l.ink(i)
	var line []Point
	points := l.shown(x, y, i)
	for _, p := range points {
		line = append(line, Point{x.at(p.X), y.at(p.Y)})
	}
	if !series.Scatter && len(line) > 1 {
		s.add(Mark{Shape: Line, Ink: ink, Width: 2, Dashed: series.Dashed, Points: line})
	}
	if series.Plain && len(line) > 1 {
		return
	}
	for j, p := range points {
		s.add(Mark{Shape: Dot, Ink: ink, Width: 3, Points: line[j : j+1], Title: l.caption(series.Name, p)})
	}
}

// caption is what a point says when it is pointed at.
func (l Lines) caption(name string, p Sample) string {
	at := l.X.format(l.Language, nil)(p.X)
	for _, t := range l.X.Ticks {
		if t.At == p.X {
			at = t.Label
		}
	}
	if name != "" {
		name += " · "
	}
	return name + at + ": " + l.value(p.Y)
}

// target draws a bound with its name above its line, on the right.
func (l Lines) target(s *sheet, x, y scale, t Target) {
	if t.Vertical {
		if !x.has(t.At) {
			return
		}
		at := x.at(t.At)
		s.add(Mark{Shape: Line, Ink: Fall, Width: 1.5, Dashed: true, Points: []Point{{at, y.from}, {at, y.to}}})
		align, from := Start, at+4
		if at > s.Width/2 {
			align, from = End, at-4
		}
		s.add(Mark{Shape: Letter, Ink: Fall, Points: []Point{{from, y.from - 6}}, Size: smallSize, Align: align, Text: t.Name, Halo: true})
		return
	}
	if !y.has(t.At) {
		return
	}
	at := y.at(t.At)
	s.add(Mark{Shape: Line, Ink: Fall, Width: 1.5, Dashed: true, Points: []Point{{x.from, at}, {x.to, at}}})
	s.add(Mark{Shape: Letter, Ink: Fall, Points: []Point{{x.to, at - 5}}, Size: smallSize, Align: End, Text: fit(t.Name, smallSize, x.to-x.from), Halo: true})
}

// Sparkline is a line as high as a text, without axes.
type Sparkline struct {
	Frame
	Values []float64 // at equal distances; NaN is a gap
}

// Draw implements [Chart]. It is 22 pixels high.
func (l Sparkline) Draw(width float64) Drawing {
	s := &sheet{Drawing{Title: l.Title, Desc: l.Desc, Width: max(width, 20), Height: 22}}
	low, high, last := math.Inf(1), math.Inf(-1), -1
	for i, v := range l.Values {
		if finite(v) {
			low, high, last = min(low, v), max(high, v), i
		}
	}
	if last < 0 {
		s.line(Grid, 1, Point{0, 11}, Point{s.Width, 11})
		return s.Drawing
	}
	y := scale{low: low, high: high, from: s.Height - 4, to: 4}
	if low == high {
		y.low, y.high = low-1-math.Abs(low), high+1+math.Abs(high)
	}
	x := scale{low: 0, high: max(1, float64(len(l.Values)-1)), from: 3, to: s.Width - 4}
	var run []Point
	draw := func() {
		if len(run) > 1 {
			s.line(SeriesInk(0), 1.5, run...)
		}
		run = nil
	}
	for i, v := range l.Values {
		if !finite(v) {
			draw()
			continue
		}
		run = append(run, Point{x.at(float64(i)), y.at(v)})
	}
	draw()
	end := l.Values[last]
	s.add(Mark{Shape: Dot, Ink: SeriesInk(0), Width: 2.5, Points: []Point{{x.at(float64(last)), y.at(end)}}, Title: l.value(end)})
	return s.Drawing
}
