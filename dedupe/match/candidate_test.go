package match

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// testBlock is a block of an index as it was put in.
type testBlock struct {
	column uint8
	copies int // in all, in a block of copies
	rows   []uint32
}

// weighed is what a row shares with others, by the definition: of each column the most that a
// block weighs, and a tenth of what was counted before or after it.
func weighed(t *table, blocks []testBlock, row uint32) map[uint32]*neighbour {
	of := map[uint32]*neighbour{}
	for _, b := range blocks {
		weight := float32(math.Log2(float64(t.rows())/float64(max(b.copies, len(b.rows)))) + 0.1)
		for _, other := range b.rows {
			if other == row || !slices.Contains(b.rows, row) {
				continue
			}
			n := of[other]
			if n == nil {
				n = &neighbour{row: other}
				of[other] = n
			}
			if column := uint16(b.column) + 1; n.last == column {
				n.weight += weight * again
			} else {
				n.last, n.top = column, 0
			}
			if weight > n.top {
				n.weight += weight - n.top
				n.top = weight
			}
		}
	}
	return of
}

// The best neighbours are the same whether they are weighed in a small table, in which rows
// collide and of which the next row finds nothing, or one by one.
func TestBestNeighboursAreTheHeaviest(t *testing.T) {
	const rows, most = 300, 6
	tab := &table{ids: make([]string, rows)}
	x, blocks := randomIndex(tab, rand.New(rand.NewPCG(3, 4)))
	n := newNeighbours()
	n.blocks.look(x, 0, rows)
	for row := range uint32(rows) {
		var all, want []uint32
		of := weighed(tab, blocks, row)
		for other := range of {
			all = append(all, other)
		}
		slices.SortFunc(all, func(a, b uint32) int {
			return cmp.Or(cmp.Compare(of[b].weight, of[a].weight), cmp.Compare(a, b))
		})
		for i, other := range all {
			if i < most && (i < surely || of[other].weight >= float32(math.Log2(rows))) {
				want = append(want, other)
			}
		}
		var got []uint32
		for _, p := range n.best(tab, x, row, most, false, nil) {
			got = append(got, partner(unpacked(p), row))
		}
		if !slices.Equal(got, want) {
			t.Fatalf("row %d: %v; want %v", row, got, want)
		}
	}
}

// randomIndex has blocks of two to ten rows in three columns, and some of copies.
func randomIndex(t *table, rng *rand.Rand) (*index, []testBlock) {
	x := newIndex(t.rows())
	var blocks []testBlock
	for _, column := range []uint8{0, wholeColumn, 1, 2} {
		for range 200 {
			block := testBlock{column: column}
			for range 2 + rng.IntN(9) {
				block.rows = append(block.rows, uint32(rng.IntN(t.rows())))
			}
			slices.Sort(block.rows)
			if block.rows = slices.Compact(block.rows); column != wholeColumn {
				x.add(column, block.rows)
			} else {
				block.copies = len(block.rows) + rng.IntN(100)
				x.addCopies(block.copies, block.rows)
			}
			blocks = append(blocks, block)
		}
	}
	return x, blocks
}

// The blocks of a row are found whatever rows are looked for together, in lists of one chunk and
// of many that were put together.
func TestEveryRowFindsItsBlocks(t *testing.T) {
	const rows = 5000
	rng := rand.New(rand.NewPCG(5, 6))
	x := newIndex(rows)
	var want [rows][][]uint32
	for range 3 {
		var part blockList
		for range 30_000 {
			block := []uint32{uint32(rng.IntN(rows / 2)), uint32(rows/2 + rng.IntN(rows/2))}
			part.add(7, block)
			for _, row := range block {
				want[row] = append(want[row], block)
			}
		}
		x.append(&part)
	}
	if len(x.chunks) < 4 || x.blocks != 90_000 || x.entries != 180_000 {
		t.Fatalf("%d chunks with %d blocks of %d rows", len(x.chunks), x.blocks, x.entries)
	}
	var b rowBlocks
	for _, atOnce := range []int{rows, 777} {
		for from := 0; from < rows; from += atOnce {
			to := min(from+atOnce, rows)
			b.look(x, from, to)
			for row := from; row < to; row++ {
				var got [][]uint32
				for _, place := range b.of(row) {
					_, _, block := x.block(place)
					if len(block) != x.size(place) {
						t.Fatalf("a block of %d rows has %d", x.size(place), len(block))
					}
					got = append(got, block)
				}
				if !slices.EqualFunc(got, want[row], slices.Equal) {
					t.Fatalf("row %d of %d … %d has %v; want %v", row, from, to, got, want[row])
				}
			}
		}
	}
}
