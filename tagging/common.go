package tagging

import (
	"slices"
	"sync"

	"github.com/clientele-go/clientele/storage/bitset"
)

// common is a condition that only sets decide: customers must be in one of the sets of each
// list, in none of others, and in all scopes.
type common struct {
	lists  [][]*marks
	none   []*marks
	scopes []*source
}

// commonOf returns a condition as a common, if it is one.
func commonOf(root node) (c common, is bool) {
	members, ok := root.(both)
	if !ok {
		members = both{root}
	}
	for _, m := range members {
		if scope, is := m.(*source); is {
			c.scopes = append(c.scopes, scope)
			continue
		}
		excluded, isExcept := m.(except)
		if isExcept {
			m = excluded.node
		}
		sets := setsAlone(m)
		switch {
		case sets == nil:
			return c, false
		case isExcept:
			c.none = append(c.none, sets...)
		default:
			c.lists = append(c.lists, sets)
		}
	}
	slices.SortStableFunc(c.lists, func(a, b []*marks) int { return len(a) - len(b) })
	return c, len(c.lists) > 0
}

// setsAlone returns the sets of a node that is no more than their union, nil for others.
func setsAlone(n node) []*marks {
	switch n := n.(type) {
	case *marks:
		return []*marks{n}
	case *union:
		return n.sets
	}
	return nil
}

// windowChunks is how many chunks are narrowed by one set after the other: 128 KiB, which a
// core's own cache holds.
const windowChunks = 16

// window is the members of some neighbouring chunks.
type window struct {
	ev      *evaluation
	first   uint64 // the first chunk
	members []bitset.Chunk
	union   []bitset.Chunk // of a list of several sets
	memory  [2][windowChunks]bitset.Chunk
}

var windows = sync.Pool{New: func() any { return new(window) }}

// count counts a plan's matches. Each set is read once, where the engine has it, and nothing
// of it is copied.
func (c common) count(p *plan, most int) (total int64, err error) {
	w := windows.Get().(*window)
	defer func() {
		w.ev = nil
		windows.Put(w)
	}()
	most = min(most, windowChunks)
	w.ev, w.members, w.union = p.ev, w.memory[0][:most], w.memory[1][:most]
	for from, more := p.from, true; more; {
		w.first = from
		if from, more, err = w.begin(c.lists[0]); err != nil {
			return 0, err
		}
		n, err := w.rest(c)
		if err != nil {
			return 0, err
		}
		total += n
	}
	return total, p.ev.reader.storage.Context().Err()
}

// begin fills the window with what is in one of some sets, and returns the first chunk
// beyond it that one of them has.
func (w *window) begin(sets []*marks) (next uint64, more bool, err error) {
	clear(w.members)
	end := w.first + uint64(len(w.members))
	for _, m := range sets {
		err := m.bitmap.Chunks(w.ev.reader.storage, m.key, w.first, w.ev.until, func(n uint64, stored []byte) error {
			if n < end {
				w.ev.reader.store.reached(n + 1)
				return w.members[n-w.first].OrStored(stored)
			}
			if !more || n < next {
				next, more = n, true
			}
			return errStop
		})
		if err != nil && err != errStop {
			return 0, false, err
		}
	}
	return next, more, w.ev.reader.storage.Context().Err()
}

// rest narrows the window by the rest of a condition, and counts who is left.
func (w *window) rest(c common) (n int64, err error) {
	for _, sets := range c.lists[1:] {
		if err := w.narrow(sets); err != nil {
			return 0, err
		}
	}
	for _, m := range c.none {
		if err := w.each(m, func(i uint64, stored []byte) error { return w.members[i].AndNotStored(stored) }); err != nil {
			return 0, err
		}
	}
	for i := range w.members {
		left, err := w.left(uint64(i), c.scopes)
		if err != nil {
			return 0, err
		}
		n += int64(left)
	}
	return n, nil
}

// left counts a chunk's members whom all scopes have.
func (w *window) left(i uint64, scopes []*source) (int, error) {
	c := &w.members[i]
	if len(scopes) == 0 {
		return c.Len(), nil
	}
	last := len(scopes) - 1
	for _, s := range scopes[:last] {
		if err := s.narrow(w.ev, w.first+i, c); err != nil {
			return 0, err
		}
	}
	if c.Empty() { // to make a chunk of a scope costs more than to see that
		return 0, nil
	}
	return scopes[last].common(w.ev, w.first+i, c)
}

// narrow keeps who is in one of some sets.
func (w *window) narrow(sets []*marks) error {
	if len(sets) == 1 {
		next := uint64(0)
		err := w.each(sets[0], func(i uint64, stored []byte) error {
			clear(w.members[next:i])
			next = i + 1
			return w.members[i].AndStored(stored)
		})
		clear(w.members[next:])
		return err
	}
	clear(w.union)
	for _, m := range sets {
		if err := w.each(m, func(i uint64, stored []byte) error { return w.union[i].OrStored(stored) }); err != nil {
			return err
		}
	}
	for i := range w.members {
		w.members[i].And(&w.union[i])
	}
	return nil
}

// each calls do with a set's chunks that are in the window.
func (w *window) each(m *marks, do func(i uint64, stored []byte) error) error {
	end := min(w.first+uint64(len(w.members)), w.ev.until)
	return m.bitmap.Chunks(w.ev.reader.storage, m.key, w.first, end, func(n uint64, stored []byte) error { return do(n-w.first, stored) })
}
