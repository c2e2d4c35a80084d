package credit_test

import (
	"fmt"
	"testing"

	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/credit/aging"
	"github.com/clientele-go/clientele/credit/date"
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

// 900 invoices of 1.00 are loaded, which make two pages of 450, and those due first are settled: 450
// and then one more. The first page is empty then, and the second too full for the two to be
// joined until it has lost more: 450.00 and 449.00 are left, all of them more than 90 days overdue,
// and 50.00 and 49.00 of the payment of 500.00.
func TestFirstPageMayBeEmptied(t *testing.T) {
	const invoices = 900
	b := newBook(t, credit.Options{})
	id := b.addCustomers(1)
	b.setDay(day("2024-06-01"))
	account := credit.LoadAccount{Customer: id}
	for n := range invoices {
		account.Items = append(account.Items, credit.Item{Document: fmt.Sprintf("INV-%03d", n), Kind: credit.Invoice, Side: credit.Debit, Date: day("2024-01-01") + date.Date(n/30), Due: day("2024-01-01") + date.Date(n/30), Amount: cny(1_00)})
	}
	b.load(account)
	payment := b.receive("PAY", id, "2024-05-01", cny(500_00))
	var due []credit.ItemID
	b.view(func(r *credit.Reader) error {
		for i, err := range r.OpenItems(credit.AgingQuery{Buckets: aging.Standard()}) {
			if err != nil {
				return err
			}
			if i.Side == credit.Debit {
				due = append(due, i.Item)
			}
		}
		return nil
	})
	q := credit.AgingQuery{Buckets: aging.Standard()}
	for n, debit := range due[:invoices/2+1] {
		b.allocate(credit.AllocationRequest{Debit: debit, Credit: payment.ID, Amount: 1_00, Date: day("2024-05-01")})
		if want := map[int]string{
			invoices/2 - 1: "1 CNY [0 0 0 0 45000] -5000 40000\n",
			invoices / 2:   "1 CNY [0 0 0 0 44900] -4900 40000\n",
		}[n]; want != "" {
			if got := b.rows(q); got != want {
				t.Errorf("with %d settled: %q, want %q", n+1, got, want)
			}
		}
	}
	if found := b.differences(); len(found) > 0 {
		t.Error(found)
	}
}
