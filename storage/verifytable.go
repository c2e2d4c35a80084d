package storage

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/clientele-go/clientele/storage/bitset"
	"github.com/clientele-go/clientele/storage/kv"
)

// sum is an order-independent fingerprint of a set: count, and two sums made of a
// 64-bit hash of each member, so that parts of a set can be summed apart. Two sets that
// differ by accident have equal sums with a probability of about 2^-64; digests, not
// sums, guard against purpose.
type sum struct {
	n    int64
	a, b uint64
}

// add adds a member, given its hash.
func (s *sum) add(h uint64) { s.addTimes(h, 1) }

// addTimes adds a member so many times.
func (s *sum) addTimes(h uint64, n int64) {
	s.n += n
	s.a += h * uint64(n)
	s.b += mix(h) * (h | 1) * uint64(n)
}

func (s *sum) join(o sum) {
	s.n += o.n
	s.a += o.a
	s.b += o.b
}

// spoil makes the sum differ from that of any set.
func (s *sum) spoil() { s.n -= 1 << 40 }

// mix is the finaliser of MurmurHash3 (Appleby 2011).
func mix(h uint64) uint64 {
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

// hasher makes the hashes that sums are made of.
type hasher struct{ buf []byte }

// pair is the hash of a key and a value.
func (h *hasher) pair(key, value []byte) uint64 { return mix(xxhash.Sum64(key)) ^ xxhash.Sum64(value) }

// version is the hash of a version's digest, number and key, and of who recorded it when,
// which the digest of an erased one doesn't cover.
func (h *hasher) version(key Key, version uint64, recorded time.Time, actor string, d Digest) uint64 {
	h.buf = binary.LittleEndian.AppendUint64(append(h.buf[:0], d[:]...), version)
	h.buf = binary.LittleEndian.AppendUint64(h.buf, uint64(recorded.UnixMicro()))
	h.buf = append(binary.AppendUvarint(h.buf, uint64(len(actor))), actor...)
	h.buf = append(h.buf, key...)
	return xxhash.Sum64(h.buf)
}

// tableSums fingerprint what belongs to a table, as it is stored or as the records would
// have it.
type tableSums struct {
	indexes  []sum
	tallies  []sum
	bitmaps  []chunkSums
	versions sum // key, number, digest, time and actor of each
}

func (l *layout) newSums() tableSums {
	s := tableSums{indexes: make([]sum, len(l.indexes)), tallies: make([]sum, len(l.tallies)), bitmaps: make([]chunkSums, len(l.bitmaps))}
	for i := range s.bitmaps {
		s.bitmaps[i] = chunkSums{}
	}
	return s
}

func (s *tableSums) join(o *tableSums) {
	for i := range o.indexes {
		s.indexes[i].join(o.indexes[i])
	}
	for i := range o.tallies {
		s.tallies[i].join(o.tallies[i])
	}
	for i := range o.bitmaps {
		for chunk, one := range o.bitmaps[i] {
			s.bitmaps[i].of(chunk).join(*one)
		}
	}
	s.versions.join(o.versions)
}

// tableCheck compares what is derived from a table's records with what they say.
type tableCheck struct {
	*layout
	mu     sync.Mutex
	wanted tableSums
	stored tableSums
}

func newTableCheck(l *layout) *tableCheck {
	return &tableCheck{layout: l, wanted: l.newSums(), stored: l.newSums()}
}

// addTo adds the table's parts to a verification.
func (c *tableCheck) addTo(v *Verification) error {
	if err := v.split(c.label, kv.Prefix([]byte{spaceRecord, c.id}), c.readRecords); err != nil {
		return err
	}
	for i := range c.indexes {
		read := func(r *Reader, keys kv.Range, report *Report) error { return c.readIndex(r, i, keys, report) }
		if err := v.split(c.label, kv.Prefix(c.indexKey(nil, c.indexes[i])), read); err != nil {
			return err
		}
	}
	for i := range c.tallies {
		v.Part(c.label, func(r *Reader, _ *Report) error { return c.readTally(r, i) })
	}
	for i := range c.bitmaps {
		read := func(r *Reader, keys kv.Range, _ *Report) error { return c.readBitmap(r, i, keys) }
		if err := v.split(c.label, kv.Prefix([]byte{spaceBitmap, c.bitmaps[i].id}), read); err != nil {
			return err
		}
	}
	if c.history {
		if err := v.split(c.label, kv.Prefix([]byte{spaceHistory, c.id}), c.readHistory); err != nil {
			return err
		}
	}
	c.compareThen(v)
	return nil
}

// compareThen adds the comparisons.
func (c *tableCheck) compareThen(v *Verification) {
	for i := range c.indexes {
		v.Then(c.label, func(r *Reader, report *Report) error {
			if c.stored.indexes[i] == c.wanted.indexes[i] {
				return nil
			}
			return c.nameDifferences(r, i, report)
		})
	}
	v.Then(c.label, func(r *Reader, report *Report) error {
		if slices.Equal(c.stored.tallies, c.wanted.tallies) {
			return nil
		}
		return c.reportMiscounts(r, report)
	})
	v.Then(c.label, func(r *Reader, report *Report) error {
		return c.reportMismarks(r, c.stored.differing(&c.wanted), report)
	})
	v.Then(c.label, c.checkNumbers)
}

// readRecords adds up what records say.
func (c *tableCheck) readRecords(r *Reader, keys kv.Range, report *Report) error {
	s := c.newSums()
	d := deriver{layout: c.layout}
	var hash hasher
	var versions sum
	err := c.eachRecordOf(r, keys, report, func(primary Key, stored []byte, v any, m Meta) error {
		report.Records++
		if c.history {
			versions.add(hash.version(primary, m.Version, m.Recorded, m.Actor, digestOf(stored)))
		}
		d.eachTally(v, func(i int, key Key) { s.tallies[i].add(xxhash.Sum64(key)) })
		if err := d.eachMark(primary, v, s.mark); err != nil {
			return err
		}
		return d.eachEntry(v, primary, func(i int, key, value []byte) error {
			s.indexes[i].add(hash.pair(key, value))
			return nil
		})
	})
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wanted.join(&s)
	c.stored.versions.join(versions)
	return nil
}

func (c *tableCheck) readIndex(r *Reader, index int, keys kv.Range, report *Report) error {
	var s sum
	var hash hasher
	for e, err := range r.scan(keys, false) {
		if err != nil {
			return err
		}
		report.IndexKeys++
		s.add(hash.pair(e.Key, e.Value))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stored.indexes[index].join(s)
	return nil
}

// readTally adds up a tally's keys, each as many times as it counts.
func (c *tableCheck) readTally(r *Reader, tally int) error {
	var s sum
	space := []byte{spaceCounter, c.tallies[tally].id}
	for e, err := range r.scan(kv.Prefix(space), false) {
		if err != nil {
			return err
		}
		n, err := kv.Counter(e.Value)
		if err != nil {
			s.spoil()
		}
		s.addTimes(xxhash.Sum64(e.Key[len(space):]), n)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stored.tallies[tally].join(s)
	return nil
}

func (c *tableCheck) readBitmap(r *Reader, bitmap int, keys kv.Range) error {
	sums := chunkSums{}
	if err := sums.read(r, keys); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for chunk, one := range sums {
		c.stored.bitmaps[bitmap].of(chunk).join(*one)
	}
	return nil
}

func (c *tableCheck) readHistory(r *Reader, keys kv.Range, report *Report) error {
	var s sum
	var hash hasher
	for e, err := range r.scan(keys, false) {
		if err != nil {
			return err
		}
		report.Versions++
		m, _, err := openEnvelope(string(e.Value))
		primary, ok := bytes.CutSuffix(e.Key[2:], Key(nil).Uint(m.Version))
		if err != nil || !ok {
			report.add(Difference{Where: c.label, Key: fmt.Sprintf("history % x", e.Key[2:]), Problem: "malformed version"})
			continue
		}
		s.add(hash.version(primary, m.Version, m.Recorded, m.Actor, digestOf(e.Value)))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stored.versions.join(s)
	return nil
}

// of is a deriver of one index alone.
func (l *layout) of(x *part) *deriver {
	alone := *l
	alone.indexes = []*part{x}
	return &deriver{layout: &alone}
}

// deriver makes what a record should have derived from it, one record after another. What
// it calls with is lent for the call.
type deriver struct {
	*layout
	keys KeySet
	full Key
}

// eachEntry calls f with the index entries that a record should have.
func (d *deriver) eachEntry(v any, primary Key, f func(index int, key, value []byte) error) error {
	for i, x := range d.indexes {
		d.keys.reset()
		x.keys(&d.keys, v)
		for j := range d.keys.len() {
			var value []byte
			if x.unique {
				value = primary
			}
			d.full = d.entryKey(d.full[:0], x, d.keys.at(j), primary)
			if err := f(i, d.full, value); err != nil {
				return err
			}
		}
	}
	return nil
}

// eachTally calls f with the keys that a record should be counted under.
func (d *deriver) eachTally(v any, f func(tally int, key Key)) {
	for i, tally := range d.tallies {
		d.keys.reset()
		tally.keys(&d.keys, v)
		for j := range d.keys.len() {
			f(i, d.keys.at(j))
		}
	}
}

// eachMark calls f with every key and chunk that a record should be marked under.
func (d *deriver) eachMark(primary Key, v any, f func(bitmap int, full Key, member uint16)) error {
	if len(d.bitmaps) == 0 {
		return nil
	}
	member, err := memberOf(primary)
	if err != nil {
		return err
	}
	for i, b := range d.bitmaps {
		d.keys.reset()
		b.keys(&d.keys, v)
		for j := range d.keys.len() {
			d.full = appendBitmapKey(d.full[:0], b.id, d.keys.at(j), member/bitset.ChunkSize)
			f(i, d.full, uint16(member))
		}
	}
	return nil
}

// eachRecord calls f for every record that can be read, and reports the others.
func (l *layout) eachRecord(r *Reader, report *Report, f func(primary Key, stored []byte, v any, m Meta) error) error {
	return l.eachRecordOf(r, kv.Prefix([]byte{spaceRecord, l.id}), report, f)
}

// eachRecordOf is eachRecord for a range of stored keys.
func (l *layout) eachRecordOf(r *Reader, keys kv.Range, report *Report, f func(primary Key, stored []byte, v any, m Meta) error) error {
	for e, err := range r.scan(keys, false) {
		if err != nil {
			return err
		}
		primary := Key(e.Key[2:])
		v, m, err := l.open(string(e.Value), primary)
		if err != nil {
			report.add(Difference{Where: l.label, Key: fmt.Sprintf("% x", []byte(primary)), Problem: err.Error()})
			continue
		}
		if err := f(primary, e.Value, v, m); err != nil {
			return err
		}
	}
	return nil
}

func (l *layout) eachEntry(v any, primary Key, f func(index int, key, value []byte) error) error {
	return (&deriver{layout: l}).eachEntry(v, primary, f)
}

// nameDifferences finds the missing and the surplus entries of one index.
func (l *layout) nameDifferences(r *Reader, index int, report *Report) error {
	x := l.indexes[index]
	where := l.label + "." + x.label
	report.add(Difference{Where: where, Key: "all", Problem: "entries differ from the records", Derived: true})
	d := l.of(x)
	err := l.eachRecord(r, &Report{}, func(primary Key, _ []byte, v any, _ Meta) error {
		return d.eachEntry(v, primary, func(_ int, key, value []byte) error {
			stored, found, err := r.get(key)
			switch {
			case err != nil:
				return err
			case !found:
				report.add(Difference{Where: where, Key: fmt.Sprintf("% x", key[3:]), Problem: "entry is missing", Derived: true})
			case string(stored) != string(value):
				shared, err := l.heldByAnother(r, x, key, value)
				problem := "entry names another record"
				if shared {
					problem = "two records have this unique key; change one of them"
				}
				report.add(Difference{Where: where, Key: fmt.Sprintf("% x", key[3:]), Problem: problem, Derived: !shared})
				return err
			}
			return nil
		})
	})
	if err != nil {
		return err
	}
	return l.eachSurplus(r, x, func(key []byte) error {
		report.add(Difference{Where: where, Key: fmt.Sprintf("% x", key[3:]), Problem: "entry without such a record", Derived: true})
		return nil
	})
}

// eachSurplus calls f for the index entries that no record should have; f may keep the key.
func (l *layout) eachSurplus(r *Reader, x *part, f func(key []byte) error) error {
	space := l.indexKey(nil, x)
	for e, err := range r.scan(kv.Prefix(space), false) {
		if err != nil {
			return err
		}
		expected, err := l.expects(r, x, e)
		if err != nil {
			return err
		}
		if expected {
			continue
		}
		if err := f(append([]byte(nil), e.Key...)); err != nil {
			return err
		}
	}
	return nil
}

// expects reports whether a record accounts for an index entry. Where the index key
// ends and the primary key begins is not known without the index's parts, so every
// split that decodes is tried. A record that can't be read accounts for its entries:
// without them its unique keys would be given to others while it waits to be mended.
func (l *layout) expects(r *Reader, x *part, e kv.Entry) (bool, error) {
	tails := []Key{Key(e.Value)}
	if !x.unique {
		tails = tails[:0]
		for cut := 3; cut < len(e.Key); cut++ {
			tails = append(tails, Key(e.Key[cut:]))
		}
	}
	for _, tail := range tails {
		if l.valid(tail) != nil {
			continue
		}
		stored, found, err := r.get(append(Key{spaceRecord, l.id}, tail...))
		if err != nil {
			return false, err
		}
		if !found {
			continue
		}
		v, _, err := l.open(string(stored), tail)
		if err != nil {
			return true, nil
		}
		var keys KeySet
		x.keys(&keys, v)
		for j := range keys.len() {
			if string(l.entryKey(nil, x, keys.at(j), tail)) == string(e.Key) {
				return true, nil
			}
		}
	}
	return false, nil
}

// heldByAnother reports whether a unique key that one record should have belongs, just
// as rightly, to another.
func (l *layout) heldByAnother(r *Reader, x *part, key, value []byte) (bool, error) {
	holder, found, err := r.get(key)
	if err != nil || !found || !x.unique || string(holder) == string(value) {
		return false, err
	}
	return l.expects(r, x, kv.Entry{Key: key, Value: bytes.Clone(holder)})
}
