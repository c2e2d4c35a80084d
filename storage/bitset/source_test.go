package bitset

import (
	"errors"
	"slices"
	"testing"
)

// faulty is a source whose chunk 1 can't be read.
type faulty struct{ *Set }

var errFaulty = errors.New("faulty")

func (f faulty) Read(n uint64, into *Chunk) error {
	if n == 1 {
		return errFaulty
	}
	return f.Set.Read(n, into)
}

func TestSourcesAreReadChunkByChunk(t *testing.T) {
	numbers := []uint64{0, 5, ChunkSize - 1, ChunkSize, 3*ChunkSize + 7}
	s := Of(numbers...)
	for from, want := range map[uint64][]uint64{0: numbers, 6: numbers[2:], ChunkSize + 1: numbers[4:], 9 * ChunkSize: nil} {
		var got []uint64
		for n, err := range Members(s, from) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, n)
		}
		if !slices.Equal(got, want) {
			t.Errorf("Members from %d are %v, want %v", from, got, want)
		}
	}
	if n, err := Count(s); n != 5 || err != nil {
		t.Errorf("Count is %d, %v, want 5", n, err)
	}
	var c Chunk
	c.Add(9)
	if err := s.Read(2, &c); err != nil || !c.Empty() {
		t.Errorf("Read of an empty chunk leaves %d numbers, %v", c.Len(), err)
	}
}

func TestKeepIntersectsWithASource(t *testing.T) {
	s := Of(1, 2, ChunkSize+1, 5*ChunkSize)
	if err := s.Keep(nil); err != nil || s.Len() != 4 {
		t.Fatalf("Keep(nil) leaves %d numbers, %v, want 4", s.Len(), err)
	}
	if err := s.Keep(Of(2, 3, ChunkSize+1)); err != nil {
		t.Fatal(err)
	}
	if got := slices.Collect(s.All()); !slices.Equal(got, []uint64{2, ChunkSize + 1}) {
		t.Errorf("Keep leaves %v", got)
	}
}

func TestErrorsOfSourcesAreReturned(t *testing.T) {
	s := faulty{Of(1, ChunkSize+1)}
	if _, err := Count(s); !errors.Is(err, errFaulty) {
		t.Errorf("Count returns %v", err)
	}
	var last error
	for _, err := range Members(s, 0) {
		last = err
	}
	if !errors.Is(last, errFaulty) {
		t.Errorf("Members ends with %v", last)
	}
	if err := Of(ChunkSize + 2).Keep(s); !errors.Is(err, errFaulty) {
		t.Errorf("Keep returns %v", err)
	}
}
