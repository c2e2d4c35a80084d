package storage

import (
	"cmp"
	"slices"
)

// sort orders the run by key, and equal keys by row. It is a radix sort on 8 bytes of
// the keys after another (Kärkkäinen and Rantala 2009, "Engineering Radix Sort for
// Strings"): the first 8 are at hand, so most keys are read once or never.
// It reports whether anything had to be moved.
func (r *loadRun) sort() (moved bool) {
	s := runSorter{run: r}
	s.sort(r.items, len(r.prefix))
	return s.moved
}

type runSorter struct {
	run   *loadRun
	spare []loadItem
	moved bool
}

// sort orders items whose keys agree up to an offset and whose order holds the 8 bytes
// from there on.
func (s *runSorter) sort(items []loadItem, offset int) {
	s.byOrder(items)
	for start := 0; start < len(items); {
		end := start + 1
		for end < len(items) && items[end].order == items[start].order {
			end++
		}
		if end-start > 1 {
			s.refine(items[start:end], offset+8)
		}
		start = end
	}
}

// refine orders items whose keys agree, but for zeros at their ends, up to an offset.
func (s *runSorter) refine(items []loadItem, offset int) {
	longest, shortest := items[0].keyLen, items[0].keyLen
	for i := range items {
		longest, shortest = max(longest, items[i].keyLen), min(shortest, items[i].keyLen)
	}
	if int(longest) > offset {
		for i := range items {
			items[i].order = wordAt(s.run.key(items[i]), offset)
		}
		s.sort(items, offset)
		return
	}
	if longest != shortest { // the shorter is the beginning of the longer
		slices.SortStableFunc(items, func(a, b loadItem) int { return cmp.Compare(a.keyLen, b.keyLen) })
	}
	for i := 1; i < len(items); i++ {
		s.run.equal = s.run.equal || items[i].keyLen == items[i-1].keyLen
	}
}

// fewItems are sorted by comparing: counting the values of bytes would cost more.
const fewItems = 100

// byOrder sorts items by order, leaving those of equal order as they are.
func (s *runSorter) byOrder(items []loadItem) {
	var differ uint64
	sorted := true
	for i := 1; i < len(items); i++ {
		differ |= items[i].order ^ items[0].order
		sorted = sorted && items[i-1].order <= items[i].order
	}
	if sorted {
		return
	}
	s.moved = true
	if len(items) <= fewItems {
		slices.SortStableFunc(items, func(a, b loadItem) int { return cmp.Compare(a.order, b.order) })
		return
	}
	if len(s.spare) < len(items) { // at the first call, if ever
		s.spare = make([]loadItem, len(items))
	}
	from, to := items, s.spare[:len(items)]
	for shift := 0; shift < 64; shift += 8 {
		if byte(differ>>shift) != 0 {
			byByte(to, from, shift)
			from, to = to, from
		}
	}
	if &from[0] != &items[0] {
		copy(items, from)
	}
}

// byByte is a counting sort by one byte of the order.
func byByte(to, from []loadItem, shift int) {
	var next [256]uint32
	for i := range from {
		next[byte(from[i].order>>shift)]++
	}
	sum := uint32(0)
	for b, n := range next {
		next[b] = sum
		sum += n
	}
	for i := range from {
		b := byte(from[i].order >> shift)
		to[next[b]] = from[i]
		next[b]++
	}
}
