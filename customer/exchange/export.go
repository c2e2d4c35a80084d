package exchange

import (
	"context"
	"errors"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/language"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/customer/exchange/tabular"
	"github.com/clientele-go/clientele/tagging"
)

// Export says which customers are written to a file, and how. The zero Export writes all
// active and suspended customers with the usual columns as CSV in UTF-8.
type Export struct {
	Query   tagging.Query // whom; the zero Query is everybody
	Fields  []Field       // the columns; empty is DefaultFields
	Format  tabular.Format
	Options tabular.WriteOptions // Columns are filled in
	// Headings is the language of the headings, English or Chinese; FieldHeadings heads
	// columns by the fields' names, which every import understands.
	Headings      language.Tag
	FieldHeadings bool
	// Sort orders rows by a field, as readers of Language expect: by pinyin in Chinese.
	// Empty is the order of creation, which is fastest.
	Sort     Field
	Language language.Tag // of the order; undetermined is Chinese
	// Memory bounds what sorting holds in memory, in bytes; more goes to temporary files.
	// 0 is 64 MiB.
	Memory   int
	Progress func(rows int) // called now and then
}

// DefaultFields are the columns of an Export that names none: everything of customers
// that one column each can show, with the book's custom attributes and dimensions.
func (r *Reader) DefaultFields() ([]Field, error) {
	list := []Field{
		Code, Name, Alias, PartyOf, KindOf, StatusOf, Country, "identifier.cn.uscc", "identifier.cn.resident", "identifier.tw.ubn",
		Phone, "phone.mobile", "phone.office", "phone.fax", Email, Address, ContactName, ContactRole, ContactPhone, ContactEmail,
		Website, Owner, Rep, Note,
	}
	all, err := r.Fields()
	for _, f := range all {
		_, attribute := f.Field.under(attributeOf)
		_, tag := f.Field.under(tagOf)
		if attribute || tag {
			list = append(list, f.Field)
		}
	}
	return list, err
}

// exportEvery is the number of rows between two calls of Progress and looks at the context.
const exportEvery = 5000

// Export writes customers to a file, as one state of the book has them and as the actor
// may see them: hidden values are empty, and who may not be taken out of the book is left
// out. It returns the number of rows. Memory is bounded. In delimited files texts that a
// spreadsheet would run as formulas are escaped, which imports take back.
func (s Session) Export(ctx context.Context, w io.Writer, e Export) (n int, err error) {
	err = s.view(ctx, func(r *Reader) error {
		n, err = s.export(ctx, r, w, e)
		return err
	})
	return n, err
}

func (s Session) export(ctx context.Context, r *Reader, w io.Writer, e Export) (n int, err error) {
	if err := r.Customers.PermitAll(customer.RightExport, customer.Identity); err != nil {
		return 0, err
	}
	x := &exporter{reader: r, export: &e}
	if err := x.prepare(); err != nil {
		return 0, err
	}
	to, err := create(e.Format, w, e.Options)
	if err != nil {
		return 0, err
	}
	defer func() { err = to.end(err) }()
	cells := make([]tabular.Cell, len(x.columns))
	for c, err := range x.customers() {
		if err != nil {
			return n, err
		}
		for i, column := range x.columns {
			if cells[i], err = column(c); err != nil {
				return n, err
			}
		}
		if err := to.Write(cells); err != nil {
			return n, err
		}
		if n++; n%exportEvery == 0 {
			if err := ctx.Err(); err != nil {
				return n, err
			}
			if e.Progress != nil {
				e.Progress(n)
			}
		}
	}
	return n, nil
}

// output is a file that is written, of which nothing more reaches its destination once it
// was given up: what was begun never looks complete.
type output struct {
	tabular.Writer
	to *stoppable
}

// stoppable is a destination that can be made to fail.
type stoppable struct {
	io.Writer
	err error
}

func (s *stoppable) Write(p []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	return s.Writer.Write(p)
}

func create(f tabular.Format, w io.Writer, o tabular.WriteOptions) (*output, error) {
	to := &stoppable{Writer: w}
	file, err := f.Create(to, o)
	if err != nil {
		return nil, err
	}
	return &output{file, to}, nil
}

// end completes the file, or gives it up after an error, which it returns.
func (o *output) end(err error) error {
	if err == nil {
		return o.Close()
	}
	o.to.err = err
	_ = o.Close() // which frees what it holds and can't write
	return err
}

// exporter makes rows of customers.
type exporter struct {
	reader  *Reader
	export  *Export
	columns []column
	labels  map[Field]map[string]bool // that have columns of their own, of phones, e-mails, addresses
	tags    map[tagging.TagID]*tagging.Tag
	tagged  *tagging.Tagged // of the customer that was asked for last
}

// column gives a customer's cell.
type column func(*customer.Customer) (tabular.Cell, error)

func (x *exporter) prepare() error {
	e := x.export
	if e.Format == nil {
		e.Format = tabular.CSV{}
	}
	if len(e.Fields) == 0 {
		var err error
		if e.Fields, err = x.reader.DefaultFields(); err != nil {
			return err
		}
	}
	specs, err := x.reader.Fields()
	if err != nil {
		return err
	}
	x.findLabels()
	e.Options.Columns = nil
	for i, f := range e.Fields {
		if f != StatusOf && !importable(f, specs) {
			return &MappingError{Column: i + 1, Field: f, Reason: "the book has no such field; Fields lists them"}
		}
		column, kind, err := x.column(f)
		if err != nil {
			return err
		}
		x.columns = append(x.columns, column)
		e.Options.Columns = append(e.Options.Columns, tabular.Column{Heading: x.heading(f, specs), Kind: kind})
	}
	return nil
}

func (x *exporter) heading(f Field, specs []FieldSpec) string {
	i := slices.IndexFunc(specs, func(s FieldSpec) bool { return s.Field == f })
	if i < 0 || x.export.FieldHeadings || len(specs[i].Names) == 0 {
		return string(f)
	}
	return specs[i].Names.In(x.export.Headings)
}

// findLabels learns which labels have columns of their own: the column without a label
// has all the others.
func (x *exporter) findLabels() {
	x.labels = map[Field]map[string]bool{Phone: {}, Email: {}, Address: {}}
	for _, f := range x.export.Fields {
		for of, own := range x.labels {
			if label, ok := labelled(f, of); ok && label != "" && !slices.Contains(addressParts, f) {
				own[label] = true
			}
		}
	}
}

var addressParts = []Field{Province, City, District, Postcode}

// column returns how a field's cells are made, and of which kind they are.
func (x *exporter) column(f Field) (column, tabular.Kind, error) {
	text := func(of func(*customer.Customer) string) (column, tabular.Kind, error) {
		return func(c *customer.Customer) (tabular.Cell, error) { return tabular.Cell{Text: of(c)}, nil }, tabular.Text, nil
	}
	switch f {
	case Code:
		return text(func(c *customer.Customer) string { return c.Code })
	case Name:
		return text(func(c *customer.Customer) string { return c.Name })
	case Alias:
		return text(func(c *customer.Customer) string { return strings.Join(c.Aliases, "; ") })
	case KindOf:
		return text(func(c *customer.Customer) string { return c.Kind.String() })
	case PartyOf:
		return text(func(c *customer.Customer) string { return c.Party.String() })
	case StatusOf:
		return text(func(c *customer.Customer) string { return c.Status.String() })
	case Country:
		return text(func(c *customer.Customer) string { return c.Country })
	case Website:
		return text(func(c *customer.Customer) string { return c.Website })
	case Note:
		return text(func(c *customer.Customer) string { return c.Note })
	case Rep:
		return text(func(c *customer.Customer) string { return c.Rep })
	case Owner:
		return x.owner()
	case Province, City, District, Postcode:
		return text(func(c *customer.Customer) string { return addressPart(c, f) })
	case ContactName, ContactRole, ContactPhone, ContactEmail:
		return text(func(c *customer.Customer) string { return contactPart(c, f) })
	case AnyIdentifier:
		return text(func(c *customer.Customer) string {
			return joined(c.Identifiers, func(i customer.Identifier) (string, bool) { return i.Value, true })
		})
	}
	return x.variable(f, text)
}

// variable is column for fields with a variable part.
func (x *exporter) variable(f Field, text func(func(*customer.Customer) string) (column, tabular.Kind, error)) (column, tabular.Kind, error) {
	if scheme, ok := f.under(identifierOf); ok {
		return text(func(c *customer.Customer) string {
			return joined(c.Identifiers, func(i customer.Identifier) (string, bool) { return i.Value, i.Scheme == scheme })
		})
	}
	if system, ok := f.under(sourceOf); ok {
		return text(func(c *customer.Customer) string {
			return joined(c.SourceKeys, func(k customer.SourceKey) (string, bool) { return k.Key, k.System == system })
		})
	}
	if name, ok := f.under(attributeOf); ok {
		return x.attribute(name)
	}
	if dimension, ok := f.under(tagOf); ok {
		return x.tag(dimension)
	}
	if label, ok := labelled(f, Phone); ok {
		return text(func(c *customer.Customer) string {
			return joined(c.Phones, func(p customer.Phone) (string, bool) { return p.Number, x.has(Phone, label, p.Label) })
		})
	}
	if label, ok := labelled(f, Email); ok {
		return text(func(c *customer.Customer) string {
			return joined(c.Emails, func(m customer.Email) (string, bool) { return m.Address, x.has(Email, label, m.Label) })
		})
	}
	label, _ := labelled(f, Address)
	return text(func(c *customer.Customer) string {
		for _, a := range c.Addresses { // a cell has one address: commas and line ends are part of it
			if x.has(Address, label, a.Label) {
				return a.Text
			}
		}
		return ""
	})
}

// has reports whether a column with a label, or none, has what has a label.
func (x *exporter) has(of Field, column, label string) bool {
	if column != "" {
		return column == label
	}
	return !x.labels[of][label]
}

func joined[T any](list []T, of func(T) (string, bool)) string {
	var b strings.Builder
	for _, x := range list {
		if s, ok := of(x); ok {
			if b.Len() > 0 {
				b.WriteString("; ")
			}
			b.WriteString(s)
		}
	}
	return b.String()
}

func addressPart(c *customer.Customer, f Field) string {
	if len(c.Addresses) == 0 {
		return ""
	}
	a := &c.Addresses[0]
	switch f {
	case Province:
		return a.Province
	case City:
		return a.City
	case District:
		return a.District
	}
	return a.Postcode
}

func contactPart(c *customer.Customer, f Field) string {
	if len(c.Contacts) == 0 {
		return ""
	}
	p := &c.Contacts[0]
	switch f {
	case ContactName:
		return p.Name
	case ContactRole:
		return p.Role
	case ContactPhone:
		return p.Phone
	}
	return p.Email
}

// owner shows units by their codes.
func (x *exporter) owner() (column, tabular.Kind, error) {
	tree, err := x.reader.Org.Tree()
	if err != nil {
		return nil, 0, err
	}
	return func(c *customer.Customer) (tabular.Cell, error) {
		if c.Owner == 0 {
			return tabular.Cell{}, nil
		}
		u, known := tree.Unit(tree.Resolve(c.Owner))
		if !known {
			return tabular.Cell{Text: strconv.FormatUint(uint64(c.Owner), 10)}, nil
		}
		return tabular.Cell{Text: u.Code}, nil
	}, tabular.Text, nil
}

func (x *exporter) attribute(name string) (column, tabular.Kind, error) {
	schema, err := x.reader.Customers.Schema()
	if err != nil {
		return nil, 0, err
	}
	spec, _ := schema.Spec(name)
	kind := map[customer.Type]tabular.Kind{customer.Number: tabular.Number, customer.Date: tabular.Date, customer.Boolean: tabular.Bool}[spec.Type]
	return func(c *customer.Customer) (tabular.Cell, error) {
		v, has := c.Attribute(name)
		if !has {
			return tabular.Cell{}, nil
		}
		cell := tabular.Cell{Kind: kind}
		switch spec.Type {
		case customer.Number:
			cell.Text = decimal(v.Units(), spec.Decimals)
		case customer.Date:
			cell.Text = v.Time().Format("2006-01-02")
		case customer.Boolean:
			cell.Text = strconv.FormatBool(v.Bool())
		default:
			cell.Text = v.Text()
		}
		return cell, nil
	}, kind, nil
}

// decimal writes a number of units of 10 to the minus decimals.
func decimal(units int64, decimals uint8) string {
	if decimals == 0 {
		return strconv.FormatInt(units, 10)
	}
	digits := strconv.FormatUint(magnitude(units), 10)
	if missing := int(decimals) + 1 - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	point := len(digits) - int(decimals)
	sign := ""
	if units < 0 {
		sign = "-"
	}
	return sign + digits[:point] + "." + digits[point:]
}

func magnitude(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}

// tag shows a customer's tags of a dimension by their codes.
func (x *exporter) tag(dimension string) (column, tabular.Kind, error) {
	d, err := x.reader.Tags.Dimension(dimension)
	if err != nil {
		return nil, 0, err
	}
	if x.tags == nil {
		x.tags = map[tagging.TagID]*tagging.Tag{}
	}
	return func(c *customer.Customer) (tabular.Cell, error) {
		if x.tagged == nil || x.tagged.ID != c.ID {
			if x.tagged, err = x.reader.Tags.Of(c.ID); err != nil {
				return tabular.Cell{}, err
			}
		}
		var codes []string
		for _, a := range x.tagged.Assignments {
			if a.Dimension != d.ID || !x.tagged.Has(a.Tag) {
				continue
			}
			t, known := x.tags[a.Tag]
			if !known {
				if t, err = x.reader.Tags.TagByID(a.Tag); err != nil {
					return tabular.Cell{}, err
				}
				x.tags[a.Tag] = t
			}
			codes = append(codes, t.Code)
		}
		return tabular.Cell{Text: strings.Join(codes, "; ")}, nil
	}, tabular.Text, nil
}

// customers yields who is exported, in order.
func (x *exporter) customers() iter.Seq2[*customer.Customer, error] {
	if x.export.Sort != "" {
		return x.sorted()
	}
	return x.selected()
}

// selected yields who is exported, in the order of creation.
func (x *exporter) selected() iter.Seq2[*customer.Customer, error] {
	r := x.reader
	permitted := func(c *customer.Customer) bool {
		return r.Customers.Access() == nil || r.Customers.Permit(customer.RightExport, customer.Identity, c.ID) == nil
	}
	return func(yield func(*customer.Customer, error) bool) {
		for c, err := range x.matching() {
			if err == nil && !permitted(c) {
				continue
			}
			if !yield(c, err) || err != nil {
				return
			}
		}
	}
}

// matching yields whom the query matches, in the order of creation.
func (x *exporter) matching() iter.Seq2[*customer.Customer, error] {
	r, q := x.reader, x.export.Query
	if q.Filter == "" && q.Expr == nil {
		return r.Customers.List(customer.List{Statuses: q.Statuses})
	}
	return func(yield func(*customer.Customer, error) bool) {
		for id, err := range r.Tags.IDs(q, 0) {
			var c *customer.Customer
			if err == nil {
				c, err = r.Customers.Get(id)
			}
			if !yield(c, err) {
				return
			}
		}
	}
}

// sorted yields who is exported in the order of a field.
func (x *exporter) sorted() iter.Seq2[*customer.Customer, error] {
	return func(yield func(*customer.Customer, error) bool) {
		s := newReaders(x.export.Language, x.export.Memory)
		goOn, err := x.sort(s, yield)
		if err = errors.Join(err, s.close()); err != nil && goOn {
			yield(nil, err)
		}
	}
}

// sort yields through a sorter. goOn is false once the loop was left.
func (x *exporter) sort(s *readers, yield func(*customer.Customer, error) bool) (goOn bool, err error) {
	of, _, err := x.column(x.export.Sort)
	if err != nil {
		return true, err
	}
	for c, err := range x.selected() {
		if err != nil {
			return true, err
		}
		cell, err := of(c)
		if err != nil {
			return true, err
		}
		if err := s.addText(cell.Text, c.ID); err != nil {
			return true, err
		}
	}
	for entry, err := range s.all() {
		if err != nil {
			return true, err
		}
		c, err := x.reader.Customers.Get(customer.ID(entry.number))
		if err != nil {
			return true, err
		}
		if !yield(c, nil) {
			return false, nil
		}
	}
	return true, nil
}
