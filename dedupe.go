package clientele

import (
	"encoding"

	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/dedupe"
	"github.com/clientele-go/clientele/orgtree"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/tagging"
)

// The names under which the library's own participants keep what undoes a merge.
const (
	memberTags   = "tags"
	memberPlaces = "places"
	memberCredit = "credit"
)

// duplicates joins what takes part in merges within a transaction.
func (b *Book) duplicates(tx *storage.Tx, customers *customer.Tx, tags *tagging.Tx, org *orgtree.Tx, receivables *credit.Tx) *dedupe.Tx {
	return b.dedupe.Tx(tx, customers,
		member(memberTags, tags.MergeCustomers, tags.UnmergeCustomers),
		member(memberPlaces, org.MergeCustomers, org.UnmergeCustomers),
		member(memberCredit, receivables.MergeCustomers, receivables.UnmergeCustomers),
	)
}

// undo is what a package needs to take a merge back, and how it is stored.
type undo[T any] interface {
	*T
	encoding.BinaryMarshaler
	encoding.BinaryUnmarshaler
}

func member[T any, P undo[T]](name string, merge func(survivor, loser customer.ID) (P, error), unmerge func(P) error) dedupe.Member {
	return dedupe.Member{Name: name, Participant: dedupe.Functions{
		OnMerge: func(survivor, loser customer.ID) ([]byte, error) {
			done, err := merge(survivor, loser)
			if err != nil {
				return nil, err
			}
			return done.MarshalBinary()
		},
		OnUnmerge: func(_, _ customer.ID, stored []byte) error {
			done := P(new(T))
			if err := done.UnmarshalBinary(stored); err != nil {
				return err
			}
			return unmerge(done)
		},
	}}
}

// DedupeJob is the session as runs and merges of many customers need it; see
// [dedupe.Store].
func (s *Session) DedupeJob() dedupe.Job {
	return dedupe.Job{
		Storage: s.book.store, Session: s.session,
		Begin: func(tx *storage.Tx) (*dedupe.Tx, error) {
			scoped, err := s.begin(tx)
			if err != nil {
				return nil, err
			}
			return scoped.Dedupe, nil
		},
		View: func(r *storage.Reader) (*dedupe.Reader, error) {
			access, err := s.access(r)
			if err != nil {
				return nil, err
			}
			return s.book.dedupe.Reader(r, s.book.customers.ReaderWith(r, access)), nil
		},
	}
}
