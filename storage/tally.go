package storage

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/clientele-go/clientele/storage/kv"
)

// Tally counts a table's records by a key, for instance customers by status. It is
// kept with the records, by deltas that do not conflict, and verified against them.
type Tally[V any] struct {
	ID    uint8 // among the schema's counters
	Label string
	// Keys adds the keys under which v is counted. It must depend on v alone.
	Keys func(set *KeySet, v V)
	// Version is as in an [Index].
	Version string
}

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
func (l *layout) recount(tx *Tx, old, v any) error {
	for _, tally := range l.tallies {
		tx.collect(tally, old, v)
		if err := tally.move(tx, &tx.before, &tx.after, oneLess); err != nil {
			return err
		}
		if err := tally.move(tx, &tx.after, &tx.before, oneMore); err != nil {
			return err
		}
	}
	return nil
}

var oneMore, oneLess = kv.CounterDelta(1), kv.CounterDelta(-1)

// move changes the counts of the keys that one set has and another has not.
func (t *part) move(tx *Tx, in, notIn *KeySet, delta []byte) error {
	for i := range in.len() {
		key := in.at(i)
		if notIn.has(key) {
			continue
		}
		tx.full = append(append(tx.full[:0], spaceCounter, t.id), key...)
		if err := tx.merge(tx.full, delta); err != nil {
			return err
		}
	}
	return nil
}

// tallies counts records as the tallies should have them.
type tallies []map[string]int64

func (l *layout) count(r *Reader) (tallies, error) {
	counts := make(tallies, len(l.tallies))
	for i := range counts {
		counts[i] = map[string]int64{}
	}
	d := deriver{layout: l}
	return counts, l.eachRecord(r, &Report{}, func(_ Key, _ []byte, v any, _ Meta) error {
		d.eachTally(v, func(i int, key Key) { counts[i][string(key)]++ })
		return nil
	})
}

// eachMiscount calls f for every stored count that differs from the records; one that
// can't be read counts as 0.
func (l *layout) eachMiscount(r *Reader, counts tallies, f func(tally *part, key Key, stored, real int64, unread bool)) error {
	for i, tally := range l.tallies {
		space := Key{spaceCounter, tally.id}
		for e, err := range r.scan(kv.Prefix(space), false) {
			if err != nil {
				return err
			}
			key := string(e.Key[len(space):])
			n, err := kv.Counter(e.Value)
			if real := counts[i][key]; real != n || err != nil {
				f(tally, Key(key), n, real, err != nil)
			}
			delete(counts[i], key)
		}
		for _, key := range slices.Sorted(maps.Keys(counts[i])) {
			f(tally, Key(key), 0, counts[i][key], false)
		}
	}
	return nil
}

// reportMiscounts counts all records again, with the counts in memory.
func (l *layout) reportMiscounts(r *Reader, report *Report) error {
	counts, err := l.count(r)
	if err != nil {
		return err
	}
	return l.eachMiscount(r, counts, func(tally *part, key Key, stored, real int64, _ bool) {
		report.add(Difference{Where: l.label + "." + tally.label, Key: fmt.Sprintf("% x", []byte(key)),
			Problem: fmt.Sprintf("count is %d, records are %d", stored, real), Derived: true})
	})
}

// repairTallies corrects every wrong count by the difference between the records and
// the count in one state, which holds whatever changes after it; only counts that can't
// be read are replaced. It takes memory for the counts, not for the records.
func (l *layout) repairTallies(ctx context.Context, s *Store) (changed int, err error) {
	if len(l.tallies) == 0 {
		return 0, nil
	}
	for attempt := 1; ; attempt++ {
		changed, err = l.tryRepairTallies(ctx, s)
		if !errors.Is(err, kv.ErrConflict) || attempt == s.tries {
			return changed, err
		}
		if err := pause(ctx, attempt); err != nil {
			return 0, err
		}
	}
}

func (l *layout) tryRepairTallies(ctx context.Context, s *Store) (changed int, err error) {
	// Two repairs must not both add the difference that they saw.
	guard := stateKey(l.id, spaceCounter, 0)
	var b kv.Batch
	err = s.View(ctx, func(r *Reader) error {
		b.Since, b.Reads = r.snap.Stamp(), []kv.Range{kv.Point(guard)}
		counts, err := l.count(r)
		if err != nil {
			return err
		}
		return l.eachMiscount(r, counts, func(tally *part, key Key, stored, real int64, unread bool) {
			changed++
			full := append(Key{spaceCounter, tally.id}, key...)
			if unread {
				b.Reads = append(b.Reads, kv.Point(full))
				b.Set(full, kv.CounterDelta(real))
				return
			}
			b.Merge(full, kv.CounterDelta(real-stored))
		})
	})
	if err != nil || changed == 0 {
		return 0, err
	}
	b.Set(guard, nil)
	_, err = s.apply(ctx, &b)
	return changed, err
}
