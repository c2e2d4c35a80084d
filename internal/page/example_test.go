package page_test

import (
	"fmt"
	"regexp"
	"strings"

	"golang.org/x/text/language"

	"github.com/clientele-go/clientele/internal/chart"
	"github.com/clientele-go/clientele/internal/page"
)

// A page with a key figure, a chart and a table, as text.
func Example() {
	p := page.Page{
		Language: language.English,
		Title:    "Customers",
		Figures:  []page.Figure{{Label: "closing", Value: "1,500", Note: "+25%", Tone: page.Good}},
		Sections: []page.Section{{Title: "By region", Blocks: []page.Block{
			page.Chart{Chart: chart.Bars{
				Frame: chart.Frame{Title: "By region", Language: language.English},
				Rows:  []chart.Row{{Label: "East", Values: []float64{900}}, {Label: "South", Values: []float64{600}}},
			}},
			page.Table{
				Columns: []page.Column{{Title: "Region"}, {Title: "Customers", Number: true}},
				Rows:    []page.Row{{Cells: page.Cells("East", "900")}, {Cells: page.Cells("South", "600")}, {Total: true, Cells: page.Cells("Total", "1,500")}},
			},
		}}},
	}
	var out strings.Builder
	if err := p.Write(&out); err != nil {
		fmt.Println(err)
		return
	}
	for _, row := range regexp.MustCompile(`(?s)<tr.*?</tr>`).FindAllString(out.String(), -1) {
		fmt.Println(strings.Join(strings.Fields(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(row, " ")), " | "))
	}
	// Output:
	// Region | Customers
	// East | 900
	// South | 600
	// Total | 1,500
}
