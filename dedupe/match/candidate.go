package match

import (
	"context"
	"errors"
	"math"
	"math/bits"
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
	err := runs(ctx, workers, t.rows(), x.rowsAtOnce(t.rows(), workers), func(w, from, to int) {
		if scratch[w] == nil {
			scratch[w] = newNeighbours()
		}
		n := scratch[w]
		n.blocks.look(x, from, to)
		for row := from; row < to && failed[w] == nil && (row%4096 > 0 || ctx.Err() == nil); row++ {
			found[w].pairs = n.best(t, x, uint32(row), most, within, found[w].pairs)
			failed[w] = found[w].full()
		}
	})
	if err := errors.Join(append(failed, err)...); err != nil {
		return nil, err
	}
	return sortPairs(ctx, s, t.rows(), found)
}

// neighbours is one worker's room for weighing the neighbours of a row: a hash table with open
// addressing, of which a row uses as much as it may need, so that it stays in the cache however
// many rows there are.
type neighbours struct {
	of     []neighbour
	shift  int       // hash to place
	who    []uint32  // places of those met, in their order
	near   []uint32  // places of those worth comparing
	blocks rowBlocks // of the rows whose turn it is
}

// neighbour is what a row has in common with another.
type neighbour struct {
	row    uint32
	weight float32
	top    float32 // the most that the last column added
	last   uint16  // column that added last, plus one; 0 for a free place
}

func newNeighbours() *neighbours {
	return &neighbours{of: make([]neighbour, 1<<tableBits(mostTouches))}
}

// tableBits is the logarithm of the places that so many neighbours take, half of them free.
func tableBits(n int) int { return bits.Len(uint(2 * n)) }

// A row's best few neighbours are compared in any case, the others if what they share is
// surprising enough to tell one record from as many as there are.
const surely = 3

// touchesPerRow bounds the work that a row with many keys makes.
const touchesPerRow = 4000

// mostTouches is how many neighbours a row can meet: the last block goes beyond the bound.
const mostTouches = touchesPerRow + maxBlock

// best appends a row's best neighbours to the list of packed pairs.
func (n *neighbours) best(t *table, x *index, row uint32, most int, within bool, to []uint64) []uint64 {
	touches := 0
	blocks := n.blocks.of(int(row))
	n.prepare(x, blocks)
	for _, place := range blocks {
		in, weight, rows := x.block(place)
		column := uint16(in) + 1
		for _, other := range rows {
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
	for _, at := range n.near[:min(len(n.near), most)] {
		other := n.of[at].row
		to = append(to, uint64(min(row, other))<<32|uint64(max(row, other)))
	}
	for _, at := range n.who {
		n.of[at] = neighbour{}
	}
	n.who = n.who[:0]
	return to
}

// prepare makes room for the rows of some blocks, whose heads it reads one after another without
// waiting for what stands behind them.
func (n *neighbours) prepare(x *index, blocks []uint32) {
	rows := 0
	for _, place := range blocks {
		rows += x.size(place)
	}
	n.shift = 32 - tableBits(min(rows, mostTouches))
}

// keep lists the neighbours with a weight, and the best few in any case, the best first.
func (n *neighbours) keep(least float32) {
	n.near = n.near[:0]
	for _, place := range n.who {
		if n.of[place].weight >= least {
			n.near = append(n.near, place)
		}
	}
	if len(n.near) < min(surely, len(n.who)) {
		n.keepBest()
	}
	slices.SortFunc(n.near, n.nearer)
}

// keepBest lists the best few neighbours.
func (n *neighbours) keepBest() {
	best := n.near[:0]
	for _, place := range n.who {
		at := len(best)
		for at > 0 && n.nearer(place, best[at-1]) < 0 {
			at--
		}
		if at < surely {
			best = slices.Insert(best[:min(len(best), surely-1)], at, place)
		}
	}
	n.near = best
}

// nearer orders neighbours by their places, the heaviest first.
func (n *neighbours) nearer(a, b uint32) int {
	x, y := &n.of[a], &n.of[b]
	switch {
	case x.weight > y.weight:
		return -1
	case x.weight < y.weight:
		return 1
	}
	return int(x.row) - int(y.row)
}

// again is how much a further shared key of a column counts.
const again = 0.1

// add counts the rarest key of each column, and a little of the others.
func (n *neighbours) add(other uint32, column uint16, weight float32) {
	at := n.place(other)
	x := &n.of[at]
	switch x.last {
	case column:
		x.weight += weight * again
	case 0:
		x.row, n.who = other, append(n.who, at)
		fallthrough
	default:
		x.last, x.top = column, 0
	}
	if weight > x.top {
		x.weight += weight - x.top
		x.top = weight
	}
}

// place is where a row stands, or would.
func (n *neighbours) place(row uint32) uint32 {
	mask := uint32(1)<<(32-n.shift) - 1
	at := row * 0x9E3779B1 >> n.shift // Knuth's multiplicative hash
	for n.of[at].last != 0 && n.of[at].row != row {
		at = (at + 1) & mask
	}
	return at
}
