package storage

import (
	"context"
	"fmt"

	"github.com/clientele-go/clientele/storage/kv"
)

// Tally counts a table's records by a key, for instance customers by status. It is
// kept with the records, by deltas that do not conflict, and verified against them.
type Tally[V any] struct {
	ID    uint8 // among the schema's counters
	Label string
	// Keys adds the keys under which v is counted. It must depend on v alone.
	Keys func(set *KeySet, v *V)
}

func (t *Tally[V]) key(key Key) Key { return append(Key{spaceCounter, t.ID}, key...) }

// Get returns the number of records under a key.
func (t *Tally[V]) Get(r *Reader, key Key) (int64, error) {
	return (&Counter{ID: t.ID}).Get(r, key)
}

// Scan calls f for each key in a range that ever had records, in key order, until f
// returns an error, which Scan returns.
func (t *Tally[V]) Scan(r *Reader, keys kv.Range, f func(key Key, n int64) error) error {
	return (&Counter{ID: t.ID}).Scan(r, keys, f)
}

// recount moves a changed record from its old keys to its new ones.
func (t *Table[K, V]) recount(tx *Tx, old, v *V) error {
	for _, tally := range t.Tallies {
		tx.before.reset()
		tx.after.reset()
		if old != nil {
			tally.Keys(&tx.before, old)
		}
		if v != nil {
			tally.Keys(&tx.after, v)
		}
		for i := range tx.before.len() {
			if key := tx.before.at(i); !tx.after.has(key) {
				if err := tx.merge(tally.key(key), kv.CounterDelta(-1)); err != nil {
					return err
				}
			}
		}
		for i := range tx.after.len() {
			if key := tx.after.at(i); !tx.before.has(key) {
				if err := tx.merge(tally.key(key), kv.CounterDelta(1)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// tallies counts records as the tallies should have them.
type tallies []map[string]int64

func (t tableChecker[K, V]) newTallies() tallies {
	counts := make(tallies, len(t.Tallies))
	for i := range counts {
		counts[i] = map[string]int64{}
	}
	return counts
}

func (t tableChecker[K, V]) tally(counts tallies, v *V) {
	var keys KeySet
	for i, tally := range t.Tallies {
		keys.reset()
		tally.Keys(&keys, v)
		for j := range keys.len() {
			counts[i][string(keys.at(j))]++
		}
	}
}

// eachMiscount calls f for every stored count that differs from the records; one that
// can't be read counts as 0.
func (t tableChecker[K, V]) eachMiscount(r *Reader, counts tallies, f func(tally *Tally[V], key Key, stored, real int64)) error {
	for i, tally := range t.Tallies {
		space := tally.key(nil)
		for e, err := range r.scan(kv.Prefix(space), false) {
			if err != nil {
				return err
			}
			key := string(e.Key[len(space):])
			n, err := kv.Counter(e.Value)
			if real := counts[i][key]; real != n || err != nil {
				f(tally, Key(key), n, real)
			}
			delete(counts[i], key)
		}
		for key, real := range counts[i] {
			f(tally, Key(key), 0, real)
		}
	}
	return nil
}

func (t tableChecker[K, V]) reportMiscounts(r *Reader, counts tallies, report *Report) error {
	return t.eachMiscount(r, counts, func(tally *Tally[V], key Key, stored, real int64) {
		report.add(Difference{Where: t.Label + "." + tally.Label, Key: fmt.Sprintf("% x", []byte(key)),
			Problem: fmt.Sprintf("count is %d, records are %d", stored, real), Derived: true})
	})
}

// repairTallies sets every wrong count right, in one transaction that no concurrent
// change of the table can slip into.
func (t tableChecker[K, V]) repairTallies(ctx context.Context, s *Store) (changed int, err error) {
	if len(t.Tallies) == 0 {
		return 0, nil
	}
	_, err = s.Update(ctx, repairSession, func(tx *Tx) error {
		changed = 0
		counts := t.newTallies()
		err := t.eachRecord(&tx.Reader, &Report{}, func(_ Key, _ []byte, v *V, _ Meta) error {
			t.tally(counts, v)
			return nil
		})
		if err != nil {
			return err
		}
		return t.eachMiscount(&tx.Reader, counts, func(tally *Tally[V], key Key, _, real int64) {
			changed++
			tx.set(tally.key(key), kv.CounterDelta(real))
		})
	})
	return changed, err
}
