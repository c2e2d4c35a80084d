package customer

import (
	"context"
	"errors"
	"iter"
	"sort"

	"github.com/clientele-go/clientele/storage"
)

// LoadOptions set how a bulk load runs. The zero value works.
type LoadOptions struct {
	// Refused is called for each draft that was left out, with its number from 0 and a
	// *ValidationError or *DuplicateError; drafts with a value that another one has are
	// reported a while after they were taken. Without it the first ends the load.
	Refused func(row int, err error)
	// Progress is called now and then with the number of drafts taken.
	Progress func(rows int)
}

// progressEvery is the number of rows between two calls of Progress.
const progressEvery = 10000

// Load creates customers in bulk, with all indexes, counts and journal entries. Parts
// of some ten thousand rows become visible and durable one after another; Loaded tells
// how many rows are in the book, also after an error. Drafts without a code draw one,
// but not from a gapless range; one whose number somebody has typed in by hand is refused
// as a duplicate.
func (s *Store) Load(ctx context.Context, st *storage.Store, session storage.Session, opts LoadOptions, drafts iter.Seq2[Draft, error]) (storage.Loaded, error) {
	schema, err := s.readSchema(ctx, st)
	if err != nil {
		return storage.Loaded{}, err
	}
	var skipped []int // the loader's rows before which a draft was refused
	load := storage.LoadOptions{}
	if opts.Refused != nil {
		load.Refused = func(err *storage.RefusedError) {
			before := sort.SearchInts(skipped, err.Row+1)
			opts.Refused(err.Row+before, s.duplicate(err))
		}
	}
	loaded, err := st.Load(ctx, session, load, func(l *storage.Loader) error {
		row := 0
		for d, err := range drafts {
			if err != nil {
				return err
			}
			err := s.loadOne(l, schema, d)
			var invalid *ValidationError
			switch {
			case err == nil:
				err = l.Next()
			case errors.As(err, &invalid) && opts.Refused != nil:
				skipped = append(skipped, l.Row())
				opts.Refused(row, err)
				err = nil
			}
			if err != nil {
				return err
			}
			if row++; row%progressEvery == 0 {
				if err := ctx.Err(); err != nil {
					return err
				}
				if opts.Progress != nil {
					opts.Progress(row)
				}
			}
		}
		return nil
	})
	loaded.Refused += len(skipped)
	return loaded, s.duplicate(err)
}

func (s *Store) readSchema(ctx context.Context, st *storage.Store) (schema *Schema, err error) {
	err = st.View(ctx, func(r *storage.Reader) error {
		schema, err = s.Reader(r).Schema()
		return err
	})
	return schema, err
}

func (s *Store) loadOne(l *storage.Loader, schema *Schema, d Draft) error {
	c := d.customer()
	if err := s.normalise(c, nil, schema); err != nil {
		return err
	}
	if c.Code == "" {
		if err := s.loadCode(l, c); err != nil {
			return err
		}
	}
	id, err := s.ids.Load(l, nil)
	if err != nil {
		return err
	}
	c.ID, c.Created = ID(id), l.Now()
	return s.customer.Load(l, c.ID, c, uint8(Created))
}

func (s *Store) loadCode(l *storage.Loader, c *Customer) (err error) {
	r := s.rangeFor(c.Owner)
	if r.Gapless {
		p := problems{}
		p.add("Code", r.Template, CodeRequired, "is required: a bulk load can't draw from a gapless range", "give codes, or create the customers one by one")
		return p.err()
	}
	c.Code, err = r.code(l.Now(), c.Owner, func(key storage.Key) (uint64, error) { return s.codes.Load(l, key) })
	return err
}

// reindexBatch bounds one transaction of a reindex.
const reindexBatch = 200

// Reindex brings the index of custom attributes in line with the schema: customers
// whose stored values were indexed otherwise get a new version with the same content.
// It returns how many that were, can be stopped and run again.
func (s *Store) Reindex(ctx context.Context, st *storage.Store, session storage.Session) (int, error) {
	changed, from := 0, ID(1)
	for from != 0 {
		var done int
		next := ID(0)
		_, err := st.Update(ctx, session, func(tx *storage.Tx) (err error) {
			done, next, err = s.Tx(tx).reindex(from)
			return err
		})
		if err != nil {
			return changed, err
		}
		changed, from = changed+done, next
	}
	return changed, nil
}

// reindex treats a batch of customers and returns where the next begins.
func (tx *Tx) reindex(from ID) (changed int, next ID, err error) {
	schema, err := tx.Schema()
	if err != nil {
		return 0, 0, err
	}
	var stale []*Customer
	keys := List{From: List{}.After(&Customer{ID: from - 1}), Statuses: []Status{Active, Suspended, Archived}}
	seen := 0
	for c, err := range tx.List(keys) {
		if err != nil {
			return 0, 0, err
		}
		if seen++; seen > reindexBatch {
			next = c.ID
			break
		}
		if schema.stale(c) {
			stale = append(stale, c)
		}
	}
	for _, c := range stale {
		for i := range c.Attributes {
			spec, _ := schema.Spec(c.Attributes[i].Name)
			c.Attributes[i].indexed = spec.Indexed
		}
		if _, err := tx.put(c, c.Version, Updated); err != nil {
			return 0, 0, err
		}
	}
	return len(stale), next, nil
}

// stale reports whether an attribute is indexed otherwise than declared.
func (s *Schema) stale(c *Customer) bool {
	for _, a := range c.Attributes {
		if spec, _ := s.Spec(a.Name); spec.Indexed != a.indexed {
			return true
		}
	}
	return false
}
