package storage

import (
	"sync"
	"sync/atomic"
)

// cache keeps what was read of pinned tables, in eras: an era lasts between two changes
// of such tables. A snapshot that was taken while one era was the present one, from
// before to after, sees what every other such snapshot does.
type cache struct {
	present atomic.Pointer[era] // nil while a change is under way

	mu      sync.Mutex
	changes int // under way
}

type era struct {
	mu     sync.RWMutex
	values map[string]cached
}

type cached struct {
	stored string
	found  bool
}

// maxCached bounds an era; what doesn't fit is read each time.
const maxCached = 4096

func newEra() *era { return &era{values: map[string]cached{}} }

func (e *era) get(key []byte) (v cached, known bool) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	v, known = e.values[string(key)]
	return v, known
}

func (e *era) put(key []byte, v cached) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.values) < maxCached {
		e.values[string(key)] = v
	}
}

// change ends the present era before a commit that writes to a pinned table; done
// begins the next one after it.
func (c *cache) change() (done func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changes++
	c.present.Store(nil)
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.changes--; c.changes == 0 {
			c.present.Store(newEra())
		}
	}
}

// snapshot opens the reader's snapshot, with the eras that it is in and its recency.
func (s *Store) snapshot(r *Reader) error {
	before, sets, from := s.cache.present.Load(), s.sets.present.Load(), s.changes.from.Load()
	snap, err := s.engine.Snapshot(r.ctx)
	if err != nil {
		return err
	}
	r.snap = snap
	if s.cache.present.Load() == before {
		r.era = before
	}
	if s.sets.present.Load() == sets {
		r.sets = sets
	}
	if !s.limits.Shared {
		r.recency = Recency{log: &s.changes, from: from, to: s.changes.to.Load()}
	}
	return nil
}

// getCached is get for a key of a pinned table.
func (r *Reader) getCached(key []byte) (stored string, found bool, err error) {
	tx := r.writes
	if r.ended || r.era == nil || tx != nil && tx.pending.get(key) != nil {
		value, found, err := r.get(key)
		return string(value), found, err
	}
	if tx != nil {
		tx.notePoint(key)
	}
	if v, known := r.era.get(key); known {
		return v.stored, v.found, nil
	}
	value, found, err := r.stored(key)
	if err != nil {
		return "", false, err
	}
	v := cached{string(value), found}
	r.era.put(key, v)
	return v.stored, v.found, nil
}
