package packs

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/tagging/classify"
)

// Attributes returns the custom attributes that packs read, for a book's schema: each
// once, in the order of the names.
func Attributes(packs ...string) []customer.AttributeSpec {
	var specs []customer.AttributeSpec
	for _, a := range attributes {
		if slices.ContainsFunc(packs, func(name string) bool { return slices.Contains(a.packs, name) }) {
			specs = append(specs, a.AttributeSpec)
		}
	}
	return specs
}

var attributes = []struct {
	customer.AttributeSpec
	packs []string
}{
	{customer.AttributeSpec{Name: "assets", Type: customer.Number, Decimals: 2, Title: map[string]string{"en": "Total assets (10,000 CNY)", "zh-Hans": "资产总额（万元）", "zh-Hant": "資產總額（萬元）"}}, []string{"size"}},
	{customer.AttributeSpec{Name: "employees", Type: customer.Number, Title: map[string]string{"en": "Employees", "zh-Hans": "从业人员", "zh-Hant": "從業人員"}}, []string{"size"}},
	{customer.AttributeSpec{Name: "industry", Type: customer.Text, Title: map[string]string{"en": "Industry code (GB/T 4754)", "zh-Hans": "行业代码（GB/T 4754）", "zh-Hant": "行業代碼（GB/T 4754）"}}, []string{"industry", "size"}},
	{customer.AttributeSpec{Name: "payment_days", Type: customer.Number, Title: map[string]string{"en": "Agreed days to payment", "zh-Hans": "约定账期（天）", "zh-Hant": "約定帳期（天）"}}, []string{"payment_terms"}},
	{customer.AttributeSpec{Name: "revenue", Type: customer.Number, Decimals: 2, Title: map[string]string{"en": "Annual revenue (10,000 CNY)", "zh-Hans": "年营业收入（万元）", "zh-Hant": "年營業收入（萬元）"}}, []string{"size"}},
}

// Receivables declares the facts of receivables that packs read. Its Load knows none of
// them, so that the packs can be active before there are receivables; a program that has
// them elsewhere replaces Load, and Changed where it keeps them in the book.
func Receivables() classify.FactSource {
	return classify.FactSource{
		Name: "receivables",
		Facts: []classify.FactSpec{
			{Name: "receivables.terms_days", Type: classify.Integer, Doc: "the agreed days from delivery to payment; 0 on delivery, negative in advance"},
			{Name: "receivables.days_late", Type: classify.Number, Doc: "the mean days late of what was paid in the last 12 months, weighted by amount; negative is early"},
			{Name: "receivables.paid_items", Type: classify.Integer, Doc: "the number of items paid in the last 12 months"},
			{Name: "receivables.overdue_days", Type: classify.Integer, Doc: "the days that the oldest open item is overdue; 0 when none is"},
			{Name: "receivables.score", Type: classify.Number, Doc: "a credit score, from 0, the worst, to 100"},
			{Name: "receivables.invoiced_12m", Type: classify.Integer, Doc: "what was invoiced in the last 12 months, in minor units of the base currency"},
			{Name: "receivables.margin_12m", Type: classify.Integer, Doc: "what was earned on that, as far as documents tell, in minor units of the base currency"},
		},
		Load: func(_ context.Context, _ *storage.Reader, q classify.Request) ([]classify.Value, time.Time, error) {
			return make([]classify.Value, len(q.Want)), time.Time{}, nil
		},
	}
}

// Quintiles returns the four thresholds that divide values into five groups of equal
// size, the highest first, as the parameters frequency and monetary of [RFM] take them: a
// value of at least the first is among the highest fifth. For recency, where less is
// better, see [LeastQuintiles]. The result is nil for fewer than five values; values are not
// changed.
//
// A threshold is the least value of its group by the nearest rank method. Thresholds don't
// follow the book: compute them anew now and then, and activate the pack with them.
func Quintiles(values []int64) []any {
	return thresholds(values, func(a, b int64) int { return cmp.Compare(b, a) })
}

// LeastQuintiles is Quintiles for values of which the lowest are the best: a value of at most
// the first is among the lowest fifth.
func LeastQuintiles(values []int64) []any {
	return thresholds(values, cmp.Compare[int64])
}

// thresholds returns the last values of the first four fifths in an order.
func thresholds(values []int64, order func(a, b int64) int) []any {
	if len(values) < 5 {
		return nil
	}
	sorted := slices.SortedFunc(slices.Values(values), order)
	var list []any
	for i := 1; i < 5; i++ {
		list = append(list, sorted[(len(sorted)*i+4)/5-1])
	}
	return list
}
