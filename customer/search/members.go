package search

import (
	"github.com/RoaringBitmap/roaring/v2"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage/bitset"
)

// idRun is where documents begin whose customers' ids count up by one, as they do in
// segments of a book that was indexed in the order of its ids.
type idRun struct {
	number uint32
	id     uint64
}

func runsOf(keys []uint64) (runs []idRun) {
	for number, key := range keys {
		id := uint64(keyID(key))
		if number == 0 || id != uint64(keyID(keys[number-1]))+1 {
			runs = append(runs, idRun{uint32(number), id})
		}
	}
	return runs
}

// keep leaves the documents of a set whose customers are members. The nil membership
// keeps all.
func (m *membership) keep(s *shard, set *roaring.Bitmap) *roaring.Bitmap {
	if m == nil || set == nil {
		return set
	}
	if inside, made := s.members[m]; made {
		return and(set, inside)
	}
	if words := int(s.segment.Count() / 64); size(set) < words+len(s.runs()) {
		return s.keepEach(set, m.Contains)
	}
	if s.members == nil {
		s.members = map[*membership]*roaring.Bitmap{}
	}
	inside := some(roaring.FromDense(m.documents(s), true))
	s.members[m] = inside
	return and(set, inside)
}

// keepEach leaves the documents of a set whose customers a function accepts.
func (s *shard) keepEach(set *roaring.Bitmap, accepts func(customer.ID) bool) *roaring.Bitmap {
	keys, kept := s.keys(), roaring.New()
	var batch [256]uint32
	it := set.ManyIterator()
	for n := it.NextMany(batch[:]); n > 0; n = it.NextMany(batch[:]) {
		left := 0
		for _, number := range batch[:n] {
			if accepts(keyID(keys[number])) {
				batch[left] = number
				left++
			}
		}
		kept.AddMany(batch[:left])
	}
	return some(kept)
}

// documents returns the numbers of a shard's documents whose customers are members, as
// bits: neighbouring ids are copied by words.
func (m *membership) documents(s *shard) []uint64 {
	runs, count := s.runs(), s.segment.Count()
	bits := make([]uint64, (count+63)/64)
	for i, run := range runs {
		end := count
		if i+1 < len(runs) {
			end = uint64(runs[i+1].number)
		}
		for number, id := uint64(run.number), run.id; number < end; {
			n := min(end-number, bitset.ChunkSize-id%bitset.ChunkSize)
			m.copyBits(bits, number, id, n)
			number, id = number+n, id+n
		}
	}
	return bits
}

// copyBits sets n bits from a number on to those of the ids from one on, which are in one chunk.
func (m *membership) copyBits(bits []uint64, number, id, n uint64) {
	m.Contains(customer.ID(id)) // reads the chunk
	chunk := m.last
	for low := id % bitset.ChunkSize; n > 0; {
		take := min(n, 64-number%64, 64-low%64)
		word := chunk[low/64] >> (low % 64)
		if take < 64 {
			word &= 1<<take - 1
		}
		bits[number/64] |= word << (number % 64)
		number, low, n = number+take, low+take, n-take
	}
}
