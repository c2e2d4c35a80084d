package stocktake

import "github.com/clientele-go/clientele/internal/enum"

var (
	classNames    = enum.Names{"new", "active", "returning", "dormant", "lost", "never"}
	severityNames = enum.Names{"note", "warning", "problem"}
	stateNames    = enum.Names{"draft", "review", "approved", "signed", "filed"}
)

func (c Class) String() string { return classNames.Of(uint8(c)) }

// MarshalText returns the lower-case English name, for JSON and maps.
func (c Class) MarshalText() ([]byte, error) {
	return classNames.Marshal(uint8(c), "stocktake", "class")
}

// UnmarshalText reads what MarshalText wrote.
func (c *Class) UnmarshalText(text []byte) error {
	return classNames.Unmarshal(text, (*uint8)(c), "stocktake", "class")
}

func (s Severity) String() string { return severityNames.Of(uint8(s)) }

// MarshalText returns the lower-case English name, for JSON and maps.
func (s Severity) MarshalText() ([]byte, error) {
	return severityNames.Marshal(uint8(s), "stocktake", "severity")
}

// UnmarshalText reads what MarshalText wrote.
func (s *Severity) UnmarshalText(text []byte) error {
	return severityNames.Unmarshal(text, (*uint8)(s), "stocktake", "severity")
}

func (s State) String() string { return stateNames.Of(uint8(s)) }

// MarshalText returns the lower-case English name, for JSON and maps.
func (s State) MarshalText() ([]byte, error) {
	return stateNames.Marshal(uint8(s), "stocktake", "state")
}

// UnmarshalText reads what MarshalText wrote.
func (s *State) UnmarshalText(text []byte) error {
	return stateNames.Unmarshal(text, (*uint8)(s), "stocktake", "state")
}
