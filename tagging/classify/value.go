package classify

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
)

// Type is the type of a fact.
type Type uint8

const (
	Text    Type = iota // a text; string in CEL
	Integer             // int
	Number              // a double: for thresholds, not for money, which is an Integer of minor units
	Boolean             // bool
	Instant             // a point in time; timestamp
	Texts               // a list of texts; list(string). It is never missing, but empty
)

var typeNames = []string{"text", "integer", "number", "boolean", "instant", "texts"}

// String returns the type's lower-case name.
func (t Type) String() string {
	if int(t) < len(typeNames) {
		return typeNames[t]
	}
	return fmt.Sprintf("unknown(%d)", t)
}

// cel is the type by which expressions are checked. All but lists may be null.
func (t Type) cel() *cel.Type {
	switch t {
	case Text:
		return cel.NullableType(cel.StringType)
	case Integer:
		return cel.NullableType(cel.IntType)
	case Number:
		return cel.NullableType(cel.DoubleType)
	case Boolean:
		return cel.NullableType(cel.BoolType)
	case Instant:
		return cel.TimestampType
	}
	return cel.ListType(cel.StringType)
}

// Value is the value of a fact. The zero Value is missing: null in CEL.
type Value struct{ v ref.Val }

// TextValue returns a text.
func TextValue(s string) Value { return Value{types.String(s)} }

// IntegerValue returns a whole number.
func IntegerValue(n int64) Value { return Value{types.Int(n)} }

// NumberValue returns a number.
func NumberValue(x float64) Value { return Value{types.Double(x)} }

// BooleanValue returns a truth value.
func BooleanValue(b bool) Value { return Value{types.Bool(b)} }

// InstantValue returns a point in time, missing for the zero time.
func InstantValue(t time.Time) Value {
	if t.IsZero() {
		return Value{}
	}
	return Value{types.Timestamp{Time: t.UTC()}}
}

// TextsValue returns a list of texts, which it keeps.
func TextsValue(list ...string) Value {
	return Value{types.NewStringList(types.DefaultTypeAdapter, list)}
}

// Missing reports whether the fact is not known.
func (v Value) Missing() bool { return v.v == nil }

// Text returns a text, and "" for other types.
func (v Value) Text() string { s, _ := v.v.(types.String); return string(s) }

// Integer returns a whole number, and 0 for other types.
func (v Value) Integer() int64 { n, _ := v.v.(types.Int); return int64(n) }

// Number returns a number or whole number, and 0 for other types.
func (v Value) Number() float64 {
	if n, ok := v.v.(types.Int); ok {
		return float64(n)
	}
	x, _ := v.v.(types.Double)
	return float64(x)
}

// Boolean returns a truth value, and false for other types.
func (v Value) Boolean() bool { b, _ := v.v.(types.Bool); return bool(b) }

// Instant returns a point in time, and the zero time for other types.
func (v Value) Instant() time.Time { t, _ := v.v.(types.Timestamp); return t.Time }

// Texts returns a list of texts, which must not be changed, and nil for other types.
func (v Value) Texts() []string {
	if v.v == nil {
		return nil
	}
	list, _ := v.v.Value().([]string)
	return list
}

// String returns the value for people: missing, "a", 12, 2026-01-31T00:00:00Z, [a, b].
func (v Value) String() string {
	switch x := v.v.(type) {
	case nil:
		return "missing"
	case types.String:
		return fmt.Sprintf("%q", string(x))
	case types.Timestamp:
		return x.Format(time.RFC3339Nano)
	}
	if list := v.Texts(); list != nil {
		return "[" + strings.Join(list, ", ") + "]"
	}
	return fmt.Sprint(v.v.Value())
}

// is reports whether the value has a type; a missing one has every type but Texts.
func (v Value) is(t Type) bool {
	switch v.v.(type) {
	case nil:
		return t != Texts
	case types.String:
		return t == Text
	case types.Int:
		return t == Integer
	case types.Double:
		return t == Number
	case types.Bool:
		return t == Boolean
	case types.Timestamp:
		return t == Instant
	}
	return t == Texts && v.Texts() != nil
}

// val is the value that expressions compute with.
func (v Value) val() ref.Val {
	if v.v == nil {
		return types.NullValue
	}
	return v.v
}

// valueOf is the fact of what expressions compute with.
func valueOf(v ref.Val) Value {
	if v == types.NullValue {
		return Value{}
	}
	return Value{v}
}

// sortedTexts returns a list of texts in order, for facts that are sets.
func sortedTexts(list []string) Value {
	slices.Sort(list)
	return TextsValue(list...)
}
