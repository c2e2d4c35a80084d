package orgtree

import (
	"iter"
	"slices"
	"strings"

	"github.com/clientele-go/clientele/customer"
)

// access returns what the session may see and do, nil for everything.
func (r *Reader) access() customer.Access { return r.customers.Access() }

// mayAt returns nil when the session has a right on everything of some units and of those
// below them.
func (r *Reader) mayAt(right customer.Right, d customer.Data, units ...customer.UnitID) error {
	a := r.access()
	if a == nil {
		return nil
	}
	own, ok := a.(*Access)
	if !ok {
		return a.Allows(right, d, nil)
	}
	for _, unit := range units {
		if err := own.AllowsAt(right, d, unit); err != nil {
			return err
		}
	}
	return nil
}

// mayAdminister returns nil when the session may administer some units with those below
// them, 0 for the whole book.
func (r *Reader) mayAdminister(units ...customer.UnitID) error {
	return r.mayAt(customer.RightAdminister, customer.Identity, units...)
}

// mayAdministerScope returns nil when the session may administer the unit of a scope, with
// those below it unless the scope is of the unit alone.
func (r *Reader) mayAdministerScope(s Scope) error {
	if own, ok := r.access().(*Access); ok && s.Alone {
		return own.allowsAt(customer.RightAdminister, customer.Identity, s.Unit, true)
	}
	return r.mayAdminister(s.Unit)
}

// showsAt reports whether the session sees everybody of a unit and those below it, and so
// may know how many they are. It uses no grant.
func (r *Reader) showsAt(unit customer.UnitID) bool {
	if own, ok := r.access().(*Access); ok {
		return own.plan.showsAll("", unit)
	}
	return r.mayAt(customer.RightRead, customer.Identity, unit) == nil
}

// mayAct returns nil unless the session's actor is disabled, or no principal at all: what
// it was entrusted with by name is no longer its own.
func (r *Reader) mayAct() error {
	own, ok := r.access().(*Access)
	if !ok || len(own.plan.hats) > 0 {
		return nil
	}
	return own.refusal(customer.RightAdminister, customer.Identity, 0)
}

// mayReview returns nil when the session may look into everybody's access.
func (r *Reader) mayReview() error {
	if err := r.mayAt(customer.RightReview, customer.Identity, 0); err != nil {
		return r.mayAdminister(0)
	}
	return nil
}

// mayKnow returns nil when the session may look into a principal's access: its own, or
// everybody's.
func (r *Reader) mayKnow(principal string) error {
	if own, ok := r.access().(*Access); ok && own.plan.actor == principal {
		return nil
	}
	return r.mayReview()
}

// forReview yields records, or only the error that says they may not be seen.
func forReview[V any](denied error, records iter.Seq2[V, error]) iter.Seq2[V, error] {
	if denied == nil {
		return records
	}
	return func(yield func(V, error) bool) {
		var none V
		yield(none, denied)
	}
}

// full is a reader of the same state that shows everything.
func (r *Reader) full() *Reader {
	f := *r
	f.customers = customer.Unscoped(r.customers)
	return &f
}

// mayDo returns nil when the session has a right on a kind of data of a customer. The
// error is that of an absent customer for one out of sight.
func (r *Reader) mayDo(right customer.Right, d customer.Data, id customer.ID) error {
	return r.customers.Permit(right, d, id)
}

// mayOverlay returns nil when the session may replace an overlay, and gives the next one
// what is hidden of the old: so it is neither lost nor found out by trying.
func (tx *Tx) mayOverlay(id customer.ID, old, next *Overlay) error {
	if err := tx.mayDo(customer.RightUpdate, customer.Identity, id); err != nil {
		return err
	}
	if tx.access() == nil {
		return nil
	}
	if own, ok := tx.access().(*Access); ok && !own.plan.actsFor(next.Unit) {
		return own.refusal(customer.RightUpdate, customer.Identity, id)
	}
	mask, err := tx.maskOf(id)
	if err != nil {
		return err
	}
	if err := tx.keepHidden(id, mask, old, next); err != nil {
		return err
	}
	if old.Terms != next.Terms {
		if err := tx.mayDo(customer.RightUpdate, customer.Credit, id); err != nil {
			return err
		}
	}
	if sameLimit(old.Limit, next.Limit) {
		return nil
	}
	return tx.mayDo(customer.RightSetLimit, customer.Credit, id)
}

// keepHidden gives an overlay what is hidden of the one that it replaces. It fails when
// there is something in a hidden field already.
func (tx *Tx) keepHidden(id customer.ID, mask customer.Mask, old, next *Overlay) error {
	shown := *next
	shown.hide(mask)
	shown.rest = next.rest
	if shown != *next {
		return &customer.AccessError{Actor: tx.tx.Session().Actor, Right: customer.RightUpdate, Data: customer.Identity, Customer: id,
			Remedy: "leave what is hidden from you empty: " + strings.Join(mask.Fields(), ", ")}
	}
	rest := *old
	rest.hide(mask)
	for _, f := range []struct{ to, stored, seen *string }{
		{&next.Rep, &old.Rep, &rest.Rep}, {&next.Terms, &old.Terms, &rest.Terms}, {&next.Note, &old.Note, &rest.Note},
	} {
		if *f.seen != *f.stored {
			*f.to = *f.stored
		}
	}
	if rest.Limit != old.Limit {
		next.Limit = old.Limit
	}
	return nil
}

// actsFor reports whether the actor may change customers for a unit: by a grant that holds
// there, where no denial of the whole unit does.
func (p *plan) actsFor(unit customer.UnitID) bool {
	return slices.ContainsFunc(p.hats, func(h *hat) bool {
		return !p.deniedIn(h, customer.RightUpdate, customer.Identity, unit) && slices.ContainsFunc(h.grants, func(g *held) bool {
			return g.permits(customer.RightUpdate).has(customer.Identity) && p.tree.covers(g.Scope.reach(), unit)
		})
	})
}

// deniedIn reports whether a denial of the whole unit takes a right away there.
func (p *plan) deniedIn(h *hat, right customer.Right, d customer.Data, unit customer.UnitID) bool {
	return slices.ContainsFunc(p.denials(h), func(g *held) bool {
		return g.Scope.wide() && g.denies(right).has(d) && p.tree.covers(g.Scope.reach(), unit)
	})
}

// Home is the unit that the actor belongs to, 0 for none.
func (a *Access) Home() customer.UnitID {
	if len(a.plan.hats) == 0 {
		return 0
	}
	return a.plan.hats[0].team
}

// SeesFrom reports whether what a unit has of its own, such as an overlay, concerns the
// actor: it sees from the unit, or from one below it.
func (a *Access) SeesFrom(unit customer.UnitID) bool { return a.plan.looksFrom(unit) }

// AllowsFrom returns nil when the actor may do something for a unit: one that it belongs
// to, or in which a grant on units gives it the right, and where no denial of the whole unit takes it away.
// It must have the right on the customer as well.
func (a *Access) AllowsFrom(right customer.Right, d customer.Data, unit customer.UnitID) error {
	if a.plan.asksFrom(right, d, unit) {
		return nil
	}
	return a.refusal(right, d, 0)
}

// asksFrom reports whether the actor, or who delegated to it, does something for a unit.
func (p *plan) asksFrom(right customer.Right, d customer.Data, unit customer.UnitID) bool {
	return slices.ContainsFunc(p.hats, func(h *hat) bool { return p.asksAs(h, right, d, unit) })
}

// asksAs is asksFrom for one of those in whose place the actor acts.
func (p *plan) asksAs(h *hat, right customer.Right, d customer.Data, unit customer.UnitID) bool {
	return !p.deniedIn(h, right, d, unit) && slices.ContainsFunc(h.grants, func(g *held) bool {
		named := g.Scope.All || g.Scope.Unit != 0
		here := named && p.tree.covers(g.Scope.reach(), unit) || h.team != 0 && p.tree.Resolve(h.team) == p.tree.Resolve(unit)
		return here && g.permits(right).has(d)
	})
}

// Besides returns the home unit of who has a right on a customer, the actor or who delegated
// to it, when nobody of them does it for the unit through which it is asked for; otherwise 0.
// The customer must be as it is stored.
func (a *Access) Besides(right customer.Right, d customer.Data, c *customer.Customer, unit customer.UnitID) (home customer.UnitID, err error) {
	s := a.at(c)
	for i, h := range a.plan.hats {
		g, denied, err := a.permitsAs(h, howFor(right), right, d, s)
		switch {
		case err != nil:
			return 0, err
		case denied && i == 0:
			return 0, nil
		case g == nil:
			continue
		case a.plan.asksAs(h, right, d, unit):
			return 0, nil
		case home == 0:
			home = h.team
		}
	}
	return home, nil
}

// narrowed returns what the session may see of a placement: nothing for a customer out of
// sight, otherwise what concerns units that it sees from, and those above them.
func (r *Reader) narrowed(p *Placement) (*Placement, error) {
	a := r.access()
	if a == nil {
		return p, nil
	}
	none := &Placement{Customer: p.Customer}
	c, err := customer.Unscoped(r.customers).Exact(p.Customer)
	if isNotFound(err) {
		return none, nil
	}
	if err != nil {
		return nil, err
	}
	if sees, err := a.Sees(c); err != nil || !sees {
		return none, err
	}
	mask, err := a.Mask(c)
	if err != nil {
		return nil, err
	}
	return p.shown(mask, r.seesFrom()), nil
}

// maskOf returns what is hidden of a customer.
func (r *Reader) maskOf(id customer.ID) (customer.Mask, error) {
	a := r.access()
	if a == nil {
		return customer.Mask{}, nil
	}
	c, err := customer.Unscoped(r.customers).Exact(id)
	if err != nil {
		return customer.Mask{}, err
	}
	return a.Mask(c)
}

// seesFrom returns whether what a unit has of its own concerns the session.
func (r *Reader) seesFrom() func(customer.UnitID) bool {
	own, ok := r.access().(*Access)
	if !ok {
		return func(customer.UnitID) bool { return true }
	}
	return own.plan.looksFrom
}

// looksFrom reports whether the actor sees from a unit, or from one below it.
func (p *plan) looksFrom(unit customer.UnitID) bool {
	for _, h := range p.hats {
		for _, g := range h.grants {
			reach := g.Scope.reach()
			if g.reads.has(customer.Identity) && (p.tree.covers(reach, unit) || p.tree.Contains(unit, reach.Unit)) {
				return true
			}
		}
	}
	return false
}

// shown returns the part of a placement that a mask leaves, and that concerns units.
func (p *Placement) shown(mask customer.Mask, concerns func(customer.UnitID) bool) *Placement {
	s := *p
	s.rest = ""
	s.Assignments = slices.DeleteFunc(slices.Clone(p.Assignments), func(a Assignment) bool { return !concerns(a.Unit) })
	s.Overlays = slices.DeleteFunc(slices.Clone(p.Overlays), func(o Overlay) bool { return !concerns(o.Unit) })
	for i := range s.Assignments {
		if mask.Hides("rep") {
			s.Assignments[i].Rep = ""
		}
	}
	for i := range s.Overlays {
		s.Overlays[i].hide(mask)
	}
	return &s
}

// hide empties what a mask hides.
func (o *Overlay) hide(mask customer.Mask) {
	o.rest = ""
	if mask.Hides("rep") {
		o.Rep = ""
	}
	if mask.Hides("terms") {
		o.Terms, o.TermsOf = "", 0
	}
	if mask.Hides("limit") {
		o.Limit, o.LimitOf = nil, 0
	}
	if mask.Hides("note") {
		o.Note = ""
	}
}
