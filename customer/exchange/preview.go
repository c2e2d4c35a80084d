package exchange

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/customer/exchange/tabular"
)

// Preview is what cleaning a file before its import would have to do with. Counts are
// exact; samples are the first in the file.
type Preview struct {
	Mapping *Mapping // by which the file was read
	Rows    int      // with a text in some cell
	Faulty  int      // of them, those with a cell that the book refuses
	Columns []ColumnPreview
	Repeats Repeats
	Invalid Findings // numbers that aren't valid identifiers
	Unfit   Findings // what else the book refuses
	Empty   Findings // rows, with or without texts, that have nothing in a mapped column
	Tests   Findings // records that look as if they had been typed to try something out
}

// ColumnPreview tells how a mapped column's values are normalised. A value is counted as
// changed when what the book stores, or finds the customer by, isn't what the cell has:
// spaces, widths, a number's grouping, a phone without its country. Samples leave out
// numbers of people, which messages don't show whole.
type ColumnPreview struct {
	Column
	Filled  int // cells with a text
	Changed int // of them, those that are normalised
	Faulty  int // of them, those that the book refuses
	Samples []Change
}

// Change is a cell as it is and as it will be.
type Change struct {
	Row           int
	Before, After string
}

// Findings are faults of one kind.
type Findings struct {
	Count   int
	Samples []Fault
}

// Repeats are rows that are likely of one customer.
type Repeats struct {
	Rows   int // that repeat an earlier row in some way, each counted once
	Groups int
	// Samples are the groups that begin first.
	Samples []Repeat
}

// Repeat is a group of rows that have something in common which customers don't share.
type Repeat struct {
	// By is what the rows share: a unique field; the Name, of organisations; a Phone or an
	// Email, when the names are alike, too, as [Twin] compares them.
	By    Field
	Value string // that of the first row; empty for numbers that aren't shown
	Count int
	Rows  []int // the first ones
}

// How many samples a preview keeps.
const (
	changeSamples  = 5   // of a column
	findingSamples = 100 // of a kind
	repeatSamples  = 100 // groups
	repeatRows     = 20  // of a group
)

// Preview reads the whole file of an import and tells what its rows look like by
// themselves, before the book is asked: what normalisation changes, which rows repeat
// others, what isn't valid, what is empty and what looks like a test. Of rows that are no
// customers it tells what isn't valid or empty. Import.Faults is called for each cell
// that the book refuses. A dry run tells the rest.
//
// Memory is bounded whatever the file: what rows are compared by goes to a temporary
// file beyond 16 MiB. It needs the right to import, and reads no customer.
func (s Session) Preview(ctx context.Context, im Import) (*Preview, error) {
	r, mapping, err := s.newRun(ctx, &im)
	if err != nil {
		return nil, err
	}
	if err := s.view(ctx, func(tx *Reader) error { return tx.Customers.PermitAll(customer.RightImport, customer.Identity) }); err != nil {
		return nil, err
	}
	v := &previewer{run: r, preview: &Preview{Mapping: mapping}, repeats: newRepeatFinder(r.Customers.Schemes(), repeatMemory)}
	v.converter.toNote = true // so that the rest of a row with a bad cell is looked at, too
	for _, c := range v.converter.byColumn {
		if c.Field != "" {
			v.preview.Columns = append(v.preview.Columns, ColumnPreview{Column: c})
		}
	}
	if err := v.read(ctx); err != nil {
		return nil, v.repeats.close(err)
	}
	v.preview.Repeats, err = v.repeats.found(ctx)
	return v.preview, v.repeats.close(err)
}

// previewer makes one preview.
type previewer struct {
	*run
	preview *Preview
	repeats *repeatFinder
}

// read looks at the rows, some thousand at a time.
func (v *previewer) read(ctx context.Context) error {
	var rows []tabular.Row
	bytes, last := 0, v.converter.mapping.firstRow()-1
	for row, err := range v.format.Read(ctx, v.im.File, v.converter.mapping.options(v.im.Limits)) {
		if err != nil {
			return err
		}
		if row.Number <= last {
			continue
		}
		v.gap(last, row)
		if last = row.Number; row.Blank() {
			continue
		}
		kept, size := keptRow(row)
		bytes += size
		if rows = append(rows, kept); len(rows) == dryRows || bytes > windowBytes {
			if err := v.take(rows); err != nil {
				return err
			}
			rows, bytes = rows[:0], 0
		}
	}
	return v.take(rows)
}

// gap counts the rows without a text: those that the file leaves out before a row, and
// the row itself if it is one.
func (v *previewer) gap(last int, row *tabular.Row) {
	for n := last + 1; n < row.Number; n++ {
		v.preview.Empty.add(emptyRow(n, 0))
	}
	if row.Blank() {
		v.preview.Empty.add(emptyRow(row.Number, row.Line))
	}
}

func emptyRow(row, line int) Fault {
	return Fault{Row: row, Line: line, Code: CodeEmpty, Detail: "has no value in a column that is imported", Remedy: "delete the row"}
}

func (f *Findings) add(fault Fault) {
	if f.Count++; len(f.Samples) < findingSamples {
		f.Samples = append(f.Samples, fault)
	}
}

// take looks at some rows.
func (v *previewer) take(rows []tabular.Row) error {
	for i, l := range v.convert(rows) {
		v.preview.Rows++
		v.faults(l)
		v.columns(l, &rows[i])
		if len(l.columns) == 0 && rows[i].Err == nil {
			v.preview.Empty.add(emptyRow(l.row, l.line))
			continue
		}
		if v.subject != Customers {
			continue
		}
		if f, is := v.testRecord(l); is {
			v.preview.Tests.add(f)
		}
		if l.checked != nil {
			if err := v.repeats.add(l); err != nil {
				return err
			}
		}
	}
	return nil
}

// faults counts what the book refuses of a row.
func (v *previewer) faults(l *line) {
	if len(l.faults) > 0 {
		v.preview.Faulty++
	}
	for _, f := range l.faults {
		f.Kept = f.Kept && v.im.ToNote
		if c := v.column(f.Column); c != nil {
			c.Faulty++
		}
		if _, identifier := f.Field.under(identifierOf); identifier || f.Field == AnyIdentifier {
			v.preview.Invalid.add(f)
		} else {
			v.preview.Unfit.add(f)
		}
		if v.im.Faults != nil {
			v.im.Faults(f)
		}
	}
}

func (v *previewer) column(number int) *ColumnPreview {
	for i := range v.preview.Columns {
		if c := &v.preview.Columns[i]; c.Column.Column == number {
			return c
		}
	}
	return nil
}

// columns counts the row's values and what becomes of them.
func (v *previewer) columns(l *line, row *tabular.Row) {
	stored := v.stored(l)
	for i := range v.preview.Columns {
		c := &v.preview.Columns[i]
		if c.Column.Column > len(row.Cells) || row.Cells[c.Column.Column-1].Text == "" {
			continue
		}
		c.Filled++
		before := row.Cells[c.Column.Column-1].Text
		parts, known := stored[c.Column.Column]
		if !known || !parts.changed && (len(parts.after) > 1 || c.Prefix+before == parts.after[0]) {
			continue
		}
		if c.Changed++; len(c.Samples) < changeSamples && !v.converter.sensitive(c.Field) {
			c.Samples = append(c.Samples, Change{l.row, excerpt(before), excerpt(strings.Join(parts.after, "; "))})
		}
	}
}

// storedParts are what became of a cell's values.
type storedParts struct {
	after   []string
	changed bool // one of them isn't what its part of the cell is
}

// stored returns what a row's customer has of each column.
func (v *previewer) stored(l *line) map[int]storedParts {
	c, d := l.checked, &l.draft
	if c == nil {
		return nil
	}
	columns := map[int]storedParts{}
	put := func(part, before, after string) {
		column := l.origin[part]
		if column == 0 || before == "" {
			return
		}
		s := columns[column]
		columns[column] = storedParts{append(s.after, after), s.changed || before != after}
	}
	put("Name", d.Name, c.Name)
	put("Code", d.Code, c.Code)
	put("Website", d.Website, c.Website)
	put("Country", d.Country, c.Country)
	put("Rep", d.Rep, c.Rep)
	putEach(put, "Aliases", d.Aliases, c.Aliases, func(a string) string { return a })
	putEach(put, "Identifiers", d.Identifiers, c.Identifiers, func(x customer.Identifier) string { return x.Value })
	putEach(put, "Phones", d.Phones, c.Phones, reached)
	putEach(put, "Emails", d.Emails, c.Emails, func(m customer.Email) string { return m.Address })
	putEach(put, "Addresses", d.Addresses, c.Addresses, func(a customer.Address) string { return a.Text })
	v.storedAttributes(l, put)
	return columns
}

// reached is the number by which a phone is found, or as it is if that isn't known.
func reached(p customer.Phone) string {
	if p.E164 != "" && p.Extension != "" {
		return p.E164 + "#" + p.Extension
	}
	if p.E164 != "" {
		return p.E164
	}
	return p.Number
}

// putEach puts the elements of a list. Where the check dropped empty ones it isn't known
// which are which.
func putEach[T any](put func(part, before, after string), name string, before, after []T, text func(T) string) {
	if len(before) != len(after) {
		return
	}
	for i := range before {
		put(element(name, i), text(before[i]), text(after[i]))
	}
}

// storedAttributes puts custom attributes, which are typed.
func (v *previewer) storedAttributes(l *line, put func(part, before, after string)) {
	for _, a := range l.checked.Attributes {
		spec, _ := v.converter.schema.Spec(a.Name)
		after := a.Value.Text()
		switch spec.Type {
		case customer.Number:
			after = decimal(a.Value.Units(), spec.Decimals)
		case customer.Date:
			after = a.Value.Time().Format("2006-01-02")
		case customer.Boolean:
			after = strconv.FormatBool(a.Value.Bool())
		}
		part := "Attributes[" + a.Name + "]"
		if i := slices.Index(l.columns, l.origin[part]); i >= 0 {
			put(part, l.values[i], after)
		}
	}
}
