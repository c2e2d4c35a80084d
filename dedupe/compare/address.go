package compare

import (
	_ "embed"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/clientele-go/clientele/internal/region"
	"github.com/clientele-go/clientele/internal/text"
)

var addressLevels = []Level{
	{"different", "the addresses differ", "地址不同"},
	{"distant", "the addresses have little in common", "地址略有相似"},
	{"part", "a part of the address agrees, such as the town or the street", "部分一致，如城市或街道"},
	{"number", "much agrees, but the numbers differ, or half of it agrees", "多处一致但号码不同，或约半数一致"},
	{"most", "most of the address agrees", "大部分一致"},
	{"contained", "one address agrees with the other as far as it goes", "一个地址较简略，其余一致"},
	{"near", "the addresses differ by typing", "地址仅有笔误"},
	{"equal", "the addresses agree", "地址一致"},
}

type addressForm struct {
	key string
	bag bag
	// place is the code of the deepest division of the address, empty for none: the words
	// from region on are the divisions' names.
	place  string
	region int
}

func (f *addressForm) Key() string { return f.key }

type addresses struct {
	typ    Type
	corpus *Corpus
}

func newAddress(t Type, o Options) Comparator { return &addresses{t, o.Corpus} }

func (c *addresses) Type() Type      { return c.typ }
func (c *addresses) Levels() []Level { return addressLevels }

func (c *addresses) Prepare(value string) Form {
	s := folded(value)
	if s == "" {
		return nil
	}
	words, divisions, place := addressParts(nil, value, s)
	words = strings.Fields(strings.Join(words, " ")) // one piece of memory for all
	f := &addressForm{key: canonicalKey(words), bag: newBag(words, canonicalAddressWord), place: place, region: divisions}
	if hasHan(s) {
		f.bag.other = romanised(words[:len(f.bag.words)])
	}
	return f
}

// exact is the key of a value's form.
func (c *addresses) exact(value string) string {
	s := folded(value)
	if s == "" {
		return ""
	}
	var room [16]string
	words, _, _ := addressParts(room[:0], value, s)
	return canonicalKey(words)
}

// addressParts divides an address, folded s, into words, which it appends. Those from divisions
// on are names of divisions; place is the code of the deepest.
func addressParts(words []string, value, s string) (_ []string, divisions int, place string) {
	if hasHan(s) {
		rest := digitNumerals(cut(value))
		p, ok := region.Parse(rest)
		if ok {
			rest = p.Rest
		}
		words = appendHanAddressWords(words, text.Fold(rest))
		divisions = len(words)
		if ok {
			words, place = appendDivisions(words, p), p.Code
		}
	} else {
		words = appendAddressWords(words, latinised(s))
		divisions = len(words)
	}
	if len(words) == 0 {
		words = strings.Fields(s)
	}
	return words, divisions, place
}

func canonicalKey(words []string) string {
	var buf [256]byte
	key := buf[:0]
	for i, w := range words {
		if i > 0 {
			key = append(key, ' ')
		}
		key = append(key, canonicalAddressWord(w)...)
	}
	return string(key)
}

// appendDivisions appends the folded names of the divisions that an address names, from
// the city down; the province says nothing that the city doesn't.
func appendDivisions(words []string, p region.Place) []string {
	if p.City == "" {
		return append(words, text.Fold(p.Province))
	}
	words = append(words, text.Fold(p.City))
	if p.District != "" && p.District != p.City {
		words = append(words, text.Fold(p.District))
	}
	return words
}

// romanised are the hashes of the pinyin of words in Han, 0 for others.
func romanised(words []string) []uint64 {
	other := make([]uint64, len(words))
	for i, w := range words {
		if hasHan(w) {
			other[i] = hashOf(KeyToken, text.PinyinWord(w))
		}
	}
	return other
}

//go:embed data/address-words.txt
var addressWordText string

// addressWords gives the abbreviation of a word of addresses.
var addressWords = sync.OnceValue(func() map[string]string {
	m := map[string]string{}
	for line := range strings.Lines(addressWordText) {
		short, words, _ := strings.Cut(strings.TrimSpace(line), " ")
		for w := range strings.FieldsSeq(words) {
			m[w] = short
		}
		m[short] = short
	}
	return m
})

func canonicalAddressWord(w string) string {
	if class(first(w)) != otherClass {
		return w // the list has none that begins so
	}
	if short := addressWords()[w]; short != "" {
		return short
	}
	return w
}

// appendAddressWords divides a folded address into words, without the word for a number.
func appendAddressWords(words []string, s string) []string {
	for w := range strings.FieldsSeq(s) {
		if canonicalAddressWord(w) != "no" {
			words = append(words, w)
		}
	}
	return words
}

// appendHanAddressWords divides what is left of a Chinese address into names and numbers:
// 人民路123号新世界广场12栋402室 → 人民路 123 新世界广场 12 402.
func appendHanAddressWords(words []string, s string) []string {
	before := otherClass
	for s != "" {
		if s[0] == ' ' {
			s = s[1:]
			continue
		}
		own := class(first(s))
		end := strings.IndexFunc(s, func(r rune) bool { return r == ' ' || class(r) != own })
		if end < 0 {
			end = len(s)
		}
		w := s[:end]
		switch {
		case own == hanClass && before == digitClass:
			words = appendStreetParts(words, afterNumber(w))
		case own == hanClass:
			words = appendStreetParts(words, w)
		case canonicalAddressWord(w) != "no":
			words = append(words, w)
		}
		before, s = own, s[end:]
	}
	return words
}

// afterNumber cuts the unit that a number counts from the name that follows: 号新世界广场.
// 段, 巷 and the like belong to the number as well.
func afterNumber(w string) string {
	for _, unit := range []string{"号楼", "号院", "单元", "号", "栋", "幢", "座", "室", "层", "楼", "弄", "之", "房", "段", "巷", "村", "组", "队", "街坊", "邻", "里"} {
		if rest, ok := strings.CutPrefix(w, unit); ok && (len(unit) > 3 || rest == "" || unit != "里" && unit != "村" && unit != "楼") {
			return rest
		}
	}
	return w
}

// appendStreetParts divides a name behind each division and street, as in
// 西湖区文三路东方大厦.
func appendStreetParts(parts []string, w string) []string {
	if w == "" {
		return parts
	}
	start, before := 0, rune(0)
	for i, r := range w {
		size := utf8.RuneLen(r)
		end := i + size
		if i >= start+2*size && end < len(w) && endsPart(before, r, w[end:]) {
			parts = append(parts, w[start:end])
			start = end
		}
		before = r
	}
	return append(parts, w[start:])
}

// endsPart reports whether a rune, with rest behind it, ends the name of a division or street:
// 江北区 does, 小区 and 市场 don't.
func endsPart(before, r rune, rest string) bool {
	switch r {
	case '路', '街', '道', '镇', '乡', '村':
		return !strings.ContainsRune("路街道镇乡村", first(rest))
	case '市', '县', '区', '州':
		return !strings.ContainsRune("小社园校厂景矿库城新发", before) && !strings.ContainsRune("场政民区市县州", first(rest))
	}
	return false
}

func first(s string) rune {
	r, _ := utf8.DecodeRuneInString(s)
	return r
}

const (
	otherClass = iota
	hanClass
	digitClass
)

func class(r rune) int {
	switch {
	case r >= '0' && r <= '9':
		return digitClass
	case text.Han(r):
		return hanClass
	}
	return otherClass
}

// numeral is the value of a numeral in Han, -1 for another rune; 十 is ten.
func numeral(r rune) int {
	switch r {
	case '〇', '零':
		return 0
	case '一':
		return 1
	case '二':
		return 2
	case '三':
		return 3
	case '四':
		return 4
	case '五':
		return 5
	case '六':
		return 6
	case '七':
		return 7
	case '八':
		return 8
	case '九':
		return 9
	case '十':
		return 10
	case '廿':
		return 20
	case '百':
		return 100
	}
	return -1
}

func notNumeral(r rune) bool { return numeral(r) < 0 }

// countable are the units before which a Han numeral is a number: 二段, 十五樓, but not
// 三元 or 一品.
const countable = "段路街巷弄号號楼樓层層室栋棟座期区區村组組单單幢"

// digitNumerals writes Han numerals before a unit in digits: 二段二號十五樓 → 2段2號15樓.
func digitNumerals(s string) string {
	var b strings.Builder
	done := 0 // s[:done] is in b
	for at := 0; ; {
		from := strings.IndexFunc(s[at:], func(r rune) bool { return numeral(r) >= 0 })
		if from < 0 {
			break
		}
		from += at
		size := strings.IndexFunc(s[from:], notNumeral)
		if size < 0 {
			break
		}
		at = from + size
		if unit := first(s[at:]); strings.ContainsRune(countable, unit) && !((unit == '路' || unit == '街') && runeCount(s[from:at]) > 1) {
			b.WriteString(s[done:from])
			b.WriteString(itoa(numeralValue(s[from:at])))
			done = at
		}
	}
	if done == 0 {
		return s
	}
	b.WriteString(s[done:])
	return b.String()
}

// numeralValue is the value of a numeral written with 十 and 百, or digit by digit.
func numeralValue(s string) int {
	value, digit, placed := 0, 0, false
	for _, r := range s {
		n := numeral(r)
		switch {
		case n >= 10 && r != '廿':
			value += max(digit, 1) * n
			digit, placed = 0, true
		case placed:
			digit = n
		default:
			digit = min(digit*10+n, 1e6)
		}
	}
	return value + digit
}

func (c *addresses) weigh(w *word, bits float32) float32 {
	switch {
	case c.corpus.ready():
		return min(1.5, max(0.15, bits/8))
	case numeric(w.text):
		return 1
	case len(w.text) <= 2, addressWords()[w.text] != "":
		return 0.3
	}
	return 1
}

func (c *addresses) settle(f Form) {
	if p, ok := f.(*addressForm); ok {
		p.bag.settle(c.corpus)
	}
}

func (c *addresses) Compare(a, b Form) Outcome {
	x, ok := a.(*addressForm)
	y, too := b.(*addressForm)
	if !ok || !too {
		return Outcome{}
	}
	if longer(x.key, y.key) { // so that the order of arguments makes no difference
		x, y = y, x
	}
	o := align(&x.bag, &y.bag, c.corpus, c.weigh, alikeWords)
	if x.key == y.key {
		return Outcome{Level: Exact, Bits: o.bits}
	}
	return Outcome{Level: addressLevel(&o, x, y), Bits: o.bits}
}

func addressLevel(o *overlap, x, y *addressForm) uint8 {
	return addressStep(o, min(len(x.bag.words), len(y.bag.words)), conflicting(x.place, y.place), 0)
}

// addressStep is the level of two addresses of which the shorter has so many words, and which may
// be more alike than they seem by a margin.
func addressStep(o *overlap, words int, conflict bool, margin float32) uint8 {
	cosine := o.cosine() + margin
	s := cosine
	if words >= 2 {
		s = max(s, 0.9*(o.contained()+margin))
	}
	switch {
	case o.looseA && o.looseB:
		return step(min(s, cosine+0.1), 0.25, 0.45, 0.7)
	case conflict:
		return step(s, 0.3, 0.6, 0.85)
	}
	return step(s, 0.2, 0.35, 0.5, 0.68, 0.84, 0.94)
}

// conflicting reports whether neither of two divisions lies within the other.
func conflicting(x, y string) bool {
	if x == "" || y == "" {
		return false
	}
	n := min(len(withoutZeros(x)), len(withoutZeros(y)))
	return x[:n] != y[:n]
}

// withoutZeros cuts the pairs of zeros that end the code of a province or city.
func withoutZeros(code string) string {
	for strings.HasSuffix(code, "00") && len(code) > 2 {
		code = code[:len(code)-2]
	}
	return code
}

func (c *addresses) Tokens(f Form, emit func(uint64)) {
	if p, ok := f.(*addressForm); ok {
		p.bag.emit(emit)
	}
}

func (c *addresses) Keys(f Form, want KeyKinds, emit func(Key)) {
	p, ok := f.(*addressForm)
	if !ok {
		return
	}
	e := emitter{want, emit}
	e.text(KeyExact, p.key)
	if want == KindsOf(KeyExact) {
		return
	}
	for i := range p.bag.words[:min(p.region, len(p.bag.words))] {
		w := canonicalAddressWord(p.bag.words[i].text)
		if i > 0 && e.want.Has(KeyBigram) {
			e.text(KeyBigram, orderedPair(canonicalAddressWord(p.bag.words[i-1].text), w))
		}
		if _, common := addressWords()[w]; !common && len(w) >= 4 {
			e.text(KeyToken, w)
			if hasHan(w) {
				e.text(KeyPinyin, text.PinyinWord(w))
			} else {
				e.text(KeyPinyin, w)
			}
		}
	}
}

func orderedPair(x, y string) string { return min(x, y) + " " + max(x, y) }
