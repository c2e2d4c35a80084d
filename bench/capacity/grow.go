package capacity

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sort"
	"time"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/internal/sample/receivable"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/tagging"
)

// growth loads customers into a book up to a size and takes the time of each part. It
// goes on where an earlier one was cut off.
type growth struct {
	*book
	to       int
	progress func(what string, done, total int)
	results  []*Result
}

// grow brings the book to a size: customers, tags, receivables, and the search index.
func (b *book) grow(ctx context.Context, to int, progress func(what string, done, total int)) ([]*Result, error) {
	g := &growth{book: b, to: to, progress: progress}
	began, cpu := time.Now(), processorTime()
	for _, part := range []func(context.Context) error{g.loadCustomers, g.loadTags, g.loadItems} {
		if err := part(ctx); err != nil {
			return nil, err
		}
	}
	if err := g.catchUp(ctx, began, cpu); err != nil {
		return nil, err
	}
	b.expected.grow(b.work, to)
	if err := b.setLimits(ctx); err != nil {
		return nil, err
	}
	h, err := b.Health(ctx)
	if err != nil {
		return nil, err
	}
	b.imported = uint64(h.Journal)
	return g.results, b.settle(ctx)
}

// timed runs a load and makes a result of it. The load calls tick with what it has done.
func (g *growth) timed(name string, total int, load func(tick func(done int)) error) error {
	q, _ := questionNamed(name)
	if total == 0 {
		return nil
	}
	s := laps{began: time.Now(), each: max(total/8, 1)}
	s.last = s.began
	cpu := processorTime()
	err := load(func(done int) {
		s.tick(done)
		g.progress(name, done, total)
	})
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	took := time.Since(s.began)
	s.tick(total)
	g.results = append(g.results, rateResult(name, q.unit, s.rates, total, took, processorTime()-cpu))
	return nil
}

// laps takes the rates of the parts of a load.
type laps struct {
	began, last time.Time
	each, done  int
	rates       []float64
}

func (s *laps) tick(done int) {
	now := time.Now()
	if took := now.Sub(s.last).Seconds(); done-s.done >= s.each && took > 0 {
		s.rates = append(s.rates, float64(done-s.done)/took)
		s.done, s.last = done, now
	}
}

func (g *growth) loadCustomers(ctx context.Context) error {
	from, err := g.loaded(ctx)
	if err == nil && from == g.to {
		err = g.noMore(ctx)
	}
	if err != nil {
		return err
	}
	err = g.timed("import", g.to-from, func(tick func(int)) error {
		loaded, err := g.session.Load(ctx, customer.LoadOptions{Progress: tick}, g.work.drafts(from, g.to, g.units))
		if err == nil && loaded.Rows != g.to-from {
			err = wrong("the number of customers loaded", loaded.Rows, g.to-from)
		}
		return err
	})
	if err != nil {
		return err
	}
	return g.session.View(ctx, func(tx *clientele.ReadTx) error { return g.findRuns(tx, g.to) })
}

// loaded is how many customers of the workload the book holds: a load that was cut off
// leaves the first ones.
func (g *growth) loaded(ctx context.Context) (n int, err error) {
	err = g.session.View(ctx, func(tx *clientele.ReadTx) error {
		n = sort.Search(g.to, func(i int) bool {
			_, found := tx.Customers.ByCode(code(i))
			if found != nil && !errors.Is(found, customer.ErrNotFound) {
				err = found
			}
			return found != nil
		})
		return err
	})
	return n, err
}

// noMore refuses a book that holds more customers of the workload than it is to be
// measured with.
func (g *growth) noMore(ctx context.Context) error {
	return g.session.View(ctx, func(tx *clientele.ReadTx) error {
		_, err := tx.Customers.ByCode(code(g.to))
		switch {
		case errors.Is(err, customer.ErrNotFound):
			return nil
		case err != nil:
			return err
		}
		return fmt.Errorf("the book holds more than %s customers already, by a run that was to have more: give -customers as that run did, or another -dir", count(g.to))
	})
}

// findRuns looks up the ids of the customers up to an index. Ids ascend as indexes do, so
// between two ids that are as far apart as their indexes all others follow.
func (b *book) findRuns(tx *clientele.ReadTx, to int) error {
	idOf := func(index int) (customer.ID, error) {
		c, err := tx.Customers.ByCode(code(index))
		if err != nil {
			return 0, fmt.Errorf("customer %d: %w", index, err)
		}
		return c.ID, nil
	}
	b.runs = b.runs[:0]
	for from := 0; from < to; {
		first, err := idOf(from)
		if err != nil {
			return err
		}
		n := sort.Search(to-from, func(i int) bool {
			id, found := idOf(from + i)
			if found != nil {
				err = found
			}
			return id != first+customer.ID(i)
		})
		if err != nil {
			return err
		}
		b.runs = append(b.runs, run{from, first, n})
		from += n
	}
	return nil
}

func (g *growth) loadTags(ctx context.Context) error {
	var from int
	err := g.session.View(ctx, func(tx *clientele.ReadTx) (err error) {
		from = sort.Search(g.to, func(i int) bool {
			t, asked := tx.Tags.Of(g.id(i))
			err = errors.Join(err, asked)
			return asked != nil || t.Version == 0
		})
		return err
	})
	if err != nil {
		return err
	}
	return g.timed("import.tags", g.to-from, func(tick func(int)) error {
		loaded, err := g.Tags().Load(ctx, g.session.Job(), g.assignments(from, tick))
		return complete(err, loaded, g.to-from)
	})
}

func complete(err error, loaded storage.Loaded, want int) error {
	if err == nil && loaded.Rows != want {
		err = wrong("the number of rows loaded", loaded.Rows, want)
	}
	return err
}

// tickEvery is how many rows go between two reports of progress.
const tickEvery = 10_000

func (g *growth) assignments(from int, tick func(int)) iter.Seq2[tagging.LoadRow, error] {
	return func(yield func(tagging.LoadRow, error) bool) {
		for i := from; i < g.to; i++ {
			c := g.work.classes(i)
			row := tagging.LoadRow{ID: g.id(i), Assignments: []tagging.Assignment{
				{Tag: g.region[c.region], Origin: tagging.Imported}, {Tag: g.industry[c.industry], Origin: tagging.Imported},
			}}
			for f := range flags {
				if c.has(f) {
					row.Assignments = append(row.Assignments, tagging.Assignment{Tag: g.flag[f], Origin: tagging.Imported})
				}
			}
			if !yield(row, nil) {
				return
			}
			if n := i + 1 - from; n%tickEvery == 0 {
				tick(n)
			}
		}
	}
}

func (g *growth) loadItems(ctx context.Context) error {
	from, err := g.itemsLoaded(ctx)
	if err != nil {
		return err
	}
	const each = (openPerTen + 2*settledPerTen) / 10
	return g.timed("import.items", (g.to-from)*each, func(tick func(int)) error {
		_, err := g.Credit().Load(ctx, g.session.CreditJob(), credit.LoadOptions{Progress: tick}, g.accounts(from))
		return err
	})
}

func (g *growth) itemsLoaded(ctx context.Context) (n int, err error) {
	err = g.session.View(ctx, func(tx *clientele.ReadTx) error {
		n = sort.Search(g.to, func(i int) bool {
			for _, asked := range tx.Credit.Items(g.id(i)) {
				err = errors.Join(err, asked)
				return false
			}
			return true
		})
		return err
	})
	return n, err
}

func (g *growth) accounts(from int) iter.Seq2[credit.LoadAccount, error] {
	return func(yield func(credit.LoadAccount, error) bool) {
		var a receivable.Account
		var to credit.LoadAccount
		for i := from; i < g.to; i++ {
			g.work.account(i, &a)
			loadAccount(g.id(i), &a, &to)
			if !yield(to, nil) {
				return
			}
		}
	}
}

// catchUp waits until search has everything; rate and processor time are those of the
// whole import.
func (g *growth) catchUp(ctx context.Context, began time.Time, cpu time.Duration) error {
	if len(g.results) == 0 || g.results[0].Question != "import" { // no customer was loaded
		return g.session.Sync(ctx)
	}
	n := int(g.results[0].Answers)
	g.progress("import.search", 0, n)
	if err := g.session.Sync(ctx); err != nil {
		return err
	}
	r := rateResult("import.search", customers, nil, n, time.Since(began), processorTime()-cpu)
	r.Repetitions = []float64{r.Value}
	g.results = append(g.results, r)
	return nil
}

// How long a book may take to come to rest after a load, how much the engine may have
// left to compact then, and how busy the process may still be, in cores.
const (
	settleMost  = 5 * time.Minute // 10 million customers with their items take two
	settleLook  = 300 * time.Millisecond
	settledDebt = 16 << 20
	settledBusy = 0.1
)

// settle waits until engine and search have done what a load leaves to be done in the
// background, which is not what users meet.
func (b *book) settle(ctx context.Context) error {
	for began := time.Now(); time.Since(began) < settleMost; {
		h, err := b.Health(ctx)
		if err != nil {
			return err
		}
		used := processorTime()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(settleLook):
		}
		if h.Engine.CompactionDebt <= settledDebt && (processorTime()-used).Seconds() <= settledBusy*settleLook.Seconds() {
			return nil
		}
	}
	return nil
}
