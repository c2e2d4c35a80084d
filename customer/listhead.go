package customer

import (
	"bytes"
	"iter"
	"slices"
	"sort"
	"sync"

	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/bitset"
	"github.com/clientele-go/clientele/storage/kv"
)

// A list by name of some of the customers passes over the names of others, which are the
// same ones for every list that begins where most do: they are kept in memory, and what others
// wrote since is read again.

// keptNames bounds how many are kept, some 40 bytes each; leastNames are read at first, and
// as many again as there are whenever a list comes to their end.
const (
	keptNames  = 8192
	leastNames = 128
)

// headPasses is how many names a page may pass over for that to be better than to merge
// the names of units: in memory that costs next to nothing, and when they have to be read
// first, a fifth of a millisecond.
const headPasses = 2048

// headCache keeps the head of the index of names.
type headCache struct {
	mu   sync.Mutex
	kept namesHead
}

// namesHead is the beginning of the index of names. Nobody changes what is in its lists.
type namesHead struct {
	recency storage.Recency // of the state that it was read in
	ids     []ID
	ends    []int // of each key in keys
	keys    []byte
	whole   bool // no more names follow
}

func (c *headCache) last() namesHead {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.kept
}

// keep takes a head unless a later one, or a longer one as late, is kept.
func (c *headCache) keep(h namesHead) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kept.recency.After(h.recency) || c.kept.recency == h.recency && len(c.kept.ids) > len(h.ids) {
		return
	}
	c.kept = h
}

// key returns the i-th key.
func (h *namesHead) key(i int) []byte {
	start := 0
	if i > 0 {
		start = h.ends[i-1]
	}
	return h.keys[start:h.ends[i]]
}

// from returns the number of the first name at or after a key.
func (h *namesHead) from(key []byte) int {
	return sort.Search(len(h.ids), func(i int) bool { return bytes.Compare(h.key(i), key) >= 0 })
}

// covers reports whether the head has whatever the index has under a key.
func (h *namesHead) covers(key []byte) bool {
	n := len(h.ids)
	return h.whole || n > 0 && bytes.Compare(key, h.key(n-1)) <= 0
}

// rest is the range of keys after the head's last.
func (h *namesHead) rest() (keys kv.Range) {
	if n := len(h.ids); n > 0 {
		keys.Lower = kv.Point(h.key(n - 1)).Upper
	}
	return keys
}

// add appends a name.
func (h *namesHead) add(key []byte, id ID) {
	h.keys = append(h.keys, key...)
	h.ids, h.ends = append(h.ids, id), append(h.ends, len(h.keys))
}

// addRun appends neighbouring names of another head.
func (h *namesHead) addRun(o *namesHead, from, to int) {
	if from == to {
		return
	}
	start := o.ends[from] - len(o.key(from))
	moved := len(h.keys) - start
	h.keys = append(h.keys, o.keys[start:o.ends[to-1]]...)
	h.ids = append(h.ids, o.ids[from:to]...)
	for _, end := range o.ends[from:to] {
		h.ends = append(h.ends, end+moved)
	}
}

// head returns the head of the names, and where in it a list begins; false when it
// doesn't begin there, or when nothing can be kept.
func (r *Reader) head(l List, keys kv.Range) (h namesHead, at int, begins bool, err error) {
	now := r.storage.Recency()
	if !now.Known() || l.Reverse || keys.Upper != nil {
		return h, 0, false, nil
	}
	if h, err = r.bringHead(r.store.head.last(), now); err != nil || keys.Lower == nil {
		return h, 0, err == nil, err
	}
	at = h.from(keys.Lower)
	return h, at, at < len(h.ids), nil
}

// mostRenamed is how many names of a head may have changed for it to be worth keeping.
const mostRenamed = 64

// bringHead returns a head as it is in the reader's state: names that may have changed since
// it was read are read again.
func (r *Reader) bringHead(h namesHead, now storage.Recency) (namesHead, error) {
	var changed [][]byte
	known := r.store.customer.ChangedKeys(r.store.name, h.recency, now, func(key storage.Key) {
		if h.covers(key) {
			changed = append(changed, key)
		}
	})
	if !known || len(changed) > mostRenamed {
		return namesHead{recency: now}, nil
	}
	h.recency = now
	if len(changed) > 0 {
		slices.SortFunc(changed, bytes.Compare)
		var err error
		if h, err = r.headAgain(h, slices.CompactFunc(changed, bytes.Equal)); err != nil {
			return h, err
		}
	}
	r.store.head.keep(h)
	return h, nil
}

// headAgain returns a copy of a head in which some keys, ascending, stand as they do in the
// reader's state.
func (r *Reader) headAgain(h namesHead, changed [][]byte) (namesHead, error) {
	room := len(h.ids) + len(changed)
	again := namesHead{recency: h.recency, whole: h.whole, ids: make([]ID, 0, room), ends: make([]int, 0, room), keys: make([]byte, 0, len(h.keys)+256)}
	done := 0
	for _, key := range changed {
		at := h.from(key)
		again.addRun(&h, done, at)
		if done = at; at < len(h.ids) && bytes.Equal(h.key(at), key) {
			done++
		}
		if err := r.addNames(&again, kv.Point(key), 1); err != nil {
			return again, err
		}
	}
	again.addRun(&h, done, len(h.ids))
	return again, nil
}

// addNames appends names from a range of the index, so many at most.
func (r *Reader) addNames(h *namesHead, keys kv.Range, most int) error {
	for e, err := range r.store.customer.Entries(r.storage, r.store.name, keys, false) {
		if err != nil {
			return err
		}
		rest, err := e.Key().SkipString()
		if err != nil {
			return err
		}
		id, err := e.Primary(rest)
		if err != nil {
			return err
		}
		h.add(e.Key(), id)
		if most--; most == 0 {
			return nil
		}
	}
	return nil
}

// longer returns a head with more names, from the index.
func (r *Reader) longer(h namesHead) (namesHead, error) {
	more := max(len(h.ids), leastNames)
	h.ids, h.ends, h.keys = slices.Grow(slices.Clip(h.ids), more), slices.Grow(slices.Clip(h.ends), more), slices.Clip(h.keys)
	wanted := len(h.ids) + more
	if err := r.addNames(&h, h.rest(), more); err != nil {
		return h, err
	}
	h.whole = len(h.ids) < wanted
	r.store.head.keep(h)
	return h, nil
}

// headWithin yields the members of a set by name, from a place in the head on.
func (r *Reader) headWithin(within bitset.Source, h namesHead, at int, l List) iter.Seq2[*Customer, error] {
	return func(yield func(*Customer, error) bool) {
		among, h := membersOf(within), h // each loop begins with what was known at first
		for i := at; ; i++ {
			if i == len(h.ids) && !h.whole && i < keptNames {
				var err error
				if h, err = r.longer(h); err != nil {
					yield(nil, err)
					return
				}
			}
			if i == len(h.ids) {
				break
			}
			c, err := r.ifAmong(among, h.ids[i])
			if c == nil && err == nil {
				continue
			}
			if !yield(c, err) || err != nil {
				return
			}
		}
		if !h.whole {
			r.indexedWithin(within, l, r.store.name, h.rest())(yield)
		}
	}
}

// ifAmong returns a customer, nil for one who is not among some.
func (r *Reader) ifAmong(some *members, id ID) (*Customer, error) {
	if in, err := some.has(id); err != nil || !in {
		return nil, err
	}
	return r.store.customer.Get(r.storage, id)
}

// firstNames keeps the first names of units.
type firstNames struct {
	mu      sync.Mutex
	recency storage.Recency      // of all of them
	units   map[string]unitNames // by prefix
	names   int                  // in all of them
}

// mostFirst bounds the names of units that are kept: some five megabytes.
const mostFirst = 1 << 16

// of returns the first names of a unit as they are in the reader's state, if they are kept.
func (f *firstNames) of(r *Reader, prefix storage.Key) (u unitNames, found bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.bring(r) {
		u, found = f.units[string(prefix)]
	}
	return u, found
}

// bring leaves the units whose names are in the reader's state what they were; false when
// that is earlier, or when nothing can be kept.
func (f *firstNames) bring(r *Reader) bool {
	now := r.storage.Recency()
	if !now.Known() || f.recency.After(now) {
		return false
	}
	known := r.store.customer.ChangedKeys(r.store.owner, f.recency, now, func(key storage.Key) {
		f.drop(key)
	})
	if !known || f.names >= mostFirst {
		f.units, f.names = map[string]unitNames{}, 0
	}
	f.recency = now
	return true
}

// drop forgets the unit that a key of the index begins with.
func (f *firstNames) drop(key storage.Key) {
	_, rest, err := key.CutUint()
	if err != nil {
		return // no unit's
	}
	prefix := string(key[:len(key)-len(rest)])
	if u, kept := f.units[prefix]; kept {
		f.names -= len(u.read) + 1
		delete(f.units, prefix)
	}
}

// keep takes what a reader read of a unit, unless others have brought the rest to another
// state meanwhile.
func (f *firstNames) keep(r *Reader, u unitNames) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.recency.Known() || f.recency != r.storage.Recency() {
		return
	}
	f.drop(u.prefix)
	f.units[string(u.prefix)] = u
	f.names += len(u.read) + 1
}
