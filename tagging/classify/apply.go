package classify

import (
	"context"
	"errors"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/tagging"
)

// part is the number of customers that one transaction classifies.
const part = 1000

// work is what is to be done with some customers.
type work struct {
	ids     []customer.ID
	changed []uint64                     // for each of ids, the mask of changed sources
	stages  func(p *plan, s *stage) bool // instead of changed, the same for all; nil is every stage
	clock   time.Time                    // zero is the transaction's time
	drop    string                       // a rule set whose tags are to be taken away
	all     bool                         // also those for whom no stage is chosen: rules may be gone
	reason  string
}

// tally is what a pass did.
type tally struct {
	evaluated, changed, failed int64
	counts                     []ruleCounts
	plan                       *plan
}

// do classifies some customers in one transaction, in which also does more work.
func (e *Rules) do(ctx context.Context, w work, also func(tx *storage.Tx) error) (t tally, err error) {
	_, err = e.store.Update(ctx, because(w.reason), func(tx *storage.Tx) error {
		if t, err = e.classifyAll(ctx, tx, w); err != nil {
			return err
		}
		if also != nil {
			return also(tx)
		}
		return nil
	})
	if err == nil {
		e.count(t)
	}
	return t, err
}

func (e *Rules) classifyAll(ctx context.Context, tx *storage.Tx, w work) (tally, error) {
	customers := e.customers.Tx(tx)
	tags := e.tags.Tx(tx, customers)
	p, err := e.plan(&tx.Reader, &tags.Reader)
	if err != nil {
		return tally{}, err
	}
	v := p.evaluator()
	defer p.release(v)
	now := w.clock
	if now.IsZero() {
		now = tx.Now()
	}
	v.open(ctx, &tx.Reader, &customers.Reader, &tags.Reader, now, false)
	t := tally{plan: p}
	for i, id := range w.ids {
		if !v.choose(w, i) && !w.all {
			continue
		}
		changed, err := e.classifyOne(tx, tags, v, id, w.drop)
		if err != nil {
			return t, err
		}
		t.evaluated++
		if changed {
			t.changed++
		}
	}
	t.failed, t.counts = int64(len(v.failures)), v.takeCounts()
	return t, e.record(tx, v.failures)
}

// choose selects the stages for one of the customers and reports whether there are any.
func (v *evaluator) choose(w work, i int) bool {
	switch {
	case w.changed != nil:
		return v.selectReading(w.changed[i])
	case w.stages != nil:
		return v.selectStages(func(s *stage) bool { return w.stages(v.plan, s) })
	}
	v.selectAll()
	return len(v.selected) > 0
}

// classifyOne evaluates one customer and stores what has changed.
func (e *Rules) classifyOne(tx *storage.Tx, tags *tagging.Tx, v *evaluator, id customer.ID, drop string) (changed bool, err error) {
	record, err := v.loading.customers.Exact(id)
	if err == nil && record.Status > customer.Suspended || errors.Is(err, storage.ErrNotFound) {
		if err == nil && record.Status == customer.Erased {
			if err := e.forgetFailures(tx, id); err != nil {
				return false, err
			}
		}
		return false, e.setDue(tx, v, id, time.Time{}) // not classified any more
	}
	if err != nil {
		return false, err
	}
	tagged, err := tags.Of(id)
	if err != nil {
		return false, err
	}
	if err := v.evaluate(record, tagged); err != nil {
		return false, err
	}
	sets := v.changes()
	if drop != "" && v.plan.set(drop) == nil {
		sets = append(sets, tagging.RuleTags{RuleSet: drop})
	}
	if len(sets) > 0 {
		if changed, err = tags.SetAllRuleTags(id, sets); err != nil {
			return false, err
		}
		if err := e.countFired(tx, v); err != nil {
			return false, err
		}
	}
	return changed, e.setDue(tx, v, id, v.clock.until)
}

func (e *Rules) countFired(tx *storage.Tx, v *evaluator) (err error) {
	v.gained(func(rule *rulePlan) {
		err = errors.Join(err, e.fired.Add(tx, storage.Key(nil).String(rule.set.stored.Name).String(rule.Name), 1))
	})
	return err
}

// setDue stores when a customer must be looked at again, zero for never. When not every
// stage was evaluated, an earlier instant that was stored before stays.
func (e *Rules) setDue(tx *storage.Tx, v *evaluator, id customer.ID, until time.Time) error {
	old, err := e.due.Get(&tx.Reader, id)
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return err
	}
	had := err == nil
	if had && !v.complete() { // also when it is due now: the clock's turn comes yet
		until = earliest(until, time.UnixMicro(old.at).UTC())
	}
	switch {
	case until.IsZero() && had:
		return e.due.Delete(tx, id, 0)
	case until.IsZero() || had && old.at == until.UnixMicro():
		return nil
	}
	return e.due.Put(tx, id, &due{until.UnixMicro()}, 0)
}

// complete reports whether every stage was evaluated.
func (v *evaluator) complete() bool {
	for _, selected := range v.selected {
		if !selected {
			return false
		}
	}
	return true
}

func (v *evaluator) takeCounts() []ruleCounts {
	counts := append([]ruleCounts(nil), v.counts...)
	clear(v.counts)
	return counts
}

// evaluator lends an evaluator of the plan.
func (p *plan) evaluator() *evaluator {
	if v, ok := p.idle.Get().(*evaluator); ok {
		return v
	}
	return p.newEvaluator()
}

func (p *plan) release(v *evaluator) {
	v.only = nil
	p.idle.Put(v)
}
