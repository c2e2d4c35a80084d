package search

import (
	"strings"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage/bitset"
)

// sight is what a query may find and by which fields. A term is made of one field or of
// several, which the index does not tell apart: a document is found by it only if none of
// them is hidden. So hiding the note keeps a customer from being found by its address,
// too, but never the other way round.
type sight struct {
	access customer.Access // nil shows everything
	within *membership
	fields map[string]*membership // whose field is shown; nil for everybody's
	failed error                  // of a set that could not be read
}

func newSight(a customer.Access) *sight {
	s := &sight{access: a, fields: map[string]*membership{}}
	if a != nil {
		s.within = s.members(a.Within())
	}
	return s
}

// membership answers for one customer after another whether it is in a set, each of whose
// chunks is read once.
type membership struct {
	sight  *sight
	source bitset.Source
	chunks map[uint64]*bitset.Chunk
	number uint64 // of the chunk that was asked last
	last   *bitset.Chunk
}

func (s *sight) members(source bitset.Source) *membership {
	if source == nil {
		return nil
	}
	return &membership{sight: s, source: source, chunks: map[uint64]*bitset.Chunk{}}
}

// Contains reports whether a customer is in the set; nobody is in one that can't be read.
// The nil membership has everybody.
func (m *membership) Contains(id customer.ID) bool {
	if m == nil {
		return true
	}
	if n := uint64(id) / bitset.ChunkSize; m.last == nil || n != m.number {
		m.number, m.last = n, m.chunk(n)
	}
	return m.last.Contains(uint16(id))
}

func (m *membership) chunk(n uint64) *bitset.Chunk {
	c := m.chunks[n]
	if c == nil {
		c = new(bitset.Chunk)
		if err := m.source.Read(n, c); err != nil {
			c.Clear()
			m.sight.failed = err
		}
		m.chunks[n] = c
	}
	return c
}

// spaceFields are the fields that the terms of a space are made of; those of other spaces
// can't be hidden.
var spaceFields = map[byte][]string{
	otherHan: {"alias", "contact", "address", "note"}, otherWord: {"alias", "contact", "address", "note"},
	otherPinyin: {"alias", "contact"}, otherInitial: {"alias", "contact"},
	phoneDigits: {"phone", "contact"}, phoneHead: {"phone", "contact"},
	exactKey: {"identifier", "source"}, mailbox: {"email", "contact"}, mailDomain: {"email", "contact", "website"},
}

// filterFields are the fields of filter terms by their letter.
var filterFields = map[byte][]string{byRep: {"rep"}, byProvince: {"address"}, byCity: {"address"}, byDistrict: {"address"}}

// fieldsOf returns the fields that a term is made of.
func fieldsOf(term []byte) []string {
	if term[0] != filterTerm || len(term) < 2 {
		return spaceFields[term[0]]
	}
	if term[1] == byAttribute {
		name, _, _ := strings.Cut(string(term[2:]), "\x00")
		return []string{"attr." + name}
	}
	return filterFields[term[1]]
}

// field returns whose field is shown, nil for everybody's.
func (s *sight) field(name string) *membership {
	m, known := s.fields[name]
	if !known {
		if customer.MayHide(s.access, name) {
			m = s.members(s.access.WithinUnmasked(name))
		}
		s.fields[name] = m
	}
	return m
}

// shown leaves the documents of a shard that may be found by a term.
func (s *shard) shown(term []byte, found *roaring.Bitmap) *roaring.Bitmap {
	if s.sight == nil || s.sight.access == nil || found == nil {
		return found
	}
	for _, name := range fieldsOf(term) {
		found = s.sight.field(name).keep(s, found)
	}
	return found
}
