package storage

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/bits"
	"strings"
)

// Key is an order-preserving encoding of a list of parts: keys compare, byte by
// byte, as their parts do one after another. Build one by appending:
//
//	storage.Key(nil).String("cn.uscc").Uint(7)
type Key []byte

// Uint appends an unsigned number: one byte for its size, then its bytes, so that
// small numbers stay small.
func (k Key) Uint(n uint64) Key {
	size := (bits.Len64(n) + 7) / 8
	k = append(k, byte(size))
	for i := size - 1; i >= 0; i-- {
		k = append(k, byte(n>>(8*i)))
	}
	return k
}

// String appends a text so that a text sorts before every longer one that it
// begins: 0x00 is written as 00 FF, and 00 01 ends the text.
func (k Key) String(s string) Key { return append(k.StringPrefix(s), 0x00, 0x01) }

// StringPrefix appends the beginning of a text, for scans over all texts that begin so.
func (k Key) StringPrefix(s string) Key {
	if strings.IndexByte(s, 0) < 0 {
		return append(k, s...)
	}
	for i := range len(s) {
		if k = append(k, s[i]); s[i] == 0 {
			k = append(k, 0xff)
		}
	}
	return k
}

// CutUint removes a leading number.
func (k Key) CutUint() (uint64, Key, error) {
	if len(k) == 0 || k[0] > 8 || len(k) < 1+int(k[0]) {
		return 0, nil, fmt.Errorf("storage: %w: key % x does not begin with a number", ErrCorrupt, []byte(k))
	}
	var full [8]byte
	size := int(k[0])
	copy(full[8-size:], k[1:1+size])
	return binary.BigEndian.Uint64(full[:]), k[1+size:], nil
}

// CutString removes a leading text.
func (k Key) CutString() (string, Key, error) {
	rest, err := k.SkipString()
	if err != nil {
		return "", nil, err
	}
	escaped := k[:len(k)-len(rest)-2]
	if bytes.IndexByte(escaped, 0) < 0 {
		return string(escaped), rest, nil
	}
	return strings.ReplaceAll(string(escaped), "\x00\xff", "\x00"), rest, nil
}

// SkipString removes a leading text without making it. What is left shares k's memory.
func (k Key) SkipString() (Key, error) {
	for i := 0; i+1 < len(k); i++ {
		zero := bytes.IndexByte(k[i:len(k)-1], 0)
		if zero < 0 {
			break
		}
		i += zero
		if k[i+1] == 0x01 {
			return k[i+2:], nil
		}
		if k[i+1] != 0xff {
			break
		}
		i++ // an escaped zero
	}
	return nil, fmt.Errorf("storage: %w: key % x does not begin with a text", ErrCorrupt, []byte(k))
}

// KeyCodec turns a table's key type into bytes and back.
type KeyCodec[K any] struct {
	Append func(dst Key, k K) Key
	Decode func(key Key) (K, error)
}

// UintKey is the codec of numeric keys.
func UintKey[K ~uint64]() KeyCodec[K] {
	return KeyCodec[K]{
		Append: func(dst Key, k K) Key { return dst.Uint(uint64(k)) },
		Decode: func(key Key) (K, error) {
			n, rest, err := key.CutUint()
			return K(n), whole(key, rest, err)
		},
	}
}

// StringKey is the codec of text keys.
func StringKey[K ~string]() KeyCodec[K] {
	return KeyCodec[K]{
		Append: func(dst Key, k K) Key { return dst.String(string(k)) },
		Decode: func(key Key) (K, error) {
			s, rest, err := key.CutString()
			return K(s), whole(key, rest, err)
		},
	}
}

func whole(key, rest Key, err error) error {
	if err == nil && len(rest) > 0 {
		return fmt.Errorf("storage: %w: key % x has bytes left over", ErrCorrupt, []byte(key))
	}
	return err
}

// KeySet collects the keys that a record has in one index. The parts appended
// since the last End make one key; the same key twice counts once.
type KeySet struct {
	buf  Key
	ends []int
	last written
}

// Form is a way to write texts into keys, such as their pinyin.
type Form struct {
	// Append appends the text in this form to dst.
	Append func(dst []byte, text string) []byte
}

// written is a text as a form writes it.
type written struct {
	form *Form
	text string
	out  []byte
}

// Uint appends a number to the present key.
func (s *KeySet) Uint(n uint64) *KeySet { s.buf = s.buf.Uint(n); return s }

// String appends a text to the present key.
func (s *KeySet) String(t string) *KeySet { s.buf = s.buf.String(t); return s }

// In is String for what a form makes of a text. Where several indexes of a record have the same
// text in one form, it is made once.
func (s *KeySet) In(f *Form, text string) *KeySet {
	w := &s.last
	if w.form != f || w.text != text {
		*w = written{f, text, f.Append(w.out[:0], text)}
	}
	return s.Bytes(w.out)
}

// Bytes is String for a text in bytes, which it copies.
func (s *KeySet) Bytes(t []byte) *KeySet {
	if bytes.IndexByte(t, 0) >= 0 {
		return s.String(string(t))
	}
	s.buf = append(append(s.buf, t...), 0x00, 0x01)
	return s
}

// End completes the present key.
func (s *KeySet) End() {
	start := s.start(len(s.ends))
	for i := range s.ends {
		if string(s.at(i)) == string(s.buf[start:]) {
			s.buf = s.buf[:start]
			return
		}
	}
	s.ends = append(s.ends, len(s.buf))
}

func (s *KeySet) reset() { s.buf, s.ends = s.buf[:0], s.ends[:0] }

func (s *KeySet) start(i int) int {
	if i == 0 {
		return 0
	}
	return s.ends[i-1]
}

func (s *KeySet) len() int     { return len(s.ends) }
func (s *KeySet) at(i int) Key { return s.buf[s.start(i):s.ends[i]] }

func (s *KeySet) has(key Key) bool {
	for i := range s.ends {
		if string(s.at(i)) == string(key) {
			return true
		}
	}
	return false
}

// Len returns how many keys the set has.
func (s *KeySet) Len() int { return len(s.ends) }

// Key returns the i-th key of the set, which is good until the set changes.
func (s *KeySet) Key(i int) Key { return s.at(i) }
