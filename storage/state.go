package storage

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/clientele-go/clientele/storage/kv"
	"github.com/clientele-go/clientele/storage/record"
)

// The book holds the state of everything that a table derives from its records: the
// version of the code that made it, and whether that work is under way. What was made
// otherwise, or by nobody yet, is made anew when the book is opened, so that no read
// meets keys of two versions.

// The fields of a state.
const (
	stateVersion  = 1
	stateBuilding = 2
)

func stateKey(table, space, id uint8) Key { return Key{spaceState, table, space, id} }

// build makes anew what was made by another version or not at all. It is called before
// the book is used; a crash repeats it. On a shared engine no other process may write
// meanwhile.
func (l *layout) build(ctx context.Context, s *Store) error {
	stale, empty, err := l.stale(ctx, s)
	if err != nil || len(stale) == 0 {
		return err
	}
	if empty {
		return l.setStates(ctx, s, stale, false)
	}
	names := make([]string, len(stale))
	for i, p := range stale {
		names[i] = l.label + "." + p.label
	}
	start := time.Now()
	s.log.Info("making anew what an earlier version made otherwise", "parts", names)
	if err := l.setStates(ctx, s, stale, true); err != nil {
		return err
	}
	records, err := l.rebuild(ctx, s, stale)
	if err != nil {
		return err
	}
	s.log.Info("made anew", "parts", names, "records", records, "took", time.Since(start).Round(time.Millisecond))
	return l.setStates(ctx, s, stale, false)
}

// stale lists the parts without a good state and forgets the states of parts that this
// program doesn't know and so would not keep right.
func (l *layout) stale(ctx context.Context, s *Store) (stale []*part, empty bool, err error) {
	stale = l.parts()
	var unknown kv.Batch
	err = s.View(ctx, func(r *Reader) error {
		for e, err := range r.scan(kv.Prefix(Key{spaceState, l.id}), false) {
			if err != nil {
				return err
			}
			i := slices.IndexFunc(stale, func(p *part) bool { return string(stateKey(l.id, p.space, p.id)) == string(e.Key) })
			if i < 0 {
				unknown.Delete(e.Key)
				continue
			}
			version, building, err := readState(string(e.Value))
			if err == nil && version == stale[i].version && !building {
				stale = slices.Delete(stale, i, i+1)
			}
		}
		empty = true
		for _, err := range r.scan(kv.Prefix([]byte{spaceRecord, l.id}), false) {
			empty = false
			return err
		}
		return nil
	})
	if err == nil && len(unknown.Ops()) > 0 {
		_, err = s.apply(ctx, &unknown)
	}
	return stale, empty, err
}

func readState(stored string) (version string, building bool, err error) {
	r := record.NewReader(stored)
	for r.Next() {
		switch r.Field() {
		case stateVersion:
			version = r.String()
		case stateBuilding:
			building = r.Uint() != 0
		}
	}
	return version, building, r.Err()
}

func (l *layout) setStates(ctx context.Context, s *Store, parts []*part, building bool) error {
	var b kv.Batch
	for _, p := range parts {
		var w record.Writer
		w.String(stateVersion, p.version)
		if building {
			w.Uint(stateBuilding, 1)
		}
		b.Set(stateKey(l.id, p.space, p.id), w.Buf)
	}
	_, err := s.apply(ctx, &b)
	return err
}

// buildBatch bounds one commit of a rebuild, in index entries.
const buildBatch = 4000

// rebuild empties the stale indexes and fills them from the records, and sets tallies
// and bitmaps right.
func (l *layout) rebuild(ctx context.Context, s *Store, stale []*part) (records int, err error) {
	var indexes []int
	for i, x := range l.indexes {
		if !slices.ContainsFunc(stale, func(p *part) bool { return p.space == spaceIndex && p.id == x.id }) {
			continue
		}
		indexes = append(indexes, i)
		if err := s.clear(ctx, kv.Prefix(l.indexKey(nil, x))); err != nil {
			return 0, err
		}
	}
	if len(indexes) > 0 {
		if records, err = l.fill(ctx, s, indexes); err != nil {
			return records, err
		}
	}
	if _, err := l.repairTallies(ctx, s); err != nil {
		return records, err
	}
	_, err = l.repairBitmaps(ctx, s)
	return records, err
}

// clear deletes a range.
func (s *Store) clear(ctx context.Context, keys kv.Range) error {
	return s.View(ctx, func(r *Reader) error {
		b := &kv.Batch{Durability: kv.Relaxed}
		for e, err := range r.scan(keys, false) {
			if err != nil {
				return err
			}
			b.Delete(e.Key)
			if len(b.Ops()) == buildBatch {
				if _, err := s.apply(ctx, b); err != nil {
					return err
				}
				b = &kv.Batch{Durability: kv.Relaxed}
			}
		}
		_, err := s.apply(ctx, b)
		return err
	})
}

// fill writes the entries of empty indexes.
func (l *layout) fill(ctx context.Context, s *Store, indexes []int) (records int, err error) {
	const logged = 1_000_000
	f := &filler{store: s, table: l.label, unique: map[string]string{}}
	err = s.View(ctx, func(r *Reader) error {
		unread := &Report{}
		err := l.eachRecord(r, unread, func(primary Key, _ []byte, v any, _ Meta) error {
			if records++; records%logged == 0 {
				s.log.Info("making indexes anew", "table", l.label, "records", records)
			}
			return l.eachEntry(v, primary, func(i int, key, value []byte) error {
				if !slices.Contains(indexes, i) {
					return nil
				}
				return f.add(ctx, key, value)
			})
		})
		if err != nil {
			return err
		}
		if n := int64(len(unread.Differences)) + unread.More; n > 0 {
			s.log.Error("records that can't be read have no index entries now; Verify names them", "table", l.label, "records", n)
		}
		return f.flush(ctx)
	})
	return records, err
}

// filler commits index entries in batches.
type filler struct {
	store  *Store
	table  string
	batch  kv.Batch
	unique map[string]string // of the batch: unique keys and their holders
}

// add takes an entry. A unique key that two records turn out to have stays with the
// first; Verify names both.
func (f *filler) add(ctx context.Context, key, value []byte) error {
	if len(value) > 0 {
		taken, err := f.taken(ctx, key, value)
		if taken || err != nil {
			return err
		}
		f.unique[string(key)] = string(value)
	}
	f.batch.Set(key, value)
	if len(f.batch.Ops()) < buildBatch {
		return nil
	}
	return f.flush(ctx)
}

func (f *filler) taken(ctx context.Context, key, primary []byte) (bool, error) {
	holder, taken := f.unique[string(key)]
	if !taken {
		err := f.store.View(ctx, func(r *Reader) error {
			stored, found, err := r.get(key)
			holder, taken = string(stored), found
			return err
		})
		if err != nil {
			return false, err
		}
	}
	if taken {
		f.store.log.Warn("two records have one unique key, which stays with the first; change one of them", "table", f.table, "first", fmt.Sprintf("% x", holder), "second", fmt.Sprintf("% x", primary))
	}
	return taken, nil
}

func (f *filler) flush(ctx context.Context) error {
	_, err := f.store.apply(ctx, &f.batch)
	f.batch = kv.Batch{Durability: kv.Relaxed}
	clear(f.unique)
	return err
}

// buildParts makes anew what is stale in all tables.
func (s *Store) buildParts(ctx context.Context) error {
	for _, t := range s.schema.Tables {
		if err := t.describe().build(ctx, s); err != nil {
			return &Error{Op: "make indexes anew", Table: t.Name(), Err: err}
		}
	}
	return nil
}
