package stocktake_test

import (
	"encoding/json"
	"errors"
	"fmt"
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
