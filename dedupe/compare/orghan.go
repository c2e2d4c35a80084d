package compare

import "strings"

// Weights of the characters of a Chinese organisation's name, by the part that they
// stand in.
const (
	regionWeight = 0.2
	coreWeight   = 1
	tradeWeight  = 0.4
	signWeight   = 0.5  // 粤, for a province or part of the core
	groupWeight  = 0.03 // 集团, 控股 and the like, which are left out at will
)

// hanText is a name of which each rune has a weight.
type hanText struct {
	runes  [wordSize]rune
	weight [wordSize]float32
	part   [wordSize]uint8 // 0 region, 1 core, 2 trade
	n      int
	total  float32
	core   float32
}

// groupWords within a trade tell little.
var groupWords = []string{"集团", "控股", "股份", "企业", "公司", "中心"}

func (t *hanText) set(o *hanOrg) {
	for at, r := range o.body {
		if t.n == wordSize {
			break
		}
		i := t.n
		t.runes[i] = r
		switch {
		case at < int(o.core):
			t.weight[i], t.part[i] = regionWeight, 0
		case at == 0 && o.short != 0:
			t.weight[i], t.part[i] = signWeight, 0
		case at < int(o.trade):
			t.weight[i], t.part[i] = coreWeight, 1
			t.core++
		default:
			t.weight[i], t.part[i] = o.tradeWeight(at), 2
		}
		t.total += t.weight[i]
		t.n++
	}
}

// tradeWeight is the weight of the character at a place within the trade.
func (o *hanOrg) tradeWeight(at int) float32 {
	for _, w := range groupWords {
		if strings.HasPrefix(o.body[at:], w) || at >= int(o.trade)+3 && strings.HasPrefix(o.body[at-3:], w) {
			return groupWeight
		}
	}
	return tradeWeight
}

// cover is what two names have in common, by the best alignment of their characters.
type cover struct {
	a, b         float32 // share of the weight of either name
	coreA, coreB float32 // share of its core
	bits         float32
	missed       [2]int // characters of either core without a partner
	runs         int    // pieces that the common characters form in both names
}

// alignHan aligns the characters of two names in order, so that their common weight is
// the largest.
func (c *organisations) alignHan(a, b *hanText) cover {
	var buf [1024]float32
	best := buf[:]
	if n := (a.n + 1) * (b.n + 1); n > len(buf) {
		best = make([]float32, n)
	}
	bestAlignment(best, a, b)
	var v cover
	var sumA, sumB, coreA, coreB float32
	lastI, lastJ := -2, -2
	width := b.n + 1
	for i, j := 0, 0; i < a.n && j < b.n; {
		switch {
		case a.runes[i] == b.runes[j] && best[i*width+j] == best[(i+1)*width+j+1]+a.weight[i]+b.weight[j]:
			sumA, sumB = sumA+a.weight[i], sumB+b.weight[j]
			coreA, coreB = coreA+a.inCore(i), coreB+b.inCore(j)
			if i != lastI+1 || j != lastJ+1 {
				v.runs++
			}
			if c.corpus.ready() {
				v.bits += c.corpus.bits(runeHash(a.runes[i]))
			}
			lastI, lastJ = i, j
			i, j = i+1, j+1
		case best[(i+1)*width+j] >= best[i*width+j+1]:
			i++
		default:
			j++
		}
	}
	v.a, v.b = share(sumA, a.total), share(sumB, b.total)
	v.coreA, v.coreB = share(coreA, a.core), share(coreB, b.core)
	v.missed = [2]int{int(a.core - coreA), int(b.core - coreB)}
	return v
}

// bestAlignment fills a table with the largest common weight of the ends of two names,
// from character i of a and j of b on, at i*(b.n+1)+j.
func bestAlignment(best []float32, a, b *hanText) {
	width := b.n + 1
	for i := a.n - 1; i >= 0; i-- {
		here, below := best[i*width:(i+1)*width], best[(i+1)*width:(i+2)*width]
		for j := b.n - 1; j >= 0; j-- {
			s := max(below[j], here[j+1])
			if a.runes[i] == b.runes[j] {
				s = max(s, below[j+1]+a.weight[i]+b.weight[j])
			}
			here[j] = s
		}
	}
}

func (t *hanText) inCore(i int) float32 {
	if t.part[i] == 1 {
		return 1
	}
	return 0
}

func share(part, whole float32) float32 {
	if whole == 0 {
		return 1
	}
	return part / whole
}

func runeHash(r rune) uint64 { return mix(uint64(r) * 0x9E3779B97F4A7C15) }

func (c *organisations) compareHan(x, y *hanOrg) (level uint8, same, bits float32) {
	if longer(x.body, y.body) {
		x, y = y, x
	}
	var a, b hanText
	a.set(x)
	b.set(y)
	v := c.alignHan(&a, &b)
	v.a = max(v.a, signed(x, y, &a, v.a))
	v.b = max(v.b, signed(y, x, &b, v.b))
	bits = v.bits
	if c.corpus.ready() && x.coreText() == y.coreText() {
		// Characters of a core that belong together tell less than each for itself.
		bits = min(bits, c.corpus.bits(hashOf(KeyToken, x.coreText()))+0.5*bits)
	}
	if v.runs > 1 {
		bits *= 1 - 0.08*float32(min(v.runs-1, 5))
	}
	bits *= 0.85 + 0.15*min(v.a, v.b) // of two names that share as much, the one with less besides
	level, same = headLevel(x, y, &v)
	level, same = branchLevel(x, y, level, same)
	if level >= orgSpelling && c.corpus.ready() {
		// The names agree as wholes: their own rarity counts, however common their characters.
		return level, same, max(bits, min(c.corpus.bits(x.wholeHash()), c.corpus.bits(y.wholeHash())))
	}
	return level, same, bits + c.branchBits(x, y)
}

// signed is the share of x that y covers when the sign of a province in front of x stands
// for the province of y.
func signed(x, y *hanOrg, t *hanText, covered float32) float32 {
	if x.short == 0 || y.short == x.short || y.place[1] == 0 && y.place[0] == 0 || y.place[0]/10000 != x.short/10000 && y.place[1]/10000 != x.short/10000 {
		return covered
	}
	return min(1, covered+t.weight[0]/t.total)
}

// headLevel compares names without their branches.
func headLevel(x, y *hanOrg, v *cover) (level uint8, same float32) {
	place := placeRelation(x, y)
	coresAgree := x.coreText() == y.coreText()
	trade := tradeRelation(x.tradeText(), y.tradeText())
	whole := min(v.a, v.b)
	switch {
	case numbersDiffer(x.body, y.body):
		return orgRelated, 0.05
	case coresAgree && place == apart:
		return orgRelated, 0.2 + 0.05*float32(min(runeCount(x.coreText()), 4))
	case coresAgree && trade == apart:
		return orgRelated, 0.2
	case coresAgree && trade == agree && place == agree, whole >= 0.97:
		return orgSpelling, 0.97
	case coresAgree && trade != apart && place != apart:
		if same = contained(x, y); same < 0.5 && x.formal && y.formal {
			return orgPart, same
		}
		return orgContained, same
	case x.sound() == y.sound() && v.coreA >= 0.5 && trade != apart && place != apart:
		if runeCount(x.coreText()) >= 3 {
			return orgContained, 0.8
		}
		return orgPart, 0.3
	}
	return looseHan(x, y, v, place, trade)
}

// contained is how likely two names are to mean the same that have the core in common
// and of which one leaves out the place or the trade: a core of one or two characters
// alone is shared by many.
func contained(x, y *hanOrg) float32 {
	short, long := byLength(withoutGroup(x.tradeText()), withoutGroup(y.tradeText()))
	bareTrade := short == ""
	switch n := runeCount(x.coreText()); {
	case n <= 1:
		return 0.3
	case x.formal && y.formal && bareTrade && !general(long): // 杭州娃哈哈集团 and 杭州娃哈哈饮料: one may own the other
		return 0.45
	case n == 2 && bareTrade:
		if !x.formal && !y.formal || placeRelation(x, y) == unknown && runeCount(x.body) != runeCount(y.body) && x.tradeText() != "" && y.tradeText() != "" {
			return 0.5
		}
		return 0.72
	}
	return 0.9
}

// general reports whether a trade says no more than 集团 does.
func general(trade string) bool {
	switch trade {
	case "", "投资", "发展", "实业", "投资发展", "实业发展", "实业投资", "投资管理":
		return true
	}
	return false
}

// looseHan compares names whose cores differ; x is the shorter one.
func looseHan(x, y *hanOrg, v *cover, place, trade relation) (level uint8, same float32) {
	short, long, coreShort, coreLong := v.a, v.b, v.coreA, v.coreB
	whole := coreShort == 1 && short >= 0.95 // every character of the short name is in the long one
	switch {
	case whole && bare(x.body) == bare(y.body):
		return orgSpelling, 0.95
	case whole && x.formal && y.formal: // both are whole names, so that neither is short for the other
		return orgAbbreviation, 0.55
	case whole && place != apart && coreLong >= 0.6 && long >= 0.55:
		return orgContained, 0.75
	case whole && place != apart && long >= 0.35 && coreLong >= 0.2:
		return orgAbbreviation, 0.6
	case whole && place != apart && beginsCore(x, y):
		return orgAbbreviation, 0.6
	case whole:
		return orgPart, 0.35
	case place == apart:
		return distance(short, long), 0.05
	case max(v.missed[0], v.missed[1]) <= 1 && min(coreShort, coreLong) >= 0.74 && trade != apart:
		// One character of four or more.
		if runeCount(x.coreText()) >= 5 {
			return orgAbbreviation, 0.6
		}
		return orgPart, 0.4
	case coreShort == 1 && short >= 0.75 && long >= 0.45:
		return orgPart, 0.35
	case min(short, long) >= 0.7 && min(coreShort, coreLong) >= 0.66:
		return orgPart, 0.3
	}
	return distance(short, long), 0.03
}

// numbersDiffer reports whether both names have a number and the numbers differ: 中铁一局
// and 中铁十一局, 第一中学 and 第二中学.
func numbersDiffer(x, y string) bool {
	a, b := numberIn(x), numberIn(y)
	return a != "" && b != "" && a != b
}

// numberIn is the numeral behind 第, or before the word for a unit that is numbered.
func numberIn(s string) string {
	if !strings.ContainsAny(s, "一二三四五六七八九十") {
		return ""
	}
	from := -1
	ordinal := false
	for i, r := range s {
		if n := numeral(r); n > 0 && n <= 10 {
			if from < 0 {
				from, ordinal = i, strings.HasSuffix(s[:i], "第")
			}
			continue
		}
		if from >= 0 && (ordinal || strings.ContainsRune("局院中小厂建工航冶矿分", r)) {
			return s[from:i]
		}
		from = -1
	}
	return ""
}

// beginsCore reports whether the core of the shorter name begins that of the longer one.
func beginsCore(x, y *hanOrg) bool {
	a, b := x.coreText(), y.coreText()
	if len(a) > len(b) {
		a, b = b, a
	}
	return runeCount(a) >= 2 && strings.HasPrefix(b, a)
}

// bare leaves out the words for kinds of divisions: 江阴市金阳 → 江阴金阳.
func bare(s string) string { return divisionWords.Replace(s) }

var divisionWords = strings.NewReplacer("省", "", "市", "", "县", "", "区", "")

// distance is the level of names of which neither is within the other.
func distance(short, long float32) uint8 {
	if (short+long)/2 >= 0.4 {
		return orgDistant
	}
	return orgDifferent
}

// branchLevel takes into account that one of the names or both are those of branches.
func branchLevel(x, y *hanOrg, level uint8, same float32) (uint8, float32) {
	if !x.isPart && !y.isPart || level < orgAbbreviation {
		return level, same
	}
	if x.isPart != y.isPart {
		return orgRelated, 0.1
	}
	switch {
	case x.branch == y.branch:
		return level, same
	case x.branch == "" || y.branch == "":
		return orgRelated, 0.1
	case x.branchKind == y.branchKind && within(x.branch, y.branch):
		return min(level, orgContained), same * 0.85
	}
	return orgRelated, 0.08
}

// branchBits is the information of the branch that two names share.
func (c *organisations) branchBits(x, y *hanOrg) float32 {
	short, long := byLength(x.branch, y.branch)
	if short == "" || !c.corpus.ready() || !within(short, long) {
		return 0
	}
	var sum float32
	for _, r := range short {
		sum += c.corpus.bits(runeHash(r))
	}
	if short == long {
		return min(sum, c.corpus.bits(hashOf(KeyPart, long))+0.5*sum)
	}
	return 0.8 * sum
}

// within reports whether the characters of the shorter text stand in the longer one, in
// order.
func within(x, y string) bool {
	if len(x) > len(y) {
		x, y = y, x
	}
	for _, r := range x {
		i := strings.IndexRune(y, r)
		if i < 0 {
			return false
		}
		y = y[i+len(string(r)):]
	}
	return true
}

// relation is how a part of two names relates.
type relation uint8

const (
	unknown relation = iota // one name lacks the part
	agree
	apart
)

// placeRelation compares where two names say that they are.
func placeRelation(x, y *hanOrg) relation {
	if x.place == y.place && x.regionText() == y.regionText() {
		return agree
	}
	if x.place[1] == 0 || y.place[1] == 0 {
		return unknown
	}
	for _, p := range x.place {
		for _, q := range y.place {
			if p != 0 && q != 0 && nested(p, q) {
				if x.place[1] == y.place[1] {
					return agree
				}
				return unknown
			}
		}
	}
	return apart
}

// nested reports whether one of two codes of GB/T 2260 lies within the other.
func nested(p, q uint32) bool {
	for _, unit := range []uint32{10000, 100, 1} {
		if p%unit == 0 && q%unit == 0 && p/unit == q/unit {
			return true
		}
		if p%unit == 0 || q%unit == 0 {
			return p/unit == q/unit
		}
	}
	return p == q
}

// tradeRelation compares the trades of two names: one may be said in more words, or in
// others that share characters.
func tradeRelation(x, y string) relation {
	x, y = byLength(withoutGroup(x), withoutGroup(y))
	switch {
	case x == y:
		return agree
	case x == "" || y == "", within(x, y):
		return unknown
	}
	common := 0
	for _, r := range x {
		if strings.ContainsRune(y, r) {
			common++
		}
	}
	if 2*common >= min(runeCount(x), runeCount(y)) {
		return unknown
	}
	return apart
}

func withoutGroup(s string) string {
	for _, w := range groupWords {
		s = strings.ReplaceAll(s, w, "")
	}
	return s
}

// tokens are what a corpus counts: the core, the branch, and each character.
func (o *hanOrg) tokens(emit func(uint64)) {
	emit(hashOf(KeyToken, o.coreText()))
	for _, r := range o.body {
		emit(runeHash(r))
	}
	for _, r := range o.branch {
		emit(runeHash(r))
	}
	if o.branch != "" {
		emit(hashOf(KeyPart, o.branch))
	}
	emit(o.wholeHash())
}

// wholeHash is that of the name without what is written or left out at will.
func (o *hanOrg) wholeHash() uint64 { return hashOf(KeyExact, bare(o.body)+" "+o.branch) }

// whole is the text under which names meet that differ in nothing else than that.
func (o *hanOrg) whole() string { return strings.TrimSuffix(bare(o.body)+" "+o.branch, " ") }

func (o *hanOrg) keys(e emitter) {
	if e.want.Has(KeyExact) {
		e.text(KeyExact, o.whole())
	}
	core := o.coreText()
	e.text(KeyToken, core)
	if e.want.Has(KeyPart) {
		e.text(KeyPart, core+" "+o.branch)
	}
	e.text(KeyPinyin, o.sound())
	if n := runeCount(core); n >= 3 && n <= 8 {
		e.deletions(core)
	}
	if !e.want.Has(KeyBigram) {
		return
	}
	var buf [wordSize]rune
	rs := runesOf(&buf, o.body)
	from := runeCount(o.regionText())
	for i := range rs {
		for j := i + 1; j < len(rs) && j <= i+4; j++ {
			if j == i+1 || i < from+4 && j >= from {
				e.pair(KeyBigram, rs[i], rs[j])
			}
		}
	}
	var place [wordSize]rune
	of := runesOf(&place, o.branch)
	for i := 1; i < len(of); i++ {
		e.pair(KeyBigram, of[i-1], of[i])
	}
}
