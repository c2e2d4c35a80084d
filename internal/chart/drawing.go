package chart

import (
	"cmp"
	"fmt"
	"html"
	"html/template"
	"math"
	"strconv"
	"strings"

	"golang.org/x/text/language"
)

// Chart is what can be drawn.
type Chart interface {
	// Draw lays the chart out for a width in pixels.
	Draw(width float64) Drawing
}

// Frame is what all charts have.
type Frame struct {
	// Title says what is shown, and Desc what is seen in it, for readers who don't see;
	// neither is drawn.
	Title, Desc string
	// Language is that of numbers and of the chart's own words: Chinese, or else English.
	Language language.Tag
	// Format writes a value beside its mark; nil is [Number].
	Format func(value float64) string
}

func (f Frame) value(v float64) string {
	if f.Format != nil {
		return f.Format(v)
	}
	return Number(f.Language, v)
}

// within writes a value that fits into a width, in three digits if need be: a number may be
// rounded but never cut off.
func (f Frame) within(v, room float64) string {
	text := f.value(v)
	if TextWidth(text, smallSize) > room {
		text = Compact(f.Language, v)
	}
	return fit(text, smallSize, room)
}

// Drawing is a chart laid out: marks in the order in which they are painted. Y grows
// downwards.
type Drawing struct {
	Title, Desc   string
	Width, Height float64
	Marks         []Mark
}

// Point is a place in a drawing, from its upper left corner.
type Point struct{ X, Y float64 }

// Shape is what a mark looks like.
type Shape uint8

// Shapes.
const (
	Rect   Shape = iota // Points are two opposite corners
	Line                // Points are joined
	Area                // Points are joined, closed and filled
	Dot                 // Points[0] is the middle, Width the radius
	Letter              // Text at Points[0], the left end of its base line
)

// Mark is one shape of a drawing.
type Mark struct {
	Shape   Shape
	Ink     Ink
	Points  []Point
	Width   float64 // of a line, 1 if zero; the radius of a dot
	Opacity float64 // 1 if zero
	Dashed  bool
	Text    string
	Size    float64 // of a letter
	Align   Align   // of a letter
	Bold    bool
	Halo    bool   // a letter that lies over other marks
	Title   string // what the mark says when it is pointed at
}

// Align says which end of a text stands at its point.
type Align uint8

// Alignments.
const (
	Start Align = iota
	Middle
	End
)

// Ink is what a colour is for.
type Ink uint8

// Inks. Those of series are told by [SeriesInk].
const (
	Text Ink = iota
	Soft
	Grid
	Total
	Rise
	Fall
	Ground // the page behind
	firstSeries
)

// SeriesInk returns the ink of the nth series, from 0 on; after the eighth they begin again.
func SeriesInk(n int) Ink { return firstSeries + Ink(n%(len(inks)-int(firstSeries))) }

// inks are the CSS variables and the colours without them. Series are told apart by
// people who see no red or green, and in grey by their lightness and order.
var inks = [...]struct {
	variable string
	rgb      uint32
}{
	Text:            {"ink", 0x1d2733},
	Soft:            {"soft", 0x5c6b7a},
	Grid:            {"line", 0xdfe5ec},
	Total:           {"chart-total", 0x44566c},
	Rise:            {"chart-rise", 0x2e8b57},
	Fall:            {"chart-fall", 0xc0562b},
	Ground:          {"card", 0xffffff},
	firstSeries:     {"chart-1", 0x2f6fb7},
	firstSeries + 1: {"chart-2", 0xe08a2e},
	firstSeries + 2: {"chart-3", 0x2a9d8f},
	firstSeries + 3: {"chart-4", 0xa6518f},
	firstSeries + 4: {"chart-5", 0x8c7ae6},
	firstSeries + 5: {"chart-6", 0xb8a028},
	firstSeries + 6: {"chart-7", 0x7c4a2d},
	firstSeries + 7: {"chart-8", 0x8a95a1},
}

// RGB returns the ink's colour on white paper.
func (i Ink) RGB() (r, g, b uint8) {
	c := inks[i].rgb
	return uint8(c >> 16), uint8(c >> 8), uint8(c)
}

func (i Ink) css() string { return fmt.Sprintf("var(--%s,#%06x)", inks[i].variable, inks[i].rgb) }

// Widths that fit a page of text and a telephone, and half of the former.
const (
	Wide   = 880
	Narrow = 330
	Half   = 420
)

// SVG draws a chart for wide and for narrow screens. Which of the two is seen is decided
// by the classes wide and narrow, which package page knows; see [Small] for one alone.
func SVG(c Chart) template.HTML {
	return c.Draw(Wide).svg("chart wide") + "\n" + c.Draw(Narrow).svg("chart narrow")
}

// Small draws a chart once, half as wide as a page, which telephones can show too.
func Small(c Chart) template.HTML { return c.Draw(Half).SVG() }

// SVG writes the drawing as an element of a page.
func (d Drawing) SVG() template.HTML { return d.svg("chart") }

const fontFamily = `system-ui,'Noto Sans CJK SC','PingFang SC','Microsoft YaHei',sans-serif`

func (d Drawing) svg(class string) template.HTML {
	var out strings.Builder
	fmt.Fprintf(&out, `<svg class="%s" role="img" aria-label="%s" viewBox="0 0 %s %s" width="%s" height="%s" font-family="%s">`,
		class, escape(d.Title), number(d.Width), number(d.Height), number(d.Width), number(d.Height), fontFamily)
	fmt.Fprintf(&out, "<title>%s</title>", escape(d.Title))
	if d.Desc != "" {
		fmt.Fprintf(&out, "<desc>%s</desc>", escape(d.Desc))
	}
	for _, m := range d.Marks {
		m.write(&out)
	}
	out.WriteString("</svg>")
	return template.HTML(out.String()) // every text in it is escaped above and in write
}

// write appends the mark as an element of SVG.
func (m Mark) write(out *strings.Builder) {
	name := [...]string{Rect: "rect", Line: "polyline", Area: "polygon", Dot: "circle", Letter: "text"}[m.Shape]
	fmt.Fprintf(out, "<%s%s", name, m.geometry())
	if m.Shape == Line {
		fmt.Fprintf(out, ` fill="none" stroke="%s" stroke-width="%s"`, m.Ink.css(), number(cmp.Or(m.Width, 1)))
		if m.Dashed {
			out.WriteString(` stroke-dasharray="5 4"`)
		}
	} else {
		fmt.Fprintf(out, ` fill="%s"`, m.Ink.css())
	}
	if m.Opacity != 0 {
		fmt.Fprintf(out, ` opacity="%s"`, number(m.Opacity))
	}
	if m.Shape == Letter {
		m.writeFont(out)
	}
	out.WriteByte('>')
	if m.Title != "" {
		fmt.Fprintf(out, "<title>%s</title>", escape(m.Title))
	}
	fmt.Fprintf(out, "%s</%s>", escape(m.Text), name)
}

func (m Mark) geometry() string {
	p := m.Points[0]
	switch m.Shape {
	case Rect:
		q := m.Points[1]
		return fmt.Sprintf(` x="%s" y="%s" width="%s" height="%s"`, number(min(p.X, q.X)), number(min(p.Y, q.Y)), number(math.Abs(q.X-p.X)), number(math.Abs(q.Y-p.Y)))
	case Dot:
		return fmt.Sprintf(` cx="%s" cy="%s" r="%s"`, number(p.X), number(p.Y), number(m.Width))
	case Letter:
		return fmt.Sprintf(` x="%s" y="%s"`, number(p.X), number(p.Y))
	}
	points := make([]string, len(m.Points))
	for i, p := range m.Points {
		points[i] = number(p.X) + "," + number(p.Y)
	}
	return ` points="` + strings.Join(points, " ") + `"`
}

func (m Mark) writeFont(out *strings.Builder) {
	fmt.Fprintf(out, ` font-size="%s"`, number(m.Size))
	if m.Align != Start {
		fmt.Fprintf(out, ` text-anchor="%s"`, [...]string{Middle: "middle", End: "end"}[m.Align])
	}
	if m.Bold {
		out.WriteString(` font-weight="600"`)
	}
	if m.Halo {
		fmt.Fprintf(out, ` stroke="%s" stroke-width="3" paint-order="stroke"`, Ground.css())
	}
}

// escape makes a text one of XML, where most control characters may not stand.
func escape(text string) string {
	return html.EscapeString(strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' && r != '\n' || r == 0xFFFE || r == 0xFFFF {
			return '\uFFFD'
		}
		return r
	}, text))
}

// number writes a coordinate to a tenth.
func number(v float64) string {
	return strconv.FormatFloat(math.Round(v*10)/10+0, 'f', -1, 64) // +0: no negative zero
}
