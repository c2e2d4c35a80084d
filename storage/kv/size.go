package kv

import "context"

// Sizer is a [Snapshot] that can tell how large its parts are, so that work on all of
// them can be shared out evenly.
type Sizer interface {
	// Size estimates how many bytes the entries of a range take on disk. What is only in
	// memory as yet is left out. It costs microseconds, and up to two reads of a table's index.
	Size(ctx context.Context, r Range) (int64, error)

	// JournalSize is Size of the journal's entries after one position, up to another.
	JournalSize(ctx context.Context, after, upTo Position) (int64, error)
}

// Size is [Sizer.Size], 0 where the snapshot is no Sizer.
func Size(ctx context.Context, s Snapshot, r Range) (int64, error) {
	if sized, ok := s.(Sizer); ok {
		return sized.Size(ctx, r)
	}
	return 0, nil
}

// JournalSize is [Sizer.JournalSize], 0 where the snapshot is no Sizer.
func JournalSize(ctx context.Context, s Snapshot, after, upTo Position) (int64, error) {
	if sized, ok := s.(Sizer); ok {
		return sized.JournalSize(ctx, after, upTo)
	}
	return 0, nil
}
