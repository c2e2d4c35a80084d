package pebblekv

import (
	"context"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/clientele-go/clientele/storage/kv"
)

// compactions says when Pebble's compactions run: as many at a time as Pebble allows
// itself, but none while they are postponed. It implements pebble.CompactionScheduler, whose
// methods are called with locks of Pebble held; only work may call Pebble.
type compactions struct {
	db        pebble.DBForCompaction
	postponed func() bool
	wake      chan struct{}
	stop      context.CancelFunc
	stopping  context.Context
	working   sync.WaitGroup

	mu      sync.Mutex
	running int
	stopped bool
}

var (
	_ pebble.CompactionScheduler   = (*compactions)(nil)
	_ pebble.CompactionGrantHandle = (*compactions)(nil)
)

func newCompactions(postponed func() bool) *compactions {
	c := &compactions{postponed: postponed, wake: make(chan struct{}, 1)}
	c.stopping, c.stop = context.WithCancel(context.Background())
	return c
}

// Register begins the work.
func (c *compactions) Register(_ int, db pebble.DBForCompaction) {
	c.db = db
	c.working.Go(c.work)
}

// Unregister ends the work. Compactions may be running still.
func (c *compactions) Unregister() {
	c.mu.Lock()
	c.stopped = true
	c.mu.Unlock()
	c.stop()
	c.working.Wait()
}

// lookEvery is how long a compaction that was postponed or not allowed may go unnoticed
// after it is.
const lookEvery = 100 * time.Millisecond

func (c *compactions) work() {
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		select {
		case <-c.stopping.Done():
			return
		case <-c.wake:
		case <-look.C:
		}
		for c.startWaiting() {
		}
	}
}

// startWaiting starts a compaction that had to wait, if there is one and it may run now.
func (c *compactions) startWaiting() bool {
	if !c.reserve() {
		return false
	}
	if waiting, _ := c.db.GetWaitingCompaction(); waiting && c.db.Schedule(c) {
		return true
	}
	c.free()
	return false
}

func (c *compactions) reserve() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopped || c.postponed() || c.running >= c.db.GetAllowedWithoutPermission() {
		return false
	}
	c.running++
	return true
}

func (c *compactions) free() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running--
}

// TrySchedule is called when there is something to compact.
func (c *compactions) TrySchedule() (bool, pebble.CompactionGrantHandle) {
	if !c.reserve() {
		return false, nil
	}
	return true, c
}

// Done is called when a compaction has ended.
func (c *compactions) Done() {
	c.free()
	c.UpdateGetAllowedWithoutPermission()
}

// UpdateGetAllowedWithoutPermission is called when more compactions may be allowed.
func (c *compactions) UpdateGetAllowedWithoutPermission() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// Started, MeasureCPU and CumulativeStats would serve to pace compactions.

func (c *compactions) Started()                                          {}
func (c *compactions) MeasureCPU(pebble.CompactionGoroutineKind)         {}
func (c *compactions) CumulativeStats(pebble.CompactionGrantHandleStats) {}

// compact has Pebble compact a range, and waits for it until ctx ends. Pebble must not be told
// of that: it may have chosen the compaction for when one may run again, and
// would panic then because it was withdrawn. Once the engine closes, none is chosen.
func (e *Engine) compact(ctx context.Context, r kv.Range) error {
	done := make(chan error, 1)
	e.compacting.Go(func() { done <- e.db.Compact(e.scheduler.stopping, r.Lower, r.Upper, false) })
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
