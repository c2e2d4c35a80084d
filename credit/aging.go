package credit

import (
	"iter"

	"github.com/clientele-go/clientele/credit/aging"
	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage/bitset"
)

// AgingQuery says what a report of open items is about.
type AgingQuery struct {
	// AsOf is the date of the report, today for no date: what counts later is left
	// out, in the past as in the future.
	AsOf date.Date
	// KnownOn leaves out what was recorded after a day, so that a report is again what it
	// was then; no date is all that is known.
	KnownOn date.Date
	Basis   aging.Basis
	Buckets aging.Buckets
	// Customers are whom the report is about: a filter's set, a unit's, a representative's;
	// nil is everybody. Whom the session doesn't see is never in it.
	Customers bitset.Source
	// Currency leaves out other currencies; 0 leaves out none.
	Currency money.Currency
	// FIFO ignores allocations and settles the debits of each customer and currency by
	// its credits, those due first first. It is a simulation, for books in which nobody
	// allocates; it goes by due date and costs as much as there is history.
	FIFO bool
}

// Aging yields a row for each customer and currency of which something is open, by
// customer and currency: what is owed by bucket, and what is not yet allocated. Its cost
// is that of the open items and of what was posted since the earlier of AsOf and KnownOn:
// some 40 ns of processor an item, rows included, of the wanted customers if they are few.
func (r *Reader) Aging(q AgingQuery) iter.Seq2[aging.Row, error] {
	return r.agingRows(q, func(sums *aging.Accumulator) iter.Seq2[aging.Row, error] { return sums.Rows() })
}

// AgingIn is Aging in a base currency: each bucket of each currency is converted at the
// rate of the report's date, and the results are added up for each customer.
func (r *Reader) AgingIn(q AgingQuery, base money.Currency, rates aging.Rates) iter.Seq2[aging.Row, error] {
	return r.agingRows(q, func(sums *aging.Accumulator) iter.Seq2[aging.Row, error] { return sums.In(base, rates) })
}

func (r *Reader) agingRows(q AgingQuery, rows func(*aging.Accumulator) iter.Seq2[aging.Row, error]) iter.Seq2[aging.Row, error] {
	return func(yield func(aging.Row, error) bool) {
		for sums, err := range r.agingUnits(q, false) {
			if err != nil {
				yield(aging.Row{}, err)
				return
			}
			for row, err := range rows(sums) {
				if !yield(row, err) || err != nil {
					return
				}
			}
		}
	}
}

// AgingBy returns the sums of groups of customers: of units, of representatives, of groups
// of companies. group tells a customer's group, or false to leave it out.
func (r *Reader) AgingBy(q AgingQuery, group func(customer.ID) (uint64, bool)) (*aging.Accumulator, error) {
	total := aging.NewAccumulator(q.scheme(r))
	for sums, err := range r.agingUnits(q, false) {
		if err != nil {
			return nil, err
		}
		rolled := sums.RollUp(func(id uint64) (uint64, bool) { return group(customer.ID(id)) })
		if err := total.Merge(rolled); err != nil {
			return nil, err
		}
	}
	return total, nil
}

// AgingTotal returns the sums of all wanted customers together, under number 0. Of the
// whole book, by due date, it is the control total, which costs milliseconds whatever the
// number of items, and the log since AsOf.
func (r *Reader) AgingTotal(q AgingQuery) (*aging.Accumulator, error) {
	v, err := r.view(&q)
	if err != nil {
		return nil, err
	}
	if len(v.within) == 0 && q.Basis == aging.ByDue && !q.FIFO {
		return r.controlTotal(q, v)
	}
	if q.FIFO {
		return r.AgingBy(q, func(customer.ID) (uint64, bool) { return 0, true })
	}
	total := aging.NewAccumulator(q.scheme(r))
	for sums, err := range r.agingUnits(q, true) {
		if err != nil {
			return nil, err
		}
		if err := total.Merge(sums); err != nil {
			return nil, err
		}
	}
	return total, nil
}

// scheme is how the query ages items.
func (q *AgingQuery) scheme(r *Reader) aging.Scheme {
	asOf := q.AsOf
	if asOf == 0 {
		asOf = r.today()
	}
	return aging.Scheme{AsOf: asOf, Basis: q.Basis, Buckets: q.Buckets}
}

// view checks a query and returns what it sees of the ledger.
func (r *Reader) view(q *AgingQuery) (view, error) {
	const op = "age"
	scheme := q.scheme(r)
	v := view{asOf: scheme.AsOf, known: q.KnownOn, unswept: q.FIFO}
	if v.known == 0 {
		v.known = date.Last
	}
	for _, d := range []struct {
		name string
		day  date.Date
	}{{"AsOf", v.asOf}, {"KnownOn", v.known}} {
		if !d.day.Valid() {
			return v, &Error{Op: op, Field: d.name, Value: d.day.String(), Remedy: "use a day from 1900-01-01 to 2200-12-31", Err: ErrInvalid}
		}
	}
	if q.FIFO && q.Basis != aging.ByDue {
		return v, &Error{Op: op, Field: "Basis", Value: q.Basis.String(), Problem: "FIFO settles by due date", Remedy: "age by due date", Err: ErrInvalid}
	}
	if q.Customers != nil {
		v.within = append(v.within, q.Customers)
	}
	if access := r.access(); access != nil {
		if seen := access.WithinUnmasked("item"); seen != nil {
			v.within = append(v.within, seen)
		}
	}
	return v, nil
}

// agingUnits yields the sums of one unit after another. With together, those of all
// customers of a unit are in one.
func (r *Reader) agingUnits(q AgingQuery, together bool) iter.Seq2[*aging.Accumulator, error] {
	return func(yield func(*aging.Accumulator, error) bool) {
		v, err := r.view(&q)
		var s *scanner
		if err == nil {
			s, err = r.newScanner(v)
		}
		if err != nil {
			yield(nil, err)
			return
		}
		a := &ager{view: v, scheme: q.scheme(r), currency: q.Currency, together: together, fifo: q.FIFO}
		a.columns.set(a.scheme)
		inOrder(s.units(), a.sums)(yield)
	}
}
