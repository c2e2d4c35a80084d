package measure_test

import (
	"fmt"
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/measure"
)

func day(text string) date.Date {
	d, err := date.Parse(text)
	if err != nil {
		panic(err)
	}
	return d
}

// A quarter's sales of 900,000, of which 300,000 are still owed, 60,000 of them overdue.
func Example() {
	quarter := measure.Period{
		From: day("2024-04-01"), To: day("2024-06-30"), // 91 days
		Sales: 900_000, Opening: 250_000, Closing: 300_000, Overdue: 60_000,
	}
	dso, _ := quarter.DSO()
	late, _ := quarter.AverageDaysDelinquent()
	effectiveness, _ := quarter.CollectionEffectiveness()
	fmt.Println("DSO", dso, "days, of which late", late)
	fmt.Println("collected", effectiveness, "of what could be")
	// Output:
	// DSO 30.33 days, of which late 6.07
	// collected 93.41% of what could be
}

func check[T comparable](t *testing.T, name string, want T, wantOK bool) func(got T, ok bool) {
	return func(got T, ok bool) {
		t.Helper()
		if ok != wantOK || ok && got != want {
			t.Errorf("%s is %v, %v; want %v, %v", name, got, ok, want, wantOK)
		}
	}
}

func TestPeriods(t *testing.T) {
	p := measure.Period{From: day("2024-04-01"), To: day("2024-06-30"), Sales: 900_000, Opening: 250_000, Closing: 300_000, Overdue: 60_000}
	check(t, "DSO", measure.Days(3033), true)(p.DSO())                              // 300 ÷ 900 × 91 = 30.333
	check(t, "best DSO", measure.Days(2427), true)(p.BestPossibleDSO())             // 240 ÷ 900 × 91 = 24.267
	check(t, "days delinquent", measure.Days(607), true)(p.AverageDaysDelinquent()) // 60 ÷ 900 × 91 = 6.067
	check(t, "CEI", measure.Share(9341), true)(p.CollectionEffectiveness())         // 850 ÷ 910 = 0.93407
	check(t, "turnover", int64(327), true)(p.Turnover())                            // 900 ÷ 275 = 3.2727
	check(t, "DSO without sales", measure.Days(0), false)(measure.Period{Closing: 1}.DSO())
	check(t, "CEI of nothing", measure.Share(0), false)(measure.Period{}.CollectionEffectiveness())
	check(t, "utilisation", measure.Share(12_500), true)(measure.Utilisation(125, 100))
	check(t, "utilisation without limit", measure.Share(0), false)(measure.Utilisation(125, 0))
	huge := measure.Period{From: 1, To: 91, Sales: math.MaxInt64, Closing: math.MaxInt64, Opening: math.MaxInt64}
	check(t, "DSO of huge figures", measure.Days(9100), true)(huge.DSO())
	check(t, "CEI of huge figures", measure.All, true)(huge.CollectionEffectiveness())
}

// 300 are owed at the end of June. June's 30 days have sales of 120: 180 are left. May's 31
// days have 100: 80 are left. Of April's 30 days with 160, half: 15. Together 76 days.
// By the simple method it would be 300 ÷ 380 × 91 = 71.84.
func TestCountBack(t *testing.T) {
	periods := []measure.Period{
		{From: day("2024-04-01"), To: day("2024-04-30"), Sales: 160},
		{From: day("2024-05-01"), To: day("2024-05-31"), Sales: 100},
		{From: day("2024-06-01"), To: day("2024-06-30"), Sales: 120, Closing: 300},
	}
	check(t, "count-back DSO", measure.Days(7600), true)(measure.CountBackDSO(periods))
	periods[2].Closing = 380 // all the sales of 91 days
	check(t, "all periods", measure.Days(9100), true)(measure.CountBackDSO(periods))
	periods[2].Closing = 381
	check(t, "more than all", measure.Days(0), false)(measure.CountBackDSO(periods))
	periods[2].Closing = 0
	check(t, "nothing owed", measure.Days(0), true)(measure.CountBackDSO(periods))
	// A month of returns: 300 − 120 = 180; May's −20 make it 200; of April's 400 half.
	periods[0].Sales, periods[1].Sales, periods[2].Closing = 400, -20, 300
	check(t, "returns", measure.Days(7600), true)(measure.CountBackDSO(periods))
	check(t, "no periods", measure.Days(0), false)(measure.CountBackDSO(nil))
}

// Three invoices of January 1st, due on the 31st: 100 paid on the 21st (20 days, 10
// early), 300 on February 10th (40 days, 10 late), 600 on February 20th (50 days, 20 late).
func TestPayments(t *testing.T) {
	var p measure.Payments
	settlements := []measure.Settlement{
		{Document: day("2024-01-01"), Due: day("2024-01-31"), Paid: day("2024-01-21"), Amount: 100},
		{Document: day("2024-01-01"), Due: day("2024-01-31"), Paid: day("2024-02-10"), Amount: 300},
		{Document: day("2024-01-01"), Due: day("2024-01-31"), Paid: day("2024-02-20"), Amount: 600},
	}
	for _, s := range settlements {
		p.Add(s)
	}
	check(t, "days to pay", measure.Days(3667), true)(p.AverageDaysToPay())   // 110 ÷ 3
	check(t, "weighted", measure.Days(4400), true)(p.WeightedDaysToPay())     // (2000 + 12000 + 30000) ÷ 1000
	check(t, "days late", measure.Days(667), true)(p.AverageDaysLate())       // 20 ÷ 3
	check(t, "weighted late", measure.Days(1400), true)(p.WeightedDaysLate()) // (−1000 + 3000 + 12000) ÷ 1000
	check(t, "beyond terms", measure.Days(1500), true)(p.DaysBeyondTerms())   // (3000 + 12000) ÷ 1000
	check(t, "share late", measure.Share(6667), true)(p.ShareLate())          // 2 of 3
	check(t, "amount late", measure.Share(9000), true)(p.AmountShareLate())   // 900 of 1000
	check(t, "of none", measure.Days(0), false)(measure.Payments{}.AverageDaysToPay())

	var q measure.Payments
	q.Merge(p)
	q.Merge(p)
	check(t, "twice the same", measure.Days(1400), true)(q.WeightedDaysLate())
	for _, s := range settlements {
		q.Remove(s)
	}
	if q != p {
		t.Errorf("after removal %+v, want %+v", q, p)
	}
}

func TestWeightedDaysAgreeWithBigNumbers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var p measure.Payments
		over, under := new(big.Rat), new(big.Rat)
		for range rapid.IntRange(1, 30).Draw(t, "n") {
			s := measure.Settlement{
				Due:    date.Date(rapid.IntRange(1, int(date.Last)).Draw(t, "due")),
				Paid:   date.Date(rapid.IntRange(1, int(date.Last)).Draw(t, "paid")),
				Amount: rapid.Int64Range(1, math.MaxInt64).Draw(t, "amount"),
			}
			p.Add(s)
			amount := new(big.Rat).SetInt64(s.Amount)
			under.Add(under, amount)
			over.Add(over, amount.Mul(amount, big.NewRat(int64(s.Paid.DaysSince(s.Due)), 1)))
		}
		got, ok := p.WeightedDaysLate()
		exact := over.Quo(over, under)
		difference := new(big.Rat).Sub(exact, big.NewRat(int64(got), 100))
		if !ok || difference.Abs(difference).Cmp(big.NewRat(1, 200)) > 0 {
			t.Fatalf("got %v, %v; want %v", got, ok, exact)
		}
	})
}

// Balances 10, 20, 30, 40 (and 0 and −5, which don't count). Top 1: 40 %. Gini:
// 2 × (10 + 40 + 90 + 160) ÷ (4 × 100) − 5 ÷ 4 = 0.25. Herfindahl: 0.01 + 0.04 + 0.09 +
// 0.16 = 0.30.
func TestConcentration(t *testing.T) {
	c := measure.NewConcentration([]int64{30, 10, -5, 40, 0, 20})
	check(t, "top 1", measure.Share(4000), true)(c.Top(1))
	check(t, "top 3", measure.Share(9000), true)(c.Top(3))
	check(t, "top 10", measure.All, true)(c.Top(10))
	check(t, "Gini", measure.Share(2500), true)(c.Gini())
	check(t, "Herfindahl", measure.Share(3000), true)(c.Herfindahl())
	if c.Customers() != 4 {
		t.Errorf("%d customers", c.Customers())
	}
	even := measure.NewConcentration([]int64{7, 7, 7})
	check(t, "Gini of equals", measure.Share(0), true)(even.Gini())
	for name, none := range map[string]measure.Concentration{"none": measure.NewConcentration(nil), "zero": {}} {
		check(t, name, measure.Share(0), false)(none.Gini())
		check(t, name, measure.Share(0), false)(none.Top(1))
		check(t, name, measure.Share(0), false)(none.Herfindahl())
	}
}

// The line through (0, 10), (1, 12), (2, 11), (3, 15): Σx = 6, Σy = 48, Σxy = 79, Σx² = 14;
// (4 × 79 − 6 × 48) ÷ (4 × 14 − 36) = 28 ÷ 20 = 1.4 days.
func TestTrend(t *testing.T) {
	check(t, "trend", measure.Days(140), true)(measure.Trend([]measure.Days{1000, 1200, 1100, 1500}))
	check(t, "falling", measure.Days(-100), true)(measure.Trend([]measure.Days{300, 200, 100}))
	check(t, "of one", measure.Days(0), false)(measure.Trend([]measure.Days{5}))
}

func TestFiguresAsTexts(t *testing.T) {
	for got, want := range map[string]string{
		measure.Days(-5).String(): "-0.05", measure.Days(4525).String(): "45.25", measure.Share(10_000).String(): "100.00%",
		measure.Days(math.MinInt64).String(): "-92233720368547758.08",
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// Averages of sums beyond 64 bits: 10¹⁸ × 100 days and 10¹⁸ × 50 days of 2 × 10¹⁸ are 75.
func TestWideSums(t *testing.T) {
	var w measure.Wide
	w.AddProduct(1e18, 100)
	w.AddProduct(1e18, 50)
	if got := w.Per(2e18); got != 75_000 {
		t.Errorf("%d thousandths", got)
	}
	w.AddProduct(-2e18, 150) // 150 − 300 = −150 × 10¹⁸
	if got := w.Per(2e18); got != -75_000 {
		t.Errorf("%d thousandths", got)
	}
	w.AddProduct(1e18, 150)
	if w != (measure.Wide{}) || w.Per(1) != 0 {
		t.Errorf("%v", w)
	}
}
