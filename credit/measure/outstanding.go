package measure

import (
	"math/big"

	"github.com/clientele-go/clientele/credit/date"
)

// Period is what happened to receivables from one day to another, both included.
type Period struct {
	From, To date.Date
	Sales    int64 // on credit: invoices less credit notes, in minor units like the rest
	Received int64 // payments
	Opening  int64 // receivables at the beginning
	Closing  int64 // receivables at the end
	Overdue  int64 // of Closing, what is past due
}

// Days returns the number of days of the period.
func (p Period) Days() int { return p.To.DaysSince(p.From) + 1 }

// DSO returns days sales outstanding by the simple method: closing receivables ÷ sales of
// the period × its days. It is false without sales.
func (p Period) DSO() (Days, bool) { return p.daysOfSales(big.NewInt(p.Closing)) }

// BestPossibleDSO returns the DSO that there would be if everybody paid when due: closing
// receivables that aren't overdue ÷ sales × days.
func (p Period) BestPossibleDSO() (Days, bool) { return p.daysOfSales(sum(p.Closing, -p.Overdue)) }

// AverageDaysDelinquent returns DSO less BestPossibleDSO: overdue ÷ sales × days.
func (p Period) AverageDaysDelinquent() (Days, bool) { return p.daysOfSales(big.NewInt(p.Overdue)) }

func (p Period) daysOfSales(receivables *big.Int) (Days, bool) {
	return days(receivables.Mul(receivables, big.NewInt(int64(p.Days()))), big.NewInt(p.Sales))
}

// CollectionEffectiveness returns the collection effectiveness index: what was collected
// of what could be,
//
//	(opening + sales − closing) ÷ (opening + sales − closing not overdue),
//
// 100 % when nothing is overdue. It is false when nothing could be collected.
func (p Period) CollectionEffectiveness() (Share, bool) {
	return share(sum(p.Opening, p.Sales, -p.Closing), sum(p.Opening, p.Sales, -p.Closing, p.Overdue))
}

// Turnover returns how often receivables turned over in the period, in hundredths: sales ÷
// the mean of opening and closing receivables.
func (p Period) Turnover() (hundredths int64, ok bool) {
	over := new(big.Int).Lsh(big.NewInt(p.Sales), 1)
	return quotient(over, sum(p.Opening, p.Closing), 100)
}

// CountBackDSO returns days sales outstanding by counting back (the exhaustion method):
// from the closing receivables, the sales of each period are taken off, the latest first.
// A period that is used up counts with all its days, the last one in proportion. Seasons
// disturb it less than DSO. Periods are in order of time, the closing balance is that of
// the last. A period without sales, or with more credit notes than invoices, counts with
// its days, and what it lacks is taken off the sales before. It is false when the sales of
// all periods don't use up the receivables: give more periods then.
func CountBackDSO(periods []Period) (Days, bool) {
	if len(periods) == 0 {
		return 0, false
	}
	left := big.NewInt(periods[len(periods)-1].Closing)
	var whole int64
	for i := len(periods) - 1; i >= 0 && left.Sign() > 0; i-- {
		p := periods[i]
		sales := big.NewInt(p.Sales)
		if sales.Cmp(left) > 0 {
			left.Mul(left, big.NewInt(int64(p.Days())))
			part, ok := days(left, sales)
			return Days(whole*100) + part, ok
		}
		left.Sub(left, sales)
		whole += int64(p.Days())
	}
	return Days(whole * 100), left.Sign() <= 0
}

// Utilisation returns the share of a limit that is used; more than All when it is
// exceeded. It is false for a limit of zero.
func Utilisation(exposure, limit int64) (Share, bool) {
	return share(big.NewInt(exposure), big.NewInt(limit))
}

// Trend returns the change per step of figures in order of time: the slope of the least
// squares line through them, in the figures' unit. It is false for fewer than two.
func Trend[T ~int64](figures []T) (T, bool) {
	n := int64(len(figures))
	if n < 2 {
		return 0, false
	}
	// With x = 0 … n−1: slope = (n Σxy − Σx Σy) ÷ (n Σx² − (Σx)²), and the divisor is
	// n²(n²−1) ÷ 12.
	ys, xys := new(big.Int), new(big.Int)
	for x, y := range figures {
		ys.Add(ys, big.NewInt(int64(y)))
		xys.Add(xys, new(big.Int).Mul(big.NewInt(int64(x)), big.NewInt(int64(y))))
	}
	over := xys.Mul(xys, big.NewInt(n))
	over.Sub(over, ys.Mul(ys, big.NewInt(n*(n-1)/2)))
	under := new(big.Int).Mul(big.NewInt(n*n), big.NewInt(n*n-1))
	slope, ok := quotient(over.Mul(over, big.NewInt(12)), under, 1)
	return T(slope), ok
}
