package provision

import (
	"errors"
	"fmt"
)

// The errors that this package's errors wrap; test with errors.Is.
var (
	ErrRate       = errors.New("not a loss rate")
	ErrSnapshots  = errors.New("agings from which no roll rate follows")
	ErrSegment    = errors.New("no such segment in the matrix")
	ErrAssessment = errors.New("not an assessment of an open balance")
	ErrRow        = errors.New("a row that doesn't fit the matrix")
)

// Error says what is wrong with which value, and what would be right.
type Error struct {
	Field  string
	Value  string
	Remedy string
	Err    error
}

func (e *Error) Error() string {
	return fmt.Sprintf("provision: %s %q: %v; %s", e.Field, e.Value, e.Err, e.Remedy)
}

func (e *Error) Unwrap() error { return e.Err }
