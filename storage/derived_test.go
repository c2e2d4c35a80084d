package storage_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clientele-go/clientele/storage"
)

// shelf is a view of the pages' titles, with a store of its own that outlives it.
type shelf struct {
	*shelfStore
	fail func() error
}

type shelfStore struct {
	mu      sync.Mutex
	cursor  storage.Cursor
	titles  map[pageID]string
	applied int
	rebuilt int
}

func (s *shelf) Name() string { return "shelf" }
func (s *shelf) Close() error { return nil }

func (s *shelf) Cursor(context.Context) (storage.Cursor, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cursor, nil
}

func (s *shelf) Apply(_ context.Context, r *storage.Reader, changes []storage.Change, to storage.Cursor) error {
	if s.fail != nil {
		if err := s.fail(); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	next := s.cursor.Position + 1
	for _, c := range changes {
		if c.Position != next {
			return fmt.Errorf("entry %d after %d", c.Position, next-1)
		}
		next++
		for _, op := range c.Ops {
			n, _, _ := op.Key.CutUint()
			p, err := pages.Get(r, pageID(n))
			if errors.Is(err, storage.ErrNotFound) {
				delete(s.titles, pageID(n))
				continue
			}
			if err != nil {
				return err
			}
			s.titles[pageID(n)] = p.Title
		}
	}
	s.cursor = to
	s.applied++
	return nil
}

func (s *shelf) Rebuild(_ context.Context, r *storage.Reader, to storage.Cursor, progress func(int)) error {
	titles, err := titlesOf(r)
	if err != nil {
		return err
	}
	progress(len(titles))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.titles, s.cursor = titles, to
	s.rebuilt++
	return nil
}

func titlesOf(r *storage.Reader) (map[pageID]string, error) {
	titles := map[pageID]string{}
	for id := range pageID(1100) {
		p, err := pages.Get(r, id)
		if err == nil {
			titles[id] = p.Title
		} else if !errors.Is(err, storage.ErrNotFound) {
			return nil, err
		}
	}
	return titles, nil
}

func (s *shelf) Verify(_ context.Context, r *storage.Reader, report func(storage.Difference)) error {
	want, err := titlesOf(r)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !maps.Equal(want, s.titles) {
		report(storage.Difference{Where: "shelf", Key: "titles", Problem: "differ", Derived: true})
	}
	return nil
}

func newShelf() *shelf { return &shelf{shelfStore: &shelfStore{titles: map[pageID]string{}}} }

func TestViewFollowsTheJournal(t *testing.T) {
	v := newShelf()
	s := open(t, "", storage.Options{}, v)
	put(t, s, 1, "one")
	put(t, s, 2, "two")
	update(t, s, func(tx *storage.Tx) error { return pages.Delete(tx, 1, 1) })
	if err := s.Sync(context.Background(), "shelf"); err != nil {
		t.Fatal(err)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if want := map[pageID]string{2: "two"}; !maps.Equal(v.titles, want) {
		t.Errorf("view holds %v", v.titles)
	}
}

func TestViewCatchesUpAfterReopening(t *testing.T) {
	dir := t.TempDir()
	v := newShelf()
	func() {
		s := open(t, dir, storage.Options{}, v)
		put(t, s, 1, "one")
		if err := s.Sync(context.Background(), ""); err != nil {
			t.Fatal(err)
		}
		s.Close()
	}()
	func() { // opened without the view
		s := open(t, dir, storage.Options{})
		put(t, s, 1, "uno")
		put(t, s, 2, "due")
		s.Close()
	}()
	again := &shelf{shelfStore: v.shelfStore}
	s := open(t, dir, storage.Options{}, again)
	if err := s.Sync(context.Background(), "shelf"); err != nil {
		t.Fatal(err)
	}
	if want := map[pageID]string{1: "uno", 2: "due"}; !maps.Equal(v.titles, want) {
		t.Errorf("view holds %v", v.titles)
	}
	if v.rebuilt != 0 {
		t.Error("catching up took a rebuild")
	}
}

func TestFailingViewIsReportedAndTriedAgain(t *testing.T) {
	v := newShelf()
	boom := errors.New("disk of the view is full")
	var mu sync.Mutex
	failing := true
	v.fail = func() error {
		mu.Lock()
		defer mu.Unlock()
		if failing {
			return boom
		}
		return nil
	}
	s := open(t, "", storage.Options{}, v)
	put(t, s, 1, "one")
	if err := s.Sync(context.Background(), "shelf"); !errors.Is(err, boom) {
		t.Errorf("sync with a failing view: %v", err)
	}
	h, err := s.Health(context.Background())
	if err != nil || len(h.Problems) != 1 {
		t.Errorf("health: %+v, %v", h, err)
	}
	for _, state := range h.Views {
		if state.Name == "shelf" && (state.Lag != 1 || !errors.Is(state.Err, boom)) {
			t.Errorf("state: %+v", state)
		}
	}
	mu.Lock()
	failing = false
	mu.Unlock()
	deadline := time.Now().Add(20 * time.Second)
	for s.Sync(context.Background(), "shelf") != nil {
		if time.Now().After(deadline) {
			t.Fatal("the view did not recover")
		}
		time.Sleep(5 * time.Millisecond)
	}
	if h, _ = s.Health(context.Background()); len(h.Problems) != 0 {
		t.Errorf("health after recovery: %v", h.Problems)
	}
}

func TestRepairRebuildsAWrongView(t *testing.T) {
	v := newShelf()
	s := open(t, "", storage.Options{}, v)
	put(t, s, 1, "one")
	if err := s.Sync(context.Background(), ""); err != nil {
		t.Fatal(err)
	}
	v.mu.Lock()
	v.titles[1] = "wrong"
	v.mu.Unlock()
	report, err := s.Verify(context.Background(), nil)
	if err != nil || !mentions(report, "shelf titles: differ") {
		t.Errorf("%v, %v", report.Differences, err)
	}
	if _, err := s.Repair(context.Background()); err != nil {
		t.Fatal(err)
	}
	if report, err = s.Verify(context.Background(), nil); err != nil || !report.OK() {
		t.Errorf("after repair: %v, %v", report.Differences, err)
	}
}

// A view that is ahead of the journal belongs to a book of the future, one that was
// restored from a backup meanwhile; one with another book's cursor was put beside the
// wrong book. Positions alone don't tell.
func TestViewOfAnotherBookIsRebuilt(t *testing.T) {
	for name, cursor := range map[string]func(book string) storage.Cursor{
		"of the future":   func(book string) storage.Cursor { return storage.Cursor{Book: book, Position: 1000} },
		"of another book": func(string) storage.Cursor { return storage.Cursor{Book: "ff", Position: 1} },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := open(t, dir, storage.Options{})
			put(t, s, 1, "one")
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			v := newShelf()
			v.cursor, v.titles[9] = cursor(s.Book()), "from elsewhere"
			s = open(t, dir, storage.Options{}, v)
			if err := s.Sync(context.Background(), "shelf"); err != nil {
				t.Fatal(err)
			}
			v.mu.Lock()
			defer v.mu.Unlock()
			if want := map[pageID]string{1: "one"}; !maps.Equal(v.titles, want) || v.rebuilt != 1 || v.cursor.Book != s.Book() {
				t.Errorf("view holds %v after %d rebuilds, cursor %v", v.titles, v.rebuilt, v.cursor)
			}
		})
	}
}

// A view's panic is that view's error: others and the book go on.
func TestPanicOfAViewIsItsError(t *testing.T) {
	v := newShelf()
	v.fail = func() error { panic("shelf collapsed") }
	s := open(t, "", storage.Options{}, v)
	put(t, s, 1, "one")
	err := s.Sync(context.Background(), "shelf")
	if err == nil || !strings.Contains(err.Error(), "shelf collapsed") {
		t.Fatalf("Sync of a view that panics: %v", err)
	}
	put(t, s, 2, "two")
	if err := s.Sync(context.Background(), "ledger"); err != nil {
		t.Errorf("Sync of another view: %v", err)
	}
}
