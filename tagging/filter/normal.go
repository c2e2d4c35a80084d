package filter

import "slices"

// Normalise returns the normal form of e, which matches the same: no And directly in an
// And nor Or in an Or, none of one member, and no Not of a Not, of everything or of nothing.
// The order of members stays. Parse and the functions that build expressions return normal
// forms; one built as a literal may not be normal.
//
// Normalise returns e itself, without allocating, where nothing changes.
func Normalise(e Expr) Expr {
	if isNormal(e) {
		return e
	}
	switch e := e.(type) {
	case And:
		return joinAnd(normaliseAll(e))
	case Or:
		return joinOr(normaliseAll(e))
	case Not:
		return joinNot(Normalise(e.X))
	}
	return e
}

func normaliseAll(members []Expr) []Expr {
	normal := make([]Expr, len(members))
	for i, m := range members {
		normal[i] = Normalise(m)
	}
	return normal
}

func isNormal(e Expr) bool {
	switch e := e.(type) {
	case And:
		return e != nil && len(e) != 1 && !slices.ContainsFunc(e, func(m Expr) bool { return isAnd(m) || !isNormal(m) })
	case Or:
		return e != nil && len(e) != 1 && !slices.ContainsFunc(e, func(m Expr) bool { return isOr(m) || !isNormal(m) })
	case Not:
		return !isNot(e.X) && !isAll(e.X) && !isNone(e.X) && isNormal(e.X)
	}
	return true
}

func isAnd(e Expr) bool { _, is := e.(And); return is }
func isOr(e Expr) bool  { _, is := e.(Or); return is }
func isNot(e Expr) bool { _, is := e.(Not); return is }

// isAll and isNone know normal forms only.
func isAll(e Expr) bool  { a, is := e.(And); return is && len(a) == 0 }
func isNone(e Expr) bool { o, is := e.(Or); return is && len(o) == 0 }

// joinAnd returns the normal form of the And of normal forms. It may keep the slice.
func joinAnd(members []Expr) Expr {
	if members = flatten[And](members); len(members) == 1 {
		return members[0]
	}
	return And(members)
}

// joinOr returns the normal form of the Or of normal forms. It may keep the slice.
func joinOr(members []Expr) Expr {
	if members = flatten[Or](members); len(members) == 1 {
		return members[0]
	}
	return Or(members)
}

// joinNot returns the normal form of the Not of a normal form.
func joinNot(x Expr) Expr {
	if not, is := x.(Not); is {
		return not.X
	}
	switch {
	case isAll(x):
		return None()
	case isNone(x):
		return All()
	}
	return Not{x}
}

// flatten returns members with those of type T replaced by their own members.
func flatten[T ~[]Expr](members []Expr) []Expr {
	nested := func(e Expr) bool { _, is := any(e).(T); return is }
	if len(members) > 0 && !slices.ContainsFunc(members, nested) {
		return members
	}
	flat := []Expr{}
	for _, m := range members {
		if inner, is := any(m).(T); is {
			flat = append(flat, inner...)
		} else {
			flat = append(flat, m)
		}
	}
	return flat
}
