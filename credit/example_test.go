package credit_test

import (
	"context"
	"fmt"
	"log"

	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/credit/aging"
	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv/pebblekv"
)

// A customer is invoiced at the end of the month and 30 days, pays a part, and the open
// rest is aged: as of August 15th, and as of the end of June.
func Example() {
	ctx := context.Background()
	customers, err := customer.New(customer.Options{})
	if err != nil {
		log.Fatal(err)
	}
	receivables := credit.New(credit.Options{})
	schema := &storage.Schema{}
	customers.AddTo(schema)
	receivables.AddTo(schema)
	engine, err := pebblekv.Open("", pebblekv.Options{InMemory: true})
	if err != nil {
		log.Fatal(err)
	}
	store, err := storage.Open(ctx, engine, schema, nil, storage.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()

	terms, err := credit.ParseTerms("月结30天")
	if err != nil {
		log.Fatal(err)
	}
	on := func(text string) date.Date {
		d, err := date.Parse(text)
		if err != nil {
			log.Fatal(err)
		}
		return d
	}
	_, err = store.Update(ctx, storage.Session{Actor: "chen"}, func(st *storage.Tx) error {
		buyers := customers.Tx(st)
		tx := receivables.Tx(st, buyers)
		buyer, err := buyers.Create(customer.Draft{Name: "上海示例贸易有限公司", Party: customer.Organisation})
		if err != nil {
			return err
		}
		invoice, err := tx.Post(credit.Document{
			Key: "INV-2024-0001", Customer: buyer.ID, Kind: credit.Invoice, Date: on("2024-05-14"),
			Amount: money.Amount{Minor: 1130_00, Currency: money.CNY}, Terms: terms,
		})
		if err != nil {
			return err
		}
		payment, err := tx.Post(credit.Document{
			Key: "RCPT-77", Customer: buyer.ID, Kind: credit.Payment, Date: on("2024-07-02"),
			Amount: money.Amount{Minor: 1000_00, Currency: money.CNY},
		})
		if err != nil {
			return err
		}
		fmt.Println("due", invoice[0].Due)
		_, err = tx.Allocate(credit.AllocationRequest{Debit: invoice[0].ID, Credit: payment[0].ID, Date: on("2024-07-02")})
		return err
	})
	if err != nil {
		log.Fatal(err)
	}

	err = store.View(ctx, func(r *storage.Reader) error {
		ledger := receivables.Reader(r, customers.Reader(r))
		for _, asOf := range []string{"2024-08-15", "2024-06-30"} {
			for row, err := range ledger.Aging(credit.AgingQuery{AsOf: on(asOf), Buckets: aging.Standard()}) {
				if err != nil {
					return err
				}
				fmt.Println(asOf, row.Currency, row.Buckets, row.Unapplied, row.Balance)
			}
		}
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// due 2024-06-30
	// 2024-08-15 CNY [0 0 13000 0 0] 0 13000
	// 2024-06-30 CNY [113000 0 0 0 0] 0 113000
}
