package tagging

import (
	"cmp"
	"iter"
	"math/rand/v2"
	"slices"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage/bitset"
	"github.com/clientele-go/clientele/tagging/filter"
)

// Query says which customers are meant. The zero Query means all that are active or
// suspended.
type Query struct {
	// Filter is a filter as text, see package filter; empty matches everybody. Its fields
	// are the book's dimensions and the fields of customers ([customer.Reader.Fields]).
	Filter string
	// Expr is a filter that a program made; when it is not nil, Filter is not looked at.
	Expr filter.Expr
	// Statuses are the statuses to look among; empty is Active and Suspended, and all
	// when the filter, or a segment in it, names the status itself.
	Statuses []customer.Status
}

func (q Query) expr() (filter.Expr, error) {
	switch {
	case q.Expr != nil:
		return q.Expr, filter.Check(q.Expr)
	case q.Filter == "":
		return filter.All(), nil
	}
	return filter.Parse(q.Filter)
}

// maxCustomer is the greatest id that a set can have.
const maxCustomer = 1<<48 - 1

// block is how many chunks are read at first where all are going to be needed.
const block = 64

// chunks yields the chunks that have matches, from the plan's first on, ascending. A chunk is
// lent until the next step. A plan is good for one loop.
func (p *plan) chunks() iter.Seq2[chunk, error] {
	return func(yield func(chunk, error) bool) {
		defer p.ev.end()
		c := p.ev.chunk()
		defer p.ev.done(c)
		for n := p.from; ; n++ {
			at, found, err := p.root.next(p.ev, n)
			if err == nil && (!found || at >= p.ev.until) {
				p.ev.reader.store.reached(n)
				return
			}
			if n = at; err == nil {
				c.Fill()
				err = p.root.narrow(p.ev, n, c)
			}
			if err == nil {
				err = p.ev.reader.storage.Context().Err()
			}
			if err != nil {
				yield(chunk{}, err)
				return
			}
			if !c.Empty() && !yield(chunk{n, c}, nil) {
				return
			}
		}
	}
}

// chunk is the matches among 65,536 neighbouring customers.
type chunk struct {
	number  uint64
	members *bitset.Chunk
}

func (c chunk) id(low uint16) customer.ID {
	return customer.ID(c.number*bitset.ChunkSize + uint64(low))
}

// Count returns how many customers match. A filter over tags and fields that are kept
// as sets costs about 1 µs for each term and 65,536 customers, and reads no record. What takes
// longer than half a millisecond so is counted on several cores, as by [Reader.Facet] and
// [Reader.CrossTab].
//
// This and all other methods that take a Query fail with a *filter.SyntaxError or a
// *FilterError when the filter is not in order, and see what is due at the reader's
// instant whether or not it was settled yet.
func (r *Reader) Count(q Query) (int64, error) {
	p, err := r.plan(q, block)
	if err != nil {
		return 0, err
	}
	return p.count()
}

// count counts the matches of all shares.
func (p *plan) count() (total int64, err error) {
	counts, err := countShares(p.share(), share.count)
	for _, n := range counts {
		total += n
	}
	return total, err
}

func (s share) count() (n int64, err error) {
	if c, is := commonOf(s.root); is {
		return c.count(s.plan, s.ev.reader.store.window)
	}
	for c, err := range s.chunks() {
		if err != nil {
			return 0, err
		}
		n += int64(c.members.Len())
	}
	return n, nil
}

// IDs yields the matching customers after one, in the order of their ids; 0 is the
// beginning. Its cost grows with what the loop takes, and its memory not at all.
func (r *Reader) IDs(q Query, after customer.ID) iter.Seq2[customer.ID, error] {
	return func(yield func(customer.ID, error) bool) {
		p, err := r.plan(q, 1)
		if err != nil {
			yield(0, err)
			return
		}
		if after >= maxCustomer {
			return
		}
		first := uint64(after) + 1
		p.from = first / bitset.ChunkSize
		for c, err := range p.chunks() {
			if err != nil {
				yield(0, err)
				return
			}
			for low := range c.members.All() {
				if id := c.id(low); id > after && !yield(id, nil) {
					return
				}
			}
		}
	}
}

// Page returns at most limit matching customers after one, in the order of their ids, and
// whether there are more.
func (r *Reader) Page(q Query, after customer.ID, limit int) (ids []customer.ID, more bool, err error) {
	for id, err := range r.IDs(q, after) {
		if err != nil {
			return nil, false, err
		}
		if len(ids) >= limit {
			return ids, true, nil
		}
		ids = append(ids, id)
	}
	return ids, false, nil
}

// Set returns the matching customers as a set of the caller's own: 8 KiB for each 65,536
// customers among which some match.
func (r *Reader) Set(q Query) (*bitset.Set, error) {
	p, err := r.plan(q, block)
	if err != nil {
		return nil, err
	}
	found := &bitset.Set{}
	for c, err := range p.chunks() {
		if err != nil {
			return nil, err
		}
		*found.Own(c.number) = *c.members
	}
	return found, nil
}

// Contains reports whether a customer matches. It reads the customer and its assignments,
// once each, which costs some microseconds whatever the filter.
func (r *Reader) Contains(q Query, id customer.ID) (bool, error) {
	p, err := r.planner(q)
	if err != nil {
		return false, err
	}
	p.one = true
	root, err := p.query(q)
	if err != nil {
		return false, err
	}
	if id == 0 || id > maxCustomer {
		return false, nil
	}
	var c bitset.Chunk
	c.Add(uint16(id % bitset.ChunkSize))
	ev := p.evaluation(1)
	defer ev.end()
	err = root.narrow(ev, uint64(id)/bitset.ChunkSize, &c)
	return !c.Empty(), err
}

// Sample returns n of the matching customers, or all when there are fewer, in the order
// of their ids. Each is as likely as any other; the same seed on the same state gives the
// same ones. It costs as much as Set.
func (r *Reader) Sample(q Query, n int, seed uint64) ([]customer.ID, error) {
	all, err := r.Set(q)
	if err != nil {
		return nil, err
	}
	ranks := draw(all.Len(), n, seed)
	ids := make([]customer.ID, 0, len(ranks))
	passed := int64(0)
	for number := range all.Chunks() {
		members := all.Chunk(number)
		if members == nil {
			continue
		}
		size := int64(members.Len())
		if len(ids) == len(ranks) {
			break
		}
		if ranks[len(ids)] < passed+size {
			ids = pick(ids, ranks, chunk{number, members}, passed)
		}
		passed += size
	}
	return ids, nil
}

// pick adds the members of a chunk whose rank is among the next ones drawn.
func pick(ids []customer.ID, ranks []int64, c chunk, passed int64) []customer.ID {
	for low := range c.members.All() {
		if len(ids) < len(ranks) && ranks[len(ids)] == passed {
			ids = append(ids, c.id(low))
		}
		passed++
	}
	return ids
}

// draw returns n different numbers below size, ascending (Floyd's algorithm: Bentley and
// Floyd, Communications of the ACM 30, 1987).
func draw(size int64, n int, seed uint64) []int64 {
	random := rand.New(rand.NewPCG(seed, uint64(size)))
	n = int(min(int64(max(n, 0)), size))
	drawn := make(map[int64]bool, n)
	ranks := make([]int64, 0, n)
	for limit := size - int64(n); limit < size; limit++ {
		rank := random.Int64N(limit + 1)
		if drawn[rank] {
			rank = limit
		}
		drawn[rank] = true
		ranks = append(ranks, rank)
	}
	slices.SortFunc(ranks, cmp.Compare[int64])
	return ranks
}

// Plan returns how a query would be evaluated, as an indented text for people.
func (r *Reader) Plan(q Query) (string, error) {
	p, err := r.plan(q, 1)
	if err != nil {
		return "", err
	}
	var text planText
	p.root.explain(&text)
	return text.String(), nil
}
