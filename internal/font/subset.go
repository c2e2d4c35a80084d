package font

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"math/bits"
	"slices"

	"golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// Em is the units of a subset's em square, in which all coordinates are.
const Em = 2048

// Metrics of every subset, in units of the em: lines are set by the document.
const (
	ascent  = Em * 88 / 100
	descent = -Em * 12 / 100
)

// privateUse are the code points without a meaning that stand for characters beyond the
// Basic Multilingual Plane.
const (
	privateUse     = 0xE000
	lastPrivateUse = 0xF8FF
)

// Subset writes a font with the outlines of all characters of the set, named name. Its
// character map is of 16 bits: a character beyond gets a code point for private use, by
// which texts must name it (see the returned map). Outlines of OpenType fonts are turned
// into TrueType's, to half a thousandth of the em. Equal sets give equal bytes.
func (s *Set) Subset(name string) (ttf []byte, private map[rune]rune, err error) {
	w := &writer{cmap: map[rune]int{}, private: map[rune]rune{}}
	w.add(glyph{advance: Em / 2}) // the glyph of what is missing
	for _, r := range slices.Sorted(maps.Keys(s.runes)) {
		shown := r
		if instead, ok := s.drawn[r]; ok {
			shown = instead
		}
		g, err := s.runes[r].outline(shown)
		if err != nil {
			return nil, nil, fmt.Errorf("font: %s: %U: %w", s.runes[r].Path, r, err)
		}
		code, err := w.code(r, s.runes)
		if err != nil {
			return nil, nil, err
		}
		w.cmap[code] = len(w.advances)
		w.add(g)
	}
	return w.write(name), w.private, nil
}

// glyph is an outline in TrueType's terms.
type glyph struct {
	advance  int
	contours [][]point
}

// point is a corner of a contour, or if off, what bends the curve between its neighbours.
type point struct {
	x, y int
	off  bool
}

// outline returns the outline of a character.
func (f *Face) outline(r rune) (glyph, error) {
	em := int(f.font.UnitsPerEm())
	scale := float64(Em) / float64(em) / 64
	index := f.glyph(r)
	advance, err := f.font.GlyphAdvance(&f.buffer, index, fixed.I(em), font.HintingNone)
	if err != nil {
		return glyph{}, err
	}
	segments, err := f.font.LoadGlyph(&f.buffer, index, fixed.I(em), nil)
	if err != nil {
		return glyph{}, err
	}
	p := &pen{scale: scale}
	for _, s := range segments {
		p.draw(s)
	}
	p.close()
	return glyph{int(math.Round(float64(advance) * scale)), p.contours}, nil
}

// pen turns segments into contours. Its y grows upwards, as TrueType's does.
type pen struct {
	scale    float64
	x, y     float64
	contour  []point
	contours [][]point
}

func (p *pen) draw(s sfnt.Segment) {
	at := func(i int) (x, y float64) { return float64(s.Args[i].X) * p.scale, -float64(s.Args[i].Y) * p.scale }
	x, y := at(0)
	switch s.Op {
	case sfnt.SegmentOpMoveTo:
		p.close()
		p.to(x, y, false)
	case sfnt.SegmentOpLineTo:
		p.to(x, y, false)
	case sfnt.SegmentOpQuadTo:
		p.to(x, y, true)
		x, y = at(1)
		p.to(x, y, false)
	case sfnt.SegmentOpCubeTo:
		x2, y2 := at(1)
		x3, y3 := at(2)
		p.cube(x, y, x2, y2, x3, y3, 6)
	}
}

func (p *pen) to(x, y float64, off bool) {
	p.contour = append(p.contour, point{int(math.Round(x)), int(math.Round(y)), off})
	if !off {
		p.x, p.y = x, y
	}
}

// cube draws a cubic curve as quadratic ones, halving it until they are within a unit. A
// cubic and the quadratic with the middle point (3·(p1+p2)−p0−p3)/4 differ by
// d·t(1−t)(1−2t)/2, where d = p3−3·p2+3·p1−p0, which is at most |d|·√3/36.
func (p *pen) cube(x1, y1, x2, y2, x3, y3 float64, depth int) {
	x0, y0 := p.x, p.y
	if depth == 0 || math.Hypot(x3-3*x2+3*x1-x0, y3-3*y2+3*y1-y0)*math.Sqrt(3)/36 < 1 {
		p.to((3*(x1+x2)-x0-x3)/4, (3*(y1+y2)-y0-y3)/4, true)
		p.to(x3, y3, false)
		return
	}
	half := func(a, b float64) float64 { return (a + b) / 2 }
	ax, ay, bx, by, cx, cy := half(x0, x1), half(y0, y1), half(x1, x2), half(y1, y2), half(x2, x3), half(y2, y3)
	dx, dy, ex, ey := half(ax, bx), half(ay, by), half(bx, cx), half(by, cy)
	p.cube(ax, ay, dx, dy, half(dx, ex), half(dy, ey), depth-1)
	p.cube(ex, ey, cx, cy, x3, y3, depth-1)
}

// close ends a contour; one that ends where it began doesn't say so twice.
func (p *pen) close() {
	if n := len(p.contour); n > 1 && p.contour[0] == p.contour[n-1] {
		p.contour = p.contour[:n-1]
	}
	if len(p.contour) > 1 {
		p.contours = append(p.contours, p.contour)
	}
	p.contour = nil
}

// writer collects the tables of a font (ISO/IEC 14496-22, Open Font Format).
type writer struct {
	cmap     map[rune]int
	private  map[rune]rune
	glyf     []byte
	loca     []uint32
	advances []int
	bearings []int
	box      [4]int // of all glyphs: least x and y, greatest x and y
	points   int    // of the glyph with the most
	contours int
}

// code returns what a character is called in the character map.
func (w *writer) code(r rune, taken map[rune]*Face) (rune, error) {
	if r <= 0xFFFF {
		return r, nil
	}
	for code := rune(privateUse + len(w.private)); code <= lastPrivateUse; code++ {
		if _, used := w.cmap[code]; !used && taken[code] == nil {
			w.private[r] = code
			return code, nil
		}
	}
	return 0, fmt.Errorf("font: more than %d characters beyond the Basic Multilingual Plane", lastPrivateUse-privateUse+1)
}

func (w *writer) add(g glyph) {
	w.loca = append(w.loca, uint32(len(w.glyf)))
	w.advances = append(w.advances, min(max(g.advance, 0), math.MaxUint16))
	box, points := g.box()
	w.bearings = append(w.bearings, box[0])
	if points == 0 {
		return
	}
	w.points, w.contours = max(w.points, points), max(w.contours, len(g.contours))
	w.box[0], w.box[1] = min(w.box[0], box[0]), min(w.box[1], box[1])
	w.box[2], w.box[3] = max(w.box[2], box[2]), max(w.box[3], box[3])
	w.glyf = g.append(w.glyf, box)
	for len(w.glyf)%4 != 0 {
		w.glyf = append(w.glyf, 0)
	}
}

func (g glyph) box() (box [4]int, points int) {
	for _, contour := range g.contours {
		for _, p := range contour {
			if points == 0 {
				box = [4]int{p.x, p.y, p.x, p.y}
			}
			box[0], box[1], box[2], box[3] = min(box[0], p.x), min(box[1], p.y), max(box[2], p.x), max(box[3], p.y)
			points++
		}
	}
	return box, points
}

// append writes a simple glyph with coordinates of 16 bits: what fewer bits would save,
// the document's compression does.
func (g glyph) append(b []byte, box [4]int) []byte {
	put := func(n int) { b = binary.BigEndian.AppendUint16(b, uint16(int16(n))) }
	put(len(g.contours))
	for _, n := range box {
		put(n)
	}
	end := -1
	for _, contour := range g.contours {
		end += len(contour)
		put(end)
	}
	put(0) // no instructions
	for _, contour := range g.contours {
		for _, p := range contour {
			flag := byte(1) // on the curve
			if p.off {
				flag = 0
			}
			b = append(b, flag)
		}
	}
	for _, of := range []func(point) int{func(p point) int { return p.x }, func(p point) int { return p.y }} {
		before := 0
		for _, contour := range g.contours {
			for _, p := range contour {
				put(of(p) - before)
				before = of(p)
			}
		}
	}
	return b
}

// table is a table of a font.
type table struct {
	tag  string
	data []byte
}

// write puts the tables together, in the order of their tags.
func (w *writer) write(name string) []byte {
	w.loca = append(w.loca, uint32(len(w.glyf)))
	var hmtx, loca []byte
	for i, advance := range w.advances {
		hmtx = words(hmtx, advance, w.bearings[i])
	}
	for _, at := range w.loca {
		loca = binary.BigEndian.AppendUint32(loca, at)
	}
	return assemble([]table{
		{"OS/2", w.os2()}, {"cmap", w.characters()}, {"glyf", w.glyf}, {"head", w.head()}, {"hhea", w.hhea()}, {"hmtx", hmtx},
		{"loca", loca}, {"maxp", w.maxp()}, {"name", nameTable(name)}, {"post", post()},
	})
}

// words appends numbers of 16 bits.
func words(b []byte, list ...int) []byte {
	for _, n := range list {
		b = binary.BigEndian.AppendUint16(b, uint16(n))
	}
	return b
}

func (w *writer) head() []byte {
	b := words(nil, 1, 0, 1, 0)        // versions of the table and the font
	b = words(b, 0, 0, 0x5F0F, 0x3CF5) // checksum, set by assemble; magic number
	b = words(b, 0b11, Em)             // base line and left bearing are at 0
	b = append(b, make([]byte, 16)...) // no dates
	b = words(b, w.box[0], w.box[1], w.box[2], w.box[3])
	return words(b, 0, 8, 2, 1, 0) // plain, readable from 8 pixels, left to right, long offsets
}

func (w *writer) hhea() []byte {
	widest := slices.Max(w.advances)
	b := words(nil, 1, 0, ascent, descent, 0, widest, w.box[0], 0, w.box[2], 1, 0, 0, 0, 0, 0, 0, 0)
	return words(b, len(w.advances))
}

func (w *writer) maxp() []byte {
	b := words(nil, 1, 0, len(w.advances), w.points, w.contours)
	return words(b, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0)
}

func (w *writer) os2() []byte {
	first, last := 0xFFFF, 0
	for r := range w.cmap {
		first, last = min(first, int(r)), max(last, int(r))
	}
	b := words(nil, 3, Em/2, 400, 5, 0)                                 // version, mean width, regular, medium; may be embedded
	b = words(b, Em/2, Em/2, 0, Em/8, Em/2, Em/2, 0, Em/3, Em/20, Em/4) // sub- and superscripts, strikeout
	b = words(b, 0)                                                     // no family class
	b = append(b, make([]byte, 10+16)...)                               // no classification, no ranges
	b = append(b, "none"...)
	b = words(b, 0x40, first, last, ascent, descent, 0, ascent, -descent)
	return words(b, 0, 0, 0, 0, Em/2, Em*7/10, 0, ' ', 1) // no code pages; heights of x and H
}

func post() []byte { return append(words(nil, 3, 0, 0, 0, -Em/10, Em/20, 0, 0), make([]byte, 16)...) }

// nameTable names the font, in Unicode for Windows.
func nameTable(name string) []byte {
	var text []byte
	for _, r := range name {
		text = words(text, int(r))
	}
	ids := []int{1, 2, 4, 6} // family, style, full name, PostScript name
	b := words(nil, 0, len(ids), 6+12*len(ids))
	for _, id := range ids {
		b = words(b, 3, 1, 0x409, id, len(text), 0)
	}
	return append(b, text...)
}

// characters is the character map, format 4: runs of code points whose glyphs follow one
// another.
func (w *writer) characters() []byte {
	type run struct{ first, last, delta int }
	var runs []run
	for _, r := range slices.Sorted(maps.Keys(w.cmap)) {
		code, delta := int(r), w.cmap[r]-int(r)
		if n := len(runs); n > 0 && runs[n-1].last == code-1 && runs[n-1].delta == delta {
			runs[n-1].last = code
			continue
		}
		runs = append(runs, run{code, code, delta})
	}
	if len(runs) == 0 || runs[len(runs)-1].last < 0xFFFF {
		runs = append(runs, run{0xFFFF, 0xFFFF, 1}) // ends the map with no glyph
	}
	n := len(runs)
	power := bits.Len(uint(n)) - 1
	b := words(nil, 0, 1, 3, 1, 0, 12, 4, 16+8*n, 0, 2*n, 2<<power, power, 2*n-2<<power)
	column := func(of func(run) int) {
		for _, r := range runs {
			b = words(b, of(r))
		}
	}
	column(func(r run) int { return r.last })
	b = words(b, 0)
	column(func(r run) int { return r.first })
	column(func(r run) int { return r.delta })
	column(func(run) int { return 0 })
	return b
}

// assemble writes the directory and the tables, and the checksums over them.
func assemble(tables []table) []byte {
	n := len(tables)
	power := bits.Len(uint(n)) - 1
	b := words(nil, 1, 0, n, 16<<power, power, 16*n-16<<power)
	at := len(b) + 16*n
	for _, t := range tables {
		b = append(b, t.tag...)
		b = binary.BigEndian.AppendUint32(b, checksum(t.data))
		b = binary.BigEndian.AppendUint32(b, uint32(at))
		b = binary.BigEndian.AppendUint32(b, uint32(len(t.data)))
		at += (len(t.data) + 3) &^ 3
	}
	head := 0
	for _, t := range tables {
		if t.tag == "head" {
			head = len(b)
		}
		b = append(b, t.data...)
		for len(b)%4 != 0 {
			b = append(b, 0)
		}
	}
	binary.BigEndian.PutUint32(b[head+8:], 0xB1B0AFBA-checksum(b))
	return b
}

// checksum adds up a table's numbers of 32 bits, as if it ended with zeros.
func checksum(data []byte) (sum uint32) {
	for ; len(data) >= 4; data = data[4:] {
		sum += binary.BigEndian.Uint32(data)
	}
	var last [4]byte
	copy(last[:], data)
	return sum + binary.BigEndian.Uint32(last[:])
}
