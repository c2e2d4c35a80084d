package date_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/clientele-go/clientele/credit/date"
)

func Example() {
	issued, _ := date.Parse("2024-01-31")
	due, _ := issued.AddMonths(1)
	asOf, _ := date.New(2024, time.March, 15)
	fmt.Println(due, "is", asOf.DaysSince(due), "days ago; its month ends on", due.EndOfMonth())
	// Output: 2024-02-29 is 15 days ago; its month ends on 2024-02-29
}

// The standard library's calendar is the other engine: all 109,938 days.
func TestEveryDayAgreesWithTheStandardLibrary(t *testing.T) {
	at := time.Date(1900, time.January, 1, 0, 0, 0, 0, time.UTC)
	for d := date.First; d <= date.Last; d++ {
		year, month, day := d.Civil()
		if y, m, n := at.Date(); year != y || month != m || day != n {
			t.Fatalf("day %d is %d-%d-%d, want %v", d, year, month, day, at)
		}
		if text := at.Format(time.DateOnly); d.String() != text {
			t.Fatalf("day %d is %s, want %s", d, d, text)
		}
		back, err := date.Parse(d.String())
		made, err2 := date.New(year, month, day)
		if back != d || made != d || date.Of(at) != d || err != nil || err2 != nil {
			t.Fatalf("%s reads back as %d and %d, not %d: %v %v", d, back, made, d, err, err2)
		}
		if d.Weekday() != at.Weekday() || !d.Time(time.UTC).Equal(at) {
			t.Fatalf("%s: weekday %v, time %v", d, d.Weekday(), d.Time(time.UTC))
		}
		if end := at.AddDate(0, 1, -at.Day()); d.EndOfMonth() != date.Of(end) {
			t.Fatalf("the month of %s ends on %s, want %v", d, d.EndOfMonth(), end)
		}
		at = at.AddDate(0, 0, 1)
	}
	if date.Last.String() != "2200-12-31" || date.Unix.String() != "1970-01-01" {
		t.Errorf("last %s, Unix %s", date.Last, date.Unix)
	}
}

func TestParseRefuses(t *testing.T) {
	for text, want := range map[string]error{
		"":                     date.ErrSyntax,
		"2024-8-15":            date.ErrSyntax,
		"15/08/2024":           date.ErrSyntax,
		"2024-08-15T00:00:00Z": date.ErrSyntax,
		"2024/08/15":           date.ErrSyntax,
		"２０２４-08-15":           date.ErrSyntax,
		"2024-13-01":           date.ErrNoSuchDay,
		"2024-00-01":           date.ErrNoSuchDay,
		"2024-04-31":           date.ErrNoSuchDay,
		"2024-04-00":           date.ErrNoSuchDay,
		"2023-02-29":           date.ErrNoSuchDay,
		"1900-02-29":           date.ErrNoSuchDay, // not a leap year, whatever spreadsheets say
		"2100-02-29":           date.ErrNoSuchDay,
		"1899-12-31":           date.ErrRange,
		"2201-01-01":           date.ErrRange,
	} {
		d, err := date.Parse(text)
		var failure *date.Error
		if !errors.Is(err, want) || !errors.As(err, &failure) || failure.Remedy == "" || d != 0 {
			t.Errorf("Parse(%q) = %v, %v; want %v", text, d, err, want)
		}
	}
	if d, err := date.Parse([]byte("2000-02-29")); err != nil || d.String() != "2000-02-29" {
		t.Errorf("%v %v", d, err)
	}
}

func TestAddMonthsKeepsToTheMonth(t *testing.T) {
	for _, c := range []struct {
		from   string
		months int
		want   string
	}{
		{"2024-01-31", 1, "2024-02-29"},
		{"2023-01-31", 1, "2023-02-28"},
		{"2024-02-29", 12, "2025-02-28"},
		{"2024-02-29", 48, "2028-02-29"},
		{"2024-03-31", -1, "2024-02-29"},
		{"2024-12-15", 1, "2025-01-15"},
		{"2024-01-15", -1, "2023-12-15"},
		{"2024-05-31", 0, "2024-05-31"},
		{"2200-11-30", 1, "2200-12-30"},
		{"2200-12-01", 1, ""},
		{"1900-01-31", -1, ""},
		{"2024-01-01", 1 << 62, ""},
	} {
		from, err := date.Parse(c.from)
		if err != nil {
			t.Fatal(err)
		}
		got, err := from.AddMonths(c.months)
		if got.String() != c.want || (c.want == "") != errors.Is(err, date.ErrRange) {
			t.Errorf("%s + %d months = %q, %v; want %q", c.from, c.months, got, err, c.want)
		}
	}
}

func TestAddDays(t *testing.T) {
	d, _ := date.Parse("2024-02-28")
	if got, err := d.AddDays(2); err != nil || got.String() != "2024-03-01" {
		t.Errorf("%v %v", got, err)
	}
	for _, days := range []int{-1 << 40, 1 << 40, int(date.Last)} {
		if got, err := d.AddDays(days); !errors.Is(err, date.ErrRange) {
			t.Errorf("%d days: %v %v", days, got, err)
		}
	}
	if got, err := date.Date(0).AddDays(1); !errors.Is(err, date.ErrRange) {
		t.Errorf("no date and a day is %v", got)
	}
}

func TestMonths(t *testing.T) {
	m, err := date.ParseMonth("2024-02")
	if err != nil || m.First().String() != "2024-02-01" || m.Last().String() != "2024-02-29" || m.String() != "2024-02" {
		t.Errorf("%v: %v to %v, %v", m, m.First(), m.Last(), err)
	}
	if year, month := (m + 11).Civil(); year != 2025 || month != time.January {
		t.Errorf("%d %v", year, month)
	}
	if got, _ := date.NewMonth(2024, time.February); got != m {
		t.Errorf("%v", got)
	}
	for _, bad := range []string{"", "2024-13", "2024-2", "1899-12", "2024-02-01"} {
		if m, err := date.ParseMonth(bad); err == nil {
			t.Errorf("%q is %v", bad, m)
		}
	}
	if zero := date.Date(0); zero.Month() != 0 || zero.EndOfMonth() != 0 || date.Month(0).First() != 0 || date.Month(0).Last() != 0 {
		t.Error("no date has a month")
	}
}

func TestTextsReadBack(t *testing.T) {
	type both struct {
		Day   date.Date
		Month date.Month
	}
	m, _ := date.ParseMonth("1900-01")
	for _, want := range []both{{}, {date.Last, m}} {
		text, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got both
		if err := json.Unmarshal(text, &got); err != nil || got != want {
			t.Errorf("%s reads back as %v, %v", text, got, err)
		}
	}
	if _, err := (date.Last + 1).MarshalText(); err == nil {
		t.Error("a day after the last was written")
	}
}

func FuzzParse(f *testing.F) {
	f.Add("2024-02-29")
	f.Add("2201-01-01")
	f.Fuzz(func(t *testing.T, text string) {
		d, err := date.Parse(text)
		want, wantErr := time.Parse(time.DateOnly, text)
		inRange := wantErr == nil && want.Year() >= 1900 && want.Year() <= 2200
		if (err == nil) != inRange || err == nil && d.String() != text {
			t.Errorf("%q is %v, %v; the standard library says %v, %v", text, d, err, want, wantErr)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	text := []byte("2024-08-15")
	for b.Loop() {
		if _, err := date.Parse(text); err != nil {
			b.Fatal(err)
		}
	}
}
