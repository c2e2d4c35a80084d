package clientele_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/dedupe"
	"github.com/clientele-go/clientele/orgtree"
)

// sharing is a book in which two branches, units 2 and 3 below unit 1, serve customer 1.
// li belongs to the one, wu to the other, and both trade for their unit; root does everything.
type sharing struct {
	*clientele.Book
	t *testing.T
}

const (
	unitHQ, unitA, unitB = customer.UnitID(1), customer.UnitID(2), customer.UnitID(3)
	shared               = customer.ID(1)
)

func newSharing(t *testing.T) *sharing {
	t.Helper()
	s := &sharing{openBook(t, "", clientele.Options{TickEvery: -1, WithoutSearch: true}), t}
	hidden, err := customer.NewMask("limit")
	must(t, err)
	s.system(func(tx *clientele.Tx) error {
		var assigned orgtree.Sharing
		for _, d := range customer.AllData() {
			assigned[d] = orgtree.Assigned
		}
		for _, u := range []orgtree.Unit{{Code: "HQ", Sharing: assigned}, {Code: "A", Parent: unitHQ}, {Code: "B", Parent: unitHQ}} {
			if _, err := tx.Org.CreateUnit(u); err != nil {
				return err
			}
		}
		for range 2 {
			if _, err := tx.Customers.Create(customer.Draft{Name: "Heron Trading", Owner: unitA}); err != nil {
				return err
			}
		}
		if _, err := tx.Org.Assign(shared, orgtree.Assignment{Unit: unitB}); err != nil {
			return err
		}
		trader := []orgtree.Permission{{Right: customer.RightRead}, {Right: customer.RightUpdate}, {Right: customer.RightReserve}, {Right: customer.RightPost}}
		for _, r := range []orgtree.Role{{Name: "all", Permissions: []orgtree.Permission{{Right: orgtree.AnyRight}}}, {Name: "trader", Permissions: trader}} {
			if _, err := tx.Org.SetRole(r); err != nil {
				return err
			}
		}
		for _, p := range []orgtree.Principal{{ID: "root"}, {ID: "li", Home: unitA}, {ID: "wu", Home: unitB}, {ID: "masked", Home: unitA}} {
			if _, err := tx.Org.SetPrincipal(p); err != nil {
				return err
			}
		}
		for _, g := range []orgtree.Grant{
			{Principal: "root", Role: "all", Scope: orgtree.Scope{All: true}},
			{Principal: "li", Role: "trader", Scope: orgtree.Scope{Unit: unitA}},
			{Principal: "wu", Role: "trader", Scope: orgtree.Scope{Unit: unitB}},
			{Principal: "masked", Role: "trader", Scope: orgtree.Scope{Unit: unitA}, Mask: hidden},
		} {
			if _, err := tx.Org.Give(g); err != nil {
				return err
			}
		}
		return tx.Org.Enforce(true)
	})
	return s
}

func (s *sharing) system(f func(*clientele.Tx) error) {
	s.t.Helper()
	must(s.t, s.System("set up").Update(s.t.Context(), f))
}

// overlay sets what a unit has agreed with a customer: a limit in yuan, none below zero.
func (s *sharing) overlay(id customer.ID, unit customer.UnitID, limit int64, terms string) {
	s.t.Helper()
	s.system(func(tx *clientele.Tx) error { return setOverlay(tx, id, unit, limit, terms) })
}

func setOverlay(tx *clientele.Tx, id customer.ID, unit customer.UnitID, limit int64, terms string) error {
	o := orgtree.Overlay{Unit: unit, Terms: terms}
	if limit >= 0 {
		o.Limit = &orgtree.Limit{Amount: limit * 100, Currency: "CNY"}
	}
	_, err := tx.Org.SetOverlay(id, o)
	return err
}

// order asks for an order as an actor, through a unit or, with 0, without naming one.
func (s *sharing) order(actor, key string, id customer.ID, n int64, unit customer.UnitID) error {
	return s.As(clientele.Actor{ID: actor}).Update(s.t.Context(), func(tx *clientele.Tx) error {
		_, err := tx.Credit.Reserve(credit.Request{Key: key, Customer: id, Amount: yuan(n), Stage: credit.Ordered, Unit: unit})
		return err
	})
}

func (s *sharing) release(actor, key string) error {
	return s.As(clientele.Actor{ID: actor}).Update(s.t.Context(), func(tx *clientele.Tx) error {
		_, err := tx.Credit.Release(key)
		return err
	})
}

func (s *sharing) wantOrder(want error, actor, key string, n int64, unit customer.UnitID) {
	s.t.Helper()
	if err := s.order(actor, key, shared, n, unit); !errors.Is(err, want) {
		s.t.Errorf("%s orders %s for %d through unit %d: %v, want %v", actor, key, n, unit, err, want)
	}
}

func (s *sharing) verify() {
	s.t.Helper()
	report, err := s.Verify(s.t.Context(), nil)
	must(s.t, err)
	if !report.OK() {
		s.t.Errorf("the book: %+v", report)
	}
}

// What a unit's overlay shows is what binds whoever asks for that unit: its own people
// without saying so, others when they name it and act for it.
func TestReservationsObeyTheOverlayOfTheUnitThatAsks(t *testing.T) {
	s := newSharing(t)
	s.overlay(shared, unitA, 100, "")
	s.overlay(shared, unitHQ, 200, "")
	s.wantOrder(credit.ErrRefused, "li", "1", 101, 0)
	s.wantOrder(customer.ErrDenied, "li", "1", 101, unitB)
	s.wantOrder(customer.ErrDenied, "li", "1", 101, unitHQ)
	s.wantOrder(nil, "li", "1", 100, unitA)
	s.wantOrder(nil, "wu", "2", 100, 0)
	s.wantOrder(credit.ErrRefused, "wu", "3", 1, 0)
	s.wantOrder(credit.ErrRefused, "root", "3", 1, unitB)
	s.wantOrder(nil, "root", "3", 100, 0)
	s.overlay(shared, unitB, 400, "")
	s.wantOrder(nil, "wu", "4", 100, 0)
	s.wantOrder(credit.ErrRefused, "wu", "5", 1, 0)
	s.overlay(shared, unitB, -1, "") // it shows the limit above again
	err := s.order("wu", "5", shared, 1, 0)
	var stop *credit.RefusedError
	if !errors.As(err, &stop) || len(stop.Decision.Findings) != 1 || stop.Decision.Findings[0].Unit != unitHQ {
		t.Errorf("the refusal is %v, want one by the overlay of unit %d", err, unitHQ)
	}
	s.verify()
}

// Who asks for more of a document that another unit asked for is bound by that unit's limit and
// by his own unit's, whoever made it.
func TestNobodyBorrowsALimitByWayOfADocument(t *testing.T) {
	s := newSharing(t)
	s.overlay(shared, unitA, 100, "")
	s.overlay(shared, unitB, 400, "")
	s.wantOrder(nil, "wu", "of B", 10, 0)
	s.wantOrder(nil, "root", "of nobody", 10, 0)
	must(t, s.As(clientele.Actor{ID: "wu"}).Update(t.Context(), func(tx *clientele.Tx) error {
		_, err := tx.Credit.Reserve(credit.Request{Key: "offer of B", Customer: shared, Amount: yuan(20)})
		return err
	}))
	change := func(key string, n int64) func(*clientele.Tx) error {
		return func(tx *clientele.Tx) error { _, err := tx.Credit.Change(key, yuan(n), 0); return err }
	}
	pass := func(n int64) func(*clientele.Tx) error {
		return func(tx *clientele.Tx) error {
			_, err := tx.Credit.Pass("offer of B", credit.Request{Key: fmt.Sprint("order of ", n), Amount: yuan(n), Stage: credit.Ordered})
			return err
		}
	}
	expect := func(actor, what string, f func(*clientele.Tx) error, by customer.UnitID) {
		t.Helper()
		err := s.As(clientele.Actor{ID: actor}).Update(t.Context(), f)
		var stop *credit.RefusedError
		switch {
		case by == 0 && err != nil:
			t.Errorf("%s, %s: %v", actor, what, err)
		case by != 0 && (!errors.As(err, &stop) || stop.Decision.Findings[0].Unit != by):
			t.Errorf("%s, %s: %v, want a refusal by unit %d", actor, what, err, by)
		}
	}
	expect("li", "more of B's", change("of B", 200), unitA) // with 30 of the others
	expect("li", "more of nobody's", change("of nobody", 200), unitA)
	expect("li", "an order of more", pass(200), unitA)
	expect("li", "an order of as much", pass(20), 0)
	expect("li", "within its own", change("of nobody", 70), 0) // 100 in all
	expect("li", "one more", change("of B", 11), unitA)
	expect("wu", "more of its own", change("of B", 310), 0) // 400 in all
	expect("wu", "one more", change("of nobody", 71), unitB)
	expect("root", "more of B's, as who acts for B", change("of B", 311), unitB)
	expect("root", "more of nobody's", change("of nobody", 71), 0)
	expect("wu", "less", change("of B", 10), 0) // 101 in all
	s.overlay(shared, unitA, 500, "")
	s.overlay(shared, unitB, 102, "")
	err := s.As(clientele.Actor{ID: "li"}).Update(t.Context(), change("of B", 12))
	var stop *credit.RefusedError
	if !errors.As(err, &stop) || len(stop.Decision.Rooms) != 1 || !stop.Decision.Rooms[0].Hidden || stop.Decision.Findings[0].Value != 0 {
		t.Errorf("by the limit of a unit that doesn't concern him: %+v, want a refusal without figures", err)
	}
	s.verify()
}

// A deputy is bound by the limit of who delegated to him, where he has the right from that one.
func TestADeputyIsBoundByTheLimitOfTheUnitForWhichHeActs(t *testing.T) {
	s := newSharing(t)
	s.overlay(shared, unitA, 100, "")
	s.system(func(tx *clientele.Tx) error {
		for _, p := range []orgtree.Principal{{ID: "homeless"}, {ID: "elsewhere", Home: unitHQ}, {ID: "wu", Home: unitB}} {
			if _, err := tx.Org.SetPrincipal(p); err != nil {
				return err
			}
			if _, err := tx.Org.Delegate(orgtree.Delegation{From: "li", To: p.ID, End: time.Now().Add(time.Hour)}); err != nil {
				return err
			}
		}
		return nil
	})
	for _, actor := range []string{"li", "homeless", "elsewhere"} {
		s.wantOrder(credit.ErrRefused, actor, "1", 101, 0)
	}
	s.wantOrder(nil, "homeless", "2", 100, 0)
	s.wantOrder(credit.ErrRefused, "wu", "3", 1, unitA)
	s.wantOrder(nil, "wu", "3", 1, 0) // by his own right, for his own unit
}

// Who doesn't see limits is told whose limit stops him, and no figure; who doesn't see from
// a unit is not told that it has one.
func TestAnOverlayIsToldToWhomItConcerns(t *testing.T) {
	s := newSharing(t)
	s.overlay(shared, unitA, 100, "")
	check := func(actor string, unit customer.UnitID) (d credit.Decision, v *credit.Reservation, err error) {
		err = s.As(clientele.Actor{ID: actor}).View(t.Context(), func(tx *clientele.ReadTx) (err error) {
			if v, err = tx.Credit.Reservation("1"); err == nil {
				d, err = tx.Credit.Check(credit.Request{Customer: shared, Amount: yuan(1), Unit: unit})
			}
			return err
		})
		return d, v, err
	}
	s.wantOrder(nil, "li", "1", 90, 0)
	for actor, want := range map[string]string{"li": "[2 100.00 CNY false] 2 2 90", "masked": "[2  true] 2 2 0", "root": "[] 2 2 90", "wu": "[] 0 0 0"} {
		d, v, err := check(actor, 0)
		must(t, err)
		var rooms []string
		for _, room := range d.Rooms {
			amount := ""
			if room.Limit.Currency != 0 {
				amount = room.Limit.String()
			}
			rooms = append(rooms, fmt.Sprint(room.Unit, " ", amount, " ", room.Hidden))
		}
		if got := fmt.Sprint(rooms, " ", v.Unit, " ", v.Findings[0].Unit, " ", v.Findings[0].Value); got != want {
			t.Errorf("%s is told %s, want %s", actor, got, want)
		}
	}
	if _, _, err := check("wu", unitA); !errors.Is(err, customer.ErrDenied) {
		t.Errorf("a check through a unit that one doesn't see from: %v", err)
	}
}

// Sixty-four traders reserve and release through two units while both units' limits are
// raised and lowered, never both below what is taken: so at no moment more is taken than the
// higher of the two allows.
func TestConcurrentReservationsAndOverlaysKeepTheLimits(t *testing.T) {
	s := newSharing(t)
	s.overlay(shared, unitA, 100, "")
	s.overlay(shared, unitB, 200, "")
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	var reserved, refused, changed atomic.Int64
	var traders sync.WaitGroup
	for w := range 64 {
		random := rand.New(rand.NewPCG(seed, uint64(w)))
		actor := []string{"li", "wu"}[w%2]
		traders.Go(func() {
			for i := range 6 {
				key := fmt.Sprint(w, "/", i)
				switch err := s.order(actor, key, shared, 1+random.Int64N(150), 0); {
				case errors.Is(err, credit.ErrRefused):
					refused.Add(1)
					continue
				case err != nil:
					t.Error(err)
					return
				}
				reserved.Add(1)
				if err := s.release(actor, key); err != nil {
					t.Error(err)
				}
			}
		})
	}
	over := make(chan struct{})
	var others sync.WaitGroup
	until := func(f func(random *rand.Rand)) {
		random := rand.New(rand.NewPCG(seed, rand.Uint64()))
		others.Go(func() {
			for {
				select {
				case <-over:
					return
				default:
					f(random)
				}
			}
		})
	}
	for range 2 {
		until(func(random *rand.Rand) {
			a, b := random.Int64N(300), random.Int64N(300)
			err := s.System("limits").Update(t.Context(), func(tx *clientele.Tx) error {
				taken, _, err := takenAndLimits(&tx.Credit.Reader, &tx.Org.Reader)
				if err != nil || taken > max(a, b) {
					return err
				}
				return errors.Join(setOverlay(tx, shared, unitA, a, ""), setOverlay(tx, shared, unitB, b, ""))
			})
			if err != nil {
				t.Error(err)
			}
			changed.Add(1)
		})
	}
	until(func(*rand.Rand) {
		err := s.System("look").View(t.Context(), func(tx *clientele.ReadTx) error {
			taken, limits, err := takenAndLimits(tx.Credit, tx.Org)
			if taken > max(limits[unitA], limits[unitB]) {
				t.Errorf("%d is taken, with limits %v", taken, limits)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
	traders.Wait()
	close(over)
	others.Wait()
	t.Logf("%d reserved, %d refused, limits set %d times", reserved.Load(), refused.Load(), changed.Load())
	if reserved.Load() == 0 || refused.Load() == 0 || changed.Load() < 4 {
		t.Error("there was no contention")
	}
	s.verify()
}

// A limit that is lowered while a reservation is being made makes that run again, and one
// that was read while it was being lowered.
func TestAReservationSeesTheOverlayThatItIsCommittedUnder(t *testing.T) {
	s := newSharing(t)
	s.overlay(shared, unitA, 100, "")
	attempts := 0
	err := s.As(clientele.Actor{ID: "li"}).Update(t.Context(), func(tx *clientele.Tx) error {
		_, err := tx.Credit.Reserve(credit.Request{Key: "1", Customer: shared, Amount: yuan(100)})
		if attempts++; attempts == 1 {
			s.overlay(shared, unitA, 50, "")
		}
		return err
	})
	if !errors.Is(err, credit.ErrRefused) || attempts != 2 {
		t.Errorf("after %d attempts: %v, want a refusal by the new limit", attempts, err)
	}
	attempts = 0
	must(t, s.System("limits").Update(t.Context(), func(tx *clientele.Tx) error {
		taken, _, err := takenAndLimits(&tx.Credit.Reader, &tx.Org.Reader)
		if attempts++; attempts == 1 {
			s.wantOrder(nil, "li", "2", 40, 0)
		}
		if err != nil || taken > 30 {
			return err
		}
		return setOverlay(tx, shared, unitA, 30, "")
	}))
	if attempts != 2 {
		t.Errorf("the limit was set below what is taken, after %d attempts", attempts)
	}
}

// takenAndLimits are the shared customer's exposure and the units' limits, in yuan.
func takenAndLimits(c *credit.Reader, org *orgtree.Reader) (taken int64, limits map[customer.UnitID]int64, err error) {
	limits = map[customer.UnitID]int64{}
	list, err := c.Exposure(credit.OfCustomer(shared))
	for i := range list {
		taken += list[i].Of(credit.Orders) / 100
	}
	for _, unit := range []customer.UnitID{unitA, unitB} {
		if err != nil {
			return 0, limits, err
		}
		var o *orgtree.Overlay
		if o, err = org.Overlay(shared, unit); err == nil && o.Limit != nil {
			limits[unit] = o.Limit.Amount / 100
		}
	}
	return taken, limits, err
}

// What is posted by a unit's people is due by the terms of their unit, and what can't be
// understood is refused when it is agreed.
func TestDueDatesFollowTheTermsOfTheUnitThatPosts(t *testing.T) {
	s := newSharing(t)
	s.overlay(shared, unitA, -1, "NET10")
	s.overlay(shared, unitHQ, -1, "NET20")
	s.system(func(tx *clientele.Tx) error { return tx.Credit.SetTermsOf(shared, "NET30") })
	today, err := date.New(2024, 6, 1)
	must(t, err)
	post := func(actor, key string, unit customer.UnitID) (days int, err error) {
		err = s.As(clientele.Actor{ID: actor}).Update(t.Context(), func(tx *clientele.Tx) error {
			items, err := tx.Credit.Post(credit.Document{Key: key, Customer: shared, Kind: credit.Invoice, Date: today, Amount: yuan(1), OwnTerms: true, Unit: unit})
			if err == nil {
				days = int(items[0].Due - today)
			}
			return err
		})
		return days, err
	}
	for _, c := range []struct {
		actor string
		unit  customer.UnitID
		days  int
	}{{"li", 0, 10}, {"li", unitA, 10}, {"wu", 0, 20}, {"root", 0, 30}, {"root", unitA, 10}} {
		days, err := post(c.actor, fmt.Sprint(c.actor, c.unit), c.unit)
		if err != nil || days != c.days {
			t.Errorf("%s through unit %d: due in %d days, %v; want %d", c.actor, c.unit, days, err, c.days)
		}
	}
	if _, err := post("li", "x", unitB); !errors.Is(err, customer.ErrDenied) {
		t.Errorf("posting through another unit: %v", err)
	}
	s.overlay(shared, unitA, -1, "NET15")
	if days, err := post("li", "li0", 0); err != nil || days != 10 {
		t.Errorf("the same posted again under other terms: due in %d days, %v", days, err)
	}
	for what, o := range map[string]orgtree.Overlay{
		"terms":    {Unit: unitA, Terms: "when we like"},
		"currency": {Unit: unitA, Limit: &orgtree.Limit{Amount: 1, Currency: "ZZ9"}},
	} {
		err := s.System("x").Update(t.Context(), func(tx *clientele.Tx) error { _, err := tx.Org.SetOverlay(shared, o); return err })
		if !errors.Is(err, credit.ErrInvalid) && !errors.Is(err, orgtree.ErrInvalid) {
			t.Errorf("%s that nobody understands: %v", what, err)
		}
	}
}

// An overlay goes to the survivor of a merge, of customers and of units, and back.
func TestMergesTakeLimitsOfOverlaysAlong(t *testing.T) {
	s := newSharing(t)
	loser := shared + 1
	s.overlay(loser, unitA, 100, "NET10")
	s.overlay(shared, unitA, -1, "NET30")
	s.wantOrder(nil, "li", "1", 150, 0)
	s.system(func(tx *clientele.Tx) error {
		_, err := tx.Dedupe.Merge(dedupe.Merge{Survivor: shared, Losers: []customer.ID{loser}})
		return err
	})
	s.wantOrder(credit.ErrRefused, "li", "2", 1, 0)
	if err := s.order("li", "3", loser, 1, 0); !errors.Is(err, credit.ErrRefused) {
		t.Errorf("by the loser's id: %v", err)
	}
	s.system(func(tx *clientele.Tx) error { _, _, err := tx.Dedupe.Unmerge(loser); return err })
	s.wantOrder(nil, "li", "2", 1, 0)
	if err := s.order("li", "4", loser, 101, 0); !errors.Is(err, credit.ErrRefused) {
		t.Errorf("the loser has its limit again: %v", err)
	}
	s.overlay(shared, unitA, 10, "")
	s.system(func(tx *clientele.Tx) error { _, err := tx.Org.MergeUnits(unitA, unitB); return err })
	s.wantOrder(credit.ErrRefused, "li", "5", 1, 0)
	s.wantOrder(credit.ErrRefused, "wu", "5", 1, 0)
	_, err := s.Org().FinishMerge(t.Context(), s.System("merge").OrgJob(), unitA, orgtree.JobOptions{})
	must(t, err)
	s.wantOrder(credit.ErrRefused, "wu", "5", 1, 0)
	s.verify()
}

// What a unit had agreed at an instant is in the history of the customer's placement.
func TestOverlaysKeepTheirHistory(t *testing.T) {
	s := newSharing(t)
	for _, n := range []int64{100, 200} {
		s.overlay(shared, unitA, n, "")
	}
	var limits []int64
	must(t, s.System("look").View(t.Context(), func(tx *clientele.ReadTx) error {
		for p, err := range tx.Org.Placements(shared) {
			if err != nil {
				return err
			}
			at, err := tx.Org.PlacementAt(shared, p.Recorded)
			if err != nil {
				return err
			}
			for _, o := range at.Overlays {
				limits = append(limits, o.Limit.Amount/100)
			}
		}
		return nil
	}))
	if slices.Sort(limits); !slices.Equal(limits, []int64{100, 200}) {
		t.Errorf("the history has limits of %v", limits)
	}
}
