package exchange

import (
	"context"
	"errors"
	"fmt"

	"github.com/clientele-go/clientele/customer"
)

// Dependent is a customer that keeps an import from being undone.
type Dependent struct {
	Row      int // of the file
	Customer customer.ID
	Reason   string
}

// maxDependents is how many a DependentsError lists.
const maxDependents = 1000

// Undo takes back a whole import, also one that was cut off: customers that it created
// are discarded, those that it changed are as before, those that it archived are active.
// While anything that came later depends on it, nothing is changed and the
// *DependentsError lists what. An Undo that was cut off is gone on with by calling it
// again. Tags that the import gave to customers it did not create stay.
func (s Session) Undo(ctx context.Context, id JobID) error {
	if err := s.undoable(ctx, id); err != nil {
		return err
	}
	for left := true; left; {
		var err error
		if left, err = s.undoSome(ctx, id); err != nil {
			return err
		}
	}
	return s.update(ctx, func(tx *Tx) error {
		job, err := s.Imports.jobs.Get(&tx.Storage.Reader, id)
		if err != nil {
			return err
		}
		job.State = Undone
		return s.Imports.jobs.Put(tx.Storage, id, job, uint8(Undone)+1)
	})
}

// undoable returns nil if nothing depends on the import.
func (s Session) undoable(ctx context.Context, id JobID) error {
	depended := &DependentsError{}
	err := s.view(ctx, func(r *Reader) error {
		if err := r.Customers.PermitAll(customer.RightImport, customer.Identity); err != nil {
			return err
		}
		*depended = DependentsError{}
		former := map[customer.ID]uint64{}
		job, err := s.Imports.jobs.Get(r.Storage, id)
		if err != nil {
			return err
		}
		if job.State == Undone {
			return fmt.Errorf("exchange: undo: import %d is undone already: %w", id, customer.ErrStatus)
		}
		for row, err := range s.Imports.rows.Records(r.Storage, everyRow(id), true) {
			if err != nil {
				return err
			}
			reason, err := s.dependent(r, row, former)
			if err != nil {
				return err
			}
			depended.add(row, reason)
		}
		return nil
	})
	if err == nil && len(depended.Dependents) > 0 {
		return depended
	}
	return err
}

func (e *DependentsError) add(row *settled, reason string) {
	switch {
	case reason == "":
	case len(e.Dependents) == maxDependents:
		e.More++
	default:
		e.Dependents = append(e.Dependents, Dependent{Row: int(row.key.row), Customer: row.id, Reason: reason})
	}
}

// dependent tells why what a row did can't be taken back, empty if it can. Rows come last
// first; former has the versions that customers are at, or will be, once the later rows
// that changed them are taken back.
func (s Session) dependent(r *Reader, row *settled, former map[customer.ID]uint64) (string, error) {
	switch row.outcome {
	case takenBack:
		former[row.id] = row.version
		return "", nil
	case Created, Updated:
	default:
		return "", nil
	}
	c, err := r.Customers.Exact(row.id)
	if err != nil {
		return "", err
	}
	version, known := former[row.id]
	if row.outcome == Updated {
		former[row.id] = row.version - 1
	}
	switch {
	case c.Status == customer.Erased:
		return "the customer was erased since", nil
	case c.Absorbed > 0:
		return "other customers were merged into it", nil
	case known && (version == row.version || version == c.Version):
		return "", nil
	case c.Version != row.version:
		return "the customer was changed since, by " + c.Actor, nil
	case row.outcome == Updated:
		return "", nil
	}
	for _, inUse := range s.InUse {
		if reason, err := inUse(r, row.id); reason != "" || err != nil {
			return reason, err
		}
	}
	return "", nil
}

// undoSome takes some rows back, the last first, so that a customer which several rows
// changed goes back step by step. left reports whether there may be more.
func (s Session) undoSome(ctx context.Context, id JobID) (left bool, err error) {
	err = s.update(ctx, func(tx *Tx) error {
		var part []*settled
		left = false
		for row, err := range s.Imports.rows.Records(&tx.Storage.Reader, everyRow(id), true) {
			if err != nil {
				return err
			}
			if row.outcome != Created && row.outcome != Updated {
				continue
			}
			if left = len(part) == updateRows; left {
				break
			}
			part = append(part, row)
		}
		for _, row := range part {
			if row.version, err = s.undo(tx, row); err != nil {
				return err
			}
			row.outcome = takenBack
			if err := s.Imports.rows.Put(tx.Storage, row.key, row, uint8(Undone)+1); err != nil {
				return err
			}
		}
		return nil
	})
	return left, err
}

// undo takes a row back and returns the customer's version then. Where several rows
// changed a customer, it has one version more for each that is taken back: what is
// restored is what stood before the row.
func (s Session) undo(tx *Tx, row *settled) (uint64, error) {
	present, err := tx.Customers.Exact(row.id)
	if err != nil {
		return 0, err
	}
	if row.outcome == Created {
		return present.Version + 1, tx.Customers.Discard(row.id, present.Version)
	}
	if row.key.row >= archivedRow {
		c, err := tx.Customers.Reactivate(row.id)
		if err != nil {
			return 0, err
		}
		return c.Version, nil
	}
	before, err := tx.Customers.AtVersion(row.id, row.version-1)
	if errors.Is(err, customer.ErrNotFound) || errors.Is(err, customer.ErrErased) {
		return 0, fmt.Errorf("exchange: undo: row %d: customer %d has lost its former content: %w", row.key.row, row.id, err)
	}
	if err != nil {
		return 0, err
	}
	before.Version = present.Version
	c, err := tx.Customers.Update(before)
	if err != nil {
		return 0, err
	}
	return c.Version, nil
}

// Faults returns what was wrong with the rows of an import, in the file's order.
func (s Session) Faults(ctx context.Context, id JobID) (list []Fault, err error) {
	err = s.view(ctx, func(r *Reader) error {
		if err := r.Customers.PermitAll(customer.RightImport, customer.Identity); err != nil {
			return err // they quote the file
		}
		list = nil
		return s.eachFaulty(r, id, func(row *settled) { list = append(list, row.faults...) })
	})
	return list, err
}

// refusedRows returns what was wrong with each refused row.
func (s Session) refusedRows(ctx context.Context, id JobID) (rows map[int][]Fault, err error) {
	err = s.view(ctx, func(r *Reader) error {
		rows = map[int][]Fault{}
		return s.eachFaulty(r, id, func(row *settled) {
			if row.outcome == Refused {
				rows[int(row.key.row)] = row.faults
			}
		})
	})
	return rows, err
}

func (s Session) eachFaulty(r *Reader, id JobID, f func(*settled)) error {
	if err := r.Customers.PermitAll(customer.RightImport, customer.Identity); err != nil {
		return err
	}
	for row, err := range s.Imports.rows.Records(r.Storage, everyRow(id), false) {
		if err != nil {
			return err
		}
		if len(row.faults) > 0 {
			f(row)
		}
	}
	return nil
}
