package storage

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"

	"github.com/clientele-go/clientele/storage/kv"
	"github.com/clientele-go/clientele/storage/record"
)

// The fields of a purge mark.
const (
	purgeKey   = 1 // the record or counter that was erased
	purgeEntry = 2 // an index entry that a version of the record had
)

// markForPurge notes that former values of a key must leave the engine's files. The mark's
// own key is a hash: engines write some keys, but not values, into their table lists.
func (tx *Tx) markForPurge(key Key, entries []byte) {
	hash := sha256.Sum256(key)
	var w record.Writer
	w.Bytes(purgeKey, key)
	w.Raw(string(entries))
	tx.set(append(Key{spacePurge}, hash[:16]...), w.Buf)
}

// Purge makes the engine rewrite its files so that nothing of the erased records is
// left in them, and returns how many records that were. Backup does it first, so
// that no later backup holds what was erased. It costs a rewrite of the files that
// held them.
//
// An error that wraps ErrPinned means that a View which began before the erasure may still
// see what was erased; Purge must be called again when that View has ended.
func (s *Store) Purge(ctx context.Context) (int, error) {
	var marks, ranges []kv.Range
	records, seen, err := s.eachMark(ctx, func(mark Key, erased []kv.Range) {
		marks = append(marks, kv.Point(mark))
		ranges = append(ranges, erased...)
	})
	if err == nil && len(marks) > 0 {
		err = s.purge(ctx, seen, marks, ranges)
	}
	if err != nil {
		return 0, &Error{Op: "purge", Err: err}
	}
	return records, nil
}

// Erased returns how many erased records wait for the next Purge.
func (s *Store) Erased(ctx context.Context) (int, error) {
	records, _, err := s.eachMark(ctx, func(Key, []kv.Range) {})
	return records, err
}

// eachMark calls f for each mark and returns how many of them stand for records, and
// the stamp of the state that it read.
func (s *Store) eachMark(ctx context.Context, f func(mark Key, ranges []kv.Range)) (records int, seen kv.Stamp, err error) {
	err = s.View(ctx, func(r *Reader) error {
		seen = r.snap.Stamp()
		for e, err := range r.scan(purgeSpace, false) {
			if err != nil {
				return err
			}
			ranges, isRecord, err := purgeRanges(string(e.Value))
			if err != nil {
				return err
			}
			if isRecord {
				records++
			}
			f(bytes.Clone(e.Key), ranges)
		}
		return nil
	})
	return records, seen, err
}

var purgeSpace = kv.Prefix([]byte{spacePurge})

// forgotten is the mark that there were marks, whose bytes are still on disk.
var forgotten = Key{spacePurge}

// purge forgets the marks only when the files are clean, so that a crash between
// repeats the work, as does an error that wraps kv.ErrPinned. The marks name keys, so their
// own bytes go last.
func (s *Store) purge(ctx context.Context, seen kv.Stamp, marks, ranges []kv.Range) error {
	if err := s.engine.Purge(ctx, union(append(ranges, purgeSpace))); err != nil {
		return err
	}
	if len(marks) > 1 || !bytes.Equal(marks[0].Lower, forgotten) {
		done, err := s.forgetMarks(ctx, seen, marks)
		if err != nil || !done {
			return err
		}
		if err := s.engine.Purge(ctx, []kv.Range{purgeSpace}); err != nil {
			return err
		}
	}
	var b kv.Batch
	b.Delete(forgotten)
	_, err := s.apply(ctx, &b)
	return err
}

// union returns the ranges in order, with those that overlap or meet as one. Erased records
// share the keys of their sets, which writers change all the time: what the engine does for
// each range is then costly.
func union(ranges []kv.Range) []kv.Range {
	slices.SortFunc(ranges, func(a, b kv.Range) int { return bytes.Compare(a.Lower, b.Lower) })
	joined := ranges[:0]
	for _, r := range ranges {
		last := len(joined) - 1
		switch {
		case last < 0 || joined[last].Upper != nil && bytes.Compare(joined[last].Upper, r.Lower) < 0:
			joined = append(joined, r)
		case joined[last].Upper != nil && (r.Upper == nil || bytes.Compare(r.Upper, joined[last].Upper) > 0):
			joined[last].Upper = r.Upper
		}
	}
	return joined
}

// forgetMarks puts one mark that names nothing in the place of all. When one was written
// anew meanwhile, all stay for the next Purge.
func (s *Store) forgetMarks(ctx context.Context, seen kv.Stamp, marks []kv.Range) (done bool, err error) {
	b := kv.Batch{Since: seen, Reads: marks}
	for _, mark := range marks {
		b.Delete(mark.Lower)
	}
	b.Set(forgotten, nil)
	if _, err = s.apply(ctx, &b); errors.Is(err, kv.ErrConflict) {
		return false, nil
	}
	return err == nil, err
}

// purgeRanges are the keys that a mark stands for: the erased one, and for a record its
// versions and their index entries.
func purgeRanges(mark string) (ranges []kv.Range, isRecord bool, err error) {
	r := record.NewReader(mark)
	for r.Next() {
		key := Key(r.String())
		ranges = append(ranges, kv.Point(key))
		if r.Field() == purgeKey && len(key) > 0 && key[0] == spaceRecord {
			isRecord = true
			ranges = append(ranges, kv.Prefix(append(Key{spaceHistory}, key[1:]...)))
		}
	}
	if r.Err() != nil {
		return nil, false, fmt.Errorf("%w: %w", ErrCorrupt, r.Err())
	}
	return ranges, isRecord, nil
}
