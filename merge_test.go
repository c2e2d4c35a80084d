package clientele_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/dedupe"
	"github.com/clientele-go/clientele/orgtree"
	"github.com/clientele-go/clientele/tagging"
)

// merging is two customers, the second of which has a tag and another unit.
type merging struct {
	*clientele.Session
	t            *testing.T
	book         *clientele.Book
	first, other *customer.Customer
	north, south customer.UnitID
}

func newMerging(t *testing.T) *merging {
	t.Helper()
	book := openBook(t, "", clientele.Options{InMemory: true, WithoutSearch: true, TickEvery: -1})
	m := &merging{Session: book.As(clientele.Actor{ID: "wang.li", Reason: "test", Relaxed: true}), t: t, book: book}
	m.update(func(tx *clientele.Tx) error {
		tag, err := m.define(tx)
		if err != nil {
			return err
		}
		var errs [3]error
		m.first, errs[0] = tx.Customers.Create(customer.Draft{Name: "X", Owner: m.north})
		m.other, errs[1] = tx.Customers.Create(customer.Draft{Name: "Y", Owner: m.south})
		if errs[0] == nil && errs[1] == nil {
			_, errs[2] = tx.Tags.Assign(m.other.ID, tagging.Assignment{Tag: tag})
		}
		return errors.Join(errs[:]...)
	})
	return m
}

// define makes the units and the tag.
func (m *merging) define(tx *clientele.Tx) (tagging.TagID, error) {
	north, err := tx.Org.CreateUnit(orgtree.Unit{Code: "N", Names: customer.Names{"en": "North"}})
	if err != nil {
		return 0, err
	}
	south, err := tx.Org.CreateUnit(orgtree.Unit{Code: "S", Names: customer.Names{"en": "South"}})
	if err != nil {
		return 0, err
	}
	m.north, m.south = north.ID, south.ID
	if _, err := tx.Tags.CreateDimension(tagging.Dimension{Code: "level", Names: customer.Names{"en": "Level"}}); err != nil {
		return 0, err
	}
	level, err := tx.Tags.Dimension("level")
	if err != nil {
		return 0, err
	}
	tag, err := tx.Tags.CreateTag(tagging.Tag{Dimension: level.ID, Code: "vip", Names: customer.Names{"en": "VIP"}})
	if err != nil {
		return 0, err
	}
	return tag.ID, nil
}

func (m *merging) update(f func(*clientele.Tx) error) {
	m.t.Helper()
	if err := m.Update(context.Background(), f); err != nil {
		m.t.Fatal(err)
	}
}

// state is how many tags a customer has, its units and its owner.
func (m *merging) state(id customer.ID) (tags int, assigned []customer.UnitID, owner customer.UnitID) {
	m.t.Helper()
	err := m.View(context.Background(), func(tx *clientele.ReadTx) error {
		held, err := tx.Tags.Of(id)
		if err != nil {
			return err
		}
		tags = len(held.Assignments)
		owner, assigned, err = tx.Org.UnitsOf(id)
		return err
	})
	if err != nil {
		m.t.Fatal(err)
	}
	return tags, assigned, owner
}

func TestMergeMovesTagsAndPlacementsAndUnmergeBringsThemBack(t *testing.T) {
	m := newMerging(t)
	m.update(func(tx *clientele.Tx) error {
		_, err := tx.Dedupe.Merge(dedupe.Merge{Survivor: m.first.ID, Losers: []customer.ID{m.other.ID}})
		return err
	})
	if tags, assigned, owner := m.state(m.first.ID); tags != 1 || !slices.Equal(assigned, []customer.UnitID{m.south}) || owner != m.north {
		t.Errorf("after the merge the survivor has %d tags, is owned by %d and assigned to %v", tags, owner, assigned)
	}
	m.update(func(tx *clientele.Tx) error { _, _, err := tx.Dedupe.Unmerge(m.other.ID); return err })
	if tags, assigned, _ := m.state(m.first.ID); tags != 0 || len(assigned) != 0 {
		t.Errorf("after the undoing the survivor has %d tags and is assigned to %v", tags, assigned)
	}
	if tags, _, owner := m.state(m.other.ID); tags != 1 || owner != m.south {
		t.Errorf("after the undoing the other has %d tags and is owned by %d", tags, owner)
	}
}

func TestUnmergeNeedsAMerge(t *testing.T) {
	ctx := t.Context()
	book, err := clientele.Open(ctx, "", clientele.Options{InMemory: true})
	must(t, err)
	defer book.Close()
	me := book.As(clientele.Actor{ID: "test"})
	for what, err := range map[string]error{
		"placements":  me.Update(ctx, func(tx *clientele.Tx) error { return tx.Org.UnmergeCustomers(nil) }),
		"receivables": me.Update(ctx, func(tx *clientele.Tx) error { return tx.Credit.UnmergeCustomers(nil) }),
	} {
		if !errors.Is(err, customer.ErrInvalid) {
			t.Errorf("unmerging no %s: %v", what, err)
		}
	}
}

// Two losers brought the same tag and unit; the survivor keeps them while either is merged
// into it, whichever merge is undone first.
func TestWhatTwoLosersBroughtStaysWhileOneIsMerged(t *testing.T) {
	for _, first := range []int{1, 2} {
		b := openMergeBook(t)
		defer b.end()
		m := &mergeModel{}
		b.define(m)
		var ids []customer.ID
		for _, name := range []string{"S", "A", "B"} {
			ids = append(ids, b.create(customer.Draft{Name: name}).ID)
		}
		for _, i := range []int{2, 1} { // the first merged is the later tagged
			b.update(func(tx *clientele.Tx) error {
				if _, err := tx.Tags.Assign(ids[i], tagging.Assignment{Tag: m.tags[0]}); err != nil {
					return err
				}
				_, err := tx.Org.Assign(ids[i], orgtree.Assignment{Unit: m.units[0]})
				return err
			})
		}
		for _, loser := range ids[1:] {
			b.update(func(tx *clientele.Tx) error {
				_, err := tx.Dedupe.Merge(dedupe.Merge{Survivor: ids[0], Losers: []customer.ID{loser}})
				return err
			})
		}
		has := func() (list []string) {
			b.view(func(tx *clientele.ReadTx) (err error) { list, err = keptOf(tx, ids[0]); return err })
			return list
		}
		want := []string{"tag 1", "unit 1 "}
		if got := has(); !slices.Equal(got, want) {
			t.Fatalf("merged: %q", got)
		}
		b.update(func(tx *clientele.Tx) error { _, _, err := tx.Dedupe.Unmerge(ids[first]); return err })
		if got := has(); !slices.Equal(got, want) {
			t.Errorf("undone %d first: %q, want %q", first, got, want)
		}
		b.update(func(tx *clientele.Tx) error { _, _, err := tx.Dedupe.Unmerge(ids[3-first]); return err })
		if got := has(); len(got) != 0 {
			t.Errorf("undone both, %d first: %q", first, got)
		}
	}
}
