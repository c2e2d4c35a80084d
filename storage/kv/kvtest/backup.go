package kvtest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"

	"github.com/clientele-go/clientele/storage/kv"
)

func backupProperties() []property {
	return []property{
		{"Backup/IsACompleteCopy", backupIsComplete},
		{"Backup/IsAPrefixUnderWriters", backupIsAPrefix},
		{"Backup/RefusesUsedDirectory", backupRefusesUsedDirectory},
	}
}

// backup copies the engine into dir, which must succeed, and checks the progress reported.
func (s *subject) backup(dir string) {
	s.t.Helper()
	s.t.note("back up")
	var last int64
	err := s.Backup(s.t.ctx, dir, func(done, total int64) {
		if done < last || done > total {
			s.t.Errorf("Backup reports %d of %d done after %d, want it to grow up to the total", done, total, last)
		}
		last = done
	})
	if err != nil {
		s.t.Fatalf("Backup: %v", err)
	}
}

func (s *subject) openBackup(dir string) *subject {
	s.t.Helper()
	if s.t.harness.OpenBackup == nil {
		s.t.Skip("Harness.OpenBackup is nil")
	}
	s.t.note("open the copy")
	return s.t.adopt(s.t.harness.OpenBackup(s.t.TB, dir))
}

// The copy has keys, merges, loads and journal, goes on by itself and shares nothing.
func backupIsComplete(t *trial) {
	s := t.open()
	r := t.random(40)
	want := model{}
	var journal []string
	for i := range 30 {
		list := randomOps(r, 1+r.IntN(5))
		want.do(list...)
		journal = append(journal, fmt.Sprint("entry ", i))
		s.apply(ops(list), entry(journal[i]))
	}
	s.ingest(kv.Load{Runs: []kv.Run{keyRun("ingested")}, Journal: payloads("load")})
	want["ingested"] = "of ingested"
	journal = append(journal, "load")
	parent := t.TempDir()
	empty := filepath.Join(parent, "empty")
	if err := os.Mkdir(empty, 0o700); err != nil {
		t.Fatalf("%v", err)
	}
	for i, dir := range []string{empty, filepath.Join(parent, "new")} {
		s.backup(dir)
		c := s.openBackup(dir)
		c.wantState(want)
		c.wantJournal(journal...)
		goesOnAlone(c, s, want, len(journal))
		s.wantState(want)
		key := fmt.Sprint("only the original ", i)
		s.apply(set(key, "1"))
		c.wantAbsent(key)
		want[key] = "1"
	}
}

// goesOnAlone checks that a copy takes commits, which its original doesn't see.
func goesOnAlone(c, original *subject, want model, entries int) {
	c.t.Helper()
	if at := c.apply(set("only the copy", "1"), entry("of the copy")); at != kv.Position(entries+1) {
		c.t.Fatalf("the copy's next entry got position %d, want %d", at, entries+1)
	}
	c.want("only the copy", "1")
	original.wantState(want)
	if got := len(original.changes(0)); got != entries {
		c.t.Fatalf("the original's journal has %d entries after a commit to the copy, want %d", got, entries)
	}
}

// Copies taken beside writers: each is what its own journal says, which is as far as the
// original's at some moment of the backup.
func backupIsAPrefix(t *trial) {
	if t.harness.OpenBackup == nil {
		t.Skip("Harness.OpenBackup is nil")
	}
	s := t.open()
	const writers, copies = 3, 3
	dirs := make([]string, copies)
	for i := range dirs {
		dirs[i] = filepath.Join(t.TempDir(), fmt.Sprint("copy", i))
	}
	var durable, committed [copies]kv.Position // before and after each backup
	var finished atomic.Bool
	t.parallel(writers+1, func(ctx context.Context, i int) error {
		if i < writers {
			return writeDeeds(ctx, s.Engine, i, func(int) bool { return !finished.Load() })
		}
		defer finished.Store(true)
		for n, dir := range dirs {
			if err := s.WaitDurable(ctx, kv.Position(n*t.times(40))); err != nil {
				return err
			}
			durable[n] = s.Durable()
			if err := s.Backup(ctx, dir, func(_, _ int64) {}); err != nil {
				return fmt.Errorf("backup: %w", err)
			}
			at, err := s.Apply(ctx, newBatch(ops(deeds("mark")), entry("mark")))
			if err != nil {
				return err
			}
			committed[n] = at
		}
		return nil
	})
	s.awaitDurable(committed[copies-1])
	feed := s.changes(0)
	for n, dir := range dirs {
		t.note("copy %d, taken while %d writers commit, between positions %d and %d", n, writers, durable[n], committed[n])
		c := s.openBackup(dir)
		c.wantPrefix(feed, durable[n], committed[n]-1)
		c.close()
	}
}

// wantPrefix checks that a copy's journal is the start of feed, its end between least and most,
// and that its keys are what the journal says.
func (s *subject) wantPrefix(feed []kv.Change, least, most kv.Position) {
	s.t.Helper()
	changes := s.changes(0)
	if last := kv.Position(len(changes)); last < least || last > most {
		s.t.Fatalf("the copy's journal ends at %d, want between %d and %d", last, least, most)
	}
	for i, c := range changes {
		if string(c.Payload) != string(feed[i].Payload) {
			s.t.Fatalf("the copy's journal holds %s at %d, the original's %s", quote(c.Payload), c.Position, quote(feed[i].Payload))
		}
	}
	s.wantState(replay(changes))
}

// A directory with something in it is refused, and left as it is.
func backupRefusesUsedDirectory(t *trial) {
	if t.harness.OpenBackup == nil {
		t.Skip("Harness.OpenBackup is nil")
	}
	s := t.open()
	s.apply(set("a", "1"))
	dir := t.TempDir()
	name := filepath.Join(dir, "precious")
	if err := os.WriteFile(name, []byte("keep me"), 0o600); err != nil {
		t.Fatalf("%v", err)
	}
	t.note("back up into a directory that holds a file")
	if err := s.Backup(t.ctx, dir, func(_, _ int64) {}); err == nil {
		t.Fatalf("Backup into a directory that holds a file succeeded, want an error")
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 1 {
		t.Fatalf("after Backup was refused the directory holds %v (%v), want the one file that was there", files, err)
	}
	if kept, err := os.ReadFile(name); err != nil || string(kept) != "keep me" {
		t.Fatalf("after Backup was refused the file that was there holds %q (%v)", kept, err)
	}
	s.want("a", "1")
}
