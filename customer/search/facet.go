package search

import (
	"cmp"
	"slices"
	"strings"

	"github.com/RoaringBitmap/roaring/v2"
)

// maxFacetValues bounds the values of a facet that are counted.
const maxFacetValues = 10_000

// facets counts the values of the fields asked for, over all documents found: one
// intersection of bitmaps for each value and shard. That needs nothing in the
// index but the filter's terms, and our fields have few values.
func (s *search) facets() map[Field][]FacetCount {
	if len(s.query.Facets) == 0 {
		return nil
	}
	found := s.found()
	facets := map[Field][]FacetCount{}
	for _, f := range s.query.Facets {
		counts := map[string]int{}
		for i, shard := range s.shards {
			if found[i] != nil {
				shard.count(s.facetPrefixes[f], found[i], counts)
			}
		}
		facets[f] = sortedCounts(counts)
	}
	return facets
}

// found returns for each shard all documents found.
func (s *search) found() []*roaring.Bitmap {
	found := make([]*roaring.Bitmap, len(s.tiers))
	for i, tiers := range s.tiers {
		var whole union
		for _, set := range tiers {
			whole.add(set)
		}
		found[i] = whole.bitmap()
	}
	return found
}

// count adds to counts how many documents of the set have each term with the prefix.
func (s *shard) count(prefix string, set *roaring.Bitmap, counts map[string]int) {
	rest := size(set)
	for term := range s.terms([]byte(prefix), after([]byte(prefix)), maxFacetValues) {
		holders := s.postings([]byte(term))
		if holders == nil {
			continue
		}
		if n := int(holders.AndCardinality(set)); n > 0 {
			counts[term[len(prefix):]] += n
			rest -= n
		}
	}
	if value, ok := usual[prefix[1]]; ok && rest > 0 {
		counts[value] += rest
	}
}

// sortedCounts returns the values by falling count.
func sortedCounts(counts map[string]int) []FacetCount {
	list := make([]FacetCount, 0, len(counts))
	for value, n := range counts {
		list = append(list, FacetCount{value, n})
	}
	slices.SortFunc(list, func(a, b FacetCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.Value, b.Value))
	})
	return list
}

// facetPrefixes returns the beginnings of the terms that each facet counts.
func (o *Options) facetPrefixes(q *Query) (map[Field]string, error) {
	prefixes := map[Field]string{}
	for _, f := range q.Facets {
		letter, attribute, err := o.letter(f, "Facets")
		if err != nil {
			return nil, err
		}
		prefixes[f] = string([]byte{filterTerm, letter})
		if attribute != "" {
			prefixes[f] += attribute + "\x00"
		}
	}
	return prefixes, nil
}
