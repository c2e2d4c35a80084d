package credit

import (
	"time"

	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
)

// Period tells up to which day the books are closed: nothing can be posted any more that
// counts from that day or before.
type Period struct {
	Through date.Date // the last closed day; no date when none is

	Version  uint64
	Recorded time.Time
	Actor    string
	Reason   string

	rest string
}

const periodKey = "closed"

func (p *Period) wire(x *wire) { x.date(1, &p.Through) }

func appendPeriod(dst []byte, p *Period) ([]byte, error) { return encode(dst, p.rest, p.wire) }

func decodePeriod(src string, _ string, m storage.Meta) (*Period, error) {
	p := &Period{Version: m.Version, Recorded: m.Recorded, Actor: m.Actor, Reason: m.Reason}
	var err error
	p.rest, err = decode(src, p.wire)
	return p, err
}

// Period returns up to which day the books are closed.
func (r *Reader) Period() (*Period, error) {
	p, err := r.store.period.Get(r.storage, periodKey)
	if isNotFound(err) {
		return &Period{}, nil
	}
	return p, err
}

// ClosePeriod closes the books through a day, or opens them again after an earlier one;
// no date opens them altogether. Who may administer receivables may do it, and every
// change is kept.
func (tx *Tx) ClosePeriod(through date.Date) (*Period, error) {
	const op = "close period"
	if err := tx.Reader.customers.PermitAll(customer.RightAdminister, customer.Items); err != nil {
		return nil, err
	}
	if through != 0 && !through.Valid() {
		return nil, &Error{Op: op, Field: "Through", Value: through.String(), Remedy: "use a day from 1900-01-01 to 2200-12-31", Err: ErrInvalid}
	}
	p, err := tx.Period()
	if err != nil || p.Through == through {
		return p, err
	}
	p.Through = through
	if err := tx.store.period.Put(tx.tx, periodKey, p, uint8(PeriodSet)); err != nil {
		return nil, err
	}
	return tx.Period()
}

// admit returns the day from which a posting counts: the wanted one, or when that is
// closed and the posting is to be carried, the first open one.
func (tx *Tx) admit(op string, on date.Date, carry bool) (date.Date, error) {
	if !on.Valid() {
		return 0, &Error{Op: op, Field: "Date", Value: on.String(), Remedy: "use a day from 1900-01-01 to 2200-12-31", Err: ErrInvalid}
	}
	p, err := tx.Period()
	if err != nil || on > p.Through {
		return on, err
	}
	if !carry {
		return 0, &Error{Op: op, Field: "Date", Value: on.String(), Problem: "the period is closed through " + p.Through.String(),
			Remedy: "use a later day, or carry it into the first open day", Err: ErrClosedPeriod}
	}
	return p.Through.AddDays(1)
}
