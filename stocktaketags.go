package clientele

import (
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/customer/stocktake"
	"github.com/clientele-go/clientele/storage/bitset"
	"github.com/clientele-go/clientele/tagging"
	"github.com/clientele-go/clientele/tagging/filter"
)

// pastTags are tags and filters as counts ask for them: of the present by sets, of the
// past by the history of one customer after another. Tags are named, and stand in their
// trees, as they do now.
type pastTags struct {
	tags      *tagging.Reader
	customers *customer.Reader
	stands    map[tagging.TagID]tagging.TagID // which tag stands for one that was merged
	last      held                            // of the customer that was asked for last
}

// held is all versions of a customer's tags.
type held struct {
	id       customer.ID
	versions []*tagging.Tagged
}

func newPastTags(tags *tagging.Reader, customers *customer.Reader) *pastTags {
	return &pastTags{tags: tags, customers: customers, stands: map[tagging.TagID]tagging.TagID{}}
}

// Table implements [stocktake.Tags].
func (t *pastTags) Table() uint8 { return tagging.TableTagged }

// maxSegments bounds how deep segments stand in segments; the book keeps them from going
// in circles.
const maxSegments = 100

// Expand implements [stocktake.Tags].
func (t *pastTags) Expand(text string) (string, []string, error) {
	e, err := filter.Parse(text)
	for range maxSegments {
		if err != nil || len(filter.Segments(e)) == 0 {
			break
		}
		e, err = filter.Rewrite(e, t.withoutSegment)
	}
	if err != nil {
		return "", nil, err
	}
	if _, err := t.tags.Plan(tagging.Query{Expr: e}); err != nil {
		return "", nil, err
	}
	var fields []string
	for _, field := range filter.Fields(e) {
		switch _, err := t.tags.Dimension(field); {
		case err == nil:
			field = "tag"
		case !isUnknownDimension(err):
			return "", nil, err
		}
		fields = append(fields, field)
	}
	return e.String(), fields, nil
}

func isUnknownDimension(err error) bool {
	return errors.Is(err, customer.ErrNotFound) || errors.Is(err, tagging.ErrUnknownDimension)
}

func (t *pastTags) withoutSegment(e filter.Expr) (filter.Expr, error) {
	term, ok := e.(filter.Term)
	if !ok || term.Op != filter.OpSegment {
		return e, nil
	}
	saved, err := t.tags.Segment(term.Values[0])
	if err != nil {
		return nil, err
	}
	return filter.Parse(saved.Filter)
}

// Set implements [stocktake.Tags].
func (t *pastTags) Set(text string) (*bitset.Set, error) {
	return t.tags.Set(tagging.Query{Filter: text, Statuses: customer.AllStatuses()})
}

// Match implements [stocktake.Tags].
func (t *pastTags) Match(text string) (func(stocktake.Past) (bool, error), error) {
	e, err := filter.Parse(text)
	if err != nil {
		return nil, err
	}
	return t.matcher(e)
}

type matcher = func(stocktake.Past) (bool, error)

func (t *pastTags) matcher(e filter.Expr) (matcher, error) {
	switch e := e.(type) {
	case filter.And:
		return t.every(e, true)
	case filter.Or:
		return t.every(e, false)
	case filter.Not:
		x, err := t.matcher(e.X)
		return not(x), err
	case filter.Term:
		return t.term(e)
	}
	return nil, fmt.Errorf("clientele: filter of type %T", e)
}

func not(x matcher) matcher {
	return func(p stocktake.Past) (bool, error) {
		yes, err := x(p)
		return !yes, err
	}
}

// every matches when all members do, or with and false when any does.
func (t *pastTags) every(members []filter.Expr, and bool) (matcher, error) {
	list := make([]matcher, len(members))
	for i, m := range members {
		var err error
		if list[i], err = t.matcher(m); err != nil {
			return nil, err
		}
	}
	return func(p stocktake.Past) (bool, error) {
		for _, x := range list {
			if yes, err := x(p); err != nil || yes != and {
				return yes, err
			}
		}
		return and, nil
	}, nil
}

func (t *pastTags) term(term filter.Term) (matcher, error) {
	if term.Op == filter.OpMissing {
		term.Op = filter.OpHas
		x, err := t.term(term)
		return not(x), err
	}
	d, err := t.tags.Dimension(term.Field)
	if err == nil {
		return t.tagTerm(d, term)
	}
	if !isUnknownDimension(err) {
		return nil, err
	}
	f, err := t.customers.Field(term.Field)
	if err != nil {
		return nil, err
	}
	var keys []customer.Keys
	switch term.Op {
	case filter.OpHas:
		keys = append(keys, f.All())
	case filter.OpRange:
		between, err := f.Between(customer.Bound(term.From), customer.Bound(term.To))
		if err != nil {
			return nil, err
		}
		keys = append(keys, between)
	default:
		for _, value := range term.Values {
			is, err := f.Is(value)
			if err != nil {
				return nil, err
			}
			keys = append(keys, is)
		}
	}
	return func(p stocktake.Past) (bool, error) {
		return slices.ContainsFunc(keys, func(k customer.Keys) bool { return !k.Empty() && f.Match(p.Customer, k) }), nil
	}, nil
}

// tagTerm matches holders of tags of a dimension.
func (t *pastTags) tagTerm(d *tagging.Dimension, term filter.Term) (matcher, error) {
	wanted, err := t.wanted(d, term)
	if err != nil {
		return nil, err
	}
	return func(p stocktake.Past) (bool, error) {
		for tag, err := range t.held(p, d.ID) {
			if err != nil || wanted == nil || wanted[tag] {
				return err == nil, err
			}
		}
		return false, nil
	}, nil
}

// wanted is the tags that a term asks for, nil for any.
func (t *pastTags) wanted(d *tagging.Dimension, term filter.Term) (map[tagging.TagID]bool, error) {
	if term.Op == filter.OpHas {
		return nil, nil
	}
	wanted := map[tagging.TagID]bool{}
	for _, code := range term.Values {
		tag, err := t.tags.Tag(d.Code, code)
		if err != nil {
			return nil, err
		}
		wanted[tag.ID] = true
	}
	all, err := t.tags.Tags(d.Code)
	if err != nil {
		return nil, err
	}
	switch term.Op {
	case filter.OpUnder:
		for _, tag := range all { // parents come before children
			wanted[tag.ID] = wanted[tag.ID] || wanted[tag.Parent]
		}
	case filter.OpRange:
		inside, err := t.ranks(d, term)
		if err != nil {
			return nil, err
		}
		for _, tag := range all {
			wanted[tag.ID] = inside(tag.Rank)
		}
	}
	return wanted, nil
}

// ranks tells which ranks are between a term's bounds.
func (t *pastTags) ranks(d *tagging.Dimension, term filter.Term) (func(int) bool, error) {
	type bound struct {
		rank      int
		exclusive bool
	}
	var ends [2]*bound
	for i, b := range []filter.Bound{term.From, term.To} {
		if b.IsOpen() {
			continue
		}
		tag, err := t.tags.Tag(d.Code, b.Value)
		if err != nil {
			return nil, err
		}
		ends[i] = &bound{tag.Rank, b.Exclusive}
	}
	return func(rank int) bool {
		from, to := ends[0], ends[1]
		return (from == nil || rank > from.rank || rank == from.rank && !from.exclusive) &&
			(to == nil || rank < to.rank || rank == to.rank && !to.exclusive)
	}, nil
}

// held yields the tags of a dimension that a customer held as it was, some more than once.
func (t *pastTags) held(p stocktake.Past, d tagging.DimensionID) iter.Seq2[tagging.TagID, error] {
	return func(yield func(tagging.TagID, error) bool) {
		version, err := t.version(p)
		if err != nil {
			yield(0, err)
			return
		}
		if version == nil {
			return
		}
		for a := range version.Held() {
			if a.Dimension != d {
				continue
			}
			tag, err := t.standing(a.Tag)
			if !yield(tag, err) || err != nil {
				return
			}
		}
	}
}

// version is a customer's tags as they were, nil for none.
func (t *pastTags) version(p stocktake.Past) (*tagging.Tagged, error) {
	if p.Tags == 0 {
		return nil, nil
	}
	if t.last.id != p.Customer.ID || t.last.versions == nil {
		versions, err := t.tags.History(p.Customer.ID)
		if err != nil && !errors.Is(err, customer.ErrNotFound) {
			return nil, err
		}
		t.last = held{p.Customer.ID, versions}
	}
	var found *tagging.Tagged
	for _, v := range t.last.versions {
		if v.Version <= p.Tags {
			found = v
		}
	}
	return found, nil
}

// standing is the tag that stands for one, itself unless it was merged.
func (t *pastTags) standing(id tagging.TagID) (tagging.TagID, error) {
	if to, known := t.stands[id]; known {
		return to, nil
	}
	to := id
	for {
		tag, err := t.tags.TagByID(to)
		if err != nil {
			return 0, err
		}
		if tag.MergedInto == 0 {
			break
		}
		to = tag.MergedInto
	}
	t.stands[id] = to
	return to, nil
}

// Dimension implements [stocktake.Tags].
func (t *pastTags) Dimension(code string) (stocktake.TagAxis, error) {
	d, err := t.tags.Dimension(code)
	if err != nil {
		return nil, err
	}
	tags, err := t.tags.Tags(code)
	if err != nil {
		return nil, err
	}
	x := &tagAxis{pastTags: t, dimension: d, tags: tags, place: map[tagging.TagID]int{}, sets: make([]*bitset.Set, len(tags))}
	for i, tag := range tags {
		x.place[tag.ID] = i
	}
	return x, nil
}

// tagAxis is a dimension as counts ask for it.
type tagAxis struct {
	*pastTags
	dimension *tagging.Dimension
	tags      []*tagging.Tag
	place     map[tagging.TagID]int
	sets      []*bitset.Set // of the tags' holders, read when they are asked for
}

// Title implements [stocktake.TagAxis].
func (x *tagAxis) Title() customer.Names { return orCode(x.dimension.Names, x.dimension.Code) }

func orCode(names customer.Names, code string) customer.Names {
	if len(names) == 0 {
		return customer.Names{"en": code}
	}
	return names
}

// Many implements [stocktake.TagAxis].
func (x *tagAxis) Many() bool { return !x.dimension.Exclusive }

// Tags implements [stocktake.TagAxis].
func (x *tagAxis) Tags() (keys []string, labels []customer.Names) {
	for _, tag := range x.tags {
		keys, labels = append(keys, tag.Code), append(labels, orCode(tag.Names, tag.Code))
	}
	return keys, labels
}

// Add implements [stocktake.TagAxis].
func (x *tagAxis) Add(tag int, chunk uint64, to *bitset.Chunk) error {
	if x.sets[tag] == nil {
		var err error
		q := tagging.Query{Expr: filter.Is(x.dimension.Code, x.tags[tag].Code), Statuses: customer.AllStatuses()}
		if x.sets[tag], err = x.pastTags.tags.Set(q); err != nil {
			return err
		}
	}
	if members := x.sets[tag].Chunk(chunk); members != nil {
		to.Or(members)
	}
	return nil
}

// Of implements [stocktake.TagAxis].
func (x *tagAxis) Of(p stocktake.Past) ([]int, error) {
	var places []int
	for tag, err := range x.held(p, x.dimension.ID) {
		if err != nil {
			return nil, err
		}
		if i, found := x.place[tag]; found && !slices.Contains(places, i) {
			places = append(places, i)
		}
	}
	return places, nil
}
