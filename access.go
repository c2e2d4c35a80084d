package clientele

import (
	"context"
	"iter"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/orgtree"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/bitset"
	"github.com/clientele-go/clientele/tagging"
	"github.com/clientele-go/clientele/tagging/classify"
)

// filters are the scopes' filters in the language of package tagging/filter.
type filters struct{ tags *tagging.Store }

// Check implements [orgtree.Filters].
func (f filters) Check(r *storage.Reader, customers *customer.Reader, filter string) error {
	_, err := f.tags.Reader(r, customer.Unscoped(customers)).Plan(tagging.Query{Filter: filter})
	return err
}

// Find implements [orgtree.Filters]: customers of every status, as for other scopes.
func (f filters) Find(r *storage.Reader, customers *customer.Reader, filter string) (bitset.Source, error) {
	return f.tags.Reader(r, customer.Unscoped(customers)).Set(tagging.Query{Filter: filter, Statuses: customer.AllStatuses()})
}

// Holds implements [orgtree.Filters].
func (f filters) Holds(r *storage.Reader, customers *customer.Reader, filter string, id customer.ID) (bool, error) {
	return f.tags.Reader(r, customer.Unscoped(customers)).Contains(tagging.Query{Filter: filter, Statuses: customer.AllStatuses()}, id)
}

// ExplainAccess says why an actor may do something with a kind of data of a customer, or
// what is lacking; see [orgtree.Reader.Explain].
func (s *Session) ExplainAccess(ctx context.Context, actor string, right customer.Right, data customer.Data, id customer.ID) (x *orgtree.Explanation, err error) {
	err = s.View(ctx, func(tx *ReadTx) error {
		x, err = tx.Org.Explain(actor, right, data, id)
		return err
	})
	return x, err
}

// RuleSession is a session's access to the rules that classify customers. Rules
// themselves read everything, so changing them and trying them out takes the right to
// administer tags; what they say of customers is told of those that the session sees.
type RuleSession struct{ session *Session }

// Rules returns the session's access to the rules.
func (s *Session) Rules() RuleSession { return RuleSession{s} }

// Activate is [classify.Rules.Activate].
func (x RuleSession) Activate(ctx context.Context, set classify.RuleSet, progress func(classify.Progress)) (classify.Activation, error) {
	return x.session.book.rules.Activate(ctx, x.session.Job(), set, progress)
}

// Deactivate is [classify.Rules.Deactivate].
func (x RuleSession) Deactivate(ctx context.Context, set string, progress func(classify.Progress)) (classify.Activation, error) {
	return x.session.book.rules.Deactivate(ctx, x.session.Job(), set, progress)
}

// Release is [classify.Rules.Release].
func (x RuleSession) Release(ctx context.Context, set, rule string, progress func(classify.Progress)) (classify.Progress, error) {
	return x.session.book.rules.Release(ctx, x.session.Job(), set, rule, progress)
}

// Evaluate is [classify.Rules.Evaluate] of the customers that the session may tag.
func (x RuleSession) Evaluate(ctx context.Context, b classify.Bulk) (classify.Progress, error) {
	b.Access = x.session.access
	return x.session.book.rules.Evaluate(ctx, b)
}

// DryRun is [classify.Rules.DryRun] of the customers that the session sees.
func (x RuleSession) DryRun(ctx context.Context, t classify.Trial) (classify.Outcome, error) {
	t.Access = x.session.access
	return x.session.book.rules.DryRun(ctx, t)
}

// Replay is [classify.Rules.Replay] of the customers that the session sees.
func (x RuleSession) Replay(ctx context.Context, t classify.Trial) (classify.Outcome, error) {
	t.Access = x.session.access
	return x.session.book.rules.Replay(ctx, t)
}

// Deltas is [classify.Rules.Deltas] of the customers that the session sees.
func (x RuleSession) Deltas(ctx context.Context, t classify.Trial) iter.Seq2[classify.Delta, error] {
	t.Access = x.session.access
	return x.session.book.rules.Deltas(ctx, t)
}

// Explain is [classify.Rules.Explain] of a customer that the session sees.
func (x RuleSession) Explain(ctx context.Context, id customer.ID, tag classify.TagRef) (classify.Explanation, error) {
	return x.session.book.rules.Explain(ctx, id, tag, x.session.access)
}

// RuleSets is [classify.Rules.RuleSets].
func (x RuleSession) RuleSets(ctx context.Context) ([]classify.ActiveSet, error) {
	return x.session.book.rules.RuleSets(ctx)
}

// Statistics is [classify.Rules.Statistics], which count everybody: it takes the right to
// administer tags.
func (x RuleSession) Statistics(ctx context.Context) ([]classify.Statistics, error) {
	if err := x.mayAdminister(ctx); err != nil {
		return nil, err
	}
	return x.session.book.rules.Statistics(ctx)
}

// Failures is [classify.Rules.Failures], which quote facts of everybody: it takes the right
// to administer tags, and of a customer that the session doesn't see, or not in full, it
// tells neither the id nor the facts.
func (x RuleSession) Failures(ctx context.Context) ([]classify.Failure, error) {
	if err := x.mayAdminister(ctx); err != nil {
		return nil, err
	}
	list, err := x.session.book.rules.Failures(ctx)
	if err != nil {
		return nil, err
	}
	return list, x.session.View(ctx, func(tx *ReadTx) error {
		for i := range list {
			whole, err := seesWhole(tx.Customers, list[i].Customer)
			if err != nil {
				return err
			}
			if !whole {
				list[i].Customer, list[i].Error = 0, ""
			}
		}
		return nil
	})
}

func (x RuleSession) mayAdminister(ctx context.Context) error {
	return x.session.View(ctx, func(tx *ReadTx) error {
		return tx.Customers.PermitAll(customer.RightAdminister, customer.Tags)
	})
}

// seesWhole reports whether nothing of a customer is hidden.
func seesWhole(r *customer.Reader, id customer.ID) (bool, error) {
	access := r.Access()
	if access == nil {
		return true, nil
	}
	if visible, err := r.Visible(id); err != nil || !visible {
		return false, err
	}
	c, err := customer.Unscoped(r).Exact(id)
	if err != nil {
		return false, err
	}
	mask, err := access.Mask(c)
	return mask.Empty(), err
}
