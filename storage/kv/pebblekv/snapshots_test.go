package pebblekv

import (
	"testing"

	"github.com/clientele-go/clientele/storage/kv"
)

// TestSnapshotsShareAState: Pebble keeps one state for all snapshots between two commits, and
// none that is past once its last snapshot was closed, else what was replaced would stay.
func TestSnapshotsShareAState(t *testing.T) {
	e := mustOpen(t, t.TempDir(), Options{InMemory: true})
	ctx := t.Context()
	kept := func() int { return e.db.Metrics().Snapshots.Count }
	write := func(value string) {
		t.Helper()
		var b kv.Batch
		b.Set([]byte("key"), []byte(value))
		_, err := e.Apply(ctx, &b)
		must(t, err)
	}
	open := func() kv.Snapshot {
		t.Helper()
		s, err := e.Snapshot(ctx)
		must(t, err)
		return s
	}
	read := func(s kv.Snapshot, want string) {
		t.Helper()
		got, found, err := s.Get(ctx, []byte("key"), nil)
		must(t, err)
		if !found || string(got) != want {
			t.Errorf("got %q, %v; want %q", got, found, want)
		}
	}

	write("old")
	first, second := open(), open()
	must(t, first.Close())
	read(second, "old")
	third := open()
	if got := kept(); got != 1 {
		t.Errorf("three snapshots between two commits: Pebble keeps %d states, want 1", got)
	}
	write("new")
	fourth := open()
	read(second, "old")
	read(third, "old")
	read(fourth, "new")
	if got := kept(); got != 2 {
		t.Errorf("snapshots of two states: Pebble keeps %d", got)
	}
	must(t, second.Close())
	must(t, third.Close())
	if got := kept(); got != 1 {
		t.Errorf("the snapshots of the past are closed: Pebble keeps %d states, want 1", got)
	}
	must(t, fourth.Close())
	write("newest")
	if got := kept(); got != 0 {
		t.Errorf("no snapshot is open after a commit: Pebble keeps %d states", got)
	}
	read(open(), "newest")
}

// TestACommitDropsOlderStatesOnly: it lets go of the present state after its lock, when others may
// have opened one that has it already.
func TestACommitDropsOlderStatesOnly(t *testing.T) {
	e := mustOpen(t, t.TempDir(), Options{InMemory: true})
	kept := func() int { return e.db.Metrics().Snapshots.Count }
	applySmall(t, e, 1)
	s, err := e.Snapshot(t.Context())
	must(t, err)
	must(t, s.Close())
	e.snapshots.outdate(s.Stamp())
	if got := kept(); got != 1 {
		t.Errorf("the state of the last commit was dropped for it: Pebble keeps %d", got)
	}
	e.snapshots.outdate(s.Stamp() + 1)
	if got := kept(); got != 0 {
		t.Errorf("the state before a commit stays: Pebble keeps %d", got)
	}
}
