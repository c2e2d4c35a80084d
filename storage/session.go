package storage

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/clientele-go/clientele/storage/kv"
)

// Session says who makes changes, and why, in at most 1,000 bytes each; both are kept
// with every version and, for ever, in the journal, so a reason should name no
// customer. Without an Actor nothing can be changed: the error wraps [ErrInvalid]. A
// session is a plain value.
type Session struct {
	Actor  string
	Reason string
	// Durability relaxes what Update waits for; the zero value is kv.Synced.
	Durability kv.Durability
}

// maxSession bounds actor and reason, in bytes each: every version holds them.
const maxSession = 1000

func (s Session) check() error {
	if s.Actor == "" {
		return fmt.Errorf("%w: the actor is empty; name who makes the change", ErrInvalid)
	}
	if n := max(len(s.Actor), len(s.Reason)); n > maxSession {
		return fmt.Errorf("%w: actor or reason of %d bytes; at most %d", ErrLimit, n, maxSession)
	}
	return nil
}

// errNoFunction is the error of a call that was given nothing to run.
var errNoFunction = fmt.Errorf("%w: the function is nil; give the one to run", ErrInvalid)

// View runs f on one consistent state. It costs some microseconds beside f.
func (s *Store) View(ctx context.Context, f func(*Reader) error) error {
	if f == nil {
		return &Error{Op: "view", Err: errNoFunction}
	}
	defer s.observe("view", time.Now())
	r, err := s.reader(ctx)
	if err != nil {
		return err
	}
	defer r.end()
	return f(r)
}

func (s *Store) reader(ctx context.Context) (*Reader, error) {
	r := &Reader{ctx: ctx, store: s}
	if err := s.snapshot(r); err != nil {
		return nil, err
	}
	return r, nil
}

func (r *Reader) end() {
	r.ended = true
	r.snap.Close()
}

// Update runs f and commits what it wrote, all or nothing, and returns the journal
// position of the change, or 0 when f changed nothing.
//
// When something that f read has been changed meanwhile, f is run again on a newer
// state; so f must have no effect but on tx. f must not call Update itself. An
// error from f ends the attempt with nothing written and is returned as it is.
// ErrUncertain means that the commit may or may not survive a crash; the store
// then refuses further writes until it is opened again.
func (s *Store) Update(ctx context.Context, session Session, f func(*Tx) error) (kv.Position, error) {
	if f == nil {
		return 0, &Error{Op: "update", Err: errNoFunction}
	}
	defer s.observe("update", time.Now())
	for attempt := 1; ; attempt++ {
		position, err := s.attempt(ctx, session, f, attempt > 8)
		if !errors.Is(err, errRetry) {
			return position, err
		}
		s.metrics.Count("update.conflicts", 1)
		if attempt == s.tries {
			return 0, &Error{Op: "update", Err: fmt.Errorf("%w: gave up after %d attempts", ErrConflict, attempt)}
		}
		if err := pause(ctx, attempt); err != nil {
			return 0, err
		}
	}
}

// errRetry marks a conflict found at commit, apart from one that f reports.
var errRetry = errors.New("run the transaction again")

func (s *Store) attempt(ctx context.Context, session Session, f func(*Tx) error, alone bool) (kv.Position, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if err := session.check(); err != nil {
		return 0, &Error{Op: "update", Err: err}
	}
	if alone {
		s.gate.Lock()
		defer s.gate.Unlock()
	} else {
		s.gate.RLock()
		defer s.gate.RUnlock()
	}
	tx, err := s.begin(ctx, session)
	if err != nil {
		return 0, err
	}
	defer tx.end()
	if err := f(tx); err != nil {
		tx.giveBack()
		return 0, err
	}
	if tx.pending.count == 0 {
		return 0, nil
	}
	position, err := tx.commit()
	if err != nil && !errors.Is(err, ErrUncertain) {
		tx.giveBack()
	}
	if errors.Is(err, kv.ErrConflict) {
		return 0, fmt.Errorf("%w: %w", errRetry, err)
	}
	if err != nil {
		return 0, &Error{Op: "update", Err: err}
	}
	s.metrics.Count("update.commits", 1)
	return position, nil
}

func (tx *Tx) commit() (kv.Position, error) {
	if tx.caching {
		defer tx.store.cache.change()()
	}
	return tx.store.apply(tx.ctx, tx.batch())
}

// apply commits a batch, and on an engine whose connection may be lost at the
// commit asks again, by the batch's id, how it ended.
func (s *Store) apply(ctx context.Context, b *kv.Batch) (kv.Position, error) {
	defer s.watch(b)()
	if !s.limits.Retry {
		return s.engine.Apply(ctx, b)
	}
	b.ID = kv.NewBatchID(s.clock())
	for attempt := 1; ; attempt++ {
		position, err := s.engine.Apply(ctx, b)
		if !errors.Is(err, kv.ErrUnknownOutcome) || attempt == 8 {
			return position, err
		}
		if err := pause(ctx, attempt); err != nil {
			return 0, errors.Join(kv.ErrUnknownOutcome, err)
		}
	}
}

// pause waits a little, at random, so that transactions in conflict fall out of step.
func pause(ctx context.Context, attempt int) error {
	wait := time.Duration(rand.Int64N(int64(50*time.Microsecond) << min(attempt, 8)))
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(wait):
		return nil
	}
}

func (s *Store) observe(name string, start time.Time) {
	s.metrics.Observe(name, time.Since(start))
}
