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
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/clientele-go/clientele/storage/kv"
)

// Old values lie in three places. In a table below the one with the newer value: a
// manual compaction brings them together. In the same table, because a snapshot needed
// them when it was written, of which the table keeps count: Pebble sees no reason to
// write that table again, so it is given one. In logs: Pebble keeps obsolete ones to use
// their files again. Keys, but not values, lie in manifests too, as the bounds of tables.

// purgeRounds bounds the rounds until all old tables are rewritten. One is the rule;
// another is needed when a table was only moved.
const purgeRounds = 8

// Purge implements [kv.Engine]. It holds other commits up for milliseconds at a time, and
// waits a quarter of a second for snapshots and scans that began before it. What
// these still see then stays, and the error wraps kv.ErrPinned. After a second it slows
// writers down to what compactions can take at once.
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
	defer e.load.purge()()
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
	clean := make([]kv.Range, len(ranges))
	for i, r := range ranges {
		clean[i] = callersPart(r)
	}
	older := e.awaitReaders(ctx)
	// A flush or compaction that began earlier may write out what it should drop.
	if err := e.jobs.waitForPresent(ctx); err != nil {
		return err
	}
	if err := e.db.Flush(); err != nil {
		return err
	}
	pinned, err := e.pinnedTables()
	if err != nil {
		return err
	}
	for _, r := range clean {
		if err := e.rewriteTables(ctx, r, pinned); err != nil {
			return err
		}
	}
	if err := e.removeReplaced(ctx); err != nil {
		return err
	}
	if older == 0 {
		return nil
	}
	return e.checkPinned(clean, older)
}

// awaitReaders waits a while for the snapshots that are open now, since values that
// they see are kept, and returns how many are left.
func (e *Engine) awaitReaders(ctx context.Context) int {
	present := e.snapshots.list()
	deadline := time.Now().Add(readersPatience)
	for {
		left := e.snapshots.among(present)
		if left == 0 || time.Now().After(deadline) || ctx.Err() != nil {
			return left
		}
		time.Sleep(pollEvery)
	}
}

// pinnedTables returns the tables that hold values for snapshots' sake.
func (e *Engine) pinnedTables() (pinned map[uint64]kv.Range, err error) {
	levels, err := e.db.SSTables(pebble.WithProperties())
	if err != nil {
		return nil, err
	}
	pinned = map[uint64]kv.Range{}
	for _, level := range levels {
		for _, table := range level {
			if table.Properties.SnapshotPinnedKeys > 0 {
				pinned[uint64(table.FileNum)] = spanOf(table)
			}
		}
	}
	return pinned, nil
}

// checkPinned looks for tables in the ranges that hold values for snapshots' sake. It may
// be a snapshot that is younger than what the caller wants to be rid of, or a
// neighbour's value; a purge too many does no harm.
func (e *Engine) checkPinned(ranges []kv.Range, snapshots int) error {
	pinned, err := e.pinnedTables()
	if err != nil {
		return err
	}
	for _, span := range pinned {
		if slices.ContainsFunc(ranges, func(r kv.Range) bool { return overlap(r, span) }) {
			return fmt.Errorf("%w: %d are open since before", kv.ErrPinned, snapshots)
		}
	}
	return nil
}

func spanOf(table pebble.SSTableInfo) kv.Range {
	return kv.Range{Lower: table.Smallest.UserKey, Upper: append(bytes.Clone(table.Largest.UserKey), 0)}
}

// rewriteTables compacts a range until none of the pinned tables is left in it.
func (e *Engine) rewriteTables(ctx context.Context, r kv.Range, pinned map[uint64]kv.Range) error {
	for range purgeRounds {
		old, end, err := e.tablesIn(r, pinned)
		if err != nil || end == nil || bytes.Equal(r.Lower, end) {
			return err
		}
		for _, span := range old {
			if err := e.rewriteKey(latest(r.Lower, span.Lower)); err != nil {
				return err
			}
		}
		if err := e.compact(ctx, kv.Range{Lower: r.Lower, Upper: end}); err != nil {
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

// tablesIn returns the spans of those pinned tables that are still there and overlap a range,
// and an end for compacting the range: its upper bound, or if it has none, what is above
// all tables. The end is nil when there is nothing to compact.
func (e *Engine) tablesIn(r kv.Range, pinned map[uint64]kv.Range) (spans []kv.Range, end []byte, err error) {
	if r.Upper != nil && len(pinned) == 0 {
		return nil, r.Upper, nil
	}
	levels, err := e.db.SSTables()
	if err != nil {
		return nil, nil, err
	}
	for _, level := range levels {
		for _, table := range level {
			span := spanOf(table)
			if !overlap(r, span) {
				continue
			}
			end = latest(end, span.Upper)
			if _, ok := pinned[uint64(table.FileNum)]; ok {
				spans = append(spans, span)
			}
		}
	}
	if r.Upper != nil {
		end = r.Upper
	}
	return spans, end, nil
}

// removeReplaced removes the files that the rewritten tables make superfluous, and waits
// until Pebble has done its part of it.
func (e *Engine) removeReplaced(ctx context.Context) error {
	// The rewriting went through the log. Once flushed, that is obsolete.
	lastLog := e.jobs.log.Load()
	if err := e.db.Flush(); err != nil {
		return err
	}
	// Files are numbered as they are made, so the new log's number divides old tables
	// from those written since.
	border := e.jobs.log.Load()
	if err := e.startManifest(ctx); err != nil {
		return err
	}
	if err := e.removeFiles(".log", "", lastLog); err != nil {
		return err
	}
	if err := e.removeFiles("", "MANIFEST-", e.jobs.manifest.Load()-1); err != nil {
		return err
	}
	// Tables being written are in no level yet.
	if err := e.jobs.waitForPresent(ctx); err != nil {
		return err
	}
	return e.waitForRemoval(ctx, border)
}

// removeFiles removes the files up to a number that Pebble keeps though they are obsolete.
// A checkpoint must not be on its way to them.
func (e *Engine) removeFiles(suffix, prefix string, last uint64) error {
	e.checkpoints.Lock()
	defer e.checkpoints.Unlock()
	files, err := e.numbered(prefix, suffix)
	if err != nil {
		return err
	}
	for number, name := range files {
		if number > last {
			continue
		}
		if err := e.fs.Remove(e.fs.PathJoin(e.dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return syncDirectory(e.fs, e.dir)
}

// numbered lists the directory's files of a kind by their numbers.
func (e *Engine) numbered(prefix, suffix string) (map[uint64]string, error) {
	names, err := e.fs.FS.List(e.dir)
	if err != nil {
		return nil, err
	}
	files := map[uint64]string{}
	for _, name := range names {
		digits, begins := strings.CutPrefix(name, prefix)
		digits, ends := strings.CutSuffix(digits, suffix)
		if number, err := strconv.ParseUint(digits, 10, 64); begins && ends && err == nil {
			files[number] = name
		}
	}
	return files, nil
}

// Purge waits so long for snapshots that were open before it, for scans that hold
// replaced tables, and for Pebble to remove those that nobody holds.
const (
	readersPatience = 250 * time.Millisecond
	removalPatience = 10 * time.Second
	pollEvery       = 2 * time.Millisecond
)

// waitForRemoval waits until Pebble has removed the tables older than border that it
// has replaced. It tries once; what it fails to remove goes when the book is opened again.
func (e *Engine) waitForRemoval(ctx context.Context, border uint64) error {
	begun := time.Now()
	for e.fs.err() == nil {
		left, err := e.replacedTables(border)
		if err != nil || len(left) == 0 {
			return err
		}
		waited := time.Since(begun)
		if waited > readersPatience && len(left) <= int(e.db.Metrics().Table.ZombieCount) {
			return fmt.Errorf("%w: scans read %d replaced tables", kv.ErrPinned, len(left))
		}
		if waited > e.removalPatience {
			return fmt.Errorf("%d replaced tables are not removed after %v, %v; open the book again to remove them", len(left), waited, left)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		time.Sleep(pollEvery)
	}
	return nil // the engine has stopped; Purge says so
}

// replacedTables lists the tables older than border that are only files any more.
func (e *Engine) replacedTables(border uint64) ([]string, error) {
	tables, err := e.numbered("", ".sst")
	if err != nil {
		return nil, err
	}
	levels, err := e.db.SSTables()
	if err != nil {
		return nil, err
	}
	for _, level := range levels {
		for _, table := range level {
			delete(tables, uint64(table.BackingSSTNum))
		}
	}
	maps.DeleteFunc(tables, func(number uint64, _ string) bool { return number >= border })
	return slices.Collect(maps.Values(tables)), nil
}
