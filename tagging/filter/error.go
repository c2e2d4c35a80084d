package filter

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"
)

// Limits of a filter, so that one from outside costs little whatever is in it.
const (
	MaxLength = 64 << 10 // bytes of text
	MaxDepth  = 100      // parentheses and NOTs around a term
	MaxTerms  = 10_000   // conditions; each value of a list is one
	MaxField  = 100      // bytes of a field's name
)

// What a [SyntaxError] wraps; test with errors.Is.
var (
	ErrSyntax  = errors.New("invalid filter")
	ErrTooLong = errors.New("filter too long") // MaxLength or MaxTerms
	ErrTooDeep = errors.New("filter too deep") // MaxDepth
)

// Code says what is wrong with a filter, for programs that say it in another language.
type Code string

const (
	CodeEmpty       Code = "empty"          // there is no term
	CodeCharacter   Code = "character"      // what no filter may have: not UTF-8, U+FFFD, control, invisible
	CodeTerm        Code = "term"           // something else where a term must stand
	CodeColon       Code = "colon"          // a word without a colon where a term must stand
	CodeField       Code = "field"          // not the name of a field
	CodeValue       Code = "value"          // no value where one must stand, or an empty one
	CodeUnquoted    Code = "unquoted"       // what stands in a value within quotes only
	CodeQuote       Code = "quote"          // a quote without its end
	CodeEscape      Code = "escape"         // a backslash before something that needs none
	CodeList        Code = "list"           // values of a list without | between them
	CodeRange       Code = "range"          // a range without ends or with a wrong one
	CodeOperator    Code = "operator"       // two terms without an operator between them
	CodeParenthesis Code = "parenthesis"    // one without its partner
	CodeExpression  Code = "expression"     // from Check: a node that isn't well formed
	CodeTooLong     Code = "too-long"       // beyond MaxLength
	CodeTooDeep     Code = "too-deep"       // beyond MaxDepth
	CodeTooMany     Code = "too-many-terms" // beyond MaxTerms
)

// SyntaxError says what is wrong with a filter, where, and what would be right. From
// [Check], which has no text to point into, the places are 0.
type SyntaxError struct {
	Code     Code
	Offset   int    // of the place in bytes
	Line     int    // from 1; 0 from Check
	Column   int    // in characters, from 1; 0 from Check
	Token    string // what stands there, at most 40 characters; empty at the end
	Expected string // what would be right: "AND or OR"
	Message  string // what is wrong: `"level" follows without an operator`

	excerpt, margin string // the line around the place, and what is as wide as its part before it
}

// Error returns the message and, below it, the line with a caret under the place. Both
// quote the filter.
func (e *SyntaxError) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("filter: %s; expected %s", e.Message, e.Expected)
	}
	return fmt.Sprintf("filter: line %d, column %d: %s; expected %s\n\t%s\n\t%s^",
		e.Line, e.Column, e.Message, e.Expected, e.excerpt, e.margin)
}

// Unwrap returns [ErrTooLong], [ErrTooDeep] or [ErrSyntax].
func (e *SyntaxError) Unwrap() error {
	switch e.Code {
	case CodeTooLong, CodeTooMany:
		return ErrTooLong
	case CodeTooDeep:
		return ErrTooDeep
	}
	return ErrSyntax
}

// shown is how many characters messages show of a token, and of a line before and after
// the place.
const shown = 40

// syntaxError returns the error of a place in a text.
func syntaxError(text string, at int, code Code, expected, message string) *SyntaxError {
	begin := 1 + strings.LastIndexByte(text[:at], '\n')
	before := text[begin:at]
	after, _, _ := strings.Cut(text[at:], "\n")
	e := &SyntaxError{
		Code:     code,
		Offset:   at,
		Line:     1 + strings.Count(text[:begin], "\n"),
		Column:   1 + utf8.RuneCountInString(before),
		Token:    strings.Clone(firstRunes(token(text[at:]), shown)),
		Expected: expected,
		Message:  message,
	}
	before = printable(lastRunes(before, shown))
	e.excerpt = before + printable(firstRunes(after, shown))
	e.margin = margin(before)
	return e
}

// token returns the word or the character that a text begins with.
func token(text string) string {
	if n := scanKey(text); n > 0 {
		return text[:n]
	}
	_, size := utf8.DecodeRuneInString(text)
	return text[:size]
}

func firstRunes(s string, n int) string {
	for i := range s {
		if n--; n < 0 {
			return s[:i] + "…"
		}
	}
	return s
}

func lastRunes(s string, n int) string {
	for i := len(s); i > 0; n-- {
		if n == 0 {
			return "…" + s[i:]
		}
		_, size := utf8.DecodeLastRuneInString(s[:i])
		i -= size
	}
	return s
}

// printable shows what would disturb a terminal or a log as U+FFFD.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r != '\t' && characterFault(r, utf8.RuneLen(r)) != "" || r == '\r' {
			return utf8.RuneError
		}
		return r
	}, s)
}

// margin returns blanks that are as wide as s in a terminal.
func margin(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' {
			return r
		}
		if unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf) {
			return -1
		}
		switch width.LookupRune(r).Kind() {
		case width.EastAsianWide, width.EastAsianFullwidth:
			return '\u3000'
		}
		return ' '
	}, s)
}

// builtError returns the error of an expression that no text is known of.
func builtError(code Code, token, expected, format string, args ...any) *SyntaxError {
	return &SyntaxError{
		Code:     code,
		Token:    firstRunes(token, shown),
		Expected: expected,
		Message:  fmt.Sprintf(format, args...),
	}
}

func tooDeep() error {
	return builtError(CodeTooDeep, "", "fewer", "the filter has more than %d parentheses and NOTs around a term", MaxDepth)
}

func tooMany() error {
	return builtError(CodeTooMany, "", "fewer", "the filter has more than %d terms", MaxTerms)
}
