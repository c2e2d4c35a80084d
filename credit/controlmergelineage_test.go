package credit_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage/record"
)

// loan is what a customer has by a merge: its own has the source 0.
type loan struct {
	source customer.ID
	value  int64
}

// borrower is a customer's limit in yuan, its group and its level of dunning, each by
// who lent it. Of limits and groups the first counts, of levels the highest; to undo a merge is
// to strike out its loser.
type borrower struct {
	limit, group, level []loan
	into                customer.ID // the survivor, 0 when it stands for itself
	undo                *credit.Combination
}

func (b *borrower) lists() [3]*[]loan { return [3]*[]loan{&b.limit, &b.group, &b.level} }

func (b *borrower) values() (v [3]int64) {
	for n, list := range [2][]loan{b.limit, b.group} {
		if len(list) > 0 {
			v[n] = list[0].value
		}
	}
	for _, s := range b.level {
		v[2] = max(v[2], s.value)
	}
	return v
}

// set is what people do: nothing when it changes nothing.
func (b *borrower) set(n int, value int64) {
	if b.values()[n] == value {
		return
	}
	list := b.lists()[n]
	*list = nil
	if value != 0 {
		*list = []loan{{0, value}}
	}
}

func (b *borrower) merge(loser customer.ID, other *borrower) {
	for n, value := range other.values() {
		if value != 0 {
			*b.lists()[n] = append(*b.lists()[n], loan{loser, value})
		}
	}
}

func (b *borrower) unmerge(loser customer.ID) {
	for _, list := range b.lists() {
		*list = slices.DeleteFunc(*list, func(s loan) bool { return s.source == loser })
	}
}

// lenders draws merges, their undoing in any order and what people change meanwhile.
type lenders struct {
	*desk
	r      *rapid.T
	model  map[customer.ID]*borrower
	groups []credit.GroupID
}

func (d *desk) values(id customer.ID) (v [3]int64) {
	d.t.Helper()
	d.view(func(r *credit.Reader) error {
		line, err := r.Line(credit.OfCustomer(id))
		if err != nil {
			return err
		}
		if len(line.Limits) > 0 {
			v[0] = line.Limits[0].Amount.Minor / 100
		}
		p, err := r.Profile(id)
		if err != nil {
			return err
		}
		dunned, err := r.Dunning(id)
		if err != nil {
			return err
		}
		v[1], v[2] = int64(p.Group), int64(dunned.Level)
		return nil
	})
	return v
}

func (h *lenders) pick(which func(*borrower) bool) customer.ID {
	var ids []customer.ID
	for id := customer.ID(1); id <= customer.ID(len(h.model)); id++ {
		if which(h.model[id]) {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return 0
	}
	return rapid.SampledFrom(ids).Draw(h.r, "customer")
}

func (h *lenders) setLimit(id customer.ID, n int64) {
	line, s := h.values(id)[0], credit.OfCustomer(id)
	switch {
	case n != 0:
		h.limit(s, n)
	case line != 0:
		h.do(func(tx deskTx) error { return tx.RemoveLimit(s, credit.Limit{Amount: yuan(line)}) })
	}
	h.model[id].set(0, n)
}

func (h *lenders) setGroup(id customer.ID, g credit.GroupID) {
	h.do(func(tx deskTx) error { return tx.SetGroup(id, g) })
	h.model[id].set(1, int64(g))
}

// dun takes a customer to the level that the book says.
func (h *lenders) dun(id customer.ID) {
	h.pass(7 * 24 * time.Hour)
	h.do(func(tx deskTx) error { _, err := tx.Dun(id, h.today()); return err })
	h.model[id].set(2, h.values(id)[2])
}

func (h *lenders) step() {
	stands := func(b *borrower) bool { return b.into == 0 }
	id := h.pick(stands)
	switch rapid.SampledFrom([]string{"merge", "merge", "undo", "undo", "limit", "group", "dun"}).Draw(h.r, "step") {
	case "merge":
		loser := h.pick(stands)
		if loser == id {
			return
		}
		b := h.model[loser]
		b.undo = h.merge(id, loser)
		h.model[id].merge(loser, b)
		b.into = id
	case "undo":
		loser := h.pick(func(b *borrower) bool { return b.into != 0 && h.model[b.into].into == 0 })
		if loser == 0 {
			return
		}
		b := h.model[loser]
		h.do(func(tx deskTx) error { return tx.UnmergeCustomers(b.undo) })
		h.model[b.into].unmerge(loser)
		b.into = 0
	case "limit":
		h.setLimit(id, rapid.SampledFrom([]int64{0, 100, 200}).Draw(h.r, "yuan"))
	case "group":
		h.setGroup(id, rapid.SampledFrom(h.groups).Draw(h.r, "group"))
	case "dun":
		h.dun(id)
	}
}

func (h *lenders) compare() {
	for id, b := range h.model {
		if got, want := h.values(id), b.values(); b.into == 0 && got != want {
			h.r.Fatalf("customer %d has limit, group and level %v, want %v of %+v", id, got, want, *b)
		}
	}
}

// merge merges two customers' receivables and returns what undoes it, by way of its stored
// form.
func (d *desk) merge(survivor, loser customer.ID) *credit.Combination {
	d.t.Helper()
	done := &credit.Combination{}
	d.do(func(tx deskTx) error {
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

// Whatever is undone, in whatever order: the survivor has what merging the others alone
// gives, and what was changed since; and who was separated has what it had.
func TestUndoneMergesLeaveTheCreditThatTheOthersAloneGive(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		d := newDesk(t, credit.Options{})
		defer d.close()
		d.policy(credit.Policy{Dunning: credit.DunningPlan{Levels: []credit.DunningStep{{After: 1}, {After: 2}, {After: 3, Hold: true}}}})
		h := &lenders{desk: d, r: r, model: map[customer.ID]*borrower{}}
		h.groups = []credit.GroupID{0, d.group("G"), d.group("H")}
		for range rapid.IntRange(3, 5).Draw(r, "customers") {
			id := d.customer(0)
			h.model[id] = &borrower{}
			h.setLimit(id, rapid.SampledFrom([]int64{0, 100, 200}).Draw(r, "yuan"))
			h.setGroup(id, rapid.SampledFrom(h.groups).Draw(r, "group"))
			if owes := rapid.IntRange(0, 3).Draw(r, "letters"); owes > 0 {
				d.invoice(fmt.Sprint("i", id), id, yuan(10), -30)
				for range owes {
					h.dun(id)
				}
			}
		}
		for range rapid.IntRange(5, 20).Draw(r, "steps") {
			h.step()
			h.compare()
		}
		d.verify()
	})
}

// Of two losers with limits and holds, who lent first is undone first: the survivor doesn't
// get the credit without a limit that none of the three has while they are one.
func TestSurvivorsKeepALimitAsLongAsALenderIsMerged(t *testing.T) {
	for _, order := range [][2]int{{0, 1}, {1, 0}} {
		d := newDesk(t, credit.Options{})
		survivor, losers := d.customer(0), [2]customer.ID{d.customer(0), d.customer(0)}
		g := d.group("G", losers[0], losers[1])
		d.limit(credit.OfCustomer(losers[0]), 200)
		d.limit(credit.OfCustomer(losers[1]), 300)
		undo := [2]*credit.Combination{d.merge(survivor, losers[0]), d.merge(survivor, losers[1])}
		want := func(what string, limit int64, group credit.GroupID) {
			t.Helper()
			if got := d.values(survivor); got != [3]int64{limit, int64(group), 0} {
				t.Errorf("%s, the survivor has limit, group and level %v, want %d and %d", what, got, limit, group)
			}
		}
		want("merged", 200, g)
		d.do(func(tx deskTx) error { return tx.UnmergeCustomers(undo[order[0]]) })
		want("with one", map[int]int64{0: 300, 1: 200}[order[0]], g)
		d.do(func(tx deskTx) error { return tx.UnmergeCustomers(undo[order[1]]) })
		want("alone", 0, 0)
		d.verify()
	}
}

func TestWhoIsMergedIsNotMergedAgain(t *testing.T) {
	d := newDesk(t, credit.Options{})
	survivor, loser := d.customer(0), d.customer(0)
	d.limit(credit.OfCustomer(loser), 200)
	undo := d.merge(survivor, loser)
	err := d.try(func(tx deskTx) error {
		_, err := tx.MergeCustomers(survivor, loser)
		return err
	})
	if e, ok := errors.AsType[*credit.Error](err); !ok || e.Customer != loser || e.Remedy == "" || !errors.Is(err, credit.ErrInvalid) {
		t.Errorf("merged again: %v", err)
	}
	d.do(func(tx deskTx) error { return tx.UnmergeCustomers(undo) })
	d.merge(survivor, loser)
	d.verify()
}

// A merge from before there were lineages is undone by what was stored with it, also where
// another was merged since: customer 2 lent 200, and 3 would have lent 300.
func TestLimitsOfMergesWithoutALineageAreTakenBack(t *testing.T) {
	for _, changed := range []bool{false, true} {
		d := newDesk(t, credit.Options{})
		survivor, before, since := d.customer(0), d.customer(0), d.customer(0)
		d.limit(credit.OfCustomer(before), 200)
		old := d.merge(survivor, before)
		d.do(func(tx deskTx) error { return tx.ForgetLineage(survivor) })
		// Field 1 is the survivor, 2 the loser, 4 that it lent its limits.
		var w record.Writer
		w.Uint(1, uint64(survivor))
		w.Uint(2, uint64(before))
		w.Uint(4, 1)
		if err := old.UnmarshalBinary(w.Buf); err != nil {
			t.Fatal(err)
		}
		d.limit(credit.OfCustomer(since), 300)
		late := d.merge(survivor, since)
		want := int64(300)
		if changed {
			want = 250
			d.limit(credit.OfCustomer(survivor), want)
		}
		d.do(func(tx deskTx) error { return tx.UnmergeCustomers(old) })
		if got := d.values(survivor)[0]; got != want {
			t.Errorf("changed %v, without the first the limit is %d, want %d", changed, got, want)
		}
		d.do(func(tx deskTx) error { return tx.UnmergeCustomers(late) })
		if got := d.values(survivor)[0]; changed && got != want || !changed && got != 0 {
			t.Errorf("changed %v, alone the limit is %d", changed, got)
		}
		d.verify()
	}
}

// A level that a loser lent goes with it, with its hold; letters that were sent stay sent.
func TestDunningGoesWithWhoWasDunned(t *testing.T) {
	d := newDesk(t, credit.Options{})
	d.policy(credit.Policy{Dunning: credit.DunningPlan{Levels: []credit.DunningStep{{After: 1, Hold: true, Terms: "CASH"}}}})
	survivor, loser := d.customer(0), d.customer(0)
	d.invoice("a", loser, money.Amount{Minor: 100, Currency: money.CNY}, -30)
	d.do(func(tx deskTx) error { _, err := tx.Dun(loser, d.today()); return err })
	undo := d.merge(survivor, loser)
	state := func(id customer.ID) (text string) {
		d.view(func(r *credit.Reader) error {
			x, err := r.Dunning(id)
			text = fmt.Sprintf("%d %v %q %d", x.Level, x.Hold, x.Terms, x.Letters)
			return err
		})
		return text
	}
	if got := state(survivor); got != `1 true "CASH" 0` {
		t.Errorf("merged, the survivor's dunning is %s", got)
	}
	d.do(func(tx deskTx) error { return tx.UnmergeCustomers(undo) })
	if got := state(survivor); got != `0 false "" 0` {
		t.Errorf("undone, the survivor's dunning is %s", got)
	}
	if got := state(loser); got != `1 true "CASH" 1` {
		t.Errorf("undone, the loser's dunning is %s", got)
	}
}

// What the first loser lent was taken away by a person, and its level ended when all was
// paid. A second one lends anew, and takes that along: the first doesn't lend again.
func TestWhatWasTakenAwayIsNotLentAgain(t *testing.T) {
	d := newDesk(t, credit.Options{})
	d.policy(credit.Policy{Dunning: credit.DunningPlan{Levels: []credit.DunningStep{{After: 1}}}})
	survivor, first, second := d.customer(0), d.customer(0), d.customer(0)
	g := d.group("G", first, second)
	for n, id := range []customer.ID{first, second} {
		d.limit(credit.OfCustomer(id), 200)
		d.invoice(fmt.Sprint("i", n), id, yuan(10), -30)
		d.do(func(tx deskTx) error { _, err := tx.Dun(id, d.today()); return err })
	}
	d.merge(survivor, first)
	d.pay("p", survivor, yuan(10))
	d.do(func(tx deskTx) error {
		items := slices.Collect(func(yield func(credit.ItemID) bool) {
			for i, err := range tx.Items(survivor) {
				if err != nil || !yield(i.ID) {
					return
				}
			}
		})
		if _, err := tx.Allocate(credit.AllocationRequest{Debit: items[0], Credit: items[1], Date: d.today()}); err != nil {
			return err
		}
		if _, err := tx.Dun(survivor, d.today()); err != nil {
			return err
		}
		if err := tx.RemoveLimit(credit.OfCustomer(survivor), credit.Limit{Amount: yuan(200)}); err != nil {
			return err
		}
		return tx.SetGroup(survivor, 0)
	})
	want := func(what string, want [3]int64) {
		t.Helper()
		if got := d.values(survivor); got != want {
			t.Errorf("%s, the survivor has limit, group and level %v, want %v", what, got, want)
		}
	}
	want("taken away", [3]int64{})
	undo := d.merge(survivor, second)
	want("merged with the second", [3]int64{200, int64(g), 1})
	d.do(func(tx deskTx) error { return tx.UnmergeCustomers(undo) })
	want("without the second", [3]int64{})
	d.verify()
}
