package classify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
	"github.com/google/cel-go/interpreter"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/tagging"
)

// evaluator runs a plan's rules on one customer after another. It belongs to one
// goroutine, and is the activation of its expressions: variables are slots that are
// filled once a rule needs them.
type evaluator struct {
	plan    *plan
	loading loading
	tags    *tagging.Reader
	clock   clock

	slots   []ref.Val // nil while not loaded
	missing bool      // an expression met a missing fact

	selected []bool                 // by stage
	before   [][]tagging.Assignment // by set: what the customer has of it
	next     [][]tagging.Assignment // by set: what it is to have
	best     []candidate            // of the present stage
	only     *setPlan               // evaluate this set alone; nil is all
	failures []failure              // since open
	failed   []int                  // by rule, since open
	counts   []ruleCounts           // by rule
}

// ruleCounts are what an evaluator did since it was last asked.
type ruleCounts struct{ evaluated, matched, failed int64 }

// candidate is a tag that a rule gives.
type candidate struct {
	rule   *rulePlan
	of     *dimension
	tag    tagging.TagID
	reason string
}

// failure is a rule that failed for a customer.
type failure struct {
	rule     *rulePlan
	customer customer.ID
	err      error
}

func (p *plan) newEvaluator() *evaluator {
	v := &evaluator{
		plan: p, slots: make([]ref.Val, len(p.facts)), selected: make([]bool, len(p.stages)),
		before: make([][]tagging.Assignment, len(p.sets)), next: make([][]tagging.Assignment, len(p.sets)),
		failed: make([]int, len(p.allRules())), counts: make([]ruleCounts, len(p.allRules())),
	}
	v.loading.clock = &v.clock
	v.slots[0] = &v.clock
	return v
}

// open points the evaluator at a state of the book.
func (v *evaluator) open(ctx context.Context, r *storage.Reader, customers *customer.Reader, tags *tagging.Reader, now time.Time, past bool) {
	v.loading.ctx, v.loading.r, v.loading.customers, v.loading.tags, v.loading.past = ctx, r, customers, tags, past
	v.tags = tags
	v.clock.set(now)
	v.failures = v.failures[:0]
	clear(v.failed)
}

// ResolveName implements cel.Activation.
func (v *evaluator) ResolveName(name string) (any, bool) {
	slot, found := v.plan.slots[name]
	if !found {
		return nil, false
	}
	value := v.slots[slot]
	if value == types.NullValue {
		v.missing = true
	}
	return value, true
}

// Parent implements cel.Activation.
func (v *evaluator) Parent() interpreter.Activation { return nil }

// selectAll has every stage evaluated.
func (v *evaluator) selectAll() {
	for i := range v.selected {
		v.selected[i] = true
	}
}

// selectReading has those stages evaluated that read what has changed, and those that
// read their tags.
func (v *evaluator) selectReading(changed uint64) (any bool) {
	return v.selectStages(func(s *stage) bool { return changed == allSources || s.reads&changed != 0 })
}

func (v *evaluator) selectStages(chosen func(*stage) bool) (any bool) {
	for i, s := range v.plan.stages {
		v.selected[i] = chosen(s) || slices.ContainsFunc(s.before, func(b *stage) bool { return v.selected[b.index] })
		any = any || v.selected[i]
	}
	return any
}

// evaluate computes what every rule set says of a customer from its facts. Stages that
// are not selected say what they said before.
func (v *evaluator) evaluate(record *customer.Customer, tagged *tagging.Tagged) error {
	v.loading.reset(record, tagged)
	v.clock.until = time.Time{}
	clear(v.slots[1:])
	v.sortOut(tagged)
	for _, s := range v.plan.stages {
		if !v.selected[s.index] {
			continue
		}
		if err := v.stage(s); err != nil {
			return err
		}
	}
	return nil
}

// sortOut sets what each set has said, and keeps of it what is not evaluated.
func (v *evaluator) sortOut(tagged *tagging.Tagged) {
	for i := range v.plan.sets {
		v.before[i], v.next[i] = v.before[i][:0], v.next[i][:0]
	}
	for i := range tagged.Assignments {
		a := &tagged.Assignments[i]
		if a.Origin != tagging.Rule {
			continue
		}
		set := v.plan.set(a.RuleSet)
		if set == nil {
			continue
		}
		v.before[set.index] = append(v.before[set.index], *a)
		if v.keeps(set, a) {
			v.next[set.index] = append(v.next[set.index], *a)
		}
	}
}

// keeps reports whether an assignment stays without being looked at: its rule is not
// evaluated, or its set can't be.
func (v *evaluator) keeps(set *setPlan, a *tagging.Assignment) bool {
	rule := set.rule(a.Rule)
	if rule == nil {
		return set.frozen
	}
	return v.halted(rule) || !v.selected[rule.stage.index]
}

// halted reports whether a rule is not to be evaluated: it is in quarantine, has failed
// so often lately that it will be, or is of another set than the one looked at.
func (v *evaluator) halted(rule *rulePlan) bool {
	limit := v.plan.rules.failures
	return rule.halted || limit > 0 && v.failed[rule.index] >= limit || v.only != nil && v.only != rule.set
}

// stage evaluates the rules that write the same dimensions.
func (v *evaluator) stage(s *stage) error {
	v.best = v.best[:0]
	for _, rule := range s.rules {
		if v.halted(rule) {
			continue
		}
		if err := v.rule(rule); err != nil {
			return err
		}
	}
	for _, c := range v.best {
		v.next[c.rule.set.index] = append(v.next[c.rule.set.index], tagging.Assignment{
			Tag: c.tag, Dimension: c.of.id, Origin: tagging.Rule, RuleSet: c.rule.set.stored.Name, Rule: c.rule.Name,
			RuleVersion: c.rule.version, Priority: c.rule.Priority, Reason: c.reason,
		})
	}
	if !s.feeds {
		return nil
	}
	sets := v.changes()
	if len(sets) == 0 {
		return nil
	}
	supposed, err := v.tags.Suppose(v.loading.tagged, v.clock.now, sets)
	v.loading.tagged = supposed
	return err
}

// rule evaluates one rule. Only what ends the evaluation as a whole is an error.
func (v *evaluator) rule(rule *rulePlan) error {
	if rule.where != nil && !rule.where(&v.loading) {
		return nil
	}
	v.counts[rule.index].evaluated++
	mark := len(v.best)
	keep := false // what fails without regard to facts changes nothing
	err := v.load(rule)
	switch {
	case err != nil:
		keep = true
	case rule.classifier != nil:
		err = v.ask(rule)
		keep = err != nil
	default:
		err = v.compute(rule)
	}
	if err == nil {
		return nil
	}
	if fatal(v.loading.ctx, err) {
		return err
	}
	v.counts[rule.index].failed++
	v.failed[rule.index]++
	v.failures = append(v.failures, failure{rule, v.loading.record.ID, err})
	v.best = v.best[:mark]
	if keep {
		v.keepBefore(rule)
	}
	return nil
}

// fatal reports whether an error is not the rule's own.
func fatal(ctx context.Context, err error) bool {
	return ctx.Err() != nil || errors.Is(err, storage.ErrClosed) || errors.Is(err, storage.ErrEnded) ||
		errors.Is(err, storage.ErrFailed) || errors.Is(err, storage.ErrCorrupt) || errors.Is(err, storage.ErrConflict)
}

// keepBefore leaves a customer what a rule gave it before.
func (v *evaluator) keepBefore(rule *rulePlan) {
	for _, a := range v.before[rule.set.index] {
		if a.Rule == rule.Name {
			v.next[rule.set.index] = append(v.next[rule.set.index], a)
		}
	}
}

// load fills the slots that a rule reads.
func (v *evaluator) load(rule *rulePlan) error {
	for _, slot := range rule.facts {
		if v.slots[slot] != nil {
			continue
		}
		f := &v.plan.facts[slot]
		if f.given >= 0 {
			if err := v.loadGiven(&v.plan.given[f.given]); err != nil {
				return err
			}
			continue
		}
		value, err := f.get(&v.loading)
		if err != nil {
			return err
		}
		v.slots[slot] = value.val()
	}
	return nil
}

func (v *evaluator) loadGiven(g *givenFacts) error {
	values, err := g.source.load(&v.loading, g.want)
	if err != nil {
		return err
	}
	for i, slot := range g.slots {
		if typ := v.plan.facts[slot].Type; !values[i].is(typ) {
			return fmt.Errorf("classify: fact %s of customer %s is %s, not of type %s", g.want[i], v.loading.record.ID, values[i], typ)
		}
		v.slots[slot] = values[i].val()
	}
	return nil
}

// compute evaluates a rule of expressions.
func (v *evaluator) compute(rule *rulePlan) error {
	if rule.when != nil {
		met, missing, err := rule.when.run(v)
		if err != nil || missing || met != types.True {
			return err
		}
	}
	d := &rule.dimensions[0]
	if rule.value == nil {
		v.counts[rule.index].matched++
		v.propose(candidate{rule: rule, of: d, tag: rule.tag})
		return nil
	}
	value, missing, err := rule.value.run(v)
	if err != nil || missing {
		return err
	}
	codes, err := codesOf(value)
	if err != nil {
		return err
	}
	return v.proposeCodes(rule, d, codes)
}

func (v *evaluator) proposeCodes(rule *rulePlan, d *dimension, codes []string) error {
	for _, code := range codes {
		tag, err := v.tag(d, code)
		if err != nil {
			return err
		}
		v.propose(candidate{rule: rule, of: d, tag: tag})
	}
	if len(codes) > 0 {
		v.counts[rule.index].matched++
	}
	return nil
}

// codesOf returns the tag codes that a value expression came to.
func codesOf(value ref.Val) ([]string, error) {
	switch x := value.(type) {
	case types.String:
		if x == "" {
			return nil, nil
		}
		return []string{string(x)}, nil
	case traits.Lister:
		var codes []string
		for it := x.Iterator(); it.HasNext() == types.True; {
			code, is := it.Next().(types.String)
			if !is {
				return nil, errors.New("the list has something else than texts")
			}
			codes = append(codes, string(code))
		}
		return codes, nil
	}
	return nil, fmt.Errorf("the result is %v, not a tag code or a list of them", value.Type())
}

// tag finds a tag by its code or an alias.
func (v *evaluator) tag(d *dimension, code string) (tagging.TagID, error) {
	if id, known := d.tags[code]; known {
		return id, nil
	}
	t, err := v.tags.Tag(d.code, code)
	if err != nil {
		return 0, err
	}
	return t.ID, nil
}

// propose notes a tag that a rule gives. Of an exclusive dimension a set gives one tag,
// that of the highest priority, and every tag comes from one rule.
func (v *evaluator) propose(c candidate) {
	for i := range v.best {
		other := &v.best[i]
		if other.rule.set != c.rule.set || other.of.id != c.of.id || other.tag != c.tag && !c.of.exclusive {
			continue
		}
		if c.rule.Priority > other.rule.Priority {
			*other = c
		}
		return
	}
	if c.of.retired[c.tag] && !slices.ContainsFunc(v.before[c.rule.set.index], func(a tagging.Assignment) bool { return a.Tag == c.tag }) {
		return
	}
	v.best = append(v.best, c)
}

// ask lets a classifier judge.
func (v *evaluator) ask(rule *rulePlan) error {
	verdict, err := v.plan.rules.call(v.loading.ctx, rule.classifier, v.factsFor(rule))
	if err != nil {
		return err
	}
	v.clock.note(verdict.Until)
	for _, t := range verdict.Tags {
		i := slices.IndexFunc(rule.dimensions, func(d dimension) bool { return d.code == t.Dimension })
		if i < 0 {
			return fmt.Errorf("gave the tag %s of a dimension that it did not declare", t)
		}
		tag, err := v.tag(&rule.dimensions[i], t.Tag)
		if err != nil {
			return err
		}
		v.propose(candidate{rule: rule, of: &rule.dimensions[i], tag: tag, reason: verdict.Reason})
	}
	if len(verdict.Tags) > 0 {
		v.counts[rule.index].matched++
	}
	return nil
}

// factsFor copies a classifier's facts, since it may outlive its timeout.
func (v *evaluator) factsFor(rule *rulePlan) Facts {
	values := make(map[string]Value, len(rule.facts))
	for _, slot := range rule.facts {
		if v.slots[slot] != types.NullValue {
			values[v.plan.facts[slot].Name] = Value{v.slots[slot]}
		}
	}
	return NewFacts(v.loading.record.ID, v.clock.now, values)
}

// changes returns the sets that say something else than before.
func (v *evaluator) changes() []tagging.RuleTags {
	var sets []tagging.RuleTags
	for i, set := range v.plan.sets {
		if !sameClaims(v.before[i], v.next[i]) {
			sets = append(sets, tagging.RuleTags{RuleSet: set.stored.Name, Assignments: v.next[i]})
		}
	}
	return sets
}

// sameClaims compares what rule sets say, regardless of order, state and time.
func sameClaims(a, b []tagging.Assignment) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !slices.ContainsFunc(b, func(x tagging.Assignment) bool { return sameClaim(&a[i], &x) }) {
			return false
		}
	}
	return true
}

func sameClaim(a, b *tagging.Assignment) bool {
	return a.Tag == b.Tag && a.Rule == b.Rule && a.RuleVersion == b.RuleVersion && a.Priority == b.Priority &&
		a.Reason == b.Reason && a.From.Equal(b.From) && a.Until.Equal(b.Until)
}

// gained calls f with the rule of every tag that a set gives and did not give before.
func (v *evaluator) gained(f func(rule *rulePlan)) {
	for i, set := range v.plan.sets {
		for _, a := range v.next[i] {
			had := slices.ContainsFunc(v.before[i], func(b tagging.Assignment) bool { return a.Tag == b.Tag && a.Rule == b.Rule })
			if rule := set.rule(a.Rule); !had && rule != nil {
				f(rule)
			}
		}
	}
}
