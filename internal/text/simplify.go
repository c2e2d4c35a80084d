package text

import (
	_ "embed"
	"sync"
	"unicode/utf8"
)

// Simplify converts traditional Chinese characters to simplified ones and leaves all
// else as it is. It follows OpenCC's t2s: most characters by themselves (灣 → 湾), some
// by the word they stand in (乾燥 → 干燥, but 乾坤 stays). Compatibility
// ideographs become the unified ones.
//
// Simplify(Simplify(s)) == Simplify(s). It returns s itself, without allocating, where
// nothing changes.
func Simplify(s string) string {
	var out []byte
	done := 0 // s[:done] is in out
	for i, r := range s {
		if r < 0x2E80 {
			continue
		}
		v := foldValue(r)
		if v < firstTarget {
			continue
		}
		t := foldTarget(v)
		if t&targetPhrase != 0 {
			return simplifySlow(s)
		}
		if t>>targetClassShift&targetClass != keepHan || t&targetString != 0 {
			continue
		}
		if out == nil {
			out = make([]byte, 0, len(s))
		}
		out = append(out, s[done:i]...)
		out = utf8.AppendRune(out, rune(t&targetRune))
		done = i + utf8.RuneLen(r)
	}
	if done == 0 {
		return s
	}
	return string(append(out, s[done:]...))
}

// simplifySlow converts by phrases, until nothing changes.
func simplifySlow(s string) string {
	for range 8 {
		next := simplifyPhrases(s)
		if next == s {
			break
		}
		s = next
	}
	return s
}

func simplifyPhrases(s string) string {
	book := phrases()
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if key, value := book.at(s[i:], r); key != "" {
			out = append(out, value...)
			i += len(key)
			continue
		}
		if c := simpleRune(r); c != r {
			out = utf8.AppendRune(out, c)
		} else {
			out = append(out, s[i:i+n]...)
		}
		i += n
	}
	return string(out)
}

// simpleRune is r simplified on its own.
func simpleRune(r rune) rune {
	v := foldValue(r)
	if r < 0x2E80 || v < firstTarget {
		return r
	}
	t := foldTarget(v)
	if t>>targetClassShift&targetClass != keepHan || t&targetString != 0 {
		return r
	}
	return rune(t & targetRune)
}

//go:embed data/opencc-phrases.txt
var phraseText string

// phraseBook are OpenCC's phrases by their first rune, the longest first, and a bit for
// each rune of the basic plane that one starts with: most don't, and a look-up in the map
// costs more than all the rest.
type phraseBook struct {
	byFirst map[rune][][2]string
	first   [1 << 16 / 64]uint64
}

var phrases = sync.OnceValue(func() *phraseBook {
	list := listPairs(phraseText)
	known := map[string]bool{}
	for _, p := range list {
		known[p[0]] = true
	}
	// What has been converted must stay as it is when it comes by again.
	for _, p := range list {
		if !known[p[1]] {
			known[p[1]] = true
			list = append(list, [2]string{p[1], p[1]})
		}
	}
	b := &phraseBook{byFirst: byFirstRune(list)}
	for r := range b.byFirst {
		b.first[uint16(r)/64] |= 1 << (r % 64)
	}
	return b
})

// at returns the longest phrase that s, which starts with r, begins with, and what it
// becomes.
func (b *phraseBook) at(s string, r rune) (key, value string) {
	if b.first[uint16(r)/64]>>(r%64)&1 == 0 {
		return "", ""
	}
	return pairAt(b.byFirst[r], s)
}
