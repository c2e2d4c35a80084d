package credit

import (
	"github.com/clientele-go/clientele/credit/aging"
	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
)

// ager adds up the open items of units. Several goroutines use one.
type ager struct {
	view
	scheme   aging.Scheme
	columns  columns
	currency money.Currency
	together bool
	fifo     bool
}

// sums adds up a unit.
func (a *ager) sums(u *unit) (*aging.Accumulator, error) {
	sums := aging.NewAccumulator(a.scheme)
	if !a.together {
		sums.Grow(u.customers())
	}
	for _, p := range u.pages {
		if err := a.addPage(sums, u, p); err != nil {
			return nil, err
		}
	}
	for _, p := range u.logs {
		if err := a.undoPage(sums, u, p); err != nil {
			return nil, err
		}
	}
	if a.fifo {
		return sums, sums.Settle()
	}
	return sums, nil
}

func (a *ager) addPage(sums *aging.Accumulator, u *unit, p *openPage) error {
	var r openReader
	r.reset(p)
	for r.group() {
		if u.has(r.item.customer) {
			a.addGroup(sums, &r)
		}
	}
	return r.err(p)
}

// addGroup adds up the items of a group. It reads no more of them than sums need.
func (a *ager) addGroup(sums *aging.Accumulator, r *openReader) {
	var i briefItem
	var account aging.Account
	currency, day := noCurrency, date.Date(0)
	src, at, byDocument := r.c.src, r.c.at, a.scheme.Basis == aging.ByDocument
	for ; r.left > 0 && at <= len(src); r.left-- {
		at = i.read(src, at, byDocument)
		if r.parts && i.head>>headDisputed&1 != 0 {
			_, at = uvarintAt(src, at)
		}
		if c := r.currencies.of(i.head >> headCurrency); c != currency {
			if c == 0 {
				at = beyond
				break
			}
			currency, account = c, sums.Account(a.number(r.item.customer), c)
		}
		day += date.Date(i.due)
		if a.currency == 0 || a.currency == currency {
			side := i.head >> headSide & 1
			sums.Add(account, a.columns.at(side, day-date.Date(unzigzag(i.age))), negated(side, int64(i.amount)))
		}
	}
	r.c.bad = at != r.end
}

// noCurrency is none that a page may have, not even 0, which stands for one that it lacks.
const noCurrency = ^money.Currency(0)

// undoPage takes what doesn't count out of the sums.
func (a *ager) undoPage(sums *aging.Accumulator, u *unit, p *logPage) error {
	var e briefEntry
	var account aging.Account
	var holder customer.ID
	currency, due := noCurrency, date.Date(0)
	src, at, first, byDocument := p.body, 0, p.key.month.First(), a.scheme.Basis == aging.ByDocument
	again := p.key.sort() == logRecorded
	for left := p.count; left > 0 && at <= len(src); left-- {
		at = e.read(src, at, byDocument)
		due += date.Date(unzigzag(e.due))
		on, recorded := e.days(first)
		id, c := e.customer(p.key.block), p.currencies.of(e.head>>logCurrency)
		if !a.undoes(e.change(), on, recorded) || again && a.met(on) || !u.has(id) || a.currency != 0 && a.currency != c {
			continue
		}
		if id != holder || c != currency {
			if c == 0 {
				at = beyond
				break
			}
			holder, currency, account = id, c, sums.Account(a.number(id), c)
		}
		side := e.kind >> headSide & 1
		sums.Add(account, a.columns.at(side, due-date.Date(unzigzag(e.age))), negated(side^1, unzigzag(e.amount)))
	}
	return p.errAt(at)
}

// negated is minus a number when a side is 1, otherwise the number.
func negated(side uint64, n int64) int64 { return (n ^ -int64(side)) + int64(side) }

// undoesFrom is undoes for an entry in a page of either log: the one by month of
// recording adds to the other what that one didn't show.
func (v *view) undoesFrom(p *logPage, change Change, on, recorded date.Date) bool {
	return v.undoes(change, on, recorded) && (p.key.sort() == logEffective || !v.met(on))
}

// met reports whether what counts from a day is in the log by effective day that is read.
func (v *view) met(on date.Date) bool { return on.Month() >= v.firstMonth() }

// firstMonth is the first month of the log by effective day that is read.
func (v *view) firstMonth() date.Month {
	if v.unswept {
		return date.First.Month()
	}
	return min(v.asOf, v.known).Month()
}

func (a *ager) number(id customer.ID) uint64 {
	if a.together {
		return 0
	}
	return uint64(id)
}

// column is where an item stands.
func (a *ager) column(i *openItem) int {
	day := i.due
	if a.scheme.Basis == aging.ByDocument {
		day = i.date
	}
	return a.columns.at(uint64(i.side-Debit), day)
}

// columns knows the column of each day about the date of a report, of debits and then of
// credits.
type columns struct {
	asOf        date.Date
	least, most int // days past the day that a column goes by
	byDays      [2][]uint8
}

func (c *columns) set(scheme aging.Scheme) {
	c.asOf = scheme.AsOf
	_, c.least, _ = scheme.Buckets.Range(0)
	c.most, _, _ = scheme.Buckets.Range(scheme.Buckets.Len() - 1)
	for side := range c.byDays {
		c.byDays[side] = make([]uint8, c.most-c.least+1)
	}
	for n := range c.byDays[0] {
		day := c.asOf - date.Date(c.least+n)
		c.byDays[0][n], c.byDays[1][n] = uint8(scheme.Column(day, day)), uint8(scheme.Unapplied())
	}
}

// at is the column of a day for debits, whose side is 0, or credits, whose side is 1.
func (c *columns) at(side uint64, day date.Date) int {
	past := min(max(int(c.asOf-day), c.least), c.most)
	return int(c.byDays[side&1][past-c.least])
}
