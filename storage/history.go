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
		for s, err := range t.describe().everyVersion(r, t.Key.Append(nil, k)) {
			var v Version[V]
			if err == nil {
				v, err = t.version(s, k)
			}
			if !yield(v, err) || err != nil {
				return
			}
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

// At returns the version that was recorded last at or before an instant, or an
// error that wraps ErrNotFound when there was none, ErrErased when its content is gone.
func (t *Table[K, V]) At(r *Reader, k K, at time.Time) (V, error) {
	return t.find(r, k, func(m Meta) bool { return !m.Recorded.After(at) })
}

// AtVersion returns one version, with the errors of At. It costs one engine read of an
// earlier version, two of the present.
func (t *Table[K, V]) AtVersion(r *Reader, k K, version uint64) (V, error) {
	stored, err := t.describe().findVersion(r, t.Key.Append(nil, k), version)
	return t.found(k, stored, err)
}

// find returns the newest version that is wanted.
func (t *Table[K, V]) find(r *Reader, k K, wanted func(Meta) bool) (V, error) {
	stored, err := t.describe().find(r, t.Key.Append(nil, k), wanted)
	return t.found(k, stored, err)
}

func (t *Table[K, V]) found(k K, stored string, err error) (V, error) {
	if err != nil {
		var none V
		return none, err
	}
	v, _, err := t.open(stored, k)
	return v, err
}

// Erase removes the content of all versions of a record for good and stores v, which
// should hold nothing personal, as a new version. Who recorded the versions, when,
// and their digests stay, so that the journal can still be verified; reasons are
// removed, since they are free text. The old bytes leave the engine's files with
// the next [Store.Purge].
func (t *Table[K, V]) Erase(tx *Tx, k K, v V, action uint8) error {
	return t.describe().erase(tx, t.primary(tx, k), v, action)
}

// Forget is Erase that leaves no record: with History the digests and who recorded the
// versions stay. A key that never had a record is left alone.
func (t *Table[K, V]) Forget(tx *Tx, k K, action uint8) error {
	return t.describe().forget(tx, t.primary(tx, k), action)
}

// versions yields the earlier versions.
func (l *layout) versions(r *Reader, primary Key, reverse bool) iter.Seq2[storedVersion, error] {
	return func(yield func(storedVersion, error) bool) {
		prefix := append(Key{spaceHistory, l.id}, primary...)
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

// everyVersion yields the earlier versions and the present one.
func (l *layout) everyVersion(r *Reader, primary Key) iter.Seq2[storedVersion, error] {
	return func(yield func(storedVersion, error) bool) {
		for s, err := range l.versions(r, primary, false) {
			if err != nil {
				yield(s, l.wrap("history", primary, err))
				return
			}
			if !yield(s, nil) {
				return
			}
		}
		present, found, err := r.get(l.recordKey(nil, primary))
		if err == nil && !found {
			return
		}
		s := storedVersion{stored: string(present)}
		if err == nil {
			s.meta, _, err = openEnvelope(s.stored)
		}
		if err != nil {
			err = l.wrap("history", primary, err)
		}
		yield(s, err)
	}
}

// find returns the newest version that is wanted, as stored.
func (l *layout) find(r *Reader, primary Key, wanted func(Meta) bool) (stored string, err error) {
	present, found, err := r.get(l.recordKey(nil, primary))
	if err != nil {
		return "", l.wrap("history", primary, err)
	}
	if found {
		stored := string(present)
		m, _, err := openEnvelope(stored)
		if err != nil {
			return "", l.wrap("get", primary, err)
		}
		if wanted(m) {
			return stored, nil
		}
	}
	for s, err := range l.versions(r, primary, true) {
		if err != nil {
			return "", l.wrap("history", primary, err)
		}
		if wanted(s.meta) {
			return l.undeleted(primary, s)
		}
	}
	return "", l.wrap("history", primary, ErrNotFound)
}

// undeleted returns what is stored of a version, unless it deleted the record.
func (l *layout) undeleted(primary Key, s storedVersion) (stored string, err error) {
	if s.meta.Deleted {
		return "", l.wrap("history", primary, fmt.Errorf("%w: deleted at %s", ErrNotFound, s.meta.Recorded.Format(time.RFC3339)))
	}
	return s.stored, nil
}

// findVersion returns a version as stored.
func (l *layout) findVersion(r *Reader, primary Key, version uint64) (stored string, err error) {
	for _, key := range [2]Key{l.historyKey(nil, primary, version), l.recordKey(nil, primary)} {
		value, found, err := r.get(key)
		if err != nil {
			return "", l.wrap("history", primary, err)
		}
		if !found {
			continue
		}
		s := storedVersion{stored: string(value)}
		if s.meta, _, err = openEnvelope(s.stored); err != nil {
			return "", l.wrap("history", primary, err)
		}
		if s.meta.Version == version {
			return l.undeleted(primary, s)
		}
	}
	return "", l.wrap("history", primary, ErrNotFound)
}

func (l *layout) erase(tx *Tx, primary Key, v any, action uint8) error {
	gone, err := l.everyEntry(&tx.Reader, primary)
	if err != nil {
		return err
	}
	if err := l.put(tx, primary, v, action); err != nil {
		return err
	}
	return l.eraseVersions(tx, primary, gone)
}

func (l *layout) forget(tx *Tx, primary Key, action uint8) error {
	gone, err := l.everyEntry(&tx.Reader, primary)
	if err != nil {
		return err
	}
	err = l.remove(tx, primary, action)
	if errors.Is(err, ErrNotFound) {
		version, err := l.lastVersion(&tx.Reader, primary)
		if err != nil || version == 0 {
			return err
		}
	} else if err != nil {
		return err
	}
	return l.eraseVersions(tx, primary, gone)
}

// eraseVersions empties the versions in the history and marks the record for Purge,
// with the index entries that it ever had.
func (l *layout) eraseVersions(tx *Tx, primary Key, gone []byte) error {
	var erased []storedVersion
	for s, err := range l.versions(&tx.Reader, primary, false) {
		if err != nil {
			return l.wrap("erase", primary, err)
		}
		erased = append(erased, s)
	}
	for _, s := range erased {
		digest := digestOf([]byte(s.stored))
		s.meta.Reason = ""
		tx.set(l.historyKey(nil, primary, s.meta.Version), appendErased(nil, s.meta, digest))
	}
	tx.markForPurge(l.recordKey(nil, primary), gone)
	return tx.dropEmptySets(gone)
}

// everyEntry lists the index entries and the sets of all versions of a record, each once, for
// Purge.
func (l *layout) everyEntry(r *Reader, primary Key) ([]byte, error) {
	var w record.Writer
	listed := map[string]bool{}
	list := func(key []byte) {
		if !listed[string(key)] {
			listed[string(key)] = true
			w.Bytes(purgeEntry, key)
		}
	}
	for s, err := range l.everyVersion(r, primary) {
		if err != nil {
			return nil, err
		}
		if s.meta.Erased || s.meta.Deleted {
			continue
		}
		v, _, err := l.open(s.stored, primary)
		if err != nil {
			return nil, err
		}
		err = l.eachEntry(v, primary, func(_ int, key, _ []byte) error {
			list(key)
			return nil
		})
		if err != nil {
			return nil, err
		}
		err = l.eachMark(primary, v, func(full Key, _ uint16) { list(full) })
		if err != nil {
			return nil, err
		}
	}
	return w.Buf, nil
}
