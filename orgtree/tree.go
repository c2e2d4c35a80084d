package orgtree

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/internal/text"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
)

// Tree is the organisation on one instant: the units that had been opened by then,
// each in the place that it had, closed ones too. The book, unit 0, is above them all.
// A unit that was merged into another stands below it, and what was below the merged one
// is below the survivor.
//
// A Tree never changes and is safe for concurrent use. Ancestry tests cost nanoseconds;
// a tree of 10,000 units has some 3 MB.
type Tree struct {
	version uint64
	stamp   uint64
	at      time.Time
	since   time.Time // when something last took effect; zero for never
	until   time.Time // when something next does; zero for never
	all     []*Unit   // opened by then or not, by folded code; shared among trees
	byID    []int32   // by unit id: the index in all + 1, 0 for none

	// By place: the units in pre-order, so that a subtree is an interval.
	order    []customer.UnitID
	units    []Unit // as of at
	parents  []int32
	last     []int32 // the last place of the subtree
	levels   []uint8
	policies []Sharing // in force
	survivor []int32   // where a merged unit went; itself otherwise

	places []int32 // by unit id: the place + 1, 0 for none

	shared sharedUnits // see View
}

// place returns the place of a unit, or -1.
func (t *Tree) place(id customer.UnitID) int32 {
	if uint64(id) >= uint64(len(t.places)) {
		return -1
	}
	return t.places[id] - 1
}

// Version counts the changes of the organisation. Two trees of one book with the same
// version are about the same changes, perhaps on different instants.
func (t *Tree) Version() uint64 { return t.version }

// At is the instant that the tree is about.
func (t *Tree) At() time.Time { return t.at }

// Len returns the number of units, closed and merged ones among them, without the book.
func (t *Tree) Len() int { return len(t.order) - 1 }

// Unit returns a unit, which is shared and must not be changed.
func (t *Tree) Unit(id customer.UnitID) (*Unit, bool) {
	at := t.place(id)
	if at < 0 {
		return nil, false
	}
	return &t.units[at], true
}

// Open reports whether customers can be placed in a unit: it is opened, and neither
// closed nor merged.
func (t *Tree) Open(id customer.UnitID) bool {
	u, found := t.Unit(id)
	return found && id != 0 && !u.closedAt(t.at)
}

// Resolve returns the unit that a merged unit went up in, and any other unit itself.
func (t *Tree) Resolve(id customer.UnitID) customer.UnitID {
	at := t.place(id)
	if at < 0 {
		return id
	}
	return t.order[t.survivor[at]]
}

// Parent returns the unit above, 0 for one at the top: for a merged unit its survivor.
func (t *Tree) Parent(id customer.UnitID) customer.UnitID {
	at := t.place(id)
	if at <= 0 {
		return 0
	}
	return t.order[t.parents[at]]
}

// Children yields the units directly below one, by code, without those merged into it.
func (t *Tree) Children(id customer.UnitID) iter.Seq[customer.UnitID] {
	return t.below(id, func(child int32) bool { return t.survivor[child] == child })
}

// Merged yields the units that were merged into one directly.
func (t *Tree) Merged(id customer.UnitID) iter.Seq[customer.UnitID] {
	return t.below(id, func(child int32) bool { return t.survivor[child] != child })
}

func (t *Tree) below(id customer.UnitID, wanted func(place int32) bool) iter.Seq[customer.UnitID] {
	return func(yield func(customer.UnitID) bool) {
		at := t.place(id)
		if at < 0 {
			return
		}
		for child := at + 1; child <= t.last[at]; child = t.last[child] + 1 {
			if wanted(child) && !yield(t.order[child]) {
				return
			}
		}
	}
}

// Ancestors yields the units above one, the nearest first, without the book.
func (t *Tree) Ancestors(id customer.UnitID) iter.Seq[customer.UnitID] {
	return func(yield func(customer.UnitID) bool) {
		for id = t.Parent(id); id != 0; id = t.Parent(id) {
			if !yield(id) {
				return
			}
		}
	}
}

// Path returns the units from the top down to one, itself included.
func (t *Tree) Path(id customer.UnitID) []customer.UnitID {
	if t.place(id) <= 0 {
		return nil
	}
	path := append(slices.Collect(t.Ancestors(id)), 0)
	copy(path[1:], path)
	path[0] = id
	slices.Reverse(path)
	return path
}

// Level returns 1 for a unit at the top, one more for each unit above, and 0 for the
// book and for a unit that the tree doesn't know.
func (t *Tree) Level(id customer.UnitID) int {
	at := t.place(id)
	if at < 0 {
		return 0
	}
	return int(t.levels[at])
}

// Subtree yields a unit and all below it, each before those below it, siblings by code;
// merged units are among them, since customers' records may still name these.
func (t *Tree) Subtree(id customer.UnitID) iter.Seq[customer.UnitID] {
	return func(yield func(customer.UnitID) bool) {
		at := t.place(id)
		if at < 0 {
			return
		}
		for _, unit := range t.order[at : t.last[at]+1] {
			if !yield(unit) {
				return
			}
		}
	}
}

// Size returns how many units Subtree yields.
func (t *Tree) Size(id customer.UnitID) int {
	at := t.place(id)
	if at < 0 {
		return 0
	}
	return int(t.last[at]-at) + 1
}

// Contains reports whether a unit is another one or below it. The book contains every
// unit. A merged unit counts as its survivor.
func (t *Tree) Contains(ancestor, unit customer.UnitID) bool {
	if ancestor == 0 {
		return true
	}
	above, at := t.place(ancestor), t.place(unit)
	if above < 0 || at < 0 {
		return false
	}
	above, at = t.survivor[above], t.survivor[at]
	return above <= at && at <= t.last[above]
}

// treeState is the one record that every change of the tree writes and every
// transaction that depends on the tree reads.
type treeState struct {
	Version uint64
	Latest  time.Time // when a change was made last
	// Recent are the latest changes, the last of them last, as they are stored: most
	// readers want the last stamp alone.
	Recent string
}

// treeChange names the unit that a change wrote. The stamp is the name of the state
// after it: random, so that a transaction which fails leaves a name that no committed
// state has, and trees can be kept by name whoever made them.
type treeChange struct {
	Stamp uint64
	Unit  customer.UnitID
}

const (
	treeKey = "tree"
	// maxRecent bounds how many changes a kept tree can be behind and still be brought up
	// to date without reading all units.
	maxRecent = 32
	// changeBytes is the size of a stored change: stamp and unit, big-endian.
	changeBytes = 16
)

// recent returns the i-th of the latest changes.
func (s *treeState) recent(i int) treeChange {
	stored := []byte(s.Recent[i*changeBytes : (i+1)*changeBytes])
	return treeChange{binary.BigEndian.Uint64(stored), customer.UnitID(binary.BigEndian.Uint64(stored[8:]))}
}

// add makes a change the last one.
func (s *treeState) add(c treeChange) {
	s.Version++
	stored := binary.BigEndian.AppendUint64([]byte(s.Recent), c.Stamp)
	stored = binary.BigEndian.AppendUint64(stored, uint64(c.Unit))
	s.Recent = string(stored[max(0, len(stored)-maxRecent*changeBytes):])
}

func (s *treeState) stamp() uint64 {
	n := len(s.Recent) / changeBytes
	if n == 0 {
		return 0
	}
	return s.recent(n - 1).Stamp
}

// after returns the changes since a state, and whether that can be told.
func (s *treeState) after(stamp uint64) (changes []treeChange, known bool) {
	n := len(s.Recent) / changeBytes
	known = stamp == 0 && s.Version == uint64(n)
	for i := range n {
		c := s.recent(i)
		if known {
			changes = append(changes, c)
		}
		known = known || c.Stamp == stamp
	}
	return changes, known
}

func (r *Reader) state() (*treeState, error) {
	s, err := r.store.tree.Get(r.storage, treeKey)
	if isNotFound(err) {
		return &treeState{}, nil
	}
	return s, err
}

// changed notes a change of a unit: every transaction that has read the tree and is not
// committed yet will run again.
func (tx *Tx) changed(unit customer.UnitID) error {
	s, err := tx.state()
	if err != nil {
		return err
	}
	s.add(treeChange{Stamp: 1 + rand.Uint64N(1<<63), Unit: unit})
	if now := tx.now(); s.Latest.Before(now) {
		s.Latest = now
	}
	return tx.store.tree.Put(tx.tx, treeKey, s, 0)
}

// treeCache keeps the latest trees.
type treeCache struct {
	mu    sync.Mutex
	trees [4]*Tree // the one used last first
}

// find returns the tree of a state on an instant; failing that, one from which it can
// be derived, or nil.
func (c *treeCache) find(s *treeState, now time.Time) (found, base *Tree) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, t := range c.trees {
		if t == nil {
			break
		}
		if t.stamp == s.stamp() && t.holds(now) {
			copy(c.trees[1:i+1], c.trees[:i])
			c.trees[0] = t
			return t, nil
		}
		if _, ok := s.after(t.stamp); ok && base == nil {
			base = t
		}
	}
	return nil, base
}

func (c *treeCache) keep(t *Tree) {
	c.mu.Lock()
	defer c.mu.Unlock()
	copy(c.trees[1:], c.trees[:])
	c.trees[0] = t
}

// holds reports whether the tree is that of another instant as well.
func (t *Tree) holds(now time.Time) bool {
	return !now.Before(t.since) && (t.until.IsZero() || now.Before(t.until))
}

// Tree returns the organisation as of now. It costs one small read when the tree has
// been read before, and a millisecond for 10,000 units after a change; the first costs
// some tens.
func (r *Reader) Tree() (*Tree, error) {
	s, err := r.state()
	if err != nil {
		return nil, err
	}
	now := r.now()
	if now.Before(s.Latest) { // by a clock that is slow, what was done would lie ahead
		now = s.Latest
	}
	t, base := r.store.trees.find(s, now)
	if t != nil {
		return t, nil
	}
	units, err := r.unitsOf(s, base)
	if err != nil {
		return nil, err
	}
	if t, err = newTree(units, now); err != nil {
		return nil, err
	}
	t.version, t.stamp = s.Version, s.stamp()
	r.store.trees.keep(t)
	return t, nil
}

// unitsOf returns all units of a state, reading only what a base lacks.
func (r *Reader) unitsOf(s *treeState, base *Tree) ([]*Unit, error) {
	if base == nil {
		return r.allUnits()
	}
	changes, _ := s.after(base.stamp)
	if len(changes) == 0 {
		return base.all, nil
	}
	changed := map[customer.UnitID]*Unit{}
	for _, c := range changes {
		if changed[c.Unit] != nil {
			continue
		}
		u, err := r.unit("read tree", c.Unit)
		if err != nil {
			return nil, err
		}
		changed[c.Unit] = u
	}
	return replaced(base.all, changed), nil
}

// replaced returns the units with some in new versions, and others added.
func replaced(units []*Unit, by map[customer.UnitID]*Unit) []*Unit {
	next := make([]*Unit, 0, len(units)+len(by))
	for _, u := range units {
		if by[u.ID] == nil {
			next = append(next, u)
		}
	}
	for _, u := range by {
		next = append(next, u)
	}
	sortUnits(next)
	return next
}

func (r *Reader) allUnits() ([]*Unit, error) {
	var units []*Unit
	for u, err := range r.store.unit.Records(r.storage, kv.Range{}, false) {
		if err != nil {
			return nil, err
		}
		units = append(units, u)
	}
	sortUnits(units)
	return units, nil
}

// sortUnits orders units by code, which makes siblings so too.
func sortUnits(units []*Unit) {
	slices.SortFunc(units, func(a, b *Unit) int {
		return cmp.Or(strings.Compare(text.Fold(a.Code), text.Fold(b.Code)), cmp.Compare(a.ID, b.ID))
	})
}

// TreeAt returns the organisation on an instant, as it is known now: with moves,
// mergers and closures that were recorded later but took effect by then, and, for an
// instant ahead, with those that are recorded already. Codes, names and policies are
// the present ones. It costs a millisecond for 10,000 units.
func (r *Reader) TreeAt(at time.Time) (*Tree, error) {
	present, err := r.Tree()
	if err != nil {
		return nil, err
	}
	t, err := newTree(present.all, at)
	if err != nil {
		return nil, err
	}
	t.version, t.stamp = present.version, present.stamp
	return t, nil
}

// TreeKnown returns the organisation on an instant, as it was known when: with what had
// been recorded by then and nothing else. It reads the history of every unit.
func (r *Reader) TreeKnown(at, known time.Time) (*Tree, error) {
	present, err := r.allUnits()
	if err != nil {
		return nil, err
	}
	var units []*Unit
	for _, u := range present {
		then, err := r.store.unit.At(r.storage, u.ID, known)
		if isNotFound(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		units = append(units, then)
	}
	sortUnits(units)
	return newTree(units, at)
}

// Units returns all units that had been opened by an instant, each before those below
// it, as it is known now.
func (r *Reader) Units(at time.Time) ([]*Unit, error) {
	t, err := r.TreeAt(at)
	if err != nil {
		return nil, err
	}
	units := make([]*Unit, 0, t.Len())
	for i := range t.units[1:] {
		units = append(units, &t.units[i+1])
	}
	return units, nil
}

// builder builds a tree of units, by index.
type builder struct {
	units    []*Unit
	at       time.Time
	byID     []int32 // index + 1 in units, 0 for none
	first    []int32 // the first child by index + 1; that of the book is first[len(units)]
	next     []int32 // the next sibling
	parents  []int32 // by index; len(units) for the book
	survivor []int32 // by index
}

// newTree builds the tree of units, which are sorted by code, on an instant. It fails
// with ErrCorrupt when stored moves make a cycle, which no transaction does.
func newTree(units []*Unit, at time.Time) (*Tree, error) {
	b := &builder{units: units, at: at}
	if err := b.link(); err != nil {
		return nil, err
	}
	t := &Tree{all: units, byID: b.byID, at: at, places: make([]int32, len(b.byID))}
	t.reserve(len(units) + 1)
	if err := b.place(t); err != nil {
		return nil, err
	}
	for _, u := range units {
		for _, m := range u.Moves {
			t.bound(m.From)
		}
		t.bound(u.Closed)
	}
	return t, nil
}

// bound notes an instant on which something takes effect.
func (t *Tree) bound(at time.Time) {
	switch {
	case at.After(t.at):
		t.until = earliest(t.until, at)
	case at.After(t.since):
		t.since = at
	}
}

// earliest is the earlier of two instants of which zero is none.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func (t *Tree) reserve(n int) {
	t.order = make([]customer.UnitID, 0, n)
	t.units = make([]Unit, 0, n) // never grown, since pointers into it are given out
	t.parents = make([]int32, 0, n)
	t.last = make([]int32, 0, n)
	t.levels = make([]uint8, 0, n)
	t.policies = make([]Sharing, 0, n)
	t.survivor = make([]int32, 0, n)
}

const absent = -1

// link finds each unit's parent and survivor, and chains siblings.
func (b *builder) link() error {
	highest := customer.UnitID(0)
	for _, u := range b.units {
		highest = max(highest, u.ID)
	}
	b.byID = make([]int32, highest+1)
	for i, u := range b.units {
		b.byID[u.ID] = int32(i) + 1
	}
	n := len(b.units)
	b.first, b.next = make([]int32, n+1), make([]int32, n)
	b.parents, b.survivor = make([]int32, n), make([]int32, n)
	for i := n - 1; i >= 0; i-- { // backwards, since chains grow at their head
		parent, err := b.parentOf(i)
		if err != nil {
			return err
		}
		b.parents[i] = parent
		if parent != absent {
			b.next[i] = b.first[parent]
			b.first[parent] = int32(i) + 1
		}
	}
	return nil
}

// parentOf returns the index of a unit's parent, and notes its survivor.
func (b *builder) parentOf(i int) (int32, error) {
	u := b.units[i]
	parent, opened := u.parentAt(b.at)
	b.survivor[i] = int32(i)
	if !opened || u.ID == 0 {
		return absent, nil
	}
	if u.mergedAt(b.at) {
		parent = u.MergedInto
	}
	at, err := b.resolve(parent)
	if err == nil && u.mergedAt(b.at) {
		b.survivor[i] = at
	}
	return at, err
}

// resolve follows mergers and returns an index.
func (b *builder) resolve(id customer.UnitID) (int32, error) {
	for range len(b.units) + 1 {
		if id == 0 {
			return int32(len(b.units)), nil
		}
		if uint64(id) >= uint64(len(b.byID)) || b.byID[id] == 0 {
			return 0, &Error{Op: "read tree", Unit: id, Remedy: "restore a backup", Err: fmt.Errorf("%w: a unit is missing", storage.ErrCorrupt)}
		}
		u := b.units[b.byID[id]-1]
		if !u.mergedAt(b.at) {
			return b.byID[id] - 1, nil
		}
		id = u.MergedInto
	}
	return 0, corruptCycle(id)
}

func corruptCycle(id customer.UnitID) error {
	return &Error{Op: "read tree", Unit: id, Remedy: "restore a backup", Err: fmt.Errorf("%w: %w", storage.ErrCorrupt, ErrCycle)}
}

// place walks the units in pre-order and gives them their places.
func (b *builder) place(t *Tree) error {
	book := int32(len(b.units))
	root := &Unit{}
	if b.byID[0] != 0 {
		root = b.units[b.byID[0]-1]
	}
	t.append(root, -1, root.Sharing.over(Sharing{Private, Private, Private, Private, Private}))
	t.survivor[0] = 0
	above := int32(0) // the place under which the walk is
	i := b.first[book]
	for {
		for i == 0 { // no sibling left: go up
			t.last[above] = int32(len(t.order)) - 1
			if above == 0 {
				return b.finish(t)
			}
			i = b.next[b.byID[t.order[above]]-1]
			above = t.parents[above]
		}
		u := b.units[i-1]
		t.append(u, above, u.Sharing.over(t.policies[above]))
		above = int32(len(t.order)) - 1
		i = b.first[i-1]
	}
}

// over returns the policies that are in force below others.
func (s Sharing) over(above Sharing) Sharing {
	for d := range s {
		if s[d] == Inherit {
			s[d] = above[d]
		}
	}
	return s
}

func (t *Tree) append(u *Unit, parent int32, policies Sharing) {
	at := int32(len(t.order))
	t.places[u.ID] = at + 1
	level := uint8(0)
	node := *u
	if parent >= 0 {
		level = t.levels[parent] + 1
		node.Parent = t.order[parent]
	}
	t.order = append(t.order, u.ID)
	t.units = append(t.units, node)
	t.parents = append(t.parents, max(parent, 0))
	t.last = append(t.last, at)
	t.levels = append(t.levels, level)
	t.policies = append(t.policies, policies)
	t.survivor = append(t.survivor, at)
}

// finish notes survivors by place, and sees that no unit was left out, as those of a
// cycle are.
func (b *builder) finish(t *Tree) error {
	for i, u := range b.units {
		if b.parents[i] == absent {
			continue
		}
		at := t.place(u.ID)
		if at < 0 {
			return corruptCycle(u.ID)
		}
		if s := b.survivor[i]; s < int32(len(b.units)) && s != int32(i) {
			t.survivor[at] = t.place(b.units[s].ID)
			t.policies[at] = t.policies[t.survivor[at]]
		}
	}
	return nil
}
