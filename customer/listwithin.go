package customer

import (
	"bytes"
	"errors"
	"iter"
	"math"
	"slices"

	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/bitset"
	"github.com/clientele-go/clientele/storage/kv"
)

// everybody is the condition that holds for every customer.
func everybody(ID) (bool, error) { return true, nil }

// A set of at most fewMembers can be read and sorted, which costs as much for each member
// as entriesEach entries of the book's index do. Before so many entries were looked at,
// nobody asks for the size.
const (
	fewMembers  = 4000
	entriesEach = 20
	entriesFree = 2000
)

// errTooRare ends a scan of an index that meets too few members of a set.
var errTooRare = errors.New("too rare")

// orderedWithin yields the members of a set in order, those under some keys.
func (r *Reader) orderedWithin(within bitset.Source, l List, keys kv.Range) iter.Seq2[*Customer, error] {
	switch l.Order {
	case ByID:
		return r.recordsWithin(within, keys, l.Reverse)
	case ByName:
		return r.namedWithin(within, l, keys)
	}
	return r.indexedWithin(within, l, r.store.code, keys)
}

// namedWithin yields the members of a set by name, in the way that costs least.
func (r *Reader) namedWithin(within bitset.Source, l List, keys kv.Range) iter.Seq2[*Customer, error] {
	return func(yield func(*Customer, error) bool) {
		head, at, begins, err := r.head(l, keys)
		if err != nil {
			yield(nil, err)
			return
		}
		passes := 0
		if begins {
			passes = headPasses
		}
		switch owners, known, err := ownersWithin(within, passes); {
		case err != nil:
			yield(nil, err)
		case known:
			r.mergedByName(within, owners, l, keys)(yield)
		case begins:
			r.headWithin(within, head, at, l)(yield)
		default:
			r.indexedWithin(within, l, r.store.name, keys)(yield)
		}
	}
}

// indexedWithin yields those of a book's index who are in a set, or the set sorted once it
// turns out that they are too rare.
func (r *Reader) indexedWithin(within bitset.Source, l List, x *storage.Index[*Customer], keys kv.Range) iter.Seq2[*Customer, error] {
	return func(yield func(*Customer, error) bool) {
		among, rare := membersOf(within), rarity{within: within}
		var last *Customer
		for c, err := range r.indexed(x, keys, l.Reverse, func(id ID) (bool, error) {
			if err := rare.pass(); err != nil {
				return false, err
			}
			return among.has(id)
		}) {
			if err == errTooRare {
				if last != nil {
					keys = l.beyond(keys, last)
				}
				r.sortedWithin(within, l, keys)(yield)
				return
			}
			if !yield(c, err) || err != nil {
				return
			}
			last = c
		}
	}
}

// rarity counts the entries of an index that were looked at for a set's members.
type rarity struct {
	within  bitset.Source
	looked  int
	allowed int // 0 until it is known
}

// pass returns errTooRare when it costs less to sort the set.
func (r *rarity) pass() error {
	if r.looked++; r.looked <= max(entriesFree, r.allowed) {
		return nil
	}
	if r.allowed > 0 {
		return errTooRare
	}
	size, err := sizeUpTo(r.within, fewMembers)
	if err != nil {
		return err
	}
	if r.allowed = entriesEach * (size + 1); size > fewMembers {
		r.allowed = math.MaxInt
	}
	if r.looked > r.allowed {
		return errTooRare
	}
	return nil
}

// beyond is the part of a range of keys after a customer, in the order of the list.
func (l List) beyond(keys kv.Range, c *Customer) kv.Range {
	if l.Reverse {
		keys.Upper = l.key(c)
	} else {
		keys.Lower = kv.Point(l.key(c)).Upper
	}
	return keys
}

// sizeUpTo counts a set's members, or says only that there are more than some.
func sizeUpTo(s bitset.Source, most int) (size int, err error) {
	end, err := s.End()
	var scratch bitset.Chunk
	for n := uint64(0); n < end && size <= most && err == nil; n++ {
		var c *bitset.Chunk
		if c, err = bitset.Borrow(s, n, &scratch); err == nil {
			size += c.Len()
		}
	}
	return size, err
}

// sortedWithin yields the members of a small set by name or code.
func (r *Reader) sortedWithin(within bitset.Source, l List, keys kv.Range) iter.Seq2[*Customer, error] {
	return func(yield func(*Customer, error) bool) {
		type entry struct {
			key storage.Key
			c   *Customer
		}
		var list []entry
		for c, err := range r.recordsWithin(within, kv.Range{}, false) {
			if err != nil {
				yield(nil, err)
				return
			}
			if l.Order == ByName && !inNames(c) {
				continue // as the index does
			}
			if key := l.key(c); keys.Contains(key) {
				list = append(list, entry{key, c})
			}
		}
		slices.SortFunc(list, func(a, b entry) int {
			if l.Reverse {
				a, b = b, a
			}
			return bytes.Compare(a.key, b.key)
		})
		for _, e := range list {
			if !yield(e.c, nil) {
				return
			}
		}
	}
}

// denseMembers is how many of a chunk's members make it cheaper to pass over the records
// of the others than to look up each one by itself. The first page is looked up unless
// nearly all are members: what many ask for is in the engine's memory.
const (
	denseMembers  = bitset.ChunkSize / 8
	denserMembers = bitset.ChunkSize * 3 / 4
)

// recordsWithin yields the records of a set's members, in the order of their ids.
func (r *Reader) recordsWithin(within bitset.Source, keys kv.Range, reverse bool) iter.Seq2[*Customer, error] {
	return func(yield func(*Customer, error) bool) {
		first, last, err := idsOf(keys)
		end := uint64(0)
		if err == nil {
			end, err = within.End()
		}
		if err != nil {
			yield(nil, err)
			return
		}
		if end == 0 || first > last {
			return
		}
		var scratch bitset.Chunk
		read := recordsRead{reader: r, keys: keys, reverse: reverse}
		from, to := uint64(first)/bitset.ChunkSize, min(uint64(last)/bitset.ChunkSize, end-1)
		for i := from; i <= to; i++ {
			n := i
			if reverse {
				n = to - (i - from)
			}
			c, err := bitset.Borrow(within, n, &scratch)
			if err != nil {
				yield(nil, err)
				return
			}
			if !read.chunk(n, c, yield) {
				return
			}
		}
	}
}

// recordsRead reads the records of a set's members.
type recordsRead struct {
	reader  *Reader
	keys    kv.Range
	reverse bool
	n       int // so many were yielded
}

// chunk yields the records of one chunk's members and reports whether to go on.
func (x *recordsRead) chunk(n uint64, c *bitset.Chunk, yield func(*Customer, error) bool) bool {
	size := c.Len()
	if size < denseMembers {
		return x.lookUp(n, c, maxID, yield)
	}
	if size < denserMembers && x.n < pageOf {
		if !x.lookUp(n, c, pageOf, yield) {
			return false
		}
	}
	seen := func(id ID) bool { return c.Contains(uint16(id)) }
	for r, err := range x.reader.store.customer.RecordsOf(x.reader.storage, chunkKeys(n, x.keys), x.reverse, seen) {
		if x.n++; !yield(r, err) || err != nil {
			return false
		}
	}
	return true
}

// lookUp yields the records of a chunk's members, each looked up by itself, until so many
// of the set were. It leaves in keys what is still to be read.
func (x *recordsRead) lookUp(n uint64, c *bitset.Chunk, most int, yield func(*Customer, error) bool) bool {
	ids := c.All()
	if x.reverse {
		ids = c.Backward()
	}
	var key storage.Key
	last, passed := ID(0), false
	for low := range ids {
		if x.n >= most {
			break
		}
		id := ID(n*bitset.ChunkSize + uint64(low))
		if key = key[:0].Uint(uint64(id)); !x.keys.Contains(key) {
			continue
		}
		last, passed = id, true
		r, err := x.reader.store.customer.Get(x.reader.storage, id)
		if isNotFound(err) {
			continue
		}
		if x.n++; !yield(r, err) || err != nil {
			return false
		}
	}
	if !passed {
		return true
	}
	if key = key[:0].Uint(uint64(last)); x.reverse {
		x.keys.Upper = key
	} else {
		x.keys.Lower = kv.Point(key).Upper
	}
	return true
}

// chunkKeys is the part of a range of ids that is in a chunk.
func chunkKeys(n uint64, keys kv.Range) kv.Range {
	part := kv.Range{Lower: storage.Key(nil).Uint(n * bitset.ChunkSize), Upper: storage.Key(nil).Uint((n + 1) * bitset.ChunkSize)}
	if bytes.Compare(keys.Lower, part.Lower) > 0 {
		part.Lower = keys.Lower
	}
	if keys.Upper != nil && bytes.Compare(keys.Upper, part.Upper) < 0 {
		part.Upper = keys.Upper
	}
	return part
}

// maxID is the greatest id that a set can have.
const maxID = 1<<48 - 1

// idsOf returns the first and the last id that may be in a range of keys.
func idsOf(keys kv.Range) (first, last ID, err error) {
	last = maxID
	if keys.Lower != nil {
		n, _, err := storage.Key(keys.Lower).CutUint()
		if err != nil {
			return 0, 0, err
		}
		first = ID(n)
	}
	if keys.Upper != nil {
		n, _, err := storage.Key(keys.Upper).CutUint()
		if err != nil {
			return 0, 0, err
		}
		last = min(last, ID(n))
	}
	return first, last, nil
}
