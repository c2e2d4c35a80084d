package tagging

import (
	"fmt"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
)

// The errors that this package's errors wrap; test with errors.Is.
var (
	ErrNotFound = storage.ErrNotFound
	ErrExists   = storage.ErrExists
	ErrConflict = storage.ErrConflict // the record has a newer version than the caller read
	ErrInvalid  = customer.ErrInvalid

	ErrUnknownDimension error = &kind{"no such dimension", ErrNotFound}
	ErrUnknownTag       error = &kind{"no such tag", ErrNotFound}
	ErrUnknownSegment   error = &kind{"no such segment", ErrNotFound}
	ErrExclusive        error = &kind{"another tag of an exclusive dimension", nil}
	ErrCycle            error = &kind{"a cycle", nil}
	ErrRetired          error = &kind{"retired", nil}
	ErrInUse            error = &kind{"in use", nil}
	ErrDenied           error = &kind{"denied by a person", nil}
)

// kind is a sentinel that may be a case of another.
type kind struct {
	text string
	of   error
}

func (k *kind) Error() string { return k.text }
func (k *kind) Unwrap() error { return k.of }

// Error is this package's structured error: what was attempted, what is wrong with
// which value, and what would be right.
type Error struct {
	Op       string        // "assign", "create tag", …
	Field    string        // "Code", "Assignments[1].Tag"; empty when none is to blame
	Value    string        // as given, shortened
	Customer customer.ID   // 0 when none is concerned
	Code     customer.Code // for validation
	Problem  string        // what is wrong
	Remedy   string        // what would be right
	Err      error         // one of the package's errors, or the cause
}

func (e *Error) Error() string {
	text := "tagging: " + e.Op
	if e.Customer != 0 {
		text += ": customer " + e.Customer.String()
	}
	if e.Field != "" {
		text += ": " + e.Field
	}
	if e.Value != "" {
		text += fmt.Sprintf(" %q", e.Value)
	}
	switch {
	case e.Problem != "":
		text += ": " + e.Problem
	case e.Err != nil:
		text += ": " + e.Err.Error()
	}
	if e.Remedy != "" {
		text += "; " + e.Remedy
	}
	return text
}

func (e *Error) Unwrap() error { return e.Err }

// shorten returns the beginning of a value for an Error: at most 40 characters.
func shorten(value string) string {
	n := 0
	for i := range value {
		if n++; n > 40 {
			return value[:i] + "…"
		}
	}
	return value
}

// ExclusiveError says that a customer would hold two tags of an exclusive dimension at
// a time. It wraps ErrExclusive.
type ExclusiveError struct {
	Customer  customer.ID
	Dimension string // the dimension's code
	Has       string // the code of the tag that it has
	HasOrigin Origin
	Wanted    string // the code of the tag that it should get too
}

func (e *ExclusiveError) Error() string {
	remedy := "use Replace to exchange them"
	if e.HasOrigin == Rule {
		remedy = "in this dimension rules win"
	}
	return fmt.Sprintf("tagging: customer %s has %s:%s (%s) and can't have %s:%s as well, since the dimension is exclusive; %s",
		e.Customer, e.Dimension, e.Has, e.HasOrigin, e.Dimension, e.Wanted, remedy)
}

func (e *ExclusiveError) Unwrap() error { return ErrExclusive }
