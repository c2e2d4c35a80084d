package orgtree

import (
	"errors"
	"fmt"
	"slices"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/record"
)

// PlacementMerge is what a merge of two customers did to their placements, for its
// undoing. It belongs to the record of the merge: encode it with MarshalBinary, which leaves
// out Former and Combined. What the survivor is made of stands in a table of this package.
type PlacementMerge struct {
	Survivor, Loser customer.ID
	Former          Placement // the survivor's before
	Lost            Placement // the loser's before; it has none after
	Combined        Placement // the survivor's after
}

// MergeCustomers gives the survivor of a merge the loser's assignments, overlays and
// team where it has none of its own, and assigns it to the loser's owner unit, which so
// keeps its customer. An assignment of its own that hasn't ended goes before the loser's to
// the same unit. What is beyond [MaxPlacement] stays behind. The loser's placement
// ends. Neither's status matters, but that it is not erased. It needs the right to merge both.
func (tx *Tx) MergeCustomers(survivor, loser customer.ID) (*PlacementMerge, error) {
	const op = "merge customers"
	if survivor == loser {
		return nil, &Error{Op: op, Field: "Loser", Value: loser.String(), Remedy: "name two customers", Err: ErrInvalid}
	}
	to, keeper, err := tx.placedRecord(op, survivor)
	if err != nil {
		return nil, err
	}
	from, gone, err := tx.placedRecord(op, loser)
	if err != nil {
		return nil, err
	}
	tree, err := tx.Tree()
	if err != nil {
		return nil, err
	}
	done := &PlacementMerge{Survivor: survivor, Loser: loser, Former: to.copy(), Lost: from.copy()}
	gift := from.copy()
	// Its owner unit may have been merged into another since.
	if home := tree.Resolve(gone.Owner); home != tree.Resolve(keeper.Owner) && tree.Open(home) && gift.in(home) < 0 {
		gift.Assignments = append(gift.Assignments, Assignment{Unit: home, Rep: gone.Rep, Team: from.Team})
	}
	// What has ended isn't in the way of what goes on.
	now := tx.now()
	to.settle(now)
	gift.settle(now)
	to.join(&gift, keeper.Owner)
	done.Combined = to.copy()
	// The loser first: it gives up the local codes that the survivor takes.
	if err := tx.rewritePlacement(op, &Placement{Customer: loser}); err != nil {
		return nil, err
	}
	if err := tx.rewritePlacement(op, to); err != nil {
		return nil, err
	}
	return done, tx.noteMerge(done, &gift)
}

// UnmergeCustomers undoes what MergeCustomers did, in any order with other merges into the
// survivor. The loser has its placement again. The survivor keeps its own, what those that
// are still merged brought, the earlier merged first, and whatever was changed or withdrawn
// since as it is now. A local code that another customer has taken meanwhile doesn't come
// back to the survivor. It costs a read for each of those still merged.
func (tx *Tx) UnmergeCustomers(done *PlacementMerge) error {
	const op = "unmerge customers"
	if done == nil {
		return &Error{Op: op, Field: "PlacementMerge", Remedy: "give what MergeCustomers returned", Err: ErrInvalid}
	}
	to, keeper, err := tx.placedRecord(op, done.Survivor)
	if err != nil {
		return err
	}
	if err := tx.separate(op, to, keeper.Owner, done); err != nil {
		return err
	}
	again := done.Lost.copy()
	again.Customer = done.Loser
	again.settle(tx.now())
	return tx.rewritePlacement(op, &again)
}

// placedRecord returns the whole placement and the record of a customer of any status but
// Erased, to who may merge it.
func (tx *Tx) placedRecord(op string, id customer.ID) (*Placement, *customer.Customer, error) {
	if err := tx.mayDo(customer.RightMerge, customer.Identity, id); err != nil {
		return nil, nil, err
	}
	c, err := customer.Unscoped(&tx.customers.Reader).Exact(id)
	if err != nil {
		return nil, nil, err
	}
	if c.Status == customer.Erased {
		return nil, nil, &customer.StatusError{ID: id, Status: c.Status, Action: op}
	}
	p, err := tx.store.placement.Get(&tx.tx.Reader, id)
	if isNotFound(err) {
		return &Placement{Customer: id}, c, nil
	}
	return p, c, err
}

// rewritePlacement stores a placement, none when it is empty, unless nothing is
// different.
func (tx *Tx) rewritePlacement(op string, p *Placement) error {
	old, err := tx.store.placement.Get(&tx.tx.Reader, p.Customer)
	none := isNotFound(err)
	if none {
		old, err = &Placement{Customer: p.Customer}, nil
	}
	if err != nil {
		return err
	}
	same, err := samePlacement(old, p)
	if err != nil || same {
		return err
	}
	if p.empty() {
		err = tx.store.placement.Delete(tx.tx, p.Customer, uint8(PlacementMerged))
	} else {
		err = tx.store.placement.Put(tx.tx, p.Customer, p, uint8(PlacementMerged))
	}
	if unique := (*storage.UniqueError)(nil); errors.As(err, &unique) {
		return repeatedLocalCode(op, p, unique)
	}
	return err
}

// copy shares nothing that is changed.
func (p *Placement) copy() Placement {
	c := *p
	c.Assignments, c.Overlays = slices.Clone(p.Assignments), slices.Clone(p.Overlays)
	return c
}

// join adds what another placement has for units that p and its owner don't have yet, and to
// an overlay without a limit the other's.
func (p *Placement) join(other *Placement, owner customer.UnitID) {
	if p.Team == 0 {
		p.Team = other.Team
	}
	for _, a := range other.Assignments {
		if a.Unit != owner && p.in(a.Unit) < 0 && len(p.Assignments) < MaxPlacement {
			p.Assignments = append(p.Assignments, a)
		}
	}
	for _, o := range other.Overlays {
		switch i := p.overlay(o.Unit); {
		case i < 0 && len(p.Overlays) < MaxPlacement:
			p.Overlays = append(p.Overlays, o)
		case i >= 0 && p.Overlays[i].Limit == nil:
			p.Overlays[i].Limit = o.Limit // without it more would pass than for either
		}
	}
}

// given is what a merge of before there were lineages gave the survivor.
func (done *PlacementMerge) given() Placement {
	var g Placement
	for _, a := range done.Combined.Assignments {
		if done.Former.in(a.Unit) < 0 {
			g.Assignments = append(g.Assignments, a)
		}
	}
	for _, o := range done.Combined.Overlays {
		if !slices.ContainsFunc(done.Former.Overlays, func(x Overlay) bool { return x.Unit == o.Unit }) {
			g.Overlays = append(g.Overlays, o)
		}
	}
	if done.Former.Team == 0 {
		g.Team = done.Combined.Team
	}
	return g
}

// The fields of a stored PlacementMerge. Former and Combined are read of merges from before
// there were lineages, whose undoing goes by them.
const (
	mergeSurvivor = 1
	mergeLoser    = 2
	mergeFormer   = 3
	mergeLost     = 4
	mergeCombined = 5
)

// MarshalBinary encodes a PlacementMerge for UnmarshalBinary of this or a later version.
func (done *PlacementMerge) MarshalBinary() ([]byte, error) {
	var w record.Writer
	w.Uint(mergeSurvivor, uint64(done.Survivor))
	w.Uint(mergeLoser, uint64(done.Loser))
	stored, err := appendPlacement(nil, &done.Lost)
	w.Bytes(mergeLost, stored)
	return w.Buf, err
}

// UnmarshalBinary decodes what MarshalBinary encoded.
func (done *PlacementMerge) UnmarshalBinary(data []byte) error {
	*done = PlacementMerge{}
	r := record.NewReader(string(data))
	for r.Next() {
		switch field := r.Field(); field {
		case mergeSurvivor:
			done.Survivor = customer.ID(r.Uint())
		case mergeLoser:
			done.Loser = customer.ID(r.Uint())
		case mergeFormer, mergeLost, mergeCombined:
			p, err := decodePlacement(r.String(), 0, storage.Meta{})
			if err != nil {
				r.Fail(err)
				continue
			}
			*[]*Placement{&done.Former, &done.Lost, &done.Combined}[field-mergeFormer] = *p
		default:
			r.Skip()
		}
	}
	if r.Err() == nil && (done.Survivor == 0 || done.Loser == 0) {
		return errors.New("orgtree: the bytes are no PlacementMerge: they name no customers")
	}
	if r.Err() != nil {
		return fmt.Errorf("orgtree: decode a PlacementMerge: %w", r.Err())
	}
	return nil
}
