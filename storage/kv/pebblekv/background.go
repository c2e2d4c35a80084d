package pebblekv

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/clientele-go/clientele/storage/kv"
)

// forgetEvery is how often old batch ids are removed.
const forgetEvery = time.Hour

// work does what must be done in the background until ctx ends: sync relaxed
// commits, watch the load on compactions, fold deltas and forget old batch ids.
func (e *Engine) work(ctx context.Context) {
	forget := time.NewTimer(0)
	defer forget.Stop()
	fold := time.NewTicker(foldEvery)
	defer fold.Stop()
	var due <-chan time.Time // set while a relaxed commit awaits its sync
	for {
		var err error
		select {
		case <-ctx.Done():
			return
		case <-e.relaxed:
			if due == nil {
				due = time.After(e.options.RelaxedDelay)
			}
		case <-due:
			due = nil
			err = e.sync()
		case <-e.load.changed:
			e.load.note(int(e.db.Metrics().Levels[0].Sublevels))
		case <-fold.C:
			err = e.foldKeys(ctx)
		case <-forget.C:
			forget.Reset(forgetEvery)
			if e.writable("forget") == nil {
				err = wrap("forget batch ids", e.forgetIDs())
			}
		}
		if err != nil {
			e.options.Logger.Warn("background work failed", "dir", e.dir, "error", err)
		}
	}
}

// sync makes everything published so far durable.
func (e *Engine) sync() error {
	last := e.last.Load()
	if e.durable.covers(last.stamp) {
		return nil
	}
	if err := e.db.LogData(nil, pebble.Sync); err != nil {
		return wrap("sync", err)
	}
	if cause := e.fs.err(); cause != nil {
		return stopped("sync", kv.ErrFailed, cause)
	}
	e.durable.advance(last)
	return nil
}

// maxSublevels is the number of overlapping sorted runs from which on writers wait for
// compaction. Reads slow down with each. Pebble would wait too, but with its commit
// lock held, deaf to contexts, and for good when compactions fail.
const maxSublevels = 20

// hurrySublevels is the number from which on compactions take all cores.
const hurrySublevels = 15

// purgePrecedence is when a purge takes precedence over writers. Pebble serves the
// compactions that it asks for when no other has anything to do, which writers at full speed
// can put off for ever.
const purgePrecedence = time.Second

// Bulk loads of loadBytes or more put compactions off until loadPause after the last one, or
// until there are loadSublevels: the index tables of several parts are then merged
// with those of the book at once, and not those of each part on its own.
const (
	loadBytes     = 16 << 20
	loadPause     = 2 * time.Second
	loadSublevels = 10
)

// While a memtable is flushed every few seconds, compactions wait until there are flushSublevels,
// or until flushPause after the last flush. Pebble would merge each flushed table with the next
// level at once, whose tables it rewrites then, the keys of indexes being spread over all of them:
// of 60,000 customers created, 300 MB were written to merge 34 MB, and 95 MB with four runs at a
// time, at 195 µs of processor time a customer instead of 253. With none in level 0,
// the levels below have their turn.
const (
	flushPause     = 3 * time.Second
	flushSublevels = 4
)

// loadControl holds writers back while compactions lag, and compactions while a bulk load
// or one flush after another is under way.
type loadControl struct {
	sublevels   atomic.Int32
	loaded      atomic.Pointer[time.Time] // when the last bulk load began or ended
	flushed     atomic.Pointer[time.Time] // when the last flush ended
	purging     atomic.Pointer[time.Time] // when a purge began, while it goes on
	interrupted atomic.Bool
	changed     chan struct{} // tells the background to count again
	eased       broadcast
}

// recount asks for a new count. It may be called in the midst of Pebble.
func (l *loadControl) recount() {
	select {
	case l.changed <- struct{}{}:
	default:
	}
}

func (l *loadControl) note(sublevels int) {
	l.sublevels.Store(int32(sublevels))
	if !l.high() {
		l.eased.send()
	}
}

// purge notes that a purge begins; the function that it returns, that it has ended.
func (l *loadControl) purge() (end func()) {
	now := time.Now()
	l.purging.Store(&now)
	return func() {
		l.purging.Store(nil)
		l.eased.send()
	}
}

// bulk notes that a bulk load begins or ends.
func (l *loadControl) bulk() {
	now := time.Now()
	l.loaded.Store(&now)
}

// flush notes that a flush has ended. Pebble asks whether it may compact before it can be
// asked how many sublevels there are now; it is taken to be one more until then.
func (l *loadControl) flush() {
	now := time.Now()
	l.flushed.Store(&now)
	l.sublevels.Add(1)
	l.recount()
}

// postponed reports whether compactions should wait for a bulk load or for flushes to go on.
func (l *loadControl) postponed() bool {
	sublevels := l.sublevels.Load()
	switch {
	case l.purging.Load() != nil:
		return false
	case sublevels < loadSublevels && recent(&l.loaded, loadPause):
		return true
	}
	return 0 < sublevels && sublevels < flushSublevels && recent(&l.flushed, flushPause)
}

// recent reports whether an event was less than a while ago.
func recent(at *atomic.Pointer[time.Time], while time.Duration) bool {
	last := at.Load()
	return last != nil && time.Since(*last) < while
}

// interrupt lets everyone pass from now on, to find out for themselves what's up.
func (l *loadControl) interrupt() {
	l.interrupted.Store(true)
	l.eased.send()
}

func (l *loadControl) high() bool {
	most := int32(maxSublevels)
	if begun := l.purging.Load(); begun != nil && time.Since(*begun) > purgePrecedence {
		most = 1
	}
	return l.sublevels.Load() >= most && !l.interrupted.Load()
}

// compactions bounds how many compactions run at a time: by half of the cores, which leaves
// the others to those who read and write, and by all cores when these are about to wait.
// Pebble asks when tables were added.
func (l *loadControl) compactions() (least, most int) {
	cores := runtime.GOMAXPROCS(0)
	if l.sublevels.Load() >= hurrySublevels {
		return 1, cores
	}
	return 1, max(1, cores/2)
}

// throttle waits while the load is high.
func (e *Engine) throttle(ctx context.Context) error {
	if !e.load.high() {
		return nil
	}
	e.count.stalls.Add(1)
	for {
		eased := e.load.eased.wait()
		if !e.load.high() {
			return nil
		}
		select {
		case <-eased:
		case <-ctx.Done():
			return fmt.Errorf("pebblekv: waiting for compaction: %w", ctx.Err())
		}
	}
}

// events has Pebble tell of what matters here. The functions are called with locks of
// Pebble held and must not call it.
func (e *Engine) events() *pebble.EventListener {
	log := e.options.Logger
	return &pebble.EventListener{
		BackgroundError: func(err error) { log.Warn("pebble: background work failed", "error", err) },
		DataCorruption: func(info pebble.DataCorruptionInfo) {
			log.Error("pebble: corrupt file", "file", info.Path, "error", info.Details)
		},
		LowDiskSpace: func(info pebble.LowDiskSpaceInfo) {
			log.Warn("pebble: disk is nearly full", "available_bytes", info.AvailBytes, "total_bytes", info.TotalBytes)
		},
		WriteStallBegin: func(info pebble.WriteStallBeginInfo) {
			e.count.stalls.Add(1)
			log.Info("pebble: writers wait", "reason", info.Reason)
		},
		FlushBegin: func(info pebble.FlushInfo) { e.jobs.begin(info.JobID) },
		FlushEnd: func(info pebble.FlushInfo) {
			e.jobs.end(info.JobID, nil)
			e.load.flush()
		},
		TableIngested:   func(pebble.TableIngestInfo) { e.load.recount() },
		CompactionBegin: func(info pebble.CompactionInfo) { e.jobs.begin(info.JobID) },
		CompactionEnd: func(info pebble.CompactionInfo) {
			e.jobs.end(info.JobID, info.Err)
			e.load.recount()
		},
		WALCreated:      func(info pebble.WALCreateInfo) { e.jobs.log.Store(uint64(info.FileNum)) },
		ManifestCreated: func(info pebble.ManifestCreateInfo) { e.jobs.manifest.Store(uint64(info.FileNum)) },
	}
}
