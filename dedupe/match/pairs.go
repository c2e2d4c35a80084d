package match

import (
	"container/heap"
	"context"
	"slices"
)

// pair is two rows, the smaller first.
type pair struct{ a, b uint32 }

func (p pair) packed() uint64 { return uint64(p.a)<<32 | uint64(p.b) }

func unpacked(x uint64) pair { return pair{uint32(x >> 32), uint32(x)} }

// pairList is pairs in ascending order, none twice: in memory, or where they don't fit, in
// a file.
type pairList struct {
	memory []pair
	file   *spilled // nil for pairs in memory
	count  int
}

// pairsAtOnce is how many pairs are handed out together.
const pairsAtOnce = 1 << 16

// each hands out the pairs in parts, all but the last of pairsAtOnce. A part is the list's.
func (l *pairList) each(ctx context.Context, f func(from int, part []pair) error) error {
	if l.file == nil {
		for from := 0; from < len(l.memory); from += pairsAtOnce {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := f(from, l.memory[from:min(from+pairsAtOnce, len(l.memory))]); err != nil {
				return err
			}
		}
		return nil
	}
	stored := l.file.read(piece{0, l.file.at}, spillBuffer)
	room := make([]pair, 0, pairsAtOnce)
	for from := 0; from < l.count; from += len(room) {
		room = room[:0]
		for len(room) < pairsAtOnce {
			x, ok := stored.next()
			if !ok {
				break
			}
			room = append(room, unpacked(x))
		}
		if stored.err != nil {
			return stored.err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := f(from, room); err != nil {
			return err
		}
	}
	return nil
}

// load reads the pairs into memory.
func (l *pairList) load(ctx context.Context) error {
	if l.file == nil {
		return nil
	}
	pairs := make([]pair, 0, l.count)
	err := l.each(ctx, func(_ int, part []pair) error {
		pairs = append(pairs, part...)
		return nil
	})
	l.memory, l.file = pairs, nil
	return err
}

// pairSorter is the pairs that one worker finds. Beyond its room it writes them away in
// sorted runs.
type pairSorter struct {
	pairs []uint64 // packed
	most  int
	file  spilled
	runs  []piece
}

// pairSorterBytes is what a pair takes while pairs are sorted: once as found, once in one
// list, once in the room for sorting, and once in the list that stays.
const pairSorterBytes = 32

// pairBytes is what a pair takes: between sources also what comparing says of it, and as much
// again for the pairs within them, which are kept at the same time.
func (t *table) pairBytes() int {
	if !t.link {
		return pairSorterBytes
	}
	return 2 * (pairSorterBytes + 2*len(t.layout.columns))
}

// full writes a run when there is no more room.
func (s *pairSorter) full() error {
	if len(s.pairs) < s.most {
		return nil
	}
	return s.flush()
}

func (s *pairSorter) flush() error {
	if len(s.pairs) == 0 {
		return nil
	}
	sortUint64(s.pairs)
	s.pairs = slices.Compact(s.pairs)
	run, err := s.file.piece(func(put func(uint64)) {
		for _, x := range s.pairs {
			put(x)
		}
	})
	s.runs, s.pairs = append(s.runs, run), s.pairs[:0]
	return err
}

// sortPairs puts together what the workers found.
func sortPairs(ctx context.Context, s *spill, rows int, by []*pairSorter) (*pairList, error) {
	if !slices.ContainsFunc(by, func(w *pairSorter) bool { return len(w.runs) > 0 }) {
		return sortInMemory(ctx, rows, by)
	}
	for _, w := range by {
		if err := w.flush(); err != nil {
			return nil, err
		}
		w.pairs = nil
	}
	return mergePairs(ctx, s, by)
}

// partsOfPairs is how many parts of the pairs each worker sorts: some, as the first rows have
// more of them.
const partsOfPairs = 4

// sortInMemory sorts pairs by ranges of their smaller rows, as many as found some at the same
// time.
func sortInMemory(ctx context.Context, rows int, by []*pairSorter) (*pairList, error) {
	parts := make([][]uint64, partsOfPairs*len(by))
	err := inTurn(ctx, len(by), len(parts), func(i int) {
		least, beyond := uint64(rows*i/len(parts))<<32, uint64(rows*(i+1)/len(parts))<<32
		var part []uint64
		for _, w := range by {
			for _, x := range w.pairs {
				if x-least < beyond-least {
					part = append(part, x)
				}
			}
		}
		sortUint64(part)
		parts[i] = slices.Compact(part)
	})
	l := &pairList{}
	for _, part := range parts {
		l.count += len(part)
	}
	l.memory = make([]pair, 0, l.count)
	for _, part := range parts {
		for _, x := range part {
			l.memory = append(l.memory, unpacked(x))
		}
	}
	return l, err
}

// mergePairs merges sorted runs into one file.
func mergePairs(ctx context.Context, s *spill, by []*pairSorter) (*pairList, error) {
	var front runHeap
	runs := 0
	for _, w := range by {
		runs += len(w.runs)
	}
	buffer := min(max(int(s.memory)/runs, 1<<10), spillBuffer)
	for _, w := range by {
		for _, r := range w.runs {
			n := w.file.read(r, buffer)
			if x, ok := n.next(); ok {
				front = append(front, runHead{x, n})
			}
			if n.err != nil {
				return nil, n.err
			}
		}
	}
	heap.Init(&front)
	l := &pairList{file: &spilled{s: s}}
	var failed error
	_, err := l.file.piece(func(put func(uint64)) {
		for last := uint64(0); len(front) > 0 && failed == nil; { // no pair is 0: its rows differ
			if x := front[0].x; x != last {
				put(x)
				last = x
				l.count++
			}
			if l.count%pairsAtOnce == 0 {
				failed = ctx.Err()
			}
			if err := front.advance(); err != nil {
				failed = err
			}
		}
	})
	if failed != nil {
		return nil, failed
	}
	return l, err
}

// runHead is the first number of what is left of a run.
type runHead struct {
	x    uint64
	rest *numbers
}

// runHeap has the run with the least number in front.
type runHeap []runHead

func (h runHeap) Len() int           { return len(h) }
func (h runHeap) Less(i, j int) bool { return h[i].x < h[j].x }
func (h runHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *runHeap) Push(x any)        { *h = append(*h, x.(runHead)) }
func (h *runHeap) Pop() any {
	last := len(*h) - 1
	x := (*h)[last]
	*h = (*h)[:last]
	return x
}

// advance goes on to the next number of the run in front.
func (h *runHeap) advance() error {
	front := &(*h)[0]
	x, ok := front.rest.next()
	if !ok {
		err := front.rest.err
		heap.Pop(h)
		return err
	}
	front.x = x
	heap.Fix(h, 0)
	return nil
}
