package classify

import (
	"errors"
	"fmt"
	"strings"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
)

// The errors that this package's errors wrap; test with errors.Is.
var (
	ErrNotFound = storage.ErrNotFound
	// ErrInvalid: a rule set can't be used as it is.
	ErrInvalid = errors.New("invalid rule set")
	// ErrCycle: rules read tags that depend on the rules' own results.
	ErrCycle = errors.New("rules depend on each other in a circle")
	// ErrClock: a condition uses now so that it can't be known when its result changes.
	ErrClock = errors.New("now is used in a way that the clock can't follow")
	// ErrCost: an evaluation was stopped since it cost too much.
	ErrCost = errors.New("evaluation costs too much")
	// ErrTimeout: a classifier took too long.
	ErrTimeout = errors.New("classifier took too long")
	// ErrPanic: a classifier or a source of facts panicked.
	ErrPanic = errors.New("panicked")
)

// RuleError says what is wrong with a rule set, and where.
type RuleError struct {
	Set     string // the rule set's name
	Rule    string // the rule's name, when one is concerned
	Field   string // "when", "where", "dimension", …
	Line    int    // within the field, or within the JSON text; from 1, 0 for unknown
	Column  int    // in characters, from 1
	Problem string // what is wrong
	Remedy  string // what would be right, when that can be said
	Err     error  // ErrInvalid, ErrCycle, ErrClock, or the error of a filter
}

func (e *RuleError) Error() string {
	var b strings.Builder
	b.WriteString("classify: ")
	if e.Set != "" {
		fmt.Fprintf(&b, "rule set %q: ", e.Set)
	}
	if e.Rule != "" {
		fmt.Fprintf(&b, "rule %q: ", e.Rule)
	}
	if e.Field != "" {
		b.WriteString(e.Field + ": ")
	}
	if e.Line > 0 {
		fmt.Fprintf(&b, "line %d, column %d: ", e.Line, e.Column)
	}
	b.WriteString(e.Problem)
	if e.Remedy != "" {
		b.WriteString("; " + e.Remedy)
	}
	return b.String()
}

func (e *RuleError) Unwrap() error { return e.Err }

// CycleError names rules whose results depend on each other. It wraps ErrCycle.
type CycleError struct {
	// Path is the circle: each rule reads tags of the dimension that the next one
	// writes, and the last is the first again.
	Path []CycleStep
}

// CycleStep is one rule of a circle.
type CycleStep struct{ Set, Rule, Dimension string }

func (e *CycleError) Error() string {
	steps := make([]string, len(e.Path))
	for i, s := range e.Path {
		steps[i] = fmt.Sprintf("%s/%s (writes %s)", s.Set, s.Rule, s.Dimension)
	}
	return "classify: rules depend on each other in a circle: " + strings.Join(steps, " reads the tags of ") + "; let one of them read other facts"
}

func (e *CycleError) Unwrap() error { return ErrCycle }

// FailureError says that a rule failed for a customer.
type FailureError struct {
	Set      string
	Rule     string
	Version  uint64
	Customer customer.ID
	Err      error
}

func (e *FailureError) Error() string {
	return fmt.Sprintf("classify: rule %s/%s, version %d, customer %s: %v", e.Set, e.Rule, e.Version, e.Customer, e.Err)
}

func (e *FailureError) Unwrap() error { return e.Err }
