package pebblekv

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/clientele-go/clientele/storage/kv"
)

// gathered commits the batches as one group, in their order, and returns how each ended. One
// commit before them holds the lock up while they gather.
func gathered(t *testing.T, e *Engine, batches ...*kv.Batch) (positions []kv.Position, errs []error) {
	t.Helper()
	positions, errs = make([]kv.Position, len(batches)), make([]error, len(batches))
	done := gather(t, e, func(i int) { positions[i], errs[i] = e.Apply(context.Background(), batches[i]) }, len(batches))
	done()
	return positions, errs
}

// gather calls apply for each of n batches, one after another, and returns when all wait. They
// are committed with done, which waits for them.
func gather(t *testing.T, e *Engine, apply func(i int), n int) (done func()) {
	t.Helper()
	ended := make(chan struct{}, n+1)
	e.commits.Lock()
	go func() {
		defer func() { ended <- struct{}{} }()
		var b kv.Batch
		b.Set([]byte("the one before"), nil)
		if _, err := e.Apply(context.Background(), &b); err != nil {
			t.Errorf("the commit before a group: %v", err)
		}
	}()
	waiting(t, e, 0)
	for i := range n {
		go func() {
			apply(i)
			ended <- struct{}{}
		}()
		waiting(t, e, i+1)
	}
	return func() {
		e.commits.Unlock()
		for range n + 1 {
			<-ended
		}
	}
}

// waiting returns when somebody leads and so many wait.
func waiting(t *testing.T, e *Engine, n int) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(100 * time.Microsecond) {
		e.groups.mu.Lock()
		there := e.groups.led && len(e.groups.waiting) == n
		e.groups.mu.Unlock()
		if there {
			return
		}
	}
	t.Fatalf("%d batches don't come to wait", n)
}

func counterIn(t *testing.T, e *Engine, key string) int64 {
	t.Helper()
	n, err := kv.Counter([]byte(get(t, e, key)))
	must(t, err)
	return n
}

// What several commits merge into one key reaches Pebble as one delta; what they set in between
// holds from there on.
func TestAGroupMergesEachKeyOnce(t *testing.T) {
	e := mustOpen(t, t.TempDir(), Options{InMemory: true})
	must(t, put(e, "cached", "old"))
	get(t, e, "cached")
	batches := make([]*kv.Batch, 8)
	for i := range batches {
		b := &kv.Batch{Journal: fmt.Append(nil, "entry ", i)}
		b.Merge([]byte("count"), kv.CounterDelta(int64(i)))
		b.Merge([]byte("set"), kv.MemberDelta(uint32(10*i), true))
		b.Merge([]byte("replaced"), kv.CounterDelta(1))
		switch i {
		case 1:
			b.Set([]byte("cached"), []byte("new"))
		case 3:
			b.Merge([]byte("set"), kv.MemberDelta(20, false)) // which the third added
			b.Set([]byte("replaced"), kv.CounterDelta(100))
		case 5:
			b.Delete([]byte("deleted"))
		}
		b.Merge([]byte("deleted"), kv.CounterDelta(1))
		batches[i] = b
	}
	positions, errs := gathered(t, e, batches...)
	for i := range batches {
		if errs[i] != nil || positions[i] != kv.Position(i+1) {
			t.Errorf("batch %d: position %d, %v; want %d", i, positions[i], errs[i], i+1)
		}
	}
	if got := get(t, e, "cached"); got != "new" {
		t.Errorf("cached is %q, want new", got)
	}
	if got := counterIn(t, e, "count"); got != 28 { // 0 + 1 + … + 7
		t.Errorf("count is %d, want 28", got)
	}
	if got := counterIn(t, e, "replaced"); got != 104 { // set to 100 by the fourth, and four more
		t.Errorf("replaced is %d, want 104", got)
	}
	if got := counterIn(t, e, "deleted"); got != 3 { // by the sixth, which then adds one, and two more
		t.Errorf("deleted is %d, want 3", got)
	}
	set, err := kv.Bitmap([]byte(get(t, e, "set")))
	must(t, err)
	if want := roaring.BitmapOf(0, 10, 30, 40, 50, 60, 70); !set.Equals(want) {
		t.Errorf("set is %v, want %v", set, want)
	}
	for _, key := range []string{"count", "set", "replaced", "deleted"} {
		if got := e.pending.counts[e.window.hash([]byte(key))].deltas; got != 1 {
			t.Errorf("%s: Pebble got %d deltas, want 1", key, got)
		}
	}
	i := 0
	for change, err := range e.Changes(t.Context(), 0) {
		must(t, err)
		if want := fmt.Sprint("entry ", i); string(change.Payload) != want {
			t.Errorf("journal entry %d is %q, want %q", change.Position, change.Payload, want)
		}
		i++
	}
	if i != len(batches) {
		t.Errorf("the journal has %d durable entries, want %d", i, len(batches))
	}
}

// TestKeysOfOneHash: the second one's deltas are left where they are.
func TestKeysOfOneHash(t *testing.T) {
	var w joined
	a, b := kv.Op{Kind: kv.Merge, Key: []byte("a")}, kv.Op{Kind: kv.Merge, Key: []byte("b")}
	if !w.defers(1, a) || w.defers(1, b) || !w.defers(2, b) {
		t.Error("a and, under another hash, b are kept for the end; b isn't under the hash of a")
	}
	w.void(1, b.Key)
	if len(w.deltas[0].operands) != 1 {
		t.Error("b is set, and what is merged into a is void")
	}
	w.void(1, a.Key)
	if len(w.deltas[0].operands) != 0 {
		t.Error("a is set, and what was merged into it before isn't void")
	}
	w.reset()
	if !w.defers(1, b) || len(w.deltas) != 1 || len(w.deltas[0].operands) != 1 {
		t.Error("after a reset nothing may be left of the batch before")
	}
}

// TestAGroupIsSerializable: of two that read what the other writes, the later is refused, whether
// they read keys or ranges; so is one that reads what was merged into.
func TestAGroupIsSerializable(t *testing.T) {
	e := mustOpen(t, t.TempDir(), Options{InMemory: true})
	since := e.last.Load().stamp
	batch := func(reads kv.Range, write func(b *kv.Batch)) *kv.Batch {
		b := &kv.Batch{Since: since, Reads: []kv.Range{reads}}
		write(b)
		return b
	}
	set := func(key string) func(*kv.Batch) { return func(b *kv.Batch) { b.Set([]byte(key), []byte(key)) } }
	_, errs := gathered(t, e,
		batch(kv.Point([]byte("b")), set("a")),
		batch(kv.Point([]byte("a")), set("b")),
		batch(kv.Prefix([]byte("x")), func(b *kv.Batch) { b.Merge([]byte("y1"), kv.CounterDelta(1)) }),
		batch(kv.Prefix([]byte("y")), set("x1")),
		batch(kv.Point([]byte("b")), set("c")), // b was refused
	)
	for i, conflict := range []bool{false, true, false, true, false} {
		if errors.Is(errs[i], kv.ErrConflict) != conflict || !conflict && errs[i] != nil {
			t.Errorf("batch %d: %v; conflict %v", i, errs[i], conflict)
		}
	}
	if a, b, c := get(t, e, "a"), get(t, e, "b"), get(t, e, "c"); a != "a" || b != "" || c != "c" {
		t.Errorf("a is %q, b %q, c %q; want b alone to be absent", a, b, c)
	}
	if got := e.Stats(); got.Conflicts != 2 || got.Commits != 4 || got.SyncWaits != 4 { // with the one before
		t.Errorf("%d conflicts, %d commits, %d waits for a sync; want 2, 4, 4", got.Conflicts, got.Commits, got.SyncWaits)
	}
}

// TestWaitingEndsWithTheContext: until it is handed over, a batch may be given up, and the others go on.
func TestWaitingEndsWithTheContext(t *testing.T) {
	e := mustOpen(t, t.TempDir(), Options{InMemory: true})
	ctx, cancel := context.WithCancel(t.Context())
	errs := make([]error, 3)
	done := gather(t, e, func(i int) {
		var b kv.Batch
		b.Set(fmt.Append(nil, "key ", i), []byte("written"))
		if i == 1 {
			_, errs[i] = e.Apply(ctx, &b)
		} else {
			_, errs[i] = e.Apply(context.Background(), &b)
		}
	}, 3)
	cancel()
	waiting(t, e, 2)
	done()
	if errs[0] != nil || !errors.Is(errs[1], context.Canceled) || errs[2] != nil {
		t.Errorf("the batches ended with %v; want the second alone to be cancelled", errs)
	}
	for i, want := range []string{"written", "", "written"} {
		if got := get(t, e, fmt.Sprint("key ", i)); got != want {
			t.Errorf("key %d holds %q, want %q", i, got, want)
		}
	}
}

// TestWhoIsToLeadStays: others wait for it.
func TestWhoIsToLeadStays(t *testing.T) {
	var g groups
	some := func() *prepared { return &prepared{batch: &kv.Batch{Journal: []byte("entry")}} }
	first, second, third := some(), some(), some()
	if !g.enter(first) || g.enter(second) || g.enter(third) {
		t.Fatal("the first leads, nobody else")
	}
	if members, before, _ := g.take(0); len(members) != 1 || before != nil {
		t.Fatalf("took %d members; want one when there is room for none, and no group before", len(members))
	}
	g.pass()
	if g.leave(second) {
		t.Error("the second was told to lead and is let go")
	}
	if !<-second.turn {
		t.Error("the second isn't told to lead")
	}
	if !g.leave(third) || g.leave(third) || g.leave(first) {
		t.Error("the third may leave, once; the first is past that")
	}
	if members, before, _ := g.take(1 << 20); len(members) != 1 || members[0] != second || before == nil {
		t.Errorf("took %d members; want the second, behind a group", len(members))
	}
	g.pass()
	if !g.enter(third) {
		t.Error("nobody leads, and the third doesn't")
	}
}

// TestAGroupThatCannotBeSynced: nobody knows how any of its batches ended. Those after it are refused.
func TestAGroupThatCannotBeSynced(t *testing.T) {
	e, _, toggle := failing(t, syscall.EIO, func(op errorfs.Op) bool { return op.Kind == errorfs.OpFileSyncData && onLog(op) })
	must(t, put(e, "a", "1"))
	toggle.On()
	for _, want := range []error{kv.ErrUnknownOutcome, kv.ErrFailed} {
		var members []*prepared
		for range 3 {
			p, err := e.prepare(&kv.Batch{Journal: []byte("entry")})
			must(t, err)
			members = append(members, p)
		}
		e.settle(e.commit(members))
		for i, p := range members {
			if !errors.Is(p.err, want) || !errors.Is(p.err, syscall.EIO) {
				t.Errorf("batch %d ended with %v; want %v", i, p.err, want)
			}
		}
	}
	if got := e.Durable(); got != 0 {
		t.Errorf("entry %d is durable, which no sync made so", got)
	}
}

// TestMisfitsInAGroup: deltas that don't fit together reach Pebble as they are, and spoil their key
// alone.
func TestMisfitsInAGroup(t *testing.T) {
	e := mustOpen(t, t.TempDir(), Options{InMemory: true})
	merge := func(key string, delta []byte) *kv.Batch {
		var b kv.Batch
		b.Merge([]byte(key), delta)
		return &b
	}
	_, errs := gathered(t, e, merge("mixed", kv.CounterDelta(1)), merge("mixed", kv.MemberDelta(1, true)), merge("count", kv.CounterDelta(2)), merge("count", kv.CounterDelta(3)))
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	s, err := e.Snapshot(t.Context())
	must(t, err)
	defer s.Close()
	if value, _, err := s.Get(t.Context(), []byte("mixed"), nil); !errors.Is(err, kv.ErrCorrupt) {
		t.Errorf("a count and a set merged into one key are read as %q, %v", value, err)
	}
	if got := counterIn(t, e, "count"); got != 5 {
		t.Errorf("count is %d, want 5", got)
	}
}
