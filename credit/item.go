package credit

import (
	"math"
	"time"

	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/internal/enum"
)

// ItemID identifies an item. Ids are given in ascending order and never again.
type ItemID uint64

// Side is the side of a customer's account that an item stands on.
type Side uint8

const (
	Debit  Side = 1 // the customer owes
	Credit Side = 2 // the customer has paid or is credited
)

var sideNames = enum.Names{"none", "debit", "credit"}

func (s Side) String() string { return sideNames.Of(uint8(s)) }

// MarshalText returns the lower-case English name.
func (s Side) MarshalText() ([]byte, error) { return sideNames.Marshal(uint8(s), "credit", "side") }

// UnmarshalText reads what MarshalText wrote.
func (s *Side) UnmarshalText(text []byte) error {
	return sideNames.Unmarshal(text, (*uint8)(s), "credit", "side")
}

// sign is what the side does to the balance.
func (s Side) sign() int64 {
	if s == Credit {
		return -1
	}
	return 1
}

func (s Side) opposite() Side { return Debit + Credit - s }

// Kind is what an item is.
type Kind uint8

const (
	Invoice    Kind = 1
	DebitNote  Kind = 2 // charged afterwards: interest, costs
	Refund     Kind = 3 // money paid back to the customer
	CreditNote Kind = 4
	Payment    Kind = 5
	Advance    Kind = 6 // paid before there is an invoice
	Deposit    Kind = 7 // security held, which only a person allocates
	WriteOff   Kind = 8 // given up
	Discount   Kind = 9 // for early payment
	Adjustment Kind = 10
	Rounding   Kind = 11 // what was too little to pursue
	Reversal   Kind = 12 // takes another item back

	lastKind = Reversal
)

var kindNames = enum.Names{"none", "invoice", "debit_note", "refund", "credit_note", "payment", "advance", "deposit",
	"write_off", "discount", "adjustment", "rounding", "reversal"}

func (k Kind) String() string { return kindNames.Of(uint8(k)) }

// MarshalText returns the lower-case English name.
func (k Kind) MarshalText() ([]byte, error) { return kindNames.Marshal(uint8(k), "credit", "kind") }

// UnmarshalText reads what MarshalText wrote.
func (k *Kind) UnmarshalText(text []byte) error {
	return kindNames.Unmarshal(text, (*uint8)(k), "credit", "kind")
}

// Side is the side that items of the kind stand on, 0 when it may be either.
func (k Kind) Side() Side {
	switch k {
	case Invoice, DebitNote, Refund:
		return Debit
	case CreditNote, Payment, Advance, Deposit, WriteOff, Discount:
		return Credit
	}
	return 0
}

// Item is one instalment of a document: an invoice, a payment, a credit note. What it
// states does not change; what is open of it is in the open items. Items belong to the
// caller.
type Item struct {
	ID         ItemID
	Customer   customer.ID
	Kind       Kind
	Side       Side
	Document   string       // the document's key, unique in the book together with Instalment
	Instalment int          // from 1
	Amount     money.Amount // positive
	Date       date.Date    // of the document
	Due        date.Date
	// Effective is the day from which the item counts: Date, or the first open day when
	// it came too late for its period and was carried.
	Effective date.Date
	Known     date.Date // the day on which it was recorded, UTC
	Reference string    // order, contract, or the document that it is meant for
	Note      string    // free text, which goes when the customer is erased
	Discounts []CashDiscount
	Dispute   Dispute
	// Rate is the worth of one unit of the currency in the book's base currency when the
	// document was booked; zero for not known.
	Rate       money.Rate
	Margin     int64         // what is earned on the document, or given up by a credit, as far as known; of the first instalment
	Reverses   ItemID        // of a Reversal: what it takes back
	ReversedBy ItemID        // 0 for not reversed
	Via        []customer.ID // from whom the item came by merges, the latest last

	Version  uint64
	Recorded time.Time // this version
	Actor    string
	Reason   string

	reopened date.Date // the latest day on which an allocation ended that had counted before; none for never

	texts bool      // some version had free text
	held  []holding // who held it, when that can't be read from its versions any more
	rest  string
}

// holding is who held an item from one of its versions on.
type holding struct {
	from   uint64 // the version
	holder customer.ID
}

// holderAt is who held the item in a version that was erased.
func (i *Item) holderAt(version uint64) customer.ID {
	holder := i.Customer
	for _, h := range i.held {
		if h.from <= version {
			holder = h.holder
		}
	}
	return holder
}

// CashDiscount is what may be deducted from an item when it is paid by a day.
type CashDiscount struct {
	Until  date.Date
	Amount int64 // minor units of the item's currency
}

// within reports whether the discount can be one of an item of an amount.
func (d CashDiscount) within(amount int64) bool {
	return d.Until.Valid() && d.Amount > 0 && d.Amount < amount
}

// Dispute says that the customer contests an item, or a part of it: what is contested is
// not dunned nor settled automatically, and reports tell it. The zero Dispute is none.
type Dispute struct {
	Since date.Date
	// Amount is what is contested, in minor units of the item's currency; 0 is all of it.
	// Payments settle what isn't contested first: what is contested of the open part is the
	// lesser of both.
	Amount int64
	Reason string // free text
}

// Disputed reports whether the item, or a part of it, is in dispute.
func (i *Item) Disputed() bool { return i.Dispute.Since != 0 }

// wholly is the contested amount of an item that is contested whatever is open of it.
const wholly = math.MaxInt64

// contested is what of the item the customer contests.
func (i *Item) contested() int64 {
	switch {
	case !i.Disputed():
		return 0
	case i.Dispute.Amount == 0 || i.Dispute.Amount >= i.Amount.Minor:
		return wholly
	}
	return i.Dispute.Amount
}

// MaxDocument bounds a document's key and a reference, MaxNote a note, in bytes;
// MaxInstalments the instalments of a document.
const (
	MaxDocument    = 200
	MaxNote        = 2000
	MaxInstalments = 1000
)
