package filter

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The words of the language, and what Chinese users may write instead.
type keyword uint8

const (
	noKeyword keyword = iota
	keywordAnd
	keywordOr
	keywordNot
)

func keywordOf(word string) keyword {
	switch {
	case len(word) > 3 || len(word) < 2:
		return noKeyword
	case word == "且" || strings.EqualFold(word, "AND"):
		return keywordAnd
	case word == "或" || strings.EqualFold(word, "OR"):
		return keywordOr
	case word == "非" || strings.EqualFold(word, "NOT"):
		return keywordNot
	}
	return noKeyword
}

// Names that can't be a field's, besides the keywords.
const (
	wordHas     = "has"
	wordMissing = "missing"
	wordSegment = "segment"
)

// structural returns the ASCII character that a full-width one stands for in the
// structure of a filter. In values they stay what they are.
func structural(r rune) rune {
	switch r {
	case '（', '）', '：', '｜', '＊', '／', '＜', '＝', '＞':
		return r - '！' + '!'
	}
	return r
}

// closers returns the characters that may end a text that r begins; empty if r is no quote.
// Curly quotes are taken in any order, as input methods produce them.
func closers(r rune) string {
	switch r {
	case '"', '＂':
		return string(r)
	case '“', '”':
		return "“”"
	case '「':
		return "」"
	}
	return ""
}

// escapable are the characters that a backslash may stand before.
const escapable = `\"＂“”」`

// characterFault says why no filter may have a rune, read from size bytes.
func characterFault(r rune, size int) string {
	switch {
	case r >= ' ' && r < 0x7F || r == '\t' || r == '\n' || r == '\r' || r >= '一' && r <= '龥':
		return "" // by far the most, and quick to tell
	case r == utf8.RuneError && size == 1:
		return "the text is not UTF-8"
	case r == utf8.RuneError:
		return "U+FFFD stands for a character lost in an earlier conversion"
	case unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp):
		return fmt.Sprintf("%U is a control character", r)
	case unicode.Is(unicode.Cf, r) && !unicode.Is(unicode.Join_Control, r):
		return fmt.Sprintf("%U is invisible", r)
	case unicode.Is(unicode.Noncharacter_Code_Point, r):
		return fmt.Sprintf("%U is no character", r)
	}
	return ""
}

// valueFault says why no value may have a rune, read from size bytes.
func valueFault(r rune, size int) string {
	if r < ' ' {
		return fmt.Sprintf("%U is a control character", r)
	}
	return characterFault(r, size)
}

// wordASCII are the ASCII characters that a value may have without quotes. The rest is
// the language's, or kept for it.
var wordASCII = func() (is [utf8.RuneSelf]bool) {
	for r := range is {
		is[r] = r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || strings.ContainsRune("-_./:+@#%&$", rune(r))
	}
	return is
}()

// wordRune reports whether a value may have r without quotes. The middle dot stands in
// Chinese spellings of foreign names, the joiners in Persian and Indic words.
func wordRune(r rune) bool {
	if r < utf8.RuneSelf {
		return wordASCII[r]
	}
	return unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.Join_Control) || r == '·'
}

// scanKey returns the length of the word that a text begins with where a field's name or
// a keyword may stand: up to a colon.
func scanKey(text string) int {
	for i, r := range text {
		if r == ':' || !wordRune(r) {
			return i
		}
	}
	return len(text)
}

// scanWord returns the length of the value without quotes that a text begins with. It
// ends before .. and /*, and neither begins nor ends with a dot, so that ranges are clear.
func scanWord(text string) int {
	if text == "" || text[0] == ':' {
		return 0
	}
	end := len(text)
	for i, r := range text {
		if !wordRune(r) || r == '.' && strings.HasPrefix(text[i+1:], ".") || r == '/' && scanStar(text[i+1:]) > 0 {
			end = i
			break
		}
	}
	if strings.HasPrefix(text[:end], ".") {
		return 0
	}
	return len(strings.TrimSuffix(text[:end], "."))
}

// scanStar returns the length of the star that a text begins with, or 0.
func scanStar(text string) int {
	if r, size := utf8.DecodeRuneInString(text); structural(r) == '*' {
		return size
	}
	return 0
}

// fieldFault says why a name is no field's.
func fieldFault(name string) string {
	switch {
	case name == wordHas, name == wordMissing, name == wordSegment, keywordOf(name) != noKeyword:
		return fmt.Sprintf("%q is a word of the language", name)
	case len(name) > MaxField:
		return fmt.Sprintf("the field's name has more than %d bytes", MaxField)
	case !wellFormed(name):
		return fmt.Sprintf("%q is not the name of a field", name)
	}
	return ""
}

// wellFormed reports whether a name is of words joined by dots, each a lower-case letter
// and more of them, digits and underscores.
func wellFormed(name string) bool {
	first := true
	for i := range len(name) {
		c := name[i]
		switch {
		case c >= 'a' && c <= 'z':
			first = false
		case first:
			return false
		case c == '.':
			first = true
		case c != '_' && (c < '0' || c > '9'):
			return false
		}
	}
	return !first
}
