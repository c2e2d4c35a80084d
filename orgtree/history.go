package orgtree

import (
	"errors"
	"iter"
	"slices"
	"strconv"
	"time"

	"github.com/clientele-go/clientele/customer"
)

// Transferred is one change of a customer's owner or representative.
type Transferred struct {
	FromUnit, ToUnit customer.UnitID
	FromRep, ToRep   string
	Version          uint64 // of the customer that the change made
	Recorded         time.Time
	Actor, Reason    string
}

// Transfers yields how a customer came to its owner and representative, oldest first;
// the first is its creation. What was erased is left out.
func (r *Reader) Transfers(id customer.ID) iter.Seq2[Transferred, error] {
	return func(yield func(Transferred, error) bool) {
		var unit customer.UnitID
		var rep string
		for c, err := range r.customers.History(id) {
			if err != nil {
				yield(Transferred{}, err)
				return
			}
			if c.Status == customer.Erased || c.Version > 1 && c.Owner == unit && c.Rep == rep {
				continue
			}
			t := Transferred{unit, c.Owner, rep, c.Rep, c.Version, c.Recorded, c.Actor, c.Reason}
			unit, rep = c.Owner, c.Rep
			if !yield(t, nil) {
				return
			}
		}
	}
}

// Placements yields all versions of a customer's placement, oldest first, each as
// [Reader.Placement] shows it; one that was emptied or erased has nothing but Version,
// Recorded, Actor and Reason. Of a customer out of sight there is none.
func (r *Reader) Placements(id customer.ID) iter.Seq2[*Placement, error] {
	return func(yield func(*Placement, error) bool) {
		if r.access() != nil {
			visible, err := r.customers.Visible(id)
			if err != nil {
				yield(nil, err)
			}
			if !visible {
				return
			}
		}
		for v, err := range r.store.placement.Versions(r.storage, id) {
			p := v.Value
			if err == nil && p == nil {
				p = &Placement{Customer: id, Version: v.Version, Recorded: v.Recorded, Actor: v.Actor, Reason: v.Reason}
			}
			if err == nil {
				p, err = r.narrowed(p)
			}
			if !yield(p, err) || err != nil {
				return
			}
		}
	}
}

// refusals are the errors that concern one customer, not a job.
var refusals = []error{ErrQuota, ErrClosed, ErrUnknownUnit, ErrExists, ErrInvalid, customer.ErrStatus, customer.ErrDenied, customer.ErrNotFound, customer.ErrErased}

func refuses(err error) bool {
	return slices.ContainsFunc(refusals, func(r error) bool { return errors.Is(err, r) })
}

func unitText(id customer.UnitID) string { return strconv.FormatUint(uint64(id), 10) }
