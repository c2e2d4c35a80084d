package aging

import (
	"bufio"
	"io"
	"iter"
	"strings"

	"golang.org/x/text/language"

	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
)

// Table is an aging report to be written.
type Table struct {
	Scheme Scheme
	Rows   iter.Seq2[Row, error]
	// Name returns what stands in a row's first column; nil writes the number.
	Name func(customer uint64) string
	// By is the heading of the first column in files; "customer" when empty.
	By       string
	KnownOn  date.Date      // for the heading; zero when everything known counts
	Base     money.Currency // for the heading; zero for document currencies
	FIFO     bool           // the report is a simulation, and says so
	Language language.Tag   // of headings in WriteText and WriteHTML: Chinese, or else English
	Second   language.Tag   // of a second line of headings below; the zero Tag is none
}

// WriteCSV writes the table for programs: comma-separated, in UTF-8, with lines ending in
// \n and exact decimals. The columns are customer, currency, those of the buckets by
// Buckets.Name, unapplied, balance. It takes memory for one row.
func (t Table) WriteCSV(w io.Writer) error {
	out := bufio.NewWriterSize(w, 1<<16)
	by := t.By
	if by == "" {
		by = "customer"
	}
	line := append(appendField(nil, by), ",currency"...)
	for column := range t.Scheme.Buckets.Len() {
		line = append(append(line, ','), t.Scheme.Buckets.Name(column)...)
	}
	line = append(line, ",unapplied,balance\n"...)
	for row, err := range t.Rows {
		if err != nil {
			return err
		}
		if _, err := out.Write(line); err != nil {
			return err
		}
		line = t.appendRow(line[:0], row)
	}
	if _, err := out.Write(line); err != nil {
		return err
	}
	return out.Flush()
}

func (t Table) appendRow(line []byte, row Row) []byte {
	line = appendField(line, t.name(row.Customer))
	line = append(append(line, ','), row.Currency.String()...)
	for _, minor := range row.Buckets {
		line = row.Currency.AppendDecimal(append(line, ','), minor)
	}
	line = row.Currency.AppendDecimal(append(line, ','), row.Unapplied)
	line = row.Currency.AppendDecimal(append(line, ','), row.Balance)
	return append(line, '\n')
}

// appendField appends a field, quoted where RFC 4180 needs it.
func appendField(line []byte, field string) []byte {
	if !strings.ContainsAny(field, ",\"\r\n") {
		return append(line, field...)
	}
	line = append(line, '"')
	line = append(line, strings.ReplaceAll(field, `"`, `""`)...)
	return append(line, '"')
}

func (t Table) name(customer uint64) string {
	if t.Name != nil {
		return t.Name(customer)
	}
	return decimal(customer)
}

// grid is a table's cells as people read them, the totals of each currency below.
type grid struct {
	headings [][]string // a line for each language
	rows     [][]string
	totals   [][]string
}

// languages are those of the headings.
func (t Table) languages() []words {
	if t.Second == (language.Tag{}) {
		return []words{wordsIn(t.Language)}
	}
	return []words{wordsIn(t.Language), wordsIn(t.Second)}
}

// grid formats all rows, and so takes memory for them.
func (t Table) grid() (grid, error) {
	words := wordsIn(t.Language)
	var g grid
	for _, words := range t.languages() {
		g.headings = append(g.headings, words.headings(t))
	}
	totals := NewAccumulator(t.Scheme)
	for row, err := range t.Rows {
		if err != nil {
			return grid{}, err
		}
		g.rows = append(g.rows, cells(t.name(row.Customer), row))
		account := totals.Account(0, row.Currency)
		for column, minor := range row.Buckets {
			totals.Add(account, column, minor)
		}
		totals.Add(account, t.Scheme.Unapplied(), row.Unapplied)
	}
	for row, err := range totals.Rows() {
		if err != nil {
			return grid{}, err
		}
		g.totals = append(g.totals, cells(words.total, row))
	}
	return g, nil
}

func cells(name string, row Row) []string {
	list := []string{name, row.Currency.String()}
	for _, minor := range row.Buckets {
		list = append(list, grouped(row.Currency, minor))
	}
	return append(list, grouped(row.Currency, row.Unapplied), grouped(row.Currency, row.Balance))
}

// grouped writes an amount with commas between thousands.
func grouped(c money.Currency, minor int64) string {
	text := money.Amount{Minor: minor, Currency: c}.Decimal()
	start := 0
	if minor < 0 {
		start = 1
	}
	end := strings.IndexByte(text, '.')
	if end < 0 {
		end = len(text)
	}
	for at := end - 3; at > start; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}
