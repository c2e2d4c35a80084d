package storage

import (
	"errors"
	"fmt"
)

// layout is what the store knows of a table: its ids, what is derived from its records,
// and how they are read and written, without their types. What works on keys and bytes
// works on it, so that it is compiled once and not for every table.
type layout struct {
	id      uint8
	label   string
	history bool
	pinned  bool
	numbers *Sequence
	indexes []*part
	tallies []*part
	bitmaps []*part

	local   func(primary Key) bool                                 // nil for none
	section func(primary Key) int                                  // nil for none
	valid   func(primary Key) error                                // whether a primary key can be read
	name    func(primary Key) string                               // a primary key, for people
	encode  func(dst []byte, v any) ([]byte, error)                // Append
	decode  func(src string, primary Key, m Meta) (v any, _ error) // Decode
}

// part is an index, a tally or a bitmap of a table.
type part struct {
	space     uint8 // in which it is kept
	id        uint8
	label     string
	version   string
	unique    bool               // of an index
	watched   bool               // the same
	versioned func(key Key) bool // of a bitmap; nil for none
	keys      func(set *KeySet, v any)
}

// parts lists everything that the table derives from its records.
func (l *layout) parts() []*part {
	return append(append(append([]*part(nil), l.indexes...), l.tallies...), l.bitmaps...)
}

// describe returns the table's layout. It is made once, and again while a program still
// adds indexes to the table.
func (t *Table[K, V]) describe() *layout {
	l := t.known.Load()
	if l == nil || len(l.indexes) != len(t.Indexes) || len(l.tallies) != len(t.Tallies) || len(l.bitmaps) != len(t.Bitmaps) {
		l = t.newLayout()
		t.known.Store(l)
	}
	return l
}

func (t *Table[K, V]) newLayout() *layout {
	l := &layout{id: t.ID, label: t.Label, history: t.History, pinned: t.Pinned, numbers: t.Numbers, section: t.Section}
	for _, x := range t.Indexes {
		l.indexes = append(l.indexes, &part{space: spaceIndex, id: x.ID, label: x.Label, version: x.Version, unique: x.Unique, watched: x.Watched, keys: untyped(x.Keys)})
	}
	for _, y := range t.Tallies {
		l.tallies = append(l.tallies, &part{space: spaceCounter, id: y.ID, label: y.Label, version: y.Version, keys: untyped(y.Keys)})
	}
	for _, b := range t.Bitmaps {
		l.bitmaps = append(l.bitmaps, &part{space: spaceBitmap, id: b.ID, label: b.Label, version: b.Version, versioned: b.Versioned, keys: untyped(b.Keys)})
	}
	if t.Local != nil {
		l.local = func(primary Key) bool {
			k, err := t.Key.Decode(primary)
			return err == nil && t.Local(k)
		}
	}
	l.valid = func(primary Key) error {
		_, err := t.Key.Decode(primary)
		return err
	}
	l.name = func(primary Key) string {
		k, err := t.Key.Decode(primary)
		if err != nil {
			return fmt.Sprintf("% x", []byte(primary))
		}
		return fmt.Sprint(k)
	}
	l.encode = func(dst []byte, v any) ([]byte, error) { return t.Append(dst, v.(V)) }
	l.decode = func(src string, primary Key, m Meta) (any, error) {
		k, err := t.Key.Decode(primary)
		if err != nil {
			return nil, err
		}
		return t.Decode(src, k, m)
	}
	return l
}

func untyped[V any](keys func(set *KeySet, v V)) func(set *KeySet, v any) {
	return func(set *KeySet, v any) { keys(set, v.(V)) }
}

func (l *layout) recordKey(dst, primary Key) Key {
	return append(append(dst, spaceRecord, l.id), primary...)
}

func (l *layout) indexKey(dst Key, x *part) Key {
	return append(dst, spaceIndex, l.id, x.id)
}

func (l *layout) historyKey(dst, primary Key, version uint64) Key {
	return append(append(dst, spaceHistory, l.id), primary...).Uint(version)
}

func (l *layout) wrap(op string, primary Key, err error) error {
	var structured *Error
	if errors.As(err, &structured) {
		return err
	}
	return &Error{Op: op, Table: l.label, Key: l.name(primary), Err: err}
}

// openLive reads what is in front of a record and returns its content, or ErrErased when
// it has none any more.
func openLive(stored string) (content string, m Meta, err error) {
	m, content, err = openEnvelope(stored)
	if err == nil && (m.Erased || m.Deleted) {
		err = ErrErased
	}
	return content, m, err
}

func (l *layout) open(stored string, primary Key) (any, Meta, error) {
	content, m, err := openLive(stored)
	if err != nil {
		return nil, m, l.wrap("get", primary, err)
	}
	v, err := l.decode(content, primary, m)
	if err != nil {
		return nil, m, l.wrap("get", primary, fmt.Errorf("%w: %w", ErrCorrupt, err))
	}
	return v, m, nil
}

func (l *layout) insert(tx *Tx, primary Key, v any, action uint8) error {
	_, found, err := tx.Reader.get(l.recordKey(nil, primary))
	if err != nil {
		return l.wrap("insert", primary, err)
	}
	if found {
		return l.wrap("insert", primary, ErrExists)
	}
	version, err := l.lastVersion(&tx.Reader, primary)
	if err != nil {
		return err
	}
	return l.write(tx, primary, nil, v, version+1, action)
}

func (l *layout) put(tx *Tx, primary Key, v any, action uint8) error {
	old, m, err := l.current(tx, primary)
	if err != nil {
		return err
	}
	version := m.Version
	if old == nil {
		if version, err = l.lastVersion(&tx.Reader, primary); err != nil {
			return err
		}
	}
	return l.write(tx, primary, old, v, version+1, action)
}

func (l *layout) remove(tx *Tx, primary Key, action uint8) error {
	old, m, err := l.current(tx, primary)
	if err != nil {
		return err
	}
	if old == nil {
		return l.wrap("delete", primary, ErrNotFound)
	}
	if err := l.reindex(tx, primary, old, nil); err != nil {
		return err
	}
	tx.delete(l.recordKey(nil, primary))
	tx.caching = tx.caching || l.pinned
	if l.history {
		m.Version++
		stored := appendEnvelope(nil, stateDeleted, tx.meta(m.Version))
		tx.set(l.historyKey(nil, primary, m.Version), stored)
		tx.note(l.id, primary, m.Version, action, digestOf(stored))
	}
	return nil
}

// current returns the present record for a write, nil when there is none, and
// moves its bytes to the history.
func (l *layout) current(tx *Tx, primary Key) (any, Meta, error) {
	stored, found, err := tx.Reader.get(l.recordKey(nil, primary))
	if err != nil || !found {
		return nil, Meta{}, err
	}
	old, m, err := l.open(string(stored), primary)
	if err != nil {
		return nil, m, err
	}
	if l.history {
		tx.set(l.historyKey(nil, primary, m.Version), stored)
	}
	return old, m, nil
}

// lastVersion is the version that a deleted record ended with, 0 for a new one.
func (l *layout) lastVersion(r *Reader, primary Key) (uint64, error) {
	if !l.history {
		return 0, nil
	}
	for m, err := range l.versions(r, primary, true) {
		return m.meta.Version, err
	}
	return 0, nil
}

func (l *layout) write(tx *Tx, primary Key, old, v any, version uint64, action uint8) error {
	if tx.ended {
		return l.wrap("put", primary, ErrEnded)
	}
	if err := tx.store.declares(l); err != nil {
		return l.wrap("put", primary, err)
	}
	stored, err := l.encode(appendEnvelope(tx.encode[:0], stateLive, tx.meta(version)), v)
	tx.encode = stored
	if err != nil {
		return l.wrap("put", primary, err)
	}
	if err := l.reindex(tx, primary, old, v); err != nil {
		return err
	}
	tx.full = l.recordKey(tx.full[:0], primary)
	tx.set(tx.full, stored)
	tx.caching = tx.caching || l.pinned
	if l.history {
		tx.note(l.id, primary, version, action, digestOf(stored))
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
func (l *layout) reindex(tx *Tx, primary Key, old, v any) error {
	if err := l.recount(tx, old, v); err != nil {
		return err
	}
	if err := l.remark(tx, primary, old, v); err != nil {
		return err
	}
	for _, x := range l.indexes {
		tx.collect(x, old, v)
		l.dropEntries(tx, x, primary)
		if err := l.addEntries(tx, x, primary); err != nil {
			return err
		}
	}
	return nil
}

// collect finds the keys that a part has for the records before and after a change;
// either may be nil.
func (tx *Tx) collect(p *part, old, v any) {
	tx.before.reset()
	tx.after.reset()
	if old != nil {
		p.keys(&tx.before, old)
	}
	if v != nil {
		p.keys(&tx.after, v)
	}
}

func (l *layout) dropEntries(tx *Tx, x *part, primary Key) {
	for i := range tx.before.len() {
		if key := tx.before.at(i); !tx.after.has(key) {
			tx.full = l.entryKey(tx.full[:0], x, key, primary)
			tx.delete(tx.full)
		}
	}
}

func (l *layout) addEntries(tx *Tx, x *part, primary Key) error {
	for i := range tx.after.len() {
		key := tx.after.at(i)
		if tx.before.has(key) {
			continue
		}
		tx.full = l.entryKey(tx.full[:0], x, key, primary)
		if !x.unique {
			tx.set(tx.full, nil)
			continue
		}
		holder, taken, err := tx.Reader.get(tx.full)
		if err != nil {
			return err
		}
		if taken && string(holder) != string(primary) {
			return &UniqueError{Table: l.label, Index: x.label, Key: append(Key(nil), key...), Holder: append(Key(nil), holder...)}
		}
		tx.set(tx.full, primary)
	}
	return nil
}

// entryKey appends the stored key of an index entry.
func (l *layout) entryKey(dst Key, x *part, key, primary Key) Key {
	dst = append(l.indexKey(dst, x), key...)
	if x.unique {
		return dst
	}
	return append(dst, primary...)
}
