package credit

import (
	"time"

	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
)

// Facts are a customer's receivables as rules of classification read them, in one
// currency. They cost a read of the account, one of each year's figures and one of the
// open items, whatever the history.
type Facts struct {
	Activity
	Balance Balance
	// OldestDue is the first due day of what is open and not in dispute, no date for none.
	OldestDue date.Date
	// Period is the sum of the figures of the months asked for; its Month is the last.
	Period Figures
	Months int // of the period, in which something was invoiced
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
	if err := r.maySee("read facts", id); err != nil {
		return Facts{}, err
	}
	a, err := r.accountOf(id)
	if err != nil {
		return Facts{}, err
	}
	f := Facts{Activity: a.activity, Balance: *a.balance(q.Currency)}
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
// activity and balance. What is kept by month has no past of its own.
func (r *Reader) FactsAt(id customer.ID, c money.Currency, at time.Time) (Facts, error) {
	if err := r.maySee("read facts", id); err != nil {
		return Facts{}, err
	}
	a, err := r.store.account.At(r.storage, id, at)
	if isNotFound(err) {
		return Facts{Balance: Balance{Currency: c}}, nil
	}
	if err != nil {
		return Facts{}, err
	}
	return Facts{Activity: a.activity, Balance: *a.balance(c)}, nil
}

// FactsChanged tells whose facts a change in the journal touches, if anybody's.
func FactsChanged(op storage.Op) (customer.ID, bool) {
	if op.Table != TableAccount {
		return 0, false
	}
	id, _, err := op.Key.CutUint()
	return customer.ID(id), err == nil
}
