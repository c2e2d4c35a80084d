package kvtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/clientele-go/clientele/storage/kv"
)

// mutant is a wrong engine, and the property that says what is wrong about it.
type mutant struct {
	fault    string
	property string
	harness  Harness
}

func TestEveryMutantIsCaught(t *testing.T) {
	if testing.Short() {
		t.Skip("the suite is quicker with -short, and misses more")
	}
	for _, m := range mutants() {
		t.Run(m.property+" "+m.fault, func(t *testing.T) {
			m.harness.patience = 200 * time.Millisecond
			err := Check(m.harness, m.property)
			if err == nil {
				t.Fatalf("%s holds for an engine in which %s", m.property, m.fault)
			}
			t.Log(err)
			if strings.Contains(err.Error(), "panic:") {
				t.Fatalf("%s panics on an engine in which %s: %v", m.property, m.fault, err)
			}
		})
	}
}

// A property that no wrong engine fails proves nothing.
func TestEveryPropertyCatchesAMutant(t *testing.T) {
	catches := map[string]bool{}
	for _, m := range mutants() {
		catches[m.property] = true
	}
	for _, p := range properties() {
		if !catches[p.name] {
			t.Errorf("%s has no mutant that fails it", p.name)
		}
	}
}

func TestFailureTellsTheStepsBefore(t *testing.T) {
	for _, m := range mutants() {
		if m.fault != "ranges are not checked" {
			continue
		}
		err := Check(m.harness, "Condition/ConflictOnRange")
		for _, want := range []string{"Condition/ConflictOnRange", "want an error that wraps", "after these steps:", "take a snapshot", "if unchanged since"} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("the failure is\n%v\nand doesn't say %q", err, want)
			}
		}
		return
	}
	t.Fatal("no mutant without range checks")
}

func mutants() []mutant {
	var all []mutant
	for _, group := range [][]mutant{
		readMutants(), snapshotMutants(), mergeMutants(), batchMutants(), conditionMutants(), transactionMutants(),
		retryMutants(), journalMutants(), ingestMutants(), persistMutants(), copyMutants(), lifeMutants(), historyMutants(),
	} {
		all = append(all, group...)
	}
	return all
}

func wrong(property, fault string, inject func(*faulty)) mutant {
	return mutant{fault, property, faultyHarness(inject)}
}

func readMutants() []mutant {
	return []mutant{
		wrong("Read/GetReturnsLastValue", "an empty value is absent", withSnapshot(func(_ *reference, s *faultySnapshot) {
			s.get = func(ctx context.Context, key, dst []byte) ([]byte, bool, error) {
				got, found, err := s.Snapshot.Get(ctx, key, dst)
				return got, found && len(got) > len(dst), err
			}
		})),
		wrong("Read/GetReturnsLastValue", "a delete is forgotten", withOps(func(_ *reference, list []kv.Op) []kv.Op {
			return slices.DeleteFunc(slices.Clone(list), func(o kv.Op) bool { return o.Kind == kv.Delete })
		})),
		wrong("Read/GetAppendsToDst", "Get overwrites dst", withSnapshot(func(_ *reference, s *faultySnapshot) {
			s.get = func(ctx context.Context, key, dst []byte) ([]byte, bool, error) {
				return s.Snapshot.Get(ctx, key, dst[:0])
			}
		})),
		wrong("Read/GetResultBelongsToCaller", "Get lends the engine's own bytes", withSnapshot(func(_ *reference, s *faultySnapshot) {
			s.get = func(_ context.Context, key, dst []byte) ([]byte, bool, error) {
				value, found := s.Snapshot.(*referenceSnapshot).version.Keys[string(key)]
				return value, found, nil
			}
		})),
		wrong("Read/ScanBounds", "Upper is included", withScan(func(ctx context.Context, s kv.Snapshot, r kv.Range, reverse bool) iter.Seq2[kv.Entry, error] {
			if r.Upper != nil {
				r.Upper = append(slices.Clip(r.Upper), 0)
			}
			return s.Scan(ctx, r, reverse)
		})),
		wrong("Read/ScanBounds", "Lower is left out in reverse", withScan(func(ctx context.Context, s kv.Snapshot, r kv.Range, reverse bool) iter.Seq2[kv.Entry, error] {
			if reverse {
				r.Lower = append(slices.Clip(r.Lower), 0)
			}
			return s.Scan(ctx, r, reverse)
		})),
		wrong("Read/ScanBounds", "an empty Upper is no end", withScan(func(ctx context.Context, s kv.Snapshot, r kv.Range, reverse bool) iter.Seq2[kv.Entry, error] {
			if len(r.Upper) == 0 {
				r.Upper = nil
			}
			return s.Scan(ctx, r, reverse)
		})),
		wrong("Read/ScanBounds", "reverse scans go forward", withScan(func(ctx context.Context, s kv.Snapshot, r kv.Range, _ bool) iter.Seq2[kv.Entry, error] {
			return s.Scan(ctx, r, false)
		})),
		wrong("Read/ScanPrefixes", "a scan without an end stops before 0xff", withScan(func(ctx context.Context, s kv.Snapshot, r kv.Range, reverse bool) iter.Seq2[kv.Entry, error] {
			if r.Upper == nil {
				r.Upper = []byte{0xff}
			}
			return s.Scan(ctx, r, reverse)
		})),
		wrong("Read/ScanLendsUntilNextStep", "all scans of an engine share a buffer", func(f *faulty) {
			var buffer []byte
			withScan(func(ctx context.Context, s kv.Snapshot, r kv.Range, reverse bool) iter.Seq2[kv.Entry, error] {
				return each(s.Scan(ctx, r, reverse), func(e kv.Entry) kv.Entry {
					buffer = append(append(buffer[:0], e.Key...), e.Value...)
					return kv.Entry{Key: buffer[:len(e.Key)], Value: buffer[len(e.Key):]}
				})
			})(f)
		}),
		wrong("Read/ScanStopsEarly", "a scan that ends early stays open", func(f *faulty) {
			open := 0
			withScan(func(ctx context.Context, s kv.Snapshot, r kv.Range, reverse bool) iter.Seq2[kv.Entry, error] {
				return func(yield func(kv.Entry, error) bool) {
					open++
					for e, err := range s.Scan(ctx, r, reverse) {
						if !yield(e, err) {
							return
						}
					}
					open--
				}
			})(f)
			f.close = func(e kv.Engine) error {
				if open > 0 {
					return fmt.Errorf("%d iterators are open", open)
				}
				return e.Close()
			}
		}),
		wrong("Read/ScanHonoursContext", "scans don't look at their context", withScan(func(ctx context.Context, s kv.Snapshot, r kv.Range, reverse bool) iter.Seq2[kv.Entry, error] {
			return s.Scan(context.WithoutCancel(ctx), r, reverse)
		})),
		wrong("Read/BigValues", "a value's length has 16 bits", withOps(func(_ *reference, list []kv.Op) []kv.Op {
			list = slices.Clone(list)
			for i := range list {
				list[i].Value = list[i].Value[:len(list[i].Value)&math.MaxUint16]
			}
			return list
		})),
		wrong("Read/EngineKeysStayHidden", "the journal shows as keys", withScan(func(ctx context.Context, s kv.Snapshot, r kv.Range, reverse bool) iter.Seq2[kv.Entry, error] {
			return func(yield func(kv.Entry, error) bool) {
				if key := []byte("\x00j"); r.Contains(key) && !reverse && !yield(kv.Entry{Key: key}, nil) {
					return
				}
				s.Scan(ctx, r, reverse)(yield)
			}
		})),
		wrong("Read/SnapshotIsSafeForConcurrentUse", "a get beside another finds nothing", withSnapshot(func(_ *reference, s *faultySnapshot) {
			var inside atomic.Int32
			s.get = func(ctx context.Context, key, dst []byte) ([]byte, bool, error) {
				defer inside.Add(-1)
				if inside.Add(1) > 1 {
					return dst, false, nil
				}
				runtime.Gosched()
				return s.Snapshot.Get(ctx, key, dst)
			}
		})),
	}
}

func snapshotMutants() []mutant {
	return []mutant{
		wrong("Snapshot/SeesEveryAcknowledgedCommit", "snapshots show durable commits only", showsDurableOnly),
		wrong("Snapshot/StaysFrozen", "gets show the present", withSnapshot(func(e *reference, s *faultySnapshot) {
			s.get = present(e)
		})),
		wrong("Snapshot/StaysFrozenUnderVolume", "a snapshot is lost after 25 commits", withSnapshot(func(e *reference, s *faultySnapshot) {
			s.scan = func(ctx context.Context, r kv.Range, reverse bool) iter.Seq2[kv.Entry, error] {
				fresh, err := e.Snapshot(ctx)
				if err == nil && fresh.Stamp() > s.Stamp()+25 {
					return fresh.Scan(ctx, r, reverse)
				}
				return s.Snapshot.Scan(ctx, r, reverse)
			}
		})),
		wrong("Snapshot/HoldsWholeBatches", "a batch shows by halves", halves),
		wrong("Snapshot/ReadersAgreeOnOrder", "snapshots in turn are late for x or y", lateForOneKey),
		wrong("Snapshot/PositionIsExact", "Position is the present's", withSnapshot(func(e *reference, s *faultySnapshot) {
			s.position = func(context.Context) (kv.Position, error) {
				e.mu.Lock()
				defer e.mu.Unlock()
				return e.now.last(), nil
			}
		})),
		wrong("Snapshot/PositionIsExact", "Position is what was durable", withSnapshot(func(e *reference, s *faultySnapshot) {
			at := e.Durable()
			s.position = func(context.Context) (kv.Position, error) { return at, nil }
		})),
		wrong("Snapshot/RefusesUseAfterClose", "closed snapshots read on", withSnapshot(func(_ *reference, s *faultySnapshot) {
			s.close = func() error { return nil }
		})),
	}
}

func showsDurableOnly(f *faulty) {
	f.snapshot = func(_ context.Context, e kv.Engine) (kv.Snapshot, error) {
		r := e.(*reference)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.snapshots++
		return &referenceSnapshot{engine: r, version: r.durable, stamp: r.stamp}, nil
	}
}

// present reads what is there now, whatever the snapshot.
func present(e *reference) func(ctx context.Context, key, dst []byte) ([]byte, bool, error) {
	return func(ctx context.Context, key, dst []byte) ([]byte, bool, error) {
		fresh, err := e.Snapshot(ctx)
		if err != nil {
			return dst, false, err
		}
		defer fresh.Close()
		return fresh.Get(ctx, key, dst)
	}
}

func halves(f *faulty) {
	f.apply = func(ctx context.Context, e kv.Engine, b *kv.Batch) (kv.Position, error) {
		list := b.Ops()
		first := kv.Batch{Durability: kv.Relaxed}
		if _, err := e.Apply(ctx, rebuilt(&first, list[:len(list)/2]...)); err != nil {
			return 0, err
		}
		time.Sleep(50 * time.Microsecond)
		return e.Apply(ctx, rebuilt(b, list[len(list)/2:]...))
	}
}

func lateForOneKey(f *faulty) {
	var mu sync.Mutex
	var last, older kv.Snapshot
	turn := 0
	f.snapshot = func(ctx context.Context, e kv.Engine) (kv.Snapshot, error) {
		fresh, err := e.Snapshot(ctx)
		if err != nil {
			return nil, err
		}
		mu.Lock()
		defer mu.Unlock()
		old := older
		older, last = last, fresh
		turn++
		late := []string{"x", "y"}[turn%2]
		return &faultySnapshot{
			Snapshot: fresh,
			close:    func() error { return nil }, // it is read again, for a later one
			get: func(ctx context.Context, key, dst []byte) ([]byte, bool, error) {
				if string(key) == late && old != nil {
					return old.Get(ctx, key, dst)
				}
				return fresh.Get(ctx, key, dst)
			},
		}, nil
	}
}

func mergeMutants() []mutant {
	return []mutant{
		wrong("Merge/OrderAmongSetsAndDeletes", "merges come last in a batch", withOps(func(_ *reference, list []kv.Op) []kv.Op {
			list = slices.Clone(list)
			slices.SortStableFunc(list, func(a, b kv.Op) int { return int(a.Kind/kv.Merge) - int(b.Kind/kv.Merge) })
			return list
		})),
		wrong("Merge/OrderAmongSetsAndDeletes", "a delete hides later merges", withOps(func(e *reference, list []kv.Op) []kv.Op {
			var kept []kv.Op
			deleted := map[string]bool{}
			for _, o := range list {
				deleted[string(o.Key)] = o.Kind == kv.Delete || o.Kind == kv.Merge && deleted[string(o.Key)]
				if o.Kind != kv.Merge || !deleted[string(o.Key)] {
					kept = append(kept, o)
				}
			}
			return kept
		})),
		wrong("Merge/Counters", "a batch merges into a key once", withOps(func(_ *reference, list []kv.Op) []kv.Op {
			merged := map[string]bool{}
			return slices.DeleteFunc(slices.Clone(list), func(o kv.Op) bool {
				again := o.Kind == kv.Merge && merged[string(o.Key)]
				merged[string(o.Key)] = o.Kind == kv.Merge
				return again
			})
		})),
		wrong("Merge/Bitmaps", "merges forget removals", withOps(func(_ *reference, list []kv.Op) []kv.Op {
			return forgetRemovals(list)
		})),
		wrong("Merge/ManyDeltas", "a key takes 256 deltas", func(f *faulty) {
			deltas := map[string]int{}
			withOps(func(_ *reference, list []kv.Op) []kv.Op {
				return slices.DeleteFunc(slices.Clone(list), func(o kv.Op) bool {
					deltas[string(o.Key)]++
					return deltas[string(o.Key)] > 256
				})
			})(f)
		}),
		wrong("Merge/ScanFoldsAsGet", "scans yield deltas", withScan(func(ctx context.Context, s kv.Snapshot, r kv.Range, reverse bool) iter.Seq2[kv.Entry, error] {
			return each(s.Scan(ctx, r, reverse), func(e kv.Entry) kv.Entry {
				if members, err := kv.Bitmap(e.Value); err == nil {
					e.Value = kv.BitmapDelta(members, nil)
				}
				return e
			})
		})),
		wrong("Merge/NeverConflictsUnread", "a merge is a get and a set", func(f *faulty) {
			f.apply = func(ctx context.Context, e kv.Engine, b *kv.Batch) (kv.Position, error) {
				list := slices.Clone(b.Ops())
				for i, o := range list {
					value, _, err := present(e.(*reference))(ctx, o.Key, nil)
					if err != nil {
						return 0, err
					}
					if o.Value, err = kv.Fold(value, o.Value, true); err != nil {
						return 0, err
					}
					list[i] = kv.Op{Kind: kv.Set, Key: o.Key, Value: o.Value}
				}
				runtime.Gosched()
				return e.Apply(ctx, rebuilt(b, list...))
			}
		}),
		wrong("Merge/RefusesBadDelta", "bad deltas are skipped", withOps(func(_ *reference, list []kv.Op) []kv.Op {
			return slices.DeleteFunc(slices.Clone(list), func(o kv.Op) bool { return o.Kind == kv.Merge && kv.CheckDelta(o.Value) != nil })
		})),
		wrong("Merge/SurvivesReopen", "after a reopening the first merge starts anew", func(f *faulty) {
			seen := map[string]bool{}
			withOps(func(e *reference, list []kv.Op) []kv.Op {
				list = slices.Clone(list)
				for i, o := range list {
					if o.Kind == kv.Merge && e.reopened && !seen[string(o.Key)] {
						value, err := kv.Fold(nil, o.Value, true)
						if err != nil {
							return list
						}
						list[i] = kv.Op{Kind: kv.Set, Key: o.Key, Value: value}
					}
					seen[string(o.Key)] = true
				}
				return list
			})(f)
		}),
	}
}

func forgetRemovals(list []kv.Op) []kv.Op {
	list = slices.Clone(list)
	for i, o := range list {
		if o.Kind != kv.Merge || o.Key[0] != bitmapClass {
			continue
		}
		value, err := kv.Fold(nil, o.Value, true)
		if err != nil {
			continue
		}
		members, err := kv.Bitmap(value)
		if err == nil {
			list[i].Value = kv.BitmapDelta(members, roaring.New())
		}
	}
	return list
}

func batchMutants() []mutant {
	return []mutant{
		wrong("Batch/OpsTakeEffectInOrder", "deletes come last in a batch", withOps(func(_ *reference, list []kv.Op) []kv.Op {
			list = slices.Clone(list)
			slices.SortStableFunc(list, func(a, b kv.Op) int { return int(a.Kind&kv.Delete) - int(b.Kind&kv.Delete) })
			return list
		})),
		wrong("Batch/OpsTakeEffectInOrder", "a batch writes a key once", withOps(func(_ *reference, list []kv.Op) []kv.Op {
			written := map[string]bool{}
			return slices.DeleteFunc(slices.Clone(list), func(o kv.Op) bool {
				again := written[string(o.Key)]
				written[string(o.Key)] = true
				return again
			})
		})),
		wrong("Batch/EmptyBatch", "a batch without operations does nothing", func(f *faulty) {
			f.apply = func(ctx context.Context, e kv.Engine, b *kv.Batch) (kv.Position, error) {
				if len(b.Ops()) == 0 {
					return 0, nil
				}
				return e.Apply(ctx, b)
			}
		}),
		wrong("Batch/EmptyBatch", "a batch without operations has no condition", withReads(func(_ *reference, b *kv.Batch) []kv.Range {
			if len(b.Ops()) == 0 {
				return nil
			}
			return b.Reads
		})),
		wrong("Batch/LargeBatch", "a batch has 4,096 operations", withOps(func(_ *reference, list []kv.Op) []kv.Op {
			return list[:min(len(list), 4_096)]
		})),
		wrong("Batch/JournalBelongsToCaller", "the journal keeps the caller's slice", func(f *faulty) {
			f.apply = func(ctx context.Context, e kv.Engine, b *kv.Batch) (kv.Position, error) {
				at, err := e.Apply(ctx, b)
				if at > 0 {
					e.(*reference).now.Journal[at-1] = b.Journal
				}
				return at, err
			}
		}),
		wrong("Batch/RefusesBadKeys", "bad keys are skipped", withOps(func(_ *reference, list []kv.Op) []kv.Op {
			return slices.DeleteFunc(slices.Clone(list), func(o kv.Op) bool { return len(o.Key) == 0 || o.Key[0] == 0 })
		})),
		wrong("Batch/RefusesBadKeys", "deletes of bad keys are harmless", withOps(func(_ *reference, list []kv.Op) []kv.Op {
			return slices.DeleteFunc(slices.Clone(list), func(o kv.Op) bool { return o.Kind == kv.Delete && checkOp(o) != nil })
		})),
		wrong("Batch/AcceptsUpToLimits", "the longest key is too long", func(f *faulty) {
			f.limits = func(e kv.Engine) kv.Limits {
				l := e.Limits()
				l.KeyBytes++
				return l
			}
		}),
		wrong("Batch/AcceptsUpToLimits", "the largest batch is too large", func(f *faulty) {
			f.limits = func(e kv.Engine) kv.Limits {
				l := e.Limits()
				l.BatchBytes++
				return l
			}
		}),
		wrong("Batch/RefusesBeyondLimits", "values too long are taken", func(f *faulty) {
			f.limits = func(e kv.Engine) kv.Limits {
				l := e.Limits()
				l.ValueBytes--
				return l
			}
		}),
		wrong("Batch/RefusesBeyondLimits", "a refused batch leaves its first operation", func(f *faulty) {
			f.apply = func(ctx context.Context, e kv.Engine, b *kv.Batch) (kv.Position, error) {
				at, err := e.Apply(ctx, b)
				if errors.Is(err, kv.ErrLimit) {
					if _, err := e.Apply(ctx, rebuilt(&kv.Batch{}, b.Ops()[0])); err != nil {
						return 0, err
					}
				}
				return at, err
			}
		}),
	}
}

func conditionMutants() []mutant {
	notAWrite := func(which kv.Kind) func(*faulty) {
		return unnoticed(func(_ *version, o kv.Op) bool { return o.Kind == which })
	}
	return []mutant{
		wrong("Condition/ConflictOnKey", "conditions are not checked", unconditional),
		wrong("Condition/ConflictOnKey", "a merge is no write", notAWrite(kv.Merge)),
		wrong("Condition/ConflictOnKey", "a delete is no write", notAWrite(kv.Delete)),
		wrong("Condition/ConflictOnKey", "the same value is no write", unnoticed(func(before *version, o kv.Op) bool {
			value, found := before.Keys[string(o.Key)]
			return o.Kind == kv.Set && found && bytes.Equal(value, o.Value)
		})),
		wrong("Condition/ConflictOnKey", "a load is no write", unnoticedLoads),
		wrong("Condition/ConflictOnAbsentKey", "creating a key is no write", unnoticed(isCreation)),
		wrong("Condition/ConflictOnAnyRead", "the first read alone is checked", withReads(func(_ *reference, b *kv.Batch) []kv.Range {
			return b.Reads[:min(1, len(b.Reads))]
		})),
		wrong("Condition/ConflictOnAnyRead", "the last read is not checked", withReads(func(_ *reference, b *kv.Batch) []kv.Range {
			return b.Reads[:max(1, len(b.Reads))-1]
		})),
		wrong("Condition/ConflictOnRange", "ranges are not checked", pointsOnly),
		wrong("Condition/ConflictOnRange", "Lower is left out of the check", withReads(func(_ *reference, b *kv.Batch) []kv.Range {
			reads := slices.Clone(b.Reads)
			for i := range reads {
				reads[i].Lower = append(slices.Clip(reads[i].Lower), 0)
			}
			return reads
		})),
		wrong("Condition/ConflictOnRange", "ranges without an end are not checked", withReads(func(_ *reference, b *kv.Batch) []kv.Range {
			return slices.DeleteFunc(slices.Clone(b.Reads), func(r kv.Range) bool { return r.Upper == nil })
		})),
		wrong("Condition/ConflictOnOldStamp", "writes are forgotten after 1,000 commits", func(f *faulty) {
			f.apply = func(ctx context.Context, e kv.Engine, b *kv.Batch) (kv.Position, error) {
				r := e.(*reference)
				r.mu.Lock()
				old := r.stamp > b.Since+1_000
				r.mu.Unlock()
				if old {
					b.Reads = nil
				}
				return e.Apply(ctx, b)
			}
		}),
		wrong("Condition/ConflictOnOldStamp", "stamp 0 is no condition", withReads(func(_ *reference, b *kv.Batch) []kv.Range {
			if b.Since == 0 {
				return nil
			}
			return b.Reads
		})),
		wrong("Condition/ConflictChangesNothing", "a refused batch takes a position", takesPositions),
		wrong("Condition/ConflictChangesNothing", "a refused batch still counts", func(f *faulty) {
			f.apply = func(ctx context.Context, e kv.Engine, b *kv.Batch) (kv.Position, error) {
				at, err := e.Apply(ctx, b)
				if errors.Is(err, kv.ErrConflict) {
					merges := slices.DeleteFunc(slices.Clone(b.Ops()), func(o kv.Op) bool { return o.Kind != kv.Merge })
					if _, err := e.Apply(ctx, rebuilt(&kv.Batch{}, merges...)); err != nil {
						return 0, err
					}
				}
				return at, err
			}
		}),
		wrong("Condition/UnrelatedWritesPass", "Upper is part of the check", withReads(func(_ *reference, b *kv.Batch) []kv.Range {
			reads := slices.Clone(b.Reads)
			for i, r := range reads {
				if r.Upper != nil {
					reads[i].Upper = append(slices.Clip(r.Upper), 0)
				}
			}
			return reads
		})),
		wrong("Condition/OwnWritesPass", "a batch may not write what it read", func(f *faulty) {
			f.apply = func(ctx context.Context, e kv.Engine, b *kv.Batch) (kv.Position, error) {
				for _, o := range b.Ops() {
					if slices.ContainsFunc(b.Reads, func(r kv.Range) bool { return r.Contains(o.Key) }) {
						return 0, kv.ErrConflict
					}
				}
				return e.Apply(ctx, b)
			}
		}),
		wrong("Condition/NoReadsNoCondition", "what is written counts as read", withReads(func(_ *reference, b *kv.Batch) []kv.Range {
			reads := b.Reads
			for _, o := range b.Ops() {
				reads = append(reads, kv.Point(o.Key))
			}
			return reads
		})),
	}
}

func isCreation(before *version, o kv.Op) bool {
	_, found := before.Keys[string(o.Key)]
	return !found
}

func unconditional(f *faulty) {
	withReads(func(*reference, *kv.Batch) []kv.Range { return nil })(f)
}

func pointsOnly(f *faulty) {
	withReads(func(_ *reference, b *kv.Batch) []kv.Range {
		return slices.DeleteFunc(slices.Clone(b.Reads), func(r kv.Range) bool { return string(r.Upper) != string(r.Lower)+"\x00" })
	})(f)
}

// firstUpdaterWins checks what a batch also writes: snapshot isolation.
func firstUpdaterWins(f *faulty) {
	withReads(func(_ *reference, b *kv.Batch) []kv.Range {
		return slices.DeleteFunc(slices.Clone(b.Reads), func(r kv.Range) bool {
			return !slices.ContainsFunc(b.Ops(), func(o kv.Op) bool { return r.Contains(o.Key) })
		})
	})(f)
}

func unnoticedLoads(f *faulty) {
	f.ingest = func(ctx context.Context, e kv.Engine, l *kv.Load) (kv.Position, error) {
		r := e.(*reference)
		stamps := map[string]kv.Stamp{}
		sets, _ := checkLoad(l)
		r.mu.Lock()
		for _, o := range append(sets, l.Merges...) {
			stamps[string(o.Key)] = r.written[string(o.Key)]
		}
		r.mu.Unlock()
		at, err := e.Ingest(ctx, l)
		r.restore(stamps)
		return at, err
	}
}

func takesPositions(f *faulty) {
	f.apply = func(ctx context.Context, e kv.Engine, b *kv.Batch) (kv.Position, error) {
		at, err := e.Apply(ctx, b)
		if errors.Is(err, kv.ErrConflict) && b.Journal != nil {
			if _, err := e.Apply(ctx, &kv.Batch{Journal: []byte{}}); err != nil {
				return 0, err
			}
		}
		return at, err
	}
}

func transactionMutants() []mutant {
	return []mutant{
		wrong("Transaction/LostUpdate", "conditions are not checked", unconditional),
		wrong("Transaction/WriteSkew", "the first updater wins, as in snapshot isolation", firstUpdaterWins),
		wrong("Transaction/Phantom", "ranges are not checked", pointsOnly),
		wrong("Transaction/Phantom", "creating a key is no write", unnoticed(isCreation)),
		wrong("Transaction/ReadOnlyAnomaly", "the first updater wins, as in snapshot isolation", firstUpdaterWins),
		wrong("Transaction/TransfersKeepTheSum", "a batch shows by halves", halves),
		wrong("Transaction/UniqueKeyHasOneWinner", "creating a key is no write", unnoticed(isCreation)),
		wrong("Transaction/StrictSerializability", "the first updater wins, as in snapshot isolation", firstUpdaterWins),
		wrong("Transaction/StrictSerializability", "a delete is no write", unnoticed(func(_ *version, o kv.Op) bool { return o.Kind == kv.Delete })),
		wrong("Transaction/StrictSerializability", "snapshots show durable commits only", showsDurableOnly),
	}
}

func retryMutants() []mutant {
	anonymous := func(b *kv.Batch) *kv.Batch {
		to := rebuilt(b, b.Ops()...)
		to.ID = kv.BatchID{}
		return to
	}
	return []mutant{
		wrong("Retry/SameIDAppliesOnce", "ids are ignored", func(f *faulty) {
			f.apply = func(ctx context.Context, e kv.Engine, b *kv.Batch) (kv.Position, error) {
				return e.Apply(ctx, anonymous(b))
			}
		}),
		wrong("Retry/SameIDAppliesOnce", "a retry has no position", func(f *faulty) {
			f.apply = func(ctx context.Context, e kv.Engine, b *kv.Batch) (kv.Position, error) {
				if known(e, b.ID) {
					return 0, nil
				}
				return e.Apply(ctx, b)
			}
		}),
		wrong("Retry/SameIDAppliesOnce", "ids are forgotten after an hour", func(f *faulty) {
			f.apply = func(ctx context.Context, e kv.Engine, b *kv.Batch) (kv.Position, error) {
				if time.Since(b.ID.Time()) > time.Hour {
					b = anonymous(b)
				}
				return e.Apply(ctx, b)
			}
		}),
		wrong("Retry/ComesBeforeTheCondition", "the condition comes first", func(f *faulty) {
			f.apply = func(ctx context.Context, e kv.Engine, b *kv.Batch) (kv.Position, error) {
				if _, err := e.Apply(ctx, &kv.Batch{Since: b.Since, Reads: b.Reads}); err != nil {
					return 0, err
				}
				return e.Apply(ctx, b)
			}
		}),
		wrong("Retry/DifferentIDsApplyBoth", "ids are told apart by their time", cutID(8, 16)),
		wrong("Retry/DifferentIDsApplyBoth", "ids are told apart by their random part", cutID(0, 8)),
		wrong("Retry/ConcurrentSameID", "an id is looked up before it is locked", func(f *faulty) {
			f.apply = func(ctx context.Context, e kv.Engine, b *kv.Batch) (kv.Position, error) {
				if known(e, b.ID) {
					return e.Apply(ctx, b)
				}
				time.Sleep(50 * time.Microsecond)
				at, err := e.Apply(ctx, anonymous(b))
				if err == nil && b.ID != (kv.BatchID{}) {
					remember(e, b.ID, at)
				}
				return at, err
			}
		}),
		wrong("Retry/RefusedIDIsFree", "a refused id counts as applied", func(f *faulty) {
			f.apply = func(ctx context.Context, e kv.Engine, b *kv.Batch) (kv.Position, error) {
				at, err := e.Apply(ctx, b)
				if err != nil && b.ID != (kv.BatchID{}) {
					remember(e, b.ID, 0)
				}
				return at, err
			}
		}),
		wrong("Retry/AfterUncertainOutcome", "the context's error hides a success", func(f *faulty) {
			f.apply = func(ctx context.Context, e kv.Engine, b *kv.Batch) (kv.Position, error) {
				at, err := e.Apply(ctx, b)
				if ctx.Err() != nil {
					return 0, ctx.Err()
				}
				return at, err
			}
		}),
		wrong("Retry/AfterUncertainOutcome", "an uncertain id is free", func(f *faulty) {
			f.apply = func(ctx context.Context, e kv.Engine, b *kv.Batch) (kv.Position, error) {
				at, err := e.Apply(ctx, anonymous(b))
				if ctx.Err() != nil {
					return 0, kv.ErrUnknownOutcome
				}
				return at, err
			}
		}),
		reopenedAs("Retry/SurvivesReopen", "a reopening forgets the ids", func(v *version) { clear(v.IDs) }),
	}
}

func known(e kv.Engine, id kv.BatchID) bool {
	r := e.(*reference)
	r.mu.Lock()
	defer r.mu.Unlock()
	_, found := r.now.IDs[id]
	return found
}

func remember(e kv.Engine, id kv.BatchID, at kv.Position) {
	r := e.(*reference)
	r.mu.Lock()
	defer r.mu.Unlock()
	next := r.now.clone()
	next.IDs[id] = at
	r.now = next
}

func cutID(from, to int) func(*faulty) {
	return func(f *faulty) {
		f.apply = func(ctx context.Context, e kv.Engine, b *kv.Batch) (kv.Position, error) {
			clear(b.ID[from:to])
			return e.Apply(ctx, b)
		}
	}
}

// reopenedAs makes a mutant whose state suffers from being reopened.
func reopenedAs(property, fault string, change func(*version)) mutant {
	m := wrong(property, fault, func(*faulty) {})
	m.harness.Reopen = func(t testing.TB, e kv.Engine) kv.Engine {
		next := inner(e).(*reference).now.clone()
		change(next)
		return &faulty{Engine: newReference(next)}
	}
	return m
}

func journalMutants() []mutant {
	type changes = iter.Seq2[kv.Change, error]
	withChanges := func(change func(ctx context.Context, e kv.Engine, after kv.Position) changes) func(*faulty) {
		return func(f *faulty) { f.changes = change }
	}
	return []mutant{
		wrong("Journal/CountsWithoutGaps", "a refused batch takes a position", takesPositions),
		wrong("Journal/CountsWithoutGaps", "every batch takes a position", func(f *faulty) {
			f.apply = func(ctx context.Context, e kv.Engine, b *kv.Batch) (kv.Position, error) {
				if b.Journal == nil {
					b.Journal = []byte{}
				}
				return e.Apply(ctx, b)
			}
		}),
		wrong("Journal/KeepsPayloads", "an empty entry is none", func(f *faulty) {
			f.apply = func(ctx context.Context, e kv.Engine, b *kv.Batch) (kv.Position, error) {
				if len(b.Journal) == 0 {
					b.Journal = nil
				}
				return e.Apply(ctx, b)
			}
		}),
		wrong("Journal/PayloadsBelongToCaller", "Changes lends one buffer", withChanges(func(ctx context.Context, e kv.Engine, after kv.Position) changes {
			buffer := make([]byte, 0, 1<<10)
			return each(e.Changes(ctx, after), func(c kv.Change) kv.Change {
				c.Payload = append(buffer[:0], c.Payload...)
				return c
			})
		})),
		wrong("Journal/PayloadsBelongToCaller", "Changes lends the journal's own bytes", withChanges(func(ctx context.Context, e kv.Engine, after kv.Position) changes {
			return each(e.Changes(ctx, after), func(c kv.Change) kv.Change {
				c.Payload = e.(*reference).now.Journal[c.Position-1]
				return c
			})
		})),
		wrong("Journal/ResumesAfterAnyPosition", "Changes repeats the cursor's entry", withChanges(func(ctx context.Context, e kv.Engine, after kv.Position) changes {
			return e.Changes(ctx, max(after, 1)-1)
		})),
		wrong("Journal/ResumesAfterAnyPosition", "a cursor beyond the end starts over", withChanges(func(ctx context.Context, e kv.Engine, after kv.Position) changes {
			if after > e.Durable() {
				after = 0
			}
			return e.Changes(ctx, after)
		})),
		wrong("Journal/EndsAtTheCall", "Changes follows the journal", withChanges(func(ctx context.Context, e kv.Engine, after kv.Position) changes {
			return func(yield func(kv.Change, error) bool) {
				for more := true; more; {
					more = false
					for c, err := range e.Changes(ctx, after) {
						if !yield(c, err) {
							return
						}
						after, more = c.Position, true
					}
				}
			}
		})),
		wrong("Journal/TailMissesNothing", "the last entry but one shows late", withChanges(func(ctx context.Context, e kv.Engine, after kv.Position) changes {
			late := e.Durable() - 1
			return func(yield func(kv.Change, error) bool) {
				for c, err := range e.Changes(ctx, after) {
					if c.Position == late && after+1 < late {
						continue
					}
					if !yield(c, err) {
						return
					}
				}
			}
		})),
		wrong("Journal/TailMissesNothing", "Apply returns the position before", func(f *faulty) {
			f.apply = func(ctx context.Context, e kv.Engine, b *kv.Batch) (kv.Position, error) {
				_, err := e.Apply(ctx, b)
				return e.(*reference).left().last(), err
			}
		}),
		wrong("Journal/WaitDurableWakesAll", "WaitDurable returns too early", func(f *faulty) {
			f.waitDurable = func(context.Context, kv.Engine, kv.Position) error { return nil }
		}),
		wrong("Journal/OrderIsCommitOrder", "neighbours change places", withChanges(func(ctx context.Context, e kv.Engine, after kv.Position) changes {
			last := e.Durable()
			return each(e.Changes(ctx, after), func(c kv.Change) kv.Change {
				if other := (c.Position - 1) ^ 1 + 1; other <= last {
					c.Payload = bytes.Clone(e.(*reference).left().Journal[other-1])
				}
				return c
			})
		})),
		wrong("Journal/ShowsOnlyDurable", "Changes shows what a crash takes back", showsAll(false)),
		wrong("Journal/SyncedIsDurableOnReturn", "synced is relaxed", func(f *faulty) { relaxedAll(f) }),
		wrong("Journal/RelaxedBecomesDurable", "relaxed commits wait for a synced one", func(f *faulty) { f.Engine.(*reference).lazy = true }),
		wrong("Journal/WaitDurableWakesAll", "WaitDurable sleeps on", func(f *faulty) {
			f.waitDurable = func(ctx context.Context, e kv.Engine, after kv.Position) error {
				if e.Durable() > after {
					return nil
				}
				<-ctx.Done()
				return ctx.Err()
			}
		}),
		wrong("Journal/WaitDurableWakesAll", "WaitDurable returns one entry early", func(f *faulty) {
			f.waitDurable = func(ctx context.Context, e kv.Engine, after kv.Position) error {
				return e.WaitDurable(ctx, max(after, 1)-1)
			}
		}),
		wrong("Journal/WaitDurableHonoursContext", "WaitDurable doesn't look at its context", func(f *faulty) {
			f.waitDurable = func(ctx context.Context, e kv.Engine, after kv.Position) error {
				return e.WaitDurable(context.WithoutCancel(ctx), after)
			}
		}),
	}
}

func relaxedAll(f *faulty) {
	f.Engine.(*reference).lazy = true
	f.apply = func(ctx context.Context, e kv.Engine, b *kv.Batch) (kv.Position, error) {
		to := rebuilt(b, b.Ops()...)
		to.Durability = kv.Relaxed
		return e.Apply(ctx, to)
	}
}

// showsAll shows the journal up to the present, and, when lying, says that it is durable.
func showsAll(lying bool) func(*faulty) {
	return func(f *faulty) {
		f.Engine.(*reference).lazy = true
		f.changes = func(ctx context.Context, e kv.Engine, after kv.Position) iter.Seq2[kv.Change, error] {
			r := e.(*reference)
			r.mu.Lock()
			defer r.mu.Unlock()
			return newReference(r.now).Changes(ctx, after)
		}
		if !lying {
			return
		}
		f.durable = func(e kv.Engine) kv.Position {
			r := e.(*reference)
			r.mu.Lock()
			defer r.mu.Unlock()
			return r.now.last()
		}
	}
}

func ingestMutants() []mutant {
	withLoad := func(change func(l *kv.Load)) func(*faulty) {
		return func(f *faulty) {
			f.ingest = func(ctx context.Context, e kv.Engine, l *kv.Load) (kv.Position, error) {
				to := *l
				change(&to)
				return e.Ingest(ctx, &to)
			}
		}
	}
	shorten := func(most func(n int) int) func(*faulty) {
		return withLoad(func(l *kv.Load) {
			l.Runs = slices.Clone(l.Runs)
			for i, r := range l.Runs {
				l.Runs[i] = shortRun{r, most(r.Len())}
			}
		})
	}
	return []mutant{
		wrong("Ingest/AddsRuns", "a run's last key is lost", shorten(func(n int) int { return max(n, 1) - 1 })),
		wrong("Ingest/AddsRuns", "runs must ascend", func(f *faulty) {
			f.ingest = func(ctx context.Context, e kv.Engine, l *kv.Load) (kv.Position, error) {
				for i := 1; i < len(l.Runs); i++ {
					if l.Runs[i].Len() > 0 && l.Runs[i-1].Len() > 0 && bytes.Compare(l.Runs[i-1].Key(0), l.Runs[i].Key(0)) > 0 {
						return 0, kv.ErrInvalid
					}
				}
				return e.Ingest(ctx, l)
			}
		}),
		wrong("Ingest/FoldsMerges", "a load's merges replace", func(f *faulty) {
			f.ingest = func(ctx context.Context, e kv.Engine, l *kv.Load) (kv.Position, error) {
				var b kv.Batch
				for _, o := range l.Merges {
					b.Delete(o.Key)
				}
				if _, err := e.Apply(ctx, &b); err != nil {
					return 0, err
				}
				return e.Ingest(ctx, l)
			}
		}),
		wrong("Ingest/ReplacesPresentKeys", "a load leaves present keys", func(f *faulty) {
			f.ingest = func(ctx context.Context, e kv.Engine, l *kv.Load) (kv.Position, error) {
				before := e.(*reference).left().clone()
				at, err := e.Ingest(ctx, l)
				var b kv.Batch
				for key, value := range before.Keys {
					b.Set([]byte(key), value)
				}
				if _, err := e.Apply(ctx, &b); err != nil {
					return 0, err
				}
				return at, err
			}
		}),
		wrong("Ingest/MixesWithApply", "loaded keys can't be deleted", func(f *faulty) {
			loaded := map[string]bool{}
			withOps(func(_ *reference, list []kv.Op) []kv.Op {
				return slices.DeleteFunc(slices.Clone(list), func(o kv.Op) bool { return o.Kind == kv.Delete && loaded[string(o.Key)] })
			})(f)
			f.ingest = func(ctx context.Context, e kv.Engine, l *kv.Load) (kv.Position, error) {
				for _, r := range l.Runs {
					for i := range r.Len() {
						loaded[string(r.Key(i))] = true
					}
				}
				return e.Ingest(ctx, l)
			}
		}),
		wrong("Ingest/IsAtomic", "a load shows run by run", func(f *faulty) {
			f.ingest = func(ctx context.Context, e kv.Engine, l *kv.Load) (kv.Position, error) {
				for _, r := range l.Runs {
					if _, err := e.Ingest(ctx, &kv.Load{Since: l.Since, Runs: []kv.Run{r}}); err != nil {
						return 0, err
					}
					time.Sleep(time.Millisecond)
				}
				return e.Ingest(ctx, &kv.Load{Since: l.Since, Merges: l.Merges, Journal: l.Journal})
			}
		}),
		wrong("Ingest/RefusesDisorder", "disorder passes", func(f *faulty) {
			f.ingest = func(ctx context.Context, e kv.Engine, l *kv.Load) (kv.Position, error) {
				at, err := e.Ingest(ctx, l)
				if errors.Is(err, kv.ErrInvalid) {
					return 0, nil
				}
				return at, err
			}
		}),
		wrong("Ingest/RefusesDisorder", "a refused load takes positions", func(f *faulty) {
			f.ingest = func(ctx context.Context, e kv.Engine, l *kv.Load) (kv.Position, error) {
				at, err := e.Ingest(ctx, l)
				if errors.Is(err, kv.ErrInvalid) {
					if _, err := e.Ingest(ctx, &kv.Load{Journal: l.Journal}); err != nil {
						return 0, err
					}
				}
				return at, err
			}
		}),
		wrong("Ingest/ConflictsWithWrittenKeys", "a load has no condition", withLoad(func(l *kv.Load) { l.Since = math.MaxUint64 })),
		wrong("Ingest/ConflictsWithWrittenKeys", "a load checks its first key", func(f *faulty) {
			f.ingest = func(ctx context.Context, e kv.Engine, l *kv.Load) (kv.Position, error) {
				for _, r := range l.Runs {
					b := kv.Batch{Since: l.Since, Reads: []kv.Range{kv.Point(r.Key(0))}}
					if _, err := e.Apply(ctx, &b); err != nil {
						return 0, err
					}
				}
				to := *l
				to.Since = math.MaxUint64
				return e.Ingest(ctx, &to)
			}
		}),
		wrong("Ingest/RacesHaveOneWinner", "a load is no write", unnoticedLoads),
		wrong("Ingest/JournalIsConsecutive", "a load's entries come one by one", func(f *faulty) {
			f.ingest = func(ctx context.Context, e kv.Engine, l *kv.Load) (at kv.Position, err error) {
				if at, err = e.Ingest(ctx, &kv.Load{Since: l.Since, Runs: l.Runs, Merges: l.Merges}); err != nil {
					return 0, err
				}
				for _, payload := range l.Journal {
					runtime.Gosched()
					if at, err = e.Apply(ctx, &kv.Batch{Journal: payload}); err != nil {
						return 0, err
					}
				}
				return at, nil
			}
		}),
		wrong("Ingest/BorrowsRunsUntilItReturns", "values stay the caller's", func(f *faulty) {
			f.ingest = func(ctx context.Context, e kv.Engine, l *kv.Load) (kv.Position, error) {
				at, err := e.Ingest(ctx, l)
				for _, r := range l.Runs {
					for i := range r.Len() {
						e.(*reference).now.Keys[string(r.Key(i))] = r.Value(i)
					}
				}
				return at, err
			}
		}),
		wrong("Ingest/ManyKeys", "a run's length has 15 bits", shorten(func(n int) int { return min(n, 1<<15-1) })),
	}
}

type shortRun struct {
	kv.Run
	n int
}

func (r shortRun) Len() int { return r.n }

func persistMutants() []mutant {
	all := []mutant{
		wrong("Persist/PositionsGoOn", "positions start again", func(f *faulty) {
			base := f.Engine.(*reference).now.last()
			f.apply = func(ctx context.Context, e kv.Engine, b *kv.Batch) (kv.Position, error) {
				at, err := e.Apply(ctx, b)
				return at - min(at, base), err
			}
		}),
		wrong("Persist/CrashKeepsWhatWasSynced", "synced is relaxed", relaxedAll),
		wrong("Persist/CrashTakesBackNothingShown", "Changes and Durable run ahead", showsAll(true)),
		reopenedAs("Persist/ReopenKeepsEverything", "a reopening loses a counter", func(v *version) { delete(v.Keys, "#1") }),
		reopenedAs("Persist/ReopenKeepsEverything", "a reopening loses the last entry", func(v *version) {
			v.Journal = v.Journal[:max(len(v.Journal), 1)-1]
		}),
	}
	torn := wrong("Persist/CrashLosesOnlyATail", "a crash takes back keys, but not their entries", func(*faulty) {})
	torn.harness.Crash = func(_ testing.TB, e kv.Engine) kv.Engine {
		r := inner(e).(*reference)
		r.mu.Lock()
		defer r.mu.Unlock()
		next := r.durable.clone()
		next.Journal = r.now.Journal
		return &faulty{Engine: newReference(next)}
	}
	unsynced := wrong("Persist/ReopenKeepsEverything", "Close loses relaxed commits", func(*faulty) {})
	unsynced.harness.Reopen = func(_ testing.TB, e kv.Engine) kv.Engine {
		return &faulty{Engine: newReference(inner(e).(*reference).left())}
	}
	return append(all, torn, unsynced)
}

func copyMutants() []mutant {
	backingUp := func(change func(e *reference, v *version)) func(*faulty) {
		return func(f *faulty) {
			f.backup = func(_ context.Context, e kv.Engine, dir string, progress func(done, total int64)) error {
				r := e.(*reference)
				r.mu.Lock()
				v := r.now.clone()
				r.mu.Unlock()
				change(r, v)
				return writeBackup(v, dir, progress)
			}
		}
	}
	all := []mutant{
		wrong("Backup/IsACompleteCopy", "a copy has no journal", backingUp(func(_ *reference, v *version) { v.Journal = nil })),
		wrong("Backup/IsACompleteCopy", "a copy lacks its last key", backingUp(func(_ *reference, v *version) { delete(v.Keys, "ingested") })),
		wrong("Backup/IsAPrefixUnderWriters", "a copy's journal is later than its keys", backingUp(func(e *reference, v *version) {
			time.Sleep(5 * time.Millisecond)
			v.Journal = e.left().Journal
		})),
		wrong("Backup/RefusesUsedDirectory", "a used directory is emptied", func(f *faulty) {
			f.backup = func(ctx context.Context, e kv.Engine, dir string, progress func(done, total int64)) error {
				if err := os.RemoveAll(dir); err != nil {
					return err
				}
				return e.Backup(ctx, dir, progress)
			}
		}),
		wrong("Purge/ChangesNoState", "Purge deletes what is there", func(f *faulty) {
			f.purge = func(ctx context.Context, e kv.Engine, ranges []kv.Range) error {
				var b kv.Batch
				for key := range e.(*reference).left().Keys {
					if slices.ContainsFunc(ranges, func(r kv.Range) bool { return r.Contains([]byte(key)) }) {
						b.Delete([]byte(key))
					}
				}
				_, err := e.Apply(ctx, &b)
				return err
			}
		}),
		wrong("Purge/ChangesNoState", "Purge empties open snapshots", func(f *faulty) {
			purges := 0
			withSnapshot(func(_ *reference, s *faultySnapshot) {
				born := purges
				s.scan = func(ctx context.Context, r kv.Range, reverse bool) iter.Seq2[kv.Entry, error] {
					if purges > born {
						return func(func(kv.Entry, error) bool) {}
					}
					return s.Snapshot.Scan(ctx, r, reverse)
				}
			})(f)
			f.purge = func(context.Context, kv.Engine, []kv.Range) error { purges++; return nil }
		}),
		wrong("Purge/GoesOnBesideWriters", "Purge rewrites an older state", func(f *faulty) {
			f.purge = func(_ context.Context, e kv.Engine, _ []kv.Range) error {
				r := e.(*reference)
				r.mu.Lock()
				before := r.now
				r.mu.Unlock()
				time.Sleep(200 * time.Microsecond)
				r.mu.Lock()
				defer r.mu.Unlock()
				next := r.now.clone()
				next.Keys = before.Keys
				r.now = next
				return nil
			}
		}),
	}
	return append(all, hoarder("Purge/LeavesNothingInFiles"), hoarder("Purge/LeavesNothingInBackups"))
}

// hoarder makes a mutant that keeps every value it was given in its files and its backups.
func hoarder(property string) mutant {
	var hoard bytes.Buffer
	m := wrong(property, "old values stay in a log", func(f *faulty) {
		withOps(func(_ *reference, list []kv.Op) []kv.Op {
			for _, o := range list {
				hoard.Write(o.Value)
			}
			return list
		})(f)
		f.backup = func(ctx context.Context, e kv.Engine, dir string, progress func(done, total int64)) error {
			if err := e.Backup(ctx, dir, progress); err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(dir, "log"), hoard.Bytes(), 0o600)
		}
	})
	m.harness.Files = func(testing.TB, kv.Engine) fs.FS {
		return fstest.MapFS{"log": &fstest.MapFile{Data: hoard.Bytes()}}
	}
	return m
}

func lifeMutants() []mutant {
	shared := wrong("Life/OpensEmptyAndApart", "all engines share their keys", func(*faulty) {})
	one := newReference(emptyVersion())
	shared.harness.Open = func(testing.TB) kv.Engine { return &faulty{Engine: one} }
	return []mutant{
		shared,
		wrong("Life/RefusesUseAfterClose", "a closed engine goes on", func(f *faulty) {
			f.close = func(kv.Engine) error { return nil }
		}),
		wrong("Life/RefusesUseAfterClose", "errors after Close have no name", func(f *faulty) {
			f.waitDurable = func(context.Context, kv.Engine, kv.Position) error { return errors.New("no such engine") }
		}),
		wrong("Life/ClosesTwice", "the second Close fails", func(f *faulty) {
			closed := false
			f.close = func(e kv.Engine) error {
				if closed {
					return kv.ErrClosed
				}
				closed = true
				return e.Close()
			}
		}),
		wrong("Life/LimitsAreUsable", "no limits are stated", func(f *faulty) {
			f.limits = func(kv.Engine) kv.Limits { return kv.Limits{} }
		}),
		wrong("Life/StatsCount", "closing a snapshot twice counts twice", func(f *faulty) {
			var double int
			withSnapshot(func(_ *reference, s *faultySnapshot) {
				closed := false
				s.close = func() error {
					if closed {
						double++
					}
					closed = true
					return s.Snapshot.Close()
				}
			})(f)
			f.stats = func(e kv.Engine) kv.Stats {
				figures := e.Stats()
				figures.OpenSnapshots -= double
				return figures
			}
		}),
		wrong("Life/StatsCount", "refused batches count as applied", func(f *faulty) {
			f.stats = func(e kv.Engine) kv.Stats {
				figures := e.Stats()
				figures.Commits += figures.Conflicts
				return figures
			}
		}),
	}
}

// Random histories find what the other properties find, in their own way.
func historyMutants() []mutant {
	all := []mutant{
		wrong("History/Random", "merges forget removals", withOps(func(_ *reference, list []kv.Op) []kv.Op { return forgetRemovals(list) })),
		wrong("History/Random", "ranges are not checked", pointsOnly),
		wrong("History/Random", "a delete is no write", unnoticed(func(_ *version, o kv.Op) bool { return o.Kind == kv.Delete })),
		wrong("History/Random", "a load is no write", unnoticedLoads),
		wrong("History/Random", "ids are told apart by their time", cutID(8, 16)),
		wrong("History/Random", "synced is relaxed", relaxedAll),
		wrong("History/Random", "Changes and Durable run ahead", showsAll(true)),
		reopenedAs("History/Random", "a reopening forgets the ids", func(v *version) { clear(v.IDs) }),
		wrong("History/Random", "a scan without an end stops before 0xff", withScan(func(ctx context.Context, s kv.Snapshot, r kv.Range, reverse bool) iter.Seq2[kv.Entry, error] {
			if r.Upper == nil {
				r.Upper = []byte{0xff, 0xff}
			}
			return s.Scan(ctx, r, reverse)
		})),
	}
	for i := range all {
		all[i].harness.Scale = 5 // histories differ in every run, and none must be lucky
	}
	return all
}
