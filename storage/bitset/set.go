package bitset

import "iter"

// Set is a set of numbers, chunk by chunk. The zero Set is empty. A Set that nobody
// changes any more may be read by many goroutines.
type Set struct {
	chunks []*Chunk // by number; nil is empty
}

// Of returns a set of the given numbers.
func Of(numbers ...uint64) *Set {
	s := &Set{}
	for _, n := range numbers {
		s.Add(n)
	}
	return s
}

// Chunks is one more than the number of the last chunk that may have members.
func (s *Set) Chunks() uint64 { return uint64(len(s.chunks)) }

// Chunk returns a chunk, nil for an empty one. It is the set's own.
func (s *Set) Chunk(n uint64) *Chunk {
	if n >= uint64(len(s.chunks)) {
		return nil
	}
	return s.chunks[n]
}

// Own returns a chunk for changes, made when there is none.
func (s *Set) Own(n uint64) *Chunk {
	for uint64(len(s.chunks)) <= n {
		s.chunks = append(s.chunks, nil)
	}
	if s.chunks[n] == nil {
		s.chunks[n] = new(Chunk)
	}
	return s.chunks[n]
}

// Add adds a number. Memory grows with the largest number, by 8 bytes for each 65,536.
func (s *Set) Add(n uint64) { s.Own(n / ChunkSize).Add(uint16(n)) }

// Contains reports whether a number is in the set. The nil Set contains none.
func (s *Set) Contains(n uint64) bool {
	if s == nil {
		return false
	}
	c := s.Chunk(n / ChunkSize)
	return c != nil && c.Contains(uint16(n))
}

// Len returns how many numbers the set has.
func (s *Set) Len() int64 {
	n := int64(0)
	for _, c := range s.chunks {
		if c != nil {
			n += int64(c.Len())
		}
	}
	return n
}

// All yields the set's numbers, ascending.
func (s *Set) All() iter.Seq[uint64] { return s.From(0) }

// From yields the set's numbers from n on, ascending.
func (s *Set) From(n uint64) iter.Seq[uint64] {
	return func(yield func(uint64) bool) {
		first := uint16(n)
		for i := n / ChunkSize; i < uint64(len(s.chunks)); i++ {
			if c := s.chunks[i]; c != nil {
				for low := range c.From(first) {
					if !yield(i*ChunkSize + uint64(low)) {
						return
					}
				}
			}
			first = 0
		}
	}
}

// Clone returns a copy that shares nothing with s.
func (s *Set) Clone() *Set {
	t := &Set{chunks: make([]*Chunk, len(s.chunks))}
	for i, c := range s.chunks {
		if c != nil {
			t.chunks[i] = new(*c)
		}
	}
	return t
}

// Or adds the numbers of o.
func (s *Set) Or(o *Set) {
	for i, c := range o.chunks {
		if c != nil {
			s.Own(uint64(i)).Or(c)
		}
	}
}

// And keeps the numbers that are in o as well.
func (s *Set) And(o *Set) {
	for i, c := range s.chunks {
		switch other := o.Chunk(uint64(i)); {
		case c == nil:
		case other == nil:
			s.chunks[i] = nil
		default:
			c.And(other)
		}
	}
}

// AndNot removes the numbers that are in o.
func (s *Set) AndNot(o *Set) {
	for i, c := range s.chunks {
		if other := o.Chunk(uint64(i)); c != nil && other != nil {
			c.AndNot(other)
		}
	}
}
