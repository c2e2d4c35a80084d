package orgtree_test

import (
	"errors"
	"testing"
	"time"

	"golang.org/x/text/language"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/orgtree"
)

func cny(yuan int64) *orgtree.Limit { return &orgtree.Limit{Amount: yuan * 100, Currency: "CNY"} }

// overlay sets an overlay, as a transaction that can be tried.
func overlay(id customer.ID, o orgtree.Overlay) func(tx) error {
	return func(tx tx) error { _, err := tx.SetOverlay(id, o); return err }
}

// read is what a unit sees of a customer.
func (b *book) read(id customer.ID, unit customer.UnitID) (o *orgtree.Overlay) {
	b.t.Helper()
	b.view(func(r *orgtree.Reader, _ *customer.Reader) (err error) {
		o, err = r.Overlay(id, unit)
		return err
	})
	return o
}

// An overlay says whose terms and limit it shows, also when these came by several mergers.
func TestAnOverlayNamesTheUnitsThatItIsMadeOf(t *testing.T) {
	g := newGroup(t)
	g.update(overlay(g.ofNJ, orgtree.Overlay{Unit: g.nj, Terms: "NET10", LimitOf: g.north}))
	g.update(overlay(g.ofNJ, orgtree.Overlay{Unit: g.east, Terms: "NET30", Limit: cny(500)}))
	if o := g.read(g.ofNJ, g.nj); o.TermsOf != g.nj || o.LimitOf != g.east {
		t.Errorf("the terms are of unit %d, the limit of unit %d", o.TermsOf, o.LimitOf)
	}
	if o := g.read(g.ofNJ, g.north); o.TermsOf != 0 || o.LimitOf != 0 {
		t.Errorf("of nobody's terms and limit there are units %d and %d", o.TermsOf, o.LimitOf)
	}
	g.update(overlay(g.ofNJ, orgtree.Overlay{Unit: g.east}))
	g.update(overlay(g.ofNJ, orgtree.Overlay{Unit: g.nj, Limit: cny(100), LocalCode: "N1"}))
	for _, merge := range [][2]customer.UnitID{{g.nj, g.sh}, {g.sh, g.north}} {
		g.update(func(tx tx) error { _, err := tx.MergeUnits(merge[0], merge[1]); return err })
	}
	for _, unit := range []customer.UnitID{g.nj, g.sh, g.north} {
		if o := g.read(g.ofNJ, unit); o.Limit == nil || *o.Limit != *cny(100) || o.LimitOf != g.north {
			t.Errorf("after two mergers unit %d reads %+v", unit, o)
		}
	}
	g.view(func(r *orgtree.Reader, _ *customer.Reader) error {
		id, err := r.ByLocalCode(g.north, "n1")
		if id != g.ofNJ {
			t.Errorf("the code that came by two mergers finds customer %d", id)
		}
		return err
	})
}

// To take a limit away, or to lower one's own so that a higher one shows, lets more pass, and
// an approval is for no more than was approved.
func TestAnApprovedLimitIsNoHigherThanApproved(t *testing.T) {
	g := newGroup(t)
	rule := orgtree.ApprovalRule{Right: customer.RightSetLimit, Data: customer.Credit, Above: cny(1000)}
	g.as("root", func(tx tx) error { return tx.SetApprovalRules([]orgtree.ApprovalRule{rule}) })
	g.update(overlay(g.ofNJ, orgtree.Overlay{Unit: g.nj, Limit: cny(500)}))
	g.update(overlay(g.ofSH, orgtree.Overlay{Unit: g.east, Limit: cny(300)}))
	g.update(overlay(g.ofSH, orgtree.Overlay{Unit: g.sh, Limit: cny(400)}))
	asked := orgtree.Approval{Right: customer.RightSetLimit, Data: customer.Credit, Customer: g.ofNJ}
	without := g.approved("boss.east", "boss.two", asked)
	asked.Amount = cny(2000)
	amount := g.approved("boss.east", "boss.two", asked)
	using := func(id orgtree.ApprovalID, then func(tx) error) func(tx) error {
		return func(tx tx) error {
			_, err := tx.Use(id, customer.RightSetLimit, g.ofNJ)
			return errors.Join(err, then(tx))
		}
	}
	set := func(yuan int64) func(tx) error {
		return overlay(g.ofNJ, orgtree.Overlay{Unit: g.nj, Limit: cny(yuan)})
	}
	none := overlay(g.ofNJ, orgtree.Overlay{Unit: g.nj})
	other := overlay(g.ofNJ, orgtree.Overlay{Unit: g.nj, Limit: &orgtree.Limit{Amount: 1, Currency: "USD"}})
	g.expect("boss.east", tries{
		"no limit any more":                        {none, orgtree.ErrApproval},
		"in another currency":                      {other, orgtree.ErrApproval},
		"a note more":                              {overlay(g.ofNJ, orgtree.Overlay{Unit: g.nj, Limit: cny(500), Note: "x"}), nil},
		"the unit's own, with a lower one above":   {overlay(g.ofSH, orgtree.Overlay{Unit: g.sh}), nil},
		"what was approved":                        {using(amount, set(2000)), nil},
		"more than was approved":                   {using(amount, set(2001)), orgtree.ErrApproval},
		"none, approved up to an amount":           {using(amount, none), orgtree.ErrApproval},
		"another currency, approved in the first":  {using(amount, other), orgtree.ErrApproval},
		"none, approved without an amount":         {using(without, none), nil},
		"any amount, approved without one":         {using(without, set(99_999)), nil},
		"another customer's, approved for the one": {using(amount, overlay(g.ofSH, orgtree.Overlay{Unit: g.sh, Limit: cny(1500)})), orgtree.ErrApproval},
	})
}

// Terms and limits that nobody would understand are refused where somebody says so, new
// ones alone.
func TestWhatIsNewOfAnOverlayIsChecked(t *testing.T) {
	odd := errors.New("odd")
	var given []orgtree.Overlay
	b := openBookWith(t, orgtree.Options{CheckOverlay: func(o orgtree.Overlay) error {
		given = append(given, o)
		if o.Terms == "odd" {
			return odd
		}
		return nil
	}})
	t.Cleanup(b.close)
	unit := b.unit("A", 0)
	id := b.customer(unit, "zhao")
	wantError(t, "odd terms", b.try(overlay(id, orgtree.Overlay{Unit: unit, Terms: "odd"})), odd)
	b.update(overlay(id, orgtree.Overlay{Unit: unit, Terms: "NET30", Limit: cny(1), Note: "x"}))
	given = nil
	b.update(overlay(id, orgtree.Overlay{Unit: unit, Terms: "NET30", Limit: cny(1), Note: "y"}))
	if len(given) > 0 {
		t.Errorf("what was there is checked again: %+v", given)
	}
	b.update(overlay(id, orgtree.Overlay{Unit: unit, Terms: "NET30", Limit: cny(2)}))
	if len(given) != 1 || given[0].Terms != "" || *given[0].Limit != *cny(2) {
		t.Errorf("it is asked about %+v", given)
	}
}

// Who acts for a unit: who belongs to it, and who has the right there by a grant on units.
func TestWhoActsForAUnit(t *testing.T) {
	g := newGroup(t)
	g.as("root", func(tx tx) error {
		_, err := tx.SetPrincipal(orgtree.Principal{ID: "clerk.nj", Home: g.sh})
		return err
	})
	g.join("own", orgtree.Grant{Role: "clerk", Scope: orgtree.Scope{Own: true}})
	g.join("alone", orgtree.Grant{Role: "clerk", Scope: orgtree.Scope{Unit: g.east, Alone: true}})
	g.join("nobody", orgtree.Grant{Role: "clerk", Scope: orgtree.Scope{Unit: g.nj}})
	g.disable("nobody")
	g.join("denied", orgtree.Grant{Role: "clerk", Scope: orgtree.Scope{Unit: g.east}})
	g.as("root", func(tx tx) error {
		_, err := tx.Give(orgtree.Grant{Principal: "denied", Role: "clerk", Scope: orgtree.Scope{Unit: g.sh}, Deny: true})
		return err
	})
	for actor, want := range map[string]map[customer.UnitID]bool{
		"root":      {g.hq: true, g.nj: true, g.north: true},
		"boss.east": {g.hq: false, g.east: true, g.nj: true, g.north: false},
		"clerk.nj":  {g.nj: true, g.sh: true, g.east: false},
		"own":       {g.hq: false, g.nj: false},
		"alone":     {g.east: true, g.nj: false},
		"nobody":    {g.nj: false},
		"denied":    {g.east: true, g.nj: true, g.sh: false},
	} {
		g.viewAs(actor, func(_ *orgtree.Reader, customers *customer.Reader) error {
			access := customers.Access().(*orgtree.Access)
			home := map[string]customer.UnitID{"clerk.nj": g.sh}[actor]
			if access.Home() != home {
				t.Errorf("%s belongs to unit %d, want %d", actor, access.Home(), home)
			}
			for unit, may := range want {
				err := access.AllowsFrom(customer.RightUpdate, customer.Identity, unit)
				if may != (err == nil) || !may && !errors.Is(err, customer.ErrDenied) {
					t.Errorf("%s for unit %d: %v", actor, unit, err)
				}
			}
			if access.AllowsFrom(customer.RightErase, customer.Identity, g.nj) == nil && actor != "root" {
				t.Errorf("%s erases for a unit", actor)
			}
			return nil
		})
	}
}

// Who has a right on a customer, itself or in another's place, does it for its own unit, or for
// the one through which it is asked for where a grant of the same person holds.
func TestARightOnACustomerIsOfAUnit(t *testing.T) {
	g := newGroup(t)
	g.join("deputy", orgtree.Grant{Role: "clerk", Scope: orgtree.Scope{Unit: g.north}})
	g.join("homeless", orgtree.Grant{Role: "clerk", Scope: orgtree.Scope{Unit: g.north}})
	g.join("barred", orgtree.Grant{Role: "clerk", Scope: orgtree.Scope{Unit: g.nj}, Deny: true})
	g.as("root", func(tx tx) error {
		for id, home := range map[string]customer.UnitID{"clerk.nj": g.nj, "deputy": g.north} {
			if _, err := tx.SetPrincipal(orgtree.Principal{ID: id, Home: home}); err != nil {
				return err
			}
		}
		for _, id := range []string{"deputy", "homeless", "barred"} {
			if _, err := tx.Delegate(orgtree.Delegation{From: "clerk.nj", To: id, End: start.Add(time.Hour)}); err != nil {
				return err
			}
		}
		return nil
	})
	for _, x := range []struct {
		actor      string
		of         customer.ID
		asks, want customer.UnitID
	}{
		{"clerk.nj", g.ofNJ, g.nj, 0}, {"clerk.nj", g.ofNJ, g.sh, g.nj}, {"clerk.nj", g.ofNJ, 0, g.nj}, {"clerk.nj", g.ofSH, g.sh, 0},
		{"deputy", g.ofNJ, g.north, g.nj}, {"deputy", g.ofNJ, g.nj, 0}, {"deputy", g.ofNorth, g.north, 0}, {"deputy", g.ofNorth, g.nj, g.north},
		{"homeless", g.ofNJ, 0, g.nj}, {"homeless", g.ofNJ, g.nj, 0}, {"homeless", g.ofNorth, 0, 0},
		{"boss.east", g.ofNJ, g.north, 0}, {"root", g.ofNJ, g.north, 0}, {"root", g.ofNJ, 0, 0}, {"barred", g.ofNJ, g.north, 0},
	} {
		c := g.get(x.of)
		g.viewAs(x.actor, func(_ *orgtree.Reader, customers *customer.Reader) error {
			home, err := customers.Access().(*orgtree.Access).Besides(customer.RightUpdate, customer.Identity, c, x.asks)
			if home != x.want {
				t.Errorf("%s, for customer %d through unit %d, acts for unit %d, want %d", x.actor, x.of, x.asks, home, x.want)
			}
			return err
		})
	}
}

// A new unit has no customers, whatever numbers were given as owners before there were units.
func TestANewUnitComesByNoCustomers(t *testing.T) {
	b := newBook(t)
	for _, owner := range []customer.UnitID{1, 2, 4} {
		b.customer(owner, "")
	}
	b.update(func(tx tx) error { _, err := tx.customers.Archive(2); return err })
	if first, second := b.unit("A", 0), b.unit("B", 0); first != 3 || second != 5 {
		t.Errorf("the first units are %d and %d, want 3 and 5", first, second)
	}
	b.verify()
}

// An approval is as good as its approver's right when it is used.
func TestAnApprovalEndsWithItsApproversRight(t *testing.T) {
	g := newGroup(t)
	asked := orgtree.Approval{Right: customer.RightTransfer, Data: customer.Identity, Customer: g.ofNJ}
	use := func(id orgtree.ApprovalID) func(tx) error {
		return func(tx tx) error { _, err := tx.Use(id, customer.RightTransfer, g.ofNJ); return err }
	}
	g.as("root", func(tx tx) error {
		_, err := tx.Delegate(orgtree.Delegation{From: "boss.two", To: "clerk.sh", End: start.Add(time.Hour)})
		return err
	})
	byBoss, byDeputy := g.approved("boss.east", "boss.two", asked), g.approved("boss.east", "clerk.sh", asked)
	var bySystem orgtree.ApprovalID
	g.as("boss.east", func(tx tx) error {
		a, err := tx.Ask(asked)
		if err == nil {
			bySystem = a.ID
		}
		return err
	})
	g.update(func(tx tx) error { _, err := tx.Approve(bySystem, ""); return err })
	g.expect("boss.east", tries{"by another": {use(byBoss), nil}, "by a deputy": {use(byDeputy), nil}, "by the program": {use(bySystem), nil}})
	g.setClock(start.Add(time.Hour))
	g.expect("boss.east", tries{"by a deputy who is none any more": {use(byDeputy), orgtree.ErrState}})
	grant := g.grantOf("boss.two")
	g.as("root", func(tx tx) error { return tx.Revoke(grant) })
	g.expect("boss.east", tries{"by who may not any more": {use(byBoss), orgtree.ErrState}, "by the program": {use(bySystem), nil}})
	g.verify()
}

func TestDelegationsFromAPrincipal(t *testing.T) {
	g := newGroup(t)
	for from, to := range map[string]string{"boss.east": "clerk.nj", "boss.two": "clerk.sh"} {
		g.as(from, func(tx tx) error {
			_, err := tx.Delegate(orgtree.Delegation{From: from, To: to, End: start.Add(time.Hour)})
			return err
		})
	}
	list := func(actor, from string) (to []string, err error) {
		err = g.tryViewAs(actor, func(r *orgtree.Reader, _ *customer.Reader) error {
			for d, err := range r.DelegationsFrom(from) {
				if err != nil {
					return err
				}
				to = append(to, d.To)
			}
			return nil
		})
		return to, err
	}
	for _, actor := range []string{"boss.east", "root"} {
		if to, err := list(actor, "boss.east"); err != nil || len(to) != 1 || to[0] != "clerk.nj" {
			t.Errorf("%s is told %v, %v", actor, to, err)
		}
	}
	if to, err := list("root", "clerk.nj"); err != nil || len(to) > 0 {
		t.Errorf("from who delegated nothing there are %v, %v", to, err)
	}
	_, err := list("boss.two", "boss.east")
	wantError(t, "another's", err, customer.ErrDenied)
}

// Who administers a unit lists and reads the grants on it and below, no others.
func TestGrantsOnAUnitAreForWhoAdministersIt(t *testing.T) {
	g := newGroup(t)
	g.as("root", func(tx tx) error {
		_, err := tx.SetRole(orgtree.Role{Name: "keeper", Permissions: permissions(customer.RightAdminister)})
		return err
	})
	g.join("keeper", orgtree.Grant{Role: "keeper", Scope: orgtree.Scope{Unit: g.east}})
	at := func(unit customer.UnitID, want ...string) func(tx) error {
		return func(tx tx) error {
			for x, err := range tx.GrantsAt(unit) {
				if err != nil {
					return err
				}
				if len(want) == 0 || x.Principal != want[0] {
					t.Errorf("on unit %d there is %v, want %v", unit, x, want)
					return nil
				}
				want = want[1:]
			}
			if len(want) > 0 {
				t.Errorf("on unit %d there is no grant of %v", unit, want)
			}
			return nil
		}
	}
	one := func(id orgtree.GrantID) func(tx) error {
		return func(tx tx) error { _, err := tx.Grant(id); return err }
	}
	nj, root := g.grantOf("clerk.nj"), g.grantOf("root")
	g.expect("keeper", tries{
		"on its unit":    {at(g.east, "boss.east", "boss.two", "keeper"), nil},
		"on one below":   {at(g.nj, "clerk.nj"), nil},
		"on one above":   {at(g.hq), customer.ErrDenied},
		"on another":     {at(g.north), customer.ErrDenied},
		"on no unit":     {at(0), customer.ErrDenied},
		"one on a unit":  {one(nj), nil},
		"one on no unit": {one(root), customer.ErrDenied},
	})
	g.expect("boss.east", tries{"who administers nothing": {at(g.east), customer.ErrDenied}, "one by its id": {one(nj), customer.ErrDenied}})
	g.expect("root", tries{"who administers all": {at(0, "root"), nil}})
}

// A campaign that goes on after its due date is found until it is closed, and revokes
// nothing by itself.
func TestAReviewFindsCampaignsThatAreOverdue(t *testing.T) {
	g := newGroup(t)
	var c *orgtree.Campaign
	g.as("root", func(tx tx) (err error) {
		if _, err = tx.OpenCampaign(orgtree.Campaign{Name: "no date", Reviewer: "root"}); err == nil {
			c, err = tx.OpenCampaign(orgtree.Campaign{Name: "spring", Reviewer: "boss.east", Unit: g.east, Due: start.AddDate(0, 0, 10)})
		}
		return err
	})
	overdue := func(unit customer.UnitID) (list []orgtree.Finding) {
		g.viewAs("root", func(r *orgtree.Reader, _ *customer.Reader) error {
			found, err := r.Review(orgtree.ReviewOptions{Unit: unit})
			for _, f := range found {
				if f.Kind == orgtree.Overdue {
					list = append(list, f)
				}
			}
			return err
		})
		return list
	}
	g.setClock(c.Due.Add(-time.Microsecond))
	if found := overdue(0); len(found) > 0 {
		t.Errorf("before the date: %v", found)
	}
	g.setClock(c.Due)
	if len(overdue(0)) != 1 || len(overdue(g.hq)) != 1 || len(overdue(g.north)) != 0 {
		t.Fatalf("on the date: %v, of the unit above %v, of another %v", overdue(0), overdue(g.hq), overdue(g.north))
	}
	f := overdue(0)[0]
	for tag, want := range map[language.Tag]string{
		language.English:           "boss.east: the campaign spring was due on 2026-03-11 and is still open",
		language.SimplifiedChinese: "boss.east：复核spring已于2026-03-11到期，尚未结束",
	} {
		if got := f.Text(tag); got != want {
			t.Errorf("the finding says %s, want %s", got, want)
		}
	}
	if !g.sees("clerk.nj", g.ofNJ) {
		t.Error("the date revoked a grant")
	}
	g.as("root", func(tx tx) error { _, err := tx.CloseCampaign(c.ID, false); return err })
	if found := overdue(0); len(found) > 0 {
		t.Errorf("after its end: %v", found)
	}
}
