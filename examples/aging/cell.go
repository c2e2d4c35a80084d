package main

import (
	"errors"
	"time"
	"unicode/utf8"

	"github.com/clientele-go/clientele/credit/date"
)

var (
	errMissing = errors.New("the value is missing")
	errLongID  = errors.New("longer than 4096 bytes")
	errUTF8    = errors.New("not in UTF-8; save the file as CSV in UTF-8")
	errTime    = errors.New("not a time; write it as 2024-08-15T10:30:00Z")
)

// id returns the text of a column that names something.
func (r *record) id(column int) ([]byte, error) {
	id := r.fields[column]
	switch {
	case len(id) == 0:
		return nil, r.bad(column, errMissing)
	case len(id) > longestID:
		return nil, r.bad(column, errLongID)
	case !utf8.Valid(id):
		return nil, r.bad(column, errUTF8)
	}
	return id, nil
}

// date returns the date of a column, or another when it is empty.
func (r *record) date(column int, otherwise date.Date) (date.Date, error) {
	text := r.fields[column]
	if len(text) == 0 && !otherwise.IsZero() {
		return otherwise, nil
	}
	d, err := date.Parse(text)
	if err != nil {
		return 0, r.bad(column, err)
	}
	return d, nil
}

// recorded says whether a row was recorded by the end of a day in UTC; everything was by
// no day.
func (r *record) recorded(column int, by date.Date) (bool, error) {
	text := r.fields[column]
	if len(text) == 0 {
		if by.IsZero() {
			return true, nil
		}
		return false, r.bad(column, errMissing)
	}
	day, ok := utcDay(text)
	if !ok {
		return false, r.bad(column, errTime)
	}
	return by.IsZero() || day <= by, nil
}

// timeLayouts are what times may look like after the date; seconds may have a fraction.
var timeLayouts = []string{
	"15:04:05Z07:00", "15:04:05", "15:04Z07:00", "15:04", "15:04:05Z0700", "15:04Z0700", "15:04:05Z07", "15:04:05 Z07:00", "15:04:05 Z0700", "15:04:05 UTC",
}

// utcDay returns the day in UTC of a time of ISO 8601, or of a date alone.
func utcDay(text []byte) (date.Date, bool) {
	if len(text) < 10 {
		return 0, false
	}
	day, err := date.Parse(text[:10])
	if err != nil {
		return 0, false
	}
	clock := text[10:]
	switch {
	case len(clock) == 0 || plainUTC(clock):
		return day, true
	case clock[0] != 'T' && clock[0] != ' ' && clock[0] != 't':
		return 0, false
	}
	for _, layout := range timeLayouts {
		if at, err := time.Parse(time.DateOnly+" "+layout, string(text[:10])+" "+string(clock[1:])); err == nil {
			utc := date.Of(at.UTC())
			return utc, !utc.IsZero()
		}
	}
	return 0, false
}

// plainUTC recognises T15:04:05Z, which most times look like, without a zone or with Z.
func plainUTC(clock []byte) bool {
	if len(clock) == 10 && clock[9] == 'Z' {
		clock = clock[:9]
	}
	if len(clock) != 9 || clock[0] != 'T' && clock[0] != ' ' || clock[3] != ':' || clock[6] != ':' {
		return false
	}
	for _, i := range [...]int{1, 2, 4, 5, 7, 8} {
		if clock[i] < '0' || clock[i] > '9' {
			return false
		}
	}
	hour := (clock[1]-'0')*10 + clock[2] - '0'
	return hour < 24 && clock[4] < '6' && clock[7] < '6'
}
