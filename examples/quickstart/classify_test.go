package main

import (
	"testing"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/tagging/classify"
	"github.com/clientele-go/clientele/tagging/taggingtest"
)

// Companies whose business is known, and the division of GB/T 4754 that it belongs to.
func TestIndustryByStockCode(t *testing.T) {
	sets, err := ruleSets()
	if err != nil {
		t.Fatal(err)
	}
	var cases []taggingtest.Case
	for _, known := range []struct{ code, name, division string }{
		{"TW1101", "臺灣水泥股份有限公司", "30"},     // non-metallic mineral products
		{"TW1216", "統一企業股份有限公司", "14"},     // foods
		{"TW2330", "台灣積體電路製造股份有限公司", "39"}, // electronics
		{"TW2882", "國泰金融控股股份有限公司", "J"},    // finance
		{"TW9904", "寶成工業股份有限公司", ""},       // other industries: not told by the code
		{"X", "no stock code", ""},
	} {
		c := taggingtest.Case{Name: known.name, Customer: customer.Draft{Code: known.code, Name: known.name}}
		if known.division != "" {
			c.Want = []classify.TagRef{{Dimension: "industry", Tag: known.division}}
		}
		cases = append(cases, c)
	}
	taggingtest.TestRuleSet(t, sets[1], taggingtest.Setting{Country: "TW", Languages: []string{"en", "zh-Hant"}}, cases...)
}
