package match

import (
	"context"
	"errors"
	"math"
	"slices"
)

// gather finds the rows worth comparing: for every row the neighbours with which it
// shares the most surprising keys. A pair stays when either row chose it.
// In mode Link it is told whether to look across the sources or within them.
func gather(ctx context.Context, o *Options, s *spill, t *table, x *index, within bool) (*pairList, error) {
	workers := o.workers()
	found, failed := make([]*pairSorter, workers), make([]error, workers)
	for w := range found {
		found[w] = &pairSorter{most: s.room(workers, t.pairBytes()), file: spilled{s: s}}
	}
	scratch := make([]*neighbours, workers)
	most := o.neighbours()
	err := chunks(ctx, workers, t.rows(), func(w, from, to int) {
		if scratch[w] == nil {
			scratch[w] = newNeighbours(t.rows())
		}
		for row := from; row < to && failed[w] == nil; row++ {
			found[w].pairs = scratch[w].best(t, x, uint32(row), most, within, found[w].pairs)
			failed[w] = found[w].full()
		}
	})
	if err := errors.Join(append(failed, err)...); err != nil {
		return nil, err
	}
	return sortPairs(ctx, s, found)
}

// neighbours is one worker's room for weighing the neighbours of a row.
type neighbours struct {
	of   []neighbour // by row
	who  []uint32
	near []uint32 // those worth comparing
}

// neighbour is what a row has in common with another. Its parts stand together, as each is
// a place in memory that isn't in the cache.
type neighbour struct {
	weight float32
	top    float32 // the most that the last column added
	last   uint16  // column that added last, plus one
}

func newNeighbours(rows int) *neighbours { return &neighbours{of: make([]neighbour, rows)} }

// A row's best few neighbours are compared in any case, the others if what they share is
// surprising enough to tell one record from as many as there are.
const surely = 3

// touchesPerRow bounds the work that a row with many keys makes.
const touchesPerRow = 4000

// best appends a row's best neighbours to the list of packed pairs.
func (n *neighbours) best(t *table, x *index, row uint32, most int, within bool, to []uint64) []uint64 {
	touches := 0
	blocks := x.blocks[x.first[row]:x.first[row+1]]
	for _, block := range blocks {
		column, weight := uint16(x.column[block])+1, x.weight[block]
		for _, other := range x.rows[x.start[block]:x.start[block+1]] {
			if other == row || t.link && (t.source[other] == t.source[row]) != within {
				continue
			}
			n.add(other, column, weight)
			touches++
		}
		if touches > touchesPerRow {
			break
		}
	}
	n.keep(float32(math.Log2(float64(t.rows()))))
	for _, other := range n.near[:min(len(n.near), most)] {
		to = append(to, uint64(min(row, other))<<32|uint64(max(row, other)))
	}
	for _, other := range n.who {
		n.of[other] = neighbour{}
	}
	n.who = n.who[:0]
	return to
}

// keep lists the neighbours with a weight, and the best few in any case, the best first.
func (n *neighbours) keep(least float32) {
	n.near = n.near[:0]
	var best [surely]uint32
	found := 0
	for _, other := range n.who {
		if n.of[other].weight >= least {
			n.near = append(n.near, other)
		}
		at := found
		for ; at > 0 && n.nearer(other, best[at-1]) < 0; at-- {
			if at < surely {
				best[at] = best[at-1]
			}
		}
		if at < surely {
			best[at] = other
			found = min(found+1, surely)
		}
	}
	if len(n.near) < found {
		n.near = append(n.near[:0], best[:found]...)
	}
	slices.SortFunc(n.near, n.nearer)
}

// nearer orders neighbours, the heaviest first.
func (n *neighbours) nearer(a, b uint32) int {
	switch wa, wb := n.of[a].weight, n.of[b].weight; {
	case wa > wb:
		return -1
	case wa < wb:
		return 1
	}
	return int(a) - int(b)
}

// again is how much a further shared key of a column counts.
const again = 0.1

// add counts the rarest key of each column, and a little of the others.
func (n *neighbours) add(other uint32, column uint16, weight float32) {
	x := &n.of[other]
	switch x.last {
	case column:
		x.weight += weight * again
	case 0:
		n.who = append(n.who, other)
		fallthrough
	default:
		x.last, x.top = column, 0
	}
	if weight > x.top {
		x.weight += weight - x.top
		x.top = weight
	}
}
