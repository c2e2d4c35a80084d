package filter

import (
	"fmt"
	"strings"
)

// text returns the canonical text of e.
func text(e Expr) string {
	var p printer
	p.Grow(128) // most filters are shorter
	p.expr(Normalise(e))
	return p.String()
}

// printer writes normal forms.
type printer struct{ strings.Builder }

func (p *printer) expr(e Expr) {
	switch e := e.(type) {
	case And:
		p.and(e)
	case Or:
		p.or(e)
	case Not:
		p.WriteString("NOT ")
		p.operand(e.X)
	case Term:
		p.term(e)
	default:
		fmt.Fprintf(p, "<%T>", e) // no filter; Check says so
	}
}

func (p *printer) and(members And) {
	if len(members) == 0 {
		p.WriteByte('*')
	}
	for i, m := range members {
		if i > 0 {
			p.WriteString(" AND ")
		}
		p.operand(m)
	}
}

func (p *printer) or(members Or) {
	if len(members) == 0 {
		p.WriteString("NOT *")
	}
	for i, m := range members {
		if i > 0 {
			p.WriteString(" OR ")
		}
		p.expr(m)
	}
}

// operand writes what is in an And or a Not.
func (p *printer) operand(e Expr) {
	if !parenthesised(e) {
		p.expr(e)
		return
	}
	p.WriteByte('(')
	p.expr(e)
	p.WriteByte(')')
}

// parenthesised reports whether a normal form needs parentheses in an And or a Not. The
// one cannot have an And in it.
func parenthesised(e Expr) bool {
	return isAnd(e) && !isAll(e) || isOr(e) && !isNone(e)
}

func (p *printer) term(t Term) {
	switch t.Op {
	case OpHas, OpMissing:
		p.WriteString(t.Op.String() + ":" + t.Field)
	case OpSegment:
		p.WriteString(wordSegment + ":")
		p.values(t.Values, "")
	case OpUnder:
		p.WriteString(t.Field + ":")
		p.values(t.Values, "/*")
	case OpRange:
		p.WriteString(t.Field + ":")
		p.bounds(t.From, t.To)
	default:
		p.WriteString(t.Field + ":")
		p.values(t.Values, "")
	}
}

// values writes one value, or several as a list, each with a suffix.
func (p *printer) values(values []string, suffix string) {
	if len(values) == 1 {
		p.value(values[0])
		p.WriteString(suffix)
		return
	}
	p.WriteByte('(')
	for i, v := range values {
		if i > 0 {
			p.WriteByte('|')
		}
		p.value(v)
		p.WriteString(suffix)
	}
	p.WriteByte(')')
}

func (p *printer) bounds(from, to Bound) {
	switch {
	case to.IsOpen():
		p.comparison(">", from)
	case from.IsOpen():
		p.comparison("<", to)
	default:
		if from.Exclusive {
			p.WriteByte('>')
		}
		p.value(from.Value)
		p.WriteString("..")
		if to.Exclusive {
			p.WriteByte('<')
		}
		p.value(to.Value)
	}
}

func (p *printer) comparison(sign string, b Bound) {
	p.WriteString(sign)
	if !b.Exclusive {
		p.WriteByte('=')
	}
	p.value(b.Value)
}

// value writes a value, in quotes if a word can't have it.
func (p *printer) value(v string) {
	if scanWord(v) == len(v) {
		p.WriteString(v)
		return
	}
	p.WriteByte('"')
	escape.WriteString(p, v)
	p.WriteByte('"')
}

var escape = strings.NewReplacer(`\`, `\\`, `"`, `\"`)
