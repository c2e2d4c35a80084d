package orgtree_test

import (
	"errors"
	"testing"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/orgtree"
	"github.com/clientele-go/clientele/storage"
)

// tries are attempts of an actor, each taken back when it succeeds, and what each returns.
type tries map[string]struct {
	try  func(tx) error
	want error
}

func (g *group) expect(actor string, all tries) {
	g.t.Helper()
	for what, c := range all {
		want := c.want
		if want == nil {
			want = errTakenBack
		}
		err := g.tryAs(actor, func(tx tx) error {
			if err := c.try(tx); err != nil {
				return err
			}
			return errTakenBack
		})
		wantError(g.t, actor+": "+what, err, want)
	}
}

var errTakenBack = errors.New("taken back")

func campaign(unit customer.UnitID) func(tx) error {
	return func(tx tx) error {
		_, err := tx.OpenCampaign(orgtree.Campaign{Name: "x", Reviewer: "root", Unit: unit})
		return err
	}
}

func principal(home customer.UnitID) func(tx) error {
	return func(tx tx) error { _, err := tx.SetPrincipal(orgtree.Principal{ID: "new", Home: home}); return err }
}

func TestARightOnAUnitAloneIsNoneOnThoseBelow(t *testing.T) {
	g := newAdministrator(t)
	g.join("alone.east", orgtree.Grant{Role: "local admin", Scope: orgtree.Scope{Unit: g.east, Alone: true}})
	g.join("alone.nj", orgtree.Grant{Role: "local admin", Scope: orgtree.Scope{Unit: g.nj, Alone: true}})
	reader := func(s orgtree.Scope) func(tx) error {
		return func(tx tx) error {
			_, err := tx.Give(orgtree.Grant{Principal: "new.clerk", Role: "reader", Scope: s})
			return err
		}
	}
	g.expect("alone.east", tries{
		"a campaign":               {campaign(g.east), customer.ErrDenied},
		"a principal":              {principal(g.east), customer.ErrDenied},
		"a move with all below":    {func(tx tx) error { _, err := tx.MoveUnit(g.east, g.east, time.Time{}); return err }, customer.ErrDenied},
		"a grant on the unit":      {reader(orgtree.Scope{Unit: g.east, Alone: true}), nil},
		"a grant on all below":     {reader(orgtree.Scope{Unit: g.east}), customer.ErrDenied},
		"a grant on a unit below":  {reader(orgtree.Scope{Unit: g.nj, Alone: true}), customer.ErrDenied},
		"a campaign of one branch": {campaign(g.nj), customer.ErrDenied},
	})
	g.expect("alone.nj", tries{ // nothing is below it
		"a campaign":  {campaign(g.nj), nil},
		"a principal": {principal(g.nj), nil},
	})
}

func TestADenialBelowIsOneOfTheWholeSubtree(t *testing.T) {
	g := newAdministrator(t)
	g.as("root", func(tx tx) error {
		_, err := tx.Give(orgtree.Grant{Principal: "admin.east", Role: "keeper", Scope: orgtree.Scope{Unit: g.nj}, Deny: true})
		return err
	})
	g.expect("admin.east", tries{
		"a campaign above the denial":  {campaign(g.east), customer.ErrDenied},
		"a principal above the denial": {principal(g.east), customer.ErrDenied},
		"a campaign where it is":       {campaign(g.nj), customer.ErrDenied},
		"a campaign beside it":         {campaign(g.sh), nil},
		"a principal beside it":        {principal(g.sh), nil},
	})
}

// far is disabled, belongs to the east and may read in the north: who administers the east
// alone can't bring it back.
func TestEnablingIsGivingAllThatWasGranted(t *testing.T) {
	g := newAdministrator(t)
	g.as("root", func(tx tx) error {
		for id, unit := range map[string]customer.UnitID{"far": g.north, "near": g.sh} {
			p := orgtree.Principal{ID: id, Home: g.sh, Disabled: true}
			if _, err := tx.SetPrincipal(p); err != nil {
				return err
			}
			if _, err := tx.Give(orgtree.Grant{Principal: id, Role: "reader", Scope: orgtree.Scope{Unit: unit}, Mask: mask(t, "phone")}); err != nil {
				return err
			}
		}
		return nil
	})
	set := func(id string, disabled bool) func(tx) error {
		return func(tx tx) error {
			_, err := tx.SetPrincipal(orgtree.Principal{ID: id, Home: g.sh, Disabled: disabled})
			return err
		}
	}
	g.expect("admin.east", tries{
		"enabling who has more":           {set("far", false), customer.ErrDenied},
		"changing who stays disabled":     {set("far", true), nil},
		"enabling who has what he has":    {set("near", false), nil},
		"disabling who has what he lacks": {set("far", true), nil},
	})
	g.expect("root", tries{"enabling": {set("far", false), nil}})
}

// What is denied stays denied when a campaign ends, whether it was decided on or not.
func TestCampaignsLiftNoDenial(t *testing.T) {
	g := newAdministrator(t)
	var denial *orgtree.Grant
	var c *orgtree.Campaign
	g.as("root", func(tx tx) (err error) {
		denial, err = tx.Give(orgtree.Grant{Principal: "clerk.nj", Role: "reader", Scope: orgtree.Scope{Unit: g.nj}, Deny: true})
		return err
	})
	g.as("admin.east", func(tx tx) (err error) {
		c, err = tx.OpenCampaign(orgtree.Campaign{Name: "x", Reviewer: "admin.east", Unit: g.nj})
		return err
	})
	wantError(t, "revoking a denial in a campaign", g.tryAs("admin.east", func(tx tx) error {
		return tx.Certify(c.ID, denial.ID, orgtree.Revoked, "")
	}), orgtree.ErrNotFound)
	g.as("root", func(tx tx) error { _, err := tx.CloseCampaign(c.ID, true); return err })
	g.as("root", func(tx tx) error { _, err := tx.Grant(denial.ID); return err })
}

// A merge of placements is open to programs that merge customers: it shows and ends
// placements, and so needs what the merge needs.
func TestPlacementsAreMergedByWhoMayMerge(t *testing.T) {
	g := newGroup(t)
	done := &orgtree.PlacementMerge{Survivor: g.ofNJ, Loser: g.ofNorth}
	merge := func(survivor, loser customer.ID) func(tx) error {
		return func(tx tx) error { _, err := tx.MergeCustomers(survivor, loser); return err }
	}
	g.expect("root", tries{"a merge": {merge(g.ofNJ, g.ofNorth), nil}})
	unmerge := func(tx tx) error { return tx.UnmergeCustomers(done) }
	g.expect("clerk.nj", tries{
		"a merge of what it may only update": {merge(g.ofNJ, g.ofNJ+1000), customer.ErrDenied},
		"a merge with one out of sight":      {merge(g.ofNorth, g.ofNJ), customer.ErrNotFound},
		"an unmerge":                         {unmerge, customer.ErrDenied},
	})
	g.expect("stranger", tries{
		"a merge":    {merge(g.ofNJ, g.ofSH), customer.ErrNotFound},
		"an unmerge": {unmerge, customer.ErrNotFound},
	})
}

// The representative stands in an assignment only, so that the customer's record needs no
// change.
func TestARepresentativeInAPlacementIsReplacedByWhoMayTransfer(t *testing.T) {
	g := newGroup(t)
	g.as("root", func(tx tx) error {
		_, err := tx.Assign(g.ofNJ, orgtree.Assignment{Unit: g.sh, Rep: "wu"})
		return err
	})
	replace := func(actor string) orgtree.Progress {
		job := g.job()
		job.Session.Actor = actor
		job.Access = func(r *storage.Reader) (customer.Access, error) {
			return g.org.Access(r, g.customers.Reader(r), actor)
		}
		done, err := g.org.TransferRep(t.Context(), job, "wu", orgtree.Destination{KeepUnit: true, Rep: "zheng"}, orgtree.JobOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return done
	}
	if done := replace("clerk.nj"); done.Refused != 1 || done.Changed != 0 {
		t.Errorf("who may not transfer: %+v", done)
	}
	if done := replace("boss.east"); done.Refused != 0 || done.Changed != 1 {
		t.Errorf("who may transfer: %+v", done)
	}
}

// When an assignment of a customer out of sight begins is not told.
func TestDueTimesAreThoseOfCustomersInSight(t *testing.T) {
	g := newGroup(t)
	begins := map[customer.ID]time.Time{g.ofNorth: start.Add(time.Hour), g.ofNJ: start.Add(2 * time.Hour)}
	for id, from := range begins {
		g.as("root", func(tx tx) error {
			_, err := tx.Assign(id, orgtree.Assignment{Unit: g.sh, From: from})
			return err
		})
	}
	for actor, want := range map[string]time.Time{"root": begins[g.ofNorth], "clerk.nj": begins[g.ofNJ], "stranger": {}} {
		g.viewAs(actor, func(r *orgtree.Reader, _ *customer.Reader) error {
			if due, err := r.AssignmentDue(); err != nil || !due.Equal(want) {
				t.Errorf("%s is told %v, %v; want %v", actor, due, err, want)
			}
			return nil
		})
	}
}
