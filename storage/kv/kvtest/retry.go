package kvtest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/clientele-go/clientele/storage/kv"
)

func retryProperties() []property {
	return []property{
		{"Retry/SameIDAppliesOnce", sameIDAppliesOnce},
		{"Retry/ComesBeforeTheCondition", retryComesBeforeTheCondition},
		{"Retry/DifferentIDsApplyBoth", differentIDsApplyBoth},
		{"Retry/ConcurrentSameID", concurrentSameID},
		{"Retry/RefusedIDIsFree", refusedIDIsFree},
		{"Retry/AfterUncertainOutcome", retryAfterUncertainOutcome},
		{"Retry/SurvivesReopen", retrySurvivesReopen},
	}
}

func sameIDAppliesOnce(t *trial) {
	s := t.open()
	s.apply(entry("before"))
	var attempts []edit
	for _, age := range []time.Duration{0, time.Minute, 23 * time.Hour} { // RememberBatch is 24 h
		attempts = append(attempts, identified(kv.NewBatchID(time.Now().Add(-age))))
	}
	for i, id := range attempts {
		want := kv.Position(i + 2)
		for try := range 3 {
			if at := s.apply(id, add("#n", 1), set("a", fmt.Sprint(i, try)), entry(fmt.Sprint("entry ", i))); at != want {
				t.Fatalf("try %d with the same id returned position %d, want %d as the first did", try+1, at, want)
			}
			s.apply(set("b", fmt.Sprint(i, try)), relaxed)
		}
	}
	for i, id := range attempts { // again, after others
		if at := s.apply(id, set("other", "operations")); at != kv.Position(i+2) {
			t.Fatalf("trying an id again after other batches returned position %d, want %d", at, i+2)
		}
	}
	s.wantState(model{"#n": "3", "a": "2 0", "b": "2 2"})
	s.wantJournal("before", "entry 0", "entry 1", "entry 2")
	silent := identified(kv.NewBatchID(time.Now()))
	for range 2 {
		if at := s.apply(silent, add("#n", 1)); at != 0 {
			t.Fatalf("a batch without a journal entry returned position %d, want 0", at)
		}
	}
	s.want("#n", "4")
}

// What a batch read has changed by the time it is tried again, not least by itself.
func retryComesBeforeTheCondition(t *trial) {
	s := t.open()
	s.apply(set("a", "1"))
	id := identified(kv.NewBatchID(time.Now()))
	var stamp kv.Stamp
	first := s.settle(func(v *view) []edit {
		stamp = v.Stamp()
		return []edit{id, reads(stamp, point("a")), set("a", "2"), entry("once")}
	})
	s.apply(set("a", "3"))
	if again := s.apply(id, reads(stamp, point("a")), set("a", "2"), entry("once")); again != first {
		t.Fatalf("trying the id again returned position %d, want %d as the first did", again, first)
	}
	s.want("a", "3")
	s.wantJournal("once")
}

// Ids of one millisecond, or with the same random part, are different ids.
func differentIDsApplyBoth(t *trial) {
	s := t.open()
	base := kv.NewBatchID(time.Now())
	ids := []kv.BatchID{base, base, base, kv.NewBatchID(base.Time())}
	ids[1][15] ^= 1
	ids[2][7] ^= 1
	for i, id := range ids {
		if at := s.apply(identified(id), add("#n", 1), entry("x")); at != kv.Position(i+1) {
			t.Fatalf("a batch with a new id got position %d, want %d", at, i+1)
		}
	}
	for range 2 { // no id is no id
		s.apply(add("#n", 1))
	}
	s.want("#n", strconv.Itoa(len(ids)+2))
}

func concurrentSameID(t *trial) {
	s := t.open()
	const racers = 8
	rounds := t.times(10)
	for round := range rounds {
		id := kv.NewBatchID(time.Now())
		start := newBarrier(racers)
		positions := make([]kv.Position, racers)
		t.parallel(racers, func(ctx context.Context, i int) error {
			b := newBatch(identified(id), add("#n", 1), entry(fmt.Sprint("round ", round)))
			b.Durability = kv.Durability(i % 2)
			if err := start.wait(ctx); err != nil {
				return err
			}
			var err error
			positions[i], err = s.Apply(ctx, b)
			if i%2 == 0 && err == nil && s.Durable() < positions[i] {
				err = fmt.Errorf("a synced try returned position %d before it was durable (%d is)", positions[i], s.Durable())
			}
			return err
		})
		t.note("round %d: %d goroutines apply the same id and get %v", round, racers, positions)
		for _, at := range positions {
			if at != kv.Position(round+1) {
				t.Fatalf("concurrent tries of one id returned the positions %v, want %d from each", positions, round+1)
			}
		}
	}
	s.want("#n", strconv.Itoa(rounds))
	if got := len(s.changes(0)); got != rounds {
		t.Fatalf("the journal holds %d entries, want one for each of %d ids", got, rounds)
	}
}

func refusedIDIsFree(t *trial) {
	s := t.open()
	for i, refuse := range []func(id edit){
		func(id edit) {
			v := s.snapshot()
			s.apply(set("read", "changed"))
			s.refuse(kv.ErrConflict, id, reads(v.Stamp(), point("read")), add("#n", 1), entry("refused"))
		},
		func(id edit) { s.refuse(kv.ErrLimit, id, set("", "no key"), add("#n", 1), entry("refused")) },
		func(id edit) {
			bad := func(b *kv.Batch) { b.Merge([]byte("#bad"), []byte("bad delta")) }
			s.refuse(kv.ErrInvalid, id, bad, add("#n", 1), entry("refused"))
		},
	} {
		id := identified(kv.NewBatchID(time.Now()))
		refuse(id)
		refuse(id)
		for range 2 {
			if at := s.apply(id, add("#n", 1), entry("applied")); at != kv.Position(i+1) {
				t.Fatalf("the id of a refused batch, applied at last, returned position %d, want %d", at, i+1)
			}
		}
	}
	s.want("#n", "3")
	s.wantJournal("applied", "applied", "applied")
}

// Contexts end at any moment of Apply. Whatever came of it, trying again with the same id
// until it succeeds applies the batch once; and an error that doesn't say that the
// outcome is unknown means that it was not applied.
func retryAfterUncertainOutcome(t *trial) {
	s := t.open()
	const workers = 4
	each := t.times(20)
	var mu sync.Mutex
	failures := 0
	t.parallel(workers, func(ctx context.Context, i int) error {
		r := t.random(i)
		for n := range each {
			id := kv.NewBatchID(time.Now())
			for try := 0; ; try++ {
				limit := time.Duration(r.IntN(3)) * time.Duration(r.IntN(200)) * time.Microsecond // 0 has ended at once
				if try >= 4 {
					limit = time.Hour
				}
				err := applyWithin(ctx, s.Engine, limit, id, fmt.Sprintf("%d.%d", i, n), try == 0)
				if err == nil {
					break
				}
				if !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, kv.ErrUnknownOutcome) {
					return err
				}
				mu.Lock()
				failures++
				mu.Unlock()
			}
		}
		return nil
	})
	t.note("%d workers apply %d batches each, %d tries failed", workers, each, failures)
	s.want("#n", strconv.Itoa(workers*each))
	seen := map[string]bool{}
	for _, c := range s.changes(0) {
		if seen[string(c.Payload)] {
			t.Fatalf("the journal holds %s twice", quote(c.Payload))
		}
		seen[string(c.Payload)] = true
	}
	if len(seen) != workers*each {
		t.Fatalf("the journal holds %d entries, want %d", len(seen), workers*each)
	}
}

// applyWithin applies one batch, for as long as limit. Of the first try it checks that its
// error tells the truth.
func applyWithin(ctx context.Context, e kv.Engine, limit time.Duration, id kv.BatchID, name string, first bool) error {
	brief, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	key := "done/" + name
	_, applyErr := e.Apply(brief, newBatch(identified(id), add("#n", 1), set(key, "yes"), entry(name)))
	values, err := readTogether(ctx, e, []string{key})
	applied := err == nil && values[0] == "yes"
	switch {
	case err != nil:
		return err
	case applyErr == nil && !applied:
		return fmt.Errorf("apply succeeded, but %s is absent", quote(key))
	case applyErr != nil && first && applied && !errors.Is(applyErr, kv.ErrUnknownOutcome):
		return fmt.Errorf("apply failed with %q, which doesn't wrap ErrUnknownOutcome, but the batch was applied", applyErr.Error())
	}
	return applyErr
}

func retrySurvivesReopen(t *trial) {
	s := t.open()
	var list []edit
	for i := range 20 {
		id := identified(kv.NewBatchID(time.Now().Add(-time.Duration(i) * time.Hour)))
		list = append(list, id)
		durability := edit(func(b *kv.Batch) { b.Durability = kv.Durability(i % 2) })
		s.apply(id, add("#n", 1), entry(fmt.Sprint("entry ", i)), durability)
	}
	for range 2 {
		s = s.reopen()
		for i, id := range list {
			if at := s.apply(id, add("#n", 1), entry("again")); at != kv.Position(i+1) {
				t.Fatalf("an id tried again after a reopening returned position %d, want %d", at, i+1)
			}
		}
		s.want("#n", "20")
		if got := len(s.changes(0)); got != 20 {
			t.Fatalf("the journal holds %d entries, want 20", got)
		}
	}
}
