package storage

import "github.com/clientele-go/clientele/storage/kv"

// FindAll is Find for many keys, which ascend: it calls f with the number of each key
// that has a record, and the record. Neighbours cost a fraction of what single reads do,
// and don't take the place of others in the engine's cache of rows.
func (t *Table[K, V]) FindAll(r *Reader, keys []K, f func(i int, v V) error) error {
	if r.ended || r.writes != nil || t.Pinned {
		return t.findEach(r, keys, f)
	}
	key := func(i int) []byte {
		r.key = t.recordKey(r.key[:0], keys[i])
		return r.key
	}
	return kv.Find(r.ctx, r.snap, len(keys), key, func(i int, stored []byte) error {
		v, _, err := t.open(string(stored), keys[i])
		if err != nil {
			return err
		}
		return f(i, v)
	})
}

// findEach is FindAll by one Find after another.
func (t *Table[K, V]) findEach(r *Reader, keys []K, f func(i int, v V) error) error {
	for i, k := range keys {
		v, found, err := t.Find(r, k)
		if err == nil && found {
			err = f(i, v)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
