package clientele_test

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/orgtree"
)

// The naive evaluator of TestEveryReadEqualsTheNaiveEvaluator. It knows the rules of
// docs/access.md and what was done to the book, and asks the book nothing: every answer
// comes from a walk over all units, grants and customers.

// modelUnit is a unit as it was made.
type modelUnit struct {
	id      customer.UnitID
	parents []modelMove // by instant
	merged  customer.UnitID
	sharing orgtree.Sharing
}

type modelMove struct {
	from   time.Time
	parent customer.UnitID
}

// modelCustomer is a customer as it is stored. Its fields are empty for none.
type modelCustomer struct {
	id                         customer.ID
	code, name                 string
	status                     customer.Status
	owner                      customer.UnitID
	rep, note, website, secret string
	city                       string            // of its first address, which is its own
	lists                      map[string]claims // by field: identifier, source, alias, phone, email, address
	turnover                   int64
	vip                        bool
	owes                       int64 // fen
	placement
	mergeState
	limits, groups []loan
	limitLog       []string // its limits as they were set, one after another
	limitThen      string   // the last of them, empty for none
	visits         int64
	tagged         []tagState
	past           []recordState
}

// model is all that the naive evaluator knows.
type model struct {
	now         func() time.Time
	units       []*modelUnit // the first stands for the book
	principals  []*orgtree.Principal
	roles       map[string]orgtree.Role
	grants      []*orgtree.Grant
	delegations []*orgtree.Delegation
	customers   []*modelCustomer
	documents   []*modelDocument
	reserved    []*modelReservation
	lines       map[credit.Scope]*modelLine // of groups and units
	campaigns   []*modelCampaign
}

func (m *model) unit(id customer.UnitID) *modelUnit {
	i := slices.IndexFunc(m.units, func(u *modelUnit) bool { return u.id == id })
	return m.units[i]
}

// standsFor is the unit that a merged one went up in.
func (m *model) standsFor(id customer.UnitID) customer.UnitID {
	for m.unit(id).merged != 0 {
		id = m.unit(id).merged
	}
	return id
}

// parent is the unit above one now, 0 for the book.
func (m *model) parent(id customer.UnitID) customer.UnitID {
	parent := customer.UnitID(0)
	for _, move := range m.unit(id).parents {
		if !m.now().Before(move.from) {
			parent = move.parent
		}
	}
	return m.standsFor(parent)
}

// above reports whether a unit is another one, or above it. The book is above all.
func (m *model) above(upper, lower customer.UnitID) bool {
	upper, lower = m.standsFor(upper), m.standsFor(lower)
	for lower != upper {
		if lower == 0 {
			return false
		}
		lower = m.parent(lower)
	}
	return true
}

// policy is a unit's own, or the nearest above.
func (m *model) policy(id customer.UnitID, d customer.Data) orgtree.Policy {
	for id = m.standsFor(id); ; id = m.parent(id) {
		if p := m.unit(id).sharing[d]; p != orgtree.Inherit {
			return p
		}
		if id == 0 {
			return orgtree.Private
		}
	}
}

// reached reports whether a unit is among those that a scope names.
func (m *model) reached(s orgtree.Scope, unit customer.UnitID) bool {
	switch {
	case s.Unit == 0:
		return true
	case s.Alone:
		return m.standsFor(s.Unit) == m.standsFor(unit)
	}
	return m.above(s.Unit, unit)
}

func (m *model) inForce(c *modelCustomer) (list []orgtree.Assignment) {
	for _, a := range c.assigned {
		if !m.now().Before(a.From) && (a.Until.IsZero() || m.now().Before(a.Until)) {
			list = append(list, a)
		}
	}
	return list
}

// seenFrom reports whether one unit by itself is shown a kind of data of a customer.
func (m *model) seenFrom(unit customer.UnitID, d customer.Data, c *modelCustomer) bool {
	unit, owner := m.standsFor(unit), m.standsFor(c.owner)
	policy := m.policy(owner, d)
	switch {
	case unit == owner:
		return true
	case policy == orgtree.Private:
		return false
	case slices.ContainsFunc(m.inForce(c), func(a orgtree.Assignment) bool { return m.standsFor(a.Unit) == unit }):
		return true
	case policy == orgtree.SharedDown:
		return m.above(owner, unit)
	case policy == orgtree.SharedUp:
		return m.above(unit, owner)
	}
	return policy == orgtree.Shared
}

func (m *model) shared(s orgtree.Scope, d customer.Data, c *modelCustomer) bool {
	if s.Unit == 0 {
		return true
	}
	somewhere := func(d customer.Data) bool {
		return slices.ContainsFunc(m.units, func(u *modelUnit) bool { return m.reached(s, u.id) && m.seenFrom(u.id, d, c) })
	}
	return somewhere(d) && somewhere(customer.Identity)
}

// own reports whether a customer is a principal's own.
func (m *model) own(principal string, c *modelCustomer) bool {
	home := customer.UnitID(0)
	for _, p := range m.principals {
		if p.ID == principal {
			home = p.Home
		}
	}
	served := func(team customer.UnitID) bool {
		return home != 0 && team != 0 && m.standsFor(team) == m.standsFor(home)
	}
	return c.rep == principal || served(c.team) ||
		slices.ContainsFunc(m.inForce(c), func(a orgtree.Assignment) bool { return a.Rep == principal || served(a.Team) })
}

// modelFilters are the filters of scopes, and what they mean.
var modelFilters = map[string]func(*modelCustomer) bool{
	"level:vip":              func(c *modelCustomer) bool { return c.vip },
	"city:\"Kochi\"":         func(c *modelCustomer) bool { return c.city == "Kochi" },
	"NOT attr.turnover:>=50": func(c *modelCustomer) bool { return c.turnover < 50 },
}

type purpose int

const (
	toRead purpose = iota
	toAct
	toDeny
)

// holds reports whether a grant's scope holds a customer, a filter whoever stands for it.
func (m *model) holds(g *orgtree.Grant, why purpose, d customer.Data, c *modelCustomer) bool {
	owned := m.reached(g.Scope, c.owner)
	assigned := slices.ContainsFunc(m.inForce(c), func(a orgtree.Assignment) bool { return m.reached(g.Scope, a.Unit) })
	private := m.policy(c.owner, d) == orgtree.Private || m.policy(c.owner, customer.Identity) == orgtree.Private
	in := owned || assigned
	switch why {
	case toRead:
		in = m.shared(g.Scope, d, c)
	case toAct:
		in = owned || assigned && !private
	}
	return in && (!g.Scope.Own || m.own(g.Principal, c)) && (g.Scope.Filter == "" || modelFilters[g.Scope.Filter](m.end(c)))
}

func (m *model) gives(role string, right customer.Right, d customer.Data) bool {
	return slices.ContainsFunc(m.roles[role].Permissions, func(p orgtree.Permission) bool {
		return (p.Right == right || p.Right == orgtree.AnyRight) && (len(p.Data) == 0 || slices.Contains(p.Data, d))
	})
}

// takes is gives of a denial: who must not know of a customer must not know anything of it.
func (m *model) takes(role string, right customer.Right, d customer.Data) bool {
	return m.gives(role, right, d) || right == customer.RightRead && m.gives(role, right, customer.Identity)
}

func (m *model) enabled(id string) bool {
	return slices.ContainsFunc(m.principals, func(p *orgtree.Principal) bool { return p.ID == id && !p.Disabled })
}

// hats are the grants in force by each principal for whom an actor acts, itself first.
func (m *model) hats(actor string) (list [][]*orgtree.Grant) {
	if !m.enabled(actor) {
		return nil
	}
	of := func(id string, only []orgtree.GrantID) (grants []*orgtree.Grant) {
		for _, g := range m.grants {
			now := !m.now().Before(g.From) && (g.Until.IsZero() || m.now().Before(g.Until))
			if now && g.Principal == id && (g.Deny || len(only) == 0 || slices.Contains(only, g.ID)) {
				grants = append(grants, g)
			}
		}
		return grants
	}
	list = append(list, of(actor, nil))
	for _, d := range m.delegations {
		if d.To == actor && m.enabled(d.From) && !m.now().Before(d.Begin) && m.now().Before(d.End) {
			list = append(list, of(d.From, d.Grants))
		}
	}
	return list
}

// decide reports whether somebody for whom the actor acts has a grant, and neither that
// one nor the actor itself a denial.
func (m *model) decide(actor string, grant, denial func(*orgtree.Grant) bool) bool {
	hats := m.hats(actor)
	denied := func(hat []*orgtree.Grant) bool {
		return slices.ContainsFunc(hat, func(g *orgtree.Grant) bool { return g.Deny && denial(g) })
	}
	return slices.ContainsFunc(hats, func(hat []*orgtree.Grant) bool {
		return !denied(hats[0]) && !denied(hat) && slices.ContainsFunc(hat, func(g *orgtree.Grant) bool { return !g.Deny && grant(g) })
	})
}

// may reports whether an actor has a right on a kind of data of a customer.
func (m *model) may(actor string, right customer.Right, d customer.Data, c *modelCustomer) bool {
	why := toAct
	if right == customer.RightRead || right == customer.RightExport {
		why = toRead
	}
	may := m.decide(actor,
		func(g *orgtree.Grant) bool { return m.gives(g.Role, right, d) && m.holds(g, why, d, c) },
		func(g *orgtree.Grant) bool {
			return g.Mask.Empty() && m.takes(g.Role, right, d) && m.holds(g, toDeny, d, c)
		})
	if !may || right != customer.RightRead || d == customer.Identity {
		return may
	}
	// What is hidden altogether is not read.
	return slices.ContainsFunc(maskedKinds[d], func(field string) bool { return m.shows(actor, c, field) })
}

// maskedKinds are the fields of each kind of data but the identity, as
// [customer.NewMask] documents them.
var maskedKinds = map[customer.Data][]string{
	customer.Contacts: {"phone", "email", "address", "contact"}, customer.Credit: {"limit", "terms", "exposure", "score"},
	customer.Tags: {"tag"}, customer.Items: {"item"},
}

// concerns reports whether what a unit has of its own is for an actor: who looks from it,
// or from below it.
func (m *model) concerns(actor string, unit customer.UnitID) bool {
	for _, hat := range m.hats(actor) {
		for _, g := range hat {
			if !g.Deny && m.gives(g.Role, customer.RightRead, customer.Identity) && (m.reached(g.Scope, unit) || g.Scope.Unit != 0 && m.above(unit, g.Scope.Unit)) {
				return true
			}
		}
	}
	return false
}

func (m *model) sees(actor string, c *modelCustomer) bool {
	return m.may(actor, customer.RightRead, customer.Identity, c)
}

// maySomewhere reports whether an actor has a right that isn't denied in the whole book.
func (m *model) maySomewhere(actor string, right customer.Right) bool {
	return m.decide(actor,
		func(g *orgtree.Grant) bool { return m.gives(g.Role, right, customer.Identity) },
		func(g *orgtree.Grant) bool {
			return g.Scope.All && g.Mask.Empty() && m.takes(g.Role, right, customer.Identity)
		})
}

// kindOf is the kind of data that a field belongs to.
func kindOf(field string) customer.Data {
	for d, fields := range maskedKinds {
		if slices.Contains(fields, field) {
			return d
		}
	}
	return customer.Identity
}

// shows reports whether an actor is shown a field of a customer, "" for the customer.
func (m *model) shows(actor string, c *modelCustomer, field string) bool {
	if field == "" || !m.sees(actor, c) {
		return field == "" && m.sees(actor, c)
	}
	d := kindOf(field)
	return m.decide(actor,
		func(g *orgtree.Grant) bool {
			return m.gives(g.Role, customer.RightRead, d) && !g.Mask.Hides(field) && m.holds(g, toRead, d, c)
		},
		func(g *orgtree.Grant) bool {
			if g.Mask.Empty() {
				return m.takes(g.Role, customer.RightRead, d) && m.holds(g, toDeny, d, c)
			}
			reads := slices.ContainsFunc(customer.AllData(), func(d customer.Data) bool { return m.gives(g.Role, customer.RightRead, d) })
			return reads && g.Mask.Hides(field) && m.holds(g, toDeny, d, c)
		})
}

// masked is a customer as an actor sees it.
func (m *model) masked(actor string, c *modelCustomer) *modelCustomer { return m.maskedBy(actor, c, c) }

// maskedBy is what a customer is, or was, without what is hidden of it now.
func (m *model) maskedBy(actor string, c, then *modelCustomer) *modelCustomer {
	s := *then
	for field, value := range map[string]*string{
		"rep": &s.rep, "note": &s.note, "website": &s.website, "attr.secret": &s.secret, "address": &s.city,
	} {
		if !m.shows(actor, c, field) {
			*value = ""
		}
	}
	s.lists = maps.Clone(then.lists)
	maps.DeleteFunc(s.lists, func(field string, _ claims) bool { return !m.shows(actor, c, field) })
	if !m.shows(actor, c, "attr.turnover") {
		s.turnover = -1
	}
	s.vip = s.vip && m.shows(actor, c, "tag")
	if !m.shows(actor, c, "item") {
		s.owes = 0
	}
	return &s
}

// sight is the book as an actor sees it: customers by id, without what is hidden.
func (m *model) sight(actor string) (list []*modelCustomer) {
	for _, c := range m.customers {
		if m.sees(actor, c) {
			list = append(list, m.masked(actor, c))
		}
	}
	slices.SortFunc(list, func(a, b *modelCustomer) int { return cmp.Compare(a.id, b.id) })
	return list
}
