package kv

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"sort"
	"sync"

	"github.com/RoaringBitmap/roaring/v2"
)

// chunkMembers bounds the members of a set that is folded in a chunkFold: those of one
// roaring container, which is how sets of records are kept.
const chunkMembers = 1 << 16

type chunkWords [bitmapWords]uint64

// chunkFold folds bitmap operands whose members are all below chunkMembers. It is what
// makes reading a set with many pending deltas cheap. A few decisions about single
// members are put into a copy of the stored set under them; more, or of other kinds,
// are spread out over words, which costs two passes over 8 KiB and some nanoseconds
// for each delta.
type chunkFold struct {
	few    []decision // ascending, until spread
	value  []byte     // the stored set with the decisions put in, nil for none
	spread bool       // from here on the words say it all

	decided chunkWords // members that an operand added or removed
	members chunkWords // those of them that were added last
}

// decision says of a member whether it was added or removed last.
type decision struct {
	member uint16
	add    bool
}

// fewDecisions is the number of decisions up to which they are a list.
const fewDecisions = 128

var chunkFolds = sync.Pool{New: func() any { return new(chunkFold) }}

func newChunkFold() *chunkFold {
	c := chunkFolds.Get().(*chunkFold)
	c.few, c.value, c.spread = c.few[:0], nil, false
	return c
}

func (c *chunkFold) release() { chunkFolds.Put(c) }

// decide says of one member that an operand added or removed it.
func (c *chunkFold) decide(member uint32, add, newer bool) {
	if !c.spread && !c.decideFew(uint16(member), add, newer) {
		c.spreadOut()
	}
	if c.spread {
		c.decideWord(member, add, newer)
	}
}

// decideFew takes a decision into the list, unless the list is full or the set under it
// is already known.
func (c *chunkFold) decideFew(member uint16, add, newer bool) bool {
	if c.value != nil {
		return false
	}
	i, known := slices.BinarySearchFunc(c.few, member, func(d decision, m uint16) int { return int(d.member) - int(m) })
	switch {
	case known && newer:
		c.few[i].add = add
	case known:
	case len(c.few) == fewDecisions:
		return false
	default:
		c.few = slices.Insert(c.few, i, decision{member, add})
	}
	return true
}

// spreadOut goes over from the list to words.
func (c *chunkFold) spreadOut() {
	c.spread, c.decided, c.members = true, chunkWords{}, chunkWords{}
	for _, d := range c.few {
		c.decideWord(uint32(d.member), d.add, true)
	}
	if c.value != nil {
		x, _ := readChunk(c.value[1:]) // written by put
		c.container(x, true, false)
		c.value = nil
	}
}

func (c *chunkFold) decideWord(member uint32, add, newer bool) {
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

// container decides about all members of a container that readChunk found. Where nothing
// is decided yet, which is how a set is read to which nothing was added since it was
// loaded, the order doesn't matter.
func (c *chunkFold) container(x chunkContainer, add, newer bool) {
	first := !c.spread && len(c.few) == 0 && c.value == nil
	if x.kind == containerNone || add && (!newer || first) && c.put(x) {
		return
	}
	if !c.spread {
		c.spreadOut()
	}
	switch x.kind {
	case containerArray:
		if add && !newer {
			c.addUndecided(x.body)
			return
		}
		for b := x.body; len(b) > 0; b = b[2:] {
			c.decideWord(uint32(binary.LittleEndian.Uint16(b)), add, newer)
		}
	case containerDense:
		for i := range c.decided {
			c.word(i, binary.LittleEndian.Uint64(x.body[8*i:]), add, newer)
		}
	case containerRuns:
		for b := x.body; len(b) > 0; b = b[4:] {
			first, more := uint32(binary.LittleEndian.Uint16(b)), uint32(binary.LittleEndian.Uint16(b[2:]))
			for member := first; member <= first+more; member++ {
				c.decideWord(member, add, newer)
			}
		}
	}
}

// put puts the list of decisions into a copy of the oldest operand, if the copy is of
// the same kind as the operand.
func (c *chunkFold) put(x chunkContainer) bool {
	if c.spread || c.value != nil {
		return false
	}
	switch x.kind {
	case containerArray:
		c.value = putIntoArray(x, c.few)
	case containerDense:
		c.value = putIntoDense(x, c.few)
	}
	return c.value != nil
}

// putIntoArray is the stored form of an array with decisions put in, nil for one that
// would be empty or no array.
func putIntoArray(x chunkContainer, few []decision) []byte {
	value := beginValue(1, 2*(x.n+len(few)))
	rest := x.body
	for _, d := range few {
		at := 2 * sort.Search(len(rest)/2, func(i int) bool { return binary.LittleEndian.Uint16(rest[2*i:]) >= d.member })
		value, rest = append(value, rest[:at]...), rest[at:]
		if len(rest) > 0 && binary.LittleEndian.Uint16(rest) == d.member {
			rest = rest[2:]
		}
		if d.add {
			value = binary.LittleEndian.AppendUint16(value, d.member)
		}
	}
	value = append(value, rest...)
	n := (len(value) - valueHead) / 2
	if n == 0 || n > arrayMembers {
		return nil
	}
	setCardinality(value, n)
	return value
}

// putIntoDense is the same of a dense container.
func putIntoDense(x chunkContainer, few []decision) []byte {
	value := append(beginValue(1, len(x.body)), x.body...)
	words, n := value[valueHead:], x.n
	for _, d := range few {
		at, bit := d.member>>3, byte(1)<<(d.member&7)
		switch has := words[at]&bit != 0; {
		case d.add && !has:
			words[at] |= bit
			n++
		case !d.add && has:
			words[at] &^= bit
			n--
		}
	}
	if n <= arrayMembers {
		return nil
	}
	setCardinality(value, n)
	return value
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

// valueHead is the length of what stands in front of the container of a stored set.
const valueHead = 1 + 16

// beginValue begins the stored form of a set of n members in one container of some bytes.
func beginValue(n, size int) []byte {
	value := make([]byte, 0, valueHead+size)
	value = append(value, bitmapTag)
	value = binary.LittleEndian.AppendUint32(value, cookieNoRuns)
	value = binary.LittleEndian.AppendUint32(value, 1)           // containers
	value = binary.LittleEndian.AppendUint16(value, 0)           // the container's key
	value = binary.LittleEndian.AppendUint16(value, uint16(n-1)) // its cardinality, less 1
	return binary.LittleEndian.AppendUint32(value, valueHead-1)  // its offset
}

func setCardinality(value []byte, n int) { binary.LittleEndian.PutUint16(value[11:], uint16(n-1)) }

// stored is the stored form of the members: an array container up to arrayMembers, a
// dense one above.
func (c *chunkFold) stored() []byte {
	if c.value != nil {
		return c.value
	}
	if !c.spread {
		if value := putIntoArray(chunkContainer{}, c.few); value != nil {
			return value
		}
		return BitmapValue(roaring.New())
	}
	n := 0
	for _, w := range c.members {
		n += bits.OnesCount64(w)
	}
	switch {
	case n == 0:
		return BitmapValue(roaring.New())
	case n > arrayMembers:
		value := beginValue(n, 8*bitmapWords)
		for _, w := range c.members {
			value = binary.LittleEndian.AppendUint64(value, w)
		}
		return value
	}
	value := beginValue(n, 2*n)
	for i, w := range c.members {
		for ; w != 0; w &= w - 1 {
			value = binary.LittleEndian.AppendUint16(value, uint16(i<<6+bits.TrailingZeros64(w)))
		}
	}
	return value
}

// bitmaps returns what was added and removed.
func (c *chunkFold) bitmaps() (add, remove *roaring.Bitmap) {
	if !c.spread {
		c.spreadOut()
	}
	var removed chunkWords
	for i := range removed {
		removed[i] = c.decided[i] &^ c.members[i]
	}
	return roaring.FromDense(c.members[:], true), roaring.FromDense(removed[:], true)
}

// delta is what was added and removed, as BitmapDelta writes it.
func (c *chunkFold) delta() []byte {
	if c.spread || c.value != nil || len(c.few) > smallDelta {
		return BitmapDelta(c.bitmaps())
	}
	added := 0
	for _, d := range c.few {
		if d.add {
			added++
		}
	}
	delta := make([]byte, 0, 3+binary.MaxVarintLen16*len(c.few))
	delta = append(delta, smallTag, byte(added), byte(len(c.few)-added)) // smallDelta is one byte as a uvarint
	return c.appendGaps(c.appendGaps(delta, true), false)
}

// appendGaps does what the function does, for the members that were added or those that were removed.
func (c *chunkFold) appendGaps(to []byte, added bool) []byte {
	next := uint64(0)
	for _, d := range c.few {
		if d.add == added {
			to = binary.AppendUvarint(to, uint64(d.member)-next)
			next = uint64(d.member) + 1
		}
	}
	return to
}

const (
	containerNone byte = iota
	containerArray
	containerDense
	containerRuns
)

type chunkContainer struct {
	kind byte
	n    int // members, but of runs
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
		return chunkContainer{kind: containerRuns, body: rest[2:]}, true
	}
	n := int(binary.LittleEndian.Uint16(headers[2:])) + 1
	if n > arrayMembers {
		return chunkContainer{containerDense, n, rest}, true
	}
	return chunkContainer{containerArray, n, rest}, true
}

// fits reports whether all members are below chunkMembers.
func (g gaps) fits() bool {
	member := uint64(0)
	for next := uint64(0); len(g) > 0; next = member + 1 {
		member, g = g.next(next)
	}
	return member < chunkMembers
}
