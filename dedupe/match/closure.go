package match

import (
	"context"
	"slices"
)

// closureDegree bounds the partners of a row that are looked at, so that a row that is
// like everything adds little.
const closureDegree = 24

// closure finds the pairs that were no candidates though both of their rows match a third
// one. Blocking misses pairs of a large cluster that have little in common; what they
// have in common with others finds them.
func closure(ctx context.Context, rows int, pairs *pairList, edges []scored) ([]pair, error) {
	near := make([][]uint32, rows)
	for _, e := range edges {
		if e.score > 0 {
			near[e.a], near[e.b] = append(near[e.a], e.b), append(near[e.b], e.a)
		}
	}
	var packed []uint64
	for _, list := range near {
		list = list[:min(len(list), closureDegree)]
		for i, a := range list {
			for _, b := range list[i+1:] {
				packed = append(packed, pair{min(a, b), max(a, b)}.packed())
			}
		}
	}
	sortUint64(packed)
	return without(ctx, slices.Compact(packed), pairs)
}

// without are the packed pairs, ascending, that are not in a list.
func without(ctx context.Context, packed []uint64, known *pairList) ([]pair, error) {
	var found []pair
	err := known.each(ctx, func(_ int, part []pair) error {
		for _, p := range part {
			for len(packed) > 0 && packed[0] < p.packed() {
				found = append(found, unpacked(packed[0]))
				packed = packed[1:]
			}
			if len(packed) > 0 && packed[0] == p.packed() {
				packed = packed[1:]
			}
		}
		return nil
	})
	for _, x := range packed {
		found = append(found, unpacked(x))
	}
	return found, err
}
