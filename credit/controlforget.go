package credit

import (
	"slices"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
)

// forgetControl ends what an erased customer could still use of credit, and removes the
// free text that was written about it. Amounts and dates stay, since they explain what was
// delivered.
func (tx *Tx) forgetControl(id customer.ID) error {
	var open []*Reservation
	prefix := heldPrefix(id)
	for v, err := range tx.reservations(tx.store.held, len(prefix), kv.Prefix(prefix)) {
		if err != nil {
			return err
		}
		open = append(open, v)
	}
	for _, v := range open {
		if err := tx.giveBack(v, v.Open); err != nil {
			return err
		}
		v.State = Released
		if err := tx.putReservation(v, ReservationEnded); err != nil {
			return err
		}
	}
	if err := tx.store.lineage.Forget(tx.tx, uint64(id)); err != nil {
		return err
	}
	if err := tx.forgetLine(id); err != nil {
		return err
	}
	if err := tx.forgetOverrides(id); err != nil {
		return err
	}
	return tx.forgetApprovals(id)
}

func (tx *Tx) forgetLine(id customer.ID) error {
	line, err := tx.line(OfCustomer(id))
	if err != nil || line.Version == 0 {
		return err
	}
	line.Limits = slices.Clone(line.Limits)
	for i := range line.Limits {
		line.Limits[i].Note = ""
	}
	return tx.store.line.Erase(tx.tx, line.Scope, line, uint8(ControlForgotten))
}

func (tx *Tx) forgetOverrides(id customer.ID) error {
	var list []*Override
	for o, err := range tx.overridesFrom(id, 0) {
		if err != nil {
			return err
		}
		list = append(list, o)
	}
	for _, o := range list {
		o.Why, o.Revoked = "", true
		if err := tx.store.override.Erase(tx.tx, o.ID, o, uint8(ControlForgotten)); err != nil {
			return err
		}
	}
	return nil
}

func (tx *Tx) forgetApprovals(id customer.ID) error {
	var list []*Approval
	prefix := storage.Key(nil).Uint(uint64(id))
	for e, err := range tx.store.approval.Entries(tx.storage, tx.store.about, kv.Prefix(prefix), false) {
		if err != nil {
			return err
		}
		approval, err := e.Primary(e.Key()[len(prefix):])
		if err != nil {
			return err
		}
		a, err := tx.store.approval.Get(tx.storage, approval)
		if err != nil {
			return err
		}
		list = append(list, a)
	}
	for _, a := range list {
		a.forget()
		if err := tx.store.approval.Erase(tx.tx, a.ID, a, uint8(ControlForgotten)); err != nil {
			return err
		}
	}
	return nil
}

// forget removes the free text of a proposal and of what was said about it.
func (a *Approval) forget() {
	a.Proposal.Why = ""
	if a.Proposal.Limit != nil {
		a.Proposal.Limit.Note = ""
	}
	if a.Proposal.Override != nil {
		a.Proposal.Override.Why = ""
	}
	for i := range a.Votes {
		a.Votes[i].Comment = ""
	}
	if a.State == Pending {
		a.State = Withdrawn
	}
}
