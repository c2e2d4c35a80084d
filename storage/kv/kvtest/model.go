package kvtest

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/clientele-go/clientele/storage/kv"
)

// A key's first byte says what the suite keeps under it.
const (
	counterClass = '#'
	bitmapClass  = '%'
)

// model is the naive state that an engine is compared with: values in normal form by
// key. The normal form of a counter is its number ("-3"), of a bitmap its
// members in order ("1 5 70000"), of anything else the bytes themselves. It knows
// nothing of package kv's encoding or folding.
type model map[string]string

// op is one operation in the model's terms.
type op struct {
	kind        kv.Kind
	key         string
	value       string   // Set: in normal form
	n           int64    // Merge of a counter
	add, remove []uint32 // Merge of a bitmap
}

func (m model) do(ops ...op) {
	for _, o := range ops {
		switch {
		case o.kind == kv.Set:
			m[o.key] = o.value
		case o.kind == kv.Delete:
			delete(m, o.key)
		case o.key[0] == counterClass:
			n, _ := strconv.ParseInt(m[o.key], 10, 64) // absent is 0
			m[o.key] = strconv.FormatInt(n+o.n, 10)
		default:
			m[o.key] = mergeMembers(m[o.key], o.add, o.remove)
		}
	}
}

func mergeMembers(value string, add, remove []uint32) string {
	members := map[uint32]bool{}
	for _, x := range parseMembers(value) {
		members[x] = true
	}
	for _, x := range add {
		members[x] = true
	}
	for _, x := range remove {
		delete(members, x)
	}
	return formatMembers(slices.Sorted(maps.Keys(members)))
}

func parseMembers(value string) []uint32 {
	var members []uint32
	for _, field := range strings.Fields(value) {
		x, _ := strconv.ParseUint(field, 10, 32) // formatMembers wrote it
		members = append(members, uint32(x))
	}
	return members
}

func formatMembers(members []uint32) string {
	fields := make([]string, len(members))
	for i, x := range members {
		fields[i] = strconv.FormatUint(uint64(x), 10)
	}
	return strings.Join(fields, " ")
}

func (m model) clone() model { return maps.Clone(m) }

// difference names the first key in which m differs from want, or is empty.
func (m model) difference(want model) string {
	keys := maps.Clone(m)
	maps.Copy(keys, want)
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		got, found := m[key]
		wanted, present := want[key]
		switch {
		case !found:
			return fmt.Sprintf("%s is missing, want %s", quote(key), quote(wanted))
		case !present:
			return fmt.Sprintf("%s is %s, want it absent", quote(key), quote(got))
		case got != wanted:
			return fmt.Sprintf("%s is %s, want %s", quote(key), quote(got), quote(wanted))
		}
	}
	return ""
}

// normal brings an engine's value into normal form.
func normal(key string, raw []byte) (string, error) {
	if key == "" {
		return string(raw), nil
	}
	switch key[0] {
	case counterClass:
		n, err := kv.Counter(raw)
		return strconv.FormatInt(n, 10), err
	case bitmapClass:
		b, err := kv.Bitmap(raw)
		if err != nil {
			return "", err
		}
		return formatMembers(b.ToArray()), nil
	}
	return string(raw), nil
}

// encode is the value that an engine is given for one in normal form.
func encode(key, value string) []byte {
	if key == "" {
		return []byte(value)
	}
	switch key[0] {
	case counterClass:
		n, _ := strconv.ParseInt(value, 10, 64)
		return kv.CounterDelta(n)
	case bitmapClass:
		return kv.BitmapValue(roaring.BitmapOf(parseMembers(value)...))
	}
	return []byte(value)
}

// delta is what an engine is given for a merge.
func (o op) delta() []byte {
	if o.key[0] == counterClass {
		return kv.CounterDelta(o.n)
	}
	return kv.BitmapDelta(roaring.BitmapOf(o.add...), roaring.BitmapOf(o.remove...))
}

// edit adds the operation to a batch.
func (o op) edit(b *kv.Batch) {
	switch o.kind {
	case kv.Set:
		b.Set([]byte(o.key), encode(o.key, o.value))
	case kv.Delete:
		b.Delete([]byte(o.key))
	case kv.Merge:
		b.Merge([]byte(o.key), o.delta())
	}
}

// edit is one part of a batch.
type edit func(b *kv.Batch)

func newBatch(edits ...edit) *kv.Batch {
	var b kv.Batch
	for _, e := range edits {
		e(&b)
	}
	return &b
}

func set(key, value string) edit { return op{kind: kv.Set, key: key, value: value}.edit }
func del(key string) edit        { return op{kind: kv.Delete, key: key}.edit }

// add merges n into a counter.
func add(key string, n int64) edit { return op{kind: kv.Merge, key: key, n: n}.edit }

// mark merges additions and removals into a bitmap.
func mark(key string, add, remove []uint32) edit {
	return op{kind: kv.Merge, key: key, add: add, remove: remove}.edit
}

// ops adds operations of the model.
func ops(list []op) edit {
	return func(b *kv.Batch) {
		for _, o := range list {
			o.edit(b)
		}
	}
}

// entry gives the batch its journal entry.
func entry(payload string) edit { return func(b *kv.Batch) { b.Journal = []byte(payload) } }

func relaxed(b *kv.Batch) { b.Durability = kv.Relaxed }

func identified(id kv.BatchID) edit { return func(b *kv.Batch) { b.ID = id } }

// reads adds ranges to the batch's condition.
func reads(since kv.Stamp, ranges ...kv.Range) edit {
	return func(b *kv.Batch) {
		b.Since = since
		b.Reads = append(b.Reads, ranges...)
	}
}

func point(key string) kv.Range { return kv.Point([]byte(key)) }

// between is the range [lower, upper).
func between(lower, upper string) kv.Range {
	return kv.Range{Lower: []byte(lower), Upper: []byte(upper)}
}

// from is the range from lower on.
func from(lower string) kv.Range { return kv.Range{Lower: []byte(lower)} }

// run is a kv.Run of pairs.
type run []pair

func (r run) Len() int           { return len(r) }
func (r run) Key(i int) []byte   { return []byte(r[i].key) }
func (r run) Value(i int) []byte { return encode(r[i].key, r[i].value) }

// keyRun makes a run of keys, the value of each being "of " and the key.
func keyRun(keys ...string) run {
	r := make(run, len(keys))
	for i, key := range keys {
		r[i] = pair{key, "of " + key}
	}
	return r
}

// mergeOps makes a load's merges.
func mergeOps(list ...op) []kv.Op { return newBatch(ops(list)).Ops() }

// payloads makes a load's journal.
func payloads(list ...string) [][]byte {
	entries := make([][]byte, len(list))
	for i, p := range list {
		entries[i] = []byte(p)
	}
	return entries
}
