package credit

import (
	"time"

	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
)

// Options set how a book's receivables are kept. The zero value works.
type Options struct {
	// Clock tells the time of reads; nil is time.Now. Transactions use their own time.
	Clock func() time.Time
	// Related reports whether one customer's credits may settle another's debits, as
	// within a group of companies; nil is SameGroup. It is asked about two different customers.
	Related func(r *Reader, a, b customer.ID) (bool, error)
	// Base is the currency of the books, in which differences by exchange are told; none
	// leaves them out.
	Base money.Currency
	// Control sets limits, reservations and dunning.
	Control ControlOptions
}

// Store describes how receivables are kept. A program makes one for each book and hands
// it to the storage's schema; the root package does so. It is safe for concurrent use.
type Store struct {
	*tables
	*controlTables
	control control
	clock   func() time.Time
	related func(r *Reader, a, b customer.ID) (bool, error)
	base    money.Currency
	sizes   pageSizes
	// observers are told of each change of a balance, within its transaction.
	observers []func(tx *Tx, change BalanceChange) error
}

// New returns the receivables of one book.
func New(opts Options) *Store {
	if opts.Clock == nil {
		opts.Clock = time.Now
	}
	if opts.Related == nil {
		opts.Related = SameGroup
	}
	return &Store{
		tables: newTables(), controlTables: newControlTables(), control: newControl(opts),
		clock: opts.Clock, related: opts.Related, base: opts.Base, sizes: usualSizes,
		observers: []func(*Tx, BalanceChange) error{(*Tx).followBalance},
	}
}

// AddTo adds the tables to a book's schema.
func (s *Store) AddTo(schema *storage.Schema) {
	s.tables.addTo(schema)
	s.controlTables.addTo(schema)
}

// Reader reads receivables in one consistent state. Use it as long as the storage's
// reader, and from one goroutine.
type Reader struct {
	store     *Store
	storage   *storage.Reader
	customers *customer.Reader
	instant   time.Time // the transaction's; zero in a View until it is first needed
}

// Reader returns the receivables of a state.
func (s *Store) Reader(r *storage.Reader, customers *customer.Reader) *Reader {
	return &Reader{store: s, storage: r, customers: customers}
}

// Tx changes receivables within a transaction.
type Tx struct {
	Reader
	tx        *storage.Tx
	customers *customer.Tx
}

// Tx returns the receivables of a transaction. When a customer is erased in it, the free
// text of its items goes too; amounts and dates stay, since the law keeps them.
func (s *Store) Tx(tx *storage.Tx, customers *customer.Tx) *Tx {
	t := &Tx{
		Reader: Reader{store: s, storage: &tx.Reader, customers: &customers.Reader, instant: tx.Now()},
		tx:     tx, customers: customers,
	}
	customers.OnErase(t.Forget)
	t.beginControl()
	return t
}

// now is the instant that reads are about, the same within a transaction or View.
func (r *Reader) now() time.Time {
	if r.instant.IsZero() {
		r.instant = r.store.clock().UTC().Truncate(time.Microsecond)
	}
	return r.instant
}

// Balance is what a customer owes in one currency by all items posted, in minor units.
type Balance struct {
	Currency money.Currency
	Debits   int64 // open invoices and other debits
	Credits  int64 // open payments, credit notes and other credits, not yet allocated
	Deposits int64 // the part of Credits that are deposits
}

// Net is debits less credits.
func (b Balance) Net() int64 { return b.Debits - b.Credits }

// BalanceChange is by how much a posting changes a customer's balance in a currency.
type BalanceChange struct {
	Customer customer.ID
	Balance  // of which each part is a difference, of either sign
}
