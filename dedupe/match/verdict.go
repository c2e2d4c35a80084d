package match

// verdict is the log-odds of a pair that people judged; it outweighs all that a program
// may find.
const verdict = 1e6

// verdicts are the judged pairs among the rows of a run.
type verdicts map[pair]bool

// newVerdicts finds the rows of judged pairs. Those with a record that is not in the run
// have no bearing on it.
func newVerdicts(judged []Judgement, rowOf map[string]int32) verdicts {
	v := verdicts{}
	for _, j := range judged {
		a, knownA := rowOf[j.A]
		b, knownB := rowOf[j.B]
		if knownA && knownB && a != b {
			v[pair{uint32(min(a, b)), uint32(max(a, b))}] = j.Same
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

// beyond are the pairs judged the same that were no candidates.
func (v verdicts) beyond(candidates []pair) []scored {
	if len(v) == 0 {
		return nil
	}
	seen := map[pair]bool{}
	for _, p := range candidates {
		if _, judged := v[p]; judged {
			seen[p] = true
		}
	}
	var more []scored
	for p, same := range v {
		if same && !seen[p] {
			more = append(more, scored{p.a, p.b, verdict})
		}
	}
	sortScored(more)
	return more
}
