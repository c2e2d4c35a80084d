package stocktake

import (
	"slices"

	"github.com/clientele-go/clientele/storage"
)

// LoseMembers takes the first customers of a term away from a stored run, as a fault of the
// disk would.
func (s *Store) LoseMembers(tx *storage.Tx, run *Run, term string) error {
	return s.members.Delete(tx, memberKey{run.Digest, term, 0}, 0)
}

// Repack stores a run's result in parts of so many bytes, as another compressor might.
func (s *Store) Repack(tx *storage.Tx, run *Run, size int) error {
	var packed []byte
	for n := range run.Parts {
		p, err := s.part.Get(&tx.Reader, partKey{run.Digest, n})
		if err != nil {
			return err
		}
		packed = append(packed, p.bytes...)
	}
	n := uint64(0)
	for piece := range slices.Chunk(packed, size) {
		if err := s.part.Put(tx, partKey{run.Digest, n}, &part{piece}, 0); err != nil {
			return err
		}
		n++
	}
	return nil
}
