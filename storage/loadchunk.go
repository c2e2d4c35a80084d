package storage

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"

	"github.com/clientele-go/clientele/storage/kv"
)

// A chunk ends with the first of these numbers that it reaches.
const (
	fullChunk    = 256 << 10 // bytes
	maxChunkRows = 1024
)

// loadChunk is what some hundred rows in a row come to, as one goroutine makes it. It
// keeps the place of everything: its part refers to it and copies nothing.
type loadChunk struct {
	firstRow int
	rows     int    // with those that were left out
	left     int    // rows left out, of which nothing is in the chunk
	arena    []byte // keys, each with its value behind it
	items    int    // in all runs
	indexed  int    // bytes of index keys and their values
	runs     []chunkRun
	ops      []loadOp
	counts   []loadCount
	marks    []loadMark
	interned *interned // of the goroutine that fills the chunk
	merged   []string  // the keys of counts and marks, by number
}

// runID is what the keys of a table or an index begin with.
type runID struct{ space, table, index uint8 }

func (id runID) prefixLen() int {
	if id.space == spaceIndex {
		return 3
	}
	return 2
}

// chunkRun is a chunk's keys of one table or index.
type chunkRun struct {
	id           runID
	table, index string
	unique       bool
	section      func(primary Key) int // of records, nil for none
	items        []loadItem
}

// loadItem is a key, with its value, in the arena of a chunk. The order is the first 8
// bytes of the key behind the run's prefix, or while sorting what settles the matter.
type loadItem struct {
	order    uint64
	start    uint32
	row      uint32 // in the chunk; in a part's run, in the part
	valueLen uint32
	keyLen   uint16
	chunk    uint16 // in the part
}

// maxLoadKey is the longest key that an item can have.
const maxLoadKey = 1<<16 - 1

type loadOp struct {
	row           uint32
	table, action uint8
	record        loadItem
	digest        Digest
}

type loadCount struct {
	row, key uint32
	n        int64
}

// loadMark is a row's membership in a bitmap's chunk.
type loadMark struct {
	row, key uint32
	member   uint16
}

func (c *loadChunk) reset(firstRow int) {
	c.firstRow, c.rows, c.left, c.items, c.indexed = firstRow, 0, 0, 0, 0
	c.arena, c.ops, c.counts, c.marks, c.merged = c.arena[:0], c.ops[:0], c.counts[:0], c.marks[:0], nil
	for i := range c.runs {
		c.runs[i].items = c.runs[i].items[:0]
	}
}

// bytes is about the memory that the chunk will have cost when its part is written, for
// which items and index keys are copied.
func (c *loadChunk) bytes() int {
	return len(c.arena) + c.indexed + 2*24*c.items + 56*len(c.ops) + 16*len(c.counts) + 12*len(c.marks)
}

func (c *loadChunk) row() uint32 { return uint32(c.rows) }

// run returns the run of an index or table. It is good until the next call.
func (c *loadChunk) run(id runID, table, index string, unique bool) *chunkRun {
	for i := range c.runs {
		if c.runs[i].id == id {
			return &c.runs[i]
		}
	}
	c.runs = append(c.runs, chunkRun{id: id, table: table, index: index, unique: unique})
	return &c.runs[len(c.runs)-1]
}

// key appends the key that is made of a run's prefix and two pieces. What the caller
// appends to the arena behind it is the value; add takes both in.
func (c *loadChunk) key(r *chunkRun, head, tail Key, limits kv.Limits) (loadItem, error) {
	n := r.id.prefixLen()
	length := n + len(head) + len(tail)
	if length > min(limits.KeyBytes, maxLoadKey) {
		return loadItem{}, fmt.Errorf("%w: key of %d bytes, at most %d", ErrLimit, length, min(limits.KeyBytes, maxLoadKey))
	}
	item := loadItem{start: uint32(len(c.arena)), row: c.row(), keyLen: uint16(length)}
	c.arena = append(c.arena, r.id.space, r.id.table, r.id.index)[:len(c.arena)+n]
	c.arena = append(c.arena, head...)
	c.arena = append(c.arena, tail...)
	item.order = wordAt(c.arena[item.start:], n)
	return item, nil
}

// wordAt returns 8 bytes of a key as a number that orders as they do; behind the key's
// end there are zeros.
func wordAt(key []byte, at int) uint64 {
	if len(key) >= at+8 {
		return binary.BigEndian.Uint64(key[at:])
	}
	var word [8]byte
	if at < len(key) {
		copy(word[:], key[at:])
	}
	return binary.BigEndian.Uint64(word[:])
}

func (c *loadChunk) add(r *chunkRun, item loadItem) loadItem {
	item.valueLen = uint32(len(c.arena)) - item.start - uint32(item.keyLen)
	r.items = append(r.items, item)
	c.items++
	if r.id.space == spaceIndex {
		c.indexed += int(item.keyLen) + int(item.valueLen)
	}
	return item
}

// value is the value of an item of the chunk.
func (c *loadChunk) value(item loadItem) []byte {
	start := item.start + uint32(item.keyLen)
	return c.arena[start : start+item.valueLen : start+item.valueLen]
}

// count notes the change of a counter.
func (c *loadChunk) count(key []byte, n int64) {
	c.counts = append(c.counts, loadCount{row: c.row(), key: c.interned.number(key), n: n})
}

// close ends the filling. Until then merged may miss keys.
func (c *loadChunk) close() { c.merged = c.interned.keys }

// interned numbers the keys of counters and bitmaps, which are few and come again and
// again. Numbers once given out stay what they are in keys.
type interned struct {
	numbers map[string]uint32
	keys    []string
}

// mostInterned bounds the memory; chunks that were closed keep what they need.
const mostInterned = 1 << 16

func (t *interned) number(key []byte) uint32 {
	n, found := t.numbers[string(key)]
	if !found {
		n = uint32(len(t.keys))
		t.keys = append(t.keys, string(key))
		t.numbers[t.keys[n]] = n
	}
	return n
}

// begin makes a new table when this one is full. It may be called between two chunks.
func (t *interned) begin() *interned {
	if t == nil || len(t.keys) > mostInterned {
		return &interned{numbers: map[string]uint32{}}
	}
	return t
}

// chunkEnd is how far a chunk is filled.
type chunkEnd struct{ arena, ops, counts, marks int }

func (c *loadChunk) end() chunkEnd {
	return chunkEnd{len(c.arena), len(c.ops), len(c.counts), len(c.marks)}
}

// rewind takes out what was added since the chunk was filled so far.
func (c *loadChunk) rewind(to chunkEnd) {
	c.arena, c.ops, c.counts, c.marks = c.arena[:to.arena], c.ops[:to.ops], c.counts[:to.counts], c.marks[:to.marks]
	for i := range c.runs {
		r := &c.runs[i]
		n := len(r.items)
		for n > 0 && int(r.items[n-1].start) >= to.arena {
			n--
			if r.id.space == spaceIndex {
				c.indexed -= int(r.items[n].keyLen) + int(r.items[n].valueLen)
			}
		}
		c.items -= len(r.items) - n
		r.items = r.items[:n]
	}
}

// nonces draws nonces in blocks, since each call of crypto/rand costs more than eight
// bytes do. It is not safe for concurrent use.
type nonces struct {
	block [1024]byte
	left  int
}

func (n *nonces) append(dst []byte) []byte {
	if n.left == 0 {
		rand.Read(n.block[:]) // never fails: crypto/rand, since Go 1.24
		n.left = len(n.block)
	}
	at := len(n.block) - n.left
	n.left -= nonceBytes
	return append(dst, n.block[at:at+nonceBytes]...)
}
