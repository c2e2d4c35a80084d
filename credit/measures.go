package credit

import (
	"fmt"
	"iter"

	"github.com/clientele-go/clientele/credit/aging"
	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/measure"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage/bitset"
)

// MeasureQuery says whose measures are wanted, of which time and currency.
type MeasureQuery struct {
	From, To date.Month // the first and the last month
	// Customers are whom the measures are about; nil is everybody. Whom the session doesn't
	// see is never in it.
	Customers bitset.Source
	Currency  money.Currency
}

// MonthMeasures is what a month gives measures from. Sales are invoices and debit notes
// less credit notes, discounts and write-offs, Received is money less refunds, balances
// are of the month's last day, or of today when that is earlier.
type MonthMeasures struct {
	measure.Period
	Payments measure.Payments
}

// Measures are months in order of time, without gaps.
type Measures []MonthMeasures

// MaxMeasureMonths is the most months that one query may be about: fifty years.
const MaxMeasureMonths = 600

// Measures returns the figures of months that DSO, days to pay, collection effectiveness
// and their like are computed from. It costs an AgingTotal for each month, and a read for
// each year of each customer. Postings count by their effective dates, as known now.
func (r *Reader) Measures(q MeasureQuery) (Measures, error) {
	if err := q.check(r); err != nil {
		return nil, err
	}
	list := make(Measures, q.To-q.From+1)
	opening, _, err := r.receivables(q, q.From.First()-1)
	if err != nil {
		return nil, err
	}
	for i := range list {
		month := q.From + date.Month(i)
		m := &list[i]
		m.From, m.To, m.Opening = month.First(), min(month.Last(), r.today()), opening
		if m.Closing, m.Overdue, err = r.receivables(q, m.To); err != nil {
			return nil, err
		}
		opening = m.Closing
	}
	return list, r.eachWanted(q, func(_ customer.ID, f *Figures) error {
		if f.Currency != q.Currency {
			return nil
		}
		return list[f.Month-q.From].add(f)
	})
}

func (q *MeasureQuery) check(r *Reader) error {
	fail := func(field, value, remedy string) error {
		return &Error{Op: "measure", Field: field, Value: value, Remedy: remedy, Err: ErrInvalid}
	}
	switch this := r.today().Month(); {
	case !q.Currency.Known():
		return fail("Currency", q.Currency.String(), "measure one currency at a time")
	case !q.From.Valid() || q.From.First() == date.First || q.From > q.To:
		return fail("From", q.From.String(), "use a month after 1900-01 that isn't after To")
	case q.To > this:
		return fail("To", q.To.String(), "the present month is "+this.String())
	case q.To-q.From >= MaxMeasureMonths:
		return fail("From", q.From.String(), fmt.Sprintf("ask for at most %d months", MaxMeasureMonths))
	}
	return nil
}

// receivables returns what is owed at the end of a day, credits set off, and what of the
// debits is past due.
func (r *Reader) receivables(q MeasureQuery, day date.Date) (balance, overdue int64, err error) {
	sums, err := r.AgingTotal(AgingQuery{AsOf: day, Customers: q.Customers, Currency: q.Currency})
	if err != nil {
		return 0, 0, err
	}
	for row, err := range sums.Rows() {
		if err != nil {
			return 0, 0, err
		}
		if row.Currency == q.Currency {
			return row.Balance, row.Buckets[1], nil // not due, and the rest
		}
	}
	return 0, 0, nil
}

// eachWanted calls f with the monthly figures of the customers of a query.
func (r *Reader) eachWanted(q MeasureQuery, f func(customer.ID, *Figures) error) error {
	v, err := r.view(&AgingQuery{Customers: q.Customers})
	if err != nil {
		return err
	}
	if len(v.within) == 0 {
		return r.eachFigures(0, ^customer.ID(0), q.From, q.To, f)
	}
	for id, err := range v.customers() {
		if err != nil {
			return err
		}
		if err := r.figuresOf(id, q.From, q.To, f); err != nil {
			return err
		}
	}
	return nil
}

// customers yields those who are in all sets of the view, of which there is one at least.
func (v *view) customers() iter.Seq2[customer.ID, error] {
	return func(yield func(customer.ID, error) bool) {
		for id, err := range bitset.Members(v.within[0], 0) {
			wanted := err == nil
			for _, other := range v.within[1:] {
				if wanted {
					wanted, err = other.Has(id)
				}
			}
			if (wanted || err != nil) && !yield(customer.ID(id), err) || err != nil {
				return
			}
		}
	}
}

// add adds a customer's figures to its month's.
func (m *MonthMeasures) add(f *Figures) error {
	for _, part := range []struct {
		sum   *int64
		minor int64
	}{{&m.Sales, f.Invoiced}, {&m.Sales, -f.Credited}, {&m.Received, f.Paid}} {
		if err := addTo(part.sum, part.minor, f.Currency); err != nil {
			return err
		}
	}
	m.Payments.Merge(f.payments())
	return nil
}

// payments are the settlements of the figures.
func (f *Figures) payments() measure.Payments {
	p := measure.Payments{
		Count: f.Settlements, Late: f.Late, DaysToPay: f.DaysToPay, DaysLate: f.DaysLate,
		AmountDaysToPay: f.AmountDaysToPay, AmountDaysLate: f.AmountDaysLate, AmountDaysBeyond: f.AmountDaysBeyond,
	}
	p.Amount.AddProduct(f.Settled, 1)
	p.LateAmount.AddProduct(f.LateAmount, 1)
	return p
}

// Total returns the months as one period.
func (m Measures) Total() (MonthMeasures, error) {
	if len(m) == 0 {
		return MonthMeasures{}, nil
	}
	last := m[len(m)-1]
	total := MonthMeasures{Period: measure.Period{
		From: m[0].From, To: last.To, Opening: m[0].Opening, Closing: last.Closing, Overdue: last.Overdue,
	}}
	for i := range m {
		if err := addTo(&total.Sales, m[i].Sales, 0); err != nil {
			return MonthMeasures{}, err
		}
		if err := addTo(&total.Received, m[i].Received, 0); err != nil {
			return MonthMeasures{}, err
		}
		total.Payments.Merge(m[i].Payments)
	}
	return total, nil
}

// CountBackDSO returns days sales outstanding at the end, counted back over the months.
func (m Measures) CountBackDSO() (measure.Days, bool) {
	periods := make([]measure.Period, len(m))
	for i := range m {
		periods[i] = m[i].Period
	}
	return measure.CountBackDSO(periods)
}

// LateTrend returns by how many days a month payments come later, weighted by amount:
// more than 0 is a customer that gets worse. Months without payments are passed over, as
// if those around them followed one another.
func (m Measures) LateTrend() (measure.Days, bool) {
	var late []measure.Days
	for i := range m {
		if d, ok := m[i].Payments.WeightedDaysLate(); ok {
			late = append(late, d)
		}
	}
	return measure.Trend(late)
}

// Concentration returns how unevenly what is owed in the query's currency is spread over
// customers. It costs an Aging, and 8 bytes a customer.
func (r *Reader) Concentration(q AgingQuery) (measure.Concentration, error) {
	if !q.Currency.Known() {
		return measure.Concentration{}, &Error{Op: "measure", Field: "Currency", Remedy: "measure one currency, or use ConcentrationIn", Err: ErrInvalid}
	}
	return concentration(r.Aging(q))
}

// ConcentrationIn is Concentration of what is owed in all currencies, converted.
func (r *Reader) ConcentrationIn(q AgingQuery, base money.Currency, rates aging.Rates) (measure.Concentration, error) {
	return concentration(r.AgingIn(q, base, rates))
}

func concentration(rows iter.Seq2[aging.Row, error]) (measure.Concentration, error) {
	var balances []int64
	for row, err := range rows {
		if err != nil {
			return measure.Concentration{}, err
		}
		balances = append(balances, row.Balance)
	}
	return measure.NewConcentration(balances), nil
}

// AgingSnapshots returns the agings of the query's customers and currency at several
// dates, as package provision estimates roll rates from. The query's AsOf is not looked
// at. It costs an AgingTotal for each date.
func (r *Reader) AgingSnapshots(q AgingQuery, dates ...date.Date) ([]aging.Snapshot, error) {
	fail := func(field, value, remedy string) ([]aging.Snapshot, error) {
		return nil, &Error{Op: "age", Field: field, Value: value, Remedy: remedy, Err: ErrInvalid}
	}
	if !q.Currency.Known() {
		return fail("Currency", q.Currency.String(), "take snapshots of one currency")
	}
	list := make([]aging.Snapshot, len(dates))
	for i, day := range dates {
		if i > 0 && day <= dates[i-1] {
			return fail(fmt.Sprintf("dates[%d]", i), day.String(), "give dates in order")
		}
		q.AsOf = day
		snapshot := aging.Snapshot{AsOf: day}
		if i > 0 {
			former := list[i-1]
			older, err := r.olderThanLast(q, day.DaysSince(former.AsOf))
			if err != nil {
				return nil, err
			}
			snapshot.Left = former.Buckets[len(former.Buckets)-1] - older
		}
		var err error
		if snapshot.Buckets, err = r.totalBuckets(q); err != nil {
			return nil, err
		}
		list[i] = snapshot
	}
	return list, nil
}

// olderThanLast returns what stood in the last bucket so many days ago and still does.
func (r *Reader) olderThanLast(q AgingQuery, days int) (int64, error) {
	least, _, _ := q.Buckets.Range(q.Buckets.Len() - 1)
	only, err := aging.NewBuckets(least - 1 + days)
	if err != nil {
		return 0, err
	}
	q.Buckets = only
	buckets, err := r.totalBuckets(q)
	if err != nil {
		return 0, err
	}
	return buckets[len(buckets)-1], nil
}

// totalBuckets returns the query's sums in its currency.
func (r *Reader) totalBuckets(q AgingQuery) ([]int64, error) {
	sums, err := r.AgingTotal(q)
	if err != nil {
		return nil, err
	}
	buckets := make([]int64, q.Buckets.Len())
	for row, err := range sums.Rows() {
		if err != nil {
			return nil, err
		}
		if row.Currency == q.Currency {
			copy(buckets, row.Buckets)
		}
	}
	return buckets, nil
}
