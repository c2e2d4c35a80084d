package orgtree_test

import (
	"encoding/hex"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/orgtree"
)

// merge merges one customer's placement into another's and returns what undoes it, by way
// of its stored form.
func (b *book) merge(survivor, loser customer.ID) *orgtree.PlacementMerge {
	b.t.Helper()
	done := &orgtree.PlacementMerge{}
	b.update(func(tx tx) error {
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

func (b *book) unmerge(done *orgtree.PlacementMerge) {
	b.t.Helper()
	b.update(func(tx tx) error { return tx.UnmergeCustomers(done) })
}

// placed is what a customer's placement says, sorted: "a1 li" for an assignment to unit 1
// with its representative, "o1 code note" for an overlay, "t1" for a team.
func (b *book) placed(id customer.ID) (list []string) {
	b.t.Helper()
	b.view(func(r *orgtree.Reader, _ *customer.Reader) error {
		p, err := r.Placement(id)
		if err != nil {
			return err
		}
		for _, a := range p.Assignments {
			list = append(list, fmt.Sprint("a", a.Unit, " ", a.Rep))
		}
		for _, o := range p.Overlays {
			list = append(list, fmt.Sprint("o", o.Unit, " ", o.LocalCode, " ", o.Note))
		}
		if p.Team != 0 {
			list = append(list, fmt.Sprint("t", p.Team))
		}
		return nil
	})
	slices.Sort(list)
	return list
}

func (b *book) isPlaced(when string, id customer.ID, want ...string) {
	b.t.Helper()
	if got := b.placed(id); !slices.Equal(got, want) {
		b.t.Errorf("%s: customer %d is placed %q, want %q", when, id, got, want)
	}
}

func (b *book) assign(id customer.ID, unit customer.UnitID, rep string) {
	b.t.Helper()
	b.update(func(tx tx) error { _, err := tx.Assign(id, orgtree.Assignment{Unit: unit, Rep: rep}); return err })
}

func (b *book) withdraw(id customer.ID, unit customer.UnitID) {
	b.t.Helper()
	b.update(func(tx tx) error { _, err := tx.Withdraw(id, unit); return err })
}

func (b *book) overlay(id customer.ID, o orgtree.Overlay) {
	b.t.Helper()
	b.update(func(tx tx) error { _, err := tx.SetOverlay(id, o); return err })
}

// The earlier merged counts before the later, whichever is undone first, and the owner unit
// of who is still merged keeps its customer.
func TestUnmergedInAnyOrderPlacementsAreOfTheOthers(t *testing.T) {
	for _, firstOut := range []int{0, 1} {
		b := newBook(t)
		a, c, own := b.unit("A", 0), b.unit("C", 0), b.unit("OWN", 0)
		survivor, losers := b.customer(own, ""), []customer.ID{b.customer(c, ""), b.customer(c, "")}
		var undo []*orgtree.PlacementMerge
		for i, id := range losers {
			b.assign(id, a, fmt.Sprint("rep", i))
			b.overlay(id, orgtree.Overlay{Unit: a, LocalCode: fmt.Sprint("L", i), Note: "n"})
			undo = append(undo, b.merge(survivor, id))
		}
		b.isPlaced("merged", survivor, "a1 rep0", "a2 ", "o1 L0 n")
		b.unmerge(undo[firstOut])
		last := 1 - firstOut
		b.isPlaced("undone one", survivor, fmt.Sprint("a1 rep", last), "a2 ", fmt.Sprintf("o1 L%d n", last))
		b.isPlaced("undone", losers[firstOut], fmt.Sprint("a1 rep", firstOut), fmt.Sprintf("o1 L%d n", firstOut))
		b.unmerge(undo[last])
		b.isPlaced("undone both", survivor)
		b.verify()
	}
}

// What people withdrew and gave again is the survivor's own, even where it looks as before;
// what ended by itself was edited by nobody.
func TestWithdrawnAndGivenAgainStays(t *testing.T) {
	b := newBook(t)
	again, gone, kept, ending := b.unit("AGAIN", 0), b.unit("GONE", 0), b.unit("KEPT", 0), b.unit("ENDING", 0)
	survivor, x, y := b.customer(0, ""), b.customer(0, ""), b.customer(0, "")
	for _, id := range []customer.ID{x, y} {
		for _, unit := range []customer.UnitID{again, gone, kept} {
			b.assign(id, unit, "")
		}
		b.update(func(tx tx) error {
			_, err := tx.Assign(id, orgtree.Assignment{Unit: ending, Until: start.Add(48 * time.Hour)})
			return err
		})
	}
	first, second := b.merge(survivor, x), b.merge(survivor, y)
	for _, unit := range []customer.UnitID{again, gone} {
		b.withdraw(survivor, unit)
	}
	b.assign(survivor, again, "")
	b.setClock(start.Add(72 * time.Hour))
	b.unmerge(first)
	b.isPlaced("undone one", survivor, "a1 ", "a3 ")
	b.unmerge(second)
	b.isPlaced("undone both", survivor, "a1 ")
	b.isPlaced("undone", x, "a1 ", "a2 ", "a3 ")
	b.verify()
}

// Units merged since are one; a unit closed since gets no customers back; a code that was
// given to another stays there.
func TestUnmergeAfterUnitsAndCodesChanged(t *testing.T) {
	b := newBook(t)
	old, now, closed, code := b.unit("OLD", 0), b.unit("NOW", 0), b.unit("CLOSED", 0), b.unit("CODE", 0)
	survivor, x, y, other := b.customer(0, ""), b.customer(0, ""), b.customer(0, ""), b.customer(0, "")
	b.overlay(x, orgtree.Overlay{Unit: code, LocalCode: "X1", Note: "x"})
	b.overlay(y, orgtree.Overlay{Unit: code, LocalCode: "Y1", Note: "y"})
	b.assign(x, old, "")
	b.assign(y, old, "")
	first, second := b.merge(survivor, x), b.merge(survivor, y)
	b.overlay(other, orgtree.Overlay{Unit: code, LocalCode: "Y1"})
	b.unite(old, now, true)
	b.isPlaced("brought over", survivor, "a2 ", "o4 X1 x")
	b.unmerge(first)
	b.view(func(r *orgtree.Reader, _ *customer.Reader) error {
		if _, units, err := r.UnitsOf(survivor); err != nil || !slices.Equal(units, []customer.UnitID{now}) {
			t.Errorf("the survivor is assigned to %d, %v; want %d", units, err, now)
		}
		return nil
	})
	if got := b.placed(survivor); !slices.Contains(got, "o4  y") {
		t.Errorf("the survivor is placed %q, wanted is y's overlay without the code of another", got)
	}
	b.update(func(tx tx) error { _, err := tx.SetOverlay(other, orgtree.Overlay{Unit: code}); return err })
	b.unmerge(second)
	b.isPlaced("undone both", survivor)

	b.assign(x, closed, "")
	b.assign(y, closed, "")
	first = b.merge(survivor, x)
	b.merge(survivor, y)
	b.withdraw(survivor, closed)
	b.update(func(tx tx) error { _, err := tx.CloseUnit(closed, b.clock()); return err })
	b.unmerge(first)
	if got := b.placed(survivor); slices.Contains(got, "a3 ") {
		t.Errorf("the survivor is in a closed unit: %q", got)
	}
	b.verify()
}

// What a person withdrew stays withdrawn under each unit that it has been in since, whether it
// was brought over yet or not.
func TestWithdrawnUnderAUnitMergedTwiceStaysWithdrawn(t *testing.T) {
	for _, finish := range []bool{false, true} {
		b := newBook(t)
		first, second, third := b.unit("FIRST", 0), b.unit("SECOND", 0), b.unit("THIRD", 0)
		survivor, x, y := b.customer(0, ""), b.customer(0, ""), b.customer(0, "")
		b.assign(x, first, "")
		b.overlay(y, orgtree.Overlay{Unit: third, Note: "y"})
		b.merge(survivor, x)
		undo := b.merge(survivor, y)
		b.unite(first, second, finish)
		b.withdraw(survivor, second)
		b.unite(second, third, finish)
		b.unmerge(undo)
		b.isPlaced(fmt.Sprint("undone, units brought over: ", finish), survivor)
		b.verify()
	}
}

// unite merges one unit into another, and brings what names it over.
func (b *book) unite(from, into customer.UnitID, finish bool) {
	b.t.Helper()
	b.update(func(tx tx) error { _, err := tx.MergeUnits(from, into); return err })
	if !finish {
		return
	}
	if _, err := b.org.FinishMerge(b.t.Context(), b.job(), from, orgtree.JobOptions{}); err != nil {
		b.t.Fatal(err)
	}
}

// The owner unit of who is merged keeps its customer, also when it has become another since.
func TestTheUnitThatAnOwnerBecameKeepsItsCustomer(t *testing.T) {
	for _, finish := range []bool{false, true} {
		b := newBook(t)
		old, now, own := b.unit("OLD", 0), b.unit("NOW", 0), b.unit("OWN", 0)
		survivor, x := b.customer(own, ""), b.customer(old, "li")
		b.unite(old, now, finish)
		undo := b.merge(survivor, x)
		b.isPlaced("merged", survivor, "a2 li")
		b.unmerge(undo)
		b.isPlaced("undone", survivor)

		same := b.customer(now, "")
		b.merge(same, x)
		b.isPlaced("of the same unit", same)
		b.verify()
	}
}

// An assignment that has ended, but that nobody has cleared away, is in nobody's way.
func TestAnEndedAssignmentHoldsNoLivingOneBack(t *testing.T) {
	b := newBook(t)
	unit := b.unit("U", 0)
	ended, living := b.customer(0, ""), b.customer(0, "")
	b.update(func(tx tx) error {
		_, err := tx.Assign(ended, orgtree.Assignment{Unit: unit, Rep: "chen", Until: start.Add(24 * time.Hour)})
		return err
	})
	b.assign(living, unit, "li")
	b.setClock(start.Add(48 * time.Hour))
	b.merge(ended, living)
	b.isPlaced("merged", ended, "a1 li")
	b.verify()
}

// Units that become one make nothing the survivor's own that two others brought.
func TestWhatUnitsBecomeOneIsNoEdit(t *testing.T) {
	b := newBook(t)
	old, now := b.unit("OLD", 0), b.unit("NOW", 0)
	survivor, x, y := b.customer(0, ""), b.customer(0, ""), b.customer(0, "")
	b.assign(x, old, "li")
	b.overlay(x, orgtree.Overlay{Unit: old, Note: "x"})
	b.assign(y, now, "")
	b.overlay(y, orgtree.Overlay{Unit: now, LocalCode: "Y1"})
	first, second := b.merge(survivor, x), b.merge(survivor, y)
	b.unite(old, now, true)
	b.isPlaced("brought over", survivor, "a2 ", "o2 Y1 x")
	b.unmerge(second)
	b.isPlaced("undone y", y, "a2 ", "o2 Y1 ")
	b.isPlaced("undone y", survivor, "a1 li", "o1  x")
	b.unmerge(first)
	b.isPlaced("undone both", survivor)
	b.verify()
}

// Who is separated has its local code again, though the overlay that has it was edited since.
func TestALocalCodeGoesBackFromAnEditedOverlay(t *testing.T) {
	b := newBook(t)
	unit := b.unit("U", 0)
	survivor, x, y := b.customer(0, ""), b.customer(0, ""), b.customer(0, "")
	b.overlay(x, orgtree.Overlay{Unit: unit, LocalCode: "X1"})
	first, second := b.merge(survivor, x), b.merge(survivor, y)
	b.overlay(survivor, orgtree.Overlay{Unit: unit, LocalCode: "x1", Note: "edited"})
	b.unmerge(first)
	b.isPlaced("undone", survivor, "o1  edited")
	b.isPlaced("undone", x, "o1 X1 ")
	b.unmerge(second)
	b.isPlaced("undone both", survivor, "o1  edited")
	b.verify()
}

// A survivor that was itself merged has its own again, with what others brought it, and whoever
// brought the same before or after.
func TestMergesOfSeveralLevelsAreUndone(t *testing.T) {
	b := newBook(t)
	a, c, d := b.unit("A", 0), b.unit("C", 0), b.unit("D", 0)
	x, y, z, w := b.customer(0, ""), b.customer(0, ""), b.customer(0, ""), b.customer(0, "")
	b.assign(z, a, "z")
	b.assign(y, c, "y")
	b.assign(w, a, "w")
	zy, wy := b.merge(y, z), b.merge(y, w)
	yx := b.merge(x, y)
	b.isPlaced("merged", x, "a1 z", "a2 y")
	b.assign(x, d, "x")
	b.withdraw(x, c)
	b.unmerge(yx)
	b.isPlaced("undone", x, "a3 x")
	b.isPlaced("undone", y, "a1 z", "a2 y")
	b.unmerge(zy)
	b.isPlaced("without z", y, "a1 w", "a2 y")
	yx = b.merge(x, y)
	b.isPlaced("merged again", x, "a1 w", "a2 y", "a3 x")
	b.unmerge(yx)
	b.unmerge(wy)
	for id, want := range map[customer.ID]string{x: "a3 x", y: "a2 y", z: "a1 z", w: "a1 w"} {
		b.isPlaced("undone all", id, want)
	}
	b.verify()
}

// A merge from before there were lineages is undone by what was stored with it: customer 1
// was in unit 1 and got unit 2, an overlay and a team from customer 2. The bytes are of the
// last program that wrote such.
func TestPlacementMergesWithoutALineageAreUndone(t *testing.T) {
	const stored = "0201040207080506020109027231091302030506020209027232070702020d036f6c640b1b020305060201090272310506020209027232070702020d036f6c64"
	for _, oldFirst := range []bool{true, false} {
		b := newBook(t)
		for _, code := range []string{"U1", "U2", "U3", "U4"} {
			b.unit(code, 0)
		}
		survivor, loser, later := b.customer(0, ""), b.customer(0, ""), b.customer(0, "")
		b.assign(survivor, 1, "r1")
		b.assign(survivor, 2, "r2")
		b.overlay(survivor, orgtree.Overlay{Unit: 2, Note: "old"})
		b.update(func(tx tx) error { _, err := tx.SetTeam(survivor, 3); return err })
		b.assign(later, 2, "r9")
		old := &orgtree.PlacementMerge{}
		bytes, err := hex.DecodeString(stored)
		if err == nil {
			err = old.UnmarshalBinary(bytes)
		}
		if err != nil {
			t.Fatal(err)
		}
		since := b.merge(survivor, later)
		b.assign(survivor, 4, "")
		if oldFirst {
			b.unmerge(old)
			b.isPlaced("undone the old", survivor, "a1 r1", "a2 r9", "a4 ")
			b.unmerge(since)
		} else {
			b.unmerge(since)
			b.isPlaced("undone the later", survivor, "a1 r1", "a2 r2", "a4 ", "o2  old", "t3")
			b.unmerge(old)
		}
		b.isPlaced("undone both", survivor, "a1 r1", "a4 ")
		b.isPlaced("undone both", loser, "a2 r2", "o2  old", "t3")
		b.isPlaced("undone both", later, "a2 r9")
		b.verify()
	}
}
