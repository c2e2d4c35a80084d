package exchange_test

import (
	"context"
	"fmt"
	"os"
	"strings"

	"golang.org/x/text/language"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/customer/exchange"
	"github.com/clientele-go/clientele/customer/exchange/tabular"
)

// A list from an ERP is imported, what is wrong with it is told, and the book's customers
// go to a spreadsheet in the order of pinyin.
func Example() {
	ctx := context.Background()
	book, err := clientele.Open(ctx, "", clientele.Options{InMemory: true, WithoutSearch: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer book.Close()
	me := book.As(clientele.Actor{ID: "wang.li", Reason: "list of the ERP"}).Exchange()

	list := "往来单位编码,往来单位,统一社会信用代码,联系电话\n" +
		"C1,中国石油化工股份有限公司,91110000710926094P,010-59960028\n" +
		"C2,上海汽车集团股份有限公司,91310000132260250X,021-22011138\n" +
		"C3,宝山钢铁股份有限公司,91310000132260250Z,\n"
	done, err := me.Import(ctx, exchange.Import{
		File:   &tabular.File{Name: "list.csv", Content: strings.NewReader(list), Size: int64(len(list))},
		Faults: func(f exchange.Fault) { fmt.Println(f.In(language.Chinese)) },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	s := done.Summary
	fmt.Println(s.Read, "read,", s.Created, "created,", s.Refused, "refused")

	_, err = me.Export(ctx, os.Stdout, exchange.Export{
		Fields: []exchange.Field{exchange.Code, exchange.Name, exchange.Phone}, Headings: language.Chinese, Sort: exchange.Name,
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// 第4行第3列（统一社会信用代码）：格式不正确：“91310000132260250Z”；请与证照原件核对：代码不使用I、O、S、V、Z，可能是1、0、5、U、2
	// 3 read, 2 created, 1 refused
	// 客户编码,客户名称,电话
	// C2,上海汽车集团股份有限公司,021-22011138
	// C1,中国石油化工股份有限公司,010-59960028
}
