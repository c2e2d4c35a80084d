package storage

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/clientele-go/clientele/storage/kv"
)

// LoadOptions set how a bulk load runs. The zero value works.
type LoadOptions struct {
	// PartBytes bounds one part of the load; 0 is 96 MiB. A load holds two parts in
	// memory: one being filled, one being sorted and written.
	PartBytes int
	// Refused is called, from the goroutine that runs the load, for each row that was
	// left out because a unique index has its key already. Without it the first such
	// row ends the load, and nothing of its part is written.
	Refused func(err *RefusedError)
}

// RefusedError names a row that a load left out.
type RefusedError struct {
	Row    int    // counted from 0 in the order of loading
	Table  string // the table and
	Key    Key    // the primary key that the row would have had
	Unique *UniqueError
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("storage: load: row %d: %v", e.Row, e.Unique)
}

func (e *RefusedError) Unwrap() error { return e.Unique }

// Loaded tells what a load did.
type Loaded struct {
	Rows     int
	Refused  int
	Position kv.Position // of the last journal entry, 0 when nothing was loaded
}

// Loader takes the rows of a bulk load. It is not safe for concurrent use.
type Loader struct {
	ctx     context.Context
	store   *Store
	session Session
	opts    LoadOptions
	now     time.Time

	part    *loadPart
	spare   *loadPart // a written part, whose memory the next one uses
	parts   chan *loadPart
	results chan partResult
	writing bool // a part was sent and not yet answered
	row     int  // of the row being added
	loaded  Loaded
	keys    KeySet
	key     Key
	value   []byte
	blocks  map[string]*block
}

// Load adds new records in bulk, with all their indexes and journal entries, much
// faster than Update does. f adds one record after another ([Table.Load],
// [Counter.Load]) and calls Next after each row. Rows become visible part by part,
// each part atomic and durable; when Load fails, the parts before are in the book
// and Loaded says how many rows they held. It may run beside transactions.
//
// Memory is bounded by LoadOptions.PartBytes, whatever the number of rows.
func (s *Store) Load(ctx context.Context, session Session, opts LoadOptions, f func(*Loader) error) (Loaded, error) {
	defer s.observe("load", time.Now())
	if err := session.check(); err != nil {
		return Loaded{}, &Error{Op: "load", Err: err}
	}
	if opts.PartBytes == 0 {
		opts.PartBytes = 96 << 20
	}
	l := &Loader{
		ctx: ctx, store: s, session: session, opts: opts, now: s.Now(),
		parts: make(chan *loadPart), results: make(chan partResult, 1), blocks: map[string]*block{},
	}
	l.part = l.newPart()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for p := range l.parts {
			l.results <- p.write(ctx, s)
		}
	}()
	err := f(l)
	if err == nil && l.part.rows() > 0 {
		err = l.flush()
	}
	close(l.parts)
	err = errors.Join(err, l.await())
	<-done
	s.returnBlocks(l.blocks)
	s.metrics.Count("load.rows", int64(l.loaded.Rows))
	if err != nil {
		return l.loaded, &Error{Op: "load", Err: err}
	}
	return l.loaded, nil
}

// Row is the number of the row that is being added, from 0.
func (l *Loader) Row() int { return l.row }

// Now is the load's time, as Tx.Now.
func (l *Loader) Now() time.Time { return l.now }

// Session returns who loads and why.
func (l *Loader) Session() Session { return l.session }

// Next ends the present row.
func (l *Loader) Next() error {
	l.row++
	p := l.part
	p.rowCount++
	if p.bytes < l.opts.PartBytes && p.rowCount < maxPartRows {
		return nil
	}
	return l.flush()
}

const maxPartRows = 1 << 18

func (l *Loader) flush() error {
	if err := l.await(); err != nil {
		return err
	}
	l.parts <- l.part
	l.writing = true
	l.part = l.newPart()
	return nil
}

// await takes the result of the part that is being written, if there is one.
func (l *Loader) await() error {
	if !l.writing {
		return nil
	}
	l.writing = false
	r := <-l.results
	l.spare = r.part
	l.loaded.Rows += r.rows
	l.loaded.Refused += len(r.refused)
	l.loaded.Position = max(l.loaded.Position, r.position)
	for _, refused := range r.refused {
		l.opts.Refused(refused)
	}
	return r.err
}

// Load returns the next number of the range that key names, for the row being loaded.
func (q *Sequence) Load(l *Loader, key Key) (uint64, error) {
	const numbers = 4096
	stored := string(q.key(key))
	b := l.blocks[stored]
	if b == nil || b.next == b.end {
		first, err := l.store.lease(l.ctx, q, key, numbers)
		if err != nil {
			return 0, err
		}
		b = &block{next: first, end: first + numbers}
		l.blocks[stored] = b
	}
	b.next++
	return b.next - 1, nil
}

// Load adds a new record under a key that was never used before.
func (t *Table[K, V]) Load(l *Loader, k K, v *V, action uint8) error {
	if err := l.store.schema.declares(t); err != nil {
		return t.wrap("load", k, err)
	}
	primary := t.Key.Append(l.key[:0], k)
	l.key = primary
	m := Meta{Version: 1, Recorded: l.now, Actor: l.session.Actor, Reason: l.session.Reason}
	stored, err := t.Append(appendEnvelope(l.value[:0], stateLive, m), v)
	l.value = stored
	if err != nil {
		return t.wrap("load", k, err)
	}
	p := l.part
	at := p.add(p.run(spaceRecord, t.ID, 0, t.Label, ""), primary, stored)
	if t.History {
		p.ops = append(p.ops, loadOp{row: p.rowCount, table: t.ID, action: action, record: at})
	}
	for _, x := range t.Indexes {
		l.keys.reset()
		x.Keys(&l.keys, v)
		if l.keys.len() == 0 {
			continue
		}
		run := p.run(spaceIndex, t.ID, x.ID, t.Label, x.Label)
		run.unique = x.Unique
		for i := range l.keys.len() {
			key := l.keys.at(i)
			if x.Unique {
				p.add(run, key, primary)
			} else {
				p.addPair(run, key, primary)
			}
		}
	}
	for _, tally := range t.Tallies {
		l.keys.reset()
		tally.Keys(&l.keys, v)
		for i := range l.keys.len() {
			p.count(tally.key(l.keys.at(i)), 1)
		}
	}
	return nil
}

// Load changes a count by the row being loaded.
func (c *Counter) Load(l *Loader, key Key, n int64) {
	l.part.count(append(Key{spaceCounter, c.ID}, key...), n)
}

func (p *loadPart) count(key Key, n int64) {
	p.counts = append(p.counts, loadCount{row: p.rowCount, key: key, n: n})
}

// loadPart collects rows until it is sorted and ingested.
type loadPart struct {
	session  Session
	now      time.Time
	strict   bool // a refused row fails the part
	firstRow int
	rowCount int
	bytes    int
	runs     map[[3]byte]*loadRun
	sorted   []*loadRun // the runs by prefix, once the part is complete
	ops      []loadOp
	counts   []loadCount
}

func (l *Loader) newPart() *loadPart {
	p := l.spare
	l.spare = nil
	if p == nil {
		p = &loadPart{session: l.session, now: l.now, strict: l.opts.Refused == nil, runs: map[[3]byte]*loadRun{}}
	}
	p.firstRow, p.rowCount, p.bytes = l.row, 0, 0
	p.sorted, p.ops, p.counts = p.sorted[:0], p.ops[:0], p.counts[:0]
	for _, r := range p.runs {
		r.arena, r.items = r.arena[:0], r.items[:0]
	}
	return p
}

func (p *loadPart) rows() int { return p.rowCount }

type loadOp struct {
	row           int
	table, action uint8
	record        loadItem
}

type loadCount struct {
	row int
	key Key
	n   int64
}

// loadRun is the part's keys of one table or index: items of one arena.
type loadRun struct {
	prefix       []byte
	table, index string
	unique       bool
	arena        []byte
	items        []loadItem
}

// loadItem is a key and value in the arena. The order is the first 8 bytes of the
// key after the prefix, which settle most comparisons while sorting.
type loadItem struct {
	order    uint64
	start    uint32
	keyLen   uint32
	valueLen uint32
	row      uint32
}

func (p *loadPart) run(space, table, index uint8, label, indexLabel string) *loadRun {
	id := [3]byte{space, table, index}
	r := p.runs[id]
	if r == nil {
		r = &loadRun{prefix: id[:2], table: label, index: indexLabel}
		if space == spaceIndex {
			r.prefix = id[:]
		}
		p.runs[id] = r
	}
	return r
}

func (p *loadPart) add(r *loadRun, key, value []byte) loadItem {
	return p.item(r, key, nil, value)
}

func (p *loadPart) addPair(r *loadRun, key, primary []byte) {
	p.item(r, key, primary, nil)
}

func (p *loadPart) item(r *loadRun, key, tail, value []byte) loadItem {
	item := loadItem{start: uint32(len(r.arena)), row: uint32(p.rowCount)}
	r.arena = append(r.arena, r.prefix...)
	r.arena = append(r.arena, key...)
	r.arena = append(r.arena, tail...)
	item.keyLen = uint32(len(r.arena) - int(item.start))
	r.arena = append(r.arena, value...)
	item.valueLen = uint32(len(value))
	var first [8]byte
	copy(first[:], r.arena[int(item.start)+len(r.prefix):int(item.start)+int(item.keyLen)])
	item.order = binary.BigEndian.Uint64(first[:])
	r.items = append(r.items, item)
	p.bytes += int(item.keyLen) + int(item.valueLen) + 24
	return item
}

func (r *loadRun) key(item loadItem) []byte {
	end := item.start + item.keyLen
	return r.arena[item.start:end:end]
}

func (r *loadRun) value(item loadItem) []byte {
	start := item.start + item.keyLen
	return r.arena[start : start+item.valueLen : start+item.valueLen]
}

// Len, Key and Value make a loadRun a kv.Run.
func (r *loadRun) Len() int           { return len(r.items) }
func (r *loadRun) Key(i int) []byte   { return r.key(r.items[i]) }
func (r *loadRun) Value(i int) []byte { return r.value(r.items[i]) }

func (r *loadRun) sort() {
	slices.SortFunc(r.items, func(a, b loadItem) int {
		if a.order != b.order {
			return cmp.Compare(a.order, b.order)
		}
		if c := bytes.Compare(r.key(a), r.key(b)); c != 0 {
			return c
		}
		return cmp.Compare(a.row, b.row)
	})
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
	for _, r := range p.runs {
		r.sort()
		p.sorted = append(p.sorted, r)
	}
	slices.SortFunc(p.sorted, func(a, b *loadRun) int { return bytes.Compare(a.prefix, b.prefix) })
	refused := map[uint32]*RefusedError{}
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

func (p *loadPart) result(refused map[uint32]*RefusedError, position kv.Position, err error) partResult {
	res := partResult{part: p, position: position, err: err}
	if err == nil {
		res.rows = p.rowCount - len(refused)
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

func (p *loadPart) tryWrite(ctx context.Context, s *Store, refused map[uint32]*RefusedError) (kv.Position, error) {
	snap, err := s.engine.Snapshot(ctx)
	if err != nil {
		return 0, err
	}
	defer snap.Close()
	if err := p.checkUnique(ctx, snap, refused); err != nil {
		return 0, err
	}
	if p.strict && len(refused) > 0 {
		return 0, refused[slices.Min(slices.Collect(maps.Keys(refused)))]
	}
	load := &kv.Load{Since: snap.Stamp(), Merges: p.merges(refused), Journal: p.journal(refused)}
	for _, r := range p.sorted {
		if err := r.drop(refused); err != nil {
			return 0, err
		}
		if len(r.items) > 0 {
			load.Runs = append(load.Runs, r)
		}
	}
	if len(load.Runs) == 0 {
		return 0, nil
	}
	return s.engine.Ingest(ctx, load)
}

// checkUnique refuses rows whose unique key a stored record has, or an earlier row
// of the part that is not itself refused.
func (p *loadPart) checkUnique(ctx context.Context, snap kv.Snapshot, refused map[uint32]*RefusedError) error {
	clashes := map[uint32][]clash{} // by row: the groups of equal keys that it is in
	for _, r := range p.sorted {
		if !r.unique {
			continue
		}
		for start := 0; start < len(r.items); {
			end := start + 1
			for end < len(r.items) && string(r.Key(end)) == string(r.Key(start)) {
				end++
			}
			if err := p.checkStored(ctx, snap, r, r.items[start:end], refused); err != nil {
				return err
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
	return nil
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

func (p *loadPart) checkStored(ctx context.Context, snap kv.Snapshot, r *loadRun, items []loadItem, refused map[uint32]*RefusedError) error {
	var buf [64]byte
	holder, found, err := snap.Get(ctx, r.key(items[0]), buf[:0])
	if err != nil || !found {
		return err
	}
	for _, item := range items {
		p.refuse(refused, r, item, holder)
	}
	return nil
}

// admit gives a row its keys, unless an admitted row has one of them.
func (p *loadPart) admit(row uint32, clashes []clash, refused map[uint32]*RefusedError) {
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

func (p *loadPart) refuse(refused map[uint32]*RefusedError, r *loadRun, item loadItem, holder []byte) {
	refused[item.row] = &RefusedError{
		Row: p.firstRow + int(item.row), Table: r.table, Key: slices.Clone(Key(r.value(item))),
		Unique: &UniqueError{Table: r.table, Index: r.index, Key: slices.Clone(Key(r.key(item)[len(r.prefix):])), Holder: slices.Clone(Key(holder))},
	}
}

// drop removes the items of refused rows, and an index key that one row has twice.
func (r *loadRun) drop(refused map[uint32]*RefusedError) error {
	kept := r.items[:0]
	for _, item := range r.items {
		if refused[item.row] != nil {
			continue
		}
		if n := len(kept); n > 0 && string(r.key(kept[n-1])) == string(r.key(item)) {
			if r.prefix[0] == spaceRecord {
				return &Error{Op: "load", Table: r.table, Key: fmt.Sprintf("% x", r.key(item)[len(r.prefix):]), Err: fmt.Errorf("%w: the key was loaded twice", ErrInvalid)}
			}
			continue
		}
		kept = append(kept, item)
	}
	r.items = kept
	return nil
}

func (p *loadPart) merges(refused map[uint32]*RefusedError) []kv.Op {
	sums := map[string]int64{}
	for _, c := range p.counts {
		if refused[uint32(c.row)] == nil {
			sums[string(c.key)] += c.n
		}
	}
	ops := make([]kv.Op, 0, len(sums))
	for key, n := range sums {
		ops = append(ops, kv.Op{Kind: kv.Merge, Key: []byte(key), Value: kv.CounterDelta(n)})
	}
	slices.SortFunc(ops, func(a, b kv.Op) int { return bytes.Compare(a.Key, b.Key) })
	return ops
}

// opsPerEntry bounds one journal entry of a load.
const opsPerEntry = 1000

func (p *loadPart) journal(refused map[uint32]*RefusedError) [][]byte {
	var entries [][]byte
	e := entry{Time: p.now, Actor: p.session.Actor, Reason: p.session.Reason}
	for _, op := range p.ops {
		if refused[uint32(op.row)] != nil {
			continue
		}
		r := p.runs[[3]byte{spaceRecord, op.table, 0}]
		e.Ops = append(e.Ops, Op{
			Table: op.table, Action: op.action, Key: Key(r.key(op.record)[len(r.prefix):]),
			Version: 1, Digest: digestOf(r.value(op.record)),
		})
		if len(e.Ops) == opsPerEntry {
			entries = append(entries, e.append(nil))
			e.Ops = e.Ops[:0]
		}
	}
	if len(e.Ops) > 0 {
		entries = append(entries, e.append(nil))
	}
	return entries
}
