package pebblekv

import (
	"errors"
	"io"
	"io/fs"
	"path"
	"testing"
	"testing/fstest"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/clientele-go/clientele/storage/kv"
	"github.com/clientele-go/clientele/storage/kv/kvtest"
)

func TestConformanceOnDisk(t *testing.T) {
	t.Parallel()
	small := Options{FS: unsynced{vfs.Default}, MemTableBytes: 256 << 10, CacheBytes: 8 << 20} // so that there are flushes
	kvtest.Run(t, kvtest.Harness{
		Open: func(t testing.TB) kv.Engine { return mustOpen(t, t.TempDir(), small) },
		Reopen: func(t testing.TB, e kv.Engine) kv.Engine {
			return mustOpen(t, e.(*Engine).dir, small)
		},
		OpenBackup: func(t testing.TB, dir string) kv.Engine { return mustOpen(t, dir, small) },
		Files:      func(t testing.TB, e kv.Engine) fs.FS { return copyFiles(t, vfs.Default, e.(*Engine).dir) },
	})
}

func TestConformanceInMemory(t *testing.T) {
	t.Parallel()
	kvtest.Run(t, kvtest.Harness{
		Open: func(t testing.TB) kv.Engine {
			return mustOpen(t, "book", Options{FS: vfs.NewCrashableMem(), CacheBytes: 8 << 20})
		},
		Reopen: func(t testing.TB, e kv.Engine) kv.Engine {
			return mustOpen(t, "book", Options{FS: e.(*Engine).fs.FS, CacheBytes: 8 << 20})
		},
		Crash: func(t testing.TB, e kv.Engine) kv.Engine {
			after := e.(*Engine).fs.FS.(*vfs.MemFS).CrashClone(vfs.CrashCloneCfg{})
			return mustOpen(t, "book", Options{FS: after, CacheBytes: 8 << 20})
		},
		OpenBackup: func(t testing.TB, dir string) kv.Engine { return mustOpen(t, dir, Options{CacheBytes: 8 << 20}) },
		Files:      func(t testing.TB, e kv.Engine) fs.FS { return copyFiles(t, e.(*Engine).fs.FS, "book") },
	})
}

// unsynced is a file system whose syncs do nothing, to save the suite's time. What
// syncs are for is tested by crashes of a file system in memory.
type unsynced struct{ vfs.FS }

func (u unsynced) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	file, err := u.FS.Create(name, category)
	return unsyncedFile{file}, err
}

func (u unsynced) ReuseForWrite(oldname, newname string, category vfs.DiskWriteCategory) (vfs.File, error) {
	file, err := u.FS.ReuseForWrite(oldname, newname, category)
	return unsyncedFile{file}, err
}

func (u unsynced) OpenDir(name string) (vfs.File, error) {
	dir, err := u.FS.OpenDir(name)
	return unsyncedFile{dir}, err
}

type unsyncedFile struct{ vfs.File }

func (unsyncedFile) Sync() error                { return nil }
func (unsyncedFile) SyncData() error            { return nil }
func (unsyncedFile) SyncTo(int64) (bool, error) { return true, nil }

// mustOpen opens an engine that the test closes, or that is closed with the test.
func mustOpen(t testing.TB, dir string, o Options) *Engine {
	t.Helper()
	e, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() }) // a test that cares closes it before
	return e
}

// copyFiles copies the files of a directory, but for those that Pebble removes meanwhile.
func copyFiles(t testing.TB, from vfs.FS, dir string) fs.FS {
	t.Helper()
	files := fstest.MapFS{}
	names, err := from.List(dir)
	must(t, err)
	for _, name := range names {
		if content, err := readFile(from, path.Join(dir, name)); err == nil {
			files[name] = &fstest.MapFile{Data: content}
		} else if !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
	return files
}

func readFile(from vfs.FS, name string) ([]byte, error) {
	info, err := from.Stat(name)
	if err != nil || info.IsDir() {
		return nil, err
	}
	file, err := from.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close() // read only: nothing to lose
	return io.ReadAll(file)
}
