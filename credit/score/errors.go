package score

import (
	"errors"
	"fmt"
)

// The errors that this package's errors wrap; test with errors.Is.
var (
	ErrModel    = errors.New("not a valid scoring model")
	ErrHeader   = errors.New("the header lacks a column, or has it twice")
	ErrRow      = errors.New("not a row of the header's columns")
	ErrValue    = errors.New("not a valid value")
	ErrProvider = errors.New("no such provider")
	ErrCustomer = errors.New("no such customer")
	ErrTwice    = errors.New("the customer has another score of this provider and date")
)

// Error says what is wrong with a model.
type Error struct {
	Field  string // "Factors[1].Bands", …
	Value  string
	Remedy string
	Err    error
}

func (e *Error) Error() string {
	return fmt.Sprintf("score: %s %q: %v; %s", e.Field, e.Value, e.Err, e.Remedy)
}

func (e *Error) Unwrap() error { return e.Err }

// RowError says what is wrong with a row of a file: the line that it begins on, 1 for the
// header.
type RowError struct {
	Row    int
	Column string // empty when the whole row is meant
	Value  string
	Remedy string
	Err    error
}

func (e *RowError) Error() string {
	text := fmt.Sprintf("score: row %d", e.Row)
	if e.Column != "" {
		text += ", column " + e.Column
	}
	text += fmt.Sprintf(", %q: %v", e.Value, e.Err)
	if e.Remedy != "" {
		text += "; " + e.Remedy
	}
	return text
}

func (e *RowError) Unwrap() error { return e.Err }
