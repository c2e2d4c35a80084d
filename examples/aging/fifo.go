package main

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/clientele-go/clientele/credit/aging"
	"github.com/clientele-go/clientele/credit/money"
)

// fifo is what a simulation by document date needs: the debits one by one. By due date the
// sums do, since what is due first stands in the last buckets.
type fifo struct {
	debits  []debit
	credits map[aging.Account]int64
}

// debit leaves out the item's name: items of the same dates stand in the same bucket, so
// which of them is settled first makes no difference to the sums.
type debit struct {
	account aging.Account
	aging.Debit
}

// remember keeps an item until it is settled.
func (f *fifo) remember(account aging.Account, i *item) error {
	if !i.credit {
		f.debits = append(f.debits, debit{account, aging.Debit{Due: i.due, Document: i.document, Open: i.minor}})
		return nil
	}
	if f.credits == nil {
		f.credits = map[aging.Account]int64{}
	}
	sum, fits := money.AddMinor(f.credits[account], i.minor)
	if !fits {
		return fmt.Errorf("the credits of customer %q in %v: %w", i.customer, i.currency, money.ErrOverflow)
	}
	f.credits[account] = sum
	return nil
}

// settleFIFO lets credits settle the oldest debits, as if there were no allocations.
func (b *book) settleFIFO() error {
	if b.scheme.Basis == aging.ByDue {
		return b.sums.Settle()
	}
	debits, credits := b.simulated.debits, b.simulated.credits
	slices.SortFunc(debits, func(x, y debit) int { return cmp.Compare(x.account, y.account) })
	var own []aging.Debit
	for len(debits) > 0 {
		account := debits[0].account
		own = own[:0]
		for len(debits) > 0 && debits[0].account == account {
			own, debits = append(own, debits[0].Debit), debits[1:]
		}
		if paid := credits[account]; paid > 0 {
			credits[account] = aging.FIFO(own, paid)
		}
		for _, d := range own {
			b.sums.Add(account, b.scheme.Column(d.Document, d.Due), d.Open)
		}
	}
	for account, left := range credits {
		b.sums.Add(account, b.scheme.Unapplied(), -left)
	}
	return nil
}
