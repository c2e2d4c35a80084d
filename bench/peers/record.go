package main

import (
	"bytes"
	"fmt"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage/record"
)

// The fields of a record as the peers keep it, in the wire form that the book uses too.
const (
	fieldCode = iota + 1
	fieldKind
	fieldParty
	fieldName
	fieldAlias
	fieldCountry
	fieldIdentifier
	fieldPhone
	fieldEmail
	fieldAddress
	fieldContact
	fieldWebsite
	fieldNote
	fieldOwner
	fieldRep
	fieldAttribute
	fieldSourceKey
	fieldVersion
	fieldCreated
	fieldRecorded
	fieldActor
)

// appendRecord encodes a customer without its id. It is the codec that a developer
// would write by hand for a peer: JSON would cost it ten times more.
func appendRecord(dst []byte, c *customer.Customer) []byte {
	w := record.Writer{Buf: appendContent(dst, c)}
	w.Uint(fieldVersion, c.Version)
	w.Int(fieldCreated, c.Created.UnixMicro())
	w.Int(fieldRecorded, c.Recorded.UnixMicro())
	w.String(fieldActor, c.Actor)
	return w.Buf
}

// appendContent encodes what a draft sets: all but id, version, times, actor and status.
func appendContent(dst []byte, c *customer.Customer) []byte {
	w := record.Writer{Buf: dst}
	w.String(fieldCode, c.Code)
	w.Uint(fieldKind, uint64(c.Kind))
	w.Uint(fieldParty, uint64(c.Party))
	w.String(fieldName, c.Name)
	for _, alias := range c.Aliases {
		w.Text(fieldAlias, alias)
	}
	w.String(fieldCountry, c.Country)
	for _, x := range c.Identifiers {
		appendTexts(&w, fieldIdentifier, x.Scheme, x.Value)
	}
	for _, x := range c.Phones {
		appendTexts(&w, fieldPhone, x.Label, x.Number, x.E164, x.Extension)
	}
	for _, x := range c.Emails {
		appendTexts(&w, fieldEmail, x.Label, x.Address)
	}
	for i := range c.Addresses {
		x := &c.Addresses[i]
		appendTexts(&w, fieldAddress, x.Label, x.Text, x.Country, x.Province, x.City, x.District, x.Division, x.Postcode)
	}
	for _, x := range c.Contacts {
		appendTexts(&w, fieldContact, x.Name, x.Role, x.Phone, x.Email)
	}
	w.String(fieldWebsite, c.Website)
	w.String(fieldNote, c.Note)
	w.Uint(fieldOwner, uint64(c.Owner))
	w.String(fieldRep, c.Rep)
	for _, x := range c.Attributes { // the sample's are enumerations, all of them
		appendTexts(&w, fieldAttribute, x.Name, x.Value.Text())
	}
	for _, x := range c.SourceKeys {
		appendTexts(&w, fieldSourceKey, x.System, x.Key)
	}
	return w.Buf
}

// appendTexts writes a nested record whose fields 1, 2, … are texts.
func appendTexts(w *record.Writer, field int, texts ...string) {
	mark := w.Begin(field)
	for i, text := range texts {
		w.String(i+1, text)
	}
	w.End(mark)
}

// decoded is a customer together with room for its usual lists: one allocation.
type decoded struct {
	customer    customer.Customer
	identifiers [1]customer.Identifier
	phones      [2]customer.Phone
	emails      [1]customer.Email
	addresses   [1]customer.Address
	contacts    [1]customer.Contact
	attributes  [2]customer.Attribute
	sources     [1]customer.SourceKey
}

// decodeRecord is the inverse of appendRecord. The customer's texts share src's memory.
func decodeRecord(id customer.ID, src string) (*customer.Customer, error) {
	d := &decoded{}
	c := &d.customer
	c.ID = id
	c.Identifiers, c.Phones, c.Emails, c.Addresses = d.identifiers[:0], d.phones[:0], d.emails[:0], d.addresses[:0]
	c.Contacts, c.Attributes, c.SourceKeys = d.contacts[:0], d.attributes[:0], d.sources[:0]
	r := record.NewReader(src)
	for r.Next() {
		decodeField(&r, c)
	}
	if err := r.Err(); err != nil {
		return nil, fmt.Errorf("customer %d: %w", id, err)
	}
	return c, nil
}

func decodeField(r *record.Reader, c *customer.Customer) {
	switch r.Field() {
	case fieldCode:
		c.Code = r.String()
	case fieldKind:
		c.Kind = customer.Kind(r.Uint())
	case fieldParty:
		c.Party = customer.Party(r.Uint())
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
		c.Owner = customer.UnitID(r.Uint())
	case fieldRep:
		c.Rep = r.String()
	case fieldVersion:
		c.Version = r.Uint()
	case fieldCreated:
		c.Created = time.UnixMicro(r.Int()).UTC()
	case fieldRecorded:
		c.Recorded = time.UnixMicro(r.Int()).UTC()
	case fieldActor:
		c.Actor = r.String()
	default:
		decodeElement(r, c)
	}
}

func decodeElement(r *record.Reader, c *customer.Customer) {
	switch r.Field() {
	case fieldIdentifier:
		var x customer.Identifier
		decodeTexts(r, &x.Scheme, &x.Value)
		c.Identifiers = append(c.Identifiers, x)
	case fieldPhone:
		var x customer.Phone
		decodeTexts(r, &x.Label, &x.Number, &x.E164, &x.Extension)
		c.Phones = append(c.Phones, x)
	case fieldEmail:
		var x customer.Email
		decodeTexts(r, &x.Label, &x.Address)
		c.Emails = append(c.Emails, x)
	case fieldAddress:
		var x customer.Address
		decodeTexts(r, &x.Label, &x.Text, &x.Country, &x.Province, &x.City, &x.District, &x.Division, &x.Postcode)
		c.Addresses = append(c.Addresses, x)
	case fieldContact:
		var x customer.Contact
		decodeTexts(r, &x.Name, &x.Role, &x.Phone, &x.Email)
		c.Contacts = append(c.Contacts, x)
	case fieldAttribute:
		var name, value string
		decodeTexts(r, &name, &value)
		c.Attributes = append(c.Attributes, customer.Attribute{Name: name, Value: customer.EnumValue(value)})
	case fieldSourceKey:
		var x customer.SourceKey
		decodeTexts(r, &x.System, &x.Key)
		c.SourceKeys = append(c.SourceKeys, x)
	default:
		r.Fail(fmt.Errorf("field %d is unknown", r.Field()))
	}
}

// decodeTexts reads what appendTexts wrote.
func decodeTexts(outer *record.Reader, texts ...*string) {
	r := record.NewReader(outer.String())
	for r.Next() {
		if r.Field() > len(texts) {
			r.Fail(fmt.Errorf("nested field %d is unknown", r.Field()))
			break
		}
		*texts[r.Field()-1] = r.String()
	}
	if err := r.Err(); err != nil {
		outer.Fail(err)
	}
}

// sameContent reports whether two customers have the same content, whoever stored
// them and when.
func sameContent(a, b *customer.Customer) bool {
	return bytes.Equal(appendContent(nil, a), appendContent(nil, b))
}
