package storage_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
	"github.com/clientele-go/clientele/storage/kv/pebblekv"
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

// purged is an engine that notes which ranges it was to purge.
type purged struct {
	kv.Engine
	calls [][]kv.Range
}

func (p *purged) Purge(ctx context.Context, ranges []kv.Range) error {
	p.calls = append(p.calls, slices.Clone(ranges))
	return p.Engine.Purge(ctx, ranges)
}

// Erased records share keys, such as those of the sets that they were in, and the versions of
// one have nearly all keys in common. A range costs the engine a compaction.
func TestPurgeNamesEachKeyOnce(t *testing.T) {
	inner, err := pebblekv.Open("", pebblekv.Options{InMemory: true})
	if err != nil {
		t.Fatal(err)
	}
	engine := &purged{Engine: inner}
	s, err := storage.Open(context.Background(), engine, schema(), nil, storage.Options{Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for id := range pageID(3) {
		for version := range 5 {
			put(t, s, id+1, fmt.Sprint("title ", id, " ", version%2), "shared", "words")
		}
		update(t, s, func(tx *storage.Tx) error { return pages.Erase(tx, id+1, &page{Title: fmt.Sprint("erased ", id)}, 9) })
	}
	if n, err := s.Purge(context.Background()); n != 3 || err != nil {
		t.Fatalf("Purge: %d, %v, want 3", n, err)
	}
	for i, ranges := range engine.calls {
		for n := 1; n < len(ranges); n++ {
			if before := ranges[n-1].Upper; before == nil || bytes.Compare(before, ranges[n].Lower) >= 0 {
				t.Errorf("call %d: range %q follows one that ends at %q", i+1, ranges[n], before)
			}
		}
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
