package exchange

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
)

// job returns an import, if the actor may import and this one is its own or the actor sees
// all that it may quote. Others are as if they weren't there.
func (s Session) job(r *Reader, id JobID) (*Job, error) {
	if err := r.Customers.PermitAll(customer.RightImport, customer.Identity); err != nil {
		return nil, err
	}
	j, err := s.Imports.jobs.Get(r.Storage, id)
	if err == nil && !s.shows(r, j) {
		return nil, fmt.Errorf("exchange: import %d: %w", id, customer.ErrNotFound)
	}
	return j, err
}

// shows reports whether an import is the actor's own, or the actor sees every customer
// with every field.
func (s Session) shows(r *Reader, j *Job) bool {
	a := r.Customers.Access()
	return a == nil || j.Actor == s.Actor.Actor || a.Within() == nil && !slices.ContainsFunc(customer.MaskableFields(), func(field string) bool { return a.WithinUnmasked(field) != nil })
}

// Faults returns what was wrong with the rows of an import, in the file's order, all in
// memory: of an import that may refuse millions take them by Import.Faults. They quote the
// file; see [Session.Forget].
func (s Session) Faults(ctx context.Context, id JobID) (list []Fault, err error) {
	err = s.view(ctx, func(r *Reader) error {
		list = nil
		for row, err := range s.faulty(r, id) {
			if err != nil {
				return err
			}
			list = append(list, row.faults...)
		}
		return nil
	})
	return list, err
}

// faulty yields the rows of an import with which something was wrong, in the file's order.
func (s Session) faulty(r *Reader, id JobID) iter.Seq2[*settled, error] {
	return func(yield func(*settled, error) bool) {
		if _, err := s.job(r, id); err != nil {
			yield(nil, err)
			return
		}
		for row, err := range s.Imports.rows.Records(r.Storage, everyRow(id), false) {
			if err == nil && len(row.faults) == 0 {
				continue
			}
			if !yield(row, err) {
				return
			}
		}
	}
}

// refused yields the rows that an import refused, in the file's order.
func (s Session) refused(r *Reader, id JobID) iter.Seq2[*settled, error] {
	return func(yield func(*settled, error) bool) {
		for row, err := range s.faulty(r, id) {
			if (err != nil || row.outcome == Refused) && !yield(row, err) {
				return
			}
		}
	}
}

// Forget removes the cells of the file that an import keeps with its faults, for good, as
// when they hold personal data that is not to be kept: what stays is where something was
// wrong, and how. The bytes leave the book's files with the next Purge. When a customer is
// erased, the cells of its rows go with it; rows of people who never became customers
// need this.
func (s Session) Forget(ctx context.Context, id JobID) error {
	for next, left := uint64(0), true; left; {
		var reached uint64
		err := s.update(ctx, func(tx *Tx) error {
			if err := tx.Customers.PermitAll(customer.RightImport, customer.Identity); err != nil {
				return err
			}
			var part []*settled
			left, reached = false, next
			for row, err := range s.Imports.rows.Records(&tx.Storage.Reader, kv.Range{
				Lower: rowKeyCodec.Append(nil, rowKey{id, next}), Upper: rowKeyCodec.Append(nil, rowKey{id + 1, 0}),
			}, false) {
				if err != nil {
					return err
				}
				if left = len(part) == updateRows; left {
					break
				}
				reached = row.key.row + 1
				if row.quotes() {
					part = append(part, row)
				}
			}
			for _, row := range part {
				if err := s.Imports.forgetRow(tx.Storage, row); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		next = reached
	}
	return nil
}

// quotes reports whether a row keeps cells of the file.
func (s *settled) quotes() bool {
	for _, f := range s.faults {
		if f.Value != "" || f.Detail != "" {
			return true
		}
	}
	return false
}

// blank removes what quotes the file.
func (s *settled) blank() {
	for i := range s.faults {
		s.faults[i].Value, s.faults[i].Detail, s.faults[i].Remedy = "", "", ""
	}
}

// forgetRow removes a row's cells. Details may quote them too.
func (s *Store) forgetRow(tx *storage.Tx, row *settled) error {
	row.blank()
	return s.rows.Erase(tx, row.key, row, uint8(takenBack)+1)
}

// ForgetCustomer removes what imports keep of a customer: the cells of its rows, and its
// scores. It belongs in the transaction that erases the customer; see customer.Tx.OnErase.
func (s *Store) ForgetCustomer(tx *storage.Tx, id customer.ID) error {
	var rows []*settled
	key := storage.Key(nil).Uint(uint64(id))
	for e, err := range s.rows.Entries(&tx.Reader, s.quoting, kv.Prefix(key), false) {
		if err != nil {
			return err
		}
		k, err := e.Primary(e.Key()[len(key):])
		if err != nil {
			return err
		}
		row, err := s.rows.Get(&tx.Reader, k)
		if err != nil {
			return err
		}
		rows = append(rows, row)
	}
	for _, row := range rows {
		if err := s.forgetRow(tx, row); err != nil {
			return err
		}
	}
	var scores []scoreKey
	for score, err := range s.scoresOf(&tx.Reader, id) {
		if err != nil {
			return err
		}
		scores = append(scores, score.key())
	}
	for _, k := range scores {
		if err := s.scores.Forget(tx, k, uint8(takenBack)); err != nil {
			return err
		}
	}
	return nil
}
