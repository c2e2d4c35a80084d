package storage_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
	"github.com/clientele-go/clientele/storage/kv/pebblekv"
	"github.com/clientele-go/clientele/storage/record"
)

// attempts runs a transaction, with a concurrent change between its reads and its
// commit in the first attempt, and returns how often it ran.
func attempts(t *testing.T, s *storage.Store, change func(), f func(tx *storage.Tx) error) (n int) {
	t.Helper()
	update(t, s, func(tx *storage.Tx) error {
		n++
		if err := f(tx); err != nil {
			return err
		}
		if n == 1 {
			change()
		}
		return pages.Put(tx, 999, &page{Title: "result"}, 1)
	})
	return n
}

// A loop that stops early conflicts with changes of what it saw, and with no others.
func TestScanConflictsOnlyWithWhatItSaw(t *testing.T) {
	take := func(keys kv.Range, reverse bool, n int) func(*storage.Tx) error {
		return func(tx *storage.Tx) error {
			for _, err := range pages.Records(&tx.Reader, keys, reverse) {
				if err != nil {
					return err
				}
				if n--; n <= 0 {
					break
				}
			}
			return nil
		}
	}
	below := kv.Range{Upper: storage.Key(nil).Uint(500)} // the result is not among them
	for _, c := range []struct {
		name    string
		read    func(*storage.Tx) error
		changed pageID
		want    int
	}{
		{"first of many, a later one changed", take(below, false, 1), 20, 1},
		{"first of many, itself changed", take(below, false, 1), 10, 2},
		{"first of many, one put before it", take(below, false, 1), 5, 2},
		{"second of many, the one between put", take(below, false, 2), 15, 2},
		{"last of many, an earlier one changed", take(below, true, 1), 10, 1},
		{"last of many, itself changed", take(below, true, 1), 30, 2},
		{"last of many, one put behind it", take(below, true, 1), 35, 2},
		{"all, one put behind them", take(below, false, 100), 35, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := open(t, "", storage.Options{})
			for _, id := range []pageID{10, 20, 30} {
				put(t, s, id, fmt.Sprint(id))
			}
			got := attempts(t, s, func() { put(t, s, c.changed, fmt.Sprint("changed ", c.changed)) }, c.read)
			if got != c.want {
				t.Errorf("the transaction ran %d times, want %d", got, c.want)
			}
		})
	}
}

func TestTimeNeverGoesBack(t *testing.T) {
	now := time.Date(2024, 3, 1, 12, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	dir := t.TempDir()
	recorded := func(s *storage.Store) (last time.Time) {
		view(t, s, func(r *storage.Reader) error {
			p, err := pages.Get(r, 1)
			if err == nil {
				last = p.Meta.Recorded
			}
			return err
		})
		return last
	}
	s := open(t, dir, storage.Options{Clock: clock})
	put(t, s, 1, "one")
	first := now
	now = now.Add(-time.Hour)
	put(t, s, 1, "two")
	if got := recorded(s); !got.Equal(first) {
		t.Errorf("recorded at %v after the clock went back, want %v", got, first)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir, storage.Options{Clock: clock})
	put(t, s, 1, "three")
	if got := recorded(s); !got.Equal(first) {
		t.Errorf("recorded at %v after opening again, want %v", got, first)
	}
	now = first.Add(time.Second)
	put(t, s, 1, "four")
	if got := recorded(s); !got.Equal(now) {
		t.Errorf("recorded at %v when the clock has caught up, want %v", got, now)
	}
}

func TestChangesBeyondTheEndAreRefused(t *testing.T) {
	s := open(t, "", storage.Options{})
	end := put1(t, s)
	for _, err := range s.Changes(context.Background(), end) {
		t.Errorf("at the end: %v", err)
	}
	for _, err := range s.Changes(context.Background(), end+1) {
		if !errors.Is(err, storage.ErrInvalid) {
			t.Errorf("beyond the end: %v", err)
		}
		return
	}
	t.Error("beyond the end there is no error")
}

func put1(t *testing.T, s *storage.Store) kv.Position {
	return update(t, s, func(tx *storage.Tx) error { return pages.Put(tx, 1, &page{Title: "one"}, 1) })
}

// settings is a pinned table of one number.
var settings = &storage.Table[string, *uint64]{
	ID: 9, Label: "settings", Key: storage.StringKey[string](), Pinned: true,
	Append: func(dst []byte, n *uint64) ([]byte, error) {
		w := record.Writer{Buf: dst}
		w.Uint(1, *n)
		return w.Buf, nil
	},
	Decode: func(src string, _ string, _ storage.Meta) (*uint64, error) {
		n := new(uint64)
		r := record.NewReader(src)
		for r.Next() {
			*n = r.Uint()
		}
		return n, r.Err()
	},
}

// Writers count in a pinned record and beside it, in a table that is not pinned: every
// reader must see both numbers equal, and no increment may be lost.
func TestPinnedRecordsAreOfTheReadersState(t *testing.T) {
	engine, err := pebblekv.Open("", pebblekv.Options{InMemory: true})
	if err != nil {
		t.Fatal(err)
	}
	beside := &storage.Table[string, *uint64]{ID: 10, Label: "beside", Key: settings.Key, History: settings.History, Append: settings.Append, Decode: settings.Decode}
	s, err := storage.Open(context.Background(), engine, &storage.Schema{Tables: []storage.AnyTable{settings, beside}}, nil, storage.Options{Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	number := func(table *storage.Table[string, *uint64], r *storage.Reader) (uint64, error) {
		n, err := table.Get(r, "n")
		if errors.Is(err, storage.ErrNotFound) {
			return 0, nil
		}
		if err != nil {
			return 0, err
		}
		return *n, nil
	}
	both := func(r *storage.Reader) (uint64, error) {
		a, err := number(settings, r)
		if err != nil {
			return 0, err
		}
		b, err := number(beside, r)
		if a != b && err == nil {
			t.Errorf("the pinned record says %d, the other one %d", a, b)
		}
		return a, err
	}
	const writers, each = 4, 50
	var working, reading sync.WaitGroup
	stop := make(chan struct{})
	for range 2 {
		reading.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					view(t, s, func(r *storage.Reader) error { _, err := both(r); return err })
				}
			}
		})
	}
	for range writers {
		working.Go(func() {
			for range each {
				update(t, s, func(tx *storage.Tx) error {
					n, err := both(&tx.Reader)
					if err != nil {
						return err
					}
					n++
					if err := settings.Put(tx, "n", &n, 1); err != nil {
						return err
					}
					if own, err := number(settings, &tx.Reader); own != n || err != nil {
						t.Errorf("the transaction reads %d of its own %d: %v", own, n, err)
					}
					return beside.Put(tx, "n", &n, 1)
				})
			}
		})
	}
	working.Wait()
	close(stop)
	reading.Wait()
	view(t, s, func(r *storage.Reader) error {
		n, err := both(r)
		if n != writers*each {
			t.Errorf("counted to %d, want %d", n, writers*each)
		}
		return err
	})
}

// closing is a view that notes that it was closed.
type closing struct {
	*shelf
	closed int
}

func (c *closing) Close() error { c.closed++; return nil }

func TestFailedOpenClosesItsViews(t *testing.T) {
	engine, err := pebblekv.Open("", pebblekv.Options{InMemory: true})
	if err != nil {
		t.Fatal(err)
	}
	v := &closing{shelf: newShelf()}
	twice := &storage.Schema{Tables: []storage.AnyTable{pages, pages}}
	if _, err := storage.Open(context.Background(), engine, twice, []storage.DerivedView{v}, storage.Options{Logger: quiet}); !errors.Is(err, storage.ErrInvalid) {
		t.Fatalf("Open with an ambiguous schema: %v", err)
	}
	if _, err := engine.Snapshot(context.Background()); v.closed != 1 || !errors.Is(err, storage.ErrClosed) {
		t.Errorf("the view was closed %d times, the engine says %v", v.closed, err)
	}
}

func TestPinnedTableRefusesBulkLoads(t *testing.T) {
	engine, err := pebblekv.Open("", pebblekv.Options{InMemory: true})
	if err != nil {
		t.Fatal(err)
	}
	s, err := storage.Open(context.Background(), engine, &storage.Schema{Tables: []storage.AnyTable{settings}}, nil, storage.Options{Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	_, err = s.Load(context.Background(), clerk, storage.LoadOptions{}, func(l *storage.Loader) error {
		n := uint64(1)
		return settings.Load(l, "n", &n, 1)
	})
	if !errors.Is(err, storage.ErrInvalid) {
		t.Errorf("loading a pinned table: %v", err)
	}
}
