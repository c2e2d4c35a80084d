package chart

import "math"

// Waterfall shows how a total came from another: totals stand on the axis, what came and
// went between them hangs where it happened. Where there is no room for columns the chart
// lies.
type Waterfall struct {
	Frame
	Steps []Step
}

// Step is a column of a [Waterfall]: a total, or what is added to the level so far.
type Step struct {
	Label string
	Value float64
	Total bool
}

// column is a step with its ends.
type column struct {
	Step
	from, to float64
}

// columns returns the steps with their ends; what is no number is left out.
func (w Waterfall) columns() (list []column) {
	level := 0.0
	for _, step := range w.Steps {
		if !finite(step.Value) {
			continue
		}
		c := column{step, level, level + step.Value}
		if step.Total {
			c.from, c.to = 0, step.Value
		}
		level = c.to
		list = append(list, c)
	}
	return list
}

func (c column) ink() Ink {
	switch {
	case c.Total:
		return Total
	case c.Value < 0:
		return Fall
	}
	return Rise
}

// text is the step's value within a width, with its sign if it is a change.
func (w Waterfall) text(c column, room float64) string {
	if !c.Total && c.Value > 0 {
		return "+" + w.within(c.Value, room)
	}
	return w.within(c.Value, room)
}

// caption is what a column says when it is pointed at.
func (w Waterfall) caption(c column) string { return c.Label + ": " + w.text(c, math.Inf(1)) }

// levels returns the scale for all ends, and whether it is broken: when all happens far
// from zero, as a few hundred among a million, the axis begins below the least level and
// not at zero, so that anything can be seen.
func levels(columns []column) (s scale, ticks []float64, broken bool) {
	low, high := math.Inf(1), math.Inf(-1)
	for _, c := range columns {
		low, high = min(low, c.to), max(high, c.to)
		if !c.Total {
			low, high = min(low, c.from), max(high, c.from)
		}
	}
	broken = low > 0.9*high && high > low
	if broken {
		low = max(0, low-(high-low)*0.5)
	} else {
		low, high = min(low, 0), max(high, 0)
	}
	s, ticks = linear(low, high, 4)
	return s, ticks, broken && s.low > 0
}

// Draw implements [Chart].
func (w Waterfall) Draw(width float64) Drawing {
	columns := w.columns()
	if len(columns) == 0 {
		return empty(w.Frame, width)
	}
	s := newSheet(w.Frame, width)
	if s.Width < narrowest || s.Width/float64(len(columns)) < 44 {
		w.lying(s, columns)
	} else {
		w.standing(s, columns)
	}
	return s.Drawing
}

const waterfallHeight = 240

func (w Waterfall) standing(s *sheet, columns []column) {
	y, values, broken := levels(columns)
	top := 8.0 + lineHeight
	y.from, y.to = top+waterfallHeight, top
	ticks := label(values, apartFrom(w.Language, values))
	left := widest(ticks) + gap
	for _, t := range ticks {
		s.line(Grid, 1, Point{left, y.at(t.At)}, Point{s.Width, y.at(t.At)})
		s.text(left-4, y.at(t.At)+4, End, Soft, smallSize, t.Label)
	}
	each := (s.Width - left) / float64(len(columns))
	thick := min(each*0.66, 64)
	deepest := 0
	for i, c := range columns {
		middle := left + (float64(i)+0.5)*each
		from := y.at(max(c.from, y.low))
		s.rect(c.ink(), middle-thick/2, from, middle+thick/2, y.at(c.to), w.caption(c))
		s.text(middle, min(from, y.at(c.to))-5, Middle, Text, smallSize, w.text(c, each))
		if i+1 < len(columns) {
			s.line(Soft, 1, Point{middle + thick/2, y.at(c.to)}, Point{middle + each - thick/2, y.at(c.to)})
		}
		if c.Total && broken {
			s.tear(middle-thick/2-2, middle+thick/2+2, y.from-14)
		}
		lines := wrap(c.Label, smallSize, each-4, 3)
		for j, line := range lines {
			s.text(middle, y.from+lineHeight*float64(j+1), Middle, Text, smallSize, line)
		}
		deepest = max(deepest, len(lines))
	}
	s.Height = y.from + lineHeight*float64(deepest) + gap
	zero := y.at(max(0, y.low))
	s.line(Soft, 1, Point{left, zero}, Point{s.Width, zero})
	w.confess(s, broken)
}

// tear draws the break of a bar whose axis doesn't begin at zero.
func (s *sheet) tear(x0, x1, y float64) {
	var points []Point
	for i, x := 0, x0; x <= x1; i, x = i+1, x+6 {
		points = append(points, Point{x, y + float64(i%2)*5})
	}
	s.line(Ground, 3, points...)
}

// confess says that the axis is broken.
func (w Waterfall) confess(s *sheet, broken bool) {
	if broken {
		s.text(0, s.Height+12, Start, Soft, smallSize, pick(w.Language, "The axis doesn't begin at 0.", "坐标轴不从 0 开始。"))
		s.Height += lineHeight + 4
	}
}

func (w Waterfall) lying(s *sheet, columns []column) {
	x, _, broken := levels(columns)
	room, label := 0.0, 0.0
	for _, c := range columns {
		room = max(room, TextWidth(w.text(c, 0.36*s.Width), smallSize)+6)
		label = max(label, TextWidth(c.Label, letterSize))
	}
	label = min(label, 0.42*s.Width)
	x.from, x.to = label+gap, s.Width-room
	y := 2.0
	for i, c := range columns {
		from, to := x.at(max(c.from, x.low)), x.at(c.to)
		s.text(label, y+13, End, Text, letterSize, fit(c.Label, letterSize, label))
		s.rect(c.ink(), from, y+1, to, y+thick+1, w.caption(c))
		s.text(max(from, to)+5, y+13, Start, Text, smallSize, w.text(c, 0.36*s.Width))
		if i+1 < len(columns) {
			s.line(Soft, 1, Point{to, y + thick + 1}, Point{to, y + thick + apart + 3})
		}
		if c.Total && broken {
			s.rent(y, y+thick+2, x.from+10)
		}
		y += thick + apart
	}
	zero := x.at(max(0, x.low))
	s.line(Soft, 1, Point{zero, 0}, Point{zero, y})
	s.Height = y + 4
	w.confess(s, broken)
}

// rent is a tear of a lying bar.
func (s *sheet) rent(y0, y1, x float64) {
	var points []Point
	for i, y := 0, y0; y <= y1; i, y = i+1, y+4 {
		points = append(points, Point{x + float64(i%2)*5, y})
	}
	s.line(Ground, 3, points...)
}

// From is where the chart's axis begins: 0, or below the least level when all happens far
// from zero. Who draws the same steps elsewhere begins there too.
func (w Waterfall) From() float64 {
	columns := w.columns()
	if len(columns) == 0 {
		return 0
	}
	if s, _, broken := levels(columns); broken {
		return s.low
	}
	return 0
}
