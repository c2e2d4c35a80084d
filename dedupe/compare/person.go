package compare

import (
	"slices"
	"strings"

	"github.com/clientele-go/clientele/internal/text"
)

// The levels of names of people.
const (
	personDifferent = iota
	personDistant
	personPart
	personInitials
	personSimilar
	personNickname
	personTypo
)

var personLevels = []Level{
	{"different", "the names differ", "姓名不同"},
	{"distant", "the names have little in common", "姓名略有相似"},
	{"part", "a part of the name agrees", "姓名部分一致"},
	{"initials", "the initials agree, or the name is short for the other", "首字母一致或为简写"},
	{"similar", "the names are spelled or sound alike", "姓名拼写或读音相近"},
	{"nickname", "a nickname or another spelling of the same name, or its pinyin", "昵称、异写或拼音一致"},
	{"typo", "the names differ by a letter or in order", "姓名仅差一个字母或次序"},
	{"equal", "the names agree", "姓名一致"},
}

// personForm is the name of a person or a part of it.
type personForm struct {
	key string // the words in order
	bag bag    // without titles
	han *hanName
	// joined is the hash of the words without spaces.
	joined uint64
	script script
	// generation tells a father from his son: 1 for Sr, 2 for Jr and II, …; 0 where not said.
	generation uint8
	// first is whether an I stands within the name, which may be a first of the name or an
	// initial: it counts beside a second only.
	first bool
}

// hanName is a name in Han, or a part of one.
type hanName struct {
	family string // empty where only a part of the name is known
	given  string
	pinyin []string // a syllable for each character
}

func (f *personForm) Key() string {
	if f.generation != 0 {
		return f.key + " " + string('0'+f.generation)
	}
	return f.key
}

type person struct {
	typ    Type
	corpus *Corpus
}

func newPerson(t Type, o Options) Comparator { return &person{t, o.Corpus} }

func (c *person) Type() Type      { return c.typ }
func (c *person) Levels() []Level { return personLevels }

func (c *person) Prepare(value string) Form {
	if f := preparePerson(value, c.typ); f != nil {
		return f
	}
	return nil
}

func preparePerson(value string, t Type) *personForm {
	s := folded(stripRemark(value))
	if s == "" {
		return nil
	}
	if hasHan(s) {
		return prepareHan(s, t)
	}
	words, generation, first := takeGeneration(strings.Fields(latinised(s)))
	kept := withoutTitles(words)
	if i := strings.IndexByte(value, ','); i > 0 && t == PersonName {
		kept = givenFirst(kept, len(withoutTitles(strings.Fields(text.Fold(value[:i])))))
	}
	f := &personForm{key: strings.Join(kept, " "), joined: hashOf(KeyToken, strings.Join(kept, "")), generation: generation, first: first, script: scriptOf(s)}
	f.bag = newBag(strings.Fields(f.key), nil)
	for i := range f.bag.words {
		w := &f.bag.words[i]
		w.nick = nicknames().find(w.text)
		if t != PersonFamily {
			w.gender = genders()[w.text]
		}
	}
	return f
}

var generations = map[string]uint8{"sr": 1, "senior": 1, "i": 1, "jr": 2, "jnr": 2, "junior": 2, "ii": 2, "iii": 3, "iv": 4}

// takeGeneration cuts Sr, Jr or a numeral behind a name or, where a family name follows
// that stands apart in other records, within it; first tells of an I within.
func takeGeneration(words []string) (rest []string, generation uint8, first bool) {
	for i := len(words) - 1; i > 0; i-- {
		switch g := generations[words[i]]; {
		case g == 0:
		case words[i] == "i" && i < len(words)-1:
			first = true
		default:
			return slices.Delete(words, i, i+1), g, first
		}
	}
	return words, 0, first
}

// anotherGeneration reports whether two names are a father's and his son's.
func anotherGeneration(x, y *personForm) bool {
	of := func(f, other *personForm) uint8 {
		if f.generation == 0 && f.first && other.generation > 1 {
			return 1
		}
		return f.generation
	}
	a, b := of(x, y), of(y, x)
	return a != 0 && b != 0 && a != b
}

// stripRemark cuts what stands in brackets behind a name: 缪旭坤（收）.
func stripRemark(s string) string {
	if i := strings.IndexFunc(s, opensRemark); i > 0 {
		return s[:i]
	}
	return s
}

func opensRemark(r rune) bool { return r == '(' || r == '（' }

// givenFirst brings "LIU, Kaiying" into the order of "Kaiying Liu"; the first n words are
// the family name. "Clifford, 1st Baron" stays, as what follows is no given name.
func givenFirst(words []string, n int) []string {
	if n <= 0 || n >= len(words) || hasDigit(words[n]) {
		return words
	}
	return append(append([]string{}, words[n:]...), words[:n]...)
}

// withoutTitles leaves out what isn't part of the name, unless nothing would be left.
func withoutTitles(words []string) []string {
	kept := make([]string, 0, len(words))
	for _, w := range words {
		if !titles[w] {
			kept = append(kept, w)
		}
	}
	if len(kept) == 0 {
		return words
	}
	return kept
}

var titles = wordsOf(`mr mister mrs ms miss mx madam madame mme monsieur frau herr senor senora dr doctor prof professor dott dottore
 capt captain col colonel lt sir dame lord lady rev reverend hon honourable honorable the esq phd md`)

// particles are short words within names that tell little.
var particles = wordsOf(`von van der den de del della di da do dos das du la le les el al bin ibn abu ben y e of and zu zum zur ter ten af av
 st sr ii iii iv 1st 2nd 3rd 4th 5th 6th 7th 8th 9th baron baronet viscount earl duke marquess count countess`)

func wordsOf(list string) map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(list) {
		m[w] = true
	}
	return m
}

func (c *person) weigh(w *word, bits float32) float32 {
	switch {
	case c.corpus.ready():
		return min(1.2, max(0.15, bits/10))
	case particles[w.text]:
		return 0.3
	}
	return 1
}

func (c *person) settle(f Form) {
	if p, ok := f.(*personForm); ok {
		p.bag.settle(c.corpus)
	}
}

func (c *person) Compare(a, b Form) Outcome {
	x, ok := a.(*personForm)
	y, too := b.(*personForm)
	if !ok || !too {
		return Outcome{}
	}
	return c.compare(x, y)
}

func (c *person) compare(x, y *personForm) Outcome {
	switch {
	case longer(x.key, y.key): // so that the order of arguments makes no difference
		return c.compare(y, x)
	case x.script != y.script:
		return Outcome{Mute: true}
	case x.han != nil && y.han != nil:
		return c.compareHan(x, y)
	case x.han != nil:
		return Outcome{Level: compareRomanised(x, y)}
	case y.han != nil:
		return Outcome{Level: compareRomanised(y, x)}
	}
	if anotherGeneration(x, y) {
		return Outcome{Level: personDifferent}
	}
	if x.key == y.key {
		return Outcome{Level: Exact, Bits: c.bitsOf(x)}
	}
	if len(x.bag.words) == 1 && len(y.bag.words) == 1 {
		return c.compareWord(x, y)
	}
	return c.compareWords(x, y)
}

// bitsOf is what a whole name tells.
func (c *person) bitsOf(f *personForm) float32 { return f.bag.bitsOf(c.corpus) }

func (c *person) compareWord(x, y *personForm) Outcome {
	level := knownLevel(nameLevel(x.key, y.key), &x.bag.words[0], &y.bag.words[0])
	bits := min(c.bitsOf(x), c.bitsOf(y)) * wordCredit[level]
	return Outcome{Level: level, Bits: bits}
}

// wordCredit is the share of a word's information that a likeness short of equality keeps.
var wordCredit = [8]float32{0, 0.05, 0.15, 0.2, 0.4, 0.7, 0.8, 1}

// nameLevel places two words of names.
func nameLevel(x, y string) uint8 {
	var p pairing
	p.set(x, y)
	short, long := byLength(x, y)
	n := min(p.m, p.n)
	e := p.edits()
	switch {
	case e == 0:
		return Exact
	case e == 1 && n == 4 && p.m == p.n && p.prefix == 0 && x[1:] == y[1:]: // Tang, Wang
		return personSimilar
	case e == 1 && n >= 4:
		return personTypo
	case n == 1 && p.prefix == 1:
		return personInitials
	case e == 1 && n >= 3:
		return personSimilar
	case e == 2 && n >= 6:
		return personNickname
	}
	s := p.jaroWinkler()
	switch {
	case s >= 0.92, n >= 4 && s >= 0.75 && skeleton(x) == skeleton(y), e == 2 && n >= 4 && s >= 0.85:
		return personSimilar
	case n >= 3 && strings.HasPrefix(long, short):
		return personInitials
	case s >= 0.85 && p.prefix > 0: // errors seldom meet the first letter
		return personInitials
	case s >= 0.78:
		return personPart
	case s >= 0.65:
		return personDistant
	}
	return personDifferent
}

// knownLevel corrects the level of two words by what is known of them as given names: two
// of the same family of nicknames are one person's. Two that are different names, as Lena and
// Lina, are less likely one mistyped; a woman's and a man's, as Paula and Paul, still less.
func knownLevel(level uint8, v, w *word) uint8 {
	switch known := v.nick != 0 && w.nick != 0; {
	case level == Exact:
		return level
	case samePetName(v, w):
		return max(level, personNickname)
	case anotherGender(v, w):
		return personDifferent
	case known && v.text[0] != w.text[0]:
		return min(level, personPart)
	case known && level >= personSimilar:
		return level - 1
	}
	return level
}

// compareWords compares names of more than one word.
func (c *person) compareWords(x, y *personForm) Outcome {
	o := align(&x.bag, &y.bag, c.corpus, c.weigh, alikeNames)
	if x.joined == y.joined {
		return Outcome{Level: personTypo, Bits: max(o.bits, min(c.bitsOf(x), c.bitsOf(y)))}
	}
	return Outcome{Level: personLevel(&o, x, y), Bits: o.bits}
}

func personLevel(o *overlap, x, y *personForm) uint8 {
	nx, ny := len(x.bag.words), len(y.bag.words)
	cosine, contained := o.cosine(), o.contained()
	switch {
	case cosine >= 0.999:
		return personTypo // in another order
	case cosine >= 0.93 && o.paired == nx && o.paired == ny:
		return personTypo
	case contained >= 0.97 && min(nx, ny) >= 2, cosine >= 0.915:
		return personNickname
	case contained >= 0.86 && min(nx, ny) >= 2 && o.same > 0, cosine >= 0.76 && o.same > 0, cosine >= 0.85:
		return personSimilar
	case contained >= 0.9, o.same > 0 && cosine >= 0.64 && o.paired == min(nx, ny), cosine >= 0.8 && o.same > 0:
		return personInitials
	case cosine >= 0.4 || o.same > 0 && cosine >= 0.3:
		return personPart
	case cosine >= 0.15:
		return personDistant
	}
	return personDifferent
}

// alikeNames is the likeness of two words of full names.
func alikeNames(v, w *word) float32 {
	level := uint8(personDifferent)
	if min(len(v.text), len(w.text)) == 1 || v.apart(w) <= 7 {
		level = nameLevel(v.text, w.text)
	}
	return nameLikeness[knownLevel(level, v, w)]
}

var nameLikeness = [8]float32{0, 0, 0, 0.7, 0.8, 0.85, 0.95, 1}

func (c *person) Tokens(f Form, emit func(uint64)) {
	if p, ok := f.(*personForm); ok {
		p.bag.emit(emit)
	}
}

func (c *person) Keys(f Form, want KeyKinds, emit func(Key)) {
	p, ok := f.(*personForm)
	if !ok {
		return
	}
	e := emitter{want, emit}
	e.text(KeyExact, p.key)
	if p.han != nil {
		hanPersonKeys(p.han, p.key, e)
		return
	}
	for i := range p.bag.words {
		w := p.bag.words[i].text
		if particles[w] {
			continue
		}
		e.text(KeyToken, w)
		e.sound(w)
		if n := len(w); n >= 3 && n <= 12 {
			e.deletions(w)
		}
		var room [3]int
		if ends := runeEnds(room[:0], w, len(room)); len(ends) == 3 && len(w) > ends[2] {
			e.text(KeyPart, w[:ends[2]])
		}
	}
	if len(p.bag.words) > 1 && len(p.bag.words) <= 4 {
		e.text(KeyPinyin, sortedLetters(p.bag.joined()))
		e.text(KeyInitials, initialsOf(p.bag.words))
	}
}

// initialsOf are the first letters of words, sorted, so that order doesn't matter.
func initialsOf(words []word) string {
	var b strings.Builder
	for i := range words {
		b.WriteString(firstRune(words[i].text))
	}
	return sortedLetters(b.String())
}
