package storage

import "github.com/clientele-go/clientele/storage/kv"

// Era is a span of the book's life in which nothing changed of what is watched: the sets
// under the Versioned keys of its bitmaps, and its Watched indexes. What was made of these
// alone in one state holds in every other state of the same era, so that it can be kept in
// memory; eras are compared with ==. The zero Era says that nothing is known.
type Era struct{ of *era }

// Known reports whether anything may be kept for the era.
func (e Era) Known() bool { return e.of != nil }

// Era returns the era of the reader's state. None is known in an Update, while a change of
// what is watched is being committed, and where other processes write too.
func (r *Reader) Era() Era {
	if r.ended || r.writes != nil {
		return Era{}
	}
	return Era{r.watched}
}

// watches reports whether a batch ends an era. Every change of a versioned set changes a
// count, too.
func (s *Store) watches(b *kv.Batch) bool {
	if s.limits.Shared {
		return false // there are none
	}
	for _, op := range b.Ops() {
		switch op.Key[0] {
		case spaceBitmapVersion:
			return true
		case spaceIndex:
			if l := s.layouts[op.Key[1]]; l != nil && l.watches(op.Key[2]) {
				return true
			}
		}
	}
	return false
}

// watches reports whether one of the table's indexes is watched.
func (l *layout) watches(index uint8) bool {
	for _, x := range l.indexes {
		if x.id == index {
			return x.watched
		}
	}
	return false
}
