package credit_test

import (
	"errors"
	"fmt"
	"maps"
	"testing"

	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/credit/aging"
	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/credit/score"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage/bitset"
)

func month(text string) date.Month {
	m, err := date.ParseMonth(text)
	if err != nil {
		panic(err)
	}
	return m
}

// invoice posts an invoice that is due on a day.
func (b *book) invoice(key string, id customer.ID, on, due string, minor int64) *credit.Item {
	b.t.Helper()
	return b.post(credit.Document{Key: key, Customer: id, Kind: credit.Invoice, Date: day(on), Amount: cny(minor),
		Instalments: []credit.Instalment{{Due: day(due), Amount: minor}}})
}

// pay posts a payment and allocates all of it.
func (b *book) pay(key string, id customer.ID, on string, debit *credit.Item, minor int64) {
	b.t.Helper()
	p := b.post(credit.Document{Key: key, Customer: id, Kind: credit.Payment, Date: day(on), Amount: cny(minor)})
	b.allocate(credit.AllocationRequest{Debit: debit.ID, Credit: p.ID, Amount: minor, Date: day(on)})
}

// measured is a book on June 20th with the customer of the figures below, and another who
// owes 1,000.00.
//
//	INV-1 of April 10th, due May 10th, 900.00, paid on May 30th: 50 days, 20 late
//	INV-2 of May 20th, due June 19th, 600.00, of which 200.00 paid on June 10th: 21 days, 9 early
//	INV-3 of June 5th, due July 5th, 300.00
//	a credit note of June 12th, 50.00, not allocated
func measured(t *testing.T) (*book, customer.ID) {
	b := newBook(t, credit.Options{})
	id := b.addCustomers(2)
	b.setDay(day("2024-06-20"))
	first := b.invoice("INV-1", id, "2024-04-10", "2024-05-10", 900_00)
	second := b.invoice("INV-2", id, "2024-05-20", "2024-06-19", 600_00)
	b.invoice("INV-3", id, "2024-06-05", "2024-07-05", 300_00)
	b.pay("PAY-1", id, "2024-05-30", first, 900_00)
	b.pay("PAY-2", id, "2024-06-10", second, 200_00)
	b.post(credit.Document{Key: "CN-1", Customer: id, Kind: credit.CreditNote, Date: day("2024-06-12"), Amount: cny(50_00)})
	b.invoice("INV-9", id+1, "2024-06-01", "2024-06-01", 1000_00)
	return b, id
}

func TestMeasuresOfACustomer(t *testing.T) {
	b, id := measured(t)
	b.view(func(r *credit.Reader) error {
		m, err := r.Measures(credit.MeasureQuery{From: month("2024-04"), To: month("2024-06"), Customers: bitset.Of(uint64(id)), Currency: money.CNY})
		if err != nil {
			return err
		}
		var months string
		for _, p := range m {
			months += fmt.Sprintln(p.From, p.To, p.Sales, p.Received, p.Opening, p.Closing, p.Overdue)
		}
		// June's sales are 300 less the credit note's 50. On the 20th INV-2 is overdue.
		want := "2024-04-01 2024-04-30 90000 0 0 90000 0\n" +
			"2024-05-01 2024-05-31 60000 90000 90000 60000 0\n" +
			"2024-06-01 2024-06-20 25000 20000 60000 65000 40000\n"
		if months != want {
			t.Errorf("months\n%swant\n%s", months, want)
		}
		total, err := m.Total()
		if err != nil {
			return err
		}
		figures := fmt.Sprint(total.DSO()) + fmt.Sprint(total.BestPossibleDSO()) + fmt.Sprint(total.CollectionEffectiveness()) + fmt.Sprint(m.CountBackDSO())
		// 650 ÷ 1750 × 81 = 30.09; 250 ÷ 1750 × 81 = 11.57; 1100 ÷ 1500 = 73.33 %;
		// 20 days of June and 400 ÷ 600 × 31 of May = 40.67.
		if figures != "30.09 true11.57 true73.33% true40.67 true" {
			t.Error(figures)
		}
		p := total.Payments
		figures = fmt.Sprint(p.WeightedDaysToPay()) + fmt.Sprint(p.WeightedDaysLate()) + fmt.Sprint(p.DaysBeyondTerms()) + fmt.Sprint(p.ShareLate()) + fmt.Sprint(p.AmountShareLate()) + fmt.Sprint(m.LateTrend())
		// (900 × 50 + 200 × 21) ÷ 1100; (900 × 20 − 200 × 9) ÷ 1100; 900 × 20 ÷ 1100; 1 of 2;
		// 900 of 1100; from 20 in May to −9 in June.
		if figures != "44.73 true14.73 true16.36 true50.00% true81.82% true-29.00 true" {
			t.Error(figures)
		}
		return nil
	})
}

func TestMeasuresOfEverybody(t *testing.T) {
	b, id := measured(t)
	b.view(func(r *credit.Reader) error {
		q := credit.MeasureQuery{From: month("2024-05"), To: month("2024-06"), Currency: money.CNY}
		all, err := r.Measures(q)
		if err != nil {
			return err
		}
		q.Customers = bitset.Of(uint64(id), uint64(id+1))
		both, err := r.Measures(q)
		if err != nil {
			return err
		}
		if fmt.Sprint(all) != fmt.Sprint(both) || all[1].Closing != 1650_00 || all[1].Sales != 1250_00 || all[0].Opening != 900_00 {
			t.Errorf("all %v, both %v", all, both)
		}
		c, err := r.Concentration(credit.AgingQuery{Currency: money.CNY})
		if err != nil {
			return err
		}
		top, _ := c.Top(1)
		gini, _ := c.Gini()
		// Balances 650 and 1000: 1000 ÷ 1650; 2 × (650 + 2 × 1000) ÷ (2 × 1650) − 3 ÷ 2.
		if top != 6061 || gini != 1061 {
			t.Errorf("top %s, Gini %s", top, gini)
		}
		return nil
	})
}

func TestMeasuresRefuseWhatCannotBe(t *testing.T) {
	b, _ := measured(t)
	b.view(func(r *credit.Reader) error {
		for _, q := range []credit.MeasureQuery{
			{From: month("2024-05"), To: month("2024-06")},
			{From: month("2024-05"), To: month("2024-07"), Currency: money.CNY},
			{From: month("2024-06"), To: month("2024-05"), Currency: money.CNY},
			{From: month("1900-01"), To: month("1900-02"), Currency: money.CNY},
			{From: month("1950-01"), To: month("2024-05"), Currency: money.CNY},
			{Currency: money.CNY},
		} {
			if _, err := r.Measures(q); !errors.Is(err, credit.ErrInvalid) {
				t.Errorf("%+v: %v", q, err)
			}
		}
		if _, err := r.Concentration(credit.AgingQuery{}); !errors.Is(err, credit.ErrInvalid) {
			t.Errorf("concentration without currency: %v", err)
		}
		if _, err := r.AgingSnapshots(credit.AgingQuery{Currency: money.CNY}, 2, 1); !errors.Is(err, credit.ErrInvalid) {
			t.Errorf("snapshots out of order: %v", err)
		}
		return nil
	})
}

// On May 20th, an invoice of 500 due on March 1st is 80 days late and one of 70 due on
// May 1st 19. By June 19th 100 of the 500 are paid, and the 70 have rolled on: the last
// bucket has 470, and 100 left it.
func TestSnapshotsTellWhatLeftTheLastBucket(t *testing.T) {
	b := newBook(t, credit.Options{})
	id := b.addCustomers(1)
	b.setDay(day("2024-06-20"))
	old := b.invoice("X", id, "2024-02-01", "2024-03-01", 500)
	b.invoice("Y", id, "2024-04-01", "2024-05-01", 70)
	b.pay("P", id, "2024-06-01", old, 100)
	buckets, err := aging.NewBuckets(30)
	if err != nil {
		t.Fatal(err)
	}
	b.view(func(r *credit.Reader) error {
		got, err := r.AgingSnapshots(credit.AgingQuery{Buckets: buckets, Currency: money.CNY}, day("2024-05-20"), day("2024-06-19"))
		if want := "[{2024-05-20 [0 70 500] 0} {2024-06-19 [0 0 470] 100}]"; err != nil || fmt.Sprint(got) != want {
			t.Errorf("%v, want %s", got, want)
		}
		return err
	})
}

func TestScoreHistory(t *testing.T) {
	b, id := measured(t)
	b.view(func(r *credit.Reader) error {
		h, err := r.ScoreHistory(id, money.CNY)
		if err != nil {
			return err
		}
		want := map[score.Figure]int64{
			score.DaysBeyondTerms: 1636, score.ShareLate: 8182, score.LateTrend: -2900,
			score.OldestOverdue: 1, score.Relation: 2, score.DisputedShare: 0,
		}
		// Sales of 1750.00 in 81 days, paid after 44.73: 966.39 are open on the average.
		if !maps.Equal(h.Figures, want) || h.Settled != 2 || h.Usual != cny(966_39) {
			t.Errorf("%+v, want %v", h, want)
		}
		if _, err := score.Default().Score(h, nil, day("2024-06-20")); err != nil {
			t.Error(err)
		}
		stranger, err := r.ScoreHistory(id, money.JPY)
		if err != nil || stranger.Settled != 0 || stranger.Usual.Minor != 0 {
			t.Errorf("%+v, %v", stranger, err)
		}
		return nil
	})
}
