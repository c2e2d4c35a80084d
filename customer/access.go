package customer

import (
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"github.com/clientele-go/clientele/internal/enum"
	"github.com/clientele-go/clientele/storage/bitset"
)

// Access says what an actor may see and do in one state of the book. Whoever reads or
// changes customers asks it; a nil Access allows everything. An Access belongs to the
// transaction in which it was made, and is used from one goroutine.
type Access interface {
	// Sees reports whether the actor may know of a customer at all.
	Sees(c *Customer) (bool, error)
	// Mask returns the fields of a customer that are hidden from the actor: all of them
	// for one that is not seen.
	Mask(c *Customer) (Mask, error)
	// Allows returns nil when the actor may do something with a kind of data of a
	// customer, as it is stored or, for one that is to be created, as it would be; a nil c
	// asks whether the actor may do it with what concerns no single customer. It returns
	// an error that wraps ErrNotFound for a customer that is not seen, and an
	// *AccessError for what is denied. To read a kind of data of which everything is
	// hidden ([Mask.HidesAll]) is denied.
	Allows(right Right, data Data, c *Customer) error
	// Within is the set of customers that the actor sees, nil for all.
	Within() bitset.Source
	// WithinUnmasked is the set of those of whom the actor sees a field, nil for all.
	// What searches, sorts, groups or filters by a field looks at these only, so that
	// hidden values can't be found out.
	WithinUnmasked(field string) bitset.Source
}

// ErrDenied: the actor sees the customer, but may not do this.
var ErrDenied = errors.New("not permitted")

// AccessError says what an actor may not do. It wraps ErrDenied.
type AccessError struct {
	Actor    string
	Right    Right
	Data     Data
	Customer ID     // 0 when no single customer is concerned, or when it doesn't exist yet
	Remedy   string // whom to ask, or what is lacking
}

func (e *AccessError) Error() string {
	text := fmt.Sprintf("customer: %s may not %s %s", e.Actor, strings.ReplaceAll(string(e.Right), "_", " "), e.Data)
	if e.Customer != 0 {
		text += " of customer " + e.Customer.String()
	}
	if e.Remedy != "" {
		text += "; " + e.Remedy
	}
	return text
}

func (e *AccessError) Unwrap() error { return ErrDenied }

// Right is an action that is permitted or not. An embedder may add its own: lower-case
// words joined by underscores.
type Right string

const (
	RightRead       Right = "read"
	RightCreate     Right = "create"
	RightUpdate     Right = "update"
	RightTransfer   Right = "transfer" // change owner unit, representative or assignments
	RightTag        Right = "tag"
	RightMerge      Right = "merge" // and unmerge
	RightArchive    Right = "archive"
	RightErase      Right = "erase"
	RightExport     Right = "export" // take lists out of the book
	RightImport     Right = "import" // bring lists in
	RightSetLimit   Right = "set_limit"
	RightReserve    Right = "reserve"  // part of a credit limit
	RightPost       Right = "post"     // receivables, receipts and allocations
	RightOverride   Right = "override" // a credit stop
	RightApprove    Right = "approve"  // what another asked for
	RightReview     Right = "review"   // duplicates, access, counts
	RightAdminister Right = "administer"
)

// Rights returns the rights that this module asks for.
func Rights() []Right {
	return []Right{RightRead, RightCreate, RightUpdate, RightTransfer, RightTag, RightMerge, RightArchive, RightErase,
		RightExport, RightImport, RightSetLimit, RightReserve, RightPost, RightOverride, RightApprove, RightReview, RightAdminister}
}

// Data is a kind of what is known of a customer.
type Data uint8

const (
	Identity Data = iota // code, name, identifiers, source keys, attributes, status: that it exists
	Contacts             // phones, e-mails, addresses, contacts
	Credit               // limits, terms, exposure
	Tags                 // classification
	Items                // receivables and documents
)

var dataNames = enum.Names{"identity", "contacts", "credit", "tags", "items"}

func (d Data) String() string { return dataNames.Of(uint8(d)) }

// MarshalText returns the lower-case English name, for JSON and maps.
func (d Data) MarshalText() ([]byte, error) {
	return dataNames.Marshal(uint8(d), "customer", "kind of data")
}

// UnmarshalText reads what MarshalText wrote.
func (d *Data) UnmarshalText(text []byte) error {
	return dataNames.Unmarshal(text, (*uint8)(d), "customer", "kind of data")
}

// AllData returns every kind of data, in order.
func AllData() []Data { return []Data{Identity, Contacts, Credit, Tags, Items} }

// maskable are the fields that can be hidden, besides custom attributes, and the kind of
// data that each belongs to. The order is that of a mask's bits and is not stored.
var maskable = []struct {
	name string
	data Data
}{
	{"identifier", Identity}, {"source", Identity}, {"alias", Identity}, {"website", Identity}, {"note", Identity}, {"rep", Identity},
	{"phone", Contacts}, {"email", Contacts}, {"address", Contacts}, {"contact", Contacts},
	{"limit", Credit}, {"terms", Credit}, {"exposure", Credit}, {"score", Credit},
	{"tag", Tags},
	{"item", Items},
}

// hiddenWith names the field whose hiding hides another one, which is derived from it.
var hiddenWith = map[string]string{"country": "address", "province": "address", "city": "address"}

// anyAttribute hides every custom attribute.
const anyAttribute = attributeField + "*"

// Mask is a set of fields that are hidden. The zero Mask hides nothing. Masks are
// values: no method changes one.
type Mask struct {
	bits       uint32
	all        bool     // every custom attribute
	attributes []string // sorted names, when not all
}

// NewMask returns a mask of fields: identifier, source, alias, website, note, rep, phone,
// email, address, contact, limit, terms, exposure, score, tag, item, attr.NAME for a
// custom attribute, or attr.* for all of them. It fails with a *ValidationError for
// another name.
func NewMask(fields ...string) (Mask, error) {
	m, p := Mask{}, problems{}
	for _, f := range fields {
		attribute, isAttribute := strings.CutPrefix(f, attributeField)
		bit := maskBit(f)
		switch {
		case f == anyAttribute:
			m.all = true
		case isAttribute && attribute != "":
			m.attributes = append(m.attributes, attribute)
		case bit != 0:
			m.bits |= bit
		default:
			p.add("Mask", f, CodeUnknown, "can't be hidden", "use "+strings.Join(MaskableFields(), ", ")+", "+attributeField+"NAME or "+anyAttribute)
		}
	}
	slices.Sort(m.attributes)
	m.attributes = slices.Compact(m.attributes)
	return m.tidy(), p.err()
}

// MaskOf returns the mask of all fields of some kinds of data.
func MaskOf(kinds ...Data) Mask {
	m := Mask{all: slices.Contains(kinds, Identity)}
	for i, f := range maskable {
		if slices.Contains(kinds, f.data) {
			m.bits |= 1 << i
		}
	}
	return m
}

// FieldData returns the kind of data that a field belongs to; fields that can't be
// hidden are of Identity.
func FieldData(field string) Data {
	if i := bits.TrailingZeros32(maskBit(field)); i < len(maskable) {
		return maskable[i].data
	}
	return Identity
}

// maskBit returns the bit of a field, 0 when it has none.
func maskBit(field string) uint32 {
	if from, found := hiddenWith[field]; found {
		field = from
	}
	for i := range maskable {
		if maskable[i].name == field {
			return 1 << i
		}
	}
	return 0
}

// MaskableFields are the names of the fields that a mask can hide, attributes aside.
func MaskableFields() []string {
	names := make([]string, len(maskable))
	for i, f := range maskable {
		names[i] = f.name
	}
	return names
}

func (m Mask) tidy() Mask {
	if m.all {
		m.attributes = nil
	}
	return m
}

// Empty reports whether the mask hides nothing.
func (m Mask) Empty() bool { return m.bits == 0 && !m.all && len(m.attributes) == 0 }

// Hides reports whether a field is hidden. It takes the names of NewMask and those of
// fields that customers are selected by: country, province and city are hidden with the
// address, and what NewMask doesn't know never is.
func (m Mask) Hides(field string) bool {
	if attribute, found := strings.CutPrefix(field, attributeField); found {
		return m.hidesAttribute(attribute)
	}
	return m.bits&maskBit(field) != 0
}

func (m Mask) hidesAttribute(name string) bool {
	if m.all {
		return true
	}
	_, found := slices.BinarySearch(m.attributes, name)
	return found
}

// HidesAll reports whether everything of a kind of data is hidden. Of the identity, code
// and name are always shown.
func (m Mask) HidesAll(d Data) bool {
	if d == Identity {
		return false
	}
	all := MaskOf(d)
	return m.bits&all.bits == all.bits
}

// Or hides what either mask does.
func (m Mask) Or(o Mask) Mask {
	sum := Mask{bits: m.bits | o.bits, all: m.all || o.all}
	switch {
	case sum.all:
	case len(m.attributes) == 0:
		sum.attributes = o.attributes
	case len(o.attributes) == 0:
		sum.attributes = m.attributes
	default:
		sum.attributes = slices.Concat(m.attributes, o.attributes)
		slices.Sort(sum.attributes)
		sum.attributes = slices.Compact(sum.attributes)
	}
	return sum
}

// And hides what both masks do: what is hidden from someone with two views.
func (m Mask) And(o Mask) Mask {
	both := Mask{bits: m.bits & o.bits, all: m.all && o.all}
	switch {
	case both.all:
	case m.all:
		both.attributes = o.attributes
	case o.all:
		both.attributes = m.attributes
	default:
		for _, name := range m.attributes {
			if o.hidesAttribute(name) {
				both.attributes = append(both.attributes, name)
			}
		}
	}
	return both
}

// Equal reports whether two masks hide the same.
func (m Mask) Equal(o Mask) bool {
	return m.bits == o.bits && m.all == o.all && slices.Equal(m.attributes, o.attributes)
}

// Fields returns the names that NewMask makes the mask of.
func (m Mask) Fields() []string {
	var names []string
	for i, f := range maskable {
		if m.bits&(1<<i) != 0 {
			names = append(names, f.name)
		}
	}
	if m.all {
		return append(names, anyAttribute)
	}
	for _, name := range m.attributes {
		names = append(names, attributeField+name)
	}
	return names
}

// Apply returns a customer without what the mask hides: c itself when that is nothing,
// otherwise a copy, which shares with c what is shown.
func (m Mask) Apply(c *Customer) *Customer {
	if m.Empty() || c == nil {
		return c
	}
	shown := *c
	m.strip(&shown)
	return &shown
}

// strip takes what the mask hides from a customer.
func (m Mask) strip(c *Customer) {
	if !m.Empty() {
		c.rest = "" // what it holds isn't known here
		m.copyHidden(c, &Customer{})
	}
}

// Keep returns a changed customer with what the mask hides as it is in the stored one:
// who can't see a field can't change it. It is next itself when nothing is hidden,
// otherwise a copy.
func (m Mask) Keep(next, stored *Customer) *Customer {
	if m.Empty() {
		return next
	}
	kept := *next
	kept.rest = stored.rest
	m.copyHidden(&kept, stored)
	return &kept
}

// copyHidden replaces what the mask hides by another record's.
func (m Mask) copyHidden(to, from *Customer) {
	for i := range maskable {
		if m.bits&(1<<i) != 0 {
			to.copyField(from, maskable[i].name)
		}
	}
	if !m.all && len(m.attributes) == 0 {
		return
	}
	shown := func(a Attribute) bool { return !m.hidesAttribute(a.Name) }
	attributes := slices.DeleteFunc(slices.Clone(from.Attributes), shown)
	for _, a := range to.Attributes {
		if shown(a) {
			attributes = append(attributes, a)
		}
	}
	slices.SortFunc(attributes, func(a, b Attribute) int { return strings.Compare(a.Name, b.Name) })
	to.Attributes = attributes
}

// copyField copies one field that can be hidden; those that are not in the record are
// passed over.
func (c *Customer) copyField(from *Customer, field string) {
	switch field {
	case "identifier":
		c.Identifiers = from.Identifiers
	case "source":
		c.SourceKeys = from.SourceKeys
	case "alias":
		c.Aliases = from.Aliases
	case "website":
		c.Website = from.Website
	case "note":
		c.Note = from.Note
	case "rep":
		c.Rep = from.Rep
	case "phone":
		c.Phones = from.Phones
	case "email":
		c.Emails = from.Emails
	case "address":
		c.Addresses = from.Addresses
	case "contact":
		c.Contacts = from.Contacts
	}
}
