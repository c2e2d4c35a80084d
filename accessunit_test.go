package clientele_test

import (
	"fmt"
	"testing"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/orgtree"
)

// newOwing is a book in which units 1 to 3 are a company with two branches, customer 1 of
// the one owes 30 yuan and customer 2 of the other 50.
func newOwing(t *testing.T) *clientele.Book {
	book := openBook(t, "", clientele.Options{TickEvery: -1, WithoutSearch: true})
	must(t, book.System("set up").Update(t.Context(), func(tx *clientele.Tx) error {
		hq, err := tx.Org.CreateUnit(orgtree.Unit{Code: "HQ"})
		if err != nil {
			return err
		}
		for i, code := range []string{"EAST", "NORTH"} {
			u, err := tx.Org.CreateUnit(orgtree.Unit{Code: code, Parent: hq.ID})
			if err != nil {
				return err
			}
			c, err := tx.Customers.Create(customer.Draft{Name: code, Owner: u.ID})
			if err != nil {
				return err
			}
			_, err = tx.Credit.Post(credit.Document{Key: code, Customer: c.ID, Kind: credit.Invoice, Date: date.Of(tx.Storage.Now()),
				Amount: money.Amount{Minor: int64(i*2000 + 3000), Currency: money.CNY}})
			if err != nil {
				return err
			}
		}
		return nil
	}))
	return book
}

// Exposure that customers share is disclosed to who is shown it of all of them: not to who
// sees everybody without it, nor to who is denied some.
func TestWhatAUnitOwesIsToldToWhoIsShownItOfAll(t *testing.T) {
	book := newOwing(t)
	mask, err := customer.NewMask("exposure")
	must(t, err)
	must(t, book.System("set up").Update(t.Context(), func(tx *clientele.Tx) error {
		for _, r := range []orgtree.Role{
			{Name: "all", Permissions: []orgtree.Permission{{Right: orgtree.AnyRight}}},
			{Name: "reader", Permissions: []orgtree.Permission{{Right: customer.RightRead}}},
		} {
			if _, err := tx.Org.SetRole(r); err != nil {
				return err
			}
		}
		for _, g := range []orgtree.Grant{
			{Principal: "root", Role: "all", Scope: orgtree.Scope{All: true}},
			{Principal: "masked", Role: "reader", Scope: orgtree.Scope{All: true}, Mask: mask},
			{Principal: "east", Role: "reader", Scope: orgtree.Scope{Unit: 2}},
			{Principal: "own", Role: "reader", Scope: orgtree.Scope{Unit: 2, Own: true}},
			{Principal: "group", Role: "reader", Scope: orgtree.Scope{Unit: 1}},
			{Principal: "alone", Role: "reader", Scope: orgtree.Scope{Unit: 1, Alone: true}},
			{Principal: "denied", Role: "reader", Scope: orgtree.Scope{Unit: 1}},
			{Principal: "denied", Role: "reader", Scope: orgtree.Scope{Unit: 3}, Deny: true},
		} {
			if _, err := tx.Org.SetPrincipal(orgtree.Principal{ID: g.Principal}); err != nil {
				return err
			}
			if _, err := tx.Org.Give(g); err != nil {
				return err
			}
		}
		return tx.Org.Enforce(true)
	}))
	for who, want := range map[string]string{ // of the company, the east and the north; by parts of the company
		"root":   "[80 30 50] [80 0 30 50]",
		"masked": "[- - -] [0 0 0 0]",
		"east":   "[- 30 -] [30 0 30 0]",
		"own":    "[- - -] [0 0 0 0]",
		"group":  "[80 30 50] [80 0 30 50]",
		"alone":  "[- - -] [0 0 0 0]",
		"denied": "[- - -] [30 0 30 0]",
	} {
		must(t, book.As(clientele.Actor{ID: who}).View(t.Context(), func(tx *clientele.ReadTx) error {
			var units, parts []string
			for unit := customer.UnitID(1); unit <= 3; unit++ {
				list, err := tx.Credit.Exposure(credit.OfUnit(unit))
				if err != nil {
					return err
				}
				text := "-"
				if len(list) > 0 {
					text = fmt.Sprint(list[0].Of(credit.Debits) / 100)
				}
				units = append(units, text)
			}
			c, err := tx.Org.Consolidate(1, clientele.ExposureMeasure(tx.Credit, credit.PartsOf(credit.Debits)))
			if err != nil {
				return err
			}
			for _, row := range append([]orgtree.Consolidated{c.Total}, c.Parts...) {
				parts = append(parts, fmt.Sprint(row.Measures[0]["CNY"]/100))
			}
			if got := fmt.Sprint(units, " ", parts); got != want {
				t.Errorf("%s is told %s, want %s", who, got, want)
			}
			return nil
		}))
	}
}
