package customer

import (
	"bytes"
	"errors"
	"iter"
	"slices"

	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/bitset"
	"github.com/clientele-go/clientele/storage/kv"
)

// everybody is the condition that holds for every customer.
func everybody(ID) (bool, error) { return true, nil }

// A set of at most fewMembers can be read and sorted, which costs as much for each member
// as entriesEach entries of the book's index do.
const (
	fewMembers  = 4000
	entriesEach = 20
)

// errTooRare ends a scan of an index that meets too few members of a set.
var errTooRare = errors.New("too rare")

// orderedWithin yields the members of a set in order, those under some keys.
func (r *Reader) orderedWithin(within bitset.Source, l List, keys kv.Range) iter.Seq2[*Customer, error] {
	return func(yield func(*Customer, error) bool) {
		if l.Order == ByID {
			r.recordsWithin(within, keys, l.Reverse)(yield)
			return
		}
		size, err := sizeUpTo(within, fewMembers)
		if err != nil {
			yield(nil, err)
			return
		}
		x := r.store.code
		if l.Order == ByName {
			x = r.store.name
		}
		among, scanned := membersOf(within), 0
		var last *Customer
		for c, err := range r.indexed(x, keys, l.Reverse, func(id ID) (bool, error) {
			if scanned++; size <= fewMembers && scanned > entriesEach*(size+1) {
				return false, errTooRare
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
	var c bitset.Chunk
	for n := uint64(0); n < end && size <= most && err == nil; n++ {
		if err = s.Read(n, &c); err == nil {
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
			if l.Order == ByName && c.Status > Suspended {
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
// of the others than to look up each one by itself.
const denseMembers = bitset.ChunkSize / 8

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
		from, to := uint64(first)/bitset.ChunkSize, min(uint64(last)/bitset.ChunkSize, end-1)
		for i := from; i <= to; i++ {
			n := i
			if reverse {
				n = to - (i - from)
			}
			var c bitset.Chunk
			if err := within.Read(n, &c); err != nil {
				yield(nil, err)
				return
			}
			if !r.chunkRecords(n, &c, keys, reverse, yield) {
				return
			}
		}
	}
}

// chunkRecords yields the records of one chunk's members and reports whether to go on.
func (r *Reader) chunkRecords(n uint64, c *bitset.Chunk, keys kv.Range, reverse bool, yield func(*Customer, error) bool) bool {
	if c.Len() < denseMembers {
		ids := c.All()
		if reverse {
			all := slices.Collect(ids)
			slices.Reverse(all)
			ids = slices.Values(all)
		}
		var key storage.Key
		for low := range ids {
			id := ID(n*bitset.ChunkSize + uint64(low))
			if key = key[:0].Uint(uint64(id)); !keys.Contains(key) {
				continue
			}
			x, err := r.store.customer.Get(r.storage, id)
			if isNotFound(err) {
				continue
			}
			if !yield(x, err) || err != nil {
				return false
			}
		}
		return true
	}
	seen := func(id ID) bool { return c.Contains(uint16(id)) }
	for x, err := range r.store.customer.RecordsOf(r.storage, chunkKeys(n, keys), reverse, seen) {
		if !yield(x, err) || err != nil {
			return false
		}
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
