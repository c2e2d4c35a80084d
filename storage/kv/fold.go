package kv

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/RoaringBitmap/roaring/v2"
)

// Merged values and deltas begin with a byte that tells their kind. Values are what
// Get returns; deltas are what Merge takes. A value is also a valid delta onto
// nothing, which lets an engine fold in any grouping.
const (
	counterTag = 'c' // then a zigzag varint: value and delta alike
	bitmapTag  = 'b' // then a portable roaring bitmap: a value
	deltaTag   = 'd' // then uvarint length and bitmap of additions, then bitmap of removals; empty is no bytes
	smallTag   = 's' // then uvarint counts of additions and removals, then both as ascending gaps in uvarints
)

// smallDelta is the number of members up to which a delta is written as gaps. One
// member takes 4 to 8 bytes so, and 28 as two roaring bitmaps.
const smallDelta = 64

// CounterDelta returns a merge operand that adds n to a counter. A counter that was
// never merged is absent and reads as 0. Sums wrap around at 64 bits.
func CounterDelta(n int64) []byte {
	return binary.AppendVarint([]byte{counterTag}, n)
}

// Counter reads a folded counter.
func Counter(value []byte) (int64, error) {
	if len(value) < 2 || value[0] != counterTag {
		return 0, fmt.Errorf("kv: %w: not a counter: % x", ErrInvalid, head(value))
	}
	n, size := binary.Varint(value[1:])
	if size != len(value)-1 {
		return 0, fmt.Errorf("kv: %w: malformed counter: % x", ErrInvalid, head(value))
	}
	return n, nil
}

// BitmapDelta returns a merge operand that adds and then removes members of a
// bitmap. Either may be nil; a member in both ends up removed.
func BitmapDelta(add, remove *roaring.Bitmap) []byte {
	if add == nil {
		add = roaring.New()
	}
	if remove == nil {
		remove = roaring.New()
	}
	if add.Intersects(remove) {
		add = roaring.AndNot(add, remove)
	}
	if add.GetCardinality()+remove.GetCardinality() <= smallDelta {
		delta := binary.AppendUvarint([]byte{smallTag}, add.GetCardinality())
		delta = binary.AppendUvarint(delta, remove.GetCardinality())
		return appendGaps(appendGaps(delta, add), remove)
	}
	added := bitmapBytes(add)
	delta := binary.AppendUvarint([]byte{deltaTag}, uint64(len(added)))
	return append(append(delta, added...), bitmapBytes(remove)...)
}

// MemberDelta is BitmapDelta for one member, cheaply.
func MemberDelta(member uint32, add bool) []byte {
	delta := make([]byte, 0, 3+binary.MaxVarintLen32)
	if add {
		delta = append(delta, smallTag, 1, 0)
	} else {
		delta = append(delta, smallTag, 0, 1)
	}
	return binary.AppendUvarint(delta, uint64(member))
}

func bitmapBytes(b *roaring.Bitmap) []byte {
	if b.IsEmpty() {
		return nil
	}
	bytes, _ := b.ToBytes() // writes to memory: no error
	return bytes
}

func appendGaps(to []byte, b *roaring.Bitmap) []byte {
	next := uint32(0) // the smallest member that may follow
	b.Iterate(func(member uint32) bool {
		to = binary.AppendUvarint(to, uint64(member-next))
		next = member + 1
		return true
	})
	return to
}

// BitmapValue returns the stored form of a whole bitmap, for Set.
func BitmapValue(b *roaring.Bitmap) []byte {
	bytes, _ := b.ToBytes()
	return append([]byte{bitmapTag}, bytes...)
}

// Bitmap reads a folded bitmap into a new one that owns its memory.
func Bitmap(value []byte) (*roaring.Bitmap, error) {
	if len(value) == 0 || value[0] != bitmapTag {
		return nil, fmt.Errorf("kv: %w: not a bitmap: % x", ErrInvalid, head(value))
	}
	return readBitmap(value[1:])
}

// CheckDelta tells whether delta is a well-formed merge operand. Its error wraps
// [ErrInvalid]. The cost is linear in the delta's length.
func CheckDelta(delta []byte) error {
	if len(delta) == 0 {
		return fmt.Errorf("kv: %w: empty merge delta", ErrInvalid)
	}
	switch delta[0] { // nearly all, without making bitmaps
	case counterTag:
		_, err := Counter(delta)
		return err
	case smallTag:
		_, _, err := readSmall(delta[1:])
		return err
	}
	return new(Accumulator).Newer(delta)
}

// Fold is what a merge does, for engines and for reading one's own pending writes:
// older, then newer. With base set, older is all there ever was (a value, or nil
// for an absent key) and the result is a value; otherwise both are deltas and so
// is the result. Fold is associative; the result shares no memory with its input.
// To fold many deltas use an [Accumulator].
func Fold(older, newer []byte, base bool) ([]byte, error) {
	if len(newer) == 0 {
		return nil, fmt.Errorf("kv: %w: empty merge delta", ErrInvalid)
	}
	var a Accumulator
	if err := a.Newer(older); err != nil {
		return nil, err
	}
	if err := a.Newer(newer); err != nil {
		return nil, err
	}
	return a.Result(base), nil
}

// Accumulator folds the operands of one key one by one, in a time linear in their
// total size. The zero Accumulator is ready to use. An operand is borrowed for the
// call; an empty one, as of an absent or empty value, counts for nothing. After an
// error, which wraps [ErrInvalid], the Accumulator is of no further use.
type Accumulator struct {
	kind byte // counterTag, bitmapTag, or 0 before the first operand
	sum  int64
	// What the operands so far do to a bitmap: chunk while no member is beyond it, and
	// then add and remove, which share no member.
	chunk       *chunkFold
	add, remove *roaring.Bitmap
}

// Newer takes an operand that was merged after all operands so far.
func (a *Accumulator) Newer(operand []byte) error { return a.take(operand, true) }

// Older takes an operand that was merged before all operands so far, or the value
// that they were merged into.
func (a *Accumulator) Older(operand []byte) error { return a.take(operand, false) }

// Result returns the folded value when the operands go back to the key's beginning
// (base), and else the folded delta. It is nil when there were no operands.
func (a *Accumulator) Result(base bool) []byte {
	switch {
	case a.kind == 0:
		return nil
	case a.kind == counterTag:
		return CounterDelta(a.sum)
	case base && a.chunk != nil:
		return a.chunk.stored()
	case base:
		return BitmapValue(a.add)
	case a.chunk != nil:
		return a.chunk.delta()
	}
	return BitmapDelta(a.add, a.remove)
}

// Reset makes the Accumulator ready for another key, and lets others have its memory.
func (a *Accumulator) Reset() {
	if a.chunk != nil {
		a.chunk.release()
	}
	*a = Accumulator{}
}

func (a *Accumulator) take(operand []byte, newer bool) error {
	if len(operand) == 0 {
		return nil
	}
	switch tag, body := operand[0], operand[1:]; tag {
	case counterTag:
		return a.count(operand)
	case bitmapTag, deltaTag:
		added, removed, err := cutDelta(tag, body)
		if err != nil {
			return err
		}
		return a.members(added, removed, newer)
	case smallTag:
		return a.small(body, newer)
	}
	return fmt.Errorf("kv: %w: neither a merge delta nor a merged value: % x", ErrInvalid, head(operand))
}

// become settles the kind at the first operand and refuses another kind later.
func (a *Accumulator) become(kind byte) error {
	if a.kind == 0 {
		a.kind = kind
		if kind != counterTag {
			a.chunk = newChunkFold()
		}
	}
	if a.kind != kind {
		return fmt.Errorf("kv: %w: counter and bitmap merged under one key", ErrInvalid)
	}
	return nil
}

func (a *Accumulator) count(operand []byte) error {
	n, err := Counter(operand)
	if err != nil {
		return err
	}
	if err := a.become(counterTag); err != nil {
		return err
	}
	a.sum += n
	return nil
}

// widen goes over from a chunk to bitmaps without bounds.
func (a *Accumulator) widen() {
	if a.chunk != nil {
		a.add, a.remove = a.chunk.bitmaps()
		a.chunk.release()
		a.chunk = nil
	}
}

// members takes the stored bitmaps of additions and removals.
func (a *Accumulator) members(added, removed []byte, newer bool) error {
	if err := a.become(bitmapTag); err != nil {
		return err
	}
	if a.chunk != nil {
		x, ok := readChunk(added)
		y, ok2 := readChunk(removed)
		if ok && ok2 {
			if !newer { // within one operand the removals come last
				x, y = y, x
			}
			a.chunk.container(x, newer, newer)
			a.chunk.container(y, !newer, newer)
			return nil
		}
		a.widen()
	}
	add, err := readPart(added)
	if err != nil {
		return err
	}
	remove, err := readPart(removed)
	if err != nil {
		return err
	}
	if newer {
		a.add.Or(add)
		a.remove.AndNot(add)
		a.add.AndNot(remove)
		a.remove.Or(remove)
		return nil
	}
	remove.AndNot(a.add)
	a.remove.Or(remove)
	add.AndNot(a.remove)
	a.add.Or(add)
	return nil
}

// small does what members does, one member at a time, for the operands that are
// common enough to spare them the bitmaps.
func (a *Accumulator) small(body []byte, newer bool) error {
	added, removed, err := readSmall(body)
	if err != nil {
		return err
	}
	if err := a.become(bitmapTag); err != nil {
		return err
	}
	if a.chunk != nil {
		if added.fits() && removed.fits() {
			first, second := added, removed
			if !newer { // within one operand the removals come last
				first, second = removed, added
			}
			a.chunk.gaps(first, newer, newer)
			a.chunk.gaps(second, !newer, newer)
			return nil
		}
		a.widen()
	}
	if newer {
		move(added, a.remove, a.add)
		move(removed, a.add, a.remove)
		return nil
	}
	addAbsent(removed, a.add, a.remove)
	addAbsent(added, a.remove, a.add)
	return nil
}

// gaps is a list of ascending members as written by appendGaps, checked by cutGaps.
type gaps []byte

func (g gaps) next(from uint64) (member uint64, rest gaps) {
	gap, size := binary.Uvarint(g)
	return from + gap, g[size:]
}

func move(members gaps, from, to *roaring.Bitmap) {
	for next := uint64(0); len(members) > 0; next++ {
		next, members = members.next(next)
		from.Remove(uint32(next))
		to.Add(uint32(next))
	}
}

func addAbsent(members gaps, unless, to *roaring.Bitmap) {
	for next := uint64(0); len(members) > 0; next++ {
		next, members = members.next(next)
		if !unless.Contains(uint32(next)) {
			to.Add(uint32(next))
		}
	}
}

func readSmall(body []byte) (add, remove gaps, err error) {
	added, size := binary.Uvarint(body)
	rest := body[max(size, 0):]
	removed, size2 := binary.Uvarint(rest)
	rest = rest[max(size2, 0):]
	if size <= 0 || size2 <= 0 || added > smallDelta || removed > smallDelta {
		return nil, nil, malformedDelta(body)
	}
	add, rest, ok := cutGaps(rest, int(added))
	remove, rest, ok2 := cutGaps(rest, int(removed))
	if !ok || !ok2 || len(rest) > 0 {
		return nil, nil, malformedDelta(body)
	}
	return add, remove, nil
}

// cutGaps splits n gaps off body and checks that their members are 32-bit numbers.
func cutGaps(body []byte, n int) (_ gaps, rest []byte, ok bool) {
	next, end := uint64(0), 0
	for range n {
		gap, size := binary.Uvarint(body[end:])
		if size <= 0 || gap > math.MaxUint32 || next+gap > math.MaxUint32 {
			return nil, nil, false
		}
		next += gap + 1
		end += size
	}
	return gaps(body[:end]), body[end:], true
}

func malformedDelta(raw []byte) error {
	return fmt.Errorf("kv: %w: malformed bitmap delta: % x", ErrInvalid, head(raw))
}

// cutDelta finds the bitmaps of additions and removals in a bitmap value or delta, and
// checks both.
func cutDelta(tag byte, body []byte) (added, removed []byte, err error) {
	if tag == bitmapTag {
		return body, nil, refuseBitmap(body)
	}
	n, size := binary.Uvarint(body)
	if size <= 0 || n > uint64(len(body)-size) {
		return nil, nil, malformedDelta(body)
	}
	added, removed = body[size:][:n], body[size:][n:]
	if len(added) > 0 {
		err = refuseBitmap(added)
	}
	if err == nil && len(removed) > 0 {
		err = refuseBitmap(removed)
	}
	return added, removed, err
}

func readPart(raw []byte) (*roaring.Bitmap, error) {
	if len(raw) == 0 {
		return roaring.New(), nil
	}
	return readBitmap(raw)
}

func head(b []byte) []byte { return b[:min(len(b), 16)] }
