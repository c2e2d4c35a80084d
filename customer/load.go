package customer

import (
	"context"
	"errors"
	"iter"

	"github.com/clientele-go/clientele/storage"
)

// LoadOptions set how a bulk load runs. The zero value works.
type LoadOptions struct {
	// PartBytes bounds a part of the load, of which two are in memory; 0 follows the cache of the
	// book, as in [storage.LoadOptions].
	PartBytes int
	// Refused is called for each draft that was left out, with its number from 0 and a
	// *ValidationError or *DuplicateError; drafts with a value that another one has are
	// reported a while after they were taken. Without it the first ends the load.
	Refused func(row int, err error)
	// Progress is called now and then with the number of drafts taken.
	Progress func(rows int)
	// Add is called on any core for each customer on its way into the book, with its
	// draft's number from 0, to load records of other tables in the same part.
	Add func(l *storage.Loader, row int, c *Customer) error
	// Access is what the actor may do: create the drafts, as of the state on which each part
	// is committed, and know who has a value that a refused draft has too.
	Access AccessAt
}

// progressEvery is the number of rows between two calls of Progress.
const progressEvery = 10000

// schemaEvery is the number of drafts that one reading of the schema is for.
const schemaEvery = 1000

// Load creates customers in bulk, with all indexes, counts and journal entries. Parts
// of some ten thousand rows become visible and durable one after another; Loaded tells
// how many rows are in the book, also after an error. Drafts are checked and encoded on
// all cores; their slices may be used again as soon as drafts is asked for the next. A
// schema that is changed meanwhile holds some thousand drafts later.
//
// Drafts without a code draw one, but not from a gapless range. Codes that the book has
// when they would be drawn, or that an earlier draft has, are passed over.
func (s *Store) Load(ctx context.Context, st *storage.Store, session storage.Session, opts LoadOptions, drafts iter.Seq2[Draft, error]) (storage.Loaded, error) {
	ld := &loading{Store: s, ctx: ctx, storage: st, opts: opts, draws: map[drawID]*codeDraw{}}
	ld.permits.access, ld.permits.placing = opts.Access, s.placing
	options := storage.LoadOptions{PartBytes: opts.PartBytes}
	if !ld.permits.none() {
		options.Check = ld.permits.askAll
	}
	if opts.Refused != nil {
		options.Refused = func(err *storage.RefusedError) { opts.Refused(err.Row, ld.taken(err)) }
	}
	work := storage.RowWork[loadRow]{Prepare: ld.prepare, Place: ld.place, Add: ld.add, LeftOut: ld.leftOut}
	loaded, err := storage.LoadRows(ctx, st, session, options, work, func(l *storage.RowLoader[loadRow]) error {
		return ld.fill(l, drafts)
	})
	return loaded, ld.taken(err)
}

// loading is one bulk load.
type loading struct {
	*Store
	ctx     context.Context
	storage *storage.Store
	opts    LoadOptions
	draws   map[drawID]*codeDraw
	permits loadPermits
}

// loadRow is a customer on its way into the book.
type loadRow struct {
	customer Customer
	schema   *Schema
	lists    Draft // whose memory the customer's lists use again
}

// take makes the row a customer of the draft.
func (x *loadRow) take(d *Draft) {
	room := &x.lists
	room.Aliases = append(room.Aliases[:0], d.Aliases...)
	room.Identifiers = append(room.Identifiers[:0], d.Identifiers...)
	room.Phones = append(room.Phones[:0], d.Phones...)
	room.Emails = append(room.Emails[:0], d.Emails...)
	room.Addresses = append(room.Addresses[:0], d.Addresses...)
	room.Contacts = append(room.Contacts[:0], d.Contacts...)
	room.Attributes = append(room.Attributes[:0], d.Attributes...)
	room.SourceKeys = append(room.SourceKeys[:0], d.SourceKeys...)
	x.customer = Customer{
		Code: d.Code, Kind: d.Kind, Party: d.Party, Name: d.Name, Aliases: room.Aliases, Country: d.Country,
		Identifiers: room.Identifiers, Phones: room.Phones, Emails: room.Emails, Addresses: room.Addresses,
		Contacts: room.Contacts, Website: d.Website, Note: d.Note, Owner: d.Owner, Rep: d.Rep,
		Attributes: room.Attributes, SourceKeys: room.SourceKeys,
	}
}

// fill hands the drafts over.
func (ld *loading) fill(l *storage.RowLoader[loadRow], drafts iter.Seq2[Draft, error]) error {
	var schema *Schema
	for d, err := range drafts {
		if err != nil {
			return err
		}
		if l.Number()%schemaEvery == 0 {
			if schema, err = ld.readSchema(ld.ctx, ld.storage); err != nil {
				return err
			}
			ld.permits.again()
		}
		if err := ld.permit(&d); err != nil {
			return err
		}
		row := l.Row()
		row.take(&d)
		row.schema = schema
		if err := l.Next(); err != nil {
			return err
		}
		if n := l.Number(); n%progressEvery == 0 {
			if err := ld.ctx.Err(); err != nil {
				return err
			}
			if ld.opts.Progress != nil {
				ld.opts.Progress(n)
			}
		}
	}
	return nil
}

func (s *Store) readSchema(ctx context.Context, st *storage.Store) (schema *Schema, err error) {
	err = st.View(ctx, func(r *storage.Reader) error {
		schema, err = s.Reader(r).Schema()
		return err
	})
	return schema, err
}

func (ld *loading) prepare(x *loadRow) error { return ld.normalise(&x.customer, nil, x.schema) }

// place gives a customer its id, and its code if it has none.
func (ld *loading) place(l *storage.Loader, x *loadRow) (err error) {
	c := &x.customer
	if c.Code != "" {
		ld.noteCode(l, c)
	} else if c.Code, err = ld.drawCode(l, c); err != nil {
		return err
	}
	id, err := ld.ids.Load(l, nil)
	c.ID, c.Created = ID(id), l.Now()
	return err
}

func (ld *loading) add(l *storage.Loader, x *loadRow) error {
	err := ld.customer.Load(l, x.customer.ID, &x.customer, uint8(Created))
	if err == nil && ld.opts.Add != nil {
		err = ld.opts.Add(l, l.Row(), &x.customer)
	}
	return err
}

// leftOut reports a draft that is not in order; whatever else goes wrong ends the load.
func (ld *loading) leftOut(row int, err error) error {
	var invalid *ValidationError
	if ld.opts.Refused == nil || !errors.As(err, &invalid) {
		return err
	}
	ld.opts.Refused(row, err)
	return nil
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
		if _, err := tx.put(c, c, Updated); err != nil {
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
