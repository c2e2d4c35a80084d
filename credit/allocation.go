package credit

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/internal/enum"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
)

// AllocationID identifies an allocation.
type AllocationID uint64

// Method is how it was found what settles what.
type Method uint8

const (
	Manual      Method = 0
	OldestFirst Method = 1
	ByReference Method = 2
	BestFit     Method = 3
	ByReversal  Method = 4 // a reversal settles what it takes back
)

var methodNames = enum.Names{"manual", "oldest_first", "by_reference", "best_fit", "by_reversal"}

func (m Method) String() string { return methodNames.Of(uint8(m)) }

// MarshalText returns the lower-case English name.
func (m Method) MarshalText() ([]byte, error) {
	return methodNames.Marshal(uint8(m), "credit", "method")
}

// UnmarshalText reads what MarshalText wrote.
func (m *Method) UnmarshalText(text []byte) error {
	return methodNames.Unmarshal(text, (*uint8)(m), "credit", "method")
}

// Allocation settles a part of a debit by a part of a credit, or undoes another that
// did. What it states does not change.
type Allocation struct {
	ID           AllocationID
	Debit        ItemID
	Credit       ItemID
	Amount       money.Amount // of the debit, in its currency; positive
	CreditAmount money.Amount // of the credit, in its currency; the same when that is one
	Date         date.Date    // the day that was asked for
	// Effective is the day from which it counts: Date, but no earlier than either item
	// counts, and not in a period that was closed.
	Effective date.Date
	Known     date.Date // the day on which it was recorded, UTC
	Method    Method
	Request   string // the caller's key, unique in the book; empty for none
	// Difference is what the credit is worth more, or less, than the debit at the rates
	// at which they were booked, in the book's base currency: a gain or a loss by
	// exchange. It has no currency when a rate is not known. Of one that takes another back
	// it is what is taken back: a minor unit more or less than that one's, perhaps, since
	// those of an item are together what its rates make them, to the last minor unit.
	Difference money.Amount
	Undoes     AllocationID // the allocation that this one takes back, 0 for none
	UndoneBy   AllocationID
	Note       string

	Version  uint64
	Recorded time.Time
	Actor    string
	Reason   string

	texts bool
	rest  string
}

// AllocationRequest asks for a credit to settle a debit.
type AllocationRequest struct {
	Debit, Credit ItemID
	// Amount is in minor units of the debit's currency; 0 is as much as both have open,
	// for items of one currency.
	Amount int64
	// CreditAmount is what it takes of a credit in another currency, and 0 otherwise.
	CreditAmount int64
	Date         date.Date // no date is today, by ControlOptions.Location
	CarryLate    bool      // out of a closed period into the first open day
	Method       Method
	Request      string // a key by which asking again changes nothing; at most MaxDocument bytes
	Note         string
	// Tolerance is the rest of the debit, in minor units of its currency, up to which it
	// is rounded away once the credit is used up.
	Tolerance int64
	// TakeDiscount deducts the debit's cash discount when the credit's date is in time and
	// the rest of the debit is no more than that.
	TakeDiscount bool
}

// Allocate settles a debit by a credit. Both must belong to one customer, unless
// Options.Related allows otherwise. It fails with ErrOverAllocated for more than is open
// of either, now or on any day from which it would count, ErrSide, ErrCurrency, ErrOtherCustomer, ErrReversed and ErrClosedPeriod. A
// Request that was fulfilled already returns what it led to.
func (tx *Tx) Allocate(q AllocationRequest) (*Allocation, error) {
	const op = "allocate"
	if former, err := tx.fulfilled(op, q); former != nil || err != nil {
		return former, err
	}
	pair, err := tx.pair(op, q.Debit, q.Credit)
	if err != nil {
		return nil, err
	}
	a, err := tx.newAllocation(op, pair, q)
	if err != nil {
		return nil, err
	}
	if err := tx.settle(pair, a); err != nil {
		return nil, err
	}
	return a, tx.settleRest(pair, a, q)
}

// fulfilled returns the allocation that a request led to before.
func (tx *Tx) fulfilled(op string, q AllocationRequest) (*Allocation, error) {
	if q.Request == "" {
		return nil, nil
	}
	if len(q.Request) > MaxDocument {
		return nil, &Error{Op: op, Field: "Request", Value: shorten(q.Request), Remedy: fmt.Sprintf("use at most %d bytes", MaxDocument), Err: ErrInvalid}
	}
	id, err := tx.store.allocation.Lookup(tx.storage, tx.store.request, storage.Key(nil).String(q.Request))
	if isNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	a, err := tx.store.allocation.Get(tx.storage, id)
	if err != nil {
		return nil, err
	}
	for _, item := range [2]ItemID{q.Debit, q.Credit} {
		if _, err := tx.ours(op, item); err != nil {
			return nil, err
		}
	}
	if a.Debit != q.Debit || a.Credit != q.Credit || q.Amount != 0 && a.Amount.Minor != q.Amount {
		return nil, &Error{Op: op, Field: "Request", Value: shorten(q.Request), Problem: "was made for another allocation", Remedy: "use a new key", Err: ErrExists}
	}
	return a, nil
}

// pair is two items of which one may settle the other, and what is open of them.
type pair struct {
	debit, credit         *Item
	openDebit, openCredit int64
}

// pair reads and checks two items.
func (tx *Tx) pair(op string, debit, credit ItemID) (*pair, error) {
	p := &pair{}
	var err error
	if p.debit, err = tx.ours(op, debit); err != nil {
		return nil, err
	}
	if p.credit, err = tx.ours(op, credit); err != nil {
		return nil, err
	}
	if p.debit.Side != Debit || p.credit.Side != Credit {
		return nil, &Error{Op: op, Customer: p.debit.Customer, Item: debit, Problem: fmt.Sprintf("is a %s settled by a %s", p.debit.Side, p.credit.Side),
			Remedy: "name a debit and a credit", Err: ErrSide}
	}
	if p.credit.Customer != p.debit.Customer {
		if err := tx.mayShare(op, p); err != nil {
			return nil, err
		}
	}
	if p.openDebit, err = tx.openAmount(p.debit); err != nil {
		return nil, err
	}
	p.openCredit, err = tx.openAmount(p.credit)
	return p, err
}

// mayShare returns nil when one customer's credit may settle another's debit.
func (tx *Tx) mayShare(op string, p *pair) error {
	if _, err := tx.mayPost(op, p.credit.Customer); err != nil {
		return err
	}
	related := false
	if tx.store.related != nil {
		var err error
		if related, err = tx.store.related(&tx.Reader, p.debit.Customer, p.credit.Customer); err != nil {
			return err
		}
	}
	if related {
		return nil
	}
	return &Error{Op: op, Customer: p.debit.Customer, Item: p.credit.ID, Problem: "belongs to customer " + p.credit.Customer.String(),
		Remedy: "use an item of the same customer, or of one in its group", Err: ErrOtherCustomer}
}

// newAllocation checks a request and makes of it what is stored.
func (tx *Tx) newAllocation(op string, p *pair, q AllocationRequest) (*Allocation, error) {
	fail := func(field, value, problem string, err error) error {
		return &Error{Op: op, Customer: p.debit.Customer, Item: q.Debit, Field: field, Value: value, Problem: problem, Err: err}
	}
	for _, i := range [2]*Item{p.debit, p.credit} {
		if i.ReversedBy != 0 && q.Method != ByReversal {
			return nil, &Error{Op: op, Customer: i.Customer, Item: i.ID, Err: ErrReversed}
		}
	}
	amounts, err := p.amounts(q)
	switch {
	case err != nil:
		return nil, fail("Amount", "", "", err)
	case amounts[0].Minor <= 0 || amounts[1].Minor <= 0:
		return nil, fail("Amount", amounts[0].String(), "nothing is left to allocate, or the amount is not positive", ErrOverAllocated)
	case amounts[0].Minor > p.openDebit:
		return nil, fail("Amount", amounts[0].String(), "of the debit only "+money.Amount{Minor: p.openDebit, Currency: p.debit.Amount.Currency}.String()+" is open", ErrOverAllocated)
	case amounts[1].Minor > p.openCredit:
		return nil, fail("CreditAmount", amounts[1].String(), "of the credit only "+money.Amount{Minor: p.openCredit, Currency: p.credit.Amount.Currency}.String()+" is open", ErrOverAllocated)
	case len(q.Note) > MaxNote:
		return nil, fail("Note", shorten(q.Note), fmt.Sprintf("is longer than %d bytes", MaxNote), ErrInvalid)
	}
	a := &Allocation{
		Debit: q.Debit, Credit: q.Credit, Amount: amounts[0], CreditAmount: amounts[1], Date: q.Date, Method: q.Method,
		Request: q.Request, Note: q.Note, texts: q.Note != "", Known: dayOf(tx.now()),
	}
	if a.Date == 0 {
		a.Date = tx.today()
	}
	earliest := max(p.debit.Effective, p.credit.Effective)
	if a.Effective, err = tx.admit(op, max(a.Date, earliest), q.CarryLate); err != nil {
		return nil, err
	}
	if err := tx.checkPast(op, p, a); err != nil {
		return nil, err
	}
	a.Known = max(a.Known, p.debit.Known, p.credit.Known)
	a.Difference, err = tx.store.exchange(p, a)
	return a, err
}

// checkPast fails for an allocation that takes, on some day, what another had settled then
// and was taken back only later. It costs a read of each allocation of an item to which that
// may apply.
func (tx *Tx) checkPast(op string, p *pair, a *Allocation) error {
	for _, s := range [2]struct {
		item  *Item
		open  int64
		taken money.Amount
	}{{p.debit, p.openDebit, a.Amount}, {p.credit, p.openCredit, a.CreditAmount}} {
		if a.Effective >= s.item.reopened {
			continue
		}
		least, err := tx.leastOpen(s.item, s.open, a.Effective)
		if err != nil {
			return err
		}
		if s.taken.Minor > least {
			return &Error{Op: op, Customer: s.item.Customer, Item: s.item.ID, Field: "Date", Value: a.Effective.String(),
				Problem: "only " + money.Amount{Minor: least, Currency: s.taken.Currency}.String() + " was open then, until another allocation was taken back",
				Remedy:  "use " + s.item.reopened.String() + " or a later day", Err: ErrOverAllocated}
		}
	}
	return nil
}

// leastOpen is the least that is open of an item on any day from one on, given what is open
// in the end.
func (r *Reader) leastOpen(i *Item, open int64, from date.Date) (int64, error) {
	changes := map[date.Date]int64{} // by the day from which they count, those after from
	for a, err := range r.allocations(i.ID) {
		if err != nil {
			return 0, err
		}
		if a.Effective <= from {
			continue
		}
		amount := a.Amount.Minor
		if i.ID == a.Credit {
			amount = a.CreditAmount.Minor
		}
		if a.Undoes == 0 {
			amount = -amount
		}
		changes[a.Effective] += amount
	}
	least := open
	for _, day := range slices.Backward(slices.Sorted(maps.Keys(changes))) {
		open -= changes[day]
		least = min(least, open)
	}
	return least, nil
}

// amounts are what a request takes of the debit and of the credit.
func (p *pair) amounts(q AllocationRequest) (of [2]money.Amount, err error) {
	debit, credit := p.debit.Amount.Currency, p.credit.Amount.Currency
	of[0], of[1] = money.Amount{Minor: q.Amount, Currency: debit}, money.Amount{Minor: q.CreditAmount, Currency: credit}
	switch {
	case debit != credit && (q.Amount == 0 || q.CreditAmount == 0):
		err = fmt.Errorf("%w: the debit is in %s, the credit in %s; give both amounts", ErrCurrency, debit, credit)
	case debit == credit && q.CreditAmount != 0 && q.CreditAmount != q.Amount:
		err = fmt.Errorf("%w: both items are in %s; leave CreditAmount out", ErrInvalid, debit)
	case debit == credit && q.Amount == 0:
		of[0].Minor = min(p.openDebit, p.openCredit)
		of[1] = of[0]
	case debit == credit:
		of[1] = of[0]
	}
	return of, err
}

// settle stores an allocation and what follows from it.
func (tx *Tx) settle(p *pair, a *Allocation) error {
	id, err := tx.store.allocationID.Next(tx.tx, nil)
	if err != nil {
		return err
	}
	a.ID = AllocationID(id)
	if err := tx.store.allocation.InsertNew(tx.tx, a.ID, a, uint8(Posted)); err != nil {
		return err
	}
	session := tx.tx.Session()
	a.Version, a.Recorded, a.Actor, a.Reason = 1, tx.tx.Now(), session.Actor, session.Reason
	p.openDebit -= a.Amount.Minor
	p.openCredit -= a.CreditAmount.Minor
	both := a.posted(p.debit, p.credit, a.Effective)
	return tx.record(both[:])
}

// posted are the entries of an allocation; on is the day from which the settlement
// counts that it makes or undoes.
func (a *Allocation) posted(debit, credit *Item, on date.Date) [2]posted {
	how := settlement{by: credit.Kind, on: on}
	both := a.entries(debit, credit)
	return [2]posted{{both[0], how}, {both[1], how}}
}

// Undo says how an allocation is taken back.
type Undo struct {
	// Date is from when it doesn't count any more; no date is the day from which it
	// counted, as if it had never been.
	Date      date.Date
	CarryLate bool // out of a closed period into the first open day
	Note      string
}

// Deallocate takes an allocation back, so that its items are open again, and returns the
// record of that. It fails with ErrReversed for one that is taken back already.
func (tx *Tx) Deallocate(id AllocationID, u Undo) (*Allocation, error) {
	const op = "deallocate"
	former, err := tx.allocation(op, id)
	if err != nil {
		return nil, err
	}
	debit, err := tx.ours(op, former.Debit)
	if err != nil {
		return nil, missingAllocation(op, id, err)
	}
	credit, err := tx.ours(op, former.Credit)
	if err != nil {
		return nil, missingAllocation(op, id, err)
	}
	if former.Undoes != 0 || former.UndoneBy != 0 {
		return nil, &Error{Op: op, Item: former.Debit, Field: "Allocation", Value: fmt.Sprint(id), Problem: "is taken back already, or takes another back", Err: ErrReversed}
	}
	if former.Method == ByReversal {
		return nil, &Error{Op: op, Customer: debit.Customer, Item: debit.ID, Problem: "a reversal can't be taken back", Remedy: "post the document again under a new key", Err: ErrReversed}
	}
	return tx.undo(op, former, debit, credit, u)
}

func (tx *Tx) undo(op string, former *Allocation, debit, credit *Item, u Undo) (*Allocation, error) {
	a := &Allocation{
		Debit: former.Debit, Credit: former.Credit, Amount: former.Amount, CreditAmount: former.CreditAmount,
		Date: u.Date, Method: former.Method, Undoes: former.ID, Note: u.Note, texts: u.Note != "", Known: max(dayOf(tx.now()), former.Known),
	}
	if a.Date == 0 {
		a.Date = former.Effective
	}
	var err error
	if a.Effective, err = tx.admit(op, max(a.Date, former.Effective), u.CarryLate); err != nil {
		return nil, err
	}
	if a.Difference, err = tx.takenBack(former, debit, credit); err != nil {
		return nil, err
	}
	id, err := tx.store.allocationID.Next(tx.tx, nil)
	if err != nil {
		return nil, err
	}
	a.ID = AllocationID(id)
	if err := tx.store.allocation.InsertNew(tx.tx, a.ID, a, uint8(Deallocated)); err != nil {
		return nil, err
	}
	if err := tx.noteReopened(a, former, debit, credit); err != nil {
		return nil, err
	}
	former.UndoneBy = a.ID
	if err := tx.store.allocation.Put(tx.tx, former.ID, former, uint8(Deallocated)); err != nil {
		return nil, err
	}
	session := tx.tx.Session()
	a.Version, a.Recorded, a.Actor, a.Reason = 1, tx.tx.Now(), session.Actor, session.Reason
	both := a.posted(debit, credit, former.Effective)
	return a, tx.record(both[:])
}

// noteReopened notes with two items that an allocation counted until it was taken back.
func (tx *Tx) noteReopened(a, former *Allocation, items ...*Item) error {
	if a.Effective == former.Effective {
		return nil // as if it had never been
	}
	for _, i := range items {
		if a.Effective <= i.reopened {
			continue
		}
		i.reopened = a.Effective
		if err := tx.store.item.Put(tx.tx, i.ID, i, uint8(Amended)); err != nil {
			return err
		}
	}
	return nil
}

func (r *Reader) allocation(op string, id AllocationID) (*Allocation, error) {
	a, err := r.store.allocation.Get(r.storage, id)
	return a, missingAllocation(op, id, err)
}

// missingAllocation says that there is none, also of one whose customer is out of sight.
func missingAllocation(op string, id AllocationID, err error) error {
	if isNotFound(err) {
		return &Error{Op: op, Field: "Allocation", Value: fmt.Sprint(id), Problem: "there is no such allocation", Err: ErrNotFound}
	}
	return err
}

// Allocations yields the allocations of an item, on whichever side, in the order in
// which they were made, those that undo others among them.
func (r *Reader) Allocations(id ItemID) iter.Seq2[*Allocation, error] {
	return func(yield func(*Allocation, error) bool) {
		if _, err := r.Item(id); err != nil {
			yield(nil, err)
			return
		}
		for a, err := range r.allocations(id) {
			if !yield(a, err) || err != nil {
				return
			}
		}
	}
}

// allocations is Allocations for what the session's scope has no part in.
func (r *Reader) allocations(id ItemID) iter.Seq2[*Allocation, error] {
	return func(yield func(*Allocation, error) bool) {
		prefix := storage.Key(nil).Uint(uint64(id))
		for e, err := range r.store.allocation.Entries(r.storage, r.store.settles, kv.Prefix(prefix), false) {
			var a *Allocation
			if err == nil {
				a, err = r.fetchAllocation(e, e.Key()[len(prefix):])
			}
			if !yield(a, err) || err != nil {
				return
			}
		}
	}
}

func (r *Reader) fetchAllocation(e storage.IndexEntry[AllocationID], rest storage.Key) (*Allocation, error) {
	id, err := e.Primary(rest)
	if err != nil {
		return nil, err
	}
	return r.store.allocation.Get(r.storage, id)
}

// Reverse says how an item is reversed.
type Reverse struct {
	Key       string    // of the reversal's document
	Date      date.Date // from when it counts; no date is today, and it is never before the item's own
	CarryLate bool
	// Deallocate takes back the item's allocations, from the reversal's day on; without it
	// an item that is partly settled can't be reversed.
	Deallocate bool
	Note       string
}

// Reverse takes an item back by another of the opposite side, of the same amount and due
// day, which settles it (红冲). It returns that one. It fails with ErrReversed for an item
// that is reversed already, and ErrAllocated for one that is partly settled.
func (tx *Tx) Reverse(id ItemID, how Reverse) (*Item, error) {
	const op = "reverse"
	i, err := tx.ours(op, id)
	if err != nil {
		return nil, err
	}
	if former, err := tx.Document(how.Key); err != nil || len(former) == 1 && former[0].Reverses == id {
		if err != nil {
			return nil, err
		}
		return former[0], nil
	}
	if i.ReversedBy != 0 || i.Kind == Reversal {
		return nil, &Error{Op: op, Customer: i.Customer, Item: id, Err: ErrReversed}
	}
	day := max(how.Date, i.Date)
	if how.Date == 0 {
		day = max(tx.today(), i.Date)
	}
	if err := tx.release(op, i, how, day); err != nil {
		return nil, err
	}
	if i, err = tx.item(op, id); err != nil { // as the release left it
		return nil, err
	}
	return tx.reverse(op, i, how, day)
}

// release takes back the allocations of an item that is to be reversed.
func (tx *Tx) release(op string, i *Item, how Reverse, day date.Date) error {
	var settled []*Allocation
	for a, err := range tx.allocations(i.ID) {
		if err != nil {
			return err
		}
		if a.Undoes == 0 && a.UndoneBy == 0 {
			settled = append(settled, a)
		}
	}
	if len(settled) > 0 && !how.Deallocate {
		return &Error{Op: op, Customer: i.Customer, Item: i.ID, Remedy: "take its allocations back first, or ask for that", Err: ErrAllocated}
	}
	for _, a := range settled {
		if _, err := tx.Deallocate(a.ID, Undo{Date: day, CarryLate: how.CarryLate, Note: how.Note}); err != nil {
			return err
		}
	}
	return nil
}

func (tx *Tx) reverse(op string, i *Item, how Reverse, day date.Date) (*Item, error) {
	d := Document{Key: how.Key, Customer: i.Customer, Kind: Adjustment, Side: i.Side.opposite(), Date: day, Amount: i.Amount, Note: how.Note}
	if err := d.check(op); err != nil {
		return nil, err
	}
	back := &Item{
		Customer: i.Customer, Kind: Reversal, Side: i.Side.opposite(), Document: how.Key, Instalment: 1, Amount: i.Amount,
		Date: day, Due: i.Due, Reference: i.Document, Note: how.Note, Rate: i.Rate, Margin: i.Margin, Reverses: i.ID, texts: how.Note != "",
	}
	if err := tx.insert(op, []*Item{back}, how.CarryLate); err != nil {
		return nil, err
	}
	i.ReversedBy = back.ID
	if err := tx.store.item.Put(tx.tx, i.ID, i, uint8(Amended)); err != nil {
		return nil, err
	}
	q := AllocationRequest{Debit: i.ID, Credit: back.ID, Date: day, CarryLate: how.CarryLate, Method: ByReversal}
	if i.Side == Credit {
		q.Debit, q.Credit = q.Credit, q.Debit
	}
	if _, err := tx.Allocate(q); err != nil {
		return nil, err
	}
	return back, nil
}

// SetDispute marks an item, or a part of it, as contested since a day, today for no date,
// or with the zero Dispute as no longer so.
func (tx *Tx) SetDispute(id ItemID, d Dispute) (*Item, error) {
	const op = "dispute"
	i, err := tx.ours(op, id)
	if err != nil {
		return nil, err
	}
	if err := d.check(op, i); err != nil {
		return nil, err
	}
	if d.Since == 0 && d != (Dispute{}) {
		d.Since = tx.today()
	}
	if d == i.Dispute {
		return i, nil
	}
	i.Dispute, i.texts = d, i.texts || d.Reason != ""
	if err := tx.store.item.Put(tx.tx, id, i, uint8(Amended)); err != nil {
		return nil, err
	}
	return i, tx.editOpen(i, func(o *openItem) { o.contested = i.contested() })
}

// check returns why an item can't be contested so.
func (d *Dispute) check(op string, i *Item) error {
	switch {
	case len(d.Reason) > MaxNote:
		return &Error{Op: op, Customer: i.Customer, Item: i.ID, Field: "Dispute.Reason", Value: shorten(d.Reason), Remedy: fmt.Sprintf("use at most %d bytes", MaxNote), Err: ErrInvalid}
	case d.Amount < 0 || d.Amount > i.Amount.Minor:
		return &Error{Op: op, Customer: i.Customer, Item: i.ID, Field: "Dispute.Amount", Value: money.Amount{Minor: d.Amount, Currency: i.Amount.Currency}.String(),
			Remedy: "contest at most the item's " + i.Amount.String() + ", or all of it by 0", Err: ErrInvalid}
	}
	return nil
}

// editOpen changes what the pages say of an item that is open.
func (tx *Tx) editOpen(i *Item, edit func(*openItem)) error {
	at := place{i.Customer, i.Due, i.ID}
	first, err := tx.firstPage(i.Customer)
	if err != nil {
		return err
	}
	p, err := tx.pageOf(first, at)
	if err != nil {
		return err
	}
	items, err := p.items()
	if err != nil {
		return err
	}
	n, found := slices.BinarySearchFunc(items, at, func(o openItem, p place) int { return o.place().compare(p) })
	if !found {
		return nil
	}
	edit(&items[n])
	return tx.store.open.Put(tx.tx, p.key, newOpenPage(p.key, p.more, items), uint8(Amended))
}
