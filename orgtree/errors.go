package orgtree

import (
	"errors"
	"fmt"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
)

// The errors that this package's errors wrap; test with errors.Is.
var (
	ErrNotFound = storage.ErrNotFound
	ErrConflict = storage.ErrConflict // the record has a newer version than the caller read
	ErrExists   = storage.ErrExists
	ErrInvalid  = customer.ErrInvalid
	// ErrUnknownUnit: no unit has this id or code.
	ErrUnknownUnit = errors.New("no such unit")
	// ErrCycle: a unit would be above itself.
	ErrCycle = errors.New("a unit can't be above itself")
	// ErrClosed: the unit is closed, merged, or not open yet.
	ErrClosed = errors.New("the unit is not open")
	// ErrInUse: customers or open units are still in the unit.
	ErrInUse = errors.New("the unit is in use")
	// ErrDate: the change can't take effect on this date.
	ErrDate = errors.New("not possible on this date")
	// ErrQuota: a unit or representative has as many customers as it may.
	ErrQuota = errors.New("the quota is used up")
	// ErrElsewhere: the value belongs to a customer of another unit.
	ErrElsewhere = errors.New("exists elsewhere")
)

// Error says what was attempted, what is wrong with it, and what would be right. It
// wraps one of the errors above.
type Error struct {
	Op     string          // "create unit", "move unit", "transfer", …
	Unit   customer.UnitID // the unit concerned, 0 for none or the book
	Field  string          // "Code", "Parent", …; empty when no field is at fault
	Value  string          // as given
	Remedy string          // what would be right
	Err    error
}

func (e *Error) Error() string {
	text := "orgtree: " + e.Op
	if e.Unit != 0 {
		text += fmt.Sprintf(" %d", e.Unit)
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

// QuotaError says that a unit or a representative has as many customers as it may. It
// wraps ErrQuota.
type QuotaError struct {
	Unit    customer.UnitID // whose quota it is; for a representative's own quota 0
	Rep     string          // empty when the quota counts all customers of Unit
	Limit   int64           // active and suspended customers
	Present int64           // before the change that was refused
}

func (e *QuotaError) Error() string {
	if e.Rep != "" {
		return fmt.Sprintf("orgtree: representative %s has %d customers of at most %d; transfer some to another, or raise the quota", e.Rep, e.Present, e.Limit)
	}
	return fmt.Sprintf("orgtree: unit %d and those below have %d customers of at most %d; transfer some to other units, or raise the quota", e.Unit, e.Present, e.Limit)
}

func (e *QuotaError) Unwrap() error { return ErrQuota }

// ExistsElsewhereError says that a value which only one customer can have belongs to
// one that the asker may not see, and whom to ask. It tells nothing else of that
// customer. It wraps ErrElsewhere and customer.ErrDuplicate.
type ExistsElsewhereError struct {
	Field string          // "Code", "Identifiers", "SourceKeys"
	Value string          // as the asker gave it; for a sensitive identifier without the number
	Unit  customer.UnitID // the unit to ask, 0 for whoever administers the book
	Code  string          // the unit's
}

func (e *ExistsElsewhereError) Error() string {
	ask := "those who administer the book"
	if e.Unit != 0 {
		ask = "unit " + e.Code
	}
	return fmt.Sprintf("orgtree: %s %q exists elsewhere; ask %s", e.Field, e.Value, ask)
}

func (e *ExistsElsewhereError) Unwrap() []error { return []error{ErrElsewhere, customer.ErrDuplicate} }

func isNotFound(err error) bool { return errors.Is(err, storage.ErrNotFound) }

func unknownUnit(op string, id customer.UnitID) error {
	return &Error{Op: op, Field: "Unit", Value: fmt.Sprint(uint64(id)), Remedy: "use the id of one of the book's units", Err: fmt.Errorf("%w: %w", ErrUnknownUnit, ErrNotFound)}
}

func day(t time.Time) string { return t.UTC().Format(time.RFC3339) }
