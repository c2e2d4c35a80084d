package report

import (
	"encoding/csv"
	"io"
	"strings"

	"github.com/clientele-go/clientele/customer/exchange/tabular"
	"github.com/clientele-go/clientele/customer/stocktake"
)

// byteOrderMark tells spreadsheet programs that a text is UTF-8.
const byteOrderMark = "\uFEFF"

// CSV writes a result as one long table for programs, in UTF-8 with a byte order mark and
// a line for each value:
//
//	table,row,label,column,value,unit
//	reconciliation,new,New,customers,1234,
//	figures.tag.level,vip,VIP,revenue,98765.43,CNY
//
// Table, row and column are codes, the same in every language; label is for people.
// Numbers have no groups, amounts are in major units with the currency as unit, shares are
// in percent with the unit %. Texts that a spreadsheet program would run as a formula have
// an apostrophe before them; [tabular.Unescape] takes it away.
func CSV(w io.Writer, r *stocktake.Result, o Options) error {
	d, err := open("CSV", r, o)
	if err != nil {
		return err
	}
	if _, err := io.WriteString(w, byteOrderMark); err != nil {
		return err
	}
	out := csv.NewWriter(w)
	// csv.Writer keeps the first error for Flush.
	_ = out.Write([]string{"table", "row", "label", "column", "value", "unit"})
	for _, s := range d.sections {
		for _, p := range s.parts {
			writeLong(out, p.table)
		}
	}
	out.Flush()
	return out.Error()
}

// writeLong writes a table's cells, a line each; the first column is the label.
func writeLong(out *csv.Writer, t *table) {
	for _, r := range t.rows {
		label := tabular.Escape(r.cells[0].text)
		key := tabular.Escape(printable(r.key))
		if len(r.cells) == 1 {
			_ = out.Write([]string{t.name, key, label, "", "", ""})
		}
		for i, c := range r.cells[1:] {
			in := t.columns[i+1]
			value, unit := tabular.Escape(c.text), ""
			switch {
			case c.set && in.kind.number():
				value, unit = decimal(c.n, in), in.unit
				if in.kind == rate {
					value, unit = trimmed(value), "%"
				}
			case value == "":
				continue
			}
			_ = out.Write([]string{t.name, key, label, tabular.Escape(printable(in.code)), value, unit})
		}
	}
}

// printable takes the mark from the keys of rows that stand for no value.
func printable(key string) string { return strings.TrimPrefix(key, "\x00") }
