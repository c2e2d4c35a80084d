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
	r.forced = newVerdicts(r.o.Judged, r.rowOf)
	prospects := r.newProspects(s)
	err := r.pairs.each(ctx, func(from int, part []pair) error {
		scores := make([]float32, len(part))
		if err := r.scorePart(ctx, s, prospects, from, part, scores); err != nil {
			return err
		}
		if r.pairs.file == nil {
			r.scores = append(r.scores, scores...)
		}
		if !r.t.link {
			r.keep(part, scores)
		}
		r.o.report(Scoring, from+len(part), r.pairs.count)
		return nil
	})
	if err != nil {
		return err
	}
	if r.t.link {
		r.calibrate(s)
		r.keep(r.pairs.memory, r.scores)
	} else if err := r.close(ctx, s); err != nil {
		return err
	}
	for i, x := range r.scores {
		p := pairAt(r.pairs.memory, r.more, i)
		r.scores[i] = r.forced.apply(p.a, p.b, x)
	}
	return nil
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
		for i := first; i < end; i++ {
			scores[i] = prospects[w].score(part[i].a, part[i].b)
		}
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
