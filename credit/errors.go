package credit

import (
	"errors"
	"fmt"

	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
)

// The errors that this package's errors wrap; test with errors.Is.
var (
	ErrNotFound = storage.ErrNotFound
	ErrExists   = storage.ErrExists
	ErrConflict = storage.ErrConflict
	ErrInvalid  = customer.ErrInvalid
	ErrOverflow = money.ErrOverflow
	ErrCurrency = money.ErrMismatch

	// ErrDocument: the document key belongs to another document, or to the same one with
	// other contents.
	ErrDocument = errors.New("the document exists with other contents")
	// ErrOverAllocated: more would be allocated than is open.
	ErrOverAllocated = errors.New("more than is open")
	// ErrOtherCustomer: the two items belong to customers that may not settle each
	// other's items.
	ErrOtherCustomer = errors.New("another customer's item")
	// ErrSide: a debit stands where a credit must, or the reverse.
	ErrSide = errors.New("the item is on the wrong side")
	// ErrClosedPeriod: the day is in a closed period.
	ErrClosedPeriod = errors.New("the period is closed")
	// ErrReversed: what was reversed can't be changed any more.
	ErrReversed = errors.New("is reversed")
	// ErrAllocated: the item is partly or wholly settled.
	ErrAllocated = errors.New("is allocated")
)

// Error is this package's structured error: what was attempted, what is wrong with
// which value, and what would be right.
type Error struct {
	Op       string      // "post", "allocate", "reserve", …
	Customer customer.ID // 0 when none is concerned
	Item     ItemID      // 0 when none is concerned
	Field    string      // "Due", "Lines[1].Amount"; empty when none is to blame
	Value    string      // as given, shortened
	Problem  string      // what is wrong; empty when Err says it
	Remedy   string      // what would be right
	Err      error       // one of the package's errors, or the cause
}

func (e *Error) Error() string {
	text := "credit: " + e.Op
	if e.Customer != 0 {
		text += ": customer " + e.Customer.String()
	}
	if e.Item != 0 {
		text += fmt.Sprintf(": item %d", e.Item)
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

func isNotFound(err error) bool { return errors.Is(err, storage.ErrNotFound) }

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
