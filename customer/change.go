package customer

import (
	"errors"
	"fmt"
	"slices"

	"github.com/clientele-go/clientele/internal/text"
	"github.com/clientele-go/clientele/storage"
)

// Create stores a new customer and returns it with its id and code. It fails with a
// *ValidationError that lists everything wrong with the draft, or a *DuplicateError
// that names the customer which has the code, identifier or source key.
func (tx *Tx) Create(d Draft) (*Customer, error) {
	c := d.customer()
	schema, err := tx.Schema()
	if err != nil {
		return nil, err
	}
	if err := tx.store.normalise(c, nil, schema); err != nil {
		return nil, err
	}
	if err := tx.permitCreate(c); err != nil {
		return nil, err
	}
	if c.Code == "" {
		if err := tx.assignCode(c); err != nil {
			return nil, err
		}
	}
	id, err := tx.store.ids.Next(tx.tx, nil)
	if err != nil {
		return nil, err
	}
	session := tx.tx.Session()
	c.ID, c.Version, c.Actor, c.Reason = ID(id), 1, session.Actor, session.Reason
	c.Created, c.Recorded = tx.tx.Now(), tx.tx.Now()
	if err := tx.check(nil, c); err != nil {
		return nil, err
	}
	if err := tx.store.customer.InsertNew(tx.tx, c.ID, c, uint8(Created)); err != nil {
		return nil, tx.taken(err, nil, c)
	}
	return tx.told(c, c)
}

// Update stores a changed customer as a new version and returns it. c is what Get
// returned, with changes; when the book has a newer version by now, Update fails with
// a *VersionError. Status, Created and what storage keeps can't be changed so.
// When nothing is different, no version is made. The divisions that were recognised from an
// address's text follow a new text that has others. What is hidden from the actor stays as it is;
// giving something there is an *AccessError.
func (tx *Tx) Update(c *Customer) (*Customer, error) {
	old, err := tx.stored(c.ID)
	if err != nil {
		return nil, err
	}
	if old.Status > Suspended {
		return nil, &StatusError{ID: c.ID, Status: old.Status, Action: "update"}
	}
	if c.Version != old.Version {
		return nil, &VersionError{ID: c.ID, Read: c.Version, Present: old.Version}
	}
	next := c.Draft().customer()
	next, mask, err := tx.keepHidden(next, old)
	if err != nil {
		return nil, err
	}
	next.ID, next.Status, next.Created, next.Absorbed, next.rest = c.ID, old.Status, old.Created, old.Absorbed, old.rest
	if code, err := text.Clean(next.Code); err == nil && code == "" {
		next.Code = old.Code
	}
	schema, err := tx.Schema()
	if err != nil {
		return nil, err
	}
	next.moveAddresses(old)
	if err := tx.store.normalise(next, old, schema); err != nil {
		return nil, withoutHidden(err, mask)
	}
	same, err := sameContent(old, next)
	if err != nil || same {
		return mask.Apply(old), err
	}
	if err := tx.permitEdit(old, next); err != nil {
		return nil, err
	}
	return tx.put(old, next, Updated)
}

func sameContent(a, b *Customer) (bool, error) {
	x, err := appendCustomer(nil, a)
	if err != nil {
		return false, err
	}
	y, err := appendCustomer(nil, b)
	return slices.Equal(x, y), err
}

// put stores an edited customer as the version that follows old.
func (tx *Tx) put(old, c *Customer, action Action) (*Customer, error) {
	if old.Absorbed > 0 {
		if err := tx.noteEdit(c); err != nil {
			return nil, err
		}
	}
	if _, err := tx.replace(old, c, action); err != nil {
		return nil, err
	}
	return tx.told(old, c)
}

// replace stores c as the version that follows old.
func (tx *Tx) replace(old, c *Customer, action Action) (*Customer, error) {
	if err := tx.check(old, c); err != nil {
		return nil, err
	}
	session := tx.tx.Session()
	c.Version, c.Recorded, c.Actor, c.Reason = old.Version+1, tx.tx.Now(), session.Actor, session.Reason
	if err := tx.store.customer.Put(tx.tx, c.ID, c, uint8(action)); err != nil {
		return nil, tx.taken(err, old, c)
	}
	return c, nil
}

// Suspend keeps a customer in lists but marks that no new business is wanted.
func (tx *Tx) Suspend(id ID) (*Customer, error) {
	return tx.move(id, Suspended, StatusSet, RightUpdate, "suspend", Active)
}

// Resume makes a suspended customer active again.
func (tx *Tx) Resume(id ID) (*Customer, error) {
	return tx.move(id, Active, StatusSet, RightUpdate, "resume", Suspended)
}

// Archive takes a customer out of lists and searches. Its code, identifiers and source
// keys stay taken.
func (tx *Tx) Archive(id ID) (*Customer, error) {
	return tx.move(id, Archived, ArchivedNow, RightArchive, "archive", Active, Suspended)
}

// Reactivate makes an archived customer active.
func (tx *Tx) Reactivate(id ID) (*Customer, error) {
	return tx.move(id, Active, Reactivated, RightArchive, "reactivate", Archived)
}

// move changes the status, if the present one allows it. Setting the status that a
// customer has is not an error and changes nothing.
func (tx *Tx) move(id ID, to Status, action Action, right Right, verb string, from ...Status) (*Customer, error) {
	c, err := tx.changeable(id, right, Identity)
	if err != nil {
		return nil, err
	}
	if c.Status == to {
		return tx.told(c, c)
	}
	if !slices.Contains(from, c.Status) {
		return nil, &StatusError{ID: id, Status: c.Status, Action: verb}
	}
	next := *c
	next.Status = to
	return tx.put(c, &next, action)
}

// Erase removes everything personal of a customer for good: the record with all its
// versions, its index keys, its events, its hold. What stays is a tombstone (id, code,
// kind, party, owner), who changed it when, and digests with which the journal proves
// that the versions existed. Search forgets it as soon as its view follows; the bytes
// leave the book's files with the next Purge, and backups made from then on are clean.
//
// The customers that were merged into it are erased with it; of them it can't be called.
//
// It fails with a *HoldError while a retention hold lasts.
func (tx *Tx) Erase(id ID) (*Customer, error) {
	c, err := tx.changeable(id, RightErase, Identity)
	if err != nil {
		return nil, err
	}
	if c.Status == Erased {
		return tx.told(c, c)
	}
	if c.Status == Merged {
		return nil, &StatusError{ID: id, Status: c.Status, Action: "erase by itself"}
	}
	return tx.eraseWhole(c)
}

// eraseWhole erases a customer and those that were merged into it.
func (tx *Tx) eraseWhole(c *Customer) (*Customer, error) {
	id := c.ID
	if err := tx.eraseMerged(c); err != nil {
		return nil, err
	}
	if err := tx.endHold(id); err != nil {
		return nil, err
	}
	if err := tx.store.hold.Forget(tx.tx, id, uint8(ErasedNow)); err != nil {
		return nil, err
	}
	if err := tx.forgetEvents(id); err != nil {
		return nil, err
	}
	session := tx.tx.Session()
	tombstone := &Customer{
		ID: id, Version: c.Version + 1, Code: c.Code, Kind: c.Kind, Party: c.Party, Status: Erased, Owner: c.Owner,
		Created: c.Created, Recorded: tx.tx.Now(), Actor: session.Actor, Reason: session.Reason,
	}
	if err := tx.check(c, tombstone); err != nil {
		return nil, err
	}
	if err := tx.store.customer.Erase(tx.tx, id, tombstone, uint8(ErasedNow)); err != nil {
		return nil, err
	}
	if err := tx.forgetRep(c.Rep); err != nil {
		return nil, err
	}
	for _, forget := range tx.erase {
		if err := forget(id); err != nil {
			return nil, err
		}
	}
	return tombstone, nil
}

// OnErase makes every later Erase in this transaction call forget, which removes what
// another package keeps of the customer.
func (tx *Tx) OnErase(forget func(ID) error) { tx.erase = append(tx.erase, forget) }

func (tx *Tx) endHold(id ID) error {
	h, err := tx.Hold(id)
	if isNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if h.Until.IsZero() || tx.tx.Now().Before(h.Until.AddDate(0, 0, 1)) {
		return &HoldError{ID: id, Hold: *h}
	}
	return nil
}

// forgetEvents removes the counts, those that have come back to zero too, and the times.
func (tx *Tx) forgetEvents(id ID) error {
	var keys []storage.Key
	types := map[string]bool{}
	err := tx.eachEvent(id, func(key storage.Key, e MonthCount) error {
		keys, types[e.Type] = append(keys, slices.Clone(key)), true
		return nil
	})
	for _, key := range keys {
		tx.store.events.Remove(tx.tx, key)
	}
	for typ := range types {
		err = errors.Join(err, tx.store.lastEvent.Forget(tx.tx, eventKey{id, typ}, 0))
	}
	return err
}

// Change is one change of one customer, as the journal tells it.
type Change struct {
	Position uint64 // of the journal entry; changes of one transaction share it
	Cursor   uint64 // where to resume once this change is handled
	ID       ID
	Version  uint64 // the version that the change made
	Action   Action
	Actor    string
	Reason   string
}

// Changes returns what a journal entry says of customers.
func Changes(c storage.Change) ([]Change, error) {
	var changes []Change
	for _, op := range c.Ops {
		if op.Table != TableCustomer {
			continue
		}
		id, _, err := op.Key.CutUint()
		if err != nil {
			return nil, fmt.Errorf("customer: journal entry %d: %w", c.Position, err)
		}
		changes = append(changes, Change{
			Position: uint64(c.Position), Cursor: uint64(c.Position) - 1, ID: ID(id), Version: op.Version, Action: Action(op.Action), Actor: c.Actor, Reason: c.Reason,
		})
	}
	if n := len(changes); n > 0 {
		changes[n-1].Cursor = uint64(c.Position)
	}
	return changes, nil
}
