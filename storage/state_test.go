package storage_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
	"github.com/clientele-go/clientele/storage/kv/pebblekv"
)

// program is a version of a program: pages with the indexes as it makes them.
func program(indexes []*storage.Index[*page], tallies ...*storage.Tally[*page]) (*storage.Table[pageID, *page], *storage.Schema) {
	table := &storage.Table[pageID, *page]{
		ID: pages.ID, Label: pages.Label, Key: pages.Key, History: pages.History, Append: pages.Append, Decode: pages.Decode,
		Indexes: indexes, Tallies: tallies, Numbers: pageIDs,
	}
	return table, &storage.Schema{Tables: []storage.AnyTable{table}, Sequences: []*storage.Sequence{pageIDs}}
}

// folded is the index of titles by a version of the program.
func folded(version string, fold func(string) string) *storage.Index[*page] {
	return &storage.Index[*page]{ID: 1, Label: "title", Unique: true, Version: version, Keys: func(set *storage.KeySet, p *page) {
		set.String(fold(p.Title)).End()
	}}
}

func openWith(t *testing.T, dir string, schema *storage.Schema) *storage.Store {
	t.Helper()
	engine, err := pebblekv.Open(dir, pebblekv.Options{CacheBytes: 8 << 20})
	if err != nil {
		t.Fatal(err)
	}
	s, err := storage.Open(context.Background(), engine, schema, nil, storage.Options{Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func insertPages(t *testing.T, s *storage.Store, table *storage.Table[pageID, *page], titles ...string) {
	t.Helper()
	update(t, s, func(tx *storage.Tx) error {
		for _, title := range titles {
			id, err := pageIDs.Next(tx, nil)
			if err != nil {
				return err
			}
			if err := table.InsertNew(tx, pageID(id), &page{Title: title, Words: []string{title}}, 1); err != nil {
				return err
			}
		}
		return nil
	})
}

// find looks a title up in an index as its program does.
func find(t *testing.T, s *storage.Store, table *storage.Table[pageID, *page], key string) (id pageID) {
	t.Helper()
	view(t, s, func(r *storage.Reader) (err error) {
		id, err = table.Lookup(r, table.Indexes[0], storage.Key(nil).String(key))
		return err
	})
	return id
}

func mustVerify(t *testing.T, s *storage.Store) {
	t.Helper()
	report, err := s.Verify(context.Background(), nil)
	if err != nil || !report.OK() {
		t.Errorf("Verify: %v, %v", report.Differences, err)
	}
}

func mustClose(t *testing.T, s *storage.Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// A program with newer tables of letters gives the same record another key: the book's
// index is made anew, as is one that no earlier program kept, and a count.
func TestIndexOfAnotherVersionIsMadeAnew(t *testing.T) {
	dir := t.TempDir()
	old, schema := program([]*storage.Index[*page]{folded("1", strings.ToLower)})
	s := openWith(t, dir, schema)
	titles := make([]string, 5000) // more than a batch of entries
	for i := range titles {
		titles[i] = fmt.Sprintf("ÄPFEL %04d", i)
	}
	insertPages(t, s, old, titles...)
	if id := find(t, s, old, "äpfel 0007"); id != 8 {
		t.Fatalf("page %d", id)
	}
	mustClose(t, s)

	plain := func(s string) string { return strings.ReplaceAll(strings.ToLower(s), "ä", "a") }
	renewed, schema := program([]*storage.Index[*page]{folded("2", plain), byWord}, wordCount)
	s = openWith(t, dir, schema)
	if id := find(t, s, renewed, "apfel 4999"); id != 5000 {
		t.Errorf("page %d", id)
	}
	view(t, s, func(r *storage.Reader) error {
		n, err := wordCount.Get(r, storage.Key(nil).Uint(1))
		if n != 5000 {
			t.Errorf("counted %d records", n)
		}
		return err
	})
	mustVerify(t, s)
	mustClose(t, s)

	s = openWith(t, dir, schemaOf(old)) // the older program again, which doesn't keep byWord
	insertPages(t, s, old, "ÄPFEL new")
	if id := find(t, s, old, "äpfel new"); id != 5001 {
		t.Errorf("page %d", id)
	}
	mustClose(t, s)

	s = openWith(t, dir, schema)
	view(t, s, func(r *storage.Reader) error {
		words := 0
		for _, err := range renewed.Entries(r, byWord, kv.Range{}, false) {
			if err != nil {
				return err
			}
			words++
		}
		if words != 5001 {
			t.Errorf("the index that the older program didn't keep has %d entries", words)
		}
		return nil
	})
	mustVerify(t, s)
	mustClose(t, s)
}

func schemaOf(table *storage.Table[pageID, *page]) *storage.Schema {
	return &storage.Schema{Tables: []storage.AnyTable{table}, Sequences: []*storage.Sequence{pageIDs}}
}

// A rebuild that was interrupted is done again, whatever it left.
func TestInterruptedRebuildIsDoneAgain(t *testing.T) {
	dir := t.TempDir()
	table, schema := program([]*storage.Index[*page]{folded("1", strings.ToLower)})
	s := openWith(t, dir, schema)
	insertPages(t, s, table, "One", "Two", "Three")
	mustClose(t, s)

	engine, err := pebblekv.Open(dir, pebblekv.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var b kv.Batch // as a crash in the midst of it would leave the book
	b.Set(storage.Key{0x0b, 1, 0x03, 1}, []byte{0x03, 1, '1', 0x04, 1})
	b.Delete(storage.Key{0x03, 1, 1}.String("one"))
	if _, err := engine.Apply(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	if err := engine.Close(); err != nil {
		t.Fatal(err)
	}
	s = openWith(t, dir, schema)
	if id := find(t, s, table, "one"); id != 1 {
		t.Errorf("page %d", id)
	}
	mustVerify(t, s)
	mustClose(t, s)
}

// Two records that a newer program can't tell apart: the first keeps the unique key, and
// Verify says what somebody has to do.
func TestRebuildOfAUniqueIndexKeepsTheFirst(t *testing.T) {
	dir := t.TempDir()
	old, schema := program([]*storage.Index[*page]{folded("1", func(s string) string { return s })})
	s := openWith(t, dir, schema)
	insertPages(t, s, old, "Cement", "CEMENT")
	mustClose(t, s)
	renewed, schema := program([]*storage.Index[*page]{folded("2", strings.ToLower)})
	s = openWith(t, dir, schema)
	defer mustClose(t, s)
	if id := find(t, s, renewed, "cement"); id != 1 {
		t.Errorf("page %d", id)
	}
	report, err := s.Verify(context.Background(), nil)
	if err != nil || !mentions(report, "two records have this unique key") {
		t.Errorf("Verify: %v, %v", report.Differences, err)
	}
}

// A sequence that was set back would give a record's number to another record.
func TestVerifySeesASequenceSetBack(t *testing.T) {
	dir := t.TempDir()
	table, schema := program([]*storage.Index[*page]{folded("1", strings.ToLower)})
	s := openWith(t, dir, schema)
	insertPages(t, s, table, "one", "two", "three")
	mustClose(t, s)

	engine, err := pebblekv.Open(dir, pebblekv.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, err = storage.Open(context.Background(), engine, schema, nil, storage.Options{Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	defer mustClose(t, s)
	tamper(t, engine, storage.Key{0x05, 1}, func([]byte) []byte { return []byte{2} })
	report, err := s.Verify(context.Background(), nil)
	if err != nil || !mentions(report, "would give out 2 next, but 3 is in use") {
		t.Fatalf("Verify: %v, %v", report.Differences, err)
	}
	if n, err := s.Repair(context.Background()); n != 1 || err != nil {
		t.Errorf("Repair: %d, %v", n, err)
	}
	mustVerify(t, s)
	insertPages(t, s, table, "four")
	if id := find(t, s, table, "four"); id != 4 {
		t.Errorf("the next page is %d", id)
	}
	tamper(t, engine, storage.Key{0x05, 1}, func(v []byte) []byte { return append(v, 1) })
	if report, err = s.Verify(context.Background(), nil); err != nil || !mentions(report, "a sequence of numbers holds") {
		t.Fatalf("Verify: %v, %v", report.Differences, err)
	}
	if n, err := s.Repair(context.Background()); n != 1 || err != nil {
		t.Errorf("Repair of a sequence that can't be read: %d, %v", n, err)
	}
	mustVerify(t, s)
	insertPages(t, s, table, "five")
	if id := find(t, s, table, "five"); id != 5 {
		t.Errorf("the page after is %d", id)
	}
}

func TestVerifyNamesKeysOfUnknownTables(t *testing.T) {
	engine, err := pebblekv.Open("", pebblekv.Options{InMemory: true})
	if err != nil {
		t.Fatal(err)
	}
	s, err := storage.Open(context.Background(), engine, schema(), nil, storage.Options{Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	defer mustClose(t, s)
	put(t, s, 1, "one", "w")
	mustVerify(t, s)
	var b kv.Batch
	for _, key := range []storage.Key{{0x02, 200, 1}, {0x02, 200, 2}, {0x03, 1, 77, 1}, {0x06, 99}, {0xff, 0xff}} {
		b.Set(key, []byte("stray"))
	}
	if _, err := engine.Apply(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	report, err := s.Verify(context.Background(), nil)
	if err != nil || len(report.Differences) != 4 {
		t.Fatalf("Verify: %v, %v", report.Differences, err)
	}
	for _, want := range []string{"02 c8: 2 keys", "03 01: 1 keys", "06 63: 1 keys", "ff ff: 1 keys"} {
		if !mentions(report, want) {
			t.Errorf("the report does not mention %q: %v", want, report.Differences)
		}
	}
}

// A repair that takes several transactions, beside writers that change the same counts.
func TestRepairInPartsBesideWriters(t *testing.T) {
	engine, err := pebblekv.Open("", pebblekv.Options{InMemory: true})
	if err != nil {
		t.Fatal(err)
	}
	s, err := storage.Open(context.Background(), engine, schema(), nil, storage.Options{Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	defer mustClose(t, s)
	var b kv.Batch
	const strays = 2500
	for i := range strays {
		b.Set(storage.Key{0x03, 1, 2}.String("ghost").Uint(uint64(i+1)), nil)
	}
	b.Merge(storage.Key{0x06, 1}.Uint(1), kv.CounterDelta(-7))
	if _, err := engine.Apply(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				put(t, s, pageID(i%300+1), fmt.Sprint("page ", i%300), "w")
			}
		}
	}()
	n, err := s.Repair(context.Background())
	close(stop)
	<-done
	if n != strays+1 || err != nil {
		t.Errorf("Repair: %d, %v", n, err)
	}
	mustVerify(t, s)
}
