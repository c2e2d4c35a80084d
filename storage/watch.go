package storage

import (
	"bytes"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/clientele-go/clientele/storage/kv"
)

// Era is a span of the book's life in which nothing changed of the sets under the
// Versioned keys of its bitmaps. What was made of these alone in one state holds in every
// other state of the same era, so that it can be kept in memory; eras are compared with ==.
// The zero Era says that nothing is known.
type Era struct{ of *era }

// Known reports whether anything may be kept for the era.
func (e Era) Known() bool { return e.of != nil }

// Era returns the era of the reader's state. None is known in an Update, while a change of
// the sets is being committed, and where other processes write too.
func (r *Reader) Era() Era {
	if r.ended || r.writes != nil {
		return Era{}
	}
	return Era{r.sets}
}

// Recency says when a reader's state was, among the changes of Watched indexes. What was
// read of such an index in one state holds in another, but for the keys that changed between
// the two: see [Table.ChangedKeys]. States of equal recency may differ, in what was being
// committed. The zero Recency says that nothing is known.
type Recency struct {
	log *changeLog
	// All changes with numbers below from are in the state, and none from to on.
	from, to uint64
}

// Known reports whether anything may be kept with the recency.
func (m Recency) Known() bool { return m.log != nil }

// After reports whether a change may be in the state of m that can't be in the other's.
func (m Recency) After(other Recency) bool { return m.to > other.to }

// Recency returns the recency of the reader's state. None is known in an Update, and where
// other processes write too.
func (r *Reader) Recency() Recency {
	if r.ended || r.writes != nil {
		return Recency{}
	}
	return r.recency
}

// ChangedKeys calls f with the keys of a Watched index, as [IndexEntry.Key] has them, that
// were written between two recencies, in any order and some of them again and again; f may keep
// them. In all others the two states agree. It returns false when that isn't known: after a
// bulk load, or when they lie some thousand changes apart. It costs some 10 ns for each key
// that was written meanwhile.
func (t *Table[K, V]) ChangedKeys(x *Index[V], a, b Recency, f func(key Key)) (known bool) {
	if a.log == nil || a.log != b.log {
		return false
	}
	changes, known := a.log.between(min(a.from, b.from), max(a.to, b.to))
	if !known {
		return false
	}
	space := []byte{spaceIndex, t.ID, x.ID}
	for _, c := range changes {
		for _, key := range c.keys {
			if bytes.HasPrefix(key, space) {
				f(key[len(space):])
			}
		}
	}
	return true
}

// changeLog remembers which keys of watched indexes were written lately. A change is in it
// before the engine hears of it, and counts as done when the engine has answered: so a state
// has whatever was done before its snapshot was taken, and nothing that came into the log
// after that.
type changeLog struct {
	from, to atomic.Uint64 // as a Recency's, now

	mu      sync.Mutex
	open    []uint64 // numbers of changes that aren't done, ascending
	changes []change // the last ones before to
	keys    int      // in all of them
}

// change is the keys that one commit writes; nil when they aren't known.
type change struct{ keys [][]byte }

// The log has at most so many changes with so many keys. A commit of more than a quarter of
// them counts as one of unknown keys.
const (
	mostChanges     = 4096
	mostChangedKeys = 4 * mostChanges
)

// begin takes in a change; done ends it.
func (l *changeLog) begin(keys [][]byte) (done func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	number := l.to.Load()
	l.open = append(l.open, number)
	l.changes = append(l.changes, change{keys})
	l.keys += len(keys)
	for len(l.changes) > mostChanges || l.keys > mostChangedKeys {
		l.keys -= len(l.changes[0].keys)
		l.changes = l.changes[1:]
	}
	l.to.Store(number + 1)
	return func() { l.end(number) }
}

func (l *changeLog) end(number uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	i, _ := slices.BinarySearch(l.open, number)
	l.open = slices.Delete(l.open, i, i+1)
	if len(l.open) > 0 {
		l.from.Store(l.open[0])
	} else {
		l.from.Store(l.to.Load())
	}
}

// between returns the changes with numbers from one to below another, false when not all
// their keys are known.
func (l *changeLog) between(from, to uint64) (changes []change, known bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	end := l.to.Load()
	first := end - uint64(len(l.changes))
	if from < first {
		return nil, false
	}
	changes = l.changes[from-first : to-first]
	return changes, !slices.ContainsFunc(changes, func(c change) bool { return c.keys == nil })
}

// watch tells of a batch that is about to be committed, and returns what is to be called when
// it is. A change of a versioned set shows in the counter of its versions.
func (s *Store) watch(b *kv.Batch) (done func()) {
	if s.limits.Shared {
		return func() {}
	}
	var keys [][]byte
	sets := false
	for _, op := range b.Ops() {
		switch op.Key[0] {
		case spaceBitmapVersion:
			sets = true
		case spaceIndex:
			if l := s.layouts[op.Key[1]]; l != nil && l.watches(op.Key[2]) {
				keys = append(keys, op.Key)
			}
		}
	}
	return s.watchedChange(keys, sets)
}

// watchLoad is watch for a load, which changes whatever it likes.
func (s *Store) watchLoad() (done func()) {
	if s.limits.Shared {
		return func() {}
	}
	ended, logged := s.sets.change(), s.changes.begin(nil)
	return func() { logged(); ended() }
}

func (s *Store) watchedChange(keys [][]byte, sets bool) (done func()) {
	ended, logged := func() {}, func() {}
	if sets {
		ended = s.sets.change()
	}
	switch {
	case len(keys) > mostChangedKeys/4:
		logged = s.changes.begin(nil)
	case len(keys) > 0:
		logged = s.changes.begin(cloned(keys))
	}
	return func() { logged(); ended() }
}

// cloned copies keys, which are lent, into one piece of memory.
func cloned(keys [][]byte) [][]byte {
	size := 0
	for _, key := range keys {
		size += len(key)
	}
	all := make([]byte, 0, size)
	for i, key := range keys {
		start := len(all)
		all = append(all, key...)
		keys[i] = all[start:len(all):len(all)]
	}
	return keys
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
