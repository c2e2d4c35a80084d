package clientele_test

import (
	"errors"
	"testing"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/dedupe"
	"github.com/clientele-go/clientele/orgtree"
)

// Who a row with nothing but a number is linked to tells whose number it is.
func TestLinkAndRunNeedTheSightOfWhatIsCompared(t *testing.T) {
	ctx := t.Context()
	book, err := clientele.Open(ctx, "", clientele.Options{InMemory: true})
	must(t, err)
	defer book.Close()
	list := book.System("test")
	must(t, list.Update(ctx, func(tx *clientele.Tx) error {
		_, err := tx.Customers.Create(customer.Draft{Name: "Zkanari Ltd", Aliases: []string{"Hidden Holdings"}, Phones: []customer.Phone{{Number: "+8613800138777"}}})
		return err
	}))
	hidden := func(fields ...string) customer.Mask {
		m, err := customer.NewMask(fields...)
		must(t, err)
		return m
	}
	must(t, list.Update(ctx, func(tx *clientele.Tx) error {
		for _, r := range []string{"root", "reviewer"} {
			if _, err := tx.Org.SetRole(orgtree.Role{Name: r, Permissions: []orgtree.Permission{{Right: orgtree.AnyRight}}}); err != nil {
				return err
			}
		}
		for _, g := range []orgtree.Grant{
			{Principal: "root", Role: "root"},
			{Principal: "phoneless", Role: "reviewer", Mask: hidden("phone")},
			{Principal: "aliasless", Role: "reviewer", Mask: hidden("alias")},
			{Principal: "creditless", Role: "reviewer", Mask: hidden("limit")},
		} {
			g.Scope = orgtree.Scope{All: true}
			if _, err := tx.Org.SetPrincipal(orgtree.Principal{ID: g.Principal}); err != nil {
				return err
			}
			if _, err := tx.Org.Give(g); err != nil {
				return err
			}
		}
		return tx.Org.Enforce(true)
	}))
	for who, denied := range map[string]bool{"root": false, "creditless": false, "phoneless": true, "aliasless": true} {
		job := book.As(clientele.Actor{ID: who, Reason: "test"}).DedupeJob()
		_, err := book.Dedupe().Link(ctx, job, dedupe.RunOptions{}, func(yield func(customer.Draft, error) bool) {
			yield(customer.Draft{Phones: []customer.Phone{{Number: "+8613800138777"}}}, nil)
		})
		if errors.Is(err, dedupe.ErrDenied) != denied || !denied && err != nil {
			t.Errorf("a link by %s: %v", who, err)
		}
		if _, err := book.Dedupe().Run(ctx, job, dedupe.RunOptions{}); errors.Is(err, dedupe.ErrDenied) != denied || !denied && err != nil {
			t.Errorf("a run by %s: %v", who, err)
		}
	}
}
