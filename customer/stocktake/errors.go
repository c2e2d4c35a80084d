package stocktake

import (
	"errors"
	"fmt"
	"strings"

	"github.com/clientele-go/clientele/customer"
)

// The errors that this package's errors wrap; test with errors.Is.
var (
	ErrNotFound = customer.ErrNotFound
	ErrConflict = customer.ErrConflict // the definition has a newer version than the caller read
	ErrInvalid  = customer.ErrInvalid
	ErrDenied   = customer.ErrDenied
	// ErrFourEyes: another person has to do it. It is an ErrDenied.
	ErrFourEyes = fmt.Errorf("%w to the same person", ErrDenied)
	// ErrState: the run is not so far, or already further.
	ErrState = errors.New("not possible in this state")
	// ErrDamaged: what is stored does not have the digest that it was stored under.
	ErrDamaged = errors.New("the stored result is damaged")
)

// Error says what could not be done, with what value, and what would be right.
type Error struct {
	Op     string // "save definition", "count", "approve", …
	Field  string // of what was given: "Definition.Units", "Closing"
	Value  string
	Remedy string
	Err    error
}

func (e *Error) Error() string {
	parts := []string{"stocktake: " + e.Op}
	if e.Field != "" {
		parts = append(parts, strings.TrimSpace(e.Field+" "+e.Value))
	}
	text := strings.Join(parts, ": ") + ": " + e.Err.Error()
	if e.Remedy != "" {
		text += "; " + e.Remedy
	}
	return text
}

func (e *Error) Unwrap() error { return e.Err }

func invalid(op, field, value, remedy string) error {
	return &Error{Op: op, Field: field, Value: value, Remedy: remedy, Err: ErrInvalid}
}
