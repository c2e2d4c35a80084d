package compare

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"
)

var dateLevels = []Level{
	{"different", "the dates differ", "日期不同"},
	{"part", "one of year, month and day agrees", "年月日之一一致"},
	{"digits", "two digits differ, or the dates are weeks apart", "两位数字不同，或相差数周"},
	{"days", "month and day agree, the dates are days apart, or what is known of both agrees", "月日一致、仅差数日，或已知部分一致"},
	{"two", "the year and one of month and day agree, or all but a near year", "年份及月日之一一致，或仅年份相近"},
	{"digit", "the dates differ by one digit", "日期差一位数字"},
	{"swapped", "day and month are swapped, or two digits", "日月互换或两位数字互换"},
	{"equal", "the dates agree", "日期一致"},
}

// dateForm is a date of which month and day may be unknown, 0 then. Text that is no date is
// kept as it is.
type dateForm struct {
	year       int16
	month, day uint8
	// either says that day and month could be the other way round, as in 03/04/1980.
	either bool
	text   string
}

func (f *dateForm) Key() string {
	if f.text != "" {
		return f.text
	}
	return fmt.Sprintf("%04d-%02d-%02d", f.year, f.month, f.day)
}

type dates struct{ typ Type }

func newDate(t Type, _ Options) Comparator { return &dates{t} }

func (c *dates) Type() Type      { return c.typ }
func (c *dates) Levels() []Level { return dateLevels }

func (c *dates) Prepare(value string) Form {
	s := strings.ToLower(strings.TrimSpace(norm.NFKC.String(strings.ToValidUTF8(cut(value), ""))))
	if folded(s) == "" {
		return nil
	}
	f, ok := parseDate(s)
	if !ok {
		return &dateForm{text: folded(s)}
	}
	if f.year == 0 && f.month == 0 { // 0000-00-00
		return nil
	}
	return f
}

// monthNames are the first three letters of months, in English, German, Spanish, French
// and Italian where they differ.
var monthNames = map[string]int{
	"jan": 1, "ene": 1, "gen": 1, "feb": 2, "fev": 2, "fév": 2, "mar": 3, "mär": 3, "mrz": 3, "apr": 4, "abr": 4, "avr": 4, "may": 5, "mai": 5, "mag": 5,
	"jun": 6, "juin": 6, "giu": 6, "jul": 7, "juil": 7, "lug": 7, "aug": 8, "ago": 8, "aoû": 8, "sep": 9, "set": 9, "oct": 10, "okt": 10, "ott": 10,
	"nov": 11, "dec": 12, "dez": 12, "dic": 12, "déc": 12,
}

func monthOf(w string) int {
	for _, n := range []int{4, 3} {
		if rs := []rune(w); len(rs) >= n {
			if m := monthNames[string(rs[:n])]; m > 0 {
				return m
			}
		}
	}
	return 0
}

// parseDate reads a date in any usual layout: a year in front, or behind, digits alone,
// the month as a word, years of the Republic of China (民國69年).
func parseDate(s string) (*dateForm, bool) {
	roc := strings.HasPrefix(s, "民国") || strings.HasPrefix(s, "民國")
	if t := strings.IndexByte(s, 't'); t >= 8 && s[t-1] >= '0' && s[t-1] <= '9' {
		s = s[:t]
	}
	fields, month := dateFields(s)
	if len(fields) > 0 && roc {
		if y, err := strconv.Atoi(fields[0]); err == nil && y < 200 {
			fields[0] = fmt.Sprintf("%04d", y+1911)
		}
	}
	switch {
	case len(fields) == 0 || len(fields) == 1 && month == 0 && len(fields[0]) < 4:
		return nil, false
	case month > 0:
		return dateWithWord(fields, month)
	case len(fields) == 1:
		return compactDate(fields[0])
	case len(fields) == 2:
		return yearAndMonth(fields[0], fields[1])
	}
	return threeFields(fields[0], fields[1], fields[2])
}

// dateFields are the first runs of digits of a date, without a time, and the month that
// is written as a word.
func dateFields(s string) (fields []string, month int) {
	for w := range strings.FieldsFuncSeq(s, func(r rune) bool { return strings.ContainsRune(" -/.,'年月日民国國", r) }) {
		if strings.Contains(w, ":") { // the time
			break
		}
		if w[0] >= '0' && w[0] <= '9' {
			end := 0
			for end < len(w) && w[end] >= '0' && w[end] <= '9' {
				end++
			}
			if len(fields) < 3 {
				fields = append(fields, w[:end])
			}
			continue
		}
		if m := monthOf(w); m > 0 && month == 0 {
			month = m
		}
	}
	return fields, month
}

func dateWithWord(fields []string, month int) (*dateForm, bool) {
	f := &dateForm{month: uint8(month)}
	for _, w := range fields {
		n, _ := strconv.Atoi(w)
		if len(w) <= 2 && n <= 31 && f.day == 0 {
			f.day = uint8(n)
		} else if f.year == 0 {
			f.year = yearOf(w)
		}
	}
	return f, true
}

// compactDate reads 19800312, 12031980, 1980 and 198003.
func compactDate(s string) (*dateForm, bool) {
	switch len(s) {
	case 4:
		return &dateForm{year: yearOf(s)}, true
	case 6:
		if f, ok := yearAndMonth(s[:4], s[4:]); ok && f.month <= 12 && plausibleYear(f.year) {
			return f, true
		}
		return threeFields(s[:2], s[2:4], s[4:])
	case 8:
		if f, ok := threeFields(s[:4], s[4:6], s[6:]); ok && plausibleYear(f.year) {
			return f, true
		}
		return threeFields(s[:2], s[2:4], s[4:])
	case 14:
		return threeFields(s[:4], s[4:6], s[6:8])
	}
	return nil, false
}

func plausibleYear(y int16) bool { return y >= 1000 && y <= 2200 }

func yearAndMonth(a, b string) (*dateForm, bool) {
	if len(b) == 4 {
		a, b = b, a
	}
	m, err := strconv.Atoi(b)
	if err != nil || len(a) != 4 || m > 99 {
		return nil, false
	}
	return &dateForm{year: yearOf(a), month: uint8(m)}, true
}

// threeFields reads a date of three numbers. Of day and month in front of the year, the
// one over 12 is the day; where neither is, it could be either.
func threeFields(a, b, c string) (*dateForm, bool) {
	x, errA := strconv.Atoi(a)
	y, errB := strconv.Atoi(b)
	z, errC := strconv.Atoi(c)
	if errA != nil || errB != nil || errC != nil || len(a) > 4 || len(b) > 2 || len(c) > 4 {
		return nil, false
	}
	if len(a) >= 3 || x > 31 {
		return &dateForm{year: yearOf(a), month: uint8(y), day: uint8(min(z, 99))}, true
	}
	f := &dateForm{year: yearOf(c), month: uint8(y), day: uint8(x)}
	if y > 12 && x <= 12 {
		f.month, f.day = uint8(x), uint8(y)
	}
	f.either = x <= 12 && y <= 12 && x != y
	return f, true
}

// yearOf reads a year; of two digits, one that isn't in the future by much.
func yearOf(s string) int16 {
	n, err := strconv.Atoi(s)
	if err != nil || n > 9999 {
		return 0
	}
	if len(s) <= 2 {
		if n > 30 {
			return int16(1900 + n)
		}
		return int16(2000 + n)
	}
	return int16(n)
}

func (c *dates) Compare(a, b Form) Outcome {
	x, ok := a.(*dateForm)
	y, too := b.(*dateForm)
	if !ok || !too {
		return Outcome{}
	}
	return Outcome{Level: dateLevel(x, y)}
}

func dateLevel(x, y *dateForm) uint8 {
	if x.text != "" || y.text != "" {
		switch {
		case x.text == y.text:
			return Exact
		case x.text != "" && y.text != "" && edits(x.text, y.text) == 1:
			return 5
		}
		return 0
	}
	if x.year == y.year && x.month == y.month && x.day == y.day {
		return Exact
	}
	if level := turned(x, y); level > 0 {
		return level
	}
	level := partsLevel(x, y)
	if x.either || y.either {
		// Of the two readings of an ambiguous date, the better one.
		turned := *x
		turned.month, turned.day = x.day, x.month
		if !x.either {
			turned = *y
			turned.month, turned.day = y.day, y.month
			return max(level, partsLevel(x, &turned))
		}
		level = max(level, partsLevel(&turned, y))
	}
	return level
}

// turned is the level of dates of which day and month are the other way round.
func turned(x, y *dateForm) uint8 {
	if x.month != y.day || x.day != y.month || x.day == 0 || y.day == 0 {
		return 0
	}
	switch {
	case x.year == y.year:
		return 6
	case yearEdits(x.year, y.year) == 1:
		return 2
	}
	return 0
}

func yearEdits(a, b int16) int {
	if a == 0 || b == 0 {
		return 4
	}
	n := 0
	for a > 0 || b > 0 {
		if a%10 != b%10 {
			n++
		}
		a, b = a/10, b/10
	}
	return n
}

func partsLevel(x, y *dateForm) uint8 {
	year, month, day := x.year == y.year && x.year != 0, x.month == y.month && x.month != 0, x.day == y.day && x.day != 0
	if x.month == 0 || y.month == 0 || x.day == 0 || y.day == 0 {
		return partialLevel(x, y, year, month)
	}
	digits := yearEdits(x.year, y.year) + dayEdits(x.month, y.month) + dayEdits(x.day, y.day)
	switch {
	case year && (month && transposedDay(x.day, y.day) || day && transposedDay(x.month, y.month)),
		month && day && transposed(strconv.Itoa(int(x.year)), strconv.Itoa(int(y.year))):
		return 6
	case digits == 1:
		return 5
	case year && month, year && day, month && day && near(int(x.year), int(y.year), 2):
		return 4
	case month && day, x.within(y, 7):
		return 3
	case digits == 2, x.within(y, 31):
		return 2
	case year || month && near(int(x.year), int(y.year), 1):
		return 1
	}
	return 0
}

// partialLevel compares dates of which not all is known.
func partialLevel(x, y *dateForm, year, month bool) uint8 {
	switch {
	case year && month:
		return 4
	case year && (x.month == 0 || y.month == 0):
		return 3
	case year, near(int(x.year), int(y.year), 1) && x.year != 0 && y.year != 0:
		return 1
	}
	return 0
}

func near(a, b, by int) bool { return a-b <= by && b-a <= by }

func dayEdits(a, b uint8) int {
	n := 0
	if a/10 != b/10 {
		n++
	}
	if a%10 != b%10 {
		n++
	}
	return n
}

func transposedDay(a, b uint8) bool { return a != b && a/10 == b%10 && a%10 == b/10 }

// within reports whether two dates are so many days apart at most. Months have 28 days or more.
func (f *dateForm) within(g *dateForm, days int) bool {
	months := 12*(int(f.year)-int(g.year)) + int(f.month) - int(g.month)
	if 28*max(months, -months) > days+256 {
		return false
	}
	return near(f.days(), g.days(), days)
}

// days counts days from an arbitrary one; parts out of range run over.
func (f *dateForm) days() int {
	return int(time.Date(int(f.year), time.Month(f.month), int(f.day), 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

func (*dates) Tokens(Form, func(uint64)) {}

func (c *dates) Keys(f Form, want KeyKinds, emit func(Key)) {
	d, ok := f.(*dateForm)
	if !ok {
		return
	}
	e := emitter{want, emit}
	e.text(KeyExact, d.Key())
	if d.text != "" || d.month == 0 || d.day == 0 {
		return
	}
	if d.either || d.day <= 12 {
		turned := *d
		turned.month, turned.day = d.day, d.month
		e.text(KeyToken, max(d.Key(), turned.Key()))
	}
	e.text(KeyPart, fmt.Sprintf("%d", d.year))
	e.text(KeyPart, fmt.Sprintf("%d-%d", d.year, d.month))
	e.text(KeyPart, fmt.Sprintf("-%d-%d", d.month, d.day))
	e.text(KeyPart, fmt.Sprintf("%d--%d", d.year, d.day))
}
