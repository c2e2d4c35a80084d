package credit

import (
	"errors"
	"slices"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
)

// mergeControl gives the survivor of a merge what the loser has reserved, and the higher
// level of dunning. A survivor without limits or group takes over the loser's, since
// without them it would get more credit than either had. The loser keeps its own, for the
// undoing.
func (tx *Tx) mergeControl(done *Combination) error {
	err := tx.moveReservations(done.Loser, done.Survivor, func(v *Reservation) bool {
		v.Via = append(v.Via, done.Loser)
		return true
	})
	return errors.Join(err, tx.mergeLimits(done), tx.mergeGroup(done), tx.mergeDunning(done))
}

func (tx *Tx) mergeLimits(done *Combination) error {
	line, err := tx.line(OfCustomer(done.Survivor))
	if err != nil || len(line.Limits) > 0 {
		return err
	}
	lost, err := tx.line(OfCustomer(done.Loser))
	if err != nil || len(lost.Limits) == 0 {
		return err
	}
	line.Limits, done.Limits = lost.Limits, true
	return tx.store.line.Put(tx.tx, line.Scope, line, uint8(ControlMoved))
}

func (tx *Tx) mergeGroup(done *Combination) error {
	p, err := tx.profile(done.Survivor)
	if err != nil || p.Group != 0 {
		return err
	}
	lost, err := tx.profile(done.Loser)
	if err != nil || lost.Group == 0 {
		return err
	}
	done.Group = true
	next := *p
	next.Group = lost.Group
	return tx.putProfile(p, &next, ControlMoved)
}

func (tx *Tx) mergeDunning(done *Combination) error {
	d, err := tx.dunningOf(done.Survivor)
	if err != nil {
		return err
	}
	lost, err := tx.dunningOf(done.Loser)
	if err != nil || lost.Level <= d.Level {
		return err
	}
	d.Level, d.Last, d.Hold, d.Terms = lost.Level, max(d.Last, lost.Last), lost.Hold, lost.Terms
	return tx.store.dunning.Put(tx.tx, d.Customer, d, uint8(ControlMoved))
}

// unmergeControl gives the loser back what it had reserved and is still open, and takes
// what it had lent from the survivor, unless that was changed since. The survivor's level
// of dunning stays until nothing is overdue.
func (tx *Tx) unmergeControl(done *Combination) error {
	err := tx.moveReservations(done.Survivor, done.Loser, func(v *Reservation) bool {
		last := len(v.Via) - 1
		if last < 0 || v.Via[last] != done.Loser {
			return false
		}
		v.Via = v.Via[:last]
		return true
	})
	if err == nil && done.Limits {
		err = tx.takeBackLimits(done)
	}
	if err == nil && done.Group {
		err = tx.takeBackGroup(done)
	}
	return err
}

func (tx *Tx) takeBackLimits(done *Combination) error {
	line, err := tx.line(OfCustomer(done.Survivor))
	if err != nil {
		return err
	}
	lost, err := tx.line(OfCustomer(done.Loser))
	if err != nil || line.Version == 0 || !slices.Equal(line.Limits, lost.Limits) {
		return err
	}
	return tx.store.line.Delete(tx.tx, line.Scope, uint8(ControlMoved))
}

func (tx *Tx) takeBackGroup(done *Combination) error {
	p, err := tx.profile(done.Survivor)
	if err != nil {
		return err
	}
	lost, err := tx.profile(done.Loser)
	if err != nil || p.Group != lost.Group {
		return err
	}
	next := *p
	next.Group = 0
	return tx.putProfile(p, &next, ControlMoved)
}

// moveReservations moves the open and held reservations that change accepts.
func (tx *Tx) moveReservations(from, to customer.ID, change func(*Reservation) bool) error {
	var list []*Reservation
	prefix := storage.Key(nil).Uint(uint64(from))
	for v, err := range tx.reservations(tx.store.held, len(prefix), kv.Prefix(prefix)) {
		if err != nil {
			return err
		}
		if change(v) {
			list = append(list, v)
		}
	}
	for _, v := range list {
		open := v.Open
		if err := tx.giveBack(v, open); err != nil {
			return err
		}
		v.Customer = to
		if err := tx.giveBack(v, -open); err != nil {
			return err
		}
		if err := tx.putReservation(v, ControlMoved); err != nil {
			return err
		}
	}
	return nil
}
