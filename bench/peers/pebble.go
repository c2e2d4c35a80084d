package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"

	"github.com/clientele-go/clientele/customer"
)

// pebbleStore is the engine that Clientele stands on, with nothing above it: records
// and index keys in plain batches. No uniqueness is checked, no journal and no history
// is written, so its figures are floors rather than a rival's.
type pebbleStore struct {
	ctx  context.Context
	dir  string
	db   *pebble.DB
	last atomic.Uint64 // the highest id given
	pebbleReader
}

func openPebble(ctx context.Context, dir string) (store, error) {
	s := &pebbleStore{ctx: ctx, dir: dir}
	return s, s.open(true)
}

// open opens the database, for loading without its log.
func (s *pebbleStore) open(loading bool) error {
	cache := pebble.NewCache(cacheBytes)
	defer cache.Unref() // the database holds it too
	options := &pebble.Options{
		FormatMajorVersion: pebble.FormatValueSeparation, // as Clientele's
		Cache:              cache,
		MemTableSize:       64 << 20,
		DisableWAL:         loading,
		Logger:             silentLogger{},
	}
	options.ApplyCompressionSettings(func() pebble.DBCompressionSettings { return pebble.DBCompressionFastest })
	for i := range options.Levels {
		options.Levels[i].BlockSize = 8 << 10
		options.Levels[i].IndexBlockSize = 32 << 10
		options.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
	}
	db, err := pebble.Open(s.dir, options)
	if err != nil {
		return err
	}
	s.db, s.pebbleReader = db, pebbleReader{from: db}
	return nil
}

// silentLogger drops what Pebble tells of its background work.
type silentLogger struct{}

func (silentLogger) Infof(string, ...any)  {}
func (silentLogger) Errorf(string, ...any) {}

// Fatalf is called when Pebble can't go on; it expects the process to end.
func (silentLogger) Fatalf(format string, args ...any) {
	slog.Error(fmt.Sprintf("pebble: "+format, args...))
}

func (s *pebbleStore) load(customers iter.Seq2[*customer.Customer, error]) error {
	const batchRows = 1000
	batch := s.db.NewBatch()
	var w pebbleWriter
	for c, err := range customers {
		if err == nil {
			err = w.write(setIn(batch), c.ID, c)
		}
		if err != nil {
			return errors.Join(err, batch.Close())
		}
		s.last.Store(uint64(c.ID))
		if c.ID%batchRows != 0 {
			continue
		}
		if err := errors.Join(s.db.Apply(batch, pebble.NoSync), batch.Close(), s.ctx.Err()); err != nil {
			return err
		}
		batch = s.db.NewBatch()
	}
	if err := errors.Join(s.db.Apply(batch, pebble.NoSync), batch.Close()); err != nil {
		return err
	}
	if err := errors.Join(s.db.Flush(), s.db.Close()); err != nil { // durable from here
		return err
	}
	return s.open(false)
}

func (s *pebbleStore) settle() error {
	return untilQuiet(s.ctx, func() (debt, size int64, err error) {
		m := s.db.Metrics()
		return int64(m.Compact.EstimatedDebt), int64(m.DiskSpaceUsage()), nil
	})
}

func (s *pebbleStore) compact() error { return s.db.Compact(s.ctx, []byte{0}, []byte{0xff}, true) }

func (s *pebbleStore) create(c *customer.Customer) error {
	batch := s.db.NewBatch()
	var w pebbleWriter
	if err := w.write(setIn(batch), customer.ID(s.last.Add(1)), c); err != nil {
		return errors.Join(err, batch.Close())
	}
	return errors.Join(s.db.Apply(batch, pebble.Sync), batch.Close())
}

func (s *pebbleStore) count() (int, error) {
	n := 0
	err := scan(s.db, []byte{spaceRecord}, func([]byte) error { n++; return nil })
	return n, err
}

func (s *pebbleStore) size(dir string) (int64, error) { return sizeOf(dir) }

func (s *pebbleStore) repeated(by lookup) (repetition, error) {
	var r repeating
	err := scan(s.db, []byte{byte(by) + 1}, func(rest []byte) error {
		at := len(rest) - 8
		r.next(rest[:at], binary.BigEndian.Uint64(rest[at:]))
		return nil
	})
	r.end()
	return r.repetition, err
}

func (s *pebbleStore) close() error { return s.db.Close() }

func (s *pebbleStore) view(f func(reader) error) error {
	snapshot := s.db.NewSnapshot()
	return errors.Join(f(&pebbleReader{from: snapshot}), snapshot.Close())
}

// The first byte of a key; lookups take their number.
const (
	spaceRecord = 'r'
	spaceCode   = 'c'
	spaceName   = 'n'
)

func recordKey(dst []byte, id customer.ID) []byte {
	return binary.BigEndian.AppendUint64(append(dst, spaceRecord), uint64(id))
}

func codeKey(dst []byte, code string) []byte { return append(append(dst, spaceCode), code...) }

// lookupKey is followed by the customer's id when several may have the key.
func lookupKey(dst []byte, k key) []byte {
	dst = append(append(dst, byte(k.by)+1), k.scope...)
	dst = append(append(dst, 0), k.value...)
	return append(dst, 0)
}

// setIn returns how a writer puts into a batch.
func setIn(b *pebble.Batch) func(key, value []byte) error {
	return func(key, value []byte) error { return b.Set(key, value, nil) }
}

// pebbleWriter writes customers as keys and values. The zero value is ready.
type pebbleWriter struct{ key, value, id []byte }

func (w *pebbleWriter) write(put func(key, value []byte) error, id customer.ID, c *customer.Customer) error {
	w.id = binary.BigEndian.AppendUint64(w.id[:0], uint64(id))
	w.key, w.value = recordKey(w.key[:0], id), appendRecord(w.value[:0], c)
	if err := put(w.key, w.value); err != nil {
		return err
	}
	w.key = codeKey(w.key[:0], c.Code)
	if err := put(w.key, w.id); err != nil {
		return err
	}
	w.key = append(append(append(append(w.key[:0], spaceName), c.Name...), 0), w.id...)
	if err := put(w.key, nil); err != nil {
		return err
	}
	for _, k := range keysOf(c) {
		value := w.id
		w.key = lookupKey(w.key[:0], k)
		if !k.by.unique() {
			w.key, value = append(w.key, w.id...), nil
		}
		if err := put(w.key, value); err != nil {
			return err
		}
	}
	return nil
}

// pebbleReader reads from a database or from a snapshot of it.
type pebbleReader struct {
	from pebble.Reader
	key  []byte
}

func (r *pebbleReader) byID(id customer.ID) (*customer.Customer, error) {
	r.key = recordKey(r.key[:0], id)
	value, closer, err := r.from.Get(r.key)
	if err != nil {
		return nil, fmt.Errorf("customer %d: %w", id, err)
	}
	c, err := decodeRecord(id, string(value))
	return c, errors.Join(err, closer.Close())
}

func (r *pebbleReader) byCode(code string) (*customer.Customer, error) {
	r.key = codeKey(r.key[:0], code)
	id, err := r.holder()
	if err != nil {
		return nil, fmt.Errorf("code %s: %w", code, err)
	}
	return r.byID(id)
}

// holder reads the id under the reader's key.
func (r *pebbleReader) holder() (customer.ID, error) {
	value, closer, err := r.from.Get(r.key)
	if err != nil {
		return 0, err
	}
	id := binary.BigEndian.Uint64(value)
	return customer.ID(id), closer.Close()
}

func (r *pebbleReader) holders(k key) ([]customer.ID, error) {
	r.key = lookupKey(r.key[:0], k)
	if k.by.unique() {
		id, err := r.holder()
		return []customer.ID{id}, err
	}
	var ids []customer.ID
	err := scan(r.from, r.key, func(rest []byte) error {
		if len(rest) != 8 {
			return fmt.Errorf("%v: %w", k, io.ErrUnexpectedEOF)
		}
		ids = append(ids, customer.ID(binary.BigEndian.Uint64(rest)))
		return nil
	})
	return ids, err
}

// scan calls visit with what follows the prefix in each key that begins with it.
// The prefix must not end in 0xff.
func scan(from pebble.Reader, prefix []byte, visit func(rest []byte) error) error {
	upper := append([]byte(nil), prefix...)
	upper[len(upper)-1]++
	it, err := from.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: upper})
	if err != nil {
		return err
	}
	for ok := it.First(); ok; ok = it.Next() {
		if err := visit(it.Key()[len(prefix):]); err != nil {
			return errors.Join(err, it.Close())
		}
	}
	return it.Close()
}
