package orgtree

import (
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
)

// DelegationID numbers delegations.
type DelegationID uint64

// Delegation lets one principal act for another, for instance during a holiday: with
// the other's grants, as far as what is denied to either of them allows. What was
// delegated to the other is not passed on, and the delegation rests while the other is
// disabled.
type Delegation struct {
	ID       DelegationID
	From, To string    // principals
	Grants   []GrantID // of From; without any, all that From has at the time
	Begin    time.Time // zero for at once
	End      time.Time // the first instant after it; required

	Recorded time.Time
	Actor    string
	Reason   string

	rest string
}

// MaxDelegated is the number of grants that a delegation can name.
const MaxDelegated = 200

func (d *Delegation) at(t time.Time) bool { return !t.Before(d.Begin) && t.Before(d.End) }

// Delegate stores a delegation. Principals may delegate what is theirs; for others it
// needs the right to administer the whole book. Who has that by a delegation makes none to
// himself, which would outlast it.
func (tx *Tx) Delegate(d Delegation) (*Delegation, error) {
	const op = "delegate"
	if err := tx.checkDelegation(op, &d); err != nil {
		return nil, err
	}
	if err := tx.mayDelegate(d.From, d.To); err != nil {
		return nil, err
	}
	id, err := tx.store.delegationIDs.Next(tx.tx, nil)
	if err != nil {
		return nil, err
	}
	d.ID = DelegationID(id)
	if err := tx.store.delegation.InsertNew(tx.tx, d.ID, &d, uint8(DelegationSet)); err != nil {
		return nil, err
	}
	if err := tx.grantsChanged(func(m *policyMark) { m.Delegations = max(m.Delegations, d.ID) }); err != nil {
		return nil, err
	}
	return tx.delegationOf(d.ID)
}

func (tx *Tx) checkDelegation(op string, d *Delegation) error {
	if d.End.IsZero() {
		return &Error{Op: op, Field: "End", Remedy: "say when the delegation ends", Err: ErrInvalid}
	}
	if d.From == d.To {
		return &Error{Op: op, Field: "To", Value: d.To, Remedy: "name another principal", Err: ErrInvalid}
	}
	if err := tx.checkPeriod(op, &d.Begin, &d.End); err != nil {
		return err
	}
	for _, p := range []struct{ field, id string }{{"From", d.From}, {"To", d.To}} {
		if _, err := tx.Principal(p.id); err != nil {
			return &Error{Op: op, Field: p.field, Value: p.id, Remedy: "use the id of one of the book's principals", Err: err}
		}
	}
	d.Grants = slices.Clone(d.Grants)
	slices.Sort(d.Grants)
	d.Grants = slices.Compact(d.Grants)
	if len(d.Grants) > MaxDelegated {
		return &Error{Op: op, Field: "Grants", Value: fmt.Sprint(len(d.Grants)), Remedy: fmt.Sprintf("name at most %d, or none for all", MaxDelegated), Err: ErrInvalid}
	}
	for _, id := range d.Grants {
		g, err := tx.grantOf(id)
		if err == nil && (g.Principal != d.From || g.Deny) {
			err = ErrInvalid
		}
		if err != nil {
			return &Error{Op: op, Field: "Grants", Value: fmt.Sprint(uint64(id)), Remedy: "name grants of " + d.From, Err: err}
		}
	}
	return nil
}

func (tx *Tx) mayDelegate(from, to string) error {
	if tx.tx.Session().Actor == from {
		return tx.mayAct()
	}
	if err := tx.mayAdminister(0); err != nil {
		return err
	}
	if own, ok := tx.access().(*Access); ok && own.plan.actor == to && !own.plan.administersItself() {
		return beyond(to, customer.RightAdminister, customer.Identity)
	}
	return nil
}

// administersItself reports whether the actor administers the whole book by grants of its
// own, not by what was delegated to it.
func (p *plan) administersItself() bool {
	return p.holds(customer.RightAdminister, customer.Identity, Scope{All: true})
}

// EndDelegation ends a delegation now. Either of the two may, and who administers the
// whole book.
func (tx *Tx) EndDelegation(id DelegationID) error {
	d, err := tx.delegationOf(id)
	if err != nil {
		return err
	}
	may := tx.mayAct
	if tx.tx.Session().Actor != d.To {
		may = func() error { return tx.mayDelegate(d.From, d.To) }
	}
	if err := may(); err != nil {
		return err
	}
	if err := tx.store.delegation.Delete(tx.tx, id, uint8(DelegationEnded)); err != nil {
		return err
	}
	return tx.policyChanged()
}

// Delegation returns a delegation that was not ended, or an error that wraps
// ErrNotFound. It costs one read.
func (r *Reader) Delegation(id DelegationID) (*Delegation, error) {
	d, err := r.delegationOf(id)
	if err == nil && r.mayKnow(d.From) != nil {
		err = r.mayKnow(d.To)
	}
	if err != nil {
		return nil, err
	}
	return d, nil
}

func (r *Reader) delegationOf(id DelegationID) (*Delegation, error) {
	return r.store.delegation.Get(r.storage, id)
}

// Delegations yields all delegations that were not ended, those in the past too.
func (r *Reader) Delegations() iter.Seq2[*Delegation, error] {
	return forReview(r.mayReview(), r.store.delegation.Records(r.storage, kv.Range{}, false))
}

// DelegationsFrom yields the delegations from a principal, those in the past too, in the
// order in which they were made. It reads all delegations of the book.
func (r *Reader) DelegationsFrom(principal string) iter.Seq2[*Delegation, error] {
	return forReview(r.mayKnow(principal), func(yield func(*Delegation, error) bool) {
		for d, err := range r.full().Delegations() {
			if err == nil && d.From != principal {
				continue
			}
			if !yield(d, err) || err != nil {
				return
			}
		}
	})
}

// DelegationsTo yields the delegations to a principal.
func (r *Reader) DelegationsTo(principal string) iter.Seq2[*Delegation, error] {
	return forReview(r.mayKnow(principal), recordsBy(r, r.store.delegation, r.store.delegationTo, storage.Key(nil).String(principal)))
}
