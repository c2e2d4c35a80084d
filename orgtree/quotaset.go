package orgtree

import (
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
)

// HasQuotas reports whether any unit or representative may have only so many customers,
// so that customers must be created one by one to be counted. It reads the tree, and one
// record.
func (r *Reader) HasQuotas() (bool, error) {
	for _, err := range r.store.repQuota.Records(r.storage, kv.Range{}, false) {
		return err == nil, err
	}
	tree, err := r.Tree()
	if err != nil {
		return false, err
	}
	for _, u := range tree.all {
		if u.Closed.IsZero() && (u.Quota > 0 || u.RepQuota > 0) { // a closed one has no customers, a merged one its survivor's quota
			return true, nil
		}
	}
	return false, nil
}

// LoadCheck returns what tells whether customers can be loaded in bulk into a unit, as the
// organisation is in one state: by the rules of [Store.Tx], whose guard a load passes by. See
// [customer.Store.Placing]. It fails with an error that wraps ErrQuota where there are quotas.
func (s *Store) LoadCheck(r *storage.Reader) (func(owner customer.UnitID) error, error) {
	reader := Reader{store: s, storage: r}
	bounded, err := reader.HasQuotas()
	if err != nil {
		return nil, err
	}
	if bounded {
		return nil, &Error{Op: "load", Remedy: "create customers one by one while there are quotas: a load counts nobody", Err: ErrQuota}
	}
	tree, err := reader.Tree()
	if err != nil {
		return nil, err
	}
	return func(owner customer.UnitID) error {
		if !tree.hasUnits() {
			return nil
		}
		return tree.checkOwner(owner, true)
	}, nil
}
