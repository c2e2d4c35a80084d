package credit

import (
	"cmp"
	"errors"
	"time"

	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
)

// ControlOptions set what credit control knows from elsewhere. The zero value works.
type ControlOptions struct {
	// Location is where the civil day begins and ends; nil is UTC.
	Location *time.Location
	// Org is the organisation of a state; nil is a book in which no unit is above another
	// and stated roles are believed.
	Org func(r *storage.Reader, customers *customer.Reader) Org
	// Overlay tells what units have agreed with a customer of their own; with nil, a unit that
	// is named in a Request or Document is kept, and changes nothing.
	Overlay OverlaySource
	// DaysLate tells by how many days a customer usually pays late, and whether that is
	// known; with nil, steps of PaymentBehaviour find nothing.
	DaysLate func(r *Reader, id customer.ID) (days int64, known bool, err error)
}

// Org is what credit control asks of the organisation, in one state of the book. Unit 0
// is the book itself.
type Org interface {
	// Above returns the units above one, the nearest first and without unit 0. Its error
	// for a unit that isn't there wraps ErrNotFound.
	Above(unit customer.UnitID) ([]customer.UnitID, error)
	// Below returns a unit and all below it, with those that were merged into them; for
	// unit 0 all units, and 0.
	Below(unit customer.UnitID) ([]customer.UnitID, error)
	// HasRole reports whether an actor has a role.
	HasRole(actor, role string) (bool, error)
}

// flat is an organisation without a tree.
type flat struct{}

func (flat) Above(customer.UnitID) ([]customer.UnitID, error) { return nil, nil }

func (flat) Below(unit customer.UnitID) ([]customer.UnitID, error) {
	return []customer.UnitID{unit}, nil
}

func (flat) HasRole(string, string) (bool, error) { return true, nil }

// control is what a Store needs for credit control.
type control struct {
	ControlOptions
	Base money.Currency // in which rates are given and approvals are routed
}

func newControl(opts Options) control {
	c := control{opts.Control, cmp.Or(opts.Base, money.CNY)}
	if c.Location == nil {
		c.Location = time.UTC
	}
	if c.Org == nil {
		c.Org = func(*storage.Reader, *customer.Reader) Org { return flat{} }
	}
	return c
}

func (r *Reader) organisation() Org { return r.store.control.Org(r.storage, r.customers) }

// today is the civil day of the reader's instant.
func (r *Reader) today() date.Date { return date.Of(r.now().In(r.store.control.Location)) }

// beginControl makes credit control follow what else happens in the transaction: exposure
// goes with a customer to another unit, and free text goes when it is erased.
func (tx *Tx) beginControl() {
	tx.customers.Guard(tx.followOwner)
	tx.customers.OnErase(tx.forgetControl)
}

// allow asks whether the session may do something with the credit of a customer, or who
// stands for it, or with 0 with what concerns no single one.
func (r *Reader) allow(right customer.Right, id customer.ID) error {
	switch {
	case r.access() == nil:
		return nil
	case id == 0:
		return r.customers.PermitAll(right, customer.Credit)
	}
	_, err := r.standing(right, customer.Credit, id)
	return err
}

// debtor returns the customer whose credit an id means, that is for one that was merged its
// survivor, if the session may read it.
func (r *Reader) debtor(id customer.ID) (customer.ID, error) {
	return r.standing(customer.RightRead, customer.Credit, id)
}

// resolved is a scope, that of a merged customer as its survivor's.
func (r *Reader) resolved(s Scope) (Scope, error) {
	if s.Kind != CustomerScope {
		return s, nil
	}
	c, err := r.customers.Get(s.customer())
	if err != nil {
		return s, err
	}
	return OfCustomer(c.ID), nil
}

// shows reports whether a field (limit, exposure, …) of a scope may be disclosed. What
// customers share is only shown to who sees it of everybody, in a unit of all that are its,
// since others could work out from it what is not theirs to know.
func (r *Reader) shows(field string, s Scope) (bool, error) {
	access := r.customers.Access()
	if access == nil {
		return true, nil
	}
	if s.Kind != CustomerScope {
		units, ok := access.(unitAccess)
		return access.WithinUnmasked(field) == nil || ok && s.Kind == UnitScope && units.ShowsAll(field, customer.UnitID(s.ID)), nil
	}
	err := r.allow(customer.RightRead, s.customer())
	if errors.Is(err, customer.ErrDenied) {
		return false, nil // hidden, not refused: a check goes on without showing its figures
	}
	if err != nil {
		return false, err
	}
	c, err := customer.Unscoped(r.customers).Get(s.customer())
	if err != nil {
		return false, err
	}
	mask, err := access.Mask(c)
	return err == nil && !mask.Hides(field), err
}
