package orgtree_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/orgtree"
	"github.com/clientele-go/clientele/storage"
)

// newMasked has masked.nj update and transfer in NJ without the sight of representatives,
// terms, limits and notes; the overlays of its customer have all of these.
func newMasked(t *testing.T) *group {
	g := newGroup(t)
	g.as("root", func(tx tx) error {
		_, err := tx.SetRole(orgtree.Role{Name: "mover", Permissions: permissions(customer.RightRead, customer.RightUpdate, customer.RightTransfer)})
		if err != nil {
			return err
		}
		for _, unit := range []customer.UnitID{g.nj, g.sh, g.hq} {
			o := orgtree.Overlay{Unit: unit, Rep: "li", Terms: "NET30", Limit: &orgtree.Limit{Amount: 100, Currency: "CNY"}, Note: "pays late", LocalCode: "K1"}
			if _, err := tx.SetOverlay(g.ofNJ, o); err != nil {
				return err
			}
		}
		_, err = tx.Assign(g.ofNJ, orgtree.Assignment{Unit: g.sh, Rep: "wu"})
		return err
	})
	g.join("masked.nj", orgtree.Grant{Role: "mover", Scope: orgtree.Scope{Unit: g.nj}, Mask: mask(t, "rep", "terms", "limit", "note")})
	return g
}

func (g *group) overlay(unit customer.UnitID) (o orgtree.Overlay) {
	g.t.Helper()
	g.view(func(r *orgtree.Reader, _ *customer.Reader) error {
		p, err := r.Placement(g.ofNJ)
		if i := slices.IndexFunc(p.Overlays, func(o orgtree.Overlay) bool { return o.Unit == unit }); i >= 0 {
			o = p.Overlays[i]
		}
		return err
	})
	return o
}

// Whether a guess of a hidden value is right must not be told by what is refused.
func TestHiddenFieldsOfAnOverlayAreNeitherFoundOutNorLost(t *testing.T) {
	g := newMasked(t)
	guess := func(o orgtree.Overlay) func(tx) error {
		return func(tx tx) error { o.Unit = g.nj; _, err := tx.SetOverlay(g.ofNJ, o); return err }
	}
	g.expect("masked.nj", tries{
		"the right terms":          {guess(orgtree.Overlay{Terms: "NET30"}), customer.ErrDenied},
		"wrong terms":              {guess(orgtree.Overlay{Terms: "NET60"}), customer.ErrDenied},
		"the right limit":          {guess(orgtree.Overlay{Limit: &orgtree.Limit{Amount: 100, Currency: "CNY"}}), customer.ErrDenied},
		"a wrong limit":            {guess(orgtree.Overlay{Limit: &orgtree.Limit{Amount: 101, Currency: "CNY"}}), customer.ErrDenied},
		"the right representative": {guess(orgtree.Overlay{Rep: "li"}), customer.ErrDenied},
		"a note":                   {guess(orgtree.Overlay{Note: "x"}), customer.ErrDenied},
		"what is shown":            {guess(orgtree.Overlay{LocalCode: "K2"}), nil},
		"nothing":                  {guess(orgtree.Overlay{}), nil},
	})
	g.as("masked.nj", guess(orgtree.Overlay{LocalCode: "K2"}))
	if o := g.overlay(g.nj); o.LocalCode != "K2" || o.Rep != "li" || o.Terms != "NET30" || o.Note != "pays late" || o.Limit == nil || o.Limit.Amount != 100 {
		t.Errorf("the overlay is %+v", o)
	}
	g.as("masked.nj", guess(orgtree.Overlay{}))
	if o := g.overlay(g.nj); o.LocalCode != "" || o.Rep != "li" {
		t.Errorf("after it was emptied the overlay is %+v", o)
	}
}

// What a unit sees of a customer is its own to change, though another owns the customer.
func TestOverlaysAreSetForUnitsInWhichTheRightHolds(t *testing.T) {
	g := newMasked(t)
	set := func(unit customer.UnitID) func(tx) error {
		return func(tx tx) error {
			_, err := tx.SetOverlay(g.ofNJ, orgtree.Overlay{Unit: unit, LocalCode: "NEW"})
			return err
		}
	}
	g.expect("clerk.nj", tries{
		"its own":             {set(g.nj), customer.ErrDenied}, // it would drop terms and limit
		"another branch's":    {set(g.sh), customer.ErrDenied},
		"that of the company": {set(g.hq), customer.ErrDenied},
	})
	g.expect("masked.nj", tries{"its own": {set(g.nj), nil}, "another branch's": {set(g.sh), customer.ErrDenied}, "that of the company": {set(g.hq), customer.ErrDenied}})
	g.expect("root", tries{"any": {set(g.hq), nil}})
}

// A transfer by who doesn't see the representative keeps it, and tells nothing of it.
func TestAHiddenRepresentativeIsKept(t *testing.T) {
	g := newMasked(t)
	assign := func(rep string) func(tx) error {
		return func(tx tx) error { _, err := tx.customers.Assign(g.ofNJ, g.nj, rep); return err }
	}
	shared := func(rep string) func(tx) error {
		return func(tx tx) error {
			_, err := tx.Assign(g.ofNJ, orgtree.Assignment{Unit: g.sh, Rep: rep})
			return err
		}
	}
	g.expect("masked.nj", tries{
		"a right guess":                  {assign("zhao"), customer.ErrDenied},
		"a wrong guess":                  {assign("wang"), customer.ErrDenied},
		"a right guess of an assignment": {shared("wu"), customer.ErrDenied},
		"a wrong guess of an assignment": {shared("he"), customer.ErrDenied},
	})
	below := g.unit("NJ-1", g.nj)
	g.as("masked.nj", func(tx tx) error {
		_, err := tx.Transfer(g.ofNJ, orgtree.Destination{Unit: below, KeepRep: true})
		return err
	})
	g.as("masked.nj", shared(""))
	if c := g.get(g.ofNJ); c.Owner != below || c.Rep != "zhao" {
		t.Errorf("after the transfer: %+v", c)
	}
	g.view(func(r *orgtree.Reader, _ *customer.Reader) error {
		p, err := r.Placement(g.ofNJ)
		if err == nil && (len(p.Assignments) != 1 || p.Assignments[0].Rep != "wu") {
			t.Errorf("the assignments are %+v", p.Assignments)
		}
		return err
	})
}

// How many customers a representative has isn't told by the progress of a job either.
func TestAJobFindsNoHiddenRepresentative(t *testing.T) {
	g := newMasked(t)
	for _, c := range []struct {
		actor, rep string // zhao is the record's, wu that of an assignment
		want       int64
	}{{"masked.nj", "zhao", 0}, {"masked.nj", "wu", 0}, {"boss.east", "zhao", 1}, {"boss.east", "wu", 1}} {
		job := g.job()
		job.Session.Actor = c.actor
		job.Access = func(r *storage.Reader) (customer.Access, error) {
			return g.org.Access(r, g.customers.Reader(r), c.actor)
		}
		done, err := g.org.TransferRep(t.Context(), job, c.rep, orgtree.Destination{KeepUnit: true, Rep: "he"}, orgtree.JobOptions{})
		if err != nil || done.Total != c.want || done.Refused != 0 {
			t.Errorf("%s is told %+v of %s, %v; want %d in all", c.actor, done, c.rep, err, c.want)
		}
	}
}

// What another unit has of its own is told by no way: its code, that a customer is assigned
// to it, and when.
func TestPlacementsInOtherUnitsAreToldByNoWay(t *testing.T) {
	g := newMasked(t)
	g.as("root", func(tx tx) error {
		_, err := tx.Assign(g.ofNJ, orgtree.Assignment{Unit: g.north, From: start.Add(time.Hour)})
		return err
	})
	g.setClock(start.Add(2 * time.Hour)) // the assignment has begun, and no Tick has run
	for actor, want := range map[string]struct {
		units, corrections int
		code               error
	}{
		"root": {2, 1, nil}, "clerk.nj": {0, 0, orgtree.ErrNotFound},
	} {
		g.viewAs(actor, func(r *orgtree.Reader, _ *customer.Reader) error {
			_, assigned, err := r.UnitsOf(g.ofNJ)
			if err != nil || len(assigned) != want.units {
				t.Errorf("%s is told that the customer is assigned to %v, %v", actor, assigned, err)
			}
			list, err := r.Corrections()
			if err != nil || len(list) != want.corrections {
				t.Errorf("%s is told the corrections %v, %v", actor, list, err)
			}
			if _, err := r.ByLocalCode(g.sh, "K1"); !errors.Is(err, want.code) {
				t.Errorf("%s looks the code of another unit up: %v", actor, err)
			}
			_, err = r.ByLocalCode(g.nj, "K1")
			wantError(t, "looking an own code up", err, nil)
			return nil
		})
	}
}

// A refused read returns nothing beside its error.
func TestARefusedReadReturnsNothing(t *testing.T) {
	g := newGroup(t)
	var d *orgtree.Delegation
	g.as("boss.east", func(tx tx) (err error) {
		d, err = tx.Delegate(orgtree.Delegation{From: "boss.east", To: "boss.two", End: start.Add(time.Hour)})
		return err
	})
	grant := g.grantOf("root")
	g.viewAs("clerk.nj", func(r *orgtree.Reader, _ *customer.Reader) error {
		if got, err := r.Grant(grant); got != nil || !errors.Is(err, customer.ErrDenied) {
			t.Errorf("another's grant is %v, %v", got, err)
		}
		if got, err := r.Delegation(d.ID); got != nil || !errors.Is(err, customer.ErrDenied) {
			t.Errorf("another's delegation is %v, %v", got, err)
		}
		return nil
	})
	for _, who := range []string{"boss.east", "boss.two", "root"} {
		g.viewAs(who, func(r *orgtree.Reader, _ *customer.Reader) error { _, err := r.Delegation(d.ID); return err })
	}
}

// The loser of a merge is out of sight though the survivor is not: that is an error, not an
// explanation of nothing.
func TestAMergedCustomerOutOfSightIsNotExplained(t *testing.T) {
	g := newGroup(t)
	g.update(func(tx tx) error {
		keep := func(survivor, _ *customer.Customer) (*customer.Customer, error) { return survivor, nil }
		_, err := tx.customers.Merge(g.ofNJ, []customer.ID{g.ofNorth}, keep)
		return err
	})
	g.viewAs("clerk.nj", func(r *orgtree.Reader, _ *customer.Reader) error {
		x, err := r.Explain("clerk.nj", customer.RightRead, customer.Identity, g.ofNorth)
		if x != nil || !errors.Is(err, orgtree.ErrNotFound) {
			t.Errorf("the explanation is %v, %v", x, err)
		}
		return nil
	})
}

// An assignment to a unit that was merged is one to the survivor, also before the records
// are brought over: it is replaced and withdrawn as that.
func TestAnAssignmentToAMergedUnitIsOneToTheSurvivor(t *testing.T) {
	g := newGroup(t)
	boss := func(f func(tx) error) { t.Helper(); g.as("root", f) }
	assign := func(unit customer.UnitID, until time.Time) func(tx) error {
		return func(tx tx) error {
			_, err := tx.Assign(g.ofNorth, orgtree.Assignment{Unit: unit, Until: until})
			return err
		}
	}
	boss(func(tx tx) error {
		u, err := tx.Unit(g.north)
		if err == nil {
			u.Sharing[customer.Identity] = orgtree.Assigned
			_, err = tx.UpdateUnit(u)
		}
		return err
	})
	boss(assign(g.nj, time.Time{}))
	boss(func(tx tx) error { _, err := tx.MergeUnits(g.nj, g.sh); return err })
	if !g.sees("clerk.sh", g.ofNorth) {
		t.Fatal("the survivor doesn't see what was assigned to the merged unit")
	}
	boss(assign(g.sh, start.Add(time.Hour)))
	g.setClock(start.Add(time.Hour))
	if g.sees("clerk.sh", g.ofNorth) {
		t.Error("an assignment that was replaced by one with an end still holds")
	}
	boss(assign(g.sh, time.Time{}))
	boss(func(tx tx) error { _, err := tx.Withdraw(g.ofNorth, g.nj); return err })
	if g.sees("clerk.sh", g.ofNorth) {
		t.Error("an assignment that was withdrawn still holds")
	}
	g.verify()
}
