package orgtree_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/orgtree"
)

// raiseLimit asks for approval to set a limit of a customer of NJ.
func (g *group) raiseLimit(by string) (id orgtree.ApprovalID) {
	g.t.Helper()
	g.as(by, func(tx tx) error {
		a, err := tx.Ask(orgtree.Approval{Right: customer.RightSetLimit, Data: customer.Credit, Customer: g.ofNJ,
			Amount: &orgtree.Limit{Amount: 500_000_00, Currency: "CNY"}, Subject: "limit to 500,000", Payload: []byte("500000")})
		if err == nil {
			id = a.ID
		}
		return err
	})
	return id
}

func TestWhatNeedsApprovalFollowsTheRules(t *testing.T) {
	g := newGroup(t)
	g.as("root", func(tx tx) error {
		return tx.SetApprovalRules([]orgtree.ApprovalRule{
			{Right: customer.RightSetLimit, Data: customer.Credit, Above: &orgtree.Limit{Amount: 100_000_00, Currency: "CNY"}, Expires: time.Hour},
			{Right: customer.RightMerge, Data: customer.Identity},
		})
	})
	yuan := func(n int64) *orgtree.Limit { return &orgtree.Limit{Amount: n * 100, Currency: "CNY"} }
	g.viewAs("clerk.nj", func(r *orgtree.Reader, _ *customer.Reader) error {
		for _, c := range []struct {
			right  customer.Right
			data   customer.Data
			amount *orgtree.Limit
			want   bool
		}{
			{customer.RightSetLimit, customer.Credit, yuan(100_000), false},
			{customer.RightSetLimit, customer.Credit, yuan(100_001), true},
			{customer.RightSetLimit, customer.Credit, &orgtree.Limit{Amount: 1, Currency: "USD"}, true},
			{customer.RightSetLimit, customer.Credit, nil, true},
			{customer.RightSetLimit, customer.Items, nil, false},
			{customer.RightMerge, customer.Identity, nil, true},
			{customer.RightUpdate, customer.Identity, nil, false},
		} {
			rule, err := r.NeedsApproval(c.right, c.data, c.amount)
			if err != nil || (rule != nil) != c.want {
				t.Errorf("%s %s %v needs approval: %v, %v, want %v", c.right, c.data, c.amount, rule != nil, err, c.want)
			}
		}
		return nil
	})
	id := g.raiseLimit("boss.east")
	g.setClock(start.Add(time.Hour)) // the rule's time
	wantError(t, "approving an expired request", g.tryAs("boss.two", func(tx tx) error { _, err := tx.Approve(id, ""); return err }), orgtree.ErrState)
}

func TestASecondPersonApproves(t *testing.T) {
	g := newGroup(t)
	id := g.raiseLimit("boss.east")
	approve := func(tx tx) error { _, err := tx.Approve(id, "good customer"); return err }
	use := func(tx tx) error { _, err := tx.Use(id, customer.RightSetLimit, g.ofNJ); return err }
	wantError(t, "using what is not approved", g.tryAs("boss.east", use), orgtree.ErrState)
	wantError(t, "approving one's own request", g.tryAs("boss.east", approve), orgtree.ErrFourEyes)
	wantError(t, "approving without the right", g.tryAs("clerk.nj", approve), customer.ErrDenied)
	wantError(t, "approving out of sight", g.tryAs("clerk.sh", approve), orgtree.ErrNotFound)
	g.as("boss.east", func(tx tx) error { // what the asker delegates is no second pair of eyes
		_, err := tx.Delegate(orgtree.Delegation{From: "boss.east", To: "clerk.nj", End: start.Add(time.Hour)})
		return err
	})
	wantError(t, "approving by the asker's own right", g.tryAs("clerk.nj", approve), customer.ErrDenied)
	g.as("boss.two", approve)
	wantError(t, "approving twice", g.tryAs("root", approve), orgtree.ErrState)
	wantError(t, "using it for another customer", g.tryAs("boss.east", func(tx tx) error { _, err := tx.Use(id, customer.RightSetLimit, g.ofSH); return err }), orgtree.ErrInvalid)
	g.as("boss.east", use)
	wantError(t, "using it twice", g.tryAs("boss.east", use), orgtree.ErrState)
	g.viewAs("boss.east", func(r *orgtree.Reader, _ *customer.Reader) error {
		a, err := r.Approval(id)
		if err != nil || a.State != orgtree.Used || a.AskedBy != "boss.east" || a.DecidedBy != "boss.two" || a.Note != "good customer" || string(a.Payload) != "500000" {
			t.Errorf("the request is %+v, %v", a, err)
		}
		return nil
	})
}

func TestApprovalsAreDecidedAndUsedOnceUnderContention(t *testing.T) {
	g := newGroup(t)
	id := g.raiseLimit("boss.east")
	race := func(n int, do func(tx) error) (succeeded int64) {
		var wg sync.WaitGroup
		var won atomic.Int64
		for i := range n {
			actor := []string{"boss.two", "root"}[i%2]
			wg.Go(func() {
				switch err := g.tryAs(actor, do); {
				case err == nil:
					won.Add(1)
				case !errors.Is(err, orgtree.ErrState):
					t.Error(err)
				}
			})
		}
		wg.Wait()
		return won.Load()
	}
	if n := race(16, func(tx tx) error { _, err := tx.Approve(id, ""); return err }); n != 1 {
		t.Errorf("%d of 16 approved it, want 1", n)
	}
	if n := race(16, func(tx tx) error { _, err := tx.Use(id, customer.RightSetLimit, g.ofNJ); return err }); n != 1 {
		t.Errorf("%d of 16 used it, want 1", n)
	}
}

func TestRequestsAreSeenWithTheirCustomerAndGoWithIt(t *testing.T) {
	g := newGroup(t)
	id := g.raiseLimit("boss.east")
	pending := func(actor string) (ids []orgtree.ApprovalID) {
		g.viewAs(actor, func(r *orgtree.Reader, _ *customer.Reader) error {
			for a, err := range r.Approvals(orgtree.Pending) {
				if err != nil {
					return err
				}
				ids = append(ids, a.ID)
			}
			return nil
		})
		return ids
	}
	if len(pending("boss.two")) != 1 || len(pending("clerk.sh")) != 0 {
		t.Errorf("boss.two sees %v, clerk.sh %v", pending("boss.two"), pending("clerk.sh"))
	}
	g.as("boss.east", func(tx tx) error { _, err := tx.Cancel(id); return err })
	other := g.raiseLimit("boss.east")
	wantError(t, "cancelling another's request", g.tryAs("boss.two", func(tx tx) error { _, err := tx.Cancel(other); return err }), customer.ErrDenied)
	g.update(func(tx tx) error {
		_, err := tx.customers.Erase(g.ofNJ)
		return err
	})
	g.view(func(r *orgtree.Reader, _ *customer.Reader) error {
		for _, id := range []orgtree.ApprovalID{id, other} {
			if _, err := r.Approval(id); !errors.Is(err, orgtree.ErrNotFound) {
				t.Errorf("request %d is still there after the customer was erased: %v", id, err)
			}
		}
		return nil
	})
	g.verify()
}
