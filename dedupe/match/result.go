package match

import (
	"iter"
	"slices"
	"time"
)

// Result is what a run found. Records are named by their row in the stream, from 0.
type Result struct {
	// Model scored the pairs; it can score others.
	Model *Model
	// IDs are the records' ids by row.
	IDs []string
	// Pairs are Same and Possible, the most likely first.
	Pairs []Pair
	// Clusters are the customers with two and more records, in mode Dedupe. Rows ascend.
	Clusters [][]uint32
	// Links are the final pairs in mode Link.
	Links      []Pair
	Statistics Statistics

	pairs  []pair // that were compared, in two lists
	more   []pair
	scores []float32 // of both
}

// Candidates are all pairs that were compared, by rows, with their log-odds; for pairs that
// are Different these may be more than the model would say, as long as it is clear that they
// are Different. Of pairs that didn't fit into memory there are only Result.Pairs.
func (r *Result) Candidates() iter.Seq[Pair] {
	return func(yield func(Pair) bool) {
		if r.scores == nil {
			slices.Values(r.Pairs)(yield)
			return
		}
		for i, x := range r.scores {
			p := pairAt(r.pairs, r.more, i)
			if !yield(scored{p.a, p.b, x}.pair()) {
				return
			}
		}
	}
}

// pairAt is the pair at a place in two lists.
func pairAt(pairs, more []pair, i int) pair {
	if i < len(pairs) {
		return pairs[i]
	}
	return more[i-len(pairs)]
}

// Pair is two rows, the smaller first, and the judgement.
type Pair struct {
	A, B     uint32
	LogOdds  float32
	Decision Decision
}

// Statistics tell what a run did.
type Statistics struct {
	Rows       int
	Blocks     int
	Candidates int
	Neighbours int   // of a record, at most
	Spilled    int64 // bytes written to temporary files
	Duration   map[Stage]time.Duration
}

func (r *runner) newResult(edges []scored) *Result {
	res := &Result{
		IDs: r.t.ids, Model: r.model(), pairs: r.pairs.memory, more: r.more, scores: r.scores,
		Statistics: Statistics{Rows: r.t.rows(), Blocks: r.blocks, Candidates: r.pairs.count + len(r.more), Neighbours: r.o.neighbours()},
	}
	for _, e := range edges {
		res.Pairs = append(res.Pairs, e.pair())
	}
	slices.SortStableFunc(res.Pairs, func(a, b Pair) int { return compareFloat(b.LogOdds, a.LogOdds) })
	return res
}

// model is what the run learned, for single records.
func (r *runner) model() *Model {
	if r.o.Model != nil {
		return r.o.Model
	}
	m := newModel(r.t.layout, r.p)
	m.common = r.common
	for i, d := range r.t.dicts {
		for v, count := range d.count {
			if count == 0 || !d.has(uint32(v)) {
				continue
			}
			m.filled[i] += int(count)
			if count >= frequentFrom {
				m.frequent[i][formHash(d.form(uint32(v)))] = uint32(count)
			}
		}
	}
	return m
}

// frequentFrom is how many records must have a value for a model to remember it.
const frequentFrom = 3

func (e scored) pair() Pair {
	return Pair{e.a, e.b, e.score, decide(e.score)}
}

func compareFloat(a, b float32) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
