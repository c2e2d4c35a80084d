package exchange

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/customer/exchange/tabular"
	"github.com/clientele-go/clientele/customer/identifier"
	"github.com/clientele-go/clientele/internal/text"
	"github.com/clientele-go/clientele/orgtree"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/tagging"
)

// Session is an actor's way to bring lists into a book and take them out. The root
// package's Session.Exchange returns one. It is safe for concurrent use.
type Session struct {
	Storage   *storage.Store
	Customers *customer.Store
	Imports   *Store
	Actor     storage.Session
	// Access is what the actor may see and do, for bulk loads; nil is everything.
	Access customer.AccessAt
	// Read and Begin narrow a state, or a transaction, to the actor.
	Read  func(*storage.Reader) (*Reader, error)
	Begin func(*storage.Tx) (*Tx, error)
	// Single says that customers must be created one by one in transactions, as where
	// quotas must be counted. Otherwise many at once are loaded, five times faster.
	Single func(*Reader) (bool, error)
	// Twin finds a customer that a new one very likely duplicates although nothing that
	// is unique tells so; ErrNotFound if there is none. Nil compares names, phones and
	// e-mails that are equal once normalised; see [Twin].
	Twin func(*Reader, *customer.Customer) (customer.ID, error)
	// InUse tells why what an import brought can't be taken back, beyond changes of the
	// customer's own record.
	InUse []func(r *Reader, id customer.ID) (reason string, err error)
	// Explain makes a fault of another package's error that is about a row's values: a
	// quota that is full, a document of a closed period. Of its Fault, Field names the cell.
	Explain func(error) (Fault, bool)
	// Country is where phones and addresses without a country are, as in the book's
	// options; empty is CN.
	Country string
	// Currency is that of amounts that name none; zero is CNY.
	Currency money.Currency
}

// Reader is what imports and exports read of one state of a book.
type Reader struct {
	Customers *customer.Reader
	Tags      *tagging.Reader
	Org       *orgtree.Reader
	Items     DocumentReader // nil in a book without receivables
	Storage   *storage.Reader

	schemes *identifier.Set
}

// Tx is what imports do within a transaction.
type Tx struct {
	Reader
	Customers *customer.Tx
	Tags      *tagging.Tx
	Org       *orgtree.Tx
	Items     Documents
	Storage   *storage.Tx
	// Confirm says that what is created from now on is no duplicate; it may be nil.
	Confirm func()
	// Flag puts a new customer and the one that it may duplicate in the queue for review; it
	// may be nil.
	Flag func(added, twin customer.ID) error
}

func (s Session) view(ctx context.Context, f func(*Reader) error) error {
	return s.Storage.View(ctx, func(r *storage.Reader) error {
		reader, err := s.Read(r)
		if err != nil {
			return err
		}
		reader.schemes = s.Customers.Schemes()
		return f(reader)
	})
}

func (s Session) update(ctx context.Context, f func(*Tx) error) error {
	_, err := s.Storage.Update(ctx, s.Actor, func(tx *storage.Tx) error {
		t, err := s.Begin(tx)
		if err != nil {
			return err
		}
		t.schemes = s.Customers.Schemes()
		t.Reader.Customers, t.Reader.Tags, t.Reader.Org, t.Reader.Storage = &t.Customers.Reader, &t.Tags.Reader, &t.Org.Reader, &t.Storage.Reader
		t.Reader.Items = t.Items
		return f(t)
	})
	return err
}

// dimensions are those that tags can be imported and exported of.
func (r *Reader) dimensions() ([]*tagging.Dimension, error) {
	list, err := r.Tags.Dimensions()
	return slices.DeleteFunc(list, func(d *tagging.Dimension) bool { return d.Retired }), err
}

// Fields returns what the columns of a file may hold; see [Reader.Fields].
func (s Session) Fields(ctx context.Context) (list []FieldSpec, err error) {
	err = s.view(ctx, func(r *Reader) error {
		list, err = r.Fields()
		return err
	})
	return list, err
}

// FieldsOf returns what the columns of a file of a subject may hold; see [Reader.FieldsOf].
func (s Session) FieldsOf(ctx context.Context, subject Subject) (list []FieldSpec, err error) {
	err = s.view(ctx, func(r *Reader) error {
		list, err = r.FieldsOf(subject)
		return err
	})
	return list, err
}

// Inspection is what was recognised of a file, before anything is imported.
type Inspection struct {
	Format  tabular.Format
	Shape   *tabular.Shape
	Mapping *Mapping // a guess, with its confidence by column
	Columns []Sampled
	Titles  []string // of the rows before the headings
	Rows    int      // that were looked at
}

// Sampled is what the first rows hold in a column.
type Sampled struct {
	Column
	Samples []string // up to three different values
	Filled  float64  // share of the rows that have a value
	Kinds   []tabular.Kind
}

// inspectedRows is how many rows Inspect reads.
const inspectedRows = 500

// Inspect recognises a file's format, encoding and headings, and guesses what its columns
// hold, of rows that are customers. It reads the first 500 rows, or as many of longer ones
// as 24 MiB have. formats are those to choose from, if not all.
func (s Session) Inspect(ctx context.Context, f *tabular.File, o tabular.Options, formats ...tabular.Format) (*Inspection, error) {
	return s.InspectAs(ctx, Customers, f, o, formats...)
}

// InspectAs is Inspect of a file whose rows are something else.
func (s Session) InspectAs(ctx context.Context, subject Subject, f *tabular.File, o tabular.Options, formats ...tabular.Format) (*Inspection, error) {
	format, err := tabular.Find(f, formats...)
	if err != nil {
		return nil, err
	}
	shape, err := format.Inspect(ctx, f, o)
	if err != nil {
		return nil, err
	}
	recognised := shape.Options()
	recognised.Limits = o.Limits
	var taken sample
	var unreadable *tabular.Error
	bytes := 0
	for row, err := range format.Read(ctx, f, recognised) {
		if err != nil {
			return nil, err
		}
		if unreadable == nil {
			unreadable = row.Err
		}
		if row.Blank() || row.Err != nil {
			continue
		}
		kept, size := keptRow(row)
		bytes += size
		if taken.rows = append(taken.rows, kept); len(taken.rows) == inspectedRows || bytes > windowBytes {
			break
		}
	}
	if len(taken.rows) == 0 && unreadable != nil {
		return nil, unreadable
	}
	if len(taken.rows) == 0 {
		return nil, &tabular.Error{File: f.Name, Code: tabular.Empty, Err: tabular.ErrFormat}
	}
	var fields []FieldSpec
	if fields, err = s.FieldsOf(ctx, subject); err != nil {
		return nil, err
	}
	g := newGuesser(fields, s.Customers.Schemes().Guess)
	g.country, g.customers = cmp.Or(s.Country, "CN"), subject == Customers
	in := g.inspect(format, shape, taken)
	in.Mapping.Subject = subject
	return in, nil
}

func (g *guesser) inspect(format tabular.Format, shape *tabular.Shape, taken sample) *Inspection {
	first, rows, headings := g.header(taken)
	in := &Inspection{Format: format, Shape: shape, Rows: len(taken.rows)}
	m := &Mapping{Format: shape.Format, Encoding: shape.Encoding, Sheet: shape.Sheet, HeaderRow: first, HeaderRows: rows}
	if shape.Delimiter != 0 {
		m.Delimiter = string(shape.Delimiter)
	}
	var body []tabular.Row
	for _, row := range taken.rows {
		switch {
		case row.Number < first:
			in.Titles = append(in.Titles, row.Cells[0].Text)
		case row.Number >= m.firstRow():
			body = append(body, row)
		}
	}
	m.Columns = g.columns(headings, body)
	in.Mapping = m
	for i, c := range m.Columns {
		in.Columns = append(in.Columns, sampled(c, body, i))
	}
	return in
}

func sampled(c Column, rows []tabular.Row, i int) Sampled {
	s := Sampled{Column: c}
	filled := 0
	for _, row := range rows {
		if i >= len(row.Cells) || strings.TrimSpace(row.Cells[i].Text) == "" {
			continue
		}
		filled++
		cell := row.Cells[i]
		if len(s.Samples) < 3 && !slices.Contains(s.Samples, excerpt(cell.Text)) {
			s.Samples = append(s.Samples, excerpt(cell.Text))
		}
		if !slices.Contains(s.Kinds, cell.Kind) {
			s.Kinds = append(s.Kinds, cell.Kind)
		}
	}
	s.Filled = float64(filled) / float64(max(len(rows), 1))
	return s
}

// converter prepares the conversion of rows, which reads nothing.
func (s Session) converter(ctx context.Context, im *Import, m *Mapping) (*converter, error) {
	c := &converter{mapping: m, store: s.Customers, toNote: im.ToNote}
	c.currency = cmp.Or(im.Currency, s.Currency, money.CNY)
	if !im.Day.IsZero() {
		c.day = date.Of(im.Day)
	}
	var err error
	if c.entries, err = m.Subject.entries(); err != nil {
		return nil, err
	}
	c.partial = c.entries == nil && !m.has(Name)
	return c, s.view(ctx, func(r *Reader) error {
		fields, err := r.FieldsOf(m.Subject)
		if err == nil {
			err = m.check(fields)
		}
		if _, documents := c.entries.(documentRows); err == nil && documents && r.Items == nil {
			err = &MappingError{Reason: "the book keeps no receivables"}
		}
		if err == nil {
			c.byColumn = m.byColumn()
			c.schema, err = r.Customers.Schema()
		}
		if err == nil && c.entries == nil && m.has(Owner) {
			c.units, err = r.units()
		}
		if err == nil {
			c.tagCodes, err = r.tagCodes(m)
		}
		return err
	})
}

// units returns the open units by folded code and name. A name that several have leads
// to none.
func (r *Reader) units() (map[string]customer.UnitID, error) {
	tree, err := r.Org.Tree()
	if err != nil {
		return nil, err
	}
	byText, twice := map[string]customer.UnitID{}, map[string]bool{}
	put := func(s string, id customer.UnitID) {
		key := text.Fold(s)
		if known, taken := byText[key]; taken && known != id {
			twice[key] = true
		}
		byText[key] = id
	}
	units, err := r.Org.Units(tree.At())
	if err != nil {
		return nil, err
	}
	for _, u := range units {
		for _, name := range u.Names {
			put(name, u.ID)
		}
	}
	for key := range twice {
		delete(byText, key)
	}
	for _, u := range units {
		byText[text.Fold(u.Code)] = u.ID
	}
	return byText, nil
}

// tagCodes returns the code of each tag by dimension and folded code, name or alias, of
// the dimensions that a mapping has.
func (r *Reader) tagCodes(m *Mapping) (map[string]map[string]string, error) {
	all := map[string]map[string]string{}
	for _, f := range m.mapped() {
		dimension, ok := f.under(tagOf)
		if !ok {
			continue
		}
		tags, err := r.Tags.Tags(dimension)
		if err != nil {
			return nil, err
		}
		byText := map[string]string{}
		for _, t := range tags {
			for _, name := range t.Names {
				byText[text.Fold(name)] = t.Code
			}
			for _, alias := range t.Aliases {
				byText[text.Fold(alias)] = t.Code
			}
		}
		for _, t := range tags {
			byText[text.Fold(t.Code)] = t.Code
		}
		all[dimension] = byText
	}
	return all, nil
}

// Twin returns another customer with the same name, but for script, case, spaces and
// legal form, that shares a phone or an e-mail with a customer, or is an organisation of
// which neither has an identifier that the other contradicts; ErrNotFound if there is
// none. It is what a Session without Twin uses. It reads at most fifty customers for each
// phone, e-mail and name, so that common names of people don't make it slow.
func Twin(r *Reader, c *customer.Customer) (customer.ID, error) {
	person := c.Party != customer.Organisation
	crowded := false // whether one of the phones or e-mails is that of many
	among := func(list iter.Seq2[*customer.Customer, error], same func(*customer.Customer) bool) (customer.ID, error) {
		n := 0
		for other, err := range list {
			if err != nil {
				return 0, err
			}
			if n++; n > maxAlike {
				crowded = true
				return 0, nil
			}
			if other.ID != c.ID && other.Party == c.Party && same(other) && !contradict(c, other) {
				return other.ID, nil
			}
		}
		return 0, nil
	}
	core := coreName(c.Name)
	sameName := func(other *customer.Customer) bool { return coreName(other.Name) == core }
	for _, p := range c.Phones {
		if p.E164 == "" {
			continue
		}
		if id, err := among(r.Customers.ByPhone(p.E164), sameName); err != nil || id != 0 {
			return id, err
		}
	}
	for _, e := range c.Emails {
		if id, err := among(r.Customers.ByEmail(e.Address), sameName); err != nil || id != 0 {
			return id, err
		}
	}
	if !person || crowded {
		if id, err := among(r.Customers.ByName(c.Name), func(other *customer.Customer) bool { return !person || agree(c, other) }); err != nil || id != 0 {
			return id, err
		}
	}
	return 0, fmt.Errorf("exchange: twin: %w", customer.ErrNotFound)
}

// maxAlike is how many customers with one name, phone or e-mail are compared: a
// switchboard's number says nothing.
const maxAlike = 50

// coreName is a name without its legal form.
func coreName(name string) string {
	core, _ := text.LegalForm(name)
	return text.Fold(core)
}

// contradict reports whether both have an identifier of one scheme, and different ones.
func contradict(a, b *customer.Customer) bool {
	for _, x := range a.Identifiers {
		for _, y := range b.Identifiers {
			if x.Scheme == y.Scheme && x.Value != y.Value {
				return true
			}
		}
	}
	return false
}

// agree reports whether both have a phone or an e-mail.
func agree(a, b *customer.Customer) bool {
	for _, x := range a.Phones {
		if x.E164 != "" && slices.ContainsFunc(b.Phones, func(y customer.Phone) bool { return y.E164 == x.E164 }) {
			return true
		}
	}
	for _, x := range a.Emails {
		if slices.ContainsFunc(b.Emails, func(y customer.Email) bool { return strings.EqualFold(x.Address, y.Address) }) {
			return true
		}
	}
	return false
}

// isNotFound reports that something isn't there, or that the actor may not see it.
func isNotFound(err error) bool { return errors.Is(err, customer.ErrNotFound) }
