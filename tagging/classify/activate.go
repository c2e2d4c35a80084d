package classify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/tagging"
)

// Activation tells what an activation did.
type Activation struct {
	Set     string
	Version uint64   // that was given; the present one when nothing changed
	Rules   []string // that are new or changed, and those that are gone
	Progress
}

// Check compiles a rule set together with the active ones, as Activate would, and
// changes nothing. The error is a *RuleError or a *CycleError.
func (e *Rules) Check(ctx context.Context, rs RuleSet) error {
	store, err := e.book(ctx)
	if err != nil {
		return err
	}
	_, err = store.Update(ctx, because("check"), func(tx *storage.Tx) error {
		if _, err := e.saveSet(tx, rs, nil); err != nil {
			return err
		}
		return errTaken
	})
	if errors.Is(err, errTaken) {
		return nil
	}
	return err
}

// errTaken ends a transaction that was only an attempt.
var errTaken = errors.New("classify: taken back")

// Activate checks a rule set, stores it as a new version, creates its dimensions and
// tags where they are missing, and evaluates exactly those whom it can affect: of the
// rules that are new, changed or gone, whom their Where matches, before or now, and who
// has their tags. When nothing but titles differs, nobody is evaluated; when nothing
// differs at all, there is no new version.
//
// It takes the right to administer tags: rules read everything, whatever by may see. Of by
// only the session and its access are used.
//
// The new version is in force when the evaluation begins. When that is interrupted, by
// ctx or by a crash, it goes on in the background.
func (e *Rules) Activate(ctx context.Context, by tagging.Job, rs RuleSet, progress func(Progress)) (Activation, error) {
	if _, err := e.book(ctx); err != nil {
		return Activation{}, err
	}
	return e.change(ctx, by, progress, func(tx *storage.Tx, j *job) (*storedSet, error) { return e.saveSet(tx, rs, j) })
}

// Deactivate takes a rule set out of force and takes the tags away that it gave. Its
// versions stay, and Activate brings it back.
func (e *Rules) Deactivate(ctx context.Context, by tagging.Job, name string, progress func(Progress)) (Activation, error) {
	if _, err := e.book(ctx); err != nil {
		return Activation{}, err
	}
	return e.change(ctx, by, progress, func(tx *storage.Tx, j *job) (*storedSet, error) {
		old, err := e.ruleSet.Get(&tx.Reader, name)
		if err != nil || old.Inactive {
			return old, err
		}
		next := *old
		next.Inactive = true
		return e.putSet(tx, &next, old, j)
	})
}

// change stores a changed rule set together with the job that follows from it, and runs
// that.
func (e *Rules) change(ctx context.Context, by tagging.Job, progress func(Progress), save func(*storage.Tx, *job) (*storedSet, error)) (Activation, error) {
	e.jobs.Lock()
	defer e.jobs.Unlock()
	j := &job{}
	var saved *storedSet
	_, err := e.store.Update(ctx, by.Session, func(tx *storage.Tx) (err error) {
		if err := e.permit(&by, tx); err != nil {
			return err
		}
		*j = job{Actor: by.Session.Actor, Reason: by.Session.Reason}
		saved, err = save(tx, j)
		return err
	})
	if err != nil {
		return Activation{}, err
	}
	done := Activation{Set: saved.Name, Version: saved.Version, Rules: j.rules}
	if j.ID != 0 {
		done.Progress, err = e.runJob(ctx, j, progress)
	}
	return done, err
}

// permit asks for the right to change rules.
func (e *Rules) permit(by *tagging.Job, tx *storage.Tx) error {
	access, err := by.Access.In(&tx.Reader)
	if err != nil {
		return err
	}
	return e.customers.ReaderWith(&tx.Reader, access).PermitAll(customer.RightAdminister, customer.Tags)
}

// saveSet stores a rule set in place of its former version.
func (e *Rules) saveSet(tx *storage.Tx, rs RuleSet, j *job) (*storedSet, error) {
	if err := rs.Validate(); err != nil {
		return nil, err
	}
	if e.classifier(rs.Name) != nil {
		return nil, &RuleError{Set: rs.Name, Field: "name", Problem: "is the name of a classifier", Err: ErrInvalid}
	}
	old, err := e.ruleSet.Get(&tx.Reader, rs.Name)
	if errors.Is(err, storage.ErrNotFound) {
		old, err = &storedSet{}, nil
	}
	if err != nil {
		return nil, err
	}
	if old.Classifier {
		return nil, &RuleError{Set: rs.Name, Field: "name", Problem: "is the name of a classifier", Err: ErrInvalid}
	}
	rs.Version = 0
	next := &storedSet{RuleSet: rs}
	if same(&next.RuleSet, &old.RuleSet) && !old.Inactive {
		return old, nil
	}
	if err := e.define(tx, rs.Dimensions); err != nil {
		return nil, at(RuleError{Set: rs.Name}, "dimensions", err)
	}
	return e.putSet(tx, next, old, j)
}

func same(a, b *RuleSet) bool {
	x, y := *a, *b
	x.Version, y.Version = 0, 0
	left, _ := json.Marshal(x) // strings and JSON values: can't fail
	right, _ := json.Marshal(y)
	return string(left) == string(right)
}

// putSet stores a version. It compiles all rules, which tells whether they are in order.
func (e *Rules) putSet(tx *storage.Tx, next, old *storedSet, j *job) (*storedSet, error) {
	next.Version = old.Version + 1
	next.Since = map[string]uint64{}
	for _, rule := range next.Rules {
		next.Since[rule.Name] = next.Version
	}
	sets, err := e.activeSets(&tx.Reader)
	if err != nil {
		return nil, err
	}
	p, err := e.newPlan(&tx.Reader, exchange(sets, next))
	if err != nil {
		return nil, err
	}
	if set := p.set(next.Name); set != nil {
		next.keepSince(set, old)
		if err := retiredTags(set); err != nil {
			return nil, err
		}
	}
	if err := e.newEdition(tx); err != nil {
		return nil, err
	}
	stored := *next
	stored.Version = 0
	if err := e.ruleSet.Put(tx, next.Name, &stored, 0); err != nil {
		return nil, err
	}
	return next, e.follow(tx, next, old, j)
}

// exchange returns the active sets with one in place of its former version.
func exchange(sets []*storedSet, next *storedSet) []*storedSet {
	sets = slices.DeleteFunc(sets, func(s *storedSet) bool { return s.Name == next.Name })
	if next.Inactive {
		return sets
	}
	i, _ := slices.BinarySearchFunc(sets, next.Name, func(s *storedSet, name string) int {
		switch {
		case s.Name < name:
			return -1
		case s.Name > name:
			return 1
		}
		return 0
	})
	return slices.Insert(sets, i, next)
}

// keepSince gives the rules that are as they were their former version.
func (s *storedSet) keepSince(set *setPlan, old *storedSet) {
	if old.Inactive {
		return
	}
	for i, rule := range s.Rules {
		was := slices.IndexFunc(old.Rules, func(r Rule) bool { return r.Name == rule.Name })
		if was < 0 {
			continue
		}
		params := set.rules[i].params
		if s.form(i, params) == old.form(was, params) {
			s.Since[rule.Name] = old.Since[rule.Name]
		}
	}
}

func retiredTags(set *setPlan) error {
	for _, rule := range set.rules {
		if d := rule.dimensions; rule.tag != 0 && d[0].retired[rule.tag] {
			return &RuleError{Set: set.stored.Name, Rule: rule.Name, Field: "tag", Problem: fmt.Sprintf("%s:%s is retired", rule.Dimension, rule.Tag), Remedy: "use another tag", Err: ErrInvalid}
		}
	}
	return nil
}

// follow stores the job that follows from a new version, if any does.
func (e *Rules) follow(tx *storage.Tx, next, old *storedSet, j *job) error {
	if j == nil {
		return nil
	}
	before, after := old.Since, next.Since
	if old.Inactive {
		before = nil
	}
	if next.Inactive {
		after = nil
	}
	for name := range changedKeys(before, after) {
		j.rules = append(j.rules, name)
	}
	slices.Sort(j.rules)
	if len(j.rules) == 0 && !next.Classifier {
		return nil
	}
	j.Kind, j.Set, j.From, j.To = jobActivate, next.Name, old.Version, next.Version
	return e.addJob(tx, j)
}

// changedKeys yields the keys with which two maps differ.
func changedKeys(a, b map[string]uint64) iter.Seq[string] {
	return func(yield func(string) bool) {
		for k, v := range a {
			if b[k] != v && !yield(k) {
				return
			}
		}
		for k := range b {
			if _, both := a[k]; !both && !yield(k) {
				return
			}
		}
	}
}

// define creates dimensions and tags that are missing.
func (e *Rules) define(tx *storage.Tx, specs []DimensionSpec) error {
	tags := e.tags.Tx(tx, e.customers.Tx(tx))
	for _, spec := range specs {
		if err := defineDimension(tags, spec); err != nil {
			return err
		}
	}
	return nil
}

func defineDimension(tags *tagging.Tx, spec DimensionSpec) error {
	d, err := tags.Dimension(spec.Code)
	if errors.Is(err, tagging.ErrUnknownDimension) {
		d, err = tags.CreateDimension(tagging.Dimension{
			Code: spec.Code, Names: spec.Names, Description: spec.Description, Colour: spec.Colour,
			Exclusive: spec.Exclusive, Ordered: spec.Ordered, Tree: spec.Tree, Required: spec.Required,
			RuleWins: spec.RuleWins, ValidDays: spec.ValidDays,
		})
	}
	if err != nil {
		return err
	}
	for _, t := range spec.Tags {
		if _, err := tags.Tag(d.Code, t.Code); !errors.Is(err, tagging.ErrUnknownTag) {
			if err != nil {
				return err
			}
			continue
		}
		if err := defineTag(tags, d, t); err != nil {
			return err
		}
	}
	return nil
}

func defineTag(tags *tagging.Tx, d *tagging.Dimension, spec TagSpec) error {
	made := tagging.Tag{
		Dimension: d.ID, Code: spec.Code, Rank: spec.Rank, Names: spec.Names, Aliases: spec.Aliases,
		Description: spec.Description, Colour: spec.Colour,
	}
	if spec.Parent != "" {
		parent, err := tags.Tag(d.Code, spec.Parent)
		if err != nil {
			return err
		}
		made.Parent = parent.ID
	}
	_, err := tags.CreateTag(made)
	return err
}

// installClassifiers stores which classifiers there are, in which version. A new
// version is evaluated for everybody, in the background.
func (e *Rules) installClassifiers(ctx context.Context) error {
	for _, c := range e.classifiers {
		_, err := e.store.Update(ctx, because("classifier "+c.Name()), func(tx *storage.Tx) error { return e.installClassifier(tx, c) })
		if err != nil {
			return err
		}
	}
	return nil
}

func (e *Rules) installClassifier(tx *storage.Tx, c Classifier) error {
	old, err := e.ruleSet.Get(&tx.Reader, c.Name())
	if errors.Is(err, storage.ErrNotFound) {
		old, err = &storedSet{Classifier: true}, nil
	}
	if err != nil {
		return err
	}
	if !old.Classifier {
		return &RuleError{Set: c.Name(), Field: "name", Problem: "a rule set has the classifier's name", Err: ErrInvalid}
	}
	if old.Since[c.Name()] == c.Version() && !old.Inactive {
		return nil
	}
	if err := e.define(tx, c.Dimensions()); err != nil {
		return at(RuleError{Set: c.Name()}, "dimensions", err)
	}
	next := &storedSet{RuleSet: RuleSet{Name: c.Name(), Dimensions: c.Dimensions()}, Classifier: true}
	next.Version, next.Since = old.Version+1, map[string]uint64{c.Name(): c.Version()}
	sets, err := e.activeSets(&tx.Reader)
	if err != nil {
		return err
	}
	_, err = e.newPlan(&tx.Reader, exchange(sets, next))
	if errors.Is(err, ErrCycle) { // what else is wrong with it, RuleSets reports
		return err
	}
	if err := e.newEdition(tx); err != nil {
		return err
	}
	if err := e.ruleSet.Put(tx, c.Name(), next, 0); err != nil {
		return err
	}
	return e.follow(tx, next, old, &job{Actor: Actor})
}
