package kv

import (
	"encoding/binary"
	"math/bits"
	"sync"

	"github.com/RoaringBitmap/roaring/v2"
)

// chunkMembers bounds the members of a set that is folded in a chunkFold: those of one
// roaring container, which is how sets of records are kept.
const chunkMembers = 1 << 16

type chunkWords [bitmapWords]uint64

// chunkFold folds bitmap operands whose members are all below chunkMembers. It is what
// makes reading a set with many pending deltas cheap: whatever they are, it costs two
// passes over 8 KiB and some nanoseconds for each delta.
type chunkFold struct {
	decided chunkWords // members that an operand added or removed
	members chunkWords // those of them that were added last
}

var chunkFolds = sync.Pool{New: func() any { return new(chunkFold) }}

func newChunkFold() *chunkFold {
	c := chunkFolds.Get().(*chunkFold)
	*c = chunkFold{}
	return c
}

func (c *chunkFold) release() { chunkFolds.Put(c) }

// decide says of one member that an operand added or removed it.
func (c *chunkFold) decide(member uint32, add, newer bool) {
	i, bit := member>>6, uint64(1)<<(member&63)
	if !newer && c.decided[i]&bit != 0 {
		return
	}
	c.decided[i] |= bit
	if add {
		c.members[i] |= bit
	} else {
		c.members[i] &^= bit
	}
}

func (c *chunkFold) gaps(members gaps, add, newer bool) {
	for next := uint64(0); len(members) > 0; next++ {
		next, members = members.next(next)
		c.decide(uint32(next), add, newer)
	}
}

// container decides about all members of a container that readChunk found.
func (c *chunkFold) container(x chunkContainer, add, newer bool) {
	switch x.kind {
	case containerArray:
		if add && !newer {
			c.addUndecided(x.body)
			return
		}
		for b := x.body; len(b) > 0; b = b[2:] {
			c.decide(uint32(binary.LittleEndian.Uint16(b)), add, newer)
		}
	case containerDense:
		for i := range c.decided {
			c.word(i, binary.LittleEndian.Uint64(x.body[8*i:]), add, newer)
		}
	case containerRuns:
		for b := x.body; len(b) > 0; b = b[4:] {
			first, more := uint32(binary.LittleEndian.Uint16(b)), uint32(binary.LittleEndian.Uint16(b[2:]))
			for member := first; member <= first+more; member++ {
				c.decide(member, add, newer)
			}
		}
	}
}

// addUndecided adds the members of an array that nothing was decided about: what the
// oldest operand of a sparse set is, as a rule.
func (c *chunkFold) addUndecided(array []byte) {
	for ; len(array) >= 2; array = array[2:] {
		member := binary.LittleEndian.Uint16(array)
		i, bit := member>>6, uint64(1)<<(member&63)
		c.members[i] |= bit &^ c.decided[i]
		c.decided[i] |= bit
	}
}

func (c *chunkFold) word(i int, w uint64, add, newer bool) {
	if !newer {
		w &^= c.decided[i]
	}
	c.decided[i] |= w
	if add {
		c.members[i] |= w
	} else {
		c.members[i] &^= w
	}
}

// value is the stored form of the members: an array container up to arrayMembers, a
// dense one above.
func (c *chunkFold) value() []byte {
	n := 0
	for _, w := range c.members {
		n += bits.OnesCount64(w)
	}
	if n == 0 {
		return BitmapValue(roaring.New())
	}
	size := 2 * n
	if n > arrayMembers {
		size = 8 * bitmapWords
	}
	value := make([]byte, 0, 1+16+size)
	value = append(value, bitmapTag)
	value = binary.LittleEndian.AppendUint32(value, cookieNoRuns)
	value = binary.LittleEndian.AppendUint32(value, 1)           // containers
	value = binary.LittleEndian.AppendUint16(value, 0)           // the container's key
	value = binary.LittleEndian.AppendUint16(value, uint16(n-1)) // its cardinality, less 1
	value = binary.LittleEndian.AppendUint32(value, uint32(16))  // its offset
	if n > arrayMembers {
		at := len(value)
		value = value[:cap(value)]
		for i, w := range c.members {
			binary.LittleEndian.PutUint64(value[at+8*i:], w)
		}
		return value
	}
	array := value[len(value):cap(value)]
	for i, w := range c.members {
		for ; w != 0 && len(array) >= 2; w &= w - 1 {
			binary.LittleEndian.PutUint16(array, uint16(i<<6+bits.TrailingZeros64(w)))
			array = array[2:]
		}
	}
	return value[:cap(value)]
}

// bitmaps returns what was added and removed.
func (c *chunkFold) bitmaps() (add, remove *roaring.Bitmap) {
	var removed chunkWords
	for i := range removed {
		removed[i] = c.decided[i] &^ c.members[i]
	}
	return roaring.FromDense(c.members[:], true), roaring.FromDense(removed[:], true)
}

const (
	containerNone byte = iota
	containerArray
	containerDense
	containerRuns
)

type chunkContainer struct {
	kind byte
	body []byte
}

// readChunk finds the container of a bitmap that checkBitmap has accepted; ok is false
// when it has members from chunkMembers on.
func readChunk(raw []byte) (_ chunkContainer, ok bool) {
	if len(raw) == 0 {
		return chunkContainer{}, true
	}
	runs, headers, rest, err := cutBitmapHeader(raw)
	switch {
	case err != nil || len(headers) > 4:
		return chunkContainer{}, false
	case len(headers) == 0:
		return chunkContainer{}, true
	case binary.LittleEndian.Uint16(headers) != 0:
		return chunkContainer{}, false
	case runs != nil && runs[0]&1 != 0:
		return chunkContainer{containerRuns, rest[2:]}, true
	case int(binary.LittleEndian.Uint16(headers[2:]))+1 > arrayMembers:
		return chunkContainer{containerDense, rest}, true
	}
	return chunkContainer{containerArray, rest}, true
}

// fits reports whether all members are below chunkMembers.
func (g gaps) fits() bool {
	member := uint64(0)
	for next := uint64(0); len(g) > 0; next = member + 1 {
		member, g = g.next(next)
	}
	return member < chunkMembers
}
