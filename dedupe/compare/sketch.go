package compare

import "math/bits"

// Sketcher is a comparator that often can tell from 64 bits of two forms what comparing them
// says. Of millions of values these stand together, where every form is several places in
// memory that aren't in the cache. Its methods are safe for concurrent use.
type Sketcher interface {
	// Sketch is what is to be known of a form, 0 where that doesn't fit.
	Sketch(f Form) uint64
	// Sketched is the level on which Compare places two forms with different keys and with
	// these sketches, neither of them 0, where it says nothing of bits; false where it takes
	// the forms to tell.
	Sketched(a, b uint64) (level uint8, told bool)
}

// SketcherOf returns the sketcher of a comparator that [New] made, nil where it has none.
func SketcherOf(c Comparator) Sketcher {
	if s, ok := c.(*several); ok {
		by, _ := s.Comparator.(Sketcher)
		return by
	}
	return nil
}

// digitBits is how much of a sketch a digit takes: 1 to 10, so that none is 0.
const digitBits = 4

// Sketch has the whole of a number without extension.
func (c *phones) Sketch(f Form) uint64 {
	p, ok := f.(*phoneForm)
	if !ok || p.extension != "" || len(p.national) > 64/digitBits {
		return 0
	}
	var s uint64
	for i := range len(p.national) {
		d := p.national[i] - '0'
		if d > 9 {
			return 0
		}
		s = s<<digitBits | uint64(d+1)
	}
	return s
}

// Sketched compares the numbers themselves.
func (c *phones) Sketched(a, b uint64) (level uint8, told bool) {
	var x, y [64 / digitBits]byte
	return phoneLevel(&phoneForm{national: string(sketchedDigits(&x, a))}, &phoneForm{national: string(sketchedDigits(&y, b))}), true
}

func sketchedDigits(room *[64 / digitBits]byte, sketch uint64) []byte {
	n := (bits.Len64(sketch) + digitBits - 1) / digitBits
	for i := n; i > 0; i-- {
		room[i-1] = byte(sketch&(1<<digitBits-1)) - 1 + '0'
		sketch >>= digitBits
	}
	return room[:n]
}

// schemeBits is how much of an identifier's sketch its scheme takes. The rest is of its hash.
const schemeBits = 8

// Sketch is of numbers that passed a checksum.
func (c *identifiers) Sketch(f Form) uint64 {
	p, ok := f.(*identifierForm)
	if !ok || p.scheme == 0 {
		return 0
	}
	return hashOf(KeyExact, p.key)<<schemeBits | uint64(p.scheme)
}

// Sketched knows two valid numbers of one scheme for a contradiction.
func (c *identifiers) Sketched(a, b uint64) (level uint8, told bool) {
	const scheme = 1<<schemeBits - 1
	return 0, a&scheme == b&scheme && a != b
}

// Of an e-mail address a sketch has the kinds of letters before the @, how many letters these
// are, and a part of the hash of the domain, which fills the rest.
const (
	kindBits   = 32
	lengthBits = 6
)

// Sketch is of addresses in ASCII with up to 63 letters before the @.
func (emails) Sketch(f Form) uint64 {
	p, ok := f.(*emailForm)
	if !ok || len(p.local) >= 1<<lengthBits || !ascii(p.local) {
		return 0
	}
	return hashOf(KeyPart, p.domain)<<(kindBits+lengthBits) | uint64(len(p.local))<<kindBits | uint64(lettersOf(p.local))
}

// Sketched knows addresses at two domains with little in common before the @. An edit takes one
// kind of letter from a side at most, and a letter of a kind that the other side lacks is no
// match for Jaro's similarity.
func (emails) Sketched(a, b uint64) (level uint8, told bool) {
	if a>>(kindBits+lengthBits) == b>>(kindBits+lengthBits) {
		return 0, false // perhaps one domain
	}
	const most = 1<<lengthBits - 1
	x, y := float32(a>>kindBits&most), float32(b>>kindBits&most)
	onlyA, onlyB := bits.OnesCount32(uint32(a)&^uint32(b)), bits.OnesCount32(uint32(b)&^uint32(a))
	if max(onlyA, onlyB) < farEdits || x == 0 || y == 0 {
		return 0, false
	}
	matches := min(x-float32(onlyA), y-float32(onlyB))
	jaro := (matches/x + matches/y + 1) / 3
	return 0, jaro+0.4*(1-jaro) < farSimilarity
}

// With so many edits before the @, and less similar than this, addresses at two domains differ.
const (
	farEdits      = 4
	farSimilarity = 0.87
)

// Sketch is the whole of a date whose year is known.
func (*dates) Sketch(f Form) uint64 {
	d, ok := f.(*dateForm)
	if !ok || d.text != "" || d.year <= 0 {
		return 0
	}
	s := uint64(d.year)<<17 | uint64(d.month)<<9 | uint64(d.day)<<1
	if d.either {
		s |= 1
	}
	return s
}

// Sketched compares the dates themselves.
func (*dates) Sketched(a, b uint64) (level uint8, told bool) {
	x, y := sketchedDate(a), sketchedDate(b)
	return dateLevel(&x, &y), true
}

func sketchedDate(s uint64) dateForm {
	return dateForm{year: int16(s >> 17), month: uint8(s >> 9), day: uint8(s >> 1), either: s&1 != 0}
}
