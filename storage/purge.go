package storage

import (
	"context"
	"fmt"

	"github.com/clientele-go/clientele/storage/kv"
	"github.com/clientele-go/clientele/storage/record"
)

// purgeEntry is the field of a purge mark that names an index entry which a version
// of the erased record had.
const purgeEntry = 1

// Purge makes the engine rewrite its files so that nothing of the erased records is
// left in them, and returns how many records that were. Backup does it first, so
// that no later backup holds what was erased. It costs a rewrite of the files that
// held them.
func (s *Store) Purge(ctx context.Context) (int, error) {
	var marks, ranges []kv.Range
	err := s.View(ctx, func(r *Reader) error {
		for e, err := range r.scan(purgeSpace, false) {
			if err != nil {
				return err
			}
			more, err := purgeRanges(e)
			if err != nil {
				return err
			}
			ranges = append(ranges, more...)
			marks = append(marks, kv.Point(append([]byte(nil), e.Key...)))
		}
		return nil
	})
	if err == nil && len(marks) > 0 {
		err = s.purge(ctx, marks, ranges)
	}
	if err != nil {
		return 0, &Error{Op: "purge", Err: err}
	}
	return len(marks), nil
}

var purgeSpace = kv.Prefix([]byte{spacePurge})

// purge forgets the marks only when the files are clean, so that a crash between
// repeats the work; the marks name keys, so their own bytes go last.
func (s *Store) purge(ctx context.Context, marks, ranges []kv.Range) error {
	if err := s.engine.Purge(ctx, ranges); err != nil {
		return err
	}
	var b kv.Batch
	for _, mark := range marks {
		b.Delete(mark.Lower)
	}
	if _, err := s.apply(ctx, &b); err != nil {
		return err
	}
	return s.engine.Purge(ctx, []kv.Range{purgeSpace})
}

// purgeRanges are the keys of an erased record: its versions and their index entries.
func purgeRanges(mark kv.Entry) ([]kv.Range, error) {
	table, primary := mark.Key[1], mark.Key[2:]
	ranges := []kv.Range{
		kv.Point(append(Key{spaceRecord, table}, primary...)),
		kv.Prefix(append(Key{spaceHistory, table}, primary...)),
	}
	r := record.NewReader(string(mark.Value))
	for r.Next() {
		if r.Field() == purgeEntry {
			ranges = append(ranges, kv.Point([]byte(r.String())))
		}
	}
	if r.Err() != nil {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, r.Err())
	}
	return ranges, nil
}
