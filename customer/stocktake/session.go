package stocktake

import (
	"context"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
)

// Session is an actor's way to count. The root package's Session.Stocktake returns one. It
// is safe for concurrent use.
type Session struct {
	Storage    *storage.Store
	Customers  *customer.Store
	Stocktakes *Store
	Actor      storage.Session
	// Read and Begin narrow a state, or a transaction, to the actor.
	Read  func(*storage.Reader) (*Reader, error)
	Begin func(*storage.Tx) (*Tx, error)
	// Settle writes what follows from the clock alone, such as tags that have ended; nil
	// when nothing does. It is called before a count.
	Settle func(context.Context) error
	// Link compares lists with the book; nil can't.
	Link Linker
}

func (s Session) view(ctx context.Context, f func(*Reader) error) error {
	return s.Storage.View(ctx, func(r *storage.Reader) error {
		reader, err := s.Read(r)
		if err != nil {
			return err
		}
		return f(reader)
	})
}

func (s Session) update(ctx context.Context, f func(*Tx) error) error {
	_, err := s.Storage.Update(ctx, s.Actor, func(tx *storage.Tx) error {
		t, err := s.Begin(tx)
		if err != nil {
			return err
		}
		return f(t)
	})
	return err
}

// Reader reads definitions and runs in one consistent state. Use it as long as the
// storage's reader, and from one goroutine.
type Reader struct {
	store     *Store
	storage   *storage.Reader
	customers *customer.Reader
}

// Reader returns the definitions and runs of a state, as the readers of customers may see
// them.
func (s *Store) Reader(r *storage.Reader, customers *customer.Reader) *Reader {
	return &Reader{store: s, storage: r, customers: customers}
}

// Tx changes definitions and runs within a transaction.
type Tx struct {
	Reader
	tx *storage.Tx
}

// Tx returns the definitions and runs of a transaction.
func (s *Store) Tx(tx *storage.Tx, customers *customer.Tx) *Tx {
	return &Tx{Reader: Reader{store: s, storage: &tx.Reader, customers: &customers.Reader}, tx: tx}
}

// review asks whether the actor may define, run and decide on counts.
func (r *Reader) review() error {
	return r.customers.PermitAll(customer.RightReview, customer.Identity)
}

// maskable are the fields that dimensions, checks and figures are made of and that can be
// hidden.
var maskable = []string{"rep", "address", "tag", "item", "identifier", "phone", "email", "attr.*"}

// seesAll reports whether nothing is hidden from the actor that a stored result tells.
func (r *Reader) seesAll() bool {
	access := r.customers.Access()
	if access == nil {
		return true
	}
	if access.Within() != nil {
		return false
	}
	for _, field := range maskable {
		if access.WithinUnmasked(field) != nil {
			return false
		}
	}
	return true
}
