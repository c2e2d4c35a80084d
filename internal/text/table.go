package text

import (
	_ "embed"
	"encoding/binary"
)

//go:generate go run ./gen -data data

//go:embed data/fold.bin
var foldBin string

// trie maps runes to 16-bit values in two look-ups. It reads the embedded bytes as they
// stand, so that a program pays for neither decoding nor a copy at start-up.
type trie struct{ index, blocks string }

// Runes at or above trieLimit are in no trie; blockSize runes share an index entry.
const (
	trieLimit = 0x32400
	blockSize = 64
)

func (t *trie) at(r rune) uint16 {
	if uint32(r) >= trieLimit {
		return 0
	}
	block := at16(t.index, int(r/blockSize))
	return at16(t.blocks, int(block)*blockSize+int(r%blockSize))
}

func at16(s string, i int) uint16 {
	s = s[2*i : 2*i+2]
	return uint16(s[0]) | uint16(s[1])<<8
}

func at32(s string, i int) uint32 {
	s = s[4*i : 4*i+4]
	return uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24
}

// sections splits a table into the n sections that gen wrote: each its length and its
// bytes.
func sections(table string, n int) []string {
	out := make([]string, n)
	for i := range out {
		size := binary.LittleEndian.Uint32([]byte(table[:4]))
		out[i], table = table[4:4+size], table[4+size:]
	}
	return out
}

// The values of the fold trie, as gen writes them. A value from firstTarget on is an
// index into the targets.
const (
	keepOther   = iota // stays; marks on it stay too
	keepHan            // stays; no space beside it
	keepLatin          // stays; marks on it go: Latin, Greek, ASCII digits
	separator          // becomes at most one space
	drop               // leaves nothing
	mark               // stays only on keepOther; composes with its neighbours
	jamo               // stays; composes with its neighbours
	firstTarget = 16
)

// A target is a rune and its class, or where in foldStrings its runes stand.
const (
	targetRune       = 1<<21 - 1
	targetClassShift = 21
	targetClass      = 3
	targetPhrase     = 1 << 24 // a phrase may decide otherwise
	targetString     = 1 << 25 // low 21 bits: offset << 6 | length in bytes
	targetSlow       = 1 << 26 // folds to runes that compose with their neighbours
)

var (
	foldTable   trie
	foldTargets string
	foldStrings string
	asciiFold   [128]byte // what an ASCII byte folds to, or one of the two below
)

const (
	asciiSeparator = 0
	asciiDrop      = 1
)

func init() {
	part := sections(foldBin, 4)
	foldTable = trie{part[0], part[1]}
	foldTargets, foldStrings = part[2], part[3]
	for c := range asciiFold {
		switch v := foldTable.at(rune(c)); {
		case v >= firstTarget:
			asciiFold[c] = byte(at32(foldTargets, int(v-firstTarget)))
		case v == keepLatin:
			asciiFold[c] = byte(c)
		case v == drop:
			asciiFold[c] = asciiDrop
		}
	}
}

// foldValue is the rune's value in the fold trie.
func foldValue(r rune) uint16 {
	if r >= 0xE0000 && r < 0xE1000 {
		return drop // tags and variation selectors
	}
	return foldTable.at(r)
}

// foldTarget is the target of a value from firstTarget on.
func foldTarget(v uint16) uint32 { return at32(foldTargets, int(v-firstTarget)) }

// targetText are the runes of a target marked targetString.
func targetText(t uint32) string {
	at, size := t&targetRune>>6, t&63
	return foldStrings[at : at+size]
}

// Han reports whether r is a Han character (an ideograph, not kana or punctuation).
func Han(r rune) bool {
	switch {
	case r < 0x3400:
		return r >= 0x3005 && (r <= 0x3007 && r != 0x3006 || r >= 0x3021 && r <= 0x3029)
	case r <= 0x9FFF:
		return r >= 0x4E00 || r <= 0x4DBF
	}
	return r >= 0xF900 && r <= 0xFAFF || r >= 0x20000 && r <= 0x323AF
}
