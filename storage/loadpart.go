package storage

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/clientele-go/clientele/storage/kv"
)

// loadPart collects chunks until it is sorted and ingested.
type loadPart struct {
	session  Session
	now      time.Time
	strict   bool // a refused row fails the part
	check    func(*Reader) error
	firstRow int
	rows     int // with those that were left out
	left     int // rows left out
	bytes    int
	chunks   []*loadChunk
	runs     []*loadRun // by prefix, once the part is complete
	former   []*loadRun // of a part that was written, whose memory is used again
}

func (p *loadPart) add(c *loadChunk) {
	if c.rows == 0 {
		return
	}
	p.chunks = append(p.chunks, c)
	p.rows += c.rows
	p.left += c.left
	p.bytes += c.bytes()
}

// likeLast makes a chunk with room for as much as the part's last chunk holds.
func (p *loadPart) likeLast(firstRow int) *loadChunk {
	c := &loadChunk{firstRow: firstRow}
	if len(p.chunks) == 0 {
		return c
	}
	last := p.chunks[len(p.chunks)-1]
	more := func(n int) int { return n + n/8 }
	c.arena = make([]byte, 0, more(len(last.arena)))
	c.ops = make([]loadOp, 0, more(len(last.ops)))
	c.counts = make([]loadCount, 0, more(len(last.counts)))
	c.marks = make([]loadMark, 0, more(len(last.marks)))
	for _, r := range last.runs {
		r.items = make([]loadItem, 0, more(len(r.items)))
		c.runs = append(c.runs, r)
	}
	return c
}

// rowOf is the number in the part of a chunk's row.
func (p *loadPart) rowOf(c *loadChunk, row uint32) uint32 {
	return uint32(c.firstRow-p.firstRow) + row
}

// loadRun is the part's keys of one table or index.
type loadRun struct {
	chunkRun
	prefix []byte
	part   *loadPart
	packed []byte // if not nil, what the items refer to instead of chunks
	equal  bool   // some keys are equal; known once sorted
}

func (r *loadRun) arena(item loadItem) []byte {
	if r.packed != nil {
		return r.packed
	}
	return r.part.chunks[item.chunk].arena
}

func (r *loadRun) key(item loadItem) []byte {
	end := item.start + uint32(item.keyLen)
	return r.arena(item)[item.start:end:end]
}

func (r *loadRun) value(item loadItem) []byte {
	start := item.start + uint32(item.keyLen)
	return r.arena(item)[start : start+item.valueLen : start+item.valueLen]
}

// pack copies the keys together in their order. Copying one after the other, the processor
// fetches several at once from all over the chunks; those who work on each key in turn
// would wait for each.
func (r *loadRun) pack(packed []byte) {
	size := 0
	for i := range r.items {
		size += int(r.items[i].keyLen) + int(r.items[i].valueLen)
	}
	if size > math.MaxUint32 {
		return
	}
	packed = slices.Grow(packed, size)
	for i := range r.items {
		item := &r.items[i]
		start := uint32(len(packed))
		packed = append(packed, r.arena(*item)[item.start:][:uint32(item.keyLen)+item.valueLen]...)
		item.start = start
	}
	r.packed = packed
}

// sectioned is the run with its table's sections, if it has any.
func (r *loadRun) sectioned() kv.Run {
	if r.section == nil {
		return r
	}
	return sectionedRun{r}
}

type sectionedRun struct{ *loadRun }

func (r sectionedRun) Section(i int) int {
	return len(r.prefix) + r.section(Key(r.Key(i)[len(r.prefix):]))
}

// Len, Key and Value make a loadRun a kv.Run.
func (r *loadRun) Len() int           { return len(r.items) }
func (r *loadRun) Key(i int) []byte   { return r.key(r.items[i]) }
func (r *loadRun) Value(i int) []byte { return r.value(r.items[i]) }

// sort makes runs of all chunks, on all cores.
func (p *loadPart) sort() {
	sizes := map[runID]int{}
	for _, c := range p.chunks {
		for i := range c.runs {
			r := &c.runs[i]
			if sizes[r.id] == 0 && len(r.items) > 0 {
				prefix := []byte{r.id.space, r.id.table, r.id.index}[:r.id.prefixLen()]
				p.runs = append(p.runs, &loadRun{chunkRun: *r, prefix: prefix, part: p})
			}
			sizes[r.id] += len(r.items)
		}
	}
	slices.SortFunc(p.runs, func(a, b *loadRun) int { return cmp.Compare(sizes[b.id], sizes[a.id]) })
	onAllCores(len(p.runs), func(i int) {
		r := p.runs[i]
		old := p.formerRun(r.id)
		r.items = p.gather(r.id, slices.Grow(old.items[:0], sizes[r.id]))
		if moved := r.sort(); moved {
			r.pack(old.packed[:0])
		}
	})
	p.former = nil
	slices.SortFunc(p.runs, func(a, b *loadRun) int { return bytes.Compare(a.prefix, b.prefix) })
}

// formerRun is the run of a part that was written, or an empty one.
func (p *loadPart) formerRun(id runID) *loadRun {
	for _, r := range p.former {
		if r.id == id {
			return r
		}
	}
	return &loadRun{}
}

// gather appends all items of a run, in the order of rows.
func (p *loadPart) gather(id runID, items []loadItem) []loadItem {
	for n, c := range p.chunks {
		for i := range c.runs {
			if c.runs[i].id != id {
				continue
			}
			for _, item := range c.runs[i].items {
				item.row, item.chunk = p.rowOf(c, item.row), uint16(n)
				items = append(items, item)
			}
		}
	}
	return items
}

// onAllCores calls f for the numbers from 0 to below n and returns when all calls have.
func onAllCores(n int, f func(i int)) {
	var working sync.WaitGroup
	next := make(chan int, n)
	for i := range n {
		next <- i
	}
	close(next)
	for range min(n, runtime.GOMAXPROCS(0)) {
		working.Go(func() {
			for i := range next {
				f(i)
			}
		})
	}
	working.Wait()
}

type partResult struct {
	part     *loadPart
	rows     int
	refused  []*RefusedError
	position kv.Position
	err      error
}

// write sorts, checks and ingests the part.
func (p *loadPart) write(ctx context.Context, s *Store) partResult {
	p.sort()
	refused := refusals{}
	for attempt := 1; ; attempt++ {
		position, err := p.tryWrite(ctx, s, refused)
		if errors.Is(err, kv.ErrConflict) && attempt < s.tries {
			if err = pause(ctx, attempt); err == nil {
				continue
			}
		}
		return p.result(refused, position, err)
	}
}

// refusals are the rows that are left out since another has one of their keys.
type refusals map[uint32]*RefusedError

func (p *loadPart) result(refused refusals, position kv.Position, err error) partResult {
	res := partResult{part: p, position: position, err: err}
	if err == nil {
		res.rows = p.rows - p.left - len(refused)
	}
	if p.strict {
		return res
	}
	for _, e := range refused {
		res.refused = append(res.refused, e)
	}
	slices.SortFunc(res.refused, func(a, b *RefusedError) int { return cmp.Compare(a.Row, b.Row) })
	return res
}

func (p *loadPart) tryWrite(ctx context.Context, s *Store, refused refusals) (kv.Position, error) {
	tx, err := s.begin(ctx, p.session)
	if err != nil {
		return 0, err
	}
	defer tx.end()
	if p.check != nil {
		if err := p.check(&tx.Reader); err != nil {
			return 0, err
		}
	}
	if err := p.checkUnique(ctx, tx.snap, refused); err != nil {
		return 0, err
	}
	if p.strict && len(refused) > 0 {
		return 0, refused[slices.Min(slices.Collect(maps.Keys(refused)))]
	}
	load := &kv.Load{Since: tx.snap.Stamp(), Reads: tx.reads}
	derive := []func(){func() { load.Merges = p.merges(refused) }, func() { load.Journal = p.journal(refused) }}
	onAllCores(len(derive), func(i int) { derive[i]() })
	for _, r := range p.runs {
		if err := r.drop(refused); err != nil {
			return 0, err
		}
		if len(r.items) > 0 {
			load.Runs = append(load.Runs, r.sectioned())
		}
	}
	if len(load.Runs)+len(load.Merges) == 0 {
		return 0, nil
	}
	defer s.watchLoad()()
	return s.engine.Ingest(ctx, load)
}

// checkUnique refuses rows whose unique key a stored record has, or an earlier row
// of the part that is not itself refused.
func (p *loadPart) checkUnique(ctx context.Context, snap kv.Snapshot, refused refusals) error {
	taken := make([][]takenKey, len(p.runs))
	failed := make([]error, len(p.runs))
	onAllCores(len(p.runs), func(i int) {
		if r := p.runs[i]; r.unique && len(r.items) > 0 {
			taken[i], failed[i] = r.stored(ctx, snap)
		}
	})
	if err := errors.Join(failed...); err != nil {
		return err
	}
	for i, r := range p.runs {
		for _, t := range taken[i] {
			for at := t.at; at < len(r.items) && bytes.Equal(r.Key(at), r.Key(t.at)); at++ {
				p.refuse(refused, r, r.items[at], t.holder)
			}
		}
	}
	p.checkClashes(refused)
	return nil
}

// takenKey is the first item of a run that has a stored key.
type takenKey struct {
	at     int
	holder []byte
}

// stored finds the keys of the run that the snapshot has.
func (r *loadRun) stored(ctx context.Context, snap kv.Snapshot) (taken []takenKey, err error) {
	err = kv.Find(ctx, snap, len(r.items), r.Key, func(i int, holder []byte) error {
		if last := len(taken) - 1; last < 0 || !bytes.Equal(r.Key(i), r.Key(taken[last].at)) {
			taken = append(taken, takenKey{i, bytes.Clone(holder)})
		}
		return nil
	})
	return taken, err
}

// checkClashes refuses rows of which an earlier one of the part, not itself refused, has
// a unique key.
func (p *loadPart) checkClashes(refused refusals) {
	clashes := map[uint32][]clash{} // by row: the groups of equal keys that it is in
	for _, r := range p.runs {
		if !r.unique || !r.equal || r.id.space == spaceRecord { // a record that is loaded twice is drop's error
			continue
		}
		for start := 0; start < len(r.items); {
			end := start + 1
			for end < len(r.items) && bytes.Equal(r.Key(end), r.Key(start)) {
				end++
			}
			if end-start > 1 {
				group := &clashGroup{run: r}
				for _, item := range r.items[start:end] {
					clashes[item.row] = append(clashes[item.row], clash{group, item})
				}
			}
			start = end
		}
	}
	for _, row := range slices.Sorted(maps.Keys(clashes)) {
		p.admit(row, clashes[row], refused)
	}
}

// clashGroup is a unique key that several items of the part have; holder is the
// first row that was admitted with it.
type clashGroup struct {
	run    *loadRun
	holder *loadItem
}

type clash struct {
	group *clashGroup
	item  loadItem
}

// admit gives a row its keys, unless an admitted row has one of them.
func (p *loadPart) admit(row uint32, clashes []clash, refused refusals) {
	if refused[row] != nil {
		return
	}
	for _, c := range clashes {
		if h := c.group.holder; h != nil && h.row != row {
			p.refuse(refused, c.group.run, c.item, c.group.run.value(*h))
			return
		}
	}
	for _, c := range clashes {
		c.group.holder = &c.item
	}
}

func (p *loadPart) refuse(refused refusals, r *loadRun, item loadItem, holder []byte) {
	key, primary := Key(r.key(item)[len(r.prefix):]), Key(r.value(item))
	if r.id.space == spaceRecord {
		primary, holder = key, key
	}
	refused[item.row] = &RefusedError{
		Row: p.firstRow + int(item.row), Table: r.table, Key: slices.Clone(primary),
		Unique: &UniqueError{Table: r.table, Index: r.index, Key: slices.Clone(key), Holder: slices.Clone(Key(holder))},
	}
}

// drop removes the items of refused rows, and an index key that one row has twice.
func (r *loadRun) drop(refused refusals) error {
	if len(refused) == 0 && !r.equal {
		return nil
	}
	kept := r.items[:0]
	for _, item := range r.items {
		if refused[item.row] != nil {
			continue
		}
		if n := len(kept); r.equal && n > 0 && bytes.Equal(r.key(kept[n-1]), r.key(item)) {
			if r.id.space == spaceRecord {
				return &Error{Op: "load", Table: r.table, Key: fmt.Sprintf("% x", r.key(item)[len(r.prefix):]), Err: fmt.Errorf("%w: the key was loaded twice", ErrInvalid)}
			}
			continue
		}
		kept = append(kept, item)
	}
	r.items = kept
	return nil
}

// merges sums up the changes of counters and bitmaps.
func (p *loadPart) merges(refused refusals) []kv.Op {
	tables := map[*interned]*partMerges{}
	for _, c := range p.chunks {
		if tables[c.interned] == nil {
			tables[c.interned] = &partMerges{}
		}
		tables[c.interned].add(p, c, refused)
	}
	sums, sets := map[string]int64{}, map[string]*roaring.Bitmap{}
	for _, m := range tables {
		m.join(sums, sets)
	}
	ops := make([]kv.Op, 0, len(sums)+len(sets))
	for key, n := range sums {
		ops = append(ops, kv.Op{Kind: kv.Merge, Key: []byte(key), Value: kv.CounterDelta(n)})
	}
	for key, set := range sets {
		ops = append(ops, kv.Op{Kind: kv.Merge, Key: []byte(key), Value: kv.BitmapDelta(set, nil)})
	}
	slices.SortFunc(ops, func(a, b kv.Op) int { return bytes.Compare(a.Key, b.Key) })
	return ops
}

// partMerges are the changes of the keys that one table numbers.
type partMerges struct {
	keys    []string
	sums    []int64
	counted []bool
	sets    []*roaring.Bitmap
}

func (m *partMerges) add(p *loadPart, c *loadChunk, refused refusals) {
	if more := len(c.merged) - len(m.keys); more > 0 {
		m.keys = c.merged
		m.sums = append(m.sums, make([]int64, more)...)
		m.counted = append(m.counted, make([]bool, more)...)
		m.sets = append(m.sets, make([]*roaring.Bitmap, more)...)
	}
	for _, count := range c.counts {
		if len(refused) == 0 || refused[p.rowOf(c, count.row)] == nil {
			m.sums[count.key] += count.n
			m.counted[count.key] = true
		}
	}
	for _, mark := range c.marks {
		if len(refused) > 0 && refused[p.rowOf(c, mark.row)] != nil {
			continue
		}
		if m.sets[mark.key] == nil {
			m.sets[mark.key] = roaring.New()
		}
		m.sets[mark.key].Add(uint32(mark.member))
	}
}

func (m *partMerges) join(sums map[string]int64, sets map[string]*roaring.Bitmap) {
	for i, key := range m.keys {
		if m.counted[i] {
			sums[key] += m.sums[i]
		}
		switch set := m.sets[i]; {
		case set == nil:
		case sets[key] == nil:
			sets[key] = set
		default:
			sets[key].Or(set)
		}
	}
}

// opsPerEntry bounds one journal entry of a load.
const opsPerEntry = 1000

func (p *loadPart) journal(refused refusals) [][]byte {
	var entries [][]byte
	size := 0
	e := entry{Time: p.now, Actor: p.session.Actor, Reason: p.session.Reason, Ops: make([]Op, 0, opsPerEntry)}
	for _, c := range p.chunks {
		for i := range c.ops {
			op := &c.ops[i]
			if len(refused) > 0 && refused[p.rowOf(c, op.row)] != nil {
				continue
			}
			key := c.arena[op.record.start:][:op.record.keyLen]
			e.Ops = append(e.Ops, Op{Table: op.table, Action: op.action, Key: key[runID{space: spaceRecord}.prefixLen():], Version: 1, Digest: op.digest})
			if len(e.Ops) == opsPerEntry {
				payload := e.append(make([]byte, 0, size))
				size = len(payload) + len(payload)/16 // the next one's, or nearly
				entries = append(entries, payload)
				e.Ops = e.Ops[:0]
			}
		}
	}
	if len(e.Ops) > 0 {
		entries = append(entries, e.append(nil))
	}
	return entries
}
