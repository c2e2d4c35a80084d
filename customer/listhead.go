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
// same ones for every list that begins where most do: they are kept in memory until a name
// changes.

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

// headCache keeps the head of the index of names in one era.
type headCache struct {
	mu   sync.Mutex
	kept namesHead
}

// namesHead is the beginning of the index of names. Nobody changes what is in its lists.
type namesHead struct {
	era   storage.Era
	ids   []ID
	ends  []int // of each key in keys
	keys  []byte
	whole bool // no more names follow
}

// of returns what is known of an era's head.
func (c *headCache) of(era storage.Era) namesHead {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kept.era == era {
		return c.kept
	}
	return namesHead{era: era}
}

// keep takes a head that is longer than the one that is kept, or of another era.
func (c *headCache) keep(h namesHead) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kept.era != h.era || len(c.kept.ids) < len(h.ids) || h.whole {
		c.kept = h
	}
}

// key returns the i-th key.
func (h *namesHead) key(i int) []byte {
	start := 0
	if i > 0 {
		start = h.ends[i-1]
	}
	return h.keys[start:h.ends[i]]
}

// rest is the range of keys after the head's last.
func (h *namesHead) rest() (keys kv.Range) {
	if n := len(h.ids); n > 0 {
		keys.Lower = kv.Point(h.key(n - 1)).Upper
	}
	return keys
}

// head returns the head of the names, and where in it a list begins; false when it
// doesn't begin there, or when nothing can be kept.
func (r *Reader) head(l List, keys kv.Range) (h namesHead, at int, begins bool) {
	era := r.storage.Era()
	if !era.Known() || l.Reverse || keys.Upper != nil {
		return h, 0, false
	}
	h = r.store.head.of(era)
	if keys.Lower == nil {
		return h, 0, true
	}
	at = sort.Search(len(h.ids), func(i int) bool { return bytes.Compare(h.key(i), keys.Lower) >= 0 })
	return h, at, at < len(h.ids)
}

// longer returns a head with more names, from the index.
func (r *Reader) longer(h namesHead) (namesHead, error) {
	more := max(len(h.ids), leastNames)
	h.ids, h.ends, h.keys = slices.Grow(slices.Clip(h.ids), more), slices.Grow(slices.Clip(h.ends), more), slices.Clip(h.keys)
	h.whole = true // unless there is another one
	for e, err := range r.store.customer.Entries(r.storage, r.store.name, h.rest(), false) {
		if err != nil {
			return h, err
		}
		if more == 0 {
			h.whole = false
			break
		}
		rest, err := e.Key().SkipString()
		if err != nil {
			return h, err
		}
		id, err := e.Primary(rest)
		if err != nil {
			return h, err
		}
		h.keys = append(h.keys, e.Key()...)
		h.ids, h.ends = append(h.ids, id), append(h.ends, len(h.keys))
		more--
	}
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

// firstNames keeps the first names of units in one era.
type firstNames struct {
	mu    sync.Mutex
	era   storage.Era
	units map[string]unitNames // by prefix
	names int                  // in all of them
}

// mostFirst bounds the names of units that are kept: some five megabytes.
const mostFirst = 1 << 16

func (f *firstNames) of(era storage.Era, prefix storage.Key) (u unitNames, found bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.era == era {
		u, found = f.units[string(prefix)]
	}
	return u, found
}

func (f *firstNames) keep(era storage.Era, u unitNames) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.era != era || f.names >= mostFirst {
		f.era, f.units, f.names = era, map[string]unitNames{}, 0
	}
	f.names += len(u.read) + 1
	f.units[string(u.prefix)] = u
}
