package tagging

import (
	"context"
	"iter"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
)

// LoadRow is a customer with its first assignments.
type LoadRow struct {
	ID          customer.ID
	Assignments []Assignment
}

// Load gives their first tags to customers in bulk, some ten times faster than Assign,
// under the same rules, with rows in ascending order of id. It is for customers that were
// created just now and whom nobody else tags meanwhile, while nobody changes dimensions
// and tags: one that has assignments already ends the load, as does any
// other error, with the rows before in the book as [storage.Store.Load] tells. What the
// job's actor may see and do is asked once, at the beginning.
func (s *Store) Load(ctx context.Context, j Job, rows iter.Seq2[LoadRow, error]) (loaded storage.Loaded, err error) {
	err = s.view(ctx, &j, func(r *Reader) error {
		c, err := r.catalogue()
		if err != nil {
			return err
		}
		loaded, err = j.Storage.Load(ctx, j.Session, storage.LoadOptions{}, func(l *storage.Loader) error {
			last := customer.ID(0)
			for row, err := range rows {
				if err == nil && row.ID <= last {
					err = &Error{Op: "load", Customer: row.ID, Problem: "comes after customer " + last.String(), Remedy: "sort the rows by id", Err: ErrInvalid}
				}
				if last = row.ID; err == nil {
					err = r.loadRow(l, c, row)
				}
				if err == nil {
					err = l.Next()
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
		return err
	})
	return loaded, err
}

func (r *Reader) loadRow(l *storage.Loader, c *catalogue, row LoadRow) error {
	const op = "load"
	if r.customers.Access() != nil {
		if err := r.customers.Permit(customer.RightTag, customer.Tags, row.ID); err != nil {
			return missing(op, row.ID, err)
		}
	}
	tagged, err := r.store.tagged.Has(r.storage, row.ID)
	if err != nil {
		return err
	}
	if tagged {
		return &Error{Op: op, Customer: row.ID, Problem: "has assignments already", Remedy: "use AssignAll", Err: ErrExists}
	}
	if err := r.mustBeLive(op, row.ID); err != nil {
		return err
	}
	e := &edit{op: op, cat: c, id: row.ID, now: l.Now(), session: l.Session()}
	for i, a := range row.Assignments {
		if a, err = e.prepare(i, a); err != nil {
			return err
		}
		if err := e.put(a); err != nil {
			return err
		}
	}
	t := &Tagged{ID: row.ID, Assignments: c.settle(e.list, e.now)}
	if err := e.fits(t); err != nil {
		return err
	}
	return r.store.tagged.Load(l, row.ID, t, uint8(Created))
}
