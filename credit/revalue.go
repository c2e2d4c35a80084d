package credit

import (
	"cmp"
	"fmt"
	"iter"
	"slices"

	"github.com/clientele-go/clientele/credit/aging"
	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/internal/enum"
)

// DatedRates tells the rate of a currency on a day: units of the base currency for one.
type DatedRates func(on date.Date, c money.Currency) (money.Rate, error)

// Presentation is the currency in which a report shows what is open.
type Presentation uint8

const (
	InBase     Presentation = 0 // that of the books
	InCustomer Presentation = 1 // the customer's own, by its Profile; that of the books for one without
	InDocument Presentation = 2 // that of each document: nothing is converted
)

var presentationNames = enum.Names{"base", "customer", "document"}

func (p Presentation) String() string { return presentationNames.Of(uint8(p)) }

// MarshalText returns the lower-case English name.
func (p Presentation) MarshalText() ([]byte, error) {
	return presentationNames.Marshal(uint8(p), "credit", "presentation")
}

// UnmarshalText reads what MarshalText wrote.
func (p *Presentation) UnmarshalText(text []byte) error {
	return presentationNames.Unmarshal(text, (*uint8)(p), "credit", "presentation")
}

// Valuation says in which currency a report is, and at which rates. The zero Valuation is
// in the currency of the books, at the rates that SetRate set.
type Valuation struct {
	In Presentation
	// Base is the currency that Rates are in; 0 is that of the books. With another one, the
	// rates at which documents were booked are not known, and those of their dates stand
	// for them.
	Base money.Currency
	// Rates are asked for the report's date and for those of documents; nil is Reader.Rate.
	Rates DatedRates
}

// Revaluation is what is open of one customer in the currency of its documents, what that
// is worth at the rates of the report's date, and what of its worth is due to rates that
// changed since the documents were booked.
type Revaluation struct {
	Document aging.Row // in the documents' currency: the row that Aging has
	Worth    aging.Row // each of its amounts converted, rounded half to even
	// Booked is the balance with each item at the rate at which it was booked: its own Rate,
	// or that of its document's date. Revalued is Worth.Balance less Booked, a gain or, below
	// zero, a loss that isn't realised. Both are in the currency of Worth.
	Booked   int64
	Revalued int64
}

// Revalue yields what Aging does, by customer and currency, with its worth in another
// currency and the unrealised difference by exchange shown apart. In the base currency,
// the worths of a customer add up to its row of AgingIn. It costs an OpenItems, and a read
// for each item in another currency than that of the report. Rows are valid until the next.
func (r *Reader) Revalue(q AgingQuery, as Valuation) iter.Seq2[Revaluation, error] {
	return func(yield func(Revaluation, error) bool) {
		v, err := r.newRevaluer(&q, as)
		if err != nil {
			yield(Revaluation{}, err)
			return
		}
		for i, err := range r.OpenItems(q) {
			if err == nil && i.Customer != v.customer {
				if !v.give(yield) {
					return
				}
				err = v.begin(i.Customer)
			}
			if err == nil {
				err = v.add(&i)
			}
			if err != nil {
				yield(Revaluation{}, err)
				return
			}
		}
		v.give(yield)
	}
}

// RevalueTotal returns the sums of Revalue, by the documents' currency and then by that of
// their worth, under customer 0. Worths are sums of rounded ones, so that a report's total
// is that of its rows.
func (r *Reader) RevalueTotal(q AgingQuery, as Valuation) ([]Revaluation, error) {
	var list []Revaluation
	for v, err := range r.Revalue(q, as) {
		if err != nil {
			return nil, err
		}
		n, found := slices.BinarySearchFunc(list, v, func(a, b Revaluation) int {
			return cmp.Or(cmp.Compare(a.Document.Currency, b.Document.Currency), cmp.Compare(a.Worth.Currency, b.Worth.Currency))
		})
		if !found {
			list = slices.Insert(list, n, Revaluation{
				Document: aging.Row{Currency: v.Document.Currency, Buckets: make([]int64, len(v.Document.Buckets))},
				Worth:    aging.Row{Currency: v.Worth.Currency, Buckets: make([]int64, len(v.Worth.Buckets))},
			})
		}
		if err := list[n].sum(&v); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// sum adds another customer's line.
func (v *Revaluation) sum(o *Revaluation) error {
	for _, rows := range [2]struct{ to, from *aging.Row }{{&v.Document, &o.Document}, {&v.Worth, &o.Worth}} {
		for column, minor := range rows.from.Buckets {
			if err := addTo(&rows.to.Buckets[column], minor, rows.to.Currency); err != nil {
				return err
			}
		}
		if err := addTo(&rows.to.Unapplied, rows.from.Unapplied, rows.to.Currency); err != nil {
			return err
		}
		if err := addTo(&rows.to.Balance, rows.from.Balance, rows.to.Currency); err != nil {
			return err
		}
	}
	if err := addTo(&v.Booked, o.Booked, v.Worth.Currency); err != nil {
		return err
	}
	return addTo(&v.Revalued, o.Revalued, v.Worth.Currency)
}

// revaluer adds up one customer after another.
type revaluer struct {
	*Reader
	Valuation
	asOf     date.Date
	columns  int
	booked   bool // items' own rates are in the base
	customer customer.ID
	shown    money.Currency // the customer's; 0 for that of each document
	lines    []Revaluation  // by currency; the rest of its capacity is used again
}

func (r *Reader) newRevaluer(q *AgingQuery, as Valuation) (*revaluer, error) {
	books := r.store.control.Base
	fail := func(field, value, remedy string) (*revaluer, error) {
		return nil, &Error{Op: "revalue", Field: field, Value: value, Remedy: remedy, Err: ErrInvalid}
	}
	as.Base = cmp.Or(as.Base, books)
	switch {
	case as.In > InDocument:
		return fail("In", fmt.Sprint(uint8(as.In)), "use InBase, InCustomer or InDocument")
	case !as.Base.Known():
		return fail("Base", as.Base.String(), "use a code of ISO 4217")
	case as.Rates == nil && as.Base != books:
		return fail("Base", as.Base.String(), "give the rates, or leave the base out: the book's rates are in "+books.String())
	case as.Rates == nil:
		as.Rates = func(on date.Date, c money.Currency) (money.Rate, error) { return r.Rate(c, on) }
	}
	as.Rates = datedCache(as.Base, as.Rates)
	scheme := q.scheme(r)
	return &revaluer{Reader: r, Valuation: as, asOf: scheme.AsOf, columns: scheme.Buckets.Len(), booked: as.Base == books}, nil
}

// begin turns to the next customer.
func (v *revaluer) begin(id customer.ID) error {
	v.customer, v.lines, v.shown = id, v.lines[:0], v.Base
	switch v.In {
	case InDocument:
		v.shown = 0
	case InCustomer:
		p, err := v.profile(id)
		if err != nil {
			return err
		}
		v.shown = cmp.Or(p.Currency, v.Base)
	}
	return nil
}

// line is that of a currency.
func (v *revaluer) line(c money.Currency) *Revaluation {
	n, found := slices.BinarySearchFunc(v.lines, c, func(l Revaluation, c money.Currency) int { return cmp.Compare(l.Document.Currency, c) })
	if !found {
		shown := cmp.Or(v.shown, c)
		v.lines = slices.Insert(v.lines, n, Revaluation{
			Document: aging.Row{Customer: uint64(v.customer), Currency: c, Buckets: make([]int64, v.columns)},
			Worth:    aging.Row{Customer: uint64(v.customer), Currency: shown, Buckets: make([]int64, v.columns)},
		})
	}
	return &v.lines[n]
}

// add adds an item in its documents' currency, and what it was booked at.
func (v *revaluer) add(i *OpenItem) error {
	signed := money.Amount{Minor: i.Side.sign() * i.Open.Minor, Currency: i.Open.Currency}
	l := v.line(signed.Currency)
	to := &l.Document.Unapplied
	if i.Column < v.columns {
		to = &l.Document.Buckets[i.Column]
	}
	if err := addTo(to, signed.Minor, signed.Currency); err != nil {
		return err
	}
	worth, err := v.worthWhenBooked(i, signed, l.Worth.Currency)
	if err != nil {
		return err
	}
	return addTo(&l.Booked, worth.Minor, worth.Currency)
}

// worthWhenBooked converts what is open of an item at the rate at which it was booked.
func (v *revaluer) worthWhenBooked(i *OpenItem, open money.Amount, to money.Currency) (money.Amount, error) {
	if open.Currency == to {
		return open, nil
	}
	var rate money.Rate
	if v.booked && open.Currency != v.Base {
		item, err := v.item("revalue", i.Item)
		if err != nil {
			return open, err
		}
		rate = item.Rate
	}
	if rate.IsZero() {
		var err error
		if rate, err = v.Rates(i.Date, open.Currency); err != nil {
			return open, err
		}
	}
	target, err := v.Rates(i.Date, to)
	if err != nil {
		return open, err
	}
	return open.Convert(rate, target, to)
}

// give yields the present customer.
func (v *revaluer) give(yield func(Revaluation, error) bool) bool {
	for n := range v.lines {
		err := v.value(&v.lines[n])
		if !yield(v.lines[n], err) || err != nil {
			return false
		}
	}
	return true
}

// value converts a line at the rates of the report's date.
func (v *revaluer) value(l *Revaluation) error {
	document, worth := &l.Document, &l.Worth
	for column, minor := range document.Buckets {
		if err := v.convert(document, minor, worth, &worth.Buckets[column]); err != nil {
			return err
		}
	}
	if err := v.convert(document, document.Unapplied, worth, &worth.Unapplied); err != nil {
		return err
	}
	l.Revalued = worth.Balance
	return addTo(&l.Revalued, -l.Booked, worth.Currency)
}

// convert sets one amount of a row to the worth of another's, and counts both in their
// rows' balances.
func (v *revaluer) convert(document *aging.Row, minor int64, worth *aging.Row, to *int64) error {
	amount := money.Amount{Minor: minor, Currency: document.Currency}
	if err := addTo(&document.Balance, minor, document.Currency); err != nil || minor == 0 {
		return err
	}
	if document.Currency != worth.Currency {
		rate, err := v.Rates(v.asOf, document.Currency)
		if err != nil {
			return err
		}
		target, err := v.Rates(v.asOf, worth.Currency)
		if err != nil {
			return err
		}
		if amount, err = amount.Convert(rate, target, worth.Currency); err != nil {
			return err
		}
	}
	*to = amount.Minor
	return addTo(&worth.Balance, amount.Minor, worth.Currency)
}

// datedCache remembers rates, and that of the base currency is one.
func datedCache(base money.Currency, rates DatedRates) DatedRates {
	type key struct {
		on date.Date
		c  money.Currency
	}
	known := map[key]money.Rate{}
	return func(on date.Date, c money.Currency) (money.Rate, error) {
		if c == base {
			return money.One(), nil
		}
		rate, found := known[key{on, c}]
		if found {
			return rate, nil
		}
		rate, err := rates(on, c)
		if err == nil {
			known[key{on, c}] = rate
		}
		return rate, err
	}
}
