package credit

import "github.com/clientele-go/clientele/credit/money"

// exchange is the difference by exchange of an allocation that takes from what is open of
// two items.
func (s *Store) exchange(p *pair, a *Allocation) (money.Amount, error) {
	if s.base == 0 || a.Amount.Currency == s.base && a.CreditAmount.Currency == s.base {
		return money.Amount{}, nil
	}
	owed, known, err := s.worthOf(a.Amount, p.openDebit, p.debit.Rate)
	if err != nil || !known {
		return money.Amount{}, err
	}
	paid, known, err := s.worthOf(a.CreditAmount, p.openCredit, p.credit.Rate)
	if err != nil || !known {
		return money.Amount{}, err
	}
	return paid.Sub(owed)
}

// worthOf is what a part of what is open of an item is worth: by how much less the rest is,
// so that the parts that settle an item are together worth what it is, to the last minor
// unit.
func (s *Store) worthOf(part money.Amount, open int64, rate money.Rate) (money.Amount, bool, error) {
	before, known, err := s.worth(money.Amount{Minor: open, Currency: part.Currency}, rate)
	if err != nil || !known {
		return money.Amount{}, false, err
	}
	after, _, err := s.worth(money.Amount{Minor: open - part.Minor, Currency: part.Currency}, rate)
	if err != nil {
		return money.Amount{}, false, err
	}
	worth, err := before.Sub(after)
	return worth, true, err
}

// worth converts an amount to the base currency at the rate at which it was booked.
func (s *Store) worth(a money.Amount, rate money.Rate) (money.Amount, bool, error) {
	if a.Currency == s.base {
		return a, true, nil
	}
	if rate.IsZero() {
		return money.Amount{}, false, nil
	}
	worth, err := a.MulRate(rate, s.base)
	return worth, true, err
}

// takenBack is the difference by exchange of the undoing of an allocation: the opposite of
// what the allocation would make if it came last, and so what makes the differences of those
// that are left add up, whichever is taken back first.
func (tx *Tx) takenBack(former *Allocation, debit, credit *Item) (money.Amount, error) {
	if former.Difference.Currency == 0 {
		return money.Amount{}, nil
	}
	p := &pair{debit: debit, credit: credit}
	var err error
	if p.openDebit, err = tx.openAmount(debit); err != nil {
		return money.Amount{}, err
	}
	if p.openCredit, err = tx.openAmount(credit); err != nil {
		return money.Amount{}, err
	}
	p.openDebit += former.Amount.Minor
	p.openCredit += former.CreditAmount.Minor
	difference, err := tx.store.exchange(p, former)
	if err == nil && difference.Currency != former.Difference.Currency { // the book has another base since
		difference = former.Difference
	}
	if err != nil {
		return money.Amount{}, err
	}
	return difference.Neg()
}
