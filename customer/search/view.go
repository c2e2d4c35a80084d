package search

import (
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"sync"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/blevesearch/bleve/v2/index/scorch"
	segment "github.com/blevesearch/scorch_segment_api/v2"

	"github.com/clientele-go/clientele/customer"
)

// view is a state of the index that doesn't change.
type view struct {
	snapshot *scorch.IndexSnapshot
	keys     *keyCache
}

func (g *generation) view() (*view, error) {
	reader, err := g.engine.Reader()
	if err != nil {
		return nil, fmt.Errorf("search: %w", err)
	}
	snapshot, _ := reader.(*scorch.IndexSnapshot)
	if snapshot == nil {
		return nil, ErrClosed
	}
	return &view{snapshot: snapshot, keys: &g.keys}, nil
}

func (v *view) close() { _ = v.snapshot.Close() }

// shard is one segment of a view, as one query reads it. Its bitmaps hold the
// numbers of documents in the segment; nil is the empty one. They may lie in the
// mapped file, so nothing changes them and none outlives the view.
type shard struct {
	dictionary segment.TermDictionary
	segment    segment.Segment
	deleted    *roaring.Bitmap
	cache      *keyCache
	sight      *sight // nil shows everything
	members    map[*membership]*roaring.Bitmap
	found      map[string]ranked // by matchers of other things than names, see otherwise
	term       []byte
	bounded    bool // a prefix had more terms than were looked up
}

func (v *view) shards() ([]*shard, error) {
	var shards []*shard
	for _, s := range v.snapshot.Segments() {
		dictionary, err := s.Segment().Dictionary(field)
		if err != nil {
			return nil, fmt.Errorf("search: %w: %w", ErrCorrupt, err)
		}
		shards = append(shards, &shard{
			dictionary: dictionary, segment: s.Segment(), deleted: s.Deleted(), cache: v.keys,
		})
	}
	return shards, nil
}

// damage carries an error of Bleve's up to the query, see [damaged]. Segments
// are mapped files, so a failing read is damage.
type damage struct{ error }

// postings returns the documents that have a term and may be found by it.
func (s *shard) postings(term []byte) *roaring.Bitmap { return s.shown(term, s.read(term)) }

// read returns the documents that have a term.
func (s *shard) read(term []byte) *roaring.Bitmap {
	list, err := s.dictionary.PostingsList(term, nil, nil)
	if err != nil {
		panic(damage{err})
	}
	return documents(list)
}

func documents(list segment.PostingsList) *roaring.Bitmap {
	it, ok := list.Iterator(false, false, false, nil).(segment.OptimizablePostingsIterator)
	if !ok {
		panic(damage{errors.New("segment of an unknown kind")})
	}
	if n, ok := it.DocNum1Hit(); ok {
		return roaring.BitmapOf(uint32(n))
	}
	if all := it.ActualBitmap(); all != nil && !all.IsEmpty() {
		return all
	}
	return nil
}

// has returns the documents with a term of a space.
func (s *shard) has(space byte, value string) *roaring.Bitmap {
	s.term = append(append(s.term[:0], space), value...)
	return s.postings(s.term)
}

// maxExpansion bounds the terms that a prefix stands for.
const maxExpansion = 1024

// begins returns the documents with a term of a space that begins with prefix.
func (s *shard) begins(space byte, prefix string) *roaring.Bitmap {
	start := append([]byte{space}, prefix...)
	return s.between(start, after(start))
}

// between returns the documents with a term from start to before end. It looks at
// maxExpansion terms at
// most, all of one space.
func (s *shard) between(start, end []byte) *roaring.Bitmap {
	var found union
	for term := range s.terms(start, end, maxExpansion) {
		found.add(s.read([]byte(term)))
	}
	return s.shown(start, found.bitmap())
}

// terms yields up to limit terms from start to before end, in byte order.
func (s *shard) terms(start, end []byte, limit int) iter.Seq[string] {
	return func(yield func(string) bool) {
		it := s.iterator(start, end)
		for n := 0; ; n++ {
			entry, err := it.Next()
			if err != nil {
				panic(damage{err})
			}
			if entry == nil {
				return
			}
			if n == limit {
				s.bounded = true
				return
			}
			if !yield(entry.Term) {
				return
			}
		}
	}
}

// iterator walks the dictionary without reading the postings, where the segment can.
func (s *shard) iterator(start, end []byte) segment.DictionaryIterator {
	type light interface {
		AutomatonIteratorOmitCount(a segment.Automaton, start, end []byte) segment.DictionaryIterator
	}
	if d, ok := s.dictionary.(light); ok {
		return d.AutomatonIteratorOmitCount(nil, start, end)
	}
	return s.dictionary.AutomatonIterator(nil, start, end)
}

// after returns the first key behind all that begin with prefix, nil for the end.
func after(prefix []byte) []byte {
	next := append([]byte(nil), prefix...)
	for i := len(next) - 1; i >= 0; i-- {
		next[i]++
		if next[i] != 0 {
			return next[:i+1]
		}
	}
	return nil
}

// union collects bitmaps.
type union struct{ parts []*roaring.Bitmap }

func (u *union) add(b *roaring.Bitmap) {
	if b != nil {
		u.parts = append(u.parts, b)
	}
}

// manyParts is the number of bitmaps from which setting bits one by one is faster
// than growing a result by one bitmap after the other.
const manyParts = 8

func (u *union) bitmap() *roaring.Bitmap {
	switch {
	case len(u.parts) == 0:
		return nil
	case len(u.parts) == 1:
		return u.parts[0]
	case len(u.parts) < manyParts:
		return roaring.FastOr(u.parts...)
	}
	last := uint32(0)
	for _, part := range u.parts {
		last = max(last, part.Maximum())
	}
	bits := make([]uint64, last/64+1)
	var batch [256]uint32
	for _, part := range u.parts {
		it := part.ManyIterator()
		for n := it.NextMany(batch[:]); n > 0; n = it.NextMany(batch[:]) {
			for _, number := range batch[:n] {
				bits[number/64] |= 1 << (number % 64)
			}
		}
	}
	return roaring.FromDense(bits, true)
}

func or(a, b *roaring.Bitmap) *roaring.Bitmap {
	switch {
	case a == nil || a == b:
		return b
	case b == nil:
		return a
	}
	return roaring.Or(a, b)
}

func and(a, b *roaring.Bitmap) *roaring.Bitmap {
	switch {
	case a == nil || b == nil:
		return nil
	case a == b:
		return a
	}
	return some(roaring.And(a, b))
}

func without(a, b *roaring.Bitmap) *roaring.Bitmap {
	if a == nil || b == nil {
		return a
	}
	return some(roaring.AndNot(a, b))
}

// some returns b, or nil for an empty one.
func some(b *roaring.Bitmap) *roaring.Bitmap {
	if b.IsEmpty() {
		return nil
	}
	return b
}

func size(b *roaring.Bitmap) int {
	if b == nil {
		return 0
	}
	return int(b.GetCardinality())
}

// A sort key has the length of the name in its upper 8 bits and the id below. Ids
// count up from 1, so 56 bits are enough.
const idBits = 56

func keyID(key uint64) customer.ID { return customer.ID(key & (1<<idBits - 1)) }

// keyCache holds the sort keys of each segment by document number: 8 bytes for
// each customer. A segment's are read on its first use, in about 0.1 µs each.
type keyCache struct {
	mu       sync.Mutex
	segments map[segment.Segment]*segmentKeys
}

type segmentKeys struct {
	once sync.Once
	keys []uint64
	runs []idRun
}

// keys returns the sort keys of the segment's documents by number.
func (s *shard) keys() []uint64 { return s.order().keys }

// runs returns where the ids of the segment's documents don't count up by one.
func (s *shard) runs() []idRun { return s.order().runs }

func (s *shard) order() *segmentKeys {
	c := s.cache
	c.mu.Lock()
	if c.segments == nil {
		c.segments = map[segment.Segment]*segmentKeys{}
	}
	k := c.segments[s.segment]
	if k == nil {
		k = new(segmentKeys)
		c.segments[s.segment] = k
	}
	c.mu.Unlock()
	k.once.Do(func() {
		k.keys = s.readKeys()
		k.runs = runsOf(k.keys)
	})
	return k
}

// keep forgets the keys of segments that the view doesn't have.
func (c *keyCache) keep(v *view) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.segments) <= 2*len(v.snapshot.Segments()) {
		return
	}
	kept := map[segment.Segment]*segmentKeys{}
	for _, s := range v.snapshot.Segments() {
		if k := c.segments[s.Segment()]; k != nil {
			kept[s.Segment()] = k
		}
	}
	c.segments = kept
}

func (s *shard) readKeys() []uint64 {
	keys := make([]uint64, s.segment.Count())
	for i := range keys {
		id, err := s.segment.DocID(uint64(i))
		if err != nil || len(id) != 8 {
			panic(damage{fmt.Errorf("document %d has the id %x: %v", i, id, err)})
		}
		keys[i] = binary.BigEndian.Uint64(id) & (1<<idBits - 1)
	}
	for term := range s.terms([]byte{nameLength}, []byte{nameLength + 1}, 256) {
		length := uint64(term[1]) << idBits
		for it := s.postings([]byte(term)).Iterator(); it.HasNext(); {
			keys[it.Next()] |= length
		}
	}
	return keys
}

// numbers returns the numbers of all documents that are not deleted.
func (s *shard) numbers() *roaring.Bitmap {
	all := roaring.New()
	all.AddRange(0, s.segment.Count())
	return without(some(all), s.deleted)
}
