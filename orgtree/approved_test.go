package orgtree_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/text/language"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/orgtree"
)

// approved asks for approval as one and has another approve it.
func (g *group) approved(by, approver string, a orgtree.Approval) (id orgtree.ApprovalID) {
	g.t.Helper()
	g.as(by, func(tx tx) error {
		x, err := tx.Ask(a)
		if err == nil {
			id = x.ID
		}
		return err
	})
	g.as(approver, func(tx tx) error { _, err := tx.Approve(id, ""); return err })
	return id
}

// A rule holds wherever the right is asked for, until an approval is used: in that
// transaction, for that right and that customer.
func TestWhatARuleNamesWaitsForASecondPerson(t *testing.T) {
	g := newGroup(t)
	rule := orgtree.ApprovalRule{Right: customer.RightTransfer, Data: customer.Identity}
	g.as("root", func(tx tx) error { return tx.SetApprovalRules([]orgtree.ApprovalRule{rule}) })
	transfer := func(id customer.ID) func(tx) error {
		return func(tx tx) error {
			_, err := tx.Transfer(id, orgtree.Destination{KeepUnit: true, Rep: "he"})
			return err
		}
	}
	g.expect("boss.east", tries{
		"a transfer":            {transfer(g.ofNJ), orgtree.ErrApproval},
		"an assignment":         {func(tx tx) error { _, err := tx.Assign(g.ofNJ, orgtree.Assignment{Unit: g.sh}); return err }, orgtree.ErrApproval},
		"what no rule is about": {func(tx tx) error { return tx.customers.Permit(customer.RightUpdate, customer.Identity, g.ofNJ) }, nil},
		"one out of sight":      {transfer(g.ofNorth), orgtree.ErrNotFound},
	})
	wantError(t, "a rule is a denial to who handles these", g.tryAs("boss.east", transfer(g.ofNJ)), customer.ErrDenied)
	g.expect("clerk.nj", tries{"who lacks the right": {transfer(g.ofNJ), customer.ErrDenied}})

	id := g.approved("boss.east", "boss.two", orgtree.Approval{Right: customer.RightTransfer, Data: customer.Identity, Customer: g.ofNJ})
	use := func(then ...func(tx) error) func(tx) error {
		return func(tx tx) error {
			if _, err := tx.Use(id, customer.RightTransfer, g.ofNJ); err != nil {
				return err
			}
			for _, do := range then {
				if err := do(tx); err != nil {
					return err
				}
			}
			return nil
		}
	}
	g.expect("boss.east", tries{
		"another customer":             {use(transfer(g.ofSH)), orgtree.ErrApproval},
		"without using the approval":   {transfer(g.ofNJ), orgtree.ErrApproval},
		"the customer, approval taken": {use(transfer(g.ofNJ)), nil},
	})
	g.as("boss.east", use(transfer(g.ofNJ)))
	if c := g.get(g.ofNJ); c.Rep != "he" {
		t.Errorf("the customer's representative is %q", c.Rep)
	}
	wantError(t, "the next transaction", g.tryAs("boss.east", transfer(g.ofNJ)), orgtree.ErrApproval)
	g.as("root", func(tx tx) error { return tx.SetApprovalRules(nil) })
	g.as("boss.east", transfer(g.ofNJ))
	for _, right := range []customer.Right{customer.RightRead, customer.RightApprove, customer.RightAdminister} {
		err := g.tryAs("root", func(tx tx) error { return tx.SetApprovalRules([]orgtree.ApprovalRule{{Right: right}}) })
		wantError(t, "a rule for "+string(right), err, orgtree.ErrInvalid)
	}
}

func TestARaisedLimitOfAnOverlayIsApproved(t *testing.T) {
	g := newGroup(t)
	above := &orgtree.Limit{Amount: 100_000_00, Currency: "CNY"}
	g.as("root", func(tx tx) error {
		return tx.SetApprovalRules([]orgtree.ApprovalRule{{Right: customer.RightSetLimit, Data: customer.Credit, Above: above}})
	})
	limit := func(yuan int64) func(tx) error {
		return func(tx tx) error {
			_, err := tx.SetOverlay(g.ofNJ, orgtree.Overlay{Unit: g.nj, Limit: &orgtree.Limit{Amount: yuan * 100, Currency: "CNY"}})
			return err
		}
	}
	g.expect("boss.east", tries{"up to the amount": {limit(100_000), nil}, "above it": {limit(100_001), orgtree.ErrApproval}})
	id := g.approved("boss.east", "boss.two", orgtree.Approval{Right: customer.RightSetLimit, Data: customer.Credit, Customer: g.ofNJ, Amount: &orgtree.Limit{Amount: 300_000_00, Currency: "CNY"}})
	g.as("boss.east", func(tx tx) error {
		if _, err := tx.Use(id, customer.RightSetLimit, g.ofNJ); err != nil {
			return err
		}
		return limit(300_000)(tx)
	})
	g.expect("boss.east", tries{"lower, though above the amount": {limit(200_000), nil}, "higher": {limit(300_001), orgtree.ErrApproval}})
	g.viewAs("boss.east", func(r *orgtree.Reader, _ *customer.Reader) error {
		x, err := r.Explain("boss.east", customer.RightSetLimit, customer.Credit, g.ofNJ)
		if err != nil {
			return err
		}
		if text := x.Text(language.English); !x.Allowed || x.Approval == nil || !strings.HasSuffix(text, "\nAbove 100000.00 CNY, a second person must approve it first.") {
			t.Errorf("the explanation is %s", text)
		}
		if text := x.Text(language.SimplifiedChinese); !strings.HasSuffix(text, "\n超过100000.00 CNY须先经第二人审批。") {
			t.Errorf("the explanation is %s", text)
		}
		return nil
	})
}

// What was approved is void where it can't be done any more.
func TestAnApprovalIsUsedByWhoStillMay(t *testing.T) {
	g := newGroup(t)
	ask := orgtree.Approval{Right: customer.RightSetLimit, Data: customer.Credit, Customer: g.ofNJ}
	use := func(id orgtree.ApprovalID) func(tx) error {
		return func(tx tx) error { _, err := tx.Use(id, customer.RightSetLimit, g.ofNJ); return err }
	}
	one, two := g.approved("boss.east", "boss.two", ask), g.approved("boss.two", "root", ask)
	own := g.grantOf("boss.east")
	g.as("root", func(tx tx) error { return tx.Revoke(own) })
	wantError(t, "using it after one's grant was revoked", g.tryAs("boss.east", use(one)), orgtree.ErrNotFound)
	g.as("root", func(tx tx) error { // the customer goes out of sight
		_, err := tx.customers.Assign(g.ofNJ, g.north, "")
		return err
	})
	wantError(t, "using it for a customer that left", g.tryAs("boss.two", use(two)), orgtree.ErrNotFound)
	g.setClock(start.Add(7 * 24 * time.Hour))
	wantError(t, "using it when it is void", g.tryAs("root", use(two)), orgtree.ErrState)
}

// A deputy's deputy has nothing of the first, and a delegation ends in the midst of work
// with its last instant, whoever made it.
func TestADelegationGoesOneStepAndEnds(t *testing.T) {
	g := newGroup(t)
	end := start.Add(time.Hour)
	for from, to := range map[string]string{"boss.east": "clerk.nj", "clerk.nj": "clerk.sh"} {
		g.as(from, func(tx tx) error {
			_, err := tx.Delegate(orgtree.Delegation{From: from, To: to, End: end})
			return err
		})
	}
	if !g.sees("clerk.nj", g.ofSH) || !g.sees("clerk.sh", g.ofNJ) {
		t.Error("a delegation shows nothing")
	}
	move := func(tx tx) error {
		_, err := tx.Transfer(g.ofNJ, orgtree.Destination{KeepUnit: true, Rep: "he"})
		return err
	}
	g.expect("clerk.nj", tries{"the deputy": {move, nil}})
	g.expect("clerk.sh", tries{"the deputy's deputy": {move, customer.ErrDenied}})
	g.setClock(end.Add(-time.Microsecond))
	g.expect("clerk.nj", tries{"at the last instant": {move, nil}})
	g.setClock(end)
	g.expect("clerk.nj", tries{"after it": {move, customer.ErrDenied}})
	if g.sees("clerk.nj", g.ofSH) {
		t.Error("the delegation outlasts its end")
	}
}

// A deputy of who administers the book is gone when that is over: he makes himself neither
// a further delegation nor a wider role.
func TestADeputyKeepsNothing(t *testing.T) {
	g := newGroup(t)
	g.as("root", func(tx tx) error {
		_, err := tx.Delegate(orgtree.Delegation{From: "root", To: "clerk.nj", End: start.Add(time.Hour)})
		return err
	})
	delegate := func(to string) func(tx) error {
		return func(tx tx) error {
			_, err := tx.Delegate(orgtree.Delegation{From: "root", To: to, End: start.AddDate(10, 0, 0)})
			return err
		}
	}
	widen := func(role string) func(tx) error {
		return func(tx tx) error {
			_, err := tx.SetRole(orgtree.Role{Name: role, Permissions: permissions(orgtree.AnyRight)})
			return err
		}
	}
	g.expect("clerk.nj", tries{
		"a longer delegation to himself": {delegate("clerk.nj"), customer.ErrDenied},
		"one to another":                 {delegate("boss.two"), nil},
		"a wider role of his own":        {widen("clerk"), customer.ErrDenied},
		"a wider role of another":        {widen("boss"), nil},
	})
	g.expect("root", tries{"root's own delegation": {delegate("clerk.nj"), nil}, "root's own role": {widen("all"), nil}})
}

// Quotas are set from above: who is bound doesn't lift them.
func TestNobodyLiftsHisOwnQuota(t *testing.T) {
	g := newGroup(t)
	g.as("root", func(tx tx) error {
		_, err := tx.SetRole(orgtree.Role{Name: "keeper", Permissions: permissions(customer.RightAdminister)})
		return err
	})
	g.join("keeper.nj", orgtree.Grant{Role: "keeper", Scope: orgtree.Scope{Unit: g.nj}})
	g.join("keeper.east", orgtree.Grant{Role: "keeper", Scope: orgtree.Scope{Unit: g.east}})
	g.quotaOf(g.nj, 5, 2)
	set := func(unit customer.UnitID, quota, rep int64, code string) func(tx) error {
		return func(tx tx) error {
			u, err := tx.Unit(unit)
			if err != nil {
				return err
			}
			u.Quota, u.RepQuota, u.Code = quota, rep, code
			_, err = tx.UpdateUnit(u)
			return err
		}
	}
	g.expect("keeper.nj", tries{
		"lifting it":              {set(g.nj, 0, 2, "NJ"), customer.ErrDenied},
		"raising it":              {set(g.nj, 6, 2, "NJ"), customer.ErrDenied},
		"raising representatives": {set(g.nj, 5, 9, "NJ"), customer.ErrDenied},
		"another code":            {set(g.nj, 5, 2, "NANJING"), nil},
	})
	g.expect("keeper.east", tries{"from above": {set(g.nj, 0, 0, "NJ"), nil}, "its own": {set(g.east, 9, 0, "EAST"), customer.ErrDenied}})
}

// race runs f for 0 to n-1 at once.
func race(n int, f func(i int)) {
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { f(i) })
	}
	all.Wait()
}

// Sixty-four clerks at the edge of both quotas, while a branch with customers of its own is
// moved below the bounded unit and back.
func TestSixtyFourWritersAtTheEdgeOfAQuota(t *testing.T) {
	b := newBook(t)
	r := newRegion(b, orgtree.Sharing{})
	outside := b.unit("OUT", 0)
	b.many(5, outside, "")
	b.quotaOf(r.east, 12, 0)
	b.update(func(tx tx) error { return tx.SetRepQuota("wang", 8) })
	moved := func(to customer.UnitID) func(tx) error {
		return func(tx tx) error { _, err := tx.MoveUnit(outside, to, time.Time{}); return err }
	}
	race(64, func(i int) {
		rep := []string{"wang", ""}[i%2]
		place := func(tx tx) error {
			_, err := tx.customers.Create(customer.Draft{Name: "n", Owner: []customer.UnitID{r.shanghai, r.hangzhou, outside}[i%3], Rep: rep})
			return err
		}
		switch {
		case i%16 == 7:
			place = moved(r.east)
		case i%16 == 15:
			place = moved(0)
		}
		if err := b.try(place); err != nil && !errors.Is(err, orgtree.ErrQuota) {
			t.Error(err)
		}
	})
	var reps int64
	b.view(func(_ *orgtree.Reader, customers *customer.Reader) (err error) {
		reps, err = customers.RepCount("wang")
		return err
	})
	if n := b.count(r.east); n > 12 || reps > 8 {
		t.Errorf("%d in the branch of at most 12, %d for wang of at most 8", n, reps)
	}
	b.verify()
}
