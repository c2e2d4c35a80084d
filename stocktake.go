package clientele

import (
	"context"
	"errors"
	"iter"
	"strconv"
	"time"

	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/credit/aging"
	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/customer/stocktake"
	"github.com/clientele-go/clientele/dedupe"
	"github.com/clientele-go/clientele/orgtree"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/bitset"
)

// Stocktake is the session as counts of customers need it; see [stocktake.Session].
func (s *Session) Stocktake() stocktake.Session {
	b := s.book
	return stocktake.Session{
		Storage: b.store, Customers: b.customers, Stocktakes: b.stocktakes, Actor: s.session,
		Read: func(r *storage.Reader) (*stocktake.Reader, error) {
			tx, err := s.read(r)
			if err != nil {
				return nil, err
			}
			return tx.Stocktake, nil
		},
		Begin: func(st *storage.Tx) (*stocktake.Tx, error) {
			tx, err := s.begin(st)
			if err != nil {
				return nil, err
			}
			return tx.Stocktake, nil
		},
		Settle: b.settle,
		Link:   s.link,
	}
}

// settle writes what follows from the clock and from changed definitions of tags, so that
// the journal says when tags changed.
func (b *Book) settle(ctx context.Context) error {
	job := b.System("stocktake").Job()
	_, err := b.tags.Tick(ctx, job)
	if err == nil {
		_, err = b.tags.Settle(ctx, job)
	}
	return err
}

// link compares a list with the book; see [dedupe.Store.Link].
func (s *Session) link(ctx context.Context, rows iter.Seq2[customer.Draft, error]) ([]stocktake.Linked, error) {
	found, err := s.book.dedupe.Link(ctx, s.DedupeJob(), dedupe.RunOptions{}, rows)
	if err != nil {
		return nil, err
	}
	var links []stocktake.Linked
	for _, x := range found.Links {
		links = append(links, stocktake.Linked{Row: x.Row, Customer: x.Customer, Sure: true})
	}
	for _, x := range found.Possible {
		links = append(links, stocktake.Linked{Row: x.Row, Customer: x.Customer})
	}
	return links, nil
}

// beside is what counts ask of the packages beside customers.
func (b *Book) beside(r *storage.Reader, customers *customer.Reader) stocktake.Beside {
	return stocktake.Beside{
		Tags:        newPastTags(b.tags.Reader(r, customers), customers),
		Units:       &countedUnits{org: b.org.Reader(r, customers)},
		Receivables: countedReceivables{b.credit.Reader(r, customers)},
		Suspects:    suspects{b.dedupe.Reader(r, customers)},
	}
}

// countedUnits are the organisation as counts ask for it.
type countedUnits struct {
	org   *orgtree.Reader
	tree  *orgtree.Tree
	names map[customer.UnitID]customer.Names
}

// Under implements [stocktake.Units].
func (u *countedUnits) Under(units []customer.UnitID, at time.Time) ([]customer.UnitID, error) {
	tree, err := u.org.TreeAt(at)
	if err != nil {
		return nil, err
	}
	var all []customer.UnitID
	seen := map[customer.UnitID]bool{}
	for _, unit := range units {
		for below := range tree.Subtree(unit) {
			if !seen[below] {
				seen[below] = true
				all = append(all, below)
			}
		}
	}
	return all, nil
}

// Unit implements [stocktake.Units].
func (u *countedUnits) Unit(id customer.UnitID) (customer.UnitID, customer.Names, error) {
	if u.tree == nil {
		var err error
		if u.tree, err = u.org.Tree(); err != nil {
			return 0, nil, err
		}
		u.names = map[customer.UnitID]customer.Names{}
	}
	id = u.tree.Resolve(id)
	names, found := u.names[id]
	if !found {
		unit, known := u.tree.Unit(id)
		if !known {
			return id, customer.Names{"en": strconv.FormatUint(uint64(id), 10)}, nil
		}
		if names = unit.Names; len(names) == 0 {
			names = customer.Names{"en": unit.Code}
		}
		u.names[id] = names
	}
	return id, names, nil
}

// suspects are the open pairs of the review queue.
type suspects struct{ dedupe *dedupe.Reader }

// Suspected implements [stocktake.Suspects].
func (s suspects) Suspected(among *bitset.Set) (*bitset.Set, error) {
	all := &bitset.Set{}
	for pair, err := range s.dedupe.Queue() {
		if err != nil {
			return nil, err
		}
		if among != nil && !(among.Contains(uint64(pair.A)) && among.Contains(uint64(pair.B))) {
			continue
		}
		all.Add(uint64(pair.A))
		all.Add(uint64(pair.B))
	}
	return all, nil
}

// countedReceivables are what customers owe as counts ask for it.
type countedReceivables struct{ credit *credit.Reader }

// lastDay is the last day that is over at an instant, or on which the instant is.
func lastDay(at time.Time) date.Date { return date.Of(at.UTC().Add(-1)) }

func agingAt(at time.Time, of bitset.Source) credit.AgingQuery {
	day := lastDay(at)
	return credit.AgingQuery{AsOf: day, KnownOn: day, Buckets: aging.Standard(), Customers: of}
}

// Owing implements [stocktake.Receivables].
func (c countedReceivables) Owing(at time.Time) (*bitset.Set, error) {
	all := &bitset.Set{}
	for row, err := range c.credit.Aging(agingAt(at, nil)) {
		if err != nil {
			return nil, err
		}
		all.Add(row.Customer)
	}
	return all, nil
}

// standardTitles are the columns of [aging.Standard].
var standardTitles = []customer.Names{
	{"en": "Not due", "zh-Hans": "未到期"}, {"en": "1–30 days", "zh-Hans": "逾期1–30天"}, {"en": "31–60 days", "zh-Hans": "逾期31–60天"},
	{"en": "61–90 days", "zh-Hans": "逾期61–90天"}, {"en": "Over 90 days", "zh-Hans": "逾期90天以上"},
}

// Aging implements [stocktake.Receivables].
func (c countedReceivables) Aging(at time.Time, of bitset.Source) (*stocktake.Aging, error) {
	report := &stocktake.Aging{Buckets: standardTitles}
	owing := map[string]int64{}
	for row, err := range c.credit.Aging(agingAt(at, of)) {
		if err != nil {
			return nil, err
		}
		owing[row.Currency.String()]++
	}
	sums, err := c.credit.AgingTotal(agingAt(at, of))
	if err != nil {
		return nil, err
	}
	for row, err := range sums.Rows() {
		if err != nil {
			return nil, err
		}
		report.Currencies = append(report.Currencies, stocktake.AgingRow{
			Currency: row.Currency.String(), Buckets: append([]int64{}, row.Buckets...), Unapplied: row.Unapplied,
			Balance: row.Balance, Customers: owing[row.Currency.String()],
		})
	}
	return report, nil
}

// Invoiced implements [stocktake.Receivables]: invoices and debit notes less credit notes
// in the twelve months that end with the last whole month.
func (c countedReceivables) Invoiced(at time.Time, ids []customer.ID, add func(i int, currency string, minor int64)) error {
	y, m, _ := at.UTC().Date()
	first := time.Date(y, m-12, 1, 0, 0, 0, 0, time.UTC)
	from, to := date.Of(first).Month(), date.Of(first.AddDate(0, 11, 0)).Month()
	for i, id := range ids {
		list, err := c.credit.Figures(id, from, to)
		if errors.Is(err, customer.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		for _, f := range list {
			if f.Invoiced == 0 && f.Credited == 0 {
				continue // a month of payments
			}
			add(i, f.Currency.String(), f.Invoiced-f.Credited)
		}
	}
	return nil
}
