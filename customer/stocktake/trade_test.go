package stocktake_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/customer/stocktake"
	"github.com/clientele-go/clientele/dedupe"
)

// document posts a document of 1.00 dated a day of a month.
func (b *book) document(id customer.ID, kind credit.Kind, year, month, d int) {
	b.t.Helper()
	on := date.Of(day(year, month, d))
	b.update(func(tx *clientele.Tx) error {
		_, err := tx.Credit.Post(credit.Document{
			Key: fmt.Sprint(kind, id, on), Customer: id, Kind: kind, Date: on, Amount: money.Amount{Minor: 100, Currency: money.CNY},
		})
		return err
	})
}

func (b *book) merge(survivor, loser customer.ID) {
	b.t.Helper()
	b.update(func(tx *clientele.Tx) error {
		_, err := tx.Dedupe.Merge(dedupe.Merge{Survivor: survivor, Losers: []customer.ID{loser}, Overrule: true})
		return err
	})
}

// Nobody has events. A is invoiced in February and in December, B in July, C has nothing,
// D pays in advance in December and E is invoiced on the day of the closing.
func TestInvoicesArePurchases(t *testing.T) {
	b := newBook(t, clientele.Options{})
	ids := b.create(customer.Draft{Name: "A"}, customer.Draft{Name: "B"}, customer.Draft{Name: "C"}, customer.Draft{Name: "D"}, customer.Draft{Name: "E"})
	b.now.set(day(2025, 12, 31))
	b.document(ids[0], credit.Invoice, 2025, 2, 9)
	b.document(ids[0], credit.Invoice, 2025, 12, 9)
	b.document(ids[1], credit.Invoice, 2025, 7, 9)
	b.document(ids[3], credit.Advance, 2025, 12, 9)
	b.now.set(day(2026, 1, 3))
	b.document(ids[4], credit.Invoice, 2026, 1, 3)
	b.now.set(day(2026, 1, 4))
	ask := stocktake.Ask{
		Definition: stocktake.Definition{Activity: &stocktake.ActivityRule{Active: 3, Lost: 6}, Checks: []string{"inactive"}},
		Opening:    instant(2025, 12, 1), Closing: instant(2026, 1, 4),
	}
	r := b.count(ask)
	// At the opening nothing was posted yet. At the closing, counted from December: A 0
	// months, B 5; nothing that D did is a purchase, and E's month isn't over.
	want := []stocktake.Activity{
		{Class: stocktake.ClassNew}, {Class: stocktake.ClassActive, Closing: 1}, {Class: stocktake.ClassReturning},
		{Class: stocktake.ClassDormant, Closing: 1}, {Class: stocktake.ClassLost}, {Class: stocktake.ClassNever, Opening: 5, Closing: 3},
	}
	if !slices.Equal(r.Activity, want) {
		t.Errorf("%+v; want %+v", r.Activity, want)
	}
	if c := checkOf(r, "inactive"); c.Count != 1 || len(c.Sample) != 1 || c.Sample[0].Name != "C" {
		t.Errorf("without transactions: %+v; want C", c)
	}
	ask.Definition.Activity = nil
	if c := checkOf(b.count(ask), "inactive"); c.Count != 1 {
		t.Errorf("without transactions, nothing asked of activity: %+v; want C", c)
	}
	for _, x := range []struct {
		types []string
		want  int64
	}{{nil, 1}, {[]string{stocktake.EventInvoice}, 1}, {[]string{"order"}, 0}} {
		ask.Definition = stocktake.Definition{Bought: &stocktake.Bought{Types: x.types, Months: 5}}
		if got := b.count(ask).Reconciliation.Closing; got != x.want { // A in December; B's July is a month too early
			t.Errorf("bought %v: %d; want %d", x.types, got, x.want)
		}
	}
}

// A merge moves the loser's events to the survivor, and its undoing takes them off again:
// a count of the past has them with whom they were.
func TestEventsOfThePastStandWithWhoHadThem(t *testing.T) {
	b := newBook(t, clientele.Options{})
	ids := b.create(customer.Draft{Name: "A"}, customer.Draft{Name: "B"}, customer.Draft{Name: "C"})
	b.update(func(tx *clientele.Tx) error { return tx.Customers.Record(ids[0], customer.Event{Type: "order"}) })
	asks := []stocktake.Ask{}
	var then []string
	look := func(month int) {
		b.now.set(day(2025, month, 15))
		asks = append(asks, stocktake.Ask{
			Definition: stocktake.Definition{Bought: &stocktake.Bought{Months: 12}, Activity: &stocktake.ActivityRule{}, Checks: []string{"inactive"}},
			Opening:    instant(2025, 1, 10), Closing: instant(2025, month, 15),
		})
		then = append(then, text(t, b.count(asks[len(asks)-1])))
		b.now.set(day(2025, month, 16))
	}
	look(2) // A bought
	b.merge(ids[1], ids[0])
	look(3) // B did, as A does no longer count
	b.merge(ids[2], ids[1])
	look(4) // C did
	for _, loser := range []customer.ID{ids[1], ids[0]} {
		b.update(func(tx *clientele.Tx) error { _, _, err := tx.Dedupe.Unmerge(loser); return err })
	}
	look(5) // A did
	for i, ask := range asks {
		r := b.count(ask)
		if now := text(t, r); now != then[i] {
			t.Errorf("in %s it was\n%s\nnow\n%s", ask.Closing.Time.Month(), then[i], now)
		}
		if r.Reconciliation.Closing != 1 {
			t.Errorf("in %s %d bought; want one", ask.Closing.Time.Month(), r.Reconciliation.Closing)
		}
	}
}

// Events are kept by months of UTC: in Shanghai, what is recorded in the first hours of a
// year is of December, and must not change the count that was made at midnight.
func TestEventsAfterMidnightOfTheZoneDontCount(t *testing.T) {
	b := newBook(t, clientele.Options{})
	ids := b.create(customer.Draft{Name: "A"}, customer.Draft{Name: "B"})
	order := func(id customer.ID) {
		b.update(func(tx *clientele.Tx) error { return tx.Customers.Record(id, customer.Event{Type: "order"}) })
	}
	b.now.set(day(2025, 11, 10))
	order(ids[0])
	midnight := time.Date(2025, 12, 31, 16, 0, 0, 0, time.UTC)
	b.now.set(midnight)
	ask := stocktake.Ask{
		Definition: stocktake.Definition{Zone: "Asia/Shanghai", Activity: &stocktake.ActivityRule{}, Checks: []string{"inactive"}},
		Closing:    stocktake.Instant{Time: midnight},
	}
	then := text(t, b.count(ask))
	b.now.set(midnight.Add(time.Hour))
	order(ids[1])
	if now := text(t, b.count(ask)); now != then {
		t.Errorf("at midnight\n%s\nan hour later\n%s", then, now)
	}
}
