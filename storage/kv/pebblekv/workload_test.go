package pebblekv

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/clientele-go/clientele/storage/kv"
)

// workload makes commits that can be checked after a crash. Every commit writes
// its deed as its journal entry (a load writes two), the deed's keys, and counts itself
// in a counter and two bitmaps.
type workload struct {
	mu    sync.Mutex
	next  int
	acked map[int]bool // deeds that must be there, whatever happens
}

type deed struct {
	N    int
	Keys []string
	Part int // 0 for a batch, 1 and 2 for the entries of a load
}

func (w *workload) begin(random *rand.Rand, most int) (deed, []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.next++
	d := deed{N: w.next}
	for i := range 1 + random.IntN(most) {
		d.Keys = append(d.Keys, fmt.Sprintf("key/%08d/%04d", d.N, i))
	}
	return d, []byte(strings.Repeat(string(rune('a'+random.IntN(26))), random.IntN(200)))
}

func (w *workload) ack(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.acked == nil {
		w.acked = map[int]bool{}
	}
	w.acked[n] = true
}

func (w *workload) ackedSoFar() map[int]bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.acked)
}

func (d deed) payload() []byte {
	payload, err := json.Marshal(d)
	if err != nil {
		panic(err)
	}
	return payload
}

// step makes one commit of a random kind. It returns the engine's error.
func (w *workload) step(ctx context.Context, e kv.Engine, random *rand.Rand) error {
	switch random.IntN(8) {
	case 0:
		return w.load(ctx, e, random)
	case 3:
		if e, ok := e.(*Engine); ok { // as it happens in the background
			if err := e.foldKeys(ctx); err != nil {
				return err
			}
		}
	case 1, 2:
		return w.batch(ctx, e, random, kv.Relaxed)
	}
	return w.batch(ctx, e, random, kv.Synced)
}

func (w *workload) batch(ctx context.Context, e kv.Engine, random *rand.Rand, durability kv.Durability) error {
	d, value := w.begin(random, 4)
	b := kv.Batch{Journal: d.payload(), Durability: durability}
	for _, key := range d.Keys {
		b.Set([]byte(key), value)
	}
	b.Merge([]byte("count"), kv.CounterDelta(1))
	b.Merge([]byte("deeds"), kv.BitmapDelta(roaring.BitmapOf(uint32(d.N)), nil))
	b.Merge([]byte("marks"), kv.BitmapDelta(marksOf(d, 1), nil))
	position, err := e.Apply(ctx, &b)
	if err == nil && position == 0 {
		return errors.New("no position for a journal entry")
	}
	if err == nil && durability == kv.Synced {
		w.ack(d.N)
	}
	return err
}

func (w *workload) load(ctx context.Context, e kv.Engine, random *rand.Rand) error {
	s, err := e.Snapshot(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	d, value := w.begin(random, 20)
	first, second := d, d
	first.Part, second.Part = 1, 2
	var merges kv.Batch
	merges.Merge([]byte("count"), kv.CounterDelta(1))
	merges.Merge([]byte("deeds"), kv.BitmapDelta(roaring.BitmapOf(uint32(d.N)), nil))
	merges.Merge([]byte("marks"), kv.BitmapDelta(marksOf(d, loadMarks), nil))
	_, err = e.Ingest(ctx, &kv.Load{
		Since: s.Stamp(), Runs: []kv.Run{pairs{d.Keys, value}}, Merges: merges.Ops(),
		Journal: [][]byte{first.payload(), second.payload()},
	})
	if err == nil {
		w.ack(d.N)
	}
	return err
}

// loadMarks are the members that a load adds to a set, enough to be folded when it is loaded; a
// batch adds one.
const loadMarks = 2 * foldFrom

func marksOf(d deed, n int) *roaring.Bitmap {
	marks := roaring.New()
	for i := range n {
		marks.Add(uint32(d.N*997+i*7) % (1 << 16))
	}
	return marks
}

// pairs is a run of keys with one value.
type pairs struct {
	keys  []string
	value []byte
}

func (p pairs) Len() int         { return len(p.keys) }
func (p pairs) Key(i int) []byte { return []byte(p.keys[i]) }
func (p pairs) Value(int) []byte { return p.value }

// check verifies what is left after a crash: a prefix of the commits, each whole,
// with all that were acknowledged. It returns the number of journal entries.
func check(t testing.TB, e kv.Engine, acked map[int]bool) kv.Position {
	t.Helper()
	ctx := t.Context()
	s, err := e.Snapshot(ctx)
	must(t, err)
	defer s.Close()
	want := map[string]bool{}
	deeds, marks := roaring.New(), roaring.New()
	part := 0
	position := kv.Position(0)
	for change, err := range e.Changes(ctx, 0) {
		must(t, err)
		if position++; change.Position != position {
			t.Fatalf("journal position %d comes after %d", change.Position, position-1)
		}
		var d deed
		must(t, json.Unmarshal(change.Payload, &d))
		if part == 1 && d.Part != 2 || part != 1 && d.Part == 2 {
			t.Fatalf("at %d half of a load", change.Position)
		}
		part = d.Part
		deeds.Add(uint32(d.N))
		if marks.Or(marksOf(d, 1)); part > 0 {
			marks.Or(marksOf(d, loadMarks))
		}
		delete(acked, d.N)
		for _, key := range d.Keys {
			want[key] = true
		}
	}
	if part == 1 {
		t.Fatal("the journal ends with half a load")
	}
	if len(acked) > 0 {
		t.Fatalf("%d acknowledged commits are lost: %v", len(acked), acked)
	}
	for entry, err := range s.Scan(ctx, kv.Prefix([]byte("key/")), false) {
		must(t, err)
		if !want[string(entry.Key)] {
			t.Fatalf("%s is there without its journal entry", entry.Key)
		}
		delete(want, string(entry.Key))
	}
	if len(want) > 0 {
		t.Fatalf("%d keys are missing that the journal tells of", len(want))
	}
	checkCounts(t, s, deeds, marks)
	return position
}

func checkCounts(t testing.TB, s kv.Snapshot, deeds, marks *roaring.Bitmap) {
	t.Helper()
	value, found, err := s.Get(t.Context(), []byte("count"), nil)
	must(t, err)
	if !found {
		if !deeds.IsEmpty() {
			t.Fatal("the counter is missing")
		}
		return
	}
	n, err := kv.Counter(value)
	must(t, err)
	if n != int64(deeds.GetCardinality()) {
		t.Fatalf("the counter says %d, the journal %d", n, deeds.GetCardinality())
	}
	for key, want := range map[string]*roaring.Bitmap{"deeds": deeds, "marks": marks} {
		value, _, err = s.Get(t.Context(), []byte(key), nil)
		must(t, err)
		members, err := kv.Bitmap(value)
		must(t, err)
		if !members.Equals(want) {
			t.Fatalf("the bitmap of %s has %d members, the journal tells of %d", key, members.GetCardinality(), want.GetCardinality())
		}
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
