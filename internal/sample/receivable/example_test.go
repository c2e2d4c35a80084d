package receivable_test

import (
	"fmt"

	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/internal/sample/receivable"
)

// Open items are shared out evenly, and the same account is made whenever it is asked for.
func Example() {
	day, err := date.Parse("2026-06-30")
	if err != nil {
		fmt.Println(err)
		return
	}
	book := receivable.Book{Seed: 1, Customers: 100, Open: 250, AsOf: day}
	var first, again receivable.Account
	open := 0
	for n := range book.Customers {
		book.Fill(n, &first)
		open += len(first.Items)
	}
	book.Fill(book.Customers-1, &again)
	fmt.Println(open, len(again.Items) == len(first.Items) && again.Items[0] == first.Items[0])
	// Output: 250 true
}
