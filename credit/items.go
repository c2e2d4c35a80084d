package credit

import (
	"cmp"
	"iter"
	"slices"

	"github.com/clientele-go/clientele/credit/aging"
	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
)

// OpenItem is a line of a report by item.
type OpenItem struct {
	Item     ItemID
	Customer customer.ID
	Kind     Kind
	Side     Side
	Date     date.Date // of the document
	Due      date.Date
	Open     money.Amount // positive
	Past     int          // days past due, less than 0 before; by document, the age
	Column   int          // of the scheme: a bucket, or for a credit what is unapplied
	Disputed int64        // what of Open is in dispute as of now, in its minor units
}

// OpenItems yields what Aging adds up, item by item, by customer, due day and item id.
func (r *Reader) OpenItems(q AgingQuery) iter.Seq2[OpenItem, error] {
	return func(yield func(OpenItem, error) bool) {
		v, err := r.view(&q)
		var s *scanner
		if err == nil && q.FIFO {
			err = &Error{Op: "list items", Field: "FIFO", Problem: "settles sums, not items", Err: ErrInvalid}
		}
		if err == nil {
			s, err = r.newScanner(v)
		}
		if err != nil {
			yield(OpenItem{}, err)
			return
		}
		a := &ager{view: v, scheme: q.scheme(r), currency: q.Currency}
		a.columns.set(a.scheme)
		for list, err := range inOrder(s.units(), a.items) {
			if err != nil {
				yield(OpenItem{}, err)
				return
			}
			for i := range list {
				if !yield(a.shown(&list[i]), nil) {
					return
				}
			}
		}
	}
}

// items returns the open items of a unit in order.
func (a *ager) items(u *unit) ([]openItem, error) {
	var list, undone []openItem
	var err error
	for _, p := range u.pages {
		if list, err = a.pageItems(list, u, p); err != nil {
			return nil, err
		}
	}
	for _, p := range u.logs {
		if undone, err = a.undoneItems(undone, u, p); err != nil {
			return nil, err
		}
	}
	if len(undone) == 0 {
		return list, nil
	}
	list = append(list, undone...)
	slices.SortStableFunc(list, func(a, b openItem) int { return a.place().compare(b.place()) })
	return joinItems(list), nil
}

func (a *ager) pageItems(list []openItem, u *unit, p *openPage) ([]openItem, error) {
	var r openReader
	r.reset(p)
	for r.group() {
		if !u.has(r.item.customer) {
			continue
		}
		for r.next() {
			if a.currency == 0 || a.currency == r.item.currency {
				list = append(list, r.item)
			}
		}
	}
	return list, r.err(p)
}

func (a *ager) undoneItems(list []openItem, u *unit, p *logPage) ([]openItem, error) {
	var r logReader
	r.reset(p)
	for r.next() {
		e := &r.entry
		if a.undoesFrom(p, e.change, e.on, e.recorded) && u.has(e.customer) && (a.currency == 0 || a.currency == e.currency) {
			undone := e.openItem
			undone.amount = -undone.amount
			list = append(list, undone)
		}
	}
	return list, r.err()
}

// joinItems adds up the neighbours of one item, of which the first is that of the page if
// there is one, and drops those of which nothing is left.
func joinItems(list []openItem) []openItem {
	joined := list[:0]
	for n := 0; n < len(list); {
		sum := list[n]
		for n++; n < len(list) && list[n].item == sum.item; n++ {
			sum.amount += list[n].amount
		}
		if sum.amount != 0 {
			joined = append(joined, sum)
		}
	}
	return joined
}

func (a *ager) shown(i *openItem) OpenItem {
	from := i.due
	if a.scheme.Basis == aging.ByDocument {
		from = i.date
	}
	return OpenItem{
		Item: i.item, Customer: i.customer, Kind: i.kind, Side: i.side, Date: i.date, Due: i.due,
		Open: money.Amount{Minor: i.amount, Currency: i.currency}, Past: a.scheme.AsOf.DaysSince(from), Column: a.column(i), Disputed: i.disputed(),
	}
}

// Movement is a change of what is open that one report has and another has not.
type Movement struct {
	Customer   customer.ID
	Item       ItemID
	Allocation AllocationID // 0 for a posted item
	Change     Change
	Kind       Kind
	Side       Side
	Date       date.Date // of the item's document
	Due        date.Date
	// Amount is what the second report's balance has more than the first's by it, or less.
	Amount    money.Amount
	Effective date.Date // from when the change counts
	Known     date.Date // when it was recorded
}

// Movements tells why two reports have different balances: the postings that count in the
// second (to) and not in the first, and, taken back, those of the first and not of the
// second. Their amounts add up to the difference of the balances, for each customer and
// currency. They come by customer, and then by the day from which they count. Amounts
// that only moved to another bucket as days passed are no movements. It costs what was
// posted since the earlier of all the dates.
func (r *Reader) Movements(from, to AgingQuery) iter.Seq2[Movement, error] {
	return func(yield func(Movement, error) bool) {
		s, m, err := r.newMovements(from, to)
		if err != nil {
			yield(Movement{}, err)
			return
		}
		for list, err := range inOrder(s.units(), m.of) {
			if err != nil {
				yield(Movement{}, err)
				return
			}
			for _, movement := range list {
				if !yield(movement, nil) {
					return
				}
			}
		}
	}
}

// movements compares two reports.
type movements struct {
	both     view // sees what either does not
	from, to view
	currency money.Currency
}

func (r *Reader) newMovements(from, to AgingQuery) (*scanner, *movements, error) {
	const op = "compare reports"
	if from.FIFO || to.FIFO || from.Currency != to.Currency {
		return nil, nil, &Error{Op: op, Field: "FIFO, Currency", Remedy: "compare reports without FIFO and of the same currency", Err: ErrInvalid}
	}
	m := &movements{currency: to.Currency}
	var err error
	if m.from, err = r.view(&from); err != nil {
		return nil, nil, err
	}
	if m.to, err = r.view(&to); err != nil {
		return nil, nil, err
	}
	m.both = view{asOf: min(m.from.asOf, m.to.asOf), known: min(m.from.known, m.to.known), within: append(m.from.within, m.to.within...), entries: true}
	s, err := r.newScanner(m.both)
	if err == nil {
		s.logsOnly = true
	}
	return s, m, err
}

// of returns the movements of a unit.
func (m *movements) of(u *unit) ([]Movement, error) {
	var list []Movement
	for _, p := range u.logs {
		var r logReader
		r.reset(p)
		for r.next() {
			e := &r.entry
			before, after := e.counts(m.from.asOf, m.from.known), e.counts(m.to.asOf, m.to.known)
			if before == after || !m.both.undoesFrom(p, e.change, e.on, e.recorded) || !u.has(e.customer) || m.currency != 0 && m.currency != e.currency {
				continue
			}
			list = append(list, e.movement(before))
		}
		if err := r.err(); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(list, func(a, b Movement) int {
		return cmp.Or(cmp.Compare(a.Customer, b.Customer), cmp.Compare(a.Effective, b.Effective), cmp.Compare(a.Item, b.Item),
			cmp.Compare(a.Allocation, b.Allocation))
	})
	return list, nil
}

func (e *entry) movement(takenBack bool) Movement {
	amount := e.side.sign() * e.amount
	if takenBack {
		amount = -amount
	}
	return Movement{
		Customer: e.customer, Item: e.item, Allocation: e.allocation, Change: e.change, Kind: e.kind, Side: e.side, Date: e.date,
		Due: e.due, Amount: money.Amount{Minor: amount, Currency: e.currency}, Effective: e.on, Known: e.recorded,
	}
}
