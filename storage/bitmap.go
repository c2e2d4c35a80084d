package storage

import (
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/cespare/xxhash/v2"

	"github.com/clientele-go/clientele/storage/bitset"
	"github.com/clientele-go/clientele/storage/kv"
	"github.com/clientele-go/clientele/storage/record"
)

// Bitmap keeps, for each key, the set of a table's records under it, in chunks of
// 65,536 neighbouring records: the customers of each status, say. It is changed by
// deltas that do not conflict, in the record's own batch, and verified against the
// records.
type Bitmap[V any] struct {
	ID    uint8 // among the schema's bitmaps
	Label string
	// Keys adds the keys under which v is marked. It must depend on v alone.
	Keys func(set *KeySet, v V)
	// Versioned picks keys, all changes under which are counted by chunk, so that a cache
	// of what many such keys have together can tell what is still true; see Versions.
	// nil picks none.
	Versioned func(key Key) bool
	// Version is as in an [Index].
	Version string
}

// AnyBitmap is a [Bitmap] of whatever type.
type AnyBitmap interface {
	// Scan calls f with every chunk, not empty, of the keys in a range, in the order of
	// key and chunk, until f returns an error, which Scan returns. Key and stored are
	// lent for the call; see [bitset.Chunk.OrStored].
	Scan(r *Reader, keys kv.Range, f func(key Key, chunk uint64, stored []byte) error) error
	// Chunks is Scan of one key from one chunk on, up to another that it leaves out.
	Chunks(r *Reader, key Key, from, to uint64, f func(chunk uint64, stored []byte) error) error
	// AddChunk adds one chunk of one key to a set. It costs one engine read.
	AddChunk(r *Reader, key Key, chunk uint64, to *bitset.Chunk) error
	// Versions is as in [Bitmap.Versions].
	Versions(r *Reader, f func(chunk uint64, changes int64) error) error
}

// Versions calls f with the number of changes that each chunk has seen under the
// Versioned keys; a chunk that is not named has seen none. Equal numbers in two states
// of one book mean equal sets.
func (b *Bitmap[V]) Versions(r *Reader, f func(chunk uint64, changes int64) error) error {
	space := []byte{spaceBitmapVersion, b.ID}
	for e, err := range r.scan(kv.Prefix(space), false) {
		if err != nil {
			return &Error{Op: "scan", Table: b.Label, Err: err}
		}
		n, err := kv.Counter(e.Value)
		if err != nil || len(e.Key) != len(space)+chunkBytes {
			return &Error{Op: "scan", Table: b.Label, Key: fmt.Sprintf("% x", e.Key), Err: ErrCorrupt}
		}
		if err := f(chunkOf(Key(e.Key)), n); err != nil {
			return err
		}
	}
	return nil
}

func bitmapVersionKey(bitmap uint8, chunk uint64) Key {
	return binary.BigEndian.AppendUint32(Key{spaceBitmapVersion, bitmap}, uint32(chunk))
}

const chunkBytes = 4

// maxMember bounds the numbers of records, since a chunk's number has 32 bits.
const maxMember = 1<<48 - 1

func appendBitmapKey(dst Key, bitmap uint8, key Key, chunk uint64) Key {
	return binary.BigEndian.AppendUint32(append(append(dst, spaceBitmap, bitmap), key...), uint32(chunk))
}

// Scan implements [AnyBitmap].
func (b *Bitmap[V]) Scan(r *Reader, keys kv.Range, f func(key Key, chunk uint64, stored []byte) error) error {
	return b.scan(r, within([]byte{spaceBitmap, b.ID}, keys), f)
}

// Chunks implements [AnyBitmap].
func (b *Bitmap[V]) Chunks(r *Reader, key Key, from, to uint64, f func(chunk uint64, stored []byte) error) error {
	keys := kv.Range{Lower: appendBitmapKey(nil, b.ID, key, from), Upper: appendBitmapKey(nil, b.ID, key, min(to, 1<<32-1))}
	return b.scan(r, keys, func(_ Key, chunk uint64, stored []byte) error { return f(chunk, stored) })
}

// AddChunk implements [AnyBitmap].
func (b *Bitmap[V]) AddChunk(r *Reader, key Key, chunk uint64, to *bitset.Chunk) error {
	r.key = appendBitmapKey(r.key[:0], b.ID, key, chunk)
	stored, found, err := r.get(r.key)
	if err != nil || !found {
		return err
	}
	if err := to.OrStored(stored); err != nil {
		return &Error{Op: "get", Table: b.Label, Key: fmt.Sprintf("% x", []byte(r.key)), Err: fmt.Errorf("%w: %w", ErrCorrupt, err)}
	}
	return nil
}

func (b *Bitmap[V]) scan(r *Reader, keys kv.Range, f func(key Key, chunk uint64, stored []byte) error) error {
	for e, err := range r.scan(keys, false) {
		if err != nil {
			return &Error{Op: "scan", Table: b.Label, Err: err}
		}
		end := len(e.Key) - chunkBytes
		if end < 2 {
			return &Error{Op: "scan", Table: b.Label, Key: fmt.Sprintf("% x", e.Key), Err: ErrCorrupt}
		}
		n, err := bitset.StoredLen(e.Value)
		if err != nil {
			return &Error{Op: "scan", Table: b.Label, Key: fmt.Sprintf("% x", e.Key), Err: fmt.Errorf("%w: %w", ErrCorrupt, err)}
		}
		if n == 0 {
			continue
		}
		if err := f(Key(e.Key[2:end]), uint64(binary.BigEndian.Uint32(e.Key[end:])), e.Value); err != nil {
			return err
		}
	}
	return nil
}

// memberOf reads a record's number from its primary key.
func memberOf(primary Key) (uint64, error) {
	member, rest, err := primary.CutUint()
	if err != nil || len(rest) > 0 || member > maxMember {
		return 0, fmt.Errorf("%w: a table with bitmaps needs numeric keys below 2^48, not % x", ErrInvalid, []byte(primary))
	}
	return member, nil
}

// remark moves a changed record from its old keys' sets to its new ones'.
func (l *layout) remark(tx *Tx, primary Key, old, v any) error {
	if len(l.bitmaps) == 0 {
		return nil
	}
	member, err := memberOf(primary)
	if err != nil {
		return &Error{Op: "put", Table: l.label, Err: err}
	}
	for _, b := range l.bitmaps {
		tx.collect(b, old, v)
		removed, err := b.mark(tx, &tx.before, &tx.after, member, false)
		if err != nil {
			return err
		}
		added, err := b.mark(tx, &tx.after, &tx.before, member, true)
		if err != nil {
			return err
		}
		if removed || added {
			if err := tx.merge(bitmapVersionKey(b.id, member/bitset.ChunkSize), kv.CounterDelta(1)); err != nil {
				return err
			}
		}
	}
	return nil
}

// mark adds or removes a member under the keys that are not in others, and reports
// whether any of these is versioned.
func (b *part) mark(tx *Tx, keys, others *KeySet, member uint64, add bool) (versioned bool, err error) {
	for i := range keys.len() {
		key := keys.at(i)
		if others.has(key) {
			continue
		}
		versioned = versioned || b.versions(key)
		tx.full = appendBitmapKey(tx.full[:0], b.id, key, member/bitset.ChunkSize)
		if err := tx.merge(tx.full, kv.MemberDelta(uint32(member%bitset.ChunkSize), add)); err != nil {
			return versioned, err
		}
	}
	return versioned, nil
}

// versions reports whether changes under a key are counted.
func (b *part) versions(key Key) bool { return b.versioned != nil && b.versioned(key) }

// dropEmptySets removes the sets, of those that an erased record was in, that have no
// member left: their keys may name what only that record was.
func (tx *Tx) dropEmptySets(gone []byte) error {
	r := record.NewReader(string(gone))
	for r.Next() {
		full := []byte(r.String())
		if len(full) == 0 || full[0] != spaceBitmap {
			continue
		}
		// Sets that others are in change all the time: look before the commit has to check.
		if stored, _, err := tx.stored(full); err != nil || members(stored) > 1 {
			if err != nil {
				return err
			}
			continue
		}
		left, found, err := tx.get(full)
		if err != nil {
			return err
		}
		if found && members(left) == 0 {
			tx.delete(full)
		}
	}
	return r.Err()
}

// members is StoredLen, and many for what can't be read.
func members(stored []byte) int {
	n, err := bitset.StoredLen(stored)
	if err != nil && len(stored) > 0 {
		return bitset.ChunkSize
	}
	return n
}

// chunkSums fingerprint the sets of a bitmap by chunk: a hash of each key and member.
type chunkSums map[uint64]*sum

func (c chunkSums) of(chunk uint64) *sum {
	s := c[chunk]
	if s == nil {
		s = &sum{}
		c[chunk] = s
	}
	return s
}

// markHash is a hash of a member of a set, given that of the set's key.
func markHash(key uint64, member uint16) uint64 {
	return mix(key + uint64(member)*0x9e3779b97f4a7c15)
}

// mark adds a member to what the records say.
func (s *tableSums) mark(bitmap int, full Key, member uint16) {
	s.bitmaps[bitmap].of(chunkOf(full)).add(markHash(xxhash.Sum64(full), member))
}

// read adds stored sets.
func (c chunkSums) read(r *Reader, keys kv.Range) error {
	for e, err := range r.scan(keys, false) {
		if err != nil {
			return err
		}
		var set bitset.Chunk
		s := c.of(chunkOf(Key(e.Key)))
		if err := set.OrStored(e.Value); err != nil {
			s.spoil()
			continue
		}
		key := xxhash.Sum64(e.Key)
		for n := range set.All() {
			s.add(markHash(key, n))
		}
	}
	return nil
}

// differing returns the chunks in which a set differs, ascending.
func (s *tableSums) differing(from *tableSums) []uint64 {
	chunks := map[uint64]bool{}
	for i := range s.bitmaps {
		for _, pair := range [2][2]chunkSums{{s.bitmaps[i], from.bitmaps[i]}, {from.bitmaps[i], s.bitmaps[i]}} {
			for chunk, one := range pair[0] {
				if other := pair[1][chunk]; other == nil && *one != (sum{}) || other != nil && *one != *other {
					chunks[chunk] = true
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(chunks))
}

// eachMark calls f with every key and chunk that a record is marked under.
func (l *layout) eachMark(primary Key, v any, f func(full Key, member uint16)) error {
	d := deriver{layout: l}
	return d.eachMark(primary, v, func(_ int, full Key, member uint16) { f(full, member) })
}

// namedChunks bounds the memory for naming sets: so many chunks at a time.
const namedChunks = 16

// reportMismarks names the sets of some chunks that differ from the records.
func (l *layout) reportMismarks(r *Reader, chunks []uint64, report *Report) error {
	for some := range slices.Chunk(chunks, namedChunks) {
		sets := map[string]*roaring.Bitmap{}
		for _, chunk := range some {
			if err := l.addSets(r, chunk, sets); err != nil {
				return err
			}
		}
		for _, b := range l.bitmaps {
			if err := l.nameMismarks(r, b, some, sets, report); err != nil {
				return err
			}
		}
	}
	return nil
}

// nameMismarks compares a bitmap's sets of some chunks with those of the records, which
// it uses up.
func (l *layout) nameMismarks(r *Reader, b *part, chunks []uint64, sets map[string]*roaring.Bitmap, report *Report) error {
	name := func(full Key, problem string) {
		report.add(Difference{Where: l.label + "." + b.label, Key: fmt.Sprintf("% x", full[2:]), Problem: problem, Derived: true})
	}
	space := string([]byte{spaceBitmap, b.id})
	for e, err := range r.scan(kv.Prefix([]byte(space)), false) {
		if err != nil {
			return err
		}
		if !slices.Contains(chunks, chunkOf(Key(e.Key))) {
			continue
		}
		if !sameSet(e.Value, sets[string(e.Key)]) {
			name(Key(e.Key), "set differs from the records")
		}
		delete(sets, string(e.Key))
	}
	for _, full := range slices.Sorted(maps.Keys(sets)) {
		if strings.HasPrefix(full, space) {
			name(Key(full), "set is missing")
		}
	}
	return nil
}

// repairBitmaps sets every wrong set right: one transaction for each chunk, which no
// concurrent change of its records can slip into.
func (l *layout) repairBitmaps(ctx context.Context, s *Store) (changed int, err error) {
	if len(l.bitmaps) == 0 {
		return 0, nil
	}
	var wrong []uint64
	err = s.View(ctx, func(r *Reader) error {
		wanted, stored := l.newSums(), l.newSums()
		d := deriver{layout: l}
		err := l.eachRecord(r, &Report{}, func(primary Key, _ []byte, v any, _ Meta) error { return d.eachMark(primary, v, wanted.mark) })
		for i, b := range l.bitmaps {
			if err == nil {
				err = stored.bitmaps[i].read(r, kv.Prefix([]byte{spaceBitmap, b.id}))
			}
		}
		wrong = stored.differing(&wanted)
		return err
	})
	if err != nil {
		return 0, err
	}
	for _, chunk := range wrong {
		n := 0
		_, err = s.Update(ctx, repairSession, func(tx *Tx) (err error) {
			n, err = l.repairChunk(tx, chunk)
			return err
		})
		if err != nil {
			return changed, err
		}
		changed += n
	}
	return changed, nil
}

// noChunk stands for the chunk of a key that is too short to name one.
const noChunk = 1 << 32

func chunkOf(full Key) uint64 {
	if len(full) < 2+chunkBytes {
		return noChunk
	}
	return uint64(binary.BigEndian.Uint32(full[len(full)-chunkBytes:]))
}

// repairChunk computes the sets of one chunk anew and stores those that differ.
func (l *layout) repairChunk(tx *Tx, chunk uint64) (changed int, err error) {
	sets := map[string]*roaring.Bitmap{}
	if err := l.addSets(&tx.Reader, chunk, sets); err != nil {
		return 0, err
	}
	for _, b := range l.bitmaps {
		for e, err := range tx.Reader.scan(kv.Prefix([]byte{spaceBitmap, b.id}), false) {
			if err != nil {
				return changed, err
			}
			if chunkOf(Key(e.Key)) != chunk {
				continue
			}
			want := sets[string(e.Key)]
			delete(sets, string(e.Key))
			if want != nil && sameSet(e.Value, want) {
				continue
			}
			changed++
			if want == nil {
				tx.delete(slices.Clone(e.Key))
			} else {
				tx.set(slices.Clone(e.Key), kv.BitmapValue(want))
			}
		}
		if b.versioned != nil {
			if err := tx.merge(bitmapVersionKey(b.id, chunk), kv.CounterDelta(1)); err != nil {
				return changed, err
			}
		}
	}
	for full, want := range sets {
		changed++
		tx.set([]byte(full), kv.BitmapValue(want))
	}
	return changed, nil
}

// sameSet reports whether a stored set can be read and is what is wanted; nil is empty.
func sameSet(stored []byte, want *roaring.Bitmap) bool {
	var c bitset.Chunk
	if err := c.OrStored(stored); err != nil {
		return false
	}
	if want == nil {
		return c.Empty()
	}
	got, err := kv.Bitmap(stored)
	return err == nil && got.Equals(want)
}

// addSets computes, by key, the sets of one chunk from its records. One that can't be
// read, which Verify reports, is marked under nothing that can be known.
func (l *layout) addSets(r *Reader, chunk uint64, sets map[string]*roaring.Bitmap) error {
	space := []byte{spaceRecord, l.id}
	records := within(space, kv.Range{Lower: Key(nil).Uint(chunk * bitset.ChunkSize), Upper: Key(nil).Uint((chunk + 1) * bitset.ChunkSize)})
	d := deriver{layout: l}
	return l.eachRecordOf(r, records, &Report{}, func(primary Key, _ []byte, v any, _ Meta) error {
		return d.eachMark(primary, v, func(_ int, full Key, member uint16) {
			if sets[string(full)] == nil {
				sets[string(full)] = roaring.New()
			}
			sets[string(full)].Add(uint32(member))
		})
	})
}
