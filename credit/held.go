package credit

import (
	"errors"
	"iter"
	"math"
	"slices"

	"github.com/clientele-go/clientele/credit/aging"
	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/bitset"
	"github.com/clientele-go/clientele/storage/kv"
)

// Holdings are how receivables were divided among customers at an earlier position of the
// journal. A merge moves items with all their past, so reports of a past day name the
// survivor; these name who held them then. Use it as long as its Reader.
type Holdings struct {
	reader  *Reader
	known   date.Date
	differs *bitset.Set
	late    *bitset.Set // who had something posted after the day in months up to lateTo; nil until asked for
	lateTo  date.Month
	left    map[ItemID]bool         // not their present holders' then
	came    map[customer.ID][]*Item // to those who held them then
	undone  map[AllocationID]bool   // made since
}

// HeldAt returns how receivables were divided at a position of the journal, as known at
// the end of a day, UTC: that of the position, or the one before if it was at midnight.
// trail must have all journal entries after the position up to the reader's state. Only
// customers that the session sees differ.
//
// It costs two reads for each item that moved since or was posted late on that day, and
// nothing when there was none. Of items loaded in bulk with an earlier Known it is as if
// they had been there.
func (r *Reader) HeldAt(position uint64, known date.Date, trail *Trail) (*Holdings, error) {
	h := &Holdings{
		reader: r, known: known, differs: &bitset.Set{},
		left: map[ItemID]bool{}, came: map[customer.ID][]*Item{}, undone: map[AllocationID]bool{},
	}
	at := kv.Position(position)
	for _, t := range since(trail.items, at) {
		h.left[ItemID(t.id)] = true
		if err := h.differ(ItemID(t.id)); err != nil {
			return nil, err
		}
	}
	if err := h.moveBack(since(trail.moved, at)); err != nil {
		return nil, err
	}
	for _, t := range since(trail.allocations, at) {
		if err := h.undo(AllocationID(t.id)); err != nil {
			return nil, err
		}
	}
	return h, h.narrow()
}

// moveBack finds who held the moved items.
func (h *Holdings) moveBack(moved []trace) error {
	seen := map[ItemID]bool{}
	for _, t := range moved {
		id := ItemID(t.id)
		if seen[id] || h.left[id] {
			continue
		}
		seen[id] = true
		now, err := h.reader.item("derive", id)
		if err != nil {
			return err
		}
		then, err := h.itemAt(now, t.version-1)
		if err != nil {
			return err
		}
		if then.Customer == now.Customer || then.Known > h.known {
			continue
		}
		h.left[id] = true
		h.came[then.Customer] = append(h.came[then.Customer], then)
		h.differs.Add(uint64(now.Customer))
		h.differs.Add(uint64(then.Customer))
	}
	return nil
}

// itemAt returns a version of an item; of one that was erased, the present one with its
// holder then.
func (h *Holdings) itemAt(now *Item, version uint64) (*Item, error) {
	then, err := h.reader.store.item.AtVersion(h.reader.storage, now.ID, version)
	if errors.Is(err, storage.ErrErased) {
		erased := *now
		erased.Customer = now.holderAt(version)
		return &erased, nil
	}
	return then, err
}

// undo takes an allocation that was made since out of what its items' holders owed.
func (h *Holdings) undo(id AllocationID) error {
	a, err := h.reader.allocation("derive", id)
	if err != nil {
		return err
	}
	h.undone[id] = true
	return errors.Join(h.differ(a.Debit), h.differ(a.Credit))
}

// differ notes the present holder of an item; another at the position is noted already.
func (h *Holdings) differ(id ItemID) error {
	i, err := h.reader.item("derive", id)
	if err != nil {
		return err
	}
	h.differs.Add(uint64(i.Customer))
	return nil
}

// narrow keeps whom the session sees.
func (h *Holdings) narrow() error {
	access := h.reader.access()
	if access == nil {
		return nil
	}
	return h.differs.Keep(access.WithinUnmasked("item"))
}

// Differ returns the customers whose receivables were others than a report of today, as
// known on the day, has it. It is the caller's.
func (h *Holdings) Differ() *bitset.Set { return h.differs.Clone() }

// items yields what a customer held.
func (h *Holdings) items(id customer.ID) iter.Seq2[*Item, error] {
	return func(yield func(*Item, error) bool) {
		for i, err := range h.reader.itemsOf(id) {
			if err == nil && (h.left[i.ID] || i.Known > h.known) {
				continue
			}
			if !yield(i, err) || err != nil {
				return
			}
		}
		for _, i := range h.came[id] {
			if !yield(i, nil) {
				return
			}
		}
	}
}

// ledger derives what a customer's items came to.
func (h *Holdings) ledger(id customer.ID) (*derived, error) {
	return h.reader.deriveFrom(id, h.items(id), func(a *Allocation) bool { return a.Known <= h.known && !h.undone[a.ID] })
}

// query asks as known on the day.
func (h *Holdings) query(q AgingQuery) AgingQuery {
	if q.KnownOn == 0 || q.KnownOn > h.known {
		q.KnownOn = h.known
	}
	return q
}

// others asks about those whose receivables are as they were.
func (h *Holdings) others(q AgingQuery) AgingQuery {
	q.Customers = except{q.Customers, h.differs}
	return q
}

// Aging is [Reader.Aging] of the items as they were held, as known on the day at most.
func (h *Holdings) Aging(q AgingQuery) iter.Seq2[aging.Row, error] {
	q = h.query(q)
	if h.differs.Len() == 0 {
		return h.reader.Aging(q)
	}
	return func(yield func(aging.Row, error) bool) {
		own, err := h.sums(q)
		if err != nil {
			yield(aging.Row{}, err)
			return
		}
		inTurn(own.Rows(), h.reader.Aging(h.others(q)))(yield)
	}
}

// inTurn yields the rows of two reports on different customers by customer.
func inTurn(a, b iter.Seq2[aging.Row, error]) iter.Seq2[aging.Row, error] {
	return func(yield func(aging.Row, error) bool) {
		next, stop := iter.Pull2(a)
		defer stop()
		first, err, more := next()
		for row, failed := range b {
			for more && err == nil && failed == nil && first.Customer < row.Customer {
				if !yield(first, nil) {
					return
				}
				first, err, more = next()
			}
			if !yield(row, failed) || failed != nil {
				return
			}
		}
		for more && yield(first, err) && err == nil {
			first, err, more = next()
		}
	}
}

// AgingTotal is [Reader.AgingTotal] of the items as they were held, as known on the day at
// most.
func (h *Holdings) AgingTotal(q AgingQuery) (*aging.Accumulator, error) {
	q = h.query(q)
	if h.differs.Len() == 0 {
		return h.reader.AgingTotal(q)
	}
	own, err := h.sums(q)
	if err != nil {
		return nil, err
	}
	total, err := h.reader.AgingTotal(h.others(q))
	if err != nil {
		return nil, err
	}
	return total, total.Merge(own.RollUp(func(uint64) (uint64, bool) { return 0, true }))
}

// sums adds up the wanted customers that differ.
func (h *Holdings) sums(q AgingQuery) (*aging.Accumulator, error) {
	v, err := h.reader.view(&q)
	if err != nil {
		return nil, err
	}
	wanted := h.differs.Clone()
	for _, in := range v.within {
		if err := wanted.Keep(in); err != nil {
			return nil, err
		}
	}
	a := &ager{view: v, scheme: q.scheme(h.reader), currency: q.Currency}
	a.columns.set(a.scheme)
	sums := aging.NewAccumulator(a.scheme)
	for id := range wanted.All() {
		if err := h.reader.storage.Context().Err(); err != nil {
			return nil, err
		}
		d, err := h.ledger(customer.ID(id))
		if err != nil {
			return nil, err
		}
		a.addPosted(sums, d.list)
	}
	if q.FIFO {
		return sums, sums.Settle()
	}
	return sums, nil
}

// addPosted adds the entries that count.
func (a *ager) addPosted(sums *aging.Accumulator, list []posted) {
	for n := range list {
		e := &list[n].entry
		if a.undoes(e.change, e.on, e.recorded) || a.currency != 0 && a.currency != e.currency {
			continue
		}
		sums.Add(sums.Account(a.number(e.customer), e.currency), a.column(&e.openItem), e.side.sign()*e.amount)
	}
}

// Figures is [Reader.Figures] of the items as they were held, without what was posted
// after the day, also where that counts in an earlier month. It costs a read a year for a
// customer of whom neither is the case, otherwise one for each item and allocation; the
// first call reads what the log has since the day for the months up to the last.
func (h *Holdings) Figures(id customer.ID, from, to date.Month) ([]Figures, error) {
	if err := h.needLate(to); err != nil {
		return nil, err
	}
	if err := h.reader.maySee("read", id); err != nil {
		return nil, err
	}
	if !h.differs.Contains(uint64(id)) && !h.late.Contains(uint64(id)) {
		return h.reader.figuresList(id, from, to)
	}
	d, err := h.ledger(id)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(d.years, func(a, b *figures) int { return a.key.year - b.key.year })
	var list []Figures
	for _, year := range d.years {
		err := year.each(from, to, func(_ customer.ID, m *Figures) error {
			list = append(list, *m)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return list, nil
}

// FiguresDiffer returns the customers that the session sees whose figures up to a month
// may be others than those of the Reader. It is the caller's.
func (h *Holdings) FiguresDiffer(to date.Month) (*bitset.Set, error) {
	if err := h.needLate(to); err != nil {
		return nil, err
	}
	all := h.differs.Clone()
	all.Or(h.late)
	if access := h.reader.access(); access != nil {
		return all, all.Keep(access.WithinUnmasked("item"))
	}
	return all, nil
}

// needLate has findLate look up to a month.
func (h *Holdings) needLate(to date.Month) error {
	if h.late != nil && to <= h.lateTo {
		return nil
	}
	return h.findLate(to)
}

// findLate finds who has entries that were recorded after the day and count in months up
// to one. They stand under the month of their recording when that is a later one,
// otherwise under the one in which they count.
func (h *Holdings) findLate(to date.Month) error {
	h.late, h.lateTo = &bitset.Set{}, to
	for log := uint8(logEffective); log <= lastLog; log++ {
		last := date.Last.Month()
		if (logKey{log: log}).sort() == logEffective {
			last = to
		}
		months, err := h.reader.logMonths(log, h.known.Month())
		if err != nil {
			return err
		}
		for _, month := range months {
			if month > last {
				break
			}
			if err := h.addLate(log, month); err != nil {
				return err
			}
		}
	}
	return nil
}

func (h *Holdings) addLate(log uint8, month date.Month) error {
	for p, err := range h.reader.store.log.Records(h.reader.storage, logMonth(log, month), false) {
		if err != nil {
			return err
		}
		if p.recorded <= h.known {
			continue
		}
		var e briefEntry
		at, first := 0, p.key.month.First()
		for left := p.count; left > 0 && at <= len(p.body); left-- {
			at = e.read(p.body, at, false)
			if on, recorded := e.days(first); recorded > h.known && on.Month() <= h.lateTo {
				h.late.Add(uint64(e.customer(p.key.block)))
			}
		}
		if err := p.errAt(at); err != nil {
			return err
		}
	}
	return nil
}

// except is a set without some of its numbers; of nil is every number.
type except struct {
	of   bitset.Source
	less *bitset.Set
}

// End implements [bitset.Source].
func (e except) End() (uint64, error) {
	if e.of == nil {
		return math.MaxUint32, nil
	}
	return e.of.End()
}

// Read implements [bitset.Source].
func (e except) Read(n uint64, into *bitset.Chunk) error {
	if e.of == nil {
		into.Fill()
	} else if err := e.of.Read(n, into); err != nil {
		return err
	}
	if less := e.less.Chunk(n); less != nil {
		into.AndNot(less)
	}
	return nil
}

// Has implements [bitset.Source].
func (e except) Has(number uint64) (bool, error) {
	if e.less.Contains(number) {
		return false, nil
	}
	if e.of == nil {
		return true, nil
	}
	return e.of.Has(number)
}
