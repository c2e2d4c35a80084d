package kvtest

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"runtime"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/clientele-go/clientele/storage/kv"
)

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
