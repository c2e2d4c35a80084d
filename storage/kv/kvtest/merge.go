package kvtest

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"sync/atomic"

	"github.com/clientele-go/clientele/storage/kv"
)

func mergeProperties() []property {
	return []property{
		{"Merge/OrderAmongSetsAndDeletes", mergeOrder},
		{"Merge/Counters", mergeCounters},
		{"Merge/Bitmaps", mergeBitmaps},
		{"Merge/ManyDeltas", mergeManyDeltas},
		{"Merge/ScanFoldsAsGet", mergeScanFolds},
		{"Merge/NeverConflictsUnread", mergeNeverConflicts},
		{"Merge/RefusesBadDelta", mergeRefusesBadDelta},
		{"Merge/SurvivesReopen", mergeSurvivesReopen},
	}
}

// Each sequence is cut into batches in every way, and always comes to the same.
func mergeOrder(t *trial) {
	set := func(value string) op { return op{value: value} }
	del := op{kind: kv.Delete}
	plus := func(n int64) op { return op{kind: kv.Merge, n: n} }
	with := func(members ...uint32) op { return op{kind: kv.Merge, add: members} }
	without := func(members ...uint32) op { return op{kind: kv.Merge, remove: members} }
	const absent = "absent"
	s := t.open()
	all := model{}
	for i, c := range []struct {
		class string
		ops   []op
		want  string
	}{
		{"#", []op{plus(3)}, "3"},
		{"#", []op{plus(3), plus(-3)}, "0"}, // 0 is not absent
		{"#", []op{set("5"), plus(3)}, "8"},
		{"#", []op{plus(3), set("5")}, "5"},
		{"#", []op{plus(3), del, plus(4)}, "4"},
		{"#", []op{set("5"), del, plus(4), plus(1)}, "5"},
		{"#", []op{plus(1), set("7"), plus(1), del}, absent},
		{"#", []op{del, plus(2), del, plus(5)}, "5"},
		{"%", []op{with(1, 2), without(1)}, "2"},
		{"%", []op{without(1), with(1, 2)}, "1 2"},
		{"%", []op{{kind: kv.Merge, add: []uint32{1}, remove: []uint32{1}}}, ""}, // removed; empty is not absent
		{"%", []op{set("1 2 3"), without(2), with(4)}, "1 3 4"},
		{"%", []op{with(9), set("1"), with(2)}, "1 2"},
		{"%", []op{set("1 2"), del, with(3), without(1)}, "3"},
		{"%", []op{with(1), del, without(7)}, ""},
		{"%", []op{with(5), without(5), with(5)}, "5"},
	} {
		for cuts := range 1 << (len(c.ops) - 1) {
			key := fmt.Sprintf("%s%02d cut %d", c.class, i, cuts)
			for j := range c.ops {
				c.ops[j].key = key
			}
			applyCut(s, c.ops, cuts)
			if c.want == absent {
				s.wantAbsent(key)
				continue
			}
			s.want(key, c.want)
			all[key] = c.want
		}
	}
	s.wantState(all)
}

// applyCut applies ops, with a new batch after each whose bit is set in cuts.
func applyCut(s *subject, list []op, cuts int) {
	s.t.Helper()
	first := 0
	for i := range list {
		if cuts&(1<<i) != 0 || i == len(list)-1 {
			s.apply(ops(list[first:i+1]), relaxed)
			first = i + 1
		}
	}
}

func mergeCounters(t *trial) {
	s := t.open()
	r := t.random(2)
	want := model{}
	steps := []int64{0, 1, -1, 127, -128, 1 << 20, math.MaxInt64, math.MinInt64} // wraps around
	for range t.times(80) {
		var list []op
		for range 1 + r.IntN(5) {
			o := op{kind: kv.Kind(r.IntN(6)), key: fmt.Sprint("#", r.IntN(3)), n: steps[r.IntN(len(steps))]}
			if o.kind > kv.Merge {
				o.kind = kv.Merge
			}
			o.value = strconv.FormatInt(o.n, 10)
			list = append(list, o)
		}
		s.apply(ops(list), relaxed)
		want.do(list...)
		s.wantState(want)
	}
}

func mergeBitmaps(t *trial) {
	s := t.open()
	r := t.random(3)
	want := model{}
	for range t.times(40) {
		var list []op
		for range 1 + r.IntN(4) {
			o := op{kind: kv.Kind(r.IntN(8)), key: fmt.Sprint("%", r.IntN(3)), add: randomMembers(r), remove: randomMembers(r)}
			if o.kind > kv.Merge {
				o.kind = kv.Merge
			}
			if o.kind == kv.Set {
				o.value = mergeMembers("", o.add, nil)
			}
			list = append(list, o)
		}
		s.apply(ops(list), relaxed)
		want.do(list...)
		s.wantState(want)
	}
}

// randomMembers draws from few numbers, so that they meet, or a run long enough
// (over 4,096) for another kind of roaring container, or both ends of the number range.
func randomMembers(r *rand.Rand) []uint32 {
	var members []uint32
	switch r.IntN(8) {
	case 0:
		first := uint32(r.IntN(3)) * 4_000
		for x := range uint32(5_000) {
			members = append(members, first+x)
		}
	case 1:
		members = append(members, 0, 1<<16-1, 1<<16, math.MaxUint32)
	case 2: // none
	default:
		for range 1 + r.IntN(4) {
			members = append(members, uint32(r.IntN(8)), 1<<16+uint32(r.IntN(3)))
		}
	}
	return members
}

// randomOps makes operations of all kinds on a few keys of all classes.
func randomOps(r *rand.Rand, n int) []op {
	list := make([]op, n)
	for i := range list {
		o := op{kind: kv.Kind(r.IntN(3)), n: r.Int64N(100) - 50}
		switch class := r.IntN(3); {
		case class == 0 && o.kind == kv.Merge, class == 1:
			o.key, o.value = fmt.Sprint("#", r.IntN(3)), strconv.FormatInt(o.n, 10)
		case class == 0:
			o.key, o.value = fmt.Sprint("p", r.IntN(6)), fmt.Sprint("value ", o.n)
		default:
			o.key = fmt.Sprint("%", r.IntN(3))
			o.add, o.remove = []uint32{uint32(r.IntN(9))}, []uint32{uint32(r.IntN(9))}
			o.value = formatMembers(o.add)
		}
		list[i] = o
	}
	return list
}

// Thousands of deltas pile up on one counter and one bitmap. Bit i%50 is added in even
// rounds of 50 and removed in odd ones.
func mergeManyDeltas(t *trial) {
	s := t.open()
	want := model{}
	n := t.times(2_000)
	for i := range n {
		o := op{kind: kv.Merge, key: "%b", add: []uint32{uint32(i % 50)}}
		if i/50%2 == 1 {
			o.add, o.remove = nil, o.add
		}
		list := []op{{kind: kv.Merge, key: "#n", n: int64(i)}, o}
		want.do(list...)
		if _, err := s.Apply(t.ctx, newBatch(ops(list), relaxed)); err != nil {
			t.Fatalf("Apply of delta %d: %v", i, err)
		}
		if i == 0 || i == 9 || i == 99 || i == 777 || i == n-1 {
			t.note("apply %d deltas to #n and to %%b", i+1)
			s.wantState(want)
		}
	}
}

// Deltas without a set below come folded into a value out of scans, too, both ways.
func mergeScanFolds(t *trial) {
	s := t.open()
	want := model{}
	for i := range 5 {
		list := []op{
			{kind: kv.Merge, key: fmt.Sprint("#", i), n: int64(i)},
			{kind: kv.Merge, key: fmt.Sprint("%", i), add: []uint32{1, uint32(i)}, remove: []uint32{1}},
		}
		s.apply(ops(list))
		want.do(list...)
	}
	v := s.snapshot()
	for _, reverse := range []bool{false, true} {
		pairs, err := collect(t.ctx, v, kv.Range{}, reverse)
		if err != nil {
			t.Fatalf("%v", err)
		}
		got := model{}
		for _, p := range pairs {
			value, err := normal(p.key, []byte(p.value))
			if err != nil {
				t.Fatalf("%s: value of %s: %v", describeScan(kv.Range{}, reverse), quote(p.key), err)
			}
			got[p.key] = value
			raw, _, err := v.Get(t.ctx, []byte(p.key), nil)
			if err != nil || string(raw) != p.value {
				t.Fatalf("Get(%s) = (%x, %v), but a scan yields %x", quote(p.key), raw, err, p.value)
			}
		}
		if diff := got.difference(want); diff != "" {
			t.Fatalf("%s: %s", describeScan(kv.Range{}, reverse), diff)
		}
	}
}

// Many at once merge into the same keys without reading them: none fails, none is lost.
func mergeNeverConflicts(t *trial) {
	s := t.open()
	const workers = 8
	busy := &shift{workers: workers}
	var merges atomic.Int64
	var done [workers]int
	t.parallel(workers, func(ctx context.Context, i int) error {
		for n := 0; busy.more(ctx, n, t.times(30)); n++ {
			b := newBatch(add("#n", 1), mark("%b", []uint32{uint32(i<<20 + n)}, nil))
			b.Durability = kv.Durability(n % 2)
			if _, err := s.Apply(ctx, b); err != nil {
				return fmt.Errorf("apply of merges alone: %w", err)
			}
			merges.Add(1)
			done[i]++
		}
		return nil
	})
	t.note("%d workers merge into #n and %%b: %v times", workers, done)
	var all []uint32
	for i, n := range done {
		for x := range n {
			all = append(all, uint32(i<<20+x))
		}
	}
	s.wantState(model{"#n": fmt.Sprint(merges.Load()), "%b": formatMembers(all)})
}

var badDeltas = []struct{ what, delta string }{
	{"empty", ""},
	{"of an unknown kind", "x1"},
	{"a counter without a number", "c"},
	{"a counter cut short", "c\x80"},
	{"a counter with a byte too many", "c\x02\x02"},
	{"a bitmap without members", "b"},
	{"a bitmap of junk", "b\x01\x02\x03\x04\x05\x06\x07\x08"},
	{"a bitmap delta without a length", "d"},
	{"a bitmap delta longer than it is", "d\x7fjunk"},
	{"a small bitmap delta without its members", "s\x02\x01"},
}

func mergeRefusesBadDelta(t *trial) {
	s := t.open()
	s.apply(set("a", "1"), set("#n", "1"), entry("first"))
	for _, bad := range badDeltas {
		t.note("now a delta that is %s", bad.what)
		merge := func(b *kv.Batch) { b.Merge([]byte("#bad"), []byte(bad.delta)) }
		s.refuse(kv.ErrInvalid, set("a", "2"), merge, add("#n", 1), entry("refused"))
		s.refuseIngest(kv.ErrInvalid, kv.Load{
			Runs:    []kv.Run{keyRun("ingested")},
			Merges:  newBatch(merge).Ops(),
			Journal: payloads("refused"),
		})
	}
	s.wantState(model{"a": "1", "#n": "1"})
	s.wantJournal("first")
}

// Deltas fold across a reopening, and over those that a load brings.
func mergeSurvivesReopen(t *trial) {
	s := t.open()
	r := t.random(4)
	want := model{}
	for i := range 4 {
		for range t.times(10) {
			list := randomOps(r, 4)
			s.apply(ops(list), relaxed)
			want.do(list...)
			s.wantState(want) // at once, before a set hides a wrong fold
		}
		key := fmt.Sprint("ingested", i)
		merges := []op{{kind: kv.Merge, key: "#1", n: 7}, {kind: kv.Merge, key: "%1", add: []uint32{7}, remove: []uint32{1}}}
		want.do(op{key: key, value: "of " + key}, merges[0], merges[1])
		s.ingest(kv.Load{Runs: []kv.Run{keyRun(key)}, Merges: mergeOps(merges...)})
		s = s.reopen()
		s.wantState(want)
	}
}
