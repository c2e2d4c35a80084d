package orgtree_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/orgtree"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/bitset"
)

// warm is a book that is changed at random while stores that have kept whatever they keep
// in memory answer beside new ones, which have nothing yet, about one state.
type warm struct {
	*book
	mu          sync.Mutex
	units       []customer.UnitID
	delegations []orgtree.DelegationID
	changed     atomic.Int64 // changes that the book took
}

var warmActors = []string{"p0", "p1", "p2", "p3"}

func newWarm(t *testing.T) *warm {
	w := &warm{book: newBook(t)}
	for i := range 12 {
		parent := customer.UnitID(0)
		if i > 2 {
			parent = w.units[(i-1)/2]
		}
		unit := orgtree.Unit{Code: fmt.Sprint("U", i), Parent: parent}
		unit.Sharing[customer.Identity] = orgtree.Policy(i % 6)
		w.units = append(w.units, w.unitOf(unit))
	}
	w.update(func(tx tx) error {
		if err := (&accessWorld{}).makeAdministrator(tx); err != nil {
			return err
		}
		for i := range 2 {
			role := orgtree.Role{Name: fmt.Sprint("r", i), Permissions: permissions(customer.RightRead, customer.RightUpdate)}
			if _, err := tx.SetRole(role); err != nil {
				return err
			}
		}
		for i, id := range warmActors {
			if _, err := tx.SetPrincipal(orgtree.Principal{ID: id, Home: w.units[i]}); err != nil {
				return err
			}
		}
		scopes := []orgtree.Scope{{Unit: w.units[1]}, {Unit: w.units[2], Alone: true}, {Own: true}, {Unit: w.units[3]}, {Unit: w.units[4]}}
		for i, s := range scopes {
			if _, err := tx.Give(orgtree.Grant{Principal: warmActors[i%3], Role: "r0", Scope: s}); err != nil {
				return err
			}
		}
		return nil
	})
	random := rand.New(rand.NewPCG(1, 1))
	for range 40 {
		w.change(random, 0)
	}
	return w
}

// warmChanges is the number of kinds of changes.
const warmChanges = 24

// change makes one change of a kind; the book may refuse it.
func (w *warm) change(random *rand.Rand, kind int) {
	if err := w.tryChange(random, kind); err == nil {
		w.changed.Add(1)
	} else if errors.Is(err, storage.ErrCorrupt) {
		w.t.Error(err)
	}
}

func (w *warm) tryChange(random *rand.Rand, kind int) error {
	w.mu.Lock()
	unit, other := w.units[random.IntN(len(w.units))], w.units[random.IntN(len(w.units))]
	w.mu.Unlock()
	id := customer.ID(1 + random.IntN(60))
	rep, now := warmActors[random.IntN(4)], w.clock()
	name := fmt.Sprint([]string{"Ann", "Bob", "王", "李"}[random.IntN(4)], random.IntN(9))
	switch kind {
	case 20:
		_, err := w.storage.Repair(w.t.Context())
		return err
	case 21:
		w.load(3, unit)
		return nil
	case 22:
		_, err := w.org.Tick(w.t.Context(), w.job())
		return err
	}
	return w.try(func(tx tx) (err error) {
		switch kind {
		case 0:
			_, err = tx.customers.Create(customer.Draft{Name: name, Owner: unit, Rep: rep})
		case 1, 2:
			_, err = tx.Transfer(id, orgtree.Destination{Unit: unit, Rep: rep})
		case 3:
			c, failed := tx.customers.Get(id)
			if failed != nil {
				return failed
			}
			c.Name = name
			_, err = tx.customers.Update(c)
		case 4:
			_, err = tx.customers.Archive(id)
		case 5:
			_, err = tx.customers.Reactivate(id)
		case 6:
			_, err = tx.Assign(id, orgtree.Assignment{Unit: unit, Rep: rep, From: now.Add(time.Hour), Until: now.Add(3 * time.Hour)})
		case 7:
			_, err = tx.Assign(id, orgtree.Assignment{Unit: unit, Team: other})
		case 8:
			_, err = tx.Withdraw(id, unit)
		case 9:
			_, err = tx.MoveUnit(unit, other, time.Time{})
		case 10:
			_, err = tx.MoveUnit(unit, other, now.Add(2*time.Hour))
		case 11:
			_, err = tx.CloseUnit(unit, time.Time{})
		case 12:
			_, err = tx.MergeUnits(unit, other)
		case 13:
			_, err = tx.Give(orgtree.Grant{Principal: rep, Role: "r1", Scope: orgtree.Scope{Unit: unit}, Until: now.Add(2 * time.Hour), Deny: random.IntN(3) == 0})
		case 14:
			for g, failed := range tx.GrantsOf(rep) {
				if failed != nil {
					return failed
				}
				return tx.Revoke(g.ID)
			}
		case 15:
			d, failed := tx.Delegate(orgtree.Delegation{From: rep, To: warmActors[random.IntN(4)], Begin: now.Add(time.Hour), End: now.Add(4 * time.Hour)})
			if err = failed; err == nil {
				w.mu.Lock()
				w.delegations = append(w.delegations, d.ID)
				w.mu.Unlock()
			}
		case 16:
			_, err = tx.SetPrincipal(orgtree.Principal{ID: rep, Home: unit, Disabled: random.IntN(3) == 0})
		case 17:
			rights := []customer.Right{customer.RightRead, customer.RightUpdate}
			_, err = tx.SetRole(orgtree.Role{Name: "r1", Permissions: permissions(rights[random.IntN(2)])})
		case 18:
			u, failed := tx.Unit(unit)
			if failed != nil {
				return failed
			}
			u.Sharing[customer.Identity] = orgtree.Policy(random.IntN(6))
			_, err = tx.UpdateUnit(u)
		case 19:
			w.mu.Lock()
			list := w.delegations
			w.mu.Unlock()
			if len(list) > 0 {
				err = tx.EndDelegation(list[random.IntN(len(list))])
			}
		default:
			loser := customer.ID(1 + random.IntN(60))
			if random.IntN(2) == 0 {
				_, _, err = tx.customers.Unmerge(loser)
				return err
			}
			_, err = tx.customers.Merge(id, []customer.ID{loser}, func(survivor, _ *customer.Customer) (*customer.Customer, error) { return survivor, nil })
		}
		return err
	})
}

// answers is what an actor is told of a state: whom it sees, their masks, whole lists
// by pages, counts.
func (w *warm) answers(r *storage.Reader, org *orgtree.Store, customers *customer.Store, actor string) (string, error) {
	access, err := org.Access(r, customers.Reader(r), actor)
	if err != nil || access == nil {
		return "", err
	}
	var b strings.Builder
	reader := customers.ReaderWith(r, access)
	for _, field := range []string{"", "rep"} {
		fmt.Fprint(&b, field, ":")
		for id, err := range bitset.Members(access.WithinUnmasked(field), 0) {
			if err != nil {
				return "", err
			}
			fmt.Fprint(&b, " ", id)
		}
	}
	for _, l := range []customer.List{{}, {Order: customer.ByName}, {Order: customer.ByName, Reverse: true}, {Order: customer.ByCode}} {
		fmt.Fprintf(&b, "\n%v:", l.Order)
		if err := pages(&b, reader, l, 4); err != nil {
			return "", err
		}
	}
	n, err := org.Reader(r, reader).Customers(0)
	if err != nil {
		return "", err
	}
	counts, err := reader.Counts()
	fmt.Fprint(&b, "\n", n, counts)
	return b.String(), err
}

// pages writes a list, read some at a time.
func pages(b *strings.Builder, customers *customer.Reader, l customer.List, size int) error {
	for {
		n := 0
		var last *customer.Customer
		for c, err := range customers.List(l) {
			if err != nil {
				return err
			}
			fmt.Fprint(b, " ", c.ID, c.Rep)
			if last, n = c, n+1; n == size {
				break
			}
		}
		if n < size {
			return nil
		}
		l.From = l.After(last)
	}
}

// compare answers a state by the stores that have been at work, and by new ones.
func (w *warm) compare(r *storage.Reader) error {
	customers, err := customer.New(customer.Options{})
	if err != nil {
		return err
	}
	org := orgtree.New(orgtree.Options{Clock: w.clock, Filters: testFilters{}})
	for _, actor := range warmActors {
		got, err := w.answers(r, w.org, w.customers, actor)
		if err != nil {
			return err
		}
		want, err := w.answers(r, org, customers, actor)
		if err != nil {
			return err
		}
		if got != want {
			return fmt.Errorf("%s is told\n%s\nby what is kept, and by what is stored\n%s", actor, got, want)
		}
	}
	return nil
}

// hold opens a state; look compares answers in it, and lets it go with last.
func (w *warm) hold() (look func(last bool) error) {
	asked, told := make(chan bool), make(chan error)
	go func() {
		err := w.storage.View(w.t.Context(), func(r *storage.Reader) error {
			for last := range asked {
				told <- w.compare(r)
				if last {
					break
				}
			}
			return nil
		})
		if err != nil {
			w.t.Error(err)
		}
	}()
	return func(last bool) error { asked <- last; return <-told }
}

func (w *warm) look() error {
	return w.storage.View(w.t.Context(), w.compare)
}

// Nothing that is kept in memory outlives what it was made of: after changes of every kind,
// as the clock moves on, and in states that were opened before.
func TestWhatIsKeptIsWhatIsStored(t *testing.T) {
	w := newWarm(t)
	w.changed.Store(0)
	random := rand.New(rand.NewPCG(8, 4))
	old := w.hold()
	steps := 160
	if testing.Short() {
		steps = 60
	}
	for step := range steps {
		if random.IntN(8) == 0 {
			w.setClock(w.clock().Add(time.Duration(random.IntN(90)) * time.Minute))
		}
		kind := step % warmChanges
		w.change(random, kind)
		if err := w.look(); err != nil {
			t.Fatalf("after step %d, change %d: %v", step, kind, err)
		}
		if step%5 > 0 {
			continue
		}
		last := step%20 == 0
		if err := old(last); err != nil {
			t.Fatalf("of an older state, after step %d: %v", step, err)
		}
		if last {
			old = w.hold()
		}
	}
	if err := old(true); err != nil {
		t.Error(err)
	}
	if n := w.changed.Load(); n < int64(steps/3) {
		t.Errorf("the book took %d changes of %d: too few to tell", n, steps)
	}
	w.verify()
}

// The same while others write.
func TestWhatIsKeptIsWhatIsStoredBesideWriters(t *testing.T) {
	w := newWarm(t)
	var writing, reading sync.WaitGroup
	done := make(chan struct{})
	for g := range 4 {
		writing.Go(func() {
			random := rand.New(rand.NewPCG(5, uint64(g)))
			for range 30 {
				kind := random.IntN(warmChanges)
				if kind == 20 {
					kind = 1
				}
				w.change(random, kind)
			}
		})
	}
	for range 3 {
		reading.Go(func() {
			for {
				if err := w.look(); err != nil {
					t.Error(err)
					return
				}
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	writing.Wait()
	close(done)
	reading.Wait()
	w.verify()
}
