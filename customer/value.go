package customer

import (
	"fmt"
	"strconv"
	"time"

	"github.com/clientele-go/clientele/internal/enum"
)

// Type is the type of a custom attribute.
type Type uint8

const (
	Text    Type = iota // any text
	Number              // an exact decimal with the schema's number of fraction digits
	Boolean             // true or false
	Date                // a calendar day
	Enum                // one of the schema's values
)

var typeNames = enum.Names{"text", "number", "boolean", "date", "enum"}

func (t Type) String() string { return typeNames.Of(uint8(t)) }

// MarshalText returns the type's lower-case name.
func (t Type) MarshalText() ([]byte, error) { return typeNames.Marshal(uint8(t), "customer", "type") }

// UnmarshalText reads what MarshalText wrote.
func (t *Type) UnmarshalText(text []byte) error {
	return typeNames.Unmarshal(text, (*uint8)(t), "customer", "type")
}

// Value is the value of a custom attribute. The zero Value is the empty text.
type Value struct {
	typ  Type
	text string
	n    int64
}

// TextValue returns a text.
func TextValue(s string) Value { return Value{typ: Text, text: s} }

// EnumValue returns one of an enum's values.
func EnumValue(s string) Value { return Value{typ: Enum, text: s} }

// NumberValue returns a decimal as a whole number of its smallest units: 12.50
// with two fraction digits is 1250.
func NumberValue(units int64) Value { return Value{typ: Number, n: units} }

// BooleanValue returns a truth value.
func BooleanValue(b bool) Value {
	if b {
		return Value{typ: Boolean, n: 1}
	}
	return Value{typ: Boolean}
}

// DateValue returns the calendar day of t in t's own location.
func DateValue(t time.Time) Value {
	y, m, d := t.Date()
	return Value{typ: Date, n: time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / secondsPerDay}
}

const secondsPerDay = 24 * 60 * 60

// Type returns the value's type.
func (v Value) Type() Type { return v.typ }

// Text returns a text's or an enum's string, and "" for other types.
func (v Value) Text() string { return v.text }

// Units returns a number's units, and 0 for other types.
func (v Value) Units() int64 {
	if v.typ == Number {
		return v.n
	}
	return 0
}

// Bool returns a boolean's truth, and false for other types.
func (v Value) Bool() bool { return v.typ == Boolean && v.n != 0 }

// Time returns a date's midnight in UTC, and the zero time for other types.
func (v Value) Time() time.Time {
	if v.typ != Date {
		return time.Time{}
	}
	return time.Unix(v.n*secondsPerDay, 0).UTC()
}

// String returns the value for people; numbers come in their smallest units.
func (v Value) String() string {
	switch v.typ {
	case Text, Enum:
		return v.text
	case Number:
		return strconv.FormatInt(v.n, 10)
	case Boolean:
		return strconv.FormatBool(v.n != 0)
	case Date:
		return v.Time().Format(time.DateOnly)
	}
	return fmt.Sprintf("unknown(%d)", v.typ)
}
