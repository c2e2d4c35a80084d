package main

import (
	"github.com/clientele-go/clientele/credit/money"
)

// allocation is a row of the file of allocations: what it takes off the two items.
type allocation struct {
	debit, credit           place
	debitMinor, creditMinor int64
	counts                  bool
}

var allocationColumns = columns{
	required: []string{"credit_item", "debit_item", "amount", "effective_date"},
	optional: []string{"recorded_at", "credit_amount"},
}

// The places of columns in a record of allocations.
const (
	allocationCredit = iota
	allocationDebit
	allocationAmount
	allocationEffective
	allocationRecorded
	allocationCreditAmount
)

// readAllocations takes the allocations that count off the sums, once all items are read.
func (b *book) readAllocations() error {
	if b.allocations == "" {
		return nil
	}
	return readCSV(b.allocations, allocationColumns, b.parseAllocation, func(a *allocation) error {
		if a.counts {
			b.sums.Add(a.debit.account, int(a.debit.column), -a.debitMinor)
			b.sums.Add(a.credit.account, int(a.credit.column), a.creditMinor)
		}
		return nil
	})
}

// parseAllocation is called by several goroutines at once; the items don't change then.
func (b *book) parseAllocation(r *record) (a allocation, err error) {
	unapplied := uint8(b.scheme.Unapplied())
	if a.credit, err = b.lookUp(r, allocationCredit); err != nil {
		return a, err
	}
	if a.credit.column != unapplied {
		return a, r.bad(allocationCredit, errDebit)
	}
	if a.debit, err = b.lookUp(r, allocationDebit); err != nil {
		return a, err
	}
	if a.debit.column == unapplied {
		return a, r.bad(allocationDebit, errCredit)
	}
	if err := a.amounts(r); err != nil {
		return a, err
	}
	effective, err := r.date(allocationEffective, 0)
	if err != nil {
		return a, err
	}
	known, err := r.recorded(allocationRecorded, b.knownOn)
	a.counts = known && effective <= b.scheme.AsOf && a.debit.counts && a.credit.counts
	return a, err
}

func (b *book) lookUp(r *record, column int) (place, error) {
	id, err := r.id(column)
	if err != nil {
		return place{}, err
	}
	at := b.itemIDs.find(id, b.itemIDs.hash(id))
	if at == 0 {
		return place{}, r.bad(column, errUnknown)
	}
	return unpack(b.itemIDs.value(at)), nil
}

// amounts reads how much is allocated, in the currencies of both items.
func (a *allocation) amounts(r *record) error {
	amount, err := money.ParseAmount(r.fields[allocationAmount], a.debit.currency)
	if err != nil {
		return r.bad(allocationAmount, err)
	}
	a.debitMinor, a.creditMinor = amount.Minor, amount.Minor
	text := r.fields[allocationCreditAmount]
	if len(text) == 0 {
		if a.debit.currency != a.credit.currency {
			return r.bad(allocationCreditAmount, errCurrency)
		}
		return nil
	}
	if amount, err = money.ParseAmount(text, a.credit.currency); err != nil {
		return r.bad(allocationCreditAmount, err)
	}
	a.creditMinor = amount.Minor
	return nil
}
