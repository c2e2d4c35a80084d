package kvtest

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"pgregory.net/rapid"

	"github.com/clientele-go/clientele/storage/kv"
)

func historyProperties() []property {
	return []property{{"History/Random", randomHistories}}
}

// Random calls of every method, on an engine and on a model side by side. A failing
// history is shrunk and printed by rapid.
func randomHistories(t *trial) {
	left := t.times(50)
	failed := false
	for left > 0 {
		rapid.Check(t.TB, func(rt *rapid.T) {
			if left <= 0 && !failed {
				return // rapid's own count is for tests that cost less
			}
			done := false
			defer func() { failed = failed || !done }()
			m := newMachine(t)
			rt.Cleanup(m.end)
			rt.Repeat(m.actions())
			left--
			done = true
		})
	}
}

// machine runs calls on an engine and on a model of it.
type machine struct {
	t      *trial
	ctx    context.Context
	engine kv.Engine
	ranges bool

	// past holds the states that a crash may fall back to, the present one last.
	past    []moment
	shown   int            // entries that a crash can't take back, because Changes or Durable told
	written map[string]int // the commit that last wrote a key, since opening
	views   []frozen
	ids     []remembered
	firstID kv.BatchID
	idCount uint16
}

// moment is the state after so many commits.
type moment struct {
	commit  int
	keys    model
	journal []string
}

// frozen is an open snapshot and what it must hold.
type frozen struct {
	kv.Snapshot
	moment
}

type remembered struct {
	id     kv.BatchID
	at     kv.Position
	commit int
}

func newMachine(t *trial) *machine {
	m := &machine{t: t, ctx: t.ctx, engine: t.harness.Open(t.TB), past: []moment{{keys: model{}}}}
	m.ranges = m.engine.Limits().RangeReads
	m.written = map[string]int{}
	m.firstID = kv.NewBatchID(time.Now())
	return m
}

func (m *machine) end() {
	m.closeViews()
	if err := m.engine.Close(); err != nil {
		m.t.Errorf("Close at the end of a history: %v", err)
	}
}

func (m *machine) closeViews() {
	for _, v := range m.views {
		v.Close()
	}
	m.views = nil
}

func (m *machine) actions() map[string]func(*rapid.T) {
	actions := map[string]func(*rapid.T){
		"":              m.check,
		"Apply":         m.apply,
		"ApplyReading":  m.applyReading,
		"Retry":         m.retry,
		"Ingest":        m.ingest,
		"TakeSnapshot":  m.takeSnapshot,
		"CloseSnapshot": m.closeSnapshot,
		"Get":           m.get,
		"Scan":          m.scan,
		"Changes":       m.changes,
	}
	if m.t.harness.Reopen != nil || m.t.harness.Crash != nil || m.t.harness.OpenBackup != nil {
		actions["Restart"] = m.restart
	}
	return actions
}

func (m *machine) now() moment { return m.past[len(m.past)-1] }

// commit makes the next present state. A durable one can't be taken back, and with it
// nothing before it.
func (m *machine) commit(list []op, journal []string, durable bool) {
	now := m.now()
	next := moment{now.commit + 1, now.keys.clone(), append(slices.Clip(now.journal), journal...)}
	for _, o := range list {
		_, before := next.keys[o.key]
		next.keys.do(o)
		if _, after := next.keys[o.key]; before || after { // deleting an absent key need not count
			m.written[o.key] = next.commit
		}
	}
	m.past = append(m.past, next)
	if durable {
		m.past = m.past[len(m.past)-1:]
	}
}

// check holds after every step: the present state is what a new snapshot shows.
func (m *machine) check(rt *rapid.T) {
	v := m.snapshot(rt)
	defer v.Close()
	require(rt, sameState(m.ctx, v, m.now().keys))
	at, err := v.Position(m.ctx)
	require(rt, err)
	if last := len(m.now().journal); at != kv.Position(last) {
		rt.Fatalf("a snapshot's Position() is %d after %d entries", at, last)
	}
	durable := int(m.engine.Durable())
	if durable < m.shown || durable > len(m.now().journal) {
		rt.Fatalf("Durable() is %d, want at least %d and at most %d", durable, m.shown, len(m.now().journal))
	}
	if least := len(m.past[0].journal); durable < least {
		rt.Fatalf("Durable() is %d after a synced commit of entry %d", durable, least)
	}
	m.shown = durable
}

func require(rt *rapid.T, err error) {
	rt.Helper()
	if err != nil {
		rt.Fatalf("%v", err)
	}
}

func (m *machine) snapshot(rt *rapid.T) frozen {
	rt.Helper()
	v, err := m.engine.Snapshot(m.ctx)
	require(rt, err)
	return frozen{v, m.now()}
}

// batch draws a batch without a condition, and what it does.
func (m *machine) batch(rt *rapid.T) (*kv.Batch, []op, []string) {
	list := rapid.SliceOfN(rapid.Custom(m.drawOp), 0, 6).Draw(rt, "ops")
	b := newBatch(ops(list))
	b.Durability = rapid.SampledFrom([]kv.Durability{kv.Synced, kv.Relaxed}).Draw(rt, "durability")
	var journal []string
	if rapid.Bool().Draw(rt, "with entry") {
		journal = []string{fmt.Sprint("entry ", len(m.now().journal)+1)}
		b.Journal = []byte(journal[0])
	}
	if rapid.IntRange(0, 3).Draw(rt, "with id") == 0 {
		b.ID = m.newID()
	}
	return b, list, journal
}

// newID differs from the others of the history in one place only. It is no more random
// than that, so that a history can be run again.
func (m *machine) newID() kv.BatchID {
	id := m.firstID
	m.idCount++
	binary.BigEndian.PutUint16(id[14:], m.idCount)
	return id
}

func (m *machine) apply(rt *rapid.T) {
	b, list, journal := m.batch(rt)
	at, err := m.engine.Apply(m.ctx, b)
	require(rt, err)
	m.applied(rt, b, list, journal, at)
}

func (m *machine) applied(rt *rapid.T, b *kv.Batch, list []op, journal []string, at kv.Position) {
	rt.Helper()
	m.commit(list, journal, b.Durability == kv.Synced)
	want := kv.Position(0)
	if len(journal) > 0 {
		want = kv.Position(len(m.now().journal))
	}
	if at != want {
		rt.Fatalf("Apply returned position %d, want %d", at, want)
	}
	if b.ID != (kv.BatchID{}) {
		m.ids = append(m.ids, remembered{b.ID, at, m.now().commit})
	}
}

// applyReading applies a batch on the condition that what some snapshot shows still holds.
func (m *machine) applyReading(rt *rapid.T) {
	b, list, journal := m.batch(rt)
	v := m.drawView(rt)
	b.Since = v.Stamp()
	b.Reads = rapid.SliceOfN(rapid.Custom(m.drawRead), 1, 3).Draw(rt, "reads")
	changed, stale := m.changedSince(v.moment, b.Reads)
	at, err := m.engine.Apply(m.ctx, b)
	switch {
	case err == nil && stale:
		rt.Fatalf("Apply succeeded, want ErrConflict: it read %s in a snapshot after commit %d, and commit %d wrote it",
			quote(changed), v.commit, m.written[changed])
	case errors.Is(err, kv.ErrConflict) && stale:
		return
	case errors.Is(err, kv.ErrConflict):
		at = m.insist(rt, b)
	default:
		require(rt, err)
	}
	m.applied(rt, b, list, journal, at)
}

// changedSince returns a key in reads that was written after a moment.
func (m *machine) changedSince(then moment, reads []kv.Range) (string, bool) {
	for _, key := range slices.Sorted(maps.Keys(m.written)) {
		if m.written[key] <= then.commit {
			continue
		}
		for _, r := range reads {
			if r.Contains([]byte(key)) {
				return key, true
			}
		}
	}
	return "", false
}

// insist applies a batch that an engine refused though it might have gone through; from
// new snapshots it must, some time.
func (m *machine) insist(rt *rapid.T, b *kv.Batch) kv.Position {
	rt.Helper()
	deadline := time.Now().Add(m.t.harness.patience)
	for {
		v := m.snapshot(rt)
		b.Since = v.Stamp()
		at, err := m.engine.Apply(m.ctx, b)
		v.Close()
		if !errors.Is(err, kv.ErrConflict) || time.Now().After(deadline) {
			require(rt, err)
			return at
		}
	}
}

// retry applies a batch with an id that was applied before: nothing happens.
func (m *machine) retry(rt *rapid.T) {
	if len(m.ids) == 0 {
		rt.Skip("no ids yet")
	}
	b, _, _ := m.batch(rt)
	old := rapid.SampledFrom(m.ids).Draw(rt, "id")
	b.ID = old.id
	at, err := m.engine.Apply(m.ctx, b)
	require(rt, err)
	if at != old.at {
		rt.Fatalf("Apply with the id of an earlier batch returned position %d, want %d as before", at, old.at)
	}
	if b.Durability == kv.Synced { // the first attempt, and so all before it, is durable now
		m.past = slices.DeleteFunc(m.past, func(p moment) bool { return p.commit < old.commit })
	}
}

func (m *machine) ingest(rt *rapid.T) {
	v := m.drawView(rt)
	runs, list := drawRuns(rt)
	merges := drawMerges(rt, runs)
	l := kv.Load{Since: v.Stamp(), Merges: mergeOps(merges...)}
	for _, r := range runs {
		l.Runs = append(l.Runs, r)
	}
	var journal []string
	for range rapid.IntRange(0, 3).Draw(rt, "entries") {
		journal = append(journal, fmt.Sprint("entry ", len(m.now().journal)+len(journal)+1))
	}
	l.Journal = payloads(journal...)
	var read []kv.Range
	for _, o := range list {
		read = append(read, point(o.key))
	}
	changed, stale := m.changedSince(v.moment, read)
	at, err := m.engine.Ingest(m.ctx, &l)
	switch {
	case err == nil && stale:
		rt.Fatalf("Ingest succeeded, want ErrConflict: its stamp is after commit %d, and commit %d wrote %s", v.commit, m.written[changed], quote(changed))
	case errors.Is(err, kv.ErrConflict):
		return // and check sees that nothing changed
	}
	require(rt, err)
	m.commit(append(list, merges...), journal, true)
	if last := kv.Position(len(m.now().journal)); len(journal) > 0 && at != last || len(journal) == 0 && at != 0 {
		rt.Fatalf("Ingest of %d entries returned position %d, want the last, %d, or 0 for none", len(journal), at, last)
	}
}

// drawView is an open snapshot, or a new one that stays open.
func (m *machine) drawView(rt *rapid.T) frozen {
	if i := rapid.IntRange(-1, len(m.views)-1).Draw(rt, "snapshot"); i >= 0 {
		return m.views[i]
	}
	v := m.snapshot(rt)
	m.views = append(m.views, v)
	return v
}

func (m *machine) takeSnapshot(rt *rapid.T) {
	if len(m.views) > 5 {
		rt.Skip("enough snapshots")
	}
	m.views = append(m.views, m.snapshot(rt))
}

func (m *machine) closeSnapshot(rt *rapid.T) {
	if len(m.views) == 0 {
		rt.Skip("no open snapshot")
	}
	i := rapid.IntRange(0, len(m.views)-1).Draw(rt, "snapshot")
	require(rt, sameState(m.ctx, m.views[i], m.views[i].keys))
	require(rt, m.views[i].Close())
	m.views = slices.Delete(m.views, i, i+1)
}

func (m *machine) get(rt *rapid.T) {
	v := m.drawView(rt)
	key := rapid.Custom(drawKey).Draw(rt, "key")
	got, found, err := readKey(m.ctx, v, key)
	require(rt, err)
	if want, present := v.keys[key]; found != present || got != want {
		rt.Fatalf("Get(%s) = (%s, %v) in a snapshot after commit %d, want (%s, %v)", quote(key), quote(got), found, v.commit, quote(want), present)
	}
}

func (m *machine) scan(rt *rapid.T) {
	v := m.drawView(rt)
	r := drawRange(rt)
	reverse := rapid.Bool().Draw(rt, "reverse")
	limit := rapid.IntRange(1, 30).Draw(rt, "limit")
	var got, want []string
	for e, err := range v.Scan(m.ctx, r, reverse) {
		require(rt, err)
		if got = append(got, string(e.Key)); len(got) == limit {
			break
		}
	}
	for _, key := range slices.Sorted(maps.Keys(v.keys)) {
		if r.Contains([]byte(key)) {
			want = append(want, key)
		}
	}
	if reverse {
		slices.Reverse(want)
	}
	if want = want[:min(limit, len(want))]; !slices.Equal(got, want) {
		rt.Fatalf("%s, up to %d keys, yields %s in a snapshot after commit %d, want %s",
			describeScan(r, reverse), limit, describeStrings(got), v.commit, describeStrings(want))
	}
}

func (m *machine) changes(rt *rapid.T) {
	after := rapid.IntRange(0, len(m.now().journal)+2).Draw(rt, "after")
	least := int(m.engine.Durable())
	changes, err := readChanges(m.ctx, m.engine, kv.Position(after))
	require(rt, err)
	m.sameJournal(rt, changes, after, m.now().journal)
	if len(changes) < least-after {
		rt.Fatalf("Changes(%d) yields %d entries when Durable() is %d, want %d", after, len(changes), least, least-after)
	}
	if len(changes) > 0 {
		m.shown = max(m.shown, after+len(changes))
	}
}

func (m *machine) sameJournal(rt *rapid.T, changes []kv.Change, after int, want []string) {
	rt.Helper()
	for i, c := range changes {
		if after+i >= len(want) || string(c.Payload) != want[after+i] {
			rt.Fatalf("Changes(%d) yields %s at %d, want the %d entries from %s on", after, quote(c.Payload), c.Position, len(want)-min(after, len(want)), strconv.Itoa(after+1))
		}
	}
}

// restart reopens, crashes or copies the engine; rarely, because it takes the longest.
func (m *machine) restart(rt *rapid.T) {
	h := m.t.harness
	switch way := rapid.IntRange(0, 8).Draw(rt, "way"); {
	case way == 0 && h.Reopen != nil:
		m.closeViews()
		require(rt, m.engine.Close())
		m.engine = h.Reopen(m.t.TB, m.engine)
		m.past = m.past[len(m.past)-1:]
		clear(m.written)
	case way == 1 && h.Crash != nil:
		m.closeViews()
		m.engine = h.Crash(m.t.TB, m.engine)
		m.fallBack(rt)
	case way == 2 && h.OpenBackup != nil:
		m.backup(rt)
	default:
		m.get(rt)
	}
}

// fallBack finds the state that a crash left among those that it may leave.
func (m *machine) fallBack(rt *rapid.T) {
	rt.Helper()
	i := m.find(rt, m.engine)
	m.ids = slices.DeleteFunc(m.ids, func(r remembered) bool { return r.commit > m.past[i].commit })
	m.past = m.past[i : i+1]
	clear(m.written)
}

// find returns the first of the past states that an engine holds now.
func (m *machine) find(rt *rapid.T, e kv.Engine) int {
	rt.Helper()
	v, err := e.Snapshot(m.ctx)
	require(rt, err)
	defer v.Close()
	keys, err := readState(m.ctx, v)
	require(rt, err)
	changes, err := readChanges(m.ctx, e, 0)
	require(rt, err)
	for i, p := range m.past {
		if len(changes) == len(p.journal) && len(changes) >= m.shown && keys.difference(p.keys) == "" {
			m.sameJournal(rt, changes, 0, p.journal)
			return i
		}
	}
	rt.Fatalf("the engine that was opened holds %d journal entries and, against the state before, %s; want one of the last %d states, with at least %d entries",
		len(changes), keys.difference(m.now().keys), len(m.past), m.shown)
	return 0
}

func (m *machine) backup(rt *rapid.T) {
	dir := filepath.Join(m.t.TempDir(), "copy")
	require(rt, m.engine.Backup(m.ctx, dir, func(_, _ int64) {}))
	c := m.t.harness.OpenBackup(m.t.TB, dir)
	defer c.Close()
	m.find(rt, c)
}

// drawKey draws from about a hundred keys of all classes, with the bytes at which order goes wrong.
func drawKey(rt *rapid.T) string {
	key := rapid.SampledFrom([]string{"#", "%", "p", "\x01", "\xff"}).Draw(rt, "class")
	for range rapid.IntRange(0, 2).Draw(rt, "length") {
		key += rapid.SampledFrom([]string{"a", "b", "\x00", "\xff"}).Draw(rt, "byte")
	}
	return key
}

// drawPresent draws a key that is present, more often than not.
func (m *machine) drawPresent(rt *rapid.T) string {
	if keys := slices.Sorted(maps.Keys(m.now().keys)); len(keys) > 0 && rapid.IntRange(0, 2).Draw(rt, "known") > 0 {
		return rapid.SampledFrom(keys).Draw(rt, "key")
	}
	return drawKey(rt)
}

func (m *machine) drawOp(rt *rapid.T) op {
	o := op{key: m.drawPresent(rt)}
	o.kind = rapid.SampledFrom([]kv.Kind{kv.Set, kv.Merge, kv.Delete}).Draw(rt, "kind")
	o.fill(rt)
	if o.kind == kv.Merge && o.key[0] != counterClass && o.key[0] != bitmapClass {
		o.kind = kv.Set
	}
	return o
}

// fill draws the value, or delta, that the key's class calls for.
func (o *op) fill(rt *rapid.T) {
	switch o.key[0] {
	case counterClass:
		o.n = rapid.Int64Range(-5, 5).Draw(rt, "n")
		o.value = strconv.FormatInt(o.n, 10)
	case bitmapClass:
		members := rapid.SliceOfN(rapid.SampledFrom([]uint32{1, 2, 3, 70_000}), 0, 3)
		o.add, o.remove = members.Draw(rt, "add"), members.Draw(rt, "remove")
		o.value = mergeMembers("", o.add, nil)
	default:
		o.value = rapid.SampledFrom([]string{"", "one", "two", "\x00"}).Draw(rt, "value")
	}
}

func drawRange(rt *rapid.T) kv.Range {
	bounds := rapid.SliceOfN(rapid.Custom(drawKey), 2, 2).Draw(rt, "bounds")
	slices.Sort(bounds)
	switch rapid.IntRange(0, 4).Draw(rt, "form") {
	case 0:
		return kv.Range{}
	case 1:
		return from(bounds[0])
	case 2:
		return kv.Prefix([]byte(bounds[0]))
	default:
		return between(bounds[0], bounds[1])
	}
}

func (m *machine) drawRead(rt *rapid.T) kv.Range {
	if m.ranges && rapid.IntRange(0, 2).Draw(rt, "range read") == 0 {
		return drawRange(rt)
	}
	return point(m.drawPresent(rt))
}

// drawRuns cuts sorted keys into runs, in any order, and says what they do.
func drawRuns(rt *rapid.T) ([]run, []op) {
	keys := rapid.SliceOfNDistinct(rapid.Custom(drawKey), 0, 8, rapid.ID).Draw(rt, "keys")
	slices.Sort(keys)
	var runs []run
	var list []op
	for i, key := range keys {
		if i == 0 || rapid.IntRange(0, 2).Draw(rt, "cut") == 0 {
			runs = append(runs, nil)
		}
		o := op{key: key}
		o.fill(rt)
		runs[len(runs)-1] = append(runs[len(runs)-1], pair{key, o.value})
		list = append(list, o)
	}
	return rapid.Permutation(runs).Draw(rt, "runs"), list
}

// drawMerges draws merges beside the ranges of runs.
func drawMerges(rt *rapid.T, runs []run) []op {
	class := rapid.Custom(drawKey).Filter(func(key string) bool { return key[0] == counterClass || key[0] == bitmapClass })
	keys := rapid.SliceOfNDistinct(class, 0, 3, rapid.ID).Draw(rt, "merged keys")
	slices.Sort(keys)
	var list []op
	for _, key := range keys {
		if slices.ContainsFunc(runs, func(r run) bool { return r[0].key <= key && key <= r[len(r)-1].key }) {
			continue
		}
		o := op{kind: kv.Merge, key: key}
		o.fill(rt)
		list = append(list, o)
	}
	return list
}
