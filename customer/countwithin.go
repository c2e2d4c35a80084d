package customer

import (
	"cmp"
	"slices"

	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/bitset"
	"github.com/clientele-go/clientele/storage/kv"
)

// countsWithin is Counts over the members of a set, from the sets of each status, kind
// and party.
func (r *Reader) countsWithin(within bitset.Source) ([]Count, error) {
	sums := map[Count]int64{}
	err := r.eachChunk(within, func(n uint64, members *bitset.Chunk) error {
		statuses, err := r.divide(n, members, "status", len(statusNames))
		if err != nil {
			return err
		}
		kinds, err := r.divide(n, members, "kind", len(kindNames))
		if err != nil {
			return err
		}
		parties, err := r.divide(n, members, "party", len(partyNames))
		if err != nil {
			return err
		}
		for s := range statuses {
			for k := range kinds {
				both := statuses[s]
				both.And(&kinds[k])
				for p := range parties {
					sums[Count{Status: Status(s), Kind: Kind(k), Party: Party(p)}] += int64(both.AndLen(&parties[p]))
				}
			}
		}
		return nil
	})
	var counts []Count
	for c, n := range sums {
		if c.N = n; n > 0 {
			counts = append(counts, c)
		}
	}
	slices.SortFunc(counts, func(a, b Count) int {
		return cmp.Or(cmp.Compare(a.Status, b.Status), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Party, b.Party))
	})
	return counts, err
}

// divide returns a chunk's members by the ordinal of an enumeration.
func (r *Reader) divide(n uint64, members *bitset.Chunk, field string, values int) ([]bitset.Chunk, error) {
	parts := make([]bitset.Chunk, values)
	for v := range parts {
		key := storage.Key(nil).String(field).Uint(uint64(v))
		if err := r.readMark(key, n, &parts[v]); err != nil {
			return nil, err
		}
		parts[v].And(members)
	}
	return parts, nil
}

// readMark adds to a chunk the customers that have a key of a field.
func (r *Reader) readMark(key storage.Key, n uint64, into *bitset.Chunk) error {
	return r.store.marks.AddChunk(r.storage, key, n, into)
}

// eachChunk calls f with the members of each chunk of a set, nil for everybody, that are
// customers.
func (r *Reader) eachChunk(within bitset.Source, f func(n uint64, members *bitset.Chunk) error) error {
	end, err := r.chunksOf(within)
	for n := uint64(0); n < end && err == nil; n++ {
		if err = r.storage.Context().Err(); err != nil {
			break
		}
		var members bitset.Chunk
		if within == nil {
			members.Fill()
		} else if err = within.Read(n, &members); err != nil {
			break
		}
		if !members.Empty() {
			err = f(n, &members)
		}
	}
	return err
}

// chunksOf is one more than the number of the last chunk that may have members.
func (r *Reader) chunksOf(within bitset.Source) (end uint64, err error) {
	if within != nil {
		return within.End()
	}
	for c, err := range r.store.customer.Records(r.storage, kv.Range{}, true) {
		if err != nil {
			return 0, err
		}
		return uint64(c.ID)/bitset.ChunkSize + 1, nil
	}
	return 0, nil
}

// placesWithin is CountsByPlace over the members of a set, nil for everybody, where placed
// are those whose address is shown.
func (r *Reader) placesWithin(within, placed bitset.Source) ([]PlaceCount, error) {
	t := placeTable{reader: r, placed: placed, sums: map[PlaceCount]int64{}}
	for i, field := range placeParts {
		if err := t.readValues(i, field); err != nil {
			return nil, err
		}
	}
	if err := r.eachChunk(within, t.take); err != nil {
		return nil, err
	}
	var counts []PlaceCount
	for c, n := range t.sums {
		c.N = n
		counts = append(counts, c)
	}
	slices.SortFunc(counts, func(a, b PlaceCount) int {
		return cmp.Or(cmp.Compare(a.Status, b.Status), cmp.Compare(a.Country, b.Country),
			cmp.Compare(a.Province, b.Province), cmp.Compare(a.City, b.City))
	})
	return counts, nil
}

var placeParts = [...]string{"country", "province", "city"}

// placeTable counts customers by place, chunk by chunk.
type placeTable struct {
	reader *Reader
	placed bitset.Source
	values [len(placeParts)][]string
	sums   map[PlaceCount]int64

	of [len(placeParts)][bitset.ChunkSize]uint32 // of each member one more than its value's number
}

// readValues lists the values that a part of places has in the book.
func (t *placeTable) readValues(part int, field string) error {
	prefix := storage.Key(nil).String(field)
	return t.reader.store.marks.Scan(t.reader.storage, kv.Prefix(prefix), func(key storage.Key, _ uint64, _ []byte) error {
		value, _, err := key[len(prefix):].CutString()
		if list := t.values[part]; err == nil && (len(list) == 0 || list[len(list)-1] != value) {
			t.values[part] = append(list, value)
		}
		return err
	})
}

// take counts the members of one chunk.
func (t *placeTable) take(n uint64, members *bitset.Chunk) error {
	if err := t.place(n); err != nil {
		return err
	}
	for status := range statusNames {
		key := storage.Key(nil).String("status").Uint(uint64(status))
		var these bitset.Chunk
		if err := t.reader.readMark(key, n, &these); err != nil {
			return err
		}
		these.And(members)
		for low := range these.All() {
			t.sums[PlaceCount{
				Status: Status(status), Country: t.value(0, low), Province: t.value(1, low), City: t.value(2, low),
			}]++
		}
	}
	return nil
}

// place finds out where the members of a chunk are.
func (t *placeTable) place(n uint64) error {
	var shown bitset.Chunk
	if t.placed != nil {
		if err := t.placed.Read(n, &shown); err != nil {
			return err
		}
	}
	for part, field := range placeParts {
		clear(t.of[part][:])
		for i, value := range t.values[part] {
			var these bitset.Chunk
			if err := t.reader.readMark(storage.Key(nil).String(field).String(value), n, &these); err != nil {
				return err
			}
			if t.placed != nil {
				these.And(&shown)
			}
			for low := range these.All() {
				t.of[part][low] = uint32(i + 1)
			}
		}
	}
	return nil
}

func (t *placeTable) value(part int, low uint16) string {
	if i := t.of[part][low]; i > 0 {
		return t.values[part][i-1]
	}
	return ""
}
