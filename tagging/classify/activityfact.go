package classify

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/clientele-go/clientele/customer"
)

// activity is what is known of a customer's events, read when a fact asks for it.
type activity struct {
	read   bool
	counts []customer.MonthCount // positive, by type and month
}

func (a *activity) reset() { a.read, a.counts = false, a.counts[:0] }

// of returns the months in which a customer had events of a type, oldest first. With
// the facts of a past date, later months are left out.
func (l *loading) of(typ string) ([]customer.MonthCount, error) {
	if !l.activity.read {
		for c, err := range l.customers.Events(l.record.ID) {
			if err != nil {
				return nil, err
			}
			if c.Count > 0 && !(l.past && c.Month.After(l.clock.now)) {
				l.activity.counts = append(l.activity.counts, c)
			}
		}
		l.activity.read = true
	}
	from, to := 0, 0
	for i, c := range l.activity.counts {
		if c.Type < typ {
			from = i + 1
		}
		if c.Type <= typ {
			to = i + 1
		}
	}
	return l.activity.counts[from:to], nil
}

func activityDocs() []FactSpec {
	return []FactSpec{
		{"activity.*.last", Instant, "when the last event of the type was; of a past date, the end of the last month with one when later ones followed"},
		{"activity.*.first", Instant, "the first instant of the first month with an event"},
		{"activity.*.total", Integer, "events ever"},
		{"activity.*.interval", Number, "mean days between events: from the first month's beginning to the last event, by their number less one; missing below two"},
		{"activity.*.count_N", Integer, "events in the last N calendar months (1 to 120), the present one included; months are those of UTC"},
		{"activity.*.months_N", Integer, "months with an event among the last N"},
	}
}

// maxWindow bounds N of count_N, in months.
const maxWindow = 120

// activityFact declares activity.TYPE.WHAT.
func activityFact(_ *binding, name string) (fact, bool, error) {
	typ, what, two := strings.Cut(strings.TrimPrefix(name, "activity."), ".")
	if !two || typ == "" {
		return fact{}, false, nil
	}
	f := fact{FactSpec: FactSpec{Name: name, Type: Integer}}
	switch what {
	case "last":
		f.Type, f.get = Instant, func(l *loading) (Value, error) { t, err := l.last(typ); return InstantValue(t), err }
	case "first":
		f.Type, f.get = Instant, func(l *loading) (Value, error) {
			months, err := l.of(typ)
			if err != nil || len(months) == 0 {
				return Value{}, err
			}
			return InstantValue(months[0].Month), nil
		}
	case "total":
		f.get = func(l *loading) (Value, error) {
			months, err := l.of(typ)
			return IntegerValue(total(months)), err
		}
	case "interval":
		f.Type, f.get = Number, func(l *loading) (Value, error) { return l.interval(typ) }
	default:
		return windowFact(f, typ, what)
	}
	return f, true, nil
}

func windowFact(f fact, typ, what string) (fact, bool, error) {
	kind, number, _ := strings.Cut(what, "_")
	n, err := strconv.Atoi(number)
	if kind != "count" && kind != "months" || err != nil || strconv.Itoa(n) != number {
		return fact{}, false, nil
	}
	if n < 1 || n > maxWindow {
		return fact{}, false, fmt.Errorf("%s: the number of months must be from 1 to %d", f.Name, maxWindow)
	}
	f.get = func(l *loading) (Value, error) {
		months, err := l.of(typ)
		if err != nil {
			return Value{}, err
		}
		months = window(months, n, l.clock)
		if kind == "months" {
			return IntegerValue(int64(len(months))), nil
		}
		return IntegerValue(total(months)), nil
	}
	return f, true, nil
}

// window returns the months among the last n, and notes when that changes: when the
// oldest leaves the window, or one that lies ahead begins.
func window(months []customer.MonthCount, n int, c *clock) []customer.MonthCount {
	y, m, _ := c.now.Date()
	begin := time.Date(y, m-time.Month(n)+1, 1, 0, 0, 0, 0, time.UTC)
	from, to := 0, len(months)
	for from < to && months[from].Month.Before(begin) {
		from++
	}
	for to > from && months[to-1].Month.After(c.now) {
		to--
	}
	if to < len(months) {
		c.note(months[to].Month)
	}
	if from < to {
		c.note(months[from].Month.AddDate(0, n, 0))
	}
	return months[from:to]
}

func total(months []customer.MonthCount) (n int64) {
	for _, m := range months {
		n += m.Count
	}
	return n
}

// last returns the time of the last event, zero for never.
func (l *loading) last(typ string) (time.Time, error) {
	t, err := l.customers.LastEvent(l.record.ID, typ)
	if err != nil || !l.past || !t.After(l.clock.now) {
		return t, err
	}
	months, err := l.of(typ)
	if err != nil || len(months) == 0 {
		return time.Time{}, err
	}
	end := months[len(months)-1].Month.AddDate(0, 1, 0).Add(-time.Microsecond)
	return earliest(end, l.clock.now), nil
}

func (l *loading) interval(typ string) (Value, error) {
	months, err := l.of(typ)
	if err != nil || total(months) < 2 {
		return Value{}, err
	}
	last, err := l.last(typ)
	if err != nil || last.IsZero() {
		return Value{}, err
	}
	days := last.Sub(months[0].Month).Hours() / 24
	return NumberValue(days / float64(total(months)-1)), nil
}
