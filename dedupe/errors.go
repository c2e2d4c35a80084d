package dedupe

import (
	"errors"
	"fmt"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
)

// The errors that this package's errors wrap; test with errors.Is.
var (
	ErrNotFound = storage.ErrNotFound
	ErrInvalid  = customer.ErrInvalid
	ErrDenied   = customer.ErrDenied
	// ErrDecided: people said that these customers are different.
	ErrDecided = errors.New("decided to be different")
	// ErrLikelyDuplicate: a policy keeps likely duplicates from being created.
	ErrLikelyDuplicate = errors.New("likely a duplicate")
	// ErrNoModel: the book has no match model yet.
	ErrNoModel = errors.New("no match model")
)

// Error says what was attempted, what is wrong with it, and what would be right. It wraps
// one of the errors above.
type Error struct {
	Op       string      // "merge", "unmerge", "decide", …
	Customer customer.ID // the customer concerned, 0 for none
	Field    string      // "Losers", "Verdict", …; empty when no field is at fault
	Value    string      // as given
	Remedy   string      // what would be right
	Err      error
}

func (e *Error) Error() string {
	text := "dedupe: " + e.Op
	if e.Customer != 0 {
		text += " customer " + e.Customer.String()
	}
	if e.Field != "" {
		text += fmt.Sprintf(": %s %q", e.Field, e.Value)
	}
	text += ": " + e.Err.Error()
	if e.Remedy != "" {
		text += "; " + e.Remedy
	}
	return text
}

func (e *Error) Unwrap() error { return e.Err }
