package exchange

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/customer/exchange/tabular"
	"github.com/clientele-go/clientele/storage/bitset"
)

// archivedRow is where the settled rows of customers begin that the list hadn't and that
// were archived: behind all rows of a file, by customer.
const archivedRow = 1 << 48

// synchronise counts the customers of the other system that the file hasn't, and archives
// them if asked to.
func (r *run) synchronise(ctx context.Context) (missing int, err error) {
	var gone []customer.ID
	err = r.view(ctx, func(tx *Reader) error {
		if err := r.readWhole(tx); err != nil {
			return err
		}
		missing, gone = 0, nil
		for id, err := range r.missing(tx, r.job.ID, r.im.Sync.System) {
			if err != nil {
				return err
			}
			missing++
			if r.im.Sync.Archive {
				gone = append(gone, id)
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	archived := 0
	for part := range slices.Chunk(gone, updateRows) {
		err := r.update(ctx, func(tx *Tx) error {
			for _, id := range part {
				c, err := tx.Customers.Archive(id)
				if err != nil {
					return err
				}
				s := &settled{key: rowKey{r.job.ID, archivedRow + uint64(id)}, outcome: Updated, id: id, version: c.Version}
				if err := r.Imports.rows.Put(tx.Storage, s.key, s, uint8(Updated)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return 0, err
		}
		archived += len(part)
	}
	if r.im.Sync.Archive {
		return r.Imports.archived(ctx, r.Session, r.job.ID)
	}
	return missing, nil
}

// readWhole refuses to archive by a list of which a row's id couldn't be read: whoever it
// names would be archived although listed.
func (r *run) readWhole(tx *Reader) error {
	if !r.im.Sync.Archive {
		return nil
	}
	return r.eachFaulty(tx, r.job.ID, func(row *settled) error {
		for _, f := range row.faults {
			unread := slices.Contains(unreadable, tabular.Code(f.Code)) || f.Field == Field(sourceOf+r.im.Sync.System)
			if unread && row.outcome == Refused && row.id == 0 {
				return fmt.Errorf("exchange: synchronise with %s: nobody is archived: %w: mend it and import the whole list again: %s", r.im.Sync.System, ErrUnreadable, f)
			}
		}
		return nil
	})
}

// unreadable are the faults of rows that can't be read at all.
var unreadable = []tabular.Code{tabular.OpenQuote, tabular.RowTooLarge, tabular.TooManyCells, tabular.BadJSON, tabular.UnknownKey}

// archived counts what an import archived, also before it was cut off.
func (s *Store) archived(ctx context.Context, session Session, job JobID) (n int, err error) {
	err = session.view(ctx, func(r *Reader) error {
		n = 0
		for row, err := range s.rows.Records(r.Storage, everyRow(job), true) {
			if err != nil || row.key.row < archivedRow {
				return err
			}
			n++
		}
		return nil
	})
	return n, err
}

// missing yields the active and suspended customers of a system that no row of an import
// has.
func (s Session) missing(r *Reader, job JobID, system string) iter.Seq2[customer.ID, error] {
	return func(yield func(customer.ID, error) bool) {
		var seen bitset.Set
		for row, err := range s.Imports.rows.Records(r.Storage, everyRow(job), false) {
			if err != nil {
				yield(0, err)
				return
			}
			if row.id != 0 && row.key.row < archivedRow {
				seen.Add(uint64(row.id))
			}
		}
		for c, err := range r.Customers.BySystem(system) {
			if err != nil {
				yield(0, err)
				return
			}
			if c.Status <= customer.Suspended && !seen.Contains(uint64(c.ID)) && !yield(c.ID, nil) {
				return
			}
		}
	}
}

// Missing returns the customers of another system that its list, imported with Sync,
// hasn't, by id, as the book is now.
func (s Session) Missing(ctx context.Context, job JobID, system string) (list []customer.ID, err error) {
	err = s.view(ctx, func(r *Reader) error {
		list = nil
		for id, err := range s.missing(r, job, system) {
			if err != nil {
				return err
			}
			list = append(list, id)
		}
		return nil
	})
	return list, err
}
