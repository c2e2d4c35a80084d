package orgtree

import (
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
)

// Options set how a book's organisation is kept. The zero value works.
type Options struct {
	// Clock tells the time of reads, by which dated changes take effect; nil is
	// time.Now. It should be the clock that the book's storage has.
	Clock func() time.Time
	// Filters reads the filters of scopes; without it a scope has none.
	Filters Filters
	// CheckOverlay refuses terms and limits of overlays that whoever goes by them wouldn't
	// understand; nil takes all. It is given what is new of an overlay alone.
	CheckOverlay func(Overlay) error
}

// Store describes how units and placements are kept. A program makes one for each book
// and hands it to the storage's schema; the root package does so. It is safe for
// concurrent use.
type Store struct {
	*tables
	clock        func() time.Time
	filters      Filters
	checkOverlay func(Overlay) error
	trees        treeCache
	plans        planCache
	unions       unionCache
	changes      [2]changeCache // by kind of union
}

// New returns the organisation of one book.
func New(opts Options) *Store {
	if opts.Clock == nil {
		opts.Clock = time.Now
	}
	return &Store{tables: newTables(), clock: opts.Clock, filters: opts.Filters, checkOverlay: opts.CheckOverlay}
}

// AddTo adds the tables to a book's schema.
func (s *Store) AddTo(schema *storage.Schema) { s.tables.addTo(schema) }

// Reader reads the organisation in one consistent state. Use it as long as the
// storage's reader, and from one goroutine.
type Reader struct {
	store     *Store
	storage   *storage.Reader
	customers *customer.Reader
	instant   time.Time // the transaction's; zero in a View until it is first needed
}

// Reader returns the organisation of a state.
func (s *Store) Reader(r *storage.Reader, customers *customer.Reader) *Reader {
	return &Reader{store: s, storage: r, customers: customers}
}

// Tx changes the organisation within a transaction.
type Tx struct {
	Reader
	tx        *storage.Tx
	customers *customer.Tx
}

// Tx returns the organisation of a transaction. From then on every change of a customer
// in it must fit the organisation: its owner is an open unit, quotas are kept, and an
// erased customer's placement is erased with it. Books without units are left alone.
func (s *Store) Tx(tx *storage.Tx, customers *customer.Tx) *Tx {
	t := &Tx{
		Reader: Reader{store: s, storage: &tx.Reader, customers: &customers.Reader, instant: tx.Now()},
		tx:     tx, customers: customers,
	}
	customers.Guard(t.admit)
	customers.OnErase(t.forgetPlacement)
	customers.OnErase(t.forgetApprovals)
	return t
}

// now is the instant that reads are about, the same within a transaction or View.
func (r *Reader) now() time.Time {
	if r.instant.IsZero() {
		r.instant = r.store.clock().UTC().Truncate(time.Microsecond)
	}
	return r.instant
}
