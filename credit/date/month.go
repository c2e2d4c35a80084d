package date

import (
	"fmt"
	"time"
)

// Month is a month of a year: twelve times the year and the months before it. The zero
// value is no month. Months compare with <, and a difference is a number of months.
type Month int32

// NewMonth returns the month of a year from 1900 to 2200.
func NewMonth(year int, month time.Month) (Month, error) {
	first, err := New(year, month, 1)
	return first.Month(), err
}

// ParseMonth reads a month as "2024-08".
func ParseMonth(text string) (Month, error) {
	first, err := Parse(text + "-01")
	if err != nil {
		return 0, &Error{text[:min(len(text), 40)], "write a month from 1900 to 2200 as 2024-08", err.(*Error).Err}
	}
	return first.Month(), nil
}

// Month returns the date's month; no month for no date.
func (d Date) Month() Month {
	if !d.Valid() {
		return 0
	}
	const days, months = 146097, 4800 // of 400 years
	m := (int(d) - 1) * months / days // at most one off
	for int(d) > firstDays[m+1] {
		m++
	}
	for int(d) <= firstDays[m] {
		m--
	}
	return Month(firstYear*12 + m)
}

// firstDays are the days before each month from January 1900 to January 2201.
var firstDays = func() (days [(lastYear-firstYear+1)*12 + 1]int) {
	for m := range days {
		days[m] = daysBefore(firstYear+m/12) + daysBeforeMonth(firstYear+m/12, m%12+1)
	}
	return days
}()

// Valid says whether the month is one of the years 1900 to 2200.
func (m Month) Valid() bool { return m >= firstYear*12 && m < (lastYear+1)*12 }

// First returns the month's first day; no date for no month.
func (m Month) First() Date { return m.day(1) }

// Last returns the month's last day; no date for no month.
func (m Month) Last() Date {
	if !m.Valid() {
		return 0
	}
	return m.day(daysIn(int(m/12), int(m%12)+1))
}

func (m Month) day(day int) Date {
	if !m.Valid() {
		return 0
	}
	return Date(firstDays[m-firstYear*12] + day)
}

// Civil returns the year and the month.
func (m Month) Civil() (year int, month time.Month) {
	if !m.Valid() {
		return 0, 0
	}
	return int(m / 12), time.Month(m%12 + 1)
}

// String returns the month as "2024-08", "" for no month.
func (m Month) String() string {
	if !m.Valid() {
		return ""
	}
	return fmt.Sprintf("%04d-%02d", m/12, m%12+1)
}

// MarshalText returns the month as String does.
func (m Month) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (m *Month) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*m = 0
		return nil
	}
	parsed, err := ParseMonth(string(text))
	if err == nil {
		*m = parsed
	}
	return err
}
