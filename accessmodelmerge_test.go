package clientele_test

import (
	"maps"
	"slices"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/dedupe"
	"github.com/clientele-go/clientele/orgtree"
)

// Merged customers in the naive evaluator: a survivor knows of everything that it has
// whether it is its own or whose it was, and undoing a merge takes away what has no other
// source. What people change afterwards is the survivor's own.

// claims are the elements of a list, each with the customers that it came from: 0 is for
// the customer's own.
type claims map[string][]customer.ID

func (c claims) values() []string { return slices.Sorted(maps.Keys(c)) }

// set replaces the whole list, as an edit does: elements that stay keep their sources.
func (c claims) set(values ...string) {
	maps.DeleteFunc(c, func(v string, _ []customer.ID) bool { return !slices.Contains(values, v) })
	for _, v := range values {
		if c[v] == nil {
			c[v] = []customer.ID{0}
		}
	}
}

// loan is a value of a list of which the first counts.
type loan struct {
	from  customer.ID // 0 for the customer's own
	value int64
}

func counting(list []loan) int64 {
	if len(list) == 0 {
		return 0
	}
	return list[0].value
}

// placement is where a customer stands beside its owner.
type placement struct {
	team     customer.UnitID
	assigned []orgtree.Assignment
	overlays []modelOverlay
}

// modelOverlay is what a unit has of a customer of its own; a limit of 0 is none.
type modelOverlay struct {
	unit        customer.UnitID
	note, local string
	limit       int64
}

func (p placement) copy() placement {
	p.assigned, p.overlays = slices.Clone(p.assigned), slices.Clone(p.overlays)
	return p
}

// gift is what a loser brought to a placement; what was changed since is void.
type gift struct {
	loser customer.ID
	placement
	void map[element]bool
}

type element struct {
	kind byte // t for the team, a for an assignment, o for an overlay
	unit customer.UnitID
}

// mergeState is what merges and their undoing need to know.
type mergeState struct {
	into     customer.ID            // who stands for the customer, 0 for itself
	former   customer.Status        // before it was merged
	lent     map[string]customer.ID // fields with one value that a loser filled
	tagBy    []customer.ID          // whom the tag came from
	mine     placement              // without gifts, while there are any
	gifts    []gift
	lost     placement // the loser's before
	lostTags []customer.ID
}

func (m *model) customer(id customer.ID) *modelCustomer { return m.customers[id-1] }

// end is who stands for a customer.
func (m *model) end(c *modelCustomer) *modelCustomer {
	for c.into != 0 {
		c = m.customer(c.into)
	}
	return c
}

// merge lets a survivor stand for a loser: what it lacks is filled, lists are united, the
// loser's name becomes an alias, and what other packages keep goes over.
func (m *model) merge(s, l *modelCustomer) {
	for field, text := range map[string][2]*string{"note": {&s.note, &l.note}, "website": {&s.website, &l.website}, "attr.secret": {&s.secret, &l.secret}} {
		if *text[0] == "" && *text[1] != "" {
			*text[0], s.lent[field] = *text[1], l.id
		}
	}
	if s.owner == 0 && s.rep == "" { // nobody's
		if s.owner = l.owner; s.owner != 0 {
			s.lent["owner"] = l.id
		}
		if s.rep = l.rep; s.rep != "" {
			s.lent["rep"] = l.id
		}
	}
	for field, list := range l.lists {
		for value := range list {
			s.lists[field][value] = append(s.lists[field][value], l.id)
		}
	}
	s.lists["alias"][l.name] = append(s.lists["alias"][l.name], l.id)
	m.mergePlaces(s, l)
	s.limits = slices.Concat(s.limits, loansOf(l.id, l.limits))
	s.groups = slices.Concat(s.groups, loansOf(l.id, l.groups))
	if l.lostTags = l.tagBy; len(l.tagBy) > 0 {
		s.tagBy = append(s.tagBy, l.id)
	}
	l.tagBy = nil
	for _, of := range m.owned() {
		if *of.holder == l.id && of.open {
			*of.holder, *of.via = s.id, append(*of.via, l.id)
		}
	}
	s.visits += l.visits
	l.former, l.status, l.into = l.status, customer.Merged, s.id
}

func loansOf(id customer.ID, list []loan) []loan {
	if len(list) == 0 {
		return nil
	}
	return []loan{{id, list[0].value}}
}

// mergePlaces gives the survivor the loser's places, and the loser's owner its customer.
func (m *model) mergePlaces(s, l *modelCustomer) {
	g := gift{loser: l.id, placement: l.placement.copy(), void: map[element]bool{}}
	if owner := m.standsFor(l.owner); owner != 0 && owner != m.standsFor(s.owner) && !m.assignedTo(&g.placement, l.owner) {
		g.assigned = append(g.assigned, orgtree.Assignment{Unit: l.owner, Rep: l.rep, Team: l.team})
	}
	if len(s.gifts) == 0 {
		s.mine = s.placement.copy()
	}
	s.gifts = append(s.gifts, g)
	m.join(&s.placement, &g, s.owner)
	l.lost, l.placement = l.placement, placement{}
}

// assignedTo reports whether an assignment to a unit has not ended.
func (m *model) assignedTo(p *placement, unit customer.UnitID) bool {
	return slices.ContainsFunc(p.assigned, func(a orgtree.Assignment) bool {
		return a.Unit == unit && (a.Until.IsZero() || m.now().Before(a.Until))
	})
}

// join adds what counts of a gift where there is nothing yet.
func (m *model) join(p *placement, g *gift, owner customer.UnitID) {
	if p.team == 0 && !g.void[element{'t', 0}] {
		p.team = g.team
	}
	for _, a := range g.assigned {
		if a.Unit != owner && !m.assignedTo(p, a.Unit) && !g.void[element{'a', m.standsFor(a.Unit)}] {
			p.assigned = append(slices.DeleteFunc(p.assigned, func(b orgtree.Assignment) bool { return b.Unit == a.Unit }), a)
		}
	}
	for _, o := range g.overlays {
		i := slices.IndexFunc(p.overlays, func(b modelOverlay) bool { return b.unit == o.unit })
		switch {
		case g.void[element{'o', m.standsFor(o.unit)}]:
		case i < 0:
			p.overlays = append(p.overlays, o)
		case p.overlays[i].limit == 0:
			p.overlays[i].limit = o.limit
		}
	}
}

// edited makes what somebody changed of a placement the customer's own.
func (m *model) edited(c *modelCustomer, e element) {
	if len(c.gifts) == 0 {
		return
	}
	for _, g := range c.gifts {
		g.void[e] = true
	}
	switch e.kind {
	case 't':
		c.mine.team = c.team
	case 'a':
		c.mine.assigned = replaced(c.mine.assigned, c.assigned, func(a orgtree.Assignment) bool { return m.standsFor(a.Unit) == e.unit })
	case 'o':
		c.mine.overlays = replaced(c.mine.overlays, c.overlays, func(o modelOverlay) bool { return m.standsFor(o.unit) == e.unit })
	}
}

// replaced is a list with those elements of another for which something holds.
func replaced[T any](list, by []T, holds func(T) bool) []T {
	list = slices.DeleteFunc(slices.Clone(list), holds)
	for _, x := range by {
		if holds(x) {
			list = append(list, x)
		}
	}
	return list
}

// unmerge undoes the merge of a customer whose survivor stands for itself.
func (m *model) unmerge(l *modelCustomer) {
	s := m.customer(l.into)
	for field, text := range map[string]*string{"note": &s.note, "website": &s.website, "attr.secret": &s.secret, "rep": &s.rep} {
		if s.lent[field] == l.id {
			*text = ""
			delete(s.lent, field)
		}
	}
	if s.lent["owner"] == l.id {
		s.owner = 0
		delete(s.lent, "owner")
	}
	is := func(id customer.ID) bool { return id == l.id }
	for _, list := range s.lists {
		for value, from := range list {
			if list[value] = slices.DeleteFunc(slices.Clone(from), is); len(list[value]) == 0 {
				delete(list, value)
			}
		}
	}
	s.gifts = slices.DeleteFunc(s.gifts, func(g gift) bool { return g.loser == l.id })
	s.placement = s.mine.copy()
	for i := range s.gifts {
		m.join(&s.placement, &s.gifts[i], s.owner)
	}
	l.placement = l.lost
	lentBy := func(x loan) bool { return x.from == l.id }
	s.limits, s.groups = slices.DeleteFunc(slices.Clone(s.limits), lentBy), slices.DeleteFunc(slices.Clone(s.groups), lentBy)
	s.tagBy, l.tagBy = slices.DeleteFunc(slices.Clone(s.tagBy), is), l.lostTags
	for _, of := range m.owned() {
		if via := *of.via; *of.holder == s.id && of.open && len(via) > 0 && via[len(via)-1] == l.id {
			*of.holder, *of.via = l.id, via[:len(via)-1]
		}
	}
	s.visits -= l.visits
	l.status, l.into = l.former, 0
}

// drawStanding is a customer that stands for itself, nil with none in one of some statuses.
func (w *world) drawStanding() *modelCustomer {
	return draw(w, "customer", slices.DeleteFunc(slices.Clone(w.customers), func(c *modelCustomer) bool { return c.into != 0 })...)
}

// mergeCustomers merges two customers that stand for themselves, of whatever units.
func (w *world) mergeCustomers() {
	s, l := w.drawStanding(), w.drawStanding()
	if s == l {
		return
	}
	w.do(func(tx *clientele.Tx) error {
		_, err := tx.Dedupe.Merge(dedupe.Merge{Survivor: s.id, Losers: []customer.ID{l.id}})
		return err
	})
	w.merge(s, l)
	w.shareCanaries(s, l)
	w.happened(s.id, customer.Absorbing)
	w.happened(l.id, customer.MergedNow)
}

// shareCanaries notes that what a loser has is the survivor's, too: from the survivor's
// history it doesn't go away with the merge.
func (w *world) shareCanaries(s, l *modelCustomer) {
	for value, places := range w.canaries {
		for _, p := range places {
			if p.customer != l.id {
				continue
			}
			if p.field == "" && value == l.name {
				p.field = "alias"
			}
			_, listed := s.lists[p.field]
			overlaid := p.unit != 0 && slices.ContainsFunc(s.overlays, func(o modelOverlay) bool { return o.note == value })
			if listed || overlaid || s.lent[p.field] == l.id || p.field == "rep" || p.field == "tag" {
				p.customer = s.id
				w.canaries[value] = append(w.canaries[value], p)
			}
		}
	}
}

// unmergeCustomers undoes a merge whose survivor stands for itself.
func (w *world) unmergeCustomers() {
	var undoable []*modelCustomer
	for _, c := range w.customers {
		if c.into != 0 && w.customer(c.into).into == 0 {
			undoable = append(undoable, c)
		}
	}
	if len(undoable) == 0 {
		return
	}
	l := draw(w, "unmerged", undoable...)
	survivor := l.into
	w.do(func(tx *clientele.Tx) error { _, _, err := tx.Dedupe.Unmerge(l.id); return err })
	w.unmerge(l)
	w.happened(survivor, customer.Separated)
	w.happened(l.id, customer.Unmerged)
}
