package credit

import (
	"context"
	"errors"
	"hash/maphash"
	"sync"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/bitset"
	"github.com/clientele-go/clientele/storage/kv"
)

// counted is where a customer's exposure counts, by the versions of its record and of its
// profile that say so.
type counted struct {
	customer customer.ID
	owner    customer.UnitID
	group    GroupID
	record   uint64
	profile  uint64 // 0 for none
}

// countedCustomers are those whose exposure a load counts, and a fingerprint of where. It is
// safe for concurrent use.
type countedCustomers struct {
	mu   sync.Mutex
	all  bitset.Set
	mark uint64
}

var countedSeed = maphash.MakeSeed()

// fingerprint is a sum, in which the order doesn't matter.
func fingerprint(list []counted) (mark uint64) {
	for _, c := range list {
		mark += maphash.Comparable(countedSeed, c)
	}
	return mark
}

func (s *countedCustomers) add(list []counted) {
	mark := fingerprint(list)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mark += mark
	for _, c := range list {
		s.all.Add(uint64(c.customer))
	}
}

// look finds out where the accounts of a row count. It fails for those of customers that
// don't exist any more, or never did.
func (ld *ledgerLoad) look(row *loadRow) error {
	row.counted = row.counted[:0]
	for n := range row.accounts {
		row.counted = append(row.counted, counted{customer: row.accounts[n].Customer})
	}
	err := ld.job.Storage.View(ld.ctx, func(r *storage.Reader) error { return ld.find(r, row.counted, mayLoad) })
	if err == nil {
		ld.seen.add(row.counted)
	}
	return err
}

// find fills in where customers count, which are neighbours in ascending order. It reads
// along with them, which costs less than looking up one after another.
func (ld *ledgerLoad) find(r *storage.Reader, list []counted, check func(*customer.Reader, *customer.Customer) error) error {
	if err := ld.findOwners(ld.job.Customers.Reader(r), list, check); err != nil {
		return err
	}
	n := 0
	for p, err := range ld.profile.Records(r, customerRange(list[0].customer, list[len(list)-1].customer+1), false) {
		if err != nil {
			return err
		}
		for n < len(list) && list[n].customer < p.Customer {
			n++
		}
		if n < len(list) && list[n].customer == p.Customer {
			list[n].group, list[n].profile = p.Group, p.Version
		}
	}
	return nil
}

var everyStatus = []customer.Status{customer.Active, customer.Suspended, customer.Archived, customer.Merged, customer.Erased}

func (ld *ledgerLoad) findOwners(customers *customer.Reader, list []counted, check func(*customer.Reader, *customer.Customer) error) error {
	neighbours := customer.List{Statuses: everyStatus}
	if before := list[0].customer - 1; before > 0 {
		neighbours.From = neighbours.After(&customer.Customer{ID: before})
	}
	for c, err := range customers.List(neighbours) {
		if err != nil {
			return err
		}
		if c.ID > list[0].customer {
			break
		}
		if c.ID < list[0].customer {
			continue
		}
		if err := check(customers, c); err != nil {
			return err
		}
		list[0].owner, list[0].record = c.Owner, c.Version
		if list = list[1:]; len(list) == 0 {
			return nil
		}
	}
	return missing("load", list[0].customer, storage.ErrNotFound)
}

// customerRange is the keys of customers from one on up to another.
func customerRange(from, to customer.ID) kv.Range {
	return kv.Range{Lower: storage.Key(nil).Uint(uint64(from)), Upper: storage.Key(nil).Uint(uint64(to))}
}

// mayLoad fails for a customer that is none any more.
func mayLoad(customers *customer.Reader, c *customer.Customer) error {
	switch c.Status {
	case customer.Merged:
		survivor, err := customers.Get(c.ID)
		if err != nil {
			return err
		}
		return &Error{Op: "load", Customer: c.ID, Field: "Customer", Value: c.ID.String(), Problem: "was merged into " + survivor.ID.String(), Remedy: "load its items with the survivor's", Err: ErrInvalid}
	case customer.Erased:
		return &customer.StatusError{ID: c.ID, Status: c.Status, Action: "load"}
	}
	return nil
}

// expose notes what an account comes to for its customer's unit and group.
func (row *loadRow) expose(a *account, at *counted) error {
	if row.exposed == nil {
		row.exposed = map[exposureKey]int64{}
	}
	for _, b := range a.balances {
		for part, minor := range b.parts() {
			if minor == 0 {
				continue
			}
			if err := row.exposeTo(OfUnit(at.owner), b, Part(part), minor); err != nil {
				return err
			}
			if at.group == 0 {
				continue
			}
			if err := row.exposeTo(OfGroup(at.group), b, Part(part), minor); err != nil {
				return err
			}
		}
	}
	return nil
}

func (row *loadRow) exposeTo(s Scope, b Balance, p Part, minor int64) error {
	key := exposureKey{s, b.Currency, p}
	sum := row.exposed[key]
	err := addTo(&sum, minor, b.Currency)
	row.exposed[key] = sum
	return err
}

// addExposure adds to what is counted for units and groups.
func (ld *ledgerLoad) addExposure(l *storage.Loader, row *loadRow) error {
	for k, sum := range row.exposed {
		row.key = k.append(row.key[:0])
		if err := ld.addSum(l, ld.exposed, row.key, sum); err != nil {
			return err
		}
	}
	return nil
}

// followMoves counts all exposure anew when customers are not as they were when the load
// read where they count: those who moved before their account was there took nothing along.
// It works to the end, since a load that was broken off has loaded something too.
func (ld *ledgerLoad) followMoves() error {
	ctx := context.WithoutCancel(ld.ctx)
	mark := uint64(0)
	err := ld.job.Storage.View(ctx, func(r *storage.Reader) error {
		mark = 0
		var list []counted
		for id := range ld.seen.all.All() {
			c := counted{customer: customer.ID(id)}
			if len(list) > 0 && logBlock(list[0].customer) != logBlock(c.customer) {
				if err := ld.find(r, list, asIs); err != nil {
					return err
				}
				mark += fingerprint(list)
				list = list[:0]
			}
			list = append(list, c)
		}
		if len(list) == 0 {
			return nil
		}
		err := ld.find(r, list, asIs)
		mark += fingerprint(list)
		return err
	})
	if err == nil && mark != ld.seen.mark || errors.Is(err, ErrNotFound) {
		_, err = ld.RecountExposure(ctx, ld.job)
	}
	return err
}

// asIs accepts every customer.
func asIs(*customer.Reader, *customer.Customer) error { return nil }
