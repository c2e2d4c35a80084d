package taggingtest_test

import (
	"testing"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/tagging/classify"
	"github.com/clientele-go/clientele/tagging/taggingtest"
)

// reach is a rule set without faults: whether one can be reached, and who is away.
func reach() classify.RuleSet {
	return classify.RuleSet{
		Name: "reach", Title: names("Reach", "联络", "聯絡"),
		Parameters: map[string]classify.Parameter{"days": {Value: int64(30), Title: names("Days", "天数", "天數")}},
		Dimensions: []classify.DimensionSpec{{
			Code: "reach", Names: names("Reach", "联络", "聯絡"), Exclusive: true,
			Tags: []classify.TagSpec{
				{Code: "open", Names: names("Open", "畅通", "暢通")}, {Code: "away", Names: names("Away", "久别", "久別")}, {Code: "large", Names: names("Large", "大", "大")},
			},
		}},
		Rules: []classify.Rule{
			{Name: "open", Dimension: "reach", Tag: "open", When: "customer.has_phone"},
			{Name: "away", Dimension: "reach", Tag: "away", When: "daysSince(activity.visit.last) > param.days", Priority: 1},
			{Name: "large", Dimension: "reach", Tag: "large", When: "shop.area / 100 >= 3", Priority: 2},
		},
	}
}

func reachSetting() taggingtest.Setting {
	return taggingtest.Setting{Facts: []classify.FactSpec{{Name: "shop.area", Type: classify.Integer}, {Name: "shop.staff", Type: classify.Integer}}}
}

func reachTag(code string) []classify.TagRef {
	return []classify.TagRef{{Dimension: "reach", Tag: code}}
}

// reachCases: 31 days after 10 January is 10 February.
func reachCases() []taggingtest.Case {
	phone := customer.Draft{Phones: []customer.Phone{{Number: "+86 21 6888 1234"}}}
	return []taggingtest.Case{
		{Name: "phone", Customer: phone, Want: reachTag("open")},
		{
			Name: "visited", Customer: phone, Events: []customer.Event{{Type: "visit", Time: time.Date(2026, 1, 10, 15, 0, 0, 0, time.UTC)}}, Want: reachTag("open"),
			Then: []taggingtest.Flip{{At: time.Date(2026, 2, 10, 0, 0, 0, 0, time.UTC), Want: reachTag("away")}},
		},
		{Name: "300 square metres", Customer: phone, Facts: map[string]classify.Value{"shop.area": classify.IntegerValue(300), "shop.staff": classify.IntegerValue(2)}, Want: reachTag("large")},
		{Name: "299 square metres", Facts: map[string]classify.Value{"shop.area": classify.IntegerValue(299)}},
	}
}

func TestASoundRuleSetPasses(t *testing.T) {
	taggingtest.TestRuleSet(t, reach(), reachSetting(), reachCases()...)
}

func TestBrokenRuleSetsAreCaught(t *testing.T) {
	for _, broken := range []struct {
		name   string
		mutate func(*classify.RuleSet)
		want   string
	}{
		{"no title", func(s *classify.RuleSet) { s.Title = nil }, "title has no name in en"},
		{"a parameter without a Chinese name", func(s *classify.RuleSet) {
			s.Parameters["days"] = classify.Parameter{Value: int64(30), Title: customer.Names{"en": "Days"}}
		}, "parameter days has no name in zh-Hans, zh-Hant"},
		{"a malformed name", func(s *classify.RuleSet) { s.Name = "Reach!" }, "no name of a rule set"},
		{"an unknown fact", func(s *classify.RuleSet) { s.Rules[0].When = "customer.has_fax" }, "customer.has_fax"},
		{"a syntax error", func(s *classify.RuleSet) { s.Rules[0].When = "customer.has_phone &&" }, "when"},
		{"an unknown tag", func(s *classify.RuleSet) { s.Rules[0].Tag = "opne" }, "opne"},
		{"a value that is no tag", func(s *classify.RuleSet) { s.Rules[2].Tag, s.Rules[2].Value = "", "'l' + 'arge' + string(shop.area)" }, "fails: "},
		{"a wrong threshold", func(s *classify.RuleSet) { s.Rules[2].When = "shop.area / 100 >= 2" }, `case "299 square metres"`},
		{"division by zero", func(s *classify.RuleSet) { s.Rules[2].When = "600 / (shop.staff - 2) >= 3" }, "fails: "},
		{"a day late", func(s *classify.RuleSet) { s.Rules[1].When = "daysSince(activity.visit.last) > param.days + 1" }, "2026-02-10T00:00:00Z"},
		{"a day early", func(s *classify.RuleSet) { s.Rules[1].When = "daysSince(activity.visit.last) >= param.days" }, "2026-02-09T23:59:59.999999Z"},
		{"a rule that never applies", func(s *classify.RuleSet) {
			s.Rules = append(s.Rules, classify.Rule{Name: "idle", Dimension: "reach", Tag: "open", When: "shop.area < 0"})
		}, `rule "idle" gives its tag in no case`},
		{"a rule that another one hides", func(s *classify.RuleSet) { s.Rules[0].Priority = 9 }, `rule "large" gives its tag in no case`},
	} {
		t.Run(broken.name, func(t *testing.T) {
			t.Parallel()
			set := reach()
			broken.mutate(&set)
			r := &recorder{}
			taggingtest.TestRuleSet(r, set, reachSetting(), reachCases()...)
			caught(t, r, broken.want)
		})
	}
}
