package search_test

import (
	"context"
	"fmt"
	"log"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/customer/search"
)

func Example() {
	customers := map[customer.ID]*customer.Customer{
		1: {ID: 1, Version: 1, Code: "C000001", Name: "臺灣水泥股份有限公司",
			Phones: []customer.Phone{{Number: "(02)2531-7099", E164: "+886225317099"}}},
		2: {ID: 2, Version: 1, Code: "C000002", Name: "亞洲水泥股份有限公司"},
		3: {ID: 3, Version: 1, Code: "C000003", Name: "Johnson Trading Ltd."},
	}
	index, err := search.Create("", search.Options{}) // in memory
	if err != nil {
		log.Fatal(err)
	}
	defer index.Close()
	ctx := context.Background()
	batch := search.Batch{After: 0, Cursor: 17}
	for _, c := range customers {
		batch.Put = append(batch.Put, c)
	}
	if err := index.Apply(ctx, batch); err != nil {
		log.Fatal(err)
	}

	for _, text := range []string{"twsn", "水泥", "shui ni", "7099", "jonson"} {
		hits, err := index.Pick(ctx, search.Query{Text: text, Limit: 5})
		if err != nil {
			log.Fatal(err)
		}
		for _, hit := range hits {
			fmt.Println(text, "finds", customers[hit.ID].Name, "as", hit.Rank)
		}
	}
	// Output:
	// twsn finds 臺灣水泥股份有限公司 as prefix
	// 水泥 finds 臺灣水泥股份有限公司 as contains
	// 水泥 finds 亞洲水泥股份有限公司 as contains
	// shui ni finds 臺灣水泥股份有限公司 as contains
	// shui ni finds 亞洲水泥股份有限公司 as contains
	// 7099 finds 臺灣水泥股份有限公司 as other
	// jonson finds Johnson Trading Ltd. as similar
}

func ExampleHighlighter() {
	highlighter, err := search.NewHighlighter("shui ni")
	if err != nil {
		log.Fatal(err)
	}
	c := &customer.Customer{Name: "臺灣水泥股份有限公司", Note: "每月一次水泥"}
	for _, f := range highlighter.Fragments(c) {
		m := f.Marks[0]
		fmt.Printf("%s: %s<b>%s</b>%s\n", f.Field, f.Text[:m.Start], f.Text[m.Start:m.End], f.Text[m.End:])
	}
	// Output:
	// name: 臺灣<b>水泥</b>股份有限公司
}
