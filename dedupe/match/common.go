package match

import (
	"context"
	"slices"
)

// bigKey is a key too common to be used alone.
type bigKey struct {
	joint
	hash uint64
	size uint32
	sole bool // no column has it in two values: it says what the value's other such keys say
}

// joint is what joining needs of a key.
type joint struct {
	sum    uint64 // what it adds to a key that it is joined in
	column uint8
}

func newBigKey(hash uint64, noted uint32, column uint8) bigKey {
	return bigKey{joint: joint{joinHash(hash), column}, hash: hash, size: noted &^ soleMark, sole: noted&soleMark != 0}
}

// soleMark marks the size of a key that is sole.
const soleMark = 1 << 31

// joinHash is what a key adds to a joined one: in any order, as a family name may stand
// where the given name belongs.
func joinHash(h uint64) uint64 { return mixHash(h, 0x5bd1e995) }

// compareBig orders common keys by column, the rarest first.
func compareBig(a, b *bigKey) int {
	switch {
	case a.column != b.column:
		return int(a.column) - int(b.column)
	case a.size != b.size:
		return int(a.size) - int(b.size)
	}
	return compareHash(a.hash, b.hash)
}

// commonKey is a key too common to be used alone, and the rows that have it, if it is one of
// values.
type commonKey struct {
	hash uint64
	size uint32
	sole bool
	in   []columnRows
}

// columnRows are the rows that have a key in a column, ascending.
type columnRows struct {
	column uint8
	rows   []uint32
}

// noted is the size of a common key, with a mark where it is sole.
func (c *commonKey) noted() uint32 {
	if c.sole {
		return c.size | soleMark
	}
	return c.size
}

// bigKeys are the common keys of all rows that are joined.
type bigKeys []chosen // by row >> rowBits

// rowBits is the logarithm of how many rows are handed their keys together: so many that what
// is written stays in a processor's cache.
const rowBits = 14

// chosen are the keys of some rows, of one row after another: as each is read several times, in
// the order of the rows, they are copied for each row that has them.
type chosen struct {
	from    []uint32 // by row: where its keys begin; and where the last one's end
	sums    []uint64
	columns []uint8
}

// newBigKeys hands the common keys of parts to the rows that have them, which keep those that are
// joined. Each worker does a range of the rows.
func newBigKeys(ctx context.Context, workers, rows int, join joining, parts []*blockPart) (bigKeys, error) {
	keys := commonKeys(parts)
	b := make(bigKeys, (rows+1<<rowBits-1)>>rowBits)
	return b, inTurn(ctx, workers, workers, func(i int) {
		first, end := len(b)*i/workers, len(b)*(i+1)/workers
		h := newHanding(keys, uint32(first<<rowBits))
		for at := first; at < end && ctx.Err() == nil; at++ {
			b[at] = h.next(uint32(at<<rowBits), uint32(min((at+1)<<rowBits, rows)), join)
		}
	})
}

// keyRows is a common key in a column, with its rows.
type keyRows struct {
	bigKey
	rows []uint32
}

// commonKeys lists the common keys in order, one for each column that has it.
func commonKeys(parts []*blockPart) []keyRows {
	var list []keyRows
	for _, p := range parts {
		for i := range p.common {
			c := &p.common[i]
			for _, in := range c.in {
				list = append(list, keyRows{newBigKey(c.hash, c.noted(), in.column), in.rows})
			}
		}
	}
	slices.SortFunc(list, func(a, b keyRows) int { return compareBig(&a.bigKey, &b.bigKey) })
	return list
}

// handing goes through the rows of all keys at the same time.
type handing struct {
	list []keyRows
	at   []uint32 // by key: how many of its rows are done
	ids  []uint32
	room []bigKey
}

func newHanding(list []keyRows, first uint32) *handing {
	h := &handing{list: list, at: make([]uint32, len(list))}
	for i := range list {
		done, _ := slices.BinarySearch(list[i].rows, first)
		h.at[i] = uint32(done)
	}
	return h
}

// next chooses the keys of the rows from first to before end, which follow those before.
func (h *handing) next(first, end uint32, join joining) chosen {
	from := make([]uint32, end-first+2)
	for i := range h.list {
		for _, row := range h.list[i].rows[h.at[i]:] {
			if row >= end {
				break
			}
			from[row-first+2]++
		}
	}
	for i := 1; i < len(from); i++ {
		from[i] += from[i-1]
	}
	n := int(from[len(from)-1])
	h.ids = slices.Grow(h.ids[:0], n)[:n]
	for i := range h.list {
		rows, at := h.list[i].rows, h.at[i]
		for ; int(at) < len(rows) && rows[at] < end; at++ {
			place := &from[rows[at]-first+1]
			h.ids[*place] = uint32(i)
			*place++
		}
		h.at[i] = at
	}
	return h.choose(from[:len(from)-1], join)
}

// choose keeps of the keys of rows, which are in order, those that are joined.
func (h *handing) choose(from []uint32, join joining) chosen {
	c := chosen{from: from}
	begin := uint32(0)
	for i, end := range from[1:] {
		h.room = h.room[:0]
		for _, id := range h.ids[begin:end] {
			h.room = append(h.room, h.list[id].bigKey)
		}
		for _, k := range join.rarest(h.room) {
			c.sums, c.columns = append(c.sums, k.sum), append(c.columns, k.column)
		}
		begin, from[i+1] = end, uint32(len(c.sums))
	}
	return c
}

// row lists the common keys of a row that are joined, in the room given.
func (b bigKeys) row(row int, room []joint) []joint {
	room = room[:0]
	c, i := &b[row>>rowBits], row&(1<<rowBits-1)
	for at := c.from[i]; at < c.from[i+1]; at++ {
		room = append(room, joint{c.sums[at], c.columns[at]})
	}
	return room
}

// bigPerRow is how many common keys of a row are joined at most.
const bigPerRow = 14

// joining says which common keys are joined.
type joining struct {
	perColumn int  // common keys of a column that take part
	within    bool // keys of one column may be joined with one another
}

// newJoining joins the keys of one column with those of others; where there are no
// others, with one another.
func newJoining(columns int) joining {
	return joining{perColumn: max(3, 10/columns), within: columns == 1}
}

// eachTwo joins the keys of different columns.
func (o joining) eachTwo(big []joint, f func(i, j int, two uint64)) {
	for i := range big {
		for j := i + 1; j < len(big); j++ {
			if o.within || big[i].column != big[j].column {
				f(i, j, big[i].sum+big[j].sum)
			}
		}
	}
}

// eachThird joins two keys with each later one of another column.
func (o joining) eachThird(big []joint, i, j int, two uint64, f func(three uint64)) {
	for m := j + 1; m < len(big); m++ {
		if o.within || big[m].column != big[j].column && big[m].column != big[i].column {
			f(two + big[m].sum)
		}
	}
}

// rarest keeps of keys in order the rarest of each column, and of all; in an order that all rows
// share. Of a value's sole keys one is enough: what is left of the room is for keys that a
// mistyped value has as well.
func (o joining) rarest(big []bigKey) []bigKey {
	kept := big[:0]
	count, sole, column := 0, false, -1
	for _, k := range big {
		if int(k.column) != column {
			count, sole, column = 0, false, int(k.column)
		}
		if count < o.perColumn && !(sole && k.sole) {
			kept = append(kept, k)
			count++
		}
		sole = sole || k.sole
	}
	if len(kept) > bigPerRow {
		slices.SortStableFunc(kept, func(a, b bigKey) int { return int(a.size) - int(b.size) })
		kept = kept[:bigPerRow]
		slices.SortFunc(kept, func(a, b bigKey) int { return compareBig(&a, &b) })
	}
	return kept
}
