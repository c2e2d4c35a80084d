package compare

import (
	"encoding/binary"
	"errors"
	"math"
	"math/bits"
	"slices"
	"sync/atomic"
)

// Corpus counts in how many values of a column each word stands. Learn is for one
// goroutine; after Seal the corpus is immutable and safe for concurrent use.
type Corpus struct {
	count  map[uint64]uint32
	values uint64
	sealed atomic.Bool
	// After Seal, a hash table with open addressing.
	words []corpusWord
	rare  float32 // the information of a word that a single value has
	// unknown is that of a word that the table doesn't have. A stored corpus has only those of
	// more than four values, and words that it is asked for are mostly shared by two.
	unknown float32
	// wordsOnly says that whole names were not counted.
	wordsOnly bool
}

// corpusWord is a place of the table: a word's hash, 0 for a free place, and its information.
// Both stand together, as each place is one in memory that isn't in the cache.
type corpusWord struct {
	hash uint64
	info float32
}

// NewCorpus returns an empty corpus, to be handed to [New] in Options.
func NewCorpus() *Corpus { return &Corpus{count: map[uint64]uint32{}} }

// Learn counts the words of a form that times records have. Use the comparator that made
// the form. It does nothing once the corpus is sealed.
func (c *Corpus) Learn(by Comparator, f Form, times int) {
	if f == nil || times <= 0 || c.sealed.Load() {
		return
	}
	c.values += uint64(times)
	by.Tokens(f, func(h uint64) { c.count[h] += uint32(times) })
}

// Seal ends the learning. From here on the comparators weigh words by their counts.
func (c *Corpus) Seal() {
	if c.sealed.Load() {
		return
	}
	c.words = newCorpusWords(len(c.count))
	c.rare = information(1, c.values)
	c.unknown = c.rare
	for h, n := range c.count {
		*c.place(h) = corpusWord{h, information(n, c.values)}
	}
	c.count = nil
	c.sealed.Store(true)
}

// newCorpusWords makes a table for so many words, of which a third stays free.
func newCorpusWords(words int) []corpusWord { return make([]corpusWord, words+words/2+16) }

// place is where a hash stands, or would. Hashes are uniform, so that their share of all hashes
// says where a word begins to be looked for (Lemire 2019).
func (c *Corpus) place(h uint64) *corpusWord {
	i, _ := bits.Mul64(h, uint64(len(c.words)))
	for c.words[i].hash != 0 && c.words[i].hash != h {
		if i++; i == uint64(len(c.words)) {
			i = 0
		}
	}
	return &c.words[i]
}

// information is -log2 of the share of n of all values.
func information(n uint32, values uint64) float32 {
	return max(0, float32(math.Log2(float64(values+1)/float64(n))))
}

// Values is how many values were learned.
func (c *Corpus) Values() uint64 { return c.values }

// ready reports whether there are frequencies to weigh words by: those of a few values
// say nothing.
func (c *Corpus) ready() bool { return c != nil && c.sealed.Load() && c.values >= enoughValues }

const enoughValues = 200

// bits is the information of a word: -log2 of the share of values that have it. A word not
// learned counts as one that a single value has, and one that a stored corpus lacks as one of two.
func (c *Corpus) bits(h uint64) float32 {
	if w := c.place(h); w.hash == h {
		return w.info
	}
	return c.unknown
}

// AppendBinary appends a sealed corpus: the words that more than four values have, in the
// order of their hashes, so that equal corpora have equal bytes.
func (c *Corpus) AppendBinary(dst []byte) []byte {
	dst = binary.AppendUvarint(dst, c.values)
	var kept []uint64
	for _, w := range c.words {
		if w.hash != 0 && w.info < c.rare-storedFrom {
			kept = append(kept, w.hash)
		}
	}
	slices.Sort(kept)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(kept)))
	for _, h := range kept {
		dst = binary.LittleEndian.AppendUint64(dst, h)
		dst = append(dst, uint8(c.steps(h)))
	}
	return dst
}

const (
	storedFrom = 2 // bits less than a word of a single value: four values
	infoSteps  = 8 // stored steps a bit
)

// steps is the information of a word as it is stored.
func (c *Corpus) steps(h uint64) int { return int(min(c.bits(h)*infoSteps, 255)) }

// WordsOnly says that the corpus was stored before whole names were counted, so that words alone
// tell how rare these are.
func (c *Corpus) WordsOnly() { c.wordsOnly = true }

// ErrCorpus says that bytes are not those of a corpus.
var ErrCorpus = errors.New("compare: not a stored corpus")

// CutCorpus reads what AppendBinary wrote and returns what follows.
func CutCorpus(src []byte) (*Corpus, []byte, error) {
	values, n := binary.Uvarint(src)
	if n <= 0 || len(src) < n+4 {
		return nil, nil, ErrCorpus
	}
	words := uint64(binary.LittleEndian.Uint32(src[n:]))
	src = src[n+4:]
	const width = 9
	if uint64(len(src)) < words*width {
		return nil, nil, ErrCorpus
	}
	c := &Corpus{values: values, rare: information(1, values), unknown: information(2, values), words: newCorpusWords(int(words))}
	for range words {
		h := binary.LittleEndian.Uint64(src)
		*c.place(h) = corpusWord{h, float32(src[8]) / infoSteps}
		src = src[width:]
	}
	c.sealed.Store(true)
	return c, src, nil
}
