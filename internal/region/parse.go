package region

import (
	"math/bits"
	"strings"
	"unicode/utf8"
)

// Parse finds the divisions that an address begins with. It reads traditional and
// simplified characters alike, with or without a country, a postcode or the province in
// front, short names (广东深圳南山区), former ones (台北縣板橋市, 上海市闸北区), and a
// county-level division alone where its name is unique (昆山市). It reports false where it
// finds none.
//
// The names of places that streets bear are not taken for places: 北京路 says nothing about
// 北京, nor 台北市中山北路 about 中山區. A short name must be followed by a division
// within it, or by something that isn't a street, an institution or a lesser division.
// A district may go without its suffix only where its city does too (深圳南山科技园, not
// 深圳市南山科技园) or at the end of a part of the address (深圳市, 南山).
//
// Parse looks at the first 64 characters, takes about a microsecond, and doesn't allocate.
func Parse(address string) (Place, bool) {
	ix := divisions()
	var a line
	a.read(ix, address)
	node, end := ix.walk(&a, a.preamble(), ref{none, full})
	if node == none {
		node, end = ix.walk(&a, 0, ref{none, full})
	}
	if node == none || ix.all[node].level == root {
		return Place{}, false
	}
	place := ix.all[node].place
	place.Rest = strings.TrimLeftFunc(address[a.source[end]:], separator)
	return place, true
}

const maxLine = 64

// line is the beginning of an address, simplified and without separators.
type line struct {
	n           int
	runes       [maxLine]rune
	apart       [maxLine + 1]bool  // a separator, or the end, stands before the rune
	source      [maxLine + 1]int   // offset of the rune in the address
	key         [3 * maxLine]byte  // the runes in UTF-8
	offset      [maxLine + 1]uint8 // of the rune in key
	traditional bool               // one of the runes was
}

func (a *line) read(ix *index, address string) {
	size, apart := 0, true
	for i, r := range address {
		if separator(r) {
			apart = true
			continue
		}
		if a.n == maxLine {
			a.apart[a.n], a.source[a.n] = true, i
			return
		}
		s := ix.simplify(r)
		a.traditional = a.traditional || s != r
		if s > 0xFFFF {
			s = utf8.RuneError // in no name, and key holds three bytes a rune
		}
		a.runes[a.n], a.apart[a.n], a.source[a.n], a.offset[a.n] = s, apart, i, uint8(size)
		size += utf8.EncodeRune(a.key[size:], s)
		a.n++
		a.offset[a.n] = uint8(size)
		apart = false
	}
	a.apart[a.n], a.source[a.n] = true, len(address)
}

func separator(r rune) bool {
	switch r {
	case ' ', '\t', '\u3000', ',', '，', '、', '.', '。', '-', '－', '/', '|', ';', '；', ':', '：',
		'(', ')', '（', '）', '[', ']', '【', '】', '〔', '〕', '·':
		return true
	}
	return false
}

// has reports whether s stands at i.
func (a *line) has(i int, s string) bool {
	rest := a.key[a.offset[i]:a.offset[a.n]]
	return len(rest) >= len(s) && string(rest[:len(s)]) == s
}

// preambles may stand in front of the first division, simplified. The science parks lie in
// several counties.
var preambles = [...]string{
	"中华人民共和国", "中国", "中华民国", "南部科学园区", "中部科学园区", "新竹科学园区", "新竹科学工业园区",
}

// preamble returns where the address begins behind a preamble.
func (a *line) preamble() int {
	i := a.skipPostcode(0)
	for _, s := range preambles {
		if a.has(i, s) {
			return i + utf8.RuneCountInString(s)
		}
	}
	return 0
}

// skipPostcode skips the three, five or six digits in front of a Chinese name.
func (a *line) skipPostcode(i int) int {
	end := i
	for end < a.n && digit(a.runes[end]) {
		end++
	}
	if n := end - i; n >= 3 && n <= 6 && end < a.n && a.runes[end] >= firstHan {
		return end
	}
	return i
}

func digit(r rune) bool { return r >= '0' && r <= '9' || r >= '０' && r <= '９' }

// walk returns the deepest division within cur that stands at start, and where the
// address goes on behind it; cur and start themselves where none does. It tries longer
// names first, and prefers them where a shorter one leads no deeper: 济南市中区 is
// 济南 and 市中区.
func (ix *index) walk(a *line, start int, cur ref) (node int16, end int) {
	node, end = cur.node, start
	i := a.skipPostcode(start)
	if node != none && a.has(i, "市辖区") {
		i += 3
	}
	for names := a.names(ix, i); names != 0; {
		j := i + bits.Len32(names) - 1
		names &^= 1 << (j - i)
		r, next, ok := ix.named(a, i, j, cur)
		if !ok {
			continue
		}
		n, e := ix.walk(a, next, r)
		if n == r.node && (r.form == lead || r.form >= short && a.street(next)) {
			continue
		}
		if end == start || ix.all[n].level > ix.all[node].level {
			node, end = n, e
		}
	}
	return node, end
}

// named returns the division within cur that the runes from i to j name, in the form in
// which they do, and where its name ends.
func (ix *index) named(a *line, i, j int, cur ref) (r ref, end int, ok bool) {
	r, ok = ix.choose(a, i, j, cur.node)
	if !ok || r.form != bare || a.apart[j] {
		return r, j, ok
	}
	d := &ix.all[r.node]
	if d.parent != cur.node {
		return r, j, false
	}
	suffixes := "区县市旗"
	if d.place.Country == "TW" {
		suffixes = "区市镇乡"
	}
	if !strings.ContainsRune(suffixes, a.runes[j]) {
		return r, j, cur.form == short
	}
	r.form = former
	_, taken := ix.choose(a, i, j+1, cur.node) // 南昌市南昌市 doesn't mean 南昌县
	return r, j + 1, !taken
}

// names returns of how many runes names from i may be, as bits: of those that begin so, and not
// beyond a separator.
func (a *line) names(ix *index, i int) (lengths uint32) {
	if i+2 > a.n {
		return 0
	}
	lengths = ix.lengths[[2]rune{a.runes[i], a.runes[i+1]}]
	j := i + 1
	for limit := i + bits.Len32(lengths) - 1; j < min(limit, a.n) && !a.apart[j]; {
		j++
	}
	return lengths & (1<<(j-i+1) - 1)
}

// choose returns the one division within cur that the runes from i to j may name, in the most
// explicit form and at the highest level; none where two are equal.
func (ix *index) choose(a *line, i, j int, cur int16) (best ref, ok bool) {
	refs := ix.names[string(a.key[a.offset[i]:a.offset[j]])]
	found := false
	for _, r := range refs {
		if !ix.allowed(a, refs, r, cur, j-i) {
			continue
		}
		c := -1
		if found {
			c = ix.compare(r, best)
		}
		switch {
		case c < 0:
			best, found, ok = r, true, true
		case c == 0:
			ok = false
		}
	}
	return best, ok
}

// compare is negative where a is the more explicit form, or the same form at a higher level,
// or a city that a county is named like: 新竹 is the city.
func (ix *index) compare(a, b ref) int {
	if a.form != b.form {
		return int(a.form) - int(b.form)
	}
	x, y := &ix.all[a.node], &ix.all[b.node]
	if x.level != y.level {
		return int(x.level) - int(y.level)
	}
	if c := strings.HasSuffix(x.name, "市"); c != strings.HasSuffix(y.name, "市") && x.level == province {
		if c {
			return -1
		}
		return 1
	}
	return 0
}

// allowed reports whether a name of some runes may mean r within cur.
func (ix *index) allowed(a *line, refs []ref, r ref, cur int16, runes int) bool {
	d := &ix.all[r.node]
	switch {
	case cur == r.node:
		return r.form == full || r.form == short // 上海市上海市, 香港九龍
	case cur != none:
		part, direct := ix.under(r.node, cur)
		return part && (direct || r.form != former)
	case d.level < district:
		return r.form != former && (d.place.Country == "CN" || a.traditional || !ix.mainland(refs))
	}
	return r.form == full && (runes >= 3 || !strings.HasSuffix(d.name, "区")) && !township(d.name)
}

// mainland reports whether a name is also the full name of a division of mainland China.
// Then only traditional characters mean another: 連江縣 is in TW, 连江县 in CN.
func (ix *index) mainland(refs []ref) bool {
	for _, r := range refs {
		if r.form == full && ix.all[r.node].place.Country == "CN" {
			return true
		}
	}
	return false
}

// township tells names of which mainland China has many more than the index knows.
func township(name string) bool {
	return strings.HasSuffix(name, "鎮") || strings.HasSuffix(name, "鄉")
}

// street reports whether what follows a short name at i makes it the name of a street, an
// institution or a lesser division: 南京(東路), 北京(大学), 朝阳(区).
func (a *line) street(i int) bool {
	if a.apart[i] {
		return false
	}
	for _, s := range institutions {
		if a.has(i, s) {
			return true
		}
	}
	if strings.ContainsRune("省市区县州盟旗镇乡村里庄湾港站桥", a.runes[i]) {
		return true
	}
	for n := 0; i < a.n && n < 3 && strings.ContainsRune("东西南北中前后上下内外环大新老一二三四五六七八九十", a.runes[i]); n++ {
		i++
	}
	return i < a.n && strings.ContainsRune("路街道巷弄段", a.runes[i])
}

// institutions are named after places, wherever they stand.
var institutions = []string{
	"大学", "学院", "银行", "饭店", "酒店", "宾馆", "大厦", "大楼", "广场", "花园", "新村", "公园", "医院", "公路", "高速", "高架", "胡同",
}
