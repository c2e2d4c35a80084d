package pebblekv

import (
	"errors"
	"io"
	"io/fs"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// flushWrites is the category under which Pebble creates the tables of a flush.
const flushWrites vfs.DiskWriteCategory = "pebble-memtable-flush"

// failStop is the file system under Pebble. When a write to the book's directory
// fails for the first time, it freezes the directory and tells the engine, which
// then refuses to commit. Pebble itself isn't told, because it doesn't survive the
// news: after a failed write to its log or manifest it exits the process, panics
// with its commit lock held, unlocks an unlocked mutex, or flushes without end. So
// it goes on in memory: what it writes from then on goes into after or nowhere,
// and what it removes stays. Reads and Close work as ever, and the directory is as
// a power loss at the moment of the failure would have left it, which is what
// recovery is made for.
//
// A table that a compaction or an ingestion is writing does get its error: Pebble
// gives those up well, and keeping them in memory might take gigabytes. A flush must
// succeed, or writers that wait for it would hang; it is small.
//
// Only files in the directory itself count. Temporary ones are in a directory below.
type failStop struct {
	vfs.FS
	dir      string
	readOnly bool
	failed   func(error) // called once, with the first failure
	cause    atomic.Pointer[error]
	after    *vfs.MemFS               // by base name: the files created after the failure
	listing  atomic.Pointer[[]string] // of the directory, as it was last
	// freshLogs is set while logs may not be written over old ones, whose rest would
	// stay readable.
	freshLogs atomic.Bool
	fillLogs  bool     // see filledLog
	logs      sync.Map // by name: the *filledLog that are being written
}

func newFailStop(inner vfs.FS, dir string, readOnly bool, failed func(error)) *failStop {
	return &failStop{FS: inner, dir: dir, readOnly: readOnly, failed: failed, after: vfs.NewMem()}
}

// err returns what made the directory freeze, or nil.
func (f *failStop) err() error {
	if cause := f.cause.Load(); cause != nil {
		return *cause
	}
	return nil
}

func (f *failStop) fail(err error) {
	if f.cause.CompareAndSwap(nil, &err) {
		f.failed(err)
	}
}

// attempt runs a write unless the directory is frozen, and reports whether it succeeded.
func (f *failStop) attempt(write func() error) bool {
	if f.err() != nil {
		return false
	}
	if err := write(); err != nil {
		f.fail(err)
		return false
	}
	return true
}

func (f *failStop) guards(name string) bool { return f.PathDir(name) == f.dir }

func (f *failStop) frozen(name string) bool { return f.err() != nil && f.guards(name) }

func (f *failStop) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	return f.create(name, category, func() (vfs.File, error) {
		file, err := f.FS.Create(name, category)
		if err == nil && isLog(name) && f.guards(name) {
			file = f.filled(name, file, 0)
		}
		return file, err
	})
}

func (f *failStop) ReuseForWrite(oldname, newname string, category vfs.DiskWriteCategory) (vfs.File, error) {
	return f.create(newname, category, func() (vfs.File, error) { return f.reuse(oldname, newname, category) })
}

// reuse makes a new file if there is no old one, for Purge removes obsolete logs.
func (f *failStop) reuse(oldname, newname string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if f.freshLogs.Load() {
		if err := f.FS.Remove(oldname); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		file, err := f.FS.Create(newname, category)
		return f.known(newname, file, err)
	}
	file, err := f.FS.ReuseForWrite(oldname, newname, category)
	if errors.Is(err, fs.ErrNotExist) {
		file, err = f.FS.Create(newname, category)
	}
	return f.known(newname, file, err)
}

// filled has a log of a length filled ahead.
func (f *failStop) filled(name string, file vfs.File, length int64) vfs.File {
	log := &filledLog{File: file, filled: length, closed: func() { f.logs.Delete(name) }}
	if !f.fillLogs {
		log.filled = math.MaxInt64
	}
	f.logs.Store(name, log)
	return log
}

// knownFile has been asked for its size: Pebble asks logs that it writes over, and
// panics when they don't tell.
type knownFile struct {
	vfs.File
	info vfs.FileInfo
}

func (k knownFile) Stat() (vfs.FileInfo, error) { return k.info, nil }

func (f *failStop) known(name string, file vfs.File, err error) (vfs.File, error) {
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return knownFile{f.filled(name, file, info.Size()), info}, nil
}

func (f *failStop) create(name string, category vfs.DiskWriteCategory, open func() (vfs.File, error)) (vfs.File, error) {
	if !f.guards(name) {
		return open()
	}
	var file vfs.File
	if f.attempt(func() (err error) { file, err = open(); return err }) {
		return &guardedFile{File: file, fs: f, table: isTable(name)}, nil
	}
	if isTable(name) && category != flushWrites {
		return nil, f.err()
	}
	return f.after.Create(f.PathBase(name), category)
}

func isTable(name string) bool { return strings.HasSuffix(name, ".sst") }

func isLog(name string) bool { return strings.HasSuffix(name, ".log") }

func (f *failStop) Open(name string, opts ...vfs.OpenOption) (vfs.File, error) {
	if f.frozen(name) {
		if file, err := f.after.Open(f.PathBase(name), opts...); err == nil {
			return file, nil
		}
	}
	log, written := f.logs.Load(name)
	if !written {
		return f.FS.Open(name, opts...)
	}
	left := log.(*filledLog).at.Load()
	file, err := f.FS.Open(name, opts...)
	if err != nil {
		return nil, err
	}
	return &writtenLog{File: file, left: left}, nil
}

func (f *failStop) Stat(name string) (vfs.FileInfo, error) {
	if f.frozen(name) {
		if info, err := f.after.Stat(f.PathBase(name)); err == nil {
			return info, nil
		}
	}
	return f.FS.Stat(name)
}

func (f *failStop) OpenDir(name string) (vfs.File, error) {
	dir, err := f.FS.OpenDir(name)
	switch {
	case err != nil:
		return nil, err
	case name == f.dir:
		return &guardedFile{File: dir, fs: f}, nil
	case strings.HasPrefix(name, f.PathJoin(f.dir, temporary)):
		return temporaryDir{dir}, nil
	}
	return dir, nil
}

// temporaryDir needn't survive, and Pebble panics when it can't sync a directory.
type temporaryDir struct{ vfs.File }

func (temporaryDir) Sync() error { return nil }

// List gives the directory's last listing when it can't be read again. Pebble lists
// it twice in opening, and leaves a goroutine behind when the second time fails.
func (f *failStop) List(name string) ([]string, error) {
	names, err := f.FS.List(name)
	if name != f.dir {
		return names, err
	}
	if err == nil {
		f.listing.Store(&names)
		return names, nil
	}
	if last := f.listing.Load(); last != nil {
		f.fail(err)
		return *last, nil
	}
	return nil, err
}

// Link and Remove don't freeze the directory: Pebble copies what it can't link, and
// tries to remove again later.

func (f *failStop) Link(oldname, newname string) error {
	if f.frozen(newname) {
		return f.err()
	}
	return f.FS.Link(oldname, newname)
}

func (f *failStop) Remove(name string) error {
	if f.frozen(name) {
		_ = f.after.Remove(f.PathBase(name)) // it needn't be there
		return nil
	}
	return f.FS.Remove(name)
}

func (f *failStop) Rename(oldname, newname string) error {
	if !f.guards(newname) {
		return f.FS.Rename(oldname, newname)
	}
	f.attempt(func() error { return f.FS.Rename(oldname, newname) })
	return nil
}

// Lock needs no lock file to read a directory that nobody can write.
func (f *failStop) Lock(name string) (io.Closer, error) {
	lock, err := f.FS.Lock(name)
	if f.readOnly && (errors.Is(err, syscall.EROFS) || errors.Is(err, fs.ErrPermission)) {
		return io.NopCloser(nil), nil
	}
	return lock, err
}

// Unwrap is part of vfs.FS.
func (f *failStop) Unwrap() vfs.FS { return f.FS }

// guardedFile is a file that was opened for writing, or the directory itself, before
// the directory froze. Once it is frozen, nothing reaches the file any more.
type guardedFile struct {
	vfs.File
	fs    *failStop
	table bool
}

// outcome is what Pebble hears of a write.
func (g *guardedFile) outcome(written bool) error {
	if written || !g.table {
		return nil
	}
	return g.fs.err()
}

func (g *guardedFile) Write(p []byte) (int, error) {
	err := g.outcome(g.fs.attempt(func() error { _, err := g.File.Write(p); return err }))
	if err != nil {
		return 0, err
	}
	return len(p), nil
}

func (g *guardedFile) Sync() error { return g.outcome(g.fs.attempt(g.File.Sync)) }

func (g *guardedFile) SyncData() error { return g.outcome(g.fs.attempt(g.File.SyncData)) }

func (g *guardedFile) SyncTo(length int64) (fullSync bool, err error) {
	written := g.fs.attempt(func() (err error) { fullSync, err = g.File.SyncTo(length); return err })
	return fullSync, g.outcome(written)
}

// Preallocate does nothing. Pebble would reserve 35 MiB for every log, however small
// the book, and a log that is filled ahead needs no reserve.
func (g *guardedFile) Preallocate(int64, int64) error { return nil }

func (g *guardedFile) Close() error {
	if g.fs.err() != nil {
		_ = g.File.Close() // frees the descriptor; there is nothing to save any more
		return g.outcome(false)
	}
	return g.outcome(g.fs.attempt(g.File.Close))
}
