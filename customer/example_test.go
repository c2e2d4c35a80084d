package customer_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/customer"
)

// A clerk records a customer twice; the second time the book names the first.
func Example() {
	ctx := context.Background()
	book, err := clientele.Open(ctx, "", clientele.Options{InMemory: true})
	if err != nil {
		log.Fatal(err)
	}
	defer book.Close()

	cement := customer.Draft{
		Name:        "台灣水泥股份有限公司",
		Identifiers: []customer.Identifier{{Scheme: "tw.ubn", Value: "11913502"}},
		Phones:      []customer.Phone{{Label: "office", Number: "(02)2531-7099"}},
		Country:     "TW",
	}
	clerk := book.As(clientele.Actor{ID: "chen", Reason: "new account"})
	for range 2 {
		err = clerk.Update(ctx, func(tx *clientele.Tx) error {
			c, err := tx.Customers.Create(cement)
			if err == nil {
				fmt.Println(c.Code, c.Name, c.Phones[0].E164)
			}
			return err
		})
	}
	var taken *customer.DuplicateError
	if errors.As(err, &taken) {
		fmt.Println(taken.Field, taken.Value, "belongs to customer", taken.Holder)
	}
	// Output:
	// C000001 台灣水泥股份有限公司 +886225317099
	// Identifiers tw.ubn 11913502 belongs to customer 1
}
