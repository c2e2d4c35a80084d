package customer

import (
	"iter"

	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
)

// Derive adds an index of another package's to the customers, kept in each customer's own
// batch like their own. It is called before AddTo; ids are from 16 on.
func (s *Store) Derive(x *storage.Index[*Customer]) {
	s.customer.Indexes = append(s.customer.Indexes, x)
}

// Derived yields the ids of the customers under a key of such an index, ascending,
// whoever may see them: what the caller shows of them is its own to narrow. It reads no
// records.
func (r *Reader) Derived(x *storage.Index[*Customer], key storage.Key) iter.Seq2[ID, error] {
	return func(yield func(ID, error) bool) {
		for e, err := range r.store.customer.Entries(r.storage, x, kv.Prefix(key), false) {
			var id ID
			if err == nil {
				id, err = e.Primary(e.Key()[len(key):])
			}
			if !yield(id, err) || err != nil {
				return
			}
		}
	}
}
