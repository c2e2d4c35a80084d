package search

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
)

// ViewName is the search index's name among a book's views.
const ViewName = "search"

// View keeps an [Index] in step with a book's journal; it is a [storage.DerivedView].
type View struct {
	index     *Index
	customers *customer.Store
}

// OpenView opens the index in dir for a book's customers. An index that is missing,
// damaged or made otherwise is replaced by an empty one, which the book then fills.
func OpenView(dir string, customers *customer.Store, options Options) (*View, error) {
	index, err := Open(dir, options)
	if errors.Is(err, ErrMissing) || errors.Is(err, ErrCorrupt) || errors.Is(err, ErrRebuild) {
		index, err = Create(dir, options)
	}
	if errors.Is(err, ErrLocked) {
		return nil, fmt.Errorf("%w: %w", storage.ErrInUse, err)
	}
	if err != nil {
		return nil, err
	}
	return &View{index: index, customers: customers}, nil
}

// Index returns the index.
func (v *View) Index() *Index { return v.index }

// Name implements [storage.DerivedView].
func (v *View) Name() string { return ViewName }

// Close closes the index.
func (v *View) Close() error { return v.index.Close() }

// Cursor implements [storage.DerivedView].
func (v *View) Cursor(context.Context) (storage.Cursor, error) {
	position, book, err := v.index.place()
	return storage.Cursor{Book: book, Position: kv.Position(position)}, err
}

// Apply reads each changed customer once, in its newest version, and indexes it.
func (v *View) Apply(ctx context.Context, r *storage.Reader, changes []storage.Change, to storage.Cursor) error {
	after, err := v.index.Cursor()
	if err != nil {
		return err
	}
	batch := Batch{After: after, Cursor: uint64(to.Position), Book: to.Book}
	customers := v.customers.Reader(r)
	seen := map[customer.ID]bool{}
	for _, entry := range changes {
		list, err := customer.Changes(entry)
		if err != nil {
			return err
		}
		for _, change := range list {
			if seen[change.ID] {
				continue
			}
			seen[change.ID] = true
			c, err := customers.Exact(change.ID)
			switch {
			case errors.Is(err, customer.ErrNotFound):
				batch.Remove = append(batch.Remove, change.ID)
			case err != nil:
				return err
			default:
				batch.Put = append(batch.Put, c)
			}
		}
	}
	return v.index.Apply(ctx, batch)
}

// Rebuild makes the index anew and lets it take over when it is complete.
func (v *View) Rebuild(ctx context.Context, r *storage.Reader, to storage.Cursor, progress func(done int)) error {
	return v.index.Build(ctx, v.all(r), to.Book, uint64(to.Position), progress)
}

// all yields every customer in the order of their ids.
func (v *View) all(r *storage.Reader) iter.Seq2[*customer.Customer, error] {
	return v.customers.Reader(r).List(customer.List{Statuses: customer.AllStatuses()})
}

// Verify compares the versions in the index with those of the customers.
func (v *View) Verify(ctx context.Context, r *storage.Reader, report func(storage.Difference)) error {
	if err := v.index.Check(ctx); err != nil {
		report(difference("files", err.Error()))
		return ctx.Err()
	}
	next, stop := iter.Pull2(v.index.Entries(ctx))
	defer stop()
	entry, err, more := next()
	for c, failed := range v.all(r) {
		if failed != nil {
			return failed
		}
		for more && err == nil && entry.ID < c.ID {
			report(difference("customer "+entry.ID.String(), "is indexed but not in the book"))
			entry, err, more = next()
		}
		if err != nil {
			return err
		}
		switch {
		case !more || entry.ID > c.ID:
			report(difference("customer "+c.ID.String(), "is not indexed"))
			continue
		case entry.Version != c.Version:
			report(difference("customer "+c.ID.String(), fmt.Sprintf("is indexed at version %d, not %d", entry.Version, c.Version)))
		}
		entry, err, more = next()
	}
	for ; more && err == nil; entry, err, more = next() {
		report(difference("customer "+entry.ID.String(), "is indexed but not in the book"))
	}
	return err
}

func difference(key, problem string) storage.Difference {
	return storage.Difference{Where: ViewName, Key: key, Problem: problem, Derived: true}
}
