package match

import (
	"math"
	"slices"
)

// index is the blocks of a table: which rows share a key.
type index struct {
	blockList
	weights [maxBlock + 1]float32 // of a block, by its rows
	rows    float64               // of the table
	common  map[uint64]uint32     // keys too common to be used alone, with their size
}

// blockList is blocks one after another, those of a column together, rarest first. A block is
// its head and its rows: what is read of a block stands together, as each block is a place in
// memory that isn't in the cache. The place of a block is the number of its chunk and the
// place of its head within.
type blockList struct {
	chunks  [][]uint32
	blocks  int
	entries int // rows of all blocks
}

// A chunk has so many words at most, so that lists grow without being copied.
const (
	chunkBits  = 16
	chunkWords = 1 << chunkBits
	mostChunks = 1 << (32 - chunkBits)
)

// A head has the column in its upper byte and the rows in the others. Behind the head of a block of
// copies stands how many there are in all.
const headBits = 24

func newIndex(rows int) *index {
	x := &index{rows: float64(rows), common: map[uint64]uint32{}}
	for size := range x.weights {
		x.weights[size] = x.weightOf(size)
	}
	return x
}

// weightOf is how surprising it is that a row is one of so many.
func (x *index) weightOf(size int) float32 { return float32(math.Log2(x.rows/float64(size)) + 0.1) }

// add adds a block.
func (l *blockList) add(column uint8, rows []uint32) {
	chunk := l.room(1 + len(rows))
	*chunk = append(append(*chunk, uint32(column)<<headBits|uint32(len(rows))), rows...)
	l.blocks, l.entries = l.blocks+1, l.entries+len(rows)
}

// addCopies adds a block of rows that are some of so many copies of a record.
func (l *blockList) addCopies(copies int, rows []uint32) {
	chunk := l.room(2 + len(rows))
	*chunk = append(append(*chunk, wholeColumn<<headBits|uint32(len(rows)), uint32(copies)), rows...)
	l.blocks, l.entries = l.blocks+1, l.entries+len(rows)
}

// room is a chunk with room for so many words.
func (l *blockList) room(words int) *[]uint32 {
	last := len(l.chunks) - 1
	switch {
	case last < 0:
		l.chunks = append(l.chunks, nil) // the first grows, as lists of few records are short
	case len(l.chunks[last])+words > chunkWords:
		l.chunks = append(l.chunks, make([]uint32, 0, chunkWords))
	}
	return &l.chunks[len(l.chunks)-1]
}

// append appends the blocks of another list, which is not to be used any more.
func (l *blockList) append(m *blockList) {
	l.chunks = append(l.chunks, m.chunks...)
	l.blocks, l.entries = l.blocks+m.blocks, l.entries+m.entries
}

// full reports an index with more blocks than places.
func (l *blockList) full() error {
	if len(l.chunks) > mostChunks {
		return &Error{Kind: ErrRecord, Field: "records", Value: itoa(l.entries), Remedy: "so many keys in common are too many for one run; divide the records"}
	}
	return nil
}

// size is how many rows the block at a place has.
func (l *blockList) size(place uint32) int {
	return int(l.chunks[place>>chunkBits][place&(chunkWords-1)] & (1<<headBits - 1))
}

// block is the column, the weight and the rows of the block at a place.
func (x *index) block(place uint32) (column uint8, weight float32, rows []uint32) {
	words := x.chunks[place>>chunkBits][place&(chunkWords-1):]
	column, size := uint8(words[0]>>headBits), words[0]&(1<<headBits-1)
	if column == wholeColumn {
		return column, x.weightOf(int(words[1])), words[2 : 2+size]
	}
	return column, x.weights[size], words[1 : 1+size]
}

// rowBlocks are the blocks of each of some rows.
type rowBlocks struct {
	from   int
	first  []uint32 // by row from from: where its blocks begin
	places []uint32 // of the blocks, those of one row after another, in their order
}

// Of the blocks of so many rows at once the places take no more than placesAtOnce, if that
// doesn't take more than mostTurns turns through all blocks.
const (
	placesAtOnce = 32 << 20
	mostTurns    = 16
)

// rowsAtOnce is of how many rows a worker looks up the blocks together.
func (x *index) rowsAtOnce(rows, workers int) int {
	turns := min(x.entries/placesAtOnce+1, mostTurns)
	turns = (turns + workers - 1) / workers * workers // so that all are busy to the end
	return max((rows+turns-1)/turns, 1)
}

// look finds the blocks of the rows from … to-1.
func (b *rowBlocks) look(x *index, from, to int) {
	b.from = from
	b.first = slices.Grow(b.first[:0], to-from+2)[:to-from+2]
	clear(b.first)
	b.each(x, to, func(row, _ uint32) { b.first[row+2]++ })
	for i := 1; i < len(b.first); i++ {
		b.first[i] += b.first[i-1]
	}
	n := int(b.first[len(b.first)-1])
	b.places = slices.Grow(b.places[:0], n)[:n]
	b.each(x, to, func(row, place uint32) {
		b.places[b.first[row+1]] = place
		b.first[row+1]++
	})
}

// each calls f for the rows looked for, counted from the first, in every block.
func (b *rowBlocks) each(x *index, to int, f func(row, place uint32)) {
	from, width := uint32(b.from), uint32(to-b.from)
	for i, chunk := range x.chunks {
		for at := 0; at < len(chunk); {
			place, rows := uint32(i<<chunkBits|at), at+1
			if chunk[at]>>headBits == wholeColumn {
				rows++
			}
			at = rows + int(chunk[at]&(1<<headBits-1))
			for _, row := range chunk[rows:at] {
				if row -= from; row < width {
					f(row, place)
				}
			}
		}
	}
}

// of is the places of the blocks of a row.
func (b *rowBlocks) of(row int) []uint32 {
	return b.places[b.first[row-b.from]:b.first[row-b.from+1]]
}
