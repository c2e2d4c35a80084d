package credit_test

import (
	"testing"

	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/credit/aging"
)

func TestAgingOfOneInvoiceAndOnePayment(t *testing.T) {
	b := newBook(t, credit.Options{})
	id := b.addCustomers(1)
	b.setDay(day("2024-06-01"))
	invoice := b.post(credit.Document{Key: "INV-1", Customer: id, Kind: credit.Invoice, Date: day("2024-05-01"), Amount: cny(100_00), Terms: credit.Terms{Parts: []credit.TermsPart{{Weight: 1, Rule: credit.DueRule{Days: 30}}}}})
	if got, want := invoice.Due, day("2024-05-31"); got != want {
		t.Fatalf("due %s, want %s", got, want)
	}
	b.setDay(day("2024-07-10"))
	payment := b.post(credit.Document{Key: "PAY-1", Customer: id, Kind: credit.Payment, Date: day("2024-07-05"), Amount: cny(120_00)})
	b.allocate(credit.AllocationRequest{Debit: invoice.ID, Credit: payment.ID, Amount: 60_00, Date: day("2024-07-08")})
	q := credit.AgingQuery{Buckets: aging.Standard()}
	for _, c := range []struct{ asOf, known, want string }{
		{"2024-04-30", "", ""},
		{"2024-05-31", "", "1 CNY [10000 0 0 0 0] 0 10000\n"},
		{"2024-06-30", "", "1 CNY [0 10000 0 0 0] 0 10000\n"},
		{"2024-07-07", "", "1 CNY [0 0 10000 0 0] -12000 -2000\n"},
		{"2024-07-08", "", "1 CNY [0 0 4000 0 0] -6000 -2000\n"},
		{"2024-07-08", "2024-07-09", "1 CNY [0 0 10000 0 0] 0 10000\n"},
		{"2024-07-08", "2024-05-31", ""},
		{"2024-12-01", "", "1 CNY [0 0 0 0 4000] -6000 -2000\n"},
	} {
		q.AsOf, q.KnownOn = day(c.asOf), 0
		if c.known != "" {
			q.KnownOn = day(c.known)
		}
		if got := b.rows(q); got != c.want {
			t.Errorf("as of %s known on %q: %q, want %q", c.asOf, c.known, got, c.want)
		}
	}
}
