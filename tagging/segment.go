package tagging

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/tagging/filter"
)

// Segment is a filter saved under a name, for use in other filters as segment:name.
type Segment struct {
	Name        string // spelt like a tag's code
	Version     uint64
	Filter      string // in canonical form
	Names       customer.Names
	Description string

	Recorded time.Time // when this version was recorded
	Actor    string    // who recorded it
	Reason   string    // why

	rest string
}

// clone returns a copy that shares nothing that can be changed.
func (s *Segment) clone() *Segment {
	c := *s
	c.Names = maps.Clone(s.Names)
	return &c
}

// Segment returns a saved filter by its name, which is compared like a tag's code, or an
// error that wraps ErrUnknownSegment.
func (r *Reader) Segment(name string) (*Segment, error) {
	c, err := r.catalogue()
	if err != nil {
		return nil, err
	}
	if s := c.segments[foldCode(name)]; s != nil {
		return s.clone(), nil
	}
	return nil, c.unknownSegment(name)
}

// Segments returns all saved filters by name.
func (r *Reader) Segments() ([]*Segment, error) {
	c, err := r.catalogue()
	if err != nil {
		return nil, err
	}
	all := make([]*Segment, 0, len(c.segments))
	for _, s := range c.segments {
		all = append(all, s.clone())
	}
	slices.SortFunc(all, func(a, b *Segment) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

// SaveSegment stores a filter under a name, in the place of the one that has the name:
// then s.Version must be the one that it had when it was read, or the error wraps
// ErrConflict; for a new one it is 0. The filter must be in order, as for a query, and a
// segment that would use itself is refused with ErrCycle.
func (tx *Tx) SaveSegment(s Segment) (*Segment, error) {
	const op = "save segment"
	saved := s.clone()
	if err := saved.check(op); err != nil {
		return nil, err
	}
	c, err := tx.defineWith(customer.RightTag)
	if err != nil {
		return nil, err
	}
	key := foldCode(saved.Name)
	old := c.segments[key]
	switch {
	case old == nil && s.Version != 0:
		return nil, c.unknownSegment(s.Name)
	case old == nil && len(c.segments) >= maxSegments:
		return nil, tooMany(op, "segments", maxSegments)
	case old != nil && old.Version != s.Version:
		return nil, stale(op, s.Name, s.Version, old.Version)
	case old != nil:
		saved.Name, saved.rest = old.Name, old.rest
	}
	if err := tx.tryOut(key, saved); err != nil {
		return nil, err
	}
	return tx.putSegment(key, saved)
}

// check brings a segment's name and filter into the form in which they are stored.
func (s *Segment) check(op string) (err error) {
	if s.Name, err = cleanCode(op, "Name", s.Name); err != nil {
		return err
	}
	e, err := filter.Parse(s.Filter)
	if err != nil {
		return err
	}
	s.Filter, s.rest = e.String(), ""
	return checkShown(op, s.Names, s.Description, "")
}

// tryOut plans a query that uses the segment, as if it were stored.
func (tx *Tx) tryOut(key string, s *Segment) error {
	old, had := tx.cat.segments[key]
	tx.cat.segments[key] = s
	_, err := tx.plan(Query{Expr: filter.Segment(s.Name)}, 1)
	if err == nil {
		return nil
	}
	if delete(tx.cat.segments, key); had {
		tx.cat.segments[key] = old
	}
	return err
}

func (tx *Tx) putSegment(key string, s *Segment) (*Segment, error) {
	action := Updated
	if s.Version == 0 {
		action = Created
	}
	if err := tx.store.segment.Put(tx.tx, s.Name, s, uint8(action)); err != nil {
		return nil, err
	}
	// A new one goes on where a removed one of its name ended.
	s, err := tx.store.segment.Get(tx.storage, s.Name)
	if err != nil {
		return nil, err
	}
	tx.cat.segments[key] = s
	return s.clone(), nil
}

// RemoveSegment removes a saved filter; its versions stay. One that another segment uses
// is refused with ErrInUse.
func (tx *Tx) RemoveSegment(name string) error {
	const op = "remove segment"
	c, err := tx.defineWith(customer.RightTag)
	if err != nil {
		return err
	}
	key := foldCode(name)
	s := c.segments[key]
	if s == nil {
		return c.unknownSegment(name)
	}
	for _, other := range c.segments {
		e, err := filter.Parse(other.Filter)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(filter.Segments(e), func(used string) bool { return foldCode(used) == key }) {
			return &Error{Op: op, Field: "Name", Value: s.Name, Problem: "is used by the segment " + other.Name, Remedy: "change that one first", Err: ErrInUse}
		}
	}
	delete(c.segments, key)
	return tx.store.segment.Delete(tx.tx, s.Name, uint8(Removed))
}
