package tagging

import (
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/bitset"
	"github.com/clientele-go/clientele/storage/kv"
)

// define prepares a change of a definition: the catalogue becomes the transaction's
// own, under a new edition. It takes the right to administer tags.
func (tx *Tx) define() (*catalogue, error) { return tx.defineWith(customer.RightAdminister) }

// defineWith is define that takes another right.
func (tx *Tx) defineWith(right customer.Right) (*catalogue, error) {
	if err := tx.customers.PermitAll(right, customer.Tags); err != nil {
		return nil, err
	}
	c, err := tx.catalogue()
	if err != nil {
		return nil, err
	}
	if !tx.own {
		c, tx.own = c.clone(), true
		tx.cat = c
	}
	rand.Read(c.edition[:]) // never fails
	return c, tx.store.edition.Put(tx.tx, editionKey, &c.edition, 0)
}

// CreateDimension stores a new dimension and returns it with its id. It fails with
// ErrExists when the code is taken.
func (tx *Tx) CreateDimension(d Dimension) (*Dimension, error) {
	const op = "create dimension"
	if err := d.check(op); err != nil {
		return nil, err
	}
	c, err := tx.define()
	if err != nil {
		return nil, err
	}
	if c.byCode[d.Code] != nil {
		return nil, &Error{Op: op, Field: "Code", Value: d.Code, Code: customer.CodeRepeated, Err: ErrExists}
	}
	if len(c.dimensions) >= maxDimensions {
		return nil, tooMany(op, "dimensions", maxDimensions)
	}
	id, err := tx.store.dimensionIDs.Next(tx.tx, nil)
	if err != nil {
		return nil, err
	}
	made := d.clone()
	made.ID, made.unsettled, made.rest = DimensionID(id), false, ""
	return tx.putDimension(made, 0, Created)
}

func tooMany(op, what string, limit int) error {
	return &Error{Op: op, Problem: fmt.Sprintf("the book has %d %s, the most it can have", limit, what), Err: storage.ErrLimit}
}

func (tx *Tx) putDimension(d *Dimension, after uint64, action Action) (*Dimension, error) {
	session := tx.tx.Session()
	d.Version, d.Recorded, d.Actor, d.Reason = after+1, tx.now, session.Actor, session.Reason
	if err := tx.store.dimension.Put(tx.tx, d.ID, d, uint8(action)); err != nil {
		return nil, err
	}
	tx.cat.putDimension(d)
	return d.clone(), nil
}

// UpdateDimension stores a changed dimension; d is what a Reader returned, with
// changes. It fails with ErrConflict when the book has a newer version. The code can't
// be changed. A dimension becomes exclusive, and stops being a tree, only when its
// tags fit already (ErrInUse). What follows from RuleWins, and from Exclusive where it
// is taken back, reaches the customers by [Store.Settle].
func (tx *Tx) UpdateDimension(d *Dimension) (*Dimension, error) {
	const op = "update dimension"
	if err := d.check(op); err != nil {
		return nil, err
	}
	c, err := tx.define()
	if err != nil {
		return nil, err
	}
	old := c.dimensions[d.ID]
	switch {
	case old == nil:
		return nil, &Error{Op: op, Field: "ID", Value: fmt.Sprint(uint64(d.ID)), Err: ErrUnknownDimension}
	case old.Version != d.Version:
		return nil, stale(op, d.Code, d.Version, old.Version)
	case old.Code != d.Code:
		return nil, invalid(op, "Code", d.Code, customer.CodeManaged, "can't be changed, since filters name it", "retire the dimension and create another")
	}
	if err := tx.fits(op, old, d); err != nil {
		return nil, err
	}
	next := d.clone()
	next.rest = old.rest
	next.unsettled = old.unsettled || old.RuleWins != d.RuleWins || old.Exclusive && !d.Exclusive
	return tx.putDimension(next, old.Version, Updated)
}

func stale(op, value string, read, present uint64) error {
	return &Error{Op: op, Value: value, Problem: fmt.Sprintf("is at version %d, the change was made from version %d", present, read), Remedy: "read it again", Err: ErrConflict}
}

// fits reports whether the tags and assignments are as the next version demands.
func (tx *Tx) fits(op string, old, next *Dimension) error {
	if old.Tree && !next.Tree {
		for t := range tx.cat.allTags(old.ID) {
			if t.Parent != 0 {
				return &Error{Op: op, Field: "Tree", Value: t.Code, Problem: "has a parent", Remedy: "move all tags to the top first", Err: ErrInUse}
			}
		}
	}
	if next.Exclusive && !old.Exclusive {
		return tx.holdOne(op, old)
	}
	return nil
}

// holdOne reports a customer that holds two tags of a dimension.
func (tx *Tx) holdOne(op string, d *Dimension) error {
	seen, tag := &bitset.Set{}, &bitset.Chunk{}
	prefix := storage.Key(nil).Uint(uint64(d.ID))
	return tx.store.held.Scan(tx.storage, kv.Prefix(prefix), func(key storage.Key, chunk uint64, stored []byte) error {
		n, _, err := key[len(prefix):].CutUint()
		if err != nil || TagID(n) == anyTag {
			return err
		}
		tag.Clear()
		if err := tag.OrStored(stored); err != nil {
			return err
		}
		all := seen.Own(chunk)
		if both := all.AndLen(tag); both > 0 && tx.customers.Access() != nil {
			return &Error{Op: op, Field: "Exclusive", Value: d.Code, Problem: "customers hold two of its tags", Remedy: "see the hygiene report for them", Err: ErrInUse}
		} else if both > 0 {
			return &Error{Op: op, Field: "Exclusive", Value: d.Code, Problem: fmt.Sprintf("%d or more customers hold two of its tags", both), Remedy: "see the hygiene report for them", Err: ErrInUse}
		}
		all.Or(tag)
		return nil
	})
}

// RetireDimension ends new assignments of a dimension's tags; those that exist stay.
func (tx *Tx) RetireDimension(id DimensionID) (*Dimension, error) {
	d, err := tx.DimensionByID(id)
	if err != nil || d.Retired {
		return d, err
	}
	d.Retired = true
	return tx.UpdateDimension(d)
}

// CreateTag stores a new tag of the dimension t.Dimension and returns it with its id.
// A tag of an ordered dimension without a rank comes after the others. It fails with
// ErrExists when another tag of the dimension has the code or an alias.
func (tx *Tx) CreateTag(t Tag) (*Tag, error) {
	const op = "create tag"
	made := t.clone()
	if err := made.check(op); err != nil {
		return nil, err
	}
	c, err := tx.define()
	if err != nil {
		return nil, err
	}
	d := c.dimensions[t.Dimension]
	switch {
	case d == nil:
		return nil, &Error{Op: op, Field: "Dimension", Value: fmt.Sprint(uint64(t.Dimension)), Err: ErrUnknownDimension}
	case d.Retired:
		return nil, &Error{Op: op, Field: "Dimension", Value: d.Code, Err: ErrRetired}
	case len(c.tags) >= maxTags:
		return nil, tooMany(op, "tags", maxTags)
	}
	id, err := tx.store.tagIDs.Next(tx.tx, nil)
	if err != nil {
		return nil, err
	}
	made.ID, made.MergedInto, made.unsettled, made.rest = TagID(id), 0, false, ""
	if d.Ordered && made.Rank == 0 {
		made.Rank = c.highestRank(d.ID) + 1
	}
	if err := c.place(op, d, made); err != nil {
		return nil, err
	}
	return tx.putTag(made, 0, Created)
}

func (c *catalogue) highestRank(d DimensionID) int {
	highest := 0
	for t := range c.allTags(d) {
		highest = max(highest, t.Rank)
	}
	return highest
}

// place checks a tag against the others: its codes and its parent.
func (c *catalogue) place(op string, d *Dimension, t *Tag) error {
	for i, code := range append([]string{t.Code}, t.Aliases...) {
		field := "Code"
		if i > 0 {
			field = fmt.Sprintf("Aliases[%d]", i-1)
		}
		if other := c.byTagCode[tagCodeKey{d.ID, foldCode(code)}]; other != nil && other.ID != t.ID {
			return &Error{Op: op, Field: field, Value: d.Code + ":" + code, Code: customer.CodeRepeated, Problem: "belongs to the tag " + other.Code, Err: ErrExists}
		}
	}
	if t.Parent == 0 {
		return nil
	}
	parent := c.tags[t.Parent]
	switch {
	case !d.Tree:
		return invalid(op, "Parent", d.Code, customer.CodeMalformed, "the dimension is no tree", "leave the parent out")
	case parent == nil || parent.Dimension != d.ID || parent.MergedInto != 0:
		return &Error{Op: op, Field: "Parent", Value: fmt.Sprint(uint64(t.Parent)), Problem: "is no tag of the dimension " + d.Code, Err: ErrUnknownTag}
	case c.isBelow(parent, t):
		return &Error{Op: op, Field: "Parent", Value: parent.Code, Problem: "is the tag itself, or below it", Err: ErrCycle}
	case c.depth(parent)+c.height(t) > maxDepth:
		return &Error{Op: op, Field: "Parent", Value: parent.Code, Problem: fmt.Sprintf("the tree would have more than %d levels", maxDepth), Err: storage.ErrLimit}
	}
	return nil
}

// depth is the level that a tag is on, from 1.
func (c *catalogue) depth(t *Tag) int {
	depth := 1
	for range c.ancestors(t) {
		depth++
	}
	return depth
}

// height is the number of levels of a tag's subtree.
func (c *catalogue) height(t *Tag) int {
	height := 0
	for _, child := range c.ofParent[t.ID] {
		height = max(height, c.height(child))
	}
	return height + 1
}

func (tx *Tx) putTag(t *Tag, after uint64, action Action) (*Tag, error) {
	session := tx.tx.Session()
	t.Version, t.Recorded, t.Actor, t.Reason = after+1, tx.now, session.Actor, session.Reason
	if err := tx.store.tag.Put(tx.tx, t.ID, t, uint8(action)); err != nil {
		return nil, err
	}
	tx.cat.putTag(t)
	return t.clone(), nil
}

// tagForChange returns a tag's present version and its dimension.
func (c *catalogue) tagForChange(op string, id TagID, version uint64) (*Tag, *Dimension, error) {
	t := c.tags[id]
	switch {
	case t == nil:
		return nil, nil, &Error{Op: op, Field: "ID", Value: fmt.Sprint(uint64(id)), Err: ErrUnknownTag}
	case t.MergedInto != 0:
		return nil, nil, &Error{Op: op, Field: "ID", Value: t.Code, Problem: "was merged into " + c.survivor(t).Code, Err: ErrRetired}
	case version != 0 && version != t.Version:
		return nil, nil, stale(op, t.Code, version, t.Version)
	}
	return t, c.dimensions[t.Dimension], nil
}

// UpdateTag stores a changed tag; t is what a Reader returned, with changes. It fails
// with ErrConflict when the book has a newer version, and as CreateTag and MoveTag do.
// The dimension can't be changed; a former code stays as an alias. An earlier Until reaches the customers by
// [Store.Settle]; until then the tag counts as ended for all; a later one does not
// lengthen assignments that exist.
func (tx *Tx) UpdateTag(t *Tag) (*Tag, error) {
	const op = "update tag"
	next := t.clone()
	if err := next.check(op); err != nil {
		return nil, err
	}
	c, err := tx.define()
	if err != nil {
		return nil, err
	}
	old, d, err := c.tagForChange(op, t.ID, max(t.Version, 1))
	if err != nil {
		return nil, err
	}
	if t.Dimension != old.Dimension {
		return nil, invalid(op, "Dimension", fmt.Sprint(uint64(t.Dimension)), customer.CodeManaged, "can't be changed", "create a tag in the other dimension")
	}
	next.keepCode(old)
	if err := c.place(op, d, next); err != nil {
		return nil, err
	}
	next.MergedInto, next.rest = 0, old.rest
	next.unsettled = old.unsettled || endsSooner(next.Until, old.Until)
	return tx.putTag(next, old.Version, Updated)
}

// keepCode makes the code of a former version an alias, since filters name it.
func (t *Tag) keepCode(old *Tag) {
	for _, code := range append([]string{t.Code}, t.Aliases...) {
		if foldCode(code) == foldCode(old.Code) {
			return
		}
	}
	t.Aliases = append(t.Aliases, old.Code)
}

// endsSooner compares ends, of which zero is never.
func endsSooner(a, b time.Time) bool { return !a.IsZero() && (b.IsZero() || a.Before(b)) }

// MoveTag puts a tag, with all below it, under another parent, or at the top for 0. It
// costs one small record, however many customers there are. It fails with ErrCycle when
// the parent is below the tag.
func (tx *Tx) MoveTag(id, parent TagID) (*Tag, error) {
	return tx.amendTag("move tag", id, func(t *Tag) { t.Parent = parent })
}

// RetireTag ends new assignments of a tag; those that exist stay.
func (tx *Tx) RetireTag(id TagID) (*Tag, error) {
	return tx.amendTag("retire tag", id, func(t *Tag) { t.Retired = true })
}

// amendTag changes the present version of a tag, whichever it is.
func (tx *Tx) amendTag(op string, id TagID, amend func(*Tag)) (*Tag, error) {
	c, err := tx.define()
	if err != nil {
		return nil, err
	}
	old, d, err := c.tagForChange(op, id, 0)
	if err != nil {
		return nil, err
	}
	next := old.clone()
	amend(next)
	if err := c.place(op, d, next); err != nil {
		return nil, err
	}
	return tx.putTag(next, old.Version, Updated)
}

// MergeTag makes one tag stand for another of the same dimension: from then on its code
// finds the other, its children are the other's, and its assignments count as the
// other's. [Store.Settle] rewrites them, which queries need not wait for; only denials
// take effect by it: those of the merged tag lapse, those of the other count for what
// rules and imports said of the merged one. It fails with ErrCycle when the other is below
// it.
func (tx *Tx) MergeTag(id, into TagID) (*Tag, error) {
	const op = "merge tag"
	c, err := tx.define()
	if err != nil {
		return nil, err
	}
	t, d, err := c.tagForChange(op, id, 0)
	if err != nil {
		return nil, err
	}
	other, _, err := c.tagForChange(op, into, 0)
	switch {
	case err != nil:
		return nil, err
	case other.Dimension != t.Dimension:
		return nil, invalid(op, "Into", other.Code, customer.CodeMalformed, "is of another dimension than "+d.Code+":"+t.Code, "name a tag of the same dimension")
	case c.isBelow(other, t):
		return nil, &Error{Op: op, Field: "Into", Value: other.Code, Problem: "is the tag itself, or below it", Remedy: "move it out first", Err: ErrCycle}
	}
	children := slices.Clone(c.ofParent[id])
	for i, child := range children {
		children[i] = child.clone()
		children[i].Parent = into
		if err := c.place(op, d, children[i]); err != nil {
			return nil, err
		}
	}
	for _, moved := range children {
		if _, err := tx.putTag(moved, moved.Version, Updated); err != nil {
			return nil, err
		}
	}
	merged := t.clone()
	merged.MergedInto, merged.Parent, merged.unsettled = into, 0, true
	if _, err := tx.putTag(merged, t.Version, Updated); err != nil {
		return nil, err
	}
	return other.clone(), nil
}

// Dimensions returns all dimensions by code.
func (r *Reader) Dimensions() ([]*Dimension, error) {
	c, err := r.catalogue()
	if err != nil {
		return nil, err
	}
	all := make([]*Dimension, 0, len(c.dimensions))
	for _, d := range c.dimensions {
		all = append(all, d.clone())
	}
	slices.SortFunc(all, func(a, b *Dimension) int { return strings.Compare(a.Code, b.Code) })
	return all, nil
}

// Tags returns the tags of a dimension, without those merged away: parents before
// children, siblings by rank and code.
func (r *Reader) Tags(dimension string) ([]*Tag, error) {
	d, err := r.dimension("list tags", dimension)
	if err != nil {
		return nil, err
	}
	var all []*Tag
	for t := range r.cat.allTags(d.ID) {
		all = append(all, t.clone())
	}
	return all, nil
}

// Path returns a tag and its ancestors, the tag first.
func (r *Reader) Path(id TagID) ([]*Tag, error) {
	t, err := r.TagByID(id)
	if err != nil {
		return nil, err
	}
	path := []*Tag{t}
	for a := range r.cat.ancestors(t) {
		path = append(path, a.clone())
	}
	return path, nil
}
