package clientele

import (
	"errors"
	"time"

	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/credit/aging"
	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/customer/stocktake"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/bitset"
)

// countedReceivables are what customers owed as counts ask for it.
type countedReceivables struct {
	credit *credit.Reader
	trail  credit.Trail
	at     stocktake.Instant // that held is of
	held   *credit.Holdings
}

// lastDay is the last day that is over at an instant, or on which the instant is, in the
// instant's own location.
func lastDay(at time.Time) date.Date { return date.Of(at.Add(-1)) }

// Follow implements [stocktake.Receivables].
func (c *countedReceivables) Follow(entry *storage.Change, since time.Time) error {
	return c.trail.Add(entry, lastDay(since.UTC()))
}

// heldAt is how receivables were held at an instant.
func (c *countedReceivables) heldAt(at stocktake.Instant) (*credit.Holdings, error) {
	if c.held != nil && c.at == at {
		return c.held, nil
	}
	held, err := c.credit.HeldAt(at.Position, lastDay(at.Time.UTC()), &c.trail)
	if err != nil {
		return nil, err
	}
	c.at, c.held = at, held
	return held, nil
}

func agingAt(at stocktake.Instant, of bitset.Source) credit.AgingQuery {
	return credit.AgingQuery{AsOf: lastDay(at.Time), Buckets: aging.Standard(), Customers: of}
}

// Owing implements [stocktake.Receivables].
func (c *countedReceivables) Owing(at stocktake.Instant) (*bitset.Set, error) {
	held, err := c.heldAt(at)
	if err != nil {
		return nil, err
	}
	all := &bitset.Set{}
	for row, err := range held.Aging(agingAt(at, nil)) {
		if err != nil {
			return nil, err
		}
		all.Add(row.Customer)
	}
	return all, nil
}

// standardTitles are the columns of [aging.Standard].
var standardTitles = []customer.Names{
	{"en": "Not due", "zh-Hans": "未到期"}, {"en": "1–30 days", "zh-Hans": "逾期1–30天"}, {"en": "31–60 days", "zh-Hans": "逾期31–60天"},
	{"en": "61–90 days", "zh-Hans": "逾期61–90天"}, {"en": "Over 90 days", "zh-Hans": "逾期90天以上"},
}

// Aging implements [stocktake.Receivables].
func (c *countedReceivables) Aging(at stocktake.Instant, of bitset.Source) (*stocktake.Aging, error) {
	held, err := c.heldAt(at)
	if err != nil {
		return nil, err
	}
	report := &stocktake.Aging{Buckets: standardTitles}
	owing := map[string]int64{}
	for row, err := range held.Aging(agingAt(at, of)) {
		if err != nil {
			return nil, err
		}
		owing[row.Currency.String()]++
	}
	sums, err := held.AgingTotal(agingAt(at, of))
	if err != nil {
		return nil, err
	}
	for row, err := range sums.Rows() {
		if err != nil {
			return nil, err
		}
		report.Currencies = append(report.Currencies, stocktake.AgingRow{
			Currency: row.Currency.String(), Buckets: append([]int64{}, row.Buckets...), Unapplied: row.Unapplied,
			Balance: row.Balance, Customers: owing[row.Currency.String()],
		})
	}
	return report, nil
}

// EachMonth implements [stocktake.Receivables]: one reading of all figures serves every
// instant, but for those who held others then.
func (c *countedReceivables) EachMonth(at []stocktake.Instant, do func(i int, id customer.ID, month int, invoiced bool) error) error {
	list := make([]monthsHeld, len(at))
	latest := date.Month(0)
	for i := range at {
		held, err := c.heldAt(at[i])
		if err != nil {
			return err
		}
		last := lastDay(at[i].Time).Month()
		differ, err := held.FiguresDiffer(last)
		if err != nil {
			return err
		}
		list[i] = monthsHeld{held, differ, last}
		latest = max(latest, last)
	}
	err := c.credit.EachFigures(date.First.Month(), latest, func(id customer.ID, f *credit.Figures) error {
		for i := range list {
			if f.Month > list[i].last || list[i].differ.Contains(uint64(id)) {
				continue
			}
			if err := do(i, id, int(f.Month), f.Invoices > 0); err != nil {
				return err
			}
		}
		return nil
	})
	for i := range list {
		if err == nil {
			err = list[i].eachOther(func(id customer.ID, f *credit.Figures) error { return do(i, id, int(f.Month), f.Invoices > 0) })
		}
	}
	return err
}

// monthsHeld is what receivables were at an instant.
type monthsHeld struct {
	held   *credit.Holdings
	differ *bitset.Set // whose figures aren't those of today
	last   date.Month
}

// eachOther calls do with the figures of those whose aren't those of today.
func (m *monthsHeld) eachOther(do func(customer.ID, *credit.Figures) error) error {
	for id := range m.differ.All() {
		list, err := m.held.Figures(customer.ID(id), date.First.Month(), m.last)
		if err != nil && !errors.Is(err, customer.ErrNotFound) {
			return err
		}
		for k := range list {
			if err := do(customer.ID(id), &list[k]); err != nil {
				return err
			}
		}
	}
	return nil
}

// Invoiced implements [stocktake.Receivables]: invoices and debit notes less credit notes
// in the months that end with the last whole month.
func (c *countedReceivables) Invoiced(at stocktake.Instant, months int, ids []customer.ID, add func(i int, currency string, minor int64)) error {
	held, err := c.heldAt(at)
	if err != nil {
		return err
	}
	y, m, _ := at.Time.Date()
	last := date.Of(time.Date(y, m-1, 1, 0, 0, 0, 0, time.UTC)).Month()
	first := max(last-date.Month(months-1), date.First.Month())
	for i, id := range ids {
		list, err := held.Figures(id, first, last)
		if errors.Is(err, customer.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		for _, f := range list {
			if f.Invoiced == 0 && f.Credited == 0 {
				continue // a month of payments
			}
			add(i, f.Currency.String(), f.Invoiced-f.Credited)
		}
	}
	return nil
}
