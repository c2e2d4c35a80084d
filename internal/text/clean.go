package text

import (
	"errors"
	"fmt"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// ErrInvalid is what every [*Error] wraps.
var ErrInvalid = errors.New("invalid text")

// Error says where a text can't be stored, why, and what would be right. It doesn't know
// the field; its caller adds that.
type Error struct {
	Value  string // the text as given
	Offset int    // of the first wrong byte
	Reason string // "is not UTF-8"
	Remedy string // "give the text in UTF-8"
}

func (e *Error) Error() string {
	return fmt.Sprintf("text %s, at byte %d: %s; %s", Excerpt(e.Value), e.Offset, e.Reason, e.Remedy)
}

// Unwrap returns [ErrInvalid].
func (e *Error) Unwrap() error { return ErrInvalid }

// Excerpt quotes the beginning of a value for a message: at most 40 runes, and
// everything unprintable escaped.
func Excerpt(s string) string {
	n := 0
	for i := range s {
		if n++; n > 40 {
			return fmt.Sprintf("%q…", s[:i])
		}
	}
	return fmt.Sprintf("%q", s)
}

// Clean returns s as it is stored: in Unicode normal form C, without white space at its
// ends, each white space inside (tabs, line breaks, U+3000) one space, and without
// invisible format characters (byte order mark, zero-width space, soft hyphen,
// direction marks), except the joiners that Indic scripts, Persian and emoji need.
//
// It refuses, with an [*Error] that names the byte: what is not UTF-8, U+FFFD (text that was
// lost in an earlier conversion), other control characters, and noncharacters.
//
// Clean returns s itself, without allocating, where nothing changes.
func Clean(s string) (string, error) {
	if isClean(s) {
		return s, nil
	}
	out := make([]byte, 0, len(s))
	space := false
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case unicode.IsSpace(r):
			space = len(out) > 0
		case invisible(r):
		default:
			if reason, remedy := refusal(r, n); reason != "" {
				return "", &Error{Value: s, Offset: i, Reason: reason, Remedy: remedy}
			}
			if space {
				out, space = append(out, ' '), false
			}
			out = append(out, s[i:i+n]...)
		}
		i += n
	}
	return string(norm.NFC.Bytes(out)), nil
}

// isClean reports true only for clean text; it knows the common scripts.
func isClean(s string) bool {
	space := true // a space here would be the first, or the second in a row
	for i := 0; i < len(s); {
		c := s[i]
		if c > ' ' && c < 0x7F {
			space = false
			i++
			continue
		}
		if c == ' ' {
			if space {
				return false
			}
			space = true
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if !plain(r) {
			return false
		}
		space = false
		i += n
	}
	return !space || s == ""
}

// plain tells runes that are visible and that normal form C leaves alone whatever stands
// beside them: Latin, Han, kana, hangul, CJK punctuation, full and half widths.
func plain(r rune) bool {
	switch {
	case r < 0xA1:
		return false
	case r < 0x300:
		return r != 0xAD
	case r < 0x3001:
		return false
	case r < 0xA000:
		return r <= 0x3029 || r >= 0x3041 && r <= 0x3096 || r >= 0x30A1 && r <= 0x30FF || r >= 0x3400
	}
	return r >= 0xAC00 && r <= 0xD7A3 || r >= 0xFF01 && r <= 0xFFEE || r >= 0x20000 && r <= 0x2EBE0
}

// invisible tells format characters that carry no meaning in a name and make two equal
// names differ.
func invisible(r rune) bool {
	switch r {
	case 0xAD, 0x180E, 0x200B, 0x200E, 0x200F, 0xFEFF:
		return true
	}
	return r >= 0x202A && r <= 0x202E || r >= 0x2060 && r <= 0x206F
}

// refusal says why a rune, read from n bytes, can't be stored.
func refusal(r rune, n int) (reason, remedy string) {
	switch {
	case r == utf8.RuneError && n == 1:
		return "is not UTF-8", "give the text in UTF-8"
	case r == utf8.RuneError:
		return "has U+FFFD, a character lost in an earlier conversion", "take the text from where it was still whole"
	case unicode.IsControl(r):
		return fmt.Sprintf("has the control character %U", r), "remove it"
	case r&0xFFFE == 0xFFFE || r >= 0xFDD0 && r <= 0xFDEF:
		return fmt.Sprintf("has %U, which Unicode reserves for internal use", r), "remove it"
	}
	return "", ""
}
