package classify

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/tagging"
	"github.com/clientele-go/clientele/tagging/filter"
)

// matcher tells whether a filter matches one customer, given its record and tags. It
// agrees with the queries of package tagging, but works on any version of a record.
type matcher func(l *loading) bool

// whereReads is what a filter looks at.
type whereReads struct {
	mask       uint64   // of sources
	dimensions []string // codes
	segments   []string
}

// matcherOf compiles a filter.
type matcherOf struct {
	*binding
	reads  whereReads
	inside []string // segments around the present term
}

func (m *matcherOf) expr(e filter.Expr) (matcher, error) {
	switch e := e.(type) {
	case filter.And:
		return m.join(e, false)
	case filter.Or:
		return m.join(e, true)
	case filter.Not:
		x, err := m.expr(e.X)
		return func(l *loading) bool { return !x(l) }, err
	case filter.Term:
		return m.term(e)
	}
	return nil, fmt.Errorf("classify: a filter can't have a %T", e)
}

// join matches when one member does, or when all do.
func (m *matcherOf) join(members []filter.Expr, one bool) (matcher, error) {
	list := make([]matcher, len(members))
	for i, e := range members {
		var err error
		if list[i], err = m.expr(e); err != nil {
			return nil, err
		}
	}
	return func(l *loading) bool {
		for _, x := range list {
			if x(l) == one {
				return one
			}
		}
		return !one
	}, nil
}

func (m *matcherOf) term(t filter.Term) (matcher, error) {
	switch t.Op {
	case filter.OpSegment:
		return m.segment(t.Values[0])
	case filter.OpMissing:
		t.Op = filter.OpHas
		has, err := m.term(t)
		return func(l *loading) bool { return !has(l) }, err
	}
	d, err := m.tags.Dimension(t.Field)
	if err == nil {
		return m.dimension(d, t)
	}
	if _, declared := m.declared[t.Field]; declared {
		return nil, fmt.Errorf("the dimension %s does not exist yet; use tag.%s in the condition instead", t.Field, t.Field)
	}
	if !errors.Is(err, tagging.ErrUnknownDimension) {
		return nil, err
	}
	f, err := m.customers.Field(t.Field)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", tagging.ErrUnknownDimension, err)
	}
	m.reads.mask |= 1 << sourceCustomer
	return fieldMatcher(&f, t)
}

// segment compiles a saved filter in the place of its name.
func (m *matcherOf) segment(name string) (matcher, error) {
	s, err := m.tags.Segment(name)
	if err != nil {
		return nil, err
	}
	if slices.Contains(m.inside, s.Name) {
		return nil, fmt.Errorf("%w: segment %s uses itself", tagging.ErrCycle, s.Name)
	}
	e, err := filter.Parse(s.Filter)
	if err != nil {
		return nil, err
	}
	m.reads.segments = append(m.reads.segments, s.Name)
	m.inside = append(m.inside, s.Name)
	defer func() { m.inside = m.inside[:len(m.inside)-1] }()
	return m.expr(e)
}

// dimension compiles a term about tags to a set of tags.
func (m *matcherOf) dimension(d *tagging.Dimension, t filter.Term) (matcher, error) {
	m.reads.mask |= 1 << sourceTag
	m.reads.dimensions = append(m.reads.dimensions, d.Code)
	if t.Op == filter.OpHas {
		return func(l *loading) bool {
			for a := range l.tagged.Held() {
				if a.Dimension == d.ID {
					return true
				}
			}
			return false
		}, nil
	}
	tags, err := m.tagsOf(d, t)
	if err != nil {
		return nil, err
	}
	return func(l *loading) bool {
		for a := range l.tagged.Held() {
			if tags[a.Tag] {
				return true
			}
		}
		return false
	}, nil
}

func (m *matcherOf) tagsOf(d *tagging.Dimension, t filter.Term) (map[tagging.TagID]bool, error) {
	tags := map[tagging.TagID]bool{}
	all, err := m.tags.Tags(d.Code)
	if err != nil {
		return nil, err
	}
	if t.Op == filter.OpRange {
		return m.ranked(d, t, all)
	}
	for _, code := range t.Values {
		tag, err := m.tags.Tag(d.Code, code)
		if err != nil {
			return nil, err
		}
		tags[tag.ID] = true
	}
	if t.Op == filter.OpUnder {
		for _, tag := range all { // parents come first
			tags[tag.ID] = tags[tag.ID] || tags[tag.Parent]
		}
	}
	return tags, nil
}

func (m *matcherOf) ranked(d *tagging.Dimension, t filter.Term, all []*tagging.Tag) (map[tagging.TagID]bool, error) {
	if !d.Ordered {
		return nil, fmt.Errorf("%w: the dimension %s is not ordered, so it has no ranges", tagging.ErrInvalid, d.Code)
	}
	tags := map[tagging.TagID]bool{}
	for _, tag := range all {
		tags[tag.ID] = true
	}
	for i, b := range []filter.Bound{t.From, t.To} {
		if b.IsOpen() {
			continue
		}
		bound, err := m.tags.Tag(d.Code, b.Value)
		if err != nil {
			return nil, err
		}
		for _, tag := range all {
			above := tag.Rank - bound.Rank
			if i == 1 {
				above = -above
			}
			tags[tag.ID] = tags[tag.ID] && (above > 0 || above == 0 && !b.Exclusive)
		}
	}
	return tags, nil
}

// fieldMatcher compiles a term about the customer's own fields.
func fieldMatcher(f *customer.Field, t filter.Term) (matcher, error) {
	var wanted []customer.Keys
	switch t.Op {
	case filter.OpHas:
		wanted = append(wanted, f.All())
	case filter.OpRange:
		keys, err := f.Between(customer.Bound(t.From), customer.Bound(t.To))
		if err != nil {
			return nil, err
		}
		wanted = append(wanted, keys)
	case filter.OpIs:
		for _, value := range t.Values {
			keys, err := f.Is(value)
			if err != nil {
				return nil, err
			}
			wanted = append(wanted, keys)
		}
	default:
		return nil, fmt.Errorf("the field %s has no tree; leave /* out", f.Name)
	}
	return func(l *loading) bool {
		return slices.ContainsFunc(wanted, func(keys customer.Keys) bool { return f.Match(l.record, keys) })
	}, nil
}

// where compiles a rule's filter.
func (b *binding) where(text string) (matcher, whereReads, error) {
	if strings.TrimSpace(text) == "" {
		return nil, whereReads{}, nil
	}
	e, err := filter.Parse(text)
	if err != nil {
		return nil, whereReads{}, err
	}
	m := &matcherOf{binding: b}
	matches, err := m.expr(e)
	return matches, m.reads, err
}
