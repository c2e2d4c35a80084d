package identifier

import (
	"errors"

	"github.com/clientele-go/clientele/internal/text"
)

// The errors that this package's errors wrap; test with errors.Is.
var (
	ErrInvalid       = errors.New("invalid identifier")
	ErrUnknownScheme = errors.New("unknown identifier scheme")
	ErrScheme        = errors.New("malformed identifier scheme") // from NewSet
)

// Error says why a number is refused and what would be right. It doesn't know the field;
// its caller adds that. Value is the number in full even where it is personal data; the
// message shows only its ends.
type Error struct {
	Scheme string // "cn.uscc"
	Value  string // the number as given; empty where the scheme itself is wrong
	Reason string // "fails its check digit"
	Remedy string // "compare it with the document"

	sensitive bool
	kind      error // ErrInvalid where nil
	cause     error // what an added scheme returned
}

// Invalid returns the error of an added scheme's Parse for a number that it refuses; see
// [Scheme]. [Set.Parse] adds the scheme and the value.
func Invalid(reason, remedy string) error { return &Error{Reason: reason, Remedy: remedy} }

func (e *Error) Error() string {
	message := "identifier " + e.Scheme
	if e.Value != "" {
		message += " " + e.shown()
	}
	message += ": " + e.Reason
	if e.Remedy != "" {
		message += "; " + e.Remedy
	}
	return message
}

// shown quotes the value, of personal data only its ends: messages end in logs.
func (e *Error) shown() string {
	if !e.sensitive {
		return text.Excerpt(e.Value)
	}
	runes := []rune(e.Value)
	if len(runes) < 8 {
		return `"…"`
	}
	return text.Excerpt(string(runes[:2]) + "…" + string(runes[len(runes)-2:]))
}

// Unwrap returns one of the package's Err values, and the error of an added scheme.
func (e *Error) Unwrap() []error {
	kind := e.kind
	if kind == nil {
		kind = ErrInvalid
	}
	if e.cause == nil {
		return []error{kind}
	}
	return []error{kind, e.cause}
}
