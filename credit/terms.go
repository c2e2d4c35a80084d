package credit

import (
	"time"

	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
)

// Terms say when a document is due: in one part or several, each by its own rule, with a
// cash discount or not. The zero Terms are due on the document's date. ParseTerms reads
// them from texts such as "NET30", "2/10 NET30" and "月结30天".
type Terms struct {
	Parts     []TermsPart // none is one part, due at once
	Discounts []DiscountTerm
}

// TermsPart is a share of the amount and the rule of its due day.
type TermsPart struct {
	Weight uint64 // in proportion to the other parts' weights; percents, usually
	Rule   DueRule
}

// DiscountTerm is what may be deducted when a part is paid within some days of the
// document's date.
type DiscountTerm struct {
	Days        int
	BasisPoints uint64 // hundredths of a percent of the part
}

// Statement is a period at whose end documents are collected before they fall due.
type Statement uint8

const (
	NoStatement Statement = 0
	Monthly     Statement = 1 // 月结
	Quarterly   Statement = 2 // 季结
	Yearly      Statement = 3 // 年结
)

// DueRule computes a due day: from the document's date, or with a Statement from the end
// of its period, Months later, then on the Day of the month, then Days later.
type DueRule struct {
	Statement Statement
	// CutOff is the day of the month on which a monthly statement ends; later documents
	// are in the next one. 0 is the month's last day.
	CutOff int
	Months int
	Day    int // of the month, the last one for a month that has no such; 0 for any
	Days   int
}

// The most days and months of a rule.
const (
	MaxTermDays   = 3660
	MaxTermMonths = 120
)

// Due returns the due day of a document of a date.
func (r DueRule) Due(document date.Date) (date.Date, error) {
	if err := r.check(); err != nil {
		return 0, err
	}
	base, last := document, false // last: the month's last day is meant, whichever that is
	if r.Statement != NoStatement {
		var err error
		if base, err = r.statement(document); err != nil {
			return 0, err
		}
		last = r.CutOff == 0
	}
	if r.Months > 0 {
		var err error
		if base, err = base.AddMonths(r.Months); err != nil {
			return 0, err
		}
		if last {
			base = base.EndOfMonth()
		}
	}
	if r.Day > 0 {
		var err error
		if base, err = r.onDay(base); err != nil {
			return 0, err
		}
	}
	return base.AddDays(r.Days)
}

func (r DueRule) check() error {
	for _, f := range []struct {
		name        string
		value, most int
	}{{"CutOff", r.CutOff, 31}, {"Months", r.Months, MaxTermMonths}, {"Day", r.Day, 31}, {"Days", r.Days, MaxTermDays}} {
		if f.value < 0 || f.value > f.most {
			return termError(f.name, f.value, f.most)
		}
	}
	if r.Statement > Yearly {
		return termError("Statement", int(r.Statement), int(Yearly))
	}
	return nil
}

// statement returns the last day of the period that a document belongs to.
func (r DueRule) statement(document date.Date) (date.Date, error) {
	year, month, day := document.Civil()
	switch r.Statement {
	case Quarterly:
		month = (month + 2) / 3 * 3
	case Yearly:
		month = time.December
	case Monthly:
		if r.CutOff > 0 {
			end := dayOfMonth(document, r.CutOff)
			if day <= r.CutOff {
				return end, nil
			}
			next, err := document.Month().First().AddMonths(1)
			return dayOfMonth(next, r.CutOff), err
		}
	}
	first, err := date.New(year, month, 1)
	return first.EndOfMonth(), err
}

// onDay returns the rule's day of the month: of base's own month when months led there,
// otherwise the first from base on.
func (r DueRule) onDay(base date.Date) (date.Date, error) {
	due := dayOfMonth(base, r.Day)
	if due >= base || r.Months > 0 {
		return due, nil
	}
	next, err := base.Month().First().AddMonths(1)
	return dayOfMonth(next, r.Day), err
}

// dayOfMonth returns a day of a date's month, the last one when it has no such.
func dayOfMonth(d date.Date, day int) date.Date {
	return min(d.Month().First()+date.Date(day-1), d.EndOfMonth())
}

// Split divides an amount into instalments by terms: parts by weight, cut toward zero,
// with the minor units that remain in the first ones; so they add up to the amount.
func (t Terms) Split(amount money.Amount, document date.Date) ([]Instalment, error) {
	parts := t.Parts
	if len(parts) == 0 {
		parts = []TermsPart{{Weight: 1}}
	}
	weights := make([]uint64, len(parts))
	for i, p := range parts {
		weights[i] = p.Weight
	}
	amounts, err := amount.Split(weights...)
	if err != nil {
		return nil, err
	}
	var list []Instalment
	for i, p := range parts {
		if amounts[i].Minor == 0 {
			continue // less than a minor unit falls to this part
		}
		due, err := p.Rule.Due(document)
		if err != nil {
			return nil, err
		}
		discounts, err := t.discounts(amounts[i], document)
		if err != nil {
			return nil, err
		}
		list = append(list, Instalment{Due: due, Amount: amounts[i].Minor, Discounts: discounts})
	}
	return list, nil
}

func (t Terms) discounts(part money.Amount, document date.Date) ([]CashDiscount, error) {
	var list []CashDiscount
	for _, d := range t.Discounts {
		if d.Days < 0 || d.Days > MaxTermDays {
			return nil, termError("Discounts.Days", d.Days, MaxTermDays)
		}
		if d.BasisPoints >= 10_000 {
			return nil, termError("Discounts.BasisPoints", int(d.BasisPoints), 9999)
		}
		until, err := document.AddDays(d.Days)
		if err != nil {
			return nil, err
		}
		amount, err := part.MulDiv(d.BasisPoints, 10_000)
		if err != nil {
			return nil, err
		}
		if amount.Minor > 0 {
			list = append(list, CashDiscount{until, amount.Minor})
		}
	}
	return list, nil
}
