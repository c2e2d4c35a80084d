package storage

import (
	"fmt"
	"maps"
	"runtime"
	"slices"
	"testing"

	"github.com/RoaringBitmap/roaring/v2"
	"pgregory.net/rapid"

	"github.com/clientele-go/clientele/storage/kv"
)

// The list of a transaction's writes behaves as a sorted map, also when its memory
// served another transaction before.
func TestWritesAreASortedMap(t *testing.T) {
	var w writes
	rapid.Check(t, func(t *rapid.T) {
		w.reset()
		model := map[string]string{}
		key := rapid.Custom(func(t *rapid.T) string { return fmt.Sprint(rapid.IntRange(0, 2000).Draw(t, "n")) })
		for range rapid.IntRange(0, 1500).Draw(t, "writes") {
			k, v := key.Draw(t, "key"), key.Draw(t, "value")
			w.put(kv.Set, []byte(k), []byte(v))
			model[k] = v
		}
		if w.count != len(model) {
			t.Fatalf("%d writes of %d keys", w.count, len(model))
		}
		check := func(what string, ops []kv.Op, wanted func(string) bool) {
			keys := slices.DeleteFunc(slices.Sorted(maps.Keys(model)), func(k string) bool { return !wanted(k) })
			if len(ops) != len(keys) {
				t.Fatalf("%s: %d writes, want %d", what, len(ops), len(keys))
			}
			for i, op := range ops {
				if string(op.Key) != keys[i] || string(op.Value) != model[keys[i]] {
					t.Fatalf("%s: %d is %s=%s, want %s=%s", what, i, op.Key, op.Value, keys[i], model[keys[i]])
				}
			}
		}
		check("ops", w.ops(), func(string) bool { return true })
		lower, upper := key.Draw(t, "lower"), key.Draw(t, "upper")
		check("within", w.within(kv.Range{Lower: []byte(lower), Upper: []byte(upper)}), func(k string) bool { return k >= lower && k < upper })
		check("from", w.within(kv.Range{Lower: []byte(lower)}), func(k string) bool { return k >= lower })
		k := key.Draw(t, "get")
		if op, v := w.get([]byte(k)), model[k]; (op != nil) != (v != "") || op != nil && string(op.Value) != v {
			t.Fatalf("get %s: %v, want %q", k, op, v)
		}
	})
}

// Whatever a transaction reads in between, its merges come to what they say one after another:
// here into sets, each of which has some members already.
func TestMergesOfATransactionAddUp(t *testing.T) {
	var w writes
	rapid.Check(t, func(t *rapid.T) {
		w.reset()
		stored := roaring.BitmapOf(1, 2, 3, 100, 500)
		model := map[string]*roaring.Bitmap{"a": stored.Clone(), "b": stored.Clone()}
		check := func(op *kv.Op) {
			base, value := kv.BitmapValue(stored), op.Value
			if op.Kind != kv.Merge {
				base = nil
			}
			folded, err := kv.Fold(base, value, true)
			if op.Kind == kv.Delete {
				folded, err = kv.BitmapValue(roaring.New()), nil
			}
			if err != nil {
				t.Fatal(err)
			}
			got, err := kv.Bitmap(folded)
			if want := model[string(op.Key)]; err != nil || !got.Equals(want) {
				t.Fatalf("%s has %v, error %v; want %v", op.Key, got, err, want)
			}
		}
		for range rapid.IntRange(0, 40).Draw(t, "steps") {
			key := rapid.SampledFrom([]string{"a", "b"}).Draw(t, "key")
			own := []byte(key)
			switch rapid.IntRange(0, 9).Draw(t, "step") {
			case 0:
				w.put(kv.Delete, own, nil)
				model[key].Clear()
			case 1:
				model[key] = roaring.BitmapOf(7, 8, 9)
				w.put(kv.Set, own, kv.BitmapValue(model[key]))
			case 2:
				if op := w.get(own); op != nil {
					check(op)
				}
			case 3:
				for _, op := range w.within(kv.Range{Lower: own}) {
					check(&op)
				}
			default: // some hundred members, so that the sets grow long
				from, step := rapid.Uint32Range(0, 2000).Draw(t, "from"), rapid.Uint32Range(1, 9).Draw(t, "step")
				add := rapid.IntRange(0, 3).Draw(t, "add") > 0
				for i := range rapid.Uint32Range(1, 200).Draw(t, "members") {
					member := from + i*step
					if err := w.merge(own, kv.MemberDelta(member, add)); err != nil {
						t.Fatal(err)
					}
					if add {
						model[key].Add(member)
					} else {
						model[key].Remove(member)
					}
				}
			}
		}
		for _, op := range w.ops() {
			check(&op)
		}
	})
}

// A transaction that puts members into one set needs memory for the set, not for a copy of it with
// each member.
func TestManyMergesTakeLittleMemory(t *testing.T) {
	var w writes
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	const members = 50_000
	for i := range uint32(members) {
		if err := w.merge([]byte("set"), kv.MemberDelta(i*7%65_521, true)); err != nil { // a prime: none comes twice
			t.Fatal(err)
		}
	}
	ops := w.ops()
	runtime.ReadMemStats(&after)
	set, err := kv.Fold(nil, ops[0].Value, true)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := kv.Bitmap(set); err != nil || got.GetCardinality() != members {
		t.Fatalf("the set has %d members, error %v; want %d", got.GetCardinality(), err, members)
	}
	const most = 16 << 20 // 20 times the deltas; a copy with each took 400 MB
	if took := after.TotalAlloc - before.TotalAlloc; took > most {
		t.Errorf("%d merges took %d bytes; want at most %d", members, took, most)
	}
}
