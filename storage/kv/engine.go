package kv

import (
	"context"
	"iter"
)

// Engine keeps one book's bytes. Its methods are safe for concurrent use, except
// that Close must come last. Every method returns an error that wraps [ErrClosed]
// after Close.
type Engine interface {
	// Snapshot freezes the present state for reading. It costs microseconds and
	// keeps overwritten data from being reclaimed until it is closed.
	Snapshot(ctx context.Context) (Snapshot, error)

	// Apply commits the batch: all of it or none. It returns the position of the
	// batch's journal entry, or 0 when it carried none.
	//
	// It fails with an error wrapping [ErrConflict], and changes nothing, when a key
	// or range in the batch's reads was written by another commit after the batch's
	// stamp, or when the engine can no longer tell. A batch whose id was applied
	// before is not applied again: Apply returns the first position.
	//
	// With [Synced] durability Apply returns after the batch would survive a power
	// loss. An error that wraps [ErrUnknownOutcome] means that the batch may or may
	// not have been applied; trying it again with the same id is safe. With any other
	// error, also that of ctx, it was not applied and never will be.
	//
	// The engine keeps no memory of the batch once Apply has returned.
	Apply(ctx context.Context, b *Batch) (Position, error)

	// Ingest commits a load of new keys, durably and atomically, faster than Apply
	// for more than some ten thousand keys. It returns the position of the last of
	// the load's journal entries, or 0 when it carried none.
	//
	// It fails with an error wrapping [ErrConflict], and changes nothing, when a key
	// of the load, or one in its reads, was written after the load's stamp. Keys that were present at the
	// stamp are the caller's mistake; the load's value replaces them.
	Ingest(ctx context.Context, l *Load) (Position, error)

	// Changes yields the journal after a position, in order, up to what was durable
	// when the call was made. At most one error is yielded, as the last element.
	Changes(ctx context.Context, after Position) iter.Seq2[Change, error]

	// Durable returns the last position that a crash can't take back.
	Durable() Position

	// WaitDurable returns nil as soon as Durable() > after. It returns ctx's error
	// when that comes first.
	WaitDurable(ctx context.Context, after Position) error

	// Backup writes a consistent copy of the engine, with its journal, into dir,
	// which it creates and which must not exist or be empty. The copy shares no file
	// with the engine and can be opened by the same kind of engine. Writers go on
	// meanwhile. On error dir is left as it is and must not be used.
	Backup(ctx context.Context, dir string, progress func(done, total int64)) error

	// Purge rewrites the engine's files until no overwritten or deleted value of the
	// ranges, and no deleted key, is left in them, log and backups made from then on
	// included. Values that an open snapshot can still see stay: then the error wraps
	// [ErrPinned], and Purge must be called again to be rid of them. It costs a rewrite of
	// the files that the ranges touch.
	Purge(ctx context.Context, ranges []Range) error

	// Limits states what the engine accepts.
	Limits() Limits

	// Stats reports the engine's health. It costs microseconds.
	Stats() Stats

	// Close waits for running calls and releases everything. Open snapshots must be
	// closed before. Closing twice is harmless.
	Close() error
}

// Snapshot reads one frozen state. It is safe for concurrent use. Close it.
type Snapshot interface {
	// Get appends the value of key to dst and returns the longer slice. The second
	// result is false, and dst returned as it was, when the key is absent.
	// A merged value comes back folded, as a Set of the same state would have it.
	Get(ctx context.Context, key, dst []byte) ([]byte, bool, error)

	// Scan yields the entries of a range in key order, or backwards. Key and Value
	// are lent until the loop's next step. At most one error is yielded, as the last
	// element; ctx is looked at now and then.
	Scan(ctx context.Context, r Range, reverse bool) iter.Seq2[Entry, error]

	// Stamp orders this snapshot among commits: the snapshot holds every commit up
	// to its stamp, and may hold later ones, which only makes conflicts likelier.
	Stamp() Stamp

	// Position is the journal position that the snapshot is at: it holds the effects
	// of every entry up to there and of none after. It may cost a read, once, and
	// may be ahead of Durable. Its error is that of the read.
	Position(ctx context.Context) (Position, error)

	// Close releases the snapshot. Closing twice is harmless.
	Close() error
}

// Stamp orders commits within one opening of an engine.
type Stamp uint64

// Position numbers journal entries, starting at 1; 0 is before the first.
type Position uint64

// Range is the half-open interval of keys [Lower, Upper). A nil Upper has no end.
type Range struct{ Lower, Upper []byte }

// Prefix returns the range of all keys that begin with p.
func Prefix(p []byte) Range {
	upper := append([]byte(nil), p...)
	for i := len(upper) - 1; i >= 0; i-- {
		if upper[i]++; upper[i] != 0 {
			return Range{Lower: p, Upper: upper[:i+1]}
		}
	}
	return Range{Lower: p}
}

// Point returns the range that holds key alone.
func Point(key []byte) Range {
	return Range{Lower: key, Upper: append(key[:len(key):len(key)], 0)}
}

// Contains reports whether key lies in r.
func (r Range) Contains(key []byte) bool {
	return string(key) >= string(r.Lower) && (r.Upper == nil || string(key) < string(r.Upper))
}

// Entry is one key with its value, lent by a scan.
type Entry struct{ Key, Value []byte }

// Change is one journal entry with its position. The payload is the caller's to keep.
type Change struct {
	Position Position
	Payload  []byte
}

// Limits states what an engine accepts; a larger key, value or batch is refused
// with an error wrapping [ErrLimit].
type Limits struct {
	KeyBytes   int   // longest key
	ValueBytes int   // longest value, merge delta or journal payload
	BatchBytes int64 // largest batch, keys and values together
	// LoadBytes is the size of the Loads in which many rows are best ingested, keys and
	// values together; 0 is no preference.
	LoadBytes int64
	// RangeReads tells whether Apply checks ranges as well as points. Storage
	// refuses scans inside an update on an engine that does not.
	RangeReads bool
	// Shared tells that other processes may write to the book meanwhile.
	Shared bool
	// Retry tells that an Apply which ended with ErrUnknownOutcome is worth trying
	// again with the same batch id, as when a connection was lost. Storage then gives
	// every batch an id.
	Retry bool
}

// Stats is an engine's state of health. Fields that an engine has no figure for
// are zero.
type Stats struct {
	DiskBytes       int64 // on disk, journal and log included
	CompactionDebt  int64 // bytes that still have to be rewritten to reach a steady state
	CacheBytes      int64 // memory in the block cache
	CacheHits       int64 // block cache hits since opening
	CacheMisses     int64 // block cache misses since opening
	Commits         int64 // batches applied since opening
	Conflicts       int64 // batches refused with ErrConflict since opening
	SyncWaits       int64 // commits that waited for a sync since opening
	ReadAmplitude   int   // sorted runs that a point read may touch
	OpenSnapshots   int   // snapshots not yet closed
	WriteStalls     int64 // times that writers had to wait for compaction since opening
	BackgroundError error // why the engine refuses writes, or nil
}
