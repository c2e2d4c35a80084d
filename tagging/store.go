package tagging

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
)

// Options set how a book's tags are kept. The zero value works.
type Options struct {
	// Clock tells the time at which readers see what is due; nil is time.Now.
	// Transactions use their own time.
	Clock func() time.Time
}

// Store describes how tags are kept. A program makes one for each book and hands it to
// the storage's schema; the root package does so. It is safe for concurrent use.
type Store struct {
	*tables
	sharing
	clock  func() time.Time
	latest atomic.Pointer[catalogue]
}

// New returns a Store.
func New(opts Options) *Store {
	s := &Store{tables: newTables(), clock: opts.Clock}
	s.sharing.init()
	if s.clock == nil {
		s.clock = time.Now
	}
	return s
}

// AddTo adds the tables to a book's schema.
func (s *Store) AddTo(schema *storage.Schema) { s.tables.addTo(schema) }

// Reader reads tags in one consistent state, at one instant: what begins or ends later
// has not yet. Use it as long as the storage's reader, and from one goroutine.
type Reader struct {
	store     *Store
	storage   *storage.Reader
	customers *customer.Reader
	now       time.Time
	cat       *catalogue // once it was needed
	own       bool       // cat is this transaction's to change
}

// Reader returns the tags of a state, as far as the actor of customers may see them: those
// out of its sight do not exist for it, and those whose tags are hidden have none.
func (s *Store) Reader(r *storage.Reader, customers *customer.Reader) *Reader {
	return &Reader{store: s, storage: r, customers: customers, now: s.clock().UTC().Truncate(time.Microsecond)}
}

// Tx changes tags within a transaction.
type Tx struct {
	Reader
	tx *storage.Tx
}

// Tx returns the tags of a transaction, narrowed like those of [Store.Reader].
func (s *Store) Tx(tx *storage.Tx, customers *customer.Tx) *Tx {
	r := Reader{store: s, storage: &tx.Reader, customers: &customers.Reader, now: tx.Now()}
	return &Tx{r, tx}
}

// Now is the instant that the reader looks from.
func (r *Reader) Now() time.Time { return r.now }

const editionKey = 0

// catalogue returns the definitions. It costs one read while they do not change, and
// some microseconds for each of them after a change.
func (r *Reader) catalogue() (*catalogue, error) {
	now, err := r.store.edition.Get(r.storage, editionKey)
	if errors.Is(err, storage.ErrNotFound) {
		now, err = &edition{}, nil
	}
	if err != nil {
		return nil, err
	}
	if r.cat != nil && r.cat.edition == *now {
		return r.cat, nil
	}
	r.own = false
	if r.cat = r.store.latest.Load(); r.cat != nil && r.cat.edition == *now {
		return r.cat, nil
	}
	if r.cat, err = r.store.readCatalogue(r.storage, *now); err != nil {
		return nil, err
	}
	r.store.latest.Store(r.cat)
	return r.cat, nil
}

// Dimension returns a dimension by its code, or an error that wraps ErrUnknownDimension.
func (r *Reader) Dimension(code string) (*Dimension, error) {
	d, err := r.dimension("look up", code)
	if err != nil {
		return nil, err
	}
	return d.clone(), nil
}

// dimension is Dimension without a copy.
func (r *Reader) dimension(op, code string) (*Dimension, error) {
	c, err := r.catalogue()
	if err != nil {
		return nil, err
	}
	if d := c.byCode[code]; d != nil {
		return d, nil
	}
	return nil, c.unknownDimension(op, code)
}

// DimensionByID returns a dimension by its id.
func (r *Reader) DimensionByID(id DimensionID) (*Dimension, error) {
	c, err := r.catalogue()
	if err != nil {
		return nil, err
	}
	if d := c.dimensions[id]; d != nil {
		return d.clone(), nil
	}
	return nil, c.unknownDimension("look up", fmt.Sprint(uint64(id)))
}

// Tag returns a tag by the code of its dimension and its own code or alias; for a tag
// that was merged away it is the one that it was merged into. Errors wrap
// ErrUnknownDimension or ErrUnknownTag.
func (r *Reader) Tag(dimension, code string) (*Tag, error) {
	d, err := r.dimension("look up", dimension)
	if err != nil {
		return nil, err
	}
	if t := r.cat.tag(d.ID, code); t != nil {
		return t.clone(), nil
	}
	return nil, r.cat.unknownTag("look up", d, code)
}

// TagByID returns a tag by its id, also one that was merged away.
func (r *Reader) TagByID(id TagID) (*Tag, error) {
	c, err := r.catalogue()
	if err != nil {
		return nil, err
	}
	if t := c.tags[id]; t != nil {
		return t.clone(), nil
	}
	return nil, &Error{Op: "look up", Field: "Tag", Value: fmt.Sprint(uint64(id)), Err: ErrUnknownTag}
}

func (c *catalogue) unknownDimension(op, code string) error {
	codes := make([]string, 0, len(c.byCode))
	for known := range c.byCode {
		codes = append(codes, known)
	}
	return &Error{Op: op, Field: "Dimension", Value: shorten(code), Code: customer.CodeUnknown, Remedy: suggest(code, codes), Err: ErrUnknownDimension}
}

func (c *catalogue) unknownTag(op string, d *Dimension, code string) error {
	var codes []string
	for t := range c.allTags(d.ID) {
		codes = append(append(codes, t.Code), t.Aliases...)
	}
	return &Error{Op: op, Field: "Tag", Value: shorten(d.Code + ":" + code), Code: customer.CodeUnknown, Remedy: suggest(code, codes), Err: ErrUnknownTag}
}
