package money

import (
	"errors"
	"fmt"
)

// The errors that this package's errors wrap; test with errors.Is.
var (
	ErrOverflow  = errors.New("amount out of range")
	ErrCurrency  = errors.New("unknown currency")
	ErrMismatch  = errors.New("different currencies")
	ErrSyntax    = errors.New("not a decimal number")
	ErrPrecision = errors.New("too many digits")
	ErrRate      = errors.New("not a positive rate")
)

// Error says what is wrong with which value, and what would be right.
type Error struct {
	Op      string // "parse amount", "add", …
	Value   string // as given, shortened
	Problem string // what is wrong; empty when Err says it
	Remedy  string // what would be right
	Err     error  // one of the package's sentinels
}

func (e *Error) Error() string {
	text := "money: " + e.Op
	if e.Value != "" {
		text += fmt.Sprintf(" %q", e.Value)
	}
	if e.Problem != "" {
		text += ": " + e.Problem
	} else {
		text += ": " + e.Err.Error()
	}
	if e.Remedy != "" {
		text += "; " + e.Remedy
	}
	return text
}

func (e *Error) Unwrap() error { return e.Err }

// shorten returns the beginning of a value for an Error: at most 40 bytes.
func shorten[T ~string | ~[]byte](value T) string {
	if len(value) > 40 {
		return string(value[:40]) + "…"
	}
	return string(value)
}
