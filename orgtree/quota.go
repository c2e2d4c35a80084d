package orgtree

import (
	"fmt"

	"github.com/clientele-go/clientele/customer"
)

// repQuota bounds the customers of one representative.
type repQuota struct{ Max int64 }

// SetRepQuota bounds the active and suspended customers of one representative in all
// units, whatever their units say; 0 takes the bound away, so that the units' RepQuota
// holds again. Who has more already keeps them and gets no new ones.
func (tx *Tx) SetRepQuota(rep string, limit int64) error {
	if rep == "" || limit < 0 || limit > maxQuota {
		return &Error{Op: "set quota", Field: "Rep", Value: rep, Remedy: fmt.Sprintf("name a representative, and a bound from 0 to %d", int64(maxQuota)), Err: ErrInvalid}
	}
	if err := tx.mayAdminister(0); err != nil {
		return err
	}
	present, err := tx.RepQuota(rep)
	if err != nil || present == limit {
		return err
	}
	if limit == 0 {
		return tx.store.repQuota.Delete(tx.tx, rep, uint8(QuotaSet))
	}
	return tx.store.repQuota.Put(tx.tx, rep, &repQuota{Max: limit}, uint8(QuotaSet))
}

// RepQuota returns the bound that SetRepQuota set, 0 for none.
func (r *Reader) RepQuota(rep string) (int64, error) {
	q, err := r.store.repQuota.Get(r.storage, rep)
	if isNotFound(err) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return q.Max, nil
}

// Customers returns how many active and suspended customers a unit and those below it
// own, 0 for the whole book, of those that the session sees. A merged unit has those of
// its survivor. It reads one counter for
// each unit below, or for a session that doesn't see everybody, sets of them.
func (r *Reader) Customers(unit customer.UnitID) (int64, error) {
	tree, err := r.Tree()
	if err != nil {
		return 0, err
	}
	if a := r.access(); a != nil && a.Within() != nil {
		return r.countSeen(tree, unit)
	}
	return r.count(tree, tree.Resolve(unit))
}

func (r *Reader) count(tree *Tree, unit customer.UnitID) (total int64, err error) {
	customers := customer.Unscoped(r.customers)
	for id := range tree.Subtree(unit) {
		n, err := customers.OwnerCount(id)
		if err != nil {
			return 0, err
		}
		total += n
	}
	return total, nil
}

// admit is the guard of customers' changes. What it reads to decide, counts among it,
// the commit checks again, so that concurrent changes can't go past a quota together.
func (tx *Tx) admit(old, next *customer.Customer) error {
	if next.Status > customer.Archived { // merged or erased: nothing of it counts any more
		return nil
	}
	enters := next.Status <= customer.Suspended && (old == nil || old.Status > customer.Suspended)
	leaves := old == nil || old.Owner != next.Owner
	if !enters && !leaves && old.Rep == next.Rep {
		return nil
	}
	tree, err := tx.Tree()
	if err != nil {
		return err
	}
	if tree.hasUnits() {
		if err := tree.checkOwner(next.Owner, leaves); err != nil {
			return err
		}
	}
	if next.Status > customer.Suspended {
		return nil
	}
	if enters || leaves {
		if err := tx.checkUnitQuota(tree, old, next, enters); err != nil {
			return err
		}
	}
	if next.Rep != "" && (enters || old.Rep != next.Rep) {
		return tx.checkRepQuota(tree, old, next)
	}
	return nil
}

// hasUnits reports whether the book has any unit beside itself, opened or not.
func (t *Tree) hasUnits() bool {
	return len(t.all) > 1 || len(t.all) == 1 && t.all[0].ID != 0
}

// checkOwner reports whether a unit can own customers; a merged one only those that it
// has.
func (t *Tree) checkOwner(owner customer.UnitID, leaves bool) error {
	if owner == 0 {
		return nil
	}
	if !leaves {
		owner = t.Resolve(owner)
	}
	u, found := t.Unit(owner)
	if !found && (uint64(owner) >= uint64(len(t.byID)) || t.byID[owner] == 0) {
		return unknownUnit("place customer", owner)
	}
	if !found {
		u = t.all[t.byID[owner]-1]
	}
	return u.checkOpen("place customer", "Owner", t.at)
}

// checkUnitQuota checks the quotas of the units above a customer's new owner, those
// left aside that it is in already.
func (tx *Tx) checkUnitQuota(tree *Tree, old, next *customer.Customer, enters bool) error {
	check := func(unit customer.UnitID) error {
		u, found := tree.Unit(unit)
		if !found || u.Quota == 0 || !enters && tree.Contains(unit, old.Owner) {
			return nil
		}
		return tx.checkRoom(tree, u, 1)
	}
	owner := tree.Resolve(next.Owner)
	if owner != 0 {
		if err := check(owner); err != nil {
			return err
		}
		for unit := range tree.Ancestors(owner) {
			if err := check(unit); err != nil {
				return err
			}
		}
	}
	return check(0)
}

func (tx *Tx) checkRoom(tree *Tree, u *Unit, more int64) error {
	present, err := tx.count(tree, u.ID)
	if err != nil {
		return err
	}
	if present+more > u.Quota {
		if !tx.showsAt(u.ID) {
			present = u.Quota // how far it is exceeded is not for the actor to know
		}
		return &QuotaError{Unit: u.ID, Limit: u.Quota, Present: present}
	}
	return nil
}

// checkMovedQuota checks the quotas of the units that come to be above a moved unit.
func (tx *Tx) checkMovedQuota(tree *Tree, moved, parent customer.UnitID) error {
	customers := int64(-1) // not counted yet
	for unit := parent; unit != 0; unit = tree.Parent(unit) {
		u, found := tree.Unit(unit)
		if !found || u.Quota == 0 || tree.Contains(unit, moved) {
			continue
		}
		if customers < 0 {
			var err error
			if customers, err = tx.count(tree, moved); err != nil {
				return err
			}
		}
		if customers == 0 {
			return nil
		}
		if err := tx.checkRoom(tree, u, customers); err != nil {
			return err
		}
	}
	return nil
}

func (tx *Tx) checkRepQuota(tree *Tree, old, next *customer.Customer) error {
	limit, err := tx.RepQuota(next.Rep)
	if err != nil {
		return err
	}
	unit := tree.Resolve(next.Owner)
	if limit == 0 {
		unit, limit = tree.repQuota(unit)
	} else {
		unit = 0
	}
	if limit == 0 {
		return nil
	}
	present, err := customer.Unscoped(tx.Reader.customers).RepCount(next.Rep)
	if err != nil {
		return err
	}
	if present < limit {
		return nil
	}
	return tx.repExceeded(&QuotaError{Unit: unit, Rep: next.Rep, Limit: limit, Present: present}, old)
}

// repExceeded is an error about a representative as the session may know it: how far the
// quota is exceeded only if it sees everybody, and the representative if it sees that of
// the customer, which is nil for a new one: who makes it has just named its representative.
func (tx *Tx) repExceeded(e *QuotaError, c *customer.Customer) error {
	access := tx.access()
	if access == nil {
		return e
	}
	if access.Within() != nil {
		e.Present = e.Limit
	}
	if c == nil {
		return e
	}
	mask, err := access.Mask(c)
	if err != nil {
		return err
	}
	if mask.Hides("rep") {
		return &Error{Op: "place customer", Field: "Rep", Remedy: "ask someone who sees the representative to transfer some customers to another", Err: ErrQuota}
	}
	return e
}

// repQuota returns the nearest bound from a unit upward, and whose it is.
func (t *Tree) repQuota(unit customer.UnitID) (customer.UnitID, int64) {
	for {
		if u, found := t.Unit(unit); found && u.RepQuota > 0 {
			return unit, u.RepQuota
		}
		if unit == 0 {
			return 0, 0
		}
		unit = t.Parent(unit)
	}
}
