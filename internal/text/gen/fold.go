package main

import (
	"encoding/binary"
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// The values of the fold trie; package text has the same list. A value from
// firstTarget on is an index into the targets.
const (
	keepOther   = iota // stays; marks on it stay too
	keepHan            // stays; no space beside it
	keepLatin          // stays; marks on it go: Latin, Greek, ASCII digits
	separator          // becomes at most one space
	drop               // leaves nothing
	mark               // stays only on keepOther; composes with its neighbours
	jamo               // stays; composes with its neighbours
	firstTarget = 16
)

// A target is a rune and its class, or where in the strings its runes stand.
const (
	targetClassShift = 21      // keepOther, keepHan or keepLatin
	targetPhrase     = 1 << 24 // a Simplify phrase may decide otherwise
	targetString     = 1 << 25 // low 21 bits: offset << 6 | length in bytes
	targetSlow       = 1 << 26 // folds to runes that compose with their neighbours
)

// foldLimit is one more than the highest rune in the trie: the last CJK extension
// in the planes of ideographs ends there.
const foldLimit = 0x32400

// latin are the letters that Unicode doesn't decompose although their stroke or
// hook is left out, or written as two letters, where it can't be typed
// (CLDR Latin-ASCII). Cyrillic ё stands here as Russian texts use е for it.
var latin = map[rune]string{
	'æ': "ae", 'œ': "oe", 'ø': "o", 'đ': "d", 'ð': "d", 'ħ': "h", 'ı': "i", 'ĸ': "q",
	'ł': "l", 'ŋ': "n", 'ŧ': "t", 'þ': "th", 'ƀ': "b", 'ɓ': "b", 'ƈ': "c", 'ɖ': "d",
	'ɗ': "d", 'ə': "e", 'ǝ': "e", 'ɛ': "e", 'ƒ': "f", 'ɠ': "g", 'ǥ': "g", 'ɨ': "i", 'ƙ': "k",
	'ƚ': "l", 'ɲ': "n", 'ɔ': "o", 'ɵ': "o", 'ƥ': "p", 'ɽ': "r", 'ʈ': "t", 'ƭ': "t",
	'ʉ': "u", 'ʋ': "v", 'ɏ': "y", 'ƴ': "y", 'ƶ': "z", 'ȥ': "z", 'ё': "е",
}

// dropped are the signs inside a word that people leave out as often as not.
const dropped = "'’‘ʼʻʹʾʿ′`"

// signs that compatibility normalisation would turn into letters.
const signs = "™℠"

type folder struct {
	han   map[rune]rune
	caser cases.Caser
}

func newFolder(chars []pair) *folder {
	f := &folder{han: map[rune]rune{}, caser: cases.Fold()}
	for _, p := range chars {
		f.han[[]rune(p.key)[0]] = []rune(p.value)[0]
	}
	for k, v := range f.han {
		for next, ok := f.han[v]; ok; next, ok = f.han[v] {
			v = next
		}
		f.han[k] = v
	}
	return f
}

// simple is what r becomes in Simplify.
func (f *folder) simple(r rune) rune {
	if unicode.Is(unicode.Han, r) {
		r = []rune(norm.NFKC.String(string(r)))[0]
	}
	if s, ok := f.han[r]; ok {
		return s
	}
	return r
}

// fold is what r becomes on its own, with ' ' for separators.
func (f *folder) fold(r rune) string {
	if strings.ContainsRune(signs, r) {
		return " "
	}
	old, s := "", string(r)
	for s != old {
		old = s
		var b strings.Builder
		for _, r := range norm.NFKC.String(f.foldCase(norm.NFKC.String(s))) {
			b.WriteString(f.step(r))
		}
		s = norm.NFKC.String(b.String())
	}
	return s
}

// foldCase is Unicode's full case folding. Cherokee folds to capitals, and x/text
// turns those back, so it is left to package unicode.
func (f *folder) foldCase(s string) string {
	var b strings.Builder
	for _, r := range s {
		if unicode.Is(unicode.Cherokee, r) {
			b.WriteRune(unicode.ToUpper(r))
		} else {
			b.WriteString(f.caser.String(string(r)))
		}
	}
	return b.String()
}

// step folds a rune that NFKC and case folding leave alone.
func (f *folder) step(r rune) string {
	switch {
	case strings.ContainsRune(dropped, r) || ignorable(r):
		return ""
	case latin[r] != "":
		return latin[r]
	case unicode.Is(unicode.Han, r) && unicode.IsLetter(r) || r == '々':
		return string(f.simple(r))
	case unicode.In(r, unicode.Latin, unicode.Greek) && unicode.IsLetter(r):
		return base(r)
	case unicode.Is(unicode.Nd, r):
		return string('0' + digit(r))
	case unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.Co, unicode.Cn):
		return string(r)
	}
	return " "
}

// base is r without its marks.
func base(r rune) string {
	var b strings.Builder
	for _, d := range norm.NFKD.String(string(r)) {
		if !unicode.Is(unicode.M, d) {
			b.WriteRune(d)
		}
	}
	return b.String()
}

// digit is the value of a decimal digit: Unicode assigns ten in a row from zero on.
func digit(r rune) rune {
	for _, t := range unicode.Nd.R16 {
		if rune(t.Lo) <= r && r <= rune(t.Hi) {
			return (r - rune(t.Lo)) % 10
		}
	}
	for _, t := range unicode.Nd.R32 {
		if rune(t.Lo) <= r && r <= rune(t.Hi) {
			return (r - rune(t.Lo)) % 10
		}
	}
	return 0
}

// ignorable tells the runes that NFKC_Casefold removes: format characters,
// variation selectors and fillers (Default_Ignorable_Code_Point).
func ignorable(r rune) bool {
	return unicode.In(r, unicode.Cf, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point)
}

// class says how a rune that folds to itself is treated.
func class(r rune) uint16 {
	switch {
	case r == ' ':
		return separator
	case unicode.Is(unicode.M, r):
		return mark
	case !norm.NFKC.PropertiesString(string(r)).BoundaryBefore():
		return jamo
	case unicode.Is(unicode.Han, r) || inIdeographBlock(r):
		return keepHan
	case unicode.In(r, unicode.Latin, unicode.Greek) && unicode.IsLetter(r) || '0' <= r && r <= '9':
		return keepLatin
	}
	return keepOther
}

// inIdeographBlock tells the runes that are ideographs, or will be in a later version of
// Unicode.
func inIdeographBlock(r rune) bool {
	return r >= 0x3400 && r <= 0x4DBF || r >= 0x4E00 && r <= 0x9FFF || r >= 0xF900 && r <= 0xFAFF || r >= 0x20000 && r <= 0x323AF
}

// table lays out fold.bin: index, blocks, targets, strings.
func (f *folder) table(phrases []pair) []byte {
	t := &targets{pivots: f.pivots(phrases), index: map[uint32]uint16{}}
	trie := newTrie(foldLimit, func(r rune) uint16 { return t.value(r, f.fold(r)) })
	var words []byte
	for _, w := range t.list {
		words = binary.LittleEndian.AppendUint32(words, w)
	}
	out := appendSection(nil, append16(nil, trie.index...))
	out = appendSection(out, append16(nil, trie.blocks...))
	out = appendSection(out, words)
	return appendSection(out, []byte(t.strings))
}

// pivots are the runes whose conversion depends on the phrase around them, and
// those that convert to one.
func (f *folder) pivots(phrases []pair) map[rune]bool {
	p := map[rune]bool{}
	for _, ph := range phrases {
		to := []rune(ph.value)
		for i, r := range []rune(ph.key) {
			if f.simple(r) != to[i] {
				p[r] = true
			}
		}
	}
	for from, to := range f.han {
		if p[to] {
			p[from] = true
		}
	}
	return p
}

type targets struct {
	pivots  map[rune]bool
	list    []uint32
	index   map[uint32]uint16
	strings string
}

// value is the trie's value for a rune that folds to s.
func (t *targets) value(r rune, s string) uint16 {
	switch {
	case s == "":
		return drop
	case strings.Trim(s, " ") == "":
		return separator
	case t.pivots[r]:
		return t.add(uint32([]rune(s)[0]) | keepHan<<targetClassShift | targetPhrase)
	case s == string(r):
		return class(r)
	}
	runes := []rune(s)
	slow := uint32(0)
	for _, r := range runes {
		if c := class(r); c == mark || c == jamo {
			slow = targetSlow
		}
	}
	if len(runes) == 1 && slow == 0 {
		return t.add(uint32(runes[0]) | uint32(class(runes[0]))<<targetClassShift)
	}
	at := strings.Index(t.strings, s)
	if at < 0 {
		at = len(t.strings)
		t.strings += s
	}
	return t.add(uint32(at)<<6 | uint32(len(s)) | targetString | slow)
}

func (t *targets) add(target uint32) uint16 {
	n, ok := t.index[target]
	if !ok {
		n = uint16(firstTarget + len(t.list))
		t.index[target] = n
		t.list = append(t.list, target)
	}
	return n
}
