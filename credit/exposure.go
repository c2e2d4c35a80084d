package credit

import (
	"slices"

	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
)

// Exposure is what the customers of a scope owe and are about to owe in one currency, in
// minor units. Credits and Deposits are what they have paid in advance, as positive
// numbers.
type Exposure struct {
	Currency money.Currency
	sums     [Deliveries + 1]int64
}

// Of returns one part.
func (e *Exposure) Of(p Part) int64 {
	if p > Deliveries {
		return 0
	}
	return e.sums[p]
}

// Total returns the exposure made of some parts: debits, reservations, orders and
// deliveries, less credits and deposits.
func (e *Exposure) Total(parts Parts) (money.Amount, error) {
	total := money.Amount{Currency: e.Currency}
	var err error
	for p := Debits; p <= Deliveries && err == nil; p++ {
		if !parts.Has(p) {
			continue
		}
		part := money.Amount{Minor: e.sums[p], Currency: e.Currency}
		if p == Credits || p == Deposits {
			total, err = total.Sub(part)
		} else {
			total, err = total.Add(part)
		}
	}
	return total, err
}

// exposures is the exposure of a scope, by currency in order.
type exposures []Exposure

func (list *exposures) add(currency money.Currency, p Part, minor int64) error {
	i, found := slices.BinarySearchFunc(*list, currency, func(e Exposure, c money.Currency) int { return int(e.Currency) - int(c) })
	if !found {
		*list = slices.Insert(*list, i, Exposure{Currency: currency})
	}
	sum, ok := money.AddMinor((*list)[i].sums[p], minor)
	if !ok {
		return &Error{Op: "add up exposure", Field: p.String(), Value: currency.String(), Err: ErrOverflow}
	}
	(*list)[i].sums[p] = sum
	return nil
}

// Exposure returns the exposure of a scope by currency, without what has expired. What
// the session may not see is left out: the list is then empty. It costs some microseconds
// for a customer or group, and for a unit as much for each of those below it.
func (r *Reader) Exposure(s Scope) ([]Exposure, error) {
	s, err := r.resolved(s)
	if err != nil {
		return nil, err
	}
	shown, err := r.shows("exposure", s)
	if err != nil || !shown {
		return nil, err
	}
	return r.exposure(s)
}

func (r *Reader) exposure(s Scope) (exposures, error) {
	switch s.Kind {
	case CustomerScope:
		return r.customerExposure(s.customer())
	case GroupScope:
		return r.sharedExposure([]Scope{s}, func(c *customer.Customer, p *Profile) bool { return p.Group == GroupID(s.ID) })
	}
	units, err := r.organisation().Below(customer.UnitID(s.ID))
	if err != nil {
		return nil, err
	}
	slices.Sort(units)
	scopes := make([]Scope, len(units))
	for i, unit := range units {
		scopes[i] = OfUnit(unit)
	}
	return r.sharedExposure(scopes, func(c *customer.Customer, _ *Profile) bool {
		_, found := slices.BinarySearch(units, c.Owner)
		return found
	})
}

// customerExposure is what one customer owes by its account, and by reservations that
// have not expired.
func (r *Reader) customerExposure(id customer.ID) (exposures, error) {
	list, err := r.accountExposure(id)
	if err != nil {
		return nil, err
	}
	if err := r.addCounted(OfCustomer(id), &list); err != nil {
		return nil, err
	}
	for v, err := range r.expired(heldPrefix(id), r.store.held) {
		if err == nil {
			err = list.add(v.Amount.Currency, Reservations, -v.Open)
		}
		if err != nil {
			return nil, err
		}
	}
	return list, nil
}

// accountExposure is the part of a customer's exposure that is posted.
func (r *Reader) accountExposure(id customer.ID) (list exposures, err error) {
	balances, err := r.balances(id)
	if err != nil {
		return nil, err
	}
	for _, b := range balances {
		for p, minor := range b.parts() {
			if minor != 0 && err == nil {
				err = list.add(b.Currency, Part(p), minor)
			}
		}
	}
	return list, err
}

// parts are a balance's parts, by Part.
func (b Balance) parts() [Deposits + 1]int64 {
	return [...]int64{Debits: b.Debits, Credits: b.Credits - b.Deposits, Deposits: b.Deposits}
}

// sharedExposure adds up the counters of scopes, less what customers within have reserved
// and let expire.
func (r *Reader) sharedExposure(scopes []Scope, within func(*customer.Customer, *Profile) bool) (list exposures, err error) {
	for _, s := range scopes {
		if err := r.addCounted(s, &list); err != nil {
			return nil, err
		}
	}
	for v, err := range r.expired(nil, r.store.expiry) {
		if err != nil {
			return nil, err
		}
		c, p, err := r.counted(v.Customer)
		if err != nil {
			return nil, err
		}
		if within(c, p) {
			if err := list.add(v.Amount.Currency, Reservations, -v.Open); err != nil {
				return nil, err
			}
		}
	}
	return list, nil
}

// counted returns what decides where a customer's exposure counts: its own record, also
// while what was its own moves to the survivor of a merge.
func (r *Reader) counted(id customer.ID) (*customer.Customer, *Profile, error) {
	c, err := customer.Unscoped(r.customers).Exact(id) // exposure is computed in full
	if err != nil {
		return nil, nil, err
	}
	p, err := r.profile(id)
	return c, p, err
}

// addCounted adds what is counted for a scope.
func (r *Reader) addCounted(s Scope, list *exposures) error {
	prefix := s.append(nil)
	return r.store.exposed.Scan(r.storage, kv.Prefix(prefix), func(key storage.Key, n int64) error {
		currency, rest, err := key[len(prefix):].CutUint()
		if err != nil {
			return err
		}
		part, _, err := rest.CutUint()
		if err != nil || n == 0 {
			return err
		}
		return list.add(money.Currency(currency), Part(part), n)
	})
}

// count changes one part of the exposure of a scope.
func (tx *Tx) count(s Scope, currency money.Currency, p Part, minor int64) error {
	if minor == 0 {
		return nil
	}
	return addShared(tx.tx, tx.store.exposed, exposureKey{s, currency, p}.append(nil), minor)
}

// countReserved changes what a customer has reserved, ordered or been delivered, wherever
// that counts.
func (tx *Tx) countReserved(c *customer.Customer, group GroupID, currency money.Currency, p Part, minor int64) error {
	if err := tx.count(OfCustomer(c.ID), currency, p, minor); err != nil {
		return err
	}
	return tx.countShared(c, group, currency, p, minor)
}

func (tx *Tx) countShared(c *customer.Customer, group GroupID, currency money.Currency, p Part, minor int64) error {
	if group != 0 {
		if err := tx.count(OfGroup(group), currency, p, minor); err != nil {
			return err
		}
	}
	return tx.count(OfUnit(c.Owner), currency, p, minor)
}

// followBalance counts what a posting changed for the customer's group and unit; the
// customer's own part is read from its account.
func (tx *Tx) followBalance(b BalanceChange) error {
	c, p, err := tx.counted(b.Customer)
	if err != nil {
		return err
	}
	for part, minor := range b.parts() {
		if err := tx.countShared(c, p.Group, b.Currency, Part(part), minor); err != nil {
			return err
		}
	}
	return nil
}

// followOwner moves a customer's exposure with it to another unit.
func (tx *Tx) followOwner(old, next *customer.Customer) error {
	if old == nil || old.Owner == next.Owner {
		return nil
	}
	from, to := OfUnit(old.Owner), OfUnit(next.Owner)
	return tx.moveExposure(next.ID, &from, &to)
}

// moveExposure takes what is counted of a customer out of one shared scope and into
// another; nil is none.
func (tx *Tx) moveExposure(id customer.ID, from, to *Scope) error {
	list, err := tx.accountExposure(id)
	if err == nil {
		err = tx.addCounted(OfCustomer(id), &list)
	}
	for i := 0; i < len(list) && err == nil; i++ {
		for p := Debits; p <= Deliveries && err == nil; p++ {
			if from != nil {
				err = tx.count(*from, list[i].Currency, p, -list[i].sums[p])
			}
			if to != nil && err == nil {
				err = tx.count(*to, list[i].Currency, p, list[i].sums[p])
			}
		}
	}
	return err
}
