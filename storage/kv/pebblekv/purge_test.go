package pebblekv

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clientele-go/clientele/storage/kv"
)

// What a purge asked Pebble for stays asked for when the purge is given up.
func TestPurgeCanBeGivenUp(t *testing.T) {
	e := mustOpen(t, "", Options{InMemory: true})
	busy := 0
	for e.scheduler.reserve() { // so no compaction begins
		busy++
	}
	must(t, put(e, "a", "1"))
	must(t, e.db.Flush())
	must(t, put(e, "a", "2"))
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	wantError(t, e.Purge(ctx, []kv.Range{{}}), context.DeadlineExceeded)
	for range busy {
		e.scheduler.Done()
	}
	must(t, e.Purge(t.Context(), []kv.Range{{}}))
	must(t, put(e, "a", "3"))
	must(t, e.Close())
}

// Logs are written over older ones; what those held must be gone after a purge, in
// the log in use too.
func TestPurgeCleansReusedLogs(t *testing.T) {
	dir := t.TempDir()
	e := mustOpen(t, dir, Options{MemTableBytes: 256 << 10})
	random := rand.New(rand.NewPCG(1, 1))
	secret := make([]byte, 100)
	for i := range secret {
		secret[i] = byte(random.Uint32())
	}
	for range 3000 { // enough for logs to be used again
		must(t, putRelaxed(e, "secret", string(secret)))
	}
	var b kv.Batch
	b.Delete([]byte("secret"))
	_, err := e.Apply(t.Context(), &b)
	must(t, err)
	if !anyFileHas(t, dir, secret) {
		t.Fatal("no file holds the secret before the purge; this test shows nothing")
	}
	must(t, e.Purge(t.Context(), []kv.Range{kv.Point([]byte("secret"))}))
	if anyFileHas(t, dir, secret) {
		t.Error("a file holds the secret after the purge")
	}
	for i := range 3000 { // and the logs go on
		must(t, putRelaxed(e, fmt.Sprint("key", i), strings.Repeat("x", 200)))
	}
	must(t, e.Close())
	mustOpen(t, dir, Options{})
}

// A snapshot kept two versions in one table when it was written. Pebble alone would
// keep them when the snapshot is gone.
func TestPurgeRewritesTablesThatASnapshotPinned(t *testing.T) {
	dir := t.TempDir()
	e := mustOpen(t, dir, Options{})
	secret := "\x90\x01secret\xff\x02secret\x03\x81secret\xfe"
	must(t, put(e, "a", secret))
	s, err := e.Snapshot(t.Context())
	must(t, err)
	must(t, put(e, "a", "overwritten"))
	must(t, put(e, "b", "neighbour"))
	wantError(t, e.Purge(t.Context(), []kv.Range{{}}), kv.ErrPinned)
	if !anyFileHas(t, dir, []byte(secret)) {
		t.Fatal("what the snapshot sees was purged")
	}
	must(t, e.Purge(t.Context(), []kv.Range{kv.Prefix([]byte("elsewhere"))})) // nothing is pinned there
	must(t, s.Close())
	must(t, e.Purge(t.Context(), []kv.Range{kv.Point([]byte("a"))}))
	if anyFileHas(t, dir, []byte(secret)) {
		t.Error("a file holds the secret after the purge")
	}
	if get(t, e, "a") != "overwritten" || get(t, e, "b") != "neighbour" {
		t.Error("the purge changed values")
	}
}

// A purge goes on beside a scan, which reads what it began with to its end.
func TestPurgeDoesNotWaitForScansWithoutEnd(t *testing.T) {
	e := mustOpen(t, "", Options{InMemory: true})
	for i := range 1000 {
		must(t, putRelaxed(e, fmt.Sprintf("key%04d", i), strings.Repeat("x", 100)))
	}
	must(t, e.db.Flush())
	must(t, putRelaxed(e, "key0001", "overwritten"))
	s, err := e.Snapshot(t.Context())
	must(t, err)
	defer s.Close()
	read := 0
	for _, err := range s.Scan(t.Context(), kv.Range{}, false) {
		must(t, err)
		if read++; read == 10 {
			wantError(t, e.Purge(t.Context(), []kv.Range{{}}), kv.ErrPinned)
		}
	}
	if read != 1000 {
		t.Errorf("the scan read %d of 1000 keys", read)
	}
	must(t, s.Close())
	must(t, e.Purge(t.Context(), []kv.Range{{}}))
	if left, err := e.replacedTables(e.jobs.log.Load()); err != nil || len(left) > 0 {
		t.Errorf("%v are left, %v", left, err)
	}
}

// Not only values can be personal: index keys hold phone numbers. They lie in tables, as bounds
// of tables in manifests, and in logs.
func TestPurgeLeavesNoDeletedKey(t *testing.T) {
	dir := t.TempDir()
	e := mustOpen(t, dir, Options{MemTableBytes: 256 << 10})
	canary := func(i int) string { return fmt.Sprintf("phone/8613800%06d/canary", i) }
	const canaries = 40
	var ranges []kv.Range
	for i := range canaries {
		must(t, putRelaxed(e, canary(i), canary(i)))
		must(t, putRelaxed(e, fmt.Sprintf("phone/8613800%06d/neighbour", i), strings.Repeat("x", 5000)))
		if i%4 == 0 {
			must(t, e.db.Flush())
		}
		ranges = append(ranges, kv.Point([]byte(canary(i))))
	}
	must(t, e.db.Compact(t.Context(), []byte("a"), []byte("z"), false))
	var b kv.Batch
	for _, r := range ranges {
		b.Delete(r.Lower)
	}
	_, err := e.Apply(t.Context(), &b)
	must(t, err)
	must(t, e.db.Flush())
	if !anyManifestHas(t, dir, "/canary") {
		t.Fatal("no manifest holds a canary before the purge; this test shows nothing")
	}
	must(t, e.Purge(t.Context(), ranges))
	if anyFileHas(t, dir, []byte("/canary")) {
		t.Error("a file holds a canary after the purge")
	}
	copied := filepath.Join(t.TempDir(), "copy")
	must(t, e.Backup(t.Context(), copied, nil))
	if anyFileHas(t, copied, []byte("/canary")) {
		t.Error("a backup holds a canary after the purge")
	}
	must(t, e.Close())
	for _, dir := range []string{dir, copied} {
		e := mustOpen(t, dir, Options{})
		if get(t, e, canary(1)) != "" || len(get(t, e, "phone/8613800000001/neighbour")) != 5000 {
			t.Errorf("%s holds something else after the purge", dir)
		}
	}
}

func anyManifestHas(t testing.TB, dir, needle string) bool {
	t.Helper()
	for _, name := range files(t, dir, "MANIFEST-*") {
		content, err := os.ReadFile(name)
		must(t, err)
		if strings.Contains(string(content), needle) {
			return true
		}
	}
	return false
}

// Writers at full speed, scans, loads and backups hold up a purge for a while, not for good,
// and a purge holds up none of them.
func TestPurgeEndsBesideFullSpeedWork(t *testing.T) {
	e := mustOpen(t, "", Options{InMemory: true, MemTableBytes: 256 << 10})
	ctx, stop := context.WithCancel(t.Context())
	var working sync.WaitGroup
	work := func(f func(n int) error) {
		working.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				if err := f(n); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	work(func(n int) error { return putRelaxed(e, fmt.Sprint("key", n%5000), strings.Repeat("x", 200)) })
	work(func(n int) error { return putRelaxed(e, fmt.Sprint("p", n%50), strings.Repeat("y", 200)) })
	work(func(int) error { return readSome(t.Context(), e) })
	work(func(n int) error { return ingest(e, fmt.Sprintf("load%06d", n)) })
	copies := t.TempDir()
	work(func(n int) error { return e.Backup(t.Context(), filepath.Join(copies, fmt.Sprint(n)), nil) })
	slowest, pinned := time.Duration(0), -crashRuns(t, 1)
	for i := range crashRuns(t, 1) {
		secret, begun := fmt.Sprintf("p-secret-%08d", i), time.Now()
		must(t, put(e, secret, secret))
		var b kv.Batch
		b.Delete([]byte(secret))
		_, err := e.Apply(t.Context(), &b)
		must(t, err)
		for err = kv.ErrPinned; errors.Is(err, kv.ErrPinned); pinned++ {
			err = e.Purge(t.Context(), []kv.Range{kv.Point([]byte(secret))})
		}
		must(t, err)
		slowest = max(slowest, time.Since(begun))
	}
	stop()
	working.Wait()
	t.Logf("the slowest purge took %v, %d were pinned", slowest, pinned)
}

func putRelaxed(e kv.Engine, key, value string) error {
	b := kv.Batch{Durability: kv.Relaxed}
	b.Set([]byte(key), []byte(value))
	_, err := e.Apply(context.Background(), &b)
	return err
}

func anyFileHas(t testing.TB, dir string, needle []byte) bool {
	t.Helper()
	found := false
	must(t, filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) { // removed meanwhile
			return nil
		}
		found = found || bytes.Contains(content, needle)
		return err
	}))
	return found
}
