package aging

import (
	"fmt"
	"iter"
	"maps"
	"slices"

	"github.com/clientele-go/clientele/credit/money"
)

// Accumulator adds up open amounts by customer and currency, an account each. It is not
// safe for concurrent use: scan ranges in parallel into one each, and Merge them.
//
// Adding costs a few nanoseconds and allocates nothing once the account exists; an
// account takes 24 bytes and 8 for each column.
type Accumulator struct {
	scheme   Scheme
	width    int // columns of an account, unapplied included
	accounts []account
	sums     []int64 // width of each account
	// carries are the sums that have left 64 bits, and how often in which direction:
	// what is subtracted later may bring them back, so only the result tells.
	carries map[int]int64

	chunks map[uint64]*chunk // by customer / chunkLen: ids are dense
	at     uint64            // the chunk used last
	recent *chunk
}

// Account is a handle of a customer's sums in one currency.
type Account int32

type account struct {
	customer uint64
	currency money.Currency
	next     Account // of the same customer, in the order of currencies
}

const (
	chunkLen = 4096
	none     = Account(0) // handles begin at 1, so that new chunks need no filling
)

type chunk [chunkLen]Account

// NewAccumulator returns an Accumulator without accounts.
func NewAccumulator(scheme Scheme) *Accumulator {
	return &Accumulator{
		scheme: scheme, width: scheme.Buckets.Len() + 1, carries: map[int]int64{},
		chunks: map[uint64]*chunk{}, accounts: make([]account, 1), sums: make([]int64, scheme.Buckets.Len()+1),
	}
}

// Scheme returns what the Accumulator was made for.
func (a *Accumulator) Scheme() Scheme { return a.scheme }

// Account returns the handle of a customer's account in a currency; it makes one if need
// be. The number of a customer is the caller's; small dense numbers cost least.
func (a *Accumulator) Account(customer uint64, currency money.Currency) Account {
	link := a.first(customer)
	for *link != none && a.accounts[*link].currency < currency {
		link = &a.accounts[*link].next
	}
	if *link != none && a.accounts[*link].currency == currency {
		return *link
	}
	made := Account(len(a.accounts))
	next := *link
	*link = made // before accounts moves
	a.accounts = append(a.accounts, account{customer, currency, next})
	for range a.width {
		a.sums = append(a.sums, 0)
	}
	return made
}

// first returns the place of a customer's first account.
func (a *Accumulator) first(customer uint64) *Account {
	n := customer / chunkLen
	if a.recent == nil || a.at != n {
		c := a.chunks[n]
		if c == nil {
			c = new(chunk)
			a.chunks[n] = c
		}
		a.at, a.recent = n, c
	}
	return &a.recent[customer%chunkLen]
}

// Add adds minor units to a column of an account: one of Scheme.Column for debits, or
// Scheme.Unapplied for credits, which are negative. Sums that overflow are reported with
// the rows, unless what is added later brings them back.
func (a *Accumulator) Add(to Account, column int, minor int64) {
	at := int(to)*a.width + column
	before := a.sums[at]
	a.sums[at] = before + minor
	if sum := before + minor; (before^sum)&(minor^sum) < 0 { // as AddMinor says, but in line
		a.carry(at, minor)
	}
}

// carry notes that an amount made a sum leave 64 bits.
func (a *Accumulator) carry(at int, minor int64) {
	a.carries[at] += sign(minor)
	if a.carries[at] == 0 {
		delete(a.carries, at)
	}
}

// Merge adds another Accumulator of an equal scheme to this one.
func (a *Accumulator) Merge(other *Accumulator) error {
	return a.roll(other, func(customer uint64) (uint64, bool) { return customer, true })
}

// RollUp returns the sums of groups of customers: of units, sales reps, or of everything.
// The function returns the number of a customer's group, or false to leave it out.
func (a *Accumulator) RollUp(group func(customer uint64) (uint64, bool)) *Accumulator {
	rolled := NewAccumulator(a.scheme)
	_ = rolled.roll(a, group) // the schemes are equal
	return rolled
}

func (a *Accumulator) roll(other *Accumulator, group func(uint64) (uint64, bool)) error {
	if !a.scheme.equal(other.scheme) {
		return &Error{"merge", "", "merge accumulators that were made for the same date and buckets", ErrScheme}
	}
	for i, from := range other.accounts[1:] {
		number, counts := group(from.customer)
		if !counts {
			continue
		}
		to := a.Account(number, from.currency)
		for column := range a.width {
			a.Add(to, column, other.sums[(i+1)*a.width+column])
		}
	}
	for at, n := range other.carries {
		from := other.accounts[at/a.width]
		if number, counts := group(from.customer); counts {
			a.carryMany(int(a.Account(number, from.currency))*a.width+at%a.width, n)
		}
	}
	return nil
}

func (a *Accumulator) carryMany(at int, n int64) {
	for ; n != 0; n -= sign(n) {
		a.carry(at, n)
	}
}

func sign(n int64) int64 {
	if n < 0 {
		return -1
	}
	return 1
}

// Row is a line of an aging report.
type Row struct {
	Customer  uint64 // or the group's number
	Currency  money.Currency
	Buckets   []int64 // minor units by column; valid until the next row
	Unapplied int64   // credits not yet allocated, zero or less
	Balance   int64   // Buckets and Unapplied together
}

// IsZero says whether every amount of the row is zero.
func (r Row) IsZero() bool {
	return r.Unapplied == 0 && r.Balance == 0 && !slices.ContainsFunc(r.Buckets, func(n int64) bool { return n != 0 })
}

// Rows returns the rows in which an amount is not zero, by customer and currency in the
// order of their numbers. It ends with ErrOverflow at a row whose amounts don't fit.
func (a *Accumulator) Rows() iter.Seq2[Row, error] { return a.rows(a.holders()) }

// RowsOf returns one customer's rows.
func (a *Accumulator) RowsOf(customer uint64) iter.Seq2[Row, error] {
	return a.rows(a.holder(customer))
}

// holders returns the first account of each customer who has one, by customer.
func (a *Accumulator) holders() iter.Seq[Account] {
	return func(yield func(Account) bool) {
		for _, n := range slices.Sorted(maps.Keys(a.chunks)) {
			for _, first := range a.chunks[n] {
				if first != none && !yield(first) {
					return
				}
			}
		}
	}
}

// holder returns the first account of a customer who has one.
func (a *Accumulator) holder(customer uint64) iter.Seq[Account] {
	return func(yield func(Account) bool) {
		if c := a.chunks[customer/chunkLen]; c != nil && c[customer%chunkLen] != none {
			yield(c[customer%chunkLen])
		}
	}
}

func (a *Accumulator) rows(holders iter.Seq[Account]) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		for at := range holders {
			for ; at != none; at = a.accounts[at].next {
				row, err := a.row(at)
				if err == nil && row.IsZero() {
					continue
				}
				if !yield(row, err) || err != nil {
					return
				}
			}
		}
	}
}

func (a *Accumulator) row(at Account) (Row, error) {
	sums := a.sums[int(at)*a.width : (int(at)+1)*a.width]
	row := Row{
		Customer: a.accounts[at].customer, Currency: a.accounts[at].currency,
		Buckets: sums[:a.width-1], Unapplied: sums[a.width-1],
	}
	if len(a.carries) > 0 && a.carried(at) {
		return Row{}, tooLarge(row)
	}
	return row, row.balance()
}

// carried reports whether a sum of an account has left 64 bits.
func (a *Accumulator) carried(at Account) bool {
	for column := range a.width {
		if a.carries[int(at)*a.width+column] != 0 {
			return true
		}
	}
	return false
}

// balance sets the row's balance.
func (r *Row) balance() error {
	// Opposite amounts may leave 64 bits on the way and come back.
	sum, carry := r.Unapplied, int64(0)
	for _, minor := range r.Buckets {
		next, fits := money.AddMinor(sum, minor)
		if !fits {
			carry += sign(minor)
		}
		sum = next
	}
	r.Balance = sum
	if carry != 0 {
		return tooLarge(*r)
	}
	return nil
}

func tooLarge(r Row) error {
	return &Error{"add up", fmt.Sprintf("%d %v", r.Customer, r.Currency),
		"the amounts of a customer in a currency must fit 64 bits of minor units", ErrOverflow}
}
