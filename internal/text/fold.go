package text

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Fold returns the form of s in which names are compared and indexed: compatibility
// forms and widths unified (NFKC), case folded, diacritics stripped from Latin and
// Greek, traditional characters simplified as [Simplify] does, digits of all scripts
// written 0–9. What is neither letter, mark nor digit becomes one space between words
// and nothing beside a Han character; an apostrophe leaves nothing.
//
//	Fold("ＡＣＭＥ Café, Inc.") == "acme cafe inc"
//	Fold("台灣 水泥（股）")       == "台湾水泥股"
//
// Fold(Fold(s)) == Fold(s) for every s. Bytes that are not UTF-8 count as separators.
// It returns s itself, without allocating, where s is folded already; otherwise it
// allocates the result, and more only for text with combining marks, jamo or one of the
// few characters whose simplified form depends on the word.
func Fold(s string) string {
	var buf [128]byte
	out := AppendFold(buf[:0], s)
	if string(out) == s {
		return s
	}
	return string(out)
}

// AppendFold appends Fold(s) to dst.
func AppendFold(dst []byte, s string) []byte {
	w := newFoldWriter()
	if out, ok := w.fast(dst, s); ok {
		return out
	}
	return append(dst, foldSlow(s)...)
}

// foldSlow folds text of which some runes depend on their neighbours. One pass may
// bring neighbours together that belong together, so it repeats until nothing changes;
// the second pass nearly always is the last.
func foldSlow(s string) string {
	for _, sign := range []string{"™", "℠"} { // NFKC would turn them into letters
		s = strings.ReplaceAll(s, sign, " ")
	}
	var buf [128]byte
	for range 8 {
		w := newFoldWriter()
		next := w.slow(buf[:0], norm.NFKC.String(s))
		if string(next) == s {
			break
		}
		s = string(next)
	}
	return s
}

// foldWriter appends folded runes and holds back the space between words until it
// knows what follows. Its methods take and return the text, so that a caller's buffer
// can stay on the stack.
type foldWriter struct {
	last uint16 // class of the last rune written, noRune at the start
	gap  bool
}

// noRune is the last class before anything was written.
const noRune = 0xFFFF

func newFoldWriter() foldWriter { return foldWriter{last: noRune} }

// fast folds s rune by rune. It reports false at the first rune for which that isn't
// enough.
func (w *foldWriter) fast(dst []byte, s string) ([]byte, bool) {
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			dst = w.ascii(dst, asciiFold[c])
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		switch v := foldValue(r); {
		case v == keepHan:
			dst = append(dst, s[i:i+n]...)
			w.last, w.gap = keepHan, false
		case v >= firstTarget:
			t := foldTarget(v)
			if t&(targetPhrase|targetSlow) != 0 {
				return dst, false
			}
			dst = w.target(dst, t)
		case v == mark || v == jamo:
			return dst, false
		default:
			dst = w.rune(dst, r, v)
		}
		i += n
	}
	return dst, true
}

// slow folds s, which is in NFKC, with an eye to phrases and marks.
func (w *foldWriter) slow(dst []byte, s string) []byte {
	book := phrases()
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if key, value := book.at(s[i:], r); key != "" {
			for _, r := range value {
				dst = w.rune(dst, r, keepHan)
			}
			i += len(key)
			continue
		}
		if v := foldValue(r); v >= firstTarget {
			dst = w.target(dst, foldTarget(v))
		} else {
			dst = w.rune(dst, r, v)
		}
		i += n
	}
	return dst
}

func (w *foldWriter) ascii(dst []byte, c byte) []byte {
	switch c {
	case asciiSeparator:
		w.gap = true
		return dst
	case asciiDrop:
		return dst
	}
	if w.gap {
		dst = w.space(dst, keepLatin)
	}
	w.last = keepLatin
	return append(dst, c)
}

// rune writes a rune that folds to itself and has the value v.
func (w *foldWriter) rune(dst []byte, r rune, v uint16) []byte {
	switch v {
	case separator:
		w.gap = true
		return dst
	case drop:
		return dst
	case mark:
		if w.last != keepOther || w.gap {
			return dst
		}
		v = keepOther
	case jamo:
		v = keepOther
	}
	if w.gap {
		dst = w.space(dst, v)
	}
	w.last = v
	return utf8.AppendRune(dst, r)
}

// space ends the gap before a rune of the class next.
func (w *foldWriter) space(dst []byte, next uint16) []byte {
	w.gap = false
	if next == keepHan || w.last == keepHan || w.last == noRune {
		return dst
	}
	return append(dst, ' ')
}

func (w *foldWriter) target(dst []byte, t uint32) []byte {
	if t&targetString == 0 {
		return w.rune(dst, rune(t&targetRune), uint16(t>>targetClassShift&targetClass))
	}
	for _, r := range targetText(t) {
		dst = w.rune(dst, r, foldValue(r))
	}
	return dst
}
