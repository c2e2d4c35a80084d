package stocktake_test

import (
	"encoding/json"
	"errors"
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
)

// In Shanghai the year 2025 ends at 16:00 UTC of December 31: who comes an hour later is of
// 2026, and so is what is invoiced then.
func TestYearsEndAtMidnightOfTheZone(t *testing.T) {
	b := newBook(t, clientele.Options{})
	midnight := time.Date(2025, 12, 31, 16, 0, 0, 0, time.UTC)
	invoice := func(id customer.ID, on string, minor int64) {
		t.Helper()
		day, err := date.Parse(on)
		if err != nil {
			t.Fatal(err)
		}
		b.update(func(tx *clientele.Tx) error {
			_, err := tx.Credit.Post(credit.Document{Key: fmt.Sprint(id, on), Customer: id, Kind: credit.Invoice, Date: day, Amount: money.Amount{Minor: minor, Currency: money.CNY}})
			return err
		})
	}
	b.now.set(midnight.Add(-time.Hour))
	ids := b.create(customer.Draft{Name: "A"})
	invoice(ids[0], "2025-12-31", 100)
	d := b.save(stocktake.Definition{Name: "year", Zone: "Asia/Shanghai", Every: stocktake.Yearly, Aging: true, Revenue: &stocktake.Measure{}})
	ask := stocktake.Ask{
		Name:    "year",
		Opening: stocktake.Instant{Time: time.Date(2024, 12, 31, 16, 0, 0, 0, time.UTC)}, Closing: stocktake.Instant{Time: midnight},
	}
	b.now.set(midnight)
	then := text(t, b.count(ask))
	b.now.set(midnight.Add(time.Hour))
	ids = append(ids, b.create(customer.Draft{Name: "B"})...)
	invoice(ids[1], "2025-12-31", 7)
	invoice(ids[0], "2026-01-01", 20)
	r := b.count(ask)
	if now := text(t, r); now != then {
		t.Errorf("at midnight\n%s\nan hour later\n%s", then, now)
	}
	last := r.Trend[len(r.Trend)-1]
	if r.Reconciliation.Closing != 1 || len(r.Trend) != 12 || last.Month != "2025-12" || last.New != 1 || r.Trend[0].Month != "2025-01" {
		t.Errorf("%+v, the trend %+v", r.Reconciliation, r.Trend)
	}
	if r.Aging.Currencies[0].Balance != 100 || len(r.Figures) != 1 || r.Figures[0].Amount != 100 || r.Definition.Zone != "Asia/Shanghai" {
		t.Errorf("aging %+v, figures %+v; want 100 each", r.Aging.Currencies, r.Figures)
	}
	err := b.View(t.Context(), func(tx *clientele.ReadTx) error {
		due, err := tx.Stocktake.Due(b.now.get())
		if err == nil && (len(due) != 1 || due[0].Opening != ask.Opening || due[0].Closing != ask.Closing) {
			t.Errorf("due %+v; want the year in Shanghai", due)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, zone := range []string{"Asia/Peking", "Local"} {
		d.Zone = zone
		err := b.Update(t.Context(), func(tx *clientele.Tx) error { _, err := tx.Stocktake.SaveDefinition(*d); return err })
		if !errors.Is(err, stocktake.ErrInvalid) {
			t.Errorf("%s: %v", zone, err)
		}
	}
}

func text(t *testing.T, r *stocktake.Result) string {
	t.Helper()
	bytes, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(bytes)
}

// In Asunción the first of October 2017 began at one o'clock, since the clocks went forward
// at midnight: the months are whole nevertheless.
func TestMonthsBeginWhereMidnightIsLeftOut(t *testing.T) {
	zone, err := time.LoadLocation("America/Asuncion")
	if err != nil {
		t.Fatal(err)
	}
	b := newBookAt(t, time.Date(2017, 7, 15, 12, 0, 0, 0, time.UTC), clientele.Options{})
	d := b.save(stocktake.Definition{Name: "quarter", Zone: "America/Asuncion", Every: stocktake.Quarterly})
	first := time.Date(2017, 10, 1, 1, 0, 0, 0, zone)
	for _, at := range []time.Time{time.Date(2017, 9, 1, 1, 0, 0, 0, zone), first.Add(-time.Nanosecond), first, first.Add(time.Minute), time.Date(2017, 12, 31, 23, 0, 0, 0, zone)} {
		b.now.set(at.UTC())
		b.create(customer.Draft{Name: at.Format(time.RFC3339Nano)})
	}
	b.now.set(time.Date(2018, 1, 1, 0, 0, 0, 0, zone).UTC())
	r := b.count(stocktake.Ask{Name: "quarter", Opening: stocktake.Instant{Time: time.Date(2017, 7, 1, 0, 0, 0, 0, zone)}, Closing: stocktake.Instant{Time: b.now.get()}})
	var months []string
	for _, m := range r.Trend {
		months = append(months, fmt.Sprint(m.Month, " ", m.New))
	}
	// An instant is of the state that has all up to it: what is created with the month's
	// first instant is of the month before.
	want := []string{"2017-07 0", "2017-08 0", "2017-09 3", "2017-10 1", "2017-11 0", "2017-12 1"}
	if !slices.Equal(months, want) {
		t.Errorf("months %v; want %v", months, want)
	}
	err = b.View(t.Context(), func(tx *clientele.ReadTx) error {
		due, err := tx.Stocktake.Due(b.now.get())
		if err == nil && (len(due) != 1 || !due[0].Opening.Time.Equal(first) || !due[0].Closing.Time.Equal(b.now.get()) || due[0].Definition.Name != d.Name) {
			t.Errorf("due %+v; want the quarter from %s", due, first)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// An opening before 1900, of which receivables know no day, has nothing open.
func TestOpeningsBeforeAllReceivables(t *testing.T) {
	b := newBook(t, clientele.Options{})
	ids := b.create(customer.Draft{Name: "A"})
	b.document(ids[0], credit.Invoice, 2024, 12, 1)
	b.now.set(day(2025, 2, 2))
	for _, year := range []int{1, 1850, 1899, 1900, 1901} {
		r := b.count(stocktake.Ask{
			Definition: stocktake.Definition{Balance: stocktake.WithBalance, Aging: true, Activity: &stocktake.ActivityRule{}, Revenue: &stocktake.Measure{Months: 600}, Checks: []string{"inactive", "stale"}, Cohorts: true},
			Opening:    instant(year, 1, 2),
		})
		if x := r.Reconciliation; x.Opening != 0 || x.New != 1 || x.Closing != 1 || r.Aging.Currencies[0].Balance != 100 || r.Figures[0].Amount != 100 {
			t.Errorf("from %d: %+v, %+v, %+v", year, x, r.Aging, r.Figures)
		}
	}
}

// A book in which nothing happened yet has a count, too.
func TestEmptyBooksAreCounted(t *testing.T) {
	b := newBook(t, clientele.Options{})
	r := b.count(stocktake.Ask{Definition: stocktake.Definition{
		Dimensions: []string{"status", "owner", "created", "city"}, CrossTabs: [][2]string{{"status", "owner"}}, Cohorts: true, Aging: true, Balance: stocktake.WithoutBalance,
		Bought: &stocktake.Bought{Months: 1}, Activity: &stocktake.ActivityRule{}, Revenue: &stocktake.Measure{}, Checks: stocktake.CheckCodes(), Zone: "Pacific/Kiritimati",
	}})
	if r.Reconciliation != (stocktake.Reconciliation{}) || r.Growth.Rate != nil {
		t.Errorf("%+v", r)
	}
}
