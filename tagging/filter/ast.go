package filter

import (
	"fmt"
)

// Expr is a filter: [And], [Or], [Not] or [Term], as values, not pointers. An expression
// is never changed once made; whoever has one may share it between goroutines.
//
// Two expressions in the normal form of [Normalise] are the same exactly when their
// Strings are.
type Expr interface {
	// String returns the canonical text: what Parse reads back as the normal form of
	// the expression, provided that [Check] finds no fault with it.
	String() string

	isExpr()
}

// And matches what all of its members match. Without members it matches everything; its
// text is then *.
type And []Expr

// Or matches what any of its members matches. Without members it matches nothing; its
// text is then NOT *.
type Or []Expr

// Not matches what X does not match.
type Not struct{ X Expr }

// Term is one condition on one field. Which of the fields below Op are in use is said at
// the constants of [Op]. Values and bounds are texts as the user wrote them, without
// quotes and escapes: neither cleaned, folded nor typed, which is up to who knows the field.
type Term struct {
	Field  string // a dimension or an attribute; empty for OpSegment
	Op     Op
	Values []string // not to be changed
	From   Bound    // for OpRange
	To     Bound    // for OpRange
}

// Op is what a term asks of its field.
type Op uint8

const (
	OpIs      Op = iota // has one of Values: level:vip, level:(vip|gold)
	OpUnder             // has one of Values or anything below it: region:CN-31/*, region:(CN-31/*|CN-32/*)
	OpRange             // has a value between From and To: amount:5..10, level:>=silver
	OpHas               // has any value: has:region
	OpMissing           // has no value: missing:region
	OpSegment           // matches the saved filter named by Values[0]: segment:name
)

var opNames = [...]string{"is", "under", "range", "has", "missing", "segment"}

func (o Op) String() string {
	if int(o) < len(opNames) {
		return opNames[o]
	}
	return fmt.Sprintf("unknown(%d)", uint8(o))
}

// Bound is an end of a range. Without a value the range is open at that end; a range has
// at least one bound.
type Bound struct {
	Value     string
	Exclusive bool // the value itself is outside
}

// IsOpen reports whether there is no bound.
func (b Bound) IsOpen() bool { return b.Value == "" }

func (And) isExpr()  {}
func (Or) isExpr()   {}
func (Not) isExpr()  {}
func (Term) isExpr() {}

func (e And) String() string  { return text(e) }
func (e Or) String() string   { return text(e) }
func (e Not) String() string  { return text(e) }
func (e Term) String() string { return text(e) }
