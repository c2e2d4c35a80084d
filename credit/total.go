package credit

import (
	"fmt"

	"github.com/clientele-go/clientele/credit/aging"
	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
)

// totalID names what is open in the whole book by side, currency and due day: the
// control totals, which Verify holds against items and pages.
type totalID struct {
	side     Side
	currency money.Currency
	due      date.Date
}

func totalKey(side Side, c money.Currency, due date.Date) storage.Key {
	return appendTotalKey(nil, totalID{side, c, due})
}

func appendTotalKey(dst storage.Key, t totalID) storage.Key {
	return dst.Uint(uint64(t.side)).Uint(uint64(t.currency)).Uint(uint64(t.due))
}

// Sums that many customers share are counters, which transactions change without reading
// them, and which would wrap unnoticed. So an amount of large minor units or more is added
// by reading the sum first: it is refused where the sum would leave mostShared. Smaller ones
// are not: more than four million of them, all for one day, currency and side, would have to
// come on top of that before a sum wraps.
const (
	large      = 1 << 40 // some 11 thousand million with two digits
	mostShared = 1 << 62
)

// addShared adds to a sum that many customers share.
func addShared(tx *storage.Tx, sum *storage.Counter, key storage.Key, minor int64) error {
	if minor >= large || minor <= -large {
		n, err := sum.Get(&tx.Reader, key)
		if err != nil {
			return err
		}
		if _, err := shared(sum, n, minor); err != nil {
			return err
		}
	}
	return sum.Add(tx, key, minor)
}

// shared returns what a shared sum comes to. It may leave its bounds towards zero only.
func shared(sum *storage.Counter, n, minor int64) (int64, error) {
	total, ok := money.AddMinor(n, minor)
	if !ok || total > mostShared && minor > 0 || total < -mostShared && minor < 0 {
		return 0, &Error{Op: "add up", Field: sum.Name, Value: fmt.Sprint(minor), Problem: fmt.Sprintf("makes a sum of the book leave %d minor units", int64(mostShared)), Remedy: "post amounts that are real", Err: ErrOverflow}
	}
	return total, nil
}

// dayKey counts the entries of the log that count from a day, so that a report knows what
// it need not read.
func dayKey(on date.Date) storage.Key { return appendDayKey(nil, on) }

func appendDayKey(dst storage.Key, on date.Date) storage.Key { return dst.Uint(uint64(on)) }

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
		sums.Add(sums.Account(0, c), at.at(uint64(side-Debit), due), side.sign()*n)
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
