package bitset

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/RoaringBitmap/roaring/v2"
	"pgregory.net/rapid"

	"github.com/clientele-go/clientele/storage/kv"
)

// numbers draws a set of chunk numbers in one of the shapes that roaring stores differently.
func numbers(t *rapid.T, label string) []uint16 {
	switch rapid.SampledFrom([]string{"few", "dense", "runs", "full"}).Draw(t, label) {
	case "dense":
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		list := make([]uint16, 9000)
		for i := range list {
			list[i] = uint16(r.Uint32())
		}
		return list
	case "runs":
		var list []uint16
		for range rapid.IntRange(1, 5).Draw(t, "runs") {
			first, size := rapid.Uint16().Draw(t, "first"), rapid.Uint16().Draw(t, "size")
			for n := int(first); n < min(int(first)+int(size), ChunkSize); n++ {
				list = append(list, uint16(n))
			}
		}
		return list
	case "full":
		list := make([]uint16, ChunkSize)
		for i := range list {
			list[i] = uint16(i)
		}
		return list
	}
	return rapid.SliceOfN(rapid.Uint16(), 0, 50).Draw(t, "members")
}

func chunkOf(list []uint16) (*Chunk, *roaring.Bitmap) {
	c, b := &Chunk{}, roaring.New()
	for _, n := range list {
		c.Add(n)
		b.Add(uint32(n))
	}
	return c, b
}

func wantSame(t rapid.TB, what string, got *Chunk, want *roaring.Bitmap) {
	t.Helper()
	if got.Len() != int(want.GetCardinality()) {
		t.Fatalf("%s: %d numbers, want %d", what, got.Len(), want.GetCardinality())
	}
	members := want.Iterator()
	for n := range got.All() {
		if next := members.Next(); uint32(n) != next {
			t.Fatalf("%s: has %d, want %d", what, n, next)
		}
	}
	if got.Empty() != want.IsEmpty() {
		t.Fatalf("%s: Empty is %v", what, got.Empty())
	}
}

func TestChunksComputeAsRoaringDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, ra := chunkOf(numbers(t, "a"))
		b, rb := chunkOf(numbers(t, "b"))
		if rapid.Bool().Draw(t, "optimise") {
			ra.RunOptimize()
			rb.RunOptimize()
		}
		stored := kv.BitmapValue(rb)

		both := *a
		both.And(b)
		wantSame(t, "And", &both, roaring.And(ra, rb))
		if n := a.AndLen(b); n != both.Len() {
			t.Fatalf("AndLen is %d, want %d", n, both.Len())
		}
		sum := *a
		sum.Or(b)
		wantSame(t, "Or", &sum, roaring.Or(ra, rb))
		rest := *a
		rest.AndNot(b)
		wantSame(t, "AndNot", &rest, roaring.AndNot(ra, rb))

		for what, f := range map[string]struct {
			do   func(*Chunk, []byte) error
			want *roaring.Bitmap
		}{
			"OrStored": {(*Chunk).OrStored, roaring.Or(ra, rb)}, "AndStored": {(*Chunk).AndStored, roaring.And(ra, rb)},
			"AndNotStored": {(*Chunk).AndNotStored, roaring.AndNot(ra, rb)},
		} {
			got := *a
			if err := f.do(&got, stored); err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			wantSame(t, what, &got, f.want)
		}
		if n, err := StoredLen(stored); err != nil || n != b.Len() {
			t.Fatalf("StoredLen is %d, %v, want %d", n, err, b.Len())
		}

		from := rapid.Uint16().Draw(t, "from")
		var want []uint16
		for n := range a.All() {
			if n >= from {
				want = append(want, n)
			}
		}
		if got := slices.Collect(a.From(from)); !slices.Equal(got, want) {
			t.Fatalf("From(%d) yields %d numbers, want %d", from, len(got), len(want))
		}
		down := slices.Collect(a.Backward())
		if slices.Reverse(down); !slices.Equal(down, slices.Collect(a.All())) {
			t.Fatal("backward is not forward the other way round")
		}
		if rank := a.Rank(from); rank != a.Len()-len(want) {
			t.Fatalf("Rank(%d) is %d, want %d", from, rank, a.Len()-len(want))
		}
	})
}

func TestSetsComputeAcrossChunks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.Uint64Range(0, 5*ChunkSize)
		a, b := rapid.SliceOf(number).Draw(t, "a"), rapid.SliceOf(number).Draw(t, "b")
		slices.Sort(a)
		a = slices.Compact(a)
		slices.Sort(b)
		b = slices.Compact(b)
		and, or, not := Of(a...), Of(a...), Of(a...)
		and.And(Of(b...))
		or.Or(Of(b...))
		not.AndNot(Of(b...))
		var wantAnd, wantNot []uint64
		for _, n := range a {
			if slices.Contains(b, n) {
				wantAnd = append(wantAnd, n)
			} else {
				wantNot = append(wantNot, n)
			}
		}
		wantOr := slices.Concat(wantNot, b)
		slices.Sort(wantOr)
		for what, sets := range map[string]struct {
			got  *Set
			want []uint64
		}{"And": {and, wantAnd}, "Or": {or, wantOr}, "AndNot": {not, wantNot}} {
			if got := slices.Collect(sets.got.All()); !slices.Equal(got, sets.want) {
				t.Fatalf("%s is %v, want %v", what, got, sets.want)
			}
			if n := sets.got.Len(); n != int64(len(sets.want)) {
				t.Fatalf("%s has %d numbers, want %d", what, n, len(sets.want))
			}
		}
		copied := or.Clone()
		copied.Add(6 * ChunkSize)
		if or.Contains(6*ChunkSize) || !copied.Contains(6*ChunkSize) {
			t.Fatal("a clone shares memory with its origin")
		}
	})
}

func TestMalformedStoredChunksAreRefused(t *testing.T) {
	_, dense := chunkOf(make([]uint16, 1))
	for n := range uint32(5000) {
		dense.Add(3 * n)
	}
	valid := kv.BitmapValue(dense)
	two := roaring.BitmapOf(1, ChunkSize+1)
	runs := roaring.New()
	runs.AddRange(5, 60000)
	runs.RunOptimize()
	beyond := kv.BitmapValue(runs)
	beyond[len(beyond)-1], beyond[len(beyond)-2] = 0xff, 0xff
	for name, value := range map[string][]byte{
		"empty": nil, "a counter": kv.CounterDelta(3), "no container": {'b', 1, 2, 3}, "cut": valid[:len(valid)-1],
		"too long": append(slices.Clone(valid), 0), "two chunks": kv.BitmapValue(two), "beyond the chunk": beyond,
	} {
		var c Chunk
		if err := c.OrStored(value); !errors.Is(err, ErrStored) {
			t.Errorf("%s: OrStored returns %v", name, err)
		}
		if !c.Empty() {
			t.Errorf("%s: left numbers behind", name)
		}
	}
}

func FuzzStored(f *testing.F) {
	f.Add(kv.BitmapValue(roaring.BitmapOf(1, 2, 3)))
	f.Fuzz(func(t *testing.T, value []byte) {
		var c Chunk
		n, err := StoredLen(value)
		if got := c.OrStored(value); (got == nil) != (err == nil) {
			t.Fatalf("OrStored: %v, StoredLen: %v", got, err)
		}
		if want, checked := kv.Bitmap(value); checked == nil && err == nil {
			wantSame(t, "OrStored", &c, want)
			if n != c.Len() {
				t.Fatalf("StoredLen is %d, want %d", n, c.Len())
			}
		}
	})
}

func BenchmarkAnd(b *testing.B) {
	var x, y Chunk
	for b.Loop() {
		x.And(&y)
	}
}

func BenchmarkOrStoredDense(b *testing.B) {
	full := roaring.New()
	for n := range uint32(20000) {
		full.Add(3 * n)
	}
	value := kv.BitmapValue(full)
	var c Chunk
	for b.Loop() {
		if err := c.OrStored(value); err != nil {
			b.Fatal(err)
		}
	}
}
