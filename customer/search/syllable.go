package search

import (
	"strings"
	"sync"

	"github.com/clientele-go/clientele/internal/text"
)

const (
	maxSplits        = 8  // readings of one word as pinyin
	maxPinyinLetters = 72 // 12 of the longest syllables
)

// syllableSet holds the syllables of all characters and what they begin with.
type syllableSet struct{ whole, begin map[string]bool }

var syllables = sync.OnceValue(func() *syllableSet {
	set := &syllableSet{whole: map[string]bool{}, begin: map[string]bool{}}
	for r := rune(0x4E00); r <= 0x9FFF; r++ {
		for _, s := range text.Readings(r) {
			if set.whole[s] {
				continue
			}
			set.whole[s] = true
			for n := 1; n < len(s); n++ {
				set.begin[s[:n]] = true
			}
		}
	}
	return set
})

// splitPinyin returns the ways to read letters as a row of syllables, those with
// long syllables first. Unless whole is set, the last syllable may be the
// beginning of one.
func splitPinyin(letters string, whole bool) [][]string {
	if len(letters) > maxPinyinLetters || strings.Trim(letters, "abcdefghijklmnopqrstuvwxyz") != "" {
		return nil
	}
	s := splitter{set: syllables(), letters: letters, whole: whole, dead: make([]bool, len(letters)+1)}
	s.from(0, nil)
	return s.found
}

type splitter struct {
	set     *syllableSet
	letters string
	whole   bool
	found   [][]string
	dead    []bool // no way leads from here to the end
}

const longestSyllable = 6 // zhuang

func (s *splitter) from(at int, before []string) {
	rest := s.letters[at:]
	if rest == "" {
		s.found = append(s.found, append([]string(nil), before...))
		return
	}
	if s.dead[at] || len(s.found) >= maxSplits {
		return
	}
	had := len(s.found)
	for n := min(longestSyllable, len(rest)); n > 0; n-- {
		part := rest[:n]
		if s.set.whole[part] || n == len(rest) && !s.whole && s.set.begin[part] {
			s.from(at+n, append(before, part))
		}
	}
	s.dead[at] = len(s.found) == had
}
