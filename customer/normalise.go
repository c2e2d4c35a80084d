package customer

import (
	"cmp"
	"errors"
	"fmt"
	"net/mail"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/clientele-go/clientele/customer/identifier"
	"github.com/clientele-go/clientele/internal/phone"
	"github.com/clientele-go/clientele/internal/region"
	"github.com/clientele-go/clientele/internal/text"
)

// The limits of a record, in bytes of UTF-8 unless said otherwise.
const (
	MaxName = 500
	MaxCode = 60
	MaxText = 1000  // an address, a contact's name, an attribute's text, …
	MaxNote = 20000 // the note
	MaxList = 100   // elements of a list
)

// Draft is a customer to be created. Only Name is required, and what the book's
// [Schema] says. Values are normalised: texts are cleaned (NFC, no control
// characters), identifiers checked and made canonical, phones brought to E.164 and
// addresses divided where they can be understood; what was given is kept as text.
type Draft struct {
	Code        string // empty for the next of the number range
	Kind        Kind
	Party       Party
	Name        string
	Aliases     []string
	Country     string
	Identifiers []Identifier
	Phones      []Phone
	Emails      []Email
	Addresses   []Address
	Contacts    []Contact
	Website     string
	Note        string
	Owner       UnitID
	Rep         string
	Attributes  []Attribute
	SourceKeys  []SourceKey
}

func (d Draft) customer() *Customer {
	return &Customer{
		Code: d.Code, Kind: d.Kind, Party: d.Party, Name: d.Name, Aliases: slices.Clone(d.Aliases), Country: d.Country,
		Identifiers: slices.Clone(d.Identifiers), Phones: slices.Clone(d.Phones), Emails: slices.Clone(d.Emails),
		Addresses: slices.Clone(d.Addresses), Contacts: slices.Clone(d.Contacts), Website: d.Website, Note: d.Note,
		Owner: d.Owner, Rep: d.Rep, Attributes: slices.Clone(d.Attributes), SourceKeys: slices.Clone(d.SourceKeys),
	}
}

// Draft returns what can be set of a customer, to make another like it.
func (c *Customer) Draft() Draft {
	return Draft{
		Code: c.Code, Kind: c.Kind, Party: c.Party, Name: c.Name, Aliases: slices.Clone(c.Aliases), Country: c.Country,
		Identifiers: slices.Clone(c.Identifiers), Phones: slices.Clone(c.Phones), Emails: slices.Clone(c.Emails),
		Addresses: slices.Clone(c.Addresses), Contacts: slices.Clone(c.Contacts), Website: c.Website, Note: c.Note,
		Owner: c.Owner, Rep: c.Rep, Attributes: slices.Clone(c.Attributes), SourceKeys: slices.Clone(c.SourceKeys),
	}
}

// problems collects what is wrong with a record.
type problems struct{ list []Problem }

func (p *problems) add(field, value string, code Code, reason, remedy string) {
	const shown = 60
	if len(value) > shown {
		value = strings.ToValidUTF8(value[:shown], "") + "…"
	}
	p.list = append(p.list, Problem{Field: field, Value: value, Code: code, Reason: reason, Remedy: remedy})
}

// conceal shows something else in place of the values of the problems behind the first n.
func (p *problems) conceal(n int, shown string) {
	for i := range p.list[n:] {
		p.list[n+i].Value = shown
	}
}

func (p *problems) err() error {
	if len(p.list) == 0 {
		return nil
	}
	return &ValidationError{Problems: p.list}
}

// normaliser brings records into the form in which they are stored.
type normaliser struct {
	schemes *identifier.Set
	country string // where a record names none
}

// normalise changes c in place and returns everything that is wrong with it as a
// *ValidationError. old is the version that c follows, nil for a new customer.
func (n *normaliser) normalise(c, old *Customer, s *Schema) error {
	p := &problems{}
	p.text("Name", &c.Name, MaxName)
	if c.Name == "" {
		p.add("Name", "", CodeRequired, "is required", "give the name of the person or organisation")
	}
	p.text("Code", &c.Code, MaxCode)
	if (old == nil || old.Code != c.Code) && meaningless(c.Code) {
		p.add("Code", c.Code, CodeMalformed, "has no letter and no digit", "give a code with letters or digits")
	}
	p.text("Website", &c.Website, MaxText)
	p.text("Note", &c.Note, MaxNote)
	p.text("Rep", &c.Rep, MaxText)
	p.enum("Kind", uint8(c.Kind), kindNames)
	p.enum("Party", uint8(c.Party), partyNames)
	p.country("Country", "", &c.Country)
	country := c.Country
	if country == "" {
		country = n.country
	}
	c.Aliases = each(p, "Aliases", c.Aliases, func(field string, x *string) bool { p.text(field, x, MaxName); return *x != "" })
	c.Identifiers = each(p, "Identifiers", c.Identifiers, func(field string, x *Identifier) bool { return n.identifier(p, field, x) })
	c.Phones = each(p, "Phones", c.Phones, func(field string, x *Phone) bool { return p.phone(field, x, country) })
	c.Emails = each(p, "Emails", c.Emails, p.email)
	c.Addresses = each(p, "Addresses", c.Addresses, func(field string, x *Address) bool { return p.address(field, x, country) })
	c.Contacts = each(p, "Contacts", c.Contacts, p.contact)
	c.SourceKeys = each(p, "SourceKeys", c.SourceKeys, p.sourceKey)
	n.repeated(c, p)
	s.normaliseAttributes(c, old, p)
	s.checkRequired(c, p)
	return p.err()
}

// meaningless reports whether a code has only signs: as these don't count, all such codes would be one.
func meaningless(code string) bool {
	for i := range len(code) {
		if c := code[i] | 0x20; c-'0' < 10 || c-'a' < 26 {
			return false // as nearly all, at no cost
		}
	}
	return code != "" && text.Fold(code) == ""
}

// Check returns the customer that a draft would become under a book's schema, before it
// is given id, code, version and times, or a [*ValidationError] that names everything
// wrong with it. It reads nothing, so it doesn't know of duplicates. It is safe for
// concurrent use.
func (s *Store) Check(d Draft, schema *Schema) (*Customer, error) {
	c := d.customer()
	if err := s.normalise(c, nil, schema); err != nil {
		return nil, err
	}
	return c, nil
}

// each normalises the elements of a list and drops the empty ones.
func each[T any](p *problems, name string, list []T, normalise func(field string, x *T) bool) []T {
	if len(list) > MaxList {
		p.add(name, fmt.Sprint(len(list)), CodeTooLong, "has too many elements", fmt.Sprintf("at most %d", MaxList))
		return list
	}
	kept := list[:0]
	for i := range list {
		if normalise(elementName(name, i), &list[i]) {
			kept = append(kept, list[i])
		}
	}
	if len(kept) == 0 {
		return nil
	}
	return kept
}

// elementNames spares building the names of the first elements anew for each record.
var elementNames = func() map[string][4]string {
	names := map[string][4]string{}
	for _, list := range []string{"Aliases", "Identifiers", "Phones", "Emails", "Addresses", "Contacts", "SourceKeys"} {
		var first [4]string
		for i := range first {
			first[i] = fmt.Sprintf("%s[%d]", list, i)
		}
		names[list] = first
	}
	return names
}()

func elementName(list string, i int) string {
	if i < 4 {
		return elementNames[list][i]
	}
	return fmt.Sprintf("%s[%d]", list, i)
}

func (p *problems) text(field string, s *string, limit int) { p.part(field, "", s, limit) }

// part is text for a part of a field, whose name stands behind the field's.
func (p *problems) part(field, part string, s *string, limit int) {
	if *s == "" {
		return
	}
	if len(*s) > 4*limit { // too long whatever cleaning does
		p.add(field+part, *s, CodeTooLong, "is too long", fmt.Sprintf("at most %d bytes", limit))
		return
	}
	clean, err := text.Clean(*s)
	if wrong, ok := errors.AsType[*text.Error](err); ok {
		p.add(field+part, strings.ToValidUTF8(*s, "\uFFFD"), CodeMalformed, fmt.Sprintf("%s, at byte %d", wrong.Reason, wrong.Offset), wrong.Remedy)
		return
	}
	if len(clean) > limit {
		p.add(field+part, clean, CodeTooLong, "is too long", fmt.Sprintf("at most %d bytes", limit))
		return
	}
	*s = clean
}

func (p *problems) enum(field string, value uint8, names []string) {
	if int(value) >= len(names) {
		p.add(field, fmt.Sprint(value), CodeUnknown, "is unknown", "use one of "+strings.Join(names, ", "))
	}
}

func (p *problems) country(field, part string, s *string) {
	p.part(field, part, s, MaxCode)
	if *s == "" {
		return
	}
	upper := strings.ToUpper(*s) // s itself where it is so already
	if len(upper) != 2 || upper[0] < 'A' || upper[0] > 'Z' || upper[1] < 'A' || upper[1] > 'Z' {
		p.add(field+part, *s, CodeMalformed, "is no country", "use the two letters of ISO 3166-1, such as CN, TW or DE")
		return
	}
	*s = upper
}

func (n *normaliser) identifier(p *problems, field string, x *Identifier) bool {
	known := len(p.list)
	p.part(field, ".Value", &x.Value, MaxText)
	if scheme, _ := n.schemes.Scheme(x.Scheme); scheme.Sensitive {
		p.conceal(known, n.shown(x))
	}
	if x.Value == "" {
		return false
	}
	value, err := n.schemes.Parse(x.Scheme, x.Value)
	if wrong, ok := errors.AsType[*identifier.Error](err); ok {
		code := CodeMalformed
		if errors.Is(err, identifier.ErrUnknownScheme) {
			code = CodeUnknown
		}
		p.add(field, n.shown(x), code, wrong.Reason, wrong.Remedy)
		return true
	}
	if err != nil { // of an embedder's own scheme
		p.add(field, n.shown(x), CodeMalformed, err.Error(), "")
		return true
	}
	scheme, _ := n.schemes.Scheme(x.Scheme)
	x.Value, x.unique = value, scheme.Unique
	return true
}

// shown is an identifier for messages and logs, without the number when that is
// personal data.
func (n *normaliser) shown(x *Identifier) string {
	if scheme, _ := n.schemes.Scheme(x.Scheme); scheme.Sensitive {
		return x.Scheme + " ***"
	}
	return x.Scheme + " " + x.Value
}

// phone keeps a number that it can't understand as text: half of what people type
// into phone fields is "ask for Wang".
func (p *problems) phone(field string, x *Phone, country string) bool {
	p.part(field, ".Number", &x.Number, MaxText)
	p.part(field, ".Label", &x.Label, MaxText)
	p.part(field, ".Extension", &x.Extension, MaxText)
	if x.Number == "" {
		p.part(field, ".E164", &x.E164, MaxText)
		x.Number = x.E164
	}
	if x.Number == "" {
		return false
	}
	if number, err := phone.Parse(x.Number, country); err == nil {
		x.E164, x.Extension = number.E164, cmp.Or(number.Extension, x.Extension)
	} else {
		x.E164 = ""
	}
	return true
}

func (p *problems) email(field string, x *Email) bool {
	p.part(field, ".Address", &x.Address, 320) // RFC 3696 erratum 1690: 64 + 1 + 255
	p.part(field, ".Label", &x.Label, MaxText)
	if x.Address == "" {
		return false
	}
	x.Address = norm.NFKC.String(x.Address) // ＠ and other full-width forms
	if !plainEmail(x.Address) {
		parsed, err := mail.ParseAddress(x.Address)
		if err != nil || parsed.Address == "" {
			p.add(field, x.Address, CodeMalformed, "is no e-mail address", "give one address, such as name@example.com")
			return true
		}
		x.Address = parsed.Address
	}
	return true
}

// plainEmail recognises the usual addresses without a parser: one @ between dot-atom
// texts (RFC 5322 §3.2.3), or letters beyond ASCII (RFC 6531).
func plainEmail(s string) bool {
	local, domain, ok := strings.Cut(s, "@")
	return ok && dotAtom(local) && dotAtom(domain) && strings.Contains(domain, ".")
}

func dotAtom(s string) bool {
	if s == "" || s[0] == '.' || s[len(s)-1] == '.' || strings.Contains(s, "..") {
		return false
	}
	for i := range len(s) {
		c := s[i]
		letter := c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || c >= utf8.RuneSelf
		if !letter && strings.IndexByte(".!#$%&'*+-/=?^_`{|}~", c) < 0 {
			return false
		}
	}
	return true
}

func (p *problems) address(field string, x *Address, country string) bool {
	p.part(field, ".Text", &x.Text, MaxText)
	for _, part := range []*string{&x.Label, &x.Province, &x.City, &x.District, &x.Division, &x.Postcode} {
		p.text(field, part, MaxText)
	}
	p.country(field, ".Country", &x.Country)
	if x.Text == "" {
		x.Text = x.Province + x.City + x.District
	}
	if x.Text == "" && x.Postcode == "" {
		return false
	}
	if x.Province == "" && x.City == "" {
		if place, ok := region.Parse(x.Text); ok {
			x.Province, x.City, x.District, x.Division = place.Province, place.City, place.District, place.Code
			if x.Country == "" {
				x.Country = place.Country
			}
		}
	}
	if x.Country == "" {
		x.Country = country
	}
	return true
}

// moveAddresses takes out of addresses with a new text the divisions that old recognised from
// a former one, where the new text has divisions of its own. Those that the caller set stay.
func (c *Customer) moveAddresses(old *Customer) {
	for i := range c.Addresses {
		x := &c.Addresses[i]
		if slices.ContainsFunc(old.Addresses, func(o Address) bool { return o.Text == x.Text }) {
			continue
		}
		if _, ok := region.Parse(x.Text); !ok {
			continue
		}
		for _, o := range old.Addresses {
			was, ok := region.Parse(o.Text)
			if !ok || x.Province != was.Province || x.City != was.City || x.District != was.District || x.Division != was.Code {
				continue
			}
			if x.Country == was.Country {
				x.Country = ""
			}
			x.Province, x.City, x.District, x.Division = "", "", "", ""
			break
		}
	}
}

func (p *problems) contact(field string, x *Contact) bool {
	for _, part := range []*string{&x.Name, &x.Role, &x.Phone, &x.Email} {
		p.text(field, part, MaxText)
	}
	return x.Name != "" || x.Role != "" || x.Phone != "" || x.Email != ""
}

func (p *problems) sourceKey(field string, x *SourceKey) bool {
	p.part(field, ".System", &x.System, MaxCode)
	p.part(field, ".Key", &x.Key, MaxText)
	if x.Key == "" && x.System == "" {
		return false
	}
	if x.Key == "" || x.System == "" {
		p.add(field, x.System+" "+x.Key, CodeRequired, "needs both a system and a key", "")
	}
	return true
}

// repeated finds values that stand twice where one makes no sense.
func (n *normaliser) repeated(c *Customer, p *problems) {
	for i, x := range c.Identifiers {
		for _, y := range c.Identifiers[:i] {
			if x.Scheme == y.Scheme && x.Value == y.Value {
				p.add(elementName("Identifiers", i), n.shown(&x), CodeRepeated, "stands twice", "")
			}
		}
	}
	for i, x := range c.SourceKeys {
		for _, y := range c.SourceKeys[:i] {
			if x.System == y.System && x.Key == y.Key {
				p.add(elementName("SourceKeys", i), x.System+" "+x.Key, CodeRepeated, "stands twice", "")
			}
		}
	}
}

// normaliseAttributes checks attributes against their declarations and sorts them.
func (s *Schema) normaliseAttributes(c, old *Customer, p *problems) {
	if len(c.Attributes) == 0 {
		c.Attributes = nil
		return
	}
	if len(c.Attributes) > MaxList {
		p.add("Attributes", fmt.Sprint(len(c.Attributes)), CodeTooLong, "has too many elements", fmt.Sprintf("at most %d", MaxList))
		return
	}
	slices.SortStableFunc(c.Attributes, func(a, b Attribute) int { return strings.Compare(a.Name, b.Name) })
	for i := range c.Attributes {
		a := &c.Attributes[i]
		field := "Attributes[" + a.Name + "]"
		spec, found := s.Spec(a.Name)
		if i > 0 && a.Name == c.Attributes[i-1].Name {
			p.add(field, spec.shown(a.Value), CodeRepeated, "stands twice", "")
		}
		if !found {
			p.add(field, a.Value.String(), CodeUnknown, "is not declared", "declare it in the book's schema")
			continue
		}
		a.indexed = spec.Indexed
		spec.check(field, &a.Value, p)
		if spec.Retired && !old.hasValue(*a) {
			p.add(field, spec.shown(a.Value), CodeManaged, "is retired and takes no new value", "leave it as it is, or out")
		}
	}
}

// hasValue reports whether a customer, nil for none, has this value of an attribute.
func (c *Customer) hasValue(a Attribute) bool {
	if c == nil {
		return false
	}
	v, found := c.Attribute(a.Name)
	return found && v == a.Value
}

// shown is a value for messages and logs, without its content when that is personal data.
func (spec AttributeSpec) shown(v Value) string {
	if spec.Personal {
		return "***"
	}
	return v.String()
}

func (spec AttributeSpec) check(field string, v *Value, p *problems) {
	if v.typ == Text && spec.Type == Enum {
		v.typ = Enum
	}
	if v.typ != spec.Type {
		p.add(field, spec.shown(*v), CodeMalformed, "is a "+v.typ.String(), "give a "+spec.Type.String())
		return
	}
	known := len(p.list)
	p.text(field, &v.text, MaxText)
	if spec.Personal {
		p.conceal(known, spec.shown(*v))
	}
	if v.typ == Enum && !slices.Contains(spec.Values, v.text) {
		p.add(field, spec.shown(*v), CodeUnknown, "is none of the declared values", "use one of "+strings.Join(spec.Values, ", "))
	}
	if v.typ == Date && (v.Time().Year() < 1 || v.Time().Year() > 9999) {
		p.add(field, spec.shown(*v), CodeMalformed, "is no date between the years 1 and 9999", "")
	}
}
