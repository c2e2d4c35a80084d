package dedupe

import (
	"slices"
	"strings"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/dedupe/compare"
	"github.com/clientele-go/clientele/dedupe/match"
)

// Field is what of a customer is compared, and as what.
type Field struct {
	Name string // for explanations: "phone"
	Type compare.Type
	// Mask is the field of the customer that Values reads, by the name of
	// [customer.NewMask]: who can't see it gets no explanation by it. Empty for a field
	// that everybody sees.
	Mask string
	// Values returns the values, of which one that agrees is enough. It depends on the
	// customer alone and is safe for concurrent use.
	Values func(c *customer.Customer) []string
}

// masks are the names under which something that the field reads may be hidden: names are
// read with the aliases.
func (f *Field) masks() []string {
	if f.Mask != "" {
		return []string{f.Mask}
	}
	return []string{"alias"}
}

// DefaultFields are the fields that are compared when Options name none: name and aliases,
// identifiers, phones, e-mails, addresses, postcodes and website.
func DefaultFields() []Field {
	return []Field{
		{"name", compare.Name, "", func(c *customer.Customer) []string { return append([]string{c.Name}, c.Aliases...) }},
		{"identifier", compare.Identifier, "identifier", func(c *customer.Customer) []string {
			return listed(c.Identifiers, func(x *customer.Identifier) string { return x.Value })
		}},
		{"phone", compare.Phone, "phone", func(c *customer.Customer) []string {
			return listed(c.Phones, func(x *customer.Phone) string {
				if x.E164 != "" {
					return x.E164
				}
				return x.Number
			})
		}},
		{"email", compare.Email, "email", func(c *customer.Customer) []string {
			return listed(c.Emails, func(x *customer.Email) string { return x.Address })
		}},
		{"address", compare.Address, "address", func(c *customer.Customer) []string {
			return listed(c.Addresses, func(x *customer.Address) string { return x.Text })
		}},
		{"postcode", compare.AddressPostcode, "address", func(c *customer.Customer) []string {
			return listed(c.Addresses, func(x *customer.Address) string { return x.Postcode })
		}},
		{"website", compare.Website, "website", func(c *customer.Customer) []string { return []string{c.Website} }},
	}
}

func listed[T any](list []T, value func(*T) string) []string {
	values := make([]string, 0, len(list))
	for i := range list {
		if v := value(&list[i]); v != "" {
			values = append(values, v)
		}
	}
	return values
}

// severalBy separates the values of one field of a [match.Record].
const severalBy = " | "

// schema is the fields as package match takes them.
func schema(fields []Field) []match.Field {
	list := make([]match.Field, len(fields))
	for i, f := range fields {
		list[i] = match.Field{Name: f.Name, Type: f.Type}
	}
	return list
}

// recordOf is a customer as package match takes it.
func recordOf(fields []Field, c *customer.Customer) match.Record {
	r := match.Record{ID: c.ID.String(), Values: make([]string, len(fields))}
	for i := range fields {
		r.Values[i] = strings.Join(slices.DeleteFunc(fields[i].Values(c), func(s string) bool { return s == "" }), severalBy)
	}
	return r
}
