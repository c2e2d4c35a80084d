package storage_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
	"github.com/clientele-go/clientele/storage/kv/pebblekv"
	"github.com/clientele-go/clientele/storage/record"
)

// page is the record of these tests: a title that is unique, words that are not.
type page struct {
	Title string
	Words []string
	Meta  storage.Meta
	rest  string
}

type pageID uint64

var (
	byTitle = &storage.Index[*page]{ID: 1, Label: "title", Unique: true, Watched: true, Keys: func(set *storage.KeySet, p *page) {
		set.String(strings.ToLower(p.Title)).End()
	}}
	byWord = &storage.Index[*page]{ID: 2, Label: "word", Keys: func(set *storage.KeySet, p *page) {
		for _, w := range p.Words {
			set.String(w).End()
		}
	}}
	wordCount = &storage.Tally[*page]{ID: 1, Label: "words", Keys: func(set *storage.KeySet, p *page) {
		set.Uint(uint64(len(p.Words))).End()
	}}
	pageWords = &storage.Bitmap[*page]{ID: 1, Label: "by_word", Versioned: func(key storage.Key) bool { return string(key) != string(storage.Key(nil).String("quiet")) }, Keys: func(set *storage.KeySet, p *page) {
		for _, w := range p.Words {
			set.String(w).End()
		}
	}}
	pages = &storage.Table[pageID, *page]{
		ID: 1, Label: "page", Key: storage.UintKey[pageID](), History: true,
		Indexes: []*storage.Index[*page]{byTitle, byWord}, Tallies: []*storage.Tally[*page]{wordCount}, Bitmaps: []*storage.Bitmap[*page]{pageWords},
		Append: func(dst []byte, p *page) ([]byte, error) {
			w := record.Writer{Buf: dst}
			w.String(1, p.Title)
			for _, word := range p.Words {
				w.Text(2, word)
			}
			w.Raw(p.rest)
			return w.Buf, nil
		},
		Decode: func(src string, _ pageID, m storage.Meta) (*page, error) {
			p := &page{Meta: m}
			r := record.NewReader(src)
			for r.Next() {
				switch r.Field() {
				case 1:
					p.Title = r.String()
				case 2:
					p.Words = append(p.Words, r.String())
				default:
					r.Skip()
				}
			}
			p.rest = r.Unknown()
			return p, r.Err()
		},
	}
	pageIDs = &storage.Sequence{ID: 1, Name: "page id", Block: 8}
	numbers = &storage.Sequence{ID: 2, Name: "page number"}
	hits    = &storage.Counter{ID: 2, Name: "hits", Key: "page: reads"}
)

func schema() *storage.Schema {
	return &storage.Schema{
		Tables: []storage.AnyTable{pages}, Sequences: []*storage.Sequence{pageIDs, numbers}, Counters: []*storage.Counter{hits},
	}
}

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

func open(t testing.TB, dir string, opts storage.Options, views ...storage.DerivedView) *storage.Store {
	t.Helper()
	engine, err := pebblekv.Open(dir, pebblekv.Options{InMemory: dir == "", CacheBytes: 8 << 20})
	if err != nil {
		t.Fatal(err)
	}
	opts.Logger = quiet
	s, err := storage.Open(context.Background(), engine, schema(), views, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

var clerk = storage.Session{Actor: "chen", Reason: "test"}

func update(t testing.TB, s *storage.Store, f func(tx *storage.Tx) error) kv.Position {
	t.Helper()
	position, err := s.Update(context.Background(), clerk, f)
	if err != nil {
		t.Fatal(err)
	}
	return position
}

func view(t testing.TB, s *storage.Store, f func(r *storage.Reader) error) {
	t.Helper()
	if err := s.View(context.Background(), f); err != nil {
		t.Fatal(err)
	}
}

func put(t testing.TB, s *storage.Store, id pageID, title string, words ...string) {
	t.Helper()
	update(t, s, func(tx *storage.Tx) error { return pages.Put(tx, id, &page{Title: title, Words: words}, 1) })
}

func withWord(t testing.TB, r *storage.Reader, word string) []pageID {
	t.Helper()
	var ids []pageID
	key := storage.Key(nil).String(word)
	for e, err := range pages.Entries(r, byWord, kv.Prefix(key), false) {
		if err != nil {
			t.Fatal(err)
		}
		id, err := e.Primary(e.Key()[len(key):])
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	return ids
}

func TestIndexesFollowTheRecord(t *testing.T) {
	s := open(t, "", storage.Options{})
	put(t, s, 1, "One", "red", "blue", "red")
	put(t, s, 2, "Two", "blue")
	put(t, s, 1, "Uno", "green", "blue")
	view(t, s, func(r *storage.Reader) error {
		if got := withWord(t, r, "blue"); !slices.Equal(got, []pageID{1, 2}) {
			t.Errorf("blue: %v", got)
		}
		if got := withWord(t, r, "red"); got != nil {
			t.Errorf("red: %v", got)
		}
		if id, err := pages.Lookup(r, byTitle, storage.Key(nil).String("uno")); id != 1 || err != nil {
			t.Errorf("uno: %v, %v", id, err)
		}
		if _, err := pages.Lookup(r, byTitle, storage.Key(nil).String("one")); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("one: %v", err)
		}
		n, err := wordCount.Get(r, storage.Key(nil).Uint(2))
		if n != 1 || err != nil {
			t.Errorf("pages of two words: %d, %v", n, err)
		}
		return nil
	})
	update(t, s, func(tx *storage.Tx) error { return pages.Delete(tx, 1, 3) })
	view(t, s, func(r *storage.Reader) error {
		if got := withWord(t, r, "blue"); !slices.Equal(got, []pageID{2}) {
			t.Errorf("blue after delete: %v", got)
		}
		if _, err := pages.Get(r, 1); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("deleted page: %v", err)
		}
		return nil
	})
}

func TestUniqueIndexNamesTheHolder(t *testing.T) {
	s := open(t, "", storage.Options{})
	put(t, s, 7, "Same")
	_, err := s.Update(context.Background(), clerk, func(tx *storage.Tx) error {
		return pages.Insert(tx, 8, &page{Title: "SAME"}, 1)
	})
	var unique *storage.UniqueError
	if !errors.As(err, &unique) || !errors.Is(err, storage.ErrExists) {
		t.Fatalf("error is %v", err)
	}
	if holder, _, _ := unique.Holder.CutUint(); holder != 7 {
		t.Errorf("holder is %d", holder)
	}
	view(t, s, func(r *storage.Reader) error {
		if ok, err := pages.Has(r, 8); ok || err != nil {
			t.Errorf("the refused page is there: %v, %v", ok, err)
		}
		return nil
	})
}

func TestTransactionSeesItsOwnWrites(t *testing.T) {
	s := open(t, "", storage.Options{})
	put(t, s, 1, "one", "a")
	put(t, s, 3, "three", "a")
	update(t, s, func(tx *storage.Tx) error {
		if err := pages.Put(tx, 2, &page{Title: "two", Words: []string{"a"}}, 1); err != nil {
			return err
		}
		if err := pages.Delete(tx, 3, 1); err != nil {
			return err
		}
		if err := pages.Put(tx, 4, &page{Title: "four", Words: []string{"a"}}, 1); err != nil {
			return err
		}
		if got := withWord(t, &tx.Reader, "a"); !slices.Equal(got, []pageID{1, 2, 4}) {
			t.Errorf("within the transaction: %v", got)
		}
		var titles []string
		for p, err := range pages.Records(&tx.Reader, kv.Range{}, true) {
			if err != nil {
				return err
			}
			titles = append(titles, p.Title)
		}
		if !slices.Equal(titles, []string{"four", "two", "one"}) {
			t.Errorf("backwards: %v", titles)
		}
		for range 3 {
			if err := hits.Add(tx, storage.Key(nil).Uint(1), 2); err != nil {
				return err
			}
		}
		if n, err := hits.Get(&tx.Reader, storage.Key(nil).Uint(1)); n != 6 || err != nil {
			t.Errorf("own counts: %d, %v", n, err)
		}
		return nil
	})
}

func TestFailedUpdateLeavesNothing(t *testing.T) {
	s := open(t, "", storage.Options{})
	boom := errors.New("boom")
	_, err := s.Update(context.Background(), clerk, func(tx *storage.Tx) error {
		if err := pages.Put(tx, 1, &page{Title: "x"}, 1); err != nil {
			return err
		}
		return boom
	})
	if err != boom {
		t.Fatalf("error is %v", err)
	}
	if p, err := s.Position(context.Background()); p != 0 || err != nil {
		t.Errorf("journal position %d, %v", p, err)
	}
	view(t, s, func(r *storage.Reader) error {
		if ok, _ := pages.Has(r, 1); ok {
			t.Error("the page was stored")
		}
		return nil
	})
}

func TestTransactionsEnd(t *testing.T) {
	s := open(t, "", storage.Options{})
	var kept *storage.Reader
	view(t, s, func(r *storage.Reader) error { kept = r; return nil })
	if _, err := pages.Get(kept, 1); !errors.Is(err, storage.ErrEnded) {
		t.Errorf("reading after the end: %v", err)
	}
	for _, err := range pages.Records(kept, kv.Range{}, false) {
		if !errors.Is(err, storage.ErrEnded) {
			t.Errorf("scanning after the end: %v", err)
		}
	}
}

// Two accounts, each transaction moves what it read; in any serial order the sum
// stays, and with write skew it would not.
func TestNoWriteSkew(t *testing.T) {
	s := open(t, "", storage.Options{})
	// The rule: at most one page has the word "lead". Every transaction checks it by a
	// scan and then makes its own page the lead.
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			id := pageID(i + 1)
			_, err := s.Update(context.Background(), clerk, func(tx *storage.Tx) error {
				words := []string{"lead"}
				if len(withWord(t, &tx.Reader, "lead")) > 0 {
					words = []string{"follower"}
				}
				return pages.Put(tx, id, &page{Title: fmt.Sprint(id), Words: words}, 1)
			})
			if err != nil {
				t.Error(err)
			}
		}()
	}
	wg.Wait()
	view(t, s, func(r *storage.Reader) error {
		if lead, rest := withWord(t, r, "lead"), withWord(t, r, "follower"); len(lead) != 1 || len(rest) != 15 {
			t.Errorf("%d leads and %d followers", len(lead), len(rest))
		}
		return nil
	})
}

func TestOneOfManyGetsAUniqueKey(t *testing.T) {
	s := open(t, "", storage.Options{})
	var won atomic.Int32
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			_, err := s.Update(context.Background(), clerk, func(tx *storage.Tx) error {
				return pages.InsertNew(tx, pageID(i+1), &page{Title: "the one"}, 1)
			})
			switch {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, storage.ErrExists):
				t.Error(err)
			}
		}()
	}
	wg.Wait()
	if won.Load() != 1 {
		t.Errorf("%d transactions won", won.Load())
	}
}

func TestSequencesGiveEachNumberOnce(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, storage.Options{})
	var mu sync.Mutex
	seen, gapless := map[uint64]int{}, map[uint64]int{}
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := range 25 {
				var a, b uint64
				_, err := s.Update(context.Background(), clerk, func(tx *storage.Tx) (err error) {
					if a, err = pageIDs.Next(tx, nil); err != nil {
						return err
					}
					if b, err = numbers.NextGapless(tx, storage.Key(nil).Uint(2026)); err != nil {
						return err
					}
					if i%5 == 4 { // these fail and must leave no gap in the gapless range
						return fmt.Errorf("changed my mind")
					}
					return pages.InsertNew(tx, pageID(a), &page{Title: fmt.Sprint(w, i)}, 1)
				})
				if err == nil {
					mu.Lock()
					seen[a]++
					gapless[b]++
					mu.Unlock()
				}
			}
		}()
	}
	wg.Wait()
	if len(seen) != 160 || len(gapless) != 160 {
		t.Fatalf("%d and %d different numbers for 160 transactions", len(seen), len(gapless))
	}
	for n := uint64(1); n <= 160; n++ {
		if gapless[n] != 1 {
			t.Errorf("gapless number %d was used %d times", n, gapless[n])
		}
	}
	highest := slices.Max(slices.Collect(func(yield func(uint64) bool) {
		for n := range seen {
			if !yield(n) {
				return
			}
		}
	}))
	if highest > 160+8 { // numbers of failed transactions are used again
		t.Errorf("highest id is %d for 160 records", highest)
	}
}

// Closing in order gives the rest of a leased block back.
func TestOrderlyCloseLeavesNoGap(t *testing.T) {
	dir := t.TempDir()
	var ids []uint64
	for range 3 {
		engine, err := pebblekv.Open(dir, pebblekv.Options{})
		if err != nil {
			t.Fatal(err)
		}
		s, err := storage.Open(context.Background(), engine, schema(), nil, storage.Options{Logger: quiet})
		if err != nil {
			t.Fatal(err)
		}
		update(t, s, func(tx *storage.Tx) error {
			n, err := pageIDs.Next(tx, nil)
			ids = append(ids, n)
			if err != nil {
				return err
			}
			return pages.InsertNew(tx, pageID(n), &page{Title: fmt.Sprint(n)}, 1)
		})
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(ids, []uint64{1, 2, 3}) {
		t.Errorf("ids over three openings: %v", ids)
	}
}

func TestHistoryAndStateAtAnInstant(t *testing.T) {
	now := time.Date(2024, 2, 29, 10, 0, 0, 0, time.UTC)
	s := open(t, "", storage.Options{Clock: func() time.Time { return now }})
	put(t, s, 1, "first")
	now = now.Add(time.Hour)
	put(t, s, 1, "second")
	now = now.Add(time.Hour)
	update(t, s, func(tx *storage.Tx) error { return pages.Delete(tx, 1, 1) })
	now = now.Add(time.Hour)
	put(t, s, 1, "third")

	view(t, s, func(r *storage.Reader) error {
		var got []string
		for v, err := range pages.Versions(r, 1) {
			if err != nil {
				return err
			}
			title := "-"
			if v.Value != nil {
				title = v.Value.Title
			}
			got = append(got, fmt.Sprintf("%d %s %s %s", v.Version, v.Recorded.Format("15:04"), v.Actor, title))
		}
		want := []string{"1 10:00 chen first", "2 11:00 chen second", "3 12:00 chen -", "4 13:00 chen third"}
		if !slices.Equal(got, want) {
			t.Errorf("history is %q", got)
		}
		for _, at := range []struct {
			hour  int
			title string
			err   error
		}{{9, "", storage.ErrNotFound}, {10, "first", nil}, {11, "second", nil}, {12, "", storage.ErrNotFound}, {13, "third", nil}, {23, "third", nil}} {
			p, err := pages.At(r, 1, time.Date(2024, 2, 29, at.hour, 30, 0, 0, time.UTC))
			if !errors.Is(err, at.err) || at.err == nil && (err != nil || p.Title != at.title) {
				t.Errorf("at %d:30: %v, %v", at.hour, p, err)
			}
		}
		if p, err := pages.AtVersion(r, 1, 2); err != nil || p.Title != "second" {
			t.Errorf("version 2: %v, %v", p, err)
		}
		return nil
	})
}

func TestEraseLeavesDigestsOnly(t *testing.T) {
	s := open(t, "", storage.Options{})
	put(t, s, 1, "secret one", "hidden")
	put(t, s, 1, "secret two", "concealed")
	update(t, s, func(tx *storage.Tx) error { return pages.Erase(tx, 1, &page{Title: "erased"}, 9) })
	view(t, s, func(r *storage.Reader) error {
		n := 0
		for v, err := range pages.Versions(r, 1) {
			if err != nil {
				return err
			}
			n++
			if v.Version < 3 && (!v.Erased || v.Value != nil || v.Reason != "" || v.Actor != "chen") {
				t.Errorf("version %d: %+v", v.Version, v)
			}
		}
		if n != 3 {
			t.Errorf("%d versions", n)
		}
		if _, err := pages.AtVersion(r, 1, 1); !errors.Is(err, storage.ErrErased) {
			t.Errorf("reading an erased version: %v", err)
		}
		return nil
	})
	report, err := s.Verify(context.Background(), nil)
	if err != nil || !report.OK() {
		t.Errorf("verify after erase: %+v, %v", report, err)
	}
	if n, err := s.Purge(context.Background()); n != 1 || err != nil {
		t.Errorf("purge: %d, %v", n, err)
	}
	if n, err := s.Purge(context.Background()); n != 0 || err != nil {
		t.Errorf("second purge: %d, %v", n, err)
	}
}

func TestUpdateGivesUpAfterItsAttempts(t *testing.T) {
	s := open(t, "", storage.Options{Attempts: 3})
	put(t, s, 1, "x")
	runs := 0
	_, err := s.Update(context.Background(), clerk, func(tx *storage.Tx) error {
		runs++
		p, err := pages.Get(&tx.Reader, 1)
		if err != nil {
			return err
		}
		// Somebody else is always faster. A real program must not do this.
		done := make(chan error)
		go func() {
			_, err := s.Update(context.Background(), clerk, func(other *storage.Tx) error {
				return pages.Put(other, 1, &page{Title: fmt.Sprint("x", runs)}, 1)
			})
			done <- err
		}()
		if err := <-done; err != nil {
			return err
		}
		return pages.Put(tx, 1, p, 1)
	})
	if !errors.Is(err, storage.ErrConflict) || runs != 3 {
		t.Errorf("after %d runs: %v", runs, err)
	}
}

func TestCancelledContextEndsUpdate(t *testing.T) {
	s := open(t, "", storage.Options{})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := s.Update(ctx, clerk, func(tx *storage.Tx) error { return pages.Put(tx, 1, &page{Title: "x"}, 1) })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
}
