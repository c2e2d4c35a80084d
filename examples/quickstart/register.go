package main

import (
	"embed"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/customer"
)

//go:embed data/*.csv
var registers embed.FS

// system is the register's name in the crosswalk: companies are known by stock code.
const system = "twse"

func options() clientele.Options {
	return clientele.Options{Customers: customer.Options{Country: "TW"}}
}

// company is one row of the register.
type company struct {
	stockCode string
	draft     customer.Draft
}

// readRegister reads one export of the register.
func readRegister(name string) ([]company, error) {
	f, err := registers.Open("data/" + name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	rows := csv.NewReader(f)
	if _, err := rows.Read(); err != nil { // the header
		return nil, err
	}
	var list []company
	for {
		row, err := rows.Read()
		if err == io.EOF {
			return list, nil
		}
		if err != nil {
			return nil, err
		}
		list = append(list, newCompany(row))
	}
}

// newCompany maps the columns code, name, address, chairman, phone, email, website,
// tax_id.
func newCompany(row []string) company {
	d := customer.Draft{
		Code: "TW" + row[0], Name: row[1], Website: row[6],
		Addresses:  []customer.Address{{Text: row[2]}},
		Contacts:   []customer.Contact{{Name: row[3], Role: "董事長"}},
		Phones:     []customer.Phone{{Label: "office", Number: row[4]}},
		Emails:     emails(row[5]),
		SourceKeys: []customer.SourceKey{{System: system, Key: row[0]}},
	}
	if taxID := row[7]; strings.Trim(taxID, "0") != "" { // foreign issuers have 00000000
		d.Identifiers = []customer.Identifier{{Scheme: "tw.ubn", Value: taxID}}
	}
	return company{row[0], d}
}

// emails divides a field into which people write several addresses.
func emails(field string) []customer.Email {
	var list []customer.Email
	for _, address := range strings.FieldsFunc(field, func(r rune) bool { return strings.ContainsRune(";、 ", r) }) {
		list = append(list, customer.Email{Address: address})
	}
	return list
}

// outcome counts what an import did.
type outcome struct {
	read, created, updated, unchanged int
	notes                             []string
}

// batch is the number of companies in one transaction.
const batch = 250

// importRegister brings the book up to a register: companies that it knows by stock
// code or tax id are updated, others created, so importing twice changes nothing.
func importRegister(t *tour, list []company, reason string) (outcome, error) {
	me := t.book.As(clientele.Actor{ID: "importer", Reason: reason})
	total := outcome{read: len(list)}
	for start := 0; start < len(list); start += batch {
		part := list[start:min(start+batch, len(list))]
		var done outcome
		err := me.Update(t.ctx, func(tx *clientele.Tx) error {
			done = outcome{} // the function may run again
			for _, c := range part {
				if err := done.store(tx, c); err != nil {
					return fmt.Errorf("company %s: %w", c.stockCode, err)
				}
			}
			return nil
		})
		if err != nil {
			return total, err
		}
		total.created += done.created
		total.updated += done.updated
		total.unchanged += done.unchanged
		total.notes = append(total.notes, done.notes...)
	}
	return total, nil
}

// store creates or updates one company. A value that the book refuses is moved to the
// note rather than lost, and told.
func (o *outcome) store(tx *clientele.Tx, c company) error {
	err := o.put(tx, c)
	var invalid *customer.ValidationError
	if !errors.As(err, &invalid) {
		return err
	}
	for _, p := range invalid.Problems {
		o.notes = append(o.notes, "TW"+c.stockCode+" "+p.String())
	}
	c.draft = mend(c.draft, invalid)
	return o.put(tx, c)
}

func (o *outcome) put(tx *clientele.Tx, c company) error {
	known, err := lookUp(tx, c)
	if errors.Is(err, customer.ErrNotFound) {
		if _, err = tx.Customers.Create(c.draft); err == nil {
			o.created++
		}
		return err
	}
	if err == nil && known.Status == customer.Archived { // it is back on the list
		known, err = tx.Customers.Reactivate(known.ID)
	}
	if err != nil {
		return err
	}
	stored, err := tx.Customers.Update(merge(known, c.draft))
	switch {
	case err != nil:
		return err
	case stored.Version == known.Version:
		o.unchanged++
	default:
		o.updated++
	}
	return nil
}

func lookUp(tx *clientele.Tx, c company) (*customer.Customer, error) {
	known, err := tx.Customers.BySourceKey(system, c.stockCode)
	if errors.Is(err, customer.ErrNotFound) && len(c.draft.Identifiers) > 0 {
		x := c.draft.Identifiers[0]
		known, err = tx.Customers.ByIdentifier(x.Scheme, x.Value)
	}
	return known, err
}

// mend drops the fields that were refused and keeps their text in the note.
func mend(d customer.Draft, invalid *customer.ValidationError) customer.Draft {
	for _, p := range invalid.Problems {
		switch {
		case strings.HasPrefix(p.Field, "Emails"):
			d.Note, d.Emails = d.Note+"e-mail: "+p.Value+"\n", nil
		case strings.HasPrefix(p.Field, "Identifiers"):
			d.Note, d.Identifiers = d.Note+"tax id: "+p.Value+"\n", nil
		}
	}
	return d
}

// merge returns the known company with the register's facts.
func merge(known *customer.Customer, d customer.Draft) *customer.Customer {
	next := *known
	if next.Name != d.Name && !slices.Contains(next.Aliases, next.Name) {
		next.Aliases = append(slices.Clone(next.Aliases), next.Name) // found by its former name too
	}
	next.Name, next.Website = d.Name, d.Website
	next.Addresses, next.Phones, next.Emails, next.Contacts = d.Addresses, d.Phones, d.Emails, d.Contacts
	if d.Note != "" {
		next.Note = d.Note
	}
	return &next
}
