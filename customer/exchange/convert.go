package exchange

import (
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/customer/exchange/tabular"
	"github.com/clientele-go/clientele/internal/text"

	"golang.org/x/text/width"
)

// line is a row of a file on its way into the book.
type line struct {
	row, line int
	draft     customer.Draft
	tags      []tagValue
	columns   []int    // that have a value
	values    []string // in these columns
	faults    []Fault
	refused   bool
	checked   *customer.Customer // what the draft would become
	origin    map[string]int     // column by the draft's part: "Name", "Phones[0]"
	entry     entry              // what the row is, if no customer
	cells     cells              // by field, of a row that is no customer
	found     customer.ID        // whom a refused row is about, if that is known
}

// tagValue is a tag that a cell names.
type tagValue struct {
	dimension, tag string
	column         int
}

// converter makes drafts of rows. It is immutable while rows are converted, and safe for
// concurrent use.
type converter struct {
	mapping  *Mapping
	entries  entryKind      // of rows that are no customers, otherwise nil
	day      date.Date      // of documents and scores that name none
	currency money.Currency // of amounts that name none
	partial  bool           // rows without names, of customers that the book has
	byColumn []Column       // from column 1 on
	schema   *customer.Schema
	store    *customer.Store
	units    map[string]customer.UnitID // by folded code and name
	tagCodes map[string]map[string]string
	toNote   bool // values that the book refuses go to the note
	unescape bool
}

// excerptBytes bounds a value in a fault.
const excerptBytes = 120

// convert makes a draft of a row and checks it, all but what only the book knows.
func (c *converter) convert(row *tabular.Row) *line {
	l := &line{row: row.Number, line: row.Line, origin: map[string]int{}}
	if row.Err != nil {
		l.refuse(Fault{Code: string(row.Err.Code), Detail: row.Err.Err.Error(), Remedy: row.Err.Remedy()})
		return l
	}
	for i, cell := range row.Cells {
		if i < len(c.byColumn) && c.byColumn[i].Field != "" {
			c.cell(l, &c.byColumn[i], cell)
		}
	}
	if c.entries != nil {
		c.finishEntry(l)
	} else {
		c.finish(l)
	}
	return l
}

// cell takes a cell to the fields that its column is mapped to.
func (c *converter) cell(l *line, to *Column, cell tabular.Cell) {
	value := strings.TrimSpace(cell.Text)
	if c.unescape {
		value = tabular.Unescape(value)
	}
	if value == "" || saysNothing(to.Field, value) {
		return
	}
	l.columns, l.values = append(l.columns, to.Column), append(l.values, value)
	for n, f := range to.all() {
		switch {
		case slices.Contains(failures, value):
			cell.Kind = tabular.Failed
		case c.unescape && rounded.MatchString(value): // what a spreadsheet made of a long number
			cell.Kind = tabular.Inexact
		}
		if fault, bad := damage(cell.Kind, f); bad {
			fault.Column, fault.Field, fault.Value = to.Column, f, value
			l.refuse(fault)
			return
		}
		v := value
		if n == 0 {
			v = to.Prefix + value
		}
		if c.entries == nil || !c.entries.put(c, l, to.Column, f, v) {
			c.put(l, to.Column, f, v)
		}
	}
}

// saysNothing reports what people write where they have nothing to write.
func saysNothing(f Field, value string) bool {
	_, identifier := f.under(identifierOf)
	identifier = identifier || f == AnyIdentifier
	if identifier && strings.Trim(value, "0") == "" {
		return true
	}
	reached := f == Website || slices.Contains(addressParts, f) || strings.HasPrefix(string(f), "contact.")
	for _, of := range []Field{Phone, Email, Address} {
		_, ok := labelled(f, of)
		reached = reached || ok
	}
	if !identifier && !reached {
		return false // a word that means something
	}
	switch strings.ToLower(value) {
	case "-", "--", "—", "——", "/", "\\", "n/a", "#n/a", "none", "null", "nil", "无", "無", "暂无", "暫無", "不详", "不詳", "未填":
		return true
	}
	return false
}

// finishEntry completes what a row is, beside the customer that it is about.
func (c *converter) finishEntry(l *line) {
	defer c.name(l)
	l.checked = c.rough(l, func(x int, problem error) {
		_, column := l.part(element("Identifiers", x))
		l.refuse(Fault{Column: column, Field: c.fieldOf(column), Code: string(customer.CodeMalformed), Detail: problem.Error()})
	})
	if !l.refused {
		l.entry = c.entries.finish(c, l)
	}
}

// rough is a draft as far as customers are found by it. Identifiers that are none are
// told, if anybody asks.
func (c *converter) rough(l *line, bad func(x int, problem error)) *customer.Customer {
	d := &l.draft
	known := &customer.Customer{Code: d.Code, Name: d.Name, SourceKeys: d.SourceKeys}
	for i, x := range d.Identifiers {
		var err error
		if x.Value, err = c.store.Schemes().Parse(x.Scheme, x.Value); err == nil {
			known.Identifiers = append(known.Identifiers, x)
		} else if bad != nil {
			bad(i, err)
		}
	}
	return known
}

// damage tells of cells whose text isn't what was meant.
func damage(kind tabular.Kind, f Field) (Fault, bool) {
	switch kind {
	case tabular.Garbled:
		return Fault{Code: CodeGarbled, Detail: "has characters that could not be decoded", Remedy: "check the file's encoding"}, true
	case tabular.Failed:
		return Fault{Code: CodeFormula, Detail: "is the error of a formula", Remedy: "mend the formula or type the value"}, true
	case tabular.Inexact:
		return Fault{Code: CodeInexact, Detail: "is a long number of which the spreadsheet kept 15 digits", Remedy: "make the column text and export it again"},
			f != Note && f != Name
	}
	return Fault{}, false
}

// failures are what cells of spreadsheets with failed formulas hold. Text files have them
// as any other text.
var failures = []string{"#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!", "#N/A", "#SPILL!", "#CALC!"}

// rounded is how spreadsheets write long numbers into text files: 1.10105E+17.
var rounded = regexp.MustCompile(`^-?[0-9](\.[0-9]+)?E\+[0-9]{2,3}$`)

func (l *line) refuse(f Fault) {
	l.refused = true
	l.note(f)
}

func (l *line) note(f Fault) {
	f.Row, f.Line = l.row, l.line
	f.Value = excerpt(f.Value)
	if !slices.Contains(l.faults, f) { // a cell of several values may have the same wrong with each
		l.faults = append(l.faults, f)
	}
}

func excerpt(s string) string {
	if len(s) <= excerptBytes {
		return s
	}
	return strings.ToValidUTF8(s[:excerptBytes], "") + "…"
}

// put gives the draft a cell's value.
func (c *converter) put(l *line, column int, f Field, value string) {
	d := &l.draft
	switch f {
	case Code:
		d.Code, l.origin["Code"] = value, column
	case Name:
		d.Name, l.origin["Name"] = value, column
	case Alias:
		for _, v := range parts(value, ";；\n") {
			l.origin[element("Aliases", len(d.Aliases))] = column
			d.Aliases = append(d.Aliases, v)
		}
	case KindOf:
		c.word(l, column, f, value, kinds, func(i int) { d.Kind = customer.Kind(i) })
	case PartyOf:
		c.word(l, column, f, value, parties, func(i int) { d.Party = customer.Party(i) })
	case Country:
		d.Country, l.origin["Country"] = countryCode(value), column
	case Province, City, District, Postcode:
		c.place(l, column, f, value)
	case ContactName, ContactRole, ContactPhone, ContactEmail:
		c.contact(l, column, f, value)
	case Website:
		d.Website, l.origin["Website"] = value, column
	case Note:
		d.Note, l.origin["Note"] = strings.TrimPrefix(d.Note+"\n"+value, "\n"), column
	case Owner:
		unit, known := c.units[text.Fold(value)]
		if !known {
			l.refuse(Fault{Column: column, Field: f, Value: value, Code: string(customer.CodeUnknown), Detail: "is no unit", Remedy: "give a unit's code or name"})
		}
		d.Owner, l.origin["Owner"] = unit, column
	case Rep:
		d.Rep, l.origin["Rep"] = value, column
	default:
		c.putVariable(l, column, f, value)
	}
}

// putVariable is put for fields with a variable part.
func (c *converter) putVariable(l *line, column int, f Field, value string) {
	d := &l.draft
	if f == AnyIdentifier {
		c.anyIdentifier(l, column, value)
	} else if scheme, ok := f.under(identifierOf); ok {
		l.origin[element("Identifiers", len(d.Identifiers))] = column
		d.Identifiers = append(d.Identifiers, customer.Identifier{Scheme: scheme, Value: value})
	} else if name, ok := f.under(attributeOf); ok {
		c.attribute(l, column, name, value)
	} else if dimension, ok := f.under(tagOf); ok {
		c.tag(l, column, dimension, value)
	} else if system, ok := f.under(sourceOf); ok {
		l.origin[element("SourceKeys", len(d.SourceKeys))] = column
		d.SourceKeys = append(d.SourceKeys, customer.SourceKey{System: system, Key: value})
	} else if label, ok := labelled(f, Phone); ok {
		for _, v := range parts(value, ";；、/\n") {
			l.origin[element("Phones", len(d.Phones))] = column
			d.Phones = append(d.Phones, customer.Phone{Label: label, Number: v})
		}
	} else if label, ok := labelled(f, Email); ok {
		for _, v := range parts(value, emailSeparators) {
			l.origin[element("Emails", len(d.Emails))] = column
			d.Emails = append(d.Emails, customer.Email{Label: label, Address: v})
		}
	} else if label, ok := labelled(f, Address); ok {
		l.origin[element("Addresses", len(d.Addresses))] = column
		d.Addresses = append(d.Addresses, customer.Address{Label: label, Text: value})
	}
}

// labelled returns the label of a phone, e-mail or address field.
func labelled(f, of Field) (label string, ok bool) {
	if f == of {
		return "", true
	}
	return f.under(string(of) + ".")
}

const emailSeparators = ";；、, \n"

func element(list string, i int) string { return list + "[" + strconv.Itoa(i) + "]" }

// parts divides a cell that holds several values.
func parts(value, separators string) []string {
	list := strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune(separators, r) })
	for i := range list {
		list[i] = strings.TrimSpace(list[i])
	}
	return slices.DeleteFunc(list, func(s string) bool { return s == "" })
}

// The words for kinds and parties, folded, in the order of the values.
var (
	kinds   = [][]string{{"buyer", "customer", "client", "客户", "买方", "正式客户"}, {"prospect", "lead", "潜在客户", "意向客户", "准客户", "线索"}, {"partner", "合作伙伴", "伙伴", "渠道"}}
	parties = [][]string{{"organisation", "organization", "company", "org", "business", "enterprise", "单位", "企业", "公司", "组织", "法人"}, {"person", "individual", "个人", "自然人", "私人"}}
)

// word takes one of some words for a value.
func (c *converter) word(l *line, column int, f Field, value string, words [][]string, set func(int)) {
	folded := text.Fold(value)
	for i, list := range words {
		if slices.ContainsFunc(list, func(w string) bool { return text.Fold(w) == folded }) {
			set(i)
			return
		}
	}
	var first []string
	for _, list := range words {
		first = append(first, list[0])
	}
	c.reject(l, Fault{Column: column, Field: f, Value: value, Code: string(customer.CodeUnknown), Detail: "is not a known word", Remedy: "one of " + strings.Join(first, ", ")})
}

// countries are names that files use for the countries most customers are in. Others are
// given by their ISO 3166-1 alpha-2 code.
var countries = map[string]string{
	"china": "CN", "中国": "CN", "中华人民共和国": "CN", "prc": "CN", "taiwan": "TW", "台湾": "TW", "中国台湾": "TW", "hongkong": "HK", "香港": "HK", "中国香港": "HK",
	"macao": "MO", "macau": "MO", "澳门": "MO", "usa": "US", "unitedstates": "US", "unitedstatesofamerica": "US", "美国": "US", "japan": "JP", "日本": "JP",
	"germany": "DE", "deutschland": "DE", "德国": "DE", "france": "FR", "法国": "FR", "unitedkingdom": "GB", "uk": "GB", "英国": "GB", "singapore": "SG", "新加坡": "SG",
	"southkorea": "KR", "korea": "KR", "韩国": "KR", "malaysia": "MY", "马来西亚": "MY", "australia": "AU", "澳大利亚": "AU", "canada": "CA", "加拿大": "CA",
}

func countryCode(value string) string {
	if code, ok := countries[strings.ReplaceAll(text.Fold(value), " ", "")]; ok {
		return code
	}
	return strings.ToUpper(value)
}

// place gives the address a part that has a column of its own.
func (c *converter) place(l *line, column int, f Field, value string) {
	i := c.ownAddress(l)
	a := &l.draft.Addresses[i]
	switch f {
	case Province:
		a.Province = value
	case City:
		a.City = value
	case District:
		a.District = value
	case Postcode:
		a.Postcode = value
	}
	if _, known := l.origin[element("Addresses", i)]; !known {
		l.origin[element("Addresses", i)] = column
	}
}

// ownAddress returns the index of the address that parts belong to: the first.
func (c *converter) ownAddress(l *line) int {
	if len(l.draft.Addresses) == 0 {
		l.draft.Addresses = append(l.draft.Addresses, customer.Address{})
	}
	return 0
}

func (c *converter) contact(l *line, column int, f Field, value string) {
	if len(l.draft.Contacts) == 0 {
		l.draft.Contacts = append(l.draft.Contacts, customer.Contact{})
		l.origin[element("Contacts", 0)] = column
	}
	p := &l.draft.Contacts[0]
	switch f {
	case ContactName:
		p.Name = value
	case ContactRole:
		p.Role = value
	case ContactPhone:
		p.Phone = value
	case ContactEmail:
		p.Email = value
	}
}

// anyIdentifier finds the scheme of a number.
func (c *converter) anyIdentifier(l *line, column int, value string) {
	schemes := c.store.Schemes().Guess(value)
	if len(schemes) == 0 {
		c.reject(l, Fault{Column: column, Field: AnyIdentifier, Value: value, Code: string(customer.CodeMalformed), Detail: "is valid in no identifier scheme", Remedy: "check its digits, or map the column to a scheme"})
		return
	}
	l.origin[element("Identifiers", len(l.draft.Identifiers))] = column
	l.draft.Identifiers = append(l.draft.Identifiers, customer.Identifier{Scheme: schemes[0], Value: value})
}

// attribute reads a custom attribute's value as its declaration says.
func (c *converter) attribute(l *line, column int, name, value string) {
	spec, _ := c.schema.Spec(name) // the mapping was checked
	f := Fault{Column: column, Field: Field(attributeOf + name), Value: value, Code: string(customer.CodeMalformed)}
	v, ok := customer.Value{}, true
	switch spec.Type {
	case customer.Number:
		var units int64
		units, ok = parseUnits(value, spec.Decimals)
		v, f.Detail, f.Remedy = customer.NumberValue(units), "is no number", "digits, with at most "+strconv.Itoa(int(spec.Decimals))+" behind the point"
	case customer.Date:
		var day time.Time
		day, ok = parseDay(value)
		v, f.Detail, f.Remedy = customer.DateValue(day), "is no date", "write it as 2006-01-02"
	case customer.Boolean:
		var yes bool
		yes, ok = parseYes(value)
		v, f.Detail, f.Remedy = customer.BooleanValue(yes), "is neither yes nor no", "write yes or no"
	case customer.Enum:
		v = customer.EnumValue(value)
	default:
		v = customer.TextValue(value)
	}
	if !ok {
		c.reject(l, f)
		return
	}
	l.origin["Attributes["+name+"]"] = column
	l.draft.Attributes = append(l.draft.Attributes, customer.Attribute{Name: name, Value: v})
}

// parseUnits reads a decimal number, with or without commas between thousands. A comma
// anywhere else may stand for a decimal point: "12,50" is no number.
func parseUnits(value string, decimals uint8) (int64, bool) {
	value = strings.NewReplacer(" ", "", "¥", "", "￥", "", "$", "").Replace(width.Narrow.String(value))
	negative := strings.HasPrefix(value, "-")
	whole, fraction, _ := strings.Cut(strings.TrimPrefix(value, "-"), ".")
	groups := strings.Split(whole, ",")
	for i, g := range groups {
		last := i == len(groups)-1
		if len(groups) > 1 && (i == 0 && (g == "" || g[0] == '0' || len(g) > 3) || i > 0 && !last && len(g) != 3 && len(g) != 2 || last && len(g) != 3) {
			return 0, false
		}
	}
	whole = strings.Join(groups, "")
	if strings.Trim(whole+fraction, "0123456789") != "" || whole+fraction == "" {
		return 0, false
	}
	if fraction = strings.TrimRight(fraction, "0"); len(fraction) > int(decimals) {
		return 0, false
	}
	n, err := strconv.ParseInt(whole+fraction+strings.Repeat("0", int(decimals)-len(fraction)), 10, 64)
	if err != nil {
		return 0, false
	}
	if negative {
		n = -n
	}
	return n, true
}

// dayLayouts are the ways in which files write dates whose order of parts is beyond doubt.
var dayLayouts = []string{"2006-1-2", "2006/1/2", "2006.1.2", "20060102", "2006年1月2日", "2 Jan 2006", "2-Jan-2006", "Jan 2, 2006", "January 2, 2006", "2 January 2006",
	time.DateTime, "2006-1-2 15:04", "2006/1/2 15:04:05", "2006/1/2 15:04", "2006-01-02T15:04:05"}

func parseDay(value string) (time.Time, bool) {
	for _, layout := range dayLayouts {
		if t, err := time.Parse(layout, value); err == nil {
			return t.Truncate(24 * time.Hour), true
		}
	}
	return time.Time{}, false
}

func parseYes(value string) (yes, ok bool) {
	switch strings.ToLower(value) {
	case "true", "yes", "y", "1", "是", "√", "对", "有", "真":
		return true, true
	case "false", "no", "n", "0", "否", "×", "错", "无", "假":
		return false, true
	}
	return false, false
}

// tag takes tags by code or name; several are divided by semicolons.
func (c *converter) tag(l *line, column int, dimension, value string) {
	for _, v := range parts(value, ";；、\n") {
		code, known := c.tagCodes[dimension][text.Fold(v)]
		if !known {
			c.reject(l, Fault{Column: column, Field: Field(tagOf + dimension), Value: v, Code: string(customer.CodeUnknown), Detail: "is no tag of the dimension", Remedy: "create the tag first, or correct the value"})
			continue
		}
		l.tags = append(l.tags, tagValue{dimension, code, column})
	}
}

// reject refuses the row for a value, or moves the value to the note.
func (c *converter) reject(l *line, f Fault) {
	if !c.toNote {
		l.refuse(f)
		return
	}
	f.Kept = true
	l.note(f)
	l.draft.Note = strings.TrimPrefix(l.draft.Note+"\n"+c.heading(f.Column)+": "+f.Value, "\n")
}

func (c *converter) heading(column int) string {
	for _, m := range c.mapping.Columns {
		if m.Column == column && m.Heading != "" {
			return m.Heading
		}
	}
	return "column " + strconv.Itoa(column)
}

// finish checks the draft as the book would, and once more without what it refuses if
// that goes to the note.
func (c *converter) finish(l *line) {
	c.joinAddress(l)
	defer c.name(l)
	c.refuseTotal(l)
	if l.refused {
		return
	}
	checked, err := c.check(l)
	var invalid *customer.ValidationError
	if !errors.As(err, &invalid) {
		l.checked = checked
		return
	}
	c.explain(l, invalid)
	if l.refused {
		return
	}
	if l.checked, err = c.check(l); errors.As(err, &invalid) {
		c.toRefusals(l, invalid)
	}
}

// check is what the book says of a draft. A row that changes customers needs not have what
// customers must have.
func (c *converter) check(l *line) (*customer.Customer, error) {
	if !c.partial {
		return c.store.Check(l.draft, c.schema)
	}
	draft, schema := l.draft, *c.schema
	draft.Name, schema.Required = unnamed, nil
	checked, err := c.store.Check(draft, &schema)
	if checked != nil {
		checked.Name = ""
	}
	return checked, err
}

// unnamed stands for the name of a customer while a row without one is checked.
const unnamed = "x"

// joinAddress completes an address from the columns of its parts.
func (c *converter) joinAddress(l *line) {
	if len(l.draft.Addresses) == 0 {
		return
	}
	a := &l.draft.Addresses[0]
	before := ""
	for _, part := range []string{a.Province, a.City, a.District} {
		if part != "" && !strings.Contains(a.Text, part) && !strings.Contains(before, part) {
			before += part
		}
	}
	if a.Text = before + a.Text; a.Text == "" && a.Postcode != "" {
		a.Text = a.Postcode
	}
	if before != "" || a.Province != "" || a.City != "" {
		a.Province, a.City, a.District = "", "", "" // recognised from the text, in official names
	}
}

// explain turns what the book refuses into faults of cells.
func (c *converter) explain(l *line, invalid *customer.ValidationError) {
	if !c.toNote {
		c.toRefusals(l, invalid)
		return
	}
	drop := map[string]bool{}
	for _, p := range invalid.Problems {
		part, column := l.part(p.Field)
		f := c.fault(l, p, column)
		if p.Code == customer.CodeRequired || column == 0 || part == "Name" || part == "Code" {
			l.refuse(f)
			continue
		}
		drop[part] = true
		c.reject(l, f)
	}
	l.drop(drop)
}

func (c *converter) toRefusals(l *line, invalid *customer.ValidationError) {
	for _, p := range invalid.Problems {
		_, column := l.part(p.Field)
		l.refuse(c.fault(l, p, column))
	}
}

// fault is a problem of the draft as one of the file. Its value is the cell's, unless that
// is a number which messages don't show whole.
func (c *converter) fault(l *line, p customer.Problem, column int) Fault {
	f := Fault{Column: column, Field: c.fieldOf(column), Value: p.Value, Code: string(p.Code), Detail: p.Reason, Remedy: p.Remedy}
	if column == 0 && p.Field == "Name" { // name finds the column of the empty cell
		f.Field = Name
	}
	if i := slices.Index(l.columns, column); i >= 0 && !c.sensitive(f.Field) {
		f.Value = l.values[i]
	}
	return f
}

func (c *converter) sensitive(f Field) bool {
	name, ok := f.under(identifierOf)
	scheme, known := c.store.Schemes().Scheme(name)
	return f == AnyIdentifier || ok && known && scheme.Sensitive
}

func (c *converter) fieldOf(column int) Field {
	if column < 1 || column > len(c.byColumn) {
		return ""
	}
	return c.byColumn[column-1].Field
}

// part returns the part of the draft that a problem's field names, and its column.
func (l *line) part(field string) (part string, column int) {
	part = field
	if i := strings.IndexByte(field, ']'); i >= 0 {
		part = field[:i+1]
	} else if i := strings.IndexByte(field, '.'); i >= 0 {
		part = field[:i]
	}
	return part, l.origin[part]
}

// drop takes parts out of the draft.
func (l *line) drop(parts map[string]bool) {
	d := &l.draft
	if parts["Website"] {
		d.Website = ""
	}
	if parts["Country"] {
		d.Country = ""
	}
	if parts["Rep"] {
		d.Rep = ""
	}
	d.Aliases = without(d.Aliases, "Aliases", parts)
	d.Identifiers = without(d.Identifiers, "Identifiers", parts)
	d.Phones = without(d.Phones, "Phones", parts)
	d.Emails = without(d.Emails, "Emails", parts)
	d.Addresses = without(d.Addresses, "Addresses", parts)
	d.Contacts = without(d.Contacts, "Contacts", parts)
	d.SourceKeys = without(d.SourceKeys, "SourceKeys", parts)
	d.Attributes = slices.DeleteFunc(d.Attributes, func(a customer.Attribute) bool { return parts["Attributes["+a.Name+"]"] })
}

func without[T any](list []T, name string, parts map[string]bool) []T {
	var kept []T
	for i, x := range list {
		if !parts[element(name, i)] {
			kept = append(kept, x)
		}
	}
	return kept
}

// name gives the faults their columns' headings.
func (c *converter) name(l *line) {
	for i := range l.faults {
		f := &l.faults[i]
		for _, m := range c.mapping.Columns {
			if f.Column == 0 && f.Field != "" && m.Field == f.Field { // of an empty cell
				f.Column = m.Column
			}
			if m.Column == f.Column {
				f.Heading = m.Heading
			}
		}
	}
}
