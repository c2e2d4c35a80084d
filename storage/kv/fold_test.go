package kv

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/RoaringBitmap/roaring/v2"
)

func TestCounterDeltasAddUp(t *testing.T) {
	for _, test := range []struct {
		deltas []int64
		want   int64
	}{
		{[]int64{0}, 0},
		{[]int64{5, -7}, -2},
		{[]int64{math.MaxInt64, 1}, math.MinInt64}, // wraps around
		{[]int64{math.MinInt64, math.MinInt64}, 0},
	} {
		var value []byte
		for _, delta := range test.deltas {
			value = mustFold(t, value, CounterDelta(delta), true)
		}
		if got, err := Counter(value); err != nil || got != test.want {
			t.Errorf("sum of %d = %d, %v; want %d", test.deltas, got, err, test.want)
		}
	}
}

func TestBitmapDeltaAddsThenRemoves(t *testing.T) {
	base := BitmapValue(roaring.BitmapOf(1, 2, 3))
	delta := BitmapDelta(roaring.BitmapOf(4, 5), roaring.BitmapOf(2, 5))
	// {1 2 3} and {4 5} is {1 2 3 4 5}; less {2 5} is {1 3 4}.
	wantMembers(t, mustFold(t, base, delta, true), 1, 3, 4)
	wantMembers(t, mustFold(t, nil, delta, true), 4)
}

func TestBitmapDeltaKeepsExtremeMembers(t *testing.T) {
	delta := BitmapDelta(roaring.BitmapOf(0, 1, math.MaxUint32-1, math.MaxUint32), nil)
	wantMembers(t, mustFold(t, nil, delta, true), 0, 1, math.MaxUint32-1, math.MaxUint32)
}

func TestDeltaOfOneMemberIsSmall(t *testing.T) {
	for member, want := range map[uint32]int{7: 4, 60_000: 6, math.MaxUint32: 8} {
		if got := len(BitmapDelta(roaring.BitmapOf(member), nil)); got != want {
			t.Errorf("delta of member %d takes %d bytes, want %d", member, got, want)
		}
	}
}

// The model: a delta as a plain map from member to whether it ends up present.
type model map[uint32]bool

func (m model) fold(newer model) model {
	folded := model{}
	for member, present := range m {
		folded[member] = present
	}
	for member, present := range newer {
		folded[member] = present
	}
	return folded
}

func (m model) delta() []byte {
	add, remove := roaring.New(), roaring.New()
	for member, present := range m {
		if present {
			add.Add(member)
		} else {
			remove.Add(member)
		}
	}
	return BitmapDelta(add, remove)
}

func (m model) members() *roaring.Bitmap {
	b := roaring.New()
	for member, present := range m {
		if present {
			b.Add(member)
		}
	}
	return b
}

// randomModel draws both sizes of delta: written as gaps and as bitmaps, with array
// and bitmap containers.
func randomModel(random *rand.Rand) model {
	m := model{}
	size := []int{1, 3, 40, 300, 6_000}[random.IntN(5)]
	for range size {
		m[random.Uint32N(80_000)] = random.IntN(3) > 0
	}
	return m
}

func TestFoldAgreesWithModelInAnyGrouping(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 40 {
		a, b, c := randomModel(random), randomModel(random), randomModel(random)
		want := a.fold(b).fold(c).members()
		da, db, dc := a.delta(), b.delta(), c.delta()
		left := mustFold(t, mustFold(t, mustFold(t, nil, da, true), db, true), dc, true)
		right := mustFold(t, nil, mustFold(t, da, mustFold(t, db, dc, false), false), true)
		middle := mustFold(t, mustFold(t, nil, mustFold(t, da, db, false), true), dc, true)
		for name, value := range map[string][]byte{"left": left, "right": right, "middle": middle} {
			if got, err := Bitmap(value); err != nil || !got.Equals(want) {
				t.Fatalf("grouping from the %s: %v members (%v), want %v", name, got.GetCardinality(), err, want.GetCardinality())
			}
		}
	}
}

func TestAccumulatorTakesOperandsFromEitherEnd(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 20 {
		var models [7]model
		want := model{}
		for i := range models {
			models[i] = randomModel(random)
			want = want.fold(models[i])
		}
		var newer, older Accumulator
		for i := range models {
			must(t, newer.Newer(models[i].delta()))
			must(t, older.Older(models[len(models)-1-i].delta()))
		}
		for name, a := range map[string]*Accumulator{"newer": &newer, "older": &older} {
			if got, err := Bitmap(a.Result(true)); err != nil || !got.Equals(want.members()) {
				t.Fatalf("%s: wrong members (%v)", name, err)
			}
			again := mustFold(t, nil, a.Result(false), true)
			if got, err := Bitmap(again); err != nil || !got.Equals(want.members()) {
				t.Fatalf("%s, through a delta: wrong members (%v)", name, err)
			}
		}
	}
}

func TestOlderValueDoesNotBringBackRemovedMembers(t *testing.T) {
	var a Accumulator
	must(t, a.Newer(BitmapDelta(roaring.BitmapOf(9), roaring.BitmapOf(1))))
	must(t, a.Older(BitmapValue(roaring.BitmapOf(1, 2))))
	wantMembers(t, a.Result(true), 2, 9)
}

func TestFoldRefusesWhatItCannotRead(t *testing.T) {
	big := roaring.New()
	big.AddRange(0, 100_000)
	bitmap := BitmapValue(big)
	for name, test := range map[string]struct{ older, newer []byte }{
		"empty delta":           {nil, nil},
		"unknown tag":           {nil, []byte("x1")},
		"counter without bytes": {nil, []byte{counterTag}},
		"counter with a tail":   {nil, append(CounterDelta(1), 0)},
		"bitmap cut short":      {nil, bitmap[:len(bitmap)-1]},
		"bitmap with a tail":    {nil, append(BitmapValue(big), 0)},
		"delta length too big":  {nil, []byte{deltaTag, 200}},
		"gaps beyond 32 bits":   {nil, []byte{smallTag, 2, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 0}},
		"gaps missing":          {nil, []byte{smallTag, 2, 0, 1}},
		"too many gaps":         {nil, []byte{smallTag, 0, 0, 1}},
		"counter onto bitmap":   {bitmap, CounterDelta(1)},
		"bitmap onto counter":   {CounterDelta(1), BitmapDelta(roaring.BitmapOf(1), nil)},
		"onto something else":   {[]byte("name"), CounterDelta(1)},
	} {
		if _, err := Fold(test.older, test.newer, true); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v, want ErrInvalid", name, err)
		}
	}
}

func TestAccumulatorIsLinear(t *testing.T) {
	var a Accumulator
	full := roaring.New()
	for member := uint32(0); member < 1<<16; member += 2 {
		full.Add(member)
	}
	must(t, a.Newer(BitmapValue(full)))
	delta := BitmapDelta(roaring.BitmapOf(1), nil)
	if allocs := testing.AllocsPerRun(1000, func() { must(t, a.Newer(delta)) }); allocs > 0 {
		t.Errorf("a small delta costs %v allocations, want none: the base must not be read again", allocs)
	}
}

// FuzzFold feeds bytes that nobody vouches for as both operands. Nothing may panic,
// and what is accepted must fold to something that is accepted again, and must not
// depend on grouping.
func FuzzFold(f *testing.F) {
	runs := roaring.New()
	runs.AddRange(10, 300)
	runs.AddRange(70_000, 200_000)
	runs.RunOptimize()
	for _, seed := range [][]byte{
		CounterDelta(-300), BitmapDelta(roaring.BitmapOf(1, 2), roaring.BitmapOf(3)),
		BitmapDelta(runs, roaring.BitmapOf(70_001)), BitmapValue(runs), BitmapValue(randomModel(rand.New(rand.NewPCG(5, 6))).members()),
	} {
		f.Add(seed, seed)
		f.Add([]byte{}, seed)
	}
	f.Fuzz(func(t *testing.T, older, newer []byte) {
		value, err := Fold(older, newer, true)
		if err != nil {
			return
		}
		delta, err := Fold(older, newer, false)
		if err != nil {
			t.Fatalf("folds to a value but not to a delta: %v", err)
		}
		if err := CheckDelta(value); err != nil {
			t.Fatalf("value is not accepted: %v", err)
		}
		again, err := Fold(nil, delta, true)
		if err != nil || string(again) != string(value) {
			t.Fatalf("delta folds to % x (%v), value is % x", again, err, value)
		}
	})
}

// FuzzBitmap holds the check against the roaring package's own, slower one.
func FuzzBitmap(f *testing.F) {
	runs := roaring.New()
	runs.AddRange(10, 300)
	runs.AddRange(1<<20, 1<<20+5000)
	runs.RunOptimize()
	for _, b := range []*roaring.Bitmap{roaring.New(), runs, roaring.BitmapOf(1, 1<<31), randomModel(rand.New(rand.NewPCG(7, 8))).members()} {
		f.Add(BitmapValue(b)[1:])
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		b, err := readBitmap(raw)
		if err != nil {
			return
		}
		if err := b.Validate(); err != nil {
			t.Fatalf("accepted a bitmap that is invalid: %v", err)
		}
		if _, err := Bitmap(BitmapValue(b)); err != nil {
			t.Fatalf("does not accept what it accepted, written again: %v", err)
		}
	})
}

func BenchmarkAccumulate5000Deltas(b *testing.B) {
	deltas := make([][]byte, 5000)
	for i := range deltas {
		deltas[i] = BitmapDelta(roaring.BitmapOf(uint32(i*13)%65_536), nil)
	}
	for b.Loop() {
		var a Accumulator
		for _, delta := range deltas {
			if err := a.Older(delta); err != nil {
				b.Fatal(err)
			}
		}
		a.Result(true)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(deltas)), "ns/delta")
}

func mustFold(t testing.TB, older, newer []byte, base bool) []byte {
	t.Helper()
	folded, err := Fold(older, newer, base)
	must(t, err)
	return folded
}

func wantMembers(t testing.TB, value []byte, want ...uint32) {
	t.Helper()
	b, err := Bitmap(value)
	must(t, err)
	if !b.Equals(roaring.BitmapOf(want...)) {
		t.Errorf("members %v, want %v", b.ToArray(), want)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A set of one chunk is folded by words, a larger one by bitmaps: the same operands must
// come to the same members on both ways, in any grouping.
func TestChunksFoldAsLargerSetsDo(t *testing.T) {
	const beyond = 1 << 20 // a member that keeps an accumulator from folding by words
	random := rand.New(rand.NewPCG(9, 10))
	shapes := []func() *roaring.Bitmap{
		roaring.New,
		func() *roaring.Bitmap { return roaring.BitmapOf(random.Uint32N(1<<16), random.Uint32N(50)) },
		func() *roaring.Bitmap {
			b := roaring.New()
			for range 6000 {
				b.Add(random.Uint32N(1 << 16))
			}
			return b
		},
		func() *roaring.Bitmap {
			b, from := roaring.New(), uint64(random.Uint32N(60_000))
			b.AddRange(from, from+5000)
			b.RunOptimize()
			return b
		},
	}
	for range 300 {
		var operands [][]byte
		for range 1 + random.IntN(5) {
			add, remove := shapes[random.IntN(len(shapes))](), shapes[random.IntN(len(shapes))]()
			operands = append(operands, BitmapDelta(add, remove))
		}
		if random.IntN(2) == 0 {
			operands[0] = BitmapValue(shapes[random.IntN(len(shapes))]())
		}
		var byWords, fromTheEnd, byBitmaps Accumulator
		must(t, byBitmaps.Newer(BitmapDelta(roaring.BitmapOf(beyond), nil)))
		for i := range operands {
			must(t, byWords.Newer(operands[i]))
			must(t, byBitmaps.Newer(operands[i]))
			must(t, fromTheEnd.Older(operands[len(operands)-1-i]))
		}
		must(t, byBitmaps.Newer(BitmapDelta(nil, roaring.BitmapOf(beyond))))
		want, err := Bitmap(byBitmaps.Result(true))
		must(t, err)
		for name, a := range map[string]*Accumulator{"newer": &byWords, "older": &fromTheEnd} {
			got, err := Bitmap(a.Result(true))
			if err != nil || !got.Equals(want) {
				t.Fatalf("%s: other members than by bitmaps (%v)", name, err)
			}
			again, err := Bitmap(mustFold(t, BitmapValue(shapes[2]()), a.Result(false), true))
			if err != nil || roaring.AndNot(want, again).GetCardinality() > 0 {
				t.Fatalf("%s: its delta loses members (%v)", name, err)
			}
			a.Reset()
			if a.Result(true) != nil {
				t.Fatalf("%s: Reset leaves something", name)
			}
		}
	}
}

// Single decisions are put into a copy of the stored set while they are few: sets of all
// sizes around those at which the stored form changes, with fewer and more of them.
func TestFewDecisionsFoldAsManyDo(t *testing.T) {
	random := rand.New(rand.NewPCG(11, 12))
	for _, size := range []int{0, 1, 2, 60, arrayMembers - 1, arrayMembers, arrayMembers + 1, arrayMembers + 3} {
		for _, decisions := range []int{1, 2, 3, fewDecisions - 1, fewDecisions, fewDecisions + 1, 3 * fewDecisions} {
			want := roaring.New()
			for want.GetCardinality() < uint64(size) {
				want.Add(random.Uint32N(1 << 16))
			}
			base := BitmapValue(want)
			members := want.ToArray()
			var operands [][]byte
			for i := range decisions {
				member, add := random.Uint32N(1<<16), i%2 == 0
				if i%3 == 0 && size > 0 {
					member = members[random.IntN(size)]
				}
				operands = append(operands, MemberDelta(member, add))
				if add {
					want.Add(member)
				} else {
					want.Remove(member)
				}
			}
			var a Accumulator
			for _, d := range slices.Backward(operands) {
				must(t, a.Older(d))
			}
			must(t, a.Older(base))
			value := a.Result(true)
			got, err := Bitmap(value)
			if err != nil || !got.Equals(want) {
				t.Errorf("%d members, %d decisions: other members than by single steps (%v)", size, decisions, err)
			}
			must(t, a.Older(MemberDelta(65_535, true)))
			must(t, a.Newer(MemberDelta(0, true)))
			want.Add(65_535)
			want.Add(0)
			if got, err := Bitmap(a.Result(true)); err != nil || decided(operands, 65_535) || !got.Equals(want) {
				t.Errorf("%d members, %d decisions: operands after the stored set are lost (%v)", size, decisions, err)
			}
		}
	}
}

// decided reports whether one of the operands is about a member.
func decided(operands [][]byte, member uint32) bool {
	return slices.ContainsFunc(operands, func(d []byte) bool {
		return string(d) == string(MemberDelta(member, true)) || string(d) == string(MemberDelta(member, false))
	})
}

func BenchmarkFoldOntoSet(b *testing.B) {
	for _, size := range []int{1_500, 22_000} {
		set := roaring.New()
		for i := range size {
			set.Add(uint32(i * (1 << 16) / size))
		}
		base := BitmapValue(set)
		for _, deltas := range []int{0, 1, 16, 128} {
			b.Run(fmt.Sprintf("members=%d/deltas=%d", size, deltas), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					var a Accumulator
					for i := range deltas {
						if err := a.Older(MemberDelta(uint32(i*509)%65_536, true)); err != nil {
							b.Fatal(err)
						}
					}
					take := a.Older
					if deltas == 0 { // as Pebble begins
						take = a.Newer
					}
					if err := take(base); err != nil {
						b.Fatal(err)
					}
					a.Result(true)
					a.Reset()
				}
			})
		}
	}
}

// TestFoldedDeltasStaySmall: the delta of several small ones is as a small one is written, by hand:
// the numbers of additions and removals, then both as gaps.
func TestFoldedDeltasStaySmall(t *testing.T) {
	fold := func(operands ...[]byte) []byte {
		var a Accumulator
		for _, operand := range operands {
			if err := a.Newer(operand); err != nil {
				t.Fatal(err)
			}
		}
		return a.Result(false)
	}
	got := fold(MemberDelta(300, true), MemberDelta(5, true), MemberDelta(9, true), MemberDelta(9, false), MemberDelta(7, false), MemberDelta(7, true), MemberDelta(0, false))
	// Added 5, 7, 300: gaps 5, 1, 292 (0xA4 0x02). Removed 0, 9: gaps 0, 8.
	if want := []byte{'s', 3, 2, 5, 1, 0xA4, 0x02, 0, 8}; !bytes.Equal(got, want) {
		t.Errorf("got % x, want % x", got, want)
	}
	var many [][]byte
	for i := range smallDelta {
		many = append(many, MemberDelta(uint32(2*i), true))
	}
	if got := fold(many...); got[0] != smallTag || got[1] != smallDelta || got[2] != 0 || len(got) != 3+smallDelta {
		t.Errorf("%d members: % x", smallDelta, got)
	}
	many = append(many, MemberDelta(1, true))
	got = fold(many...)
	if err := CheckDelta(got); err != nil || got[0] != deltaTag {
		t.Errorf("one member more: % x, %v", got, err)
	}
	value, err := Fold(nil, got, true)
	if err != nil {
		t.Fatal(err)
	}
	if set, err := Bitmap(value); err != nil || set.GetCardinality() != smallDelta+1 || !set.Contains(1) {
		t.Errorf("read back: %v, %v", set, err)
	}
}
