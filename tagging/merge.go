package tagging

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/record"
)

// Combination is what a merge of two customers did to their tags, for its undoing. It
// belongs to the record of the merge: encode it with MarshalBinary, which leaves out
// Former and Combined. What the survivor is made of stands in a table of this package.
type Combination struct {
	Survivor, Loser customer.ID
	Former          []Assignment // the survivor's before
	Lost            []Assignment // the loser's before; it has none after
	Combined        []Assignment // the survivor's after
	Dropped         []Assignment // those of both that the exclusive dimensions left no room for
}

// MergeCustomers gives the survivor of a merge the tags of both customers and leaves the
// loser none. What both have of one source lasts as long as either, as the later tells
// it; of a denial and a person's assignment the later counts. In an exclusive dimension a person's word beats an import's, otherwise the later the earlier, and what
// is beaten is dropped; rules' tags yield as ever. Neither's status matters, but that it is
// not erased.
func (tx *Tx) MergeCustomers(survivor, loser customer.ID) (*Combination, error) {
	const op = "merge customers"
	if survivor == loser {
		return nil, &Error{Op: op, Customer: survivor, Problem: "is both survivor and loser", Err: ErrInvalid}
	}
	to, err := tx.beginKnown(op, survivor)
	if err != nil {
		return nil, err
	}
	from, err := tx.beginKnown(op, loser)
	if err != nil {
		return nil, err
	}
	done := &Combination{Survivor: survivor, Loser: loser, Former: slices.Clone(to.list), Lost: from.list}
	to.list, done.Dropped = tx.cat.combine(to.list, from.list)
	from.list = nil
	after, _, err := tx.finish(to, Combined)
	if err != nil {
		return nil, err
	}
	done.Combined = slices.Clone(after.Assignments)
	if _, _, err = tx.finish(from, Combined); err != nil {
		return nil, err
	}
	return done, tx.noteMerge(done)
}

// beginKnown is begin for a customer of any status but Erased: of those nothing is kept.
func (tx *Tx) beginKnown(op string, id customer.ID) (*edit, error) {
	e, err := tx.begin(op, customer.RightMerge, id)
	if err != nil {
		return nil, err
	}
	c, err := tx.customers.Exact(id)
	switch {
	case err != nil:
		return nil, missing(op, id, err)
	case c.Status == customer.Erased:
		return nil, &customer.StatusError{ID: id, Status: c.Status, Action: op}
	}
	return e, nil
}

// combine joins two lists, without what exclusive dimensions have no room for.
func (c *catalogue) combine(a, b []Assignment) (list, dropped []Assignment) {
	rivals := join(laterWord(slices.Concat(a, b)))
	list = slices.DeleteFunc(slices.Clone(rivals), func(x Assignment) bool { return c.isRival(&x) })
	rivals = slices.DeleteFunc(rivals, func(x Assignment) bool { return !c.isRival(&x) })
	slices.SortStableFunc(rivals, func(x, y Assignment) int {
		switch d := c.dimensions[x.Dimension]; {
		case x.Dimension != y.Dimension:
			return cmp.Compare(x.Dimension, y.Dimension)
		case d.beats(&x, &y):
			return -1
		case d.beats(&y, &x):
			return 1
		}
		return 0
	})
	for _, x := range rivals {
		beaten := slices.ContainsFunc(list, func(y Assignment) bool {
			return c.isRival(&y) && y.Dimension == x.Dimension && y.Tag != x.Tag && y.overlaps(&x)
		})
		if beaten {
			dropped = append(dropped, x)
		} else {
			list = append(list, x)
		}
	}
	return list, dropped
}

// isRival reports whether an assignment keeps others out of its dimension.
func (c *catalogue) isRival(a *Assignment) bool {
	return c.dimensions[a.Dimension].Exclusive && a.recorded() && a.State != Denied
}

// laterWord leaves, of denials and a person's assignments of the same tag, the later.
func laterWord(list []Assignment) []Assignment {
	type word struct {
		tag    TagID
		denied bool
	}
	latest := map[word]time.Time{}
	for _, a := range list {
		if w := (word{a.Tag, a.State == Denied}); a.Origin == Manual && a.Assigned.After(latest[w]) {
			latest[w] = a.Assigned
		}
	}
	return slices.DeleteFunc(slices.Clone(list), func(a Assignment) bool {
		return a.Origin == Manual && latest[word{a.Tag, a.State != Denied}].After(a.Assigned)
	})
}

// UnmergeCustomers undoes what MergeCustomers did, in any order with other merges into the
// survivor. The loser has again what it had. The survivor keeps its own, what those that
// are still merged brought, and every claim that was changed or removed since as it is
// now. What has ended since counts as ended. It costs a read for each of those still merged.
func (tx *Tx) UnmergeCustomers(done *Combination) error {
	const op = "unmerge customers"
	survivor, err := tx.beginKnown(op, done.Survivor)
	if err != nil {
		return err
	}
	loser, err := tx.beginKnown(op, done.Loser)
	if err != nil {
		return err
	}
	if err := tx.separate(survivor, done); err != nil {
		return err
	}
	loser.list = tx.cat.takeBack(loser.list, nil, done.Lost, tx.now)
	_, _, err = tx.finish(loser, Combined)
	return err
}

// takeBack makes every claim of a list what it was formerly, but those that are no longer
// as they were left. What has ended since, or was merged, counts as if it had been so then.
func (c *catalogue) takeBack(now, left, formerly []Assignment, at time.Time) []Assignment {
	left, formerly = c.settle(left, at), c.settle(formerly, at)
	var list []Assignment
	for _, a := range now {
		if !a.among(left) {
			list = append(list, a) // changed since
		}
	}
	changed := len(list)
	for _, a := range formerly {
		removed := hasClaim(left, a.claim()) && !hasClaim(now, a.claim())
		if !removed && !hasClaim(list[:changed], a.claim()) {
			list = append(list, a)
		}
	}
	list, _ = c.combine(list, nil)
	return list
}

func hasClaim(list []Assignment, c claim) bool {
	return slices.ContainsFunc(list, func(a Assignment) bool { return a.claim() == c })
}

// among reports whether a list has the assignment, whatever its state but a denial.
func (a Assignment) among(list []Assignment) bool {
	return slices.ContainsFunc(list, func(o Assignment) bool {
		if (o.State == Denied) == (a.State == Denied) {
			o.State = a.State
		}
		return o == a
	})
}

// The fields of a stored Combination. Former and Combined are read of merges from before
// there were lineages, whose undoing goes by them.
const (
	combinationSurvivor = 1
	combinationLoser    = 2
	combinationFormer   = 3
	combinationLost     = 4
	combinationCombined = 5
	combinationDropped  = 6
)

// MarshalBinary encodes a Combination for UnmarshalBinary of this or a later version.
func (c *Combination) MarshalBinary() ([]byte, error) {
	var w record.Writer
	w.Uint(combinationSurvivor, uint64(c.Survivor))
	w.Uint(combinationLoser, uint64(c.Loser))
	for field, list := range c.lists() {
		if field += combinationFormer; field == combinationLost || field == combinationDropped {
			mark := w.Begin(field)
			for i := range *list {
				appendAssignment(&w, &(*list)[i])
			}
			w.End(mark)
		}
	}
	return w.Buf, nil
}

// lists are the lists in the order of their fields.
func (c *Combination) lists() []*[]Assignment {
	return []*[]Assignment{&c.Former, &c.Lost, &c.Combined, &c.Dropped}
}

// UnmarshalBinary decodes what MarshalBinary encoded.
func (c *Combination) UnmarshalBinary(data []byte) error {
	*c = Combination{}
	r := record.NewReader(string(data))
	for r.Next() {
		switch field := r.Field(); field {
		case combinationSurvivor:
			c.Survivor = customer.ID(r.Uint())
		case combinationLoser:
			c.Loser = customer.ID(r.Uint())
		case combinationFormer, combinationLost, combinationCombined, combinationDropped:
			t, err := decodeTagged(r.String(), 0, storage.Meta{})
			if err != nil {
				r.Fail(err)
			} else if len(t.Assignments) > 0 {
				*c.lists()[field-combinationFormer] = t.Assignments
			}
		default:
			r.Skip()
		}
	}
	if r.Err() == nil && (c.Survivor == 0 || c.Loser == 0) {
		return errors.New("tagging: the bytes are no Combination: they name no customers")
	}
	if r.Err() != nil {
		return fmt.Errorf("tagging: decode a Combination: %w", r.Err())
	}
	return nil
}
