package credit

import (
	"cmp"
	"slices"

	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/storage"
)

// add adds a row's items and allocations, and everything that is derived from them.
func (ld *ledgerLoad) add(l *storage.Loader, row *loadRow) error {
	list, err := ld.addRecords(l, row)
	if err != nil {
		return err
	}
	if err := ld.addOpen(l, list); err != nil {
		return err
	}
	if err := ld.addLog(l, list); err != nil {
		return err
	}
	if err := ld.addAccounts(l, list); err != nil {
		return err
	}
	ld.addTotals(l, list)
	return nil
}

// addRecords adds items and allocations and returns their entries.
func (ld *ledgerLoad) addRecords(l *storage.Loader, row *loadRow) ([]posted, error) {
	var list []posted
	ids := row.ids
	for n := range row.accounts {
		a := &row.accounts[n]
		for i := range a.Items {
			item := &a.Items[i]
			if err := ld.item.Load(l, item.ID, item, uint8(Posted)); err != nil {
				return nil, err
			}
			list = append(list, posted{entry: item.posted()})
		}
		for i := range a.Allocations {
			stored, err := a.allocation(ld.Store, &a.Allocations[i])
			if err != nil {
				return nil, err
			}
			stored.ID = ids[i]
			if err := ld.allocation.Load(l, stored.ID, stored, uint8(Posted)); err != nil {
				return nil, err
			}
			debit, credit := &a.Items[a.Allocations[i].Debit], &a.Items[a.Allocations[i].Credit]
			list = append(list, stored.posted(debit, credit, stored.Effective)...)
		}
		ids = ids[len(a.Allocations):]
	}
	slices.SortStableFunc(list, func(a, b posted) int { return a.place().compare(b.place()) })
	return list, nil
}

// addOpen adds the pages of open items. Entries are in the order of places.
func (ld *ledgerLoad) addOpen(l *storage.Loader, list []posted) error {
	var items []openItem
	flush := func() error {
		if len(items) == 0 {
			return nil
		}
		err := splitPages(firstPage(items[0].customer), false, true, items, ld.sizes.open, func(p *openPage) error {
			return ld.open.Load(l, p.key, p, uint8(Posted))
		})
		items = items[:0]
		return err
	}
	for n := 0; n < len(list); {
		open := list[n].openItem
		for n++; n < len(list) && list[n].item == open.item; n++ {
			open.amount += list[n].amount
		}
		if open.amount == 0 {
			continue
		}
		if len(items) > 0 && blockOf(items[0].customer) != blockOf(open.customer) {
			if err := flush(); err != nil {
				return err
			}
		}
		items = append(items, open)
	}
	return flush()
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

// addLog adds the pages of the log, with the entries in the order of their days, as they
// would have come: so a report passes over the pages of days before its own.
func (ld *ledgerLoad) addLog(l *storage.Loader, list []posted) error {
	pages := map[logKey][]*logPage{}
	var order []logKey
	for _, e := range byDay(list) {
		for _, key := range e.logKeys() {
			all := pages[key]
			if len(all) == 0 {
				order = append(order, key)
			}
			if len(all) == 0 || all[len(all)-1].count >= ld.sizes.log {
				next := key
				next.number = uint64(len(all))
				all = append(all, &logPage{key: next})
				pages[key] = all
			}
			all[len(all)-1].add(e)
		}
	}
	for _, key := range order {
		all := pages[key]
		all[0].last = uint64(len(all) - 1)
		for _, p := range all {
			if err := ld.log.Load(l, p.key, p, uint8(Posted)); err != nil {
				return err
			}
		}
	}
	return nil
}

// addAccounts adds accounts and figures.
func (ld *ledgerLoad) addAccounts(l *storage.Loader, list []posted) error {
	for len(list) > 0 {
		id := list[0].customer
		n := 1
		for n < len(list) && list[n].customer == id {
			n++
		}
		if err := ld.addAccount(l, list[:n]); err != nil {
			return err
		}
		list = list[n:]
	}
	return nil
}

func (ld *ledgerLoad) addAccount(l *storage.Loader, list []posted) error {
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

// addTotals adds to the book's totals.
func (ld *ledgerLoad) addTotals(l *storage.Loader, list []posted) {
	sums, days := map[string]int64{}, map[date.Date]int64{}
	for n := range list {
		e := &list[n].entry
		days[e.on]++
		sums[string(totalKey(e.side, e.currency, e.due))] += e.amount
	}
	for key, sum := range sums {
		if sum != 0 {
			ld.total.Load(l, storage.Key(key), sum)
		}
	}
	for day, n := range days {
		ld.days.Load(l, dayKey(day), n)
	}
}

// postRow posts the accounts of a row, near which something is posted already, each in a
// transaction.
func (ld *ledgerLoad) postRow(row *loadRow) error {
	for n := range row.accounts {
		a := &row.accounts[n]
		err := a.check(row.today)
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
		list = append(list, posted{entry: i.posted()})
	}
	for n := range a.Allocations {
		stored, err := a.allocation(tx.store, &a.Allocations[n])
		if err != nil {
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
		list = append(list, stored.posted(&a.Items[a.Allocations[n].Debit], &a.Items[a.Allocations[n].Credit], stored.Effective)...)
	}
	return tx.record(list)
}
