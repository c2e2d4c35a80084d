package clientele_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/dedupe"
	"github.com/clientele-go/clientele/orgtree"
	"github.com/clientele-go/clientele/tagging"
)

// Sixteen at once merge clusters that overlap and undo merges. Once all is undone,
// everybody has again what it had.
func TestSixteenMergeAndUndoWhatOverlaps(t *testing.T) {
	b := openMergeBook(t)
	defer b.end()
	m := &mergeModel{}
	b.define(m)
	var ids []customer.ID
	had := map[customer.ID][]string{}
	for i := range 24 {
		id := b.create(customer.Draft{Name: fmt.Sprint("Customer ", i)}).ID
		b.update(func(tx *clientele.Tx) error {
			if _, err := tx.Tags.Assign(id, tagging.Assignment{Tag: m.tags[i%3]}, tagging.Assignment{Tag: m.tags[i/3%3]}); err != nil {
				return err
			}
			_, err := tx.Org.Assign(id, orgtree.Assignment{Unit: m.units[i%2], Rep: fmt.Sprint("rep", i)})
			return err
		})
		b.view(func(tx *clientele.ReadTx) (err error) { had[id], err = keptOf(tx, id); return err })
		ids = append(ids, id)
	}
	undo := func(id customer.ID) error {
		return b.Session.Update(b.ctx, func(tx *clientele.Tx) error { _, _, err := tx.Dedupe.Unmerge(id); return err })
	}
	var wait sync.WaitGroup
	for worker := range 16 {
		wait.Go(func() {
			rng := rand.New(rand.NewPCG(7, uint64(worker)))
			for range 8 {
				cluster := rng.Perm(len(ids))[:4]
				merge := dedupe.Merge{Survivor: ids[cluster[0]]}
				for _, at := range cluster[1:] {
					merge.Losers = append(merge.Losers, ids[at])
				}
				if _, err := b.Dedupe().MergeCluster(b.ctx, b.DedupeJob(), merge); err != nil {
					t.Error(err)
				}
				for range 3 { // of some that are not merged, or whose survivor is
					if err := undo(ids[rng.IntN(len(ids))]); err != nil && !errors.Is(err, customer.ErrStatus) {
						t.Error(err)
					}
				}
			}
		})
	}
	wait.Wait()
	for left := true; left; { // from the ends of the chains
		left = false
		for _, id := range ids {
			if err := undo(id); err == nil {
				left = true
			} else if !errors.Is(err, customer.ErrStatus) {
				t.Fatal(err)
			}
		}
	}
	b.view(func(tx *clientele.ReadTx) error {
		for _, id := range ids {
			if has, err := keptOf(tx, id); err != nil || !slices.Equal(has, had[id]) {
				t.Errorf("customer %d has %q, %v; had %q", id, has, err, had[id])
			}
		}
		return nil
	})
	if report, err := b.Verify(b.ctx, nil); err != nil || !report.OK() {
		t.Errorf("verify: %+v, %v", report, err)
	}
}
