package classify

import (
	"context"
	"errors"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
)

// Tick evaluates the customers for whom the clock may change something by now, and
// returns how many. Nobody else is looked at: it costs a look into the due index and
// the evaluation of those who are due. The book calls it by itself in the background,
// see [Options].TickEvery.
func (e *Rules) Tick(ctx context.Context, now time.Time) (int, error) {
	if _, err := e.book(ctx); err != nil {
		return 0, err
	}
	now = now.UTC().Truncate(time.Microsecond)
	done := 0
	for {
		ids, err := e.dueBy(ctx, now)
		if err != nil || len(ids) == 0 {
			return done, err
		}
		if _, err := e.do(ctx, work{ids: ids, clock: now, reason: "the clock"}, nil); err != nil {
			return done, err
		}
		done += len(ids)
	}
}

// dueBy returns the next customers that are due, at most a part. Evaluating one at now
// makes it due later than now, or never.
func (e *Rules) dueBy(ctx context.Context, now time.Time) (ids []customer.ID, err error) {
	until := kv.Range{Upper: storage.Key(nil).Uint(uint64(max(now.UnixMicro(), 0)) + 1)}
	err = e.store.View(ctx, func(r *storage.Reader) error {
		for x, err := range e.due.Entries(r, e.dueAt, until, false) {
			if err != nil {
				return err
			}
			_, rest, err := x.Key().CutUint()
			if err != nil {
				return err
			}
			id, err := x.Primary(rest)
			if err != nil {
				return err
			}
			if ids = append(ids, id); len(ids) == part {
				break
			}
		}
		return nil
	})
	return ids, err
}

// NextDue returns when the clock changes something next, zero for never.
func (e *Rules) NextDue(ctx context.Context) (at time.Time, err error) {
	store, err := e.book(ctx)
	if err != nil {
		return at, err
	}
	err = store.View(ctx, func(r *storage.Reader) error {
		for x, err := range e.due.Entries(r, e.dueAt, kv.Range{}, false) {
			if err != nil {
				return err
			}
			micros, _, err := x.Key().CutUint()
			at = time.UnixMicro(int64(micros)).UTC()
			return err
		}
		return nil
	})
	return at, err
}

// eventRecorded makes a customer due at once: events leave no trace in the journal.
func (e *Rules) eventRecorded(tx *storage.Tx, id customer.ID, _ customer.Event) error {
	edition, err := e.state.Get(&tx.Reader, stateEdition)
	if errors.Is(err, storage.ErrNotFound) {
		return nil // there are no rules
	}
	if err != nil {
		return err
	}
	if p := e.planned.Load(); p != nil && p.key.edition == *edition && !p.reads(sourceActivity) {
		return nil
	}
	old, err := e.due.Get(&tx.Reader, id)
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return err
	}
	if err == nil && old.at <= tx.Now().UnixMicro() {
		return nil
	}
	e.nudge()
	return e.due.Put(tx, id, &due{tx.Now().UnixMicro()}, 0)
}

// reads reports whether a rule reads a source.
func (p *plan) reads(source int) bool {
	for _, s := range p.stages {
		if s.reads&(1<<source) != 0 {
			return true
		}
	}
	return false
}

// Sync returns when the tags follow from everything that was committed before the call,
// and from the present time.
func (e *Rules) Sync(ctx context.Context) error {
	store, err := e.book(ctx)
	if err != nil {
		return err
	}
	if err := store.Sync(ctx, ViewName); err != nil {
		return err
	}
	if err := e.Resume(ctx); err != nil {
		return err
	}
	_, err = e.Tick(ctx, store.Now())
	return err
}

// nudge wakes the background.
func (e *Rules) nudge() {
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// settleDown is how long the background waits after it was woken, so that the
// transaction that woke it has committed, and more may come.
const settleDown = 50 * time.Millisecond

// run finishes interrupted jobs and evaluates who is due, until the book is closed.
// What fails is tried again at the next tick; who waits with Sync gets the error.
func (e *Rules) run() {
	defer e.running.Done()
	for {
		err := e.Resume(e.background)
		if err == nil {
			_, err = e.Tick(e.background, e.store.Now())
		}
		e.noteBackground(err)
		select {
		case <-e.background.Done():
			return
		case <-time.After(e.tickEvery):
		case <-e.wake:
			select {
			case <-e.background.Done():
				return
			case <-time.After(settleDown):
			}
		}
	}
}

func (e *Rules) noteBackground(err error) {
	if e.background.Err() == nil {
		e.lastError.Store(&err)
	}
}
