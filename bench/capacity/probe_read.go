package capacity

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/customer/search"
	"github.com/clientele-go/clientele/internal/sample"
)

// subject is a customer that is asked for.
type subject struct {
	index int
	id    customer.ID
	draft customer.Draft
}

// subjects draws customers that are asked for, a few far more often than others. The
// stream sets questions apart.
func (b *book) subjects(stream uint64, n int) []subject {
	skew := sample.NewSkew(b.work.seed, stream, b.customers())
	list := make([]subject, n)
	for i := range list {
		index := skew.Next()
		list[i] = subject{index, b.id(index), b.work.draft(index)}
	}
	return list
}

// of returns the subject of a number.
func of(list []subject, number int) *subject { return &list[number%len(list)] }

// reading runs f in a View and times it.
func (b *book) reading(ctx context.Context, f func(tx *clientele.ReadTx) error) (time.Duration, error) {
	began := time.Now()
	err := b.session.View(ctx, f)
	return time.Since(began), err
}

// wrong says that an answer is not what it must be.
func wrong(what string, got, want any) error {
	return fmt.Errorf("wrong answer: %s is %v; it must be %v", what, got, want)
}

// get reads a customer by its id.
type get struct {
	*book
	subjects []subject
}

func newGet(_ context.Context, b *book) (probe, error) { return &get{b, b.subjects(1, 4096)}, nil }

func (p *get) ask(ctx context.Context, number int) (time.Duration, error) {
	s := of(p.subjects, number)
	var c *customer.Customer
	took, err := p.reading(ctx, func(tx *clientele.ReadTx) (err error) {
		c, err = tx.Customers.Get(s.id)
		return err
	})
	if err == nil && c.Code != s.draft.Code {
		err = wrong("the code of customer "+s.id.String(), c.Code, s.draft.Code)
	}
	return took, err
}

// byCode reads a customer by its code.
type byCode struct {
	*book
	subjects []subject
}

func newByCode(_ context.Context, b *book) (probe, error) {
	return &byCode{b, b.subjects(2, 4096)}, nil
}

func (p *byCode) ask(ctx context.Context, number int) (time.Duration, error) {
	s := of(p.subjects, number)
	var c *customer.Customer
	took, err := p.reading(ctx, func(tx *clientele.ReadTx) (err error) {
		c, err = tx.Customers.ByCode(s.draft.Code)
		return err
	})
	if err == nil && c.ID != s.id {
		err = wrong("the id of "+s.draft.Code, c.ID, s.id)
	}
	return took, err
}

// pick is a customer picker's list while somebody types a name: two characters, then
// four, then all.
type pick struct {
	*book
	subjects []subject
}

func newPick(ctx context.Context, b *book) (probe, error) {
	return &pick{b, b.subjects(3, 512)}, b.session.Sync(ctx)
}

func (p *pick) ask(ctx context.Context, number int) (time.Duration, error) {
	s := of(p.subjects, number/3)
	text := []rune(s.draft.Name)
	if n := 2 + number%3*2; n < 6 && n < len(text) {
		text = text[:n]
	}
	q := search.Query{Text: string(text), Limit: search.DefaultLimit}
	began := time.Now()
	hits, err := p.session.Pick(ctx, q)
	took := time.Since(began)
	if err == nil && len(hits) < q.Limit && !found(hits, s.id) {
		err = wrong(fmt.Sprintf("what is picked for %q", q.Text), hits, "with customer "+s.id.String())
	}
	return took, err
}

func found(hits []search.Hit, id customer.ID) bool {
	for _, h := range hits {
		if h.ID == id {
			return true
		}
	}
	return false
}

// fullSearch is a search by name, phone, identifier or e-mail, with the number of hits
// and two facets.
type fullSearch struct {
	*book
	subjects []subject
}

func newSearch(ctx context.Context, b *book) (probe, error) {
	return &fullSearch{b, b.subjects(4, 512)}, b.session.Sync(ctx)
}

func (p *fullSearch) ask(ctx context.Context, number int) (time.Duration, error) {
	s := of(p.subjects, number/4)
	q := search.Query{Text: searchText(&s.draft, number), Facets: []search.Field{search.FieldProvince, search.FieldKind}}
	began := time.Now()
	r, err := p.session.Search(ctx, q)
	took := time.Since(began)
	if err == nil && r.Total <= search.DefaultLimit && !found(r.Hits, s.id) {
		err = wrong(fmt.Sprintf("what is found for %q", q.Text), r.Hits, "with customer "+s.id.String())
	}
	return took, err
}

// candidates asks whom a draft may be that a second clerk enters.
type candidates struct {
	*book
	subjects     []subject
	asked, known atomic.Int64
}

func newCandidates(_ context.Context, b *book) (probe, error) {
	list := b.subjects(5, 512)
	for i := range list {
		first := list[i].index
		if original, repeats := b.work.original(first); repeats {
			first = original
		}
		list[i].index, list[i].id = first, b.id(first)
		list[i].draft = sample.Again(b.work.seed+uint64(i), sample.Customer(b.work.seed, first))
	}
	return &candidates{book: b, subjects: list}, nil
}

func (p *candidates) ask(ctx context.Context, number int) (time.Duration, error) {
	s := of(p.subjects, number)
	hit := false
	took, err := p.reading(ctx, func(tx *clientele.ReadTx) error {
		list, err := tx.Dedupe.CandidatesFor(s.draft)
		for _, c := range list {
			hit = hit || c.Customer != nil && c.Customer.ID == s.id
		}
		return err
	})
	return took, p.tally(err, hit)
}

// leastKnown is the share of drafts, in percent, that must be recognised: some are beyond
// recognition, with another phone, no address and an error in the name.
const leastKnown = 80

func (p *candidates) tally(err error, hit bool) error {
	if err != nil {
		return err
	}
	known := p.known.Load()
	if hit {
		known = p.known.Add(1)
	}
	if asked := p.asked.Add(1); asked >= 200 && known*100 < asked*leastKnown {
		return wrong(fmt.Sprintf("the number of drafts recognised, of %d,", asked), known, fmt.Sprintf("%d %% of them", leastKnown))
	}
	return nil
}
