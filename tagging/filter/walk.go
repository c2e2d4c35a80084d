package filter

import (
	"iter"
	"slices"
)

// Walk calls visit for e and, where it returns true, for what is inside, from the outside
// in and from left to right.
func Walk(e Expr, visit func(Expr) bool) {
	if !visit(e) {
		return
	}
	switch e := e.(type) {
	case And:
		for _, m := range e {
			Walk(m, visit)
		}
	case Or:
		for _, m := range e {
			Walk(m, visit)
		}
	case Not:
		Walk(e.X, visit)
	}
}

// Terms returns the terms of e from left to right.
func Terms(e Expr) iter.Seq[Term] {
	return func(yield func(Term) bool) {
		more := true
		Walk(e, func(e Expr) bool {
			if t, is := e.(Term); is && more {
				more = yield(t)
			}
			return more
		})
	}
}

// Fields returns the fields that e names, sorted, each once.
func Fields(e Expr) []string {
	return sorted(e, func(t Term) (string, bool) { return t.Field, t.Op != OpSegment })
}

// Segments returns the names of the saved filters that e uses, sorted, each once.
func Segments(e Expr) []string {
	return sorted(e, func(t Term) (string, bool) {
		if t.Op != OpSegment || len(t.Values) == 0 {
			return "", false
		}
		return t.Values[0], true
	})
}

// sorted returns what of returns for the terms of e, sorted, each once.
func sorted(e Expr, of func(Term) (string, bool)) []string {
	var all []string
	for t := range Terms(e) {
		if s, ok := of(t); ok {
			all = append(all, s)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Rewrite returns the normal form of e with each node replaced by what replace returns for
// it, which may be the node itself. It goes from the inside out: what replace is given
// holds what it returned before. The first error ends it and is returned as it is.
//
// What comes out may be larger than what [Parse] takes; whoever replaces by something
// larger looks at [Size] and [Depth].
func Rewrite(e Expr, replace func(Expr) (Expr, error)) (Expr, error) {
	e, err := rewrite(e, replace)
	if err != nil {
		return nil, err
	}
	return Normalise(e), nil
}

func rewrite(e Expr, replace func(Expr) (Expr, error)) (Expr, error) {
	var err error
	switch inner := e.(type) {
	case And:
		var members []Expr
		members, err = rewriteAll(inner, replace)
		e = And(members)
	case Or:
		var members []Expr
		members, err = rewriteAll(inner, replace)
		e = Or(members)
	case Not:
		var x Expr
		x, err = rewrite(inner.X, replace)
		e = Not{x}
	}
	if err != nil {
		return nil, err
	}
	return replace(e)
}

func rewriteAll(members []Expr, replace func(Expr) (Expr, error)) ([]Expr, error) {
	rewritten := make([]Expr, len(members))
	for i, m := range members {
		var err error
		if rewritten[i], err = rewrite(m, replace); err != nil {
			return nil, err
		}
	}
	return rewritten, nil
}

// Depth returns how many parentheses and NOTs are around a term in e's text, at most.
func Depth(e Expr) int { return depth(Normalise(e)) }

func depth(e Expr) int {
	deepest := 0
	switch e := e.(type) {
	case And:
		for _, m := range e {
			deepest = max(deepest, operandDepth(m))
		}
	case Or:
		if isNone(e) {
			return 1 // NOT *
		}
		for _, m := range e {
			deepest = max(deepest, depth(m))
		}
	case Not:
		return 1 + operandDepth(e.X)
	}
	return deepest
}

func operandDepth(e Expr) int {
	if parenthesised(e) {
		return 1 + depth(e)
	}
	return depth(e)
}

// Size returns how many conditions e's text has: its terms, each value of a list as one,
// and each *.
func Size(e Expr) int {
	size := 0
	Walk(Normalise(e), func(e Expr) bool {
		switch e := e.(type) {
		case Term:
			size += max(1, len(e.Values))
		default:
			if isAll(e) || isNone(e) {
				size++
			}
		}
		return true
	})
	return size
}
