package aging_test

import (
	"fmt"
	"log"
	"os"

	"golang.org/x/text/language"

	"github.com/clientele-go/clientele/credit/aging"
	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
)

// Two customers' open items at a date, as a table in Chinese.
func Example() {
	asOf, err := date.Parse("2024-08-15")
	if err != nil {
		log.Fatal(err)
	}
	scheme := aging.Scheme{AsOf: asOf, Buckets: aging.Standard()}
	sums := aging.NewAccumulator(scheme)

	acme := sums.Account(1, money.CNY)
	sums.Add(acme, scheme.Column(0, asOf-10), 120000) // 10 days past due
	sums.Add(acme, scheme.Column(0, asOf-95), 30000)
	sums.Add(acme, scheme.Unapplied(), -5000) // a payment not yet allocated
	tokyo := sums.Account(2, money.JPY)
	sums.Add(tokyo, scheme.Column(0, asOf+5), 88000)

	names := map[uint64]string{1: "宝山钢铁", 2: "Tokyo KK"}
	table := aging.Table{
		Scheme: scheme, Rows: sums.Rows(), Language: language.Chinese,
		Name: func(customer uint64) string { return names[customer] },
	}
	if err := table.WriteText(os.Stdout); err != nil {
		log.Fatal(err)
	}
	// Output:
	// 应收账款账龄分析 · 截至2024-08-15, 按到期日
	//
	// 客户      币种  未到期    1–30天  31–60天  61–90天  90天以上  未核销      余额
	// ──────────────────────────────────────────────────────────────────────────────
	// 宝山钢铁  CNY     0.00  1,200.00     0.00     0.00    300.00  -50.00  1,450.00
	// Tokyo KK  JPY   88,000         0        0        0         0       0    88,000
	// ──────────────────────────────────────────────────────────────────────────────
	// 合计      CNY     0.00  1,200.00     0.00     0.00    300.00  -50.00  1,450.00
	// 合计      JPY   88,000         0        0        0         0       0    88,000
}

// The days to which buckets belong, and their names in files.
func ExampleBuckets() {
	buckets, _ := aging.ParseBuckets("-30,15,45")
	for column := range buckets.Len() {
		fmt.Println(buckets.Name(column))
	}
	fmt.Println("0 days past due:", buckets.Name(buckets.Column(0)))
	fmt.Println("16 days past due:", buckets.Name(buckets.Column(16)))
	// Output:
	// due_30_plus
	// due_0_30
	// d1_15
	// d16_45
	// d45_plus
	// 0 days past due: due_0_30
	// 16 days past due: d16_45
}
