package kvtest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/clientele-go/clientele/storage/kv"
)

func journalProperties() []property {
	return []property{
		{"Journal/CountsWithoutGaps", countsWithoutGaps},
		{"Journal/KeepsPayloads", keepsPayloads},
		{"Journal/PayloadsBelongToCaller", payloadsBelongToCaller},
		{"Journal/ResumesAfterAnyPosition", resumesAfterAnyPosition},
		{"Journal/EndsAtTheCall", endsAtTheCall},
		{"Journal/TailMissesNothing", tailMissesNothing},
		{"Journal/OrderIsCommitOrder", orderIsCommitOrder},
		{"Journal/ShowsOnlyDurable", showsOnlyDurable},
		{"Journal/SyncedIsDurableOnReturn", syncedIsDurableOnReturn},
		{"Journal/RelaxedBecomesDurable", relaxedBecomesDurable},
		{"Journal/WaitDurableWakesAll", waitDurableWakesAll},
		{"Journal/WaitDurableHonoursContext", waitDurableHonoursContext},
	}
}

// Only batches that commit with an entry take a position.
func countsWithoutGaps(t *trial) {
	s := t.open()
	if at := s.Durable(); at != 0 {
		t.Fatalf("Durable() of a new engine is %d, want 0", at)
	}
	var want []string
	for i := range t.times(20) {
		payload := fmt.Sprint("entry ", i)
		want = append(want, payload)
		if at := s.apply(set("a", payload), entry(payload)); at != kv.Position(len(want)) {
			t.Fatalf("Apply returned position %d, want %d", at, len(want))
		}
		if at := s.apply(set("a", "silent")); at != 0 {
			t.Fatalf("Apply of a batch without an entry returned position %d, want 0", at)
		}
		v := s.snapshot()
		s.apply(set("a", "silent"), relaxed)
		s.refuse(kv.ErrConflict, reads(v.Stamp(), point("a")), entry("refused"))
		v.Close()
	}
	s.wantJournal(want...)
}

func keepsPayloads(t *trial) {
	s := t.open()
	want := []string{"", "\x00", "\xff\x00\xff", "名称", strings.Repeat("long ", 20_000)}
	for _, payload := range want {
		s.apply(set("a", "1"), entry(payload)) // an empty entry is an entry
	}
	s.ingest(kv.Load{Runs: []kv.Run{keyRun("i")}, Journal: payloads(want...)})
	s.wantJournal(append(want, want...)...)
}

// A reader may keep a payload, and may write over it.
func payloadsBelongToCaller(t *trial) {
	s := t.open()
	var want []string
	for i := range 30 {
		want = append(want, fmt.Sprintf("entry %d %s", i, strings.Repeat("x", i)))
		s.apply(entry(want[i]))
	}
	kept := s.changes(0)
	for i, c := range kept {
		if string(c.Payload) != want[i] {
			t.Fatalf("a payload kept from Changes became %s after its later steps, want %s", quote(c.Payload), quote(want[i]))
		}
	}
	for _, c := range kept {
		clear(c.Payload)
	}
	t.note("zero the payloads that Changes yielded")
	s.wantJournal(want...)
}

func resumesAfterAnyPosition(t *trial) {
	s := t.open()
	const n = 20
	var want []string
	for i := range n {
		want = append(want, fmt.Sprint("entry ", i))
		s.apply(entry(want[i]))
	}
	for after := kv.Position(0); after <= n+3; after++ {
		var got []string
		for _, c := range s.changes(after) {
			got = append(got, string(c.Payload))
		}
		if rest := want[min(after, n):]; !slices.Equal(got, rest) {
			t.Fatalf("Changes(%d) yields %s, want %s", after, describeStrings(got), describeStrings(rest))
		}
	}
	for stop := range n {
		seen := 0
		for c, err := range s.Changes(t.ctx, 0) {
			if err != nil || string(c.Payload) != want[seen] {
				t.Fatalf("Changes(0) yields (%s, %v) as entry %d, want %s", quote(c.Payload), err, seen+1, quote(want[seen]))
			}
			if seen == stop {
				break
			}
			seen++
		}
	}
	t.note("break out of %d loops over Changes", n)
	s.wantJournal(want...)
	s.close() // an engine that counts open iterators complains here
}

// A loop over Changes that itself commits comes to an end.
func endsAtTheCall(t *trial) {
	s := t.open()
	const n = 10
	for range n {
		s.apply(entry("before"))
	}
	changes := s.Changes(t.ctx, 0)
	seen := 0
	for c, err := range changes {
		if err != nil {
			t.Fatalf("Changes: %v", err)
		}
		if seen++; seen > n || string(c.Payload) != "before" {
			t.Fatalf("Changes yields %s at %d, want only the %d entries that were durable when it was called", quote(c.Payload), c.Position, n)
		}
		s.apply(entry("meanwhile"))
	}
	if got := len(s.changes(0)); seen != n || got != 2*n {
		t.Fatalf("Changes yields %d entries and, called again, %d; want %d and %d", seen, got, n, 2*n)
	}
}

// commitment is one acknowledged commit, with the logical times of its call and its return.
type commitment struct {
	at             kv.Position
	payloads       []string
	call, returned int64
}

// Writers of all kinds commit while readers tail, stopping at random and resuming from
// their cursors. The feed is what was acknowledged, where it was acknowledged, in real-time order.
func tailMissesNothing(t *trial) {
	s := t.open()
	const writers, readers = 4, 2
	each := t.times(40)
	var clock atomic.Int64
	var mu sync.Mutex
	var commits []commitment
	total := kv.Position(writers * (each + each/10)) // every tenth brings two
	feeds := make([][]kv.Change, readers)
	t.parallel(writers+readers, func(ctx context.Context, i int) error {
		if i >= writers {
			var err error
			feeds[i-writers], err = tail(ctx, s.Engine, total, t.random(i))
			return err
		}
		for n := range each {
			c := commitment{call: clock.Add(1)}
			if err := c.commit(ctx, s.Engine, i, n); err != nil {
				return err
			}
			c.returned = clock.Add(1)
			mu.Lock()
			commits = append(commits, c)
			mu.Unlock()
		}
		return nil
	})
	t.note("%d writers commit %d entries while %d readers tail the journal", writers, total, readers)
	for _, feed := range feeds {
		checkFeed(t, feed, commits)
	}
	checkRealTime(t, commits)
}

// commit is the n-th commit of writer i: every tenth a load, every third relaxed.
func (c *commitment) commit(ctx context.Context, e kv.Engine, i, n int) (err error) {
	name := fmt.Sprintf("%d/%04d", i, n)
	if n%10 == 9 {
		c.payloads = []string{name + " first", name + " second"}
		c.at, err = ingestOne(ctx, e, "load/"+name, c.payloads)
		return err
	}
	c.payloads = []string{name}
	b := newBatch(set(fmt.Sprint("hot", n%3), name), entry(name))
	if n%3 == 0 {
		b.Durability = kv.Relaxed
	}
	c.at, err = e.Apply(ctx, b)
	return err
}

// ingestOne loads one new key, however often it takes.
func ingestOne(ctx context.Context, e kv.Engine, key string, journal []string) (kv.Position, error) {
	for {
		snapshot, err := e.Snapshot(ctx)
		if err != nil {
			return 0, err
		}
		at, err := e.Ingest(ctx, &kv.Load{Since: snapshot.Stamp(), Runs: []kv.Run{keyRun(key)}, Journal: payloads(journal...)})
		snapshot.Close()
		if !errors.Is(err, kv.ErrConflict) || ctx.Err() != nil {
			return at, err
		}
	}
}

// tail follows the journal to position total.
func tail(ctx context.Context, e kv.Engine, total kv.Position, r *rand.Rand) ([]kv.Change, error) {
	var feed []kv.Change
	for kv.Position(len(feed)) < total {
		cursor := kv.Position(len(feed))
		if err := e.WaitDurable(ctx, cursor); err != nil {
			return nil, fmt.Errorf("WaitDurable(%d): %w", cursor, err)
		}
		before := len(feed)
		stop := before + 1 + r.IntN(20)
		for c, err := range e.Changes(ctx, cursor) {
			if err != nil {
				return nil, fmt.Errorf("Changes(%d): %w", cursor, err)
			}
			if want := kv.Position(len(feed)) + 1; c.Position != want {
				return nil, fmt.Errorf("Changes(%d) yields position %d, want %d", cursor, c.Position, want)
			}
			if feed = append(feed, c); len(feed) == stop {
				break
			}
		}
		if len(feed) == before {
			return nil, fmt.Errorf("WaitDurable(%d) returned nil, but Changes(%d) yields nothing", cursor, cursor)
		}
	}
	return feed, nil
}

// checkFeed compares what a reader got with what the writers were told.
func checkFeed(t *trial, feed []kv.Change, commits []commitment) {
	t.Helper()
	want := map[kv.Position]string{}
	for _, c := range commits {
		for i, payload := range c.payloads {
			want[c.at-kv.Position(len(c.payloads)-1-i)] = payload
		}
	}
	if len(want) != len(feed) {
		t.Fatalf("the writers were told %d different positions for %d entries", len(want), len(feed))
	}
	for _, c := range feed {
		if string(c.Payload) != want[c.Position] {
			t.Fatalf("the journal holds %s at %d, want %s, whose Apply or Ingest returned that position", quote(c.Payload), c.Position, quote(want[c.Position]))
		}
	}
}

// checkRealTime checks that a commit which returned before another began comes first.
func checkRealTime(t *trial, commits []commitment) {
	t.Helper()
	slices.SortFunc(commits, func(a, b commitment) int { return cmp.Compare(a.at, b.at) })
	var latest commitment // of those so far, the one that began last
	for _, c := range commits {
		if c.returned < latest.call {
			t.Fatalf("%s committed before %s began, but comes after it in the journal: positions %d and %d",
				describeStrings(c.payloads), describeStrings(latest.payloads), c.at, latest.at)
		}
		if c.call > latest.call {
			latest = c
		}
	}
}

// deeds are the operations that follow from a payload, so that a journal alone tells the state.
func deeds(payload string) []op {
	h := fnv.New64a()
	h.Write([]byte(payload))
	r := rand.New(rand.NewPCG(h.Sum64(), 0))
	return randomOps(r, 1+r.IntN(5))
}

// replay is the state after the entries of a journal written with deeds.
func replay(changes []kv.Change) model {
	state := model{}
	for _, c := range changes {
		state.do(deeds(string(c.Payload))...)
	}
	return state
}

// Replaying the journal up to the position of a snapshot gives what the snapshot holds,
// though writers race for every key.
func orderIsCommitOrder(t *trial) {
	s := t.open()
	const writers = 4
	busy := &shift{workers: writers + 1}
	var seen []sighting
	t.parallel(writers+1, func(ctx context.Context, i int) error {
		if i < writers {
			return writeDeeds(ctx, s.Engine, i, func(n int) bool { return busy.more(ctx, n, t.times(40)) })
		}
		defer busy.leave()
		for len(seen) < t.times(20) && ctx.Err() == nil {
			at, state, err := look(ctx, s.Engine)
			if err != nil {
				return err
			}
			if len(seen) == 0 || seen[len(seen)-1].at != at {
				seen = append(seen, sighting{at, state})
			}
			runtime.Gosched()
		}
		return ctx.Err()
	})
	last := s.apply(ops(deeds("last")), entry("last"))
	t.note("%d writers race for the same keys, %d entries in all", writers, last)
	at, state, err := look(t.ctx, s.Engine)
	if err != nil || at != last {
		t.Fatalf("a snapshot after all is at position %d (%v), want %d", at, err, last)
	}
	checkSightings(t, s.changes(0), append(seen, sighting{at, state}))
}

// sighting is what a snapshot showed.
type sighting struct {
	at    kv.Position
	state model
}

func look(ctx context.Context, e kv.Engine) (kv.Position, model, error) {
	snapshot, err := e.Snapshot(ctx)
	if err != nil {
		return 0, nil, err
	}
	defer snapshot.Close()
	at, err := snapshot.Position(ctx)
	if err != nil {
		return 0, nil, err
	}
	state, err := readState(ctx, snapshot)
	return at, state, err
}

func checkSightings(t *trial, changes []kv.Change, seen []sighting) {
	t.Helper()
	slices.SortFunc(seen, func(a, b sighting) int { return cmp.Compare(a.at, b.at) })
	state, replayed := model{}, kv.Position(0)
	for _, s := range seen {
		for ; replayed < s.at; replayed++ {
			state.do(deeds(string(changes[replayed].Payload))...)
		}
		if diff := s.state.difference(state); diff != "" {
			t.Fatalf("a snapshot at position %d is not what the journal says up to there: %s", s.at, diff)
		}
	}
}

// writeDeeds commits batches of deeds, some relaxed, for as long as more says so.
func writeDeeds(ctx context.Context, e kv.Engine, writer int, more func(n int) bool) error {
	for n := 0; more(n); n++ {
		payload := fmt.Sprintf("%d/%d", writer, n)
		b := newBatch(ops(deeds(payload)), entry(payload))
		if n%4 == 0 {
			b.Durability = kv.Relaxed
		}
		if _, err := e.Apply(ctx, b); err != nil {
			return err
		}
	}
	return nil
}

// What a crash could take back is not shown.
func showsOnlyDurable(t *trial) {
	s := t.open()
	for i := range t.times(100) {
		s.apply(entry(fmt.Sprint("entry ", i)), relaxed)
		before := s.Durable()
		changes := s.changes(0)
		after := s.Durable()
		if got := kv.Position(len(changes)); got < before || got > after {
			t.Fatalf("Changes(0) yields entries up to %d, want at least %d and at most %d, which Durable() was before and after", got, before, after)
		}
		if last := kv.Position(i + 1); after > last {
			t.Fatalf("Durable() is %d after %d entries", after, last)
		}
	}
}

func syncedIsDurableOnReturn(t *trial) {
	s := t.open()
	for i := range t.times(20) {
		s.apply(entry("relaxed"), relaxed)
		at := s.apply(entry("synced"))
		if i%5 == 4 {
			at = s.ingest(kv.Load{Runs: []kv.Run{keyRun(fmt.Sprint("i", i))}, Journal: payloads("load")})
		}
		if got := s.Durable(); got < at {
			t.Fatalf("Durable() is %d after a synced commit returned position %d", got, at)
		}
		if got := len(s.changes(0)); got != int(at) {
			t.Fatalf("Changes(0) yields %d entries after a synced commit returned position %d", got, at)
		}
	}
}

// A relaxed commit becomes durable though nothing else is written.
func relaxedBecomesDurable(t *trial) {
	s := t.open()
	for i := range 3 {
		at := s.apply(set("a", "1"), entry(fmt.Sprint("entry ", i)), relaxed)
		s.awaitDurable(at)
		if changes := s.changes(at - 1); len(changes) != 1 {
			t.Fatalf("Changes(%d) yields %d entries after WaitDurable(%d), want 1", at-1, len(changes), at-1)
		}
	}
}

func waitDurableWakesAll(t *trial) {
	s := t.open()
	const waiters = 8
	rounds := t.times(5)
	start := newBarrier(waiters + 1)
	ctx, cancel := context.WithTimeout(t.ctx, t.harness.patience)
	defer cancel()
	t.parallel(waiters+1, func(_ context.Context, i int) error {
		for round := range rounds {
			if err := start.wait(ctx); err != nil {
				return err
			}
			if i == waiters {
				time.Sleep(time.Millisecond) // the others wait by now, or soon
				if _, err := s.Apply(ctx, newBatch(entry("wake"))); err != nil {
					return err
				}
				continue
			}
			if err := s.WaitDurable(ctx, kv.Position(round)); err != nil {
				return fmt.Errorf("WaitDurable(%d): %w, want nil as soon as position %d is durable", round, err, round+1)
			}
			if got := s.Durable(); got <= kv.Position(round) {
				return fmt.Errorf("WaitDurable(%d) returned when Durable() is %d", round, got)
			}
		}
		return nil
	})
	for after := range kv.Position(rounds) {
		if err := s.WaitDurable(ctx, after); err != nil {
			t.Fatalf("WaitDurable(%d) = %v though Durable() is %d, want nil at once", after, err, s.Durable())
		}
	}
}

func waitDurableHonoursContext(t *trial) {
	s := t.open()
	s.apply(entry("only"))
	for _, after := range []kv.Position{1, 2, 1_000} {
		ctx, cancel := context.WithCancel(t.ctx)
		time.AfterFunc(2*time.Millisecond, cancel)
		err := t.within(fmt.Sprintf("WaitDurable(%d), whose context ended", after), func() error { return s.WaitDurable(ctx, after) })
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("WaitDurable(%d) with a context that ends = %v, want context.Canceled", after, err)
		}
		ctx, cancel = context.WithTimeout(t.ctx, time.Millisecond)
		err = t.within(fmt.Sprintf("WaitDurable(%d), whose time was up", after), func() error { return s.WaitDurable(ctx, after) })
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("WaitDurable(%d) with a deadline = %v, want context.DeadlineExceeded", after, err)
		}
	}
}
