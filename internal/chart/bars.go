package chart

import "math"

// Bars are rows of lying bars: one bar or several beside one another in each row, or
// stacked.
type Bars struct {
	Frame
	// Names are those of the series, for the legend; one alone needs none.
	Names []string
	Rows  []Row
	// Stacked puts the values of a row end to end; negative ones to the left of zero.
	Stacked bool
	// Share stretches each stacked row to 100 %. Negative values don't count in it.
	Share bool
}

// Row is a row of [Bars]: a value for each series. What is no number has no bar.
type Row struct {
	Label  string
	Values []float64
}

// thick is the height of a bar, and apart the space between rows.
const (
	thick = 16
	apart = 8
)

// Draw implements [Chart].
func (b Bars) Draw(width float64) Drawing {
	low, high, any := b.extent()
	if !any {
		return empty(b.Frame, width)
	}
	s := newSheet(b.Frame, width)
	p := b.plan(s, low, high)
	s.Height = s.legend(b.keys(), 0)
	for _, row := range b.Rows {
		b.row(s, p, row)
	}
	return s.Drawing
}

// extent returns the least and greatest end of a bar, at least from zero to zero.
func (b Bars) extent() (low, high float64, any bool) {
	for _, row := range b.Rows {
		below, above := 0.0, 0.0
		for _, v := range row.Values {
			if !finite(v) {
				continue
			}
			any = true
			if b.Stacked {
				below, above = below+min(v, 0), above+max(v, 0)
			} else {
				below, above = min(below, v), max(above, v)
			}
		}
		low, high = min(low, below), max(high, above)
	}
	if b.Stacked && b.Share {
		low, high = 0, 1
	}
	return low, high, any
}

// plan is where things stand in a chart of bars.
type plan struct {
	x     scale
	label float64 // width of the labels, 0 if they stand above
	room  float64 // for a value
}

func (b Bars) plan(s *sheet, low, high float64) plan {
	p := plan{x: scale{low: low, high: high}, room: 0.25 * s.Width}
	widest, left, right := 0.0, 0.0, 0.0
	for _, row := range b.Rows {
		widest = max(widest, TextWidth(row.Label, letterSize))
		for _, v := range b.ends(row) {
			room := TextWidth(b.within(v, p.room), smallSize) + 6
			if v < 0 && !b.Stacked {
				left = max(left, room)
			} else {
				right = max(right, room)
			}
		}
	}
	if s.Width >= narrowest || widest < 0.25*s.Width {
		p.label = min(widest, 0.36*s.Width)
	}
	p.x.from, p.x.to = left+1, s.Width-right
	if p.label > 0 {
		p.x.from += p.label + gap
	}
	if p.x.low == p.x.high {
		p.x.high = 1
	}
	return p
}

// ends are the values that are written at the ends of a row's bars.
func (b Bars) ends(row Row) (values []float64) {
	if !b.Stacked {
		for _, v := range row.Values {
			if finite(v) {
				values = append(values, v)
			}
		}
		return values
	}
	if b.Share {
		return nil
	}
	return []float64{total(row.Values)}
}

func total(values []float64) (sum float64) {
	for _, v := range values {
		if finite(v) {
			sum += v
		}
	}
	return sum
}

func (b Bars) keys() (keys []key) {
	if len(b.Names) < 2 {
		return nil
	}
	for i, name := range b.Names {
		keys = append(keys, key{name: name, ink: SeriesInk(i)})
	}
	return keys
}

// row draws one row under what is drawn already.
func (b Bars) row(s *sheet, p plan, row Row) {
	bars := max(1, len(row.Values))
	if b.Stacked {
		bars = 1
	}
	y := s.Height
	if p.label == 0 {
		s.text(0, y+12, Start, Text, letterSize, fit(row.Label, letterSize, s.Width))
		y += lineHeight
	} else {
		middle := y + float64(bars)*thick/2 + 4.5
		s.text(p.label, middle, End, Text, letterSize, fit(row.Label, letterSize, p.label))
	}
	if b.Stacked {
		b.stack(s, p, row, y)
	} else {
		for i, v := range row.Values {
			b.bar(s, p, row.Label, i, v, y+float64(i)*thick)
		}
	}
	zero := p.x.at(0)
	s.Height = y + float64(bars)*thick
	s.line(Soft, 1, Point{zero, y}, Point{zero, s.Height})
	s.Height += apart
}

func (b Bars) bar(s *sheet, p plan, label string, i int, v, y float64) {
	if !finite(v) {
		return
	}
	zero, end := p.x.at(0), p.x.at(v)
	s.rect(SeriesInk(i), zero, y+1, end, y+thick-1, b.caption(label, i, v))
	if v < 0 {
		s.text(end-5, y+12.5, End, Soft, smallSize, b.within(v, p.room))
	} else {
		s.text(end+5, y+12.5, Start, Soft, smallSize, b.within(v, p.room))
	}
}

// stack draws a row's values end to end, with their shares where there is room.
func (b Bars) stack(s *sheet, p plan, row Row, y float64) {
	sum := 0.0
	for _, v := range row.Values {
		if finite(v) {
			sum += math.Abs(v)
		}
	}
	below, above := 0.0, 0.0
	for i, v := range row.Values {
		if !finite(v) || v == 0 || b.Share && v < 0 {
			continue
		}
		length := v
		if b.Share {
			length = v / sum
		}
		from := &above
		if v < 0 {
			from = &below
		}
		x0, x1 := p.x.at(*from), p.x.at(*from+length)
		*from += length
		s.rect(SeriesInk(i), x0, y+1, x1, y+thick-1, b.caption(row.Label, i, v))
		if share := Percent(b.Language, math.Round(100*math.Abs(v)/sum)/100); math.Abs(x1-x0) > TextWidth(share, smallSize)+6 {
			s.text((x0+x1)/2, y+12.5, Middle, Ground, smallSize, share)
		}
	}
	if !b.Share {
		s.text(p.x.at(above)+5, y+12.5, Start, Soft, smallSize, b.within(total(row.Values), p.room))
	}
}

func (b Bars) caption(label string, i int, v float64) string {
	if i < len(b.Names) && b.Names[i] != "" {
		label += " · " + b.Names[i]
	}
	return label + ": " + b.value(v)
}
