package pebblekv

import (
	"fmt"
	"testing"

	"github.com/clientele-go/clientele/storage/kv"
)

// fillWindow adds commits of n keys each until the window has forgotten some, or times.
func fillWindow(w *window, times, n int) {
	for range times {
		keys := make([][]byte, n)
		last := w.floor + kv.Stamp(len(w.commits))
		for i := range keys {
			keys[i] = fmt.Appendf(nil, "%d/%d", last, i)
		}
		c := w.commit(keys)
		c.stamp = last + 1
		w.add(c)
	}
}

func checkPoint(w *window, since kv.Stamp, key string) error {
	return w.check(w.reads(&kv.Batch{Since: since, Reads: []kv.Range{kv.Point([]byte(key))}}), 0)
}

func TestWindowForgetsOldCommits(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: one goroutine writes millions of keys, nothing for the race detector; run without -short")
	}
	w := newWindow(func() (kv.Stamp, bool) { return 0, false })
	const n = 100
	fillWindow(w, windowKeys/n, n)
	must(t, checkPoint(w, 0, "absent"))
	fillWindow(w, 2*windowKeys/n, n)
	wantError(t, checkPoint(w, 0, "absent"), kv.ErrConflict, "too old")
	// 3 times as many commits as fit, so the first two thirds are forgotten.
	if kept := len(w.commits) * n; kept > windowKeys || kept < windowKeys-n {
		t.Errorf("%d keys are kept, want about %d", kept, windowKeys)
	}
	must(t, checkPoint(w, w.floor, "absent"))
	wantError(t, checkPoint(w, w.floor, fmt.Sprintf("%d/7", w.floor)), kv.ErrConflict, "written since")
}

func TestWindowStretchesForAnOpenSnapshot(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: one goroutine writes millions of keys, nothing for the race detector; run without -short")
	}
	w := newWindow(func() (kv.Stamp, bool) { return 1, true })
	const n = 1000
	fillWindow(w, 4*windowKeys/n, n)
	must(t, checkPoint(w, 1, "absent"))
	wantError(t, checkPoint(w, 0, "absent"), kv.ErrConflict, "too old")
	fillWindow(w, 2*windowStretch*windowKeys/n, n)
	wantError(t, checkPoint(w, 1, "absent"), kv.ErrConflict, "too old")
}

func TestStampOfAnotherOpeningIsInvalid(t *testing.T) {
	w := newWindow(func() (kv.Stamp, bool) { return 0, false })
	fillWindow(w, 3, 1)
	wantError(t, checkPoint(w, 4, "absent"), kv.ErrInvalid, "stamp 4", "last is 3")
}

// A key is found however its commit was noted, and only if it was written after.
func TestWindowFindsKeysOfSmallWideAndBulkCommits(t *testing.T) {
	for name, size := range map[string]int{"small": 3, "wide": wideCommit} {
		w := newWindow(func() (kv.Stamp, bool) { return 0, false })
		fillWindow(w, 2, size) // keys 0/0, 0/1, ... at stamp 1 and 1/0, ... at stamp 2
		must(t, checkPoint(w, 1, "0/1"))
		must(t, checkPoint(w, 0, "0/11111"))
		wantError(t, checkPoint(w, 0, "0/1"), kv.ErrConflict, `"0/1"`)
		wantError(t, checkPoint(w, 1, "1/2"), kv.ErrConflict, `"1/2"`)
		if hashes := w.commits[0].hashes; (hashes != nil) != (name == "small") {
			t.Errorf("%s commit: %d hashes", name, len(hashes))
		}
		for _, points := range []int{1, manyPoints - 1, manyPoints, 10 * manyPoints} {
			batch := kv.Batch{Reads: []kv.Range{kv.Point([]byte("1/2"))}}
			for i := range points - 1 {
				batch.Reads = append(batch.Reads, kv.Point(fmt.Appendf(nil, "absent%d", i)))
			}
			wantError(t, w.check(w.reads(&batch), 0), kv.ErrConflict, `"1/2"`)
			batch.Reads[0] = kv.Point([]byte("2/2"))
			must(t, w.check(w.reads(&batch), 0))
		}
	}
	w := newWindow(func() (kv.Stamp, bool) { return 0, false })
	w.add(&commit{stamp: 1, spans: []kv.Range{{Lower: []byte("b"), Upper: []byte("d\x00")}}})
	for key, conflicts := range map[string]bool{"a": false, "b": true, "c": true, "d": true, "d\x00": false} {
		if err := checkPoint(w, 0, key); (err != nil) != conflicts {
			t.Errorf("%q against a load of [b, d]: %v", key, err)
		}
	}
	whole := w.reads(&kv.Batch{Reads: []kv.Range{{}}})
	wantError(t, w.check(whole, 0), kv.ErrConflict)
	must(t, w.check(whole, 1))
}

func TestPointsAreRecognised(t *testing.T) {
	for _, test := range []struct {
		r    kv.Range
		want bool
	}{
		{kv.Point([]byte("key")), true},
		{kv.Point([]byte("key\x00")), true},
		{kv.Prefix([]byte("key")), false},
		{kv.Range{Lower: []byte("key"), Upper: []byte("kez\x00")}, false},
		{kv.Range{Lower: []byte("key")}, false},
		{kv.Range{Upper: []byte{0}}, false},
	} {
		if _, got := pointKey(test.r); got != test.want {
			t.Errorf("pointKey(%q) = %v, want %v", test.r, got, test.want)
		}
	}
}

// BenchmarkCheckLongTransaction checks 100 ranges and 100 points against 10,000 commits.
func BenchmarkCheckLongTransaction(b *testing.B) {
	w := newWindow(func() (kv.Stamp, bool) { return 0, false })
	fillWindow(w, 10_000, 8)
	batch := kv.Batch{}
	for i := range 100 {
		batch.Reads = append(batch.Reads, kv.Prefix(fmt.Appendf(nil, "absent%d", i)), kv.Point(fmt.Appendf(nil, "missing%d", i)))
	}
	r := w.reads(&batch)
	b.Run("before the lock", func(b *testing.B) {
		for b.Loop() {
			must(b, r.conflict(w.commits))
		}
	})
	b.Run("with the lock", func(b *testing.B) {
		for b.Loop() {
			must(b, w.check(r, 10_000))
		}
	})
}
