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
	deltaTag   = 'd' // then uvarint length and bitmap of additions, then bitmap of removals
)

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
	added, _ := add.ToBytes() // writes to memory: no error
	removed, _ := remove.ToBytes()
	delta := binary.AppendUvarint([]byte{deltaTag}, uint64(len(added)))
	return append(append(delta, added...), removed...)
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

func readBitmap(raw []byte) (*roaring.Bitmap, error) {
	b := roaring.New()
	if err := b.UnmarshalBinary(raw); err != nil {
		return nil, fmt.Errorf("kv: %w: malformed bitmap: %v", ErrInvalid, err)
	}
	return b, nil
}

// Fold is what a merge does, for engines and for reading one's own pending writes:
// older, then newer. With base set, older is all there ever was (a value, or nil
// for an absent key) and the result is a value; otherwise both are deltas and so
// is the result. Fold is associative; the result shares no memory with its input.
func Fold(older, newer []byte, base bool) ([]byte, error) {
	if len(newer) == 0 {
		return nil, fmt.Errorf("kv: %w: empty merge delta", ErrInvalid)
	}
	switch newer[0] {
	case counterTag:
		return foldCounter(older, newer)
	case bitmapTag, deltaTag:
		return foldBitmap(older, newer, base)
	}
	return nil, fmt.Errorf("kv: %w: unknown merge delta: % x", ErrInvalid, head(newer))
}

func foldCounter(older, newer []byte) ([]byte, error) {
	n, err := Counter(newer)
	if err != nil {
		return nil, err
	}
	if len(older) == 0 {
		return CounterDelta(n), nil
	}
	m, err := Counter(older)
	if err != nil {
		return nil, err
	}
	return CounterDelta(m + n), nil
}

func foldBitmap(older, newer []byte, base bool) ([]byte, error) {
	add, remove, err := readDelta(newer)
	if err != nil {
		return nil, err
	}
	members, gone := roaring.New(), roaring.New()
	if len(older) > 0 {
		if members, gone, err = readDelta(older); err != nil {
			return nil, err
		}
	}
	members.Or(add)
	members.AndNot(remove)
	if base {
		return BitmapValue(members), nil
	}
	gone.AndNot(add)
	gone.Or(remove)
	return BitmapDelta(members, gone), nil
}

// readDelta reads a bitmap value or delta as additions and removals.
func readDelta(raw []byte) (add, remove *roaring.Bitmap, err error) {
	if len(raw) > 0 && raw[0] == bitmapTag {
		add, err = readBitmap(raw[1:])
		return add, roaring.New(), err
	}
	if len(raw) == 0 || raw[0] != deltaTag {
		return nil, nil, fmt.Errorf("kv: %w: not a bitmap delta: % x", ErrInvalid, head(raw))
	}
	n, size := binary.Uvarint(raw[1:])
	rest := raw[1+max(size, 0):]
	if size <= 0 || n > math.MaxInt32 || int(n) > len(rest) {
		return nil, nil, fmt.Errorf("kv: %w: malformed bitmap delta: % x", ErrInvalid, head(raw))
	}
	if add, err = readBitmap(rest[:n]); err != nil {
		return nil, nil, err
	}
	remove, err = readBitmap(rest[n:])
	return add, remove, err
}

func head(b []byte) []byte { return b[:min(len(b), 16)] }
