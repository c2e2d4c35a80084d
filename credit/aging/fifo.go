package aging

import (
	"cmp"
	"slices"

	"github.com/clientele-go/clientele/credit/date"
)

// Debit is an item that FIFO settles.
type Debit struct {
	Due, Document date.Date
	Item          uint64 // orders items of the same dates
	Open          int64  // minor units, not negative
}

// FIFO settles the debits of one customer and currency by its credits, those due first
// first, then by document date and item. It sorts the debits, lessens what is open of each
// and returns what is left of the credits. For books in which nobody says which payment
// is for which invoice; it is a simulation, and reports say so.
func FIFO(debits []Debit, credits int64) (left int64) {
	slices.SortFunc(debits, func(a, b Debit) int {
		return cmp.Or(cmp.Compare(a.Due, b.Due), cmp.Compare(a.Document, b.Document), cmp.Compare(a.Item, b.Item))
	})
	for i := range debits {
		settled := min(debits[i].Open, credits)
		debits[i].Open -= settled
		credits -= settled
	}
	return credits
}

// Settle does what FIFO does on the sums of a scheme by due date, where no items are
// needed: what is due first stands in the last buckets. In each account, the credits in
// the column of what is unapplied settle the buckets from the last to the first.
func (a *Accumulator) Settle() error {
	if a.scheme.Basis != ByDue {
		return &Error{"settle", a.scheme.Basis.String(), "age by due date, or settle items by FIFO", ErrBasis}
	}
	for at := 1; at < len(a.accounts); at++ {
		if _, err := a.row(Account(at)); err != nil {
			return err
		}
		sums := a.sums[at*a.width : (at+1)*a.width]
		credits := &sums[a.width-1]
		for column := a.width - 2; column >= 0; column-- {
			settled := min(max(sums[column], 0), max(-*credits, 0))
			sums[column] -= settled
			*credits += settled
		}
	}
	return nil
}
