package report

import (
	"errors"
	"io"

	"codeberg.org/go-pdf/fpdf"

	"github.com/clientele-go/clientele/customer/stocktake"
	"github.com/clientele-go/clientele/internal/chart"
)

// PDF writes a result as A4 pages. Charts are lines and areas, and of fonts only the
// outlines of the characters used are in it. When no font has all characters the error is
// an [*Error] that wraps [ErrFont] and names them; give fonts in Options then, or install
// some. A character beyond the Basic Multilingual Plane is shown right, and is a code
// point for private use to those who copy it out.
func PDF(w io.Writer, r *stocktake.Result, o Options) error {
	d, err := open("PDF", r, o)
	if err != nil {
		return err
	}
	typeface, private, err := d.typeface(o)
	if err != nil {
		return err
	}
	p := newPaper(d, typeface, private)
	p.file.SetCreationDate(r.Closing.Time.UTC())
	p.file.SetModificationDate(r.Closing.Time.UTC())
	p.print()
	if err := p.file.Error(); err != nil {
		return &Error{Op: "PDF", Err: err}
	}
	return p.file.Output(w)
}

// Lengths in points.
const (
	margin     = 42.0
	pageWidth  = 595.28
	pageHeight = 841.89
	content    = pageWidth - 2*margin
	lowest     = pageHeight - margin // what stands below is the footer
	between    = 10.0
)

// scale is how many points a pixel of a chart has.
const scale = 0.72

// paper is a document as it is laid out on pages.
type paper struct {
	*document
	file    *fpdf.Fpdf
	private map[rune]rune
	y       float64
}

const family = "report"

func newPaper(d *document, typeface []byte, private map[rune]rune) *paper {
	f := fpdf.New("P", "pt", "A4", "")
	f.SetCatalogSort(true)
	f.SetMargins(margin, margin, margin)
	f.SetAutoPageBreak(false, 0)
	f.AddUTF8FontFromBytes(family, "", typeface)
	f.SetTitle(d.title, true)
	f.SetSubject(d.subtitle, true)
	f.SetCreator("Clientele", true)
	f.SetProducer("Clientele", true)
	f.SetLang(d.tag.String())
	p := &paper{document: d, file: f, private: private}
	f.SetFooterFunc(p.foot)
	return p
}

// errNoGlyphs stands for what fpdf doesn't say: that it could not read the font.
var errNoGlyphs = errors.New("the font could not be embedded")

func (p *paper) print() {
	p.newPage()
	p.file.SetFont(family, "", 10)
	if p.file.GetStringWidth("0") == 0 {
		p.file.SetError(errNoGlyphs)
		return
	}
	p.paragraph(p.title, 20, chart.Text, true)
	p.y += 2
	p.paragraph(p.subtitle, 10, chart.Soft, false)
	p.y += 6
	if p.notice != nil {
		p.box(p.notice)
	}
	p.cards()
	for _, s := range p.sections {
		p.section(s)
	}
	p.y += between
	p.paragraph(p.footer, 8, chart.Soft, false)
}

func (p *paper) newPage() {
	p.file.AddPage()
	p.y = margin
}

// room begins a new page unless there is this much of the present one left.
func (p *paper) room(height float64) {
	if p.y+height > lowest && p.y > margin {
		p.newPage()
	}
}

func (p *paper) foot() {
	y := pageHeight - margin/2
	p.line(p.title, margin, y, 8, chart.Soft, chart.Start, false)
	p.line(p.sayf("Page %d", "第 %d 页", p.file.PageNo()), pageWidth-margin, y, 8, chart.Soft, chart.End, false)
}

func (p *paper) ink(i chart.Ink) {
	r, g, b := i.RGB()
	p.file.SetTextColor(int(r), int(g), int(b))
	p.file.SetFillColor(int(r), int(g), int(b))
	p.file.SetDrawColor(int(r), int(g), int(b))
}

// code returns a text in the code points of the font.
func (p *paper) code(text string) string {
	runes := []rune(text)
	for i, r := range runes {
		switch code, ok := p.private[r]; {
		case ok:
			runes[i] = code
		case r < ' ':
			runes[i] = ' '
		}
	}
	return string(runes)
}

func (p *paper) width(text string, size float64) float64 {
	p.file.SetFont(family, "", size)
	return p.file.GetStringWidth(p.code(text))
}

// line writes a text on a base line.
func (p *paper) line(text string, x, y, size float64, i chart.Ink, align chart.Align, bold bool) {
	p.ink(i)
	p.colored(text, x, y, size, align, bold)
}

// colored writes a text in the colour that is set. Bold is the outline drawn thicker: a
// second font would be as large again.
func (p *paper) colored(text string, x, y, size float64, align chart.Align, bold bool) {
	if text == "" {
		return
	}
	w := p.width(text, size)
	switch align {
	case chart.Middle:
		x -= w / 2
	case chart.End:
		x -= w
	}
	if bold {
		p.file.SetTextRenderingMode(2)
		p.file.SetLineWidth(size / 36)
	}
	p.file.Text(x, y, p.code(text))
	if bold {
		p.file.SetTextRenderingMode(0)
	}
}

// paragraph writes a text over the width of the page.
func (p *paper) paragraph(text string, size float64, i chart.Ink, bold bool) {
	for _, line := range p.breakLines(text, size, content) {
		p.room(size * 1.4)
		p.line(line, margin, p.y+size, size, i, chart.Start, bold)
		p.y += size * 1.4
	}
}

// box writes a notice with a bar of its tone before it.
func (p *paper) box(n *notice) {
	lines := p.breakLines(n.text, 10, content-16)
	height := float64(len(lines))*14 + 8
	p.room(height)
	p.tone(n.tone, chart.Soft)
	p.file.Rect(margin, p.y, 3, height, "F")
	for i, line := range lines {
		p.line(line, margin+12, p.y+15+14*float64(i), 10, chart.Text, chart.Start, false)
	}
	p.y += height + between
}

// tone sets the colour of a tone, or an ink for what has none.
func (p *paper) tone(t tone, otherwise chart.Ink) {
	p.ink(otherwise)
	if text := toneColors[t]; text != "" {
		r, g, b := hex(text)
		p.file.SetFillColor(r, g, b)
		p.file.SetTextColor(r, g, b)
		p.file.SetDrawColor(r, g, b)
	}
}

// hex reads a colour of six hexadecimal digits.
func hex(text string) (r, g, b int) {
	var n [3]int
	for i, c := range text {
		digit := int(c - '0')
		if c >= 'A' {
			digit = int(c-'A') + 10
		}
		n[i/2] = n[i/2]*16 + digit
	}
	return n[0], n[1], n[2]
}

// cards are the key figures, four in a row.
func (p *paper) cards() {
	const perRow, high = 4, 52
	each := (content - 3*between) / perRow
	for i, f := range p.figures {
		if i%perRow == 0 {
			if i > 0 {
				p.y += high + between
			}
			p.room(high)
		}
		x := margin + float64(i%perRow)*(each+between)
		p.ink(chart.Grid)
		p.file.SetLineWidth(0.75)
		p.file.Rect(x, p.y, each, high, "D")
		p.line(f.label, x+8, p.y+14, 8, chart.Soft, chart.Start, false)
		value := p.figure(f)
		size := 15.0
		for size > 7 && p.width(value, size) > each-14 {
			size -= 0.5
		}
		p.tone(f.value.tone, chart.Text)
		p.colored(value, x+8, p.y+32, size, chart.Start, true)
		p.line(f.note, x+8, p.y+45, 8, chart.Soft, chart.Start, false)
	}
	p.y += high + between
}

// section writes a part of the report; its heading stands with what follows.
func (p *paper) section(s section) {
	p.y += between
	p.room(60 + p.begin(s))
	p.file.Bookmark(p.code(s.title), 0, p.y)
	p.paragraph(s.title, 14, chart.Text, true)
	p.y += 2
	if s.intro != "" {
		p.paragraph(s.intro, 9, chart.Soft, false)
		p.y += 4
	}
	if s.notice != nil {
		p.box(s.notice)
	}
	for _, one := range s.parts {
		p.plots(one)
		p.table(one.table)
	}
}

// begin is how high the first chart of a section is, or the first rows of its table.
func (p *paper) begin(s section) float64 {
	if len(s.parts) == 0 || len(s.parts[0].plots) == 0 {
		return 80
	}
	_, height := p.laid(abreast(s.parts[0].plots), s.parts[0].table)
	return height
}

// plots draws the charts of a part.
func (p *paper) plots(one part) {
	for rest := one.plots; len(rest) > 0; {
		row := abreast(rest)
		p.beside(row, one.table)
		rest = rest[len(row):]
	}
}

// abreast returns the first plot, with the second if both are halves.
func abreast(plots []plot) []plot {
	if len(plots) > 1 && plots[0].half && plots[1].half {
		return plots[:2]
	}
	return plots[:1]
}

// wide is the width of a plot on the page.
func (one plot) wide() float64 {
	if one.half {
		return (content - 2*between) / 2
	}
	return content
}

// laid draws plots that stand abreast, and returns the height of the highest.
func (p *paper) laid(plots []plot, t *table) (drawings []chart.Drawing, height float64) {
	for _, one := range plots {
		d := p.draw(one, t).Draw(one.wide() / scale)
		drawings, height = append(drawings, d), max(height, d.Height*scale)
	}
	return drawings, height
}

// beside draws one or two charts over the width of the page.
func (p *paper) beside(plots []plot, t *table) {
	drawings, height := p.laid(plots, t)
	p.room(height + 24)
	x := margin
	for i, one := range plots {
		p.line(p.cut(one.title, 10, one.wide()), x, p.y+11, 10, chart.Text, chart.Start, true)
		p.chart(drawings[i], x, p.y+19)
		x += one.wide() + 2*between
	}
	p.y += height + 19 + between
}

// chart draws the marks of a drawing.
func (p *paper) chart(d chart.Drawing, x, y float64) {
	at := func(q chart.Point) fpdf.PointType { return fpdf.PointType{X: x + q.X*scale, Y: y + q.Y*scale} }
	for _, m := range d.Marks {
		p.ink(m.Ink)
		if m.Opacity != 0 {
			p.file.SetAlpha(m.Opacity, "Normal")
		}
		a := at(m.Points[0])
		switch m.Shape {
		case chart.Rect:
			b := at(m.Points[1])
			p.file.Rect(min(a.X, b.X), min(a.Y, b.Y), max(a.X, b.X)-min(a.X, b.X), max(a.Y, b.Y)-min(a.Y, b.Y), "F")
		case chart.Dot:
			p.file.Circle(a.X, a.Y, m.Width*scale, "F")
		case chart.Letter:
			p.colored(m.Text, a.X, a.Y, m.Size*scale, m.Align, m.Bold)
		default:
			p.path(m, at)
		}
		if m.Opacity != 0 {
			p.file.SetAlpha(1, "Normal")
		}
	}
}

// path draws a line or an area.
func (p *paper) path(m chart.Mark, at func(chart.Point) fpdf.PointType) {
	if m.Shape == chart.Area {
		points := make([]fpdf.PointType, len(m.Points))
		for i, q := range m.Points {
			points[i] = at(q)
		}
		p.file.Polygon(points, "F")
		return
	}
	width := m.Width
	if width == 0 {
		width = 1
	}
	p.file.SetLineWidth(width * scale)
	if m.Dashed {
		p.file.SetDashPattern([]float64{4, 3}, 0)
	}
	for i, q := range m.Points {
		if one := at(q); i == 0 {
			p.file.MoveTo(one.X, one.Y)
		} else {
			p.file.LineTo(one.X, one.Y)
		}
	}
	p.file.DrawPath("D")
	if m.Dashed {
		p.file.SetDashPattern(nil, 0)
	}
}
