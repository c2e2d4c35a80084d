package aging_test

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/language"
	"pgregory.net/rapid"

	"github.com/clientele-go/clientele/credit/aging"
	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
)

const asOf date.Date = 45_000

func scheme(bounds ...int) aging.Scheme {
	b, err := aging.NewBuckets(bounds...)
	if err != nil {
		panic(err)
	}
	return aging.Scheme{AsOf: asOf, Buckets: b}
}

// lines returns rows as text.
func lines(t testing.TB, sums *aging.Accumulator) []string {
	t.Helper()
	var list []string
	for row, err := range sums.Rows() {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, fmt.Sprint(row.Customer, row.Currency, row.Buckets, row.Unapplied, row.Balance))
	}
	return list
}

func TestBucketNamesAndRanges(t *testing.T) {
	for bounds, want := range map[string]string{
		"30,60,90":   "not_due d1_30 d31_60 d61_90 d90_plus",
		"15,45":      "not_due d1_15 d16_45 d45_plus",
		"1":          "not_due d1_1 d1_plus",
		"-60,-30,30": "due_60_plus due_31_60 due_0_30 d1_30 d30_plus",
		"-30":        "due_30_plus due_0_30 d0_plus",
		"":           "not_due d0_plus",
	} {
		var b aging.Buckets
		if err := b.UnmarshalText([]byte(bounds)); err != nil {
			t.Fatal(err)
		}
		var names []string
		for column := range b.Len() {
			names = append(names, b.Name(column))
		}
		if got := strings.Join(names, " "); got != want || b.String() != bounds {
			t.Errorf("%q: %s (%s), want %s", bounds, got, b, want)
		}
		for days := -200; days <= 200; days++ {
			least, most, open := b.Range(b.Column(days))
			if open != aging.AtLeast && days < least || open != aging.AtMost && days > most {
				t.Errorf("%q: %d days are in %d to %d (%d)", bounds, days, least, most, open)
			}
		}
	}
	for _, bad := range []string{"30,", "x", "0,30", "30,30", "60,30", "-30,-60", "1.5", "30;60", "999999999", "99999999999999999999"} {
		if b, err := aging.ParseBuckets(bad); !errors.Is(err, aging.ErrBuckets) {
			t.Errorf("%q: %v, %v", bad, b, err)
		}
	}
	many := make([]int, 61)
	for i := range many {
		many[i] = i + 1
	}
	if _, err := aging.NewBuckets(many...); !errors.Is(err, aging.ErrBuckets) {
		t.Error(err)
	}
}

// By due date: 0 days past due is not due, 30 is in 1–30, 31 in 31–60. By document date:
// ages 0 to 30 are in 1–30 and nothing is not due.
func TestColumnsByDueAndByDocument(t *testing.T) {
	s := scheme(30, 60, 90)
	for days, want := range map[int]int{-400: 0, 0: 0, 1: 1, 30: 1, 31: 2, 60: 2, 61: 3, 90: 3, 91: 4, 9999: 4} {
		if got := s.Column(1, asOf-date.Date(days)); got != want {
			t.Errorf("%d days past due: column %d, want %d", days, got, want)
		}
	}
	s.Basis = aging.ByDocument
	for days, want := range map[int]int{0: 1, 1: 1, 30: 1, 31: 2, 91: 4} {
		if got := s.Column(asOf-date.Date(days), asOf+100); got != want {
			t.Errorf("%d days old: column %d, want %d", days, got, want)
		}
	}
}

// entry is one addition, for comparison with sums in maps.
type entry struct {
	customer uint64
	currency money.Currency
	column   int
	minor    int64
}

func draw(t *rapid.T, width int) []entry {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) entry {
		return entry{
			rapid.OneOf(rapid.Uint64Max(3), rapid.Uint64Max(20_000), rapid.Just[uint64](math.MaxUint64)).Draw(t, "customer"),
			rapid.SampledFrom([]money.Currency{money.JPY, money.CNY, money.KWD}).Draw(t, "currency"),
			rapid.IntRange(0, width-1).Draw(t, "column"),
			rapid.Int64Range(-1e15, 1e15).Draw(t, "minor"),
		}
	}), 0, 60).Draw(t, "entries")
}

func add(sums *aging.Accumulator, list []entry) {
	for _, e := range list {
		sums.Add(sums.Account(e.customer, e.currency), e.column, e.minor)
	}
}

func TestSumsAgreeWithNaiveOnesInAnyOrder(t *testing.T) {
	s := scheme(30, 60)
	rapid.Check(t, func(rt *rapid.T) {
		list := draw(rt, 5)
		type key struct {
			customer uint64
			currency money.Currency
		}
		naive := map[key]*[5]int64{}
		for _, e := range list {
			k := key{e.customer, e.currency}
			if naive[k] == nil {
				naive[k] = new([5]int64)
			}
			naive[k][e.column] += e.minor
		}
		keys := slices.SortedFunc(maps.Keys(naive), func(a, b key) int {
			return cmp.Or(cmp.Compare(a.customer, b.customer), strings.Compare(a.currency.String(), b.currency.String()))
		})
		var want []string
		for _, k := range keys {
			n := naive[k]
			if *n != [5]int64{} {
				want = append(want, fmt.Sprint(k.customer, k.currency, n[:4], n[4], n[0]+n[1]+n[2]+n[3]+n[4]))
			}
		}

		one := aging.NewAccumulator(s)
		add(one, list)
		if got := lines(t, one); !slices.Equal(got, want) {
			rt.Fatalf("got %v, want %v", got, want)
		}
		cut := rapid.IntRange(0, len(list)).Draw(rt, "cut")
		first, second := aging.NewAccumulator(s), aging.NewAccumulator(s)
		slices.Reverse(list)
		add(first, list[:cut])
		add(second, list[cut:])
		if err := first.Merge(second); err != nil {
			rt.Fatal(err)
		}
		if got := lines(t, first); !slices.Equal(got, want) {
			rt.Fatalf("in parts and backwards %v, want %v", got, want)
		}
		for i := range list {
			list[i].minor = -list[i].minor
		}
		add(one, list)
		if got := lines(t, one); len(got) > 0 {
			rt.Fatalf("undone, %v is left", got)
		}
	})
}

func TestSumsMayLeaveTheRangeOnTheWay(t *testing.T) {
	s := scheme(30)
	sums, other := aging.NewAccumulator(s), aging.NewAccumulator(s)
	account := sums.Account(7, money.CNY)
	sums.Add(account, 0, math.MaxInt64)
	sums.Add(account, 0, 5)
	if err := firstError(sums); !errors.Is(err, aging.ErrOverflow) {
		t.Errorf("%v", err)
	}
	total := sums.RollUp(func(uint64) (uint64, bool) { return 0, true })
	if err := firstError(total); !errors.Is(err, aging.ErrOverflow) {
		t.Errorf("rolled up: %v", err)
	}
	other.Add(other.Account(7, money.CNY), 0, -10)
	if err := sums.Merge(other); err != nil {
		t.Fatal(err)
	}
	// MaxInt64 + 5 - 10 = MaxInt64 - 5
	if got := lines(t, sums); !slices.Equal(got, []string{"7 CNY [9223372036854775802 0 0] 0 9223372036854775802"}) {
		t.Errorf("%v", got)
	}
	// The balance too: MaxInt64 - 5 + 10 - 20, whatever is added up first.
	sums.Add(account, 1, 10)
	sums.Add(account, s.Unapplied(), -20)
	if got := lines(t, sums); !slices.Equal(got, []string{"7 CNY [9223372036854775802 10 0] -20 9223372036854775792"}) {
		t.Errorf("%v", got)
	}
	sums.Add(account, 1, 100)
	if err := firstError(sums); !errors.Is(err, aging.ErrOverflow) {
		t.Errorf("a balance too large: %v", err)
	}
}

func firstError(sums *aging.Accumulator) error {
	for _, err := range sums.Rows() {
		if err != nil {
			return err
		}
	}
	return nil
}

func TestMergeRefusesAnotherScheme(t *testing.T) {
	sums := aging.NewAccumulator(scheme(30))
	if err := sums.Merge(aging.NewAccumulator(scheme(30, 60))); !errors.Is(err, aging.ErrScheme) {
		t.Error(err)
	}
}

func TestRowsOfOneCustomer(t *testing.T) {
	sums := aging.NewAccumulator(scheme(30))
	sums.Add(sums.Account(5, money.KWD), 0, 1)
	sums.Add(sums.Account(5, money.CNY), 1, 2)
	sums.Add(sums.Account(6, money.CNY), 1, 3)
	var got []string
	for row := range sums.RowsOf(5) {
		got = append(got, fmt.Sprint(row.Currency, row.Balance))
	}
	for row := range sums.RowsOf(99_999) {
		got = append(got, fmt.Sprint("of nobody", row))
	}
	if fmt.Sprint(got) != "[CNY 2 KWD 1]" {
		t.Errorf("%v", got)
	}
}

// Customer 1: 0.05 CNY × 1, 1 JPY × 0.05 = 0.05 and 3 JPY × 0.05 = 0.15 in other buckets;
// 10.05 KWD × 0.5 = 5.025 → 5.02, half to even. Customer 2: 0.01 USD × 0.4 → 0: no row.
func TestConversionRoundsEachBucketOfEachCurrency(t *testing.T) {
	s := scheme(30)
	sums := aging.NewAccumulator(s)
	sums.Add(sums.Account(1, money.CNY), 0, 5)
	sums.Add(sums.Account(1, money.JPY), 0, 1)
	sums.Add(sums.Account(1, money.JPY), s.Unapplied(), -3)
	sums.Add(sums.Account(1, money.KWD), 2, 10050)
	sums.Add(sums.Account(2, money.USD), 0, 1)
	sums.Add(sums.Account(3, money.GBP), 0, 0) // nothing open: its rate isn't needed
	rates := func(c money.Currency) (money.Rate, error) {
		switch c {
		case money.JPY:
			return money.ParseRate("0.05")
		case money.KWD:
			return money.ParseRate("0.5")
		case money.USD:
			return money.ParseRate("0.4")
		}
		return money.Rate{}, fmt.Errorf("no rate of %s", c)
	}
	var got []string
	for row, err := range sums.In(money.CNY, rates) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprint(row.Customer, row.Currency, row.Buckets, row.Unapplied, row.Balance))
	}
	if !slices.Equal(got, []string{"1 CNY [10 0 502] -15 497"}) {
		t.Errorf("%v", got)
	}
	sums.Add(sums.Account(3, money.GBP), 0, 1)
	for _, err := range sums.InOf(3, money.CNY, rates) {
		if err == nil || err.Error() != "no rate of GBP" {
			t.Errorf("%v", err)
		}
	}
}

// Credits of 130 settle 50 due first, then 60 of the same due date but the older
// document, then 20 of 40.
func TestFIFOSettlesByDueDateDocumentDateItem(t *testing.T) {
	debits := []aging.Debit{
		{Due: 20, Document: 5, Item: 1, Open: 40},
		{Due: 20, Document: 4, Item: 9, Open: 60},
		{Due: 10, Document: 9, Item: 3, Open: 50},
		{Due: 20, Document: 5, Item: 2, Open: 7},
	}
	if left := aging.FIFO(debits, 130); left != 0 {
		t.Errorf("%d left", left)
	}
	var open []string
	for _, d := range debits {
		open = append(open, fmt.Sprint(d.Item, ":", d.Open))
	}
	if fmt.Sprint(open) != "[3:0 9:0 1:20 2:7]" {
		t.Errorf("%v", open)
	}
	if left := aging.FIFO(debits, 50); left != 23 { // 50 - 27
		t.Errorf("%d left", left)
	}
}

func TestSettleAgreesWithFIFOOfItems(t *testing.T) {
	s := scheme(-30, 30, 60)
	rapid.Check(t, func(t *rapid.T) {
		sums, want := aging.NewAccumulator(s), aging.NewAccumulator(s)
		account := sums.Account(1, money.CNY)
		credits := rapid.Int64Range(0, 500).Draw(t, "credits")
		sums.Add(account, s.Unapplied(), -credits)
		var debits []aging.Debit
		for i := range rapid.IntRange(0, 12).Draw(t, "debits") {
			d := aging.Debit{Due: asOf + date.Date(rapid.IntRange(-100, 100).Draw(t, "due")), Item: uint64(i), Open: rapid.Int64Range(0, 100).Draw(t, "open")}
			debits = append(debits, d)
			sums.Add(account, s.Column(d.Document, d.Due), d.Open)
		}
		left := aging.FIFO(debits, credits)
		account = want.Account(1, money.CNY)
		want.Add(account, s.Unapplied(), -left)
		for _, d := range debits {
			want.Add(account, s.Column(d.Document, d.Due), d.Open)
		}
		if err := sums.Settle(); err != nil {
			t.Fatal(err)
		}
		for row, err := range want.Rows() {
			for got := range sums.Rows() {
				if err != nil || fmt.Sprint(got) != fmt.Sprint(row) {
					t.Fatalf("got %v, want %v, %v", got, row, err)
				}
			}
		}
	})
	byDocument := aging.NewAccumulator(aging.Scheme{Basis: aging.ByDocument})
	if err := byDocument.Settle(); !errors.Is(err, aging.ErrBasis) {
		t.Error(err)
	}
}

func table(t *testing.T) aging.Table {
	s := scheme(30)
	sums := aging.NewAccumulator(s)
	sums.Add(sums.Account(1, money.CNY), 1, 123456789)
	sums.Add(sums.Account(2, money.JPY), 0, 5)
	sums.Add(sums.Account(2, money.KWD), s.Unapplied(), -1005)
	names := []string{"", `a "quoted", <b>`, "two\nlines"}
	return aging.Table{Scheme: s, Rows: sums.Rows(), Name: func(c uint64) string { return names[c] }}
}

func TestCSV(t *testing.T) {
	var out bytes.Buffer
	if err := table(t).WriteCSV(&out); err != nil {
		t.Fatal(err)
	}
	want := "customer,currency,not_due,d1_30,d30_plus,unapplied,balance\n" +
		"\"a \"\"quoted\"\", <b>\",CNY,0.00,1234567.89,0.00,0.00,1234567.89\n" +
		"\"two\nlines\",JPY,5,0,0,0,5\n" +
		"\"two\nlines\",KWD,0.000,0.000,0.000,-1.005,-1.005\n"
	if out.String() != want {
		t.Errorf("got\n%s want\n%s", &out, want)
	}
	if records, err := csv.NewReader(&out).ReadAll(); err != nil || records[1][0] != `a "quoted", <b>` {
		t.Errorf("%v %v", records, err)
	}
}

func TestHTMLEscapesAndSaysThatFIFOIsSimulated(t *testing.T) {
	table := table(t)
	table.FIFO, table.Base, table.KnownOn = true, money.CNY, asOf
	for tag, want := range map[language.Tag][]string{
		language.English: {`<html lang="en">`, "simulation", "a &#34;quoted&#34;, &lt;b&gt;", "<td>1,234,567.89</td>", "in CNY", "as known on " + asOf.String()},
		language.Chinese: {`<html lang="zh-Hans">`, "模拟", "应收账款账龄分析", "折算为CNY", "30天以上"},
	} {
		table.Language = tag
		var out bytes.Buffer
		if err := table.WriteHTML(&out); err != nil {
			t.Fatal(err)
		}
		for _, text := range want {
			if !strings.Contains(out.String(), text) {
				t.Errorf("%v: %q is missing in\n%s", tag, text, &out)
			}
		}
	}
}

func TestErrorsOfRowsEndTheTable(t *testing.T) {
	s := scheme(30)
	sums := aging.NewAccumulator(s)
	sums.Add(sums.Account(1, money.CNY), 0, math.MaxInt64)
	sums.Add(sums.Account(1, money.CNY), 0, 1)
	table := aging.Table{Scheme: s, Rows: sums.Rows()}
	for name, write := range map[string]func(*bytes.Buffer) error{
		"csv":  func(b *bytes.Buffer) error { return table.WriteCSV(b) },
		"text": func(b *bytes.Buffer) error { return table.WriteText(b) },
		"html": func(b *bytes.Buffer) error { return table.WriteHTML(b) },
	} {
		if err := write(new(bytes.Buffer)); !errors.Is(err, aging.ErrOverflow) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A million items of 100,000 customers, in order as a page scan feeds them.
func BenchmarkAdd(b *testing.B) {
	const items, each = 1_000_000, 10
	s := scheme(30, 60, 90)
	for b.Loop() {
		sums := aging.NewAccumulator(s)
		for i := range items {
			account := sums.Account(uint64(i/each), money.CNY)
			sums.Add(account, s.Column(asOf, asOf+date.Date(30-i*7%200)), int64(i))
		}
	}
	b.ReportMetric(float64(items)*float64(b.N)/b.Elapsed().Seconds(), "items/s")
}

// Headings in two languages are two lines over the same columns, each as wide as the wider
// of both; a Chinese character takes two columns of a terminal.
func TestHeadingsInTwoLanguages(t *testing.T) {
	scheme := aging.Scheme{AsOf: asOf}
	sums := aging.NewAccumulator(scheme)
	sums.Add(sums.Account(7, money.CNY), 0, 12_34)
	table := aging.Table{Scheme: scheme, Rows: sums.Rows(), Language: language.English, Second: language.Chinese}
	var text bytes.Buffer
	if err := table.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(text.String(), "\n")
	want := []string{
		"Receivables aging · as of " + asOf.String() + ", by due date",
		"应收账款账龄分析 · 截至" + asOf.String() + ", 按到期日",
		"",
		"Customer  Currency  Not due  Overdue  Unapplied  Balance",
		"客户      币种       未到期   已逾期     未核销     余额",
	}
	if len(lines) < len(want) || !slices.Equal(lines[:len(want)], want) {
		t.Errorf("got\n%swant\n%s", &text, strings.Join(want, "\n"))
	}
}
