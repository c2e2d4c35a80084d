package credit

import (
	"time"

	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/record"
)

// The stored records' fields. A number is never used again for another meaning.
const (
	itemCustomer   = 1
	itemKind       = 2
	itemSide       = 3 // of kinds that may stand on either
	itemDocument   = 4
	itemInstalment = 5
	itemCurrency   = 6
	itemAmount     = 7
	itemDate       = 8
	itemDue        = 9  // days after the date
	itemCarried    = 10 // days from the date to the day from which it counts
	itemKnown      = 11
	itemReference  = 12
	itemNote       = 13
	itemDiscount   = 14
	itemDisputed   = 15
	itemDispute    = 16
	itemRate       = 17
	itemRateScale  = 18
	itemReverses   = 19
	itemReversedBy = 20
	itemVia        = 21
	itemTexts      = 22
	itemContested  = 23
	itemHeld       = 24
	itemReopened   = 25
	itemMargin     = 26

	heldFrom   = 1
	heldHolder = 2

	discountUntil  = 1
	discountAmount = 2

	allocationDebit          = 1
	allocationCredit         = 2
	allocationAmount         = 3
	allocationCurrency       = 4
	allocationCreditAmount   = 5 // when the currencies differ
	allocationCreditCurrency = 6
	allocationDate           = 7
	allocationEffective      = 8 // days after the date
	allocationKnown          = 9
	allocationMethod         = 10
	allocationRequest        = 11
	allocationDifference     = 12
	allocationBase           = 13
	allocationUndoes         = 14
	allocationUndoneBy       = 15
	allocationNote           = 16
	allocationTexts          = 17
)

func appendItem(dst []byte, i *Item) ([]byte, error) {
	w := record.Writer{Buf: dst}
	w.Uint(itemCustomer, uint64(i.Customer))
	w.Uint(itemKind, uint64(i.Kind))
	if i.Kind.Side() == 0 {
		w.Uint(itemSide, uint64(i.Side))
	}
	w.String(itemDocument, i.Document)
	w.Uint(itemInstalment, uint64(i.Instalment))
	w.Uint(itemCurrency, uint64(i.Amount.Currency))
	w.Uint(itemAmount, uint64(i.Amount.Minor))
	w.Uint(itemDate, uint64(i.Date))
	w.Int(itemDue, int64(i.Due-i.Date))
	w.Int(itemCarried, int64(i.Effective-i.Date))
	w.Uint(itemKnown, uint64(i.Known))
	w.String(itemReference, i.Reference)
	w.String(itemNote, i.Note)
	for _, d := range i.Discounts {
		mark := w.Begin(itemDiscount)
		w.Uint(discountUntil, uint64(d.Until))
		w.Uint(discountAmount, uint64(d.Amount))
		w.End(mark)
	}
	w.Uint(itemDisputed, uint64(i.Dispute.Since))
	w.String(itemDispute, i.Dispute.Reason)
	w.Uint(itemContested, uint64(i.Dispute.Amount))
	w.Uint(itemRate, i.Rate.Coefficient)
	w.Uint(itemRateScale, uint64(i.Rate.Scale))
	w.Uint(itemReverses, uint64(i.Reverses))
	w.Uint(itemReversedBy, uint64(i.ReversedBy))
	for _, id := range i.Via {
		w.Uint(itemVia, uint64(id))
	}
	if i.texts {
		w.Uint(itemTexts, 1)
	}
	for _, h := range i.held {
		mark := w.Begin(itemHeld)
		w.Uint(heldFrom, h.from)
		w.Uint(heldHolder, uint64(h.holder))
		w.End(mark)
	}
	w.Uint(itemReopened, uint64(i.reopened))
	w.Int(itemMargin, i.Margin)
	w.Raw(i.rest)
	return w.Buf, nil
}

func decodeItem(src string, id ItemID, m storage.Meta) (*Item, error) {
	i := &Item{ID: id, Version: m.Version, Recorded: m.Recorded, Actor: m.Actor, Reason: m.Reason}
	var due, carried date.Date
	r := record.NewReader(src)
	for r.Next() {
		switch r.Field() {
		case itemCustomer:
			i.Customer = customer.ID(r.Uint())
		case itemKind:
			i.Kind = Kind(r.Uint())
		case itemSide:
			i.Side = Side(r.Uint())
		case itemDocument:
			i.Document = r.String()
		case itemInstalment:
			i.Instalment = int(r.Uint())
		case itemCurrency:
			i.Amount.Currency = money.Currency(r.Uint())
		case itemAmount:
			i.Amount.Minor = int64(r.Uint())
		case itemDate:
			i.Date = date.Date(r.Uint())
		case itemDue:
			due = date.Date(r.Int())
		case itemCarried:
			carried = date.Date(r.Int())
		case itemKnown:
			i.Known = date.Date(r.Uint())
		case itemReference:
			i.Reference = r.String()
		case itemNote:
			i.Note = r.String()
		default:
			i.readRare(&r)
		}
	}
	if side := i.Kind.Side(); side != 0 {
		i.Side = side
	}
	i.Due, i.Effective = i.Date+due, i.Date+carried
	i.rest = r.Unknown()
	return i, r.Err()
}

// readRare reads the fields that few items have.
func (i *Item) readRare(r *record.Reader) {
	switch r.Field() {
	case itemDiscount:
		i.Discounts = append(i.Discounts, readDiscount(r))
	case itemDisputed:
		i.Dispute.Since = date.Date(r.Uint())
	case itemDispute:
		i.Dispute.Reason = r.String()
	case itemContested:
		i.Dispute.Amount = int64(r.Uint())
	case itemRate:
		i.Rate.Coefficient = r.Uint()
	case itemRateScale:
		i.Rate.Scale = uint8(r.Uint())
	case itemReverses:
		i.Reverses = ItemID(r.Uint())
	case itemReversedBy:
		i.ReversedBy = ItemID(r.Uint())
	case itemVia:
		i.Via = append(i.Via, customer.ID(r.Uint()))
	case itemTexts:
		i.texts = r.Uint() != 0
	case itemHeld:
		i.held = append(i.held, readHolding(r))
	case itemMargin:
		i.Margin = r.Int()
	case itemReopened:
		i.reopened = date.Date(r.Uint())
	default:
		r.Skip()
	}
}

func readHolding(outer *record.Reader) (h holding) {
	r := record.NewReader(outer.String())
	for r.Next() {
		switch r.Field() {
		case heldFrom:
			h.from = r.Uint()
		case heldHolder:
			h.holder = customer.ID(r.Uint())
		default:
			r.Skip()
		}
	}
	if r.Err() != nil {
		outer.Fail(r.Err())
	}
	return h
}

func readDiscount(outer *record.Reader) (d CashDiscount) {
	r := record.NewReader(outer.String())
	for r.Next() {
		switch r.Field() {
		case discountUntil:
			d.Until = date.Date(r.Uint())
		case discountAmount:
			d.Amount = int64(r.Uint())
		default:
			r.Skip()
		}
	}
	if r.Err() != nil {
		outer.Fail(r.Err())
	}
	return d
}

func appendAllocation(dst []byte, a *Allocation) ([]byte, error) {
	w := record.Writer{Buf: dst}
	w.Uint(allocationDebit, uint64(a.Debit))
	w.Uint(allocationCredit, uint64(a.Credit))
	w.Uint(allocationAmount, uint64(a.Amount.Minor))
	w.Uint(allocationCurrency, uint64(a.Amount.Currency))
	if a.CreditAmount != a.Amount {
		w.Uint(allocationCreditAmount, uint64(a.CreditAmount.Minor))
		w.Uint(allocationCreditCurrency, uint64(a.CreditAmount.Currency))
	}
	w.Uint(allocationDate, uint64(a.Date))
	w.Int(allocationEffective, int64(a.Effective-a.Date))
	w.Uint(allocationKnown, uint64(a.Known))
	w.Uint(allocationMethod, uint64(a.Method))
	w.String(allocationRequest, a.Request)
	w.Int(allocationDifference, a.Difference.Minor)
	w.Uint(allocationBase, uint64(a.Difference.Currency))
	w.Uint(allocationUndoes, uint64(a.Undoes))
	w.Uint(allocationUndoneBy, uint64(a.UndoneBy))
	w.String(allocationNote, a.Note)
	if a.texts {
		w.Uint(allocationTexts, 1)
	}
	w.Raw(a.rest)
	return w.Buf, nil
}

func decodeAllocation(src string, id AllocationID, m storage.Meta) (*Allocation, error) {
	a := &Allocation{ID: id, Version: m.Version, Recorded: m.Recorded, Actor: m.Actor, Reason: m.Reason}
	var later date.Date
	r := record.NewReader(src)
	for r.Next() {
		switch r.Field() {
		case allocationDebit:
			a.Debit = ItemID(r.Uint())
		case allocationCredit:
			a.Credit = ItemID(r.Uint())
		case allocationAmount:
			a.Amount.Minor = int64(r.Uint())
		case allocationCurrency:
			a.Amount.Currency = money.Currency(r.Uint())
		case allocationCreditAmount:
			a.CreditAmount.Minor = int64(r.Uint())
		case allocationCreditCurrency:
			a.CreditAmount.Currency = money.Currency(r.Uint())
		case allocationDate:
			a.Date = date.Date(r.Uint())
		case allocationEffective:
			later = date.Date(r.Int())
		case allocationKnown:
			a.Known = date.Date(r.Uint())
		default:
			a.readRare(&r)
		}
	}
	if a.CreditAmount.Currency == 0 {
		a.CreditAmount = a.Amount
	}
	a.Effective = a.Date + later
	a.rest = r.Unknown()
	return a, r.Err()
}

// readRare reads the fields that few allocations have.
func (a *Allocation) readRare(r *record.Reader) {
	switch r.Field() {
	case allocationMethod:
		a.Method = Method(r.Uint())
	case allocationRequest:
		a.Request = r.String()
	case allocationDifference:
		a.Difference.Minor = r.Int()
	case allocationBase:
		a.Difference.Currency = money.Currency(r.Uint())
	case allocationUndoes:
		a.Undoes = AllocationID(r.Uint())
	case allocationUndoneBy:
		a.UndoneBy = AllocationID(r.Uint())
	case allocationNote:
		a.Note = r.String()
	case allocationTexts:
		a.texts = r.Uint() != 0
	default:
		r.Skip()
	}
}

// dayOf is the UTC day of an instant.
func dayOf(t time.Time) date.Date { return date.Of(t.UTC()) }
