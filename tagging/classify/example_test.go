package classify_test

import (
	"context"
	"fmt"
	"log"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/tagging/classify"
)

// A user writes two rules; the book classifies its customers by them and says why.
func Example() {
	ctx := context.Background()
	book, err := clientele.Open(ctx, "", clientele.Options{InMemory: true})
	if err != nil {
		log.Fatal(err)
	}
	defer book.Close()
	me := book.As(clientele.Actor{ID: "wang.li"})
	var id customer.ID
	err = me.Update(ctx, func(tx *clientele.Tx) error {
		c, err := tx.Customers.Create(customer.Draft{Name: "台灣水泥股份有限公司", Country: "TW"})
		if err == nil {
			id = c.ID
			err = tx.Customers.Record(id, customer.Event{Type: "order", Count: 12})
		}
		return err
	})
	if err != nil {
		log.Fatal(err)
	}
	rules, err := classify.ParseRuleSet([]byte(`{
		"name": "loyalty",
		"parameters": {"often": {"value": 10, "min": 1}},
		"dimensions": [{"code": "loyalty", "exclusive": true, "tags": [{"code": "regular"}, {"code": "lost"}]}],
		"rules": [
			{"name": "regular", "when": "activity.order.count_3 >= param.often", "dimension": "loyalty", "tag": "regular", "priority": 1},
			{"name": "lost", "when": "daysSince(activity.order.last) > 180", "dimension": "loyalty", "tag": "lost"}
		]
	}`))
	if err != nil {
		log.Fatal(err)
	}
	done, err := book.Rules().Activate(ctx, book.As(clientele.Actor{ID: "wang.li", Reason: "spring campaign"}).Job(), rules, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("version", done.Version, "evaluated", done.Evaluated)
	why, err := book.Rules().Explain(ctx, id, classify.TagRef{Dimension: "loyalty", Tag: "regular"}, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(why)
	fmt.Println(why.Rules[0].Conditions)
	// Output:
	// version 1 evaluated 1
	// customer 1 has loyalty:regular
	//   rule loyalty/regular, version 1: applies
	//     activity.order.count_3 is 12
	// [{activity.order.count_3 >= param.often true}]
}
