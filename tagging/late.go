package tagging

import "github.com/clientele-go/clientele/storage/bitset"

// late are the customers whose tags the clock has changed since their record was
// written: until the next Tick their marks don't count. Normally there are none.
type late struct {
	stale  *bitset.Set
	tagged []*Tagged // as of now
}

// overdue returns the late ones at the reader's instant. It costs one scan that normally
// finds nothing, and a read for each that is late.
func (p *planner) overdue() (*late, error) {
	if p.late != nil {
		return p.late, nil
	}
	found := &late{stale: &bitset.Set{}}
	for due, err := range p.reader.dueEntries(nil) {
		if err != nil {
			return nil, err
		}
		t, err := p.reader.settled(due.id)
		if err != nil {
			return nil, err
		}
		found.stale.Add(uint64(due.id))
		found.tagged = append(found.tagged, t)
	}
	p.late = found
	return found, nil
}

// correct makes a tag's set right for those that are late.
func (l *late) correct(u *union, matches func(*Tagged) bool) node {
	held := &bitset.Set{}
	for _, t := range l.tagged {
		if matches(t) {
			held.Add(uint64(t.ID))
		}
	}
	return &corrected{union: *u, stale: l.stale, held: held}
}

// corrected is a set of which the clock has changed some members that the marks don't
// show yet.
type corrected struct {
	union
	stale *bitset.Set // whose marks don't count
	held  *bitset.Set // those of stale that match
}

func (x *corrected) next(ev *evaluation, n uint64) (uint64, bool, error) {
	marked, found, err := x.union.next(ev, n)
	if err != nil {
		return 0, false, err
	}
	added, more := nextOf(x.held, n)
	if found && more {
		return min(marked, added), true, nil
	}
	if more {
		return added, true, nil
	}
	return marked, found, nil
}

func (x *corrected) narrow(ev *evaluation, n uint64, c *bitset.Chunk) error {
	all := ev.chunk()
	defer ev.done(all)
	if err := x.fill(ev, n, all); err != nil {
		return err
	}
	if stale := x.stale.Chunk(n); stale != nil {
		all.AndNot(stale)
	}
	if held := x.held.Chunk(n); held != nil {
		all.Or(held)
	}
	c.And(all)
	return nil
}
