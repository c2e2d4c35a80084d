package report

import (
	"slices"

	"github.com/clientele-go/clientele/credit/money"
)

// document is a report before it has a form: what the four writers lay out.
type document struct {
	tongue
	title, subtitle string
	notice          *notice
	figures         []figure
	sections        []section
	footer          string
}

// notice is a sentence that stands out.
type notice struct {
	tone tone
	text string
}

// tone says what a figure or a cell means.
type tone uint8

const (
	neutral tone = iota
	good
	warning
	bad
)

// figure is a key figure.
type figure struct {
	label, note string
	value       cell
	in          column
	change      bool // written with its sign
	trend       []float64
}

// section is a part of the report, and a sheet of the workbook.
type section struct {
	code   string // names the sheet's order and tests; English
	title  string
	sheet  string // a short title, for a tab
	intro  string
	notice *notice
	parts  []part
}

// part is a table with the plots that show it.
type part struct {
	table *table
	plots []plot
}

// table is a table of typed cells.
type table struct {
	name    string // unique in the report, the first column of the CSV
	title   string
	note    string
	columns []column
	rows    []row
	fold    int  // more rows than these are folded in HTML; 0 never
	facts   bool // names with values: no headings
}

// column is a column of a table.
type column struct {
	code  string // in the CSV
	title string
	kind  kind
	unit  string // a currency's code, of amounts
}

// kind is what a column holds.
type kind uint8

const (
	words  kind = iota
	count       // customers, or other things that are counted
	amount      // minor units of the column's unit
	rate        // hundredths of a percent
	score       // hundredths
)

func (k kind) number() bool { return k != words }

// row is a row of a table.
type row struct {
	key   string // in the CSV; stable over languages
	cells []cell
	total bool
}

// cell is a value. The zero cell is empty.
type cell struct {
	text string
	n    int64
	set  bool // there is a number
	heat float64
	tone tone
}

func text(s string) cell      { return cell{text: s} }
func number(n int64) cell     { return cell{n: n, set: true} }
func (c cell) in(t tone) cell { c.tone = t; return c }

// shape is the kind of a plot.
type shape uint8

const (
	waterfall shape = iota
	lines
	bars
	shares
)

// plot shows columns of a table: each a series, with the first column's texts as labels.
// Rows that are totals stand on the axis in a waterfall and are left out elsewhere.
type plot struct {
	shape       shape
	title, desc string
	values      []int // columns
	most        int   // rows at most, the largest by the first of values; 0 is all
	half        bool
}

// shown returns the rows of a plot, in their order.
func (p plot) shown(t *table) (rows []row) {
	for _, r := range t.rows {
		if p.shape == waterfall || !r.total {
			rows = append(rows, r)
		}
	}
	if p.most == 0 || len(rows) <= p.most {
		return rows
	}
	sizes := make([]int64, len(rows))
	for i, r := range rows {
		sizes[i] = r.cells[p.values[0]].n
	}
	slices.Sort(sizes)
	least := sizes[len(sizes)-p.most]
	above := 0 // of those of equal size, the first ones stay
	for _, n := range sizes {
		if n > least {
			above++
		}
	}
	equal := p.most - above
	return slices.DeleteFunc(rows, func(r row) bool {
		n := r.cells[p.values[0]].n
		if n == least {
			equal--
			return equal < 0
		}
		return n < least
	})
}

// digits is how many decimals the numbers of a column have.
func (c column) digits() int {
	switch c.kind {
	case amount:
		currency, _ := money.ParseCurrency(c.unit) // compose has refused what is none
		return currency.Digits()
	case rate, score:
		return 2
	}
	return 0
}
