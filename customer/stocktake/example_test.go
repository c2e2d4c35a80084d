package stocktake_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/customer/stocktake"
	"github.com/clientele-go/clientele/dedupe"
)

// A year of a small book: two customers at its beginning, of which one turns out to be the
// other, and a new one.
func Example() {
	ctx := context.Background()
	now := time.Date(2024, 12, 1, 0, 0, 0, 0, time.UTC)
	book, err := clientele.Open(ctx, "", clientele.Options{InMemory: true, WithoutSearch: true, TickEvery: -1, Clock: func() time.Time { return now }})
	if err != nil {
		log.Fatal(err)
	}
	defer book.Close()
	me := book.As(clientele.Actor{ID: "wang.li"})
	update := func(f func(tx *clientele.Tx) error) {
		if err := me.Update(ctx, f); err != nil {
			log.Fatal(err)
		}
	}
	create := func(name string) (id customer.ID) {
		update(func(tx *clientele.Tx) error {
			c, err := tx.Customers.Create(customer.Draft{Name: name})
			if err == nil {
				id = c.ID
			}
			return err
		})
		return id
	}
	cement, again := create("台灣水泥股份有限公司"), create("台泥")
	now = now.AddDate(0, 3, 0) // March 2025
	create("Acme Trading Ltd")
	update(func(tx *clientele.Tx) error {
		_, err := tx.Dedupe.Merge(dedupe.Merge{Survivor: cement, Losers: []customer.ID{again}})
		return err
	})
	now = now.AddDate(1, 0, 0)

	update(func(tx *clientele.Tx) error {
		_, err := tx.Stocktake.SaveDefinition(stocktake.Definition{Name: "all"})
		return err
	})
	year := func(n int) stocktake.Instant {
		return stocktake.Instant{Time: time.Date(n, 1, 1, 0, 0, 0, 0, time.UTC)}
	}
	result, err := me.Stocktake().Run(ctx, stocktake.Ask{Name: "all", Opening: year(2025), Closing: year(2026)})
	if err != nil {
		log.Fatal(err)
	}
	r := result.Reconciliation
	fmt.Printf("%d + %d new - %d merged = %d, lacking %d\n", r.Opening, r.New, r.Merged, r.Closing, r.Balance())
	err = me.View(ctx, func(tx *clientele.ReadTx) error {
		ids, _, err := tx.Stocktake.Customers(result.Filing.Run, "merged", 0, 10)
		fmt.Println("merged:", ids)
		return err
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// 2 + 1 new - 1 merged = 2, lacking 0
	// merged: [2]
}
