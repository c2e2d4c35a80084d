package tabular

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// shownAsDate reports whether a number format shows a date or a time: a built-in one of
// ECMA-376 part 1, 18.8.30, with those of Chinese and Japanese editions, or a code that
// has a letter for a year, month, day, hour or second outside of quotes and brackets.
func shownAsDate(id int, code string) bool {
	switch {
	case id >= 14 && id <= 22, id >= 27 && id <= 36, id >= 45 && id <= 47, id >= 50 && id <= 58:
		return true
	case code == "" || strings.EqualFold(code, "general"):
		return false
	}
	quoted, bracketed := false, false
	for i := 0; i < len(code); i++ {
		switch c := code[i]; {
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '\\' || c == '_' || c == '*':
			i++
		case c == '[':
			bracketed = true
		case c == ']':
			bracketed = false
		case bracketed:
		case strings.IndexByte("yYmMdDhHsS", c) >= 0:
			return true
		}
	}
	return false
}

// maxSerial is 9999-12-31, the last day that a worksheet knows.
const maxSerial = 2958465

// serialDate returns the date of a worksheet's day number. Day 60 of the system that
// begins in 1900 is 29 February 1900, which never was: it stays what it claims to be.
func serialDate(serial float64, from1904 bool) (text string, ok bool) {
	if serial < 0 || serial >= maxSerial+1 || math.IsNaN(serial) {
		return "", false
	}
	days, seconds := int(serial), int(math.Round((serial-math.Floor(serial))*86400))
	if seconds == 86400 {
		days, seconds = days+1, 0
	}
	clock := time.Unix(int64(seconds), 0).UTC().Format(time.TimeOnly)
	var date string
	switch {
	case days == 0 && !from1904:
		return clock, true
	case from1904:
		date = time.Date(1904, 1, 1+days, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
	case days == 60:
		date = "1900-02-29"
	case days < 60:
		date = time.Date(1899, 12, 31+days, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
	default:
		date = time.Date(1899, 12, 30+days, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
	}
	if seconds == 0 {
		return date, true
	}
	return date + " " + clock, true
}

// plainNumber returns a number as people write it, with at most the 15 digits that a
// worksheet keeps, and whether it may have lost digits that were meant: a whole number of
// more, or any that was written with more digits than a double needs, which are 17
// (IEEE 754-2008 §5.12.2). Up to there digits behind the 15th are what computing left.
func plainNumber(raw string) (text string, inexact bool) {
	if len(raw) <= 15 && !strings.ContainsAny(raw, "eE+") {
		return raw, false
	}
	x, err := strconv.ParseFloat(raw, 64)
	if err != nil || math.IsInf(x, 0) {
		return raw, false
	}
	if significant(raw) > 17 {
		return raw, true
	}
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(x, 'e', 14, 64), 64)
	if err != nil {
		return raw, false
	}
	if math.Abs(x) >= 1e15 {
		return strconv.FormatFloat(x, 'f', 0, 64), true
	}
	return strconv.FormatFloat(rounded, 'f', -1, 64), false
}

// significant counts the digits of a number without zeros at its ends.
func significant(raw string) int {
	mantissa, _, _ := strings.Cut(strings.ToLower(raw), "e")
	return len(strings.Trim(strings.NewReplacer("-", "", "+", "", ".", "").Replace(mantissa), "0"))
}
