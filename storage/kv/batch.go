package kv

import (
	"crypto/rand"
	"encoding/binary"
	"time"
)

// Durability says what Apply waits for.
type Durability uint8

const (
	// Synced waits until the batch survives a power loss. Concurrent callers share
	// one sync.
	Synced Durability = iota
	// Relaxed returns as soon as the batch is visible. A crash of the process or the
	// machine may take back the last relaxed batches, newest first and never
	// in part, and none that a synced batch came after. The journal shows them only
	// once they are durable.
	Relaxed
)

// BatchID makes retrying a batch safe. The first 8 bytes are a Unix time in
// milliseconds, big-endian, so that an engine can forget old ids by range; the
// rest is random. Engines remember an id for at least [RememberBatch].
type BatchID [16]byte

// RememberBatch is how long an engine recognises a batch id.
const RememberBatch = 24 * time.Hour

// NewBatchID returns a fresh id for a batch made at t.
func NewBatchID(t time.Time) BatchID {
	var id BatchID
	binary.BigEndian.PutUint64(id[:8], uint64(t.UnixMilli()))
	rand.Read(id[8:]) // never fails: crypto/rand, since Go 1.24
	return id
}

// Time returns the moment that the id was made for.
func (id BatchID) Time() time.Time {
	return time.UnixMilli(int64(binary.BigEndian.Uint64(id[:8])))
}

// Kind tells what an operation does to its key.
type Kind uint8

const (
	Set Kind = iota
	Delete
	// Merge folds a delta into the key's value; see [Fold].
	Merge
)

// Op is one operation of a batch.
type Op struct {
	Kind       Kind
	Key, Value []byte // Value is empty for Delete, a delta for Merge
}

// Batch is a conditional atomic commit. Operations take effect in the order in
// which they were added. The zero Batch is empty and ready to use; it is not safe
// for concurrent use.
type Batch struct {
	// ID, when not zero, makes the batch safe to try again.
	ID BatchID
	// Since and Reads are the batch's condition: nothing in Reads has been written
	// after Since. No Reads, no condition.
	Since Stamp
	Reads []Range
	// Journal is the batch's journal entry; nil commits without one.
	Journal    []byte
	Durability Durability

	ops   []Op
	bytes int64
}

// Set adds an operation that stores a value. Key and value are copied.
func (b *Batch) Set(key, value []byte) { b.add(Set, key, value) }

// Delete adds an operation that removes a key; removing an absent key is harmless.
func (b *Batch) Delete(key []byte) { b.add(Delete, key, nil) }

// Merge adds an operation that folds a delta, made by [CounterDelta] or
// [BitmapDelta], into the key's value. Merges of one key commute, so they never
// conflict with one another; they do conflict with a read of the key.
func (b *Batch) Merge(key, delta []byte) { b.add(Merge, key, delta) }

func (b *Batch) add(kind Kind, key, value []byte) {
	buf := make([]byte, len(key)+len(value))
	copy(buf, key)
	copy(buf[len(key):], value)
	b.ops = append(b.ops, Op{kind, buf[:len(key):len(key)], buf[len(key):]})
	b.bytes += int64(len(buf))
}

// Take adds operations whose slice and bytes the caller leaves alone until Apply has
// returned; nothing is copied.
func (b *Batch) Take(ops []Op) {
	if len(b.ops) == 0 {
		b.ops = ops[:len(ops):len(ops)]
	} else {
		b.ops = append(b.ops, ops...)
	}
	for _, op := range ops {
		b.bytes += int64(len(op.Key) + len(op.Value))
	}
}

// Ops returns the operations in order. The slice and its bytes are the batch's own.
func (b *Batch) Ops() []Op { return b.ops }

// Bytes is the size of all keys and values together.
func (b *Batch) Bytes() int64 { return b.bytes + int64(len(b.Journal)) }

// Run is a sorted list of new keys: strictly ascending, read any number of times.
type Run interface {
	Len() int
	Key(i int) []byte
	Value(i int) []byte
}

// Sectioned is a Run whose keys have sections, to the ends of which later loads add: the
// months, say, of a log whose keys begin with a month. An engine that keeps them apart need
// not merge what was loaded with what comes later.
type Sectioned interface {
	Run
	// Section is how many of the key's first bytes name its section.
	Section(i int) int
}

// Load is a bulk commit of keys that are new to the engine.
type Load struct {
	// Since is the stamp of the snapshot in which the caller saw that the keys were absent.
	// Reads are a condition as that of a Batch.
	Since Stamp
	Reads []Range
	// Runs hold the new keys. Their key ranges must not overlap one another.
	Runs []Run
	// Merges are folded in as by Apply: keys ascending, no key twice, none within a run's range.
	Merges []Op
	// Journal entries take consecutive positions.
	Journal [][]byte
}
