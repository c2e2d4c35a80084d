package orgtree_test

import (
	"slices"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/orgtree"
)

// The naive evaluator: each question answered for one customer from the rules as the
// package documents them, by walking up the tree and through all grants.

// within reports whether a unit is in a scope's reach.
func (w *accessWorld) within(s orgtree.Scope, unit customer.UnitID) bool {
	if s.Unit == 0 {
		return true
	}
	target := w.tree.Resolve(s.Unit)
	unit = w.tree.Resolve(unit)
	for unit != target {
		if s.Alone || unit == 0 {
			return false
		}
		unit = w.tree.Parent(unit)
	}
	return true
}

// above reports whether a unit is another one or above it.
func (w *accessWorld) above(upper, lower customer.UnitID) bool {
	return w.within(orgtree.Scope{Unit: upper}, lower)
}

// place is the customer's placement in force.
func (w *accessWorld) place(c *customer.Customer) (assigned, teams []customer.UnitID, reps []string) {
	if c.ID == 0 {
		return nil, nil, nil
	}
	p, err := w.view.Placement(c.ID)
	if err != nil {
		w.rt.Fatal(err)
	}
	if p.Team != 0 {
		teams = append(teams, w.tree.Resolve(p.Team))
	}
	now := w.clock()
	for _, a := range p.Assignments {
		if now.Before(a.From) || !a.Until.IsZero() && !now.Before(a.Until) {
			continue
		}
		assigned, reps = append(assigned, a.Unit), append(reps, a.Rep)
		if a.Team != 0 {
			teams = append(teams, w.tree.Resolve(a.Team))
		}
	}
	return assigned, teams, reps
}

// shared reports whether a kind of data is seen from a scope's units, each by itself.
func (w *accessWorld) shared(s orgtree.Scope, d customer.Data, c *customer.Customer) bool {
	assigned, _, _ := w.place(c)
	seenBy := func(unit customer.UnitID, d customer.Data) bool {
		unit, owner := w.tree.Resolve(unit), w.tree.Resolve(c.Owner)
		if unit == owner {
			return true
		}
		policy := w.tree.Policy(c.Owner, d)
		if policy == orgtree.Private {
			return false
		}
		if slices.ContainsFunc(assigned, func(a customer.UnitID) bool { return w.tree.Resolve(a) == unit }) {
			return true
		}
		switch policy {
		case orgtree.SharedDown:
			return w.above(owner, unit)
		case orgtree.SharedUp:
			return w.above(unit, owner)
		case orgtree.Shared:
			return true
		}
		return false
	}
	if s.Unit == 0 {
		return true
	}
	anywhere := func(d customer.Data) bool {
		return slices.ContainsFunc(w.units, func(unit customer.UnitID) bool { return w.within(s, unit) && seenBy(unit, d) })
	}
	return anywhere(d) && anywhere(customer.Identity)
}

// mine reports whether a customer is a principal's own.
func (w *accessWorld) mine(principal string, c *customer.Customer) bool {
	_, teams, reps := w.place(c)
	home := customer.UnitID(0)
	for _, p := range w.principals {
		if p.ID == principal {
			home = p.Home
		}
	}
	return c.Rep == principal || slices.Contains(reps, principal) || home != 0 && slices.Contains(teams, w.tree.Resolve(home))
}

type how int

const (
	read how = iota
	act
	deny
)

// holds reports whether a grant's scope holds a customer.
func (w *accessWorld) holds(g *orgtree.Grant, h how, d customer.Data, c *customer.Customer) bool {
	assigned, _, _ := w.place(c)
	toAssigned := slices.ContainsFunc(assigned, func(unit customer.UnitID) bool { return w.within(g.Scope, unit) })
	owned := w.within(g.Scope, c.Owner)
	switch {
	case h == read && !w.shared(g.Scope, d, c):
		return false
	case h == deny && !owned && !toAssigned:
		return false
	case h == act && !owned:
		shares := w.tree.Policy(c.Owner, d) != orgtree.Private && w.tree.Policy(c.Owner, customer.Identity) != orgtree.Private
		if !toAssigned || !shares {
			return false
		}
	}
	if g.Scope.Own && !w.mine(g.Principal, c) {
		return false
	}
	return g.Scope.Filter == "" || c.ID != 0 && modelFilters[g.Scope.Filter](uint64(c.ID))
}

// gives reports whether a role gives a right on a kind of data.
func (w *accessWorld) gives(role string, right customer.Right, d customer.Data) bool {
	for _, p := range w.roles[role].Permissions {
		if (p.Right == right || p.Right == orgtree.AnyRight) && (len(p.Data) == 0 || slices.Contains(p.Data, d)) {
			return true
		}
	}
	return false
}

// takes reports whether a denial takes a right on a kind of data away.
func (w *accessWorld) takes(g *orgtree.Grant, right customer.Right, d customer.Data) bool {
	if right == customer.RightRead && w.gives(g.Role, right, customer.Identity) {
		return true
	}
	return w.gives(g.Role, right, d)
}

// hatsOf returns the principals for whom an actor acts, and which of their grants.
func (w *accessWorld) hatsOf(actor string) (list [][]*orgtree.Grant) {
	now := w.clock()
	enabled := func(id string) bool {
		return slices.ContainsFunc(w.principals, func(p orgtree.Principal) bool { return p.ID == id && !p.Disabled })
	}
	inForce := func(id string, only []orgtree.GrantID) (grants []*orgtree.Grant) {
		for _, g := range w.grants {
			if g.Principal != id || now.Before(g.From) || !g.Until.IsZero() && !now.Before(g.Until) {
				continue
			}
			if g.Deny || len(only) == 0 || slices.Contains(only, g.ID) {
				grants = append(grants, g)
			}
		}
		return grants
	}
	if !enabled(actor) {
		return nil
	}
	list = append(list, inForce(actor, nil))
	for _, d := range w.delegations {
		if d.To == actor && enabled(d.From) && !now.Before(d.Begin) && now.Before(d.End) {
			list = append(list, inForce(d.From, d.Grants))
		}
	}
	return list
}

// decide reports whether a hat has a grant and no denial, nor the actor itself one.
func (w *accessWorld) decide(actor string, grant, denial func(*orgtree.Grant) bool) bool {
	hats := w.hatsOf(actor)
	denied := func(hat []*orgtree.Grant) bool {
		return slices.ContainsFunc(hat, func(g *orgtree.Grant) bool { return g.Deny && denial(g) })
	}
	for _, hat := range hats {
		if denied(hats[0]) || denied(hat) {
			continue
		}
		if slices.ContainsFunc(hat, func(g *orgtree.Grant) bool { return !g.Deny && grant(g) }) {
			return true
		}
	}
	return false
}

func (w *accessWorld) allows(actor string, right customer.Right, d customer.Data, c *customer.Customer) bool {
	h := act
	if right == customer.RightRead || right == customer.RightExport {
		h = read
	}
	return w.decide(actor,
		func(g *orgtree.Grant) bool { return w.gives(g.Role, right, d) && w.holds(g, h, d, c) },
		func(g *orgtree.Grant) bool {
			return g.Mask.Empty() && w.takes(g, right, d) && w.holds(g, deny, d, c)
		})
}

func (w *accessWorld) sees(actor string, c *customer.Customer) bool {
	return w.allows(actor, customer.RightRead, customer.Identity, c)
}

// fieldKinds are the kinds of data of modelFields that are not of the identity.
var fieldKinds = map[string]customer.Data{"phone": customer.Contacts, "email": customer.Contacts, "city": customer.Contacts,
	"limit": customer.Credit, "exposure": customer.Credit, "tag": customer.Tags, "item": customer.Items}

func (w *accessWorld) shows(actor string, c *customer.Customer, field string) bool {
	if field == "code" {
		return w.sees(actor, c)
	}
	d := fieldKinds[field]
	return w.sees(actor, c) && w.decide(actor,
		func(g *orgtree.Grant) bool {
			return w.gives(g.Role, customer.RightRead, d) && !g.Mask.Hides(field) && w.holds(g, read, d, c)
		},
		func(g *orgtree.Grant) bool {
			if !g.Mask.Empty() && !g.Mask.Hides(field) {
				return false
			}
			anything := slices.ContainsFunc(customer.AllData(), func(d customer.Data) bool { return w.gives(g.Role, customer.RightRead, d) })
			taken := g.Mask.Empty() && w.takes(g, customer.RightRead, d) || !g.Mask.Empty() && anything
			return taken && w.holds(g, deny, d, c)
		})
}
