package search

import (
	"encoding/binary"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/clientele-go/clientele/internal/text"
)

// A document stores its version and, after it, its name: folded, with a space between
// words and with the sign of its legal form. The terms of a name say which pairs of
// characters it has, not where; the name itself tells apart what begins with a text,
// what contains it, and what has its pieces somewhere.

func appendStored(dst []byte, version uint64, name []byte) []byte {
	return append(binary.AppendUvarint(dst, version), name...)
}

// keepName sets the name to store to the text scanned last.
func (a *analyser) keepName() {
	for i, r := range a.runs {
		if i > 0 && a.runs[i-1].han == r.han {
			a.stored = append(a.stored, ' ')
		}
		for _, c := range a.runes[r.start:r.end] {
			a.stored = utf8.AppendRune(a.stored, c)
		}
	}
}

// name is a customer's name as texts are compared with it.
type name struct {
	letters []nameLetter
	mixed   bool // it has Han characters, so that each letter of a word is an initial
	spelled bool // pinyin and initials count, too
	steps   int  // left to take
}

// nameLetter is a Han character or one of a word, which the first of a word opens.
type nameLetter struct {
	r          rune
	han, opens bool
}

// maxSteps bounds the ways in which the words of a text are put side by side: those
// with many readings as pinyin have more than are worth a closer rank.
const maxSteps = 10_000

// read sets n to a stored name.
func (n *name) read(stored []byte) {
	n.letters, n.mixed, n.steps = n.letters[:0], false, maxSteps
	opens := true
	for i := 0; i < len(stored); {
		r, size := utf8.DecodeRune(stored[i:])
		i += size
		switch {
		case r == ' ':
			opens = true
			continue
		case isForm(r):
			for _, c := range legalForms()[r-firstForm].runes {
				n.letters = append(n.letters, nameLetter{c, true, true})
			}
			continue
		}
		han := text.Han(r)
		n.mixed = n.mixed || han
		n.letters = append(n.letters, nameLetter{r, han, opens || han})
		opens = han
	}
}

// begins reports whether a part stands at the head of the name, or is the whole of it.
func (n *name) begins(m matcher, whole bool) bool {
	return m.follow(n, 0, func(end int) bool { return !whole || end == len(n.letters) })
}

// has reports whether a part stands anywhere in the name, spelled or not.
func (n *name) has(m matcher) bool {
	n.spelled = true
	for at := range n.letters {
		if m.follow(n, at, func(int) bool { return true }) {
			return true
		}
	}
	return false
}

// step reports whether another one may be taken.
func (n *name) step() bool {
	n.steps--
	return n.steps >= 0
}

// spell returns where letters end that sound like the syllables from at on, 0 for
// nowhere. The last syllable may be the beginning of one.
func (n *name) spell(at int, syllables []string) int {
	if at+len(syllables) > len(n.letters) {
		return 0
	}
	for i, syllable := range syllables {
		last := i+1 == len(syllables)
		letter := n.letters[at+i]
		if !letter.han || !slices.ContainsFunc(readings(letter.r), func(s string) bool {
			return s == syllable || last && strings.HasPrefix(s, syllable)
		}) {
			return 0
		}
	}
	return at + len(syllables)
}

// initials returns where letters end that have the initials from at on, 0 for
// nowhere: a name without Han characters has one for each word.
func (n *name) initials(at int, initials []rune) int {
	for i := 0; i < len(initials); at++ {
		if at == len(n.letters) {
			return 0
		}
		letter := n.letters[at]
		switch {
		case letter.han:
			sounds := readings(letter.r)
			if len(sounds) == 0 {
				continue
			}
			if !slices.ContainsFunc(sounds, func(s string) bool { return rune(s[0]) == initials[i] }) {
				return 0
			}
		case letter.r != initials[i] || !n.mixed && !letter.opens:
			return 0
		case !n.mixed:
			for at+1 < len(n.letters) && !n.letters[at+1].opens {
				at++
			}
		}
		i++
	}
	return at
}

// runes reports whether runes stand at a place of the name.
func (n *name) runes(at int, runes []rune) bool {
	if at+len(runes) > len(n.letters) {
		return false
	}
	for i, r := range runes {
		if n.letters[at+i].r != r {
			return false
		}
	}
	return true
}

// The matchers of names call then with the places where a part that stands at a place
// ends, until it returns true, and report whether it did. Others are in no name.

func (m every) follow(n *name, at int, then func(end int) bool) bool {
	if len(m) == 0 {
		return then(at)
	}
	return m[0].follow(n, at, func(end int) bool { return m[1:].follow(n, end, then) })
}

func (m either) follow(n *name, at int, then func(end int) bool) bool {
	return slices.ContainsFunc(m, func(way matcher) bool { return way.follow(n, at, then) })
}

func (m pair) follow(n *name, at int, then func(end int) bool) bool {
	return every{m.word, m.han}.follow(n, at, then)
}

func (m hanRun) follow(n *name, at int, then func(end int) bool) bool {
	return n.runes(at, m.runes) && n.step() && then(at+len(m.runes))
}

func (m *wordRun) follow(n *name, at int, then func(end int) bool) bool {
	return n.runes(at, m.runes) && n.step() && then(at+len(m.runes))
}

func (m spelled) follow(n *name, at int, then func(end int) bool) bool {
	return n.spelled && slices.ContainsFunc(m.splits, func(p split) bool {
		end := n.spell(at, p.syllables)
		return end > 0 && n.step() && then(end)
	})
}

func (m initials) follow(n *name, at int, then func(end int) bool) bool {
	if !n.spelled {
		return false
	}
	end := n.initials(at, m.runes)
	return end > 0 && n.step() && then(end)
}

func (keyed) follow(*name, int, func(int) bool) bool   { return false }
func (number) follow(*name, int, func(int) bool) bool  { return false }
func (mail) follow(*name, int, func(int) bool) bool    { return false }
func (address) follow(*name, int, func(int) bool) bool { return false }
