package match

import (
	"context"
	"encoding/binary"
	"math"
	"slices"
)

// score scores all candidates, and keeps those that matter.
func (r *runner) score(ctx context.Context) error {
	s := newScorer(r.t.layout, r.p)
	if r.t.link {
		return r.scoreLinks(ctx, s)
	}
	prospects := r.newProspects(s)
	err := r.pairs.each(ctx, func(from int, part []pair) error {
		scores := make([]float32, len(part))
		if err := r.scorePart(ctx, s, prospects, from, part, scores); err != nil {
			return err
		}
		if r.pairs.file == nil {
			r.scores = append(r.scores, scores...)
		}
		r.keep(part, scores)
		r.o.report(Scoring, from+len(part), r.pairs.count)
		return nil
	})
	if err != nil {
		return err
	}
	if err := r.close(ctx, s); err != nil {
		return err
	}
	r.applyVerdicts()
	return nil
}

// scoreLinks scores the candidates between sources, which needs all their raw scores.
func (r *runner) scoreLinks(ctx context.Context, s *scorer) error {
	across, err := r.scoreList(ctx, s, r.pairs, r.e)
	if err != nil {
		return err
	}
	within, err := r.scoreList(ctx, s, r.within, r.ewithin)
	if err != nil {
		return err
	}
	k, err := r.calibrate(ctx, across, within)
	if err != nil {
		return err
	}
	err = across.each(ctx, func(from int, part []pair, scores []float32) error {
		k.apply(from, part, scores)
		r.keep(part, scores)
		r.o.report(Scoring, from+len(part), r.pairs.count)
		return nil
	})
	r.scores = across.memory
	r.applyVerdicts()
	return err
}

// calibrate makes what turns the raw scores of a link into log-odds, and notes which rows
// may share a partner.
func (r *runner) calibrate(ctx context.Context, across, within *scoredPairs) (*calibration, error) {
	near, err := newFinder(ctx, within)
	if err != nil {
		return nil, err
	}
	var allied []ally
	if !r.o.OneToOne {
		if allied, err = allies(ctx, r.t, across, within); err != nil {
			return nil, err
		}
	}
	r.allied = map[[2]uint32]bool{}
	for _, a := range allied {
		r.allied[[2]uint32{a.rows.a, a.rows.b}] = true
	}
	return newCalibration(ctx, r.t, r.sides, across, allied, twins{near})
}

// applyVerdicts puts verdicts in the place of the scores that are kept.
func (r *runner) applyVerdicts() {
	for i, x := range r.scores {
		p := pairAt(r.pairs.memory, r.more, i)
		r.scores[i] = r.forced.apply(p.a, p.b, x)
	}
}

// keep notes the pairs that may be one customer, and those that people judged.
func (r *runner) keep(pairs []pair, scores []float32) {
	for i, p := range pairs {
		if x := scores[i]; x > possibleAbove || r.forced.has(p) {
			r.edges = append(r.edges, scored{p.a, p.b, x})
		}
	}
}

// newProspects makes one for each worker, where pairs are not all compared already.
func (r *runner) newProspects(s *scorer) []*prospect {
	if r.e != nil {
		return nil
	}
	list := make([]*prospect, r.o.workers())
	for i := range list {
		list[i] = newProspect(newRowComparer(r.t), s, r.p)
	}
	return list
}

// scorePart scores pairs that an earlier run has not scored.
func (r *runner) scorePart(ctx context.Context, s *scorer, prospects []*prospect, from int, part []pair, scores []float32) error {
	if prospects == nil {
		return chunks(ctx, r.o.workers(), len(part), func(_, first, end int) {
			for i := first; i < end; i++ {
				scores[i] = s.score(r.e.of(from + i))
			}
		})
	}
	saved, found, err := r.done.take(sectionScored)
	if err != nil {
		return err
	}
	if found && len(saved) == 4*len(scores) {
		for i := range scores {
			scores[i] = math.Float32frombits(binary.LittleEndian.Uint32(saved[4*i:]))
		}
		return nil
	}
	err = chunks(ctx, len(prospects), len(part), func(w, first, end int) {
		prospects[w].scores(part[first:end], scores[first:end])
	})
	if err != nil || r.done == nil {
		return err
	}
	note := make([]byte, 0, 4*len(scores))
	for _, x := range scores {
		note = binary.LittleEndian.AppendUint32(note, math.Float32bits(x))
	}
	return r.done.put(sectionScored, note)
}

// close compares and scores the closure of the candidates, and adds it to them.
func (r *runner) close(ctx context.Context, s *scorer) error {
	more, err := closure(ctx, r.t.rows(), r.pairs, r.edges)
	if err != nil {
		return err
	}
	e, err := compareAll(ctx, r.o, r.t, more)
	if err != nil {
		return err
	}
	scores := make([]float32, len(more))
	for i := range more {
		scores[i] = s.score(e.of(i))
	}
	r.keep(more, scores)
	if r.pairs.file == nil {
		r.scores = slices.Concat(r.scores, scores)
	}
	r.more = more
	return nil
}
