package storage

import (
	"context"
	"fmt"
	"time"

	"github.com/clientele-go/clientele/storage/kv"
)

// Difference is one place where stored data does not agree with itself.
type Difference struct {
	Where   string // table, index, "ledger" or a view's name
	Key     string // readable
	Problem string
	Derived bool // Repair can mend it from the records
}

func (d Difference) String() string { return d.Where + " " + d.Key + ": " + d.Problem }

// Report is what Verify found.
type Report struct {
	Position    kv.Position // the state that was verified
	Records     int64       // records read
	Versions    int64       // earlier versions read
	IndexKeys   int64       // index entries read
	Differences []Difference
	More        int64 // differences beyond those listed
}

// maxDifferences bounds a report's list.
const maxDifferences = 1000

// OK reports whether nothing differed.
func (r *Report) OK() bool { return len(r.Differences) == 0 }

// Add adds a difference that a package found in what it derives itself.
func (r *Report) Add(d Difference) { r.add(d) }

func (r *Report) add(d Difference) {
	if len(r.Differences) == maxDifferences {
		r.More++
		return
	}
	r.Differences = append(r.Differences, d)
}

// Verify reads the whole book once and compares what is stored twice: index
// entries with those that the records would have, every version's digest with the
// journal's, counts and sequences with the records, the Merkle tree with the journal,
// views with the records, and what checks add. It also names keys that nothing declared
// accounts for. It runs on a snapshot beside writers, on all cores (GOMAXPROCS), in
// memory that doesn't grow with the book; views are compared only up to their own lag.
//
// Entries are first compared as sums of hashes, one pass each; only where the sums
// differ does Verify look for the entries by name. The report is the same on however
// many cores.
//
// progress may be nil. It is called from one goroutine at a time, with figures that rise
// about evenly and meet at the end. When ctx ends, or a read fails, Verify returns the
// error and what was found until then.
func (s *Store) Verify(ctx context.Context, progress func(done, total int), checks ...Check) (*Report, error) {
	defer s.observe("verify", time.Now())
	r, err := s.durableReader(ctx)
	if err != nil {
		return nil, &Error{Op: "verify", Err: err}
	}
	defer r.end()
	position, err := r.Position()
	if err != nil {
		return nil, &Error{Op: "verify", Err: err}
	}
	report := &Report{Position: position}
	v, err := newVerification(ctx, r)
	if err == nil {
		err = s.addParts(v, checks)
	}
	if err != nil {
		return report, &Error{Op: "verify", Err: err}
	}
	return report, v.run(report, progress)
}

// addParts adds everything that is to be verified, in the order of the report.
func (s *Store) addParts(v *Verification, checks []Check) error {
	journal := &journalCheck{store: s, sums: map[uint8]*sum{}}
	var tables []*tableCheck
	for _, t := range s.schema.Tables {
		c := newTableCheck(t.describe())
		if err := c.addTo(v); err != nil {
			return err
		}
		tables = append(tables, c)
		if c.history {
			journal.sums[c.id] = &sum{}
		}
	}
	v.Part("book", s.verifyMeta)
	v.Part("key space", s.verifyKeySpace)
	if err := journal.addTo(v, tables); err != nil {
		return err
	}
	for _, run := range s.runners {
		v.Part(run.view.Name(), func(r *Reader, report *Report) error { return run.verify(r.ctx, report) })
	}
	for _, check := range checks {
		if err := check(v); err != nil {
			return err
		}
	}
	return nil
}

// verify brings the view exactly to a reader's state and compares it with that.
func (r *runner) verify(ctx context.Context, report *Report) error {
	r.work.Lock()
	defer r.work.Unlock()
	reader, err := r.store.durableReader(ctx)
	if err != nil {
		return err
	}
	defer reader.end()
	if err := r.catchUpWith(ctx, reader); err != nil {
		report.add(Difference{Where: r.view.Name(), Key: "view", Problem: err.Error(), Derived: true})
		return ctx.Err()
	}
	return r.view.Verify(ctx, reader, report.add)
}

// catchUpWith applies the journal up to the reader's position and no further.
func (r *runner) catchUpWith(ctx context.Context, reader *Reader) error {
	position, err := reader.Position()
	if err != nil {
		return err
	}
	cursor, err := r.view.Cursor(ctx)
	if err != nil || cursor.Position >= position {
		return err
	}
	for at := cursor.Position; at < position; {
		next, err := r.next(ctx, at)
		if err != nil {
			return err
		}
		next.end(position)
		if next.upTo == at {
			return fmt.Errorf("%w: the journal ends after entry %d, the records are at %d", ErrCorrupt, at, position)
		}
		if err := r.view.Apply(ctx, reader, next.changes, Cursor{r.store.book, next.upTo}); err != nil {
			return err
		}
		at = next.upTo
		r.move(at)
	}
	return nil
}

// end cuts off what is beyond a position.
func (s *step) end(position kv.Position) {
	s.upTo = min(s.upTo, position)
	for n := len(s.changes); n > 0 && s.changes[n-1].Position > position; n-- {
		s.changes = s.changes[:n-1]
	}
}
