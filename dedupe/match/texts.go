package match

import "github.com/cespare/xxhash/v2"

// slots is a hash table with open addressing of numbers, which are those of things kept
// elsewhere. A slot has the upper half of a hash and one more than the number, 0 for a free one.
type slots struct {
	at   []uint64
	bits int // logarithm of the slots
	n    int
}

// find is the number with a hash that is the same, and whether there is one.
func (s *slots) find(hash uint64, same func(id uint32) bool) (id uint32, found bool) {
	if s.n == 0 {
		return 0, false
	}
	at := s.place(hash, same)
	return uint32(s.at[at]) - 1, s.at[at] != 0
}

// add adds a number, unless there is one that is the same, which is returned.
func (s *slots) add(hash uint64, id uint32, same func(id uint32) bool) (first uint32, found bool) {
	if 3*s.n >= 2*len(s.at) {
		s.grow()
	}
	at := s.place(hash, same)
	if s.at[at] != 0 {
		return uint32(s.at[at]) - 1, true
	}
	s.at[at] = hash>>32<<32 | uint64(id+1)
	s.n++
	return id, false
}

// place is where a number stands, or would.
func (s *slots) place(hash uint64, same func(id uint32) bool) uint64 {
	for at := hash >> (64 - s.bits); ; at = (at + 1) & (1<<s.bits - 1) {
		x := s.at[at]
		if x == 0 || x>>32 == hash>>32 && same(uint32(x)-1) {
			return at
		}
	}
}

// grow doubles the slots.
func (s *slots) grow() {
	before := s.at
	s.bits = max(s.bits+1, 10)
	s.at = make([]uint64, 1<<s.bits)
	for _, x := range before {
		if x != 0 {
			s.at[s.place(x, func(uint32) bool { return false })] = x
		}
	}
}

// texts are distinct texts by number. Their bytes stand one after another in parts.
type texts struct {
	known slots
	parts [][]byte
	ends  []uint64 // by text, in its part
}

// textsPerPart is how many texts a part has.
const textsPerPart = 1 << 12

// id is the number of a text.
func (t *texts) id(text string) uint32 {
	id := uint32(len(t.ends))
	first, found := t.known.add(xxhash.Sum64String(text), id, func(id uint32) bool { return string(t.at(id)) == text })
	if found {
		return first
	}
	if id%textsPerPart == 0 {
		room := 0
		if n := len(t.parts); n > 0 {
			room = len(t.parts[n-1]) + len(t.parts[n-1])/8
		}
		t.parts = append(t.parts, make([]byte, 0, room))
	}
	last := &t.parts[len(t.parts)-1]
	*last = append(*last, text...)
	t.ends = append(t.ends, uint64(len(*last)))
	return id
}

// at is the bytes of a text, which belong to the texts.
func (t *texts) at(id uint32) []byte {
	from := uint64(0)
	if id%textsPerPart != 0 {
		from = t.ends[id-1]
	}
	return t.parts[id/textsPerPart][from:t.ends[id]]
}

// text is a text of its own.
func (t *texts) text(id uint32) string { return string(t.at(id)) }
