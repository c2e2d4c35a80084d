package credit

import (
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage/record"
)

// Combination is what a merge of two customers did to their receivables, for its undoing.
// It belongs to the record of the merge: encode it with MarshalBinary.
type Combination struct {
	Survivor, Loser customer.ID
	Items           int // that moved to the survivor
	// Limits and Group say that the survivor had none and took over the loser's.
	Limits, Group bool
}

// MergeCustomers gives the survivor of a merge the items of the loser, open and settled,
// and with them its place in all reports, also of the past. Allocations stay as they are.
// It costs some reads and a write for each of the loser's items, whatever the survivor has.
// Neither's status matters, but that it is not erased.
func (tx *Tx) MergeCustomers(survivor, loser customer.ID) (*Combination, error) {
	const op = "merge customers"
	if survivor == loser {
		return nil, &Error{Op: op, Customer: survivor, Problem: "is both survivor and loser", Err: ErrInvalid}
	}
	for _, id := range [2]customer.ID{survivor, loser} {
		if err := tx.mayMerge(op, id); err != nil {
			return nil, err
		}
	}
	n, err := tx.moveItems(loser, survivor, func(i *Item) bool {
		i.Via = append(i.Via, loser)
		return true
	})
	if err != nil {
		return nil, err
	}
	done := &Combination{Survivor: survivor, Loser: loser, Items: n}
	return done, tx.mergeControl(done)
}

// UnmergeCustomers undoes what MergeCustomers did, in any order with other merges into the
// survivor. The loser has its items again. What was posted to the survivor since the merge
// stays there, and allocations between items of the two stay as they are. Of limits, group
// and level of dunning the survivor keeps its own, what those that are still merged would
// have lent it alone, and what was changed since. It costs some reads for each of the
// survivor's items and of those still merged.
func (tx *Tx) UnmergeCustomers(done *Combination) error {
	const op = "unmerge customers"
	if done == nil {
		return &Error{Op: op, Problem: "needs what MergeCustomers returned", Err: ErrInvalid}
	}
	for _, id := range [2]customer.ID{done.Survivor, done.Loser} {
		if err := tx.mayMerge(op, id); err != nil {
			return err
		}
	}
	_, err := tx.moveItems(done.Survivor, done.Loser, func(i *Item) bool {
		last := len(i.Via) - 1
		if last < 0 || i.Via[last] != done.Loser {
			return false
		}
		i.Via = i.Via[:last]
		return true
	})
	if err != nil {
		return err
	}
	return tx.unmergeControl(done)
}

// mayMerge returns nil for a customer of any status but Erased that the session may
// merge.
func (tx *Tx) mayMerge(op string, id customer.ID) error {
	c, err := customer.Unscoped(&tx.customers.Reader).Get(id)
	if err != nil {
		return missing(op, id, err)
	}
	if access := tx.access(); access != nil {
		if err := access.Allows(customer.RightMerge, customer.Items, c); err != nil {
			return missing(op, id, err)
		}
	}
	if c.Status == customer.Erased {
		return &customer.StatusError{ID: id, Status: c.Status, Action: op}
	}
	return nil
}

// moveItems moves the items that change accepts from one customer to another.
func (tx *Tx) moveItems(from, to customer.ID, change func(*Item) bool) (moved int, err error) {
	var items []*Item
	for i, err := range tx.itemsOf(from) {
		if err != nil {
			return 0, err
		}
		if change(i) {
			items = append(items, i)
		}
	}
	if len(items) == 0 {
		return 0, nil
	}
	for _, i := range items {
		i.Customer = to
		if err := tx.store.item.Put(tx.tx, i.ID, i, uint8(Moved)); err != nil {
			return 0, err
		}
	}
	if err := tx.rebuild(from, Moved); err != nil {
		return 0, err
	}
	return len(items), tx.adopt(to, items)
}

// adopt adds what follows from items that came to a customer to what is derived for it, and
// tells the observers. It reads nothing of the items that the customer had before.
func (tx *Tx) adopt(id customer.ID, items []*Item) error {
	d, err := tx.deriveFrom(id, all(items), func(*Allocation) bool { return true })
	if err != nil {
		return err
	}
	open := make([]*entry, len(d.open))
	for n := range d.open {
		open[n] = &entry{openItem: d.open[n]}
	}
	if err := tx.changeOpen(open); err != nil {
		return err
	}
	entries := byDay(d.list)
	if err := tx.addLog(entries); err != nil {
		return err
	}
	if err := tx.changeFigures(d.list); err != nil {
		return err
	}
	return tx.changeAccounts(entries, Moved)
}

// all yields what is in a list.
func all[T any](list []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, v := range list {
			if !yield(v, nil) {
				return
			}
		}
	}
}

// The fields of a stored Combination.
const (
	combinationSurvivor = 1
	combinationLoser    = 2
	combinationItems    = 3
	combinationLimits   = 4
	combinationGroup    = 5
)

// MarshalBinary encodes a Combination for UnmarshalBinary of this or a later version.
func (c *Combination) MarshalBinary() ([]byte, error) {
	var w record.Writer
	w.Uint(combinationSurvivor, uint64(c.Survivor))
	w.Uint(combinationLoser, uint64(c.Loser))
	w.Uint(combinationItems, uint64(c.Items))
	x := wire{w: &w}
	x.flag(combinationLimits, &c.Limits)
	x.flag(combinationGroup, &c.Group)
	return w.Buf, nil
}

// UnmarshalBinary decodes what MarshalBinary encoded.
func (c *Combination) UnmarshalBinary(data []byte) error {
	*c = Combination{}
	r := record.NewReader(string(data))
	for r.Next() {
		switch r.Field() {
		case combinationSurvivor:
			c.Survivor = customer.ID(r.Uint())
		case combinationLoser:
			c.Loser = customer.ID(r.Uint())
		case combinationItems:
			c.Items = int(r.Uint())
		case combinationLimits:
			c.Limits = r.Uint() != 0
		case combinationGroup:
			c.Group = r.Uint() != 0
		default:
			r.Skip()
		}
	}
	if err := r.Err(); err != nil {
		return fmt.Errorf("credit: decode a Combination: %w", err)
	}
	if slices.Contains([]customer.ID{c.Survivor, c.Loser}, 0) {
		return errors.New("credit: the bytes are no Combination: they name no customers")
	}
	return nil
}
