package storage_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
	"github.com/clientele-go/clientele/storage/kv/pebblekv"
)

// slow is a view whose work lasts until its context ends.
type slow struct{ *shelf }

func (s slow) Apply(ctx context.Context, r *storage.Reader, changes []storage.Change, to storage.Cursor) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestSyncEndsWhenTheStoreIsClosed(t *testing.T) {
	s := open(t, "", storage.Options{}, slow{newShelf()})
	put(t, s, 1, "a")
	done := make(chan error, 1)
	go func() { done <- s.Sync(context.Background(), "shelf") }()
	time.Sleep(50 * time.Millisecond)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-done:
		if !errors.Is(err, storage.ErrClosed) {
			t.Errorf("Sync ended with %v", err)
		}
	case <-time.After(2 * time.Second):
		t.Error("Sync waits for ever")
	}
}

func TestViewTellsHowLongItStandsStill(t *testing.T) {
	broken := newShelf()
	broken.fail = func() error { return errors.New("broken") }
	s := open(t, "", storage.Options{}, broken)
	put(t, s, 1, "a")
	time.Sleep(600 * time.Millisecond)
	h, err := s.Health(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	v := h.Views[len(h.Views)-1]
	if v.Err == nil || v.Since < 450*time.Millisecond {
		t.Errorf("the view stands still since %v: %v", v.Since, v.Err)
	}
}

func TestLoadGivesUnusedNumbersBack(t *testing.T) {
	s := open(t, "", storage.Options{})
	var last uint64
	for round := range 3 {
		_, err := s.Load(context.Background(), clerk, storage.LoadOptions{}, func(l *storage.Loader) error {
			for i := range 3 {
				n, err := pageIDs.Load(l, nil)
				if err != nil {
					return err
				}
				last = n
				if err := pages.Load(l, pageID(n), &page{Title: fmt.Sprint(round, i)}, 1); err != nil {
					return err
				}
				if err := l.Next(); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if last != 9 {
		t.Errorf("the ninth number is %d", last)
	}
}

func TestLoadRefusesTheSameKeyTwice(t *testing.T) {
	s := open(t, "", storage.Options{})
	_, err := s.Load(context.Background(), clerk, storage.LoadOptions{}, func(l *storage.Loader) error {
		for i := range 2 {
			if err := pages.Load(l, 7, &page{Title: fmt.Sprint("t", i)}, 1); err != nil {
				return err
			}
			if err := l.Next(); err != nil {
				return err
			}
		}
		return nil
	})
	report, verr := s.Verify(context.Background(), nil)
	if err == nil {
		t.Errorf("no error; Verify: %v %v", report.Differences, verr)
	}
}

func TestLoadRefusesALongKey(t *testing.T) {
	s := open(t, "", storage.Options{})
	_, err := s.Load(context.Background(), clerk, storage.LoadOptions{}, func(l *storage.Loader) error {
		if err := pages.Load(l, 7, &page{Title: strings.Repeat("x", 70000)}, 1); err != nil {
			return err
		}
		return l.Next()
	})
	if !errors.Is(err, storage.ErrLimit) {
		report, verr := s.Verify(context.Background(), nil)
		t.Errorf("%v; Verify: %v %v", err, report.OK(), verr)
	}
}

func TestEndedTransactionWritesNothing(t *testing.T) {
	s := open(t, "", storage.Options{})
	var kept *storage.Tx
	update(t, s, func(tx *storage.Tx) error { kept = tx; return nil })
	if err := hits.Add(kept, nil, 1); !errors.Is(err, storage.ErrEnded) {
		t.Errorf("Add: %v", err)
	}
	if _, err := pageIDs.Next(kept, nil); !errors.Is(err, storage.ErrEnded) {
		t.Errorf("Next: %v", err)
	}
	if _, err := numbers.NextGapless(kept, nil); !errors.Is(err, storage.ErrEnded) {
		t.Errorf("NextGapless: %v", err)
	}
}

func TestOpenRefusesAnAmbiguousSchema(t *testing.T) {
	engine, err := pebblekv.Open("", pebblekv.Options{InMemory: true})
	if err != nil {
		t.Fatal(err)
	}
	twice := &storage.Schema{Tables: []storage.AnyTable{pages, pages}}
	s, err := storage.Open(context.Background(), engine, twice, nil, storage.Options{Logger: quiet})
	if !errors.Is(err, storage.ErrInvalid) {
		t.Errorf("opened: %v", err)
		s.Close()
	}
}

func TestRelaxedWritesReachTheViews(t *testing.T) {
	s := open(t, "", storage.Options{}, newShelf())
	relaxed := storage.Session{Actor: "x", Durability: kv.Relaxed}
	for i := range 10 {
		s.Update(context.Background(), relaxed, func(tx *storage.Tx) error { return pages.Put(tx, pageID(i+1), &page{Title: fmt.Sprint(i)}, 1) })
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	if err := s.Sync(ctx, "shelf"); err != nil {
		t.Error(err)
	}
}

// Numbers of failed transactions are given out again, also after closing in order.
func TestOrderlyCloseReturnsTheNumbersOfFailedUpdates(t *testing.T) {
	dir := t.TempDir()
	next := func(fail bool) (n uint64) {
		engine, err := pebblekv.Open(dir, pebblekv.Options{})
		if err != nil {
			t.Fatal(err)
		}
		s, err := storage.Open(context.Background(), engine, schema(), nil, storage.Options{Logger: quiet})
		if err != nil {
			t.Fatal(err)
		}
		boom := errors.New("boom")
		_, err = s.Update(context.Background(), clerk, func(tx *storage.Tx) (err error) {
			if n, err = pageIDs.Next(tx, nil); err == nil && fail {
				err = boom
			}
			return err
		})
		if err != nil && !errors.Is(err, boom) {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		return n
	}
	next(true)
	if n := next(false); n != 1 {
		t.Errorf("number is %d", n)
	}
}

func TestNilFunctionIsAnError(t *testing.T) {
	s := open(t, "", storage.Options{})
	ctx := context.Background()
	_, update := s.Update(ctx, clerk, nil)
	_, load := s.Load(ctx, clerk, storage.LoadOptions{}, nil)
	for call, err := range map[string]error{"Update": update, "View": s.View(ctx, nil), "Load": load} {
		var structured *storage.Error
		if !errors.Is(err, storage.ErrInvalid) || !errors.As(err, &structured) {
			t.Errorf("%s without a function: %v, want a *storage.Error that wraps ErrInvalid", call, err)
		}
	}
}

// The journal says who made each change.
func TestNobodyChangesNothing(t *testing.T) {
	s := open(t, "", storage.Options{})
	nobody := storage.Session{Reason: "why not"}
	_, update := s.Update(context.Background(), nobody, func(tx *storage.Tx) error {
		t.Error("the function of nobody ran")
		return pages.Put(tx, 1, &page{Title: "a"}, 1)
	})
	_, load := s.Load(context.Background(), nobody, storage.LoadOptions{}, func(l *storage.Loader) error {
		if err := pages.Load(l, 1, &page{Title: "a"}, 1); err != nil {
			return err
		}
		return l.Next()
	})
	if !errors.Is(update, storage.ErrInvalid) || !errors.Is(load, storage.ErrInvalid) {
		t.Errorf("Update: %v, Load: %v, want ErrInvalid", update, load)
	}
	if position, err := s.Position(context.Background()); position != 0 || err != nil {
		t.Errorf("the journal has %d entries, %v", position, err)
	}
}

// A transaction whose context ends at the commit gives its numbers back like one that its
// function ends.
func TestCancelledCommitGivesItsNumbersBack(t *testing.T) {
	s := open(t, "", storage.Options{})
	for range 3 {
		ctx, cancel := context.WithCancel(context.Background())
		_, err := s.Update(ctx, clerk, func(tx *storage.Tx) error {
			n, err := pageIDs.Next(tx, nil)
			if err == nil {
				err = pages.InsertNew(tx, pageID(n), &page{Title: "lost"}, 1)
			}
			cancel()
			return err
		})
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("a commit without a context: %v", err)
		}
	}
	update(t, s, func(tx *storage.Tx) error {
		n, err := pageIDs.Next(tx, nil)
		if n != 1 {
			t.Errorf("after three transactions that committed nothing the first number is %d", n)
		}
		return err
	})
}

func TestLoadWithoutRefusedWritesNothingOfItsPart(t *testing.T) {
	s := open(t, "", storage.Options{})
	loaded, err := s.Load(context.Background(), clerk, storage.LoadOptions{}, func(l *storage.Loader) error {
		for i, title := range []string{"a", "b", "a", "c"} {
			if err := pages.Load(l, pageID(i+1), &page{Title: title}, 1); err != nil {
				return err
			}
			if err := l.Next(); err != nil {
				return err
			}
		}
		return nil
	})
	report, verr := s.Verify(context.Background(), nil)
	if !errors.Is(err, storage.ErrExists) || loaded.Rows != 0 || verr != nil || report.Records != 0 {
		t.Errorf("loaded %+v, %v; %+v, %v", loaded, err, report, verr)
	}
}

// A transaction that outlives Close must not draw numbers that Close has returned.
func TestClosedStoreGivesOutNoNumber(t *testing.T) {
	s := open(t, "", storage.Options{})
	_, err := s.Update(context.Background(), clerk, func(tx *storage.Tx) error {
		if _, err := pageIDs.Next(tx, nil); err != nil {
			return err
		}
		closed := make(chan struct{})
		go func() { defer close(closed); s.Close() }()
		select {
		case <-closed:
		case <-time.After(300 * time.Millisecond):
		}
		_, err := pageIDs.Next(tx, nil)
		if !errors.Is(err, storage.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
		return err
	})
	if err == nil {
		t.Error("committed")
	}
}
