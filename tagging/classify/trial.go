package classify

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
	"github.com/clientele-go/clientele/tagging"
)

// Trial asks what a rule set would do.
type Trial struct {
	RuleSet RuleSet
	Filter  string // whom to look at; empty is everybody
	// Access is what the session may see: what is hidden from it counts as not known.
	Access customer.AccessAt
	// At is the past instant of a replay: records and tags as the book had them then,
	// and the clock. Zero is the present state.
	At time.Time
	// Progress is called now and then with the number of customers looked at.
	Progress func(done int64)
}

// Delta is what a rule set would change for one customer.
type Delta struct {
	Customer customer.ID
	Gained   []TagRef
	Lost     []TagRef
}

// Outcome sums deltas up.
type Outcome struct {
	Evaluated int64 // customers
	Changed   int64 // customers who would gain or lose a tag
	Failed    int64 // failures of rules
	Tags      []TagOutcome
}

// TagOutcome is how many customers would gain and lose a tag.
type TagOutcome struct {
	TagRef
	Gained, Lost int64
}

func (o TagOutcome) String() string {
	return fmt.Sprintf("%s: %d gained, %d lost", o.TagRef, o.Gained, o.Lost)
}

// DryRun tells how many customers would gain and lose which tags if the rule set were
// activated now. Nothing is written. Denials, manual tags and other rule sets count as
// they would; what other rules still have to do for customers that changed a moment ago is
// in it, too. It costs what Evaluate costs less the writing.
func (e *Rules) DryRun(ctx context.Context, t Trial) (Outcome, error) {
	t.At = time.Time{}
	return e.outcome(ctx, t)
}

// Replay is DryRun against the state at the past instant t.At: how customers' tags, as
// they were then, would have differed if the rule set had been in force alone beside
// the tags that they had from elsewhere. Facts that have no history are as their source
// says: see [Request].Past.
func (e *Rules) Replay(ctx context.Context, t Trial) (Outcome, error) {
	if t.At.IsZero() {
		return Outcome{}, &RuleError{Set: t.RuleSet.Name, Field: "at", Problem: "a replay needs a past instant", Remedy: "use DryRun for the present", Err: ErrInvalid}
	}
	return e.outcome(ctx, t)
}

func (e *Rules) outcome(ctx context.Context, t Trial) (Outcome, error) {
	run := trial{Rules: e, ask: t}
	byTag := map[TagRef]*TagOutcome{}
	count := func(refs []TagRef, field func(*TagOutcome) *int64) {
		for _, ref := range refs {
			if byTag[ref] == nil {
				byTag[ref] = &TagOutcome{TagRef: ref}
			}
			*field(byTag[ref])++
		}
	}
	for d, err := range run.deltas(ctx) {
		if err != nil {
			return run.outcome, err
		}
		run.outcome.Changed++
		count(d.Gained, func(o *TagOutcome) *int64 { return &o.Gained })
		count(d.Lost, func(o *TagOutcome) *int64 { return &o.Lost })
	}
	for _, o := range byTag {
		run.outcome.Tags = append(run.outcome.Tags, *o)
	}
	slices.SortFunc(run.outcome.Tags, func(a, b TagOutcome) int { return compareRefs(a.TagRef, b.TagRef) })
	return run.outcome, nil
}

// Deltas yields, in order of customers, whose tags a trial would change and how: those
// of a dry run, or with Trial.At of a replay.
func (e *Rules) Deltas(ctx context.Context, t Trial) iter.Seq2[Delta, error] {
	return (&trial{Rules: e, ask: t}).deltas(ctx)
}

// trial is a dry run or replay under way, or the verification of what there is.
type trial struct {
	*Rules
	ask     Trial
	now     time.Time
	outcome Outcome
	codes   map[tagging.TagID]string
	names   map[tagging.DimensionID]string
}

// trialPart is the number of customers that are evaluated in one state of the book.
const trialPart = 5000

func (t *trial) deltas(ctx context.Context) iter.Seq2[Delta, error] {
	return func(yield func(Delta, error) bool) {
		ids, err := t.begin(ctx)
		if err != nil {
			yield(Delta{}, err)
			return
		}
		for part := range slices.Chunk(ids, trialPart) {
			list, err := t.part(ctx, part)
			if err != nil {
				yield(Delta{}, err)
				return
			}
			for _, d := range list {
				if !yield(d, nil) {
					return
				}
			}
			if t.ask.Progress != nil {
				t.ask.Progress(t.outcome.Evaluated)
			}
		}
	}
}

// begin returns the customers to look at.
func (t *trial) begin(ctx context.Context) (ids []customer.ID, err error) {
	store, err := t.book(ctx)
	if err != nil {
		return nil, err
	}
	if err := t.ask.RuleSet.Validate(); err != nil {
		return nil, err
	}
	if t.now = t.ask.At; t.now.IsZero() {
		t.now = store.Now()
	}
	q := tagging.Query{Filter: t.ask.Filter}
	if !t.ask.At.IsZero() { // the filter is asked of records as they were
		q = tagging.Query{Statuses: customer.AllStatuses()}
	}
	err = store.View(ctx, func(r *storage.Reader) error {
		access, err := t.ask.Access.In(r)
		if err != nil {
			return err
		}
		customers := t.customers.ReaderWith(r, access)
		if err := customers.PermitAll(customer.RightAdminister, customer.Tags); err != nil {
			return err
		}
		found, err := t.tags.Reader(r, customers).Set(q)
		if err == nil {
			ids = idsOf(found)
		}
		return err
	})
	return ids, err
}

func idsOf(s *bitset.Set) []customer.ID {
	ids := make([]customer.ID, 0, s.Len())
	for n := range s.All() {
		ids = append(ids, customer.ID(n))
	}
	return ids
}

// part evaluates some customers in a transaction that is taken back: in it the rule
// set is stored and its missing tags exist.
func (t *trial) part(ctx context.Context, ids []customer.ID) (list []Delta, err error) {
	var evaluated, failed int64
	_, err = t.store.Update(ctx, because("trial"), func(tx *storage.Tx) error {
		list, evaluated, failed = nil, 0, 0
		v, filter, err := t.prepare(ctx, tx)
		if err != nil {
			return err
		}
		for _, id := range ids {
			d, done, err := t.one(v, filter, id)
			if err != nil {
				return err
			}
			if done {
				evaluated++
			}
			if len(d.Gained)+len(d.Lost) > 0 {
				list = append(list, d)
			}
		}
		failed = int64(len(v.failures))
		return errTaken
	})
	if !errors.Is(err, errTaken) {
		return nil, err
	}
	t.outcome.Evaluated += evaluated
	t.outcome.Failed += failed
	return list, nil
}

// prepare stores the rule set in a transaction and returns an evaluator of the rules
// that would be in force.
func (t *trial) prepare(ctx context.Context, tx *storage.Tx) (*evaluator, matcher, error) {
	if _, err := t.saveSet(tx, t.ask.RuleSet, nil); err != nil {
		return nil, nil, err
	}
	p, err := t.compilePlan(&tx.Reader)
	if err != nil {
		return nil, nil, err
	}
	access, err := t.ask.Access.In(&tx.Reader)
	if err != nil {
		return nil, nil, err
	}
	narrowed := t.customers.TxWith(tx, access)
	customers, tags := &narrowed.Reader, &t.tags.Tx(tx, narrowed).Reader
	t.codes = p.codes
	if t.names, err = dimensionCodes(tags); err != nil {
		return nil, nil, err
	}
	v := p.newEvaluator()
	past := !t.ask.At.IsZero()
	v.open(ctx, &tx.Reader, customers, tags, t.now, past)
	v.selectAll()
	if past {
		v.only = p.set(t.ask.RuleSet.Name)
	}
	b := &binding{schema: p.schema, customers: customers, tags: tags}
	filter, _, err := b.where(t.ask.Filter)
	if err != nil {
		return nil, nil, at(RuleError{Set: t.ask.RuleSet.Name}, "filter", err)
	}
	return v, filter, nil
}

func dimensionCodes(tags *tagging.Reader) (map[tagging.DimensionID]string, error) {
	list, err := tags.Dimensions()
	names := map[tagging.DimensionID]string{}
	for _, d := range list {
		names[d.ID] = d.Code
	}
	return names, err
}

// one evaluates a customer and compares the tags that it holds with those that it
// would hold.
func (t *trial) one(v *evaluator, filter matcher, id customer.ID) (d Delta, done bool, err error) {
	record, tagged, err := t.load(v, id)
	if err != nil || record == nil {
		return d, false, err
	}
	v.loading.reset(record, tagged)
	if filter != nil && !filter(&v.loading) {
		return d, false, nil
	}
	if err := v.evaluate(record, tagged); err != nil {
		return d, false, err
	}
	after := tagged
	if sets := v.changes(); len(sets) > 0 {
		if after, err = v.tags.Suppose(tagged, t.now, sets); err != nil {
			return d, true, err
		}
	}
	d.Customer = id
	d.Gained, d.Lost = t.missingFrom(after, tagged), t.missingFrom(tagged, after)
	return d, true, nil
}

// load returns a customer's record and tags, nil when it is not classified.
func (t *trial) load(v *evaluator, id customer.ID) (record *customer.Customer, tagged *tagging.Tagged, err error) {
	if t.ask.At.IsZero() {
		record, err = v.loading.customers.Exact(id)
	} else {
		record, err = v.loading.customers.At(id, t.ask.At)
	}
	if errors.Is(err, storage.ErrNotFound) || errors.Is(err, storage.ErrErased) {
		return nil, nil, nil
	}
	if err != nil || record.Status > customer.Suspended {
		return nil, nil, err
	}
	if t.ask.At.IsZero() {
		tagged, err = v.tags.Of(id)
	} else {
		tagged, err = v.tags.At(id, t.ask.At)
	}
	return record, tagged, err
}

// missingFrom returns the tags held in a and not in b.
func (t *trial) missingFrom(a, b *tagging.Tagged) (refs []TagRef) {
	for _, tag := range a.Tags() {
		if !b.Has(tag) {
			refs = append(refs, TagRef{t.names[dimensionOf(a, tag)], t.codes[tag]})
		}
	}
	slices.SortFunc(refs, compareRefs)
	return refs
}

func dimensionOf(t *tagging.Tagged, tag tagging.TagID) tagging.DimensionID {
	for i := range t.Assignments {
		if t.Assignments[i].Tag == tag {
			return t.Assignments[i].Dimension
		}
	}
	return 0
}

// read evaluates everybody with the rules in force and calls f after each.
func (t *trial) read(ctx context.Context, r *storage.Reader, f func(v *evaluator, id customer.ID) error) error {
	customers := t.customers.Reader(r)
	tags := t.tags.Reader(r, customers)
	p, err := t.Rules.plan(r, tags)
	if err != nil || len(p.sets) == 0 {
		return err
	}
	v := p.newEvaluator()
	v.open(ctx, r, customers, tags, t.now, false)
	v.selectAll()
	for id, err := range tags.IDs(tagging.Query{}, 0) {
		if err != nil {
			return err
		}
		record, tagged, err := t.load(v, id)
		if err != nil {
			return err
		}
		if record == nil {
			continue
		}
		if err := v.evaluate(record, tagged); err != nil {
			return err
		}
		if err := f(v, id); err != nil {
			return err
		}
	}
	return nil
}
