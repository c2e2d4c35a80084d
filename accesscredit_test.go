package clientele_test

import (
	"errors"
	"regexp"
	"time"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/credit/aging"
	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
)

// owed is what the kit's book has of a customer's credit.
type owed struct {
	key              string // of its reservation
	invoice, payment credit.ItemID
	fresh, unsettled credit.ItemID // not allocated: a debit and a credit
	allocation       credit.AllocationID
	override         credit.OverrideID
	approval         credit.ApprovalID
}

func yuan(n int64) money.Amount { return money.Amount{Minor: n * 100, Currency: money.CNY} }

// owe plants receivables: the customer in sight owes 100, of which 5 are paid, the other
// one 200, of which 5 are.
func (k *kit) owe(tx *clientele.Tx) error {
	k.day = date.Of(time.Now())
	policy := credit.Policy{Dunning: credit.DunningPlan{Levels: []credit.DunningStep{{After: 1}}}}
	if err := tx.Credit.SetPolicy(policy); err != nil {
		return err
	}
	k.owed = map[customer.ID]owed{}
	for id, name := range map[customer.ID]string{k.seen: "visible", k.unseen: "zkanari"} {
		o, err := k.oweOne(tx, id, name)
		if err != nil {
			return err
		}
		k.owed[id] = o
	}
	policy, err := policyAsIs(tx)
	if err != nil {
		return err
	}
	policy.LimitRules = []credit.ApprovalRule{{Approvers: 1}}
	if err := tx.Credit.SetPolicy(policy); err != nil {
		return err
	}
	for id, name := range map[customer.ID]string{k.seen: "visible", k.unseen: "zkanari"} {
		a, err := tx.Credit.Propose(credit.Proposal{Scope: credit.OfCustomer(id), Limit: &credit.Limit{Amount: yuan(9000)}, Why: name + " grows"})
		if err != nil {
			return err
		}
		o := k.owed[id]
		o.approval = a.ID
		k.owed[id] = o
	}
	g, err := tx.Credit.CreateGroup("pair", customer.Names{"en": "Pair"})
	if err != nil {
		return err
	}
	k.group = g.ID
	return errors.Join(tx.Credit.SetGroup(k.seen, g.ID), tx.Credit.SetGroup(k.unseen, g.ID))
}

func policyAsIs(tx *clientele.Tx) (credit.Policy, error) {
	p, err := tx.Credit.Policy("")
	if err != nil {
		return credit.Policy{}, err
	}
	return *p, nil
}

func (k *kit) oweOne(tx *clientele.Tx, id customer.ID, name string) (o owed, err error) {
	amount := int64(100)
	if id == k.unseen {
		amount = 200
	}
	post := func(kind credit.Kind, key string, n int64) credit.ItemID {
		var items []*credit.Item
		if err == nil {
			items, err = tx.Credit.Post(credit.Document{Key: name + key, Customer: id, Kind: kind, Date: k.day - 40, Amount: yuan(n), Reference: name + " order", Note: name + " note"})
		}
		if err != nil {
			return 0
		}
		return items[0].ID
	}
	o.key = name + " order"
	o.invoice, o.payment = post(credit.Invoice, " I", amount), post(credit.Payment, " P", 5)
	o.fresh, o.unsettled = post(credit.DebitNote, " D", 1), post(credit.Advance, " A", 1)
	if err != nil {
		return o, err
	}
	a, err := tx.Credit.Allocate(credit.AllocationRequest{Debit: o.invoice, Credit: o.payment, Date: k.day - 40, Note: name + " paid", Request: name + " request"})
	if err != nil {
		return o, err
	}
	o.allocation = a.ID
	if err := tx.Credit.SetLimit(credit.OfCustomer(id), credit.Limit{Amount: yuan(5000), Note: name + " limit"}); err != nil {
		return o, err
	}
	if _, err := tx.Credit.Reserve(credit.Request{Key: o.key, Customer: id, Amount: yuan(7)}); err != nil {
		return o, err
	}
	ov, err := tx.Credit.Override(credit.Override{Customer: id, Why: name + " is good", Until: time.Now().Add(time.Hour)})
	if err != nil {
		return o, err
	}
	o.override = ov.ID
	return o, nil
}

// of returns what a customer has, and of one that doesn't exist ids that don't either.
func (k *kit) of(id customer.ID) owed {
	if o, found := k.owed[id]; found {
		return o
	}
	const none = 987_654
	return owed{key: "none", invoice: none, payment: none, fresh: none, unsettled: none, allocation: none, override: none, approval: none}
}

// told is a read about one customer at a time: it counts those that it tells something of.
func told(f func(k *kit, tx *clientele.Tx, id customer.ID) (bool, error)) row {
	return numbered(1, 2, func(k *kit, tx *clientele.Tx) (n int64, err error) {
		for _, id := range []customer.ID{k.seen, k.unseen, k.absent} {
			switch tells, err := f(k, tx, id); {
			case err != nil && !errors.Is(err, customer.ErrNotFound):
				return n, err
			case err == nil && tells:
				n++
			}
		}
		return n, nil
	})
}

// anonymousError is an error about the number of an item, or the like, which it leaves out.
type anonymousError struct {
	error
	text string
}

func (e anonymousError) Error() string { return e.text }
func (e anonymousError) Unwrap() error { return e.error }

var numbers = regexp.MustCompile(`\b\d+\b|"[^"]*"`)

// owning is write of something that has an id, or a key, of its own.
func owning(f func(k *kit, tx *clientele.Tx, id customer.ID, o owed) error) row {
	return write(func(k *kit, tx *clientele.Tx, id customer.ID) error {
		err := f(k, tx, id, k.of(id))
		if err == nil {
			return nil
		}
		return anonymousError{err, numbers.ReplaceAllString(err.Error(), "#")}
	})
}

func (k *kit) aging() credit.AgingQuery {
	return credit.AgingQuery{AsOf: k.day, Buckets: aging.Standard()}
}

func one(money.Currency) (money.Rate, error) { return money.One(), nil }

// net adds up the rows of a report, in whole yuan.
func net(rows func(func(aging.Row, error) bool)) (n int64, err error) {
	for r, err := range rows {
		if err != nil {
			return n, err
		}
		n += r.Balance / 100
	}
	return n, nil
}

// The clerk sees 100 - 5, and what is not allocated: 1 - 1. The system sees 200 - 5 more.
func owes(f func(k *kit, tx *clientele.Tx) (int64, error)) row { return numbered(95, 290, f) }

var creditRows = map[string]row{
	"credit.Reader.Aging": owes(func(k *kit, tx *clientele.Tx) (int64, error) { return net(tx.Credit.Aging(k.aging())) }),
	"credit.Reader.HeldAt": owes(func(k *kit, tx *clientele.Tx) (int64, error) {
		h, err := tx.Credit.HeldAt(1<<40, k.day, &credit.Trail{})
		if err != nil {
			return 0, err
		}
		return net(h.Aging(k.aging()))
	}),
	"credit.Reader.AgingIn": owes(func(k *kit, tx *clientele.Tx) (int64, error) {
		return net(tx.Credit.AgingIn(k.aging(), money.CNY, one))
	}),
	"credit.Reader.AgingTotal": owes(func(k *kit, tx *clientele.Tx) (int64, error) {
		a, err := tx.Credit.AgingTotal(k.aging())
		if err != nil {
			return 0, err
		}
		return net(a.Rows())
	}),
	"credit.Reader.AgingBy": owes(func(k *kit, tx *clientele.Tx) (int64, error) {
		a, err := tx.Credit.AgingBy(k.aging(), func(customer.ID) (uint64, bool) { return 7, true })
		if err != nil {
			return 0, err
		}
		return net(a.Rows())
	}),
	"credit.Reader.AgingSnapshots": numbered(96, 292, func(k *kit, tx *clientele.Tx) (n int64, err error) {
		q := k.aging()
		q.Currency = money.CNY
		snapshots, err := tx.Credit.AgingSnapshots(q, k.day)
		if err != nil {
			return 0, err
		}
		for _, b := range snapshots[0].Buckets {
			n += b / 100 // debits only: one more of each customer
		}
		return n, nil
	}),
	"credit.Reader.Revalue": owes(func(k *kit, tx *clientele.Tx) (n int64, err error) {
		rates := func(date.Date, money.Currency) (money.Rate, error) { return money.One(), nil }
		for r, err := range tx.Credit.Revalue(k.aging(), credit.Valuation{Rates: rates}) {
			if err != nil {
				return n, err
			}
			n += r.Booked / 100
		}
		return n, nil
	}),
	"credit.Reader.RevalueTotal": owes(func(k *kit, tx *clientele.Tx) (int64, error) {
		list, err := tx.Credit.RevalueTotal(k.aging(), credit.Valuation{})
		if err != nil || len(list) == 0 {
			return 0, err
		}
		return list[0].Worth.Balance / 100, nil
	}),
	"credit.Reader.TermsThrough": told(func(k *kit, tx *clientele.Tx, id customer.ID) (bool, error) {
		_, err := tx.Credit.TermsThrough(id, k.east)
		return err == nil, err
	}),
	"credit.Reader.TermsOf": told(func(k *kit, tx *clientele.Tx, id customer.ID) (bool, error) {
		_, err := tx.Credit.TermsOf(id)
		return id != k.absent, err // who has no terms pays at once
	}),
	"credit.Reader.Concentration": numbered(1, 2, func(k *kit, tx *clientele.Tx) (int64, error) {
		q := k.aging()
		q.Currency = money.CNY
		c, err := tx.Credit.Concentration(q)
		return int64(c.Customers()), err
	}),
	"credit.Reader.ConcentrationIn": numbered(1, 2, func(k *kit, tx *clientele.Tx) (int64, error) {
		c, err := tx.Credit.ConcentrationIn(k.aging(), money.CNY, one)
		return int64(c.Customers()), err
	}),
	"credit.Reader.OpenItems": numbered(3, 6, func(k *kit, tx *clientele.Tx) (int64, error) { return count(tx.Credit.OpenItems(k.aging())) }),
	"credit.Reader.Movements": numbered(6, 12, func(k *kit, tx *clientele.Tx) (int64, error) {
		before := k.aging()
		before.AsOf -= 50
		return count(tx.Credit.Movements(before, k.aging()))
	}),
	"credit.Reader.Measures": numbered(101, 302, func(k *kit, tx *clientele.Tx) (n int64, err error) {
		months, err := tx.Credit.Measures(credit.MeasureQuery{From: k.day.Month() - 3, To: k.day.Month(), Currency: money.CNY})
		for _, m := range months {
			n += m.Sales / 100
		}
		return n, err
	}),
	"credit.Reader.DunningDue": numbered(1, 2, func(k *kit, tx *clientele.Tx) (int64, error) { return count(tx.Credit.DunningDue(k.day, 0)) }),
	"credit.Reader.Reminders": numbered(2, 4, func(k *kit, tx *clientele.Tx) (int64, error) {
		return count(tx.Credit.Reminders(credit.ReminderPlan{Day: k.day}))
	}),
	"credit.Reader.Members":   numbered(1, 2, func(k *kit, tx *clientele.Tx) (int64, error) { return count(tx.Credit.Members(k.group)) }),
	"credit.Reader.Items":     read(func(k *kit, tx *clientele.Tx, id customer.ID) (any, error) { return all(tx.Credit.Items(id)) }),
	"credit.Reader.Overrides": read(func(k *kit, tx *clientele.Tx, id customer.ID) (any, error) { return all(tx.Credit.Overrides(id)) }),
	"credit.Reader.Document":  read(func(k *kit, tx *clientele.Tx, id customer.ID) (any, error) { return tx.Credit.Document("zkanari I") }),
	"credit.Reader.Line": read(func(k *kit, tx *clientele.Tx, id customer.ID) (any, error) {
		return tx.Credit.Line(credit.OfCustomer(id))
	}),
	"credit.Reader.LineHistory": read(func(k *kit, tx *clientele.Tx, id customer.ID) (any, error) {
		return all(tx.Credit.LineHistory(credit.OfCustomer(id)))
	}),
	"credit.Reader.PendingApprovals": read(func(k *kit, tx *clientele.Tx, id customer.ID) (any, error) {
		return all(tx.Credit.PendingApprovals(""))
	}),
	"credit.Reader.Reservations": read(func(k *kit, tx *clientele.Tx, id customer.ID) (any, error) { return all(tx.Credit.Reservations(id)) }),
	"credit.Reader.Item": told(func(k *kit, tx *clientele.Tx, id customer.ID) (bool, error) {
		_, err := tx.Credit.Item(k.of(id).invoice)
		return true, err
	}),
	"credit.Reader.Open": told(func(k *kit, tx *clientele.Tx, id customer.ID) (bool, error) {
		_, err := tx.Credit.Open(k.of(id).invoice)
		return true, err
	}),
	"credit.Reader.Allocations": told(func(k *kit, tx *clientele.Tx, id customer.ID) (bool, error) {
		n, err := count(tx.Credit.Allocations(k.of(id).invoice))
		return n == 1, err
	}),
	"credit.Reader.Approval": told(func(k *kit, tx *clientele.Tx, id customer.ID) (bool, error) {
		a, err := tx.Credit.Approval(k.of(id).approval)
		return a != nil, err
	}),
	"credit.Reader.Reservation": told(func(k *kit, tx *clientele.Tx, id customer.ID) (bool, error) {
		v, err := tx.Credit.Reservation(k.of(id).key)
		return v != nil, err
	}),
	"credit.Reader.Activity": told(func(k *kit, tx *clientele.Tx, id customer.ID) (bool, error) {
		a, err := tx.Credit.Activity(id)
		return a.Invoices > 0, err
	}),
	"credit.Reader.Balances": told(func(k *kit, tx *clientele.Tx, id customer.ID) (bool, error) {
		b, err := tx.Credit.Balances(id)
		return len(b) > 0, err
	}),
	"credit.Reader.Facts": told(func(k *kit, tx *clientele.Tx, id customer.ID) (bool, error) {
		f, err := tx.Credit.Facts(id, credit.FactsQuery{Currency: money.CNY})
		return f.Invoices > 0, err
	}),
	"credit.Reader.FactsAt": told(func(k *kit, tx *clientele.Tx, id customer.ID) (bool, error) {
		f, err := tx.Credit.FactsAt(id, money.CNY, time.Now().Add(time.Hour))
		return f.Invoices > 0, err
	}),
	"credit.Reader.Figures": told(func(k *kit, tx *clientele.Tx, id customer.ID) (bool, error) {
		f, err := tx.Credit.Figures(id, k.day.Month()-3, k.day.Month())
		return len(f) > 0, err
	}),
	"credit.Reader.ScoreHistory": told(func(k *kit, tx *clientele.Tx, id customer.ID) (bool, error) {
		h, err := tx.Credit.ScoreHistory(id, money.CNY)
		return h.Settled > 0, err
	}),
	"credit.Reader.OldestDue": told(func(k *kit, tx *clientele.Tx, id customer.ID) (bool, error) {
		_, found, err := tx.Credit.OldestDue(id)
		return found, err
	}),
	"credit.Reader.Exposure": told(func(k *kit, tx *clientele.Tx, id customer.ID) (bool, error) {
		e, err := tx.Credit.Exposure(credit.OfCustomer(id))
		return len(e) > 0, err
	}),
	"credit.Reader.Check": told(func(k *kit, tx *clientele.Tx, id customer.ID) (bool, error) {
		d, err := tx.Credit.Check(credit.Request{Customer: id, Amount: yuan(1)})
		return len(d.Rooms) > 0, err
	}),
	"credit.Reader.Profile": told(func(k *kit, tx *clientele.Tx, id customer.ID) (bool, error) {
		p, err := tx.Credit.Profile(id)
		return p != nil && p.Group == k.group, err
	}),
	"credit.Reader.Dunning": told(func(k *kit, tx *clientele.Tx, id customer.ID) (bool, error) {
		_, err := tx.Credit.Dunning(id)
		return id != k.absent, err // who was never dunned has an empty record
	}),
	"credit.Reader.ExposureDifferences": guarded(func(k *kit, tx *clientele.Tx) error { _, err := tx.Credit.ExposureDifferences(); return err }),
	"credit.Reader.Group":               {open: definition},
	"credit.Reader.GroupByCode":         {open: definition},
	"credit.Reader.Policy":              {open: definition},
	"credit.Reader.Policies":            {open: definition},
	"credit.Reader.Period":              {open: definition},
	"credit.Reader.Rate":                {open: definition},
	"credit.Reader.Convert":             {open: "computes from what it is given, by rates that are no customer's"},
	"orgtree.Reader.HasRole":            {open: "tells about oneself, and others only to who reviews access: package orgtree"},
	"clientele.Session.CreditJob":       {open: "is bound to the session: Load, the one job for people, is in the tests of package credit"},
}

var creditWrites = map[string]row{
	"credit.Tx.Post": write(func(k *kit, tx *clientele.Tx, id customer.ID) error {
		_, err := tx.Credit.Post(credit.Document{Key: "new", Customer: id, Kind: credit.Invoice, Date: k.day, Amount: yuan(1)})
		return err
	}),
	"credit.Tx.Allocate": owning(func(k *kit, tx *clientele.Tx, id customer.ID, o owed) error {
		_, err := tx.Credit.Allocate(credit.AllocationRequest{Debit: o.fresh, Credit: o.unsettled})
		return err
	}),
	"credit.Tx.AllocateAutomatically": write(func(k *kit, tx *clientele.Tx, id customer.ID) error {
		_, err := tx.Credit.AllocateAutomatically(credit.Automatic{Customer: id, Method: credit.OldestFirst})
		return err
	}),
	"credit.Tx.Deallocate": owning(func(k *kit, tx *clientele.Tx, id customer.ID, o owed) error {
		_, err := tx.Credit.Deallocate(o.allocation, credit.Undo{})
		return err
	}),
	"credit.Tx.Reverse": owning(func(k *kit, tx *clientele.Tx, id customer.ID, o owed) error {
		_, err := tx.Credit.Reverse(o.fresh, credit.Reverse{Key: "reversal"})
		return err
	}),
	"credit.Tx.SetDispute": owning(func(k *kit, tx *clientele.Tx, id customer.ID, o owed) error {
		_, err := tx.Credit.SetDispute(o.invoice, credit.Dispute{Since: k.day, Reason: "broken"})
		return err
	}),
	"credit.Tx.Reserve": write(func(k *kit, tx *clientele.Tx, id customer.ID) error {
		_, err := tx.Credit.Reserve(credit.Request{Key: "another", Customer: id, Amount: yuan(1)})
		return err
	}),
	"credit.Tx.Commit": owning(func(k *kit, tx *clientele.Tx, id customer.ID, o owed) error {
		_, err := tx.Credit.Commit(o.key)
		return err
	}),
	"credit.Tx.Release": owning(func(k *kit, tx *clientele.Tx, id customer.ID, o owed) error {
		_, err := tx.Credit.Release(o.key)
		return err
	}),
	"credit.Tx.Return": owning(func(k *kit, tx *clientele.Tx, id customer.ID, o owed) error {
		_, err := tx.Credit.Return(o.key)
		return err
	}),
	"credit.Tx.Reopen": owning(func(k *kit, tx *clientele.Tx, id customer.ID, o owed) error {
		_, err := tx.Credit.Reopen(o.key, yuan(7), 0)
		return err
	}),
	"credit.Tx.Change": owning(func(k *kit, tx *clientele.Tx, id customer.ID, o owed) error {
		_, err := tx.Credit.Change(o.key, yuan(6), 0)
		return err
	}),
	"credit.Tx.Pass": owning(func(k *kit, tx *clientele.Tx, id customer.ID, o owed) error {
		_, err := tx.Credit.Pass(o.key, credit.Request{Key: "delivery", Amount: yuan(7), Stage: credit.Delivered})
		return err
	}),
	"credit.Tx.SetLimit": write(func(k *kit, tx *clientele.Tx, id customer.ID) error {
		return tx.Credit.SetLimit(credit.OfCustomer(id), credit.Limit{Amount: yuan(1)})
	}),
	"credit.Tx.RemoveLimit": write(func(k *kit, tx *clientele.Tx, id customer.ID) error {
		return tx.Credit.RemoveLimit(credit.OfCustomer(id), credit.Limit{Amount: yuan(5000)})
	}),
	"credit.Tx.Propose": write(func(k *kit, tx *clientele.Tx, id customer.ID) error {
		_, err := tx.Credit.Propose(credit.Proposal{Scope: credit.OfCustomer(id), Limit: &credit.Limit{Amount: yuan(9)}, Why: "x"})
		return err
	}),
	"credit.Tx.Approve": owning(func(k *kit, tx *clientele.Tx, id customer.ID, o owed) error {
		_, err := tx.Credit.Approve(o.approval, "")
		return err
	}),
	"credit.Tx.Reject": owning(func(k *kit, tx *clientele.Tx, id customer.ID, o owed) error {
		_, err := tx.Credit.Reject(o.approval, "")
		return err
	}),
	"credit.Tx.Override": write(func(k *kit, tx *clientele.Tx, id customer.ID) error {
		_, err := tx.Credit.Override(credit.Override{Customer: id, Why: "x", Until: time.Now().Add(time.Hour)})
		return err
	}),
	"credit.Tx.Revoke": owning(func(k *kit, tx *clientele.Tx, id customer.ID, o owed) error { return tx.Credit.Revoke(o.override) }),
	"credit.Tx.Dun":    write(func(k *kit, tx *clientele.Tx, id customer.ID) error { _, err := tx.Credit.Dun(id, k.day); return err }),
	"credit.Tx.SetGroup": write(func(k *kit, tx *clientele.Tx, id customer.ID) error {
		return tx.Credit.SetGroup(id, 0)
	}),
	"credit.Tx.SetCurrencyOf": write(func(k *kit, tx *clientele.Tx, id customer.ID) error { return tx.Credit.SetCurrencyOf(id, 0) }),
	"credit.Tx.SetTermsOf":    write(func(k *kit, tx *clientele.Tx, id customer.ID) error { return tx.Credit.SetTermsOf(id, "NET30") }),
	"credit.Tx.SetPolicyOf":   write(func(k *kit, tx *clientele.Tx, id customer.ID) error { return tx.Credit.SetPolicyOf(id, "") }),
	"credit.Tx.Forget":        write(func(k *kit, tx *clientele.Tx, id customer.ID) error { return tx.Credit.Forget(id) }),
	"credit.Tx.MergeCustomers": write(func(k *kit, tx *clientele.Tx, id customer.ID) error {
		_, err := tx.Credit.MergeCustomers(id, k.seen+1000)
		if id == k.seen && !errors.Is(err, customer.ErrDenied) {
			return nil // the other one doesn't exist
		}
		return err
	}),
	"credit.Tx.UnmergeCustomers": write(func(k *kit, tx *clientele.Tx, id customer.ID) error {
		err := tx.Credit.UnmergeCustomers(&credit.Combination{Survivor: id, Loser: k.seen + 1000})
		if id == k.seen && !errors.Is(err, customer.ErrDenied) {
			return nil // the other one doesn't exist
		}
		return err
	}),
	"credit.Tx.Remind": guarded(func(k *kit, tx *clientele.Tx) error {
		var last error
		for m, err := range tx.Credit.Reminders(credit.ReminderPlan{Day: k.day}) {
			if err != nil {
				return err
			}
			if _, last = tx.Credit.Remind(m); last != nil {
				return last
			}
		}
		if tx.Storage.Session().Actor == "stranger" {
			return customer.ErrDenied // is shown none
		}
		return nil
	}),
	"credit.Tx.ClosePeriod": guarded(func(k *kit, tx *clientele.Tx) error { _, err := tx.Credit.ClosePeriod(k.day - 60); return err }),
	"credit.Tx.CreateGroup": guarded(func(k *kit, tx *clientele.Tx) error { _, err := tx.Credit.CreateGroup("g", nil); return err }),
	"credit.Tx.SetPolicy":   guarded(func(k *kit, tx *clientele.Tx) error { return tx.Credit.SetPolicy(credit.Policy{Code: "p"}) }),
	"credit.Tx.SetRate":     guarded(func(k *kit, tx *clientele.Tx) error { return tx.Credit.SetRate(money.USD, k.day, money.One()) }),
	"credit.Tx.Withdraw":    {open: "takes back what the session itself asked for, and needs to be able to read that"},
}

func init() {
	for _, rows := range []map[string]row{creditRows, creditWrites} {
		for name, r := range rows {
			table[name] = r
		}
	}
}
