package credit

import (
	"errors"

	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage/kv"
)

// SmallPages makes pages so small that short histories split, join and empty them. As with the
// usual sizes, a page may be too full for an emptied neighbour to join it.
func (s *Store) SmallPages() { s.sizes = pageSizes{open: 4, join: 3, small: 2, log: 3} }

// QuietPages counts the quiet pages of the log, of which Verify has found that they are.
func (r *Reader) QuietPages() (n int, err error) {
	for p, err := range r.store.log.Records(r.storage, kv.Range{}, false) {
		if err != nil {
			return 0, err
		}
		if p.quiet {
			n++
		}
	}
	return n, nil
}

// Damage spoils what is derived for a customer, one thing at a time, by number; it
// returns false when there is no such number.
func (tx *Tx) Damage(id customer.ID, n int) (bool, error) {
	first, err := tx.firstPage(id)
	if err != nil {
		return false, err
	}
	switch n {
	case 0: // a page is lost
		return true, tx.store.open.Delete(tx.tx, first.key, 0)
	case 1: // a page is garbled
		first.body = first.body[:len(first.body)-1]
		return true, tx.store.open.Put(tx.tx, first.key, first, 0)
	case 2: // a balance is wrong
		a, err := tx.accountOf(id)
		if err != nil {
			return false, err
		}
		a.balances[0].Debits++
		return true, tx.store.account.Put(tx.tx, id, a, 0)
	case 3: // figures are lost
		years, err := tx.yearsOf(id)
		if err != nil {
			return false, err
		}
		return true, tx.store.figures.Delete(tx.tx, years[0].key, 0)
	case 4: // a month of the log is lost
		months, err := tx.logMonths(logEffective, 0)
		if err != nil {
			return false, err
		}
		return true, tx.store.log.Delete(tx.tx, logKey{logEffective, months[0], logBlock(id), 0}, 0)
	case 5: // a day has too few entries
		return true, tx.store.days.Add(tx.tx, dayKey(date.Unix), -1)
	case 6: // a total is wrong
		return true, tx.store.total.Add(tx.tx, totalKey(Debit, money.CNY, date.Unix), 5)
	case 7: // a page of the log is passed over that must not be
		p, err := tx.logPage(logKey{logEffective, date.First.Month(), logBlock(id), 1})
		p.quiet = true
		p.add(&entry{openItem: openItem{customer: id, side: Debit, amount: 1, currency: money.CNY}, on: date.First, recorded: date.First})
		return true, errors.Join(err, tx.putLog(p))
	}
	return false, nil
}

// Mislead spoils what the head of a page of a customer's block tells of other pages or of its
// own end, by number; it returns false when there is no such number.
func (tx *Tx) Mislead(id customer.ID, n int) (bool, error) {
	first, err := tx.firstPage(id)
	if err != nil {
		return false, err
	}
	month, err := tx.longMonth(id)
	if err != nil {
		return false, err
	}
	switch n {
	case 0:
		first.more = false
		return true, tx.store.open.Put(tx.tx, first.key, first, 0)
	case 1:
		month.last--
	case 2:
		month.tail.due++
	default:
		return false, nil
	}
	return true, tx.putLog(month)
}

// longMonth returns the first page of the last month of which a customer's block has more.
func (tx *Tx) longMonth(id customer.ID) (long *logPage, err error) {
	months, err := tx.logMonths(logEffective, 0)
	for _, month := range months {
		p, err := tx.logPage(logKey{logEffective, month, logBlock(id), 0})
		if err != nil {
			return nil, err
		}
		if p.last > 0 {
			long = p
		}
	}
	return long, err
}

// ForgetLineage leaves a survivor's merges as they were before there were lineages.
func (tx *Tx) ForgetLineage(survivor customer.ID) error {
	return tx.store.lineage.Forget(tx.tx, uint64(survivor))
}
