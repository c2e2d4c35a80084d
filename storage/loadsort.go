package storage

import (
	"cmp"
	"math/bits"
	"slices"
)

// sort orders the run by key, and equal keys by row. It is a radix sort on 8 bytes of
// the keys after another (Kärkkäinen and Rantala 2009, "Engineering Radix Sort for
// Strings"): the first 8 are at hand, so most keys are read once or never.
// It reports whether items had to be moved out of the order of chunks.
func (r *loadRun) sort() (moved bool) {
	s := runSorter{run: r}
	if !r.byChunk() {
		s.sort(r.items, len(r.prefix))
		return s.moved
	}
	for from := 0; from < len(r.items); {
		to := r.chunkEnd(from)
		s.sort(r.items[from:to], len(r.prefix))
		from = to
	}
	return false
}

// byChunk reports whether the items of each chunk come behind those of the chunks before, as
// they do in an index by a number that ascends with the rows. Each is then sorted by itself,
// within the processor's cache.
func (r *loadRun) byChunk() bool {
	before, most := uint64(0), uint64(0) // the largest order of the chunks before; of this one too
	for i := range r.items {
		item := &r.items[i]
		if i > 0 && item.chunk != r.items[i-1].chunk {
			before = most
		}
		if item.order <= before && item.chunk != r.items[0].chunk {
			return false
		}
		most = max(most, item.order)
	}
	return true
}

// chunkEnd is the end of the items of one chunk, given its first.
func (r *loadRun) chunkEnd(from int) int {
	to := from + 1
	for to < len(r.items) && r.items[to].chunk == r.items[from].chunk {
		to++
	}
	return to
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
	digit := 8
	if len(items) >= manyItems {
		digit = maxDigit
	}
	for left, shift := squeeze(items, differ), 0; shift < left; shift += digit {
		byDigit(to, from, shift, digit)
		from, to = to, from
	}
	if &from[0] != &items[0] {
		copy(items, from)
	}
}

// squeeze takes out of the orders the bits in which they don't differ, which tell nothing:
// half of those of a number in decimal digits, for instance. It returns how many are left.
func squeeze(items []loadItem, differ uint64) (left int) {
	var fields []bitField
	for differ != 0 {
		low := bits.TrailingZeros64(differ)
		width := bits.TrailingZeros64(^(differ >> low))
		mask := (uint64(1)<<width - 1) << low
		fields = append(fields, bitField{mask, low - left})
		differ &^= mask
		left += width
	}
	for i := range items {
		order := uint64(0)
		for _, f := range fields {
			order |= items[i].order & f.mask >> f.down
		}
		items[i].order = order
	}
	return left
}

// bitField is neighbouring bits, and by how many places they move down.
type bitField struct {
	mask uint64
	down int
}

// Of manyItems as many bits are taken at a time as there are counts in the first cache;
// fewer would not make up for clearing these.
const (
	maxDigit  = 11
	manyItems = 4096
)

// byDigit is a counting sort by some bits of the order.
func byDigit(to, from []loadItem, shift, digit int) {
	var counts [1 << maxDigit]uint32
	next, mask := counts[:1<<digit], uint64(1)<<digit-1
	for i := range from {
		next[from[i].order>>shift&mask]++
	}
	sum := uint32(0)
	for b, n := range next {
		next[b] = sum
		sum += n
	}
	for i := range from {
		b := from[i].order >> shift & mask
		to[next[b]] = from[i]
		next[b]++
	}
}
