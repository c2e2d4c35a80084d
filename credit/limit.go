package credit

import (
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/internal/text"
	"github.com/clientele-go/clientele/storage"
)

// Limit is an amount of credit that a customer, a group or a unit may use, while it is in
// force.
type Limit struct {
	Amount money.Amount
	// From and Until are its first and last day; no date is since ever and for good. Of the
	// limits in force on a day the one that began last counts, so that a temporary limit
	// takes the place of the standing one. A limit that has ended, with no other to take
	// its place, is a limit of zero, not the lack of one.
	From, Until date.Date
	// Extra adds the amount to the limit beside it instead of taking its place. It must end.
	Extra bool
	// Only makes it a limit of the exposure in its currency alone, which then doesn't count
	// against the scope's other limits. Otherwise all currencies count, converted.
	Only bool
	// Ceiling makes a limit of a group or unit bind also the customers that have a nearer
	// limit; otherwise the nearest counts: the customer's, its group's, its unit's, or that
	// of a unit above.
	Ceiling bool
	// Review is the day from which somebody should look at it again; no date is never.
	Review date.Date
	Note   string

	rest string
}

// MaxLimits is how many limits one scope can have.
const MaxLimits = 60

// Line is the limits of one scope, as they were set at one time.
type Line struct {
	Scope  Scope
	Limits []Limit

	Version  uint64
	Recorded time.Time
	Actor    string
	Reason   string
	rest     string
}

func (l *Limit) fields(x *wire) {
	x.amount(1, &l.Amount)
	x.date(2, &l.From)
	x.date(3, &l.Until)
	x.flag(4, &l.Extra)
	x.flag(5, &l.Only)
	x.flag(6, &l.Ceiling)
	x.date(7, &l.Review)
	x.text(8, &l.Note)
}

func (l *Line) fields(x *wire) { wireList(x, 1, &l.Limits, func(x *wire, l *Limit) { l.fields(x) }) }

func appendLine(dst []byte, l *Line) ([]byte, error) { return encode(dst, l.rest, l.fields) }

func decodeLine(src string, s Scope, m storage.Meta) (l *Line, err error) {
	l = &Line{Scope: s, Version: m.Version, Recorded: m.Recorded, Actor: m.Actor, Reason: m.Reason}
	l.rest, err = decode(src, l.fields)
	return l, err
}

// The first part of the keys of the index by day.
const (
	dayEnds   = 1
	dayReview = 2
)

func lineDayKeys(set *storage.KeySet, l *Line) {
	for i := range l.Limits {
		if until := l.Limits[i].Until; until != 0 {
			set.Uint(dayEnds).Uint(uint64(until)).End()
		}
		if review := l.Limits[i].Review; review != 0 {
			set.Uint(dayReview).Uint(uint64(review)).End()
		}
	}
}

// Line returns the limits of a scope, without any when none was set. What the session may
// not see is left out: then it has no limits and Version is 0.
func (r *Reader) Line(s Scope) (*Line, error) {
	s, err := r.resolved(s)
	if err != nil {
		return nil, err
	}
	shown, err := r.shows("limit", s)
	if err != nil || !shown {
		return &Line{Scope: s}, err
	}
	return r.line(s)
}

// line is Line as it is.
func (r *Reader) line(s Scope) (*Line, error) {
	l, err := r.store.line.Get(r.storage, s)
	if isNotFound(err) {
		return &Line{Scope: s}, nil
	}
	return l, err
}

// LineHistory yields the limits of a scope as they were set, oldest first.
func (r *Reader) LineHistory(s Scope) iter.Seq2[*Line, error] {
	return func(yield func(*Line, error) bool) {
		s, err := r.resolved(s)
		shown := false
		if err == nil {
			shown, err = r.shows("limit", s)
		}
		if err != nil {
			yield(nil, err)
		}
		if err != nil || !shown {
			return
		}
		for v, err := range r.store.line.Versions(r.storage, s) {
			if err == nil && v.Value == nil {
				continue
			}
			if !yield(v.Value, err) || err != nil {
				return
			}
		}
	}
}

// SetLimit sets a limit of a scope: it takes the place of the limit with the same days,
// and with the same Extra, Only and, for Only, currency. Where the book's policy routes
// limits of this amount, it fails with an error that wraps ErrApproval; see Propose.
func (tx *Tx) SetLimit(s Scope, l Limit) error {
	const op = "set limit"
	return tx.changeLine(op, s, func(line *Line) error {
		before := line.total(tx.today())
		if err := line.set(op, l); err != nil {
			return err
		}
		return tx.checkRouted(op, line, before)
	})
}

// RemoveLimit takes away the limit that SetLimit would replace by l. Removing one that
// isn't there is an error that wraps ErrNotFound.
func (tx *Tx) RemoveLimit(s Scope, l Limit) error {
	const op = "remove limit"
	return tx.changeLine(op, s, func(line *Line) error {
		i := slices.IndexFunc(line.Limits, l.replaces)
		if i < 0 {
			return &Error{Op: op, Customer: s.customer(), Field: "Limit", Value: l.Amount.Currency.String(), Problem: "there is none with these days", Remedy: "see Line", Err: ErrNotFound}
		}
		// Without its last limit a scope has none, which lets more pass than any amount.
		before := line.total(tx.today())
		line.Limits = slices.Delete(slices.Clone(line.Limits), i, i+1)
		return tx.checkRouted(op, line, before)
	})
}

// changeLine changes the limits of a scope that the session may change.
func (tx *Tx) changeLine(op string, s Scope, change func(*Line) error) error {
	if err := tx.checkScope(op, s); err != nil {
		return err
	}
	if err := tx.allow(customer.RightSetLimit, s.customer()); err != nil {
		return err
	}
	line, err := tx.line(s)
	if err != nil {
		return err
	}
	if err := change(line); err != nil {
		return err
	}
	return tx.putLine(line)
}

// putLine stores limits that people set.
func (tx *Tx) putLine(l *Line) error {
	if id := l.Scope.customer(); id != 0 {
		if old, err := tx.line(l.Scope); err != nil {
			return err
		} else if !slices.Equal(old.Limits, l.Limits) {
			if err := tx.noteEdit(id, lentLimits); err != nil {
				return err
			}
		}
	}
	return tx.storeLine(l, LimitSet)
}

func (tx *Tx) storeLine(l *Line, action ControlAction) error {
	if len(l.Limits) == 0 && l.rest == "" {
		return tx.store.line.Delete(tx.tx, l.Scope, uint8(action))
	}
	return tx.store.line.Put(tx.tx, l.Scope, l, uint8(action))
}

// checkScope reports whether limits can be set for a scope.
func (r *Reader) checkScope(op string, s Scope) error {
	switch s.Kind {
	case CustomerScope:
		return r.checkChangeable(op, s.customer())
	case GroupScope:
		_, err := r.Group(GroupID(s.ID))
		return err
	case UnitScope:
		_, err := r.organisation().Above(customer.UnitID(s.ID))
		return err
	}
	return &Error{Op: op, Field: "Scope", Value: s.String(), Problem: "is no scope", Remedy: "use OfCustomer, OfGroup or OfUnit", Err: ErrInvalid}
}

// checkChangeable reports whether what is agreed with a customer can be changed. For one
// that was merged the survivor's must be, by its own id, since there it would replace what
// was agreed with another.
func (r *Reader) checkChangeable(op string, id customer.ID) error {
	c, err := r.customers.Get(id)
	switch {
	case err != nil:
		return err
	case c.ID != id:
		return &Error{Op: op, Customer: id, Field: "Customer", Value: id.String(), Problem: "was merged into " + c.ID.String(), Remedy: "use the survivor", Err: ErrInvalid}
	case c.Status > customer.Archived:
		return &customer.StatusError{ID: c.ID, Status: c.Status, Action: op}
	}
	return nil
}

// set adds a limit or replaces one.
func (line *Line) set(op string, l Limit) error {
	if err := l.clean(op, line.Scope); err != nil {
		return err
	}
	line.Limits = slices.Clone(line.Limits)
	if i := slices.IndexFunc(line.Limits, l.replaces); i >= 0 {
		l.rest = line.Limits[i].rest
		line.Limits[i] = l
	} else {
		line.Limits = append(line.Limits, l)
	}
	beside := func(b Limit) bool { return !b.Extra && b.sameKind(l) }
	if l.Extra && !slices.ContainsFunc(line.Limits, beside) {
		return &Error{Op: op, Customer: line.Scope.customer(), Field: "Extra", Value: "true", Problem: "there is no limit to add to", Remedy: "set a limit for the same scope first", Err: ErrInvalid}
	}
	if len(line.Limits) > MaxLimits {
		return &Error{Op: op, Customer: line.Scope.customer(), Field: "Limits", Value: fmt.Sprint(len(line.Limits)), Problem: "are too many", Remedy: fmt.Sprintf("a scope has at most %d; remove those that have ended", MaxLimits), Err: storage.ErrLimit}
	}
	return nil
}

func (l *Limit) clean(op string, s Scope) error {
	fail := func(field, value, problem, remedy string) error {
		return &Error{Op: op, Customer: s.customer(), Field: field, Value: value, Problem: problem, Remedy: remedy, Err: ErrInvalid}
	}
	switch {
	case !l.Amount.Currency.Known():
		return fail("Amount", l.Amount.String(), "has no known currency", "use a code of ISO 4217")
	case l.Amount.Minor < 0:
		return fail("Amount", l.Amount.String(), "is negative", "use zero for no credit")
	case l.From != 0 && !l.From.Valid():
		return fail("From", l.From.String(), "is no day", "use a day from 1900 to 2200, or none")
	case l.Until != 0 && (!l.Until.Valid() || l.Until < l.From):
		return fail("Until", l.Until.String(), "is no day from From on", "use a later day, or none")
	case l.Review != 0 && !l.Review.Valid():
		return fail("Review", l.Review.String(), "is no day", "use a day from 1900 to 2200, or none")
	case l.Extra && l.Until == 0:
		return fail("Extra", "true", "an addition must end", "set Until, or raise the limit itself")
	case l.Ceiling && s.Kind == CustomerScope:
		return fail("Ceiling", "true", "a customer's own limit is the nearest anyway", "leave it out")
	}
	return cleanText(op, s.customer(), "Note", &l.Note, customer.MaxText)
}

// cleanText brings a text into the form in which it is stored.
func cleanText(op string, id customer.ID, field string, value *string, limit int) error {
	clean, err := text.Clean(*value)
	if err != nil {
		return &Error{Op: op, Customer: id, Field: field, Value: text.Excerpt(*value), Remedy: err.Error(), Err: ErrInvalid}
	}
	if len(clean) > limit {
		return &Error{Op: op, Customer: id, Field: field, Value: text.Excerpt(clean), Problem: "is too long", Remedy: fmt.Sprintf("use at most %d bytes", limit), Err: ErrInvalid}
	}
	*value = clean
	return nil
}

// replaces reports whether setting l replaces another limit.
func (l Limit) replaces(other Limit) bool {
	return l.From == other.From && l.Until == other.Until && l.Extra == other.Extra && l.sameKind(other)
}

// sameKind reports whether two limits bound the same exposure.
func (l Limit) sameKind(other Limit) bool {
	return l.Only == other.Only && (!l.Only || l.Amount.Currency == other.Amount.Currency)
}

func (l *Limit) inForce(day date.Date) bool {
	return l.From <= day && (l.Until == 0 || day <= l.Until)
}

// bound is what the limits of a scope come to on a day, for all currencies or for one.
type bound struct {
	base    money.Amount
	extras  []money.Amount
	only    bool
	ceiling bool
}

// on returns the bounds of a day.
func (line *Line) on(day date.Date) (bounds []bound) {
	for i := range line.Limits {
		l := &line.Limits[i]
		if l.Extra || slices.ContainsFunc(line.Limits[:i], func(b Limit) bool { return !b.Extra && b.sameKind(*l) }) {
			continue // its kind was seen
		}
		if b, found := line.bound(*l, day); found {
			bounds = append(bounds, b)
		}
	}
	return bounds
}

// bound finds what the limits of one kind come to; none when all of them begin later.
func (line *Line) bound(kind Limit, day date.Date) (b bound, found bool) {
	var best *Limit
	for i := range line.Limits {
		l := &line.Limits[i]
		if !l.sameKind(kind) || l.From > day {
			continue
		}
		switch {
		case l.Extra:
			if l.inForce(day) {
				b.extras = append(b.extras, l.Amount)
			}
		case best == nil || l.beats(best, day):
			best = l
		}
	}
	if best == nil {
		return bound{}, false
	}
	b.base, b.only, b.ceiling = best.Amount, best.Only, best.Ceiling
	if !best.inForce(day) {
		b.base.Minor = 0
	}
	return b, true
}

// beats decides between two limits of a kind that have begun: one in force counts rather
// than one that has ended, then the one that began last, then the one that ends.
func (l *Limit) beats(other *Limit, day date.Date) bool {
	if l.inForce(day) != other.inForce(day) {
		return l.inForce(day)
	}
	if l.From != other.From {
		return l.From > other.From
	}
	return l.Until != 0 && other.Until == 0
}
