package tagging

import (
	"cmp"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/clientele-go/clientele/internal/text"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
)

// edition names one state of all definitions: dimensions, tags and segments. Every
// change of one of them writes a new name, so that what was computed for an edition is
// good whenever the book is at that edition.
type edition [16]byte

func appendEdition(dst []byte, e *edition) ([]byte, error) { return append(dst, e[:]...), nil }

func decodeEdition(src string, _ uint64, _ storage.Meta) (*edition, error) {
	var e edition
	copy(e[:], src)
	return &e, nil
}

// catalogue is all definitions of one edition, in memory. It is never changed once
// others can see it.
type catalogue struct {
	edition    edition
	dimensions map[DimensionID]*Dimension
	byCode     map[string]*Dimension
	tags       map[TagID]*Tag
	byTagCode  map[tagCodeKey]*Tag // aliases too
	ofParent   map[TagID][]*Tag    // below a tag, in order of rank and code
	ofRoot     map[DimensionID][]*Tag
	merged     map[TagID][]*Tag // the tags that were merged into one
	segments   map[string]*Segment
}

type tagCodeKey struct {
	dimension DimensionID
	code      string // folded
}

func newCatalogue() *catalogue {
	return &catalogue{
		dimensions: map[DimensionID]*Dimension{}, byCode: map[string]*Dimension{},
		tags: map[TagID]*Tag{}, byTagCode: map[tagCodeKey]*Tag{},
		ofParent: map[TagID][]*Tag{}, ofRoot: map[DimensionID][]*Tag{}, merged: map[TagID][]*Tag{},
		segments: map[string]*Segment{},
	}
}

// readCatalogue reads all definitions; some microseconds each.
func (t *tables) readCatalogue(r *storage.Reader, e edition) (*catalogue, error) {
	c := newCatalogue()
	c.edition = e
	for d, err := range t.dimension.Records(r, kv.Range{}, false) {
		if err != nil {
			return nil, err
		}
		c.putDimension(d)
	}
	for tag, err := range t.tag.Records(r, kv.Range{}, false) {
		if err != nil {
			return nil, err
		}
		c.link(tag)
	}
	c.sort()
	for s, err := range t.segment.Records(r, kv.Range{}, false) {
		if err != nil {
			return nil, err
		}
		c.segments[foldCode(s.Name)] = s
	}
	return c, nil
}

// clone returns a catalogue that a transaction may change.
func (c *catalogue) clone() *catalogue {
	return &catalogue{
		edition:    c.edition,
		dimensions: maps.Clone(c.dimensions), byCode: maps.Clone(c.byCode),
		tags: maps.Clone(c.tags), byTagCode: maps.Clone(c.byTagCode),
		ofParent: cloneLists(c.ofParent), ofRoot: cloneLists(c.ofRoot), merged: cloneLists(c.merged),
		segments: maps.Clone(c.segments),
	}
}

func cloneLists[K comparable](lists map[K][]*Tag) map[K][]*Tag {
	c := make(map[K][]*Tag, len(lists))
	for k, list := range lists {
		c[k] = slices.Clone(list)
	}
	return c
}

func (c *catalogue) putDimension(d *Dimension) {
	c.dimensions[d.ID], c.byCode[d.Code] = d, d
}

// putTag adds a tag or puts it in the place of its former version.
func (c *catalogue) putTag(t *Tag) {
	if old := c.tags[t.ID]; old != nil {
		c.unlink(old)
	}
	c.link(t)
	list := c.siblings(t)
	last := len(list) - 1
	at, _ := slices.BinarySearchFunc(list[:last], t, bySibling)
	copy(list[at+1:], list[at:last])
	list[at] = t
}

// link adds a tag, last among its siblings.
func (c *catalogue) link(t *Tag) {
	c.tags[t.ID] = t
	c.byTagCode[tagCodeKey{t.Dimension, foldCode(t.Code)}] = t
	for _, alias := range t.Aliases {
		c.byTagCode[tagCodeKey{t.Dimension, foldCode(alias)}] = t
	}
	switch {
	case t.MergedInto != 0:
		c.merged[t.MergedInto] = append(c.merged[t.MergedInto], t)
	case t.Parent != 0:
		c.ofParent[t.Parent] = append(c.ofParent[t.Parent], t)
	default:
		c.ofRoot[t.Dimension] = append(c.ofRoot[t.Dimension], t)
	}
}

func (c *catalogue) unlink(t *Tag) {
	delete(c.tags, t.ID)
	delete(c.byTagCode, tagCodeKey{t.Dimension, foldCode(t.Code)})
	for _, alias := range t.Aliases {
		delete(c.byTagCode, tagCodeKey{t.Dimension, foldCode(alias)})
	}
	drop := func(list []*Tag) []*Tag {
		return slices.DeleteFunc(list, func(o *Tag) bool { return o.ID == t.ID })
	}
	switch {
	case t.MergedInto != 0:
		c.merged[t.MergedInto] = drop(c.merged[t.MergedInto])
	case t.Parent != 0:
		c.ofParent[t.Parent] = drop(c.ofParent[t.Parent])
	default:
		c.ofRoot[t.Dimension] = drop(c.ofRoot[t.Dimension])
	}
}

func (c *catalogue) siblings(t *Tag) []*Tag {
	switch {
	case t.MergedInto != 0:
		return c.merged[t.MergedInto]
	case t.Parent != 0:
		return c.ofParent[t.Parent]
	}
	return c.ofRoot[t.Dimension]
}

func (c *catalogue) sort() {
	for _, list := range c.ofParent {
		slices.SortFunc(list, bySibling)
	}
	for _, list := range c.ofRoot {
		slices.SortFunc(list, bySibling)
	}
	for _, list := range c.merged {
		slices.SortFunc(list, bySibling)
	}
}

// bySibling is the order in which tags of one parent are shown.
func bySibling(a, b *Tag) int {
	return cmp.Or(cmp.Compare(a.Rank, b.Rank), strings.Compare(a.Code, b.Code))
}

// tag returns the tag with a code or alias in a dimension; for a merged one the tag
// that it stands for.
func (c *catalogue) tag(d DimensionID, code string) *Tag {
	return c.survivor(c.byTagCode[tagCodeKey{d, foldCode(code)}])
}

// survivor follows merges.
func (c *catalogue) survivor(t *Tag) *Tag {
	for t != nil && t.MergedInto != 0 {
		t = c.tags[t.MergedInto]
	}
	return t
}

// allTags yields a dimension's tags that were not merged away, parents before
// children, siblings by rank and code.
func (c *catalogue) allTags(d DimensionID) iter.Seq[*Tag] {
	return func(yield func(*Tag) bool) {
		for _, root := range c.ofRoot[d] {
			if !c.walk(root, yield) {
				return
			}
		}
	}
}

// subtree yields a tag and all below it.
func (c *catalogue) subtree(t *Tag) iter.Seq[*Tag] {
	return func(yield func(*Tag) bool) { c.walk(t, yield) }
}

func (c *catalogue) walk(t *Tag, yield func(*Tag) bool) bool {
	if !yield(t) {
		return false
	}
	for _, child := range c.ofParent[t.ID] {
		if !c.walk(child, yield) {
			return false
		}
	}
	return true
}

// ancestors yields the parent of a tag, the parent's parent and so on.
func (c *catalogue) ancestors(t *Tag) iter.Seq[*Tag] {
	return func(yield func(*Tag) bool) {
		for t = c.tags[t.Parent]; t != nil; t = c.tags[t.Parent] {
			if !yield(t) {
				return
			}
		}
	}
}

// isBelow reports whether t is root or anywhere below it.
func (c *catalogue) isBelow(t, root *Tag) bool {
	if t.ID == root.ID {
		return true
	}
	for a := range c.ancestors(t) {
		if a.ID == root.ID {
			return true
		}
	}
	return false
}

// sources appends the tags under whose bitmap keys the holders of a tag are: itself and
// those merged into it, and none after its end.
func (c *catalogue) sources(dst []TagID, t *Tag, now time.Time) []TagID {
	if t.lapsed(now) {
		return dst
	}
	return c.addMerged(append(dst, t.ID), t)
}

func (c *catalogue) addMerged(dst []TagID, t *Tag) []TagID {
	for _, m := range c.merged[t.ID] {
		if m.unsettled {
			dst = append(dst, m.ID)
		}
		dst = c.addMerged(dst, m)
	}
	return dst
}

// anySources appends the bitmap keys whose union are the holders of any tag of a
// dimension: usually the one that is kept for that.
func (c *catalogue) anySources(dst []TagID, d DimensionID, now time.Time) []TagID {
	ended := func(t *Tag) bool { return t.unsettled && t.lapsed(now) }
	exact := true
	for t := range c.allTags(d) {
		exact = exact && !ended(t)
	}
	if exact {
		return append(dst, anyTag)
	}
	for t := range c.allTags(d) {
		dst = c.sources(dst, t, now)
	}
	return dst
}

// foldCode is how codes are compared: letter case, width, accents and traditional or
// simplified script do not count, but every sign does: AA and AA- differ.
func foldCode(code string) string {
	var b strings.Builder
	start := -1
	flush := func(end int) {
		if start >= 0 {
			b.WriteString(text.Fold(code[start:end]))
			start = -1
		}
	}
	for i, c := range code {
		if isSign(c) || !isCodeRune(c) {
			flush(i)
			b.WriteRune(c)
		} else if start < 0 {
			start = i
		}
	}
	flush(len(code))
	return b.String()
}
