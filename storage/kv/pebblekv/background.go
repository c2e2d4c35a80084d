package pebblekv

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/clientele-go/clientele/storage/kv"
)

// forgetEvery is how often old batch ids are removed.
const forgetEvery = time.Hour

// work does what must be done in the background until ctx ends: sync relaxed
// commits, watch the load on compactions, and forget old batch ids.
func (e *Engine) work(ctx context.Context) {
	forget := time.NewTimer(0)
	defer forget.Stop()
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

// loadControl holds writers back while compactions lag.
type loadControl struct {
	sublevels   atomic.Int32
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
	if sublevels < maxSublevels {
		l.eased.send()
	}
}

// interrupt lets everyone pass from now on, to find out for themselves what's up.
func (l *loadControl) interrupt() {
	l.interrupted.Store(true)
	l.eased.send()
}

func (l *loadControl) high() bool {
	return l.sublevels.Load() >= maxSublevels && !l.interrupted.Load()
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
		FlushEnd:        func(pebble.FlushInfo) { e.load.recount() },
		TableIngested:   func(pebble.TableIngestInfo) { e.load.recount() },
		CompactionBegin: func(info pebble.CompactionInfo) { e.jobs.begin(info.JobID) },
		CompactionEnd: func(info pebble.CompactionInfo) {
			e.jobs.end(info.JobID, info.Err)
			e.load.recount()
		},
		TableDeleted: func(info pebble.TableDeleteInfo) {
			if info.Err != nil {
				e.jobs.leave(uint64(info.FileNum))
			}
		},
		WALCreated: func(info pebble.WALCreateInfo) { e.jobs.log.Store(uint64(info.FileNum)) },
	}
}
