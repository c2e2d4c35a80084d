package tagging

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// claim identifies an assignment among a customer's: a later one of the same claim takes
// its place. A denial stands where a person's assignment of the tag would.
type claim struct {
	tag     TagID
	origin  Origin
	ruleSet string
}

func (a *Assignment) claim() claim { return claim{a.Tag, a.Origin, a.RuleSet} }

// recorded tells a claim that somebody made from one that a rule computed.
func (a *Assignment) recorded() bool { return a.Origin != Rule }

// overlaps reports whether there is an instant at which both hold.
func (a *Assignment) overlaps(b *Assignment) bool {
	return endsAfter(a.Until, b.From) && endsAfter(b.Until, a.From)
}

// endsAfter reports whether an end, of which zero is never, is after an instant.
func endsAfter(until, at time.Time) bool { return until.IsZero() || until.After(at) }

// settle returns the assignments as they are at an instant under the present
// definitions: those of merged tags are the other tag's, those that have ended are gone,
// those of one claim are joined, in canonical order, and each has its state. The same
// assignments always settle to the same, at whatever instants that was done before. It
// makes a new list.
func (c *catalogue) settle(assignments []Assignment, now time.Time) []Assignment {
	list := make([]Assignment, 0, len(assignments))
	for _, a := range assignments {
		if c.adopt(&a) {
			list = append(list, a)
		}
	}
	list = slices.DeleteFunc(join(list), func(a Assignment) bool { return !endsAfter(a.Until, now) })
	for i := range list {
		list[i].State = list[i].byItself(now)
	}
	overruleDenied(list)
	c.overruleExclusive(list)
	return list
}

// adopt brings an assignment in line with its tag's definition. It reports whether the
// assignment still says anything: the denial of a tag that was merged doesn't, since
// nobody denied the other.
func (c *catalogue) adopt(a *Assignment) bool {
	t := c.survivor(c.tags[a.Tag])
	if t == nil || a.State == Denied && t.ID != a.Tag {
		return false
	}
	a.Tag, a.Dimension = t.ID, t.Dimension
	if a.State != Denied && endsSooner(t.Until, a.Until) {
		a.Until = t.Until
	}
	return true
}

// join sorts the assignments and makes one of those of a claim whose times overlap or
// touch: it lasts as long as any of them, and tells what the latest told. A claim is no
// denial when one of them is none.
func join(list []Assignment) []Assignment {
	slices.SortFunc(list, func(a, b Assignment) int {
		return cmp.Or(
			cmp.Compare(a.Dimension, b.Dimension), cmp.Compare(a.Tag, b.Tag),
			cmp.Compare(a.Origin, b.Origin), strings.Compare(a.RuleSet, b.RuleSet),
			cmp.Compare(denialLast(a), denialLast(b)), a.From.Compare(b.From), a.Assigned.Compare(b.Assigned), a.Until.Compare(b.Until),
		)
	})
	joined := list[:0]
	for _, a := range list {
		if last := len(joined) - 1; last < 0 || !joined[last].absorb(&a) {
			joined = append(joined, a)
		}
	}
	return joined
}

func denialLast(a Assignment) int {
	if a.State == Denied {
		return 1
	}
	return 0
}

// absorb makes the assignment cover another of its claim that does not begin before it,
// unless there is time between them.
func (a *Assignment) absorb(b *Assignment) bool {
	switch {
	case a.claim() != b.claim():
		return false
	case b.State == Denied && a.State != Denied:
		return true
	case !a.Until.IsZero() && a.Until.Before(b.From):
		return false
	}
	from, until := a.From, a.Until
	if endsSooner(until, b.Until) {
		until = b.Until
	}
	if !b.Assigned.Before(a.Assigned) {
		*a = *b
	}
	a.From, a.Until = from, until
	return true
}

// byItself is the state of an assignment without regard to others.
func (a *Assignment) byItself(now time.Time) State {
	switch {
	case a.State == Denied:
		return Denied
	case a.From.After(now):
		return Pending
	}
	return Held
}

// overruleDenied lets denials beat all other claims on their tags.
func overruleDenied(list []Assignment) {
	for i := range list {
		if list[i].State != Denied {
			continue
		}
		for j := range list {
			if a := &list[j]; a.Tag == list[i].Tag && a.State == Held {
				a.State = Overruled
			}
		}
	}
}

// overruleExclusive leaves one tag held in each exclusive dimension. The list is sorted
// by dimension.
func (c *catalogue) overruleExclusive(list []Assignment) {
	for len(list) > 0 {
		d := c.dimensions[list[0].Dimension]
		n := 1
		for n < len(list) && list[n].Dimension == d.ID {
			n++
		}
		if d.Exclusive {
			d.overrule(list[:n])
		}
		list = list[n:]
	}
}

// overrule lets the strongest of the held assignments of an exclusive dimension beat
// those of other tags.
func (d *Dimension) overrule(list []Assignment) {
	var best *Assignment
	for i := range list {
		if a := &list[i]; a.State == Held && (best == nil || d.beats(a, best)) {
			best = a
		}
	}
	for i := range list {
		if a := &list[i]; a.State == Held && a.Tag != best.Tag {
			a.State = Overruled
		}
	}
}

// beats is the order of strength in an exclusive dimension: a person, an import, a rule,
// or the rule first where rules win; among rules the higher priority, then the names of
// rule set and rule; among others the later.
func (d *Dimension) beats(a, b *Assignment) bool {
	if a.recorded() != b.recorded() {
		return a.recorded() != d.RuleWins
	}
	if a.recorded() {
		return cmp.Or(cmp.Compare(a.Origin, b.Origin), b.Assigned.Compare(a.Assigned), cmp.Compare(b.Tag, a.Tag)) < 0
	}
	return cmp.Or(
		cmp.Compare(b.Priority, a.Priority), strings.Compare(a.RuleSet, b.RuleSet),
		strings.Compare(a.Rule, b.Rule), cmp.Compare(a.Tag, b.Tag),
	) < 0
}

// seen returns a stored record as it is at an instant, without writing it. It agrees
// with what queries find: what the clock changed has changed, merged tags are the other
// tag, ended tags are nobody's; other changed definitions show once the record is settled.
func (c *catalogue) seen(t *Tagged, now time.Time) *Tagged {
	if at, due := t.nextDue(); due && !at.After(now) {
		t.Assignments = c.settle(t.Assignments, now)
		return t
	}
	t.Assignments = slices.DeleteFunc(t.Assignments, func(a Assignment) bool {
		tag := c.survivor(c.tags[a.Tag])
		return tag == nil || a.State != Denied && tag.lapsed(now)
	})
	for i := range t.Assignments {
		t.Assignments[i].Tag = c.survivor(c.tags[t.Assignments[i].Tag]).ID
	}
	return t
}
