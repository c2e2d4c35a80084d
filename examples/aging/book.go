package main

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/clientele-go/clientele/credit/aging"
	"github.com/clientele-go/clientele/credit/money"
)

// book is what the program keeps of the files: who there is, the items' places in the
// report, and the sums.
type book struct {
	options
	itemIDs   *ids // values are places
	customers *ids // values are numbers from 0 on
	names     []ref
	sums      *aging.Accumulator
	simulated fifo

	overdrawn      int // rows with a debit below zero, or a credit above
	firstOverdrawn string
}

func newBook(o options) *book {
	return &book{options: o, itemIDs: newIDs(), customers: newIDs(), sums: aging.NewAccumulator(o.scheme)}
}

// place is where an item's open amount stands in the report, in 8 bytes.
type place struct {
	account  aging.Account
	currency money.Currency
	column   uint8 // the unapplied one for credits
	counts   bool  // at the report's date
}

func (p place) pack() uint64 {
	packed := uint64(p.account) | uint64(p.currency)<<32 | uint64(p.column)<<48
	if p.counts {
		packed |= 1 << 56
	}
	return packed
}

func unpack(packed uint64) place {
	return place{aging.Account(uint32(packed)), money.Currency(packed >> 32), uint8(packed >> 48), packed>>56 != 0}
}

type rowSeq = iter.Seq2[aging.Row, error]

// rows returns the rows of all customers, who are sorted bytewise.
func (b *book) rows(of func(customer uint64) rowSeq) rowSeq {
	return func(yield func(aging.Row, error) bool) {
		for _, customer := range b.sorted() {
			for row, err := range of(customer) {
				if err != nil {
					yield(row, b.named(customer, err))
					return
				}
				b.look(customer, &row)
				if !yield(row, nil) {
					return
				}
			}
		}
	}
}

// look notes a row of which more is settled than there is.
func (b *book) look(customer uint64, row *aging.Row) {
	if row.Unapplied <= 0 && !slices.ContainsFunc(row.Buckets, func(minor int64) bool { return minor < 0 }) {
		return
	}
	if b.overdrawn++; b.overdrawn == 1 {
		b.firstOverdrawn = fmt.Sprintf("customer %q in %v", b.name(customer), row.Currency)
	}
}

// named says which customer's amounts an error is about.
func (b *book) named(customer uint64, err error) error {
	return fmt.Errorf("customer %q: %w", b.name(customer), err)
}

func (b *book) name(customer uint64) string { return string(b.customers.id(b.names[customer])) }

// sorted returns the customers' numbers in the order of their names. Names mostly begin
// alike: 8 bytes after what is common to all decide, or else the names.
func (b *book) sorted() []uint64 {
	skip := b.commonPrefix()
	type key struct {
		prefix uint64
		number uint64
	}
	keys := make([]key, len(b.names))
	for number, at := range b.names {
		var prefix [8]byte
		copy(prefix[:], b.customers.id(at)[skip:])
		keys[number] = key{binary.BigEndian.Uint64(prefix[:]), uint64(number)}
	}
	slices.SortFunc(keys, func(x, y key) int {
		if c := cmp.Compare(x.prefix, y.prefix); c != 0 {
			return c
		}
		return bytes.Compare(b.customers.id(b.names[x.number]), b.customers.id(b.names[y.number]))
	})
	numbers := make([]uint64, len(keys))
	for i, k := range keys {
		numbers[i] = k.number
	}
	return numbers
}

func (b *book) commonPrefix() int {
	if len(b.names) == 0 {
		return 0
	}
	first := b.customers.id(b.names[0])
	common := len(first)
	for _, at := range b.names {
		id := b.customers.id(at)
		common = min(common, len(id))
		for i := range common {
			if id[i] != first[i] {
				common = i
				break
			}
		}
	}
	return common
}

// Errors of items and allocations.
var (
	errKind      = errors.New("not a kind; use invoice, credit_note or payment")
	errNegative  = errors.New("the amount is negative; amounts are positive, the kind says the direction")
	errDuplicate = errors.New("there is an item of this name already")
	errUnknown   = errors.New("no such item in the file of items")
	errCredit    = errors.New("this is a credit note or payment; an allocation goes from one to an invoice")
	errDebit     = errors.New("this is an invoice; an allocation goes from a credit note or payment to one")
	errCurrency  = errors.New("the items' currencies differ; the column credit_amount must give the amount in the credit item's")
)
