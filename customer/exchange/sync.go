package exchange

import (
	"cmp"
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

// listing is whom the rows of an import are about.
type listing struct {
	all     bitset.Set
	created bitset.Set // of them, those that the import created
}

func (l *listing) add(id customer.ID, o Outcome) {
	if id == 0 {
		return
	}
	l.all.Add(uint64(id))
	if o == Created {
		l.created.Add(uint64(id))
	}
}

// synchronise counts the customers of the other system that the file hasn't, and archives
// them if asked to.
func (r *run) synchronise(ctx context.Context) (missing int, err error) {
	var gone []customer.ID
	err = r.view(ctx, func(tx *Reader) (err error) {
		gone = nil
		listed := &r.listed
		if !r.im.DryRun {
			if err := r.readWhole(tx); err != nil {
				return err
			}
			if listed, err = r.Imports.listed(tx, r.job.ID); err != nil {
				return err
			}
		}
		known := 0
		for id, err := range current(tx, r.im.Sync.System) {
			if err != nil {
				return err
			}
			if !listed.created.Contains(uint64(id)) {
				known++
			}
			if !listed.all.Contains(uint64(id)) {
				gone = append(gone, id)
			}
		}
		return r.checkShare(len(gone), known)
	})
	if err != nil || !r.im.Sync.Archive || r.im.DryRun {
		return len(gone), err
	}
	for part := range slices.Chunk(gone, updateRows) {
		if err := r.archive(ctx, part); err != nil {
			return 0, err
		}
	}
	return r.Imports.archived(ctx, r.Session, r.job.ID)
}

// archive archives customers that the list hasn't, each with a row of the import.
func (r *run) archive(ctx context.Context, gone []customer.ID) error {
	return r.holding(ctx, func(tx *Tx) error {
		for _, id := range gone {
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
}

// maxPercent is how many of a system's customers a list may lack, if nothing else is said.
const maxPercent = 20

// checkShare refuses to archive by a list that lacks suspiciously many of the customers
// that its system had before. An import that was cut off while it archived has a smaller
// share before it, never a larger one.
func (r *run) checkShare(missing, known int) error {
	most := cmp.Or(r.im.Sync.MaxPercent, maxPercent)
	if !r.im.Sync.Archive || missing*100 <= known*most {
		return nil
	}
	return &ShortListError{System: r.im.Sync.System, Missing: missing, Customers: known, MaxPercent: most}
}

// current yields the active and suspended customers of a system, each once.
func current(r *Reader, system string) iter.Seq2[customer.ID, error] {
	return func(yield func(customer.ID, error) bool) {
		var told bitset.Set
		for c, err := range r.Customers.BySystem(system) {
			if err != nil {
				yield(0, err)
				return
			}
			if c.Status > customer.Suspended || told.Contains(uint64(c.ID)) {
				continue
			}
			if told.Add(uint64(c.ID)); !yield(c.ID, nil) {
				return
			}
		}
	}
}

// readWhole refuses to archive by a list of which a row's id couldn't be read: whoever it
// names would be archived although listed.
func (r *run) readWhole(tx *Reader) error {
	if !r.im.Sync.Archive {
		return nil
	}
	for row, err := range r.refused(tx, r.job.ID) {
		if err != nil {
			return err
		}
		for _, f := range row.faults {
			unread := slices.Contains(unreadable, tabular.Code(f.Code)) || f.Field == Field(sourceOf+r.im.Sync.System)
			if unread && row.id == 0 {
				return fmt.Errorf("exchange: synchronise with %s: nobody is archived: %w: mend it and import the whole list again: %s", r.im.Sync.System, ErrUnreadable, f)
			}
		}
	}
	return nil
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

// listed returns whom the rows of an import are about.
func (s *Store) listed(r *Reader, job JobID) (*listing, error) {
	l := &listing{}
	for row, err := range s.rows.Records(r.Storage, everyRow(job), false) {
		if err != nil {
			return nil, err
		}
		if row.key.row < archivedRow {
			l.add(row.id, row.outcome)
		}
	}
	return l, nil
}

// Missing returns the customers of another system that its list, imported with Sync,
// hasn't, by id, as the book is now.
func (s Session) Missing(ctx context.Context, job JobID, system string) (list []customer.ID, err error) {
	err = s.view(ctx, func(r *Reader) error {
		list = nil
		listed, err := s.Imports.listed(r, job)
		if err != nil {
			return err
		}
		for id, err := range current(r, system) {
			if err != nil {
				return err
			}
			if !listed.all.Contains(uint64(id)) {
				list = append(list, id)
			}
		}
		return nil
	})
	return list, err
}
