package pebblekv

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/clientele-go/clientele/storage/kv"
)

func TestGetAddsNoAllocation(t *testing.T) {
	e := mustOpen(t, "", Options{InMemory: true})
	must(t, put(e, "a", "value"))
	must(t, e.db.Flush())
	s, err := e.Snapshot(t.Context())
	must(t, err)
	defer s.Close()
	raw := e.db.NewSnapshot()
	defer raw.Close()
	key, dst := []byte("a"), make([]byte, 0, 100)
	base := testing.AllocsPerRun(1000, func() {
		_, closer, err := raw.Get(key)
		must(t, err)
		must(t, closer.Close())
	})
	ours := testing.AllocsPerRun(1000, func() {
		_, found, err := s.Get(context.Background(), key, dst)
		if err != nil || !found {
			t.Fatal(found, err)
		}
	})
	if ours > base {
		t.Errorf("Get costs %v allocations, Pebble's %v", ours, base)
	}
}

func TestCloseWithOpenSnapshotsSaysSo(t *testing.T) {
	e := mustOpen(t, "", Options{InMemory: true})
	s, err := e.Snapshot(t.Context())
	must(t, err)
	closed, err := e.Snapshot(t.Context())
	must(t, err)
	must(t, closed.Close())
	wantError(t, e.Close(), kv.ErrInvalid, "1 snapshots were open")
	_, _, err = s.Get(t.Context(), []byte("a"), nil)
	wantError(t, err, kv.ErrClosed)
	must(t, s.Close())
}

func TestCloseWaitsForScans(t *testing.T) {
	e := mustOpen(t, "", Options{InMemory: true})
	for i := range 10 {
		must(t, put(e, fmt.Sprint("key", i), "1"))
	}
	s, err := e.Snapshot(t.Context())
	must(t, err)
	scanning, closing := make(chan struct{}), make(chan struct{})
	var scan sync.WaitGroup
	read := 0
	scan.Go(func() {
		for _, err := range s.Scan(context.Background(), kv.Range{}, false) {
			if err != nil {
				t.Error(err)
			}
			if read++; read == 1 {
				close(scanning)
				<-closing
				time.Sleep(10 * time.Millisecond)
			}
		}
		_ = s.Close() // never fails
	})
	<-scanning
	close(closing)
	_ = e.Close() // reports the snapshot if it came first
	scan.Wait()
	if read != 10 {
		t.Errorf("the scan was cut at %d of 10 keys", read)
	}
}

func TestSnapshotCanBeClosedWithinItsScan(t *testing.T) {
	e := mustOpen(t, "", Options{InMemory: true})
	must(t, put(e, "a", "1"))
	must(t, put(e, "b", "1"))
	s, err := e.Snapshot(t.Context())
	must(t, err)
	read := 0
	for _, err := range s.Scan(t.Context(), kv.Range{}, false) {
		must(t, err)
		must(t, s.Close())
		read++
	}
	if read != 2 || e.Stats().OpenSnapshots != 0 {
		t.Errorf("read %d of 2 keys, %d snapshots open", read, e.Stats().OpenSnapshots)
	}
}

// The nth commit writes n and has stamp n. A snapshot that holds fewer than its stamp
// says would hide a conflict.
func TestSnapshotHoldsAllUpToItsStamp(t *testing.T) {
	e := mustOpen(t, "", Options{InMemory: true})
	ctx, stop := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer stop()
	var writing sync.WaitGroup
	writing.Go(func() {
		for n := uint64(1); ctx.Err() == nil; n++ {
			b := kv.Batch{Durability: kv.Relaxed}
			b.Set([]byte("n"), binary.BigEndian.AppendUint64(nil, n))
			if _, err := e.Apply(context.Background(), &b); err != nil {
				t.Error(err)
				return
			}
		}
	})
	defer writing.Wait()
	for ctx.Err() == nil {
		s, err := e.Snapshot(t.Context())
		must(t, err)
		value, found, err := s.Get(t.Context(), []byte("n"), nil)
		must(t, err)
		if stamp := uint64(s.Stamp()); found && binary.BigEndian.Uint64(value) < stamp || !found && stamp > 0 {
			t.Fatalf("a snapshot of stamp %d holds % x", stamp, value)
		}
		must(t, s.Close())
	}
}

func TestMisfitMergeFailsReadsUntilMended(t *testing.T) {
	e := mustOpen(t, "", Options{InMemory: true})
	merge := func(delta []byte) {
		t.Helper()
		var b kv.Batch
		b.Merge([]byte("a"), delta)
		_, err := e.Apply(t.Context(), &b)
		must(t, err)
	}
	must(t, put(e, "a", "a name"))
	merge(kv.CounterDelta(1))
	for range 3 { // in the memtable, in a table, in a lower table
		s, err := e.Snapshot(t.Context())
		must(t, err)
		_, _, err = s.Get(t.Context(), []byte("a"), nil)
		wantError(t, err, kv.ErrCorrupt, `"a"`, "set or delete it")
		for _, err := range s.Scan(t.Context(), kv.Range{}, false) {
			wantError(t, err, kv.ErrCorrupt, `"a"`)
		}
		must(t, s.Close())
		merge(kv.CounterDelta(1))
		must(t, e.db.Flush())
	}
	must(t, e.db.Compact(t.Context(), []byte("a"), []byte("b"), false))
	var b kv.Batch
	b.Delete([]byte("a"))
	b.Merge([]byte("a"), kv.CounterDelta(5))
	_, err := e.Apply(t.Context(), &b)
	must(t, err)
	if n, err := kv.Counter([]byte(get(t, e, "a"))); err != nil || n != 5 {
		t.Errorf("after a deletion the counter reads %d, %v; want 5", n, err)
	}
}

func TestUnreadableDeltaIsRefused(t *testing.T) {
	e := mustOpen(t, "", Options{InMemory: true})
	for _, delta := range []string{"", "x", "c", "d\xff"} {
		var b kv.Batch
		b.Merge([]byte("a"), []byte(delta))
		_, err := e.Apply(t.Context(), &b)
		wantError(t, err, kv.ErrInvalid)
		s, err := e.Snapshot(t.Context())
		must(t, err)
		_, err = e.Ingest(t.Context(), &kv.Load{Since: s.Stamp(), Merges: b.Ops()})
		wantError(t, err, kv.ErrInvalid)
		must(t, s.Close())
	}
}

// FuzzMerger feeds any operands in Pebble's ways of grouping them. Merging must not
// fail, and grouping must not matter.
func FuzzMerger(f *testing.F) {
	f.Add([]byte("a name"), kv.CounterDelta(1), kv.CounterDelta(2))
	f.Add(kv.CounterDelta(1), kv.CounterDelta(1), kv.BitmapDelta(roaring.BitmapOf(1), nil))
	f.Add(kv.BitmapValue(roaring.BitmapOf(1, 2)), kv.BitmapDelta(nil, roaring.BitmapOf(1)), kv.BitmapDelta(roaring.BitmapOf(1), nil))
	f.Fuzz(func(t *testing.T, base, first, second []byte) {
		if kv.CheckDelta(first) != nil || kv.CheckDelta(second) != nil {
			return
		}
		fold := func(base bool, operands ...[]byte) []byte {
			newer, err := merger.Merge(nil, operands[0])
			must(t, err)
			for _, operand := range operands[1:] {
				must(t, newer.MergeNewer(operand))
			}
			forward, _, err := newer.Finish(base)
			must(t, err)
			older, err := merger.Merge(nil, operands[len(operands)-1])
			must(t, err)
			for _, operand := range slices.Backward(operands[:len(operands)-1]) {
				must(t, older.MergeOlder(operand))
			}
			backward, _, err := older.Finish(base)
			must(t, err)
			if !bytes.Equal(forward, backward) {
				t.Fatalf("% x forward, % x backward", forward, backward)
			}
			return forward
		}
		want := fold(true, base, first, second)
		for _, got := range [][]byte{fold(true, fold(true, base, first), second), fold(true, base, fold(false, first, second))} {
			if !bytes.Equal(got, want) {
				t.Fatalf("grouping matters: % x and % x", got, want)
			}
		}
	})
}

// Keys with some deltas are rewritten in the background; those with few are left alone.
func TestSomePendingDeltasAreFoldedInTheBackground(t *testing.T) {
	e := mustOpen(t, t.TempDir(), Options{})
	want := map[string]*roaring.Bitmap{"few": roaring.New(), "some": roaring.New()}
	for key, members := range want {
		n := foldSome
		if key == "few" {
			n--
		}
		for i := range n {
			var b kv.Batch
			b.Merge([]byte(key), kv.MemberDelta(uint32(7*i), true))
			_, err := e.Apply(t.Context(), &b)
			must(t, err)
			members.Add(uint32(7 * i))
		}
	}
	must(t, e.foldKeys(t.Context()))
	if n := len(e.pending.counts); n != 1 {
		t.Errorf("deltas of %d keys are pending, want those of the one that has few", n)
	}
	for key, members := range want {
		wantSet(t, e, key, members)
	}
	must(t, e.db.Flush())
	if n := mergeOperands(t, e); n > 1 { // a flush makes one of those that are left
		t.Errorf("%d deltas are on disk, want one", n)
	}
	must(t, e.foldKeys(t.Context())) // with nothing to do
}

// However often keys are merged into, few of the deltas stay pending.
func TestPendingDeltasAreFolded(t *testing.T) {
	e := mustOpen(t, "", Options{InMemory: true})
	const merges = 3*foldAfter + 100
	keys := []string{"n/1", "n/2", "n/3"}
	for range merges {
		b := kv.Batch{Durability: kv.Relaxed}
		for _, key := range keys {
			b.Merge([]byte(key), kv.CounterDelta(1))
		}
		_, err := e.Apply(t.Context(), &b)
		must(t, err)
	}
	for _, key := range keys {
		if n, err := kv.Counter([]byte(get(t, e, key))); err != nil || n != merges {
			t.Errorf("counted %d, %v; want %d", n, err, merges)
		}
		it, err := e.db.NewIter(&pebble.IterOptions{LowerBound: []byte(key), UpperBound: []byte(key + "\x00")})
		must(t, err)
		if !it.First() {
			t.Fatal("the key is absent")
		}
		stats := it.Stats()
		if looked := stats.InternalStats.PointCount; looked == 0 || looked > foldAfter+1 {
			t.Errorf("a read of a key merged into %d times looks at %d entries, want at most %d", merges, looked, foldAfter+1)
		}
		must(t, it.Close())
	}
}

// Counting deltas takes little memory however many keys there are.
func TestPendingDeltasCountFewKeys(t *testing.T) {
	var p pendingDeltas
	for key := range uint64(3 * pendingKeys) {
		p.add(key, nil, nil)
	}
	if len(p.counts) > pendingKeys {
		t.Errorf("%d keys are counted, want at most %d", len(p.counts), pendingKeys)
	}
}

func TestBatchIDsAreRemembered(t *testing.T) {
	disk := vfs.NewMem()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var passed atomic.Int64 // the engine looks at the clock from its own goroutine
	options := Options{FS: disk, Now: func() time.Time { return now.Add(time.Duration(passed.Load())) }}
	e := mustOpen(t, "book", options)
	apply := func(id kv.BatchID) kv.Position {
		t.Helper()
		b := kv.Batch{ID: id, Journal: []byte("entry")}
		b.Merge([]byte("n"), kv.CounterDelta(1))
		position, err := e.Apply(t.Context(), &b)
		must(t, err)
		return position
	}
	want := func(what string, got, want kv.Position) {
		t.Helper()
		if got != want {
			t.Errorf("%s: position %d, want %d", what, got, want)
		}
	}
	first, second := kv.NewBatchID(now), kv.NewBatchID(now.Add(time.Second))
	want("first", apply(first), 1)
	want("second", apply(second), 2)
	want("first again", apply(first), 1)
	e.commits.Lock()
	e.ids.add(kv.NewBatchID(now), e.last.Load()) // for the order to be emptied with the rest
	for i := range rememberedIDs {               // push the others out of memory
		e.ids.add(kv.NewBatchID(now.Add(time.Minute+time.Duration(i))), e.last.Load())
	}
	e.commits.Unlock()
	want("first, from its key", apply(first), 1)
	must(t, e.Close())
	e = mustOpen(t, "book", options)
	want("first, in a new opening", apply(first), 1)
	want("a new one", apply(kv.NewBatchID(now.Add(2*time.Hour))), 3)

	passed.Add(int64(kv.RememberBatch))
	must(t, e.forgetIDs())
	want("first, after as long as it must be known", apply(first), 1)
	passed.Add(int64(2 * time.Hour))
	must(t, e.forgetIDs())
	want("first, long after", apply(first), 4)
	if n, err := kv.Counter([]byte(get(t, e, "n"))); err != nil || n != 4 {
		t.Errorf("counted %d, %v; want 4: three ids, one of them forgotten", n, err)
	}
}

// The first attempt wrote what the batch had read. The retry must not take that for
// another's doing.
func TestRetryDoesNotConflictWithItself(t *testing.T) {
	e := mustOpen(t, "", Options{InMemory: true})
	for name, read := range map[string]kv.Range{"point": kv.Point([]byte("a")), "range": {}} {
		b := kv.Batch{ID: kv.NewBatchID(time.Now()), Since: e.last.Load().stamp, Reads: []kv.Range{read}, Journal: []byte(name)}
		b.Set([]byte("a"), []byte("1"))
		first, err := e.Apply(t.Context(), &b)
		must(t, err)
		if again, err := e.Apply(t.Context(), &b); err != nil || again != first {
			t.Errorf("%s: the retry returned %d, %v; want %d", name, again, err, first)
		}
	}
}

// A retry of a batch whose first attempt isn't synced yet waits for the sync.
func TestRetryWaitsForDurability(t *testing.T) {
	e := mustOpen(t, "", Options{InMemory: true, RelaxedDelay: time.Hour})
	b := kv.Batch{ID: kv.NewBatchID(time.Now()), Journal: []byte("entry"), Durability: kv.Relaxed}
	_, err := e.Apply(t.Context(), &b)
	must(t, err)
	if e.Durable() != 0 {
		t.Fatal("a relaxed commit is durable at once, this test shows nothing")
	}
	b.Durability = kv.Synced
	_, err = e.Apply(t.Context(), &b)
	must(t, err)
	if e.Durable() != 1 {
		t.Errorf("Durable() = %d after a synced retry, want 1", e.Durable())
	}
}

func TestApplyWaitsForCompactions(t *testing.T) {
	e := mustOpen(t, "", Options{InMemory: true})
	e.load.note(maxSublevels)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	var b kv.Batch
	b.Set([]byte("a"), []byte("1"))
	_, err := e.Apply(ctx, &b)
	wantError(t, err, context.DeadlineExceeded, "compaction")
	if get(t, e, "a") != "" {
		t.Error("a batch that gave up waiting was applied")
	}
	if e.Stats().WriteStalls != 1 {
		t.Errorf("%d stalls counted, want 1", e.Stats().WriteStalls)
	}
	done := make(chan error)
	go func() { done <- put(e, "a", "2") }()
	for e.Stats().WriteStalls < 2 {
		time.Sleep(time.Millisecond)
	}
	e.load.note(maxSublevels - 1)
	must(t, <-done)
	e.load.note(maxSublevels)
	go func() { done <- put(e, "a", "3") }()
	for e.Stats().WriteStalls < 3 {
		time.Sleep(time.Millisecond)
	}
	must(t, e.Close()) // lets the one who waits go on, and waits for him
	must(t, <-done)
}

func TestBackupReportsProgressAndCleansUp(t *testing.T) {
	e := mustOpen(t, t.TempDir(), Options{})
	must(t, put(e, "a", strings.Repeat("x", 3<<20)))
	temp := filepath.Join(e.dir, temporary)

	dir := filepath.Join(t.TempDir(), "deep", "copy")
	var last, total int64
	must(t, e.Backup(t.Context(), dir, func(done, of int64) {
		if done <= last || total != 0 && of != total {
			t.Errorf("progress %d of %d comes after %d of %d", done, of, last, total)
		}
		last, total = done, of
	}))
	if last != total || total < 3<<20 {
		t.Errorf("the last progress was %d of %d", last, total)
	}
	if entries, err := os.ReadDir(temp); len(entries) > 0 {
		t.Errorf("%d temporary entries are left, %v", len(entries), err)
	}
	wantError(t, e.Backup(t.Context(), dir, nil), kv.ErrInvalid, "not empty", dir)

	ctx, cancel := context.WithCancel(t.Context())
	err := e.Backup(ctx, filepath.Join(t.TempDir(), "cancelled"), func(int64, int64) { cancel() })
	wantError(t, err, context.Canceled)
	if entries, err := os.ReadDir(temp); len(entries) > 0 {
		t.Errorf("after a cancelled backup %d temporary entries are left, %v", len(entries), err)
	}
}

// A copy must not know of commits that a crash could still take back.
func TestBackupHoldsOnlyWhatIsDurable(t *testing.T) {
	e := mustOpen(t, "", Options{InMemory: true, RelaxedDelay: time.Hour})
	_, err := e.Apply(t.Context(), &kv.Batch{Journal: []byte("relaxed"), Durability: kv.Relaxed})
	must(t, err)
	dir := filepath.Join(t.TempDir(), "copy")
	must(t, e.Backup(t.Context(), dir, nil))
	if held, durable := mustOpen(t, dir, Options{}).Durable(), e.Durable(); held != 1 || durable < held {
		t.Errorf("the copy ends at %d, want 1; durable is %d", held, durable)
	}
}

// Every file of a copy is the copy's own.
func TestBackupSharesNoFile(t *testing.T) {
	e := mustOpen(t, t.TempDir(), Options{})
	must(t, ingest(e, "a"))
	dir := filepath.Join(t.TempDir(), "copy")
	must(t, e.Backup(t.Context(), dir, nil))
	for _, name := range files(t, dir, "*") {
		copied, err := os.Stat(name)
		must(t, err)
		original, err := os.Stat(filepath.Join(e.dir, filepath.Base(name)))
		if err == nil && os.SameFile(copied, original) {
			t.Errorf("%s is linked to the engine's own", name)
		}
	}
}

// A load larger than a table is split, and its parts are in order and complete.
func TestIngestSplitsLargeRuns(t *testing.T) {
	e := mustOpen(t, "", Options{InMemory: true})
	const n = 60_000 // of 438 bytes: 26 MB, more than the least table takes
	_, err := e.Ingest(t.Context(), &kv.Load{Runs: []kv.Run{rows{0, n}}})
	must(t, err)
	tables, err := e.db.SSTables()
	must(t, err)
	count := 0
	for _, level := range tables {
		count += len(level)
	}
	if want := min(4, 2*runtime.GOMAXPROCS(0)); count < want {
		t.Errorf("%d tables, want at least %d", count, want)
	}
	s, err := e.Snapshot(t.Context())
	must(t, err)
	defer s.Close()
	i := 0
	for entry, err := range s.Scan(t.Context(), kv.Range{}, false) {
		must(t, err)
		if !bytes.Equal(entry.Key, rowKey(i)) || i%1000 == 0 && !bytes.Equal(entry.Value, rowValue(i)) {
			t.Fatalf("key %d is %x", i, entry.Key)
		}
		i++
	}
	if i != n {
		t.Errorf("%d keys, want %d", i, n)
	}
}

func TestIngestHonoursContext(t *testing.T) {
	e := mustOpen(t, "", Options{InMemory: true})
	ctx, cancel := context.WithCancel(t.Context())
	_, err := e.Ingest(ctx, &kv.Load{Runs: []kv.Run{cancelling{rows{0, 10_000}, cancel}}})
	wantError(t, err, context.Canceled)
	if names, err := e.fs.List(e.fs.PathJoin(e.dir, temporary)); len(names) > 0 {
		t.Errorf("%v is left, %v", names, err)
	}
}

// cancelling is a run that cancels a context when it is read half.
type cancelling struct {
	rows
	cancel func()
}

func (c cancelling) Key(i int) []byte {
	if i == c.n/2 {
		c.cancel()
	}
	return c.rows.Key(i)
}

func TestMemoryFiguresAreRead(t *testing.T) {
	const meminfo = "MemTotal:       24684064 kB\nMemFree:         1000 kB\n"
	if got, ok := totalMemory([]byte(meminfo)); !ok || got != 24684064<<10 {
		t.Errorf("totalMemory = %d, %v", got, ok)
	}
	if _, ok := totalMemory([]byte("MemFree: 1 kB\n")); ok {
		t.Error("totalMemory found a total where there is none")
	}
	dir := t.TempDir()
	for content, want := range map[string]int64{"max\n": 0, "1073741824\n": 1 << 30, "": 0, "-1": 0} {
		name := filepath.Join(dir, "memory.max")
		must(t, os.WriteFile(name, []byte(content), 0o600))
		if got, ok := readLimit(name); ok != (want > 0) || ok && got != want {
			t.Errorf("limit %q reads as %d, %v", content, got, ok)
		}
	}
	if got := usableMemory(); got < 1<<20 || got == math.MaxInt64 {
		t.Errorf("usableMemory = %d", got)
	}
}

func TestFormatVersionIsWrittenAtCreation(t *testing.T) {
	e := mustOpen(t, "", Options{InMemory: true})
	value, closer, err := e.db.Get([]byte{0, 'f'})
	must(t, err)
	if version, n := binary.Uvarint(value); version != 1 || n != len(value) {
		t.Errorf("format version % x, want 01", value)
	}
	must(t, closer.Close())
}
