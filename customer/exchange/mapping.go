package exchange

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/clientele-go/clientele/customer/exchange/tabular"
)

// Mapping says how a file is read and what its columns hold. [Session.Inspect] guesses
// one; people correct it, and keep it as JSON for the next file of the same kind.
type Mapping struct {
	Subject   Subject          `json:"subject,omitempty"` // what the rows are; customers when empty
	Format    string           `json:"format,omitempty"`
	Encoding  tabular.Encoding `json:"encoding,omitempty"`
	Delimiter string           `json:"delimiter,omitempty"`
	Sheet     string           `json:"sheet,omitempty"`
	// HeaderRow is the number of the first row of headings, 0 for none, and HeaderRows how
	// many rows they take. Rows before them are titles. They mean nothing for JSON Lines,
	// whose columns are found by Heading, their key.
	HeaderRow  int      `json:"header_row"`
	HeaderRows int      `json:"header_rows"`
	Columns    []Column `json:"columns"`
}

// Column maps one column of a file.
type Column struct {
	Column     int     `json:"column"` // from 1 on
	Heading    string  `json:"heading,omitempty"`
	Field      Field   `json:"field,omitempty"` // empty: not imported
	Confidence float64 `json:"confidence,omitempty"`
	Prefix     string  `json:"prefix,omitempty"` // put before each value of Field
	Also       []Field `json:"also,omitempty"`   // further fields that get the value, without Prefix
}

// all are the fields that the column's values go to.
func (c *Column) all() []Field {
	if c.Field == "" {
		return nil
	}
	return append([]Field{c.Field}, c.Also...)
}

// ParseMapping reads a mapping in JSON. Names that a mapping has not are refused, since
// they are mistakes.
func ParseMapping(text []byte) (*Mapping, error) {
	var m Mapping
	if err := unmarshalStrictly(text, &m); err != nil {
		return nil, &MappingError{Reason: err.Error()}
	}
	return &m, nil
}

// Sure returns the mapping without the fields of columns that a guess is in doubt about,
// as Run uses it.
func (m *Mapping) Sure() *Mapping {
	sure := *m
	sure.Columns = slices.Clone(m.Columns)
	for i := range sure.Columns {
		if c := &sure.Columns[i]; c.Confidence < byContent {
			c.Field = ""
		}
	}
	return &sure
}

// JSON returns the mapping as people edit it.
func (m *Mapping) JSON() ([]byte, error) { return json.MarshalIndent(m, "", "  ") }

// MappingError says what is wrong with a mapping. It wraps ErrMapping.
type MappingError struct {
	Column int // from 1 on; 0 when it isn't about one column
	Field  Field
	Reason string
}

func (e *MappingError) Error() string {
	where := ""
	if e.Column > 0 {
		where = fmt.Sprintf(": column %d", e.Column)
	}
	if e.Field != "" {
		where += fmt.Sprintf(": field %q", e.Field)
	}
	return "exchange: mapping" + where + ": " + e.Reason
}

func (e *MappingError) Unwrap() error { return ErrMapping }

// firstRow is the number of the first row of data.
func (m *Mapping) firstRow() int { return max(m.HeaderRow, 1) + m.HeaderRows }

// options returns how the file is read.
func (m *Mapping) options(limits tabular.Limits) tabular.Options {
	o := tabular.Options{Encoding: m.Encoding, Sheet: m.Sheet, Limits: limits}
	if d := []rune(m.Delimiter); len(d) == 1 {
		o.Delimiter = d[0]
	}
	return o
}

// maxColumn is the last that a worksheet has.
const maxColumn = 16384

// single are the fields of which a customer has one value.
var single = []Field{Code, Name, KindOf, PartyOf, Country, Province, City, District, Postcode, ContactName, ContactRole, ContactPhone, ContactEmail, Website, Owner, Rep}

// check refuses a mapping that can't be carried out, given the book's fields.
func (m *Mapping) check(known []FieldSpec) error {
	if m.HeaderRow < 0 || m.HeaderRows < 0 || m.HeaderRow == 0 && m.HeaderRows > 0 {
		return &MappingError{Reason: "header_row counts from 1, or is 0 with no header_rows"}
	}
	if len([]rune(m.Delimiter)) > 1 {
		return &MappingError{Reason: fmt.Sprintf("the delimiter %q is more than one character", m.Delimiter)}
	}
	seen := map[Field]int{}
	columns := map[int]bool{}
	for _, c := range m.Columns {
		if c.Column < 1 || c.Column > maxColumn || columns[c.Column] {
			return &MappingError{Column: c.Column, Reason: fmt.Sprintf("each column is given once, and counts from 1 to %d", maxColumn)}
		}
		columns[c.Column] = true
		for _, f := range c.all() {
			if !importable(f, known) {
				return &MappingError{Column: c.Column, Field: f, Reason: "the book has no such field; Fields lists them"}
			}
			if first := seen[f]; first > 0 && (slices.Contains(single, f) || isSingle(f)) {
				return &MappingError{Column: c.Column, Field: f, Reason: fmt.Sprintf("column %d has it already", first)}
			}
			seen[f] = c.Column
		}
	}
	if len(seen) == 0 {
		return &MappingError{Reason: "no column is mapped to a field"}
	}
	kind, err := m.Subject.entries()
	if err != nil || kind == nil {
		return err
	}
	return m.checkEntries(kind)
}

// isSingle tells of fields with a variable part.
func isSingle(f Field) bool {
	for _, prefix := range []string{attributeOf, identifierOf, sourceOf} {
		if _, ok := f.under(prefix); ok {
			return true
		}
	}
	return false
}

// importable reports whether a field is one of the book's, or has a label or a system of
// its own.
func importable(f Field, known []FieldSpec) bool {
	for _, prefix := range []string{phoneOf, emailOf, addressOf, sourceOf} {
		if _, ok := f.under(prefix); ok {
			return true
		}
	}
	return f != StatusOf && slices.ContainsFunc(known, func(s FieldSpec) bool { return s.Field == f })
}

// byColumn returns how each column is mapped, from column 1 on.
func (m *Mapping) byColumn() (list []Column) {
	for _, c := range m.Columns {
		for len(list) < c.Column {
			list = append(list, Column{})
		}
		list[c.Column-1] = c
	}
	return list
}

// has reports whether a column is mapped to a field.
func (m *Mapping) has(f Field) bool { return slices.Contains(m.mapped(), f) }

// mapped are the fields of all columns.
func (m *Mapping) mapped() (list []Field) {
	for i := range m.Columns {
		list = append(list, m.Columns[i].all()...)
	}
	return list
}
