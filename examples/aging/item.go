package main

import (
	"github.com/clientele-go/clientele/credit/aging"
	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
)

// item is a row of the file of items.
type item struct {
	id, customer         []byte
	idHash, customerHash uint64
	document, due        date.Date
	minor                int64
	currency             money.Currency
	credit               bool
	known                bool
}

var itemColumns = columns{
	required: []string{"item", "customer", "kind", "document_date", "currency", "amount"},
	optional: []string{"due_date", "recorded_at"},
}

// The places of columns in a record of items.
const (
	itemID = iota
	itemCustomer
	itemKind
	itemDocument
	itemCurrency
	itemAmount
	itemDue
	itemRecorded
)

// readItems reads the items and adds up those that count.
func (b *book) readItems() error {
	return readCSV(b.items, itemColumns, b.parseItem, b.addItem)
}

// parseItem is called by several goroutines at once.
func (b *book) parseItem(r *record) (i item, err error) {
	if i.id, err = r.id(itemID); err != nil {
		return i, err
	}
	if i.customer, err = r.id(itemCustomer); err != nil {
		return i, err
	}
	switch string(r.fields[itemKind]) {
	case "invoice":
	case "credit_note", "payment":
		i.credit = true
	default:
		return i, r.bad(itemKind, errKind)
	}
	if i.document, err = r.date(itemDocument, 0); err != nil {
		return i, err
	}
	if i.due, err = r.date(itemDue, i.document); err != nil {
		return i, err
	}
	if i.currency, err = money.ParseCurrency(r.fields[itemCurrency]); err != nil {
		return i, r.bad(itemCurrency, err)
	}
	amount, err := money.ParseAmount(r.fields[itemAmount], i.currency)
	if err != nil {
		return i, r.bad(itemAmount, err)
	}
	if amount.Sign() < 0 {
		return i, r.bad(itemAmount, errNegative)
	}
	i.minor = amount.Minor
	i.idHash, i.customerHash = b.itemIDs.hash(i.id), b.customers.hash(i.customer)
	i.known, err = r.recorded(itemRecorded, b.knownOn)
	return i, err
}

func (b *book) addItem(i *item) error {
	at, isNew := b.itemIDs.add(i.id, i.idHash)
	if !isNew {
		return &RowError{Column: "item", Value: string(i.id), Err: errDuplicate}
	}
	to := place{currency: i.currency, counts: i.known && i.document <= b.scheme.AsOf}
	to.account = b.sums.Account(b.customer(i), i.currency)
	minor := i.minor
	if i.credit {
		to.column, minor = uint8(b.scheme.Unapplied()), -minor
	} else if to.counts {
		to.column = uint8(b.scheme.Column(i.document, i.due))
	}
	b.itemIDs.set(at, to.pack())
	if !to.counts {
		return nil
	}
	if b.fifo && b.scheme.Basis == aging.ByDocument {
		return b.simulated.remember(to.account, i)
	}
	b.sums.Add(to.account, int(to.column), minor)
	return nil
}

// customer returns the number of an item's customer.
func (b *book) customer(i *item) uint64 {
	at, isNew := b.customers.add(i.customer, i.customerHash)
	if isNew {
		b.customers.set(at, uint64(len(b.names)))
		b.names = append(b.names, at)
	}
	return b.customers.value(at)
}
