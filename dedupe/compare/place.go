package compare

import (
	"strings"

	"github.com/clientele-go/clientele/internal/region"
	"github.com/clientele-go/clientele/internal/text"
)

var placeLevels = []Level{
	{"different", "the places differ", "地点不同"},
	{"distant", "the names have little in common", "名称略有相似"},
	{"part", "a word of the name agrees", "名称部分一致"},
	{"similar", "the names resemble one another", "名称相近"},
	{"contained", "one place lies within the other, or is named in it", "一个地点包含另一个"},
	{"abbreviation", "one name is short for the other, or its pinyin", "一个名称是另一个的简称或拼音"},
	{"typo", "the names differ by a letter or two", "名称差一两个字母"},
	{"equal", "the places agree", "地点一致"},
}

type placeForm struct {
	key   string
	words []string
	code  string // of the division, for places of China
	roman string // pinyin of a Chinese name
}

func (f *placeForm) Key() string { return f.key }

type places struct {
	typ    Type
	corpus *Corpus
}

func newPlace(t Type, o Options) Comparator { return &places{t, o.Corpus} }

func (c *places) Type() Type      { return c.typ }
func (c *places) Levels() []Level { return placeLevels }

func (c *places) Prepare(value string) Form {
	s := folded(value)
	if s == "" {
		return nil
	}
	f := &placeForm{key: s}
	if !hasHan(s) {
		words := strings.Fields(s)
		f.words = words[:min(len(words), maxWords)]
		return f
	}
	if p, ok := region.Parse(cut(value)); ok && p.Rest == "" {
		f.code, f.key = p.Code, p.Code
		s = deepest(p)
	}
	f.words = []string{s}
	f.roman = text.PinyinWord(withoutSuffix(s))
	return f
}

func deepest(p region.Place) string {
	for _, name := range []string{p.District, p.City, p.Province} {
		if name != "" {
			return text.Fold(name)
		}
	}
	return ""
}

// withoutSuffix cuts the word for the kind of division.
func withoutSuffix(s string) string {
	for _, w := range []string{"特别行政区", "自治区", "自治州", "自治县", "省", "市", "县", "区", "镇", "乡"} {
		if rest, ok := strings.CutSuffix(s, w); ok && runeCount(rest) >= 2 {
			return rest
		}
	}
	return s
}

func (c *places) Compare(a, b Form) Outcome {
	x, ok := a.(*placeForm)
	y, too := b.(*placeForm)
	if !ok || !too {
		return Outcome{}
	}
	if x.key == y.key {
		return Outcome{Level: Exact, Bits: c.bits(x)}
	}
	level := placeLevel(x, y)
	return Outcome{Level: level, Bits: min(c.bits(x), c.bits(y)) * wordCredit[level]}
}

func (c *places) bits(f *placeForm) float32 {
	if !c.corpus.ready() {
		return 0
	}
	return c.corpus.bits(hashOf(KeyToken, f.key))
}

func placeLevel(x, y *placeForm) uint8 {
	if x.code != "" && y.code != "" {
		if conflicting(x.code, y.code) {
			return 0
		}
		return 4
	}
	if x.roman != "" || y.roman != "" {
		return romanPlaceLevel(x, y)
	}
	short, long := x, y
	if longer(short.key, long.key) {
		short, long = long, short
	}
	e, n := edits(x.key, y.key), runeCount(short.key)
	switch {
	case e == 1 && n >= 4, e == 2 && n >= 7:
		return 6
	case len(long.words) > 1 && n >= 2 && short.key == initialsInOrder(long.words),
		n >= 3 && strings.HasPrefix(long.key, short.key) && !strings.HasPrefix(long.key, short.key+" "),
		strings.ReplaceAll(x.key, " ", "") == strings.ReplaceAll(y.key, " ", ""):
		return 5
	}
	return looseLevel(short, long)
}

func looseLevel(short, long *placeForm) uint8 {
	common := 0
	for _, w := range short.words {
		for _, v := range long.words {
			if w == v && len(w) > 2 {
				common++
				break
			}
		}
	}
	s := jaroWinkler(short.key, long.key)
	switch {
	case common == len(short.words):
		return 4
	case s >= 0.86:
		return 3
	case common > 0:
		return 2
	case s >= 0.72:
		return 1
	}
	return 0
}

func romanPlaceLevel(x, y *placeForm) uint8 {
	switch {
	case x.roman != "" && y.roman != "":
		short, long := byLength(x.words[0], y.words[0])
		switch {
		case strings.HasPrefix(long, short):
			return 5
		case edits(short, long) == 1 && runeCount(short) >= 3:
			return 3
		case x.roman == y.roman:
			return 3
		}
		return 0
	case x.roman == "":
		x, y = y, x
	}
	latin := strings.Join(y.words, "")
	if latin == x.roman || strings.HasPrefix(latin, x.roman) {
		return 5
	}
	return 0
}

// Tokens emits the normal form as the one word of a place.
func (c *places) Tokens(f Form, emit func(uint64)) {
	if f != nil {
		emit(hashOf(KeyToken, f.Key()))
	}
}

func (c *places) Keys(f Form, want KeyKinds, emit func(Key)) {
	p, ok := f.(*placeForm)
	if !ok {
		return
	}
	e := emitter{want, emit}
	e.text(KeyExact, p.key)
	whole := strings.Join(p.words, "")
	e.sound(whole)
	if n := len(whole); n >= 5 && n <= 24 {
		e.deletions(whole)
	}
}
