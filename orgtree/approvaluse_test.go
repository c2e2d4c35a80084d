package orgtree_test

import (
	"testing"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/orgtree"
)

// Who asks may want an answer sooner than the rule says, but nothing that stands longer.
func TestARequestStandsNoLongerThanItsRuleSays(t *testing.T) {
	g := newGroup(t)
	g.as("root", func(tx tx) error {
		return tx.SetApprovalRules([]orgtree.ApprovalRule{{Right: customer.RightTransfer, Data: customer.Identity, Expires: time.Hour}})
	})
	ask := func(right customer.Right, expires time.Time) func(tx) error {
		return func(tx tx) error {
			_, err := tx.Ask(orgtree.Approval{Right: right, Data: customer.Identity, Customer: g.ofNJ, Expires: expires})
			return err
		}
	}
	g.expect("boss.east", tries{
		"sooner":             {ask(customer.RightTransfer, start.Add(time.Minute)), nil},
		"as the rule says":   {ask(customer.RightTransfer, start.Add(time.Hour)), nil},
		"longer":             {ask(customer.RightTransfer, start.Add(time.Hour+time.Second)), orgtree.ErrDate},
		"where no rule says": {ask(customer.RightUpdate, start.AddDate(1, 0, 0)), nil},
	})
}

// An approval about a customer that was merged is none about its survivor, and one that was
// given before anybody's rights counted counts only if its giver has the right.
func TestAnApprovalIsForWhatItWasGivenFor(t *testing.T) {
	g := newGroup(t)
	rule := orgtree.ApprovalRule{Right: customer.RightTransfer, Data: customer.Identity}
	g.as("root", func(tx tx) error { return tx.SetApprovalRules([]orgtree.ApprovalRule{rule}) })
	ask := orgtree.Approval{Right: customer.RightTransfer, Data: customer.Identity, Customer: g.ofNJ}
	ofLoser := g.approved("boss.east", "boss.two", ask)
	ask.Data = customer.Contacts // another kind of data
	ofContacts := g.approved("boss.east", "boss.two", ask)
	transfer := func(approval orgtree.ApprovalID, of, id customer.ID) func(tx) error {
		return func(tx tx) error {
			if _, err := tx.Use(approval, customer.RightTransfer, of); err != nil {
				return err
			}
			_, err := tx.Transfer(id, orgtree.Destination{KeepUnit: true, Rep: "he"})
			return err
		}
	}
	g.expect("boss.east", tries{"for another kind of data": {transfer(ofContacts, g.ofNJ, g.ofNJ), orgtree.ErrApproval}})
	g.update(func(tx tx) error {
		_, err := tx.customers.Merge(g.ofSH, []customer.ID{g.ofNJ}, func(s, _ *customer.Customer) (*customer.Customer, error) { return s, nil })
		return err
	})
	g.expect("boss.east", tries{
		"the survivor named":     {transfer(ofLoser, g.ofSH, g.ofSH), orgtree.ErrInvalid},
		"the survivor changed":   {transfer(ofLoser, g.ofNJ, g.ofSH), orgtree.ErrApproval},
		"the merged one changed": {transfer(ofLoser, g.ofNJ, g.ofNJ), customer.ErrStatus},
	})

	g.as("root", func(tx tx) error { return tx.Enforce(false) })
	ask = orgtree.Approval{Right: customer.RightTransfer, Data: customer.Identity, Customer: g.ofSH}
	byAnybody := g.approved("boss.east", "passer-by", ask)
	g.as("root", func(tx tx) error { return tx.Enforce(true) })
	g.expect("boss.east", tries{"approved by who may not": {transfer(byAnybody, g.ofSH, g.ofSH), orgtree.ErrState}})
}
