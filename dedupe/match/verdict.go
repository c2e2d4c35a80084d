package match

// verdict is the log-odds of a pair that people judged; it outweighs all that a program
// may find.
const verdict = 1e6

// verdicts are the judged pairs among the rows of a run.
type verdicts map[pair]bool

// newVerdicts finds the rows of judged pairs. Those with a record that is not in the run
// have no bearing on it.
func newVerdicts(judged []Judgement, rowOf *rowsByID) verdicts {
	v := verdicts{}
	for _, j := range judged {
		a, knownA := rowOf.row(j.A)
		b, knownB := rowOf.row(j.B)
		if knownA && knownB && a != b {
			v[pair{min(a, b), max(a, b)}] = j.Same
		}
	}
	return v
}

// apply puts a verdict in the place of a score.
func (v verdicts) apply(a, b uint32, score float32) float32 {
	if len(v) == 0 {
		return score
	}
	same, judged := v[pair{min(a, b), max(a, b)}]
	switch {
	case !judged:
		return score
	case same:
		return verdict
	}
	return -verdict
}

// has reports whether a pair was judged.
func (v verdicts) has(p pair) bool {
	if len(v) == 0 {
		return false
	}
	_, judged := v[p]
	return judged
}

// force puts verdicts in the place of scores, of which those not above what anyone looks at
// go, and adds the pairs judged the same that are not among them.
func (v verdicts) force(edges []scored) []scored {
	if len(v) == 0 {
		return edges
	}
	seen := map[pair]bool{}
	var list []scored
	for _, e := range edges {
		p := pair{e.a, e.b}
		if v.has(p) {
			seen[p] = true
			e.score = v.apply(e.a, e.b, e.score)
		}
		if e.score > possibleAbove {
			list = append(list, e)
		}
	}
	return append(list, v.beyond(seen)...)
}

// beyond are the pairs judged the same that were not seen.
func (v verdicts) beyond(seen map[pair]bool) []scored {
	var more []scored
	for p, same := range v {
		if same && !seen[p] {
			more = append(more, scored{p.a, p.b, verdict})
		}
	}
	sortScored(more)
	return more
}
