package filter

import "unicode/utf8"

// Check returns the first fault of an expression that was not made by [Parse], as a
// [*SyntaxError] without a place. Nil means that Parse reads its String back as its normal
// form. Check refuses nodes that are nil, pointers or incomplete, fields and values that
// can't be written, and what is beyond the limits; its cost is bounded by the limits.
func Check(e Expr) error {
	var c checker
	if err := c.node(e, 0); err != nil {
		return err
	}
	switch {
	case Depth(e) > MaxDepth:
		return tooDeep()
	case Size(e) > MaxTerms:
		return tooMany()
	case len(e.String()) > MaxLength:
		return builtError(CodeTooLong, "", "a shorter filter", "the filter's text has more than %d bytes", MaxLength)
	}
	return nil
}

// Bounds of what is checked, above what normal forms within the limits need.
const (
	maxNodes = 4 * MaxTerms
	maxNests = 4 * MaxDepth
)

// checker counts the nodes that it checks.
type checker struct{ nodes int }

// node checks a node with as many others around it.
func (c *checker) node(e Expr, around int) error {
	if c.nodes++; c.nodes > maxNodes {
		return tooMany()
	}
	if around > maxNests {
		return tooDeep()
	}
	switch e := e.(type) {
	case And:
		return c.all(e, around+1)
	case Or:
		return c.all(e, around+1)
	case Not:
		return c.node(e.X, around+1)
	case Term:
		return checkTerm(e)
	}
	return builtError(CodeExpression, "", "And, Or, Not or Term, as a value", "%T is no filter", e)
}

func (c *checker) all(members []Expr, around int) error {
	for _, m := range members {
		if err := c.node(m, around); err != nil {
			return err
		}
	}
	return nil
}

func checkTerm(t Term) error {
	if !wellShaped(t) {
		return builtError(CodeExpression, t.Field, "what the constants of Op say", "the term on %q does not have the field, values and bounds of %v", firstRunes(t.Field, shown), t.Op)
	}
	if what := fieldFault(t.Field); what != "" && t.Op != OpSegment {
		return builtError(CodeField, t.Field, fieldExpected, "%s", what)
	}
	for _, v := range t.Values {
		if err := checkValue(t.Field, v); err != nil {
			return err
		}
	}
	for _, b := range []Bound{t.From, t.To} {
		if b.IsOpen() {
			continue
		}
		if err := checkValue(t.Field, b.Value); err != nil {
			return err
		}
	}
	return nil
}

// wellShaped reports whether a term uses what its operator needs, and nothing else.
func wellShaped(t Term) bool {
	unbounded := t.From == Bound{} && t.To == Bound{}
	switch t.Op {
	case OpIs, OpUnder:
		return len(t.Values) > 0 && unbounded
	case OpRange:
		vague := t.From == Bound{Exclusive: true} || t.To == Bound{Exclusive: true}
		return len(t.Values) == 0 && !unbounded && !vague
	case OpHas, OpMissing:
		return len(t.Values) == 0 && unbounded
	case OpSegment:
		return len(t.Values) == 1 && unbounded && t.Field == ""
	}
	return false
}

func checkValue(field, value string) error {
	if value == "" {
		return builtError(CodeValue, "", valueExpected, "a value of %q is empty", field)
	}
	for i, r := range value {
		_, size := utf8.DecodeRuneInString(value[i:])
		if what := valueFault(r, size); what != "" {
			return builtError(CodeCharacter, printable(value), "the value without it", "a value of %q cannot be written: %s", field, what)
		}
	}
	return nil
}
