package date

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// The errors that this package's errors wrap; test with errors.Is.
var (
	ErrSyntax    = errors.New("not a date")
	ErrNoSuchDay = errors.New("no such day")
	ErrRange     = errors.New("date out of range")
)

// Error says what is wrong with a date, and what would be right.
type Error struct {
	Value  string // as given, shortened
	Remedy string
	Err    error // ErrSyntax, ErrNoSuchDay or ErrRange
}

func (e *Error) Error() string {
	return fmt.Sprintf("date: %q: %v; %s", e.Value, e.Err, e.Remedy)
}

func (e *Error) Unwrap() error { return e.Err }

// Date is a civil day: days since 1899-12-31, so that 1 is 1900-01-01. The zero value is
// no date. Dates compare with < and ==.
type Date int32

// The first and last days that there are.
const (
	First Date = 1      // 1900-01-01
	Last  Date = 109938 // 2200-12-31
)

const (
	firstYear = 1900
	lastYear  = 2200
	// Unix is 1970-01-01, for conversion from days since then.
	Unix Date = 25568
)

// New returns the date of a year, month and day, which must exist.
func New(year int, month time.Month, day int) (Date, error) {
	d, err := fromCivil(year, int(month), day)
	if err != nil {
		return 0, &Error{fmt.Sprintf("%04d-%02d-%02d", year, int(month), day), remedy(err), err}
	}
	return d, nil
}

// Of returns the day of an instant in the instant's own location: convert with t.In or
// t.UTC first. It is no date when the year is out of range.
func Of(t time.Time) Date {
	year, month, day := t.Date()
	d, _ := fromCivil(year, int(month), day)
	return d
}

// Parse reads a date of ISO 8601 in the extended form, "2024-08-15".
func Parse[T ~string | ~[]byte](text T) (Date, error) {
	d, err := parse(text)
	if err != nil {
		value := string(text[:min(len(text), 40)])
		return 0, &Error{value, remedy(err), err}
	}
	return d, nil
}

func parse[T ~string | ~[]byte](text T) (Date, error) {
	if len(text) != len("2024-08-15") || text[4] != '-' || text[7] != '-' {
		return 0, ErrSyntax
	}
	var number [10]int
	for i := range len(text) {
		if i == 4 || i == 7 {
			continue
		}
		digit := text[i] - '0'
		if digit > 9 {
			return 0, ErrSyntax
		}
		number[i] = int(digit)
	}
	year := number[0]*1000 + number[1]*100 + number[2]*10 + number[3]
	return fromCivil(year, number[5]*10+number[6], number[8]*10+number[9])
}

func remedy(err error) string {
	switch err {
	case ErrSyntax:
		return "write it as 2024-08-15"
	case ErrRange:
		return "use a day from 1900-01-01 to 2200-12-31"
	}
	return "use a day that the month has"
}

// before has the days of a common year before each month.
var before = [13]int{0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365}

func fromCivil(year, month, day int) (Date, error) {
	switch {
	case year < firstYear || year > lastYear:
		return 0, ErrRange
	case month < 1 || month > 12 || day < 1 || day > daysIn(year, month):
		return 0, ErrNoSuchDay
	}
	return Date(daysBefore(year) + daysBeforeMonth(year, month) + day), nil
}

// daysBefore returns the days from 1900-01-01 to January 1st of a year.
func daysBefore(year int) int {
	past := year - 1
	leaps := past/4 - past/100 + past/400
	const leapsBefore1900 = 1899/4 - 1899/100 + 1899/400
	return (year-firstYear)*365 + leaps - leapsBefore1900
}

func daysBeforeMonth(year, month int) int {
	days := before[month-1]
	if month > 2 && leap(year) {
		days++
	}
	return days
}

func daysIn(year, month int) int {
	if month == 2 && leap(year) {
		return 29
	}
	return before[month] - before[month-1]
}

func leap(year int) bool { return year%4 == 0 && (year%100 != 0 || year%400 == 0) }

// Valid says whether this is a day from First to Last.
func (d Date) Valid() bool { return d >= First && d <= Last }

// IsZero says whether there is no date.
func (d Date) IsZero() bool { return d == 0 }

// Civil returns the year, month and day; zeros for no date.
func (d Date) Civil() (year int, month time.Month, day int) {
	if !d.Valid() {
		return 0, 0, 0
	}
	rest := int(d) - 1
	year = firstYear + rest/366 // not too late, and at most one early
	for rest >= daysBefore(year+1) {
		year++
	}
	rest -= daysBefore(year)
	m := min(rest/29+1, 12) // not too early
	for daysBeforeMonth(year, m) > rest {
		m--
	}
	return year, time.Month(m), rest - daysBeforeMonth(year, m) + 1
}

// Weekday returns the day of the week.
func (d Date) Weekday() time.Weekday {
	return time.Weekday((int(d)%7 + 7) % 7) // 1899-12-31 was a Sunday
}

// Time returns the beginning of the day in a location.
func (d Date) Time(in *time.Location) time.Time {
	year, month, day := d.Civil()
	return time.Date(year, month, day, 0, 0, 0, 0, in)
}

// DaysSince returns the days from another date to this one: days past due, at a date, are
// its DaysSince the due date.
func (d Date) DaysSince(other Date) int { return int(d) - int(other) }

// AddDays returns the date so many days later, or earlier; ErrRange when there is none.
func (d Date) AddDays(days int) (Date, error) {
	later := int64(d) + int64(days)
	if !d.Valid() || later < int64(First) || later > int64(Last) {
		return 0, d.outOfRange(days, "days")
	}
	return Date(later), nil
}

// AddMonths returns the same day so many months later, or earlier: the month's last day
// when it has no such day, so that January 31st and a month is the end of February.
func (d Date) AddMonths(months int) (Date, error) {
	year, month, day := d.Civil()
	if !d.Valid() || months < -12*400 || months > 12*400 {
		return 0, d.outOfRange(months, "months")
	}
	n := year*12 + int(month) - 1 + months
	year, m := n/12, n%12+1
	later, err := fromCivil(year, m, min(day, daysIn(year, m)))
	if err != nil {
		return 0, d.outOfRange(months, "months")
	}
	return later, nil
}

func (d Date) outOfRange(n int, of string) error {
	return &Error{fmt.Sprintf("%s%+d %s", d, n, of), remedy(ErrRange), ErrRange}
}

// EndOfMonth returns the last day of the date's month.
func (d Date) EndOfMonth() Date {
	if !d.Valid() {
		return 0
	}
	return d.Month().Last()
}

// Compare orders dates, no date first.
func (d Date) Compare(other Date) int { return cmp.Compare(d, other) }

// String returns the date in ISO 8601, "2024-08-15", and "" for no date.
func (d Date) String() string {
	if !d.Valid() {
		if d == 0 {
			return ""
		}
		return "day " + strconv.Itoa(int(d))
	}
	var buffer [10]byte
	return string(d.Append(buffer[:0]))
}

// Append appends the date as String writes it.
func (d Date) Append(to []byte) []byte {
	if !d.Valid() {
		return append(to, d.String()...)
	}
	year, month, day := d.Civil()
	return append(to, '0'+byte(year/1000), '0'+byte(year/100%10), '0'+byte(year/10%10), '0'+byte(year%10),
		'-', '0'+byte(month/10), '0'+byte(month%10), '-', '0'+byte(day/10), '0'+byte(day%10))
}

// MarshalText returns the date in ISO 8601, nothing for no date.
func (d Date) MarshalText() ([]byte, error) {
	if d != 0 && !d.Valid() {
		return nil, &Error{d.String(), remedy(ErrRange), ErrRange}
	}
	return d.Append(nil), nil
}

// UnmarshalText reads what MarshalText wrote.
func (d *Date) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*d = 0
		return nil
	}
	parsed, err := Parse(text)
	if err == nil {
		*d = parsed
	}
	return err
}
