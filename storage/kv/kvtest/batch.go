package kvtest

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/clientele-go/clientele/storage/kv"
)

func batchProperties() []property {
	return []property{
		{"Batch/OpsTakeEffectInOrder", opsTakeEffectInOrder},
		{"Batch/EmptyBatch", emptyBatch},
		{"Batch/LargeBatch", largeBatch},
		{"Batch/JournalBelongsToCaller", journalBelongsToCaller},
		{"Batch/RefusesBadKeys", refusesBadKeys},
		{"Batch/AcceptsUpToLimits", acceptsUpToLimits},
		{"Batch/RefusesBeyondLimits", refusesBeyondLimits},
	}
}

func opsTakeEffectInOrder(t *trial) {
	for _, c := range []struct {
		edits []edit
		want  model
	}{
		{[]edit{set("a", "1"), set("a", "2")}, model{"a": "2"}},
		{[]edit{set("a", "1"), del("a")}, model{}},
		{[]edit{del("a"), set("a", "1")}, model{"a": "1"}},
		{[]edit{set("a", "1"), del("a"), set("a", "3"), set("b", "4")}, model{"a": "3", "b": "4"}},
		{[]edit{set("b", "1"), set("a", "2"), del("b"), set("c", "3"), del("c")}, model{"a": "2"}},
		{[]edit{set("#n", "1"), add("#n", 2), del("#n"), add("#n", 3), add("#n", 4)}, model{"#n": "7"}},
	} {
		s := t.open()
		s.apply(c.edits...)
		s.wantState(c.want)
		s.apply(set("a", "old"), set("b", "old"), set("c", "old"), set("#n", "50"))
		s.apply(append([]edit{del("b"), del("c"), del("#n"), del("a")}, c.edits...)...) // the same onto other values
		s.wantState(c.want)
		s.close()
	}
}

// A batch without operations still has its entry, its id and its condition.
func emptyBatch(t *trial) {
	s := t.open()
	if at := s.apply(); at != 0 {
		t.Fatalf("an empty batch got position %d, want 0", at)
	}
	if at := s.apply(entry("only")); at != 1 {
		t.Fatalf("the first journal entry got position %d, want 1", at)
	}
	id := identified(kv.NewBatchID(time.Now()))
	if first, again := s.apply(id, entry("id")), s.apply(id, entry("id")); first != 2 || again != 2 {
		t.Fatalf("an empty batch with an entry and an id got positions %d and, again, %d, want 2 and 2", first, again)
	}
	v := s.snapshot()
	s.apply(set("a", "1"))
	s.refuse(kv.ErrConflict, reads(v.Stamp(), point("a")), entry("refused"))
	s.settle(func(v *view) []edit { return []edit{reads(v.Stamp(), point("a"))} })
	s.wantState(model{"a": "1"})
	s.wantJournal("only", "id")
}

func largeBatch(t *trial) {
	s := t.open()
	want := model{}
	var list []op
	for i := range 10_000 {
		o := op{key: fmt.Sprintf("k%05d", i*7919%10_000), value: strconv.Itoa(i)}
		if i%5 == 4 {
			o = op{kind: kv.Merge, key: fmt.Sprint("#", i%3), n: int64(i)}
		}
		list = append(list, o)
	}
	want.do(list...)
	s.apply(ops(list), entry("large"))
	s.wantState(want)
	s.wantJournal("large")
}

// A batch borrows its journal entry until Apply returns, and copies the rest.
func journalBelongsToCaller(t *trial) {
	s := t.open()
	key, value, payload := []byte("key"), []byte("value"), []byte("payload")
	var b kv.Batch
	b.Set(key, value)
	clear(key)
	clear(value)
	b.Journal = payload
	if _, err := s.Apply(t.ctx, &b); err != nil {
		t.Fatalf("Apply: %v", err)
	}
	clear(payload)
	t.note("apply a batch and zero the slices that it was given")
	s.wantState(model{"key": "value"})
	s.wantJournal("payload")
}

// refused checks that batches around one bad edit fail with ErrLimit and leave nothing,
// not even their id.
func refused(s *subject, what string, bad edit) {
	s.t.Helper()
	s.t.note("now %s", what)
	id := identified(kv.NewBatchID(time.Now()))
	before := s.Durable()
	s.refuse(kv.ErrLimit, id, set("a", "refused"), bad, set("z", "refused"), entry("refused"))
	s.wantState(model{"a": "1"})
	if at := s.apply(id, entry("next")); at != before+1 {
		s.t.Fatalf("the next journal entry after a refused batch got position %d, want %d", at, before+1)
	}
}

func refusesBadKeys(t *trial) {
	s := t.open()
	s.apply(set("a", "1"))
	long := strings.Repeat("k", s.Limits().KeyBytes+1)
	for _, key := range []string{"", "\x00", "\x00a", long} {
		what := "the key " + quote(key)
		refused(s, "a set of "+what, set(key, "1"))
		refused(s, "a delete of "+what, del(key))
		refused(s, "a merge into "+what, func(b *kv.Batch) { b.Merge([]byte(key), kv.CounterDelta(1)) })
		for _, l := range []kv.Load{
			{Runs: []kv.Run{keyRun(key)}},
			{Merges: []kv.Op{{Kind: kv.Merge, Key: []byte(key), Value: kv.CounterDelta(1)}}},
		} {
			l.Journal = payloads("refused")
			s.refuseIngest(kv.ErrLimit, l)
			s.wantState(model{"a": "1"})
		}
	}
	for _, c := range s.changes(0) {
		if string(c.Payload) != "next" {
			t.Fatalf("the journal holds %s at position %d, want no entry of a refused batch", quote(c.Payload), c.Position)
		}
	}
}

// What is larger than this is not tried: a test has no such memory to spare.
const (
	acceptedBytes = 8 << 20
	refusedBytes  = 72 << 20
)

func acceptsUpToLimits(t *trial) {
	s := t.open()
	l := s.Limits()
	longest := strings.Repeat("k", l.KeyBytes)
	s.apply(set(longest, "1"))
	s.want(longest, "1")
	s.wantAbsent(longest[1:])
	if l.ValueBytes <= acceptedBytes && int64(l.ValueBytes)+1 <= l.BatchBytes {
		largest := strings.Repeat("v", l.ValueBytes)
		s.apply(set("v", largest))
		s.want("v", largest)
		s.apply(entry(largest))
		s.wantJournal(largest)
	}
	if l.BatchBytes <= acceptedBytes {
		b := exactBatch(l, l.BatchBytes)
		if _, err := s.Apply(t.ctx, b); err != nil {
			t.Fatalf("Apply of %d bytes, as many as Limits().BatchBytes: %v", b.Bytes(), err)
		}
	}
}

func refusesBeyondLimits(t *trial) {
	s := t.open()
	l := s.Limits()
	s.apply(set("a", "1"))
	if l.ValueBytes < refusedBytes {
		large := strings.Repeat("v", l.ValueBytes+1)
		refused(s, "a value too long", set("v", large))
		s.refuse(kv.ErrLimit, set("v", "1"), entry(large))
		s.refuseIngest(kv.ErrLimit, kv.Load{Runs: []kv.Run{run{{"v", large}}}})
		s.refuseIngest(kv.ErrLimit, kv.Load{Runs: []kv.Run{keyRun("v")}, Journal: payloads("refused", large)})
	}
	if l.BatchBytes < refusedBytes {
		b := exactBatch(l, l.BatchBytes+1)
		refused(s, "a batch too large", func(to *kv.Batch) {
			for _, o := range b.Ops() {
				to.Set(o.Key, o.Value)
			}
		})
	}
	s.wantState(model{"a": "1"})
}

// exactBatch makes a batch of exactly so many bytes of keys and values, each within the limits.
func exactBatch(l kv.Limits, size int64) *kv.Batch {
	const keyBytes = 8
	var b kv.Batch
	for i := 0; b.Bytes() < size; i++ {
		rest := size - b.Bytes() - keyBytes
		value := min(rest, int64(l.ValueBytes)/2)
		if left := rest - value; 0 < left && left < keyBytes {
			value -= keyBytes // leave room for one more key
		}
		b.Set(fmt.Appendf(nil, "b%07d", i), make([]byte, value))
	}
	return &b
}
