package aging

import (
	"errors"
	"fmt"

	"github.com/clientele-go/clientele/credit/money"
)

// The errors that this package's errors wrap; test with errors.Is.
var (
	ErrBuckets  = errors.New("not a list of bucket bounds")
	ErrBasis    = errors.New("no such basis")
	ErrOverflow = money.ErrOverflow
	ErrScheme   = errors.New("different schemes")
)

// Error says what is wrong with which value, and what would be right.
type Error struct {
	Op     string // "parse buckets", "add up", …
	Value  string
	Remedy string
	Err    error
}

func (e *Error) Error() string {
	text := "aging: " + e.Op
	if e.Value != "" {
		text += fmt.Sprintf(" %q", e.Value)
	}
	return text + ": " + e.Err.Error() + "; " + e.Remedy
}

func (e *Error) Unwrap() error { return e.Err }
