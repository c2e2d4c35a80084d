package storage

import (
	"fmt"
	"maps"
	"slices"
	"testing"

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
