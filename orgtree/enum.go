package orgtree

import (
	"fmt"
	"strconv"
)

func nameOf(names []string, i uint8) string {
	if int(i) < len(names) {
		return names[i]
	}
	return "unknown(" + strconv.Itoa(int(i)) + ")"
}

func marshalName(names []string, i uint8, what string) ([]byte, error) {
	if int(i) >= len(names) {
		return nil, fmt.Errorf("orgtree: %s %d has no name; the highest is %d", what, i, len(names)-1)
	}
	return []byte(names[i]), nil
}

func unmarshalName(names []string, text []byte, to *uint8, what string) error {
	for i, name := range names {
		if name == string(text) {
			*to = uint8(i)
			return nil
		}
	}
	return fmt.Errorf("orgtree: %q is no %s; use one of %v", text, what, names)
}
