package kvtest

import (
	"context"
	"io/fs"
	"iter"
	"testing"

	"github.com/clientele-go/clientele/storage/kv"
)

// faulty is an engine some of whose methods are replaced.
type faulty struct {
	kv.Engine
	apply       func(ctx context.Context, e kv.Engine, b *kv.Batch) (kv.Position, error)
	ingest      func(ctx context.Context, e kv.Engine, l *kv.Load) (kv.Position, error)
	snapshot    func(ctx context.Context, e kv.Engine) (kv.Snapshot, error)
	changes     func(ctx context.Context, e kv.Engine, after kv.Position) iter.Seq2[kv.Change, error]
	durable     func(e kv.Engine) kv.Position
	waitDurable func(ctx context.Context, e kv.Engine, after kv.Position) error
	backup      func(ctx context.Context, e kv.Engine, dir string, progress func(done, total int64)) error
	purge       func(ctx context.Context, e kv.Engine, ranges []kv.Range) error
	limits      func(e kv.Engine) kv.Limits
	stats       func(e kv.Engine) kv.Stats
	close       func(e kv.Engine) error
}

func (f *faulty) Apply(ctx context.Context, b *kv.Batch) (kv.Position, error) {
	if f.apply != nil {
		return f.apply(ctx, f.Engine, b)
	}
	return f.Engine.Apply(ctx, b)
}

func (f *faulty) Ingest(ctx context.Context, l *kv.Load) (kv.Position, error) {
	if f.ingest != nil {
		return f.ingest(ctx, f.Engine, l)
	}
	return f.Engine.Ingest(ctx, l)
}

func (f *faulty) Snapshot(ctx context.Context) (kv.Snapshot, error) {
	if f.snapshot != nil {
		return f.snapshot(ctx, f.Engine)
	}
	return f.Engine.Snapshot(ctx)
}

func (f *faulty) Changes(ctx context.Context, after kv.Position) iter.Seq2[kv.Change, error] {
	if f.changes != nil {
		return f.changes(ctx, f.Engine, after)
	}
	return f.Engine.Changes(ctx, after)
}

func (f *faulty) Durable() kv.Position {
	if f.durable != nil {
		return f.durable(f.Engine)
	}
	return f.Engine.Durable()
}

func (f *faulty) WaitDurable(ctx context.Context, after kv.Position) error {
	if f.waitDurable != nil {
		return f.waitDurable(ctx, f.Engine, after)
	}
	return f.Engine.WaitDurable(ctx, after)
}

func (f *faulty) Backup(ctx context.Context, dir string, progress func(done, total int64)) error {
	if f.backup != nil {
		return f.backup(ctx, f.Engine, dir, progress)
	}
	return f.Engine.Backup(ctx, dir, progress)
}

func (f *faulty) Purge(ctx context.Context, ranges []kv.Range) error {
	if f.purge != nil {
		return f.purge(ctx, f.Engine, ranges)
	}
	return f.Engine.Purge(ctx, ranges)
}

func (f *faulty) Limits() kv.Limits {
	if f.limits != nil {
		return f.limits(f.Engine)
	}
	return f.Engine.Limits()
}

func (f *faulty) Stats() kv.Stats {
	if f.stats != nil {
		return f.stats(f.Engine)
	}
	return f.Engine.Stats()
}

func (f *faulty) Close() error {
	if f.close != nil {
		return f.close(f.Engine)
	}
	return f.Engine.Close()
}

// faultySnapshot is a snapshot some of whose methods are replaced.
type faultySnapshot struct {
	kv.Snapshot
	get      func(ctx context.Context, key, dst []byte) ([]byte, bool, error)
	find     func(ctx context.Context, n int, key func(i int) []byte, found func(i int, value []byte) error) error
	scan     func(ctx context.Context, r kv.Range, reverse bool) iter.Seq2[kv.Entry, error]
	position func(ctx context.Context) (kv.Position, error)
	close    func() error
}

func (f *faultySnapshot) Get(ctx context.Context, key, dst []byte) ([]byte, bool, error) {
	if f.get != nil {
		return f.get(ctx, key, dst)
	}
	return f.Snapshot.Get(ctx, key, dst)
}

func (f *faultySnapshot) Find(ctx context.Context, n int, key func(i int) []byte, found func(i int, value []byte) error) error {
	if f.find != nil {
		return f.find(ctx, n, key, found)
	}
	return kv.Find(ctx, f.Snapshot, n, key, found)
}

func (f *faultySnapshot) Scan(ctx context.Context, r kv.Range, reverse bool) iter.Seq2[kv.Entry, error] {
	if f.scan != nil {
		return f.scan(ctx, r, reverse)
	}
	return f.Snapshot.Scan(ctx, r, reverse)
}

func (f *faultySnapshot) Position(ctx context.Context) (kv.Position, error) {
	if f.position != nil {
		return f.position(ctx)
	}
	return f.Snapshot.Position(ctx)
}

func (f *faultySnapshot) Close() error {
	if f.close != nil {
		return f.close()
	}
	return f.Snapshot.Close()
}

// faultyHarness opens references with one fault, made anew for each.
func faultyHarness(inject func(f *faulty)) Harness {
	wrap := func(e kv.Engine) kv.Engine {
		f := &faulty{Engine: e}
		inject(f)
		return f
	}
	sound := referenceHarness()
	return Harness{
		Open:       func(t testing.TB) kv.Engine { return wrap(sound.Open(t)) },
		Reopen:     func(t testing.TB, e kv.Engine) kv.Engine { return wrap(sound.Reopen(t, inner(e))) },
		Crash:      func(t testing.TB, e kv.Engine) kv.Engine { return wrap(sound.Crash(t, inner(e))) },
		OpenBackup: func(t testing.TB, dir string) kv.Engine { return wrap(sound.OpenBackup(t, dir)) },
		Files:      func(t testing.TB, e kv.Engine) fs.FS { return sound.Files(t, inner(e)) },
	}
}

func inner(e kv.Engine) kv.Engine { return e.(*faulty).Engine }

// rebuilt is a batch with other operations.
func rebuilt(b *kv.Batch, list ...kv.Op) *kv.Batch {
	to := &kv.Batch{ID: b.ID, Since: b.Since, Reads: b.Reads, Journal: b.Journal, Durability: b.Durability}
	for _, o := range list {
		switch o.Kind {
		case kv.Set:
			to.Set(o.Key, o.Value)
		case kv.Delete:
			to.Delete(o.Key)
		case kv.Merge:
			to.Merge(o.Key, o.Value)
		}
	}
	return to
}

// withOps makes a fault that changes the operations of a batch.
func withOps(change func(e *reference, list []kv.Op) []kv.Op) func(*faulty) {
	return func(f *faulty) {
		f.apply = func(ctx context.Context, e kv.Engine, b *kv.Batch) (kv.Position, error) {
			return e.Apply(ctx, rebuilt(b, change(e.(*reference), b.Ops())...))
		}
	}
}

// withReads makes a fault that changes the condition of a batch.
func withReads(change func(e *reference, b *kv.Batch) []kv.Range) func(*faulty) {
	return func(f *faulty) {
		f.apply = func(ctx context.Context, e kv.Engine, b *kv.Batch) (kv.Position, error) {
			to := rebuilt(b, b.Ops()...)
			to.Reads = change(e.(*reference), b)
			return e.Apply(ctx, to)
		}
	}
}

// unnoticed makes a fault in which some writes by batches are no writes to later conditions.
func unnoticed(which func(before *version, o kv.Op) bool) func(*faulty) {
	return func(f *faulty) {
		f.apply = func(ctx context.Context, e kv.Engine, b *kv.Batch) (kv.Position, error) {
			r := e.(*reference)
			r.mu.Lock()
			before, stamps := r.now, map[string]kv.Stamp{}
			for _, o := range b.Ops() {
				if which(before, o) {
					stamps[string(o.Key)] = r.written[string(o.Key)]
				}
			}
			r.mu.Unlock()
			at, err := e.Apply(ctx, b)
			r.restore(stamps)
			return at, err
		}
	}
}

// restore forgets that keys were written.
func (e *reference) restore(stamps map[string]kv.Stamp) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for key, stamp := range stamps {
		e.written[key] = stamp
	}
}

// withSnapshot makes a fault of snapshots.
func withSnapshot(change func(e *reference, s *faultySnapshot)) func(*faulty) {
	return func(f *faulty) {
		f.snapshot = func(ctx context.Context, e kv.Engine) (kv.Snapshot, error) {
			s, err := e.Snapshot(ctx)
			if err != nil {
				return nil, err
			}
			faulty := &faultySnapshot{Snapshot: s}
			change(e.(*reference), faulty)
			return faulty, nil
		}
	}
}

// withScan makes a fault of scans.
func withScan(scan func(ctx context.Context, s kv.Snapshot, r kv.Range, reverse bool) iter.Seq2[kv.Entry, error]) func(*faulty) {
	return withSnapshot(func(_ *reference, f *faultySnapshot) {
		f.scan = func(ctx context.Context, r kv.Range, reverse bool) iter.Seq2[kv.Entry, error] {
			return scan(ctx, f.Snapshot, r, reverse)
		}
	})
}

// each changes the elements of a sequence that have no error.
func each[T any](seq iter.Seq2[T, error], change func(T) T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for x, err := range seq {
			if err == nil {
				x = change(x)
			}
			if !yield(x, err) {
				return
			}
		}
	}
}
