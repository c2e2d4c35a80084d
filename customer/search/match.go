package search

import (
	"slices"
	"strings"

	"github.com/RoaringBitmap/roaring/v2"
)

// level is how well a document matches; it orders more finely than [Rank].
type level int

const (
	levelExact   level = iota // code, identifier, phone, e-mail address
	levelName                 // the name is the text
	levelHead                 // the name begins with the text
	levelSpelled              // the name begins with it in pinyin or initials
	levelInside               // the text is in the name
	levelOther                // alias, contact, address, part of a number, note
	levelSimilar              // the name has a similar word
	levels
)

var levelRanks = [levels]Rank{
	RankExact, RankName, RankPrefix, RankPrefix, RankContains, RankOther, RankSimilar,
}

// ranked holds for each level the documents that match at it or better.
type ranked [levels]*roaring.Bitmap

// matcher finds documents in a shard. It may leave out levels worse than upTo.
type matcher interface {
	match(s *shard, upTo level) ranked
	// follow and apart look at one name: see name.go and grade.go.
	follow(n *name, at int, then func(end int) bool) bool
	apart(d *graded) level
}

// tally collects documents by the level at which they match.
type tally [levels]*roaring.Bitmap

func (t *tally) add(l level, b *roaring.Bitmap) { t[l] = or(t[l], b) }

func (t *tally) ranked() ranked {
	r := ranked(*t)
	for l := 1; l < len(r); l++ {
		r[l] = or(r[l-1], r[l])
	}
	return r
}

// each combines two results level by level, and once where both have two levels alike.
func each(a, b *ranked, combine func(a, b *roaring.Bitmap) *roaring.Bitmap) ranked {
	var r ranked
	for l := range r {
		if l > 0 && a[l] == a[l-1] && b[l] == b[l-1] {
			r[l] = r[l-1]
		} else {
			r[l] = combine(a[l], b[l])
		}
	}
	return r
}

// every matches what each of its matchers matches, at the worst of their levels.
type every []matcher

func (m every) match(s *shard, upTo level) ranked {
	r := m[0].match(s, upTo)
	for _, next := range m[1:] {
		if r[levels-1] == nil {
			break
		}
		n := next.match(s, upTo)
		r = each(&r, &n, and)
	}
	return r
}

// unbroken is every for parts that are written without a sign between them.
type unbroken struct{ every }

// either matches what one of its matchers matches, at the best of their levels.
type either []matcher

func (m either) match(s *shard, upTo level) ranked {
	r := m[0].match(s, upTo)
	for _, next := range m[1:] {
		n := next.match(s, upTo)
		r = each(&r, &n, or)
	}
	return r
}

// wholeName raises to levelName the names that begin with the text and have its length.
type wholeName struct {
	matcher
	length string // one byte, as in the term
}

func (m wholeName) match(s *shard, upTo level) ranked {
	r := m.matcher.match(s, upTo)
	r[levelName] = or(r[levelName], and(r[levelHead], s.has(nameLength, m.length)))
	return r
}

// standing is where in the text a matcher's part stands.
type standing struct{ first bool }

// inside is the level of a part found anywhere in the name: the parts after the
// first one cannot stand at the head.
func (p standing) inside() level {
	if p.first {
		return levelInside
	}
	return levelHead
}

// hanRun matches a run of Han characters.
type hanRun struct {
	standing
	runes  []rune
	ends   []formEnd
	within []string // signs of the forms that all of it is a part of
}

// formEnd is a way to read the end of a run as that of a legal form: n elements of
// the name before it, and then one of the forms.
type formEnd struct {
	n     int
	signs []string
}

// formEnds returns the ways in which the end of run may be that of a form. Of each
// form, of returns what run would have of it.
func formEnds[T any](run []T, begins func(form *legalForm, tail []T) bool) []formEnd {
	var ends []formEnd
	forms := legalForms()
	for n := 1; n < len(run); n++ {
		end := formEnd{n: n}
		for i := range forms {
			if begins(&forms[i], run[n:]) {
				end.signs = append(end.signs, string(forms[i].sign))
			}
		}
		if len(end.signs) > 0 {
			ends = append(ends, end)
		}
	}
	return ends
}

// formsWith returns the signs of some forms: those that all of a run is a part of.
func formsWith(has func(form *legalForm) bool) (signs []string) {
	forms := legalForms()
	for i := range forms {
		if has(&forms[i]) {
			signs = append(signs, string(forms[i].sign))
		}
	}
	return signs
}

func newHanRun(runes []rune, first bool) hanRun {
	h := hanRun{standing: standing{first}, runes: runes}
	h.ends = formEnds(runes, func(f *legalForm, tail []rune) bool { return hasPrefix(f.runes, tail) })
	h.within = formsWith(func(f *legalForm) bool { return contains(f.runes, runes) })
	return h
}

func (m hanRun) match(s *shard, upTo level) ranked {
	var t tally
	name := s.grams(nameHan, m.runes)
	for _, end := range m.ends {
		name = or(name, m.before(s, end))
	}
	t.add(m.inside(), name)
	t.add(m.inside(), s.forms(m.within))
	if m.first {
		t.add(levelHead, and(name, s.has(nameHead, string(m.runes[:1]))))
	}
	if upTo >= levelOther && len(m.runes) > 1 {
		t.add(levelOther, s.grams(otherHan, m.runes))
	}
	return t.ranked()
}

// before matches the run as a name's end and a form.
func (m hanRun) before(s *shard, end formEnd) *roaring.Bitmap {
	var forms union
	last := string(m.runes[end.n-1])
	for _, sign := range end.signs {
		forms.add(s.has(nameHan, last+sign))
	}
	if end.n < 2 {
		return forms.bitmap()
	}
	return and(forms.bitmap(), s.grams(nameHan, m.runes[:end.n]))
}

// grams returns the documents that have each two neighbouring runes, or the one.
func (s *shard) grams(space byte, runes []rune) *roaring.Bitmap {
	if len(runes) == 1 {
		return s.begins(space, string(runes))
	}
	return s.windows(space, runes, 2)
}

// windows returns the documents that have a term for each n neighbouring runes.
func (s *shard) windows(space byte, runes []rune, n int) *roaring.Bitmap {
	var sets []*roaring.Bitmap
	for i := 0; i+n <= len(runes); i++ {
		set := s.has(space, string(runes[i:i+n]))
		if set == nil {
			return nil
		}
		sets = append(sets, set)
	}
	return intersect(sets)
}

// intersect begins with the smallest sets. None of them is nil.
func intersect(sets []*roaring.Bitmap) *roaring.Bitmap {
	if len(sets) == 0 {
		return nil
	}
	slices.SortFunc(sets, func(a, b *roaring.Bitmap) int { return size(a) - size(b) })
	result := sets[0]
	for _, set := range sets[1:] {
		if result = and(result, set); result == nil {
			return nil
		}
	}
	return result
}

// pair matches a word with the one Han character behind it, as in 113号 or A股: in
// addresses they are one term, in names two.
type pair struct {
	word, han matcher
	joined    string
}

func (m pair) match(s *shard, upTo level) ranked {
	r := every{m.word, m.han}.match(s, upTo)
	if upTo >= levelOther {
		var t tally
		t.add(levelOther, s.has(otherWord, m.joined))
		joined := t.ranked()
		r = each(&r, &joined, or)
	}
	return r
}

// wordRun matches a run of letters and digits.
type wordRun struct {
	standing
	runes   []rune
	text    string
	numeric bool
	similar []string // names' words to take for it
}

func (m *wordRun) match(s *shard, upTo level) ranked {
	var t tally
	head, inside := m.name(s)
	t.add(m.inside(), inside)
	if m.first {
		t.add(levelHead, head)
	}
	if upTo >= levelOther {
		t.add(levelOther, m.other(s))
	}
	if upTo >= levelSimilar {
		for _, word := range m.similar {
			t.add(levelSimilar, s.has(nameWord, word))
		}
	}
	return t.ranked()
}

// name returns the names that begin with the word and those that have it, or have
// it in a word.
func (m *wordRun) name(s *shard) (head, inside *roaring.Bitmap) {
	switch len(m.runes) {
	case 1:
		return s.begins(headGram, m.text), s.begins(wordGram, m.text)
	case 2:
		return s.has(headGram, m.text), or(s.has(wordGram, m.text), s.begins(nameGram, m.text))
	}
	inside = s.windows(nameGram, m.runes, 3)
	return and(inside, s.has(headGram, string(m.runes[:2]))), inside
}

// other looks among the words of other fields: a number as a whole, or with the
// character that counts it, and a word also by its beginning.
func (m *wordRun) other(s *shard) *roaring.Bitmap {
	switch {
	case m.numeric:
		number := append([]byte{otherWord}, m.text...)
		return or(s.postings(number), s.between(append(number, firstNotASCII), after(number)))
	case len(m.runes) == 1:
		return s.has(otherWord, m.text)
	}
	return s.begins(otherWord, m.text)
}

// firstNotASCII is the least byte that can follow where a Han character follows.
const firstNotASCII = 0x80

// spelled matches letters as pinyin.
type spelled struct {
	standing
	splits []split
}

// split is a way to read letters as syllables, and which ends may be that of a form.
type split struct {
	syllables []string
	whole     bool // the last syllable is one, not the beginning of one
	ends      []formEnd
	within    []string
}

func newSplit(row []string) split {
	s := split{syllables: row, whole: syllables().whole[row[len(row)-1]]}
	s.ends = formEnds(row, func(f *legalForm, tail []string) bool { return beginsSpelled(f.syllables, tail) })
	if s.whole || len(row) > 1 {
		s.within = formsWith(func(f *legalForm) bool {
			for i := range f.syllables {
				if beginsSpelled(f.syllables[i:], row) {
					return true
				}
			}
			return false
		})
	}
	return s
}

// beginsSpelled reports whether syllables begin with a row whose last may be unfinished.
func beginsSpelled(syllables, row []string) bool {
	last := len(row) - 1
	return len(row) <= len(syllables) && hasPrefix(syllables, row[:last]) && strings.HasPrefix(syllables[last], row[last])
}

func (m spelled) match(s *shard, upTo level) ranked {
	var t tally
	for i := range m.splits {
		p := &m.splits[i]
		inside := p.row(s, namePinyin)
		for _, end := range p.ends {
			inside = or(inside, p.before(s, end))
		}
		t.add(m.inside(), inside)
		t.add(m.inside(), s.forms(p.within))
		if m.first {
			t.add(levelSpelled, p.head(s, inside))
		}
		if upTo >= levelOther {
			t.add(levelOther, p.row(s, otherPinyin))
		}
	}
	return t.ranked()
}

// row returns the documents with the syllables in a row.
func (p *split) row(s *shard, space byte) *roaring.Bitmap {
	row, last := p.syllables, p.syllables[len(p.syllables)-1]
	if len(row) == 1 {
		if !p.whole {
			return nil // the beginning of hundreds of syllables; initials find more
		}
		return s.begins(space, last+"'")
	}
	end := s.begins(space, row[len(row)-2]+"'"+last)
	return s.chain(space, row[:len(row)-1], end)
}

// chain narrows found to the documents that have each two neighbours of row.
func (s *shard) chain(space byte, row []string, found *roaring.Bitmap) *roaring.Bitmap {
	for i := 0; i+1 < len(row) && found != nil; i++ {
		found = and(found, s.has(space, row[i]+"'"+row[i+1]))
	}
	return found
}

// before matches the row as a name's end and a form.
func (p *split) before(s *shard, end formEnd) *roaring.Bitmap {
	return s.chain(namePinyin, p.syllables[:end.n],
		and(s.has(namePinyin, p.syllables[end.n-1]+"'"), s.forms(end.signs)))
}

// forms returns the documents whose name ends in one of the forms.
func (s *shard) forms(signs []string) *roaring.Bitmap {
	var found union
	for _, sign := range signs {
		found.add(s.has(nameHan, sign))
	}
	return found.bitmap()
}

func (p *split) head(s *shard, inside *roaring.Bitmap) *roaring.Bitmap {
	if len(p.syllables) == 1 {
		return s.begins(headPinyin, p.syllables[0])
	}
	return and(inside, s.has(headPinyin, p.syllables[0]+"'"))
}

// initials matches letters as the first ones of a name's pinyin or words.
type initials struct {
	standing
	runes  []rune
	ends   []formEnd
	within []string
}

func newInitials(runes []rune, first bool) initials {
	m := initials{standing: standing{first}, runes: runes}
	m.ends = formEnds(runes, func(f *legalForm, tail []rune) bool { return hasPrefix(f.initials, tail) })
	if len(runes) > 1 {
		m.within = formsWith(func(f *legalForm) bool { return contains(f.initials, runes) })
	}
	return m
}

func (m initials) match(s *shard, upTo level) ranked {
	var t tally
	text := string(m.runes)
	t.add(m.inside(), s.forms(m.within))
	switch len(m.runes) {
	case 1:
		if m.first {
			t.add(levelSpelled, s.begins(headInitial, text))
		}
	case 2:
		t.add(m.inside(), s.begins(nameInitial, text))
		if m.first {
			t.add(levelSpelled, s.has(headInitial, text))
		}
		if upTo >= levelOther {
			t.add(levelOther, s.begins(otherInitial, text))
		}
	default:
		inside := s.windows(nameInitial, m.runes, 3)
		for _, end := range m.ends {
			inside = or(inside, m.before(s, end))
		}
		t.add(m.inside(), inside)
		if m.first {
			t.add(levelSpelled, and(inside, s.has(headInitial, string(m.runes[:2]))))
		}
		if upTo >= levelOther {
			t.add(levelOther, s.windows(otherInitial, m.runes, 3))
		}
	}
	return t.ranked()
}

// before matches the letters as those of a name's end and of a form.
func (m initials) before(s *shard, end formEnd) *roaring.Bitmap {
	if end.n < 2 {
		return nil
	}
	core := m.runes[:end.n]
	found := and(s.has(nameInitial, string(core[end.n-2:])), s.forms(end.signs))
	if len(core) > 2 {
		found = and(found, s.windows(nameInitial, core, 3))
	}
	return found
}

// number matches the digits of phone numbers.
type number struct{ readings []string } // national numbers that the digits may be

func (m number) match(s *shard, upTo level) ranked {
	var t tally
	for _, d := range m.readings {
		t.add(levelExact, s.wholePhone(d))
		if upTo >= levelOther {
			t.add(levelOther, s.phonePart(d))
		}
	}
	return t.ranked()
}

// wholePhone returns the documents with the number.
func (s *shard) wholePhone(d string) *roaring.Bitmap {
	head := s.has(phoneHead, string([]byte{byte(len(d)), d[0], d[1]}))
	var sets []*roaring.Bitmap
	for i := 0; head != nil && i+3 <= len(d); i += 2 {
		gram := d[i:min(i+4, len(d))]
		if len(gram) == 3 {
			gram += "$"
		}
		set := s.has(phoneDigits, gram)
		if set == nil {
			return nil
		}
		sets = append(sets, set)
	}
	return and(head, intersect(sets))
}

// phonePart returns the documents with a number that contains the digits: they
// begin at an even position of it, or else at an odd one, before which any digit stands.
func (s *shard) phonePart(d string) *roaring.Bitmap {
	var before union
	for c := byte('0'); c <= '9'; c++ {
		before.add(s.has(phoneDigits, string(c)+d[:3]))
	}
	odd := before.bitmap()
	if len(d) > 3 {
		odd = and(odd, s.evenDigits(d[1:]))
	}
	return or(s.evenDigits(d), odd)
}

// evenDigits returns the documents with digits from an even position of a number on.
func (s *shard) evenDigits(d string) *roaring.Bitmap {
	found := s.begins(phoneDigits, d[:min(4, len(d))])
	for i := 2; i+3 <= len(d) && found != nil; i += 2 {
		if i+3 == len(d) {
			found = and(found, s.begins(phoneDigits, d[i:]))
		} else {
			found = and(found, s.has(phoneDigits, d[i:i+4]))
		}
	}
	return found
}

// mail matches an e-mail address; either part may be empty.
type mail struct{ mailbox, domain string }

func (m mail) match(s *shard, upTo level) ranked {
	var t tally
	switch {
	case m.mailbox == "":
		t.add(levelOther, s.begins(mailDomain, m.domain))
	case m.domain == "":
		t.add(levelOther, s.has(mailbox, m.mailbox))
	default:
		owner := s.has(mailbox, m.mailbox)
		t.add(levelExact, and(owner, s.has(mailDomain, m.domain)))
		if upTo >= levelOther && owner != nil {
			t.add(levelOther, and(owner, s.begins(mailDomain, m.domain)))
		}
	}
	return t.ranked()
}

// address matches a part of an e-mail address, or a website's, by its beginning.
type address struct{ text string }

func (m address) match(s *shard, upTo level) ranked {
	var t tally
	if upTo >= levelOther {
		t.add(levelOther, or(s.begins(mailbox, m.text), s.begins(mailDomain, m.text)))
	}
	return t.ranked()
}

// keyed matches codes and identifiers.
type keyed struct{ folded, hash string }

func (m keyed) match(s *shard, _ level) ranked {
	var t tally
	t.add(levelExact, or(s.has(exactCode, m.folded), s.has(exactKey, m.hash)))
	if len(m.folded) > 1 && strings.ContainsAny(m.folded, "0123456789") {
		t.add(levelHead, s.begins(exactCode, m.folded))
	}
	return t.ranked()
}
