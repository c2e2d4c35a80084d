package kvtest

import (
	"errors"
	"fmt"

	"github.com/clientele-go/clientele/storage/kv"
)

func lifeProperties() []property {
	return []property{
		{"Life/OpensEmptyAndApart", opensEmptyAndApart},
		{"Life/RefusesUseAfterClose", refusesUseAfterClose},
		{"Life/ClosesTwice", closesTwice},
		{"Life/LimitsAreUsable", limitsAreUsable},
		{"Life/StatsCount", statsCount},
	}
}

func opensEmptyAndApart(t *trial) {
	first, second := t.open(), t.open()
	first.apply(set("a", "1"), entry("first"))
	second.wantState(model{})
	second.wantJournal()
	second.apply(set("a", "2"))
	first.want("a", "1")
	second.want("a", "2")
	first.close()
	second.want("a", "2")
}

func refusesUseAfterClose(t *trial) {
	s := t.open()
	s.apply(set("a", "1"), entry("first"))
	s.close()
	want := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, kv.ErrClosed) {
			t.Fatalf("%s after Close returned %v, want an error that wraps ErrClosed", what, err)
		}
	}
	_, err := s.Snapshot(t.ctx)
	want("Snapshot", err)
	_, err = s.Apply(t.ctx, newBatch(set("a", "2")))
	want("Apply", err)
	_, err = s.Ingest(t.ctx, &kv.Load{Runs: []kv.Run{keyRun("b")}})
	want("Ingest", err)
	_, err = readChanges(t.ctx, s.Engine, 0)
	want("Changes", err)
	want("WaitDurable", s.WaitDurable(t.ctx, 1))
	want("Backup", s.Backup(t.ctx, t.TempDir(), func(_, _ int64) {}))
	want("Purge", s.Purge(t.ctx, []kv.Range{point("a")}))
	s.Durable() // these have no error to return, but come back
	s.Limits()
	s.Stats()
}

func closesTwice(t *trial) {
	s := t.open()
	s.apply(set("a", "1"), relaxed)
	s.close()
	s.close()
}

func limitsAreUsable(t *trial) {
	s := t.open()
	l := s.Limits()
	if l.KeyBytes <= 0 || l.ValueBytes <= 0 || l.BatchBytes < int64(l.KeyBytes) {
		t.Fatalf("Limits() = %+v, want positive lengths, and a batch that holds the longest key", l)
	}
	s.apply(set("a", "1"))
	if again := s.Limits(); again != l {
		t.Fatalf("Limits() = %+v, and later %+v, want it to stay", l, again)
	}
}

// An engine may leave figures at zero, but those that it gives are right.
func statsCount(t *trial) {
	s := t.open()
	before := s.Stats()
	var views []*view
	for i := range 5 {
		s.apply(set("a", fmt.Sprint(i)))
		views = append(views, s.snapshot())
	}
	s.refuse(kv.ErrConflict, reads(views[0].Stamp(), point("a")))
	open := s.Stats()
	for i, v := range views {
		for range 1 + i%2 { // closing twice doesn't count twice
			v.Close()
		}
	}
	t.note("5 batches applied, 1 refused, 5 snapshots open and then closed")
	after := s.Stats()
	exact := func(name string, got, want int64) {
		t.Helper()
		if got != 0 && got != want {
			t.Fatalf("Stats().%s is %d, want %d, or 0 when the engine has no figure", name, got, want)
		}
	}
	exact("OpenSnapshots", int64(open.OpenSnapshots), 5)
	exact("Commits", after.Commits-before.Commits, 5)
	exact("Conflicts", after.Conflicts-before.Conflicts, 1)
	if after.OpenSnapshots != 0 {
		t.Fatalf("Stats().OpenSnapshots is %d with all snapshots closed, want 0", after.OpenSnapshots)
	}
	for _, figures := range []kv.Stats{before, open, after} {
		least := min(figures.DiskBytes, figures.CompactionDebt, figures.CacheBytes, figures.CacheHits, figures.CacheMisses,
			figures.SyncWaits, figures.WriteStalls, int64(figures.ReadAmplitude))
		if least < 0 || figures.BackgroundError != nil {
			t.Fatalf("Stats() = %+v, want no negative figure and no BackgroundError", figures)
		}
	}
}
