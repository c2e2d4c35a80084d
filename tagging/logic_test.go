package tagging

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/RoaringBitmap/roaring/v2"
	"pgregory.net/rapid"

	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/bitset"
	"github.com/clientele-go/clientele/storage/kv"
	"github.com/clientele-go/clientele/storage/kv/pebblekv"
)

// sparse is a set over many chunks, as a node and as plain numbers.
type sparse map[uint64]bool

func drawSparse(t *rapid.T, label string) sparse {
	s := sparse{}
	for range rapid.IntRange(0, 12).Draw(t, label+" size") {
		chunk := rapid.Uint64Range(0, 9).Draw(t, label+" chunk")
		s[chunk*bitset.ChunkSize+rapid.Uint64Range(0, 3).Draw(t, label+" low")] = true
	}
	return s
}

// heap is a bitmap in memory.
type heap map[string]sparse

func (h heap) Scan(r *storage.Reader, keys kv.Range, f func(storage.Key, uint64, []byte) error) error {
	return errors.New("not used")
}

func (h heap) Chunks(_ *storage.Reader, key storage.Key, from, to uint64, f func(uint64, []byte) error) error {
	for chunk := from; chunk < min(to, 20); chunk++ {
		stored := roaring.New()
		for n := range h[string(key)] {
			if n/bitset.ChunkSize == chunk {
				stored.Add(uint32(n % bitset.ChunkSize))
			}
		}
		if stored.IsEmpty() {
			continue
		}
		if err := f(chunk, kv.BitmapValue(stored)); err != nil {
			return err
		}
	}
	return nil
}

func (h heap) AddChunk(r *storage.Reader, key storage.Key, chunk uint64, to *bitset.Chunk) error {
	return h.Chunks(r, key, chunk, chunk+1, func(_ uint64, stored []byte) error { return to.OrStored(stored) })
}

func (h heap) Versions(*storage.Reader, func(uint64, int64) error) error {
	return errors.New("not used")
}

// condition is a node and what it should match.
type condition struct {
	node  node
	holds func(n uint64) bool
}

// drawCondition makes a random condition over the sets of a heap.
func drawCondition(t *rapid.T, h heap, depth int) condition {
	kind := "set"
	if depth > 0 {
		kind = rapid.SampledFrom([]string{"set", "marks", "and", "or", "not", "everything", "nothing", "corrected"}).Draw(t, "kind")
	}
	name := fmt.Sprint(len(h))
	members := func() sparse { h[name] = drawSparse(t, name); return h[name] }
	switch kind {
	case "everything":
		return condition{everything{}, func(uint64) bool { return true }}
	case "nothing":
		return condition{nothing{}, func(uint64) bool { return false }}
	case "set":
		s, all := members(), &bitset.Set{}
		for n := range s {
			all.Add(n)
		}
		return condition{&set{members: all}, func(n uint64) bool { return s[n] }}
	case "marks":
		s := members()
		return condition{&marks{bitmap: h, key: storage.Key(name)}, func(n uint64) bool { return s[n] }}
	case "corrected":
		s, stale, held := members(), drawSparse(t, "stale"), drawSparse(t, "held")
		x := &corrected{union: union{sets: []*marks{{bitmap: h, key: storage.Key(name)}}}, stale: &bitset.Set{}, held: &bitset.Set{}}
		for n := range held {
			stale[n] = true
			x.held.Add(n)
		}
		for n := range stale {
			x.stale.Add(n)
		}
		return condition{x, func(n uint64) bool { return held[n] || s[n] && !stale[n] }}
	case "not":
		x := drawCondition(t, h, depth-1)
		return condition{not(x.node), func(n uint64) bool { return !x.holds(n) }}
	}
	var nodes []node
	var members2 []condition
	for range rapid.IntRange(0, 4).Draw(t, "members") {
		x := drawCondition(t, h, depth-1)
		nodes, members2 = append(nodes, x.node), append(members2, x)
	}
	if kind == "and" {
		return condition{allOf(nodes), func(n uint64) bool {
			return !slices.ContainsFunc(members2, func(x condition) bool { return !x.holds(n) })
		}}
	}
	return condition{anyOf(nodes), func(n uint64) bool {
		return slices.ContainsFunc(members2, func(x condition) bool { return x.holds(n) })
	}}
}

func TestNodesMatchWhatTheirConditionSays(t *testing.T) {
	reader := anyReader(t)
	rapid.Check(t, func(t *rapid.T) {
		h := heap{}
		x := drawCondition(t, h, 4)
		world := drawSparse(t, "world")
		for _, s := range h {
			for n := range s {
				world[n] = true
			}
		}
		everybody := &bitset.Set{}
		for n := range world {
			everybody.Add(n)
		}
		ev := &evaluation{reader: reader, first: rapid.IntRange(1, 3).Draw(t, "first"), budget: rapid.SampledFrom([]int{1, 40, maxKept}).Draw(t, "budget"), until: lastChunk}
		from := rapid.Uint64Range(0, 10).Draw(t, "from")
		p := &plan{root: allOf([]node{&set{members: everybody}, x.node}), ev: ev, from: from}
		shares := []share{{plan: p}}
		if n := rapid.Uint64Range(1, 4).Draw(t, "shares"); n > 1 && from == 0 {
			shares = p.split(slices.Repeat([]*Reader{reader}, int(n)), rapid.Uint64Range(0, 12).Draw(t, "chunks"), nil)
		}
		got := sparse{}
		last := int64(-1)
		for _, s := range shares {
			for c, err := range s.chunks() {
				if err != nil {
					t.Fatal(err)
				}
				if int64(c.number) <= last {
					t.Fatalf("chunk %d comes after %d", c.number, last)
				}
				last = int64(c.number)
				for low := range c.members.All() {
					got[uint64(c.id(low))] = true
				}
			}
		}
		for n := range world {
			if want := n >= from*bitset.ChunkSize && x.holds(n); got[n] != want {
				t.Fatalf("%d: found %v, want %v", n, got[n], want)
			}
			delete(got, n)
		}
		if len(got) > 0 {
			t.Fatalf("found %v beyond the world", got)
		}
	})
}

// anyReader is a reader of an empty book, for nodes that only need its context.
func anyReader(t *testing.T) *Reader {
	engine, err := pebblekv.Open("", pebblekv.Options{InMemory: true, CacheBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	st, err := storage.Open(context.Background(), engine, &storage.Schema{}, nil, storage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	r := &Reader{store: New(Options{})}
	if err := st.View(context.Background(), func(s *storage.Reader) error { r.storage = s; return nil }); err != nil {
		t.Fatal(err)
	}
	return r
}
