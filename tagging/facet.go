package tagging

import (
	"fmt"
	"slices"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/internal/enum"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/bitset"
	"github.com/clientele-go/clientele/storage/kv"
)

// Axis is what customers are grouped by: a dimension, or a field of customers.
type Axis struct {
	Field string
	// Level rolls the tags of a tree up: with 1 a customer counts for the root that its
	// tag is below, with 2 for the tag one below the root, and so on. 0 counts each tag
	// by itself.
	Level int
	// Per is the length of a bucket of a field that is a date.
	Per Period
}

// Period is a length of time in the calendar, UTC.
type Period uint8

const (
	PerMonth Period = iota
	PerYear
	PerDay
)

var periodNames = enum.Names{"month", "year", "day"}

func (p Period) String() string { return periodNames.Of(uint8(p)) }

// MarshalText returns the lower-case English name.
func (p Period) MarshalText() ([]byte, error) {
	return periodNames.Marshal(uint8(p), "tagging", "period")
}

// UnmarshalText reads what MarshalText wrote.
func (p *Period) UnmarshalText(text []byte) error {
	return periodNames.Unmarshal(text, (*uint8)(p), "tagging", "period")
}

// of cuts a date to its period: 2026-03-31 to 2026-03.
func (p Period) of(date string) string {
	switch {
	case p == PerMonth && len(date) == len("2026-03-31"):
		return date[:7]
	case p == PerYear && len(date) == len("2026-03-31"):
		return date[:4]
	}
	return date
}

// Bucket is one group of customers.
type Bucket struct {
	Value string // the tag's code, or the field's value as filters write it
	Tag   TagID  // 0 for a field
	None  bool   // the customers in no other bucket
	Count int64  // customers, each once
}

// Facet is customers counted by one axis. A customer with several tags of a dimension
// counts in the bucket of each.
type Facet struct {
	Buckets []Bucket // in the order of the tags or values; the last is None
	Total   int64    // customers that the query matches, each once
}

// maxBuckets bounds the groups of one axis.
const maxBuckets = 10_000

// Facet counts the customers that a query matches by an axis. Tags come all, other values
// only when a matching customer has them. It
// costs about 1 µs for each bucket and 65,536 customers; of an attribute that is no Enum
// or Boolean, half a microsecond for each customer that has it. It fails with a *Error
// for a field that is not kept as sets or in an index, and for more than 10,000 buckets.
func (r *Reader) Facet(q Query, by Axis) (*Facet, error) {
	p, err := r.planner(q)
	if err != nil {
		return nil, err
	}
	if f, err := p.axisField(by); err != nil {
		return nil, err
	} else if f != nil && f.Source == customer.FromIndex {
		return r.indexFacet(q, f, by)
	}
	root, err := p.query(q)
	if err != nil {
		return nil, err
	}
	groups, err := p.groups(by)
	if err != nil {
		return nil, err
	}
	return facet(&plan{root: root, ev: p.evaluation(block)}, side{groups, p.disjoint(by)})
}

func facet(p *plan, by side) (*Facet, error) {
	counts, err := countShares(p.share(by), share.facet)
	if err != nil {
		return nil, err
	}
	all := counts[0]
	for _, more := range counts[1:] {
		all.Total += more.Total
		addCounts(all.Buckets, more.Buckets)
	}
	all.Buckets = withCustomers(all.Buckets)
	return all, nil
}

func addCounts(to, from []Bucket) {
	for i := range from {
		to[i].Count += from[i].Count
	}
}

// facet counts a share by its axis, with the buckets that nobody is in.
func (s share) facet() (*Facet, error) {
	by := s.axes[0]
	buckets, groups := bucketsOf(by.groups), countedOf(by)
	none := &buckets[len(groups)].Count
	total := int64(0)
	var rest, members bitset.Chunk
	for c, err := range s.chunks() {
		if err != nil {
			return nil, err
		}
		size := c.members.Len()
		total += int64(size)
		rest = *c.members
		for i := range groups {
			n, err := groups[i].in(s.ev, c, &members, &rest, by.disjoint)
			if err != nil {
				return nil, err
			}
			buckets[i].Count += int64(n)
			size -= n
		}
		if !by.disjoint {
			size = rest.Len()
		}
		*none += int64(size)
	}
	return &Facet{buckets, total}, nil
}

// in returns how many members of a chunk are in a group, and takes them from rest unless
// groups are disjoint, for what is in none follows from the sums then. Members is memory.
func (g *counted) in(ev *evaluation, c chunk, members, rest *bitset.Chunk, disjoint bool) (n int, err error) {
	if !g.plain {
		*members = *c.members
		err := g.node.narrow(ev, c.number, members)
		rest.AndNot(members)
		return members.Len(), err
	}
	for _, m := range g.sets {
		stored, err := m.stored(ev, c.number)
		if err != nil {
			return 0, err
		}
		if stored == nil {
			continue
		}
		in, err := c.members.AndLenStored(stored)
		if err == nil && !disjoint {
			err = rest.AndNotStored(stored)
		}
		if err != nil {
			return 0, err
		}
		n += in
	}
	return n, nil
}

// withCustomers leaves values out that no matching customer has: that others have them
// is not for everybody to know.
func withCustomers(buckets []Bucket) []Bucket {
	return slices.DeleteFunc(buckets, Bucket.isLeftOut)
}

func (b Bucket) isLeftOut() bool { return b.Count == 0 && b.Tag == 0 && !b.None }

// indexFacet counts by a field whose values are in an index, in one pass over it.
func (r *Reader) indexFacet(q Query, f *customer.Field, by Axis) (*Facet, error) {
	matching, err := r.Set(q)
	if err != nil {
		return nil, err
	}
	total := matching.Len()
	var buckets []Bucket
	none := total
	err = r.customers.Entries(f, f.All(), func(id customer.ID, key storage.Key) error {
		value, err := f.Value(key)
		if err != nil {
			return err
		}
		if f.Type == customer.Date {
			value = by.Per.of(value)
		}
		if !matching.Contains(uint64(id)) {
			return nil
		}
		if last := len(buckets) - 1; last < 0 || buckets[last].Value != value {
			buckets = append(buckets, Bucket{Value: value})
		}
		buckets[len(buckets)-1].Count++
		none--
		return by.fits(len(buckets))
	})
	if err != nil {
		return nil, err
	}
	return &Facet{append(buckets, Bucket{None: true, Count: none}), total}, nil
}

func (a Axis) fits(buckets int) error {
	if buckets <= maxBuckets {
		return nil
	}
	return &Error{Op: "group", Field: a.Field, Code: customer.CodeTooLong, Problem: fmt.Sprintf("has more than %d values", maxBuckets), Remedy: "group by a higher level or a longer period", Err: ErrInvalid}
}

// group is a bucket and who is in it.
type group struct {
	Bucket
	node node
}

func bucketsOf(groups []group) []Bucket {
	buckets := make([]Bucket, 0, len(groups)+1)
	for _, g := range groups {
		buckets = append(buckets, g.Bucket)
	}
	return append(buckets, Bucket{None: true})
}

// axisField returns the field of an axis, nil for a dimension.
func (p *planner) axisField(a Axis) (*customer.Field, error) {
	switch {
	case a.Level < 0:
		return nil, invalid("group", "Level", fmt.Sprint(a.Level), customer.CodeMalformed, "is no level", "use 0 for each tag by itself, or 1 for the roots")
	case a.Per > PerDay:
		return nil, invalid("group", "Per", a.Per.String(), customer.CodeMalformed, "is no period", "use PerDay, PerMonth or PerYear")
	}
	if p.cat.byCode[a.Field] != nil {
		return nil, nil
	}
	f, err := p.field(a.Field)
	if err == nil && f.Source == customer.FromRecords {
		err = &Error{Op: "group", Field: a.Field, Code: customer.CodeMalformed, Problem: "is only in the records", Remedy: "declare it as an indexed attribute", Err: ErrInvalid}
	}
	return f, err
}

// groups returns the groups of an axis.
func (p *planner) groups(a Axis) ([]group, error) {
	f, err := p.axisField(a)
	if err != nil {
		return nil, err
	}
	var groups []group
	if f == nil {
		groups, err = p.tagGroups(a)
	} else {
		groups, err = p.valueGroups(f, a)
	}
	if err != nil {
		return nil, err
	}
	return groups, a.fits(len(groups))
}

func (p *planner) tagGroups(a Axis) ([]group, error) {
	d := p.cat.byCode[a.Field]
	var heads []*Tag
	sources := map[TagID][]TagID{}
	for tag := range p.cat.allTags(d.ID) {
		head := p.cat.rollUp(tag, a.Level)
		if head == tag {
			heads = append(heads, tag)
		}
		sources[head.ID] = p.cat.sources(sources[head.ID], tag, p.reader.now)
	}
	groups := make([]group, len(heads))
	for i, head := range heads {
		keys := sources[head.ID]
		holders, err := p.tags(d, keys, hasOneOf(keys), d.Code+":"+head.Code)
		if err != nil {
			return nil, err
		}
		groups[i] = group{Bucket{Value: head.Code, Tag: head.ID}, holders}
	}
	return groups, nil
}

// rollUp returns the tag of a level that a tag is below, or the tag itself.
func (c *catalogue) rollUp(t *Tag, level int) *Tag {
	if level <= 0 {
		return t
	}
	line := []*Tag{t}
	for a := range c.ancestors(t) {
		line = append(line, a)
	}
	return line[max(0, len(line)-level)]
}

// valueGroups groups by a field whose values are kept as sets.
func (p *planner) valueGroups(f *customer.Field, a Axis) ([]group, error) {
	var groups []group
	var first, last storage.Key // of the period's keys
	end := func() {
		if n := len(groups); n > 0 && f.Type == customer.Date {
			p.endPeriod(&groups[n-1], f, first, last)
		}
	}
	err := p.allMarks().Scan(p.reader.storage, f.All().Range, func(key storage.Key, _ uint64, _ []byte) error {
		if string(key) == string(last) {
			return nil
		}
		value, err := f.Value(key)
		if err != nil {
			return err
		}
		if f.Type == customer.Date {
			value = a.Per.of(value)
		}
		key = slices.Clone(key)
		if n := len(groups); n == 0 || groups[n-1].Value != value {
			end()
			first = key
			groups = append(groups, group{Bucket{Value: value}, nil})
			if f.Type != customer.Date {
				groups[n].node = p.keys(f, customer.Keys{Exact: []storage.Key{key}}, f.Name+":"+value)
			}
		}
		last = key
		return a.fits(len(groups))
	})
	end()
	if f.Type == customer.Enum {
		slices.SortStableFunc(groups, func(a, b group) int {
			return slices.Index(f.Values, a.Value) - slices.Index(f.Values, b.Value)
		})
	}
	return groups, err
}

func (p *planner) endPeriod(g *group, f *customer.Field, first, last storage.Key) {
	g.node = p.keys(f, customer.Keys{Range: kv.Range{Lower: first, Upper: kv.Prefix(last).Upper}}, f.Name+":"+g.Value)
}
