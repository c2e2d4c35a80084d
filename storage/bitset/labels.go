package bitset

import (
	"encoding/binary"
	"math/bits"
)

// Labels give each number of a chunk a label. They serve to count how sets that exclude
// one another share out the members of many other sets: each set's members are labelled
// once, and the members of another are counted by label in one pass, without comparing
// each with each.
type Labels [ChunkSize]uint16

// Fill gives every number a label.
func (l *Labels) Fill(label uint16) {
	l[0] = label
	for n := 1; n < len(l); n *= 2 {
		copy(l[n:], l[:n])
	}
}

// Put gives the members of a set a label.
func (l *Labels) Put(c *Chunk, label uint16) {
	for i, w := range c {
		for ; w != 0; w &= w - 1 {
			l[uint16(i<<6+bits.TrailingZeros64(w))] = label
		}
	}
}

// PutStored gives the members of a stored chunk that are in another set, too, a label, and
// returns how many they are. It costs a nanosecond for each member.
func (l *Labels) PutStored(value []byte, within *Chunk, label uint16) (n int, err error) {
	x, err := cut(value)
	if err != nil {
		return 0, err
	}
	if x.kind != containerArray {
		c, err := within.andContainer(value)
		l.Put(&c, label)
		return c.Len(), err
	}
	for b := x.body; len(b) >= 2; b = b[2:] {
		member := binary.LittleEndian.Uint16(b)
		if within.Contains(member) {
			l[member] = label
			n++
		}
	}
	return n, nil
}

// Count adds to each label's count how many members of a set have it. Counts must have a
// place for every label.
func (l *Labels) Count(c *Chunk, counts []int64) {
	for i, w := range c {
		for ; w != 0; w &= w - 1 {
			counts[l[uint16(i<<6+bits.TrailingZeros64(w))]]++
		}
	}
}

// CountStored is Count for the members of a stored chunk.
func (l *Labels) CountStored(value []byte, counts []int64) error {
	x, err := cut(value)
	if err != nil {
		return err
	}
	switch x.kind {
	case containerArray:
		b := x.body
		for ; len(b) >= 8; b = b[8:] {
			four := binary.LittleEndian.Uint64(b)
			counts[l[uint16(four)]]++
			counts[l[uint16(four>>16)]]++
			counts[l[uint16(four>>32)]]++
			counts[l[uint16(four>>48)]]++
		}
		for ; len(b) >= 2; b = b[2:] {
			counts[l[binary.LittleEndian.Uint16(b)]]++
		}
	case containerDense, containerRuns:
		var c Chunk
		if err := c.OrStored(value); err != nil {
			return err
		}
		l.Count(&c, counts)
	}
	return nil
}

// AndLenStored returns how many numbers c and a stored chunk have in common.
func (c *Chunk) AndLenStored(value []byte) (n int, err error) {
	x, err := cut(value)
	if err != nil {
		return 0, err
	}
	switch x.kind {
	case containerArray:
		for b := x.body; len(b) >= 2; b = b[2:] {
			member := binary.LittleEndian.Uint16(b)
			n += int(c[member>>6] >> (member & 63) & 1)
		}
	case containerDense:
		body := x.body[:8*words]
		for i := range c {
			n += bits.OnesCount64(c[i] & binary.LittleEndian.Uint64(body[8*i:]))
		}
	case containerRuns:
		both, err := c.andContainer(value)
		return both.Len(), err
	}
	return n, nil
}

// andContainer is what c and a stored chunk have in common.
func (c *Chunk) andContainer(value []byte) (both Chunk, err error) {
	both = *c
	return both, both.AndStored(value)
}
