package match

import (
	"context"
	"slices"
)

// bigKey is a key too common to be used alone.
type bigKey struct {
	hash   uint64
	joined uint64 // what it adds to a key that it is joined in
	size   uint32
	id     uint32
	column uint8
	sole   bool // no column has it in two values: it says what the value's other such keys say
}

func newBigKey(hash uint64, noted uint32, column uint8) bigKey {
	return bigKey{hash: hash, joined: joinHash(hash), size: noted &^ soleMark, column: column, sole: noted&soleMark != 0}
}

// soleMark marks the size of a key that is sole.
const soleMark = 1 << 31

// joinHash is what a key adds to a joined one: in any order, as a family name may stand
// where the given name belongs.
func joinHash(h uint64) uint64 { return mixHash(h, 0x5bd1e995) }

// bigKeys are the common keys of all rows.
type bigKeys struct {
	keys []bigKey
	ids  []uint32 // in keys, of one row after another
	from []uint32 // by row: where its ids begin, and in the last place where they end
	kept []uint8  // by row: how many of them are joined
}

// newBigKeys hands the common keys of parts to the rows that have them. Each worker does a range
// of the rows.
func newBigKeys(ctx context.Context, workers, rows int, parts []*blockPart) (bigKeys, error) {
	b := bigKeys{from: make([]uint32, rows+1), kept: make([]uint8, rows)}
	each := func(f func(id, row uint32)) error {
		return inTurn(ctx, workers, workers, func(i int) {
			keys := eachCommon(parts, uint32(rows*i/workers), uint32(rows*(i+1)/workers), f)
			if i == 0 {
				b.keys = keys
			}
		})
	}
	if err := each(func(_, row uint32) { b.from[row+1]++ }); err != nil {
		return b, err
	}
	for row := range rows {
		b.from[row+1] += b.from[row]
	}
	b.ids = make([]uint32, b.from[rows])
	next := slices.Clone(b.from)
	return b, each(func(id, row uint32) {
		b.ids[next[row]] = id
		next[row]++
	})
}

// eachCommon lists the common keys, one for each column that has it, and calls f for every row
// from one row on to before another.
func eachCommon(parts []*blockPart, from, to uint32, f func(id, row uint32)) []bigKey {
	var keys []bigKey
	for _, p := range parts {
		for _, c := range p.common {
			first, noted := len(keys), c.noted(p)
			for _, v := range c.values {
				column := p.at[v].column
				id := first
				for id < len(keys) && keys[id].column != column {
					id++
				}
				if id == len(keys) {
					k := newBigKey(c.hash, noted, column)
					k.id = uint32(id)
					keys = append(keys, k)
				}
				for _, row := range p.rowsAt(v) {
					if row-from < to-from {
						f(uint32(id), row)
					}
				}
			}
		}
	}
	return keys
}

// noted is the size of a common key, with a mark where it is sole.
func (c *commonKey) noted(p *blockPart) uint32 {
	for i := 1; i < len(c.values); i++ {
		if p.at[c.values[i-1]].column == p.at[c.values[i]].column {
			return c.size
		}
	}
	if c.values == nil {
		return c.size
	}
	return c.size | soleMark
}

// of lists the common keys of a row that are joined, in the room given.
func (b *bigKeys) of(row int, room []bigKey) []bigKey {
	room = room[:0]
	from := b.from[row]
	for _, id := range b.ids[from : from+uint32(b.kept[row])] {
		room = append(room, b.keys[id])
	}
	return room
}

// keepRarest chooses the keys of every row that are joined.
func (b *bigKeys) keepRarest(ctx context.Context, workers int, join joining) error {
	return chunks(ctx, workers, len(b.kept), func(_, first, end int) {
		var room []bigKey
		for row := first; row < end; row++ {
			ids := b.ids[b.from[row]:b.from[row+1]]
			room = room[:0]
			for _, id := range ids {
				room = append(room, b.keys[id])
			}
			kept := join.rarest(room)
			for i, k := range kept {
				ids[i] = k.id
			}
			b.kept[row] = uint8(len(kept))
		}
	})
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
func (o joining) eachTwo(big []bigKey, f func(i, j int, two uint64)) {
	for i := range big {
		for j := i + 1; j < len(big); j++ {
			if o.within || big[i].column != big[j].column {
				f(i, j, big[i].joined+big[j].joined)
			}
		}
	}
}

// eachThird joins two keys with each later one of another column.
func (o joining) eachThird(big []bigKey, i, j int, two uint64, f func(three uint64)) {
	for m := j + 1; m < len(big); m++ {
		if o.within || big[m].column != big[j].column && big[m].column != big[i].column {
			f(two + big[m].joined)
		}
	}
}

// rarest keeps the rarest keys of each column, and of all; in an order that all rows share.
// Of a value's sole keys one is enough: what is left of the room is for keys that a mistyped
// value has as well.
func (o joining) rarest(big []bigKey) []bigKey {
	slices.SortFunc(big, func(a, b bigKey) int {
		if a.column != b.column {
			return int(a.column) - int(b.column)
		}
		if a.size != b.size {
			return int(a.size) - int(b.size)
		}
		return compareHash(a.hash, b.hash)
	})
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
		slices.SortStableFunc(kept, func(a, b bigKey) int {
			if a.column != b.column {
				return int(a.column) - int(b.column)
			}
			return int(a.size) - int(b.size)
		})
	}
	return kept
}
