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
		n, err := t.describe().repair(ctx, s)
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

func (l *layout) repair(ctx context.Context, s *Store) (int, error) {
	mended := &mender{ctx: ctx, store: s}
	report := &Report{}
	err := s.View(ctx, func(r *Reader) error {
		v, err := newVerification(ctx, r)
		if err == nil {
			err = newTableCheck(l).addTo(v)
		}
		if err == nil {
			err = v.run(report, nil)
		}
		if err != nil || report.OK() {
			return err
		}
		for i := range l.indexes {
			if err := l.mendIndex(r, i, mended); err != nil {
				return err
			}
		}
		return mended.flush()
	})
	if err != nil || report.OK() {
		return mended.count, err
	}
	miscounts, err := l.repairTallies(ctx, s)
	if err != nil {
		return mended.count + miscounts, err
	}
	mismarks, err := l.repairBitmaps(ctx, s)
	if err != nil {
		return mended.count + miscounts + mismarks, err
	}
	skipped, err := l.repairNumbers(ctx, s)
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
func (l *layout) mendIndex(r *Reader, index int, m *mender) error {
	x := l.indexes[index]
	err := l.eachSurplus(r, x, func(key []byte) error {
		return m.add(func(tx *Tx) error {
			value, found, err := tx.Reader.get(key)
			if err != nil || !found {
				return err
			}
			expected, err := l.expects(&tx.Reader, x, kv.Entry{Key: key, Value: append([]byte(nil), value...)})
			if err == nil && !expected {
				tx.delete(key)
			}
			return err
		})
	})
	if err != nil {
		return err
	}
	return l.mendMissing(r, index, m)
}

func (l *layout) mendMissing(r *Reader, index int, m *mender) error {
	return l.eachRecord(r, &Report{}, func(primary Key, _ []byte, v any, _ Meta) error {
		return l.eachEntry(v, primary, func(i int, key, value []byte) error {
			if i != index {
				return nil
			}
			stored, found, err := r.get(key)
			if err != nil || found && string(stored) == string(value) {
				return err
			}
			if held, err := l.heldByAnother(r, l.indexes[i], key, value); err != nil || held {
				return err // which of the two records keeps the unique key is not for Repair to say
			}
			primary := append(Key(nil), primary...)
			return m.add(func(tx *Tx) error { return l.restoreEntries(tx, primary) })
		})
	})
}

// restoreEntries writes the index entries of one record.
func (l *layout) restoreEntries(tx *Tx, primary Key) error {
	stored, found, err := tx.Reader.get(append(Key{spaceRecord, l.id}, primary...))
	if err != nil || !found {
		return err
	}
	v, _, err := l.open(string(stored), primary)
	if err != nil {
		return err
	}
	return l.eachEntry(v, primary, func(i int, key, value []byte) error {
		held, err := l.heldByAnother(&tx.Reader, l.indexes[i], key, value)
		if err == nil && !held {
			tx.set(key, value)
		}
		return err
	})
}
