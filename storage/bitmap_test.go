package storage_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/RoaringBitmap/roaring/v2"
	"pgregory.net/rapid"

	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/bitset"
	"github.com/clientele-go/clientele/storage/kv"
	"github.com/clientele-go/clientele/storage/kv/pebblekv"
)

// marked returns the pages that a bitmap has under a word.
func marked(t rapid.TB, s *storage.Store, word string) []uint64 {
	t.Helper()
	set := &bitset.Set{}
	err := s.View(context.Background(), func(r *storage.Reader) error { return collect(r, word, set) })
	if err != nil {
		t.Fatal(err)
	}
	return slices.Collect(set.All())
}

func collect(r *storage.Reader, word string, into *bitset.Set) error {
	return pageWords.Chunks(r, storage.Key(nil).String(word), 0, 1<<32, func(chunk uint64, stored []byte) error {
		return into.Own(chunk).OrStored(stored)
	})
}

func TestBitmapsFollowTheRecords(t *testing.T) {
	words := []string{"a", "b", "c"}
	rapid.Check(t, func(t *rapid.T) {
		s := openInMemory(t)
		defer s.Close()
		model := map[uint64][]string{}
		id := rapid.Custom(func(t *rapid.T) pageID {
			return pageID(rapid.Uint64Range(0, 2).Draw(t, "chunk")*bitset.ChunkSize + rapid.Uint64Range(1, 6).Draw(t, "low"))
		})
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			_, err := s.Update(context.Background(), clerk, func(tx *storage.Tx) error {
				for range rapid.IntRange(1, 3).Draw(t, "writes") {
					k := id.Draw(t, "id")
					if _, there := model[uint64(k)]; there && rapid.Bool().Draw(t, "delete") {
						delete(model, uint64(k))
						if err := pages.Delete(tx, k, 1); err != nil {
							return err
						}
						continue
					}
					list := rapid.SliceOfN(rapid.SampledFrom(words), 0, 3).Draw(t, "words")
					model[uint64(k)] = list
					if err := pages.Put(tx, k, &page{Title: fmt.Sprint(k), Words: list}, 1); err != nil {
						return err
					}
				}
				for _, w := range words { // a transaction sees its own changes
					own := &bitset.Set{}
					if err := collect(&tx.Reader, w, own); err != nil {
						return err
					}
					if got, want := slices.Collect(own.All()), having(model, w); !slices.Equal(got, want) {
						t.Fatalf("within: %q marks %v, want %v", w, got, want)
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		for _, w := range words {
			if got, want := marked(t, s, w), having(model, w); !slices.Equal(got, want) {
				t.Fatalf("%q marks %v, want %v", w, got, want)
			}
		}
		if report, err := s.Verify(context.Background(), nil); err != nil || !report.OK() {
			t.Fatalf("verify: %v, %v", report, err)
		}
	})
}

func having(model map[uint64][]string, word string) []uint64 {
	var ids []uint64
	for id, words := range model {
		if slices.Contains(words, word) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

func openInMemory(t rapid.TB) *storage.Store {
	engine, err := pebblekv.Open("", pebblekv.Options{InMemory: true, CacheBytes: 8 << 20})
	if err != nil {
		t.Fatal(err)
	}
	s, err := storage.Open(context.Background(), engine, schema(), nil, storage.Options{Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestConcurrentWritersOfOneBitmapDoNotConflict(t *testing.T) {
	s := open(t, "", storage.Options{})
	var group sync.WaitGroup
	for w := range 8 {
		group.Go(func() {
			for i := range 50 {
				id := pageID(w*50 + i + 1)
				_, err := s.Update(context.Background(), clerk, func(tx *storage.Tx) error {
					return pages.InsertNew(tx, id, &page{Title: fmt.Sprint(id), Words: []string{"w"}}, 1)
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if n := len(marked(t, s, "w")); n != 400 {
		t.Errorf("%d pages are marked, want 400", n)
	}
	verifyClean(t, s)
}

func TestLoadMarksBitmaps(t *testing.T) {
	s := open(t, "", storage.Options{})
	put(t, s, 5, "taken", "odd")
	refused := 0
	opts := storage.LoadOptions{PartBytes: 20_000, Refused: func(*storage.RefusedError) { refused++ }}
	_, err := s.Load(context.Background(), clerk, opts, func(l *storage.Loader) error {
		for i := uint64(bitset.ChunkSize - 500); i < bitset.ChunkSize+500; i++ {
			title := fmt.Sprint(i)
			if i == bitset.ChunkSize+1 {
				title = "taken"
			}
			word := "even"
			if i%2 == 1 {
				word = "odd"
			}
			if err := pages.Load(l, pageID(i), &page{Title: title, Words: []string{word}}, 1); err != nil {
				return err
			}
			if err := l.Next(); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil || refused != 1 {
		t.Fatalf("%d refused, %v", refused, err)
	}
	// 500 odd numbers, less the refused one, and page 5.
	if n := len(marked(t, s, "odd")); n != 500 {
		t.Errorf("odd marks %d pages, want 500", n)
	}
	if n := len(marked(t, s, "even")); n != 500 {
		t.Errorf("even marks %d pages, want 500", n)
	}
	verifyClean(t, s)
}

func TestVersionsTellOfEveryChangeOfAChunk(t *testing.T) {
	s := open(t, "", storage.Options{})
	versions := func() map[uint64]int64 {
		seen := map[uint64]int64{}
		view(t, s, func(r *storage.Reader) error {
			return pageWords.Versions(r, func(chunk uint64, n int64) error { seen[chunk] = n; return nil })
		})
		return seen
	}
	put(t, s, 1, "one", "a")
	put(t, s, bitset.ChunkSize, "far", "a")
	first := versions()
	if len(first) != 2 || first[0] == 0 || first[1] == 0 {
		t.Fatalf("versions are %v, want those of chunks 0 and 1", first)
	}
	put(t, s, 1, "uno", "a")     // the same words
	put(t, s, 2, "dos", "quiet") // a key that is not versioned
	if same := versions(); same[0] != first[0] || same[1] != first[1] {
		t.Errorf("versions are %v after a change that marks nothing, want %v", same, first)
	}
	put(t, s, 1, "uno", "b")
	if next := versions(); next[0] == first[0] || next[1] != first[1] {
		t.Errorf("versions are %v after a change in chunk 0, before %v", next, first)
	}
	before := versions()
	update(t, s, func(tx *storage.Tx) error { return pages.Delete(tx, bitset.ChunkSize, 1) })
	if next := versions(); next[1] == before[1] {
		t.Error("a deletion leaves the version as it was")
	}
	_, err := s.Load(context.Background(), clerk, storage.LoadOptions{}, func(l *storage.Loader) error {
		return errors.Join(pages.Load(l, 9, &page{Title: "nine", Words: []string{"c"}}, 1), l.Next())
	})
	if next := versions(); err != nil || next[0] == before[0] {
		t.Errorf("a load leaves the version as it was: %v", err)
	}
}

func verifyClean(t *testing.T, s *storage.Store) {
	t.Helper()
	if report, err := s.Verify(context.Background(), nil); err != nil || !report.OK() {
		t.Errorf("verify: %v, %v", report, err)
	}
}

func TestRepairMendsBitmaps(t *testing.T) {
	engine, err := pebblekv.Open("", pebblekv.Options{InMemory: true})
	if err != nil {
		t.Fatal(err)
	}
	s, err := storage.Open(context.Background(), engine, schema(), nil, storage.Options{Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, id := range []pageID{1, 2, 3, bitset.ChunkSize + 1} {
		put(t, s, id, fmt.Sprint(id), "w")
	}
	chunk := func(word string, n byte) storage.Key { return append(storage.Key{0x09, 1}.String(word), 0, 0, 0, n) }
	var b kv.Batch
	b.Merge(chunk("w", 0), kv.MemberDelta(2, false))
	b.Delete(chunk("w", 1))
	b.Set(chunk("ghost", 0), kv.BitmapValue(roaring.BitmapOf(3)))
	b.Set(chunk("torn", 0), []byte("bxx"))
	if _, err := engine.Apply(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	report, err := s.Verify(context.Background(), nil)
	if err != nil || len(report.Differences) != 4 {
		t.Errorf("%v, %v; want 4 differences", report.Differences, err)
	}
	if n, err := s.Repair(context.Background()); err != nil || n != 4 {
		t.Errorf("repaired %d, %v; want 4", n, err)
	}
	verifyClean(t, s)
	if got := marked(t, s, "w"); !slices.Equal(got, []uint64{1, 2, 3, bitset.ChunkSize + 1}) {
		t.Errorf("w marks %v", got)
	}
	if got := marked(t, s, "ghost"); len(got) != 0 {
		t.Errorf("ghost marks %v", got)
	}
}
