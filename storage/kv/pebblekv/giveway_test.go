package pebblekv

import (
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Who gave way for half of the time so far works on, or writers could starve a compaction and
// then wait for it.
func TestTurnsAreGivenForHalfOfTheTime(t *testing.T) {
	for _, test := range []struct {
		waited time.Duration
		gives  bool
	}{{0, true}, {400 * time.Millisecond, true}, {700 * time.Millisecond, false}} {
		turns := turns{began: time.Now().Add(-time.Second), waited: test.waited}
		turns.give()
		if gave := turns.waited > test.waited; gave != test.gives {
			t.Errorf("after waiting for %v of a second: gave way %v", test.waited, gave)
		}
	}
}

func TestFlushesAndCompactionsGiveWay(t *testing.T) {
	e := mustOpen(t, "", Options{InMemory: true})
	compaction := &grant{scheduler: e.scheduler}
	compaction.CumulativeStats(pebble.CompactionGrantHandleStats{})
	if compaction.turns.waited == 0 {
		t.Error("a compaction gives nobody a turn")
	}
	for category, gives := range map[vfs.DiskWriteCategory]bool{flushWrites: true, "pebble-wal": false} {
		file, err := e.fs.Create(e.fs.PathJoin(e.dir, string(category)), category)
		must(t, err)
		_, err = file.Write([]byte("block"))
		must(t, err)
		if gave := file.(*guardedFile).turns.waited > 0; gave != gives {
			t.Errorf("a write of %s gave way: %v", category, gave)
		}
		must(t, file.Close())
	}
}
