package match

import (
	"context"
	"io"
	"math"
	"slices"
	"sort"
)

// scoredPairs are the pairs of a list, each with a score: in memory, or where the pairs are
// in a file, in another.
type scoredPairs struct {
	list   *pairList
	memory []float32
	file   *spilled // nil for scores in memory
}

// each hands out the pairs with their scores in the parts of the list. The scores may be
// changed: for good where they are in memory.
func (l *scoredPairs) each(ctx context.Context, f func(from int, part []pair, scores []float32) error) error {
	if l.file == nil {
		return l.list.each(ctx, func(from int, part []pair) error {
			return f(from, part, l.memory[from:from+len(part)])
		})
	}
	stored := l.file.read(piece{0, l.file.at}, spillBuffer)
	room := make([]float32, 0, pairsAtOnce)
	return l.list.each(ctx, func(from int, part []pair) error {
		room = room[:0]
		for range part {
			x, ok := stored.next()
			if !ok {
				return stored.failed()
			}
			room = append(room, math.Float32frombits(uint32(x)))
		}
		return f(from, part, room)
	})
}

// failed is why there is no next number where there should be one.
func (n *numbers) failed() error {
	if n.err != nil {
		return n.err
	}
	return io.ErrUnexpectedEOF
}

// scoreList scores a list of pairs by their evidence, nil for one that is compared as it is
// read.
func (r *runner) scoreList(ctx context.Context, s *scorer, list *pairList, e *evidence) (*scoredPairs, error) {
	l := &scoredPairs{list: list}
	if list.file == nil {
		l.memory = make([]float32, 0, list.count)
	} else {
		l.file = &spilled{s: r.spill}
	}
	return l, r.scoreEach(ctx, s, list, e, func(_ int, _ []pair, scores []float32) error {
		if l.file == nil {
			l.memory = append(l.memory, scores...)
			return nil
		}
		_, err := l.file.piece(func(put func(uint64)) {
			for _, x := range scores {
				put(uint64(math.Float32bits(x)))
			}
		})
		return err
	})
}

// scoreEach scores a list part by part. The scores are handed out for the moment.
func (r *runner) scoreEach(ctx context.Context, s *scorer, list *pairList, e *evidence, f func(from int, part []pair, scores []float32) error) error {
	var room *evidence
	var by *comparers
	if e == nil {
		room, by = newEvidence(len(r.t.layout.columns), min(list.count, pairsAtOnce)), newComparers(r.o, r.t)
	}
	scores := make([]float32, pairsAtOnce)
	return list.each(ctx, func(from int, part []pair) error {
		said := room
		if e == nil {
			if err := by.compare(ctx, part, room.part(0, len(part))); err != nil {
				return err
			}
		} else {
			said = e.part(from, from+len(part))
		}
		err := chunks(ctx, r.o.workers(), len(part), func(_, first, end int) {
			for i := first; i < end; i++ {
				scores[i] = s.score(said.of(i))
			}
		})
		if err != nil {
			return err
		}
		return f(from, part, scores[:len(part)])
	})
}

// likely are the pairs of a list that are rather one customer than not.
func (r *runner) likely(ctx context.Context, s *scorer, list *pairList, e *evidence) ([]scored, error) {
	var found []scored
	err := r.scoreEach(ctx, s, list, e, func(_ int, part []pair, scores []float32) error {
		for i, p := range part {
			if scores[i] > 0 {
				found = append(found, scored{p.a, p.b, scores[i]})
			}
		}
		return nil
	})
	return found, err
}

// finder finds the scores of single pairs of a list.
type finder struct {
	l      *scoredPairs
	starts []uint64 // the first of every pairsPerLook pairs of a file
	err    error
}

// pairsPerLook is how many pairs of a file are read to find one.
const pairsPerLook = 256

func newFinder(ctx context.Context, l *scoredPairs) (*finder, error) {
	f := &finder{l: l}
	if l.file == nil {
		return f, nil
	}
	err := l.list.each(ctx, func(from int, part []pair) error {
		for i := 0; i < len(part); i += pairsPerLook { // a part has a whole number of them
			f.starts = append(f.starts, part[i].packed())
		}
		return nil
	})
	return f, err
}

// score is that of a pair, and false for one that is not in the list. After a failure to
// read nothing is found; see err.
func (f *finder) score(p pair) (float32, bool) {
	if f.l.file == nil {
		i, found := slices.BinarySearchFunc(f.l.list.memory, p, func(a, b pair) int { return compareHash(a.packed(), b.packed()) })
		if !found {
			return 0, false
		}
		return f.l.memory[i], true
	}
	look := sort.Search(len(f.starts), func(i int) bool { return f.starts[i] > p.packed() }) - 1
	if look < 0 || f.err != nil {
		return 0, false
	}
	from := int64(look) * pairsPerLook * 8
	n := f.l.list.file.read(piece{from, min(from+pairsPerLook*8, f.l.list.file.at)}, pairsPerLook*8)
	for at := from; ; at += 8 {
		x, ok := n.next()
		if !ok || x > p.packed() {
			f.err = n.err
			return 0, false
		}
		if x == p.packed() {
			return f.scoreAt(at)
		}
	}
}

// scoreAt reads the score at a place in the file.
func (f *finder) scoreAt(at int64) (float32, bool) {
	n := f.l.file.read(piece{at, at + 8}, 16)
	x, ok := n.next()
	if !ok {
		f.err = n.failed()
	}
	return math.Float32frombits(uint32(x)), ok
}
