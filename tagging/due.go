package tagging

import (
	"context"
	"iter"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
)

// settled returns a customer's record as it is at the reader's instant.
func (r *Reader) settled(id customer.ID) (*Tagged, error) {
	c, err := r.catalogue()
	if err != nil {
		return nil, err
	}
	t, err := r.store.tagged.Get(r.storage, id)
	if err != nil {
		return nil, err
	}
	return c.seen(t, r.now), nil
}

// dueEntry is a customer with something due.
type dueEntry struct {
	key storage.Key // of the index, lent
	id  customer.ID
}

// dueEntries yields who is due, the longest overdue first, from a key on.
func (r *Reader) dueEntries(from storage.Key) iter.Seq2[dueEntry, error] {
	return func(yield func(dueEntry, error) bool) {
		keys := kv.Range{Lower: from, Upper: storage.Key(nil).Uint(uint64(max(r.now.Unix(), 0)) + 1)}
		for e, err := range r.store.tagged.Entries(r.storage, r.store.due, keys, false) {
			var due dueEntry
			if err == nil {
				due, err = readDue(e)
			}
			if !yield(due, err) || err != nil {
				return
			}
		}
	}
}

func readDue(e storage.IndexEntry[customer.ID]) (dueEntry, error) {
	_, rest, err := e.Key().CutUint()
	if err != nil {
		return dueEntry{}, err
	}
	id, err := e.Primary(rest)
	return dueEntry{e.Key(), id}, err
}

// Job is what work on many customers needs, part by part: where, as whom, and on whose
// behalf.
type Job struct {
	Storage   *storage.Store
	Customers *customer.Store
	Session   storage.Session
	// Access is what the session's actor may see and do, asked anew for each part.
	Access customer.AccessAt
}

// jobPart is the number of customers in one transaction of a job.
const jobPart = 1000

// check reports a job that was not made by a session.
func (j *Job) check() error {
	if j.Storage == nil || j.Customers == nil {
		return &Error{Op: "work on many", Field: "Job", Code: customer.CodeRequired, Problem: "names no book", Remedy: "take it from a session", Err: ErrInvalid}
	}
	return nil
}

// view runs f on one state, narrowed as the job is.
func (s *Store) view(ctx context.Context, j *Job, f func(*Reader) error) error {
	if err := j.check(); err != nil {
		return err
	}
	return j.Storage.View(ctx, func(r *storage.Reader) error {
		access, err := j.Access.In(r)
		if err != nil {
			return err
		}
		return f(s.Reader(r, j.Customers.ReaderWith(r, access)))
	})
}

// update runs f in one transaction, narrowed as the job is.
func (s *Store) update(ctx context.Context, j *Job, f func(*Tx) error) error {
	if err := j.check(); err != nil {
		return err
	}
	_, err := j.Storage.Update(ctx, j.Session, func(tx *storage.Tx) error {
		access, err := j.Access.In(&tx.Reader)
		if err != nil {
			return err
		}
		return f(s.Tx(tx, j.Customers.TxWith(tx, access)))
	})
	return err
}

// Tick writes what the clock has changed: assignments that have begun, and those that
// have ended. It returns the number of customers that it changed. Queries are exact
// without it, but slower the more is due; a Book calls it every minute. It may be stopped
// and run again, and run in several processes. It concerns everybody, whatever the job
// may see.
func (s *Store) Tick(ctx context.Context, j Job) (changed int, err error) {
	j.Access = nil
	var from storage.Key
	for {
		ids, next, err := s.duePart(ctx, &j, from)
		if err != nil || len(ids) == 0 {
			return changed, err
		}
		n, err := s.settleAll(ctx, &j, ids)
		if changed += n; err != nil {
			return changed, err
		}
		from = next
	}
}

// duePart returns the next customers that are due, and where to go on after them.
func (s *Store) duePart(ctx context.Context, j *Job, from storage.Key) (ids []customer.ID, next storage.Key, err error) {
	err = s.view(ctx, j, func(r *Reader) error {
		for e, err := range r.dueEntries(from) {
			if err != nil {
				return err
			}
			next = append(append(next[:0], e.key...), 0)
			if ids = append(ids, e.id); len(ids) == jobPart {
				break
			}
		}
		return nil
	})
	return ids, next, err
}

// settleAll settles customers in one transaction.
func (s *Store) settleAll(ctx context.Context, j *Job, ids []customer.ID) (changed int, err error) {
	err = s.update(ctx, j, func(tx *Tx) error {
		changed = 0
		for _, id := range ids {
			settled, err := tx.Settle(id)
			if err != nil {
				return err
			}
			if settled {
				changed++
			}
		}
		return nil
	})
	return changed, err
}

// NextDue returns when the clock will next change somebody's tags, false for never.
func (r *Reader) NextDue() (time.Time, bool, error) {
	for e, err := range r.store.tagged.Entries(r.storage, r.store.due, kv.Range{}, false) {
		if err != nil {
			return time.Time{}, false, err
		}
		at, rest, err := e.Key().CutUint()
		if err != nil {
			return time.Time{}, false, err
		}
		id, err := e.Primary(rest)
		if err != nil {
			return time.Time{}, false, err
		}
		if seen, err := r.seesTags(id); err != nil || seen {
			return time.Unix(int64(at), 0).UTC(), seen, err
		}
	}
	return time.Time{}, false, nil
}
