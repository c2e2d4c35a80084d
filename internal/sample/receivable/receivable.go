package receivable

import (
	"fmt"
	"math/rand/v2"

	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
)

// Book says how large a book is.
type Book struct {
	Seed      uint64
	Customers int
	Open      int       // invoices and payments that are open, of all customers together
	Settled   int       // invoices that were settled in the Months before, each by its own payment
	Months    int       // of settled history; 0 is 24
	AsOf      date.Date // the day on which the book is as it is
}

// Item is an invoice, or a payment.
type Item struct {
	Key      string
	Payment  bool
	Date     date.Date
	Due      date.Date
	Amount   int64 // minor units
	Currency money.Currency
}

// Allocation settles a part of an item by another; both are numbers of the account's items.
type Allocation struct {
	Debit, Credit int
	Amount        int64
	Date          date.Date
}

// Account is what one customer has.
type Account struct {
	Items       []Item
	Allocations []Allocation
}

// Fill makes the account of customer n, from 0 on, into a, whose memory is used again.
// Nine in ten accounts are in CNY only, and one open item in ten is a payment. Invoices
// are due after 30 to 90 days; open ones are up to half a year old.
func (b *Book) Fill(n int, a *Account) {
	a.Items, a.Allocations = a.Items[:0], a.Allocations[:0]
	r := rand.New(rand.NewPCG(b.Seed, uint64(n)))
	c := money.CNY
	if r.IntN(10) == 0 {
		c = [...]money.Currency{money.USD, money.JPY, money.EUR}[r.IntN(3)]
	}
	for i := range share(b.Settled, b.Customers, n) {
		months := b.Months
		if months == 0 {
			months = 24
		}
		invoice := b.invoice(r, c, fmt.Sprintf("S%d-%d", n, i), r.IntN(months*30)+30)
		paid := min(invoice.Due+date.Date(r.IntN(40)-15), b.AsOf)
		payment := Item{fmt.Sprintf("P%d-%d", n, i), true, max(paid, invoice.Date), paid, invoice.Amount, c}
		payment.Due = payment.Date
		a.Allocations = append(a.Allocations, Allocation{len(a.Items), len(a.Items) + 1, invoice.Amount, payment.Date})
		a.Items = append(a.Items, invoice, payment)
	}
	for i := range share(b.Open, b.Customers, n) {
		item := b.invoice(r, c, fmt.Sprintf("O%d-%d", n, i), r.IntN(180))
		if r.IntN(10) == 0 {
			item.Payment, item.Due = true, item.Date
		}
		a.Items = append(a.Items, item)
	}
}

func (b *Book) invoice(r *rand.Rand, c money.Currency, key string, age int) Item {
	day := b.AsOf - date.Date(age)
	return Item{key, false, day, day + date.Date(30*(1+r.IntN(3))), 100 + r.Int64N(10_000_00), c}
}

// share divides a total evenly.
func share(total, parts, n int) int { return total*(n+1)/parts - total*n/parts }
