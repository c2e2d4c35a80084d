package credit

import (
	"fmt"

	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
)

// settleRest deals with what is left of a debit after an allocation that asks for it: a
// cash discount that was earned, or an amount that is too little to pursue. Either is a
// credit of its own, so that the account tells why the debit is settled.
func (tx *Tx) settleRest(p *pair, a *Allocation, q AllocationRequest) error {
	rest := p.openDebit
	if rest == 0 || p.openCredit > 0 {
		return nil
	}
	switch {
	case q.TakeDiscount && rest <= p.debit.discountOn(p.credit.Date):
		return tx.settleBy(Discount, p.debit, a, rest, q.CarryLate)
	case rest <= q.Tolerance:
		return tx.settleBy(Rounding, p.debit, a, rest, q.CarryLate)
	}
	return nil
}

// discountOn is the most that may be deducted from an item that is paid on a day.
func (i *Item) discountOn(day date.Date) (most int64) {
	for _, d := range i.Discounts {
		if day <= d.Until {
			most = max(most, d.Amount)
		}
	}
	return most
}

// settleBy posts a credit of a kind and settles a debit by it.
func (tx *Tx) settleBy(kind Kind, debit *Item, a *Allocation, amount int64, carry bool) error {
	op := kind.String()
	credit := &Item{
		Customer: debit.Customer, Kind: kind, Side: Credit, Document: fmt.Sprintf("%s/%d", op, a.ID), Instalment: 1,
		Amount: money.Amount{Minor: amount, Currency: debit.Amount.Currency}, Date: a.Effective, Due: a.Effective,
		Reference: debit.Document, Rate: debit.Rate,
	}
	if err := tx.insert(op, []*Item{credit}, carry); err != nil {
		return err
	}
	_, err := tx.Allocate(AllocationRequest{Debit: debit.ID, Credit: credit.ID, Date: a.Effective, CarryLate: carry, Method: a.Method})
	return err
}
