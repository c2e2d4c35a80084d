package storage

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/clientele-go/clientele/storage/kv"
)

// Sequence is a family of number ranges, one for each key. A range gives out
// ascending numbers from 1, each once. Next leases numbers in blocks, so a crash
// loses the rest of a block; a transaction that fails gives its numbers back.
// NextGapless loses none, but makes the transactions that use it wait for one another.
type Sequence struct {
	ID    uint8
	Name  string
	Block uint64 // numbers leased at a time; 0 is 256
}

func (q *Sequence) key(key Key) Key { return append(Key{spaceSequence, q.ID}, key...) }

// Counter is a family of counts that concurrent transactions change without
// conflict.
type Counter struct {
	ID   uint8
	Name string
	Key  string // what a key of the family is, for KEYS.md
}

// Add changes a count.
func (c *Counter) Add(tx *Tx, key Key, n int64) error {
	if tx.ended {
		return &Error{Op: "count", Table: c.Name, Err: ErrEnded}
	}
	return tx.merge(append(Key{spaceCounter, c.ID}, key...), kv.CounterDelta(n))
}

// Get returns a count; one that was never changed is 0.
func (c *Counter) Get(r *Reader, key Key) (int64, error) {
	value, found, err := r.get(append(Key{spaceCounter, c.ID}, key...))
	if err != nil || !found {
		return 0, err
	}
	return kv.Counter(value)
}

// Scan calls f for each count in a range of keys, in key order, until f returns an
// error, which Scan returns.
func (c *Counter) Scan(r *Reader, keys kv.Range, f func(key Key, n int64) error) error {
	space := []byte{spaceCounter, c.ID}
	for e, err := range r.scan(within(space, keys), false) {
		if err != nil {
			return err
		}
		n, err := kv.Counter(e.Value)
		if err != nil {
			return err
		}
		if err := f(e.Key[len(space):], n); err != nil {
			return err
		}
	}
	return nil
}

// Remove takes a count away, as if it had never been changed. Its former values leave
// the engine's files with the next [Store.Purge].
func (c *Counter) Remove(tx *Tx, key Key) {
	stored := append(Key{spaceCounter, c.ID}, key...)
	tx.delete(stored)
	tx.markForPurge(stored, nil)
}

// sequences holds the leased blocks of a store.
type sequences struct {
	mu     sync.Mutex
	blocks map[string]*block // by stored key
}

// block is what is left of a lease: numbers given back, then [next, end).
type block struct {
	back      []uint64
	next, end uint64
	used      uint64 // numbers up to here are in use and not to be given back
}

func (b *block) giveBack(number uint64) {
	if number > b.used {
		b.back = append(b.back, number)
	}
}

// join moves the numbers given back that directly precede next to the rest of the lease.
func (b *block) join() {
	slices.Sort(b.back)
	for last := len(b.back) - 1; last >= 0 && b.back[last] == b.next-1; last-- {
		b.next, b.back = b.back[last], b.back[:last]
	}
}

type lease struct {
	key    string
	number uint64
}

// Next returns the next number of the range that key names, nil for the only one.
// Numbers are not always given out in the order in which transactions commit.
func (q *Sequence) Next(tx *Tx, key Key) (uint64, error) {
	if tx.ended {
		return 0, &Error{Op: "lease numbers", Table: q.Name, Err: ErrEnded}
	}
	n, err := tx.store.lease(tx.ctx, q, key, 1)
	if err != nil {
		return 0, err
	}
	tx.leased = append(tx.leased, lease{string(q.key(key)), n})
	return n, nil
}

// NextGapless returns the range's next number as part of the transaction: a number
// is used exactly when the transaction commits. Use either Next or NextGapless for
// a range.
func (q *Sequence) NextGapless(tx *Tx, key Key) (uint64, error) {
	stored := q.key(key)
	value, found, err := tx.Reader.get(stored)
	if err != nil {
		return 0, err
	}
	next, err := readNext(value, found)
	if err != nil {
		return 0, err
	}
	tx.set(stored, binary.AppendUvarint(nil, next+1))
	return next, nil
}

func readNext(value []byte, found bool) (uint64, error) {
	if !found {
		return 1, nil
	}
	n, size := binary.Uvarint(value)
	if size != len(value) || n == 0 {
		return 0, fmt.Errorf("%w: a sequence of numbers holds % x", ErrCorrupt, value)
	}
	return n, nil
}

// giveBack returns the numbers of an attempt that committed nothing.
func (tx *Tx) giveBack() {
	s := &tx.store.sequences
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := len(tx.leased) - 1; i >= 0; i-- {
		s.blocks[tx.leased[i].key].giveBack(tx.leased[i].number)
	}
	tx.leased = nil
}

// returnBlocks takes back what is left of the blocks that a load leased.
func (s *Store) returnBlocks(blocks map[string]*block) {
	s.sequences.mu.Lock()
	defer s.sequences.mu.Unlock()
	for stored, left := range blocks {
		b := s.sequences.blocks[stored]
		if b.next == left.end {
			b.next = left.next
			continue
		}
		for number := left.end; number > left.next; number-- {
			b.giveBack(number - 1)
		}
	}
}

// skipNumbers moves a sequence behind a number that is in use, and reports 1 when it
// was not.
func (s *Store) skipNumbers(ctx context.Context, stored Key, used uint64) (changed int, err error) {
	s.sequences.mu.Lock()
	defer s.sequences.mu.Unlock()
	next, err := s.moveSequence(ctx, stored, kv.Synced, true, func(next uint64) uint64 { return max(next, used+1) })
	if err != nil || next > used {
		return 0, err
	}
	if b := s.sequences.blocks[string(stored)]; b != nil {
		*b = block{used: used}
	}
	return 1, nil
}

// lease returns the first of n consecutive numbers.
func (s *Store) lease(ctx context.Context, q *Sequence, key Key, n uint64) (uint64, error) {
	s.sequences.mu.Lock()
	defer s.sequences.mu.Unlock()
	if s.closed.Load() { // the blocks may be returned already: a number could be given out twice
		return 0, &Error{Op: "lease numbers", Table: q.Name, Err: ErrClosed}
	}
	if s.sequences.blocks == nil {
		s.sequences.blocks = map[string]*block{}
	}
	stored := q.key(key)
	b := s.sequences.blocks[string(stored)]
	if b == nil {
		b = &block{}
		s.sequences.blocks[string(stored)] = b
	}
	if last := len(b.back) - 1; n == 1 && last >= 0 {
		number := b.back[last]
		b.back = b.back[:last]
		return number, nil
	}
	if b.end-b.next < n {
		if err := s.extend(ctx, q, stored, b, n); err != nil {
			return 0, &Error{Op: "lease numbers", Table: q.Name, Err: err}
		}
	}
	first := b.next
	b.next += n
	return first, nil
}

// extend leases another block. When it does not follow the present one, as when another
// process has leased between, what is left of the present one is kept. Nobody waits until the
// lease is durable: it is before anything committed after it, such as what uses its numbers.
func (s *Store) extend(ctx context.Context, q *Sequence, stored Key, b *block, n uint64) error {
	size := q.Block
	if size == 0 {
		size = 256
	}
	size = max(size, n)
	start, err := s.moveSequence(ctx, stored, kv.Relaxed, false, func(next uint64) uint64 { return next + size })
	if err != nil {
		return err
	}
	if start != b.end {
		for number := b.next; number < b.end; number++ {
			b.back = append(b.back, number)
		}
		b.next = start
	}
	b.end = start + size
	return nil
}

// moveSequence changes a sequence's stored next number and returns the former one. One that
// can't be read is an error, or 0 when it is to be mended.
func (s *Store) moveSequence(ctx context.Context, key []byte, d kv.Durability, mend bool, move func(next uint64) uint64) (uint64, error) {
	for attempt := 1; ; attempt++ {
		next, err := s.tryMove(ctx, key, d, mend, move)
		if !errors.Is(err, kv.ErrConflict) {
			return next, err
		}
		if err := pause(ctx, attempt); err != nil {
			return 0, err
		}
	}
}

func (s *Store) tryMove(ctx context.Context, key []byte, d kv.Durability, mend bool, move func(next uint64) uint64) (uint64, error) {
	snap, err := s.engine.Snapshot(ctx)
	if err != nil {
		return 0, err
	}
	defer snap.Close()
	value, found, err := snap.Get(ctx, key, nil)
	if err != nil {
		return 0, err
	}
	next, err := readNext(value, found)
	if err != nil && !mend {
		return 0, err
	}
	b := kv.Batch{Since: snap.Stamp(), Reads: []kv.Range{kv.Point(key)}, Durability: d}
	b.Set(key, binary.AppendUvarint(nil, move(next)))
	_, err = s.apply(ctx, &b)
	return next, err
}

// returnSequences gives the unused ends of the leased blocks back, so that closing
// a book in order leaves no gap.
func (s *Store) returnSequences(ctx context.Context) error {
	s.sequences.mu.Lock()
	defer s.sequences.mu.Unlock()
	for stored, b := range s.sequences.blocks {
		b.join()
		if b.next == b.end {
			continue
		}
		_, err := s.moveSequence(ctx, []byte(stored), kv.Synced, false, func(next uint64) uint64 {
			if next == b.end {
				return b.next
			}
			return next
		})
		if err != nil && !errors.Is(err, kv.ErrFailed) && !errors.Is(err, kv.ErrReadOnly) {
			return err
		}
	}
	return nil
}
