package match

import (
	"context"
	"errors"
	"iter"
	"slices"
	"time"
)

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
	r.spill = o.spill()
	err := r.run(ctx, records)
	if err := errors.Join(err, r.done.close(), r.spill.close()); err != nil {
		return nil, err
	}
	r.result.Statistics.Duration, r.result.Statistics.Spilled = r.took, r.spill.bytes
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
		{Scoring, r.score},
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
	spill   *spill
	pairs   *pairList
	within  *pairList // of a source in itself, in mode Link
	e       *evidence // of all pairs, or nil where these are compared as they are scored
	lesson  *lesson
	p       *parameters
	sides   cardinality
	ewithin *evidence // of the pairs within sources, or nil as above
	allied  map[[2]uint32]bool
	blocks  int
	common  map[uint64]uint32
	scores  []float32 // of the pairs where these are in memory, and then of more
	more    []pair    // that scoring found worth a look
	edges   []scored  // pairs not all too unlike, or judged
	forced  verdicts
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
		return r.take(ctx, l, records)
	}
	hash, err := r.o.fingerprint()
	if err != nil {
		return err
	}
	err = r.take(ctx, l, func(yield func(Record, error) bool) {
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

// take reads the records, and finds those that people judged.
func (r *runner) take(ctx context.Context, l *layout, records iter.Seq2[Record, error]) error {
	t, rowOf, err := readTable(ctx, r.o, l, records)
	r.t, r.forced = t, newVerdicts(r.o.Judged, rowOf)
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
	if r.o.Model == nil {
		r.t.findNames()
	}
	return r.t.weighValues(ctx, r.o.workers())
}

func (r *runner) block(ctx context.Context) error {
	found, err := r.takeBlocked(ctx)
	if found || err != nil {
		return err
	}
	x, err := buildIndex(ctx, r.o, r.spill, r.t)
	if err != nil {
		return err
	}
	r.blocks, r.common = x.blocks, x.common
	if r.pairs, err = gather(ctx, r.o, r.spill, r.t, x, false); err != nil {
		return err
	}
	if r.t.link {
		if r.within, err = gather(ctx, r.o, r.spill, r.t, x, true); err != nil {
			return err
		}
	}
	return r.putBlocked(ctx)
}

// compare compares what teaches, and where it is needed later, all pairs.
func (r *runner) compare(ctx context.Context) error {
	draw := r.o.drawing(r.pairs.count)
	if draw.all {
		if err := r.pairs.load(ctx); err != nil {
			return err
		}
	}
	if draw.all || r.t.link && r.pairs.file == nil {
		var err error
		if r.e, err = r.compareNoted(ctx, r.pairs.memory); err == nil {
			r.lesson = draw.lesson(r.pairs.memory, r.e)
		}
		return err
	}
	if r.o.Model != nil {
		return nil // nothing to learn
	}
	pairs, err := draw.from(ctx, r.pairs)
	if err != nil {
		return err
	}
	e, err := r.compareNoted(ctx, pairs)
	r.lesson = &lesson{pairs, e, float64(r.pairs.count) / max(float64(len(pairs)), 1)}
	return err
}

// compareNoted compares pairs that an earlier run has not compared.
func (r *runner) compareNoted(ctx context.Context, pairs []pair) (*evidence, error) {
	section := byte(sectionCompared)
	if r.t.link && r.pairs.file != nil {
		section = sectionTaught // in memory, all would be compared
	}
	e := newEvidence(len(r.t.layout.columns), len(pairs))
	w := newComparers(r.o, r.t)
	for from := 0; from < len(pairs); from += pairsAtOnce {
		to := min(from+pairsAtOnce, len(pairs))
		part := e.part(from, to)
		saved, found, err := r.done.take(section)
		if err != nil {
			return nil, err
		}
		if found && len(saved) == 2*len(part.state) {
			copy(part.bits, saved[copy(part.state, saved):])
			continue
		}
		if err := w.compare(ctx, pairs[from:to], part); err != nil {
			return nil, err
		}
		if r.done != nil {
			if err := r.done.put(section, slices.Concat(part.state, part.bits)); err != nil {
				return nil, err
			}
		}
		r.o.report(Comparing, to, len(pairs))
	}
	return e, nil
}

// train takes the parameters of the model given, those that an earlier run noted, or new ones.
func (r *runner) train(ctx context.Context) error {
	if m := r.o.Model; m != nil {
		return r.use(ctx, m.p)
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
	if err := r.compareWithin(ctx); err != nil {
		return err
	}
	for i, said := range saved.Said {
		if r.p.Columns[i].Translated {
			r.t.layout.columns[i].said = said
			r.retell(i)
		}
	}
	return nil
}

// learn trains the parameters from the records. Where there are no two to compare, they teach
// nothing.
func (r *runner) learn(ctx context.Context) error {
	if r.t.comparablePairs() == 0 {
		return r.use(ctx, starterParameters(r.t.layout))
	}
	by, err := measureChance(ctx, r.o, r.t)
	if err != nil {
		return err
	}
	tr := newTrainer(r.t, r.lesson, by)
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
	last := newTrainer(r.t, r.lesson, by)
	last.p, last.sides, r.p = tr.p, tr.sides, tr.p
	return last.run(ctx, r.o, lastRounds)
}

// lastRounds is how often training goes on after the translations are known.
const lastRounds = 8

// use takes parameters as they are.
func (r *runner) use(ctx context.Context, p *parameters) error {
	r.p = p
	if !r.t.link {
		return nil
	}
	var err error
	r.sides, err = r.cardinality(ctx)
	return err
}

// compareWithin compares the pairs within sources where they are in memory.
func (r *runner) compareWithin(ctx context.Context) (err error) {
	if r.t.link && r.within.file == nil {
		r.ewithin, err = compareAll(ctx, r.o, r.t, r.within.memory)
	}
	return err
}

// cardinality looks for duplicates within the sources.
func (r *runner) cardinality(ctx context.Context) (cardinality, error) {
	if err := r.compareWithin(ctx); err != nil {
		return cardinality{}, err
	}
	if r.o.OneToOne {
		return cardinality{single: slices.Repeat([]bool{true}, len(r.t.names))}, nil
	}
	s := newScorer(r.t.layout, r.p)
	across, err := r.likely(ctx, s, r.pairs, r.e)
	if err != nil {
		return cardinality{}, err
	}
	twice, err := r.likely(ctx, s, r.within, r.ewithin)
	if err != nil {
		return cardinality{}, err
	}
	return newCardinality(r.t, across, twice), nil
}

// decide makes clusters or links of the pairs that are likely enough.
func (r *runner) decide(ctx context.Context) error {
	edges := r.forced.force(r.edges)
	r.result = r.newResult(edges)
	if r.t.link {
		for _, e := range links(r.t, edges, r.sides, r.allied) {
			r.result.Links = append(r.result.Links, e.pair())
		}
		return nil
	}
	ask := r.asker(newScorer(r.t.layout, r.p))
	var err error
	r.result.Clusters, err = clusters(ctx, r.t.rows(), edges, func(a, b uint32) float32 { return r.forced.apply(a, b, ask(a, b)) }, newApart(r.t, r.p).are)
	return err
}

// asker scores any two rows.
func (r *runner) asker(s *scorer) func(a, b uint32) float32 {
	c := newRowComparer(r.t)
	state, bits := make([]uint8, len(r.t.dicts)), make([]uint8, len(r.t.dicts))
	return func(a, b uint32) float32 {
		c.rows(a, b, state, bits)
		return s.score(state, bits)
	}
}
