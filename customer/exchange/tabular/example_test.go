package tabular_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/clientele-go/clientele/customer/exchange/tabular"
)

func Example() {
	content := "客户名称;电话\n台湾水泥;\"02-2531;1666\"\n\"未闭合;1\n中石化;010\n"
	file := &tabular.File{Name: "customers.csv", Content: strings.NewReader(content), Size: int64(len(content))}
	format, err := tabular.Find(file)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	shape, err := format.Inspect(ctx, file, tabular.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s, %s, delimiter %q\n", shape.Format, shape.Encoding, shape.Delimiter)
	for row, err := range format.Read(ctx, file, shape.Options()) {
		switch {
		case err != nil:
			fmt.Println(err)
		case row.Err != nil:
			fmt.Println(row.Err)
		default:
			fmt.Println(row.Number, row.Cells[0].Text, row.Cells[1].Text)
		}
	}
	// Output:
	// csv, UTF-8, delimiter ';'
	// 1 客户名称 电话
	// 2 台湾水泥 02-2531;1666
	// tabular: customers.csv: row 3, line 3, column 1: not in a readable format: a cell begins with a quotation mark that is never closed; double the mark or close it
	// 4 中石化 010
}
