package packs_test

import (
	"slices"
	"testing"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/tagging/classify"
	"github.com/clientele-go/clientele/tagging/packs"
	"github.com/clientele-go/clientele/tagging/taggingtest"
)

// try checks a pack by cases.
func try(t *testing.T, name string, before []string, cases ...taggingtest.Case) {
	t.Helper()
	t.Parallel()
	s := taggingtest.Setting{Attributes: packs.Attributes(append(before, name)...), Facts: packs.Receivables().Facts}
	for _, other := range before {
		s.Before = append(s.Before, load(t, other))
	}
	taggingtest.TestRuleSet(t, load(t, name), s, cases...)
}

func load(t *testing.T, name string) classify.RuleSet {
	t.Helper()
	set, err := packs.Load(name, packs.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func date(year int, month time.Month, day int) time.Time {
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

// tags makes references of dimension, tag, dimension, tag, …
func tags(words ...string) []classify.TagRef {
	var refs []classify.TagRef
	for pair := range slices.Chunk(words, 2) {
		refs = append(refs, classify.TagRef{Dimension: pair[0], Tag: pair[1]})
	}
	return refs
}

func at(address, country string) customer.Draft {
	return customer.Draft{Country: country, Addresses: []customer.Address{{Text: address}}}
}

func TestRegion(t *testing.T) {
	try(t, "region", nil,
		taggingtest.Case{Name: "district of a city", Customer: at("广东省深圳市南山区科技园", ""), Want: tags("region", "CN-4403")},
		taggingtest.Case{Name: "province alone", Customer: at("广东省", ""), Want: tags("region", "CN-44")},
		taggingtest.Case{Name: "municipality", Customer: at("上海市浦东新区世纪大道100号", ""), Want: tags("region", "CN-31")},
		taggingtest.Case{Name: "county governed directly", Customer: at("湖北省仙桃市沔州大道", ""), Want: tags("region", "CN-429004")},
		taggingtest.Case{Name: "no division recognised", Customer: at("某某路1号", "CN"), Want: tags("region", "CN")},
		taggingtest.Case{Name: "Taipei", Customer: at("台北市中山北路2段113號", "TW"), Want: tags("region", "TW-TPE")},
		taggingtest.Case{Name: "Taiwan without a county", Customer: at("某某路1號", "TW"), Want: tags("region", "TW")},
		taggingtest.Case{Name: "Hong Kong", Customer: at("香港中環皇后大道中1號", "HK"), Want: tags("region", "HK")},
		taggingtest.Case{Name: "Macao", Customer: at("澳門南灣大馬路", "MO"), Want: tags("region", "MO")},
		taggingtest.Case{Name: "elsewhere", Customer: at("1 Main Street, Springfield", "US")},
	)
}

func industryOf(code string) customer.Draft {
	return customer.Draft{Attributes: []customer.Attribute{{Name: "industry", Value: customer.TextValue(code)}}}
}

func TestIndustry(t *testing.T) {
	var cases []taggingtest.Case
	for code, want := range map[string]string{
		"A": "A", "T": "T", "01": "01", "A0111": "01", "39": "39", "C39": "39", "C3921": "39", "3921": "39", "90": "90", "9700": "97",
		"U": "", "00": "", "98": "", "99": "", "C": "C", "c39": "", "39211": "", "semiconductors": "", "3": "",
	} {
		c := taggingtest.Case{Name: "code " + code, Customer: industryOf(code)}
		if want != "" {
			c.Want = tags("industry", want)
		}
		cases = append(cases, c)
	}
	try(t, "industry", nil, cases...)
}

// enterprise has an industry code, and employees, revenue and assets in 10,000 CNY; a
// negative number is not known.
func enterprise(code string, employees, revenue, assets int64) customer.Draft {
	var d customer.Draft
	if code != "" {
		d = industryOf(code)
	}
	for _, a := range []struct {
		name  string
		units int64
	}{{"employees", employees}, {"revenue", revenue * 100}, {"assets", assets * 100}} { // hundredths
		if a.units >= 0 {
			d.Attributes = append(d.Attributes, customer.Attribute{Name: a.name, Value: customer.NumberValue(a.units)})
		}
	}
	return d
}

// The table of 国统字〔2017〕213号: for each industry a code, and the lower bounds of
// small, medium and large enterprises; -1 where the indicator doesn't count.
var sizeTable = []struct {
	code                       string
	employees, revenue, assets [3]int64
}{
	{"A0111", none, [3]int64{50, 500, 20000}, none},
	{"C3921", [3]int64{20, 300, 1000}, [3]int64{300, 2000, 40000}, none},
	{"E4710", none, [3]int64{300, 6000, 80000}, [3]int64{300, 5000, 80000}},
	{"F5111", [3]int64{5, 20, 200}, [3]int64{1000, 5000, 40000}, none},
	{"F5211", [3]int64{10, 50, 300}, [3]int64{100, 500, 20000}, none},
	{"G5411", [3]int64{20, 300, 1000}, [3]int64{200, 3000, 30000}, none},
	{"G5910", [3]int64{20, 300, 1000}, [3]int64{200, 3000, 30000}, none},
	{"G5920", [3]int64{20, 100, 200}, [3]int64{100, 1000, 30000}, none},
	{"G6020", [3]int64{20, 300, 1000}, [3]int64{100, 2000, 30000}, none},
	{"H6110", [3]int64{10, 100, 300}, [3]int64{100, 2000, 10000}, none},
	{"H6210", [3]int64{10, 100, 300}, [3]int64{100, 2000, 10000}, none},
	{"I6311", [3]int64{10, 100, 2000}, [3]int64{100, 1000, 100000}, none},
	{"I6513", [3]int64{10, 100, 300}, [3]int64{50, 1000, 10000}, none},
	{"K7010", none, [3]int64{100, 1000, 200000}, [3]int64{2000, 5000, 10000}},
	{"K7020", [3]int64{100, 300, 1000}, [3]int64{500, 1000, 5000}, none},
	{"L7211", [3]int64{10, 100, 300}, none, [3]int64{100, 8000, 120000}},
	{"M7320", [3]int64{10, 100, 300}, none, none},
	{"K7030", [3]int64{10, 100, 300}, none, none},
	{"", [3]int64{10, 100, 300}, none, none}, // the pack's own: industry not known
}

var none = [3]int64{-1, -1, -1}

func TestSizeFollowsTheStandardsTable(t *testing.T) {
	names := []string{"micro", "small", "medium", "large"}
	var cases []taggingtest.Case
	for _, row := range sizeTable {
		for step := range 3 { // at each lower bound, and one short of each indicator
			reached := [3]int64{row.employees[step], row.revenue[step], row.assets[step]}
			cases = append(cases, taggingtest.Case{
				Name: row.code + " at the bound of " + names[step+1], Want: tags("size", names[step+1]),
				Customer: enterprise(row.code, reached[0], reached[1], reached[2]),
			})
			for i := range reached {
				short := reached
				if short[i]--; short[i] < 0 {
					continue
				}
				cases = append(cases, taggingtest.Case{
					Name: row.code + " short of " + names[step+1], Want: tags("size", names[step]),
					Customer: enterprise(row.code, short[0], short[1], short[2]),
				})
			}
		}
	}
	cases = append(cases,
		taggingtest.Case{Name: "micro by revenue alone", Customer: enterprise("C3921", -1, 299, -1), Want: tags("size", "micro")},
		taggingtest.Case{Name: "small or micro, not known which", Customer: enterprise("C3921", -1, 300, -1)},
		taggingtest.Case{Name: "banks are not in the standard", Customer: enterprise("J6621", 5000, 900000, 900000)},
		taggingtest.Case{Name: "an industry that a person assigned", Customer: enterprise("", 20, 300, -1), Tags: tags("industry", "C"), Want: tags("size", "small")},
	)
	try(t, "size", []string{"industry"}, cases...)
}

func receivables(pairs ...any) map[string]classify.Value {
	facts := map[string]classify.Value{}
	for pair := range slices.Chunk(pairs, 2) {
		value := classify.NumberValue(0)
		switch x := pair[1].(type) {
		case int:
			value = classify.IntegerValue(int64(x))
		case float64:
			value = classify.NumberValue(x)
		}
		facts["receivables."+pair[0].(string)] = value
	}
	return facts
}

func TestPaymentTerms(t *testing.T) {
	var cases []taggingtest.Case
	for days, want := range map[int]string{-1: "prepaid", 0: "on_delivery", 1: "short", 30: "short", 31: "medium", 60: "medium", 61: "long", 90: "long", 91: "very_long"} {
		cases = append(cases, taggingtest.Case{Name: "agreed " + want, Facts: receivables("terms_days", days), Want: tags("payment_terms", want)})
	}
	attribute := customer.Draft{Attributes: []customer.Attribute{{Name: "payment_days", Value: customer.NumberValue(45)}}}
	cases = append(cases,
		taggingtest.Case{Name: "attribute", Customer: attribute, Want: tags("payment_terms", "medium")},
		taggingtest.Case{Name: "both", Customer: attribute, Facts: receivables("terms_days", 0), Want: tags("payment_terms", "on_delivery")},
		taggingtest.Case{Name: "neither"},
	)
	try(t, "payment_terms", nil, cases...)
}

func TestPaymentHabit(t *testing.T) {
	var cases []taggingtest.Case
	for days, want := range map[float64]string{-5: "early", -4.9: "prompt", 0: "prompt", 3: "prompt", 3.1: "slightly_late", 30: "slightly_late", 30.5: "late", 60: "late", 61: "very_late", 90: "very_late", 90.1: "extremely_late"} {
		cases = append(cases, taggingtest.Case{Name: want, Facts: receivables("days_late", days, "paid_items", 3, "overdue_days", 90), Want: tags("payment_habit", want)})
	}
	cases = append(cases,
		taggingtest.Case{Name: "too few items", Facts: receivables("days_late", 10.0, "paid_items", 2, "overdue_days", 0)},
		taggingtest.Case{Name: "default", Facts: receivables("days_late", -8.0, "paid_items", 40, "overdue_days", 91), Want: tags("payment_habit", "default")},
	)
	try(t, "payment_habit", nil, cases...)
}

func TestCreditGrade(t *testing.T) {
	var cases []taggingtest.Case
	for score, want := range map[float64]string{100: "AAA", 90: "AAA", 89.9: "AA", 80: "AA", 70: "A", 60: "BBB", 59.5: "BB", 50: "BB", 40: "B", 30: "CCC", 20: "CC", 19.9: "C", 0: "C"} {
		cases = append(cases, taggingtest.Case{Name: want, Facts: receivables("score", score), Want: tags("credit_grade", want)})
	}
	cases = append(cases,
		taggingtest.Case{Name: "default", Facts: receivables("score", 95.0, "overdue_days", 91), Want: tags("credit_grade", "D")},
		taggingtest.Case{Name: "not yet in default", Facts: receivables("score", 95.0, "overdue_days", 90), Want: tags("credit_grade", "AAA")},
	)
	try(t, "credit_grade", nil, cases...)
}

// monthly makes count events of a type in the middle of each month from one to another.
func monthly(typ string, count int64, from, to time.Time) (events []customer.Event) {
	for m := from; !m.After(to); m = m.AddDate(0, 1, 0) {
		events = append(events, customer.Event{Type: typ, Time: m.AddDate(0, 0, 9), Count: count})
	}
	return events
}

func once(typ string, at time.Time) []customer.Event {
	return []customer.Event{{Type: typ, Time: at}}
}

func TestLifecycle(t *testing.T) {
	jan25, jun25, jul25, dec25 := date(2025, 1, 1), date(2025, 6, 1), date(2025, 7, 1), date(2025, 12, 1)
	try(t, "lifecycle", nil,
		taggingtest.Case{
			// The first month is November: introduction ends six months later, on 1 May. Then the
			// one order is among the six whole months before May and none before: growth. 181 days
			// after the order it has been silent for more than 180: 10 in November, 31, 31, 28, 31,
			// 30, and 20 in May.
			Name: "one order", Events: once("order", date(2025, 11, 20)), Want: tags("lifecycle", "introduction"),
			Then: []taggingtest.Flip{
				{At: date(2026, 5, 1), Want: tags("lifecycle", "growth")},
				{At: date(2026, 5, 20), Want: tags("lifecycle", "decline")},
			},
		},
		taggingtest.Case{
			Name: "12 after 6 in the half year before", Want: tags("lifecycle", "growth"),
			Events: slices.Concat(monthly("order", 1, jan25, jun25), monthly("order", 2, jul25, dec25)),
		},
		taggingtest.Case{Name: "6 after 6", Events: monthly("order", 1, jan25, dec25), Want: tags("lifecycle", "maturity")},
		taggingtest.Case{
			Name: "6 after 12", Want: tags("lifecycle", "decline"),
			Events: slices.Concat(monthly("order", 2, jan25, jun25), monthly("order", 1, jul25, dec25)),
		},
		taggingtest.Case{Name: "silent for 181 days", Events: once("order", date(2025, 7, 18)), Want: tags("lifecycle", "decline")},
		taggingtest.Case{Name: "never ordered", Events: once("visit", jan25)},
	)
}

func rfm(r, f, m, segment string) []classify.TagRef {
	refs := tags("rfm_recency", r, "rfm_frequency", f, "rfm", segment)
	if m != "" {
		refs = append(refs, tags("rfm_monetary", m)...)
	}
	return refs
}

func TestRFM(t *testing.T) {
	try(t, "rfm", nil,
		taggingtest.Case{
			// 24 orders, the last on 10 January. On 1 February the two of February 2025 leave the
			// twelve months; on 10 February 31 days have passed.
			Name: "champion", Events: monthly("order", 2, date(2025, 2, 1), date(2026, 1, 1)), Facts: receivables("invoiced_12m", 100_000_000),
			Want: rfm("5", "5", "5", "champion"),
			Then: []taggingtest.Flip{
				{At: date(2026, 2, 1), Want: rfm("5", "4", "5", "champion")},
				{At: date(2026, 2, 10), Want: rfm("4", "4", "5", "champion")},
			},
		},
		taggingtest.Case{ // 12 orders, the last 36 days ago
			Name: "loyal", Events: monthly("order", 1, date(2025, 1, 1), date(2025, 12, 1)), Facts: receivables("invoiced_12m", 10_000_000),
			Want: rfm("4", "3", "3", "loyal"),
		},
		taggingtest.Case{ // 6 orders from February on, the last 189 days ago
			Name: "at risk", Events: monthly("order", 1, date(2025, 2, 1), date(2025, 7, 1)),
			Want: rfm("2", "3", "", "at_risk"),
		},
		taggingtest.Case{ // one order 360 days ago, before the twelve months; 366 days on 21 January
			Name: "hibernating, then lost", Events: once("order", date(2025, 1, 20)),
			Want: rfm("2", "1", "", "hibernating"),
			Then: []taggingtest.Flip{{At: date(2026, 1, 21), Want: rfm("1", "1", "", "lost")}},
		},
		taggingtest.Case{ // points 5 and 1: the mean of 1 and 5 is 3
			Name: "a large first order", Events: once("order", date(2026, 1, 14)), Facts: receivables("invoiced_12m", 100_000_000),
			Want: rfm("5", "1", "5", "loyal"),
		},
		taggingtest.Case{Name: "never ordered", Facts: receivables("invoiced_12m", 5)},
	)
}

func TestUsage(t *testing.T) {
	since := once("use", date(2025, 8, 5))
	autumn := func(count int64) []customer.Event {
		return append(monthly("use", count, date(2025, 10, 1), date(2025, 12, 1)), since...)
	}
	try(t, "usage", nil,
		taggingtest.Case{Name: "60 in three months", Events: autumn(20), Want: tags("usage", "daily")},
		taggingtest.Case{Name: "57 in three months", Events: autumn(19), Want: tags("usage", "weekly")},
		taggingtest.Case{Name: "12 in three months", Events: autumn(4), Want: tags("usage", "weekly")},
		taggingtest.Case{Name: "9 in three months", Events: autumn(3), Want: tags("usage", "monthly")},
		taggingtest.Case{Name: "3 in three months", Events: autumn(1), Want: tags("usage", "monthly")},
		taggingtest.Case{Name: "2 in three months", Events: append(since, customer.Event{Type: "use", Time: date(2025, 11, 3), Count: 2}), Want: tags("usage", "occasional")},
		taggingtest.Case{Name: "not in three months", Events: since, Want: tags("usage", "none")},
		taggingtest.Case{
			// From December on; the three whole months January to March are over on 1 April. On
			// 1 May those are February to April.
			Name: "starting", Want: tags("usage", "starting"),
			Events: append(once("use", date(2025, 12, 31)), customer.Event{Type: "use", Time: date(2026, 1, 10), Count: 12}),
			Then: []taggingtest.Flip{
				{At: date(2026, 4, 1), Want: tags("usage", "weekly")},
				{At: date(2026, 5, 1), Want: tags("usage", "none")},
			},
		},
		taggingtest.Case{Name: "never"},
	)
}

func TestActivity(t *testing.T) {
	try(t, "activity", nil,
		taggingtest.Case{
			// From 1 September, the first month, to the third order on 9 November there are 69 days,
			// so the mean interval is 34.5. More than 2 of them have passed on day 70 after the last,
			// 18 January (21 in November, 31, 18); more than 4 on day 139, 28 March.
			Name: "every five weeks", Want: tags("cadence", "active"),
			Events: slices.Concat(once("order", date(2025, 9, 10)), once("order", date(2025, 10, 10)), once("order", date(2025, 11, 9))),
			Then: []taggingtest.Flip{
				{At: date(2026, 1, 18), Want: tags("cadence", "dormant")},
				{At: date(2026, 3, 28), Want: tags("cadence", "lost")},
			},
		},
		taggingtest.Case{
			// The interval of one day counts as a week: day 15 and day 29.
			Name: "daily", Want: tags("cadence", "active"), Now: date(2026, 1, 12),
			Events: append(once("order", date(2026, 1, 10)), customer.Event{Type: "order", Time: date(2026, 1, 1), Count: 9}),
			Then: []taggingtest.Flip{
				{At: date(2026, 1, 25), Want: tags("cadence", "dormant")},
				{At: date(2026, 2, 8), Want: tags("cadence", "lost")},
			},
		},
		taggingtest.Case{
			// 181 days after 1 January is 1 July; 361 days after is 28 December.
			Name: "one order", Want: tags("cadence", "active"), Events: once("order", date(2026, 1, 1)),
			Then: []taggingtest.Flip{
				{At: date(2026, 7, 1), Want: tags("cadence", "dormant")},
				{At: date(2026, 12, 28), Want: tags("cadence", "lost")},
			},
		},
		taggingtest.Case{Name: "never ordered"},
	)
}
