package credit

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"

	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
)

// LoadAccount is what another system's books have of a customer.
type LoadAccount struct {
	Customer customer.ID
	// Items are posted as they stand, also into closed periods; ids are not used. Without
	// an Effective day they count from their Date, without Known they are known today.
	Items       []Item
	Allocations []LoadAllocation
}

// LoadAllocation is an allocation between two of the account's items.
type LoadAllocation struct {
	Debit, Credit int   // numbers of Items, from 0
	Amount        int64 // minor units of the debit's currency
	CreditAmount  int64 // of a credit in another currency, and 0 otherwise
	Date          date.Date
	Known         date.Date // no date is today

	openDebit, openCredit int64 // of the items, before it
}

// LoadOptions set how a bulk load runs. The zero value works.
type LoadOptions struct {
	// PartBytes bounds a part of the load, of which two are in memory; 0 is 128 MiB.
	PartBytes int
	// Refused is called for what was left out: a customer whose account is not in order,
	// or with a document key that the book has already, the customers of up to 64
	// neighbouring ids. Without it the first ends the load.
	Refused func(first, last customer.ID, err error)
	// Progress is called now and then with the number of items taken.
	Progress func(items int)
}

// Job is what work on many customers needs: where they are, and who works, why.
type Job struct {
	Storage   *storage.Store
	Customers *customer.Store
	Session   storage.Session
	Access    customer.AccessAt // nil for everything
}

// Load takes over another system's books: items and allocations of many customers, in
// ascending order of id. It writes every page once, and so is some ten times faster than
// Post and Allocate; parts become visible and durable one after another. Customers near
// which something is posted already are done by transactions. It fails with the errors
// of Post and Allocate; Options.Related is not asked. Exposure of groups and units is counted
// along. When somebody changed a loaded customer meanwhile, who may have moved to another,
// all of it is counted anew in the end; where a crash prevents that, [Store.RecountExposure]
// does it. Memory is bounded by some ten thousand customers' items on their way, and a bit
// for each customer.
func (s *Store) Load(ctx context.Context, j Job, opts LoadOptions, accounts iter.Seq2[LoadAccount, error]) (storage.Loaded, error) {
	ld := &ledgerLoad{Store: s, ctx: ctx, job: j, opts: opts}
	if err := ld.permit(); err != nil {
		return storage.Loaded{}, err
	}
	options := storage.LoadOptions{PartBytes: opts.PartBytes}
	if opts.Refused != nil {
		options.Refused = func(err *storage.RefusedError) {
			r := ld.ranges[err.Row]
			opts.Refused(r[0], r[1], &Error{Op: "load", Field: "Document", Problem: "the book has a document of this key already", Err: errors.Join(ErrDocument, err)})
		}
	}
	work := storage.RowWork[loadRow]{Prepare: ld.prepare, Place: ld.place, Add: ld.add, LeftOut: ld.leftOut, Batch: loadBatch}
	loaded, err := storage.LoadRows(ctx, j.Storage, j.Session, options, work, func(l *storage.RowLoader[loadRow]) error {
		return ld.fill(l, accounts)
	})
	return loaded, errors.Join(err, ld.followMoves())
}

// ledgerLoad is one bulk load.
type ledgerLoad struct {
	*Store
	ctx    context.Context
	job    Job
	opts   LoadOptions
	items  int
	ranges map[int][2]customer.ID // the customers of each row
	large  largeSums
	seen   countedCustomers
	last   customer.ID
}

// largeSums are the shared sums to which a load adds much, and what they come to. It is
// safe for concurrent use.
type largeSums struct {
	mu   sync.Mutex
	sums map[largeSum]int64
}

type largeSum struct {
	of  *storage.Counter
	key string
}

// addSum adds to a shared sum, as addShared does.
func (ld *ledgerLoad) addSum(l *storage.Loader, of *storage.Counter, key storage.Key, minor int64) error {
	if minor >= large || minor <= -large {
		if err := ld.large.add(ld, largeSum{of, string(key)}, minor); err != nil {
			return err
		}
	}
	of.Load(l, key, minor)
	return nil
}

func (s *largeSums) add(ld *ledgerLoad, id largeSum, minor int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	sum, known := s.sums[id]
	if !known {
		err := ld.job.Storage.View(ld.ctx, func(r *storage.Reader) (err error) {
			sum, err = id.of.Get(r, storage.Key(id.key))
			return err
		})
		if err != nil {
			return err
		}
	}
	sum, err := shared(id.of, sum, minor)
	if err != nil {
		return err
	}
	if s.sums == nil {
		s.sums = map[largeSum]int64{}
	}
	s.sums[id] = sum
	return nil
}

// loadBatch is how many rows are worked on at a time: so few that all cores have work
// soon, and that what is added to the load is still in their caches.
const loadBatch = 4

func (ld *ledgerLoad) permit() error {
	return ld.job.Storage.View(ld.ctx, func(r *storage.Reader) error {
		access, err := ld.job.Access.In(r)
		if err != nil || access == nil {
			return err
		}
		return access.Allows(customer.RightImport, customer.Items, nil)
	})
}

// fill collects the accounts of neighbours and hands them over.
func (ld *ledgerLoad) fill(l *storage.RowLoader[loadRow], accounts iter.Seq2[LoadAccount, error]) error {
	ld.ranges = map[int][2]customer.ID{}
	row := ld.begin(l)
	for a, err := range accounts {
		if err != nil {
			return err
		}
		if a.Customer <= ld.last {
			return &Error{Op: "load", Customer: a.Customer, Problem: "comes after customer " + ld.last.String(), Remedy: "sort the accounts by customer, each once", Err: ErrInvalid}
		}
		if len(row.accounts) > 0 && logBlock(ld.last) != logBlock(a.Customer) {
			if err := ld.send(l, row); err != nil {
				return err
			}
			row = ld.begin(l)
		}
		ld.last = a.Customer
		row.take(&a)
	}
	if len(row.accounts) == 0 {
		return nil
	}
	return ld.send(l, row)
}

// begin returns the next row, without accounts.
func (ld *ledgerLoad) begin(l *storage.RowLoader[loadRow]) *loadRow {
	row := l.Row()
	row.begin(dayOf(ld.job.Storage.Now()))
	return row
}

// send hands a row over, or posts it when something is posted there already.
func (ld *ledgerLoad) send(l *storage.RowLoader[loadRow], row *loadRow) error {
	if err := ld.ctx.Err(); err != nil {
		return err
	}
	row.share()
	ld.items += len(row.items)
	if ld.opts.Progress != nil {
		ld.opts.Progress(ld.items)
	}
	used, err := ld.used(row.block())
	if err != nil {
		return err
	}
	if used {
		return ld.postRow(row)
	}
	ld.ranges[l.Number()] = [2]customer.ID{row.accounts[0].Customer, ld.last}
	return l.Next()
}

// used reports whether somebody of a block has an account.
func (ld *ledgerLoad) used(block customer.ID) (used bool, err error) {
	keys := customerRange(block, block+1<<logBlockBits)
	err = ld.job.Storage.View(ld.ctx, func(r *storage.Reader) error {
		for _, err := range ld.account.Records(r, keys, false) {
			used = true
			return err
		}
		return nil
	})
	return used, err
}

// prepare checks a row's accounts. The storage compares document keys with those of other
// rows and of the book.
func (ld *ledgerLoad) prepare(row *loadRow) error {
	if err := ld.look(row); err != nil {
		return err
	}
	row.openAmounts = slices.Grow(row.openAmounts[:0], len(row.items))[:len(row.items)]
	open := row.openAmounts
	for n := range row.accounts {
		a := &row.accounts[n]
		if err := a.check(row.today, open[:len(a.Items)]); err != nil {
			return err
		}
		open = open[len(a.Items):]
	}
	return row.checkDocuments()
}

// check checks an account, completes its items and allocations, and tells what is open of
// each item in the end.
func (a *LoadAccount) check(today date.Date, open []int64) error {
	for n := range a.Items {
		i := &a.Items[n]
		i.Customer, i.ID, i.ReversedBy, i.Reverses, i.Via = a.Customer, 0, 0, 0, nil
		if err := i.complete(today); err != nil {
			return err
		}
		open[n] = i.Amount.Minor
	}
	for n := range a.Allocations {
		if err := a.settle(&a.Allocations[n], n, open, today); err != nil {
			return err
		}
	}
	return nil
}

// complete checks an item that is loaded and sets what it leaves out.
func (i *Item) complete(today date.Date) error {
	if i.Instalment == 0 {
		i.Instalment = 1
	}
	if i.Due == 0 {
		i.Due = i.Date
	}
	i.Effective = max(i.Effective, i.Date)
	if i.Known == 0 {
		i.Known = today
	}
	if side := i.Kind.Side(); side != 0 {
		i.Side = side
	}
	i.texts = i.Note != "" || i.Dispute.Reason != ""
	d := Document{Key: i.Document, Customer: i.Customer, Kind: i.Kind, Side: i.Side, Date: i.Date, Amount: i.Amount, Reference: i.Reference, Note: i.Note, Rate: i.Rate, Margin: i.Margin}
	if err := d.check("load"); err != nil {
		return err
	}
	if i.Instalment < 0 || i.Instalment > MaxInstalments {
		return &Error{Op: "load", Customer: i.Customer, Field: "Instalment", Value: fmt.Sprint(i.Instalment), Remedy: fmt.Sprintf("use a number from 1 to %d", MaxInstalments), Err: ErrInvalid}
	}
	for _, c := range i.Discounts {
		if !c.within(i.Amount.Minor) {
			return &Error{Op: "load", Customer: i.Customer, Field: "Discounts", Value: fmt.Sprint(c.Amount), Problem: "is not less than the item, or has no date", Err: ErrInvalid}
		}
	}
	if err := i.Dispute.check("load", i); err != nil {
		return err
	}
	for _, f := range []struct {
		name string
		day  date.Date
	}{{"Due", i.Due}, {"Effective", i.Effective}, {"Known", i.Known}} {
		if !f.day.Valid() || f.name == "Known" && f.day > today {
			return &Error{Op: "load", Customer: i.Customer, Field: f.name, Value: f.day.String(), Remedy: "use a day from 1900-01-01 to 2200-12-31, and Known not ahead", Err: ErrInvalid}
		}
	}
	return nil
}

// settle checks an allocation and takes it off what is open.
func (a *LoadAccount) settle(s *LoadAllocation, n int, open []int64, today date.Date) error {
	fail := func(problem string, err error) error {
		return &Error{Op: "load", Customer: a.Customer, Field: fmt.Sprintf("Allocations[%d]", n), Problem: problem, Err: err}
	}
	if s.Known == 0 {
		s.Known = today
	}
	if s.Debit < 0 || s.Debit >= len(a.Items) || s.Credit < 0 || s.Credit >= len(a.Items) {
		return fail("names no item of the account", ErrInvalid)
	}
	debit, credit := &a.Items[s.Debit], &a.Items[s.Credit]
	if s.CreditAmount == 0 && debit.Amount.Currency == credit.Amount.Currency {
		s.CreditAmount = s.Amount
	}
	switch {
	case debit.Side != Debit || credit.Side != Credit:
		return fail("doesn't settle a debit by a credit", ErrSide)
	case debit.Amount.Currency == credit.Amount.Currency && s.CreditAmount != s.Amount:
		return fail("gives two amounts for one currency", ErrInvalid)
	case !s.Date.Valid() || !s.Known.Valid() || s.Known > today:
		return fail("has no good date", ErrInvalid)
	case s.Amount <= 0 || s.CreditAmount <= 0 || s.Amount > open[s.Debit] || s.CreditAmount > open[s.Credit]:
		return fail("takes more than is open, or nothing", ErrOverAllocated)
	}
	s.openDebit, s.openCredit = open[s.Debit], open[s.Credit]
	open[s.Debit] -= s.Amount
	open[s.Credit] -= s.CreditAmount
	return nil
}

// counts tells from when an allocation counts, and since when it is known.
func (a *LoadAccount) counts(x *LoadAllocation) (effective, known date.Date) {
	debit, credit := &a.Items[x.Debit], &a.Items[x.Credit]
	return max(x.Date, debit.Effective, credit.Effective), max(x.Known, debit.Known, credit.Known)
}

// allocation makes of a loaded allocation what is stored of it.
func (a *LoadAccount) allocation(s *Store, from *LoadAllocation, stored *Allocation) (err error) {
	debit, credit := &a.Items[from.Debit], &a.Items[from.Credit]
	effective, known := a.counts(from)
	*stored = Allocation{
		Debit: debit.ID, Credit: credit.ID, Amount: debit.Amount, CreditAmount: credit.Amount, Date: from.Date,
		Effective: effective, Known: known,
	}
	stored.Amount.Minor, stored.CreditAmount.Minor = from.Amount, from.CreditAmount
	stored.Difference, err = s.exchange(&pair{debit, credit, from.openDebit, from.openCredit}, stored)
	return err
}

// leftOut reports an account that is not in order; whatever else goes wrong ends the load.
func (ld *ledgerLoad) leftOut(row int, err error) error {
	var wrong *Error
	if ld.opts.Refused == nil || !errors.As(err, &wrong) {
		return err
	}
	r := ld.ranges[row]
	ld.opts.Refused(r[0], r[1], err)
	return nil
}

// place draws the ids.
func (ld *ledgerLoad) place(l *storage.Loader, row *loadRow) error {
	for n := range row.items {
		id, err := ld.itemIDs.Load(l, nil)
		if err != nil {
			return err
		}
		row.items[n].ID = ItemID(id)
	}
	for range row.allocations {
		id, err := ld.allocationID.Load(l, nil)
		if err != nil {
			return err
		}
		row.ids = append(row.ids, AllocationID(id))
	}
	return nil
}
