package orgtree

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/bitset"
)

// within is a planned set in one state.
type within struct {
	access *Access
	set    *plannedSet
	field  string
}

// chunkState is what an Access needs to make chunks, read when it is first used. Its lists
// are shared.
type chunkState struct {
	owners  []int64 // changes of each chunk under the keys by owner; every customer has one
	counted bool    // owners is read
	units   []int64 // the same of assignments
	placed  bool    // units and due are read
	due     map[uint64][]customer.ID
	scratch [4]*bitset.Chunk
}

// chunks reads the counts of changes and, for sets that depend on placements, what is
// due.
func (a *Access) chunks(placed bool) (_ *chunkState, err error) {
	s, r := &a.state, a.reader
	if a.reader.storage.Writing() { // what is read may have been changed since
		s.counted, s.placed, s.owners, s.units, s.due = false, false, nil, nil, nil
	}
	if !s.counted {
		if s.owners, err = r.store.changes[unionOwners].of(r.storage, r.customers.Marks()); err != nil {
			return nil, err
		}
		s.counted = true
	}
	if s.placed || !placed {
		return s, nil
	}
	if s.units, err = r.store.changes[unionAssigned].of(r.storage, r.store.byUnit); err != nil {
		return nil, err
	}
	for id, err := range r.dueNow() {
		if err != nil {
			return nil, err
		}
		if s.due == nil {
			s.due = map[uint64][]customer.ID{}
		}
		n := uint64(id) / bitset.ChunkSize
		s.due[n] = append(s.due[n], id)
	}
	s.placed = true
	return s, nil
}

// changeCache keeps how often each chunk of a bitmap has changed, for one era.
type changeCache struct{ kept atomic.Pointer[eraCounts] }

type eraCounts struct {
	era    storage.Era
	counts []int64
}

// of returns the counts of a state, which are shared.
func (c *changeCache) of(r *storage.Reader, bitmap storage.AnyBitmap) ([]int64, error) {
	era := r.Era()
	if kept := c.kept.Load(); era.Known() && kept != nil && kept.era == era {
		return kept.counts, nil
	}
	var counts []int64
	err := bitmap.Versions(r, func(chunk uint64, changes int64) error {
		for uint64(len(counts)) <= chunk {
			counts = append(counts, 0)
		}
		counts[chunk] = changes
		return nil
	})
	if err == nil && era.Known() {
		c.kept.Store(&eraCounts{era, counts})
	}
	return counts, err
}

func countOf(list []int64, n uint64) int64 {
	if n < uint64(len(list)) {
		return list[n]
	}
	return 0
}

// chunk returns the i-th scratch chunk, empty.
func (s *chunkState) chunk(i int) *bitset.Chunk {
	if s.scratch[i] == nil {
		s.scratch[i] = new(bitset.Chunk)
	} else {
		s.scratch[i].Clear()
	}
	return s.scratch[i]
}

// The scratch chunks by use.
const (
	scratchPart = iota
	scratchTerm
	scratchLeft
	scratchRight
)

// End implements [bitset.Source].
func (w *within) End() (uint64, error) {
	s, err := w.access.chunks(false)
	if err != nil {
		return 0, err
	}
	return uint64(len(s.owners)), nil
}

// Has implements [bitset.Source]: it costs a read of the record, and one of the
// placement where units share.
func (w *within) Has(number uint64) (bool, error) {
	return w.access.shows(customer.ID(number), w.field)
}

// Lend implements [bitset.Lender]: what units own is shared by all who see it.
func (w *within) Lend(n uint64, scratch *bitset.Chunk) (*bitset.Chunk, error) {
	a := w.access
	s, err := a.chunks(w.set.placed())
	if err != nil {
		return nil, err
	}
	t := w.set.single()
	if t == nil || len(s.due[n]) > 0 || len(t.assigned.ids) > 0 && countOf(s.units, n) > 0 || a.direct(t.owners) {
		return scratch, w.Read(n, scratch)
	}
	u, err := a.kept(unionOwners, t.owners, n)
	if err != nil || u.all != nil {
		return u.all, err
	}
	scratch.Clear()
	u.addTo(scratch)
	return scratch, nil
}

// Fork implements [bitset.Forker]. What a filter finds is not asked for again.
func (w *within) Fork() bitset.Source {
	a := w.access
	beside := a.reader.storage.Beside()
	if beside == nil || w.set.filtered() {
		return nil
	}
	s, err := a.chunks(w.set.placed())
	if err != nil {
		return nil // who reads w meets it again
	}
	return &within{set: w.set, field: w.field, access: &Access{
		reader: Reader{store: a.reader.store, storage: beside, customers: customer.Beside(a.reader.customers, beside)},
		plan:   a.plan,
		state:  chunkState{owners: s.owners, counted: s.counted, units: s.units, placed: s.placed, due: s.due},
	}}
}

// Owners implements [customer.OwnedSource].
func (w *within) Owners(most int) (o customer.Owners, known bool, err error) {
	if o.Units, o.Exact, known = w.set.ownedBy(most); !known || !w.set.placed() {
		return o, known, nil
	}
	s, err := w.access.chunks(true)
	if err != nil {
		return o, false, err
	}
	for n := range uint64(len(s.owners)) {
		if o.Others, err = w.addPlaced(o.Others, n); err != nil || len(o.Others) > most {
			return o, false, err
		}
	}
	return o, true, nil
}

// addPlaced appends the customers of a chunk whom the set may have because of their
// placements.
func (w *within) addPlaced(list []customer.ID, n uint64) ([]customer.ID, error) {
	s := &w.access.state
	if countOf(s.units, n) == 0 && len(s.due[n]) == 0 {
		return list, nil
	}
	var placed bitset.Chunk
	for _, p := range w.set.parts {
		for i := range p.terms {
			if err := w.access.union(unionAssigned, p.terms[i].assigned, n, &placed); err != nil {
				return nil, err
			}
		}
	}
	for _, id := range s.due[n] {
		placed.Add(uint16(id))
	}
	for low := range placed.All() {
		list = append(list, customer.ID(n*bitset.ChunkSize+uint64(low)))
	}
	return list, nil
}

// Read implements [bitset.Source].
func (w *within) Read(n uint64, into *bitset.Chunk) error {
	s, err := w.access.chunks(w.set.placed())
	if err != nil {
		return err
	}
	if err := w.access.read(w.set, n, into); err != nil {
		return err
	}
	if w.set.both != nil {
		var seen bitset.Chunk
		if err := w.access.read(w.set.both, n, &seen); err != nil {
			return err
		}
		into.And(&seen)
	}
	for _, id := range s.due[n] { // the stored sets are not up to date
		shows, err := w.Has(uint64(id))
		if err != nil {
			return err
		}
		if into.Remove(uint16(id)); shows {
			into.Add(uint16(id))
		}
	}
	return nil
}

// read makes a chunk of a set, without what is due.
func (a *Access) read(set *plannedSet, n uint64, into *bitset.Chunk) error {
	into.Clear()
	for _, p := range set.parts {
		to := into
		if len(p.minus) > 0 {
			to = a.state.chunk(scratchPart)
		}
		for i := range p.terms {
			if err := a.add(&p.terms[i], n, to); err != nil {
				return err
			}
		}
		if len(p.minus) == 0 {
			continue
		}
		for i := range p.minus {
			if err := a.remove(&p.minus[i], n, to); err != nil {
				return err
			}
		}
		into.Or(to)
	}
	for i := range set.minus {
		if err := a.remove(&set.minus[i], n, into); err != nil {
			return err
		}
	}
	return nil
}

func (a *Access) remove(t *term, n uint64, from *bitset.Chunk) error {
	if from.Empty() {
		return nil
	}
	var gone bitset.Chunk
	if err := a.add(t, n, &gone); err != nil {
		return err
	}
	from.AndNot(&gone)
	return nil
}

// add adds a term's customers to a chunk.
func (a *Access) add(t *term, n uint64, to *bitset.Chunk) error {
	if t.own == nil && t.filter == "" {
		return a.addUnits(t, n, to)
	}
	x := a.state.chunk(scratchTerm)
	err := error(nil)
	if t.own != nil {
		err = a.addOwn(t.own, n, x)
	} else {
		err = a.addUnits(t, n, x)
	}
	if err != nil || x.Empty() {
		return err
	}
	if t.own != nil && !t.all {
		y := bitset.Chunk{}
		if err := a.addUnits(t, n, &y); err != nil {
			return err
		}
		x.And(&y)
	}
	if t.filter != "" {
		if err := a.keepMatching(t.filter, n, x); err != nil {
			return err
		}
	}
	to.Or(x)
	return nil
}

// keepMatching leaves those of a chunk whom a filter holds or, of those who were merged,
// whose survivors it holds; see [Access.matches]. Each of these costs two reads.
func (a *Access) keepMatching(filter string, n uint64, of *bitset.Chunk) error {
	found, err := a.find(filter)
	if err != nil {
		return err
	}
	merged := bitset.Chunk{}
	if err := a.mark(customer.StatusKey(nil, customer.Merged), n, &merged); err != nil {
		return err
	}
	merged.And(of)
	held := bitset.Chunk{}
	if err := found.Read(n, &held); err != nil {
		return err
	}
	of.And(&held)
	for low := range merged.All() {
		of.Remove(low)
		survivor, err := a.reader.customers.Get(customer.ID(n*bitset.ChunkSize + uint64(low)))
		if isNotFound(err) || errors.Is(err, customer.ErrErased) {
			continue
		}
		if err != nil {
			return err
		}
		holds, err := found.Has(uint64(survivor.ID))
		if err != nil {
			return err
		}
		if holds {
			of.Add(low)
		}
	}
	return nil
}

// addUnits adds what a term's units have.
func (a *Access) addUnits(t *term, n uint64, to *bitset.Chunk) error {
	if t.all {
		for _, status := range customer.AllStatuses() {
			if err := a.mark(customer.StatusKey(nil, status), n, to); err != nil {
				return err
			}
		}
		return nil
	}
	if err := a.union(unionOwners, t.owners, n, to); err != nil || len(t.assigned.ids) == 0 || countOf(a.state.units, n) == 0 {
		return err
	}
	assigned := a.state.chunk(scratchLeft)
	if err := a.union(unionAssigned, t.assigned, n, assigned); err != nil || assigned.Empty() {
		return err
	}
	if !t.anyOwner {
		sharing := a.state.chunk(scratchRight)
		if err := a.union(unionOwners, t.sharing, n, sharing); err != nil {
			return err
		}
		assigned.And(sharing)
	}
	to.Or(assigned)
	return nil
}

// addOwn adds a principal's own customers.
func (a *Access) addOwn(h *hat, n uint64, to *bitset.Chunk) error {
	if err := a.mark(customer.RepKey(nil, h.id), n, to); err != nil {
		return err
	}
	r := a.reader
	if err := r.store.byRep.AddChunk(r.storage, storage.Key(nil).String(h.id), n, to); err != nil || h.team == 0 {
		return err
	}
	for _, team := range a.plan.tree.covered(Reach{Unit: h.team}) {
		if err := r.store.byTeam.AddChunk(r.storage, storage.Key(nil).Uint(uint64(team)), n, to); err != nil {
			return err
		}
	}
	return nil
}

func (a *Access) mark(key storage.Key, n uint64, to *bitset.Chunk) error {
	return a.reader.customers.Marks().AddChunk(a.reader.storage, key, n, to)
}

// The kinds of unions.
const (
	unionOwners = iota
	unionAssigned
)

// direct reports whether the sets of units are read each time: one alone costs no more.
// What an Update sees may never be committed: nothing of it is kept, and what others keep
// may not be what it sees.
func (a *Access) direct(units unitList) bool {
	return len(units.ids) <= 1 || a.reader.storage.Writing()
}

// union adds the customers that units own, or to which they are assigned.
func (a *Access) union(kind uint8, units unitList, n uint64, to *bitset.Chunk) error {
	if a.changes(kind, n) == 0 {
		return nil
	}
	if a.direct(units) {
		return a.unite(kind, units, n, to)
	}
	u, err := a.kept(kind, units, n)
	if err == nil {
		u.addTo(to)
	}
	return err
}

func (a *Access) changes(kind uint8, n uint64) int64 {
	if kind == unionAssigned {
		return countOf(a.state.units, n)
	}
	return countOf(a.state.owners, n)
}

// kept returns a union, from the cache if it is there.
func (a *Access) kept(kind uint8, units unitList, n uint64) (union, error) {
	changes := a.changes(kind, n)
	if changes == 0 {
		return union{}, nil
	}
	key := unionKey{kind, units.name, n}
	if u, found := a.reader.store.unions.find(key, changes); found {
		return u, nil
	}
	made := new(bitset.Chunk)
	if err := a.unite(kind, units, n, made); err != nil {
		return union{}, err
	}
	u := newUnion(changes, made)
	a.reader.store.unions.keep(key, u)
	return u, nil
}

// unite reads the sets of units one by one.
func (a *Access) unite(kind uint8, units unitList, n uint64, to *bitset.Chunk) error {
	var bitmap storage.AnyBitmap = a.reader.store.byUnit
	if kind == unionOwners {
		bitmap = a.reader.customers.Marks()
	}
	var key storage.Key
	for _, unit := range units.ids {
		if kind == unionOwners {
			key = customer.OwnerKey(key[:0], unit)
		} else {
			key = key[:0].Uint(uint64(unit))
		}
		if err := bitmap.AddChunk(a.reader.storage, key, n, to); err != nil {
			return err
		}
	}
	return nil
}

// unionCache keeps unions of several units' sets, by chunk, in two generations: what is
// used stays. What it has can be read by everyone and is never changed.
type unionCache struct {
	mu           sync.Mutex
	young, older map[unionKey]union
	bytes        int // of the young
}

type unionKey struct {
	kind  uint8
	units [16]byte
	chunk uint64
}

// union is a chunk after a number of changes; see [storage.Bitmap.Versions].
type union struct {
	changes int64
	all     *bitset.Chunk // nil when the members are in few
	few     []uint16
}

// fewMembers are kept one by one, in a quarter of what a chunk takes.
const fewMembers = bitset.ChunkSize / 64

// newUnion takes the chunk over.
func newUnion(changes int64, members *bitset.Chunk) union {
	n := members.Len()
	if n > fewMembers {
		return union{changes: changes, all: members}
	}
	return union{changes: changes, few: slices.AppendSeq(make([]uint16, 0, n), members.All())}
}

func (u union) addTo(c *bitset.Chunk) {
	if u.all != nil {
		c.Or(u.all)
		return
	}
	for _, low := range u.few {
		c.Add(low)
	}
}

// unionBytes is about what the cache's own tables take for a union.
const unionBytes = 160

func (u union) size() int {
	if u.all != nil {
		return unionBytes + bitset.ChunkSize/8
	}
	return unionBytes + 2*len(u.few)
}

// maxUnions bounds a generation, in bytes.
const maxUnions = 32 << 20

func (c *unionCache) find(key unionKey, changes int64) (union, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	u, found := c.young[key]
	if !found {
		if u, found = c.older[key]; found {
			c.put(key, u)
		}
	}
	return u, found && u.changes == changes
}

func (c *unionCache) keep(key unionKey, u union) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.put(key, u)
}

func (c *unionCache) put(key unionKey, u union) {
	if c.young == nil || c.bytes >= maxUnions {
		c.young, c.older, c.bytes = map[unionKey]union{}, c.young, 0
	}
	c.bytes += u.size()
	c.young[key] = u
}
