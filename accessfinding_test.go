package clientele_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/orgtree"
)

// The use of a limit in percent, beside the exposure, tells the limit: who sees exposure but
// not limits is told that there is a finding, without its figures.
func TestFindingsDontTellAHiddenLimit(t *testing.T) {
	book := openMasked(t, yuan(100))
	must(t, book.System("an order").Update(t.Context(), func(tx *clientele.Tx) error {
		_, err := tx.Credit.Reserve(credit.Request{Key: "1", Customer: 1, Amount: yuan(90), Stage: credit.Ordered})
		return err
	}))
	must(t, book.As(clientele.Actor{ID: "clerk"}).View(t.Context(), func(tx *clientele.ReadTx) error {
		v, err := tx.Credit.Reservation("1")
		if err != nil {
			return err
		}
		d, err := tx.Credit.Check(credit.Request{Customer: 1})
		if err != nil {
			return err
		}
		for _, f := range append(v.Findings, d.Findings...) {
			if !f.Hidden || f.Value != 0 || f.Above != 0 {
				t.Errorf("told %q: 90 yuan are taken, so the limit is 100", f)
			}
		}
		return nil
	}))
}

// Nor does the lack of a rate tell in which currency it is.
func TestALackingRateDoesntTellAHiddenLimit(t *testing.T) {
	book := openMasked(t, money.Amount{Minor: 100, Currency: money.JPY})
	for actor, want := range map[string]bool{"root": true, "clerk": false} {
		err := book.As(clientele.Actor{ID: actor}).Update(t.Context(), func(tx *clientele.Tx) error {
			_, err := tx.Credit.Reserve(credit.Request{Key: "1", Customer: 1, Amount: yuan(1)})
			return err
		})
		if !errors.Is(err, credit.ErrRate) || strings.Contains(err.Error(), "JPY") != want {
			t.Errorf("%s is told %v", actor, err)
		}
	}
}

// openMasked opens a book with a customer who has a limit, an administrator, "root", and
// "clerk", who may do everything but see limits.
func openMasked(t *testing.T, limit money.Amount) *clientele.Book {
	book := openBook(t, "", clientele.Options{TickEvery: -1, WithoutSearch: true})
	hidden, err := customer.NewMask("limit")
	must(t, err)
	must(t, book.System("set up").Update(t.Context(), func(tx *clientele.Tx) error {
		c, err := tx.Customers.Create(customer.Draft{Name: "Heron Trading"})
		if err != nil {
			return err
		}
		if err := tx.Credit.SetLimit(credit.OfCustomer(c.ID), credit.Limit{Amount: limit}); err != nil {
			return err
		}
		if _, err := tx.Org.SetRole(orgtree.Role{Name: "all", Permissions: []orgtree.Permission{{Right: orgtree.AnyRight}}}); err != nil {
			return err
		}
		for _, who := range []string{"root", "clerk"} {
			if _, err := tx.Org.SetPrincipal(orgtree.Principal{ID: who}); err != nil {
				return err
			}
		}
		for _, g := range []orgtree.Grant{
			{Principal: "root", Role: "all", Scope: orgtree.Scope{All: true}},
			{Principal: "clerk", Role: "all", Scope: orgtree.Scope{All: true}, Mask: hidden},
		} {
			if _, err := tx.Org.Give(g); err != nil {
				return err
			}
		}
		return tx.Org.Enforce(true)
	}))
	return book
}
