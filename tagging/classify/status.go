package classify

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/clientele-go/clientele/storage"
)

// ActiveSet is a rule set in force, or a classifier.
type ActiveSet struct {
	RuleSet
	Classifier bool
	Since      map[string]uint64 // for each rule, the version in which it got its present form
	Activated  time.Time         // when this version was
	Actor      string            // who did it
	Reason     string            // and why
	// Broken is why the set can't be evaluated: a dimension, tag or segment that it names
	// is gone, or the classifier is not in this program. Customers keep what it gave them.
	Broken error
}

// RuleSets returns what is in force, by name.
func (e *Rules) RuleSets(ctx context.Context) (list []ActiveSet, err error) {
	store, err := e.book(ctx)
	if err != nil {
		return nil, err
	}
	err = store.View(ctx, func(r *storage.Reader) error {
		p, err := e.planAt(r)
		if err != nil {
			return err
		}
		for _, s := range p.sets {
			list = append(list, s.active())
		}
		return nil
	})
	return list, err
}

func (e *Rules) planAt(r *storage.Reader) (*plan, error) {
	return e.plan(r, e.tags.Reader(r, e.customers.Reader(r)))
}

var errNoClassifier = errors.New("the classifier is not in this program")

func (s *setPlan) active() ActiveSet {
	a := ActiveSet{
		RuleSet: s.stored.RuleSet, Classifier: s.stored.Classifier, Since: s.stored.Since,
		Activated: s.stored.meta.Recorded, Actor: s.stored.meta.Actor, Reason: s.stored.meta.Reason, Broken: s.stored.broken,
	}
	if s.frozen && a.Broken == nil {
		a.Broken = errNoClassifier
	}
	return a
}

// RuleSet returns a version of a rule set, active or not; version 0 is the latest. The
// error wraps ErrNotFound when there is none.
func (e *Rules) RuleSet(ctx context.Context, name string, version uint64) (rs RuleSet, err error) {
	store, err := e.book(ctx)
	if err != nil {
		return rs, err
	}
	err = store.View(ctx, func(r *storage.Reader) error {
		s, err := e.ruleSet.Get(r, name)
		if err == nil && version != 0 {
			s, err = e.ruleSet.AtVersion(r, name, version)
		}
		if err == nil {
			rs = s.RuleSet
		}
		return err
	})
	return rs, err
}

// Statistics counts what became of a rule.
type Statistics struct {
	Set, Rule string
	// Fired is how often the rule gave a customer a tag that it did not have from it,
	// since the book was created.
	Fired int64
	// Evaluated, Matched and Failed count evaluations of this process. A customer outside
	// the rule's Where is not evaluated.
	Evaluated, Matched, Failed int64
}

// Statistics returns the counts of the active rules, by set and order. A rule whose Fired
// is 0 never fired.
func (e *Rules) Statistics(ctx context.Context) (list []Statistics, err error) {
	store, err := e.book(ctx)
	if err != nil {
		return nil, err
	}
	err = store.View(ctx, func(r *storage.Reader) error {
		p, err := e.planAt(r)
		if err != nil {
			return err
		}
		for _, rule := range p.allRules() {
			s := Statistics{Set: rule.set.stored.Name, Rule: rule.Name}
			if s.Fired, err = e.fired.Get(r, storage.Key(nil).String(s.Set).String(s.Rule)); err != nil {
				return err
			}
			c := e.counter(rule)
			s.Evaluated, s.Matched, s.Failed = c.evaluated.Load(), c.matched.Load(), c.failed.Load()
			list = append(list, s)
		}
		return nil
	})
	return list, err
}

// ruleCounter is a rule's counts of this process.
type ruleCounter struct{ evaluated, matched, failed atomic.Int64 }

func (e *Rules) counter(rule *rulePlan) *ruleCounter {
	c, _ := e.counters.LoadOrStore(faultKey(rule.set.stored.Name, rule.Name), &ruleCounter{})
	return c.(*ruleCounter)
}

// count adds what a pass did.
func (e *Rules) count(t tally) {
	for i, rule := range t.plan.allRules() {
		n := t.counts[i]
		if n == (ruleCounts{}) {
			continue
		}
		c := e.counter(rule)
		c.evaluated.Add(n.evaluated)
		c.matched.Add(n.matched)
		c.failed.Add(n.failed)
	}
}

// Err returns why the last work in the background failed, nil when it did not. It is
// tried again at every tick.
func (e *Rules) Err() error {
	if err := e.lastError.Load(); err != nil {
		return *err
	}
	return nil
}
