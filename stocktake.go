package clientele

import (
	"context"
	"iter"
	"strconv"
	"time"

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
		Receivables: &countedReceivables{credit: b.credit.Reader(r, customers)},
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
		switch {
		case !known:
			names = customer.Names{"en": strconv.FormatUint(uint64(id), 10)}
		case len(unit.Names) > 0:
			names = unit.Names
		default:
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
