package customer

import (
	"fmt"
	"slices"
	"time"

	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/record"
)

// The stored record's fields. A number is never used again for another meaning.
const (
	fieldCode       = 1
	fieldKind       = 2
	fieldParty      = 3
	fieldStatus     = 4
	fieldName       = 5
	fieldAlias      = 6
	fieldCountry    = 7
	fieldIdentifier = 8
	fieldPhone      = 9
	fieldEmail      = 10
	fieldAddress    = 11
	fieldContact    = 12
	fieldWebsite    = 13
	fieldNote       = 14
	fieldOwner      = 15
	fieldRep        = 16
	fieldAttribute  = 17
	fieldSourceKey  = 18
	fieldCreated    = 19
	fieldSurvivor   = 20
	fieldFormer     = 21
	fieldAbsorbed   = 22
)

// The fields of nested records are numbered from 1 in the order in which appendTexts
// and readTexts name them; only the fields beyond those texts have names here.
const (
	identifierUnique = 3
	identifierMoved  = 4

	sourceKeyMoved = 3

	attributeName    = 1
	attributeType    = 2
	attributeText    = 3
	attributeNumber  = 4
	attributeIndexed = 5
)

func appendCustomer(dst []byte, c *Customer) ([]byte, error) {
	w := record.Writer{Buf: dst}
	w.String(fieldCode, c.Code)
	w.Uint(fieldKind, uint64(c.Kind))
	w.Uint(fieldParty, uint64(c.Party))
	w.Uint(fieldStatus, uint64(c.Status))
	w.String(fieldName, c.Name)
	for _, alias := range c.Aliases {
		w.Text(fieldAlias, alias)
	}
	w.String(fieldCountry, c.Country)
	for i := range c.Identifiers {
		appendIdentifier(&w, &c.Identifiers[i])
	}
	for i := range c.Phones {
		x := &c.Phones[i]
		appendTexts(&w, fieldPhone, x.rest, x.Label, x.Number, x.E164, x.Extension)
	}
	for i := range c.Emails {
		x := &c.Emails[i]
		appendTexts(&w, fieldEmail, x.rest, x.Label, x.Address)
	}
	for i := range c.Addresses {
		x := &c.Addresses[i]
		appendTexts(&w, fieldAddress, x.rest, x.Label, x.Text, x.Country, x.Province, x.City, x.District, x.Division, x.Postcode)
	}
	for i := range c.Contacts {
		x := &c.Contacts[i]
		appendTexts(&w, fieldContact, x.rest, x.Name, x.Role, x.Phone, x.Email)
	}
	w.String(fieldWebsite, c.Website)
	w.String(fieldNote, c.Note)
	w.Uint(fieldOwner, uint64(c.Owner))
	w.String(fieldRep, c.Rep)
	for i := range c.Attributes {
		appendAttribute(&w, &c.Attributes[i])
	}
	for i := range c.SourceKeys {
		appendSourceKey(&w, &c.SourceKeys[i])
	}
	w.Int(fieldCreated, c.Created.UnixMicro())
	w.Uint(fieldSurvivor, uint64(c.Survivor))
	w.Uint(fieldFormer, uint64(c.former))
	w.Uint(fieldAbsorbed, uint64(c.Absorbed))
	w.Raw(c.rest)
	return w.Buf, nil
}

// appendTexts writes a nested record whose fields 1, 2, … are texts.
func appendTexts(w *record.Writer, field int, rest string, texts ...string) {
	mark := w.Begin(field)
	for i, text := range texts {
		w.String(i+1, text)
	}
	w.Raw(rest)
	w.End(mark)
}

func appendIdentifier(w *record.Writer, x *Identifier) {
	mark := w.Begin(fieldIdentifier)
	w.String(1, x.Scheme)
	w.String(2, x.Value)
	if x.unique {
		w.Uint(identifierUnique, 1)
	}
	if x.moved {
		w.Uint(identifierMoved, 1)
	}
	w.Raw(x.rest)
	w.End(mark)
}

func appendSourceKey(w *record.Writer, x *SourceKey) {
	mark := w.Begin(fieldSourceKey)
	w.String(1, x.System)
	w.String(2, x.Key)
	if x.moved {
		w.Uint(sourceKeyMoved, 1)
	}
	w.Raw(x.rest)
	w.End(mark)
}

func appendAttribute(w *record.Writer, a *Attribute) {
	mark := w.Begin(fieldAttribute)
	w.String(attributeName, a.Name)
	w.Uint(attributeType, uint64(a.Value.typ))
	w.String(attributeText, a.Value.text)
	w.Int(attributeNumber, a.Value.n)
	if a.indexed {
		w.Uint(attributeIndexed, 1)
	}
	w.Raw(a.rest)
	w.End(mark)
}

// decoded is a customer together with room for its usual lists, so that reading one
// costs a single allocation beside its bytes.
type decoded struct {
	customer    Customer
	identifiers [2]Identifier
	phones      [2]Phone
	emails      [1]Email
	addresses   [1]Address
	contacts    [1]Contact
	sources     [1]SourceKey
	attributes  [2]Attribute
}

func decodeCustomer(src string, id ID, m storage.Meta) (*Customer, error) {
	d := &decoded{}
	c := &d.customer
	c.ID, c.Version, c.Recorded, c.Actor, c.Reason = id, m.Version, m.Recorded, m.Actor, m.Reason
	c.Created = time.UnixMicro(0).UTC() // what the left-out zero stands for
	r := record.NewReader(src)
	for r.Next() {
		if !c.readField(&r, d) {
			r.Skip()
		}
	}
	c.rest = r.Unknown()
	c.clip()
	return c, r.Err()
}

// clip takes the spare room away, so that appending to a list never reaches what a
// copy of the customer shares.
func (c *Customer) clip() {
	c.Identifiers = slices.Clip(c.Identifiers)
	c.Phones = slices.Clip(c.Phones)
	c.Emails = slices.Clip(c.Emails)
	c.Addresses = slices.Clip(c.Addresses)
	c.Contacts = slices.Clip(c.Contacts)
	c.SourceKeys = slices.Clip(c.SourceKeys)
	c.Attributes = slices.Clip(c.Attributes)
}

func (c *Customer) readField(r *record.Reader, d *decoded) bool {
	switch r.Field() {
	case fieldCode:
		c.Code = r.String()
	case fieldKind:
		c.Kind = Kind(r.Uint())
	case fieldParty:
		c.Party = Party(r.Uint())
	case fieldStatus:
		c.Status = Status(r.Uint())
	case fieldName:
		c.Name = r.String()
	case fieldAlias:
		c.Aliases = append(c.Aliases, r.String())
	case fieldCountry:
		c.Country = r.String()
	case fieldWebsite:
		c.Website = r.String()
	case fieldNote:
		c.Note = r.String()
	case fieldOwner:
		c.Owner = UnitID(r.Uint())
	case fieldRep:
		c.Rep = r.String()
	case fieldCreated:
		c.Created = time.UnixMicro(r.Int()).UTC()
	case fieldSurvivor:
		c.Survivor = ID(r.Uint())
	case fieldFormer:
		c.former = Status(r.Uint())
	case fieldAbsorbed:
		c.Absorbed = int(r.Uint())
	default:
		return c.readList(r, d)
	}
	return true
}

func (c *Customer) readList(r *record.Reader, d *decoded) bool {
	switch r.Field() {
	case fieldIdentifier:
		var x *Identifier
		c.Identifiers, x = grow(c.Identifiers, d.identifiers[:0])
		readIdentifier(r, x)
	case fieldPhone:
		var x *Phone
		c.Phones, x = grow(c.Phones, d.phones[:0])
		x.rest = readTexts(r, &x.Label, &x.Number, &x.E164, &x.Extension)
	case fieldEmail:
		var x *Email
		c.Emails, x = grow(c.Emails, d.emails[:0])
		x.rest = readTexts(r, &x.Label, &x.Address)
	case fieldAddress:
		var x *Address
		c.Addresses, x = grow(c.Addresses, d.addresses[:0])
		x.rest = readTexts(r, &x.Label, &x.Text, &x.Country, &x.Province, &x.City, &x.District, &x.Division, &x.Postcode)
	case fieldContact:
		var x *Contact
		c.Contacts, x = grow(c.Contacts, d.contacts[:0])
		x.rest = readTexts(r, &x.Name, &x.Role, &x.Phone, &x.Email)
	case fieldSourceKey:
		var x *SourceKey
		c.SourceKeys, x = grow(c.SourceKeys, d.sources[:0])
		readSourceKey(r, x)
	case fieldAttribute:
		var x *Attribute
		c.Attributes, x = grow(c.Attributes, d.attributes[:0])
		readAttribute(r, x)
	default:
		return false
	}
	return true
}

// grow appends an empty element, the first ones in room.
func grow[T any](list, room []T) ([]T, *T) {
	if list == nil {
		list = room
	}
	var empty T
	list = append(list, empty)
	return list, &list[len(list)-1]
}

// readTexts reads a nested record whose fields 1, 2, … are texts and returns the
// fields that it doesn't know.
func readTexts(outer *record.Reader, texts ...*string) (rest string) {
	r := record.NewReader(outer.String())
	for r.Next() {
		if i := r.Field() - 1; i < len(texts) {
			*texts[i] = r.String()
		} else {
			r.Skip()
		}
	}
	if r.Err() != nil {
		outer.Fail(r.Err())
	}
	return r.Unknown()
}

func readIdentifier(outer *record.Reader, x *Identifier) {
	r := record.NewReader(outer.String())
	for r.Next() {
		switch r.Field() {
		case 1:
			x.Scheme = r.String()
		case 2:
			x.Value = r.String()
		case identifierUnique:
			x.unique = r.Uint() != 0
		case identifierMoved:
			x.moved = r.Uint() != 0
		default:
			r.Skip()
		}
	}
	if r.Err() != nil {
		outer.Fail(r.Err())
	}
	x.rest = r.Unknown()
}

func readSourceKey(outer *record.Reader, x *SourceKey) {
	r := record.NewReader(outer.String())
	for r.Next() {
		switch r.Field() {
		case 1:
			x.System = r.String()
		case 2:
			x.Key = r.String()
		case sourceKeyMoved:
			x.moved = r.Uint() != 0
		default:
			r.Skip()
		}
	}
	if r.Err() != nil {
		outer.Fail(r.Err())
	}
	x.rest = r.Unknown()
}

func readAttribute(outer *record.Reader, a *Attribute) {
	r := record.NewReader(outer.String())
	for r.Next() {
		switch r.Field() {
		case attributeName:
			a.Name = r.String()
		case attributeType:
			a.Value.typ = Type(r.Uint())
		case attributeText:
			a.Value.text = r.String()
		case attributeNumber:
			a.Value.n = r.Int()
		case attributeIndexed:
			a.indexed = r.Uint() != 0
		default:
			r.Skip()
		}
	}
	if int(a.Value.typ) >= len(typeNames) {
		r.Fail(fmt.Errorf("attribute type %d", a.Value.typ))
	}
	if r.Err() != nil {
		outer.Fail(r.Err())
	}
	a.rest = r.Unknown()
}
