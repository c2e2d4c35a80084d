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
	months  []date.Month // of the entries, those from which they count
	quiet   []bool       // of the entries
	settled []bool       // of an account's items, those whose entries are quiet
	open    []openItem   // of a block
	order   []logOrder
	spare   []logOrder // for sorting
	counts  []int32    // the same
	pages   []loadPage
	pageOf  []int32 // of the entries, those in a page: its number
	page    logPage
	account account
	years   []*figures // of an account; behind them, others that are used again
	stored  Allocation
	sums    map[totalID]int64
	counted []counted // where the accounts' exposure counts
	exposed map[exposureKey]int64
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
	row.months, row.quiet = row.months[:0], row.quiet[:0]
	clear(row.sums)
	clear(row.exposed)
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
		if err := ld.addAccount(l, row, n, first); err != nil {
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
	if err := ld.addTotals(l, row); err != nil {
		return err
	}
	return ld.addExposure(l, row)
}

// addItems adds an account's items and their entries.
func (ld *ledgerLoad) addItems(l *storage.Loader, row *loadRow, a *LoadAccount) error {
	for n := range a.Items {
		i := &a.Items[n]
		if err := ld.item.Load(l, i.ID, i, uint8(Posted)); err != nil {
			return err
		}
		row.note(i.posting(), row.settled[n])
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
		row.note(both[0], row.settled[from.Debit])
		row.note(both[1], row.settled[from.Credit])
	}
	return nil
}

// note adds an entry.
func (row *loadRow) note(p posted, quiet bool) {
	row.entries = append(row.entries, p)
	row.months = append(row.months, p.entry.on.Month())
	row.quiet = append(row.quiet, quiet)
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
	slices.SortStableFunc(row.open[first:], func(a, b openItem) int { return cmp.Compare(a.due, b.due) }) // their ids ascend
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

// addAccount adds the account and figures of a customer, given its number and its first entry
// in the row.
func (ld *ledgerLoad) addAccount(l *storage.Loader, row *loadRow, number, first int) error {
	list, months := row.entries[first:], row.months[first:]
	if len(list) == 0 {
		return nil
	}
	a := &row.account
	*a = account{customer: list[0].customer, balances: a.balances[:0]}
	row.years = row.years[:0]
	var month *Figures
	for n := range list {
		p := &list[n]
		if err := a.add(&p.entry); err != nil {
			return err
		}
		if month == nil || month.Month != months[n] || month.Currency != p.currency {
			month = row.year(a.customer, months[n]).of(months[n], p.currency)
		}
		if err := month.add(&p.entry, p.settlement); err != nil {
			return err
		}
	}
	for _, f := range row.years {
		if err := ld.figures.Load(l, f.key, f, uint8(Posted)); err != nil {
			return err
		}
	}
	if err := row.expose(a, &row.counted[number]); err != nil {
		return err
	}
	return ld.account.Load(l, a.customer, a, uint8(Posted))
}

// year returns the figures of an account in a month's year, made when there are none.
func (row *loadRow) year(id customer.ID, month date.Month) *figures {
	year, _ := month.Civil()
	at, found := slices.BinarySearchFunc(row.years, year, func(f *figures, year int) int { return cmp.Compare(f.key.year, year) })
	if found {
		return row.years[at]
	}
	f := row.spareYear()
	f.key, f.months = figuresKey{id, year}, f.months[:0]
	row.years = slices.Insert(row.years, at, f)
	return f
}

// spareYear returns figures that a former account had, or new ones.
func (row *loadRow) spareYear() *figures {
	if n := len(row.years); n < cap(row.years) {
		if f := row.years[:n+1][n]; f != nil {
			return f
		}
	}
	return &figures{}
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
		row.key = appendTotalKey(row.key[:0], id)
		if err := ld.addSum(l, ld.total, row.key, sum); err != nil {
			return err
		}
	}
	return nil
}

// postRow posts the accounts of a row, near which something is posted already, each in a
// transaction.
func (ld *ledgerLoad) postRow(row *loadRow) error {
	for n := range row.accounts {
		a := &row.accounts[n]
		err := ld.job.Storage.View(ld.ctx, func(r *storage.Reader) error {
			return ld.find(r, []counted{{customer: a.Customer}}, mayLoad)
		})
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
