package credit

import (
	"cmp"
	"slices"

	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
)

// Automatic asks to settle what a customer owes by what it has paid.
type Automatic struct {
	Customer customer.ID
	// Method is OldestFirst, ByReference or BestFit. OldestFirst settles debits by due
	// day. ByReference settles those that a credit names: by their document's key, or by
	// a reference that both have. BestFit looks for debits that add up to a credit
	// exactly, one alone if there is one, and leaves a credit alone for which there are
	// none.
	Method   Method
	Credits  []ItemID       // only these; nil is all but deposits
	Currency money.Currency // only this; 0 is all
	// WithDisputed settles debits in dispute too, and of those in dispute in part all.
	WithDisputed bool
	Date         date.Date // no date is today
	CarryLate    bool
	// Tolerance and TakeDiscount are as in AllocationRequest. What is left of a debit in dispute
	// is neither rounded away nor deducted, but with WithDisputed.
	Tolerance    int64
	TakeDiscount bool
}

// AllocateAutomatically settles a customer's debits by its credits of the same currency,
// the oldest credits first, and returns the allocations. Asking again changes nothing
// more.
func (tx *Tx) AllocateAutomatically(q Automatic) ([]*Allocation, error) {
	const op = "allocate"
	var err error
	if q.Customer, err = tx.mayPost(op, q.Customer); err != nil {
		return nil, err
	}
	if q.Method != OldestFirst && q.Method != ByReference && q.Method != BestFit {
		return nil, &Error{Op: op, Customer: q.Customer, Field: "Method", Value: q.Method.String(), Remedy: "use oldest_first, by_reference or best_fit", Err: ErrInvalid}
	}
	m := &matcher{Tx: tx, Automatic: q}
	if err := m.read(); err != nil {
		return nil, err
	}
	for i := range m.credits {
		if err := m.match(&m.credits[i]); err != nil {
			return m.made, err
		}
	}
	return m.made, nil
}

// matcher finds what settles what.
type matcher struct {
	*Tx
	Automatic
	debits  []openItem // by due day
	credits []openItem // by document date
	named   map[string][]ItemID
	made    []*Allocation
}

func (m *matcher) read() error {
	err := m.eachOpen(m.Customer, func(i *openItem) bool {
		switch {
		case m.Currency != 0 && i.currency != m.Currency:
		case i.side == Debit:
			if debit := m.settleable(*i); debit.amount > 0 {
				m.debits = append(m.debits, debit)
			}
		case i.side == Credit && (m.Credits == nil && i.kind != Deposit || slices.Contains(m.Credits, i.item)):
			m.credits = append(m.credits, *i)
		}
		return true
	})
	if err != nil {
		return err
	}
	slices.SortStableFunc(m.credits, func(a, b openItem) int {
		return cmp.Or(cmp.Compare(a.date, b.date), cmp.Compare(a.item, b.item))
	})
	if m.Method == ByReference {
		return m.readNames()
	}
	return nil
}

// settleable is a debit with what may be settled of it.
func (m *matcher) settleable(debit openItem) openItem {
	if !m.WithDisputed {
		debit.amount = debit.undisputed()
	}
	return debit
}

// readNames notes under which names debits can be referred to.
func (m *matcher) readNames() error {
	m.named = map[string][]ItemID{}
	for i := range m.debits {
		debit, err := m.item("allocate", m.debits[i].item)
		if err != nil {
			return err
		}
		m.named[debit.Document] = append(m.named[debit.Document], debit.ID)
		if debit.Reference != "" && debit.Reference != debit.Document {
			m.named[debit.Reference] = append(m.named[debit.Reference], debit.ID)
		}
	}
	return nil
}

// match settles debits by one credit.
func (m *matcher) match(credit *openItem) error {
	wanted, err := m.candidates(credit)
	if err != nil {
		return err
	}
	for _, n := range wanted {
		if credit.amount == 0 {
			break
		}
		debit := &m.debits[n]
		q := AllocationRequest{
			Debit: debit.item, Credit: credit.item, Amount: min(debit.amount, credit.amount), Date: m.Date, CarryLate: m.CarryLate, Method: m.Method,
		}
		if m.WithDisputed || debit.contested == 0 {
			q.Tolerance, q.TakeDiscount = m.Tolerance, m.TakeDiscount
		}
		a, err := m.Allocate(q)
		if err != nil {
			return err
		}
		m.made = append(m.made, a)
		credit.amount -= a.CreditAmount.Minor
		left, err := m.item("allocate", debit.item)
		if err != nil {
			return err
		}
		if debit.amount, err = m.openAmount(left); err != nil { // the rest may have been settled too
			return err
		}
		*debit = m.settleable(*debit)
	}
	return nil
}

// candidates are the numbers of the debits that a credit may settle, in their order.
func (m *matcher) candidates(credit *openItem) ([]int, error) {
	var open []int
	for n := range m.debits {
		if d := &m.debits[n]; d.amount > 0 && d.currency == credit.currency {
			open = append(open, n)
		}
	}
	switch m.Method {
	case ByReference:
		stored, err := m.item("allocate", credit.item)
		if err != nil {
			return nil, err
		}
		names := m.named[stored.Reference]
		if stored.Reference == "" {
			names = nil
		}
		return slices.DeleteFunc(open, func(n int) bool { return !slices.Contains(names, m.debits[n].item) }), nil
	case BestFit:
		return m.exact(open, credit.amount), nil
	}
	return open, nil
}

// The most debits that BestFit combines, and the most combinations that it tries.
const (
	fitDebits = 40
	fitTries  = 200_000
)

// exact finds debits that add up to an amount: one alone if there is one, otherwise the
// combination whose debits come first.
func (m *matcher) exact(open []int, amount int64) []int {
	for _, n := range open {
		if m.debits[n].amount == amount {
			return []int{n}
		}
	}
	f := fitter{left: fitTries}
	for _, n := range open {
		if a := m.debits[n].amount; a < amount && len(f.amounts) < fitDebits {
			f.amounts, f.numbers = append(f.amounts, a), append(f.numbers, n)
		}
	}
	f.rest = make([]int64, len(f.amounts)+1)
	for i := len(f.amounts) - 1; i >= 0; i-- {
		sum, ok := money.AddMinor(f.rest[i+1], f.amounts[i])
		if !ok {
			sum = 1<<63 - 1
		}
		f.rest[i] = sum
	}
	if f.find(0, amount) {
		return f.chosen
	}
	return nil
}

// fitter looks for numbers that add up to another.
type fitter struct {
	amounts []int64
	numbers []int
	rest    []int64 // what all from a place on add up to
	chosen  []int
	left    int // tries
}

func (f *fitter) find(from int, amount int64) bool {
	if amount == 0 {
		return true
	}
	if f.left--; f.left <= 0 || from == len(f.amounts) || amount < 0 || f.rest[from] < amount {
		return false
	}
	f.chosen = append(f.chosen, f.numbers[from])
	if f.find(from+1, amount-f.amounts[from]) {
		return true
	}
	f.chosen = f.chosen[:len(f.chosen)-1]
	return f.find(from+1, amount)
}
