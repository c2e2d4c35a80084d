package stocktake

import "github.com/clientele-go/clientele/storage"

// LoseMembers takes the first customers of a term away from a stored run, as a fault of the
// disk would.
func (s *Store) LoseMembers(tx *storage.Tx, run *Run, term string) error {
	return s.members.Delete(tx, memberKey{run.Digest, term, 0}, 0)
}
