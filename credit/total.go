package credit

import (
	"github.com/clientele-go/clientele/credit/aging"
	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
)

// totalKey counts what is open in the whole book by side, currency and due day: the
// control totals, which Verify holds against items and pages.
func totalKey(side Side, c money.Currency, due date.Date) storage.Key {
	return storage.Key(nil).Uint(uint64(side)).Uint(uint64(c)).Uint(uint64(due))
}

// dayKey counts the entries of the log that count from a day, so that a report knows what
// it need not read.
func dayKey(on date.Date) storage.Key { return storage.Key(nil).Uint(uint64(on)) }

// monthsAfter returns the months in which something counts from later than a day.
func (r *Reader) monthsAfter(day date.Date) (map[date.Month]bool, error) {
	months := map[date.Month]bool{}
	err := r.store.days.Scan(r.storage, kv.Range{Lower: dayKey(day + 1)}, func(key storage.Key, n int64) error {
		on, err := cutUints(key, 1)
		if n != 0 {
			months[date.Date(on[0]).Month()] = true
		}
		return err
	})
	return months, err
}

// controlTotal is what is open in the whole book, aged by due date.
func (r *Reader) controlTotal(q AgingQuery, v view) (*aging.Accumulator, error) {
	scheme := q.scheme(r)
	sums := aging.NewAccumulator(scheme)
	var at columns
	at.set(scheme)
	err := r.store.total.Scan(r.storage, kv.Range{}, func(key storage.Key, n int64) error {
		part, err := cutUints(key, 3)
		if err != nil {
			return err
		}
		side, c, due := Side(part[0]), money.Currency(part[1]), date.Date(part[2])
		if n == 0 || q.Currency != 0 && q.Currency != c {
			return nil
		}
		column := scheme.Unapplied()
		if side == Debit {
			column = at.of(due)
		}
		sums.Add(sums.Account(0, c), column, side.sign()*n)
		return nil
	})
	if err != nil {
		return nil, err
	}
	s, err := r.newScanner(v)
	if err != nil {
		return nil, err
	}
	a := &ager{view: v, scheme: scheme, columns: at, currency: q.Currency, together: true}
	everybody := &unit{}
	return sums, s.eachMonth(func(log uint8, month date.Month) error {
		for p, err := range r.store.log.Records(r.storage, logMonth(log, month), false) {
			if err != nil {
				return err
			}
			if !v.passes(p) {
				if err := a.undoPage(sums, everybody, p); err != nil {
					return err
				}
			}
		}
		return nil
	})
}
