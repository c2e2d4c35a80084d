package orgtree_test

import (
	"context"
	"fmt"
	"log"
	"time"

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
