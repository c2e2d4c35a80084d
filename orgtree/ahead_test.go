package orgtree_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/orgtree"
	"github.com/clientele-go/clientele/storage"
)

// chain makes units one below the other, and returns them from the top.
func (b *book) chain(code string, n int) (units []customer.UnitID) {
	b.t.Helper()
	parent := customer.UnitID(0)
	for i := range n {
		parent = b.unit(fmt.Sprint(code, i), parent)
		units = append(units, parent)
	}
	return units
}

// Of 64 levels there are never more, whatever moves are planned when another is made: with
// 20 of the 40 units of X above the 40 of Y from the tenth day on there are 60 levels.
func TestLevelsAreBoundedAfterEveryPlannedMove(t *testing.T) {
	b := newBook(t)
	x, y, z := b.chain("X", 40), b.chain("Y", 40), b.chain("Z", 5)
	tenth := start.AddDate(0, 0, 10)
	if err := b.move(y[0], x[19], tenth); err != nil {
		t.Fatal(err)
	}
	wantError(t, "five levels above X, of which Y will be a part", b.move(x[0], z[4], time.Time{}), storage.ErrLimit)
	wantError(t, "the same later", b.move(x[0], z[4], tenth.AddDate(0, 0, 1)), storage.ErrLimit)
	if err := b.move(x[0], z[3], time.Time{}); err != nil {
		t.Fatal(err)
	}
	create := b.try(func(tx tx) error { _, err := tx.CreateUnit(orgtree.Unit{Code: "N", Parent: y[39]}); return err })
	wantError(t, "a unit at the bottom of Y", create, storage.ErrLimit)
	b.unit("M", x[39]) // 45 levels
	b.setClock(tenth)
	if got := b.tree().Level(y[39]); got != 64 {
		t.Errorf("the lowest unit is on level %d", got)
	}
}

// A move ahead is measured by the quotas that are above it on its day.
func TestQuotasOfAMoveAheadAreThoseOfItsDay(t *testing.T) {
	b := newBook(t)
	bounded, free, team, moved := b.unit("B", 0), b.unit("F", 0), b.unit("T", 0), b.unit("M", 0)
	b.quotaOf(bounded, 2, 0)
	b.many(3, moved, "")
	day := func(n int) time.Time { return start.AddDate(0, 0, n) }
	if err := b.move(team, bounded, day(5)); err != nil {
		t.Fatal(err)
	}
	wantError(t, "to a unit that will be below a bounded one by then", b.move(moved, team, day(6)), orgtree.ErrQuota)
	wantError(t, "to one that will be there later", b.move(moved, team, time.Time{}), orgtree.ErrQuota)
	if err := b.move(team, free, day(8)); err != nil {
		t.Fatal(err)
	}
	if err := b.move(moved, team, day(8)); err != nil {
		t.Errorf("to one that will have left again: %v", err)
	}
	wantError(t, "to the bounded one with what will have come", b.move(team, bounded, day(9)), orgtree.ErrQuota)
}
