package score

import (
	"errors"
	"fmt"
)

// The errors that this package's errors wrap; test with errors.Is.
var (
	ErrModel    = errors.New("not a valid scoring model")
	ErrHeader   = errors.New("the header lacks a column")
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
	Column string
	Value  string
	Remedy string
	Err    error
}

func (e *RowError) Error() string {
	text := fmt.Sprintf("score: row %d, column %s, %q: %v", e.Row, e.Column, e.Value, e.Err)
	if e.Remedy != "" {
		text += "; " + e.Remedy
	}
	return text
}

func (e *RowError) Unwrap() error { return e.Err }
