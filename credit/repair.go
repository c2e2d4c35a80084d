package credit

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
)

// nameCustomers reports each customer of whom something derived differs, and calls f.
func (v *verifier) nameCustomers(f func(customer.ID) error) error {
	return v.eachHolder(func(id customer.ID) error {
		problem, err := v.differs(id)
		if err != nil || problem == "" {
			return err
		}
		v.report(storage.Difference{Where: problem, Key: id.String(), Problem: "differs from the customer's items and allocations", Derived: true})
		return f(id)
	})
}

// eachHolder calls f with every customer that has items or an account.
func (v *verifier) eachHolder(f func(customer.ID) error) error {
	for next := customer.ID(0); ; next++ {
		holder, found, err := v.nextHolder(next)
		if err != nil || !found {
			return err
		}
		if err := f(holder); err != nil {
			return err
		}
		next = holder
	}
}

// nextHolder returns the first customer from one on that has items or an account.
func (v *verifier) nextHolder(from customer.ID) (id customer.ID, found bool, err error) {
	keys := kv.Range{Lower: storage.Key(nil).Uint(uint64(from))}
	for e, err := range v.store.item.Entries(v.storage, v.store.holder, keys, false) {
		if err != nil {
			return 0, false, err
		}
		n, _, err := e.Key().CutUint()
		if err != nil {
			return 0, false, err
		}
		id, found = customer.ID(n), true
		break
	}
	for a, err := range v.store.account.Records(v.storage, keys, false) {
		if err != nil {
			return 0, false, err
		}
		if !found || a.customer < id {
			id, found = a.customer, true
		}
		break
	}
	return id, found, nil
}

// differs names what of a customer differs from what its items say, "" for nothing.
func (r *Reader) differs(id customer.ID) (string, error) {
	d, err := r.derive(id)
	if err != nil {
		return "", err
	}
	var open []openItem
	err = r.eachOpen(id, func(o *openItem) bool { open = append(open, *o); return true })
	if errors.Is(err, storage.ErrCorrupt) || err == nil && !equal(open, d.open) {
		return "open_page", nil
	}
	if err != nil {
		return "", err
	}
	stored, err := r.accountOf(id)
	if err != nil {
		return "", err
	}
	stored.rest = ""
	if !equal(stored.settled(), d.account.settled()) {
		return "account", nil
	}
	years, err := r.yearsOf(id)
	if err != nil {
		return "", err
	}
	if !sameFigures(years, d.years) {
		return "figures", nil
	}
	same, err := r.sameLog(id, d.list)
	if err != nil || same {
		return "", err
	}
	return "log_page", nil
}

// settled is the account without the currencies in which nothing is open.
func (a *account) settled() []Balance {
	var list []Balance
	for _, b := range a.balances {
		if b.Debits != 0 || b.Credits != 0 || b.Deposits != 0 {
			list = append(list, b)
		}
	}
	return list
}

func equal[T any](a, b []T) bool { return len(a) == len(b) && (len(a) == 0 || reflect.DeepEqual(a, b)) }

// sameFigures compares figures but for months in which everything is zero.
func sameFigures(a, b []*figures) bool {
	sums := map[Figures]int{}
	for sign, list := range [2][]*figures{a, b} {
		for _, f := range list {
			for _, m := range f.months {
				sums[m] += 1 - 2*sign
			}
		}
	}
	for m, n := range sums {
		empty := Figures{Month: m.Month, Currency: m.Currency}
		if n != 0 && m != empty {
			return false
		}
	}
	return true
}

// sameLog reports whether the log has just those entries of a customer.
func (r *Reader) sameLog(id customer.ID, list []posted) (bool, error) {
	type line struct {
		log uint8
		entry
	}
	missing := map[line]int{}
	for n := range list {
		for _, key := range list[n].logKeys() {
			missing[line{key.log, list[n].entry.plain()}]++
		}
	}
	for log := uint8(logEffective); log <= lastLog; log++ {
		err := r.eachLogged(log, id, func(e *entry) {
			missing[line{logKey{log: log}.sort(), e.plain()}]--
		})
		if errors.Is(err, storage.ErrCorrupt) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
	}
	for _, n := range missing {
		if n != 0 {
			return false, nil
		}
	}
	return true, nil
}

// plain is the entry without what the log doesn't hold.
func (e entry) plain() entry {
	e.contested = 0
	return e
}

// eachLogged calls f with a customer's entries in a log.
func (r *Reader) eachLogged(log uint8, id customer.ID, f func(*entry)) error {
	months, err := r.logMonths(log, 0)
	if err != nil {
		return err
	}
	for _, month := range months {
		for p, err := range r.store.log.Records(r.storage, logRange(log, month, logBlock(id), logBlock(id)+1), false) {
			if err != nil {
				return err
			}
			var reader logReader
			for reader.reset(p); reader.next(); {
				if reader.entry.customer == id {
					f(&reader.entry)
				}
			}
			if err := reader.err(); err != nil {
				return err
			}
		}
	}
	return nil
}

// Repair makes anew what Verify finds to differ, from items and allocations, which are
// not touched, and returns how many blocks of pages, customers and totals it mended. It works
// block by block and customer by customer beside others' postings.
func (s *Store) Repair(ctx context.Context, j Job) (int, error) {
	mended, err := s.repairHeads(ctx, j)
	if err != nil {
		return mended, fmt.Errorf("credit: repair pages: %w", err)
	}
	var wrong []customer.ID
	err = j.Storage.View(ctx, func(r *storage.Reader) error {
		v := newVerifier(s.Reader(r, nil))
		return v.nameCustomers(func(id customer.ID) error {
			wrong = append(wrong, id)
			return nil
		})
	})
	if err != nil {
		return mended, err
	}
	for _, id := range wrong {
		_, err := j.Storage.Update(ctx, j.Session, func(tx *storage.Tx) error {
			t := s.Tx(tx, j.Customers.Tx(tx))
			if err := t.dropBroken(id); err != nil {
				return err
			}
			return t.rebuild(id, Amended)
		})
		if err != nil {
			return mended, fmt.Errorf("credit: repair customer %s: %w", id, err)
		}
		mended++
	}
	totals, err := s.repairTotals(ctx, j)
	return mended + totals, err
}

// repairTotals corrects every total by its difference from what is open in one state,
// which holds whatever is posted after it.
func (s *Store) repairTotals(ctx context.Context, j Job) (int, error) {
	type total struct {
		counter *storage.Counter
		key     string
		change  int64
	}
	var wrong []total
	err := j.Storage.View(ctx, func(r *storage.Reader) error {
		v := newVerifier(s.Reader(r, nil))
		if err := v.readItems(allKeys); err != nil {
			return err
		}
		return v.eachTotal(func(c *storage.Counter, key string, stored, real int64) {
			wrong = append(wrong, total{c, key, real - stored})
		})
	})
	if err != nil || len(wrong) == 0 {
		return 0, err
	}
	_, err = j.Storage.Update(ctx, j.Session, func(tx *storage.Tx) error {
		for _, t := range wrong {
			if err := t.counter.Add(tx, storage.Key(t.key), t.change); err != nil {
				return err
			}
		}
		return nil
	})
	return len(wrong), err
}

// dropBroken removes the pages about a customer that can't be read, and rebuilds the
// neighbours who had a part in them.
func (tx *Tx) dropBroken(id customer.ID) error {
	err := tx.eachOpen(id, func(*openItem) bool { return true })
	if !errors.Is(err, storage.ErrCorrupt) {
		return err
	}
	var keys []openKey
	for p, err := range tx.store.open.Records(tx.storage, blockPages(firstPage(id)), false) {
		if err != nil {
			return err
		}
		keys = append(keys, p.key)
	}
	for _, key := range keys {
		if err := tx.store.open.Delete(tx.tx, key, uint8(Amended)); err != nil {
			return err
		}
	}
	for neighbour := blockOf(id); neighbour < blockOf(id)+1<<blockBits; neighbour++ {
		d, err := tx.derive(neighbour)
		if err != nil {
			return err
		}
		if err := tx.replaceOpen(neighbour, d.open); err != nil {
			return err
		}
	}
	return nil
}
