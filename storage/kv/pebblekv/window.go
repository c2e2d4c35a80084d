package pebblekv

import (
	"bytes"
	"fmt"
	"hash/maphash"
	"slices"
	"sort"

	"github.com/clientele-go/clientele/storage/kv"
)

// The window keeps this many keys or bytes of recent commits whether or not a
// snapshot is open, since a batch may be applied after its snapshot was closed. For
// an open snapshot it keeps up to windowStretch times as much.
const (
	windowKeys    = 1 << 18
	windowBytes   = 32 << 20
	windowStretch = 8
	commitBytes   = 128 // what a commit takes besides its keys
)

// wideCommit is the number of keys from which on a commit is looked through for a
// point as for a range, since noting all its keys by hash would cost more.
const wideCommit = 512

// commit is what the conflict check remembers of one commit.
type commit struct {
	stamp    kv.Stamp
	entry    kv.Position // of the commit's own journal entry, 0 without one
	position kv.Position // of the last journal entry so far
	keys     keyList
	hashes   []uint64   // of keys, unless there are wideCommit
	spans    []kv.Range // a bulk load's key ranges, in order
}

// keyList is an ascending list of different keys in one piece of memory, so that
// it doesn't keep the batches alive that they came from.
type keyList struct {
	bytes []byte
	ends  []uint32
}

func newKeyList(keys [][]byte) keyList {
	slices.SortFunc(keys, bytes.Compare)
	keys = slices.CompactFunc(keys, bytes.Equal)
	size := 0
	for _, key := range keys {
		size += len(key)
	}
	list := keyList{bytes: make([]byte, 0, size), ends: make([]uint32, len(keys))}
	for i, key := range keys {
		list.bytes = append(list.bytes, key...)
		list.ends[i] = uint32(len(list.bytes))
	}
	return list
}

func (l *keyList) len() int { return len(l.ends) }

func (l *keyList) at(i int) []byte {
	start := uint32(0)
	if i > 0 {
		start = l.ends[i-1]
	}
	return l.bytes[start:l.ends[i]]
}

// from returns the position of the first key from key on.
func (l *keyList) from(key []byte) int {
	return sort.Search(l.len(), func(i int) bool { return bytes.Compare(l.at(i), key) >= 0 })
}

func (l *keyList) has(key []byte) bool {
	i := l.from(key)
	return i < l.len() && bytes.Equal(l.at(i), key)
}

// within returns the positions [from, to) of the keys in r.
func (l *keyList) within(r kv.Range) (from, to int) {
	if r.Upper == nil {
		return l.from(r.Lower), l.len()
	}
	return l.from(r.Lower), l.from(r.Upper)
}

// reads is a batch's condition, taken apart.
type reads struct {
	since  kv.Stamp
	points [][]byte
	hashes []uint64       // of points
	some   uint64         // bit n is set when a hash ends with n in its lowest 6 bits
	byHash map[uint64]int // places of many hashes, nil for few
	ranges []kv.Range
}

// manyPoints is the number of points from which a map finds one sooner than a list.
const manyPoints = 16

func (r *reads) empty() bool { return len(r.points) == 0 && len(r.ranges) == 0 }

func (r *reads) addPoint(key []byte, hash uint64) {
	r.points, r.hashes = append(r.points, key), append(r.hashes, hash)
	r.some |= 1 << (hash & 63)
}

// index makes finding a point among many fast.
func (r *reads) index() {
	if len(r.hashes) < manyPoints {
		return
	}
	r.byHash = make(map[uint64]int, len(r.hashes))
	for i, hash := range r.hashes {
		r.byHash[hash] = i
	}
}

// find returns the place of the point with a hash, or -1.
func (r *reads) find(hash uint64) int {
	if r.some&(1<<(hash&63)) == 0 {
		return -1
	}
	if r.byHash == nil {
		return slices.Index(r.hashes, hash)
	}
	if i, found := r.byHash[hash]; found {
		return i
	}
	return -1
}

// conflict looks in commits for what was read. It needs no lock.
func (r *reads) conflict(commits []*commit) error {
	for _, c := range commits {
		if err := r.conflictWith(c); err != nil {
			return err
		}
	}
	return nil
}

func (r *reads) conflictWith(c *commit) error {
	if err := r.rangeConflict(c); err != nil {
		return err
	}
	if err := r.pointConflict(c); err != nil {
		return err
	}
	return r.spanConflict(c)
}

func (r *reads) rangeConflict(c *commit) error {
	for _, read := range r.ranges {
		if from, to := c.keys.within(read); from < to {
			return conflict(c.keys.at(from))
		}
	}
	return nil
}

func (r *reads) pointConflict(c *commit) error {
	for _, hash := range c.hashes {
		if i := r.find(hash); i >= 0 {
			return conflict(r.points[i])
		}
	}
	if c.hashes != nil {
		return nil
	}
	for _, point := range r.points {
		if c.keys.has(point) {
			return conflict(point)
		}
	}
	return nil
}

func (r *reads) spanConflict(c *commit) error {
	for _, span := range c.spans {
		for _, point := range r.points {
			if span.Contains(point) {
				return conflict(point)
			}
		}
		for _, read := range r.ranges {
			if overlap(read, span) {
				return conflict(span.Lower)
			}
		}
	}
	return nil
}

func conflict(key []byte) error {
	return fmt.Errorf("pebblekv: %w: key %q was written since", kv.ErrConflict, key)
}

func overlap(a, b kv.Range) bool {
	return (a.Upper == nil || bytes.Compare(b.Lower, a.Upper) < 0) &&
		(b.Upper == nil || bytes.Compare(a.Lower, b.Upper) < 0)
}

// window remembers what the recent commits wrote. A batch's points are looked for among
// the hashes of the keys of each commit since its stamp, nearly always few; two keys of
// one hash make a needless conflict, once in 2^64.
type window struct {
	seed    maphash.Seed
	floor   kv.Stamp                // commits up to here are forgotten
	commits []*commit               // stamps floor+1, floor+2, ...; elements are never changed
	keys    int                     // in commits
	bytes   int64                   // in commits
	oldest  func() (kv.Stamp, bool) // the oldest open snapshot's
}

func newWindow(oldest func() (kv.Stamp, bool)) *window {
	return &window{seed: maphash.MakeSeed(), oldest: oldest}
}

func (w *window) hash(key []byte) uint64 { return maphash.Bytes(w.seed, key) }

// reads takes a batch's condition apart. It needs no lock.
func (w *window) reads(b *kv.Batch) *reads {
	r := &reads{since: b.Since, points: make([][]byte, 0, len(b.Reads)), hashes: make([]uint64, 0, len(b.Reads))}
	for _, read := range b.Reads {
		if key, ok := pointKey(read); ok {
			r.addPoint(key, w.hash(key))
		} else {
			r.ranges = append(r.ranges, read)
		}
	}
	r.index()
	return r
}

// commit returns a commit that writes keys. It needs no lock; add numbers it.
func (w *window) commit(keys [][]byte) *commit {
	c := &commit{keys: newKeyList(keys)}
	if c.keys.len() >= wideCommit {
		return c
	}
	c.hashes = make([]uint64, c.keys.len())
	for i := range c.hashes {
		c.hashes[i] = w.hash(c.keys.at(i))
	}
	return c
}

// after returns the commits after a stamp, or an error when they were forgotten. The
// slice may be read after the lock was released.
func (w *window) after(since kv.Stamp) ([]*commit, error) {
	last := w.floor + kv.Stamp(len(w.commits))
	switch {
	case since < w.floor:
		return nil, fmt.Errorf("pebblekv: %w: stamp %d is too old, commits up to %d are forgotten", kv.ErrConflict, since, w.floor)
	case since > last:
		return nil, fmt.Errorf("pebblekv: %w: stamp %d is not of this opening, whose last is %d", kv.ErrInvalid, since, last)
	}
	return w.commits[since-w.floor:], nil
}

// check looks for a conflict. The commits up to seen were looked through before.
func (w *window) check(r *reads, seen kv.Stamp) error {
	if r.empty() {
		return nil
	}
	if _, err := w.after(r.since); err != nil {
		return err
	}
	rest, err := w.after(max(r.since, seen))
	if err != nil {
		return err
	}
	return r.conflict(rest)
}

// add appends a commit and forgets the oldest as needed.
func (w *window) add(c *commit) {
	w.commits = append(w.commits, c)
	w.count(c, 1)
	for w.full(1) && (w.full(windowStretch) || !w.needed(w.commits[0])) {
		w.forget()
	}
}

func (w *window) full(times int) bool {
	return w.keys > times*windowKeys || w.bytes > int64(times)*windowBytes
}

func (w *window) needed(c *commit) bool {
	oldest, any := w.oldest()
	return any && c.stamp > oldest
}

func (w *window) forget() {
	c := w.commits[0]
	w.commits = w.commits[1:]
	w.floor = c.stamp
	w.count(c, -1)
}

func (w *window) count(c *commit, sign int) {
	w.keys += sign * c.keys.len()
	w.bytes += int64(sign) * int64(commitBytes+len(c.keys.bytes)+12*c.keys.len())
}
