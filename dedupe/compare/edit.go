package compare

import (
	"math/bits"
	"unicode/utf8"
)

// wordSize is the longest text, in runes, that the bit-parallel algorithms take: a machine
// word has a bit for each. Names and words are shorter; of longer ones the beginning is compared.
const wordSize = 64

// pairing tells for each rune of one text at which places of another it stands, a bit
// each. Edit distance and Jaro similarity need no more of the texts.
type pairing struct {
	at     [wordSize]uint64
	m, n   int // runes of the pattern, and of the text
	prefix int // of runes at the beginning that agree
}

// set takes two texts. Which is the pattern doesn't depend on their order, as Jaro's greedy
// matching does.
func (p *pairing) set(x, y string) {
	pattern, s := byLength(x, y)
	if len(pattern) <= 16 && ascii(pattern) && ascii(s) {
		p.setPacked(pattern, s)
	} else {
		p.setRunes(pattern, s)
	}
	for p.prefix < min(p.m, p.n) && p.at[p.prefix]>>p.prefix&1 != 0 {
		p.prefix++
	}
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// setPacked compares a byte with eight bytes of the pattern at once.
func (p *pairing) setPacked(pattern, s string) {
	const none = ^uint64(0) // no ASCII
	words := [2]uint64{none, none}
	for i := range len(pattern) {
		shift := i % 8 * 8
		words[i/8] = words[i/8]&^(0xFF<<shift) | uint64(pattern[i])<<shift
	}
	p.m, p.n = len(pattern), min(len(s), wordSize)
	for j := range p.n {
		p.at[j] = equalBytes(words[0], s[j]) | equalBytes(words[1], s[j])<<8
	}
}

// equalBytes has a bit for each of eight bytes that is c.
func equalBytes(word uint64, c byte) uint64 {
	const low, ones = 0x7F7F7F7F7F7F7F7F, 0x0101010101010101
	x := word ^ uint64(c)*ones
	zero := ^((x&low + low) | x | low) // the high bit of each byte that is zero
	return zero >> 7 * 0x0102040810204080 >> 56
}

func (p *pairing) setRunes(pattern, s string) {
	var bufA, bufB [wordSize]rune
	a, b := runesOf(&bufA, pattern), runesOf(&bufB, s)
	p.m, p.n = len(a), len(b)
	for j, r := range b {
		var set uint64
		for i, q := range a {
			if q == r {
				set |= 1 << i
			}
		}
		p.at[j] = set
	}
}

// runesOf decodes the first wordSize runes of s into buf.
func runesOf(buf *[wordSize]rune, s string) []rune {
	n := 0
	for _, r := range s {
		if n == wordSize {
			break
		}
		buf[n] = r
		n++
	}
	return buf[:n]
}

// edits is the number of insertions, deletions, substitutions and transpositions of
// neighbours between a and b (optimal string alignment).
func edits(a, b string) int {
	if a == b {
		return 0
	}
	var p pairing
	p.set(a, b)
	return p.edits()
}

// edits follows the bit-parallel algorithm of Hyyrö (2003).
func (p *pairing) edits() int {
	if p.m == 0 || p.n == 0 {
		return p.m + p.n
	}
	var d0, before, vn uint64
	vp, last, distance := ^uint64(0), uint64(1)<<(p.m-1), p.m
	for _, here := range p.at[:p.n] {
		swap := (^d0 & here) << 1 & before
		d0 = ((here & vp) + vp ^ vp) | here | vn | swap
		hp, hn := vn|^(d0|vp), d0&vp
		if hp&last != 0 {
			distance++
		} else if hn&last != 0 {
			distance--
		}
		hp, hn = hp<<1|1, hn<<1
		vp, vn = hn|^(d0|hp), hp&d0
		before = here
	}
	return distance
}

// jaroWinkler is the similarity of two texts by [pairing.jaroWinkler].
func jaroWinkler(a, b string) float32 {
	if a == b {
		return 1
	}
	var p pairing
	p.set(a, b)
	return p.jaroWinkler()
}

// jaroWinkler is the similarity of Winkler (1990), from 0 to 1, with a scaling of 0.1 for
// up to four equal runes at the beginning where the Jaro similarity is above 0.7.
func (p *pairing) jaroWinkler() float32 {
	j := p.jaro()
	if j <= 0.7 {
		return j
	}
	return j + float32(min(p.prefix, 4))*0.1*(1-j)
}

// jaro is the similarity of Jaro (1989).
func (p *pairing) jaro() float32 {
	usedA, usedB := p.matches(max(max(p.m, p.n)/2-1, 0))
	m := bits.OnesCount64(usedA)
	if m == 0 {
		return 0
	}
	swapped := 0
	for x, y := usedA, usedB; x != 0; x, y = x&(x-1), y&(y-1) {
		if p.at[bits.TrailingZeros64(y)]&(x&-x) == 0 {
			swapped++
		}
	}
	f := float32(m)
	return (f/float32(p.m) + f/float32(p.n) + (f-float32(swapped/2))/f) / 3
}

// matches pairs each rune of the text with the first free equal one of the pattern
// within the window.
func (p *pairing) matches(window int) (usedA, usedB uint64) {
	for j, here := range p.at[:p.n] {
		if free := here &^ usedA & around(j, window); free != 0 {
			usedA |= free & -free
			usedB |= 1 << j
		}
	}
	return usedA, usedB
}

// around has the bits from j-window to j+window.
func around(j, window int) uint64 {
	mask := ^uint64(0)
	if high := j + window + 1; high < wordSize {
		mask = 1<<high - 1
	}
	if low := j - window; low > 0 {
		mask &^= 1<<min(low, wordSize-1) - 1
	}
	return mask
}
