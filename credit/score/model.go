package score

import (
	"fmt"

	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/internal/enum"
)

// Best is the best score; the worst is 0.
const Best = 1000

// Figure is something of a customer's history that earns points.
type Figure uint8

const (
	DaysBeyondTerms Figure = iota // measure.Payments.DaysBeyondTerms, hundredths of a day
	ShareLate                     // measure.Payments.AmountShareLate, hundredths of a percent
	LateTrend                     // measure.Trend of days late, hundredths of a day a month
	Utilisation                   // measure.Utilisation, hundredths of a percent
	OldestOverdue                 // days past due of the oldest open item, whole days
	Relation                      // months since the first document, whole months
	DisputedShare                 // disputed part of what is open, hundredths of a percent
	figures
)

var figureNames = enum.Names{"days_beyond_terms", "share_late", "late_trend", "utilisation", "oldest_overdue", "relation", "disputed_share"}

// String returns the figure's name, "days_beyond_terms".
func (f Figure) String() string { return figureNames.Of(uint8(f)) }

// MarshalText returns the name.
func (f Figure) MarshalText() ([]byte, error) {
	return figureNames.Marshal(uint8(f), "score", "figure")
}

// UnmarshalText reads a name.
func (f *Figure) UnmarshalText(text []byte) error {
	return figureNames.Unmarshal(text, (*uint8)(f), "score", "figure")
}

// Band gives points to figures from a lower bound on, up to the next band's.
type Band struct {
	From   int64
	Points int // 0 to Best
}

// Factor rates one figure. Figures below the first band have its points.
type Factor struct {
	Figure Figure
	Weight int // relative to other factors
	Bands  []Band
}

// Grade is a class of scores.
type Grade struct {
	Name   string
	From   int // the least score
	Months int // to the next review
	// LimitShare is the part of a customer's usual exposure that the grade allows as a
	// limit, in hundredths of a percent: 15000 is one and a half times.
	LimitShare int64
}

// Model says how customers are scored. Start from Default.
type Model struct {
	Factors []Factor
	Grades  []Grade // from the best to the worst; the last from 0
	// Credibility is k in n ÷ (n + k): the number of settled items with which own history
	// and an external score weigh the same.
	Credibility int64
	// ExternalMonths is how long an external score counts.
	ExternalMonths int
	// LimitStep rounds proposed limits down, in whole units of the currency; 0 is 1.
	LimitStep int64
}

// Default returns a model with usual weights: payment behaviour half, trend, utilisation
// and what is overdue now most of the rest. It is a beginning for a credit policy, not
// fitted to data.
func Default() Model {
	return Model{
		Factors: []Factor{
			{DaysBeyondTerms, 30, []Band{{0, 1000}, {1, 900}, {500, 750}, {1500, 500}, {3000, 250}, {6000, 0}}},
			{ShareLate, 20, []Band{{0, 1000}, {500, 850}, {2000, 600}, {5000, 250}, {8000, 0}}},
			{LateTrend, 10, []Band{{-100_000, 1000}, {0, 800}, {50, 600}, {200, 300}, {500, 0}}},
			{Utilisation, 15, []Band{{0, 1000}, {5000, 800}, {8000, 500}, {10_001, 0}}},
			{OldestOverdue, 15, []Band{{0, 1000}, {1, 800}, {31, 400}, {61, 150}, {91, 0}}},
			{Relation, 5, []Band{{0, 300}, {12, 600}, {36, 850}, {60, 1000}}},
			{DisputedShare, 5, []Band{{0, 1000}, {500, 700}, {2000, 300}, {5000, 0}}},
		},
		Grades: []Grade{
			{"A", 850, 12, 15_000}, {"B", 700, 12, 12_000}, {"C", 500, 6, 10_000}, {"D", 300, 3, 5000}, {"E", 0, 1, 0},
		},
		Credibility: 12, ExternalMonths: 12, LimitStep: 100,
	}
}

// Validate returns an *Error that wraps ErrModel if the model can't score.
func (m Model) Validate() error {
	bad := func(field string, value any, remedy string) error {
		return &Error{field, fmt.Sprint(value), remedy, ErrModel}
	}
	total := 0
	for i, f := range m.Factors {
		field := fmt.Sprintf("Factors[%d]", i)
		if f.Figure >= figures {
			return bad(field+".Figure", f.Figure, "use one of the declared figures")
		}
		if f.Weight < 1 || f.Weight > 1000 {
			return bad(field+".Weight", f.Weight, "give a weight from 1 to 1000")
		}
		if len(f.Bands) == 0 {
			return bad(field+".Bands", "", "give at least one band")
		}
		for j, b := range f.Bands {
			if b.Points < 0 || b.Points > Best || j > 0 && b.From <= f.Bands[j-1].From {
				return bad(fmt.Sprintf("%s.Bands[%d]", field, j), b, "bands must ascend, with points from 0 to 1000")
			}
		}
		total += f.Weight
	}
	if total == 0 {
		return bad("Factors", "", "give at least one factor")
	}
	for i, g := range m.Grades {
		if i > 0 && g.From >= m.Grades[i-1].From || g.Months < 1 || g.LimitShare < 0 || g.Name == "" {
			return bad(fmt.Sprintf("Grades[%d]", i), g, "grades must descend, with a name and at least one month to the review")
		}
	}
	if n := len(m.Grades); n == 0 || m.Grades[n-1].From != 0 {
		return bad("Grades", m.Grades, "the last grade must begin at 0")
	}
	if m.Credibility < 0 || m.ExternalMonths < 0 || m.LimitStep < 0 {
		return bad("Credibility, ExternalMonths, LimitStep", "", "none may be negative")
	}
	return nil
}

// points returns what a figure earns.
func (f Factor) points(figure int64) int {
	points := f.Bands[0].Points
	for _, b := range f.Bands {
		if figure < b.From {
			break
		}
		points = b.Points
	}
	return points
}

// grade returns the grade of a score.
func (m Model) grade(score int) Grade {
	for _, g := range m.Grades {
		if score >= g.From {
			return g
		}
	}
	return m.Grades[len(m.Grades)-1]
}

// limit proposes a limit from the usual exposure: its part by the grade, rounded down.
func (m Model) limit(usual money.Amount, grade Grade) (money.Amount, error) {
	share, err := usual.MulDiv(uint64(grade.LimitShare), 10_000)
	if err != nil {
		return money.Amount{}, err
	}
	step := max(m.LimitStep, 1)
	for range usual.Currency.Digits() {
		if step > 1<<59 {
			return money.Amount{}, &Error{"LimitStep", fmt.Sprint(m.LimitStep), "give a step that fits the currency's minor units", ErrModel}
		}
		step *= 10
	}
	share.Minor -= share.Minor % step
	return share, nil
}
