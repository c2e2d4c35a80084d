package tagging

import (
	"slices"
	"sync"

	"github.com/clientele-go/clientele/storage/bitset"
)

// common is a condition that only sets decide: customers must be in one of the sets of each
// list, of which the first has one, and in all scopes.
type common struct {
	lists  [][]*marks
	scopes []*source
}

// commonOf returns a condition as a common, if it is one.
func commonOf(root node) (c common, is bool) {
	members, ok := root.(both)
	if !ok {
		members = both{root}
	}
	for _, m := range members {
		switch m := m.(type) {
		case *marks:
			c.lists = append(c.lists, []*marks{m})
		case *union:
			c.lists = append(c.lists, m.sets)
		case *source:
			c.scopes = append(c.scopes, m)
		default:
			return c, false
		}
	}
	slices.SortStableFunc(c.lists, func(a, b []*marks) int { return min(len(a), 2) - min(len(b), 2) })
	return c, len(c.lists) > 0 && len(c.lists[0]) == 1
}

// windowChunks is how many chunks are narrowed by one set after the other: 128 KiB, which a
// core's own cache holds.
const windowChunks = 16

// window is some chunks of a common condition's first set, ascending.
type window struct {
	most    int
	numbers []uint64
	members []bitset.Chunk // of numbers
	others  []bitset.Chunk // of a list of several sets
	memory  [2][windowChunks]bitset.Chunk
}

var windows = sync.Pool{New: func() any { return new(window) }}

// count counts a plan's matches. Each set is read once, where the engine has it, and nothing
// of it is copied.
func (c common) count(p *plan, most int) (total int64, err error) {
	w := windows.Get().(*window)
	defer windows.Put(w)
	w.most = min(most, windowChunks)
	for from := p.from; from < p.ev.until; {
		if err := w.begin(p.ev, c.lists[0][0], from); err != nil {
			return 0, err
		}
		if len(w.numbers) == 0 {
			break
		}
		for _, sets := range c.lists[1:] {
			if err := w.narrow(p.ev, sets); err != nil {
				return 0, err
			}
		}
		for i := range w.members {
			for _, s := range c.scopes {
				if err := s.narrow(p.ev, w.numbers[i], &w.members[i]); err != nil {
					return 0, err
				}
			}
			total += int64(w.members[i].Len())
		}
		from = w.numbers[len(w.numbers)-1] + 1
		p.ev.reader.store.reached(from)
		if err := p.ev.reader.storage.Context().Err(); err != nil {
			return 0, err
		}
	}
	return total, nil
}

// begin takes the next chunks of a set.
func (w *window) begin(ev *evaluation, first *marks, from uint64) error {
	w.numbers = w.numbers[:0]
	err := first.bitmap.Chunks(ev.reader.storage, first.key, from, ev.until, func(n uint64, stored []byte) error {
		i := len(w.numbers)
		w.numbers, w.members = append(w.numbers, n), w.memory[0][:i+1]
		w.members[i].Clear()
		if err := w.members[i].OrStored(stored); err != nil {
			return err
		}
		if len(w.numbers) == w.most {
			return errStop
		}
		return nil
	})
	if err == errStop {
		return nil
	}
	return err
}

// narrow keeps who is in one of some sets.
func (w *window) narrow(ev *evaluation, sets []*marks) error {
	if len(sets) == 1 {
		next := 0
		err := w.each(ev, sets[0], func(i int, stored []byte) error {
			for ; next < i; next++ {
				w.members[next].Clear()
			}
			next++
			return w.members[i].AndStored(stored)
		})
		for ; next < len(w.members); next++ {
			w.members[next].Clear()
		}
		return err
	}
	w.others = w.memory[1][:len(w.members)]
	clear(w.others)
	for _, m := range sets {
		err := w.each(ev, m, func(i int, stored []byte) error { return w.others[i].OrStored(stored) })
		if err != nil {
			return err
		}
	}
	for i := range w.members {
		w.members[i].And(&w.others[i])
	}
	return nil
}

// each calls do with a set's chunks that are in the window.
func (w *window) each(ev *evaluation, m *marks, do func(i int, stored []byte) error) error {
	i, last := 0, len(w.numbers)-1
	return m.bitmap.Chunks(ev.reader.storage, m.key, w.numbers[0], w.numbers[last]+1, func(n uint64, stored []byte) error {
		for w.numbers[i] < n {
			i++
		}
		if w.numbers[i] > n {
			return nil
		}
		return do(i, stored)
	})
}
