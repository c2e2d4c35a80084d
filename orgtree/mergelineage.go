package orgtree

import (
	"fmt"
	"maps"
	"slices"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/internal/lineage"
	"github.com/clientele-go/clientele/internal/text"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/record"
)

// noteMerge keeps what the loser of a merge brought.
func (tx *Tx) noteMerge(done *PlacementMerge, gift *Placement) error {
	if gift.empty() {
		return nil
	}
	l, own, err := tx.lineageOf(done.Survivor, &done.Former)
	if err != nil {
		return err
	}
	if l == nil {
		l = &lineage.Lineage{}
	}
	if l.Own, err = storedPlacement(own); err != nil {
		return err
	}
	brought, err := storedPlacement(gift)
	if err != nil {
		return err
	}
	return tx.store.lineage.Give(tx.tx, uint64(done.Survivor), uint64(done.Loser), l, brought)
}

// separate leaves a survivor what is its own and what those that are still merged brought.
func (tx *Tx) separate(op string, to *Placement, owner customer.UnitID, done *PlacementMerge) error {
	id, loser := uint64(done.Survivor), uint64(done.Loser)
	l, own, err := tx.lineageOf(done.Survivor, to)
	if err != nil {
		return err
	}
	gifts, brought, err := tx.store.lineage.BroughtBut(tx.storage, id, loser)
	if err != nil {
		return err
	}
	if brought == nil {
		own.without(done.given())
	}
	own.giveUpCodes(&done.Lost)
	next := own.copy()
	for i := range gifts {
		if err := tx.joinGift(&next, owner, l, &gifts[i]); err != nil {
			return err
		}
	}
	next.settle(tx.now())
	if err := tx.rewritePlacement(op, &next); err != nil || l == nil {
		return err
	}
	if l.Own, err = storedPlacement(own); err != nil {
		return err
	}
	return tx.store.lineage.TakeBack(tx.tx, id, loser, l, gifts)
}

// lineageOf returns the lineage of a survivor that has the given placement, nil when there
// is none, and what of the placement is its own.
func (tx *Tx) lineageOf(survivor customer.ID, now *Placement) (l *lineage.Lineage, own *Placement, err error) {
	l, err = tx.store.lineage.Of(tx.storage, uint64(survivor))
	if err != nil || l == nil {
		own := now.copy()
		return nil, &own, err
	}
	own, err = tx.readPlacement(l.Own)
	own.Customer, own.rest = now.Customer, now.rest
	return l, own, err
}

// noteEdit makes what people change of a survivor's placement its own.
func (tx *Tx) noteEdit(old, next *Placement) error {
	l, own, err := tx.lineageOf(next.Customer, next)
	if err != nil || l == nil {
		return err
	}
	tree, err := tx.Tree()
	if err != nil {
		return err
	}
	before, after := old.copy(), next.copy()
	before.settle(tx.now()) // ended by the clock, not by people
	after.settle(tx.now())
	edited := differences(before.forms(tree), after.forms(tree))
	if len(edited) == 0 {
		return nil
	}
	isEdited := func(kind elementKind, unit customer.UnitID) bool {
		return edited[elementName(kind, tree.Resolve(unit))]
	}
	after.keep(isEdited)
	own.keep(func(kind elementKind, unit customer.UnitID) bool { return !isEdited(kind, unit) })
	own.Team = max(own.Team, after.Team) // one of them is 0
	own.Assignments = append(own.Assignments, after.Assignments...)
	own.Overlays = append(own.Overlays, after.Overlays...)
	for name := range edited {
		l.Edit(name)
	}
	if l.Own, err = storedPlacement(own); err != nil {
		return err
	}
	return tx.store.lineage.Put(tx.tx, uint64(next.Customer), l)
}

// giveUpCodes removes the local codes that a loser gets back, also from overlays that were
// edited since.
func (p *Placement) giveUpCodes(lost *Placement) {
	for i := range p.Overlays {
		o := &p.Overlays[i]
		if at := lost.overlay(o.Unit); at >= 0 && text.Fold(lost.Overlays[at].LocalCode) == text.Fold(o.LocalCode) {
			o.LocalCode = ""
		}
	}
	p.Overlays = slices.DeleteFunc(p.Overlays, func(o Overlay) bool { return o.empty() })
}

// joinGift adds what counts of a gift. Whether it does is asked under the unit that was
// given and, when that was merged since, under each that it went up in. Units that were
// closed since are left out, and local codes that another customer has by now.
func (tx *Tx) joinGift(p *Placement, owner customer.UnitID, l *lineage.Lineage, g *lineage.Gift) error {
	gift, err := tx.readPlacement(g.Elements)
	if err != nil {
		return err
	}
	tree, err := tx.Tree()
	if err != nil {
		return err
	}
	gift.keep(func(kind elementKind, unit customer.UnitID) bool {
		into := tree.Resolve(unit)
		for l.Counts(g, elementName(kind, unit)) {
			if unit == into {
				return kind == elementTeam || tree.Open(into)
			}
			u, _ := tree.Unit(unit) // merged, since it has a survivor
			unit = u.MergedInto
		}
		return false
	})
	for i := range gift.Overlays {
		o := &gift.Overlays[i]
		if o.LocalCode == "" {
			continue
		}
		holder, err := tx.localCode(o.Unit, o.LocalCode)
		if err == nil && holder != p.Customer {
			o.LocalCode = ""
		}
		if err != nil && !isNotFound(err) {
			return err
		}
	}
	gift.Overlays = slices.DeleteFunc(gift.Overlays, func(o Overlay) bool { return o.empty() })
	p.join(gift, owner)
	return nil
}

// elementKind is a part of a placement that people set by itself.
type elementKind byte

const (
	elementTeam       elementKind = 't'
	elementAssignment elementKind = 'a'
	elementOverlay    elementKind = 'o'
)

// elementName names an element in a stored lineage.
func elementName(kind elementKind, unit customer.UnitID) string {
	if kind == elementTeam {
		return string(kind)
	}
	return fmt.Sprintf("%c%d", kind, unit)
}

// keep leaves the elements that are wanted.
func (p *Placement) keep(wanted func(elementKind, customer.UnitID) bool) {
	if !wanted(elementTeam, 0) {
		p.Team = 0
	}
	p.Assignments = slices.DeleteFunc(p.Assignments, func(a Assignment) bool { return !wanted(elementAssignment, a.Unit) })
	p.Overlays = slices.DeleteFunc(p.Overlays, func(o Overlay) bool { return !wanted(elementOverlay, o.Unit) })
}

// without removes what a merge gave, but for what was changed since.
func (p *Placement) without(given Placement) {
	theirs := given.forms(nil)
	alike := func(name, form string) bool { return theirs[name][form] }
	p.Assignments = slices.DeleteFunc(p.Assignments, func(a Assignment) bool {
		return alike(elementName(elementAssignment, a.Unit), a.form())
	})
	p.Overlays = slices.DeleteFunc(p.Overlays, func(o Overlay) bool {
		return alike(elementName(elementOverlay, o.Unit), o.form())
	})
	if p.Team == given.Team {
		p.Team = 0
	}
}

// forms returns the stored forms of what was agreed, whether it has begun or not, by the
// name of the element, units as what they went up in where a tree is given.
func (p *Placement) forms(tree *Tree) map[string]map[string]bool {
	resolve := func(unit customer.UnitID) customer.UnitID { return unit }
	if tree != nil {
		resolve = tree.Resolve
	}
	forms := map[string]map[string]bool{}
	add := func(name, form string) {
		if forms[name] == nil {
			forms[name] = map[string]bool{}
		}
		forms[name][form] = true
	}
	if p.Team != 0 {
		add(elementName(elementTeam, 0), fmt.Sprint(resolve(p.Team)))
	}
	for _, a := range p.Assignments {
		a.Unit, a.Team = resolve(a.Unit), resolve(a.Team)
		add(elementName(elementAssignment, a.Unit), a.form())
	}
	for _, o := range p.Overlays {
		o.Unit = resolve(o.Unit)
		add(elementName(elementOverlay, o.Unit), o.form())
	}
	return forms
}

// form is the stored form of what was agreed, whether it has begun or not.
func (a Assignment) form() string {
	var w record.Writer
	a.live = false
	appendAssignment(&w, &a)
	return string(w.Buf)
}

func (o Overlay) form() string {
	var w record.Writer
	appendOverlay(&w, &o)
	return string(w.Buf)
}

// differences returns the names under which two sets of forms differ.
func differences(a, b map[string]map[string]bool) map[string]bool {
	names := map[string]bool{}
	for _, sets := range [][2]map[string]map[string]bool{{a, b}, {b, a}} {
		for name, forms := range sets[0] {
			if !maps.Equal(forms, sets[1][name]) {
				names[name] = true
			}
		}
	}
	return names
}

func storedPlacement(p *Placement) (string, error) {
	stored, err := appendPlacement(nil, p)
	return string(stored), err
}

// readPlacement reads a placement of a lineage, as far as it has not ended.
func (tx *Tx) readPlacement(stored string) (*Placement, error) {
	p, err := decodePlacement(stored, 0, storage.Meta{})
	if err != nil {
		return &Placement{}, fmt.Errorf("orgtree: decode a lineage: %w", err)
	}
	p.settle(tx.now())
	return p, nil
}
