package stocktake

import (
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
)

// Definition returns a saved definition, or an error that wraps ErrNotFound.
func (r *Reader) Definition(name string) (*Definition, error) {
	return r.store.definition.Get(r.storage, name)
}

// DefinitionVersion returns one version of a definition.
func (r *Reader) DefinitionVersion(name string, version uint64) (*Definition, error) {
	return r.store.definition.AtVersion(r.storage, name, version)
}

// Definitions yields the saved definitions by name, retired ones too.
func (r *Reader) Definitions() iter.Seq2[*Definition, error] {
	return r.store.definition.Records(r.storage, kv.Range{}, false)
}

// SaveDefinition stores a definition as a new version and returns it. Version is that
// which the caller read, 0 for a new one; a stale one is an error that wraps ErrConflict.
// It needs the right to review. What it names must be in the book, unless it is retired:
// dimensions, attributes, units, saved filters, receivables; otherwise the error, which wraps
// ErrInvalid, names the field and the value.
func (tx *Tx) SaveDefinition(d Definition) (*Definition, error) {
	if err := tx.review(); err != nil {
		return nil, err
	}
	if err := d.check(opSave); err != nil {
		return nil, err
	}
	old, err := tx.Definition(d.Name)
	switch {
	case errors.Is(err, ErrNotFound):
		old = &Definition{}
	case err != nil:
		return nil, err
	}
	if d.Version != old.Version {
		return nil, &Error{Op: opSave, Field: "Definition.Version", Value: fmt.Sprint(d.Version), Remedy: fmt.Sprintf("read version %d and change that", old.Version), Err: ErrConflict}
	}
	d.unknown = old.unknown
	if err := tx.freeze(&d, old); err != nil {
		return nil, err
	}
	if err := tx.store.definition.Put(tx.tx, d.Name, &d, uint8(Saved)); err != nil {
		return nil, err
	}
	return tx.Definition(d.Name)
}

// freeze checks that the book has what a definition names, and replaces saved filters by
// what they are now. A retired one stays as it was: what it names may be gone.
func (tx *Tx) freeze(d, old *Definition) error {
	if d.Retired {
		d.Expanded = old.Expanded
		return nil
	}
	all := customer.Unscoped(tx.customers)
	f := &fitting{opSave, all, tx.store.beside(tx.storage, all), tx.tx.Now()}
	if err := f.check(d); err != nil {
		return err
	}
	d.Expanded = ""
	if d.Filter == "" {
		return nil
	}
	var err error
	d.Expanded, err = f.expand(d.Filter)
	return err
}

// Due is a count that should be made.
type Due struct {
	Definition *Definition
	// Opening and Closing bound the period: give them to [Session.Run] in an Ask.
	Opening, Closing Instant
}

// maxMissed bounds how many missed periods of one definition are due at once.
const maxMissed = 24

// Due returns what to run at an instant: for each definition with a schedule the periods
// that are over and have no run, since the last that has one; where none has one, the last
// period. Runs over other periods don't count. The embedder owns the timer.
func (r *Reader) Due(now time.Time) ([]Due, error) {
	if err := r.review(); err != nil {
		return nil, err
	}
	var due []Due
	for d, err := range r.Definitions() {
		if err != nil {
			return nil, err
		}
		if d.Every == Never || d.Retired {
			continue
		}
		missed, err := r.missed(d, now)
		if err != nil {
			return nil, err
		}
		due = append(due, missed...)
	}
	return due, nil
}

// missed is the periods of a definition that have no run.
func (r *Reader) missed(d *Definition, now time.Time) ([]Due, error) {
	zone, err := d.location("list due counts")
	if err != nil {
		return nil, err
	}
	last := time.Time{}
	for run, err := range r.RunsOf(d.Name) {
		if err != nil {
			return nil, err
		}
		begin, end := d.Every.begin(run.Closing.Time.Add(-1), zone), run.Closing.Time
		if end.Equal(d.Every.begin(end, zone)) && run.Opening.Time.Equal(begin) && end.After(last) {
			last = run.Closing.Time
		}
	}
	var missed []Due
	for end := d.Every.begin(now, zone); len(missed) < maxMissed && end.After(last); {
		begin := d.Every.begin(end.Add(-1), zone)
		missed = append([]Due{{d, Instant{Time: begin.UTC()}, Instant{Time: end.UTC()}}}, missed...)
		if last.IsZero() {
			break
		}
		end = begin
	}
	return missed, nil
}

// begin is the first instant of the period that an instant is in.
func (e Every) begin(t time.Time, zone *time.Location) time.Time {
	first := monthOf(t, zone)
	switch y, m, _ := first.Date(); e {
	case Quarterly:
		return firstOf(y, m-(m-1)%3, zone)
	case Yearly:
		return firstOf(y, time.January, zone)
	}
	return first
}

// RunsOf yields the runs of a definition by their closing, oldest first.
func (r *Reader) RunsOf(name string) iter.Seq2[*Run, error] {
	return r.listed(r.store.byName, storage.Key(nil).String(name), func(rest storage.Key) (storage.Key, error) {
		_, rest, err := rest.CutUint()
		return rest, err
	})
}

// listed yields runs under a key of an index whose other parts cut removes.
func (r *Reader) listed(x *storage.Index[*Run], prefix storage.Key, cut func(storage.Key) (storage.Key, error)) iter.Seq2[*Run, error] {
	return func(yield func(*Run, error) bool) {
		if err := r.mayRead(); err != nil {
			yield(nil, err)
			return
		}
		for e, err := range r.store.run.Entries(r.storage, x, kv.Prefix(prefix), false) {
			var run *Run
			var rest storage.Key
			if err == nil {
				rest, err = cut(e.Key()[len(prefix):])
			}
			var id RunID
			if err == nil {
				id, err = e.Primary(rest)
			}
			if err == nil {
				run, err = r.store.run.Get(r.storage, id)
			}
			if !yield(run, err) || err != nil {
				return
			}
		}
	}
}
