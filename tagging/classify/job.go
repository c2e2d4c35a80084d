package classify

import (
	"context"
	"errors"
	"slices"

	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/bitset"
	"github.com/clientele-go/clientele/storage/kv"
	"github.com/clientele-go/clientele/tagging"
)

// job is a pass that a change of the rules asks for. It is stored together with that
// change, so it is finished even if the program ends meanwhile.
type job struct {
	ID     uint64 `json:"id"`
	Kind   string `json:"kind"`
	Set    string `json:"set,omitempty"`
	Rule   string `json:"rule,omitempty"`
	From   uint64 `json:"from,omitempty"` // versions of the set, 0 for none
	To     uint64 `json:"to,omitempty"`
	Actor  string `json:"actor,omitempty"` // who asked for it
	Reason string `json:"reason,omitempty"`

	Segments bool `json:"segments,omitempty"` // what was redefined
	Tags     bool `json:"tags,omitempty"`
	Schema   bool `json:"schema,omitempty"`

	Done Progress `json:"done"`

	rules []string // that differ, for the report
}

const (
	jobActivate    = "activate"
	jobRelease     = "release"
	jobDefinitions = "definitions"
)

// addJob stores a job after those that there are.
func (e *Rules) addJob(tx *storage.Tx, j *job) error {
	j.ID = 1
	for last, err := range e.job.Records(&tx.Reader, kv.Range{}, true) {
		if err != nil {
			return err
		}
		j.ID = last.ID + 1
		break
	}
	return e.job.Insert(tx, j.ID, j, 0)
}

// Resume finishes what was begun and interrupted: the evaluation after an activation,
// for instance. The book does it by itself in the background.
func (e *Rules) Resume(ctx context.Context) error {
	if _, err := e.book(ctx); err != nil {
		return err
	}
	e.jobs.Lock()
	defer e.jobs.Unlock()
	for {
		j, err := e.firstJob(ctx)
		if err != nil || j == nil {
			return err
		}
		if _, err := e.runJob(ctx, j, nil); err != nil {
			return err
		}
	}
}

func (e *Rules) firstJob(ctx context.Context) (found *job, err error) {
	err = e.store.View(ctx, func(r *storage.Reader) error {
		for j, err := range e.job.Records(r, kv.Range{}, false) {
			found = j
			return err
		}
		return nil
	})
	return found, err
}

// runJob runs a job to its end and removes it.
func (e *Rules) runJob(ctx context.Context, j *job, progress func(Progress)) (Progress, error) {
	before := j.Done
	w := passing{after: before.After, reason: j.Kind + " " + j.Set}
	if err := e.prepareJob(ctx, j, &w); err != nil {
		return before, err
	}
	sum := func(p Progress) Progress {
		return Progress{
			Total: before.Done + p.Total, Done: before.Done + p.Done, Evaluated: before.Evaluated + p.Evaluated,
			Changed: before.Changed + p.Changed, Failed: before.Failed + p.Failed, After: p.After,
		}
	}
	w.keep = func(p Progress) error {
		if j.Done = sum(p); progress != nil {
			progress(j.Done)
		}
		_, err := e.store.Update(ctx, because(w.reason), func(tx *storage.Tx) error { return e.job.Put(tx, j.ID, j, 0) })
		return err
	}
	done, err := e.pass(ctx, w)
	if err != nil {
		return sum(done), err
	}
	_, err = e.store.Update(ctx, because(w.reason), func(tx *storage.Tx) error { return e.job.Delete(tx, j.ID, 0) })
	return sum(done), err
}

// prepareJob says whom a job concerns and which stages it evaluates.
func (e *Rules) prepareJob(ctx context.Context, j *job, w *passing) error {
	switch j.Kind {
	case jobRelease:
		w.stages = func(_ *plan, s *stage) bool {
			return slices.ContainsFunc(s.rules, func(r *rulePlan) bool { return r.set.stored.Name == j.Set && r.Name == j.Rule })
		}
		return nil
	case jobDefinitions:
		w.stages = func(_ *plan, s *stage) bool {
			return slices.ContainsFunc(s.rules, j.redefines)
		}
		return nil
	}
	return e.store.View(ctx, func(r *storage.Reader) error { return e.prepareActivation(r, j, w) })
}

// redefines reports whether a changed definition concerns a rule. A classifier could not
// be evaluated as long as the schema lacked an attribute that it reads.
func (j *job) redefines(r *rulePlan) bool {
	return j.Segments && len(r.segments) > 0 || j.Tags && r.filter != nil && len(r.readsTags) > 0 ||
		j.Schema && r.classifier != nil && r.reads&(1<<sourceAttribute) != 0
}

// prepareActivation finds the rules that differ between two versions: only their
// stages are evaluated, for those whom the old or the new rule concerns and for those
// who have its tags.
func (e *Rules) prepareActivation(r *storage.Reader, j *job, w *passing) error {
	older, err := e.version(r, j.Set, j.From)
	if err != nil {
		return err
	}
	newer, err := e.version(r, j.Set, j.To)
	if err != nil {
		return err
	}
	var changed []Rule
	for _, pair := range [][2]*storedSet{{newer, older}, {older, newer}} {
		for _, rule := range pair[0].Rules {
			if pair[1].Since[rule.Name] != pair[0].Since[rule.Name] {
				changed = append(changed, rule)
			}
		}
	}
	w.stages = func(p *plan, s *stage) bool {
		return slices.ContainsFunc(changed, func(rule Rule) bool { return slices.Contains(s.codes, rule.Dimension) }) ||
			newer.Classifier && s.hasSet([]string{j.Set})
	}
	w.all = true
	w.reason = reasonOf(j.Kind, j.Set, j.To)
	if newer.Inactive {
		w.drop = j.Set
	}
	if newer.Classifier {
		return nil // everybody
	}
	w.whom = func(tags *tagging.Reader) (*bitset.Set, error) { return concerned(tags, changed) }
	return nil
}

// version returns a version of a rule set; version 0 has no rules.
func (e *Rules) version(r *storage.Reader, name string, version uint64) (*storedSet, error) {
	if version == 0 {
		return &storedSet{}, nil
	}
	s, err := e.ruleSet.AtVersion(r, name, version)
	if err == nil && s.Inactive && !s.Classifier {
		s.Rules, s.Since = nil, nil
	}
	return s, err
}

// concerned returns whom some rules can affect.
func concerned(tags *tagging.Reader, rules []Rule) (*bitset.Set, error) {
	all := &bitset.Set{}
	for _, rule := range rules {
		for _, filter := range []string{rule.Where, holders(rule)} {
			found, err := tags.Set(tagging.Query{Filter: filter})
			if errors.Is(err, tagging.ErrNotFound) {
				continue // it names a tag or segment that is gone, so nobody has it
			}
			if err != nil {
				return nil, err
			}
			all.Or(found)
		}
	}
	return all, nil
}

// holders is a filter for those who have a tag that the rule gives.
func holders(rule Rule) string {
	if rule.Tag != "" {
		return rule.Dimension + ":" + rule.Tag
	}
	return "has:" + rule.Dimension
}
