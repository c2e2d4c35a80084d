package enum

import (
	"fmt"
	"strconv"
)

// Names are the names of an enumeration's values, from 0 on.
type Names []string

// Of returns the name of a value, "unknown(7)" when it has none.
func (n Names) Of(value uint8) string {
	if int(value) < len(n) {
		return n[value]
	}
	return "unknown(" + strconv.Itoa(int(value)) + ")"
}

// Marshal returns the name of a value, for MarshalText. Package and what stand in the
// error.
func (n Names) Marshal(value uint8, pkg, what string) ([]byte, error) {
	if int(value) >= len(n) {
		return nil, fmt.Errorf("%s: %s %d has no name; the highest is %d", pkg, what, value, len(n)-1)
	}
	return []byte(n[value]), nil
}

// Unmarshal sets a value by its name, for UnmarshalText.
func (n Names) Unmarshal(text []byte, to *uint8, pkg, what string) error {
	for i, name := range n {
		if name == string(text) {
			*to = uint8(i)
			return nil
		}
	}
	return fmt.Errorf("%s: %q is no %s; use one of %v", pkg, text, what, []string(n))
}
