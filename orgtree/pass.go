package orgtree

import (
	"fmt"
	"slices"
	"time"

	"github.com/clientele-go/clientele/customer"
)

// mayPass returns nil when the session may give what a grant gives, or take a denial of
// it back: when it administers the scope's unit with all below and has the same rights
// there itself, by grants of its own and with no more hidden. So nobody who administers a
// part of the book raises anybody's rights above his own, nor keeps what was delegated to
// him. Who administers the whole book is not bound.
func (tx *Tx) mayPass(g *Grant) error {
	own, ok := tx.access().(*Access)
	if !ok {
		return tx.mayAdministerScope(g.Scope)
	}
	p := own.plan
	switch administers := p.permitsAt(customer.RightAdminister, customer.Identity, 0); {
	case administers && g.Principal != p.actor, p.holds(customer.RightAdminister, customer.Identity, Scope{All: true}):
		return tx.mayAdminister(0)
	case g.Scope.Unit == 0:
		return own.refusal(customer.RightAdminister, customer.Identity, 0)
	}
	if err := tx.mayAdministerScope(g.Scope); err != nil {
		return err
	}
	role, err := tx.Role(g.Role)
	if err != nil {
		return err
	}
	if right, d, held := p.holdsRole(role, g.Scope); !held {
		return beyond(p.actor, right, d)
	}
	if right := customer.RightAdminister; !p.holds(right, customer.Identity, g.Scope) {
		return beyond(p.actor, right, customer.Identity)
	}
	hidden := p.hiddenAt(g.Scope).And(customer.MaskOf(role.permits(customer.RightRead).kinds()...))
	if !g.Deny && !hidden.And(g.Mask).Equal(hidden) {
		return &customer.AccessError{Actor: p.actor, Right: customer.RightAdminister, Data: customer.Identity,
			Remedy: fmt.Sprintf("hide what is hidden from you, too: %v", hidden.Fields())}
	}
	return nil
}

func beyond(actor string, right customer.Right, d customer.Data) error {
	return &customer.AccessError{Actor: actor, Right: right, Data: d,
		Remedy: "nobody passes on more than he has by grants of his own; ask who administers the whole book"}
}

// holdsRole reports whether the actor itself has all rights of a role on a scope, or else
// the first that it lacks.
func (p *plan) holdsRole(role *Role, s Scope) (customer.Right, customer.Data, bool) {
	for _, permission := range role.Permissions {
		kinds := permission.Data
		if len(kinds) == 0 {
			kinds = customer.AllData()
		}
		for _, d := range kinds {
			if !p.holds(permission.Right, d, s) {
				return permission.Right, d, false
			}
		}
	}
	return "", 0, true
}

// holds reports whether the actor itself has a right on all that a scope could hold, and
// nothing of it is denied to it anywhere there.
func (p *plan) holds(right customer.Right, d customer.Data, s Scope) bool {
	if len(p.hats) == 0 {
		return false
	}
	denied := slices.ContainsFunc(p.hats[0].denials, func(g *held) bool {
		return p.overlap(g.Scope, s) && (g.denies(right).has(d) || right == AnyRight && g.Mask.Empty() && len(g.role.Permissions) > 0)
	})
	return !denied && slices.ContainsFunc(p.hats[0].grants, func(g *held) bool { return g.permits(right).has(d) && p.spans(g.Scope, s) })
}

// spans reports whether one scope holds all that another could.
func (p *plan) spans(wide, s Scope) bool {
	return wide.wide() && (!wide.Alone || s.Alone) && p.tree.covers(wide.reach(), s.Unit)
}

// overlap reports whether two scopes could hold the same customer.
func (p *plan) overlap(a, b Scope) bool {
	return a.Unit == 0 || b.Unit == 0 || p.tree.Contains(a.Unit, b.Unit) || p.tree.Contains(b.Unit, a.Unit)
}

// hiddenAt returns what is hidden from the actor of some customers of a scope, by what it
// has there of its own.
func (p *plan) hiddenAt(s Scope) customer.Mask {
	hidden := kindMasks[allData]
	for _, g := range p.hats[0].grants {
		if p.spans(g.Scope, s) {
			hidden = hidden.And(g.Mask.Or(kindMasks[allData&^g.reads]))
		}
	}
	for _, g := range p.hats[0].denials {
		if p.overlap(g.Scope, s) {
			hidden = hidden.Or(g.Mask)
		}
	}
	return hidden
}

// mayWiden returns nil when the session may let the grants that name a unit, or one that
// was merged into it, hold in another one, as a merge of units does.
func (tx *Tx) mayWiden(tree *Tree, id, into customer.UnitID) error {
	if tx.access() == nil {
		return nil
	}
	for _, unit := range tree.covered(Reach{Unit: id}) {
		for g, err := range tx.full().GrantsAt(unit) {
			if err != nil {
				return err
			}
			if g.Deny || !g.Until.IsZero() && !tx.now().Before(g.Until) {
				continue
			}
			wider := *g
			wider.Scope.Unit = into
			if err := tx.mayPass(&wider); err != nil {
				return fmt.Errorf("orgtree: merge unit: %v would hold in unit %d: %w", g, into, err)
			}
		}
	}
	return nil
}

// widened reports whether the unit that a grant names was merged since the grant was
// given, and when: from then on it holds in all of the survivor.
func (v *reviewer) widened(g *Grant) (time.Time, bool) {
	u, found := v.tree.Unit(g.Scope.Unit)
	if !found || g.Deny || u.MergedInto == 0 {
		return time.Time{}, false
	}
	return u.Closed, !g.Recorded.After(u.Closed)
}
