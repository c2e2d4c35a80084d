package storage

import (
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/clientele-go/clientele/storage/kv"
	"github.com/clientele-go/clientele/storage/record"
)

// Version is one version of a record. Value is nil when the content was erased or
// when this version deleted the record.
type Version[V any] struct {
	Meta
	Value V
}

type storedVersion struct {
	meta   Meta
	stored string
}

// Versions yields all versions of a record, oldest first.
func (t *Table[K, V]) Versions(r *Reader, k K) iter.Seq2[Version[V], error] {
	return func(yield func(Version[V], error) bool) {
		for s, err := range t.versions(r, k, false) {
			if err != nil {
				yield(Version[V]{}, t.wrap("history", k, err))
				return
			}
			if v, err := t.version(s, k); !yield(v, err) || err != nil {
				return
			}
		}
		stored, found, err := r.get(t.recordKey(nil, k))
		if err != nil {
			yield(Version[V]{}, t.wrap("history", k, err))
			return
		}
		if found {
			m, _, err := openEnvelope(string(stored))
			if err != nil {
				yield(Version[V]{}, t.wrap("history", k, err))
				return
			}
			yield(t.version(storedVersion{m, string(stored)}, k))
		}
	}
}

func (t *Table[K, V]) version(s storedVersion, k K) (Version[V], error) {
	if s.meta.Erased || s.meta.Deleted {
		return Version[V]{Meta: s.meta}, nil
	}
	v, m, err := t.open(s.stored, k)
	return Version[V]{Meta: m, Value: v}, err
}

// versions yields the earlier versions.
func (t *Table[K, V]) versions(r *Reader, k K, reverse bool) iter.Seq2[storedVersion, error] {
	return func(yield func(storedVersion, error) bool) {
		prefix := t.Key.Append(Key{spaceHistory, t.ID}, k)
		for e, err := range r.scan(kv.Prefix(prefix), reverse) {
			if err != nil {
				yield(storedVersion{}, err)
				return
			}
			stored := string(e.Value)
			m, _, err := openEnvelope(stored)
			if !yield(storedVersion{m, stored}, err) || err != nil {
				return
			}
		}
	}
}

// At returns the version that was recorded last at or before an instant, or an
// error that wraps ErrNotFound when there was none, ErrErased when its content is gone.
func (t *Table[K, V]) At(r *Reader, k K, at time.Time) (V, error) {
	return t.find(r, k, func(m Meta) bool { return !m.Recorded.After(at) })
}

// AtVersion returns one version, with the errors of At.
func (t *Table[K, V]) AtVersion(r *Reader, k K, version uint64) (V, error) {
	return t.find(r, k, func(m Meta) bool { return m.Version == version })
}

// find returns the newest version that is wanted.
func (t *Table[K, V]) find(r *Reader, k K, wanted func(Meta) bool) (V, error) {
	var none V
	stored, found, err := r.get(t.recordKey(nil, k))
	if err != nil {
		return none, t.wrap("history", k, err)
	}
	if found {
		v, m, err := t.open(string(stored), k)
		if err != nil && !errors.Is(err, ErrErased) {
			return none, err
		}
		if wanted(m) {
			return v, err
		}
	}
	for s, err := range t.versions(r, k, true) {
		if err != nil {
			return none, t.wrap("history", k, err)
		}
		if !wanted(s.meta) {
			continue
		}
		if s.meta.Deleted {
			return none, t.wrap("history", k, fmt.Errorf("%w: deleted at %s", ErrNotFound, s.meta.Recorded.Format(time.RFC3339)))
		}
		v, _, err := t.open(s.stored, k)
		return v, err
	}
	return none, t.wrap("history", k, ErrNotFound)
}

// Erase removes the content of all versions of a record for good and stores v, which
// should hold nothing personal, as a new version. Who recorded the versions, when,
// and their digests stay, so that the journal can still be verified; reasons are
// removed, since they are free text. The old bytes leave the engine's files with
// the next [Store.Purge].
func (t *Table[K, V]) Erase(tx *Tx, k K, v V, action uint8) error {
	gone, err := t.everyEntry(&tx.Reader, k)
	if err != nil {
		return err
	}
	if err := t.Put(tx, k, v, action); err != nil {
		return err
	}
	return t.eraseVersions(tx, k, gone)
}

// Forget is Erase that leaves no record: with History the digests and who recorded the
// versions stay. A key that never had a record is left alone.
func (t *Table[K, V]) Forget(tx *Tx, k K, action uint8) error {
	gone, err := t.everyEntry(&tx.Reader, k)
	if err != nil {
		return err
	}
	err = t.Delete(tx, k, action)
	if errors.Is(err, ErrNotFound) {
		version, err := t.lastVersion(&tx.Reader, k)
		if err != nil || version == 0 {
			return err
		}
	} else if err != nil {
		return err
	}
	return t.eraseVersions(tx, k, gone)
}

// eraseVersions empties the versions in the history and marks the record for Purge,
// with the index entries that it ever had.
func (t *Table[K, V]) eraseVersions(tx *Tx, k K, gone []byte) error {
	primary := t.Key.Append(nil, k)
	var erased []storedVersion
	for s, err := range t.versions(&tx.Reader, k, false) {
		if err != nil {
			return t.wrap("erase", k, err)
		}
		erased = append(erased, s)
	}
	for _, s := range erased {
		digest := digestOf([]byte(s.stored))
		s.meta.Reason = ""
		tx.set(t.historyKey(nil, primary, s.meta.Version), appendErased(nil, s.meta, digest))
	}
	tx.markForPurge(t.recordKey(nil, k), gone)
	return tx.dropEmptySets(gone)
}

// everyEntry lists the index entries and the sets of all versions of a record, for Purge.
func (t *Table[K, V]) everyEntry(r *Reader, k K) ([]byte, error) {
	var w record.Writer
	primary := t.Key.Append(nil, k)
	for version, err := range t.Versions(r, k) {
		if err != nil {
			return nil, err
		}
		if !some(version.Value) {
			continue
		}
		err := t.eachEntry(version.Value, primary, func(_ int, key, _ []byte) error {
			w.Bytes(purgeEntry, key)
			return nil
		})
		if err != nil {
			return nil, err
		}
		err = t.eachMark(primary, version.Value, func(full Key, _ uint16) { w.Bytes(purgeEntry, full) })
		if err != nil {
			return nil, err
		}
	}
	return w.Buf, nil
}
