package dedupe

import (
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/clientele-go/clientele/customer"
)

// The fields that a [Survivorship] chooses, beside custom attributes, each by its name
// behind "attr.". Lists are not chosen but united.
const (
	FieldName    = "name"
	FieldKind    = "kind"
	FieldParty   = "party"
	FieldCountry = "country"
	FieldWebsite = "website"
	FieldNote    = "note"
	FieldOwner   = "owner" // the owning unit, together with the representative

	// AttributePrefix stands before the name of a custom attribute.
	AttributePrefix = "attr."
)

// Side is one of the two customers of a merge.
type Side uint8

const (
	OfSurvivor Side = iota
	OfLoser
)

// Value is what one customer has of a field.
type Value struct {
	Text     string             // for people; empty for nothing
	Customer *customer.Customer // not to be changed
}

// Rule chooses between two values of a field that differ. It depends on nothing else, so
// that a preview shows what a merge will do, and is safe for concurrent use.
type Rule func(field string, survivor, loser Value) Side

// Survivorship says which value of a field the survivor of a merge has. The zero value
// fills what the survivor lacks. It is safe for concurrent use.
type Survivorship struct {
	// Fields are the rules by field.
	Fields map[string]Rule
	// Default is the rule of the others; nil is [Filled].
	Default Rule
	// WithoutFormerName leaves the name that was not chosen out of the aliases.
	WithoutFormerName bool
	// Finish has the last word about the record, before it is checked. The lists of golden
	// are what the loser brings; the survivor keeps its own. It depends on its arguments
	// alone.
	Finish func(golden, survivor, loser *customer.Customer) error
}

// Filled keeps what the survivor has, and takes the loser's value where it has none.
func Filled(_ string, survivor, _ Value) Side {
	if survivor.Text == "" {
		return OfLoser
	}
	return OfSurvivor
}

// Recent takes the value of the customer that was changed last; an empty one doesn't
// count.
func Recent(_ string, survivor, loser Value) Side {
	switch {
	case survivor.Text == "":
		return OfLoser
	case loser.Text != "" && loser.Customer.Recorded.After(survivor.Customer.Recorded):
		return OfLoser
	}
	return OfSurvivor
}

// Longest takes the value with more characters.
func Longest(_ string, survivor, loser Value) Side {
	if utf8.RuneCountInString(loser.Text) > utf8.RuneCountInString(survivor.Text) {
		return OfLoser
	}
	return OfSurvivor
}

// Complete takes the value of the customer whose record says more; an empty one doesn't
// count.
func Complete(field string, survivor, loser Value) Side {
	switch {
	case survivor.Text == "":
		return OfLoser
	case loser.Text != "" && Completeness(loser.Customer) > Completeness(survivor.Customer):
		return OfLoser
	}
	return OfSurvivor
}

// Trusted takes the value of the customer that the more trusted system knows: systems are
// those of source keys, the most trusted first. Where both are equal in that, it is
// [Filled].
func Trusted(systems ...string) Rule {
	rank := func(c *customer.Customer) int {
		best := len(systems)
		for _, k := range c.SourceKeys {
			if at := slices.Index(systems, k.System); at >= 0 {
				best = min(best, at)
			}
		}
		return best
	}
	return func(field string, survivor, loser Value) Side {
		if loser.Text != "" && rank(loser.Customer) < rank(survivor.Customer) {
			return OfLoser
		}
		return Filled(field, survivor, loser)
	}
}

// Completeness counts what a record says: its filled fields and the elements of its lists.
func Completeness(c *customer.Customer) int {
	n := len(c.Aliases) + len(c.Identifiers) + len(c.Phones) + len(c.Emails) + len(c.Addresses) + len(c.Contacts) + len(c.Attributes) + len(c.SourceKeys)
	for _, s := range []string{c.Country, c.Website, c.Note, c.Rep} {
		if s != "" {
			n++
		}
	}
	return n
}

// FieldChoice tells what became of a field.
type FieldChoice struct {
	Field                   string
	Survivor, Loser, Golden string // values for people
	From                    Side
}

func (s *Survivorship) rule(field string) Rule {
	if r := s.Fields[field]; r != nil {
		return r
	}
	if s.Default != nil {
		return s.Default
	}
	return Filled
}

// golden returns the content that the survivor gets, its lists being what the loser
// brings, and the fields that differ.
func (s *Survivorship) golden(survivor, loser *customer.Customer) (*customer.Customer, []FieldChoice, error) {
	g := *survivor
	var choices []FieldChoice
	for _, f := range append(chosen, attributesOf(survivor, loser)...) {
		a, b := f.get(survivor), f.get(loser)
		if a == b {
			continue
		}
		choice := FieldChoice{Field: f.name, Survivor: a, Loser: b, Golden: a}
		if s.rule(f.name)(f.name, Value{a, survivor}, Value{b, loser}) == OfLoser {
			f.copy(&g, loser)
			choice.From, choice.Golden = OfLoser, b
		}
		choices = append(choices, choice)
	}
	bring(&g, loser)
	if !s.WithoutFormerName {
		for _, name := range []string{survivor.Name, loser.Name} {
			if name != g.Name && !slices.Contains(g.Aliases, name) {
				g.Aliases = append(g.Aliases, name)
			}
		}
	}
	if s.Finish != nil {
		if err := s.Finish(&g, survivor, loser); err != nil {
			return nil, nil, err
		}
	}
	return &g, choices, nil
}

// bring gives a golden record the loser's lists.
func bring(g, loser *customer.Customer) {
	g.Aliases, g.Identifiers = slices.Clone(loser.Aliases), slices.Clone(loser.Identifiers)
	g.Phones, g.Emails, g.Addresses = slices.Clone(loser.Phones), slices.Clone(loser.Emails), slices.Clone(loser.Addresses)
	g.Contacts, g.SourceKeys = slices.Clone(loser.Contacts), slices.Clone(loser.SourceKeys)
}

// chosenField is a field that rules choose.
type chosenField struct {
	name string
	get  func(*customer.Customer) string
	copy func(to, from *customer.Customer)
}

var chosen = []chosenField{
	{FieldName, func(c *customer.Customer) string { return c.Name }, func(to, from *customer.Customer) { to.Name = from.Name }},
	{FieldKind, func(c *customer.Customer) string { return c.Kind.String() }, func(to, from *customer.Customer) { to.Kind = from.Kind }},
	{FieldParty, func(c *customer.Customer) string { return c.Party.String() }, func(to, from *customer.Customer) { to.Party = from.Party }},
	{FieldCountry, func(c *customer.Customer) string { return c.Country }, func(to, from *customer.Customer) { to.Country = from.Country }},
	{FieldWebsite, func(c *customer.Customer) string { return c.Website }, func(to, from *customer.Customer) { to.Website = from.Website }},
	{FieldNote, func(c *customer.Customer) string { return c.Note }, func(to, from *customer.Customer) { to.Note = from.Note }},
	{FieldOwner, ownerText, func(to, from *customer.Customer) { to.Owner, to.Rep = from.Owner, from.Rep }},
}

// ownerText is empty for a customer of nobody.
func ownerText(c *customer.Customer) string {
	if c.Owner == 0 && c.Rep == "" {
		return ""
	}
	return strconv.FormatUint(uint64(c.Owner), 10) + " " + c.Rep
}

// attributesOf returns the custom attributes that either customer has.
func attributesOf(a, b *customer.Customer) []chosenField {
	var names []string
	for _, x := range slices.Concat(a.Attributes, b.Attributes) {
		if !slices.Contains(names, x.Name) {
			names = append(names, x.Name)
		}
	}
	fields := make([]chosenField, len(names))
	for i, name := range names {
		fields[i] = chosenField{
			name: AttributePrefix + name,
			get: func(c *customer.Customer) string {
				v, found := c.Attribute(name)
				if !found {
					return ""
				}
				return v.String()
			},
			copy: func(to, from *customer.Customer) { copyAttribute(to, from, name) },
		}
	}
	return fields
}

func copyAttribute(to, from *customer.Customer, name string) {
	kept := slices.DeleteFunc(slices.Clone(to.Attributes), func(a customer.Attribute) bool { return a.Name == name })
	for _, a := range from.Attributes {
		if a.Name == name {
			kept = append(kept, a)
		}
	}
	to.Attributes = kept
}
