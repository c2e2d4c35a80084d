package classify

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/clientele-go/clientele/customer"
)

// Classifier is a rule written in Go. It is passed by value in [Options] and takes part
// as a rule set of its own name with one rule of the same name. When a book is opened
// with a new version, all customers are classified anew in the background.
//
// Classify must depend on nothing but the facts: the same facts give the same verdict.
// It is called from several goroutines, and should end within [Options].Timeout and
// when ctx is done. An error, a panic or a timeout is a failure for this customer: it
// keeps the tags that the classifier gave it before, and the failure is reported.
//
// Prove one with the package tagging/taggingtest.
type Classifier interface {
	// Name is unique among classifiers and rule sets: lower case letters, digits, _ and -.
	Name() string
	// Version is to be raised whenever the same facts may give other verdicts.
	Version() uint64
	// Dimensions are those that the classifier gives tags of, created when missing.
	Dimensions() []DimensionSpec
	// Facts are the names of the facts that Classify reads; others are missing.
	Facts() []string
	Classify(ctx context.Context, facts Facts) (Verdict, error)
}

// Verdict is what a classifier found.
type Verdict struct {
	Tags []TagRef
	// Until is when the verdict may change by the clock alone; zero for never.
	Until time.Time
	// Reason is kept with the assignments, for people.
	Reason string
}

// TagRef names a tag by codes.
type TagRef struct {
	Dimension string `json:"dimension"`
	Tag       string `json:"tag"`
}

func (t TagRef) String() string { return t.Dimension + ":" + t.Tag }

// Facts are what a classifier may know of a customer. They are good until Classify
// returns.
type Facts struct {
	customer customer.ID
	now      time.Time
	value    func(name string) Value
}

// NewFacts returns facts for trying a classifier.
func NewFacts(id customer.ID, now time.Time, values map[string]Value) Facts {
	return Facts{id, now.UTC(), func(name string) Value { return values[name] }}
}

// Customer returns whose facts they are.
func (f Facts) Customer() customer.ID { return f.customer }

// Now returns the time of the evaluation, UTC. A verdict that depends on it must say
// [Verdict].Until.
func (f Facts) Now() time.Time { return f.now }

// Value returns a fact; one that is not known of this customer, or was not asked for,
// is Missing.
func (f Facts) Value(name string) Value { return f.value(name) }

// call asks a classifier, in a goroutine of its own so that one that hangs can be left
// behind.
func (e *Rules) call(ctx context.Context, c Classifier, facts Facts) (Verdict, error) {
	calls := &e.calls[c.Name()].running
	if calls.Load() >= maxHanging {
		return Verdict{}, fmt.Errorf("%w: %d calls have not returned yet", ErrTimeout, maxHanging)
	}
	type answer struct {
		verdict Verdict
		err     error
	}
	ctx, cancel := context.WithTimeout(ctx, e.timeout)
	defer cancel()
	answers := make(chan answer, 1)
	calls.Add(1)
	go func() {
		defer calls.Add(-1)
		var a answer
		defer func() { answers <- a }()
		defer recoverAs(&a.err)
		a.verdict, a.err = c.Classify(ctx, facts)
	}()
	select {
	case a := <-answers:
		return a.verdict, a.err
	case <-ctx.Done():
		return Verdict{}, fmt.Errorf("%w: more than %s", ErrTimeout, e.timeout)
	}
}

// maxHanging bounds the goroutines that a classifier can hold.
const maxHanging = 64

// calls counts the calls of a classifier that have not returned.
type calls struct{ running atomic.Int64 }

func (e *Rules) checkClassifiers() error {
	e.calls = map[string]*calls{}
	for _, c := range e.classifiers {
		name := c.Name()
		if !wellFormedName(name) || e.calls[name] != nil {
			return &RuleError{Set: name, Field: "name", Problem: "is no name of a classifier, or another has it", Remedy: nameRemedy, Err: ErrInvalid}
		}
		if c.Version() == 0 {
			return &RuleError{Set: name, Field: "version", Problem: "is 0", Remedy: "count versions from 1", Err: ErrInvalid}
		}
		e.calls[name] = &calls{}
	}
	return nil
}

func (e *Rules) classifier(name string) Classifier {
	for _, c := range e.classifiers {
		if c.Name() == name {
			return c
		}
	}
	return nil
}

func compareRefs(a, b TagRef) int {
	return cmp.Or(strings.Compare(a.Dimension, b.Dimension), strings.Compare(a.Tag, b.Tag))
}
