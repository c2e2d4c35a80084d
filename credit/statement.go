package credit

import (
	"iter"

	"github.com/clientele-go/clientele/customer"
)

// Items yields all items of a customer, settled ones too, by due day and id. It costs a
// read each.
func (r *Reader) Items(id customer.ID) iter.Seq2[*Item, error] {
	return func(yield func(*Item, error) bool) {
		id, err := r.holder("list items", id)
		if err != nil {
			yield(nil, err)
			return
		}
		for i, err := range r.itemsOf(id) {
			if !yield(i, err) || err != nil {
				return
			}
		}
	}
}

// itemsOf is Items for what the session's scope has no part in.
func (r *Reader) itemsOf(id customer.ID) iter.Seq2[*Item, error] {
	return func(yield func(*Item, error) bool) {
		prefix, keys := itemRange(id)
		for e, err := range r.store.item.Entries(r.storage, r.store.holder, keys, false) {
			var i *Item
			if err == nil {
				_, rest, cutErr := e.Key()[len(prefix):].CutUint() // the due day
				if err = cutErr; err == nil {
					i, err = r.itemAt(e.Primary(rest))
				}
			}
			if !yield(i, err) || err != nil {
				return
			}
		}
	}
}

func (r *Reader) itemAt(id ItemID, err error) (*Item, error) {
	if err != nil {
		return nil, err
	}
	return r.store.item.Get(r.storage, id)
}
