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
		{"an index", func() { put(t, s, 1, "uno", "a", "b") }, false},
		{"a new record in no set", func() { put(t, s, 2, "two") }, false},
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

// titlesIn is the index of titles in a state.
func titlesIn(r *storage.Reader) (titles map[string]bool, err error) {
	titles = map[string]bool{}
	for e, err := range pages.Entries(r, byTitle, kv.Range{}, false) {
		if err != nil {
			return nil, err
		}
		titles[string(e.Key())] = true
	}
	return titles, nil
}

// titleState is what a View saw of a watched index.
type titleState struct {
	recency storage.Recency
	titles  map[string]bool
}

// checkChanges compares two states: what they differ in must be among the changed keys.
func checkChanges(a, b titleState) (known bool, err error) {
	changed := map[string]bool{}
	known = pages.ChangedKeys(byTitle, a.recency, b.recency, func(key storage.Key) { changed[string(key)] = true })
	for _, two := range [][2]map[string]bool{{a.titles, b.titles}, {b.titles, a.titles}} {
		for title := range two[0] {
			if known && !two[1][title] && !changed[title] {
				return known, fmt.Errorf("%x is in one of two states alone and not among the changed keys", title)
			}
		}
	}
	return known, nil
}

// TestStatesDifferInChangedKeysAlone has three goroutines change titles, and compares what
// each View sees with what others saw before and meanwhile.
func TestStatesDifferInChangedKeysAlone(t *testing.T) {
	s := openInMemory(t)
	defer s.Close()
	var mu sync.Mutex
	var saw []titleState
	compared := 0
	look := func(r *storage.Reader) error {
		titles, err := titlesIn(r)
		if err != nil {
			return err
		}
		now := titleState{r.Recency(), titles}
		mu.Lock()
		defer mu.Unlock()
		for _, former := range saw[max(0, len(saw)-20):] {
			known, err := checkChanges(former, now)
			if err != nil {
				return err
			}
			if known {
				compared++
			}
		}
		saw = append(saw, now)
		return nil
	}
	var working sync.WaitGroup
	for g := range 3 {
		working.Go(func() {
			random := rand.New(rand.NewPCG(5, uint64(g)))
			for range 150 {
				id := pageID(g*8 + random.IntN(4) + 1)
				_, err := s.Update(context.Background(), clerk, func(tx *storage.Tx) error {
					return pages.Put(tx, id, &page{Title: fmt.Sprint(id, " ", random.IntN(3))}, 1)
				})
				for range 2 {
					err = errors.Join(err, s.View(context.Background(), look))
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	working.Wait()
	if compared < 1000 {
		t.Errorf("%d pairs of states were compared: too few to tell", compared)
	}
}

func TestChangedKeysAreThoseThatWereWritten(t *testing.T) {
	s := openInMemory(t)
	defer s.Close()
	recency := func() (now storage.Recency) {
		view(t, s, func(r *storage.Reader) error { now = r.Recency(); return nil })
		return now
	}
	changed := func(a, b storage.Recency) (n int, known bool) {
		known = pages.ChangedKeys(byTitle, a, b, func(storage.Key) { n++ })
		return n, known
	}
	put(t, s, 1, "one", "a")
	before := recency()
	if n, known := changed(before, before); n != 0 || !known {
		t.Errorf("between a state and itself: %d keys, known %v", n, known)
	}
	put(t, s, 1, "one", "b") // the title stays
	if n, known := changed(before, recency()); n != 0 || !known {
		t.Errorf("after a change of another index: %d keys, known %v", n, known)
	}
	put(t, s, 1, "uno", "b")
	after := recency()
	if n, known := changed(before, after); n != 2 || !known || !after.After(before) || before.After(after) {
		t.Errorf("after a title was changed: %d keys, known %v, later %v", n, known, after.After(before))
	}
	if n, known := changed(after, before); n != 2 || !known {
		t.Errorf("the other way round: %d keys, known %v", n, known)
	}
	_, err := s.Load(context.Background(), clerk, storage.LoadOptions{}, func(l *storage.Loader) error {
		if err := pages.Load(l, 9, &page{Title: "nine"}, 1); err != nil {
			return err
		}
		return l.Next()
	})
	if err != nil {
		t.Fatal(err)
	}
	loaded := recency()
	if _, known := changed(after, loaded); known {
		t.Error("the keys of a bulk load are said to be known")
	}
	for i := range 5000 {
		put(t, s, 1, fmt.Sprint(i))
	}
	if _, known := changed(loaded, recency()); known {
		t.Error("5,000 changes are said to be remembered")
	}
	if _, known := changed(storage.Recency{}, loaded); known || (storage.Recency{}).Known() {
		t.Error("something is said to be known of the zero Recency")
	}
	update(t, s, func(tx *storage.Tx) error {
		if tx.Recency().Known() {
			t.Error("an Update knows its recency")
		}
		return nil
	})
}
