package tabular

import (
	"strings"
	"unicode/utf8"
)

// runsAsFormula are the characters that make spreadsheet programs take a text for a
// formula (OWASP, CSV Injection), with the full-width ones, which Chinese and Japanese
// editions take too.
const runsAsFormula = "=+-@\t\r\n＝＋－＠"

// Escape puts an apostrophe before a text that a spreadsheet program would run as a
// formula when it opens a delimited file. Unescape(Escape(s)) is s, for every s.
func Escape(text string) string {
	if startsFormula(text) {
		return "'" + text
	}
	return text
}

// Unescape takes away the apostrophe that Escape put before a text.
func Unescape(text string) string {
	if strings.HasPrefix(text, "'") && startsFormula(text) {
		return text[1:]
	}
	return text
}

// startsFormula looks behind apostrophes, so that a text which has one of its own before
// a formula gets it back.
func startsFormula(text string) bool {
	rest := strings.TrimLeft(text, "'")
	r, _ := utf8.DecodeRuneInString(rest)
	return rest != "" && strings.ContainsRune(runsAsFormula, r)
}
