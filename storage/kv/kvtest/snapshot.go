package kvtest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/clientele-go/clientele/storage/kv"
)

func snapshotProperties() []property {
	return []property{
		{"Snapshot/SeesEveryAcknowledgedCommit", seesEveryAcknowledgedCommit},
		{"Snapshot/StaysFrozen", staysFrozen},
		{"Snapshot/StaysFrozenUnderVolume", staysFrozenUnderVolume},
		{"Snapshot/HoldsWholeBatches", holdsWholeBatches},
		{"Snapshot/ReadersAgreeOnOrder", readersAgreeOnOrder},
		{"Snapshot/PositionIsExact", positionIsExact},
		{"Snapshot/RefusesUseAfterClose", snapshotRefusesUseAfterClose},
	}
}

func seesEveryAcknowledgedCommit(t *trial) {
	s := t.open()
	for i := range t.times(40) {
		value := strconv.Itoa(i)
		s.apply(set("a", value))
		s.want("a", value)
		s.apply(set("b", value), relaxed)
		s.want("b", value)
		s.apply(add("#n", 1), relaxed)
		s.want("#n", strconv.Itoa(i+1))
		if i%10 == 0 {
			s.ingest(kv.Load{Runs: []kv.Run{keyRun("i" + value)}})
			s.want("i"+value, "of i"+value)
		}
	}
}

// Snapshots of different moments each keep theirs, whatever is written later and
// however.
func staysFrozen(t *trial) {
	s := t.open()
	r := t.random(1)
	now := model{}
	type moment struct {
		view  *view
		state model
	}
	var moments []moment
	for i := range t.times(60) {
		list := randomOps(r, 1+r.IntN(6))
		s.apply(ops(list), relaxed)
		now.do(list...)
		if i%7 == 3 {
			key := fmt.Sprintf("ingested%03d", i)
			s.ingest(kv.Load{Runs: []kv.Run{keyRun(key)}, Merges: mergeOps(op{kind: kv.Merge, key: "#1", n: 5})})
			now.do(op{key: key, value: "of " + key}, op{kind: kv.Merge, key: "#1", n: 5})
		}
		if i%5 == 0 {
			moments = append(moments, moment{s.snapshot(), now.clone()})
			t.note("take snapshot %d", len(moments))
		}
		if i%11 == 10 {
			chosen := r.IntN(len(moments))
			t.note("read snapshot %d", chosen+1)
			moments[chosen].view.wantState(moments[chosen].state)
		}
	}
	for i, m := range moments {
		t.note("read snapshot %d", i+1)
		m.view.wantState(m.state)
		if err := m.view.Close(); err != nil {
			t.Fatalf("Snapshot.Close: %v", err)
		}
	}
	s.wantState(now)
}

// Enough is overwritten that an engine flushes and compacts underneath the snapshots.
func staysFrozenUnderVolume(t *trial) {
	s := t.open()
	const keys = 1_000
	views := []*view{s.snapshot()} // holds nothing
	rounds := t.times(8)
	for round := range rounds {
		if err := overwrite(t, s, keys, round); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		if round < 3 || round == rounds-1 {
			views = append(views, s.snapshot())
		}
	}
	views[0].wantScan(kv.Range{}, false)
	for i, v := range views[1:] {
		round := i
		if i == 3 {
			round = rounds - 1
		}
		t.note("read the snapshot of round %d", round)
		wantRound(t, v, keys, round)
	}
}

// overwrite sets every key to a value of a kilobyte that names the round, and deletes every third in odd rounds.
func overwrite(t *trial, s *subject, keys, round int) error {
	for first := 0; first < keys; first += 250 {
		b := kv.Batch{Durability: kv.Relaxed}
		for i := first; i < first+250; i++ {
			key := fmt.Appendf(nil, "v%06d", i)
			if round%2 == 1 && i%3 == 0 {
				b.Delete(key)
				continue
			}
			b.Set(key, roundValue(round, i))
		}
		if _, err := s.Apply(t.ctx, &b); err != nil {
			return err
		}
	}
	t.note("overwrite %d keys of 1 KiB, round %d", keys, round)
	return nil
}

func roundValue(round, i int) []byte {
	return []byte(strings.Repeat(fmt.Sprintf("round %06d key %06d;", round, i), 48))
}

func wantRound(t *trial, v *view, keys, round int) {
	t.Helper()
	want := model{}
	for i := range keys {
		if round%2 == 1 && i%3 == 0 {
			continue
		}
		want[fmt.Sprintf("v%06d", i)] = string(roundValue(round, i))
	}
	v.wantState(want)
}

// A snapshot taken beside writers holds all of a batch or nothing.
func holdsWholeBatches(t *trial) {
	s := t.open()
	keys := []string{"a", "k", "z"}
	const writers, readers = 3, 2
	busy := &shift{workers: writers + readers}
	t.parallel(writers+readers, func(ctx context.Context, i int) error {
		for n := 0; busy.more(ctx, n, t.times(60)); n++ {
			if i >= writers {
				if err := readWhole(ctx, s.Engine, keys); err != nil {
					return err
				}
				continue
			}
			b := kv.Batch{Durability: kv.Durability(n % 2)}
			for _, key := range keys {
				if n%10 == 9 {
					b.Delete([]byte(key))
				} else {
					b.Set([]byte(key), fmt.Appendf(nil, "%d/%d", i, n))
				}
			}
			if _, err := s.Apply(ctx, &b); err != nil {
				return err
			}
		}
		return nil
	})
}

// readWhole checks that in a new snapshot all keys have the same value or none.
func readWhole(ctx context.Context, e kv.Engine, keys []string) error {
	values, err := readTogether(ctx, e, keys)
	if err != nil {
		return err
	}
	if len(slices.Compact(slices.Clone(values))) > 1 {
		return fmt.Errorf("a snapshot holds %s under the keys %s, which every batch sets or deletes together",
			describeStrings(values), describeStrings(keys))
	}
	return nil
}

// readTogether gets keys in one snapshot; an absent key reads as "".
func readTogether(ctx context.Context, e kv.Engine, keys []string) ([]string, error) {
	snapshot, err := e.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	defer snapshot.Close()
	values := make([]string, len(keys))
	for i, key := range keys {
		if values[i], _, err = readKey(ctx, snapshot, key); err != nil {
			return nil, err
		}
	}
	return values, nil
}

// Two registers count up independently. Readers may see one ahead of the other, but not each
// a different one: all states lie on one line (no long fork), and no reader goes back on it.
func readersAgreeOnOrder(t *trial) {
	s := t.open()
	const readers = 2
	busy := &shift{workers: readers + 2}
	var seen [readers][][2]int
	t.parallel(readers+2, func(ctx context.Context, i int) (err error) {
		if i < readers {
			defer busy.leave()
			seen[i], err = watchRegisters(ctx, s.Engine, t.times(100))
			return err
		}
		for n := 0; busy.more(ctx, n, t.times(100)); n++ {
			key := []string{"x", "y"}[i-readers]
			if _, err := s.Apply(ctx, newBatch(set(key, strconv.Itoa(n+1)), relaxed)); err != nil {
				return err
			}
			runtime.Gosched() // so that x and y take turns
		}
		return nil
	})
	all := slices.Concat(seen[:]...)
	slices.SortFunc(all, func(a, b [2]int) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) })
	for i := 1; i < len(all); i++ {
		if all[i][1] < all[i-1][1] {
			t.Fatalf("snapshots show (x, y) = %v and %v: they disagree on which write came first", all[i-1], all[i])
		}
	}
}

// watchRegisters reads (x, y) in snapshot after snapshot until it has seen n different states.
func watchRegisters(ctx context.Context, e kv.Engine, n int) ([][2]int, error) {
	var states [][2]int
	last := [2]int{-1, -1}
	for len(states) < n && ctx.Err() == nil {
		values, err := readTogether(ctx, e, []string{"x", "y"})
		if err != nil {
			return nil, err
		}
		x, _ := strconv.Atoi(values[0]) // absent is 0
		y, _ := strconv.Atoi(values[1])
		state := [2]int{x, y}
		if x < last[0] || y < last[1] {
			return nil, fmt.Errorf("a later snapshot shows (x, y) = %v after %v", state, last)
		}
		if state != last {
			states = append(states, state)
		}
		last = state
		runtime.Gosched()
	}
	return states, ctx.Err()
}

// Every commit counts as many as it has journal entries, so that each snapshot counts its
// position, no more and no less; the last relaxed ones and those beside writers, too.
func positionIsExact(t *trial) {
	s := t.open()
	first := s.snapshot()
	for range 10 {
		s.apply(add("#n", 1), entry("one"), relaxed)
		if err := countsItsPosition(t.ctx, s.Engine); err != nil {
			t.Fatalf("%v", err)
		}
	}
	const writers, readers = 3, 2
	busy := &shift{workers: writers + readers}
	t.parallel(writers+readers, func(ctx context.Context, i int) error {
		for n := 0; busy.more(ctx, n, t.times(40)); n++ {
			work := countsItsPosition
			if i < writers {
				work = func(ctx context.Context, e kv.Engine) error { return countOne(ctx, e, n) }
			}
			if err := work(ctx, s.Engine); err != nil {
				return err
			}
		}
		return nil
	})
	if err := countsItsPosition(t.ctx, s.Engine); err != nil {
		t.Fatalf("%v", err)
	}
	if at, err := first.Position(t.ctx); at != 0 || err != nil {
		t.Fatalf("Position() of a snapshot taken before the first entry = (%d, %v), want 0", at, err)
	}
}

// countOne commits an entry and counts it; or, every fifth time, a load of two.
func countOne(ctx context.Context, e kv.Engine, n int) error {
	b := newBatch(add("#n", 1), entry("one"))
	b.Durability = kv.Durability(n % 2)
	if n%5 < 4 {
		_, err := e.Apply(ctx, b)
		return err
	}
	snapshot, err := e.Snapshot(ctx)
	if err != nil {
		return err
	}
	defer snapshot.Close()
	_, err = e.Ingest(ctx, &kv.Load{
		Since: snapshot.Stamp(), Journal: payloads("two", "at once"),
		Merges: mergeOps(op{kind: kv.Merge, key: "#n", n: 2}),
	})
	if errors.Is(err, kv.ErrConflict) { // allowed, though the load creates nothing
		return nil
	}
	return err
}

func countsItsPosition(ctx context.Context, e kv.Engine) error {
	snapshot, err := e.Snapshot(ctx)
	if err != nil {
		return err
	}
	defer snapshot.Close()
	count, _, err := readKey(ctx, snapshot, "#n")
	if err != nil {
		return err
	}
	at, err := snapshot.Position(ctx)
	n, _ := strconv.ParseUint(count, 10, 64) // absent is 0
	if err == nil && kv.Position(n) != at {
		err = fmt.Errorf("a snapshot's Position() is %d, but it holds the effects of %d entries", at, n)
	}
	return err
}

func snapshotRefusesUseAfterClose(t *trial) {
	s := t.open()
	s.apply(set("a", "1"))
	v := s.snapshot()
	v.want("a", "1")
	for range 2 { // the second time is harmless
		t.note("close the snapshot")
		if err := v.Close(); err != nil {
			t.Fatalf("Snapshot.Close: %v", err)
		}
	}
	if value, found, err := v.Get(t.ctx, []byte("a"), nil); !errors.Is(err, kv.ErrClosed) {
		t.Fatalf("Get on a closed snapshot = (%q, %v, %v), want an error that wraps ErrClosed", value, found, err)
	}
	for _, reverse := range []bool{false, true} {
		if pairs, err := collect(t.ctx, v, kv.Range{}, reverse); !errors.Is(err, kv.ErrClosed) {
			t.Fatalf("%s on a closed snapshot yields %v and the error %v, want one that wraps ErrClosed", describeScan(kv.Range{}, reverse), pairs, err)
		}
	}
	s.want("a", "1") // others go on
}
