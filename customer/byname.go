package customer

import (
	"iter"

	"github.com/clientele-go/clientele/internal/text"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
)

// ByName yields the active and suspended customers of a name: letter case, width,
// punctuation and traditional or simplified script do not count. It reads the customers
// whose names sound alike in pinyin.
func (r *Reader) ByName(name string) iter.Seq2[*Customer, error] {
	set := storage.KeySet{}
	nameKeys(&set, &Customer{Name: name})
	folded := text.Fold(name)
	return func(yield func(*Customer, error) bool) {
		for c, err := range r.each(r.store.name, set.Key(0), "name") {
			if err == nil && text.Fold(c.Name) != folded {
				continue
			}
			if !yield(c, err) {
				return
			}
		}
	}
}

// BySystem yields the customers that another system knows, in the order of its keys;
// one that it knows by several keys comes as often.
func (r *Reader) BySystem(system string) iter.Seq2[*Customer, error] {
	key := storage.Key(nil).String(system)
	return func(yield func(*Customer, error) bool) {
		for e, err := range r.store.customer.Entries(r.storage, r.store.source, kv.Prefix(key), false) {
			var id ID
			var c *Customer
			if err == nil {
				id, err = e.Primary(nil)
			}
			if err == nil {
				c, err = r.byIndex(id, "source")
			}
			if c == nil && err == nil {
				continue
			}
			if !yield(c, err) || err != nil {
				return
			}
		}
	}
}
