package exchange

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/orgtree"
	"github.com/clientele-go/clientele/storage/kv"
	"github.com/clientele-go/clientele/tagging"
)

// Dependent is a record that keeps an import from being undone.
type Dependent struct {
	Row      int         // of the file; 0 for a customer that a Sync archived
	Customer customer.ID // 0 for a unit
	Reason   string
}

// maxDependents is how many a DependentsError lists.
const maxDependents = 1000

// Undo takes back a whole import, also one that was cut off: customers that it created
// are discarded, those that it changed are as before with the tags of before, those that
// it archived are active. Units that it created are closed and changed ones as before,
// documents are reversed, scores removed. While anything that came later depends on it,
// nothing is changed and the *DependentsError lists what. An Undo that was cut off is
// gone on with by calling it again.
func (s Session) Undo(ctx context.Context, id JobID) error {
	subject, err := s.undoable(ctx, id)
	if err != nil {
		return err
	}
	for upper, left := uint64(math.MaxUint64), true; left; {
		if upper, left, err = s.undoSome(ctx, id, subject, upper); err != nil {
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

// undoable returns what an import's rows are, and an error if anything depends on it.
func (s Session) undoable(ctx context.Context, id JobID) (subject Subject, err error) {
	depended := &DependentsError{}
	err = s.view(ctx, func(r *Reader) error {
		*depended = DependentsError{}
		job, err := s.job(r, id)
		if err != nil {
			return err
		}
		if job.State == Undone {
			return fmt.Errorf("exchange: undo: import %d is undone already: %w", id, customer.ErrStatus)
		}
		mapping, err := ParseMapping([]byte(job.Mapping))
		if err != nil {
			return err
		}
		subject = mapping.Subject
		d := dependents{session: s, reader: r, subject: subject, former: map[customer.ID]uint64{}, tagged: map[customer.ID]bool{}}
		for row, err := range s.Imports.rows.Records(r.Storage, everyRow(id), true) {
			if err != nil {
				return err
			}
			reason, err := d.of(row)
			if err != nil {
				return err
			}
			depended.add(row, reason)
		}
		return nil
	})
	if err == nil && len(depended.Dependents) > 0 {
		return subject, depended
	}
	return subject, err
}

func (e *DependentsError) add(row *settled, reason string) {
	switch {
	case reason == "":
	case len(e.Dependents) == maxDependents:
		e.More++
	default:
		d := Dependent{Row: int(row.key.row), Customer: row.id, Reason: reason}
		if row.key.row >= archivedRow {
			d.Row = 0
		}
		e.Dependents = append(e.Dependents, d)
	}
}

// dependents finds what keeps an import's rows from being taken back. They come last first.
type dependents struct {
	session Session
	reader  *Reader
	subject Subject
	former  map[customer.ID]uint64 // versions that customers are at, or will be, once later rows are taken back
	tagged  map[customer.ID]bool   // whose tags a later row changed
}

// of tells why what a row did can't be taken back, empty if it can.
func (d *dependents) of(row *settled) (string, error) {
	if row.outcome == takenBack {
		d.former[row.id] = row.version
		return "", nil
	}
	if row.outcome != Created && row.outcome != Updated {
		return "", nil
	}
	switch d.subject {
	case Units:
		return d.unit(row)
	case Items, Balances:
		return d.reader.Items.Standing(row.entry)
	case Scores:
		return "", nil
	}
	return d.customer(row)
}

func (d *dependents) customer(row *settled) (string, error) {
	c, err := d.reader.Customers.Exact(row.id)
	if err != nil {
		return "", err
	}
	version, known := d.former[row.id]
	if row.outcome == Updated {
		d.former[row.id] = row.before()
	}
	switch {
	case c.Status == customer.Erased:
		return "the customer was erased since", nil
	case c.Status == customer.Merged:
		return fmt.Sprintf("it was merged into customer %s", c.Survivor), nil
	case c.Absorbed > 0:
		return "other customers were merged into it", nil
	case known && version != row.version && version != c.Version:
		return "the customer was changed since, by " + c.Actor, nil
	case !known && c.Version != row.version:
		return "the customer was changed since, by " + c.Actor, nil
	}
	if row.outcome == Created {
		for _, err := range d.session.Imports.scoresOf(d.reader.Storage, row.id) {
			return "it was given a credit score", err
		}
	}
	if reason, err := d.tags(row); reason != "" || err != nil || row.outcome == Updated {
		return reason, err
	}
	for _, inUse := range d.session.InUse {
		if reason, err := inUse(d.reader, row.id); reason != "" || err != nil {
			return reason, err
		}
	}
	return "", nil
}

// before is the customer's version before the row.
func (s *settled) before() uint64 {
	if s.former > 0 {
		return s.former
	}
	return s.version - 1
}

// tags tells whether somebody said something else since, in the dimensions of the tags
// that a row gave.
func (d *dependents) tags(row *settled) (string, error) {
	if len(row.tags) == 0 || d.tagged[row.id] {
		return "", nil
	}
	d.tagged[row.id] = true
	history, err := d.reader.Tags.History(row.id)
	if err != nil || len(history) == 0 {
		return "", err
	}
	given, dimensions := map[tagging.TagID]bool{}, map[tagging.DimensionID]bool{}
	for _, t := range row.tags {
		given[t] = true
	}
	var then *tagging.Tagged
	for _, t := range history {
		if t.Version == row.tagged+1 {
			then = t
		}
	}
	if then == nil {
		return "the customer's tags have lost their history", nil
	}
	for _, a := range then.Assignments {
		if given[a.Tag] {
			dimensions[a.Dimension] = true
		}
	}
	for _, a := range history[len(history)-1].Assignments {
		if a.Origin != tagging.Rule && dimensions[a.Dimension] && a.Assigned.After(then.Recorded) {
			return "the customer was tagged since, by " + a.Actor, nil
		}
	}
	return "", nil
}

// unit tells why a unit can't be taken back.
func (d *dependents) unit(row *settled) (string, error) {
	u, err := d.reader.Org.Unit(customer.UnitID(row.entry))
	if err != nil {
		return "", err
	}
	if u.Version != row.version {
		return "the unit was changed since, by " + u.Actor, nil
	}
	if row.outcome == Updated {
		return "", nil
	}
	n, err := d.reader.Org.Customers(u.ID)
	if n > 0 {
		return fmt.Sprintf("unit %s has %d customers", u.Code, n), err
	}
	return "", err
}

// undoSome takes some rows below a row back, the last first, so that a customer which
// several rows changed goes back step by step. It returns the row that it has come to,
// and whether there may be more.
func (s Session) undoSome(ctx context.Context, id JobID, subject Subject, upper uint64) (reached uint64, left bool, err error) {
	err = s.update(ctx, func(tx *Tx) error {
		var part []*settled
		left, reached = false, upper
		keys := kv.Range{Lower: rowKeyCodec.Append(nil, rowKey{id, 0}), Upper: rowKeyCodec.Append(nil, rowKey{id, upper})}
		for row, err := range s.Imports.rows.Records(&tx.Storage.Reader, keys, true) {
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
			if subject != Units { // of which parents may stand behind
				reached = row.key.row
			}
		}
		done := 0
		for _, row := range part {
			err := s.undo(tx, subject, row)
			if subject == Units && errors.Is(err, orgtree.ErrInUse) {
				continue // until the units below are closed
			}
			if err != nil {
				return err
			}
			done++
			if subject == Customers && row.outcome == Created {
				row.blank() // the customer is erased
			}
			row.outcome = takenBack
			if err := s.Imports.rows.Put(tx.Storage, row.key, row, uint8(Undone)+1); err != nil {
				return err
			}
		}
		if subject == Units {
			left = done > 0
			if done == 0 && len(part) > 0 {
				return fmt.Errorf("exchange: undo: row %d: %w: its unit is in use", part[0].key.row, ErrDepended)
			}
		}
		return nil
	})
	return reached, left, err
}

// undo takes a row back.
func (s Session) undo(tx *Tx, subject Subject, row *settled) error {
	switch subject {
	case Units:
		return undoUnit(tx, row)
	case Items, Balances:
		return tx.Items.Reverse(row.entry, fmt.Sprintf("undo of import %d, row %d", row.key.job, row.key.row))
	case Scores:
		return s.undoScore(tx, row)
	}
	if len(row.tags) > 0 && row.outcome == Updated {
		if _, err := tx.Tags.Retract(row.id, row.tagged, row.tags...); err != nil {
			return err
		}
	}
	version, err := s.undoCustomer(tx, row)
	row.version = version
	return err
}

// undoCustomer takes a customer's row back and returns its version then. Where several
// rows changed a customer, it has one version more for each that is taken back: what is
// restored is what stood before the row.
func (s Session) undoCustomer(tx *Tx, row *settled) (uint64, error) {
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
	if row.before() == row.version { // only tagged
		return present.Version, nil
	}
	before, err := tx.Customers.AtVersion(row.id, row.before())
	if errors.Is(err, customer.ErrNotFound) || errors.Is(err, customer.ErrErased) {
		return 0, fmt.Errorf("exchange: undo: row %d: customer %d has lost its former content: %w", row.key.row, row.id, err)
	}
	if err != nil {
		return 0, err
	}
	before.Version = present.Version
	c, err := tx.Customers.Update(before)
	if err == nil && before.Status == customer.Archived && c.Status != customer.Archived {
		c, err = tx.Customers.Archive(row.id)
	}
	if err != nil {
		return 0, err
	}
	return c.Version, nil
}
