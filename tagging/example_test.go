package tagging_test

import (
	"context"
	"fmt"
	"log"
	"log/slog"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/tagging"
)

// A book's sales staff classify customers by region and level, and ask who is where.
func Example() {
	ctx := context.Background()
	book, err := clientele.Open(ctx, "", clientele.Options{InMemory: true, WithoutSearch: true, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		log.Fatal(err)
	}
	defer book.Close()
	me := book.As(clientele.Actor{ID: "wang.li", Reason: "spring review"})

	err = me.Update(ctx, func(tx *clientele.Tx) error {
		region, err := tx.Tags.CreateDimension(tagging.Dimension{Code: "region", Tree: true, Names: customer.Names{"en": "Region", "zh-Hans": "地区"}})
		if err != nil {
			return err
		}
		level, err := tx.Tags.CreateDimension(tagging.Dimension{Code: "level", Exclusive: true, Ordered: true})
		if err != nil {
			return err
		}
		tag := func(t tagging.Tag) tagging.TagID {
			made, e := tx.Tags.CreateTag(t)
			if e != nil {
				err = e
				return 0
			}
			return made.ID
		}
		china := tag(tagging.Tag{Dimension: region.ID, Code: "CN"})
		shanghai := tag(tagging.Tag{Dimension: region.ID, Code: "CN-31", Parent: china, Aliases: []string{"上海"}})
		taiwan := tag(tagging.Tag{Dimension: region.ID, Code: "TW"})
		silver := tag(tagging.Tag{Dimension: level.ID, Code: "silver"})
		gold := tag(tagging.Tag{Dimension: level.ID, Code: "gold"})
		if err != nil {
			return err
		}
		for name, tags := range map[string][]tagging.Assignment{
			"上海电气":     {{Tag: shanghai}, {Tag: gold, Reason: "contract of 2026"}},
			"台灣水泥":     {{Tag: taiwan}, {Tag: gold}},
			"宝山钢铁":     {{Tag: shanghai}, {Tag: silver}},
			"Acme Ltd": {{Tag: silver}},
		} {
			c, err := tx.Customers.Create(customer.Draft{Name: name})
			if err != nil {
				return err
			}
			if _, err := tx.Tags.Assign(c.ID, tags...); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}

	err = me.View(ctx, func(tx *clientele.ReadTx) error {
		n, err := tx.Tags.Count(tagging.Query{Filter: "region:cn/* AND level:>=silver"})
		if err != nil {
			return err
		}
		fmt.Println("in China, silver or better:", n)
		table, err := tx.Tags.CrossTab(tagging.Query{}, tagging.Axis{Field: "region", Level: 1}, tagging.Axis{Field: "level"})
		if err != nil {
			return err
		}
		for i, row := range table.Rows {
			name := row.Value
			if row.None {
				name = "none"
			}
			fmt.Println(name, table.Cells[i])
		}
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// in China, silver or better: 2
	// CN [1 1 0]
	// TW [0 1 0]
	// none [1 0 0]
}
