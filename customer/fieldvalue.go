package customer

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/clientele-go/clientele/internal/enum"
	"github.com/clientele-go/clientele/internal/text"
)

// The values of fields other than texts are ordered by a number: an Enum's by their
// place among Values, a Boolean's 0 and 1, a Date's by the day since 1970-01-01, a
// Number's by its smallest units.

// numbersBetween returns the first and the last number within bounds.
func (f *Field) numbersBetween(from, to Bound) (low, high int64, err error) {
	low, high = f.numbers()
	if from.Value != "" {
		first, last, err := f.numbersOf(from.Value)
		switch {
		case err != nil:
			return 0, 0, err
		case !from.Exclusive:
			low = max(low, first)
		case last == math.MaxInt64:
			return 1, 0, nil
		default:
			low = max(low, last+1)
		}
	}
	if to.Value != "" {
		first, last, err := f.numbersOf(to.Value)
		switch {
		case err != nil:
			return 0, 0, err
		case !to.Exclusive:
			high = min(high, last)
		case first == math.MinInt64:
			return 1, 0, nil
		default:
			high = min(high, first-1)
		}
	}
	return low, high, nil
}

// numbers returns the least and the greatest number of the field's values.
func (f *Field) numbers() (low, high int64) {
	switch {
	case f.Type == Enum:
		return 0, int64(len(f.Values)) - 1
	case f.Type == Boolean:
		return 0, 1
	case f.form == ordinalForm:
		return 0, math.MaxInt64
	}
	return math.MinInt64, math.MaxInt64
}

// numbersOf reads a value, which for a date can stand for many days.
func (f *Field) numbersOf(value string) (first, last int64, err error) {
	remedy := ""
	ok := false
	switch f.Type {
	case Enum:
		first, ok = f.place(value)
		last, remedy = first, "use "+strings.Join(f.Values, ", ")
	case Boolean:
		ok = value == "true" || value == "false"
		if value == "true" {
			first, last = 1, 1
		}
		remedy = "use true or false"
	case Date:
		first, last, ok = days(value)
		remedy = "write 2026-03-31, or 2026-03 or 2026 for all days of a month or a year"
	case Number:
		first, ok = parseUnits(value, f.Decimals)
		last, remedy = first, fmt.Sprintf("write a decimal with at most %d fraction digits and a point", f.Decimals)
	}
	if !ok {
		p := problems{}
		p.add(f.Name, value, CodeMalformed, "is no value of this field", remedy)
		return 0, 0, p.err()
	}
	return first, last, nil
}

// place finds an enum's value; letter case, width and script variants don't count
// unless a value is written just so.
func (f *Field) place(value string) (int64, bool) {
	folded, found := text.Fold(value), -1
	for i, v := range f.Values {
		if v == value {
			return int64(i), true
		}
		if found < 0 && text.Fold(v) == folded {
			found = i
		}
	}
	return int64(found), found >= 0
}

// days reads a date, a month or a year.
func days(value string) (first, last int64, ok bool) {
	for layout, end := range map[string][3]int{time.DateOnly: {0, 0, 1}, "2006-01": {0, 1, 0}, "2006": {1, 0, 0}} {
		if t, err := time.Parse(layout, value); err == nil {
			return t.Unix() / secondsPerDay, t.AddDate(end[0], end[1], end[2]).Unix()/secondsPerDay - 1, true
		}
	}
	return 0, 0, false
}

// parseUnits reads a decimal as a whole number of its smallest units.
func parseUnits(value string, decimals uint8) (int64, bool) {
	whole, fraction, pointed := strings.Cut(value, ".")
	if pointed && fraction == "" {
		return 0, false
	}
	for len(fraction) > int(decimals) && strings.HasSuffix(fraction, "0") {
		fraction = fraction[:len(fraction)-1]
	}
	digits := strings.TrimPrefix(whole, "-")
	if digits == "" || len(fraction) > int(decimals) || strings.Trim(digits+fraction, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(whole+fraction+strings.Repeat("0", int(decimals)-len(fraction)), 10, 64)
	return n, err == nil
}

// numberText writes what numbersOf reads.
func (f *Field) numberText(n int64) string {
	switch {
	case f.Type == Enum:
		return enum.Names(f.Values).Of(uint8(n))
	case f.Type == Boolean:
		return strconv.FormatBool(n != 0)
	case f.Type == Date:
		return time.Unix(n*secondsPerDay, 0).UTC().Format(time.DateOnly)
	case f.Decimals == 0:
		return strconv.FormatInt(n, 10)
	}
	sign, magnitude := "", uint64(n)
	if n < 0 {
		sign, magnitude = "-", -magnitude
	}
	digits := fmt.Sprintf("%0*d", int(f.Decimals)+1, magnitude)
	point := len(digits) - int(f.Decimals)
	return sign + digits[:point] + "." + digits[point:]
}
