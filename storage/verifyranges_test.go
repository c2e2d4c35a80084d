package storage_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/bitset"
	"github.com/clientele-go/clientele/storage/kv"
	"github.com/clientele-go/clientele/storage/kv/kvtest"
	"github.com/clientele-go/clientele/storage/kv/pebblekv"
)

// openShredded opens a book of which there are pages in two chunks, changed and unchanged.
func openShredded(t testing.TB) (*storage.Store, *kvtest.Shredder, []pageID) {
	t.Helper()
	inner, err := pebblekv.Open("", pebblekv.Options{InMemory: true})
	if err != nil {
		t.Fatal(err)
	}
	engine := &kvtest.Shredder{Engine: inner, KeyBytes: 256 << 10}
	described := schema()
	described.Tables = []storage.AnyTable{numberedPages}
	s, err := storage.Open(context.Background(), engine, described, nil, storage.Options{Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	var ids []pageID
	for i := range 60 {
		id := pageID(i + 1)
		if i >= 40 {
			id += bitset.ChunkSize
		}
		ids = append(ids, id)
		for version := range 1 + i%2 {
			update(t, s, func(tx *storage.Tx) error {
				return numberedPages.Put(tx, id, &page{Title: fmt.Sprint("page ", i), Words: []string{"w", fmt.Sprint("own ", i), fmt.Sprint(version)}}, 1)
			})
		}
	}
	var b kv.Batch
	b.Set(storage.Key{5, 1}, binary.AppendUvarint(nil, uint64(ids[59])+1)) // the next number
	if _, err := engine.Apply(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	return s, engine, ids
}

// numberedPages are pages whose keys come from a sequence.
var numberedPages = &storage.Table[pageID, *page]{
	ID: pages.ID, Label: pages.Label, Key: pages.Key, History: true, Numbers: pageIDs,
	Indexes: pages.Indexes, Tallies: pages.Tallies, Bitmaps: pages.Bitmaps, Append: pages.Append, Decode: pages.Decode,
}

// damage plants one kind of damage at a page.
type damage struct {
	name  string
	plant func(b *kv.Batch, p damaged)
	found string // what the report says
}

// damaged is the page that is damaged, with what it was.
type damaged struct {
	id     pageID
	n      int // in the order of ids
	stored func(key []byte) []byte
}

func (p damaged) record() storage.Key  { return storage.Key{2, 1}.Uint(uint64(p.id)) }
func (p damaged) title() storage.Key   { return storage.Key{3, 1, 1}.String(fmt.Sprint("page ", p.n)) }
func (p damaged) word() storage.Key    { return storage.Key{3, 1, 2}.String("w").Uint(uint64(p.id)) }
func (p damaged) history() storage.Key { return storage.Key{4, 1}.Uint(uint64(p.id)).Uint(1) }

func (p damaged) set(word string) []byte {
	chunk := uint32(p.id / bitset.ChunkSize)
	return append(storage.Key{9, 1}.String(word), byte(chunk>>24), byte(chunk>>16), byte(chunk>>8), byte(chunk))
}

// turned is stored bytes of which the last is another.
func (p damaged) turned(key []byte) []byte {
	v := bytes.Clone(p.stored(key))
	v[len(v)-1] ^= 1
	return v
}

var damages = []damage{
	{"entry lost", func(b *kv.Batch, p damaged) { b.Delete(p.word()) }, "page.word"},
	{"unique entry lost", func(b *kv.Batch, p damaged) { b.Delete(p.title()) }, "page.title"},
	{"unique entry of another", func(b *kv.Batch, p damaged) { b.Set(p.title(), storage.Key(nil).Uint(uint64(p.id)+7)) }, "entry names another record"},
	{"entry too many", func(b *kv.Batch, p damaged) { b.Set(storage.Key{3, 1, 2}.String("x").Uint(uint64(p.id)), nil) }, "entry without such a record"},
	{"entry with a value", func(b *kv.Batch, p damaged) { b.Set(p.word(), []byte{1}) }, "page.word"},
	{"record lost", func(b *kv.Batch, p damaged) { b.Delete(p.record()) }, "version is missing"},
	{"record garbled", func(b *kv.Batch, p damaged) { b.Set(p.record(), []byte{77}) }, "malformed record envelope"},
	{"record changed", func(b *kv.Batch, p damaged) { b.Set(p.record(), p.turned(p.record())) }, "content differs from what the journal committed"},
	{"record too many", func(b *kv.Batch, p damaged) { b.Set(storage.Key{2, 1}.Uint(uint64(p.id)+1000), p.stored(p.record())) }, "versions are stored"},
	{"version lost", func(b *kv.Batch, p damaged) { b.Delete(p.history()) }, "version is missing"},
	{"version garbled", func(b *kv.Batch, p damaged) { b.Set(p.history(), []byte{77}) }, "malformed version"},
	{"version changed", func(b *kv.Batch, p damaged) { b.Set(p.history(), p.turned(p.history())) }, "content differs"},
	{"count wrong", func(b *kv.Batch, p damaged) { b.Merge(storage.Key{6, 1}.Uint(3), kv.CounterDelta(int64(p.id))) }, "page.words"},
	{"count moved", func(b *kv.Batch, p damaged) {
		b.Merge(storage.Key{6, 1}.Uint(3), kv.CounterDelta(-1))
		b.Merge(storage.Key{6, 1}.Uint(uint64(p.id)+8), kv.CounterDelta(1))
	}, "count is 1, records are 0"},
	{"count garbled", func(b *kv.Batch, p damaged) { b.Set(storage.Key{6, 1}.Uint(3), []byte{9, 9, 9, 9}) }, "page.words"},
	{"count lost", func(b *kv.Batch, p damaged) { b.Delete(storage.Key{6, 1}.Uint(3)) }, "count is 0, records are 60"},
	{"mark lost", func(b *kv.Batch, p damaged) {
		b.Merge(p.set("w"), kv.MemberDelta(uint32(p.id%bitset.ChunkSize), false))
	}, "set differs from the records"},
	{"mark too many", func(b *kv.Batch, p damaged) {
		b.Merge(p.set("w"), kv.MemberDelta(uint32(p.id%bitset.ChunkSize)+900, true))
	}, "set differs from the records"},
	{"set lost", func(b *kv.Batch, p damaged) { b.Delete(p.set(fmt.Sprint("own ", p.n))) }, "set is missing"},
	{"set too many", func(b *kv.Batch, p damaged) {
		b.Set(p.set("ghost"), kv.BitmapValue(roaring.BitmapOf(uint32(p.id)%100)))
	}, "set differs from the records"},
	{"set garbled", func(b *kv.Batch, p damaged) { b.Set(p.set("w"), []byte("bxx")) }, "set differs from the records"},
	{"set without a chunk", func(b *kv.Batch, p damaged) { b.Set([]byte{9, 1, 3}, kv.BitmapValue(roaring.BitmapOf(3))) }, "page.by_word 03"},
	{"mark of another word", func(b *kv.Batch, p damaged) {
		b.Merge(p.set("w"), kv.MemberDelta(uint32(p.id%bitset.ChunkSize), false))
		b.Merge(p.set("v"), kv.MemberDelta(uint32(p.id%bitset.ChunkSize), true))
	}, "set differs from the records"},
	{"number used again", func(b *kv.Batch, p damaged) { b.Set(storage.Key{5, 1}, []byte{1}) }, "sequence page id"},
	{"stray key", func(b *kv.Batch, p damaged) { b.Set(storage.Key{2, 99}.Uint(uint64(p.id)), nil) }, "nothing that is declared"},
	{"tree changed", func(b *kv.Batch, p damaged) {
		v := bytes.Clone(p.stored(storage.Key{7}.Uint(0)))
		v[p.n] ^= 1
		b.Set(storage.Key{7}.Uint(0), v)
	}, "does not match journal entry"},
}

// TestVerifyNamesDamageInEveryRange plants each kind of damage in many ranges, at their
// edges too, and wants it named, by the same report however the book is split and on
// however many cores.
func TestVerifyNamesDamageInEveryRange(t *testing.T) {
	s, engine, ids := openShredded(t)
	if err := s.Sync(context.Background(), ""); err != nil {
		t.Fatal(err)
	}
	if r := verifyAll(t, s, engine); !r.OK() || r.Records != 60 || r.Versions != 30 || r.IndexKeys != 60+60*3 {
		t.Fatalf("of a book in order: %+v", r)
	}
	rng := rand.New(rand.NewPCG(9, 26))
	for _, d := range damages {
		t.Run(d.name, func(t *testing.T) {
			// Every second page has an earlier version. Ranges of records are of four or fewer.
			for _, n := range []int{1, 59, 39, 41, 1 + 2*rng.IntN(30), 1 + 2*rng.IntN(30)} {
				undo := plant(t, engine, d, damaged{id: ids[n], n: n})
				if r := verifyAll(t, s, engine); !mentions(r, d.found) {
					t.Errorf("at page %d the report does not say %q:\n%v", ids[n], d.found, r.Differences)
				}
				if _, err := engine.Apply(context.Background(), undo); err != nil {
					t.Fatal(err)
				}
			}
			if r := verifyAll(t, s, engine); !r.OK() {
				t.Errorf("left behind: %v", r.Differences)
			}
		})
	}
}

// plant damages a page and returns what undoes it.
func plant(t *testing.T, engine kv.Engine, d damage, p damaged) (undo *kv.Batch) {
	t.Helper()
	snap, err := engine.Snapshot(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer snap.Close()
	p.stored = func(key []byte) []byte {
		value, found, err := snap.Get(context.Background(), key, []byte{})
		if err != nil {
			t.Fatal(err)
		}
		if !found {
			return nil
		}
		return value
	}
	var b kv.Batch
	d.plant(&b, p)
	undo = &kv.Batch{}
	for _, op := range b.Ops() {
		undo.Delete(op.Key)
		if value := p.stored(op.Key); value != nil {
			undo.Set(op.Key, value)
		}
	}
	if _, err := engine.Apply(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	return undo
}

// verifyAll verifies in small ranges on one core and on four, and in one piece, and wants
// the same report each time.
func verifyAll(t *testing.T, s *storage.Store, engine *kvtest.Shredder) *storage.Report {
	t.Helper()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	defer engine.Whole.Store(false)
	var first *storage.Report
	for _, how := range []struct {
		cores int
		whole bool
	}{{1, false}, {4, false}, {2, true}} {
		runtime.GOMAXPROCS(how.cores)
		engine.Whole.Store(how.whole)
		r, err := s.Verify(context.Background(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = r
		}
		if !slices.Equal(r.Differences, first.Differences) || r.More != first.More || r.Records != first.Records || r.IndexKeys != first.IndexKeys || r.Versions != first.Versions {
			t.Errorf("on %d cores, whole %v:\n%v\nand before:\n%v", how.cores, how.whole, r.Differences, first.Differences)
		}
	}
	return first
}

func TestVerifyTellsHowFarItIs(t *testing.T) {
	s, _, _ := openShredded(t)
	last, total, calls := 0, 0, 0
	r, err := s.Verify(context.Background(), func(done, of int) {
		if done <= last || total != 0 && of != total || done > of {
			t.Errorf("%d of %d after %d of %d", done, of, last, total)
		}
		last, total = done, of
		calls++
	})
	if err != nil || !r.OK() || last != total || calls < 50 {
		t.Errorf("%v, %v: %d of %d in %d calls", r.Differences, err, last, total, calls)
	}
}

// Whatever ends a verification ends all its parts.
func TestVerifyEndsWithTheFirstError(t *testing.T) {
	s, _, _ := openShredded(t)
	ctx, cancel := context.WithCancel(context.Background())
	calls := 0
	_, err := s.Verify(ctx, func(int, int) {
		if calls++; calls == 3 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) || calls > 3+runtime.GOMAXPROCS(0) {
		t.Errorf("canceled: %v after %d calls", err, calls)
	}
	broken := errors.New("broken")
	for _, fail := range []func() error{func() error { return broken }, func() error { panic("broken") }} {
		var ran atomic.Int64
		_, err = s.Verify(context.Background(), nil, func(v *storage.Verification) error {
			return v.Split(numberedPages, func(r *storage.Reader, keys kv.Range, _ *storage.Report) error {
				if ran.Add(1) == 2 {
					return fail()
				}
				return nil
			})
		})
		var named *storage.Error
		if !errors.As(err, &named) || named.Table != "page" || !strings.Contains(err.Error(), "broken") {
			t.Errorf("error is %v", err)
		}
	}
}

// The ranges that Split makes hold every record once.
func TestVerificationSplitsATable(t *testing.T) {
	s, _, ids := openShredded(t)
	var mu sync.Mutex
	var seen []pageID
	ranges := 0
	compared := false
	_, err := s.Verify(context.Background(), nil, func(v *storage.Verification) error {
		v.Then("pages", func(*storage.Reader, *storage.Report) error {
			compared = len(seen) == len(ids) // all parts are done
			return nil
		})
		return v.Split(numberedPages, func(r *storage.Reader, keys kv.Range, _ *storage.Report) error {
			mu.Lock()
			defer mu.Unlock()
			ranges++
			for k := range numberedPages.Records(r, keys, false) {
				seen = append(seen, ids[slices.IndexFunc(ids, func(id pageID) bool { return k.Title == fmt.Sprint("page ", slices.Index(ids, id)) })])
			}
			return nil
		})
	})
	slices.Sort(seen)
	if err != nil || !compared || ranges < 15 || !slices.Equal(seen, ids) {
		t.Errorf("%v: %d ranges, compared %v, records %v", err, ranges, compared, seen)
	}
}

func TestFindAllIsFind(t *testing.T) {
	s, _, ids := openShredded(t)
	check := func(r *storage.Reader) error {
		var got []pageID
		asked := append([]pageID{0}, ids[3], ids[4], ids[4], ids[50], 99999)
		err := numberedPages.FindAll(r, asked, func(i int, p *page) error {
			got = append(got, asked[i])
			want, err := numberedPages.Get(r, asked[i])
			if err != nil || p.Title != want.Title || p.Meta.Version != want.Meta.Version {
				t.Errorf("page %d is %v, want %v, %v", asked[i], p, want, err)
			}
			return nil
		})
		if want := []pageID{ids[3], ids[4], ids[4], ids[50]}; !slices.Equal(got, want) {
			t.Errorf("found %v, want %v", got, want)
		}
		return err
	}
	view(t, s, check)
	update(t, s, func(tx *storage.Tx) error { return check(&tx.Reader) })
}
