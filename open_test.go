package clientele_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/customer/search"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
	"github.com/clientele-go/clientele/storage/kv/pebblekv"
)

// observer is a view that notes that it was closed.
type observer struct{ closed int }

func (o *observer) Name() string                                   { return "observer" }
func (o *observer) Cursor(context.Context) (storage.Cursor, error) { return storage.Cursor{}, nil }
func (o *observer) Close() error                                   { o.closed++; return nil }
func (o *observer) Verify(context.Context, *storage.Reader, func(storage.Difference)) error {
	return nil
}
func (o *observer) Apply(context.Context, *storage.Reader, []storage.Change, storage.Cursor) error {
	return nil
}
func (o *observer) Rebuild(context.Context, *storage.Reader, storage.Cursor, func(int)) error {
	return nil
}

// What Open was given is the book's, also when there is no book.
func TestFailedOpenClosesWhatItWasGiven(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	openBook(t, dir, clientele.Options{WithoutSearch: true}) // holds the directory
	for name, opts := range map[string]clientele.Options{
		"directory in use":           {WithoutSearch: true},
		"wrong number range":         {Customers: customer.Options{Codes: []customer.NumberRange{{Template: "{none}"}}}},
		"foreign table id":           {Schema: storage.Schema{Counters: []*storage.Counter{{ID: 1, Name: "mine"}}}},
		"search without a directory": {Engine: memoryEngine(t)},
	} {
		t.Run(name, func(t *testing.T) {
			v := &observer{}
			opts.Views, opts.Logger = []storage.DerivedView{v}, silent
			at := dir
			if opts.Engine != nil {
				at = ""
			}
			if book, err := clientele.Open(ctx, at, opts); err == nil {
				book.Close()
				t.Fatal("the book opened")
			}
			if v.closed != 1 {
				t.Errorf("the view was closed %d times", v.closed)
			}
			if opts.Engine != nil {
				if _, err := opts.Engine.Snapshot(ctx); !errors.Is(err, kv.ErrClosed) {
					t.Errorf("the engine is open: %v", err)
				}
			}
		})
	}
}

func memoryEngine(t *testing.T) kv.Engine {
	t.Helper()
	engine, err := pebblekv.Open("", pebblekv.Options{InMemory: true})
	if err != nil {
		t.Fatal(err)
	}
	return engine
}

// A book that is open without its search index can't clean it: Purge removes it.
func TestPurgeWithoutSearchLeavesNothingInTheSearchFolder(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	const secret = "zyxwvutsrq"
	book, err := clientele.Open(ctx, dir, clientele.Options{Logger: silent})
	if err != nil {
		t.Fatal(err)
	}
	me := book.As(clientele.Actor{ID: "x"})
	var id customer.ID
	err = me.Update(ctx, func(tx *clientele.Tx) error {
		c, err := tx.Customers.Create(customer.Draft{Name: secret})
		if err == nil {
			id = c.ID
		}
		return err
	})
	if err := errors.Join(err, me.Sync(ctx), book.Close()); err != nil {
		t.Fatal(err)
	}
	if !folderHolds(t, filepath.Join(dir, "search"), secret[:2]) {
		t.Fatal("the search index never held the name")
	}
	book, err = clientele.Open(ctx, dir, clientele.Options{WithoutSearch: true, Logger: silent})
	if err != nil {
		t.Fatal(err)
	}
	me = book.As(clientele.Actor{ID: "x"})
	err = me.Update(ctx, func(tx *clientele.Tx) error { _, err := tx.Customers.Erase(id); return err })
	if err != nil {
		t.Fatal(err)
	}
	n, err := book.Purge(ctx)
	if err := errors.Join(err, book.Close()); err != nil || n != 1 {
		t.Fatalf("Purge: %d, %v", n, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "search")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the search folder is there: %v", err)
	}
	book = openBook(t, dir, clientele.Options{})
	if err := book.As(clientele.Actor{ID: "x"}).Sync(ctx); err != nil {
		t.Errorf("search after the folder was removed: %v", err)
	}
}

// folderHolds reports whether a file of the folder holds a text.
func folderHolds(t *testing.T, dir, text string) (found bool) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		found = found || strings.Contains(string(content), text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// A search index that was copied from another book is not this book's, even where the
// positions fit.
func TestSearchIndexOfAnotherBookIsRebuilt(t *testing.T) {
	ctx := context.Background()
	dirs := [2]string{t.TempDir(), t.TempDir()}
	for i, name := range []string{"Alpha Cement", "Beta Steel"} {
		book, err := clientele.Open(ctx, dirs[i], clientele.Options{Logger: silent})
		if err != nil {
			t.Fatal(err)
		}
		me := book.As(clientele.Actor{ID: "x"})
		err = me.Update(ctx, func(tx *clientele.Tx) error {
			_, err := tx.Customers.Create(customer.Draft{Name: name})
			return err
		})
		if err := errors.Join(err, me.Sync(ctx), book.Close()); err != nil {
			t.Fatal(err)
		}
	}
	other := filepath.Join(dirs[1], "search")
	if err := errors.Join(os.RemoveAll(filepath.Join(dirs[0], "search")), os.Rename(other, filepath.Join(dirs[0], "search"))); err != nil {
		t.Fatal(err)
	}
	book := openBook(t, dirs[0], clientele.Options{})
	me := book.As(clientele.Actor{ID: "x"})
	if err := me.Sync(ctx); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]int{"alpha": 1, "beta": 0} {
		hits, err := me.Pick(ctx, searchFor(text))
		if err != nil || len(hits) != want {
			t.Errorf("%q: %d hits, %v", text, len(hits), err)
		}
	}
}

func searchFor(text string) search.Query { return search.Query{Text: text, Limit: 5} }
