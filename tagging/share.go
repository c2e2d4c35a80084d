package tagging

import (
	"cmp"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/clientele-go/clientele/storage/bitset"
)

// sharing says how the chunks of a large book are shared out among goroutines.
type sharing struct {
	cores  func() int    // how many goroutines at most
	least  uint64        // chunks of sets that a share reads: fewer aren't worth a goroutine and its iterators
	window int           // chunks that a count narrows by one set after the other
	span   atomic.Uint64 // chunks that queries have come through so far: what there is to share out
}

// leastShare takes some 0.4 ms to read. To have another core begin, and to open iterators there,
// takes 0.1 ms or more: a count of a few sets of a million customers is done by then.
const leastShare = 250

// mostShares bounds the memory of one query: each share keeps what a query alone would.
const mostShares = 8

func (s *sharing) init() {
	s.window, s.least, s.cores = windowChunks, leastShare, func() int { return runtime.GOMAXPROCS(0) }
}

// reached notes that a query came to an end before a chunk. It is a hint: whatever the
// span, the last share has all that is left.
func (s *sharing) reached(chunk uint64) {
	if chunk > s.span.Load() {
		s.span.Store(chunk)
	}
}

// shares returns how many there are to be for a number of sets.
func (s *sharing) shares(sets int) uint64 {
	n := s.span.Load() * uint64(sets) / s.least
	if n < 2 {
		return 1
	}
	return min(n, uint64(max(s.cores(), 1)), mostShares)
}

// share is a plan for some consecutive chunks, with the axes that they are counted by.
type share struct {
	*plan
	axes []side
}

// share splits a plan into shares that can be evaluated at the same time; a plan that needs
// records, which are read from one goroutine, is the only share.
func (p *plan) share(axes ...side) []share {
	how := &p.ev.reader.store.sharing
	sets := setsOf(p.root)
	for _, axis := range axes {
		for _, g := range axis.groups {
			sets += setsOf(g.node)
		}
	}
	if n := how.shares(sets); n > 1 {
		if readers := p.ev.reader.beside(n); readers != nil {
			if shares := p.split(readers, how.span.Load(), axes); shares != nil {
				return shares
			}
		}
	}
	return []share{{p, axes}}
}

// setsOf returns how many sets a node reads of a chunk, at least 1.
func setsOf(n node) (sets int) {
	switch n := n.(type) {
	case both:
		for _, m := range n {
			sets += setsOf(m)
		}
	case either:
		for _, m := range n {
			sets += setsOf(m)
		}
	case except:
		sets = setsOf(n.node)
	case *union:
		sets = len(n.sets)
	case *corrected:
		sets = len(n.sets)
	}
	return max(sets, 1)
}

// beside returns readers of the same state for n other goroutines, nil in an Update.
func (r *Reader) beside(n uint64) []*Reader {
	readers := make([]*Reader, n)
	for i := range readers {
		other := *r
		if other.storage = r.storage.Beside(); other.storage == nil {
			return nil
		}
		readers[i] = &other
	}
	return readers
}

// split makes a share for each reader of so many chunks, of which the last has what is beyond
// as well; nil when that can't be.
func (p *plan) split(readers []*Reader, chunks uint64, axes []side) []share {
	n := uint64(len(readers))
	shares := make([]share, n)
	for i := range shares {
		first := uint64(i)
		ev := &evaluation{reader: readers[i], first: p.ev.first, budget: p.ev.budget, until: (first + 1) * chunks / n}
		if first == n-1 {
			ev.until = lastChunk
		}
		s := share{plan: &plan{root: p.root.fork(), ev: ev, from: first * chunks / n}}
		for _, axis := range axes {
			s.axes = append(s.axes, axis.fork())
		}
		if s.root == nil || slices.ContainsFunc(s.axes, func(s side) bool { return s.groups == nil }) {
			return nil
		}
		shares[i] = s
	}
	return shares
}

// fork returns the side for another goroutine, without groups when one of them is for one only.
func (s side) fork() side {
	forked := side{make([]group, len(s.groups)), s.disjoint}
	for i, g := range s.groups {
		if forked.groups[i] = (group{g.Bucket, g.node.fork()}); forked.groups[i].node == nil {
			return side{}
		}
	}
	return forked
}

// countShares calls count with each share, all at the same time, and returns the counts when
// all calls have returned. A share on its own is counted by the caller's goroutine.
func countShares[T any](shares []share, count func(share) (T, error)) ([]T, error) {
	counts, errs := make([]T, len(shares)), make([]error, len(shares))
	var counting sync.WaitGroup
	for i, s := range shares[1:] {
		counting.Go(func() { counts[i+1], errs[i+1] = count(s) })
	}
	counts[0], errs[0] = count(shares[0])
	counting.Wait()
	return counts, cmp.Or(errs...)
}

// forks returns forks of all nodes, nil when one can't be forked.
func forks[N node](nodes []N) []node {
	forked := make([]node, len(nodes))
	for i, m := range nodes {
		if forked[i] = m.fork(); forked[i] == nil {
			return nil
		}
	}
	return forked
}

func (b both) fork() node {
	if forked := forks(b); forked != nil {
		return both(forked)
	}
	return nil
}

func (e either) fork() node {
	if forked := forks(e); forked != nil {
		return either(forked)
	}
	return nil
}

func (e except) fork() node {
	if forked := e.node.fork(); forked != nil {
		return except{forked}
	}
	return nil
}

func (everything) fork() node { return everything{} }
func (nothing) fork() node    { return nothing{} }

func (m *marks) fork() node { return &marks{bitmap: m.bitmap, key: m.key, label: m.label} }

func (u *union) fork() node { return u.another() }

func (u *union) another() *union {
	other := &union{sets: make([]*marks, len(u.sets)), label: u.label}
	for i, m := range u.sets {
		other.sets[i] = &marks{bitmap: m.bitmap, key: m.key, label: m.label}
	}
	return other
}

func (x *corrected) fork() node {
	return &corrected{union: *x.union.another(), stale: x.stale, held: x.held}
}

func (s *source) fork() node {
	if members, ok := s.members.(bitset.Forker); ok && !s.one {
		if forked := members.Fork(); forked != nil {
			return &source{members: forked, label: s.label}
		}
	}
	return nil
}

// Sets that are made when they are needed and records belong to one goroutine.

func (s *set) fork() node {
	if s.members == nil {
		return nil
	}
	return s
}

func (*recorded) fork() node { return nil }
func (*assigned) fork() node { return nil }
