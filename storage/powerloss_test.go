package storage_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv/pebblekv"
)

// A lease of numbers isn't waited for, so it must not be lost behind what uses its numbers:
// after a power loss with all, some or none of what wasn't synced on disk, everything
// acknowledged is there and no number comes again.
func TestPowerLossKeepsTheLeasesOfUsedNumbers(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	disk := vfs.NewCrashableMem()
	s := openOn(t, disk)
	ctx, stop := context.WithCancel(t.Context())
	var mu sync.Mutex
	var acknowledged []pageID
	var writers sync.WaitGroup
	for w := range 4 {
		writers.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				id, err := add(s, fmt.Sprint(w, " ", i))
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				acknowledged = append(acknowledged, id)
				mu.Unlock()
			}
		})
	}
	for range 10 {
		time.Sleep(time.Duration(random.IntN(10_000)) * time.Microsecond)
		mu.Lock()
		sure := acknowledged[:len(acknowledged):len(acknowledged)]
		mu.Unlock()
		after := openOn(t, disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: random.IntN(3) * 50, RNG: random}))
		view(t, after, func(r *storage.Reader) error {
			for _, id := range sure {
				if _, err := pages.Get(r, id); err != nil {
					return err
				}
			}
			return nil
		})
		for i := range 20 { // more than a block
			if _, err := add(after, fmt.Sprint("after ", i)); err != nil {
				t.Fatalf("page %d after the power loss: %v", i, err)
			}
		}
	}
	stop()
	writers.Wait()
}

// add inserts a page under a fresh number; it fails when the number is in use.
func add(s *storage.Store, title string) (id pageID, err error) {
	_, err = s.Update(context.Background(), clerk, func(tx *storage.Tx) error {
		n, err := pageIDs.Next(tx, nil)
		if err != nil {
			return err
		}
		id = pageID(n)
		return pages.Insert(tx, id, &page{Title: title}, 1)
	})
	return id, err
}

func openOn(t testing.TB, disk vfs.FS) *storage.Store {
	t.Helper()
	engine, err := pebblekv.Open("book", pebblekv.Options{FS: disk, CacheBytes: 8 << 20})
	if err != nil {
		t.Fatal(err)
	}
	s, err := storage.Open(context.Background(), engine, schema(), nil, storage.Options{Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// Leasing another block of numbers is a commit of its own; nobody waits for its sync.
func TestLeaseWaitsForNoSync(t *testing.T) {
	s := openOn(t, vfs.NewMem())
	waits := func() int64 {
		h, err := s.Health(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return h.Engine.SyncWaits
	}
	before := waits()
	for i := range 24 { // three blocks
		if _, err := add(s, fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
	if syncs := waits() - before; syncs > 24+1 { // the ledger of the journal's hashes may have one
		t.Errorf("24 commits waited for %d syncs, want one each", syncs)
	}
}
