package compare

import (
	"math/bits"

	"github.com/clientele-go/clientele/internal/text"
)

// Outliner is a comparator that often can tell from a few numbers of two forms that comparing
// them would find little: see [Sketcher]. Its methods are safe for concurrent use.
type Outliner interface {
	// Outline appends what is to be known of a settled form, nothing where that doesn't fit.
	Outline(f Form, to []uint64) []uint64
	// AtMost is the highest level on which Compare may place two forms with these outlines,
	// neither of them empty, and with different keys.
	AtMost(a, b []uint64) uint8
}

// OutlinerOf returns the outliner of a comparator that [New] made, nil where it has none.
func OutlinerOf(c Comparator) Outliner {
	if s, ok := c.(*several); ok {
		by, _ := s.Comparator.(Outliner)
		return by
	}
	return nil
}

// A word of an outline has, from the lowest bit up, the kinds of its letters, a part of its hash,
// its bytes, its weight, a part of the hash of its first two letters, whether it is Han, whether
// it is alike to equal words only, and whether it begins with a digit.
const (
	outlineHash   = 32
	outlineLength = outlineHash + hashBits
	outlineWeight = outlineLength + 6
	outlineHead   = outlineWeight + 7
	outlineHan    = outlineHead + 3
	outlineAlone  = outlineHan + 1
	outlineNumber = outlineAlone + 1

	hashBits        = 13
	headBits        = outlineHan - outlineHead
	longestOutlined = 1<<(outlineWeight-outlineLength) - 1
	mostOutlined    = 1<<(outlineHead-outlineWeight) - 1
	outlinedWords   = 16
)

// outlineSteps are the steps of a weight of 1; weights are up to 1.5.
const outlineSteps = (mostOutlined - 1) / 1.5

// Outline is of addresses of up to 16 words that are Han or numbers, or of which none is Han.
func (c *addresses) Outline(f Form, to []uint64) []uint64 {
	p, ok := f.(*addressForm)
	if !ok || !c.corpus.ready() || p.bag.settled != c.corpus || len(p.bag.words) > outlinedWords {
		return to
	}
	from := len(to)
	for i := range p.bag.words {
		w := &p.bag.words[i]
		han, digits := p.bag.other != nil, hasDigit(w.text)
		if len(w.text) > longestOutlined || han && !digits && !text.Han(first(w.text)) { // perhaps the pinyin of another word
			return to[:from]
		}
		weight := uint64(min(c.weigh(w, w.bits)*outlineSteps+1, mostOutlined))
		o := uint64(w.letters) | w.hash>>(64-hashBits)<<outlineHash | uint64(len(w.text))<<outlineLength | weight<<outlineWeight
		var room [2]int
		if ends := runeEnds(room[:0], w.text, len(room)); len(ends) == 2 {
			o |= hashOf(KeyPart, w.text[:ends[1]]) >> (64 - headBits) << outlineHead
		}
		o |= bit(han, outlineHan) | bit(digits || len(w.text) < 3, outlineAlone) | bit(numeric(w.text), outlineNumber)
		to = append(to, o)
	}
	return to
}

func bit(set bool, at int) uint64 {
	if set {
		return 1 << at
	}
	return 0
}

// AtMost adds up the weights of the words that could be paired: what two addresses share is no more.
func (c *addresses) AtMost(a, b []uint64) uint8 {
	if (a[0]^b[0])>>outlineHan&1 != 0 {
		return Exact - 1 // of two scripts
	}
	var metA, metB uint64
	for i, v := range a {
		for j, w := range b {
			if outlinesMeet(v, w) {
				metA, metB = metA|1<<i, metB|1<<j
			}
		}
	}
	meetJoined(a, b, &metA, &metB)
	meetJoined(b, a, &metB, &metA)
	var o overlap
	sharedA, allA, looseA := outlinedWeights(a, metA)
	sharedB, allB, looseB := outlinedWeights(b, metB)
	o.shared, o.a, o.b, o.looseA, o.looseB = (sharedA+sharedB)/2, allA, allB, looseA, looseB
	return addressStep(&o, min(len(a), len(b)), false, rounding)
}

// rounding is more than the order of a sum changes it.
const rounding = 0.001

// outlinesMeet reports whether two words could be equal or alike.
func outlinesMeet(v, w uint64) bool {
	differ := v ^ w
	if differ<<(64-outlineLength)>>(64-outlineLength+outlineHash) == 0 {
		return true
	}
	if (v|w)>>outlineAlone&1 != 0 {
		return false
	}
	apart := bits.OnesCount32(uint32(differ))
	if apart <= 2 {
		return true // an edit apart
	}
	x, y := outlineBytes(v), outlineBytes(w)
	long := max(x, y)
	if long-min(x, y) > 3 || apart > 6 || long < 10 && apart > 4 {
		return false
	}
	if v>>outlineHan&1 != 0 {
		long /= 3
	}
	return long >= 6 && apart <= 4 || long >= 10 || long >= 5 && differ<<(64-outlineHan)>>(64-headBits) == 0
}

func outlineBytes(w uint64) uint64 { return w >> outlineLength & longestOutlined }

// meetJoined notes the neighbours of one side that could make a word of the other together.
func meetJoined(a, b []uint64, metA, metB *uint64) {
	for i := range len(a) - 1 {
		long, letters := outlineBytes(a[i])+outlineBytes(a[i+1]), uint32(a[i]|a[i+1])
		for j, w := range b {
			if outlineBytes(w) == long && uint32(w) == letters {
				*metA, *metB = *metA|3<<i, *metB|1<<j
			}
		}
	}
}

// outlinedWeights are the weights of the words met, rounded up, and those of all, rounded down;
// loose is whether a number is not met.
func outlinedWeights(o []uint64, met uint64) (shared, all float32, loose bool) {
	for i, w := range o {
		weight := float32(w >> outlineWeight & mostOutlined)
		if met>>i&1 != 0 {
			shared += weight
		} else {
			loose = loose || w>>outlineNumber != 0
		}
		all += weight - 1
	}
	return shared, all, loose
}
