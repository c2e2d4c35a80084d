package main

import "encoding/binary"

// blockSize runes share an entry of a trie's index; package text knows the number too.
const blockSize = 64

// trie maps runes below limit to 16-bit values: an index of blocks, of which equal
// ones are stored once.
type trie struct {
	index  []uint16
	blocks []uint16
}

func newTrie(limit rune, value func(rune) uint16) *trie {
	t := &trie{}
	seen := map[[blockSize]uint16]uint16{}
	for start := rune(0); start < limit; start += blockSize {
		var block [blockSize]uint16
		for i := range block {
			block[i] = value(start + rune(i))
		}
		n, ok := seen[block]
		if !ok {
			n = uint16(len(seen))
			seen[block] = n
			t.blocks = append(t.blocks, block[:]...)
		}
		t.index = append(t.index, n)
	}
	return t
}

// appendSection appends a section as its length in bytes and its bytes, the form in
// which package text finds it.
func appendSection(b, section []byte) []byte {
	b = binary.LittleEndian.AppendUint32(b, uint32(len(section)))
	return append(b, section...)
}

func append16(b []byte, values ...uint16) []byte {
	for _, v := range values {
		b = binary.LittleEndian.AppendUint16(b, v)
	}
	return b
}
