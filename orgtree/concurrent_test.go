package orgtree_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/orgtree"
)

// Movers, transfers, new customers, mergers and closures at once: whatever the order
// they come in, the units stay a tree, and every customer is in exactly one open unit.
func TestConcurrentChangesLoseNoCustomer(t *testing.T) {
	b := newBook(t)
	var units []customer.UnitID
	for i := range 12 {
		parent := customer.UnitID(0)
		if i > 0 {
			parent = units[(i-1)/2]
		}
		units = append(units, b.unit(fmt.Sprint("U", i), parent))
	}
	b.many(60, units[5], "")
	var created atomic.Int64
	var all sync.WaitGroup
	for worker := range 8 {
		random := rand.New(rand.NewPCG(7, uint64(worker)))
		all.Go(func() {
			for range 25 {
				unit, other := units[random.IntN(len(units))], units[random.IntN(len(units))]
				id := customer.ID(1 + random.Uint64N(60))
				kind := random.IntN(20)
				err := b.try(func(tx tx) error { return change(tx, kind, unit, other, id) })
				if err != nil && !expected(err) {
					t.Error(err)
				}
				if err == nil && kind >= 8 && kind <= 10 {
					created.Add(1)
				}
			}
		})
	}
	all.Wait()
	want, got := 60+created.Load(), int64(0)
	b.view(func(r *orgtree.Reader, customers *customer.Reader) error {
		tree, err := r.Tree()
		if err != nil {
			return err
		}
		for c, err := range customers.List(customer.List{}) {
			if err != nil {
				return err
			}
			if owner := tree.Resolve(c.Owner); !tree.Open(owner) {
				t.Errorf("customer %d is in unit %d, which is not open", c.ID, owner)
			}
			got++
		}
		return nil
	})
	if n := b.count(0); got != want || n != want {
		t.Errorf("%d customers, %d in the tree, %d were created", got, n, want)
	}
	b.verify()
}

// change makes one random change.
func change(tx tx, kind int, unit, other customer.UnitID, id customer.ID) error {
	var err error
	switch kind {
	case 0:
		_, err = tx.MergeUnits(unit, other)
	case 1:
		_, err = tx.CloseUnit(unit, time.Time{})
	case 2, 3, 4, 5, 6, 7:
		_, err = tx.MoveUnit(unit, other, time.Time{})
	case 8, 9, 10:
		_, err = tx.customers.Create(customer.Draft{Name: "n", Owner: unit})
	case 11, 12:
		_, err = tx.Assign(id, orgtree.Assignment{Unit: unit})
	default:
		_, err = tx.Transfer(id, orgtree.Destination{Unit: unit})
	}
	return err
}

func expected(err error) bool {
	return errors.Is(err, orgtree.ErrCycle) || errors.Is(err, orgtree.ErrClosed) || errors.Is(err, orgtree.ErrInUse)
}
