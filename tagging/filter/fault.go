package filter

import (
	"fmt"
	"strings"
	"unicode"
)

// What faults found in several places expect.
const (
	termExpected  = "a term such as level:vip or has:region, NOT or a parenthesis"
	fieldExpected = "a name of a-z, digits, _ and dots, such as region"
	valueExpected = `a value right behind, such as vip or "North America"; missing:field finds what has none`
)

// fault returns the error of a place.
func (p *parser) fault(code Code, at int, expected, format string, args ...any) error {
	return syntaxError(p.text, at, code, expected, fmt.Sprintf(format, args...))
}

// found names what the parser stands before.
func (p *parser) found() string {
	switch r, size := p.peekRaw(); {
	case size == 0:
		return "the end"
	case unicode.IsSpace(r):
		return "a blank"
	}
	return fmt.Sprintf("%q", firstRunes(token(p.text[p.pos:]), shown))
}

// operatorFault is the fault of what follows a term or a parenthesis without an operator.
func (p *parser) operatorFault() error {
	return p.fault(CodeOperator, p.pos, "AND or OR, or quotes around a value that has blanks", "%s follows without an operator", p.found())
}

// termFault is the fault of a place where a term must stand: the name there, maybe empty,
// has been read, and no colon follows.
func (p *parser) termFault(at int, name string) error {
	if name == "" || keywordOf(name) != noKeyword {
		p.pos = at
		return p.fault(CodeTerm, at, termExpected, "%s stands where a term must", p.found())
	}
	if r, _ := p.peek(); r == '<' || r == '>' || r == '=' {
		return p.fault(CodeColon, p.pos, "field:value, field:>=value and the like", "a colon is missing before %s", p.found())
	}
	return p.fault(CodeColon, p.pos, "field:value", "a colon is missing behind %q", firstRunes(name, shown))
}

// fieldFault is the fault of a place where a field must stand, but what does is none.
func (p *parser) fieldFault(at int, name, what string) error {
	expected := fieldExpected
	switch {
	case name == "":
		what = p.found() + " stands where the name of a field must"
	case name[0] == '-':
		expected = "NOT before a term that must not match"
	case name != strings.ToLower(name) && fieldFault(strings.ToLower(name)) == "":
		expected = strings.ToLower(name)
	}
	return p.fault(CodeField, at, expected, "%s", what)
}
