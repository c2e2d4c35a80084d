package customer

import (
	"encoding/binary"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/clientele-go/clientele/storage"
)

// Placing sets, before the book is used, what tells of a state whether customers can be loaded
// into a unit: loads pass the guards of a transaction by. Each part of a load asks it in the
// state on which it is committed, of all units that drafts named so far. What f returns may
// be asked after the state was closed.
func (s *Store) Placing(f func(*storage.Reader) (func(owner UnitID) error, error)) {
	s.placing = f
}

// permission is what decides whether a draft may be loaded, as far as drafts differ.
type permission struct {
	owner    UnitID
	rep      string
	contacts bool
}

// append appends what tells permissions apart: in a map it is found sooner than they are.
func (p permission) append(dst []byte) []byte {
	dst = binary.LittleEndian.AppendUint64(dst, uint64(p.owner))
	if p.contacts {
		return append(append(dst, 1), p.rep...)
	}
	return append(append(dst, 0), p.rep...)
}

// customer is one that needs the permission.
func (p permission) customer() *Customer {
	c := &Customer{Owner: p.owner, Rep: p.rep}
	if p.contacts {
		c.Phones = make([]Phone, 1)
	}
	return c
}

// loadPermits asks whether drafts may be loaded.
type loadPermits struct {
	access  AccessAt
	placing func(*storage.Reader) (func(owner UnitID) error, error)
	answers map[string]answer        // by permission
	key     []byte                   // of the permission asked for
	round   int                      // of some thousand drafts, which share a state
	place   func(owner UnitID) error // of the round's state, nil before it was read
	bound   bool                     // in that state: rights tell what may be created

	mu     sync.Mutex
	needed map[permission]bool // of all drafts
}

// answer is whether drafts may be loaded, as a round's state had it.
type answer struct {
	round  int
	err    error
	needed bool // noted as needed, in this round or before
}

// none reports whether everything may be loaded.
func (x *loadPermits) none() bool { return x.access == nil && x.placing == nil }

// permit asks for the right to create a draft, once in some thousand drafts that are
// alike. A draft that may not be created ends the load: it is no mistake in the data.
func (ld *loading) permit(d *Draft) error {
	x := &ld.permits
	if x.none() {
		return nil
	}
	p := permission{d.Owner, d.Rep, len(d.Phones)+len(d.Emails)+len(d.Addresses)+len(d.Contacts) > 0}
	x.key = p.append(x.key[:0])
	known, found := x.answers[string(x.key)]
	if found && known.round == x.round {
		return known.err
	}
	p.rep = strings.Clone(p.rep) // not the whole text that it may be a part of
	known.round, known.err = x.round, ld.decide(p)
	if known.err == nil && !known.needed {
		known.needed = true
		x.need(p) // by the part that is being filled; a refused draft is in none
	}
	x.answers[string(x.key)] = known
	return known.err
}

// decide asks for a permission in the state of the round. Where no rights bind the actor the
// unit alone decides, and the state is read once.
func (ld *loading) decide(p permission) error {
	x := &ld.permits
	if x.place != nil && !x.bound {
		return x.place(p.owner)
	}
	return ld.storage.View(ld.ctx, func(r *storage.Reader) (err error) {
		if x.place == nil {
			if x.place, err = x.placingIn(r); err != nil {
				return err
			}
		}
		a, err := x.access.In(r)
		if err != nil {
			return err
		}
		x.bound = a != nil
		return ask(a, x.place, p)
	})
}

// again has everything asked anew.
func (x *loadPermits) again() {
	if x.answers == nil {
		x.answers = map[string]answer{}
	}
	x.round, x.place = x.round+1, nil
}

func (x *loadPermits) need(p permission) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.needed == nil {
		x.needed = map[permission]bool{}
	}
	x.needed[p] = true
}

// askAll asks for all that was needed so far, as a state has it.
func (x *loadPermits) askAll(r *storage.Reader) error {
	x.mu.Lock()
	needed := slices.Collect(maps.Keys(x.needed))
	x.mu.Unlock()
	place, err := x.placingIn(r)
	if err != nil {
		return err
	}
	a, err := x.access.In(r)
	if err != nil {
		return err
	}
	return ask(a, place, needed...)
}

// placingIn returns what tells whether customers can be loaded into a unit.
func (x *loadPermits) placingIn(r *storage.Reader) (func(owner UnitID) error, error) {
	if x.placing == nil {
		return func(UnitID) error { return nil }, nil
	}
	return x.placing(r)
}

func ask(a Access, place func(owner UnitID) error, needed ...permission) error {
	for _, p := range needed {
		if a != nil {
			if err := mayCreate(a, p.customer()); err != nil {
				return err
			}
		}
		if err := place(p.owner); err != nil {
			return err
		}
	}
	return nil
}

// taken is the error of a unique value that another customer has, as the actor may know
// it.
func (ld *loading) taken(err error) error {
	err = ld.duplicate(err)
	var d *DuplicateError
	if ld.opts.Access == nil || !errors.As(err, &d) {
		return err
	}
	told := error(&DuplicateError{Field: d.Field, Value: d.Value})
	failed := ld.storage.View(ld.ctx, func(r *storage.Reader) error {
		a, failed := ld.opts.Access(r)
		if failed == nil {
			told = ld.ReaderWith(r, a).conceal(err, nil)
		}
		return failed
	})
	return errors.Join(told, failed)
}
