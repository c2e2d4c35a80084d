package clientele_test

import (
	"context"
	"fmt"
	"log"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/customer/search"
)

// A customer is created and found by the initials of its pinyin.
func Example() {
	ctx := context.Background()
	book, err := clientele.Open(ctx, "", clientele.Options{InMemory: true}) // or a folder's name
	if err != nil {
		log.Fatal(err)
	}
	defer book.Close()

	me := book.As(clientele.Actor{ID: "wang.li", Reason: "new account"})
	err = me.Update(ctx, func(tx *clientele.Tx) error {
		_, err := tx.Customers.Create(customer.Draft{Name: "台灣水泥股份有限公司"})
		return err
	})
	if err == nil {
		err = me.Sync(ctx)
	}
	if err != nil {
		log.Fatal(err)
	}
	result, err := me.Search(ctx, search.Query{Text: "twsn"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(result.Total, "found, the first is customer", result.Hits[0].ID)
	// Output: 1 found, the first is customer 1
}
