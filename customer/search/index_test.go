package search

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/internal/sample"
)

func sequence(customers []*customer.Customer) iter.Seq2[*customer.Customer, error] {
	return func(yield func(*customer.Customer, error) bool) {
		for _, c := range customers {
			if !yield(c, nil) {
				return
			}
		}
	}
}

// create makes an index in a new folder, closed at the end of the test.
func create(t testing.TB, options Options) (x *Index, dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "index")
	x, err := Create(dir, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.Close() })
	return x, dir
}

func reopen(t testing.TB, x *Index, dir string, options Options) *Index {
	t.Helper()
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	x, err := Open(dir, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.Close() })
	return x
}

func build(t testing.TB, x *Index, customers []*customer.Customer, cursor uint64) {
	t.Helper()
	if err := x.Build(context.Background(), sequence(customers), "", cursor, nil); err != nil {
		t.Fatal(err)
	}
}

func TestReopenedIndexAnswersAsBefore(t *testing.T) {
	x, dir := create(t, Options{})
	apply(t, x, Batch{Put: few[:6], Cursor: 5})
	apply(t, x, Batch{Put: few[6:], Remove: []customer.ID{2}, After: 5, Cursor: 9})
	before := find(t, x, Query{Text: "水泥"})
	x = reopen(t, x, dir, Options{})
	if after := find(t, x, Query{Text: "水泥"}); show(after.Hits) != show(before.Hits) || show(after.Hits) != "8:name 11:contains 1:contains" {
		t.Errorf("after reopening %v, before %v", show(after.Hits), show(before.Hits))
	}
	if cursor, err := x.Cursor(); cursor != 9 || err != nil {
		t.Errorf("cursor %d, %v; want 9", cursor, err)
	}
}

func TestApplyRefusesBatchThatDoesNotFollow(t *testing.T) {
	x := open(t, few, Options{})
	err := x.Apply(context.Background(), Batch{After: 7, Cursor: 8, Remove: []customer.ID{1}})
	if !errors.Is(err, ErrStale) {
		t.Errorf("%v, want ErrStale", err)
	}
	if got := show(find(t, x, Query{Text: "twsn"}).Hits); got != "1:prefix" {
		t.Errorf("the refused batch changed the index: %s", got)
	}
}

func TestChangedCustomerIsFoundByNewTextOnly(t *testing.T) {
	x := open(t, few, Options{})
	renamed := *few[0]
	renamed.Name, renamed.Aliases = "台泥企業團", nil
	renamed.Version = 2
	apply(t, x, Batch{Put: []*customer.Customer{&renamed}, After: 1, Cursor: 2})
	if got := show(find(t, x, Query{Text: "台湾水泥", Exact: true}).Hits); got != "" {
		t.Errorf("the old name finds %s", got)
	}
	if got := show(find(t, x, Query{Text: "台泥企业"}).Hits); got != "1:prefix" {
		t.Errorf("the new name finds %s", got)
	}
}

func TestUnusableIndexIsRefusedByKind(t *testing.T) {
	if _, err := Open(filepath.Join(t.TempDir(), "none"), Options{}); !errors.Is(err, ErrMissing) {
		t.Errorf("no folder: %v, want ErrMissing", err)
	}
	damage := map[string]func(dir string) error{
		"no CURRENT":    func(dir string) error { return os.Remove(filepath.Join(dir, currentFile)) },
		"odd CURRENT":   func(dir string) error { return os.WriteFile(filepath.Join(dir, currentFile), []byte("../x"), 0o600) },
		"no generation": func(dir string) error { return os.RemoveAll(filepath.Join(dir, "gen-000001")) },
		"no segment":    func(dir string) error { return os.Remove(segmentFile(dir)) },
		"empty segment": func(dir string) error { return os.WriteFile(segmentFile(dir), nil, 0o600) },
		"tiny segment":  func(dir string) error { return os.Truncate(segmentFile(dir), 3) },
		"cut segment":   func(dir string) error { return os.Truncate(segmentFile(dir), 2000) },
		"no root":       func(dir string) error { return os.Remove(filepath.Join(dir, "gen-000001", "root.bolt")) },
		"empty root":    func(dir string) error { return os.WriteFile(filepath.Join(dir, "gen-000001", "root.bolt"), nil, 0o600) },
		"root of nonsense": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "gen-000001", "root.bolt"), bytes.Repeat([]byte("nonsense"), 4096), 0o600)
		},
	}
	for name, break_ := range damage {
		t.Run(name, func(t *testing.T) {
			x, dir := create(t, Options{})
			apply(t, x, Batch{Put: few, Cursor: 1})
			if err := x.Close(); err != nil {
				t.Fatal(err)
			}
			if err := break_(dir); err != nil {
				t.Fatal(err)
			}
			want := ErrCorrupt
			if name == "no CURRENT" {
				want = ErrMissing
			}
			if x, err := Open(dir, Options{}); err == nil {
				// Bleve may still have the state before the last batch, which is empty.
				if cursor, err := x.Cursor(); cursor != 0 || err != nil {
					t.Fatalf("opened with the cursor %d, %v", cursor, err)
				}
				compareEntries(t, x, nil)
				x.Close()
			} else if !errors.Is(err, want) {
				t.Fatalf("%v, want %v", err, want)
			}
			x, err := Create(dir, Options{})
			if err != nil {
				t.Fatalf("Create over it: %v", err)
			}
			defer x.Close()
			build(t, x, few, 7)
			if got := show(find(t, x, Query{Text: "twsn"}).Hits); got != "1:prefix" {
				t.Errorf("the rebuilt index finds %q", got)
			}
		})
	}
}

// segmentFile returns a segment of the first generation.
func segmentFile(dir string) string {
	files, err := filepath.Glob(filepath.Join(dir, "gen-000001", "*.zap"))
	if err != nil || len(files) == 0 {
		panic(fmt.Sprint("no segments in ", dir, err))
	}
	return files[0]
}

// TestDamageInsideNeverPanics turns single bits of a segment over. Check sees each;
// opening and searching either see damage or answer something.
func TestDamageInsideNeverPanics(t *testing.T) {
	x, dir := create(t, Options{})
	apply(t, x, Batch{Put: few, Cursor: 1})
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	path := segmentFile(dir)
	sound, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 1))
	for range longOr(60, 3000) {
		broken := bytes.Clone(sound)
		at := random.IntN(len(broken))
		broken[at] ^= 1 << random.IntN(8)
		if err := os.WriteFile(path, broken, 0o600); err != nil {
			t.Fatal(err)
		}
		x, err := Open(dir, Options{})
		if err != nil {
			if !errors.Is(err, ErrCorrupt) {
				t.Fatalf("byte %d: Open: %v, want ErrCorrupt", at, err)
			}
			continue
		}
		for _, text := range []string{"水泥", "twsn", "tai", "7099", "acme", "c0", ""} {
			_, err := x.Search(context.Background(), Query{Text: text, Facets: []Field{FieldProvince}})
			if err != nil && !errors.Is(err, ErrCorrupt) {
				t.Fatalf("byte %d: Search(%q): %v", at, text, err)
			}
		}
		for _, err := range x.Entries(context.Background()) {
			if err != nil && !errors.Is(err, ErrCorrupt) {
				t.Fatalf("byte %d: Entries: %v", at, err)
			}
		}
		for name, run := range map[string]func(context.Context) error{"Check": x.Check, "Compact": x.Compact} {
			if err := run(context.Background()); !errors.Is(err, ErrCorrupt) {
				t.Fatalf("byte %d of %d: %s: %v, want ErrCorrupt", at, len(broken), name, err)
			}
		}
		if err := x.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestOtherAttributesNeedRebuild(t *testing.T) {
	x, dir := create(t, Options{Attributes: []string{"level", "industry"}})
	x = reopen(t, x, dir, Options{Attributes: []string{"industry", "level"}}) // the order is no matter
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, Options{Attributes: []string{"level"}}); !errors.Is(err, ErrRebuild) {
		t.Errorf("%v, want ErrRebuild", err)
	}
}

func TestSecondOpenerIsRefused(t *testing.T) {
	_, dir := create(t, Options{})
	if _, err := Open(dir, Options{}); !errors.Is(err, ErrLocked) {
		t.Errorf("%v, want ErrLocked", err)
	}
}

func TestClosedIndexSaysSo(t *testing.T) {
	x, _ := create(t, Options{})
	for range 2 {
		if err := x.Close(); err != nil {
			t.Fatal(err)
		}
	}
	_, searching := x.Search(context.Background(), Query{Text: "a"})
	_, picking := x.Pick(context.Background(), Query{Text: "a"})
	_, counting := x.Stats()
	_, reading := x.Cursor()
	for name, err := range map[string]error{
		"Search": searching, "Pick": picking, "Stats": counting, "Cursor": reading,
		"Apply": x.Apply(context.Background(), Batch{}),
		"Build": x.Build(context.Background(), sequence(nil), "", 1, nil), "Compact": x.Compact(context.Background()),
		"Flush": x.Flush(context.Background()), "Check": x.Check(context.Background()),
	} {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("%s: %v, want ErrClosed", name, err)
		}
	}
}

func TestFailedBuildLeavesTheOldIndex(t *testing.T) {
	x, dir := create(t, Options{})
	apply(t, x, Batch{Put: few, Cursor: 3})
	broken := errors.New("record is unreadable")
	failing := func(yield func(*customer.Customer, error) bool) {
		if yield(few[0], nil) {
			yield(nil, broken)
		}
	}
	if err := x.Build(context.Background(), failing, "", 9, nil); !errors.Is(err, broken) {
		t.Errorf("%v, want the iterator's error", err)
	}
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	if err := x.Build(cancelled, sequence(few), "", 9, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want context.Canceled", err)
	}
	x = reopen(t, x, dir, Options{})
	if r := find(t, x, Query{}); r.Total != 11 { // all but the archived one
		t.Errorf("%d customers, want 11", r.Total)
	}
	if cursor, err := x.Cursor(); cursor != 3 || err != nil {
		t.Errorf("cursor %d, %v; want 3", cursor, err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 2 {
		t.Errorf("%v are in the folder, want CURRENT and one generation", entries)
	}
}

func TestBuildReportsProgressAndReplacesEverything(t *testing.T) {
	x, dir := create(t, Options{BuildMemory: 1}) // pieces of 100, the least
	apply(t, x, Batch{Put: few, Cursor: 3})
	customers := slices.Collect(sample.Customers(1, 1030))
	var reports []int
	err := x.Build(context.Background(), sequence(customers), "", 12, func(done int) { reports = append(reports, done) })
	if err != nil {
		t.Fatal(err)
	}
	if len(reports) != 11 || reports[0] != 100 || reports[10] != 1030 {
		t.Errorf("progress %v, want 100, 200, ... 1000, 1030", reports)
	}
	x = reopen(t, x, dir, Options{})
	want := map[customer.ID]uint64{}
	for _, c := range customers {
		want[c.ID] = c.Version
	}
	compareEntries(t, x, want)
	s, err := x.Stats()
	if err != nil || s.Documents != 1030 || s.Deleted != 0 || s.Segments != 1 || s.Cursor != 12 || s.Bytes < 1030*100 {
		t.Errorf("stats %+v, %v", s, err)
	}
	if got := find(t, x, Query{Text: "臺灣水泥股份", Exact: true}); got.Total != 0 {
		t.Errorf("a customer of the old index is found: %v", got.Hits)
	}
}

func TestBuildOfNobody(t *testing.T) {
	x, _ := create(t, Options{})
	build(t, x, nil, 4)
	if r := find(t, x, Query{Text: "水泥"}); r.Total != 0 {
		t.Errorf("found %v", r.Hits)
	}
	apply(t, x, Batch{Put: few, After: 4, Cursor: 5})
	if r := find(t, x, Query{Text: "水泥"}); r.Total != 4 {
		t.Errorf("found %v, want 4", r.Hits)
	}
}

// TestBuildMergesAsSoonAsThereAreEnoughPieces makes 13 pieces, of which each 4 become
// a segment and the last one another.
func TestBuildMergesAsSoonAsThereAreEnoughPieces(t *testing.T) {
	options := Options{Workers: 1}
	options.defaults()
	b := newBuilder(t.TempDir(), &options)
	b.piece, b.fan = 1, 4 // a piece is what a worker gets at a time, 100 at least
	made, err := b.run(context.Background(), samples(13*chunkSize), nil)
	if err != nil || len(made) != 4 {
		t.Fatalf("%d segments, %v; want 4", len(made), err)
	}
	documents := uint64(0)
	for _, path := range made {
		s, err := segments.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		documents += s.Count()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if documents != 13*chunkSize {
		t.Errorf("%d documents, want %d", documents, 13*chunkSize)
	}
}

func TestErasedCustomerLeavesNoTerms(t *testing.T) {
	for name, x := range indexesForErasure(t) {
		t.Run(name, func(t *testing.T) {
			build(t, x, few, 1)
			erased := customer.Customer{ID: 1, Version: 9, Status: customer.Erased}
			apply(t, x, Batch{Put: []*customer.Customer{&erased}, After: 1, Cursor: 2})
			secrets := []string{
				string(rune(nameHan)) + "台湾", string(rune(namePinyin)) + "tai'wan", string(rune(mailDomain)) + "taiwancement.com",
				string(rune(otherHan)) + "安平", string(rune(exactCode)) + "c000001",
			}
			if !slices.ContainsFunc(secrets, func(s string) bool { return hasTerm(t, x, s) }) {
				t.Fatal("the test looks for the wrong terms")
			}
			if err := x.Compact(context.Background()); err != nil {
				t.Fatal(err)
			}
			for _, secret := range secrets {
				if hasTerm(t, x, secret) {
					t.Errorf("the term %q is still there", secret)
				}
			}
			if r := find(t, x, Query{AllStatuses: true}); r.Total != len(few) {
				t.Errorf("%d customers, want %d with the erased one", r.Total, len(few))
			}
			if s, err := x.Stats(); err != nil || s.Deleted != 0 || s.Cursor != 2 {
				t.Errorf("stats %+v, %v; want nothing deleted, cursor 2", s, err)
			}
		})
	}
}

func indexesForErasure(t *testing.T) map[string]*Index {
	onDisk, _ := create(t, Options{})
	inMemory, err := Create("", Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { inMemory.Close() })
	return map[string]*Index{"disk": onDisk, "memory": inMemory}
}

// hasTerm reports whether a dictionary has the term, be its documents deleted or not.
func hasTerm(t *testing.T, x *Index, term string) bool {
	t.Helper()
	v, err := x.view()
	if err != nil {
		t.Fatal(err)
	}
	defer v.close()
	shards, err := v.shards()
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(shards, func(s *shard) bool { return s.postings([]byte(term)) != nil })
}

func TestIndexInMemoryStaysSmallInSegments(t *testing.T) {
	x := open(t, nil, Options{})
	want := map[customer.ID]uint64{}
	for i := range 400 {
		c := sample.Customer(1, i%150)
		c.Version = uint64(i + 1)
		want[c.ID] = c.Version
		apply(t, x, Batch{Put: []*customer.Customer{c}, After: uint64(i + 1), Cursor: uint64(i + 2)})
	}
	compareEntries(t, x, want)
	s, err := x.Stats()
	if err != nil || s.Segments > 3*mergeGroups || s.Documents != 150 {
		t.Errorf("stats %+v, %v; want 150 documents in at most %d segments", s, err, 3*mergeGroups)
	}
}

// TestRandomBatchesEqualFreshBuild applies random batches, with compactions,
// rebuilds and reopenings between, and compares with an index built of the result.
func TestRandomBatchesEqualFreshBuild(t *testing.T) {
	for seed := range uint64(longOr(2, 30)) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 0))
			x, dir := create(t, benchOptions)
			model := map[customer.ID]*customer.Customer{}
			for cursor := range uint64(15) {
				b := randomBatch(random, model, cursor)
				apply(t, x, b)
				switch random.IntN(12) {
				case 0:
					x = reopen(t, x, dir, benchOptions)
				case 1:
					if err := x.Compact(context.Background()); err != nil {
						t.Fatal(err)
					}
				case 2:
					build(t, x, slices.Collect(maps.Values(model)), b.Cursor)
				}
			}
			fresh, _ := create(t, benchOptions)
			build(t, fresh, slices.Collect(maps.Values(model)), 15)
			compareAnswers(t, x, fresh, random)
			want := map[customer.ID]uint64{}
			for id, c := range model {
				want[id] = c.Version
			}
			compareEntries(t, x, want)
		})
	}
}

func randomBatch(random *rand.Rand, model map[customer.ID]*customer.Customer, after uint64) Batch {
	b := Batch{After: after, Cursor: after + 1}
	for range random.IntN(30) {
		c := sample.Customer(random.Uint64N(3), random.IntN(300))
		c.Version = after + 1
		if slices.ContainsFunc(b.Put, func(p *customer.Customer) bool { return p.ID == c.ID }) {
			continue
		}
		b.Put = append(b.Put, c)
		model[c.ID] = c
	}
	for range random.IntN(6) {
		id := customer.ID(1 + random.IntN(300))
		if !slices.ContainsFunc(b.Put, func(p *customer.Customer) bool { return p.ID == id }) {
			b.Remove = append(b.Remove, id)
			delete(model, id)
		}
	}
	return b
}

func compareAnswers(t *testing.T, x, fresh *Index, random *rand.Rand) {
	t.Helper()
	texts := typed("深圳华鑫", "wangw", "szhx", "acme tr", "138", "贸易 人民路", "jonson")
	for range longOr(8, 60) {
		runes := []rune(sample.Customer(random.Uint64N(3), random.IntN(300)).Name)
		from := random.IntN(len(runes))
		texts = append(texts, string(runes[from:from+random.IntN(len(runes)-from)+1]))
	}
	for _, text := range append(texts, "") {
		q := Query{Text: text, Limit: 50, Facets: []Field{FieldStatus, FieldCity, FieldRep, Attribute("level")}}
		a, b := find(t, x, q), find(t, fresh, q)
		if show(a.Hits) != show(b.Hits) || a.Total != b.Total || fmt.Sprint(a.Facets) != fmt.Sprint(b.Facets) {
			t.Fatalf("%q: after batches %v (%d), built %v (%d)\n%v\n%v", text, show(a.Hits), a.Total, show(b.Hits), b.Total, a.Facets, b.Facets)
		}
	}
}

// TestSearchWhileApplying searches while batches come and a build takes over. A batch
// renames both of two customers; no search may see one renamed and the other not.
func TestSearchWhileApplying(t *testing.T) {
	x, _ := create(t, Options{})
	put := func(after uint64) Batch {
		name := []string{"红星商行", "蓝星商行"}[after%2]
		return Batch{After: after, Cursor: after + 1, Put: []*customer.Customer{
			{ID: 1, Version: after + 1, Name: "甲" + name}, {ID: 2, Version: after + 1, Name: "乙" + name},
		}}
	}
	apply(t, x, put(0))
	done := make(chan struct{})
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				red, err := x.Search(context.Background(), Query{Text: "红星", Exact: true})
				if err != nil || red.Total == 1 {
					t.Errorf("found %v, %v; want none or both", red.Hits, err)
					return
				}
				if hits, err := x.Pick(context.Background(), Query{Text: "xsh"}); err != nil || len(hits) != 2 {
					t.Errorf("picked %v, %v; want both", hits, err)
					return
				}
			}
		})
	}
	for after := uint64(1); after < 60; after++ {
		b := put(after)
		if after%20 == 0 {
			build(t, x, b.Put, b.Cursor)
		} else {
			apply(t, x, b)
		}
	}
	close(done)
	readers.Wait()
}

// TestIndexThatCannotBeWrittenSaysSo takes the folder away from under the index.
func TestIndexThatCannotBeWrittenSaysSo(t *testing.T) {
	x, dir := create(t, Options{})
	if err := os.RemoveAll(filepath.Join(dir, "gen-000001")); err != nil {
		t.Fatal(err)
	}
	apply(t, x, Batch{Put: few, Cursor: 1})
	if r := find(t, x, Query{Text: "twsn"}); r.Total != 1 {
		t.Errorf("found %v; what is in memory should be", r.Hits)
	}
	if err := x.Flush(context.Background()); err == nil {
		t.Error("Flush says that the batch would survive")
	}
	if err := x.Close(); err == nil {
		t.Error("Close says that all is well")
	}
}
