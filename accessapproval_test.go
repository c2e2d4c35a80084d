package clientele_test

import (
	"errors"
	"testing"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/dedupe"
	"github.com/clientele-go/clientele/orgtree"
)

// Rules of approval hold in every package: a merge and a limit wait for a second person,
// and are done in the transaction that uses what he said.
func TestAMergeAndALimitWaitForASecondPerson(t *testing.T) {
	ctx := t.Context()
	book, err := clientele.Open(ctx, "", clientele.Options{InMemory: true, TickEvery: -1, Logger: silent})
	must(t, err)
	defer book.Close()
	var one, two, third customer.ID
	must(t, book.System("set up").Update(ctx, func(tx *clientele.Tx) error {
		for _, id := range []*customer.ID{&one, &two, &third} {
			c, err := tx.Customers.Create(customer.Draft{Name: "Heron Trading"})
			if err != nil {
				return err
			}
			*id = c.ID
		}
		if _, err := tx.Org.SetRole(orgtree.Role{Name: "all", Permissions: []orgtree.Permission{{Right: orgtree.AnyRight}}}); err != nil {
			return err
		}
		for _, who := range []string{"zhao", "qian"} {
			if _, err := tx.Org.SetPrincipal(orgtree.Principal{ID: who}); err != nil {
				return err
			}
			if _, err := tx.Org.Give(orgtree.Grant{Principal: who, Role: "all", Scope: orgtree.Scope{All: true}}); err != nil {
				return err
			}
		}
		rules := []orgtree.ApprovalRule{{Right: customer.RightMerge, Data: customer.Identity}, {Right: customer.RightSetLimit, Data: customer.Credit}, {Right: customer.RightErase, Data: customer.Identity}}
		if err := tx.Org.SetApprovalRules(rules); err != nil {
			return err
		}
		return tx.Org.Enforce(true)
	}))
	zhao, qian := book.As(clientele.Actor{ID: "zhao"}), book.As(clientele.Actor{ID: "qian"})
	approved := func(right customer.Right, d customer.Data, of customer.ID) (id orgtree.ApprovalID) {
		t.Helper()
		must(t, zhao.Update(ctx, func(tx *clientele.Tx) error {
			a, err := tx.Org.Ask(orgtree.Approval{Right: right, Data: d, Customer: of})
			if err == nil {
				id = a.ID
			}
			return err
		}))
		must(t, qian.Update(ctx, func(tx *clientele.Tx) error { _, err := tx.Org.Approve(id, ""); return err }))
		return id
	}
	merge := func(loser customer.ID, approvals ...orgtree.ApprovalID) error {
		return zhao.Update(ctx, func(tx *clientele.Tx) error {
			for i, a := range approvals {
				if _, err := tx.Org.Use(a, customer.RightMerge, []customer.ID{one, two}[i]); err != nil {
					return err
				}
			}
			_, err := tx.Dedupe.Merge(dedupe.Merge{Survivor: one, Losers: []customer.ID{loser}})
			return err
		})
	}
	limit := func(approvals ...orgtree.ApprovalID) error {
		return zhao.Update(ctx, func(tx *clientele.Tx) error {
			for _, a := range approvals {
				if _, err := tx.Org.Use(a, customer.RightSetLimit, one); err != nil {
					return err
				}
			}
			return tx.Credit.SetLimit(credit.OfCustomer(one), credit.Limit{Amount: money.Amount{Minor: 100, Currency: money.CNY}})
		})
	}
	refused := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, orgtree.ErrApproval) || !errors.Is(err, customer.ErrDenied) {
			t.Errorf("%s returns %v, want ErrApproval", what, err)
		}
	}
	refused("a merge that nobody approved", merge(two))
	refused("a limit that nobody approved", limit())
	first, second := approved(customer.RightMerge, customer.Identity, one), approved(customer.RightMerge, customer.Identity, two)
	refused("a merge of which one side was approved", merge(two, first))
	refused("a merge with another than was approved", merge(third, first, second))
	must(t, merge(two, first, second))
	must(t, limit(approved(customer.RightSetLimit, customer.Credit, one)))
	refused("the next limit", limit())
	erasure := approved(customer.RightErase, customer.Identity, third)
	must(t, zhao.Update(ctx, func(tx *clientele.Tx) error {
		if _, err := tx.Org.Use(erasure, customer.RightErase, third); err != nil {
			return err
		}
		_, err := tx.Customers.Erase(third)
		return err
	}))
	report, err := book.Verify(ctx, nil)
	must(t, err)
	if !report.OK() {
		t.Errorf("after an erasure that was approved: %+v", report)
	}
}
