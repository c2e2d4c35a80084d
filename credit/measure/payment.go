package measure

import (
	"math/big"

	"github.com/clientele-go/clientele/credit/date"
)

// Settlement is an amount of an item that was paid on a day: one allocation, or the
// payment of all of it.
type Settlement struct {
	Document, Due, Paid date.Date
	Amount              int64 // minor units, not negative
}

// Payments adds up how items were paid. The zero value has none. It is not safe for
// concurrent use; Merge those of several goroutines. Adding takes some nanoseconds.
type Payments struct {
	Count int64 // settlements
	Late  int64 // of them, those after the due date

	// Sums of days over settlements, and of amounts; early payments are negative days late.
	DaysToPay, DaysLate int64
	Amount, LateAmount  Wide
	// Sums of amount × days. Beyond terms, early payments count as punctual.
	AmountDaysToPay, AmountDaysLate, AmountDaysBeyond Wide
}

// Add adds a settlement.
func (p *Payments) Add(s Settlement) { p.add(s, 1) }

// Remove takes a settlement away that was added, such as a reversed allocation.
func (p *Payments) Remove(s Settlement) { p.add(s, -1) }

func (p *Payments) add(s Settlement, times int64) {
	toPay, late := int64(s.Paid.DaysSince(s.Document)), int64(s.Paid.DaysSince(s.Due))
	p.Count += times
	p.DaysToPay += times * toPay
	p.DaysLate += times * late
	p.Amount.AddProduct(s.Amount, times)
	p.AmountDaysToPay.AddProduct(s.Amount, times*toPay)
	p.AmountDaysLate.AddProduct(s.Amount, times*late)
	if late > 0 {
		p.Late += times
		p.LateAmount.AddProduct(s.Amount, times)
		p.AmountDaysBeyond.AddProduct(s.Amount, times*late)
	}
}

// Merge adds the settlements of another.
func (p *Payments) Merge(o Payments) {
	p.Count += o.Count
	p.Late += o.Late
	p.DaysToPay += o.DaysToPay
	p.DaysLate += o.DaysLate
	p.Amount.Add(o.Amount)
	p.LateAmount.Add(o.LateAmount)
	p.AmountDaysToPay.Add(o.AmountDaysToPay)
	p.AmountDaysLate.Add(o.AmountDaysLate)
	p.AmountDaysBeyond.Add(o.AmountDaysBeyond)
}

// AverageDaysToPay returns the mean of days from document to payment.
func (p Payments) AverageDaysToPay() (Days, bool) {
	return days(big.NewInt(p.DaysToPay), big.NewInt(p.Count))
}

// WeightedDaysToPay returns Σ amount × days ÷ Σ amount: late payment of a large invoice
// weighs more.
func (p Payments) WeightedDaysToPay() (Days, bool) {
	return days(p.AmountDaysToPay.big(), p.Amount.big())
}

// AverageDaysLate returns the mean of days from due date to payment, early payments
// counting as negative.
func (p Payments) AverageDaysLate() (Days, bool) {
	return days(big.NewInt(p.DaysLate), big.NewInt(p.Count))
}

// WeightedDaysLate is AverageDaysLate weighted by amount.
func (p Payments) WeightedDaysLate() (Days, bool) {
	return days(p.AmountDaysLate.big(), p.Amount.big())
}

// DaysBeyondTerms returns the days late weighted by amount, early payments counting as
// punctual: what credit bureaus call DBT.
func (p Payments) DaysBeyondTerms() (Days, bool) {
	return days(p.AmountDaysBeyond.big(), p.Amount.big())
}

// ShareLate returns the share of settlements that came after the due date.
func (p Payments) ShareLate() (Share, bool) {
	return share(big.NewInt(p.Late), big.NewInt(p.Count))
}

// AmountShareLate returns the share of the amount that came after the due date.
func (p Payments) AmountShareLate() (Share, bool) {
	return share(p.LateAmount.big(), p.Amount.big())
}
