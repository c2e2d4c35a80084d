package storage

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/clientele-go/clientele/storage/bitset"
	"github.com/clientele-go/clientele/storage/kv"
)

// LoadOptions set how a bulk load runs. The zero value works.
type LoadOptions struct {
	// PartBytes bounds one part of the load; 0 is what the engine likes best
	// ([kv.Limits].LoadBytes), or else 128 MiB: the larger the parts, the fewer are merged with
	// one another afterwards. A load holds two parts in memory, one being filled, one being
	// sorted and written, and for sorting as much again.
	PartBytes int
	// Refused is called, from the goroutine that runs the load, for each row that was
	// left out because a unique index has its key already, or the table its primary key.
	// Without it the first such row ends the load, and nothing of its part is written.
	Refused func(err *RefusedError)
	// Check is asked in the state on which each part is committed, from another goroutine than
	// the one that runs the load, whether its rows may be added; its error ends the load. What it
	// reads is checked again by the commit, like an Update's, so it may run several times.
	Check func(r *Reader) error
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

// Load adds new records in bulk, with all their indexes and journal entries, much
// faster than Update does. f adds one record after another ([Table.Load],
// [Counter.Load]) and calls Next after each row. Rows become visible part by part,
// each part atomic and durable; when Load fails, the parts before are in the book
// and Loaded says how many rows they held. It may run beside transactions. [LoadRows]
// does the same with the work on the rows shared out among all cores.
//
// Memory is bounded by LoadOptions.PartBytes, whatever the number of rows.
func (s *Store) Load(ctx context.Context, session Session, opts LoadOptions, f func(*Loader) error) (Loaded, error) {
	if f == nil {
		return Loaded{}, &Error{Op: "load", Err: errNoFunction}
	}
	return s.load(ctx, session, opts, func(ld *load) error {
		l := ld.newLoader()
		l.begin(ld.newChunk(0))
		if err := f(l); err != nil {
			return err
		}
		l.chunk.close()
		return ld.take(l.chunk)
	})
}

// load is one bulk load: the part that is being filled, and the one being written by
// another goroutine. Only the goroutine that runs the load uses it, but for what
// says otherwise.
type load struct {
	ctx     context.Context
	store   *Store
	session Session
	opts    LoadOptions
	now     time.Time
	meta    []byte // as it stands in the envelope of every record

	part    *loadPart
	parts   chan *loadPart
	results chan partResult
	writing bool // a part was sent and not yet answered
	spare   []*loadChunk
	former  []*loadRun // of the part written last
	loaded  Loaded

	blocks map[string]*block // leased numbers; see Sequence.Load
}

func (s *Store) load(ctx context.Context, session Session, opts LoadOptions, fill func(*load) error) (loaded Loaded, err error) {
	defer s.observe("load", time.Now())
	if err := session.check(); err != nil {
		return Loaded{}, &Error{Op: "load", Err: err}
	}
	if opts.PartBytes <= 0 {
		opts.PartBytes = cmp.Or(int(s.limits.LoadBytes), usualPartBytes)
	}
	ld := &load{
		ctx: ctx, store: s, session: session, opts: opts, now: s.Now(),
		parts: make(chan *loadPart), results: make(chan partResult, 1), blocks: map[string]*block{},
	}
	ld.meta = appendMeta(nil, Meta{Version: 1, Recorded: ld.now, Actor: session.Actor, Reason: session.Reason})
	ld.part = ld.newPart(0)
	stop := ld.startWriting()
	defer stop() // also when fill panics
	err = fill(ld)
	if err == nil {
		err = ld.flush()
	}
	err = errors.Join(err, ld.await())
	s.returnBlocks(ld.blocks)
	s.metrics.Count("load.rows", int64(ld.loaded.Rows))
	if err != nil {
		return ld.loaded, &Error{Op: "load", Err: err}
	}
	return ld.loaded, nil
}

// startWriting starts the goroutine that writes parts. stop ends it, after the part
// that it is writing.
func (ld *load) startWriting() (stop func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for p := range ld.parts {
			ld.results <- p.write(ld.ctx, ld.store)
		}
	}()
	return func() {
		close(ld.parts)
		<-done
	}
}

const maxPartRows = 1 << 20

// usualPartBytes bounds a part on an engine without a preference.
const usualPartBytes = 128 << 20

// take adds a chunk to the part, which is written when it is large enough.
func (ld *load) take(c *loadChunk) error {
	ld.part.add(c)
	if ld.part.bytes < ld.opts.PartBytes && ld.part.rows < maxPartRows {
		return nil
	}
	return ld.flush()
}

func (ld *load) flush() error {
	if err := ld.await(); err != nil {
		return err
	}
	if ld.part.rows > 0 {
		ld.parts <- ld.part
		ld.writing = true
		ld.part = ld.newPart(ld.part.firstRow + ld.part.rows)
	}
	return nil
}

// await takes the result of the part that is being written, if there is one.
func (ld *load) await() error {
	if !ld.writing {
		return nil
	}
	ld.writing = false
	r := <-ld.results
	ld.spare, ld.former = append(ld.spare, r.part.chunks...), r.part.runs
	ld.loaded.Rows += r.rows
	ld.loaded.Refused += len(r.refused)
	ld.loaded.Position = max(ld.loaded.Position, r.position)
	for _, refused := range r.refused {
		ld.opts.Refused(refused)
	}
	return r.err
}

func (ld *load) newPart(firstRow int) *loadPart {
	p := &loadPart{session: ld.session, now: ld.now, strict: ld.opts.Refused == nil, check: ld.opts.Check, firstRow: firstRow, former: ld.former}
	ld.former = nil
	return p
}

// newChunk returns an empty chunk, if possible one of which a written part has no more
// need.
func (ld *load) newChunk(firstRow int) *loadChunk {
	last := len(ld.spare) - 1
	if last < 0 {
		return ld.part.likeLast(firstRow)
	}
	c := ld.spare[last]
	ld.spare = ld.spare[:last]
	c.reset(firstRow)
	return c
}

func (ld *load) newLoader() *Loader { return &Loader{load: ld} }

// Loader takes the rows of a bulk load. It is not safe for concurrent use.
type Loader struct {
	load     *load
	chunk    *loadChunk
	row      int
	keys     KeySet
	key      Key // the record's
	merged   Key // of a counter or bitmap
	nonces   nonces
	interned *interned
}

// begin goes on with another chunk.
func (l *Loader) begin(c *loadChunk) {
	l.interned = l.interned.begin()
	c.interned = l.interned
	l.chunk = c
}

// Row is the number of the row that is being added, from 0.
func (l *Loader) Row() int { return l.row }

// Now is the load's time, as Tx.Now.
func (l *Loader) Now() time.Time { return l.load.now }

// Session returns who loads and why.
func (l *Loader) Session() Session { return l.load.session }

// Next ends the present row. It is not called within [LoadRows].
func (l *Loader) Next() error {
	l.row++
	l.chunk.rows++
	if l.chunk.bytes() < min(fullChunk, l.load.opts.PartBytes/8) && l.chunk.rows < maxChunkRows {
		return nil
	}
	full := l.chunk
	full.close()
	if err := l.load.take(full); err != nil {
		return err
	}
	l.begin(l.load.newChunk(l.row))
	return nil
}

// Load returns the next number of the range that key names, for the row being loaded.
// Within [LoadRows] it may be called from Place only.
func (q *Sequence) Load(l *Loader, key Key) (uint64, error) {
	const numbers = 4096
	l.key = append(append(l.key[:0], spaceSequence, q.ID), key...)
	b := l.load.blocks[string(l.key)]
	if b == nil || b.next == b.end {
		first, err := l.load.store.lease(l.load.ctx, q, key, numbers)
		if err != nil {
			return 0, err
		}
		b = &block{next: first, end: first + numbers}
		l.load.blocks[string(l.key)] = b
	}
	b.next++
	return b.next - 1, nil
}

// Load adds a new record under a key that was never used before. After an error nothing
// of it is in the load.
func (t *Table[K, V]) Load(l *Loader, k K, v V, action uint8) error {
	l.key = t.Key.Append(l.key[:0], k)
	return t.describe().load(l, l.key, v, action)
}

func (t *layout) load(l *Loader, primary Key, v any, action uint8) error {
	err := l.load.store.declares(t)
	if err == nil && t.pinned {
		err = fmt.Errorf("%w: a pinned table can't be loaded in bulk", ErrInvalid)
	}
	end := l.chunk.end()
	if err == nil {
		err = t.loadAll(l, primary, v, action)
	}
	if err != nil {
		l.chunk.rewind(end)
		return t.wrap("load", primary, err)
	}
	return nil
}

// loadAll adds a record and all that is derived from it.
func (t *layout) loadAll(l *Loader, primary Key, v any, action uint8) error {
	c := l.chunk
	stored, err := t.loadRecord(l, primary, v)
	if err != nil {
		return err
	}
	if t.history {
		c.ops = append(c.ops, loadOp{row: c.row(), table: t.id, action: action, record: stored, digest: digestOf(c.value(stored))})
	}
	for _, x := range t.indexes {
		if err := t.loadIndex(l, x, primary, v); err != nil {
			return err
		}
	}
	for _, tally := range t.tallies {
		l.keys.reset()
		tally.keys(&l.keys, v)
		for i := range l.keys.len() {
			l.merged = append(append(l.merged[:0], spaceCounter, tally.id), l.keys.at(i)...)
			c.count(l.merged, 1)
		}
	}
	return t.loadMarks(l, primary, v)
}

// loadRecord encodes the record where it stays.
func (t *layout) loadRecord(l *Loader, primary Key, v any) (loadItem, error) {
	c := l.chunk
	run := c.run(runID{spaceRecord, t.id, 0}, t.label, "", true)
	run.section = t.section
	item, err := c.key(run, primary, nil, l.load.store.limits)
	if err != nil {
		return item, err
	}
	c.arena = append(c.arena, stateLive)
	c.arena = l.nonces.append(c.arena)
	c.arena = append(c.arena, l.load.meta...)
	if c.arena, err = t.encode(c.arena, v); err != nil {
		return item, err
	}
	return c.add(run, item), nil
}

func (t *layout) loadIndex(l *Loader, x *part, primary Key, v any) error {
	c := l.chunk
	l.keys.reset()
	x.keys(&l.keys, v)
	if l.keys.len() == 0 {
		return nil
	}
	run := c.run(runID{spaceIndex, t.id, x.id}, t.label, x.label, x.unique)
	tail := primary
	if x.unique {
		tail = nil
	}
	for i := range l.keys.len() {
		item, err := c.key(run, l.keys.at(i), tail, l.load.store.limits)
		if err != nil {
			return err
		}
		if x.unique {
			c.arena = append(c.arena, primary...)
		}
		c.add(run, item)
	}
	return nil
}

// loadMarks adds the record to its bitmaps.
func (t *layout) loadMarks(l *Loader, primary Key, v any) error {
	if len(t.bitmaps) == 0 {
		return nil
	}
	c := l.chunk
	member, err := memberOf(primary)
	if err != nil {
		return err
	}
	for _, b := range t.bitmaps {
		l.keys.reset()
		b.keys(&l.keys, v)
		versioned := false
		for i := range l.keys.len() {
			versioned = versioned || b.versions(l.keys.at(i))
			l.merged = appendBitmapKey(l.merged[:0], b.id, l.keys.at(i), member/bitset.ChunkSize)
			c.marks = append(c.marks, loadMark{row: c.row(), key: l.interned.number(l.merged), member: uint16(member % bitset.ChunkSize)})
		}
		if versioned {
			c.count(bitmapVersionKey(b.id, member/bitset.ChunkSize), 1)
		}
	}
	return nil
}

// Load changes a count by the row being loaded.
func (c *Counter) Load(l *Loader, key Key, n int64) {
	l.merged = append(append(l.merged[:0], spaceCounter, c.ID), key...)
	l.chunk.count(l.merged, n)
}
