package credit_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/credit/aging"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
)

// revaluation is a book with two customers and rates in CNY: the dollar at 7.00 from
// January on, 7.10 from March, 7.20 from June, the yen at 0.05 and from June 0.048.
type revaluation struct {
	*book
	first, second customer.ID
}

func newRevaluation(t *testing.T) *revaluation {
	b := &revaluation{book: newBook(t, credit.Options{Base: money.CNY})}
	b.first = b.addCustomers(2)
	b.second = b.first + 1
	b.update(func(tx tx) error {
		return errors.Join(
			tx.SetRate(money.USD, day("2024-01-01"), rate(t, "7.00")), tx.SetRate(money.USD, day("2024-03-01"), rate(t, "7.10")),
			tx.SetRate(money.USD, day("2024-06-01"), rate(t, "7.20")),
			tx.SetRate(money.JPY, day("2024-01-01"), rate(t, "0.05")), tx.SetRate(money.JPY, day("2024-06-01"), rate(t, "0.048")))
	})
	// The first owes 1,000.00 USD of February, due in March, and 500.00 USD of March, booked
	// at 7.15 rather than the day's 7.10, due in July, and has paid 200.00 USD in advance in
	// March; and 300.00 CNY. The second owes 10,000 JPY of February.
	b.post(credit.Document{Key: "A", Customer: b.first, Kind: credit.Invoice, Date: day("2024-02-10"), Amount: usd(1000_00), Terms: terms(t, "NET30")})
	b.post(credit.Document{Key: "B", Customer: b.first, Kind: credit.Invoice, Date: day("2024-03-10"), Amount: usd(500_00), Terms: terms(t, "NET120"), Rate: rate(t, "7.15")})
	b.receive("P", b.first, "2024-03-20", usd(200_00))
	b.post(credit.Document{Key: "C", Customer: b.first, Kind: credit.Invoice, Date: day("2024-05-20"), Amount: cny(300_00)})
	b.post(credit.Document{Key: "D", Customer: b.second, Kind: credit.Invoice, Date: day("2024-02-01"), Amount: money.Amount{Minor: 10_000, Currency: money.JPY}})
	return b
}

func terms(t testing.TB, text string) credit.Terms {
	t.Helper()
	terms, err := credit.ParseTerms(text)
	if err != nil {
		t.Fatal(err)
	}
	return terms
}

// revalued is a report as text: the documents' row, the worth's, what was booked, and the
// difference.
func (b *revaluation) revalued(q credit.AgingQuery, v credit.Valuation) (lines, totals string) {
	b.t.Helper()
	write := func(v credit.Revaluation) string {
		return line(v.Document) + line(v.Worth) + fmt.Sprintln(v.Booked, v.Revalued)
	}
	b.view(func(r *credit.Reader) error {
		for v, err := range r.Revalue(q, v) {
			if err != nil {
				return err
			}
			lines += write(v)
		}
		list, err := r.RevalueTotal(q, v)
		for _, v := range list {
			totals += write(v)
		}
		return err
	})
	return lines, totals
}

// As of June 15th, a dollar is 7.20. Of the first: 500.00 USD not due are 3,600.00 CNY,
// 1,000.00 overdue by 96 days (due March 11th) 7,200.00, 200.00 unapplied −1,440.00:
// 9,360.00. Booked were 500 × 7.15 + 1,000 × 7.00 − 200 × 7.10 = 3,575 + 7,000 − 1,420 =
// 9,155.00, so 205.00 are unrealised. 300.00 CNY, 26 days overdue, are what they are. Of
// the second: 10,000 JPY × 0.048 = 480.00, booked at 0.05 = 500.00, a loss of 20.00, 135
// days overdue.
func TestRevaluationInTheBaseCurrency(t *testing.T) {
	b := newRevaluation(t)
	q := credit.AgingQuery{AsOf: day("2024-06-15"), Buckets: aging.Standard()}
	lines, totals := b.revalued(q, credit.Valuation{})
	cnyRow := "1 CNY [0 30000 0 0 0] 0 30000\n1 CNY [0 30000 0 0 0] 0 30000\n30000 0\n"
	usdRow := " USD [50000 0 0 0 100000] -20000 130000\n%s CNY [360000 0 0 0 720000] -144000 936000\n915500 20500\n"
	jpyRow := " JPY [0 0 0 0 10000] 0 10000\n%s CNY [0 0 0 0 48000] 0 48000\n50000 -2000\n"
	want := cnyRow + "1" + fmt.Sprintf(usdRow, "1") + "2" + fmt.Sprintf(jpyRow, "2")
	if lines != want {
		t.Errorf("got\n%swant\n%s", lines, want)
	}
	want = "0 CNY [0 30000 0 0 0] 0 30000\n0 CNY [0 30000 0 0 0] 0 30000\n30000 0\n" + "0" + fmt.Sprintf(jpyRow, "0") + "0" + fmt.Sprintf(usdRow, "0")
	if totals != want {
		t.Errorf("totals\n%swant\n%s", totals, want)
	}
}

// In the dollar, the first's own currency: 300.00 CNY ÷ 7.20 = 41.67 USD, booked on May
// 20th at 7.10: 42.25 USD. The second has no currency of its own, so its row is in CNY.
func TestRevaluationInTheCustomersCurrency(t *testing.T) {
	b := newRevaluation(t)
	b.update(func(tx tx) error { return tx.SetCurrencyOf(b.first, money.USD) })
	q := credit.AgingQuery{AsOf: day("2024-06-15"), Buckets: aging.Standard()}
	lines, _ := b.revalued(q, credit.Valuation{In: credit.InCustomer})
	want := "1 CNY [0 30000 0 0 0] 0 30000\n1 USD [0 4167 0 0 0] 0 4167\n4225 -58\n" +
		"1 USD [50000 0 0 0 100000] -20000 130000\n1 USD [50000 0 0 0 100000] -20000 130000\n130000 0\n" +
		"2 JPY [0 0 0 0 10000] 0 10000\n2 CNY [0 0 0 0 48000] 0 48000\n50000 -2000\n"
	if lines != want {
		t.Errorf("got\n%swant\n%s", lines, want)
	}
}

// As of March 15th only the first's invoices and the second's are there, and the dollar
// was 7.10: 1,500 × 7.10 = 10,650 less 3,575 + 7,000 are 75.00; the yen had not changed.
func TestRevaluationOfThePast(t *testing.T) {
	b := newRevaluation(t)
	_, totals := b.revalued(credit.AgingQuery{AsOf: day("2024-03-15")}, credit.Valuation{})
	want := "0 JPY [0 10000] 0 10000\n0 CNY [0 50000] 0 50000\n50000 0\n" +
		"0 USD [50000 100000] 0 150000\n0 CNY [355000 710000] 0 1065000\n1057500 7500\n"
	if totals != want {
		t.Errorf("got\n%swant\n%s", totals, want)
	}
}

func TestValuationsThatAreRefused(t *testing.T) {
	b := newRevaluation(t)
	try := func(q credit.AgingQuery, v credit.Valuation) error {
		return b.try(func(tx tx) error { _, err := tx.RevalueTotal(q, v); return err })
	}
	for name, v := range map[string]credit.Valuation{
		"a base without rates": {Base: money.USD}, "no such presentation": {In: 3}, "no such currency": {Base: 9999},
	} {
		if err := try(credit.AgingQuery{}, v); !errors.Is(err, credit.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// In 2023 there were no rates yet.
	b.post(credit.Document{Key: "old", Customer: b.first, Kind: credit.Invoice, Date: day("2023-12-31"), Amount: usd(1)})
	var missing *credit.RateError
	if err := try(credit.AgingQuery{}, credit.Valuation{}); !errors.As(err, &missing) || missing.Currency != money.USD || missing.Day != day("2023-12-31") {
		t.Errorf("without a rate: %v", err)
	}
	if err := b.try(func(tx tx) error { return tx.SetCurrencyOf(b.first, 9999) }); !errors.Is(err, credit.ErrInvalid) {
		t.Errorf("a customer's unknown currency: %v", err)
	}
}
