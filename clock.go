package clientele

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/orgtree"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/tagging"
)

// ClockActor is who changes are recorded for that follow from time alone, or from a
// changed definition.
const ClockActor = "clientele.clock"

// chore is work that the clock brings, again and again.
type chore struct {
	name string
	do   func(context.Context) error
}

// clock does the chores in the background.
type clock struct {
	chores []chore
	logger *slog.Logger
	stop   context.CancelFunc
	ended  chan struct{}
	failed atomic.Pointer[error] // of the last round; nil before the first
}

// startClock begins a book's chores: at once, then every so often, never when that is
// negative.
func (b *Book) startClock(opts Options) {
	every := cmp.Or(opts.TickEvery, time.Minute)
	if every < 0 {
		return
	}
	session := storage.Session{Actor: ClockActor, Reason: "the clock"}
	tags := tagging.Job{Storage: b.store, Customers: b.customers, Session: session}
	units := orgtree.Job{Storage: b.store, Customers: b.customers, Session: session}
	credits := credit.Job{Storage: b.store, Customers: b.customers, Session: session}
	b.clock = newClock(cmp.Or(opts.Logger, slog.Default()), every,
		chore{"tags that begin or end", func(ctx context.Context) error { _, err := b.tags.Tick(ctx, tags); return err }},
		chore{"tags under changed definitions", func(ctx context.Context) error { _, err := b.tags.Settle(ctx, tags); return err }},
		chore{"assignments to units that begin or end", func(ctx context.Context) error { _, err := b.org.Tick(ctx, units); return err }},
		chore{"credit reservations that end", func(ctx context.Context) error { _, err := b.credit.ExpireReservations(ctx, credits); return err }},
	)
}

func newClock(logger *slog.Logger, every time.Duration, chores ...chore) *clock {
	ctx, stop := context.WithCancel(context.Background())
	c := &clock{chores: chores, logger: logger, stop: stop, ended: make(chan struct{})}
	go c.run(ctx, every)
	return c
}

func (c *clock) run(ctx context.Context, every time.Duration) {
	defer close(c.ended)
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		c.round(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// round does each chore once. One that fails keeps none of the others from being done,
// and is tried again in the next round.
func (c *clock) round(ctx context.Context) {
	var failures []error
	for _, chore := range c.chores {
		err := chore.do(ctx)
		if ctx.Err() != nil {
			return // what a closing book interrupts has not failed
		}
		if err != nil {
			c.logger.Error("work in the background failed", "work", chore.name, "error", err)
			failures = append(failures, &storage.Error{Op: "background", Key: chore.name, Err: err})
		}
	}
	failed := errors.Join(failures...)
	c.failed.Store(&failed)
}

// problem returns what failed in the last round.
func (c *clock) problem() error {
	if c == nil {
		return nil
	}
	if failed := c.failed.Load(); failed != nil {
		return *failed
	}
	return nil
}

// end stops the chores and waits until they have.
func (c *clock) end() {
	if c != nil {
		c.stop()
		<-c.ended
	}
}
