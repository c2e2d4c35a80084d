package orgtree_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/orgtree"
)

func mask(t testing.TB, fields ...string) customer.Mask {
	t.Helper()
	m, err := customer.NewMask(fields...)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// join makes a principal with one grant.
func (g *group) join(id string, grant orgtree.Grant) {
	g.t.Helper()
	g.as("root", func(tx tx) error {
		if _, err := tx.SetPrincipal(orgtree.Principal{ID: id}); err != nil {
			return err
		}
		grant.Principal = id
		_, err := tx.Give(grant)
		return err
	})
}

func (g *group) disable(id string) {
	g.t.Helper()
	g.as("root", func(tx tx) error {
		_, err := tx.SetPrincipal(orgtree.Principal{ID: id, Disabled: true})
		return err
	})
}

// approvals is all that an actor is told of requests, as text.
func (g *group) approvals(actor string, id orgtree.ApprovalID) string {
	g.t.Helper()
	var b strings.Builder
	err := g.tryViewAs(actor, func(r *orgtree.Reader, _ *customer.Reader) error {
		list := r.Approvals(orgtree.Pending)
		for a, err := range list {
			fmt.Fprintf(&b, "%+v %v %s\n", a, err, payload(a))
		}
		for a, err := range r.ApprovalsOf(g.ofNJ) {
			fmt.Fprintf(&b, "%+v %v %s\n", a, err, payload(a))
		}
		a, err := r.Approval(id)
		fmt.Fprintf(&b, "%+v %v %s\n", a, err, payload(a))
		return nil
	})
	if err != nil {
		g.t.Fatal(err)
	}
	return b.String()
}

func payload(a *orgtree.Approval) string {
	if a == nil {
		return ""
	}
	return fmt.Sprintf("%s %x %+v", a.Payload, a.Digest, a.Amount)
}

func TestRequestsTellNothingThatIsHidden(t *testing.T) {
	g := newGroup(t)
	g.join("masked", orgtree.Grant{Role: "clerk", Scope: orgtree.Scope{Unit: g.nj}, Mask: mask(t, "limit")})
	id := g.raiseLimit("boss.east")
	if text := g.approvals("masked", id); strings.Contains(text, "500") || strings.Contains(text, fmt.Sprintf("%x", digestOf(g, id))) {
		t.Errorf("who doesn't see limits is told of the request: %s", text)
	}
	for _, who := range []string{"boss.east", "boss.two", "clerk.nj"} {
		if text := g.approvals(who, id); !strings.Contains(text, "500000") {
			t.Errorf("%s, who sees limits, is told %s", who, text)
		}
	}
	g.as("boss.two", func(tx tx) error { _, err := tx.Approve(id, ""); return err })
	g.as("root", func(tx tx) error {
		a, err := tx.Approval(id)
		if err == nil && string(a.Payload) != "500000" {
			t.Errorf("the decision lost the payload: %+v", a)
		}
		return err
	})
}

func digestOf(g *group, id orgtree.ApprovalID) (digest [32]byte) {
	g.view(func(r *orgtree.Reader, _ *customer.Reader) error {
		a, err := r.Approval(id)
		if err == nil {
			digest = a.Digest
		}
		return err
	})
	return digest
}

// An approver from whom something of the subject is hidden decides all the same, and what
// was asked for stays whole.
func TestADecisionByWhoSeesLessKeepsTheRequestWhole(t *testing.T) {
	g := newGroup(t)
	g.join("masked", orgtree.Grant{Role: "boss", Scope: orgtree.Scope{Unit: g.nj}, Mask: mask(t, "limit")})
	id := g.raiseLimit("boss.east")
	before := digestOf(g, id)
	g.as("masked", func(tx tx) error {
		a, err := tx.Reject(id, "no")
		if err == nil && (a.Amount != nil || len(a.Payload) > 0) {
			t.Errorf("the answer tells what is hidden: %+v", a)
		}
		return err
	})
	g.view(func(r *orgtree.Reader, _ *customer.Reader) error {
		a, err := r.Approval(id)
		if err == nil && (string(a.Payload) != "500000" || a.Digest != before || a.Amount == nil) {
			t.Errorf("the decision lost what was asked for: %+v", a)
		}
		return err
	})
}

func TestRequestsWithoutACustomerAreForWhoIsConcerned(t *testing.T) {
	g := newGroup(t)
	var id orgtree.ApprovalID
	g.as("root", func(tx tx) error {
		a, err := tx.Ask(orgtree.Approval{Right: customer.RightImport, Data: customer.Identity, Subject: "import zkanari", Payload: []byte("zkanari")})
		if err == nil {
			id = a.ID
		}
		return err
	})
	for _, who := range []string{"clerk.nj", "stranger"} {
		if text := g.approvals(who, id); strings.Contains(text, "zkanari") {
			t.Errorf("%s is told %s", who, text)
		}
	}
	for _, who := range []string{"root", "boss.east"} { // who asked, and who may approve such
		if text := g.approvals(who, id); !strings.Contains(text, "zkanari") {
			t.Errorf("%s isn't told of it: %s", who, text)
		}
	}
}

func TestOnlyWhoHasTheRightUsesAnApproval(t *testing.T) {
	g := newGroup(t)
	id := g.raiseLimit("boss.east")
	g.as("boss.two", func(tx tx) error { _, err := tx.Approve(id, ""); return err })
	use := func(tx tx) error { _, err := tx.Use(id, customer.RightSetLimit, g.ofNJ); return err }
	wantError(t, "using up what others were approved", g.tryAs("clerk.nj", use), customer.ErrDenied)
	g.as("boss.east", use)
}

func TestWhoIsDisabledDoesNothing(t *testing.T) {
	g := newGroup(t)
	id := g.raiseLimit("boss.east")
	var campaign orgtree.CampaignID
	var holiday orgtree.DelegationID
	g.as("root", func(tx tx) error {
		c, err := tx.OpenCampaign(orgtree.Campaign{Name: "spring", Reviewer: "boss.east"})
		if err != nil {
			return err
		}
		campaign = c.ID
		d, err := tx.Delegate(orgtree.Delegation{From: "boss.east", To: "clerk.sh", End: start.Add(time.Hour)})
		if err == nil {
			holiday = d.ID
		}
		return err
	})
	other := g.grantOf("clerk.nj")
	g.disable("boss.east")
	for what, f := range map[string]func(tx) error{
		"certifying":          func(tx tx) error { return tx.Certify(campaign, other, orgtree.Revoked, "") },
		"taking back":         func(tx tx) error { _, err := tx.Cancel(id); return err },
		"ending a delegation": func(tx tx) error { return tx.EndDelegation(holiday) },
		"delegating": func(tx tx) error {
			_, err := tx.Delegate(orgtree.Delegation{From: "boss.east", To: "clerk.nj", End: start.Add(time.Hour)})
			return err
		},
	} {
		if err := g.tryAs("boss.east", f); !errors.Is(err, customer.ErrDenied) && !errors.Is(err, orgtree.ErrNotFound) {
			t.Errorf("%s by who is disabled: %v", what, err)
		}
	}
	if !g.sees("clerk.nj", g.ofNJ) {
		t.Error("the disabled reviewer revoked a grant")
	}
	g.viewAs("boss.east", func(r *orgtree.Reader, _ *customer.Reader) error {
		for c, err := range r.Certifications(campaign) {
			if err == nil {
				t.Errorf("the disabled reviewer is shown %+v", c)
			}
			break
		}
		return nil
	})
}

// A grant that is gone can't be confirmed: the campaign would say that somebody may what
// nobody may.
func TestAGrantThatIsGoneIsNotConfirmed(t *testing.T) {
	g := newGroup(t)
	var campaign orgtree.CampaignID
	g.as("root", func(tx tx) error {
		c, err := tx.OpenCampaign(orgtree.Campaign{Name: "spring", Reviewer: "boss.east"})
		if err == nil {
			campaign = c.ID
		}
		return err
	})
	id := g.grantOf("clerk.nj")
	g.as("root", func(tx tx) error { return tx.Revoke(id) })
	wantError(t, "confirming it", g.tryAs("boss.east", func(tx tx) error { return tx.Certify(campaign, id, orgtree.Confirmed, "") }), orgtree.ErrState)
	g.as("boss.east", func(tx tx) error { return tx.Certify(campaign, id, orgtree.Revoked, "") })
}

func TestQuotasTellNoHiddenRepresentative(t *testing.T) {
	g := newGroup(t)
	var archived customer.ID
	g.update(func(tx tx) error {
		c, err := tx.customers.Create(customer.Draft{Name: "n", Owner: g.nj, Rep: "zkanari"})
		if err != nil {
			return err
		}
		archived = c.ID
		_, err = tx.customers.Archive(archived)
		if err != nil {
			return err
		}
		for range 3 { // elsewhere, out of sight of NJ
			if _, err := tx.customers.Create(customer.Draft{Name: "n", Owner: g.north, Rep: "zkanari"}); err != nil {
				return err
			}
		}
		if err := tx.SetRepQuota("zkanari", 1); err != nil {
			return err
		}
		_, err = tx.SetRole(orgtree.Role{Name: "archivist", Permissions: permissions(customer.RightRead, customer.RightArchive, customer.RightUpdate)})
		return err
	})
	g.join("masked", orgtree.Grant{Role: "archivist", Scope: orgtree.Scope{Unit: g.nj}, Mask: mask(t, "rep")})
	g.join("plain", orgtree.Grant{Role: "archivist", Scope: orgtree.Scope{Unit: g.nj}})
	restore := func(tx tx) error { _, err := tx.customers.Reactivate(archived); return err }
	err := g.tryAs("masked", restore)
	wantError(t, "restoring", err, orgtree.ErrQuota)
	if strings.Contains(fmt.Sprintf("%+v %v", err, err), "zkanari") {
		t.Errorf("the error tells the hidden representative: %v", err)
	}
	err = g.tryAs("plain", restore)
	var q *orgtree.QuotaError
	if !errors.As(err, &q) || q.Rep != "zkanari" || q.Present > q.Limit {
		t.Errorf("the error tells how many customers are out of sight: %v", err)
	}
}

// What a transaction has written itself it is shown in lists and counts too, also after
// it has counted before.
func TestATransactionSeesItsOwnCustomers(t *testing.T) {
	g := &group{book: newBook(t)}
	g.nj = g.unit("NJ", 0)
	g.update(func(tx tx) error {
		for _, r := range []orgtree.Role{
			{Name: "clerk", Permissions: permissions(customer.RightRead, customer.RightCreate, customer.RightUpdate, customer.RightTransfer)},
			{Name: "all", Permissions: permissions(orgtree.AnyRight)},
		} {
			if _, err := tx.SetRole(r); err != nil {
				return err
			}
		}
		for _, x := range []orgtree.Grant{
			{Principal: "clerk", Role: "clerk", Scope: orgtree.Scope{Unit: g.nj}},
			{Principal: "rep", Role: "clerk", Scope: orgtree.Scope{Own: true}},
			{Principal: "root", Role: "all", Scope: orgtree.Scope{All: true}},
		} {
			if _, err := tx.SetPrincipal(orgtree.Principal{ID: x.Principal}); err != nil {
				return err
			}
			if _, err := tx.Give(x); err != nil {
				return err
			}
		}
		return tx.Enforce(true)
	})
	for _, who := range []string{"clerk", "rep"} {
		g.as(who, func(tx tx) error {
			before := g.listed(tx)
			c, err := tx.customers.Create(customer.Draft{Name: "n", Owner: g.nj, Rep: "rep"})
			if err != nil {
				return err
			}
			if after := g.listed(tx); len(after) != len(before)+1 || !slices.Contains(after, c.ID) {
				t.Errorf("%s creates %d and is listed %v, before %v", who, c.ID, after, before)
			}
			return nil
		})
	}
}

func (g *group) listed(tx tx) (ids []customer.ID) {
	g.t.Helper()
	for c, err := range tx.customers.List(customer.List{}) {
		if err != nil {
			g.t.Fatal(err)
		}
		ids = append(ids, c.ID)
	}
	return ids
}

// What is assigned and withdrawn within a transaction holds for what it reads next.
func TestATransactionSeesByItsOwnAssignments(t *testing.T) {
	g := newGroup(t)
	g.update(func(tx tx) error {
		u, err := tx.Unit(g.hq)
		if err != nil {
			return err
		}
		for _, d := range customer.AllData() {
			u.Sharing[d] = orgtree.Assigned
		}
		_, err = tx.UpdateUnit(u)
		return err
	})
	g.join("mover", orgtree.Grant{Role: "all", Scope: orgtree.Scope{Unit: g.nj}})
	g.update(func(tx tx) error { _, err := tx.Assign(g.ofSH, orgtree.Assignment{Unit: g.nj}); return err })
	g.as("mover", func(tx tx) error {
		if visible, err := tx.customers.Visible(g.ofSH); err != nil || !visible {
			t.Errorf("assigned: %v, %v", visible, err)
		}
		before := g.listed(tx)
		if _, err := tx.Withdraw(g.ofSH, g.nj); err != nil {
			return err
		}
		visible, err := tx.customers.Visible(g.ofSH)
		if listed := slices.Contains(g.listed(tx), g.ofSH); err != nil || visible || listed || !slices.Contains(before, g.ofSH) {
			t.Errorf("withdrawn: visible %v, listed %v, before %v, %v", visible, listed, before, err)
		}
		return nil
	})
}
