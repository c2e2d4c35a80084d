package kvtest

import (
	"fmt"
	"time"

	"github.com/clientele-go/clientele/storage/kv"
)

func conditionProperties() []property {
	return []property{
		{"Condition/ConflictOnKey", conflictOnKey},
		{"Condition/ConflictOnAbsentKey", conflictOnAbsentKey},
		{"Condition/ConflictOnAnyRead", conflictOnAnyRead},
		{"Condition/ConflictOnRange", conflictOnRange},
		{"Condition/ConflictOnOldStamp", conflictOnOldStamp},
		{"Condition/ConflictChangesNothing", conflictChangesNothing},
		{"Condition/UnrelatedWritesPass", unrelatedWritesPass},
		{"Condition/OwnWritesPass", ownWritesPass},
		{"Condition/NoReadsNoCondition", noReadsNoCondition},
	}
}

// disturbance is a way in which a key gets written behind a reader's back.
type disturbance struct {
	what string
	by   func(s *subject, key string)
}

// disturbances lists all ways to write a key. Keys are counters, so that merges go as well.
func disturbances() []disturbance {
	return []disturbance{
		{"a set", func(s *subject, key string) { s.apply(set(key, "2")) }},
		{"a relaxed set", func(s *subject, key string) { s.apply(set(key, "2"), relaxed) }},
		{"a set among other operations", func(s *subject, key string) {
			s.apply(set("A", "2"), set(key, "2"), set("~", "2"), entry("moved"))
		}},
		{"a set that others follow", func(s *subject, key string) {
			s.apply(set(key, "2"))
			for i := range 20 {
				s.apply(set("A", fmt.Sprint(i)), relaxed)
			}
		}},
		{"a merge", func(s *subject, key string) { s.apply(add(key, 1)) }},
		{"a merge of nothing", func(s *subject, key string) { s.apply(add(key, 0)) }},
		{"a set and a delete in two batches", func(s *subject, key string) {
			s.apply(set(key, "2"))
			s.apply(del(key))
		}},
		{"a load", func(s *subject, key string) { s.ingest(kv.Load{Runs: []kv.Run{run{{key, "2"}}}}) }},
		{"a load's merge", func(s *subject, key string) {
			s.ingest(kv.Load{Merges: mergeOps(op{kind: kv.Merge, key: key, n: 1})})
		}},
		{"a load among other keys", func(s *subject, key string) {
			s.ingest(kv.Load{Runs: []kv.Run{run{{"!", "1"}}, run{{key, "2"}, {key + "\x00", "2"}}, run{{"~", "1"}}}})
		}},
	}
}

// ofPresentKey lists the ways that need the key to be there, and to end as it was.
func ofPresentKey() []disturbance {
	return []disturbance{
		{"a set to the same value", func(s *subject, key string) { s.apply(set(key, "1")) }},
		{"a delete", func(s *subject, key string) { s.apply(del(key)) }},
		{"a delete and a set in one batch", func(s *subject, key string) { s.apply(del(key), set(key, "1")) }},
		{"a change there and back", func(s *subject, key string) {
			s.apply(set(key, "2"))
			s.apply(set(key, "1"))
		}},
		{"a delete and a set in two batches", func(s *subject, key string) {
			s.apply(del(key))
			s.apply(set(key, "1"))
		}},
	}
}

// conflicts checks that a read of r conflicts after the disturbance of key.
func conflicts(s *subject, d disturbance, key string, r kv.Range) {
	s.t.Helper()
	v := s.snapshot()
	defer v.Close()
	s.t.note("take a snapshot, stamp %d; now %s of %s", v.Stamp(), d.what, quote(key))
	d.by(s, key)
	s.refuse(kv.ErrConflict, reads(v.Stamp(), r), set("result", "of what was read"))
	s.wantAbsent("result")
}

func conflictOnKey(t *trial) {
	s := t.open()
	for i, d := range append(disturbances(), ofPresentKey()...) {
		key := fmt.Sprintf("#%02d", i)
		s.apply(set(key, "1"))
		conflicts(s, d, key, point(key))
	}
}

func conflictOnAbsentKey(t *trial) {
	s := t.open()
	for i, d := range disturbances() {
		key := fmt.Sprintf("#%02d", i)
		conflicts(s, d, key, point(key))
		s.apply(set(key, "1"))
		s.apply(del(key)) // absent, though it once was there
		conflicts(s, d, key, point(key))
	}
}

// The condition holds for each of the reads, wherever it stands.
func conflictOnAnyRead(t *trial) {
	s := t.open()
	const n = 12
	var all []kv.Range
	for i := range n {
		key := fmt.Sprint("k", i)
		s.apply(set(key, "1"))
		all = append(all, point(key))
	}
	for i := range n {
		v := s.snapshot()
		s.apply(set(fmt.Sprint("k", i), "2"))
		s.refuse(kv.ErrConflict, reads(v.Stamp(), all...), set("result", "1"))
		v.Close()
	}
	s.wantAbsent("result")
}

// A range that was read conflicts with whatever appears, changes or goes within it.
func conflictOnRange(t *trial) {
	s := t.open()
	s.needRanges()
	n := 0
	for _, d := range disturbances() {
		for _, at := range []string{"", "\x00", "5", "5\xff", "\xff\xff"} { // Lower itself, …, just before Upper
			p := fmt.Sprintf("#%03d", n)
			n++
			s.apply(set(p+"2", "1"), set(p+"7", "1"), set(p+"~", "1"))
			conflicts(s, d, p+at, kv.Prefix([]byte(p)))
		}
	}
	for i, d := range ofPresentKey() {
		for _, r := range []kv.Range{{}, from("#"), between("#", "$"), between("#p", "#p\x00\x00"), kv.Prefix([]byte("#p"))} {
			s.apply(set("#p", "1"))
			s.t.note("way %d, range %s", i, describeRange(r))
			conflicts(s, d, "#p", r)
		}
	}
	v := s.snapshot()
	s.apply(set("#p", "2"))
	s.refuse(kv.ErrConflict, reads(v.Stamp(), between("a", "b"), point("c"), kv.Prefix([]byte("#p")), from("x")))
}

// However many commits later, a change is still noticed, or the batch refused because
// the engine can't tell.
func conflictOnOldStamp(t *trial) {
	s := t.open()
	s.apply(set("read", "1"), set("counter", "1"))
	v := s.snapshot()
	s.apply(set("read", "2"))
	for _, commits := range []int{1, 100, t.times(4_000)} {
		for i := range commits {
			if _, err := s.Apply(t.ctx, newBatch(set(fmt.Sprint("other", i%100), "1"), relaxed)); err != nil {
				t.Fatalf("Apply: %v", err)
			}
		}
		t.note("apply %d relaxed batches that set other keys", commits)
		s.refuse(kv.ErrConflict, reads(v.Stamp(), point("read")), set("result", "1"))
	}
	fill(t, s, t.times(20_000))
	s.refuse(kv.ErrConflict, reads(v.Stamp(), point("read")), set("result", "1"))
	s.refuse(kv.ErrConflict, reads(0, point("read")), set("result", "1"))
	v.want("read", "1")
	v.Close()
	s.refuse(kv.ErrConflict, reads(v.Stamp(), point("read")), set("result", "1"))
	s.wantAbsent("result")
}

func conflictChangesNothing(t *trial) {
	s := t.open()
	s.apply(set("read", "1"), set("a", "1"), add("#n", 1), entry("first"))
	v := s.snapshot()
	s.apply(set("read", "2"), entry("second"))
	id := identified(kv.NewBatchID(time.Now()))
	for range 3 {
		s.refuse(kv.ErrConflict, reads(v.Stamp(), point("read")), id,
			set("a", "2"), del("a"), set("new", "1"), add("#n", 1), mark("%b", []uint32{1}, nil), entry("refused"))
	}
	want := model{"read": "2", "a": "1", "#n": "1"}
	s.wantState(want)
	s.wantJournal("first", "second")
	if at := s.Durable(); at != 2 {
		t.Fatalf("Durable() is %d after two entries and refused batches, want 2", at)
	}
	if at := s.apply(entry("third")); at != 3 {
		t.Fatalf("the next journal entry got position %d, want 3", at)
	}
	s.wantJournal("first", "second", "third")
}

// With other keys written all the time, a read goes through: at the edges of a range, too.
func unrelatedWritesPass(t *trial) {
	s := t.open()
	s.apply(set("b", "1"), set("c", "1"), add("#n", 1))
	pass := func(r kv.Range, disturb ...edit) {
		t.Helper()
		s.settle(func(v *view) []edit {
			s.apply(disturb...)
			return []edit{reads(v.Stamp(), r), set("result", "1")}
		})
	}
	others := []edit{set("a", "2"), set("b\x00", "2"), del("c"), set("d", "2"), add("#n", 1)}
	pass(point("b"), others...)
	pass(point("absent"), others...)
	if !s.Limits().RangeReads {
		return
	}
	pass(between("b\x01", "c"), others...)
	pass(between("d\x00", "e"), others...)
	pass(between("m", "m"), append(others, set("m", "1"))...) // an empty range
	pass(from("x"), others...)
	pass(kv.Prefix([]byte("p")), set("o\xff\xff", "1"), set("q", "1"))
}

// A batch may write what it read.
func ownWritesPass(t *trial) {
	s := t.open()
	for i := range 5 {
		s.settle(func(v *view) []edit {
			edits := []edit{reads(v.Stamp(), point("a"), point("#n")), set("a", fmt.Sprint(i)), add("#n", 1), del("a"), set("a", "last")}
			if s.Limits().RangeReads {
				edits = append(edits, reads(v.Stamp(), kv.Range{}))
			}
			return edits
		})
	}
	s.wantState(model{"a": "last", "#n": "5"})
}

// Without reads there is no condition, whatever the stamp; such a batch never conflicts.
func noReadsNoCondition(t *trial) {
	s := t.open()
	v := s.snapshot()
	s.apply(set("a", "1"))
	s.apply(reads(v.Stamp()), set("a", "2"))
	s.apply(reads(0), set("a", "3"))
	s.want("a", "3")
	for i := range 50 {
		s.apply(reads(0), set("a", fmt.Sprint(i)))
	}
}
