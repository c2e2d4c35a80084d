package pebblekv

import (
	"context"
	"errors"
	"math/rand/v2"
	"path"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/clientele-go/clientele/storage/kv"
)

// faults injects an error into the operations from the nth on that match; n = 0 only
// counts them.
type faults struct {
	n, times int64
	err      error
	match    func(errorfs.Op) bool
	seen     atomic.Int64
	injected atomic.Int64
}

func (f *faults) String() string { return "faults" }

func (f *faults) MaybeError(op errorfs.Op) error {
	if f.match != nil && !f.match(op) {
		return nil
	}
	seen := f.seen.Add(1)
	if f.n == 0 || seen < f.n || seen >= f.n+f.times {
		return nil
	}
	f.injected.Add(1)
	return f.err
}

func isWrite(op errorfs.Op) bool { return op.Kind.ReadOrWrite() == errorfs.OpIsWrite }

// everything opens an engine, does some of everything and closes it. It returns what
// was acknowledged and the errors on the way.
func everything(t testing.TB, disk vfs.FS, f *faults, seed uint64) (*workload, []error) {
	t.Helper()
	ctx := t.Context()
	var w workload
	random := rand.New(rand.NewPCG(seed, 0))
	e, err := Open("book", Options{FS: errorfs.Wrap(disk, f), MemTableBytes: 16 << 10, CacheBytes: 1 << 20, RelaxedDelay: time.Millisecond})
	if err != nil {
		return &w, []error{err}
	}
	e.removalPatience = 100 * time.Millisecond
	var errs []error
	note := func(err error) {
		if err != nil {
			errs = append(errs, err)
		}
	}
	for i := range 40 {
		note(w.step(ctx, e, random))
		note(readSome(ctx, e))
		switch i {
		case 15:
			note(e.Backup(ctx, path.Join(t.TempDir(), "copy"), nil))
		case 30:
			note(e.Purge(ctx, []kv.Range{kv.Prefix([]byte("key/00000001"))}))
		}
	}
	note(e.Close())
	return &w, errs
}

func readSome(ctx context.Context, e kv.Engine) error {
	s, err := e.Snapshot(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	if _, _, err := s.Get(ctx, []byte("key/00000002/0000"), nil); err != nil {
		return err
	}
	for _, err := range s.Scan(ctx, kv.Range{}, true) {
		if err != nil {
			return err
		}
	}
	for _, err := range e.Changes(ctx, 0) {
		if err != nil {
			return err
		}
	}
	return nil
}

// TestEveryFailedOperationIsSurvived lets one file operation after the other fail,
// once or from then on. Nothing may panic or hang, errors must be typed, the engine
// must close, and what it acknowledged must be there when it is opened again.
func TestEveryFailedOperationIsSurvived(t *testing.T) {
	t.Parallel()
	count := &faults{}
	if _, errs := everything(t, vfs.NewMem(), count, 1); len(errs) > 0 {
		t.Fatal(errors.Join(errs...))
	}
	operations := count.seen.Load()
	t.Logf("%d operations", operations)
	step := max(1, operations/int64(crashRuns(t, 15)))
	for n := 1 + rand.Int64N(step); n <= operations; n += step {
		for _, times := range []int64{1, 1 << 40} {
			failFrom(t, n, times)
		}
	}
}

func failFrom(t *testing.T, n, times int64) {
	t.Helper()
	disk := vfs.NewCrashableMem()
	f := &faults{n: n, times: times, err: syscall.EIO}
	w, errs := everything(t, disk, f, rand.Uint64())
	for _, err := range errs {
		if !errors.Is(err, syscall.EIO) && !errors.Is(err, kv.ErrFailed) && !strings.Contains(err.Error(), "open the book again") {
			t.Errorf("operation %d, %d times: untyped error %v", n, times, err)
		}
	}
	// What counts is there even if power is lost on top of it.
	for _, left := range []vfs.FS{disk.CrashClone(vfs.CrashCloneCfg{}), disk} {
		e := mustOpen(t, "book", Options{FS: left, CacheBytes: 1 << 20})
		check(t, e, w.ackedSoFar())
		must(t, e.Close())
	}
	if t.Failed() {
		t.Fatalf("failed at operation %d, %d times", n, times)
	}
}

// failing opens an engine on a disk whose faults are switched on later.
func failing(t testing.TB, err error, match func(errorfs.Op) bool) (*Engine, *vfs.MemFS, *errorfs.Toggle) {
	t.Helper()
	disk := vfs.NewMem()
	toggle := &errorfs.Toggle{Injector: &faults{n: 1, times: 1 << 40, err: err, match: match}}
	return mustOpen(t, "book", Options{FS: errorfs.Wrap(disk, toggle), CacheBytes: 1 << 20}), disk, toggle
}

func onLog(op errorfs.Op) bool { return isWrite(op) && strings.HasSuffix(op.Path, ".log") }

func TestFullDiskStopsWritesAndKeepsReads(t *testing.T) {
	e, disk, toggle := failing(t, syscall.ENOSPC, isWrite)
	ctx := t.Context()
	must(t, put(e, "a", "1"))
	toggle.On()
	err := put(e, "a", "2")
	for _, want := range []error{kv.ErrUnknownOutcome, kv.ErrNoSpace, syscall.ENOSPC} {
		if !errors.Is(err, want) {
			t.Errorf("the first failed commit returned %v, want it to wrap %v", err, want)
		}
	}
	toggle.Off() // mended, but the engine doesn't know what the disk holds
	for what, err := range map[string]error{
		"Apply":       put(e, "a", "3"),
		"Ingest":      ingest(e, "b"),
		"Backup":      e.Backup(ctx, t.TempDir(), nil),
		"Purge":       e.Purge(ctx, []kv.Range{{}}),
		"WaitDurable": e.WaitDurable(ctx, 100),
		"Stats":       e.Stats().BackgroundError,
	} {
		if !errors.Is(err, kv.ErrFailed) || !errors.Is(err, kv.ErrNoSpace) {
			t.Errorf("%s after a failed write: %v, want ErrFailed and ErrNoSpace", what, err)
		}
	}
	if value := get(t, e, "a"); value != "1" && value != "2" {
		t.Errorf("read %q after a failed write, want 1 or 2", value)
	}
	if err := e.Close(); !errors.Is(err, kv.ErrFailed) {
		t.Errorf("Close after a failed write: %v, want ErrFailed", err)
	}
	e = mustOpen(t, "book", Options{FS: disk})
	if value := get(t, e, "a"); value != "1" && value != "2" {
		t.Errorf("%q after opening again, want 1 or 2", value)
	}
	must(t, put(e, "a", "4"))
}

func TestFailedLogSyncIsAnUnknownOutcome(t *testing.T) {
	e, _, toggle := failing(t, syscall.EIO, func(op errorfs.Op) bool {
		return op.Kind == errorfs.OpFileSyncData && strings.HasSuffix(op.Path, ".log")
	})
	var before kv.Batch
	before.Journal = []byte("before")
	_, err := e.Apply(t.Context(), &before)
	must(t, err)
	toggle.On()
	b := kv.Batch{Journal: []byte("after")}
	if _, err := e.Apply(t.Context(), &b); !errors.Is(err, kv.ErrUnknownOutcome) || !errors.Is(err, syscall.EIO) {
		t.Errorf("failed sync: %v, want ErrUnknownOutcome and EIO", err)
	}
	if got := e.Durable(); got != 1 {
		t.Errorf("Durable() = %d after a failed sync, want 1", got)
	}
	for change, err := range e.Changes(t.Context(), 0) {
		if err != nil || string(change.Payload) != "before" {
			t.Errorf("the journal shows %q, %v", change.Payload, err)
		}
	}
}

// A relaxed commit isn't refused for what its sync, later, comes to; the next one is.
func TestFailedBackgroundSyncStopsTheEngine(t *testing.T) {
	e, _, toggle := failing(t, syscall.EIO, onLog)
	toggle.On()
	b := kv.Batch{Journal: []byte("entry"), Durability: kv.Relaxed}
	_, err := e.Apply(t.Context(), &b)
	must(t, err)
	if err := e.WaitDurable(t.Context(), 0); !errors.Is(err, kv.ErrFailed) {
		t.Errorf("WaitDurable: %v, want ErrFailed", err)
	}
	if err := put(e, "a", "1"); !errors.Is(err, kv.ErrFailed) {
		t.Errorf("Apply: %v, want ErrFailed", err)
	}
}

// A flush that can't be written must neither be tried for ever nor hold up writers.
func TestFailedFlushStopsTheEngine(t *testing.T) {
	disk := vfs.NewMem()
	toggle := &errorfs.Toggle{Injector: &faults{n: 1, times: 1 << 40, err: syscall.ENOSPC, match: func(op errorfs.Op) bool {
		return isWrite(op) && strings.HasSuffix(op.Path, ".sst")
	}}}
	e := mustOpen(t, "book", Options{FS: errorfs.Wrap(disk, toggle), MemTableBytes: 64 << 10})
	toggle.On()
	value := strings.Repeat("x", 1000)
	var err error
	acked := map[string]bool{}
	for i := 0; err == nil && i < 10_000; i++ {
		key := "key" + strings.Repeat("i", i%50)
		if err = put(e, key, value); err == nil {
			acked[key] = true
		}
	}
	if !errors.Is(err, kv.ErrNoSpace) {
		t.Fatalf("commits went on to %v, want ErrNoSpace", err)
	}
	for key := range acked {
		if get(t, e, key) != value {
			t.Fatalf("%s can't be read after a failed flush", key)
		}
	}
	_ = e.Close() // its error is the failed flush
	e = mustOpen(t, "book", Options{FS: disk})
	for key := range acked {
		if get(t, e, key) != value {
			t.Fatalf("%s is lost", key)
		}
	}
}

// Pebble tries once to remove a table. What stays behind then is not forgotten silently.
func TestPurgeTellsOfTablesThatStayBehind(t *testing.T) {
	e, disk, toggle := failing(t, syscall.EIO, func(op errorfs.Op) bool {
		return op.Kind == errorfs.OpRemove && strings.HasSuffix(op.Path, ".sst")
	})
	e.removalPatience = 50 * time.Millisecond
	toggle.On()
	for range 3 {
		must(t, put(e, "a", "1"))
		must(t, e.db.Flush())
	}
	if err := e.Purge(t.Context(), []kv.Range{{}}); err == nil || !strings.Contains(err.Error(), "open the book again") {
		t.Errorf("Purge: %v, want the advice to open the book again", err)
	}
	toggle.Off()
	must(t, e.Close())
	e = mustOpen(t, "book", Options{FS: disk})
	e.db.TestOnlyWaitForCleaning()
	if left, err := e.replacedTables(1 << 60); err != nil || len(left) > 0 {
		t.Errorf("after opening again %v are left, %v", left, err)
	}
}

func TestFailedIngestLeavesTheEngineWorking(t *testing.T) {
	e, _, toggle := failing(t, syscall.ENOSPC, func(op errorfs.Op) bool {
		return isWrite(op) && strings.Contains(op.Path, temporary)
	})
	toggle.On()
	if err := ingest(e, "b"); !errors.Is(err, kv.ErrNoSpace) || errors.Is(err, kv.ErrUnknownOutcome) {
		t.Errorf("Ingest without space for its tables: %v, want ErrNoSpace and a known outcome", err)
	}
	toggle.Off()
	must(t, put(e, "a", "1"))
	must(t, ingest(e, "b"))
	must(t, e.Close())
}

func TestFailedOpenIsTypedAndLeavesNothingOpen(t *testing.T) {
	for _, test := range []struct{ cause, want error }{
		{syscall.EROFS, kv.ErrReadOnly}, {syscall.EACCES, kv.ErrReadOnly}, {syscall.ENOSPC, kv.ErrNoSpace},
	} {
		disk := vfs.NewMem()
		f := &faults{n: 1, times: 1 << 40, err: &pathError{test.cause}, match: isWrite}
		if _, err := Open("book", Options{FS: errorfs.Wrap(disk, f)}); !errors.Is(err, test.want) {
			t.Errorf("Open with %v: %v, want %v", test.cause, err, test.want)
		}
		must(t, mustOpen(t, "book", Options{FS: disk}).Close())
	}
}

// pathError is an error as the operating system's file functions return it.
type pathError struct{ error }

func (e *pathError) Unwrap() error { return e.error }

func put(e kv.Engine, key, value string) error {
	var b kv.Batch
	b.Set([]byte(key), []byte(value))
	_, err := e.Apply(context.Background(), &b)
	return err
}

func ingest(e kv.Engine, key string) error {
	s, err := e.Snapshot(context.Background())
	if err != nil {
		return err
	}
	defer s.Close()
	_, err = e.Ingest(context.Background(), &kv.Load{Since: s.Stamp(), Runs: []kv.Run{pairs{[]string{key}, []byte("loaded")}}})
	return err
}

func get(t testing.TB, e kv.Engine, key string) string {
	t.Helper()
	s, err := e.Snapshot(t.Context())
	must(t, err)
	defer s.Close()
	value, _, err := s.Get(t.Context(), []byte(key), nil)
	must(t, err)
	return string(value)
}
