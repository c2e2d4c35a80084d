package pebblekv

import (
	"testing"
	"time"

	"github.com/clientele-go/clientele/storage/kv"
)

// Index runs of a load's parts overlap. They are merged when the load is over.
func TestCompactionsWaitForALoadToEnd(t *testing.T) {
	e := mustOpen(t, "", Options{InMemory: true})
	const parts, rows = 4, loadBytes / 438
	for n := range parts {
		_, err := e.Ingest(t.Context(), &kv.Load{Since: kv.Stamp(n), Runs: []kv.Run{strided{rows: rows + 100, first: n, stride: parts}}})
		must(t, err)
	}
	if m := e.db.Metrics(); m.Compact.Count > 0 || m.Levels[0].Sublevels < parts-2 {
		t.Errorf("%d compactions, %d runs in level 0 during a load", m.Compact.Count, m.Levels[0].Sublevels)
	}
	long := time.Now().Add(-loadPause)
	e.load.loaded.Store(&long)
	for begun := time.Now(); e.db.Metrics().Levels[0].Sublevels > 0; time.Sleep(pollEvery) {
		if time.Since(begun) > 20*time.Second {
			t.Fatal("no compaction after the load")
		}
	}
}

// strided is a run of rows whose keys lie between those of others.
type strided struct{ rows, first, stride int }

func (s strided) Len() int         { return s.rows }
func (s strided) Key(i int) []byte { return rowKey(s.first + i*s.stride) }
func (s strided) Value(int) []byte { return noise[:430] }

func TestLoadControl(t *testing.T) {
	now, earlier := time.Now(), time.Now().Add(-time.Minute)
	for _, test := range []struct {
		name            string
		sublevels       int32
		loaded, flushed *time.Time
		purging         *time.Time
		high, postponed bool
	}{
		{name: "at rest"},
		{name: "compactions lag", sublevels: maxSublevels, high: true},
		{name: "a load", sublevels: loadSublevels - 1, loaded: &now, postponed: true},
		{name: "a load of many parts", sublevels: loadSublevels, loaded: &now},
		{name: "after a load", sublevels: 5, loaded: &earlier},
		{name: "flushes", sublevels: flushSublevels - 1, flushed: &now, postponed: true},
		{name: "flushes of which there are enough", sublevels: flushSublevels, flushed: &now},
		{name: "flushes, and nothing in level 0", flushed: &now},
		{name: "after flushes", sublevels: 1, flushed: &earlier},
		{name: "a purge beside flushes", sublevels: 1, purging: &now, flushed: &now},
		{name: "a purge", sublevels: 1, purging: &now},
		{name: "a purge beside a load", sublevels: 1, purging: &now, loaded: &now},
		{name: "a purge that waits for long", sublevels: 1, purging: &earlier, high: true},
		{name: "a purge that has nothing to wait for", purging: &earlier},
	} {
		var l loadControl
		l.sublevels.Store(test.sublevels)
		l.loaded.Store(test.loaded)
		l.flushed.Store(test.flushed)
		l.purging.Store(test.purging)
		if l.high() != test.high || l.postponed() != test.postponed {
			t.Errorf("%s: writers wait: %v, compactions wait: %v", test.name, l.high(), l.postponed())
		}
	}
}
