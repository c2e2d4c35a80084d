package kvtest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/clientele-go/clientele/storage/kv"
)

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
		wrong("Read/FindIsGetOfEach", "a key that repeats is found once", withSnapshot(func(_ *reference, s *faultySnapshot) {
			s.find = func(ctx context.Context, n int, key func(i int) []byte, found func(i int, value []byte) error) error {
				var last string
				return kv.Find(ctx, s.Snapshot, n, key, func(i int, value []byte) error {
					if now := string(key(i)); now != last {
						last = now
						return found(i, value)
					}
					return nil
				})
			}
		})),
		wrong("Read/FindIsGetOfEach", "Find goes on after an error", withSnapshot(func(_ *reference, s *faultySnapshot) {
			s.find = func(ctx context.Context, n int, key func(i int) []byte, found func(i int, value []byte) error) error {
				var failed error
				return errors.Join(kv.Find(ctx, s.Snapshot, n, key, func(i int, value []byte) error {
					failed = errors.Join(failed, found(i, value))
					return nil
				}), failed)
			}
		})),
		wrong("Read/FindIsGetOfEach", "Find shows the present", withSnapshot(func(e *reference, s *faultySnapshot) {
			s.find = func(ctx context.Context, n int, key func(i int) []byte, found func(i int, value []byte) error) error {
				fresh, err := e.Snapshot(ctx)
				if err != nil {
					return err
				}
				return errors.Join(kv.Find(ctx, fresh, n, key, found), fresh.Close())
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
