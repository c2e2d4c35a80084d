package customer

import (
	"iter"

	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/bitset"
)

// Assign gives a customer to an owning unit, 0 for none, and to a sales representative,
// empty for none. Unlike Update it reads nothing else of the record, so that a schema
// which grew stricter since does not hold it up, and archived customers can be assigned
// too. It fails with a *StatusError for merged and erased ones. When nothing is
// different, no version is made. It needs the right to transfer where the customer is and,
// to another unit, where it goes. Who may not see the representative leaves it empty, and
// as it is.
func (tx *Tx) Assign(id ID, owner UnitID, rep string) (*Customer, error) {
	var p problems
	p.text("Rep", &rep, MaxText)
	if err := p.err(); err != nil {
		return nil, err
	}
	old, err := tx.changeable(id, RightTransfer, Identity)
	if err != nil {
		return nil, err
	}
	if old.Status > Archived {
		return nil, &StatusError{ID: id, Status: old.Status, Action: "assign"}
	}
	if rep, err = tx.keepRep(old, rep); err != nil {
		return nil, err
	}
	if old.Owner == owner && old.Rep == rep {
		return tx.told(old, old)
	}
	next := *old
	next.Owner, next.Rep = owner, rep
	if err := tx.permitTransfer(old, &next); err != nil {
		return nil, err
	}
	return tx.put(old, &next, Transferred)
}

// keepRep is the representative that a customer gets: the one that it has, where that is
// hidden from the actor.
func (tx *Tx) keepRep(old *Customer, rep string) (string, error) {
	if tx.access == nil {
		return rep, nil
	}
	mask, err := tx.access.Mask(old)
	if err != nil || !mask.Hides("rep") {
		return rep, err
	}
	if rep != "" {
		return "", &AccessError{Actor: tx.tx.Session().Actor, Right: RightTransfer, Data: Identity, Customer: old.ID,
			Remedy: "leave what is hidden from you empty: rep"}
	}
	return old.Rep, nil
}

// Guard makes every later change of a customer in this transaction pass check, after
// the guards set before. old is nil for a new customer; an error keeps the change from
// being made and is returned by the call that asked for it. check must change neither,
// and must not change customers.
func (tx *Tx) Guard(check func(old, next *Customer) error) {
	before := tx.guard
	if before == nil {
		tx.guard = check
		return
	}
	tx.guard = func(old, next *Customer) error {
		if err := before(old, next); err != nil {
			return err
		}
		return check(old, next)
	}
}

func (tx *Tx) check(old, next *Customer) error {
	if tx.guard == nil {
		return nil
	}
	return tx.guard(old, next)
}

// OwnerCount returns how many active and suspended customers a unit owns, 0 for those
// without an owner. It reads one counter, so that within an Update it conflicts with
// concurrent changes of that number and with nothing else.
func (r *Reader) OwnerCount(owner UnitID) (int64, error) {
	if within := r.within(); within != nil {
		return r.liveWithin(within, OwnerKey(nil, owner))
	}
	return r.store.byOwner.Get(r.storage, storage.Key(nil).Uint(uint64(owner)))
}

// RepCount returns how many active and suspended customers a sales representative has,
// in all units, as OwnerCount does.
func (r *Reader) RepCount(rep string) (int64, error) {
	if within := r.withField("rep"); within != nil {
		return r.liveWithin(within, storage.Key(nil).String("rep").String(rep))
	}
	return r.repCount(rep)
}

// repCount is RepCount over the whole book.
func (r *Reader) repCount(rep string) (int64, error) {
	return r.store.byRep.Get(r.storage, storage.Key(nil).String(rep))
}

// forgetRep removes the count of a representative who has no customer left, so that an
// erased customer leaves no name of one behind.
func (tx *Tx) forgetRep(rep string) error {
	if rep == "" {
		return nil
	}
	n, err := tx.repCount(rep)
	if err == nil && n == 0 {
		(&storage.Counter{ID: tallyRep}).Remove(tx.tx, storage.Key(nil).String(rep))
	}
	return err
}

// OwnedIDs yields the ids of a unit's customers, for unit 0 of those without one, in any
// status and by id. It reads no records.
func (r *Reader) OwnedIDs(owner UnitID) iter.Seq2[ID, error] {
	return r.marked(OwnerKey(nil, owner), r.within(), func(uint64, *bitset.Chunk) error { return nil })
}

// ByRep yields the customers of a unit's sales representative by id; without a unit, those
// that have none.
func (r *Reader) ByRep(owner UnitID, rep string) iter.Seq2[*Customer, error] {
	narrow := func(n uint64, c *bitset.Chunk) error {
		if rep == "" { // nobody is marked with that
			return nil
		}
		var these bitset.Chunk
		err := r.readMark(RepKey(nil, rep), n, &these)
		c.And(&these)
		return err
	}
	return func(yield func(*Customer, error) bool) {
		for id, err := range r.marked(OwnerKey(nil, owner), r.withField("rep"), narrow) {
			var c *Customer
			if err == nil {
				c, err = r.store.customer.Get(r.storage, id)
			}
			if err == nil {
				c, err = r.look(c, "rep")
			}
			if err == nil && (c == nil || c.Rep != rep || c.Status > Archived) {
				continue
			}
			if !yield(c, err) || err != nil {
				return
			}
		}
	}
}

func ownerCount(set *storage.KeySet, c *Customer) {
	if c.Status <= Suspended {
		set.Uint(uint64(c.Owner)).End()
	}
}

func repCount(set *storage.KeySet, c *Customer) {
	if c.Status <= Suspended && c.Rep != "" {
		set.String(c.Rep).End()
	}
}
