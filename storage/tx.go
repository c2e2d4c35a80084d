package storage

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/clientele-go/clientele/storage/kv"
)

// Reader reads one consistent state of the book. It is good until the function
// that it was given to returns, and not safe for concurrent use.
type Reader struct {
	ctx     context.Context
	store   *Store
	snap    kv.Snapshot
	era     *era    // what is known of pinned tables in this state, nil for nothing
	sets    *era    // see Era
	recency Recency // of a View
	writes  *Tx     // the transaction that this reader belongs to, nil in a View
	scratch []byte  // the last value read
	key     Key     // the last key asked for
	ended   bool
}

// Writing reports whether this is the reader of an Update: what it sees may never be
// committed, so that nothing of it should outlive the transaction.
func (r *Reader) Writing() bool { return r.writes != nil }

// Beside returns a reader of the same state for another goroutine, which must be done with it
// before this one ends; nil for the reader of an Update, which notes what is read.
func (r *Reader) Beside() *Reader {
	if r.ended || r.writes != nil {
		return nil
	}
	return &Reader{ctx: r.ctx, store: r.store, snap: r.snap, era: r.era, sets: r.sets, recency: r.recency}
}

// Context returns the context of the call that opened the transaction.
func (r *Reader) Context() context.Context { return r.ctx }

// Position is the journal position that this state is at.
func (r *Reader) Position() (kv.Position, error) { return r.snap.Position(r.ctx) }

// get returns a value that is good until the next get.
func (r *Reader) get(key []byte) ([]byte, bool, error) {
	if r.ended {
		return nil, false, &Error{Op: "get", Err: ErrEnded}
	}
	if r.writes != nil {
		return r.writes.get(key)
	}
	return r.stored(key)
}

func (r *Reader) stored(key []byte) ([]byte, bool, error) {
	value, found, err := r.snap.Get(r.ctx, key, r.scratch[:0])
	r.scratch = value
	return value, found, err
}

// scan yields entries that are lent until the loop's next step.
func (r *Reader) scan(keys kv.Range, reverse bool) iter.Seq2[kv.Entry, error] {
	if r.ended {
		return failed[kv.Entry](&Error{Op: "scan", Err: ErrEnded})
	}
	if r.writes != nil {
		return r.writes.scan(keys, reverse)
	}
	return r.snap.Scan(r.ctx, keys, reverse)
}

func failed[T any](err error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		yield(none, err)
	}
}

// Tx is one attempt of an Update: it reads a consistent state and its own writes.
// What it read is checked again when it commits, so transactions are serializable.
// It is good until the function that it was given to returns, and not safe for
// concurrent use.
type Tx struct {
	Reader
	*scratch
	session Session
	now     time.Time
	caching bool // writes to a pinned table
}

// scratch is the memory of an attempt, which later attempts use again.
type scratch struct {
	pending writes
	reads   []kv.Range
	changes []Op
	leased  []lease
	before  KeySet
	after   KeySet
	encode  []byte // a record being written
	full    Key    // a key being written
	primary Key    // of the record being written
	journal []byte
	value   []byte // the Reader's
	name    Key    // the Reader's
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

// keepScratch bounds the memory that a large transaction leaves to later ones, in
// elements of each list and in kilobytes of each buffer.
const keepScratch = 256

func (s *scratch) release() {
	if max(cap(s.reads), cap(s.changes), cap(s.leased)) > keepScratch || max(cap(s.encode), cap(s.journal), cap(s.value)) > keepScratch<<10 {
		return
	}
	s.pending.reset()
	clear(s.reads)
	clear(s.changes)
	clear(s.leased)
	s.reads, s.changes, s.leased = s.reads[:0], s.changes[:0], s.leased[:0]
	scratches.Put(s)
}

// begin opens an attempt.
func (s *Store) begin(ctx context.Context, session Session) (*Tx, error) {
	memory := scratches.Get().(*scratch)
	tx := &Tx{session: session, scratch: memory}
	tx.Reader = Reader{ctx: ctx, store: s, writes: tx, scratch: memory.value, key: memory.name}
	if err := s.snapshot(&tx.Reader); err != nil {
		return nil, err
	}
	tx.now = s.Now()
	return tx, nil
}

// end takes the transaction's memory away, so that a use after the end is an error
// and not a change of another transaction.
func (tx *Tx) end() {
	memory := tx.scratch
	memory.value, memory.name = tx.Reader.scratch, tx.Reader.key
	tx.scratch, tx.Reader.scratch, tx.Reader.key = nil, nil, nil
	tx.Reader.end()
	memory.release()
}

// Session returns who makes this change and why.
func (tx *Tx) Session() Session { return tx.session }

// Now is the transaction's time: UTC, whole microseconds, the same for every record that it writes.
func (tx *Tx) Now() time.Time { return tx.now }

func (tx *Tx) get(key []byte) ([]byte, bool, error) {
	own := tx.pending.get(key)
	if own != nil && own.Kind != kv.Merge {
		return own.Value, own.Kind == kv.Set, nil
	}
	tx.notePoint(key)
	value, found, err := tx.stored(key)
	if err != nil || own == nil {
		return value, found, err
	}
	if !found {
		value = nil
	}
	folded, err := kv.Fold(value, own.Value, true)
	return folded, err == nil, err
}

// notePoint remembers that the commit must check a key.
func (tx *Tx) notePoint(key []byte) {
	point := tx.pending.bytes.join(key, zero)
	tx.reads = append(tx.reads, kv.Range{Lower: point[:len(key):len(key)], Upper: point})
}

var zero = []byte{0}

// noteRange remembers that the commit must check a range.
func (tx *Tx) noteRange(keys kv.Range) {
	noted := kv.Range{Lower: tx.pending.bytes.copy(keys.Lower)}
	if keys.Upper != nil {
		noted.Upper = tx.pending.bytes.copy(keys.Upper)
	}
	tx.reads = append(tx.reads, noted)
}

// set stores a value; after the end, when every read fails, it does nothing.
func (tx *Tx) set(key, value []byte) {
	if !tx.ended {
		tx.pending.put(kv.Set, key, value)
	}
}

func (tx *Tx) delete(key []byte) {
	if !tx.ended {
		tx.pending.put(kv.Delete, key, nil)
	}
}

func (tx *Tx) merge(key, delta []byte) error {
	if tx.ended {
		return &Error{Op: "merge", Err: ErrEnded}
	}
	return tx.pending.merge(key, delta)
}

// scan joins the stored entries with the transaction's own writes. The commit checks
// the part of the range that the loop has seen.
func (tx *Tx) scan(keys kv.Range, reverse bool) iter.Seq2[kv.Entry, error] {
	if !tx.store.limits.RangeReads {
		return failed[kv.Entry](&Error{Op: "scan", Err: fmt.Errorf("%w: this engine can't check scans inside an Update; scan in a View first", ErrInvalid)})
	}
	return func(yield func(kv.Entry, error) bool) {
		tx.joined(keys, reverse)(func(e kv.Entry, err error) bool {
			if yield(e, err) {
				return true
			}
			if err == nil {
				keys = seen(keys, e.Key, reverse)
			}
			return false
		})
		if !tx.ended {
			tx.noteRange(keys)
		}
	}
}

// seen is the part of a range that a scan has come through when it stops at a key,
// which is lent.
func seen(keys kv.Range, at []byte, reverse bool) kv.Range {
	if reverse {
		return kv.Range{Lower: bytes.Clone(at), Upper: keys.Upper}
	}
	return kv.Range{Lower: keys.Lower, Upper: kv.Point(at).Upper}
}

func (tx *Tx) joined(keys kv.Range, reverse bool) iter.Seq2[kv.Entry, error] {
	return func(yield func(kv.Entry, error) bool) {
		own := tx.pending.within(keys)
		if reverse {
			slices.Reverse(own)
		}
		for e, err := range tx.snap.Scan(tx.ctx, keys, reverse) {
			if err != nil {
				yield(e, err)
				return
			}
			for len(own) > 0 && precedes(own[0].Key, e.Key, reverse) {
				if !emit(own[0], nil, yield) {
					return
				}
				own = own[1:]
			}
			if len(own) > 0 && bytes.Equal(own[0].Key, e.Key) {
				if !emit(own[0], e.Value, yield) {
					return
				}
				own = own[1:]
			} else if !yield(e, nil) {
				return
			}
		}
		for _, op := range own {
			if !emit(op, nil, yield) {
				return
			}
		}
	}
}

func precedes(a, b []byte, reverse bool) bool {
	if reverse {
		a, b = b, a
	}
	return bytes.Compare(a, b) < 0
}

// emit yields the key as the transaction's own write leaves it, given the stored value
// if there is one.
func emit(op kv.Op, stored []byte, yield func(kv.Entry, error) bool) bool {
	value := op.Value
	switch op.Kind {
	case kv.Delete:
		return true
	case kv.Merge:
		folded, err := kv.Fold(stored, op.Value, true)
		if err != nil {
			yield(kv.Entry{}, err)
			return false
		}
		value = folded
	}
	return yield(kv.Entry{Key: op.Key, Value: value}, nil)
}

// batch is what the engine commits. It shares the transaction's memory.
func (tx *Tx) batch() *kv.Batch {
	b := &kv.Batch{Since: tx.snap.Stamp(), Reads: tx.reads, Durability: tx.session.Durability}
	b.Take(tx.pending.ops())
	if len(tx.changes) > 0 {
		tx.journal = entry{Time: tx.now, Actor: tx.session.Actor, Reason: tx.session.Reason, Ops: tx.changes}.append(tx.journal[:0])
		b.Journal = tx.journal
	}
	return b
}
