package capacity

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/internal/sample"
	"github.com/clientele-go/clientele/internal/sample/receivable"
)

// workloadVersion names how customers are made of a seed: results of different versions
// are not comparable, and a book of one is not grown by another.
const workloadVersion = 1

// repeatEvery: each twelfth customer is an earlier one recorded again.
const repeatEvery = 12

// openPerTen and settledPerTen are the open items, and the invoices that were settled in
// the two years before, of ten customers. A settled invoice has a payment too, so that
// there are seven items a customer.
const openPerTen, settledPerTen = 30, 20

// reportDay is the day as of which receivables are made, pastDay an earlier one.
var (
	reportDay = date.Of(time.Date(2026, time.June, 30, 0, 0, 0, 0, time.UTC))
	pastDay   = reportDay - 90
)

// workload makes a book's contents. What it says of the customer at an index depends on
// the seed and the index alone. Its methods may be called from several goroutines.
type workload struct{ seed uint64 }

// code is how the customer at an index is known.
func code(index int) string { return fmt.Sprintf("K%08d", index) }

// original is the index of the customer that the one at an index repeats, false for none.
func (w workload) original(index int) (int, bool) {
	if index%repeatEvery != repeatEvery-1 {
		return 0, false
	}
	r := rand.New(rand.NewPCG(w.seed^0xd0b1e, uint64(index)))
	i := r.IntN(index)
	return i - i%repeatEvery, true // which repeats none itself
}

// draft is the customer at an index.
func (w workload) draft(index int) customer.Draft {
	if first, repeats := w.original(index); repeats {
		d := sample.Again(w.seed, sample.Customer(w.seed, first))
		d.Code = code(index)
		return d
	}
	d := sample.Customer(w.seed, index).Draft()
	d.Code = code(index)
	return d
}

// drafts yields the customers from one index to below another, with their units.
func (w workload) drafts(from, to int, units []customer.UnitID) iter.Seq2[customer.Draft, error] {
	return func(yield func(customer.Draft, error) bool) {
		for i := from; i < to; i++ {
			d := w.draft(i)
			d.Owner = units[int(d.Owner)%len(units)]
			if !yield(d, nil) {
				return
			}
		}
	}
}

// The dimensions of tags, and how many tags each has. A customer has one region and one
// industry, a few far more frequent than others, each of the common flags with a chance
// of 25 % and each of the rare ones with 3 %.
const (
	regions    = 34
	industries = 20
	common     = 5
	flags      = 10
)

// classes are the tags of a customer by number.
type classes struct {
	region, industry int
	flags            uint16 // by bit
}

func (c classes) has(flag int) bool { return c.flags>>flag&1 != 0 }

// classes returns the tags of the customer at an index.
func (w workload) classes(index int) classes {
	var r rand.PCG
	r.Seed(w.seed^0x7a95, uint64(index))
	x := r.Uint64()
	c := classes{region: low(uint32(x), regions), industry: low(uint32(x>>32), industries)}
	for f, percent := range [flags]uint64{25, 25, 25, 25, 25, 3, 3, 3, 3, 3} {
		if r.Uint64()%100 < percent {
			c.flags |= 1 << f
		}
	}
	return c
}

// low maps a random number to one below a limit, small ones more likely: the lower half
// comes 71 times of 100.
func low(x uint32, limit uint64) int {
	x64 := uint64(x)
	return int(x64 * x64 >> 32 * limit >> 32)
}

// account makes the receivables of the customer at an index into a, whose memory is used
// again.
func (w workload) account(index int, a *receivable.Account) {
	book := receivable.Book{Seed: w.seed, Customers: 10, Open: openPerTen, Settled: settledPerTen, AsOf: reportDay}
	book.Fill(index, a)
}

// loadAccount turns receivables into what the ledger loads, with to's memory.
func loadAccount(id customer.ID, from *receivable.Account, to *credit.LoadAccount) {
	to.Customer, to.Items, to.Allocations = id, to.Items[:0], to.Allocations[:0]
	for _, i := range from.Items {
		kind := credit.Invoice
		if i.Payment {
			kind = credit.Payment
		}
		to.Items = append(to.Items, credit.Item{
			Kind: kind, Document: i.Key, Date: i.Date, Due: i.Due, Known: i.Date,
			Amount: money.Amount{Minor: i.Amount, Currency: i.Currency},
		})
	}
	for _, a := range from.Allocations {
		to.Allocations = append(to.Allocations, credit.LoadAllocation{Debit: a.Debit, Credit: a.Credit, Amount: a.Amount, Date: a.Date, Known: a.Date})
	}
}

// balances adds to sums what an account owes by currency as of a day.
func balances(a *receivable.Account, asOf date.Date, sums map[money.Currency]int64) {
	for _, i := range a.Items {
		switch {
		case i.Date > asOf:
		case i.Payment:
			sums[i.Currency] -= i.Amount
		default:
			sums[i.Currency] += i.Amount
		}
	}
}

// expected is what questions over the whole book must answer.
type expected struct {
	customers int
	matching  int64                       // of filterText
	flagged   [regions]int64              // of flag f0 by region
	cells     [][regions]int64            // by industry and region
	owed      [2]map[money.Currency]int64 // as of reportDay and pastDay
}

func newExpected() *expected {
	return &expected{cells: make([][regions]int64, industries), owed: [2]map[money.Currency]int64{{}, {}}}
}

// filterText is the filter that is counted; matches says whom it means.
const filterText = "flag:f0 AND NOT flag:f1 AND (industry:i0 OR industry:i1)"

func (c classes) matches() bool { return c.has(0) && !c.has(1) && c.industry <= 1 }

// grow adds the customers up to an index, shared out among all cores.
func (e *expected) grow(w workload, to int) {
	cores := runtime.GOMAXPROCS(0)
	parts := make([]*expected, cores)
	var all sync.WaitGroup
	for i := range parts {
		from, below := e.customers+(to-e.customers)*i/cores, e.customers+(to-e.customers)*(i+1)/cores
		all.Go(func() {
			parts[i] = newExpected()
			parts[i].count(w, from, below)
		})
	}
	all.Wait()
	for _, part := range parts {
		e.add(part)
	}
	e.customers = to
}

// count adds the customers from one index to below another.
func (e *expected) count(w workload, from, to int) {
	var account receivable.Account
	for i := from; i < to; i++ {
		c := w.classes(i)
		if c.matches() {
			e.matching++
		}
		if c.has(0) {
			e.flagged[c.region]++
		}
		e.cells[c.industry][c.region]++
		w.account(i, &account)
		balances(&account, reportDay, e.owed[0])
		balances(&account, pastDay, e.owed[1])
	}
}

func (e *expected) add(part *expected) {
	e.matching += part.matching
	for region, n := range part.flagged {
		e.flagged[region] += n
	}
	for industry, row := range part.cells {
		for region, n := range row {
			e.cells[industry][region] += n
		}
	}
	for day, sums := range part.owed {
		for currency, amount := range sums {
			e.owed[day][currency] += amount
		}
	}
}

// searchText is how somebody asks for a customer, in one of four ways: by name, phone,
// identifier or e-mail, as far as it has them.
func searchText(d *customer.Draft, way int) string {
	switch {
	case way%4 == 1 && len(d.Phones) > 0:
		return digits(d.Phones[0].Number)
	case way%4 == 2 && len(d.Identifiers) > 0:
		return d.Identifiers[0].Value
	case way%4 == 3 && len(d.Emails) > 0:
		return d.Emails[0].Address
	}
	return d.Name
}

func digits(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}
