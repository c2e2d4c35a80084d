package tagging

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage/record"
)

// merge merges one customer's tags into another's and returns what undoes it, by way of
// its stored form.
func (b *book) merge(survivor, loser customer.ID) *Combination {
	b.t.Helper()
	done := &Combination{}
	b.update(func(tx *Tx) error {
		made, err := tx.MergeCustomers(survivor, loser)
		if err != nil {
			return err
		}
		stored, err := made.MarshalBinary()
		if err != nil {
			return err
		}
		return done.UnmarshalBinary(stored)
	})
	return done
}

func (b *book) unmerge(done *Combination) {
	b.t.Helper()
	b.update(func(tx *Tx) error { return tx.UnmergeCustomers(done) })
}

// drawTags gives customers and their twins random tags of persons and imports, flags and
// levels that exclude one another, some denied and some for a time.
func (b *book) drawTags(t *rapid.T, n int, flags, levels []TagID) {
	for id := range customer.ID(n) {
		for range rapid.IntRange(0, 4).Draw(t, "tags") {
			b.now = b.now.Add(time.Minute)
			a := Assignment{Tag: rapid.SampledFrom(slices.Concat(flags, levels)).Draw(t, "tag")}
			a.Origin = rapid.SampledFrom([]Origin{Manual, Imported}).Draw(t, "origin")
			if rapid.IntRange(0, 3).Draw(t, "bounded") == 0 && slices.Contains(flags, a.Tag) {
				a.Until = b.now.AddDate(0, 0, rapid.IntRange(1, 9).Draw(t, "days"))
			}
			deny := rapid.IntRange(0, 4).Draw(t, "deny") == 0
			for _, twin := range []customer.ID{id + 1, id + 1 + customer.ID(n)} {
				err := b.try(func(tx *Tx) (err error) {
					if deny {
						_, err = tx.Deny(twin, a.Tag)
					} else {
						_, err = tx.Replace(twin, a)
					}
					return err
				})
				_ = err // an import doesn't say against a person: neither twin has it then
			}
		}
	}
}

// Whatever is undone, in whatever order: the survivor has what merging the others alone
// gives, and who was separated what it had.
func TestUndoneMergesLeaveWhatTheOthersAloneGive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 5).Draw(t, "customers")
		b := newBook(t, 2*n)
		defer b.close()
		flag, level := b.dimension(Dimension{Code: "flag"}), b.dimension(Dimension{Code: "level", Exclusive: true})
		var flags, levels []TagID
		for _, code := range []string{"a", "b", "c"} {
			flags, levels = append(flags, b.tag(flag, code)), append(levels, b.tag(level, code))
		}
		b.drawTags(t, n, flags, levels)
		before := map[customer.ID][]Assignment{}
		var losers []customer.ID
		for id := customer.ID(1); id <= customer.ID(n); id++ {
			before[id] = b.of(id).Assignments
			if id > 1 {
				losers = append(losers, id)
			}
		}
		losers = rapid.Permutation(losers).Draw(t, "order of merges")
		undo := map[customer.ID]*Combination{}
		for _, id := range losers {
			b.now = b.now.Add(time.Minute)
			undo[id] = b.merge(1, id)
		}
		for at, id := range rapid.Permutation(losers).Draw(t, "order of undoings") {
			b.unmerge(undo[id])
			delete(undo, id)
			if !slices.Equal(b.of(id).Assignments, before[id]) {
				t.Fatalf("customer %d has %+v, had %+v", id, b.of(id).Assignments, before[id])
			}
			if at != len(losers)/2 {
				continue
			}
			for _, other := range losers {
				if undo[other] != nil {
					b.merge(customer.ID(n+1), other+customer.ID(n))
				}
			}
			if got, want := b.of(1).Assignments, b.of(customer.ID(n+1)).Assignments; !slices.Equal(got, want) {
				t.Fatalf("without %d the survivor has\n%+v, want\n%+v", id, got, want)
			}
		}
		if !slices.Equal(b.of(1).Assignments, before[1]) {
			t.Fatalf("the survivor has %+v, had %+v", b.of(1).Assignments, before[1])
		}
		b.verified()
	})
}

// What people did to the survivor since, while several were merged that brought the same,
// stays as it is, whoever is separated; one who is merged after that counts again.
func TestEditsOfWhatSeveralBroughtStay(t *testing.T) {
	for _, order := range [][]int{{2, 3}, {3, 2}} {
		b := openBook(t, 4)
		d := b.dimension(Dimension{Code: "flag"})
		removed, prolonged, kept := b.tag(d, "removed"), b.tag(d, "prolonged"), b.tag(d, "kept")
		undo := map[int]*Combination{}
		end := b.now.AddDate(1, 0, 0).UTC()
		for id := customer.ID(2); id <= 3; id++ {
			b.now = b.now.Add(time.Minute)
			b.assign(id, Assignment{Tag: removed}, Assignment{Tag: prolonged}, Assignment{Tag: kept})
			undo[int(id)] = b.merge(1, id)
		}
		b.now = b.now.Add(time.Minute)
		b.update(func(tx *Tx) error {
			if _, err := tx.Remove(1, removed); err != nil {
				return err
			}
			_, err := tx.Assign(1, Assignment{Tag: prolonged, Until: end})
			return err
		})
		b.assign(4, Assignment{Tag: removed})
		late := b.merge(1, 4)
		b.holds(1, removed, prolonged, kept)
		b.unmerge(late)
		b.holds(1, prolonged, kept)
		b.unmerge(undo[order[0]])
		b.holds(1, prolonged, kept)
		b.unmerge(undo[order[1]])
		b.holds(1, prolonged)
		if a := b.of(1).Assignments[0]; !a.Until.Equal(end) {
			t.Errorf("prolonged by a person until %v, is %+v", end, a)
		}
		b.holds(2, removed, prolonged, kept)
		b.verified()
	}
}

// A tag that was merged into another since is the other one's for all that brought either.
func TestTagsMergedSinceAreOne(t *testing.T) {
	b := openBook(t, 3)
	d := b.dimension(Dimension{Code: "flag"})
	old, now := b.tag(d, "old"), b.tag(d, "now")
	b.assign(2, Assignment{Tag: old})
	b.assign(3, Assignment{Tag: now})
	first, second := b.merge(1, 2), b.merge(1, 3)
	b.update(func(tx *Tx) error { _, err := tx.MergeTag(old, now); return err })
	b.settle()
	b.holds(1, now)
	b.unmerge(second)
	b.holds(1, now)
	b.unmerge(first)
	b.holds(1)
	b.verified()
}

// What a person removed stays removed under whatever name the tag has by then, whether it
// was merged before the removal or after.
func TestTagsMergedSinceStayRemoved(t *testing.T) {
	for _, removedFirst := range []bool{true, false} {
		b := openBook(t, 4)
		d := b.dimension(Dimension{Code: "flag"})
		old, now, other := b.tag(d, "old"), b.tag(d, "now"), b.tag(d, "other")
		b.assign(2, Assignment{Tag: old})
		b.assign(3, Assignment{Tag: old})
		b.assign(4, Assignment{Tag: other})
		b.merge(1, 2)
		last := b.merge(1, 3)
		remove := func(tag TagID) { b.update(func(tx *Tx) error { _, err := tx.Remove(1, tag); return err }) }
		if removedFirst {
			remove(old)
			b.merge(1, 4) // notes the removal under the old name
		}
		b.update(func(tx *Tx) error { _, err := tx.MergeTag(old, now); return err })
		b.settle()
		if !removedFirst {
			b.holds(1, now)
			remove(now)
			b.merge(1, 4)
		}
		b.unmerge(last)
		b.holds(1, other)
		b.holds(3, now)
		b.verified()
	}
}

// before is the form in which a merge was stored before there were lineages.
func (c *Combination) before() []byte {
	var w record.Writer
	w.Uint(combinationSurvivor, uint64(c.Survivor))
	w.Uint(combinationLoser, uint64(c.Loser))
	for i, list := range c.lists() {
		mark := w.Begin(combinationFormer + i)
		for j := range *list {
			appendAssignment(&w, &(*list)[j])
		}
		w.End(mark)
	}
	return w.Buf
}

// A merge from before there were lineages is undone by what was stored with it, also where
// another was merged since that brought the same.
func TestMergesWithoutALineageAreUndone(t *testing.T) {
	for _, oldFirst := range []bool{true, false} {
		b := openBook(t, 3)
		d := b.dimension(Dimension{Code: "flag"})
		own, shared, theirs := b.tag(d, "own"), b.tag(d, "shared"), b.tag(d, "theirs")
		b.assign(1, Assignment{Tag: own})
		b.now = b.now.Add(time.Minute)
		b.assign(2, Assignment{Tag: own}, Assignment{Tag: shared}, Assignment{Tag: theirs})
		b.assign(3, Assignment{Tag: shared})
		old := &Combination{}
		b.update(func(tx *Tx) error {
			made, err := tx.MergeCustomers(1, 2)
			if err != nil {
				return err
			}
			if err := old.UnmarshalBinary(made.before()); err != nil {
				return err
			}
			return tx.store.lineage.Forget(tx.tx, 1)
		})
		since := b.merge(1, 3)
		b.holds(1, own, shared, theirs)
		if oldFirst {
			b.unmerge(old)
			b.holds(1, own, shared)
			b.unmerge(since)
		} else {
			b.unmerge(since)
			b.holds(1, own, shared, theirs)
			b.unmerge(old)
		}
		b.holds(1, own)
		b.holds(2, own, shared, theirs)
		b.holds(3, shared)
		b.verified()
	}
}

// A tag that a person removed under the second of three names stays removed.
func TestATagRemovedUnderItsSecondNameStaysRemoved(t *testing.T) {
	b := openBook(t, 4)
	d := b.dimension(Dimension{Code: "flag"})
	first, second, third, other := b.tag(d, "first"), b.tag(d, "second"), b.tag(d, "third"), b.tag(d, "other")
	b.assign(2, Assignment{Tag: first})
	b.assign(3, Assignment{Tag: other})
	b.assign(4, Assignment{Tag: other})
	b.merge(1, 2)
	last := b.merge(1, 3)
	b.update(func(tx *Tx) error { _, err := tx.MergeTag(first, second); return err })
	b.settle()
	b.holds(1, second, other)
	b.update(func(tx *Tx) error { _, err := tx.Remove(1, second); return err })
	b.merge(1, 4) // notes the removal under the second name
	b.update(func(tx *Tx) error { _, err := tx.MergeTag(second, third); return err })
	b.settle()
	b.unmerge(last)
	b.holds(1, other)
	b.verified()
}
