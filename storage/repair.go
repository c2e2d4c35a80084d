package storage

import (
	"context"

	"github.com/clientele-go/clientele/storage/kv"
)

// Repair mends what Verify can find in derived data: it rewrites index entries from
// the records, table by table, sets counts right, moves sequences behind the numbers in
// use, and rebuilds views that differ. Records, history and journal are never touched.
// It returns how many entries, counts and sequences it changed. It works in parts beside
// writers, in bounded memory.
func (s *Store) Repair(ctx context.Context) (int, error) {
	changed := 0
	for _, t := range s.schema.Tables {
		n, err := t.repair(ctx, s)
		changed += n
		if err != nil {
			return changed, &Error{Op: "repair", Table: t.Name(), Err: err}
		}
	}
	for _, run := range s.runners {
		report := &Report{}
		if err := run.verify(ctx, report); err != nil || !report.OK() {
			if err := s.Rebuild(ctx, run.view.Name()); err != nil {
				return changed, err
			}
		}
	}
	return changed, nil
}

var repairSession = Session{Actor: "clientele", Reason: "repair of derived data"}

// repairBatch bounds one transaction of a repair.
const repairBatch = 1000

func (t *Table[K, V]) repair(ctx context.Context, s *Store) (int, error) {
	mended := &mender{ctx: ctx, store: s}
	report := &Report{}
	err := s.View(ctx, func(r *Reader) error {
		if _, err := t.check(r, report); err != nil || report.OK() {
			return err
		}
		for i := range t.Indexes {
			if err := t.mendIndex(r, i, mended); err != nil {
				return err
			}
		}
		return mended.flush()
	})
	if err != nil || report.OK() {
		return mended.count, err
	}
	miscounts, err := t.repairTallies(ctx, s)
	if err != nil {
		return mended.count + miscounts, err
	}
	mismarks, err := t.repairBitmaps(ctx, s)
	if err != nil {
		return mended.count + miscounts + mismarks, err
	}
	skipped, err := t.repairNumbers(ctx, s)
	return mended.count + miscounts + mismarks + skipped, err
}

// mender commits repairs in batches, so that a book of which much is wrong doesn't
// have to fit into memory.
type mender struct {
	ctx   context.Context
	store *Store
	wrong []func(*Tx) error
	count int // committed
}

// add takes a repair. Each looks again in its own transaction, so that a concurrent
// change is not undone.
func (m *mender) add(repair func(*Tx) error) error {
	m.wrong = append(m.wrong, repair)
	if len(m.wrong) < repairBatch {
		return nil
	}
	return m.flush()
}

func (m *mender) flush() error {
	_, err := m.store.Update(m.ctx, repairSession, func(tx *Tx) error {
		for _, repair := range m.wrong {
			if err := repair(tx); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		m.count += len(m.wrong)
		m.wrong = m.wrong[:0]
	}
	return err
}

// mendIndex removes surplus entries and then writes the missing ones, for which a
// surplus one may have held a unique key.
func (t *Table[K, V]) mendIndex(r *Reader, index int, m *mender) error {
	x := t.Indexes[index]
	err := t.eachSurplus(r, x, func(key []byte) error {
		return m.add(func(tx *Tx) error {
			value, found, err := tx.Reader.get(key)
			if err != nil || !found {
				return err
			}
			expected, err := t.expects(&tx.Reader, x, kv.Entry{Key: key, Value: append([]byte(nil), value...)})
			if err == nil && !expected {
				tx.delete(key)
			}
			return err
		})
	})
	if err != nil {
		return err
	}
	return t.mendMissing(r, index, m)
}

func (t *Table[K, V]) mendMissing(r *Reader, index int, m *mender) error {
	return t.eachRecord(r, &Report{}, func(primary Key, _ []byte, v V, _ Meta) error {
		return t.eachEntry(v, primary, func(i int, key, value []byte) error {
			if i != index {
				return nil
			}
			stored, found, err := r.get(key)
			if err != nil || found && string(stored) == string(value) {
				return err
			}
			if held, err := t.heldByAnother(r, t.Indexes[i], key, value); err != nil || held {
				return err // which of the two records keeps the unique key is not for Repair to say
			}
			primary := append(Key(nil), primary...)
			return m.add(func(tx *Tx) error { return t.restoreEntries(tx, primary) })
		})
	})
}

// restoreEntries writes the index entries of one record.
func (t *Table[K, V]) restoreEntries(tx *Tx, primary Key) error {
	k, err := t.Key.Decode(primary)
	if err != nil {
		return err
	}
	stored, found, err := tx.Reader.get(append(Key{spaceRecord, t.ID}, primary...))
	if err != nil || !found {
		return err
	}
	v, _, err := t.open(string(stored), k)
	if err != nil {
		return err
	}
	return t.eachEntry(v, primary, func(i int, key, value []byte) error {
		held, err := t.heldByAnother(&tx.Reader, t.Indexes[i], key, value)
		if err == nil && !held {
			tx.set(key, value)
		}
		return err
	})
}
