package score

import (
	"cmp"
	"slices"

	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/internal/enum"
)

// Reviewed is what is known of a customer's last review.
type Reviewed struct {
	Customer uint64
	On       date.Date // zero when it has never been
	Score    int       // then
	Now      Result
}

// Reason says why a customer is due for review.
type Reason uint8

const (
	Never    Reason = iota // it hasn't been reviewed
	Worsened               // its grade is worse than at the last review
	Interval               // the months of its grade have passed
)

var reasonNames = enum.Names{"never", "worsened", "interval"}

// String returns the reason's name.
func (r Reason) String() string { return reasonNames.Of(uint8(r)) }

// MarshalText returns the name.
func (r Reason) MarshalText() ([]byte, error) {
	return reasonNames.Marshal(uint8(r), "score", "reason")
}

// UnmarshalText reads a name.
func (r *Reason) UnmarshalText(text []byte) error {
	return reasonNames.Unmarshal(text, (*uint8)(r), "score", "reason")
}

// Due is an entry of the review list.
type Due struct {
	Customer uint64
	Reason   Reason
	Since    date.Date // when the review was due; the date of the list unless by interval
	Was, Now Grade     // Was is empty for Never
}

// Review returns who is due for review on a day: who never was, whose grade has become
// worse, and whose interval, by the grade at the last review, has passed. The list is by
// reason, then the longest due first, then by customer.
func (m Model) Review(customers []Reviewed, on date.Date) ([]Due, error) {
	if err := m.Validate(); err != nil {
		return nil, err
	}
	var list []Due
	for _, c := range customers {
		due := Due{Customer: c.Customer, Since: on, Now: c.Now.Grade}
		if !c.On.IsZero() {
			due.Was = m.grade(c.Score)
			next, err := c.On.AddMonths(due.Was.Months)
			if err != nil {
				return nil, err
			}
			switch {
			case due.Now.From < due.Was.From:
				due.Reason = Worsened
			case next <= on:
				due.Reason, due.Since = Interval, next
			default:
				continue
			}
		}
		list = append(list, due)
	}
	slices.SortFunc(list, func(a, b Due) int {
		return cmp.Or(cmp.Compare(a.Reason, b.Reason), cmp.Compare(a.Since, b.Since), cmp.Compare(a.Customer, b.Customer))
	})
	return list, nil
}
