package kvtest

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"iter"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"testing/fstest"
	"time"

	"github.com/clientele-go/clientele/storage/kv"
)

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
		wrong("Ingest/LargeSetsRaceWithMarks", "a load stores what its sets come to when it begins", func(f *faulty) {
			f.ingest = func(ctx context.Context, e kv.Engine, l *kv.Load) (kv.Position, error) {
				snapshot, err := e.Snapshot(ctx)
				if err != nil {
					return 0, err
				}
				defer snapshot.Close()
				var b kv.Batch
				for _, o := range l.Merges {
					older, _, err := snapshot.Get(ctx, o.Key, nil)
					if err != nil {
						return 0, err
					}
					value, err := kv.Fold(older, o.Value, true)
					if err != nil {
						return 0, err
					}
					b.Set(o.Key, value)
				}
				time.Sleep(time.Millisecond)
				return e.Apply(ctx, &b)
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
		wrong("Ingest/ConflictsWithWrittenReads", "a load checks what it writes alone", withLoad(func(l *kv.Load) { l.Reads = nil })),
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
	return append(all, hoarder("Purge/LeavesNothingInFiles"), hoarder("Purge/LeavesNothingInBackups"), hoarder("Purge/TellsWhatSnapshotsPin"))
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
