package pebblekv

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"testing"
	"testing/fstest"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/clientele-go/clientele/storage/kv"
	"github.com/clientele-go/clientele/storage/kv/kvtest"
)

// small makes engines flush and compact under little data.
var small = Options{MemTableBytes: 256 << 10, CacheBytes: 8 << 20}

func TestConformanceInMemory(t *testing.T) {
	t.Parallel()
	open := func(t testing.TB, disk vfs.FS) kv.Engine {
		o := small
		o.FS = disk
		return mustOpen(t, "book", o)
	}
	kvtest.Run(t, kvtest.Harness{
		Open:   func(t testing.TB) kv.Engine { return open(t, vfs.NewCrashableMem()) },
		Reopen: func(t testing.TB, e kv.Engine) kv.Engine { return open(t, e.(*Engine).fs.FS) },
		Crash: func(t testing.TB, e kv.Engine) kv.Engine {
			return open(t, e.(*Engine).fs.FS.(*vfs.MemFS).CrashClone(vfs.CrashCloneCfg{}))
		},
		OpenBackup: func(t testing.TB, dir string) kv.Engine { return mustOpen(t, dir, small) },
		Files:      func(t testing.TB, e kv.Engine) fs.FS { return copyFiles(t, e.(*Engine).fs.FS, "book") },
	})
}

// TestConformanceOnDisk checks what has to do with files, and with CLIENTELE_TEST_SCALE
// set everything.
func TestConformanceOnDisk(t *testing.T) {
	t.Parallel()
	o := small
	o.FS = unsynced{vfs.Default}
	h := kvtest.Harness{
		Open:       func(t testing.TB) kv.Engine { return mustOpen(t, t.TempDir(), o) },
		Reopen:     func(t testing.TB, e kv.Engine) kv.Engine { return mustOpen(t, e.(*Engine).dir, o) },
		OpenBackup: func(t testing.TB, dir string) kv.Engine { return mustOpen(t, dir, o) },
		Files:      func(t testing.TB, e kv.Engine) fs.FS { return copyFiles(t, vfs.Default, e.(*Engine).dir) },
	}
	if os.Getenv("CLIENTELE_TEST_SCALE") != "" {
		kvtest.Run(t, h)
		return
	}
	must(t, kvtest.Check(h, "Persist", "Backup", "Purge", "Ingest", "Life", "Transaction"))
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
