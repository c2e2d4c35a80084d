package pebblekv

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/clientele-go/clientele/storage/kv"
)

// Old values lie in three places. In a table below the one with the newer value: a
// manual compaction brings them together. In the same table, because a snapshot needed
// them when it was written: Pebble sees no reason to write that table again, so it is
// given one. In logs: Pebble keeps obsolete ones to use their files again.

// purgeRounds bounds the rounds until all old tables are rewritten. One is the rule;
// another is needed when a table was only moved.
const purgeRounds = 8

// Purge implements [kv.Engine]. It holds other commits up for microseconds at a time. A
// scan that is under way keeps the tables that it began with until it ends; Purge waits
// a second for it.
func (e *Engine) Purge(ctx context.Context, ranges []kv.Range) error {
	if err := e.enterWrite(ctx, "purge"); err != nil {
		return err
	}
	defer e.calls.leave()
	if len(ranges) == 0 {
		return nil
	}
	e.purging.Lock()
	defer e.purging.Unlock()
	e.fs.freshLogs.Store(true)
	defer e.fs.freshLogs.Store(false)
	// Pebble tries a failed compaction again and again.
	ctx, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	e.jobs.onFailure(giveUp)
	defer e.jobs.onFailure(nil)
	err := e.purge(ctx, ranges)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return errors.Join(wrap("purge", err), e.writable("purge"))
}

func (e *Engine) purge(ctx context.Context, ranges []kv.Range) error {
	// A compaction that began earlier may write out what it should drop.
	if err := e.jobs.waitForPresent(ctx); err != nil {
		return err
	}
	lastLog := e.jobs.log.Load()
	if err := e.db.Flush(); err != nil {
		return err
	}
	// Files are numbered as they are made, so the new log's number divides old tables
	// from those written since.
	border := e.jobs.log.Load()
	for _, r := range ranges {
		if err := e.rewriteTables(ctx, callersPart(r), border); err != nil {
			return err
		}
	}
	if err := e.removeLogs(lastLog); err != nil {
		return err
	}
	return e.waitForRemoval(ctx, border)
}

// rewriteTables compacts a range until no table in it is older than border.
func (e *Engine) rewriteTables(ctx context.Context, r kv.Range, border uint64) error {
	for range purgeRounds {
		old, end, err := e.oldTables(r, border)
		if err != nil || end == nil {
			return err
		}
		for _, table := range old {
			if err := e.rewriteKey(latest(r.Lower, table.Smallest.UserKey)); err != nil {
				return err
			}
		}
		if err := e.db.Compact(ctx, r.Lower, end, false); err != nil {
			return err
		}
		if len(old) == 0 {
			return nil
		}
	}
	return fmt.Errorf("tables are still not rewritten after %d rounds", purgeRounds)
}

func latest(a, b []byte) []byte {
	if bytes.Compare(a, b) > 0 {
		return a
	}
	return b
}

// oldTables returns the tables in a range that are older than border, and an end for
// compacting the range: its upper bound, or if it has none, what is above all tables. It
// is nil when there is nothing to compact.
func (e *Engine) oldTables(r kv.Range, border uint64) (old []pebble.SSTableInfo, end []byte, err error) {
	levels, err := e.db.SSTables()
	if err != nil || r.Upper != nil && bytes.Equal(r.Lower, r.Upper) {
		return nil, nil, err
	}
	for _, level := range levels {
		for _, table := range level {
			span := kv.Range{Lower: table.Smallest.UserKey, Upper: append(bytes.Clone(table.Largest.UserKey), 0)}
			if !overlap(r, span) {
				continue
			}
			end = latest(end, span.Upper)
			if uint64(table.FileNum) < border {
				old = append(old, table)
			}
		}
	}
	if r.Upper != nil {
		end = r.Upper
	}
	return old, end, nil
}

// removeLogs removes the obsolete logs up to a number. They are obsolete since all
// that was committed while they were written has been flushed.
func (e *Engine) removeLogs(last uint64) error {
	logs, err := e.numbered(".log")
	if err != nil {
		return err
	}
	for number, name := range logs {
		if number > last {
			continue
		}
		if err := e.fs.Remove(e.fs.PathJoin(e.dir, name)); err != nil {
			return err
		}
	}
	return syncDirectory(e.fs, e.dir)
}

// numbered lists the directory's files with a suffix by their numbers.
func (e *Engine) numbered(suffix string) (map[uint64]string, error) {
	names, err := e.fs.FS.List(e.dir)
	if err != nil {
		return nil, err
	}
	files := map[uint64]string{}
	for _, name := range names {
		digits, ok := strings.CutSuffix(name, suffix)
		if number, err := strconv.ParseUint(digits, 10, 64); ok && err == nil {
			files[number] = name
		}
	}
	return files, nil
}

// scanPatience is how long Purge waits for scans to let go of replaced tables.
const scanPatience = time.Second

// waitForRemoval waits until the tables older than border that were replaced are
// removed, but for those that a scan still reads.
func (e *Engine) waitForRemoval(ctx context.Context, border uint64) error {
	patience := time.Now().Add(scanPatience)
	poll := time.NewTicker(2 * time.Millisecond)
	defer poll.Stop()
	for {
		if err := e.removeAgain(); err != nil {
			return err
		}
		left, err := e.replacedTables(border)
		if err != nil || left == 0 {
			return err
		}
		if e.scans.Load() > 0 && left <= int(e.db.Metrics().Table.ZombieCount) && time.Now().After(patience) {
			return nil
		}
		select {
		case <-poll.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// removeAgain removes the tables that Pebble failed to remove and has forgotten.
func (e *Engine) removeAgain() error {
	for _, number := range e.jobs.unremoved() {
		err := e.fs.Remove(e.fs.PathJoin(e.dir, fmt.Sprintf("%06d.sst", number)))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		e.jobs.removed(number)
	}
	return nil
}

// replacedTables counts the tables older than border that are only files any more.
func (e *Engine) replacedTables(border uint64) (int, error) {
	tables, err := e.numbered(".sst")
	if err != nil {
		return 0, err
	}
	levels, err := e.db.SSTables()
	if err != nil {
		return 0, err
	}
	for _, level := range levels {
		for _, table := range level {
			delete(tables, uint64(table.BackingSSTNum))
		}
	}
	for number := range tables {
		if number >= border {
			delete(tables, number)
		}
	}
	return len(tables), nil
}

// jobs knows, from Pebble's events, the compactions under way, the newest log, and the
// tables that could not be removed.
type jobs struct {
	log     atomic.Uint64 // its file number
	mu      sync.Mutex
	running map[int]struct{}
	failure func(error) // hears of failed compactions, if any
	ended   broadcast
	left    map[uint64]struct{} // tables that Pebble failed to remove
}

func (j *jobs) leave(table uint64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.left == nil {
		j.left = map[uint64]struct{}{}
	}
	j.left[table] = struct{}{}
}

func (j *jobs) removed(table uint64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	delete(j.left, table)
}

func (j *jobs) unremoved() []uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Collect(maps.Keys(j.left))
}

func (j *jobs) onFailure(failure func(error)) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.failure = failure
}

func (j *jobs) begin(id int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.running == nil {
		j.running = map[int]struct{}{}
	}
	j.running[id] = struct{}{}
}

func (j *jobs) end(id int, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	delete(j.running, id)
	j.ended.send()
	if j.failure != nil && err != nil && !errors.Is(err, pebble.ErrCancelledCompaction) {
		j.failure(err)
	}
}

// waitForPresent waits for those compactions that are under way now.
func (j *jobs) waitForPresent(ctx context.Context) error {
	present := j.among(nil)
	for {
		ended := j.ended.wait()
		if present = j.among(present); len(present) == 0 {
			return nil
		}
		select {
		case <-ended:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// among returns those of the ids that are running; nil stands for all.
func (j *jobs) among(ids []int) []int {
	j.mu.Lock()
	defer j.mu.Unlock()
	running := []int{}
	if ids == nil {
		for id := range j.running {
			running = append(running, id)
		}
	}
	for _, id := range ids {
		if _, ok := j.running[id]; ok {
			running = append(running, id)
		}
	}
	return running
}
