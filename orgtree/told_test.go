package orgtree_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/orgtree"
)

// Who administers a unit without seeing its customers is not told by a refused closure how
// many they are, nor which one is assigned there.
func TestARefusedClosureTellsNothingHidden(t *testing.T) {
	g := newGroup(t)
	for range 6 {
		g.customer(g.sh, "")
	}
	lone := g.unit("LONE", g.east)
	g.update(func(tx tx) error {
		if _, err := tx.SetRole(orgtree.Role{Name: "janitor", Permissions: permissions(customer.RightAdminister)}); err != nil {
			return err
		}
		if _, err := tx.SetPrincipal(orgtree.Principal{ID: "janitor"}); err != nil {
			return err
		}
		if _, err := tx.Give(orgtree.Grant{Principal: "janitor", Role: "janitor", Scope: orgtree.Scope{Unit: g.east}}); err != nil {
			return err
		}
		_, err := tx.Assign(g.ofNorth, orgtree.Assignment{Unit: lone})
		return err
	})
	for _, x := range []struct {
		unit          customer.UnitID
		hidden, shown string
	}{{g.sh, "7", "it has 7 customers"}, {lone, g.ofNorth.String(), fmt.Sprintf("customer %d is assigned to it", g.ofNorth)}} {
		closing := func(tx tx) error { _, err := tx.CloseUnit(x.unit, time.Time{}); return err }
		err := g.tryAs("janitor", closing)
		wantError(t, "closing a unit in use", err, orgtree.ErrInUse)
		if strings.Contains(err.Error(), x.hidden) {
			t.Errorf("who sees nobody is told: %v", err)
		}
		if err := g.tryAs("root", closing); err == nil || !strings.Contains(err.Error(), x.shown) {
			t.Errorf("who sees everybody is told: %v; want %q", err, x.shown)
		}
	}
}

// A denial of a whole unit is one of what the unit has of its own.
func TestADenialInAUnitIsOneOfItsOverlays(t *testing.T) {
	g := newGroup(t)
	overlay := func(unit customer.UnitID) func(tx) error {
		return func(tx tx) error {
			_, err := tx.SetOverlay(g.ofNJ, orgtree.Overlay{Unit: unit, Note: "own"})
			return err
		}
	}
	g.as("root", func(tx tx) error {
		_, err := tx.Give(orgtree.Grant{Principal: "boss.east", Role: "clerk", Scope: orgtree.Scope{Unit: g.sh}, Deny: true})
		return err
	})
	g.expect("boss.east", tries{
		"for the owner's unit":    {overlay(g.nj), nil},
		"for the one that denies": {overlay(g.sh), customer.ErrDenied},
	})
}

// Quotas of units that are closed bind nobody, so nobody need count for them.
func TestTheQuotaOfAClosedUnitEndsWithIt(t *testing.T) {
	b := newBook(t)
	unit := b.unitOf(orgtree.Unit{Code: "OLD", Quota: 3, RepQuota: 2})
	has := func() (bounded bool) {
		t.Helper()
		b.view(func(r *orgtree.Reader, _ *customer.Reader) (err error) { bounded, err = r.HasQuotas(); return err })
		return bounded
	}
	if !has() {
		t.Error("there is a quota, and none is found")
	}
	b.update(func(tx tx) error { _, err := tx.CloseUnit(unit, time.Time{}); return err })
	if has() {
		t.Error("the quota of a closed unit is counted")
	}
}

// A customer's assignment to a unit that doesn't concern the session is in no sum either.
func TestSharedCustomersOfOtherUnitsAreNotCounted(t *testing.T) {
	g := newGroup(t)
	g.as("root", func(tx tx) error {
		_, err := tx.Assign(g.ofNJ, orgtree.Assignment{Unit: g.north})
		return err
	})
	for actor, want := range map[string]int64{"root": 1, "clerk.nj": 0} {
		g.viewAs(actor, func(r *orgtree.Reader, _ *customer.Reader) error {
			north, err := r.Consolidate(g.north)
			if err != nil || north.Total.SharedIn != want {
				t.Errorf("%s is told that %d customers of others are assigned to NORTH, %v; want %d", actor, north.Total.SharedIn, err, want)
			}
			hq, err := r.Consolidate(g.hq)
			if err != nil || hq.SharedAmong != want {
				t.Errorf("%s is told that %d customers are shared in HQ, %v; want %d", actor, hq.SharedAmong, err, want)
			}
			return nil
		})
	}
}
