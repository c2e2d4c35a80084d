package tagging

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/clientele-go/clientele/tagging/filter"
)

// FilterError says that a filter asks for something that the book doesn't have: an
// unknown dimension or tag, a range where there is no order, a value that is none of its
// field. Errors of syntax are [*filter.SyntaxError].
type FilterError struct {
	Term    string // in canonical form
	Segment string // the saved filter that the term stands in; empty for the query's own
	Offset  int    // of the term in the query's text, in bytes
	Column  int    // in characters from 1 over the whole text; 0 when the place is not known
	Err     error  // what is wrong: an *Error or a *customer.ValidationError
}

func (e *FilterError) Error() string {
	where := ""
	switch {
	case e.Segment != "":
		where = " in segment " + e.Segment
	case e.Column > 0:
		where = fmt.Sprintf(" at character %d", e.Column)
	}
	return fmt.Sprintf("%v (term %s%s)", e.Err, e.Term, where)
}

func (e *FilterError) Unwrap() error { return e.Err }

// at says which term an error is about, and where that stands.
func (p *planner) at(t filter.Term, err error) error {
	if _, placed := err.(*FilterError); placed {
		return err
	}
	e := &FilterError{Term: t.String(), Err: err}
	if len(p.inside) > 0 {
		e.Segment = p.inside[len(p.inside)-1]
		return e
	}
	if at := place(p.text, t); at >= 0 {
		e.Offset, e.Column = at, 1+utf8.RuneCountInString(p.text[:at])
	}
	return e
}

// place finds a term in the text that it was parsed from, as it is usually written, or -1.
func place(text string, t filter.Term) int {
	begins := t.Field + ":"
	switch t.Op {
	case filter.OpHas, filter.OpMissing, filter.OpSegment:
		begins = t.String()
	case filter.OpIs, filter.OpUnder:
		if len(t.Values) == 1 {
			begins += t.Values[0]
		}
	}
	for at := 0; ; {
		i := strings.Index(text[at:], begins)
		if i < 0 {
			return -1
		}
		if at += i; at == 0 || !isFieldByte(text[at-1]) {
			return at
		}
		at++
	}
}

func isFieldByte(c byte) bool {
	return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '_' || c == '.'
}

// planText is a plan as an indented list.
type planText struct {
	strings.Builder
	depth int
}

func (p *planText) line(format string, args ...any) {
	p.WriteString(strings.Repeat("  ", p.depth))
	fmt.Fprintf(p, format+"\n", args...)
}

func (p *planText) group(title string, members []node) {
	p.line("%s", title)
	p.depth++
	for _, m := range members {
		m.explain(p)
	}
	p.depth--
}

func (b both) explain(p *planText)      { p.group("all of", b) }
func (e either) explain(p *planText)    { p.group("any of", e) }
func (e except) explain(p *planText)    { p.group("not", []node{e.node}) }
func (everything) explain(p *planText)  { p.line("everything") }
func (nothing) explain(p *planText)     { p.line("nothing") }
func (m *marks) explain(p *planText)    { p.line("%s: a set", m.label) }
func (s *set) explain(p *planText)      { p.line("%s: a set made at first", s.label) }
func (s *source) explain(p *planText)   { p.line("%s: a set", s.label) }
func (x *recorded) explain(p *planText) { p.line("%s: each record", strings.Join(x.labels, " and ")) }

func (x *assigned) explain(p *planText) { p.line("%s: the assignments", x.label) }

func (u *union) explain(p *planText) {
	if len(u.sets) == 1 {
		u.sets[0].explain(p)
		return
	}
	p.line("%s: %d sets", u.label, len(u.sets))
}

func (x *corrected) explain(p *planText) {
	p.line("%s: %d sets, without %d customers that are overdue", x.label, len(x.sets), x.stale.Len())
}
