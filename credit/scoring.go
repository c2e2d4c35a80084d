package credit

import (
	"errors"

	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/measure"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/credit/score"
	"github.com/clientele-go/clientele/customer"
)

// ScoreMonths is how many months of history ScoreHistory looks at: two years.
const ScoreMonths = 24

// ScoreHistory returns what package score rates a customer by: how it paid in the last
// ScoreMonths months and what is open now, in one currency, and how its limits are used.
// What can't be told, such as the utilisation without a limit, or figures that the session
// may not see, is left out. It costs some reads of the customer's own records.
func (r *Reader) ScoreHistory(id customer.ID, currency money.Currency) (score.History, error) {
	id, err := r.holder("rate", id)
	if err != nil {
		return score.History{}, err
	}
	today := r.today()
	months, err := r.customerMonths(id, currency, today.Month()-ScoreMonths+1, today.Month())
	if err != nil {
		return score.History{}, err
	}
	total, err := months.Total()
	if err != nil {
		return score.History{}, err
	}
	h := score.History{Figures: map[score.Figure]int64{}, Settled: total.Payments.Count}
	if late, ok := total.Payments.DaysBeyondTerms(); ok {
		h.Figures[score.DaysBeyondTerms] = int64(late)
	}
	if late, ok := total.Payments.AmountShareLate(); ok {
		h.Figures[score.ShareLate] = int64(late)
	}
	if trend, ok := months.LateTrend(); ok {
		h.Figures[score.LateTrend] = int64(trend)
	}
	if err := r.scoreOpen(id, currency, today, &h); err != nil {
		return score.History{}, err
	}
	h.Usual = usualExposure(total, currency)
	return h, nil
}

// customerMonths returns a customer's months without balances, from the first of which
// something is known.
func (r *Reader) customerMonths(id customer.ID, currency money.Currency, from, to date.Month) (Measures, error) {
	figures, err := r.Figures(id, max(from, date.First.Month()), to)
	if err != nil {
		return nil, err
	}
	var list Measures
	for i := range figures {
		f := &figures[i]
		if f.Currency != currency {
			continue
		}
		if len(list) == 0 {
			list = list.through(f.Month, f.Month)
		} else {
			list = list.through(list[len(list)-1].From.Month()+1, f.Month)
		}
		if err := list[len(list)-1].add(f); err != nil {
			return nil, err
		}
	}
	if n := len(list); n > 0 {
		list[n-1].To = min(list[n-1].To, r.today())
	}
	return list, nil
}

// through appends months without figures, from one to another.
func (m Measures) through(from, to date.Month) Measures {
	for month := from; month <= to; month++ {
		m = append(m, MonthMeasures{Period: measure.Period{From: month.First(), To: month.Last()}})
	}
	return m
}

// scoreOpen adds what is open of a customer and how its limits are used.
func (r *Reader) scoreOpen(id customer.ID, currency money.Currency, today date.Date, h *score.History) error {
	activity, err := r.Activity(id)
	if err != nil {
		return err
	}
	if first := activity.FirstInvoice; first != 0 && first <= today {
		h.Figures[score.Relation] = int64(today.Month() - first.Month())
	}
	var open, disputed, oldest int64
	var sumErr error
	err = r.eachOpen(id, func(i *openItem) bool {
		if i.side != Debit || i.currency != currency {
			return true
		}
		sumErr = addTo(&open, i.amount, currency)
		disputed += i.disputed() // no more than open
		if i.undisputed() > 0 {
			oldest = max(oldest, int64(today.DaysSince(i.due)))
		}
		return sumErr == nil
	})
	if err := errors.Join(err, sumErr); err != nil {
		return err
	}
	h.Figures[score.OldestOverdue] = oldest
	if part, ok := measure.Utilisation(disputed, open); ok {
		h.Figures[score.DisputedShare] = int64(part)
	}
	used, known, err := r.utilisation(id)
	if known {
		h.Figures[score.Utilisation] = int64(used)
	}
	return err
}

// utilisation is the highest of a customer's limits that count.
func (r *Reader) utilisation(id customer.ID) (highest measure.Share, known bool, err error) {
	d, err := r.Check(Request{Customer: id})
	if err != nil {
		return 0, false, err
	}
	for _, room := range d.Rooms {
		if room.Hidden {
			continue
		}
		if used, ok := measure.Utilisation(room.Exposure.Minor, room.Limit.Minor); ok {
			highest, known = max(highest, used), true
		}
	}
	return highest, known, nil
}

// usualExposure is what a customer has open on the average: its sales a day times the days
// after which it pays (Little's law). It is none without sales or payments.
func usualExposure(total MonthMeasures, currency money.Currency) money.Amount {
	pays, ok := total.Payments.WeightedDaysToPay()
	if !ok || pays <= 0 || total.Sales <= 0 {
		return money.Amount{}
	}
	usual, err := money.Amount{Minor: total.Sales, Currency: currency}.MulDiv(uint64(pays), uint64(total.Days())*100)
	if err != nil {
		return money.Amount{}
	}
	return usual
}
