package tagging

import (
	"iter"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/internal/enum"
)

// Origin is what kind of source made an assignment.
type Origin uint8

const (
	Manual   Origin = iota // a person
	Imported               // another system
	Rule                   // a rule set
)

var originNames = enum.Names{"manual", "imported", "rule"}

func (o Origin) String() string { return originNames.Of(uint8(o)) }

// MarshalText returns the lower-case English name, for JSON and maps.
func (o Origin) MarshalText() ([]byte, error) {
	return originNames.Marshal(uint8(o), "tagging", "origin")
}

// UnmarshalText reads what MarshalText wrote.
func (o *Origin) UnmarshalText(text []byte) error {
	return originNames.Unmarshal(text, (*uint8)(o), "tagging", "origin")
}

// State is what an assignment amounts to.
type State uint8

const (
	Held      State = iota // the customer has the tag
	Pending                // it has not begun
	Overruled              // another assignment of an exclusive dimension, or a denial, beats it
	Denied                 // a person said that the customer does not have the tag
)

var stateNames = enum.Names{"held", "pending", "overruled", "denied"}

func (s State) String() string { return stateNames.Of(uint8(s)) }

// MarshalText returns the lower-case English name, for JSON and maps.
func (s State) MarshalText() ([]byte, error) { return stateNames.Marshal(uint8(s), "tagging", "state") }

// UnmarshalText reads what MarshalText wrote.
func (s *State) UnmarshalText(text []byte) error {
	return stateNames.Unmarshal(text, (*uint8)(s), "tagging", "state")
}

// Assignment is what one source says of one customer and tag. A customer has at most
// one for each tag, origin and rule set; the tag is held when one of them is.
type Assignment struct {
	Tag       TagID
	Dimension DimensionID // filled in by the book
	Origin    Origin
	State     State // filled in by the book

	RuleSet     string // of origin Rule: the rule set,
	Rule        string // the rule in it,
	RuleVersion uint64 // the rule set's version,
	Priority    int    // and which rule wins in an exclusive dimension: the highest

	Reason   string    // why, at most 1,000 bytes
	Actor    string    // who; filled in by the book when empty
	Assigned time.Time // when it was made; filled in by the book when zero

	// From and Until bound when it holds: from From on, and before Until, in whole
	// seconds. Zero is without bound.
	From, Until time.Time

	rest string
}

// Tagged is one version of a customer's assignments.
type Tagged struct {
	ID          customer.ID
	Version     uint64 // 0 for a customer that never had an assignment
	Assignments []Assignment

	Recorded time.Time // when this version was recorded
	Actor    string    // who recorded it
	Reason   string    // why

	rest string
}

// Held yields the assignments that make the customer hold their tags. A tag comes once
// for each source that says so.
func (t *Tagged) Held() iter.Seq[*Assignment] {
	return func(yield func(*Assignment) bool) {
		for i := range t.Assignments {
			if t.Assignments[i].State == Held && !yield(&t.Assignments[i]) {
				return
			}
		}
	}
}

// Has reports whether the customer holds a tag.
func (t *Tagged) Has(tag TagID) bool {
	for a := range t.Held() {
		if a.Tag == tag {
			return true
		}
	}
	return false
}

// Tags returns the tags that the customer holds, each once, in the order of the
// assignments.
func (t *Tagged) Tags() []TagID {
	var tags []TagID
	seen := map[TagID]bool{}
	for a := range t.Held() {
		if !seen[a.Tag] {
			seen[a.Tag] = true
			tags = append(tags, a.Tag)
		}
	}
	return tags
}

// In returns the tags that the customer holds in a dimension.
func (t *Tagged) In(d DimensionID) []TagID {
	var tags []TagID
	seen := map[TagID]bool{}
	for a := range t.Held() {
		if a.Dimension == d && !seen[a.Tag] {
			seen[a.Tag] = true
			tags = append(tags, a.Tag)
		}
	}
	return tags
}

// nextDue is when the states change by the clock alone, as the book saw it when the
// record was written; false for never.
func (t *Tagged) nextDue() (time.Time, bool) {
	var due time.Time
	sooner := func(at time.Time) {
		if !at.IsZero() && (due.IsZero() || at.Before(due)) {
			due = at
		}
	}
	for i := range t.Assignments {
		a := &t.Assignments[i]
		if a.State == Pending {
			sooner(a.From)
		}
		sooner(a.Until)
	}
	return due, !due.IsZero()
}
