package classify

import (
	"context"
	"errors"
	"iter"
	"runtime"
	"sync"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/bitset"
	"github.com/clientele-go/clientele/tagging"
)

// Bulk is a pass over many customers.
type Bulk struct {
	Filter   string            // whom to classify; empty is everybody
	Access   customer.AccessAt // whom the session may see and tag
	Sets     []string          // the rule sets to evaluate, with those that read their tags; empty is all
	After    customer.ID       // go on after this one, as Progress said
	Progress func(Progress)    // called after every part, from the caller's goroutine
}

// Progress is how far a pass is.
type Progress struct {
	Total     int64 // customers that it concerns, those already done before After left out
	Done      int64
	Evaluated int64 // customers whose rules were evaluated: active or suspended ones
	Changed   int64 // customers whose tags changed
	Failed    int64 // failures of rules
	// After is where to go on if the pass is stopped: everybody up to there is done.
	After customer.ID
}

// Evaluate classifies the customers of a filter, in parts of 1,000 that are each
// atomic, on all cores. It can be stopped by ctx at any time, and resumed with
// Bulk.After; what was done is not lost. It costs some 20 to 60 µs of a core for a
// customer.
func (e *Rules) Evaluate(ctx context.Context, b Bulk) (Progress, error) {
	if _, err := e.book(ctx); err != nil {
		return Progress{}, err
	}
	w := passing{
		whom:   func(r *tagging.Reader) (*bitset.Set, error) { return r.Set(tagging.Query{Filter: b.Filter}) },
		access: b.Access, after: b.After, reason: "bulk evaluation", progress: b.Progress,
	}
	if len(b.Sets) > 0 {
		w.stages = func(p *plan, s *stage) bool { return s.hasSet(b.Sets) }
	}
	return e.pass(ctx, w)
}

func (s *stage) hasSet(names []string) bool {
	for _, rule := range s.rules {
		for _, name := range names {
			if rule.set.stored.Name == name {
				return true
			}
		}
	}
	return false
}

// passing is a pass over many customers.
type passing struct {
	whom     func(r *tagging.Reader) (*bitset.Set, error) // nil is everybody
	access   customer.AccessAt
	after    customer.ID
	stages   func(p *plan, s *stage) bool
	drop     string
	all      bool
	clock    time.Time
	reason   string
	progress func(Progress)
	keep     func(Progress) error // makes the progress durable
}

// pass runs a pass: some parts at a time, one for each core.
func (e *Rules) pass(ctx context.Context, w passing) (Progress, error) {
	done := Progress{After: w.after}
	whom, err := e.whom(ctx, w)
	if err != nil {
		return done, err
	}
	done.Total = whom.Len()
	for parts := range rounds(whom, w.after) {
		if err := e.round(ctx, w, parts, &done); err != nil {
			return done, err
		}
		if w.keep != nil {
			if err := w.keep(done); err != nil {
				return done, err
			}
		}
		if w.progress != nil {
			w.progress(done)
		}
	}
	return done, ctx.Err()
}

// whom returns the customers that a pass concerns.
func (e *Rules) whom(ctx context.Context, w passing) (found *bitset.Set, err error) {
	err = e.store.View(ctx, func(r *storage.Reader) error {
		access, err := w.access.In(r)
		if err != nil {
			return err
		}
		customers := e.customers.ReaderWith(r, access)
		if err := customers.PermitAll(customer.RightTag, customer.Tags); err != nil {
			return err
		}
		tags := e.tags.Reader(r, customers)
		if w.whom == nil {
			found, err = tags.Set(tagging.Query{})
		} else {
			found, err = w.whom(tags)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return after(found, w.after), nil
}

// after returns the members beyond one.
func after(s *bitset.Set, id customer.ID) *bitset.Set {
	if id == 0 {
		return s
	}
	rest := &bitset.Set{}
	for n := range s.From(uint64(id) + 1) {
		rest.Add(n)
	}
	return rest
}

// rounds yields lists of parts, one part for each core.
func rounds(s *bitset.Set, after customer.ID) iter.Seq[[][]customer.ID] {
	return func(yield func([][]customer.ID) bool) {
		var parts [][]customer.ID
		var ids []customer.ID
		for n := range s.From(uint64(after) + 1) {
			if ids = append(ids, customer.ID(n)); len(ids) < part {
				continue
			}
			parts, ids = append(parts, ids), nil
			if len(parts) == runtime.GOMAXPROCS(0) {
				if !yield(parts) {
					return
				}
				parts = nil
			}
		}
		if len(ids) > 0 {
			parts = append(parts, ids)
		}
		if len(parts) > 0 {
			yield(parts)
		}
	}
}

// round does some parts at a time. The progress counts them when all are done.
func (e *Rules) round(ctx context.Context, w passing, parts [][]customer.ID, done *Progress) error {
	tallies := make([]tally, len(parts))
	errs := make([]error, len(parts))
	var wait sync.WaitGroup
	for i, ids := range parts {
		wait.Go(func() {
			tallies[i], errs[i] = e.do(ctx, work{ids: ids, stages: w.stages, drop: w.drop, all: w.all, clock: w.clock, reason: w.reason}, nil)
		})
	}
	wait.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	for i, ids := range parts {
		done.Done += int64(len(ids))
		done.Evaluated += tallies[i].evaluated
		done.Changed += tallies[i].changed
		done.Failed += tallies[i].failed
		done.After = ids[len(ids)-1]
	}
	return nil
}
