package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/dedupe"
	"github.com/clientele-go/clientele/internal/sample"
	"github.com/clientele-go/clientele/orgtree"
	"github.com/clientele-go/clientele/tagging"
)

// profitAttribute is the custom attribute that the generated book keeps profit in.
const profitAttribute = "profit"

// history is a book being made, month by month, on a clock of its own. The same number of
// customers makes the same history.
type history struct {
	ctx   context.Context
	book  *clientele.Book
	me    *clientele.Session
	now   time.Time
	rand  *rand.Rand
	next  int // of the generated customers
	ids   []customer.ID
	units []customer.UnitID
	tags  []tagging.TagID
}

var (
	begins = time.Date(2024, 1, 15, 9, 0, 0, 0, time.UTC)
	ends   = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
)

// makeBook makes a book in memory whose two years end with 2025, and sets the period to
// the second as far as none was asked for.
func makeBook(ctx context.Context, o *options) (*clientele.Book, error) {
	h := &history{ctx: ctx, now: begins, rand: rand.New(rand.NewPCG(8, 2025))}
	var err error
	h.book, err = clientele.Open(ctx, "", clientele.Options{InMemory: true, WithoutSearch: true, TickEvery: -1, Clock: func() time.Time { return h.now }})
	if err != nil {
		return nil, err
	}
	h.me = h.book.As(clientele.Actor{ID: "wang.li", Reason: "generated"})
	if err := h.live(o.customers); err != nil {
		return nil, errors.Join(err, h.book.Close())
	}
	if o.from.IsZero() {
		o.from = ends.AddDate(-1, 0, 0)
	}
	if o.to.IsZero() {
		o.to = ends
	}
	return h.book, nil
}

// live makes the two years.
func (h *history) live(customers int) error {
	if err := h.me.Update(h.ctx, h.define); err != nil {
		return err
	}
	if err := h.create(customers); err != nil {
		return err
	}
	for month := begins.AddDate(0, 1, 0); month.Before(ends); month = month.AddDate(0, 1, 0) {
		h.now = month
		if err := h.create(customers / 50); err != nil {
			return err
		}
		if err := h.me.Update(h.ctx, h.month); err != nil {
			return err
		}
	}
	h.now = ends
	return nil
}

// define makes units, tags and attributes.
func (h *history) define(tx *clientele.Tx) error {
	h.units, h.tags = nil, nil
	schema := sample.Schema()
	schema.Attributes = append(schema.Attributes, customer.AttributeSpec{Name: profitAttribute, Type: customer.Number, Decimals: 2})
	if err := tx.Customers.SetSchema(schema); err != nil {
		return err
	}
	for _, u := range []struct{ code, en, zh string }{{"EAST", "East China", "华东"}, {"SOUTH", "South China", "华南"}, {"TW", "Taiwan", "台湾"}} {
		unit, err := tx.Org.CreateUnit(orgtree.Unit{Code: u.code, Kind: orgtree.Branch, Names: customer.Names{"en": u.en, "zh-Hans": u.zh}})
		if err != nil {
			return err
		}
		h.units = append(h.units, unit.ID)
	}
	level, err := tx.Tags.CreateDimension(tagging.Dimension{Code: "level", Exclusive: true, Names: customer.Names{"en": "Level", "zh-Hans": "客户等级"}})
	if err != nil {
		return err
	}
	for _, t := range []struct{ code, en, zh string }{{"vip", "VIP", "贵宾"}, {"gold", "Gold", "黄金"}, {"standard", "Standard", "普通"}} {
		tag, err := tx.Tags.CreateTag(tagging.Tag{Dimension: level.ID, Code: t.code, Names: customer.Names{"en": t.en, "zh-Hans": t.zh}})
		if err != nil {
			return err
		}
		h.tags = append(h.tags, tag.ID)
	}
	return nil
}

// create adds customers, each with a level.
func (h *history) create(n int) error {
	made := make([]customer.ID, n)
	drafts := func(yield func(customer.Draft, error) bool) {
		for range n {
			d := sample.Customer(8, h.next).Draft()
			d.Owner, d.Rep = h.units[h.rand.IntN(len(h.units))], fmt.Sprintf("rep%02d", h.rand.IntN(12))
			d.Kind = []customer.Kind{customer.Buyer, customer.Buyer, customer.Buyer, customer.Prospect, customer.Partner}[h.rand.IntN(5)]
			d.Attributes = append(d.Attributes, customer.Attribute{Name: profitAttribute, Value: customer.NumberValue(h.rand.Int64N(9_000_00) - 1_000_00)})
			if h.next++; !yield(d, nil) {
				return
			}
		}
	}
	_, err := h.me.Load(h.ctx, customer.LoadOptions{}, drafts)
	if err != nil {
		return err
	}
	for i := range made {
		made[i] = customer.ID(len(h.ids) + 1)
		h.ids = append(h.ids, made[i])
	}
	return h.me.Update(h.ctx, func(tx *clientele.Tx) error {
		for _, id := range made {
			if _, err := tx.Tags.Assign(id, tagging.Assignment{Tag: h.tags[int(id)%len(h.tags)]}); err != nil {
				return err
			}
		}
		return nil
	})
}

// some calls do with a share of all customers, in thousandths. What a customer's status
// forbids is passed over.
func (h *history) some(thousandths int, do func(id customer.ID) error) error {
	for range len(h.ids) * thousandths / 1000 {
		err := do(h.ids[h.rand.IntN(len(h.ids))])
		if err != nil && !errors.Is(err, customer.ErrStatus) && !errors.Is(err, dedupe.ErrInvalid) && !errors.Is(err, customer.ErrNotFound) {
			return err
		}
	}
	return nil
}

// month is what happens in a month.
func (h *history) month(tx *clientele.Tx) error {
	archived := 4
	if h.now.Month() == time.September {
		archived = 25 // somebody tidies up
	}
	merge := func(id customer.ID) error {
		other := h.ids[h.rand.IntN(len(h.ids))]
		if other == id {
			return nil
		}
		_, err := tx.Dedupe.Merge(dedupe.Merge{Survivor: id, Losers: []customer.ID{other}, Overrule: true})
		return err
	}
	for _, step := range []struct {
		thousandths int
		do          func(id customer.ID) error
	}{
		{archived, func(id customer.ID) error { _, err := tx.Customers.Archive(id); return err }},
		{8, func(id customer.ID) error { _, err := tx.Customers.Reactivate(id); return err }},
		{3, merge},
		{1, func(id customer.ID) error { _, err := tx.Customers.Erase(id); return err }},
		{5, func(id customer.ID) error {
			_, err := tx.Customers.Assign(id, h.units[h.rand.IntN(len(h.units))], "rep00")
			return err
		}},
		{6, func(id customer.ID) error {
			_, err := tx.Tags.Replace(id, tagging.Assignment{Tag: h.tags[0], Reason: "turnover"})
			return err
		}},
		{120, func(id customer.ID) error { return h.order(tx, id) }},
	} {
		if err := h.some(step.thousandths, step.do); err != nil {
			return err
		}
	}
	return nil
}

// order records an order and posts its invoice, of which most are paid later.
func (h *history) order(tx *clientele.Tx, id customer.ID) error {
	c, err := tx.Customers.Get(id)
	if err != nil || c.Status > customer.Suspended {
		return err
	}
	if err := tx.Customers.Record(c.ID, customer.Event{Type: "order"}); err != nil {
		return err
	}
	day := date.Of(h.now)
	d := credit.Document{
		Key: fmt.Sprintf("%s-%s-%d", c.ID, h.now.Format("200601"), h.rand.IntN(1<<30)), Customer: c.ID, Kind: credit.Invoice, Date: day,
		Amount:      money.Amount{Minor: 100_00 + h.rand.Int64N(40_000_00), Currency: money.CNY},
		Instalments: nil,
	}
	if _, err := tx.Credit.Post(d); err != nil || h.rand.IntN(5) == 0 {
		return err
	}
	d.Kind, d.Key = credit.Payment, "P"+d.Key
	if _, err := tx.Credit.Post(d); err != nil {
		return err
	}
	_, err = tx.Credit.AllocateAutomatically(credit.Automatic{Customer: c.ID, Method: credit.OldestFirst, Date: day})
	return err
}
