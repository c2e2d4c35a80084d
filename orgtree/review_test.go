package orgtree_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/language"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/orgtree"
)

func (g *group) flush() {
	g.t.Helper()
	if _, err := g.org.FlushUses(g.t.Context(), g.job()); err != nil {
		g.t.Fatal(err)
	}
}

func TestReviewFindsWhatShouldNotBe(t *testing.T) {
	g := newGroup(t)
	g.as("root", func(tx tx) error {
		if _, err := tx.SetPrincipal(orgtree.Principal{ID: "clerk.sh", Disabled: true}); err != nil {
			return err
		}
		_, err := tx.Give(orgtree.Grant{Principal: "root", Role: "clerk", Scope: orgtree.Scope{Unit: g.north}, Until: start.AddDate(0, 1, 0)})
		return err
	})
	g.setClock(start.AddDate(0, 0, 60))
	g.as("boss.east", func(tx tx) error { // reads and sets a limit
		if _, err := tx.customers.Get(g.ofNJ); err != nil {
			return err
		}
		_, err := tx.SetOverlay(g.ofNJ, orgtree.Overlay{Unit: g.nj, Limit: &orgtree.Limit{Amount: 1, Currency: "CNY"}})
		return err
	})
	g.flush()
	g.setClock(start.AddDate(0, 0, 120))
	g.as("root", func(tx tx) error { _, err := tx.customers.Get(g.ofNJ); return err })
	g.flush()

	var english, chinese []string
	g.viewAs("root", func(r *orgtree.Reader, _ *customer.Reader) error {
		found, err := r.Review(orgtree.ReviewOptions{Conflicts: []orgtree.Duties{{
			{Right: customer.RightSetLimit, Data: []customer.Data{customer.Credit}}, {Right: customer.RightApprove, Data: []customer.Data{customer.Credit}},
		}}})
		for _, f := range found {
			english = append(english, f.Text(language.English))
			chinese = append(chinese, f.Text(language.SimplifiedChinese))
		}
		return err
	})
	want := []string{ // day 120 less 90 days is 2026-03-31
		"root: grant 1 (role all) gives every right on the whole book",
		"root: of grant 1 (role all) these rights were not used since 2026-03-31: archive, create, erase, export, import, merge, override, post, reserve, review, set limit, tag, transfer, update, approve",
		"clerk.nj: grant 2 (role clerk) was not used since 2026-03-31",
		"clerk.sh: grant 3 (role clerk) has no effect: principal disabled",
		"boss.east: of grant 4 (role boss) these rights were not used since 2026-03-31: approve, transfer",
		"boss.two: grant 5 (role boss) was not used since 2026-03-31",
		"root: grant 6 (role clerk) ended on 2026-04-01",
		"root gave grant 6 (role clerk) to itself",
		"boss.east has duties that exclude each other: set limit, approve",
		"boss.two has duties that exclude each other: set limit, approve",
		"root has duties that exclude each other: set limit, approve",
	}
	for _, line := range english {
		at := slices.IndexFunc(want, func(w string) bool { return sameWords(w, line) })
		if at < 0 {
			t.Errorf("found, not wanted: %s", line)
			continue
		}
		want = slices.Delete(want, at, at+1)
	}
	// An expired grant is reported as that and nothing else.
	want = slices.DeleteFunc(want, func(w string) bool { return strings.HasPrefix(w, "root gave grant 6") })
	for _, line := range want {
		t.Errorf("not found: %s", line)
	}
	if !slices.Contains(chinese, "clerk.sh：授权3（角色clerk）无效：用户已停用") {
		t.Errorf("in Chinese: %q", chinese)
	}
	wantError(t, "a review by a clerk", g.tryViewAs("clerk.nj", func(r *orgtree.Reader, _ *customer.Reader) error {
		_, err := r.Review(orgtree.ReviewOptions{})
		return err
	}), customer.ErrDenied)
}

// sameWords compares texts whose lists may be in another order.
func sameWords(a, b string) bool {
	words := func(s string) []string {
		list := strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == ',' })
		slices.Sort(list)
		return list
	}
	return slices.Equal(words(a), words(b))
}

func TestUsesAreCountedByGrantAndRightAndStayFew(t *testing.T) {
	g := newGroup(t)
	for range 300 {
		g.viewAs("clerk.nj", func(_ *orgtree.Reader, customers *customer.Reader) error {
			_, err := customers.Get(g.ofNJ)
			return err
		})
	}
	g.viewAs("boss.east", func(r *orgtree.Reader, _ *customer.Reader) error { // explaining is no use
		_, err := r.Explain("boss.east", customer.RightRead, customer.Contacts, g.ofNJ)
		return err
	})
	n, err := g.org.FlushUses(t.Context(), g.job())
	if err != nil || n != 1 {
		t.Errorf("the flush wrote %d records, %v, want 1", n, err)
	}
	if n, err := g.org.FlushUses(t.Context(), g.job()); n != 0 || err != nil {
		t.Errorf("a second flush wrote %d records, %v", n, err)
	}
	uses := func(principal string) (list []orgtree.Use) {
		id := g.grantOf(principal)
		g.viewAs("root", func(r *orgtree.Reader, _ *customer.Reader) (err error) {
			list, err = r.Uses(id)
			return err
		})
		return list
	}
	got := uses("clerk.nj")
	if len(got) != 1 || got[0].Right != customer.RightRead || got[0].Times < 300 || !got[0].Last.Equal(start.Truncate(24*time.Hour)) {
		t.Errorf("the clerk's uses are %+v", got)
	}
	if list := uses("boss.east"); len(list) != 0 {
		t.Errorf("the boss's uses are %+v", list)
	}
	id := g.grantOf("clerk.nj")
	g.revoke(id)
	g.view(func(r *orgtree.Reader, _ *customer.Reader) error {
		if list, err := r.Uses(id); len(list) != 0 || err != nil {
			t.Errorf("a revoked grant has the uses %+v, %v", list, err)
		}
		return nil
	})
}

func TestExplanationsNameTheGrantOrTheLack(t *testing.T) {
	g := newGroup(t)
	g.as("root", func(tx tx) error {
		mask, err := customer.NewMask("phone", "email")
		if err != nil {
			return err
		}
		for _, grant := range []orgtree.Grant{
			{Principal: "clerk.sh", Role: "clerk", Scope: orgtree.Scope{Own: true}},
			{Principal: "clerk.sh", Role: "clerk", Scope: orgtree.Scope{Filter: "third"}},
			{Principal: "clerk.sh", Role: "clerk", Scope: orgtree.Scope{Unit: g.east}, Mask: mask, From: start.Add(time.Hour)},
		} {
			if _, err := tx.Give(grant); err != nil {
				return err
			}
		}
		_, err = tx.Assign(g.ofNJ, orgtree.Assignment{Unit: g.sh})
		return err
	})
	explain := func(actor string, right customer.Right, d customer.Data, id customer.ID, tag language.Tag) (text string) {
		t.Helper()
		g.viewAs("root", func(r *orgtree.Reader, _ *customer.Reader) error {
			e, err := r.Explain(actor, right, d, id)
			if err == nil {
				text = e.Text(tag)
			}
			return err
		})
		return text
	}
	for _, c := range []struct {
		actor string
		right customer.Right
		data  customer.Data
		id    customer.ID
		tag   language.Tag
		want  []string
	}{
		{"boss.east", customer.RightUpdate, customer.Contacts, g.ofNJ, language.English, []string{
			"boss.east may update the contacts of customer 1.", "- grant 4 (role boss) gives this, by EAST / NJ"}},
		{"clerk.nj", customer.RightTransfer, customer.Identity, g.ofNJ, language.English, []string{
			"clerk.nj may not transfer the identity of customer 1.", "- grant 2 (role clerk) has a role without this right"}},
		{"clerk.nj", customer.RightRead, customer.Identity, g.ofNorth, language.English, []string{
			"clerk.nj may not read the identity of customer 3.",
			"- grant 2 (role clerk) is for other units: the customer belongs to NORTH, whose policy is private"}},
		{"clerk.nj", customer.RightRead, customer.Identity, g.ofNorth, language.SimplifiedChinese, []string{
			"clerk.nj不可以查看客户3的身份资料。", "- 授权2（角色clerk）针对其他组织：客户属于NORTH，其共享策略为私有"}},
		{"clerk.sh", customer.RightRead, customer.Identity, g.ofNJ, language.English, []string{
			"clerk.sh may not read the identity of customer 1.",
			"- grant 3 (role clerk) is for a unit that the customer is assigned to, but NJ keeps this to itself: its policy is private",
			"- grant 6 (role clerk) is for the holder's own customers only",
			"- grant 7 (role clerk) is for the customers of a filter, and this is none of them",
			"- grant 8 (role clerk) is not in force"}},
		{"nobody", customer.RightRead, customer.Identity, g.ofNJ, language.English, []string{
			"nobody may not read the identity of customer 1.", "- the actor is no principal of the book"}},
	} {
		if got, want := explain(c.actor, c.right, c.data, c.id, c.tag), strings.Join(c.want, "\n"); got != want {
			t.Errorf("the explanation is\n%s\nwant\n%s", got, want)
		}
	}
	g.setClock(start.Add(time.Hour))
	got := explain("clerk.sh", customer.RightRead, customer.Identity, g.ofNJ, language.English)
	if !strings.Contains(got, "grant 8 (role clerk) gives this, by EAST / NJ, without phone, email") || !strings.HasSuffix(got, "Hidden: phone, email.") {
		t.Errorf("with a mask the explanation is\n%s", got)
	}
	wantError(t, "explaining another's access", g.tryViewAs("clerk.nj", func(r *orgtree.Reader, _ *customer.Reader) error {
		_, err := r.Explain("boss.east", customer.RightRead, customer.Identity, g.ofNJ)
		return err
	}), customer.ErrDenied)
	wantError(t, "explaining what is out of sight", g.tryViewAs("clerk.nj", func(r *orgtree.Reader, _ *customer.Reader) error {
		_, err := r.Explain("clerk.nj", customer.RightRead, customer.Identity, g.ofNorth)
		return err
	}), customer.ErrNotFound)
}

func TestEffectiveRightsOfAPersonAndOnACustomer(t *testing.T) {
	g := newGroup(t)
	g.viewAs("root", func(r *orgtree.Reader, _ *customer.Reader) error {
		e, err := r.EffectiveRights("boss.east")
		if err != nil || len(e.Grants) != 1 || e.Grants[0].Units != 3 || e.Customers != 2 {
			t.Errorf("the boss of EAST, NJ and SH has %+v, %v", e, err)
		}
		list, err := r.RightsOnCustomer(g.ofNJ)
		if err != nil {
			return err
		}
		got := map[string]string{}
		for _, on := range list {
			var rights []string
			for _, p := range on.Rights {
				rights = append(rights, string(p.Right))
			}
			got[on.Principal] = strings.Join(rights, " ")
		}
		want := map[string]string{"clerk.nj": "read update", "boss.east": "read update transfer set_limit approve", "boss.two": "read update transfer set_limit approve"}
		for id, rights := range want {
			if got[id] != rights {
				t.Errorf("%s has the rights %q, want %q", id, got[id], rights)
			}
		}
		if len(got) != 4 { // and root
			t.Errorf("these see the customer: %v", got)
		}
		return nil
	})
}

func TestCampaignsConfirmOrRevokeEveryGrant(t *testing.T) {
	g := newGroup(t)
	var id orgtree.CampaignID
	g.as("root", func(tx tx) error {
		c, err := tx.OpenCampaign(orgtree.Campaign{Name: "2026 H1", Reviewer: "boss.east", Unit: g.east, Due: start.AddDate(0, 1, 0)})
		if err == nil {
			id = c.ID
		}
		return err
	})
	nj, sh, own := g.grantOf("clerk.nj"), g.grantOf("clerk.sh"), g.grantOf("boss.east")
	certify := func(actor string, grant orgtree.GrantID, d orgtree.Decision) error {
		return g.tryAs(actor, func(tx tx) error { return tx.Certify(id, grant, d, "checked") })
	}
	wantError(t, "certifying by someone else", certify("boss.two", nj, orgtree.Confirmed), customer.ErrDenied)
	wantError(t, "certifying one's own grant", certify("boss.east", own, orgtree.Confirmed), orgtree.ErrFourEyes)
	wantError(t, "a grant outside the campaign", certify("boss.east", g.grantOf("root"), orgtree.Revoked), orgtree.ErrNotFound)
	wantError(t, "confirming", certify("boss.east", nj, orgtree.Confirmed), nil)
	wantError(t, "revoking", certify("boss.east", sh, orgtree.Revoked), nil)
	if g.sees("clerk.sh", g.ofSH) || !g.sees("clerk.nj", g.ofNJ) {
		t.Error("the revoked grant holds, or the confirmed one doesn't")
	}
	g.as("root", func(tx tx) error { _, err := tx.CloseCampaign(id, true); return err })
	if g.sees("boss.two", g.ofNJ) {
		t.Error("a grant that nobody decided on still holds")
	}
	wantError(t, "certifying in a closed campaign", certify("boss.east", nj, orgtree.Revoked), orgtree.ErrState)
	var got []string
	g.viewAs("root", func(r *orgtree.Reader, _ *customer.Reader) error {
		for c, err := range r.Certifications(id) {
			if err != nil {
				return err
			}
			got = append(got, fmt.Sprintf("%d %d %s", c.Grant, c.Decision, c.By))
		}
		return nil
	})
	want := []string{"2 1 boss.east", "3 2 boss.east", "4 2 root", "5 2 root"}
	if !slices.Equal(got, want) {
		t.Errorf("the campaign keeps %q, want %q", got, want)
	}
	g.verify()
}

// The reviewer's own grants are decided on by another who administers the unit, and an open
// campaign goes to another reviewer when the first is gone.
func TestACampaignOfTheReviewersOwnGrants(t *testing.T) {
	g := newGroup(t)
	g.as("root", func(tx tx) error {
		_, err := tx.SetRole(orgtree.Role{Name: "keeper", Permissions: permissions(customer.RightAdminister)})
		return err
	})
	g.join("keeper.east", orgtree.Grant{Role: "keeper", Scope: orgtree.Scope{Unit: g.east}})
	var c *orgtree.Campaign
	g.as("root", func(tx tx) (err error) {
		c, err = tx.OpenCampaign(orgtree.Campaign{Name: "x", Reviewer: "boss.east", Unit: g.east})
		return err
	})
	own, nj := g.grantOf("boss.east"), g.grantOf("clerk.nj")
	certify := func(id orgtree.GrantID, d orgtree.Decision) func(tx) error {
		return func(tx tx) error { return tx.Certify(c.ID, id, d, "") }
	}
	g.expect("boss.east", tries{"the reviewer of his own": {certify(own, orgtree.Confirmed), orgtree.ErrFourEyes}})
	g.expect("boss.two", tries{"who administers nothing": {certify(own, orgtree.Confirmed), customer.ErrDenied}})
	g.expect("keeper.east", tries{
		"who administers the unit, of the reviewer's": {certify(own, orgtree.Confirmed), nil},
		"of others'": {certify(nj, orgtree.Confirmed), customer.ErrDenied},
	})
	g.as("keeper.east", certify(own, orgtree.Confirmed))
	g.as("clerk.nj", func(tx tx) error { // whose grant the reviewer uses now
		_, err := tx.Delegate(orgtree.Delegation{From: "clerk.nj", To: "boss.east", End: start.Add(time.Hour)})
		return err
	})
	g.expect("boss.east", tries{
		"confirming what is delegated to him": {certify(nj, orgtree.Confirmed), orgtree.ErrFourEyes},
		"revoking it":                         {certify(nj, orgtree.Revoked), nil},
	})
	g.disable("boss.east")
	g.expect("boss.east", tries{"a reviewer who is gone": {certify(nj, orgtree.Revoked), customer.ErrDenied}})
	hand := func(to string) func(tx) error {
		return func(tx tx) error { _, err := tx.SetReviewer(c.ID, to); return err }
	}
	g.expect("boss.two", tries{"taking a campaign over": {hand("boss.two"), customer.ErrDenied}})
	g.expect("keeper.east", tries{"to nobody": {hand("nobody"), orgtree.ErrNotFound}, "to another": {hand("boss.two"), nil}})
	g.as("keeper.east", hand("boss.two"))
	g.as("boss.two", certify(nj, orgtree.Confirmed))
	g.as("root", func(tx tx) error { _, err := tx.CloseCampaign(c.ID, true); return err })
	g.as("root", func(tx tx) error {
		_, err := tx.Grant(own)
		return err
	})
	g.expect("keeper.east", tries{"of a closed campaign": {hand("boss.east"), orgtree.ErrState}})
}

// Two duties that one person has by another's holiday exclude each other as well.
func TestTheReviewFindsDutiesThatADelegationJoins(t *testing.T) {
	g := newGroup(t)
	g.as("boss.east", func(tx tx) error {
		_, err := tx.Delegate(orgtree.Delegation{From: "boss.east", To: "clerk.nj", End: start.Add(time.Hour)})
		return err
	})
	conflicts := func() (list []string) {
		g.viewAs("root", func(r *orgtree.Reader, _ *customer.Reader) error {
			found, err := r.Review(orgtree.ReviewOptions{Conflicts: []orgtree.Duties{
				{{Right: customer.RightUpdate}, {Right: customer.RightApprove, Data: []customer.Data{customer.Credit}}},
			}})
			for _, f := range found {
				if f.Kind == orgtree.Conflict && f.Principal == "clerk.nj" {
					list = append(list, f.Text(language.English), f.Text(language.SimplifiedChinese))
				}
			}
			return err
		})
		return list
	}
	want := []string{"clerk.nj has duties that exclude each other: update, approve, delegated by boss.east", "clerk.nj的职责互相冲突：修改、审批，由boss.east委托"}
	if got := conflicts(); !slices.Equal(got, want) {
		t.Errorf("the review finds %q", got)
	}
	g.setClock(start.Add(time.Hour))
	if got := conflicts(); len(got) > 0 {
		t.Errorf("after the delegation the review finds %q", got)
	}
}
