package match

import (
	"context"
	"errors"
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

	pairs  []pair
	scores []float32
}

// Candidates are all pairs that were compared, by rows, with their log-odds.
func (r *Result) Candidates() iter.Seq[Pair] {
	return func(yield func(Pair) bool) {
		for i, p := range r.pairs {
			if !yield(scored{p.a, p.b, r.scores[i]}.pair()) {
				return
			}
		}
	}
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
	Neighbours int // of a record, at most; fewer than asked for where memory is short
	Duration   map[Stage]time.Duration
}

func (o *Options) report(s Stage, done, total int) {
	if o.Progress != nil {
		o.Progress(Progress{s, done, total})
	}
}

// Run finds the duplicates among the records, or the links between their sources. The
// result depends on the records and the options alone. Errors are a [*Error] for input
// that can't be used, that of the stream, or the context's.
func Run(ctx context.Context, o Options, records iter.Seq2[Record, error]) (*Result, error) {
	r := &runner{o: &o, last: time.Now(), took: map[Stage]time.Duration{}}
	err := r.run(ctx, records)
	if err := errors.Join(err, r.done.close()); err != nil {
		return nil, err
	}
	r.result.Statistics.Duration = r.took
	return r.result, nil
}

// run goes from stage to stage.
func (r *runner) run(ctx context.Context, records iter.Seq2[Record, error]) error {
	for _, step := range []struct {
		stage Stage
		do    func(context.Context) error
	}{
		{Reading, func(ctx context.Context) error { return r.read(ctx, records) }},
		{Preparing, r.prepare},
		{Blocking, r.block},
		{Comparing, r.compare},
		{Training, r.train},
		{Clustering, r.decide},
	} {
		if err := step.do(ctx); err != nil {
			return err
		}
		now := time.Now()
		r.took[step.stage], r.last = now.Sub(r.last), now
	}
	return nil
}

// runner carries a run from stage to stage.
type runner struct {
	o       *Options
	t       *table
	rowOf   map[string]int32
	pairs   []pair
	within  []pair // of a source in itself, in mode Link
	e       *evidence
	p       *parameters
	sides   cardinality
	ewithin *evidence
	allied  map[[2]uint32]bool
	blocks  int
	common  map[uint64]uint32
	scores  []float32
	result  *Result
	last    time.Time
	took    map[Stage]time.Duration
	done    *checkpoint
}

func (r *runner) read(ctx context.Context, records iter.Seq2[Record, error]) error {
	l, err := r.layout()
	if err != nil {
		return err
	}
	if r.o.Checkpoint == "" {
		r.t, r.rowOf, err = readTable(ctx, r.o, l, records)
		return err
	}
	hash, err := r.o.fingerprint()
	if err != nil {
		return err
	}
	r.t, r.rowOf, err = readTable(ctx, r.o, l, func(yield func(Record, error) bool) {
		for rec, err := range records {
			if err == nil {
				err = hashRecord(hash, &rec)
			}
			if !yield(rec, err) {
				return
			}
		}
	})
	if err != nil {
		return err
	}
	r.done, err = openCheckpoint(r.o.Checkpoint, hash.Sum64())
	return err
}

// layout is that of the model to use, or a new one.
func (r *runner) layout() (*layout, error) {
	m := r.o.Model
	if m == nil {
		return newLayout(r.o, nil)
	}
	if r.o.Schema != nil && !slices.Equal(r.o.Schema, m.layout.schema) {
		return nil, &Error{Kind: ErrModel, Field: "schema", Remedy: "the model is of another schema; train one, or leave the schema out"}
	}
	return m.layout, nil
}

func (r *runner) prepare(ctx context.Context) error {
	if err := r.t.prepare(ctx, r.o, r.o.Model == nil); err != nil {
		return err
	}
	r.t.weighValues()
	return nil
}

func (r *runner) block(ctx context.Context) error {
	var saved blocked
	found, err := r.done.takeValue(sectionBlocked, &saved)
	if err != nil {
		return err
	}
	if found {
		r.blocks, r.common = saved.Blocks, saved.Common
		r.pairs, r.within = unpackPairs(saved.Pairs), unpackPairs(saved.Within)
		return nil
	}
	x, err := buildIndex(ctx, r.o, r.t)
	if err != nil {
		return err
	}
	r.blocks, r.common = len(x.weight), x.common
	if r.pairs, err = gather(ctx, r.o, r.t, x, false); err != nil {
		return err
	}
	if r.t.link {
		if r.within, err = gather(ctx, r.o, r.t, x, true); err != nil {
			return err
		}
	}
	if r.done == nil {
		return nil
	}
	return r.done.putValue(sectionBlocked, blocked{packPairs(r.pairs), packPairs(r.within), r.blocks, r.common})
}

// comparedAtOnce is how many pairs are compared between two notes in the checkpoint.
const comparedAtOnce = 1 << 16

func (r *runner) compare(ctx context.Context) error {
	r.e = newEvidence(len(r.t.layout.columns), len(r.pairs))
	w := newComparers(r.o, r.t)
	for from := 0; from < len(r.pairs); from += comparedAtOnce {
		to := min(from+comparedAtOnce, len(r.pairs))
		part := r.e.part(from, to)
		saved, found, err := r.done.take(sectionCompared)
		if err != nil {
			return err
		}
		if found && len(saved) == 2*len(part.state) {
			copy(part.bits, saved[copy(part.state, saved):])
			continue
		}
		if err := w.compare(ctx, r.pairs[from:to], part); err != nil {
			return err
		}
		if r.done != nil {
			if err := r.done.put(sectionCompared, slices.Concat(part.state, part.bits)); err != nil {
				return err
			}
		}
		r.o.report(Comparing, to, len(r.pairs))
	}
	return nil
}

// train takes the parameters of the model given, those that an earlier run noted, or new ones.
func (r *runner) train(ctx context.Context) error {
	if m := r.o.Model; m != nil {
		return r.use(ctx, m)
	}
	var saved trained
	found, err := r.done.takeValue(sectionTrained, &saved)
	if err != nil {
		return err
	}
	if found {
		return r.resume(ctx, &saved)
	}
	if err := r.learn(ctx); err != nil || r.done == nil {
		return err
	}
	now := trained{Parameters: r.p, Single: r.sides.single}
	for i := range r.t.layout.columns {
		now.Said = append(now.Said, r.t.layout.columns[i].said)
	}
	return r.done.putValue(sectionTrained, now)
}

// resume takes over what an earlier run learned.
func (r *runner) resume(ctx context.Context, saved *trained) error {
	r.p, r.sides = saved.Parameters, cardinality{saved.Single}
	if r.t.link {
		var err error
		if r.ewithin, err = compareAll(ctx, r.o, r.t, r.within); err != nil {
			return err
		}
	}
	for i, said := range saved.Said {
		if r.p.Columns[i].Translated {
			r.t.layout.columns[i].said = said
			r.retell(i)
		}
	}
	return nil
}

// learn trains the parameters from the records.
func (r *runner) learn(ctx context.Context) error {
	by, err := measureChance(ctx, r.o, r.t)
	if err != nil {
		return err
	}
	tr := newTrainer(r.t, r.pairs, r.e, by)
	if err := tr.run(ctx, r.o, rounds); err != nil {
		return err
	}
	r.p = tr.p
	if r.t.link {
		if r.sides, err = r.cardinality(ctx); err != nil {
			return err
		}
		tr.sides = r.sides
		if err := tr.run(ctx, r.o, rounds); err != nil {
			return err
		}
	}
	found, err := r.translate(ctx, tr)
	if err != nil || !found {
		return err
	}
	last := newTrainer(r.t, r.pairs, r.e, by)
	last.p, last.sides, r.p = tr.p, tr.sides, tr.p
	return last.run(ctx, r.o, lastRounds)
}

// lastRounds is how often training goes on after the translations are known.
const lastRounds = 8

// use takes the parameters of a trained model.
func (r *runner) use(ctx context.Context, m *Model) error {
	r.p = m.p
	if !r.t.link {
		return nil
	}
	var err error
	r.sides, err = r.cardinality(ctx)
	return err
}

// cardinality looks for duplicates within the sources.
func (r *runner) cardinality(ctx context.Context) (cardinality, error) {
	var err error
	if r.ewithin, err = compareAll(ctx, r.o, r.t, r.within); err != nil {
		return cardinality{}, err
	}
	s := newScorer(r.t.layout, r.p)
	if r.o.OneToOne {
		return cardinality{single: slices.Repeat([]bool{true}, len(r.t.names))}, nil
	}
	return newCardinality(r.t, scoreAll(s, r.pairs, r.e, 0), scoreAll(s, r.within, r.ewithin, 0)), nil
}

// scoreAll scores pairs and keeps those above a score.
func scoreAll(s *scorer, pairs []pair, e *evidence, above float32) []scored {
	var list []scored
	for i, p := range pairs {
		state, bits := e.of(i)
		if x := s.score(state, bits); x > above {
			list = append(list, scored{p.a, p.b, x})
		}
	}
	return list
}

// decide scores all candidates, and makes clusters or links of them.
func (r *runner) decide(ctx context.Context) error {
	s := newScorer(r.t.layout, r.p)
	r.scores = make([]float32, len(r.pairs))
	err := chunks(ctx, r.o.workers(), len(r.pairs), func(_, from, to int) {
		for i := from; i < to; i++ {
			r.scores[i] = s.score(r.e.of(i))
		}
	})
	if err != nil {
		return err
	}
	if r.t.link {
		r.calibrate(s)
	} else if err := r.close(ctx, s); err != nil {
		return err
	}
	forced := newVerdicts(r.o.Judged, r.rowOf)
	var edges []scored
	for i, p := range r.pairs {
		r.scores[i] = forced.apply(p.a, p.b, r.scores[i])
		if x := r.scores[i]; x > possibleAbove {
			edges = append(edges, scored{p.a, p.b, x})
		}
	}
	edges = append(edges, forced.beyond(r.pairs)...)
	r.result = r.newResult(edges)
	if r.t.link {
		for _, e := range links(r.t, edges, r.sides, r.allied) {
			r.result.Links = append(r.result.Links, e.pair())
		}
		return nil
	}
	ask := r.asker(s)
	r.result.Clusters, err = clusters(ctx, r.t.rows(), edges, func(a, b uint32) float32 { return forced.apply(a, b, ask(a, b)) })
	return err
}

// calibrate turns the raw scores of a link into log-odds.
func (r *runner) calibrate(s *scorer) {
	within := scoreAll(s, r.within, r.ewithin, nothing)
	var allied []ally
	if !r.o.OneToOne {
		allied = allies(r.t, r.pairs, r.scores, within)
	}
	r.allied = map[[2]uint32]bool{}
	for _, a := range allied {
		x, y := r.pairs[a.one], r.pairs[a.other]
		one, other := x.a, y.a
		if one == other {
			one, other = x.b, y.b
		}
		r.allied[[2]uint32{min(one, other), max(one, other)}] = true
	}
	calibrateLinks(r.t, r.sides, r.pairs, r.scores, allied, newTwins(within))
}

func (r *runner) newResult(edges []scored) *Result {
	res := &Result{
		IDs: r.t.ids, Model: r.model(), pairs: r.pairs, scores: r.scores,
		Statistics: Statistics{Rows: r.t.rows(), Blocks: r.blocks, Candidates: len(r.pairs),
			Neighbours: r.o.neighbours(r.t.rows(), len(r.t.dicts))},
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
		for v, f := range d.forms {
			if f == nil || d.count[v] == 0 {
				continue
			}
			m.filled[i] += int(d.count[v])
			if d.count[v] >= frequentFrom {
				m.frequent[i][formHash(f)] = uint32(d.count[v])
			}
		}
	}
	return m
}

// frequentFrom is how many records must have a value for a model to remember it.
const frequentFrom = 3

// asker scores any two rows.
func (r *runner) asker(s *scorer) func(a, b uint32) float32 {
	c := newRowComparer(r.t)
	state, bits := make([]uint8, r.e.columns), make([]uint8, r.e.columns)
	return func(a, b uint32) float32 {
		c.rows(a, b, state, bits)
		return s.score(state, bits)
	}
}

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
