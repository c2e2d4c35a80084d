package filter

import "slices"

// All matches everything: *.
func All() Expr { return And{} }

// None matches nothing: NOT *.
func None() Expr { return Or{} }

// Is matches what has one of the values in the field. Of no values it matches nothing.
func Is(field string, values ...string) Expr { return oneOf(field, OpIs, values) }

// Under matches what has one of the values in the field, or a tag below one of them. Of
// no values it matches nothing.
func Under(field string, values ...string) Expr { return oneOf(field, OpUnder, values) }

func oneOf(field string, op Op, values []string) Expr {
	if len(values) == 0 {
		return None()
	}
	return Term{Field: field, Op: op, Values: slices.Clone(values)}
}

// Range matches what has a value between the bounds.
func Range(field string, from, to Bound) Expr {
	return Term{Field: field, Op: OpRange, From: from, To: to}
}

// Between is the range from one value to another, both inside: field:from..to.
func Between(field, from, to string) Expr {
	return Range(field, Bound{Value: from}, Bound{Value: to})
}

// AtLeast is the range from a value, which is inside: field:>=from.
func AtLeast(field, from string) Expr { return Range(field, Bound{Value: from}, Bound{}) }

// AtMost is the range up to a value, which is inside: field:<=to.
func AtMost(field, to string) Expr { return Range(field, Bound{}, Bound{Value: to}) }

// Above is the range from a value, which is outside: field:>from.
func Above(field, from string) Expr {
	return Range(field, Bound{Value: from, Exclusive: true}, Bound{})
}

// Below is the range up to a value, which is outside: field:<to.
func Below(field, to string) Expr {
	return Range(field, Bound{}, Bound{Value: to, Exclusive: true})
}

// Has matches what has any value in the field: has:field.
func Has(field string) Expr { return Term{Field: field, Op: OpHas} }

// Missing matches what has no value in the field: missing:field.
func Missing(field string) Expr { return Term{Field: field, Op: OpMissing} }

// Segment matches what the saved filter of that name matches: segment:name.
func Segment(name string) Expr { return Term{Op: OpSegment, Values: []string{name}} }

// AllOf matches what all of the expressions match; of none of them, everything.
func AllOf(of ...Expr) Expr { return Normalise(And(slices.Clone(of))) }

// AnyOf matches what any of the expressions matches; of none of them, nothing.
func AnyOf(of ...Expr) Expr { return Normalise(Or(slices.Clone(of))) }

// Except matches what x does not match: NOT x.
func Except(x Expr) Expr { return Normalise(Not{x}) }
