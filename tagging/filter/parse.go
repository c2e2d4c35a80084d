package filter

import (
	"unicode"
	"unicode/utf8"
)

// Parse reads a filter and returns its normal form. An empty text is refused: who wants
// everything says so with *.
//
// The error is a [*SyntaxError]. Parse takes time and memory in proportion to the text, of
// which the expression keeps parts. A text beyond [MaxLength] is refused unread.
func Parse(text string) (Expr, error) {
	p := parser{text: text}
	e, err := p.filter()
	if err != nil {
		return nil, err
	}
	return e, nil
}

// parser reads by recursive descent, as deep as MaxDepth allows.
type parser struct {
	text  string
	pos   int // of the next byte
	depth int // parentheses and NOTs around it
	terms int // so far
}

func (p *parser) filter() (Expr, error) {
	if err := p.admit(); err != nil {
		return nil, err
	}
	e, err := p.or()
	if err != nil {
		return nil, err
	}
	if r, _ := p.peek(); r == ')' {
		return nil, p.fault(CodeParenthesis, p.pos, "( before it", "this parenthesis was never opened")
	}
	if p.pos < len(p.text) {
		return nil, p.operatorFault()
	}
	if len(p.text) > MaxLength/growth && len(e.String()) > MaxLength {
		return nil, p.fault(CodeTooLong, p.pos, "a shorter filter", "in canonical form the filter has more than %d bytes", MaxLength)
	}
	return e, nil
}

// growth is how many times longer a canonical text is, at most: escapes double what
// other quotes enclose.
const growth = 2

// admit refuses what isn't worth reading.
func (p *parser) admit() error {
	if len(p.text) > MaxLength {
		p.text = p.text[:MaxLength]
		return p.fault(CodeTooLong, MaxLength, "a shorter filter", "the filter has more than %d bytes", MaxLength)
	}
	for i, r := range p.text {
		if r >= ' ' && r < 0x7F {
			continue
		}
		_, size := utf8.DecodeRuneInString(p.text[i:])
		if what := characterFault(r, size); what != "" {
			return p.fault(CodeCharacter, i, "the text without it", "%s", what)
		}
	}
	if p.blanks(); p.pos == len(p.text) {
		return p.fault(CodeEmpty, p.pos, "a term such as level:vip, or * for all", "the filter is empty")
	}
	return nil
}

func (p *parser) or() (Expr, error)  { return p.joined(keywordOr, p.and, joinOr) }
func (p *parser) and() (Expr, error) { return p.joined(keywordAnd, p.not, joinAnd) }

// joined reads operands with an operator between them.
func (p *parser) joined(operator keyword, operand func() (Expr, error), join func([]Expr) Expr) (Expr, error) {
	first, err := operand()
	if err != nil || !p.keyword(operator) {
		return first, err
	}
	members := []Expr{first}
	for {
		next, err := operand()
		if err != nil {
			return nil, err
		}
		members = append(members, next)
		if !p.keyword(operator) {
			return join(members), nil
		}
	}
}

// not leaves the depth as it was, also for the parentheses in it.
func (p *parser) not() (Expr, error) {
	outside, odd := p.depth, false
	for ; p.keyword(keywordNot); odd = !odd {
		if err := p.descend(p.pos); err != nil {
			return nil, err
		}
	}
	e, err := p.primary()
	p.depth = outside
	if err == nil && odd {
		e = joinNot(e)
	}
	return e, err
}

func (p *parser) primary() (Expr, error) {
	p.blanks()
	at := p.pos
	switch {
	case p.accept('('):
		return p.group(at)
	case p.accept('*'):
		if err := p.count(at); err != nil {
			return nil, err
		}
		return All(), p.separated()
	}
	return p.term()
}

// group reads what is in parentheses, of which the first, at a place, is read.
func (p *parser) group(at int) (Expr, error) {
	if err := p.descend(at); err != nil {
		return nil, err
	}
	e, err := p.or()
	if err != nil {
		return nil, err
	}
	if !p.accept(')') {
		return nil, p.unclosed(at)
	}
	return e, nil
}

// unclosed is the fault of the parenthesis at a place that ends where the parser is.
func (p *parser) unclosed(at int) error {
	if p.pos < len(p.text) {
		return p.operatorFault()
	}
	return p.fault(CodeParenthesis, at, ") at its end", "this parenthesis is never closed")
}

// key reads a word up to a colon; it may be empty.
func (p *parser) key() string {
	n := scanKey(p.text[p.pos:])
	p.pos += n
	return p.text[p.pos-n : p.pos]
}

// keyword reads a keyword, if it is next.
func (p *parser) keyword(wanted keyword) bool {
	p.blanks()
	at := p.pos
	if keywordOf(p.key()) == wanted {
		if r, _ := p.peek(); r != ':' {
			return true
		}
	}
	p.pos = at
	return false
}

// accept reads a character of the structure, if it is next.
func (p *parser) accept(wanted rune) bool {
	r, size := p.peek()
	if r != wanted {
		return false
	}
	p.pos += size
	return true
}

func (p *parser) peek() (r rune, size int) {
	r, size = p.peekRaw()
	return structural(r), size
}

// peekRaw returns the next character, of size 0 at the end.
func (p *parser) peekRaw() (r rune, size int) {
	if p.pos < len(p.text) && p.text[p.pos] < utf8.RuneSelf {
		return rune(p.text[p.pos]), 1
	}
	return utf8.DecodeRuneInString(p.text[p.pos:])
}

func (p *parser) blanks() {
	for {
		r, size := p.peekRaw()
		if !unicode.IsSpace(r) {
			return
		}
		p.pos += size
	}
}

func (p *parser) count(at int) error {
	if p.terms++; p.terms > MaxTerms {
		return p.fault(CodeTooMany, at, "fewer", "the filter has more than %d terms", MaxTerms)
	}
	return nil
}

func (p *parser) descend(at int) error {
	if p.depth++; p.depth > MaxDepth {
		return p.fault(CodeTooDeep, at, "fewer", "more than %d parentheses and NOTs are around this", MaxDepth)
	}
	return nil
}
