package storage

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/tidwall/btree"

	"github.com/clientele-go/clientele/storage/kv"
)

// Reader reads one consistent state of the book. It is good until the function
// that it was given to returns, and not safe for concurrent use.
type Reader struct {
	ctx     context.Context
	store   *Store
	snap    kv.Snapshot
	writes  *Tx    // the transaction that this reader belongs to, nil in a View
	scratch []byte // the last value read
	key     Key    // the last key asked for
	ended   bool
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
	session Session
	now     time.Time
	pending btree.Map[string, write]
	reads   []kv.Range
	arena   []byte // the bytes of reads
	changes []Op
	encode  []byte // scratch for keys and values
	leased  []lease
	before  KeySet
	after   KeySet
}

// write is the transaction's own change of one key. A merge alone keeps its delta;
// onto a set or delete it is folded at once.
type write struct {
	kind  kv.Kind
	value []byte
}

// Session returns who makes this change and why.
func (tx *Tx) Session() Session { return tx.session }

// Now is the transaction's time: UTC, whole microseconds, the same for every record that it writes.
func (tx *Tx) Now() time.Time { return tx.now }

func (tx *Tx) get(key []byte) ([]byte, bool, error) {
	w, own := tx.pending.Get(string(key))
	if own && w.kind != kv.Merge {
		return w.value, w.kind == kv.Set, nil
	}
	tx.noteRead(kv.Range{Lower: key})
	value, found, err := tx.stored(key)
	if err != nil || !own {
		return value, found, err
	}
	if !found {
		value = nil
	}
	folded, err := kv.Fold(value, w.value, true)
	return folded, err == nil, err
}

// noteRead remembers what the commit must check: a point when Upper is nil.
func (tx *Tx) noteRead(keys kv.Range) {
	start := len(tx.arena)
	tx.arena = append(tx.arena, keys.Lower...)
	if keys.Upper == nil {
		tx.arena = append(tx.arena, 0)
		end := len(tx.arena)
		tx.reads = append(tx.reads, kv.Range{Lower: tx.arena[start : end-1 : end-1], Upper: tx.arena[start:end:end]})
		return
	}
	middle := len(tx.arena)
	tx.arena = append(tx.arena, keys.Upper...)
	tx.reads = append(tx.reads, kv.Range{Lower: tx.arena[start:middle:middle], Upper: tx.arena[middle:len(tx.arena):len(tx.arena)]})
}

func (tx *Tx) set(key, value []byte) {
	tx.pending.Set(string(key), write{kv.Set, append([]byte(nil), value...)})
}

func (tx *Tx) delete(key []byte) {
	tx.pending.Set(string(key), write{kind: kv.Delete})
}

func (tx *Tx) merge(key, delta []byte) error {
	w, own := tx.pending.Get(string(key))
	if !own {
		tx.pending.Set(string(key), write{kv.Merge, append([]byte(nil), delta...)})
		return nil
	}
	folded, err := kv.Fold(w.value, delta, w.kind != kv.Merge)
	if err != nil {
		return err
	}
	if w.kind == kv.Delete {
		w.kind = kv.Set
	}
	tx.pending.Set(string(key), write{w.kind, folded})
	return nil
}

// scan joins the stored entries with the transaction's own writes.
func (tx *Tx) scan(keys kv.Range, reverse bool) iter.Seq2[kv.Entry, error] {
	if !tx.store.limits.RangeReads {
		return failed[kv.Entry](&Error{Op: "scan", Err: fmt.Errorf("%w: this engine can't check scans inside an Update; scan in a View first", ErrInvalid)})
	}
	tx.noteRead(keys)
	own := tx.ownWrites(keys, reverse)
	return func(yield func(kv.Entry, error) bool) {
		for e, err := range tx.snap.Scan(tx.ctx, keys, reverse) {
			if err != nil {
				yield(e, err)
				return
			}
			for len(own) > 0 && precedes(own[0].key, string(e.Key), reverse) {
				if !own[0].emit(nil, yield) {
					return
				}
				own = own[1:]
			}
			if len(own) > 0 && own[0].key == string(e.Key) {
				if !own[0].emit(e.Value, yield) {
					return
				}
				own = own[1:]
			} else if !yield(e, nil) {
				return
			}
		}
		for _, w := range own {
			if !w.emit(nil, yield) {
				return
			}
		}
	}
}

func precedes(a, b string, reverse bool) bool {
	if reverse {
		return a > b
	}
	return a < b
}

type ownWrite struct {
	key string
	write
}

// ownWrites copies the pending writes of a range, so that the loop's body may write.
func (tx *Tx) ownWrites(keys kv.Range, reverse bool) []ownWrite {
	var own []ownWrite
	tx.pending.Ascend(string(keys.Lower), func(key string, w write) bool {
		if keys.Upper != nil && key >= string(keys.Upper) {
			return false
		}
		own = append(own, ownWrite{key, w})
		return true
	})
	if reverse {
		for i, j := 0, len(own)-1; i < j; i, j = i+1, j-1 {
			own[i], own[j] = own[j], own[i]
		}
	}
	return own
}

// emit yields the key as this write leaves it, given the stored value if there is one.
func (w ownWrite) emit(stored []byte, yield func(kv.Entry, error) bool) bool {
	value := w.value
	switch w.kind {
	case kv.Delete:
		return true
	case kv.Merge:
		folded, err := kv.Fold(stored, w.value, true)
		if err != nil {
			yield(kv.Entry{}, err)
			return false
		}
		value = folded
	}
	return yield(kv.Entry{Key: []byte(w.key), Value: value}, nil)
}

// batch is what the engine commits.
func (tx *Tx) batch() *kv.Batch {
	b := &kv.Batch{Since: tx.snap.Stamp(), Reads: tx.reads, Durability: tx.session.Durability}
	tx.pending.Scan(func(key string, w write) bool {
		switch w.kind {
		case kv.Set:
			b.Set([]byte(key), w.value)
		case kv.Delete:
			b.Delete([]byte(key))
		case kv.Merge:
			b.Merge([]byte(key), w.value)
		}
		return true
	})
	return b
}
