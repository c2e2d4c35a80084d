package kvtest

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/clientele-go/clientele/storage/kv"
)

func purgeProperties() []property {
	return []property{
		{"Purge/ChangesNoState", purgeChangesNoState},
		{"Purge/GoesOnBesideWriters", purgeBesideWriters},
		{"Purge/LeavesNothingInFiles", purgeLeavesNothingInFiles},
		{"Purge/LeavesNothingInBackups", purgeLeavesNothingInBackups},
		{"Purge/TellsWhatSnapshotsPin", purgeTellsWhatSnapshotsPin},
	}
}

func (s *subject) purge(ranges ...kv.Range) {
	s.t.Helper()
	s.t.note("purge %d ranges", len(ranges))
	if err := s.Purge(s.t.ctx, ranges); err != nil {
		s.t.Fatalf("Purge: %v", err)
	}
}

// purgeSeen purges while a snapshot is open, which may keep values.
func (s *subject) purgeSeen(ranges ...kv.Range) {
	s.t.Helper()
	s.t.note("purge %d ranges beside a snapshot", len(ranges))
	if err := s.Purge(s.t.ctx, ranges); err != nil && !errors.Is(err, kv.ErrPinned) {
		s.t.Fatalf("Purge beside an older snapshot: %v, want nil or ErrPinned", err)
	}
}

// Keys, journal and open snapshots are after a purge what they were before.
func purgeChangesNoState(t *trial) {
	s := t.open()
	s.purge(kv.Range{})
	s.purge()
	r := t.random(50)
	want := model{}
	var journal []string
	for i, ranges := range [][]kv.Range{{point("p1")}, {kv.Prefix([]byte("p"))}, {{}}, {point("absent"), point("#1"), from("%")}} {
		for range 10 {
			list := randomOps(r, 4)
			s.apply(ops(list), relaxed)
			want.do(list...)
		}
		key := "ingested" + strconv.Itoa(i)
		journal = append(journal, key)
		s.ingest(kv.Load{Runs: []kv.Run{keyRun(key)}, Journal: payloads(key)})
		want[key] = "of " + key
		v, before := s.snapshot(), want.clone()
		list := randomOps(r, 8)
		s.apply(ops(list))
		want.do(list...)
		s.purgeSeen(ranges...)
		s.wantState(want)
		v.wantState(before)
		s.wantJournal(journal...)
		v.Close()
	}
}

// Writers go on during purges and lose nothing.
func purgeBesideWriters(t *trial) {
	s := t.open()
	const writers = 2
	busy := &shift{workers: writers + 1}
	var done [writers]int
	t.parallel(writers+1, func(ctx context.Context, i int) error {
		for n := 0; busy.more(ctx, n, t.times(5)); n++ {
			if i == writers {
				if err := s.Purge(ctx, []kv.Range{kv.Prefix([]byte("p")), from("#")}); err != nil {
					return fmt.Errorf("purge: %w", err)
				}
				continue
			}
			time.Sleep(200 * time.Microsecond) // writers at full speed may hold up a purge for long
			if _, err := s.Apply(ctx, newBatch(set(fmt.Sprintf("p%d/%d", i, n), "kept"), add("#n", 1), relaxed)); err != nil {
				return err
			}
			done[i]++
		}
		return nil
	})
	t.note("%d writers commit %v batches during purges", writers, done)
	want := model{"#n": strconv.Itoa(done[0] + done[1])}
	for i, n := range done {
		for n := range n {
			want[fmt.Sprintf("p%d/%d", i, n)] = "kept"
		}
	}
	s.wantState(want)
}

// secret is random, so that no compression changes its bytes.
func secret(t *trial, n int) []byte {
	r := t.random(60 + n)
	var bytes []byte
	for range 16 {
		bytes = binary.BigEndian.AppendUint64(bytes, r.Uint64())
	}
	return bytes
}

// secrets are four keys whose values are secret, and two of them that are themselves.
type secrets struct {
	keys   [4]string
	values [4][]byte
}

// plantSecrets writes them among other keys, the last by a load.
func plantSecrets(t *trial, s *subject) (planted secrets) {
	t.Helper()
	fill(t, s, 100)
	for i := range planted.keys {
		key, value := fmt.Sprintf("f%d/%x", i, secret(t, 10+i)), secret(t, i)
		planted.keys[i], planted.values[i] = key, value
		if i == 3 {
			s.ingest(kv.Load{Runs: []kv.Run{run{{key, string(value)}}}})
			continue
		}
		s.apply(set(key, string(value)))
	}
	return planted
}

func (p *secrets) ranges() (ranges []kv.Range) {
	for _, key := range p.keys {
		ranges = append(ranges, point(key))
	}
	return ranges
}

// overwriteSecrets leaves them where only the engine's files can still know them.
func (p *secrets) overwrite(s *subject) {
	s.t.Helper()
	s.apply(set(p.keys[0], "overwritten"), del(p.keys[1]), set(p.keys[2], ""), del(p.keys[3]))
}

// wantNone looks for the values, and the keys that were deleted, in files.
func (p *secrets) wantNone(t *trial, root fs.FS) {
	t.Helper()
	for i, value := range p.values {
		if file := contains(t, root, value); file != "" {
			t.Fatalf("after Purge the value that key %d had is still in %s", i, file)
		}
	}
	for _, i := range []int{1, 3} {
		if file := contains(t, root, []byte(p.keys[i])); file != "" {
			t.Fatalf("after Purge the deleted key %d is still in %s", i, file)
		}
	}
}

// contains reports whether a file under root holds needle.
func contains(t *trial, root fs.FS, needle []byte) string {
	t.Helper()
	found := ""
	err := fs.WalkDir(root, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := fs.ReadFile(root, path)
		if bytes.Contains(content, needle) {
			found = path
		}
		return err
	})
	if err != nil {
		t.Fatalf("look into the engine's files: %v", err)
	}
	return found
}

func purgeLeavesNothingInFiles(t *trial) {
	if t.harness.Files == nil {
		t.Skip("Harness.Files is nil")
	}
	s := t.open()
	planted := plantSecrets(t, s)
	if contains(t, t.harness.Files(t.TB, s.Engine), planted.values[0]) == "" {
		t.Skip("the engine's files don't show values even before a purge")
	}
	planted.overwrite(s)
	s.purge(planted.ranges()...)
	planted.wantNone(t, t.harness.Files(t.TB, s.Engine))
}

// What an older snapshot can still see may outlive a purge, which then says so.
func purgeTellsWhatSnapshotsPin(t *trial) {
	if t.harness.Files == nil {
		t.Skip("Harness.Files is nil")
	}
	s := t.open()
	planted := plantSecrets(t, s)
	v := s.snapshot()
	planted.overwrite(s)
	err := s.Purge(t.ctx, planted.ranges())
	switch {
	case err == nil:
		planted.wantNone(t, t.harness.Files(t.TB, s.Engine))
	case !errors.Is(err, kv.ErrPinned):
		t.Fatalf("Purge beside an older snapshot: %v, want nil or ErrPinned", err)
	}
	v.want(planted.keys[1], string(planted.values[1]))
	v.Close()
	s.purge(planted.ranges()...)
	planted.wantNone(t, t.harness.Files(t.TB, s.Engine))
}

func purgeLeavesNothingInBackups(t *trial) {
	if t.harness.OpenBackup == nil {
		t.Skip("Harness.OpenBackup is nil")
	}
	s := t.open()
	planted := plantSecrets(t, s)
	before, after := filepath.Join(t.TempDir(), "before"), filepath.Join(t.TempDir(), "after")
	s.backup(before)
	if contains(t, os.DirFS(before), planted.values[0]) == "" {
		t.Skip("the engine's backups don't show values even before a purge")
	}
	planted.overwrite(s)
	s.purge(planted.ranges()...)
	s.backup(after)
	planted.wantNone(t, os.DirFS(after))
	c := s.openBackup(after)
	c.want(planted.keys[0], "overwritten")
	c.wantAbsent(planted.keys[1], planted.keys[3])
}
