package orgtree

import (
	"crypto/sha256"
	"encoding/binary"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/clientele-go/clientele/customer"
)

// plan is what a principal may see and do, compiled for one state of access and of the
// tree and for a span of time. Many goroutines share it.
type plan struct {
	actor       string
	stamp       uint64
	tree        *Tree
	from, until time.Time // until is zero for no end
	// hats are the principals for whom the actor acts: first itself, whose denials hold
	// for all of them. A principal that is unknown or disabled has none.
	hats []*hat
	// plain tells that there is one hat, without denials, and that whichever of its
	// grants shows anything of a customer shows that it exists.
	plain bool
	rules []ApprovalRule

	mu   sync.Mutex
	sets map[string]*plannedSet // by the field that must be shown, "" for none

	showing sync.RWMutex
	shown   map[customer.UnitID]*sight // see sightOf
}

// hat is a principal in whose place the actor acts.
type hat struct {
	id         string
	team       customer.UnitID // its home unit
	delegation *Delegation     // nil for the actor itself
	grants     []*held
	denials    []*held
}

// held is a grant in force with its role.
type held struct {
	*Grant
	hat   *hat
	role  *Role
	reads dataSet // what it shows, or for a denial, hides
	uses  uses
}

// permits returns the kinds of data on which the grant gives or denies a right. Who must
// not know of a customer must not know anything of it.
func (h *held) permits(right customer.Right) dataSet {
	if right == customer.RightRead {
		return h.reads
	}
	return h.role.permits(right)
}

// denies returns the kinds of data on which a denial takes a right away.
func (h *held) denies(right customer.Right) dataSet {
	if !h.Mask.Empty() {
		return 0
	}
	return h.permits(right)
}

// compile makes the plan of a principal.
func (r *Reader) compile(actor string) (*plan, error) {
	tree, err := r.Tree()
	if err != nil {
		return nil, err
	}
	p := &plan{actor: actor, tree: tree, from: r.now(), sets: map[string]*plannedSet{}}
	if p.rules, err = r.ApprovalRules(); err != nil {
		return nil, err
	}
	who, err := r.principal(actor)
	if err != nil || who.Version == 0 || who.Disabled {
		return p, err
	}
	own := &hat{id: actor, team: who.Home}
	if err := r.wear(p, own); err != nil {
		return nil, err
	}
	for d, err := range r.DelegationsTo(actor) {
		if err != nil {
			return nil, err
		}
		p.bound(d.Begin)
		p.bound(d.End)
		if !d.at(p.from) {
			continue
		}
		from, err := r.principal(d.From)
		if err != nil {
			return nil, err
		}
		if from.Version == 0 || from.Disabled {
			continue
		}
		if err := r.wear(p, &hat{id: d.From, team: from.Home, delegation: d}); err != nil {
			return nil, err
		}
	}
	p.plain = len(p.hats) == 1 && len(own.denials) == 0 &&
		!slices.ContainsFunc(own.grants, func(g *held) bool { return g.reads != 0 && !g.reads.has(customer.Identity) })
	return p, nil
}

// bound ends the plan when something begins or ends.
func (p *plan) bound(at time.Time) {
	if at.After(p.from) {
		p.until = earliest(p.until, at)
	}
}

// wear adds a hat with the grants in force.
func (r *Reader) wear(p *plan, h *hat) error {
	for g, err := range r.GrantsOf(h.id) {
		if err != nil {
			return err
		}
		p.bound(g.From)
		p.bound(g.Until)
		if !g.at(p.from) || !g.Deny && h.delegation != nil && !h.delegation.covers(g.ID) {
			continue
		}
		role, err := r.Role(g.Role)
		if err != nil {
			return err
		}
		held := &held{Grant: g, hat: h, role: role, reads: role.permits(customer.RightRead)}
		if g.Deny {
			if held.reads.has(customer.Identity) {
				held.reads = allData
			}
			h.denials = append(h.denials, held)
		} else {
			h.grants = append(h.grants, held)
		}
	}
	p.hats = append(p.hats, h)
	return nil
}

func (d *Delegation) covers(id GrantID) bool {
	return len(d.Grants) == 0 || slices.Contains(d.Grants, id)
}

// denials returns the denials that hold for what a hat gives.
func (p *plan) denials(h *hat) []*held {
	if h == p.hats[0] {
		return h.denials
	}
	return slices.Concat(p.hats[0].denials, h.denials)
}

// permitsAt reports whether the actor has a right on all customers of a unit and those
// below it, 0 for the whole book.
func (p *plan) permitsAt(right customer.Right, d customer.Data, unit customer.UnitID) bool {
	return p.grantAt(right, d, unit, false) != nil
}

// grantAt returns a grant that gives a right at a unit and, unless alone is set, at all
// units below it, nil for none. What is denied in a part of the book leaves the right on
// the whole book, unit 0, as it is: who has it could take the denial back.
func (p *plan) grantAt(right customer.Right, d customer.Data, unit customer.UnitID, alone bool) *held {
	alone = alone || p.tree.single(unit)
	for _, h := range p.hats {
		denied := slices.ContainsFunc(p.denials(h), func(g *held) bool {
			return g.Scope.wide() && g.denies(right).has(d) &&
				(p.tree.covers(g.Scope.reach(), unit) || unit != 0 && !alone && p.tree.Contains(unit, g.Scope.Unit))
		})
		if denied {
			continue
		}
		for _, g := range h.grants {
			if g.Scope.wide() && g.permits(right).has(d) && p.tree.covers(g.Scope.reach(), unit) && (alone || !g.Scope.Alone) {
				return g
			}
		}
	}
	return nil
}

// showsAll reports whether a field is shown of everybody whom a unit or one below it owns,
// by one grant: what is denied anywhere, it may also be of a customer that is assigned there.
func (p *plan) showsAll(field string, unit customer.UnitID) bool {
	d := customer.FieldData(field)
	hidden := func(g *held) bool { return g.reads.has(d) && g.Mask.Empty() || g.reads != 0 && g.Mask.Hides(field) }
	return slices.ContainsFunc(p.hats, func(h *hat) bool {
		return !slices.ContainsFunc(p.denials(h), hidden) && slices.ContainsFunc(h.grants, func(g *held) bool {
			return g.reads.has(customer.Identity) && g.reads.has(d) && !g.Mask.Hides(field) &&
				p.spans(g.Scope, Scope{Unit: unit, Alone: p.tree.single(unit)})
		})
	})
}

// single reports whether no other unit is below a unit; those merged into it are itself.
func (t *Tree) single(unit customer.UnitID) bool {
	for below := range t.Subtree(unit) {
		if t.Resolve(below) != t.Resolve(unit) {
			return false
		}
	}
	return true
}

// permitsSomewhere reports whether any grant gives a right that is not denied in the
// whole book.
func (p *plan) permitsSomewhere(right customer.Right, d customer.Data) bool {
	for _, h := range p.hats {
		denied := slices.ContainsFunc(p.denials(h), func(g *held) bool { return g.Scope.All && g.denies(right).has(d) })
		if !denied && slices.ContainsFunc(h.grants, func(g *held) bool { return g.permits(right).has(d) }) {
			return true
		}
	}
	return false
}

// plannedSet is a set of customers: of those in a part, without those in minus.
type plannedSet struct {
	parts []part
	minus []term
	both  *plannedSet // nil, or a set in which they must be too
}

// single returns the set's only term when that is of units alone, or else nil.
func (s *plannedSet) single() *term {
	if len(s.parts) != 1 || len(s.minus) > 0 || s.both != nil || len(s.parts[0].terms) != 1 || len(s.parts[0].minus) > 0 {
		return nil
	}
	if t := &s.parts[0].terms[0]; !t.all && t.own == nil && t.filter == "" {
		return t
	}
	return nil
}

// ownedBy returns the units that own everybody in the set but those who are in it because
// of their placements, and whether it has everybody whom they own; known is false when
// others own some, or when there are more units than most.
func (s *plannedSet) ownedBy(most int) (units []customer.UnitID, exact, known bool) {
	exact = len(s.minus) == 0 && s.both == nil
	for _, p := range s.parts {
		for _, t := range p.terms {
			if t.all || len(units)+len(t.owners.ids) > most {
				return nil, false, false
			}
			units = append(units, t.owners.ids...)
			exact = exact && t.own == nil && t.filter == ""
		}
		exact = exact && len(p.minus) == 0
	}
	slices.Sort(units)
	return slices.Compact(units), exact, true
}

// part is what one hat gives.
type part struct{ terms, minus []term }

// term is a set of customers that are owned by certain units or, if these share, are
// assigned to certain units, as far as own and filter, when set, hold them too.
type term struct {
	all      bool // whatever owns them
	owners   unitList
	assigned unitList
	sharing  unitList // who must own those that are assigned
	anyOwner bool     // instead of sharing
	own      *hat
	filter   string
}

// unitList is a list of units and what it is known by.
type unitList struct {
	ids  []customer.UnitID
	name [16]byte
}

func newUnitList(ids []customer.UnitID) unitList {
	slices.Sort(ids)
	ids = slices.Compact(ids)
	h := sha256.New()
	var buf [8]byte
	for _, id := range ids {
		h.Write(binary.BigEndian.AppendUint64(buf[:0], uint64(id)))
	}
	l := unitList{ids: ids}
	copy(l.name[:], h.Sum(nil))
	return l
}

// placed reports whether placements decide who is in the set.
func (s *plannedSet) placed() bool {
	return s.any(func(t term) bool { return t.own != nil || len(t.assigned.ids) > 0 })
}

// filtered reports whether a filter decides who is in the set.
func (s *plannedSet) filtered() bool {
	return s.any(func(t term) bool { return t.filter != "" })
}

// any reports whether something holds for one of the set's terms.
func (s *plannedSet) any(holds func(term) bool) bool {
	return slices.ContainsFunc(s.minus, holds) || s.both != nil && s.both.any(holds) ||
		slices.ContainsFunc(s.parts, func(p part) bool {
			return slices.ContainsFunc(p.terms, holds) || slices.ContainsFunc(p.minus, holds)
		})
}

// everything reports whether the set has every customer.
func (s *plannedSet) everything() bool {
	if len(s.minus) > 0 || s.both != nil && !s.both.everything() {
		return false
	}
	return slices.ContainsFunc(s.parts, func(p part) bool {
		return len(p.minus) == 0 && slices.ContainsFunc(p.terms, func(t term) bool { return t.all && t.own == nil && t.filter == "" })
	})
}

// set returns the customers whom the actor sees, with a field when one is named.
func (p *plan) set(field string) *plannedSet {
	p.mu.Lock()
	defer p.mu.Unlock()
	seen := p.sets[""]
	if seen == nil {
		seen = p.setOf(customer.Identity, "")
		p.sets[""] = seen
	}
	if field == "" || !canHide(field) {
		return seen
	}
	s := p.sets[field]
	if s == nil {
		s = p.setOf(customer.FieldData(field), field)
		if reflect.DeepEqual(s, seen) {
			s = seen // nothing hides the field
		} else {
			s.both = seen
		}
		if len(p.sets) < maxFieldSets {
			p.sets[field] = s
		}
	}
	return s
}

// maxFieldSets bounds the fields for which a plan keeps a set; there are not many more.
const maxFieldSets = 64

// canHide reports whether there are masks that hide a field.
func canHide(field string) bool {
	return kindMasks[allData].Hides(field)
}

// setOf collects the grants that show a kind of data and don't hide a field.
func (p *plan) setOf(d customer.Data, field string) *plannedSet {
	s := &plannedSet{}
	hides := func(g *held) bool { return field != "" && g.Mask.Hides(field) }
	for i, h := range p.hats {
		var shown part
		for _, g := range h.denials {
			if g.denies(customer.RightRead).has(d) || g.reads != 0 && hides(g) {
				shown.minus = append(shown.minus, p.denialTerm(g))
			}
		}
		if i == 0 {
			s.minus, shown.minus = shown.minus, nil
		}
		shown.terms = p.readTerms(h, d, hides)
		if len(shown.terms) > 0 {
			s.parts = append(s.parts, shown)
		}
	}
	return s
}

// readTerms returns the terms of a hat's grants; those that only units narrow become one.
func (p *plan) readTerms(h *hat, d customer.Data, hides func(*held) bool) (terms []term) {
	var wide term
	var owners, assigned []customer.UnitID
	for _, g := range h.grants {
		if !g.reads.has(d) || hides(g) {
			continue
		}
		view := p.tree.View(g.Scope.reach(), d)
		if g.Scope.wide() {
			wide.all = wide.all || view.All
			owners, assigned = append(owners, view.Owners...), append(assigned, view.Assigned...)
			continue
		}
		t := term{all: view.All, filter: g.Scope.Filter}
		if g.Scope.Own {
			t.own = h
		}
		terms = append(terms, p.fill(t, view.Owners, view.Assigned, d))
	}
	switch {
	case wide.all:
		return []term{wide}
	case len(owners)+len(assigned) > 0:
		terms = append(terms, p.fill(wide, owners, assigned, d))
	}
	return terms
}

func (p *plan) fill(t term, owners, assigned []customer.UnitID, d customer.Data) term {
	if t.all {
		return t
	}
	t.owners = newUnitList(slices.Clone(owners))
	if open := p.tree.sharedUnits().open[d]; len(open.ids) > 0 {
		t.assigned, t.sharing = newUnitList(slices.Clone(assigned)), open
	}
	return t
}

// denialTerm is what a denial covers: customers that are owned by, or assigned to, its
// units, whatever their policies.
func (p *plan) denialTerm(g *held) term {
	reach := g.Scope.reach()
	t := term{all: reach == Reach{Below: true}, filter: g.Scope.Filter, anyOwner: true}
	if g.Scope.Own {
		t.own = g.hat
	}
	if !t.all {
		t.owners = newUnitList(p.tree.covered(reach))
		t.assigned = t.owners
	}
	return t
}
