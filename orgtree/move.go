package orgtree

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
)

// CreateUnit adds a unit and returns it with its id. Of u it takes Code, Names, Kind,
// Parent, Opened (zero for now), Sharing and the quotas. It costs a few reads for each
// unit above.
func (tx *Tx) CreateUnit(u Unit) (*Unit, error) {
	const op = "create unit"
	if err := tx.mayAdminister(u.Parent); err != nil {
		return nil, err
	}
	id, err := tx.newUnitID()
	if err != nil {
		return nil, err
	}
	opened := tx.effective(u.Opened)
	next := &Unit{
		ID: id, Code: u.Code, Names: u.Names, Kind: u.Kind, Opened: opened,
		Moves: []Move{{From: opened, Parent: u.Parent}}, Sharing: u.Sharing, Quota: u.Quota, RepQuota: u.RepQuota,
	}
	if err := next.check(op); err != nil {
		return nil, err
	}
	if err := tx.checkAbove(op, u.Parent, opened); err != nil {
		return nil, err
	}
	return tx.putUnit(op, next, UnitCreated)
}

// newUnitID returns a number that no customer has as its owner: a book without units takes any
// number for one, and a new unit must not come by customers.
func (tx *Tx) newUnitID() (customer.UnitID, error) {
	for {
		n, err := tx.store.unitIDs.Next(tx.tx, nil)
		if err != nil {
			return 0, err
		}
		owns, err := tx.ownsAny(customer.UnitID(n))
		if err != nil || !owns {
			return customer.UnitID(n), err
		}
	}
}

// ownsAny reports whether a unit is the owner of any customer, in whatever status.
func (tx *Tx) ownsAny(unit customer.UnitID) (bool, error) {
	for _, err := range customer.Unscoped(tx.Reader.customers).OwnedIDs(unit) {
		return err == nil, err
	}
	return false, nil
}

// effective is the instant on which a change takes effect: now unless one is given.
func (tx *Tx) effective(at time.Time) time.Time {
	if at.IsZero() {
		return tx.Reader.now()
	}
	return at.UTC().Truncate(time.Microsecond)
}

// putUnit stores a unit as its next version and returns it as of now.
func (tx *Tx) putUnit(op string, u *Unit, action Action) (*Unit, error) {
	var err error
	if action == UnitCreated {
		err = tx.store.unit.InsertNew(tx.tx, u.ID, u, uint8(action))
	} else {
		err = tx.store.unit.Put(tx.tx, u.ID, u, uint8(action))
	}
	var unique *storage.UniqueError
	if errors.As(err, &unique) {
		return nil, &Error{Op: op, Unit: u.ID, Field: "Code", Value: u.Code, Remedy: "choose a code that no other unit has", Err: ErrExists}
	}
	if err != nil {
		return nil, err
	}
	if err := tx.changed(u.ID); err != nil {
		return nil, err
	}
	session := tx.tx.Session()
	u.Version, u.Recorded, u.Actor, u.Reason = u.Version+1, tx.tx.Now(), session.Actor, session.Reason
	u.Parent, _ = u.parentAt(tx.now())
	return u, nil
}

// UpdateUnit stores the changed code, names, kind, policies and quotas of a unit, which
// Unit returned; what else is changed in u is left as it was. Unit 0 is the book. Who is
// bound by a quota doesn't lift it: to change one takes the right to administer the unit
// above as well. It fails with ErrConflict when the unit has a newer version.
func (tx *Tx) UpdateUnit(u *Unit) (*Unit, error) {
	const op = "update unit"
	if err := tx.mayAdminister(u.ID); err != nil {
		return nil, err
	}
	old, err := tx.unit(op, u.ID)
	if err != nil {
		return nil, err
	}
	if old.Version != u.Version {
		return nil, &Error{Op: op, Unit: u.ID, Field: "Version", Value: fmt.Sprint(u.Version), Remedy: fmt.Sprintf("read the unit again; it is at version %d", old.Version), Err: ErrConflict}
	}
	next := *old
	next.Code, next.Names, next.Kind, next.Sharing, next.Quota, next.RepQuota = u.Code, u.Names, u.Kind, u.Sharing, u.Quota, u.RepQuota
	if err := next.check(op); err != nil {
		return nil, err
	}
	if next.Quota != old.Quota || next.RepQuota != old.RepQuota {
		above, _ := old.parentAt(tx.now())
		if err := tx.mayAdminister(above); err != nil {
			return nil, err
		}
	}
	return tx.putUnit(op, &next, UnitUpdated)
}

// checkAbove reports whether a unit can be put below a parent from an instant on, also as
// far as moves of the units above are planned.
func (tx *Tx) checkAbove(op string, parent customer.UnitID, from time.Time) error {
	if parent != 0 {
		above, err := tx.unit(op, parent)
		if err == nil {
			err = above.checkOpen(op, "Parent", from)
		}
		if err != nil {
			return err
		}
	}
	for at := from; !at.IsZero(); {
		var err error
		if at, err = tx.checkLevels(op, parent, at); err != nil {
			return err
		}
	}
	return nil
}

// checkLevels reports whether there is room for a level below a parent on an instant, and
// returns when a unit above next moves, zero for never.
func (tx *Tx) checkLevels(op string, parent customer.UnitID, at time.Time) (next time.Time, err error) {
	levels := 1
	for id := parent; id != 0; {
		above, err := tx.unit(op, id)
		if err != nil {
			return next, err
		}
		for _, m := range above.Moves {
			if m.From.After(at) {
				next = earliest(next, m.From)
			}
		}
		if above.mergedAt(at) {
			id = above.MergedInto
			continue
		}
		if levels++; levels > MaxLevels {
			return next, tooDeep(op, parent)
		}
		id, _ = above.parentAt(at)
	}
	return next, nil
}

func tooDeep(op string, parent customer.UnitID) error {
	return &Error{Op: op, Field: "Parent", Value: fmt.Sprint(uint64(parent)), Remedy: fmt.Sprintf("choose a parent higher up; a tree has at most %d levels", MaxLevels), Err: storage.ErrLimit}
}

// checkOpen reports whether the unit is open from an instant on.
func (u *Unit) checkOpen(op, field string, from time.Time) error {
	wrong := &Error{Op: op, Field: field, Value: u.Code, Err: ErrClosed}
	switch {
	case u.MergedInto != 0:
		wrong.Remedy = fmt.Sprintf("it was merged; use unit %d", u.MergedInto)
	case !u.Closed.IsZero():
		wrong.Remedy = "it was closed on " + day(u.Closed) + "; use an open unit"
	case u.Opened.After(from):
		wrong.Remedy = "it opens on " + day(u.Opened) + "; use an open unit, or a later date"
	default:
		return nil
	}
	return wrong
}

// MoveUnit puts a unit, with everything below it, under another parent, 0 for the top,
// from an instant on, zero for now. The instant may lie ahead or back, but not before
// the unit's last move; one on the same instant replaces that move. It fails with
// ErrCycle when the unit would be above itself, then or at any later time, and with a
// *QuotaError when a unit above would have more customers than it may: the units of that
// day, and of later planned moves, count with their present customers, and nobody counts
// again when the day comes. It takes the right to administer the unit, the new parent and the one that it leaves.
//
// It writes two small records whatever is below.
func (tx *Tx) MoveUnit(id, parent customer.UnitID, from time.Time) (*Unit, error) {
	const op = "move unit"
	if err := tx.mayAdminister(id, parent); err != nil {
		return nil, err
	}
	u, err := tx.openUnit(op, id)
	if err != nil {
		return nil, err
	}
	if err := tx.mayAdminister(u.Moves[len(u.Moves)-1].Parent); err != nil {
		return nil, err
	}
	from = tx.effective(from)
	next := *u
	if next.Moves, err = u.moved(op, parent, from); err != nil {
		return nil, err
	}
	if slices.Equal(next.Moves, u.Moves) {
		next.Parent, _ = u.parentAt(tx.now())
		return &next, nil
	}
	if err := tx.checkAbove(op, parent, from); err != nil {
		return nil, err
	}
	tree, err := tx.Tree()
	if err != nil {
		return nil, err
	}
	if err := tree.checkChange(op, &next, parent, from); err != nil {
		return nil, err
	}
	for _, at := range tree.instants(from) {
		then, err := tree.on(at)
		if err == nil {
			err = tx.checkMovedQuota(then, id, parent)
		}
		if err != nil {
			return nil, err
		}
	}
	return tx.putUnit(op, &next, UnitMoved)
}

// openUnit reads a unit that is to be changed.
func (tx *Tx) openUnit(op string, id customer.UnitID) (*Unit, error) {
	if id == 0 {
		return nil, &Error{Op: op, Field: "Unit", Value: "0", Remedy: "name a unit; 0 is the book itself", Err: ErrInvalid}
	}
	u, err := tx.unit(op, id)
	if err != nil {
		return nil, err
	}
	return u, u.checkOpen(op, "Unit", farFuture)
}

// farFuture is after every opening.
var farFuture = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)

// moved returns the unit's moves with another.
func (u *Unit) moved(op string, parent customer.UnitID, from time.Time) ([]Move, error) {
	moves := slices.Clone(u.Moves)
	latest := moves[len(moves)-1]
	if from.Before(latest.From) {
		what := "it last moved"
		if len(moves) == 1 {
			what = "it opened"
		}
		return nil, &Error{Op: op, Unit: u.ID, Field: "From", Value: day(from), Remedy: what + " on " + day(latest.From) + "; use that or a later date", Err: ErrDate}
	}
	if from.Equal(latest.From) {
		moves = moves[:len(moves)-1]
	}
	if len(moves) > 0 && moves[len(moves)-1].Parent == parent {
		return moves, nil
	}
	return append(moves, Move{From: from, Parent: parent}), nil
}

// checkChange reports whether the organisation stays a tree, of not too many levels,
// when a unit is changed from an instant on, then and after each move that is planned. That
// costs a tree for each instant ahead.
func (t *Tree) checkChange(op string, changed *Unit, parent customer.UnitID, from time.Time) error {
	for _, at := range t.instants(from) {
		levels, ends := t.climb(changed, at)
		if !ends {
			return &Error{Op: op, Unit: changed.ID, Field: "Parent", Value: fmt.Sprint(uint64(parent)), Remedy: "choose a unit that is not below it, on " + day(at) + " or later", Err: ErrCycle}
		}
		then, err := t.on(at)
		if err != nil {
			return err
		}
		if levels+then.height(changed.ID) > MaxLevels {
			return tooDeep(op, parent)
		}
	}
	return nil
}

// on is the tree as it will be on an instant ahead; one that isn't ahead finds the present.
func (t *Tree) on(at time.Time) (*Tree, error) {
	if !at.After(t.at) {
		return t, nil
	}
	return newTree(t.all, at)
}

// instants returns an instant and all later ones on which something takes effect.
func (t *Tree) instants(from time.Time) []time.Time {
	list := []time.Time{from}
	for _, u := range t.all {
		for _, m := range u.Moves {
			if m.From.After(from) {
				list = append(list, m.From)
			}
		}
		if u.Closed.After(from) {
			list = append(list, u.Closed)
		}
	}
	slices.SortFunc(list, time.Time.Compare)
	return slices.CompactFunc(list, time.Time.Equal)
}

// climb walks from a changed unit to the top as things are on an instant. It returns how
// many levels there are and whether the walk ends.
func (t *Tree) climb(changed *Unit, at time.Time) (levels int, ends bool) {
	u := changed
	for range len(t.all) + 1 {
		up, _ := u.parentAt(at)
		if u.mergedAt(at) {
			up = u.MergedInto
		} else {
			levels++
		}
		switch {
		case up == 0:
			return levels, true
		case up == changed.ID:
			return levels, false
		case uint64(up) >= uint64(len(t.byID)) || t.byID[up] == 0:
			return levels, true // not stored: the caller has seen to its own parent
		}
		u = t.all[t.byID[up]-1]
	}
	return levels, false
}

// height returns how many levels are below a unit.
func (t *Tree) height(id customer.UnitID) int {
	at := t.place(id)
	if at < 0 {
		return 0
	}
	return int(slices.Max(t.levels[at:t.last[at]+1]) - t.levels[at])
}

// CloseUnit ends a unit on an instant that is not ahead, zero for now. It fails with
// ErrInUse while active or suspended customers, placements or open units are in it; to
// close it all the same, merge it into its successor with [Tx.MergeUnits].
func (tx *Tx) CloseUnit(id customer.UnitID, at time.Time) (*Unit, error) {
	const op = "close unit"
	if err := tx.mayAdminister(id); err != nil {
		return nil, err
	}
	u, err := tx.openUnit(op, id)
	if err != nil {
		return nil, err
	}
	at = tx.effective(at)
	if latest := u.Moves[len(u.Moves)-1].From; at.Before(latest) || at.After(tx.now()) {
		return nil, &Error{Op: op, Unit: id, Field: "Closed", Value: day(at), Remedy: "use a date from " + day(latest) + " on that is not ahead", Err: ErrDate}
	}
	if err := tx.checkEmpty(op, u, at); err != nil {
		return nil, err
	}
	next := *u
	next.Closed = at
	return tx.putUnit(op, &next, UnitClosed)
}

// checkEmpty reports what is still in a unit.
func (tx *Tx) checkEmpty(op string, u *Unit, at time.Time) error {
	inUse := func(what string) error {
		return &Error{Op: op, Unit: u.ID, Field: "Unit", Value: u.Code, Remedy: what + "; transfer or close them first, or merge the unit into its successor", Err: ErrInUse}
	}
	tree, err := tx.Tree()
	if err != nil {
		return err
	}
	if child := tree.openBelow(u.ID, at); child != nil {
		return inUse("unit " + child.Code + " is below it")
	}
	// Units merged into it may still own customers that have not been moved.
	for unit := range tree.Subtree(u.ID) {
		n, err := customer.Unscoped(tx.Reader.customers).OwnerCount(unit)
		if err != nil {
			return err
		}
		if n > 0 && tx.showsAt(u.ID) {
			return inUse(fmt.Sprintf("it has %d customers", n))
		}
		if n > 0 {
			return inUse("it has customers")
		}
		what, err := tx.assignedTo(unit, at)
		if err != nil {
			return err
		}
		if what != "" {
			return inUse(what)
		}
	}
	return nil
}

// assignedTo says that a customer is assigned to a unit on an instant or later, and which one if the
// session sees it; empty for none.
func (tx *Tx) assignedTo(unit customer.UnitID, at time.Time) (string, error) {
	named, err := tx.firstNaming(unit, at)
	if err != nil || named == 0 {
		return "", err
	}
	visible, err := tx.Reader.customers.Visible(named)
	if err != nil || !visible {
		return "a customer is assigned to it", err
	}
	return fmt.Sprintf("customer %d is assigned to it", named), nil
}

// openBelow returns a unit that is directly below another on an instant or will be, and
// does not end before.
func (t *Tree) openBelow(id customer.UnitID, at time.Time) *Unit {
	for _, u := range t.all {
		if u.ID == 0 || u.closedAt(at) || u.MergedInto != 0 {
			continue
		}
		parent, _ := u.parentAt(at)
		below := t.Resolve(parent) == id
		for _, m := range u.Moves {
			below = below || m.From.After(at) && t.Resolve(m.Parent) == id
		}
		if below && (u.Closed.IsZero() || u.Closed.After(at)) {
			return u
		}
	}
	return nil
}

// MergeUnits ends a unit now and lets another take its place: its customers,
// assignments, overlays and the units below it count as the survivor's at once, in every
// read; what is below it may not be the survivor. The records that name it are brought
// over by [Store.FinishMerge], whenever that is run. Both units must be open. Grants on
// the unit hold in all of the survivor from then on: who merges must be able to give each
// of them there, see [Tx.Give], and [Reader.Review] finds them. What leaves the unit above
// takes the right to administer that one, too.
func (tx *Tx) MergeUnits(id, into customer.UnitID) (*Unit, error) {
	const op = "merge unit"
	if err := tx.mayAdminister(id, into); err != nil {
		return nil, err
	}
	u, err := tx.openUnit(op, id)
	if err != nil {
		return nil, err
	}
	survivor, err := tx.openUnit(op, into)
	if err != nil {
		return nil, err
	}
	now := tx.now()
	if err := errors.Join(u.checkOpen(op, "Unit", now), survivor.checkOpen(op, "Into", now)); err != nil {
		return nil, err
	}
	if latest := u.Moves[len(u.Moves)-1].From; latest.After(now) {
		return nil, &Error{Op: op, Unit: id, Field: "Unit", Value: u.Code, Remedy: "it is to move on " + day(latest) + "; cancel that by a move back on the same date", Err: ErrDate}
	}
	tree, err := tx.Tree()
	if err != nil {
		return nil, err
	}
	if parent, _ := u.parentAt(now); !tree.Contains(parent, into) {
		if err := tx.mayAdminister(parent); err != nil {
			return nil, err
		}
	}
	next := *u
	next.Closed, next.MergedInto = now, into
	if err := tree.checkChange(op, &next, into, now); err != nil {
		return nil, err
	}
	if err := tx.checkMovedQuota(tree, id, into); err != nil {
		return nil, err
	}
	if err := tx.mayWiden(tree, id, into); err != nil {
		return nil, err
	}
	return tx.putUnit(op, &next, UnitMerged)
}
