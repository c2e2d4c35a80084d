package compare

import (
	"strings"
	"unicode/utf8"

	"github.com/clientele-go/clientele/internal/text"
)

var textLevels = []Level{
	{"different", "the texts differ", "文本不同"},
	{"distant", "few words agree", "少数词语一致"},
	{"part", "some words agree", "部分词语一致"},
	{"half", "about half of the words agree", "约半数词语一致"},
	{"most", "most words agree", "多数词语一致"},
	{"alike", "nearly all words agree", "绝大多数词语一致"},
	{"near", "the texts differ by typing or order", "文本仅有笔误或次序差异"},
	{"equal", "the texts agree", "文本一致"},
}

type textForm struct {
	key string
	bag bag
}

func (f *textForm) Key() string { return f.key }

type texts struct{ corpus *Corpus }

func newText(_ Type, o Options) Comparator { return &texts{o.Corpus} }

func (c *texts) Type() Type      { return Text }
func (c *texts) Levels() []Level { return textLevels }

func (c *texts) Prepare(value string) Form {
	s := folded(value)
	if s == "" {
		return nil
	}
	return &textForm{key: s, bag: newBag(grams(s), nil)}
}

// grams are the words of a text, and of what is written in Han its pairs of characters.
func grams(s string) []string {
	var words []string
	for w := range strings.FieldsSeq(s) {
		if !hasHan(w) {
			words = append(words, w)
			continue
		}
		words = appendHanGrams(words, w)
		if len(words) > maxWords {
			break
		}
	}
	return words
}

// appendHanGrams appends the pairs of neighbours in each run of Han, the character of a
// run of one, and the runs of other characters.
func appendHanGrams(words []string, w string) []string {
	for w != "" {
		han := text.Han(first(w))
		n := strings.IndexFunc(w, func(r rune) bool { return text.Han(r) != han })
		if n < 0 {
			n = len(w)
		}
		run := w[:n]
		w = w[n:]
		if !han || runeCount(run) == 1 {
			words = append(words, run)
			continue
		}
		before := 0
		for i, r := range run {
			if i > 0 {
				words = append(words, run[before:i+utf8.RuneLen(r)])
			}
			before = i
		}
	}
	return words
}

// weigh weighs a word by its information, or where that is unknown by its length: short
// words are mostly particles.
func (c *texts) weigh(w *word, bits float32) float32 {
	switch {
	case c.corpus.ready():
		return max(bits, 0.3) / 8
	case len(w.text) <= 3 && !hasDigit(w.text):
		return 0.4
	}
	return 1
}

func (c *texts) settle(f Form) {
	if p, ok := f.(*textForm); ok {
		p.bag.settle(c.corpus)
	}
}

func (c *texts) Compare(a, b Form) Outcome {
	x, ok := a.(*textForm)
	y, too := b.(*textForm)
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
	return Outcome{Level: textLevel(&o), Bits: o.bits}
}

func textLevel(o *overlap) uint8 {
	s := max(o.cosine(), 0.85*o.contained())
	return step(s, 0.15, 0.3, 0.45, 0.62, 0.8, 0.94)
}

// step is how many of the ascending bounds s reaches.
func step(s float32, bounds ...float32) uint8 {
	var level uint8
	for _, b := range bounds {
		if s < b {
			break
		}
		level++
	}
	return level
}

func (c *texts) Tokens(f Form, emit func(uint64)) {
	if p, ok := f.(*textForm); ok {
		p.bag.emit(emit)
	}
}

func (c *texts) Keys(f Form, want KeyKinds, emit func(Key)) {
	p, ok := f.(*textForm)
	if !ok {
		return
	}
	e := emitter{want, emit}
	e.text(KeyExact, p.key)
	for i := range p.bag.words {
		w := p.bag.words[i].text
		if len(w) >= 4 || hasDigit(w) {
			e.text(KeyToken, w)
		}
		if i > 0 {
			e.text(KeyBigram, p.bag.words[i-1].text+" "+w)
		}
	}
}
