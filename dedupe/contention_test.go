package dedupe_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/dedupe"
	"github.com/clientele-go/clientele/storage"
)

// Sixteen sessions merge and unmerge the same customers in random order. Each step succeeds
// or is refused for what another session did before it, and in the end every customer that
// is merged has a merge in force that its survivor lists, and none else has one; taking all
// of them back restores every customer with the phone it was created with.
func TestMergesAndUnmergesOfTheSameCustomersBySixteen(t *testing.T) {
	b := openFor(t)
	var ids []customer.ID
	phone := func(i int) string { return fmt.Sprintf("+861380013%04d", i) }
	for i := range 12 {
		ids = append(ids, b.create(customer.Draft{Name: fmt.Sprint("Customer ", i), Phones: []customer.Phone{{Number: phone(i)}}}).ID)
	}
	steps := 40
	if testing.Short() {
		steps = 10
	}
	var wait sync.WaitGroup
	for w := range 16 {
		wait.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(w), 7))
			for range steps {
				if err := b.mergeOrUnmerge(rng, ids); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wait.Wait()
	for undone := true; undone; {
		undone = false
		for _, id := range ids {
			b.checkMerge(id)
			err := b.Session.Update(b.ctx, func(tx *clientele.Tx) error {
				_, _, err := tx.Dedupe.Unmerge(id)
				return err
			})
			undone = undone || err == nil
		}
	}
	for i, id := range ids {
		if c := b.get(id); c.ID != id || c.Status != customer.Active || len(c.Phones) != 1 || c.Phones[0].E164 != phone(i) {
			t.Errorf("customer %d was not restored: %+v", id, c)
		}
	}
}

// mergeOrUnmerge does one of the two to random customers.
func (b *book) mergeOrUnmerge(rng *rand.Rand, ids []customer.ID) error {
	order := rng.Perm(len(ids))
	err := b.Session.Update(b.ctx, func(tx *clientele.Tx) error {
		if rng.IntN(3) == 0 {
			_, _, err := tx.Dedupe.Unmerge(ids[order[0]])
			return err
		}
		_, err := tx.Dedupe.Merge(dedupe.Merge{Survivor: ids[order[0]], Losers: []customer.ID{ids[order[1]], ids[order[2]]}})
		return err
	})
	if refused := (*customer.StatusError)(nil); errors.As(err, &refused) || errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	return err
}

// checkMerge compares a customer's status with the merges in force.
func (b *book) checkMerge(id customer.ID) {
	b.t.Helper()
	b.view(func(tx *clientele.ReadTx) error {
		c, err := tx.Customers.Exact(id)
		if err != nil {
			return err
		}
		m, err := tx.Dedupe.MergeOf(id)
		switch merged := c.Status == customer.Merged; {
		case merged && (err != nil || m.Survivor != c.Survivor):
			b.t.Errorf("customer %d is merged into %d, and its merge is %+v, %v", id, c.Survivor, m, err)
		case !merged && !errors.Is(err, storage.ErrNotFound):
			b.t.Errorf("customer %d is not merged, and its merge is %+v, %v", id, m, err)
		case merged:
			listed := 0
			for m, err := range tx.Dedupe.Merges(c.Survivor) {
				if err != nil {
					return err
				}
				if m.Loser == id {
					listed++
				}
			}
			if listed != 1 {
				b.t.Errorf("customer %d lists the merge of %d %d times", c.Survivor, id, listed)
			}
		}
		return nil
	})
}
