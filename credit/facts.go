package credit

import (
	"time"

	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
)

// Facts are a customer's receivables as rules of classification read them, in one
// currency. They cost a read of the customer, one of the account, one of the profile, one of
// each year's figures and one of the open items, whatever the history.
type Facts struct {
	Activity
	Balance Balance
	// Terms are the customer's own terms of payment, as ParseTerms reads them, empty for
	// none agreed. That dunning shortens them for a while doesn't count.
	Terms string
	// OldestDue is the first due day of what is open and not in dispute, no date for none.
	OldestDue date.Date
	// Period is the sum of the figures of the months asked for; its Month is the last.
	Period Figures
	Months int // of the period, in which something was invoiced
}

// TermsDays is [Terms.Days] of the terms.
func (f *Facts) TermsDays() (int64, error) {
	t, err := readTerms(f.Terms)
	if err != nil {
		return 0, err
	}
	return t.Days()
}

// FactsQuery says which facts are wanted.
type FactsQuery struct {
	Currency money.Currency
	// The period is the Months whole months up to and with that of Through; 0 is 12.
	Through date.Date
	Months  int
}

// Facts returns a customer's facts.
func (r *Reader) Facts(id customer.ID, q FactsQuery) (Facts, error) {
	id, err := r.holder("read facts", id)
	if err != nil {
		return Facts{}, err
	}
	a, err := r.accountOf(id)
	if err != nil {
		return Facts{}, err
	}
	p, err := r.profile(id)
	if err != nil {
		return Facts{}, err
	}
	f := Facts{Activity: a.activity, Balance: *a.balance(q.Currency), Terms: p.Terms}
	if f.OldestDue, _, err = r.oldestDue(id); err != nil {
		return Facts{}, err
	}
	return f, r.addPeriod(&f, id, q)
}

func (r *Reader) addPeriod(f *Facts, id customer.ID, q FactsQuery) error {
	if q.Through == 0 {
		q.Through = r.today()
	}
	if q.Months <= 0 {
		q.Months = 12
	}
	last := q.Through.Month()
	first := max(last-date.Month(q.Months)+1, date.First.Month())
	f.Period = Figures{Month: last, Currency: q.Currency}
	return r.figuresOf(id, first, last, func(_ customer.ID, m *Figures) error {
		if m.Currency != q.Currency {
			return nil
		}
		if m.Invoices > 0 {
			f.Months++
		}
		return f.Period.Sum(m)
	})
}

// FactsAt is what an account was on an instant of the past, as it was recorded then:
// activity, balance and terms. What is kept by month has no past of its own. A customer
// that was merged had its own until then, and its survivor's from then on.
func (r *Reader) FactsAt(id customer.ID, c money.Currency, at time.Time) (Facts, error) {
	holder, err := r.holder("read facts", id)
	if err != nil {
		return Facts{}, err
	}
	if id, err = r.holderAt(id, holder, at); err != nil {
		return Facts{}, err
	}
	f := Facts{Balance: Balance{Currency: c}}
	p, err := r.store.profile.At(r.storage, id, at)
	switch {
	case err == nil:
		f.Terms = p.Terms
	case !isNotFound(err):
		return Facts{}, err
	}
	a, err := r.store.account.At(r.storage, id, at)
	switch {
	case err == nil:
		f.Activity, f.Balance = a.activity, *a.balance(c)
	case !isNotFound(err):
		return Facts{}, err
	}
	return f, nil
}

// holderAt returns who had a customer's items on an instant, given who has them now.
func (r *Reader) holderAt(id, now customer.ID, at time.Time) (customer.ID, error) {
	customers := customer.Unscoped(r.customers)
	for id != now {
		c, err := customers.At(id, at)
		switch {
		case isNotFound(err):
			return id, nil // there was no such customer yet
		case err != nil:
			return 0, err
		case c.Status != customer.Merged:
			return id, nil
		}
		id = c.Survivor
	}
	return id, nil
}

// FactsChanged tells whose facts a change in the journal touches, if anybody's: postings,
// a customer's profile and its own limits. What its reservations, and the limits of its
// units and group, change in the use of limits is not among them.
func FactsChanged(op storage.Op) (customer.ID, bool) {
	switch op.Table {
	case TableAccount, TableProfile:
		id, _, err := op.Key.CutUint()
		return customer.ID(id), err == nil
	case TableLine:
		s, err := scopeKeys.Decode(op.Key)
		return customer.ID(s.ID), err == nil && s.Kind == CustomerScope
	}
	return 0, false
}

// calendarYear is the year whose days stand for all of a rule that goes by the calendar:
// a common one, as three of four are.
const calendarYear = 2025

// Days returns after how many days a document falls due by the terms: the mean of its
// parts by weight and, where a rule goes by the calendar, of the documents of every day
// of a common year, rounded half up. It is 0 for what is due at once. With rules by the
// calendar it costs some tens of microseconds.
func (t Terms) Days() (int64, error) {
	var days, weights int64
	for _, p := range t.Parts {
		sum, documents, err := p.Rule.days()
		if err != nil {
			return 0, err
		}
		const year = 365 // both kinds of rules, over as many documents
		days += int64(p.Weight) * sum * (year / documents)
		weights += int64(p.Weight) * year
	}
	if weights == 0 {
		return 0, nil
	}
	return (2*days + weights) / (2 * weights), nil
}

// days returns the sum of the days until the due day over some documents, and how many:
// one where the document's date doesn't matter.
func (r DueRule) days() (sum, documents int64, err error) {
	if r.Statement == NoStatement && r.Months == 0 && r.Day == 0 {
		return int64(r.Days), 1, r.check()
	}
	first := date.Of(time.Date(calendarYear, time.January, 1, 0, 0, 0, 0, time.UTC))
	for d := first; d < first+365; d++ {
		due, err := r.Due(d)
		if err != nil {
			return 0, 0, err
		}
		sum += int64(due.DaysSince(d))
	}
	return sum, 365, nil
}
