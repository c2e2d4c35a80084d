package credit

import (
	"cmp"

	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/internal/enum"
)

// Change is what an entry of the ledger's log did to an item.
type Change uint8

const (
	ItemPosted   Change = 0
	ItemSettled  Change = 1 // by an allocation
	ItemReopened Change = 2 // by the undoing of an allocation
	changeBits          = 2
	changeMask          = 1<<changeBits - 1
)

var changeNames = enum.Names{"posted", "settled", "reopened"}

func (c Change) String() string { return changeNames.Of(uint8(c)) }

// MarshalText returns the lower-case English name.
func (c Change) MarshalText() ([]byte, error) {
	return changeNames.Marshal(uint8(c), "credit", "change")
}

// openItem is what is open of an item, with what aging needs to know of it.
type openItem struct {
	customer customer.ID
	item     ItemID
	due      date.Date
	date     date.Date // of the document
	amount   int64     // open minor units, positive
	currency money.Currency
	kind     Kind
	side     Side
	// contested is what the customer contests, wholly or an amount, of which no more than
	// what is open counts.
	contested int64
}

// disputed is what of the open amount is contested.
func (o *openItem) disputed() int64 { return min(o.contested, o.amount) }

// undisputed is what of the open amount is not contested.
func (o *openItem) undisputed() int64 { return o.amount - o.disputed() }

// place is where an open item stands in the order of the pages.
type place struct {
	customer customer.ID
	due      date.Date
	item     ItemID
}

func (p place) compare(q place) int {
	return cmp.Or(cmp.Compare(p.customer, q.customer), cmp.Compare(p.due, q.due), cmp.Compare(p.item, q.item))
}

func (o *openItem) place() place { return place{o.customer, o.due, o.item} }

// entry is one change of what is open of an item: amount is the difference.
type entry struct {
	openItem
	change     Change
	allocation AllocationID // 0 when the item was posted
	on         date.Date    // from when the change counts
	recorded   date.Date
}

// counts reports whether the change counts in a report as of a day as it was known at
// the end of another.
func (e *entry) counts(asOf, known date.Date) bool { return e.on <= asOf && e.recorded <= known }

// open is what an item is to the pages, with the whole of it open.
func (i *Item) open() openItem {
	return openItem{
		customer: i.Customer, item: i.ID, due: i.Due, date: i.Date, amount: i.Amount.Minor, currency: i.Amount.Currency,
		kind: i.Kind, side: i.Side, contested: i.contested(),
	}
}

// posted is the entry that brings an item into the ledger.
func (i *Item) posted() entry {
	return entry{openItem: i.open(), change: ItemPosted, on: i.Effective, recorded: i.Known}
}

// posting is posted with what is earned by it.
func (i *Item) posting() posted {
	return posted{entry: i.posted(), settlement: settlement{margin: i.Side.sign() * i.Margin}}
}

// entries are the changes that an allocation makes to its two items.
func (a *Allocation) entries(debit, credit *Item) [2]entry {
	change, sign := ItemSettled, int64(-1)
	if a.Undoes != 0 {
		change, sign = ItemReopened, 1
	}
	both := [2]entry{}
	for n, side := range [2]*Item{debit, credit} {
		both[n] = entry{openItem: side.open(), change: change, allocation: a.ID, on: a.Effective, recorded: a.Known}
	}
	both[0].amount, both[1].amount = sign*a.Amount.Minor, sign*a.CreditAmount.Minor
	return both
}
