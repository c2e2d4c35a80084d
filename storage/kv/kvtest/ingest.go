package kvtest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clientele-go/clientele/storage/kv"
)

func ingestProperties() []property {
	return []property{
		{"Ingest/AddsRuns", ingestAddsRuns},
		{"Ingest/FoldsMerges", ingestFoldsMerges},
		{"Ingest/LargeSetsRaceWithMarks", ingestLargeSetsRaceWithMarks},
		{"Ingest/ReplacesPresentKeys", ingestReplacesPresentKeys},
		{"Ingest/MixesWithApply", ingestMixesWithApply},
		{"Ingest/IsAtomic", ingestIsAtomic},
		{"Ingest/RefusesDisorder", ingestRefusesDisorder},
		{"Ingest/ConflictsWithWrittenKeys", ingestConflictsWithWrittenKeys},
		{"Ingest/ConflictsWithWrittenReads", ingestConflictsWithWrittenReads},
		{"Ingest/RacesHaveOneWinner", ingestRacesHaveOneWinner},
		{"Ingest/JournalIsConsecutive", ingestJournalIsConsecutive},
		{"Ingest/BorrowsRunsUntilItReturns", ingestBorrowsRuns},
		{"Ingest/ManyKeys", ingestManyKeys},
	}
}

func ingestAddsRuns(t *trial) {
	s := t.open()
	s.apply(set("m", "between"))
	if at := s.ingest(kv.Load{}); at != 0 {
		t.Fatalf("an empty load returned position %d, want 0", at)
	}
	s.ingest(kv.Load{Runs: []kv.Run{run{}, run{}}})
	s.wantState(model{"m": "between"})
	// Runs come in any order; their ranges lie beside each other and beside present keys.
	s.ingest(kv.Load{Runs: []kv.Run{keyRun("x", "y"), keyRun("a", "a\x00", "a\x00\x00"), run{}, keyRun("\xff", "\xff\xff"), keyRun("b")}})
	want := model{"m": "between"}
	for _, key := range []string{"x", "y", "a", "a\x00", "a\x00\x00", "\xff", "\xff\xff", "b"} {
		want[key] = "of " + key
	}
	s.wantState(want)
	if at := s.ingest(kv.Load{Journal: payloads("one", "two")}); at != 2 {
		t.Fatalf("a load of two entries returned position %d, want 2", at)
	}
	s.ingest(kv.Load{Runs: []kv.Run{run{{"empty value", ""}}}})
	want["empty value"] = ""
	s.wantState(want)
	s.wantJournal("one", "two")
}

func ingestFoldsMerges(t *trial) {
	s := t.open()
	s.apply(set("#set", "10"), add("#merged", 1), set("%set", "1 2 3"), mark("%merged", []uint32{1}, nil), set("#gone", "5"))
	s.apply(del("#gone"), add("#merged", 2))
	s.ingest(kv.Load{Runs: []kv.Run{keyRun("new")}, Merges: mergeOps(
		op{kind: kv.Merge, key: "#gone", n: 7},
		op{kind: kv.Merge, key: "#merged", n: 7},
		op{kind: kv.Merge, key: "#new", n: 7},
		op{kind: kv.Merge, key: "#set", n: 7},
		op{kind: kv.Merge, key: "%merged", add: []uint32{9}, remove: []uint32{1}},
		op{kind: kv.Merge, key: "%new", add: []uint32{9}},
		op{kind: kv.Merge, key: "%set", add: []uint32{9}, remove: []uint32{2}},
	)})
	want := model{"new": "of new", "#gone": "7", "#merged": "10", "#new": "7", "#set": "17", "%merged": "9", "%new": "9", "%set": "1 3 9"}
	s.wantState(want)
	after := []op{
		{kind: kv.Merge, key: "#set", n: 1}, {kind: kv.Merge, key: "%set", remove: []uint32{9}},
		{kind: kv.Delete, key: "#merged"}, {kind: kv.Merge, key: "#merged", n: 2}, {key: "#new", value: "1"},
	}
	s.apply(ops(after))
	want.do(after...)
	s.wantState(want)
}

// Loads bring large sets while batches mark single records in them: nothing is lost, whatever
// an engine does to fold the sets.
func ingestLargeSetsRaceWithMarks(t *trial) {
	s := t.open()
	const workers, rounds, apart, size = 4, 40, 10_000, 200
	busy := &shift{workers: workers}
	var done [workers]int
	t.parallel(workers, func(ctx context.Context, i int) error {
		for n := 0; n < rounds && busy.more(ctx, n, t.times(10)); n++ {
			if err := mergeLargeOrSmall(ctx, s.Engine, i%2 == 0, uint32(i*apart+n*size), size); err != nil {
				return err
			}
			done[i]++
		}
		return nil
	})
	t.note("workers 0 and 2 load %d and %d sets, workers 1 and 3 mark %d and %d records", done[0], done[2], done[1], done[3])
	var all []uint32
	for i, n := range done {
		for round := range n {
			first := uint32(i*apart + round*size)
			if all = append(all, first); i%2 == 0 {
				all = append(all, manyFrom(first+1, size-1)...)
			}
		}
	}
	s.wantState(model{"%set": formatMembers(all)})
}

// mergeLargeOrSmall adds to a set: by a load a number of members, by batches the first of them
// and, for a moment, the last.
func mergeLargeOrSmall(ctx context.Context, e kv.Engine, large bool, first uint32, size int) error {
	if large {
		snapshot, err := e.Snapshot(ctx)
		if err != nil {
			return err
		}
		defer snapshot.Close()
		_, err = e.Ingest(ctx, &kv.Load{Since: snapshot.Stamp(), Merges: mergeOps(op{kind: kv.Merge, key: "%set", add: manyFrom(first, size)})})
		return err
	}
	last := []uint32{first + uint32(size) - 1}
	_, err := e.Apply(ctx, newBatch(mark("%set", []uint32{first, last[0]}, nil)))
	if err == nil {
		_, err = e.Apply(ctx, newBatch(mark("%set", nil, last)))
	}
	return err
}

func manyFrom(first uint32, n int) []uint32 {
	members := make([]uint32, n)
	for i := range members {
		members[i] = first + uint32(i)
	}
	return members
}

// Present keys are the caller's mistake; the load's value replaces theirs, even merged ones.
func ingestReplacesPresentKeys(t *trial) {
	s := t.open()
	s.apply(set("a", "old"), add("#n", 5), mark("%b", []uint32{1}, nil))
	s.apply(add("#n", 5), mark("%b", []uint32{2}, nil))
	s.ingest(kv.Load{Runs: []kv.Run{run{{"#n", "1"}, {"%b", "7"}, {"a", "new"}}}})
	s.wantState(model{"a": "new", "#n": "1", "%b": "7"})
}

// Loads and batches take turns on the same keys; each sees what came before it.
func ingestMixesWithApply(t *trial) {
	s := t.open()
	want := model{}
	for i := range t.times(12) {
		var r run
		for j := range 5 {
			r = append(r, pair{fmt.Sprintf("k%d.%d", i, j), strconv.Itoa(i)})
		}
		merge := op{kind: kv.Merge, key: "#n", n: int64(i)}
		s.ingest(kv.Load{Runs: []kv.Run{r}, Merges: mergeOps(merge)})
		for _, p := range r {
			want[p.key] = p.value
		}
		list := []op{
			{key: r[0].key, value: "applied"}, {kind: kv.Delete, key: r[1].key}, {kind: kv.Merge, key: "#n", n: 1},
			{kind: kv.Delete, key: fmt.Sprintf("k%d.%d", i/2, 3)},
		}
		s.apply(ops(list), relaxed)
		want.do(merge)
		want.do(list...)
		s.wantState(want)
	}
}

// A reader sees a load whole, runs, merges and all, or not at all.
func ingestIsAtomic(t *trial) {
	s := t.open()
	loads := t.times(10)
	busy := &shift{workers: 2}
	t.parallel(2, func(ctx context.Context, i int) error {
		if i == 0 {
			defer busy.leave()
			return loadRounds(ctx, s.Engine, loads)
		}
		for n := 0; busy.more(ctx, n, 1); n++ {
			if err := wholeLoads(ctx, s.Engine); err != nil {
				return err
			}
		}
		return nil
	})
	s.want("#loads", strconv.Itoa(loads))
}

func loadRounds(ctx context.Context, e kv.Engine, n int) error {
	for round := range n {
		if err := loadRound(ctx, e, round); err != nil {
			return err
		}
		time.Sleep(500 * time.Microsecond) // let the reader look
	}
	return nil
}

// loadKeys is how many keys of each of two runs a load has in loadRound.
const loadKeys = 100

func loadRound(ctx context.Context, e kv.Engine, round int) error {
	runs := []kv.Run{run{}, run{}}
	for i, half := range []string{"a", "z"} {
		var r run
		for n := range loadKeys {
			r = append(r, pair{fmt.Sprintf("%s/%04d/%04d", half, round, n), strconv.Itoa(n)})
		}
		runs[i] = r
	}
	for {
		snapshot, err := e.Snapshot(ctx)
		if err != nil {
			return err
		}
		_, err = e.Ingest(ctx, &kv.Load{
			Since: snapshot.Stamp(), Runs: runs,
			Merges: mergeOps(op{kind: kv.Merge, key: "#loads", n: 1}),
		})
		snapshot.Close()
		if !errors.Is(err, kv.ErrConflict) || ctx.Err() != nil {
			return err
		}
	}
}

// wholeLoads checks that a snapshot holds all keys of as many loads as it counts.
func wholeLoads(ctx context.Context, e kv.Engine) error {
	snapshot, err := e.Snapshot(ctx)
	if err != nil {
		return err
	}
	defer snapshot.Close()
	count, _, err := readKey(ctx, snapshot, "#loads")
	if err != nil {
		return err
	}
	loads, _ := strconv.Atoi(count) // absent is 0
	for _, half := range []string{"a/", "z/"} {
		pairs, err := collect(ctx, snapshot, kv.Prefix([]byte(half)), false)
		if err != nil {
			return err
		}
		if len(pairs) != loads*loadKeys {
			return fmt.Errorf("a snapshot counts %d loads and holds %d keys under %q, want %d", loads, len(pairs), half, loads*loadKeys)
		}
	}
	return nil
}

func ingestRefusesDisorder(t *trial) {
	s := t.open()
	s.apply(set("present", "1"), entry("first"))
	plus := func(key string) op { return op{kind: kv.Merge, key: key, n: 1} }
	for _, c := range []struct {
		what string
		load kv.Load
	}{
		{"a run that descends", kv.Load{Runs: []kv.Run{keyRun("b", "a")}}},
		{"a run that descends at its end", kv.Load{Runs: []kv.Run{keyRun("a", "c", "e", "d")}}},
		{"a key twice in a run", kv.Load{Runs: []kv.Run{keyRun("a", "b", "b")}}},
		{"a key in two runs", kv.Load{Runs: []kv.Run{keyRun("a", "b"), keyRun("b", "c")}}},
		{"a run within another", kv.Load{Runs: []kv.Run{keyRun("a", "d"), keyRun("b", "c")}}},
		{"runs that overlap, not neighbours", kv.Load{Runs: []kv.Run{keyRun("c", "f"), keyRun("a", "b"), keyRun("e", "g")}}},
		{"the same run twice", kv.Load{Runs: []kv.Run{keyRun("a"), keyRun("a")}}},
		{"merges that descend", kv.Load{Merges: mergeOps(plus("#b"), plus("#a"))}},
		{"a key twice in the merges", kv.Load{Merges: mergeOps(plus("#a"), plus("#a"))}},
		{"a merge into a run's key", kv.Load{Runs: []kv.Run{run{{"#a", "1"}, {"#c", "1"}}}, Merges: mergeOps(plus("#c"))}},
		{"a merge within a run's range", kv.Load{Runs: []kv.Run{run{{"#a", "1"}, {"#c", "1"}}}, Merges: mergeOps(plus("#b"))}},
		{"a set among the merges", kv.Load{Merges: newBatch(set("#a", "1")).Ops()}},
		{"a delete among the merges", kv.Load{Merges: newBatch(del("present")).Ops()}},
	} {
		t.note("now %s", c.what)
		c.load.Journal = payloads("refused")
		s.refuseIngest(kv.ErrInvalid, c.load)
		s.wantState(model{"present": "1"})
	}
	if at := s.apply(entry("second")); at != 2 {
		t.Fatalf("the next journal entry after refused loads got position %d, want 2", at)
	}
	s.wantJournal("first", "second")
	// Merges beside the ranges of runs are in order.
	s.ingest(kv.Load{Runs: []kv.Run{run{{"#b", "1"}, {"#c", "1"}}, run{{"#e", "1"}}}, Merges: mergeOps(plus("#a"), plus("#d"), plus("#f"))})
	s.wantState(model{"present": "1", "#a": "1", "#b": "1", "#c": "1", "#d": "1", "#e": "1", "#f": "1"})
}

func ingestConflictsWithWrittenKeys(t *trial) {
	s := t.open()
	want := model{}
	for i, d := range disturbances() {
		for _, at := range []int{0, 2, 4} { // first, middle, last key of the load
			var r run
			for n := range 5 {
				r = append(r, pair{fmt.Sprintf("#%02d.%d/%d", i, at, n), "1"})
			}
			v := s.snapshot()
			t.note("now %s of %s", d.what, quote(r[at].key))
			d.by(s, r[at].key)
			before := s.snapshot()
			l := kv.Load{
				Since: v.Stamp(), Runs: []kv.Run{r},
				Merges: mergeOps(op{kind: kv.Merge, key: "%m", add: []uint32{1}}), Journal: payloads("refused"),
			}
			if at, err := s.tryIngest(&l); !errors.Is(err, kv.ErrConflict) {
				t.Fatalf("Ingest returned (%d, %v), want an error that wraps ErrConflict", at, err)
			}
			want = must[model](t)(readState(t.ctx, before))
			s.wantState(want)
			v.Close()
			before.Close()
		}
	}
	s.wantAbsent("%m")
	for _, c := range s.changes(0) {
		if string(c.Payload) == "refused" {
			t.Fatalf("the journal holds an entry of a refused load at %d", c.Position)
		}
	}
	// From now on, none of that matters any more.
	s.ingest(kv.Load{Runs: []kv.Run{run{{"#00.0/1", "7"}}}})
	want["#00.0/1"] = "7"
	s.wantState(want)
}

// A load's reads are a condition like a batch's: of keys that it doesn't write, present or not.
func ingestConflictsWithWrittenReads(t *trial) {
	s := t.open()
	s.apply(set("read", "1"), set("within", "1"))
	for what, write := range map[string]func(){
		"a key that was read":   func() { s.apply(set("read", "2")) },
		"one in a range":        func() { s.apply(del("within")) },
		"one that wasn't there": func() { s.apply(set("absent", "1")) },
		"a loaded one":          func() { s.ingest(kv.Load{Runs: []kv.Run{keyRun("within it")}}) },
	} {
		t.note("now %s is written", what)
		v := s.snapshot()
		l := kv.Load{
			Since: v.Stamp(), Runs: []kv.Run{keyRun("new")}, Journal: payloads("refused"),
			Reads: []kv.Range{kv.Point([]byte("read")), kv.Point([]byte("absent")), {Lower: []byte("with"), Upper: []byte("wj")}},
		}
		write()
		if at, err := s.tryIngest(&l); !errors.Is(err, kv.ErrConflict) {
			t.Fatalf("Ingest returned (%d, %v), want an error that wraps ErrConflict", at, err)
		}
		v.Close()
		s.wantAbsent("new")
		s.apply(del("absent"), set("within", "1"))
	}
	v := s.snapshot()
	defer v.Close()
	s.apply(set("other", "1"))
	s.ingest(kv.Load{Since: v.Stamp(), Reads: []kv.Range{kv.Point([]byte("read"))}, Runs: []kv.Run{keyRun("new")}})
}

// Loads and batches see that a key is absent, and then all create it; one of them does.
func ingestRacesHaveOneWinner(t *trial) {
	s := t.open()
	const racers = 6
	for round := range t.times(15) {
		key := fmt.Sprintf("k%04d", round)
		haveSeen := newBarrier(racers)
		var winners atomic.Int32
		t.parallel(racers, func(ctx context.Context, i int) error {
			for try := 0; ctx.Err() == nil; try++ {
				won, err := s.create(ctx, key, i, func() error {
					if try > 0 {
						return nil
					}
					return haveSeen.wait(ctx)
				})
				if won {
					winners.Add(1)
				}
				if !errors.Is(err, kv.ErrConflict) {
					return err
				}
			}
			return ctx.Err()
		})
		if n := winners.Load(); n != 1 {
			t.Fatalf("%d of %d racers created %s after each saw it absent, want 1", n, racers, quote(key))
		}
	}
}

// create makes a key that a snapshot doesn't show: by a load, or by a batch.
func (s *subject) create(ctx context.Context, key string, racer int, afterLook func() error) (bool, error) {
	snapshot, err := s.Snapshot(ctx)
	if err != nil {
		return false, err
	}
	defer snapshot.Close()
	_, found, err := readKey(ctx, snapshot, key)
	if err := errors.Join(err, afterLook()); err != nil || found {
		return false, err
	}
	value := strconv.Itoa(racer)
	if racer%2 == 0 {
		_, err = s.Ingest(ctx, &kv.Load{Since: snapshot.Stamp(), Runs: []kv.Run{run{{key, value}}}})
	} else {
		_, err = s.Apply(ctx, newBatch(reads(snapshot.Stamp(), point(key)), set(key, value)))
	}
	return err == nil, err
}

// The entries of a load stand together, though others commit meanwhile.
func ingestJournalIsConsecutive(t *trial) {
	s := t.open()
	const writers, entries = 4, 5
	busy := &shift{workers: writers}
	t.parallel(writers, func(ctx context.Context, i int) error {
		for n := 0; busy.more(ctx, n, t.times(12)); n++ {
			if i%2 == 0 {
				if _, err := s.Apply(ctx, newBatch(entry("single"), add("#n", 1))); err != nil {
					return err
				}
				continue
			}
			name := fmt.Sprintf("load %d.%d", i, n)
			var journal []string
			for part := range entries {
				journal = append(journal, fmt.Sprintf("%s part %d", name, part))
			}
			if _, err := ingestOne(ctx, s.Engine, name, journal); err != nil {
				return err
			}
		}
		return nil
	})
	next := "" // what must follow, within a load
	for _, c := range s.changes(0) {
		payload := string(c.Payload)
		name, part, inLoad := strings.Cut(payload, " part ")
		if next != "" && payload != next || next == "" && inLoad && part != "0" {
			t.Fatalf("the journal holds %s at %d, want %s", quote(payload), c.Position, quote(cmp.Or(next, "the first part of a load")))
		}
		next = ""
		if number, _ := strconv.Atoi(part); inLoad && number < entries-1 {
			next = fmt.Sprintf("%s part %d", name, number+1)
		}
	}
}

// bufferRun lends its own buffers, as a loader does that uses them again.
type bufferRun struct{ keys, values [][]byte }

func (r bufferRun) Len() int           { return len(r.keys) }
func (r bufferRun) Key(i int) []byte   { return r.keys[i] }
func (r bufferRun) Value(i int) []byte { return r.values[i] }

func ingestBorrowsRuns(t *trial) {
	s := t.open()
	var r bufferRun
	want := model{}
	for i := range 100 {
		key, value := fmt.Sprintf("k%02d", i), fmt.Sprint("value ", i)
		r.keys, r.values = append(r.keys, []byte(key)), append(r.values, []byte(value))
		want[key] = value
	}
	journal := payloads("payload")
	merges := mergeOps(op{kind: kv.Merge, key: "#n", n: 3})
	want["#n"] = "3"
	s.ingest(kv.Load{Runs: []kv.Run{r}, Merges: merges, Journal: journal})
	for i := range r.keys {
		clear(r.keys[i])
		clear(r.values[i])
	}
	clear(journal[0])
	clear(merges[0].Key)
	clear(merges[0].Value)
	t.note("zero all that the load lent")
	s.wantState(want)
	s.wantJournal("payload")
	v := s.snapshot()
	s.apply(set("k50", "newer"))
	s.refuse(kv.ErrConflict, reads(v.Stamp(), point("k50"))) // the engine still knows which keys were written
}

// sequence is a run of numbered keys, made when asked for.
type sequence struct {
	prefix byte
	n      int
}

func (q sequence) Len() int { return q.n }
func (q sequence) Key(i int) []byte {
	return binary.BigEndian.AppendUint64([]byte{q.prefix}, uint64(i)*3)
}
func (q sequence) Value(i int) []byte { return fmt.Appendf(nil, "value %d", i) }

func ingestManyKeys(t *trial) {
	s := t.open()
	n := 110_000 * t.harness.Scale
	if testing.Short() {
		n = 20_000
	}
	runs := []sequence{{'b', n / 2}, {'a', n / 4}, {'c', n - n/2 - n/4}}
	before := s.snapshot()
	s.ingest(kv.Load{Runs: []kv.Run{runs[0], runs[1], runs[2]}, Merges: mergeOps(op{kind: kv.Merge, key: "#n", n: int64(n)})})
	v := s.snapshot()
	for _, q := range runs {
		checkSequence(t, v, q)
	}
	v.want("#n", strconv.Itoa(n))
	before.wantScan(kv.Range{}, false)
	s.apply(del(string(runs[0].Key(7))), set(string(runs[1].Key(0)), "applied"))
	s.wantAbsent(string(runs[0].Key(7)))
	s.want(string(runs[1].Key(0)), "applied")
	s.refuse(kv.ErrConflict, reads(before.Stamp(), point(string(runs[2].Key(5)))))
}

func checkSequence(t *trial, v *view, q sequence) {
	t.Helper()
	i := 0
	for e, err := range v.Scan(t.ctx, kv.Prefix([]byte{q.prefix}), false) {
		if err != nil {
			t.Fatalf("Scan: %v", err)
		}
		if i >= q.n || !bytes.Equal(e.Key, q.Key(i)) || !bytes.Equal(e.Value, q.Value(i)) {
			t.Fatalf("a scan of a load of %d keys yields %x=%s as number %d", q.n, e.Key, quote(e.Value), i)
		}
		i++
	}
	if i != q.n {
		t.Fatalf("a scan of a load of %d keys yields %d", q.n, i)
	}
	for i := 0; i < q.n; i += 1 + q.n/100 {
		v.want(string(q.Key(i)), string(q.Value(i)))
	}
}
