package credit

import (
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/internal/enum"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
)

// Stage is how far the business has come for which credit is reserved.
type Stage uint8

const (
	Reserved  Stage = iota // for a time, before there is a document
	Ordered                // by an order
	Delivered              // by a delivery that is not yet billed
	Invoiced               // billed: the open item counts from now on, not the reservation
)

var stageNames = enum.Names{"reserved", "ordered", "delivered", "invoiced"}

func (s Stage) String() string { return stageNames.Of(uint8(s)) }

// MarshalText returns the lower-case English name, for JSON and maps.
func (s Stage) MarshalText() ([]byte, error) {
	return stageNames.Marshal(uint8(s), "credit", "stage")
}

// UnmarshalText reads what MarshalText wrote.
func (s *Stage) UnmarshalText(text []byte) error {
	return stageNames.Unmarshal(text, (*uint8)(s), "credit", "stage")
}

// part is the part of the exposure in which the stage counts.
func (s Stage) part() Part { return Reservations + Part(s) }

// State is what has become of a reservation.
type State uint8

const (
	Open     State = iota // takes credit
	Held                  // takes none, and waits for a decision
	Released              // takes none any more
	Expired               // was not committed in time
)

var stateNames = enum.Names{"open", "held", "released", "expired"}

func (s State) String() string { return stateNames.Of(uint8(s)) }

// MarshalText returns the lower-case English name, for JSON and maps.
func (s State) MarshalText() ([]byte, error) {
	return stateNames.Marshal(uint8(s), "credit", "state")
}

// UnmarshalText reads what MarshalText wrote.
func (s *State) UnmarshalText(text []byte) error {
	return stateNames.Unmarshal(text, (*uint8)(s), "credit", "state")
}

// Reservation is the credit that one document takes: an offer, an order, a delivery.
type Reservation struct {
	Key      string // as the caller named it
	Customer customer.ID
	Stage    Stage
	State    State
	Amount   money.Amount // of the document
	Prepaid  int64        // of Amount, paid in advance: it takes no credit
	Open     int64        // the credit that it takes now, in minor units
	Passed   int64        // the credit that went on to later documents
	From     string       // the key of the earlier document that its credit came from
	Took     int64        // how much of it came from there
	// Unit is the one through which it was asked for, 0 for none: what that unit has agreed
	// with the customer binds whenever the document asks for more.
	Unit    customer.UnitID
	Expires time.Time // of a Reserved one
	// Via are the customers that had it before they were merged, the last one last.
	Via []customer.ID
	// Findings is what the last check had to say.
	Findings []Finding

	Version  uint64
	Recorded time.Time
	Actor    string
	Reason   string
	rest     string
}

func (v *Reservation) fields(x *wire) {
	wireUint(x, 1, &v.Customer)
	wireUint(x, 2, &v.Stage)
	wireUint(x, 3, &v.State)
	x.amount(4, &v.Amount)
	x.int(5, &v.Prepaid)
	x.int(6, &v.Open)
	x.int(7, &v.Passed)
	x.text(8, &v.From)
	x.int(9, &v.Took)
	x.time(10, &v.Expires)
	wireList(x, 11, &v.Findings, func(x *wire, f *Finding) { f.fields(x) })
	wireList(x, 12, &v.Via, func(x *wire, id *customer.ID) { wireUint(x, 1, id) })
	wireUint(x, 13, &v.Unit)
}

func appendReservation(dst []byte, v *Reservation) ([]byte, error) {
	return encode(dst, v.rest, v.fields)
}

func decodeReservation(src string, key string, m storage.Meta) (v *Reservation, err error) {
	v = &Reservation{Key: key, Version: m.Version, Recorded: m.Recorded, Actor: m.Actor, Reason: m.Reason}
	v.rest, err = decode(src, v.fields)
	return v, err
}

// credit is what the whole document takes.
func (v *Reservation) credit() int64 { return v.Amount.Minor - v.Prepaid }

// expiring reports whether the reservation ends by itself.
func (v *Reservation) expiring() bool { return v.State == Open && v.Stage == Reserved }

// ended reports whether nothing can come of the reservation any more at an instant.
func (v *Reservation) ended(now time.Time) bool {
	return v.State >= Released || v.expiring() && !now.Before(v.Expires)
}

// heldKeys lists a customer's reservations that are open or held, by expiry; those that
// don't expire come first.
func heldKeys(set *storage.KeySet, v *Reservation) {
	if v.State > Held {
		return
	}
	set.Uint(uint64(v.Customer))
	if v.expiring() {
		set.Uint(uint64(v.Expires.UnixMicro()))
	} else {
		set.Uint(0)
	}
	set.End()
}

func heldPrefix(id customer.ID) storage.Key { return storage.Key(nil).Uint(uint64(id)) }

// expiryKeys lists all reservations that expire.
func expiryKeys(set *storage.KeySet, v *Reservation) {
	if v.expiring() {
		set.Uint(uint64(v.Expires.UnixMicro())).End()
	}
}

// expired yields the reservations which have expired but are not yet written so, under a
// prefix of an index that goes on with the expiry.
func (r *Reader) expired(prefix storage.Key, x *storage.Index[*Reservation]) iter.Seq2[*Reservation, error] {
	keys := kv.Range{Lower: prefix.Uint(1), Upper: prefix[:len(prefix):len(prefix)].Uint(uint64(r.now().UnixMicro()) + 1)}
	return r.reservations(x, len(prefix), keys)
}

// reservations yields the reservations in a range of an index whose keys have the expiry
// after so many bytes.
func (r *Reader) reservations(x *storage.Index[*Reservation], at int, keys kv.Range) iter.Seq2[*Reservation, error] {
	return func(yield func(*Reservation, error) bool) {
		for e, err := range r.store.reservation.Entries(r.storage, x, keys, false) {
			var v *Reservation
			if err == nil {
				v, err = r.reservationAt(e, at)
			}
			if !yield(v, err) || err != nil {
				return
			}
		}
	}
}

func (r *Reader) reservationAt(e storage.IndexEntry[string], at int) (*Reservation, error) {
	_, rest, err := e.Key()[at:].CutUint()
	if err != nil {
		return nil, err
	}
	key, err := e.Primary(rest)
	if err != nil {
		return nil, err
	}
	return r.store.reservation.Get(r.storage, key)
}

// Reservation returns the reservation of a document. One that has expired has the state
// Expired, whether that was written yet or not.
func (r *Reader) Reservation(key string) (*Reservation, error) {
	v, err := r.reservation("look up", key)
	if err != nil {
		return nil, err
	}
	if err := r.allow(customer.RightRead, v.Customer); err != nil {
		return nil, missingReservation("look up", key, err)
	}
	return v, r.mask(v)
}

// reservation is Reservation as it is.
func (r *Reader) reservation(op, key string) (*Reservation, error) {
	v, err := r.store.reservation.Get(r.storage, key)
	if err != nil {
		return nil, missingReservation(op, key, err)
	}
	if v.expiring() && v.ended(r.now()) {
		v.State, v.Open = Expired, 0
	}
	return v, err
}

// missingReservation says that there is none, also of one whose customer is out of sight.
func missingReservation(op, key string, err error) error {
	if isNotFound(err) {
		return &Error{Op: op, Field: "Key", Value: shorten(key), Problem: "no reservation has this key", Remedy: "reserve first", Err: ErrNotFound}
	}
	return err
}

// mask takes the figures out of what a check found, when the session may not see them, and
// units that don't concern it. A reservation must not be stored after that.
func (r *Reader) mask(v *Reservation) error {
	if r.access() == nil {
		return nil
	}
	if !r.concerns(v.Unit) {
		v.Unit = 0
	}
	for i := range v.Findings {
		f := &v.Findings[i]
		shown, err := r.showsFinding(f, v.Customer)
		if err != nil {
			return err
		}
		if !r.concerns(f.Unit) {
			f.Unit, shown = 0, false
		}
		if !shown {
			f.hide()
		}
	}
	return nil
}

// showsFinding reports whether the session may see a finding's figures: the exposure and, of
// a limit's use in percent, the limit that could be told from both.
func (r *Reader) showsFinding(f *Finding, id customer.ID) (bool, error) {
	s := f.Scope.or(id)
	shown, err := r.shows("exposure", s)
	if err == nil && shown && f.Step == Utilisation {
		shown, err = r.shows("limit", s)
	}
	return shown, err
}

// or is the scope, or without one that of a customer.
func (s Scope) or(id customer.ID) Scope {
	if s == (Scope{}) {
		return OfCustomer(id)
	}
	return s
}

// Reservations yields a customer's reservations that are open or held, those that don't
// expire first and the others by expiry.
func (r *Reader) Reservations(id customer.ID) iter.Seq2[*Reservation, error] {
	return func(yield func(*Reservation, error) bool) {
		id, err := r.debtor(id)
		if err != nil {
			yield(nil, err)
			return
		}
		prefix := heldPrefix(id)
		for v, err := range r.reservations(r.store.held, len(prefix), kv.Prefix(prefix)) {
			if err == nil && v.ended(r.now()) {
				continue
			}
			if err == nil {
				err = r.mask(v)
			}
			if !yield(v, err) || err != nil {
				return
			}
		}
	}
}

// Request asks for credit for a document.
type Request struct {
	// Key names the document, such as "order 2026-1001": it is unique in the book, and
	// asking again with the same key is asking for the same.
	Key      string
	Customer customer.ID
	Amount   money.Amount // of the document, positive
	Prepaid  int64        // of Amount, paid in advance, in minor units: it takes no credit
	Stage    Stage
	// Expires is when a Reserved one ends by itself; the zero time is as the policy says.
	Expires time.Time
	// Unit is the one that asks: the limit that its overlay of the customer shows binds
	// beside all others. 0 is the home unit of the session's principal, if it has one and
	// access is enforced; for a document that is asked for again, or follows another, the
	// unit of that. To name a unit takes a grant there by which the session may reserve.
	Unit customer.UnitID
}

// maxKey bounds a key, in bytes.
const maxKey = 200

func (q *Request) clean(op string, now time.Time) error {
	fail := func(field, value, problem, remedy string) error {
		return &Error{Op: op, Customer: q.Customer, Field: field, Value: value, Problem: problem, Remedy: remedy, Err: ErrInvalid}
	}
	if err := cleanText(op, q.Customer, "Key", &q.Key, maxKey); err != nil {
		return err
	}
	switch {
	case q.Key == "":
		return fail("Key", "", "is empty", "name the document")
	case !q.Amount.Currency.Known():
		return fail("Amount", q.Amount.String(), "has no known currency", "use a code of ISO 4217")
	case q.Amount.Minor <= 0:
		return fail("Amount", q.Amount.String(), "is not positive", "ask for more than nothing; give back with Release")
	case q.Prepaid < 0 || q.Prepaid > q.Amount.Minor:
		return fail("Prepaid", fmt.Sprint(q.Prepaid), "is no part of the amount", "use 0 to the amount's minor units")
	case q.Stage > Invoiced:
		return fail("Stage", q.Stage.String(), "is no stage", "use Reserved, Ordered, Delivered or Invoiced")
	case q.Stage != Reserved && !q.Expires.IsZero():
		return fail("Expires", q.Expires.UTC().Format(time.RFC3339), "only a reservation expires", "leave it out, or use the stage Reserved")
	case !q.Expires.IsZero() && (!q.Expires.After(now) || q.Expires.Sub(now) > maxLasting):
		return fail("Expires", q.Expires.UTC().Format(time.RFC3339), "is not ahead, or too far", "use an instant within ten years")
	}
	q.Expires = q.Expires.UTC().Truncate(time.Microsecond)
	return nil
}

// same reports whether a request is the one that made a reservation.
func (q *Request) same(v *Reservation, from string) bool {
	return (v.Customer == q.Customer || slices.Contains(v.Via, q.Customer)) && v.Amount == q.Amount && v.Prepaid == q.Prepaid && v.From == from &&
		(q.Unit == 0 || q.Unit == v.Unit)
}

// Reserve asks for credit and takes it. It returns
//   - an Open reservation: the credit is taken; Findings may warn,
//   - a Held one: the credit is not taken; later documents can't follow until it is Open.
//     After an override, a raised limit or a payment, Reserve it again with the same key,
//   - a *RefusedError, which wraps ErrRefused, when a step stops it; nothing is stored.
//
// Reserving again with the same key and contents returns the same reservation and takes
// nothing; with other contents it is an error that wraps ErrKeyUsed, after a release or an
// expiry one that wraps ErrEnded: see Reopen. Only active customers get credit.
//
// Whatever runs at the same time, here or in other processes, all open reservations
// together keep within the limits, since a transaction that saw an older exposure runs
// again. It costs some 50 µs and waits for the same limit's other transactions only.
func (tx *Tx) Reserve(q Request) (*Reservation, error) {
	const op = "reserve"
	if err := q.clean(op, tx.now()); err != nil {
		return nil, err
	}
	if q.Stage == Invoiced {
		return nil, &Error{Op: op, Customer: q.Customer, Field: "Stage", Value: q.Stage.String(), Problem: "an invoice needs no reservation", Remedy: "post the item, and Pass the delivery's credit on to it", Err: ErrInvalid}
	}
	if err := tx.allow(customer.RightReserve, q.Customer); err != nil {
		return nil, err
	}
	unit, err := tx.through(customer.RightReserve, customer.Credit, q.Unit)
	if err != nil {
		return nil, err
	}
	v, err := tx.reservation(op, q.Key)
	if isNotFound(err) {
		v, err = &Reservation{Key: q.Key, State: Held}, nil
	} else if err == nil {
		if err = tx.resolve(&q, v); err == nil {
			err = v.repeated(op, &q, "", tx.now())
		}
		if err == nil {
			err = tx.allow(customer.RightReserve, v.Customer) // which may have been merged since
		}
	}
	if err != nil {
		return nil, err
	}
	if v.State == Open && v.Version > 0 {
		return v, tx.mask(v)
	}
	if v.Version == 0 {
		v.Customer, v.Unit = q.Customer, unit
	}
	v.Stage, v.Amount, v.Prepaid, v.Expires = q.Stage, q.Amount, q.Prepaid, q.Expires
	return tx.grant(op, v, max(0, v.credit()-v.Passed)) // Passed of one that was reopened and held
}

// resolve makes a request's customer, if it was merged, the one that stands for it and has
// the reservation.
func (tx *Tx) resolve(q *Request, v *Reservation) error {
	if q.Customer == v.Customer {
		return nil
	}
	c, err := customer.Unscoped(&tx.customers.Reader).Get(q.Customer)
	if err == nil && c.ID == v.Customer {
		q.Customer = c.ID
	}
	return missing("reserve", q.Customer, err)
}

// repeated reports what is wrong when a key that exists is asked for again.
func (v *Reservation) repeated(op string, q *Request, from string, now time.Time) error {
	if !q.same(v, from) {
		return &Error{Op: op, Customer: q.Customer, Field: "Key", Value: shorten(q.Key), Problem: "belongs to another document, or to this with other contents", Remedy: "use another key, or Change", Err: ErrKeyUsed}
	}
	if v.ended(now) {
		return &Error{Op: op, Customer: v.Customer, Field: "Key", Value: shorten(v.Key), Problem: "is " + v.State.String(), Remedy: "ask again with Reopen", Err: ErrEnded}
	}
	return nil
}

// grant checks a document that asks for more credit than it has, and stores it as it
// comes out.
func (tx *Tx) grant(op string, v *Reservation, more int64) (*Reservation, error) {
	if err := tx.allow(customer.RightReserve, v.Customer); err != nil {
		return nil, err
	}
	c, err := tx.Reader.customers.Get(v.Customer)
	if err != nil {
		return nil, err
	}
	if c.Status != customer.Active {
		return nil, &customer.StatusError{ID: c.ID, Status: c.Status, Action: op}
	}
	v.Customer = c.ID // who stands for one that was merged
	if err := tx.endExpired(v.Customer); err != nil {
		return nil, err
	}
	k, err := tx.newCheck(c)
	if err != nil {
		return nil, err
	}
	k.unit = v.Unit
	decision, err := k.decide(v.Key, v.Amount, more)
	if err != nil {
		return nil, err
	}
	v.Findings = decision.Findings
	if decision.Outcome == Stop {
		if err := tx.hideDecision(v.Customer, &decision); err != nil {
			return nil, err
		}
		return nil, &RefusedError{Key: v.Key, Customer: v.Customer, Decision: decision}
	}
	if v.Stage == Reserved && v.Expires.IsZero() {
		v.Expires = tx.now().Add(k.policy.reserveFor())
	}
	if decision.Outcome == Hold {
		return tx.hold(v)
	}
	v.State = Open
	return tx.take(v, k, more)
}

func (tx *Tx) hold(v *Reservation) (*Reservation, error) {
	if v.Open > 0 { // the document had credit before it asked for more
		return nil, &Error{Op: "change", Customer: v.Customer, Field: "Amount", Value: v.Amount.String(), Problem: "the additional credit would be held", Remedy: "ask for an override, or reserve it as a document of its own", Err: ErrHeld}
	}
	v.State = Held
	return v, tx.putReservation(v, ReservationHeld)
}

// take counts the credit that a document takes.
func (tx *Tx) take(v *Reservation, k *check, more int64) (*Reservation, error) {
	v.Open += more
	if err := tx.countReserved(k.customer, k.profile.Group, v.Amount.Currency, v.Stage.part(), more); err != nil {
		return nil, err
	}
	return v, tx.putReservation(v, ReservationMade)
}

// putReservation stores a reservation, and makes it what the session may see of it.
func (tx *Tx) putReservation(v *Reservation, action ControlAction) error {
	if err := tx.store.reservation.Put(tx.tx, v.Key, v, uint8(action)); err != nil {
		return err
	}
	session := tx.tx.Session()
	v.Version, v.Recorded, v.Actor, v.Reason = v.Version+1, tx.now(), session.Actor, session.Reason
	return tx.mask(v)
}
