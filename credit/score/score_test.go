package score_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/credit/score"
)

func day(text string) date.Date {
	d, err := date.Parse(text)
	if err != nil {
		panic(err)
	}
	return d
}

// two is a model that can be worked out by hand.
func two() score.Model {
	return score.Model{
		Factors: []score.Factor{
			{Figure: score.DaysBeyondTerms, Weight: 3, Bands: []score.Band{{From: 0, Points: 1000}, {From: 500, Points: 700}, {From: 3000, Points: 100}}},
			{Figure: score.Utilisation, Weight: 2, Bands: []score.Band{{From: 0, Points: 900}, {From: 8000, Points: 301}}},
		},
		Grades: []score.Grade{
			{Name: "good", From: 600, Months: 12, LimitShare: 15_000}, {Name: "fair", From: 400, Months: 6, LimitShare: 8000}, {Name: "poor", Months: 1},
		},
		Credibility: 12, ExternalMonths: 6, LimitStep: 1000,
	}
}

// Days beyond terms of 7.25 earn 700, a utilisation of 85 % earns 301: (3 × 700 + 2 × 301)
// ÷ 5 = 540.4. Four settled items weigh 4 ÷ (4 + 12) = 25 %; the bureau's 80 of 100 is 800:
// 0.25 × 540 + 0.75 × 800 = 735. The grade allows 1.5 × 10,555.00, cut to thousands.
func Example() {
	history := score.History{
		Figures: map[score.Figure]int64{score.DaysBeyondTerms: 725, score.Utilisation: 8500},
		Settled: 4, Usual: money.Amount{Minor: 1_055_500, Currency: money.CNY},
	}
	bureau := score.External{Provider: "bureau", Value: 80, Score: 800, Date: day("2024-06-01")}
	result, err := two().Score(history, []score.External{bureau}, day("2024-08-15"))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, c := range result.Contributions {
		fmt.Printf("%s: %d points, %d of %d\n", c.Figure, c.Points, c.Part, result.Own)
	}
	fmt.Println("score", result.Score, "grade", result.Grade.Name, "limit", result.Limit, "review", result.Review)
	// Output:
	// days_beyond_terms: 700 points, 420 of 540
	// utilisation: 301 points, 120 of 540
	// score 735 grade good limit 15000.00 CNY review 2025-08-15
}

func TestWhatIsUnknownCountsForNothing(t *testing.T) {
	m, on := two(), day("2024-08-15")
	bureau := score.External{Score: 450, Date: day("2024-08-01")}
	for name, c := range map[string]struct {
		history  score.History
		external []score.External
		score    int
		grade    string
		weight   int64
	}{
		"nothing":          {score.History{}, nil, 0, "poor", 0},
		"one figure":       {score.History{Figures: map[score.Figure]int64{score.Utilisation: 100}}, nil, 900, "good", 10_000},
		"bureau only":      {score.History{Settled: 5}, []score.External{bureau}, 450, "fair", 0},
		"old bureau":       {score.History{}, []score.External{{Score: 900, Date: day("2024-02-14")}}, 0, "poor", 0},
		"just old enough":  {score.History{}, []score.External{{Score: 900, Date: day("2024-02-15")}}, 900, "good", 0},
		"bureau of later":  {score.History{}, []score.External{{Score: 900, Date: day("2024-08-16")}}, 0, "poor", 0},
		"the latest":       {score.History{}, []score.External{{Score: 1, Date: day("2024-07-01")}, bureau, {Score: 2, Date: day("2024-06-01")}}, 450, "fair", 0},
		"figures at bound": {score.History{Figures: map[score.Figure]int64{score.DaysBeyondTerms: 3000}, Settled: 9}, nil, 100, "poor", 10_000},
	} {
		r, err := m.Score(c.history, c.external, on)
		if err != nil || r.Score != c.score || r.Grade.Name != c.grade || r.OwnWeight != c.weight {
			t.Errorf("%s: %d %s weight %d, %v; want %d %s %d", name, r.Score, r.Grade.Name, r.OwnWeight, err, c.score, c.grade, c.weight)
		}
	}
}

func TestContributionsAddUp(t *testing.T) {
	m := score.Default()
	rapid.Check(t, func(t *rapid.T) {
		h := score.History{Figures: map[score.Figure]int64{}, Settled: rapid.Int64().Draw(t, "settled")}
		for _, f := range m.Factors {
			if rapid.Bool().Draw(t, "known") {
				h.Figures[f.Figure] = rapid.Int64Range(-2000, 20_000).Draw(t, "figure")
			}
		}
		external := []score.External{{Score: rapid.IntRange(0, score.Best).Draw(t, "external"), Date: 40_000}}
		r, err := m.Score(h, external[:rapid.IntRange(0, 1).Draw(t, "n")], 40_010)
		if err != nil {
			t.Fatal(err)
		}
		sum := 0
		for _, c := range r.Contributions {
			sum += c.Part
		}
		if sum != r.Own || r.Score < 0 || r.Score > score.Best {
			t.Fatalf("parts add up to %d: %+v", sum, r)
		}
	})
}

func TestModelsAreValidated(t *testing.T) {
	if err := score.Default().Validate(); err != nil {
		t.Error(err)
	}
	for name, spoil := range map[string]func(*score.Model){
		"no factors":       func(m *score.Model) { m.Factors = nil },
		"unknown figure":   func(m *score.Model) { m.Factors[0].Figure = 99 },
		"no weight":        func(m *score.Model) { m.Factors[0].Weight = 0 },
		"no bands":         func(m *score.Model) { m.Factors[0].Bands = nil },
		"falling bands":    func(m *score.Model) { slices.Reverse(m.Factors[0].Bands) },
		"too many points":  func(m *score.Model) { m.Factors[0].Bands[0].Points = 1001 },
		"no grades":        func(m *score.Model) { m.Grades = nil },
		"no last grade":    func(m *score.Model) { m.Grades = m.Grades[:2] },
		"ascending grades": func(m *score.Model) { slices.Reverse(m.Grades) },
		"no review":        func(m *score.Model) { m.Grades[0].Months = 0 },
		"credibility":      func(m *score.Model) { m.Credibility = -1 },
	} {
		m := two()
		spoil(&m)
		if _, err := m.Score(score.History{}, nil, 40_000); !errors.Is(err, score.ErrModel) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The scale of "risk" runs from 5 (worst) to 1: 2 is three quarters of the way, 750.
func TestReadExternal(t *testing.T) {
	in := score.Import{
		Providers: map[string]score.Scale{"bureau": {Worst: 0, Best: 100}, "risk": {Worst: 5, Best: 1}},
		Find: func(code string) (uint64, bool, error) {
			return map[string]uint64{"C1": 1, "C2": 2}[code], code != "C3", nil
		},
		Today: day("2024-08-15"),
	}
	scores, bad, err := in.ReadExternal(strings.NewReader("\ufeffdate,Score,provider,customer\r\n" +
		"2024-08-01,80,bureau,C1\r\n" +
		"2024-08-01,2,risk,C2\r\n" +
		"2024-08-01,101,bureau,C2\r\n" +
		"2024-08-01,12.5,bureau,C2\r\n" +
		"2024-08-01,50,moody,C2\r\n" +
		"2024-08-01,50,bureau,C3\r\n" +
		"2024-08-32,50,bureau,C2\r\n" +
		"2024-08-16,50,bureau,C2\r\n" +
		"2024-08-01,81,bureau,C1\r\n" +
		"2024-08-01,81,bureau\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(scores); got != "[{1 bureau 80 800 2024-08-01} {2 risk 2 750 2024-08-01}]" {
		t.Error(got)
	}
	want := []struct {
		row    int
		column string
		err    error
	}{
		{4, "score", score.ErrValue}, {5, "score", score.ErrValue}, {6, "provider", score.ErrProvider}, {7, "customer", score.ErrCustomer},
		{8, "date", score.ErrValue}, {9, "date", score.ErrValue}, {10, "customer", score.ErrTwice}, {11, "customer", score.ErrValue},
	}
	for i, w := range want {
		if i >= len(bad) || bad[i].Row != w.row || bad[i].Column != w.column || !errors.Is(bad[i], w.err) {
			t.Errorf("bad rows %v; want at %d %v", bad, i, w)
		}
	}
	for _, text := range []string{"", "customer,provider,score\n", "a\"b"} {
		if _, _, err := in.ReadExternal(strings.NewReader(text)); err == nil {
			t.Errorf("%q was read", text)
		}
	}
}

// What looks good in a row of another shape is not taken: the "1" of 1,200 is no score, and
// a quote amid a field ends no file.
func TestRowsOfAnotherShapeAreRefused(t *testing.T) {
	in := score.Import{Providers: map[string]score.Scale{"bureau": {Best: 2000}}, Find: func(string) (uint64, bool, error) { return 1, true, nil }}
	scores, bad, err := in.ReadExternal(strings.NewReader("customer,provider,date,score\n" +
		"C1,bureau,2024-08-01,1,200\n" +
		"C1,bu\"reau,2024-08-02,80\n" +
		"\"C1\"x,bureau,2024-08-03,80\n" +
		"C1,bureau,2024-08-04,70,\n" +
		"C1,bureau,2024-08-05,\"60\n" + // not closed: the rest is its field
		"C1,bureau,2024-08-06,50\n"))
	if err != nil || len(scores) != 1 || scores[0].Value != 70 {
		t.Errorf("%v, %v; want one score of 70", scores, err)
	}
	rows := ""
	for _, b := range bad {
		rows += fmt.Sprint(b.Row, errors.Is(b, score.ErrRow), " ")
	}
	if rows != "2 true 3 true 4 true 6 true " {
		t.Errorf("bad rows %s: %v", rows, bad)
	}
	twice := "customer,provider,date,score,Score\nC1,bureau,2024-08-01,1,2\n"
	if _, _, err := in.ReadExternal(strings.NewReader(twice)); !errors.Is(err, score.ErrHeader) {
		t.Errorf("two columns of scores: %v", err)
	}
}

// Grades review after 12, 6 and 1 months.
func TestReviewList(t *testing.T) {
	m, on := two(), day("2024-08-15")
	good, fair := score.Result{Grade: m.Grades[0]}, score.Result{Grade: m.Grades[1]}
	list, err := m.Review([]score.Reviewed{
		{Customer: 1, On: day("2024-01-01"), Score: 700, Now: good}, // until 2025
		{Customer: 2, On: day("2024-01-01"), Score: 500, Now: fair}, // since July 1st
		{Customer: 3, On: day("2024-08-01"), Score: 700, Now: fair}, // worse
		{Customer: 4, Now: good},
		{Customer: 5, On: day("2024-02-15"), Score: 400, Now: good}, // since today
		{Customer: 6, On: day("2024-02-16"), Score: 400, Now: good}, // tomorrow
	}, on)
	var got []string
	for _, d := range list {
		got = append(got, fmt.Sprintf("%d %s %s %s>%s", d.Customer, d.Reason, d.Since, d.Was.Name, d.Now.Name))
	}
	want := "[4 never 2024-08-15 >good 3 worsened 2024-08-15 good>fair 2 interval 2024-07-01 fair>fair 5 interval 2024-08-15 fair>good]"
	if err != nil || fmt.Sprint(got) != want {
		t.Errorf("%v, %v; want %s", got, err, want)
	}
}

func TestBadScoresAreNamedByTheirLine(t *testing.T) {
	in := score.Import{Providers: map[string]score.Scale{"bureau": {Best: 100}}, Find: func(string) (uint64, bool, error) { return 1, true, nil }}
	_, bad, err := in.ReadExternal(strings.NewReader("customer,provider,score,date\n\nC1,bureau,80,2024-08-01\n\nC1,bureau,800,2024-08-02\n"))
	if err != nil || len(bad) != 1 || bad[0].Row != 5 {
		t.Errorf("%v, %v, want one in row 5", bad, err)
	}
}
