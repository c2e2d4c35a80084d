package storage_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
	"github.com/clientele-go/clientele/storage/kv/pebblekv"
)

func TestRepairMendsIndexesAndCounts(t *testing.T) {
	engine, err := pebblekv.Open("", pebblekv.Options{InMemory: true})
	if err != nil {
		t.Fatal(err)
	}
	s, err := storage.Open(context.Background(), engine, schema(), nil, storage.Options{Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for i := range 50 {
		put(t, s, pageID(i+1), fmt.Sprint("page ", i), "w", fmt.Sprint(i%3))
	}
	title := storage.Key{0x03, 1, 1}.String("page 7")
	tamper(t, engine, title, func([]byte) []byte { return nil })                                                          // missing
	tamper(t, engine, storage.Key{0x03, 1, 1}.String("page 8"), func([]byte) []byte { return storage.Key(nil).Uint(40) }) // names another
	tamper(t, engine, storage.Key{0x03, 1, 2}.String("w").Uint(9), func([]byte) []byte { return nil })
	var b kv.Batch
	b.Set(storage.Key{0x03, 1, 2}.String("ghost").Uint(3), nil) // surplus
	b.Merge(storage.Key{0x06, 1}.Uint(2), kv.CounterDelta(5))   // miscount
	if _, err := engine.Apply(context.Background(), &b); err != nil {
		t.Fatal(err)
	}

	report, err := s.Verify(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"page.title", "entry is missing", "entry names another record", "entry without such a record", "count is 55, records are 50"} {
		if !mentions(report, want) {
			t.Errorf("the report does not mention %q:\n%v", want, report.Differences)
		}
	}
	n, err := s.Repair(context.Background())
	if err != nil || n < 5 {
		t.Errorf("repaired %d, %v", n, err)
	}
	if report, err = s.Verify(context.Background(), nil); err != nil || !report.OK() {
		t.Errorf("after repair: %v, %v", report.Differences, err)
	}
	view(t, s, func(r *storage.Reader) error {
		if id, err := pages.Lookup(r, byTitle, storage.Key(nil).String("page 8")); id != 9 || err != nil {
			t.Errorf("page 8 is %d, %v", id, err)
		}
		return nil
	})
}

// Verify runs on a snapshot: writers beside it change nothing about its answer.
func TestVerifyBesideWriters(t *testing.T) {
	s := open(t, "", storage.Options{}, newShelf())
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for w := range 2 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				id := pageID(w*1000 + i%40 + 1)
				if _, err := s.Update(context.Background(), clerk, func(tx *storage.Tx) error {
					return pages.Put(tx, id, &page{Title: fmt.Sprint(id, " ", i), Words: []string{"x", fmt.Sprint(i % 5)}}, 1)
				}); err != nil {
					t.Error(err)
					return
				}
			}
		}()
	}
	for range 6 {
		report, err := s.Verify(context.Background(), nil)
		if err != nil || !report.OK() {
			t.Fatalf("%v, %v", report.Differences, err)
		}
	}
	close(stop)
	wg.Wait()
}

// Random histories against a model, with reopening between; afterwards everything
// agrees with itself and with the model.
func TestRandomHistories(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		dir, err := os.MkdirTemp("", "history")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		type model struct {
			title string
			words []string
		}
		want := map[pageID]model{}
		versions := map[pageID]int{}
		var s *storage.Store
		reopen := func() {
			if s != nil {
				if err := s.Close(); err != nil {
					rt.Fatal(err)
				}
			}
			engine, err := pebblekv.Open(dir, pebblekv.Options{CacheBytes: 1 << 20, MemTableBytes: 1 << 20})
			if err != nil {
				rt.Fatal(err)
			}
			if s, err = storage.Open(context.Background(), engine, schema(), nil, storage.Options{Logger: quiet}); err != nil {
				rt.Fatal(err)
			}
		}
		reopen()
		defer func() { s.Close() }()
		id := rapid.Custom(func(rt *rapid.T) pageID { return pageID(rapid.IntRange(1, 6).Draw(rt, "id")) })
		rt.Repeat(map[string]func(*rapid.T){
			"put": func(rt *rapid.T) {
				k := id.Draw(rt, "page")
				m := model{rapid.SampledFrom([]string{"A", "B", "C", "D", "E", "F", "G", "H"}).Draw(rt, "title"), rapid.SliceOfN(rapid.SampledFrom([]string{"x", "y", "z"}), 0, 3).Draw(rt, "words")}
				taken := false
				for other, o := range want {
					taken = taken || other != k && strings.EqualFold(o.title, m.title)
				}
				_, err := s.Update(context.Background(), clerk, func(tx *storage.Tx) error {
					return pages.Put(tx, k, &page{Title: m.title, Words: m.words}, 1)
				})
				if taken != errors.Is(err, storage.ErrExists) || !taken && err != nil {
					rt.Fatalf("taken %v, error %v", taken, err)
				}
				if err == nil {
					want[k] = m
					versions[k]++
				}
			},
			"delete": func(rt *rapid.T) {
				k := id.Draw(rt, "page")
				_, err := s.Update(context.Background(), clerk, func(tx *storage.Tx) error { return pages.Delete(tx, k, 1) })
				if _, exists := want[k]; exists != (err == nil) {
					rt.Fatalf("page %d exists %v, error %v", k, exists, err)
				}
				if err == nil {
					delete(want, k)
					versions[k]++
				}
			},
			"reopen": func(*rapid.T) { reopen() },
			"": func(rt *rapid.T) {
				view(t, s, func(r *storage.Reader) error {
					for k := pageID(1); k <= 6; k++ {
						p, err := pages.Get(r, k)
						m, exists := want[k]
						if exists != (err == nil) || exists && (p.Title != m.title || !slices.Equal(p.Words, m.words) || p.Meta.Version != uint64(versions[k])) {
							rt.Fatalf("page %d is %+v (%v), want %+v version %d", k, p, err, m, versions[k])
						}
						n := 0
						for _, err := range pages.Versions(r, k) {
							if err != nil {
								rt.Fatal(err)
							}
							n++
						}
						if n != versions[k] {
							rt.Fatalf("page %d has %d versions, want %d", k, n, versions[k])
						}
					}
					return nil
				})
			},
		})
		report, err := s.Verify(context.Background(), nil)
		if err != nil || !report.OK() {
			rt.Fatalf("verify: %v, %v", report.Differences, err)
		}
	})
}

func TestBackupAndRestore(t *testing.T) {
	s := open(t, t.TempDir(), storage.Options{})
	for i := range 300 {
		put(t, s, pageID(i+1), fmt.Sprint("page ", i), "w")
	}
	backup, restored := filepath.Join(t.TempDir(), "backup"), filepath.Join(t.TempDir(), "restored")
	m, err := s.Backup(context.Background(), backup, nil)
	if err != nil {
		t.Fatal(err)
	}
	put(t, s, 1, "after the backup")
	if _, err := storage.Restore(context.Background(), backup, restored); err != nil {
		t.Fatal(err)
	}
	copied := open(t, restored, storage.Options{})
	if copied.Book() != s.Book() || m.Journal != 300 {
		t.Errorf("book %s, journal %d", copied.Book(), m.Journal)
	}
	head, err := copied.Head(context.Background())
	if err != nil || head.Root.String() != m.Root {
		t.Errorf("head %v, %v; manifest %s", head, err, m.Root)
	}
	view(t, copied, func(r *storage.Reader) error {
		p, err := pages.Get(r, 1)
		if err != nil || p.Title != "page 0" {
			t.Errorf("page 1 is %v, %v", p, err)
		}
		return nil
	})
	report, err := copied.Verify(context.Background(), nil)
	if err != nil || !report.OK() || report.Records != 300 {
		t.Errorf("%+v, %v", report, err)
	}
	if _, err := s.Backup(context.Background(), backup, nil); !errors.Is(err, storage.ErrExists) {
		t.Errorf("backup over a backup: %v", err)
	}
	if _, err := storage.Restore(context.Background(), backup, restored); !errors.Is(err, storage.ErrExists) {
		t.Errorf("restore over a book: %v", err)
	}
}

func TestRestoreRefusesDamage(t *testing.T) {
	s := open(t, t.TempDir(), storage.Options{})
	put(t, s, 1, "page")
	damages := map[string]func(t *testing.T, dir, file string){
		"a flipped bit": func(t *testing.T, dir, file string) {
			path := filepath.Join(dir, file)
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			b[len(b)/2] ^= 4
			os.WriteFile(path, b, 0o644)
		},
		"a missing file":  func(t *testing.T, dir, file string) { os.Remove(filepath.Join(dir, file)) },
		"a file too many": func(t *testing.T, dir, _ string) { os.WriteFile(filepath.Join(dir, "book", "x"), []byte("x"), 0o644) },
		"no manifest":     func(t *testing.T, dir, _ string) { os.Remove(filepath.Join(dir, "manifest.json")) },
		"a cut manifest":  func(t *testing.T, dir, _ string) { os.Truncate(filepath.Join(dir, "manifest.json"), 20) },
		"a cut file":      func(t *testing.T, dir, file string) { os.Truncate(filepath.Join(dir, file), 1) },
	}
	for name, damage := range damages {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "backup")
			m, err := s.Backup(context.Background(), dir, nil)
			if err != nil {
				t.Fatal(err)
			}
			largest := slices.MaxFunc(m.Files, func(a, b storage.File) int { return int(a.Bytes - b.Bytes) })
			damage(t, dir, filepath.FromSlash(largest.Name))
			target := filepath.Join(t.TempDir(), "restored")
			if _, err := storage.Restore(context.Background(), dir, target); !errors.Is(err, storage.ErrDamagedBackup) {
				t.Errorf("error is %v", err)
			}
			if _, err := os.Stat(target); !os.IsNotExist(err) {
				t.Error("something was restored")
			}
		})
	}
}

func TestNewerFormatIsRefused(t *testing.T) {
	dir := t.TempDir()
	engine, err := pebblekv.Open(dir, pebblekv.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := storage.Open(context.Background(), engine, schema(), nil, storage.Options{Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	// 01 is the meta key; field 1 of its record is the format: tag 02, then the number.
	tamper(t, engine, []byte{1}, func(v []byte) []byte {
		if v[0] != 2 || v[1] != storage.FormatVersion {
			t.Fatalf("meta record is % x", v)
		}
		v[1] = storage.FormatVersion + 1
		return v
	})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if engine, err = pebblekv.Open(dir, pebblekv.Options{}); err != nil {
		t.Fatal(err)
	}
	if _, err = storage.Open(context.Background(), engine, schema(), nil, storage.Options{}); !errors.Is(err, storage.ErrFormat) {
		t.Errorf("error is %v", err)
	}
}

func TestLoadEqualsUpdates(t *testing.T) {
	now := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	s := open(t, "", storage.Options{Clock: func() time.Time { return now }})
	put(t, s, 900000, "title 77", "already here")
	var refused []string
	loaded, err := s.Load(context.Background(), clerk, storage.LoadOptions{
		PartBytes: 20000,
		Refused:   func(e *storage.RefusedError) { refused = append(refused, e.Error()) },
	}, func(l *storage.Loader) error {
		for i := range 2000 {
			id, err := pageIDs.Load(l, nil)
			if err != nil {
				return err
			}
			title := fmt.Sprint("title ", i)
			if i == 1999 {
				title = "Title 5" // taken by row 5, in an earlier part
			}
			if i == 11 {
				title = "title 10" // taken by row 10, in the same part
			}
			if err := pages.Load(l, pageID(id), &page{Title: title, Words: []string{"w", fmt.Sprint(i % 10)}}, 1); err != nil {
				return err
			}
			hits.Load(l, storage.Key(nil).Uint(7), 1)
			if err := l.Next(); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if loaded.Rows != 1997 || loaded.Refused != 3 || len(refused) != 3 {
		t.Errorf("loaded %+v, refused %v", loaded, refused)
	}
	for i, row := range []string{"row 11:", "row 77:", "row 1999:"} {
		if i < len(refused) && !strings.Contains(refused[i], row) {
			t.Errorf("refusal %d is %q, want %s", i, refused[i], row)
		}
	}
	view(t, s, func(r *storage.Reader) error {
		if got := withWord(t, r, "3"); len(got) != 200 {
			t.Errorf("%d pages with the word 3", len(got))
		}
		n, err := hits.Get(r, storage.Key(nil).Uint(7))
		if n != 1997 || err != nil {
			t.Errorf("counted %d, %v", n, err)
		}
		return nil
	})
	report, err := s.Verify(context.Background(), nil)
	if err != nil || !report.OK() || report.Records != 1998 {
		t.Errorf("%+v, %v", report, err)
	}
	put(t, s, 1, "changed after the load", "w") // transactions go on as usual
	if report, err = s.Verify(context.Background(), nil); err != nil || !report.OK() {
		t.Errorf("%+v, %v", report, err)
	}
}

func TestLoadWithoutRefusedStops(t *testing.T) {
	s := open(t, "", storage.Options{})
	_, err := s.Load(context.Background(), clerk, storage.LoadOptions{}, func(l *storage.Loader) error {
		for i := range 10 {
			if err := pages.Load(l, pageID(i+1), &page{Title: "same"}, 1); err != nil {
				return err
			}
			if err := l.Next(); err != nil {
				return err
			}
		}
		return nil
	})
	var refused *storage.RefusedError
	if !errors.As(err, &refused) || refused.Row != 1 || !errors.Is(err, storage.ErrExists) {
		t.Errorf("error is %v", err)
	}
}

// Loads and transactions beside one another compete for the same titles.
func TestLoadBesideTransactions(t *testing.T) {
	s := open(t, "", storage.Options{})
	var wg sync.WaitGroup
	var mu sync.Mutex
	taken := 0
	for w := range 4 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := range 200 {
				_, err := s.Update(context.Background(), clerk, func(tx *storage.Tx) error {
					id, err := pageIDs.Next(tx, nil)
					if err != nil {
						return err
					}
					return pages.InsertNew(tx, pageID(id), &page{Title: fmt.Sprint("t", (i*7+w)%500)}, 1)
				})
				if err == nil {
					mu.Lock()
					taken++
					mu.Unlock()
				} else if !errors.Is(err, storage.ErrExists) {
					t.Error(err)
				}
			}
		}()
	}
	refused := 0
	loaded, err := s.Load(context.Background(), clerk, storage.LoadOptions{PartBytes: 8000, Refused: func(*storage.RefusedError) { refused++ }}, func(l *storage.Loader) error {
		for i := range 500 {
			id, err := pageIDs.Load(l, nil)
			if err != nil {
				return err
			}
			if err := pages.Load(l, pageID(id), &page{Title: fmt.Sprint("t", i)}, 1); err != nil {
				return err
			}
			if err := l.Next(); err != nil {
				return err
			}
		}
		return nil
	})
	wg.Wait()
	if err != nil || loaded.Rows+refused != 500 || loaded.Rows+taken != 500 {
		t.Errorf("loaded %+v, %d refused, %d by transactions, %v", loaded, refused, taken, err)
	}
	report, err := s.Verify(context.Background(), nil)
	if err != nil || !report.OK() || report.Records != 500 {
		t.Errorf("%+v, %v", report, err)
	}
}
