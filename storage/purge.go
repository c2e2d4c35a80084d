package storage

import (
	"bytes"
	"context"
	"fmt"

	"github.com/clientele-go/clientele/storage/kv"
	"github.com/clientele-go/clientele/storage/record"
)

// purgeMark is where a key is noted whose former values must leave the engine's files.
func purgeMark(key []byte) Key { return append(Key{spacePurge}, key...) }

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

// purgeRanges are the keys that a mark stands for: the marked one, and for a record its
// versions and their index entries.
func purgeRanges(mark kv.Entry) ([]kv.Range, error) {
	key := bytes.Clone(mark.Key[1:])
	ranges := []kv.Range{kv.Point(key)}
	if key[0] == spaceRecord {
		ranges = append(ranges, kv.Prefix(append(Key{spaceHistory}, key[1:]...)))
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
