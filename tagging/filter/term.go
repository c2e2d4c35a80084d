package filter

import (
	"strings"
	"unicode"
)

func (p *parser) term() (Expr, error) {
	at := p.pos
	if err := p.count(at); err != nil {
		return nil, err
	}
	name := p.key()
	if name == "" || !p.accept(':') {
		return nil, p.termFault(at, name)
	}
	var e Expr
	var err error
	switch name {
	case wordHas:
		e, err = p.presence(OpHas)
	case wordMissing:
		e, err = p.presence(OpMissing)
	case wordSegment:
		e, err = p.segment()
	default:
		if what := fieldFault(name); what != "" {
			return nil, p.fieldFault(at, name, what)
		}
		e, err = p.condition(name)
	}
	if err != nil {
		return nil, err
	}
	return e, p.separated()
}

func (p *parser) presence(op Op) (Expr, error) {
	at := p.pos
	field := p.key()
	if what := fieldFault(field); what != "" {
		return nil, p.fieldFault(at, field, what)
	}
	return Term{Field: field, Op: op}, nil
}

func (p *parser) segment() (Expr, error) {
	name, err := p.value()
	if err != nil {
		return nil, err
	}
	return Segment(name), nil
}

// condition reads what is asked of a field.
func (p *parser) condition(field string) (Expr, error) {
	at := p.pos
	switch {
	case p.accept('('):
		return p.list(field, at)
	case p.accept('*'):
		if p.dots() {
			return p.rangeTo(field, Bound{}, at)
		}
		return Has(field), nil
	case p.dots():
		return p.rangeTo(field, Bound{}, at)
	}
	compared := p.comparator()
	value, err := p.value()
	switch {
	case err != nil:
		return nil, err
	case compared == "<" || compared == "<=":
		return Range(field, Bound{}, Bound{value, compared == "<"}), nil
	case p.dots():
		return p.rangeTo(field, Bound{value, compared == ">"}, at)
	case compared != "":
		return Range(field, Bound{value, compared == ">"}, Bound{}), nil
	case p.below():
		return Under(field, value), nil
	}
	return Is(field, value), nil
}

// rangeTo reads the upper end of a range that began at a place.
func (p *parser) rangeTo(field string, from Bound, at int) (Expr, error) {
	upper := p.pos
	compared := p.comparator()
	if compared == ">" || compared == ">=" {
		return nil, p.fault(CodeRange, upper, "a value, < or <=", "%s can't begin the upper end of a range", compared)
	}
	if compared != "" || !p.accept('*') && !p.ended() {
		value, err := p.value()
		if err != nil {
			return nil, err
		}
		return Range(field, from, Bound{value, compared == "<"}), nil
	}
	if from.IsOpen() {
		return nil, p.fault(CodeRange, at, "lo..hi, lo.. or ..hi, or has:"+field, "the range has no end")
	}
	return Range(field, from, Bound{}), nil
}

// list reads values in parentheses, of which the first, at a place, is read. Either all
// of them are trees or none is.
func (p *parser) list(field string, at int) (Expr, error) {
	term := Term{Field: field, Op: OpIs}
	for more := true; more; {
		p.blanks()
		from := p.pos
		value, err := p.value()
		if err != nil {
			return nil, err
		}
		if below := p.below(); below && term.Values == nil {
			term.Op = OpUnder
		} else if below != (term.Op == OpUnder) {
			return nil, p.fault(CodeList, from, "/* behind each value of a list or behind none", "only some of the values have /*")
		}
		term.Values = append(term.Values, value)
		if more, err = p.separator(at); err != nil {
			return nil, err
		}
	}
	return term, nil
}

// separator reads what follows a value of a list that began at a place, and whether
// another value must follow.
func (p *parser) separator(at int) (more bool, err error) {
	p.blanks()
	switch {
	case p.accept(')'):
		return false, nil
	case p.accept('|'), p.keyword(keywordOr):
		p.blanks()
		return true, p.count(p.pos)
	case p.pos == len(p.text):
		return false, p.unclosed(at)
	}
	return false, p.fault(CodeList, p.pos, "| or ) after a value of a list, or quotes around all of the value", "%s can't stand here", p.found())
}

// value reads a word or a text in quotes.
func (p *parser) value() (string, error) {
	r, size := p.peekRaw()
	if end := closers(r); end != "" {
		return p.quoted(size, end)
	}
	n := scanWord(p.text[p.pos:])
	if n == 0 {
		return "", p.fault(CodeValue, p.pos, valueExpected, "%s stands where a value must", p.found())
	}
	p.pos += n
	return p.text[p.pos-n : p.pos], nil
}

// quoted reads a text whose quote has a size and that one of the characters of end ends.
func (p *parser) quoted(size int, end string) (string, error) {
	at := p.pos
	p.pos += size
	var unescaped strings.Builder // empty as long as there is no escape
	from := p.pos                 // of what isn't in unescaped yet
	for {
		r, size := p.peekRaw()
		switch {
		case size == 0 || r == '\n':
			return "", p.fault(CodeQuote, at, "its partner at the end of the value", "this quote is never closed")
		case valueFault(r, size) != "":
			return "", p.fault(CodeCharacter, p.pos, "the value without it", "%s", valueFault(r, size))
		case strings.ContainsRune(end, r):
			last := p.text[from:p.pos]
			p.pos += size
			if unescaped.Len() == 0 {
				return last, p.emptyFault(last, at)
			}
			return unescaped.String() + last, nil
		case r == '\\':
			unescaped.WriteString(p.text[from:p.pos])
			from = p.pos + 1
			if err := p.escaped(); err != nil {
				return "", err
			}
		default:
			p.pos += size
		}
	}
}

// escaped reads a backslash and what stands behind it.
func (p *parser) escaped() error {
	at := p.pos
	p.pos++
	r, size := p.peekRaw()
	if size == 0 || !strings.ContainsRune(escapable, r) {
		return p.fault(CodeEscape, at, `\" or \\`, `a backslash stands before quotes and backslashes only`)
	}
	p.pos += size
	return nil
}

func (p *parser) emptyFault(value string, at int) error {
	if value == "" {
		return p.fault(CodeValue, at, valueExpected, "the value is empty")
	}
	return nil
}

// separated refuses what can't stand right behind a term.
func (p *parser) separated() error {
	r, _ := p.peek()
	if p.ended() {
		return nil
	}
	expected := "a blank, or quotes around all of the value"
	switch r {
	case ',', '，', '、', ';', '；', '|':
		expected = "a list as in level:(vip|gold), or quotes around all of the value"
	case '*':
		expected = "/* for a tag and all below it, or quotes around all of the value"
	case '.':
		expected = "one range as in 5..10, or quotes around all of the value"
	}
	return p.fault(CodeUnquoted, p.pos, expected, "%s can't stand here", p.found())
}

// ended reports whether nothing stands here that could belong to a term.
func (p *parser) ended() bool {
	r, size := p.peek()
	return size == 0 || r == ')' || unicode.IsSpace(r)
}

// comparator reads one of < <= > >=, or nothing.
func (p *parser) comparator() string {
	switch {
	case p.accept('≤'):
		return "<="
	case p.accept('≥'):
		return ">="
	case p.accept('<'):
		if p.accept('=') {
			return "<="
		}
		return "<"
	case p.accept('>'):
		if p.accept('=') {
			return ">="
		}
		return ">"
	}
	return ""
}

// dots reads the dots of a range.
func (p *parser) dots() bool {
	if !strings.HasPrefix(p.text[p.pos:], "..") {
		return false
	}
	p.pos += len("..")
	return true
}

// below reads the sign of a tree.
func (p *parser) below() bool {
	at := p.pos
	if p.accept('/') && p.accept('*') {
		return true
	}
	p.pos = at
	return false
}
