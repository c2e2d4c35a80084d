package credit

import (
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
)

// Overlay is what a unit, or one above it, has agreed with a customer of its own. The zero
// Overlay says nothing.
type Overlay struct {
	// Limit is the most credit that the customer may have taken, whoever gave it, for more
	// to be taken through the unit; nil is none. It binds beside the limits of customer,
	// group and units, so it never lets more pass than they do.
	Limit *money.Amount
	Terms string // of payment, as ParseTerms reads them; empty says nothing
	// LimitOf and TermsOf are the units that say so.
	LimitOf, TermsOf customer.UnitID
}

// OverlaySource tells in one state of the book what holds for a customer when a unit asks.
// Its error for a unit that isn't there wraps ErrNotFound. What it reads within a
// transaction must be of that transaction, so that an overlay and a reservation that is
// made under it can't be written past one another.
type OverlaySource func(r *storage.Reader, customers *customer.Reader, id customer.ID, unit customer.UnitID) (Overlay, error)

// overlay is what a unit has agreed with a customer; unit 0 has nothing.
func (r *Reader) overlay(id customer.ID, unit customer.UnitID) (Overlay, error) {
	if unit == 0 || r.store.control.Overlay == nil {
		return Overlay{}, nil
	}
	return r.store.control.Overlay(r.storage, customer.Unscoped(r.customers), id, unit)
}

// unitAccess is what an access offers beside [customer.Access] that knows of units.
type unitAccess interface {
	// ShowsAll reports whether a field is shown of everybody whom a unit or one below it owns.
	ShowsAll(field string, unit customer.UnitID) bool
	// Home is the unit that the actor belongs to, 0 for none.
	Home() customer.UnitID
	// AllowsFrom returns nil when the actor may do something for a unit.
	AllowsFrom(right customer.Right, d customer.Data, unit customer.UnitID) error
	// SeesFrom reports whether what a unit has of its own concerns the actor.
	SeesFrom(unit customer.UnitID) bool
	// Besides returns the unit for which the actor has a right on a customer, when that isn't
	// the one through which it is asked for, and otherwise 0.
	Besides(right customer.Right, d customer.Data, c *customer.Customer, unit customer.UnitID) (customer.UnitID, error)
}

// through is the unit through which the session does something: the one that it names, if
// it may act for that, otherwise its own. Who may do everything has none of its own.
func (r *Reader) through(right customer.Right, d customer.Data, unit customer.UnitID) (customer.UnitID, error) {
	own, scoped := r.access().(unitAccess)
	switch {
	case !scoped:
		return unit, nil
	case unit == 0:
		return own.Home(), nil
	}
	return unit, own.AllowsFrom(right, d, unit)
}

// concerns reports whether what a unit has of its own may be told to the session.
func (r *Reader) concerns(unit customer.UnitID) bool {
	own, scoped := r.access().(unitAccess)
	return !scoped || unit == 0 || own.SeesFrom(unit)
}

// overlayBound is the limit of the unit through which the document is asked for, or that of
// the unit for which the session asks for more of another unit's document, whichever is lower:
// so nobody borrows a higher limit by way of a document.
func (k *check) overlayBound() (b bounding, found bool, err error) {
	unit, err := k.besides()
	if err != nil {
		return b, false, err
	}
	o, err := k.overlay(k.customer.ID, k.unit)
	if err != nil {
		return b, false, err
	}
	besides, err := k.overlay(k.customer.ID, unit)
	if err != nil {
		return b, false, err
	}
	if o, err = k.lower(o, besides); err != nil || o.Limit == nil {
		return b, false, err
	}
	return bounding{bound: bound{base: *o.Limit}, scope: OfCustomer(k.customer.ID), unit: o.LimitOf}, true, nil
}

// besides returns the unit for which the session reserves where that isn't the document's.
func (k *check) besides() (customer.UnitID, error) {
	own, scoped := k.access().(unitAccess)
	if !scoped || k.store.control.Overlay == nil {
		return 0, nil
	}
	c, err := customer.Unscoped(k.customers).Get(k.customer.ID)
	if err != nil {
		return 0, err
	}
	return own.Besides(customer.RightReserve, customer.Credit, c, k.unit)
}

// lower returns the overlay with the lower limit.
func (k *check) lower(a, b Overlay) (Overlay, error) {
	if a.Limit == nil || b.Limit == nil {
		if a.Limit == nil {
			return b, nil
		}
		return a, nil
	}
	converted, err := k.Convert(*b.Limit, a.Limit.Currency, k.day)
	if err != nil || converted.Minor < a.Limit.Minor {
		return b, err
	}
	return a, nil
}

// TermsThrough returns the terms of payment that a customer has now where a unit posts:
// those of its level of dunning while that changes them, or else those of the unit's
// overlay, or else its own. Unit 0 is the session's own. To ask for another takes a grant
// by which the session reads items there.
func (r *Reader) TermsThrough(id customer.ID, unit customer.UnitID) (Terms, error) {
	id, err := r.holder("read terms", id)
	if err != nil {
		return Terms{}, err
	}
	if unit, err = r.through(customer.RightRead, customer.Items, unit); err != nil {
		return Terms{}, err
	}
	return r.termsOf(id, unit)
}
