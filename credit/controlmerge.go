package credit

import (
	"errors"
	"slices"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/internal/lineage"
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
	if err != nil {
		return err
	}
	return tx.lendControl(done)
}

// unmergeControl gives the loser back what it had reserved and is still open, and takes
// what it had lent from the survivor.
func (tx *Tx) unmergeControl(done *Combination) error {
	err := tx.moveReservations(done.Survivor, done.Loser, func(v *Reservation) bool {
		last := len(v.Via) - 1
		if last < 0 || v.Via[last] != done.Loser {
			return false
		}
		v.Via = v.Via[:last]
		return true
	})
	if err != nil {
		return err
	}
	return tx.takeBackControl(done)
}

// controlled is what a merge lends of a customer's credit control.
type controlled struct {
	line    Line
	profile Profile
	dunning Dunning
}

func (tx *Tx) controlled(id customer.ID) (c controlled, err error) {
	line, err := tx.line(OfCustomer(id))
	if err != nil {
		return c, err
	}
	p, err := tx.profile(id)
	if err != nil {
		return c, err
	}
	d, err := tx.dunningOf(id)
	if err != nil {
		return c, err
	}
	return controlled{*line, *p, *d}, nil
}

// join takes over from another what is lacking, and a higher level of dunning.
func (c *controlled) join(other *controlled) {
	if len(c.line.Limits) == 0 {
		c.line.Limits = other.line.Limits
	}
	if c.profile.Group == 0 {
		c.profile.Group = other.profile.Group
	}
	if d := other.dunning; d.Level > c.dunning.Level {
		d.Last = max(d.Last, c.dunning.Last)
		c.dunning.setLevel(&d)
	}
}

// keep leaves what is in a gift.
func (c *controlled) keep(gift *lent) {
	if !gift.limits {
		c.line.Limits = nil
	}
	if !gift.group {
		c.profile.Group = 0
	}
	if !gift.dunned {
		c.dunning.setLevel(&Dunning{})
	}
}

// setLevel makes the level another's; letters that were sent stay sent.
func (d *Dunning) setLevel(to *Dunning) {
	d.Level, d.Last, d.Hold, d.Terms = to.Level, to.Last, to.Hold, to.Terms
}

// moveControl stores what a merge or its undoing changes of a customer.
func (tx *Tx) moveControl(from, to *controlled) error {
	if !slices.Equal(from.line.Limits, to.line.Limits) {
		if err := tx.storeLine(&to.line, ControlMoved); err != nil {
			return err
		}
	}
	if err := tx.putProfile(&from.profile, &to.profile, ControlMoved); err != nil {
		return err
	}
	if from.dunning == to.dunning {
		return nil
	}
	return tx.store.dunning.Put(tx.tx, to.dunning.Customer, &to.dunning, uint8(ControlMoved))
}

// lendControl gives the survivor of a merge what it lacks and the loser has, and keeps who
// lent it. A loser that has nothing to lend costs three reads.
func (tx *Tx) lendControl(done *Combination) error {
	theirs, err := tx.controlled(done.Loser)
	if err != nil {
		return err
	}
	gift := lent{limits: len(theirs.line.Limits) > 0, group: theirs.profile.Group != 0, dunned: theirs.dunning.Level > 0}
	if gift.nothing() {
		return nil
	}
	former, err := tx.controlled(done.Survivor)
	if err != nil {
		return err
	}
	done.Limits = gift.limits && len(former.line.Limits) == 0
	done.Group = gift.group && former.profile.Group == 0
	next := former
	next.join(&theirs)
	if err := tx.moveControl(&former, &next); err != nil {
		return err
	}
	return tx.noteMerge(done, &former, &gift)
}

// noteMerge keeps what the loser of a merge lent, and what the survivor had until then.
func (tx *Tx) noteMerge(done *Combination, former *controlled, gift *lent) error {
	l, has, err := tx.lineageOf(done.Survivor)
	if err != nil {
		return err
	}
	if l == nil {
		l = &lineage.Lineage{}
	}
	has.limits = has.limits || done.Limits
	has.group = has.group || done.Group
	if gift.dunned && !has.dunned {
		has.dunned, has.own = true, former.dunning
	}
	if l.Own, err = has.stored(); err != nil {
		return err
	}
	brought, err := gift.stored()
	if err != nil {
		return err
	}
	err = tx.store.lineage.Give(tx.tx, uint64(done.Survivor), uint64(done.Loser), l, brought)
	if errors.Is(err, storage.ErrExists) {
		return &Error{Op: "merge customers", Customer: done.Loser, Problem: "is merged into customer " + done.Survivor.String() + " already", Remedy: "undo that merge first", Err: ErrInvalid}
	}
	return err
}

// takeBackControl leaves a survivor what is its own and what those that are still merged
// lent.
func (tx *Tx) takeBackControl(done *Combination) error {
	former, err := tx.controlled(done.Survivor)
	if err != nil {
		return err
	}
	l, has, err := tx.lineageOf(done.Survivor)
	if err != nil {
		return err
	}
	gifts, back, err := tx.giftsWithout(done, l)
	if err != nil {
		return err
	}
	if back == nil { // it lent nothing, or was merged before there were lineages
		if back, err = tx.lentBefore(done, &former); err != nil {
			return err
		}
		has.limits, has.group = has.limits || back.limits, has.group || back.group
	}
	next := former
	again := lent{limits: has.limits && back.limits, group: has.group && back.group, dunned: has.dunned && back.dunned}
	next.keep(&lent{limits: !again.limits, group: !again.group, dunned: true})
	if again.dunned {
		next.dunning.setLevel(&has.own)
	}
	for i := range gifts {
		if err := tx.lendAgain(&next, &again, l, &gifts[i]); err != nil {
			return err
		}
	}
	if err := tx.moveControl(&former, &next); err != nil || l == nil {
		return err
	}
	if l.Own, err = has.stored(); err != nil {
		return err
	}
	return tx.store.lineage.TakeBack(tx.tx, uint64(done.Survivor), uint64(done.Loser), l, gifts)
}

// giftsWithout returns what those that are still merged lend when a merge is undone, and
// what its loser lent, nil when that is not known.
func (tx *Tx) giftsWithout(done *Combination, l *lineage.Lineage) (gifts []lineage.Gift, back *lent, err error) {
	if l == nil {
		return nil, nil, nil
	}
	gifts, gift, err := tx.store.lineage.BroughtBut(tx.storage, uint64(done.Survivor), uint64(done.Loser))
	if err != nil || gift == nil {
		return gifts, nil, err
	}
	back, err = readLent(gift.Elements)
	return gifts, back, err
}

// lentBefore is what a survivor still has of a loser that was merged before there were
// lineages: what was changed since is its own.
func (tx *Tx) lentBefore(done *Combination, now *controlled) (*lent, error) {
	if !done.Limits && !done.Group {
		return &lent{}, nil
	}
	theirs, err := tx.controlled(done.Loser)
	return &lent{
		limits: done.Limits && slices.Equal(now.line.Limits, theirs.line.Limits),
		group:  done.Group && now.profile.Group == theirs.profile.Group,
	}, err
}

// lendAgain joins what counts of a gift, where it was taken back and is still lacking.
func (tx *Tx) lendAgain(c *controlled, again *lent, l *lineage.Lineage, g *lineage.Gift) error {
	gift, err := readLent(g.Elements)
	if err != nil {
		return err
	}
	gift.limits = gift.limits && again.limits && len(c.line.Limits) == 0 && l.Counts(g, lentLimits)
	gift.group = gift.group && again.group && c.profile.Group == 0 && l.Counts(g, lentGroup)
	gift.dunned = gift.dunned && again.dunned && l.Counts(g, lentDunning)
	if gift.nothing() {
		return nil
	}
	theirs, err := tx.controlled(customer.ID(g.Loser))
	if err != nil {
		return err
	}
	theirs.keep(gift)
	c.join(&theirs)
	return nil
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
