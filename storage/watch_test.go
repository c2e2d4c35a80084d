package storage_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
)

func eraOf(t testing.TB, s *storage.Store) (era storage.Era) {
	t.Helper()
	view(t, s, func(r *storage.Reader) error { era = r.Era(); return nil })
	return era
}

func TestAnEraEndsWithAChangeOfWhatIsWatched(t *testing.T) {
	s := openInMemory(t)
	defer s.Close()
	put(t, s, 1, "one", "a", "quiet")
	for _, x := range []struct {
		what   string
		change func()
		ends   bool
	}{
		{"nothing", func() {}, false},
		{"a set that isn't versioned", func() { put(t, s, 1, "one", "a") }, false},
		{"a versioned set", func() { put(t, s, 1, "one", "a", "b") }, true},
		{"a watched index", func() { put(t, s, 1, "uno", "a", "b") }, true},
		{"a new record", func() { put(t, s, 2, "two") }, true},
		{"a failed change", func() {
			_, err := s.Update(context.Background(), clerk, func(tx *storage.Tx) error { return pages.Insert(tx, 1, &page{}, 1) })
			if err == nil {
				t.Error("a record was inserted twice")
			}
		}, false},
		{"a bulk load", func() {
			_, err := s.Load(context.Background(), clerk, storage.LoadOptions{}, func(l *storage.Loader) error {
				if err := pages.Load(l, 9, &page{Title: "nine", Words: []string{"a"}}, 1); err != nil {
					return err
				}
				return l.Next()
			})
			if err != nil {
				t.Error(err)
			}
		}, true},
	} {
		before := eraOf(t, s)
		x.change()
		if after := eraOf(t, s); !before.Known() || !after.Known() || before == after == x.ends {
			t.Errorf("after a change of %s: known %v and %v, the same %v", x.what, before.Known(), after.Known(), before == after)
		}
	}
	update(t, s, func(tx *storage.Tx) error {
		if tx.Era().Known() {
			t.Error("an Update, which may change what is watched, knows its era")
		}
		return nil
	})
}

// TestAllStatesOfAnEraAreAlike has three goroutines change pages and compare what they see
// with what was seen in the same era.
func TestAllStatesOfAnEraAreAlike(t *testing.T) {
	s := openInMemory(t)
	defer s.Close()
	var mu sync.Mutex
	saw, again := map[storage.Era]string{}, 0
	look := func(r *storage.Reader) error {
		seen := ""
		err := pageWords.Versions(r, func(chunk uint64, n int64) error { seen += fmt.Sprint(chunk, ":", n, " "); return nil })
		if err != nil {
			return err
		}
		for e, err := range pages.Entries(r, byTitle, kv.Range{}, false) {
			if err != nil {
				return err
			}
			seen += fmt.Sprintf("%x ", []byte(e.Key()))
		}
		mu.Lock()
		defer mu.Unlock()
		if !r.Era().Known() {
			return nil
		}
		if before, known := saw[r.Era()]; known && before != seen {
			return fmt.Errorf("in one era %s and %s", before, seen)
		} else if known {
			again++
		}
		saw[r.Era()] = seen
		return nil
	}
	var working sync.WaitGroup
	for g := range 3 {
		working.Go(func() {
			random := rand.New(rand.NewPCG(3, uint64(g)))
			for range 150 {
				id, word := pageID(g*8+random.IntN(4)+1), []string{"a", "b", "quiet"}[random.IntN(3)]
				_, err := s.Update(context.Background(), clerk, func(tx *storage.Tx) error {
					return pages.Put(tx, id, &page{Title: fmt.Sprint(id, " ", random.IntN(2)), Words: []string{word}}, 1)
				})
				for range 3 {
					err = errors.Join(err, s.View(context.Background(), look))
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	working.Wait()
	if len(saw) < 10 || again < 10 {
		t.Errorf("%d eras, of which a state was seen again %d times: too few to tell", len(saw), again)
	}
}
