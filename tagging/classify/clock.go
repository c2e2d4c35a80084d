package classify

import (
	"errors"
	"math"
	"reflect"
	"time"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
)

// clock is the time of an evaluation. Conditions that depend on it are comparisons,
// each of which is a step on the time axis (see rewriteClock); the clock notes the next
// step ahead. As long as that lies ahead and the facts stay, all comparisons that the
// evaluation made come out the same, so its result does.
type clock struct {
	now   time.Time
	until time.Time // the next step; zero for none
}

func (c *clock) set(now time.Time) {
	c.now, c.until = now.UTC().Truncate(time.Microsecond), time.Time{}
}

// note remembers an instant at which something changes, if it lies ahead.
func (c *clock) note(at time.Time) {
	if at.After(c.now) && (c.until.IsZero() || at.Before(c.until)) {
		c.until = at
	}
}

// reached reports whether an instant has come, and notes it.
func (c *clock) reached(at time.Time) bool {
	c.note(at)
	return !c.now.Before(at)
}

// step computes the instant from which on a quantity that grows with time is at least n.
type step func(t time.Time, n int64) (time.Time, error)

var errRange = errors.New("result is out of range")

// maxSteps bounds numbers of days and months: some 10,000 years.
const maxSteps = 3_660_000

// daysStep: midnight UTC of the n-th day after the day of t.
func daysStep(t time.Time, n int64) (time.Time, error) {
	if n > maxSteps || n < -maxSteps {
		return t, errRange
	}
	y, m, d := t.UTC().Date()
	return time.Date(y, m, d+int(n), 0, 0, 0, 0, time.UTC), nil
}

// monthsStep: midnight UTC of the same day n months later, or of the month's last day
// when it has no such day.
func monthsStep(t time.Time, n int64) (time.Time, error) {
	if n > maxSteps || n < -maxSteps {
		return t, errRange
	}
	y, m, d := t.UTC().Date()
	last := time.Date(y, m+time.Month(n)+1, 0, 0, 0, 0, 0, time.UTC)
	if last.Day() < d {
		return last, nil
	}
	return time.Date(y, m+time.Month(n), d, 0, 0, 0, 0, time.UTC), nil
}

// instantStep: n microseconds after t. Times are whole microseconds, so that now > t is
// now >= t + 1 µs.
func instantStep(t time.Time, n int64) (time.Time, error) {
	t = t.UTC()
	whole := t.Truncate(time.Microsecond)
	if !whole.Equal(t) { // now >= t only from the next whole one on, and so now > t
		if whole = whole.Add(time.Microsecond); n > 0 {
			n--
		}
	}
	return whole.Add(time.Duration(n) * time.Microsecond), nil
}

// comparison tells whether the quantity compares with n as an operator says, given the
// instants from which on it is at least n, and more than n.
type comparison struct {
	operator string // in CEL's syntax tree
	short    string
	reads    func(c *clock, n, more time.Time) bool
	flipped  string // the operator with its sides exchanged
}

var comparisons = []comparison{
	{"_>=_", "ge", func(c *clock, n, _ time.Time) bool { return c.reached(n) }, "_<=_"},
	{"_<_", "lt", func(c *clock, n, _ time.Time) bool { return !c.reached(n) }, "_>_"},
	{"_>_", "gt", func(c *clock, _, more time.Time) bool { return c.reached(more) }, "_<_"},
	{"_<=_", "le", func(c *clock, _, more time.Time) bool { return !c.reached(more) }, "_>=_"},
	{"_==_", "eq", equal, "_==_"},
	{"_!=_", "ne", func(c *clock, n, more time.Time) bool { return !equal(c, n, more) }, "_!=_"},
}

func equal(c *clock, n, more time.Time) bool {
	atLeast, above := c.reached(n), c.reached(more)
	return atLeast && !above
}

func comparisonOf(operator string) (comparison, bool) {
	for _, c := range comparisons {
		if c.operator == operator {
			return c, true
		}
	}
	return comparison{}, false
}

// The quantities that grow with time, by the function that a rule names them by.
var quantities = map[string]step{
	fnDaysSince:   daysStep,
	fnMonthsSince: monthsStep,
}

const (
	clockVariable = "@clock"
	nowVariable   = "now"
	fnDaysSince   = "daysSince"
	fnDaysUntil   = "daysUntil"
	fnMonthsSince = "monthsSince"
	fnNow         = "@now"
)

var clockType = cel.OpaqueType("clientele.clock")

// clockOptions declare what rules may write about time, which is for checking alone, and
// what it is rewritten to.
func clockOptions() []cel.EnvOption {
	options := []cel.EnvOption{
		cel.Variable(nowVariable, cel.TimestampType),
		cel.Variable(clockVariable, clockType),
	}
	for _, name := range []string{fnDaysSince, fnDaysUntil, fnMonthsSince} {
		options = append(options, cel.Function(name, cel.Overload(name+"_timestamp", []*cel.Type{cel.TimestampType}, cel.IntType,
			cel.UnaryBinding(func(ref.Val) ref.Val { return types.NewErr("classify: %s was not rewritten", name) }))))
	}
	for _, c := range comparisons {
		for name, quantity := range quantities {
			fn := "@" + name + "_" + c.short
			options = append(options, cel.Function(fn, cel.Overload(fn, []*cel.Type{clockType, cel.TimestampType, cel.IntType}, cel.BoolType,
				cel.FunctionBinding(func(args ...ref.Val) ref.Val { return compareStep(c, quantity, args[0], args[1], args[2]) }))))
		}
		fn := fnNow + "_" + c.short
		options = append(options, cel.Function(fn, cel.Overload(fn, []*cel.Type{clockType, cel.TimestampType}, cel.BoolType,
			cel.BinaryBinding(func(at, t ref.Val) ref.Val { return compareStep(c, instantStep, at, t, types.IntZero) }))))
	}
	return options
}

// compareStep compares a quantity that grows since t with n.
func compareStep(c comparison, quantity step, at, t, n ref.Val) ref.Val {
	cl, ok1 := at.(*clock)
	since, ok2 := t.(types.Timestamp)
	bound, ok3 := n.(types.Int)
	if !ok1 || !ok2 || !ok3 {
		return types.NoSuchOverloadErr()
	}
	if bound == math.MaxInt64 {
		return types.WrapErr(errRange)
	}
	from, err := quantity(since.Time, int64(bound))
	if err != nil {
		return types.WrapErr(err)
	}
	more, err := quantity(since.Time, int64(bound)+1)
	if err != nil {
		return types.WrapErr(err)
	}
	return types.Bool(c.reads(cl, from, more))
}

// The clock is a value of CEL only to be handed to the functions above.

var errClockValue = errors.New("classify: the clock can't be converted")

// ConvertToNative implements ref.Val.
func (c *clock) ConvertToNative(reflect.Type) (any, error) { return nil, errClockValue }

// ConvertToType implements ref.Val.
func (c *clock) ConvertToType(ref.Type) ref.Val { return types.WrapErr(errClockValue) }

// Equal implements ref.Val.
func (c *clock) Equal(other ref.Val) ref.Val { return types.Bool(ref.Val(c) == other) }

// Type implements ref.Val.
func (c *clock) Type() ref.Type { return clockType }

// Value implements ref.Val.
func (c *clock) Value() any { return c }

// earliest returns the earlier of two instants of which zero is never.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
