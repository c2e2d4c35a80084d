package chart

import (
	"math"
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

// Sizes in pixels.
const (
	letterSize = 13
	smallSize  = 12
	lineHeight = 17
	gap        = 8
)

// narrowest is the width under which labels stand above bars and waterfalls lie.
const narrowest = 500

// TextWidth estimates how wide a text is in a wide sans serif font, such as DejaVu Sans: a
// Chinese character is as wide as high, a digit a little more than half.
func TextWidth(text string, size float64) float64 {
	w := 0.0
	for _, r := range text {
		w += runeWidth(r)
	}
	return w * size
}

func runeWidth(r rune) float64 {
	switch k := width.LookupRune(r).Kind(); {
	case unicode.Is(unicode.Mn, r):
		return 0
	case k == width.EastAsianWide || k == width.EastAsianFullwidth:
		return 1
	case strings.ContainsRune(" .,:;'|iljI", r):
		return 0.32
	case strings.ContainsRune("!tfr()[]", r):
		return 0.41
	case strings.ContainsRune("mwMW%@—…", r):
		return 0.98
	case unicode.IsUpper(r):
		return 0.73
	}
	return 0.64
}

// fit shortens a text to a width, ending it with an ellipsis.
func fit(text string, size, room float64) string {
	if TextWidth(text, size) <= room {
		return text
	}
	runes := []rune(text)
	for len(runes) > 1 {
		runes = runes[:len(runes)-1]
		if short := strings.TrimRight(string(runes), " ") + "…"; TextWidth(short, size) <= room {
			return short
		}
	}
	return string(runes)
}

// wrap breaks a text into at most a number of lines, at blanks and between Chinese
// characters. The last line is shortened if need be.
func wrap(text string, size, room float64, most int) (lines []string) {
	line := ""
	for _, word := range words(text) {
		if line != "" && TextWidth(line+strings.TrimRight(word, " "), size) > room && len(lines) < most-1 {
			lines = append(lines, strings.TrimSpace(line))
			line = ""
		}
		line += word
	}
	lines = append(lines, strings.TrimSpace(line))
	for i := range lines {
		lines[i] = fit(lines[i], size, room)
	}
	return lines
}

// words divides a text where lines may break; blanks belong to the word before.
func words(text string) (list []string) {
	start, before := 0, rune(0)
	for i, r := range text {
		if i > 0 && r != ' ' && (before == ' ' || unicode.Is(unicode.Han, r) || unicode.Is(unicode.Han, before)) && !strings.ContainsRune("，。、）》：；%", r) {
			list = append(list, text[start:i])
			start = i
		}
		before = r
	}
	return append(list, text[start:])
}

// sheet is a drawing in the making.
type sheet struct{ Drawing }

func newSheet(f Frame, width float64) *sheet {
	return &sheet{Drawing{Title: f.Title, Desc: f.Desc, Width: max(width, 120)}}
}

func (s *sheet) add(m Mark) { s.Marks = append(s.Marks, m) }

func (s *sheet) text(x, y float64, align Align, ink Ink, size float64, text string) {
	if text != "" {
		s.add(Mark{Shape: Letter, Ink: ink, Points: []Point{{x, y}}, Size: size, Align: align, Text: text})
	}
}

func (s *sheet) line(ink Ink, width float64, points ...Point) {
	s.add(Mark{Shape: Line, Ink: ink, Width: width, Points: points})
}

func (s *sheet) rect(ink Ink, x0, y0, x1, y1 float64, title string) {
	s.add(Mark{Shape: Rect, Ink: ink, Points: []Point{{x0, y0}, {x1, y1}}, Title: title})
}

// empty is the drawing of a chart without values.
func empty(f Frame, width float64) Drawing {
	s := newSheet(f, width)
	s.Height = 3 * lineHeight
	s.text(s.Width/2, s.Height/2+4, Middle, Soft, letterSize, pick(f.Language, "No data", "无数据"))
	return s.Drawing
}

// key is an entry of a legend.
type key struct {
	name   string
	ink    Ink
	dashed bool
	line   bool
}

// legend writes keys into lines from a height on, and returns the height below them.
func (s *sheet) legend(keys []key, y float64) float64 {
	const swatch, apart = 14, 18
	x := 0.0
	for _, k := range keys {
		name := fit(k.name, smallSize, s.Width-swatch-6)
		w := swatch + 6 + TextWidth(name, smallSize)
		if x > 0 && x+w > s.Width {
			x, y = 0, y+lineHeight
		}
		middle := y + lineHeight/2
		if k.line {
			s.add(Mark{Shape: Line, Ink: k.ink, Width: 2.5, Dashed: k.dashed, Points: []Point{{x, middle}, {x + swatch, middle}}})
		} else {
			s.rect(k.ink, x, middle-5, x+swatch, middle+5, "")
		}
		s.text(x+swatch+6, middle+4, Start, Soft, smallSize, name)
		x += w + apart
	}
	if len(keys) == 0 {
		return y
	}
	return y + lineHeight + gap
}

// finite says whether a value can be shown. Beyond ±10³⁰⁰ sums and differences of values
// overflow, so that what is larger counts as infinite.
func finite(v float64) bool { return !math.IsNaN(v) && math.Abs(v) <= 1e300 }
