package lineage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"reflect"
	"slices"
	"testing"

	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv/pebblekv"
	"github.com/clientele-go/clientele/storage/record"
)

// open returns a table in a store in memory, and a function that runs a transaction.
func open(t *testing.T) (*Table, func(func(*storage.Tx) error)) {
	t.Helper()
	table, schema := New(1, "lineage"), &storage.Schema{}
	table.AddTo(schema)
	engine, err := pebblekv.Open("", pebblekv.Options{InMemory: true, CacheBytes: 8 << 20})
	if err != nil {
		t.Fatal(err)
	}
	store, err := storage.Open(context.Background(), engine, schema, nil, storage.Options{Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return table, func(f func(*storage.Tx) error) {
		t.Helper()
		if _, err := store.Update(context.Background(), storage.Session{Actor: "chen"}, f); err != nil {
			t.Fatal(err)
		}
	}
}

// An edit ends what was given before it, not what is given after.
func TestAnEditEndsWhatWasGivenBefore(t *testing.T) {
	table, update := open(t)
	update(func(tx *storage.Tx) error {
		l := &Lineage{Own: "own"}
		if err := table.Give(tx, 1, 9, l, "a"); err != nil {
			return err
		}
		l.Edit("a")
		return errors.Join(table.Put(tx, 1, l), table.Give(tx, 1, 2, l, "a"))
	})
	update(func(tx *storage.Tx) error {
		l, err := table.Of(&tx.Reader, 1)
		if err != nil || l == nil || l.Own != "own" {
			t.Fatalf("the lineage is %+v, %v", l, err)
		}
		gifts, err := table.Brought(&tx.Reader, 1)
		if err != nil || len(gifts) != 2 || gifts[0].Loser != 9 || gifts[1].Loser != 2 {
			t.Fatalf("in the order of merges, 9 and 2 brought %+v, %v", gifts, err)
		}
		for i, want := range []bool{false, true} {
			if l.Counts(&gifts[i], "a") != want || !l.Counts(&gifts[i], "b") {
				t.Errorf("what %d brought counts: a %v, want %v; b %v, want true", gifts[i].Loser, !want, want, !want)
			}
		}
		if err := table.TakeBack(tx, 1, 9, l, gifts[1:]); err != nil {
			return err
		}
		if len(l.edited) != 0 {
			t.Errorf("an edit that concerns nobody is kept: %v", l.edited)
		}
		return table.TakeBack(tx, 1, 2, l, nil)
	})
	update(func(tx *storage.Tx) error {
		if l, err := table.Of(&tx.Reader, 1); l != nil || err != nil {
			t.Errorf("with the last gift the lineage goes; it is %+v, %v", l, err)
		}
		return nil
	})
}

// Nothing is left of an erased survivor, and all of the next one.
func TestForget(t *testing.T) {
	table, update := open(t)
	update(func(tx *storage.Tx) error {
		first, next := &Lineage{}, &Lineage{}
		return errors.Join(table.Give(tx, 1, 2, first, "x"), table.Give(tx, 1, 3, first, "y"), table.Give(tx, 2, 4, next, "z"))
	})
	update(func(tx *storage.Tx) error { return errors.Join(table.Forget(tx, 1), table.Forget(tx, 7)) })
	update(func(tx *storage.Tx) error {
		for survivor, want := range map[uint64]int{1: 0, 2: 1} {
			l, err := table.Of(&tx.Reader, survivor)
			gifts, err2 := table.Brought(&tx.Reader, survivor)
			if len(gifts) != want || (l != nil) != (want > 0) || err != nil || err2 != nil {
				t.Errorf("customer %d has %+v with %+v, %v, %v", survivor, l, gifts, err, err2)
			}
		}
		return nil
	})
}

// Rows are read as written, and fields of a later program stay.
func TestRowsKeepWhatALaterProgramWrote(t *testing.T) {
	for name, x := range map[string]struct {
		key rowKey
		row row
	}{
		"survivor": {rowKey{1, 0}, row{lineage: Lineage{Own: "o", Left: "l", merges: 3, edited: map[string]uint64{"a": 1, "": 2}}}},
		"loser":    {rowKey{1, 2}, row{gift: Gift{Loser: 2, Elements: "e", merge: 3}}},
	} {
		stored, err := appendRow(nil, &x.row)
		if err != nil {
			t.Fatal(err)
		}
		later := record.Writer{Buf: slices.Clone(stored)}
		later.Text(99, "later")
		for _, src := range [][]byte{stored, later.Buf} {
			read, err := decodeRow(string(src), x.key, storage.Meta{})
			if err != nil {
				t.Fatal(err)
			}
			again, err := appendRow(nil, read)
			if err != nil || !slices.Equal(again, src) {
				t.Errorf("%s: % x was written again as % x, %v", name, src, again, err)
			}
		}
		if read, err := decodeRow(string(stored), x.key, storage.Meta{}); err != nil || !reflect.DeepEqual(*read, x.row) {
			t.Errorf("%s: %+v was read as %+v, %v", name, x.row, read, err)
		}
	}
	if _, err := decodeRow("\x0b\x01\xff", rowKey{1, 0}, storage.Meta{}); !errors.Is(err, record.ErrMalformed) {
		t.Errorf("a damaged edit gave %v", err)
	}
}

func Example() {
	table, schema := New(1, "tag_lineage"), &storage.Schema{}
	table.AddTo(schema)
	engine, _ := pebblekv.Open("", pebblekv.Options{InMemory: true})
	store, _ := storage.Open(context.Background(), engine, schema, nil, storage.Options{})
	defer store.Close()
	_, err := store.Update(context.Background(), storage.Session{Actor: "chen"}, func(tx *storage.Tx) error {
		l := &Lineage{Own: "retail"}
		// Customers 2 and 3 are merged into 1. Then a person removes a tag that both brought.
		if err := errors.Join(table.Give(tx, 1, 2, l, "vip"), table.Give(tx, 1, 3, l, "vip,export")); err != nil {
			return err
		}
		l.Edit("vip")
		if err := table.Put(tx, 1, l); err != nil {
			return err
		}
		gifts, err := table.Brought(&tx.Reader, 1)
		for _, g := range gifts {
			fmt.Println(g.Loser, "brought", g.Elements+"; counts: vip", l.Counts(&g, "vip"), "export", l.Counts(&g, "export"))
		}
		return err
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// 2 brought vip; counts: vip false export true
	// 3 brought vip,export; counts: vip false export true
}
