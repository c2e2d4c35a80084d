package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"slices"

	bolt "go.etcd.io/bbolt"

	"github.com/clientele-go/clientele/customer"
)

// boltStore is a B+ tree in a file that is mapped into memory: the same keys as raw
// Pebble's, each kind in a bucket. Like that it checks nothing and keeps no journal.
type boltStore struct {
	ctx context.Context
	dir string
	db  *bolt.DB
}

func openBolt(ctx context.Context, dir string) (store, error) {
	db, err := bolt.Open(filepath.Join(dir, "customers.bolt"), 0o644, &bolt.Options{
		FreelistType: bolt.FreelistMapType, NoFreelistSync: true, InitialMmapSize: cacheBytes,
	})
	if err != nil {
		return nil, err
	}
	s := &boltStore{ctx: ctx, dir: dir, db: db}
	err = db.Update(func(tx *bolt.Tx) error {
		for _, name := range boltBuckets {
			if _, err := tx.CreateBucket(name); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

// boltBuckets are named by the first byte of the keys in them.
var boltBuckets = [][]byte{{spaceRecord}, {spaceCode}, {spaceName}, {byte(byIdentifier) + 1}, {byte(bySourceKey) + 1}, {byte(byPhone) + 1}, {byte(byEmail) + 1}}

// boltEntry is a key with its bucket's byte, and its value.
type boltEntry struct{ key, value []byte }

// boltBatch collects what a writer of Pebble's keys would put.
type boltBatch struct {
	entries []boltEntry
	memory  []byte
}

func (b *boltBatch) put(key, value []byte) error {
	if cap(b.memory)-len(b.memory) < len(key)+len(value) {
		b.memory = make([]byte, 0, max(1<<16, len(key)+len(value)))
	}
	at := len(b.memory)
	b.memory = append(append(b.memory, key...), value...)
	b.entries = append(b.entries, boltEntry{b.memory[at : at+len(key) : at+len(key)], b.memory[at+len(key) : len(b.memory) : len(b.memory)]})
	return nil
}

// load puts records as they come, and the other keys in order at the end, so that every
// page is written once and full.
func (s *boltStore) load(customers iter.Seq2[*customer.Customer, error]) error {
	s.db.NoSync = true
	var keys boltBatch
	next, stop := iter.Pull2(customers)
	defer stop()
	for more := true; more; {
		err := s.fill(func(tx *bolt.Tx) (err error) {
			more, err = s.fillRecords(tx, next, &keys)
			return err
		})
		if err := errors.Join(err, s.ctx.Err()); err != nil {
			return err
		}
	}
	slices.SortFunc(keys.entries, func(a, b boltEntry) int { return bytes.Compare(a.key, b.key) })
	for part := range slices.Chunk(keys.entries, 100_000) {
		if err := errors.Join(s.fill(func(tx *bolt.Tx) error { return putAll(tx, part) }), s.ctx.Err()); err != nil {
			return err
		}
	}
	s.db.NoSync = false
	return s.db.Sync()
}

// fill runs f with pages that are filled to the brim.
func (s *boltStore) fill(f func(*bolt.Tx) error) error {
	return s.db.Update(func(tx *bolt.Tx) error {
		for _, name := range boltBuckets {
			tx.Bucket(name).FillPercent = 1
		}
		return f(tx)
	})
}

func (s *boltStore) fillRecords(tx *bolt.Tx, next func() (*customer.Customer, error, bool), keys *boltBatch) (more bool, err error) {
	var w pebbleWriter
	for range 20_000 {
		c, err, more := next()
		if err != nil || !more {
			return false, err
		}
		from := len(keys.entries)
		if err := w.write(keys.put, c.ID, c); err != nil {
			return false, err
		}
		if err := putAll(tx, keys.entries[from:from+1]); err != nil { // the record comes first
			return false, err
		}
		keys.entries = slices.Delete(keys.entries, from, from+1)
	}
	return true, nil
}

func putAll(tx *bolt.Tx, entries []boltEntry) error {
	for _, e := range entries {
		if err := tx.Bucket(e.key[:1]).Put(e.key[1:], e.value); err != nil {
			return err
		}
	}
	return nil
}

func (s *boltStore) settle() error { return nil }

func (s *boltStore) compact() error { return nil }

func (s *boltStore) size(dir string) (int64, error) { return sizeOf(dir) }

// create shares a sync with whoever writes at the same time.
func (s *boltStore) create(c *customer.Customer) error {
	return s.db.Batch(func(tx *bolt.Tx) error {
		records := tx.Bucket([]byte{spaceRecord})
		last, _ := records.Cursor().Last()
		var b boltBatch
		var w pebbleWriter
		if err := w.write(b.put, customer.ID(binary.BigEndian.Uint64(last)+1), c); err != nil {
			return err
		}
		return putAll(tx, b.entries)
	})
}

func (s *boltStore) count() (n int, err error) {
	err = s.db.View(func(tx *bolt.Tx) error {
		n = tx.Bucket([]byte{spaceRecord}).Stats().KeyN
		return nil
	})
	return n, err
}

func (s *boltStore) repeated(by lookup) (repetition, error) {
	var r repeating
	err := s.db.View(func(tx *bolt.Tx) error {
		return tx.Bucket([]byte{byte(by) + 1}).ForEach(func(key, _ []byte) error {
			at := len(key) - 8
			r.next(key[:at], binary.BigEndian.Uint64(key[at:]))
			return nil
		})
	})
	r.end()
	return r.repetition, err
}

func (s *boltStore) close() error { return s.db.Close() }

func (s *boltStore) view(f func(reader) error) error {
	return s.db.View(func(tx *bolt.Tx) error { return f(boltReader{tx}) })
}

func (s *boltStore) byID(id customer.ID) (c *customer.Customer, err error) {
	err = s.view(func(r reader) error { c, err = r.byID(id); return err })
	return c, err
}

func (s *boltStore) byCode(code string) (c *customer.Customer, err error) {
	err = s.view(func(r reader) error { c, err = r.byCode(code); return err })
	return c, err
}

func (s *boltStore) holders(k key) (ids []customer.ID, err error) {
	err = s.view(func(r reader) error { ids, err = r.holders(k); return err })
	return ids, err
}

// boltReader reads one state.
type boltReader struct{ tx *bolt.Tx }

func (r boltReader) get(key []byte) ([]byte, error) {
	value := r.tx.Bucket(key[:1]).Get(key[1:])
	if value == nil {
		return nil, fmt.Errorf("key %q is absent", key)
	}
	return value, nil
}

func (r boltReader) byID(id customer.ID) (*customer.Customer, error) {
	value, err := r.get(recordKey(nil, id))
	if err != nil {
		return nil, err
	}
	return decodeRecord(id, string(value))
}

func (r boltReader) byCode(code string) (*customer.Customer, error) {
	value, err := r.get(codeKey(nil, code))
	if err != nil {
		return nil, err
	}
	return r.byID(customer.ID(binary.BigEndian.Uint64(value)))
}

func (r boltReader) holders(k key) ([]customer.ID, error) {
	full := lookupKey(nil, k)
	if k.by.unique() {
		value, err := r.get(full)
		if err != nil {
			return nil, err
		}
		return []customer.ID{customer.ID(binary.BigEndian.Uint64(value))}, nil
	}
	var ids []customer.ID
	c := r.tx.Bucket(full[:1]).Cursor()
	for key, _ := c.Seek(full[1:]); bytes.HasPrefix(key, full[1:]); key, _ = c.Next() {
		ids = append(ids, customer.ID(binary.BigEndian.Uint64(key[len(full)-1:])))
	}
	return ids, nil
}
