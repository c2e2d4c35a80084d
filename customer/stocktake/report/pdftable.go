package report

import (
	"strings"
	"unicode"

	"github.com/clientele-go/clientele/internal/chart"
)

// Sizes of tables, in points.
const (
	largestText  = 8.5
	smallestText = 5.5
	padding      = 4.0
	widestText   = 190.0 // of a column of texts, unless there is room
)

// grid is a table as it is laid out.
type grid struct {
	*table
	size   float64
	widths []float64
}

// table writes a table, with its headings again on each page.
func (p *paper) table(t *table) {
	g := p.measure(t)
	if t.title != "" {
		p.room(5 * g.size * 2)
		p.line(p.cut(t.title, 10, content), margin, p.y+11, 10, chart.Text, chart.Start, true)
		p.y += 17
	}
	if len(t.rows) == 0 {
		p.paragraph(p.say("None.", "无。"), 9, chart.Soft, false)
	}
	p.headings(g)
	for _, r := range t.rows {
		p.row(g, r)
	}
	if t.note != "" {
		p.y += 3
		p.paragraph(t.note, 8, chart.Soft, false)
	}
	p.y += between
}

// measure finds the widths of the columns, and a size of letters in which they fit:
// numbers are never broken, texts are.
func (p *paper) measure(t *table) grid {
	g := grid{table: t, widths: make([]float64, len(t.columns))}
	for g.size = largestText; ; g.size -= 0.5 {
		numbers, texts := 0.0, 0.0
		for i, c := range t.columns {
			g.widths[i] = p.natural(t, i, g.size)
			if c.kind.number() {
				numbers += g.widths[i]
			} else {
				texts += g.widths[i]
			}
		}
		// What is left for texts, and the least that each needs.
		left := content - numbers
		least := 0.0
		for i, c := range t.columns {
			if !c.kind.number() {
				least += min(g.widths[i], 60)
			}
		}
		switch {
		case texts <= left:
			p.spread(&g, left-texts)
			return g
		case left >= least || g.size <= smallestText:
			p.squeeze(&g, max(left, least), texts)
			return g
		}
	}
}

// natural is the width of a column without breaks.
func (p *paper) natural(t *table, i int, size float64) float64 {
	c := t.columns[i]
	w := 0.0
	if !t.facts {
		for _, line := range p.headingLines(c, size) {
			w = max(w, p.width(line, size))
		}
	}
	for _, r := range t.rows {
		if i < len(r.cells) {
			w = max(w, p.width(p.write(r.cells[i], c), size))
		}
	}
	return w + 2*padding
}

// headingLines breaks the heading of a number, which is mostly longer than the numbers.
func (p *paper) headingLines(c column, size float64) []string {
	if !c.kind.number() {
		return []string{c.title}
	}
	return p.breakLines(c.title, size, 44)
}

// spread gives the first column some of the room that is left, so that short tables don't
// crowd on one side.
func (p *paper) spread(g *grid, left float64) {
	each := min(left/float64(len(g.widths)), 30)
	for i := range g.widths {
		g.widths[i] += each
	}
}

// squeeze gives columns of texts what is left: the narrow ones all they need, the wide
// ones equal parts of the rest.
func (p *paper) squeeze(g *grid, left, texts float64) {
	wide := map[int]bool{}
	for i, c := range g.columns {
		if !c.kind.number() {
			wide[i] = true
		}
	}
	for changed := true; changed && len(wide) > 0; {
		changed = false
		for i := range g.widths {
			if wide[i] && g.widths[i] <= left/float64(len(wide)) {
				left -= g.widths[i]
				delete(wide, i)
				changed = true
			}
		}
	}
	for i := range wide {
		g.widths[i] = left / float64(len(wide))
	}
}

// headings writes the line of headings.
func (p *paper) headings(g grid) {
	if g.facts || len(g.rows) == 0 {
		return
	}
	lines := make([][]string, len(g.columns))
	most := 1
	for i, c := range g.columns {
		lines[i] = p.breakLines(c.title, g.size, g.widths[i]-2*padding)
		most = max(most, len(lines[i]))
	}
	height := float64(most)*g.size*1.3 + 4
	p.room(height + 2*g.size*1.9)
	x := margin
	for i, c := range g.columns {
		for j, line := range lines[i] {
			y := p.y + g.size*1.3*float64(most-len(lines[i])+j+1)
			p.aligned(line, c, x, g.widths[i], y, g.size, chart.Soft, false)
		}
		x += g.widths[i]
	}
	p.y += height
	p.rule(x, 0.75, chart.Soft)
}

// aligned writes a text in its column, numbers to the right.
func (p *paper) aligned(text string, c column, x, width, y, size float64, i chart.Ink, bold bool) {
	p.ink(i)
	p.placed(text, c, x, width, y, size, bold)
}

func (p *paper) placed(text string, c column, x, width, y, size float64, bold bool) {
	if c.kind.number() {
		p.colored(text, x+width-padding, y, size, chart.End, bold)
		return
	}
	p.colored(text, x+padding, y, size, chart.Start, bold)
}

func (p *paper) rule(to, width float64, i chart.Ink) {
	p.ink(i)
	p.file.SetLineWidth(width)
	p.file.Line(margin, p.y, to, p.y)
}

// row writes a row, on the next page if it doesn't fit.
func (p *paper) row(g grid, r row) {
	lines := make([][]string, len(r.cells))
	most := 1
	for i, c := range r.cells {
		lines[i] = []string{p.write(c, g.columns[i])}
		if !g.columns[i].kind.number() {
			lines[i] = p.breakLines(lines[i][0], g.size, g.widths[i]-2*padding)
		}
		most = max(most, len(lines[i]))
	}
	height := float64(most)*g.size*1.35 + 4
	if p.y+height > lowest {
		p.newPage()
		p.headings(g)
	}
	x := margin
	if r.total {
		p.rule(margin+sum(g.widths), 0.75, chart.Soft)
	}
	for i, c := range r.cells {
		heated := p.heat(c, x, g.widths[i], height)
		for j, line := range lines[i] {
			switch {
			case heated:
				p.ink(chart.Ground)
			case g.facts && i == 0:
				p.ink(chart.Soft)
			default:
				p.tone(c.tone, chart.Text)
			}
			p.placed(line, g.columns[i], x, g.widths[i], p.y+g.size*1.35*float64(j+1), g.size, r.total)
		}
		x += g.widths[i]
	}
	p.y += height
	p.rule(x, 0.4, chart.Grid)
}

// heat colours a cell, and tells whether it is so dark that it wants white letters.
func (p *paper) heat(c cell, x, width, height float64) (dark bool) {
	if c.heat <= 0 {
		return false
	}
	r, g, b := chart.SeriesInk(0).RGB()
	blend := func(v uint8) int { return int(255 - (255-float64(v))*c.heat) }
	p.file.SetFillColor(blend(r), blend(g), blend(b))
	p.file.Rect(x, p.y, width, height, "F")
	return c.heat > 0.55
}

func sum(list []float64) (total float64) {
	for _, v := range list {
		total += v
	}
	return total
}

// cut shortens a text to a width.
func (p *paper) cut(text string, size, room float64) string {
	runes := []rune(text)
	for n := len(runes); n > 0 && p.width(text, size) > room; n-- {
		text = strings.TrimRight(string(runes[:n-1]), " ") + "…"
	}
	return text
}

// breakLines breaks a text into lines of a width: at blanks, between Chinese characters,
// and within a word that is wider than a line.
func (p *paper) breakLines(text string, size, room float64) (lines []string) {
	room += 0.01 // a text as wide as its room fits, whatever rounding says
	line, width := "", 0.0
	end := func() {
		lines = append(lines, strings.TrimRight(line, " "))
		line, width = "", 0
	}
	for _, word := range pieces(text) {
		w := p.width(strings.TrimRight(word, " "), size)
		if line != "" && width+w > room {
			end()
		}
		if w <= room {
			line, width = line+word, width+p.width(word, size)
			continue
		}
		for _, r := range word {
			w := p.width(string(r), size)
			if line != "" && width+w > room {
				end()
			}
			line, width = line+string(r), width+w
		}
	}
	end()
	return lines
}

// pieces divides a text where a line may end; a blank belongs to the piece before, and
// closing punctuation stays with what it closes.
func pieces(text string) (list []string) {
	start := 0
	var before rune
	for i, r := range text {
		breaks := before == ' ' || wideRune(r) || wideRune(before)
		if i > 0 && breaks && r != ' ' && !strings.ContainsRune("，。、；：！？）》」』％%", r) && !strings.ContainsRune("（《「『", before) {
			list, start = append(list, text[start:i]), i
		}
		before = r
	}
	return append(list, text[start:])
}

func wideRune(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul) || r >= 0x3000 && r <= 0x303F || r >= 0xFF00 && r <= 0xFFEF
}
