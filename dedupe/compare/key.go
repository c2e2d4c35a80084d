package compare

import (
	"unicode/utf8"

	"github.com/cespare/xxhash/v2"
)

// KeyKind is what a key stands for, from the most to the least telling.
type KeyKind uint8

// The kinds of keys.
const (
	KeyExact    KeyKind = iota // the whole normal form
	KeyDeletion                // the normal form without one character: one edit apart
	KeyToken                   // a word, or the characters of a name's core
	KeySound                   // how the value, or a word of it, sounds
	KeyPinyin                  // the pinyin of a Chinese name, or a romanised one
	KeyInitials                // the initials of its pinyin or its words
	KeyBigram                  // two characters, adjacent or nearly so
	KeyPart                    // a part: the beginning of a name, the end of a number
)

var keyKinds = []string{"exact", "deletion", "token", "sound", "pinyin", "initials", "bigram", "part"}

func (k KeyKind) String() string {
	if int(k) < len(keyKinds) {
		return keyKinds[k]
	}
	return "unknown"
}

// KeyKinds is a set of kinds of keys.
type KeyKinds uint8

// AllKeys are the keys of all kinds.
const AllKeys KeyKinds = 1<<8 - 1

// KindsOf is the set of some kinds.
func KindsOf(kinds ...KeyKind) KeyKinds {
	var set KeyKinds
	for _, k := range kinds {
		set |= 1 << k
	}
	return set
}

// Has reports whether a kind is in the set.
func (s KeyKinds) Has(k KeyKind) bool { return s>>k&1 != 0 }

// Key is a hash under which values meet that may be alike. Keys of different kinds never
// meet by design, only by chance.
type Key struct {
	Hash uint64
	Kind KeyKind
}

// hashOf is the stable hash of a text among those of a kind.
func hashOf(kind KeyKind, s string) uint64 {
	return mix(xxhash.Sum64String(s) + uint64(kind)*0x9E3779B97F4A7C15)
}

// mix is the finaliser of SplitMix64 (Steele, Lea and Flood 2014).
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xBF58476D1CE4E5B9
	x = (x ^ x>>27) * 0x94D049BB133111EB
	return x ^ x>>31
}

// emitter emits the keys of the kinds that are wanted, leaving out the empty text.
type emitter struct {
	want KeyKinds
	emit func(Key)
}

func (e emitter) text(kind KeyKind, s string) {
	if s != "" && e.want.Has(kind) {
		e.emit(Key{hashOf(kind, s), kind})
	}
}

// bytes emits the key of a text of a kind that is wanted.
func (e emitter) bytes(kind KeyKind, s []byte) {
	e.emit(Key{mix(xxhash.Sum64(s) + uint64(kind)*0x9E3779B97F4A7C15), kind})
}

// sound emits how a word sounds.
func (e emitter) sound(w string) {
	if e.want.Has(KeySound) {
		e.text(KeySound, skeleton(w))
	}
}

// deletions emits the text and each text with one character less. Texts that are one
// insertion, deletion, substitution or transposition apart share one of these, as the
// whole of one is among the deletions of the other.
func (e emitter) deletions(s string) {
	if s == "" || !e.want.Has(KeyDeletion) {
		return
	}
	e.text(KeyDeletion, s)
	var buf [64]byte
	last := rune(-1)
	for i, r := range s {
		if r == last { // the same text again
			continue
		}
		last = r
		without := append(append(buf[:0], s[:i]...), s[i+len(string(r)):]...)
		if len(without) > 0 {
			e.bytes(KeyDeletion, without)
		}
	}
}

func (e emitter) pair(kind KeyKind, r, s rune) {
	if e.want.Has(kind) {
		var buf [2 * utf8.UTFMax]byte
		e.bytes(kind, utf8.AppendRune(utf8.AppendRune(buf[:0], r), s))
	}
}
