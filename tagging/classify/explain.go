package classify

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/cel-go/common/types"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/tagging"
)

// Explanation says why a customer has a tag, or why not.
type Explanation struct {
	Customer customer.ID
	TagRef
	Held bool
	// Assignments are all claims on the tag: of persons, imports and rules, and denials.
	Assignments []tagging.Assignment
	// Others are the held tags of the same dimension.
	Others []string
	// Rules are all active rules that may give the tag.
	Rules []RuleExplanation
}

// String returns the explanation for a developer's eyes, in English, a line for each rule and
// each fact that it read.
func (x Explanation) String() string {
	var text strings.Builder
	held := "has not"
	if x.Held {
		held = "has"
	}
	fmt.Fprintf(&text, "customer %s %s %s", x.Customer, held, x.TagRef)
	for _, r := range x.Rules {
		fmt.Fprintf(&text, "\n  rule %s/%s, version %d: %s", r.Set, r.Rule, r.Version, r.Why)
		if r.Err != nil {
			fmt.Fprintf(&text, ": %v", r.Err)
		}
		for _, f := range r.Facts {
			fmt.Fprintf(&text, "\n    %s is %s", f.Name, f.Value)
		}
	}
	return text.String()
}

// RuleExplanation says what a rule makes of a customer now.
type RuleExplanation struct {
	Set, Rule string
	Version   uint64 // of the rule
	Title     customer.Names
	Why       Why
	// Gives are the tags that the rule gives the customer.
	Gives []TagRef
	// Conditions are the parts of When that are joined by &&, in order, as far as they
	// were needed.
	Conditions []Condition
	// Facts are those that the rule reads, with their values for this customer.
	Facts []FactValue
	// Until is when the clock may change this, zero for never.
	Until time.Time
	Err   error // how the rule failed
}

// Why is the reason for a rule's result.
type Why uint8

const (
	Applies     Why = iota // the rule gives the tag
	OtherTag               // it gives another tag
	OutPriority            // it would, but another rule of the set has a higher priority or comes first
	NotWhere               // the customer is not among those whom the rule concerns
	NotMet                 // its condition is not met
	FactMissing            // its condition can't be judged since a fact is not known
	Failed                 // it failed
	Quarantined            // it is not evaluated, since it failed too often
)

var whyNames = []string{"applies", "gives another tag", "has lower priority", "is not for this customer", "condition is not met", "a fact is missing", "failed", "in quarantine"}

// String returns the reason in English.
func (w Why) String() string {
	if int(w) < len(whyNames) {
		return whyNames[w]
	}
	return fmt.Sprintf("unknown(%d)", w)
}

// Condition is one part of a condition and what it came to.
type Condition struct {
	Text   string // as it is written, in canonical form
	Result string // "true", "false", "missing", or an error
}

// FactValue is a fact with its value.
type FactValue struct {
	Name  string
	Value Value
}

// Explain says why a customer has a tag or why not: what each rule that may give it
// makes of the customer's facts. A customer that the actor doesn't see, or that does not
// exist, is ErrNotFound, and what is hidden from the actor counts as not known. It costs
// some milliseconds.
func (e *Rules) Explain(ctx context.Context, id customer.ID, tag TagRef, access customer.AccessAt) (x Explanation, err error) {
	store, err := e.book(ctx)
	if err != nil {
		return x, err
	}
	err = store.View(ctx, func(r *storage.Reader) error {
		x, err = e.explain(ctx, r, id, tag, access)
		return err
	})
	return x, err
}

func (e *Rules) explain(ctx context.Context, r *storage.Reader, id customer.ID, ref TagRef, at customer.AccessAt) (x Explanation, err error) {
	access, err := at.In(r)
	if err != nil {
		return x, err
	}
	customers := e.customers.ReaderWith(r, access)
	tags := e.tags.Reader(r, customers)
	tag, err := tags.Tag(ref.Dimension, ref.Tag)
	if err != nil {
		return x, err
	}
	tagged, err := tags.Of(id)
	if err != nil {
		return x, err
	}
	record, err := customers.Exact(id)
	if err != nil {
		return x, err
	}
	x = Explanation{Customer: id, TagRef: TagRef{ref.Dimension, tag.Code}, Held: tagged.Has(tag.ID)}
	for _, a := range tagged.Assignments {
		if a.Tag == tag.ID {
			x.Assignments = append(x.Assignments, a)
		}
	}
	p, err := e.plan(r, tags)
	if err != nil {
		return x, err
	}
	for _, other := range tagged.In(tag.Dimension) {
		if other != tag.ID {
			x.Others = append(x.Others, p.codes[other])
		}
	}
	if record.Status > customer.Suspended {
		return x, nil
	}
	v := p.newEvaluator()
	v.open(ctx, r, customers, tags, e.store.Now(), false)
	v.selectAll()
	if err := v.evaluate(record, tagged); err != nil {
		return x, err
	}
	for _, rule := range p.allRules() {
		if rule.mayGive(ref.Dimension, tag.ID) {
			x.Rules = append(x.Rules, v.explain(rule, tag))
		}
	}
	return x, nil
}

func (r *rulePlan) mayGive(dimension string, tag tagging.TagID) bool {
	for _, d := range r.dimensions {
		if d.code == dimension {
			return r.tag == 0 || r.tag == tag
		}
	}
	return false
}

// explain evaluates one rule by itself, after all were evaluated.
func (v *evaluator) explain(rule *rulePlan, tag *tagging.Tag) RuleExplanation {
	x := RuleExplanation{Set: rule.set.stored.Name, Rule: rule.Name, Version: rule.version, Title: rule.Title}
	v.clock.until = time.Time{}
	v.best = v.best[:0]
	if rule.where != nil && !rule.where(&v.loading) {
		x.Why = NotWhere
		return x
	}
	if x.Err = v.load(rule); x.Err != nil {
		x.Why = Failed
		return x
	}
	for _, slot := range rule.facts {
		x.Facts = append(x.Facts, FactValue{v.plan.facts[slot].Name, valueOf(v.slots[slot])})
	}
	if rule.halted {
		x.Why = Quarantined
		return x
	}
	if rule.classifier != nil {
		x.Err = v.ask(rule)
	} else {
		x.Err = v.compute(rule)
	}
	x.Why = v.why(rule, tag, &x)
	x.Until = v.clock.until
	if rule.when != nil {
		x.Conditions = v.conditions(rule.when)
	}
	return x
}

func (v *evaluator) why(rule *rulePlan, tag *tagging.Tag, x *RuleExplanation) Why {
	for _, c := range v.best {
		x.Gives = append(x.Gives, TagRef{c.of.code, v.plan.codes[c.tag]})
	}
	switch {
	case x.Err != nil:
		return Failed
	case len(v.best) == 0 && v.missing:
		return FactMissing
	case len(v.best) == 0:
		return NotMet
	}
	for _, c := range v.best {
		if c.tag == tag.ID {
			return v.wins(rule, c)
		}
	}
	return OtherTag
}

// wins tells whether a rule's tag came through among the rules of its set.
func (v *evaluator) wins(rule *rulePlan, c candidate) Why {
	for _, a := range v.next[rule.set.index] {
		if a.Tag == c.tag && a.Rule == rule.Name {
			return Applies
		}
	}
	return OutPriority
}

// conditions evaluates the parts of a condition one by one, up to the first that is not
// true.
func (v *evaluator) conditions(x *expression) (list []Condition) {
	for _, part := range x.parts() {
		c := Condition{Text: part.text}
		if part.program == nil {
			c.Result = "can't be evaluated by itself"
			list = append(list, c)
			continue
		}
		result, missing, err := part.run(v)
		switch {
		case err != nil:
			c.Result = err.Error()
		case missing:
			c.Result = "missing"
		default:
			c.Result = fmt.Sprint(result.Value())
		}
		list = append(list, c)
		if err != nil || result != types.True {
			return list
		}
	}
	return list
}
