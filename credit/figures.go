package credit

import (
	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/measure"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
)

// Figures are what was posted and settled of one customer, or of many together, in a
// month and currency. Amounts are minor units. They count by the day from which a
// posting counts, as known now; what is undone is taken off in the month from which the
// undoing counts.
type Figures struct {
	Month    date.Month
	Currency money.Currency

	Invoices int64 // instalments of invoices posted
	Invoiced int64 // invoices and debit notes
	Credited int64 // credit notes, discounts, write-offs and reversals but those of money
	Payments int64
	Paid     int64 // payments, advances and deposits, less refunds and reversals

	// Settlements are the allocations of money to debits, Settled their amount in the
	// debit's currency, Late those after the due day.
	Settlements int64
	Settled     int64
	Late        int64
	LateAmount  int64
	DaysLate    int64 // sum of the days after the due day; early ones count less than 0
	DaysToPay   int64 // sum of the days after the document's date
	// Sums of amount × days; beyond terms, early ones count as punctual.
	AmountDaysLate   measure.Wide
	AmountDaysToPay  measure.Wide
	AmountDaysBeyond measure.Wide

	// Margin is what was earned on what was posted, less what credits and reversals gave up,
	// as far as documents tell.
	Margin int64
}

// figuresKey is a customer's figures of a year.
type figuresKey struct {
	customer customer.ID
	year     int
}

func appendFiguresKey(dst storage.Key, k figuresKey) storage.Key {
	return dst.Uint(uint64(k.customer)).Uint(uint64(k.year))
}

func decodeFiguresKey(key storage.Key) (figuresKey, error) {
	n, err := cutUints(key, 2)
	return figuresKey{customer.ID(n[0]), int(n[1])}, err
}

// figures are a customer's months of a year, in order of month and currency.
type figures struct {
	key    figuresKey
	months []Figures
	rest   string
}

func (f *figures) wire(x *wire) {
	wireList(x, 1, &f.months, func(x *wire, m *Figures) {
		month := uint64(m.Month)
		wireUint(x, 1, &month)
		m.Month = date.Month(month)
		wireUint(x, 2, &m.Currency)
		for i, n := range m.numbers() {
			x.int(3+i, n)
		}
		x.wide(20, &m.AmountDaysLate)
		x.wide(22, &m.AmountDaysToPay)
		x.wide(24, &m.AmountDaysBeyond)
	})
}

// numbers are the plain sums, in the order of their fields.
func (m *Figures) numbers() []*int64 {
	return []*int64{&m.Invoices, &m.Invoiced, &m.Credited, &m.Payments, &m.Paid,
		&m.Settlements, &m.Settled, &m.Late, &m.LateAmount, &m.DaysLate, &m.DaysToPay, &m.Margin}
}

func (x *wire) wide(field int, w *measure.Wide) {
	x.int(field, &w.High)
	wireUint(x, field+1, &w.Low)
}

func appendFigures(dst []byte, f *figures) ([]byte, error) { return encode(dst, f.rest, f.wire) }

func decodeFigures(src string, k figuresKey, _ storage.Meta) (*figures, error) {
	f := &figures{key: k}
	var err error
	f.rest, err = decode(src, f.wire)
	return f, err
}

// of returns the figures of a month and currency, made when there are none.
func (f *figures) of(month date.Month, c money.Currency) *Figures {
	i := 0
	for i < len(f.months) && (f.months[i].Month < month || f.months[i].Month == month && f.months[i].Currency < c) {
		i++
	}
	if i == len(f.months) || f.months[i].Month != month || f.months[i].Currency != c {
		f.months = append(f.months, Figures{})
		copy(f.months[i+1:], f.months[i:])
		f.months[i] = Figures{Month: month, Currency: c}
	}
	return &f.months[i]
}

// settlement is how a debit was settled, or what a posted item earned, for the figures of
// its customer.
type settlement struct {
	by     Kind      // of the credit; of a posted reversal, what it takes back
	on     date.Date // from when the allocation counts, or the one that is undone
	margin int64     // of a posted item, below zero when it is given up
}

// add counts an entry; s tells of a settlement.
func (m *Figures) add(e *entry, s settlement) error {
	if e.change == ItemPosted {
		if err := addTo(&m.Margin, s.margin, e.currency); err != nil {
			return err
		}
		return m.addPosted(e, s.by)
	}
	if e.side != Debit || !s.by.money() {
		return nil
	}
	amount, one := -e.amount, int64(1)
	if e.change == ItemReopened {
		one = -1
	}
	late, toPay := int64(s.on-e.due), int64(s.on-e.date)
	m.Settlements += one
	m.DaysLate += one * late
	m.DaysToPay += one * toPay
	m.AmountDaysLate.AddProduct(amount, late)
	m.AmountDaysToPay.AddProduct(amount, toPay)
	m.AmountDaysBeyond.AddProduct(amount, max(late, 0))
	if late > 0 {
		m.Late += one
		if err := addTo(&m.LateAmount, amount, e.currency); err != nil {
			return err
		}
	}
	return addTo(&m.Settled, amount, e.currency)
}

func (m *Figures) addPosted(e *entry, reversed Kind) error {
	part, amount := &m.Credited, -e.side.sign()*e.amount
	switch e.kind {
	case Invoice, DebitNote:
		part, amount = &m.Invoiced, -amount
		if e.kind == Invoice {
			m.Invoices++
		}
	case Payment, Advance, Deposit, Refund:
		part = &m.Paid
		if e.kind != Refund {
			m.Payments++
		}
	case Reversal:
		if reversed.money() || reversed == Refund {
			part = &m.Paid
		}
	}
	return addTo(part, amount, e.currency)
}

// money reports whether items of the kind are money that came in.
func (k Kind) money() bool { return k == Payment || k == Advance || k == Deposit }

// Sum adds the figures of another customer or month.
func (m *Figures) Sum(o *Figures) error {
	mine, others := m.numbers(), o.numbers()
	for i := range mine {
		if err := addTo(mine[i], *others[i], m.Currency); err != nil {
			return err
		}
	}
	m.AmountDaysLate.Add(o.AmountDaysLate)
	m.AmountDaysToPay.Add(o.AmountDaysToPay)
	m.AmountDaysBeyond.Add(o.AmountDaysBeyond)
	return nil
}

// Figures returns a customer's figures of the months from one to another, those without
// any postings left out, in order of month and currency. It costs a read, and one a year.
func (r *Reader) Figures(id customer.ID, from, to date.Month) ([]Figures, error) {
	id, err := r.holder("read", id)
	if err != nil {
		return nil, err
	}
	return r.figuresList(id, from, to)
}

// figuresList is Figures of the customer that has an id itself.
func (r *Reader) figuresList(id customer.ID, from, to date.Month) (list []Figures, err error) {
	err = r.figuresOf(id, from, to, func(_ customer.ID, m *Figures) error {
		list = append(list, *m)
		return nil
	})
	return list, err
}

// EachFigures calls do with the figures of the months from one to another of all customers
// that the session sees with their items, by customer, month and currency, until do fails.
// It costs some tenths of a microsecond for each year of each customer; what do gets is
// its own.
func (r *Reader) EachFigures(from, to date.Month, do func(customer.ID, *Figures) error) error {
	return r.eachWanted(MeasureQuery{From: from, To: to}, do)
}

// eachFigures calls f with the figures of customers from one on up to another, by
// customer and month.
func (r *Reader) eachFigures(from, to customer.ID, first, last date.Month, f func(customer.ID, *Figures) error) error {
	if to == from+1 {
		return r.figuresOf(from, first, last, f)
	}
	keys := kv.Range{Lower: storage.Key(nil).Uint(uint64(from)), Upper: storage.Key(nil).Uint(uint64(to))}
	for year, err := range r.store.figures.Records(r.storage, keys, false) {
		if err != nil {
			return err
		}
		if err := year.each(first, last, f); err != nil {
			return err
		}
	}
	return nil
}

func (r *Reader) figuresOf(id customer.ID, first, last date.Month, f func(customer.ID, *Figures) error) error {
	firstYear, _ := first.Civil()
	lastYear, _ := last.Civil()
	keys := kv.Range{
		Lower: appendFiguresKey(nil, figuresKey{id, firstYear}),
		Upper: appendFiguresKey(nil, figuresKey{id, lastYear + 1}),
	}
	for year, err := range r.store.figures.Records(r.storage, keys, false) {
		if err != nil {
			return err
		}
		if err := year.each(first, last, f); err != nil {
			return err
		}
	}
	return nil
}

func (f *figures) each(first, last date.Month, call func(customer.ID, *Figures) error) error {
	for i := range f.months {
		if m := &f.months[i]; m.Month >= first && m.Month <= last {
			if err := call(f.key.customer, m); err != nil {
				return err
			}
		}
	}
	return nil
}
