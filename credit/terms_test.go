package credit_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
)

// Due days worked out on a calendar.
func TestTermsOfPayment(t *testing.T) {
	for _, c := range []struct{ terms, document, due string }{
		{"NET0", "2024-01-31", "2024-01-31"},
		{"CASH", "2024-01-31", "2024-01-31"},
		{"NET30", "2024-01-31", "2024-03-01"}, // January 31st and 30 days: February 2024 has 29
		{"NET30", "2023-01-31", "2023-03-02"},
		{"EOM", "2024-02-01", "2024-02-29"},
		{"EOM", "1900-02-01", "1900-02-28"}, // 1900 was no leap year
		{"EOM", "2000-02-01", "2000-02-29"},
		{"月结", "2024-05-14", "2024-05-31"},
		{"月结30天", "2024-05-14", "2024-06-30"},
		{"月结30", "2024-05-14", "2024-06-30"},
		{"EOM+60", "2024-12-02", "2025-03-01"}, // December 31st and 60 days: 31 + 28 + 1
		{"EOM@25+30", "2024-05-25", "2024-06-24"},
		{"EOM@25+30", "2024-05-26", "2024-07-25"}, // the statement of June 25th
		{"EOM@31", "2024-02-10", "2024-02-29"},
		{"季结", "2024-05-14", "2024-06-30"},
		{"EOQ+15", "2024-06-30", "2024-07-15"},
		{"EOQ", "2024-10-01", "2024-12-31"},
		{"年结", "2024-02-29", "2024-12-31"},
		{"EOY+31", "2024-01-01", "2025-01-31"},
		{"DAY10", "2024-05-10", "2024-05-10"},
		{"DAY10", "2024-05-11", "2024-06-10"},
		{"DAY31", "2024-01-31", "2024-01-31"},
		{"DAY31", "2024-02-01", "2024-02-29"},
		{"EOM 1M DAY10", "2024-05-14", "2024-06-10"},
		{"EOM 1M", "2024-01-15", "2024-02-29"}, // the end of the next month, not January 31st and a month's days
		{"EOM 2M", "2024-04-02", "2024-06-30"}, // April 30th's month and two: its end
		{"1M", "2024-01-31", "2024-02-29"},
		{"2/10 NET30", "2024-05-01", "2024-05-31"},
		{"net 30", "2024-05-01", "2024-05-31"},
		{"2/10 n/30", "2024-05-01", "2024-05-31"},
		{"net30", "2024-05-01", "2024-05-31"},
		{"NET60", "2200-10-31", "2200-12-30"},
	} {
		terms, err := credit.ParseTerms(c.terms)
		if err != nil {
			t.Errorf("%s: %v", c.terms, err)
			continue
		}
		parts, err := terms.Split(cny(100), day(c.document))
		if err != nil || len(parts) != 1 || parts[0].Due != day(c.due) {
			t.Errorf("%s from %s: %v, %v, want %s", c.terms, c.document, parts, err, c.due)
		}
		again, err := credit.ParseTerms(terms.String())
		if err != nil || fmt.Sprint(again) != fmt.Sprint(terms) {
			t.Errorf("%s is written as %q and read as %v, %v", c.terms, terms, again, err)
		}
	}
}

// 1000.01 in 30 %, 30 % and 40 %: 300.003, 300.003 and 400.004; the fen that is left goes
// to the first. Two percent of 300.01 are 6.0002, of 300.00 6.00, of 400.00 8.00.
func TestInstalmentsAddUp(t *testing.T) {
	terms, err := credit.ParseTerms("2/10 30% NET0, 30% NET30, 40% EOM+60")
	if err != nil {
		t.Fatal(err)
	}
	parts, err := terms.Split(cny(1000_01), day("2024-05-14"))
	if err != nil {
		t.Fatal(err)
	}
	want := []credit.Instalment{
		{Due: day("2024-05-14"), Amount: 300_01, Discounts: []credit.CashDiscount{{Until: day("2024-05-24"), Amount: 6_00}}},
		{Due: day("2024-06-13"), Amount: 300_00, Discounts: []credit.CashDiscount{{Until: day("2024-05-24"), Amount: 6_00}}},
		{Due: day("2024-07-30"), Amount: 400_00, Discounts: []credit.CashDiscount{{Until: day("2024-05-24"), Amount: 8_00}}},
	}
	if fmt.Sprint(parts) != fmt.Sprint(want) {
		t.Errorf("%v, want %v", parts, want)
	}
}

func TestOneYenInThreePartsIsOnePart(t *testing.T) {
	terms, err := credit.ParseTerms("33% NET0, 33% NET30, 34% NET60")
	if err != nil {
		t.Fatal(err)
	}
	parts, err := terms.Split(money.Amount{Minor: 1, Currency: money.JPY}, day("2024-05-14"))
	if err != nil || len(parts) != 1 || parts[0].Amount != 1 || parts[0].Due != day("2024-05-14") {
		t.Errorf("%v, %v", parts, err)
	}
}

func TestTermsThatMakeNoSense(t *testing.T) {
	for _, text := range []string{"", ",", "NET", "NET EOM", "N/", "NET-1", "NET30,", "soon", "0% NET30", "120/10 NET30", "2.555/10 NET30", "EOM@32", "DAY32", "NET99999", "EOQ@25",
		"50% NET0, NET30", "30% NET0, 50% NET30", "30% NET30", "70% NET0, 70% NET30", // not 100 % together
		"2/10", "2/40 NET30", "2/10 CASH", "2/10, 3/20", "2/90 30% NET0, 70% NET60", "DAY0", "EOM@0", // a discount that ends after all is due; days that no month has
		"NET30 NET60", "EOM EOQ", "DAY10 DAY20", "30% 70% NET30", "EOM+30 +15", // which of the two?
	} {
		if terms, err := credit.ParseTerms(text); !errors.Is(err, credit.ErrInvalid) {
			t.Errorf("%q: %v, %v", text, terms, err)
		}
	}
	late, err := credit.ParseTerms("NET60")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := late.Split(cny(1), day("2200-12-01")); !errors.Is(err, date.ErrRange) {
		t.Errorf("beyond 2200: %v", err)
	}
}

func FuzzParseTerms(f *testing.F) {
	for _, text := range []string{"2/10 NET30", "30% NET0, 70% EOM@25+60", "EOM 1M DAY10", "月结30天", "季结"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		terms, err := credit.ParseTerms(text)
		if err != nil {
			return
		}
		again, err := credit.ParseTerms(terms.String())
		if err != nil || fmt.Sprint(again) != fmt.Sprint(terms) {
			t.Errorf("%q is written as %q and read as %v, %v", text, terms, again, err)
		}
	})
}

// Documents with the customer's own terms follow dunning: NET30 before, PREPAID (due on
// the document's date) while level 1 lasts, and NET30 again when all is paid. A document
// that is posted again stays what it was.
func TestOwnTermsFollowDunning(t *testing.T) {
	b := newBook(t, credit.Options{})
	id := b.addCustomers(1)
	b.update(func(tx tx) error {
		plan := credit.DunningPlan{Levels: []credit.DunningStep{{After: 1, Terms: "PREPAID"}}}
		return errors.Join(tx.SetPolicy(credit.Policy{Dunning: plan}), tx.SetTermsOf(id, "net30"))
	})
	invoice := func(key, on string) *credit.Item {
		return b.post(credit.Document{Key: key, Customer: id, Kind: credit.Invoice, Date: day(on), Amount: cny(100), OwnTerms: true})
	}
	dun := func(on string) {
		b.update(func(tx tx) error { _, err := tx.Dun(id, day(on)); return err })
	}
	first := invoice("A", "2024-06-01")
	if first.Due != day("2024-07-01") {
		t.Errorf("due %s before dunning", first.Due)
	}
	dun("2024-07-05")
	if i := invoice("B", "2024-07-05"); i.Due != day("2024-07-05") {
		t.Errorf("due %s at level 1", i.Due)
	}
	if again := invoice("A", "2024-06-01"); again.ID != first.ID || again.Due != first.Due {
		t.Errorf("posted again it is item %d due %s", again.ID, again.Due)
	}
	other := credit.Document{Key: "A", Customer: id, Kind: credit.Invoice, Date: day("2024-06-01"), Amount: cny(99), OwnTerms: true}
	if err := b.try(func(tx tx) error { _, err := tx.Post(other); return err }); !errors.Is(err, credit.ErrDocument) {
		t.Errorf("another document of the same key: %v", err)
	}
	b.receive("P", id, "2024-07-06", cny(200))
	b.update(func(tx tx) error {
		_, err := tx.AllocateAutomatically(credit.Automatic{Customer: id, Method: credit.OldestFirst, Date: day("2024-07-06")})
		return err
	})
	dun("2024-07-06")
	if i := invoice("C", "2024-07-07"); i.Due != day("2024-08-06") {
		t.Errorf("due %s when nothing is overdue any more", i.Due)
	}
}

func TestTermsThatAreRefused(t *testing.T) {
	b := newBook(t, credit.Options{})
	id := b.addCustomers(1)
	for name, f := range map[string]func(tx) error{
		"a customer's": func(tx tx) error { return tx.SetTermsOf(id, "when we like") },
		"a level's": func(tx tx) error {
			return tx.SetPolicy(credit.Policy{Dunning: credit.DunningPlan{Levels: []credit.DunningStep{{After: 1, Terms: "NET"}}}})
		},
		"two kinds": func(tx tx) error {
			_, err := tx.Post(credit.Document{Key: "X", Customer: id, Kind: credit.Invoice, Date: day("2024-06-01"), Amount: cny(1), OwnTerms: true, Terms: terms(t, "NET7")})
			return err
		},
	} {
		if err := b.try(f); !errors.Is(err, credit.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
