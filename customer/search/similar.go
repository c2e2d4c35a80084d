package search

import (
	"slices"
	"unicode/utf8"

	"github.com/RoaringBitmap/roaring/v2"
)

const (
	oneErrorFrom  = 4  // letters of a word from which one may be wrong
	twoErrorsFrom = 8  // and two
	maxSimilar    = 50 // words that one may stand for
)

// findSimilar looks up the words of names that may be meant by those of the text,
// and reports whether there are any. It looks over all shards, so that each sees the same.
func (s *search) findSimilar() bool {
	any := false
	for _, w := range s.plan.words {
		if w.similar == nil {
			w.similar = s.view.similar(w.text)
		}
		any = any || len(w.similar) > 0
	}
	return any
}

// similar returns words of names at a small edit distance from word, exchanged
// neighbours counting as one, the nearer ones first.
func (v *view) similar(word string) []string {
	letters := utf8.RuneCountInString(word)
	found := []string{}
	if letters >= oneErrorFrom {
		found = v.near(found, word, 1)
	}
	if letters >= twoErrorsFrom {
		found = v.near(found, word, 2)
	}
	return found
}

// near appends the words at the distance or less that aren't in found.
func (v *view) near(found []string, word string, distance int) []string {
	space := string(rune(nameWord))
	words, err := v.snapshot.FieldDictFuzzy(field, space+word, distance, space)
	if err != nil {
		panic(damage{err})
	}
	defer words.Close()
	for len(found) < maxSimilar {
		entry, err := words.Next()
		if err != nil {
			panic(damage{err})
		}
		if entry == nil {
			break
		}
		if w := entry.Term[1:]; w != word && !slices.Contains(found, w) {
			found = append(found, w)
		}
	}
	return found
}

const maxAtoms = 24 // parts of a text that a partial match looks at

// partial returns the documents that match at least half of the text's parts, those
// with more parts first.
func (s *search) partial(shard *shard) []*roaring.Bitmap {
	atoms := s.plan.atoms[:min(maxAtoms, len(s.plan.atoms))]
	need := max((len(atoms)+1)/2, min(2, len(atoms)-1))
	least := make([]*roaring.Bitmap, len(atoms)+1) // least[n] matches n of the atoms or more
	for i, atom := range atoms {
		matched := atom.match(shard, levels-1)[levels-1]
		for n := i + 1; n > 1; n-- {
			least[n] = or(least[n], and(least[n-1], matched))
		}
		least[1] = or(least[1], matched)
	}
	narrowed := s.narrow(shard, least[need])
	s.ranks = nil
	var tiers []*roaring.Bitmap
	var better *roaring.Bitmap
	for n := len(atoms); n >= need; n-- {
		reached := and(least[n], narrowed)
		tiers = append(tiers, without(reached, better))
		better = reached
		s.ranks = append(s.ranks, RankPartial)
	}
	return tiers
}
