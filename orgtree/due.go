package orgtree

import (
	"context"
	"slices"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
)

// Correction is one difference between the sets of customers by unit, as they are
// stored, and what is in force now: an assignment that began or ended since the
// placement was written.
type Correction struct {
	Customer customer.ID
	Unit     customer.UnitID
	Team     bool // of the sets by team, otherwise of those by unit
	Add      bool
}

// Corrections returns what the stored sets lack until [Store.Tick] has run, of customers
// and units that concern the session: normally nothing. It costs one scan that finds nothing, and a read for each placement that is
// due.
func (r *Reader) Corrections() ([]Correction, error) {
	var list []Correction
	for id, err := range r.dueNow() {
		if err != nil {
			return nil, err
		}
		if visible, err := r.customers.Visible(id); err != nil || !visible {
			if err != nil {
				return nil, err
			}
			continue
		}
		p, err := r.placementOf(id)
		if err != nil {
			return nil, err
		}
		settled := *p
		settled.Assignments = slices.Clone(p.Assignments)
		settled.settle(r.now())
		list = corrections(list, p, &settled)
	}
	concerns := r.seesFrom()
	return slices.DeleteFunc(list, func(c Correction) bool { return !concerns(c.Unit) }), nil
}

// corrections appends what leads from the sets of one placement to those of another.
func corrections(list []Correction, from, to *Placement) []Correction {
	for _, team := range []bool{false, true} {
		keys := assignedKeys
		if team {
			keys = teamKeys
		}
		before, after := unitsIn(keys, from), unitsIn(keys, to)
		for _, unit := range after {
			if !slices.Contains(before, unit) {
				list = append(list, Correction{from.Customer, unit, team, true})
			}
		}
		for _, unit := range before {
			if !slices.Contains(after, unit) {
				list = append(list, Correction{from.Customer, unit, team, false})
			}
		}
	}
	return list
}

// unitsIn returns the units under whose keys a placement is marked.
func unitsIn(keys func(*storage.KeySet, *Placement), p *Placement) (units []customer.UnitID) {
	var set storage.KeySet
	keys(&set, p)
	for i := range set.Len() {
		if unit, _, err := set.Key(i).CutUint(); err == nil {
			units = append(units, customer.UnitID(unit))
		}
	}
	return units
}

// dueNow yields the customers with an assignment that began or ended since their
// placement was written.
func (r *Reader) dueNow() func(func(customer.ID, error) bool) {
	return func(yield func(customer.ID, error) bool) {
		until := kv.Range{Upper: storage.Key(nil).Uint(uint64(max(0, r.now().UnixMicro())) + 1)}
		for e, err := range r.store.placement.Entries(r.storage, r.store.due, until, false) {
			var id customer.ID
			if err == nil {
				var rest storage.Key
				if _, rest, err = e.Key().CutUint(); err == nil {
					id, err = e.Primary(rest)
				}
			}
			if !yield(id, err) || err != nil {
				return
			}
		}
	}
}

// Tick brings the stored sets up to date with assignments that began or ended, and
// returns how many customers it changed. It also writes how grants were used; see
// [Store.FlushUses]. Reads are right without it, but pay for each
// assignment that is due; a program calls it once a day or more often. It can be stopped
// at any time.
func (s *Store) Tick(ctx context.Context, j Job) (int, error) {
	if _, err := s.FlushUses(ctx, j); err != nil {
		return 0, err
	}
	total := 0
	for {
		ids, err := s.duePart(ctx, j)
		if err != nil || len(ids) == 0 {
			return total, err
		}
		changed := 0
		_, err = j.Storage.Update(ctx, j.Session, func(tx *storage.Tx) error {
			changed = 0
			t := s.Tx(tx, j.Customers.Tx(tx))
			for _, id := range ids {
				did, err := t.settle(id)
				if err != nil {
					return err
				}
				if did {
					changed++
				}
			}
			return nil
		})
		if err != nil {
			return total, err
		}
		if total += changed; changed == 0 {
			return total, nil // somebody else was faster
		}
	}
}

func (s *Store) duePart(ctx context.Context, j Job) (ids []customer.ID, err error) {
	err = j.Storage.View(ctx, func(r *storage.Reader) error {
		reader := Reader{store: s, storage: r, instant: j.Storage.Now()}
		for id, err := range reader.dueNow() {
			if err != nil {
				return err
			}
			if ids = append(ids, id); len(ids) == partSize {
				break
			}
		}
		return nil
	})
	return ids, err
}

// settle writes one placement as it is now.
func (tx *Tx) settle(id customer.ID) (changed bool, err error) {
	p, err := tx.placementOf(id)
	if err != nil || p.Version == 0 {
		return false, err
	}
	before := p.Version
	p.settle(tx.now())
	err = tx.putPlacement("tick", p, PlacementDue)
	return p.Version != before, err
}

// AssignmentDue returns when an assignment of any customer that the session sees next
// begins or ends, zero for never: until then Tick has nothing to do for these.
func (r *Reader) AssignmentDue() (time.Time, error) {
	for e, err := range r.store.placement.Entries(r.storage, r.store.due, kv.Range{}, false) {
		if err != nil {
			return time.Time{}, err
		}
		micro, rest, err := e.Key().CutUint()
		if err != nil {
			return time.Time{}, err
		}
		id, err := e.Primary(rest)
		if err != nil {
			return time.Time{}, err
		}
		visible, err := r.customers.Visible(id)
		if err != nil {
			return time.Time{}, err
		}
		if visible {
			return time.UnixMicro(int64(micro)).UTC(), nil
		}
	}
	return time.Time{}, nil
}
