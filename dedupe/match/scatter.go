package match

import "math/bits"

// hashed is a key of a value or a row.
type hashed struct {
	hash   uint64
	id     uint32
	column uint8 // of a value
	lone   bool  // id is the row of a value that no other has
}

// packed is a key without its hash.
func (k hashed) packed() uint64 {
	x := uint64(k.column)<<32 | uint64(k.id)
	if k.lone {
		x |= 1 << 40
	}
	return x
}

// newHashed puts a key together again.
func newHashed(hash, packed uint64) hashed {
	return hashed{hash, uint32(packed), uint8(packed >> 32), packed>>40 != 0}
}

// hashedBytes is what a key takes in memory.
const hashedBytes = 16

// scattered is keys divided by the first bits of their hashes into parts that a processor's
// cache holds while it sorts them: sorting all at once would wait for memory. Beyond their
// room, keys go to a file.
type scattered struct {
	parts [][]hashed
	shift uint // hash to part
	room  int  // keys that may be added before those in memory are spilled
	most  int  // keys in memory at most
	file  spilled
	away  [][]piece // by part
	err   error
}

// keysPerPart is how many keys are sorted together.
const keysPerPart = 1 << 15

// newScattered makes room for about n keys, and keeps no more than most of them in memory.
func newScattered(n, most int, s *spill) *scattered {
	wide := min(bits.Len(uint(n/keysPerPart)), 10)
	k := &scattered{parts: make([][]hashed, 1<<wide), shift: uint(64 - wide), room: most, most: most, file: spilled{s: s}}
	n = min(n, most)
	for i := range k.parts {
		k.parts[i] = make([]hashed, 0, n>>wide+n>>(wide+4)+16)
	}
	return k
}

func (s *scattered) add(k hashed) {
	part := &s.parts[k.hash>>s.shift]
	*part = append(*part, k)
	if s.room--; s.room == 0 {
		s.spill()
	}
}

// spill writes the keys in memory away, part by part.
func (s *scattered) spill() {
	if s.away == nil {
		s.away = make([][]piece, len(s.parts))
	}
	for i, keys := range s.parts {
		if len(keys) == 0 || s.err != nil {
			continue
		}
		var p piece
		p, s.err = s.file.piece(func(put func(uint64)) {
			for _, k := range keys {
				put(k.hash)
				put(k.packed())
			}
		})
		s.away[i] = append(s.away[i], p)
		s.parts[i] = keys[:0]
	}
	s.room = s.most
}

// part is the keys of a part, in the order in which they were added.
func (s *scattered) part(i int) []hashed {
	if s.away == nil || len(s.away[i]) == 0 {
		return s.parts[i]
	}
	var keys []hashed
	for _, p := range s.away[i] {
		from := s.file.read(p, spillBuffer)
		for hash, ok := from.next(); ok; hash, ok = from.next() {
			rest, _ := from.next()
			keys = append(keys, newHashed(hash, rest))
		}
		if s.err == nil {
			s.err = from.err
		}
	}
	return append(keys, s.parts[i]...)
}

// eachGroup calls f for the keys with the same hash, in the order of hashes, those of a hash
// as they were added. The keys are gone afterwards.
func (s *scattered) eachGroup(f func(group []hashed)) error {
	var room []hashed
	for i := range s.parts {
		keys := s.part(i)
		if s.err != nil {
			return s.err
		}
		if len(room) < len(keys) {
			room = make([]hashed, len(keys))
		}
		sortHashed(keys, room[:len(keys)])
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
	return nil
}

// lowBits of a hash seldom matter for its place among the keys of a part.
const lowBits = 31

// sortHashed sorts by hash, keys with the same hash staying in their order.
func sortHashed(keys, room []hashed) {
	sortByKey(keys, room, func(x hashed) uint64 { return x.hash >> lowBits })
	for i := 1; i < len(keys); i++ {
		k, at := keys[i], i
		for ; at > 0 && keys[at-1].hash > k.hash; at-- {
			keys[at] = keys[at-1]
		}
		keys[at] = k
	}
}
