package credit

import (
	"cmp"
	"hash/maphash"
	"math/bits"
	"slices"

	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
)

// loadRow is the accounts of the customers that share pages of the log. The storage
// hands it out again when it has all of it, so its memory is used again and again.
type loadRow struct {
	accounts    []LoadAccount
	items       []Item           // of all accounts
	allocations []LoadAllocation // of all accounts
	today       date.Date
	ids         []AllocationID // of the allocations, in their order
	openAmounts []int64        // of the items, in the end
	documents   []int32        // of the items, by hash: a number of items, 1 more, or 0

	entries []posted
	quiet   []bool     // of the entries
	settled []bool     // of an account's items, those whose entries are quiet
	open    []openItem // of a block
	order   []logOrder
	page    logPage
	stored  Allocation
	sums    map[totalID]int64
	key     storage.Key
}

// mostKept bounds the items for which a row keeps its memory.
const mostKept = 1 << 14

// begin empties the row.
func (row *loadRow) begin(today date.Date) {
	if cap(row.items) > mostKept {
		*row = loadRow{}
	}
	row.accounts, row.items, row.allocations = row.accounts[:0], row.items[:0], row.allocations[:0]
	row.ids, row.entries, row.open, row.today = row.ids[:0], row.entries[:0], row.open[:0], today
	row.quiet = row.quiet[:0]
	clear(row.sums)
}

// take copies an account, whose memory is the caller's.
func (row *loadRow) take(a *LoadAccount) {
	row.items = append(row.items, a.Items...)
	row.allocations = append(row.allocations, a.Allocations...)
	row.accounts = append(row.accounts, *a)
}

// share gives each account its part of the copies, once they are all taken.
func (row *loadRow) share() {
	items, allocations := row.items, row.allocations
	for n := range row.accounts {
		a := &row.accounts[n]
		i, j := len(a.Items), len(a.Allocations)
		a.Items, items = items[:i:i], items[i:]
		a.Allocations, allocations = allocations[:j:j], allocations[j:]
	}
}

// block is the first of the customers that share pages.
func (row *loadRow) block() customer.ID { return logBlock(row.accounts[0].Customer) }

// checkDocuments fails when an instalment of a document stands twice in the row. Other
// rows' documents the storage sees.
func (row *loadRow) checkDocuments() error {
	size := 1 << bits.Len(uint(2*len(row.items))) // half of it stays empty
	table := slices.Grow(row.documents[:0], size)[:size]
	row.documents = table
	clear(table)
	for n := range row.items {
		i := &row.items[n]
		at := (int(maphash.String(documentSeed, i.Document)) + i.Instalment) & (size - 1)
		for ; table[at] != 0; at = (at + 1) & (size - 1) {
			if o := &row.items[table[at]-1]; o.Document == i.Document && o.Instalment == i.Instalment {
				return &Error{Op: "load", Customer: i.Customer, Field: "Document", Value: shorten(i.Document), Problem: "stands twice in the load", Err: ErrDocument}
			}
		}
		table[at] = int32(n + 1)
	}
	return nil
}

var documentSeed = maphash.MakeSeed()

// add adds a row's items and allocations, and everything that is derived from them.
func (ld *ledgerLoad) add(l *storage.Loader, row *loadRow) error {
	ids, open := row.ids, row.openAmounts
	for n := range row.accounts {
		a := &row.accounts[n]
		first := len(row.entries)
		row.settled = a.quiet(open, row.settled[:0])
		if err := ld.addItems(l, row, a); err != nil {
			return err
		}
		if err := ld.addAllocations(l, row, a, ids); err != nil {
			return err
		}
		if err := ld.addOpen(l, row, a, open); err != nil {
			return err
		}
		if err := ld.addAccount(l, row.entries[first:]); err != nil {
			return err
		}
		ids, open = ids[len(a.Allocations):], open[len(a.Items):]
	}
	if err := ld.flushOpen(l, row); err != nil {
		return err
	}
	if err := ld.addLog(l, row); err != nil {
		return err
	}
	return ld.addTotals(l, row)
}

// addItems adds an account's items and their entries.
func (ld *ledgerLoad) addItems(l *storage.Loader, row *loadRow, a *LoadAccount) error {
	for n := range a.Items {
		i := &a.Items[n]
		if err := ld.item.Load(l, i.ID, i, uint8(Posted)); err != nil {
			return err
		}
		row.entries = append(row.entries, i.posting())
		row.quiet = append(row.quiet, row.settled[n])
	}
	return nil
}

// addAllocations adds an account's allocations and their entries.
func (ld *ledgerLoad) addAllocations(l *storage.Loader, row *loadRow, a *LoadAccount, ids []AllocationID) error {
	stored := &row.stored
	for n := range a.Allocations {
		from := &a.Allocations[n]
		if err := a.allocation(ld.Store, from, stored); err != nil {
			return err
		}
		stored.ID = ids[n]
		if err := ld.allocation.Load(l, stored.ID, stored, uint8(Posted)); err != nil {
			return err
		}
		both := stored.posted(&a.Items[from.Debit], &a.Items[from.Credit], stored.Effective)
		row.entries = append(row.entries, both[:]...)
		row.quiet = append(row.quiet, row.settled[from.Debit], row.settled[from.Credit])
	}
	return nil
}

// quiet appends which items are wholly settled from the day on from which they count, and
// that known when they were, given what is open of each.
func (a *LoadAccount) quiet(open []int64, settled []bool) []bool {
	for n := range a.Items {
		settled = append(settled, open[n] == 0)
	}
	for n := range a.Allocations {
		x := &a.Allocations[n]
		effective, known := a.counts(x)
		for _, at := range [2]int{x.Debit, x.Credit} {
			settled[at] = settled[at] && a.Items[at].Effective == effective && a.Items[at].Known == known
		}
	}
	return settled
}

// addOpen puts what is open of an account into the pages of open items, those of the block
// before having been written.
func (ld *ledgerLoad) addOpen(l *storage.Loader, row *loadRow, a *LoadAccount, amounts []int64) error {
	if len(row.open) > 0 && blockOf(row.open[0].customer) != blockOf(a.Customer) {
		if err := ld.flushOpen(l, row); err != nil {
			return err
		}
	}
	first := len(row.open)
	for n := range a.Items {
		if amounts[n] > 0 {
			open := a.Items[n].open()
			open.amount = amounts[n]
			row.open = append(row.open, open)
			if err := row.addTotal(&open); err != nil {
				return err
			}
		}
	}
	slices.SortFunc(row.open[first:], func(a, b openItem) int { return a.place().compare(b.place()) })
	return nil
}

// flushOpen writes the pages of a block.
func (ld *ledgerLoad) flushOpen(l *storage.Loader, row *loadRow) error {
	if len(row.open) == 0 {
		return nil
	}
	err := splitPages(firstPage(row.open[0].customer), false, true, row.open, ld.sizes.open, func(p *openPage) error {
		return ld.open.Load(l, p.key, p, uint8(Posted))
	})
	row.open = row.open[:0]
	return err
}

// byDay are entries in the order of the days from which they count.
func byDay(list []posted) []*entry {
	entries := make([]*entry, len(list))
	for n := range list {
		entries[n] = &list[n].entry
	}
	slices.SortStableFunc(entries, func(a, b *entry) int { return cmp.Compare(a.on, b.on) })
	return entries
}

// splitPages encodes items in as few pages of at most so many as can be. The first page of
// a block tells whether there are more.
func splitPages(key openKey, more, isFirst bool, items []openItem, most int, put func(*openPage) error) error {
	parts := max(1, (len(items)+most-1)/most)
	size := (len(items) + parts - 1) / parts
	for n := range parts {
		part := items[min(n*size, len(items)):min((n+1)*size, len(items))]
		if n > 0 {
			key = part[0].place()
		}
		if err := put(newOpenPage(key, n == 0 && (more || isFirst && parts > 1), part)); err != nil {
			return err
		}
	}
	return nil
}

// logOrder orders entries by their page's month, the quiet ones behind the others, then by
// the day from which they count, then as they came: the number of an entry stands in the
// lowest 31 bits.
type logOrder uint64

const (
	orderQuiet = 1 << 48
	orderEntry = 1<<31 - 1
)

func (row *loadRow) addOrder(month date.Month, on date.Date, n int) {
	o := logOrder(month)<<49 | logOrder(on)<<31 | logOrder(n)
	if row.quiet[n] {
		o |= orderQuiet
	}
	row.order = append(row.order, o)
}

func (o logOrder) month() date.Month { return date.Month(o >> 49) }
func (o logOrder) day() date.Date    { return date.Date(o >> 31 & (1<<17 - 1)) }
func (o logOrder) entry() int        { return int(o & orderEntry) }

// addLog adds the pages of the log, with the entries in the order of their days, as they
// would have come: so a report passes over the pages of days before its own.
func (ld *ledgerLoad) addLog(l *storage.Loader, row *loadRow) error {
	row.order = row.order[:0]
	for n := range row.entries {
		e := &row.entries[n].entry
		row.addOrder(e.on.Month(), e.on, n)
	}
	slices.Sort(row.order)
	ld.addDays(l, row)
	if err := ld.addLogPages(l, row, logEffective); err != nil {
		return err
	}
	row.order = row.order[:0]
	for n := range row.entries {
		e := &row.entries[n].entry
		if month := e.recorded.Month(); month > e.on.Month() {
			row.addOrder(month, e.on, n)
		}
	}
	slices.Sort(row.order)
	return ld.addLogPages(l, row, logRecorded)
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

// addLogPages adds the pages of one log, of the entries that the row's order names.
func (ld *ledgerLoad) addLogPages(l *storage.Loader, row *loadRow, log uint8) error {
	for rest := row.order; len(rest) > 0; {
		month := rest[0].month()
		n := 1
		for n < len(rest) && rest[n].month() == month {
			n++
		}
		if err := ld.addLogMonth(l, row, logKey{log, month, row.block(), 0}, rest[:n]); err != nil {
			return err
		}
		rest = rest[n:]
	}
	return nil
}

// fewQuiet entries have no pages of their own.
const fewQuiet = 32

// addLogMonth adds the pages of a month.
func (ld *ledgerLoad) addLogMonth(l *storage.Loader, row *loadRow, key logKey, order []logOrder) error {
	loud, _ := slices.BinarySearchFunc(order, orderQuiet, func(o logOrder, bit logOrder) int { return cmp.Compare(o&bit, bit) })
	if loud == 0 || len(order)-loud < fewQuiet {
		loud = len(order)
	}
	size := ld.sizes.log
	last := (loud+size-1)/size + (len(order)-loud+size-1)/size - 1
	for part := range slices.Chunk(order[:loud], size) {
		if err := ld.addLogPage(l, row, &key, last, false, part); err != nil {
			return err
		}
	}
	for part := range slices.Chunk(order[loud:], size) {
		if err := ld.addLogPage(l, row, &key, last, true, part); err != nil {
			return err
		}
	}
	return nil
}

// addLogPage adds a page, and moves the key to the next. Its entries stand as they came,
// by customer, so that they take few bytes and a report finds an account for several at once.
func (ld *ledgerLoad) addLogPage(l *storage.Loader, row *loadRow, key *logKey, last int, quiet bool, order []logOrder) error {
	p := &row.page
	*p = logPage{key: *key, currencies: p.currencies[:0], added: p.added[:0]}
	if key.number == 0 {
		p.last = uint64(last)
	}
	for n := range order {
		order[n] &= orderEntry
	}
	slices.Sort(order)
	for _, o := range order {
		p.add(&row.entries[o.entry()].entry)
	}
	p.quiet = quiet
	key.number++
	return ld.log.Load(l, p.key, p, uint8(Posted))
}

// addAccount adds a customer's account and figures.
func (ld *ledgerLoad) addAccount(l *storage.Loader, list []posted) error {
	if len(list) == 0 {
		return nil
	}
	a := &account{customer: list[0].customer}
	var years []*figures
	for n := range list {
		p := &list[n]
		if err := a.add(&p.entry); err != nil {
			return err
		}
		month := p.entry.on.Month()
		year, _ := month.Civil()
		at, found := slices.BinarySearchFunc(years, year, func(f *figures, year int) int { return cmp.Compare(f.key.year, year) })
		if !found {
			years = slices.Insert(years, at, &figures{key: figuresKey{a.customer, year}})
		}
		if err := years[at].of(month, p.currency).add(&p.entry, p.settlement); err != nil {
			return err
		}
	}
	for _, f := range years {
		if err := ld.figures.Load(l, f.key, f, uint8(Posted)); err != nil {
			return err
		}
	}
	return ld.account.Load(l, a.customer, a, uint8(Posted))
}

// addTotal notes what is open of an item for the book's totals.
func (row *loadRow) addTotal(i *openItem) error {
	if row.sums == nil {
		row.sums = map[totalID]int64{}
	}
	id := totalID{i.side, i.currency, i.due}
	sum := row.sums[id]
	err := addTo(&sum, i.amount, i.currency)
	row.sums[id] = sum
	return err
}

// addTotals adds to the book's totals.
func (ld *ledgerLoad) addTotals(l *storage.Loader, row *loadRow) error {
	for id, sum := range row.sums {
		if sum >= large {
			if err := ld.large.add(ld, id, sum); err != nil {
				return err
			}
		}
		row.key = appendTotalKey(row.key[:0], id)
		ld.total.Load(l, row.key, sum)
	}
	return nil
}

// postRow posts the accounts of a row, near which something is posted already, each in a
// transaction.
func (ld *ledgerLoad) postRow(row *loadRow) error {
	for n := range row.accounts {
		a := &row.accounts[n]
		err := ld.exist(row.accounts[n : n+1])
		if err == nil {
			err = a.check(row.today, make([]int64, len(a.Items)))
		}
		if err == nil {
			_, err = ld.job.Storage.Update(ld.ctx, ld.job.Session, func(tx *storage.Tx) error {
				return ld.Tx(tx, ld.job.Customers.Tx(tx)).postAccount(a)
			})
		}
		if err == nil {
			continue
		}
		if ld.opts.Refused == nil {
			return err
		}
		ld.opts.Refused(a.Customer, a.Customer, err)
	}
	return nil
}

// postAccount posts a loaded account within a transaction.
func (tx *Tx) postAccount(a *LoadAccount) error {
	var list []posted
	for n := range a.Items {
		i := &a.Items[n]
		id, err := tx.store.itemIDs.Next(tx.tx, nil)
		if err != nil {
			return err
		}
		i.ID = ItemID(id)
		if err := tx.store.item.InsertNew(tx.tx, i.ID, i, uint8(Posted)); err != nil {
			return taken("load", i, err)
		}
		list = append(list, i.posting())
	}
	for n := range a.Allocations {
		stored := &Allocation{}
		if err := a.allocation(tx.store, &a.Allocations[n], stored); err != nil {
			return err
		}
		id, err := tx.store.allocationID.Next(tx.tx, nil)
		if err != nil {
			return err
		}
		stored.ID = AllocationID(id)
		if err := tx.store.allocation.InsertNew(tx.tx, stored.ID, stored, uint8(Posted)); err != nil {
			return err
		}
		both := stored.posted(&a.Items[a.Allocations[n].Debit], &a.Items[a.Allocations[n].Credit], stored.Effective)
		list = append(list, both[:]...)
	}
	return tx.record(list)
}
