package tagging

import (
	"fmt"
	"testing"
	"time"

	"github.com/clientele-go/clientele/customer"
)

func TestMergeKeepsTheTagsOfBoth(t *testing.T) {
	b, silver, gold, _ := levels(t, 3, false)
	d := b.dimension(Dimension{Code: "flag"})
	shared, mine, yours := b.tag(d, "shared"), b.tag(d, "mine"), b.tag(d, "yours")
	b.assign(1, Assignment{Tag: shared}, Assignment{Tag: mine}, Assignment{Tag: silver, Origin: Imported})
	b.now = b.now.Add(time.Minute)
	b.assign(2, Assignment{Tag: shared, Reason: "later"}, Assignment{Tag: yours}, Assignment{Tag: gold})
	before1, before2 := b.of(1), b.of(2)

	var done *Combination
	b.update(func(tx *Tx) (err error) { done, err = tx.MergeCustomers(1, 2); return err })
	b.holds(1, shared, mine, yours, gold) // a person's gold beats an import's silver
	b.holds(2)
	if len(done.Dropped) != 1 || done.Dropped[0].Tag != silver {
		t.Errorf("dropped %+v", done.Dropped)
	}
	for _, a := range b.of(1).Assignments {
		if a.Tag == shared && a.Reason != "later" {
			t.Errorf("the earlier of two claims was kept: %+v", a)
		}
	}
	b.verified()

	stored, err := done.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	read := &Combination{}
	if err := read.UnmarshalBinary(stored); err != nil {
		t.Fatal(err)
	}
	b.update(func(tx *Tx) error { return tx.UnmergeCustomers(read) })
	for id, before := range map[customer.ID]*Tagged{1: before1, 2: before2} {
		after := b.of(id)
		if len(after.Assignments) != len(before.Assignments) {
			t.Fatalf("customer %d: %+v, was %+v", id, after.Assignments, before.Assignments)
		}
		for i := range after.Assignments {
			if after.Assignments[i] != before.Assignments[i] {
				t.Errorf("customer %d: %+v, was %+v", id, after.Assignments[i], before.Assignments[i])
			}
		}
	}
	b.verified()
}

func TestUnmergeKeepsWhatWasEditedSince(t *testing.T) {
	b, silver, gold, platinum := levels(t, 2, false)
	d := b.dimension(Dimension{Code: "flag"})
	one, two, three := b.tag(d, "one"), b.tag(d, "two"), b.tag(d, "three")
	b.assign(1, Assignment{Tag: one}, Assignment{Tag: silver})
	b.now = b.now.Add(time.Minute)
	b.assign(2, Assignment{Tag: two}, Assignment{Tag: gold})
	var done *Combination
	b.update(func(tx *Tx) (err error) { done, err = tx.MergeCustomers(1, 2); return err })
	b.holds(1, one, two, gold)
	b.now = b.now.Add(time.Minute)
	b.update(func(tx *Tx) error {
		if _, err := tx.Replace(1, Assignment{Tag: platinum}); err != nil {
			return err
		}
		if _, err := tx.Remove(1, one); err != nil {
			return err
		}
		_, err := tx.Assign(1, Assignment{Tag: three})
		return err
	})
	b.update(func(tx *Tx) error { return tx.UnmergeCustomers(done) })
	b.holds(1, platinum, three) // as edited; one was removed by a person, and stays so
	b.holds(2, two, gold)
	b.verified()
}

// What the survivor had has ended since; what it had of the loser goes back.
func TestUnmergeCountsWhatHasEndedSince(t *testing.T) {
	b, silver, _, _ := levels(t, 2, false)
	start := b.now
	b.assign(1, Assignment{Tag: silver, Until: start.AddDate(0, 0, 5)})
	b.now = b.now.Add(time.Minute)
	b.assign(2, Assignment{Tag: silver, Until: start.AddDate(0, 0, 10)})
	var done *Combination
	b.update(func(tx *Tx) (err error) { done, err = tx.MergeCustomers(1, 2); return err })
	b.now = start.AddDate(0, 0, 6)
	b.tick()
	b.holds(1, silver)
	b.update(func(tx *Tx) error { return tx.UnmergeCustomers(done) })
	b.holds(1)
	b.holds(2, silver)
}

func TestTheLaterWordOfPersonsCountsInAMerge(t *testing.T) {
	for _, denialLast := range []bool{false, true} {
		b, silver, _, _ := levels(t, 2, false)
		deny := func() { b.update(func(tx *Tx) error { _, err := tx.Deny(1, silver); return err }) }
		if !denialLast {
			deny()
			b.now = b.now.Add(time.Minute)
		}
		b.assign(2, Assignment{Tag: silver})
		if denialLast {
			b.now = b.now.Add(time.Minute)
			deny()
		}
		b.update(func(tx *Tx) error { _, err := tx.MergeCustomers(1, 2); return err })
		if denialLast {
			b.holds(1)
		} else {
			b.holds(1, silver)
		}
	}
}

func TestACustomerIsNotMergedWithItself(t *testing.T) {
	b := openBook(t, 1)
	wants(t, "itself", b.try(func(tx *Tx) error { _, err := tx.MergeCustomers(1, 1); return err }), ErrInvalid)
	if err := new(Combination).UnmarshalBinary([]byte("nonsense")); err == nil {
		t.Error("nonsense was decoded")
	}
	if err := new(Combination).UnmarshalBinary(nil); err == nil {
		t.Error("nothing was decoded")
	}
}

// Nobody's tags can go to a customer that is not there, nor to one that was erased.
func TestMergeCustomersNeedsBoth(t *testing.T) {
	b, silver, _, _ := levels(t, 3, false)
	b.assign(1, Assignment{Tag: silver})
	b.update(func(tx *Tx) error {
		customers := b.customers.Tx(tx.tx)
		customers.OnErase(tx.Forget)
		_, err := customers.Erase(3)
		return err
	})
	for _, c := range []struct {
		survivor, loser customer.ID
		want            error
	}{{999, 1, ErrNotFound}, {1, 999, ErrNotFound}, {3, 1, customer.ErrStatus}, {1, 3, customer.ErrStatus}} {
		err := b.try(func(tx *Tx) error { _, err := tx.MergeCustomers(c.survivor, c.loser); return err })
		wants(t, fmt.Sprintf("merge %d into %d", c.loser, c.survivor), err, c.want)
		err = b.try(func(tx *Tx) error {
			return tx.UnmergeCustomers(&Combination{Survivor: c.survivor, Loser: c.loser})
		})
		wants(t, fmt.Sprintf("unmerge %d from %d", c.loser, c.survivor), err, c.want)
	}
	b.holds(1, silver)
	b.verified()
}
