package aging

import (
	"iter"

	"github.com/clientele-go/clientele/credit/money"
)

// Rates tells the rate of a currency at the date of a report: units of the base currency
// for one. It is asked once for each currency in which something is open.
type Rates func(money.Currency) (money.Rate, error)

// In returns the rows converted to a base currency, one for each customer: each bucket of
// each currency times its rate, rounded half to even to the base's digits, then added up.
// The base's own rate is 1 and not asked for.
func (a *Accumulator) In(base money.Currency, rates Rates) iter.Seq2[Row, error] {
	return a.converted(a.holders(), base, rates)
}

// InOf is In for one customer.
func (a *Accumulator) InOf(customer uint64, base money.Currency, rates Rates) iter.Seq2[Row, error] {
	return a.converted(a.holder(customer), base, rates)
}

func (a *Accumulator) converted(holders iter.Seq[Account], base money.Currency, rates Rates) iter.Seq2[Row, error] {
	rates = remember(base, rates)
	return func(yield func(Row, error) bool) {
		sum := NewAccumulator(a.scheme)
		for at := range holders {
			clear(sum.sums)
			sum.accounts[0].customer, sum.accounts[0].currency = a.accounts[at].customer, base
			if err := a.convert(sum, at, base, rates); err != nil {
				yield(Row{}, err)
				return
			}
			row, err := sum.row(0)
			if err == nil && row.IsZero() {
				continue
			}
			if !yield(row, err) || err != nil {
				return
			}
		}
	}
}

// convert adds a customer's accounts, from the first on, to the account 0 of sum.
func (a *Accumulator) convert(sum *Accumulator, at Account, base money.Currency, rates Rates) error {
	for ; at != none; at = a.accounts[at].next {
		row, err := a.row(at)
		if err != nil {
			return err
		}
		if row.IsZero() {
			continue
		}
		rate, err := rates(row.Currency)
		if err != nil {
			return err
		}
		for column := range a.width {
			minor := a.sums[int(at)*a.width+column]
			amount, err := money.Amount{Minor: minor, Currency: row.Currency}.MulRate(rate, base)
			if err != nil {
				return err
			}
			sum.Add(0, column, amount.Minor)
		}
	}
	return nil
}

func remember(base money.Currency, rates Rates) Rates {
	known := map[money.Currency]money.Rate{base: money.One()}
	return func(c money.Currency) (money.Rate, error) {
		if rate, ok := known[c]; ok {
			return rate, nil
		}
		rate, err := rates(c)
		if err == nil {
			known[c] = rate
		}
		return rate, err
	}
}
