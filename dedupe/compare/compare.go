package compare

import (
	"errors"
	"fmt"
	"slices"
)

// Type says what a field holds. The zero value is no type.
type Type string

// The types of fields.
const (
	Name             Type = "name" // of a person or an organisation, unknown which
	PersonName       Type = "person.name"
	PersonGiven      Type = "person.given"
	PersonFamily     Type = "person.family"
	OrganisationName Type = "organisation.name"
	Phone            Type = "phone"
	Email            Type = "email"
	Website          Type = "website"
	Address          Type = "address" // whole
	AddressNumber    Type = "address.number"
	AddressStreet    Type = "address.street"
	AddressBuilding  Type = "address.building"
	AddressLocality  Type = "address.locality"
	AddressCity      Type = "address.city"
	AddressRegion    Type = "address.region"
	AddressPostcode  Type = "address.postcode"
	Date             Type = "date"
	DateBirth        Type = "date.birth"
	DateBirthYear    Type = "date.birth.year"
	DateBirthMonth   Type = "date.birth.month"
	DateBirthDay     Type = "date.birth.day"
	DateYear         Type = "date.year"
	Identifier       Type = "identifier"
	Category         Type = "category"
	Text             Type = "text"
	Number           Type = "number"
)

// Exact is the highest level of every comparator: the values are the same once written
// the same way.
const Exact = 7

// MaxRunes is how much of a value is looked at.
const MaxRunes = 4096

// Level is one of a comparator's steps of likeness.
type Level struct {
	Name string // "typo", the same in all languages
	En   string // what it says of two values, for people: "differ by one letter"
	Zh   string
}

// Form is a value brought into the shape in which its comparator compares it. It is
// immutable and belongs to the type whose comparator made it; the three person types share
// theirs, so that a given name can be compared with a family name. A missing value has the
// form nil.
type Form interface {
	// Key is the normal form as text: values with the same key are exactly alike.
	Key() string
}

// Outcome is what a comparison says.
type Outcome struct {
	Level uint8
	// Bits is how surprising it would be for two unrelated values to have in common what
	// these have: the information, in bits, of the words and characters that they share
	// (-log2 of their share among the values of the corpus), 0 where that is unknown.
	Bits float32
	// Mute says that the values can't be compared, so that they speak neither for nor against:
	// a name in Arabic letters and one in Latin. The level is 0 then.
	Mute bool
}

// Comparator compares the values of one type of field. Its methods are safe for
// concurrent use.
type Comparator interface {
	// Type is the field's type.
	Type() Type
	// Levels are the eight levels, from disagreement to equality. Do not change them.
	Levels() []Level
	// Prepare brings a value into its form, nil where it says nothing: it is empty,
	// "N/A", or has nothing that this type could use. Any text is accepted; bytes that are
	// not UTF-8 count as separators.
	Prepare(value string) Form
	// Compare places two forms on a level. It is symmetric. With a missing form the level
	// is 0; the caller, for whom missing is not different, doesn't ask.
	Compare(a, b Form) Outcome
	// Keys emits the hashes, of the kinds that are wanted, under which values that may be
	// alike meet. Hashes are stable: they may be stored.
	Keys(f Form, want KeyKinds, emit func(Key))
	// Tokens emits what a corpus counts in a form: see [Corpus.Learn]. Comparators to which the
	// rest of a column says nothing emit none.
	Tokens(f Form, emit func(hash uint64))
}

// KeysOf emits the keys of a value: what c.Keys(c.Prepare(value), want, emit) does, often
// at less cost.
func KeysOf(c Comparator, value string, want KeyKinds, emit func(Key)) {
	if s, ok := c.(*several); ok {
		s.keysOf(value, want, emit)
	} else if f := c.Prepare(value); f != nil {
		c.Keys(f, want, emit)
	}
}

// Options make a comparator. The zero value is ready to use.
type Options struct {
	// Country is the ISO 3166-1 alpha-2 code of the country whose phone numbers come
	// without its calling code. Empty for unknown.
	Country string
	// Corpus has the frequencies of words in the column. Nil for none.
	Corpus *Corpus
}

// ErrType is what a [TypeError] wraps.
var ErrType = errors.New("unknown field type")

// TypeError says that a type is none of [Types].
type TypeError struct{ Type Type }

func (e *TypeError) Error() string {
	return fmt.Sprintf("compare: field type %q is unknown; use one of %v", string(e.Type), Types())
}

// Unwrap returns [ErrType].
func (e *TypeError) Unwrap() error { return ErrType }

// makers make the comparators, in the order in which Types lists them.
var makers = []struct {
	typ  Type
	make func(Type, Options) Comparator
}{
	{Name, newName},
	{PersonName, newPerson}, {PersonGiven, newPerson}, {PersonFamily, newPerson},
	{OrganisationName, newOrganisation},
	{Phone, newPhone}, {Email, newEmail}, {Website, newWebsite},
	{Address, newAddress}, {AddressNumber, newHouseNumber}, {AddressStreet, newAddress}, {AddressBuilding, newAddress},
	{AddressLocality, newPlace}, {AddressCity, newPlace}, {AddressRegion, newPlace}, {AddressPostcode, newPostcode},
	{Date, newDate}, {DateBirth, newDate},
	{DateBirthYear, newNumber}, {DateBirthMonth, newNumber}, {DateBirthDay, newNumber}, {DateYear, newNumber},
	{Identifier, newIdentifier}, {Category, newCategory}, {Text, newText}, {Number, newNumber},
}

// Types are all types that [New] knows. The slice is the caller's.
func Types() []Type {
	types := make([]Type, len(makers))
	for i, m := range makers {
		types[i] = m.typ
	}
	return types
}

// New returns the comparator of a type, or a [*TypeError].
func New(t Type, o Options) (Comparator, error) {
	i := slices.IndexFunc(makers, func(m struct {
		typ  Type
		make func(Type, Options) Comparator
	}) bool {
		return m.typ == t
	})
	if i < 0 {
		return nil, &TypeError{t}
	}
	s := &several{Comparator: makers[i].make(t, o)}
	switch t {
	case OrganisationName, Name:
		s.parts = otherNames
	case PersonName, PersonGiven, PersonFamily:
		s.parts = func(value string) []string { return calledNames(value, t) }
	}
	return s, nil
}
