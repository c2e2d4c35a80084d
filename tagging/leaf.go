package tagging

import (
	"errors"
	"slices"
	"sync"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/bitset"
	"github.com/clientele-go/clientele/storage/kv"
)

// node is one condition of a plan. It is asked chunk by chunk, in ascending order, and
// keeps what it has read for the chunks to come, so a node serves one evaluation.
type node interface {
	// next returns the first chunk from n on that may have a match, false for none.
	next(ev *evaluation, n uint64) (uint64, bool, error)
	// narrow removes what doesn't match from c, a set of customers of chunk n.
	narrow(ev *evaluation, n uint64, c *bitset.Chunk) error
	// cost orders conditions that must all hold: the cheapest narrows first.
	cost() int
	explain(p *planText)
	// fork returns the same condition for another goroutine, nil when it is for one only.
	fork() node
}

const (
	costSet = iota
	costMarks
	costRecords
)

// evaluation is what the nodes of a plan share while it runs.
type evaluation struct {
	reader  *Reader
	first   int    // chunks that a node reads at first; more from then on
	budget  int    // bytes that a node keeps
	until   uint64 // no chunk is asked for from here on
	free    []*bitset.Chunk
	lent    []*[]byte // to nodes, by buffers
	records int64     // customers' records that were read
	last    *customer.Customer
	tagged  *Tagged
}

// buffers keep the memory of evaluations for later ones.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// buffer lends memory until the evaluation ends.
func (ev *evaluation) buffer() *[]byte {
	b := buffers.Get().(*[]byte)
	ev.lent = append(ev.lent, b)
	return b
}

// end takes the memory of all nodes back.
func (ev *evaluation) end() {
	for _, b := range ev.lent {
		if cap(*b) <= keptBuffer {
			buffers.Put(b)
		}
	}
	ev.lent = nil
}

// keptBuffer bounds the memory that one node of an evaluation leaves to later ones.
const keptBuffer = 256 << 10

// maxKept bounds the bytes that all nodes of a plan, or of a share of it, keep. A node's own bound
// is half of keptBuffer, so that its memory is used again however it grew.
const maxKept = 8 << 20

// chunk lends a chunk of unknown content; give it back with done.
func (ev *evaluation) chunk() *bitset.Chunk {
	if n := len(ev.free); n > 0 {
		c := ev.free[n-1]
		ev.free = ev.free[:n-1]
		return c
	}
	return new(bitset.Chunk)
}

func (ev *evaluation) done(c *bitset.Chunk) { ev.free = append(ev.free, c) }

// errStop ends a scan whose caller wants no more.
var errStop = errors.New("stop")

// lastChunk is more than any chunk's number.
const lastChunk = 1<<32 - 1

// marks is the set that a bitmap has under one key, read some chunks at a time.
type marks struct {
	bitmap storage.AnyBitmap
	key    storage.Key
	label  string

	from, to uint64 // what is kept: the chunks of this span
	chunks   []uint64
	ends     []int // of each chunk in bytes
	bytes    *[]byte
	step     int
}

func (m *marks) load(ev *evaluation, n uint64) error {
	if n >= m.from && n < m.to {
		return nil
	}
	if m.step = 4 * m.step; m.step == 0 {
		m.step, m.bytes = ev.first, ev.buffer()
	}
	bytes := (*m.bytes)[:0]
	m.chunks, m.ends = m.chunks[:0], m.ends[:0]
	m.from, m.to = n, ev.until
	err := m.bitmap.Chunks(ev.reader.storage, m.key, n, m.to, func(chunk uint64, stored []byte) error {
		bytes = append(bytes, stored...)
		m.chunks, m.ends = append(m.chunks, chunk), append(m.ends, len(bytes))
		if len(m.chunks) < m.step && len(bytes) < ev.budget {
			return nil
		}
		m.to = chunk + 1
		return errStop
	})
	*m.bytes = bytes
	if err == errStop {
		return nil
	}
	return err
}

// stored returns a chunk as it is stored, nil for an empty one.
func (m *marks) stored(ev *evaluation, n uint64) ([]byte, error) {
	if err := m.load(ev, n); err != nil {
		return nil, err
	}
	i, found := slices.BinarySearch(m.chunks, n)
	if !found {
		return nil, nil
	}
	start := 0
	if i > 0 {
		start = m.ends[i-1]
	}
	return (*m.bytes)[start:m.ends[i]], nil
}

func (m *marks) next(ev *evaluation, n uint64) (uint64, bool, error) {
	for n < ev.until {
		if err := m.load(ev, n); err != nil {
			return 0, false, err
		}
		if i, _ := slices.BinarySearch(m.chunks, n); i < len(m.chunks) {
			return m.chunks[i], true, nil
		}
		n = m.to
	}
	return 0, false, nil
}

func (m *marks) narrow(ev *evaluation, n uint64, c *bitset.Chunk) error {
	stored, err := m.stored(ev, n)
	if err != nil {
		return err
	}
	if stored == nil {
		c.Clear()
		return nil
	}
	return c.AndStored(stored)
}

func (m *marks) cost() int { return costMarks }

// union matches what any of some sets has.
type union struct {
	sets  []*marks
	label string
}

func (u *union) next(ev *evaluation, n uint64) (uint64, bool, error) {
	return earliest(ev, n, u.sets)
}

// earliest is the first chunk in which one of some nodes may have a match.
func earliest[N node](ev *evaluation, n uint64, nodes []N) (least uint64, any bool, err error) {
	for _, x := range nodes {
		m, found, err := x.next(ev, n)
		if err != nil {
			return 0, false, err
		}
		if found && (!any || m < least) {
			least, any = m, true
		}
		if any && least == n {
			break
		}
	}
	return least, any, nil
}

func (u *union) narrow(ev *evaluation, n uint64, c *bitset.Chunk) error {
	all := ev.chunk()
	defer ev.done(all)
	if err := u.fill(ev, n, all); err != nil {
		return err
	}
	c.And(all)
	return nil
}

// fill sets all to the members of a chunk.
func (u *union) fill(ev *evaluation, n uint64, all *bitset.Chunk) error {
	all.Clear()
	for _, m := range u.sets {
		stored, err := m.stored(ev, n)
		if err == nil && stored != nil {
			err = all.OrStored(stored)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (u *union) cost() int { return costMarks }

// set matches the members of a set in memory, which is made when it is first needed.
type set struct {
	make    func(ev *evaluation, into *bitset.Set) error // nil when members are there
	members *bitset.Set
	label   string
}

func (s *set) next(ev *evaluation, n uint64) (uint64, bool, error) {
	if err := s.fill(ev); err != nil {
		return 0, false, err
	}
	n, found := nextOf(s.members, n)
	return n, found, nil
}

func nextOf(s *bitset.Set, n uint64) (uint64, bool) {
	for ; n < s.Chunks(); n++ {
		if s.Chunk(n) != nil {
			return n, true
		}
	}
	return 0, false
}

func (s *set) fill(ev *evaluation) error {
	if s.members != nil {
		return nil
	}
	members := &bitset.Set{}
	if err := s.make(ev, members); err != nil {
		return err
	}
	s.members = members
	return nil
}

func (s *set) narrow(ev *evaluation, n uint64, c *bitset.Chunk) error {
	if err := s.fill(ev); err != nil {
		return err
	}
	members := s.members.Chunk(n)
	if members == nil {
		c.Clear()
		return nil
	}
	c.And(members)
	return nil
}

func (s *set) cost() int { return costSet }

// source matches the members of a set that makes its chunks when they are asked for.
type source struct {
	members bitset.Source
	one     bool // it is asked for a single customer
	label   string
}

func (s *source) next(_ *evaluation, n uint64) (uint64, bool, error) {
	end, err := s.members.End()
	return n, n < end, err
}

func (s *source) narrow(ev *evaluation, n uint64, c *bitset.Chunk) error {
	if s.one {
		return ev.each(n, c, func(id customer.ID) (bool, error) { return s.members.Has(uint64(id)) })
	}
	scratch := ev.chunk()
	defer ev.done(scratch)
	members, err := bitset.Borrow(s.members, n, scratch)
	if err != nil {
		return err
	}
	c.And(members)
	return nil
}

// common counts the members of a chunk's set.
func (s *source) common(ev *evaluation, n uint64, c *bitset.Chunk) (int, error) {
	scratch := ev.chunk()
	defer ev.done(scratch)
	members, err := bitset.Borrow(s.members, n, scratch)
	if err != nil {
		return 0, err
	}
	return members.AndLen(c), nil
}

func (s *source) cost() int { return costSet }

// marksOf makes the union of the sets that a bitmap has in a range of keys.
func marksOf(bitmap storage.AnyBitmap, keys kv.Range) func(*evaluation, *bitset.Set) error {
	return func(ev *evaluation, into *bitset.Set) error {
		return bitmap.Scan(ev.reader.storage, keys, func(_ storage.Key, chunk uint64, stored []byte) error {
			return into.Own(chunk).OrStored(stored)
		})
	}
}

// entriesOf makes the set of the customers that an index has under some keys.
func entriesOf(f *customer.Field, keys customer.Keys) func(*evaluation, *bitset.Set) error {
	return func(ev *evaluation, into *bitset.Set) error {
		return ev.reader.customers.Entries(f, keys, func(id customer.ID, _ storage.Key) error {
			into.Add(uint64(id))
			return nil
		})
	}
}

// recorded matches the customers whose records meet all conditions.
type recorded struct {
	meets  []func(*customer.Customer) bool
	labels []string
}

func (x *recorded) next(_ *evaluation, n uint64) (uint64, bool, error) { return n, true, nil }

func (x *recorded) narrow(ev *evaluation, n uint64, c *bitset.Chunk) error {
	return ev.each(n, c, func(id customer.ID) (bool, error) {
		record, err := ev.record(id)
		if err != nil || record == nil {
			return false, err
		}
		return !slices.ContainsFunc(x.meets, func(meets func(*customer.Customer) bool) bool { return !meets(record) }), nil
	})
}

func (x *recorded) cost() int { return costRecords }

// each removes the members of c for which keep returns false.
func (ev *evaluation) each(n uint64, c *bitset.Chunk, keep func(customer.ID) (bool, error)) error {
	ctx := ev.reader.storage.Context()
	asked := 0
	for low := range c.All() {
		if asked++; asked%256 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		kept, err := keep(chunk{n, c}.id(low))
		if err != nil {
			return err
		}
		if !kept {
			c.Remove(low)
		}
	}
	return nil
}

// record returns a customer, nil when there is none, and remembers it for the next
// condition.
func (ev *evaluation) record(id customer.ID) (*customer.Customer, error) {
	if ev.last != nil && ev.last.ID == id {
		return ev.last, nil
	}
	ev.records++
	c, err := ev.reader.customers.Exact(id)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, nil
	}
	ev.last = c
	return c, err
}

// assigned matches the customers whose assignments meet a condition.
type assigned struct {
	meets func(*Tagged) bool
	label string
}

func (x *assigned) next(_ *evaluation, n uint64) (uint64, bool, error) { return n, true, nil }

func (x *assigned) narrow(ev *evaluation, n uint64, c *bitset.Chunk) error {
	return ev.each(n, c, func(id customer.ID) (bool, error) {
		if ev.tagged == nil || ev.tagged.ID != id {
			t, err := ev.reader.settled(id)
			if errors.Is(err, storage.ErrNotFound) {
				t, err = &Tagged{ID: id}, nil
			}
			if err != nil {
				return false, err
			}
			ev.tagged = t
		}
		return x.meets(ev.tagged), nil
	})
}

func (x *assigned) cost() int { return costRecords }
