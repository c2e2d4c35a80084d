package stocktake

import (
	"errors"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
)

// gone is what counting needs of the history of a customer that was erased, and nothing
// else: neither name nor representative, place, attribute or tag. It is written in the
// transaction that erases the customer, since afterwards nobody knows what it was.
type gone struct {
	id   customer.ID
	eras []era // by version, ascending

	unknown string
}

// era is what a customer was from one of its versions on.
type era struct {
	from   uint64 // the version
	status customer.Status
	kind   customer.Kind
	party  customer.Party
	owner  customer.UnitID
}

// at returns the customer in a version, as far as it is still known.
func (g *gone) at(version uint64) *customer.Customer {
	c := &customer.Customer{ID: g.id, Version: version}
	for _, e := range g.eras {
		if e.from <= version {
			c.Status, c.Kind, c.Party, c.Owner = e.status, e.kind, e.party, e.owner
		}
	}
	return c
}

func (g *gone) add(c *customer.Customer) {
	e := era{from: c.Version, status: c.Status, kind: c.Kind, party: c.Party, owner: c.Owner}
	if n := len(g.eras); n > 0 {
		last := g.eras[n-1]
		if last.from = e.from; last == e {
			return
		}
	}
	g.eras = append(g.eras, e)
}

// Keep has the customers of a transaction tell, when one is erased, what counts of the
// past need of it. It is called before anything is changed in the transaction.
func (s *Store) Keep(tx *storage.Tx, customers *customer.Tx) {
	all := customer.Unscoped(&customers.Reader)
	customers.Guard(func(old, next *customer.Customer) error {
		if next.Status != customer.Erased || old == nil || old.Status == customer.Erased {
			return nil
		}
		g := &gone{id: next.ID}
		for c, err := range all.History(next.ID) {
			if err != nil {
				return err
			}
			g.add(c)
		}
		return s.gone.Put(tx, next.ID, g, 0)
	})
}

// goneOf returns what is kept of an erased customer; one of whom nothing is kept was
// active, as far as anybody can tell.
func (s *Store) goneOf(r *storage.Reader, id customer.ID) (*gone, error) {
	g, err := s.gone.Get(r, id)
	if errors.Is(err, storage.ErrNotFound) {
		return &gone{id: id}, nil
	}
	return g, err
}
