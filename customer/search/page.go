package search

import "slices"

// place is a document in the order of hits.
type place struct {
	key    uint64
	shard  int32 // of the search
	number uint32
}

func (p place) compare(o place) int {
	switch {
	case p.key < o.key:
		return -1
	case p.key > o.key:
		return 1
	}
	return 0
}

// page returns the hits of the tiers up to last behind the position where the last page
// ended, and where this one ends if more follow.
//
// In the stages of all words a tier has the documents that the terms found at its level
// and that the name confirms, and those of better tiers that the name puts there. Names
// are read for the documents of the page, and for all of the better tiers, of which a
// page is at the end: their number is that of the hits before it.
func (s *search) page(last int) (hits []Hit, next string) {
	first := 0
	if s.after != nil {
		first = s.after.tier
	}
	var end position
	for t := first; t <= last && t < len(s.ranks); t++ {
		after := uint64(0)
		if s.after != nil && t == s.after.tier {
			after = s.after.key
		}
		for _, p := range s.tier(t, after, s.limit-len(hits)+1) {
			if len(hits) == s.limit {
				return hits, end.String()
			}
			hits = append(hits, Hit{ID: keyID(p.key), Rank: s.ranks[t]})
			end = position{s.stage, t, p.key}
		}
	}
	return hits, ""
}

// verified reports whether the names of a tier's documents are looked at.
func (s *search) verified(t int) bool {
	return s.byLevel && level(t) > levelExact && level(t) < levelOther
}

// tier returns the first n documents of a tier behind a key.
func (s *search) tier(t int, after uint64, n int) []place {
	if !s.byLevel {
		return s.smallest(t, after, n)
	}
	var found []place
	for better := levelName; better < min(level(t), levelOther); better++ {
		s.walk(int(better), func(p place) {
			if p.key > after && s.sees(p.key) && s.grade(p, better) == level(t) {
				found = append(found, p)
			}
		})
	}
	confirmed := 0
	for from := after; confirmed < n; {
		best := s.smallest(t, from, n)
		for _, p := range best {
			if !s.verified(t) || s.grade(p, level(t)) == level(t) {
				found = append(found, p)
				confirmed++
			}
		}
		if len(best) < n {
			break
		}
		from = best[n-1].key
	}
	slices.SortFunc(found, place.compare)
	return found[:min(n, len(found))]
}

// smallest returns the first n documents of a tier behind a key, as the terms found them.
func (s *search) smallest(t int, after uint64, n int) []place {
	best := smallest{after: after, limit: n}
	s.walk(t, func(p place) {
		if best.wants(p.key) && s.sees(p.key) {
			best.add(p)
		}
	})
	return best.sorted()
}

// walk calls f with the documents of a tier, whether they are seen or not.
func (s *search) walk(t int, f func(place)) {
	mask := ^uint64(0)
	if s.plan.list {
		mask = 1<<idBits - 1 // a list is ordered by id alone
	}
	var batch [256]uint32
	for i, tiers := range s.tiers {
		if t >= len(tiers) || tiers[t] == nil {
			continue
		}
		keys := s.shards[i].keys()
		it := tiers[t].ManyIterator()
		for n := it.NextMany(batch[:]); n > 0; n = it.NextMany(batch[:]) {
			for _, number := range batch[:n] {
				f(place{keys[number] & mask, int32(i), number})
			}
		}
	}
}

func (s *search) sees(key uint64) bool {
	return !s.lazyScope || s.inScope(keyID(key))
}

// smallest keeps the places with the smallest keys that are greater than after, in a heap
// with the greatest on top.
type smallest struct {
	after uint64
	limit int
	heap  []place
}

func (h *smallest) wants(key uint64) bool {
	return key > h.after && (len(h.heap) < h.limit || key < h.heap[0].key)
}

func (h *smallest) add(p place) {
	if len(h.heap) < h.limit {
		h.heap = append(h.heap, p)
		for i := len(h.heap) - 1; i > 0 && h.heap[(i-1)/2].key < h.heap[i].key; i = (i - 1) / 2 {
			h.heap[i], h.heap[(i-1)/2] = h.heap[(i-1)/2], h.heap[i]
		}
		return
	}
	h.heap[0] = p
	for i := 0; ; {
		child := 2*i + 1
		if child >= len(h.heap) {
			return
		}
		if child+1 < len(h.heap) && h.heap[child+1].key > h.heap[child].key {
			child++
		}
		if h.heap[i].key >= h.heap[child].key {
			return
		}
		h.heap[i], h.heap[child] = h.heap[child], h.heap[i]
		i = child
	}
}

func (h *smallest) sorted() []place {
	slices.SortFunc(h.heap, place.compare)
	return h.heap
}
