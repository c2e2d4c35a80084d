package text

import (
	"bytes"
	_ "embed"
	"strings"
	"sync"
	"unicode/utf8"
)

// LegalForm splits the name of an organisation into its core and its legal form, both
// as written:
//
//	台灣水泥股份有限公司      台灣水泥    股份有限公司
//	Acme Trading Co., Ltd.   Acme Trading   Co., Ltd.
//	ООО «Ромашка»            Ромашка        ООО
//
// It knows the forms of mainland China, Taiwan, Hong Kong, Japan, Korea and Thailand, and
// most of those written in Latin and Cyrillic letters, at the end or, where that is usual,
// at the beginning. It also takes a form out from inside the name of a branch, so that
// 中国工商银行股份有限公司北京分行 has the core 中国工商银行北京分行, and from before a remark in
// brackets, as in Acme Ltd (UK). 集团 (group) is part of the core: it names another company
// than the one without it.
//
// Where nothing would be left or no form is known, core is the name and form is empty. It
// allocates only where core or form are not one piece of the name.
func LegalForm(name string) (core, form string) {
	core, form = stripEnd(name)
	if form == "" {
		core, form = stripBeforeBracket(name)
	}
	rest, prefix := stripPrefix(core)
	switch {
	case prefix == "":
		return core, form
	case form == "":
		return rest, prefix
	}
	return rest, prefix + " " + form
}

// maxTokens is how many words, or Han characters, at either end of a name are looked at:
// enough for 农民专业合作社联合社, or for 股份有限公司, a place and a word for a branch.
const maxTokens = 24

// around is what may stand between a form and the core and belongs to neither.
const around = " \u3000,;:-–—&/·、，；：\"“”„«»「」"

// stripEnd takes the form from the end of a name, or from inside a branch's.
func stripEnd(name string) (core, form string) {
	core = name
	if w, ok := bracketed(name, strings.HasSuffix); ok {
		core = trimEnd(name[:len(name)-len(w)])
	}
	var t tail
	var buf [192]byte
	key := t.read(buf[:0], core)
	if n := t.branch(key); n > 0 {
		return t.stripInner(name, key, n)
	}
	// One after the other: "Holding GmbH & Co. KG".
	for n := t.n; n > 0; {
		i := t.form(key, n)
		if i < 0 || !hasWord(name[:t.start[i]]) {
			break
		}
		core, n = trimEnd(name[:t.start[i]]), i
	}
	return core, strings.TrimLeft(name[len(core):], around)
}

// stripBeforeBracket takes a form out from before a remark in brackets:
// 百和興業股份有限公司(開曼) has the core 百和興業(開曼).
func stripBeforeBracket(name string) (core, form string) {
	if !strings.HasSuffix(name, ")") && !strings.HasSuffix(name, "）") {
		return name, ""
	}
	open := strings.LastIndexAny(name, "(（")
	if open < 0 {
		return name, ""
	}
	before := strings.TrimRight(name[:open], " ")
	core, form = stripEnd(before)
	if form == "" {
		return name, ""
	}
	return core + name[len(before):], form
}

func stripPrefix(name string) (core, form string) {
	if w, ok := bracketed(name, strings.HasPrefix); ok {
		return strings.TrimLeft(name[len(w):], around), w
	}
	var buf [192]byte
	key, end := buf[:0], 0
	forms := legalForms()
	for i, n := 0, 0; n < 8; n++ {
		from, to := nextToken(name, i)
		if from == to {
			break
		}
		key = AppendFold(key, name[from:to])
		if len(key) >= headBytes && !forms.prefixes.has(head(key)) {
			break
		}
		if forms.places[string(key)]&atStart != 0 && hasWord(name[to:]) {
			end = to
		}
		i = to
	}
	if end == 0 {
		return name, ""
	}
	return strings.Trim(name[end:], around), name[:end]
}

// tail is the end of a name, as tokens: words, and single Han characters. Its folded
// tokens stand one after the other in a key that its caller keeps.
type tail struct {
	n     int
	start [maxTokens]int     // where in the name each token starts
	end   [maxTokens]int     // and ends
	at    [maxTokens + 1]int // where it starts in the key; at[n] is the key's length
}

// read finds the last tokens of name and appends them, folded, to key.
func (t *tail) read(key []byte, name string) []byte {
	i := maxTokens
	for pos := len(name); i > 0; {
		from, to := lastToken(name, pos)
		if from == to {
			break
		}
		i--
		t.start[i], t.end[i] = from, to
		pos = from
	}
	t.n = copy(t.start[:], t.start[i:])
	copy(t.end[:], t.end[i:])
	for i := range t.n {
		t.at[i] = len(key)
		key = AppendFold(key, name[t.start[i]:t.end[i]])
	}
	t.at[t.n] = len(key)
	return key
}

// form is the first token of the longest form that ends before token n, or -1.
func (t *tail) form(key []byte, n int) int {
	forms := legalForms()
	if key = key[:t.at[n]]; len(key) >= footBytes && !forms.endings.has(foot(key)) {
		return -1
	}
	for i := range n {
		k := key[t.at[i]:]
		if len(k) > forms.longest || len(k) >= headBytes && !forms.beginnings.has(head(k)) {
			continue
		}
		if forms.places[string(k)]&atEnd != 0 {
			return i
		}
	}
	return -1
}

// branch is the number of tokens before a word for a branch at the end, or 0.
func (t *tail) branch(key []byte) int {
	for _, w := range branches {
		if !bytes.HasSuffix(key, []byte(w)) {
			continue
		}
		if n := utf8.RuneCountInString(w); n < t.n && len(key)-t.at[t.n-n] == len(w) {
			return t.n - n
		}
	}
	return 0
}

// stripInner takes the last form of at least four characters out of the first n tokens.
func (t *tail) stripInner(name string, key []byte, n int) (core, form string) {
	for end := n; end >= 4; end-- {
		i := t.form(key, end)
		if i >= 0 && end-i >= 4 && hasWord(name[:t.start[i]]) {
			from, to := t.start[i], t.end[end-1]
			return name[:from] + name[to:], name[from:to]
		}
	}
	return name, ""
}

// branches are the words at the end of a branch's name.
var branches = []string{
	"分公司", "分行", "支行", "营业部", "办事处", "代表处", "分店", "分厂", "分社", "分部", "门市部", "经营部", "销售部",
}

// lastToken finds the last token of s[:pos]; from == to if there is none.
func lastToken(s string, pos int) (from, to int) {
	to = -1
	for pos > 0 {
		r, n := utf8.DecodeLastRuneInString(s[:pos])
		switch tokenPart(r) {
		case betweenTokens:
			if to >= 0 {
				return pos, to
			}
		case wholeToken:
			if to >= 0 {
				return pos, to
			}
			return pos - n, pos
		case partOfToken:
			if to < 0 {
				to = pos
			}
		}
		pos -= n
	}
	return 0, max(to, 0)
}

// nextToken finds the first token of s[pos:]; from == to if there is none.
func nextToken(s string, pos int) (from, to int) {
	from = -1
	for pos < len(s) {
		r, n := utf8.DecodeRuneInString(s[pos:])
		switch tokenPart(r) {
		case betweenTokens:
			if from >= 0 {
				return from, pos
			}
		case wholeToken:
			if from >= 0 {
				return from, pos
			}
			return pos, pos + n
		case partOfToken:
			if from < 0 {
				from = pos
			}
		}
		pos += n
	}
	if from < 0 {
		return 0, 0
	}
	return from, pos
}

// What a rune is to a token.
const (
	betweenTokens = iota
	wholeToken
	partOfToken
	insideToken // leaves no trace in the folded form, neither joins nor starts
)

func tokenPart(r rune) int {
	switch {
	case Han(r):
		return wholeToken
	case foldValue(r) == separator:
		return betweenTokens
	case foldValue(r) == drop:
		return insideToken
	}
	return partOfToken
}

// bracketed finds a form that is written in brackets or as one sign; without them,
// 株 and 有 are ordinary characters. The match is strings.HasPrefix or HasSuffix.
func bracketed(name string, match func(s, w string) bool) (sign string, ok bool) {
	for _, w := range bracketedForms {
		if match(name, w) {
			return w, hasWord(strings.Replace(name, w, "", 1))
		}
	}
	return "", false
}

var bracketedForms = []string{"(株)", "（株）", "㈱", "(有)", "（有）", "㈲", "(주)", "（주）", "㈜", "(유)", "（유）"}

// trimEnd cuts what stood between the core and the form, an opening bracket included.
func trimEnd(s string) string { return strings.TrimRight(s, around+"(（[【") }

func hasWord(s string) bool {
	if r, _ := utf8.DecodeRuneInString(s); foldValue(r) == keepHan || foldValue(r) == keepLatin {
		return true
	}
	var buf [128]byte
	return len(AppendFold(buf[:0], s)) > 0
}

//go:embed data/legal-forms.txt
var legalFormText string

// place says where in a name a form stands.
type place uint8

const (
	atEnd place = 1 << iota
	atStart
)

// legalFormList are the known forms, folded and without spaces. Most of a name's pieces begin or
// end as none does, which costs less to see than a look-up.
type legalFormList struct {
	places     map[string]place
	longest    int // in bytes
	prefixes   pieces
	beginnings pieces // of forms at the end of a name
	endings    pieces
}

var legalForms = sync.OnceValue(func() *legalFormList {
	places := map[string]place{"suffix": atEnd, "prefix": atStart, "both": atEnd | atStart}
	pairs := listPairs(legalFormText)
	l := &legalFormList{places: make(map[string]place, len(pairs))}
	for _, p := range pairs {
		form, place := []byte(p[0]), places[p[1]]
		l.places[p[0]] = place
		if place&atStart != 0 && len(form) >= headBytes {
			l.prefixes.add(head(form))
		}
		if place&atEnd == 0 {
			continue
		}
		l.longest = max(l.longest, len(form))
		l.endings.add(foot(form))
		if len(form) >= headBytes {
			l.beginnings.add(head(form))
		}
	}
	return l
})

// pieces are the beginnings or the ends of some keys, by their bytes. Few others are taken for
// one of them.
type pieces [1 << 16 / 64]uint64

func (p *pieces) add(piece uint16)      { p[piece/64] |= 1 << (piece % 64) }
func (p *pieces) has(piece uint16) bool { return p[piece/64]>>(piece%64)&1 != 0 }

// head is what a key of three bytes or more begins with, foot what one of two or more ends with:
// a Han character, or letters.
func head(key []byte) uint16 { return uint16(key[0])<<12 ^ uint16(key[1])<<6 ^ uint16(key[2]) }
func foot(key []byte) uint16 { return uint16(key[len(key)-2])<<8 | uint16(key[len(key)-1]) }

const (
	headBytes = 3
	footBytes = 2
)
