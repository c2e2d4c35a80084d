package classify

import (
	"math"
	"strings"

	"github.com/clientele-go/clientele/customer"
)

// customerFacts are the facts of the record itself.
var customerFacts = []struct {
	FactSpec
	get func(c *customer.Customer) Value
}{
	{FactSpec{"customer.id", Integer, "the customer's id"}, func(c *customer.Customer) Value { return IntegerValue(int64(c.ID)) }},
	{FactSpec{"customer.code", Text, "the number shown to people"}, func(c *customer.Customer) Value { return given(c.Code) }},
	{FactSpec{"customer.name", Text, "the name as registered"}, func(c *customer.Customer) Value { return given(c.Name) }},
	{FactSpec{"customer.kind", Text, "buyer, prospect or partner"}, func(c *customer.Customer) Value { return TextValue(c.Kind.String()) }},
	{FactSpec{"customer.party", Text, "organisation or person"}, func(c *customer.Customer) Value { return TextValue(c.Party.String()) }},
	{FactSpec{"customer.status", Text, "active or suspended; others are not classified"}, func(c *customer.Customer) Value { return TextValue(c.Status.String()) }},
	{FactSpec{"customer.country", Text, "the ISO 3166-1 alpha-2 country of the first address, or else of the customer"}, func(c *customer.Customer) Value {
		if a := place(c); a.Country != "" {
			return TextValue(a.Country)
		}
		return given(c.Country)
	}},
	{FactSpec{"customer.province", Text, "the province of the first address"}, func(c *customer.Customer) Value { return given(place(c).Province) }},
	{FactSpec{"customer.city", Text, "the city of the first address"}, func(c *customer.Customer) Value { return given(place(c).City) }},
	{FactSpec{"customer.district", Text, "the district of the first address"}, func(c *customer.Customer) Value { return given(place(c).District) }},
	{FactSpec{"customer.division", Text, "the GB/T 2260 code of the first address's deepest division"}, func(c *customer.Customer) Value { return given(place(c).Division) }},
	{FactSpec{"customer.created", Instant, "when the record was created"}, func(c *customer.Customer) Value { return InstantValue(c.Created) }},
	{FactSpec{"customer.changed", Instant, "when the record was last changed"}, func(c *customer.Customer) Value { return InstantValue(c.Recorded) }},
	{FactSpec{"customer.website", Text, "the website"}, func(c *customer.Customer) Value { return given(c.Website) }},
	{FactSpec{"customer.owner", Integer, "the id of the owning unit"}, func(c *customer.Customer) Value {
		if c.Owner == 0 {
			return Value{}
		}
		return IntegerValue(int64(c.Owner))
	}},
	{FactSpec{"customer.rep", Text, "the principal id of the sales representative"}, func(c *customer.Customer) Value { return given(c.Rep) }},
	{FactSpec{"customer.phones", Integer, "the number of phones"}, func(c *customer.Customer) Value { return IntegerValue(int64(len(c.Phones))) }},
	{FactSpec{"customer.emails", Integer, "the number of e-mail addresses"}, func(c *customer.Customer) Value { return IntegerValue(int64(len(c.Emails))) }},
	{FactSpec{"customer.addresses", Integer, "the number of addresses"}, func(c *customer.Customer) Value { return IntegerValue(int64(len(c.Addresses))) }},
	{FactSpec{"customer.contacts", Integer, "the number of contacts"}, func(c *customer.Customer) Value { return IntegerValue(int64(len(c.Contacts))) }},
	{FactSpec{"customer.has_phone", Boolean, "whether there is a phone"}, func(c *customer.Customer) Value { return BooleanValue(len(c.Phones) > 0) }},
	{FactSpec{"customer.has_email", Boolean, "whether there is an e-mail address"}, func(c *customer.Customer) Value { return BooleanValue(len(c.Emails) > 0) }},
	{FactSpec{"customer.has_address", Boolean, "whether there is an address"}, func(c *customer.Customer) Value { return BooleanValue(len(c.Addresses) > 0) }},
	{FactSpec{"customer.has_website", Boolean, "whether there is a website"}, func(c *customer.Customer) Value { return BooleanValue(c.Website != "") }},
	{FactSpec{"customer.schemes", Texts, "the schemes of the identifiers, sorted: cn.uscc, lei"}, func(c *customer.Customer) Value {
		list := make([]string, len(c.Identifiers))
		for i := range c.Identifiers {
			list[i] = c.Identifiers[i].Scheme
		}
		return sortedTexts(list)
	}},
	{FactSpec{"customer.systems", Texts, "the systems of the source keys, sorted"}, func(c *customer.Customer) Value {
		list := make([]string, len(c.SourceKeys))
		for i := range c.SourceKeys {
			list[i] = c.SourceKeys[i].System
		}
		return sortedTexts(list)
	}},
}

const identifierPrefix = "customer.identifier."

func customerDocs() []FactSpec {
	docs := make([]FactSpec, len(customerFacts), len(customerFacts)+1)
	for i, f := range customerFacts {
		docs[i] = f.FactSpec
	}
	return append(docs, FactSpec{identifierPrefix + "*", Text, "the identifier of a scheme, for instance customer.identifier.cn.uscc"})
}

func customerFact(_ *binding, name string) (fact, bool, error) {
	for _, f := range customerFacts {
		if f.Name == name {
			return fact{FactSpec: f.FactSpec, get: func(l *loading) (Value, error) { return f.get(l.record), nil }}, true, nil
		}
	}
	scheme, is := strings.CutPrefix(name, identifierPrefix)
	if !is {
		return fact{}, false, nil
	}
	return fact{FactSpec: FactSpec{Name: name, Type: Text}, get: func(l *loading) (Value, error) {
		for _, x := range l.record.Identifiers {
			if x.Scheme == scheme {
				return TextValue(x.Value), nil
			}
		}
		return Value{}, nil
	}}, true, nil
}

// place is where the customer is: its first address.
func place(c *customer.Customer) *customer.Address {
	if len(c.Addresses) == 0 {
		return &customer.Address{}
	}
	return &c.Addresses[0]
}

// given is a text, missing when it is empty.
func given(s string) Value {
	if s == "" {
		return Value{}
	}
	return TextValue(s)
}

// attributeFact declares an attribute as the book's schema does.
func attributeFact(b *binding, name string) (fact, bool, error) {
	attribute := strings.TrimPrefix(name, "attr.")
	spec, found := b.schema.Spec(attribute)
	if !found {
		return fact{}, false, nil
	}
	f := fact{FactSpec: FactSpec{Name: name, Type: attributeType(spec)}}
	scale := math.Pow10(int(spec.Decimals))
	f.get = func(l *loading) (Value, error) {
		v, set := l.record.Attribute(attribute)
		switch {
		case !set:
			return Value{}, nil
		case v.Type() == customer.Boolean:
			return BooleanValue(v.Bool()), nil
		case v.Type() == customer.Date:
			return InstantValue(v.Time()), nil
		case v.Type() == customer.Number && spec.Decimals == 0:
			return IntegerValue(v.Units()), nil
		case v.Type() == customer.Number:
			return NumberValue(float64(v.Units()) / scale), nil
		}
		return TextValue(v.Text()), nil
	}
	return f, true, nil
}

func attributeType(spec customer.AttributeSpec) Type {
	switch spec.Type {
	case customer.Boolean:
		return Boolean
	case customer.Date:
		return Instant
	case customer.Number:
		if spec.Decimals == 0 {
			return Integer
		}
		return Number
	}
	return Text
}
