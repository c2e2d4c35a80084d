package storage

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/clientele-go/clientele/storage/kv"
	"github.com/clientele-go/clientele/storage/record"
)

// Change is one entry of the journal: what one transaction changed. It holds no
// content, only keys, versions and digests; read the records themselves for more.
type Change struct {
	Position kv.Position
	Time     time.Time // the transaction's time, UTC
	Actor    string
	Reason   string
	Ops      []Op
}

// Op is one changed record of a table with History.
type Op struct {
	Table   uint8
	Action  uint8 // the table's own word for what happened
	Key     Key   // the primary key
	Version uint64
	Digest  Digest // of the version that the change made
}

// entry is a journal entry without its position.
type entry struct {
	Time   time.Time
	Actor  string
	Reason string
	Ops    []Op
}

// The journal entry's fields.
const (
	entryTime   = 1
	entryActor  = 2
	entryReason = 3
	entryOp     = 4

	opTable   = 1
	opAction  = 2
	opKey     = 3
	opVersion = 4
	opDigest  = 5
)

func (e entry) append(dst []byte) []byte {
	w := record.Writer{Buf: dst}
	w.Int(entryTime, e.Time.UnixMicro())
	w.String(entryActor, e.Actor)
	w.String(entryReason, e.Reason)
	for i := range e.Ops {
		op := &e.Ops[i]
		m := w.Begin(entryOp)
		w.Uint(opTable, uint64(op.Table))
		w.Uint(opAction, uint64(op.Action))
		w.Bytes(opKey, op.Key)
		w.Uint(opVersion, op.Version)
		w.Bytes(opDigest, op.Digest[:])
		w.End(m)
	}
	return w.Buf
}

func readChange(position kv.Position, payload string) (Change, error) {
	c := Change{Position: position}
	r := record.NewReader(payload)
	for r.Next() {
		switch r.Field() {
		case entryTime:
			c.Time = time.UnixMicro(r.Int()).UTC()
		case entryActor:
			c.Actor = r.String()
		case entryReason:
			c.Reason = r.String()
		case entryOp:
			text := r.String()
			if c.Ops == nil { // room for all, if they are as long as the first
				c.Ops = make([]Op, 0, len(payload)/(len(text)+2))
			}
			op, err := readOp(text)
			if err != nil {
				r.Fail(err)
			}
			c.Ops = append(c.Ops, op)
		}
	}
	if r.Err() != nil {
		return c, fmt.Errorf("storage: journal entry %d: %w: %w", position, ErrCorrupt, r.Err())
	}
	return c, nil
}

func readOp(src string) (Op, error) {
	var op Op
	r := record.NewReader(src)
	for r.Next() {
		switch r.Field() {
		case opTable:
			op.Table = uint8(r.Uint())
		case opAction:
			op.Action = uint8(r.Uint())
		case opKey:
			op.Key = Key(r.String())
		case opVersion:
			op.Version = r.Uint()
		case opDigest:
			if copy(op.Digest[:], r.String()) != len(op.Digest) {
				r.Fail(fmt.Errorf("digest of %d bytes", len(r.String())))
			}
		}
	}
	return op, r.Err()
}

// Changes yields the journal after a position, in commit order and without a gap,
// up to what is durable now; so a reader that resumes after the last position it
// handled misses nothing and meets nothing that a crash could take back.
//
// A position beyond the end is an error that wraps ErrInvalid: it is another book's, or
// this one was restored from an older backup.
func (s *Store) Changes(ctx context.Context, after kv.Position) iter.Seq2[Change, error] {
	return changes(ctx, s, after, func(p kv.Position, payload []byte) (Change, error) { return readChange(p, string(payload)) })
}

// Times is Changes of when the entries were recorded alone, for finding a position by time:
// the entries of a bulk load name thousands of records each.
func (s *Store) Times(ctx context.Context, after kv.Position) iter.Seq2[Moment, error] {
	return changes(ctx, s, after, readMoment)
}

// Moment is when an entry of the journal was recorded.
type Moment struct {
	Position kv.Position
	Time     time.Time // the transaction's time, UTC
}

// readMoment reads an entry's time, which stands first.
func readMoment(position kv.Position, payload []byte) (Moment, error) {
	const enough = 16 // for a time
	r := record.NewReader(string(payload[:min(len(payload), enough)]))
	if r.Next() && r.Field() == entryTime {
		return Moment{position, time.UnixMicro(r.Int()).UTC()}, nil
	}
	change, err := readChange(position, string(payload))
	return Moment{position, change.Time}, err
}

// changes yields what read makes of the entries after a position.
func changes[T any](ctx context.Context, s *Store, after kv.Position, read func(kv.Position, []byte) (T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		if end := s.engine.Durable(); after > end {
			yield(none, &Error{Op: "read journal", Err: fmt.Errorf("%w: entry %d is beyond the end, %d: it is of another book, or of this one before it was restored", ErrInvalid, after, end)})
			return
		}
		for c, err := range s.engine.Changes(ctx, after) {
			if err != nil {
				yield(none, &Error{Op: "read journal", Err: err})
				return
			}
			change, err := read(c.Position, c.Payload)
			if !yield(change, err) || err != nil {
				return
			}
		}
	}
}

// WaitDurable waits until the journal is durable up to a position, so that Changes yields
// all of it: after relaxed transactions, that of a [Reader] may not be yet.
func (s *Store) WaitDurable(ctx context.Context, position kv.Position) error {
	if position == 0 {
		return nil
	}
	return s.engine.WaitDurable(ctx, position-1)
}

// Follow is Changes that goes on: after the last durable entry it waits for the
// next, until ctx is done, whose error comes last.
func (s *Store) Follow(ctx context.Context, after kv.Position) iter.Seq2[Change, error] {
	return func(yield func(Change, error) bool) {
		for {
			for c, err := range s.Changes(ctx, after) {
				if !yield(c, err) || err != nil {
					return
				}
				after = c.Position
			}
			if err := s.engine.WaitDurable(ctx, after); err != nil {
				yield(Change{}, err)
				return
			}
		}
	}
}
