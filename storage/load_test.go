package storage_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/clientele-go/clientele/storage"
)

var errBadRow = errors.New("bad row")

// pageRow is a row of the tests below: page n, of which every hundredth is refused by a
// step, each time by the next one.
type pageRow struct {
	n    int
	id   uint64
	page page
}

func pageWork(refusedBy func(n int) string) storage.RowWork[pageRow] {
	fails := func(step string, x *pageRow) error {
		if refusedBy(x.n) == step {
			return fmt.Errorf("%w: %s %d", errBadRow, step, x.n)
		}
		return nil
	}
	return storage.RowWork[pageRow]{
		Prepare: func(x *pageRow) error {
			x.page = page{Title: fmt.Sprint("title ", x.n), Words: []string{"w", fmt.Sprint(x.n % 10)}}
			return fails("prepare", x)
		},
		Place: func(l *storage.Loader, x *pageRow) (err error) {
			if l.Row() != x.n {
				return fmt.Errorf("row %d is placed as %d", x.n, l.Row())
			}
			if err := fails("place", x); err != nil {
				return err
			}
			x.id, err = pageIDs.Load(l, nil)
			return err
		},
		Add: func(l *storage.Loader, x *pageRow) error {
			hits.Load(l, storage.Key(nil).Uint(7), 1)
			if err := pages.Load(l, pageID(x.id), &x.page, 1); err != nil {
				return err
			}
			return fails("add", x) // after the page was added
		},
	}
}

func loadPages(s *storage.Store, n int, opts storage.LoadOptions, work storage.RowWork[pageRow]) (storage.Loaded, error) {
	return storage.LoadRows(context.Background(), s, clerk, opts, work, func(l *storage.RowLoader[pageRow]) error {
		for i := range n {
			l.Row().n = i
			if err := l.Next(); err != nil {
				return err
			}
		}
		return nil
	})
}

func TestLoadRowsKeepsOrderAndLeavesOut(t *testing.T) {
	s := open(t, "", storage.Options{})
	put(t, s, 900000, "title 55", "already here")
	const rows = 5000
	work := pageWork(func(n int) string { return map[int]string{0: "prepare", 100: "place", 200: "add"}[n%300] })
	var left, refused []int
	work.LeftOut = func(row int, err error) error {
		if !errors.Is(err, errBadRow) || !strings.HasSuffix(err.Error(), fmt.Sprint(" ", row)) {
			t.Errorf("row %d: %v", row, err)
		}
		left = append(left, row)
		return nil
	}
	loaded, err := loadPages(s, rows, storage.LoadOptions{
		PartBytes: 100_000,
		Refused:   func(e *storage.RefusedError) { refused = append(refused, e.Row) },
	}, work)
	if err != nil {
		t.Fatal(err)
	}
	for i, row := range left {
		if row != 100*i {
			t.Fatalf("row %d was left out as number %d", row, i)
		}
	}
	if len(left) != 50 || len(refused) != 1 || refused[0] != 55 || loaded.Rows != rows-51 || loaded.Refused != 51 {
		t.Errorf("left out %v, refused %v, loaded %+v", left, refused, loaded)
	}
	view(t, s, func(r *storage.Reader) error {
		p, err := pages.Get(r, pageID(1))
		if err != nil || p.Title != "title 1" { // row 0 drew no number
			t.Errorf("page 1 is %+v, %v", p, err)
		}
		n, err := hits.Get(r, storage.Key(nil).Uint(7))
		if n != int64(loaded.Rows) || err != nil {
			t.Errorf("counted %d, %v", n, err)
		}
		return nil
	})
	report, err := s.Verify(context.Background(), nil)
	if err != nil || !report.OK() || report.Records != int64(loaded.Rows)+1 {
		t.Errorf("%+v, %v", report, err)
	}
}

func TestLoadRowsEndsWithTheFirstBadRow(t *testing.T) {
	s := open(t, "", storage.Options{})
	loaded, err := loadPages(s, 1000, storage.LoadOptions{}, pageWork(func(n int) string { return map[int]string{700: "add", 300: "place"}[n] }))
	if !errors.Is(err, errBadRow) || !strings.Contains(err.Error(), "place 300") || loaded.Rows != 0 {
		t.Errorf("loaded %+v, %v", loaded, err)
	}
	report, err := s.Verify(context.Background(), nil)
	if err != nil || !report.OK() || report.Records != 0 {
		t.Errorf("%+v, %v", report, err)
	}
}

// A panic in one step of one row is the load's error; whoever waits for their turn goes on.
func TestPanicInAStepEndsTheLoad(t *testing.T) {
	for _, step := range []string{"prepare", "place", "add"} {
		s := open(t, "", storage.Options{})
		work := pageWork(func(n int) string {
			return ""
		})
		var rows atomic.Int64
		boom := func(at string) {
			if at == step && rows.Add(1) == 300 {
				panic("boom in " + step)
			}
		}
		prepare, place, add := work.Prepare, work.Place, work.Add
		work.Prepare = func(x *pageRow) error { boom("prepare"); return prepare(x) }
		work.Place = func(l *storage.Loader, x *pageRow) error { boom("place"); return place(l, x) }
		work.Add = func(l *storage.Loader, x *pageRow) error { boom("add"); return add(l, x) }
		if _, err := loadPages(s, 5000, storage.LoadOptions{}, work); err == nil || !strings.Contains(err.Error(), "boom in "+step) {
			t.Errorf("%s: %v", step, err)
		}
		if loaded, err := loadPages(s, 500, storage.LoadOptions{}, pageWork(func(int) string { return "" })); err != nil || loaded.Rows != 500 {
			t.Errorf("the next load: %+v, %v", loaded, err)
		}
	}
}

// A caller that recovers from its own panic finds the store as before; TestMain looks
// for goroutines.
func TestPanicOfTheCallerLeavesNothing(t *testing.T) {
	s := open(t, "", storage.Options{})
	for _, load := range []func(){
		func() {
			s.Load(context.Background(), clerk, storage.LoadOptions{}, func(l *storage.Loader) error { panic("mine") })
		},
		func() {
			storage.LoadRows(context.Background(), s, clerk, storage.LoadOptions{}, pageWork(nil), func(l *storage.RowLoader[pageRow]) error { panic("mine") })
		},
	} {
		func() {
			defer func() {
				if thrown := recover(); thrown != "mine" {
					t.Errorf("recovered %v", thrown)
				}
			}()
			load()
		}()
	}
	if loaded, err := loadPages(s, 500, storage.LoadOptions{}, pageWork(func(int) string { return "" })); err != nil || loaded.Rows != 500 {
		t.Errorf("the next load: %+v, %v", loaded, err)
	}
}

// A row under a key that the table has, since a transaction or an earlier load put a
// record there, is left out with all that belongs to it.
func TestLoadLeavesOutWhatTheTableHas(t *testing.T) {
	s := open(t, "", storage.Options{})
	put(t, s, 5, "of a transaction", "kept")
	load := func(title string) (refused []string, loaded storage.Loaded) {
		t.Helper()
		loaded, err := s.Load(context.Background(), clerk, storage.LoadOptions{
			Refused: func(e *storage.RefusedError) {
				if id, _, err := e.Key.CutUint(); err != nil || e.Table != "page" || id != uint64(e.Row)+1 {
					t.Errorf("refused %+v: page %d, %v", e, id, err)
				}
				refused = append(refused, e.Error())
			},
		}, func(l *storage.Loader) error {
			for i := range 10 {
				if err := pages.Load(l, pageID(i+1), &page{Title: fmt.Sprint(title, i), Words: []string{title}}, 1); err != nil {
					return err
				}
				hits.Load(l, storage.Key(nil).Uint(9), 1)
				if err := l.Next(); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return refused, loaded
	}
	if refused, loaded := load("first"); loaded.Rows != 9 || len(refused) != 1 || refused[0] != "storage: load: row 4: storage: page: the table has record 01 05" {
		t.Errorf("loaded %+v, refused %q", loaded, refused)
	}
	if refused, loaded := load("second"); loaded.Rows != 0 || len(refused) != 10 {
		t.Errorf("loaded %+v, refused %q", loaded, refused)
	}
	view(t, s, func(r *storage.Reader) error {
		if got := withWord(t, r, "kept"); len(got) != 1 {
			t.Errorf("pages %v are kept", got)
		}
		if got := withWord(t, r, "second"); len(got) != 0 {
			t.Errorf("pages %v were loaded twice", got)
		}
		n, err := hits.Get(r, storage.Key(nil).Uint(9))
		if n != 9 {
			t.Errorf("%d hits of 9 rows", n)
		}
		return err
	})
	if report, err := s.Verify(context.Background(), nil); err != nil || !report.OK() || report.Records != 10 {
		t.Errorf("%+v, %v", report, err)
	}
}
