package tagging

import (
	"fmt"
	"slices"
	"time"

	"github.com/clientele-go/clientele/customer"
)

// RuleTags is what one rule set says of a customer; see [Tx.SetRuleTags].
type RuleTags struct {
	RuleSet     string
	Assignments []Assignment
}

// SetAllRuleTags is [Tx.SetRuleTags] for several rule sets in one write. A tag that was
// retired since the rule set gave it stays.
func (tx *Tx) SetAllRuleTags(id customer.ID, sets []RuleTags) (bool, error) {
	e, err := tx.beginLive("set rule tags", id)
	if err != nil {
		return false, err
	}
	if err := e.suppose(sets); err != nil {
		return false, err
	}
	_, changed, err := tx.finish(e, Updated)
	return changed, err
}

// Suppose returns what a customer's assignments would be at an instant if rule sets said
// what is given. Nothing is written.
func (r *Reader) Suppose(t *Tagged, at time.Time, sets []RuleTags) (*Tagged, error) {
	c, err := r.catalogue()
	if err != nil {
		return nil, err
	}
	e := &edit{op: "suppose", cat: c, id: t.ID, now: at, list: c.settle(t.Assignments, at)}
	if err := e.suppose(sets); err != nil {
		return nil, err
	}
	return &Tagged{ID: t.ID, Version: t.Version, Assignments: c.settle(e.list, at)}, nil
}

// Edition names the present state of dimensions, tags and segments: what was computed
// from them is good as long as it stays. It costs one read.
func (r *Reader) Edition() ([16]byte, error) {
	c, err := r.catalogue()
	if err != nil {
		return [16]byte{}, err
	}
	return c.edition, nil
}

// suppose exchanges what rule sets say.
func (e *edit) suppose(sets []RuleTags) error {
	for _, set := range sets {
		if set.RuleSet == "" || len(set.RuleSet) > maxReason {
			return &Error{Op: e.op, Customer: e.id, Field: "RuleSet", Value: shorten(set.RuleSet), Code: customer.CodeRequired, Problem: "is no name", Err: ErrInvalid}
		}
		former := map[TagID]Assignment{}
		e.list = slices.DeleteFunc(e.list, func(a Assignment) bool {
			mine := a.Origin == Rule && a.RuleSet == set.RuleSet
			if mine {
				former[a.Tag] = a
			}
			return mine
		})
		for i, a := range set.Assignments {
			if e.keepRetired(a.Tag, former) {
				continue
			}
			if err := e.putRule(i, set.RuleSet, a, former); err != nil {
				return fmt.Errorf("rule set %s: %w", set.RuleSet, err)
			}
		}
	}
	return nil
}

// keepRetired keeps what a rule set said of a tag that was retired since.
func (e *edit) keepRetired(id TagID, former map[TagID]Assignment) bool {
	tag := e.cat.survivor(e.cat.tags[id])
	if tag == nil || !tag.Retired && !e.cat.dimensions[tag.Dimension].Retired {
		return false
	}
	old, had := former[tag.ID]
	if had {
		e.list = append(e.list, old)
	}
	return had
}
