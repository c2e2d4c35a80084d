package pebblekv

import (
	"testing"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/cockroachdb/pebble/v2"

	"github.com/clientele-go/clientele/storage/kv"
)

// every is a set of n members that lie some numbers apart.
func every(apart, n int) *roaring.Bitmap {
	b := roaring.New()
	for i := range n {
		b.Add(uint32(i * apart))
	}
	return b
}

// loadSets loads merges of some sets, beside a run of one row.
func loadSets(t *testing.T, e *Engine, run kv.Run, sets map[string]*roaring.Bitmap) {
	t.Helper()
	s, err := e.Snapshot(t.Context())
	must(t, err)
	defer s.Close()
	var merges kv.Batch
	for _, key := range []string{"n", "s/few", "s/large", "s/other"} {
		if sets[key] != nil {
			merges.Merge([]byte(key), kv.BitmapDelta(sets[key], nil))
		}
	}
	_, err = e.Ingest(t.Context(), &kv.Load{Since: s.Stamp(), Runs: []kv.Run{run}, Merges: merges.Ops()})
	must(t, err)
}

func wantSet(t *testing.T, e *Engine, key string, want *roaring.Bitmap) {
	t.Helper()
	got, err := kv.Bitmap([]byte(get(t, e, key)))
	must(t, err)
	if !got.Equals(want) {
		t.Errorf("%s has %d members, want %d", key, got.GetCardinality(), want.GetCardinality())
	}
}

// mergeOperands is the number of deltas in the tables on disk.
func mergeOperands(t *testing.T, e *Engine) (n uint64) {
	t.Helper()
	levels, err := e.db.SSTables(pebble.WithProperties())
	must(t, err)
	for _, tables := range levels {
		for _, table := range tables {
			n += table.Properties.NumMergeOperands
		}
	}
	return n
}

// Large sets are values once they are loaded, also when they are loaded in parts or onto what
// was written before; deltas of small ones stay deltas.
func TestLoadedSetsAreValues(t *testing.T) {
	dir := t.TempDir()
	e := mustOpen(t, dir, Options{})
	loadSets(t, e, rows{0, 10}, map[string]*roaring.Bitmap{"s/large": every(3, 10_000), "s/other": every(60, 1000), "s/few": every(1, 3)})
	if n := mergeOperands(t, e); n != 1 {
		t.Errorf("after a load %d deltas are on disk, want that of the small set alone", n)
	}
	var b kv.Batch
	b.Merge([]byte("s/other"), kv.MemberDelta(60, false))
	_, err := e.Apply(t.Context(), &b)
	must(t, err)
	loadSets(t, e, rows{10, 10}, map[string]*roaring.Bitmap{"s/large": every(2, 10_000), "s/other": every(61, 1000)})
	must(t, e.Close())
	e = mustOpen(t, dir, Options{})
	want := every(60, 1000)
	want.Remove(60)
	wantSet(t, e, "s/large", roaring.Or(every(3, 10_000), every(2, 10_000)))
	wantSet(t, e, "s/other", roaring.Or(want, every(61, 1000)))
	wantSet(t, e, "s/few", every(1, 3))
	must(t, e.db.Flush())
	if n := mergeOperands(t, e); n > 2 { // fewer when they were compacted
		t.Errorf("after a second load %d deltas are on disk, want no more than that of the small set and the removal", n)
	}
}

// meddling is a run that does something once, while it is being loaded: when it is looked at
// for the second time, since the first time is before anything is read.
type meddling struct {
	rows
	looks  *int
	meddle func()
}

func (m meddling) Value(i int) []byte {
	if i == 0 {
		if *m.looks++; *m.looks == 2 {
			m.meddle()
		}
	}
	return m.rows.Value(i)
}

// What others write to a set while it is being loaded is not lost, by batch or by load.
func TestSetsWrittenToWhileTheyAreLoaded(t *testing.T) {
	for name, meddle := range map[string]func(t *testing.T, e *Engine){
		"a mark": func(t *testing.T, e *Engine) {
			var b kv.Batch
			b.Merge([]byte("s/large"), kv.MemberDelta(1, true))
			b.Merge([]byte("s/large"), kv.MemberDelta(6, false))
			_, err := e.Apply(t.Context(), &b)
			must(t, err)
		},
		"a load": func(t *testing.T, e *Engine) {
			loadSets(t, e, rows{10, 10}, map[string]*roaring.Bitmap{"s/large": roaring.Or(every(5, 10_000), every(1, 2))})
		},
	} {
		t.Run(name, func(t *testing.T) {
			e := mustOpen(t, t.TempDir(), Options{})
			run := meddling{rows{0, 10}, new(int), func() { meddle(t, e) }}
			loadSets(t, e, run, map[string]*roaring.Bitmap{"s/large": every(3, 10_000), "s/other": every(3, 10_000)})
			want := roaring.Or(every(3, 10_000), every(1, 2)) // the load comes last: it adds 6 again
			if name == "a load" {
				want.Or(every(5, 10_000))
			}
			wantSet(t, e, "s/large", want)
			wantSet(t, e, "s/other", every(3, 10_000))
		})
	}
}

// A small delta doesn't have a far larger set rewritten, and what can't be folded stays as it
// would have been without folding.
func TestLoadsLeaveWhatIsDearOrUnfit(t *testing.T) {
	e := mustOpen(t, t.TempDir(), Options{})
	huge := every(3, 200_000)
	loadSets(t, e, rows{0, 10}, map[string]*roaring.Bitmap{"s/large": huge})
	before := mergeOperands(t, e)
	loadSets(t, e, rows{10, 10}, map[string]*roaring.Bitmap{"s/large": every(5, 200)})
	if n := mergeOperands(t, e); n != before+1 {
		t.Errorf("%d deltas were left, want 1", n-before)
	}
	wantSet(t, e, "s/large", roaring.Or(huge, every(5, 200)))

	var b kv.Batch
	b.Set([]byte("n"), []byte("a name"))
	_, err := e.Apply(t.Context(), &b)
	must(t, err)
	loadSets(t, e, rows{20, 10}, map[string]*roaring.Bitmap{"n": every(1, 1000)})
	s, err := e.Snapshot(t.Context())
	must(t, err)
	defer s.Close()
	_, _, err = s.Get(t.Context(), []byte("n"), nil)
	wantError(t, err, kv.ErrCorrupt)
}
