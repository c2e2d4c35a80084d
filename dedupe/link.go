package dedupe

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"strconv"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/dedupe/match"
)

// Linked is a row of another list and the customer that it likely is.
type Linked struct {
	Row         int // of the list, from 0
	Customer    customer.ID
	Probability float64
	Decision    match.Decision
}

// LinkResult is what a comparison with another list found.
type LinkResult struct {
	Rows  int
	Links []Linked // those decided to be the same, by row
	// Possible are those that a person should look at, the likeliest first.
	Possible []Linked
	Match    *match.Result
}

// The sources of a link.
const (
	sourceBook = "book"
	sourceList = "list"
)

// Link compares the book with another system's list of customers, to see who is in both.
// Whether the list or the book has customers twice is found out from the data; where they
// don't, links are one to one. Nothing is stored. Rows are drafts, of which what can't be
// read is not compared. It needs the rights of [Store.Run].
func (s *Store) Link(ctx context.Context, job Job, opts RunOptions, list iter.Seq2[customer.Draft, error]) (*LinkResult, error) {
	if _, err := s.mayRun(ctx, job); err != nil {
		return nil, err
	}
	var schema *customer.Schema
	err := job.view(ctx, func(r *Reader) (err error) {
		schema, err = r.all().Schema()
		return err
	})
	if err != nil {
		return nil, err
	}
	result := &LinkResult{}
	o := s.matchOptions()
	opts.apply(&o)
	o.Mode = match.Link
	result.Match, err = match.Run(ctx, o, func(yield func(match.Record, error) bool) {
		for r, err := range s.records(ctx, job) {
			r.Source = sourceBook
			if !yield(r, err) || err != nil {
				return
			}
		}
		for d, err := range list {
			if err != nil {
				yield(match.Record{}, err)
				return
			}
			if !yield(s.listRecord(d, schema, result.Rows), nil) {
				return
			}
			result.Rows++
		}
	})
	if err != nil {
		return nil, err
	}
	if err := result.sort(); err != nil {
		return nil, err
	}
	return result, match.RemoveCheckpoint(opts.Checkpoint)
}

// listRecord is a row of the list as package match takes it.
func (s *Store) listRecord(d customer.Draft, schema *customer.Schema, row int) match.Record {
	c, err := s.customerStore.Check(d, schema)
	if err != nil {
		c = rough(d)
	}
	r := legible(recordOf(s.fields, c))
	r.ID, r.Source = sourceList+" "+strconv.Itoa(row), sourceList
	return r
}

// sort divides the pairs into links and possible ones.
func (l *LinkResult) sort() error {
	book := len(l.Match.IDs) - l.Rows
	ids, err := customerIDs(l.Match.IDs[:book])
	if err != nil {
		return err
	}
	take := func(p match.Pair) Linked {
		return Linked{Row: int(p.B) - book, Customer: ids[p.A], Probability: (&Pair{LogOdds: float64(p.LogOdds)}).Probability(), Decision: p.Decision}
	}
	final := map[[2]uint32]bool{}
	for _, p := range l.Match.Links {
		l.Links = append(l.Links, take(p))
		final[[2]uint32{p.A, p.B}] = true
	}
	slices.SortStableFunc(l.Links, func(a, b Linked) int { return cmp.Compare(a.Row, b.Row) })
	for _, p := range l.Match.Pairs {
		if !final[[2]uint32{p.A, p.B}] {
			l.Possible = append(l.Possible, take(p))
		}
	}
	return nil
}
