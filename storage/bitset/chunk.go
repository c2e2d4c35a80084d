package bitset

import (
	"iter"
	"math/bits"
)

// ChunkSize is the number of neighbouring numbers in one chunk: chunk n holds the
// numbers from n·ChunkSize to (n+1)·ChunkSize − 1.
const ChunkSize = 1 << 16

const words = ChunkSize / 64

// Chunk is a set of numbers from 0 to ChunkSize − 1. The zero Chunk is empty.
type Chunk [words]uint64

// Add adds a number.
func (c *Chunk) Add(n uint16) { c[n>>6] |= 1 << (n & 63) }

// Remove removes a number.
func (c *Chunk) Remove(n uint16) { c[n>>6] &^= 1 << (n & 63) }

// Contains reports whether a number is in the set.
func (c *Chunk) Contains(n uint16) bool { return c[n>>6]&(1<<(n&63)) != 0 }

// Clear empties the set.
func (c *Chunk) Clear() { *c = Chunk{} }

// Empty reports whether the set has no number.
func (c *Chunk) Empty() bool {
	for _, w := range c {
		if w != 0 {
			return false
		}
	}
	return true
}

// Len returns how many numbers the set has.
func (c *Chunk) Len() int {
	n := 0
	for i := 0; i < words; i += 4 {
		n += bits.OnesCount64(c[i]) + bits.OnesCount64(c[i+1]) + bits.OnesCount64(c[i+2]) + bits.OnesCount64(c[i+3])
	}
	return n
}

// And keeps the numbers that are in o as well.
func (c *Chunk) And(o *Chunk) {
	for i := 0; i < words; i += 4 {
		c[i] &= o[i]
		c[i+1] &= o[i+1]
		c[i+2] &= o[i+2]
		c[i+3] &= o[i+3]
	}
}

// AndNot removes the numbers that are in o.
func (c *Chunk) AndNot(o *Chunk) {
	for i := 0; i < words; i += 4 {
		c[i] &^= o[i]
		c[i+1] &^= o[i+1]
		c[i+2] &^= o[i+2]
		c[i+3] &^= o[i+3]
	}
}

// Or adds the numbers of o.
func (c *Chunk) Or(o *Chunk) {
	for i := 0; i < words; i += 4 {
		c[i] |= o[i]
		c[i+1] |= o[i+1]
		c[i+2] |= o[i+2]
		c[i+3] |= o[i+3]
	}
}

// AndLen returns how many numbers c and o have in common.
func (c *Chunk) AndLen(o *Chunk) int {
	n := 0
	for i := 0; i < words; i += 4 {
		n += bits.OnesCount64(c[i]&o[i]) + bits.OnesCount64(c[i+1]&o[i+1]) + bits.OnesCount64(c[i+2]&o[i+2]) + bits.OnesCount64(c[i+3]&o[i+3])
	}
	return n
}

// From yields the set's numbers from n on, ascending.
func (c *Chunk) From(n uint16) iter.Seq[uint16] {
	return func(yield func(uint16) bool) {
		w := c[n>>6] &^ (1<<(n&63) - 1)
		for i := int(n >> 6); ; w = c[i] {
			for ; w != 0; w &= w - 1 {
				if !yield(uint16(i<<6 + bits.TrailingZeros64(w))) {
					return
				}
			}
			if i++; i == words {
				return
			}
		}
	}
}

// All yields the set's numbers, ascending.
func (c *Chunk) All() iter.Seq[uint16] { return c.From(0) }

// Backward yields the set's numbers, descending.
func (c *Chunk) Backward() iter.Seq[uint16] {
	return func(yield func(uint16) bool) {
		for i := words - 1; i >= 0; i-- {
			for w := c[i]; w != 0; {
				last := bits.Len64(w) - 1
				if !yield(uint16(i<<6 + last)) {
					return
				}
				w &^= 1 << last
			}
		}
	}
}

// Rank returns how many of the set's numbers are less than n.
func (c *Chunk) Rank(n uint16) int {
	rank := bits.OnesCount64(c[n>>6] & (1<<(n&63) - 1))
	for _, w := range c[:n>>6] {
		rank += bits.OnesCount64(w)
	}
	return rank
}

// Fill adds every number.
func (c *Chunk) Fill() {
	for i := range c {
		c[i] = ^uint64(0)
	}
}
