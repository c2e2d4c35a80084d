package storage_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/clientele-go/clientele/storage"
)

// A View that began before the erasure keeps what it sees on disk. The store must not forget
// that it is there, and a backup must not take it along.
func TestPurgeIsRepeatedAfterAnOlderView(t *testing.T) {
	dir, ctx := t.TempDir(), context.Background()
	s := open(t, dir, storage.Options{})
	put(t, s, 1, "canary one")
	put(t, s, 1, "canary two") // a version before, and a former index key
	view(t, s, func(*storage.Reader) error {
		update(t, s, func(tx *storage.Tx) error { return pages.Erase(tx, 1, &page{Title: "erased"}, 9) })
		if _, err := s.Purge(ctx); !errors.Is(err, storage.ErrPinned) {
			t.Errorf("Purge beside an older View: %v, want ErrPinned", err)
		}
		if _, err := s.Backup(ctx, filepath.Join(t.TempDir(), "copy"), nil); !errors.Is(err, storage.ErrPinned) {
			t.Errorf("Backup beside an older View: %v, want ErrPinned", err)
		}
		return nil
	})
	if file := fileWith(t, dir, "canary"); file == "" {
		t.Error("nothing is left on disk though it was pinned; this test shows nothing")
	}
	if n, err := s.Erased(ctx); n != 1 || err != nil {
		t.Errorf("after a pinned purge %d erased records wait, %v, want 1", n, err)
	}
	if n, err := s.Purge(ctx); n != 1 || err != nil {
		t.Errorf("Purge after the View: %d, %v, want 1", n, err)
	}
	if file := fileWith(t, dir, "canary"); file != "" {
		t.Errorf("%s holds what was erased", file)
	}
	if n, err := s.Purge(ctx); n != 0 || err != nil {
		t.Errorf("a further purge: %d, %v, want 0", n, err)
	}
}

// fileWith returns a file under dir that holds text, or "".
func fileWith(t *testing.T, dir, text string) (name string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if bytes.Contains(content, []byte(text)) {
			name = path
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return name
}
