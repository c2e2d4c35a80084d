package credit_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage/bitset"
)

// decide checks an order of so many yuan.
func (d *desk) decide(id customer.ID, n int64) (decision credit.Decision) {
	d.t.Helper()
	d.view(func(r *credit.Reader) (err error) {
		decision, err = r.Check(credit.Request{Key: "what if", Customer: id, Amount: yuan(n)})
		return err
	})
	return decision
}

func TestStepsOfTheCheck(t *testing.T) {
	late := int64(0)
	d := newDesk(t, credit.Options{Control: credit.ControlOptions{
		DaysLate: func(*credit.Reader, customer.ID) (int64, bool, error) { return late, late > 0, nil },
	}})
	d.policy(credit.Policy{
		MarginDays: 3,
		Steps: []credit.Step{
			{Kind: credit.Utilisation, Above: 50, Outcome: credit.Warn},
			{Kind: credit.Utilisation, Above: 100, Outcome: credit.Hold},
			{Kind: credit.Utilisation, Above: 120, Outcome: credit.Stop},
			{Kind: credit.OldestOverdue, Above: 30, Outcome: credit.Hold},
			{Kind: credit.LargestDocument, Above: 500_00, Currency: money.CNY, Outcome: credit.Warn},
			{Kind: credit.PaymentBehaviour, Above: 20, Outcome: credit.Stop},
		},
		WithoutLimit: credit.Hold,
	})
	id, none := d.customer(0), d.customer(0)
	d.limit(credit.OfCustomer(id), 1000)
	want := func(what string, who customer.ID, n int64, outcome credit.Outcome, steps ...credit.StepKind) {
		t.Helper()
		decision := d.decide(who, n)
		var found []credit.StepKind
		for _, f := range decision.Findings {
			found = append(found, f.Step)
		}
		if decision.Outcome != outcome || !sameSteps(found, steps) {
			t.Errorf("%s: %s by %v, want %s by %v", what, decision.Outcome, decision.Findings, outcome, steps)
		}
	}
	want("exactly 50 percent", id, 500, credit.Pass)
	want("above 50 percent, and a large document", id, 501, credit.Warn, credit.Utilisation, credit.LargestDocument)
	want("above 100 percent", id, 1001, credit.Hold, credit.Utilisation, credit.LargestDocument)
	want("above 120 percent", id, 1201, credit.Stop, credit.Utilisation, credit.LargestDocument)
	want("no limit anywhere", none, 1, credit.Hold, credit.Unlimited)
	// Due on March 2nd; with 3 days of margin it is more than 30 days overdue from April
	// 5th on, the 34th day.
	d.invoice("i", id, yuan(100), 0)
	d.setDay("2026-04-04")
	want("33 days", id, 1, credit.Pass)
	d.setDay("2026-04-05")
	want("34 days", id, 1, credit.Hold, credit.OldestOverdue)
	late = 20
	want("20 days late as a rule", id, 1, credit.Hold, credit.OldestOverdue)
	late = 21
	want("21 days late as a rule", id, 1, credit.Stop, credit.OldestOverdue, credit.PaymentBehaviour)
}

func sameSteps(a, b []credit.StepKind) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func TestUtilisationIsExact(t *testing.T) {
	d := newDesk(t, credit.Options{})
	id := d.customer(0)
	// The limit is 3 fen, 80 percent of it 2.4: 2 fen pass, 3 are 100 percent, and warn.
	d.do(func(tx deskTx) error {
		return tx.SetLimit(credit.OfCustomer(id), credit.Limit{Amount: money.Amount{Minor: 3, Currency: money.CNY}})
	})
	for minor, want := range map[int64]credit.Outcome{2: credit.Pass, 3: credit.Warn, 4: credit.Stop} {
		var got credit.Decision
		d.view(func(r *credit.Reader) (err error) {
			got, err = r.Check(credit.Request{Key: "k", Customer: id, Amount: money.Amount{Minor: minor, Currency: money.CNY}})
			return err
		})
		if got.Outcome != want {
			t.Errorf("%d fen: %s, want %s", minor, got.Outcome, want)
		}
	}
	// A limit of 10¹⁷ fen and an exposure of the same: the products need more than 64 bits.
	d.limit(credit.OfCustomer(id), 1e15)
	if got := d.decide(id, 1e15); got.Outcome != credit.Warn {
		t.Errorf("all of a large limit: %+v", got)
	}
	if got := d.decide(id, 1e15+1); got.Outcome != credit.Stop {
		t.Errorf("more than a large limit: %+v", got)
	}
}

func TestHeldDocumentWaitsForAnOverride(t *testing.T) {
	d := newDesk(t, credit.Options{Control: credit.ControlOptions{Org: treeOf(nil)}})
	d.policy(credit.Policy{
		Steps:         []credit.Step{{Kind: credit.Utilisation, Above: 100, Outcome: credit.Hold}},
		OverrideRoles: []string{"boss/credit"},
		OverrideFor:   48 * time.Hour,
	})
	id := d.customer(0)
	d.limit(credit.OfCustomer(id), 1000)
	q := credit.Request{Key: "SO", Customer: id, Amount: yuan(1200), Stage: credit.Ordered}
	v, err := d.reserve(q)
	if err != nil || v.State != credit.Held || v.Open != 0 {
		t.Fatalf("reserve: %+v, %v", v, err)
	}
	d.wantUsed("held takes nothing", credit.OfCustomer(id), 0)
	deliver := func() error {
		return d.try(func(tx deskTx) error {
			_, err := tx.Pass("SO", credit.Request{Key: "D", Amount: yuan(1200), Stage: credit.Delivered})
			return err
		})
	}
	wantErr(t, "a held order delivers nothing", deliver(), credit.ErrHeld)
	until := d.clock().Add(24 * time.Hour)
	good := credit.Override{Customer: id, Key: "SO", Steps: []credit.StepKind{credit.Utilisation}, Amount: yuan(200), Role: "boss/credit", Why: "paid by Friday", Until: until}
	override := func(actor string, change func(*credit.Override)) error {
		o := good
		change(&o)
		return d.tryAs(actor, func(tx deskTx) error { _, err := tx.Override(o); return err })
	}
	wantErr(t, "without the role", override("li", func(*credit.Override) {}), credit.ErrRole)
	wantErr(t, "in another role", override("boss", func(o *credit.Override) { o.Role = "boss/sales" }), credit.ErrRole)
	wantErr(t, "without a reason", override("boss", func(o *credit.Override) { o.Why = " " }), credit.ErrInvalid)
	wantErr(t, "for too long", override("boss", func(o *credit.Override) { o.Until = until.Add(25 * time.Hour) }), credit.ErrInvalid)
	if err := override("boss", func(o *credit.Override) { o.Amount = yuan(199) }); err != nil {
		t.Fatal(err)
	}
	if v, err := d.reserve(q); err != nil || v.State != credit.Held {
		t.Errorf("199 beyond the limit are not enough for 200: %+v, %v", v, err)
	}
	if err := override("boss", func(o *credit.Override) { o.Amount = yuan(1) }); err != nil {
		t.Fatal(err)
	}
	v, err = d.reserve(q)
	if err != nil || v.State != credit.Open || v.Findings[0].Outcome != credit.Warn || v.Findings[0].Override == 0 {
		t.Errorf("199 and 1 are: %+v, %v", v, err)
	}
	if err := deliver(); err != nil {
		t.Error(err)
	}
	if got := d.decide(id, 1); got.Outcome != credit.Hold {
		t.Errorf("another document: %+v", got)
	}
	// An override of all documents, until it ends or is revoked.
	for _, end := range []func(credit.OverrideID){
		func(credit.OverrideID) { d.pass(24 * time.Hour) },
		func(o credit.OverrideID) { d.do(func(tx deskTx) error { return tx.Revoke(o) }) },
	} {
		var o *credit.Override
		err := d.tryAs("boss", func(tx deskTx) (err error) {
			o, err = tx.Override(credit.Override{Customer: id, Role: "boss/credit", Why: "fair", Until: d.clock().Add(24 * time.Hour)})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := d.decide(id, 5000); got.Outcome != credit.Warn {
			t.Errorf("overridden: %+v", got)
		}
		end(o.ID)
		if got := d.decide(id, 1); got.Outcome != credit.Hold {
			t.Errorf("after its end: %+v", got)
		}
	}
	d.verify()
}

func TestApprovalTakesFourEyes(t *testing.T) {
	d := newDesk(t, credit.Options{Control: credit.ControlOptions{Org: treeOf(nil)}})
	d.policy(credit.Policy{LimitRules: []credit.ApprovalRule{
		{UpTo: 1000_00}, // automatic
		{UpTo: 5000_00, Role: "", Approvers: 1},
		{Role: "", Approvers: 2},
	}})
	id := d.customer(0)
	s := credit.OfCustomer(id)
	d.limit(s, 1000)
	wantErr(t, "above the automatic bound", d.try(func(tx deskTx) error { return tx.SetLimit(s, credit.Limit{Amount: yuan(1001)}) }), credit.ErrApproval)
	wantErr(t, "no limit at all", d.try(func(tx deskTx) error { return tx.RemoveLimit(s, credit.Limit{}) }), credit.ErrApproval)
	propose := func(n int64) (a *credit.Approval) {
		t.Helper()
		d.do(func(tx deskTx) (err error) {
			a, err = tx.Propose(credit.Proposal{Scope: s, Limit: &credit.Limit{Amount: yuan(n)}, Why: "grows"})
			return err
		})
		return a
	}
	approve := func(actor string, id credit.ApprovalID) error {
		return d.tryAs(actor, func(tx deskTx) error { _, err := tx.Approve(id, "fine"); return err })
	}
	limit := func(want int64) {
		t.Helper()
		if rooms := d.rooms(id, yuan(1)); rooms[0].Limit != yuan(want) {
			t.Errorf("the limit is %v, want %d", rooms[0].Limit, want)
		}
	}
	if a := propose(900); a.State != credit.Approved {
		t.Errorf("within the automatic bound: %+v", a)
	}
	limit(900)
	one, two := propose(5000), propose(5001)
	if one.Needed != 1 || two.Needed != 2 || one.State != credit.Pending {
		t.Errorf("routed: %+v, %+v", one, two)
	}
	wantErr(t, "by who asked", approve("li", one.ID), credit.ErrFourEyes)
	if err := approve("wang", two.ID); err != nil {
		t.Fatal(err)
	}
	wantErr(t, "twice", approve("wang", two.ID), credit.ErrFourEyes)
	limit(900)
	if err := approve("zhao", two.ID); err != nil {
		t.Fatal(err)
	}
	limit(5001)
	wantErr(t, "decided", approve("sun", two.ID), credit.ErrDecided)
	wantErr(t, "changed since", approve("sun", one.ID), credit.ErrConflict)
	three := propose(9000)
	if err := d.tryAs("sun", func(tx deskTx) error { _, err := tx.Reject(three.ID, "no"); return err }); err != nil {
		t.Fatal(err)
	}
	d.view(func(r *credit.Reader) error {
		a, err := r.Approval(three.ID)
		if err != nil || a.State != credit.Rejected || len(a.Votes) != 1 || a.Votes[0].Actor != "sun" || a.Votes[0].Comment != "no" {
			t.Errorf("rejected: %+v, %v", a, err)
		}
		pending := 0
		for a, err := range r.PendingApprovals("") {
			if err != nil || a.ID != one.ID {
				t.Errorf("pending: %+v, %v", a, err)
			}
			pending++
		}
		if pending != 1 {
			t.Errorf("%d are pending", pending)
		}
		return nil
	})
	d.limit(s, 800) // less needs nobody
	limit(800)
	d.verify()
}

// Up to 1,000 overrides are automatic. Of a limit of nothing: 600 beyond it and 400 more are
// 1,000 for every document, 401 more are not; but beyond it for one document doesn't add to
// beyond it for another. Documents let through whole go by what they come to, together. What
// lets documents through that are late, or any of them, isn't bounded by the 1 beyond a limit.
func TestOverridesAreRoutedByWhatTheyLetThrough(t *testing.T) {
	use := []credit.StepKind{credit.Utilisation}
	beyond := func(key string, n int64) credit.Override {
		return credit.Override{Key: key, Steps: use, Amount: yuan(n)}
	}
	for name, c := range map[string]struct {
		before []credit.Override
		asked  credit.Override
		routed bool
	}{
		"all that is automatic":      {nil, beyond("", 1000), false},
		"more than that":             {nil, beyond("", 1001), true},
		"in two":                     {[]credit.Override{beyond("", 600)}, beyond("", 400), false},
		"more in two":                {[]credit.Override{beyond("", 600)}, beyond("", 401), true},
		"more in two for one":        {[]credit.Override{beyond("", 600)}, beyond("900", 401), true},
		"one and another":            {[]credit.Override{beyond("900", 600)}, beyond("100", 600), false},
		"a small one whole":          {nil, credit.Override{Key: "900"}, false},
		"a large one whole":          {nil, credit.Override{Key: "1001"}, true},
		"two whole":                  {[]credit.Override{{Key: "900"}}, credit.Override{Key: "100"}, false},
		"three whole":                {[]credit.Override{{Key: "900"}, {Key: "100"}}, credit.Override{Key: "1"}, true},
		"the same whole":             {[]credit.Override{{Key: "900"}}, credit.Override{Key: "900"}, false},
		"whole, by a small amount":   {nil, credit.Override{Key: "1001", Amount: yuan(1)}, true},
		"no document yet":            {nil, credit.Override{Key: "nothing"}, true},
		"everything":                 {nil, credit.Override{}, true},
		"late ones, by a small sum":  {nil, credit.Override{Steps: []credit.StepKind{credit.OldestOverdue}, Amount: yuan(1)}, true},
		"everything, by a small sum": {nil, credit.Override{Amount: yuan(1)}, true},
	} {
		d := newDesk(t, credit.Options{Control: credit.ControlOptions{Org: treeOf(nil)}})
		d.policy(credit.Policy{
			Steps:         []credit.Step{{Kind: credit.Utilisation, Above: 100, Outcome: credit.Hold}},
			OverrideRules: []credit.ApprovalRule{{UpTo: 1000_00}, {Approvers: 1}},
		})
		id := d.customer(0)
		d.limit(credit.OfCustomer(id), 0)
		for _, n := range []int64{1, 100, 900, 1001} {
			if err := d.order(fmt.Sprint(n), id, n); err != nil {
				t.Fatal(err)
			}
		}
		override := func(o credit.Override) error {
			o.Customer, o.Why, o.Until = id, "fair", d.clock().Add(time.Hour)
			return d.try(func(tx deskTx) error { _, err := tx.Override(o); return err })
		}
		for _, o := range c.before {
			if err := override(o); err != nil {
				t.Fatalf("%s: before it: %v", name, err)
			}
		}
		err := override(c.asked)
		if c.routed {
			wantErr(t, name, err, credit.ErrApproval)
		} else if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A document of 900 that was let through whole doesn't take more along.
func TestAnOverrideDoesNotGrowWithItsDocument(t *testing.T) {
	d := newDesk(t, credit.Options{Control: credit.ControlOptions{Org: treeOf(nil)}})
	d.policy(credit.Policy{Steps: []credit.Step{{Kind: credit.Utilisation, Above: 100, Outcome: credit.Hold}}})
	id := d.customer(0)
	d.limit(credit.OfCustomer(id), 0)
	q := credit.Request{Key: "SO", Customer: id, Amount: yuan(900), Stage: credit.Ordered}
	if v, err := d.reserve(q); err != nil || v.State != credit.Held {
		t.Fatal(v, err)
	}
	d.do(func(tx deskTx) error {
		o, err := tx.Override(credit.Override{Customer: id, Key: "SO", Document: yuan(5000), Why: "fair", Until: d.clock().Add(time.Hour)})
		if err == nil && o.Document != yuan(900) {
			t.Errorf("it covers %s, want 900.00 CNY", o.Document)
		}
		return err
	})
	if v, err := d.reserve(q); err != nil || v.State != credit.Open {
		t.Errorf("let through: %+v, %v", v, err)
	}
	change := func(n int64) error {
		return d.try(func(tx deskTx) error { _, err := tx.Change("SO", yuan(n), 0); return err })
	}
	wantErr(t, "more of it", change(901), credit.ErrHeld)
	if err := change(800); err != nil {
		t.Error(err)
	}
	if err := change(900); err != nil {
		t.Errorf("back to what it was: %v", err)
	}
	d.verify()
}

// Rules by which amounts beyond a bound would be automatic are a mistake.
func TestRulesThatAskNobodyBeyondABoundAreRefused(t *testing.T) {
	d := newDesk(t, credit.Options{})
	set := func(rules ...credit.ApprovalRule) error {
		limits := d.try(func(tx deskTx) error { return tx.SetPolicy(credit.Policy{LimitRules: rules}) })
		overrides := d.try(func(tx deskTx) error { return tx.SetPolicy(credit.Policy{OverrideRules: rules}) })
		if (limits == nil) != (overrides == nil) {
			t.Errorf("%+v: of limits %v, of overrides %v", rules, limits, overrides)
		}
		return limits
	}
	wantErr(t, "only automatic", set(credit.ApprovalRule{UpTo: 1000_00}), credit.ErrInvalid)
	wantErr(t, "automatic above", set(credit.ApprovalRule{UpTo: 1000_00, Approvers: 1}, credit.ApprovalRule{UpTo: 5000_00}), credit.ErrInvalid)
	for _, good := range [][]credit.ApprovalRule{nil, {{}}, {{Approvers: 1}}, {{UpTo: 1000_00}, {UpTo: 5000_00, Approvers: 1}}, {{UpTo: 1000_00}, {Approvers: 2}}} {
		if err := set(good...); err != nil {
			t.Errorf("%+v: %v", good, err)
		}
	}
}

// glass is an actor who sees some customers, and of those not some fields.
type glass struct {
	seen   map[customer.ID]bool
	mask   customer.Mask
	denied customer.Right
}

func (g *glass) Sees(c *customer.Customer) (bool, error)        { return g.seen[c.ID], nil }
func (g *glass) Mask(*customer.Customer) (customer.Mask, error) { return g.mask, nil }
func (g *glass) WithinUnmasked(string) bitset.Source            { return g.Within() }
func (g *glass) Within() bitset.Source {
	set := &bitset.Set{}
	for id := range g.seen {
		set.Add(uint64(id))
	}
	return set
}

func (g *glass) Allows(right customer.Right, data customer.Data, c *customer.Customer) error {
	if c != nil && !g.seen[c.ID] {
		return customer.ErrNotFound
	}
	if right == g.denied {
		return &customer.AccessError{Actor: "glass", Right: right, Data: data}
	}
	return nil
}

func TestExposureIsComputedInFullAndShownByMask(t *testing.T) {
	d := newDesk(t, credit.Options{})
	mine, other := d.customer(0), d.customer(0)
	g := d.group("G", mine, other)
	d.limit(credit.OfGroup(g), 1000)
	if err := d.order("o", other, 900); err != nil {
		t.Fatal(err)
	}
	mask, err := customer.NewMask("exposure")
	if err != nil {
		t.Fatal(err)
	}
	access := &glass{seen: map[customer.ID]bool{mine: true}, mask: mask}
	d.access = access
	_, err = d.reserve(credit.Request{Key: "m", Customer: mine, Amount: yuan(101)})
	refused := (*credit.RefusedError)(nil)
	if !errors.As(err, &refused) {
		t.Fatalf("900 of a customer out of sight count: %v", err)
	}
	if room := refused.Decision.Rooms[0]; room != (credit.Room{Scope: credit.OfGroup(g), Hidden: true}) || refused.Decision.Findings[0].Value != 0 {
		t.Errorf("what others use is told: %+v", refused.Decision)
	}
	if err := d.order("m", mine, 100); err != nil {
		t.Error(err)
	}
	d.view(func(r *credit.Reader) error {
		if list, err := r.Exposure(credit.OfCustomer(mine)); len(list) > 0 || err != nil {
			t.Errorf("masked exposure: %v, %v", list, err)
		}
		if _, err := r.Reservation("o"); !errors.Is(err, credit.ErrNotFound) {
			t.Errorf("a reservation out of sight: %v", err)
		}
		members := 0
		for id, err := range r.Members(g) {
			if members++; id != mine || err != nil {
				t.Errorf("members: %d, %v", id, err)
			}
		}
		return nil
	})
	wantErr(t, "a customer out of sight", d.order("x", other, 1), credit.ErrNotFound)
	for right, do := range map[customer.Right]func(deskTx) error{
		customer.RightReserve:  func(tx deskTx) error { _, err := tx.Release("m"); return err },
		customer.RightSetLimit: func(tx deskTx) error { return tx.SetLimit(credit.OfCustomer(mine), credit.Limit{Amount: yuan(1)}) },
		customer.RightOverride: func(tx deskTx) error {
			_, err := tx.Override(credit.Override{Customer: mine, Why: "x", Until: d.clock().Add(time.Hour)})
			return err
		},
		customer.RightAdminister: func(tx deskTx) error { return tx.SetPolicy(credit.Policy{}) },
	} {
		access.denied = right
		wantErr(t, string(right), d.try(do), customer.ErrDenied)
	}
}

func TestErasureReleasesCreditAndForgetsFreeText(t *testing.T) {
	d := newDesk(t, credit.Options{})
	id := d.customer(0)
	s := credit.OfCustomer(id)
	d.do(func(tx deskTx) error {
		_, err := tx.Override(credit.Override{Customer: id, Why: "Ms Zhou is ill", Until: d.clock().Add(time.Hour)})
		return errors.Join(err, tx.SetLimit(s, credit.Limit{Amount: yuan(1000), Note: "Ms Zhou"}))
	})
	if err := d.order("o", id, 10); err != nil {
		t.Fatal(err)
	}
	d.do(func(tx deskTx) error { _, err := tx.customers.Erase(id); return err })
	d.wantUsed("erased", s, 0)
	d.view(func(r *credit.Reader) error {
		line, err := r.Line(s)
		if err != nil || len(line.Limits) != 1 || line.Limits[0].Note != "" {
			t.Errorf("the limits after: %+v, %v", line, err)
		}
		for v, err := range r.LineHistory(s) {
			if err != nil || v.Limits[0].Note != "" {
				t.Errorf("a former version after: %+v, %v", v, err)
			}
		}
		return nil
	})
	d.verify()
}

func TestFindingsHaveUnits(t *testing.T) {
	group := credit.OfGroup(7)
	for _, c := range []struct {
		finding credit.Finding
		want    string
	}{
		{credit.Finding{Outcome: credit.Stop, Step: credit.Utilisation, Scope: group, Value: 362, Above: 100}, "stop: utilisation of group 7 is 362, above 100 %"},
		{credit.Finding{Outcome: credit.Hold, Step: credit.OldestOverdue, Value: 61, Above: 60, Override: 3}, "hold: oldest overdue is 61, above 60 days (override 3)"},
		{credit.Finding{Outcome: credit.Warn, Step: credit.PaymentBehaviour, Value: 9, Above: 7}, "warn: payment behaviour is 9, above 7 days"},
		{credit.Finding{Outcome: credit.Warn, Step: credit.DunningLevel, Value: 2, Above: 1}, "warn: dunning level is 2, above 1"},
		{credit.Finding{Outcome: credit.Stop, Step: credit.Utilisation, Scope: group, Hidden: true}, "stop: utilisation of group 7"},
	} {
		if got := c.finding.String(); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}
