package pebblekv

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/atomicfs"

	"github.com/clientele-go/clientele/storage/kv"
)

// Engine keeps one book in a directory. It implements [kv.Engine].
type Engine struct {
	dir     string
	options Options
	fs      *failStop
	db      *pebble.DB
	lock    *pebble.Lock

	calls   gate
	drained chan struct{} // closed when calls is shut and empty
	closing sync.Once
	stop    context.CancelCauseFunc // ends the background work
	working sync.WaitGroup

	scheduler  *compactions
	compacting sync.WaitGroup // calls of compact, also those that nobody waits for any more

	commits sync.Mutex // held while a commit is checked and handed to Pebble
	window  *window
	rows    *rowCache
	ids     *recentIDs
	pending pendingDeltas
	joined  joined // the batch that is being made, with the lock held
	groups  groups

	last            atomic.Pointer[commit] // published: whatever it wrote can be read
	durable         durability
	snapshots       openSnapshots
	relaxed         chan struct{} // tells the background of a relaxed commit
	load            loadControl
	jobs            jobs
	purging         sync.Mutex // one purge at a time
	checkpoints     sync.Mutex // held while one is made or files are removed behind Pebble's back
	removalPatience time.Duration
	count           counters
	tables          sstable.WriterOptions // of the tables that Ingest builds
	tempNames       atomic.Uint64
}

type counters struct{ commits, conflicts, syncWaits, stalls atomic.Int64 }

var _ kv.Engine = (*Engine)(nil)

// Open opens the engine of a directory, which it creates if it is absent, unless
// Options.ReadOnly is set: then the error wraps fs.ErrNotExist. A log that ends in the
// middle of a commit, as after a power loss, is cut there; that is not an error. Open
// takes as long as replaying the log takes, some 0.1 s per 10 MiB of it.
//
// The error wraps kv.ErrInUse, kv.ErrFormat, kv.ErrCorrupt, kv.ErrReadOnly or
// kv.ErrNoSpace as fits. An engine whose Open failed has left nothing open.
func Open(dir string, options Options) (*Engine, error) {
	options = options.withDefaults()
	inner, name, err := fileSystem(dir, options)
	if err != nil {
		return nil, wrap("open "+dir, err)
	}
	e := &Engine{dir: name, options: options, drained: make(chan struct{}), relaxed: make(chan struct{}, 1), removalPatience: removalPatience}
	e.calls.release = func() { close(e.drained) }
	e.load.changed = make(chan struct{}, 1)
	e.fs = newFailStop(inner, name, options.ReadOnly, e.writeFailed)
	e.fs.fillLogs = !options.InMemory
	if err := e.open(); err != nil {
		return nil, errors.Join(err, e.release())
	}
	return e, nil
}

// fileSystem returns the file system to use and the directory's name in it, and makes
// the directory. Names of the operating system are made unique: Pebble's lock goes by
// name and would let one process open a directory twice under two of them.
func fileSystem(dir string, o Options) (files vfs.FS, name string, err error) {
	switch {
	case o.FS != nil:
		files, name = o.FS, o.FS.PathJoin(dir)
	case o.InMemory:
		files, name = vfs.NewMem(), "book"
	default:
		files = vfs.Default
		if name, err = filepath.Abs(dir); err != nil {
			return nil, "", err
		}
	}
	if !o.ReadOnly {
		if err := makeDirectory(files, name); err != nil {
			return nil, "", err
		}
	}
	if files == vfs.Default {
		name, err = filepath.EvalSymlinks(name)
	}
	return files, name, err
}

// makeDirectory makes a directory and its parents so that a power loss can't take
// them back.
func makeDirectory(files vfs.FS, dir string) error {
	_, err := files.Stat(dir)
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	parent := files.PathDir(dir)
	if parent != dir {
		if err := makeDirectory(files, parent); err != nil {
			return err
		}
	}
	return errors.Join(files.MkdirAll(dir, 0o755), syncDirectory(files, parent))
}

func syncDirectory(files vfs.FS, dir string) error {
	d, err := files.OpenDir(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func (e *Engine) open() error {
	if err := e.lockDirectory(); err != nil {
		return err
	}
	created, err := e.checkPebbleFormat()
	if err != nil {
		return err
	}
	if err := e.openPebble(); err != nil {
		return err
	}
	if err := e.checkFormat(created); err != nil {
		return err
	}
	if err := e.removeTemporary(); err != nil {
		return wrap("open "+e.dir+": remove temporary files", err)
	}
	return e.start()
}

func (e *Engine) lockDirectory() error {
	lock, err := pebble.LockDirectory(e.dir, e.fs)
	if err == nil {
		e.lock = lock
		return nil
	}
	if lockedElsewhere(err) {
		return fmt.Errorf("pebblekv: open %s: %w: close the other one first: %w", e.dir, kv.ErrInUse, err)
	}
	return wrap("lock "+e.dir, err)
}

// lockedElsewhere tells a lock that is held from a lock file that can't be made.
// The former comes as a bare error number or, within one process, as a mere text.
func lockedElsewhere(err error) bool {
	var path *fs.PathError
	if errors.As(err, &path) {
		return false
	}
	var number syscall.Errno
	return errors.As(err, &number) || strings.Contains(err.Error(), "lock held by current process")
}

// checkPebbleFormat refuses what a newer Pebble wrote, and reports whether there is
// nothing in the directory yet.
func (e *Engine) checkPebbleFormat() (empty bool, err error) {
	names, err := e.fs.List(e.dir)
	if err != nil {
		return false, wrap("open "+e.dir, err)
	}
	marker, value, err := atomicfs.LocateMarkerInListing(e.fs, e.dir, "format-version", names)
	if err != nil {
		return false, wrap("open "+e.dir, err)
	}
	if err := marker.Close(); err != nil {
		return false, wrap("open "+e.dir, err)
	}
	if value == "" {
		return true, nil
	}
	version, err := strconv.ParseUint(value, 10, 32)
	if err != nil || pebble.FormatMajorVersion(version) > pebble.FormatNewest {
		return false, fmt.Errorf("pebblekv: open %s: %w: written in Pebble format %s, this program knows up to %d; open it with a newer release of Clientele",
			e.dir, kv.ErrFormat, value, pebble.FormatNewest)
	}
	return false, nil
}

func (e *Engine) openPebble() error {
	e.scheduler = newCompactions(e.load.postponed)
	options := e.options.pebble(e.fs, e.events(), e.scheduler)
	options.Lock = e.lock
	options.CompactionConcurrencyRange = e.load.compactions
	db, err := pebble.Open(e.dir, options)
	e.db = db
	if cause := e.fs.err(); cause != nil {
		return wrap("open "+e.dir, cause)
	}
	if err == nil {
		e.tables = newTableOptions(options, db)
		return nil
	}
	switch text := err.Error(); {
	case strings.Contains(text, "name from file"): // of the merger or the comparer
		return fmt.Errorf("pebblekv: open %s: %w: a Pebble database, but not one of Clientele: %w", e.dir, kv.ErrFormat, err)
	case strings.Contains(text, "object size mismatch"), errors.Is(err, fs.ErrNotExist) && !errors.Is(err, pebble.ErrDBDoesNotExist):
		return fmt.Errorf("pebblekv: open %s: %w: restore a backup: %w", e.dir, kv.ErrCorrupt, err)
	case errors.Is(err, pebble.ErrDBDoesNotExist):
		return fmt.Errorf("pebblekv: open %s: %w: %w", e.dir, fs.ErrNotExist, err)
	}
	return wrap("open "+e.dir, err)
}

// checkFormat writes or checks the engine's own format version. A crash may have hit
// between Pebble's creation and ours: then there is no key at all.
func (e *Engine) checkFormat(created bool) error {
	value, closer, err := e.db.Get(formatKey)
	if err == nil {
		version, err := uvarint(value, "format version")
		if err := errors.Join(err, closer.Close()); err != nil {
			return err
		}
		if version > formatVersion {
			return fmt.Errorf("pebblekv: open %s: %w: written in format %d, this program knows up to %d; open it with a newer release of Clientele",
				e.dir, kv.ErrFormat, version, formatVersion)
		}
		return nil
	}
	if !errors.Is(err, pebble.ErrNotFound) {
		return wrap("open "+e.dir, err)
	}
	if !created {
		if empty, err := isEmpty(e.db); err != nil {
			return wrap("open "+e.dir, err)
		} else if !empty {
			return fmt.Errorf("pebblekv: open %s: %w: a Pebble database, but not one of Clientele", e.dir, kv.ErrFormat)
		}
	}
	err = e.db.Set(formatKey, binary.AppendUvarint(nil, formatVersion), pebble.Sync)
	return wrap("create "+e.dir, errors.Join(err, e.fs.err()))
}

func isEmpty(db *pebble.DB) (bool, error) {
	it, err := db.NewIter(nil)
	if err != nil {
		return false, err
	}
	empty := !it.First()
	return empty, it.Close()
}

// start finds out where the journal and the batch ids end, and begins the
// background work. What a log held when it was opened is durable, since opening
// writes it out.
func (e *Engine) start() error {
	position, err := lastPosition(e.db)
	if err != nil {
		return wrap("open "+e.dir, err)
	}
	if e.ids, err = newRecentIDs(e.db); err != nil {
		return wrap("open "+e.dir, err)
	}
	e.window = newWindow(e.snapshots.oldest)
	e.rows = newRowCache(e.options.RowCacheBytes)
	first := &commit{position: position}
	e.last.Store(first)
	e.durable.advance(first)
	ctx, stop := context.WithCancelCause(context.Background())
	e.stop = stop
	e.working.Go(func() { e.work(ctx) })
	return nil
}

// enter begins a call; calls.leave ends it.
func (e *Engine) enter(ctx context.Context, what string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !e.calls.enter() {
		return fmt.Errorf("pebblekv: %s: %w", what, kv.ErrClosed)
	}
	return nil
}

// enterWrite begins a call that writes.
func (e *Engine) enterWrite(ctx context.Context, what string) error {
	if err := e.enter(ctx, what); err != nil {
		return err
	}
	err := e.writable(what)
	if err != nil {
		e.calls.leave()
	}
	return err
}

func (e *Engine) writable(what string) error {
	if e.options.ReadOnly {
		return fmt.Errorf("pebblekv: %s: %w: opened with Options.ReadOnly", what, kv.ErrReadOnly)
	}
	if cause := e.fs.err(); cause != nil {
		return stopped(what, kv.ErrFailed, cause)
	}
	return nil
}

// writeFailed is called once, in the midst of Pebble, when a write fails.
func (e *Engine) writeFailed(cause error) {
	e.options.Logger.Error("write failed; refusing further commits until the book is opened again", "dir", e.dir, "cause", cause)
	e.durable.end(stopped("wait", kv.ErrFailed, cause))
	e.load.interrupt()
}

// Limits implements [kv.Engine]. Loads may be a quarter as large as the cache: with each that is
// as large again, Pebble merges what was loaded fewer times.
func (e *Engine) Limits() kv.Limits {
	l := limits
	l.LoadBytes = min(max(e.options.CacheBytes/4, 128<<20), 1<<30)
	return l
}

// Durable implements [kv.Engine].
func (e *Engine) Durable() kv.Position { return e.durable.durable() }

// WaitDurable implements [kv.Engine]. After a failed write its error wraps
// kv.ErrFailed, and after Close kv.ErrClosed.
func (e *Engine) WaitDurable(ctx context.Context, after kv.Position) error {
	return e.durable.wait(ctx, after)
}

// Stats implements [kv.Engine]. It costs some 50 µs.
func (e *Engine) Stats() kv.Stats {
	if !e.calls.enter() {
		return kv.Stats{BackgroundError: fmt.Errorf("pebblekv: stats: %w", kv.ErrClosed)}
	}
	defer e.calls.leave()
	m := e.db.Metrics()
	s := kv.Stats{
		DiskBytes:      int64(m.DiskSpaceUsage()),
		CompactionDebt: int64(m.Compact.EstimatedDebt),
		CacheBytes:     m.BlockCache.Size,
		CacheHits:      m.BlockCache.Hits,
		CacheMisses:    m.BlockCache.Misses,
		Commits:        e.count.commits.Load(),
		Conflicts:      e.count.conflicts.Load(),
		SyncWaits:      e.count.syncWaits.Load(),
		ReadAmplitude:  m.ReadAmp(),
		OpenSnapshots:  e.snapshots.len(),
		WriteStalls:    e.count.stalls.Load(),
	}
	if cause := e.fs.err(); cause != nil {
		s.BackgroundError = stopped("stats", kv.ErrFailed, cause)
	}
	return s
}

// Close waits for running calls, scans included, makes relaxed commits durable and
// releases everything, in any case. So a scan's loop must not call it. It returns an
// error that wraps kv.ErrFailed when a write had failed, since relaxed commits may be
// lost then, and kv.ErrInvalid when snapshots were open, which it closes.
func (e *Engine) Close() error {
	var err error
	e.closing.Do(func() { err = e.close() })
	return err
}

func (e *Engine) close() error {
	e.load.interrupt()
	e.calls.shut()
	<-e.drained
	e.stop(kv.ErrClosed)
	e.working.Wait()
	e.scheduler.Unregister()
	e.compacting.Wait()
	var err error
	if e.writable("close") == nil {
		err = wrap("close", e.sync())
	} else if cause := e.fs.err(); cause != nil {
		err = stopped("close", kv.ErrFailed, cause)
	}
	if open := e.snapshots.closeAll(); open > 0 {
		err = errors.Join(err, fmt.Errorf("pebblekv: close: %w: %d snapshots were open", kv.ErrInvalid, open))
	}
	e.durable.end(fmt.Errorf("pebblekv: wait: %w", kv.ErrClosed))
	return errors.Join(err, e.release())
}

// release gives back what open took.
func (e *Engine) release() error {
	var err error
	if e.db != nil {
		err = wrap("close", e.db.Close())
	}
	if e.lock != nil {
		err = errors.Join(err, wrap("close", e.lock.Close()))
	}
	return err
}
