package credit

import (
	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
)

// account is what the ledger keeps of a customer at hand. It is changed with each
// posting, so transactions that post to one customer wait for one another.
type account struct {
	customer customer.ID
	balances []Balance // by currency
	activity Activity
	rest     string
}

// Activity is when a customer was first and last invoiced, and when it last paid; no
// date for never.
type Activity struct {
	FirstInvoice date.Date
	LastInvoice  date.Date
	LastPayment  date.Date
	Invoices     uint64 // documents' instalments ever posted
}

func (a *account) wire(x *wire) {
	wireList(x, 1, &a.balances, func(x *wire, b *Balance) {
		wireUint(x, 1, &b.Currency)
		x.int(2, &b.Debits)
		x.int(3, &b.Credits)
		x.int(4, &b.Deposits)
	})
	x.date(2, &a.activity.FirstInvoice)
	x.date(3, &a.activity.LastInvoice)
	x.date(4, &a.activity.LastPayment)
	wireUint(x, 5, &a.activity.Invoices)
}

func appendAccount(dst []byte, a *account) ([]byte, error) { return encode(dst, a.rest, a.wire) }

func decodeAccount(src string, id customer.ID, _ storage.Meta) (*account, error) {
	a := &account{customer: id}
	var err error
	a.rest, err = decode(src, a.wire)
	return a, err
}

// balance returns the balance in a currency, made when there is none; they stay in the
// order of the currencies' codes.
func (a *account) balance(c money.Currency) *Balance {
	i := 0
	for i < len(a.balances) && a.balances[i].Currency < c {
		i++
	}
	if i == len(a.balances) || a.balances[i].Currency != c {
		a.balances = append(a.balances, Balance{})
		copy(a.balances[i+1:], a.balances[i:])
		a.balances[i] = Balance{Currency: c}
	}
	return &a.balances[i]
}

// add changes the account by an entry.
func (a *account) add(e *entry) error {
	b := a.balance(e.currency)
	if err := b.add(e); err != nil {
		return err
	}
	if e.change == ItemPosted {
		a.activity.note(e)
	}
	return nil
}

func (b *Balance) add(e *entry) error {
	part := &b.Debits
	if e.side == Credit {
		part = &b.Credits
	}
	if err := addTo(part, e.amount, e.currency); err != nil {
		return err
	}
	if e.kind == Deposit {
		return addTo(&b.Deposits, e.amount, e.currency)
	}
	return nil
}

func (a *Activity) note(e *entry) {
	switch e.kind {
	case Invoice:
		a.Invoices++
		a.LastInvoice = max(a.LastInvoice, e.date)
		if a.FirstInvoice == 0 || e.date < a.FirstInvoice {
			a.FirstInvoice = e.date
		}
	case Payment, Advance:
		a.LastPayment = max(a.LastPayment, e.date)
	}
}

// addTo adds to a sum of minor units.
func addTo(sum *int64, amount int64, c money.Currency) error {
	total, ok := money.AddMinor(*sum, amount)
	if !ok {
		return &Error{Op: "add up", Value: c.String(), Problem: "the sum doesn't fit 64 bits of minor units", Err: ErrOverflow}
	}
	*sum = total
	return nil
}

// accountOf returns a customer's account, an empty one when nothing was posted yet.
func (r *Reader) accountOf(id customer.ID) (*account, error) {
	a, err := r.store.account.Get(r.storage, id)
	if isNotFound(err) {
		return &account{customer: id}, nil
	}
	return a, err
}

// Balances returns what a customer owes by all items posted, whatever their dates, by
// currency; a currency in which nothing is open is left out. It costs two reads.
func (r *Reader) Balances(id customer.ID) ([]Balance, error) {
	id, err := r.holder("read", id)
	if err != nil {
		return nil, err
	}
	return r.balances(id)
}

// balances is Balances for computations that the session's scope must not change.
func (r *Reader) balances(id customer.ID) ([]Balance, error) {
	a, err := r.accountOf(id)
	if err != nil {
		return nil, err
	}
	open := a.balances[:0]
	for _, b := range a.balances {
		if b.Debits != 0 || b.Credits != 0 {
			open = append(open, b)
		}
	}
	return open, nil
}

// Activity returns when a customer was invoiced and paid. It costs two reads.
func (r *Reader) Activity(id customer.ID) (Activity, error) {
	id, err := r.holder("read", id)
	if err != nil {
		return Activity{}, err
	}
	a, err := r.accountOf(id)
	if err != nil {
		return Activity{}, err
	}
	return a.activity, nil
}

// OldestDue returns the first due day of a customer's open debits that are not in
// dispute, and whether there is one. It costs two reads, whatever is open.
func (r *Reader) OldestDue(id customer.ID) (due date.Date, found bool, err error) {
	if id, err = r.holder("read", id); err != nil {
		return 0, false, err
	}
	return r.oldestDue(id)
}

// oldestDue is OldestDue for computations that the session's scope must not change.
func (r *Reader) oldestDue(id customer.ID) (due date.Date, found bool, err error) {
	err = r.eachOpen(id, func(i *openItem) bool {
		found = i.side == Debit && i.undisputed() > 0
		due = i.due
		return !found
	})
	if !found {
		due = 0
	}
	return due, found, err
}
