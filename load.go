package clientele

import (
	"context"
	"iter"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
)

// placedEvery is the number of drafts that one reading of the organisation is for.
const placedEvery = 1000

// placeable yields drafts up to the first whose owner can't have customers: a bulk load
// passes the guards of a transaction by.
func (b *Book) placeable(ctx context.Context, drafts iter.Seq2[customer.Draft, error]) iter.Seq2[customer.Draft, error] {
	return func(yield func(customer.Draft, error) bool) {
		var check func(customer.UnitID) error
		n := 0
		for d, err := range drafts {
			if err == nil && n%placedEvery == 0 {
				err = b.store.View(ctx, func(r *storage.Reader) (err error) {
					check, err = b.org.LoadCheck(r)
					return err
				})
			}
			if n++; err == nil {
				err = check(d.Owner)
			}
			if !yield(d, err) || err != nil {
				return
			}
		}
	}
}
