package credit

import (
	"errors"
	"fmt"

	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
)

// The errors of credit control; test with errors.Is.
var (
	// ErrRefused: a step of the check stopped the document.
	ErrRefused = errors.New("no credit for this")
	// ErrKeyUsed: the key belongs to another reservation, or to the same one with other
	// contents.
	ErrKeyUsed = errors.New("the key is used for something else")
	// ErrHeld: the reservation waits for a decision.
	ErrHeld = errors.New("is held")
	// ErrEnded: the reservation was released or has expired.
	ErrEnded = errors.New("has ended")
	// ErrRate: no exchange rate is known.
	ErrRate = errors.New("no exchange rate")
	// ErrApproval: the change needs the approval of others.
	ErrApproval = errors.New("needs approval")
	// ErrFourEyes: who asked for something can't approve it, and nobody can twice.
	ErrFourEyes = errors.New("somebody else must approve")
	// ErrDecided: the approval was decided or withdrawn before.
	ErrDecided = errors.New("was decided before")
	// ErrRole: the actor lacks the role that this takes.
	ErrRole = errors.New("not with this role")
)

// RefusedError says why a document gets no credit. It wraps ErrRefused.
type RefusedError struct {
	Key      string
	Customer customer.ID
	Decision Decision
}

func (e *RefusedError) Error() string {
	text := fmt.Sprintf("credit: reserve %q: customer %s", shorten(e.Key), e.Customer)
	for _, f := range e.Decision.Findings {
		if f.Outcome == Stop {
			text += ": " + f.String()
		}
	}
	return text + "; release or collect something, raise the limit, or ask for an override"
}

func (e *RefusedError) Unwrap() error { return ErrRefused }

// RateError says which exchange rate is lacking; the currencies are zero when the session may
// not see the limit or the exposure that is in one of them. It wraps ErrRate.
type RateError struct {
	Currency, Base money.Currency
	Day            date.Date
}

func (e *RateError) Error() string {
	if e.Currency == 0 {
		return fmt.Sprintf("credit: a limit or an exposure can't be converted on %s; ask whoever sees it for a rate by SetRate", e.Day)
	}
	return fmt.Sprintf("credit: no rate of %s in %s on or before %s; set one with SetRate", e.Currency, e.Base, e.Day)
}

func (e *RateError) Unwrap() error { return ErrRate }
