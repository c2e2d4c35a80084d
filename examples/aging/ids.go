package main

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
)

// ids is a map from texts, such as numbers of items, to 8 bytes each. Made for tens of
// millions of short texts: a text takes its length and some 25 bytes, no pointers and no
// work for the garbage collector; a look-up reads two cache lines.
type ids struct {
	seed  maphash.Seed
	slots []uint64 // fingerprint and ref; 0 is empty
	n     int
	// Entries one after another: value, length, text. An entry never crosses chunks.
	chunks [][]byte
}

// ref is the place of an entry: its chunk and the place in it. It is never 0.
type ref uint64

const (
	refBits    = 40 // of a slot; the rest is the fingerprint
	placeBits  = 20
	chunkSize  = 1 << placeBits
	entryStart = 12 // bytes of value and length
	longestID  = 4096
)

func newIDs() *ids {
	// The first chunk begins after an empty entry, so that no ref is 0.
	return &ids{seed: maphash.MakeSeed(), slots: make([]uint64, 1024), chunks: [][]byte{make([]byte, entryStart, chunkSize)}}
}

func (m *ids) hash(id []byte) uint64 { return maphash.Bytes(m.seed, id) }

// find returns the entry of an id by its hash, 0 if there is none.
func (m *ids) find(id []byte, hash uint64) ref {
	at, _ := m.look(id, hash)
	return at
}

// look returns the entry, or the empty slot where it would be.
func (m *ids) look(id []byte, hash uint64) (ref, uint64) {
	mask := uint64(len(m.slots) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		slot := m.slots[i]
		if slot == 0 {
			return 0, i
		}
		at := ref(slot & (1<<refBits - 1))
		if slot>>refBits == hash>>refBits && bytes.Equal(m.id(at), id) {
			return at, i
		}
	}
}

// add makes an entry for an id, unless there is one.
func (m *ids) add(id []byte, hash uint64) (at ref, isNew bool) {
	at, slot := m.look(id, hash)
	if at != 0 {
		return at, false
	}
	last := len(m.chunks) - 1
	if len(m.chunks[last])+entryStart+len(id) > chunkSize {
		m.chunks = append(m.chunks, make([]byte, 0, chunkSize))
		last++
	}
	c := m.chunks[last]
	at = ref(last<<placeBits | len(c))
	c = append(c, 0, 0, 0, 0, 0, 0, 0, 0)
	c = binary.LittleEndian.AppendUint32(c, uint32(len(id)))
	m.chunks[last] = append(c, id...)
	m.slots[slot] = hash>>refBits<<refBits | uint64(at)
	if m.n++; m.n > len(m.slots)/4*3 {
		m.grow()
	}
	return at, true
}

func (m *ids) grow() {
	m.slots = make([]uint64, 2*len(m.slots))
	mask := uint64(len(m.slots) - 1)
	for at := range m.all {
		hash := m.hash(m.id(at))
		i := hash & mask
		for m.slots[i] != 0 {
			i = (i + 1) & mask
		}
		m.slots[i] = hash>>refBits<<refBits | uint64(at)
	}
}

// all visits the entries in the order in which they were added.
func (m *ids) all(yield func(ref) bool) {
	place := entryStart
	for n, c := range m.chunks {
		for place < len(c) {
			at := ref(n<<placeBits | place)
			if !yield(at) {
				return
			}
			place += entryStart + len(m.id(at))
		}
		place = 0
	}
}

func (m *ids) entry(at ref) []byte { return m.chunks[at>>placeBits][at&(chunkSize-1):] }

// id returns an entry's text; it must not be changed.
func (m *ids) id(at ref) []byte {
	e := m.entry(at)
	end := entryStart + binary.LittleEndian.Uint32(e[8:])
	return e[entryStart:end:end]
}

func (m *ids) value(at ref) uint64      { return binary.LittleEndian.Uint64(m.entry(at)) }
func (m *ids) set(at ref, value uint64) { binary.LittleEndian.PutUint64(m.entry(at), value) }
