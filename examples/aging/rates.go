package main

import (
	"errors"
	"fmt"

	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
)

// rates are the latest rates up to a date.
type rates struct {
	asOf   date.Date
	base   money.Currency
	latest map[money.Currency]dated
}

type dated struct {
	from date.Date
	rate money.Rate
}

// quote is a row of the file of rates.
type quote struct {
	currency money.Currency
	dated
}

var rateColumns = columns{required: []string{"date", "currency", "rate"}}

var (
	errBase    = errors.New("the base currency's own rate must be 1")
	errTwoRate = errors.New("another rate for this currency and date stands above")
)

// readRates keeps, for each currency, the latest rate on or before a date.
func readRates(file string, asOf date.Date, base money.Currency) (*rates, error) {
	r := &rates{asOf: asOf, base: base, latest: map[money.Currency]dated{}}
	return r, readCSV(file, rateColumns, r.parse, r.add)
}

func (r *rates) parse(row *record) (q quote, err error) {
	if q.from, err = row.date(0, 0); err != nil {
		return q, err
	}
	if q.currency, err = money.ParseCurrency(row.fields[1]); err != nil {
		return q, row.bad(1, err)
	}
	if q.rate, err = money.ParseRate(row.fields[2]); err != nil {
		return q, row.bad(2, err)
	}
	if q.currency == r.base && q.rate != money.One() {
		return q, row.bad(2, errBase)
	}
	return q, nil
}

func (r *rates) add(q *quote) error {
	known := r.latest[q.currency]
	switch {
	case q.from > r.asOf || q.from < known.from:
	case q.from == known.from && q.rate != known.rate:
		return &RowError{Column: "rate", Value: q.rate.String(), Err: errTwoRate}
	default:
		r.latest[q.currency] = q.dated
	}
	return nil
}

// at returns the rate of a currency.
func (r *rates) at(c money.Currency) (money.Rate, error) {
	found, ok := r.latest[c]
	if !ok {
		return money.Rate{}, fmt.Errorf("there is no rate of %s on or before %s; add one to the file of rates", c, r.asOf)
	}
	return found.rate, nil
}
