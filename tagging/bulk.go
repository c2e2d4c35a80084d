package tagging

import (
	"context"
	"errors"
	"iter"
	"slices"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
)

// Bulk is one change of many customers: those of Query, or those of IDs. To mean
// everybody, say so by filter.All(); a Bulk that says nothing is an error.
type Bulk struct {
	Query Query         // used when IDs is nil
	IDs   []customer.ID // in any order
	After customer.ID   // go on after this one, as a Progress named it

	Tag     TagID  // to assign or remove
	Origin  Origin // Manual or Imported
	Replace bool   // as Tx.Replace does, not Tx.Assign
	Reason  string // at most 1,000 bytes

	// Refused is called for each customer that could not be changed, after its part is
	// written: one of another status, a tag that is in the way. Other errors end the job.
	Refused func(id customer.ID, err error)
	// Progress is called after each part.
	Progress func(Progress)
}

// Progress is what a bulk change has done so far.
type Progress struct {
	Changed, Unchanged, Refused int
	// After is the last customer that was treated: a job that was stopped goes on there.
	After customer.ID
}

// AssignAll gives many customers a tag, in parts that are each atomic and durable. It
// may be stopped by ctx and gone on with: from Progress.After, or again from the start,
// since who has the tag already is left alone. It costs some 20 µs a customer.
func (s *Store) AssignAll(ctx context.Context, j Job, b Bulk) (Progress, error) {
	return s.bulk(ctx, &j, &b, func(tx *Tx, id customer.ID) (*Tagged, bool, error) {
		return tx.add("assign", id, []Assignment{{Tag: b.Tag, Origin: b.Origin, Reason: b.Reason}}, b.Replace)
	})
}

// RemoveAll takes a tag from many customers, as AssignAll gives one.
func (s *Store) RemoveAll(ctx context.Context, j Job, b Bulk) (Progress, error) {
	return s.bulk(ctx, &j, &b, func(tx *Tx, id customer.ID) (*Tagged, bool, error) {
		return tx.eachTag("remove", id, []TagID{b.Tag}, (*edit).remove)
	})
}

type bulkChange func(*Tx, customer.ID) (after *Tagged, changed bool, err error)

func (s *Store) bulk(ctx context.Context, j *Job, b *Bulk, change bulkChange) (Progress, error) {
	done := Progress{After: b.After}
	if b.IDs == nil && b.Query.Filter == "" && b.Query.Expr == nil && len(b.Query.Statuses) == 0 {
		return done, &Error{Op: "change many", Field: "Query", Code: customer.CodeRequired, Problem: "says not whom to change, and IDs is nil", Remedy: "give Query.Expr the value filter.All() to mean everybody", Err: ErrInvalid}
	}
	if err := s.view(ctx, j, func(r *Reader) error { _, err := r.TagByID(b.Tag); return err }); err != nil {
		return done, err
	}
	ids := sortedIDs(b.IDs)
	for {
		part, err := s.bulkPart(ctx, j, b, ids, done.After)
		if err != nil || len(part) == 0 {
			return done, err
		}
		if err := s.bulkWrite(ctx, j, b, part, &done, change); err != nil {
			return done, err
		}
		if b.Progress != nil {
			b.Progress(done)
		}
	}
}

func sortedIDs(ids []customer.ID) []customer.ID {
	ids = slices.Clone(ids)
	slices.Sort(ids)
	return slices.Compact(ids)
}

// bulkPart returns the next customers to change.
func (s *Store) bulkPart(ctx context.Context, j *Job, b *Bulk, ids []customer.ID, after customer.ID) (part []customer.ID, err error) {
	if b.IDs != nil {
		from, found := slices.BinarySearch(ids, after)
		if found {
			from++
		}
		return ids[from:min(from+jobPart, len(ids))], nil
	}
	err = s.view(ctx, j, func(r *Reader) error {
		part, err = collect(r.IDs(b.Query, after), jobPart)
		return err
	})
	return part, err
}

func collect(ids iter.Seq2[customer.ID, error], most int) (part []customer.ID, err error) {
	for id, err := range ids {
		if err != nil {
			return nil, err
		}
		if part = append(part, id); len(part) == most {
			break
		}
	}
	return part, nil
}

// refusal is a customer that could not be changed.
type refusal struct {
	id  customer.ID
	err error
}

// bulkWrite changes the customers of one part in one transaction.
func (s *Store) bulkWrite(ctx context.Context, j *Job, b *Bulk, part []customer.ID, done *Progress, change bulkChange) error {
	var changed int
	var refused []refusal
	err := s.update(ctx, j, func(tx *Tx) error {
		changed, refused = 0, nil
		for _, id := range part {
			_, did, err := change(tx, id)
			switch {
			case did && err == nil:
				changed++
			case isRefusal(err):
				refused = append(refused, refusal{id, err})
			case err != nil:
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	done.Changed += changed
	done.Refused += len(refused)
	done.Unchanged += len(part) - changed - len(refused)
	done.After = part[len(part)-1]
	if b.Refused != nil {
		for _, r := range refused {
			b.Refused(r.id, r.err)
		}
	}
	return nil
}

// isRefusal tells an error about one customer from one that concerns all.
func isRefusal(err error) bool {
	for _, about := range []error{ErrNotFound, ErrExclusive, ErrDenied, storage.ErrLimit, customer.ErrStatus, customer.ErrErased} {
		if errors.Is(err, about) && !errors.Is(err, ErrUnknownTag) {
			return true
		}
	}
	return false
}
