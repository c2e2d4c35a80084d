package storage_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
	"github.com/clientele-go/clientele/storage/kv/pebblekv"
)

func openEngine(t testing.TB) (*storage.Store, kv.Engine) {
	t.Helper()
	engine, err := pebblekv.Open("", pebblekv.Options{InMemory: true})
	if err != nil {
		t.Fatal(err)
	}
	s, err := storage.Open(context.Background(), engine, schema(), nil, storage.Options{Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, engine
}

func TestVerifyFindsExchangedVersions(t *testing.T) {
	s, engine := openEngine(t)
	for i := range 4 {
		put(t, s, 1, fmt.Sprint("title ", i))
	}
	var first []byte
	tamper(t, engine, storage.Key{4, 1}.Uint(1).Uint(1), func(v []byte) []byte { first = append([]byte(nil), v...); return v })
	tamper(t, engine, storage.Key{4, 1}.Uint(1).Uint(2), func(v []byte) []byte { second := append([]byte(nil), v...); v, first = first, second; return v })
	tamper(t, engine, storage.Key{4, 1}.Uint(1).Uint(1), func(v []byte) []byte { return first })
	report, err := s.Verify(context.Background(), nil)
	if err != nil || report.OK() {
		t.Errorf("exchanged versions: %v %v", report, err)
	}
}

func TestVerifyReportsAMalformedCount(t *testing.T) {
	s, engine := openEngine(t)
	put(t, s, 1, "a", "w")
	tamper(t, engine, storage.Key{6, 1}.Uint(1), func([]byte) []byte { return []byte{9, 9, 9, 9} })
	report, err := s.Verify(context.Background(), nil)
	if err != nil || report.OK() {
		t.Errorf("verify: %v %v", report, err)
	}
	if _, err := s.Repair(context.Background()); err != nil {
		t.Error(err)
	}
	if report, err = s.Verify(context.Background(), nil); err != nil || !report.OK() {
		t.Errorf("after repair: %v %v", report, err)
	}
}

func TestVerifyFindsWhoRecordedAnErasedVersion(t *testing.T) {
	for name, change := range map[string]func([]byte) []byte{
		"actor":  func(v []byte) []byte { return bytes.Replace(v, []byte(clerk.Actor), []byte("x"+clerk.Actor[1:]), 1) },
		"time":   func(v []byte) []byte { v[22] ^= 1; return v }, // after the state, the digest and the version
		"longer": func(v []byte) []byte { return append(v, 'x') },
	} {
		s, engine := openEngine(t)
		put(t, s, 1, "a", "w")
		_, err := s.Update(context.Background(), clerk, func(tx *storage.Tx) error { return pages.Erase(tx, 1, &page{Title: "gone"}, 1) })
		if err != nil {
			t.Fatal(err)
		}
		mustVerify(t, s)
		tamper(t, engine, storage.Key{4, 1}.Uint(1).Uint(1), change)
		report, err := s.Verify(context.Background(), nil)
		if err != nil || name != "longer" && !mentions(report, "recorded by another or at another time") || !mentions(report, "page") {
			t.Errorf("%s: %v %v", name, report, err)
		}
	}
}

func TestVerifyFindsAMetaRecordThatIsGone(t *testing.T) {
	for name, change := range map[string]func([]byte) []byte{
		"is missing":   func([]byte) []byte { return nil },
		"corrupt":      func(v []byte) []byte { return v[:len(v)-1] },
		"says that":    func(v []byte) []byte { v[5] ^= 1; return v }, // in the book's id
		"states no id": func(v []byte) []byte { return v[:2] },
	} {
		s, engine := openEngine(t)
		put(t, s, 1, "a", "w")
		tamper(t, engine, storage.Key{1}, change)
		if report, err := s.Verify(context.Background(), nil); err != nil || !mentions(report, name) {
			t.Errorf("%s: %v %v", name, report, err)
		}
	}
}

func TestVerifyFindsALedgerAheadOfTheJournal(t *testing.T) {
	s, engine := openEngine(t)
	put(t, s, 1, "a", "w")
	mustVerify(t, s)
	tamper(t, engine, storage.Key{7}, func([]byte) []byte { return storage.Key(nil).Uint(2) })
	if report, err := s.Verify(context.Background(), nil); err != nil || !mentions(report, "2 entries are hashed, the journal has 1") {
		t.Errorf("verify: %v %v", report, err)
	}
	if _, err := s.Repair(context.Background()); err != nil {
		t.Fatal(err)
	}
	mustVerify(t, s)
	put(t, s, 2, "b", "w")
	if head, err := s.Head(context.Background()); head.Size != 2 || err != nil {
		t.Errorf("head: %v, %v", head, err)
	}
}

func TestRepairKeepsTheKeysOfAnUnreadableRecord(t *testing.T) {
	s, engine := openEngine(t)
	put(t, s, 1, "a", "w")
	put(t, s, 2, "b", "w")
	tamper(t, engine, storage.Key{2, 1}.Uint(1), func([]byte) []byte { return []byte{77} })
	if _, err := s.Repair(context.Background()); err != nil {
		t.Fatal(err)
	}
	_, err := s.Update(context.Background(), clerk, func(tx *storage.Tx) error { return pages.Insert(tx, 3, &page{Title: "a"}, 1) })
	if !errors.Is(err, storage.ErrExists) {
		t.Errorf("the unreadable record's title was given away: %v", err)
	}
}

func TestVerifyNamesTwoHoldersOfAUniqueKey(t *testing.T) {
	s, engine := openEngine(t)
	put(t, s, 1, "a")
	tamper(t, engine, storage.Key{3, 1, 1}.String("a"), func([]byte) []byte { return nil })
	put(t, s, 2, "a")
	s.Repair(context.Background())
	report, err := s.Verify(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Log(report.Differences)
	for _, d := range report.Differences {
		if d.Derived && strings.Contains(d.Problem, "names another record") {
			t.Errorf("Repair can't mend %v", d)
		}
	}
}

func TestRestoreStaysInItsFolder(t *testing.T) {
	s := open(t, "", storage.Options{})
	put(t, s, 1, "a")
	dir := t.TempDir()
	backup := filepath.Join(dir, "backup")
	m, err := s.Backup(context.Background(), backup, nil)
	if err != nil {
		t.Fatal(err)
	}
	evil := []byte("evil")
	if err := os.WriteFile(filepath.Join(backup, "evil.txt"), evil, 0o644); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(evil)
	m.Files = append(m.Files, storage.File{Name: "evil.txt", Bytes: 4, SHA256: hex.EncodeToString(sum[:])})
	text, _ := json.Marshal(m)
	os.WriteFile(filepath.Join(backup, "manifest.json"), text, 0o644)
	_, err = storage.Restore(context.Background(), backup, filepath.Join(dir, "to", "book"))
	if _, statErr := os.Stat(filepath.Join(dir, "to", "evil.txt")); statErr == nil {
		t.Errorf("Restore wrote beside its folder: %v", err)
	}
	if !errors.Is(err, storage.ErrDamagedBackup) {
		t.Error(err)
	}
}

type countdown struct {
	context.Context
	n int
}

func (c *countdown) Err() error {
	if c.n--; c.n < 0 {
		return context.Canceled
	}
	return nil
}

func TestInterruptedRestoreLeavesNothing(t *testing.T) {
	s := open(t, "", storage.Options{})
	put(t, s, 1, "a")
	dir := t.TempDir()
	backup, to := filepath.Join(dir, "backup"), filepath.Join(dir, "to")
	m, err := s.Backup(context.Background(), backup, nil)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 2 * len(m.Files) {
		_, err := storage.Restore(&countdown{context.Background(), n}, backup, to)
		if err == nil {
			os.RemoveAll(to)
			continue
		}
		if files, _ := os.ReadDir(to); len(files) > 0 {
			t.Fatalf("after %d steps %d files stand there: %v", n, len(files), err)
		}
	}
}
