package match

import (
	"math/rand/v2"
	"os"
	"slices"
	"testing"
)

// Groups must be those of a map, in the order of hashes, with ids in the order they came,
// whether the keys fit into memory or not.
func TestScatteredKeysMeetInOrder(t *testing.T) {
	for _, test := range []struct{ n, most int }{{0, 1}, {1, 1}, {1000, 5000}, {1000, 64}, {3 * keysPerPart, 10 * keysPerPart}, {3 * keysPerPart, 5000}} {
		s := &spill{dir: t.TempDir()}
		checkGroups(t, test.n, newScattered(test.n, test.most, s))
		if spilled := s.bytes > 0; spilled != (test.n >= test.most) {
			t.Errorf("%d keys with room for %d: spilled %d bytes", test.n, test.most, s.bytes)
		}
		if err := s.close(); err != nil {
			t.Error(err)
		}
		if left, err := os.ReadDir(s.dir); len(left) > 0 || err != nil {
			t.Errorf("left behind %v, error %v", left, err)
		}
	}
}

func checkGroups(t *testing.T, n int, keys *scattered) {
	rng := rand.New(rand.NewPCG(1, uint64(n)))
	want := map[uint64][]uint32{}
	for id := range uint32(n) {
		hash := mixHash(rng.Uint64N(uint64(n)), 1)
		keys.add(hashed{hash: hash, id: id})
		want[hash] = append(want[hash], id)
	}
	last, groups := uint64(0), 0
	err := keys.eachGroup(func(group []hashed) {
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
	if groups != len(want) || err != nil {
		t.Errorf("%d keys made %d groups, error %v; want %d", n, groups, err, len(want))
	}
}
