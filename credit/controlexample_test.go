package credit_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv/pebblekv"
)

// A customer with a limit of 10,000 yuan orders for 8,000, which becomes a delivery and
// takes no more credit; a second order of 3,000 is blocked.
func ExampleTx_Reserve() {
	ctx := context.Background()
	customers, err := customer.New(customer.Options{})
	if err != nil {
		log.Fatal(err)
	}
	control := credit.New(credit.Options{})
	schema := &storage.Schema{}
	customers.AddTo(schema)
	control.AddTo(schema)
	engine, err := pebblekv.Open("", pebblekv.Options{InMemory: true})
	if err != nil {
		log.Fatal(err)
	}
	store, err := storage.Open(ctx, engine, schema, nil, storage.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()

	cny := func(yuan int64) money.Amount { return money.Amount{Minor: yuan * 100, Currency: money.CNY} }
	var buyer customer.ID
	_, err = store.Update(ctx, storage.Session{Actor: "chen"}, func(st *storage.Tx) error {
		buyers := customers.Tx(st)
		tx := control.Tx(st, buyers)
		c, err := buyers.Create(customer.Draft{Name: "上海示例贸易有限公司", Party: customer.Organisation})
		if err != nil {
			return err
		}
		buyer = c.ID
		if err := tx.SetLimit(credit.OfCustomer(buyer), credit.Limit{Amount: cny(10_000)}); err != nil {
			return err
		}
		if _, err := tx.Reserve(credit.Request{Key: "SO-1", Customer: buyer, Amount: cny(8_000), Stage: credit.Ordered}); err != nil {
			return err
		}
		delivery, err := tx.Pass("SO-1", credit.Request{Key: "DN-1", Amount: cny(8_000), Stage: credit.Delivered})
		if err != nil {
			return err
		}
		fmt.Println(delivery.Key, delivery.Stage, delivery.State)
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}

	_, err = store.Update(ctx, storage.Session{Actor: "chen"}, func(st *storage.Tx) error {
		_, err := control.Tx(st, customers.Tx(st)).Reserve(credit.Request{Key: "SO-2", Customer: buyer, Amount: cny(3_000), Stage: credit.Ordered})
		return err
	})
	var refused *credit.RefusedError
	if errors.As(err, &refused) {
		room := refused.Decision.Rooms[0]
		fmt.Println("limit", room.Limit, "used", room.Exposure, "lacking", -room.Free.Minor/100)
	}
	// Output:
	// DN-1 delivered open
	// limit 10000.00 CNY used 8000.00 CNY lacking 1000
}
