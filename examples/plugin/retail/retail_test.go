package retail_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/customer/identifier"
	"github.com/clientele-go/clientele/examples/plugin/retail"
	"github.com/clientele-go/clientele/tagging/classify"
	"github.com/clientele-go/clientele/tagging/taggingtest"
)

// The check digit of 6291041500213, the example of GS1's own calculator:
// 6·1 + 2·3 + 9·1 + 1·3 + 0 + 4·3 + 1·1 + 5·3 + 0 + 0 + 2·1 + 1·3 = 57, and 3 make 60.
func TestGLN(t *testing.T) {
	taggingtest.TestScheme(t, retail.GLN(), taggingtest.Numbers{
		Valid:   map[string]string{"6291041500213": "6291041500213", "(414) 629104150021-3": "6291041500213"},
		Invalid: []string{"6291041500214", "629104150021", "0000000000000", "ABCDEFGHIJKLM"},
		Checked: true,
	})
}

func visit(tag string) []classify.TagRef { return []classify.TagRef{{Dimension: "visit", Tag: tag}} }

func TestVisits(t *testing.T) {
	last := time.Date(2026, 1, 4, 10, 0, 0, 0, time.UTC) // eleven days before taggingtest.Start
	facts := func(orders int64) map[string]classify.Value {
		return map[string]classify.Value{"activity.visit.last": classify.InstantValue(last), "activity.order.count_3": classify.IntegerValue(orders)}
	}
	taggingtest.TestClassifier(t, retail.Visits{EveryDays: 30},
		taggingtest.Verdict{Name: "visited lately", Facts: facts(4), Want: visit("done"), Until: time.Date(2026, 2, 3, 10, 0, 0, 0, time.UTC)},
		taggingtest.Verdict{Name: "orders nothing", Facts: facts(0), Want: visit("done"), Until: time.Date(2026, 1, 19, 10, 0, 0, 0, time.UTC)},
		taggingtest.Verdict{Name: "15 days and no order", Now: time.Date(2026, 1, 19, 10, 0, 0, 0, time.UTC), Facts: facts(0), Want: visit("due")},
		taggingtest.Verdict{Name: "never visited", Facts: map[string]classify.Value{"activity.order.count_3": classify.IntegerValue(4)}, Want: visit("due")},
	)
}

func TestChannels(t *testing.T) {
	set, err := retail.Channels()
	if err != nil {
		t.Fatal(err)
	}
	channel := func(tag string) []classify.TagRef { return []classify.TagRef{{Dimension: "channel", Tag: tag}} }
	area := func(square int64) []customer.Attribute {
		return []customer.Attribute{{Name: "area", Value: customer.NumberValue(square)}}
	}
	gln := []customer.Identifier{{Scheme: "gs1.gln", Value: "6291041500213"}}
	setting := taggingtest.Setting{Attributes: retail.Attributes(), Schemes: []identifier.Scheme{retail.GLN()}}
	taggingtest.TestRuleSet(t, set, setting,
		taggingtest.Case{Name: "large", Customer: customer.Draft{Name: "东方超市", Attributes: area(2500)}, Want: channel("hypermarket")},
		taggingtest.Case{Name: "not so large", Customer: customer.Draft{Name: "东方超市", Attributes: area(2499)}, Want: channel("supermarket")},
		taggingtest.Case{Name: "by an English name", Customer: customer.Draft{Name: "Corner Convenience"}, Want: channel("convenience")},
		taggingtest.Case{Name: "location number", Customer: customer.Draft{Name: "百貨", Identifiers: gln}, Want: channel("modern")},
		taggingtest.Case{Name: "online", Customer: customer.Draft{Name: "好物", Website: "https://shop.example.com"}, Want: channel("online")},
		taggingtest.Case{Name: "none of these", Customer: customer.Draft{Name: "王记杂货"}},
	)
}

func ExampleGLN() {
	number, err := retail.GLN().Parse("(414) 629104150021-3")
	fmt.Println(number, err)
	// Output: 6291041500213 <nil>
}
