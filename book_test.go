package clientele_test

import (
	"context"
	"errors"
	"flag"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/customer/exchange"
	"github.com/clientele-go/clientele/customer/search"
	"github.com/clientele-go/clientele/customer/stocktake"
	"github.com/clientele-go/clientele/dedupe"
	"github.com/clientele-go/clientele/orgtree"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/tagging"
	"github.com/clientele-go/clientele/tagging/classify"
)

var rewrite = flag.Bool("rewrite", false, "write golden files anew")

// storage/KEYS.md names every key; its table is the schema's own description.
func TestKeysAreDocumented(t *testing.T) {
	const file, begin, end = "storage/KEYS.md", "<!-- schema -->\n", "<!-- end -->"
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(page), begin)
	body, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s lacks the marks %q and %q", file, begin, end)
	}
	customers, err := customer.New(customer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	schema := &storage.Schema{}
	customers.AddTo(schema)
	tags := tagging.New(tagging.Options{})
	tags.AddTo(schema)
	rules, err := classify.New(classify.Options{}, customers, tags)
	if err != nil {
		t.Fatal(err)
	}
	rules.AddTo(schema)
	orgtree.New(orgtree.Options{}).AddTo(schema)
	credit.New(credit.Options{}).AddTo(schema)
	duplicates, err := dedupe.New(dedupe.Options{}, customers)
	if err != nil {
		t.Fatal(err)
	}
	duplicates.AddTo(schema)
	exchange.New().AddTo(schema)
	stocktake.New(stocktake.Options{}).AddTo(schema)
	if err := schema.Validate(); err != nil {
		t.Fatal(err)
	}
	want := schema.Describe()
	if *rewrite {
		if err := os.WriteFile(file, []byte(head+begin+want+end+tail), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if body != want {
		t.Errorf("%s does not match the schema; keys are never changed, only added: go test . -run Keys -rewrite\n%s", file, want)
	}
}

var silent = slog.New(slog.DiscardHandler)

func openBook(t testing.TB, dir string, opts clientele.Options) *clientele.Book {
	t.Helper()
	if opts.Logger == nil {
		opts.Logger = silent
	}
	opts.InMemory = opts.InMemory || dir == ""
	book, err := clientele.Open(context.Background(), dir, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := book.Close(); err != nil {
			t.Error(err)
		}
	})
	return book
}

func create(t testing.TB, book *clientele.Book, names ...string) {
	t.Helper()
	err := book.As(clientele.Actor{ID: "chen", Reason: "test"}).Update(context.Background(), func(tx *clientele.Tx) error {
		for _, name := range names {
			if _, err := tx.Customers.Create(customer.Draft{Name: name}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func find(t testing.TB, book *clientele.Book, text string) []string {
	t.Helper()
	ctx := context.Background()
	me := book.As(clientele.Actor{ID: "chen"})
	if err := me.Sync(ctx); err != nil {
		t.Fatal(err)
	}
	result, err := me.Search(ctx, search.Query{Text: text})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	err = me.View(ctx, func(tx *clientele.ReadTx) error {
		for _, hit := range result.Hits {
			c, err := tx.Customers.Get(hit.ID)
			if err != nil {
				return err
			}
			names = append(names, c.Name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestSecondOpenerIsTold(t *testing.T) {
	dir := t.TempDir()
	openBook(t, dir, clientele.Options{})
	_, err := clientele.Open(context.Background(), dir, clientele.Options{Logger: silent})
	if !errors.Is(err, storage.ErrInUse) || !strings.Contains(err.Error(), dir) {
		t.Errorf("error is %v", err)
	}
}

func TestOpenWithoutADirectoryIsRefused(t *testing.T) {
	if _, err := clientele.Open(context.Background(), "", clientele.Options{}); err == nil {
		t.Error("opened a book in no directory")
	}
}

func TestSearchReadsOwnWritesAfterSync(t *testing.T) {
	book := openBook(t, "", clientele.Options{})
	create(t, book, "台灣水泥股份有限公司", "味全食品工業股份有限公司")
	for _, typed := range []string{"台湾水泥", "twsn", "taiwan shuini", "水泥"} {
		if got := find(t, book, typed); len(got) != 1 || got[0] != "台灣水泥股份有限公司" {
			t.Errorf("%q finds %q", typed, got)
		}
	}
}

func TestErasedCustomerIsNotFound(t *testing.T) {
	book := openBook(t, t.TempDir(), clientele.Options{})
	create(t, book, "王小明", "李四")
	if got := find(t, book, "王小明"); len(got) != 1 {
		t.Fatalf("found %q", got)
	}
	ctx := context.Background()
	err := book.As(clientele.Actor{ID: "dpo"}).Update(ctx, func(tx *clientele.Tx) error {
		_, err := tx.Customers.Erase(1)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := find(t, book, "王小明"); len(got) != 0 {
		t.Errorf("found %q", got)
	}
	if n, err := book.Purge(ctx); n != 1 || err != nil {
		t.Errorf("purged %d, %v", n, err)
	}
	if report, err := book.Verify(ctx, nil); err != nil || !report.OK() {
		t.Errorf("%v, %v", report, err)
	}
}

// After erasing, purging and closing, no file of the book holds the name.
func TestErasedNameLeavesTheFiles(t *testing.T) {
	const name = "Zyxwvut Qponmlk"
	dir, backup := t.TempDir(), filepath.Join(t.TempDir(), "backup")
	ctx := context.Background()
	book, err := clientele.Open(ctx, dir, clientele.Options{Logger: silent})
	if err != nil {
		t.Fatal(err)
	}
	create(t, book, name, "somebody else")
	if got := find(t, book, "zyxwvut"); len(got) != 1 {
		t.Fatalf("found %q", got)
	}
	err = book.As(clientele.Actor{ID: "dpo"}).Update(ctx, func(tx *clientele.Tx) error {
		_, err := tx.Customers.Erase(1)
		return err
	})
	if err == nil {
		_, err = book.Purge(ctx)
	}
	if err == nil {
		_, err = book.Backup(ctx, backup, nil)
	}
	if err := errors.Join(err, book.Close()); err != nil {
		t.Fatal(err)
	}
	expectNowhere(t, dir, "zyxwvut")
	expectNowhere(t, backup, "zyxwvut")
}

// expectNowhere looks for a word, in lower case, in every file of a folder.
func expectNowhere(t *testing.T, folder, word string) {
	t.Helper()
	filepath.WalkDir(folder, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(strings.ToLower(string(b)), word) {
			t.Errorf("%s still holds %q", path, word)
		}
		return nil
	})
}

// A missing or damaged search index is made anew; records are not touched.
func TestLostSearchIndexIsRebuilt(t *testing.T) {
	for name, damage := range map[string]func(folder string){
		"missing": func(folder string) { os.RemoveAll(folder) },
		"damaged": func(folder string) {
			filepath.WalkDir(folder, func(path string, d os.DirEntry, err error) error {
				if err == nil && !d.IsDir() {
					os.WriteFile(path, []byte("garbage"), 0o644)
				}
				return nil
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			ctx := context.Background()
			book, err := clientele.Open(ctx, dir, clientele.Options{Logger: silent})
			if err != nil {
				t.Fatal(err)
			}
			create(t, book, "台灣水泥股份有限公司", "味全食品")
			if err := book.Close(); err != nil {
				t.Fatal(err)
			}
			damage(filepath.Join(dir, "search"))
			again := openBook(t, dir, clientele.Options{})
			if got := find(t, again, "twsn"); len(got) != 1 {
				t.Errorf("found %v", got)
			}
			if report, err := again.Verify(ctx, nil); err != nil || !report.OK() {
				t.Errorf("%v, %v", report, err)
			}
		})
	}
}

func TestRestoredBookIsComplete(t *testing.T) {
	ctx := context.Background()
	book := openBook(t, t.TempDir(), clientele.Options{})
	create(t, book, "台灣水泥股份有限公司", "味全食品")
	backup, dir := filepath.Join(t.TempDir(), "backup"), filepath.Join(t.TempDir(), "restored")
	if _, err := book.Backup(ctx, backup, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := clientele.Restore(ctx, backup, dir); err != nil {
		t.Fatal(err)
	}
	restored := openBook(t, dir, clientele.Options{})
	if restored.ID() != book.ID() {
		t.Errorf("the copy is book %s, the original %s", restored.ID(), book.ID())
	}
	if got := find(t, restored, "wqsp"); len(got) != 1 {
		t.Errorf("found %q", got)
	}
	if report, err := restored.Verify(ctx, nil); err != nil || !report.OK() || report.Records != 3-1 {
		t.Errorf("%+v, %v", report, err)
	}
}

func TestFollowDeliversEveryChange(t *testing.T) {
	book := openBook(t, "", clientele.Options{})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	create(t, book, "a")
	var seen []string
	for c, err := range book.As(clientele.Actor{ID: "crm"}).Follow(ctx, 0) {
		if err != nil {
			if !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
			break
		}
		switch seen = append(seen, c.ID.String()+c.Action.String()); len(seen) {
		case 1:
			create(t, book, "b", "c")
		case 3:
			cancel()
		}
	}
	if got := strings.Join(seen, " "); got != "1created 2created 3created" {
		t.Errorf("followed %q", got)
	}
}

// An embedder's table is declared and has an id of its own; anything else is refused
// before it can reach a customer.
func TestOwnTablesCannotReachCustomers(t *testing.T) {
	table := func(id uint8) *storage.Table[uint64, *string] {
		return &storage.Table[uint64, *string]{
			ID: id, Label: "own", Key: storage.UintKey[uint64](), History: true,
			Append: func(dst []byte, s *string) ([]byte, error) { return append(dst, *s...), nil },
			Decode: func(src string, _ uint64, _ storage.Meta) (*string, error) { return &src, nil },
		}
	}
	low := clientele.Options{InMemory: true, Schema: storage.Schema{Tables: []storage.AnyTable{table(1)}}}
	if _, err := clientele.Open(context.Background(), "", low); !errors.Is(err, storage.ErrInvalid) {
		t.Errorf("a table with a customer's id: %v", err)
	}
	own := table(200)
	book := openBook(t, "", clientele.Options{Schema: storage.Schema{Tables: []storage.AnyTable{own}}})
	create(t, book, "a customer")
	me, value := book.As(clientele.Actor{ID: "chen"}), "stored"
	err := me.Update(context.Background(), func(tx *clientele.Tx) error { return table(1).Put(tx.Storage, 1, &value, 1) })
	if !errors.Is(err, storage.ErrInvalid) {
		t.Errorf("writing through an undeclared table: %v", err)
	}
	err = me.Update(context.Background(), func(tx *clientele.Tx) error { return own.Put(tx.Storage, 1, &value, 1) })
	if err != nil {
		t.Error(err)
	}
	if report, err := book.Verify(context.Background(), nil); err != nil || !report.OK() || report.Records != 2 {
		t.Errorf("%+v, %v", report, err)
	}
}

func TestUpdateAndViewWithoutAFunctionAreErrors(t *testing.T) {
	book := openBook(t, "", clientele.Options{InMemory: true})
	me := book.As(clientele.Actor{ID: "wang.li"})
	for call, err := range map[string]error{"Update": me.Update(t.Context(), nil), "View": me.View(t.Context(), nil)} {
		if !errors.Is(err, storage.ErrInvalid) {
			t.Errorf("%s(nil): %v, want ErrInvalid", call, err)
		}
	}
}

func TestFeedOfAClosedBookSaysSo(t *testing.T) {
	ctx := context.Background()
	book := openBook(t, "", clientele.Options{InMemory: true})
	create(t, book, "a")
	head, err := book.Head(ctx)
	if err == nil {
		err = book.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	err = nil
	for _, err = range book.As(clientele.Actor{ID: "feed"}).Changes(ctx, uint64(head.Size)) {
	}
	if !errors.Is(err, storage.ErrClosed) {
		t.Errorf("Changes after the last entry: %v", err)
	}
}
