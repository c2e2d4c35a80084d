package credit

import (
	"iter"

	"github.com/clientele-go/clientele/credit/aging"
	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
)

// DatedRates tells the rate of a currency on a day: units of the base currency for one.
type DatedRates func(on date.Date, c money.Currency) (money.Rate, error)

// Revaluation is a customer's balance in the base currency, and what of it is due to
// rates that changed since its items' dates.
type Revaluation struct {
	Row aging.Row // at the rates of the report's date
	// Booked is the balance with each item at the rate of its document's date, and
	// Revalued the rest: Row.Balance less Booked, a gain or a loss that isn't realised.
	Booked   int64
	Revalued int64
}

// Revalue yields AgingIn with what is due to changed rates shown apart, by customer.
// Every item's open amount is converted at the rate of its document's date, rounded half
// to even, and every bucket at that of the report's date.
func (r *Reader) Revalue(q AgingQuery, base money.Currency, rates DatedRates) iter.Seq2[Revaluation, error] {
	return func(yield func(Revaluation, error) bool) {
		scheme := q.scheme(r)
		now := func(c money.Currency) (money.Rate, error) { return rates(scheme.AsOf, c) }
		v := &revaluer{scheme: scheme, base: base, now: now, rates: datedCache(base, rates)}
		for i, err := range r.OpenItems(q) {
			if err == nil && i.Customer != v.customer && v.sums != nil {
				if !v.give(yield) {
					return
				}
			}
			if err == nil {
				err = v.add(&i)
			}
			if err != nil {
				yield(Revaluation{}, err)
				return
			}
		}
		if v.sums != nil {
			v.give(yield)
		}
	}
}

// revaluer adds up one customer after another.
type revaluer struct {
	scheme   aging.Scheme
	base     money.Currency
	now      aging.Rates
	rates    DatedRates
	customer customer.ID
	sums     *aging.Accumulator
	booked   int64
}

func (v *revaluer) add(i *OpenItem) error {
	if v.sums == nil || v.customer != i.Customer {
		v.customer, v.sums, v.booked = i.Customer, aging.NewAccumulator(v.scheme), 0
	}
	signed := money.Amount{Minor: i.Side.sign() * i.Open.Minor, Currency: i.Open.Currency}
	v.sums.Add(v.sums.Account(uint64(i.Customer), signed.Currency), i.Column, signed.Minor)
	rate, err := v.rates(i.Date, signed.Currency)
	if err != nil {
		return err
	}
	worth, err := signed.MulRate(rate, v.base)
	if err != nil {
		return err
	}
	return addTo(&v.booked, worth.Minor, v.base)
}

// give yields the present customer.
func (v *revaluer) give(yield func(Revaluation, error) bool) bool {
	for row, err := range v.sums.InOf(uint64(v.customer), v.base, v.now) {
		line := Revaluation{Row: row, Booked: v.booked, Revalued: row.Balance}
		if err == nil {
			err = addTo(&line.Revalued, -v.booked, v.base)
		}
		if !yield(line, err) || err != nil {
			return false
		}
	}
	return true
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
