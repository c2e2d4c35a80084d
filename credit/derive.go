package credit

import (
	"iter"
	"slices"

	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
)

// derived is everything about a customer that follows from items and allocations.
type derived struct {
	list    []posted
	open    []openItem
	account *account
	years   []*figures
}

// derive computes what follows from a customer's items and their allocations. It costs a
// read for each of them.
func (r *Reader) derive(id customer.ID) (*derived, error) {
	return r.deriveFrom(id, r.itemsOf(id), func(*Allocation) bool { return true })
}

// deriveFrom is derive for items that a customer holds, or held, and the allocations that
// count.
func (r *Reader) deriveFrom(id customer.ID, items iter.Seq2[*Item, error], counts func(*Allocation) bool) (*derived, error) {
	d := &derived{account: &account{customer: id}}
	for i, err := range items {
		if err != nil {
			return nil, err
		}
		if err := r.deriveItem(d, i, counts); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(d.open, func(a, b openItem) int { return a.place().compare(b.place()) })
	for n := range d.list {
		if err := d.count(&d.list[n]); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// deriveItem adds an item and its side of its allocations, those that count.
func (r *Reader) deriveItem(d *derived, i *Item, counts func(*Allocation) bool) error {
	open := i.open()
	own, err := r.posting(i)
	if err != nil {
		return err
	}
	d.list = append(d.list, own)
	for a, err := range r.allocations(i.ID) {
		if err != nil {
			return err
		}
		if !counts(a) {
			continue
		}
		p, err := sideOf(r, i, a)
		if err != nil {
			return err
		}
		open.amount += p.amount
		d.list = append(d.list, p)
	}
	if open.amount != 0 {
		d.open = append(d.open, open)
	}
	return nil
}

// posting is the entry that brings an item into the ledger, with what a reversal takes
// back: of money it counts with money.
func (r *Reader) posting(i *Item) (posted, error) {
	p := i.posting()
	if i.Reverses == 0 {
		return p, nil
	}
	former, err := r.item("derive", i.Reverses)
	if err == nil {
		p.by = former.Kind
	}
	return p, err
}

// source is where items and allocations are looked up.
type source interface {
	item(op string, id ItemID) (*Item, error)
	allocation(op string, id AllocationID) (*Allocation, error)
}

// sideOf is the entry that an allocation makes for one of its items.
func sideOf(from source, i *Item, a *Allocation) (posted, error) {
	on := a.Effective
	if a.Undoes != 0 {
		former, err := from.allocation("derive", a.Undoes)
		if err != nil {
			return posted{}, err
		}
		on = former.Effective
	}
	if i.ID == a.Credit {
		return a.posted(i, i, on)[1], nil
	}
	credit, err := from.item("derive", a.Credit)
	if err != nil {
		return posted{}, err
	}
	return a.posted(i, credit, on)[0], nil
}

// count adds an entry to the account and its figures.
func (d *derived) count(p *posted) error {
	if err := d.account.add(&p.entry); err != nil {
		return err
	}
	month := p.entry.on.Month()
	year, _ := month.Civil()
	n := slices.IndexFunc(d.years, func(f *figures) bool { return f.key.year == year })
	if n < 0 {
		n = len(d.years)
		d.years = append(d.years, &figures{key: figuresKey{d.account.customer, year}})
	}
	return d.years[n].of(month, p.currency).add(&p.entry, p.settlement)
}

// rebuild makes everything anew that is derived for a customer, and tells the observers
// by how much its balances changed. What the pages have of other customers stays.
func (tx *Tx) rebuild(id customer.ID, action Action) error {
	d, err := tx.derive(id)
	if err != nil {
		return err
	}
	if err := tx.replaceOpen(id, d.open); err != nil {
		return err
	}
	if err := tx.replaceLog(id, d.list); err != nil {
		return err
	}
	if err := tx.replaceFigures(id, d.years); err != nil {
		return err
	}
	return tx.replaceAccount(id, d.account, action)
}

// replaceOpen makes a customer's open items those given, which are in order.
func (tx *Tx) replaceOpen(id customer.ID, items []openItem) error {
	var list []entry
	err := tx.eachOpen(id, func(o *openItem) bool {
		gone := entry{openItem: *o}
		gone.amount = -gone.amount
		list = append(list, gone)
		return true
	})
	if err != nil {
		return err
	}
	for _, o := range items {
		list = append(list, entry{openItem: o})
	}
	entries := make([]*entry, len(list))
	for n := range list {
		entries[n] = &list[n]
	}
	slices.SortStableFunc(entries, func(a, b *entry) int { return a.place().compare(b.place()) })
	return tx.changeOpen(entries)
}

// replaceLog makes a customer's entries in the log those given.
func (tx *Tx) replaceLog(id customer.ID, list []posted) error {
	for log := uint8(logEffective); log <= lastLog; log++ {
		months, err := tx.logMonths(log, date.First.Month())
		if err != nil {
			return err
		}
		for _, month := range months {
			if err := tx.clearLog(logKey{log, month, logBlock(id), 0}, id); err != nil {
				return err
			}
		}
	}
	return tx.addLog(byDay(list))
}

// clearLog takes a customer's entries out of the pages of a block and month.
func (tx *Tx) clearLog(key logKey, id customer.ID) error {
	var pages []*logPage
	var kept []entry
	found := false
	prefix := storage.Key(nil).Uint(uint64(key.log)).Uint(uint64(key.month)).Uint(uint64(key.block))
	for p, err := range tx.store.log.Records(tx.storage, kv.Prefix(prefix), false) {
		if err != nil {
			return err
		}
		pages = append(pages, p)
		var r logReader
		for r.reset(p); r.next(); {
			if r.entry.customer == id {
				found = true
			} else {
				kept = append(kept, r.entry)
			}
		}
		if err := r.err(); err != nil {
			return err
		}
	}
	if !found {
		return nil
	}
	for _, p := range pages {
		if err := tx.store.log.Delete(tx.tx, p.key, uint8(Moved)); err != nil {
			return err
		}
	}
	if len(kept) == 0 {
		return nil
	}
	entries := make([]*entry, len(kept))
	for n := range kept {
		entries[n] = &kept[n]
	}
	key.log = key.sort()
	return tx.appendLog(key, entries)
}

func (tx *Tx) replaceFigures(id customer.ID, years []*figures) error {
	former, err := tx.yearsOf(id)
	if err != nil {
		return err
	}
	for _, f := range former {
		if !slices.ContainsFunc(years, func(n *figures) bool { return n.key == f.key }) {
			if err := tx.store.figures.Delete(tx.tx, f.key, uint8(Moved)); err != nil {
				return err
			}
		}
	}
	for _, f := range years {
		if err := tx.store.figures.Put(tx.tx, f.key, f, uint8(Moved)); err != nil {
			return err
		}
	}
	return nil
}

// yearsOf returns all figures of a customer.
func (r *Reader) yearsOf(id customer.ID) (list []*figures, err error) {
	for f, err := range r.store.figures.Records(r.storage, kv.Prefix(storage.Key(nil).Uint(uint64(id))), false) {
		if err != nil {
			return nil, err
		}
		list = append(list, f)
	}
	return list, nil
}

// replaceAccount stores an account and tells the observers what changed.
func (tx *Tx) replaceAccount(id customer.ID, a *account, action Action) error {
	former, err := tx.accountOf(id)
	if err != nil {
		return err
	}
	if len(a.balances)+len(former.balances) == 0 {
		return nil
	}
	if err := tx.store.account.Put(tx.tx, id, a, uint8(action)); err != nil {
		return err
	}
	change, err := a.less(former)
	if err != nil {
		return err
	}
	return tx.tell(id, change)
}

// less returns by how much the balances differ from those of another account.
func (a *account) less(o *account) (*account, error) {
	change := &account{customer: a.customer}
	for _, b := range a.balances {
		*change.balance(b.Currency) = b
	}
	for _, b := range o.balances {
		c := change.balance(b.Currency)
		for _, part := range [3]struct{ sum, less *int64 }{{&c.Debits, &b.Debits}, {&c.Credits, &b.Credits}, {&c.Deposits, &b.Deposits}} {
			if err := addTo(part.sum, -*part.less, b.Currency); err != nil {
				return nil, err
			}
		}
	}
	return change, nil
}
