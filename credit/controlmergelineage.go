package credit

import (
	"fmt"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/internal/lineage"
)

// The names, in a stored lineage, of what a merge lends a survivor.
const (
	lentLimits  = "limits"
	lentGroup   = "group"
	lentDunning = "dunning"
)

// lent tells what a survivor has of others rather than of itself or, in a gift, what a
// loser lends. A loser keeps its limits, group and level of dunning while it is merged, so
// that a gift need not repeat them, and no text of theirs is left where it is erased.
type lent struct {
	limits, group, dunned bool
	own                   Dunning // the survivor's own level, when dunned
	rest                  string
}

func (t *lent) fields(x *wire) {
	x.flag(1, &t.limits)
	x.flag(2, &t.group)
	x.flag(3, &t.dunned)
	x.nested(4, t.own != Dunning{}, t.own.fields)
}

func (t *lent) nothing() bool { return !t.limits && !t.group && !t.dunned }

func (t *lent) stored() (string, error) {
	stored, err := encode(nil, t.rest, t.fields)
	return string(stored), err
}

func readLent(stored string) (*lent, error) {
	t := &lent{}
	var err error
	if t.rest, err = decode(stored, t.fields); err != nil {
		return nil, fmt.Errorf("credit: decode a lineage: %w", err)
	}
	return t, nil
}

// lineageOf returns the lineage of a survivor, nil when there is none, and what it has of
// others.
func (tx *Tx) lineageOf(survivor customer.ID) (*lineage.Lineage, *lent, error) {
	l, err := tx.store.lineage.Of(tx.storage, uint64(survivor))
	if err != nil || l == nil {
		return nil, &lent{}, err
	}
	has, err := readLent(l.Own)
	return l, has, err
}

// noteEdit makes what people change of a survivor's limits, group or level of dunning its
// own. It costs one read for a customer into which none was merged.
func (tx *Tx) noteEdit(survivor customer.ID, element string) error {
	l, has, err := tx.lineageOf(survivor)
	if err != nil || l == nil {
		return err
	}
	switch element {
	case lentLimits:
		has.limits = false
	case lentGroup:
		has.group = false
	case lentDunning:
		has.dunned, has.own = false, Dunning{}
	}
	l.Edit(element)
	if l.Own, err = has.stored(); err != nil {
		return err
	}
	return tx.store.lineage.Put(tx.tx, uint64(survivor), l)
}
