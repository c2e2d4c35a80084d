package aging

import (
	"slices"

	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/internal/enum"
)

// Basis is the date that items are aged by.
type Basis uint8

const (
	ByDue      Basis = iota // days past the due date
	ByDocument              // days since the document date; nothing is not due
)

var basisNames = enum.Names{"due", "document"}

// String returns "due" or "document".
func (b Basis) String() string { return basisNames.Of(uint8(b)) }

// MarshalText returns the name.
func (b Basis) MarshalText() ([]byte, error) { return basisNames.Marshal(uint8(b), "aging", "basis") }

// UnmarshalText reads a name.
func (b *Basis) UnmarshalText(text []byte) error {
	return basisNames.Unmarshal(text, (*uint8)(b), "aging", "basis")
}

// Scheme says how items are aged.
type Scheme struct {
	AsOf    date.Date // the date of the report
	Basis   Basis
	Buckets Buckets
}

// Column returns the column of a debit item. By document, the day of the document itself
// counts into the first bucket.
func (s Scheme) Column(document, due date.Date) int {
	if s.Basis == ByDocument {
		return s.Buckets.Column(max(s.AsOf.DaysSince(document), 1))
	}
	return s.Buckets.Column(s.AsOf.DaysSince(due))
}

// Unapplied returns the column of credits: the one after the buckets.
func (s Scheme) Unapplied() int { return s.Buckets.Len() }

func (s Scheme) equal(other Scheme) bool {
	return s.AsOf == other.AsOf && s.Basis == other.Basis && slices.Equal(s.Buckets.bounds, other.Buckets.bounds)
}
