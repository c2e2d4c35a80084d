package identifier

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// Scheme is a kind of number. It must not be changed once it is part of a [Set].
type Scheme struct {
	// Name is what records store: lower-case words of letters and digits, divided by
	// points, at most 60 bytes: "cn.uscc".
	Name string
	// Title is the scheme's name for people, by BCP 47 language: "en", "zh".
	Title map[string]string
	// Country is the issuer's ISO 3166-1 alpha-2 code, "EU" for the Union, empty for the world.
	Country string
	// Sensitive says that a number is personal data in itself. Messages then show only
	// its ends.
	Sensitive bool
	// Unique says that at most one customer may hold a number.
	Unique bool
	// Parse returns the canonical form of a number, which Parse itself must accept and
	// return unchanged. It must be safe for concurrent use and not keep raw.
	Parse func(raw string) (canonical string, err error)
}

// Set is a fixed collection of schemes with different names. It is immutable, so it is
// safe for concurrent use.
type Set struct {
	byName map[string]Scheme
	all    []Scheme // as given, strictest first
}

// NewSet returns the built-in schemes and the extra ones. An extra scheme with a
// malformed name or country, the name of another, or no Parse is an [*Error] that wraps
// [ErrScheme].
func NewSet(extra ...Scheme) (*Set, error) {
	s := &Set{byName: map[string]Scheme{}, all: Builtin()}
	for _, x := range extra {
		x.Title = maps.Clone(x.Title)
		s.all = append(s.all, x)
	}
	for _, x := range s.all {
		if _, taken := s.byName[x.Name]; taken {
			return nil, &Error{Scheme: x.Name, Reason: "is the name of two schemes", Remedy: "give the added one another name", kind: ErrScheme}
		}
		if err := x.validate(); err != nil {
			return nil, err
		}
		s.byName[x.Name] = x
	}
	return s, nil
}

func (x Scheme) validate() error {
	bad := &Error{Scheme: x.Name, kind: ErrScheme}
	switch {
	case !wellNamed(x.Name):
		bad.Reason, bad.Remedy = "is no name of a scheme", `use lower-case words of letters and digits divided by points, at most 60 bytes, such as "cn.uscc"`
	case x.Country != "" && (len(x.Country) != 2 || !all(x.Country, isLetter)):
		bad.Reason, bad.Remedy = fmt.Sprintf("has the country %q", x.Country), "use the two letters of ISO 3166-1, or none"
	case x.Parse == nil:
		bad.Reason, bad.Remedy = "has no Parse", "give it a function that returns a number's canonical form"
	default:
		return nil
	}
	return bad
}

func wellNamed(name string) bool {
	start := true // of a word
	for i := range len(name) {
		c := name[i]
		letter := c >= 'a' && c <= 'z'
		if !letter && (start || c != '.' && !isDigit(c)) {
			return false
		}
		start = c == '.'
	}
	return !start && len(name) <= 60
}

// Parse returns the canonical form of a number under the named scheme: raw itself,
// without allocating, where it is canonical already. The error is an [*Error] that wraps
// [ErrInvalid], or [ErrUnknownScheme].
func (s *Set) Parse(scheme, raw string) (string, error) {
	x, found := s.byName[scheme]
	if !found {
		return "", &Error{Scheme: scheme, Value: raw, Reason: "is no known scheme", Remedy: "use one of the book's schemes, such as " + s.all[0].Name, kind: ErrUnknownScheme}
	}
	canonical, err := x.Parse(raw)
	if err == nil && canonical != "" {
		return canonical, nil
	}
	return "", x.complete(err, raw)
}

// complete makes an [*Error] with all fields of what a scheme returned.
func (x Scheme) complete(err error, raw string) error {
	full := Error{Reason: "is empty in its canonical form"}
	if given, ok := errors.AsType[*Error](err); ok {
		full = *given
	} else if err != nil {
		full.Reason, full.cause = err.Error(), err
	}
	full.Scheme, full.Value, full.sensitive, full.kind = x.Name, raw, x.Sensitive, ErrInvalid
	return &full
}

// Scheme returns the scheme with a name.
func (s *Set) Scheme(name string) (Scheme, bool) {
	x, found := s.byName[name]
	return x, found
}

// All returns the schemes, the built-in ones first, strictest first, then the extra ones
// in the order given. The slice is the caller's.
func (s *Set) All() []Scheme { return slices.Clone(s.all) }

// Guess returns the names of the schemes whose checks the number passes, in the order of
// [Set.All]: the first is the one that a number without a scheme most likely belongs to.
// It costs one Parse for each scheme.
func (s *Set) Guess(raw string) []string {
	var names []string
	for _, x := range s.all {
		if canonical, err := x.Parse(raw); err == nil && canonical != "" {
			names = append(names, x.Name)
		}
	}
	return names
}
