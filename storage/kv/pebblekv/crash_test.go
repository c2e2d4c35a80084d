package pebblekv

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/clientele-go/clientele/storage/kv"
)

// crashRuns is how many crashes a test stages: CLIENTELE_CRASH_RUNS, or else the
// given number.
func crashRuns(t testing.TB, otherwise int) int {
	t.Helper()
	text := os.Getenv("CLIENTELE_CRASH_RUNS")
	if text == "" {
		return otherwise
	}
	runs, err := strconv.Atoi(text)
	must(t, err)
	return runs
}

// crashDisk keeps Link and CrashClone apart: Link takes a read lock twice, and hangs
// when CrashClone asks for the write lock in between.
type crashDisk struct {
	*vfs.MemFS
	linking sync.Mutex
}

func (d *crashDisk) Link(oldname, newname string) error {
	d.linking.Lock()
	defer d.linking.Unlock()
	return d.MemFS.Link(oldname, newname)
}

// losePower returns what a power loss at this moment would leave.
func (d *crashDisk) losePower(how vfs.CrashCloneCfg) *vfs.MemFS {
	d.linking.Lock()
	defer d.linking.Unlock()
	return d.CrashClone(how)
}

// TestPowerLossKeepsAcknowledgedCommits takes the power away at random moments, with
// none, some or all of what was written but not synced having reached the disk.
func TestPowerLossKeepsAcknowledgedCommits(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	const perOpening = 10
	for runs := crashRuns(t, 20); runs > 0; runs -= perOpening {
		losePower(t, random, min(runs, perOpening))
	}
}

// losePower lets writers run, clones the file system times times as a power loss would
// leave it, and checks each clone.
func losePower(t *testing.T, random *rand.Rand, times int) {
	t.Helper()
	disk := &crashDisk{MemFS: vfs.NewCrashableMem()}
	options := Options{FS: disk, MemTableBytes: 64 << 10, CacheBytes: 1 << 20, RelaxedDelay: 5 * time.Millisecond}
	e := mustOpen(t, "book", options)
	ctx, stop := context.WithCancel(t.Context())
	var w workload
	var writers sync.WaitGroup
	for range 6 { // some of whose commits are handed over as one
		own := rand.New(rand.NewPCG(random.Uint64(), 0))
		writers.Go(func() {
			for ctx.Err() == nil {
				if err := w.step(ctx, e, own); err != nil && !errors.Is(err, kv.ErrConflict) && ctx.Err() == nil {
					t.Errorf("commit failed without a failure: %v", err)
					return
				}
			}
		})
	}
	for range times {
		time.Sleep(time.Duration(random.IntN(20_000)) * time.Microsecond)
		acked, durable := w.ackedSoFar(), e.Durable()
		options.FS = disk.losePower(vfs.CrashCloneCfg{UnsyncedDataPercent: random.IntN(3) * 50, RNG: random})
		after := mustOpen(t, "book", options)
		if position := check(t, after, acked); position < durable {
			t.Fatalf("the journal ends at %d, %d was durable", position, durable)
		}
		// What was recovered is durable, and the engine goes on from there.
		later := workload{next: 1 << 30}
		must(t, later.batch(t.Context(), after, random, kv.Synced))
		must(t, after.Close())
	}
	stop()
	writers.Wait()
	must(t, e.Close())
}

// interrupting is a context that lets something happen when it is first waited for.
type interrupting struct {
	context.Context
	once   sync.Once
	happen func()
}

func (i *interrupting) Done() <-chan struct{} {
	i.once.Do(i.happen)
	return i.Context.Done()
}

// A load is durable at once. Relaxed commits that it comes after, even at the very last
// moment, must not be lost behind it.
func TestIngestMakesEarlierCommitsDurable(t *testing.T) {
	disk := vfs.NewCrashableMem()
	e := mustOpen(t, "book", Options{FS: disk, RelaxedDelay: time.Hour})
	relaxed := func() {
		_, err := e.Apply(context.Background(), &kv.Batch{Journal: []byte("relaxed"), Durability: kv.Relaxed})
		must(t, err)
	}
	relaxed()
	ctx := &interrupting{Context: t.Context(), happen: relaxed}
	position, err := e.Ingest(ctx, &kv.Load{Runs: []kv.Run{pairs{[]string{"a"}, nil}}, Since: e.last.Load().stamp, Journal: [][]byte{[]byte("load")}})
	must(t, err)
	if position != 3 {
		t.Fatalf("the load is at %d, want 3: the second relaxed commit came too late to show anything", position)
	}
	after := mustOpen(t, "book", Options{FS: disk.CrashClone(vfs.CrashCloneCfg{})})
	var journal []string
	for change, err := range after.Changes(t.Context(), 0) {
		must(t, err)
		journal = append(journal, string(change.Payload))
	}
	if want := []string{"relaxed", "relaxed", "load"}; !slices.Equal(journal, want) {
		t.Errorf("the journal after a crash is %v, want %v", journal, want)
	}
}

func TestNewDirectorySurvivesPowerLoss(t *testing.T) {
	disk := vfs.NewCrashableMem()
	e := mustOpen(t, "data/books/first", Options{FS: disk})
	must(t, put(e, "a", "1"))
	after := mustOpen(t, "data/books/first", Options{FS: disk.CrashClone(vfs.CrashCloneCfg{})})
	if got := get(t, after, "a"); got != "1" {
		t.Errorf("read %q after a crash, want 1", got)
	}
}
