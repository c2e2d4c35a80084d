package tagging

import (
	"fmt"
	"slices"

	"github.com/clientele-go/clientele/internal/lineage"
	"github.com/clientele-go/clientele/storage"
)

// noteMerge keeps what the loser of a merge brought. One without tags brings nothing.
func (tx *Tx) noteMerge(done *Combination) error {
	if len(done.Lost) == 0 {
		return nil
	}
	l, own, err := tx.lineageOf(uint64(done.Survivor), done.Former)
	if err != nil {
		return err
	}
	if l == nil {
		l = &lineage.Lineage{}
	}
	if err := storeLists(l, own, done.Combined); err != nil {
		return err
	}
	brought, err := storedList(done.Lost)
	if err != nil {
		return err
	}
	return tx.store.lineage.Give(tx.tx, uint64(done.Survivor), uint64(done.Loser), l, brought)
}

// separate leaves a survivor what is its own and what those that are still merged brought.
func (tx *Tx) separate(survivor *edit, done *Combination) error {
	id, loser := uint64(done.Survivor), uint64(done.Loser)
	l, own, err := tx.lineageOf(id, survivor.list)
	if err != nil {
		return err
	}
	gifts, brought, err := tx.store.lineage.BroughtBut(tx.storage, id, loser)
	if err != nil {
		return err
	}
	if brought == nil {
		own = tx.cat.takeBack(own, done.Combined, done.Former, tx.now)
	}
	survivor.list, _ = tx.cat.combine(own, nil)
	for i := range gifts { // as if these alone had been merged
		gift, err := tx.readGift(l, &gifts[i])
		if err != nil {
			return err
		}
		survivor.list, _ = tx.cat.combine(survivor.list, gift)
	}
	after, _, err := tx.finish(survivor, Combined)
	if err != nil || l == nil {
		return err
	}
	if err := storeLists(l, own, after.Assignments); err != nil {
		return err
	}
	return tx.store.lineage.TakeBack(tx.tx, id, loser, l, gifts)
}

// lineageOf returns the lineage of a survivor that has the given list, nil when there is
// none, and what of the list is its own, of which edits until now are.
func (tx *Tx) lineageOf(survivor uint64, now []Assignment) (l *lineage.Lineage, own []Assignment, err error) {
	l, err = tx.store.lineage.Of(tx.storage, survivor)
	if err != nil || l == nil {
		return nil, slices.Clone(now), err
	}
	own, err = readList(l.Own)
	if err != nil {
		return nil, nil, err
	}
	left, err := readList(l.Left)
	if err != nil {
		return nil, nil, err
	}
	own, left = tx.cat.settle(own, tx.now), tx.cat.settle(left, tx.now)
	edited := map[claim]bool{}
	for _, lists := range [][2][]Assignment{{now, left}, {left, now}} {
		for _, a := range lists[0] {
			if !a.among(lists[1]) {
				edited[a.claim()] = true
			}
		}
	}
	own = slices.DeleteFunc(own, func(a Assignment) bool { return edited[a.claim()] })
	for _, a := range now {
		if edited[a.claim()] {
			own = append(own, a)
		}
	}
	for c := range edited {
		l.Edit(c.String())
	}
	return l, own, nil
}

// readGift returns what counts of a gift. Whether it does is asked under the tag that was
// given and, when that was merged since, under each that it has become.
func (tx *Tx) readGift(l *lineage.Lineage, g *lineage.Gift) ([]Assignment, error) {
	given, err := readList(g.Elements)
	if err != nil {
		return nil, err
	}
	given = slices.DeleteFunc(given, func(a Assignment) bool {
		for l.Counts(g, a.claim().String()) {
			t := tx.cat.tags[a.Tag]
			if t == nil || t.MergedInto == 0 {
				return false
			}
			a.Tag = t.MergedInto
		}
		return true
	})
	return tx.cat.settle(given, tx.now), nil
}

// String names the claim in a stored lineage.
func (c claim) String() string { return fmt.Sprintf("%d %d %s", c.tag, c.origin, c.ruleSet) }

func storeLists(l *lineage.Lineage, own, left []Assignment) (err error) {
	if l.Own, err = storedList(own); err != nil {
		return err
	}
	l.Left, err = storedList(left)
	return err
}

func storedList(list []Assignment) (string, error) {
	stored, err := appendTagged(nil, &Tagged{Assignments: list})
	return string(stored), err
}

func readList(stored string) ([]Assignment, error) {
	t, err := decodeTagged(stored, 0, storage.Meta{})
	if err != nil {
		return nil, fmt.Errorf("tagging: decode a lineage: %w", err)
	}
	return t.Assignments, nil
}
