package orgtree_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/orgtree"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/bitset"
)

func TestBranchesDoNotSeeEachOther(t *testing.T) {
	g := newGroup(t)
	for actor, want := range map[string][]bool{
		"clerk.nj": {true, false, false}, "boss.east": {true, true, false}, "root": {true, true, true}, "nobody": {false, false, false},
	} {
		got := []bool{g.sees(actor, g.ofNJ), g.sees(actor, g.ofSH), g.sees(actor, g.ofNorth)}
		if !slices.Equal(got, want) {
			t.Errorf("%s sees %v of the customers of NJ, SH and NORTH, want %v", actor, got, want)
		}
	}
}

func TestRevocationHoldsForTheNextTransaction(t *testing.T) {
	g := newGroup(t)
	if !g.sees("clerk.nj", g.ofNJ) {
		t.Fatal("the clerk doesn't see a customer of the branch")
	}
	grant := g.grantOf("clerk.nj")
	g.as("root", func(tx tx) error { return tx.Revoke(grant) })
	if g.sees("clerk.nj", g.ofNJ) {
		t.Error("the clerk still sees it after the grant was revoked")
	}
	g.view(func(r *orgtree.Reader, _ *customer.Reader) error {
		var who []string
		for v, err := range r.GrantHistory(grant) {
			if err != nil {
				return err
			}
			who = append(who, v.Principal+" by "+v.Actor)
		}
		if !slices.Equal(who, []string{"clerk.nj by chen", " by root"}) {
			t.Errorf("the grant's history is %q", who)
		}
		return nil
	})
}

// A transaction that began before the revocation must not commit after it.
func TestRevocationHoldsForTransactionsThatAreUnderWay(t *testing.T) {
	g := newGroup(t)
	attempts := 0
	err := g.tryAs("clerk.nj", func(tx tx) error {
		if attempts++; attempts == 1 {
			grant := g.grantOf("clerk.nj")
			g.revoke(grant)
		}
		c, err := tx.customers.Get(g.ofNJ)
		if err != nil {
			return err
		}
		c.Note = "changed"
		_, err = tx.customers.Update(c)
		return err
	})
	wantError(t, "the update", err, customer.ErrNotFound)
	if attempts != 2 {
		t.Errorf("it ran %d times, want 2", attempts)
	}
	if note := g.get(g.ofNJ).Note; note != "" {
		t.Errorf("the note is %q", note)
	}
}

func (g *group) revoke(id orgtree.GrantID) {
	g.t.Helper()
	g.as("root", func(tx tx) error { return tx.Revoke(id) })
}

func TestGrantsHoldFromTheirBeginningToTheirEnd(t *testing.T) {
	g := newGroup(t)
	g.as("root", func(tx tx) error {
		_, err := tx.Give(orgtree.Grant{Principal: "clerk.nj", Role: "clerk", Scope: orgtree.Scope{Unit: g.sh}, From: start.Add(time.Hour), Until: start.Add(2 * time.Hour)})
		return err
	})
	for _, at := range []struct {
		minutes time.Duration
		want    bool
	}{{0, false}, {59, false}, {60, true}, {119, true}, {120, false}} {
		g.setClock(start.Add(at.minutes * time.Minute))
		if got := g.sees("clerk.nj", g.ofSH); got != at.want {
			t.Errorf("after %d minutes the clerk sees it: %v, want %v", at.minutes, got, at.want)
		}
	}
}

func TestDelegatesActWithinWhatBothMay(t *testing.T) {
	g := newGroup(t)
	g.as("root", func(tx tx) error {
		_, err := tx.Give(orgtree.Grant{Principal: "clerk.nj", Role: "clerk", Scope: orgtree.Scope{Unit: g.north}, Deny: true})
		return err
	})
	var id orgtree.DelegationID
	g.as("boss.east", func(tx tx) error {
		d, err := tx.Delegate(orgtree.Delegation{From: "boss.east", To: "clerk.nj", End: start.Add(time.Hour)})
		if err == nil {
			id = d.ID
		}
		return err
	})
	if !g.sees("clerk.nj", g.ofSH) || g.sees("clerk.nj", g.ofNorth) {
		t.Error("the delegate doesn't see what the delegator sees, or more")
	}
	err := g.tryAs("clerk.sh", func(tx tx) error {
		_, err := tx.Delegate(orgtree.Delegation{From: "root", To: "clerk.sh", End: start.Add(time.Hour)})
		return err
	})
	wantError(t, "delegating another's grants to oneself", err, customer.ErrDenied)
	g.as("clerk.nj", func(tx tx) error { return tx.EndDelegation(id) })
	if g.sees("clerk.nj", g.ofSH) {
		t.Error("the delegation was ended and still holds")
	}
}

func TestTheBookKeepsAnAdministrator(t *testing.T) {
	b := newBook(t)
	wantError(t, "Enforce without principals", b.try(func(tx tx) error { return tx.Enforce(true) }), orgtree.ErrLockout)

	g := newGroup(t)
	grant := g.grantOf("root")
	for what, try := range map[string]func(tx) error{
		"revoking the last administrator": func(tx tx) error { return tx.Revoke(grant) },
		"disabling it": func(tx tx) error {
			_, err := tx.SetPrincipal(orgtree.Principal{ID: "root", Disabled: true})
			return err
		},
		"taking the right from its role": func(tx tx) error { _, err := tx.SetRole(orgtree.Role{Name: "all"}); return err },
		"denying it": func(tx tx) error {
			_, err := tx.Give(orgtree.Grant{Principal: "root", Role: "all", Scope: orgtree.Scope{All: true}, Deny: true})
			return err
		},
	} {
		wantError(t, what, g.tryAs("root", try), orgtree.ErrLockout)
	}
	if !g.sees("root", g.ofNorth) {
		t.Error("root is locked out")
	}
}

func TestOnlyAdministratorsChangeTheOrganisation(t *testing.T) {
	g := newGroup(t)
	g.as("root", func(tx tx) error {
		if _, err := tx.SetRole(orgtree.Role{Name: "admin", Permissions: permissions(customer.RightAdminister)}); err != nil {
			return err
		}
		_, err := tx.Give(orgtree.Grant{Principal: "boss.east", Role: "admin", Scope: orgtree.Scope{Unit: g.east}})
		return err
	})
	tries := map[string]struct {
		try     func(tx) error
		allowed bool
	}{
		"a unit below":      {func(tx tx) error { _, err := tx.CreateUnit(orgtree.Unit{Code: "XZ", Parent: g.east}); return err }, true},
		"a unit elsewhere":  {func(tx tx) error { _, err := tx.CreateUnit(orgtree.Unit{Code: "TJ", Parent: g.north}); return err }, false},
		"a move within":     {func(tx tx) error { _, err := tx.MoveUnit(g.nj, g.sh, time.Time{}); return err }, true},
		"a move out":        {func(tx tx) error { _, err := tx.MoveUnit(g.nj, g.north, time.Time{}); return err }, false},
		"a grant within":    {func(tx tx) error { return give(tx, orgtree.Scope{Unit: g.sh}) }, true},
		"a grant elsewhere": {func(tx tx) error { return give(tx, orgtree.Scope{Unit: g.north}) }, false},
		"a grant on all":    {func(tx tx) error { return give(tx, orgtree.Scope{All: true}) }, false},
		"a grant on own":    {func(tx tx) error { return give(tx, orgtree.Scope{Own: true}) }, false},
		"a role":            {func(tx tx) error { _, err := tx.SetRole(orgtree.Role{Name: "x"}); return err }, false},
		"a quota":           {func(tx tx) error { return tx.SetRepQuota("zhao", 5) }, false},
		"enforcement":       {func(tx tx) error { return tx.Enforce(false) }, false},
	}
	errStop := errors.New("stop") // so that no try changes anything for the others
	for what, c := range tries {
		err := g.tryAs("boss.east", func(tx tx) error {
			if err := c.try(tx); err != nil {
				return err
			}
			return errStop
		})
		want := customer.ErrDenied
		if c.allowed {
			want = errStop
		}
		wantError(t, what, err, want)
	}
}

func TestNobodyTakesAUnitAwayFromAnothers(t *testing.T) {
	g := newGroup(t)
	g.as("root", func(tx tx) error {
		if _, err := tx.SetRole(orgtree.Role{Name: "admin", Permissions: permissions(customer.RightAdminister)}); err != nil {
			return err
		}
		for _, unit := range []customer.UnitID{g.nj, g.sh, g.north} {
			if _, err := tx.Give(orgtree.Grant{Principal: "boss.east", Role: "admin", Scope: orgtree.Scope{Unit: unit}}); err != nil {
				return err
			}
		}
		return nil
	})
	errStop := errors.New("stop")
	for what, c := range map[string]struct {
		try  func(tx) error
		want error
	}{
		"a move to one's own":     {func(tx tx) error { _, err := tx.MoveUnit(g.nj, g.north, time.Time{}); return err }, customer.ErrDenied},
		"a move ahead":            {func(tx tx) error { _, err := tx.MoveUnit(g.nj, g.north, g.clock().Add(time.Hour)); return err }, customer.ErrDenied},
		"a merger to one's own":   {func(tx tx) error { _, err := tx.MergeUnits(g.nj, g.north); return err }, customer.ErrDenied},
		"a merger that stays":     {func(tx tx) error { _, err := tx.MergeUnits(g.nj, g.sh); return err }, errStop},
		"a unit taken to the top": {func(tx tx) error { _, err := tx.MoveUnit(g.nj, 0, time.Time{}); return err }, customer.ErrDenied},
	} {
		err := g.tryAs("boss.east", func(tx tx) error {
			if err := c.try(tx); err != nil {
				return err
			}
			return errStop
		})
		wantError(t, what, err, c.want)
	}
}

func give(tx tx, s orgtree.Scope) error {
	_, err := tx.Give(orgtree.Grant{Principal: "clerk.nj", Role: "clerk", Scope: s})
	return err
}

func TestGrantsAreCheckedBeforeTheyAreGiven(t *testing.T) {
	g := newGroup(t)
	for what, c := range map[string]struct {
		grant orgtree.Grant
		want  error
	}{
		"no scope":          {orgtree.Grant{Principal: "root", Role: "clerk"}, orgtree.ErrInvalid},
		"all and a unit":    {orgtree.Grant{Principal: "root", Role: "clerk", Scope: orgtree.Scope{All: true, Unit: g.nj}}, orgtree.ErrInvalid},
		"alone":             {orgtree.Grant{Principal: "root", Role: "clerk", Scope: orgtree.Scope{Alone: true, Own: true}}, orgtree.ErrInvalid},
		"unknown unit":      {orgtree.Grant{Principal: "root", Role: "clerk", Scope: orgtree.Scope{Unit: 999}}, orgtree.ErrUnknownUnit},
		"unknown principal": {orgtree.Grant{Principal: "x", Role: "clerk", Scope: orgtree.Scope{All: true}}, orgtree.ErrNotFound},
		"unknown role":      {orgtree.Grant{Principal: "root", Role: "x", Scope: orgtree.Scope{All: true}}, orgtree.ErrNotFound},
		"bad filter":        {orgtree.Grant{Principal: "root", Role: "clerk", Scope: orgtree.Scope{Filter: "level:("}}, orgtree.ErrInvalid},
		"ended":             {orgtree.Grant{Principal: "root", Role: "clerk", Scope: orgtree.Scope{All: true}, Until: start.Add(-time.Hour)}, orgtree.ErrDate},
	} {
		wantError(t, what, g.tryAs("root", func(tx tx) error { _, err := tx.Give(c.grant); return err }), c.want)
	}
}

// What is hidden of a customer is hidden of its placement, and so is what other units
// have of their own.
func TestPlacementsShowWhatConcernsTheReader(t *testing.T) {
	g := newGroup(t)
	g.as("root", func(tx tx) error {
		hq, err := tx.Unit(g.hq)
		if err != nil {
			return err
		}
		hq.Sharing[customer.Identity], hq.Sharing[customer.Credit] = orgtree.Shared, orgtree.Private
		if _, err := tx.UpdateUnit(hq); err != nil {
			return err
		}
		for unit, note := range map[customer.UnitID]string{g.nj: "ours", g.north: "theirs", g.hq: "everybody's"} {
			o := orgtree.Overlay{Unit: unit, Note: note, Limit: &orgtree.Limit{Amount: 100, Currency: "CNY"}, Terms: "NET30"}
			if _, err := tx.SetOverlay(g.ofNorth, o); err != nil {
				return err
			}
		}
		return nil
	})
	g.viewAs("clerk.nj", func(r *orgtree.Reader, _ *customer.Reader) error {
		p, err := r.Placement(g.ofNorth)
		if err != nil {
			return err
		}
		var notes []string
		for _, o := range p.Overlays {
			notes = append(notes, o.Note)
			if o.Limit != nil || o.Terms != "" {
				t.Errorf("the overlay %q shows credit data, which its owner keeps private", o.Note)
			}
		}
		if slices.Sort(notes); !slices.Equal(notes, []string{"everybody's", "ours"}) {
			t.Errorf("the clerk sees the overlays %q", notes)
		}
		_, err = r.Overlay(g.ofNorth, g.north)
		wantError(t, "the other branch's overlay", err, customer.ErrDenied)
		return nil
	})
	wantError(t, "an overlay for a customer that is only shared", g.tryAs("clerk.nj", func(tx tx) error {
		_, err := tx.SetOverlay(g.ofNorth, orgtree.Overlay{Unit: g.nj, Note: "x"})
		return err
	}), customer.ErrDenied)
	wantError(t, "a limit without the right", g.tryAs("clerk.nj", func(tx tx) error {
		_, err := tx.SetOverlay(g.ofNJ, orgtree.Overlay{Unit: g.nj, Limit: &orgtree.Limit{Amount: 1, Currency: "CNY"}})
		return err
	}), customer.ErrDenied)
	wantError(t, "an assignment without the right", g.tryAs("clerk.nj", func(tx tx) error {
		_, err := tx.Assign(g.ofNJ, orgtree.Assignment{Unit: g.sh})
		return err
	}), customer.ErrDenied)
}

func TestTransfersObeyAccess(t *testing.T) {
	g := newGroup(t)
	job := g.job()
	job.Session.Actor = "boss.east"
	job.Access = func(r *storage.Reader) (customer.Access, error) {
		return g.org.Access(r, g.customers.Reader(r), "boss.east")
	}
	ids := bitset.Of(uint64(g.ofNJ), uint64(g.ofSH), uint64(g.ofNorth))
	done, err := g.org.TransferAll(t.Context(), job, ids, orgtree.Destination{Unit: g.sh, KeepRep: true}, orgtree.JobOptions{})
	if err != nil || done.Changed != 1 || done.Unchanged != 1 || done.Refused != 1 {
		t.Errorf("the transfer of three customers, one of them out of sight, did %+v, %v", done, err)
	}
	if owner := g.get(g.ofNorth).Owner; owner != g.north {
		t.Errorf("the customer out of sight went to unit %d", owner)
	}
	g.viewAs("boss.east", func(r *orgtree.Reader, _ *customer.Reader) error {
		for unit, want := range map[customer.UnitID]int64{0: 2, g.east: 2, g.sh: 2, g.north: 0} {
			if n, err := r.Customers(unit); err != nil || n != want {
				t.Errorf("unit %d has %d customers, %v, want %d", unit, n, err, want)
			}
		}
		return nil
	})
}
