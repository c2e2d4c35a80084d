package aging

import (
	"strconv"
	"strings"
)

// Buckets divide days past due into columns. The bounds 30, 60 and 90 make the columns
// not due, 1–30, 31–60, 61–90 and more than 90 days. Negative bounds divide what isn't due
// yet: with -30 besides, due in more than 30 days and due within 0–30 days take the place
// of not due. The zero value has the columns not due and overdue. Buckets are immutable.
type Buckets struct {
	bounds []int // ascending; negative ones divide what is not due
	future int   // how many of them are negative
}

// The most bounds, and the most days of one: some 300 years.
const (
	maxBounds = 60
	maxDays   = 110_000
)

// NewBuckets returns the buckets between bounds, which ascend and are not 0.
func NewBuckets(bounds ...int) (Buckets, error) {
	b := Buckets{bounds: append([]int(nil), bounds...)}
	for i, bound := range bounds {
		if bound == 0 || bound < -maxDays || bound > maxDays || i > 0 && bound <= bounds[i-1] || i >= maxBounds {
			return Buckets{}, &Error{"make buckets", strings.Trim(strings.Join(texts(bounds), ","), ","),
				"give at most 60 ascending numbers of days other than 0, such as 30,60,90", ErrBuckets}
		}
		if bound < 0 {
			b.future++
		}
	}
	return b, nil
}

// Standard returns the buckets 30, 60, 90.
func Standard() Buckets { return Buckets{bounds: []int{30, 60, 90}} }

// ParseBuckets reads bounds with commas between them: "30,60,90", "-30,30,60".
func ParseBuckets(text string) (Buckets, error) {
	var bounds []int
	for field := range strings.SplitSeq(text, ",") {
		bound, err := strconv.Atoi(strings.TrimSpace(field))
		if err != nil {
			return Buckets{}, &Error{"parse buckets", text, "write numbers of days with commas between them, such as 30,60,90", ErrBuckets}
		}
		bounds = append(bounds, bound)
	}
	return NewBuckets(bounds...)
}

func texts(numbers []int) []string {
	list := make([]string, len(numbers))
	for i, n := range numbers {
		list[i] = strconv.Itoa(n)
	}
	return list
}

// Len returns the number of columns: one more than bounds, and not due.
func (b Buckets) Len() int { return len(b.bounds) + 2 }

// Column returns the column of an item so many days past due, where 0 or less is not due.
func (b Buckets) Column(days int) int {
	column := 0
	for column < b.future && days > b.bounds[column] {
		// Due within 0–30 days is -30 … 0 days past due: -30 belongs to the later column.
		column++
	}
	if column < b.future && days == b.bounds[column] {
		return column + 1
	}
	if days <= 0 {
		return column
	}
	column = b.future + 1
	for _, bound := range b.bounds[b.future:] {
		if days <= bound {
			break
		}
		column++
	}
	return column
}

// Range returns the days past due of a column, from the least to the most. Open ends are
// told by open: at the least, the most, or neither.
func (b Buckets) Range(column int) (least, most int, open End) {
	switch {
	case column == b.Len()-1:
		return b.bound(column-2) + 1, 0, AtMost
	case column == 0 && b.future > 0:
		return 0, b.bounds[0] - 1, AtLeast
	case column == 0:
		return 0, 0, AtLeast
	case column < b.future:
		return b.bounds[column-1], b.bounds[column] - 1, Neither
	case column == b.future:
		return b.bounds[column-1], 0, Neither
	case column == b.future+1:
		return 1, b.bounds[column-1], Neither
	}
	return b.bounds[column-2] + 1, b.bounds[column-1], Neither
}

// bound returns the bound of past due days at a place, 0 before the first.
func (b Buckets) bound(i int) int {
	if i < b.future {
		return 0
	}
	return b.bounds[i]
}

// End tells which end of a column's days is open.
type End uint8

const (
	Neither End = iota
	AtLeast     // the column goes back without end: not due
	AtMost      // the column goes on without end
)

// Name returns the name of a column in files: not_due, d1_30, d31_60, d90_plus, and for
// what isn't due due_0_30, due_31_60, due_60_plus.
func (b Buckets) Name(column int) string {
	least, most, open := b.Range(column)
	switch {
	case open == AtMost:
		return "d" + strconv.Itoa(least-1) + "_plus"
	case open == AtLeast && b.future == 0:
		return "not_due"
	case open == AtLeast:
		return "due_" + strconv.Itoa(-most-1) + "_plus"
	case least < 1:
		return "due_" + strconv.Itoa(-most) + "_" + strconv.Itoa(-least)
	}
	return "d" + strconv.Itoa(least) + "_" + strconv.Itoa(most)
}

// String returns the bounds as ParseBuckets reads them.
func (b Buckets) String() string { return strings.Join(texts(b.bounds), ",") }

// MarshalText returns the bounds.
func (b Buckets) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// UnmarshalText reads bounds; an empty text is the zero value.
func (b *Buckets) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*b = Buckets{}
		return nil
	}
	parsed, err := ParseBuckets(string(text))
	if err == nil {
		*b = parsed
	}
	return err
}
