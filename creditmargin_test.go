package clientele_test

import (
	"testing"
	"time"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/tagging/classify"
)

// A rule reads what was earned in the twelve months up to and with the present one, in the
// base currency. By hand, in June 2024: 10.00 of July 2023 and 300.00 of May, less 50.00 that
// a credit note gave up and 20.00 of a sale at a loss, are 240.00. What was earned in June
// 2023 is too old, 7.00 USD are of another currency, and the invoice that was reversed earned
// nothing. In July 2024 those of July 2023 are too old as well: 230.00.
func TestRulesReadTheMarginOfTwelveMonths(t *testing.T) {
	b := newTill(t, clientele.Options{})
	b.activate("margin",
		classify.Rule{Name: "of240", When: "receivables.margin_12m == 24000"},
		classify.Rule{Name: "of230", When: "receivables.margin_12m == 23000"})
	for _, d := range []struct {
		key     string
		kind    credit.Kind
		date    string
		amount  money.Amount
		margin  int64 // minor units
		reverse bool
	}{
		{"too old", credit.Invoice, "2023-06-30", yuan(500), 99_00, false},
		{"the first month", credit.Invoice, "2023-07-01", yuan(500), 10_00, false},
		{"a sale", credit.Invoice, "2024-05-20", yuan(1000), 300_00, false},
		{"given up", credit.CreditNote, "2024-05-25", yuan(100), 50_00, false},
		{"at a loss", credit.Invoice, "2024-06-01", yuan(100), -20_00, false},
		{"abroad", credit.Invoice, "2024-06-01", money.Amount{Minor: 100_00, Currency: money.USD}, 7_00, false},
		{"by mistake", credit.Invoice, "2024-06-01", yuan(800), 80_00, true},
	} {
		on, err := date.Parse(d.date)
		if err != nil {
			t.Fatal(err)
		}
		b.update(func(tx *clientele.Tx) error {
			items, err := tx.Credit.Post(credit.Document{Key: d.key, Customer: b.first, Kind: d.kind, Date: on, Amount: d.amount, Margin: d.margin})
			if err == nil && d.reverse {
				_, err = tx.Credit.Reverse(items[0].ID, credit.Reverse{Key: "its reversal", Date: on})
			}
			return err
		})
	}
	b.expectToday("in June", "of240")
	b.clock.advance(29 * 24 * time.Hour) // from June 1st to the 30th
	b.expectToday("on the last of June", "of240")
	b.clock.advance(24 * time.Hour)
	b.expectToday("in July", "of230")
}
