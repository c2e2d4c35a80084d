package match

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// Groups must be those of a map, in the order of hashes, with ids in the order they came.
func TestScatteredKeysMeetInOrder(t *testing.T) {
	for _, n := range []int{0, 1, 1000, 3 * keysPerPart} {
		rng := rand.New(rand.NewPCG(1, uint64(n)))
		keys, want := newScattered(n), map[uint64][]uint32{}
		for id := range uint32(n) {
			hash := mixHash(rng.Uint64N(uint64(n)), 1)
			keys.add(hashed{hash, id})
			want[hash] = append(want[hash], id)
		}
		last, groups := uint64(0), 0
		keys.eachGroup(func(group []hashed) {
			var ids []uint32
			for _, k := range group {
				ids = append(ids, k.id)
			}
			if hash := group[0].hash; groups > 0 && hash <= last || !slices.Equal(ids, want[hash]) {
				t.Fatalf("of %d keys: group %d after %d has ids %v; want %v", n, hash, last, ids, want[hash])
			}
			last = group[0].hash
			groups++
		})
		if groups != len(want) {
			t.Errorf("%d keys made %d groups; want %d", n, groups, len(want))
		}
	}
}
