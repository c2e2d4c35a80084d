package match

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// weighed is what a row shares with others, by the definition: of each column the most that a
// block weighs, and a tenth of what was counted before or after it.
func weighed(x *index, row uint32) map[uint32]*neighbour {
	of := map[uint32]*neighbour{}
	for _, b := range x.blocks[x.first[row]:x.first[row+1]] {
		for _, other := range x.rows[x.start[b]:x.start[b+1]] {
			if other == row {
				continue
			}
			n := of[other]
			if n == nil {
				n = &neighbour{row: other}
				of[other] = n
			}
			if column := uint16(x.column[b]) + 1; n.last == column {
				n.weight += x.weight[b] * again
			} else {
				n.last, n.top = column, 0
			}
			if x.weight[b] > n.top {
				n.weight += x.weight[b] - n.top
				n.top = x.weight[b]
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
	x := randomIndex(tab, rand.New(rand.NewPCG(3, 4)))
	n := newNeighbours()
	for row := range uint32(rows) {
		var all, want []uint32
		of := weighed(x, row)
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

// randomIndex has blocks of two to ten rows in three columns.
func randomIndex(t *table, rng *rand.Rand) *index {
	b := &blocker{t: t, x: &index{start: []uint32{0}}}
	for column := range uint8(3) {
		for range 200 {
			block := map[uint32]bool{}
			for range 2 + rng.IntN(9) {
				block[uint32(rng.IntN(t.rows()))] = true
			}
			for row := range block {
				b.x.rows = append(b.x.rows, row)
			}
			slices.Sort(b.x.rows[b.x.start[len(b.x.start)-1]:])
			b.x.start = append(b.x.start, uint32(len(b.x.rows)))
			b.x.weight, b.x.column = append(b.x.weight, 1+4*rng.Float32()), append(b.x.column, column)
		}
	}
	b.invert()
	return b.x
}
