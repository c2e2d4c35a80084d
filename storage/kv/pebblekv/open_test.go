package pebblekv

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/goleak"

	"github.com/clientele-go/clientele/storage/kv"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// wantError checks what an error wraps and that its text has all it should.
func wantError(t testing.TB, err, want error, text ...string) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("error %v, want it to wrap %q", err, want)
	}
	for _, part := range text {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q doesn't mention %q", err, part)
		}
	}
}

func TestDirectoryInUseUnderAnyName(t *testing.T) {
	dir := t.TempDir()
	must(t, mustOpen(t, dir, Options{}).Close())
	e := mustOpen(t, dir, Options{})
	link := filepath.Join(t.TempDir(), "link")
	must(t, os.Symlink(dir, link))
	t.Chdir(dir)
	for _, name := range []string{dir, dir + "/.", link, "."} {
		_, err := Open(name, Options{})
		wantError(t, err, kv.ErrInUse, dir, "close the other one")
	}
	must(t, e.Close())
	must(t, mustOpen(t, link, Options{}).Close())
}

// TestDirectoryInUseByAnotherProcess runs this test in a second process, which then
// opens the directory that the first has open.
func TestDirectoryInUseByAnotherProcess(t *testing.T) {
	if dir := os.Getenv("PEBBLEKV_TEST_DIR"); dir != "" {
		_, err := Open(dir, Options{})
		wantError(t, err, kv.ErrInUse, dir, "close the other one")
		return
	}
	dir := t.TempDir()
	e := mustOpen(t, dir, Options{})
	other := exec.Command(os.Args[0], "-test.run=^TestDirectoryInUseByAnotherProcess$")
	other.Env = append(os.Environ(), "PEBBLEKV_TEST_DIR="+dir)
	if output, err := other.CombinedOutput(); err != nil {
		t.Fatalf("second process: %v\n%s", err, output)
	}
	must(t, put(e, "a", "1"))
}

func TestInMemoryEnginesAreApart(t *testing.T) {
	first, second := mustOpen(t, "", Options{InMemory: true}), mustOpen(t, "", Options{InMemory: true})
	must(t, put(first, "a", "1"))
	if got := get(t, second, "a"); got != "" {
		t.Errorf("second engine has %q of the first", got)
	}
}

func TestNewerFormatsAreRefused(t *testing.T) {
	disk := vfs.NewMem()
	e := mustOpen(t, "book", Options{FS: disk})
	must(t, e.db.Set(formatKey, binary.AppendUvarint(nil, 7), pebble.Sync))
	must(t, e.Close())
	_, err := Open("book", Options{FS: disk})
	wantError(t, err, kv.ErrFormat, "format 7", "up to 1", "newer release")

	disk = vfs.NewMem()
	must(t, mustOpen(t, "book", Options{FS: disk}).Close())
	names, err := disk.List("book")
	must(t, err)
	for _, name := range names {
		if strings.HasPrefix(name, "marker.format-version.") {
			must(t, disk.Rename("book/"+name, "book/marker.format-version.000099.099"))
		}
	}
	_, err = Open("book", Options{FS: disk})
	wantError(t, err, kv.ErrFormat, "Pebble format 099", fmt.Sprint("up to ", uint64(pebble.FormatNewest)), "newer release")
}

func TestForeignPebbleDatabaseIsRefused(t *testing.T) {
	for name, options := range map[string]pebble.Options{"another merger": {}, "our merger": {Merger: merger}} {
		disk := vfs.NewMem()
		options.FS, options.Logger = disk, pebbleLogger{slog.New(slog.DiscardHandler)}
		db, err := pebble.Open("book", &options)
		must(t, err)
		must(t, db.Set([]byte("theirs"), []byte("1"), pebble.Sync))
		must(t, db.Close())
		_, err = Open("book", Options{FS: disk})
		wantError(t, err, kv.ErrFormat, "not one of Clientele")
		db, err = pebble.Open("book", &options)
		must(t, err)
		value, closer, err := db.Get([]byte("theirs"))
		if err != nil || string(value) != "1" {
			t.Errorf("%s: their key reads %q, %v after we were refused", name, value, err)
		}
		must(t, closer.Close())
		must(t, db.Close())
	}
}

// A crash may leave a Pebble database in which nothing was written yet, ours included.
func TestCreationIsTakenUpAgain(t *testing.T) {
	disk := vfs.NewMem()
	db, err := pebble.Open("book", Options{}.withDefaults().pebble(disk, &pebble.EventListener{}, nil))
	must(t, err)
	must(t, db.Close())
	e := mustOpen(t, "book", Options{FS: disk})
	must(t, put(e, "a", "1"))
}

func TestReadOnly(t *testing.T) {
	dir := t.TempDir()
	_, err := Open(filepath.Join(dir, "absent"), Options{ReadOnly: true})
	wantError(t, err, fs.ErrNotExist, "absent")
	e := mustOpen(t, dir, Options{})
	must(t, put(e, "a", "1"))
	must(t, e.Close())
	before := listing(t, dir)
	e = mustOpen(t, dir, Options{ReadOnly: true})
	if got := get(t, e, "a"); got != "1" {
		t.Errorf("read %q, want 1", got)
	}
	wantError(t, put(e, "a", "2"), kv.ErrReadOnly)
	wantError(t, ingest(e, "b"), kv.ErrReadOnly)
	wantError(t, e.Purge(t.Context(), []kv.Range{{}}), kv.ErrReadOnly)
	copied := filepath.Join(t.TempDir(), "copy")
	must(t, e.Backup(t.Context(), copied, nil))
	must(t, e.Close())
	if after := listing(t, dir); after != before {
		t.Errorf("reading changed the directory from\n%s\nto\n%s", before, after)
	}
	if got := get(t, mustOpen(t, copied, Options{}), "a"); got != "1" {
		t.Errorf("the copy has %q, want 1", got)
	}
}

// listing tells names, sizes and times of a directory's files but the lock, which
// is made anew.
func listing(t testing.TB, dir string) string {
	t.Helper()
	var lines strings.Builder
	entries, err := os.ReadDir(dir)
	must(t, err)
	for _, entry := range entries {
		info, err := entry.Info()
		must(t, err)
		if entry.Name() != "LOCK" {
			fmt.Fprintln(&lines, entry.Name(), info.Size(), info.ModTime().UnixNano())
		}
	}
	return lines.String()
}

// filled is a directory with a flushed table of key000 to key499 and a log of more.
func filled(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	e := mustOpen(t, dir, Options{})
	random := rand.New(rand.NewPCG(1, 1))
	for i := range 500 {
		value := make([]byte, 100)
		for j := range value {
			value[j] = byte(random.Uint32())
		}
		must(t, put(e, fmt.Sprintf("key%03d", i), string(value)))
	}
	must(t, e.db.Flush())
	must(t, put(e, "log0", "0"))
	must(t, put(e, "log1", strings.Repeat("1", 50_000)))
	must(t, put(e, "log2", "2"))
	must(t, e.Close())
	return dir
}

func files(t testing.TB, dir, pattern string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, pattern))
	must(t, err)
	if len(names) == 0 {
		t.Fatalf("no %s in %s", pattern, dir)
	}
	return names
}

func change(t testing.TB, name string, how func(content []byte) []byte) {
	t.Helper()
	content, err := os.ReadFile(name)
	must(t, err)
	must(t, os.WriteFile(name, how(content), 0o644))
}

// TestCorruptTableIsNamed flips bytes of a table one after the other. Whatever they
// are, reading gives the true value or a typed error.
func TestCorruptTableIsNamed(t *testing.T) {
	dir := filled(t)
	table := files(t, dir, "*.sst")[0]
	sound, err := os.ReadFile(table)
	must(t, err)
	truth := readAll(t, dir, nil)
	random := rand.New(rand.NewPCG(2, 2))
	found := 0
	for range 40 {
		at := random.IntN(len(sound))
		change(t, table, func([]byte) []byte {
			broken := bytes.Clone(sound)
			broken[at] ^= 1 << random.IntN(8)
			return broken
		})
		readAll(t, dir, func(key, value string, err error) {
			switch {
			case err != nil:
				found++
				wantError(t, err, kv.ErrCorrupt, filepath.Base(table))
			case truth[key] != value:
				t.Fatalf("with byte %d flipped, %s reads %q without an error", at, key, value)
			}
		})
	}
	if found == 0 {
		t.Error("no corruption was found")
	}
	change(t, table, func([]byte) []byte { return sound[:len(sound)-1] })
	_, err = Open(dir, Options{ReadOnly: true})
	wantError(t, err, kv.ErrCorrupt, filepath.Base(table))
	must(t, os.Remove(table))
	_, err = Open(dir, Options{})
	wantError(t, err, kv.ErrCorrupt, strings.TrimSuffix(filepath.Base(table), ".sst"), "restore a backup")
}

// readAll opens a directory and reads every key, in a scan or alone. Opening may
// find the corruption too.
func readAll(t testing.TB, dir string, visit func(key, value string, err error)) map[string]string {
	t.Helper()
	all := map[string]string{}
	e, err := Open(dir, Options{ReadOnly: true})
	if err != nil {
		visit("", "", err)
		return nil
	}
	defer e.Close()
	s, err := e.Snapshot(t.Context())
	must(t, err)
	defer s.Close()
	for entry, err := range s.Scan(t.Context(), kv.Range{}, false) {
		if all[string(entry.Key)] = string(entry.Value); visit != nil {
			visit(string(entry.Key), string(entry.Value), err)
		}
	}
	for i := 0; i < 500; i += 50 {
		key := fmt.Sprintf("key%03d", i)
		value, _, err := s.Get(t.Context(), []byte(key), nil)
		if visit != nil {
			visit(key, string(value), err)
		}
	}
	return all
}

func TestLogCutShortLosesOnlyItsTail(t *testing.T) {
	dir := filled(t)
	log := files(t, dir, "*.log")
	change(t, log[len(log)-1], func(content []byte) []byte {
		return content[:bytes.Index(content, bytes.Repeat([]byte("1"), 100))+1000]
	})
	e := mustOpen(t, dir, Options{})
	if got := get(t, e, "log0"); got != "0" {
		t.Errorf("log0 reads %q, want 0", got)
	}
	for _, key := range []string{"log1", "log2"} {
		if got := get(t, e, key); got != "" {
			t.Errorf("%s reads %q, want nothing: the log was cut before its end", key, got)
		}
	}
	if got := get(t, e, "key499"); len(got) != 100 {
		t.Errorf("key499 has %d bytes, want 100: it was flushed", len(got))
	}
}

// What was synced can't just be missing: a broken entry with sound ones behind it is
// no torn tail.
func TestLogBrokenInItsMidstIsCorrupt(t *testing.T) {
	dir := filled(t)
	logs := files(t, dir, "*.log")
	change(t, logs[len(logs)-1], func(content []byte) []byte {
		content[bytes.Index(content, []byte("log0"))] ^= 1
		return content
	})
	_, err := Open(dir, Options{})
	wantError(t, err, kv.ErrCorrupt, "wal")
}

func TestBadPositionInJournalIsCorrupt(t *testing.T) {
	e := mustOpen(t, "", Options{InMemory: true})
	for range 3 {
		_, err := e.Apply(t.Context(), &kv.Batch{Journal: []byte("entry")})
		must(t, err)
	}
	must(t, e.db.Delete(journalKey(2), pebble.Sync))
	var seen []kv.Position
	var failed error
	for change, err := range e.Changes(t.Context(), 0) {
		if failed = err; err == nil {
			seen = append(seen, change.Position)
		}
	}
	wantError(t, failed, kv.ErrCorrupt, "entry 2")
	if len(seen) != 1 {
		t.Errorf("read %v before the missing entry, want [1]", seen)
	}
}

// What a crash left of an ingestion or a backup is removed.
func TestOpenRemovesTemporaryFiles(t *testing.T) {
	dir := t.TempDir()
	must(t, mustOpen(t, dir, Options{}).Close())
	must(t, os.MkdirAll(filepath.Join(dir, temporary, "ingest-1"), 0o755))
	must(t, os.WriteFile(filepath.Join(dir, temporary, "ingest-1", "0.sst"), []byte("half"), 0o644))
	mustOpen(t, dir, Options{})
	if _, err := os.Stat(filepath.Join(dir, temporary)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the temporary directory is still there: %v", err)
	}
}
