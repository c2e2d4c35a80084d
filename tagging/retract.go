package tagging

import (
	"errors"
	"slices"

	"github.com/clientele-go/clientele/customer"
)

// Retract takes back what Replace did for an import: the imported assignments of the
// given tags go, and what persons or imports had said in the same dimensions stands again
// as it did in a version, 0 for before the first. Rules keep what is theirs. It fails with
// ErrNotFound when there is no such version.
func (tx *Tx) Retract(id customer.ID, version uint64, given ...TagID) (*Tagged, error) {
	const op = "retract"
	e, err := tx.beginLive(op, id)
	if err != nil {
		return nil, err
	}
	former, err := tx.recordedAt(op, id, version)
	if err != nil {
		return nil, err
	}
	dimensions := map[DimensionID]bool{}
	for _, t := range given {
		if tag := e.cat.survivor(e.cat.tags[t]); tag != nil {
			dimensions[tag.Dimension] = true
		}
	}
	e.list = slices.DeleteFunc(e.list, func(a Assignment) bool { return a.Origin == Imported && slices.Contains(given, a.Tag) })
	for _, a := range former {
		if a.recorded() && dimensions[a.Dimension] && endsAfter(a.Until, e.now) {
			e.list = slices.DeleteFunc(e.list, func(old Assignment) bool { return old.claim() == a.claim() })
			e.list = append(e.list, a)
		}
	}
	return tx.told(tx.finish(e, Updated))
}

// recordedAt returns a customer's assignments as a version has them.
func (tx *Tx) recordedAt(op string, id customer.ID, version uint64) ([]Assignment, error) {
	if version == 0 {
		return nil, nil
	}
	t, err := tx.store.tagged.AtVersion(tx.storage, id, version)
	if errors.Is(err, ErrNotFound) {
		return nil, noCustomer(op, id)
	}
	if err != nil {
		return nil, err
	}
	return t.Assignments, nil
}
