package classify

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
	"github.com/clientele-go/clientele/tagging"
)

// Failure is the report of a rule that failed. The rule did not apply to the customers
// for whom it failed; once it failed for [Options].Failures of them it is in quarantine:
// it is not evaluated any more, and customers keep what it gave them, until Release or
// until a changed version of the rule is activated. Other rules are not concerned.
type Failure struct {
	Set         string      `json:"set"`
	Rule        string      `json:"rule"`
	Version     uint64      `json:"version"`  // of the rule
	Customer    customer.ID `json:"customer"` // for whom it failed last
	Error       string      `json:"error"`    // how it failed last; it may quote facts
	Count       int64       `json:"count"`    // failures of this version
	Since       time.Time   `json:"since"`    // the first
	Last        time.Time   `json:"last"`
	Quarantined bool        `json:"quarantined"`
}

func faultKey(set, rule string) string { return set + "/" + rule }

// maxFailureText bounds the text of an error in a report, in bytes.
const maxFailureText = 500

// record adds failures to the reports, and puts rules in quarantine.
func (e *Rules) record(tx *storage.Tx, failures []failure) error {
	byRule := map[*rulePlan][]failure{}
	for _, f := range failures {
		byRule[f.rule] = append(byRule[f.rule], f)
	}
	for rule, list := range byRule {
		if err := e.recordRule(tx, rule, list); err != nil {
			return err
		}
	}
	return nil
}

func (e *Rules) recordRule(tx *storage.Tx, rule *rulePlan, list []failure) error {
	key := faultKey(rule.set.stored.Name, rule.Name)
	report, err := e.fault.Get(&tx.Reader, key)
	if errors.Is(err, storage.ErrNotFound) || err == nil && report.Version != rule.version {
		report, err = &Failure{Set: rule.set.stored.Name, Rule: rule.Name, Version: rule.version, Since: tx.Now()}, nil
	}
	if err != nil {
		return err
	}
	last := list[len(list)-1]
	report.Customer, report.Last = last.customer, tx.Now()
	report.Error = strings.ToValidUTF8(last.err.Error()[:min(len(last.err.Error()), maxFailureText)], "")
	report.Count += int64(len(list))
	if e.failures > 0 && report.Count >= int64(e.failures) && !report.Quarantined {
		report.Quarantined = true
		if err := e.newEdition(tx); err != nil {
			return err
		}
	}
	return e.fault.Put(tx, key, report, 0)
}

// forgetFailures removes the texts that may quote an erased customer's facts.
func (e *Rules) forgetFailures(tx *storage.Tx, id customer.ID) error {
	list, err := e.faults(&tx.Reader)
	for _, f := range list {
		if f.Customer == id && f.Error != "" {
			f.Error = ""
			err = errors.Join(err, e.fault.Put(tx, faultKey(f.Set, f.Rule), &f, 0))
		}
	}
	return err
}

// Failures returns the reports of rules that failed, by set and rule.
func (e *Rules) Failures(ctx context.Context) (list []Failure, err error) {
	store, err := e.book(ctx)
	if err != nil {
		return nil, err
	}
	err = store.View(ctx, func(r *storage.Reader) error {
		list, err = e.faults(r)
		return err
	})
	return list, err
}

// Quarantined returns the reports of the rules that are in quarantine.
func (e *Rules) Quarantined(ctx context.Context) ([]Failure, error) {
	list, err := e.Failures(ctx)
	return slices.DeleteFunc(list, func(f Failure) bool { return !f.Quarantined }), err
}

func (e *Rules) faults(r *storage.Reader) (list []Failure, err error) {
	for f, err := range e.fault.Records(r, kv.Range{}, false) {
		if err != nil {
			return nil, err
		}
		list = append(list, *f)
	}
	return list, nil
}

// Release takes a rule out of quarantine, forgets its failures and evaluates it again
// for all whom it concerns. A rule that has not failed is ErrNotFound.
func (e *Rules) Release(ctx context.Context, by tagging.Job, set, rule string, progress func(Progress)) (Progress, error) {
	store, err := e.book(ctx)
	if err != nil {
		return Progress{}, err
	}
	e.jobs.Lock()
	defer e.jobs.Unlock()
	j := &job{Kind: jobRelease, Set: set, Rule: rule, Reason: by.Session.Reason, Actor: by.Session.Actor}
	_, err = store.Update(ctx, by.Session, func(tx *storage.Tx) error {
		if err := e.permit(&by, tx); err != nil {
			return err
		}
		if err := e.fault.Delete(tx, faultKey(set, rule), 0); err != nil {
			return err
		}
		if err := e.newEdition(tx); err != nil {
			return err
		}
		return e.addJob(tx, j)
	})
	if err != nil {
		return Progress{}, err
	}
	return e.runJob(ctx, j, progress)
}
