package credit

import (
	"slices"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
)

// blockPages are the keys of a block's pages from one place on.
func blockPages(from openKey) kv.Range {
	end := storage.Key(nil).Uint(uint64(blockOf(from.customer) + 1<<blockBits))
	return kv.Range{Lower: appendOpenKey(nil, from), Upper: end}
}

// after is the range without its first key.
func after(keys kv.Range) kv.Range {
	keys.Lower = append(keys.Lower, 0)
	return keys
}

// openPage returns a block's first page, an empty one when it has none.
func (r *Reader) firstPage(id customer.ID) (*openPage, error) {
	key := firstPage(id)
	p, err := r.store.open.Get(r.storage, key)
	if isNotFound(err) {
		return &openPage{key: key}, nil
	}
	return p, err
}

// pageOf returns the page that holds a place, given its block's first.
func (r *Reader) pageOf(first *openPage, at place) (*openPage, error) {
	if !first.more {
		return first, nil
	}
	keys := kv.Range{Lower: appendOpenKey(nil, first.key), Upper: append(appendOpenKey(nil, at), 0)}
	for p, err := range r.store.open.Records(r.storage, keys, true) {
		return p, err
	}
	return first, nil
}

// nextPage returns the page after one, nil when that is its block's last.
func (r *Reader) nextPage(p *openPage) (*openPage, error) {
	for next, err := range r.store.open.Records(r.storage, after(blockPages(p.key)), false) {
		return next, err
	}
	return nil, nil
}

// eachOpen calls f with a customer's open items by due day and item, until it returns
// false. It costs one read up to some hundred items.
func (r *Reader) eachOpen(id customer.ID, f func(*openItem) bool) error {
	first, err := r.firstPage(id)
	if err != nil {
		return err
	}
	var reader openReader
	if !first.more {
		_, err := reader.eachOf(first, id, f)
		return err
	}
	from, err := r.pageOf(first, place{customer: id})
	if err != nil {
		return err
	}
	keys := kv.Range{Lower: appendOpenKey(nil, from.key), Upper: storage.Key(nil).Uint(uint64(id + 1))}
	for p, err := range r.store.open.Records(r.storage, keys, false) {
		if err != nil {
			return err
		}
		more, err := reader.eachOf(p, id, f)
		if err != nil || !more {
			return err
		}
	}
	return nil
}

// eachOf calls f with a customer's items in a page until it returns false.
func (r *openReader) eachOf(p *openPage, id customer.ID, f func(*openItem) bool) (more bool, err error) {
	r.reset(p)
	for r.group() {
		if r.item.customer != id {
			continue
		}
		for r.next() {
			if !f(&r.item) {
				return false, nil
			}
		}
	}
	return true, r.err(p)
}

// openAmount returns what is open of an item. It costs one or two reads.
func (r *Reader) openAmount(i *Item) (amount int64, err error) {
	at := place{i.Customer, i.Due, i.ID}
	first, err := r.firstPage(i.Customer)
	if err != nil {
		return 0, err
	}
	p, err := r.pageOf(first, at)
	if err != nil {
		return 0, err
	}
	var reader openReader
	_, err = reader.eachOf(p, i.Customer, func(o *openItem) bool {
		if o.item == i.ID {
			amount = o.amount
		}
		return o.item != i.ID && o.due <= i.Due
	})
	return amount, err
}

// changeOpen changes what is open by entries, which are in the order of their places.
func (tx *Tx) changeOpen(entries []*entry) error {
	for len(entries) > 0 {
		first, err := tx.firstPage(entries[0].customer)
		if err != nil {
			return err
		}
		n := 1
		for n < len(entries) && blockOf(entries[n].customer) == first.key.customer {
			n++
		}
		if err := tx.changeBlock(entries[:n]); err != nil {
			return err
		}
		entries = entries[n:]
	}
	return nil
}

// changeBlock is changeOpen for entries of one block.
func (tx *Tx) changeBlock(entries []*entry) error {
	for len(entries) > 0 {
		at := entries[0].place()
		first, err := tx.firstPage(at.customer)
		if err != nil {
			return err
		}
		p, err := tx.pageOf(first, at)
		if err != nil {
			return err
		}
		var next *openPage
		if first.more {
			if next, err = tx.nextPage(p); err != nil {
				return err
			}
		}
		n := 1
		for n < len(entries) && (next == nil || entries[n].place().compare(next.key) < 0) {
			n++
		}
		items, err := p.items()
		if err != nil {
			return err
		}
		for _, e := range entries[:n] {
			if items, err = e.applyTo(items); err != nil {
				return err
			}
		}
		if err := tx.writeOpen(first, p, next, items); err != nil {
			return err
		}
		entries = entries[n:]
	}
	return nil
}

// applyTo changes the open items of a page.
func (e *entry) applyTo(items []openItem) ([]openItem, error) {
	at, found := slices.BinarySearchFunc(items, e.place(), func(o openItem, p place) int { return o.place().compare(p) })
	if !found {
		if e.amount < 0 {
			return nil, e.tooMuch()
		}
		if e.amount == 0 {
			return items, nil
		}
		return slices.Insert(items, at, e.openItem), nil
	}
	i := &items[at]
	switch sum := i.amount + e.amount; {
	case sum < 0: // of two amounts whose sum can't overflow, but by a damaged page
		return nil, e.tooMuch()
	case sum == 0:
		return slices.Delete(items, at, at+1), nil
	default:
		i.amount = sum
	}
	return items, nil
}

func (e *entry) tooMuch() error {
	return &Error{Op: "allocate", Customer: e.customer, Item: e.item, Problem: "more would be settled than is open", Err: ErrOverAllocated}
}

// writeOpen stores a page's new items, split or joined with the next page if need be.
func (tx *Tx) writeOpen(first, p, next *openPage, items []openItem) error {
	joined := false
	if next != nil && len(items) < tx.store.sizes.small && len(items)+next.count <= tx.store.sizes.join {
		more, err := next.items()
		if err != nil {
			return err
		}
		items, joined = append(items, more...), true
		if err := tx.store.open.Delete(tx.tx, next.key, uint8(Posted)); err != nil {
			return err
		}
	}
	more := p.key == first.key && first.more
	var err error
	if len(items) == 0 && !more {
		err = tx.dropPage(p.key)
	} else {
		err = splitPages(p.key, more, p.key == first.key, items, tx.store.sizes.open, func(p *openPage) error {
			return tx.store.open.Put(tx.tx, p.key, p, uint8(Posted))
		})
	}
	if err != nil || !first.more || len(items) > 0 && !joined {
		return err
	}
	return tx.settleMore(p.key.customer)
}

// dropPage removes a page that may not be there.
func (tx *Tx) dropPage(key openKey) error {
	err := tx.store.open.Delete(tx.tx, key, uint8(Posted))
	if isNotFound(err) {
		return nil
	}
	return err
}

// settleMore takes the mark of further pages from a block that has none any more.
func (tx *Tx) settleMore(id customer.ID) error {
	first, err := tx.firstPage(id)
	if err != nil || !first.more {
		return err
	}
	next, err := tx.nextPage(first)
	if err != nil || next != nil {
		return err
	}
	first.more = false
	if first.count == 0 {
		return tx.dropPage(first.key)
	}
	return tx.store.open.Put(tx.tx, first.key, first, uint8(Posted))
}
