package clientele_test

import (
	"errors"
	"testing"
	"time"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/dedupe"
	"github.com/clientele-go/clientele/orgtree"
	"github.com/clientele-go/clientele/storage/bitset"
	"github.com/clientele-go/clientele/tagging"
)

// proofs are what the kit's book has of access itself.
type proofs struct {
	requests   map[customer.ID]orgtree.ApprovalID
	approved   map[customer.ID]orgtree.ApprovalID
	delegation orgtree.DelegationID
	campaign   orgtree.CampaignID // reviewed by root
	own        orgtree.CampaignID // reviewed by the system
}

// ask plants requests for approval about both customers' contacts, which are hidden from
// the clerk, a pair that may be one customer, a delegation and a campaign.
func (k *kit) ask(tx *clientele.Tx) error {
	k.requests, k.approved = map[customer.ID]orgtree.ApprovalID{}, map[customer.ID]orgtree.ApprovalID{}
	for _, id := range []customer.ID{k.seen, k.unseen} {
		for _, requests := range []map[customer.ID]orgtree.ApprovalID{k.requests, k.approved} {
			a, err := tx.Org.Ask(orgtree.Approval{Right: customer.RightUpdate, Data: customer.Contacts, Customer: id, Subject: "zkanari moves", Payload: []byte("zkanari payload")})
			if err != nil {
				return err
			}
			requests[id] = a.ID
		}
	}
	if _, err := tx.Dedupe.Decide(k.seen, k.unseen, dedupe.Skipped); err != nil {
		return err
	}
	for _, id := range []string{"deputy", clientele.SystemActor} {
		if _, err := tx.Org.SetPrincipal(orgtree.Principal{ID: id}); err != nil {
			return err
		}
	}
	d, err := tx.Org.Delegate(orgtree.Delegation{From: "root", To: "deputy", End: time.Now().Add(time.Hour)})
	if err != nil {
		return err
	}
	c, err := tx.Org.OpenCampaign(orgtree.Campaign{Name: "yearly", Reviewer: "root"})
	if err != nil {
		return err
	}
	own, err := tx.Org.OpenCampaign(orgtree.Campaign{Name: "of the program", Reviewer: clientele.SystemActor})
	if err != nil {
		return err
	}
	k.delegation, k.campaign, k.own = d.ID, c.ID, own.ID
	return nil
}

// approve has a second person approve one request about each customer.
func (k *kit) approve(tx *clientele.Tx) error {
	for _, id := range k.approved {
		if _, err := tx.Org.Approve(id, ""); err != nil {
			return err
		}
	}
	return nil
}

// request returns the request about a customer, of an absent one a number that none has.
func (k *kit) request(id customer.ID) orgtree.ApprovalID {
	if a, found := k.requests[id]; found {
		return a
	}
	return 987_654
}

// other returns one of the two customers that a given one isn't.
func (k *kit) other(id customer.ID) customer.ID {
	if id == k.seen {
		return k.unseen
	}
	return k.seen
}

// deciding is write of a request, whose number errors name.
func deciding(f func(tx *clientele.Tx, id orgtree.ApprovalID) error) row {
	return owning(func(k *kit, tx *clientele.Tx, id customer.ID, _ owed) error { return f(tx, k.request(id)) })
}

// listed is guarded of a list.
func listed[T any](list func(k *kit, tx *clientele.Tx) func(func(T, error) bool)) row {
	return guarded(func(k *kit, tx *clientele.Tx) error { _, err := count(list(k, tx)); return err })
}

var proofRows = map[string]row{
	"orgtree.Reader.ApprovalsOf": read(func(k *kit, tx *clientele.Tx, id customer.ID) (any, error) { return all(tx.Org.ApprovalsOf(id)) }),
	"orgtree.Reader.Approvals": read(func(k *kit, tx *clientele.Tx, id customer.ID) (any, error) {
		return all(tx.Org.Approvals(orgtree.Pending))
	}),
	"orgtree.Reader.Approval": told(func(k *kit, tx *clientele.Tx, id customer.ID) (bool, error) {
		_, err := tx.Org.Approval(k.request(id))
		return true, err
	}),
	"orgtree.Tx.Approve": deciding(func(tx *clientele.Tx, id orgtree.ApprovalID) error { _, err := tx.Org.Approve(id, ""); return err }),
	"orgtree.Tx.Reject":  deciding(func(tx *clientele.Tx, id orgtree.ApprovalID) error { _, err := tx.Org.Reject(id, ""); return err }),
	"orgtree.Tx.Cancel":  deciding(func(tx *clientele.Tx, id orgtree.ApprovalID) error { _, err := tx.Org.Cancel(id); return err }),
	"orgtree.Tx.Ask": write(func(k *kit, tx *clientele.Tx, id customer.ID) error {
		_, err := tx.Org.Ask(orgtree.Approval{Right: customer.RightUpdate, Customer: id})
		return err
	}),
	"orgtree.Tx.Use": owning(func(k *kit, tx *clientele.Tx, id customer.ID, _ owed) error {
		request, found := k.approved[id]
		if !found {
			request = k.request(id)
		}
		_, err := tx.Org.Use(request, customer.RightUpdate, id)
		return err
	}),
	"orgtree.Tx.MergeCustomers": write(func(k *kit, tx *clientele.Tx, id customer.ID) error {
		_, err := tx.Org.MergeCustomers(id, k.other(id))
		return err
	}),
	"orgtree.Tx.UnmergeCustomers": write(func(k *kit, tx *clientele.Tx, id customer.ID) error {
		return tx.Org.UnmergeCustomers(&orgtree.PlacementMerge{Survivor: id, Loser: k.unseen})
	}),
	"orgtree.Tx.Certify": guarded(func(k *kit, tx *clientele.Tx) error {
		return tx.Org.Certify(k.own, 3, orgtree.Confirmed, "")
	}),
	"orgtree.Reader.Certifications": listed(func(k *kit, tx *clientele.Tx) func(func(*orgtree.Certified, error) bool) {
		return tx.Org.Certifications(k.campaign)
	}),
	"orgtree.Reader.HasRole": guarded(func(k *kit, tx *clientele.Tx) error { _, err := tx.Org.HasRole("root", "root"); return err }),
	"orgtree.Reader.CustomersOf": numbered(1, 2, func(k *kit, tx *clientele.Tx) (int64, error) {
		set, err := tx.Org.CustomersOf(k.hq)
		if err != nil {
			return 0, err
		}
		return bitset.Count(set)
	}),
	"orgtree.Reader.Grant":    guarded(func(k *kit, tx *clientele.Tx) error { _, err := tx.Org.Grant(3); return err }),
	"orgtree.Reader.Grants":   listed(func(k *kit, tx *clientele.Tx) func(func(*orgtree.Grant, error) bool) { return tx.Org.Grants() }),
	"orgtree.Reader.GrantsOf": listed(func(k *kit, tx *clientele.Tx) func(func(*orgtree.Grant, error) bool) { return tx.Org.GrantsOf("root") }),
	"orgtree.Reader.GrantsOfRole": listed(func(k *kit, tx *clientele.Tx) func(func(*orgtree.Grant, error) bool) {
		return tx.Org.GrantsOfRole("root")
	}),
	"orgtree.Reader.GrantsAt":     listed(func(k *kit, tx *clientele.Tx) func(func(*orgtree.Grant, error) bool) { return tx.Org.GrantsAt(k.east) }),
	"orgtree.Reader.GrantHistory": listed(func(k *kit, tx *clientele.Tx) func(func(*orgtree.Grant, error) bool) { return tx.Org.GrantHistory(3) }),
	"orgtree.Reader.Delegation":   guarded(func(k *kit, tx *clientele.Tx) error { _, err := tx.Org.Delegation(k.delegation); return err }),
	"orgtree.Reader.Delegations": listed(func(k *kit, tx *clientele.Tx) func(func(*orgtree.Delegation, error) bool) {
		return tx.Org.Delegations()
	}),
	"orgtree.Reader.DelegationsFrom": listed(func(k *kit, tx *clientele.Tx) func(func(*orgtree.Delegation, error) bool) {
		return tx.Org.DelegationsFrom("root")
	}),
	"orgtree.Reader.DelegationsTo": listed(func(k *kit, tx *clientele.Tx) func(func(*orgtree.Delegation, error) bool) {
		return tx.Org.DelegationsTo("deputy")
	}),
	"orgtree.Tx.Delegate": guarded(func(k *kit, tx *clientele.Tx) error {
		_, err := tx.Org.Delegate(orgtree.Delegation{From: "root", To: "viewer", End: time.Now().Add(time.Hour)})
		return err
	}),
	"orgtree.Tx.EndDelegation": guarded(func(k *kit, tx *clientele.Tx) error { return tx.Org.EndDelegation(k.delegation) }),
	"orgtree.Tx.CloseCampaign": guarded(func(k *kit, tx *clientele.Tx) error { _, err := tx.Org.CloseCampaign(k.campaign, false); return err }),
	"orgtree.Tx.SetReviewer":   guarded(func(k *kit, tx *clientele.Tx) error { _, err := tx.Org.SetReviewer(k.campaign, "viewer"); return err }),
	"orgtree.Reader.GrantsKnown": listed(func(k *kit, tx *clientele.Tx) func(func(*orgtree.Grant, error) bool) {
		return tx.Org.GrantsKnown(time.Now())
	}),
	"orgtree.Reader.EffectiveRightsAt": guarded(func(k *kit, tx *clientele.Tx) error {
		_, err := tx.Org.EffectiveRightsAt("root", time.Now())
		return err
	}),

	"dedupe.Reader.CandidatesOf": read(func(k *kit, tx *clientele.Tx, id customer.ID) (any, error) { return tx.Dedupe.CandidatesOf(id) }),
	"dedupe.Reader.CandidatesFor": read(func(k *kit, tx *clientele.Tx, id customer.ID) (any, error) {
		return tx.Dedupe.CandidatesFor(customer.Draft{Name: "Somebody", Phones: []customer.Phone{{Number: "+8613800138777"}}, Emails: []customer.Email{{Address: "zkanari@example.com"}}})
	}),
	"dedupe.Reader.PairsOf": numbered(0, 2, func(k *kit, tx *clientele.Tx) (n int64, err error) {
		for _, id := range []customer.ID{k.seen, k.unseen} {
			one, err := count(tx.Dedupe.PairsOf(id))
			if n += one; err != nil && !errors.Is(err, customer.ErrNotFound) {
				return n, err
			}
		}
		return n, nil
	}),
	"dedupe.Reader.Pair": numbered(0, 1, func(k *kit, tx *clientele.Tx) (int64, error) {
		_, err := tx.Dedupe.Pair(k.seen, k.unseen)
		if errors.Is(err, customer.ErrNotFound) {
			return 0, nil
		}
		return 1, err
	}),
	"dedupe.Reader.Queue":  listed(func(k *kit, tx *clientele.Tx) func(func(*dedupe.Pair, error) bool) { return tx.Dedupe.Queue() }),
	"dedupe.Reader.Runs":   listed(func(k *kit, tx *clientele.Tx) func(func(*dedupe.RunRecord, error) bool) { return tx.Dedupe.Runs() }),
	"dedupe.Reader.Report": guarded(func(k *kit, tx *clientele.Tx) error { _, err := tx.Dedupe.Report("queue", 9); return err }),
	"dedupe.Reader.Preview": read(func(k *kit, tx *clientele.Tx, id customer.ID) (any, error) {
		return tx.Dedupe.Preview(dedupe.Merge{Survivor: id, Losers: []customer.ID{k.other(id)}})
	}),
	"dedupe.Tx.Merge": write(func(k *kit, tx *clientele.Tx, id customer.ID) error {
		_, err := tx.Dedupe.Merge(dedupe.Merge{Survivor: id, Losers: []customer.ID{k.other(id)}})
		return err
	}),
	"dedupe.Tx.Unmerge": write(func(k *kit, tx *clientele.Tx, id customer.ID) error {
		_, _, err := tx.Dedupe.Unmerge(id)
		return err
	}),
	"dedupe.Tx.Withdraw": write(func(k *kit, tx *clientele.Tx, id customer.ID) error {
		_, err := tx.Dedupe.Withdraw(id, k.absent+1)
		if id == k.seen && !errors.Is(err, customer.ErrDenied) {
			return nil // the other one doesn't exist
		}
		return err
	}),
	"dedupe.Tx.Decide": write(func(k *kit, tx *clientele.Tx, id customer.ID) error {
		_, err := tx.Dedupe.Decide(id, k.absent+1, dedupe.Same)
		if id == k.seen && !errors.Is(err, customer.ErrDenied) {
			return nil // the other one doesn't exist
		}
		return err
	}),
}

// What is proved here replaces the reasons that accessorg_test.go gives.
func init() {
	for name, r := range proofRows {
		table[name] = r
	}
}

// TestRecordsOfMergesTellNothingHidden merges two customers that the clerk sees without
// what is hidden of them.
func TestRecordsOfMergesTellNothingHidden(t *testing.T) {
	k := newKit(t)
	var survivor, loser customer.ID
	merge := func(tx *clientele.Tx) error {
		for _, id := range []*customer.ID{&survivor, &loser} {
			c, err := tx.Customers.Create(customer.Draft{Name: "Shown", Owner: k.east, Note: "zkanari note", Aliases: []string{"Zkanari"}})
			if err != nil {
				return err
			}
			*id = c.ID
			if _, err := tx.Org.SetOverlay(c.ID, orgtree.Overlay{Unit: k.north, Note: "zkanari overlay"}); err != nil {
				return err
			}
			if _, err := tx.Tags.Assign(c.ID, tagging.Assignment{Tag: k.vip, Reason: "zkanari reason"}); err != nil {
				return err
			}
		}
		_, err := tx.Dedupe.Merge(dedupe.Merge{Survivor: survivor, Losers: []customer.ID{loser}})
		return err
	}
	if err := k.system.Update(t.Context(), merge); err != nil {
		t.Fatal(err)
	}
	err := k.clerk.View(t.Context(), func(tx *clientele.ReadTx) error {
		one, err := tx.Dedupe.MergeOf(loser)
		if err != nil {
			return err
		}
		list, err := all(tx.Dedupe.Merges(survivor))
		if text := dump(one) + dump(list); leaks(text) != "" {
			t.Errorf("the clerk is told %q: %s", leaks(text), text)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	err = k.stranger.View(t.Context(), func(tx *clientele.ReadTx) error { _, err := tx.Dedupe.MergeOf(loser); return err })
	if !errors.Is(err, customer.ErrNotFound) {
		t.Errorf("who was granted nothing gets %v", err)
	}
}
