package orgtree_test

import (
	"slices"
	"testing"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/orgtree"
)

// newAdministrator has admin.east read and administer the east, without phones.
func newAdministrator(t *testing.T) *group {
	g := newGroup(t)
	g.as("root", func(tx tx) error {
		for name, rights := range map[string][]customer.Right{
			"local admin": {customer.RightRead, customer.RightAdminister}, "reader": {customer.RightRead}, "keeper": {customer.RightAdminister},
		} {
			if _, err := tx.SetRole(orgtree.Role{Name: name, Permissions: permissions(rights...)}); err != nil {
				return err
			}
		}
		return nil
	})
	g.join("admin.east", orgtree.Grant{Role: "local admin", Scope: orgtree.Scope{Unit: g.east}, Mask: mask(t, "phone")})
	g.join("new.clerk", orgtree.Grant{Role: "reader", Scope: orgtree.Scope{Unit: g.sh, Alone: true}})
	return g
}

func TestNobodyPassesOnMoreThanHeHas(t *testing.T) {
	g := newAdministrator(t)
	phones := mask(t, "phone")
	for what, x := range map[string]struct {
		grant orgtree.Grant
		want  error
	}{
		"a right that he lacks, to himself":   {orgtree.Grant{Principal: "admin.east", Role: "clerk", Scope: orgtree.Scope{Unit: g.nj}, Mask: phones}, customer.ErrDenied},
		"a right that he lacks, to another":   {orgtree.Grant{Principal: "new.clerk", Role: "clerk", Scope: orgtree.Scope{Unit: g.nj}, Mask: phones}, customer.ErrDenied},
		"every right":                         {orgtree.Grant{Principal: "new.clerk", Role: "all", Scope: orgtree.Scope{Unit: g.nj}, Mask: phones}, customer.ErrDenied},
		"the sight of what is hidden":         {orgtree.Grant{Principal: "admin.east", Role: "reader", Scope: orgtree.Scope{Unit: g.nj}}, customer.ErrDenied},
		"what he has, where he doesn't":       {orgtree.Grant{Principal: "new.clerk", Role: "reader", Scope: orgtree.Scope{Unit: g.north}, Mask: phones}, customer.ErrDenied},
		"what he has, in the whole book":      {orgtree.Grant{Principal: "new.clerk", Role: "reader", Scope: orgtree.Scope{Own: true}, Mask: phones}, customer.ErrDenied},
		"what he has":                         {orgtree.Grant{Principal: "new.clerk", Role: "reader", Scope: orgtree.Scope{Unit: g.nj}, Mask: phones}, nil},
		"what he has, of some, with all else": {orgtree.Grant{Principal: "new.clerk", Role: "local admin", Scope: orgtree.Scope{Unit: g.nj, Own: true}, Mask: phones}, nil},
	} {
		err := g.tryAs("admin.east", func(tx tx) error { _, err := tx.Give(x.grant); return err })
		wantError(t, "giving "+what, err, x.want)
	}
}

// A denial in a part of the unit is one of what would be passed on.
func TestWhatIsDeniedIsNotPassedOnNorLiftedByOneself(t *testing.T) {
	g := newAdministrator(t)
	var denial *orgtree.Grant
	g.as("root", func(tx tx) (err error) {
		denial, err = tx.Give(orgtree.Grant{Principal: "admin.east", Role: "reader", Scope: orgtree.Scope{Unit: g.nj}, Deny: true})
		return err
	})
	give := func(unit customer.UnitID) error {
		return g.tryAs("admin.east", func(tx tx) error {
			_, err := tx.Give(orgtree.Grant{Principal: "new.clerk", Role: "reader", Scope: orgtree.Scope{Unit: unit}, Mask: mask(t, "phone")})
			return err
		})
	}
	wantError(t, "giving on a unit above", give(g.east), customer.ErrDenied)
	wantError(t, "giving beside it", give(g.sh), nil)
	wantError(t, "lifting it", g.tryAs("admin.east", func(tx tx) error { return tx.Revoke(denial.ID) }), customer.ErrDenied)
	wantError(t, "root's lifting it", g.tryAs("root", func(tx tx) error { return tx.Revoke(denial.ID) }), nil)
}

func TestWhatIsDelegatedIsNotKept(t *testing.T) {
	g := newAdministrator(t)
	g.as("root", func(tx tx) error {
		_, err := tx.Delegate(orgtree.Delegation{From: "root", To: "new.clerk", End: start.AddDate(0, 0, 7)})
		return err
	})
	give := func(to string) error {
		return g.tryAs("new.clerk", func(tx tx) error {
			_, err := tx.Give(orgtree.Grant{Principal: to, Role: "all", Scope: orgtree.Scope{All: true}})
			return err
		})
	}
	wantError(t, "a deputy's grant to himself", give("new.clerk"), customer.ErrDenied)
	wantError(t, "a deputy's grant to another", give("clerk.nj"), nil)
}

// The clerk of the merged branch has all of the survivor: only who could give him that
// merges, and the review finds it until it is given anew.
func TestGrantsThatAMergeOfUnitsWidens(t *testing.T) {
	g := newAdministrator(t)
	g.join("keeper.east", orgtree.Grant{Role: "keeper", Scope: orgtree.Scope{Unit: g.east}})
	merge := func(who string) error {
		return g.tryAs(who, func(tx tx) error { _, err := tx.MergeUnits(g.nj, g.sh); return err })
	}
	wantError(t, "a merge by who can't give what it gives", merge("keeper.east"), customer.ErrDenied)
	g.setClock(start.Add(time.Hour))
	wantError(t, "root's merge", merge("root"), nil)
	if !g.sees("clerk.nj", g.ofSH) {
		t.Error("the grant on the merged unit doesn't hold in the survivor")
	}
	widened := func() (who []string) {
		g.viewAs("root", func(r *orgtree.Reader, _ *customer.Reader) error {
			found, err := r.Review(orgtree.ReviewOptions{})
			for _, f := range found {
				if f.Kind == orgtree.Widened {
					who = append(who, f.Principal)
				}
			}
			return err
		})
		return who
	}
	if who := widened(); !slices.Equal(who, []string{"clerk.nj"}) {
		t.Errorf("the review finds %v", who)
	}
	id := g.grantOf("clerk.nj")
	g.as("root", func(tx tx) error {
		if err := tx.Revoke(id); err != nil {
			return err
		}
		_, err := tx.Give(orgtree.Grant{Principal: "clerk.nj", Role: "clerk", Scope: orgtree.Scope{Unit: g.sh}})
		return err
	})
	if who := widened(); len(who) > 0 {
		t.Errorf("after it was given anew the review finds %v", who)
	}
}

func TestATransferNeedsTheRightOnBothSides(t *testing.T) {
	g := newGroup(t)
	byUpdate := func(to customer.UnitID) error {
		return g.tryAs("boss.east", func(tx tx) error {
			c, err := tx.customers.Get(g.ofNJ)
			if err == nil {
				c.Owner = to
				_, err = tx.customers.Update(c)
			}
			return err
		})
	}
	byTransfer := func(to customer.UnitID) error {
		return g.tryAs("boss.east", func(tx tx) error {
			_, err := tx.Transfer(g.ofNJ, orgtree.Destination{Unit: to, KeepRep: true})
			return err
		})
	}
	wantError(t, "an update that gives it away", byUpdate(g.north), customer.ErrDenied)
	wantError(t, "a transfer out of reach", byTransfer(g.north), customer.ErrDenied)
	wantError(t, "an update within reach", byUpdate(g.sh), nil)
	wantError(t, "a transfer within reach", byTransfer(g.nj), nil)
}

// Who leaves can be disabled though his unit was merged meanwhile.
func TestAPrincipalOfAMergedUnitCanBeDisabled(t *testing.T) {
	g := newGroup(t)
	g.as("root", func(tx tx) error {
		if _, err := tx.SetPrincipal(orgtree.Principal{ID: "clerk.nj", Home: g.nj}); err != nil {
			return err
		}
		_, err := tx.MergeUnits(g.nj, g.sh)
		return err
	})
	g.as("root", func(tx tx) error {
		_, err := tx.SetPrincipal(orgtree.Principal{ID: "clerk.nj", Home: g.nj, Disabled: true})
		return err
	})
	if g.sees("clerk.nj", g.ofNJ) {
		t.Error("a disabled principal sees a customer")
	}
}
