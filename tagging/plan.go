package tagging

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/tagging/filter"
)

// plan is a query ready to be evaluated once.
type plan struct {
	root node
	ev   *evaluation
	from uint64 // the first chunk that is asked for
}

// planner turns a filter's terms into nodes.
type planner struct {
	reader *Reader
	cat    *catalogue
	one    bool   // for a single customer: read its records rather than sets
	text   string // of the query's filter, when it was given as text

	inside []string // the segments around the present term, outermost first
	terms  int
	status bool // the filter names the status
	marks  int  // sets that will be read at a time
	late   *late
	fields map[string]*customer.Field
}

// plan makes a query's plan. The first chunks that its nodes read are so many.
func (r *Reader) plan(q Query, first int) (*plan, error) {
	p, err := r.planner(q)
	if err != nil {
		return nil, err
	}
	root, err := p.query(q)
	if err != nil {
		return nil, err
	}
	return &plan{root: root, ev: p.evaluation(first)}, nil
}

func (r *Reader) planner(q Query) (*planner, error) {
	cat, err := r.catalogue()
	if err != nil {
		return nil, err
	}
	p := &planner{reader: r, cat: cat, fields: map[string]*customer.Field{}}
	if q.Expr == nil {
		p.text = q.Filter
	}
	return p, nil
}

func (p *planner) evaluation(first int) *evaluation {
	return &evaluation{reader: p.reader, first: first, budget: min(maxKept/max(p.marks, 1)+1, keptBuffer/2), until: lastChunk}
}

// query joins the filter with the scope and the statuses that are asked for.
func (p *planner) query(q Query) (node, error) {
	e, err := q.expr()
	if err != nil {
		return nil, err
	}
	asked, err := p.node(e)
	if err != nil {
		return nil, err
	}
	statuses := q.Statuses
	switch {
	case len(statuses) > 0:
	case p.status:
		statuses = customer.AllStatuses()
	default:
		statuses = []customer.Status{customer.Active, customer.Suspended}
	}
	names := make([]string, len(statuses))
	for i, s := range statuses {
		names[i] = s.String()
	}
	members, err := p.node(filter.Is("status", names...))
	if err != nil {
		return nil, err
	}
	return allOf([]node{p.scope(), asked, members}), nil
}

// scope is the condition that the session may see a customer.
func (p *planner) scope() node {
	access := p.reader.customers.Access()
	if access == nil {
		return everything{}
	}
	within := access.Within()
	if within == nil {
		return everything{}
	}
	return &source{within, p.one, "the session's scope"}
}

// unmasked joins a condition on a field that is known by other means than a record with
// the one that the session sees that field.
func (p *planner) unmasked(field string, n node) node {
	access := p.reader.customers.Access()
	if !customer.MayHide(access, field) {
		return n
	}
	return allOf([]node{n, &source{access.WithinUnmasked(field), p.one, "whose " + field + " the session sees"}})
}

func (p *planner) node(e filter.Expr) (node, error) {
	switch e := e.(type) {
	case filter.And:
		members, err := p.nodes(e)
		return allOf(members), err
	case filter.Or:
		members, err := p.nodes(e)
		return anyOf(members), err
	case filter.Not:
		x, err := p.node(e.X)
		if err != nil {
			return nil, err
		}
		return not(x), nil
	}
	t := e.(filter.Term) // Check lets nothing else through
	n, err := p.term(t)
	if err != nil {
		return nil, p.at(t, err)
	}
	return n, nil
}

func (p *planner) nodes(members []filter.Expr) ([]node, error) {
	nodes := make([]node, len(members))
	for i, m := range members {
		var err error
		if nodes[i], err = p.node(m); err != nil {
			return nil, err
		}
	}
	return nodes, nil
}

func (p *planner) term(t filter.Term) (node, error) {
	if p.terms++; p.terms > filter.MaxTerms {
		return nil, &Error{Op: "filter", Problem: fmt.Sprintf("has more than %d terms, those of its segments included", filter.MaxTerms), Remedy: "use fewer segments", Err: filter.ErrTooLong}
	}
	if t.Op == filter.OpSegment {
		return p.segment(t.Values[0])
	}
	if t.Op == filter.OpMissing {
		has := t
		has.Op = filter.OpHas
		x, err := p.term(has)
		if err != nil {
			return nil, err
		}
		return not(x), nil
	}
	if d := p.cat.byCode[t.Field]; d != nil {
		return p.dimension(d, t)
	}
	f, err := p.field(t.Field)
	if err != nil {
		return nil, err
	}
	return p.fieldTerm(f, t)
}

// segment puts a saved filter in the place of its name.
func (p *planner) segment(name string) (node, error) {
	folded := foldCode(name)
	saved := p.cat.segments[folded]
	if saved == nil {
		return nil, p.cat.unknownSegment(name)
	}
	if slices.Contains(p.inside, folded) {
		return nil, &Error{Op: "filter", Field: "Segment", Value: name, Problem: "uses itself: " + strings.Join(append(p.inside, folded), " -> "), Err: ErrCycle}
	}
	e, err := filter.Parse(saved.Filter)
	if err != nil {
		return nil, err
	}
	p.inside = append(p.inside, folded)
	defer func() { p.inside = p.inside[:len(p.inside)-1] }()
	return p.node(e)
}

func (c *catalogue) unknownSegment(name string) error {
	var names []string
	for _, s := range c.segments {
		names = append(names, s.Name)
	}
	return &Error{Op: "filter", Field: "Segment", Value: shorten(name), Code: customer.CodeUnknown, Remedy: suggest(name, names), Err: ErrUnknownSegment}
}

// dimension is a term about tags.
func (p *planner) dimension(d *Dimension, t filter.Term) (node, error) {
	var sources []TagID
	switch t.Op {
	case filter.OpHas:
		sources = p.cat.anySources(nil, d.ID, p.reader.now)
		return p.tags(d, sources, func(t *Tagged) bool { return len(t.In(d.ID)) > 0 }, t.String())
	case filter.OpRange:
		tags, err := p.ranked(d, t)
		if err != nil {
			return nil, err
		}
		for _, tag := range tags {
			sources = p.cat.sources(sources, tag, p.reader.now)
		}
	default:
		for _, code := range t.Values {
			tag := p.cat.tag(d.ID, code)
			switch {
			case tag == nil:
				return nil, p.cat.unknownTag("filter", d, code)
			case t.Op == filter.OpIs:
				sources = p.cat.sources(sources, tag, p.reader.now)
			default:
				for below := range p.cat.subtree(tag) {
					sources = p.cat.sources(sources, below, p.reader.now)
				}
			}
		}
	}
	slices.Sort(sources)
	return p.tags(d, slices.Compact(sources), hasOneOf(sources), t.String())
}

// hasOneOf reports whether a customer holds one of some tags.
func hasOneOf(sources []TagID) func(*Tagged) bool {
	return func(t *Tagged) bool {
		for a := range t.Held() {
			if slices.Contains(sources, a.Tag) {
				return true
			}
		}
		return false
	}
}

// ranked returns the tags of an ordered dimension between a term's bounds.
func (p *planner) ranked(d *Dimension, t filter.Term) ([]*Tag, error) {
	if !d.Ordered {
		return nil, &Error{Op: "filter", Field: "Dimension", Value: d.Code, Code: customer.CodeMalformed, Problem: "is not ordered, so it has no ranges", Remedy: fmt.Sprintf("list the tags: %s:(a|b)", d.Code), Err: ErrInvalid}
	}
	inside := func(*Tag) bool { return true }
	for i, b := range []filter.Bound{t.From, t.To} {
		if b.IsOpen() {
			continue
		}
		bound := p.cat.tag(d.ID, b.Value)
		if bound == nil {
			return nil, p.cat.unknownTag("filter", d, b.Value)
		}
		before := inside
		inside = func(tag *Tag) bool {
			above := tag.Rank - bound.Rank
			if i == 1 {
				above = -above
			}
			return before(tag) && (above > 0 || above == 0 && !b.Exclusive)
		}
	}
	var tags []*Tag
	for tag := range p.cat.allTags(d.ID) {
		if inside(tag) {
			tags = append(tags, tag)
		}
	}
	return tags, nil
}

// field finds a field of customers.
func (p *planner) field(name string) (*customer.Field, error) {
	if f := p.fields[name]; f != nil {
		return f, nil
	}
	f, err := p.reader.customers.Field(name)
	if err != nil {
		return nil, p.unknownField(name, err)
	}
	p.fields[name] = &f
	return &f, nil
}

// unknownField suggests a dimension or field that may have been meant.
func (p *planner) unknownField(name string, err error) error {
	fields, more := p.reader.customers.Fields()
	if more != nil {
		return more
	}
	known := slices.Collect(maps.Keys(p.cat.byCode))
	for i := range fields {
		known = append(known, fields[i].Name)
	}
	return &Error{Op: "filter", Field: "Dimension", Value: shorten(name), Code: customer.CodeUnknown,
		Problem: "is neither a dimension nor a field of customers", Remedy: suggest(name, known), Err: fmt.Errorf("%w: %w", ErrUnknownDimension, err)}
}

// fieldTerm is a term about customers themselves.
func (p *planner) fieldTerm(f *customer.Field, t filter.Term) (node, error) {
	p.status = p.status || f.Name == "status"
	var nodes []node
	switch t.Op {
	case filter.OpHas:
		nodes = append(nodes, p.keys(f, f.All(), t.String()))
	case filter.OpRange:
		keys, err := f.Between(customer.Bound(t.From), customer.Bound(t.To))
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, p.keys(f, keys, t.String()))
	case filter.OpIs:
		for _, value := range t.Values {
			keys, err := f.Is(value)
			if err != nil {
				return nil, err
			}
			nodes = append(nodes, p.keys(f, keys, f.Name+":"+value))
		}
	default:
		return nil, &Error{Op: "filter", Field: "Field", Value: f.Name, Code: customer.CodeMalformed, Problem: "has no tree, so nothing is below its values", Remedy: "leave /* out", Err: ErrInvalid}
	}
	return anyOf(nodes), nil
}

// keys finds customers by keys of a field.
func (p *planner) keys(f *customer.Field, keys customer.Keys, label string) node {
	switch {
	case keys.Empty():
		return nothing{}
	case f.Source == customer.FromRecords || p.one:
		return &recorded{meets: []func(*customer.Customer) bool{func(c *customer.Customer) bool { return f.Match(c, keys) }}, labels: []string{label}}
	case f.Source == customer.FromIndex:
		return &set{make: entriesOf(f, keys), label: label + ", from its index"}
	case len(keys.Exact) == 0:
		return p.unmasked(f.Name, &set{make: marksOf(p.allMarks(), keys.Range), label: label + ", from all its sets"})
	}
	nodes := make([]node, len(keys.Exact))
	for i, key := range keys.Exact {
		p.marks++
		nodes[i] = &marks{bitmap: p.allMarks(), key: key, label: label}
	}
	return p.unmasked(f.Name, anyOf(nodes))
}

// allMarks are the sets of the whole book; what the session may not see is taken away by
// scope and unmasked.
func (p *planner) allMarks() storage.AnyBitmap { return customer.Unscoped(p.reader.customers).Marks() }

// tags finds the customers that the tag bitmap has under some of a dimension's keys.
// Matches tells of a customer whose marks are overdue whether it is one of them.
func (p *planner) tags(d *Dimension, keys []TagID, matches func(*Tagged) bool, label string) (node, error) {
	switch {
	case len(keys) == 0:
		return nothing{}, nil
	case p.one:
		return p.unmasked(tagField, &assigned{matches, label}), nil
	}
	found := &union{label: label}
	for _, tag := range keys {
		p.marks++
		found.sets = append(found.sets, &marks{bitmap: p.reader.store.held, key: heldKey(nil, d.ID, tag), label: label})
	}
	late, err := p.overdue()
	if err != nil {
		return nil, err
	}
	if len(late.tagged) > 0 {
		return p.unmasked(tagField, late.correct(found, matches)), nil
	}
	if len(keys) == 1 {
		return p.unmasked(tagField, found.sets[0]), nil
	}
	return p.unmasked(tagField, found), nil
}
