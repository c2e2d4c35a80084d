package customer

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/clientele-go/clientele/internal/text"
	"github.com/clientele-go/clientele/storage"
)

// Schema declares a book's custom attributes and required fields. It is stored in
// the book, with history; see [Tx.SetSchema]. The zero Schema declares nothing and
// requires a name alone.
type Schema struct {
	Attributes []AttributeSpec `json:"attributes,omitempty"`
	Required   []Requirement   `json:"required,omitempty"`

	rest unknown
}

// AttributeSpec declares a custom attribute.
type AttributeSpec struct {
	Name     string            `json:"name"`            // lower case letters, digits and _
	Title    map[string]string `json:"title,omitempty"` // by language tag: "en", "zh-Hans"
	Type     Type              `json:"type"`
	Decimals uint8             `json:"decimals,omitempty"` // fraction digits of a Number, at most 9
	Values   []string          `json:"values,omitempty"`   // of an Enum, in order; each once, not empty, clean as a Draft's texts
	Indexed  bool              `json:"indexed,omitempty"`  // can be looked up and filtered by
	Personal bool              `json:"personal,omitempty"` // is personal data
	Retired  bool              `json:"retired,omitempty"`  // kept where set, accepts no new values

	rest unknown
}

// Requirement is a rule about required fields: a record to which the rule applies
// must have every field of at least one of the sets. Fields are "Code",
// "Identifiers", "Phones", "Emails", "Addresses", "Contacts", "Website", "Owner",
// "Rep", a scheme as "Identifiers[tw.ubn]", or an attribute as "Attributes[name]".
type Requirement struct {
	Kinds   []Kind     `json:"kinds,omitempty"`   // empty for every kind
	Parties []Party    `json:"parties,omitempty"` // empty for every party
	AnyOf   [][]string `json:"any_of"`

	rest unknown
}

// Spec returns an attribute's declaration.
func (s *Schema) Spec(name string) (AttributeSpec, bool) {
	for _, spec := range s.Attributes {
		if spec.Name == name {
			return spec, true
		}
	}
	return AttributeSpec{}, false
}

// Validate reports what is wrong with the schema itself, as a *ValidationError.
func (s *Schema) Validate() error {
	var p problems
	seen := map[string]bool{}
	for i, spec := range s.Attributes {
		field := fmt.Sprintf("Attributes[%d]", i)
		switch {
		case !wellFormedName(spec.Name):
			p.add(field+".Name", spec.Name, CodeMalformed, "is no attribute name", "use 1 to 40 lower case letters, digits and _, a letter first")
		case seen[spec.Name]:
			p.add(field+".Name", spec.Name, CodeRepeated, "is declared twice", "")
		}
		seen[spec.Name] = true
		if int(spec.Type) >= len(typeNames) {
			p.add(field+".Type", spec.Type.String(), CodeUnknown, "is no attribute type", "")
		}
		if spec.Decimals > 9 || spec.Decimals > 0 && spec.Type != Number {
			p.add(field+".Decimals", fmt.Sprint(spec.Decimals), CodeMalformed, "does not fit the type", "numbers have 0 to 9 fraction digits, other types none")
		}
		if (spec.Type == Enum) != (len(spec.Values) > 0) {
			p.add(field+".Values", strings.Join(spec.Values, ","), CodeMalformed, "does not fit the type", "an enum has values, other types have none")
		}
		for j, value := range spec.Values {
			switch {
			case !canBeGiven(value):
				p.add(field+".Values", strings.ToValidUTF8(value, "\uFFFD"), CodeMalformed, "is no value that a customer can have", fmt.Sprintf("use 1 to %d bytes of plain text, without spaces at its ends or several in a row", MaxText))
			case slices.Contains(spec.Values[:j], value):
				p.add(field+".Values", value, CodeRepeated, "stands twice", "")
			}
		}
	}
	for i, rule := range s.Required {
		if len(rule.AnyOf) == 0 {
			p.add(fmt.Sprintf("Required[%d].AnyOf", i), "", CodeRequired, "is empty", "name at least one set of fields")
		}
		for _, set := range rule.AnyOf {
			if len(set) == 0 {
				p.add(fmt.Sprintf("Required[%d].AnyOf", i), "", CodeRequired, "has an empty set, which requires nothing", "name at least one field")
			}
			for _, field := range set {
				if !s.knownField(field) {
					p.add(fmt.Sprintf("Required[%d]", i), field, CodeUnknown, "is no field that can be required", "")
				}
			}
		}
	}
	return p.err()
}

// canBeGiven reports whether a text is one that a customer's attribute can have.
func canBeGiven(value string) bool {
	cleaned, err := text.Clean(value)
	return err == nil && cleaned == value && value != "" && len(value) <= MaxText
}

// wellFormedName reports whether a name is well formed.
func wellFormedName(name string) bool {
	if name == "" || len(name) > 40 || name[0] < 'a' || name[0] > 'z' {
		return false
	}
	for _, r := range name {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '_' {
			return false
		}
	}
	return true
}

// compatible reports what keeps a schema from following an older one: an attribute
// with values must keep its type, fraction digits and enum values.
func (s *Schema) compatible(older *Schema) error {
	var p problems
	for _, was := range older.Attributes {
		is, found := s.Spec(was.Name)
		switch {
		case !found:
			p.add("Attributes["+was.Name+"]", "", CodeRequired, "is missing", "set Retired instead of removing it")
		case is.Type != was.Type || is.Decimals != was.Decimals:
			p.add("Attributes["+was.Name+"]", is.Type.String(), CodeManaged, fmt.Sprintf("can't change its type from %s", was.Type), "declare a new attribute")
		}
		for _, value := range was.Values {
			if found && canBeGiven(value) && !slices.Contains(is.Values, value) {
				p.add("Attributes["+was.Name+"].Values", value, CodeRequired, "is missing", "enum values can be added, not removed")
			}
		}
	}
	return p.err()
}

var requirable = []string{"Code", "Identifiers", "Phones", "Emails", "Addresses", "Contacts", "Website", "Owner", "Rep"}

func (s *Schema) knownField(field string) bool {
	if name, ok := inside(field, "Attributes"); ok {
		_, found := s.Spec(name)
		return found
	}
	if _, ok := inside(field, "Identifiers"); ok {
		return true
	}
	return slices.Contains(requirable, field)
}

// inside cuts "Attributes[name]" to "name".
func inside(field, list string) (string, bool) {
	rest, ok := strings.CutPrefix(field, list+"[")
	if !ok {
		return "", false
	}
	return strings.CutSuffix(rest, "]")
}

// checkRequired adds a problem for every rule that c does not meet.
func (s *Schema) checkRequired(c *Customer, p *problems) {
	for _, rule := range s.Required {
		if len(rule.Kinds) > 0 && !slices.Contains(rule.Kinds, c.Kind) || len(rule.Parties) > 0 && !slices.Contains(rule.Parties, c.Party) {
			continue
		}
		met := slices.ContainsFunc(rule.AnyOf, func(set []string) bool {
			return !slices.ContainsFunc(set, func(field string) bool { return !c.has(field) })
		})
		if !met {
			sets := make([]string, len(rule.AnyOf))
			for i, set := range rule.AnyOf {
				sets[i] = strings.Join(set, " and ")
			}
			p.add(rule.AnyOf[0][0], "", CodeRequired, "is required", "give "+strings.Join(sets, ", or "))
		}
	}
}

func (c *Customer) has(field string) bool {
	if name, ok := inside(field, "Attributes"); ok {
		_, found := c.Attribute(name)
		return found
	}
	if scheme, ok := inside(field, "Identifiers"); ok {
		return slices.ContainsFunc(c.Identifiers, func(x Identifier) bool { return x.Scheme == scheme })
	}
	switch field {
	case "Code":
		return c.Code != ""
	case "Identifiers":
		return len(c.Identifiers) > 0
	case "Phones":
		return len(c.Phones) > 0
	case "Emails":
		return len(c.Emails) > 0
	case "Addresses":
		return len(c.Addresses) > 0
	case "Contacts":
		return len(c.Contacts) > 0
	case "Website":
		return c.Website != ""
	case "Owner":
		return c.Owner != 0
	case "Rep":
		return c.Rep != ""
	}
	return false
}

// Attribute returns the value of a custom attribute.
func (c *Customer) Attribute(name string) (Value, bool) {
	for _, a := range c.Attributes {
		if a.Name == name {
			return a.Value, true
		}
	}
	return Value{}, false
}

// SetAttribute sets the value of a custom attribute.
func (c *Customer) SetAttribute(name string, v Value) {
	for i := range c.Attributes {
		if c.Attributes[i].Name == name {
			c.Attributes[i].Value = v
			return
		}
	}
	c.Attributes = append(c.Attributes, Attribute{Name: name, Value: v})
}

func appendSchema(dst []byte, s *Schema) ([]byte, error) {
	encoded, err := json.Marshal(s)
	return append(dst, encoded...), err
}

// schemaDecoder returns a decoder that reads the same bytes only once: every create
// and update asks for the schema.
func schemaDecoder() func(src, key string, m storage.Meta) (*Schema, error) {
	type read struct {
		src    string
		schema *Schema
	}
	var last atomic.Pointer[read]
	return func(src, _ string, _ storage.Meta) (*Schema, error) {
		if r := last.Load(); r != nil && r.src == src {
			return r.schema, nil
		}
		s := &Schema{}
		if err := json.Unmarshal([]byte(src), s); err != nil {
			return nil, err
		}
		last.Store(&read{src, s})
		return s, nil
	}
}
