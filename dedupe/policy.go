package dedupe

import (
	"fmt"
	"slices"
	"strings"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/dedupe/match"
	"github.com/clientele-go/clientele/internal/enum"
)

// Policy says what happens when a customer is created that may be in the book already.
type Policy uint8

const (
	// Allow creates it without looking.
	Allow Policy = iota
	// Warn creates it, tells of the candidates by [Tx.Warnings], and puts those that the
	// session sees into the review queue.
	Warn
	// Refuse keeps it from being created while it likely is another customer, with a
	// *DuplicateError, and treats what is only possible as Warn does. Of two sessions
	// that create the same customer at the same time one is refused.
	Refuse
)

var policyNames = enum.Names{"allow", "warn", "refuse"}

func (p Policy) String() string { return policyNames.Of(uint8(p)) }

// MarshalText returns the lower-case English name, for JSON and maps.
func (p Policy) MarshalText() ([]byte, error) {
	return policyNames.Marshal(uint8(p), "dedupe", "policy")
}

// UnmarshalText reads what MarshalText wrote.
func (p *Policy) UnmarshalText(text []byte) error {
	return policyNames.Unmarshal(text, (*uint8)(p), "dedupe", "policy")
}

// DuplicateError says whom a customer that was to be created likely is. It wraps
// ErrLikelyDuplicate.
type DuplicateError struct {
	Name       string // of the customer that was to be created
	Candidates []Candidate
}

func (e *DuplicateError) Error() string {
	texts := make([]string, len(e.Candidates))
	for i, c := range e.Candidates {
		switch {
		case c.Customer != nil:
			texts[i] = fmt.Sprintf("customer %d, %s %s", c.Customer.ID, c.Customer.Code, c.Customer.Name)
		case c.Unit != 0:
			texts[i] = fmt.Sprintf("one that exists elsewhere, ask unit %d", c.Unit)
		default:
			texts[i] = "one that exists elsewhere"
		}
	}
	return fmt.Sprintf("dedupe: %q is %v of %s; use that one, or confirm that it is another", e.Name, ErrLikelyDuplicate, strings.Join(texts, "; "))
}

func (e *DuplicateError) Unwrap() error { return ErrLikelyDuplicate }

// Warning names a customer created in this transaction that may be another one.
type Warning struct {
	Created    customer.ID
	Candidates []Candidate
}

// Warnings returns whom the customers created so far in this transaction may be.
func (tx *Tx) Warnings() []Warning { return tx.warnings }

// Confirm says that what is created in this transaction from now on is no duplicate, as a
// person who has seen the candidates may: Refuse becomes Warn.
func (tx *Tx) Confirm() { tx.confirmed = true }

// admit is the guard of customers that are created.
func (tx *Tx) admit(old, next *customer.Customer) error {
	if old != nil {
		return nil
	}
	found, err := tx.candidates(next)
	if err != nil || len(found) == 0 {
		return err
	}
	likely := slices.DeleteFunc(slices.Clone(found), func(c Candidate) bool { return c.Decision != match.Same })
	if tx.store.opts.Policy == Refuse && !tx.confirmed && len(likely) > 0 {
		if likely, err = tx.disclosed(likely, next, customer.Mask{}); err != nil {
			return err
		}
		return &DuplicateError{Name: next.Name, Candidates: likely}
	}
	told, err := tx.disclosed(found, next, customer.Mask{})
	if err != nil {
		return err
	}
	tx.warnings = append(tx.warnings, Warning{next.ID, told})
	for _, c := range found {
		if visible, err := tx.customers.Visible(c.Customer.ID); err != nil {
			return err
		} else if !visible {
			continue
		}
		if _, err := tx.note(next.ID, c.Customer.ID, c.Score.LogOdds, 0); err != nil {
			return err
		}
	}
	return nil
}
