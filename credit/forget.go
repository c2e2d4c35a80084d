package credit

import (
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
)

// Forget removes the free text of a customer's items and allocations for good, also from
// former versions: notes, reasons of disputes, references. Amounts, dates and document
// keys stay, since receivables must be kept. It is called when a customer is erased; before, it
// needs the right to.
func (tx *Tx) Forget(id customer.ID) error {
	c, err := customer.Unscoped(&tx.customers.Reader).Exact(id)
	if err != nil || c.Status != customer.Erased {
		err = tx.customers.Permit(customer.RightErase, customer.Items, id)
	}
	if err != nil {
		return missing("forget", id, err)
	}
	var items []*Item
	for i, err := range tx.itemsOf(id) {
		if err != nil {
			return err
		}
		items = append(items, i)
	}
	for _, i := range items {
		if err := tx.forgetAllocations(i.ID); err != nil {
			return err
		}
		if !i.texts && i.Reference == "" {
			continue
		}
		if err := tx.keepHolders(i); err != nil {
			return err
		}
		i.Note, i.Reference, i.Dispute.Reason, i.texts = "", "", "", false
		if err := tx.store.item.Erase(tx.tx, i.ID, i, uint8(Forgot)); err != nil {
			return err
		}
	}
	return nil
}

// keepHolders notes in an item who held it by version, which its versions, about to be
// erased, can't tell any more; see [Reader.HeldAt].
func (tx *Tx) keepHolders(i *Item) error {
	for v, err := range tx.store.item.Versions(tx.storage, i.ID) {
		if err != nil {
			return err
		}
		if v.Value == nil {
			continue // erased before, and in the list
		}
		if n := len(i.held); n == 0 || i.held[n-1].holder != v.Value.Customer {
			i.held = append(i.held, holding{v.Version, v.Value.Customer})
		}
	}
	return nil
}

func (tx *Tx) forgetAllocations(id ItemID) error {
	var list []*Allocation
	for a, err := range tx.allocations(id) {
		if err != nil {
			return err
		}
		if a.texts {
			list = append(list, a)
		}
	}
	for _, a := range list {
		a.Note, a.texts = "", false
		if err := tx.store.allocation.Erase(tx.tx, a.ID, a, uint8(Forgot)); err != nil {
			return err
		}
	}
	return nil
}

// itemRange is the entries of a customer's items by due day.
func itemRange(id customer.ID) (prefix storage.Key, keys kv.Range) {
	prefix = storage.Key(nil).Uint(uint64(id))
	return prefix, kv.Prefix(prefix)
}
