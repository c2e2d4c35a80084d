package customer

import (
	"errors"
	"fmt"
	"strings"

	"github.com/clientele-go/clientele/storage"
)

// The errors that this package's errors wrap; test with errors.Is.
var (
	ErrNotFound  = storage.ErrNotFound
	ErrConflict  = storage.ErrConflict // the record has a newer version than the caller read
	ErrErased    = storage.ErrErased
	ErrDuplicate = errors.New("already belongs to another customer")
	ErrInvalid   = errors.New("invalid")
	ErrStatus    = errors.New("not possible in this status")
	ErrHeld      = errors.New("under a retention hold")
)

// Code is a stable word for what is wrong with a value, for programs and for
// messages in other languages.
type Code string

const (
	CodeRequired  Code = "required"  // the value is missing
	CodeMalformed Code = "malformed" // the value can't be read as what it should be
	CodeTooLong   Code = "too_long"  // the value exceeds a limit
	CodeUnknown   Code = "unknown"   // the value names something that is not declared
	CodeRepeated  Code = "repeated"  // the value stands twice in one record
	CodeManaged   Code = "managed"   // the value is not the caller's to set
)

// Problem is one thing that is wrong with a record.
type Problem struct {
	Field  string // "Name", "Phones[1].Number", "Attributes[credit_days]"
	Value  string // as given, shortened
	Code   Code
	Reason string // what is wrong
	Remedy string // what would be right
}

func (p Problem) String() string {
	text := p.Field
	if p.Value != "" {
		text += fmt.Sprintf(" %q", p.Value)
	}
	text += ": " + p.Reason
	if p.Remedy != "" {
		text += "; " + p.Remedy
	}
	return text
}

// ValidationError lists everything that is wrong with a record. It wraps ErrInvalid.
type ValidationError struct{ Problems []Problem }

func (e *ValidationError) Error() string {
	texts := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		texts[i] = p.String()
	}
	return "customer: " + strings.Join(texts, "; and ")
}

func (e *ValidationError) Unwrap() error { return ErrInvalid }

// DuplicateError says that a value that only one customer can have belongs to
// another. It wraps ErrDuplicate.
type DuplicateError struct {
	Field  string // "Code", "Identifiers", "SourceKeys"
	Value  string // as given, a code in a bulk load as compared; for a sensitive identifier without the number
	Holder ID     // the customer that has it, 0 for one that the actor may not know of
}

func (e *DuplicateError) Error() string {
	if e.Holder == 0 {
		return fmt.Sprintf("customer: %s %q already exists elsewhere; ask those who administer the book", e.Field, e.Value)
	}
	return fmt.Sprintf("customer: %s %q already belongs to customer %s", e.Field, e.Value, e.Holder)
}

func (e *DuplicateError) Unwrap() error { return ErrDuplicate }

// VersionError says that a record was changed since the caller read it. It wraps
// ErrConflict.
type VersionError struct {
	ID            ID
	Read, Present uint64
}

func (e *VersionError) Error() string {
	return fmt.Sprintf("customer: customer %s is at version %d, the change was made from version %d; read it again", e.ID, e.Present, e.Read)
}

func (e *VersionError) Unwrap() error { return ErrConflict }

// StatusError says that a change can't be made in the record's status. It wraps
// ErrStatus.
type StatusError struct {
	ID     ID
	Status Status
	Action string
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("customer: can't %s customer %s: it is %s", e.Action, e.ID, e.Status)
}

func (e *StatusError) Unwrap() error { return ErrStatus }
