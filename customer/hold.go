package customer

import (
	"fmt"
	"time"

	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/record"
)

// Hold keeps a customer from being erased, as when bookkeeping law asks for its
// documents to be kept.
type Hold struct {
	Until  time.Time // the last day, in UTC; zero for until released
	Ground string    // the law or case, for instance "GoBD, ten years"; at most MaxText bytes

	rest string // fields that a newer program wrote
}

const (
	holdUntil  = 1
	holdGround = 2
)

func appendHold(dst []byte, h *Hold) ([]byte, error) {
	w := record.Writer{Buf: dst}
	if !h.Until.IsZero() {
		w.Int(holdUntil, h.Until.Unix())
	}
	w.String(holdGround, h.Ground)
	w.Raw(h.rest)
	return w.Buf, nil
}

func decodeHold(src string, _ ID, _ storage.Meta) (*Hold, error) {
	h := &Hold{}
	r := record.NewReader(src)
	for r.Next() {
		switch r.Field() {
		case holdUntil:
			h.Until = time.Unix(r.Int(), 0).UTC()
		case holdGround:
			h.Ground = r.String()
		default:
			r.Skip()
		}
	}
	h.rest = r.Unknown()
	return h, r.Err()
}

// HoldError says that a customer can't be erased yet. It wraps ErrHeld.
type HoldError struct {
	ID   ID
	Hold Hold
}

func (e *HoldError) Error() string {
	until := "until released"
	if !e.Hold.Until.IsZero() {
		until = "until " + e.Hold.Until.Format(time.DateOnly)
	}
	return fmt.Sprintf("customer: customer %s is held %s: %s", e.ID, until, e.Hold.Ground)
}

func (e *HoldError) Unwrap() error { return ErrHeld }

// Hold returns the customer's retention hold, or an error that wraps ErrNotFound.
func (r *Reader) Hold(id ID) (*Hold, error) {
	if r.access != nil {
		if seen, err := r.Visible(id); err != nil {
			return nil, err
		} else if !seen {
			return nil, &storage.Error{Op: "get", Table: "hold", Key: id.String(), Err: ErrNotFound}
		}
	}
	return r.store.hold.Get(r.storage, id)
}

// SetHold puts a customer that is not erased under a retention hold, in place of a
// former one.
func (tx *Tx) SetHold(id ID, h Hold) error {
	c, err := tx.changeable(id, RightErase, Identity)
	if err != nil {
		return err
	}
	if c.Status == Erased {
		return &StatusError{ID: id, Status: c.Status, Action: "hold"}
	}
	p := &problems{}
	if p.text("Ground", &h.Ground, MaxText); p.err() != nil {
		return p.err()
	}
	return tx.store.hold.Put(tx.tx, id, &h, uint8(Updated))
}

// ReleaseHold ends a customer's retention hold.
func (tx *Tx) ReleaseHold(id ID) error {
	if _, err := tx.Hold(id); err != nil {
		return err
	}
	if err := tx.Permit(RightErase, Identity, id); err != nil {
		return err
	}
	return tx.store.hold.Delete(tx.tx, id, uint8(Updated))
}
