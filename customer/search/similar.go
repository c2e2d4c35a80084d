package search

import (
	"maps"
	"slices"
	"sync"
	"unicode/utf8"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/blevesearch/vellum/levenshtein"
)

const (
	oneErrorFrom  = 4  // letters of a word from which one may be wrong
	twoErrorsFrom = 8  // and two
	maxSimilar    = 50 // words that one may stand for
)

// findSimilar looks up the words of names that may be meant by those of the text,
// and reports whether there are any. It looks over all shards, so that each sees the same.
func (s *search) findSimilar() bool {
	found := false
	for _, w := range s.plan.words {
		if w.similar == nil {
			w.similar = s.similar(w.text)
		}
		found = found || len(w.similar) > 0
	}
	return found
}

// similar returns words of names at a small edit distance from word, exchanged
// neighbours counting as one, the nearer ones first.
func (s *search) similar(word string) []string {
	letters := utf8.RuneCountInString(word)
	found := []string{}
	if letters >= oneErrorFrom {
		found = s.near(found, word, 1)
	}
	if letters >= twoErrorsFrom {
		found = s.near(found, word, 2)
	}
	return found
}

// near appends the words at the distance or less that aren't in found. Bleve's own
// look-up over all segments would do it in goroutines, in which damage panics.
func (s *search) near(found []string, word string, distance uint8) []string {
	space := string(rune(nameWord))
	builders, err := editAutomata()
	if err != nil {
		return found // only for greater distances
	}
	automaton, err := builders[distance-1].BuildDfa(space+word, distance)
	if err != nil {
		return found // a word too long for the automaton
	}
	words := map[string]bool{}
	for _, shard := range s.shards {
		it := shard.dictionary.AutomatonIterator(automaton, []byte{nameWord}, []byte{nameWord + 1})
		for n := 0; n < maxSimilar; n++ {
			entry, err := it.Next()
			if err != nil {
				panic(damage{err})
			}
			if entry == nil {
				break
			}
			words[entry.Term[1:]] = true
		}
	}
	for _, w := range slices.Sorted(maps.Keys(words)) {
		if w != word && !slices.Contains(found, w) && len(found) < maxSimilar {
			found = append(found, w)
		}
	}
	return found
}

// editAutomata makes automata for one error and for two; making these takes milliseconds.
var editAutomata = sync.OnceValues(func() (builders [2]*levenshtein.LevenshteinAutomatonBuilder, err error) {
	for i := range builders {
		if builders[i], err = levenshtein.NewLevenshteinAutomatonBuilder(uint8(i+1), true); err != nil {
			return builders, err
		}
	}
	return builders, nil
})

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
