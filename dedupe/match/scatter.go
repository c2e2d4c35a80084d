package match

import "math/bits"

// hashed is a key of a value or a row.
type hashed struct {
	hash uint64
	id   uint32
}

// scattered is keys divided by the first bits of their hashes into parts that a processor's
// cache holds while it sorts them: sorting all at once would wait for memory.
type scattered struct {
	parts [][]hashed
	shift uint // hash to part
}

// keysPerPart is how many keys are sorted together.
const keysPerPart = 1 << 15

// newScattered makes room for about n keys.
func newScattered(n int) *scattered {
	wide := min(bits.Len(uint(n/keysPerPart)), 10)
	s := &scattered{make([][]hashed, 1<<wide), uint(64 - wide)}
	for i := range s.parts {
		s.parts[i] = make([]hashed, 0, n>>wide+n>>(wide+4)+16)
	}
	return s
}

func (s *scattered) add(k hashed) {
	part := &s.parts[k.hash>>s.shift]
	*part = append(*part, k)
}

// eachGroup calls f for the keys with the same hash, in the order of hashes, those of a hash
// as they were added. The keys are gone afterwards.
func (s *scattered) eachGroup(f func(group []hashed)) {
	var room []hashed
	for i, keys := range s.parts {
		if len(room) < len(keys) {
			room = make([]hashed, len(keys))
		}
		sortByKey(keys, room[:len(keys)], func(x hashed) uint64 { return x.hash })
		for from := 0; from < len(keys); {
			to := from + 1
			for to < len(keys) && keys[to].hash == keys[from].hash {
				to++
			}
			f(keys[from:to])
			from = to
		}
		s.parts[i] = nil
	}
}
