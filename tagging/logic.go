package tagging

import (
	"cmp"
	"slices"

	"github.com/clientele-go/clientele/storage/bitset"
)

// both matches what all of its members match; the cheapest are asked first.
type both []node

// allOf joins conditions; what needs records becomes one condition, so that each record
// is read once.
func allOf(members []node) node {
	var flat both
	var records *recorded
	for _, m := range members {
		switch m := m.(type) {
		case everything:
		case both:
			flat = append(flat, m...)
		default:
			flat = append(flat, m)
		}
	}
	flat = slices.DeleteFunc(flat, func(m node) bool {
		r, is := m.(*recorded)
		if is && records != nil {
			records.meets, records.labels = append(records.meets, r.meets...), append(records.labels, r.labels...)
			return true
		}
		if is {
			records = r
		}
		return false
	})
	slices.SortStableFunc(flat, func(a, b node) int { return cmp.Compare(a.cost(), b.cost()) })
	switch len(flat) {
	case 0:
		return everything{}
	case 1:
		return flat[0]
	}
	return flat
}

// next leaps to the first chunk that no member excludes.
func (b both) next(ev *evaluation, n uint64) (uint64, bool, error) {
	for agreed := 0; agreed < len(b); {
		for _, m := range b {
			at, found, err := m.next(ev, n)
			if err != nil || !found {
				return 0, false, err
			}
			if agreed++; at != n {
				n, agreed = at, 1
			}
		}
	}
	return n, true, nil
}

func (b both) narrow(ev *evaluation, n uint64, c *bitset.Chunk) error {
	for i, m := range b {
		if i > 0 && c.Empty() {
			return nil
		}
		if err := m.narrow(ev, n, c); err != nil {
			return err
		}
	}
	return nil
}

func (b both) cost() int { return costliest(b) }

func costliest(nodes []node) int {
	most := costSet
	for _, m := range nodes {
		most = max(most, m.cost())
	}
	return most
}

// either matches what any of its members matches.
type either []node

// anyOf joins alternatives; those that are sets of one bitmap become one union.
func anyOf(members []node) node {
	var flat either
	var sets *union
	add := func(m node, label string, more ...*marks) {
		if sets == nil {
			sets = &union{}
			flat = append(flat, sets)
		} else {
			sets.label += " or "
		}
		sets.sets, sets.label = append(sets.sets, more...), sets.label+label
	}
	for _, m := range members {
		switch m := m.(type) {
		case nothing:
		case *marks:
			add(m, m.label, m)
		case *union:
			add(m, m.label, m.sets...)
		case either:
			flat = append(flat, m...)
		default:
			flat = append(flat, m)
		}
	}
	slices.SortStableFunc(flat, func(a, b node) int { return cmp.Compare(a.cost(), b.cost()) })
	switch {
	case len(flat) == 0:
		return nothing{}
	case len(flat) > 1:
		return flat
	case sets != nil && len(sets.sets) == 1:
		return sets.sets[0]
	}
	return flat[0]
}

func (e either) next(ev *evaluation, n uint64) (uint64, bool, error) {
	return earliest(ev, n, e)
}

// narrow asks each member only of what those before it left open.
func (e either) narrow(ev *evaluation, n uint64, c *bitset.Chunk) error {
	found, asked := ev.chunk(), ev.chunk()
	defer ev.done(found)
	defer ev.done(asked)
	found.Clear()
	for _, m := range e {
		if c.Empty() {
			break
		}
		*asked = *c
		if err := m.narrow(ev, n, asked); err != nil {
			return err
		}
		found.Or(asked)
		c.AndNot(asked)
	}
	*c = *found
	return nil
}

func (e either) cost() int { return costliest(e) }

// except matches what its condition does not match.
type except struct{ node }

func not(x node) node {
	switch x := x.(type) {
	case everything:
		return nothing{}
	case nothing:
		return everything{}
	case except:
		return x.node
	}
	return except{x}
}

func (e except) next(_ *evaluation, n uint64) (uint64, bool, error) { return n, true, nil }

func (e except) narrow(ev *evaluation, n uint64, c *bitset.Chunk) error {
	out := ev.chunk()
	defer ev.done(out)
	*out = *c
	if err := e.node.narrow(ev, n, out); err != nil {
		return err
	}
	c.AndNot(out)
	return nil
}

// everything matches all; a plan has a condition beside it that ends.
type everything struct{}

func (everything) next(_ *evaluation, n uint64) (uint64, bool, error) { return n, true, nil }
func (everything) narrow(*evaluation, uint64, *bitset.Chunk) error    { return nil }
func (everything) cost() int                                          { return costSet }

// nothing matches none.
type nothing struct{}

func (nothing) next(*evaluation, uint64) (uint64, bool, error) { return 0, false, nil }
func (nothing) cost() int                                      { return costSet }

func (nothing) narrow(_ *evaluation, _ uint64, c *bitset.Chunk) error {
	c.Clear()
	return nil
}
