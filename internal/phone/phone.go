package phone

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/clientele-go/clientele/internal/text"
)

// ErrInvalid is what every [*Error] wraps.
var ErrInvalid = errors.New("invalid phone number")

// Error says which number couldn't be understood, why, and what would be right. It doesn't
// know the field; its caller adds that.
type Error struct {
	Value   string // the number as given
	Country string // the country it was read for, or empty
	Reason  string // "has no area code"
	Remedy  string // "write it with its area code, such as 02-2531-7099"
}

func (e *Error) Error() string {
	where := ""
	if e.Country != "" {
		where = " for " + e.Country
	}
	return fmt.Sprintf("phone number %s%s %s; %s", text.Excerpt(e.Value), where, e.Reason, e.Remedy)
}

// Unwrap returns [ErrInvalid].
func (e *Error) Unwrap() error { return ErrInvalid }

// Number is a telephone number that can be dialled from anywhere.
type Number struct {
	E164      string // "+886225317099": at most 15 digits, no extension
	Extension string // "123", or empty
	Country   string // ISO 3166-1 alpha-2 of the number itself: "TW"; "001" for +800 and the like
	Mobile    bool   // certainly a mobile phone; false where the plan doesn't tell, as in the US
}

// Parse reads a number as written in country, an ISO 3166-1 alpha-2 code in either letter
// case. A number in international form (+886…, 00886…, or the bare 86…, 886…, 852… and
// 853… that are common in Chinese lists) is read as such, whatever the country, which may
// then be empty.
//
// An extension follows #, x, ext, 分機, 分机, 轉, 转, 內線 or 内线, or a hyphen behind a
// complete number ("010-6255-1234-8001"). Of several numbers in one text ("02-2531-7099、
// 2531-7100", "05-2211521-4" for four lines) the first is returned.
//
// The error is an [*Error]. Parse allocates only its result on the fast path.
func Parse(raw, country string) (Number, error) {
	country = upper(country)
	if n, ok := parseByPlan(raw, country); ok {
		return n, nil
	}
	if n, ok := parseByRanges(raw, country); ok {
		return n, nil
	}
	return parseByLibrary(raw, country)
}

// upper returns a country code in capitals, without allocating where it is so already.
func upper(country string) string {
	if len(country) == 2 && country[0]-'A' < 26 && country[1]-'A' < 26 {
		return country
	}
	return strings.ToUpper(strings.TrimSpace(country))
}

// Digits returns the digits of a number as ASCII, and nothing else: what a search for the
// last digits compares. Extensions are included. It returns raw itself, without allocating,
// where that is digits only.
func Digits(raw string) string {
	if allDigits(raw) {
		return raw
	}
	out := make([]byte, 0, len(raw))
	for _, r := range raw {
		if d, ok := digit(r); ok {
			out = append(out, d)
		}
	}
	return string(out)
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i]-'0' > 9 {
			return false
		}
	}
	return true
}

// digit returns the ASCII form of an ASCII or full-width digit.
func digit(r rune) (byte, bool) {
	switch {
	case r >= '0' && r <= '9':
		return byte(r), true
	case r >= '０' && r <= '９':
		return byte(r - '０' + '0'), true
	}
	return 0, false
}

// separator tells what may stand between the digits of one number.
func separator(r rune) bool {
	switch r {
	case ' ', '-', '.', '(', ')', '\t', 0xA0, 0x2212, '\u3000', '（', '）', '－', '．', 'ー', '[', ']', '【', '】':
		return true
	}
	return r >= 0x2010 && r <= 0x2015
}

// markers introduce an extension; the longer of two that begin alike stands first.
var markers = []string{
	"#", "＃", "分機", "分机", "內線", "内线", "轉", "转",
	";ext=", "extension", "extn", "ext", "x", "ｘ",
}

// minBeforeExtension is how many digits a number has before "x" means an extension, and
// not a letter of "Fax 02-2531-7099".
const minBeforeExtension = 5

// CutExtension splits "2531-7099 ext. 12" into the number and "12". Where a marker has no
// digits behind it, as in 轉總機, ext is empty and head still ends at the marker.
func CutExtension(raw string) (head, ext string) {
	digits := 0
	for i, r := range raw {
		if _, ok := digit(r); ok {
			digits++
			continue
		}
		if digits >= minBeforeExtension {
			if ext, ok := extensionAt(raw[i:]); ok {
				return raw[:i], ext
			}
		}
	}
	return raw, ""
}

// extensionAt reads an extension with its marker at the beginning of s.
func extensionAt(s string) (ext string, ok bool) {
	if s[0] < utf8.RuneSelf && !asciiMarker(s[0]) {
		return "", false
	}
	for _, m := range markers {
		if hasPrefixFold(s, m) {
			return leadingDigits(s[len(m):]), true
		}
	}
	return "", false
}

func asciiMarker(c byte) bool { return c == '#' || c == ';' || c|0x20 == 'e' || c|0x20 == 'x' }

// hasPrefixFold is strings.HasPrefix without regard to the case of ASCII letters.
func hasPrefixFold(s, prefix string) bool {
	if len(s) < len(prefix) {
		return false
	}
	for i := range len(prefix) {
		c := s[i]
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		if c != prefix[i] {
			return false
		}
	}
	return true
}

// maxExtension is what libphonenumber allows behind an explicit marker.
const maxExtension = 20

// leadingDigits returns the first run of digits of s, in ASCII, if nothing but punctuation
// stands before it.
func leadingDigits(s string) string {
	var buf [maxExtension]byte
	n := 0
	for _, r := range s {
		d, ok := digit(r)
		switch {
		case ok && n == maxExtension:
			return ""
		case ok:
			buf[n] = d
			n++
		case n > 0:
			return string(buf[:n])
		case r != ':' && r != '：' && r != '=' && r != '接' && !separator(r):
			return ""
		}
	}
	return string(buf[:n])
}
