package credit

import (
	"errors"
	"slices"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
)

// posted is an entry on its way into what is derived from items and allocations.
type posted struct {
	entry
	settlement
}

// record brings all that is derived in line with new items and allocations: open items,
// the log, accounts, figures and the book's totals. A single posting rewrites a page of
// open items, a page of the log, and the customer's account and figures.
func (tx *Tx) record(list []posted) error {
	byPlace := make([]*entry, len(list))
	for i := range list {
		byPlace[i] = &list[i].entry
	}
	slices.SortStableFunc(byPlace, func(a, b *entry) int { return a.place().compare(b.place()) })
	if err := tx.changeOpen(byPlace); err != nil {
		return err
	}
	if err := tx.addLog(byPlace); err != nil {
		return err
	}
	if err := tx.changeAccounts(byPlace, Posted); err != nil {
		return err
	}
	if err := tx.changeFigures(list); err != nil {
		return err
	}
	for _, e := range byPlace {
		if err := addShared(tx.tx, tx.store.total, totalKey(e.side, e.currency, e.due), e.amount); err != nil {
			return err
		}
		if err := tx.store.days.Add(tx.tx, dayKey(e.on), 1); err != nil {
			return err
		}
	}
	return nil
}

// addLog puts each entry into its pages of the log.
func (tx *Tx) addLog(entries []*entry) error {
	pages := map[logKey][]*entry{}
	var order []logKey
	for _, e := range entries {
		for _, key := range e.logKeys() {
			if pages[key] == nil {
				order = append(order, key)
			}
			pages[key] = append(pages[key], e)
		}
	}
	for _, key := range order {
		if err := tx.appendLog(key, pages[key]); err != nil {
			return err
		}
	}
	return nil
}

// changeAccounts changes balances by entries, which are in the order of customers, and
// tells the observers.
func (tx *Tx) changeAccounts(entries []*entry, action Action) error {
	for len(entries) > 0 {
		id := entries[0].customer
		n := 1
		for n < len(entries) && entries[n].customer == id {
			n++
		}
		a, err := tx.accountOf(id)
		if err != nil {
			return err
		}
		for _, e := range entries[:n] {
			if err := a.add(e); err != nil {
				return err
			}
		}
		if err := tx.store.account.Put(tx.tx, id, a, uint8(action)); err != nil {
			return err
		}
		if err := tx.observe(id, entries[:n]); err != nil {
			return err
		}
		entries = entries[n:]
	}
	return nil
}

// observe tells the observers by how much entries change a customer's balances.
func (tx *Tx) observe(id customer.ID, entries []*entry) error {
	if len(tx.store.observers) == 0 {
		return nil
	}
	change := account{}
	for _, e := range entries {
		if err := change.balance(e.currency).add(e); err != nil {
			return err
		}
	}
	return tx.tell(id, &change)
}

// tell tells the observers of changed balances.
func (tx *Tx) tell(id customer.ID, change *account) error {
	for _, b := range change.balances {
		if b.Debits == 0 && b.Credits == 0 && b.Deposits == 0 {
			continue
		}
		for _, f := range tx.store.observers {
			if err := f(tx, BalanceChange{id, b}); err != nil {
				return err
			}
		}
	}
	return nil
}

// changeFigures counts entries in their customers' months.
func (tx *Tx) changeFigures(list []posted) error {
	changed := map[figuresKey]*figures{}
	var order []*figures
	for i := range list {
		p := &list[i]
		month := p.entry.on.Month()
		year, _ := month.Civil()
		key := figuresKey{p.customer, year}
		f := changed[key]
		if f == nil {
			var err error
			if f, err = tx.figuresIn(key); err != nil {
				return err
			}
			changed[key] = f
			order = append(order, f)
		}
		if err := f.of(month, p.currency).add(&p.entry, p.settlement); err != nil {
			return err
		}
	}
	for _, f := range order {
		if err := tx.store.figures.Put(tx.tx, f.key, f, uint8(Posted)); err != nil {
			return err
		}
	}
	return nil
}

func (r *Reader) figuresIn(key figuresKey) (*figures, error) {
	f, err := r.store.figures.Get(r.storage, key)
	if isNotFound(err) {
		return &figures{key: key}, nil
	}
	return f, err
}

// holder returns the customer whose items an id means, that is for one that was merged its
// survivor, if the session may read them.
func (r *Reader) holder(op string, id customer.ID) (customer.ID, error) {
	holder, err := r.standing(customer.RightRead, customer.Items, id)
	return holder, missing(op, id, err)
}

// standing returns the customer whom an id means, that is for one that was merged its
// survivor, if the session may do something with a kind of its data. It costs one read,
// of a session that doesn't see everything two.
func (r *Reader) standing(right customer.Right, data customer.Data, id customer.ID) (customer.ID, error) {
	c, err := r.customers.Get(id)
	if err == nil && r.access() != nil {
		err = r.customers.Permit(right, data, c.ID)
	}
	if err != nil {
		return 0, err
	}
	return c.ID, nil
}

// maySee returns nil when the session may read the items of a customer that holds some.
func (r *Reader) maySee(op string, id customer.ID) error {
	if r.access() == nil {
		return nil
	}
	return missing(op, id, r.customers.Permit(customer.RightRead, customer.Items, id))
}

func (r *Reader) access() customer.Access { return r.customers.Access() }

// mayPost returns the customer to whose account the session may post: for one that was
// merged, its survivor.
func (tx *Tx) mayPost(op string, id customer.ID) (customer.ID, error) {
	c, err := customer.Unscoped(&tx.customers.Reader).Get(id)
	if err != nil {
		return 0, missing(op, id, err)
	}
	if access := tx.access(); access != nil {
		if err := access.Allows(customer.RightPost, customer.Items, c); err != nil {
			return 0, missing(op, id, err)
		}
	}
	if c.Status == customer.Erased {
		return 0, &customer.StatusError{ID: id, Status: c.Status, Action: op}
	}
	return c.ID, nil
}

// missing says that there is no such customer.
func missing(op string, id customer.ID, err error) error {
	if errors.Is(err, storage.ErrNotFound) {
		return &Error{Op: op, Customer: id, Problem: "there is no such customer", Remedy: "use the id of one that exists", Err: ErrNotFound}
	}
	return err
}
