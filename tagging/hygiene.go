package tagging

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage/bitset"
)

// HygieneOptions set what a hygiene report holds against a book's tags. The zero value
// works.
type HygieneOptions struct {
	Query Query // whom the report is about

	// Overlap is the share of customers that two tags have in common, of those that have
	// either, from which they are reported: 0 to 1; 0 is 0.9.
	Overlap float64
	// MinHolders is how many customers each of two overlapping tags has at least; 0 is 10.
	MinHolders int
	// TagsEach is how many tags a customer may hold; 0 is 20.
	TagsEach int
	// List bounds every list of the report; 0 is 1,000.
	List int

	// Rules returns the rules that never fired; nil for none. The root
	// package's Session.Hygiene sets it.
	Rules func() ([]SilentRule, error)
}

// Hygiene is what could be tidied up in a book's tags.
type Hygiene struct {
	Customers    int64 // that the report is about
	NearlySame   []NearTags
	Unused       []*Tag // held by nobody, and not retired
	Overlapping  []Overlap
	Missing      []Missing // one for each dimension that is required
	OverTagged   []TagCount
	OverTaggedOf int64 // all that are over-tagged, also those beyond the list
	RetiredInUse []RetiredUse
	SilentRules  []SilentRule
	Truncated    bool // a list was too long, or there were too many pairs to compare
}

// Overlap is two tags that mostly the same customers hold (Jaccard 1912).
type Overlap struct {
	A, B         *Tag
	Both, Either int64 // customers
}

// Share is the share of Both in Either, 0 to 1.
func (o Overlap) Share() float64 { return float64(o.Both) / float64(max(o.Either, 1)) }

// Missing is a required dimension and the number of customers without a tag in it. The
// query missing:code yields them.
type Missing struct {
	Dimension *Dimension
	Customers int64
}

// TagCount is a customer and how many tags it holds.
type TagCount struct {
	ID   customer.ID
	Tags int
}

// RetiredUse is a retired tag, or one of a retired dimension, that customers hold.
type RetiredUse struct {
	Tag       *Tag
	Customers int64
}

// SilentRule is a rule that never gave anybody a tag.
type SilentRule struct {
	RuleSet, Rule string
	Version       uint64
	Evaluated     int64 // how often it was asked since the program began
}

// Hygiene reports what could be tidied up. It costs one pass over all tags' sets, and one
// more over those of tags that may overlap: a second or two for a million customers and
// a thousand tags.
func (r *Reader) Hygiene(opts HygieneOptions) (*Hygiene, error) {
	if err := opts.check(); err != nil {
		return nil, err
	}
	opts.Overlap = cmp.Or(opts.Overlap, 0.9)
	opts.MinHolders = cmp.Or(opts.MinHolders, 10)
	opts.TagsEach = cmp.Or(opts.TagsEach, 20)
	opts.List = cmp.Or(opts.List, 1000)
	s := &survey{reader: r, opts: opts, report: &Hygiene{}}
	if err := s.count(); err != nil {
		return nil, err
	}
	s.judge()
	if err := s.overlaps(); err != nil {
		return nil, err
	}
	near := nearTags(s.cat)
	s.report.NearlySame = limit(s, near)
	if opts.Rules != nil {
		rules, err := opts.Rules()
		if err != nil {
			return nil, err
		}
		s.report.SilentRules = limit(s, rules)
	}
	return s.report, nil
}

func (o *HygieneOptions) check() error {
	if !(o.Overlap >= 0 && o.Overlap <= 1) {
		return invalid("hygiene", "Overlap", fmt.Sprint(o.Overlap), customer.CodeMalformed, "is no share", "use 0 to 1")
	}
	for _, bound := range []struct {
		name  string
		value int
	}{{"MinHolders", o.MinHolders}, {"TagsEach", o.TagsEach}, {"List", o.List}} {
		if bound.value < 0 {
			return invalid("hygiene", bound.name, fmt.Sprint(bound.value), customer.CodeMalformed, "is negative", "leave it 0 for the usual")
		}
	}
	return nil
}

func limit[T any](s *survey, list []T) []T {
	if len(list) > s.opts.List {
		s.report.Truncated = true
		return list[:s.opts.List]
	}
	return list
}

// survey is a hygiene report being made.
type survey struct {
	reader *Reader
	cat    *catalogue
	opts   HygieneOptions
	report *Hygiene

	tags    []*Tag
	holders []int64
	shares  [][]int32 // by tag: holders in each chunk
	chunks  []uint64  // their numbers
}

// plan returns a plan of the query, and the conditions of some tags under it.
func (s *survey) plan(tags []*Tag) (*plan, []node, error) {
	p, err := s.reader.planner(s.opts.Query)
	if err != nil {
		return nil, nil, err
	}
	s.cat = p.cat
	root, err := p.query(s.opts.Query)
	if err != nil {
		return nil, nil, err
	}
	nodes := make([]node, len(tags))
	for i, t := range tags {
		keys := p.cat.sources(nil, t, s.reader.now)
		if nodes[i], err = p.tags(p.cat.dimensions[t.Dimension], keys, hasOneOf(keys), t.Code); err != nil {
			return nil, nil, err
		}
	}
	return &plan{root: root, ev: p.evaluation(block)}, nodes, nil
}

// required adds the conditions of the required dimensions' tags.
func (s *survey) required(p *planner) ([]node, error) {
	var nodes []node
	for _, d := range s.cat.dimensions {
		if !d.Required || d.Retired {
			continue
		}
		keys := s.cat.anySources(nil, d.ID, s.reader.now)
		n, err := p.tags(d, keys, func(t *Tagged) bool { return len(t.In(d.ID)) > 0 }, d.Code)
		if err != nil {
			return nil, err
		}
		s.report.Missing = append(s.report.Missing, Missing{Dimension: d.clone()})
		nodes = append(nodes, n)
	}
	return nodes, nil
}

// count passes over all tags' sets once.
func (s *survey) count() error {
	c, err := s.reader.catalogue()
	if err != nil {
		return err
	}
	for _, d := range sortedDimensions(c) {
		s.tags = slices.AppendSeq(s.tags, c.allTags(d.ID))
	}
	plan, nodes, err := s.plan(s.tags)
	if err != nil {
		return err
	}
	p, err := s.reader.planner(s.opts.Query)
	if err != nil {
		return err
	}
	required, err := s.required(p)
	if err != nil {
		return err
	}
	s.holders, s.shares = make([]int64, len(s.tags)), make([][]int32, len(s.tags))
	each := make([]uint16, bitset.ChunkSize)
	for c, err := range plan.chunks() {
		if err == nil {
			s.chunks = append(s.chunks, c.number)
			s.report.Customers += int64(c.members.Len())
			err = s.countTags(plan, nodes, c, each)
		}
		if err == nil {
			err = s.countMissing(plan, required, c)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// countTags counts the holders of each tag, and the tags of each customer of a chunk.
func (s *survey) countTags(plan *plan, nodes []node, c chunk, each []uint16) error {
	clear(each)
	var members bitset.Chunk
	for i, n := range nodes {
		members = *c.members
		if err := n.narrow(plan.ev, c.number, &members); err != nil {
			return err
		}
		size := members.Len()
		s.holders[i] += int64(size)
		s.shares[i] = append(s.shares[i], int32(size))
		if size > 0 {
			for low := range members.All() {
				each[low]++
			}
		}
	}
	for low := range c.members.All() {
		if n := int(each[low]); n > s.opts.TagsEach {
			s.report.OverTaggedOf++
			s.report.OverTagged = append(s.report.OverTagged, TagCount{c.id(low), n})
		}
	}
	s.keepMostTagged(2 * s.opts.List)
	return nil
}

// keepMostTagged bounds the list of over-tagged customers once it exceeds a length.
func (s *survey) keepMostTagged(beyond int) {
	if len(s.report.OverTagged) <= beyond {
		return
	}
	slices.SortFunc(s.report.OverTagged, func(a, b TagCount) int {
		return cmp.Or(cmp.Compare(b.Tags, a.Tags), cmp.Compare(a.ID, b.ID))
	})
	s.report.OverTagged = s.report.OverTagged[:min(len(s.report.OverTagged), s.opts.List)]
}

func (s *survey) countMissing(plan *plan, required []node, c chunk) error {
	var members bitset.Chunk
	for i, n := range required {
		members = *c.members
		if err := n.narrow(plan.ev, c.number, &members); err != nil {
			return err
		}
		s.report.Missing[i].Customers += int64(c.members.Len() - members.Len())
	}
	return nil
}

// judge draws from the counts what needs no more reading.
func (s *survey) judge() {
	var unused []*Tag
	var retired []RetiredUse
	for i, t := range s.tags {
		gone := t.Retired || s.cat.dimensions[t.Dimension].Retired
		switch {
		case s.holders[i] > 0 && gone:
			retired = append(retired, RetiredUse{t.clone(), s.holders[i]})
		case s.holders[i] == 0 && !gone && len(s.cat.ofParent[t.ID]) == 0:
			unused = append(unused, t.clone())
		}
	}
	s.report.Unused, s.report.RetiredInUse = limit(s, unused), limit(s, retired)
	s.keepMostTagged(0)
	s.report.Truncated = s.report.Truncated || s.report.OverTaggedOf > int64(len(s.report.OverTagged))
	slices.SortFunc(s.report.Missing, func(a, b Missing) int { return cmp.Compare(a.Dimension.Code, b.Dimension.Code) })
}

// maxPairs bounds the pairs of tags that are compared customer by customer.
const maxPairs = 100_000

// pair is two tags, by their place among those that are compared, and how many hold both.
type pair struct {
	a, b int
	both int64
}

// overlaps compares the tags that may have enough customers in common.
func (s *survey) overlaps() error {
	tags, pairs := s.candidates()
	if len(pairs) == 0 {
		return nil
	}
	chosen := make([]*Tag, len(tags))
	for i, t := range tags {
		chosen[i] = s.tags[t]
	}
	plan, nodes, err := s.plan(chosen)
	if err != nil {
		return err
	}
	members := make([]bitset.Chunk, len(nodes))
	for c, err := range plan.chunks() {
		if err != nil {
			return err
		}
		for i, n := range nodes {
			members[i] = *c.members
			if err := n.narrow(plan.ev, c.number, &members[i]); err != nil {
				return err
			}
		}
		for i := range pairs {
			pairs[i].both += int64(members[pairs[i].a].AndLen(&members[pairs[i].b]))
		}
	}
	var found []Overlap
	for _, p := range pairs {
		o := Overlap{chosen[p.a].clone(), chosen[p.b].clone(), p.both, s.holders[tags[p.a]] + s.holders[tags[p.b]] - p.both}
		if o.Share() >= s.opts.Overlap {
			found = append(found, o)
		}
	}
	slices.SortStableFunc(found, func(a, b Overlap) int { return cmp.Compare(b.Share(), a.Share()) })
	s.report.Overlapping = limit(s, found)
	return nil
}

// candidates returns the tags, and the pairs of them, whose counts by chunk leave room
// for the overlap that is asked for.
func (s *survey) candidates() (tags []int, pairs []pair) {
	var bySize []int
	for i := range s.tags {
		if s.holders[i] >= int64(s.opts.MinHolders) {
			bySize = append(bySize, i)
		}
	}
	slices.SortStableFunc(bySize, func(a, b int) int { return cmp.Compare(s.holders[a], s.holders[b]) })
	place := map[int]int{}
	placeOf := func(i int) int {
		at, known := place[i]
		if !known {
			at = len(tags)
			place[i] = at
			tags = append(tags, i)
		}
		return at
	}
	for n, i := range bySize {
		for _, j := range bySize[n+1:] {
			if float64(s.holders[i]) < s.opts.Overlap*float64(s.holders[j]) {
				break // and all larger ones
			}
			if !s.mayOverlap(i, j) {
				continue
			}
			if len(pairs) == maxPairs {
				s.report.Truncated = true
				return tags, pairs
			}
			pairs = append(pairs, pair{a: placeOf(i), b: placeOf(j)})
		}
	}
	return tags, pairs
}

// mayOverlap bounds what two tags have in common by their counts in each chunk.
func (s *survey) mayOverlap(i, j int) bool {
	a, b := s.tags[i], s.tags[j]
	if a.Dimension == b.Dimension && s.cat.dimensions[a.Dimension].Exclusive {
		return false
	}
	most := int64(0)
	for n := range s.shares[i] {
		most += int64(min(s.shares[i][n], s.shares[j][n]))
	}
	return float64(most) >= s.opts.Overlap*float64(s.holders[i]+s.holders[j]-most)
}

func sortedDimensions(c *catalogue) []*Dimension {
	var all []*Dimension
	for _, d := range c.dimensions {
		all = append(all, d)
	}
	slices.SortFunc(all, func(a, b *Dimension) int { return cmp.Compare(a.Code, b.Code) })
	return all
}
