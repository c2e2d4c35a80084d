package credit

import (
	"slices"

	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/storage"
)

// logOrder orders entries by their page's month, the quiet ones behind the others, then by
// the day from which they count, then as they came: the number of an entry stands in the
// lowest 31 bits.
type logOrder uint64

const (
	orderEntry = 1<<orderDay - 1 // the bits of an entry's number
	orderDay   = 31
	orderPart  = orderDay + 17 // whether the entry is quiet, and behind that the month
	orderBits  = 64
)

func newOrder(month date.Month, quiet bool, on date.Date, n int) logOrder {
	o := logOrder(month)<<(orderPart+1) | logOrder(on)<<orderDay | logOrder(n)
	if quiet {
		o |= 1 << orderPart
	}
	return o
}

func (o logOrder) month() date.Month { return date.Month(o >> (orderPart + 1)) }
func (o logOrder) quiet() bool       { return o>>orderPart&1 != 0 }
func (o logOrder) day() date.Date    { return date.Date(o >> orderDay & (1<<(orderPart-orderDay) - 1)) }
func (o logOrder) entry() int        { return int(o & orderEntry) }

// loadPage is a page of the log that is about to be added: its entries are a part of the
// row's order.
type loadPage struct {
	key      logKey
	last     uint64 // the number of the month's last page, in the first
	from, to int
}

// addLog adds the pages of the log, with the entries in the order of their days, as they
// would have come: so a report passes over the pages of days before its own.
func (ld *ledgerLoad) addLog(l *storage.Loader, row *loadRow) error {
	for _, log := range [2]uint8{logEffective, logRecorded} {
		row.orderEntries(log)
		if log == logEffective {
			ld.addDays(l, row)
		}
		row.layOut(log, ld.sizes.log)
		for n := range row.pages {
			if err := ld.addLogPage(l, row, &row.pages[n]); err != nil {
				return err
			}
		}
	}
	return nil
}

// orderEntries orders the entries that stand in a log.
func (row *loadRow) orderEntries(log uint8) {
	row.order = row.order[:0]
	for n := range row.entries {
		e, month := &row.entries[n].entry, row.months[n]
		if log == logRecorded {
			on := month
			if month = e.recorded.Month(); month <= on {
				continue
			}
		}
		row.order = append(row.order, newOrder(month, row.quiet[n], e.on, n))
	}
	row.spare = slices.Grow(row.spare[:0], len(row.order))[:len(row.order)]
	row.sortBy(row.spare, row.order, orderDay, orderPart)
	row.sortBy(row.order, row.spare, orderPart, orderBits)
}

// sortBy is a counting sort by the bits from one on up to another: days and months lie close
// together. What is equal stays in its order.
func (row *loadRow) sortBy(to, from []logOrder, low, high int) {
	if len(from) == 0 {
		return
	}
	value := func(o logOrder) int { return int(o << (orderBits - high) >> (orderBits - high + low)) }
	least, most := value(from[0]), value(from[0])
	for _, o := range from {
		least, most = min(least, value(o)), max(most, value(o))
	}
	row.counts = slices.Grow(row.counts[:0], most-least+2)[:most-least+2]
	next := row.counts // of each value, where the next one goes
	clear(next)
	for _, o := range from {
		next[value(o)-least+1]++
	}
	for n := 1; n < len(next); n++ {
		next[n] += next[n-1]
	}
	for _, o := range from {
		at := &next[value(o)-least]
		to[*at] = o
		*at++
	}
}

// addDays counts the entries by day, given in order.
func (ld *ledgerLoad) addDays(l *storage.Loader, row *loadRow) {
	for rest := row.order; len(rest) > 0; {
		n := 1
		for n < len(rest) && rest[n].day() == rest[0].day() {
			n++
		}
		row.key = appendDayKey(row.key[:0], rest[0].day())
		ld.days.Load(l, row.key, int64(n))
		rest = rest[n:]
	}
}

// layOut shares the ordered entries out among pages of at most so many, and within each page
// puts them as they came, by customer, so that they take few bytes and a report finds an
// account for several at once.
func (row *loadRow) layOut(log uint8, size int) {
	row.pages = row.pages[:0]
	for from := 0; from < len(row.order); {
		to := from
		for month := row.order[from].month(); to < len(row.order) && row.order[to].month() == month; {
			to++
		}
		row.layOutMonth(log, size, from, to)
		from = to
	}
	row.pageOf = slices.Grow(row.pageOf[:0], len(row.entries))[:len(row.entries)]
	for n := range row.pageOf {
		row.pageOf[n] = -1
	}
	for n := range row.pages {
		p := &row.pages[n]
		for _, o := range row.order[p.from:p.to] {
			row.pageOf[o.entry()] = int32(n)
		}
		p.to = p.from
	}
	for n, at := range row.pageOf {
		if at >= 0 {
			p := &row.pages[at]
			row.order[p.to] = logOrder(n)
			p.to++
		}
	}
}

// fewQuiet entries have no pages of their own.
const fewQuiet = 32

// layOutMonth makes the pages of a month, whose entries are a part of the order.
func (row *loadRow) layOutMonth(log uint8, size, from, to int) {
	loud := from
	for loud < to && !row.order[loud].quiet() {
		loud++
	}
	if to-loud < fewQuiet {
		loud = to
	}
	key := logKey{log, row.order[from].month(), row.block(), 0}
	row.addPages(key, size, from, loud)
	key.log += logQuiet
	row.addPages(key, size, loud, to)
}

// addPages makes the pages of a part of the order, from the first one's key on.
func (row *loadRow) addPages(key logKey, size, from, to int) {
	first := len(row.pages)
	for ; from < to; from += size {
		row.pages = append(row.pages, loadPage{key: key, from: from, to: min(from+size, to)})
		row.pages[first].last = key.number
		key.number++
	}
}

// addLogPage adds a page.
func (ld *ledgerLoad) addLogPage(l *storage.Loader, row *loadRow, from *loadPage) error {
	p := &row.page
	*p = logPage{key: from.key, last: from.last, currencies: p.currencies[:0], added: p.added[:0]}
	for _, o := range row.order[from.from:from.to] {
		p.add(&row.entries[o.entry()].entry)
	}
	return ld.log.Load(l, p.key, p, uint8(Posted))
}
