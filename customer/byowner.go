package customer

import (
	"bytes"
	"container/heap"
	"iter"
	"slices"

	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/bitset"
	"github.com/clientele-go/clientele/storage/kv"
)

// OwnedSource is a set of customers of which it is known who owns them. What
// [Access.Within] returns may be one; lists by name are then read unit by unit, rather
// than from the names of the whole book.
type OwnedSource interface {
	bitset.Source
	// Owners returns units and customers such that each member is owned by one of the
	// units or is one of the customers. It is not known when there are more of either than
	// most, or when units don't make the set.
	Owners(most int) (o Owners, known bool, err error)
}

// Owners are the units that own the members of an [OwnedSource], ascending.
type Owners struct {
	Units  []UnitID
	Others []ID // who may be members though none of the units owns them
	Exact  bool // whoever is owned by one of the units is a member
}

// A page is thought to be of so many customers when it is decided how to read it, and to
// begin in the names of one unit to cost as much as to pass over so many of the book's.
const (
	pageOf     = 50
	unitPasses = 32
)

// fewUnits are merged whatever the book is like.
const fewUnits = 4

// sampledChunks are read to find out how many customers a set has among all.
const sampledChunks = 4

// passesFor returns how many of the book's names a page of a set's members is likely to pass
// over.
func passesFor(within bitset.Source) (int, error) {
	end, err := within.End()
	if err != nil || end == 0 {
		return 0, err
	}
	var scratch bitset.Chunk
	members, step := 1, max(end/sampledChunks, 1)
	looked := 0
	for n := uint64(0); n < end && looked < sampledChunks; n += step {
		c, err := bitset.Borrow(within, n, &scratch)
		if err != nil {
			return 0, err
		}
		members, looked = members+c.Len(), looked+1
	}
	return pageOf * looked * bitset.ChunkSize / members, nil
}

// ownersWithin returns the units whose names are to be merged for a list of a set's members,
// false when that would cost more than to look for them among the book's, of which so many are
// passed over at no great cost.
func ownersWithin(within bitset.Source, passed int) (Owners, bool, error) {
	owned, ok := within.(OwnedSource)
	if !ok {
		return Owners{}, false, nil
	}
	o, known, err := owned.Owners(fewUnits)
	if !known && err == nil {
		var passes int
		if passes, err = passesFor(within); err == nil && passes > max(passed, fewUnits*unitPasses) {
			o, known, err = owned.Owners(passes / unitPasses)
		}
	}
	if err != nil || slices.Contains(o.Units, 0) { // those without an owner are in no unit's names
		return Owners{}, false, err
	}
	return o, known, nil
}

// mergedByName yields the members of a set by name, merged from the names of the units that
// own them.
func (r *Reader) mergedByName(within bitset.Source, o Owners, l List, keys kv.Range) iter.Seq2[*Customer, error] {
	return func(yield func(*Customer, error) bool) {
		m := &nameMerge{reader: r, reverse: l.Reverse, among: membersOf(within)}
		if o.Exact {
			m.among = membersOf(nil)
		}
		err := m.addOthers(within, o, l, keys)
		for _, unit := range o.Units {
			if err == nil { // the units' shares in a page differ
				err = m.addUnit(unit, keys, pageOf/len(o.Units)+moreNames)
			}
		}
		if err != nil {
			yield(nil, err)
			return
		}
		heap.Init(m)
		m.customers(yield)
	}
}

// nameMerge is a heap of the names of several units.
type nameMerge struct {
	reader  *Reader
	reverse bool
	units   []*unitNames
	among   *members
}

// moreNames are read of a unit beyond its share in a page.
const moreNames = 8

// unitNames are a unit's names in order, read some at a time. Nobody changes what is in its
// lists.
type unitNames struct {
	prefix storage.Key
	keys   kv.Range // what is left to be read, with the prefix
	read   []namedID
	more   bool // there may be more than what was read
	batch  int  // how many are read at a time
	bytes  []byte
}

// namedID is a customer with its key in the order of names.
type namedID struct {
	key []byte
	id  ID
}

// Len, Less, Swap, Push and Pop make a nameMerge a [heap.Interface].
func (m *nameMerge) Len() int      { return len(m.units) }
func (m *nameMerge) Swap(i, j int) { m.units[i], m.units[j] = m.units[j], m.units[i] }
func (m *nameMerge) Push(x any)    { m.units = append(m.units, x.(*unitNames)) }

func (m *nameMerge) Less(i, j int) bool {
	if m.reverse {
		i, j = j, i
	}
	return bytes.Compare(m.units[i].read[0].key, m.units[j].read[0].key) < 0
}

func (m *nameMerge) Pop() any {
	last := m.units[len(m.units)-1]
	m.units = m.units[:len(m.units)-1]
	return last
}

// addUnit begins to read a unit's names.
func (m *nameMerge) addUnit(unit UnitID, keys kv.Range, first int) error {
	u := &unitNames{prefix: storage.Key(nil).Uint(uint64(unit)), more: true, batch: first}
	u.keys = kv.Prefix(u.prefix)
	if keys.Lower != nil {
		u.keys.Lower = slices.Concat(u.prefix, keys.Lower)
	}
	if keys.Upper != nil {
		u.keys.Upper = slices.Concat(u.prefix, keys.Upper)
	}
	begin := m.fill
	if keys.Lower == nil && keys.Upper == nil && !m.reverse {
		begin = m.fillFirst
	}
	if err := begin(u); err != nil || len(u.read) == 0 {
		return err
	}
	m.units = append(m.units, u)
	return nil
}

// fillFirst reads a unit's first names, unless they are kept.
func (m *nameMerge) fillFirst(u *unitNames) error {
	first := &m.reader.store.firstNames
	if kept, found := first.of(m.reader, u.prefix); found && (len(kept.read) >= u.batch || !kept.more) {
		*u = kept
		return nil
	}
	err := m.fill(u)
	if err == nil {
		first.keep(m.reader, *u)
	}
	return err
}

// addOthers adds the members whom none of the units owns, as if they were one unit's.
func (m *nameMerge) addOthers(within bitset.Source, o Owners, l List, keys kv.Range) error {
	others := &unitNames{}
	for _, id := range o.Others {
		c, err := m.reader.store.customer.Get(m.reader.storage, id)
		if isNotFound(err) {
			continue
		}
		if err != nil {
			return err
		}
		key := l.key(c)
		if _, owned := slices.BinarySearch(o.Units, c.Owner); owned || !inNames(c) || !keys.Contains(key) {
			continue
		}
		in, err := within.Has(uint64(id))
		if err != nil {
			return err
		}
		if in {
			others.read = append(others.read, namedID{key, id})
		}
	}
	if len(others.read) == 0 {
		return nil
	}
	slices.SortFunc(others.read, func(a, b namedID) int { return bytes.Compare(a.key, b.key) })
	if l.Reverse {
		slices.Reverse(others.read)
	}
	m.units = append(m.units, others)
	return nil
}

// fill reads a unit's next names.
func (m *nameMerge) fill(u *unitNames) error {
	u.read, u.bytes = make([]namedID, 0, u.batch), make([]byte, 0, u.batch*maxNameOrder/3)
	for e, err := range m.reader.store.customer.Entries(m.reader.storage, m.reader.store.owner, u.keys, m.reverse) {
		if err != nil {
			return err
		}
		key := e.Key()[len(u.prefix):]
		rest, err := key.SkipString()
		if err != nil {
			return err
		}
		id, err := e.Primary(rest)
		if err != nil {
			return err
		}
		start := len(u.bytes)
		u.bytes = append(u.bytes, key...)
		if u.read = append(u.read, namedID{u.bytes[start:], id}); len(u.read) == u.batch {
			last := slices.Concat(u.prefix, key)
			if m.reverse {
				u.keys.Upper = last
			} else {
				u.keys.Lower = kv.Point(last).Upper
			}
			return nil
		}
	}
	u.more = false
	return nil
}

// maxNamesRead bounds how many names of a unit are read at a time.
const maxNamesRead = 512

// next takes the first name of all.
func (m *nameMerge) next() (namedID, error) {
	u := m.units[0]
	first := u.read[0]
	if u.read = u.read[1:]; len(u.read) == 0 && u.more {
		u.batch = min(2*u.batch, maxNamesRead)
		if err := m.fill(u); err != nil {
			return first, err
		}
	}
	if len(u.read) == 0 {
		heap.Remove(m, 0)
	} else {
		heap.Fix(m, 0)
	}
	return first, nil
}

// customers yields the members.
func (m *nameMerge) customers(yield func(*Customer, error) bool) {
	for len(m.units) > 0 {
		first, err := m.next()
		var c *Customer
		if err == nil {
			c, err = m.reader.ifAmong(m.among, first.id)
		}
		if c == nil && err == nil {
			continue
		}
		if !yield(c, err) || err != nil {
			return
		}
	}
}
