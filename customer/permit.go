package customer

import (
	"errors"
	"strings"

	"github.com/clientele-go/clientele/storage"
)

// changeable returns a customer as it is stored, if the actor may do something with it.
func (tx *Tx) changeable(id ID, right Right, data Data) (*Customer, error) {
	c, err := tx.stored(id)
	if err != nil || tx.access == nil {
		return c, err
	}
	if err := tx.access.Allows(right, data, c); err != nil {
		return nil, err
	}
	return c, nil
}

// told returns what the actor may see of a changed customer: what it saw of it before,
// also when it is now out of its sight.
func (tx *Tx) told(before, c *Customer) (*Customer, error) {
	if tx.access == nil {
		return c, nil
	}
	mask, err := tx.access.Mask(before)
	if err != nil {
		return nil, err
	}
	return mask.Apply(c), nil
}

// permitCreate asks for the rights to create a customer with the kinds of data that it has.
func (tx *Tx) permitCreate(c *Customer) error {
	if tx.access == nil {
		return nil
	}
	return mayCreate(tx.access, c)
}

func mayCreate(a Access, c *Customer) error {
	if err := a.Allows(RightCreate, Identity, c); err != nil {
		return err
	}
	if len(c.Phones)+len(c.Emails)+len(c.Addresses)+len(c.Contacts) == 0 {
		return nil
	}
	return a.Allows(RightCreate, Contacts, c)
}

// permitEdit asks for the rights to what differs between a stored customer and the next
// version: to transfer it, and to update each kind of data.
func (tx *Tx) permitEdit(old, next *Customer) error {
	if tx.access == nil {
		return nil
	}
	if old.Owner != next.Owner || old.Rep != next.Rep {
		if err := tx.permitTransfer(old, next); err != nil {
			return err
		}
	}
	for _, part := range []struct {
		data Data
		with *Customer // next, but for this kind of data
	}{
		{Identity, identityOf(old, next)},
		{Contacts, MaskOf(Contacts).Keep(next, old)},
	} {
		same, err := sameContent(part.with, next)
		if err == nil && !same {
			err = tx.access.Allows(RightUpdate, part.data, old)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// permitTransfer asks for the right to transfer a customer from where it is and, to
// another unit, also there: as of a customer that the unit had already.
func (tx *Tx) permitTransfer(old, next *Customer) error {
	if tx.access == nil {
		return nil
	}
	if err := tx.access.Allows(RightTransfer, Identity, old); err != nil || old.Owner == next.Owner {
		return err
	}
	there := Customer{Owner: next.Owner, Rep: next.Rep}
	return tx.access.Allows(RightTransfer, Identity, &there)
}

// identityOf returns next with old's identity: all but its contacts, owner and
// representative.
func identityOf(old, next *Customer) *Customer {
	c := MaskOf(Contacts).Keep(old, next)
	same := *c
	same.Owner, same.Rep, same.rest = next.Owner, next.Rep, next.rest
	return &same
}

// keepHidden returns an edited customer with what is hidden from the actor as it is
// stored. It fails when the actor has given something there.
func (tx *Tx) keepHidden(next, old *Customer) (*Customer, Mask, error) {
	if tx.access == nil {
		return next, Mask{}, nil
	}
	mask, err := tx.access.Mask(old)
	if err != nil || mask.Empty() {
		return next, mask, err
	}
	if given := mask.given(next); len(given) > 0 {
		return nil, mask, &AccessError{
			Actor: tx.tx.Session().Actor, Right: RightUpdate, Data: FieldData(given[0]), Customer: old.ID,
			Remedy: "leave what is hidden from you empty: " + strings.Join(given, ", "),
		}
	}
	return mask.Keep(next, old), mask, nil
}

// given returns the hidden fields that a customer has all the same.
func (m Mask) given(c *Customer) []string {
	var names []string
	for _, f := range maskable {
		if m.Hides(f.name) && c.hasField(f.name) {
			names = append(names, f.name)
		}
	}
	for _, a := range c.Attributes {
		if m.hidesAttribute(a.Name) {
			names = append(names, attributeField+a.Name)
		}
	}
	return names
}

// hasField reports whether a customer has something in a field that can be hidden.
func (c *Customer) hasField(field string) bool {
	var x Customer
	x.copyField(c, field)
	return x.Website != "" || x.Note != "" || x.Rep != "" ||
		len(x.Identifiers)+len(x.SourceKeys)+len(x.Aliases)+len(x.Phones)+len(x.Emails)+len(x.Addresses)+len(x.Contacts) > 0
}

// Elsewhere sets, before the book is used, what a refused change is told instead of a
// *DuplicateError whose holder the actor may not see, or whose field is hidden from it.
// Without it such an error names no holder. f gets a reader of everybody; it is a matter of
// who opens the book, since the error that it gets names the holder.
func (s *Store) Elsewhere(f func(r *storage.Reader, everybody *Reader, d *DuplicateError) error) {
	s.elsewhere = f
}

// taken is the error of a unique value that another customer has, as the actor may know
// it. In a field that is hidden of old, nil for a new customer, the value isn't the actor's:
// it is stored, and comes back with an unmerge.
func (tx *Tx) taken(err error, old, c *Customer) error {
	err = tx.store.duplicateOf(err, c)
	var d *DuplicateError
	if old != nil && tx.access != nil && errors.As(err, &d) {
		mask, failed := tx.access.Mask(old)
		if failed != nil {
			return failed
		}
		if mask.Hides(duplicateFields[d.Field]) {
			d.Value = ""
		}
	}
	return tx.conceal(err, tx.store.elsewhere)
}

// duplicateFields are the names by which masks know what a DuplicateError is about.
var duplicateFields = map[string]string{"Identifiers": "identifier", "SourceKeys": "source"}

// conceal keeps an error from naming a customer that the actor doesn't know to have the
// value.
func (r *Reader) conceal(err error, elsewhere func(*storage.Reader, *Reader, *DuplicateError) error) error {
	var d *DuplicateError
	if r.access == nil || !errors.As(err, &d) {
		return err
	}
	holder, failed := r.store.customer.Get(r.storage, d.Holder)
	if failed == nil {
		holder, failed = r.look(holder, duplicateFields[d.Field])
	}
	switch {
	case failed != nil && !isNotFound(failed):
		return failed
	case holder != nil:
		return err
	case elsewhere != nil:
		return elsewhere(r.storage, Unscoped(r), d)
	}
	return &DuplicateError{Field: d.Field, Value: d.Value}
}
