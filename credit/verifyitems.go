package credit

import (
	"fmt"
	"iter"
	"slices"

	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
)

// verifyItems is how many items are verified at a time: their allocations are looked up
// together.
const verifyItems = 1024

// readItems reads the items of a range in the order of their ids, with their allocations
// beside them.
func (v *verifier) readItems(keys kv.Range) error {
	next, stop := iter.Pull2(v.store.allocation.Entries(v.storage, v.store.settles, keys, false))
	defer stop()
	settled := &settling{verifier: v, next: next}
	settled.advance()
	var some []*Item
	for i, err := range v.store.item.Records(v.storage, keys, false) {
		if err != nil {
			return err
		}
		if some = append(some, i); len(some) == verifyItems {
			if err := settled.addItems(some); err != nil {
				return err
			}
			some = some[:0]
		}
	}
	if err := settled.addItems(some); err != nil {
		return err
	}
	return settled.end()
}

// settling walks through the allocations by item.
type settling struct {
	*verifier
	next func() (storage.IndexEntry[AllocationID], error, bool)
	item ItemID // of the present entry, 0 at the end
	id   AllocationID
	err  error
}

func (s *settling) advance() {
	e, err, more := s.next()
	if !more || err != nil {
		s.item, s.err = 0, err
		return
	}
	item, rest, err := e.Key().CutUint()
	if err == nil {
		s.id, err = e.Primary(rest)
	}
	s.item, s.err = ItemID(item), err
}

// settles is an item's side of an allocation.
type settles struct {
	item int // among some
	id   AllocationID
}

// addItems adds some items with their allocations.
func (s *settling) addItems(some []*Item) error {
	if len(some) == 0 {
		return s.err
	}
	list, err := s.upTo(some)
	if err != nil {
		return err
	}
	near, err := s.fetch(some, list)
	if err != nil {
		return err
	}
	for n, i := range some {
		open := i.open()
		own, err := s.posting(i)
		if err == nil {
			err = s.addEntry(&own)
		}
		if err != nil {
			return err
		}
		for ; len(list) > 0 && list[0].item == n; list = list[1:] {
			a, err := near.allocation("verify", list[0].id)
			if err != nil {
				return err
			}
			p, err := sideOf(near, i, a)
			if err != nil {
				return err
			}
			open.amount += p.amount
			if err := s.addEntry(&p); err != nil {
				return err
			}
		}
		if err := s.addOpen(i, &open); err != nil {
			return err
		}
	}
	return nil
}

// upTo returns the allocations of some items that follow one another.
func (s *settling) upTo(some []*Item) (list []settles, err error) {
	for n, i := range some {
		for ; s.item != 0 && s.item <= i.ID && s.err == nil; s.advance() {
			if s.item < i.ID {
				s.strange()
				continue
			}
			list = append(list, settles{n, s.id})
		}
	}
	return list, s.err
}

func (s *settling) strange() {
	s.report(storage.Difference{Where: "allocation", Key: fmt.Sprint(s.id), Problem: fmt.Sprintf("names item %d, which doesn't exist", s.item)})
}

// end reports what is left behind the last item.
func (s *settling) end() error {
	for ; s.item != 0 && s.err == nil; s.advance() {
		s.strange()
	}
	return s.err
}

// near is a reader that has some items and allocations at hand.
type near struct {
	*Reader
	items       map[ItemID]*Item
	allocations map[AllocationID]*Allocation
}

func (n *near) item(op string, id ItemID) (*Item, error) {
	if i := n.items[id]; i != nil {
		return i, nil
	}
	return n.Reader.item(op, id)
}

func (n *near) allocation(op string, id AllocationID) (*Allocation, error) {
	if a := n.allocations[id]; a != nil {
		return a, nil
	}
	return n.Reader.allocation(op, id)
}

// fetch looks up together what the entries of some items are made of.
func (s *settling) fetch(some []*Item, list []settles) (*near, error) {
	n := &near{s.Reader, make(map[ItemID]*Item, len(some)), make(map[AllocationID]*Allocation, len(list))}
	for _, i := range some {
		n.items[i.ID] = i
	}
	ids := make([]AllocationID, len(list))
	for k := range list {
		ids[k] = list[k].id
	}
	var others []ItemID
	err := s.store.allocation.FindAll(s.storage, ascending(ids), func(_ int, a *Allocation) error {
		n.allocations[a.ID] = a
		if n.items[a.Credit] == nil {
			others = append(others, a.Credit)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return n, s.store.item.FindAll(s.storage, ascending(others), func(_ int, i *Item) error {
		n.items[i.ID] = i
		return nil
	})
}

// ascending sorts ids and leaves repeats out.
func ascending[T ItemID | AllocationID](ids []T) []T {
	slices.Sort(ids)
	return slices.Compact(ids)
}
