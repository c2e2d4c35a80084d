package compare

import (
	"math"
	"math/bits"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxWords is how many words of a value are compared.
const maxWords = 48

// word is a word of a value.
type word struct {
	text    string
	hash    uint64  // of its canonical form: words with the same hash are the same
	letters uint32  // which letters it has; words of which many differ aren't alike
	bits    float32 // that it tells, in a settled bag
	nick    uint16  // 1 + its place in nicknames, 0 for a word that is no known given name
	gender  gender  // of a given name
	runes   uint8   // how many, up to 255
}

// bag is the words of a value, in order.
type bag struct {
	words []word
	// other are the hashes of the words in another script, pinyin for Han; nil for none.
	other []uint64
	// settled is the corpus that told the bits of the words, nil for none.
	settled *Corpus
}

// newBag makes a bag of words, which count as the same when their canonical forms are;
// canonical is nil for words that are their own. It keeps the words.
func newBag(words []string, canonical func(string) string) bag {
	words = words[:min(len(words), maxWords)]
	b := bag{words: make([]word, len(words))}
	for i, w := range words {
		own := w
		if canonical != nil {
			own = canonical(w)
		}
		b.words[i] = word{text: w, hash: hashOf(KeyToken, own), letters: lettersOf(w), runes: uint8(min(utf8.RuneCountInString(w), math.MaxUint8))}
	}
	return b
}

// emit emits the hashes of the words.
func (b *bag) emit(emit func(uint64)) {
	for i := range b.words {
		emit(b.words[i].hash)
	}
}

// has reports whether a word is in the bag.
func (b *bag) has(text string) bool {
	return slices.ContainsFunc(b.words, func(w word) bool { return w.text == text })
}

// joined is the words without spaces between.
func (b *bag) joined() string {
	var s strings.Builder
	for i := range b.words {
		s.WriteString(b.words[i].text)
	}
	return s.String()
}

// lettersOf is the set of the runes of a word, each one of 32 kinds.
func lettersOf(w string) uint32 {
	var set uint32
	for _, r := range w {
		set |= 1 << (r & 31)
	}
	return set
}

// apart is how many kinds of letters stand in one of two words only. One edit changes at
// most two.
func (w *word) apart(v *word) int { return bits.OnesCount32(w.letters ^ v.letters) }

// settle notes what the words tell.
func (b *bag) settle(c *Corpus) {
	if !c.ready() {
		return
	}
	for i := range b.words {
		b.words[i].bits = c.bits(b.words[i].hash)
	}
	b.settled = c
}

// bits is what a word tells, 0 where there is no corpus to say so.
func (b *bag) bits(i int, c *Corpus) float32 {
	switch {
	case !c.ready():
		return 0
	case b.settled == c:
		return b.words[i].bits
	}
	return c.bits(b.words[i].hash)
}

// bitsOf is what the words tell together.
func (b *bag) bitsOf(c *Corpus) float32 {
	var sum float32
	for i := range b.words {
		sum += b.bits(i, c)
	}
	return sum
}

// weigher gives the weight of a word of a bag that tells so many bits.
type weigher func(w *word, bits float32) (weight float32)

// overlap is what two bags have in common. All are sums of weights.
type overlap struct {
	shared float32 // of words paired, times their likeness; the mean of both sides
	a, b   float32 // of all words of either side
	bits   float32 // of the words paired, by the less telling of the two
	paired int     // words of a paired
	same   int     // of them, equal
	// looseNumbers is whether both sides have numbers that the other lacks.
	looseA, looseB bool
}

// cosine is the likeness as a share of both sides, contained that of the smaller side.
func (o *overlap) cosine() float32 {
	if o.a == 0 || o.b == 0 {
		return 0
	}
	return min(1, 2*o.shared/(o.a+o.b))
}

func (o *overlap) contained() float32 {
	if o.a == 0 || o.b == 0 {
		return 0
	}
	return min(1, o.shared/min(o.a, o.b))
}

// likeness of two different words, from 0 to 1. It must be symmetric.
type likeness func(v, w *word) float32

// align pairs the words of two bags: equal ones first, then those written together on one
// side, then the most alike.
func align(a, b *bag, c *Corpus, weigh weigher, alike likeness) overlap {
	var al aligner
	al.a, al.b = a, b
	var o overlap
	for i := range a.words {
		al.bitsA[i] = a.bits(i, c)
		al.weightA[i] = weigh(&a.words[i], al.bitsA[i])
		o.a += al.weightA[i]
	}
	for j := range b.words {
		al.bitsB[j] = b.bits(j, c)
		al.weightB[j] = weigh(&b.words[j], al.bitsB[j])
		o.b += al.weightB[j]
	}
	al.pairEqual(&o)
	if al.usedA.count() < len(a.words) && al.usedB.count() < len(b.words) {
		al.pairJoined(&o)
		al.pairAlike(&o, alike)
	}
	for i := range a.words {
		o.looseA = o.looseA || !al.usedA.has(i) && numeric(a.words[i].text)
	}
	for j := range b.words {
		o.looseB = o.looseB || !al.usedB.has(j) && numeric(b.words[j].text)
	}
	return o
}

type aligner struct {
	a, b             *bag
	weightA, weightB [maxWords]float32
	bitsA, bitsB     [maxWords]float32
	usedA, usedB     wordSet
}

// wordSet is a set of words of a bag.
type wordSet uint64

func (s wordSet) has(i int) bool { return s>>i&1 != 0 }
func (s *wordSet) add(i int)     { *s |= 1 << i }
func (s wordSet) count() int     { return bits.OnesCount64(uint64(s)) }

func (al *aligner) pairEqual(o *overlap) {
	for i := range al.a.words {
		for j := range al.b.words {
			if al.a.words[i].hash == al.b.words[j].hash && !al.usedB.has(j) {
				al.pair(o, i, j, 1)
				o.same++
				break
			}
		}
	}
	if al.a.other != nil || al.b.other != nil {
		al.pairScripts(o)
	}
}

// pairScripts pairs words of which one is the other in another script.
func (al *aligner) pairScripts(o *overlap) {
	for i := range al.a.words {
		for j := range al.b.words {
			if !al.usedA.has(i) && !al.usedB.has(j) && (al.a.in(i) == al.b.words[j].hash || al.b.in(j) == al.a.words[i].hash) {
				al.pair(o, i, j, 0.98)
			}
		}
	}
}

// in is the hash of a word in another script, 0 for none.
func (b *bag) in(i int) uint64 {
	if b.other == nil {
		return 0
	}
	return b.other[i]
}

func (al *aligner) pair(o *overlap, i, j int, likeness float32) {
	al.usedA.add(i)
	al.usedB.add(j)
	o.shared += likeness * (al.weightA[i] + al.weightB[j]) / 2
	o.bits += likeness * likeness * min(al.bitsA[i], al.bitsB[j])
	o.paired++
}

// pairJoined pairs two neighbours of one side with the word that they make on the other.
func (al *aligner) pairJoined(o *overlap) {
	for i := 0; i+1 < len(al.a.words); i++ {
		if al.usedA.has(i) || al.usedA.has(i+1) {
			continue
		}
		if j := whole(al.b, al.usedB, al.a.words[i].text, al.a.words[i+1].text); j >= 0 {
			al.usedA.add(i + 1)
			al.pair(o, i, j, 1)
			o.shared += al.weightA[i+1] / 2
		}
	}
	for j := 0; j+1 < len(al.b.words); j++ {
		if al.usedB.has(j) || al.usedB.has(j+1) {
			continue
		}
		if i := whole(al.a, al.usedA, al.b.words[j].text, al.b.words[j+1].text); i >= 0 {
			al.usedB.add(j + 1)
			al.pair(o, i, j, 1)
			o.shared += al.weightB[j+1] / 2
		}
	}
}

// whole is the unused word of a bag that two words make together, or -1.
func whole(b *bag, used wordSet, x, y string) int {
	for j := range b.words {
		if w := b.words[j].text; len(w) == len(x)+len(y) && !used.has(j) && w[:len(x)] == x && w[len(x):] == y {
			return j
		}
	}
	return -1
}

// likePair is two words that are alike.
type likePair struct {
	i, j     int
	likeness float32
}

// maxAlike bounds the pairs of words that are considered.
const maxAlike = 64

// pairAlike pairs what is left, the most alike first.
func (al *aligner) pairAlike(o *overlap, alike likeness) {
	var buf [maxAlike]likePair
	pairs := buf[:0]
	for i := range al.a.words {
		if al.usedA.has(i) {
			continue
		}
		for j := range al.b.words {
			if al.usedB.has(j) || len(pairs) == maxAlike {
				continue
			}
			if s := alike(&al.a.words[i], &al.b.words[j]); s > 0 {
				pairs = append(pairs, likePair{i, j, s})
			}
		}
	}
	for {
		best := likePair{likeness: 0}
		for _, p := range pairs {
			if !al.usedA.has(p.i) && !al.usedB.has(p.j) && al.better(p, best) {
				best = p
			}
		}
		if best.likeness == 0 {
			return
		}
		al.pair(o, best.i, best.j, best.likeness)
	}
}

// better orders pairs in a way that doesn't depend on which side is a.
func (al *aligner) better(p, q likePair) bool {
	if p.likeness != q.likeness || q.likeness == 0 {
		return p.likeness > q.likeness
	}
	w, best := al.weightA[p.i]+al.weightB[p.j], al.weightA[q.i]+al.weightB[q.j]
	return w > best || w == best && p.i+p.j < q.i+q.j
}

func numeric(w string) bool { return w != "" && w[0] >= '0' && w[0] <= '9' }

// alikeWords is the likeness of two words that differ by typing: 0 where they differ by
// more than that. Words with digits are alike only when equal.
func alikeWords(v, w *word) float32 {
	x, y := v.text, w.text
	limit := 4 // two edits
	switch {
	case max(v.runes, w.runes) < 5: // of short words one
		limit = 2
	case max(len(x), len(y)) >= 10:
		limit = 6
	}
	if v.apart(w) > limit {
		return 0
	}
	return wordLikeness(x, y)
}

func wordLikeness(x, y string) float32 {
	short, long := min(len(x), len(y)), max(len(x), len(y))
	if short < 3 || long-short > 3 || hasDigit(x) || hasDigit(y) {
		return 0
	}
	var p pairing
	p.set(x, y)
	n := max(p.m, p.n)
	switch e := p.edits(); {
	case e == 1 && n >= 4:
		return 0.95 - 0.2/float32(n)
	case e == 1:
		return 0.6
	case e == 2 && n >= 6:
		return 0.85
	case e == 3 && n >= 10:
		return 0.8
	case n >= 5 && p.prefix >= 2 && p.jaroWinkler() >= 0.9:
		return 0.75
	}
	return 0
}

func hasDigit(s string) bool {
	for i := range len(s) {
		if s[i] >= '0' && s[i] <= '9' {
			return true
		}
	}
	return false
}
