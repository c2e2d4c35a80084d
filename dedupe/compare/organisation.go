package compare

import (
	"strings"

	"github.com/clientele-go/clientele/internal/text"
)

// The levels of names of organisations.
const (
	orgDifferent = iota
	orgDistant
	orgRelated
	orgPart
	orgAbbreviation
	orgContained
	orgSpelling
)

var orgLevels = []Level{
	{"different", "the names differ", "名称不同"},
	{"distant", "the names have little in common", "名称略有相似"},
	{"related", "the names share the core, but not the place, the trade or the branch", "字号相同，但地区、行业或分支机构不同"},
	{"part", "the names share a part, or sound alike", "名称部分一致或读音相同"},
	{"abbreviation", "one name may be short for the other", "一个名称可能是另一个的简称"},
	{"contained", "one name is more complete, or the other's translation; the rest agrees", "一个名称更完整或为其译名，其余一致"},
	{"form", "the names differ in legal form, in order or by a letter", "仅组织形式、次序或一个字母不同"},
	{"equal", "the names agree", "名称一致"},
}

// orgForm is the name of an organisation: one of its halves is set.
type orgForm struct {
	key   string // folded
	han   *hanOrg
	latin *latinOrg
	// script is that of a name compared as written.
	script script
}

func (f *orgForm) Key() string { return f.key }

type organisations struct{ corpus *Corpus }

func newOrganisation(_ Type, o Options) Comparator { return &organisations{o.Corpus} }

func (c *organisations) Type() Type      { return OrganisationName }
func (c *organisations) Levels() []Level { return orgLevels }

func (c *organisations) Prepare(value string) Form {
	if f := prepareOrganisation(value, folded(value)); f != nil {
		return f
	}
	return nil
}

// prepareOrganisation makes the form of a value, folded key.
func prepareOrganisation(value, key string) *orgForm {
	if key == "" {
		return nil
	}
	f := &orgForm{key: key}
	if hasHan(key) && !hanFormAlone(value, key) {
		f.han = parseHanOrg(cut(value), key)
	} else {
		f.latin, f.script = parseLatinOrg(cut(value), key), scriptOf(key)
	}
	return f
}

// hanFormAlone reports whether only the Japanese legal form of a name is in Chinese characters, the
// name itself in kana or Latin letters: ソフトバンク株式会社.
func hanFormAlone(value, key string) bool {
	if !strings.Contains(key, "会社") && !strings.Contains(key, "株") {
		return false // as nearly all, at less cost
	}
	core, form := text.LegalForm(cut(value))
	form = text.Fold(form)
	return (strings.Contains(form, "会社") || strings.Contains(form, "株")) && !hasHan(text.Fold(core))
}

func (c *organisations) Compare(a, b Form) Outcome {
	x, ok := a.(*orgForm)
	y, too := b.(*orgForm)
	if !ok || !too {
		return Outcome{}
	}
	if x.script != y.script {
		return Outcome{Mute: true}
	}
	level, _, bits := c.compare(x, y)
	return Outcome{Level: level, Bits: bits}
}

// compare returns the level of two names, how likely they are to mean the same with
// nothing known besides, and the information of what they share.
func (c *organisations) compare(x, y *orgForm) (level uint8, same, bits float32) {
	switch {
	case longer(x.key, y.key): // so that the order of arguments makes no difference
		return c.compare(y, x)
	case x.key == y.key:
		return Exact, 0.995, c.bitsOf(x)
	case x.han != nil && y.han != nil:
		return c.compareHan(x.han, y.han)
	case x.latin != nil && y.latin != nil:
		return c.compareLatin(x.latin, y.latin)
	case x.han != nil:
		return c.compareScripts(x.han, y.latin)
	}
	return c.compareScripts(y.han, x.latin)
}

func (c *organisations) bitsOf(f *orgForm) float32 {
	if f.han != nil {
		_, _, bits := c.compareHan(f.han, f.han)
		return bits
	}
	_, _, bits := c.compareLatin(f.latin, f.latin)
	return bits
}

func (c *organisations) Tokens(f Form, emit func(uint64)) {
	o, ok := f.(*orgForm)
	switch {
	case !ok:
	case o.han != nil:
		o.han.tokens(emit)
	default:
		o.latin.tokens(emit)
	}
}

func (c *organisations) settle(f Form) {
	if o, ok := f.(*orgForm); ok && o.latin != nil {
		o.latin.bag.settle(c.corpus)
	}
}

func (c *organisations) Keys(f Form, want KeyKinds, emit func(Key)) {
	o, ok := f.(*orgForm)
	if !ok {
		return
	}
	e := emitter{want, emit}
	if o.han != nil {
		o.han.keys(e)
	} else {
		e.text(KeyExact, o.key)
		o.latin.keys(e)
	}
}

// bracketed divides a name into what stands in brackets and the rest, with the place of
// the first bracket marked by where rest is cut in two.
func bracketed(name string) (before, inside, after string) {
	open := strings.IndexFunc(name, opensBracket)
	if open < 0 {
		return name, "", ""
	}
	before = name[:open]
	rest := name[open+len(firstRune(name[open:])):]
	end := strings.IndexFunc(rest, closesBracket)
	if end < 0 {
		return before, rest, ""
	}
	return before, rest[:end], rest[end+len(firstRune(rest[end:])):]
}

func opensBracket(r rune) bool {
	return r == '(' || r == '（' || r == '[' || r == '【' || r == '〔'
}

func closesBracket(r rune) bool {
	return r == ')' || r == '）' || r == ']' || r == '】' || r == '〕'
}
