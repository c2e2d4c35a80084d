package clientele

import (
	"fmt"

	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/credit/aging"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/orgtree"
	"github.com/clientele-go/clientele/storage/bitset"
)

// The amounts of an [AgingMeasure] beside its buckets.
const (
	AgingUnapplied = "unapplied" // credits not yet allocated, zero or less
	AgingBalance   = "balance"   // buckets and unapplied together
)

// AgingMeasure lets [orgtree.Reader.Consolidate] show receivables by unit: as of a
// report's date and by its buckets, in minor units, under the names that [AgingAmount]
// makes. Amounts are those that the reader's session may see: where items are hidden, a
// customer has none. Of r it takes one pass over the open items for each row of the view.
func AgingMeasure(r *credit.Reader, q credit.AgingQuery) orgtree.Measure {
	return func(of bitset.Source) (orgtree.Measured, error) {
		q := q
		q.Customers = of
		total, err := r.AgingTotal(q)
		if err != nil {
			return nil, err
		}
		amounts := orgtree.Measured{}
		for row, err := range total.Rows() {
			if err != nil {
				return nil, err
			}
			for column, amount := range row.Buckets {
				amounts[AgingAmount(row, q.Buckets.Name(column))] = amount
			}
			amounts[AgingAmount(row, AgingUnapplied)] = row.Unapplied
			amounts[AgingAmount(row, AgingBalance)] = row.Balance
		}
		return amounts, nil
	}
}

// AgingAmount is the name of an amount of an [AgingMeasure] in a row's currency: of a
// bucket by its name ([aging.Buckets.Name]), of [AgingUnapplied] or of [AgingBalance].
func AgingAmount(row aging.Row, amount string) string { return row.Currency.String() + " " + amount }

// ExposureMeasure lets [orgtree.Reader.Consolidate] show exposure by unit, made of some
// parts: in minor units under the code of each currency. Of customers whose exposure is
// hidden from the reader's session there is none. It costs some microseconds for each
// customer of a row; what a unit owes whose customers the session is shown all,
// [credit.Reader.Exposure] tells from counts, archived customers included.
func ExposureMeasure(r *credit.Reader, parts credit.Parts) orgtree.Measure {
	return func(of bitset.Source) (orgtree.Measured, error) {
		amounts := orgtree.Measured{}
		for id, err := range bitset.Members(of, 0) {
			if err != nil {
				return nil, err
			}
			list, err := r.Exposure(credit.OfCustomer(customer.ID(id)))
			if err != nil {
				return nil, err
			}
			if err := addExposure(amounts, list, parts); err != nil {
				return nil, err
			}
		}
		return amounts, nil
	}
}

func addExposure(amounts orgtree.Measured, list []credit.Exposure, parts credit.Parts) error {
	for i := range list {
		total, err := list[i].Total(parts)
		if err != nil {
			return err
		}
		code := total.Currency.String()
		sum, ok := money.AddMinor(amounts[code], total.Minor)
		if !ok {
			return fmt.Errorf("clientele: add up exposure in %s: %w", code, credit.ErrOverflow)
		}
		amounts[code] = sum
	}
	return nil
}
