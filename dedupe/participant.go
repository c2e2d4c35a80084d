package dedupe

import (
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
)

// Participant is whatever keeps data of customers and so takes part in their merges. Its
// methods write in the transaction that it was made for.
type Participant interface {
	// Merge moves what the loser has to the survivor. Both are merged in the customer
	// table already. The returned bytes are what Unmerge needs; they are kept with the
	// merge and erased with either customer. Nil says that there is nothing to undo:
	// Unmerge is not called then.
	Merge(survivor, loser customer.ID) (undo []byte, err error)
	// Unmerge gives the loser back what Merge took, and leaves what was changed since
	// with the survivor.
	Unmerge(survivor, loser customer.ID, undo []byte) error
}

// Member is a participant by the name under which its undo bytes are kept: it is stored,
// and never given to another one.
type Member struct {
	Name string
	Participant
}

// Join makes a participant of an embedder for a transaction; see [Options].
type Join func(tx *storage.Tx, customers *customer.Tx) Participant

// Functions is a Participant of two functions.
type Functions struct {
	OnMerge   func(survivor, loser customer.ID) ([]byte, error)
	OnUnmerge func(survivor, loser customer.ID, undo []byte) error
}

// Merge implements [Participant].
func (f Functions) Merge(survivor, loser customer.ID) ([]byte, error) {
	return f.OnMerge(survivor, loser)
}

// Unmerge implements [Participant].
func (f Functions) Unmerge(survivor, loser customer.ID, undo []byte) error {
	return f.OnUnmerge(survivor, loser, undo)
}
