package storage

import (
	"errors"
	"fmt"
	"iter"
	"sync/atomic"

	"github.com/clientele-go/clientele/storage/kv"
)

// Table is a typed table: records under keys of type K, with declared indexes that are
// changed together with the record. V is the pointer to a record, as in
// Table[uint64, *Account].
//
// A Table is a description, made once, never copied and not changed after [Open]; all its
// methods are safe for concurrent use with different transactions.
//
// Every version carries a [Meta]. With History, earlier versions are kept and every
// change is named, with its digest, in the journal; without, a change leaves no trace.
type Table[K, V any] struct {
	ID      uint8
	Label   string // the table's name
	Key     KeyCodec[K]
	Indexes []*Index[V]
	Tallies []*Tally[V]
	Bitmaps []*Bitmap[V] // of tables with a [UintKey] below 2^48
	History bool
	// Numbers is the sequence that new records take their keys from, for a table with a
	// [UintKey]; Verify sees when it would give one out again.
	Numbers *Sequence
	// Pinned keeps what is read of a table in memory: one with few records, which
	// nearly every transaction reads. It can't be loaded in bulk, and has no effect
	// where other processes write too.
	Pinned bool

	// Local tells of records that belong to this copy of the book alone, such as how far a
	// view has come; [Store.Dump] leaves them out. Nil tells of none.
	Local func(key K) bool

	// Section is how many of the first bytes of a primary key name its section, to whose
	// end bulk loads add; see [kv.Sectioned]. Nil is for tables without.
	Section func(primary Key) int

	// Append encodes a record. It must not keep v.
	Append func(dst []byte, v V) ([]byte, error)
	// Decode makes a record of bytes, whose memory it may share, and its meta.
	Decode func(src string, key K, m Meta) (V, error)

	known atomic.Pointer[layout] // what describe made
}

// Index derives keys from a record. Index keys need not be unique: without Unique
// an index entry is the index key followed by the primary key.
type Index[V any] struct {
	ID     uint8
	Label  string
	Unique bool
	// Keys adds the record's keys to the set. It must depend on v alone.
	Keys func(set *KeySet, v V)
	// Version names what Keys does beyond that: it changes when the same record would
	// get other keys, as with newer tables of Unicode. A book whose index was made by
	// another version makes it anew when it is opened.
	Version string
	// Watched has the store remember which of the index's keys were written lately; see
	// [Table.ChangedKeys]. It costs a copy of each.
	Watched bool
}

// Name returns the table's name.
func (t *Table[K, V]) Name() string { return t.Label }

// Get returns the record, or an error that wraps ErrNotFound. It costs one engine
// read and the allocations of Decode and its source.
func (t *Table[K, V]) Get(r *Reader, k K) (V, error) {
	v, found, err := t.Find(r, k)
	if err == nil && !found {
		err = t.wrap("get", k, ErrNotFound)
	}
	return v, err
}

// Find is Get for a record that may well be absent, which it reports instead of making an error.
func (t *Table[K, V]) Find(r *Reader, k K) (v V, found bool, err error) {
	r.key = t.recordKey(r.key[:0], k)
	stored, found, err := t.stored(r, r.key)
	if err != nil {
		return v, false, t.wrap("get", k, err)
	}
	if !found {
		return v, false, nil
	}
	v, _, err = t.open(stored, k)
	return v, err == nil, err
}

func (t *Table[K, V]) recordKey(dst Key, k K) Key {
	return t.Key.Append(append(dst, spaceRecord, t.ID), k)
}

func (t *Table[K, V]) stored(r *Reader, key Key) (stored string, found bool, err error) {
	if t.Pinned {
		return r.getCached(key)
	}
	value, found, err := r.get(key)
	return string(value), found, err
}

// Has reports whether the record exists.
func (t *Table[K, V]) Has(r *Reader, k K) (bool, error) {
	r.key = t.recordKey(r.key[:0], k)
	_, found, err := r.get(r.key)
	return found, err
}

func (t *Table[K, V]) open(stored string, k K) (V, Meta, error) {
	var none V
	content, m, err := openLive(stored)
	if err != nil {
		return none, m, t.wrap("get", k, err)
	}
	v, err := t.Decode(content, k, m)
	if err != nil {
		return none, m, t.wrap("get", k, fmt.Errorf("%w: %w", ErrCorrupt, err))
	}
	return v, m, nil
}

// primary is a record's key in the memory of a transaction, where the journal entry
// may keep it.
func (t *Table[K, V]) primary(tx *Tx, k K) Key {
	if tx.ended {
		return t.Key.Append(nil, k)
	}
	tx.primary = t.Key.Append(tx.primary[:0], k)
	return Key(tx.pending.bytes.copy(tx.primary))
}

// Insert stores a new record and fails with ErrExists when the key is taken.
func (t *Table[K, V]) Insert(tx *Tx, k K, v V, action uint8) error {
	return t.describe().insert(tx, t.primary(tx, k), v, action)
}

// InsertNew is Insert for a key that was never used before, such as a fresh
// number of a [Sequence]; it reads nothing but the unique indexes.
func (t *Table[K, V]) InsertNew(tx *Tx, k K, v V, action uint8) error {
	return t.describe().write(tx, t.primary(tx, k), nil, v, 1, action)
}

// Put stores a record, new or not. The present version, if there is one, moves
// to the history.
func (t *Table[K, V]) Put(tx *Tx, k K, v V, action uint8) error {
	return t.describe().put(tx, t.primary(tx, k), v, action)
}

// Delete removes a record; with History its versions stay and the deletion is one
// more. It fails with ErrNotFound when there is none.
func (t *Table[K, V]) Delete(tx *Tx, k K, action uint8) error {
	return t.describe().remove(tx, t.primary(tx, k), action)
}

// Lookup returns the primary key that a unique index has for an index key.
func (t *Table[K, V]) Lookup(r *Reader, x *Index[V], key Key) (K, error) {
	var none K
	r.key = append(append(r.key[:0], spaceIndex, t.ID, x.ID), key...)
	holder, found, err := r.get(r.key)
	if err != nil {
		return none, &Error{Op: "look up", Table: t.Label, Key: x.Label, Err: err}
	}
	if !found {
		return none, &Error{Op: "look up", Table: t.Label, Key: x.Label, Err: ErrNotFound}
	}
	return t.Key.Decode(holder)
}

// Records yields the records of a key range in key order; a zero range is the
// whole table. Bounds are keys as the table's codec writes them.
func (t *Table[K, V]) Records(r *Reader, keys kv.Range, reverse bool) iter.Seq2[V, error] {
	return t.RecordsOf(r, keys, reverse, func(K) bool { return true })
}

// RecordsOf is Records without those whose keys are not wanted: it passes over one at a
// third of what it costs to read it.
func (t *Table[K, V]) RecordsOf(r *Reader, keys kv.Range, reverse bool, wanted func(K) bool) iter.Seq2[V, error] {
	var none V
	return func(yield func(V, error) bool) {
		space := []byte{spaceRecord, t.ID}
		for e, err := range r.scan(within(space, keys), reverse) {
			if err != nil {
				yield(none, &Error{Op: "scan", Table: t.Label, Err: err})
				return
			}
			k, err := t.Key.Decode(e.Key[len(space):])
			if err != nil {
				yield(none, &Error{Op: "scan", Table: t.Label, Err: err})
				return
			}
			if !wanted(k) {
				continue
			}
			v, _, err := t.open(string(e.Value), k)
			if !yield(v, err) || err != nil {
				return
			}
		}
	}
}

// Entries yields, in index order, the primary keys of the entries in a range of
// index keys; a zero range is the whole index. The bytes after the index key's own
// parts are the primary key's, so a range made by [kv.Prefix] of complete parts
// holds exactly the records with these parts.
func (t *Table[K, V]) Entries(r *Reader, x *Index[V], keys kv.Range, reverse bool) iter.Seq2[IndexEntry[K], error] {
	return func(yield func(IndexEntry[K], error) bool) {
		space := Key{spaceIndex, t.ID, x.ID}
		for e, err := range r.scan(within(space, keys), reverse) {
			if err != nil {
				yield(IndexEntry[K]{}, &Error{Op: "scan", Table: t.Label, Key: x.Label, Err: err})
				return
			}
			entry := IndexEntry[K]{index: e.Key[len(space):], value: e.Value, unique: x.Unique, decode: t.Key.Decode}
			if !yield(entry, nil) {
				return
			}
		}
	}
}

// IndexEntry is one entry of an index, lent until the loop's next step.
type IndexEntry[K any] struct {
	index, value Key
	unique       bool
	decode       func(Key) (K, error)
}

// Key is the index key, in a non-unique index followed by the primary key. Cut the
// index key's parts off and give the rest to Primary.
func (e IndexEntry[K]) Key() Key { return e.index }

// Primary returns the record's key, given what is left of Key after its parts; a
// unique index needs nothing.
func (e IndexEntry[K]) Primary(rest Key) (K, error) {
	if e.unique {
		rest = e.value
	}
	return e.decode(rest)
}

// within puts a range of keys behind a prefix.
func within(space []byte, keys kv.Range) kv.Range {
	whole := kv.Prefix(space)
	lower := append(append([]byte(nil), space...), keys.Lower...)
	if keys.Upper == nil {
		return kv.Range{Lower: lower, Upper: whole.Upper}
	}
	return kv.Range{Lower: lower, Upper: append(append([]byte(nil), space...), keys.Upper...)}
}

func (t *Table[K, V]) wrap(op string, k K, err error) error {
	var structured *Error
	if errors.As(err, &structured) {
		return err
	}
	return &Error{Op: op, Table: t.Label, Key: fmt.Sprint(k), Err: err}
}
