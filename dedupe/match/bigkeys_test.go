package match

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"
)

// However many rows and workers, a row is handed those of its common keys that are joined.
func TestRowsAreHandedTheirRarestCommonKeys(t *testing.T) {
	const rows, columns = 5<<rowBits/2 + 17, 4
	rng := rand.New(rand.NewPCG(5, 8))
	part := &blockPart{}
	want := make([][]bigKey, rows)
	for hash := range uint64(300) {
		key := commonKey{hash: mixHash(hash, 7), size: uint32(rng.IntN(50)), sole: rng.IntN(3) == 0}
		for column := range uint8(columns) {
			in := columnRows{column: column}
			for row := rng.IntN(900); row < rows && rng.IntN(3) > 0; row += 1 + rng.IntN(900) {
				for range rng.IntN(1000) {
					if row++; row < rows {
						in.rows = append(in.rows, uint32(row))
						want[row] = append(want[row], newBigKey(key.hash, key.noted(), column))
					}
				}
			}
			key.in = append(key.in, in)
		}
		part.common = append(part.common, key)
	}
	join := newJoining(columns)
	for _, workers := range []int{1, 3} {
		keys, err := newBigKeys(context.Background(), workers, rows, join, []*blockPart{part})
		if err != nil {
			t.Fatal(err)
		}
		for row, all := range want {
			all = slices.SortedFunc(slices.Values(all), func(a, b bigKey) int { return compareBig(&a, &b) })
			var rarest []joint
			for _, k := range join.rarest(all) {
				rarest = append(rarest, k.joint)
			}
			if got := keys.row(row, nil); !slices.Equal(got, rarest) {
				t.Fatalf("%d workers hand row %d the keys %v; want %v", workers, row, got, rarest)
			}
		}
	}
}

// Pairs come once each and in order, whichever worker found them.
func TestPairsOfAllWorkersAreSorted(t *testing.T) {
	const rows = 1000
	rng := rand.New(rand.NewPCG(6, 1))
	by := []*pairSorter{{}, {}, {}}
	var want []pair
	for range 5000 {
		p := pair{a: rng.Uint32N(rows - 1)}
		p.b = p.a + 1 + rng.Uint32N(rows-1-p.a)
		want = append(want, p)
		for range 1 + rng.IntN(2) {
			w := by[rng.IntN(len(by))]
			w.pairs = append(w.pairs, p.packed())
		}
	}
	slices.SortFunc(want, func(p, q pair) int { return compareHash(p.packed(), q.packed()) })
	list, err := sortPairs(context.Background(), &spill{}, rows, by)
	if want = slices.Compact(want); err != nil || list.count != len(want) || !slices.Equal(list.memory, want) {
		t.Errorf("%d pairs became %d, error %v; want %d in order", 5000, list.count, err, len(want))
	}
}
