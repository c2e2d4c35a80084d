package orgtree

import (
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
		if u.Quota > 0 || u.RepQuota > 0 {
			return true, nil
		}
	}
	return false, nil
}
