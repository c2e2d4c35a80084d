package credit

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
)

// Credit follows the documents of one business: the order takes it, the delivery takes it
// over from the order, and with the invoice the open item counts instead. Nothing is
// counted twice on the way, and nothing more is needed than what a later document exceeds
// an earlier one by. What was given back has to be asked for again: a delivery can't
// follow an order that was released, and Reopen checks as Reserve does.

// Commit makes an order of a reservation, in time: it doesn't expire any more.
// Committing an order changes nothing; a reservation that is held or has ended is an error
// that wraps ErrHeld or ErrEnded.
func (tx *Tx) Commit(key string) (*Reservation, error) {
	const op = "commit"
	v, err := tx.usable(op, key)
	if err != nil {
		return nil, err
	}
	if v.Stage != Reserved {
		return v, tx.mask(v)
	}
	c, p, err := tx.counted(v.Customer)
	if err != nil {
		return nil, err
	}
	from := v.Stage.part()
	v.Stage, v.Expires = Ordered, time.Time{}
	if err := tx.countReserved(c, p.Group, v.Amount.Currency, from, -v.Open); err != nil {
		return nil, err
	}
	if err := tx.countReserved(c, p.Group, v.Amount.Currency, v.Stage.part(), v.Open); err != nil {
		return nil, err
	}
	return v, tx.putReservation(v, ReservationPassed)
}

// usable returns a reservation that credit can be passed on from, to who may.
func (tx *Tx) usable(op, key string) (*Reservation, error) {
	v, err := tx.mayChange(op, key)
	if err != nil {
		return nil, err
	}
	switch {
	case v.State == Held:
		if err := tx.mask(v); err != nil {
			return nil, err
		}
		return nil, &Error{Op: op, Customer: v.Customer, Field: "Key", Value: shorten(key), Problem: "is held: " + v.tellFindings(), Remedy: "ask for an override, then Reserve it again", Err: ErrHeld}
	case v.State != Open:
		return nil, &Error{Op: op, Customer: v.Customer, Field: "Key", Value: shorten(key), Problem: "is " + v.State.String(), Remedy: "ask again with Reopen", Err: ErrEnded}
	}
	return v, nil
}

func (tx *Tx) mayChange(op, key string) (*Reservation, error) {
	v, err := tx.reservation(op, key)
	if err != nil {
		return nil, err
	}
	return v, missingReservation(op, key, tx.allow(customer.RightReserve, v.Customer))
}

func (v *Reservation) tellFindings() (text string) {
	for i, f := range v.Findings {
		if i > 0 {
			text += ", "
		}
		text += f.String()
	}
	return text
}

// Pass makes a later document of an earlier one, whole or in part, and takes the credit
// over: an order from a reservation, a delivery from an order, an invoice from a delivery.
// Only what the later document takes beyond what is left of the earlier is checked, as
// Reserve does. Of an Invoiced document nothing is checked or taken: post its item in the
// same transaction. q.Customer and q.Unit may be left out. Passing on with the same key and contents
// changes nothing.
func (tx *Tx) Pass(from string, q Request) (*Reservation, error) {
	const op = "pass on"
	source, err := tx.mayChange(op, from)
	if err != nil {
		return nil, err
	}
	if q.Customer == 0 || slices.Contains(source.Via, q.Customer) {
		q.Customer = source.Customer
	}
	if err := tx.resolve(&q, source); err != nil {
		return nil, err
	}
	if err := source.leadsTo(op, &q, tx.now()); err != nil {
		return nil, err
	}
	if q.Unit != 0 {
		if _, err := tx.through(customer.RightReserve, customer.Credit, q.Unit); err != nil {
			return nil, err
		}
	}
	v, err := tx.reservation(op, q.Key)
	switch {
	case isNotFound(err):
		v = &Reservation{Key: q.Key, From: from, State: Held, Unit: cmp.Or(q.Unit, source.Unit)}
	case err != nil:
		return nil, err
	case v.Stage == Invoiced && q.same(v, from):
		return v, tx.mask(v)
	default:
		if err := v.repeated(op, &q, from, tx.now()); err != nil {
			return nil, err
		}
		if v.State == Open {
			return v, tx.mask(v)
		}
	}
	if source, err = tx.usable(op, from); err != nil {
		return nil, err
	}
	v.Customer, v.Stage, v.Amount, v.Prepaid = q.Customer, q.Stage, q.Amount, q.Prepaid
	return tx.takeOver(op, source, v)
}

// leadsTo reports whether a document can follow a reservation.
func (v *Reservation) leadsTo(op string, q *Request, now time.Time) error {
	if err := q.clean(op, now); err != nil {
		return err
	}
	fail := func(field, value, problem, remedy string) error {
		return &Error{Op: op, Customer: v.Customer, Field: field, Value: value, Problem: problem, Remedy: remedy, Err: ErrInvalid}
	}
	switch {
	case q.Customer != v.Customer:
		return fail("Customer", q.Customer.String(), "isn't the earlier document's", "pass credit on to the same customer")
	case q.Amount.Currency != v.Amount.Currency:
		return &Error{Op: op, Customer: v.Customer, Field: "Amount", Value: q.Amount.String(), Problem: "isn't in the earlier document's currency " + v.Amount.Currency.String(), Remedy: "release that one and reserve anew", Err: ErrCurrency}
	case q.Stage <= v.Stage:
		return fail("Stage", q.Stage.String(), "doesn't come after "+v.Stage.String(), "use a later stage")
	}
	return nil
}

// takeOver moves credit from one document to the next, and asks for what is lacking.
func (tx *Tx) takeOver(op string, source, v *Reservation) (*Reservation, error) {
	c, p, err := tx.counted(v.Customer)
	if err != nil {
		return nil, err
	}
	move := func(minor int64) error {
		err := tx.countReserved(c, p.Group, v.Amount.Currency, source.Stage.part(), -minor)
		if err != nil || v.Stage == Invoiced {
			return err
		}
		return tx.countReserved(c, p.Group, v.Amount.Currency, v.Stage.part(), minor)
	}
	wanted := max(0, v.credit()-v.Passed) // a document that was reopened may have passed some on
	v.Took = min(wanted, source.Open)
	if err := move(v.Took); err != nil {
		return nil, err
	}
	if err := tx.follow(op, v, wanted); err != nil {
		if back := move(-v.Took); back != nil { // the transaction may go on after a refusal
			return nil, back
		}
		return nil, err
	}
	source.Open -= v.Took
	source.Passed += v.Took
	if source.Stage == Reserved && source.Open == 0 {
		source.State = Released
	}
	return v, tx.putReservation(source, ReservationPassed)
}

// follow stores a document that took credit over, and asks for what it lacks of the wanted.
func (tx *Tx) follow(op string, v *Reservation, wanted int64) error {
	if v.Stage == Invoiced {
		v.State = Released
		return tx.putReservation(v, ReservationMade)
	}
	v.Open = v.Took
	if more := wanted - v.Took; more > 0 {
		_, err := tx.grant(op, v, more)
		return err
	}
	v.State = Open
	return tx.putReservation(v, ReservationMade)
}

// Change gives a document another amount. A larger one is checked as Reserve does; it
// fails with an error that wraps ErrHeld when the difference would be held. A smaller one
// gives the difference back, but can't go below what was passed on.
func (tx *Tx) Change(key string, amount money.Amount, prepaid int64) (*Reservation, error) {
	const op = "change"
	v, err := tx.mayChange(op, key)
	if err != nil {
		return nil, err
	}
	q := Request{Key: key, Customer: v.Customer, Amount: amount, Prepaid: prepaid}
	if err := q.clean(op, tx.now()); err != nil {
		return nil, err
	}
	switch {
	case amount.Currency != v.Amount.Currency:
		return nil, &Error{Op: op, Customer: v.Customer, Field: "Amount", Value: amount.String(), Problem: "isn't in the document's currency " + v.Amount.Currency.String(), Remedy: "release the document and reserve anew", Err: ErrCurrency}
	case v.State > Held:
		return nil, &Error{Op: op, Customer: v.Customer, Field: "Key", Value: shorten(key), Problem: "is " + v.State.String(), Remedy: "ask again with Reopen", Err: ErrEnded}
	case amount.Minor-prepaid < v.Passed:
		return nil, &Error{Op: op, Customer: v.Customer, Field: "Amount", Value: amount.String(), Problem: "is less than what was passed on to later documents", Remedy: fmt.Sprintf("use at least %d minor units of credit", v.Passed), Err: ErrInvalid}
	}
	v.Amount, v.Prepaid = amount, prepaid
	return tx.adjust(op, v, v.credit()-v.Passed-v.Open)
}

// adjust gives an open or held document more credit, or less.
func (tx *Tx) adjust(op string, v *Reservation, more int64) (*Reservation, error) {
	if more > 0 || v.State == Held {
		return tx.grant(op, v, more)
	}
	if err := tx.giveBack(v, -more); err != nil {
		return nil, err
	}
	return v, tx.putReservation(v, ReservationMade)
}

// giveBack takes credit from a document that it no longer needs.
func (tx *Tx) giveBack(v *Reservation, minor int64) error {
	c, p, err := tx.counted(v.Customer)
	if err != nil {
		return err
	}
	v.Open -= minor
	return tx.countReserved(c, p.Group, v.Amount.Currency, v.Stage.part(), -minor)
}

// Release gives back all credit that a document still takes: an order that was cancelled
// or closed, a reservation that isn't needed. Releasing what has ended changes nothing.
func (tx *Tx) Release(key string) (*Reservation, error) {
	v, err := tx.mayChange("release", key)
	if err != nil {
		return nil, err
	}
	if v.State > Held {
		return v, tx.mask(v)
	}
	if err := tx.giveBack(v, v.Open); err != nil {
		return nil, err
	}
	v.State = Released
	return v, tx.putReservation(v, ReservationEnded)
}

// Return takes a document back, such as a delivery that was cancelled: the credit that it
// took over returns to the document it came from while that is open, the rest is given
// back.
func (tx *Tx) Return(key string) (*Reservation, error) {
	const op = "return"
	v, err := tx.mayChange(op, key)
	if err != nil {
		return nil, err
	}
	if v.State > Held {
		return v, tx.mask(v)
	}
	if back := min(v.Took, v.Open); back > 0 {
		if err := tx.returnTo(op, v.From, back); err != nil {
			return nil, err
		}
	}
	return tx.Release(key)
}

// returnTo gives credit back to the document that passed it on. One that has ended takes
// none, but has to ask for it when it is reopened.
func (tx *Tx) returnTo(op, key string, minor int64) error {
	source, err := tx.reservation(op, key)
	if err != nil {
		return err
	}
	if source.State == Expired { // perhaps not yet written so
		if err := tx.endExpired(source.Customer); err != nil {
			return err
		}
		if source, err = tx.reservation(op, key); err != nil {
			return err
		}
	}
	if source.State == Open {
		if err := tx.giveBack(source, -minor); err != nil {
			return err
		}
	}
	source.Passed -= minor
	return tx.putReservation(source, ReservationPassed)
}

// Reopen asks again for a document that was released or has expired, as Reserve does for
// a new one; what was passed on to later documents before need not be asked for again.
// Stage and customer stay as they were.
func (tx *Tx) Reopen(key string, amount money.Amount, prepaid int64) (*Reservation, error) {
	const op = "reopen"
	v, err := tx.mayChange(op, key)
	if err != nil {
		return nil, err
	}
	q := Request{Key: key, Customer: v.Customer, Amount: amount, Prepaid: prepaid}
	if err := q.clean(op, tx.now()); err != nil {
		return nil, err
	}
	switch {
	case v.State <= Held:
		return nil, &Error{Op: op, Customer: v.Customer, Field: "Key", Value: shorten(key), Problem: "is " + v.State.String(), Remedy: "use Change, or Reserve a held one again", Err: ErrInvalid}
	case v.Stage == Invoiced:
		return nil, &Error{Op: op, Customer: v.Customer, Field: "Key", Value: shorten(key), Problem: "is invoiced", Remedy: "reserve for a new document", Err: ErrEnded}
	case amount.Currency != v.Amount.Currency:
		return nil, &Error{Op: op, Customer: v.Customer, Field: "Amount", Value: amount.String(), Problem: "isn't in the document's currency " + v.Amount.Currency.String(), Remedy: "reserve under a new key", Err: ErrCurrency}
	}
	if err := tx.endExpired(v.Customer); err != nil {
		return nil, err
	}
	v, err = tx.reservation(op, key) // as the expiry was written
	if err != nil {
		return nil, err
	}
	v.State, v.Amount, v.Prepaid, v.Took, v.Expires = Held, amount, prepaid, 0, time.Time{}
	return tx.grant(op, v, max(0, v.credit()-v.Passed))
}

// endExpired writes down which of a customer's reservations have expired. Exposure is
// right without it; it bounds what that costs.
func (tx *Tx) endExpired(id customer.ID) error {
	var list []*Reservation
	for v, err := range tx.expired(heldPrefix(id), tx.store.held) {
		if err != nil {
			return err
		}
		list = append(list, v)
	}
	for _, v := range list {
		if err := tx.expire(v); err != nil {
			return err
		}
	}
	return nil
}

func (tx *Tx) expire(v *Reservation) error {
	if err := tx.giveBack(v, v.Open); err != nil {
		return err
	}
	v.State = Expired
	return tx.putReservation(v, ReservationEnded)
}

// expirePart is how many reservations one transaction of a job ends.
const expirePart = 256

// ExpireReservations writes down which reservations have expired, and returns how many.
// Checks are right without it, but those against the limits of groups and units pay for
// each that isn't written; a program calls it every minute or so. It can be stopped at any
// time.
func (s *Store) ExpireReservations(ctx context.Context, j Job) (total int, err error) {
	for {
		n := 0
		_, err := j.Storage.Update(ctx, j.Session, func(tx *storage.Tx) error {
			t := s.Tx(tx, j.Customers.Tx(tx))
			var list []*Reservation
			for v, err := range t.expired(nil, s.expiry) {
				if err != nil {
					return err
				}
				if list = append(list, v); len(list) == expirePart {
					break
				}
			}
			n = len(list)
			for _, v := range list {
				if err := t.expire(v); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return total, err
		}
		if total += n; n < expirePart {
			return total, nil
		}
	}
}
