package orgtree_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"golang.org/x/text/language"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/orgtree"
)

// A branch passes to another region, and everything that is asked by region follows at
// once: the customers' records are not touched.
func Example() {
	ctx := context.Background()
	book, err := clientele.Open(ctx, "", clientele.Options{InMemory: true, WithoutSearch: true})
	if err != nil {
		log.Fatal(err)
	}
	defer book.Close()
	me := book.As(clientele.Actor{ID: "wang.li", Reason: "regions of 2026"})

	var east, north, branch customer.UnitID
	err = me.Update(ctx, func(tx *clientele.Tx) error {
		group, err := tx.Org.CreateUnit(orgtree.Unit{Code: "HQ", Kind: orgtree.Group, Names: customer.Names{"en": "Headquarters", "zh-Hans": "总部"}})
		if err != nil {
			return err
		}
		for _, u := range []struct {
			code string
			id   *customer.UnitID
		}{{"EAST", &east}, {"NORTH", &north}} {
			region, err := tx.Org.CreateUnit(orgtree.Unit{Code: u.code, Kind: orgtree.Region, Parent: group.ID})
			if err != nil {
				return err
			}
			*u.id = region.ID
		}
		b, err := tx.Org.CreateUnit(orgtree.Unit{Code: "NJ", Kind: orgtree.Branch, Parent: east})
		if err != nil {
			return err
		}
		branch = b.ID
		_, err = tx.Customers.Create(customer.Draft{Name: "南京云锦有限公司", Owner: branch, Rep: "zhao"})
		return err
	})
	if err != nil {
		log.Fatal(err)
	}
	count := func() {
		err := me.View(ctx, func(tx *clientele.ReadTx) error {
			inEast, err := tx.Org.Customers(east)
			if err != nil {
				return err
			}
			inNorth, err := tx.Org.Customers(north)
			fmt.Println("east", inEast, "north", inNorth)
			return err
		})
		if err != nil {
			log.Fatal(err)
		}
	}
	count()
	err = me.Update(ctx, func(tx *clientele.Tx) error {
		_, err := tx.Org.MoveUnit(branch, north, time.Time{}) // from now on
		return err
	})
	if err != nil {
		log.Fatal(err)
	}
	count()
	// Output:
	// east 1 north 0
	// east 0 north 1
}

// Branches don't see each other, and who asks why is told.
func Example_access() {
	ctx := context.Background()
	book, err := clientele.Open(ctx, "", clientele.Options{InMemory: true, WithoutSearch: true})
	if err != nil {
		log.Fatal(err)
	}
	defer book.Close()

	var shanghai customer.ID
	err = book.System("set up").Update(ctx, func(tx *clientele.Tx) error {
		units := map[string]customer.UnitID{}
		for _, code := range []string{"NJ", "SH"} {
			u, err := tx.Org.CreateUnit(orgtree.Unit{Code: code, Kind: orgtree.Branch})
			if err != nil {
				return err
			}
			units[code] = u.ID
		}
		c, err := tx.Customers.Create(customer.Draft{Name: "上海外滩百货有限公司", Owner: units["SH"]})
		if err != nil {
			return err
		}
		shanghai = c.ID
		for role, right := range map[string]customer.Right{"admin": orgtree.AnyRight, "clerk": customer.RightRead} {
			if _, err := tx.Org.SetRole(orgtree.Role{Name: role, Permissions: []orgtree.Permission{{Right: right}}}); err != nil {
				return err
			}
		}
		for _, g := range []orgtree.Grant{
			{Principal: "li.na", Role: "admin", Scope: orgtree.Scope{All: true}},
			{Principal: "wang.li", Role: "clerk", Scope: orgtree.Scope{Unit: units["NJ"]}},
		} {
			if _, err := tx.Org.SetPrincipal(orgtree.Principal{ID: g.Principal}); err != nil {
				return err
			}
			if _, err := tx.Org.Give(g); err != nil {
				return err
			}
		}
		return tx.Org.Enforce(true)
	})
	if err != nil {
		log.Fatal(err)
	}
	err = book.As(clientele.Actor{ID: "wang.li"}).View(ctx, func(tx *clientele.ReadTx) error {
		_, err := tx.Customers.Get(shanghai)
		return err
	})
	fmt.Println(errors.Is(err, customer.ErrNotFound))
	err = book.As(clientele.Actor{ID: "li.na"}).View(ctx, func(tx *clientele.ReadTx) error {
		why, err := tx.Org.Explain("wang.li", customer.RightRead, customer.Identity, shanghai)
		if err == nil {
			fmt.Println(why.Text(language.English))
		}
		return err
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// true
	// wang.li may not read the identity of customer 1.
	// - grant 2 (role clerk) is for other units: the customer belongs to SH, whose policy is private
}
