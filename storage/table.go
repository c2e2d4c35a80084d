package storage

import (
	"errors"
	"fmt"
	"iter"

	"github.com/clientele-go/clientele/storage/kv"
)

// Table is a typed table: records under keys of type K, with declared indexes that are
// changed together with the record. V is the pointer to a record, as in
// Table[uint64, *Account]: so a program holds one compiled form of all its tables.
// A Table is a description, made once and not changed after [Open]; all its methods
// are safe for concurrent use with different transactions.
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

	// Append encodes a record. It must not keep v.
	Append func(dst []byte, v V) ([]byte, error)
	// Decode makes a record of bytes, whose memory it may share, and its meta.
	Decode func(src string, key K, m Meta) (V, error)
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
}

// Name returns the table's name.
func (t *Table[K, V]) Name() string { return t.Label }

func (t *Table[K, V]) describe() tableLayout {
	layout := tableLayout{id: t.ID, history: t.History}
	for _, x := range t.Indexes {
		layout.indexes = append(layout.indexes, indexLayout{x.ID, x.Label, x.Unique})
	}
	for _, tally := range t.Tallies {
		layout.tallies = append(layout.tallies, indexLayout{id: tally.ID, name: tally.Label})
	}
	for _, b := range t.Bitmaps {
		layout.bitmaps = append(layout.bitmaps, bitmapLayout{b.ID, b.Label, b.Versioned != nil})
	}
	return layout
}

func (t *Table[K, V]) recordKey(dst Key, k K) Key {
	return t.Key.Append(append(dst, spaceRecord, t.ID), k)
}

func (t *Table[K, V]) indexKey(dst Key, x *Index[V]) Key {
	return append(dst, spaceIndex, t.ID, x.ID)
}

func (t *Table[K, V]) historyKey(dst Key, primary Key, version uint64) Key {
	return append(append(dst, spaceHistory, t.ID), primary...).Uint(version)
}

// Get returns the record, or an error that wraps ErrNotFound. It costs one engine
// read and the allocations of Decode and its source.
func (t *Table[K, V]) Get(r *Reader, k K) (V, error) {
	var none V
	r.key = t.recordKey(r.key[:0], k)
	stored, found, err := t.stored(r, r.key)
	if err != nil {
		return none, t.wrap("get", k, err)
	}
	if !found {
		return none, t.wrap("get", k, ErrNotFound)
	}
	v, _, err := t.open(stored, k)
	return v, err
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
	m, content, err := openEnvelope(stored)
	if err != nil {
		return none, m, t.wrap("get", k, err)
	}
	if m.Erased || m.Deleted {
		return none, m, t.wrap("get", k, ErrErased)
	}
	v, err := t.Decode(content, k, m)
	if err != nil {
		return none, m, t.wrap("get", k, fmt.Errorf("%w: %w", ErrCorrupt, err))
	}
	return v, m, nil
}

// some reports whether v is a record, not nil.
func some[V any](v V) bool {
	var none V
	return any(v) != any(none)
}

// Insert stores a new record and fails with ErrExists when the key is taken.
func (t *Table[K, V]) Insert(tx *Tx, k K, v V, action uint8) error {
	var none V
	found, err := t.Has(&tx.Reader, k)
	if err != nil {
		return t.wrap("insert", k, err)
	}
	if found {
		return t.wrap("insert", k, ErrExists)
	}
	version, err := t.lastVersion(&tx.Reader, k)
	if err != nil {
		return err
	}
	return t.write(tx, k, none, v, version+1, action)
}

// InsertNew is Insert for a key that was never used before, such as a fresh
// number of a [Sequence]; it reads nothing but the unique indexes.
func (t *Table[K, V]) InsertNew(tx *Tx, k K, v V, action uint8) error {
	var none V
	return t.write(tx, k, none, v, 1, action)
}

// Put stores a record, new or not. The present version, if there is one, moves
// to the history.
func (t *Table[K, V]) Put(tx *Tx, k K, v V, action uint8) error {
	old, m, err := t.current(tx, k)
	if err != nil {
		return err
	}
	version := m.Version
	if !some(old) {
		if version, err = t.lastVersion(&tx.Reader, k); err != nil {
			return err
		}
	}
	return t.write(tx, k, old, v, version+1, action)
}

// Delete removes a record; with History its versions stay and the deletion is one
// more. It fails with ErrNotFound when there is none.
func (t *Table[K, V]) Delete(tx *Tx, k K, action uint8) error {
	var none V
	old, m, err := t.current(tx, k)
	if err != nil {
		return err
	}
	if !some(old) {
		return t.wrap("delete", k, ErrNotFound)
	}
	primary := t.Key.Append(nil, k)
	if err := t.reindex(tx, primary, old, none); err != nil {
		return err
	}
	tx.delete(t.recordKey(nil, k))
	tx.caching = tx.caching || t.Pinned
	if t.History {
		m.Version++
		stored := appendEnvelope(nil, stateDeleted, tx.meta(m.Version))
		tx.set(t.historyKey(nil, primary, m.Version), stored)
		tx.note(t.ID, primary, m.Version, action, digestOf(stored))
	}
	return nil
}

// current returns the present record for a write, nil when there is none, and
// moves its bytes to the history.
func (t *Table[K, V]) current(tx *Tx, k K) (V, Meta, error) {
	var none V
	stored, found, err := tx.Reader.get(t.recordKey(nil, k))
	if err != nil || !found {
		return none, Meta{}, err
	}
	old, m, err := t.open(string(stored), k)
	if err != nil {
		return none, m, err
	}
	if t.History {
		tx.set(t.historyKey(nil, t.Key.Append(nil, k), m.Version), stored)
	}
	return old, m, nil
}

// lastVersion is the version that a deleted record ended with, 0 for a new one.
func (t *Table[K, V]) lastVersion(r *Reader, k K) (uint64, error) {
	if !t.History {
		return 0, nil
	}
	for m, err := range t.versions(r, k, true) {
		return m.meta.Version, err
	}
	return 0, nil
}

func (t *Table[K, V]) write(tx *Tx, k K, old, v V, version uint64, action uint8) error {
	if tx.ended {
		return t.wrap("put", k, ErrEnded)
	}
	if err := tx.store.schema.declares(t); err != nil {
		return t.wrap("put", k, err)
	}
	tx.primary = t.Key.Append(tx.primary[:0], k)
	primary := Key(tx.pending.bytes.copy(tx.primary)) // the journal entry keeps it
	stored, err := t.Append(appendEnvelope(tx.encode[:0], stateLive, tx.meta(version)), v)
	tx.encode = stored
	if err != nil {
		return t.wrap("put", k, err)
	}
	if err := t.reindex(tx, primary, old, v); err != nil {
		return err
	}
	tx.full = t.recordKey(tx.full[:0], k)
	tx.set(tx.full, stored)
	tx.caching = tx.caching || t.Pinned
	if t.History {
		tx.note(t.ID, primary, version, action, digestOf(stored))
	}
	return nil
}

func (tx *Tx) meta(version uint64) Meta {
	return Meta{Version: version, Recorded: tx.now, Actor: tx.session.Actor, Reason: tx.session.Reason}
}

func (tx *Tx) note(table uint8, key Key, version uint64, action uint8, digest Digest) {
	tx.changes = append(tx.changes, Op{Table: table, Key: key, Version: version, Action: action, Digest: digest})
}

// reindex changes index entries, tallies and bitmaps from those of old to those of v;
// either may be nil.
func (t *Table[K, V]) reindex(tx *Tx, primary Key, old, v V) error {
	if err := t.recount(tx, old, v); err != nil {
		return err
	}
	if err := t.remark(tx, primary, old, v); err != nil {
		return err
	}
	for _, x := range t.Indexes {
		tx.before.reset()
		tx.after.reset()
		if some(old) {
			x.Keys(&tx.before, old)
		}
		if some(v) {
			x.Keys(&tx.after, v)
		}
		t.dropEntries(tx, x, primary)
		if err := t.addEntries(tx, x, primary); err != nil {
			return err
		}
	}
	return nil
}

func (t *Table[K, V]) dropEntries(tx *Tx, x *Index[V], primary Key) {
	for i := range tx.before.len() {
		if key := tx.before.at(i); !tx.after.has(key) {
			tx.full = t.entryKey(tx.full[:0], x, key, primary)
			tx.delete(tx.full)
		}
	}
}

func (t *Table[K, V]) addEntries(tx *Tx, x *Index[V], primary Key) error {
	for i := range tx.after.len() {
		key := tx.after.at(i)
		if tx.before.has(key) {
			continue
		}
		tx.full = t.entryKey(tx.full[:0], x, key, primary)
		if !x.Unique {
			tx.set(tx.full, nil)
			continue
		}
		holder, taken, err := tx.Reader.get(tx.full)
		if err != nil {
			return err
		}
		if taken && string(holder) != string(primary) {
			return &UniqueError{Table: t.Label, Index: x.Label, Key: append(Key(nil), key...), Holder: append(Key(nil), holder...)}
		}
		tx.set(tx.full, primary)
	}
	return nil
}

// entryKey appends the stored key of an index entry.
func (t *Table[K, V]) entryKey(dst Key, x *Index[V], key, primary Key) Key {
	dst = append(t.indexKey(dst, x), key...)
	if x.Unique {
		return dst
	}
	return append(dst, primary...)
}

// Lookup returns the primary key that a unique index has for an index key.
func (t *Table[K, V]) Lookup(r *Reader, x *Index[V], key Key) (K, error) {
	var none K
	r.key = append(t.indexKey(r.key[:0], x), key...)
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
		space := t.indexKey(nil, x)
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
