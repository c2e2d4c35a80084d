package stocktake

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/bitset"
	"github.com/clientele-go/clientele/storage/kv"
)

// Ask says what to count.
type Ask struct {
	// Name is a saved definition's. Empty takes Definition, which need not be saved.
	Name       string
	Definition Definition
	// Opening and Closing bound the period. An instant is given by its time, or exactly by
	// its position, as in the Result of an earlier count. The state at a time has all that
	// was recorded up to it: for the year 2025 ask from 2025-01-01 to 2026-01-01, both
	// 00:00. No Opening is the book's beginning, no Closing is now.
	Opening, Closing Instant
	// Compare has the counted compared with another system's list.
	Compare *List
}

// List is another system's list of customers.
type List struct {
	Name string
	Rows iter.Seq2[customer.Draft, error]
}

const opCount = "count"

// maxTrend bounds the months of a trend: those before are in the opening.
const maxTrend = 120

// Count counts without storing anything: what the session sees, as of one state. It reads
// the sets of the present and the journal since the opening, and from history the
// customers that changed since: some 15 µs each on one core, and some milliseconds for each
// 65,536 customers and dimension. Memory is some three bits for each customer and month, 24
// bytes for each change since the opening, and some 200 for each customer that changed.
func (s Session) Count(ctx context.Context, ask Ask) (*Result, error) {
	c, err := s.count(ctx, ask)
	if err != nil {
		return nil, err
	}
	return c.result, s.view(ctx, func(r *Reader) error { return r.nameSamples(c.result) })
}

// count is a count being made.
type count struct {
	session Session
	ctx     context.Context
	ask     Ask
	def     *Definition
	reader  *Reader
	all     *customer.Reader // the same state, everybody
	beside  Beside
	now     time.Time
	zone    *time.Location // of the definition

	universe *bitset.Set // whom the session sees well enough, nil for everybody
	journal  *journal
	past     *past
	counted  []*bitset.Set          // by boundary
	terms    map[string]*bitset.Set // what can be drilled into
	axes     []*axis
	missing  map[string]*bitset.Set // who has no value on an axis at the closing
	classes  *classing              // nil when activity isn't asked for
	traders  *bitset.Set            // who had an event or a document up to the closing; nil when activity isn't asked for
	result   *Result
}

func (s Session) count(ctx context.Context, ask Ask) (*count, error) {
	if s.Settle != nil {
		if err := s.Settle(ctx); err != nil {
			return nil, err
		}
	}
	c := &count{session: s, ctx: ctx, ask: ask, terms: map[string]*bitset.Set{}}
	return c, s.view(ctx, func(r *Reader) error {
		c.reader, c.all = r, customer.Unscoped(r.customers)
		c.beside = s.Stocktakes.beside(r.storage, c.all)
		end, err := r.storage.Position()
		if err == nil {
			err = s.Storage.WaitDurable(ctx, end)
		}
		if err != nil {
			return err
		}
		return c.run()
	})
}

// run makes the result, part by part.
func (c *count) run() error {
	for _, step := range []func() error{
		c.define, c.readJournal, c.restrict, c.countPresent, c.countPast, c.reconcile,
		c.classify, c.divide, c.sumAging, c.check, c.compare,
	} {
		if err := c.ctx.Err(); err != nil {
			return err
		}
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// define finds and checks the definition.
func (c *count) define() error {
	c.def = &c.ask.Definition
	if c.ask.Name != "" {
		d, err := c.reader.Definition(c.ask.Name)
		if err != nil {
			return err
		}
		c.def = d
	}
	if c.def.Retired {
		return invalid(opCount, "Definition", c.def.Name, "it is retired; save it again without Retired")
	}
	if err := c.def.check(opCount); err != nil {
		return err
	}
	var err error
	if c.zone, err = c.def.location(opCount); err != nil {
		return err
	}
	if err := c.fitting().check(c.def); err != nil {
		return err
	}
	if c.def.Expanded == "" && c.def.Filter != "" {
		expanded, err := c.fitting().expand(c.def.Filter)
		if err != nil {
			return err
		}
		d := *c.def
		d.Expanded, c.def = expanded, &d
	}
	return nil
}

func (c *count) fitting() *fitting {
	return &fitting{opCount, c.all, c.beside, c.session.Storage.Now()}
}

// readJournal finds the boundaries and what changed between them.
func (c *count) readJournal() error {
	end, err := c.reader.storage.Position()
	if err != nil {
		return err
	}
	c.now = c.session.Storage.Now()
	bounds, err := c.boundaries(end)
	if err != nil {
		return err
	}
	x := &reading{store: c.session.Storage}
	if c.usesTags() {
		x.tags = c.beside.Tags.Table()
	}
	if c.usesReceivables() {
		x.follow = c.beside.Receivables.Follow
	}
	if slices.Contains(c.def.Checks, checkStale) {
		x.recentFrom = bounds[len(bounds)-1].time.In(c.zone).AddDate(0, -c.def.staleMonths(), 0)
	}
	c.journal, err = x.read(c.ctx, bounds, end)
	if err != nil {
		return err
	}
	c.result = &Result{
		Format: ResultFormat, Book: c.session.Storage.Book(), Scoped: !c.reader.seesAll(),
		Definition: Frozen{Name: c.def.Name, Version: c.def.Version, Title: c.def.Title, Zone: c.def.Zone, Rule: c.def.rule(), Figures: c.def.figures()},
		Opening:    c.journal.instant(0), Closing: c.journal.instant(len(bounds) - 1),
	}
	return nil
}

func (j *journal) instant(b int) Instant {
	return Instant{Time: j.bounds[b].time.UTC(), Position: uint64(j.bounds[b].position)}
}

// instantAt is a boundary in the definition's zone.
func (c *count) instantAt(b int) Instant {
	at := c.journal.instant(b)
	at.Time = at.Time.In(c.zone)
	return at
}

// usesTags reports whether changed tags can change the count.
func (c *count) usesTags() bool {
	if c.beside.Tags == nil {
		return false
	}
	return c.def.Expanded != "" || slices.ContainsFunc(c.def.Dimensions, isTagAxis)
}

// usesReceivables reports whether receivables can change the count.
func (c *count) usesReceivables() bool {
	return c.beside.Receivables != nil && (c.def.asksReceivables() || c.def.Bought != nil || c.asksActivity())
}

// boundaries are the opening, the beginnings of months in the period, and the closing.
func (c *count) boundaries(end kv.Position) ([]boundary, error) {
	opening, err := c.bound("Opening", c.ask.Opening, end)
	if err != nil {
		return nil, err
	}
	closing := boundary{time: c.now, position: end}
	if c.ask.Closing != (Instant{}) {
		if closing, err = c.bound("Closing", c.ask.Closing, end); err != nil {
			return nil, err
		}
	}
	first := opening.time
	if first.IsZero() {
		if first, err = c.entryTime(1); err != nil {
			return nil, err
		}
		opening.time = c.monthOf(first.Add(-1)) // before the first, also at a month's first instant
	}
	exact, ascends := opening.position != 0 && closing.position != 0, opening.time.Before(closing.time)
	if exact && opening.position > closing.position || !ascends && !(exact && opening.position < closing.position) {
		return nil, invalid(opCount, "Opening", opening.time.Format(time.RFC3339), "use an instant before the closing, "+closing.time.Format(time.RFC3339))
	}
	if closing.time.After(c.now) {
		return nil, invalid(opCount, "Closing", closing.time.Format(time.RFC3339), "it is only "+c.now.Format(time.RFC3339))
	}
	bounds := []boundary{opening}
	for m := c.monthAfter(opening.time); m.Before(closing.time); m = c.monthAfter(m) {
		if m.After(closing.time.AddDate(0, -maxTrend, 0)) {
			bounds = append(bounds, boundary{time: m})
		}
	}
	return append(bounds, closing), nil
}

// bound is an instant as asked for.
func (c *count) bound(field string, at Instant, end kv.Position) (boundary, error) {
	b := boundary{time: at.Time.UTC(), position: kv.Position(at.Position)}
	if b.position > end {
		return b, invalid(opCount, field+".Position", fmt.Sprint(at.Position), fmt.Sprintf("the journal has %d entries", end))
	}
	if b.position != 0 && at.Time.IsZero() {
		var err error
		b.time, err = c.entryTime(b.position)
		return b, err
	}
	return b, nil
}

// entryTime is when a journal entry was recorded, now for one that is not durable yet.
func (c *count) entryTime(p kv.Position) (time.Time, error) {
	for entry, err := range c.session.Storage.Times(c.ctx, p-1) {
		return entry.Time, err
	}
	return c.now, nil
}

// restrict finds whom the session sees with all fields by which the definition selects.
func (c *count) restrict() error {
	access := c.reader.customers.Access()
	if access == nil {
		return nil
	}
	sources := []bitset.Source{access.Within()}
	if c.def.Expanded != "" {
		_, fields, err := c.beside.Tags.Expand(c.def.Expanded)
		if err != nil {
			return err
		}
		for _, field := range fields {
			sources = append(sources, access.WithinUnmasked(field))
		}
	}
	if c.def.Balance != AnyBalance {
		sources = append(sources, access.WithinUnmasked("item"))
	}
	for _, in := range sources {
		if in == nil {
			continue
		}
		if c.universe == nil {
			all, err := setOf(in)
			if err != nil {
				return err
			}
			c.universe = all
			continue
		}
		if err := c.universe.Keep(in); err != nil {
			return err
		}
	}
	return nil
}

// setOf lists a source.
func setOf(in bitset.Source) (*bitset.Set, error) {
	end, err := in.End()
	if err != nil {
		return nil, err
	}
	all := &bitset.Set{}
	var chunk bitset.Chunk
	for n := range end {
		if err := in.Read(n, &chunk); err != nil {
			return nil, err
		}
		if !chunk.Empty() {
			*all.Own(n) = chunk
		}
	}
	return all, nil
}

// marked returns the customers that have one of some values of a field with sets.
func (c *count) marked(field string, values ...string) (*bitset.Set, error) {
	f, err := c.all.Field(field)
	if err != nil {
		return nil, err
	}
	all := &bitset.Set{}
	for _, value := range values {
		keys, err := f.Is(value)
		if err != nil {
			return nil, err
		}
		if err := c.addMarks(all, keys.Exact...); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (c *count) addMarks(to *bitset.Set, keys ...storage.Key) error {
	for _, key := range keys {
		err := c.all.Marks().Chunks(c.reader.storage, key, 0, 1<<32-1, func(chunk uint64, stored []byte) error {
			return to.Own(chunk).OrStored(stored)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func textsOf[T fmt.Stringer](list []T) []string {
	texts := make([]string, len(list))
	for i, x := range list {
		texts[i] = x.String()
	}
	return texts
}

// countPresent finds who meets, by the sets of the present, all of the definition that
// depends on the record and its tags alone, and puts them where no change moved them.
func (c *count) countPresent() error {
	base, err := c.marked("status", textsOf(c.def.statuses())...)
	if err != nil {
		return err
	}
	narrow := func(set *bitset.Set, err error) error {
		if err == nil {
			base.And(set)
		}
		return err
	}
	if len(c.def.Kinds) > 0 {
		err = errors.Join(err, narrow(c.marked("kind", textsOf(c.def.Kinds)...)))
	}
	if len(c.def.Parties) > 0 {
		err = errors.Join(err, narrow(c.marked("party", textsOf(c.def.Parties)...)))
	}
	if c.def.Expanded != "" {
		err = errors.Join(err, narrow(c.beside.Tags.Set(c.def.Expanded)))
	}
	if err != nil {
		return err
	}
	if c.universe != nil {
		base.And(c.universe)
	}
	if c.past, err = c.newPast(); err != nil {
		return err
	}
	base.AndNot(c.past.touched)
	bounds := len(c.journal.bounds)
	c.counted = make([]*bitset.Set, bounds)
	for b := bounds - 1; b >= 0; b-- {
		base.AndNot(c.journal.created[b+1])
		c.counted[b] = base.Clone()
		if at := c.past.extra[b]; at.set != nil {
			c.counted[b].And(at.set)
		}
		if at := c.past.extra[b]; at.owned != nil {
			c.counted[b].And(at.owned)
		}
	}
	return nil
}
