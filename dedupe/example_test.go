package dedupe_test

import (
	"context"
	"fmt"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/dedupe"
)

// Two clerks recorded one company. It is found, merged, and still answers to the number
// that the second clerk gave it.
func Example() {
	ctx := context.Background()
	book, err := clientele.Open(ctx, "", clientele.Options{InMemory: true, WithoutSearch: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer book.Close()
	me := book.As(clientele.Actor{ID: "wang.li", Reason: "tidying up"})

	err = me.Update(ctx, func(tx *clientele.Tx) error {
		first, err := tx.Customers.Create(customer.Draft{Code: "A1", Name: "台灣水泥股份有限公司", Country: "TW", Phones: []customer.Phone{{Number: "02-2531-7099"}}})
		if err != nil {
			return err
		}
		second, err := tx.Customers.Create(customer.Draft{Code: "B7", Name: "台湾水泥股份有限公司", Website: "www.example.com", Phones: []customer.Phone{{Number: "+886225317099"}}})
		if err != nil {
			return err
		}
		found, err := tx.Dedupe.CandidatesOf(second.ID)
		if err != nil {
			return err
		}
		for _, c := range found {
			fmt.Println(second.Code, "and", c.Customer.Code, "are", c.Decision)
		}
		_, err = tx.Dedupe.Merge(dedupe.Merge{Survivor: first.ID, Losers: []customer.ID{second.ID}})
		return err
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	err = me.View(ctx, func(tx *clientele.ReadTx) error {
		c, err := tx.Customers.ByCode("B7")
		if err == nil {
			fmt.Println("B7 leads to", c.Code, c.Name, c.Aliases, c.Website)
		}
		return err
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// B7 and A1 are same
	// B7 leads to A1 台灣水泥股份有限公司 [台湾水泥股份有限公司] www.example.com
}
