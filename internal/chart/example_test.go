package chart_test

import (
	"fmt"

	"golang.org/x/text/language"

	"github.com/clientele-go/clientele/internal/chart"
)

// A waterfall on a telephone, and what it says to somebody who doesn't see it.
func Example() {
	d := chart.Waterfall{
		Frame: chart.Frame{Title: "客户数变动", Desc: "期初 1,200，期末 1,500。", Language: language.SimplifiedChinese},
		Steps: []chart.Step{
			{Label: "期初", Value: 1200, Total: true}, {Label: "新增", Value: 400}, {Label: "归档", Value: -100},
			{Label: "期末", Value: 1500, Total: true},
		},
	}.Draw(chart.Narrow)
	for _, m := range d.Marks {
		if m.Title != "" {
			fmt.Println(m.Title)
		}
	}
	fmt.Println(string(d.SVG())[:29])
	// Output:
	// 期初: 1,200
	// 新增: +400
	// 归档: −100
	// 期末: 1,500
	// <svg class="chart" role="img"
}
