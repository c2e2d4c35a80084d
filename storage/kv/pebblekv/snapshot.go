package pebblekv

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/cockroachdb/pebble/v2"

	"github.com/clientele-go/clientele/storage/kv"
)

// lookAround is the number of scan steps between two looks at the context.
const lookAround = 256

// snapshot implements kv.Snapshot.
type snapshot struct {
	*state
	engine *Engine
	calls  gate
}

// Snapshot implements [kv.Engine].
func (e *Engine) Snapshot(ctx context.Context) (kv.Snapshot, error) {
	if err := e.enter(ctx, "snapshot"); err != nil {
		return nil, err
	}
	defer e.calls.leave()
	s := &snapshot{engine: e}
	s.calls.release = func() { e.snapshots.remove(s) }
	e.snapshots.add(s, e)
	return s, nil
}

func (s *snapshot) Stamp() kv.Stamp { return s.stamp }

// Position reads the journal's last key, once.
func (s *snapshot) Position(ctx context.Context) (kv.Position, error) {
	if err := s.enter(ctx, "position"); err != nil {
		return 0, err
	}
	defer s.calls.leave()
	if known := s.position.Load(); known != nil {
		return *known, nil
	}
	position, err := lastPosition(s.snap)
	if err != nil {
		return 0, wrap("position", err)
	}
	s.position.Store(&position)
	return position, nil
}

// Close releases the snapshot as soon as the last call on it has ended, which it
// doesn't wait for.
func (s *snapshot) Close() error {
	s.calls.shut()
	return nil
}

func (s *snapshot) enter(ctx context.Context, what string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !s.calls.enter() {
		return fmt.Errorf("pebblekv: %s: snapshot or %w", what, kv.ErrClosed)
	}
	return nil
}

func (s *snapshot) Get(ctx context.Context, key, dst []byte) ([]byte, bool, error) {
	if err := s.enter(ctx, "get"); err != nil {
		return dst, false, err
	}
	defer s.calls.leave()
	if err := checkKey(key); err != nil {
		return dst, false, err
	}
	hash := s.engine.window.hash(key)
	if longer, kept := s.engine.rows.get(hash, key, s.stamp, dst); kept {
		return longer, true, nil
	}
	value, closer, err := s.snap.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return dst, false, nil
	}
	if err != nil {
		return dst, false, wrap("get", err)
	}
	if err := checkValueRead(key, value); err != nil {
		return dst, false, errors.Join(err, closer.Close())
	}
	s.engine.rows.put(hash, key, value, s.stamp)
	longer := append(dst, value...)
	if err := closer.Close(); err != nil {
		return dst, false, wrap("get", err)
	}
	return longer, true, nil
}

func (s *snapshot) Scan(ctx context.Context, r kv.Range, reverse bool) iter.Seq2[kv.Entry, error] {
	return func(yield func(kv.Entry, error) bool) {
		if err := s.scan(ctx, r, reverse, func(entry kv.Entry) bool { return yield(entry, nil) }); err != nil {
			yield(kv.Entry{}, err)
		}
	}
}

// scan calls visit for each entry of the range until it returns false.
func (s *snapshot) scan(ctx context.Context, r kv.Range, reverse bool, visit func(kv.Entry) bool) error {
	if err := s.enter(ctx, "scan"); err != nil {
		return err
	}
	defer s.calls.leave()
	r = callersPart(r)
	// Pebble pools iterators: a new one costs no more than a kept one with new bounds.
	it, err := s.snap.NewIter(&pebble.IterOptions{LowerBound: r.Lower, UpperBound: r.Upper})
	if err != nil {
		return wrap("scan", err)
	}
	defer it.Close() // it.Error tells of errors before
	first, next := it.First, it.Next
	if reverse {
		first, next = it.Last, it.Prev
	}
	steps := 0
	for valid := first(); valid; valid = next() {
		if steps++; steps%lookAround == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		value, err := it.ValueAndErr()
		if err != nil {
			return wrap("scan", err)
		}
		if err := checkValueRead(it.Key(), value); err != nil {
			return err
		}
		if !visit(kv.Entry{Key: it.Key(), Value: value}) {
			return nil
		}
	}
	return wrap("scan", it.Error())
}

// callersPart cuts the engine's own keys off a range.
func callersPart(r kv.Range) kv.Range {
	if string(r.Lower) < string(callers) {
		r.Lower = callers
	}
	if r.Upper != nil && string(r.Upper) < string(r.Lower) {
		r.Upper = r.Lower
	}
	return r
}
