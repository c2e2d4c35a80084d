package kvtest

import (
	"bytes"
	"context"
	"encoding/binary"
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
	}
}

func (s *subject) purge(ranges ...kv.Range) {
	s.t.Helper()
	s.t.note("purge %d ranges", len(ranges))
	if err := s.Purge(s.t.ctx, ranges); err != nil {
		s.t.Fatalf("Purge: %v", err)
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
		s.purge(ranges...)
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

// plantSecrets writes four secrets among other keys, the last by a load.
func plantSecrets(t *trial, s *subject) (secrets [][]byte, ranges []kv.Range) {
	t.Helper()
	fill(t, s, 100)
	for i := range 4 {
		key := "f" + strconv.Itoa(i)
		secrets = append(secrets, secret(t, i))
		ranges = append(ranges, point(key))
		if i == 3 {
			s.ingest(kv.Load{Runs: []kv.Run{run{{key, string(secrets[i])}}}})
			continue
		}
		s.apply(set(key, string(secrets[i])))
	}
	return secrets, ranges
}

// overwriteSecrets leaves them where only the engine's files can still know them.
func overwriteSecrets(s *subject) {
	s.t.Helper()
	s.apply(set("f0", "overwritten"), del("f1"), set("f2", ""), del("f3"))
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
	secrets, ranges := plantSecrets(t, s)
	if contains(t, t.harness.Files(t.TB, s.Engine), secrets[0]) == "" {
		t.Skip("the engine's files don't show values even before a purge")
	}
	overwriteSecrets(s)
	s.purge(ranges...)
	for i, secret := range secrets {
		if file := contains(t, t.harness.Files(t.TB, s.Engine), secret); file != "" {
			t.Fatalf("after Purge the value that f%d had is still in %s", i, file)
		}
	}
}

func purgeLeavesNothingInBackups(t *trial) {
	if t.harness.OpenBackup == nil {
		t.Skip("Harness.OpenBackup is nil")
	}
	s := t.open()
	secrets, ranges := plantSecrets(t, s)
	before, after := filepath.Join(t.TempDir(), "before"), filepath.Join(t.TempDir(), "after")
	s.backup(before)
	if contains(t, os.DirFS(before), secrets[0]) == "" {
		t.Skip("the engine's backups don't show values even before a purge")
	}
	overwriteSecrets(s)
	s.purge(ranges...)
	s.backup(after)
	for i, secret := range secrets {
		if file := contains(t, os.DirFS(after), secret); file != "" {
			t.Fatalf("in a backup made after Purge the value that f%d had is still in %s", i, file)
		}
	}
	c := s.openBackup(after)
	c.want("f0", "overwritten")
	c.wantAbsent("f1", "f3")
}
