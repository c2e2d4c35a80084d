package clientele

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/credit/score"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/orgtree"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/tagging/classify"
	"github.com/clientele-go/clientele/tagging/packs"
)

// describeCredit makes the store of receivables, with what credit control asks of the
// organisation, and lets rules read receivables as facts.
func (b *Book) describeCredit(opts *Options) {
	o := opts.Credit
	if o.Clock == nil {
		o.Clock = opts.Clock
	}
	if o.Control.Org == nil {
		o.Control.Org = func(r *storage.Reader, customers *customer.Reader) credit.Org {
			return organisation{b.org.Reader(r, customer.Unscoped(customers))}
		}
		if o.Control.Overlay == nil {
			o.Control.Overlay = b.overlay
		}
	}
	if o.Control.DaysLate == nil {
		o.Control.DaysLate = daysLate(base(o))
	}
	b.credit = credit.New(o)
	if !slices.ContainsFunc(opts.Rules.Facts, func(f classify.FactSource) bool { return f.Name == factReceivables }) {
		opts.Rules.Facts = append(slices.Clip(opts.Rules.Facts), b.receivables(base(o), cmp.Or(o.Control.Location, time.UTC)))
	}
}

func base(o credit.Options) money.Currency {
	return cmp.Or(o.Base, money.CNY)
}

// CreditJob is the session as work on many receivables needs it; see [credit.Store].
func (s *Session) CreditJob() credit.Job {
	return credit.Job{Storage: s.book.store, Customers: s.book.customers, Session: s.session, Access: s.access}
}

// organisation is what credit control asks of the tree and the grants.
type organisation struct{ org *orgtree.Reader }

// Above implements [credit.Org].
func (o organisation) Above(unit customer.UnitID) ([]customer.UnitID, error) {
	tree, err := o.org.Tree()
	if err != nil || unit == 0 {
		return nil, err
	}
	if _, known := tree.Unit(unit); !known {
		return nil, fmt.Errorf("clientele: unit %d: %w", unit, customer.ErrNotFound)
	}
	return slices.Collect(tree.Ancestors(unit)), nil
}

// Below implements [credit.Org].
func (o organisation) Below(unit customer.UnitID) ([]customer.UnitID, error) {
	tree, err := o.org.Tree()
	if err != nil {
		return nil, err
	}
	return slices.Collect(tree.Subtree(unit)), nil
}

// HasRole implements [credit.Org]: while access isn't enforced, roles are believed.
func (o organisation) HasRole(actor, role string) (bool, error) {
	enforced, err := o.org.Enforced()
	if err != nil || !enforced {
		return !enforced, err
	}
	return o.org.HasRole(actor, role)
}

// overlay implements [credit.OverlaySource].
func (b *Book) overlay(r *storage.Reader, customers *customer.Reader, id customer.ID, unit customer.UnitID) (credit.Overlay, error) {
	o, err := b.org.Reader(r, customers).Overlay(id, unit)
	if err != nil {
		return credit.Overlay{}, err
	}
	agreed := credit.Overlay{Terms: o.Terms, TermsOf: o.TermsOf, LimitOf: o.LimitOf}
	if o.Limit != nil {
		agreed.Limit, err = overlayLimit(o.LimitOf, o.Limit)
	}
	return agreed, err
}

// overlayLimit is an overlay's limit as credit control reads it.
func overlayLimit(unit customer.UnitID, l *orgtree.Limit) (*money.Amount, error) {
	c, err := money.ParseCurrency(l.Currency)
	if err != nil {
		return nil, &orgtree.Error{Op: "read overlay", Unit: unit, Field: "Limit.Currency", Value: l.Currency, Remedy: "use a currency of ISO 4217 that has amounts", Err: orgtree.ErrInvalid}
	}
	return &money.Amount{Minor: l.Amount, Currency: c}, nil
}

// checkOverlay refuses what credit control wouldn't understand of an overlay.
func checkOverlay(o orgtree.Overlay) error {
	if o.Limit != nil {
		if _, err := overlayLimit(o.Unit, o.Limit); err != nil {
			return err
		}
	}
	if o.Terms == "" {
		return nil
	}
	_, err := credit.ParseTerms(o.Terms)
	return err
}

const factReceivables = "receivables"

// receivables are the facts that rules read of what customers owe, in one currency. Days
// begin and end where credit control's do. The score is that of [score.Default]; a program
// with a model of its own puts a source of this name into its Options.
func (b *Book) receivables(currency money.Currency, in *time.Location) classify.FactSource {
	source := packs.Receivables()
	source.Changed = credit.FactsChanged
	model := score.Default()
	source.Load = func(_ context.Context, r *storage.Reader, q classify.Request) ([]classify.Value, time.Time, error) {
		l := receivables{
			reader: b.credit.Reader(r, b.customers.Reader(r)), currency: currency, model: &model,
			id: q.Customer, today: date.Of(q.Now.In(in)), past: q.Past,
		}
		values := make([]classify.Value, len(q.Want))
		err := l.load(q.Now)
		for i := 0; i < len(q.Want) && err == nil; i++ {
			values[i], err = l.value(q.Want[i])
		}
		switch {
		case errors.Is(err, customer.ErrNotFound):
			return make([]classify.Value, len(q.Want)), time.Time{}, nil
		case err != nil:
			return nil, time.Time{}, err
		case l.facts.Invoices == 0:
			return values, time.Time{}, nil
		}
		return values, nextMidnight(q.Now.In(in)), nil
	}
	return source
}

// nextMidnight is when days overdue, and the last twelve months, are others.
func nextMidnight(now time.Time) time.Time {
	return time.Date(now.Year(), now.Month(), now.Day()+1, 0, 0, 0, 0, now.Location())
}

// receivables are one customer's while its facts are read.
type receivables struct {
	reader   *credit.Reader
	currency money.Currency
	model    *score.Model
	id       customer.ID
	today    date.Date
	past     bool
	facts    credit.Facts
}

func (l *receivables) load(now time.Time) (err error) {
	if l.past {
		l.facts, err = l.reader.FactsAt(l.id, l.currency, now)
	} else {
		l.facts, err = l.reader.Facts(l.id, credit.FactsQuery{Currency: l.currency})
	}
	return err
}

// value is a fact by its name; those that the book doesn't know are missing. What is kept
// by month has no past of its own, and there is nothing to say of who was never invoiced
// but the agreed terms.
func (l *receivables) value(name string) (classify.Value, error) {
	f := &l.facts
	if name == "receivables.terms_days" {
		return l.termsDays()
	}
	if l.past || f.Invoices == 0 {
		return classify.Value{}, nil
	}
	switch name {
	case "receivables.days_late":
		if f.Period.Settled > 0 {
			return classify.NumberValue(float64(f.Period.AmountDaysLate.Per(f.Period.Settled)) / 1000), nil
		}
	case "receivables.paid_items":
		return classify.IntegerValue(f.Period.Settlements), nil
	case "receivables.overdue_days":
		return classify.IntegerValue(max(0, overdueDays(f, l.today))), nil
	case "receivables.invoiced_12m":
		return classify.IntegerValue(f.Period.Invoiced), nil
	case "receivables.margin_12m":
		return classify.IntegerValue(f.Period.Margin), nil
	case "receivables.score":
		return l.score()
	}
	return classify.Value{}, nil
}

func (l *receivables) termsDays() (classify.Value, error) {
	if l.facts.Terms == "" {
		return classify.Value{}, nil
	}
	days, err := l.facts.TermsDays()
	return classify.IntegerValue(days), err
}

// score is missing until the customer has settled something: nothing is known before.
func (l *receivables) score() (classify.Value, error) {
	h, err := l.reader.ScoreHistory(l.id, l.currency)
	if err != nil || h.Settled == 0 {
		return classify.Value{}, err
	}
	r, err := l.model.Score(h, nil, l.today)
	return classify.NumberValue(float64(r.Score) * 100 / score.Best), err
}

func overdueDays(f *credit.Facts, today date.Date) int64 {
	if f.OldestDue == 0 {
		return 0
	}
	return int64(today.DaysSince(f.OldestDue))
}

// daysLate tells how late a customer usually pays: the mean of the last twelve months by
// amount, in full days.
func daysLate(currency money.Currency) func(*credit.Reader, customer.ID) (int64, bool, error) {
	return func(r *credit.Reader, id customer.ID) (days int64, known bool, err error) {
		f, err := r.Facts(id, credit.FactsQuery{Currency: currency})
		if err != nil || f.Period.Settled <= 0 {
			return 0, false, err
		}
		return f.Period.AmountDaysLate.Per(f.Period.Settled) / 1000, true, nil
	}
}

// repairCredit makes anew what Verify finds to differ in receivables and exposure.
func (b *Book) repairCredit(ctx context.Context) (int, error) {
	job := b.System("repair").CreditJob()
	n, err := b.credit.Repair(ctx, job)
	if err != nil {
		return n, err
	}
	mended, err := b.credit.RecountExposure(ctx, job)
	return n + mended, err
}
