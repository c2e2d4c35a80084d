package credit

import (
	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
)

// dayRate is the rate of one currency from one day on, until the next.
type dayRate struct {
	Rate money.Rate
	day  date.Date
	rest string
}

func (d *dayRate) fields(x *wire) { x.rate(1, &d.Rate) }

func appendDayRate(dst []byte, d *dayRate) ([]byte, error) { return encode(dst, d.rest, d.fields) }

func decodeDayRate(src string, key rateKey, _ storage.Meta) (d *dayRate, err error) {
	d = &dayRate{day: key.Day}
	d.rest, err = decode(src, d.fields)
	return d, err
}

// SetRate sets what one unit of a currency is worth in the book's base currency, from a
// day on until the next day that has a rate. The base currency's own rate is always one.
func (tx *Tx) SetRate(currency money.Currency, day date.Date, rate money.Rate) error {
	const op = "set rate"
	if err := tx.allow(customer.RightAdminister, 0); err != nil {
		return err
	}
	switch {
	case !currency.Known() || currency == tx.store.control.Base:
		return &Error{Op: op, Field: "Currency", Value: currency.String(), Problem: "can't have a rate", Remedy: "use a code of ISO 4217 that is not the base currency", Err: ErrInvalid}
	case !day.Valid():
		return &Error{Op: op, Field: "Day", Value: day.String(), Problem: "is no day", Remedy: "use a day from 1900 to 2200", Err: ErrInvalid}
	case rate.IsZero() || rate.Scale > money.MaxRateScale:
		return &Error{Op: op, Field: "Rate", Value: rate.String(), Problem: "is no rate", Remedy: "use one that money.ParseRate returned", Err: ErrInvalid}
	}
	return tx.store.rate.Put(tx.tx, rateKey{currency, day}, &dayRate{Rate: rate}, uint8(RateSet))
}

// Rate returns what one unit of a currency is worth in the base currency on a day: the
// rate of the latest day that is not after it. Without one it fails with a *RateError.
// It costs one seek.
func (r *Reader) Rate(currency money.Currency, day date.Date) (money.Rate, error) {
	if currency == r.store.control.Base {
		return money.One(), nil
	}
	keys := kv.Range{
		Lower: storage.Key(nil).Uint(uint64(currency)),
		Upper: rateKeys.Append(nil, rateKey{currency, day + 1}),
	}
	for d, err := range r.store.rate.Records(r.storage, keys, true) {
		if err != nil {
			return money.Rate{}, err
		}
		return d.Rate, nil
	}
	return money.Rate{}, &RateError{Currency: currency, Base: r.store.control.Base, Day: day}
}

// Convert converts an amount at the rates of a day, by way of the base currency, rounded
// once, half to even.
func (r *Reader) Convert(a money.Amount, to money.Currency, day date.Date) (money.Amount, error) {
	if a.Currency == to || a.Minor == 0 {
		return money.Amount{Minor: a.Minor, Currency: to}, nil
	}
	from, err := r.Rate(a.Currency, day)
	if err != nil {
		return money.Amount{}, err
	}
	target, err := r.Rate(to, day)
	if err != nil {
		return money.Amount{}, err
	}
	return a.Convert(from, target, to)
}
