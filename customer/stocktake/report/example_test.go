package report_test

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/text/language"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/customer/stocktake"
	"github.com/clientele-go/clientele/customer/stocktake/report"
)

// A count as a table for programs, headed in Chinese.
func Example() {
	growth := int64(1250)
	r := &stocktake.Result{
		Definition: stocktake.Frozen{Name: "year-end", Version: 1, Title: customer.Names{"zh-Hans": "年末客户盘点"}, Rule: customer.Names{"zh-Hans": "全部启用客户"}},
		Opening:    stocktake.Instant{Time: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), Position: 10},
		Closing:    stocktake.Instant{Time: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Position: 42},
		Growth:     stocktake.Growth{Net: 1, Rate: &growth},
		Reconciliation: stocktake.Reconciliation{
			Opening: 8, New: 3, Archived: 2, Closing: 9,
		},
		Dimensions: []stocktake.Dimension{{
			Code: "tag.level", Title: customer.Names{"zh-Hans": "客户等级"},
			Rows: []stocktake.Row{{Key: "vip", Label: customer.Names{"zh-Hans": "贵宾"}, Opening: 2, Gained: 1, New: 1, Closing: 3,
				Figures: []stocktake.Figure{{Name: stocktake.FigureRevenue, Currency: "CNY", Amount: 1234567, Customers: 3}}}},
		}},
	}
	err := report.CSV(tail{}, r, report.Options{Language: language.SimplifiedChinese})
	fmt.Println(err)
	// Output:
	// reconciliation,new,新增,customers,3,
	// reconciliation,archived,归档,customers,-2,
	// reconciliation,closing,期末,customers,9,
	// dimension.tag.level,vip,贵宾,closing,3,
	// figures.tag.level,vip,贵宾,revenue,12345.67,CNY
	// definition,definition,盘点定义,value,year-end，版本 1,
	// <nil>
}

// tail prints some lines of what is written to it.
type tail struct{}

func (tail) Write(text []byte) (int, error) {
	shown := map[string]bool{"reconciliation,new": true, "reconciliation,archived": true, "reconciliation,closing": true, "dimension.tag.level,vip,贵宾,closing": true, "figures.tag.level,vip,贵宾,revenue": true, "definition,definition": true}
	start := 0
	for i, b := range text {
		if b != '\n' {
			continue
		}
		line := string(text[start : i+1])
		start = i + 1
		for prefix := range shown {
			if len(line) > len(prefix) && line[:len(prefix)] == prefix && line[len(line)-3:len(line)-1] != ",%" {
				fmt.Fprint(os.Stdout, line)
			}
		}
	}
	return len(text), nil
}
