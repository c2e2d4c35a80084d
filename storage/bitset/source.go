package bitset

import "iter"

// Source is a set that makes its chunks when they are asked for: the customers that a
// session may see, without first listing them all. A nil Source means everything, to
// whoever accepts one. A Source belongs to the transaction in which it was made, and is
// used from one goroutine.
type Source interface {
	// End is one more than the number of the last chunk that may have members.
	End() (uint64, error)
	// Read makes into the set's chunk n, whatever it held before.
	Read(n uint64, into *Chunk) error
	// Has reports whether a number is in the set. For a few numbers it costs less than
	// reading their chunks.
	Has(number uint64) (bool, error)
}

// Lender is a [Source] that may have chunks at hand which it need not copy.
type Lender interface {
	Source
	// Lend returns the set's chunk n: scratch, filled, or one that others read too, which
	// must not be changed and stays as it is.
	Lend(n uint64, scratch *Chunk) (*Chunk, error)
}

// Forker is a [Source] that several goroutines can read, each a fork of its own.
type Forker interface {
	Source
	// Fork returns the same set for another goroutine, which must be done with it before the
	// state that both read ends; nil when that can't be.
	Fork() Source
}

// Borrow returns a source's chunk n for reading only: scratch, filled, or one that is
// shared. That of a [Lender] may cost no copy.
func Borrow(s Source, n uint64, scratch *Chunk) (*Chunk, error) {
	if l, ok := s.(Lender); ok {
		return l.Lend(n, scratch)
	}
	return scratch, s.Read(n, scratch)
}

// End implements [Source].
func (s *Set) End() (uint64, error) { return s.Chunks(), nil }

// Read implements [Source].
func (s *Set) Read(n uint64, into *Chunk) error {
	if c := s.Chunk(n); c != nil {
		*into = *c
	} else {
		into.Clear()
	}
	return nil
}

// Has implements [Source].
func (s *Set) Has(number uint64) (bool, error) { return s.Contains(number), nil }

// Members yields the numbers of a source from one on, ascending.
func Members(s Source, from uint64) iter.Seq2[uint64, error] {
	return func(yield func(uint64, error) bool) {
		end, err := s.End()
		if err != nil {
			yield(0, err)
			return
		}
		var c Chunk
		first := uint16(from)
		for n := from / ChunkSize; n < end; n++ {
			chunk, err := Borrow(s, n, &c)
			if err != nil {
				yield(0, err)
				return
			}
			for low := range chunk.From(first) {
				if !yield(n*ChunkSize+uint64(low), nil) {
					return
				}
			}
			first = 0
		}
	}
}

// Count returns how many numbers a source has.
func Count(s Source) (total int64, err error) {
	end, err := s.End()
	if err != nil {
		return 0, err
	}
	var c Chunk
	for n := range end {
		chunk, err := Borrow(s, n, &c)
		if err != nil {
			return 0, err
		}
		total += int64(chunk.Len())
	}
	return total, nil
}

// Keep drops from s the numbers that a source doesn't have; nil has every number.
func (s *Set) Keep(in Source) error {
	if in == nil {
		return nil
	}
	var c Chunk
	for n, own := range s.chunks {
		if own == nil {
			continue
		}
		kept, err := Borrow(in, uint64(n), &c)
		if err != nil {
			return err
		}
		if own.And(kept); own.Empty() {
			s.chunks[n] = nil
		}
	}
	return nil
}
