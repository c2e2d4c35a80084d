package pebblekv

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/clientele-go/clientele/storage/kv"
)

// logLength returns the length of a directory's newest log.
func logLength(t testing.TB, disk vfs.FS) (length int64) {
	t.Helper()
	names, err := disk.List("book")
	must(t, err)
	newest := ""
	for _, name := range names {
		if isLog(name) && name > newest {
			newest = name
		}
	}
	info, err := disk.Stat(disk.PathJoin("book", newest))
	must(t, err)
	return info.Size()
}

func applySmall(t testing.TB, e *Engine, i int) {
	t.Helper()
	var b kv.Batch
	b.Set(fmt.Appendf(nil, "key %03d", i), []byte(strings.Repeat("v", 1000)))
	_, err := e.Apply(t.Context(), &b)
	must(t, err)
}

// TestLogGrowsInSteps: a log that became longer with each commit would make each sync wait for
// the file system's own journal.
func TestLogGrowsInSteps(t *testing.T) {
	disk := vfs.NewMem()
	e := mustOpen(t, "book", Options{FS: disk})
	lengths := map[int64]bool{}
	for i := range 400 { // 400 KiB
		applySmall(t, e, i)
		lengths[logLength(t, disk)] = true
	}
	if len(lengths) > 4 { // the first memtable and log are small
		t.Errorf("the log had %d lengths in 400 commits", len(lengths))
	}
}

// TestZerosAtTheEndOfALogAreItsEnd opens what a killed process leaves: a log with zeros ahead.
func TestZerosAtTheEndOfALogAreItsEnd(t *testing.T) {
	disk := vfs.NewCrashableMem()
	e := mustOpen(t, "book", Options{FS: disk})
	for i := range 20 {
		applySmall(t, e, i)
	}
	if length := logLength(t, disk); length < fillAhead {
		t.Fatalf("the log of 20 commits has %d bytes, want %d and more", length, fillAhead)
	}
	left := disk.CrashClone(vfs.CrashCloneCfg{})
	for _, o := range []Options{{FS: left, ReadOnly: true}, {FS: left}} {
		after := mustOpen(t, "book", o)
		s, err := after.Snapshot(t.Context())
		must(t, err)
		n := 0
		for _, err := range s.Scan(t.Context(), kv.Range{}, false) {
			must(t, err)
			n++
		}
		must(t, s.Close())
		must(t, after.Close())
		if n != 20 {
			t.Errorf("%d of 20 commits are there", n)
		}
	}
}

// TestLogReadWhileItIsWrittenEndsWhereItEnded: a backup that read on would come by a log with a
// hole: what was there before a commit, and behind it what came after.
func TestLogReadWhileItIsWrittenEndsWhereItEnded(t *testing.T) {
	for _, o := range []Options{{FS: vfs.NewMem()}, {InMemory: true}} {
		e := mustOpen(t, "book", o)
		for i := range 10 {
			applySmall(t, e, i)
		}
		name := ""
		e.fs.logs.Range(func(key, _ any) bool { name = key.(string); return true })
		log, err := e.fs.Open(name)
		must(t, err)
		first := make([]byte, 5000)
		_, err = io.ReadFull(log, first)
		must(t, err)
		for i := range 10 {
			applySmall(t, e, i)
		}
		rest, err := io.ReadAll(log)
		must(t, err)
		if n := len(first) + len(rest); n < 10*1000 || n > 11*1000 || bytes.Equal(rest[len(rest)-100:], make([]byte, 100)) {
			t.Errorf("%d bytes were read of a log of ten commits of 1,000 bytes", n)
		}
		must(t, log.Close())
		must(t, e.Close())
	}
}

// TestLogThatCannotBeFilledWorks: a full disk is no reason to refuse a commit that has room.
func TestLogThatCannotBeFilledWorks(t *testing.T) {
	disk := vfs.NewMem()
	f := &faults{n: 1, times: 1 << 40, err: errorfs.ErrInjected, match: func(op errorfs.Op) bool { return op.Kind == errorfs.OpFileWriteAt }}
	e := mustOpen(t, "book", Options{FS: errorfs.Wrap(disk, f)})
	for i := range 20 {
		applySmall(t, e, i)
	}
	if f.injected.Load() == 0 || logLength(t, disk) >= fillAhead {
		t.Error("the log was filled")
	}
}
