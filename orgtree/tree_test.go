package orgtree_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/text/language"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/orgtree"
)

func TestTreeOfAGroup(t *testing.T) {
	b := newBook(t)
	hq := b.unitOf(orgtree.Unit{Code: "HQ", Kind: orgtree.Group, Names: customer.Names{"en": "Headquarters", "zh-Hans": "总部"}})
	east := b.unitOf(orgtree.Unit{Code: "E", Kind: orgtree.Region, Parent: hq})
	west := b.unitOf(orgtree.Unit{Code: "W", Kind: orgtree.Region, Parent: hq})
	shanghai := b.unitOf(orgtree.Unit{Code: "SH", Kind: orgtree.Branch, Parent: east})
	hangzhou := b.unitOf(orgtree.Unit{Code: "HZ", Kind: orgtree.Branch, Parent: east})
	tree := b.tree()
	wantShape(t, "new", tree, "(HQ(E(HZ SH) W))")
	if got := codes(tree, tree.Path(shanghai)); got != "HQ E SH" {
		t.Errorf("path: %s", got)
	}
	if got := codes(tree, slices.Collect(tree.Ancestors(shanghai))); got != "E HQ" {
		t.Errorf("ancestors: %s", got)
	}
	if got := codes(tree, slices.Collect(tree.Subtree(east))); got != "E HZ SH" || tree.Size(east) != 3 {
		t.Errorf("subtree: %s, size %d", got, tree.Size(east))
	}
	if tree.Level(0) != 0 || tree.Level(hq) != 1 || tree.Level(hangzhou) != 3 || tree.Len() != 5 {
		t.Errorf("levels %d %d %d, %d units", tree.Level(0), tree.Level(hq), tree.Level(hangzhou), tree.Len())
	}
	for _, c := range []struct {
		above, unit customer.UnitID
		want        bool
	}{
		{hq, shanghai, true}, {east, shanghai, true}, {shanghai, shanghai, true}, {0, west, true}, {0, 0, true},
		{west, shanghai, false}, {shanghai, east, false}, {hangzhou, shanghai, false}, {hq, 0, false}, {99, hq, false}, {hq, 99, false},
	} {
		if got := tree.Contains(c.above, c.unit); got != c.want {
			t.Errorf("Contains(%d, %d) is %v", c.above, c.unit, got)
		}
	}
	b.view(func(r *orgtree.Reader, _ *customer.Reader) error {
		u, err := r.UnitByCode("ｓｈ")
		if err != nil || u.ID != shanghai || u.Parent != east || u.Kind != orgtree.Branch || !u.Opened.Equal(start) || u.Actor != "chen" {
			t.Errorf("by code: %+v %v", u, err)
		}
		u, err = r.Unit(hq)
		if err != nil || u.Names.In(language.MustParse("zh-CN")) != "总部" {
			t.Errorf("names: %+v %v", u, err)
		}
		return nil
	})
	b.verify()
}

func TestUnitsAreChecked(t *testing.T) {
	b := newBook(t)
	hq := b.unit("HQ", 0)
	for _, c := range []struct {
		name  string
		unit  orgtree.Unit
		field string
		err   error
	}{
		{"no code", orgtree.Unit{}, "Code", orgtree.ErrInvalid},
		{"space in code", orgtree.Unit{Code: "A B"}, "Code", orgtree.ErrInvalid},
		{"long code", orgtree.Unit{Code: strings.Repeat("x", 61)}, "Code", orgtree.ErrInvalid},
		{"code of another", orgtree.Unit{Code: "hq"}, "Code", orgtree.ErrExists},
		{"kind", orgtree.Unit{Code: "A", Kind: 9}, "Kind", orgtree.ErrInvalid},
		{"quota", orgtree.Unit{Code: "A", Quota: -1}, "Quota", orgtree.ErrInvalid},
		{"policy", orgtree.Unit{Code: "A", Sharing: orgtree.Sharing{customer.Tags: 9}}, "Sharing[tags]", orgtree.ErrInvalid},
		{"parent", orgtree.Unit{Code: "A", Parent: 99}, "Unit", orgtree.ErrUnknownUnit},
		{"opened before its parent", orgtree.Unit{Code: "A", Parent: hq, Opened: start.AddDate(-1, 0, 0)}, "Parent", orgtree.ErrClosed},
	} {
		err := b.try(func(tx tx) error { _, err := tx.CreateUnit(c.unit); return err })
		var e *orgtree.Error
		if !errors.Is(err, c.err) || !errors.As(err, &e) || e.Field != c.field || e.Remedy == "" {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if err := b.try(func(tx tx) error {
		_, err := tx.CreateUnit(orgtree.Unit{Code: "A", Names: customer.Names{"english": "A"}})
		return err
	}); !errors.Is(err, customer.ErrInvalid) {
		t.Errorf("names: %v", err)
	}
}

func TestUpdateUnit(t *testing.T) {
	b := newBook(t)
	hq := b.unit("HQ", 0)
	var read *orgtree.Unit
	b.view(func(r *orgtree.Reader, _ *customer.Reader) (err error) { read, err = r.Unit(hq); return err })
	read.Code, read.Kind, read.Closed = "GROUP", orgtree.Company, start
	b.update(func(tx tx) error {
		u, err := tx.UpdateUnit(read)
		if err == nil && (u.Code != "GROUP" || u.Version != 2 || !u.Closed.IsZero()) {
			t.Errorf("updated: %+v", u)
		}
		return err
	})
	if err := b.try(func(tx tx) error { _, err := tx.UpdateUnit(read); return err }); !errors.Is(err, orgtree.ErrConflict) {
		t.Errorf("stale: %v", err)
	}
	wantShape(t, "updated", b.tree(), "(GROUP)")
	b.view(func(r *orgtree.Reader, _ *customer.Reader) error {
		history, err := r.UnitHistory(hq)
		if err != nil || len(history) != 2 || history[0].Code != "HQ" || history[1].Code != "GROUP" {
			t.Errorf("history: %v %v", history, err)
		}
		return nil
	})
}

// The organisation of a year, by hand:
//
//	1 March   HQ with E and W, SH below E
//	1 June    SH moves to W (recorded on 10 June, in arrears)
//	1 August  W moves below E (recorded on 15 June, ahead)
func TestStateAtPastAndFutureDates(t *testing.T) {
	b := newBook(t)
	hq := b.unit("HQ", 0)
	east, west := b.unit("E", hq), b.unit("W", hq)
	shanghai := b.unit("SH", east)
	june, august := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 8, 1, 0, 0, 0, 0, time.UTC)
	b.setClock(june.AddDate(0, 0, 9))
	if err := b.move(shanghai, west, june); err != nil {
		t.Fatal(err)
	}
	b.setClock(june.AddDate(0, 0, 14))
	if err := b.move(west, east, august); err != nil {
		t.Fatal(err)
	}
	const first, second, third = "(HQ(E(SH) W))", "(HQ(E W(SH)))", "(HQ(E(W(SH))))"
	wantShape(t, "on 15 June", b.tree(), second)
	for _, c := range []struct {
		at   time.Time
		want string
	}{
		{start.Add(-time.Microsecond), ""}, {start, first}, {june.Add(-time.Microsecond), first},
		{june, second}, {august.Add(-time.Microsecond), second}, {august, third},
	} {
		wantShape(t, day(c.at), b.treeAt(c.at), c.want)
	}
	b.view(func(r *orgtree.Reader, _ *customer.Reader) error {
		for _, c := range []struct {
			at, known time.Time
			want      string
		}{
			{june, june, first}, // nobody had said so yet
			{june, june.AddDate(0, 0, 9), second},
			{august, june.AddDate(0, 0, 10), second},
			{august, june.AddDate(0, 0, 14), third},
			{august, start.Add(-time.Hour), ""},
		} {
			tree, err := r.TreeKnown(c.at, c.known)
			if err != nil {
				return err
			}
			wantShape(t, day(c.at)+" as known on "+day(c.known), tree, c.want)
		}
		return nil
	})
	b.setClock(august) // with no write at all, the day has come
	wantShape(t, "on 1 August", b.tree(), third)
	b.setClock(june.AddDate(0, 0, 20)) // a reader whose clock is slow
	wantShape(t, "on 21 June", b.tree(), second)
	b.verify()
}

func day(t time.Time) string { return t.Format(time.RFC3339Nano) }

func TestMovesThatCannotBe(t *testing.T) {
	b := newBook(t)
	hq := b.unit("HQ", 0)
	east := b.unit("E", hq)
	shanghai := b.unit("SH", east)
	closed := b.unit("X", hq)
	b.update(func(tx tx) error { _, err := tx.CloseUnit(closed, time.Time{}); return err })
	later := start.AddDate(0, 1, 0)
	if err := b.move(east, 0, later); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name         string
		unit, parent customer.UnitID
		from         time.Time
		err          error
	}{
		{"below itself", hq, hq, later, orgtree.ErrCycle},
		{"below its branch", hq, shanghai, time.Time{}, orgtree.ErrCycle},
		{"below its branch, ahead", east, shanghai, later, orgtree.ErrCycle},
		{"before its last move", east, hq, start.AddDate(0, 0, 1), orgtree.ErrDate},
		{"before its opening", shanghai, hq, start.AddDate(0, 0, -1), orgtree.ErrDate},
		{"to a closed unit", shanghai, closed, time.Time{}, orgtree.ErrClosed},
		{"a closed unit", closed, east, time.Time{}, orgtree.ErrClosed},
		{"to no unit", shanghai, 77, time.Time{}, orgtree.ErrUnknownUnit},
		{"no unit", 77, hq, time.Time{}, orgtree.ErrUnknownUnit},
		{"the book", 0, hq, time.Time{}, orgtree.ErrInvalid},
	} {
		var e *orgtree.Error
		if err := b.move(c.unit, c.parent, c.from); !errors.Is(err, c.err) || !errors.As(err, &e) || e.Remedy == "" {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	// HQ may go below E only once E has left it; and not for a while only.
	if err := b.move(hq, east, later.Add(-time.Hour)); !errors.Is(err, orgtree.ErrCycle) {
		t.Errorf("while it is above: %v", err)
	}
	if err := b.move(hq, east, later); err != nil {
		t.Errorf("once it is not: %v", err)
	}
	wantShape(t, "before", b.tree(), "(HQ(E(SH) [X]))")
	wantShape(t, "after", b.treeAt(later), "(E(HQ([X]) SH))")
}

func TestMoveWhoseCycleLiesAheadIsRefused(t *testing.T) {
	b := newBook(t)
	a, c := b.unit("A", 0), b.unit("C", 0)
	if err := b.move(a, c, start.AddDate(0, 6, 0)); err != nil { // A goes below C in September
		t.Fatal(err)
	}
	if err := b.move(c, a, start.AddDate(0, 1, 0)); !errors.Is(err, orgtree.ErrCycle) { // C below A from April on
		t.Fatalf("C below A: %v", err)
	}
}

func TestMoveOnTheSameInstantReplaces(t *testing.T) {
	b := newBook(t)
	a, c, x := b.unit("A", 0), b.unit("C", 0), b.unit("X", 0)
	ahead := start.AddDate(0, 1, 0)
	for _, parent := range []customer.UnitID{a, c} {
		if err := b.move(x, parent, ahead); err != nil {
			t.Fatal(err)
		}
	}
	wantShape(t, "replaced", b.treeAt(ahead), "(A C(X))")
	if err := b.move(x, 0, ahead); err != nil { // back: it never moves
		t.Fatal(err)
	}
	wantShape(t, "cancelled", b.treeAt(ahead), "(A C X)")
	b.view(func(r *orgtree.Reader, _ *customer.Reader) error {
		u, err := r.Unit(x)
		if err != nil || len(u.Moves) != 1 {
			t.Errorf("moves: %+v %v", u.Moves, err)
		}
		return nil
	})
}

func TestLevelsAreBounded(t *testing.T) {
	b := newBook(t)
	var top, bottom customer.UnitID
	for i := range orgtree.MaxLevels {
		bottom = b.unit(fmt.Sprintf("L%d", i), bottom)
		if i == 0 {
			top = bottom
		}
	}
	if err := b.try(func(tx tx) error { _, err := tx.CreateUnit(orgtree.Unit{Code: "X", Parent: bottom}); return err }); err == nil {
		t.Error("a level too many was created")
	}
	other := b.unit("O", 0)
	if err := b.move(top, other, time.Time{}); err == nil {
		t.Error("a level too many by a move")
	}
	if got := b.tree().Level(bottom); got != orgtree.MaxLevels {
		t.Errorf("level %d", got)
	}
}

// An assignment that ended holds no unit open, though nobody wrote the customer's placement since;
// on the day before its end it does.
func TestEndedAssignmentsHoldNoUnitOpen(t *testing.T) {
	b := newBook(t)
	hq, east := b.unit("HQ", 0), b.unit("E", 0)
	id := b.customer(hq, "")
	end := start.AddDate(0, 0, 3)
	b.update(func(tx tx) error {
		_, err := tx.Assign(id, orgtree.Assignment{Unit: east, Until: end})
		return err
	})
	shut := func(at time.Time) error {
		return b.try(func(tx tx) error { _, err := tx.CloseUnit(east, at); return err })
	}
	b.setClock(end.AddDate(0, 0, -1))
	if err := shut(time.Time{}); !errors.Is(err, orgtree.ErrInUse) {
		t.Errorf("before the end: %v", err)
	}
	b.setClock(end)
	if err := shut(end.AddDate(0, 0, -1)); !errors.Is(err, orgtree.ErrInUse) {
		t.Errorf("in arrears, as of the day before the end: %v", err)
	}
	if err := shut(time.Time{}); err != nil {
		t.Errorf("after the end: %v", err)
	}
}

func TestClose(t *testing.T) {
	b := newBook(t)
	hq := b.unit("HQ", 0)
	east := b.unit("E", hq)
	id := b.customer(east, "")
	assigned := b.customer(hq, "")
	shut := func(unit customer.UnitID, at time.Time) error {
		return b.try(func(tx tx) error { _, err := tx.CloseUnit(unit, at); return err })
	}
	if err := shut(hq, time.Time{}); !errors.Is(err, orgtree.ErrInUse) {
		t.Errorf("with a unit below: %v", err)
	}
	empty, comes := b.unit("Y", 0), b.unit("Z", 0)
	if err := b.move(comes, empty, start.AddDate(0, 1, 0)); err != nil {
		t.Fatal(err)
	}
	if err := shut(empty, time.Time{}); !errors.Is(err, orgtree.ErrInUse) {
		t.Errorf("with a unit that is to come: %v", err)
	}
	if err := shut(east, time.Time{}); !errors.Is(err, orgtree.ErrInUse) {
		t.Errorf("with a customer: %v", err)
	}
	b.update(func(tx tx) error {
		if _, err := tx.Assign(assigned, orgtree.Assignment{Unit: east}); err != nil {
			return err
		}
		_, err := tx.customers.Archive(id)
		return err
	})
	if err := shut(east, time.Time{}); !errors.Is(err, orgtree.ErrInUse) {
		t.Errorf("with an assignment: %v", err)
	}
	b.update(func(tx tx) error { _, err := tx.Withdraw(assigned, east); return err })
	if err := shut(east, start.AddDate(0, 0, 1)); !errors.Is(err, orgtree.ErrDate) {
		t.Errorf("ahead: %v", err)
	}
	b.setClock(start.AddDate(0, 0, 2))
	if err := shut(east, start.AddDate(0, 0, 1)); err != nil {
		t.Errorf("in arrears, with an archived customer: %v", err)
	}
	wantShape(t, "closed", b.tree(), "(HQ([E]) Y Z)")
	wantShape(t, "before", b.treeAt(start), "(HQ(E) Y Z)")
	reactivate := func(tx tx) error { _, err := tx.customers.Reactivate(id); return err }
	if err := b.try(reactivate); !errors.Is(err, orgtree.ErrClosed) {
		t.Errorf("a customer comes back into a closed unit: %v", err)
	}
	b.update(func(tx tx) error { _, err := tx.Transfer(id, orgtree.Destination{Unit: hq}); return err })
	b.update(reactivate)
	if err := b.try(func(tx tx) error {
		_, err := tx.customers.Create(customer.Draft{Name: "n", Owner: east})
		return err
	}); !errors.Is(err, orgtree.ErrClosed) {
		t.Errorf("a new customer in a closed unit: %v", err)
	}
	if err := b.try(func(tx tx) error {
		_, err := tx.customers.Create(customer.Draft{Name: "n", Owner: 55})
		return err
	}); !errors.Is(err, orgtree.ErrUnknownUnit) {
		t.Errorf("a new customer in no unit: %v", err)
	}
	b.verify()
}

func TestBooksWithoutUnitsMayNumberOwnersFreely(t *testing.T) {
	b := newBook(t)
	for range 2 {
		if got := b.get(b.customer(55, "wang")); got.Owner != 55 {
			t.Errorf("owner %d", got.Owner)
		}
		b.quotaOf(0, 10, 5) // the book's own quotas are no unit
	}
}

// Movers that would only together make a cycle: of A below C, C below D and D below A,
// at most two can be.
func TestConcurrentMovesNeverMakeACycle(t *testing.T) {
	b := newBook(t)
	for round := range 20 {
		units := []customer.UnitID{b.unit(fmt.Sprintf("A%d", round), 0), b.unit(fmt.Sprintf("C%d", round), 0), b.unit(fmt.Sprintf("D%d", round), 0)}
		errs := make([]error, len(units))
		var all sync.WaitGroup
		for i, unit := range units {
			all.Go(func() { errs[i] = b.move(unit, units[(i+1)%len(units)], time.Time{}) })
		}
		all.Wait()
		refused := 0
		for _, err := range errs {
			if errors.Is(err, orgtree.ErrCycle) {
				refused++
			} else if err != nil {
				t.Fatal(err)
			}
		}
		if refused != 1 {
			t.Fatalf("%d of three moves were refused", refused)
		}
		b.tree() // fails on a cycle
	}
}
